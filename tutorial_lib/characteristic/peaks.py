"""Peaks of a crowd's heat map: local maxima, read between the cells."""

import torch
import torch.nn.functional as F

from tutorial_lib.grid import from_cells

_FLOOR = 1e-6


def find_peaks(
    maps: torch.Tensor, count: int, threshold: float = 0.0, reach: int = 1
) -> tuple[torch.Tensor, torch.Tensor]:
    """The highest local maxima of maps.

    A cell is one if no other within `reach` is higher. Its place between the cells is the top of the parabolas through
    the logarithms of its neighbours, at most half a cell away.

    Args:
        maps: (..., n, n).
        count: how many to return at most, for each map.
        threshold: lower ones are left out.
        reach: cells to each side: 1 is a window of 3 x 3.

    Returns:
        Places (..., count, 2), normalised coordinates, and heights (..., count), highest first; a height of 0 says
        that there is no further peak.
    """
    flat = maps.flatten(0, -3)[:, None] if maps.ndim > 2 else maps[None, None]
    top = F.max_pool2d(flat, 2 * reach + 1, 1, reach) == flat
    kept = torch.where(top & (flat > max(threshold, 0.0)), flat, 0.0)
    heights, index = kept.flatten(1).topk(count)
    cells = maps.shape[-1]
    row, column = torch.div(index, cells, rounding_mode="floor"), index % cells
    logs = F.pad(flat[:, 0].clamp_min(_FLOOR).log(), (1, 1, 1, 1), mode="replicate")
    some = torch.arange(len(logs), device=maps.device)[:, None]

    def at(down: int, across: int) -> torch.Tensor:
        return logs[some, row + 1 + down, column + 1 + across]

    def top_of(before: torch.Tensor, here: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
        bend = before - 2 * here + after
        return torch.where(bend < -1e-9, 0.5 * (before - after) / bend.clamp_max(-1e-9), 0.0).clamp(-0.5, 0.5)

    x = column + top_of(at(0, -1), at(0, 0), at(0, 1))
    y = row + top_of(at(-1, 0), at(0, 0), at(1, 0))
    places = from_cells(torch.stack([x, y], -1), cells).to(maps.dtype)
    shape = maps.shape[:-2]
    return places.view(*shape, count, 2), heights.view(*shape, count)


def sample(maps: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """The value of the cell that a place lies in.

    Args:
        maps: (..., n, n).
        places: (..., K, 2) normalised coordinates; those outside are taken to the border.

    Returns:
        (..., K).
    """
    cells = maps.shape[-1]
    index = ((places + 1) / 2 * cells).long().clamp(0, cells - 1)
    return maps.flatten(-2).gather(-1, index[..., 1] * cells + index[..., 0])
