"""What lesson 11's experiment trains: budgets, the lifters under test, and what each is trained on afterwards."""

from dataclasses import dataclass

THRESHOLD = 150.0
"""Millimetres of MPJPE above which a pose is a failure: about twice the error of these lifters on people they know."""

HARDEST = 0.02
"""Share of the validation poses of the simulator, the worst for the untouched lifter, that help to choose a rate."""


@dataclass(frozen=True)
class Budget:
    """How much of everything.

    Attributes:
        people, views: of invented motion to train on.
        drawn: random people of the simulator to train on, where some are.
        width, steps, batch: of the lifters.
        loops, tuned: rounds of search and fine-tuning, and steps of each.
        agents, moves, samples: of a search.
        rounds: of growing.
        hard: poses that each agent's region, or its control, gives to a round of fine-tuning.
        judges: agents of every examination, started anew.
        asked: random poses of every examination.
        tested: people of every test.
        hunts: searches of every method on an untouched lifter; their mean is told.
        searched: whether rates are chosen first.
    """

    people: int = 24
    views: int = 40000
    drawn: int = 60000
    width: int = 192
    steps: int = 12000
    batch: int = 256
    loops: int = 3
    tuned: int = 500
    agents: int = 8
    moves: int = 50
    samples: int = 24
    rounds: int = 60
    hard: int = 250
    judges: int = 24
    asked: int = 20000
    tested: int = 2000
    hunts: int = 8
    searched: bool = True


BUDGETS = {
    "shipped": Budget(),
    # The paper's 40 agents and wide lifters: some hours on two cores.
    "full": Budget(
        people=200, views=200000, drawn=200000, width=1024, steps=30000, tuned=2000, agents=40, judges=40, asked=200000
    ),
    # Proves that every row runs; the networks are worth nothing.
    "smoke": Budget(1, 60, 40, 8, 4, 8, 2, 3, 2, 3, 4, 3, 5, 2, 60, 20, 2, searched=False),
}

RARE, COMMON, COURSE = "rare", "common", "course"
LEVEL, ABOVE = (-15.0, 15.0), (40.0, 65.0)
"""Degrees by which cameras look down: of the motion that is trained on, and of the test from above."""

VICTIMS = {
    RARE: "failures are rare",
    COMMON: "failures are common",
    COURSE: "lesson 04's lifter",
}
"""Lifters under test. Both of our own know invented people from eye level; the first also knows random people of the
simulator. The last is the course's, as it ships: it is searched, and not trained on."""

OWN = (RARE, COMMON)

ARMS = {
    "replay": "replay alone",
    "random": "with random poses",
    "mined": "with the worst of as many random questions",
    "asked": "with the worst of what these agents asked",
    "found": "with what agents found",
}
"""What a lifter is trained on afterwards, beside replay: the same number of steps and of new poses."""

SHOWN = ("", "replay", "random", "mined", "found")
"""What the lesson shows of the lifter whose failures are rare, training seed 0: before, and after these arms."""

END = 0.9
"""Beyond it a latent's slider stands at one of its ends."""

ROWS = {
    **VICTIMS,
    **{f"{victim}-{arm}": f"{VICTIMS[victim]}: {title}" for victim in OWN for arm, title in ARMS.items()},
}
"""Every part of the experiment."""


def row(victim: str, arm: str = "") -> str:
    """The name of a part; without an arm the lifter as it was first trained."""
    return f"{victim}-{arm}" if arm else victim
