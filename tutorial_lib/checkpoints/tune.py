"""Choose every model's step size at test time, on validation people and random lenses: `python -m ...tune`.

All models get the same search, so none wins by its learning rate. The four test lenses take no part.
"""

import argparse
import json
from pathlib import Path

import torch

from tutorial_lib import checkpoints
from tutorial_lib.corpus import TestSite, mocap_path, training_split
from tutorial_lib.distortion import sample_stratified
from tutorial_lib.evaluation import SCENARIOS, Studio, take_adapted

RATES = {
    SCENARIOS[0]: (0.003, 0.01, 0.02, 0.03, 0.05),
    SCENARIOS[1]: (3e-5, 1e-4, 2e-4, 5e-4, 1e-3),
}
STEPS = {SCENARIOS[0]: 10, SCENARIOS[1]: 5}
"""Steps of the claims (ours)."""


def tune(name: str, studio: Studio, lenses: torch.Tensor, folder: Path) -> dict[str, float]:
    """The rate of each scenario with the smallest mean error after `STEPS`; written into the checkpoint's JSON."""
    model = checkpoints.load(name, folder=folder)
    about = checkpoints.record(name, folder)
    chosen, errors = {}, {}
    for scenario, rates in RATES.items():
        trials = {}
        for rate in rates:
            reached = [
                take_adapted(model, studio.exam(lens), scenario, steps=STEPS[scenario], rate=rate)[1][-1].mpjpe
                for lens in lenses
            ]
            trials[rate] = sum(reached) / len(reached)
        chosen[scenario] = min(trials, key=trials.get)
        errors[scenario] = {f"{rate:g}": round(value, 2) for rate, value in trials.items()}
    about |= {"test_rates": chosen, "test_steps": STEPS, "tuning_mpjpe_mm": errors}
    (folder / f"{name}.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return chosen


def validation_studio(seed: int = 0, shots: int = 8) -> Studio:
    """Validation people, filmed: one half is recorded, the other half is tested."""
    clips = training_split(mocap_path(), people=1).validation
    return Studio(TestSite(clips[::2], clips[1::2]), seed, shots=shots, recordings=16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--folder", type=Path, default=checkpoints.FOLDER)
    parser.add_argument("--lenses", type=int, default=6)
    chosen = parser.parse_args()
    lenses = sample_stratified(chosen.lenses, generator=torch.Generator().manual_seed(0))
    studio = validation_studio()
    for name in chosen.names or checkpoints.names(chosen.folder):
        print(name, tune(name, studio, lenses, chosen.folder))


if __name__ == "__main__":
    main()
