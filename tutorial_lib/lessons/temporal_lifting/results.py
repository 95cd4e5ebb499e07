"""What lesson 04's networks measured over several trainings: `results.json`, read by the lesson.

    python -m tutorial_lib.lessons.temporal_lifting.results PARTS

collects the finished parts of `experiment_seeds` into that file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tutorial_lib.experiments import collect_command, read_json
from tutorial_lib.metrics.by_action import Metric

FILE = Path(__file__).with_name("results.json")
KEPT = ("rate", "validation_mm", "seconds_of_this_run", "errors")
"""What is taken over from a part."""


@dataclass(frozen=True)
class Results:
    """Errors by budget, network and training seed.

    Attributes:
        content: as `collect` returns it.
    """

    content: Mapping[str, Any]

    def trainings(self, *names: str, budget: str = "seeds") -> list[str]:
        """The training seeds that all of these networks have.

        Raises:
            ValueError: a network that was not trained.
        """
        known = self.content["networks"].get(budget, {})
        if missing := [name for name in names if name not in known]:
            raise ValueError(f"names has {missing}, of which budget {budget!r} trained none: run experiment_seeds")
        return sorted(set.intersection(*(set(known[name]) for name in names)), key=int)

    def errors(
        self, name: str, place: str, metric: Metric = "mpjpe", *, seeds: list[str], budget: str = "seeds"
    ) -> np.ndarray:
        """(training seeds,) error in mm (velocity: mm per frame), the mean over test seeds.

        Args:
            name: of `recipes.SEEDED`.
            place: such as "known, noise 1", see `experiment_seeds.tests`.
            metric: one of `by_action.METRICS`.
            seeds: training seeds.
            budget: "seeds", or "half" as long.
        """
        found = self.content["networks"][budget][name]
        return np.array([np.mean(found[seed]["errors"][place][metric]) for seed in seeds])

    def difference(
        self, name: str, other: str, place: str, metric: Metric = "mpjpe", *, budget: str = "seeds"
    ) -> np.ndarray:
        """(training seeds,) `name` minus `other` in mm, paired by seed: the same footage, the same tests."""
        seeds = self.trainings(name, other, budget=budget)
        one, two = (self.errors(which, place, metric, seeds=seeds, budget=budget) for which in (name, other))
        return one - two

    def change(
        self, name: str, other: str, place: str, metric: Metric = "mpjpe", *, budget: str = "seeds"
    ) -> np.ndarray:
        """The same in per cent of `other`."""
        seeds = self.trainings(name, other, budget=budget)
        return (
            100
            * self.difference(name, other, place, metric, budget=budget)
            / self.errors(other, place, metric, seeds=seeds, budget=budget)
        )

    def mean(self, name: str, place: str, metric: Metric = "mpjpe") -> float:
        """Over all trainings and tests."""
        return float(self.errors(name, place, metric, seeds=self.trainings(name)).mean())

    def steps(self, name: str) -> str:
        """How long this network was trained, as tables print it."""
        counts = sorted({part["steps"] for part in self.content["networks"]["seeds"][name].values()})
        return " or ".join(f"{count:,}" for count in counts)

    def blind(self, place: str, metric: Metric = "mpjpe", *, few: bool = False) -> float:
        """What the mean pose has, which does not look.

        Args:
            place: as in `errors`.
            metric: as in `errors`.
            few: on the tests of the networks with few labels.
        """
        return float(np.mean(self.content["blind"]["few" if few else "lifters"][place][metric]))

    def validation(self, name: str) -> tuple[np.ndarray, np.ndarray] | None:
        """(checks,) training steps, and the validation error in mm, the mean over trainings; None if none kept it."""
        parts = self.content["networks"]["seeds"][name].values()
        curves = np.array([part["validation_mm"] for part in parts if "validation_mm" in part])
        return (curves[0, :, 0], curves[:, :, 1].mean(0)) if len(curves) else None


def collect(folder: Path) -> dict[str, Any]:
    """The parts in a folder, by budget, network and training seed; rates, and the mean pose.

    Raises:
        ValueError: a folder without parts.
    """
    networks: dict[str, Any] = {}
    budgets = {}
    for path in sorted(folder.glob("*-s[0-9]*.json")):
        part = read_json(path)
        budget = part["budget"]["name"]
        budgets[budget] = part["budget"]
        kept = {key: part[key] for key in KEPT if key in part}
        kept["steps"] = part["budget"]["few_steps" if part["network"].startswith("few") else "steps"]
        networks.setdefault(budget, {}).setdefault(part["network"], {})[str(part["seed"])] = kept
    if not networks:
        raise ValueError(f"folder is {folder}, which holds no part of a training: run experiment_seeds")
    rates = {path.stem.split("-", 2)[2]: read_json(path) for path in sorted(folder.glob("rate-*.json"))}
    (blind, *_) = [read_json(path)["errors"] for path in sorted(folder.glob("*-mean-pose.json"))]
    return {"budgets": budgets, "rates": rates, "networks": networks, "blind": blind}


@cache
def measured() -> Results:
    """The file, read once."""
    return Results(read_json(FILE))


if __name__ == "__main__":
    collect_command(__doc__, collect, FILE)
