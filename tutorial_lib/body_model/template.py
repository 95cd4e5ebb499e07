"""The template: a net of triangles around the melted solids of the body at rest.

The net is cast while the arms are stretched sideways, along the grid, so that its rings run round the limbs. Then the
arms are lowered, and the net is drawn on to the flesh again.
"""

from collections.abc import Callable

import numpy as np
import torch

from tutorial_lib.body_model.flesh import melted
from tutorial_lib.body_model.rest import LOWERED, rest_joints, rest_solids
from tutorial_lib.body_model.surface_nets import surface_nets, triangles
from tutorial_lib.skeleton import JOINTS

CELL = 0.0585
"""Metres, width of a cell where the grid is not made finer."""


def template(cell: float = CELL) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The surface of the mean person at rest.

    Args:
        cell: metres, width of a cell of the grid; 0.0585 gives 1,202 vertices, 0.08 gives 602.

    Returns:
        vertices: (V, 3) float64 metres, rest frame; faces: (F, 3) int64, counter-clockwise seen from outside;
        mirror: (V,) int64, the vertex on the other side of each: mirror[mirror] is nothing, and y changes its sign.

    Raises:
        ValueError: cells at which the net is not one closed surface.
    """
    nodes = _grid(cell)
    stretched = rest_solids(0.0)
    vertices, quads, cells = surface_nets(melted(stretched, torch.from_numpy(nodes).float()).double().numpy(), nodes)
    mirror = _mirrored(cells, nodes.shape[1] - 1)
    neighbours = _neighbours(quads, len(vertices))
    for solids, rounds, change in ((stretched, 3, None), (rest_solids(), 3, _lower)):
        vertices = vertices if change is None else change(vertices)
        for _ in range(rounds):
            vertices = vertices + 0.5 * (neighbours @ vertices - vertices)
            for _ in range(2):
                place = torch.from_numpy(vertices).float().requires_grad_()
                value = melted(solids, place)
                (slope,) = torch.autograd.grad(value.sum(), place)
                step = value[:, None] * slope / (slope**2).sum(-1, keepdim=True).clamp_min(0.25)
                vertices = vertices - step.detach().double().numpy()
            vertices = (vertices + vertices[mirror] * [1, -1, 1]) / 2
    # No quadrilateral crosses the middle: cut those on the left, and mirror the cuts.
    left = triangles(vertices, quads[vertices[quads, 1].mean(1) > 0])
    faces = np.concatenate([left, mirror[left][:, ::-1]])
    sides = np.unique(np.sort(np.concatenate([faces[:, [i, i - 1]] for i in range(3)]), 1), axis=0, return_counts=True)
    if (sides[1] != 2).any() or len(vertices) - len(sides[0]) + len(faces) != 2:
        expected = "a width at which no thin part falls between cells"
        raise ValueError(f"cell is {cell}, expected {expected}: try {0.97 * cell:.4f}")
    return vertices, faces, mirror


def _grid(cell: float) -> np.ndarray:
    """(X, Y, Z, 3) nodes around the body with its arms stretched, finer at hands, face and feet; none at y = 0."""
    joints = dict(zip(JOINTS, rest_joints(0.0)))
    arm, ankle, face = joints["left_elbow"][2], joints["left_foot"][2], joints["neck"][2] + 0.02
    hand = joints["left_wrist"][1] + 0.08

    def near(x: np.ndarray, centre: float, reach: float) -> np.ndarray:
        return np.exp(-(((x - centre) / reach) ** 4))

    forward = _axis(-0.3, 0.42, lambda x: cell * (1 - 0.35 * near(x, 0.02, 0.09)))
    side = _axis(
        0.0,
        0.98,
        lambda y: cell * (1 - 0.15 * near(y, 0, 0.08) - 0.15 * near(y, 0.36, 0.2) - 0.6 * near(y, hand, 0.12)),
    )
    side = np.concatenate([-side[::-1], side])
    up = _axis(
        -1.1, 0.95,
        lambda z: cell * (1 - 0.35 * near(z, arm, 0.08) - 0.3 * near(z, face, 0.09) - 0.4 * near(z, ankle, 0.09)),
    )  # fmt: skip
    x, y, z = np.meshgrid(forward, side, up, indexing="ij")
    # The grid tapers along the arms, and above the shoulders.
    thin = 1 - 0.5 * ((abs(y) - 0.25) / (hand - 0.25)).clip(0, 1)
    slim = 1 - 0.3 * ((z - arm - 0.08) / 0.08).clip(0, 1)
    return np.stack([x * thin * slim, y * slim, arm + (z - arm) * thin], -1)


def _axis(low: float, high: float, width: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Places from low to high, `width` metres apart; the first lies half a step from `low`."""
    fine = np.linspace(low, high, 2000)
    steps = np.concatenate([[0], np.cumsum(np.diff(fine) / width((fine[1:] + fine[:-1]) / 2))])
    return np.interp(np.arange(int(steps[-1])) + 0.5, steps, fine)


def _lower(vertices: np.ndarray) -> np.ndarray:
    """Turn the stretched arms down about the shoulders, gradually around them."""
    pivot = rest_joints()[JOINTS.index("left_shoulder")]
    sign, x, y, z = np.sign(vertices[:, 1]), vertices[:, 0], abs(vertices[:, 1]) - pivot[1], vertices[:, 2] - pivot[2]
    share = np.clip((y + 0.04) / 0.1, 0, 1) * (abs(z) < 0.12)  # neither the legs nor the head
    angle = LOWERED * share * share * (3 - 2 * share)
    turned = np.stack([x, np.cos(angle) * y + np.sin(angle) * z, np.cos(angle) * z - np.sin(angle) * y], -1)
    turned += [0, pivot[1], pivot[2]]
    return turned * np.stack([np.ones_like(sign), sign, np.ones_like(sign)], -1)


def _mirrored(cells: np.ndarray, wide: int) -> np.ndarray:
    """Index of the vertex whose cell lies on the other side of the grid's middle."""
    number = {tuple(cell): index for index, cell in enumerate(cells.tolist())}
    return np.array([number[x, wide - 1 - y, z] for x, y, z in cells.tolist()])


def _neighbours(quads: np.ndarray, count: int) -> np.ndarray:
    """(V, V) rows that take the mean over the vertices next to each, along the quadrilaterals' sides."""
    near = np.zeros((count, count))
    near[quads.ravel(), np.roll(quads, -1, 1).ravel()] = 1
    near = np.maximum(near, near.T)
    return near / near.sum(1, keepdims=True)
