"""What lesson 03's experiment trains: budgets, and the runs by name."""

from dataclasses import dataclass, replace

from tutorial_lib.templates.learning import Row

CALM = {
    "both": Row(about="corner"),
    "no boundary": Row(boundary=0.0, about="corner"),
    "no anchor": Row(anchor=0.0, about="corner"),
    "neither": Row(anchor=0.0, boundary=0.0, about="corner"),
}
"""The paper's ablation; parts turn about the image's corner, as in the released code."""
THROWN = {f"{name}, thrown out": replace(row, aside=1.3) for name, row in CALM.items()}
"""The same, begun beside the picture, as after a step that was too long."""
BEGUN = {
    "begun in a T-pose": Row(start="T-pose"),
    "begun half beside": Row(aside=0.5),
}
"""Other starts than an adult who stands among the people."""
LEAKS = {
    f"photo {other} at {cells} x {cells}": Row(leak=cells, same=other == 1)
    for other in (2, 1)
    for cells in (0, 4, 8, 16, 32, 64)
}
"""How much of the other photo the translator gets beside the parts: so many cells a side. The other one is photo 2,
from another moment, or photo 1 itself, which is to be painted."""
ROWS = {"main": Row(), **CALM, **THROWN, **BEGUN, **LEAKS}
"""Run -> how it is trained."""

CHANGES: dict[str, dict] = {
    "as it was": {},
    "other frames, other light": {"augment": True},
    "more arm motion": {"waving": True},
    "both of these": {"augment": True, "waving": True},
    "wider parts at first": {"blur": 0.15},
}
"""What might help the hands -> fields of the budget. The main run takes the best of them on validation photos."""
CHOICE_SEEDS = (0, 1)
"""Trainings of every row of `CHANGES`, by the mean of which one is chosen."""
DEARER: dict[str, dict] = {"four times as long": {"tried_steps": 4}, "twice the pixels": {"size": 2}}
"""What might help as well, but costs several times as much -> factors of the budget's fields."""
TRIED = {**CHANGES, **DEARER}


@dataclass(frozen=True)
class Budget:
    """How long, how wide.

    Attributes:
        size: side of the photos in pixels.
        width: channels of the networks' first layers.
        pairs, tests: number of photo pairs to train on, and to test on.
        batch: pairs for each step; the supervised baseline sees as many photos.
        steps: of the main run.
        short_steps: of every other row of `ROWS`.
        tried_steps: of every row of `TRIED`.
        seeds: trainings of the main run, of the supervised one and of the ablation.
        few_seeds: trainings of everything else.
        looks, few_looks: how often the main runs, and the shorter ones, are asked for what they see, on photos that
            they do not learn from and without consequence.
        augment, half: as for `learning.Learner`; the supervised baseline sees changed photos, too.
        waving: as for `pairs.front_pairs`; the photos to train on alone.
    """

    size: int = 64
    width: int = 16
    pairs: int = 6144
    tests: int = 256
    batch: int = 8
    steps: int = 4000
    short_steps: int = 600
    eye_steps: int = 600
    supervised_steps: int = 3000
    tried_steps: int = 1000
    rate: float = 2e-3
    blur: float = 0.06
    seeds: int = 5
    few_seeds: int = 3
    looks: int = 20
    few_looks: int = 6
    augment: bool = False
    waving: bool = False
    half: bool = True

    def changed(self, name: str) -> "Budget":
        """This budget with a row of `TRIED`."""
        factors = {field: factor * getattr(self, field) for field, factor in DEARER.get(name, {}).items()}
        return replace(self, **CHANGES.get(name, {}), **factors)


BUDGETS = {
    "shipped": Budget(),
    # For a GPU and time: twice the resolution, the paper's batch, wider networks.
    "full": Budget(128, 32, 40000, 1000, 24, 60000, 10000, 4000, 40000, 4000, 5e-4),
    # Proves that everything runs; the networks are worth nothing.
    "smoke": Budget(16, 4, 6, 4, 2, 4, 3, 3, 3, 2, seeds=2, few_seeds=1, looks=2, few_looks=1, half=False),
}


def plan(budget: Budget) -> list[tuple[str, int]]:
    """(run, seed), in the order in which they are trained: the choice first, then everything, seed after seed."""
    choice = [(name, seed) for name in CHANGES for seed in CHOICE_SEEDS]
    many, few = ("main", "supervised", *CALM, *THROWN), (*BEGUN, *LEAKS, *DEARER)
    rounds = [
        (name, seed)
        for seed in range(max(budget.seeds, budget.few_seeds))
        for names, seeds in ((many, budget.seeds), (few, budget.few_seeds))
        for name in names
        if seed < (1 if name in DEARER else seeds)
    ]
    return choice + rounds
