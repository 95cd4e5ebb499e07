"""From solids to pixels: every solid is met by the rays of a small box only, and the nearest ones are kept.

A *fragment* is one solid on one pixel. Fragments of all pictures lie in one long list, so no padding is computed.
"""

from dataclasses import dataclass

import torch

from tutorial_lib.distortion import distort
from tutorial_lib.render.anatomy import SOLIDS
from tutorial_lib.render.body import Solids
from tutorial_lib.render.capsules import meet, nearest, table

SOFT = 1.4
"""Width in pixels of a silhouette's soft edge (ours); its half-way line is the true outline."""


@dataclass(frozen=True)
class Fragments:
    """Attributes: (N,) tensors, one entry a fragment.

    solid: row in the flattened (B * P * S) solids.
    pixel: index in the flattened (B * H * W) picture.
    alpha: share of the pixel that the solid covers.
    depth: metres along the camera's axis.
    normal: (3, N) unit vectors, camera frame.
    local: (3, N) metres in the solid's frame: side, along the axis from its start, front.
    """

    solid: torch.Tensor
    pixel: torch.Tensor
    alpha: torch.Tensor
    depth: torch.Tensor
    normal: torch.Tensor
    local: torch.Tensor


def patches(solids: Solids, box: torch.Tensor, size: int, lens: torch.Tensor | None):
    """Pixel boxes (B, S, 4: x0, y0, x1, y1 exclusive) that contain the solids' soft outlines."""
    with torch.no_grad():
        axis = solids.frame[..., 1, :] * solids.span[..., None]
        stations = torch.linspace(0, 1, 2 if lens is None else 4, dtype=axis.dtype, device=axis.device)
        centre = solids.start[..., None, :] + axis[..., None, :] * stations[:, None]
        radius = torch.lerp(solids.radius[..., :1], solids.radius[..., 1:], stations)
        # Extent of an ellipsoid with semi-axes a_i along the rows f_i: sqrt(sum (a_i f_i)^2) in each direction.
        semi = torch.stack([solids.stretch[..., 0], torch.ones_like(solids.span), solids.stretch[..., 1]], -1)
        extent = torch.sqrt(((solids.frame * semi[..., None]) ** 2).sum(-2))[..., None, :] * radius[..., None]
        near = (centre[..., 2] - extent[..., 2]).clamp_min(0.05)
        far = centre[..., 2] + extent[..., 2]
        low, high = centre[..., :2] - extent[..., :2], centre[..., :2] + extent[..., :2]
        low = torch.minimum(low / near[..., None], low / far[..., None])
        high = torch.maximum(high / near[..., None], high / far[..., None])
        if lens is not None:
            corners = torch.stack(
                [
                    torch.stack([a[..., 0], b[..., 1]], -1)
                    for a in (low, (low + high) / 2, high)
                    for b in (low, (low + high) / 2, high)
                ],
                -2,
            )
            bent = distort(corners, lens)
            low, high = bent.amin(-2), bent.amax(-2)
            grow = 0.15 * (high - low)
            low, high = low - grow, high + grow
        low, high = low.amin(-2), high.amax(-2)
        middle, half = box[:, None, :2], box[:, None, 2:]
        x0y0 = torch.floor(((low - middle) / half + 1) * size / 2 - 1.5).clamp(0, size)
        x1y1 = torch.ceil(((high - middle) / half + 1) * size / 2 + 1.5).clamp(0, size)
        x1y1 = torch.where(solids.radius.amax(-1, keepdim=True) > 0, x1y1, x0y0)
        return torch.cat([x0y0, torch.maximum(x0y0, x1y1)], -1).long()


def ragged(boxes: torch.Tensor, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """All pixels of the boxes (B, S, 4: x0, y0, x1, y1 exclusive) of B pictures: (row of the box, flat pixel), (N,)."""
    count, solids = boxes.shape[:2]
    x0, y0, x1, y1 = boxes.reshape(-1, 4).unbind(-1)
    tall = torch.where(x1 > x0, y1 - y0, 0)
    rows = torch.repeat_interleave(tall)
    line = torch.arange(len(rows), device=boxes.device) - (tall.cumsum(0) - tall)[rows]
    wide = (x1 - x0)[rows]
    image = torch.div(rows, solids, rounding_mode="floor")
    base = (image * size + y0[rows] + line) * size + x0[rows] - (wide.cumsum(0) - wide)
    of = torch.repeat_interleave(wide)
    return rows.index_select(0, of), base.index_select(0, of) + torch.arange(len(of), device=boxes.device)


def rasterise(solids: Solids, box: torch.Tensor, rays: torch.Tensor, lens: torch.Tensor | None = None):
    """Meet all solids with all rays near them.

    Args:
        solids: of `body.build`, B * P bodies: P of them in each picture.
        box: (B, 3) as for `photos.photograph`.
        rays: (2, B, H, W) plane coordinates that the pixels' centres see.
        lens: of `photos.photograph`, or None.

    Returns:
        fragments: those that no fully covering fragment hides, with gradients.
        silhouette: (B * P, H, W) largest coverage by any solid of each body, also behind others.
    """
    _, count, size, _ = rays.shape
    people = len(solids) // count
    box, lens = box.repeat_interleave(people, 0), None if lens is None else lens.repeat_interleave(people, 0)
    with torch.no_grad():
        solid, own = ragged(patches(solids, box, size, lens), size)
        pixel = own  # each body's own picture; now the one that it shares with others
        if people > 1:
            body = torch.div(own, size * size, rounding_mode="floor")
            pixel = own - (body - torch.div(body, people, rounding_mode="floor")) * size * size
        everything = table(solids)
        x, y = rays.reshape(2, -1).index_select(1, pixel).unbind(0)
        pitch = (2 / size * box[:, 2])[:, None].expand(-1, solids.span.shape[1]).flatten()
        rows = everything.index_select(1, solid).unbind(0)
        _, _, miss, _, t = nearest(rows, x, y)
        # Cheap test first: the soft edge is SOFT / 2 pixels wide, more where the round frame stretches space.
        wide = (0.51 * SOFT * pitch / solids.stretch.amin(-1).flatten().clamp_max(1)).index_select(0, solid)
        keep = (miss < wide * t).nonzero()[:, 0]
        solid, own, pixel, x, y = (value.index_select(0, keep) for value in (solid, own, pixel, x, y))
    rows = table(solids).index_select(1, solid).unbind(0)
    ray, s, miss, n, t = nearest(rows, x, y)
    side, deep, cut = rows[15:]
    # How fast the distance changes when the ray moves by one metre beside the solid.
    speed = torch.sqrt((n[0] / side) ** 2 + n[1] ** 2 + (n[2] / deep) ** 2)
    pixel_size = t * pitch.index_select(0, solid) * SOFT
    depth, q, s = meet(rows, ray, s)
    edge = torch.minimum(-miss / speed, cut - q[1] - s) / pixel_size
    edge = (edge + 0.5).clamp(0, 1)
    alpha = edge * edge * (3 - 2 * edge)
    silhouette = alpha.new_zeros(len(box) * size * size).scatter_reduce(0, own, alpha, "amax")
    with torch.no_grad():
        # Two solids that share a joint may tie there: the later one is moved back by a hair.
        depth_key = depth + 1e-5 * (solid % len(SOLIDS))
        opaque = torch.where(alpha >= 1, depth_key, torch.inf)
        front = opaque.new_full((count * size * size,), torch.inf).scatter_reduce(0, pixel, opaque, "amin")
        keep = ((depth_key <= front.index_select(0, pixel)) & (alpha > 0)).nonzero()[:, 0]
    solid, pixel, s, alpha, depth, side, deep, *q = (
        value.index_select(0, keep) for value in (solid, pixel, s, alpha, depth, side, deep, *q)
    )
    m = [rows[i].index_select(0, keep) for i in range(9)]
    normal = [m[i] * q[0] + m[i + 3] * q[1] + m[i + 6] * q[2] for i in range(3)]
    length = torch.sqrt((normal[0] ** 2 + normal[1] ** 2 + normal[2] ** 2).clamp_min(1e-12))
    fragments = Fragments(
        solid,
        pixel,
        alpha,
        depth + 1e-5 * (solid % len(SOLIDS)),
        torch.stack([value / length for value in normal]),
        torch.stack([q[0] * side, q[1] + s, q[2] * deep]),
    )
    return fragments, silhouette.view(-1, size, size)
