"""Hide the cue: lifters that see crops, not places in a picture. Does MAML then use its support set?

    python -m tutorial_lib.lessons.meta_learning.experiment_cue [networks] [--budget shipped] [--seed 0]

A lens bends most at the picture's edge, so where people stand and how large they are says much about it. Crop-based
pipelines hand on neither. All networks that see crops start from the same pretraining on random lenses (with the same
seed) and see equally many windows afterwards; one more sees the whole picture, to compare. Rates are chosen on
validation people, each network's own.
"""

import time
from pathlib import Path
from typing import Any, NamedTuple

import torch

from tutorial_lib.adaptation import draw_tasks, meta_loss
from tutorial_lib.adaptation.lens_test import LensTest, Observation
from tutorial_lib.adaptation.rate_search import validation_test
from tutorial_lib.datasets.footage import Footage, capture_clips
from tutorial_lib.datasets.splits import adaptation_split, mocap_path, training_split
from tutorial_lib.distortion import PRESETS, sample_stratified
from tutorial_lib.experiments import command_line, default_folder, once, once_tensors, parse, provenance, settings
from tutorial_lib.lessons.meta_learning import recipes
from tutorial_lib.lessons.meta_learning.experiment import ordinary_stage
from tutorial_lib.lessons.meta_learning.experiment_crooked import (
    BUDGETS,
    FRAMES,
    Budget,
    choose_rate,
    places_to_test,
    trajectory,
)
from tutorial_lib.lifting import TemporalLifter
from tutorial_lib.training import fit, resolve_device

ALPHAS = (0.03, 0.1, 0.3)


class Network(NamedTuple):
    """What readers see of it; the rate of its inner steps, None for ordinary training; whether it sees crops."""

    title: str
    alpha: float | None
    crops: bool = True


NETWORKS = {
    "random": Network("random lenses", None),
    **{f"maml-{alpha:g}": Network(f"MAML, α = {alpha:g}", alpha) for alpha in ALPHAS},
    "whole-0.3": Network("MAML, α = 0.3, whole picture", 0.3, crops=False),
}


def cropped(keypoints: torch.Tensor) -> torch.Tensor:
    """Every frame as a crop shows it: the root in the middle, the mean distance of the joints from it 1.

    Args:
        keypoints: (..., joints, 2) on the screen, the root first.
    """
    centred = keypoints - keypoints[..., :1, :]
    return centred / centred.norm(dim=-1, keepdim=True).mean(-2, keepdim=True).clamp_min(1e-6)


class CropLifter(TemporalLifter):
    """A temporal lifter that sees every frame cropped: the same layers, sizes and calls."""

    def forward(self, keypoints: torch.Tensor) -> torch.Tensor:
        return super().forward(cropped(keypoints))

    def windows(self, keypoints: torch.Tensor) -> torch.Tensor:
        return super().windows(cropped(keypoints))


def episode(
    model: TemporalLifter, budget: Budget, footage: Footage, tasks: int, generator: torch.Generator, alpha: float
) -> torch.Tensor:
    """The query loss of `tasks` lenses after one inner step of rate `alpha`; 0: before it."""
    lenses = sample_stratified(tasks, generator=generator).to(footage.pose.device)
    support, query = draw_tasks(
        footage, lenses, FRAMES, support=budget.support, query=budget.query, generator=generator
    )
    return meta_loss(model, support, query, rate=alpha)


@torch.no_grad()
def judge(model: TemporalLifter, budget: Budget, validation: Footage, alphas: tuple[float, ...]) -> list[float]:
    """Validation errors in mm, before the inner step and after one of each rate."""
    seen = ((alpha, torch.Generator().manual_seed(2)) for alpha in (0.0, *alphas))
    return [round(1000 * episode(model, budget, validation, 32, chance, alpha).item(), 2) for alpha, chance in seen]


def train(name: str, budget_name: str, seed: int, work: Path, device: str = "auto") -> dict[str, Any]:
    """Train and test one network of `NETWORKS`; the pretraining is read from `work` where it is there.

    "validation" has a row each time it is judged: meta-steps, then what `judge` says of its own alpha (of an ordinary
    network: of all); "reached" is that of all alphas in the end.
    """
    if name not in NETWORKS:
        raise ValueError(f"name is {name!r}, expected one of {', '.join(NETWORKS)}")
    budget, first, where = BUDGETS[budget_name], recipes.BUDGETS[budget_name], resolve_device(device)
    started, recipe, network = time.time(), recipes.RECIPES["random-9f"], NETWORKS[name]
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 6000)
    split = training_split(mocap_path() if budget_name != "smoke" else None, budget.people)
    footage = capture_clips(split.train, generator, viewpoints=budget.viewpoints).to(where)
    validation = capture_clips(split.validation, torch.Generator().manual_seed(0)).to(where)
    lifter, seen = (CropLifter, "crops") if network.crops else (TemporalLifter, "whole")
    model = lifter(FRAMES, first.channels, dropout=first.dropout).to(where)

    def ordinary(steps: int, batch: int, rate: float, label: str) -> None:
        ordinary_stage(
            model, recipe, footage, validation, steps=steps, batch=batch, rate=rate, generator=generator, label=label
        ).whole(label)

    def pretrain() -> dict[str, torch.Tensor]:
        ordinary(first.first_steps // 2, first.batch, first.rate, f"{seen}, seed {seed}")  # core time is scarce
        return model.state_dict()

    model.load_state_dict(once_tensors(work / f"{budget_name}-{seen}-s{seed}.safetensors", pretrain))
    generator.manual_seed(seed + 7000)  # the same numbers, whether or not the pretraining was read
    torch.manual_seed(seed + 7000)
    model.eval()
    alphas = ALPHAS if network.alpha is None else (network.alpha,)
    judged = [judge(model, budget, validation, alphas)]
    if network.alpha is None:
        ordinary(budget.ordinary_steps, budget.batch, budget.rate, f"{name}, seed {seed}")
        steps = [0]
    else:
        alpha = network.alpha

        def validate() -> float:
            judged.append(judge(model, budget, validation, alphas))
            return judged[-1][-1]

        history = fit(
            model,
            lambda step: episode(model, budget, footage, budget.tasks, generator, alpha),
            budget.steps,
            rate=budget.rate,
            validate=validate,
            every=max(1, budget.steps // 15),
            label=f"{name}, seed {seed}",
        ).whole(name)
        steps = [0, *(step for step, _ in history.checks)]
    model.eval()
    reached, model = judge(model, budget, validation, ALPHAS), model.cpu()
    lens_test = validation_test()
    lenses = sample_stratified(6, generator=torch.Generator().manual_seed(3))
    rate, tried = choose_rate(model, [lens_test.through(lens) for lens in lenses], budget.chosen_at)
    return {
        "network": name, "seed": seed, "budget": settings(budget_name, budget), "alphas": ALPHAS,
        "validation": [[step, *errors] for step, errors in zip(steps, judged, strict=True)], "reached": reached,
        "rate": rate, "tried_mm": tried, "errors": examine(model, rate, budget), **provenance(started, where),
    }  # fmt: skip


def examine(model: TemporalLifter, rate: float, budget: Budget) -> dict[str, dict[str, list[list[float]]]]:
    """MPJPE in mm on people that no training saw, the mean behind d1 and d2, a row a test seed, by place.

    "steps" are those of `rate`, before the first and after each; "one step" those after one of each of `ALPHAS`.
    """
    results: dict[str, dict[str, list[list[float]]]] = {}
    for place, motion in places_to_test().items():
        results[place] = {"steps": [], "one step": []}
        for seed in range(budget.test_seeds):
            lens_test = LensTest(adaptation_split(motion, seed), seed, clips=8)
            heavy = [lens_test.through(PRESETS[lens]) for lens in ("d1", "d2")]

            def mean(rate: float, steps: int, heavy: list[Observation] = heavy) -> list[float]:
                errors = torch.tensor([trajectory(model, seen, rate, steps) for seen in heavy]).mean(0)
                return [round(error, 2) for error in errors.tolist()]

            results[place]["steps"].append(mean(rate, budget.chosen_at))
            results[place]["one step"].append([mean(alpha, 1)[1] for alpha in ALPHAS])
    return results


def main() -> None:
    chosen = parse(command_line(__doc__, BUDGETS, NETWORKS))
    work = chosen.work or chosen.folder or default_folder(f"cue-{chosen.budget}")
    for name in chosen.names:
        part = work / f"{chosen.budget}-{name}-s{chosen.seed}.json"
        done = once(part, lambda name=name: train(name, chosen.budget, chosen.seed, work, chosen.device))
        for place, rows in done["errors"].items():
            steps = " → ".join(f"{error:.0f}" for error in torch.tensor(rows["steps"]).mean(0).tolist())
            print(f"{name}, seed {chosen.seed}, {place}: rate {done['rate']:.3g}, {steps} mm", flush=True)


if __name__ == "__main__":
    main()
