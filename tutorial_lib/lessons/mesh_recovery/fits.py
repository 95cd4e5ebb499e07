"""Fits of lesson 10: dots and a trained network in, errors at every kept step out; and how their weights are chosen."""

from collections.abc import Mapping
from typing import Any

import torch

from tutorial_lib.adaptation.rate_search import widened_search
from tutorial_lib.lessons.mesh_recovery.recipes import FITS, FITTED, KEPT, PRIORS
from tutorial_lib.lessons.mesh_recovery.world import World
from tutorial_lib.mesh import Parameters, Regressor, facing
from tutorial_lib.mesh.exemplar import fine_tune
from tutorial_lib.mesh.fitting import Energy, Path, fit, fit_torso
from tutorial_lib.mesh.metrics import body_errors, dot_errors, posed

EFT_RATES = (3e-5, 1e-4, 3e-4)
EFT_STEPS = 20
"""Where the paper stops; so many are used where one number is wanted."""
EFT_MOST = 100
"""Its longest: every step computes one network a person."""


def mean_start(dots: torch.Tensor) -> Parameters:
    """The mean body at rest, turned until its torso fits: SMPLify's start."""
    everybody = Parameters(*(value.to(dots).expand(len(dots), *value.shape) for value in facing()))
    return fit_torso(dots, everybody)


def path_of(way: str, net: Regressor, dots: torch.Tensor, noise: float, chosen: Mapping[str, Any], most: int) -> Path:
    """One way of fitting, its kept steps.

    Args:
        way: of `recipes.FITS`.
        net: the regressor.
        dots: (N, 17, 2).
        noise: of the dots, as the energy believes it.
        chosen: of `choose`.
        most: steps of the longest fit.
    """
    keep = [step for step in KEPT if step <= most]
    if way == "eft":
        short = [step for step in keep if step <= EFT_MOST]
        return fine_tune(net, dots, max(short), chosen["eft"], short)
    start, _, prior = way.partition(", ")
    with torch.no_grad():
        first = mean_start(dots) if start == "mean" else net.bodies(dots)
    weight = chosen["prior"][f"{noise:g}"] if prior == "prior" else 0.0
    return fit(dots, first, Energy(weight, noise), max(keep), keep=keep)


def measured(path: Path, dots: torch.Tensor, truth: Any) -> dict[str, list[float]]:
    """Mean errors at every kept step: of the dots in thousandths of the half-side, of the body in mm."""
    found = [body_errors(posed(step), truth).means() for step in path.steps]
    return {
        "steps": list(path.numbers),
        "dots": [round(value, 3) for value in path.measured(lambda step: dot_errors(step, dots)).mean(1).tolist()],
        **{name: [errors[name] for errors in found] for name in found[0]},
    }


def choose(net: Regressor, world: World) -> dict[str, Any]:
    """The prior's weight for each noise, and EFT's rate: the smallest MPJPE on validation people."""
    people = world.people("validation")[: world.budget.fitted]
    if not world.budget.searched:
        return {"prior": {f"{noise:g}": 1.0 for noise in FITTED}, "eft": 1e-4, "tried": {}}
    truth, tried, prior = people.posed(), {}, {}
    for noise in FITTED:
        dots = world.dots("validation", noise, 7)[: len(people)]
        with torch.no_grad():
            first = net.bodies(dots)

        def error(weight: float, dots: torch.Tensor = dots, first: Parameters = first, noise: float = noise) -> float:
            last = fit(dots, first, Energy(weight, noise), 100, keep=[100]).last
            return body_errors(posed(last), truth).mpjpe.mean().item()

        found = widened_search(error, PRIORS)
        tried[f"prior, noise {noise:g}"] = found
        prior[f"{noise:g}"] = min(found, key=found.__getitem__)

    seen = world.dots("validation", FITTED[-1], 7)[: len(people)]

    def tuned(rate: float) -> float:
        last = fine_tune(net, seen, EFT_STEPS, rate, [EFT_STEPS]).last
        return body_errors(posed(last), truth).mpjpe.mean().item()

    found = widened_search(tuned, EFT_RATES)
    tried["eft"] = found
    return {
        "prior": prior, "eft": min(found, key=found.__getitem__),
        "tried": {what: {f"{value:g}": round(error, 2) for value, error in row.items()} for what, row in tried.items()},
    }  # fmt: skip


def fit_all(net: Regressor, world: World, seed: int, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Every way of fitting on every test, at every noise; the dots' errors are those of `seed`."""
    found: dict[str, Any] = {}
    for test in world.tests():
        people = world.people(test)[: world.budget.fitted]
        truth, found[test] = people.posed(), {}
        for noise in FITTED:
            dots = world.dots(test, noise, 50 + seed)[: len(people)]
            found[test][f"{noise:g}"] = {
                way: measured(path_of(way, net, dots, noise, chosen, world.budget.fit_steps), dots, truth)
                for way in FITS
            }
    return found
