"""Integral regression: from a score for every cell to a coordinate (Sun et al. 2018, equations 1 to 4).

    p = softmax(logits / temperature)      over all cells of one joint, so that p sums to one
    J = sum over cells of p(cell) * centre(cell)

The coordinates of a cell on one axis do not depend on the other axes, so J needs only the *marginals*: the sums of p
over the other axes. A volume of coordinates is never made, and softmax, which reads the volume, is taken once.

Coordinates run over (-1, 1) on every axis: x to the right and y downwards over a square image (`camera`'s screen), z
away from the camera over a depth range about the root (`DEPTH_RANGE`). Cell i of n has its centre at (2 i + 1) / n - 1.
"""

import torch

DEPTH_RANGE = 1.0
"""Half the depth of the volume in metres (ours): z = -1 and z = 1 are that far before and behind the root."""


def cell_centres(cells: int, *, half_pixel: bool = True, like: torch.Tensor | None = None) -> torch.Tensor:
    """Coordinates of the cells along one axis: (cells,) in (-1, 1).

    Args:
        half_pixel: true: centres, (2 i + 1) / n - 1. False: the cells' lower corners, 2 i / n - 1, as the paper's
            code has them (there x / W - 0.5). Every answer is then half a cell too small, and a joint at the far
            edge cannot be reached.
        like: takes its dtype and device.
    """
    if cells < 1:
        raise ValueError(f"cells is {cells}, expected at least 1")
    dtype, device = (None, None) if like is None else (like.dtype, like.device)
    return (2 * torch.arange(cells, dtype=dtype, device=device) + (1 if half_pixel else 0)) / cells - 1


def to_cells(coordinates: torch.Tensor, cells) -> torch.Tensor:
    """Coordinates in [-1, 1] to cell indices, not rounded: 0 is the centre of the first cell, n - 1 of the last.

    Args:
        coordinates: (..., axes) or any shape if `cells` is one number.
        cells: number of cells, or one number for each axis in the order of the coordinates (x, y, z).
    """
    return ((coordinates + 1) * torch.as_tensor(cells, device=coordinates.device) - 1) / 2


def from_cells(index: torch.Tensor, cells) -> torch.Tensor:
    """The inverse of `to_cells`."""
    return (2 * index + 1) / torch.as_tensor(cells, device=index.device) - 1


def to_metres(z: torch.Tensor, depth_range: float = DEPTH_RANGE) -> torch.Tensor:
    """Depth in [-1, 1] to metres behind the root."""
    return z * depth_range


def from_metres(depth: torch.Tensor, depth_range: float = DEPTH_RANGE) -> torch.Tensor:
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


def marginals(logits: torch.Tensor, axes: int = 3, temperature: float = 1.0) -> tuple[torch.Tensor, ...]:
    """Softmax over the last `axes` axes, then for each axis the sum over the others.

    Args:
        logits: (..., W), (..., H, W) or (..., D, H, W).
        axes: 1, 2 or 3.
        temperature: positive; smaller is sharper.

    Returns:
        x (..., W), then y (..., H), then z (..., D); each sums to one.

    Raises:
        ValueError: axes other than 1, 2, 3; too few axes; temperature that is not positive.
    """
    if axes not in (1, 2, 3):
        raise ValueError(f"axes is {axes}, expected 1, 2 or 3")
    if logits.ndim < axes or 0 in logits.shape[-axes:]:
        raise ValueError(f"logits has shape {tuple(logits.shape)}, expected (..., {'D, H, W'[9 - 3 * axes :]}), no 0")
    if not 0 < temperature < float("inf"):
        raise ValueError(f"temperature is {temperature}, expected a positive number; 1 is a plain softmax")
    scaled = logits if temperature == 1 else logits / temperature
    p = torch.softmax(scaled.flatten(-axes), -1).unflatten(-1, logits.shape[-axes:])
    if axes == 1:
        return (p,)
    plane = p.sum(-3) if axes == 3 else p
    xy = (plane.sum(-2), plane.sum(-1))
    return (*xy, p.sum((-2, -1))) if axes == 3 else xy


def expectation(marginal: tuple[torch.Tensor, ...], *, half_pixel: bool = True) -> torch.Tensor:
    """Mean coordinate of each marginal (..., n): (..., number of marginals)."""
    means = [m @ cell_centres(m.shape[-1], half_pixel=half_pixel, like=m) for m in marginal]
    return torch.stack(means, -1)


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
    return expectation(marginals(logits, 3, temperature), half_pixel=half_pixel)


def hard_argmax(logits: torch.Tensor, axes: int = 3) -> torch.Tensor:
    """Centre of the cell with the largest score (equation 1): (..., axes), x first. It has no gradient.

    Args:
        logits: (..., W), (..., H, W) or (..., D, H, W).
    """
    sizes = logits.shape[-axes:]
    index = torch.stack(torch.unravel_index(logits.flatten(-axes).argmax(-1), sizes)[::-1], -1)
    return from_cells(index.to(logits.dtype), sizes[::-1])
