"""Trains lesson 10's networks, and fits bodies to dots with and without them.

    python -m tutorial_lib.lessons.mesh_recovery.experiment [names] [--budget shipped] [--seed 0]

A name is a row, "fits", or "noise": some rows asked with dots of other noise. Rates, the prior's weight and EFT's rate
are chosen first, on validation people, the same search for each row. `results` collects the finished parts. Real
actors are tested where `COURSE_MOCAP` names them.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from tutorial_lib import checkpoints
from tutorial_lib.adaptation.rate_search import widened_search
from tutorial_lib.experiments import Experiment, Run, once, once_tensors, provenance, settings
from tutorial_lib.lessons.mesh_recovery.fits import choose, fit_all
from tutorial_lib.lessons.mesh_recovery.recipes import ASKED, BUDGETS, FITTED, LATER, NOISES, ROWS, SHIPPED, WIDTHS
from tutorial_lib.lessons.mesh_recovery.results import Results, collect, measured
from tutorial_lib.lessons.mesh_recovery.rows import judge, new_network, train_row
from tutorial_lib.lessons.mesh_recovery.world import World
from tutorial_lib.mesh import Parameters, facing
from tutorial_lib.mesh.fitting import Energy
from tutorial_lib.mesh.metrics import body_errors, posed

RATES, LATER_RATES = (3e-4, 1e-3, 3e-3), (3e-5, 1e-4, 3e-4)
NAMES = (*ROWS, "fits", "noise")


def blind(world: World) -> dict[str, Any]:
    """Who does not look, and who knows all but one thing: mean errors on every test."""
    rest, found = facing(), {}
    for test in world.tests():
        people = world.people(test)
        count, truth = len(people), people.posed()

        def of(rotations: torch.Tensor, betas: torch.Tensor, truth: Any = truth) -> dict[str, float]:
            camera = betas.new_zeros(len(betas), 3)
            return body_errors(posed(Parameters(rotations, betas, camera)), truth).means()

        still = rest.rotations.to(people.rotations).expand(count, -1, -1, -1)
        turned = torch.cat([people.rotations[:, :1], still[:, 1:]], 1)
        nobody = torch.zeros_like(people.betas)
        found[test] = {
            "mean body, facing the camera": of(still, nobody),
            "mean body, truly turned": of(turned, nobody),
            "true pose, mean shape": of(people.rotations, nobody),
        }
    return found


class Parts:
    """The finished parts of one budget in a folder.

    Args:
        name: of `BUDGETS`.
        folder: gets the networks.
        work: keeps the parts.
        device: where to train.
    """

    def __init__(self, name: str, folder: Path, work: Path, device: torch.device):
        self.name, self.budget, self.folder, self.work = name, BUDGETS[name], folder, work
        self.world = World(name, work, device)

    def chosen(self) -> dict[str, Any]:
        """What fits use: chosen with the regressor of seed 0."""
        return once(
            self.work / f"{self.name}-search-fits.json", lambda: choose(self.network("parameters", 0), self.world)
        )

    def energy(self, row: str) -> Energy:
        """Of the fits of people without labels; only the rows that fit need it."""
        if row not in ("once", "loop"):
            return Energy()
        noise = FITTED[-1]
        return Energy(self.chosen()["prior"][f"{noise:g}"], noise)

    def rate(self, row: str) -> dict[str, Any]:
        """The rate with the smallest MPJPE on validation people after a third of the time."""
        return once(self.work / f"{self.name}-search-{row}.json", lambda: self._search(row))

    def _search(self, row: str) -> dict[str, Any]:
        if not self.budget.searched:
            return {"rate": 1e-4 if row in LATER else 1e-3, "tried": {}}

        def error(rate: float) -> float:
            net = self._start(row, 0)
            return train_row(row, net, self.world, 0, rate, self.budget.steps // 3, self.energy(row), 1).checks[-1][1]

        tried = widened_search(error, LATER_RATES if row in LATER else RATES)
        rate = min(tried, key=tried.__getitem__)
        return {"rate": rate, "tried": {f"{value:g}": round(error, 2) for value, error in tried.items()}}

    def _start(self, row: str, seed: int) -> Any:
        if row in LATER:
            return self.network("parameters", seed)
        torch.manual_seed(seed)
        return new_network(row, self.budget.width).to(self.world.device)

    def network(self, row: str, seed: int) -> Any:
        """A trained network in eval mode."""
        path = self.work / f"{self.name}-{row}-s{seed}"

        def made() -> dict[str, torch.Tensor]:
            started, net = time.time(), self._start(row, seed)
            history = train_row(row, net, self.world, seed, self.rate(row)["rate"], self.budget.steps, self.energy(row))
            about = {"validation": history.checks, **provenance(started, self.world.device)}
            once(path.with_name(f"{path.name}-training.json"), lambda: about)
            return {key: value.cpu() for key, value in net.state_dict().items()}

        weights = once_tensors(path.with_name(f"{path.name}.safetensors"), made)
        net = new_network(row, self.budget.width)
        net.load_state_dict(weights)
        return net.eval().to(self.world.device)

    def part(self, name: str, seed: int) -> dict[str, Any]:
        """One row of the tables, the fits, or the noise, of one seed."""
        return once(self.work / f"{self.name}-part-{name}-s{seed}.json", lambda: self._part(name, seed))

    def _part(self, name: str, seed: int) -> dict[str, Any]:
        started = time.time()
        found: dict[str, Any] = {"row": name, "seed": seed, "budget": settings(self.name, self.budget)}
        if name == "noise":
            nets = {row: self.network(row, seed) for row in ASKED}
            found["noise"] = {
                row: {
                    f"{noise:g}": judge(row, net, self.world, "invented", 50 + seed, noise)["pve"] for noise in NOISES
                }
                for row, net in nets.items()
            }
            return found | provenance(started, self.world.device)
        net = self.network("parameters" if name == "fits" else name, seed)
        if name == "fits":
            found["fits"] = fit_all(net, self.world, seed, self.chosen())
            return found | provenance(started, self.world.device)
        tests = ["invented"] if name in WIDTHS else self.world.tests()
        found["errors"] = {test: judge(name, net, self.world, test, 50 + seed) for test in tests}
        training = once(self.work / f"{self.name}-{name}-s{seed}-training.json", dict)
        found |= {"rate": self.rate(name)["rate"], **training}
        if name in SHIPPED and (seed == 0 or self.name == "gpu"):
            checkpoints.save(net.cpu(), f"mesh/{name}", {"seed": seed, "row": name, **found["errors"]}, self.folder)
        return found


def make(run: Run, names: Sequence[str]) -> None:
    """Train, test and fit."""
    parts = Parts(run.budget_name, run.folder, run.work, run.device)
    once(run.part("blind"), lambda: blind(parts.world))
    for name in names:
        print(f"{name}, seed {run.seed}: {parts.part(name, run.seed).get('errors', 'done')}", flush=True)


EXPERIMENT = Experiment(__doc__, "mesh", BUDGETS, NAMES, make, collect, Results, measured)
run_all, found = EXPERIMENT.run_all, EXPERIMENT.found

if __name__ == "__main__":
    EXPERIMENT.main()
