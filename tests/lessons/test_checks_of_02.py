"""Lesson 02's checks: a plain solution passes, plausible wrong answers are refused with a hint."""

import math

import numpy as np
import pytest
import torch

from tutorial_lib.integral import hard_argmax, soft_argmax_3d
from tutorial_lib.lessons.integral_pose import checks as checks


def centres(n):
    return (2 * torch.arange(n) + 1) / n - 1


PEAK = (2 * torch.pi) ** -0.5


def cube(cell, shape, reach=5, peak=PEAK, order=(2, 1, 0), truncated=True):
    grids = np.meshgrid(*[np.arange(n) for n in shape], indexing="ij")
    offsets = [grid - cell[axis] for grid, axis in zip(grids, order)]
    square = sum(o**2.0 for o in offsets)
    inside = np.all([np.abs(o) <= reach for o in offsets], axis=0) if truncated else 1.0
    return torch.from_numpy(peak * np.exp(-square / 2) * inside)


def entropy(t):
    t = t.flatten()
    inner = t[(t > 0) & (t < 1)]
    return -(inner * inner.log() + (1 - inner) * (1 - inner).log()).sum()


def softmax(s):
    return torch.softmax(s, -1)


def mean(s):
    return softmax(s) @ centres(len(s)).double()


def step(net, optimiser, images, target, *, zero=True, squared=False, twice=False, peak=False, move=True):
    """A step of training, right or with one slip."""
    logits = net.logits(images)
    off = (hard_argmax(logits) + 0 * logits.sum() if peak else soft_argmax_3d(logits)) - target
    loss = off.square().mean() if squared else off.abs().mean()
    if zero:
        optimiser.zero_grad()
    loss.backward()
    for _ in range(move + twice):
        optimiser.step()
    return loss


RIGHT = {
    "training_step": step,
    "soft_argmax": lambda s: (softmax(s) * centres(s.shape[-1])).sum(-1),
    "gradient": lambda s: softmax(s) * (centres(len(s)) - mean(s)),
    "half_pixel": lambda x, n: x + 1 / n,
    "gaussian_cube": cube,
    "bce_floor": entropy,
}
WRONG = {
    "training_step": {
        "old gradients stay": lambda *a: step(*a, zero=False),
        "squared": lambda *a: step(*a, squared=True),
        "two steps": lambda *a: step(*a, twice=True),
        "the peak": lambda *a: step(*a, peak=True),
        "no step": lambda *a: step(*a, move=False),
        "nothing returned": lambda *a: step(*a) and None,
    },
    "soft_argmax": {
        "corners": lambda s: (softmax(s) * (2 * torch.arange(s.shape[-1]) / s.shape[-1] - 1)).sum(-1),
        "ends of the interval": lambda s: (softmax(s) * torch.linspace(-1, 1, s.shape[-1])).sum(-1),
        "cells, not coordinates": lambda s: (softmax(s) * torch.arange(s.shape[-1])).sum(-1),
        "first axis": lambda s: (torch.softmax(s, 0) * centres(s.shape[-1])).sum(-1),
        "argmax": lambda s: centres(s.shape[-1]).double()[s.argmax(-1)],
        "plain exponentials": lambda s: (s.exp() / s.exp().sum(-1, keepdim=True) * centres(s.shape[-1])).sum(-1),
        "one number": lambda s: (softmax(s) * centres(s.shape[-1])).sum(),
        "nothing": lambda s: None,
    },
    "gradient": {
        "without the mean": lambda s: softmax(s) * centres(len(s)),
        "without the centre": lambda s: softmax(s) * (1 - softmax(s)),
        "the other sign": lambda s: softmax(s) * (mean(s) - centres(len(s))),
        "not weighted": lambda s: centres(len(s)) - mean(s),
        "one number": lambda s: (softmax(s) * (centres(len(s)) - mean(s))).sum(),
    },
    "half_pixel": {
        "a whole cell": lambda x, n: x + 2 / n,
        "half a unit": lambda x, n: x + 0.5,
        "the other way": lambda x, n: x - 1 / n,
        "a factor": lambda x, n: x * n / (n - 1),
        "nothing done": lambda x, n: x,
    },
    "gaussian_cube": {
        "peak 1, as the report's text": lambda c, s: cube(c, s, peak=1.0),
        "a density": lambda c, s: cube(c, s, peak=(2 * math.pi) ** -1.5),
        "no cube": lambda c, s: cube(c, s, truncated=False),
        "a cube of 9": lambda c, s: cube(c, s, reach=4),
        "axes exchanged": lambda c, s: cube(c, s, order=(0, 1, 2)),
        "normalised": lambda c, s: cube(c, s) / cube(c, s).sum(),
        "x first": lambda c, s: cube(c, s).permute(2, 1, 0),
        "numpy": lambda c, s: cube(c, s).numpy(),
    },
    "bce_floor": {
        "zero": lambda t: torch.zeros((), dtype=t.dtype),
        "NaN at 0 log 0": lambda t: -(t * t.log() + (1 - t) * (1 - t).log()).sum(),
        "only half": lambda t: -torch.xlogy(t, t).sum(),
        "mean over cells": lambda t: entropy(t) / t.numel(),
        "negative": lambda t: -entropy(t),
        "bits": lambda t: entropy(t) / math.log(2),
    },
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_plain_solution_passes(name, capsys):
    getattr(checks, name)(RIGHT[name])
    assert capsys.readouterr().out.startswith(name)


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, answers in WRONG.items() for kind in answers])
def test_a_wrong_answer_is_refused_with_a_hint(name, kind, capsys):
    with pytest.raises(AssertionError, match="(?s)(expected|off by).*Hint: "):
        getattr(checks, name)(WRONG[name][kind])
    assert not capsys.readouterr().out
