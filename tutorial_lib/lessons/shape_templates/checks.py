"""Checks of lesson 03: a Gaussian under an affine map, the anchor loss, and a fence round every anchor."""

from collections.abc import Callable

import torch

from tutorial_lib.display.exercises import compare


def _random(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def moved_gaussian(function: Callable) -> None:
    """Exercise 03.1: `function(mean, covariance, linear, shift)` -> mean (2,), covariance (2, 2) of the moved part."""
    mean_hint = "the part turns about its own mean, so A moves nothing: only the shift is added"
    hint = "Cov(A x) = A Cov(x) Aᵀ: A stands on both sides, the second time transposed"
    for seed in (1, 2, 3):
        mean, shift = _random(seed, 2), _random(seed + 20, 2)
        linear, root = _random(seed + 10, 2, 2), _random(seed, 2, 2)
        covariance = root @ root.T
        answer = function(mean, covariance, linear, shift)
        assert isinstance(answer, (tuple, list)) and len(answer) == 2, (
            f"expected mean and covariance, got {type(answer).__name__}. Hint: return two tensors"
        )
        what = f"random map {seed}"
        compare(answer[0], mean + shift, f"{what}: the mean", mean_hint)
        compare(answer[1], linear @ covariance @ linear.T, f"{what}: the covariance", hint)
    print("moved_gaussian: mean and covariance are right for three random maps")


def spring_loss(function: Callable) -> None:
    """Exercise 03.2: `function(first, second)` -> anchor loss () of pairs (n, 2) and (n, 2), screen coordinates."""
    hint = "half a screen unit is one width of 2: divide by 2, square, sum over x, y and the pairs, divide by 3"
    for seed, count in ((1, 1), (2, 5), (3, 17)):
        first, second = _random(seed, count, 2), _random(seed + 10, count, 2)
        expected = ((first - second) / 2).square().sum() / 3
        compare(function(first, second), expected, f"{count} random pairs", hint)
    together = _random(4, 17, 2)
    nothing = torch.zeros((), dtype=torch.float64)
    compare(function(together, together), nothing, "closed springs", "nothing apart, no loss")
    print("spring_loss: right for 1, 5 and 17 pairs, and 0 where every spring is closed")


def fence(function: Callable) -> None:
    """Exercise 03.3: `function(anchors)` -> boundary loss () of anchors (n, 2): hinge, mean over axes, sum over all."""
    hint = "max(|a| - 1, 0) for every coordinate; the mean over x and y; the sum over all anchors"
    inside = torch.tensor([[0.0, 0.0], [0.9, -1.0], [-0.5, 0.3]], dtype=torch.float64)
    last = torch.cat([inside, torch.tensor([[0.2, 1.6]], dtype=torch.float64)])
    cases = {
        "all inside": (inside, 0.0),
        "only the last anchor is outside": (last, 0.3),
        "left of the picture": (-last.flip(-1), 0.3),
        "just over the edge": (torch.tensor([[1.02, 0.0]], dtype=torch.float64), 0.01),
        "every anchor outside": (torch.full((32, 2), -1.5, dtype=torch.float64), 16.0),
    }
    for what, (anchors, expected) in cases.items():
        compare(function(anchors), torch.tensor(expected, dtype=torch.float64), what, hint)
    print("fence: right inside, outside on either side, at the edge, and for anchors of any part")
