"""Checks of lesson 01: the target map, three ways to read a map, and the likelihood of an answer with a width."""

from collections.abc import Callable

import torch

from tutorial_lib import heatmaps
from tutorial_lib.display.exercises import compare, exercise, number, tensor


def _random(seed: int, *shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@exercise
def target_map(function: Callable) -> str:
    """Exercise 01.1: `function(point, cells, sigma)` -> (cells, cells) Gaussian bump with peak 1 around one point."""
    hint = "cell i has its centre at (2 i + 1) / cells - 1, rows are y, and sigma counts cells: 2 / cells each"
    for point, cells, sigma in (((0.0, 0.0), 5, 1.0), ((0.35, -0.6), 16, 2.0), ((-0.83, 0.4), 12, 0.8)):
        point = torch.tensor(point, dtype=torch.float64)
        expected = heatmaps.gaussian_target(point, cells, sigma)
        compare(function(point, cells, sigma), expected, f"point {point.tolist()}, {cells} cells, σ = {sigma}", hint)
    return "target_map: right for three points, three grids and three widths"


@exercise
def quarter(function: Callable) -> str:
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
    return "quarter: right in the middle, at ties and at both borders"


@exercise
def soft_place(function: Callable) -> str:
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
    return "soft_place: the place and its gradient are right, also for huge logits"


@exercise
def dark_step(function: Callable) -> str:
    """Exercise 01.4: `function(maps)` -> peak (x, y) in cells of one map (5, 5) after DARK's Newton step."""
    hint = "take the logarithm first; the middle cell is (2, 2); the step is minus the inverse of H times the gradient"
    slopes = "central differences: (h[2, 3] - h[2, 1]) / 2, and (h[2, 3] - 2 h[2, 2] + h[2, 1]) for the curvature"
    for place, wide, tilt in (((2.0, 2.0), 1.0, 0.0), ((2.3, 1.8), 1.0, 0.0), ((1.6, 2.2), 2.0, 0.0),
                              ((2.2, 2.3), 1.5, 0.4)):  # fmt: skip
        cells = torch.arange(5, dtype=torch.float64)
        x, y = cells[None, :] - place[0], cells[:, None] - place[1]
        bump = torch.exp(-(x**2 + y**2 - 2 * tilt * x * y) / (2 * wide**2))
        what = f"a bump at {place} of width {wide}" + (", leaning" if tilt else "")
        compare(
            function(bump), torch.tensor(place, dtype=torch.float64), what,
            slopes if place == (2.0, 2.0) else f"{hint}; mixed slope: (h[3, 3] - h[3, 1] - h[1, 3] + h[1, 1]) / 4",
        )  # fmt: skip
    return "dark_step: exact on four bumps, also on one that leans"


@exercise
def likelihood(function: Callable) -> str:
    """Exercise 01.5: `function(mu, sigma, target)` -> mean of -log density of Laplace errors; all (joints, 2)."""
    hint = "per coordinate: log σ + √2 |target − μ| / σ + log √2; add x and y, average over the joints"
    width = "σ is there twice: a wide answer pays log σ, and its errors count less"
    for seed, size in ((1, 1.0), (2, 0.1), (3, 5.0)):
        mu, target = 2 * _random(seed, 6, 2) - 1, 2 * _random(seed + 10, 6, 2) - 1
        sigma = size * (0.1 + 0.8 * _random(seed + 20, 6, 2))
        z = (target - mu) / sigma
        expected = -(heatmaps.log_laplace(z) - torch.log(sigma).sum(-1)).mean()
        got = tensor(function(mu, sigma, target), f"six joints, widths around {size / 2:g}", hint)
        compare(got, expected, f"six joints, widths around {size / 2:g}", f"{hint}. {width}")
    return "likelihood: right for small, usual and large widths"
