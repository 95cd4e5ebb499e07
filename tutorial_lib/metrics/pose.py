"""How wrong a 3D pose is. Metres in, metres out; joints as `skeleton.JOINTS`; batched and differentiable."""

import torch

from tutorial_lib.metrics.joints import check_pair, joint_errors, root_relative
from tutorial_lib.metrics.procrustes import best_rotation
from tutorial_lib.skeleton import length


def mpjpe(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean per-joint position error, root-relative (protocol 1): a scalar in metres.

    Args:
        predicted: (..., joints, 3) metres.
        target: the same shape and frame.

    Raises:
        ValueError: shapes that differ, nothing to average, whole numbers; NaN or infinity, with the first frame and
            joint. `mpjpe_loss` is for training.
    """
    return joint_errors(predicted, target).mean()


def align(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The similarity (rotation, scale, translation; no reflection) that brings `predicted` closest to `target`.

    Degenerate poses are defined: where all predicted joints coincide, the result is the target's centre; where they
    lie on a line or in a plane, one of the equally good rotations is taken.

    Args:
        predicted: (..., joints, 3).
        target: the same shape.

    Returns:
        (..., joints, 3) the aligned prediction.

    Source: orthogonal Procrustes; VideoPose3D `p_mpjpe` uses the same definition.
    """
    check_pair(predicted, target)
    dtype = torch.promote_types(predicted.dtype, target.dtype)
    predicted, target = predicted.to(dtype), target.to(dtype)
    centre = target.mean(dim=-2, keepdim=True)
    x, y = predicted - predicted.mean(dim=-2, keepdim=True), target - centre
    turned = x @ best_rotation(x, y)
    size = (x * x).sum(dim=(-1, -2), keepdim=True)
    scale = (turned * y).sum(dim=(-1, -2), keepdim=True) / size.clamp_min(_smallest(size))
    return torch.addcmul(centre, scale.clamp_min(0), turned)


def p_mpjpe(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """MPJPE after a similarity alignment of every pose (protocol 2): a scalar in metres; else as `mpjpe`."""
    return length(align(predicted, target) - target).mean()


def n_mpjpe(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """MPJPE after the best scaling of every root-relative pose (protocol 3): a scalar in metres; else as `mpjpe`."""
    check_pair(predicted, target)
    x, y = root_relative(predicted), root_relative(target)
    size = (x * x).sum(dim=(-1, -2), keepdim=True)
    scale = (x * y).sum(dim=(-1, -2), keepdim=True) / size.clamp_min(_smallest(size))
    return length(scale * x - y).mean()


def velocity_error(predicted: torch.Tensor, target: torch.Tensor, fps: float = 1.0) -> torch.Tensor:
    """Mean norm of the difference of first differences along time: metres per frame (times `fps`: per second).

    Args:
        predicted: (..., frames, joints, 3). Time is axis -3; clips are never joined.
        target: the same shape and frame.
        fps: frames a second; 1 leaves metres per frame.

    Raises:
        ValueError: fewer than two frames, fps that is not positive; otherwise as `mpjpe`.
    """
    check_pair(predicted, target)
    if not 0 < fps < float("inf"):
        raise ValueError(f"fps is {fps}, expected a positive number of frames a second, e.g. 50")
    if predicted.ndim < 3 or predicted.shape[-3] < 2:
        raise ValueError(f"predicted has shape {tuple(predicted.shape)}, expected (..., frames >= 2, joints, 3)")
    change = root_relative(predicted - target).diff(dim=-3)
    return length(change).mean() * fps


def _smallest(size: torch.Tensor) -> float:
    """What a sum of squares is at least divided by, where all joints coincide; 1e-12 is 0 in float16."""
    return max(1e-12, torch.finfo(size.dtype).tiny)
