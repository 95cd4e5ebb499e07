"""How wrong is a pose? Errors of 3D poses, shares of correct keypoints, tables by action."""

from tutorial_lib.metrics.pose import (
    HEAD_SEGMENT,
    align,
    joint_errors,
    mpjpe,
    n_mpjpe,
    p_mpjpe,
    pckh,
    root_relative,
    velocity_error,
)
from tutorial_lib.metrics.score import Score, pose_score

__all__ = [
    "HEAD_SEGMENT", "Score", "align", "joint_errors", "mpjpe", "n_mpjpe", "p_mpjpe", "pckh", "pose_score",
    "root_relative", "velocity_error",
]  # fmt: skip
