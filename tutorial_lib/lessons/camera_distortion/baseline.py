"""A lifter that looks at nothing, as a measure of the others: it always answers with the mean pose."""

from functools import cache

import torch

from tutorial_lib.datasets.footage import capture_clips
from tutorial_lib.datasets.splits import TRAIN_SEED, TRAINED_ACTIONS
from tutorial_lib.metrics import root_relative
from tutorial_lib.motion import builtin


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
