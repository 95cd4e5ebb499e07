"""Lifting whole videos at test time: as they are, at the rate of the training, averaged with their mirror image."""

import math

import torch

from tutorial_lib.datasets.splits import FPS
from tutorial_lib.datasets.videos import Video
from tutorial_lib.lifting.protocol import Lifter
from tutorial_lib.metrics import root_relative
from tutorial_lib.metrics.joints import check_tensor
from tutorial_lib.motion.validation import check_fps
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


def lift_resampled(model: Lifter, keypoints: torch.Tensor, fps: float, chunk: int | None = None) -> torch.Tensor:
    """Lift a clip of any frame rate: at the rate that the lifters were trained at, on straight lines between frames.

    A walk filmed at 10 frames a second is a run to a network that has only seen 50.

    Args:
        model: a lifter with `lift`, such as `TemporalLifter`.
        keypoints: (..., T, 17, 2) screen coordinates.
        fps: their frames per second.
        chunk: as in the lifter's `lift`.

    Returns:
        (..., T, 17, 3) metres, camera axes: the poses of the clip's own frames.

    Raises:
        ValueError: keypoints that are not floating (..., T >= 1, J, 2); if fps is no rate, see
            `motion.validation.check_fps`.
    """
    check_tensor(keypoints, "keypoints")
    if keypoints.ndim < 3 or not keypoints.shape[-3] or not keypoints.is_floating_point():
        raise ValueError(
            f"keypoints is {keypoints.dtype} of shape {tuple(keypoints.shape)}, expected floating (..., T >= 1, J, 2)"
        )
    there = training_frames(keypoints.shape[-3], fps)
    if math.isclose(fps, FPS, rel_tol=1e-6):
        return model.lift(keypoints, chunk)
    back = torch.arange(keypoints.shape[-3], dtype=torch.float64) * (FPS / fps)
    return _between(model.lift(_between(keypoints, there), chunk), back)


def training_frames(frames: int, fps: float) -> torch.Tensor:
    """Where in a clip the frames lie that a lifter sees of it, in frames of the clip: (n,) double precision."""
    step = check_fps(fps, "lift_resampled") / FPS
    return torch.arange(math.floor((frames - 1) / step + 1e-6) + 1, dtype=torch.float64) * step


def _between(values: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Values (..., T, J, C) at places (n,) between their frames: (..., n, J, C)."""
    last = values.shape[-3] - 1
    places = places.clamp(max=last)  # less than one frame of the training later, and no slope is made up
    low = places.floor().long()
    share = (places - low).to(values)[:, None, None]
    low = low.to(values.device)
    return torch.lerp(values[..., low, :, :], values[..., (low + 1).clamp(max=last), :, :], share)


@torch.no_grad()
def lift_videos(model: Lifter, taken: list[Video]) -> list[tuple[str, torch.Tensor, torch.Tensor]]:
    """Lift whole videos.

    Returns:
        (action, predicted, truth) of each video, poses (T, 17, 3) in metres, root-relative, camera axes: what
        `metrics.by_action.per_action` takes.
    """
    model.eval()
    return [(v.action, root_relative(model.lift(v.keypoints)), root_relative(v.pose)) for v in taken]
