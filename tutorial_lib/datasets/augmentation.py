"""Random changes of training pictures, and what they do to the labels (the report's data augmentation).

`draw` makes the random numbers from a generator of its own, so the same seed gives the same pictures; `apply` does
the work with kornia's functions on a whole batch. The keypoints move with the picture exactly: the same two numbers
per axis, x' = scale x + shift, act on both.

Depth under zoom. Enlarging a picture by s looks like a person who is s times as large, seen by the same (weak
perspective) camera. A network cannot tell the two apart, so the depth label grows with the picture: z' = s z. That is
Sun et al.'s z = z_mm / (2000 s'), where s' = 1 / s enlarges the cut-out instead of the picture. `unscale_depth` goes
back to true depth. With unequal zoom in x and y, s is their geometric mean (ours).
"""

from dataclasses import dataclass

import torch
from kornia.color import hsv_to_rgb, rgb_to_hsv
from kornia.geometry.transform import warp_affine


@dataclass(frozen=True)
class Strength:
    """How far each change may go. The defaults are the report's; all zero leaves the pictures as they are.

    Attributes:
        shift: largest shift, as a share of the picture's width. (With the report's library, a single 0.05 shifts every
            picture by the same 5 %; drawing from -5 % to 5 % is ours.)
        zoom: scale from 1 - zoom to 1 + zoom, drawn for x and y separately.
        colour: largest change of hue (a share of the colour circle) and of saturation (a share of its range).
        contrast: factor on the distance from middle grey from 1 - contrast to 1 + contrast.
        brightness: factor on each colour channel from 1 - brightness to 1 + brightness.
        same_zoom: one scale for x and y: people keep their proportions (ours).
    """

    shift: float = 0.05
    zoom: float = 0.25
    colour: float = 60 / 255
    contrast: float = 0.3
    brightness: float = 0.5
    same_zoom: bool = False

    def __post_init__(self):
        for name in ("shift", "zoom", "colour", "contrast", "brightness"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise ValueError(f"{name} is {value}, expected a share in [0, 1); 0 switches the change off")


@dataclass(frozen=True)
class Changes:
    """What happens to each picture of a batch.

    Attributes:
        scale: (B, 2) factors on x and y.
        shift: (B, 2) added to x and y, screen coordinates (2 is the whole width).
        hue, saturation: (B,) added, the hue in turns.
        contrast: (B,) factor.
        brightness: (B, 3) factors.
    """

    scale: torch.Tensor
    shift: torch.Tensor
    hue: torch.Tensor
    saturation: torch.Tensor
    contrast: torch.Tensor
    brightness: torch.Tensor

    @property
    def depth_scale(self) -> torch.Tensor:
        """(B,) factor on depth: the geometric mean of the scales."""
        return self.scale.prod(-1).sqrt()


def draw(count: int, strength: Strength, generator: torch.Generator) -> Changes:
    """Random changes for `count` pictures. Every strength uses the same draws, only stretched.

    Raises:
        ValueError: count below 1.
    """
    if count < 1:
        raise ValueError(f"count is {count}, expected at least 1 picture")
    u = 2 * torch.rand(count, 10, generator=generator, device=generator.device) - 1
    zoom = u[:, :1].expand(-1, 2) if strength.same_zoom else u[:, :2]
    return Changes(
        scale=1 + strength.zoom * zoom,
        shift=2 * strength.shift * u[:, 2:4],
        hue=strength.colour * u[:, 4],
        saturation=strength.colour * u[:, 5],
        contrast=1 + strength.contrast * u[:, 6],
        brightness=1 + strength.brightness * u[:, 7:10],
    )


def apply(images: torch.Tensor, keypoints: torch.Tensor, changes: Changes) -> tuple[torch.Tensor, torch.Tensor]:
    """Change pictures and keypoints.

    Args:
        images: (B, 3, H, W) in [0, 1]. What comes in from outside the picture is black.
        keypoints: (B, ..., 2) screen coordinates, or (B, ..., 3) with depth, which grows with the picture.
        changes: of `draw`, one a picture.

    Returns:
        images and keypoints, of the same shapes. `inside` says which keypoints are still in the picture.

    Raises:
        ValueError: wrong shapes.
    """
    batch = len(changes.scale)
    if images.shape[:2] != (batch, 3) or images.ndim != 4:
        raise ValueError(f"images has shape {tuple(images.shape)}, expected ({batch}, 3, H, W), as many as changes")
    if keypoints.ndim < 2 or len(keypoints) != batch or keypoints.shape[-1] not in (2, 3):
        raise ValueError(f"keypoints has shape {tuple(keypoints.shape)}, expected ({batch}, ..., 2 or 3)")
    return paint(place(images, changes), changes), move(keypoints, changes)


def move(keypoints: torch.Tensor, changes: Changes) -> torch.Tensor:
    """The keypoints (B, ..., 2 or 3) after scale and shift; a depth is multiplied by `depth_scale`."""
    scale, shift = changes.scale.to(keypoints), changes.shift.to(keypoints)
    if keypoints.shape[-1] == 3:
        scale = torch.cat([scale, changes.depth_scale.to(keypoints)[:, None]], -1)
        shift = torch.nn.functional.pad(shift, (0, 1))
    between = [1] * (keypoints.ndim - 2)
    return keypoints * scale.view(len(scale), *between, -1) + shift.view(len(shift), *between, -1)


def unscale_depth(z: torch.Tensor, changes: Changes) -> torch.Tensor:
    """Depth (B, ...) as a network sees it in the changed picture, back to the depth of the person."""
    return z / changes.depth_scale.to(z).view(-1, *[1] * (z.ndim - 1))


def inside(keypoints: torch.Tensor) -> torch.Tensor:
    """Whether x and y are in the picture: (..., 2 or 3) to (...,) bool. Losses take it as `visible`."""
    return (keypoints[..., :2].abs() <= 1).all(-1)


def place(images: torch.Tensor, changes: Changes) -> torch.Tensor:
    """Scale and shift the pictures (B, 3, H, W), with linear interpolation."""
    size = torch.tensor([images.shape[3], images.shape[2]], dtype=images.dtype, device=images.device)
    scale, shift = changes.scale.to(images), changes.shift.to(images)
    # the same map in kornia's pixels, where 0 is the middle of the first: x = (2 pixel + 1) / size - 1
    offset = ((scale - 1) * (1 - size) + shift * size) / 2
    return warp_affine(
        images, torch.cat([torch.diag_embed(scale), offset[..., None]], -1), (images.shape[-2], images.shape[-1])
    )


def paint(images: torch.Tensor, changes: Changes) -> torch.Tensor:
    """Change hue and saturation, then contrast, then each channel's brightness; the result stays in [0, 1].

    A grey pixel has no hue of its own: where saturation is added, it takes the hue that is drawn, counted from red.
    """

    def each(values: torch.Tensor):
        return values.to(images).reshape(len(images), -1, 1, 1)

    if changes.hue.any() or changes.saturation.any():
        hue, saturation, value = rgb_to_hsv(images).unbind(-3)
        hue = torch.remainder(hue + 2 * torch.pi * each(changes.hue)[:, 0], 2 * torch.pi)
        saturation = (saturation + each(changes.saturation)[:, 0]).clamp(0, 1)
        images = hsv_to_rgb(torch.stack([hue, saturation, value], -3))
    images = (0.5 + each(changes.contrast) * (images - 0.5)).clamp(0, 1)
    return (images * each(changes.brightness)).clamp(0, 1)
