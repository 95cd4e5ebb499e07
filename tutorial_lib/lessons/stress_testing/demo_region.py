"""The third live demo of lesson 11: a box grows round a failure, by one of two rules."""

from functools import cache, partial
from typing import Any

import numpy as np
import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider, steps
from tutorial_lib.lessons.stress_testing.demo_agents import AGENTS, MOVES, SAMPLES
from tutorial_lib.lessons.stress_testing.demo_hunt import LARGEST, lesson_04
from tutorial_lib.lifting import SingleFrameLifter
from tutorial_lib.stress_testing import AXES, Regions, cem, grow, simulator
from tutorial_lib.stress_testing.regions import Rule
from tutorial_lib.stress_testing.search import starts
from tutorial_lib.stress_testing.simulator import Errors

ROUNDS = 60
THRESHOLDS = (90, 120, 150, 180, 210)
BINS = torch.arange(0.0, LARGEST + 1, 20.0)
RULES: tuple[Rule, ...] = ("minimum", "mean")


class Growth:
    """Boxes round the places that agents found, each growth worked out once.

    Args:
        errors: of latents.
        seed: of the agents and of what the boxes try.
    """

    def __init__(self, errors: Errors, seed: int = 0):
        self.errors, self.seed = errors, seed
        generator = torch.Generator().manual_seed(seed)
        start = starts(AGENTS, len(AXES), generator)
        self.centres = cem(errors, start, MOVES, SAMPLES, generator=generator).centres
        self.of = cache(self._of)

    def _of(self, agent: int, threshold: float, rule: Rule) -> list[Regions]:
        generator = torch.Generator().manual_seed(self.seed)
        centre = self.centres[agent : agent + 1]
        return grow(self.errors, centre, threshold, generator=generator, rounds=ROUNDS, rule=rule)

    def inside(self, regions: Regions, count: int = 200) -> torch.Tensor:
        """(count,) errors in mm of uniform samples of the first box."""
        return self.errors(regions.draw(count, torch.Generator().manual_seed(self.seed)))[:, 0]


def compute_region(growth: Growth, threshold: float, rounds: int, rule: Rule, agent: int) -> dict[str, Any]:
    """What `region_demo` shows for these values of its controls."""
    grown = {name: growth.of(agent - 1, threshold, name) for name in RULES}
    now = grown[rule][rounds]
    return {
        "low": now.low[0], "high": now.high[0], "centre": now.centres[0], "errors": growth.inside(now),
        "size": now.size.item(), "sizes": {name: [one.size.item() for one in all_] for name, all_ in grown.items()},
    }  # fmt: skip


def safe(arrays: dict[str, Any], threshold: float) -> float:
    """Per cent of the box's samples that do not fail."""
    return 100 * (arrays["errors"] <= threshold).float().mean().item()


def view_region(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `region_demo`."""
    threshold = params["threshold"]
    place = np.arange(len(AXES))
    gap = np.full(len(AXES), np.nan)
    ends = np.stack([arrays["low"].numpy(), arrays["high"].numpy(), gap], 1).reshape(-1)
    counts = torch.histc(arrays["errors"].clamp(0, LARGEST - 1), len(BINS) - 1, 0, LARGEST)
    middle = (BINS[:-1] + BINS[1:]) / 2
    colours = {"minimum": "blue", "mean": "orange"}
    return stage.panes(
        stage.curve(
            [
                stage.series("the box", np.repeat(place, 3).astype(float), ends, colour="blue", width=7.0),
                stage.series("centre", place, arrays["centre"], colour="ink", mode="markers"),
            ],
            x=stage.axis("axis", -0.7, len(AXES) - 0.3, ticks={_short(name): n for n, name in enumerate(AXES)}),
            y=stage.axis("latent", -1.05, 1.05), title="how far it reaches", weight=1.5,
        ),
        stage.curve(
            [
                stage.series("fails", middle, counts * (middle > threshold), colour="vermillion", mode="bars", bar=18),
                stage.series("safe", middle, counts * (middle <= threshold), colour="green", mode="bars", bar=18),
            ],
            x=stage.axis("error (mm)", 0, LARGEST), y=stage.axis("of 200 samples", 0, 100), now=threshold,
            title="inside", weight=1.0,
        ),
        stage.curve(
            [
                stage.series(name, np.arange(len(sizes)), sizes, colour=colours[name],
                             dash="solid" if name == params["rule"] else "dash")
                for name, sizes in arrays["sizes"].items()
            ],
            x=stage.axis("rounds", 0, ROUNDS), y=stage.axis("size", 0, 7.3), now=params["rounds"], grab="rounds",
            title="size", weight=0.9,
        ),
        height=230,
        note=f"size {arrays['size']:.2f}; {safe(arrays, threshold):.0f} % of 200 new samples inside are safe",
    )  # fmt: skip


def _short(axis: str) -> str:
    """A name that fits under a tick."""
    named = {"direction": "dir", "elevation": "up", "height": "tall", "legs": "leg", "arms": "arm"}
    return named.get(axis, axis.replace("pose ", "p"))


def region_demo(lifter: SingleFrameLifter | None = None, seed: int = 0) -> Demo:
    """A box that grows: every sample must fail, or their mean.

    Args:
        lifter: of single frames; by default lesson 04's.
        seed: of agents and boxes.
    """
    growth = Growth(simulator().errors_of(lesson_04() if lifter is None else lifter), seed)
    controls = {
        "rule": choice(list(RULES), "minimum", "what must fail: the"),
        "threshold": steps(list(THRESHOLDS), 150, "failure (mm)", continuous=False),
        "rounds": slider(ROUNDS, 0, ROUNDS, 1, "rounds"),
        "agent": slider(1, 1, AGENTS, 1, "agent", continuous=False),
    }
    presets = {
        "a point": {"rule": "minimum", "threshold": 150, "rounds": 0, "agent": 1},
        **{f"the {rule}": {"rule": rule, "threshold": 150, "rounds": ROUNDS, "agent": 1} for rule in RULES},
        "a higher threshold": {"rule": "minimum", "threshold": 210, "rounds": ROUNDS, "agent": 1},
    }
    return live(
        partial(compute_region, growth),
        view_region,
        controls,
        presets=presets,
        folded=("agent",),
        title="From a point to a region: how far can it grow?",
        grabs={"rounds": lambda at, params: {"rounds": at[0]}},
        plays="rounds",
        recorded=("rule", "rounds"),
    )
