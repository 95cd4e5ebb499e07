"""Checks of lesson 01: the target map, two ways to read a map, and what the grid costs."""

from collections.abc import Callable

import torch

from tutorial_lib import heatmaps
from tutorial_lib.display.exercises import compare, number


def _random(seed: int, *shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def target_map(function: Callable) -> None:
    """Exercise 01.1: `function(point, cells, sigma)` -> (cells, cells) Gaussian bump with peak 1 around one point."""
    hint = "cell i has its centre at (2 i + 1) / cells - 1, rows are y, and sigma counts cells: 2 / cells each"
    for point, cells, sigma in (((0.0, 0.0), 5, 1.0), ((0.35, -0.6), 16, 2.0), ((-0.83, 0.4), 12, 0.8)):
        point = torch.tensor(point, dtype=torch.float64)
        expected = heatmaps.gaussian_target(point, cells, sigma)
        compare(function(point, cells, sigma), expected, f"point {point.tolist()}, {cells} cells, σ = {sigma}", hint)
    print("target_map: right for three points, three grids and three widths")


def quarter(function: Callable) -> None:
    """Exercise 01.2: `function(row)` -> place in cells of the peak of (cells,) after a quarter shift."""
    hint = "a quarter cell towards the higher neighbour of the peak; not at the border, not at a tie"
    cases = {
        "the right neighbour is higher": ([0.0, 0.2, 1.0, 0.7, 0.1], 2.25),
        "the left neighbour is higher": ([0.1, 0.6, 1.0, 0.3, 0.9], 1.75),
        "both neighbours are as high": ([0.0, 0.5, 1.0, 0.5, 0.0], 2.0),
        "the peak is the first cell": ([1.0, 0.8, 0.1, 0.0, 0.0], 0.0),
        "the peak is the last cell": ([0.0, 0.1, 0.2, 0.6, 0.9], 4.0),
        "the peak is the second cell": ([0.2, 1.0, 0.4, 0.0, 0.0], 1.25),
    }
    for what, (row, place) in cases.items():
        got = number(function(torch.tensor(row, dtype=torch.float64)), what, hint)
        assert abs(got - place) < 1e-6, f"{what}: expected {place}, got {got:g}. Hint: {hint}"
    print("quarter: right in the middle, at ties and at both borders")


def soft_place(function: Callable) -> None:
    """Exercise 01.3: `function(logits)` -> mean place (2,) of (rows, columns) and d(x, y)/d(logits) (2, rows, columns).

    The gradient must come from the closed form p_i (x_i - mean x), not from autograd.
    """
    hint = "softmax over all cells at once, then x = Σ p (column centre), y = Σ p (row centre)"
    slope = "∂x̂/∂logit_i = p_i (x_i − x̂), and the same for y: a cell pulls by its share times its distance"
    for seed, (rows, columns), size in ((1, (4, 4), 3.0), (2, (3, 6), 8.0), (3, (5, 5), 0.1)):
        logits = (size * _random(seed, rows, columns)).requires_grad_()
        what = f"a random map of {rows} × {columns}"
        place = heatmaps.soft_argmax(logits)
        gradient = torch.stack([torch.autograd.grad(v, logits, retain_graph=True)[0] for v in place])
        answer = function(logits.detach())
        assert isinstance(answer, (tuple, list)) and len(answer) == 2, (
            f"{what}: expected the place and its gradient, got {type(answer).__name__}. Hint: {hint}"
        )
        compare(answer[0], place.detach(), f"{what}: the place", hint)
        compare(answer[1], gradient, f"{what}: the gradient", slope)
    huge = torch.tensor([[0.0, 2000.0], [0.0, 0.0]], dtype=torch.float64)
    compare(function(huge)[0], heatmaps.soft_argmax(huge), "logits up to 2000", "torch.softmax does not overflow")
    print("soft_place: the place and its gradient are right, also for huge logits")


def grid_cost(function: Callable) -> None:
    """Exercise 01.4: `function(stride)` -> mean error in pixels of argmax on a perfect map, by formula or by chance."""
    hint = "the joint is anywhere in its cell: average the distance of a point of the unit square from its middle"
    for stride in (1, 4, 16):
        expected = stride * heatmaps.MEAN_RESIDUAL
        got = number(function(stride), f"stride {stride}", hint)
        assert abs(got / expected - 1) < 0.01, (
            f"stride {stride}: expected {expected:.3f} px within one per cent, got {got:.3f}. Hint: {hint}"
        )
    print("grid_cost: right for three strides")
