"""The static figures of lesson 09."""

import plotly.graph_objects as go

from tutorial_lib.display import figures
from tutorial_lib.display.claims import intervals
from tutorial_lib.lessons.characteristic_function.recipes import GROUPS, ROWS
from tutorial_lib.lessons.characteristic_function.results import Group, Results

ASKED: tuple[Group, ...] = ("near", "far", "behind")
COLOURS = dict(zip(ROWS.values(), ("blue", "purple", "vermillion")))
"""Of the losses, as in the demos: L2, the mixture, CF."""


def rows_figure(found: Results) -> go.Figure:
    """PCK@0.1 of each loss, a bar a group of joints: mean and 95 % interval over trainings."""
    means, ends = intervals({ROWS[row]: [found.values(row, "pck10", group) for group in ASKED] for row in ROWS})
    names = [GROUPS[group] for group in ASKED]
    return figures.bars(
        means, names, y_title="PCK@0.1 (%)", intervals=ends, title="Joints within 0.1 of the own size", colours=COLOURS
    )


def gains_figure(found: Results) -> go.Figure:
    """What each loss with CF wins over L2, paired by seed: mean and 95 % interval over trainings."""
    pairs = {ROWS[row]: [found.difference(row, "l2", "pck10", group) for group in ASKED] for row in ("mix", "cf")}
    means, ends = intervals(pairs)
    names = [GROUPS[group] for group in ASKED]
    return figures.bars(
        means, names, y_title="PCK@0.1 minus that of L2 (points)", intervals=ends, title="Against L2", colours=COLOURS
    )
