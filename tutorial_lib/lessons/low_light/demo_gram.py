"""Gram is blind to place: move one of two feature maps, and ask two losses whether anything changed."""

from functools import cache, partial
from typing import Any

import numpy as np
import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.lessons.low_light.pictures import test_photos
from tutorial_lib.low_light import LowLightNet, day, gram

MOST = 8


@cache
def features(net: LowLightNet, stage_number: int, photo: int) -> torch.Tensor:
    """(C, H, W) what a stage says of a photo by day."""
    with torch.no_grad():
        return net.features(day(test_photos().pixels[photo][None]), "bright")[1][stage_number][0]


def compare(map_: torch.Tensor, other: torch.Tensor) -> tuple[float, float]:
    """How far two (C, H, W) are apart, in parts of the first: cell by cell, and by their Gram matrices."""
    cells = (map_ - other).square().sum() / map_.square().sum()
    one, two = gram(map_[None]), gram(other[None])
    return float(cells), float((one - two).square().sum() / one.square().sum())


def compute_gram(net: LowLightNet, shift: int, stage_number: int, channel: int, photo: int) -> dict[str, Any]:
    """What `gram_demo` shows for these values of its controls."""
    here = features(net, stage_number, photo)
    curves = np.array([compare(here, here.roll(by, -1)) for by in range(MOST + 1)])
    shown = here[channel % len(here)]
    top = float(shown.max().clamp_min(1e-6))
    return {"here": shown / top, "moved": shown.roll(shift, -1) / top, "curves": curves}


def view_gram(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `gram_demo`."""
    shift, along = params["shift"], np.arange(MOST + 1)
    cells, grams = arrays["curves"][shift]
    return stage.panes(
        stage.image(heat=arrays["here"], heat_name="teacher", cross=None, margin=0.02, title="one channel, by day"),
        stage.image(
            heat=arrays["moved"], heat_name="moved", cross=None, margin=0.02, title=f"moved by {shift} cells",
        ),
        stage.curve(
            [
                stage.series("cell by cell", along, 100 * arrays["curves"][:, 0], colour="vermillion", dash="dash"),
                stage.series("Gram", along, 100 * arrays["curves"][:, 1], colour="blue"),
            ],
            x=stage.axis("cells moved", 0, MOST), y=stage.axis("difference (%)", 0, 200), now=shift, grab="walk",
            title="what two losses say", weight=1.3,
        ),
        height=270,
        note=f"cell by cell they differ by {100 * cells:.0f} %, by their Gram matrices by {100 * grams:.2f} %",
    )  # fmt: skip


def gram_demo(net: LowLightNet) -> Demo:
    """Move a feature map round the edge of its picture."""
    controls = {
        "shift": slider(0, 0, MOST, 1, "moved by (cells)"),
        "stage_number": choice([("1", 0), ("2", 1), ("3", 2)], 0, "stage"),
        "channel": slider(3, 0, 15, 1, "channel"),
        "photo": slider(0, 0, 7, 1, "photo"),
    }
    start = {"stage_number": 0, "channel": 3, "photo": 0}
    presets = {"in place": start | {"shift": 0}, "two cells": start | {"shift": 2}, "far off": start | {"shift": MOST}}
    return live(
        partial(compute_gram, net), view_gram, controls, presets=presets, folded=("photo",),
        title="Gram is blind to place", plays="shift", recorded=("shift",),
        grabs={"walk": lambda at, params: {"shift": at[0]}},
    )  # fmt: skip


def two_cells(net: LowLightNet, photo: int = 0) -> tuple[float, float]:
    """Both differences in per cent when the first stage's map is moved by two cells."""
    here = features(net, 0, photo)
    cells, grams = compare(here, here.roll(2, -1))
    return 100 * cells, 100 * grams
