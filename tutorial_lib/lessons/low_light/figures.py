"""The static figures of lesson 12."""

import plotly.graph_objects as go

from tutorial_lib.display import figures
from tutorial_lib.display.claims import intervals
from tutorial_lib.lessons.low_light.recipes import Row
from tutorial_lib.lessons.low_light.results import Results

BARS: dict[Row, str] = {
    "bright": "well-lit", "dark": "dark", "all": "both", "enhanced": "LIME", "dann": "DANN", "lsbn": "LSBN",
    "ours": "LSBN + LUPI", "strong": "10 × LUPI",
}  # fmt: skip


def rows_figure(found: Results) -> go.Figure:
    """Night and day of every row that began with lesson 01's network: means and 95 % intervals over trainings."""
    means, ends = intervals(
        {
            title: [found.values(row, test) for row in BARS]
            for title, test in (("night, mean of three levels", "night"), ("day", "WL"))
        }
    )
    colours = dict(zip(means, ("blue", "orange")))
    return figures.bars(
        means, list(BARS.values()), y_title="PCK (%)", intervals=ends, y_range=(0, 100), title="Night and day",
        colours=colours,
    )  # fmt: skip
