"""The first live demo of lesson 04: which frames one pose depends on, and what that costs."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider, steps
from tutorial_lib.lifting import SingleFrameLifter, TemporalLifter, count_parameters, flops_per_frame
from tutorial_lib.lifting.receptive_field import Layer, connections, paths
from tutorial_lib.skeleton import JOINTS

RATE = 50
"""Frames per second of Human3.6M and of the course's motions."""

SPANS = (31, 91, 271, 811, 2431, 9001, 20001)
"""How many frames the axis shows: the first of these that the receptive field fits into."""

MOST_LAYERS = 5
MOST_LINES = 81
"""Nodes of one layer that get lines, so that the picture of a large network stays a picture."""


def seen_frames(layers: int, width: int, dilated: bool, causal: bool, span: int | None = None) -> dict:
    """Build the network of one channel and measure what its output sees.

    Args:
        layers: of the network.
        width: frames that a filter of each layer sees.
        dilated: whether the filters have gaps; otherwise strides.
        causal: whether only the past is seen.
        span: how many frames to try; by default one of `SPANS`.

    Returns:
        frame, count: (span,) place relative to the output's frame, number of paths from there.
        model: the network.
        layers: its diagram, from `receptive_field.connections`.
        low, high: range of the axis in frames.
    """
    model = TemporalLifter(widths=(width,) * layers, channels=1, joints=1, causal=causal, dilated=dilated, dropout=0)
    span = span or next(s for s in SPANS if s >= 1.1 * model.frames)
    low = -round(0.93 * span) if causal else -(span // 2)
    high = low + span - 1
    frame, count = paths(model, margin=span - model.frames)
    shown = (frame >= low) & (frame <= high)
    return {
        "model": model, "frame": frame[shown].numpy(), "count": count[shown].numpy(), "low": low, "high": high,
        "layers": connections(model.widths, model.dilations, causal, most=MOST_LINES),
    }  # fmt: skip


def half_of_paths(count: np.ndarray) -> int:
    """The smallest number of frames from which half of all paths come."""
    rising = np.cumsum(np.sort(count)[::-1])
    return int(np.searchsorted(rising, rising[-1] / 2) + 1)


def segments(pairs: Sequence, low: float) -> np.ndarray:
    """Lines (below, above) of the layer between heights `low` and `low` + 1: (3 * lines, 2), NaN lifts the pen."""
    ends = np.asarray(pairs, dtype=np.float64).reshape(-1, 2)
    lines = np.full((len(ends), 3, 2), np.nan)
    lines[:, :2, 0] = ends
    lines[:, :2, 1] = low, low + 1
    return lines.reshape(-1, 2)


def comb(frames: np.ndarray, low: float, high: float) -> np.ndarray:
    """An upright stroke at every frame: (3 * frames, 2), NaN lifts the pen."""
    lines = np.full((len(frames), 3, 2), np.nan)
    lines[:, :2, 0] = frames[:, None]
    lines[:, :2, 1] = low, high
    return lines.reshape(-1, 2)


def strokes(arrays: dict) -> dict[str, np.ndarray]:
    """The diagram as named polylines (points, 2) in frames and layers."""
    thin = -(-len(arrays["frame"]) // 2431)
    frame, seen = arrays["frame"][::thin], arrays["count"][::thin] > 0
    layers: list[Layer] = arrays["layers"]
    return {
        "not seen": comb(frame[~seen], -0.36, -0.16),
        "seen": comb(frame[seen], -0.45, -0.05),
        "residual": np.concatenate([segments(layer.residuals, height) for height, layer in enumerate(layers)]),
        "convolution": np.concatenate([segments(layer.taps, height) for height, layer in enumerate(layers)]),
    }


STYLE = {
    "not seen": ("grey", 0.5),
    "seen": ("vermillion", 1.0),
    "residual": ("orange", 3.0),
    "convolution": ("blue", 0.6),
}
"""Colour and width (times the line width that fits the number of lines) of the parts of the diagram."""


def line_width(arrays: dict) -> float:
    """Thick lines where there are few: pixels."""
    return float(np.clip(60 / (arrays["high"] - arrays["low"]), 0.9, 2.0))


def layer_names(layers: list[Layer], channels: int) -> dict[str, float]:
    """Names and heights of the rows: filter width × distance of its taps, and the tensor that comes out.

    Sizes are those of the sequence form for one pose, (frames, channels), as the paper's figure 2 has them.
    """
    lost = [(layer.width - 1) * layer.dilation for layer in layers]
    names = {f"in: ({1 + sum(lost)}, {2 * len(JOINTS)})": -0.25}
    for height, layer in enumerate(layers, start=1):
        title = f"block {height - 1}" if height > 1 else "first"
        names[f"{title}: {layer.width}×{layer.dilation} → ({1 + sum(lost[height:])}, {channels})"] = float(height)
    return names


def seconds(frames: int) -> str:
    """How long so many frames are."""
    return f"{frames / RATE:.2f}" if frames < 50 * RATE else f"{frames / RATE:.0f}"


def compute_architecture(layers: int, width: int, dilated: bool, causal: bool, channels: int) -> dict[str, Any]:
    """What `architecture_demo` shows for these values of its controls."""
    arrays = seen_frames(layers, width, dilated, causal)
    with torch.device("meta"):  # counted, not computed
        full = TemporalLifter(widths=(width,) * layers, channels=channels, causal=causal, dilated=dilated)
    seen = arrays["frame"][arrays["count"] > 0]
    return arrays | {
        "field": len(seen),
        "past": int(-seen.min()),
        "future": int(seen.max()),
        "formula": full.frames,
        "half": half_of_paths(arrays["count"]),
        "parameters": count_parameters(full),
        "flops": flops_per_frame(full),
    }


def view_architecture(single: Any, arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `architecture_demo`."""
    thick, drawn = line_width(arrays), strokes(arrays)
    across = stage.axis("frame, relative to the output", arrays["low"] - 0.5, arrays["high"] + 0.5)
    parts = [
        stage.series(name, *drawn[name].T, colour=colour, width=max(0.8, thick * factor))
        for name, (colour, factor) in STYLE.items()
    ]
    few = [(node, height) for height, layer in enumerate(arrays["layers"], 1) for node in layer.nodes[:MOST_LINES]]
    if arrays["high"] - arrays["low"] < 100:
        nodes = np.array(few)
        parts.append(stage.series("feature", *nodes.T, mode="markers", colour="blue", width=1.5 * thick))
    top = len(arrays["layers"])
    parts.append(stage.series("output", [0], [top], mode="markers", symbol="diamond", colour="ink", width=6))
    share = arrays["count"] / arrays["count"].max()
    bars = len(share) < 300
    weights = stage.series(
        "paths",
        arrays["frame"],
        share,
        colour="vermillion",
        mode="bars" if bars else "line",
        bar=1.0 if len(share) > 91 else 0.8,
        width=1.5,
    )
    return stage.panes(
        stage.curve(
            parts,
            x=across,
            y=stage.axis("", -0.7, MOST_LAYERS + 0.4, ticks=layer_names(arrays["layers"], params["channels"])),
            title="what leads to one pose (filter width × distance of its taps → size)",
            weight=1.7,
            handles=[stage.handle("how many layers", (0, top), axis="y")],
        ),
        stage.curve(
            [weights],
            x=across,
            y=stage.axis("paths, most = 1", 0, 1.05),
            now=0,
            title="how often a frame is used",
        ),
        stage.table(
            [
                "", "sees (frames)", "by formula", "at 50 Hz (s)", "future (s)", "half the paths (frames)",
                "parameters (M)", "MFLOPs a pose",
            ],
            [
                [
                    "this network", arrays["field"], arrays["formula"], seconds(arrays["field"]),
                    seconds(arrays["future"]), arrays["half"], f"{arrays['parameters'] / 1e6:.2f}",
                    f"{arrays['flops'] / 1e6:.2f}",
                ],
                [
                    "single frame", 1, 1, seconds(1), seconds(0), 1,
                    f"{count_parameters(single) / 1e6:.2f}", f"{flops_per_frame(single) / 1e6:.2f}",
                ],
            ],
        ),
        note=f"sees {arrays['past']} frames before and {arrays['future']} after its own"
        + "; of its many lines only some are drawn" * any(len(n.nodes) > MOST_LINES for n in arrays["layers"]),
        height=182,
    )  # fmt: skip


def architecture_demo() -> Demo:
    """Choose filters, see the connections that lead to one pose, and what they cost."""
    with torch.device("meta"):
        single = SingleFrameLifter()

    controls = {
        "layers": slider(3, 1, MOST_LAYERS, 1, "layers"),
        "width": steps([1, 3, 5, 7], 3, "filter width (frames)"),
        "dilated": choice([("dilated", True), ("ordinary", False)], True, "convolutions"),
        "causal": choice([("centred: past and future", False), ("causal: only the past", True)], False, "filters"),
        "channels": steps([64, 128, 256, 512, 1024], 1024, "channels"),
    }
    paper = {"width": 3, "dilated": True, "causal": False, "channels": 1024}
    presets = {
        "27 frames (paper)": {"layers": 3, **paper},
        "243 frames (paper)": {"layers": 5, **paper},
        "no dilation": {"layers": 5, **paper, "dilated": False},
        "causal": {"layers": 3, **paper, "causal": True},
    }
    return live(
        compute_architecture,
        partial(view_architecture, single),
        controls,
        presets=presets,
        folded=("causal", "channels"),
        grabs={"how many layers": lambda at, params: {"layers": at[1]}},
        plays="layers",
        title="Which frames does one pose depend on?",
    )
