"""Spoiling a picture on purpose: something in the way, a badly centred crop, blur, too few pixels.

Pictures are (B, 3, size, size) in [0, 1]; points are normalised screen coordinates in [-1, 1], y down.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from kornia.filters import gaussian_blur2d

from tutorial_lib.grid import cell_centres

GREY = 0.5


@dataclass(frozen=True)
class Disturbance:
    """What happens to every picture of a batch; the default changes nothing.

    Attributes:
        radius: of a grey disc, in half widths; 0 for none.
        disc: its centre (x, y), normalised.
        shift: how far the crop moves (right, down), in half widths: the person moves the other way.
        blur: standard deviation in pixels.
        pixels: side to which the picture is shrunk before it is enlarged again; None keeps all pixels.
    """

    radius: float = 0.0
    disc: tuple[float, float] = (0.0, 0.0)
    shift: tuple[float, float] = (0.0, 0.0)
    blur: float = 0.0
    pixels: int | None = None

    def __post_init__(self):
        if self.radius < 0 or self.blur < 0 or (self.pixels is not None and self.pixels < 1):
            raise ValueError(f"{self}: expected radius and blur >= 0, and at least one pixel")


def disturb(images: torch.Tensor, how: Disturbance) -> torch.Tensor:
    """The pictures (B, 3, size, size) after the shift, the disc, the shrinking and the blur, in this order."""
    if images.ndim != 4 or images.shape[1] != 3 or images.shape[2] != images.shape[3]:
        raise ValueError(f"images has shape {tuple(images.shape)}, expected (B, 3, size, size)")
    size = images.shape[-1]
    centres = cell_centres(size, images)
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    if how.shift != (0.0, 0.0):
        place = torch.stack([x + how.shift[0], y + how.shift[1]], -1).expand(len(images), -1, -1, -1)
        images = F.grid_sample(images, place, padding_mode="border", align_corners=False)
    if how.radius > 0:
        hidden = (x - how.disc[0]) ** 2 + (y - how.disc[1]) ** 2 <= how.radius**2
        images = torch.where(hidden, GREY, images)
    if how.pixels is not None and how.pixels < size:
        small = F.interpolate(images, size=(how.pixels, how.pixels), mode="area")
        images = F.interpolate(small, size=(size, size), mode="bilinear", align_corners=False)
    if how.blur > 0:
        width = min(2 * round(3 * how.blur) + 3, 2 * (size // 2) - 1)
        images = gaussian_blur2d(images, (width, width), (how.blur, how.blur))
    return images


def move(keypoints: torch.Tensor, visible: torch.Tensor, how: Disturbance) -> tuple[torch.Tensor, torch.Tensor]:
    """Joints (..., J, 2) in the shifted crop, and which of `visible` (..., J) bool are still inside it.

    A joint behind the disc stays: a person knows where it must be.
    """
    moved = keypoints - torch.tensor(how.shift, dtype=keypoints.dtype, device=keypoints.device)
    return moved, visible.bool() & (moved.abs() <= 1).all(-1)
