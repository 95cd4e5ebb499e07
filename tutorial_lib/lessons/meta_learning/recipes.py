"""What `make checkpoints` trains: every variant of lessons 05 and 06, with equal budgets.

A variant is a first stage of ordinary training (undistorted or randomly distorted windows) and a second stage, which
is either more of the same or MAML. Both second stages see the same number of windows, so a gain of MAML is not a gain
of training longer. The paper trains "+ MAML" from random weights; here it starts from the plain network (ours),
because batch norm keeps the statistics of the first stage and two cores keep the budget small.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tutorial_lib.lifting import SingleFrameLifter, TemporalLifter

INNER_RATE = 0.03
"""alpha of supervised episodes (ours): largest of 0.02, 0.1, 0.5 tried that stays stable for 20 steps."""

SELF_SUPERVISED_RATE = 0.0005
"""alpha of self-supervised episodes (ours)."""


@dataclass(frozen=True)
class Budget:
    """How long, how wide.

    Attributes:
        channels: width of the lifter.
        first_steps, batch: ordinary training of the first stage.
        meta_steps, tasks, support, query: the MAML stage; ordinary second stages take as many windows.
        people: builtin people; `takes`: viewpoints of every clip.
    """

    channels: int
    dropout: float
    first_steps: int
    batch: int
    meta_steps: int
    tasks: int
    support: int
    query: int
    people: int
    takes: int
    rate: float = 3e-3
    meta_rate: float = 5e-4

    @property
    def second_steps(self) -> int:
        """Ordinary steps with as many windows as the MAML stage."""
        return self.meta_steps * self.tasks * (self.support + self.query) // self.batch


BUDGETS = {
    "shipped": Budget(128, 0.05, 16000, 256, 2500, 8, 64, 32, 40, 2),
    # For a machine with a GPU: the paper's width and VideoPose3D's batch. How long: see `minutes`.
    "gpu": Budget(1024, 0.25, 8000, 1024, 1500, 12, 64, 64, 60, 2, 1e-3, 1e-4),
    "full": Budget(1024, 0.25, 60000, 1024, 20000, 25, 64, 64, 200, 4, 1e-3, 1e-4),
    # Proves that every recipe runs; the networks are worth nothing.
    "smoke": Budget(16, 0.05, 4, 16, 3, 2, 4, 4, 2, 1),
}


@dataclass(frozen=True)
class Recipe:
    """One checkpoint.

    Attributes:
        frames: receptive field; 1: the single-frame lifter.
        first: "plain" or "random".
        second: "more" (ordinary) or "maml".
        stratified: how the tasks' lenses are sampled.
        source: what the synthetic tasks distort: "detector" or "truth".
        inner: the inner loss of MAML.
    """

    frames: int
    first: Literal["plain", "random"]
    second: Literal["more", "maml"]
    stratified: bool = False
    source: Literal["detector", "truth"] = "detector"
    inner: Literal["supervised", "self-supervised"] = "supervised"


RECIPES = {
    "plain-9f": Recipe(9, "plain", "more"),
    "random-9f": Recipe(9, "random", "more"),
    "maml-9f": Recipe(9, "plain", "maml"),
    "stratified-9f": Recipe(9, "plain", "maml", stratified=True),
    "ours-9f": Recipe(9, "random", "maml", stratified=True),
    "ours-truth-9f": Recipe(9, "random", "maml", stratified=True, source="truth"),
    "ours-selfsup-9f": Recipe(9, "random", "maml", stratified=True, inner="self-supervised"),
    "ours-3f": Recipe(3, "random", "maml", stratified=True),
    "ours-27f": Recipe(27, "random", "maml", stratified=True),
    "plain-27f": Recipe(27, "plain", "more"),
    "plain-1f": Recipe(1, "plain", "more"),
    "ours-1f": Recipe(1, "random", "maml", stratified=True),
}


def network(recipe: Recipe, budget: Budget) -> TemporalLifter | SingleFrameLifter:
    """The untrained lifter of a recipe: with one frame the single-frame baseline, of about as many weights."""
    if recipe.frames == 1:
        return SingleFrameLifter(budget.channels, dropout=budget.dropout)
    return TemporalLifter(recipe.frames, budget.channels, dropout=budget.dropout)


STEP_MS = {"ordinary": {1: 2.6, 3: 2.6, 9: 2.6, 27: 4.2}, "maml": {8: 17.0, 25: 21.0}}
"""Milliseconds of a step at 1024 channels on one H100, float32: an ordinary one of 1024 windows by frames (3 as 9, and
not measured: 1), a MAML step by tasks of 64 + 64 windows of 9 frames. Medians of 20 to 30 steps, data at hand."""


def minutes(budget: Budget, names: Iterable[str]) -> float:
    """Estimated, not measured: what training the networks `names` with a budget of 1024 channels takes on one H100.

    The sum of `STEP_MS` over all steps; a MAML step grows with the tasks on a line, and with the frames as an ordinary
    one. Drawing the batches, validation and the choice of test rates come on top.
    """
    recipes = [RECIPES[name] for name in names]
    ordinary, (few, many) = STEP_MS["ordinary"], STEP_MS["maml"].items()
    maml = few[1] + (budget.tasks - few[0]) * (many[1] - few[1]) / (many[0] - few[0])
    first = {(r.first, r.frames, r.source if r.first == "random" else "") for r in recipes}
    total = sum(budget.first_steps * ordinary[frames] for _, frames, _ in first)
    for r in recipes:
        scale = ordinary[r.frames] / ordinary[9]
        total += budget.meta_steps * maml * scale if r.second == "maml" else budget.second_steps * ordinary[r.frames]
    return total / 60_000
