"""Vertices without a body model: one row of scores for each axis of each vertex, after I2L-MeshNet (Moon, Lee 2020).

A volume of scores for a vertex has n cells a side, n^3 in all. Its marginals have 3 n, and the mean place along an axis
needs nothing else: `soft_argmax_1d` of three rows. The paper calls a cell of a row a lixel. Its picture's x and y are
pixels; here all three axes are metres about the hip, which dots without a picture allow.
"""

import torch
from torch import nn

from tutorial_lib.body_model import Posed, body
from tutorial_lib.integral import soft_argmax_1d
from tutorial_lib.mesh.metrics import edges
from tutorial_lib.mesh.regressor import trunk
from tutorial_lib.skeleton import length

VERTICES = 1202
"""Of the course's body. A number, because a checkpoint's network is built before anything may be computed."""

REACH = 1.3
"""Metres from the hip to either end of a row."""


def cells_of_rows(points: int, cells: int) -> int:
    """Scores that three rows a point hold."""
    return 3 * points * cells


def cells_of_volumes(points: int, cells: int) -> int:
    """Scores that a volume a point holds."""
    return points * cells**3


class LixelNet(nn.Module):
    """Dots to three rows of scores a point: first of the 17 joints, then, seeing those, of every vertex.

    Args:
        width: of the features.
        cells: of a row.
        channels: of a feature row.
        points: vertices of the surface.
    """

    def __init__(self, width: int = 256, cells: int = 24, channels: int = 24, points: int = VERTICES):
        super().__init__()
        self.width, self.cells, self.channels, self.points = width, cells, channels, points
        self.trunk = trunk(width)
        self.rows = nn.Linear(width, 3 * channels * cells)
        # A point reads the same channels in every cell: a 1 x 1 convolution along the row, for each axis its own.
        self.joints = nn.Conv1d(3 * channels, 3 * 17, 1, groups=3)
        self.mix = nn.Conv1d(3 * (channels + 17), 3 * channels, 5, padding=2, groups=3)
        self.vertices = nn.Conv1d(3 * channels, 3 * self.points, 1, groups=3)

    @property
    def architecture(self) -> dict:
        """What the constructor needs to build this network again."""
        return {"width": self.width, "cells": self.cells, "channels": self.channels, "points": self.points}

    def scores(self, dots: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, 17, 2) dots to scores of joints (B, 3, 17, cells) and vertices (B, 3, V, cells)."""
        rows = torch.relu(self.rows(self.trunk(dots.flatten(-2)))).unflatten(-1, (3 * self.channels, self.cells))
        joints = self.joints(rows).unflatten(1, (3, 17))
        seen = torch.cat([rows.unflatten(1, (3, self.channels)), joints.softmax(-1)], 2).flatten(1, 2)
        vertices = self.vertices(rows + torch.relu(self.mix(seen)))
        return joints, vertices.unflatten(1, (3, self.points))

    def forward(self, dots: torch.Tensor) -> Posed:
        """(B, 17, 2) dots to vertices (B, V, 3) and the joints' own rows' answer (B, 17, 3), metres about the hip."""
        joints, vertices = self.scores(dots)
        return Posed(REACH * soft_argmax_1d(vertices).mT, REACH * soft_argmax_1d(joints).mT)


def surface_loss(found: Posed, truth: Posed, edge: float = 1.0) -> torch.Tensor:
    """Distances of vertices and joints in metres, and by how much edges have the wrong length.

    Args:
        found: a network's answer, about the hip.
        truth: likewise.
        edge: weight of the edges.
    """
    total = length(found.vertices - truth.vertices).mean() + length(found.joints - truth.joints).mean()
    if not edge:
        return total
    start, end = edges(body().faces.to(found.vertices.device)).unbind(1)
    sides = [length(posed.vertices[..., start, :] - posed.vertices[..., end, :]) for posed in (found, truth)]
    return total + edge * (sides[0] - sides[1]).abs().mean()
