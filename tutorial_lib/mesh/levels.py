"""A surface on several levels: fewer vertices, spread evenly, and how the coarser say where the finer are.

Distances run along the surface: what lies near through the air, a hand beside a hip, is not near.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from tutorial_lib.body_model import body
from tutorial_lib.mesh.metrics import edges

SIZES = (76, 301)
"""Vertices of the coarse levels; the finest has all."""


class Level(NamedTuple):
    """One level.

    Attributes:
        vertices: (n,) int64, which of the body's vertices it has.
        laplacian: (n, n) sparse, of its graph, scaled so that its eigenvalues lie in [-1, 1].
        up: (n, m) sparse, from the coarser level's values to this one's; rows add up to 1. None on the coarsest.
    """

    vertices: torch.Tensor
    laplacian: torch.Tensor
    up: torch.Tensor | None


def walk(template: torch.Tensor, faces: torch.Tensor) -> np.ndarray:
    """(V, V) metres along edges from every vertex to every other."""
    pairs = edges(faces)
    size = torch.linalg.vector_norm(template[pairs[:, 0]] - template[pairs[:, 1]], dim=-1)
    graph = coo_array((size.numpy(), tuple(pairs.numpy().T)), shape=(len(template),) * 2)
    return dijkstra(graph.tocsr(), directed=False)


def spread(far: np.ndarray, count: int, first: int = 0) -> np.ndarray:
    """(count,) vertices, each the one furthest from all before it, by distances `far` (V, V)."""
    chosen, near = [first], far[first]
    while len(chosen) < count:
        chosen.append(int(near.argmax()))
        near = np.minimum(near, far[chosen[-1]])
    return np.array(chosen)


def joined(pairs: np.ndarray, count: int) -> np.ndarray:
    """(count, count) 1 where two vertices are a pair of (pairs, 2), else 0; nobody is their own neighbour."""
    matrix = np.zeros((count, count))
    matrix[pairs[:, 0], pairs[:, 1]] = matrix[pairs[:, 1], pairs[:, 0]] = 1
    np.fill_diagonal(matrix, 0)
    return matrix


def scaled_laplacian(neighbours: np.ndarray) -> torch.Tensor:
    """-D^(-1/2) A D^(-1/2) of a symmetric 0-1 matrix (n, n): the normalised Laplacian less 1, sparse."""
    root = 1 / np.sqrt(neighbours.sum(1).clip(1))
    return _sparse(-root[:, None] * neighbours * root)


@cache
def levels(sizes: tuple[int, ...] = SIZES) -> tuple[Level, ...]:
    """The course's body from coarse to fine."""
    faces = body().faces
    far = walk(body().template, faces)
    order = spread(far, sizes[-1])
    sets = [*(order[:size] for size in sizes), np.arange(len(far))]
    made: list[Level] = []
    for number, chosen in enumerate(sets):
        # Two are neighbours where their regions of the surface touch; on the finest level a region is a vertex.
        owner = far[chosen].argmin(0)
        laplacian = scaled_laplacian(joined(owner[edges(faces).numpy()], len(chosen)))
        up = None
        if number:
            away = far[np.ix_(chosen, sets[number - 1])]
            nearest = np.argsort(away, 1)[:, :3]
            share = 1 / (np.take_along_axis(away, nearest, 1) + 1e-3)
            weights = np.zeros(away.shape)
            np.put_along_axis(weights, nearest, share / share.sum(1, keepdims=True), 1)
            up = _sparse(weights)
        made.append(Level(torch.from_numpy(chosen.copy()), laplacian, up))
    return tuple(made)


def _sparse(matrix: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(matrix).float().to_sparse().coalesce()
