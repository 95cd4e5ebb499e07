"""The people of lesson 10's experiment: drawn once a part, seen through crops, with and without labels."""

from dataclasses import fields
from functools import cache
from pathlib import Path

import torch

from tutorial_lib.datasets.splits import (
    FPS,
    HELD_OUT_ACTIONS,
    MOCAP_TEST_SUBJECTS,
    SITE_SEED,
    TEST_SEED,
    TRAIN_SEED,
    TRAINED_ACTIONS,
    VALIDATION_SEED,
    mocap_path,
)
from tutorial_lib.experiments import once_tensors
from tutorial_lib.lessons.mesh_recovery.recipes import BUDGETS, NOISE, TESTS
from tutorial_lib.mesh import People, draw_people, see
from tutorial_lib.mesh.people import detected
from tutorial_lib.motion import builtin, load, resample
from tutorial_lib.motion.clip import Clip

PARTS = ("train", "validation", "pool", *TESTS, "later")
"""Training and validation people do what is trained on; the pool, who has no labels, and "later", its own validation
people, do what the invented test people do."""
TRACK = {"train": 27, "validation": 60, "invented": 60}
"""Frames of each person in the rows that see time."""


class World:
    """All people of one budget, kept in the work folder.

    Args:
        name: of `recipes.BUDGETS`.
        work: keeps the parts.
        device: where they are.
    """

    def __init__(self, name: str, work: Path, device: torch.device):
        self.name, self.budget, self.work, self.device = name, BUDGETS[name], work, device
        self.people, self.clean, self.clips = cache(self._people), cache(self._clean), cache(self._clips)

    def _clips(self, part: str) -> list[Clip]:
        small = self.budget.people == 1
        if part == "actors":
            path = mocap_path()
            taken = [] if path is None else [clip for clip in load(path) if clip.subject in MOCAP_TEST_SUBJECTS]
            return [resample(clip, FPS) for clip in taken]
        actions = TRAINED_ACTIONS if part in ("train", "validation") else HELD_OUT_ACTIONS
        seed = {
            "train": TRAIN_SEED, "validation": VALIDATION_SEED, "later": VALIDATION_SEED, "pool": SITE_SEED,
        }.get(part, TEST_SEED)  # fmt: skip
        count = {"train": self.budget.people}.get(part, min(8, self.budget.people))
        return builtin(seed, count, actions[:2] if small else actions, 64 if small else 200)

    def _people(self, part: str, tracks: bool = False) -> People:
        """Of one of `PARTS`; as (people, frames) if `tracks`."""
        budget = self.budget
        count = {
            "train": budget.samples, "validation": budget.validated, "later": budget.validated, "pool": budget.pool,
        }.get(part, budget.tested)  # fmt: skip
        frames = TRACK[part] if tracks else None
        if tracks:
            count = budget.tracks if part == "train" else max(2, count // 10)
        generator = torch.Generator().manual_seed(100 + PARTS.index(part) + 10 * tracks)
        path = self.work / f"{self.name}-people-{part}{'-tracks' if tracks else ''}.safetensors"
        made = once_tensors(
            path, lambda: vars(draw_people(self.clips(part), count, generator=generator, frames=frames))
        )
        return People(**{field.name: made[field.name] for field in fields(People)}).to(self.device)

    def _clean(self, part: str, tracks: bool = False) -> torch.Tensor:
        """Their dots without noise, in crops about them."""
        return see(self.people(part, tracks), 0.0, None).clean

    def dots(self, part: str, noise: float = NOISE, seed: int = 0, tracks: bool = False) -> torch.Tensor:
        """Their dots as a detector says them; the same seed, the same errors."""
        return detected(self.clean(part, tracks), noise, torch.Generator().manual_seed(seed))

    def tests(self) -> list[str]:
        """The tests for which there are people."""
        return [test for test in TESTS if self.clips(test)]
