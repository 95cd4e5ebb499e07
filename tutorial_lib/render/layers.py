"""Put the fragments of a picture together, from front to back."""

import torch

from tutorial_lib.render.raster import Fragments


def composite(
    picture: torch.Tensor, silhouette: torch.Tensor, fragments: Fragments, colour: torch.Tensor, labels: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Lay the body over a picture; where parts overlap, a soft edge shows what is behind it.

    Args:
        picture: (3, B, H, W) RGB.
        silhouette: (B, H, W) coverage by the whole body.
        fragments: of `raster.rasterise`.
        colour: (3, N) RGB of each fragment.
        labels: (N,) part of each fragment.

    Returns:
        the new picture, depth (B, H, W) in metres (infinite beside the body), and parts (B, H, W) int64.
    """
    # All work is done on the pixels that the body touches.
    touched = (silhouette.detach().flatten() > 0).nonzero()[:, 0]
    where = torch.empty(silhouette.numel(), dtype=torch.int64, device=picture.device)
    where[touched] = torch.arange(len(touched), device=picture.device)
    pixel, z, alpha = where.index_select(0, fragments.pixel), fragments.depth.detach(), fragments.alpha
    rgb, weight = colour.new_zeros(3, len(touched)), colour.new_zeros(len(touched))
    left, best = colour.new_ones(len(touched)), colour.new_zeros(len(touched))
    near = colour.new_full((len(touched),), torch.inf)
    label = torch.zeros_like(touched)
    while len(pixel):
        front = z.new_full((len(touched),), torch.inf).scatter_reduce(0, pixel, z, "amin")
        first = z <= front.index_select(0, pixel)
        now, later = first.nonzero()[:, 0], (~first).nonzero()[:, 0]
        here, cover, depth = (value.index_select(0, now) for value in (pixel, alpha, z))
        share = left.index_select(0, here) * cover
        rgb = rgb.index_add(1, here, share * colour.index_select(1, now))
        weight = weight.index_add(0, here, share)
        left = left.index_add(0, here, -share)
        with torch.no_grad():
            # A pixel belongs to the solid that covers most of it.
            more = (share > best.index_select(0, here)).nonzero()[:, 0]
            winner = here.index_select(0, more)
            label[winner] = labels.index_select(0, now).index_select(0, more)
            near[winner], best[winner] = depth.index_select(0, more), share.detach().index_select(0, more)
        pixel, z, alpha, labels = (value.index_select(0, later) for value in (pixel, z, alpha, labels))
        colour = colour.index_select(1, later)
    flat, cover = picture.flatten(1), silhouette.flatten().index_select(0, touched)
    body = torch.lerp(flat.index_select(1, touched), rgb / weight.clamp_min(1e-6), cover)
    over = flat.index_copy(1, touched, body)
    solid = weight.detach() >= 0.5
    parts = torch.zeros_like(silhouette, dtype=torch.int64).flatten()
    parts[touched] = torch.where(solid, label, 0)
    depth = torch.full_like(silhouette.detach(), torch.inf).flatten()
    depth[touched] = torch.where(solid, near, torch.inf)
    return over.view_as(picture), depth.view_as(silhouette), parts.view_as(silhouette)
