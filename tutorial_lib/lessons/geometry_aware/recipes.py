"""What lesson 07's experiment trains: budgets, three representations, and what learns from few labels."""

from dataclasses import dataclass

from tutorial_lib.geometry_aware.learning import Row

REPRESENTATIONS: dict[Row, str] = {
    "ours": "other camera's points, turned",
    "plain": "auto-encoder, nothing turned",
    "splat": "turned, and splatted",
}
"""What tables call the trainings without labels."""

MODES = {
    "frozen": "head on the representation",
    "scratch": "same network from scratch",
    "tuned": "all of it, from the representation",
    "random": "head on random layers",
}
"""What tables call those that learn from labels."""

GROUPS = (6, 30, 120, 600, 6000)
"""Groups of four photos whose poses are known: 0.1 %, 0.5 %, 2 %, 10 % and all."""

LABELLED = tuple(f"{mode}-{count}" for mode in MODES for count in GROUPS if mode != "tuned" or count in (30, 6000))
"""Rows that learn from labels: how, and from how many groups."""

LONGER: dict[str, tuple[Row, bool]] = {
    "ours-longer": ("ours", False),
    "ours-more": ("ours", True),
    "splat-more": ("splat", True),
}
"""Training seed 0 goes on: whose, and whether on `Budget.more` groups. Does more training change a verdict?"""

SHOWN: dict[Row, str] = {"ours": "ours-more", "splat": "splat-more"}
"""Which of them the demos show."""

ROWS = (*REPRESENTATIONS, *LONGER, *LABELLED)

TESTS = {"test": "known clothes", "clothes": "new clothes"}
"""New people in new motions."""


ALL_LABELS = "geometry_aware/all-labels"
"""The checkpoint of linear heads from all labels, beside the networks that the demos show."""


@dataclass(frozen=True)
class Budget:
    """How much of everything.

    Attributes:
        stages: of a training without labels; each ends at a small rate, and the next begins at the full one again.
        steps: of a stage.
        longer: steps that `LONGER` go on for, in one stage.
        more: groups that some of them go on with.
        groups: of four photos, to learn from; `recipes.GROUPS` counts labels for 6000 and is cut to it.
        validated: groups to choose rates and weights with.
        tested: groups of each test.
        batch: groups in a step without labels; photos are four times as many, with and without labels.
        head_steps: of a head on frozen layers.
        label_steps: of a whole network on labels.
        size: pixels a side.
        people: fewer than a split has, or None.
        frames: of a clip.
        searched: whether rates are chosen first.
    """

    stages: int = 4
    steps: int = 1500
    longer: int = 12000
    groups: int = 6000
    more: int = 24000
    validated: int = 256
    tested: int = 256
    batch: int = 16
    head_steps: int = 1500
    label_steps: int = 2500
    size: int = 48
    people: int | None = None
    frames: int = 200
    searched: bool = True


BUDGETS = {
    "shipped": Budget(),
    # For a machine with a GPU: all rows of one seed within ten minutes there, estimated.
    "gpu": Budget(stages=4, steps=4000, longer=4000, more=12000, batch=64, head_steps=3000, label_steps=5000),
    # Proves that every row runs; the networks are worth nothing.
    "smoke": Budget(
        stages=2, steps=2, longer=2, groups=8, more=8, validated=4, tested=4, batch=2, head_steps=2, label_steps=2,
        size=16, people=1, frames=20, searched=False,
    ),
}  # fmt: skip
