"""Checks of lesson 11: how many random questions, the policy gradient, growing one side, a whole search."""

import math
from collections.abc import Callable

import torch

from tutorial_lib.display.exercises import compare, exercise, number, tensor
from tutorial_lib.lessons.stress_testing import demo_own
from tutorial_lib.stress_testing.search import policy_loss


@exercise
def random_tries(function: Callable) -> str:
    """Exercise 11.1: `function(share, certainty)` -> how many random questions, a whole number."""
    hint = "all n miss with probability (1 - share) ** n; that must fall to 1 - certainty, and n is rounded up"
    for share, certainty in ((0.04, 0.95), (0.0007, 0.95), (0.5, 0.9)):
        expected = math.ceil(math.log(1 - certainty) / math.log(1 - share))
        got = number(function(share, certainty), f"share {share:g}, certainty {certainty:g}", hint)
        mistakes = {
            "the expected number of tries, 1 / share": 1 / share,
            "certainty / share, which is right for no share": certainty / share,
            "the logarithm of the certainty, not of what is left": math.log(certainty) / math.log(1 - share),
        }
        if got != expected:
            what = next((f", as if it were {said}" for said, value in mistakes.items() if abs(got - value) < 1), "")
            raise AssertionError(
                f"share {share:g}, certainty {certainty:g}: {got:g}, expected {expected}{what}. Hint: {hint}"
            )
    return "random_tries: rare failures need many questions"


@exercise
def policy(function: Callable) -> str:
    """Exercise 11.2: `function(mean, asked, errors, std)` -> the loss of a policy whose baseline is the mean error."""
    generator = torch.Generator().manual_seed(0)
    mean = torch.randn(3, 4, generator=generator, dtype=torch.float64).requires_grad_()
    asked = mean.detach() + 0.2 * torch.randn(6, 3, 4, generator=generator, dtype=torch.float64)
    errors = 100 + 50 * torch.randn(6, 3, generator=generator, dtype=torch.float64)
    hint = "minus the mean over samples of (error - baseline) * log density, the baseline being each agent's mean error"
    advantage = errors - errors.mean(0)
    loss = tensor(function(mean, asked, errors, 0.2), "the loss", hint)
    assert loss.requires_grad, f"the loss has no gradient: no agent can move. Hint: {hint}"

    def slope(value: torch.Tensor) -> torch.Tensor:
        return torch.autograd.grad(value.sum(), mean, retain_graph=True)[0]

    expected = slope(policy_loss(mean, asked, advantage, 0.2))
    mistakes = {
        "the sign is turned: agents flee from errors": -expected,
        "there is no baseline": slope(policy_loss(mean, asked, errors, 0.2)),
        "one baseline serves all agents": slope(policy_loss(mean, asked, errors - errors.mean(), 0.2)),
        "the variance is missing": expected * 0.04,
        "you divide by the standard deviation, not by its square": expected * 0.2,
        "the loss is averaged over agents, and each moves less": expected / 3,
    }
    compare(slope(loss), expected, "the gradient", hint, 1e-6, mistakes)
    return "policy: likelier where it was worse than usual"


@exercise
def side_may_grow(function: Callable) -> str:
    """Exercise 11.3: `function(errors, low, high, axis, step, threshold)` -> whether the upper side may move out."""
    hint = (
        "draw points uniformly between low and high, put their coordinate `axis` between high[axis] and "
        "high[axis] + step, ask `errors`, and say whether the smallest is above the threshold"
    )
    low, high = torch.tensor([-0.2, -0.4, 0.1]), torch.tensor([0.3, 0.2, 0.6])

    def world(kind: str, asked: list[torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
        def errors(latent: torch.Tensor) -> torch.Tensor:
            asked.append(latent.detach().clone())
            if kind == "one in three is safe":
                return torch.where(latent[..., 0] < low[0] + (high[0] - low[0]) / 3, 100.0, 400.0)
            return torch.full(latent.shape[:-1], 200.0 if kind == "all fail" else 100.0)

        return errors

    expected = {"all fail": True, "all are safe": False, "one in three is safe": False}
    for kind, right in expected.items():
        asked: list[torch.Tensor] = []
        with torch.random.fork_rng(devices=[]):  # the student's random numbers stay as they were
            torch.manual_seed(0)
            got = function(world(kind, asked), low, high, 1, 0.1, 150.0)
        assert asked, f"{kind}: `errors` was never asked. Hint: {hint}"
        points = torch.cat([part.reshape(-1, 3) for part in asked])
        assert len(points) >= 5, f"{kind}: {len(points)} samples, expected at least 5. Hint: {hint}"
        new = points[:, 1]
        assert ((new >= high[1] - 1e-6) & (new <= high[1] + 0.1 + 1e-6)).all(), (
            f"{kind}: samples have {new.min():.2f} to {new.max():.2f} along the axis, expected the new slab, "
            f"{high[1]:.2f} to {high[1] + 0.1:.2f}: what is inside already failed. Hint: {hint}"
        )
        assert new.std() > 0.005, (
            f"{kind}: all samples have {new.mean():.2f} along the axis, expected them to spread over the slab, "
            f"{high[1]:.2f} to {high[1] + 0.1:.2f}. Hint: {hint}"
        )
        others = points[:, [0, 2]]
        inside = ((others >= low[[0, 2]] - 1e-6) & (others <= high[[0, 2]] + 1e-6)).all()
        assert inside, f"{kind}: samples leave the box along other axes. Hint: {hint}"
        assert (others.std(0) > 0.02).all(), (
            f"{kind}: samples do not spread over the box along other axes. Hint: {hint}"
        )
        said = bool(got)
        mean_rule = kind == "one in three is safe" and said
        assert said == right, (
            f"{kind}: the answer is {said}, expected {right}"
            + (": it looks as if the mean, or one failing sample, decides" if mean_rule else "")
            + f". Hint: {hint}"
        )
    return "side_may_grow: only if everything in the new slab fails"


@exercise
def own_search(function: Callable) -> str:
    """Exercise 11.4: `function(errors, start, steps, samples)` -> where an agent ends and the worst it asked, (D,)."""
    hint = (
        "a step: draw `samples` points round the mean, clamp them to [-1, 1], ask, keep the quarter with the "
        "LARGEST errors, move the mean to theirs and the width to their standard deviation, but not below 0.05; and "
        "keep the point with the largest error of all steps"
    )
    tops = {"a hill": torch.tensor([0.5, -0.4, 0.2]), "a hill in a corner": torch.tensor([0.95, 0.9, -0.95])}
    for what, top in tops.items():
        asked: list[torch.Tensor] = []

        def hill(latent: torch.Tensor, top: torch.Tensor = top) -> torch.Tensor:
            return 200 - 100 * (latent - top).square().sum(-1)

        def errors(latent: torch.Tensor, asked: list[torch.Tensor] = asked, hill: Callable = hill) -> torch.Tensor:
            asked.append(latent.detach().clone().reshape(-1, 3))
            return hill(latent)

        start = torch.tensor([-0.6, 0.6, 0.0])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            got = function(errors, start, 30, 20)
        pair = isinstance(got, tuple | list) and len(got) == 2
        assert pair, f"{what}: got {type(got).__name__}, expected two places, the mean and the worst. Hint: {hint}"
        ended, worst = (tensor(place, what, hint) for place in got)
        for name, place in (("the mean", ended), ("the worst", worst)):
            assert place.shape == (3,), f"{what}: {name} has shape {tuple(place.shape)}, expected (3,). Hint: {hint}"
        points = torch.cat(asked) if asked else torch.zeros(1, 3)
        assert len(points) <= 30 * 20 + 1, (
            f"{what}: {len(points)} questions, expected at most steps * samples = 600: the control has no more. "
            f"Hint: {hint}"
        )
        assert (points.abs() <= 1 + 1e-6).all(), f"{what}: questions leave the cube [-1, 1]. Hint: {hint}"
        far = torch.linalg.vector_norm(ended - top).item()
        began = torch.linalg.vector_norm(start - top).item()
        away = ": it walks away from the top, as if the smallest errors were kept" if far > began + 0.1 else ""
        still = ": it did not move" if abs(far - began) < 1e-3 else ""
        assert far < 0.25, f"{what}: ends {far:.2f} from the top, expected less than 0.25{away}{still}. Hint: {hint}"
        missed = (hill(points).max() - hill(worst)).item()
        last = hill(worst) <= hill(points[-20:]).max() + 1e-3
        assert abs(missed) < 1e-3, (
            f"{what}: the worst has an error of {hill(worst):.1f}, expected the largest, {hill(points).max():.1f}"
            f"{': it looks as if the last step alone counts' if last and missed > 0 else ''}. Hint: {hint}"
        )
    demo_own.checked(function)
    return "own_search: climbs hills, asks no more than it may, and hunts lesson 04's lifter from now on"
