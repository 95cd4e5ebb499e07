"""The regressor of HMR (Kanazawa et al. 2018): a guess, and three corrections of it.

The features here are 17 dots, not a picture. HMR's discriminator, which learns what a likely body is, is told in the
lesson and not built; rotations are six numbers each, as SPIN's (Kolotouros et al. 2019).
"""

from typing import Any

import torch
from torch import nn

from tutorial_lib.mesh.numbers import COUNT, Parameters, facing, pack, unpack

DOTS = 34
"""Numbers that come in."""


class Residual(nn.Module):
    """Two layers around which their input is led."""

    def __init__(self, width: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width)
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x)


def trunk(width: int, inputs: int = DOTS) -> nn.Sequential:
    """Dots to features: (..., inputs) to (..., width). No batch norm: a sample's answer is its own."""
    return nn.Sequential(nn.Linear(inputs, width), Residual(width), Residual(width), nn.LayerNorm(width), nn.ReLU())


class Corrections(nn.Module):
    """Features and a guess in, a correction of the guess out, several times over.

    Args:
        width: of the features.
        rounds: of correction.

    Attributes:
        start: (123,) the first guess; a training sets it to its people's mean.
    """

    start: torch.Tensor

    def __init__(self, width: int, rounds: int = 3):
        super().__init__()
        self.rounds = rounds
        self.correct = nn.Sequential(
            nn.Linear(width + COUNT, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, COUNT)
        )
        with torch.no_grad():  # as HMR: the first answers are near the first guess
            last: Any = self.correct[-1]
            last.weight.mul_(0.1)
            last.bias.zero_()
        self.register_buffer("start", pack(facing()))

    def forward(self, features: torch.Tensor) -> list[torch.Tensor]:
        """(..., width) to all guesses (..., 123), the first of them `start`."""
        guesses = [self.start.expand(*features.shape[:-1], COUNT)]
        for _ in range(self.rounds):
            guesses.append(guesses[-1] + self.correct(torch.cat([features, guesses[-1]], -1)))
        return guesses


class Regressor(nn.Module):
    """Dots to a body.

    Args:
        width: of the layers.
        rounds: of correction.
    """

    def __init__(self, width: int = 256, rounds: int = 3):
        super().__init__()
        self.width = width
        self.trunk, self.corrections = trunk(width), Corrections(width, rounds)

    @property
    def architecture(self) -> dict:
        """What the constructor needs to build this network again."""
        return {"width": self.width, "rounds": self.corrections.rounds}

    def guesses(self, dots: torch.Tensor) -> list[torch.Tensor]:
        """(..., 17, 2) dots to every guess (..., 123)."""
        return self.corrections(self.trunk(dots.flatten(-2)))

    def forward(self, dots: torch.Tensor) -> torch.Tensor:
        """(..., 17, 2) dots to the last guess (..., 123), for `unpack`."""
        return self.guesses(dots)[-1]

    def bodies(self, dots: torch.Tensor) -> Parameters:
        """(..., 17, 2) dots to bodies."""
        return unpack(self(dots))
