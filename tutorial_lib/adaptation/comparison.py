"""Every network adapts to every lens; the scores are kept and compared seed by seed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from tqdm.auto import tqdm

from tutorial_lib.adaptation.lens_test import LABELLED, SCENARIOS, UNDISTORTED, LensTest, evaluate, evaluate_adapted
from tutorial_lib.datasets.splits import adaptation_split
from tutorial_lib.distortion import PRESETS
from tutorial_lib.lifting import Lifter

HEAVY, MODERATE = ("d1", "d2"), ("d3", "d4")


@dataclass
class Comparison:
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
            raise ValueError(
                f"network {network!r} was not tested in scenario {scenario!r} {missing}; there are {known}"
            )
        per_lens = [[getattr(s[step], metric) for s in self.scores[network, scenario, lens]] for lens in lenses]
        return np.mean(per_lens, axis=0)

    def change(
        self, network: str, reference: str, scenario: str, lenses: Sequence[str], *, reference_step: int = -1
    ) -> np.ndarray:
        """(seeds,) MPJPE after adaptation relative to another network's, in per cent; the same tests, paired."""
        theirs = self.errors(reference, scenario, lenses, step=reference_step)
        return 100 * (self.errors(network, scenario, lenses) / theirs - 1)

    def own_change(self, network: str, scenario: str, lenses: Sequence[str]) -> np.ndarray:
        """(seeds,) what the adaptation steps themselves change, in per cent."""
        return 100 * (self.errors(network, scenario, lenses) / self.errors(network, scenario, lenses, step=0) - 1)


def compare_networks(
    networks: Mapping[str, Lifter],
    rates: Mapping[str, Mapping[str, float]],
    steps: Mapping[str, int],
    seeds: Iterable[int],
    *,
    motion: str = "builtin",
    clips: int = 5,
    windows: int = 64,
    watched: Sequence[str] = (),
    labelled_only: Sequence[str] = (),
    lenses: Sequence[str] = tuple(PRESETS),
    device: torch.device | str = "cpu",
) -> Comparison:
    """Let every network adapt to every lens in both scenarios, on people and motions that no training saw.

    Args:
        networks: by name.
        rates: of the gradient steps, by name and scenario (see `rate_search`).
        steps: adaptation steps by scenario.
        seeds: other people, viewpoints, detector errors and labelled windows each.
        motion: "builtin" or a motion file.
        clips: test clips a seed.
        windows: labelled windows of scenario 1.
        watched: networks scored after every step; the others before and after only.
        labelled_only: networks tested in scenario 1 only.
        lenses: which of the test lenses.
        device: where everything is computed.
    """
    comparison = Comparison(steps)
    for seed in tqdm(seeds, desc="lens tests"):
        lens_test = LensTest(adaptation_split(motion, seed), seed, clips=clips, device=device)
        observations = {lens: lens_test.through(PRESETS[lens]) for lens in lenses}
        plain = lens_test.through(UNDISTORTED)
        for name, network in networks.items():
            clean = evaluate(network, plain)
            for scenario in (LABELLED,) if name in labelled_only else SCENARIOS:
                comparison.scores[name, scenario, "undistorted"].append([clean])
                for lens, observation in observations.items():
                    _, scores = evaluate_adapted(
                        network,
                        observation,
                        scenario,
                        steps=steps[scenario],
                        rate=rates[name][scenario],
                        windows=windows,
                        every_step=name in watched,
                    )
                    comparison.scores[name, scenario, lens].append(scores)
    return comparison
