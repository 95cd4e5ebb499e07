"""The second live demo of lesson 11: the agents are released, and their ways are drawn on the map of errors."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.lessons.stress_testing.demo_hunt import LARGEST, lesson_04
from tutorial_lib.lessons.stress_testing.recipes import THRESHOLD
from tutorial_lib.lifting import SingleFrameLifter
from tutorial_lib.stress_testing import AXES, METHODS, Search, simulator
from tutorial_lib.stress_testing.search import starts
from tutorial_lib.stress_testing.simulator import Errors

AGENTS, MOVES, SAMPLES = 8, 40, 24
CELLS = 28
"""Of a side of the map."""

COLOURS = {"REINFORCE": "blue", "CEM": "purple", "random": "grey"}
"""The same in every figure of this lesson."""


def release(errors: Errors, seed: int = 0, moves: int = MOVES) -> dict[str, Search]:
    """All methods from the same starts, as many questions each."""
    made = {}
    for name, method in METHODS.items():
        generator = torch.Generator().manual_seed(seed)
        made[name] = method(errors, starts(AGENTS, len(AXES), generator), moves, SAMPLES, generator=generator)
    return made


def plane(place: torch.Tensor, across: int, along: int, cells: int = CELLS) -> torch.Tensor:
    """(cells, cells, 13) latents of the plane through a place: rows from 1 down to -1 along, columns across."""
    ends = (torch.arange(cells) + 0.5) / cells * 2 - 1
    latents = place.repeat(cells, cells, 1)
    latents[..., across], latents[..., along] = ends[None], -ends[:, None]
    return latents


def flat(places: torch.Tensor, across: int, along: int) -> torch.Tensor:
    """Latents (..., 13) as places (..., 2) in the picture of `plane`, y down."""
    return torch.stack([places[..., across], -places[..., along]], -1)


def compute_agents(
    errors: Errors, searches: Mapping[str, Search], method: str, step: int, agent: int, across: str, along: str
) -> dict[str, Any]:
    """What `agents_demo` shows for these values of its controls."""
    x, y = AXES.index(across), AXES.index(along)
    search = searches[method]
    here = search.path[step, agent - 1]
    # Random search has no agents that walk: its eight places are the worst so far, in order.
    return {
        "map": errors(plane(here, x, y)),
        "error": errors(here).item(),
        "paths": flat(search.path[: step + 1], x, y),
        "worst": {name: one.worst for name, one in searches.items()},
        "step": step,
    }


def in_words(arrays: dict[str, Any], method: str) -> str:
    """The one sentence above the picture."""
    step = max(arrays["step"] - 1, 0)
    found = ", ".join(f"{name} {worst[step]:.0f}" for name, worst in arrays["worst"].items())
    share = (arrays["map"] > THRESHOLD).float().mean().item()
    return f"this place: {arrays['error']:.0f} mm; {100 * share:.0f} % of the map fails; worst question so far: {found}"


def view_agents(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `agents_demo`."""
    method, paths, chosen = params["method"], arrays["paths"], params["agent"] - 1
    lines = [stage.polyline("ways", paths.movedim(1, 0), colour="grey")] if method != "random" else []
    if method != "random":
        lines.append(stage.polyline("this agent's way", paths[:, chosen], colour="ink", width=2.5))
    others = [n for n in range(AGENTS) if n != chosen]
    steps = torch.arange(1, len(next(iter(arrays["worst"].values()))) + 1)
    return stage.panes(
        stage.image(
            heat=arrays["map"], levels=(50.0, 300.0), heat_name="error, 50 to 300 mm", lines=lines,
            dots=[
                stage.dots("agents", paths[-1, others], colour="sky", size=4.0),
                stage.dots("this agent", paths[-1, [chosen]], colour="ink", size=6.0, symbol="diamond"),
            ],
            title=f"across: {params['across']}, up: {params['along']}", cross=None, margin=0.02,
        ),
        stage.curve(
            [
                stage.series(name, steps, worst, colour=COLOURS[name], dash="solid" if name != "random" else "dash")
                for name, worst in arrays["worst"].items()
            ],
            x=stage.axis("moves", 0, len(steps)), y=stage.axis("worst question so far (mm)", 0, LARGEST),
            lines=[stage.hline("failure", THRESHOLD)], now=arrays["step"], title="who finds it first?", weight=1.3,
        ),
        height=250,
        note=in_words(arrays, method),
    )  # fmt: skip


def agents_demo(lifter: SingleFrameLifter | None = None, seed: int = 0) -> Demo:
    """Eight agents on the map of errors.

    Args:
        lifter: of single frames; by default lesson 04's.
        seed: of the agents.
    """
    errors = simulator().errors_of(lesson_04() if lifter is None else lifter)
    searches = release(errors, seed)
    controls = {
        "method": choice(list(METHODS), "REINFORCE", "method"),
        "step": slider(MOVES, 0, MOVES, 1, "moves"),
        "agent": slider(1, 1, AGENTS, 1, "agent"),
        "across": choice(list(AXES), "direction", "across"),
        "along": choice(list(AXES), "elevation", "up"),
    }
    start = {"agent": 1, "across": "direction", "along": "elevation"}
    presets = {
        "released": start | {"method": "REINFORCE", "step": 0},
        **{f"{name}, at the end": start | {"method": name, "step": MOVES} for name in METHODS},
        "two poses": start | {"method": "CEM", "step": MOVES, "across": "pose 1", "along": "pose 2"},
    }
    return live(
        partial(compute_agents, errors, searches),
        view_agents,
        controls,
        presets=presets,
        folded=("across", "along"),
        title="Release the agents: the map goes through the marked one",
        plays="step",
        recorded=("method", "step"),
    )
