"""How far joints are from their true places: the one measure behind every error and every share of this room.

Whatever a measure is, it refuses the same poses with the same words (`check_pair`): NaN in a mean is NaN without a
place, and in a share of correct joints it would pass for a miss.
"""

import math

import torch
from torch.func import debug_unwrap

from tutorial_lib.skeleton import JOINTS, LEFT, MIRROR, RIGHT, length, pick, root_relative_length

LIMBS = (*LEFT[3:], *RIGHT[3:]), (*LEFT[:3], *RIGHT[:3])
"""Arms and legs: their sides are exchanged together, or not at all, where an error is flip-tolerant."""


def distances(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Distance of every joint from its true place, in the unit of the poses: (..., joints).

    Args:
        predicted: (..., joints, 2) or (..., joints, 3).
        target: the same shape.

    Raises:
        ValueError: shapes that differ or do not end in 2 or 3, nothing to measure, NaN or infinity, whole numbers.
    """
    check_pair(predicted, target, (2, 3))
    return length(predicted - target)


def tolerant_distances(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """As `distances`, but the two arms, and the two legs, may have been exchanged: what fits better counts."""
    plain, swapped = distances(predicted, target), distances(pick(predicted, MIRROR, -2), target)
    result = plain.clone()
    for limb in map(list, LIMBS):
        better = swapped[..., limb].mean(-1, keepdim=True) < plain[..., limb].mean(-1, keepdim=True)
        result[..., limb] = torch.where(better, swapped[..., limb], plain[..., limb])
    return result


def root_relative(pose: torch.Tensor) -> torch.Tensor:
    """Positions relative to joint 0: (..., joints, 3)."""
    return pose - pose[..., :1, :]


def joint_errors(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Distance of every joint (..., joints, 3) from the truth, both root-relative: (..., joints)."""
    check_pair(predicted, target)
    return root_relative_length(predicted - target)


def mpjpe_loss(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """`mpjpe` to train with: the same number and gradient, but no value is looked at, so that nothing waits for it.

    NaN comes out as NaN: `fit` and `adapt` say at which step.
    """
    check_shapes(predicted, target)
    return root_relative_length(predicted - target).mean()


def check_shapes(predicted: torch.Tensor, target: torch.Tensor, dims: tuple[int, ...] = (3,)) -> None:
    """Refuse shapes that differ, joints whose number of coordinates is none of `dims`, and what has no mean."""
    if predicted.shape != target.shape:
        raise ValueError(
            f"predicted {tuple(predicted.shape)} and target {tuple(target.shape)} differ: broadcast them yourself, "
            "a silent broadcast would average over the wrong pairs"
        )
    if predicted.ndim < 2 or predicted.shape[-1] not in dims:
        expected = " or ".join(map(str, dims))
        raise ValueError(f"predicted has shape {tuple(predicted.shape)}, expected (..., joints, {expected})")
    if predicted.numel() == 0:
        raise ValueError(f"predicted has shape {tuple(predicted.shape)}: there is nothing to average")


def check_pair(
    predicted: torch.Tensor, target: torch.Tensor, dims: tuple[int, ...] = (3,), truth: str = "target"
) -> None:
    """Refuse what no measure of this room takes: `check_shapes`, whole numbers, two devices, NaN and infinity.

    Args:
        predicted: (..., joints, coordinates).
        target: the same shape; float64 beside float32 is fine.
        dims: numbers of coordinates that are allowed.
        truth: what the caller calls `target`.
    """
    for argument, pose in (("predicted", predicted), (truth, target)):
        check_tensor(pose, argument)
        if not pose.is_floating_point():
            raise ValueError(f"{argument} is {pose.dtype}, expected floating point: convert it with .float()")
    check_shapes(predicted, target, dims)
    if predicted.device != target.device:
        raise ValueError(f"predicted is on {predicted.device}, {truth} on {target.device}: move one of them with .to()")
    check_finite(predicted, "predicted", "did the training diverge?")
    check_finite(target, truth, "leave frames without a truth out")


def check_tensor(value: object, argument: str) -> None:
    """Refuse NumPy's arrays, lists and numbers."""
    if not isinstance(value, torch.Tensor):
        raise ValueError(f"{argument} is a {type(value).__name__}, expected a tensor: torch.as_tensor makes one")


def check_finite(pose: torch.Tensor, argument: str, remedy: str) -> None:
    """Refuse poses (..., joints, coordinates) with NaN or infinity, and name the first frame and joint.

    Where a value cannot be asked, NaN passes through: inside `vmap` and `grad`, on the meta device, while PyTorch
    compiles or CUDA captures.
    """
    if pose.is_meta or debug_unwrap(pose) is not pose or torch.compiler.is_compiling():
        return
    if pose.is_cuda and torch.cuda.is_current_stream_capturing():
        return
    if math.isfinite(pose.detach().sum().item()):  # 20 times as fast as a look at every number
        return
    finite = torch.isfinite(pose)
    if finite.all():  # the sum was too large for its dtype
        return
    *frame, joint, axis = (int(i) for i in (~finite).nonzero()[0])
    name = f" ({JOINTS[joint]})" if pose.shape[-2] == len(JOINTS) else ""
    place = f"frame {frame[0] if len(frame) == 1 else tuple(frame)}, " if frame else ""
    lost = int((~finite).any(-1).sum())
    raise ValueError(
        f"{argument} holds {pose[(*frame, joint, axis)].item()} at {place}joint {joint}{name}, and at {lost} of "
        f"{pose.numel() // pose.shape[-1]} joints in all, expected finite coordinates: {remedy}"
    )
