"""Checks of lesson 13: the lens, the cube of voxels, and growing a body until it stands."""

import math
from collections.abc import Callable

import torch

from tutorial_lib.display.exercises import compare, exercise, tensor
from tutorial_lib.egocentric.voxels import HALF, occupancy


@exercise
def through_the_lens(function: Callable) -> str:
    """Exercise 13.1: `function(points)` -> (..., 2) in the picture, points (..., 3) in the camera's frame."""
    generator = torch.Generator().manual_seed(0)
    for shape in ((40, 3), (2, 5, 3)):
        points = torch.randn(*shape, generator=generator, dtype=torch.float64)
        points[..., 2] = points[..., 2].abs() + 0.2
        flat = torch.linalg.vector_norm(points[..., :2], dim=-1, keepdim=True)
        angle, toward = torch.atan2(flat, points[..., 2:]), points[..., :2] / flat
        hint = (
            "the angle to the axis is atan2(length of (x, y), z); the place is 2 sin(angle / 2) in the direction (x, y)"
        )
        compare(
            tensor(function(points), f"points {tuple(shape)}", hint), 2 * torch.sin(angle / 2) * toward,
            f"points {tuple(shape)}", hint, 1e-6,
            {
                "it is a pinhole's picture (x / z, y / z)": points[..., :2] / points[..., 2:],
                "it is an equidistant lens (radius = angle)": angle * toward,
                "half of the angle was forgotten (2 sin(angle))": 2 * torch.sin(angle) * toward,
                "the factor 2 is missing": torch.sin(angle / 2) * toward,
                "x and y were not made a unit direction first": 2 * torch.sin(angle / 2) * points[..., :2],
            },
        )  # fmt: skip
    return "through_the_lens: equal solid angles cover equal areas"


def _filled(index: torch.Tensor, there: torch.Tensor, cells: int) -> torch.Tensor:
    """(cells, cells, cells) bool from indices (N, 3) in the order of the volume's axes: the slow definition."""
    volume = torch.zeros(cells, cells, cells, dtype=torch.bool)
    for (a, b, c), known in zip(index.tolist(), there.tolist(), strict=True):
        if known and all(0 <= i < cells for i in (a, b, c)):
            volume[a, b, c] = True
    return volume


@exercise
def fill_the_cube(function: Callable) -> str:
    """Exercise 13.2: `function(distance, rays, there, cells)` -> (cells, cells, cells) bool, indexed z, y, x."""
    generator = torch.Generator().manual_seed(1)
    rays = torch.randn(300, 3, generator=generator)
    rays[:, 2] = rays[:, 2].abs() + 0.3
    rays = rays / rays.norm(dim=-1, keepdim=True)
    distance, there = 0.3 + 2.7 * torch.rand(300, generator=generator), torch.rand(300, generator=generator) < 0.8
    for cells in (8, 16):
        hint = (
            "a point is ray times distance; its cell on an axis is floor((coordinate - lower end) / side * cells), the "
            f"lower ends are -{HALF}, -{HALF} and 0; leave out what is not there or not in the cube; index z, y, x"
        )
        points = distance[:, None] * rays
        low, side = torch.tensor([-HALF, -HALF, 0.0]), 2 * HALF

        def cell(places: torch.Tensor, count: int = cells, low: torch.Tensor = low, side: float = side) -> torch.Tensor:
            return torch.floor((places - low) / side * count).long()

        expected = occupancy(points[None], there[None], cells)[0]
        along = points / rays[:, 2:]  # what one gets who takes the distance for the depth along the axis
        corners = torch.round((points - low) / side * (cells - 1)).long()
        got = tensor(function(distance, rays, there, cells), f"{cells} cells", hint)
        compare(
            got.to(torch.float32), expected.float(), f"{cells} cells", hint, 0.0,
            {
                "the volume is indexed x, y, z": _filled(cell(points), there, cells).float(),
                "distance along the ray was taken for depth along the axis": _filled(
                    cell(along).flip(-1), there, cells
                ).float(),
                "what is not there was filled in, too": occupancy(points[None], there[None] | True, cells)[0].float(),
                "cells are counted from their corners, (n - 1) of them instead of n": _filled(
                    corners.flip(-1), there, cells
                ).float(),
                "points outside were moved to the border": _filled(
                    cell(points).clamp(0, cells - 1).flip(-1), there, cells
                ).float(),
            },
        )  # fmt: skip
    return "fill_the_cube: every known point of the scene fills its voxel, and no other"


@exercise
def until_it_stands(function: Callable) -> str:
    """Exercise 13.3: `function(pose, up, height)` -> the pose, grown about the camera until a foot stands."""
    generator = torch.Generator().manual_seed(2)
    hint = (
        "how far an ankle lies below the camera is -(ankle @ up); it should be height - 0.08; the factor is their "
        "quotient; of both feet, take the smaller factor, or the other one goes through the floor"
    )
    for turn in (0.0, 0.3):
        up = torch.tensor([0.0, math.sin(turn), -math.cos(turn)])
        pose = 0.3 * torch.randn(17, 3, generator=generator)
        for foot, deep in ((3, 1.2), (6, 1.45)):
            pose[foot] += -deep * up - (pose[foot] @ up) * up
        below = -(pose[[3, 6]] @ up)
        height = 1.62

        def grown(factor: torch.Tensor, pose: torch.Tensor = pose) -> torch.Tensor:
            return factor * pose

        compare(
            tensor(function(pose, up, height), f"a camera tilted by {turn:g} rad", hint),
            grown(((height - 0.08) / below).amin()), f"a camera tilted by {turn:g} rad", hint, 1e-4,
            {
                "the other foot stands, and this one is below the floor": grown(((height - 0.08) / below).amax()),
                "the ankle was put on the floor, not 0.08 m above it": grown((height / below).amin()),
                "the pose was moved down, not grown": pose - ((height - 0.08) - below).amin() * up,
                "z was taken for the height, although the camera is tilted": grown(
                    ((height - 0.08) / pose[[3, 6], 2]).amin()
                ),
                "the mean of both feet was taken": grown(((height - 0.08) / below).mean()),
            },
        )  # fmt: skip
    return "until_it_stands: one foot stands, none is below the floor, and no pixel has moved"
