"""Heat maps and regression: how a network says where a joint is. Lesson 01's idea; stands on the ground alone."""

from tutorial_lib.grid import cell_centres, to_cells
from tutorial_lib.heatmaps.decoding import (
    LOG_FLOOR,
    MEAN_RESIDUAL,
    argmax,
    cell_of,
    dark,
    expectation,
    gaussian_target,
    quarter_shift,
    scores,
    soft_argmax,
    spread,
)
from tutorial_lib.heatmaps.networks import HEADS, Cost, KeypointNet, cost, map_loss
from tutorial_lib.heatmaps.regression import RLE, RealNVP, coordinate_loss, log_laplace

__all__ = [
    "Cost",
    "HEADS",
    "KeypointNet",
    "LOG_FLOOR",
    "MEAN_RESIDUAL",
    "RLE",
    "RealNVP",
    "argmax",
    "cell_centres",
    "cell_of",
    "coordinate_loss",
    "cost",
    "dark",
    "expectation",
    "gaussian_target",
    "log_laplace",
    "map_loss",
    "quarter_shift",
    "scores",
    "soft_argmax",
    "spread",
    "to_cells",
]
