"""Checks of lesson 13: the lens, the cube of voxels, and growing a body until it stands."""

import math
from collections.abc import Callable

import torch

from tutorial_lib.display.exercises import compare, exercise, tensor
from tutorial_lib.egocentric.headset import LENS
from tutorial_lib.egocentric.scale import FEET, SOLE
from tutorial_lib.egocentric.voxels import HALF, occupancy
from tutorial_lib.grid import cell_centres
from tutorial_lib.lessons.egocentric import demo_lies


@exercise
def through_the_lens(function: Callable) -> str:
    """Exercise 13.1: `function(points)` -> (..., 2) in the picture, points (..., 3) in the camera's frame."""
    generator = torch.Generator().manual_seed(0)
    for shape in ((40, 3), (2, 5, 3)):
        points = torch.randn(*shape, generator=generator, dtype=torch.float64)
        points[..., 2] += 0.4  # most before the camera, some more than 90 degrees aside
        points[..., 2] += 0.2 * points[..., 2].sign()
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
                "angles beyond 90 degrees are wrong: atan(length / z) knows none, atan2 does": 2
                * torch.sin(torch.atan(flat / points[..., 2:]) / 2)
                * toward,
                "half of the angle was forgotten (2 sin(angle))": 2 * torch.sin(angle) * toward,
                "the factor 2 is missing": torch.sin(angle / 2) * toward,
                "x and y were not made a unit direction first": 2 * torch.sin(angle / 2) * points[..., :2],
            },
        )  # fmt: skip
    return "through_the_lens: equal solid angles cover equal areas"


def _pixels(side: int, line: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """(side, side, 2) places of pixels, the image circle at radius 1, and their radii (side, side, 1)."""
    line = cell_centres(side) if line is None else line
    place = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)
    return place, torch.linalg.vector_norm(place, dim=-1, keepdim=True)


def _rays(place: torch.Tensor, angle: torch.Tensor) -> torch.Tensor:
    """(..., 3) unit rays that leave at these angles (..., 1) to the axis, towards places (..., 2)."""
    size = torch.linalg.vector_norm(place, dim=-1, keepdim=True).clamp_min(1e-9)
    return torch.cat([place / size * torch.sin(angle), torch.cos(angle)], -1)


def _where(points: torch.Tensor, cells: int) -> torch.Tensor:
    """(..., 3) how many cells a point is from the cube's lower corner, by x, y, z."""
    return (points - torch.tensor([-HALF, -HALF, 0.0])) / (2 * HALF) * cells


def _filled(index: torch.Tensor, there: torch.Tensor, cells: int) -> torch.Tensor:
    """(cells, cells, cells) of 0 and 1, from indices (..., 3) in the order of the volume's axes."""
    known = there & ((index >= 0) & (index < cells)).all(-1)
    volume = torch.zeros(cells, cells, cells)
    volume[index[known].unbind(-1)] = 1
    return volume


@exercise
def fill_the_cube(function: Callable) -> str:
    """Exercise 13.2: `function(depth, hole, cells, shift)` -> (cells, cells, cells) bool, indexed z, y, x.

    depth (S, S) is in metres along the rays of the course's head-worn lens, hole (S, S) is bool, shift (3,) in metres.
    """
    generator = torch.Generator().manual_seed(1)
    hint = (
        "rho of a pixel is LENS.edge times its radius, its angle 2 asin(rho / 2); the ray has cos(angle) in z, and "
        "sin(angle) towards (u, v); a point is ray times distance, plus the shift; its cell on an axis is "
        f"floor((coordinate - lower end) / side * cells), the lower ends are -{HALF}, -{HALF} and 0; leave out the "
        "hole, what is outside the image circle, and what is not in the cube; index z, y, x"
    )
    shift = torch.tensor([0.07, -0.12, 0.2])
    for side, cells in ((16, 8), (24, 12)):
        what = f"{side} x {side} pixels, {cells} cells"
        place, radius = _pixels(side)
        angle = 2 * torch.asin(LENS.edge * radius / 2)
        depth = 0.3 + 2.4 * torch.rand(side, side, generator=generator)
        rays = _rays(place, angle)
        points = depth[..., None] * rays + shift
        where = _where(points, cells)
        border = (where - where.round()).abs().amin(-1) < 1e-3  # rounding decides there: nobody is asked
        hole = border | (torch.rand(side, side, generator=generator) < 0.2)
        circle = radius[..., 0] <= 1
        there = circle & ~hole
        expected = occupancy(points.flatten(0, 1)[None], there.flatten()[None], cells)[0].float()

        def said(
            points: torch.Tensor = points, there: torch.Tensor = there, cells: int = cells, outside: bool = False
        ) -> torch.Tensor:
            index = torch.floor(_where(points, cells)).long()
            return _filled((index.clamp(0, cells - 1) if outside else index).flip(-1), there, cells)

        corners, far = _pixels(side, torch.linspace(-1, 1, side))
        got = tensor(function(depth, hole, cells, shift), what, hint)
        compare(
            got.to(torch.float32), expected, what, hint, 0.0,
            {
                "the volume is indexed x, y, z": expected.permute(2, 1, 0),
                "distance along the ray was taken for depth along the axis": said(
                    depth[..., None] * rays / rays[..., 2:] + shift
                ),
                "u and v are exchanged: u runs along a row": said(depth[..., None] * rays[..., [1, 0, 2]] + shift),
                "the lens was taken for an equidistant one": said(
                    depth[..., None] * _rays(place, LENS.limit * radius) + shift
                ),
                "the hole was filled in, too": said(there=circle),
                "what is outside the image circle was filled in, too": said(there=~hole),
                "the points were not moved": said(points - shift),
                "pixels are counted from their corners: their centres are meant": said(
                    depth[..., None] * _rays(corners, 2 * torch.asin((LENS.edge * far / 2).clamp_max(1))) + shift,
                    (far[..., 0] <= 1) & ~hole,
                ),
                "cells are counted from their corners, (n - 1) of them instead of n": _filled(
                    torch.round(where / cells * (cells - 1)).long().flip(-1), there, cells
                ),
                "points outside were moved to the border": said(outside=True),
                "`.long()` cuts towards zero: just outside the cube it says 0, floor says -1": _filled(
                    where.long().flip(-1), there, cells
                ),
                "LENS.edge is missing": said(
                    depth[..., None] * _rays(place, 2 * torch.asin(radius / 2)) + shift
                ),
            },
        )  # fmt: skip
    demo_lies.checked(function)
    return "fill_the_cube: every known point of the scene fills its voxel, and no other. Below, it fills all cubes"


@exercise
def until_it_stands(function: Callable) -> str:
    """Exercise 13.3: `function(pose, up, height)` -> the pose, grown about the camera until a foot stands."""
    generator = torch.Generator().manual_seed(2)
    hint = (
        "how far an ankle lies below the camera is -(ankle @ up); it should be height - SOLE; the factor is their "
        "quotient; of both feet, take the smaller factor, or the other one goes through the floor"
    )
    for turn in (0.0, 0.3):
        up = torch.tensor([0.0, math.sin(turn), -math.cos(turn)])
        pose = 0.3 * torch.randn(17, 3, generator=generator)
        for foot, deep in zip(FEET, (1.2, 1.45), strict=True):
            pose[foot] += -deep * up - (pose[foot] @ up) * up
        below = -(pose[list(FEET)] @ up)
        height = 1.62

        def grown(factor: torch.Tensor, pose: torch.Tensor = pose) -> torch.Tensor:
            return factor * pose

        compare(
            tensor(function(pose, up, height), f"a camera tilted by {turn:g} rad", hint),
            grown(((height - SOLE) / below).amin()), f"a camera tilted by {turn:g} rad", hint, 1e-4,
            {
                "the other foot stands, and this one is below the floor": grown(((height - SOLE) / below).amax()),
                "the ankle was put on the floor, not SOLE metres above it": grown((height / below).amin()),
                "the pose was moved down, not grown": pose - ((height - SOLE) - below).amin() * up,
                "z was taken for the height, although the camera is tilted": grown(
                    ((height - SOLE) / pose[list(FEET), 2]).amin()
                ),
                "the mean of both feet was taken": grown(((height - SOLE) / below).mean()),
            },
        )  # fmt: skip
    return "until_it_stands: one foot stands, none is below the floor, and no pixel has moved"
