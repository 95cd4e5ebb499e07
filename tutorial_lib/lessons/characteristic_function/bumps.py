"""Bumps on a map of 32 x 32 cells, and what both losses say of them, in units of one lost person. No network."""

import math

import torch

from tutorial_lib import heatmaps
from tutorial_lib.characteristic.loss import cf_loss, l2_loss
from tutorial_lib.grid import from_cells

CELLS = 32
SIGMA = 1.0
MIDDLE = 16.0
T_NAMES = {"all frequencies": None, "|t| ≤ π/2": math.pi / 2, "|t| ≤ π/4": math.pi / 4, "|t| ≤ π/8": math.pi / 8}
"""Names of the limits T of the frequencies that count."""


def bump(x: float | torch.Tensor, y: float | torch.Tensor, sigma: float = SIGMA) -> torch.Tensor:
    """(..., CELLS, CELLS) a bump of height 1.

    Args:
        x: column in cells, 0 is the first cell's centre.
        y: row.
        sigma: in cells.
    """
    place = torch.stack([torch.as_tensor(v, dtype=torch.float64) for v in (x, y)], -1)
    return heatmaps.gaussian_target(from_cells(place, CELLS), CELLS, sigma)


def in_people(painted: torch.Tensor, truth: torch.Tensor, highest: float | None = None) -> dict[str, torch.Tensor]:
    """ "L2" and "CF" of maps, in units of one lost person.

    Args:
        painted: (..., CELLS, CELLS).
        truth: the same shape.
        highest: T; the unit is what one lost person costs with it.
    """
    one, nothing = bump(MIDDLE, MIDDLE).to(painted), painted.new_zeros(CELLS, CELLS)
    unit = cf_loss(nothing, one, highest)
    return {"L2": l2_loss(painted, truth, SIGMA), "CF": cf_loss(painted, truth, highest) / unit}


def displaced(cells: float, highest: float | None = None) -> dict[str, float]:
    """What a bump of full height costs that is painted so many cells beside the truth."""
    costs = in_people(bump(MIDDLE + cells, MIDDLE), bump(MIDDLE, MIDDLE), highest)
    return {name: float(value) for name, value in costs.items()}


def half_or_lost(people: int, draws: int = 400) -> dict[str, float]:
    """From which height on "everybody found at that height" is better than "one lost, the others perfect".

    Args:
        people: in one map, at random places.
        draws: of places, over which CF is averaged; L2 depends on no place, as long as bumps do not overlap.
    """
    generator = torch.Generator().manual_seed(0)
    places = 3 + (CELLS - 7) * torch.rand(draws, people, 2, generator=generator, dtype=torch.float64)
    truth = bump(places[..., 0], places[..., 1]).sum(1)
    whole = cf_loss(torch.zeros_like(truth), truth).mean().item()
    return {"L2": 1 - 1 / math.sqrt(people), "CF": 1 - 1 / whole}


def noise_cost(spread: float, draws: int = 100) -> dict[str, float]:
    """What white noise of this standard deviation costs, on a map that is right otherwise."""
    generator = torch.Generator().manual_seed(0)
    noise = spread * torch.randn(draws, CELLS, CELLS, generator=generator, dtype=torch.float64)
    costs = in_people(noise, torch.zeros_like(noise))
    return {name: float(value.mean()) for name, value in costs.items()}


def coloured(difference: torch.Tensor, scale: float = 1.0) -> torch.Tensor:
    """(rows, columns, 3): what is missing in blue, what is too much in red, white where both maps agree."""
    share = (difference / scale).clamp(-1, 1).float()
    more, less = share.clamp_min(0)[..., None], (-share).clamp_min(0)[..., None]
    blue, red = share.new_tensor([0.0, 0.45, 0.7]), share.new_tensor([0.84, 0.37, 0.0])
    return 1 - more * (1 - blue) - less * (1 - red)


def spectrum(difference: torch.Tensor) -> torch.Tensor:
    """(CELLS, CELLS) |difference of the characteristic functions|, the frequency 0 in the middle."""
    return torch.fft.fftshift(torch.fft.fft2(difference).abs())
