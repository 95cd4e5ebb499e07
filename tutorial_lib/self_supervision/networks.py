"""The three networks of lesson 08, all of the same blocks: a lifter of depths, critics, an adapter of 2D skeletons."""

import torch
from torch import nn

from tutorial_lib.self_supervision.turning import DISTANCE, lift
from tutorial_lib.skeleton import JOINTS, check_joints

REACH = 1.2
"""Metres before and behind the root that a lifter can answer: an outstretched arm is shorter."""


class Block(nn.Module):
    """Two layers around which their input is led (Martinez et al. 2017), without batch norm."""

    def __init__(self, width: int):
        super().__init__()
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + nn.functional.leaky_relu(self.second(nn.functional.leaky_relu(self.first(x), 0.2)), 0.2)


def stack(inputs: int, width: int, blocks: int, outputs: int) -> nn.Sequential:
    """`inputs` numbers to `outputs`, through residual blocks."""
    return nn.Sequential(
        nn.Linear(inputs, width),
        nn.LeakyReLU(0.2),
        *(Block(width) for _ in range(blocks)),
        nn.Linear(width, outputs),
    )


class DepthLifter(nn.Module):
    """A 2D skeleton to the depth of every joint; x and y follow from the ray.

    Args:
        width: of the hidden layers; 1024 in the paper.
        blocks: residual blocks; 4 in the paper.
        distance: metres from the camera to the root.
    """

    def __init__(self, width: int = 128, blocks: int = 2, distance: float = DISTANCE):
        super().__init__()
        self.width, self.blocks, self.distance = width, blocks, distance
        self.layers = stack(2 * len(JOINTS), width, blocks, len(JOINTS) - 1)

    @property
    def architecture(self) -> dict:
        """What the constructor needs to build this network again."""
        return {"width": self.width, "blocks": self.blocks, "distance": self.distance}

    def depth(self, seen: torch.Tensor) -> torch.Tensor:
        """(..., 17, 2) metres at the distance, the root at (0, 0), to (..., 17) metres behind the root."""
        depth = REACH * torch.tanh(self.layers(seen.flatten(-2)))
        return torch.cat([torch.zeros_like(depth[..., :1]), depth], -1)

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """(..., 17, 2) to root-relative poses (..., 17, 3) in metres, in the camera's frame.

        Raises:
            ValueError: other joints.
        """
        check_joints(seen, 2, "seen")
        return lift(seen, self.depth(seen), self.distance)


class Critic(nn.Module):
    """Says of a 2D skeleton, or of how it moves, whether it was seen (high) or made up (low). No batch norm.

    Args:
        width: of the hidden layers.
        blocks: residual blocks; 3 in the paper, by a third party's account.
    """

    def __init__(self, width: int = 128, blocks: int = 2):
        super().__init__()
        self.width, self.blocks = width, blocks
        self.layers = stack(2 * len(JOINTS), width, blocks, 1)

    @property
    def architecture(self) -> dict:
        """What the constructor needs to build this network again."""
        return {"width": self.width, "blocks": self.blocks}

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """(..., 17, 2) to (...)."""
        return self.layers(seen.flatten(-2))[..., 0]


class Adapter(nn.Module):
    """Moves the joints of other people's 2D skeletons until they could be one's own; begins as "leave it as it is".

    Args:
        width: of the hidden layers.
        blocks: residual blocks.
    """

    def __init__(self, width: int = 128, blocks: int = 1):
        super().__init__()
        self.width, self.blocks = width, blocks
        self.layers = stack(2 * len(JOINTS), width, blocks, 2 * (len(JOINTS) - 1))
        for parameter in self.layers[-1].parameters():
            nn.init.zeros_(parameter)

    @property
    def architecture(self) -> dict:
        """What the constructor needs to build this network again."""
        return {"width": self.width, "blocks": self.blocks}

    def correction(self, seen: torch.Tensor) -> torch.Tensor:
        """By how much each joint is moved: (..., 17, 2) to (..., 17, 2), metres; 0 at the root."""
        moved = self.layers(seen.flatten(-2)).unflatten(-1, (len(JOINTS) - 1, 2))
        return torch.cat([torch.zeros_like(moved[..., :1, :]), moved], -2)

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """(..., 17, 2) to (..., 17, 2)."""
        return seen + self.correction(seen)
