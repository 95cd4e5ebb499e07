"""Checks of lesson 03: a moved Gaussian, the anchor loss, a fence round every anchor, and a fit without a network."""

from collections.abc import Callable

import torch

from tutorial_lib.display.exercises import compare, exercise, tensor
from tutorial_lib.metrics import distances
from tutorial_lib.templates import affines_to, keypoints, part_maps, puppet, springs
from tutorial_lib.templates.errors import PER_CENT

FITTED = {"a wave": puppet.POSES["wave"], "lowered arms": puppet.POSES["arms down"]}
RETURN = "Hint: return the affines, not the loss"


def _random(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@exercise
def moved_gaussian(function: Callable) -> str:
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
    return "moved_gaussian: mean and covariance are right for three random maps"


@exercise
def spring_loss(function: Callable) -> str:
    """Exercise 03.2: `function(first, second)` -> anchor loss () of pairs (n, 2) and (n, 2), screen coordinates."""
    hint = "half a screen unit is one width of 2: divide by 2, square, sum over x, y and the pairs, divide by 3"
    for seed, count in ((1, 1), (2, 5), (3, 17)):
        first, second = _random(seed, count, 2), _random(seed + 10, count, 2)
        expected = ((first - second) / 2).square().sum() / 3
        compare(function(first, second), expected, f"{count} random pairs", hint)
    together = _random(4, 17, 2)
    nothing = torch.zeros((), dtype=torch.float64)
    compare(function(together, together), nothing, "closed springs", "nothing apart, no loss")
    return "spring_loss: right for 1, 5 and 17 pairs, and 0 where every spring is closed"


@exercise
def fence(function: Callable) -> str:
    """Exercise 03.3: `function(anchors)` -> boundary loss () of anchors (n, 2): a third of the hinge's sum."""
    hint = "how far |a| exceeds 1, and 0 inside; summed over x, y and all anchors; then a third of it"
    inside = torch.tensor([[0.0, 0.0], [0.9, -1.0], [-0.5, 0.3]], dtype=torch.float64)
    last = torch.cat([inside, torch.tensor([[0.2, 1.6]], dtype=torch.float64)])
    cases = {
        "all inside": (inside, 0.0),
        "only the last anchor is outside": (last, 0.2),
        "left of the picture": (-last.flip(-1), 0.2),
        "just over the edge": (torch.tensor([[1.03, 0.0]], dtype=torch.float64), 0.01),
        "every anchor outside": (torch.full((32, 2), -1.5, dtype=torch.float64), 32 / 3),
    }
    for what, (anchors, expected) in cases.items():
        compare(function(anchors), torch.tensor(expected, dtype=torch.float64), what, hint)
    return "fence: right inside, outside on either side, at the edge, and for anchors of any part"


def silhouette(maps: torch.Tensor) -> torch.Tensor:
    """What all parts (18, S, S) cover together: (S, S), 1 - (1 - g1) (1 - g2) ... of the Gaussians g."""
    return 1 - (1 - maps).prod(-3)


@exercise
def fit_template(function: Callable) -> str:
    """Exercise 03.4: `function(target, start)` -> affines (18, 2, 3) whose silhouette is `target` (48, 48)."""
    told = []
    for name, angles in FITTED.items():
        goal = affines_to(puppet.pose(angles))
        start = affines_to(puppet.pose({key: 0.6 * value for key, value in angles.items()}))
        target = silhouette(part_maps(goal, 48))
        answer = tensor(function(target, start.clone()), name, "return the affines after the last step")
        assert answer.shape == (18, 2, 3), f"{name}: expected shape (18, 2, 3), got {tuple(answer.shape)}. " + RETURN
        answer = answer.detach()
        assert answer.isfinite().all(), f"{name}: the affines are not finite. Hint: take a smaller rate"
        gaps = [(silhouette(part_maps(affines, 48)) - target).abs().mean().item() for affines in (start, answer)]
        assert gaps[1] < 0.5 * gaps[0], (
            f"{name}: the silhouettes differ by {gaps[1]:.4f}, at the start by {gaps[0]:.4f}; expected less than half. "
            "Hint: do the affines require a gradient, and does the loop step? Try 150 steps of Adam at a rate of 0.01"
        )
        ends = springs(answer)
        longest = 50 * torch.linalg.vector_norm(ends[:, 0] - ends[:, 1], dim=-1).max().item()
        assert longest < 8, (
            f"{name}: a spring is open by {longest:.0f} % of the width, expected less than 8. "
            "Hint: the silhouette does not know which part covers it; add the anchor loss with its weight"
        )
        wrong = [PER_CENT * distances(keypoints(affines), keypoints(goal)).mean().item() for affines in (start, answer)]
        assert wrong[1] < 0.8 * wrong[0], (
            f"{name}: joints are off by {wrong[1]:.1f} % of the width, at the start by {wrong[0]:.1f} %. "
            "Hint: small steps, so that no part changes places with another"
        )
        told.append(f"{name}, joints off by {wrong[0]:.1f} % at first, by {wrong[1]:.1f} % now")
    return "fit_template: " + "; ".join(told)
