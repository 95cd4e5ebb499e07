"""How far found joints are from the true ones, in per cent of the width, as papers on templates count it."""

import torch

from tutorial_lib.skeleton import LEFT, MIRROR, RIGHT
from tutorial_lib.templates.skeletons import COVERED

BODY_PARTS = {"hips": (1, 4), "knees": (2, 5), "feet": (3, 6), "shoulders": (11, 14), "hands": (13, 16)}
"""Columns of the paper's tables -> joints."""

LIMBS = (*LEFT[3:], *RIGHT[3:]), (*LEFT[:3], *RIGHT[:3])
"""Arms and legs: their sides are exchanged together, or not at all, where an error is flip-tolerant."""


def joint_errors(found: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Distance of joints (..., 17, 2) in % of the width of the image: (..., 17). The paper's %-MSE is their mean."""
    return 50 * torch.linalg.vector_norm(found - truth, dim=-1)


def tolerant_errors(found: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """As `joint_errors`, but the two arms, and the two legs, may have been exchanged: what fits better counts."""
    errors, swapped = joint_errors(found, truth), joint_errors(found[..., list(MIRROR), :], truth)
    errors = errors.clone()
    for limb in map(list, LIMBS):
        better = swapped[..., limb].mean(-1, keepdim=True) < errors[..., limb].mean(-1, keepdim=True)
        errors[..., limb] = torch.where(better, swapped[..., limb], errors[..., limb])
    return errors


def measured(found: torch.Tensor, truth: torch.Tensor) -> dict[str, float]:
    """Mean errors in %: all 15 joints that anchors define, those of `BODY_PARTS`, and flip-tolerant."""
    errors = joint_errors(found, truth)
    result = {"all": errors[..., list(COVERED)].mean().item()}
    result |= {name: errors[..., list(joints)].mean().item() for name, joints in BODY_PARTS.items()}
    return result | {"flip-tolerant": tolerant_errors(found, truth)[..., list(COVERED)].mean().item()}
