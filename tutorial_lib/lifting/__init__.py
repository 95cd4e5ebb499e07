"""Lifting: 2D keypoints over time to 3D poses. Lesson 04's idea; stands on `datasets` and the ground."""

from tutorial_lib.lifting.inference import (
    lift_flipped_average,
    lift_resampled,
    lift_track,
    lift_videos,
    training_frames,
)
from tutorial_lib.lifting.protocol import Lifter
from tutorial_lib.lifting.single_frame import SingleFrameLifter
from tutorial_lib.lifting.temporal import (
    TemporalLifter,
    WindowForm,
    count_parameters,
    flops_per_frame,
    in_chunks,
    pad_edges,
    receptive_levels,
)

__all__ = [
    "Lifter",
    "SingleFrameLifter",
    "TemporalLifter",
    "WindowForm",
    "count_parameters",
    "flops_per_frame",
    "in_chunks",
    "lift_flipped_average",
    "lift_resampled",
    "lift_track",
    "lift_videos",
    "pad_edges",
    "receptive_levels",
    "training_frames",
]
