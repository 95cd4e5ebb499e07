"""Two figures beside each other, as one: what is compared stands on one screen."""

from collections.abc import Iterator
from itertools import chain
from textwrap import wrap
from typing import Any

import plotly.graph_objects as go

from tutorial_lib.display.figures import HEIGHT, TEMPLATE

HALVES = ((0.0, 0.45), (0.55, 1.0))
ROW = 54
"""Characters of names and swatches that one row of a legend takes in half a lesson's width."""
TITLE = 54
"""Characters of a title's line."""
LEGEND_ROW = 24
"""CSS pixels of a legend's row."""
NO_LEGEND = 52
"""CSS pixels below the axes that their own words need."""


def beside(left: go.Figure, right: go.Figure) -> go.Figure:
    """Both figures in one: each keeps its axes, title and legend; the legend lies below its own half.

    Args:
        left: of flat axes (no scene), without frames.
        right: the same.

    Raises:
        ValueError: a sweep, or a figure in space.
    """
    made, shapes, notes = go.Figure(), [], []
    rows = [list(_legend_rows(figure)) for figure in (left, right)]
    number, deep = 0, max(map(len, rows))
    plot = HEIGHT - 55 - NO_LEGEND - LEGEND_ROW * deep
    for side, (figure, legends, (start, end)) in enumerate(zip((left, right), rows, HALVES)):
        if figure.frames or any(trace.type == "scatter3d" for trace in figure.data):
            raise ValueError(
                f"figure {side + 1} moves or is in space, expected a still one in flat axes: show it alone"
            )
        layout = figure.to_plotly_json()["layout"]
        known = {name: _numbered(name[0], number + place) for name, place in _axes(layout)}
        number += 1 + max(place for _, place in _axes(layout))
        for name, new in known.items():
            axis = dict(layout.get(f"{name[0]}axis{name[1:]}", {}))
            for key in ("anchor", "scaleanchor", "overlaying", "matches"):
                if key in axis:
                    axis[key] = known.get(axis[key], axis[key])
            if name[0] == "x":
                low, high = axis.get("domain", (0, 1))
                axis["domain"] = [start + low * (end - start), start + high * (end - start)]
            words = dict(axis.get("title") or {})
            axis |= {"title": words | {"standoff": 4, "font": {"size": 14}}, "tickfont": {"size": 13}}
            axis.setdefault("anchor", known[("y" if name[0] == "x" else "x") + name[1:]])
            made.layout[f"{new[0]}axis{new[1:]}"] = axis
        rank = {name: place for place, names in enumerate(legends) for name in names}
        for trace in figure.data:
            moved = {"xaxis": known[trace.xaxis or "x"], "yaxis": known[trace.yaxis or "y"]}
            if trace.name in rank:
                moved["legend"] = _legend(side, rank[trace.name])
            elif trace.type not in ("image", "heatmap"):
                moved["showlegend"] = False
            made.add_trace(trace).data[-1].update(moved)
        whole = f"{known['x']} domain"
        for mark, marks in chain(_each(layout, "shapes", shapes), _each(layout, "annotations", notes)):
            across, upright = mark.get("xref", "x"), mark.get("yref", "y")
            marks.append(mark | {"xref": whole if across == "paper" else _renamed(across, known),
                                 "yref": "paper" if upright == "paper" else _renamed(upright, known)})  # fmt: skip
        if title := (layout.get("title") or {}).get("text"):
            middle = {"xref": whole, "x": 0.5, "xanchor": "center", "showarrow": False}
            above = {"font": {"size": 15}, "yref": "paper", "y": 1.02, "yanchor": "bottom"}
            notes.append({"text": "<br>".join(wrap(title, TITLE))} | above | middle)
        for place in range(len(legends)):
            low = -(NO_LEGEND + LEGEND_ROW * place) / plot
            lying = {"orientation": "h", "x": start, "y": low, "yanchor": "top", "font": {"size": 14}}
            made.layout[_legend(side, place)] = lying
    made.update_layout(template=TEMPLATE, shapes=shapes, annotations=notes, height=HEIGHT, showlegend=True)
    made.update_layout(margin={"b": NO_LEGEND + LEGEND_ROW * deep}, barmode="group")
    return made


def _axes(layout: dict) -> Iterator[tuple[str, int]]:
    """(plotly's name for a trace's axis, its place from 0) of all axes."""
    found = {key.replace("axis", "") for key in layout if key[1:5] == "axis"} | {"x", "y"}
    found |= {other + name[1:] for name in found for other in "xy"}
    return ((name, int(name[1:] or 1) - 1) for name in sorted(found))


def _legend_rows(figure: go.Figure) -> Iterator[list[str]]:
    """The names in a figure's legend, as many in a row as half the width has room for."""
    if figure.layout.showlegend is False or len(figure.data) < 2:
        return
    row: list[str] = []
    for name in dict.fromkeys(
        t.name for t in figure.data if t.name and t.type != "image" and t.showlegend is not False
    ):
        if row and sum(len(other) + 7 for other in [*row, name]) > ROW:
            yield row
            row = []
        row.append(name)
    yield row


def _numbered(name: str, place: int) -> str:
    """plotly's name of the axis or legend at a place from 0: the first has no number."""
    return f"{name}{place + 1 if place else ''}"


def _legend(side: int, place: int) -> str:
    return _numbered("legend", 2 * place + side)


def _each(layout: dict, key: str, into: list[Any]) -> Iterator[tuple[dict, list[Any]]]:
    return ((mark, into) for mark in layout.get(key, ()))


def _renamed(name: str, known: dict[str, str]) -> str:
    axis, *rest = name.split(" ")
    return " ".join([known[axis], *rest])
