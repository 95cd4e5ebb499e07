"""The first live demo of lesson 09: two people in one map, and what two losses say of a mistake."""

from typing import Any

import torch

from tutorial_lib.characteristic.loss import cf_loss
from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.grid import from_cells, to_cells
from tutorial_lib.lessons.characteristic_function.bumps import (
    CELLS,
    T_NAMES,
    bump,
    coloured,
    in_people,
    spectrum,
)

NEAR, FAR = (9.0, 18.0), (21.0, 11.0)
"""Columns and rows of the two true joints."""
COLOURS = {"L2": "blue", "CF": "vermillion"}
WINDOW = 7


def compute_map(near: float, far: float, shift: float, noise: float, highest: str) -> dict[str, Any]:
    """What `map_demo` shows for these values of its controls."""
    generator = torch.Generator().manual_seed(0)
    truth = bump(*NEAR) + bump(*FAR)
    floor = noise * torch.randn(CELLS, CELLS, generator=generator, dtype=torch.float64)
    painted = near * bump(*NEAR) + far * bump(FAR[0] + shift, FAR[1]) + floor
    difference = truth - painted
    windows = torch.nn.functional.avg_pool2d((difference**2)[None, None], WINDOW, 1)[0, 0] * WINDOW**2
    return {
        "painted": painted,
        "difference": difference,
        "spectrum": spectrum(difference),
        "costs": {name: float(value) for name, value in in_people(painted, truth, T_NAMES[highest]).items()},
        "worst": float(difference.abs().max()),
        "bound": float(cf_loss(painted, truth)),
        "window": float(windows.max().sqrt()),
        "squared": float(cf_loss(painted, truth, squared=True) / (difference**2).sum().clamp_min(1e-12)),
    }


def view_map(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `map_demo`."""
    places = from_cells(torch.tensor([NEAR, FAR], dtype=torch.float64), CELLS)
    held = from_cells(torch.tensor([FAR[0] + params["shift"], FAR[1]], dtype=torch.float64), CELLS)
    limit = T_NAMES[params["highest"]]
    lines = []
    if limit is not None:
        side = limit / torch.pi
        square = torch.tensor([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]]) * side
        lines = [stage.polyline("T", square, colour="orange", width=2.0)]
    costs = arrays["costs"]
    top = max(1.5, 1.1 * max(costs.values()))
    return stage.panes(
        stage.image(
            picture=coloured(arrays["difference"]), cross=None, margin=0.02, title="truth − painted; blue is missing",
            dots=[
                stage.dots("near person's joint", places[:1], colour="purple", size=5.0),
                stage.dots("far person's, in a ring to drag", places[1:], colour="grey", size=5.0),
            ],
            handles=[stage.handle("far", held.tolist(), axis="x", colour="orange")],
        ),
        stage.image(
            picture=1 - (arrays["spectrum"] / 12).clamp(0, 1), lines=lines, cross=None, margin=0.02,
            title="|φ difference|, t = 0 in the middle",
        ),
        stage.curve(
            [
                stage.series(name, [i], [costs[name]], colour=COLOURS[name], mode="bars", bar=0.6)
                for i, name in enumerate(costs)
            ],
            x=stage.axis("", -0.6, 1.6, ticks={name: i for i, name in enumerate(costs)}),
            y=stage.axis("lost people", 0, top), lines=[stage.hline("one lost person", 1.0)],
            title="what it costs", weight=0.8,
        ),
        height=262,
        note=(
            f"L2 {costs['L2']:.3f}, CF {costs['CF']:.3f} lost people; worst cell {arrays['worst']:.2f} ≤ "
            f"{arrays['bound']:.2f}; worst {WINDOW} × {WINDOW} window {arrays['window']:.2f} ≤ "
            f"{WINDOW * arrays['bound']:.1f}"
        ),
    )  # fmt: skip


def map_demo() -> Demo:
    """Two people in one map: find them by halves, beside the truth, or on a noisy floor."""
    controls = {
        "near": slider(1.0, 0.0, 1.2, 0.05, "height of the near person"),
        "far": slider(0.0, 0.0, 1.2, 0.05, "height of the far person"),
        "shift": slider(0.0, -8.0, 8.0, 0.1, "far person too far right (cells)"),
        "noise": slider(0.0, 0.0, 0.1, 0.01, "noise on the floor"),
        "highest": choice(list(T_NAMES), "all frequencies", "frequencies that count"),
    }
    start = {"near": 1.0, "far": 1.0, "shift": 0.0, "noise": 0.0, "highest": "all frequencies"}
    presets = {
        "lost one": start | {"far": 0.0},
        "both half": start | {"near": 0.5, "far": 0.5},
        "a tenth of a cell off": start | {"shift": 0.1},
        "four cells off": start | {"shift": 4.0},
        "noise": start | {"noise": 0.02},
    }

    def grab(at: tuple[float, ...], params: dict[str, Any]) -> dict[str, float]:
        """The far person's bump follows the pointer along its row."""
        column = to_cells(torch.tensor(at[0], dtype=torch.float64), CELLS).item()
        return {"shift": min(8.0, max(-8.0, round(column - FAR[0], 1)))}

    return live(
        compute_map, view_map, controls, presets=presets, title="Two people, one map: what does a mistake cost?",
        folded=("noise", "highest"), grabs={"far": grab}, recorded=("far", "shift"),
    )  # fmt: skip
