"""Tables: as Markdown, as HTML in the page's own colours, and as the papers print errors by action."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import mistune

from tutorial_lib.metrics.by_action import HUMAN36M, METRICS, Errors, Metric, average

LINE = "1px solid rgba(128,128,128,.4)"

BUILTIN = {"sit_down": "sit", "stand_up": "stand", "wash_window": "wash", "sidestep": "side", "discuss": "disc."}
"""Column heads of the builtin actions with long names."""


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = False) -> str:
    """A Markdown table.

    Args:
        head: the columns' titles.
        rows: the cells of each row, as text.
        numbers: all columns but the first are set to the right.
    """
    rule = "|---|" + ("---:|" if numbers else "---|") * (len(head) - 1)
    first, *others = ("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |" for cells in (head, *rows))
    return "\n".join([first, rule, *others])


def html_row(cells: Iterable[str], styles: Iterable[str], tag: Literal["td", "th"] = "td", style: str = "") -> str:
    """A row of an HTML table.

    Args:
        cells: HTML; escape what is text.
        styles: CSS of each cell.
        tag: "th" in a head.
        style: CSS of the row.
    """
    inner = "".join(f"<{tag} style='{css}'>{cell}</{tag}>" for cell, css in zip(cells, styles))
    return f"<tr style='{style}'>{inner}</tr>" if style else f"<tr>{inner}</tr>"


def html_table(head: Sequence[str], rows: Iterable[Sequence[str]], styles: Sequence[str]) -> str:
    """An HTML table in the page's own colours, so that it reads in a dark theme too.

    Args:
        head: the columns' titles as HTML.
        rows: the cells of each row as HTML; escape what is text.
        styles: CSS of each column, beyond lines and colours.
    """
    line = f"border:0;border-bottom:{LINE};background:none;color:inherit;font-size:15px"
    columns = [f"{line};{style}" for style in styles]
    body = "".join(html_row(cells, columns, style="background:none") for cells in rows)
    return (
        "<table style='border-collapse:collapse;border:0;margin:0;color:inherit'>"
        f"<thead>{html_row(head, columns, 'th', 'background:none')}</thead><tbody>{body}</tbody></table>"
    )


@dataclass(frozen=True)
class Table:
    """Rows of a paper's table: in a notebook as HTML, as text as Markdown.

    Attributes:
        title: what the numbers are.
        columns: their heads; the last is "Avg".
        rows: model -> a number a column, the smaller the better.
    """

    title: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[float, ...]]

    def best(self, column: int) -> set[str]:
        """Models whose printed number is the smallest of its column: several where they tie, none without a rival."""
        printed = {name: round(values[column], 1) for name, values in self.rows.items()}
        numbers = [value for value in printed.values() if not math.isnan(value)]
        return {name for name, value in printed.items() if len(numbers) > 1 and value == min(numbers)}

    def _cells(self, bold: str) -> list[tuple[str, list[str]]]:
        best = [self.best(column) for column in range(len(self.columns))]
        return [
            (name, [bold.format(f"{v:.1f}") if name in b else f"{v:.1f}" for v, b in zip(values, best)])
            for name, values in self.rows.items()
        ]

    def __str__(self) -> str:
        rows = [[name, *cells] for name, cells in self._cells("**{}**")]
        return markdown([self.title, *self.columns], rows, numbers=True)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self._repr_html_()}

    def _repr_html_(self) -> str:
        cell = "padding:3px 5px;white-space:nowrap"
        page = "background:var(--jp-layout-color0,var(--pst-color-background,Canvas))"  # what scrolls by stays hidden
        last = f"{cell};text-align:right;border-left:{LINE};position:sticky;right:0;{page}"
        styles = [f"{cell};text-align:left;font-weight:normal"]
        styles += [f"{cell};text-align:right;font-weight:normal"] * (len(self.columns) - 1) + [last]
        rows = [[escape(name), *cells] for name, cells in self._cells("<b>{}</b>")]
        return (
            "<div style='overflow-x:auto;margin:8px 0'>"
            f"<p style='margin:0 0 4px;font-weight:600'>{escape(self.title)}</p>"
            f"{html_table(['', *map(escape, self.columns)], rows, styles)}</div>"
        )


@dataclass(frozen=True)
class Folded:
    """Tables under a line that opens them. See `folded`."""

    title: str
    parts: tuple[Table | str, ...]

    def __str__(self) -> str:
        return "\n\n".join([self.title, *map(str, self.parts)])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self._repr_html_()}

    def _repr_html_(self) -> str:
        inner = "".join(
            part._repr_html_() if isinstance(part, Table) else str(mistune.html(part)) for part in self.parts
        )
        return f"<details><summary style='cursor:pointer'>{escape(self.title)}</summary>{inner}</details>"


def folded(title: str, *parts: Table | str) -> Folded:
    """What a reader may want to look up, under a line that opens it: one screen is small.

    Args:
        title: the line, which says what lies below it.
        parts: tables, or Markdown.
    """
    return Folded(title, parts)


def table(models: Mapping[str, Errors], metric: Metric = "mpjpe") -> Table:
    """Models against actions, as the papers print it: one decimal, "Avg" last, the best of a column in bold.

    Args:
        models: name -> result of `metrics.by_action.per_action`, all on the same actions.
        metric: one of `metrics.by_action.METRICS`.

    Raises:
        ValueError: unknown metric, no model, models that were tested on different frames.
    """
    if not models:
        raise ValueError("models is empty, expected at least one name -> result of per_action")
    averages = {name: average(errors, metric) for name, errors in models.items()}
    first = next(iter(models))
    frames = models[first]["frames"]
    for name, errors in models.items():
        if dict(errors["frames"]) != dict(frames):
            raise ValueError(
                f"models: {name!r} was tested on {dict(errors['frames'])} frames, {first!r} on {dict(frames)}; "
                "evaluate all on the same recordings"
            )
    columns = (*((HUMAN36M | BUILTIN).get(action, action) for action in frames), "Avg")
    rows = {name: (*(errors[metric][action] for action in frames), averages[name]) for name, errors in models.items()}
    return Table(METRICS[metric][1], columns, rows)
