"""From a row of scores to a coordinate, and on to a plane and a volume."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import torch

from tutorial_lib.display import figures, stage
from tutorial_lib.display.live import Demo, choice, live, slider, steps
from tutorial_lib.integral import (
    expectation,
    from_cells,
    hard_argmax,
    marginals,
    to_cells,
)

CELLS = 64
"""Cells on each axis of the first demo, as in the paper's volume."""

SECOND = 48.0
"""Where the second blob stands, in cells on every axis."""

HEIGHT = 24.0
"""Where the first blob stands on the axes that no slider moves, in cells."""

BETAS = (1, 2, 3, 5, 10, 20, 50, 100)


# ------------------------------------------------------------------ a blob becomes a coordinate
def blobs(axes: int, x: float, sigma: float, second: float) -> torch.Tensor:
    """Scores as a heat-map network makes them: blobs of height 1 and height `second`, (64,) * axes.

    Args:
        axes: 1, 2 or 3.
        x: place of the first blob in cells; on the other axes it is at `HEIGHT`.
        sigma: width in cells.
        second: height of the blob at `SECOND` on every axis; 0 for none.
    """
    place = torch.arange(CELLS, dtype=torch.get_default_dtype())

    def blob(*centres):
        parts = [torch.exp(-((place - centre) ** 2) / (2 * sigma**2)) for centre in centres]
        volume = parts[0]
        for part in parts[1:]:  # x is the last axis
            volume = part.view(-1, *[1] * volume.ndim) * volume
        return volume

    return torch.maximum(blob(*[x, HEIGHT, HEIGHT][:axes]), second * blob(*[SECOND] * axes))


def read_out(axes: int, x: float, sigma: float, beta: float, second: float, half_pixel: bool = True) -> dict:
    """Everything that the first demo shows, places in cells.

    Returns:
        scores (H, W): the map through the first blob; probability (H, W): the same plane after the softmax; marginal
        (64,) over x; mean and peak (axes,), x first; error: of the mean's x; near: probability within 3 sigma in x.
    """
    scores = blobs(axes, x, sigma, second)
    sums = marginals(scores, axes, 1 / beta)
    mean = to_cells(expectation(sums, half_pixel=half_pixel), CELLS)
    plane = scores[round(HEIGHT)] if axes == 3 else scores
    near = sums[0][(torch.arange(CELLS) - x).abs() <= 3 * sigma].sum()
    plane = plane if axes > 1 else plane[None]
    return {
        "scores": plane,
        "probability": torch.exp(beta * (plane - scores.max())),
        "marginal": sums[0],
        "mean": mean,
        "peak": to_cells(hard_argmax(scores, axes), CELLS),
        "error": (mean[0] - x).item(),
        "near": near.item(),
    }


def compute_build_up(axes: int, x: float, sigma: float, beta: float, second: float, half_pixel: bool) -> dict[str, Any]:
    """What `build_up_demo` shows for these values of its controls."""
    return read_out(axes, x, sigma, beta, second, half_pixel)


def view_build_up(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `build_up_demo`."""
    flat = params["axes"] == 1
    names = ("peak of the scores", "mean of the softmax", "truth")
    places = [arrays["peak"], arrays["mean"], torch.tensor([params["x"], HEIGHT, HEIGHT][: params["axes"]])]
    looks = [("vermillion", "square", 7.0), ("blue", "circle", 7.0), ("ink", "diamond", 4.0)]

    def dots():
        at = [torch.stack([p[0], p.new_tensor((CELLS - 1) / 2) if flat else p[1]]) for p in places]
        made = [from_cells(p, CELLS)[None] / p.new_tensor([1.0, CELLS if flat else 1.0]) for p in at]
        return [stage.dots(name, p, colour=c, symbol=s, size=size) for name, p, (c, s, size) in zip(names, made, looks)]

    shape = {"aspect": CELLS / 4 if flat else 1.0, "cross": None, "margin": 0.02}
    low = 1e-3
    uprights = [
        stage.series(name, [p[0].item()] * 2, [low, 1], colour=colour, dash=dash, width=width)
        for name, p, (colour, _, _), dash, width in zip(names, places, looks, ("dash", "solid", "dot"), (3, 4, 2))
    ]
    return stage.panes(
        stage.image(
            heat=arrays["scores"], heat_name="score, 0 to 1", heat_colour="orange", dots=dots(),
            title="scores" + ", slice through the blob" * (params["axes"] == 3), **shape,
        ),
        stage.image(
            heat=arrays["probability"], heat_name="share of the largest", heat_colour="green", dots=dots(),
            title="softmax, drawn relative to its peak", **shape,
        ),
        stage.curve(
            [
                stage.series(
                    "marginal over x", np.arange(CELLS), arrays["marginal"].clamp_min(low / 10), colour="green"
                ),
                *uprights,
            ],
            x=stage.axis("x (cells)", -0.5, CELLS - 0.5),
            y=stage.axis("probability", low, 1, log=True),
            lines=[stage.hline("uniform", 1 / CELLS, dash="dot")],
            title="sum over the other axes",
            weight=1.3,
        ),
        stage.table(
            ["x (cells)", "answer", "truth", "error"],
            [
                [name, f"{p[0]:.2f}", f"{params['x']:.2f}", signed(p[0] - params["x"])]
                for name, p in zip(names[:2], places)
            ],
        ),
        note=f"{100 * arrays['near']:.1f} % of the probability lies within 3 σ of the blob, "
        f"{100 - 100 * arrays['near']:.1f} % elsewhere",
    )  # fmt: skip


def build_up_demo() -> Demo:
    """One blob or two in a row, a map or a volume: scores, softmax, marginal, mean."""

    controls = {
        "axes": choice([("1D: a row", 1), ("2D: a map", 2), ("3D: a volume", 3)], 2, "scores are"),
        "x": slider(8.0, 0.0, CELLS - 1.0, 0.25, "blob at x (cells)", fmt=".2f"),
        "sigma": slider(2.0, 0.5, 8.0, 0.25, "blob width σ (cells)", fmt=".2f"),
        "beta": steps(BETAS, 1, "β = 1 / temperature"),
        "second": slider(0.0, 0.0, 1.0, 0.05, "second blob's height"),
        "half_pixel": choice(
            [("their centres", True), ("their corners (original)", False)], True, "cells are counted at"
        ),
    }
    presets = {
        "a trained heat map, plain softmax": {"axes": 2, "x": 8.0, "sigma": 2.0, "beta": 1, "second": 0.0},
        "β = 10": {"beta": 10},
        "β = 100": {"beta": 100},
        "too sharp: the peak's cell again": {"axes": 2, "x": 20.25, "sigma": 2.0, "beta": 100, "second": 0.0},
        "two blobs: the mean falls between": {"axes": 2, "x": 8.0, "beta": 50, "second": 1.0},
        "the corner no mean can reach": {"axes": 2, "x": 63.0, "beta": 100, "second": 0.0, "half_pixel": False},
    }
    return live(compute_build_up, view_build_up, controls, presets=presets, title="From scores to a coordinate")


def signed(value) -> str:
    """A number with its sign, two decimals, and the typographic minus of the read-outs."""
    return f"{float(value):+.2f}".replace("-", "\u2212")


def marginal_figure(arrays: dict, x: float, title: str) -> go.Figure:
    """The marginal over x with truth, peak and mean as upright lines."""
    low = 1e-3
    upright = {"mean": arrays["mean"][0].item(), "peak": arrays["peak"][0].item(), "truth": x}
    return figures.curves(
        {"marginal over x": (np.arange(CELLS), arrays["marginal"].clamp_min(low / 10))}
        | {name: ([place, place], [low, 1]) for name, place in upright.items()},
        x_title="x (cells)", y_title="probability", x_range=(-0.5, CELLS - 0.5), y_range=(low, 1), y_log=True,
        lines={"uniform": 1 / CELLS}, title=title,
        colours={"marginal over x": "green", "mean": "blue", "peak": "vermillion", "truth": "ink"},
    )  # fmt: skip
