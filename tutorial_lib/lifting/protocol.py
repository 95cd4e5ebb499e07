"""What every lifter can do, whatever is inside: the face that demos, tests and adaptation rely on.

And what every lifter refuses, in the same words (`check_keypoints`).
"""

from collections.abc import Iterator
from typing import Any, Protocol, Self

import torch
from torch import nn

from tutorial_lib.metrics.joints import check_tensor
from tutorial_lib.skeleton import JOINTS, Layout, check_layout


def check_keypoints(keypoints: torch.Tensor, joints: int, weight: torch.Tensor) -> None:
    """Refuse keypoints that a lifter cannot take.

    Args:
        keypoints: expected to be (..., T >= 1, joints, 2) and like the weight.
        joints: of the lifter.
        weight: one of its parameters.

    Raises:
        ValueError: another shape, no frame, another dtype or device than the weights.
    """
    check_tensor(keypoints, "keypoints")
    if keypoints.ndim < 3 or keypoints.shape[-2:] != (joints, 2):
        raise ValueError(f"keypoints has shape {tuple(keypoints.shape)}, expected (..., T, {joints}, 2)")
    if keypoints.shape[-3] == 0:
        raise ValueError(f"keypoints has shape {tuple(keypoints.shape)}: 0 frames, expected at least 1")
    mixed = torch.is_autocast_enabled(keypoints.device.type) and keypoints.is_floating_point()
    if keypoints.dtype != weight.dtype and not mixed:
        raise ValueError(
            f"keypoints is {keypoints.dtype}, the lifter's weights are {weight.dtype}: convert one of them, "
            f"such as keypoints.to({weight.dtype})"
        )
    if keypoints.device != weight.device:
        raise ValueError(f"keypoints is on {keypoints.device}, the lifter on {weight.device}: move one with .to()")


def layout_of(layout: Any, joints: int) -> Layout:
    """The layout of a lifter's keypoints, if it can have it.

    Raises:
        ValueError: an unknown one; COCO's with another number of joints.
    """
    if check_layout(layout) == "coco" and joints != len(JOINTS):
        raise ValueError(f"layout is 'coco' and joints is {joints}, expected {len(JOINTS)}: COCO's keypoints")
    return layout


def need_layout(model: "Lifter", layout: Layout, source: str) -> None:
    """Refuse keypoints whose joints are not those that the lifter was trained on: it would be silently wrong.

    Args:
        model: a lifter.
        layout: of the keypoints.
        source: what has them, for the message.

    Raises:
        ValueError: the layouts differ.
    """
    if model.layout != layout:
        raise ValueError(
            f"{source} has the layout {layout!r}, but the lifter was trained on {model.layout!r}: load the keypoints "
            f"with layout={model.layout!r}, or take another lifter"
        )


class Lifter(Protocol):
    """A network from 2D keypoints to 3D poses, such as `TemporalLifter` or `SingleFrameLifter`.

    Attributes:
        frames: receptive field F.
        causal: whether a pose belongs to the last frame of its field, not to the middle.
        joints: J, that come in.
        layout: of the joints that come in; those that go out are always `skeleton.JOINTS`.
        outputs: how many joints go out.
        root_relative: whether joint 0 of every pose is exactly at the origin.
        training: as every module has it.
    """

    frames: int
    causal: bool
    joints: int
    layout: Layout
    outputs: int
    root_relative: bool
    training: bool

    def __call__(self, keypoints: torch.Tensor) -> torch.Tensor:
        """(..., T, J, 2) screen coordinates to (..., T - F + 1, outputs, 3) metres, camera axes."""

    def windows(self, keypoints: torch.Tensor) -> torch.Tensor:
        """(..., F, J, 2) to (..., outputs, 3): one pose a window."""

    def lift(self, keypoints: torch.Tensor, chunk: int | None = None) -> torch.Tensor:
        """(..., T, J, 2) to (..., T, outputs, 3): whole clips."""

    # What is used of nn.Module.
    def eval(self) -> Self: ...
    def requires_grad_(self, requires_grad: bool = True) -> Self: ...
    def modules(self) -> Iterator[nn.Module]: ...
    def double(self) -> Self: ...
    def parameters(self) -> Iterator[nn.Parameter]: ...
