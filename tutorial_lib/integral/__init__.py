"""Integral pose: the mean place of a heat map or a volume. Lesson 02's idea; stands on the ground alone."""

from tutorial_lib.grid import cell_centres, expectation, from_cells, marginals, to_cells
from tutorial_lib.integral.soft_argmax import (
    DEPTH_RANGE,
    from_metres,
    hard_argmax,
    soft_argmax_1d,
    soft_argmax_2d,
    soft_argmax_3d,
    split_depth,
    to_metres,
)

__all__ = [
    "DEPTH_RANGE",
    "cell_centres",
    "expectation",
    "from_cells",
    "from_metres",
    "hard_argmax",
    "marginals",
    "soft_argmax_1d",
    "soft_argmax_2d",
    "soft_argmax_3d",
    "split_depth",
    "to_cells",
    "to_metres",
]
