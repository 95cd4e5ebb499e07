"""From a row of scores to a coordinate, and on to a plane and a volume."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider, steps
from tutorial_lib.integral import expectation, from_cells, hard_argmax, marginals, to_cells

CELLS = 64
"""Cells on each axis of the first demo, as in the paper's volume."""

SECOND = 48.0
"""Where the second blob stands, in cells on every axis."""

HEIGHT = 24.0
"""Where the first blob stands on the axes that no slider moves, in cells."""

BETAS = (1, 2, 3, 5, 10, 20, 50, 100)
HEIGHTS = tuple(i / 20 for i in range(21))
"""Of the second blob."""

LOW = 1e-3
"""Lower end of the axis of probabilities."""

BLOB, PEAK, OTHER = "the blob", "how high the peak stands (β)", "how high the second blob is"
"""What can be taken hold of."""


def blobs(axes: int, x: float, sigma: float, second: float) -> torch.Tensor:
    """Scores as a heat-map network makes them: blobs of height 1 and height `second`, (64,) * axes.

    Args:
        axes: 1, 2 or 3.
        x: place of the first blob in cells; on the other axes it is at `HEIGHT`.
        sigma: width in cells.
        second: height of the blob at `SECOND` on every axis; 0 for none.
    """
    place = torch.arange(CELLS, dtype=torch.get_default_dtype())

    def blob(*centres: float) -> torch.Tensor:
        parts = [torch.exp(-((place - centre) ** 2) / (2 * sigma**2)) for centre in centres]
        volume = parts[0]
        for part in parts[1:]:  # x is the last axis
            volume = part.view(-1, *[1] * volume.ndim) * volume
        return volume

    return torch.maximum(blob(*[x, HEIGHT, HEIGHT][:axes]), second * blob(*[SECOND] * axes))


def compute_build_up(
    axes: int, x: float, sigma: float, beta: float, second: float, half_pixel: bool = True
) -> dict[str, Any]:
    """Scores, their softmax, its marginal over x, and the mean. Places are in cells.

    Args:
        axes: 1, 2 or 3: a row, a map or a volume.
        x: place of the first blob.
        sigma: width of the blobs.
        beta: what the scores are multiplied with before the softmax; 1 / temperature.
        second: height of the second blob; 0 for none.
        half_pixel: cells are counted at their centres; false: at their corners, as in the original.

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


def view_build_up(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The scores and their softmax with peak, mean and truth, and the marginal over x with the same three."""
    flat = params["axes"] == 1
    names = ("peak of the scores", "mean of the softmax", "truth")
    places = [arrays["peak"], arrays["mean"], torch.tensor([params["x"], HEIGHT, HEIGHT][: params["axes"]])]
    looks: list[tuple[str, stage.Symbol, float]] = [
        ("vermillion", "square", 7.0),
        ("blue", "circle", 7.0),
        ("ink", "diamond", 4.0),
    ]
    dots = []
    for name, p, (colour, symbol, size) in zip(names, places, looks):
        at = torch.stack([p[0], p.new_tensor((CELLS - 1) / 2) if flat else p[1]])
        at = from_cells(at, CELLS) / at.new_tensor([1.0, CELLS if flat else 1.0])
        dots.append(stage.dots(name, at[None], colour=colour, symbol=symbol, size=size))
    blob = stage.handle(BLOB, at.tolist(), axis="x")  # where the truth is

    def plane(heat: torch.Tensor, name: str, colour: str, title: str) -> dict[str, Any]:
        return stage.image(
            heat=heat, heat_name=name, heat_colour=colour, dots=dots, aspect=CELLS / 4 if flat else 1.0, cross=None,
            margin=0.02, title=title, handles=[blob],
        )  # fmt: skip

    uprights = [
        stage.series(name, [p[0].item()] * 2, [LOW, 1], colour=colour, dash=dash, width=width)
        for name, p, (colour, _, _), dash, width in zip(names, places, looks, ("dash", "solid", "dot"), (3, 4, 2))
    ]
    return stage.panes(
        plane(
            arrays["scores"], "score, 0 to 1", "green", "scores" + ", slice through the blob" * (params["axes"] == 3)
        ),
        plane(arrays["probability"], "share of the largest", "orange", "softmax, drawn relative to its peak"),
        stage.curve(
            [stage.series("marginal over x", np.arange(CELLS), arrays["marginal"].clamp_min(LOW / 10), colour="orange"),
             *uprights],
            x=stage.axis("x (cells)", -0.5, CELLS - 0.5), y=stage.axis("probability", LOW, 1, log=True),
            lines=[stage.hline("uniform", 1 / CELLS, dash="dot")], title="sum over the other axes", weight=1.3,
            handles=[
                stage.handle(name, (x, max(float(arrays["marginal"][round(x)]), LOW)), axis="y", colour="orange")
                for name, x in ((PEAK, params["x"]), (OTHER, SECOND))
            ],
        ),
        note=f"mean at x = {places[1][0]:.2f}, off by {stage.signed(arrays['error'])} cells; peak at "
        f"{places[0][0]:.0f}; {100 * arrays['near']:.1f} % of the probability lies within 3 σ of the blob",
        height=230,
    )  # fmt: skip


def pulled(control: str, place: float, height: float, options: Sequence[float], params: dict[str, Any]) -> float:
    """The value of a control at which the marginal is nearest to a height.

    Args:
        control: "beta" or "second".
        place: where on x, in cells.
        height: the probability that is asked for.
        options: values to choose from.
        params: of the other controls.
    """

    def off(value: float) -> float:
        settings: dict[str, Any] = {**params, control: value}
        marginal = compute_build_up(**settings)["marginal"]
        return abs(math.log(max(float(marginal[round(place)]), LOW) / max(height, LOW)))

    return min(options, key=off)


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
    start = {name: control.value for name, control in controls.items()}
    presets = {
        name: start | changes
        for name, changes in {
            "a trained heat map, plain softmax": {},
            "β = 10": {"beta": 10},
            "β = 100": {"beta": 100},
            "too sharp: the peak's cell again": {"x": 20.25, "beta": 100},
            "two blobs: the mean falls between": {"beta": 50, "second": 1.0},
            "the corner no mean can reach": {"x": 63.0, "beta": 100, "half_pixel": False},
        }.items()
    }
    return live(
        compute_build_up, view_build_up, controls, presets=presets, folded=("axes", "sigma", "half_pixel"),
        title="From scores to a coordinate", plays="beta",
        grabs={
            BLOB: lambda at, params: {"x": to_cells(torch.tensor(at[0]), CELLS).item()},
            PEAK: lambda at, params: {"beta": pulled("beta", params["x"], at[1], BETAS, params)},
            OTHER: lambda at, params: {"second": pulled("second", SECOND, at[1], HEIGHTS, params)},
        },
    )  # fmt: skip
