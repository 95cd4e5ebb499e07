"""Checks of the exercises: each takes the student's function, tries it, and says what was expected.

A check raises `AssertionError` with what was expected, what came, and one hint. It prints one line when all is well.
"""

from collections.abc import Callable

import torch

from tutorial_lib.distortion import distort, folds
from tutorial_lib.skeleton import SYMMETRIC_BONES, bone_lengths


def _points(seed: int, *shape: int) -> torch.Tensor:
    return torch.rand(*shape, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 0.5


def _compare(got, expected: torch.Tensor, what: str, hint: str, tolerance: float = 1e-6) -> None:
    assert isinstance(got, torch.Tensor), f"{what}: expected a tensor, got {type(got).__name__}. Hint: {hint}"
    assert got.shape == expected.shape, (
        f"{what}: expected shape {tuple(expected.shape)}, got {tuple(got.shape)}. Hint: {hint}"
    )
    worst = (got - expected).abs().max().item()
    assert worst <= tolerance, f"{what}: off by up to {worst:.3g} (allowed {tolerance:g}). Hint: {hint}"


def radial(function: Callable) -> None:
    """Exercise 05.1: `function(points, k1)` -> points, only the k1 term."""
    for shape, k1 in (((7,), -0.4), ((2, 3), 0.9), ((5,), 0.0)):
        points = _points(1, *shape)
        expected = distort(points, torch.tensor([k1, 0, 0, 0, 0], dtype=torch.float64))
        _compare(function(points, k1), expected, f"k1 = {k1}", "multiply each point by 1 + k1 r², with its own r")
    print("radial: right for three lenses and two shapes")


def first_fold(function: Callable) -> None:
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
    far = float(function(0.3))
    assert far == float("inf"), f"k1 = 0.3: expected infinity, got {far}. Hint: pincushion alone never folds"
    print("first_fold: right for three barrels and a pincushion")


def fixed_point(function: Callable) -> None:
    """Exercise 05.3: `function(points, lens, steps)` -> undistorted points by fixed-point iteration."""
    lens = torch.tensor([-0.2, 0.05, 0.0, 0.01, -0.01], dtype=torch.float64)
    points = _points(2, 9)
    seen = distort(points, lens)
    _compare(function(seen, lens, 60), points, "60 steps", "x ← x + (seen − distort(x)), started at x = seen", 1e-6)
    _compare(function(seen, lens, 0), seen, "0 steps", "the start is the distorted point itself")
    print("fixed_point: the round trip closes")


def inner_step(function: Callable) -> None:
    """Exercise 06.1: `function(w, loss, alpha)` -> w after one gradient step that can be differentiated."""
    matrix = torch.tensor([[2.0, 0.3], [0.3, 0.5]], dtype=torch.float64)
    w = torch.tensor([0.4, -0.7], dtype=torch.float64, requires_grad=True)

    def loss(v):
        return 0.5 * v @ matrix @ v

    stepped = function(w, loss, 0.1)
    assert isinstance(stepped, torch.Tensor), (
        f"the step: expected a tensor, got {type(stepped).__name__}. Hint: return w − α ∇loss(w)"
    )
    _compare(stepped.detach(), (w - 0.1 * matrix @ w).detach(), "the step", "w − α ∇loss(w)")
    assert stepped.requires_grad, (
        "the step: expected a result that can be differentiated with respect to w, got a constant. "
        "Hint: torch.autograd.grad(..., create_graph=True), and no .detach()"
    )
    (gradient,) = torch.autograd.grad(loss(stepped), w)
    shrink = torch.eye(2, dtype=torch.float64) - 0.1 * matrix
    _compare(
        gradient,
        (shrink @ matrix @ shrink @ w).detach(),
        "the outer gradient",
        "with create_graph=False the factor (I − αA) is missing: that is first-order MAML",
    )
    print("inner_step: right, and differentiable twice")


def stratify(function: Callable) -> None:
    """Exercise 06.2: `function(count, limit, generator)` -> (count,) k1 values, the i-th from the i-th stratum."""
    hint = "−λ + 2λ (i − 1 + u) / N, with its own u for every i"
    for count in (1, 4, 25):
        k1, again = (function(count, 0.8, torch.Generator().manual_seed(count)) for _ in range(2))
        assert isinstance(k1, torch.Tensor), f"expected a tensor, got {type(k1).__name__}. Hint: {hint}"
        assert tuple(k1.shape) == (count,), f"expected shape ({count},), got {tuple(k1.shape)}. Hint: {hint}"
        assert torch.equal(k1, again), (
            "expected the same values from the same generator, got others. Hint: torch.rand(..., generator=generator)"
        )
        edges = torch.linspace(-0.8, 0.8, count + 1)
        inside = (k1 >= edges[:-1] - 1e-6) & (k1 <= edges[1:] + 1e-6)
        assert inside.all(), (
            f"count = {count}: value {int((~inside).nonzero()[0])} is outside its stratum. Hint: {hint}"
        )
        places = k1 - edges[:-1]
        assert count == 1 or places.max() - places.min() > 1e-4, (
            f"count = {count}: every value is at the same place in its stratum. Hint: {hint}"
        )
    first, second = (function(4, 0.8, torch.Generator().manual_seed(s)) for s in (1, 2))
    assert not torch.equal(first, second), f"expected other values from another generator, got the same. Hint: {hint}"
    print("stratify: one value in every stratum")


def symmetry_loss(function: Callable) -> None:
    """Exercise 06.3: `function(pose)` -> scale-free left/right bone-length difference of (frames, 17, 3)."""
    generator = torch.Generator().manual_seed(0)
    pose = torch.randn(6, 17, 3, generator=generator, dtype=torch.float64)
    left, right = (list(side) for side in zip(*SYMMETRIC_BONES))
    bones = bone_lengths(pose)
    expected = (bones[:, left] - bones[:, right]).abs().sum(-1).mean() / bones.mean()
    _compare(function(pose), expected, "a random pose", "sum over pairs, mean over frames, divided by the mean bone")
    _compare(function(pose / 2), expected, "half the skeleton", "divide by the mean bone length: it shrinks as well")
    print("symmetry_loss: right, and blind to scale")
