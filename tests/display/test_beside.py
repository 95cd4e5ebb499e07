"""Two figures beside each other as one: axes, titles, marks and legends of each stay in its own half."""

import numpy as np
import plotly.graph_objects as go
import pytest

from tutorial_lib.display import figures, preview
from tutorial_lib.display.beside import HALVES, beside


def curve(name, title, **options):
    return figures.curves(
        {name: ([0, 1], [0, 2]), "same": ([0, 1], [2, 0])}, x_title="x", y_title="y", title=title, **options
    )


@pytest.fixture
def pair():
    return beside(curve("left", "Left", lines={"limit": 1.0}), curve("right", "Right", lines={"other": 0.5}))


def test_every_trace_and_mark_stays_in_its_half(pair):
    assert [(trace.name, trace.xaxis, trace.yaxis) for trace in pair.data] == [
        ("left", "x", "y"), ("same", "x", "y"), ("right", "x2", "y2"), ("same", "x2", "y2"),
    ]  # fmt: skip
    assert [tuple(pair.layout[name].domain) for name in ("xaxis", "xaxis2")] == list(HALVES)
    assert [(shape.xref, shape.yref) for shape in pair.layout.shapes] == [("x domain", "y"), ("x2 domain", "y2")]
    words = {note.text: note.xref for note in pair.layout.annotations}
    assert words == {"limit": "x domain", "Left": "x domain", "other": "x2 domain", "Right": "x2 domain"}


def test_each_has_its_own_legend_below_it(pair):
    assert [trace.legend for trace in pair.data] == ["legend", "legend", "legend2", "legend2"]
    assert [pair.layout[name].x for name in ("legend", "legend2")] == [start for start, _ in HALVES]


def test_many_names_take_more_rows_and_the_figure_stays_as_high():
    many = figures.bars({f"a rather long name {i}": [1.0] for i in range(5)}, ["one"], y_title="y")
    made = beside(many, curve("right", "Right"))
    assert len({trace.legend for trace in made.data if trace.type == "bar"}) > 1
    assert made.layout.height == figures.HEIGHT


def test_names_share_a_row_only_where_a_slide_has_room_for_them():
    """There letters are larger: two long names of the left half would run into the right one."""
    long = figures.curves({name: ([0, 1], [0, 1]) for name in ("random lenses only", "random lenses and mountings")},
                          x_title="x", y_title="y")  # fmt: skip
    made = beside(long, curve("right", "Right"))
    assert [trace.legend for trace in made.data[:2]] == ["legend", "legend3"]


def test_pictures_of_both_are_painted(pair):
    assert preview.png(pair, halves=True).startswith(b"\x89PNG")
    photo = figures.picture(np.zeros((4, 4, 3)), "photo")
    assert preview.png(beside(photo, curve("right", "Right")), halves=True).startswith(b"\x89PNG")


def test_what_moves_or_is_in_space_stands_alone():
    still = curve("left", "Left")
    with pytest.raises(ValueError, match="figure 2 moves or is in space"):
        beside(still, figures.sweep([still, still], ["a", "b"], "step"))
    with pytest.raises(ValueError, match="figure 1 moves or is in space"):
        beside(go.Figure(go.Scatter3d(x=[0], y=[0], z=[0])), still)
