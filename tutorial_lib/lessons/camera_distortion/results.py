"""The tables of lesson 05: a lifter behind lenses, seed by seed, beside a baseline that looks at nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from tutorial_lib.adaptation.lens_test import LensTest
from tutorial_lib.datasets.detector import lose_outside, outside
from tutorial_lib.display.claims import is_above, plus_minus
from tutorial_lib.display.tables import markdown
from tutorial_lib.lifting import Lifter
from tutorial_lib.lifting.mean_pose import mean_pose
from tutorial_lib.metrics import Score, n_mpjpe, pose_score

METRICS = {"MPJPE (mm)": "mpjpe", "P-MPJPE (mm)": "p_mpjpe", "PCKh (%)": "pckh"}


@dataclass(frozen=True)
class Measured:
    """One test, one lens.

    Attributes:
        score: of the lifter.
        scaled: its error after the best scale of each pose, in millimetres.
        lost: the score where joints beyond the image stay where they were last seen.
        joints, frames: per cent of joints beyond the image; of frames with at least one such joint.
    """

    score: Score
    scaled: float
    lost: Score
    joints: float
    frames: float


@torch.no_grad()
def measure(model: Lifter, lens_test: LensTest, lens: torch.Tensor) -> Measured:
    """All that the lesson says about a lens, for one group of people."""
    observation = lens_test.through(lens)
    lifted, gone = model.lift(observation.video), outside(observation.video)
    seen = replace(observation, video=lose_outside(observation.video))
    return Measured(
        pose_score(lifted, observation.truth),
        1000 * n_mpjpe(lifted, observation.truth).item(),
        pose_score(model.lift(seen.video), observation.truth),
        100 * gone.float().mean().item(),
        100 * gone.any(-1).float().mean().item(),
    )


def blind(lens_test: LensTest) -> Score:
    """The score of the mean pose: what a lifter reaches that looks at nothing."""
    truth = lens_test.through(torch.zeros(5)).truth
    return pose_score(mean_pose().to(truth).expand_as(truth), truth)


def score_table(measured: Mapping[str, Sequence[Measured]], blind_scores: Sequence[Score]) -> str:
    """Markdown: a row a lens, mean and half the 95 % interval over seeds, and the mean pose."""
    scores = {name: [one.score for one in per_seed] for name, per_seed in measured.items()}
    rows = [
        [name, *(plus_minus(getattr(score, metric) for score in per_seed) for metric in METRICS.values())]
        for name, per_seed in (scores | {"mean pose, blind": list(blind_scores)}).items()
    ]
    return markdown(["lens", *METRICS], rows)


def growth_table(measured: Mapping[str, Sequence[Measured]], clean: str = "no lens") -> str:
    """Markdown: by how much the error grows behind each lens, and what is left of it after alignment; paired."""

    numbers = {"of MPJPE": "mpjpe", "left after the best scale": "scaled", "and the best rotation (P-MPJPE)": "p_mpjpe"}
    rows = [
        [name, *(_signed(_growth(measured, name, number, clean)) for number in numbers.values())]
        for name in measured
        if name != clean
    ]
    return markdown(["growth of the error (mm)", *numbers], rows)


def harder(measured: Mapping[str, Sequence[Measured]], first: str, second: str) -> tuple[str, str]:
    """Which of two lenses hurts more, "" if the seeds do not tell; and the answer in a sentence, from paired
    differences of the MPJPE."""
    differences = [a.score.mpjpe - b.score.mpjpe for a, b in zip(measured[first], measured[second])]
    worse = {True: first, False: second, None: ""}[is_above(differences)]
    said = f"{worse} hurts more" if worse else "the seeds do not tell"
    return worse, f"{first} minus {second}: {_signed(differences)} mm, so **{said}**"


def forgiven(measured: Mapping[str, Sequence[Measured]], name: str, clean: str = "no lens") -> float:
    """How many per cent of the mean growth of the MPJPE behind a lens is no growth of the P-MPJPE."""
    whole, left = (float(np.mean(_growth(measured, name, number, clean))) for number in ("mpjpe", "p_mpjpe"))
    return 100 * (1 - left / whole)


def edge_table(measured: Mapping[str, Sequence[Measured]]) -> str:
    """Markdown: what leaves the image, and the error if it is told all the same, or lost; the difference is paired."""
    rows = [
        [
            name,
            plus_minus(one.joints for one in per_seed),
            plus_minus((one.frames for one in per_seed), 0),
            plus_minus(one.score.mpjpe for one in per_seed),
            plus_minus(one.lost.mpjpe for one in per_seed),
            _signed([one.lost.mpjpe - one.score.mpjpe for one in per_seed]),
        ]
        for name, per_seed in measured.items()
    ]
    head = [
        "lens",
        "joints outside (%)",
        "frames with one (%)",
        "MPJPE, simulated on (mm)",
        "as last seen",
        "difference",
    ]
    return markdown(head, rows)


def _growth(measured: Mapping[str, Sequence[Measured]], name: str, number: str, clean: str) -> list[float]:
    """Paired: one difference a seed, in millimetres."""

    def millimetres(one: Measured) -> float:
        return one.scaled if number == "scaled" else getattr(one.score, number)

    return [millimetres(b) - millimetres(a) for a, b in zip(measured[clean], measured[name])]


def _signed(values: Sequence[float]) -> str:
    """As `plus_minus`, with the sign of the mean."""
    sign = "" if abs(np.mean(values)) < 0.05 else "+" if np.mean(values) > 0 else "\u2212"
    return sign + plus_minus(values).lstrip("-")
