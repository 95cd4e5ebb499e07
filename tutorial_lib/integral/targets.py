"""Target volumes around a joint: the report's Gaussian cube, a single cell, and the entropy no loss can go below.

A Gaussian is a product of its factors along x, y and z. So is a cube, and so is a single cell. The factors are enough
for sum(target * logits), three small matrix products; the volume itself is only made to be looked at.
"""

from collections.abc import Sequence
from functools import lru_cache

import torch

from tutorial_lib.grid import bump, to_cells

REPORT_PEAK = (2 * torch.pi) ** -0.5
"""Largest value of the report's target, 0.3989: exp(0) / sqrt(2 pi). A density in 3D would have (2 pi)^(-3/2)."""

CUBE = 5
"""Half the side of the report's Gaussian cube in cells: 11 x 11 x 11."""


def gaussian_factors(
    target: torch.Tensor, shape: Sequence[int], sigma: float = 1.0, *, radius: int | None = CUBE, rounded: bool = True
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """exp(-d^2 / 2 sigma^2) around the target along each axis: x (..., W), y (..., H), z (..., D).

    Args:
        target: (..., 3) coordinates x, y, z.
        shape: (D, H, W).
        sigma: standard deviation in cells.
        radius: zero beyond so many cells on each axis; None: no cube.
        rounded: centre the Gaussian on the target's cell, as the report does; false: on the target itself.

    Raises:
        ValueError: wrong shapes, sigma that is not positive.
    """
    if target.shape[-1:] != (3,) or len(shape) != 3:
        raise ValueError(
            f"target has shape {tuple(target.shape)}, shape={tuple(shape)}: expected (..., 3) and (D, H, W)"
        )
    if not target.is_floating_point():
        raise ValueError(f"target is {target.dtype}, expected floating coordinates in [-1, 1], not cell numbers")
    if not sigma > 0:
        raise ValueError(f"sigma is {sigma}, expected a positive number of cells, e.g. 1")
    reach = None if radius is None else radius / sigma
    centres = [to_cells(place, cells) for place, cells in zip(target.unbind(-1), reversed(shape))]
    x, y, z = (
        bump(centre.round() if rounded else centre, cells, sigma, reach=reach).to(target.dtype)
        for centre, cells in zip(centres, reversed(shape))
    )
    return x, y, z


def outer(factors: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """The volume with these factors: (..., W), (..., H), (..., D) to (..., D, H, W)."""
    x, y, z = factors
    return z[..., :, None, None] * (y[..., :, None] * x[..., None, :])[..., None, :, :]


def contract(volume: torch.Tensor, factors: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """sum(volume * outer(factors)) without the outer product: (..., D, H, W) to (...,)."""
    x, y, z = factors
    rows = (volume @ x[..., None, :, None])[..., 0]
    return ((rows @ y[..., None])[..., 0] * z).sum(-1)


def gaussian_cube(target: torch.Tensor, shape: Sequence[int], *, normalised: bool = False) -> torch.Tensor:
    """The report's target volume (equations 5 to 9): (..., D, H, W).

    exp(-d^2 / 2) / sqrt(2 pi) in the 11 x 11 x 11 cells around the target's cell, zero elsewhere. Its peak is 0.3989,
    not 1, and its sum is 2 pi = 6.283: neither a probability nor a density. Cells run from 0 to W - 1; the report's
    index set {0, ..., W} has one too many.

    Args:
        target: (..., 3) coordinates x, y, z.
        shape: (D, H, W).
        normalised: divide by the sum instead: a probability over the cells that are inside the volume.
    """
    cube = outer(gaussian_factors(target, shape))
    return cube / cube.sum((-3, -2, -1), keepdim=True).clamp_min(1e-30) if normalised else REPORT_PEAK * cube


def one_hot(target: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    """1 in the target's cell and 0 elsewhere; all 0 if the target is outside the volume: (..., D, H, W)."""
    return outer(gaussian_factors(target, shape, radius=0))


def bce_floor(target: torch.Tensor) -> torch.Tensor:
    """The least binary cross entropy that any prediction can reach against this target: (..., D, H, W) to (...,) nats.

    It is the entropy of the target's cells, -t log t - (1 - t) log(1 - t), and 0 only if every cell is 0 or 1.
    """
    return -(torch.xlogy(target, target) + torch.special.xlog1py(1 - target, -target)).sum((-3, -2, -1))


def report_floor(target: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    """`bce_floor` of `gaussian_cube`, without making the volume: (..., 3) to (...,) nats; 21.00 for a whole cube.

    The entropy of a cell depends only on its place in the cube, and a cube at the border loses whole slices.
    """
    with torch.no_grad():
        entropy = _cube_entropy(target.dtype, target.device)
        offsets = torch.arange(-CUBE, CUBE + 1, device=target.device)
        inside = []
        for coordinate, cells in zip(target.unbind(-1), reversed(shape)):
            place = to_cells(coordinate, cells).round()[..., None] + offsets
            inside.append(((place >= 0) & (place <= cells - 1)).to(target.dtype))
        x, y, z = inside
        return contract(entropy, (x, y, z))


@lru_cache
def _cube_entropy(dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """Entropy of every cell of the cube: (11, 11, 11) nats."""
    cube = gaussian_cube(torch.zeros(3, dtype=dtype, device=device), (2 * CUBE + 1,) * 3)
    return -(torch.xlogy(cube, cube) + torch.special.xlog1py(1 - cube, -cube))
