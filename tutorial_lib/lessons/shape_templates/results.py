"""The static figures of lesson 03's second half: contact sheets, the ablation, errors by body part."""

import numpy as np
import plotly.graph_objects as go
import torch

from tutorial_lib.display import figures
from tutorial_lib.display.claims import intervals
from tutorial_lib.lessons.shape_templates.experiment import CALM, THROWN
from tutorial_lib.templates.errors import BODY_PARTS

COLUMNS = ("all", *BODY_PARTS)


def contact_figure(rows: list[list[torch.Tensor]], title: str) -> go.Figure:
    """Pictures (S, S, 3) in [0, 1] on one sheet, rows of equally many, without axes."""
    gap = 6

    def framed(picture: torch.Tensor) -> np.ndarray:
        return np.pad(np.asarray(picture.clamp(0, 1)), ((0, gap), (0, gap), (0, 0)), constant_values=1)

    cells = np.concatenate([np.concatenate([framed(p) for p in row], 1) for row in rows])
    tall = cells.shape[0] / cells.shape[1]
    return figures.picture(cells, title, 75).update_layout(height=max(220, int(80 + 560 * tall)), width=620)


def values(results: dict, run: str, column: str = "all") -> list[float]:
    """Errors of a run in %, one per seed; `results` as `template_experiment.run_all` returns them."""
    return [result[column] for result in results["runs"].get(run, {}).values()]


def _closed(means: dict[str, np.ndarray], ends: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The ends of `intervals`; the mean itself where one training gives none."""
    return {name: np.where(np.isnan(end), means[name], end) for name, end in ends.items()}


def ablation_figure(results: dict) -> go.Figure:
    """Error of each row of both ablations, with 95 % intervals over the trainings."""
    starts = {"begun on the people": CALM, "begun beside the picture": THROWN}
    means, ends = intervals({start: [values(results, run) for run in rows] for start, rows in starts.items()})
    return figures.bars(
        means, tuple(CALM), y_title="joint error (% of the width)", intervals=_closed(means, ends),
        title="Without one loss, without both",
    )  # fmt: skip


def comparison_figure(results: dict) -> go.Figure:
    """No label, all labels, and three answers that look at no photo."""
    blind = {f"{name}, no photo": [errors[c] for c in COLUMNS] for name, errors in results["baselines"].items()}
    learned = {"no labels": "main", "all labels": "supervised"}
    means, ends = intervals({name: [values(results, run, c) for c in COLUMNS] for name, run in learned.items()})
    return figures.bars(
        blind | means, COLUMNS, y_title="joint error (% of the width)", title="What looking at the photo is worth",
        intervals=_closed(means, ends),
    )  # fmt: skip
