"""Checks of lesson 07: turning points, exchanging them, a head that commutes with rotations, finding a moment."""

from collections.abc import Callable

import torch

from tutorial_lib.camera import orbit
from tutorial_lib.display.exercises import compare, exercise, number, tensor
from tutorial_lib.geometry_aware import exchange, retrieve
from tutorial_lib.lessons.geometry_aware import demo_exchange


def _rotations(count: int, generator: torch.Generator) -> torch.Tensor:
    """(count, 3, 3) of cameras anywhere around."""
    azimuth, elevation = 6.28 * torch.rand(count, generator=generator), 0.5 * torch.rand(count, generator=generator)
    return orbit(torch.zeros(count, 3), azimuth, elevation).rotation


@exercise
def into_the_other(function: Callable) -> str:
    """Exercise 07.1: `function(points, first, second)` -> points in the frame of the second camera."""
    generator = torch.Generator().manual_seed(0)
    hint = (
        "the rows of a camera's matrix are its axes in the world: R x is a world direction seen from the camera, "
        "R^T brings it back; so go back with the first, then on with the second; rows of points take the transpose"
    )
    for count in (6, 32):
        points = torch.randn(count, 3, generator=generator)
        first, second = _rotations(2, generator)
        what = f"{count} points"
        compare(
            tensor(function(points, first, second), what, hint), points @ first @ second.mT, what, hint, 1e-5,
            {
                "they were turned from the second camera into the first": points @ second @ first.mT,
                "they are in the world now, not in the second camera": points @ first,
                "they were taken for world directions": points @ second.mT,
                "the first camera's matrix was used the wrong way round": points @ first.mT @ second.mT,
                "the second camera's matrix was used the wrong way round": points @ first @ second,
                "they were not turned, or turned there and back": points,
            },
        )  # fmt: skip
    return "into_the_other: whatever the first camera saw, the second now sees"


@exercise
def hand_over(function: Callable) -> str:
    """Exercise 07.2: `function(points, appearance, rotation)` -> what every camera is painted from at every moment.

    points (B, 2, 2, n, 3) and appearance (B, 2, 2, m) are indexed group, moment, camera; rotation is (B, 2, 3, 3).
    """
    generator = torch.Generator().manual_seed(1)
    hint = (
        "points change cameras and are turned by R_j R_i^T: j is the camera that gets them, i the other one; "
        "appearance changes moments and cameras, and nothing turns it"
    )
    for batch, count in ((3, 5), (2, 8)):
        points = torch.randn(batch, 2, 2, count, 3, generator=generator)
        appearance = torch.randn(batch, 2, 2, 4, generator=generator)
        rotation = _rotations(2 * batch, generator).unflatten(0, (batch, 2))
        right, dressed = exchange(points, appearance, rotation)
        what = f"{batch} groups, {count} points"
        answer = function(points.clone(), appearance.clone(), rotation.clone())
        assert isinstance(answer, tuple | list) and len(answer) == 2, (
            f"{what}: expected two tensors, points and appearance, got {type(answer).__name__}. Hint: {hint}"
        )
        other, turn = points.flip(2), (rotation @ rotation.flip(1).mT)[:, None]
        one_turn = (rotation[:, 1] @ rotation[:, 0].mT)[:, None, None]
        overwritten = points.clone()  # camera 0 was written first, and read again for camera 1
        for camera in (0, 1):
            overwritten[:, :, camera] = overwritten[:, :, 1 - camera] @ turn[:, :, camera].mT
        compare(
            tensor(answer[0], f"{what}, points", hint), right, f"{what}, points", hint, 1e-5,
            {
                "points were not turned": other,
                "one camera's points were overwritten before the other had them: write into a new tensor": overwritten,
                "points stayed with their own camera": points,
                "points of the own camera were turned": points @ turn.mT,
                "points were turned the wrong way": other @ turn,
                "both cameras were turned by the same rotation": other @ one_turn.mT,
                "moments were exchanged, too": right.flip(1),
                "they are in the world's frame": other @ rotation.flip(1)[:, None],
            },
        )  # fmt: skip
        compare(
            tensor(answer[1], f"{what}, appearance", hint), dressed, f"{what}, appearance", hint, 1e-6,
            {
                "appearance is of the same moment: a pose in it would be the right one": appearance.flip(2),
                "appearance is of the same camera: it tells which side of the person is seen": appearance.flip(1),
                "appearance was not exchanged": appearance,
            },
        )  # fmt: skip
    demo_exchange.checked(function)
    return (
        "hand_over: each picture can only be painted by whoever knows 3D. The demo of section 2 paints with yours now"
    )


@exercise
def turning_head(function: Callable) -> str:
    """Exercise 07.3: `function(points, pose, penalty)` -> (17, n) weights, the smallest |W x - y|^2 + penalty |W|^2."""
    generator = torch.Generator().manual_seed(2)
    hint = (
        "every axis of every photo is one equation: stack (photos, n, 3) to X (3 photos, n), and the poses to Y "
        "(3 photos, 17); then (X^T X + penalty I) W^T = X^T Y"
    )
    for photos, count, penalty in ((30, 6, 0.5), (4, 9, 2.0)):
        points = torch.randn(photos, count, 3, generator=generator, dtype=torch.float64)
        pose = torch.randn(photos, 17, 3, generator=generator, dtype=torch.float64)

        def solved(x: torch.Tensor, y: torch.Tensor, size: float, count: int = count) -> torch.Tensor:
            return torch.linalg.solve(x.mT @ x + size * torch.eye(count, dtype=x.dtype), x.mT @ y).mT

        x, y = points.mT.flatten(0, 1), pose.mT.flatten(0, 1)
        right = solved(x, y, penalty)
        what = f"{photos} photos, {count} points, penalty {penalty:g}"
        compare(
            tensor(function(points, pose, penalty), what, hint).double(), right, what, hint, 1e-6,
            {
                "the penalty is missing": solved(x, y, 1e-12),
                "the penalty was counted once a photo": solved(x, y, penalty * photos),
                "the penalty was counted once an equation": solved(x, y, penalty * 3 * photos),
                "the penalty was added to every number of X^T X; it belongs on the diagonal": torch.linalg.solve(
                    x.mT @ x + penalty, x.mT @ y
                ).mT,
                "the penalty was squared": solved(x, y, penalty**2),
                "only the first axis was used": solved(points[..., 0], pose[..., 0], penalty),
                "the mean was taken off first: a shift does not turn with the points": solved(
                    x - x.mean(0), y - y.mean(0), penalty
                ),
                "`reshape` mixed points and axes: put the axes before the points first, `.mT`": solved(
                    points.reshape(-1, count), pose.reshape(-1, 17), penalty
                ),
                "the weights are transposed: (17, n) was asked for": right.mT,
            },
        )  # fmt: skip
    return (
        "turning_head: W (L R^T) = (W L) R^T, since W mixes points and R axes: turn the points, and the pose turns. A "
        "shift would stay where it is"
    )


def _long(latents: torch.Tensor) -> torch.Tensor:
    """Rows of length 1."""
    return torch.nn.functional.normalize(latents, dim=1)


@exercise
def found_again(function: Callable) -> str:
    """Exercise 07.4: `function(first, second)` -> share of rows whose nearest row of `second` is their own."""
    generator = torch.Generator().manual_seed(3)
    hint = "torch.cdist(first, second) has a row a query; its smallest column must be the row's own number"
    for count, noise in ((97, 2.6), (113, 2.2)):
        first = torch.randn(count, 12, generator=generator, dtype=torch.float64)
        second = first * 1.3 + noise * torch.randn(count, 12, generator=generator, dtype=torch.float64)
        distance = torch.cdist(first, second)
        own = torch.arange(count)
        what = f"{count} moments"
        mistakes = {
            "every latent was looked for in its own camera, where it is": (torch.cdist(first, first).argmin(1) == own),
            "queries are of the second camera: rows belong to the first": distance.argmin(0) == own,
            "the farthest was taken, or one pair of all, since argmin has no dimension": distance.argmax(1) == own,
            "the largest product was taken, not the smallest distance": (first @ second.mT).argmax(1) == own,
            "angles were compared (cosine), not distances": (_long(first) @ _long(second).mT).argmax(1) == own,
            "distances were summed over axes (L1), not Euclidean": torch.cdist(first, second, 1.0).argmin(1) == own,
            "among the nearest five is not first": (distance.topk(5, largest=False).indices == own[:, None]).any(1),
        }
        got = torch.tensor(number(function(first, second), what, hint))
        expected = torch.tensor(retrieve(first, second).first)
        compare(
            got, expected, what, hint, 1e-6,
            {diagnosis: hits.double().mean().float() for diagnosis, hits in mistakes.items()}
            | {
                "moments were counted, not their share": expected * count,
                "it is per cent: a share was asked for": expected * 100,
            },
        )  # fmt: skip
    return "found_again: no label was needed to ask whether a latent is geometry"
