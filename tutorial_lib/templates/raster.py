"""The same parts moved as pictures: by looking each pixel up (a warp), and by copying pixels (what cannot be trained).

A warp runs *backwards*: each pixel of the result looks up where it came from and interpolates between its neighbours
there. No holes, and the interpolation has a slope, so a gradient reaches the map. Copying runs *forwards*: each pixel
is sent to the nearest cell of its new place. That leaves holes, and rounding has no slope.

Trap: kornia's `warp_affine` takes the forward matrix in pixels (from the source to the result) and inverts it;
`torch.nn.functional.affine_grid` takes the backward matrix in normalised coordinates.
"""

from typing import Literal

import torch
from kornia.geometry.transform import warp_affine

from tutorial_lib.templates.warp import Pivot, identity, part_maps, to_screen_maps

Lookup = Literal["bilinear", "nearest"]
"""What a place between four pixels shows. The nearest pixel has no slope."""


def to_pixels(maps: torch.Tensor, size: int) -> torch.Tensor:
    """[A | b] on screen coordinates as [A | c] on pixel indices of a square raster: (..., 2, 3)."""
    linear, offset = maps[..., :2], maps[..., 2]
    # the index of x is (x + 1) size / 2 - 1/2, so the screen's origin lies at index (size - 1) / 2
    origin = torch.full_like(offset, (size - 1) / 2)
    return torch.cat([linear, (origin + offset * size / 2)[..., None] - linear @ origin[..., None]], -1)


def warp_parts(affines: torch.Tensor, size: int, about: Pivot = "part", mode: Lookup = "bilinear") -> torch.Tensor:
    """The 18 moved parts as pictures, resampled from the painted template as in the released code.

    Where an affine map enlarges, the result shows the template's pixels; its gradient comes from differences of
    neighbouring pixels and jumps wherever a looked-up place crosses from one cell to the next. Neither happens in
    `warp.part_maps`; the two agree where the parts are several pixels wide.

    Args:
        affines: (..., 18, 2, 3) as for `warp.part_maps`. Differentiable. A singular A cannot be inverted.
        size: rows and columns of the raster.
        about: the point about which a part turns, see `warp.to_screen_maps`.
        mode: of the lookup.

    Returns:
        (..., 18, size, size).
    """
    template = part_maps(identity(dtype=affines.dtype, device=affines.device), size)
    return warp_pictures(template, to_screen_maps(affines, about), mode)


def warp_pictures(pictures: torch.Tensor, screen_maps: torch.Tensor, mode: Lookup = "bilinear") -> torch.Tensor:
    """Square pictures (..., size, size), each moved by its own [A | b] on screen coordinates, (..., 2, 3)."""
    size = pictures.shape[-1]
    batch = screen_maps.shape[:-2]
    matrices = to_pixels(screen_maps, size).reshape(-1, 2, 3)
    sources = pictures.expand(*batch, size, size).reshape(-1, 1, size, size)
    return warp_affine(sources, matrices, (size, size), mode=mode).reshape(*batch, size, size)


def copy_pixels(picture: torch.Tensor, screen_map: torch.Tensor) -> torch.Tensor:
    """Every pixel sent to the cell nearest to its new place; the brightest wins where several meet.

    Args:
        picture: (rows, rows).
        screen_map: (2, 3), [A | b] on screen coordinates.

    Returns:
        (rows, rows), without a gradient to `screen_map`: rounding is flat.
    """
    if picture.ndim != 2 or picture.shape[0] != picture.shape[1] or screen_map.shape != (2, 3):
        raise ValueError(
            f"picture and screen_map have shapes {tuple(picture.shape)} and {tuple(screen_map.shape)}, "
            "expected a square (rows, rows) and (2, 3)"
        )
    size = len(picture)
    matrix = to_pixels(screen_map.detach(), size)
    index = torch.arange(size, device=picture.device)
    y, x = torch.meshgrid(index, index, indexing="ij")
    places = torch.stack([x, y], -1).to(matrix) @ matrix[:, :2].T + matrix[:, 2]
    column, row = torch.floor(places + 0.5).long().unbind(-1)  # not round(): it sends both neighbours of a tie one way
    inside = (column >= 0) & (column < size) & (row >= 0) & (row < size)
    target = (row * size + column)[inside]
    return torch.zeros_like(picture).flatten().scatter_reduce(0, target, picture[inside], "amax").reshape(size, size)
