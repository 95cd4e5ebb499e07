"""Choose every model's step size at test time, then examine it on real actors where their motion is at hand.

The step size is chosen on validation people and random lenses. All models get the same search, so none wins by its
learning rate; the four test lenses and the test people take no part. The examination chooses nothing: its errors are
written into the checkpoint's JSON for readers who do not have the recordings.
"""

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
from tutorial_lib.datasets.splits import AdaptationSplit, adaptation_split, mocap_path, training_split
from tutorial_lib.distortion import PRESETS, sample_stratified
from tutorial_lib.experiments import write_json
from tutorial_lib.lifting import TemporalLifter

RATES = {
    LABELLED: (0.003, 0.01, 0.02, 0.03, 0.05),
    ALONE: (3e-5, 1e-4, 2e-4, 5e-4, 1e-3),
}
STEPS = {LABELLED: 10, ALONE: 5}
"""Steps of the claims (ours)."""


def last_error(model: TemporalLifter, observation: Observation, scenario: Scenario, rate: float) -> float:
    """MPJPE in mm after the claims' number of steps."""
    return evaluate_adapted(model, observation, scenario, steps=STEPS[scenario], rate=rate, every_step=False)[1][
        -1
    ].mpjpe


def tune(name: str, lens_test: LensTest, lenses: torch.Tensor, folder: Path) -> dict[str, float]:
    """The rate of each scenario with the smallest mean error after `STEPS`; written into the checkpoint's JSON."""
    model = checkpoints.load(name, folder=folder)
    about = checkpoints.record(name, folder)
    observations = [lens_test.through(lens) for lens in lenses]
    chosen, errors = {}, {}
    for scenario, rates in RATES.items():
        trials = {}
        for rate in rates:
            reached = [last_error(model, observation, scenario, rate) for observation in observations]
            trials[rate] = sum(reached) / len(reached)
        chosen[scenario] = min(trials, key=trials.__getitem__)
        errors[scenario] = {f"{rate:g}": round(value, 2) for rate, value in trials.items()}
    about |= {"test_rates": chosen, "test_steps": STEPS, "tuning_mpjpe_mm": errors}
    write_json(folder / f"{name}.json", about)
    return chosen


def validation_test(seed: int = 0, clips: int = 12) -> LensTest:
    """Validation people: one half is recorded, the other half is tested."""
    people = training_split(mocap_path(), people=1).validation
    return LensTest(AdaptationSplit(people[::2], people[1::2]), seed, clips=clips)


def examine(name: str, mocap: Path, folder: Path, seeds: int = 5, clips: int = 24) -> dict[str, list[float]]:
    """MPJPE in mm on real actors that no training saw, a number a seed; heavy lenses unless undistorted."""
    model, about = checkpoints.load(name, folder=folder), checkpoints.record(name, folder)
    measured = {key: [] for key in ("undistorted", "unadapted", *SCENARIOS)}
    place = adaptation_split(str(mocap))
    for seed in range(seeds):
        lens_test = LensTest(place, seed, clips=clips)
        heavy = [lens_test.through(PRESETS[lens]) for lens in ("d1", "d2")]
        measured["undistorted"].append(evaluate(model, lens_test.through(UNDISTORTED)).mpjpe)
        measured["unadapted"].append(sum(evaluate(model, observation).mpjpe for observation in heavy) / len(heavy))
        for scenario in SCENARIOS:
            rate = about["test_rates"][scenario]
            measured[scenario].append(
                sum(last_error(model, observation, scenario, rate) for observation in heavy) / len(heavy)
            )
    rounded = {key: [round(value, 2) for value in values] for key, values in measured.items()}
    about["real_actors"] = rounded
    write_json(folder / f"{name}.json", about)
    return rounded


def tune_all(names: list[str], folder: Path, lenses: int = 6) -> None:
    """`tune`, then `examine` where there is motion capture, for each of the checkpoints."""
    drawn = sample_stratified(lenses, generator=torch.Generator().manual_seed(0))
    lens_test, mocap = validation_test(), mocap_path()
    for name in tqdm(names, desc="choosing test rates"):
        tune(name, lens_test, drawn, folder)
        if mocap is not None:
            examine(name, mocap, folder)
