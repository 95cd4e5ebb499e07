"""A lifter that looks at nothing, as a measure of the others: it always answers with the mean pose."""

from functools import cache

import torch
from torch import nn

from tutorial_lib.datasets.footage import capture_clips
from tutorial_lib.datasets.splits import TRAIN_SEED, TRAINED_ACTIONS
from tutorial_lib.lifting.protocol import check_keypoints
from tutorial_lib.metrics import root_relative
from tutorial_lib.motion import builtin
from tutorial_lib.skeleton import JOINTS, Layout


@cache
def mean_pose(people: int = 4, clips: int = 96) -> torch.Tensor:
    """The mean root-relative pose of training people before random cameras: (17, 3) metres, camera axes.

    Args:
        people: how many of those who were trained on.
        clips: pieces of them, each before a camera of its own.
    """
    motion = builtin(TRAIN_SEED, people, TRAINED_ACTIONS, 100)
    footage = capture_clips(motion, torch.Generator().manual_seed(TRAIN_SEED), limit=clips)
    return root_relative(footage.pose).mean((0, 1))


class MeanPose(nn.Module):
    """Answers every frame with `mean_pose`, whatever the keypoints are: a `Lifter` that does not look."""

    frames, causal, joints, outputs, root_relative = 1, False, len(JOINTS), len(JOINTS), True
    layout: Layout = "human36m"

    def __init__(self) -> None:
        super().__init__()
        self.pose = nn.Parameter(mean_pose().clone(), requires_grad=False)

    def forward(self, keypoints: torch.Tensor) -> torch.Tensor:
        """(..., T, 17, 2) to (..., T, 17, 3) metres: the same pose for all.

        Raises:
            ValueError: what is no keypoints.
        """
        check_keypoints(keypoints, self.joints, self.pose)
        return self.pose.expand(*keypoints.shape[:-1], 3)

    def windows(self, keypoints: torch.Tensor) -> torch.Tensor:
        """(..., 1, 17, 2) to (..., 17, 3)."""
        return self(keypoints)[..., 0, :, :]

    def lift(self, keypoints: torch.Tensor, chunk: int | None = None) -> torch.Tensor:
        """As a call; `chunk` is not needed."""
        return self(keypoints)
