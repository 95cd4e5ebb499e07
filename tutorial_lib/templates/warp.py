"""Moving the parts, without a raster: a Gaussian under an affine map is a Gaussian.

A part with mean m and covariance S, moved by x -> A x + b, has mean A m + b and covariance A S A'. Its picture can be
painted from these numbers directly, and every pixel is then a smooth function of A and b. The released code instead
paints the template once and resamples that picture (`raster.warp_parts`): the same result up to interpolation.
"""

from typing import Literal, get_args

import torch

from tutorial_lib.grid import cell_centres
from tutorial_lib.templates.parts import CENTRES, COVARIANCES, NAMES

Pivot = Literal["part", "corner"]
"""The point about which a part turns and stretches: its own centre, or the top left corner of the image."""
PIVOTS: tuple[Pivot, ...] = get_args(Pivot)

FLATTEST = 1e-8
"""Added to both variances, in screen units squared (a blur of 0.01 pixels at 256): a map that flattens a part to a line
would otherwise divide by zero."""

FAINTEST = -50.0
"""Exponents stop here: exp(-50) is 2e-22. Below exp(-87) float32 has only subnormal numbers, which processors treat in
slow motion; without this line the painting takes some ten times as long (measured)."""


def identity(*batch: int, dtype: torch.dtype = torch.float32, device: torch.device | None = None) -> torch.Tensor:
    """Affines that leave the template as it is: (*batch, 18, 2, 3), each [I | 0]."""
    return torch.eye(2, 3, dtype=dtype, device=device).expand(*batch, len(NAMES), 2, 3).clone()


def check_affines(affines: torch.Tensor) -> None:
    """Refuse what does not end in (18, 2, 3).

    Raises:
        ValueError: names the shape and what was expected.
    """
    if affines.ndim < 3 or affines.shape[-3:] != (len(NAMES), 2, 3) or not affines.is_floating_point():
        raise ValueError(
            f"affines has shape {tuple(affines.shape)} and dtype {affines.dtype}, expected floating point "
            "(..., 18, 2, 3): one [A | t] for each part of parts.NAMES; start from warp.identity()"
        )


def _pivots(affines: torch.Tensor, about: Pivot) -> torch.Tensor:
    """(18, 2) screen coordinates of the points about which the parts turn."""
    check_affines(affines)
    if about not in PIVOTS:
        raise ValueError(
            f"about is {about!r}, expected 'part' (a part's own centre) or 'corner' (top left of the image)"
        )
    return CENTRES.to(affines) if about == "part" else affines.new_tensor([-1.0, -1.0]).expand(len(NAMES), 2)


def to_screen_maps(affines: torch.Tensor, about: Pivot = "part") -> torch.Tensor:
    """[A | t] about a pivot p, x -> A (x - p) + p + t, written as [A | b] with x -> A x + b.

    Args:
        affines: (..., 18, 2, 3), t in screen coordinates (half widths of the image).
        about: "part": p is the part's own centre (ours), so that turning and stretching leave it in place. "corner":
            p is the image's top left corner (the released code), where a small turn carries a part far away.

    Returns:
        (..., 18, 2, 3) maps of screen coordinates.

    Raises:
        ValueError: wrong shape, or an unknown pivot.
    """
    pivot = _pivots(affines, about)
    linear, shift = affines[..., :2], affines[..., 2]
    return torch.cat([linear, (shift + pivot - _apply(linear, pivot))[..., None]], -1)


def from_screen_maps(maps: torch.Tensor, about: Pivot = "part") -> torch.Tensor:
    """The inverse of `to_screen_maps`: (..., 18, 2, 3) to (..., 18, 2, 3)."""
    pivot = _pivots(maps, about)
    linear, offset = maps[..., :2], maps[..., 2]
    return torch.cat([linear, (offset - pivot + _apply(linear, pivot))[..., None]], -1)


def moved(affines: torch.Tensor, about: Pivot = "part") -> tuple[torch.Tensor, torch.Tensor]:
    """Means (..., 18, 2) and covariances (..., 18, 2, 2) of the moved parts, in screen coordinates."""
    pivot = _pivots(affines, about)
    linear, mean = affines[..., :2], affines[..., 2] + CENTRES.to(affines)
    if about != "part":  # a part's own centre does not move under A
        mean = pivot + affines[..., 2] + _apply(linear, CENTRES.to(affines) - pivot)
    return mean, linear @ COVARIANCES.to(affines) @ linear.transpose(-1, -2)


def gaussian_maps(mean: torch.Tensor, covariance: torch.Tensor, size: int) -> torch.Tensor:
    """exp(-(x - mean)' covariance⁻¹ (x - mean) / 2) at the cells of a square raster.

    The exponent is a sum of three products of a function of the row and a function of the column: one small matrix
    product for each part, and one exponential for each pixel.

    Args:
        mean: (..., 2) screen coordinates.
        covariance: (..., 2, 2) in screen units squared; may be singular.
        size: rows and columns.

    Returns:
        (..., size, size), 1 at the mean.
    """
    if not isinstance(size, int) or size < 2:
        raise ValueError(f"size is {size!r}, expected a whole number of at least 2: rows and columns of the raster")
    cells = cell_centres(size, mean)
    offset = cells - mean[..., None]
    powers = torch.stack([torch.ones_like(offset), offset, offset * offset], -1)  # (..., x and y, size, 3)
    sxx, sxy, _, syy = covariance.flatten(-2).unbind(-1)
    # det(C + eI) = det C + e tr C + e²: rounding may leave det C just below zero, never the sum
    determinant = (sxx * syy - sxy * sxy).clamp_min(0) + FLATTEST * (sxx + syy + FLATTEST)
    precision = torch.stack([sxx + FLATTEST, -2 * sxy, syy + FLATTEST], -1) / (-2 * determinant)[..., None]
    columns = (powers[..., 0, :, :] * precision[..., None, :]).transpose(-1, -2)  # of dy², dx dy and dx²
    rows = powers[..., 1, :, :].flip(-1)
    exponent = rows @ columns
    with torch.no_grad():  # in place, as the exponential: a product's gradient does not need the product
        exponent.clamp_(min=FAINTEST)
    return exponent.exp_()


def part_maps(affines: torch.Tensor, size: int, about: Pivot = "part") -> torch.Tensor:
    """The 18 moved parts as pictures, in closed form.

    The peak stays 1: like a warp of a picture, the map carries values along, it does not preserve a part's mass.

    Args:
        affines: (..., 18, 2, 3), [A | t] about the pivot, t in screen coordinates. Differentiable.
        size: rows and columns of the raster.
        about: "part" or "corner", see `to_screen_maps`.

    Returns:
        (..., 18, size, size) in [0, 1].
    """
    return gaussian_maps(*moved(affines, about), size)


def _apply(linear: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    return (linear @ points[..., None])[..., 0]
