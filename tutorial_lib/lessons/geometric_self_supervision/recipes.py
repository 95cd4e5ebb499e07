"""What lesson 08's experiment trains: budgets, and one row of its tables a recipe."""

from dataclasses import dataclass, replace
from typing import Literal

from tutorial_lib.self_supervision.learning import Recipe, Weights
from tutorial_lib.self_supervision.views import ELEVATION

SYMMETRIC = (-20.0, 20.0)
"""Degrees: cameras look up as often as down."""


@dataclass(frozen=True)
class Budget:
    """How much of everything.

    Attributes:
        steps: of a row of the main table.
        short: of the rows about the sign and about strangers.
        few: 2D skeletons of one's own, where strangers' help.
        views: 2D skeletons to train on.
        people: who are trained on.
        tested: views of each test.
        batch, width, blocks: of the trainings.
        searched: whether rates and weights are chosen first.
    """

    steps: int
    short: int
    few: int = 300
    views: int = 20000
    people: int = 24
    tested: int = 2000
    batch: int = 256
    width: int = 128
    blocks: int = 2
    searched: bool = True


BUDGETS = {
    "shipped": Budget(3000, 2000),
    # The paper's own size, for a machine with a GPU: ten minutes a training there, estimated.
    "gpu": Budget(20000, 5000, views=200000, people=200, batch=8192, width=1024, blocks=4),
    # Proves that every row runs; the networks are worth nothing.
    "smoke": Budget(4, 3, few=20, views=60, people=1, tested=20, batch=8, width=8, blocks=1, searched=False),
}

Source = Literal["own", "few", "raw", "adapted"]
"""2D skeletons: many of one's own, few of one's own, few and strangers' as they are, few and strangers' adapted."""


@dataclass(frozen=True)
class Row:
    """One row of the tables.

    Attributes:
        title: what tables call it.
        kind: whose rate and weights it takes.
        cycle, critic, temporal, label: how much each loss counts, times what the search found.
        believed: degrees by which cameras look down, as the training believes; in the views it is the same.
        distance: metres from the camera.
        noise: of the detector that made the 2D skeletons.
        source: whose 2D skeletons.
        short: whether it takes the short budget.
    """

    title: str
    kind: str = "full"
    cycle: bool = True
    critic: bool = True
    temporal: bool = False
    label: bool = False
    believed: tuple[float, float] = ELEVATION
    distance: float = 5.0
    noise: float = 0.0
    source: Source = "own"
    short: bool = False


FULL, CRITIC, CYCLE, LABELS = "full", "critic-alone", "cycle-alone", "supervised"

_MAIN = {
    FULL: Row("cycle and critic"),
    CRITIC: Row("critic alone", CRITIC, cycle=False),
    CYCLE: Row("cycle alone", CYCLE, critic=False),
    LABELS: Row("with labels", LABELS, cycle=False, critic=False, label=True),
}
NOISES = (1.0, 3.0)
PRIORS: dict[str, tuple[float, float]] = {
    "prior-20": SYMMETRIC,
    "prior-15": (-15.0, 20.0),
    "prior-10": (-10.0, 20.0),
    "prior-0": ELEVATION,
}
"""Degrees by which cameras look down, from a symmetric prior to the course's own."""

ROWS: dict[str, Row] = {
    **_MAIN,
    "temporal": Row("cycle, critic, critic of motion", temporal=True),
    **{
        f"{name}-noise-{noise:g}": replace(_MAIN[name], title=f"{_MAIN[name].title}, noise {noise:g}", noise=noise)
        for noise in NOISES
        for name in (FULL, CRITIC, LABELS)
    },
    "temporal-noise-3": Row("cycle, critic, critic of motion, noise 3", temporal=True, noise=3.0),
    **{
        name: Row(f"cameras from {low:g} to {high:g} degrees", believed=(low, high), short=True)
        for name, (low, high) in PRIORS.items()
    },
    "level-far": Row("level cameras, 50 m", believed=(-10.0, 10.0), distance=50.0, short=True),
    "few": Row("few of one's own", source="few", short=True),
    "raw": Row("few and strangers' as they are", source="raw", short=True),
    "adapted": Row("few and strangers' adapted", source="adapted", short=True),
}


def recipe(row: Row, budget: Budget, rate: float, cycle: float) -> Recipe:
    """The training of a row.

    Args:
        row: of `ROWS`.
        budget: how long, how wide.
        rate: of Adam.
        cycle: weight of both cycle losses.
    """
    weights = Weights(
        in_picture=cycle * row.cycle,
        in_space=cycle * row.cycle,
        critic=0.1 * row.critic,
        temporal=0.1 * row.temporal,
        label=1.0 * row.label,
    )
    return Recipe(
        weights,
        elevation=row.believed,
        steps=budget.short if row.short else budget.steps,
        batch=budget.batch,
        rate=rate,
        width=budget.width,
        blocks=budget.blocks,
    )
