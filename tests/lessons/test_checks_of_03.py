"""The exercises' checks of lesson 03: right answers pass, plausible wrong ones are caught with a hint."""

import pytest
import torch

from tutorial_lib.lessons.shape_templates import checks as checks
from tutorial_lib.templates import anchor_loss, boundary_loss, identity, part_maps, springs
from tutorial_lib.templates.losses import anchors

RIGHT = {
    "moved_gaussian": [
        lambda m, c, a, t: (m + t, a @ c @ a.T),
        lambda m, c, a, t: (t + m, torch.einsum("ij,jk,lk->il", a, c, a)),
    ],
    "spring_loss": [
        lambda a, b: ((a - b) / 2).square().sum() / 3,
        lambda a, b: (a - b).norm(dim=-1).square().sum() / 12,
    ],
    "fence": [
        lambda a: (a.abs() - 1).clamp_min(0).sum() / 3,
        lambda a: torch.relu(a - 1).sum() / 3 + torch.relu(-a - 1).sum() / 3,
    ],
    "fit_template": [lambda target, start: fitted(target, start)],
}


def fitted(target, start, weight=0.5, steps=80, rate=0.015):
    affines = start.clone().requires_grad_()
    optimiser = torch.optim.Adam([affines], rate)
    for _ in range(steps):
        painted = checks.silhouette(part_maps(affines, len(target)))
        optimiser.zero_grad()
        ((painted - target).abs().mean() + weight * anchor_loss(affines)).backward()
        optimiser.step()
    return affines.detach()


WRONG = {
    "moved_gaussian": {
        "A also moves the mean": lambda m, c, a, t: (a @ m + t, a @ c @ a.T),
        "A on one side": lambda m, c, a, t: (m + t, a @ c),
        "transposed first": lambda m, c, a, t: (m + t, a.T @ c @ a),
        "the shift widens": lambda m, c, a, t: (m + t, a @ c @ a.T + torch.outer(t, t)),
        "not shifted": lambda m, c, a, t: (m, a @ c @ a.T),
        "only the mean": lambda m, c, a, t: m + t,
    },
    "spring_loss": {
        "screen units": lambda a, b: (a - b).square().sum() / 3,
        "a mean": lambda a, b: ((a - b) / 2).square().mean(),
        "not squared": lambda a, b: ((a - b) / 2).norm(dim=-1).sum() / 3,
        "without the third": lambda a, b: ((a - b) / 2).square().sum(),
        "divided by the pairs": lambda a, b: ((a - b) / 2).square().sum() / 3 / len(a),
        "one a pair": lambda a, b: ((a - b) / 2).square().sum(-1) / 3,
    },
    "fence": {
        "the core only": lambda a: (a[:3].abs() - 1).clamp_min(0).sum() / 3,
        "the paper's jump": lambda a: (a.abs() * (a.abs() > 1)).sum() / 3,
        "only to the right and below": lambda a: (a - 1).clamp_min(0).sum() / 3,
        "a mean over the axes": lambda a: (a.abs() - 1).clamp_min(0).mean(-1).sum(),
        "a sum over the axes": lambda a: (a.abs() - 1).clamp_min(0).sum(),
        "a mean over the anchors": lambda a: (a.abs() - 1).clamp_min(0).mean(),
        "a reward inside": lambda a: (a.abs() - 1).sum() / 3,
        "nothing": lambda a: None,
    },
    "fit_template": {
        "not a step": lambda target, start: start,
        "the loss": lambda target, start: anchor_loss(start),
        "nothing": lambda target, start: None,
        "no springs": lambda target, start: fitted(target, start, weight=0.0),
        "no number": lambda target, start: start * float("nan"),
    },
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_pass(name, capsys):
    for answer in RIGHT[name]:
        getattr(checks, name)(answer)
    assert capsys.readouterr().out.count(name) == len(RIGHT[name])


@pytest.mark.parametrize("name,what", [(name, what) for name, wrong in WRONG.items() for what in wrong])
def test_wrong_answers_are_caught_with_a_hint(name, what):
    with pytest.raises(AssertionError, match="Hint: "):
        getattr(checks, name)(WRONG[name][what])


def test_exercises_agree_with_the_library():
    affines = identity(dtype=torch.float64) + 0.5 * torch.randn(
        18, 2, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    ends = springs(affines)
    assert torch.allclose(RIGHT["spring_loss"][0](ends[:, 0], ends[:, 1]), anchor_loss(affines))
    assert torch.allclose(RIGHT["fence"][0](anchors(affines)), boundary_loss(affines))
