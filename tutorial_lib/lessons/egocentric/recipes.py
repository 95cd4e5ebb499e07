"""What lesson 13's experiment trains: budgets, and one kind of scene a row."""

from dataclasses import dataclass

from tutorial_lib.egocentric.depth import KINDS, SceneKind

ROWS: dict[SceneKind, str] = {
    "none": "no scene",
    "hole": "body cut out, a hole",
    "classical": "hole filled, classical",
    "learned": "hole filled, learned",
    "true": "true scene behind the body",
    "body": "exact depth, body left in",
    "estimated": "the same, body's depth estimated",
}
"""What tables call the kinds of scene."""

SHIPPED = KINDS[:5]
"""Networks that the demos ask, of training seed 0; the body left in stands in tables and cards alone."""

TESTS = {"floor": "on the floor", "step": "on a step"}
"""Test people stand on the floor, or sit; or all of them stand on a step of which they hide about half."""

RAISED = 0.1
"""Metres by which a scene that lies is too high."""


@dataclass(frozen=True)
class Budget:
    """How much of everything.

    Attributes:
        steps: of a training.
        fill_steps: of the inpainting network's training.
        samples: to train on; validated: to choose rates and watch trainings with; tested: of each test.
        people: who are trained on.
        batch, cells, width: of the trainings.
        searched: whether rates are chosen first.
    """

    steps: int
    fill_steps: int
    samples: int = 2800
    validated: int = 100
    tested: int = 200
    people: int = 24
    batch: int = 8
    cells: int = 16
    width: int = 16
    searched: bool = True


BUDGETS = {
    "shipped": Budget(600, 600),
    # Nearer to the paper, for a machine with a GPU: all rows and seeds within ten minutes there, estimated.
    "gpu": Budget(4000, 3000, samples=20000, validated=500, tested=1000, people=100, batch=32, cells=32, width=32),
    # Proves that every row runs; the networks are worth nothing.
    "smoke": Budget(4, 2, samples=10, validated=4, tested=6, people=1, batch=2, cells=8, width=4, searched=False),
}
