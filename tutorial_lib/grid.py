"""Rows, maps and volumes of cells: where their centres are, the mean place over them, a bump around a place.

Coordinates run over (-1, 1) on every axis, and cells are centred: cell i of n lies at (2 i + 1) / n - 1.

    cells         |  0  |  1  |  2  |  3  |
    coordinates  -1 -0.75 -0.25 0.25  0.75 1

Arrays are indexed (D, H, W), coordinates are written x, y, z: the last axis of the array is x.

Cells are counted in single precision at least (`countable`): bfloat16 holds whole numbers up to 256 only, float16 up
to 2048, so in them the neighbour of a cell would be the cell itself.
"""

import torch


def countable(values: torch.Tensor) -> torch.Tensor:
    """The values in a dtype that can count cells: half precision becomes single, all else stays."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def cell_centres(cells: int, like: torch.Tensor | None = None, *, half_pixel: bool = True) -> torch.Tensor:
    """Coordinates of the cells along one axis: (cells,) in (-1, 1).

    Args:
        cells: how many.
        like: takes its dtype and device.
        half_pixel: true: centres, (2 i + 1) / n - 1. False: the cells' lower corners, 2 i / n - 1, as the paper's
            code has them (there x / W - 0.5). Every answer is then half a cell too small, and a joint at the far
            edge cannot be reached.
    """
    _check_cells(cells)
    dtype, device = (torch.get_default_dtype(), None) if like is None else (like.dtype, like.device)
    count = torch.promote_types(dtype, torch.float32)
    return ((2 * torch.arange(cells, dtype=count, device=device) + (1 if half_pixel else 0)) / cells - 1).to(dtype)


def to_cells(coordinates: torch.Tensor, cells: int | tuple[int, ...]) -> torch.Tensor:
    """Coordinates in [-1, 1] to cell indices, not rounded: 0 is the centre of the first cell, n - 1 of the last.

    Args:
        coordinates: (..., axes) or any shape if `cells` is one number.
        cells: number of cells, or one number for each axis in the order of the coordinates (x, y, z).

    Returns:
        The same shape, in single precision at least.
    """
    _check_cells(cells)
    return ((countable(coordinates) + 1) * torch.as_tensor(cells, device=coordinates.device) - 1) / 2


def from_cells(index: torch.Tensor, cells: int | tuple[int, ...]) -> torch.Tensor:
    """The inverse of `to_cells`, in single precision at least."""
    _check_cells(cells)
    return (2 * countable(index) + 1) / torch.as_tensor(cells, device=index.device) - 1


def sums(weights: torch.Tensor, axes: int) -> tuple[torch.Tensor, ...]:
    """For each of the last `axes` axes the sum over the others: x (..., W), then y (..., H), then z (..., D)."""
    if axes == 1:
        return (weights,)
    plane = weights.sum(-3) if axes == 3 else weights
    xy = (plane.sum(-2), plane.sum(-1))
    return (*xy, weights.sum((-2, -1))) if axes == 3 else xy


def marginals(logits: torch.Tensor, axes: int = 3, temperature: float = 1.0) -> tuple[torch.Tensor, ...]:
    """Softmax over the last `axes` axes, then for each axis the sum over the others.

    Args:
        logits: (..., W), (..., H, W) or (..., D, H, W).
        axes: 1, 2 or 3.
        temperature: positive; smaller is sharper, as sharp as `largest` in the end.

    Returns:
        x (..., W), then y (..., H), then z (..., D); each sums to one.

    Raises:
        ValueError: axes other than 1, 2, 3; too few axes; temperature that is not positive.
    """
    _check(logits, axes)
    if not 0 < temperature < float("inf"):
        raise ValueError(f"temperature is {temperature}, expected a positive number; 1 is a plain softmax")
    limits = torch.finfo(logits.dtype)
    if temperature < 1 and limits.max * temperature < 1e9:  # logits could become infinite; below the peak they cannot
        logits, temperature = logits - logits.amax(tuple(range(-axes, 0)), True).detach(), max(temperature, limits.tiny)
    scaled = logits if temperature == 1 else logits / temperature  # dividing is a third of the work
    return sums(torch.softmax(scaled.flatten(-axes), -1).unflatten(-1, logits.shape[-axes:]), axes)


def expectation(marginal: tuple[torch.Tensor, ...], *, half_pixel: bool = True) -> torch.Tensor:
    """Mean coordinate of each marginal (..., n): (..., number of marginals)."""
    means = [m @ cell_centres(m.shape[-1], m, half_pixel=half_pixel) for m in marginal]
    return torch.stack(means, -1)


def largest(scores: torch.Tensor, axes: int) -> torch.Tensor:
    """Index of the cell with the largest score, the first one in reading order at a tie: (..., axes), x first.

    If a score is NaN, it is the index of that one: who makes a place of it gives the place NaN, see `unknown`.

    Args:
        scores: (..., W), (..., H, W) or (..., D, H, W).
        axes: 1, 2 or 3.

    Raises:
        ValueError: axes other than 1, 2, 3; too few axes.
    """
    _check(scores, axes)
    index = torch.unravel_index(scores.flatten(-axes).argmax(-1), scores.shape[-axes:])
    return torch.stack(index[::-1], -1)


def unknown(scores: torch.Tensor, axes: int) -> torch.Tensor:
    """Whether a score of these cells is NaN, so that nobody knows the largest: (..., 1) bool."""
    return torch.isnan(scores.flatten(-axes).amax(-1, keepdim=True))


def bump(centre: torch.Tensor, cells: int, sigma: float, *, reach: float | None = None) -> torch.Tensor:
    """A Gaussian of height 1 around places on one axis; over several axes, a Gaussian is the product of these.

    Args:
        centre: (...) in cells, as `to_cells` gives them.
        cells: along the axis.
        sigma: standard deviation in cells.
        reach: zero beyond this many sigmas; None: never.

    Returns:
        (..., cells), in single precision at least.
    """
    centre = countable(centre)
    away = (torch.arange(cells, dtype=centre.dtype, device=centre.device) - centre[..., None]) / sigma
    profile = torch.exp(-(away**2) / 2)
    return profile if reach is None else profile * (away.abs() <= reach + 1e-6)


def _check_cells(cells: int | tuple[int, ...]) -> None:
    if not all(count >= 1 and count % 1 == 0 for count in (cells if isinstance(cells, tuple) else (cells,))):
        raise ValueError(f"cells is {cells}, expected at least 1, a whole number")


def _check(values: torch.Tensor, axes: int) -> None:
    if axes not in (1, 2, 3):
        raise ValueError(f"axes is {axes}, expected 1, 2 or 3")
    if not isinstance(values, torch.Tensor):
        raise ValueError(f"logits is a {type(values).__name__}, expected a tensor: torch.as_tensor makes one")
    if not values.is_floating_point():
        raise ValueError(f"logits are {values.dtype}, expected floating point: convert them with .float()")
    if values.ndim < axes or 0 in values.shape[-axes:]:
        raise ValueError(f"logits has shape {tuple(values.shape)}, expected (..., {'D, H, W'[9 - 3 * axes :]}), no 0")
