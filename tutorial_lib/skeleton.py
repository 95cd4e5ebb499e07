"""The 17-joint body that every lesson shares (Human3.6M order, as VideoPose3D uses it)."""

from collections.abc import Iterable
from functools import cache
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch.autograd.forward_ad import unpack_dual
from torch.func import debug_unwrap

Layout = Literal["human36m", "coco"]
"""Order of 17 keypoints: the course's (`JOINTS`), or COCO's (`keypoint_files.coco.KEYPOINTS`). Poses have the first."""

JOINTS = (
    "hip", "right_hip", "right_knee", "right_foot", "left_hip", "left_knee", "left_foot",
    "spine", "thorax", "neck", "head",
    "left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow", "right_wrist",
)  # fmt: skip
PARENTS = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15)
LEFT = (4, 5, 6, 11, 12, 13)
RIGHT = (1, 2, 3, 14, 15, 16)
BONES = tuple((parent, joint) for joint, parent in enumerate(PARENTS) if parent >= 0)

_MIRROR = {joint: joint for joint in range(len(JOINTS))} | dict(zip(LEFT, RIGHT)) | dict(zip(RIGHT, LEFT))
MIRROR = tuple(_MIRROR[joint] for joint in range(len(JOINTS)))
"""Joint index after exchanging left and right; an involution."""
MIRRORS: dict[Layout, tuple[int, ...]] = {
    "human36m": MIRROR,
    "coco": (0, *(joint + 1 if joint % 2 else joint - 1 for joint in range(1, 17))),
}
"""The same for every layout: COCO's sides follow one another, left eye, right eye, left ear, ..."""

_BONE_OF_CHILD = {child: index for index, (_, child) in enumerate(BONES)}
SYMMETRIC_BONES = tuple((_BONE_OF_CHILD[left], _BONE_OF_CHILD[right]) for left, right in zip(LEFT, RIGHT))
"""Pairs (left, right) of indices into `BONES` that have the same length in one person."""


def check_joints(pose: torch.Tensor | np.ndarray, dims: int, argument: str) -> None:
    """Refuse a tensor that does not end in (17, dims).

    Raises:
        ValueError: names the argument, its shape, and what was expected.
    """
    if pose.ndim < 2 or pose.shape[-2] != len(JOINTS) or pose.shape[-1] != dims:
        raise ValueError(
            f"{argument} has shape {tuple(pose.shape)}, expected (..., {len(JOINTS)}, {dims}): "
            f"the joints of skeleton.JOINTS, then {dims} coordinates"
        )


def check_layout(layout: Any, argument: str = "layout") -> Layout:
    """The layout, if it is one.

    Raises:
        ValueError: it is none.
    """
    if layout not in get_args(Layout):
        raise ValueError(f"{argument} is {layout!r}, expected one of {', '.join(get_args(Layout))}")
    return layout


def length(vector: torch.Tensor) -> torch.Tensor:
    """Euclidean length along the last axis, with derivatives of every order that are zero, not NaN, at zero.

    MPJPE needs this: the root's error is exactly zero, and MAML differentiates it twice.
    """
    if not differentiated(vector):
        return _length_of(vector.unbind(-1))
    square = (vector * vector).sum(-1)
    zero = square == 0
    return torch.where(zero, 0.0, torch.sqrt(torch.where(zero, 1.0, square)))


def root_relative_length(vector: torch.Tensor) -> torch.Tensor:
    """As `length`, of what vectors (..., joints, coordinates) have beyond that of joint 0: (..., joints)."""
    if differentiated(vector):
        return length(vector - vector[..., :1, :])
    return _length_of(column - column[..., :1] for column in vector.unbind(-1))


def _length_of(columns: Iterable[torch.Tensor]) -> torch.Tensor:
    """Coordinate by coordinate: loops along an axis of 3 cost more than its numbers. 10,000 poses: 0.6, not 1.4 ms."""
    columns = iter(columns)
    square = next(columns).square()
    for column in columns:
        square.addcmul_(column, column)
    return square.sqrt_()


def differentiated(values: torch.Tensor) -> bool:
    """Whether a derivative can be asked for: backwards, forwards or through a transform of `torch.func`."""
    if not torch.is_grad_enabled():
        return False
    return values.requires_grad or debug_unwrap(values) is not values or unpack_dual(values).tangent is not None


def pick(values: torch.Tensor, numbers: tuple[int, ...], dim: int) -> torch.Tensor:
    """Joints or bones by number, in this order: `values[..., numbers]` at axis `dim`, copied run by run.

    Indexing with a list of numbers sends it to the GPU and waits there, at every call; a CUDA graph cannot hold that.
    """
    return torch.cat([values.narrow(dim, first, count) for first, count in _runs(numbers)], dim)


@cache
def _runs(numbers: tuple[int, ...]) -> list[tuple[int, int]]:
    """Neighbours that follow one another, as (first, count)."""
    starts = [i for i, number in enumerate(numbers) if i == 0 or number != numbers[i - 1] + 1]
    return [(numbers[i], end - i) for i, end in zip(starts, [*starts[1:], len(numbers)])]


def flip(points: torch.Tensor, layout: Layout = "human36m") -> torch.Tensor:
    """The mirror image of keypoints or poses: x changes its sign, left and right joints change places.

    Twice is nothing: flip(flip(points)) == points.

    Args:
        points: (..., 17, 2) screen coordinates, (..., 17, 3) camera axes, or a root alone with 1 in place of 17. The
            principal point must be at x = 0; otherwise mirror about it.
        layout: of the keypoints: it says which of them are pairs.

    Raises:
        ValueError: joints other than 17 or 1, coordinates other than 2 or 3, an unknown layout.
    """
    if points.ndim < 2 or points.shape[-2] not in (1, len(JOINTS)) or points.shape[-1] not in (2, 3):
        expected = f"(..., {len(JOINTS)}, 2 or 3), or (..., 1, 2 or 3) for a root alone"
        raise ValueError(f"points has shape {tuple(points.shape)}, expected {expected}")
    signs = points.new_ones(points.shape[-1])
    signs[0] = -1
    mirrored = points * signs
    return mirrored[..., list(MIRRORS[check_layout(layout)]), :] if points.shape[-2] > 1 else mirrored


def bone_lengths(pose: torch.Tensor) -> torch.Tensor:
    """Length of each bone of `BONES`, in the unit of `pose`.

    Args:
        pose: (..., 17, 3) joint positions in any frame.

    Returns:
        (..., 16) lengths. The gradient at a bone of length zero is zero, not NaN.

    Raises:
        ValueError: if `pose` does not end in (17, 3).
    """
    check_joints(pose, 3, "pose")
    parents, children = zip(*BONES)
    return length(pick(pose, children, -2) - pick(pose, parents, -2))
