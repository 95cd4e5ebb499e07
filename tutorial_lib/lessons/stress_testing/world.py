"""The people of lesson 11's experiment: made once, used by all of its trainings, searches and tests."""

from functools import cache

import torch

from tutorial_lib.datasets.splits import (
    FPS,
    HELD_OUT_ACTIONS,
    MOCAP_TEST_SUBJECTS,
    TEST_SEED,
    TRAIN_SEED,
    TRAINED_ACTIONS,
    VALIDATION_SEED,
    mocap_path,
)
from tutorial_lib.lessons.stress_testing.recipes import ABOVE, LEVEL, RARE, Budget
from tutorial_lib.motion import builtin, load, resample
from tutorial_lib.motion.clip import Clip
from tutorial_lib.stress_testing import simulator
from tutorial_lib.stress_testing.learning import Sights, film, simulated
from tutorial_lib.stress_testing.simulator import draw

PLACES = {
    "known": "known motions, eye level",
    "new": "new motions, eye level",
    "above": "known motions, from above",
    "actors": "real actors, eye level",
    "actors above": "real actors, from above",
}
"""Tests on people whom nobody trained on. The last two need the optional motion capture."""


class World:
    """All people of one budget.

    Args:
        budget: how many.
    """

    def __init__(self, budget: Budget):
        self.budget, self.simulator = budget, simulator(1) if budget.people == 1 else simulator()
        self.clips, self.sights, self.latents = cache(self._clips), cache(self._sights), cache(self._latents)
        self.drawn = cache(lambda part: simulated(self.simulator, self.latents(part)))

    def _clips(self, part: str) -> list[Clip]:
        small = self.budget.people == 1
        frames, actions = (20, TRAINED_ACTIONS[:2]) if small else (200, TRAINED_ACTIONS)
        if part == "train":
            return builtin(TRAIN_SEED, self.budget.people, actions, frames)
        if part == "validation":
            return builtin(VALIDATION_SEED, 1 if small else 4, actions, frames)
        if part == "actors":
            path = mocap_path()
            taken = [] if path is None else [clip for clip in load(path) if clip.subject in MOCAP_TEST_SUBJECTS]
            return [resample(clip, FPS) for clip in taken]
        return builtin(TEST_SEED, 1 if small else 4, HELD_OUT_ACTIONS if part == "new" else actions, frames)

    def _sights(self, part: str) -> Sights:
        """Of "train", "validation" or one of `PLACES`."""
        count, seed = {"train": (self.budget.views, 1), "validation": (self.budget.tested, 2)}.get(
            part, (self.budget.tested, 3)
        )
        elevation = ABOVE if part.endswith("above") else LEVEL
        return film(self.clips(_people(part)), count, elevation, torch.Generator().manual_seed(seed))

    def _latents(self, part: str) -> torch.Tensor:
        """Random latents: "train", "validation" or "test"."""
        count, seed = {
            "train": (self.budget.drawn, 11), "validation": (self.budget.asked, 12), "test": (self.budget.asked, 13),
        }[part]  # fmt: skip
        return draw(count, torch.Generator().manual_seed(seed))

    def places(self) -> list[str]:
        """The tests for which there are people."""
        return [place for place in PLACES if self.clips(_people(place))]

    def mixture(self, victim: str, part: str = "train") -> list[tuple[Sights, float]]:
        """What a lifter is first trained on, and replayed later: people, and their share."""
        motion = self.sights(part)
        return [(motion, 0.5), (self.drawn(part), 0.5)] if victim == RARE else [(motion, 1.0)]


def _people(part: str) -> str:
    """Whose motion a test shows: from above they are the same."""
    return {"actors above": "actors", "above": "known"}.get(part, part)
