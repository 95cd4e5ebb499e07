"""The static figures of lesson 01, as they look without a kernel."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import torch

from tutorial_lib import heatmaps
from tutorial_lib.datasets.disturbances import Disturbance
from tutorial_lib.datasets.photos import PhotoSet
from tutorial_lib.display import figures
from tutorial_lib.display.claims import intervals
from tutorial_lib.heatmaps import KeypointNet
from tutorial_lib.lessons.heatmap_vs_regression.demo_ambiguity import LINE, TwoPlaces
from tutorial_lib.lessons.heatmap_vs_regression.demo_robustness import COLOURS, assess
from tutorial_lib.lessons.heatmap_vs_regression.demo_targets import DECODERS, quantisation


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
        for name in DECODERS
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
        y_range=(-0.2, 0.42 * max(strides)), mode="markers", colours=DECODERS,
        title="What the grid costs on a perfect map",
    )  # fmt: skip
    lines = figures.curves(
        {name: (floor, values) for name, values in closed.items()},
        x_title="", y_title="", colours={name: "grey" for name in closed},
    )  # fmt: skip
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


DISTURBANCES = {
    "blur": ("blur σ (px)", lambda v: Disturbance(blur=v)),
    "shift": ("crop shifted right (half widths)", lambda v: Disturbance(shift=(v, 0.0))),
    "disc": ("radius of the grey disc (half widths)", lambda v: Disturbance(radius=v)),
}
"""kind -> (axis title, strength -> disturbance)."""
TITLES = {"blur": "more and more blur", "shift": "worse and worse crops", "disc": "more and more hidden"}


def robustness_curves(
    models: Mapping[str, KeypointNet], photos: PhotoSet, kind: str, strengths: Sequence[float]
) -> dict[str, list]:
    """name -> one error in pixels a photo, at every strength.

    Raises:
        ValueError: a kind that is not in `DISTURBANCES`.
    """
    if kind not in DISTURBANCES:
        raise ValueError(f"kind is {kind!r}, expected one of {', '.join(DISTURBANCES)}")
    for model in models.values():
        model.eval()
    rows = {name: [] for name in models}
    for strength in strengths:
        errors = assess(models, photos, DISTURBANCES[kind][1](strength))["errors"]
        for name, value in errors.items():
            by_photo = torch.nanmean(value, dim=1)
            rows[name].append(by_photo[~by_photo.isnan()].tolist())
    return rows


def robustness_figure(
    models: Mapping[str, KeypointNet], photos: PhotoSet, kind: str, strengths: Sequence[float]
) -> go.Figure:
    """Mean error of every model while one disturbance grows, interval over photos."""
    means, bands = intervals(robustness_curves(models, photos, kind, strengths))
    return figures.curves(
        {name: (strengths, mean) for name, mean in means.items()},
        bands=bands,
        x_title=DISTURBANCES[kind][0],
        y_title="mean error (px)",
        x_range=(min(strengths), max(strengths)),
        y_range=(0, 1.05 * max(high.max() for _, high in bands.values())),
        colours=COLOURS,
        title=f"The same networks, {TITLES[kind]}",
    )
