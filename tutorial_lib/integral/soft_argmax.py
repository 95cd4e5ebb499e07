"""Integral regression: from a score for every cell to a coordinate (Sun et al. 2018, equations 1 to 4).

    p = softmax(logits / temperature)      over all cells of one joint, so that p sums to one
    J = sum over cells of p(cell) * centre(cell)

The coordinates of a cell on one axis do not depend on the other axes, so J needs only the *marginals*: the sums of p
over the other axes. A volume of coordinates is never made, and softmax, which reads the volume, is taken once.

Coordinates run over (-1, 1) on every axis: x to the right and y downwards over a square image (`camera`'s screen), z
away from the camera over a depth range about the root (`DEPTH_RANGE`).
"""

import torch

from tutorial_lib.grid import expectation, from_cells, largest, marginals, unknown
from tutorial_lib.integral import closed_form

DEPTH_RANGE = 1.0
"""Half the depth of the volume in metres (ours): z = -1 and z = 1 are that far before and behind the root."""


def to_metres(z: torch.Tensor, depth_range: float | torch.Tensor = DEPTH_RANGE) -> torch.Tensor:
    """Depth in [-1, 1] to metres behind the root."""
    return z * depth_range


def from_metres(depth: torch.Tensor, depth_range: float | torch.Tensor = DEPTH_RANGE) -> torch.Tensor:
    """The inverse of `to_metres`: metres behind the root to depth in [-1, 1]."""
    return depth / depth_range


def split_depth(channels: torch.Tensor, joints: int) -> torch.Tensor:
    """A convolution's output (B, J * D, H, W) as volumes (B, J, D, H, W): channel j D + d is depth d of joint j.

    Raises:
        ValueError: channels that are no multiple of `joints`.
    """
    if channels.ndim != 4 or joints < 1 or channels.shape[1] % joints:
        raise ValueError(f"channels has shape {tuple(channels.shape)}, expected (B, joints * D, H, W), joints={joints}")
    return channels.unflatten(1, (joints, channels.shape[1] // joints))


def soft_argmax_1d(logits: torch.Tensor, temperature: float = 1.0, *, half_pixel: bool = True) -> torch.Tensor:
    """Expected coordinate of a row of scores.

    Args:
        logits: (..., W).
        temperature: divides the logits; the papers' factor beta is 1 / temperature.
        half_pixel: false repeats the original's shift by half a cell, see `cell_centres`.

    Returns:
        (...,) x in (-1, 1).

    Raises:
        ValueError: as `marginals`.
    """
    return expectation(marginals(logits, 1, temperature), half_pixel=half_pixel)[..., 0]


def soft_argmax_2d(logits: torch.Tensor, temperature: float = 1.0, *, half_pixel: bool = True) -> torch.Tensor:
    """Expected place in a map of scores: (..., H, W) to (..., 2), x then y. As `soft_argmax_1d`."""
    return expectation(marginals(logits, 2, temperature), half_pixel=half_pixel)


def soft_argmax_3d(logits: torch.Tensor, temperature: float = 1.0, *, half_pixel: bool = True) -> torch.Tensor:
    """Expected place in a volume of scores: (..., D, H, W) to (..., 3), x, y, z. As `soft_argmax_1d`.

    Source: equations 2 to 4 of the report on integral pose regression, Sun et al. 2018. Both index from 1 or 0 and
    leave half a cell; the cell centres are those of DSNT (Nibali et al. 2018).
    """
    if temperature == 1 and closed_form.applies(logits):  # the line below, 1.3 to 2.4 times as fast
        return closed_form.MeanPlace.apply(logits, half_pixel)
    return expectation(marginals(logits, 3, temperature), half_pixel=half_pixel)


def hard_argmax(logits: torch.Tensor, axes: int = 3) -> torch.Tensor:
    """Centre of the cell with the largest score (equation 1): (..., axes), x first; NaN where a score is. It has no
    gradient.

    Args:
        logits: (..., W), (..., H, W) or (..., D, H, W).
        axes: 1, 2 or 3.

    Raises:
        ValueError: axes other than 1, 2, 3; too few axes.
    """
    index = largest(logits, axes).to(torch.promote_types(logits.dtype, torch.float32))
    place = from_cells(index, tuple(logits.shape[-axes:][::-1])).to(logits.dtype)
    return place.masked_fill(unknown(logits, axes), torch.nan)
