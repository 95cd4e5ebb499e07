"""What several demos of lesson 12 show alike: the photos, their networks and colours."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch

from tutorial_lib import checkpoints
from tutorial_lib.datasets.photos import PhotoSet, photo_set
from tutorial_lib.display import stage
from tutorial_lib.lessons.low_light.examination import load_net
from tutorial_lib.lessons.low_light.recipes import Row
from tutorial_lib.low_light import LowLightNet

SHOWN: tuple[Row, ...] = ("well", "dark", "all", "ours")
"""Networks that demos can ask."""

COLOURS: dict[Row, str] = {
    "well": "vermillion", "bright": "vermillion", "dark": "purple", "all": "orange", "enhanced": "grey",
    "dann": "sky", "lsbn": "green", "ours": "blue", "strong": "grey", "scratch": "grey",
}  # fmt: skip
DASHES: dict[Row, stage.Dash] = {"well": "dash", "dark": "dot", "all": "dash", "ours": "solid"}
PHOTOS = 48


class Networks(NamedTuple):
    """The networks of `SHOWN`, in eval mode."""

    well: LowLightNet
    dark: LowLightNet
    all: LowLightNet
    ours: LowLightNet


@cache
def networks(folder: Path = checkpoints.FOLDER) -> Networks:
    """Those that the experiment kept in a folder."""
    return Networks(*(load_net(row, folder) for row in SHOWN))


@cache
def test_photos() -> PhotoSet:
    """Photos of people and motions that no training saw."""
    return photo_set("test", PHOTOS)


def exposure_of(halvings: float) -> float:
    """The light that is left after it was halved so many times."""
    return 2.0**-halvings


def in_words(exposure: float) -> str:
    """Such as "1/128 of the light"."""
    return "all of the light" if exposure == 1 else f"1/{1 / exposure:.0f} of the light"


def steps_of(exposure: float) -> float:
    """How often the light was halved."""
    return -float(torch.tensor(exposure).log2())
