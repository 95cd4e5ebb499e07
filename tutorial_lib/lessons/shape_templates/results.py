"""The static figures of lesson 03's second half: contact sheets, the ablation, errors by body part."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import torch

from tutorial_lib.display import figures
from tutorial_lib.display.claims import intervals
from tutorial_lib.lessons.shape_templates.recipes import CALM, THROWN, TRIED
from tutorial_lib.templates.errors import BODY_PARTS

COLUMNS = ("all", *BODY_PARTS)


def contact_figure(rows: list[list[torch.Tensor]], title: str) -> go.Figure:
    """Pictures (S, S, 3) in [0, 1] on one sheet, rows of equally many, without axes."""
    gap = 6

    def framed(picture: torch.Tensor) -> np.ndarray:
        return np.pad(np.asarray(picture.clamp(0, 1)), ((0, gap), (0, gap), (0, 0)), constant_values=1)

    cells = np.concatenate([np.concatenate([framed(p) for p in row], 1) for row in rows])
    tall = cells.shape[0] / cells.shape[1]
    return figures.picture(cells, title, 75).update_layout(height=max(220, int(80 + 380 * tall)), width=620)


def values(results: dict, run: str, column: str = "all") -> list[float]:
    """Errors of a run in %, one per seed; `results` as `experiment.results` returns them."""
    return [result[column] for result in results["runs"].get(run, {}).values()]


def _closed(means: dict[str, np.ndarray], ends: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The ends of `intervals`; the mean itself where one training gives none."""
    return {name: np.where(np.isnan(end), means[name], end) for name, end in ends.items()}


def _blind(results: dict, columns: Sequence[str], baselines: str = "baselines") -> dict[str, list[float]]:
    """Errors of the answers that look at no photo, by a name for the legend."""
    return {f"{name}, no photo": [errors[c] for c in columns] for name, errors in results[baselines].items()}


def ablation_figure(results: dict) -> go.Figure:
    """Error of each row of both ablations with 95 % intervals over the trainings, beside an answer without a look."""
    starts = {"begun on the people": CALM, "begun beside the picture": THROWN}
    means, ends = intervals({start: [values(results, run) for run in rows] for start, rows in starts.items()})
    blind = {"mean pose, no photo": [results["baselines"]["mean pose"]["all"]] * len(CALM)}
    return figures.bars(
        blind | means, tuple(CALM), y_title="joint error (% of the width)", intervals=_closed(means, ends),
        title="Without one loss, without both",
    )  # fmt: skip


def comparison_figure(results: dict) -> go.Figure:
    """No label, all labels, and three answers that look at no photo."""
    learned = {"no labels": "main", "all labels": "supervised"}
    means, ends = intervals({name: [values(results, run, c) for c in COLUMNS] for name, run in learned.items()})
    return figures.bars(
        _blind(results, COLUMNS) | means, COLUMNS, y_title="joint error (% of the width)",
        title="What looking at the photo is worth", intervals=_closed(means, ends),
    )  # fmt: skip


def tried(results: dict) -> dict[str, dict[str, list[float]]]:
    """What was tried for the hands -> "all" and "hands", one value a training, on validation photos."""
    runs = [name for name in TRIED if name in results["runs"]]
    return {name: {column: values(results, name, column) for column in ("all", "hands")} for name in runs}


def tried_figure(results: dict) -> go.Figure:
    """What was tried for the hands, beside the mean pose."""
    rows = tried(results)
    samples = {column: [rows[name][column] for name in rows] for column in ("all", "hands")}
    means, ends = intervals(samples)
    blind = results["validation baselines"]["mean pose"]
    mean_pose = {f"{column}: mean pose, no photo": [blind[column]] * len(rows) for column in samples}
    return figures.bars(
        means | mean_pose, list(rows), y_title="joint error (% of the width)", intervals=_closed(means, ends),
        title="What was tried for the hands (validation photos)",
    )  # fmt: skip


def curve_figure(results: dict, column: str = "all") -> go.Figure:
    """Error over the training: without labels, with all of them, and the ablation begun on the people.

    Args:
        results: of the experiment.
        column: "all" or "hands".
    """
    lines = {}
    for title, run in {"no labels": "main", "all labels": "supervised"}.items():
        curves = [one["curve"] for one in results["runs"][run].values() if "curve" in one]
        if curves:
            share = np.array(curves[0]["steps"]) / curves[0]["steps"][-1]
            lines[title] = (100 * share, np.mean([curve[column] for curve in curves], 0))
    blind = results["baselines"]["mean pose"][column]
    lines["mean pose, no photo"] = ([0, 100], [blind, blind])
    top = 1.15 * max(float(np.max(y)) for _, y in lines.values())
    return figures.curves(
        lines, x_title="share of the training (%)", y_title="joint error (% of the width)", x_range=(0, 100),
        y_range=(0, top), title=f"More training ({column if column != 'all' else 'all joints'})",
    )  # fmt: skip


def differences(results: dict, run: str, reference: str, column: str = "all", of: str = "") -> np.ndarray:
    """Errors of a run minus those of another, seed by seed.

    Args:
        results: of the experiment.
        run: the first.
        reference: the second.
        column: of the first.
        of: column of the second, if it is another.
    """
    first, second = results["runs"][run], results["runs"][reference]
    return np.array([first[seed][column] - second[seed][of or column] for seed in first if seed in second])


def marked(picture: torch.Tensor, points: torch.Tensor, colour: torch.Tensor, size: int = 4) -> torch.Tensor:
    """A picture (S, S, 3) with squares of this colour (3,) at points (n, 2) in screen coordinates."""
    result, side = picture.clone(), picture.shape[0]
    for x, y in ((points + 1) / 2 * side).round().long().tolist():
        result[max(y - size, 0) : max(y + size, 0), max(x - size, 0) : max(x + size, 0)] = colour
    return result
