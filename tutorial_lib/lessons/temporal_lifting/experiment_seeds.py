"""What hangs on the luck of one training: lesson 04's networks trained from several seeds, and tested.

    python -m tutorial_lib.lessons.temporal_lifting.experiment_seeds [names] [--budget seeds] [--seed 0]

Learning rates are chosen first, once a kind of network, in a quarter of the time, on validation people, inside their
grid. Nothing is shipped but numbers: `results` collects them.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tutorial_lib.adaptation.rate_search import widened_search
from tutorial_lib.camera import from_screen, to_screen
from tutorial_lib.datasets.splits import mocap_path
from tutorial_lib.datasets.videos import Video, videos_under_test
from tutorial_lib.distortion import PRESETS, distort
from tutorial_lib.experiments import command_line, default_folder, once, parse, provenance, settings
from tutorial_lib.lessons.temporal_lifting.experiment import footage_of, train_few, train_lifter
from tutorial_lib.lessons.temporal_lifting.material import MixedFootage, material
from tutorial_lib.lessons.temporal_lifting.recipes import (
    BUDGETS,
    RECIPES,
    SEEDED,
    Budget,
    FewRecipe,
    LifterRecipe,
)
from tutorial_lib.lifting import lift_videos
from tutorial_lib.lifting.mean_pose import MeanPose
from tutorial_lib.metrics.by_action import Metric, average, per_action
from tutorial_lib.training import History, resolve_device

RATES = (1e-3, 3e-3, 1e-2)
TEST_SEEDS = 5
METRICS: tuple[Metric, ...] = ("mpjpe", "p_mpjpe", "n_mpjpe", "mpjve")
BLIND = "mean-pose"
"""The baseline that does not look."""

Tests = Mapping[str, list[list[Video]]]


@cache
def tests(few: bool, seeds: int = TEST_SEEDS, limit: int = 20) -> Tests:
    """Place -> for each test seed, videos of people whom no training saw.

    Args:
        few: as the second family is tested, with true keypoints; otherwise with a detector's.
        seeds: how many.
        limit: at most so many videos of each.
    """
    places = {"new, noise 0": ("builtin", 0.0, False)}
    if not few:
        places |= {f"new, noise {noise:g}": ("builtin", noise, False) for noise in (1.0, 3.0)}
        places |= {f"known, noise {noise:g}": ("builtin", noise, True) for noise in (0.0, 1.0)}
    if mocap := mocap_path():
        places["real actors"] = (str(mocap), 0.0 if few else 1.0, False)
    found = {
        place: [videos_under_test(motion, seed, noise, known=known, limit=limit) for seed in range(seeds)]
        for place, (motion, noise, known) in places.items()
    }
    if few:
        found["behind d2"] = [[through("d2", video) for video in taken] for taken in found["new, noise 0"]]
    return found


def through(lens: str, video: Video) -> Video:
    """The video as one of `distortion.PRESETS` bends its keypoints."""
    return replace(video, keypoints=to_screen(distort(from_screen(video.keypoints), PRESETS[lens])))


def examine(model: Any, places: Tests) -> dict[str, dict[str, list[float]]]:
    """Place -> metric -> error in mm (velocity: mm per frame) of each test seed, the mean over actions."""
    measured: dict[str, dict[str, list[float]]] = {}
    for place, seeds in places.items():
        results = [per_action(lift_videos(model, taken)) for taken in seeds]
        measured[place] = {metric: [round(average(found, metric), 3) for found in results] for metric in METRICS}
    return measured


class Trainer:
    """Trains recipes of one seed; footage is captured once.

    Args:
        seed: of weights, footage and batches.
        mocap: whether the optional motion capture takes part where it is at hand.
        budget: whose people are trained on.
        device: where to train.
    """

    def __init__(self, seed: int, budget: Budget, device: str = "auto", *, mocap: bool = True):
        self.seed, self.where = seed, resolve_device(device)
        self.clips = material(budget, mocap_path() if mocap else None)
        self._footage: tuple[MixedFootage, MixedFootage] | None = None

    def train(self, recipe: LifterRecipe | FewRecipe, budget: Budget, label: str) -> tuple[nn.Module, History]:
        """A network for use on the CPU, and the history of its training."""
        torch.manual_seed(self.seed)
        generator = torch.Generator().manual_seed(self.seed)
        if isinstance(recipe, FewRecipe):
            model, history, _ = train_few(recipe, budget, self.seed, self.clips, generator, self.where, label)
        else:
            self._footage = self._footage or footage_of(self.clips, torch.Generator().manual_seed(self.seed))
            model, history = train_lifter(
                recipe, budget, self._footage, generator, self.where, label, half=self.where.type == "cpu"
            )
        return model.eval().cpu(), history.whole(label)


def kind_of(recipe: LifterRecipe | FewRecipe) -> str:
    """The recipe whose learning rate this one takes."""
    if isinstance(recipe, LifterRecipe):
        return f"lifter-{recipe.frames}f"
    return "few-3-semi" if recipe.semi else "few-3-supervised"


def rate_of(kind: str, budget: Budget, trainer: Trainer) -> dict[str, Any]:
    """The learning rate with the smallest validation error in a quarter of the time, and all that were tried."""
    short = replace(budget, steps=max(1, budget.steps // 4), few_steps=max(1, budget.few_steps // 4))

    def error(rate: float) -> float:
        return trainer.train(RECIPES[kind], replace(short, rate=rate), f"{kind}, rate {rate:g}")[1].best

    tried = widened_search(error, RATES)
    return {"rate": min(tried, key=tried.__getitem__), "tried_mm": {f"{r:g}": 1000 * e for r, e in tried.items()}}


def run(name: str, budget_name: str, trainer: Trainer, rate: float) -> dict[str, Any]:
    """Train one network of `SEEDED` at this rate, and test it."""
    recipe, started, budget = SEEDED[name], time.time(), replace(BUDGETS[budget_name], rate=rate)
    few = isinstance(recipe, FewRecipe)
    model, history = trainer.train(recipe, budget, f"{name}, seed {trainer.seed}")
    return {
        "network": name, "seed": trainer.seed, "budget": settings(budget_name, budget), "rate": rate,
        "validation_mm": [(step, round(1000 * value, 2)) for step, value in history.checks],
        "errors": examine(model, tests(few, *(1, 2) if budget_name == "smoke" else ())),
        **provenance(started, trainer.where),
    }  # fmt: skip


def blind(small: bool) -> dict[str, Any]:
    """The tests of the mean pose."""
    sizes = (1, 2) if small else ()
    errors = {"lifters": examine(MeanPose(), tests(False, *sizes)), "few": examine(MeanPose(), tests(True, *sizes))}
    return {"network": BLIND, "errors": errors}


def run_all(
    budget_name: str, seed: int, names: Iterable[str] = SEEDED, folder: Path | None = None, device: str = "auto"
) -> Path:
    """Train and test networks of one seed; parts that are there stay.

    Args:
        budget_name: "seeds", "half" or "smoke".
        seed: of the trainings.
        names: of `SEEDED`.
        folder: keeps the parts; by default in `output_folder()`.
        device: where to train.

    Returns:
        The folder, for `results.collect`.
    """
    folder = folder or default_folder("temporal-seeds")
    budget, real = BUDGETS[budget_name], budget_name != "smoke"
    searched = "seeds" if real else "smoke"
    trainers = cache(lambda seed: Trainer(seed, budget, device, mocap=real))

    def make(name: str) -> dict[str, Any]:
        kind = kind_of(SEEDED[name])
        found = once(folder / f"rate-{searched}-{kind}.json", lambda: rate_of(kind, BUDGETS[searched], trainers(0)))
        return run(name, budget_name, trainers(seed), found["rate"])

    once(folder / f"{budget_name}-{BLIND}.json", partial(blind, not real))
    for name in names:
        done = once(folder / f"{budget_name}-{name}-s{seed}.json", partial(make, name))
        shown = {place: round(sum(e["mpjpe"]) / len(e["mpjpe"]), 1) for place, e in done["errors"].items()}
        print(f"{name}, seed {seed}, rate {done['rate']:g}: {shown}", flush=True)
    return folder


def main() -> None:
    parser = command_line(__doc__, ("seeds", "half", "smoke"), SEEDED)
    parser.set_defaults(budget="seeds")
    chosen = parse(parser)
    run_all(chosen.budget, chosen.seed, chosen.names, chosen.work or chosen.folder, chosen.device)


if __name__ == "__main__":
    main()
