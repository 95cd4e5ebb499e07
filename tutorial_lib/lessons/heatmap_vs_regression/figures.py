"""The static figures of lesson 01, as they look without a kernel."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import torch

from tutorial_lib import heatmaps
from tutorial_lib.display import figures
from tutorial_lib.lessons.heatmap_vs_regression.demo_ambiguity import LINE, TwoPlaces
from tutorial_lib.lessons.heatmap_vs_regression.demo_targets import ON_PAPER, quantisation


def target_sweep(strides: Sequence[int] = (2, 4, 8, 16), size: int = 64) -> go.Figure:
    """One joint's target map (sigma 1 cell) on coarser and coarser grids, with what argmax reads from it."""
    truth, pictures = torch.tensor([0.31, -0.22]), []
    for stride in strides:
        target = heatmaps.gaussian_target(truth, size // stride, 1.0)
        found = heatmaps.argmax(target)
        repeat = stride // min(strides)  # one raster for all steps: a sweep moves values, not grids
        target = target.repeat_interleave(repeat, 0).repeat_interleave(repeat, 1)
        error = size / 2 * (found - truth).norm().item()
        pictures.append(
            figures.image_plane(
                heat=target,
                heat_name="target",
                dots={"truth": truth[None], "argmax": found[None]},
                colours={"argmax": "blue"},
                title=f"argmax: {error:.2f} px off",
            ).update_traces(showscale=False, selector={"type": "heatmap"})
        )
    return figures.sweep(pictures, [str(s) for s in strides], "stride", active=len(strides) - 1)


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


def ambiguity_sweep(steps: int = 7, apart: float = 1.2, noise: float = 0.1) -> go.Figure:
    """The expected losses while A becomes the likelier of two places."""
    values = [round(v, 2) for v in np.linspace(0.2, 0.8, steps)]
    pictures = []
    for p in values:
        toy = TwoPlaces(p, apart, noise)
        losses = {"squared error (L2)": (LINE, toy.l2(LINE)), "absolute error (L1)": (LINE, toy.l1(LINE))}
        picture = figures.curves(
            {"truth (density / 5)": (LINE, toy.density(LINE) / 5)} | losses,
            x_title="place along the line (half widths)", y_title="expected loss", x_range=(-1, 1), y_range=(0, 2),
            colours=dict(zip(("truth (density / 5)", *losses), ("ink", "vermillion", "orange"))),
            title=f"mean {toy.mean():.2f}, median {toy.median():.2f}",
        )  # fmt: skip
        pictures.append(picture)
    return figures.sweep(pictures, [f"{p:.2f}" for p in values], "probability of A", active=steps - 2)
