"""The static figures of lesson 11."""

import numpy as np
import plotly.graph_objects as go

from tutorial_lib.display import figures
from tutorial_lib.display.claims import interval
from tutorial_lib.lessons.stress_testing.demo_agents import COLOURS
from tutorial_lib.lessons.stress_testing.demo_hunt import LARGEST
from tutorial_lib.lessons.stress_testing.recipes import OWN, THRESHOLD, VICTIMS
from tutorial_lib.lessons.stress_testing.results import Results
from tutorial_lib.stress_testing import METHODS


def _ends(values: np.ndarray) -> np.ndarray:
    """(3, points): mean, low, high of (seeds, points)."""
    return np.array([interval(list(column)) for column in values.T]).T


def training_figure(found: Results) -> go.Figure:
    """Validation error of the lifters under test over their training, mean and 95 % interval over trainings."""
    series, bands = {}, {}
    for victim in OWN:
        steps, values = found.curve(victim)
        mean, low, high = _ends(values)
        series[VICTIMS[victim]], bands[VICTIMS[victim]] = (steps, mean), (low, high)
    return figures.curves(
        series, bands=bands, x_title="training steps", y_title="validation error (mm)", y_range=(0, 200),
        mode="lines+markers", title="Are they trained?",
    )  # fmt: skip


def hunts_figure(found: Results) -> go.Figure:
    """The worst question so far over the questions of a search, every method, one step of the slider a lifter."""
    pictures = []
    for victim in VICTIMS:
        series, bands = {}, {}
        for method in METHODS:
            mean, low, high = _ends(found.hunt(victim, method, "so far"))
            series[method], bands[method] = (np.arange(1, len(mean) + 1), mean), (low, high)
        pictures.append(
            figures.curves(
                series, bands=bands, x_title="moves of the agents", y_title="worst question so far (mm)",
                y_range=(0, 1.2 * LARGEST), lines={"failure": THRESHOLD}, colours=COLOURS,
            )
        )  # fmt: skip
    return figures.sweep(pictures, list(VICTIMS.values()), "under test")
