"""The same person from a side that nobody saw, after ImpHMR (Cho et al. 2023).

The paper's latent is a field of features in space, rendered from any side. Ours is the simplest thing that can be
turned: points in space. Turning them about the vertical and reading them again is to look from elsewhere. Where the
truth is known, the answer from an angle is the truth turned by it; where it is not, all answers must be one body.
"""

import torch
from torch import nn

from tutorial_lib.mesh.fitting import about_vertical, turned
from tutorial_lib.mesh.numbers import Parameters, unpack
from tutorial_lib.mesh.regressor import Corrections, trunk


class TurnableRegressor(nn.Module):
    """Dots to points in space, and the points, turned, to a body.

    Args:
        width: of the layers.
        points: of the latent.
        rounds: of correction.
    """

    def __init__(self, width: int = 256, points: int = 48, rounds: int = 3):
        super().__init__()
        self.width, self.points = width, points
        self.encode = nn.Sequential(trunk(width), nn.Linear(width, 3 * points))
        self.read = trunk(width, 3 * points)
        self.corrections = Corrections(width, rounds)

    @property
    def architecture(self) -> dict:
        """What the constructor needs to build this network again."""
        return {"width": self.width, "points": self.points, "rounds": self.corrections.rounds}

    def latent(self, dots: torch.Tensor) -> torch.Tensor:
        """(..., 17, 2) dots to points (..., points, 3)."""
        return self.encode(dots.flatten(-2)).unflatten(-1, (self.points, 3))

    def forward(self, dots: torch.Tensor, angle: torch.Tensor | float = 0.0) -> torch.Tensor:
        """(..., 17, 2) dots to numbers (..., 123) as seen when the person is turned by `angle` (...,) radians."""
        turn = about_vertical(torch.as_tensor(angle, dtype=dots.dtype, device=dots.device))
        points = self.latent(dots) @ turn.mT
        return self.corrections(self.read(points.flatten(-2)))[-1]


def unseen_loss(numbers: torch.Tensor, angle: torch.Tensor, truth: Parameters) -> torch.Tensor:
    """Mean squared difference of rotations and (a little) shape from the truth turned by `angle` (...,)."""
    found, aim = unpack(numbers), turned(truth, angle)
    off = (found.rotations - aim.rotations).square().mean()
    return off + 0.02 * (found.betas - aim.betas).square().mean()


def disagreement(one: torch.Tensor, angle: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """How far numbers `other`, said from `angle` (...,), are from numbers `one`, said from the front. No truth needed.

    The pelvis' turn is taken back; then pose and shape must be the same.
    """
    back, straight = turned(unpack(other), -angle), unpack(one)
    off = (back.rotations - straight.rotations).square().mean()
    return off + 0.02 * (back.betas - straight.betas).square().mean()
