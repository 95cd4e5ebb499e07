"""Choose every model's step size at test time, then examine it on real actors where their motion is at hand.

    python -m tutorial_lib.adaptation.rate_search [names]

The step size is chosen on validation people and random lenses. All models get the same search, so none wins by its
learning rate; the four test lenses and the test people take no part. The examination chooses nothing: its errors are
written into the checkpoint's JSON for readers who do not have the recordings.
"""

import argparse
import json
from pathlib import Path

import torch
from tqdm.auto import tqdm

from tutorial_lib import checkpoints
from tutorial_lib.adaptation.lens_test import SCENARIOS, UNDISTORTED, Exam, Studio, take, take_adapted
from tutorial_lib.datasets.splits import TestSite, mocap_path, site, training_split
from tutorial_lib.distortion import PRESETS, sample_stratified
from tutorial_lib.lifting import TemporalLifter

RATES = {
    SCENARIOS[0]: (0.003, 0.01, 0.02, 0.03, 0.05),
    SCENARIOS[1]: (3e-5, 1e-4, 2e-4, 5e-4, 1e-3),
}
STEPS = {SCENARIOS[0]: 10, SCENARIOS[1]: 5}
"""Steps of the claims (ours)."""


def last_error(model: TemporalLifter, exam: Exam, scenario: str, rate: float) -> float:
    """MPJPE in mm after the claims' number of steps."""
    return take_adapted(model, exam, scenario, steps=STEPS[scenario], rate=rate, every_step=False)[1][-1].mpjpe


def tune(name: str, studio: Studio, lenses: torch.Tensor, folder: Path) -> dict[str, float]:
    """The rate of each scenario with the smallest mean error after `STEPS`; written into the checkpoint's JSON."""
    model = checkpoints.load(name, folder=folder)
    about = checkpoints.record(name, folder)
    exams = [studio.exam(lens) for lens in lenses]
    chosen, errors = {}, {}
    for scenario, rates in RATES.items():
        trials = {}
        for rate in rates:
            reached = [last_error(model, exam, scenario, rate) for exam in exams]
            trials[rate] = sum(reached) / len(reached)
        chosen[scenario] = min(trials, key=trials.get)
        errors[scenario] = {f"{rate:g}": round(value, 2) for rate, value in trials.items()}
    about |= {"test_rates": chosen, "test_steps": STEPS, "tuning_mpjpe_mm": errors}
    (folder / f"{name}.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return chosen


def validation_studio(seed: int = 0, shots: int = 12) -> Studio:
    """Validation people, filmed: one half is recorded, the other half is tested."""
    clips = training_split(mocap_path(), people=1).validation
    return Studio(TestSite(clips[::2], clips[1::2]), seed, shots=shots)


def examine(name: str, mocap: Path, folder: Path, seeds: int = 5, shots: int = 24) -> dict[str, list[float]]:
    """MPJPE in mm on real actors that no training saw, a number a seed; heavy lenses unless undistorted."""
    model, about = checkpoints.load(name, folder=folder), checkpoints.record(name, folder)
    measured = {key: [] for key in ("undistorted", "unadapted", *SCENARIOS)}
    place = site(str(mocap))
    for seed in range(seeds):
        studio = Studio(place, seed, shots=shots)
        heavy = [studio.exam(PRESETS[lens]) for lens in ("d1", "d2")]
        measured["undistorted"].append(take(model, studio.exam(UNDISTORTED)).mpjpe)
        measured["unadapted"].append(sum(take(model, exam).mpjpe for exam in heavy) / len(heavy))
        for scenario in SCENARIOS:
            rate = about["test_rates"][scenario]
            measured[scenario].append(sum(last_error(model, exam, scenario, rate) for exam in heavy) / len(heavy))
    rounded = {key: [round(value, 2) for value in values] for key, values in measured.items()}
    about["real_actors"] = rounded
    (folder / f"{name}.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return rounded


def tune_all(names: list[str], folder: Path, lenses: int = 6) -> None:
    """`tune`, then `examine` where there is motion capture, for each of the checkpoints."""
    drawn = sample_stratified(lenses, generator=torch.Generator().manual_seed(0))
    studio, mocap = validation_studio(), mocap_path()
    for name in tqdm(names, desc="choosing test rates"):
        tune(name, studio, drawn, folder)
        if mocap is not None:
            examine(name, mocap, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--folder", type=Path, default=checkpoints.FOLDER)
    chosen = parser.parse_args()
    tune_all(chosen.names or checkpoints.names(chosen.folder), chosen.folder)


if __name__ == "__main__":
    main()
