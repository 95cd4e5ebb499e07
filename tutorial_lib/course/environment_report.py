"""How lesson 00 shows what `environment` found on the reader's machine."""

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tutorial_lib.display import rerun
from tutorial_lib.display.tables import html_row

if TYPE_CHECKING:
    import anywidget

State = Literal["ok", "note", "problem"]
"""A note works, but one should know it; a problem would stop a lesson."""
SCRIPT = Path(__file__).with_name("assets") / "environment.js"

_MARKS = {"ok": "✓", "note": "•", "problem": "✗"}
_COLOURS = {"ok": "#00694a", "note": "#7a5200", "problem": "#b00020"}
_STATIC = (
    "Widgets: this is a saved copy of the table. Run the cell; in a live JupyterLab this line then says "
    "that they are connected."
)


@dataclass(frozen=True)
class Row:
    """One thing that was looked at.

    Attributes:
        what: its name.
        found: what is there.
        state: whether it will do.
        remedy: how to mend it, "" where nothing is amiss.
    """

    what: str
    found: str
    state: State = "ok"
    remedy: str = ""


@dataclass(frozen=True)
class Report:
    """The rows, shown as a table: live in JupyterLab, as plain HTML in a preview, as text in a terminal.

    Attributes:
        rows: in the order in which they are shown.
    """

    rows: tuple[Row, ...]

    @property
    def problems(self) -> tuple[Row, ...]:
        """The rows that would stop a lesson."""
        return tuple(row for row in self.rows if row.state == "problem")

    def __str__(self) -> str:
        width = max(len(row.what) for row in self.rows)
        return "\n".join(
            f"{_MARKS[row.state]} {row.what:{width}}  {row.found}" + (f"  -> {row.remedy}" if row.remedy else "")
            for row in self.rows
        )

    def table(self) -> str:
        """The rows as an HTML table."""
        rows = "".join(
            html_row(
                [_MARKS[row.state], f"<b>{escape(row.what)}</b>", escape(row.found), _code(escape(row.remedy))],
                [f"color:{_COLOURS[row.state]}", *["text-align:left"] * 3],
            )
            for row in self.rows
        )
        verdict = f"{len(self.problems)} problem(s), see the last column." if self.problems else "Ready."
        return f"<p><b>{verdict}</b></p><table><tbody>{rows}</tbody></table>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        bundle = {"text/plain": str(self), "text/html": f"{self.table()}<p>{_STATIC}</p>"}
        live = probe(self.table())
        if live is not None:
            rerun.shown(live)
            shown = live._repr_mimebundle_()
            shown = shown[0] if isinstance(shown, tuple) else shown
            bundle = (shown or {}) | bundle
        return bundle


def probe(table: str) -> "anywidget.AnyWidget | None":
    """A widget that shows `table` and, once the kernel has answered it, that widgets are connected.

    Returns:
        The widget, or None where anywidget is not installed.
    """
    try:
        import anywidget
        import traitlets
    except ImportError:
        return None

    class Probe(anywidget.AnyWidget):
        _esm = SCRIPT
        table = traitlets.Unicode().tag(sync=True)

        def answer(self, _widget: object, message: dict, _buffers: object) -> None:
            if message.get("kind") == "ping":
                self.send({"kind": "pong"})

    widget = Probe(table=table)
    widget.on_msg(widget.answer)
    return widget


def _code(html: str) -> str:
    """Backticks as <code>."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html)
