"""The template: 18 Gaussian parts of a person in a T-pose, and the anchors that tie them together.

Source: Schmidtke et al., "Unsupervised Human Pose Estimation through Transforming Shape Templates" (CVPR 2021); the
numbers are those of its released template, whose image has 256 x 256 pixels.

Two traps stand in the original numbers. A part's centre is (row, column) but an anchor is (column, row), and the first
spread runs along the rows. `PARTS` keeps them as published; every tensor below is in *screen* coordinates: (x, y) in
[-1, 1] across the image, y down, the cell i of a W wide raster centred at (2 i + 1) / W - 1. The published 128 is taken
for the middle of the image, which makes the template its own mirror image.

"left" is the left of the *image*: the right arm of a person who faces the camera.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch

PUBLISHED_SIZE = 256


class Part(NamedTuple):
    """One part as published, in pixels of a 256 x 256 image.

    Attributes:
        name: side of the image and limb.
        centre: (row, column).
        spread: standard deviations along the rows and along the columns, before the rotation.
        angle: of the rotation, in radians.
        anchors: one to three (column, row).
    """

    name: str
    centre: tuple[float, float]
    spread: tuple[float, float]
    angle: float
    anchors: tuple[tuple[float, float], ...]


PARTS = (
    Part("core", (120, 128), (15.36, 25.6), 1.5708, ((128, 144), (128, 80), (128, 68))),
    Part("left hip", (152, 120), (6.4, 7.68), -0.9, ((128, 144), (116, 144))),
    Part("right hip", (152, 136), (6.4, 7.68), 0.9, ((128, 144), (140, 144))),
    Part("left thigh", (172, 108), (6.4, 10.24), -1.1, ((116, 144), (100, 184))),
    Part("right thigh", (172, 148), (6.4, 10.24), 1.1, ((140, 144), (156, 184))),
    Part("left shin", (196, 100), (6.4, 12.8), 1.5708, ((100, 184), (100, 208))),
    Part("right shin", (196, 156), (6.4, 12.8), -1.5708, ((156, 184), (156, 208))),
    Part("left shoulder", (80, 120), (6.4, 10.24), 0.0, ((128, 80), (112, 80))),
    Part("right shoulder", (80, 136), (6.4, 10.24), 0.0, ((128, 80), (144, 80))),
    Part("left arm", (80, 96), (6.4, 10.24), 0.0, ((112, 80), (88, 80))),
    Part("right arm", (80, 160), (6.4, 10.24), 0.0, ((144, 80), (168, 80))),
    Part("left forearm", (80, 72), (6.4, 10.24), 0.0, ((88, 80), (68, 80))),
    Part("right forearm", (80, 184), (6.4, 10.24), 0.0, ((168, 80), (188, 80))),
    Part("left foot", (220, 100), (5.12, 5.12), 0.0, ((100, 208),)),
    Part("right foot", (220, 156), (5.12, 5.12), 0.0, ((156, 208),)),
    Part("left hand", (80, 56), (5.12, 6.4), 0.0, ((68, 80),)),
    Part("right hand", (80, 200), (5.12, 6.4), 0.0, ((188, 80),)),
    Part("head", (52, 128), (12.8, 8.96), 0.0, ((128, 68),)),
)
NAMES = tuple(part.name for part in PARTS)


def _screen(pixels: Sequence) -> torch.Tensor:
    """Screen coordinates of published pixels, in the shape and order of `pixels`."""
    return 2 * torch.tensor(pixels, dtype=torch.float64) / PUBLISHED_SIZE - 1


def _covariance(part: Part) -> torch.Tensor:
    """(2, 2) in (x, y) screen coordinates: rotate diag(spread²) in (row, column), then exchange the two axes."""
    angle, spread = torch.tensor(part.angle).double(), torch.tensor(part.spread).double() * 2 / PUBLISHED_SIZE
    turn = torch.stack([torch.stack([angle.cos(), angle.sin()]), torch.stack([-angle.sin(), angle.cos()])])
    return (turn @ torch.diag(spread**2) @ turn.T).flip(0, 1)


CENTRES = torch.stack([_screen(part.centre).flip(0) for part in PARTS])
"""(18, 2) screen coordinates of the parts' means."""

COVARIANCES = torch.stack([_covariance(part) for part in PARTS])
"""(18, 2, 2) of the parts, in (x, y) screen coordinates."""

ANCHORS = torch.cat([_screen(part.anchors) for part in PARTS])
"""(32, 2) screen coordinates of all anchors, part after part."""

ANCHOR_PART = tuple(index for index, part in enumerate(PARTS) for _ in part.anchors)
"""The part that carries each of the 32 anchors."""


def anchor(part: str, which: int = 0) -> int:
    """Index into `ANCHORS` of a part's first, second or third anchor.

    Raises:
        ValueError: no such part, or it has fewer anchors.
    """
    if part not in NAMES:
        raise ValueError(f"part is {part!r}, expected one of {', '.join(NAMES)}")
    have = ANCHOR_PART.count(NAMES.index(part))
    if not 0 <= which < have:
        raise ValueError(f"which is {which}, but {part!r} has {have} anchors: expected 0 to {have - 1}")
    return ANCHOR_PART.index(NAMES.index(part)) + which


PAIRS = (
    *((anchor("core", 0), anchor(f"{side} hip", 0)) for side in ("left", "right")),
    *((anchor("core", 1), anchor(f"{side} shoulder", 0)) for side in ("left", "right")),
    (anchor("core", 2), anchor("head")),
    *(
        (anchor(f"{side} {inner}", 1), anchor(f"{side} {outer}", 0))
        for inner, outer in (
            ("hip", "thigh"),
            ("thigh", "shin"),
            ("shin", "foot"),
            ("shoulder", "arm"),
            ("arm", "forearm"),
            ("forearm", "hand"),
        )
        for side in ("left", "right")
    ),
)
"""The 17 pairs of anchors that should stay together, as indices into `ANCHORS`. In the template each pair coincides."""
