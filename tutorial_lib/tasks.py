"""Synthetic distorted tasks: windows of undistorted footage, seen through lenses that were never there."""

from dataclasses import dataclass

import torch

from tutorial_lib.camera import to_plane, to_screen
from tutorial_lib.distortion import distort
from tutorial_lib.footage import Footage, window_indices
from tutorial_lib.metrics import root_relative
from tutorial_lib.skeleton import MIRROR

SOURCES = ("detector", "truth")


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
    shots: torch.Tensor | None = None,
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
        shots: (*shape) which shot each window comes from; drawn at random by default.
        causal: the pose belongs to the last frame of the window, not to its middle.

    Raises:
        ValueError: unknown source, footage without shots, lenses that do not match `shape`.
    """
    if source not in SOURCES:
        raise ValueError(f"source is {source!r}, expected one of {SOURCES}")
    if len(footage) < 1:
        raise ValueError("footage has no shots: select at least one")
    device = footage.pose.device
    if shots is None:
        shots = torch.randint(len(footage), shape, generator=generator)
    centre = torch.randint(footage.pose.shape[1], shape, generator=generator)
    mirrored = (torch.rand(shape, generator=generator) < 0.5).to(device)
    index = window_indices(footage.pose.shape[1], frames, centre, causal)
    if source == "detector":
        plane = footage.detected[shots[..., None], index]
    else:
        plane = to_plane(footage.pose[shots[..., None], index])
    place = footage.pose[shots, centre]
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


def draw_tasks(
    footage: Footage,
    lenses: torch.Tensor,
    frames: int,
    *,
    support: int,
    query: int,
    generator: torch.Generator,
    source: str = "detector",
    one_video: bool = False,
) -> tuple[Windows, Windows]:
    """Support and query sets of one task per lens: the same distortion, other frames.

    Args:
        lenses: (tasks, 5).
        support, query: windows a task.
        one_video: false for scenario 1 (a small but varied recording, tested on other people); true for scenario 2
            (support and query are frames of one and the same shot, because there the test video adapts to itself).

    Returns:
        Two `Windows` with the leading axis tasks.

    Raises:
        ValueError: no lenses, no shots, support or query below 1; otherwise as `draw_windows`.
    """
    if lenses.ndim != 2 or lenses.shape[0] < 1:
        raise ValueError(f"lenses has shape {tuple(lenses.shape)}, expected (tasks >= 1, 5)")
    for name, value in (("support", support), ("query", query)):
        if value < 1:
            raise ValueError(f"{name} is {value}, expected at least 1")
    if len(footage) < 1:
        raise ValueError("footage has no shots: select at least one")
    tasks = len(lenses)
    shots = torch.randint(len(footage), (tasks, 1 if one_video else support + query), generator=generator)
    shots = shots.expand(tasks, support + query)
    drawn = draw_windows(
        footage, lenses, (tasks, support + query), frames, generator=generator, source=source, shots=shots
    )
    return (
        Windows(drawn.keypoints[:, :support], drawn.pose[:, :support]),
        Windows(drawn.keypoints[:, support:], drawn.pose[:, support:]),
    )
