"""The static figures of lesson 13."""

import plotly.graph_objects as go

from tutorial_lib.display import figures
from tutorial_lib.display.claims import intervals
from tutorial_lib.lessons.egocentric.recipes import ROWS, TESTS
from tutorial_lib.lessons.egocentric.results import HEADS, Results, Test

SHORT = ("none", "hole", "classic", "learned", "true", "body", "estimated")


def rows_figure(found: Results, metric: str, test: Test = "floor") -> go.Figure:
    """One bar a kind of scene: mean and 95 % interval over trainings."""
    means, ends = intervals({TESTS[test]: [found.values(kind, metric, test) for kind in ROWS]})
    title = f"{HEADS[metric].split(' (')[0]}, {TESTS[test]}"
    return figures.bars(means, SHORT, y_title=HEADS[metric], intervals=ends, title=title)


def followed_figure(found: Results) -> go.Figure:
    """By how much the feet rise when the scene is raised by 100 mm, a bar a kind of scene."""
    means, ends = intervals({"feet rise by": [found.values(kind, "followed") for kind in ROWS]})
    return figures.bars(
        means, SHORT, y_title="feet rise by (mm)", intervals=ends, title="The floor is raised by 100 mm"
    )
