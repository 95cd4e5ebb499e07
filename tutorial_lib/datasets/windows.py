"""Synthetic distorted tasks: windows of undistorted footage, seen through lenses that were never there."""

from dataclasses import dataclass
from typing import Literal, get_args

import torch

from tutorial_lib.camera import project, to_screen
from tutorial_lib.datasets.footage import Footage
from tutorial_lib.distortion import Lens, as_lens
from tutorial_lib.metrics import root_relative
from tutorial_lib.skeleton import flip

Source = Literal["detector", "truth"]
"""What a window shows: what the frozen detector saw, or the projected truth."""


def window_indices(frames: int, field: int, centres: torch.Tensor, causal: bool = False) -> torch.Tensor:
    """Frame numbers of the windows around `centres` (...,) in a clip: (..., field), repeated at the clip's ends.

    Args:
        frames: of the clip.
        field: frames of a window.
        centres: frame numbers, any shape.
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
    lens: Lens | torch.Tensor | None,
    shape: tuple[int, ...],
    frames: int,
    *,
    generator: torch.Generator,
    source: Source = "detector",
    clips: torch.Tensor | None = None,
    causal: bool = False,
) -> Windows:
    """Random windows of the footage, seen through lenses, half of them mirrored.

    Mirroring comes before the lens: afterwards it would be wrong, because a tangential lens is not symmetric.

    Args:
        footage: where the windows are cut from.
        lens: None (no distortion), a lens, or coefficients (*first axes of shape, 5), each for all windows below it.
        shape: how many windows, any axes.
        frames: receptive field F.
        generator: decides clips, frames and which windows are mirrored.
        source: "detector" distorts what the frozen detector saw (the paper's first way); "truth" projects the true
            3D pose through the lens (its second way).
        clips: (*shape) which clip each window comes from; drawn at random by default.
        causal: the pose belongs to the last frame of the window, not to its middle.

    Raises:
        ValueError: unknown source, footage without clips, lenses that do not match `shape`.
    """
    if source not in get_args(Source):
        raise ValueError(f"source is {source!r}, expected one of {get_args(Source)}")
    if len(footage) < 1:
        raise ValueError("footage has no clips: select at least one")
    if clips is None:
        clips = torch.randint(len(footage), shape, generator=generator)
    centre = torch.randint(footage.pose.shape[1], shape, generator=generator)
    mirrored = (torch.rand(shape, generator=generator) < 0.5).to(footage.pose.device)
    index = window_indices(footage.pose.shape[1], frames, centre, causal)
    if source == "truth":
        keypoints = project(_flip_where(mirrored, footage.pose[clips[..., None], index]), lens=lens)
    else:
        plane = _flip_where(mirrored, footage.detected[clips[..., None], index])
        keypoints = to_screen(plane if lens is None else as_lens(lens).distort(plane))
    place = footage.pose[clips, centre]
    pose, root = root_relative(place), place[..., :1, :]
    return Windows(keypoints, _flip_where(mirrored, pose), _flip_where(mirrored, root))


def _flip_where(mirrored: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """`flip` of those points (*shape, ..., J, D) whose window is mirrored (*shape)."""
    mask = mirrored.reshape(*mirrored.shape, *[1] * (points.ndim - mirrored.ndim))
    return torch.where(mask, flip(points), points)
