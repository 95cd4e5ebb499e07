"""Lifting whole videos at test time: as they are, at the rate of the training, averaged with their mirror image."""

import math
import warnings
from functools import partial

import torch

from tutorial_lib.camera import FOCAL
from tutorial_lib.datasets.splits import FPS
from tutorial_lib.datasets.videos import Video
from tutorial_lib.keypoint_files import Track
from tutorial_lib.lifting.protocol import Lifter, need_layout
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
    mirrored = flip(keypoints, model.layout)
    return (model.lift(keypoints, chunk) + flip(model.lift(mirrored, chunk))) / 2


def lift_track(
    model: Lifter, track: Track, *, focal: float = FOCAL, flipped: bool = False, chunk: int | None = None
) -> torch.Tensor:
    """Lift somebody's own video as its reader gives it: at the training's frame rate, as the course's camera sees it.

    Args:
        model: a lifter that was trained on keypoints in the track's layout.
        track: from `keypoint_files.load`. One whose rate is unknown is lifted as if it were the training's, with a
            warning.
        focal: of the video's camera, in half-widths of the picture; the lifters know one camera.
        flipped: whether to average with the mirror image, see `lift_flipped_average`.
        chunk: as in the lifter's `lift`.

    Returns:
        (T, 17, 3) metres, camera axes.

    Raises:
        ValueError: layouts that differ; focal that is not positive.
    """
    need_layout(model, track.layout, f"track {track.name}")
    if not 0 < focal < math.inf:
        raise ValueError(f"focal is {focal}, expected a positive number of half-widths, e.g. {FOCAL:g}")
    if track.fps is None:
        warnings.warn(
            f"track {track.name} does not say its frame rate, and is lifted as if it were {FPS:g}; "
            "pass fps= to keypoint_files.load",
            stacklevel=2,
        )
    # Another focal length is the same rays on another scale.
    seen = track.keypoints * (FOCAL / focal)
    return lift_resampled(model, seen, FPS if track.fps is None else track.fps, chunk, flipped=flipped)


def lift_resampled(
    model: Lifter, keypoints: torch.Tensor, fps: float, chunk: int | None = None, *, flipped: bool = False
) -> torch.Tensor:
    """Lift a clip of any frame rate: at the rate that the lifters were trained at, on straight lines between frames.

    A walk filmed at 10 frames a second is a run to a network that has only seen 50.

    Args:
        model: a lifter with `lift`, such as `TemporalLifter`.
        keypoints: (..., T, 17, 2) screen coordinates.
        fps: their frames per second.
        chunk: as in the lifter's `lift`.
        flipped: as in `lift_track`.

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
    lift = partial(lift_flipped_average, model) if flipped else model.lift
    if math.isclose(fps, FPS, rel_tol=1e-6):
        return lift(keypoints, chunk)
    back = torch.arange(keypoints.shape[-3], dtype=torch.float64) * (FPS / fps)
    return _between(lift(_between(keypoints, there), chunk), back)


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
    """Lift whole videos; a video's joints are Human3.6M's.

    Returns:
        (action, predicted, truth) of each video, poses (T, 17, 3) in metres, root-relative, camera axes: what
        `metrics.by_action.per_action` takes.

    Raises:
        ValueError: a lifter of COCO's keypoints.
    """
    need_layout(model, "human36m", "the video")
    model.eval()
    return [(v.action, root_relative(model.lift(v.keypoints)), root_relative(v.pose)) for v in taken]
