"""Checks of lesson 05: a lens, its folds and its inverse."""

from collections.abc import Callable

import torch

from tutorial_lib.display.exercises import compare, exercise, number
from tutorial_lib.distortion import distort, folds


def _points(seed: int, *shape: int) -> torch.Tensor:
    return torch.rand(*shape, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 0.5


@exercise
def radial(function: Callable) -> str:
    """Exercise 05.1: `function(points, k1)` -> points, only the k1 term."""
    for shape, k1 in (((7,), -0.4), ((2, 3), 0.9), ((5,), 0.0)):
        points = _points(1, *shape)
        expected = distort(points, torch.tensor([k1, 0, 0, 0, 0], dtype=torch.float64))
        r2 = (points**2).sum(-1, keepdim=True)
        mistakes = {
            "r stands where r² belongs": points * (1 + k1 * r2.sqrt()),
            "every coordinate is squared for itself": points * (1 + k1 * points**2),
            "all points share one radius": points * (1 + k1 * r2.sum()),
            "the sign is turned round": points * (1 - k1 * r2),
            "the factor is returned, without the point": (1 + k1 * r2).expand_as(points),
            "only what the lens adds is returned": points * k1 * r2,
            "r⁴ stands where r² belongs": points * (1 + k1 * r2**2),
        }
        hint = "multiply each point by 1 + k1 r², with its own r"
        compare(function(points, k1), expected, f"k1 = {k1}", hint, mistakes=mistakes)
    return "radial: right for three lenses and two shapes"


@exercise
def first_fold(function: Callable) -> str:
    """Exercise 05.2: `function(k1)` -> radius of the first fold of a lens with k1 alone, infinity if none."""
    hint = "where is the derivative of r (1 + k1 r²) zero?"
    for k1 in (-2.0, -0.5, -0.1):
        radius = function(k1)
        assert isinstance(radius, (int, float, torch.Tensor)) and 0 < radius < float("inf"), (
            f"k1 = {k1}: expected a positive, finite radius, got {radius!r}. Hint: {hint}"
        )
        radius = float(radius)
        lens = torch.tensor([k1, 0, 0, 0, 0])
        assert not bool(folds(lens, 0.99 * radius)), (
            f"k1 = {k1}: expected no fold before your radius {radius:.3f}, but there is one. Hint: {hint}"
        )
        assert bool(folds(lens, 1.01 * radius)), (
            f"k1 = {k1}: expected a fold at your radius {radius:.3f}, but the map is still one-to-one there. "
            f"Hint: {hint}"
        )
    far = number(function(0.3), "k1 = 0.3", hint)
    assert far == float("inf"), f"k1 = 0.3: expected infinity, got {far}. Hint: pincushion alone never folds"
    return "first_fold: right for three barrels and a pincushion"


@exercise
def fixed_point(function: Callable) -> str:
    """Exercise 05.3: `function(points, lens, steps)` -> undistorted points by fixed-point iteration."""
    lens = torch.tensor([-0.2, 0.05, 0.0, 0.01, -0.01], dtype=torch.float64)
    points = _points(2, 9)
    seen = distort(points, lens)
    given = seen.clone()
    got = function(given, lens, 60)
    assert torch.equal(given, seen), (
        "60 steps: expected the points that were given to stay as they were; yours have changed, and every further "
        "step corrects towards the changed ones. "
        "Hint: x += … writes into the tensor that x and seen share; x = x + … makes a new one"
    )
    missing = seen - distort(seen, lens)
    mistakes = {
        "only the first correction is made": seen + missing,
        "every step repeats the first correction: distort the newest x": seen + 60 * missing,
    }
    hint = "x ← x + (seen − distort(x)), started at x = seen"
    compare(got, points, "60 steps", hint, 1e-6, mistakes)
    compare(function(seen.clone(), lens, 0), seen, "0 steps", "the start is the distorted point itself")
    compare(function(seen.clone(), lens, 1), seen + missing, "1 step", "one step is one correction")
    return (
        "fixed_point: the round trip closes. A small error e becomes e − J e in one step, with the lens's Jacobian J: "
        "it dies out where all eigenvalues of J lie between 0 and 2. A fold ends that (0), and so does a strong "
        "pincushion (2), which has an inverse all the same"
    )
