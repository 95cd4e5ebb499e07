"""The static figures of lesson 07."""

from collections.abc import Sequence

import plotly.graph_objects as go

from tutorial_lib.display import figures
from tutorial_lib.display.claims import intervals
from tutorial_lib.lessons.geometry_aware.recipes import GROUPS, TESTS
from tutorial_lib.lessons.geometry_aware.results import Results, Test

SHORT = {"ours": "ours", "plain": "auto-encoder", "splat": "splatted"}
CURVES = {"frozen": "on the representation", "scratch": "from scratch", "random": "on random layers"}


def retrieval_figure(found: Results, rows: Sequence[str] = tuple(SHORT)) -> go.Figure:
    """How often the same moment is found first, a group of bars a training: mean and 95 % interval over trainings."""
    samples = {
        name: [100 * found.retrieval(row, how) for row in rows]
        for name, how in (("turned", "turned"), ("not turned", "raw"))
    }
    means, ends = intervals(samples)
    return figures.bars(
        means, [SHORT[row] for row in rows], y_title="found first (%)", intervals=ends,
        title="The same moment in the other camera", y_range=(0, 100),
    )  # fmt: skip


def labels_figure(found: Results, test: Test = "test") -> go.Figure:
    """Error over the number of labelled groups; shades are 95 % intervals over trainings."""
    means, ends = intervals({title: [found.values(mode, n, test) for n in GROUPS] for mode, title in CURVES.items()})
    return figures.curves(
        {name: (GROUPS, values) for name, values in means.items()},
        bands={name: tuple(rows) for name, rows in ends.items()},
        x_title="labelled groups of four photos", y_title="MPJPE (mm)", x_log=True, mode="lines+markers",
        lines={"mean pose": found.blind("mean pose", "mpjpe", test)}, y_range=(0, 320), title=TESTS[test],
    )  # fmt: skip


def way_figure(found: Results) -> go.Figure:
    """How often a moment is found first on validation people while the representation is trained; seed 0 goes on."""
    series, bands = {}, {}
    for name, what in (("turned", "turned"), ("not turned", "raw")):
        steps, values = found.on_the_way("ours", what)
        means, ends = intervals({name: list(100 * values.T)})
        series[name], bands[name] = (steps, means[name]), tuple(ends[name])
    steps, values = found.on_the_way("ours-more", "turned")
    series["turned, one with more groups"] = (steps, 100 * values[0])
    return figures.curves(
        series, bands=bands, x_title="steps", y_title="found first (%)", y_range=(0, 100),
        title="While it learns, validation people", mode="lines+markers",
    )  # fmt: skip
