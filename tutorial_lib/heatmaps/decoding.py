"""Heat maps: how a joint becomes a picture, and how a picture becomes a joint again.

A map has one cell for every stride of pixels. Points are normalised screen coordinates, (x, y) in [-1, 1] across the
square picture, y down. Cells are centred: the centre of cell i of n is (2 i + 1) / n - 1. A map is indexed
(row, column), that is (y, x). Every function takes maps (..., rows, columns) and gives points (..., 2).

Maps of networks that SimpleBaseline's or DarkPose's code has trained have cell i at pixel stride * i, its corner. Read
here, their joints lie half a cell too far to the lower right: take 1 / cells from both coordinates. Where a map is
nowhere above 0, that code answers with cell (0, 0), these functions with the highest cell.
"""

import math

import torch

from tutorial_lib import grid
from tutorial_lib.grid import bump, cell_centres, to_cells

MEAN_RESIDUAL = (math.sqrt(2) + math.asinh(1)) / 6
"""Mean distance, in cells, of a point of the unit square from its middle: what `argmax` cannot see (0.3826)."""

LOG_FLOOR = 1e-10
"""Smallest value whose logarithm `dark` takes."""


def gaussian_target(
    keypoints: torch.Tensor, cells: int, sigma: float, *, rounded: bool = False, reach: float | None = None
) -> torch.Tensor:
    """A Gaussian bump with peak 1 around every joint: what a heat-map network is trained to paint.

    A joint outside the picture leaves what its bump still spills into it.

    Args:
        keypoints: (..., J, 2) normalised coordinates.
        cells: rows and columns of the square map.
        sigma: standard deviation in cells.
        rounded: move the centre to the middle of its cell first, as SimpleBaseline does. DARK does not: the
            sub-cell part of the position then survives in the values around the peak.
        reach: zero beyond this many sigmas along either axis; SimpleBaseline stops at 3. None: never.

    Returns:
        (..., J, cells, cells), same dtype and device.

    Raises:
        ValueError: keypoints that are not floating (..., 2), cells below 1, sigma or reach that is not positive.

    Source: Xiao et al. 2018 (SimpleBaseline), sec. 2; Zhang et al. 2020 (DARK), sec. 3.2 for the exact centre.
    """
    if not _is_floating(keypoints) or keypoints.shape[-1:] != (2,):
        raise ValueError(f"keypoints is {_what(keypoints)}, expected floating (..., 2): x, y")
    if cells < 1 or cells % 1:
        raise ValueError(f"cells is {cells}, expected at least 1, e.g. picture size // stride")
    if not sigma > 0 or (reach is not None and not reach > 0):
        raise ValueError(f"sigma={sigma}, reach={reach}: expected positive numbers, in cells and in sigmas")
    centre = cell_of(keypoints, cells) if rounded else to_cells(keypoints, cells)
    # Of x and of y: exp is taken 2n times and not n * n.
    profile = bump(centre, cells, sigma, reach=reach).to(keypoints.dtype)
    return profile[..., 1, :, None] * profile[..., 0, None, :]


def cell_of(points: torch.Tensor, cells: int) -> torch.Tensor:
    """Column and row (..., 2) of the cell that points (..., 2) lie in; on a border the later one (SimpleBaseline)."""
    return torch.floor(to_cells(points, cells) + 0.5)


def scores(maps: torch.Tensor) -> torch.Tensor:
    """The height of every map's peak: (...,). With targets of peak 1, the usual confidence of a joint."""
    _check(maps)
    return maps.amax(dim=(-2, -1))


def argmax(maps: torch.Tensor) -> torch.Tensor:
    """The centre of the highest cell: (..., 2). Off by `MEAN_RESIDUAL` cells on average, however good the map.

    Here and in the other decoders, a map that holds NaN has its joint at NaN: a place would be a guess.
    """
    return _to_points(_peak(maps), maps)


def quarter_shift(maps: torch.Tensor) -> torch.Tensor:
    """The highest cell, moved a quarter cell towards its higher neighbour along each axis: (..., 2).

    An axis on which the peak touches the border, or both neighbours are equal, is not moved. (The published code
    leaves both axes alone when one is within a cell of the border.)

    Source: Newell et al. 2016; Xiao et al. 2018 (SimpleBaseline), sec. 2.
    """
    peak = _peak(maps)
    rows, columns = maps.shape[-2:]
    x, y = peak.unbind(-1)
    right, left = _at(maps, y, (x + 1).clamp(max=columns - 1)), _at(maps, y, (x - 1).clamp(min=0))
    below, above = _at(maps, (y + 1).clamp(max=rows - 1), x), _at(maps, (y - 1).clamp(min=0), x)
    inside = (peak > 0) & (peak < torch.tensor([columns - 1, rows - 1], device=maps.device))
    step = grid.countable(torch.sign(torch.stack([right - left, below - above], -1)))
    return _to_points(peak + 0.25 * step * inside, maps)


def dark(maps: torch.Tensor, blur: float = 0.0) -> torch.Tensor:
    """The peak between the cells, from the slope and curvature of the log map: (..., 2).

    The logarithm of a Gaussian is a parabola, and one Newton step from anywhere on a parabola ends on its top: on an
    exact Gaussian the answer is exact. The map of a network is not exact, so it is first blurred.

    Args:
        maps: (..., rows, columns).
        blur: standard deviation in cells of the Gaussian that smooths the map first, cut at 2.5 sigma; 0 for none.
            The published code's kernel of 11 cells, for targets of sigma 2, is a blur of 2. Its kernel of 17, for
            sigma 3, is as wide as OpenCV makes it: 2.9 cut at 8 cells, which no blur here is, to 0.007 cells.

    Returns:
        (..., 2). Where the peak is less than two cells from the border, or the curvature is singular: the centre of
        the highest cell, as `argmax` gives it.

    Raises:
        ValueError: a negative blur, maps that are not (..., rows, columns).

    Source: Zhang et al. 2020 (DARK), sec. 3.1. Its rescaling of the blurred map to the old maximum adds a constant to
    the logarithm, which no derivative sees, so it is left out.
    """
    if blur < 0:
        raise ValueError(f"blur is {blur}, expected a standard deviation in cells >= 0")
    peak, given = _peak(maps), maps
    rows, columns = maps.shape[-2:]
    # A cell at minus infinity, where somebody masked the map, is low like any other: times 0 it would be NaN.
    maps = grid.countable(maps).clamp_min(torch.finfo(maps.dtype).min)
    # Only the 5 x 5 cells around the peak enter the derivatives, so only these are blurred.
    across, down = _window(peak[..., 0], columns, blur, maps), _window(peak[..., 1], rows, blur, maps)
    h = torch.log((down @ maps @ across.transpose(-1, -2)).clamp_min(LOG_FLOOR))
    slope_x, slope_y = (h[..., 2, 3] - h[..., 2, 1]) / 2, (h[..., 3, 2] - h[..., 1, 2]) / 2
    xx = (h[..., 2, 4] - 2 * h[..., 2, 2] + h[..., 2, 0]) / 4
    yy = (h[..., 4, 2] - 2 * h[..., 2, 2] + h[..., 0, 2]) / 4
    xy = (h[..., 3, 3] - h[..., 3, 1] - h[..., 1, 3] + h[..., 1, 1]) / 4
    determinant = xx * yy - xy * xy
    limit = torch.tensor([columns - 2, rows - 2], device=maps.device)
    fine = ((peak > 1) & (peak < limit)).all(-1) & (determinant != 0)
    newton = torch.stack([xy * slope_y - yy * slope_x, xy * slope_x - xx * slope_y], -1)
    step = newton / torch.where(fine, determinant, 1.0)[..., None]
    return _to_points(peak + torch.where(fine[..., None], step, 0.0), given)


def soft_argmax(maps: torch.Tensor, temperature: float = 1.0) -> torch.Tensor:
    """The mean place under softmax(maps / temperature): (..., 2), differentiable everywhere.

    A map that was trained to look like a bump of height 1 is nearly flat as a logit: decode it with a temperature well
    below 1 (0.01 to 0.1), or the answer falls towards the middle of the picture.

    Args:
        maps: (..., rows, columns) logits.
        temperature: positive; small ones come close to `argmax`.

    Raises:
        ValueError: temperature that is not positive, maps that are not (..., rows, columns).

    Source: Sun et al. 2018 (integral regression), eq. 2; cell centres as in Nibali et al. 2018 (DSNT).
    """
    _check(maps)
    return grid.expectation(grid.marginals(maps, 2, temperature))


def spread(maps: torch.Tensor) -> torch.Tensor:
    """How far softmax(maps) lies around its mean, the root of the mean squared distance: (...,) in half widths.

    Args:
        maps: (..., rows, columns) logits.
    """
    _check(maps)
    variance = torch.zeros(maps.shape[:-2], dtype=maps.dtype, device=maps.device)
    for weights in grid.marginals(maps, 2, 1.0):
        place = cell_centres(weights.shape[-1], weights)
        mean = (weights * place).sum(-1)
        variance = variance + (weights * (place - mean[..., None]) ** 2).sum(-1)
    return torch.sqrt(variance)


def expectation(probabilities: torch.Tensor) -> torch.Tensor:
    """The mean place (..., 2) of maps (..., rows, columns) that each sum to 1.

    x depends on the column alone, so the map is first summed over its rows, and the other way round for y: no map of
    coordinates is ever stored.
    """
    _check(probabilities)
    return grid.expectation(grid.sums(probabilities, 2))


def _check(maps: torch.Tensor) -> None:
    if not _is_floating(maps) or maps.ndim < 2 or 0 in maps.shape[-2:]:
        raise ValueError(f"maps is {_what(maps)}, expected floating (..., rows, columns)")


def _is_floating(values: object) -> bool:
    return isinstance(values, torch.Tensor) and values.is_floating_point()


def _what(values: object) -> str:
    """For messages."""
    if isinstance(values, torch.Tensor):
        return f"{values.dtype} of shape {tuple(values.shape)}"
    return f"a {type(values).__name__}"


def _peak(maps: torch.Tensor) -> torch.Tensor:
    """(..., 2) column and row of the highest cell, the first one in reading order at a tie."""
    _check(maps)
    return grid.largest(maps, 2)


def _at(maps: torch.Tensor, row: torch.Tensor, column: torch.Tensor) -> torch.Tensor:
    return maps.flatten(-2).gather(-1, (row * maps.shape[-1] + column)[..., None])[..., 0]


def _to_points(cells_xy: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    points = grid.from_cells(cells_xy.to(grid.countable(maps).dtype), (maps.shape[-1], maps.shape[-2]))
    return points.to(maps.dtype).masked_fill(grid.unknown(maps, 2), torch.nan)


def _window(peak: torch.Tensor, count: int, blur: float, maps: torch.Tensor) -> torch.Tensor:
    """(..., 5, count) weights that give the blurred cells peak - 2 ... peak + 2 along one axis."""
    radius = max(1, round(2.5 * blur)) if blur > 0 else 0
    offset = torch.arange(-radius, radius + 1, dtype=maps.dtype, device=maps.device)
    total = torch.exp(-(offset**2) / (2 * blur**2)).sum() if blur > 0 else 1.0
    wanted = peak[..., None] + torch.arange(-2, 3, device=maps.device)
    away = (torch.arange(count, device=maps.device) - wanted[..., None]).to(maps.dtype)
    weight = torch.exp(-(away**2) / (2 * blur**2)) if blur > 0 else torch.ones_like(away)
    return weight * (away.abs() <= radius) / total
