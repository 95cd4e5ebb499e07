"""A cell that is run again shows new widgets; here the old ones go, with all that they are made of.

Jupyter clears what a cell showed before it runs the cell again, but widgets live on in the kernel and in the page:
some forty of them for every live demo, until both are slow.
"""

from collections.abc import Iterator

import ipywidgets
from IPython import get_ipython

_SHOWN: dict[str, dict[ipywidgets.Widget, str]] = {}
"""Cell -> what stands in its output, and the run of the cell that put it there."""


def shown(widget: ipywidgets.Widget) -> None:
    """Note that the running cell shows `widget`, and close what an earlier run of this cell showed.

    What stands in another cell's output too stays open, and so do controls that are part of something that stands
    somewhere. What was closed opens again when it is shown again. Outside a notebook, and where the page does not say
    which cell it is (nbclient, papermill: every cell runs once), nothing happens.

    Args:
        widget: all that it is made of is found from it.
    """
    cell, run = _running()
    if not cell:
        return
    before = _SHOWN.get(cell, {})
    _SHOWN[cell] = {old: its_run for old, its_run in before.items() if its_run == run} | {widget: run}
    for part in _parts(widget):
        part.open()
    standing = {part for here in _SHOWN.values() for other in here for part in _parts(other)}
    for part in {part for old in before for part in _parts(old)} - standing:
        part.close()
        vars(part).pop("_repr_mimebundle_", None)  # `close` hides it, and with it the way to show the widget again


def in_a_page() -> bool:
    """Whether the running cell was started from a page that somebody reads, such as JupyterLab's; not by a program that
    executes whole notebooks."""
    return bool(_running()[0])


def _running() -> tuple[str, str]:
    """The cell that runs and the request that runs it; "" for both where there is none."""
    kernel = getattr(get_ipython(), "kernel", None)
    parent = kernel.get_parent("shell") if kernel is not None else {}
    return parent.get("metadata", {}).get("cellId") or "", parent.get("header", {}).get("msg_id", "")


def _parts(widget: ipywidgets.Widget) -> Iterator[ipywidgets.Widget]:
    """What a widget is made of: children, layouts, styles, each before what it belongs to, and last the widget."""
    for name in widget.keys:
        value = getattr(widget, name)
        for part in value if isinstance(value, (tuple, list)) else (value,):
            if isinstance(part, ipywidgets.Widget):
                yield from _parts(part)
    yield widget
