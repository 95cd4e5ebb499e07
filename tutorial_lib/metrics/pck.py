"""PCK: the percentage of correct keypoints, the usual score of a 2D pose.

A joint is correct if it is nearer to the truth than a share of a reference length of the same person: the torso (PCK),
the head (PCKh) or the larger side of the box around the joints. Any unit, as long as all lengths share it.
"""

from collections.abc import Sequence

import torch

from tutorial_lib.skeleton import JOINTS, check_joints

TORSO = (JOINTS.index("left_shoulder"), JOINTS.index("right_hip"))
"""Ends of the reference of `torso_length`, as in the PCK of FLIC: left shoulder to right hip."""

HEAD = (JOINTS.index("thorax"), JOINTS.index("head"))
"""Ends of the reference of `head_length` (ours): MPII measures a head box, which a skeleton does not have."""


def torso_length(target: torch.Tensor) -> torch.Tensor:
    """Left shoulder to right hip (...,) of true poses (..., 17, 2)."""
    return _between(target, TORSO)


def head_length(target: torch.Tensor) -> torch.Tensor:
    """Thorax to head top (...,) of true poses (..., 17, 2). Short when somebody looks down into the camera."""
    return _between(target, HEAD)


def box_side(target: torch.Tensor) -> torch.Tensor:
    """The larger side (...,) of the upright box around true poses (..., J, 2): it never collapses to a point."""
    return (target.amax(-2) - target.amin(-2)).amax(-1)


def errors(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Distance (..., J) of every joint (..., J, 2) from its true place.

    Raises:
        ValueError: shapes that differ or do not end in 2.
    """
    if predicted.shape != target.shape or predicted.ndim < 2 or predicted.shape[-1] != 2:
        raise ValueError(
            f"predicted {tuple(predicted.shape)} and target {tuple(target.shape)}: expected the same (..., J, 2)"
        )
    return torch.linalg.vector_norm(predicted - target, dim=-1)


def pck(
    predicted: torch.Tensor, target: torch.Tensor, reference: torch.Tensor, threshold: float = 0.2, visible=None
) -> torch.Tensor:
    """Share of joints within `threshold` reference lengths of the truth, in [0, 1]: a scalar.

    Args:
        predicted, target: (..., J, 2).
        reference: (...,) one positive length a person, such as `torso_length(target)`.
        threshold: share of the reference: 0.2 is usual for the torso, 0.5 for the head.
        visible: (..., J) bool; other joints are left out. None: all count.

    Raises:
        ValueError: shapes that do not match, nothing visible, a reference or threshold that is not positive.
    """
    return pck_curve(predicted, target, reference, [threshold], visible)[0]


def pck_curve(
    predicted: torch.Tensor, target: torch.Tensor, reference: torch.Tensor, thresholds: Sequence[float], visible=None
) -> torch.Tensor:
    """`pck` at several thresholds: (thresholds,), never falling where the thresholds rise."""
    distance = errors(predicted, target)
    if reference.shape != distance.shape[:-1]:
        raise ValueError(f"reference has shape {tuple(reference.shape)}, expected {tuple(distance.shape[:-1])}")
    if not (reference > 0).all() or not all(t > 0 for t in thresholds) or not len(thresholds):
        raise ValueError(
            f"smallest reference {reference.min().item():g}, thresholds {list(thresholds)}: expected positive numbers"
        )
    visible = torch.ones_like(distance, dtype=torch.bool) if visible is None else visible.bool()
    if visible.shape != distance.shape or not visible.any():
        raise ValueError(f"visible has shape {tuple(visible.shape)}, expected {tuple(distance.shape)}, not all False")
    share = (distance / reference[..., None])[visible]
    limits = torch.as_tensor(thresholds, dtype=share.dtype, device=share.device)
    return (share <= limits[:, None]).to(share.dtype).mean(-1)


def _between(target: torch.Tensor, ends: tuple[int, int]) -> torch.Tensor:
    check_joints(target, 2, "target")
    return torch.linalg.vector_norm(target[..., ends[0], :] - target[..., ends[1], :], dim=-1)
