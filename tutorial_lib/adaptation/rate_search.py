"""Choose every model's step size at test time, then examine it on real actors where their motion is at hand.

The step size is chosen on validation people and random lenses. All models get the same search, so none wins by its
learning rate; the four test lenses and the test people take no part. The examination chooses nothing: its errors are
written into the checkpoint's JSON for readers who do not have the recordings.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import torch
from tqdm.auto import tqdm

from tutorial_lib import checkpoints
from tutorial_lib.adaptation.lens_test import (
    ALONE,
    LABELLED,
    SCENARIOS,
    UNDISTORTED,
    LensTest,
    Observation,
    Scenario,
    evaluate,
    evaluate_adapted,
)
from tutorial_lib.adaptation.lifters import Diverged
from tutorial_lib.datasets.splits import AdaptationSplit, adaptation_split, mocap_path, training_split
from tutorial_lib.distortion import PRESETS, sample_stratified
from tutorial_lib.experiments import write_json
from tutorial_lib.lifting import TemporalLifter
from tutorial_lib.training import resolve_device

RATES = {
    LABELLED: (0.003, 0.01, 0.02, 0.03, 0.05),
    ALONE: (3e-5, 1e-4, 2e-4, 5e-4, 1e-3),
}
"""The first grid. Where the best is an end of it, it grows there (`widened_search`): other widths want other rates."""
WIDER, MOST_WIDER = 3.0, 6
STEPS = {LABELLED: 10, ALONE: 5}
"""Steps of the claims (ours)."""


def last_error(model: TemporalLifter, observation: Observation, scenario: Scenario, rate: float) -> float:
    """MPJPE in mm after the claims' number of steps; infinite where they diverge."""
    try:
        scores = evaluate_adapted(model, observation, scenario, steps=STEPS[scenario], rate=rate, every_step=False)[1]
    except Diverged:
        return math.inf
    return scores[-1].mpjpe if math.isfinite(scores[-1].mpjpe) else math.inf


def widened_search(
    error: Callable[[float], float], rates: Iterable[float], *, within: tuple[float, float] = (0.0, math.inf)
) -> dict[float, float]:
    """The error of every rate, and of `WIDER` times smaller or larger ones, until the best is no end of the grid.

    After `MOST_WIDER` more it stops, for a network that every step harms: then the best is a step of almost nothing.

    Args:
        error: of a rate; infinite where it diverges.
        rates: the first grid.
        within: the grid is not widened where the best rate has left this range.
    """
    tried = {rate: error(rate) for rate in rates}
    for _ in range(MOST_WIDER):
        best = min(sorted(tried), key=tried.__getitem__)  # of equals, such as infinite ones, the smallest rate
        if best not in (min(tried), max(tried)) or not within[0] < best < within[1]:
            break
        beyond = float(f"{best / WIDER if best == min(tried) else best * WIDER:.3g}")
        tried[beyond] = error(beyond)
    return dict(sorted(tried.items()))


def mean_error(model: TemporalLifter, observations: Sequence[Observation], scenario: Scenario, rate: float) -> float:
    """Mean of `last_error` over some observations."""
    return sum(last_error(model, observation, scenario, rate) for observation in observations) / len(observations)


def tune(name: str, lens_test: LensTest, lenses: torch.Tensor, folder: Path) -> dict[str, float]:
    """The rate of each scenario with the smallest mean error after `STEPS`; written into the checkpoint's JSON.

    Rates that diverge have the error null there; `test_rates_at_an_end` names scenarios whose grid could not be widened
    far enough.
    """
    model = checkpoints.load(name, lens_test.picks.device, folder)
    about = checkpoints.record(name, folder)
    observations = [lens_test.through(lens) for lens in lenses]
    chosen, errors, ends = {}, {}, []
    for scenario, rates in RATES.items():
        trials = widened_search(partial(mean_error, model, observations, scenario), rates)
        chosen[scenario] = min(trials, key=trials.__getitem__)
        errors[scenario] = {f"{r:g}": round(value, 2) if math.isfinite(value) else None for r, value in trials.items()}
        if chosen[scenario] in (min(trials), max(trials)):
            ends.append(scenario)
    about |= {"test_rates": chosen, "test_steps": STEPS, "tuning_mpjpe_mm": errors, "test_rates_at_an_end": ends}
    write_json(folder / f"{name}.json", about)
    return chosen


def validation_test(seed: int = 0, clips: int = 12, device: torch.device | str = "cpu") -> LensTest:
    """Validation people: one half is recorded, the other half is tested."""
    people = training_split(mocap_path(), people=1).validation
    return LensTest(AdaptationSplit(people[::2], people[1::2]), seed, clips=clips, device=device)


def examine(
    name: str, mocap: Path, folder: Path, seeds: int = 5, clips: int = 24, *, device: torch.device | str = "cpu"
) -> dict[str, list[float]]:
    """MPJPE in mm on real actors that no training saw, a number a seed; heavy lenses unless undistorted."""
    model, about = checkpoints.load(name, device, folder), checkpoints.record(name, folder)
    measured = {key: [] for key in ("undistorted", "unadapted", *SCENARIOS)}
    place = adaptation_split(str(mocap))
    for seed in range(seeds):
        lens_test = LensTest(place, seed, clips=clips, device=device)
        heavy = [lens_test.through(PRESETS[lens]) for lens in ("d1", "d2")]
        measured["undistorted"].append(evaluate(model, lens_test.through(UNDISTORTED)).mpjpe)
        measured["unadapted"].append(sum(evaluate(model, observation).mpjpe for observation in heavy) / len(heavy))
        for scenario in SCENARIOS:
            measured[scenario].append(mean_error(model, heavy, scenario, about["test_rates"][scenario]))
    rounded = {key: [round(value, 2) for value in values] for key, values in measured.items()}
    about["real_actors"] = rounded
    write_json(folder / f"{name}.json", about)
    return rounded


def tune_all(names: list[str], folder: Path, device: str = "cpu", lenses: int = 6) -> None:
    """`tune`, then `examine` where there is motion capture, for each of the checkpoints."""
    drawn = sample_stratified(lenses, generator=torch.Generator().manual_seed(0))
    where = resolve_device(device)
    lens_test, mocap = validation_test(device=where), mocap_path()
    for name in tqdm(names, desc="choosing test rates"):
        tune(name, lens_test, drawn, folder)
        if mocap is not None:
            examine(name, mocap, folder, device=where)
