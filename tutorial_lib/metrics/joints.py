"""How far joints are from their true places: the one measure behind every error and every share of this room."""

import torch

from tutorial_lib.skeleton import LEFT, MIRROR, RIGHT, length, pick

LIMBS = (*LEFT[3:], *RIGHT[3:]), (*LEFT[:3], *RIGHT[:3])
"""Arms and legs: their sides are exchanged together, or not at all, where an error is flip-tolerant."""


def distances(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Distance of every joint from its true place, in the unit of the poses: (..., joints).

    Args:
        predicted: (..., joints, 2) or (..., joints, 3).
        target: the same shape.

    Raises:
        ValueError: shapes that differ or do not end in 2 or 3, nothing to measure.
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
    return distances(root_relative(predicted), root_relative(target))


def check_pair(predicted: torch.Tensor, target: torch.Tensor, dims: tuple[int, ...] = (3,)) -> None:
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
