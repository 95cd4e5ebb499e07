"""The static figures of lesson 08."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from tutorial_lib.display import figures
from tutorial_lib.display.claims import interval
from tutorial_lib.lessons.geometric_self_supervision.recipes import CRITIC, CYCLE, FULL, LABELS, PRIORS, ROWS
from tutorial_lib.lessons.geometric_self_supervision.results import Results

COLOURS = {FULL: "blue", CRITIC: "orange", CYCLE: "vermillion", LABELS: "green"}
"""The same in every figure."""


def training_figure(found: Results) -> go.Figure:
    """Validation error over the training, mean and 95 % interval over trainings; steps on a logarithmic axis."""
    series, bands, colours = {}, {}, {}
    for name, colour in COLOURS.items():
        steps, values = found.curve(name)
        ends = np.array([interval(list(column)) for column in values.T])
        title = ROWS[name].title
        series[title] = (steps[1:], ends[1:, 0])
        bands[title] = (ends[1:, 1], ends[1:, 2])
        colours[title] = colour
    last = max(steps[-1] for steps, _ in series.values())
    return figures.curves(
        series,
        bands=bands,
        lines={"flat person": found.blind("flat", "known")},
        x_title="training steps",
        y_title="P-MPJPE on validation people (mm)",
        x_log=True,
        x_range=(8, 1.1 * last),
        y_range=(0, 180),
        mode="lines+markers",
        colours=colours,
        title="Who gets better with more training?",
    )


def sign_figure(found: Results) -> go.Figure:
    """Share of validation poses that are better mirrored over the training, one line a training, by prior."""
    pictures, labels = [], []
    for name in (*PRIORS, "level-far"):
        steps, values = found.curve(name, "tipped")
        pictures.append(
            figures.curves(
                {f"training {seed}": (steps[1:], row[1:]) for seed, row in zip(found.seeds(name), values)},
                x_title="training steps",
                y_title="better mirrored (%)",
                x_log=True,
                x_range=(8, 1.1 * steps[-1]),
                y_range=(-3, 103),
                lines={"undecided": 50.0},
                mode="lines+markers",
            )
        )
        labels.append(ROWS[name].title)
    return figures.sweep(pictures, labels, "seen by")


def tipping_figure(runs: Sequence[tuple[str, dict[str, Any]]]) -> go.Figure:
    """The lesson's own trainings: error as it is (lines) over the steps.

    Args:
        runs: (title, what `train_live` returned).
    """
    flat = runs[0][1]["flat"]
    return figures.curves(
        {title: (run["steps"], run["kept"]) for title, run in runs},
        x_title="steps",
        y_title="P-MPJPE (mm)",
        x_range=(0, max(run["steps"][-1] for _, run in runs)),
        y_range=(0, 200),
        lines={"flat person": flat},
        title="Which sign?",
    )
