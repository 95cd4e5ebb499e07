"""What lesson 10's experiment trains: budgets, and one way from dots to a body a row."""

from dataclasses import dataclass

ROWS = {
    "parameters": "parameters, told everything",
    "joints": "parameters, told joints alone",
    "lixels": "vertices by lixels",
    "graph": "vertices by a graph",
    "seen": "turnable, told the seen side",
    "unseen": "turnable, told unseen sides too",
    "frame": "one frame",
    "clip": "27 frames",
    "dots": "then dots of unlabelled people",
    "once": "then fits as labels, made once",
    "loop": "then fits as labels, in a loop",
}
"""What tables call them."""

LATER = ("dots", "once", "loop")
"""Rows that go on with the network of "parameters", on people without labels."""

WIDTHS = {"frame": (1, 1, 1), "clip": (3, 3, 3)}
"""Filters of the rows that see time."""

SHIPPED = ("parameters", "lixels", "seen", "unseen")
"""Networks that the lesson shows, of training seed 0."""

TESTS = {"invented": "invented motion", "actors": "real actors"}
"""Test people; the second need the optional motion capture."""

NOISE = 0.02
"""Of the dots, in half-sides of the crop: in every training, and in the tables."""

ASKED = ("parameters", "lixels", "graph")
"""Rows that are asked with dots of other noise, too."""

NOISES = (0.0, 0.01, 0.02, 0.04)
"""Of the dots that they are asked with."""

FITTED = (0.01, 0.02)
"""Noise of the dots that bodies are fitted to."""

KEPT = (0, 5, 10, 20, 50, 100, 200)
"""Steps of a fit that are measured."""

FITS = {
    "mean, no prior": "from the mean body, no prior",
    "mean, prior": "from the mean body, prior",
    "net, no prior": "from the network, no prior",
    "net, prior": "from the network, prior",
    "eft": "EFT: the network's weights",
}
"""Ways of fitting."""

PRIORS = (0.1, 0.3, 1.0, 3.0)
"""Weights of the prior that validation people choose from."""

HIDDEN = 0.15
"""Share of the dots that the turnable rows do not get."""

ANGLES = (0, 90, 180)
"""Degrees by which people are turned when the turnable rows are asked."""


@dataclass(frozen=True)
class Budget:
    """How much of everything.

    Attributes:
        steps: of a training; `LATER` rows take as many more.
        batch, width: of the trainings.
        samples: people with labels; pool: people without; tracks: pieces of 27 frames to train on.
        validated, tested: people of validation and of each test; fitted: those of them that bodies are fitted to.
        people: who are trained on.
        fit_steps: the longest fit; pool_steps: fits of people without labels.
        searched: whether rates and weights are chosen first.
    """

    steps: int
    batch: int = 32
    width: int = 256
    samples: int = 12000
    pool: int = 768
    tracks: int = 1500
    validated: int = 128
    tested: int = 400
    fitted: int = 64
    people: int = 24
    fit_steps: int = 200
    pool_steps: int = 50
    searched: bool = True


BUDGETS = {
    "shipped": Budget(1600),
    # Twenty times the steps, four times the batch, for a machine with a GPU.
    "gpu": Budget(32000, batch=128, samples=60000, pool=4096, tracks=6000, tested=1000, fitted=256, people=100),
    # Proves that every row runs; the networks are worth nothing.
    "smoke": Budget(
        4, batch=3, width=16, samples=12, pool=4, tracks=4, validated=4, tested=4, fitted=3, people=1, fit_steps=5,
        pool_steps=2, searched=False,
    ),
}  # fmt: skip
