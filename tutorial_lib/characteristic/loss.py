"""The characteristic function of a heat map, and a loss that compares two of them.

A map H on n x n cells has the characteristic function phi(t) = sum over cells x of H(x) exp(i <t, x>): its Fourier
transform. On a grid, t has n x n values, from -pi to pi along each axis. Two maps differ by as much as their
characteristic functions do:

    sum_t |phi_p - phi_g|^2 = n^2 sum_x (H_p - H_g)^2       squared, it is the ordinary L2 loss (Parseval)
    max_x |H_p - H_g| <= mean_t |phi_p - phi_g|             not squared, it bounds every cell (inversion)

Nothing is clamped or divided by a mass, as the paper's unpublished "modulation" may do: an empty map stays defined, and
a peak's height stays part of what is compared.
"""

import math

import torch

from tutorial_lib import heatmaps


def crowd_target(keypoints: torch.Tensor, present: torch.Tensor, cells: int, sigma: float) -> torch.Tensor:
    """One map a joint for all people together: the largest of their bumps, so that two of them never make one of 2.

    Args:
        keypoints: (..., P, J, 2) normalised coordinates.
        present: (..., P) bool.
        cells: rows and columns of the map.
        sigma: of the bumps, in cells.

    Returns:
        (..., J, cells, cells).
    """
    bumps = heatmaps.gaussian_target(keypoints, cells, sigma)
    return (bumps * present[..., None, None, None]).amax(-4)


def frequencies(rows: int, columns: int, like: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Size of every frequency of `rfft2`, and how often it counts, both (rows, columns // 2 + 1).

    The size is that of the larger of its two parts, in radians a cell: T is half the side of a square of frequencies.

    A real map's phi(-t) is the conjugate of phi(t), so `rfft2` leaves half of them out: all count twice but the first
    column and, for an even number of columns, the last.
    """
    down = 2 * math.pi * torch.fft.fftfreq(rows)
    across = 2 * math.pi * torch.fft.rfftfreq(columns)
    size = torch.maximum(down.abs()[:, None], across.abs()[None, :])
    count = torch.full((rows, len(across)), 2.0)
    count[:, 0] = 1.0
    if columns % 2 == 0:
        count[:, -1] = 1.0
    return (size, count) if like is None else (size.to(like), count.to(like))


def cf_loss(
    maps: torch.Tensor, target: torch.Tensor, highest: float | None = None, *, squared: bool = False
) -> torch.Tensor:
    """Mean over frequencies of |phi_p - phi_g|: (...,), 1 for one missing bump of height 1.

    Its gradient where both are equal is 0, as torch has it for the modulus of a complex number.

    Args:
        maps: (..., rows, columns).
        target: the same shape.
        highest: T: only frequencies up to this size count, radians a cell, see `frequencies`; None: all.
        squared: take the squared modulus instead: with all frequencies, the sum over cells of the squared difference.

    Raises:
        ValueError: shapes that differ, or a negative T.
    """
    if maps.shape != target.shape or maps.ndim < 2:
        raise ValueError(f"maps has shape {tuple(maps.shape)}, target {tuple(target.shape)}: expected the same two")
    if highest is not None and highest < 0:
        raise ValueError(f"highest is {highest}, expected radians a cell from 0, or None for all")
    difference = torch.fft.rfft2(maps - target)
    size, count = frequencies(*maps.shape[-2:], like=maps)
    if highest is not None:
        count = count * (size <= highest + 1e-6)
    apart = difference.abs() ** 2 if squared else difference.abs()
    return (apart * count).sum((-2, -1)) / count.sum()


def l2_loss(maps: torch.Tensor, target: torch.Tensor, sigma: float) -> torch.Tensor:
    """Sum over cells of the squared difference: (...,), in units of one missing bump, whose sum is pi sigma^2.

    Args:
        maps: (..., rows, columns).
        target: the same shape.
        sigma: of the bumps, in cells.
    """
    return ((maps - target) ** 2).sum((-2, -1)) / (math.pi * sigma**2)


def region_bound(maps: torch.Tensor, target: torch.Tensor, cells: int) -> torch.Tensor:
    """What the L2 norm of the difference over any `cells` cells cannot exceed, by `cf_loss`: (...,)."""
    return math.sqrt(cells) * cf_loss(maps, target)
