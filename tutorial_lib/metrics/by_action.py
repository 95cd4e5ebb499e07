"""Scores as the papers print them: one error for each action, then the mean over the actions.

An action's error is the mean over all frames of all its clips, whoever does it and whichever camera saw it. "Avg" is
the mean of those numbers: a short action counts as much as a long one (VideoPose3D, Pavllo et al. 2019, its tables of
results). Errors are in millimetres; velocity's are in millimetres per frame, which depends on the frame rate.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from html import escape

import torch

from tutorial_lib.metrics.pose import mpjpe, n_mpjpe, p_mpjpe, velocity_error
from tutorial_lib.skeleton import check_joints

METRICS = {
    "mpjpe": (mpjpe, "MPJPE, protocol 1 (mm)"),
    "p_mpjpe": (p_mpjpe, "P-MPJPE, protocol 2 (mm)"),
    "n_mpjpe": (n_mpjpe, "N-MPJPE, protocol 3 (mm)"),
    "mpjve": (velocity_error, "MPJVE, velocity (mm per frame)"),
}
HUMAN36M = {
    "Directions": "Dir.", "Discussion": "Disc.", "Eating": "Eat", "Greeting": "Greet", "Phoning": "Phone",
    "Photo": "Photo", "Posing": "Pose", "Purchases": "Purch.", "Sitting": "Sit", "SittingDown": "SitD.",
    "Smoking": "Smoke", "Waiting": "Wait", "WalkDog": "WalkD.", "Walking": "Walk", "WalkTogether": "WalkT.",
}  # fmt: skip
"""Human3.6M's actions in the papers' order, with the column heads of their tables."""
BUILTIN = {"sit_down": "sit", "stand_up": "stand", "wash_window": "wash", "sidestep": "side", "discuss": "disc."}
"""Column heads of the builtin actions with long names."""


@dataclass(frozen=True)
class Errors:
    """What `per_action` measured.

    Attributes:
        by_action: metric of `METRICS` -> action -> error in mm (velocity: mm per frame; NaN if clips have one frame).
        frames: action -> number of frames.
    """

    by_action: Mapping[str, Mapping[str, float]]
    frames: Mapping[str, int]

    def average(self, metric: str = "mpjpe") -> float:
        """Mean over the actions, each counting once."""
        values = self.by_action[_known(metric)].values()
        return sum(values) / len(values)


def per_action(clips: Iterable[tuple[str, torch.Tensor, torch.Tensor]]) -> Errors:
    """All metrics of predicted clips, action by action.

    Velocities are taken within each clip, never from the last frame of one to the first of the next.

    Args:
        clips: (action, predicted, truth), the poses (T, 17, 3) in metres, same frame; root-relative or not.

    Returns:
        Errors with Human3.6M's actions in the papers' order, others as they come.

    Raises:
        ValueError: no clip, shapes that differ or are not (T, 17, 3), no frame, NaN or infinity; says which clip.
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
    by_action = {
        metric: {a: sums[a][metric] / weights[metric][a] if weights[metric][a] else math.nan for a in order}
        for metric in METRICS
    }
    return Errors(by_action, {action: frames[action] for action in order})


def evaluate(predict: Callable[[torch.Tensor], torch.Tensor], recordings: Iterable) -> Errors:
    """`per_action` of a model on recordings.

    Args:
        predict: keypoints (T, 17, 2) in screen coordinates to poses (T, 17, 3) in metres, camera axes; for example
            the `lift` of a `TemporalLifter` in evaluation mode.
        recordings: things with `action`, `keypoints` and `pose`, such as `human36m.Recording`.
    """
    with torch.no_grad():
        return per_action((one.action, predict(one.keypoints), one.pose) for one in recordings)


@dataclass(frozen=True)
class Table:
    """Rows of a paper's table: in a notebook an HTML table, as text Markdown. `rows`: model -> errors, Avg last."""

    title: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[float, ...]]

    def best(self, column: int) -> set[str]:
        """Models whose printed number is the smallest of its column: several where they tie, none without a rival."""
        printed = {name: round(values[column], 1) for name, values in self.rows.items()}
        numbers = [value for value in printed.values() if not math.isnan(value)]
        return {name for name, value in printed.items() if len(numbers) > 1 and value == min(numbers)}

    def _cells(self, bold: str):
        best = [self.best(column) for column in range(len(self.columns))]
        for name, values in self.rows.items():
            yield name, [bold.format(f"{v:.1f}") if name in b else f"{v:.1f}" for v, b in zip(values, best)]

    def __str__(self) -> str:
        lines = [[self.title, *self.columns], [":--", *["--:"] * len(self.columns)]]
        lines += [[name.replace("|", "\\|"), *cells] for name, cells in self._cells("**{}**")]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {"text/plain": str(self), "text/html": self._repr_html_()}

    def _repr_html_(self) -> str:
        """In the page's own colours, so that it reads in a dark theme too; wide tables scroll."""
        line = "1px solid rgba(128,128,128,.4)"
        style = f"padding:3px 5px;border:0;border-bottom:{line};background:none;color:inherit;white-space:nowrap"

        def row(tag, cells):
            sides = ["left"] + ["right"] * len(self.columns)
            marks = [";font-weight:normal"] * len(self.columns) + [f";border-left:{line}"]
            inner = (f"<{tag} style='{style};text-align:{s}{m}'>{c}</{tag}>" for s, m, c in zip(sides, marks, cells))
            return f"<tr style='background:none'>{''.join(inner)}</tr>"

        head = row("th", map(escape, ["", *self.columns]))
        body = "".join(row("td", [escape(name), *cells]) for name, cells in self._cells("<b>{}</b>"))
        return (
            "<div style='overflow-x:auto;margin:8px 0'>"
            f"<p style='margin:0 0 4px;font-weight:600'>{escape(self.title)}</p>"
            "<table style='border-collapse:collapse;border:0;margin:0;font-size:15px;color:inherit'>"
            f"<thead>{head}</thead><tbody>{body}</tbody></table></div>"
        )


def table(models: Mapping[str, Errors], metric: str = "mpjpe") -> Table:
    """Models against actions, as the papers print it: one decimal, "Avg" last, the best of a column in bold.

    Args:
        models: name -> result of `per_action` or `evaluate`, all on the same actions.
        metric: one of `METRICS`.

    Raises:
        ValueError: unknown metric, no model, models that were tested on different frames.
    """
    title = METRICS[_known(metric)][1]
    if not models:
        raise ValueError("models is empty, expected at least one name -> Errors")
    first = next(iter(models))
    for name, errors in models.items():
        if dict(errors.frames) != dict(models[first].frames):
            raise ValueError(
                f"models: {name!r} was tested on {dict(errors.frames)} frames, {first!r} on "
                f"{dict(models[first].frames)}; evaluate all on the same recordings"
            )
    actions = list(models[first].frames)
    rows = {
        name: (*(errors.by_action[metric][action] for action in actions), errors.average(metric))
        for name, errors in models.items()
    }
    columns = (*((HUMAN36M | BUILTIN).get(action, action) for action in actions), "Avg")
    return Table(title, columns, rows)


def _check(predicted: torch.Tensor, truth: torch.Tensor) -> None:
    for argument, pose in (("predicted", predicted), ("truth", truth)):
        check_joints(pose, 3, argument)
        if pose.ndim != 3 or not len(pose):
            raise ValueError(f"{argument} has shape {tuple(pose.shape)}, expected (T, 17, 3) with T > 0; one clip each")
        if not torch.isfinite(pose).all():
            raise ValueError(f"{argument} holds NaN or infinity, expected metres; did the training diverge?")
    if predicted.shape != truth.shape:
        raise ValueError(
            f"predicted {tuple(predicted.shape)} and truth {tuple(truth.shape)} differ; predict every frame, "
            "see lifting.pad_edges"
        )


def _known(metric: str) -> str:
    if metric not in METRICS:
        raise ValueError(f"metric is {metric!r}, expected one of {', '.join(METRICS)}")
    return metric
