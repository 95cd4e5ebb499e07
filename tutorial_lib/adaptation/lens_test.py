"""One fair exam for every model: a test site, a lens, a scenario; the same frames and noise for all."""

from dataclasses import dataclass

import torch

from tutorial_lib.adaptation.lifters import Adaptation, adapt
from tutorial_lib.datasets.detector import draw_defects
from tutorial_lib.datasets.footage import picture, shoot
from tutorial_lib.datasets.splits import TestSite
from tutorial_lib.datasets.windows import Windows, window_indices
from tutorial_lib.lifting import TemporalLifter
from tutorial_lib.metrics import Score, pose_score, root_relative

SCENARIOS = ("labelled recording", "test video alone")
"""Scenario 1: a few labelled windows, recorded with markers under the test lens. Scenario 2: no labels at all."""

UNDISTORTED = torch.zeros(5)


@dataclass(frozen=True)
class Exam:
    """Everything that one test needs; models of any receptive field can take it.

    Attributes:
        lens: (5,).
        recorded: (shots, T, 17, 2) screen keypoints of the calibration people; `recorded_pose` their 3D.
        picks: (windows, 2) shot and frame of the labelled windows of scenario 1.
        video: (shots, T, 17, 2) screen keypoints of the people under test.
        truth: (shots, T, 17, 3) their root-relative pose, metres, camera axes.
    """

    lens: torch.Tensor
    recorded: torch.Tensor
    recorded_pose: torch.Tensor
    picks: torch.Tensor
    video: torch.Tensor
    truth: torch.Tensor

    def support(self, frames: int, windows: int) -> Windows:
        """The first `windows` labelled windows for a receptive field of `frames`.

        Raises:
            ValueError: fewer than 1 or more windows than were recorded.
        """
        if not 1 <= windows <= len(self.picks):
            raise ValueError(f"windows is {windows}, expected 1 to {len(self.picks)} labelled windows")
        shot, centre = self.picks[:windows].unbind(-1)
        index = window_indices(self.recorded.shape[1], frames, centre)
        return Windows(self.recorded[shot[:, None], index], root_relative(self.recorded_pose[shot, centre]))

    def to(self, device: torch.device) -> "Exam":
        """The same exam on another device."""
        return Exam(**{name: value.to(device) for name, value in vars(self).items()})


class Studio:
    """A filmed test site, ready to be seen through any lens: the same people, viewpoints and detector errors.

    Args:
        site: who is recorded and who is tested.
        seed: decides viewpoints, detector errors and which windows are labelled.
        shots: test shots; `recordings`: calibration shots.
        windows: labelled windows that can be asked for.
        noise: of the detector; 0 gives true projections.
    """

    def __init__(
        self,
        site: TestSite,
        seed: int = 0,
        *,
        shots: int = 12,
        recordings: int = 32,
        windows: int = 128,
        noise: float = 1.0,
    ):
        generator = torch.Generator().manual_seed(seed)
        self.recordings = shoot(site.calibration, generator, shots=recordings)
        self.tests = shoot(site.test, generator, shots=shots)
        length = self.recordings.pose.shape[1]
        self.picks = torch.stack(
            [
                torch.randint(len(self.recordings), (windows,), generator=generator),
                torch.randint(length, (windows,), generator=generator),
            ],
            -1,
        )

        # The detector errs in the same way under every lens, so a slider shows the lens and nothing else.
        errors = torch.Generator().manual_seed(seed + 1)
        self.recorded_defects = draw_defects((len(self.recordings), length), noise, generator=errors)
        self.test_defects = draw_defects((len(self.tests), length), noise, generator=errors)

    def exam(self, lens: torch.Tensor, *, shots: slice = slice(None)) -> Exam:
        """What the detector reports through `lens` (5,), for the recorded people and the `shots` under test."""
        pose = self.tests.pose[shots]
        return Exam(
            lens,
            self.recorded_defects.apply(picture(self.recordings.pose, lens)),
            self.recordings.pose,
            self.picks,
            self.test_defects[shots].apply(picture(pose, lens)),
            root_relative(pose),
        )


@torch.no_grad()
def take(model: TemporalLifter, exam: Exam) -> Score:
    """The score of a model as it is."""
    return pose_score(model.lift(exam.video), exam.truth)


def take_adapted(
    model: TemporalLifter,
    exam: Exam,
    scenario: str,
    *,
    steps: int,
    rate: float,
    windows: int = 64,
    every_step: bool = True,
) -> tuple[Adaptation, list[Score]]:
    """Adapt to the exam's lens, then score; also after every step on the way.

    Args:
        scenario: one of `SCENARIOS`.
        windows: labelled windows of scenario 1.
        every_step: False scores only before the first and after the last step, which is several times faster.

    Returns:
        The adaptation and steps + 1 scores (or two).

    Raises:
        ValueError: unknown scenario; otherwise as `adapt`.
    """
    if scenario not in SCENARIOS:
        raise ValueError(f"scenario is {scenario!r}, expected one of {SCENARIOS}")
    support = exam.support(model.frames, windows) if scenario == SCENARIOS[0] else exam.video
    watch = (lambda adapted: take(adapted, exam)) if every_step else None
    result = adapt(model, support, steps, rate=rate, watch=watch)
    return result, result.trajectory if every_step else [take(model, exam), take(result.model, exam)]
