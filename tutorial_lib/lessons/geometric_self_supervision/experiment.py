"""Trains lesson 08's lifters: cycles with and without critics, priors of the camera, noise, strangers' skeletons.

    python -m tutorial_lib.lessons.geometric_self_supervision.experiment [names] [--budget shipped] [--seed 0]

Rates and the weight of the cycle are chosen first, on labelled validation people: only a course that knows the truth
can do so, and every row gets the same search. `results` collects the finished parts.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch

from tutorial_lib import checkpoints
from tutorial_lib.adaptation.rate_search import widened_search
from tutorial_lib.datasets.splits import (
    HELD_OUT_ACTIONS,
    TEST_SEED,
    TRAIN_SEED,
    TRAINED_ACTIONS,
    VALIDATION_SEED,
)
from tutorial_lib.experiments import Experiment, Run, once, provenance, settings
from tutorial_lib.lessons.geometric_self_supervision.recipes import (
    BUDGETS,
    CRITIC,
    CYCLE,
    FULL,
    LABELS,
    ROWS,
    Budget,
    Row,
    recipe,
)
from tutorial_lib.lessons.geometric_self_supervision.results import Results, collect, measured
from tutorial_lib.motion import builtin
from tutorial_lib.motion.clip import Clip
from tutorial_lib.self_supervision.learning import Trained, train
from tutorial_lib.self_supervision.networks import Adapter, DepthLifter
from tutorial_lib.self_supervision.others import learn_to_adapt, seen_by_others
from tutorial_lib.self_supervision.signs import aligned_errors, canonical_mean, errors
from tutorial_lib.self_supervision.turning import lift, mirrored
from tutorial_lib.self_supervision.views import Views, draw_views
from tutorial_lib.skeleton import length

RATES = (3e-4, 1e-3, 3e-3)
CYCLES = (0.1, 1.0, 10.0)
PLACES = {"new": HELD_OUT_ACTIONS, "known": TRAINED_ACTIONS}
"""Motions of the test people."""
SHIPPED = (FULL, CRITIC, CYCLE, LABELS, "prior-20")
"""Networks that the lesson shows, of training seed 0."""


class World:
    """All 2D skeletons of one camera: made once, used by many trainings.

    Args:
        budget: how many.
        device: where they lie.
    """

    def __init__(self, budget: Budget, device: torch.device):
        self.budget, self.device = budget, device
        self.views = cache(self._views)
        self.clips = cache(self._clips)

    def _clips(self, part: str) -> list[Clip]:
        """Whoever takes part; in the smallest budget one person with few motions."""
        small = self.budget.people == 1
        trained, frames = (TRAINED_ACTIONS[:2], 20) if small else (TRAINED_ACTIONS, 200)
        if part == "train":
            return builtin(TRAIN_SEED, self.budget.people, trained, frames)
        if part == "few":
            return builtin(TRAIN_SEED, (900, 901), trained[:4], frames)
        if part == "validation":
            return builtin(VALIDATION_SEED, 6 if not small else 1, trained, frames)
        return builtin(TEST_SEED, 4 if not small else 1, PLACES[part] if not small else PLACES[part][:2], frames)

    def _views(self, part: str, row: Row) -> Views:
        """Of "train", "few", "validation", "new" or "known"; the same people and moments for every row."""
        count, seed = {
            "train": (self.budget.views, 1), "few": (self.budget.few, 2), "validation": (self.budget.tested // 2, 3),
        }.get(part, (self.budget.tested, 4))  # fmt: skip
        drawn = draw_views(
            self.clips(part), count, seed, noise=row.noise, elevation=row.believed, distance=row.distance
        )
        return drawn.to(self.device)


def judged(lifter: DepthLifter, views: Views) -> dict[str, float]:
    """What a lifter's poses of the first moments are worth."""
    seen = views.seen[:, 0]
    with torch.no_grad():
        pose = lifter(seen)
    return {key: round(value, 3) for key, value in asdict(errors(seen, pose, views.pose[:, 0], views.distance)).items()}


def jitter(lifter: DepthLifter, views: Views) -> float:
    """Mean difference of a joint's way from the first moment to the second, from the true one, in mm."""
    with torch.no_grad():
        moved = lifter(views.seen).diff(dim=1)
    return 1000 * length(moved - views.pose.diff(dim=1)).mean().item()


def adapter_of(world: World, seed: int, progress: bool = True) -> Adapter:
    """What moves strangers' joints to where the few of one's own have theirs."""
    own, strangers = (world.views(part, ROWS["adapted"]) for part in ("few", "train"))
    torch.manual_seed(seed)
    return learn_to_adapt(
        seen_by_others(strangers).seen.flatten(0, 1), own.seen.flatten(0, 1), steps=world.budget.short,
        generator=torch.Generator().manual_seed(seed), batch=world.budget.batch, progress=progress,
    )  # fmt: skip


def moved(world: World, adapter: Adapter) -> dict[str, float]:
    """How far strangers' joints lie from one's own, in mm of the picture, on validation people: before and after."""
    own = world.views("validation", ROWS["adapted"])
    strange = seen_by_others(own).seen
    with torch.no_grad():
        pairs = {"before": strange, "after": adapter(strange)}
    return {when: round(1000 * length(seen - own.seen).mean().item(), 2) for when, seen in pairs.items()}


def skeletons(row: Row, world: World, adapter: Adapter | None) -> Views:
    """The 2D skeletons that a row is trained on."""
    if row.source == "own":
        return world.views("train", row)
    few = world.views("few", row)
    if row.source == "few":
        return few
    strangers = seen_by_others(world.views("train", row))
    seen = strangers.seen
    if adapter is not None:
        with torch.no_grad():
            seen = adapter(seen)
    # One's own count as often as strangers': each is drawn many times.
    times = max(1, len(seen) // len(few))
    return Views(
        torch.cat([few.seen.repeat(times, 1, 1, 1), seen]),
        torch.cat([few.pose.repeat(times, 1, 1, 1), strangers.pose]),
        few.distance,
    )


def looks(steps: int) -> set[int]:
    """When a training is looked at: often at the beginning, where it decides itself."""
    return {number for number in (10, 20, 40, 80, 160) if number < steps // 10} | {
        steps * tenth // 10 for tenth in range(1, 11)
    }


def run(
    row: Row,
    budget: Budget,
    world: World,
    seed: int,
    rate: float,
    cycle: float,
    label: str,
    adapter: Adapter | None = None,
) -> Trained:
    """Train one row; its checks are of validation people.

    Raises:
        KeyboardInterrupt: somebody stopped it: half a training must not be taken for finished.
    """
    validation = world.views("validation", row)
    plan = recipe(row, budget, rate, cycle)
    torch.manual_seed(seed)
    trained = train(
        skeletons(row, world, adapter), plan, generator=torch.Generator().manual_seed(seed),
        check=lambda lifter: judged(lifter, validation), looks=looks(plan.steps), label=label,
    )  # fmt: skip
    if trained.interrupted:
        raise KeyboardInterrupt(f"{label} was stopped")
    return trained


def search(kind: str, budget: Budget, world: World) -> dict[str, Any]:
    """The rate, and where there is a cycle its weight, with the smallest validation error in a third of the time."""
    row = ROWS[kind]
    short = replace(budget, steps=max(1, budget.steps // 3), short=max(1, budget.short // 3))
    if not budget.searched:
        return {"rate": 1e-3, "cycle": 1.0, "tried": {}}

    def error(rate: float, cycle: float) -> float:
        label = f"{kind}, rate {rate:g}, cycle {cycle:g}"
        return run(row, short, world, 0, rate, cycle, label).checks[-1][1]["p_mpjpe"]

    weighed = {1.0: 0.0}
    if row.cycle and row.critic:
        weighed = widened_search(lambda cycle: error(1e-3, cycle), CYCLES)
    cycle = min(weighed, key=weighed.__getitem__)
    tried = widened_search(lambda rate: error(rate, cycle), RATES)
    rate = min(tried, key=tried.__getitem__)
    return {"rate": rate, "cycle": cycle, "tried": {"rate": _text(tried), "cycle": _text(weighed)}}


def _text(tried: Mapping[float, float]) -> dict[str, float]:
    return {f"{value:g}": round(error, 2) for value, error in tried.items()}


def blind(world: World) -> dict[str, Any]:
    """Who does not look: a flat person, the canonical mean pose, and the truth with its depths mirrored."""
    found: dict[str, Any] = {}
    mean = canonical_mean(world.views("train", ROWS[CYCLE]).pose[:4000, 0])
    for place in PLACES:
        views = world.views(place, ROWS[CYCLE])
        seen, truth = views.seen[:, 0], views.pose[:, 0]
        found[place] = {
            "flat": asdict(errors(seen, lift(seen, torch.zeros_like(seen[..., 0])), truth, views.distance)),
            "mirrored truth": asdict(errors(seen, mirrored(seen, truth, views.distance), truth, views.distance)),
            "mean": 1000 * aligned_errors(mean.expand_as(truth), truth).mean().item(),
        }
    return found


def train_row(
    name: str, budget_name: str, world: World, seed: int, chosen: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Train one row and test it; networks that the lesson shows are kept in `folder`."""
    row, budget, started = ROWS[name], BUDGETS[budget_name], time.time()
    adapter = adapter_of(world, seed) if row.source == "adapted" else None
    trained = run(row, budget, world, seed, chosen["rate"], chosen["cycle"], f"{name}, seed {seed}", adapter)
    found = {
        "row": name, "seed": seed, "budget": settings(budget_name, budget), **{k: chosen[k] for k in ("rate", "cycle")},
        "validation": trained.checks,
        "errors": {place: judged(trained.lifter, world.views(place, row)) for place in PLACES},
        "jitter": {place: jitter(trained.lifter, world.views(place, row)) for place in PLACES},
        **({} if adapter is None else {"strangers": moved(world, adapter)}),
        **provenance(started, world.device),
    }  # fmt: skip
    if adapter is not None and (seed == 0 or budget_name == "gpu"):
        about = {"seed": seed, "row": name, "strangers": found["strangers"]}
        checkpoints.save(adapter.cpu(), "skeletons/adapter", about, folder)
    if name in SHIPPED and (seed == 0 or budget_name == "gpu"):
        about = {"seed": seed, "row": name, "errors": found["errors"]}
        checkpoints.save(trained.lifter.cpu(), f"skeletons/{name}", about, folder)
    return found


def make(run: Run, names: Sequence[str]) -> None:
    """Train and test rows."""
    budget = BUDGETS[run.budget_name]
    world = World(budget, run.device)
    once(run.part("blind"), lambda: blind(world))
    for name in names:
        kind = ROWS[name].kind
        chosen = once(run.part(f"search-{kind}"), lambda kind=kind: search(kind, budget, world))
        done = once(
            run.part(f"{name}-s{run.seed}"),
            lambda name=name, chosen=chosen: train_row(name, run.budget_name, world, run.seed, chosen, run.folder),
        )
        print(f"{name}, seed {run.seed}: {done['errors']}", flush=True)


EXPERIMENT = Experiment(__doc__, "skeletons", BUDGETS, tuple(ROWS), make, collect, Results, measured)
run_all, found = EXPERIMENT.run_all, EXPERIMENT.found

if __name__ == "__main__":
    EXPERIMENT.main()
