"""Synthetic distorted tasks: windows of undistorted footage, seen through lenses that were never there."""

from dataclasses import dataclass

import torch

from tutorial_lib.camera import to_plane, to_screen
from tutorial_lib.datasets.footage import Footage
from tutorial_lib.distortion import distort
from tutorial_lib.metrics import root_relative
from tutorial_lib.skeleton import MIRROR

SOURCES = ("detector", "truth")


def window_indices(frames: int, field: int, centres: torch.Tensor, causal: bool = False) -> torch.Tensor:
    """Frame numbers of the windows around `centres` (...,) in a shot: (..., field), repeated at the clip's ends.

    Args:
        causal: the windows end at `centres` instead.
    """
    offsets = torch.arange(field, device=centres.device) - (field - 1 if causal else field // 2)
    return (centres[..., None] + offsets).clamp(0, frames - 1)


@dataclass(frozen=True)
class Windows:
    """Labelled input of a lifter.

    Attributes:
        keypoints: (..., windows, F, 17, 2) screen coordinates.
        pose: (..., windows, 17, 3) root-relative metres of the centre frame, camera axes.
        root: (..., windows, 1, 3) metres, where the root is before the camera; None where nobody asks for it.
    """

    keypoints: torch.Tensor
    pose: torch.Tensor
    root: torch.Tensor | None = None


def draw_windows(
    footage: Footage,
    lens: torch.Tensor | None,
    shape: tuple[int, ...],
    frames: int,
    *,
    generator: torch.Generator,
    source: str = "detector",
    clips: torch.Tensor | None = None,
    causal: bool = False,
) -> Windows:
    """Random windows of the footage, seen through lenses, half of them mirrored.

    Mirroring comes before the lens: afterwards it would be wrong, because a tangential lens is not symmetric.

    Args:
        lens: None (no distortion), or (*first axes of shape, 5): one lens for all windows below it.
        shape: how many windows, any axes.
        frames: receptive field F.
        source: "detector" distorts what the frozen detector saw (the paper's first way); "truth" projects the true
            3D pose through the lens (its second way).
        clips: (*shape) which clip each window comes from; drawn at random by default.
        causal: the pose belongs to the last frame of the window, not to its middle.

    Raises:
        ValueError: unknown source, footage without clips, lenses that do not match `shape`.
    """
    if source not in SOURCES:
        raise ValueError(f"source is {source!r}, expected one of {SOURCES}")
    if len(footage) < 1:
        raise ValueError("footage has no clips: select at least one")
    device = footage.pose.device
    if clips is None:
        clips = torch.randint(len(footage), shape, generator=generator)
    centre = torch.randint(footage.pose.shape[1], shape, generator=generator)
    mirrored = (torch.rand(shape, generator=generator) < 0.5).to(device)
    index = window_indices(footage.pose.shape[1], frames, centre, causal)
    if source == "detector":
        plane = footage.detected[clips[..., None], index]
    else:
        plane = to_plane(footage.pose[clips[..., None], index])
    place = footage.pose[clips, centre]
    pose, root = root_relative(place), place[..., :1, :]
    sign = torch.ones_like(mirrored, dtype=plane.dtype).masked_fill_(mirrored, -1)
    plane = torch.where(mirrored[..., None, None, None], plane[..., MIRROR, :], plane)
    pose = torch.where(mirrored[..., None, None], pose[..., MIRROR, :], pose)
    plane = torch.cat([plane[..., :1] * sign[..., None, None, None], plane[..., 1:]], -1)
    pose = torch.cat([pose[..., :1] * sign[..., None, None], pose[..., 1:]], -1)
    if lens is not None:
        plane = distort(plane, lens)
    root = torch.cat([root[..., :1] * sign[..., None, None], root[..., 1:]], -1)
    return Windows(to_screen(plane), pose, root)
