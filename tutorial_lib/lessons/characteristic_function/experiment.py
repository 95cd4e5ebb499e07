"""Trains lesson 09's networks: one on crowds with L2, then equally long on with L2, with L2 + CF and with CF alone.

    python -m tutorial_lib.lessons.characteristic_function.experiment [losses] [--budget shipped] [--seed 0]

All losses share one rate, so that they differ in nothing else; it and the mixture's gain are searched on validation
people. `results` collects the finished parts.
"""

import copy
import time
from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import torch

from tutorial_lib import checkpoints
from tutorial_lib.adaptation.rate_search import widened_search
from tutorial_lib.characteristic.learning import MapLoss, gradient_norm, train
from tutorial_lib.characteristic.metrics import Found, assigned, examine, glance, judge
from tutorial_lib.characteristic.network import CrowdNet
from tutorial_lib.characteristic.samples import CrowdSet, CrowdSplit, draw_crowd_set, mean_pose, placed_in_boxes
from tutorial_lib.experiments import Experiment, Run, once, once_tensors, provenance, settings
from tutorial_lib.lessons.characteristic_function.recipes import BASE, BEGINNING, BUDGETS, ROWS, SHIPPED
from tutorial_lib.lessons.characteristic_function.results import Results, collect, measured

BASE_RATE = 3e-3
RATES = (3e-4, 1e-3, 3e-3)
GAINS = (0.1, 0.3, 1.0)
SEARCH_SEEDS = (0,)
"""Training seeds on whose bases the rate and the gain are searched."""

Looks = list[tuple[int, dict[str, Any]]]


class World:
    """All crowds of one budget, and the bases of its seeds, made once and kept in the work folder.

    Args:
        name: of `recipes.BUDGETS`.
        work: keeps the parts.
        folder: gets the network that the lesson shows.
        device: where to train.
    """

    def __init__(self, name: str, work: Path, folder: Path, device: torch.device):
        self.name, self.budget, self.device = name, BUDGETS[name], device
        self.work, self.folder = work, folder
        self.crowds = cache(self._crowds)

    def _crowds(self, split: CrowdSplit) -> CrowdSet:
        budget = self.budget
        count = {"train": budget.crowds, "validation": budget.validated}.get(split, budget.tested)
        number = ("train", "validation", "test").index(split)
        path = self.work / f"{self.name}-crowds-{split}.safetensors"
        tensors = once_tensors(path, lambda: vars(draw_crowd_set(split, count, 90 + number, budget.size)))
        return CrowdSet(**{field.name: tensors[field.name] for field in fields(CrowdSet)}).to(self.device)

    def empty(self) -> CrowdNet:
        budget = self.budget
        return CrowdNet(budget.size, budget.channels, budget.width, budget.finer).to(self.device)

    def score(self, net: CrowdNet, split: CrowdSplit) -> dict[str, Any]:
        """What the network finds on these people."""
        return examine(net, self.crowds(split)).as_dict()

    def base(self, seed: int) -> tuple[CrowdNet, dict[str, Any]]:
        """The network that this seed's rows start from, and its part."""
        part = once(self.work / f"{self.name}-{BASE}-s{seed}.json", lambda: self._make_base(seed))
        net = self.empty()
        net.load_state_dict(once_tensors(self._weights(seed), lambda: self._trained_base(seed)[0].state_dict()))
        return net.eval(), part

    def _weights(self, seed: int) -> Path:
        return self.work / f"{self.name}-{BASE}-s{seed}.safetensors"

    def _trained_base(self, seed: int) -> tuple[CrowdNet, Looks]:
        torch.manual_seed(seed)
        net = self.empty()
        if self.budget.from_heads:
            net.begin_as(checkpoints.weights(BEGINNING)[1])
        return net, go_on(self, net, MapLoss(), self.budget.base_steps, BASE_RATE, seed, f"base, seed {seed}")

    def _make_base(self, seed: int) -> dict[str, Any]:
        started = time.time()
        net, looks = self._trained_base(seed)
        once_tensors(self._weights(seed), net.state_dict)
        norms = {
            kind: gradient_norm(net, self.crowds("train"), loss)
            for kind, loss in (("l2", MapLoss()), ("cf", MapLoss(0.0, 1.0)))
        }
        return {
            "row": BASE, "seed": seed, "budget": settings(self.name, self.budget), "rate": BASE_RATE,
            "validation": looks, "test": self.score(net, "test"), "norms": norms, **provenance(started, self.device),
        }  # fmt: skip


def go_on(
    world: World, net: CrowdNet, loss: MapLoss, steps: int, rate: float, seed: int, label: str, checks: int = 4
) -> Looks:
    """Train a network in place: what it was worth on validation people, `checks` times, the last one at its end.

    Raises:
        KeyboardInterrupt: somebody stopped it: half a training must not be taken for finished.
    """
    looks: Looks = []
    history = train(
        net, world.crowds("train"), loss, steps=steps, rate=rate, generator=torch.Generator().manual_seed(seed),
        batch=world.budget.batch, every=max(1, steps // checks), label=label,
        look=lambda net, step: looks.append((step, glance(net, world.crowds("validation")))),
    )  # fmt: skip
    history.whole(label)
    return looks


def loss_of(row: str, balance: float, gain: float = 1.0) -> MapLoss:
    """The loss of a row.

    Args:
        row: of `ROWS`.
        balance: weight of CF at which both losses' gradients are equally long, where the row starts.
        gain: of CF beyond that, in the mixture.
    """
    return {"l2": MapLoss(), "mix": MapLoss(1.0, gain * balance), "cf": MapLoss(0.0, balance)}[row]


def balance_of(part: dict[str, Any]) -> float:
    """The weight of CF at which its gradient is as long as that of L2, at a base."""
    return part["norms"]["l2"] / part["norms"]["cf"]


def search(world: World) -> dict[str, Any]:
    """The rate of all rows, L2's best, and then the mixture's gain, by what is lost on validation people soon after."""
    if not world.budget.searched:
        return {"rate": 1e-3, "gain": 1.0, "tried": {}, "gains": {}}

    def tried_once(row: str, seed: int, rate: float, gain: float) -> float:
        def final() -> float:
            net, part = world.base(seed)
            loss = loss_of(row, balance_of(part), gain)
            steps, label = world.budget.search_steps, f"{row}, seed {seed}, rate {rate:g}, gain {gain:g}"
            return go_on(world, net, loss, steps, rate, 100 + seed, label, 1)[-1][1]["all"]["lost"]

        return once(world.work / f"{world.name}-try-{row}-{seed}-{rate:g}-{gain:g}.json", final)

    def error(row: str, rate: float, gain: float = 1.0) -> float:
        return sum(tried_once(row, seed, rate, gain) for seed in SEARCH_SEEDS) / len(SEARCH_SEEDS)

    rates = widened_search(lambda rate: error("l2", rate), RATES)
    rate = min(rates, key=rates.__getitem__)
    gains = widened_search(lambda gain: error("mix", rate, gain), GAINS, within=(0.01, 100.0))
    return {
        "rate": rate, "gain": min(gains, key=gains.__getitem__),
        "tried": {f"{one:g}": round(e, 4) for one, e in rates.items()},
        "gains": {f"{one:g}": round(e, 4) for one, e in gains.items()},
    }  # fmt: skip


def blind(world: World) -> dict[str, Any]:
    """Who does not look: the joints of another test picture, and the training's mean pose in everybody's true box."""
    crowds = world.crowds("test")
    other = crowds.select(torch.arange(len(crowds)).roll(1))
    heights = other.present[..., None].double().expand(-1, -1, other.keypoints.shape[2]).mT
    placed = placed_in_boxes(mean_pose(world.crowds("train")), crowds.keypoints)
    distance = torch.linalg.vector_norm(placed - crowds.keypoints, dim=-1)
    nothing = torch.zeros_like(distance)
    return {
        "another picture": judge(assigned(other.keypoints.transpose(1, 2), heights, crowds), crowds),
        "mean pose in the true box": judge(Found(distance, nothing, nothing.long(), placed, nothing), crowds),
    }


def train_row(row: str, world: World, seed: int, chosen: dict[str, Any]) -> dict[str, Any]:
    """Go on from the seed's base with one loss, and test it; the network that the lesson shows is kept."""
    started = time.time()
    net, part = world.base(seed)
    loss = loss_of(row, balance_of(part), chosen["gain"])
    looks = go_on(world, net, loss, world.budget.steps, chosen["rate"], seed, f"{row}, seed {seed}")
    found = {
        "row": row, "seed": seed, "budget": settings(world.name, world.budget), "rate": chosen["rate"],
        "gain": chosen["gain"], "balance": balance_of(part), "validation": looks, "test": world.score(net, "test"),
        **provenance(started, world.device),
    }  # fmt: skip
    if row == SHIPPED and (seed == 0 or world.name == "gpu"):
        about = {"seed": seed, "row": row, "test": found["test"]}
        checkpoints.save(copy.deepcopy(net).cpu(), "characteristic/crowd", about, world.folder)
    return found


def make(run: Run, names: Sequence[str]) -> None:
    """Train and test rows; `BASE` is what all of them begin with."""
    world = World(run.budget_name, run.work, run.folder, run.device)
    once(run.part("blind"), lambda: blind(world))
    for row in names:
        if row == BASE:
            world.base(run.seed)
            continue
        chosen = once(run.part("search-all"), lambda: search(world))
        done = once(
            run.part(f"{row}-s{run.seed}"), lambda row=row, chosen=chosen: train_row(row, world, run.seed, chosen)
        )
        print(f"{row}, seed {run.seed}: {done['test']['merged']['all']}", flush=True)


EXPERIMENT = Experiment(__doc__, "characteristic", BUDGETS, (BASE, *ROWS), make, collect, Results, measured)
run_all, found = EXPERIMENT.run_all, EXPERIMENT.found

if __name__ == "__main__":
    EXPERIMENT.main()
