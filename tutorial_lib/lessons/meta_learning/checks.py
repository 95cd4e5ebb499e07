"""Checks of lesson 06: the inner step of MAML, stratified sampling, a loss without labels."""

from collections.abc import Callable

import torch

from tutorial_lib.display.exercises import compare, exercise, tensor
from tutorial_lib.skeleton import SYMMETRIC_BONES, bone_lengths


@exercise
def inner_step(function: Callable) -> str:
    """Exercise 06.1: `function(w, loss, alpha)` -> w after one gradient step that can be differentiated."""
    matrix = torch.tensor([[2.0, 0.3], [0.3, 0.5]], dtype=torch.float64)
    w = torch.tensor([0.4, -0.7], dtype=torch.float64, requires_grad=True)

    def loss(v: torch.Tensor) -> torch.Tensor:
        return 0.5 * v @ matrix @ v

    stepped = tensor(function(w, loss, 0.1), "the step", "return w − α ∇loss(w)")
    compare(stepped.detach(), (w - 0.1 * matrix @ w).detach(), "the step", "w − α ∇loss(w)")
    assert stepped.requires_grad, (
        "the step: expected a result that can be differentiated with respect to w, got a constant. "
        "Hint: torch.autograd.grad(..., create_graph=True), and no .detach()"
    )
    (gradient,) = torch.autograd.grad(loss(stepped), w)
    shrink = torch.eye(2, dtype=torch.float64) - 0.1 * matrix
    compare(
        gradient,
        (shrink @ matrix @ shrink @ w).detach(),
        "the outer gradient",
        "with create_graph=False the factor (I − αA) is missing: that is first-order MAML",
    )
    return "inner_step: right, and differentiable twice"


@exercise
def stratify(function: Callable) -> str:
    """Exercise 06.2: `function(count, limit, generator)` -> (count,) k1 values, the i-th from the i-th stratum."""
    hint = "−λ + 2λ (i − 1 + u) / N, with its own u for every i"
    for count in (1, 4, 25):
        k1, again = (
            tensor(function(count, 0.8, torch.Generator().manual_seed(count)), f"count = {count}", hint)
            for _ in range(2)
        )
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
    return "stratify: one value in every stratum"


@exercise
def symmetry_loss(function: Callable) -> str:
    """Exercise 06.3: `function(pose)` -> scale-free left/right bone-length difference of (frames, 17, 3)."""
    generator = torch.Generator().manual_seed(0)
    pose = torch.randn(6, 17, 3, generator=generator, dtype=torch.float64)
    left, right = (list(side) for side in zip(*SYMMETRIC_BONES))
    bones = bone_lengths(pose)
    expected = (bones[:, left] - bones[:, right]).abs().sum(-1).mean() / bones.mean()
    compare(function(pose), expected, "a random pose", "sum over pairs, mean over frames, divided by the mean bone")
    compare(function(pose / 2), expected, "half the skeleton", "divide by the mean bone length: it shrinks as well")
    return "symmetry_loss: right, and blind to scale"
