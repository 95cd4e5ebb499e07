"""The second live demo of lesson 09: a bump rolls down the losses' hills to the truth."""

import math
from typing import Any

import torch

from tutorial_lib.characteristic.loss import cf_loss, l2_loss
from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, live, slider, steps
from tutorial_lib.grid import from_cells, to_cells
from tutorial_lib.lessons.characteristic_function.bumps import CELLS, MIDDLE, SIGMA, T_NAMES, bump, coloured

LOW = "|t| ≤ π/4"
LOSSES = {"L2": "blue", "CF": "vermillion", "CF, low t": "green"}
"""Who rolls, and in which colour."""
STEPS = 150
NEAR_ENOUGH = 0.05
"""Cells from the truth at which a bump has arrived."""


def costs(painted: torch.Tensor, truth: torch.Tensor, low: float) -> torch.Tensor:
    """(3, ...) what bumps (3, ..., CELLS, CELLS) cost, each by its own loss of `LOSSES`, in lost people."""
    truth = truth.expand_as(painted)
    nothing = torch.zeros_like(truth[2])
    return torch.stack([
        l2_loss(painted[0], truth[0], SIGMA),
        cf_loss(painted[1], truth[1]),
        cf_loss(painted[2], truth[2], low) / cf_loss(nothing, truth[2], low),
    ])  # fmt: skip


def roll(x: float, y: float, rate: float, low: float = math.pi / 4) -> torch.Tensor:
    """Gradient descent of a bump's place by each loss: (3, STEPS + 1, 2) cells from the truth.

    Args:
        x: where it begins, in cells to the right of the truth.
        y: and below it.
        rate: cells for a slope of one lost person a cell; it falls to nothing at the end, as in trainings.
        low: T of the third.
    """
    truth = bump(MIDDLE, MIDDLE)
    place = torch.tensor([[x, y]], dtype=torch.float64).repeat(3, 1)
    path = [place]
    for step in range(STEPS):
        with torch.enable_grad():
            place = place.detach().requires_grad_()
            total = costs(bump(MIDDLE + place[:, 0], MIDDLE + place[:, 1]), truth, low).sum()
            (slope,) = torch.autograd.grad(total, place)
        place = place.detach() - rate * (1 + math.cos(math.pi * step / STEPS)) / 2 * slope
        path.append(place)
    return torch.stack(path, 1)


def arrival(path: torch.Tensor) -> dict[str, int | None]:
    """Loss -> the step after which its bump stays within `NEAR_ENOUGH` of the truth; None if it never does."""
    inside = path.norm(dim=-1) < NEAR_ENOUGH
    found = {}
    for name, row in zip(LOSSES, inside.tolist()):
        outside = [step for step, near in enumerate(row) if not near]
        after = outside[-1] + 1 if outside else 0
        found[name] = after if after <= STEPS else None
    return found


def hills(distances: torch.Tensor, low: float) -> torch.Tensor:
    """(3, distances) what a bump costs that far to the right, by each loss."""
    painted = bump(MIDDLE + distances, torch.full_like(distances, MIDDLE))
    return costs(painted.expand(3, -1, -1, -1), bump(MIDDLE, MIDDLE), low)


def compute_hill(x: float, y: float, rate: float, low: str) -> dict[str, Any]:
    """What `hill_demo` shows for these values of its controls."""
    limit = T_NAMES[low] or math.pi
    path = roll(x, y, rate, limit)
    distances = torch.linspace(0, 8, 41, dtype=torch.float64)
    return {
        "path": path,
        "away": path.norm(dim=-1),
        "arrival": arrival(path),
        "distances": distances,
        "hills": hills(distances, limit),
        "picture": coloured(bump(MIDDLE, MIDDLE) - bump(MIDDLE + x, MIDDLE + y)),
    }


def view_hill(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `hill_demo`."""
    start = math.hypot(params["x"], params["y"])
    paths = from_cells(MIDDLE + arrays["path"], CELLS)
    held = from_cells(torch.tensor([MIDDLE + params["x"], MIDDLE + params["y"]], dtype=torch.float64), CELLS)
    when = {name: "never" if step is None else f"after {step} steps" for name, step in arrays["arrival"].items()}
    return stage.panes(
        stage.image(
            picture=arrays["picture"], cross=None, margin=0.02, title="grab the bump",
            lines=[stage.polyline(name, paths[i], colour=colour) for i, (name, colour) in enumerate(LOSSES.items())],
            handles=[stage.handle("bump", held.tolist(), colour="orange")],
        ),
        stage.curve(
            [
                stage.series(name, arrays["distances"], arrays["hills"][i], colour=colour)
                for i, (name, colour) in enumerate(LOSSES.items())
            ],
            x=stage.axis("distance (cells)", 0, 8), y=stage.axis("lost people", 0, 2.1), now=min(start, 8.0),
            title="the hills",
        ),
        stage.curve(
            # CF's zigzag lies below the others.
            [
                stage.series(name, range(STEPS + 1), arrays["away"][i].clamp(1e-3, 10), colour=LOSSES[name])
                for i, name in sorted(enumerate(LOSSES), key=lambda item: item[1] != "CF")
            ],
            x=stage.axis("step", 0, STEPS), y=stage.axis("distance (cells)", 1e-3, 10, log=True),
            lines=[stage.hline("arrived", NEAR_ENOUGH)], title="rolling down",
        ),
        height=262,
        note=f"within {NEAR_ENOUGH:g} cells for good: " + "; ".join(f"{name} {said}" for name, said in when.items()),
    )  # fmt: skip


def hill_demo() -> Demo:
    """A bump is let go beside the truth: three losses pull it."""
    controls = {
        "x": slider(1.0, -8.0, 8.0, 0.1, "starts right of the truth (cells)"),
        "y": slider(0.0, -8.0, 8.0, 0.1, "starts below the truth (cells)"),
        "rate": steps([0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0], 0.1, "learning rate (cells²)"),
        "low": steps([name for name in T_NAMES if T_NAMES[name]], LOW, "low t of the third"),
    }
    start = {"x": 1.0, "y": 0.0, "rate": 0.1, "low": LOW}
    presets = {
        "one cell off": start,
        "0.3 cells off": start | {"x": 0.3},
        "four cells off": start | {"x": 4.0, "rate": 0.5},
        "six cells off": start | {"x": 6.0, "rate": 1.0},
        "too fast": start | {"rate": 2.0},
    }

    def grab(at: tuple[float, ...], params: dict[str, Any]) -> dict[str, float]:
        cells = to_cells(torch.tensor(at[:2], dtype=torch.float64), CELLS) - MIDDLE
        return {name: min(8.0, max(-8.0, round(value, 1))) for name, value in zip("xy", cells.tolist())}

    return live(
        compute_hill, view_hill, controls, presets=presets, title="Roll down the hill: who arrives, and from how far?",
        folded=("low",), grabs={"bump": grab}, recorded=("x",),
    )  # fmt: skip
