"""What the experiments of lesson 06 measured, over several trainings: `results.json`, read by the lesson.

    python -m tutorial_lib.lessons.meta_learning.results BUILD

collects the finished parts of `experiment_crooked`, `experiment_oracle`, `experiment_ladder` and `experiment_cue` from
their folders in BUILD into that file, measures what the learners cost, and takes over the first of the networks on
crooked rigs as the course's checkpoints.
"""

import argparse
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tutorial_lib import checkpoints
from tutorial_lib.adaptation.comparison import Comparison
from tutorial_lib.adaptation.race import CROOKED_NETWORKS
from tutorial_lib.adaptation.rate_search import STEPS
from tutorial_lib.experiments import read_json, write_json
from tutorial_lib.lessons.meta_learning.costs import measure_costs
from tutorial_lib.metrics import Score

FILE = Path(__file__).with_name("results.json")

KEPT = ("rate", "rates", "tried_mm", "validation", "seconds_of_this_run", "errors", "r_squared", "alphas", "reached")
"""What is taken over from a part."""
PARTS = {"crooked": "crooked/parts", "oracle": "oracle", "ladder": "ladder/parts", "cue": "cue"}
"""Experiment -> where its parts lie."""


def collect(build: Path) -> dict[str, Any]:
    """The parts of all experiments, by experiment, network and training seed.

    Args:
        build: the folder that has the experiments' folders.

    Raises:
        ValueError: a folder without parts, or with parts of several budgets.
    """
    results: dict[str, Any] = {}
    for experiment, where in PARTS.items():
        folder = build / where
        networks, parts = (
            results.setdefault(experiment, {}),
            [read_json(path) for path in sorted(folder.glob("*.json"))],
        )
        if len(budgets := sorted({part["budget"]["name"] for part in parts})) != 1:
            raise ValueError(f"{experiment} is {folder}, with parts of budgets {budgets}: expected parts of one budget")
        for part in parts:
            name = part.get("method") or part["network"]
            networks.setdefault(name, {})[str(part["seed"])] = {key: part[key] for key in KEPT if key in part}
            results.setdefault("budgets", {})[experiment] = part["budget"]
    return results


@cache
def measured() -> dict[str, Any]:
    """The file, read once."""
    return read_json(FILE)


def trainings(experiment: str, networks: list[str]) -> list[str]:
    """The training seeds that all of these networks have."""
    return sorted(set.intersection(*(set(measured()[experiment][name]) for name in networks)), key=int)


def crooked(network: str, place: str, *, seeds: list[str], step: int | None = None, windows: int = 64) -> np.ndarray:
    """(training seeds,) MPJPE in mm behind d1 and d2 on crooked rigs, the mean over test seeds.

    Args:
        network: a method of `experiment_crooked`.
        place: "builtin" or "real".
        seeds: training seeds.
        step: after so many steps with 64 labelled windows; None: after five steps with `windows`.
        windows: labelled windows.
    """
    errors = [measured()["crooked"][network][seed]["errors"][place] for seed in seeds]
    if step is not None:
        return np.array([np.mean([row[step] for row in part["steps"]]) for part in errors])
    return np.array([np.mean(part[str(windows)]) for part in errors])


def told(what: str, place: str, *, seeds: list[str], windows: int = 64) -> np.ndarray:
    """(training seeds,) MPJPE in mm of the closed form of somebody who is told what is hidden.

    Args:
        what: "rotation" (of the network that knows lenses only) or "everything" (where joints are displaced, too).
        place: as in `crooked`.
        seeds: as in `crooked`.
        windows: as in `crooked`.
    """
    network, key = (
        ("lenses", f"told the rotation, {windows}") if what == "rotation" else ("random-joints", "told everything, 64")
    )
    return np.array([np.mean(measured()["crooked"][network][seed]["errors"][place][key]) for seed in seeds])


def oracle(network: str, place: str, lenses: list[str], *, seeds: list[str]) -> np.ndarray:
    """(training seeds,) MPJPE in mm of a network of `experiment_oracle`, the mean over lenses and test seeds."""
    parts = [measured()["oracle"][network][seed]["errors"][place] for seed in seeds]
    return np.array([np.mean([part[lens] for lens in lenses]) for part in parts])


def ladder() -> Comparison:
    """Act (a)'s comparison over trainings: where one of a single training has a score for each test seed, this has the
    mean over the test seeds of each training. MPJPE alone was kept; the other metrics are NaN."""
    found = measured()["ladder"]
    seeds = trainings("ladder", list(found))
    comparison = Comparison({str(scenario): steps for scenario, steps in STEPS.items()})
    for name, parts in found.items():
        for seed in seeds:
            for scenario, lenses in parts[seed]["errors"].items():
                for lens, errors in lenses.items():
                    scores = [Score(error, math.nan, math.nan) for error in errors]
                    comparison.scores[name, scenario, lens].append(scores)
    return comparison


def cue(network: str, place: str, *, seeds: list[str], step: int) -> np.ndarray:
    """(training seeds,) MPJPE in mm behind d1 and d2 of a network of `experiment_cue`, the mean over test seeds.

    Args:
        network: its name.
        place: as in `crooked`.
        seeds: as in `crooked`.
        step: after so many steps at the network's own rate.
    """
    rows = [measured()["cue"][network][seed]["errors"][place]["steps"] for seed in seeds]
    return np.array([np.mean([row[step] for row in tests]) for tests in rows])


def one_step(network: str, place: str, alpha: float, *, seeds: list[str]) -> np.ndarray:
    """(training seeds,) the same after a single step of rate `alpha`, one of those of `experiment_cue`."""
    parts = [measured()["cue"][network][seed] for seed in seeds]
    return np.array([
        np.mean([row[part["alphas"].index(alpha)] for row in part["errors"][place]["one step"]]) for part in parts
    ])  # fmt: skip


def ship(folder: Path, seed: int = 0, to: Path = checkpoints.FOLDER) -> None:
    """Take over the networks of one training seed.

    Args:
        folder: that `experiment_crooked` wrote to.
        seed: of the trainings.
        to: where checkpoints are.
    """
    for name in CROOKED_NETWORKS.values():
        trained = f"{Path(name).name}-s{seed}"
        about, tensors = checkpoints.weights(trained, folder)
        kept = {key: value for key, value in about.items() if key not in ("name", "architecture", "fingerprint")}
        checkpoints.store(tensors, name, about["architecture"], kept, to)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path, help="folder with the folders crooked, oracle, ladder and cue")
    chosen = parser.parse_args()
    write_json(FILE, collect(chosen.build) | {"costs": measure_costs()})
    ship(chosen.build / "crooked")


if __name__ == "__main__":
    main()
