"""The three numbers that a 3D pose is judged by in this course."""

from dataclasses import dataclass

import torch

from tutorial_lib.metrics.pose import mpjpe, p_mpjpe, pckh


@dataclass(frozen=True)
class Score:
    """Errors over a test: `mpjpe` and `p_mpjpe` in millimetres, `pckh` (3D, at half a head segment) in per cent."""

    mpjpe: float
    p_mpjpe: float
    pckh: float


def pose_score(predicted: torch.Tensor, truth: torch.Tensor) -> Score:
    """All three metrics of root-relative poses (..., 17, 3) in metres."""
    return Score(
        1000 * mpjpe(predicted, truth).item(),
        1000 * p_mpjpe(predicted, truth).item(),
        100 * pckh(predicted, truth).item(),
    )
