"""Lesson 06, act (a): the paper's comparison with several trainings of every network.

    python -m tutorial_lib.lessons.meta_learning.experiment_ladder [names] --seed 0 [--folder ...] [--work ...]

Trains what is missing as `experiment` does and lets every network take the lesson's test, eight test seeds behind four
lenses in both scenarios. The lesson tests one training of each on the spot; what this finds is kept as parts in the
work folder and says whether another training would have given another answer (`results`).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from tutorial_lib import checkpoints
from tutorial_lib.adaptation.comparison import compare_networks
from tutorial_lib.adaptation.lens_test import SCENARIOS
from tutorial_lib.adaptation.rate_search import tune_all
from tutorial_lib.distortion import PRESETS
from tutorial_lib.experiments import command_line, default_folder, once, parse, settings
from tutorial_lib.lessons.meta_learning.experiment import train
from tutorial_lib.training import resolve_device

NETWORKS = (
    "plain-9f", "random-9f", "maml-9f", "stratified-9f", "ours-9f", "ours-truth-9f", "ours-selfsup-9f", "plain-1f",
    "ours-1f",
)  # fmt: skip
"""Every network of act (a) but those of claim 5, whose larger fields take hours a training."""


@dataclass(frozen=True)
class Budget:
    """How much of everything.

    Attributes:
        training: a budget of `recipes`.
        test_seeds, clips: of the lesson's test.
    """

    training: str
    test_seeds: int
    clips: int


BUDGETS = {"shipped": Budget("shipped", 8, 5), "smoke": Budget("smoke", 2, 2)}


def examine(name: str, folder: Path, budget: Budget, device: str) -> dict[str, dict[str, list[float]]]:
    """A trained network's MPJPE in mm: scenario -> lens -> before the adaptation and after every step.

    Each is the mean over the test seeds: the interval over trainings is what is asked for here.
    """
    about = checkpoints.record(name, folder)
    found = compare_networks(
        {name: checkpoints.load(name, device, folder)}, {name: about["test_rates"]}, about["test_steps"],
        range(budget.test_seeds), clips=budget.clips, watched=(name,), device=device,
    )  # fmt: skip

    def mean(scenario: str, lens: str) -> list[float]:
        return [
            round(float(np.mean(errors)), 3)
            for errors in zip(*[[score.mpjpe for score in scores] for scores in found.scores[name, scenario, lens]])
        ]

    return {scenario: {lens: mean(scenario, lens) for lens in (*PRESETS, "undistorted")} for scenario in SCENARIOS}


def run(name: str, budget_name: str, seed: int, folder: Path, work: Path, device: str = "auto") -> dict[str, Any]:
    """Train, tune and examine one network, or read what was found before.

    Args:
        name: one of `NETWORKS`.
        budget_name: one of `BUDGETS`.
        seed: of the training.
        folder: gets the networks, in a folder of their seed; what is there is not trained again.
        work: keeps the parts.
        device: where.
    """
    budget, trained, where = BUDGETS[budget_name], folder / f"s{seed}", str(resolve_device(device))

    def make() -> dict[str, Any]:
        if name not in checkpoints.names(trained) or checkpoints.record(name, trained).get("interrupted"):
            train(name, budget.training, seed, trained, work / f"stages-s{seed}", where)
        if "test_rates" not in checkpoints.record(name, trained):
            tune_all([name], trained, where)
        about = checkpoints.record(name, trained)
        return {
            "network": name, "seed": seed, "budget": settings(budget_name, budget), "rates": about["test_rates"],
            "tried_mm": about["tuning_mpjpe_mm"], "real_actors": about.get("real_actors"),
            "errors": examine(name, trained, budget, where),
        }  # fmt: skip

    return once(work / f"{budget_name}-{name}-s{seed}.json", make)


def main() -> None:
    chosen = parse(command_line(__doc__, BUDGETS, NETWORKS))
    folder = chosen.folder or default_folder(f"ladder-{chosen.budget}")
    work = chosen.work or folder / "parts"
    for name in tqdm(chosen.names, desc="networks"):
        part = run(name, chosen.budget, chosen.seed, folder, work, chosen.device)
        after = {scenario: np.mean([lens[-1] for lens in rows.values()]) for scenario, rows in part["errors"].items()}
        print(f"{name}, seed {chosen.seed}: " + ", ".join(f"{key} {value:.1f} mm" for key, value in after.items()))


if __name__ == "__main__":
    main()
