"""PCK: the percentage of correct keypoints, the usual score of a 2D pose; and PCKh of 3D poses.

A joint is correct if it is nearer to the truth than a share of a reference length of the same person: the torso (PCK),
the head (PCKh) or the larger side of the box around the joints. Any unit, as long as all lengths share it.
"""

from collections.abc import Sequence

import torch

from tutorial_lib.metrics.joints import check_tensor, distances, joint_errors
from tutorial_lib.skeleton import JOINTS, check_joints, length

TORSO = (JOINTS.index("left_shoulder"), JOINTS.index("right_hip"))
"""Ends of the reference of `torso_length`, as in the PCK of FLIC: left shoulder to right hip."""

HEAD_SEGMENT = (JOINTS.index("thorax"), JOINTS.index("head"))
"""The head segment (ours), thorax to head top: MPII measures a head box, which a skeleton does not have."""


def torso_length(target: torch.Tensor) -> torch.Tensor:
    """Left shoulder to right hip (...,) of true poses (..., 17, 2 or 3)."""
    return _between(target, TORSO)


def head_length(target: torch.Tensor) -> torch.Tensor:
    """Thorax to head top (...,) of true poses (..., 17, 2 or 3). Short where somebody looks down into the camera."""
    return _between(target, HEAD_SEGMENT)


def box_side(target: torch.Tensor) -> torch.Tensor:
    """The larger side (...,) of the upright box around true poses (..., J, 2): it never collapses to a point."""
    return (target.amax(-2) - target.amin(-2)).amax(-1)


def pck(
    predicted: torch.Tensor,
    target: torch.Tensor,
    reference: torch.Tensor,
    threshold: float = 0.2,
    visible: torch.Tensor | None = None,
) -> torch.Tensor:
    """Share of joints within `threshold` reference lengths of the truth, in [0, 1]: a scalar.

    Args:
        predicted: (..., J, 2).
        target: the same shape.
        reference: (...,) one positive length a person, such as `torso_length(target)`.
        threshold: share of the reference: 0.2 is usual for the torso, 0.5 for the head.
        visible: (..., J) bool; other joints are left out and may hold anything, NaN too. None: all count.

    Raises:
        ValueError: shapes that do not match, nothing visible, a reference or threshold that is not positive, NaN or
            infinity where a joint counts.
    """
    return pck_curve(predicted, target, reference, [threshold], visible)[0]


def pck_curve(
    predicted: torch.Tensor,
    target: torch.Tensor,
    reference: torch.Tensor,
    thresholds: Sequence[float],
    visible: torch.Tensor | None = None,
) -> torch.Tensor:
    """`pck` at several thresholds: (thresholds,), never falling where the thresholds rise."""
    check_tensor(reference, "reference")
    if visible is not None:
        check_tensor(visible, "visible")
    if visible is not None and visible.shape == predicted.shape[:-1] == target.shape[:-1]:
        predicted, target = (torch.where(visible.bool()[..., None], points, 0) for points in (predicted, target))
    distance = distances(predicted, target)
    if reference.shape != distance.shape[:-1]:
        raise ValueError(f"reference has shape {tuple(reference.shape)}, expected {tuple(distance.shape[:-1])}")
    visible = torch.ones_like(distance, dtype=torch.bool) if visible is None else visible.bool()
    if visible.shape != distance.shape or not visible.any():
        raise ValueError(f"visible has shape {tuple(visible.shape)}, expected {tuple(distance.shape)}, not all False")
    asked = reference[visible.any(-1)]  # a person of whom nothing counts needs no reference
    if not ((asked > 0) & asked.isfinite()).all() or not all(t > 0 for t in thresholds) or not len(thresholds):
        raise ValueError(
            f"smallest reference {asked.min().item():g}, thresholds {list(thresholds)}: expected positive numbers"
        )
    share = (distance / reference[..., None])[visible]
    limits = torch.as_tensor(thresholds, dtype=share.dtype, device=share.device)
    return (share <= limits[:, None]).to(share.dtype).mean(-1)


def pckh(predicted: torch.Tensor, target: torch.Tensor, threshold: float = 0.5) -> torch.Tensor:
    """Share of joints that are nearer to the truth than `threshold` head segments, in [0, 1].

    The head segment is that of the true pose, frame by frame; errors are root-relative and 3D. The root counts as a
    joint, as in MPJPE.

    Args:
        predicted: (..., 17, 3).
        target: the same shape and frame.
        threshold: share of the head segment.

    Raises:
        ValueError: threshold that is not positive, joints other than 17; otherwise as `mpjpe`.
    """
    if not threshold > 0:
        raise ValueError(f"threshold is {threshold}, expected a positive share of the head segment, e.g. 0.5")
    errors = joint_errors(predicted, target)
    if target.shape[-2] != len(JOINTS):
        raise ValueError(f"target has {target.shape[-2]} joints, expected {len(JOINTS)}: the head must be known")
    return (errors <= threshold * head_length(target)[..., None]).to(errors.dtype).mean()


def _between(target: torch.Tensor, ends: tuple[int, int]) -> torch.Tensor:
    check_joints(target, 3 if target.shape[-1] == 3 else 2, "target")
    return length(target[..., ends[0], :] - target[..., ends[1], :])
