"""What lesson 09's experiment trains: budgets, and one loss a row."""

from dataclasses import dataclass

ROWS = {"l2": "L2", "mix": "L2 + CF", "cf": "CF alone"}
"""What tables call the losses that a converged network goes on with."""

BASE = "base"
"""The network that all rows of a seed start from, trained with L2."""

SHIPPED = "l2"
"""The row whose network the lesson shows, of training seed 0."""

GROUPS = {"near": "nearest person", "far": "farthest person", "behind": "behind others", "all": "all joints"}
"""What tables call the joints that are asked about."""

BEGINNING = "heads/world-heatmap-4"
"""Lesson 01's network, in which the trunk of every base begins."""


@dataclass(frozen=True)
class Budget:
    """How much of everything.

    Attributes:
        base_steps: of the training that all rows start from.
        steps: of going on with each loss.
        search_steps: of going on while rates and the gain are chosen.
        crowds, validated, tested: pictures.
        batch: pictures a step.
        size: side of the pictures.
        channels, width, finer: of the network.
        from_heads: whether the trunk begins as lesson 01's network of this size.
        searched: whether rates and the gain are chosen first.
    """

    base_steps: int
    steps: int
    search_steps: int
    crowds: int = 8000
    validated: int = 300
    tested: int = 800
    batch: int = 16
    size: int = 64
    channels: tuple[int, ...] = (16, 32, 64, 128)
    width: int = 32
    finer: int = 20
    from_heads: bool = True
    searched: bool = True


BUDGETS = {
    "shipped": Budget(2500, 400, 120),
    # Finer pictures and a wider network, for a machine with a GPU: one seed within ten minutes there, estimated.
    "gpu": Budget(
        10000, 5000, 1000, crowds=20000, validated=500, tested=2000, batch=32, size=128, channels=(32, 64, 128, 256),
        width=64, finer=48, from_heads=False,
    ),
    # Proves that every row runs; the networks are worth nothing.
    "smoke": Budget(
        4, 4, 2, crowds=12, validated=4, tested=6, batch=4, size=32, channels=(4, 4, 4, 8), width=4, finer=4,
        from_heads=False, searched=False,
    ),
}  # fmt: skip
