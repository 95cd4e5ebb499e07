"""Lesson 11's checks: a plain solution passes, plausible wrong answers are refused with a hint."""

import math

import pytest
import torch

from tutorial_lib.lessons.stress_testing import checks


def tries(share, certainty):
    return math.ceil(math.log(1 - certainty) / math.log(1 - share))


def loss(mean, asked, errors, std, *, sign=-1, baseline=True, shared=False, power=2):
    advantage = errors - (errors.mean() if shared else errors.mean(0)) if baseline else errors
    density = -0.5 * (asked - mean).square().sum(-1) / std**power
    return sign * (advantage * density).mean(0).sum()


def side(errors, low, high, axis, step, threshold, *, rule=torch.amin, inside=False, corner=False, count=30):
    points = low + torch.rand(count, len(low)) * (high - low)
    if corner:
        points = high.repeat(count, 1)
    if not inside:
        points[:, axis] = high[axis] + step * torch.rand(count)
    return rule(errors(points)) > threshold


def search(errors, start, steps, samples, *, largest=True, clamp=True, extra=0, move=True):
    mean, std = start, torch.full_like(start, 0.4)
    for _ in range(steps):
        points = mean + std * torch.randn(samples + extra, len(start))
        points = points.clamp(-1, 1) if clamp else points
        best = points[errors(points).topk(max(2, samples // 4), largest=largest).indices]
        if move:
            mean, std = best.mean(0), best.std(0).clamp_min(0.05)
    return mean


RIGHT = {"random_tries": tries, "policy": loss, "side_may_grow": side, "own_search": search}
WRONG = {
    "random_tries": {
        "the expected number": lambda s, c: math.ceil(1 / s),
        "of the certainty": lambda s, c: math.ceil(math.log(c) / math.log(1 - s)),
        "not rounded": lambda s, c: math.log(1 - c) / math.log(1 - s),
        "nothing": lambda s, c: None,
    },
    "policy": {
        "the sign": lambda *a: loss(*a, sign=1),
        "no baseline": lambda *a: loss(*a, baseline=False),
        "one baseline": lambda *a: loss(*a, shared=True),
        "no square": lambda *a: loss(*a, power=1),
        "no gradient": lambda *a: loss(*a).detach(),
    },
    "side_may_grow": {
        "the mean": lambda *a: side(*a, rule=torch.mean),
        "one is enough": lambda *a: side(*a, rule=torch.amax),
        "inside": lambda *a: side(*a, inside=True),
        "a corner": lambda *a: side(*a, corner=True),
        "too few": lambda *a: side(*a, count=2),
        "always": lambda *a: True,
    },
    "own_search": {
        "the smallest": lambda *a: search(*a, largest=False),
        "out of the cube": lambda *a: search(*a, clamp=False),
        "too many questions": lambda *a: search(*a, extra=5),
        "it stays": lambda *a: search(*a, move=False),
        "nothing": lambda *a: None,
    },
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_plain_solution_passes(name, capsys):
    getattr(checks, name)(RIGHT[name])
    assert capsys.readouterr().out.startswith(name)


@pytest.mark.parametrize("name,slip", [(name, slip) for name, slips in WRONG.items() for slip in slips])
def test_a_slip_is_refused_with_a_hint(name, slip):
    with pytest.raises(AssertionError, match="Hint"):
        getattr(checks, name)(WRONG[name][slip])


@pytest.mark.parametrize(
    "name,slip,named",
    (
        ("random_tries", "the expected number", "expected number of tries"),
        ("policy", "no baseline", "no baseline"),
        ("policy", "one baseline", "one baseline serves all"),
        ("side_may_grow", "the mean", "the mean, or one failing sample"),
        ("own_search", "the smallest", "smallest errors were kept"),
    ),
)
def test_common_slips_are_named(name, slip, named):
    with pytest.raises(AssertionError, match=named):
        getattr(checks, name)(WRONG[name][slip])
