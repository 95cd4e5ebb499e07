"""Lifting whole videos at test time, as they are or averaged with their mirror image."""

import torch

from tutorial_lib.datasets.videos import Video
from tutorial_lib.lifting.protocol import Lifter
from tutorial_lib.metrics import root_relative
from tutorial_lib.skeleton import flip


def lift_flipped_average(model: Lifter, keypoints: torch.Tensor, chunk: int | None = None) -> torch.Tensor:
    """Test-time augmentation: the mean of what a lifter says about a clip and, flipped back, about its mirror image.

    The result commutes with `flip`, whatever the weights.

    Args:
        model: a lifter with `lift`, such as `TemporalLifter`.
        keypoints: (..., T, 17, 2) screen coordinates.
        chunk: as in the lifter's `lift`.

    Returns:
        (..., T, 17, 3) metres, root-relative, camera axes.
    """
    return (model.lift(keypoints, chunk) + flip(model.lift(flip(keypoints), chunk))) / 2


@torch.no_grad()
def lift_videos(model: Lifter, taken: list[Video]) -> list[tuple[str, torch.Tensor, torch.Tensor]]:
    """Lift whole videos.

    Returns:
        (action, predicted, truth) of each video, poses (T, 17, 3) in metres, root-relative, camera axes: what
        `metrics.by_action.per_action` takes.
    """
    model.eval()
    return [(v.action, root_relative(model.lift(v.keypoints)), root_relative(v.pose)) for v in taken]
