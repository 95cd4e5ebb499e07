"""Errors as the papers print them: one for each action, then the mean over the actions.

An action's error is the mean over all frames of all its clips, whoever does it and whichever camera saw it. "Avg" is
the mean of those numbers: a short action counts as much as a long one (VideoPose3D, Pavllo et al. 2019, its tables of
results). Errors are in millimetres; velocity's are in millimetres per frame, which depends on the frame rate, and a
clip has one velocity less than frames (VideoPose3D weights clips by their frames there, too).
`display.tables.table` prints them.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import torch

from tutorial_lib.metrics.joints import check_pair
from tutorial_lib.metrics.pose import mpjpe, n_mpjpe, p_mpjpe, velocity_error
from tutorial_lib.skeleton import check_joints

METRICS = {
    "mpjpe": (mpjpe, "MPJPE, protocol 1 (mm)"),
    "p_mpjpe": (p_mpjpe, "P-MPJPE, protocol 2 (mm)"),
    "n_mpjpe": (n_mpjpe, "N-MPJPE, protocol 3 (mm)"),
    "mpjve": (velocity_error, "MPJVE, velocity (mm per frame)"),
}
Metric = Literal["mpjpe", "p_mpjpe", "n_mpjpe", "mpjve"]
HUMAN36M = {
    "Directions": "Dir.", "Discussion": "Disc.", "Eating": "Eat", "Greeting": "Greet", "Phoning": "Phone",
    "Photo": "Photo", "Posing": "Pose", "Purchases": "Purch.", "Sitting": "Sit", "SittingDown": "SitD.",
    "Smoking": "Smoke", "Waiting": "Wait", "WalkDog": "WalkD.", "Walking": "Walk", "WalkTogether": "WalkT.",
}  # fmt: skip
"""Human3.6M's actions in the papers' order, with the column heads of their tables."""

Errors = Mapping[str, Mapping[str, float]]
"""What `per_action` measures: metric of `METRICS`, or "frames" -> action -> number."""


def per_action(clips: Iterable[tuple[str, torch.Tensor, torch.Tensor]]) -> Errors:
    """All metrics of predicted clips, action by action.

    Velocities are taken within each clip, never from the last frame of one to the first of the next.

    Args:
        clips: (action, predicted, truth), the poses (T, 17, 3) in metres, same frame; root-relative or not.

    Returns:
        For every metric of `METRICS` action -> error in mm (velocity: mm per frame; NaN if clips have one frame), and
        "frames": action -> number of frames. Human3.6M's actions come in the papers' order, others as they come.

    Raises:
        ValueError: no clip, shapes that differ or are not (T, 17, 3), no frame, NaN or infinity; says which clip,
            frame and joint.
    """
    sums: dict[str, dict[str, float]] = {}
    frames: dict[str, int] = {}
    steps: dict[str, int] = {}  # from a frame to the next, of which a clip has one less than frames
    for number, (action, predicted, truth) in enumerate(clips):
        try:
            _check(predicted, truth)
        except ValueError as problem:
            raise ValueError(f"clip {number} ({action}): {problem}") from None
        count = len(truth)
        frames[action] = frames.get(action, 0) + count
        steps[action] = steps.get(action, 0) + count - 1
        total = sums.setdefault(action, dict.fromkeys(METRICS, 0.0))
        for metric, (measure, _) in METRICS.items():
            weight = count - 1 if metric == "mpjve" else count
            if weight:
                total[metric] += weight * 1000 * measure(predicted, truth).item()
    if not frames:
        raise ValueError("clips is empty, expected at least one (action, predicted, truth)")
    order = [*(action for action in HUMAN36M if action in frames), *(a for a in frames if a not in HUMAN36M)]
    weights = {metric: steps if metric == "mpjve" else frames for metric in METRICS}
    errors = {
        metric: {a: sums[a][metric] / weights[metric][a] if weights[metric][a] else math.nan for a in order}
        for metric in METRICS
    }
    return errors | {"frames": {action: frames[action] for action in order}}


def average(errors: Errors, metric: Metric = "mpjpe") -> float:
    """Mean over the actions, each counting once, of what `per_action` measured."""
    if metric not in METRICS:
        raise ValueError(f"metric is {metric!r}, expected one of {', '.join(METRICS)}")
    return sum(errors[metric].values()) / len(errors[metric])


def evaluate(predict: Callable[[torch.Tensor], torch.Tensor], recordings: Iterable) -> Errors:
    """`per_action` of a model on recordings.

    Args:
        predict: keypoints (T, 17, 2) in screen coordinates to poses (T, 17, 3) in metres, camera axes; for example
            the `lift` of a `TemporalLifter` in evaluation mode.
        recordings: things with `action`, `keypoints` and `pose`, such as `human36m.Recording`.
    """
    with torch.no_grad():
        return per_action((one.action, predict(one.keypoints), one.pose) for one in recordings)


def _check(predicted: torch.Tensor, truth: torch.Tensor) -> None:
    for argument, pose in (("predicted", predicted), ("truth", truth)):
        check_joints(pose, 3, argument)
        if pose.ndim != 3 or not len(pose):
            raise ValueError(f"{argument} has shape {tuple(pose.shape)}, expected (T, 17, 3) with T > 0; one clip each")
    if predicted.shape != truth.shape:
        raise ValueError(
            f"predicted {tuple(predicted.shape)} and truth {tuple(truth.shape)} differ; predict every frame, "
            "see lifting.pad_edges"
        )
    check_pair(predicted, truth, truth="truth")
