"""Which network sees it? The same photo while the light goes, asked of four networks."""

from functools import cache, lru_cache, partial
from typing import Any

import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.lessons.low_light.examination import as_seen, judged, light_of
from tutorial_lib.lessons.low_light.pictures import (
    COLOURS,
    DASHES,
    SHOWN,
    Networks,
    exposure_of,
    in_words,
    steps_of,
    test_photos,
)
from tutorial_lib.lessons.low_light.recipes import EXPOSURES, ROWS, Row
from tutorial_lib.lessons.low_light.results import Results
from tutorial_lib.low_light import Light, LowLightNet, dark_twins

DARKEST = 8
OTHER: dict[Light, Light] = {"dark": "bright", "bright": "dark"}


@cache
def seen(halvings: float) -> tuple[torch.Tensor, torch.Tensor]:
    """All test photos of the demo at this light: as a camera gives them, and as networks get them."""
    photos, exposure = test_photos(), exposure_of(halvings)
    if exposure == 1:
        return photos.pixels, as_seen(photos.pixels, 1.0)
    light = torch.full((len(photos.pixels),), exposure)
    pixels = dark_twins(photos.pixels, light, torch.Generator().manual_seed(3))
    return pixels, as_seen(pixels, exposure)


@lru_cache(maxsize=256)  # all networks answer for all photos: a slider that comes back need not ask again
@torch.no_grad()
def said(net: LowLightNet, halvings: float, right: bool) -> torch.Tensor:
    """(B, 17, 2) what a network says of all photos, its lamp switch right or wrong."""
    light = light_of(exposure_of(halvings))
    return net.predict(seen(halvings)[1], light if right else OTHER[light])


def compute_nets(
    nets: Networks, curves: dict[Row, list[float]], halvings: float, network: Row, photo: int, right: bool
) -> dict[str, Any]:
    """What `nets_demo` shows for these values of its controls."""
    photos = test_photos()
    points = {row: said(getattr(nets, row), halvings, right) for row in SHOWN}
    off = {row: (p[photo] - photos.keypoints[photo]).norm(dim=-1)[photos.inside[photo]] for row, p in points.items()}
    return {
        "image": seen(halvings)[1][photo].clamp(0, 1), "truth": photos.keypoints[photo],
        "points": points[network][photo], "curves": curves,
        "px": {row: 32 * errors.mean().item() for row, errors in off.items()},
        "pck": {row: judged(p, photos)["pck"] for row, p in points.items()},
    }  # fmt: skip


def view_nets(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `nets_demo`."""
    network, along = params["network"], [steps_of(light) for light in EXPOSURES]
    exposure = exposure_of(params["halvings"])
    return stage.panes(
        stage.image(
            picture=arrays["image"].permute(1, 2, 0), cross=None, margin=0.02,
            skeletons=[
                stage.skeleton2d("truth", arrays["truth"], width=2.0),
                stage.skeleton2d(ROWS[network], arrays["points"], colour=COLOURS[network], width=3.0),
            ],
            title=in_words(exposure) + (", amplified" if light_of(exposure) == "dark" else ""),
        ),
        stage.curve(
            [
                stage.series(
                    ROWS[row], along, values, colour=COLOURS[row], dash=DASHES[row], mode="line+markers",
                    width=4.0 if row == network else 2.0,
                )
                for row, values in arrays["curves"].items()
            ],
            x=stage.axis("halvings of the light", 0, DARKEST), y=stage.axis("PCK (%)", 0, 100),
            now=params["halvings"], grab="walk", title="1,000 test photos, the switch right", weight=1.5,
        ),
        stage.table(
            ["", *(ROWS[row] for row in SHOWN)],
            [
                ["this photo (px off)", *(f"{value:.1f}" for value in arrays["px"].values())],
                [f"{len(test_photos().pixels)} photos (PCK, %)", *(f"{v:.0f}" for v in arrays["pck"].values())],
            ],
        ),
        height=222,
        note="" if params["right"] else "the lamp switch is wrong",
    )  # fmt: skip


def nets_demo(nets: Networks, found: Results) -> Demo:
    """Walk into the dark with four networks, and lie about the lamp."""
    curves = {row: found.curve(row) for row in SHOWN}
    controls = {
        "halvings": slider(0, 0, DARKEST, 0.5, "halvings of the light"),
        "network": choice([(ROWS[row], row) for row in SHOWN], "well", "network"),
        "photo": slider(0, 0, 11, 1, "photo"),
        "right": choice([("right", True), ("wrong", False)], True, "lamp switch"),
    }
    usual = {"photo": 0, "right": True}
    presets = {
        "day": usual | {"halvings": 0, "network": "well"},
        "LL-E, lesson 01's": usual | {"halvings": 7, "network": "well"},
        "LL-E, the paper's": usual | {"halvings": 7, "network": "ours"},
        "day, dark only": usual | {"halvings": 0, "network": "dark"},
    }
    return live(
        partial(compute_nets, nets, curves), view_nets, controls, presets=presets, title="Which network sees it?",
        folded=("right",), plays="halvings", recorded=("halvings",),
        grabs={"walk": lambda at, params: {"halvings": at[0]}},
    )  # fmt: skip
