"""Lesson 11's experiment: train lifters, let agents and their controls search, train on what they found, look again.

    python -m tutorial_lib.lessons.stress_testing.experiment [names] [--budget shipped] [--seed 0]

A name is a lifter under test, or what it is trained on afterwards. Rates are chosen first, on validation people, the
same search for each. `results` collects the finished parts. Real actors are tested where `COURSE_MOCAP` names them.
"""

import copy
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from tutorial_lib import checkpoints
from tutorial_lib.adaptation.rate_search import widened_search
from tutorial_lib.experiments import Experiment, Run, once, once_tensors, provenance, settings
from tutorial_lib.lessons.stress_testing.examination import examine, hunts, unusual
from tutorial_lib.lessons.stress_testing.recipes import (
    BUDGETS,
    COURSE,
    END,
    HARDEST,
    RARE,
    ROWS,
    SHOWN,
    THRESHOLD,
    Budget,
    row,
)
from tutorial_lib.lessons.stress_testing.results import Results, collect, measured
from tutorial_lib.lessons.stress_testing.world import World
from tutorial_lib.lifting import SingleFrameLifter
from tutorial_lib.stress_testing import cem, grow
from tutorial_lib.stress_testing.learning import Sights, errors_on, simulated, train
from tutorial_lib.stress_testing.regions import SIDES, SLAB
from tutorial_lib.stress_testing.search import starts
from tutorial_lib.stress_testing.simulator import AXES, draw

RATES, TUNING = (3e-4, 1e-3, 3e-3), (1e-4, 3e-4, 1e-3)


def first_training(
    victim: str, budget: Budget, world: World, seed: int, rate: float
) -> tuple[SingleFrameLifter, list[tuple[int, float]]]:
    """A lifter, and its validation error in mm over the training."""
    torch.manual_seed(seed)
    lifter = SingleFrameLifter(budget.width, dropout=0.0).train()
    held_out = world.mixture(victim, "validation")
    label = f"{victim}, seed {seed}, rate {rate:g}"
    history = train(
        lifter, world.mixture(victim), budget.steps, generator=torch.Generator().manual_seed(seed), rate=rate,
        batch=budget.batch, validate=lambda: sum(share * errors_on(lifter, s).mean().item() for s, share in held_out),
        every=max(1, budget.steps // 10), label=label,
    )  # fmt: skip
    return lifter.eval(), history.whole(label).checks


def new_poses(arm: str, lifter: SingleFrameLifter, world: World, seed: int) -> torch.Tensor | None:
    """Latents that one round adds to replay: as many for every arm but replay, as many questions for "mined"."""
    budget, generator = world.budget, torch.Generator().manual_seed(seed)
    errors, wanted = world.simulator.errors_of(lifter), budget.agents * budget.hard
    if arm == "replay":
        return None
    if arm == "random":
        return draw(wanted, generator)
    if arm == "mined":
        latents = draw(budget.agents * (budget.moves * budget.samples + budget.rounds * SIDES * SLAB), generator)
        return latents[errors(latents).topk(wanted).indices]
    questions, answers = [], []

    def asked(latents: torch.Tensor) -> torch.Tensor:
        answer = errors(latents)
        questions.append(latents.flatten(0, -2))
        answers.append(answer.flatten())
        return answer

    start = starts(budget.agents, len(AXES), generator)
    found = cem(asked, start, budget.moves, budget.samples, generator=generator)
    regions = grow(asked, found.centres, THRESHOLD, generator=generator, rounds=budget.rounds)[-1]
    if arm == "asked":
        return torch.cat(questions)[torch.cat(answers).topk(wanted).indices]
    inside = regions.draw(wanted, generator)
    failing = (found.errors > THRESHOLD).nonzero()[:, 0]
    taken = failing if len(failing) else torch.arange(budget.agents)  # nothing fails: what is nearest to it
    rows = torch.arange(wanted)
    return inside[rows, taken[rows % len(taken)]]


def tune(
    victim: str, arm: str, lifter: SingleFrameLifter, world: World, seed: int, rate: float, loops: int, look: Any = None
) -> list[Any]:
    """Rounds of looking for poses and training on all that were found so far.

    Returns:
        What `look` says after each, and "ends": how many sliders of the added latents stand at an end, on average.
    """
    replay, pool, said = world.mixture(victim), None, []
    for loop in range(loops):
        latents = new_poses(arm, lifter, world, 1000 * seed + loop)
        added = None if latents is None else simulated(world.simulator, latents)
        pool = added if pool is None or added is None else pool + added
        mixture = replay if pool is None else [*((sights, share / 2) for sights, share in replay), (pool, 0.5)]
        label = f"{row(victim, arm)}, seed {seed}, round {loop + 1}"
        train(
            lifter, mixture, world.budget.tuned, generator=torch.Generator().manual_seed(seed + loop), rate=rate,
            batch=world.budget.batch, label=label,
        ).whole(label)  # fmt: skip
        if look is not None:
            ends = {} if latents is None else {"ends": (latents.abs() > END).float().sum(-1).mean().item()}
            said.append(look(loop) | ends)
    return said


class Parts:
    """The finished parts of one budget in a folder.

    Args:
        budget_name: of `BUDGETS`.
        folder: gets the networks.
        work: keeps the parts.
    """

    def __init__(self, budget_name: str, folder: Path, work: Path):
        self.name, self.budget, self.folder, self.work = budget_name, BUDGETS[budget_name], folder, work
        self.world = World(self.budget)

    def rate(self, victim: str, arm: str = "") -> dict[str, Any]:
        """The rate with the smallest error on validation people; for an arm, also on the simulator's hardest ones."""
        return once(self.work / f"{self.name}-search-{row(victim, arm)}.json", lambda: self._search(victim, arm))

    def _search(self, victim: str, arm: str) -> dict[str, Any]:
        if not self.budget.searched:
            return {"rate": 1e-3, "tried": {}}
        world = self.world
        if not arm:
            short = replace(self.budget, steps=max(1, self.budget.steps // 3))
            tried = widened_search(lambda rate: first_training(victim, short, world, 0, rate)[1][-1][1], RATES)
        else:
            lifter = self.lifter(victim, 0)
            worst = errors_on(lifter, world.drawn("validation")).topk(max(1, round(HARDEST * self.budget.asked)))
            everyone, rows = world.drawn("validation"), worst.indices
            hardest = Sights(everyone.seen[rows], everyone.pose[rows])

            def error(rate: float) -> float:
                tuned = copy.deepcopy(lifter)
                tune(victim, arm, tuned, world, 99, rate, 1)
                return sum(errors_on(tuned, part).mean().item() for part in (world.sights("validation"), hardest)) / 2

            tried = widened_search(error, TUNING)
        rate = min(tried, key=tried.__getitem__)
        return {"rate": rate, "tried": {f"{value:g}": round(error, 2) for value, error in tried.items()}}

    def lifter(self, victim: str, seed: int) -> SingleFrameLifter:
        """The lifter as it was first trained, in eval mode; the course's own for `COURSE`."""
        if victim == COURSE:
            return checkpoints.load("temporal/lifter-1f")
        path = self.work / f"{self.name}-{victim}-s{seed}"

        def made() -> dict[str, torch.Tensor]:
            rate = self.rate(victim)["rate"]
            lifter, checks = first_training(victim, self.budget, self.world, seed, rate)
            once(path.with_name(f"{path.name}-validation.json"), lambda: checks)
            return lifter.state_dict()

        weights = once_tensors(path.with_name(f"{path.name}.safetensors"), made)
        lifter = SingleFrameLifter(self.budget.width, dropout=0.0)
        lifter.load_state_dict(weights)
        return lifter.eval()

    def part(self, victim: str, arm: str, seed: int) -> dict[str, Any]:
        """One row of the tables, of one seed."""
        path = self.work / f"{self.name}-{row(victim, arm)}-s{seed}.json"
        return once(path, lambda: self._part(victim, arm, seed))

    def _part(self, victim: str, arm: str, seed: int) -> dict[str, Any]:
        started, lifter, world = time.time(), self.lifter(victim, seed), self.world
        found: dict[str, Any] = {"row": row(victim, arm), "seed": seed, "budget": settings(self.name, self.budget)}
        if arm:
            rate = self.rate(victim, arm)["rate"]
            exams = tune(
                victim, arm, lifter, world, seed, rate, self.budget.loops,
                lambda loop: examine(lifter, world, 10 * seed + loop + 1),
            )  # fmt: skip
            found |= {"rate": rate, "loops": exams, "exam": exams[-1]}
        else:
            found |= {"exam": examine(lifter, world, 10 * seed), "hunts": hunts(lifter, world, seed)}
            found |= {"unusual": unusual(lifter, world)}
            if victim != COURSE:
                found["validation"] = once(self.work / f"{self.name}-{victim}-s{seed}-validation.json", list)
                found["rate"] = self.rate(victim)["rate"]
        if victim == RARE and arm in SHOWN and (seed == 0 or self.name == "full"):
            about = {"seed": seed, "row": row(victim, arm), "exam": found["exam"]}
            checkpoints.save(lifter, f"stress/{row(victim, arm)}", about, self.folder)
        return found | provenance(started, "cpu")


def make(run: Run, names: Sequence[str]) -> None:
    """Train, search, examine."""
    parts = Parts(run.budget_name, run.folder, run.work)
    for name in names:
        victim, _, arm = name.partition("-")
        exam: Mapping[str, float] = parts.part(victim, arm, run.seed)["exam"]
        print(f"{name}, seed {run.seed}: " + ", ".join(f"{k} {v:.4g}" for k, v in exam.items()), flush=True)


EXPERIMENT = Experiment(
    __doc__, "stress", BUDGETS, tuple(ROWS), make, collect, Results, measured, full="full", device=None
)
run_all, found = EXPERIMENT.run_all, EXPERIMENT.found

if __name__ == "__main__":
    EXPERIMENT.main()
