"""How far found joints are from the true ones, in per cent of the width, as papers on templates count it."""

import torch

from tutorial_lib.metrics import distances, tolerant_distances
from tutorial_lib.templates.skeletons import COVERED

BODY_PARTS = {"hips": (1, 4), "knees": (2, 5), "feet": (3, 6), "shoulders": (11, 14), "hands": (13, 16)}
"""Columns of the paper's tables -> joints."""

PER_CENT = 50
"""Of the width of the image, in one unit of screen coordinates."""


def measured(found: torch.Tensor, truth: torch.Tensor) -> dict[str, float]:
    """Mean errors in %: all 15 joints that anchors define, those of `BODY_PARTS`, and flip-tolerant.

    The paper's %-MSE is "all".

    Args:
        found: (..., 17, 2) screen coordinates.
        truth: the same shape.
    """
    plain, tolerant = PER_CENT * distances(found, truth), PER_CENT * tolerant_distances(found, truth)
    result = {"all": plain[..., list(COVERED)].mean().item()}
    result |= {name: plain[..., list(joints)].mean().item() for name, joints in BODY_PARTS.items()}
    return result | {"flip-tolerant": tolerant[..., list(COVERED)].mean().item()}
