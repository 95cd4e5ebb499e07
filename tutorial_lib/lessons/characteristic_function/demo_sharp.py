"""Lesson 09's "break it": mistakes that are equally large for L2, in one corner or all over the map."""

import math
from collections.abc import Callable
from typing import Any

import torch

from tutorial_lib.characteristic.loss import cf_loss
from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.grid import from_cells, to_cells
from tutorial_lib.lessons.characteristic_function.bumps import CELLS, SIGMA, bump, coloured

Loss = Callable[[torch.Tensor, torch.Tensor, float | None], torch.Tensor]
"""Painted map, true map (..., n, n), T or None -> (...,)."""
_CHECKED: list[Loss] = []

SHAPES = {"a bump": "vermillion", "a wave": "green", "noise": "orange"}
WIDTHS = torch.tensor([0.3, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0, 11.0, 16.0])
LARGEST = SIGMA * math.sqrt(math.pi)
"""CF of a mistake in a single cell that costs L2 one lost person: no other shape costs CF more."""


def checked(loss: Loss) -> None:
    """Note a student's loss that passed its check: the demo computes with it from now on."""
    _CHECKED[:] = [loss]


def mistake(shape: str, width: float, x: float, y: float) -> torch.Tensor:
    """(CELLS, CELLS) a mistake that costs L2 one lost person.

    Args:
        shape: of `SHAPES`.
        width: in cells: of the bump, half the wave's length, or how far the noise is blurred.
        x: its column, from 0; where the noise begins.
        y: its row.
    """
    cells = torch.arange(CELLS, dtype=torch.float64)
    if shape == "a bump":
        made = bump(x, y, width)
    elif shape == "a wave":
        whole = min(CELLS // 2, max(1, round(CELLS / (2 * width))))  # waves that fit the map: one frequency alone
        made = torch.cos(2 * math.pi * whole * (cells - x) / CELLS)[None].expand(CELLS, -1)
    else:
        noise = torch.randn(CELLS, CELLS, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        line = torch.exp(-(((cells + CELLS / 2) % CELLS - CELLS / 2) ** 2) / (2 * width**2))
        kernel = torch.fft.fft2(line[:, None] * line[None])
        made = torch.fft.ifft2(torch.fft.fft2(noise) * kernel).real.roll((int(y), int(x)), (0, 1))
    return made * math.sqrt(math.pi) * SIGMA / made.norm()


def compute_sharp(shape: str, width: float, x: float, y: float) -> dict[str, Any]:
    """What `sharp_demo` shows for these values of its controls."""
    loss, whose = (_CHECKED[0], "yours") if _CHECKED else (cf_loss, "the course's")
    truth = bump(8.0, 22.0) + bump(22.0, 9.0)
    wrong = mistake(shape, width, x, y)

    def cost(made: torch.Tensor) -> float:
        return float(loss(truth + made, truth, None))

    return {
        "difference": -wrong,
        "cost": cost(wrong),
        "worst": float(wrong.abs().max()),
        "curves": {name: [cost(mistake(name, one, x, y)) for one in WIDTHS.tolist()] for name in SHAPES},
        "whose": whose,
    }


def view_sharp(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `sharp_demo`."""
    held = from_cells(torch.tensor([params["x"], params["y"]], dtype=torch.float64), CELLS)
    return stage.panes(
        stage.image(
            picture=coloured(arrays["difference"]), cross=None, margin=0.02, title="truth − painted; red is too much",
            handles=[stage.handle("mistake", held.tolist(), colour="ink")],
        ),
        stage.curve(
            [
                stage.series(name, WIDTHS, arrays["curves"][name], colour=colour, mode="line+markers")
                for name, colour in SHAPES.items()
            ],
            x=stage.axis("width of the mistake (cells)", 0.3, 16, log=True), y=stage.axis("CF (lost people)", 0, 2),
            lines=[stage.hline("most", LARGEST), stage.hline("least", LARGEST / CELLS)], now=params["width"],
            grab="width", title=f"equally wrong for L2; CF, {arrays['whose']}", weight=1.7,
        ),
        height=290,
        note=(
            f"L2: 1 lost person, always. CF: {arrays['cost']:.2f}; least possible {LARGEST / CELLS:.2f}, most "
            f"{LARGEST:.2f}. Worst cell {arrays['worst']:.2f}"
        ),
    )  # fmt: skip


def sharp_demo() -> Demo:
    """The same squared error as a spike, a bump, a wave or noise, anywhere in the map."""
    controls = {
        "shape": choice(list(SHAPES), "a bump", "the mistake is"),
        "width": slider(1.0, 0.3, 16.0, 0.1, "width of the mistake (cells)"),
        "x": slider(25.0, 0.0, 31.0, 1.0, "its column"),
        "y": slider(25.0, 0.0, 31.0, 1.0, "its row"),
    }
    start = {"shape": "a bump", "width": 1.0, "x": 25.0, "y": 25.0}
    presets = {
        "one lost person": start,
        "one cell": start | {"width": 0.3},
        "in the middle": start | {"x": 16.0, "y": 16.0},
        "white noise": start | {"shape": "noise", "width": 0.3},
        "a long wave": start | {"shape": "a wave", "width": 16.0},
    }

    def grab(at: tuple[float, ...], params: dict[str, Any]) -> dict[str, float]:
        cells = to_cells(torch.tensor(at[:2], dtype=torch.float64), CELLS)
        return {name: min(31.0, max(0.0, round(value))) for name, value in zip("xy", cells.tolist())}

    return live(
        compute_sharp, view_sharp, controls, presets=presets, title="Equally wrong: what does CF not notice?",
        folded=("x", "y"), grabs={"mistake": grab, "width": lambda at, params: {"width": at[0]}},
        recorded=("width",),
    )  # fmt: skip
