"""The static figures of lesson 10."""

import plotly.graph_objects as go

from tutorial_lib.display import figures
from tutorial_lib.display.claims import intervals
from tutorial_lib.lessons.mesh_recovery.recipes import ANGLES
from tutorial_lib.lessons.mesh_recovery.results import Results


def angles_figure(found: Results) -> go.Figure:
    """The turnable rows, asked from three sides."""
    means, ends = intervals(
        {
            title: [found.values(row, f"at {angle}") for angle in ANGLES]
            for row, title in (("seen", "told the seen side"), ("unseen", "told unseen sides too"))
        }
    )
    names = [f"{angle}°" for angle in ANGLES]
    colours = dict(zip(means, ("vermillion", "blue")))  # as in the demo of turning
    return figures.bars(
        means, names, y_title="MPJPE (mm)", intervals=ends, title="Asked from elsewhere", colours=colours
    )
