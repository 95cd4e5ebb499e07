"""The static figures of lesson 01, as they look without a kernel."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import torch

from tutorial_lib import heatmaps
from tutorial_lib.display import figures
from tutorial_lib.lessons.heatmap_vs_regression.demo_targets import ON_PAPER, quantisation


def quantisation_table(strides: Sequence[int], seeds: Sequence[int]) -> dict[str, np.ndarray]:
    """decoder -> (strides, seeds) mean errors in pixels."""
    measured = [[quantisation(stride, torch.Generator().manual_seed(seed)) for seed in seeds] for stride in strides]
    return {
        name: np.array([[stride * cell[name] for cell in row] for stride, row in zip(strides, measured)])
        for name in ON_PAPER
    }


def quantisation_figure(strides: Sequence[int] = (2, 4, 8, 16), seeds: Sequence[int] = (0, 1, 2)) -> go.Figure:
    """Mean error on exact Gaussians over the stride: measured, and the closed forms for argmax and a quarter shift."""
    errors = quantisation_table(strides, seeds)
    floor = np.array([0.0, max(strides)])
    closed = {
        "0.383 × stride": heatmaps.MEAN_RESIDUAL * floor,
        "0.191 × stride": heatmaps.MEAN_RESIDUAL / 2 * floor,
    }
    figure = figures.curves(
        {name: (strides, values.mean(1)) for name, values in errors.items()},
        x_title="stride (px)", y_title="mean error (px)", x_range=(0, max(strides) + 1),
        y_range=(-0.2, 0.42 * max(strides)), mode="markers", colours=ON_PAPER,
        title="What the grid costs on a perfect map",
    )  # fmt: skip
    lines = figures.curves(
        {name: (floor, values) for name, values in closed.items()},
        x_title="", y_title="", colours={name: "grey" for name in closed},
    ).update_traces(showlegend=False)  # fmt: skip
    at = 0.85 * floor[1]
    for name, values in closed.items():
        place = {"x": at, "y": values[1] / floor[1] * at, "xanchor": "right", "yanchor": "bottom"}
        figure.add_annotation(text=name, showarrow=False, **place)
    return figure.add_traces(lines.data)
