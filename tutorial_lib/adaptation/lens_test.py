"""One fair test for every lifter: people, a lens, a scenario; the same frames and detector errors for all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch

from tutorial_lib.adaptation.conventions import Convention
from tutorial_lib.adaptation.lifters import Adaptation, adapt
from tutorial_lib.camera import project
from tutorial_lib.datasets.detector import draw_defects
from tutorial_lib.datasets.footage import capture_clips
from tutorial_lib.datasets.splits import AdaptationSplit
from tutorial_lib.datasets.windows import Windows, window_indices
from tutorial_lib.distortion import Lens
from tutorial_lib.lifting import Lifter
from tutorial_lib.metrics import Score, pose_score, root_relative

Scenario = Literal["labelled", "alone"]
LABELLED: Scenario = "labelled"
ALONE: Scenario = "alone"
SCENARIOS: tuple[Scenario, ...] = (LABELLED, ALONE)
"""Scenario 1: a few labelled windows, recorded with markers under the test lens. Scenario 2: the test video alone, no
labels at all. These are identifiers; what readers see is `display.lens_controls.SCENARIO_TITLES`."""

UNDISTORTED = torch.zeros(5)


@dataclass(frozen=True)
class Observation:
    """Everything that one test needs; models of any receptive field can take it.

    Attributes:
        lens: what they were seen through: a lens, or (5,) coefficients.
        recorded: (clips, T, 17, 2) screen keypoints of the calibration people; `recorded_pose` their 3D.
        picks: (windows, 2) clip and frame of the labelled windows of scenario 1.
        video: (clips, T, 17, 2) screen keypoints of the people under test.
        truth: (clips, T, 17, 3) their root-relative pose, metres: camera axes, or as `convention` wants it.
        convention: how the place wants its poses; None: root-relative in camera axes.
    """

    lens: Lens | torch.Tensor
    recorded: torch.Tensor
    recorded_pose: torch.Tensor
    picks: torch.Tensor
    video: torch.Tensor
    truth: torch.Tensor
    convention: Convention | None = None

    def support(self, frames: int, windows: int | Sequence[int]) -> Windows:
        """Labelled windows for a receptive field of `frames`.

        Args:
            frames: of the lifter.
            windows: how many of those that the test has drawn; or the moments that they centre on: frame numbers of the
                whole recording, one clip after the other. Windows may overlap; at a clip's ends its last frame repeats.

        Raises:
            ValueError: none, more than were drawn, a moment that was not recorded.
        """
        length = self.recorded.shape[1]
        if isinstance(windows, int):
            if not 1 <= windows <= len(self.picks):
                raise ValueError(f"windows is {windows}, expected 1 to {len(self.picks)} labelled windows")
            clip, centre = self.picks[:windows].unbind(-1)
        else:
            last = len(self.recorded) * length - 1
            wrong = [moment for moment in windows if not 0 <= moment <= last]
            if wrong or not len(windows):
                found = f"holds {wrong[0]}" if wrong else "is empty"
                raise ValueError(f"windows {found}, expected one moment or more, from 0 to {last}")
            moments = torch.as_tensor(windows, device=self.picks.device)
            clip, centre = moments // length, moments % length
        index = window_indices(length, frames, centre)
        return Windows(self.recorded[clip[:, None], index], _wanted(self.recorded_pose[clip, centre], self.convention))

    def to(self, device: torch.device | str) -> "Observation":
        """The same on another device."""
        moved = {
            name: value.to(device) for name, value in vars(self).items() if isinstance(value, torch.Tensor | Convention)
        }
        return replace(self, **moved)


class LensTest:
    """People before cameras, ready to be seen through any lens: the same viewpoints and detector errors for all.

    Args:
        adaptation_split: who is recorded for calibration and who is tested.
        seed: decides viewpoints, detector errors and which windows are labelled.
        clips: how many test clips.
        calibration_clips: how many clips of the recording.
        windows: labelled windows that can be asked for.
        noise: of the detector; 0 gives true projections.
        device: where everything lies and every lens is computed. What is drawn depends on the seed alone.
    """

    def __init__(
        self,
        adaptation_split: AdaptationSplit,
        seed: int = 0,
        *,
        clips: int = 12,
        calibration_clips: int = 32,
        windows: int = 128,
        noise: float = 1.0,
        device: torch.device | str = "cpu",
    ):
        generator = torch.Generator().manual_seed(seed)
        self.calibration_clips = capture_clips(adaptation_split.calibration, generator, limit=calibration_clips)
        self.tests = capture_clips(adaptation_split.test, generator, limit=clips)
        length = self.calibration_clips.pose.shape[1]
        self.picks = torch.stack(
            [
                torch.randint(len(self.calibration_clips), (windows,), generator=generator),
                torch.randint(length, (windows,), generator=generator),
            ],
            -1,
        )

        # The detector errs in the same way under every lens, so a slider shows the lens and nothing else.
        errors = torch.Generator().manual_seed(seed + 1)
        self.recorded_defects = draw_defects((len(self.calibration_clips), length), noise, generator=errors)
        self.test_defects = draw_defects((len(self.tests), length), noise, generator=errors)

        self.calibration_clips, self.tests = self.calibration_clips.to(device), self.tests.to(device)
        self.recorded_defects, self.test_defects = self.recorded_defects.to(device), self.test_defects.to(device)
        self.picks = self.picks.to(device)

    def drawn(self, count: int) -> tuple[int, ...]:
        """The first moments that were drawn to be labelled, each once, at most `count`; for `Observation.support`."""
        clip, centre = self.picks.unbind(-1)
        moments = dict.fromkeys((clip * self.calibration_clips.pose.shape[1] + centre).tolist())  # some come twice
        return tuple(moments)[:count]

    def through(
        self, lens: Lens | torch.Tensor, *, clips: slice = slice(None), convention: Convention | None = None
    ) -> Observation:
        """What the detector reports of the recorded people and of the people under test.

        Args:
            lens: a lens, or (5,) coefficients.
            clips: which of the test clips.
            convention: how the place wants its poses; None: root-relative in camera axes.
        """
        pose = self.tests.pose[clips]
        convention = None if convention is None else convention.to(pose.device)
        return Observation(
            lens,
            self.recorded_defects.apply(project(self.calibration_clips.pose, lens=lens)),
            self.calibration_clips.pose,
            self.picks,
            self.test_defects[clips].apply(project(pose, lens=lens)),
            _wanted(pose, convention),
            convention,
        )


def _wanted(pose: torch.Tensor, convention: Convention | None) -> torch.Tensor:
    return root_relative(pose) if convention is None else convention.wanted(pose)


@torch.no_grad()
def evaluate(model: Lifter, observation: Observation) -> Score:
    """The score of a model as it is."""
    return pose_score(model.lift(observation.video), observation.truth)


def evaluate_adapted(
    model: Lifter,
    observation: Observation,
    scenario: Scenario,
    *,
    steps: int,
    rate: float,
    windows: int = 64,
    every_step: bool = True,
) -> tuple[Adaptation, list[Score]]:
    """Adapt to the lens of an observation, then score; also after every step on the way.

    Args:
        model: it stays as it is.
        observation: through the lens.
        scenario: one of `SCENARIOS`.
        steps: gradient steps.
        rate: alpha.
        windows: labelled windows of scenario 1.
        every_step: False scores only before the first and after the last step, which is several times faster.

    Returns:
        The adaptation and steps + 1 scores (or two).

    Raises:
        ValueError: unknown scenario; otherwise as `adapt`.
    """
    if scenario not in SCENARIOS:
        raise ValueError(f"scenario is {scenario!r}, expected one of {SCENARIOS}")
    support = observation.support(model.frames, windows) if scenario == LABELLED else observation.video
    watch = (lambda adapted: evaluate(adapted, observation)) if every_step else None
    result = adapt(model, support, steps, rate=rate, watch=watch)
    return result, result.trajectory if every_step else [
        evaluate(model, observation),
        evaluate(result.model, observation),
    ]
