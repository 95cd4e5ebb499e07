"""What can be taken hold of in the pictures in which lesson 03's template is moved by hand."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Grab
from tutorial_lib.templates import parts, warp
from tutorial_lib.templates.warp import Pivot

Laid = Callable[[dict[str, Any]], tuple[torch.Tensor, Pivot]]
"""From the controls' values to the affines (18, 2, 3), and what they turn about."""


def piece_handle(name: str, first: str, affines: torch.Tensor, about: Pivot = "part") -> dict:
    """A handle where a piece lies.

    Args:
        name: of the piece.
        first: its first part.
        affines: (18, 2, 3).
        about: what they turn about.
    """
    return stage.handle(name, _place(first, affines, about))


def piece_grabs(firsts: dict[str, str], laid: Laid) -> dict[str, Grab]:
    """What `live` does when a piece is dragged: it moves the controls "shift_x" and "shift_y".

    Args:
        firsts: name of every piece -> its first part.
        laid: where the present controls put the parts.
    """

    def drag(first: str, at: tuple[float, ...], params: dict[str, Any]) -> dict[str, float]:
        x, y = _place(first, *laid(params))
        return {"shift_x": params["shift_x"] + at[0] - x, "shift_y": params["shift_y"] + at[1] - y}

    return {name: partial(drag, first) for name, first in firsts.items()}


def _place(first: str, affines: torch.Tensor, about: Pivot) -> list[float]:
    return warp.moved(affines, about)[0][parts.NAMES.index(first)].tolist()
