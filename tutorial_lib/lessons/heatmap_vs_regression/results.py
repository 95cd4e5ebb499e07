"""Lesson 01's figures and tables of trained networks: what the experiment found, and what a trained map looks like."""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import plotly.graph_objects as go
import torch

from tutorial_lib import heatmaps
from tutorial_lib.datasets.photos import PhotoSet
from tutorial_lib.display import figures
from tutorial_lib.display.claims import intervals
from tutorial_lib.display.tables import markdown
from tutorial_lib.heatmaps import KeypointNet, cost
from tutorial_lib.lessons.heatmap_vs_regression.demo_robustness import COLOURS
from tutorial_lib.lessons.heatmap_vs_regression.experiment import values
from tutorial_lib.lessons.heatmap_vs_regression.measures import DECODERS
from tutorial_lib.metrics import distances
from tutorial_lib.skeleton import JOINTS
from tutorial_lib.training import kept_bytes

ROWS = {
    "regression": ("regression-4", "numbers"),
    "RLE": ("rle-4", "numbers"),
    "heat map": ("heatmap-4", "DARK"),
    "integral": ("integral-4", "mean place"),
}
"""Name in the lesson -> kind of run, and how it is read."""


def results_table(found: dict[str, Any]) -> str:
    """Markdown: every head and decoder at stride 4, large training set; mean over seeds and, in brackets, their std."""
    rows = [(name, *pair) for name, pair in ROWS.items() if name != "heat map"]
    rows += [(f"heat map, {decoder}", "heatmap-4", decoder) for decoder in DECODERS]
    columns = {
        "mean error (px)": ("error_px", 1), "median (px)": ("median_px", 1), "seen joints (px)": ("visible_px", 1),
        "hidden joints (px)": ("hidden_px", 1), "mean error (% of torso)": ("torso", 100),
        "left/right exchanged (%)": ("exchanged", 100),
    }  # fmt: skip

    def cell(kind: str, decoder: str, key: str, scale: int) -> str:
        measured, digits = scale * np.array(values(found, kind, decoder, key)), 2 if scale == 1 else 1
        return f"{measured.mean():.{digits}f} ({measured.std(ddof=1):.{digits}f})"

    lines = [[name, *(cell(*run, *column) for column in columns.values())] for name, *run in rows]
    return markdown(["head", *columns], lines, numbers=True)


def pck_curves(found: dict[str, Any]) -> go.Figure:
    """PCK over the threshold, mean and 95 % interval over training seeds."""
    curves = {name: np.array(values(found, *pair, "pck")) for name, pair in ROWS.items()}
    means, bands = intervals({name: 100 * curve.T for name, curve in curves.items()})
    thresholds = found["thresholds"]
    return figures.curves(
        {name: (thresholds, mean) for name, mean in means.items()}, bands=bands,
        x_title="threshold (share of the torso)", y_title="correct joints (%)", x_range=(0, max(thresholds)),
        y_range=(0, 100), colours=COLOURS, title="Four heads, one backbone, one budget",
    )  # fmt: skip


def data_figure(found: dict[str, Any], names: Sequence[str] = ("regression", "heat map")) -> go.Figure:
    """Mean error with few and with many training photos."""
    means, ends = intervals({
        f"{found['budget'][photos]} photos": [values(found, ROWS[n][0] + suffix, ROWS[n][1]) for n in names]
        for suffix, photos in (("-few", "few"), ("", "photos"))
    })  # fmt: skip
    return figures.bars(
        means, list(names), y_title="mean error (px)", intervals=ends, colours=dict(zip(means, ("orange", "blue"))),
        title="Few photos, many photos",
    )  # fmt: skip


def steps_figure(found: dict[str, Any], names: Sequence[str] = tuple(ROWS)) -> go.Figure:
    """Mean error after the usual and after the long training; the mean over the seeds that there are."""
    steps = [found["budget"][name] for name in ("steps", "long_steps")]
    rows = {n: [np.mean(values(found, ROWS[n][0] + suffix, ROWS[n][1])) for suffix in ("", "-long")] for n in names}
    return figures.curves(
        {name: (steps, row) for name, row in rows.items()}, mode="lines+markers", x_title="steps",
        y_title="mean error (px)", x_range=(0, 1.1 * steps[1]), y_range=(0, 1.1 * max(map(max, rows.values()))),
        colours=COLOURS, title="The same race, with more time",
    )  # fmt: skip


def stride_figure(found: dict[str, Any], measured: str = "median_px", strides: Sequence[int] = (2, 4, 8)) -> go.Figure:
    """Error of trained heat maps over the stride, read in three ways."""
    name = {"median_px": "median error (px)", "error_px": "mean error (px)"}[measured]
    means, bands = intervals({d: [values(found, f"heatmap-{s}", d, measured) for s in strides] for d in DECODERS})
    top = 1.1 * max(high.max() for _, high in bands.values())
    return figures.curves(
        {d: (strides, mean) for d, mean in means.items()}, bands=bands,
        x_title="stride (px)", y_title=name, x_range=(1.5, 8.5), y_range=(0, top),
        mode="lines+markers", colours={"argmax": "vermillion", "quarter shift": "orange", "DARK": "blue"},
        title="Trained heat maps on finer and coarser grids",
    )  # fmt: skip


def doubt(model: KeypointNet, photos: PhotoSet, joints: Sequence[str] = ("left_wrist", "right_wrist")) -> dict:
    """The map among those of `joints` whose second peak is highest compared with its first.

    Peaks are two cells of more than three cells distance along an axis.

    Returns:
        "photo", "joint" numbers, "map" (cells, cells), "ratio" of the two heights.
    """
    numbers = [JOINTS.index(joint) for joint in joints]
    with torch.no_grad():
        maps = model(photos.image)[:, numbers]
    cells = maps.shape[-1]
    flat = maps.flatten(-2).argmax(-1)
    index = torch.arange(cells)
    far_x = (index - flat[..., None] % cells).abs() > 3
    far_y = (index - flat[..., None] // cells).abs() > 3
    second = torch.where(far_y[..., :, None] | far_x[..., None, :], maps, 0.0).amax((-2, -1))
    ratio = second / maps.amax((-2, -1)).clamp_min(0.3)  # a map without any peak is another kind of doubt
    best = int(ratio.argmax())
    photo, joint = divmod(best, len(numbers))
    return {"photo": photo, "joint": numbers[joint], "map": maps[photo, joint], "ratio": ratio[photo, joint].item()}


def doubt_figure(models: Mapping[str, KeypointNet], photos: PhotoSet) -> go.Figure:
    """The most doubtful wrist of the test photos: the heat map, and where every network puts the joint.

    Args:
        models: name in the lesson -> network, all four of `ROWS`.
        photos: of the test set.
    """
    found = doubt(models["heat map"], photos)
    photo, joint = found["photo"], found["joint"]
    image = photos.select(slice(photo, photo + 1)).image
    with torch.no_grad():
        dots = {name: model.predict(image)[0, joint][None] for name, model in models.items()}
    name = JOINTS[joint].replace("_", " ")
    steps = (20 * found["map"].clamp(min=0)).round() / 20  # a few tones, so that the dots keep their colours in the PNG
    figure = figures.image_plane(
        skeletons={"true skeleton": photos.keypoints[photo]},
        dots={"truth": photos.keypoints[photo, joint][None]} | dots,
        heat=steps, heat_name="map", colours=COLOURS | {"true skeleton": "grey"},
        title=f"Where is the {name}? Photo {photo} of the test set",
    )  # fmt: skip
    sky = [[0, "#FFFFFF"], [1, figures.COLOURS["sky"]]]
    return figure.update_traces(colorscale=sky, selector={"type": "heatmap"})


def cost_table(models: Mapping[str, KeypointNet], batch: int = 16) -> str:
    """Markdown: what one photo costs, counted: the way forward, and what training keeps for the way back."""
    columns = ("parameters", "multiply-adds (millions)", "numbers that leave the network", "training memory (kB)")
    lines = []
    generator = torch.Generator().manual_seed(0)
    for name, model in models.items():
        one = cost(model)
        images = torch.rand(batch, 3, model.size, model.size, generator=generator)
        keypoints = torch.rand(batch, model.joints, 2, generator=generator) - 0.5
        step = partial(model.loss, images, keypoints, torch.ones(batch, model.joints))
        memory = kept_bytes(step, without=model.parameters()) / batch / 1000
        counts = [f"{one.parameters:,}", f"{one.multiply_adds / 1e6:.2f}", f"{one.output:,}", f"{memory:,.0f}"]
        lines.append([name, *counts])
    return markdown(["head", *columns], lines, numbers=True)


def speed_table(models: Mapping[str, KeypointNet], batches: Sequence[int] = (1, 32), repeats: int = 15) -> str:
    """Markdown: milliseconds of CPU time a photo, from picture to joints on this machine, the median of `repeats`."""
    lines = []
    for name, model in models.items():
        cells = [name]
        for batch in batches:
            images = torch.rand(batch, 3, model.size, model.size, generator=torch.Generator().manual_seed(0))
            taken = []
            with torch.no_grad():
                for _ in range(repeats):
                    start = time.process_time()
                    model.predict(images)
                    taken.append(time.process_time() - start)
            cells.append(f"{1000 * np.median(taken) / batch:.2f}")
        lines.append(cells)
    return markdown(["head", *(f"batch of {batch}: ms a photo" for batch in batches)], lines, numbers=True)


def temperature_figure(model: KeypointNet, photos: PhotoSet, temperatures: Sequence[float]) -> go.Figure:
    """Mean error of a trained heat-map network that is read by soft-argmax, over the temperature."""
    with torch.no_grad():
        maps = torch.cat([model(photos.select(slice(i, i + 128)).image) for i in range(0, len(photos), 128)])
    half = photos.pixels.shape[-1] / 2

    def error(points: torch.Tensor) -> float:
        return half * distances(points, photos.keypoints)[photos.inside].mean().item()

    middle = error(torch.zeros_like(photos.keypoints))
    return figures.curves(
        {"soft-argmax": (temperatures, [error(heatmaps.soft_argmax(maps, t)) for t in temperatures])},
        x_title="temperature", y_title="mean error (px)", x_log=True, y_range=(0, 1.15 * middle),
        colours={"soft-argmax": "green"},
        lines={"always the middle of the photo": middle, "DARK": error(heatmaps.dark(maps, model.sigma))},
        mode="lines+markers", title="A heat map of height 1, read as logits",
    )  # fmt: skip
