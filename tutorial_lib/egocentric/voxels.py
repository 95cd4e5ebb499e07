"""A cube of voxels before a head-worn camera: 2D joints sent back along their rays, and where the scene is.

The cube reaches from the camera downwards; cells are those of `grid`, indexed (z, y, x) as volumes of the course are.
"""

from functools import cache

import torch

from tutorial_lib.egocentric.headset import LENS, seen_at
from tutorial_lib.fisheye import Fisheye
from tutorial_lib.grid import cell_centres, to_cells

HALF = 1.1
"""Metres, half a side of the cube. The paper's is 1 m; large people on a step would not fit."""

SIGMA = 0.07
"""Half-widths of the picture, width of the bump around a 2D joint: about a cell of 16, one and a half metres away."""


def to_unit(points: torch.Tensor) -> torch.Tensor:
    """Camera-frame points (..., 3) in metres to coordinates in (-1, 1) in the cube."""
    return (points - points.new_tensor([0.0, 0.0, HALF])) / HALF


def to_metres(unit: torch.Tensor) -> torch.Tensor:
    """The inverse of `to_unit`."""
    return unit * HALF + unit.new_tensor([0.0, 0.0, HALF])


def in_cube(points: torch.Tensor) -> torch.Tensor:
    """(...) bool: whether points (..., 3) in metres lie in the cube."""
    return (to_unit(points).abs() < 1).all(-1)


@cache
def voxel_centres(cells: int) -> torch.Tensor:
    """(cells, cells, cells, 3) metres, camera frame: where each voxel is; indexed z, y, x."""
    line = cell_centres(cells)
    z, y, x = torch.meshgrid(line, line, line, indexing="ij")
    return to_metres(torch.stack([x, y, z], -1))


@cache
def _voxels_seen(cells: int, lens: Fisheye) -> tuple[torch.Tensor, torch.Tensor]:
    return seen_at(voxel_centres(cells), lens)


def unproject(
    screen: torch.Tensor, inside: torch.Tensor, cells: int, sigma: float = SIGMA, lens: Fisheye = LENS
) -> torch.Tensor:
    """Heat maps of 2D joints, seen from every voxel: each joint becomes a cone that widens along its ray.

    The maps are Gaussians, so their value at the place where a voxel is seen is written down, not looked up.

    Args:
        screen: (B, J, 2).
        inside: (B, J) bool; a joint outside the picture has no cone.
        cells: along each side of the cube.
        sigma: of the Gaussians.
        lens: of the camera.

    Returns:
        (B, J, cells, cells, cells) in [0, 1]; 0 where the camera sees no voxel.
    """
    place, visible = (part.to(screen.device) for part in _voxels_seen(cells, lens))
    away = torch.cdist(screen.flatten(0, 1), place.flatten(0, 2).to(screen)).square()
    heat = torch.exp(-away / (2 * sigma**2)).unflatten(0, screen.shape[:2]).unflatten(-1, (cells,) * 3)
    return heat * visible * inside[..., None, None, None]


def occupancy(points: torch.Tensor, there: torch.Tensor, cells: int) -> torch.Tensor:
    """Which voxels hold a point of the scene.

    Args:
        points: (B, N, 3) metres, camera frame.
        there: (B, N) bool, which of them count.
        cells: along each side of the cube.

    Returns:
        (B, cells, cells, cells) bool, indexed z, y, x.
    """
    index = to_cells(to_unit(points), cells).round().long()
    there = there & ((index >= 0) & (index < cells)).all(-1)
    flat = (index[..., 2] * cells + index[..., 1]) * cells + index[..., 0]
    filled = torch.zeros(len(points), cells**3 + 1, dtype=torch.bool, device=points.device)
    filled.scatter_(1, torch.where(there, flat, cells**3), True)  # the last one takes what is nowhere
    return filled[:, :-1].unflatten(1, (cells,) * 3)
