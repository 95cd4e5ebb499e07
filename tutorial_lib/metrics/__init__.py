"""How wrong is a pose? Distances of joints, errors of 3D poses, shares of correct keypoints, means by action."""

from tutorial_lib.metrics.joints import distances, joint_errors, mpjpe_loss, root_relative, tolerant_distances
from tutorial_lib.metrics.pck import HEAD_SEGMENT, pckh
from tutorial_lib.metrics.pose import align, mpjpe, n_mpjpe, p_mpjpe, velocity_error
from tutorial_lib.metrics.score import Score, pose_score

__all__ = [
    "HEAD_SEGMENT", "Score", "align", "distances", "joint_errors", "mpjpe_loss", "mpjpe", "n_mpjpe", "p_mpjpe", "pckh",
    "pose_score", "root_relative", "tolerant_distances", "velocity_error",
]  # fmt: skip
