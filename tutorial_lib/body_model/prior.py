"""Which poses are likely: a mixture of Gaussians over the turns of the 18 joints below the pelvis.

Fitted to invented motion, so it holds that motion's habits; wrists and ankles, whose turns 17 joints do not show, are
held near rest by a spread that is a choice.
"""

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from safetensors.torch import load_file

FILE = Path(__file__).with_name("prior.safetensors")
LEAST = 0.05
"""Radians: no direction of pose space is narrower. Else a fit is held where motion merely did not happen to go."""


@dataclass(frozen=True)
class PosePrior:
    """A mixture of K Gaussians over 54 axis-angle numbers.

    Attributes:
        shares: (K,) adding up to 1.
        means: (K, 54) radians.
        factors: (K, 54, 54) lower triangular, the covariances' Cholesky factors.
    """

    shares: torch.Tensor
    means: torch.Tensor
    factors: torch.Tensor

    def parts(self, pose: torch.Tensor) -> torch.Tensor:
        """(..., K) negative log of each Gaussian's share of the density at `pose`, as in `nll`.

        Raises:
            ValueError: other than 18 axis-angle vectors.
        """
        if tuple(pose.shape[-2:]) != (18, 3):
            raise ValueError(
                f"pose has shape {tuple(pose.shape)}, expected (..., 18, 3): axis-angle vectors of TURNING[1:], "
                "without the pelvis, whose turn is no habit of the body"
            )
        gap = pose.flatten(-2)[..., None, :] - self.means
        white = torch.linalg.solve_triangular(self.factors, gap[..., None], upper=False)[..., 0]
        size = torch.diagonal(self.factors, dim1=-2, dim2=-1).log().sum(-1)
        constant = size + 0.5 * self.means.shape[-1] * math.log(2 * math.pi) - self.shares.log()
        return 0.5 * (white * white).sum(-1) + constant

    def nll(self, pose: torch.Tensor) -> torch.Tensor:
        """Negative log-likelihood of poses, differentiable.

        Args:
            pose: (..., 18, 3) radians, axis-angle vectors of `TURNING[1:]`.

        Returns:
            (...,) in nats: smaller is likelier; below zero where the density is above one.
        """
        return -torch.logsumexp(-self.parts(pose), -1)

    def draw(self, count: int, *, generator: torch.Generator | None) -> torch.Tensor:
        """Draw `count` poses: (count, 18, 3) radians."""
        which = torch.multinomial(self.shares, count, replacement=True, generator=generator)
        noise = torch.randn(count, self.means.shape[-1], 1, generator=generator)
        return (self.means[which] + (self.factors[which] @ noise)[..., 0]).unflatten(-1, (18, 3))


def fit_prior(poses: torch.Tensor, parts: int = 4, rounds: int = 20, *, generator: torch.Generator) -> PosePrior:
    """Expectation-maximisation, from responsibilities of the nearest of `parts` drawn poses.

    Args:
        poses: (N, 18, 3) radians.
        parts: K, number of Gaussians.
        rounds: of expectation and maximisation.
        generator: draws the first centres.

    Raises:
        ValueError: fewer poses than 20 for each Gaussian.
    """
    x = poses.flatten(1).double()
    if len(x) < 20 * parts:
        raise ValueError(f"poses holds {len(x)} of them, expected at least {20 * parts} for {parts} Gaussians")
    centres = x[torch.randperm(len(x), generator=generator)[:parts]]
    belongs = torch.nn.functional.one_hot(torch.cdist(x, centres).argmin(1), parts).double()
    least = LEAST**2 * torch.eye(x.shape[1], dtype=x.dtype)
    for _ in range(rounds):
        count = belongs.sum(0) + 1e-9
        means = (belongs.mT @ x) / count[:, None]
        gap = x - means[:, None]
        spread = (gap * belongs.mT[..., None]).mT @ gap / count[:, None, None] + least
        made = PosePrior(count / len(x), means, torch.linalg.cholesky(spread))
        belongs = torch.softmax(-made.parts(poses.double()), -1)
    return PosePrior(*(value.float() for value in (made.shares, made.means, made.factors)))


@cache
def pose_prior() -> PosePrior:
    """The prior that ships: 4 Gaussians, fitted to invented motion by `python -m tutorial_lib.body_model.make`."""
    held = load_file(FILE)
    rows, columns = torch.tril_indices(held["means"].shape[1], held["means"].shape[1])
    factors = torch.zeros(len(held["means"]), held["means"].shape[1], held["means"].shape[1])
    factors[:, rows, columns] = held["factors"].float()
    return PosePrior(held["shares"], held["means"], factors)
