"""The three numbers that a 3D pose is judged by in this course."""

from dataclasses import dataclass

import torch

from tutorial_lib.metrics.joints import check_pair
from tutorial_lib.metrics.pck import pckh
from tutorial_lib.metrics.pose import mpjpe, p_mpjpe


@dataclass(frozen=True)
class Score:
    """How wrong the poses of a test are.

    Attributes:
        mpjpe: mean joint error, root-relative, in millimetres.
        p_mpjpe: mean joint error after the best similarity of each pose, in millimetres.
        pckh: joints within half a head segment of the truth, in 3D, in per cent.
    """

    mpjpe: float
    p_mpjpe: float
    pckh: float


def pose_score(predicted: torch.Tensor, truth: torch.Tensor) -> Score:
    """All three metrics of poses (..., 17, 3) in metres, root-relative or not; refuses what they refuse."""
    check_pair(predicted, truth, truth="truth")
    return Score(
        1000 * mpjpe(predicted, truth).item(),
        1000 * p_mpjpe(predicted, truth).item(),
        100 * pckh(predicted, truth).item(),
    )
