"""Coordinate regression: say where a joint is, and how sure that is, without a map.

L1 and L2 losses ask for one number. Residual log-likelihood estimation (RLE, Li et al. 2021) asks for a density of the
error: its width sigma is predicted for every joint, its shape is learned by a small normalising flow that all joints
share and that is thrown away after training. Points are normalised screen coordinates, (x, y) in [-1, 1].
"""

import math
from typing import Literal

import torch
from torch import nn


def coordinate_loss(
    predicted: torch.Tensor, target: torch.Tensor, weight: torch.Tensor, kind: Literal["l1", "l2"] = "l1"
) -> torch.Tensor:
    """Mean of |error| or error^2 over the coordinates of the joints with weight: a scalar.

    Args:
        predicted: (..., J, 2).
        target: (..., J, 2).
        weight: (..., J), 1 for a joint that counts, 0 (or False) for one that does not; targets there may be NaN.
        kind: "l1" or "l2".

    Raises:
        ValueError: shapes that differ, whole numbers, an unknown kind, no joint with weight.
    """
    if kind not in ("l1", "l2"):
        raise ValueError(f"kind is {kind!r}, expected 'l1' or 'l2'")
    predicted, target, weight = select(predicted, target, weight=weight)
    error = predicted - target
    return ((error.abs() if kind == "l1" else error**2).mean(-1) * weight).sum() / weight.sum()


def select(*points: torch.Tensor, weight: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The rows (joints, 2) of every argument that have a weight, and their weights (joints,) last.

    Joints without weight leave before any arithmetic: zero times NaN is NaN, and so is its gradient.

    Raises:
        ValueError: shapes that differ, whole numbers, no joint with a positive weight.
    """
    shape = points[0].shape
    if any(p.shape != shape for p in points) or shape[-1:] != (2,) or weight.shape != shape[:-1]:
        shapes = [tuple(p.shape) for p in points]
        raise ValueError(f"points {shapes} and weight {tuple(weight.shape)}: expected (..., J, 2) each and (..., J)")
    if not all(p.is_floating_point() for p in points):
        kinds = [p.dtype for p in points]
        raise ValueError(f"points are {kinds}, expected floating coordinates in [-1, 1]: they are not pixel numbers")
    kept = weight > 0
    if not kept.any():
        raise ValueError("weight is zero for every joint: there is nothing to learn from, leave the batch out")
    return (*(p[kept] for p in points), weight[kept].to(points[0].dtype))


class RealNVP(nn.Module):
    """An invertible map of the plane with a cheap determinant: six affine couplings (Dinh et al. 2017).

    A coupling keeps one coordinate and scales and shifts the other by amounts that depend on the kept one. So its
    inverse is as cheap as itself, and its Jacobian is triangular: the log-determinant is the log of the scale.
    It starts as the identity.
    """

    masks: torch.Tensor

    def __init__(self, couplings: int = 6, hidden: int = 64):
        super().__init__()
        self.scale = nn.ModuleList(self._network(hidden) for _ in range(couplings))
        self.shift = nn.ModuleList(self._network(hidden) for _ in range(couplings))
        masks = [[0.0, 1.0], [1.0, 0.0]] * ((couplings + 1) // 2)
        self.register_buffer("masks", torch.tensor(masks[:couplings]))

    @staticmethod
    def _network(hidden: int) -> nn.Sequential:
        last = nn.Linear(hidden, 2)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        return nn.Sequential(nn.Linear(2, hidden), nn.LeakyReLU(), nn.Linear(hidden, hidden), nn.LeakyReLU(), last)

    def forward(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(..., 2) data to (..., 2) base variables, and log |det| (...,) of that map."""
        self._check(points)
        log_det = points.new_zeros(points.shape[:-1])
        for mask, scale, shift in zip(self.masks, self.scale, self.shift):
            kept = mask * points
            log_scale = (1 - mask) * torch.tanh(scale(kept))  # bounded: no coupling can blow up
            points = kept + (1 - mask) * (points - shift(kept)) * torch.exp(-log_scale)
            log_det = log_det - log_scale.sum(-1)
        return points, log_det

    def inverse(self, base: torch.Tensor) -> torch.Tensor:
        """(..., 2) base variables to data: turns draws from the base density into draws from the learned one."""
        self._check(base)
        points = base
        for mask, scale, shift in reversed(list(zip(self.masks, self.scale, self.shift))):
            kept = mask * points
            points = kept + (1 - mask) * (points * torch.exp(torch.tanh(scale(kept))) + shift(kept))
        return points

    def _check(self, points: torch.Tensor) -> None:
        if points.dtype != self.masks.dtype and not torch.is_autocast_enabled(points.device.type):
            raise ValueError(
                f"points are {points.dtype}, the flow's weights {self.masks.dtype}: convert one of them, such as "
                f"module.to({points.dtype})"
            )


def log_laplace(z: torch.Tensor) -> torch.Tensor:
    """log density (...,) at (..., 2) of the plane's Laplace distribution with variance 1 along both axes."""
    return -math.sqrt(2) * z.abs().sum(-1) - math.log(2)


class RLE(nn.Module):
    """The negative log-likelihood of a joint around mu, with width sigma, under errors whose shape is learned.

    The standardised error z = (x - mu) / sigma has the density

        p(z) = q(z) r(z),      p(x) = p(z) / (sigma_x sigma_y),

    where q is a Laplace density and r the *residual*: what the flow has learned has to be multiplied to q. We take
    r = q(f(z)) |det f'(z)| / q(z) with the flow f, so p integrates to 1 whatever the weights, and r is 1 at the start:
    the first gradient is that of an L1 loss with a learned width. This normalisation is ours. The paper multiplies q
    by the flow's own density phi, and the product needs a constant. Its code leaves the constant out, adds log phi
    (one number a joint) to both coordinates and so counts it twice, counts log sigma twice, and gives the Laplace term
    a Gaussian's constant. It sums to twice -log of phi times a Laplace of four times our width, over sigma_x sigma_y:
    fine to train with, but no density, so its value says nothing. A numerical constant does not help: in a trial of
    ours the flow learned to hide its bumps between the nodes of the sum, and "density" integrated to 1.3.

    Only training uses this module. The prediction is mu, the score 1 - mean sigma.

    Args:
        couplings: of the flow.
        hidden: its width.
        released: the sum of the paper's code instead of our density, flow around a standard normal and all.
        even: each joint's -log p is multiplied by its own width, which counts as a constant there. The likelihood
            pulls mu with a force of 1 / sigma, so joints in doubt hardly move it; so weighted, all pull alike, as
            under L1.

    Source: Li et al. 2021, sec. 3; `even`: Seitzer et al. 2022 (beta-NLL, with beta = 1/2 per variance).
    """

    def __init__(self, couplings: int = 6, hidden: int = 64, *, released: bool = False, even: bool = False):
        super().__init__()
        self.flow, self.released, self.even = RealNVP(couplings, hidden), released, even

    def log_density(self, points: torch.Tensor, mu: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """log p (...,) of the true place `points` given mu and sigma, all (..., 2), in nats."""
        z = (points - mu) / sigma
        return log_laplace(z) + self.log_residual(z) - torch.log(sigma).sum(-1)

    def log_residual(self, z: torch.Tensor) -> torch.Tensor:
        """log r (...,) at (..., 2): 0 where the flow leaves the Laplace as it is."""
        base, log_det = self.flow(z)
        return log_laplace(base) + log_det - log_laplace(z)

    def forward(
        self, mu: torch.Tensor, sigma: torch.Tensor, target: torch.Tensor, weight: torch.Tensor
    ) -> torch.Tensor:
        """Mean of -log p over the joints with weight: a scalar. It may be negative: a density may exceed 1.

        Args:
            mu: (..., J, 2) where the joints are said to be.
            sigma: (..., J, 2) positive widths.
            target: (..., J, 2) where they are.
            weight: (..., J); joints without weight are dropped before the flow sees them.

        Raises:
            ValueError: shapes that differ, no joint with weight, a sigma that is not positive.
        """
        mu, sigma, target, weight = select(mu, sigma, target, weight=weight)
        if not (sigma > 0).all():
            raise ValueError(f"sigma holds {sigma.min().item():g}, expected positive widths: use a sigmoid or softplus")
        value = self.released_sum(target, mu, sigma) if self.released else -self.log_density(target, mu, sigma)
        if self.even:
            value = value * sigma.detach().prod(-1).sqrt()
        return (value * weight).sum() / weight.sum()

    def released_sum(self, points: torch.Tensor, mu: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """What the paper's code makes small, (...,): over both coordinates of every joint

            log sigma - log phi(z) + log(sigma / a) + |z| / sqrt(2),      a = 1 / sqrt(2 pi),

        where the flow's density phi of both coordinates stands around a standard normal, and is counted twice.
        """
        z = (points - mu) / sigma
        base, log_det = self.flow(z)
        log_phi = log_det - (base**2).sum(-1) / 2 - math.log(2 * math.pi)
        each = 2 * torch.log(sigma) + math.log(2 * math.pi) / 2 + z.abs() / math.sqrt(2)
        return each.sum(-1) - 2 * log_phi
