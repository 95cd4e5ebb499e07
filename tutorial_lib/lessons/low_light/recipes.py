"""What lesson 12's experiment trains: budgets, and one way to learn from twins a row."""

from dataclasses import dataclass
from typing import Literal, get_args

from tutorial_lib.low_light import LEVELS

Row = Literal["well", "bright", "dark", "all", "enhanced", "dann", "lsbn", "ours", "strong", "scratch"]
ROWS: dict[Row, str] = {
    "well": "lesson 01's network, untouched",
    "bright": "well-lit only",
    "dark": "dark only",
    "all": "both, one set of norms",
    "enhanced": "both, the dark through LIME",
    "dann": "both, DANN",
    "lsbn": "both, LSBN",
    "ours": "both, LSBN + LUPI",
    "strong": "both, LSBN + 10 × LUPI",
    "scratch": "dark only, from random weights",
}
"""What tables call them; the paper's method is "ours" there."""

TRAINED: tuple[Row, ...] = tuple(row for row in get_args(Row) if row != "well")
"""Rows that are trained; "well" is lesson 01's network, where all but "scratch" begin."""

SHIPPED: tuple[Row, ...] = ("dark", "all", "ours")
"""Networks that the lesson shows, of training seed 0."""

START = "world-heatmap-4"
"""Lesson 01's network: trained by day from random weights."""

DAY = "WL"
"""What the paper calls well-lit pictures."""

TESTS = (*LEVELS, DAY)
"""Levels of darkness and daylight."""

THRESHOLD = 0.15
"""A joint counts as found within this part of half the picture's width: 4.8 of 64 pixels."""

EXPOSURES = (1.0, 0.3, 0.1, 0.05, 0.028, 0.018, 0.012, 0.0075, 0.005)
"""Of the curves over darkness."""

LAMP = 0.15
"""Below this exposure the lamp counts as off: pictures are amplified, and two-sided norms use their dark side."""


@dataclass(frozen=True)
class Budget:
    """How much of everything.

    Attributes:
        steps: of a training.
        scratch_steps: of one from random weights; lesson 01's had as many.
        search_steps: of one that chooses a setting.
        photos, validation, test: how many.
        pictures: a step, whatever the row.
        searched: whether settings are chosen first.
    """

    steps: int
    scratch_steps: int
    search_steps: int
    photos: int = 6000
    validation: int = 400
    test: int = 1000
    pictures: int = 32
    searched: bool = True


BUDGETS = {
    "shipped": Budget(500, 3000, 250),
    # For a machine with a GPU: all rows and seeds of one training within ten minutes there, estimated.
    "gpu": Budget(10000, 20000, 1000, photos=40000, test=2000, pictures=64),
    # Proves that every row runs; the networks are worth nothing.
    "smoke": Budget(2, 2, 1, photos=6, validation=4, test=4, pictures=4, searched=False),
}
