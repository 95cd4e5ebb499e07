"""The fourth live demo of lesson 11: the same map before and after training on what was found, and on its controls."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

from tutorial_lib import checkpoints
from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.lessons.stress_testing.demo_agents import AGENTS, MOVES, SAMPLES, flat, plane
from tutorial_lib.lessons.stress_testing.demo_hunt import LARGEST
from tutorial_lib.lessons.stress_testing.recipes import RARE, SHOWN, THRESHOLD, row
from tutorial_lib.lifting import SingleFrameLifter
from tutorial_lib.stress_testing import AXES, cem, simulator
from tutorial_lib.stress_testing.search import starts

TITLES = dict(zip(SHOWN, ("before", "replay", "random poses", "worst of random", "agents' finds")))
"""Arm -> what the demo calls it."""

COLOURS = dict(zip(TITLES.values(), ("ink", "grey", "orange", "purple", "blue")))
"""The same in every picture of these lifters."""

ACROSS, ALONG = AXES.index("direction"), AXES.index("elevation")

Lifters = Mapping[str, SingleFrameLifter]


def lifters(folder: Path | None = None) -> Lifters:
    """Title -> the lifter whose failures are rare, before and after, of training seed 0."""
    where = checkpoints.FOLDER if folder is None else folder
    return {title: checkpoints.load(f"stress/{row(RARE, arm)}", folder=where) for arm, title in TITLES.items()}


def compute_after(networks: Lifters, centres: torch.Tensor, lifter: str, agent: int) -> dict[str, Any]:
    """What `after_demo` shows for these values of its controls."""
    here = centres[agent - 1]
    latents = torch.cat([plane(here, ACROSS, ALONG).flatten(0, 1), here[None]])
    seen, truth = simulator().see(latents)  # once for all lifters
    with torch.no_grad():
        found = {
            title: 1000 * torch.linalg.vector_norm(network.windows(seen[:, None]) - truth, dim=-1).mean(-1)
            for title, network in networks.items()
        }
    side = round((len(latents) - 1) ** 0.5)
    maps = {title: errors[:-1].reshape(side, side) for title, errors in found.items()}
    line = min(int((1 - here[ALONG]) / 2 * side), side - 1)  # of the map, on which the place lies
    return {
        "map": maps[lifter],
        "round": {title: errors[line] for title, errors in maps.items()},
        "here": flat(here, ACROSS, ALONG)[None],
        "rows": {
            title: {
                "error": errors[-1].item(), "mean": errors[:-1].mean().item(), "worst": errors.max().item(),
                "fails": 100 * (errors[:-1] > THRESHOLD).float().mean().item(),
            }
            for title, errors in found.items()
        },
    }  # fmt: skip


def view_after(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `after_demo`."""
    one = arrays["rows"][params["lifter"]]
    side = len(arrays["map"])
    directions = 180 * ((torch.arange(side) + 0.5) / side * 2 - 1)
    heads = {"error": "marked place (mm)", "fails": "of the map fails (%)"}
    rows = [[head, *(f"{values[key]:.0f}" for values in arrays["rows"].values())] for key, head in heads.items()]
    return stage.panes(
        stage.image(
            heat=arrays["map"], levels=(50.0, 250.0), heat_name="error, 50 to 250 mm", cross=None, margin=0.02,
            dots=[stage.dots("found before", arrays["here"], colour="ink", symbol="diamond")],
            title="across: direction, up: elevation",
        ),
        stage.curve(
            [
                stage.series(
                    title, directions, errors.clamp(max=LARGEST), colour=COLOURS[title],
                    width=4.0 if title == params["lifter"] else 1.5, dash="dash" if title == "before" else "solid",
                )
                for title, errors in arrays["round"].items()
            ],
            x=stage.axis("direction (°)", -180, 180), y=stage.axis("error (mm)", 0, LARGEST),
            lines=[stage.hline("failure", THRESHOLD)], now=180 * arrays["here"][0, 0].item(),
            title="round the marked place", weight=1.5,
        ),
        stage.table(["", *arrays["rows"]], rows, best="min"),
        height=185,
        note=f"{params['lifter']}: {one['error']:.0f} mm where the agent stood, {one['fails']:.0f} % of the map fails",
    )  # fmt: skip


def after_demo(networks: Lifters, seed: int = 0) -> Demo:
    """The map through what an agent found on the untouched lifter, for every lifter.

    Args:
        networks: of `lifters`.
        seed: of the agents.
    """
    generator = torch.Generator().manual_seed(seed)
    errors = simulator().errors_of(networks["before"])
    search = cem(errors, starts(AGENTS, len(AXES), generator), MOVES, SAMPLES, generator=generator)
    order = search.errors.argsort(descending=True)
    titles = list(networks)
    controls = {
        "lifter": choice(titles, titles[0], "trained on"),
        "agent": slider(1, 1, AGENTS, 1, "find (1: the worst)"),
    }
    presets = {title: {"lifter": title, "agent": 1} for title in titles}
    return live(
        partial(compute_after, networks, search.centres[order]),
        view_after,
        controls,
        presets=presets,
        title="The same map, before and after",
        plays="agent",
        recorded=("lifter", "agent"),
    )
