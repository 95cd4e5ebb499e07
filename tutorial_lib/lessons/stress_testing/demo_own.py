"""A student's own search, once it is right, hunts lesson 04's lifter beside CEM and random search."""

from collections.abc import Callable

import numpy as np
import torch

from tutorial_lib.display.claims import plus_minus
from tutorial_lib.display.tables import markdown
from tutorial_lib.lessons.stress_testing.demo_agents import AGENTS, MOVES, SAMPLES
from tutorial_lib.lessons.stress_testing.demo_hunt import lesson_04
from tutorial_lib.stress_testing import AXES, METHODS, simulator
from tutorial_lib.stress_testing.search import starts
from tutorial_lib.stress_testing.simulator import Errors

SEEDS = 5
"""Of the hunt."""

OwnSearch = Callable[[Errors, torch.Tensor, int, int], tuple[torch.Tensor, torch.Tensor]]
"""Errors, start (D,), steps and samples to the place where an agent ends, and the worst that it asked."""


def course_search(errors: Errors, start: torch.Tensor, steps: int, samples: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The course's own answer, for who has none yet; an `OwnSearch`."""
    mean, width, worst, largest = start, torch.full_like(start, 0.4), start, -torch.inf
    for _ in range(steps):
        asked = (mean + width * torch.randn(samples, len(start))).clamp(-1, 1)
        found = errors(asked)
        elite = asked[found.topk(samples // 4).indices]
        mean, width = elite.mean(0), elite.std(0).clamp_min(0.05)
        if found.max() > largest:
            worst, largest = asked[found.argmax()], found.max()
    return mean, worst


_CHECKED: list[OwnSearch] = []


def checked(search: OwnSearch) -> None:
    """Note a student's search that passed its check: `own_hunt` takes it from now on."""
    _CHECKED[:] = [search]


def own_hunt(seed: int = 0, errors: Errors | None = None, moves: int = MOVES) -> dict[str, np.ndarray]:
    """The worst question of a whole search, in mm: of one's own agents, of CEM's, and of random search.

    Args:
        seed: of the first of `SEEDS` hunts.
        errors: of latents; by default lesson 04's lifter.
        moves: of every agent.

    Returns:
        Whose search -> (hunts,); as many agents from the same starts, with as many questions.
    """
    search, whose = (_CHECKED[0], "your agents") if _CHECKED else (course_search, "the course's answer")
    errors = simulator().errors_of(lesson_04()) if errors is None else errors
    worst: dict[str, list[float]] = {whose: [], "CEM": [], "random": []}
    for number in range(SEEDS * seed, SEEDS * (seed + 1)):
        for name in ("CEM", "random"):
            generator = torch.Generator().manual_seed(number)
            start = starts(AGENTS, len(AXES), generator)
            released = METHODS[name](errors, start, moves, SAMPLES, generator=generator)
            worst[name].append(released.worst[-1].item())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(number)
            ends = torch.stack([search(errors, one, moves, SAMPLES)[1] for one in start])
        worst[whose].append(errors(ends).max().item())
    return {name: np.array(values) for name, values in worst.items()}


def own_table(made: dict[str, np.ndarray]) -> str:
    """Markdown: what `own_hunt` returned, and how far each is ahead of random search, paired."""
    rows = [
        [name, plus_minus(values, 0), "–" if name == "random" else plus_minus(values - made["random"], 0)]
        for name, values in made.items()
    ]
    return markdown(["", "worst question (mm)", "ahead of random (mm)"], rows, numbers=True)
