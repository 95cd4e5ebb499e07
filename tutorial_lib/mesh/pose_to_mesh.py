"""A pose to a surface through graphs, coarse to fine, after Pose2Mesh (Choi et al. 2020).

First a lifter makes 17 joints of the dots. Then vertices grow out of them: few at first, and at every level features go
up to more vertices and are mixed with those of their neighbours.
"""

import torch
from torch import nn

from tutorial_lib.body_model import Posed
from tutorial_lib.mesh.levels import SIZES, levels
from tutorial_lib.mesh.regressor import trunk


def spread_over(matrix: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """A sparse matrix (n, m) times values (B, m, C): (B, n, C)."""
    batch, _, channels = values.shape
    flat = values.permute(1, 0, 2).reshape(values.shape[1], -1)
    return torch.sparse.mm(matrix, flat).reshape(-1, batch, channels).permute(1, 0, 2)


class GraphConvolution(nn.Module):
    """Chebyshev polynomials of a graph's Laplacian (Defferrard et al. 2016): K - 1 steps along edges.

    Args:
        inputs: channels.
        outputs: channels.
        order: K.
    """

    def __init__(self, inputs: int, outputs: int, order: int = 3):
        super().__init__()
        self.order = order
        self.mix = nn.Linear(order * inputs, outputs)

    def forward(self, x: torch.Tensor, laplacian: torch.Tensor) -> torch.Tensor:
        """(B, n, inputs) to (B, n, outputs) on a graph with a scaled Laplacian (n, n)."""
        terms = [x]
        if self.order > 1:
            terms.append(spread_over(laplacian, x))
        while len(terms) < self.order:
            terms.append(2 * spread_over(laplacian, terms[-1]) - terms[-2])
        return self.mix(torch.cat(terms, -1))


class MeshLifter(nn.Module):
    """Dots to joints, and dots and joints to a surface.

    Args:
        width: of the lifter's features.
        channels: of every vertex' features.
    """

    def __init__(self, width: int = 256, channels: int = 24):
        super().__init__()
        self.width, self.channels = width, channels
        self.lift = nn.Sequential(trunk(width), nn.Linear(width, 17 * 3))
        self.grow = nn.Sequential(trunk(width, 17 * 5), nn.Linear(width, SIZES[0] * channels))
        self.mixes = nn.ModuleList(GraphConvolution(channels, channels) for _ in (*SIZES, None))
        self.last = GraphConvolution(channels, 3)

    @property
    def architecture(self) -> dict:
        """What the constructor needs to build this network again."""
        return {"width": self.width, "channels": self.channels}

    def forward(self, dots: torch.Tensor) -> Posed:
        """(B, 17, 2) dots to vertices (B, V, 3) and the lifter's joints (B, 17, 3), metres about the hip.

        The surface does not teach the lifter, as in the paper: it takes the joints as they are.
        """
        joints = self.lift(dots.flatten(-2)).unflatten(-1, (17, 3))
        both = torch.cat([dots, joints.detach()], -1).flatten(-2)
        x = self.grow(both).unflatten(-1, (-1, self.channels))
        laplacian = None
        for level, mix in zip(levels(), self.mixes, strict=True):
            if level.up is not None:
                x = spread_over(level.up.to(x.device), x)
            laplacian = level.laplacian.to(x.device)
            x = x + torch.relu(mix(x, laplacian))
        return Posed(self.last(x, laplacian), joints)
