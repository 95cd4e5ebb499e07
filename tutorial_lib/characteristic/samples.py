"""Pictures of two or three people each, small enough to keep thousands; and those who answer without looking."""

from dataclasses import dataclass
from typing import Literal, get_args

import torch

from tutorial_lib.batch import Batch
from tutorial_lib.datasets.photos import clips_of
from tutorial_lib.render import draw_crowds

CrowdSplit = Literal["train", "validation", "test"]
PEOPLE = (2, 3)
OVERLAP = (0.02, 0.6)
"""The largest intersection over union of two people's boxes, see `render.box_overlap`."""
DISTANCE = (2.5, 6.0)
"""Metres along the floor."""


@dataclass(frozen=True)
class CrowdSet(Batch):
    """What training needs of `render.Crowd`. People are sorted: the nearest first.

    Attributes:
        pixels: (B, 3, H, W) uint8.
        keypoints: (B, P, 17, 2) screen coordinates of the picture.
        depth: (B, P) metres from the camera to the hips, infinite for rows that are nobody.
        seen: (B, P, 17) bool: behind nothing and nobody.
        behind: (B, P, 17) bool: another person's surface is before the joint.
    """

    pixels: torch.Tensor
    keypoints: torch.Tensor
    depth: torch.Tensor
    seen: torch.Tensor
    behind: torch.Tensor

    @property
    def image(self) -> torch.Tensor:
        """(B, 3, H, W) float in [0, 1]."""
        return self.pixels.float() / 255

    @property
    def present(self) -> torch.Tensor:
        """(B, P) bool: this row is a person."""
        return self.depth.isfinite()

    @property
    def counts(self) -> torch.Tensor:
        """(B, P, 17) bool: joints of somebody, in the picture, hidden or not."""
        return (self.keypoints.abs() <= 1).all(-1) & self.present[..., None]

    @property
    def far(self) -> torch.Tensor:
        """(B,) the number of the farthest person; the nearest is 0."""
        return self.present.sum(1) - 1


def draw_crowd_set(split: CrowdSplit, count: int, seed: int, size: int = 64) -> CrowdSet:
    """Draw pictures of a split's people.

    Args:
        split: of `datasets.photos.SPLITS`: nobody in a test picture, and none of their motions, was trained on.
        count: how many pictures.
        seed: of everything.
        size: pixels a side.

    Raises:
        ValueError: an unknown split.
    """
    if split not in get_args(CrowdSplit):
        raise ValueError(f"split is {split!r}, expected one of {', '.join(get_args(CrowdSplit))}")
    crowd = draw_crowds(
        clips_of(split), count, PEOPLE, size=size, generator=torch.Generator().manual_seed(seed), overlap=OVERLAP,
        distance=DISTANCE, margin=0.05,
    )  # fmt: skip
    depth = crowd.pose[:, :, 0, 2].masked_fill(~crowd.present, torch.inf)
    depth, order = depth.sort(dim=1)
    rows = torch.arange(count)[:, None]
    own = torch.arange(depth.shape[1])[:, None]
    behind = (crowd.front != own) & (crowd.front >= 0)
    pixels = (255 * crowd.image).round().clamp(0, 255).to(torch.uint8)
    return CrowdSet(pixels, crowd.keypoints[rows, order], depth, crowd.visible[rows, order], behind[rows, order])


def mean_pose(crowds: CrowdSet) -> torch.Tensor:
    """(17, 2) the mean pose of everybody, each in the own box: its middle at 0, its half sides at 1."""
    people = crowds.keypoints[crowds.present]
    low, high = people.amin(1, keepdim=True), people.amax(1, keepdim=True)
    return ((people - (low + high) / 2) / ((high - low) / 2).clamp_min(1e-6)).mean(0)


def placed_in_boxes(pose: torch.Tensor, keypoints: torch.Tensor) -> torch.Tensor:
    """The baseline that looks at no picture: this pose (17, 2) in everybody's true box, (..., 17, 2).

    Args:
        pose: of `mean_pose`.
        keypoints: (..., 17, 2), of which only the boxes are used.
    """
    low, high = keypoints.amin(-2, keepdim=True), keypoints.amax(-2, keepdim=True)
    return pose * (high - low) / 2 + (low + high) / 2
