"""What lies between the person and the file: things in front, and blur."""

import torch

from tutorial_lib.grid import cell_centres
from tutorial_lib.render.places import Places


def obstruct(image: torch.Tensor, places: Places) -> tuple[torch.Tensor, torch.Tensor]:
    """Put the place's occluders in front of images (3, B, H, W): (new images, cover (B, H, W) in [0, 1])."""
    size = image.shape[-1]
    cover = image.new_zeros(image.shape[1], size, size)
    pixel = 2 / size
    line = cell_centres(size, image)
    for slot in range(places.boxes.shape[1]):
        some = (places.boxes[:, slot, 2] > 0).nonzero()[:, 0]
        if len(some) == 0:
            continue
        cx, cy, hx, hy, cos, sin = (places.boxes[some, slot, i, None, None] for i in range(6))
        u, v = line[None, None, :] - cx, line[None, :, None] - cy
        x, y = cos * u + sin * v, cos * v - sin * u
        short = torch.minimum(hx, hy)
        corner = places.roundness[some, slot, None, None] * short
        ox, oy = x.abs() - hx + corner, y.abs() - hy + corner
        outside = torch.sqrt(ox.clamp_min(0) ** 2 + oy.clamp_min(0) ** 2 + 1e-12)
        edge = corner - outside - torch.maximum(ox, oy).clamp_max(0)
        alpha = (edge / pixel + 0.5).clamp(0, 1)
        frequency = places.planks[some, slot, None, None]
        grain = (torch.sin(frequency * x) * torch.sin(0.7 * frequency * y + 1)) * 0.12
        groove = ((torch.sin(frequency * y).abs() - 0.12) * 5).clamp(-1, 0) * 0.25
        rim = (edge / (4 * pixel)).clamp(0, 1) * 0.3 + 0.7
        bright = (1 + grain + groove) * rim * (1 - 0.2 * y / hy - 0.1 * x / hx)
        light, dark = places.box_colour[some, slot].permute(1, 2, 0)
        mix = 0.5 + 0.5 * y / hy
        colour = (torch.lerp(light[..., None, None], dark[..., None, None], mix) * bright).clamp(0, 1)
        below = image.index_select(1, some)
        image = image.index_copy(1, some, torch.lerp(below, colour, alpha))
        cover = cover.index_copy(0, some, torch.maximum(cover[some], alpha))
    return image, cover


def soft_blur(image: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Mix images (3, B, H, W) with their binomial 3 x 3 average, by `share` (B,)."""
    wide = torch.cat([image[..., :1], image, image[..., -1:]], -1)
    soft = (wide[..., :-2] + wide[..., 2:] + 2 * image) / 4
    tall = torch.cat([soft[..., :1, :], soft, soft[..., -1:, :]], -2)
    soft = (tall[..., :-2, :] + tall[..., 2:, :] + 2 * soft) / 4
    return torch.lerp(image, soft, share[:, None, None])
