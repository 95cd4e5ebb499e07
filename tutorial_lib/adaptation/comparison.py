"""Every network takes every exam; the gradebook keeps the scores and compares them seed by seed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from tqdm.auto import tqdm

from tutorial_lib.adaptation.lens_test import SCENARIOS, UNDISTORTED, Studio, take, take_adapted
from tutorial_lib.datasets.splits import site
from tutorial_lib.distortion import PRESETS
from tutorial_lib.lifting import TemporalLifter

HEAVY, MODERATE = ("d1", "d2"), ("d3", "d4")


@dataclass
class Gradebook:
    """Scores of networks behind the four test lenses, in both scenarios.

    Attributes:
        steps: adaptation steps of each scenario.
        scores: (network, scenario, lens) -> a list of scores per seed: before, perhaps after each step, after. With
            the lens "undistorted" there is one score, in both scenarios the same.
    """

    steps: Mapping[str, int]
    scores: dict = field(default_factory=lambda: defaultdict(list))

    def errors(
        self, network: str, scenario: str, lenses: Sequence[str], *, step: int = -1, metric: str = "mpjpe"
    ) -> np.ndarray:
        """(seeds,) the mean over `lenses` of one metric; step 0 is before the adaptation, -1 after it."""
        missing = [lens for lens in lenses if (network, scenario, lens) not in self.scores]
        if missing:
            known = sorted({name for name, _, _ in self.scores})
            raise ValueError(f"network {network!r} did not sit the exam {scenario!r} {missing}; there are {known}")
        per_lens = [[getattr(s[step], metric) for s in self.scores[network, scenario, lens]] for lens in lenses]
        return np.mean(per_lens, axis=0)

    def change(
        self, network: str, reference: str, scenario: str, lenses: Sequence[str], *, reference_step: int = -1
    ) -> np.ndarray:
        """(seeds,) MPJPE after adaptation relative to another network's, in per cent; the same exams, paired."""
        theirs = self.errors(reference, scenario, lenses, step=reference_step)
        return 100 * (self.errors(network, scenario, lenses) / theirs - 1)

    def own_change(self, network: str, scenario: str, lenses: Sequence[str]) -> np.ndarray:
        """(seeds,) what the adaptation steps themselves change, in per cent."""
        return 100 * (self.errors(network, scenario, lenses) / self.errors(network, scenario, lenses, step=0) - 1)


def hold_exams(
    networks: Mapping[str, TemporalLifter],
    rates: Mapping[str, Mapping[str, float]],
    steps: Mapping[str, int],
    seeds: Iterable[int],
    *,
    motion: str = "builtin",
    shots: int = 5,
    windows: int = 64,
    watched: Sequence[str] = (),
    labelled_only: Sequence[str] = (),
    device: torch.device | str = "cpu",
) -> Gradebook:
    """Let every network adapt to every lens in both scenarios, on people and motions that no training saw.

    Args:
        networks, rates: by name; rates by scenario (see `rate_search`).
        steps: adaptation steps by scenario.
        seeds: other people, viewpoints, detector errors and labelled windows each.
        motion: "builtin" or a motion file.
        shots: test shots a seed; windows: labelled windows of scenario 1.
        watched: networks scored after every step; the others before and after only.
        labelled_only: networks that sit scenario 1 only.
    """
    book = Gradebook(steps)
    for seed in tqdm(seeds, desc="exams"):
        studio = Studio(site(motion, seed), seed, shots=shots)
        exams = {lens: studio.exam(preset).to(device) for lens, preset in PRESETS.items()}
        plain = studio.exam(UNDISTORTED).to(device)
        for name, network in networks.items():
            clean = take(network, plain)
            for scenario in SCENARIOS[: 1 if name in labelled_only else 2]:
                book.scores[name, scenario, "undistorted"].append([clean])
                for lens, exam in exams.items():
                    _, scores = take_adapted(
                        network,
                        exam,
                        scenario,
                        steps=steps[scenario],
                        rate=rates[name][scenario],
                        windows=windows,
                        every_step=name in watched,
                    )
                    book.scores[name, scenario, lens].append(scores)
    return book
