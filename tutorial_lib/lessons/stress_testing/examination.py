"""How a lifter is examined: new agents with new seeds, random poses, and people whom nobody trained on."""

from typing import Any

import numpy as np
import torch

from tutorial_lib.lessons.stress_testing.recipes import THRESHOLD
from tutorial_lib.lessons.stress_testing.world import World
from tutorial_lib.lifting import SingleFrameLifter
from tutorial_lib.stress_testing import METHODS, Search, distinct, failing_share, grow
from tutorial_lib.stress_testing.learning import errors_on
from tutorial_lib.stress_testing.search import starts
from tutorial_lib.stress_testing.simulator import AXES, BUILD, Errors

EXAMINED = 100_000
"""Added to the seeds of examinations: no agent of a training is met again."""


def measures(errors: Errors, search: Search, rounds: int, generator: torch.Generator) -> dict[str, float]:
    """What a search is worth: shares in per cent, errors in mm, sizes in half-ranges."""
    regions = grow(errors, search.centres, THRESHOLD, generator=generator, rounds=rounds)[-1]
    failing = search.errors > THRESHOLD
    inside = failing_share(errors, regions, THRESHOLD, generator=generator)
    return {
        "success": 100 * regions.successes(errors, THRESHOLD).float().mean().item(),
        "size": regions.size.mean().item(),
        "inside": 100 * inside[failing].mean().item() if failing.any() else 0.0,
        "regions": distinct(regions[failing]),
        "centres": search.errors.mean().item(),
        "worst": search.worst[-1].item(),
    }


def examine(lifter: SingleFrameLifter, world: World, seed: int) -> dict[str, float]:
    """Robustness as the paper measures it, beside random poses and tests on people.

    Args:
        lifter: in eval mode.
        world: whose people and simulator.
        seed: of the agents.

    Returns:
        "success" in per cent, "size", "inside" in per cent, "regions", "centres", "worst": of new agents (CEM);
        "failing" in per cent, "mean", "p99.9" in mm: of random poses; MPJPE in mm of every place in the world.
    """
    budget, generator = world.budget, torch.Generator().manual_seed(EXAMINED + seed)
    errors = world.simulator.errors_of(lifter)
    start = starts(budget.judges, len(AXES), generator)
    search = METHODS["CEM"](errors, start, budget.moves, budget.samples, generator=generator)
    values = errors(world.latents("test"))
    return {
        **measures(errors, search, budget.rounds, generator),
        "failing": 100 * (values > THRESHOLD).float().mean().item(),
        "mean": values.mean().item(),
        "p99.9": values.quantile(0.999).item(),
        **{place: errors_on(lifter, world.sights(place)).mean().item() for place in world.places()},
    }


def hunts(lifter: SingleFrameLifter, world: World, seed: int) -> dict[str, dict[str, Any]]:
    """All methods of search with as many questions, from the same starts: the mean of several searches.

    "so far" is the worst error over the moves.
    """
    budget, errors, made = world.budget, world.simulator.errors_of(lifter), {}
    for name, method in METHODS.items():
        told = []
        for number in range(budget.hunts):
            generator = torch.Generator().manual_seed(EXAMINED + 100 * seed + number)
            start = starts(budget.agents, len(AXES), generator)
            search = method(errors, start, budget.moves, budget.samples, generator=generator)
            told.append(measures(errors, search, budget.rounds, generator) | {"so far": search.worst.tolist()})
        made[name] = {key: np.mean([one[key] for one in told], 0).tolist() for key in told[0]}
    return made


def unusual(lifter: SingleFrameLifter, world: World) -> dict[str, float]:
    """Mean error in mm of the same random poses and cameras: of the mean build, and of builds at the cube's corners."""
    latents, errors = world.latents("test").clone(), world.simulator.errors_of(lifter)
    corners = latents[:, -len(BUILD) :].sign()
    made = {}
    for name, build in (("mean build", 0.0), ("unusual build", corners)):
        latents[:, -len(BUILD) :] = build
        made[name] = errors(latents).mean().item()
    return made
