"""What lesson 01's experiment trains: budgets, the kinds of runs, and the ladders that settings are chosen from."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

from tutorial_lib.datasets.photos import Setting

Length = Literal["short", "usual", "long"]
RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
"""Learning rates that may be chosen."""
WIDTHS = (0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
"""Widths in cells that may be chosen for the bumps of a heat map."""
HEADS = ("regression", "rle", "heatmap", "integral")
"""Of `heatmaps.HEADS`, in the order of the lesson."""
FORMS = ("released", "even")
"""RLE with the sum of the paper's code, and with joints that all pull alike: see `heatmaps.RLE`."""


@dataclass(frozen=True)
class Budget:
    """How many photos, how long, how wide.

    Attributes:
        photos, few: training photos of the large and of the small set (its beginning).
        validation, test: photos.
        steps: updates of a usual run; a short one has a quarter, a long one twice as many.
        search_steps: updates of a run that chooses settings.
        batch: photos a step.
        seeds, long_seeds: training seeds of every kind of run, of the long runs.
        channels, width: of `KeypointNet`.
        size: side of the photos.
    """

    photos: int
    few: int
    validation: int
    test: int
    steps: int
    search_steps: int
    batch: int
    seeds: int
    long_seeds: int
    channels: tuple[int, ...]
    width: int
    size: int = 64

    def steps_of(self, length: Length) -> int:
        return {"short": max(1, self.steps // 4), "usual": self.steps, "long": 2 * self.steps}[length]


BUDGETS = {
    "shipped": Budget(20000, 500, 1000, 1000, 3000, 600, 32, 5, 2, (16, 32, 64, 128), 32),
    # For a machine with a GPU: wider, longer, finer photos.
    "full": Budget(40000, 1000, 1000, 2000, 20000, 3000, 64, 5, 5, (32, 64, 128, 256), 64, 128),
    # Proves that everything runs; the networks are worth nothing.
    "smoke": Budget(24, 8, 8, 8, 4, 1, 4, 2, 1, (4, 4, 4, 4), 4, 32),
}


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        head: one of `HEADS`, or one of `FORMS`.
        setting: of the photos: "world", people seen from everywhere, or "lab", seen from the front.
        stride: of `KeypointNet`; the regression heads have no map and run at stride 4 only.
        shrunk: whether the photos are shrunk to half their side.
        few: whether only the small set is trained on.
        length: how many steps.
        seed: of the weights and the batches.
    """

    head: str
    setting: Setting = "world"
    stride: int = 4
    shrunk: bool = False
    few: bool = False
    length: Length = "usual"
    seed: int = 0

    @property
    def kind(self) -> str:
        """ "world-heatmap-4", "lab-rle-4", "world-integral-4-long": the name without the seed."""
        ends = ("-shrunk" * self.shrunk, "-few" * self.few, "" if self.length == "usual" else f"-{self.length}")
        return f"{self.setting}-{self.head}-{self.stride}" + "".join(ends)

    @property
    def searched(self) -> "Run":
        """The run whose settings this one takes."""
        return replace(self, few=False, length="usual", seed=0)


MAIN = tuple(Run(head, setting) for setting in get_args(Setting) for head in HEADS)
GRIDS = (Run("heatmap", stride=2), Run("heatmap", stride=8), Run("heatmap", stride=2, shrunk=True))
KINDS = (
    *MAIN,
    *(Run(form) for form in FORMS),
    *GRIDS,
    *(Run(head, few=True, length="short") for head in HEADS),
    *(Run(head, length="short") for head in HEADS),
    *(Run(head, length="long") for head in HEADS),
)
SHIPPED = tuple(run.kind for run in MAIN)


def ordered(budget: Budget) -> list[Run]:
    """Every run of every seed; what is stopped early has what matters most: the four heads, seed by seed."""
    groups = (MAIN, KINDS[len(MAIN) :])
    return [
        replace(kind, seed=seed)
        for kinds in groups
        for seed in range(budget.seeds)
        for kind in kinds
        if seed < (budget.long_seeds if kind.length == "long" else budget.seeds)
    ]
