"""Gradient descent on one part's map, through three ways to paint the moved part."""

from typing import Literal, NamedTuple, get_args

import torch

from tutorial_lib.templates.parts import CENTRES, COVARIANCES, NAMES
from tutorial_lib.templates.raster import copy_pixels, warp_pictures
from tutorial_lib.templates.warp import gaussian_maps, identity

Way = Literal["closed form", "warp of a picture", "copied pixels"]
"""How the moved part is painted."""
WAYS: tuple[Way, ...] = get_args(Way)
PART = NAMES.index("core")
Start = Literal["near and turned", "out of reach"]
STARTS: dict[Start, tuple] = {
    "near and turned": ((0.64, -0.77, 0.2), (0.77, 0.64, 0.1)),
    "out of reach": ((1.0, 0.0, 0.8), (0.0, 1.0, 0.0)),
}
"""[A | t] of the target, which the search starts without: from the identity."""

RATES = (0.16, 0.16, 0.004)
"""Step lengths for the columns of [A | t]. A pixel lies about 0.2 from the part's centre, so the same change moves it
five times less through A than through t, and its slope is five times smaller too."""


class Walk(NamedTuple):
    """A descent.

    Attributes:
        target: (size, size).
        pictures: (steps + 1, size, size).
        thetas: (steps + 1, 2, 3).
        losses: (steps + 1,) squared difference as a share of the target's own square.
    """

    target: torch.Tensor
    pictures: torch.Tensor
    thetas: torch.Tensor
    losses: torch.Tensor


def draw(way: Way, theta: torch.Tensor, size: int) -> torch.Tensor:
    """The core moved by `theta` (2, 3), painted one of the three `WAYS`: (size, size).

    Raises:
        ValueError: an unknown way.
    """
    if way not in WAYS:
        raise ValueError(f"way is {way!r}, expected one of {', '.join(map(repr, WAYS))}")
    centre, covariance, linear = CENTRES[PART].to(theta), COVARIANCES[PART].to(theta), theta[:, :2]
    if way == "closed form":
        return gaussian_maps(centre + theta[:, 2], linear @ covariance @ linear.T, size)
    screen_map = torch.cat([linear, (centre + theta[:, 2] - linear @ centre)[:, None]], -1)
    return (copy_pixels if way == "copied pixels" else warp_pictures)(
        gaussian_maps(centre, covariance, size), screen_map
    )


def follow(way: Way, start: Start, size: int, steps: int) -> Walk:
    """Plain gradient descent from the identity to a target, painted in closed form for all ways.

    Where the picture has no gradient to theta, nothing moves.

    Args:
        way: how the moved part is painted.
        start: which target of `STARTS`.
        size: rows and columns of the pictures.
        steps: how many to take.
    """
    target = draw("closed form", torch.tensor(STARTS[start]), size)
    theta, rates = identity()[PART], torch.tensor(RATES)
    pictures, thetas, losses = [], [], []
    for _ in range(steps + 1):
        theta = theta.detach().requires_grad_()
        with torch.enable_grad():
            picture = draw(way, theta, size)
            loss = ((picture - target) ** 2).sum() / (target**2).sum()
            slope = torch.autograd.grad(loss, theta)[0] if loss.requires_grad else torch.zeros_like(theta)
        pictures.append(picture.detach())
        thetas.append(theta.detach())
        losses.append(loss.detach())
        theta = theta - rates * slope
    return Walk(target, torch.stack(pictures), torch.stack(thetas), torch.stack(losses))
