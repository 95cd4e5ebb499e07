"""Lesson 10's checks: a plain solution passes, plausible wrong answers are refused with a hint."""

import numpy as np
import pytest
import torch

from tutorial_lib.lessons.mesh_recovery import checks


def six(numbers, *, rows=False, interleaved=False, lean=False, sign=1):
    a, b = (numbers[..., 0::2], numbers[..., 1::2]) if interleaved else (numbers[..., :3], numbers[..., 3:])
    a = a / a.norm(dim=-1, keepdim=True)
    b = b if lean else b - (a * b).sum(-1, keepdim=True) * a
    b = b / b.norm(dim=-1, keepdim=True)
    made = torch.stack([a, b, sign * torch.linalg.cross(a, b)], -1)
    return made.mT if rows else made


def camera(points, dots, *, kind="right"):
    x, y = points[:, :2].numpy(), dots.numpy()
    system = np.zeros((34, 3))
    system[:17, 0], system[17:, 0], system[:17, 1], system[17:, 2] = x[:, 0], x[:, 1], 1, 1
    s, *t = np.linalg.lstsq(system, np.concatenate([y[:, 0], y[:, 1]]), rcond=None)[0]
    if kind == "sizes":
        s = y.std(0).sum() / x.std(0).sum()
    if kind == "shift":
        t = y.mean(0) - x.mean(0)
    return torch.tensor([s, *t], dtype=torch.float32)


def robust(distance, scale, *, kind="right"):
    square, c = distance**2, scale**2
    return {"right": c * square / (c + square), "plain": square, "bound": square / (c + square)}[kind]


RIGHT = {"six_numbers": six, "place_the_camera": camera, "forgive": robust}
WRONG = {
    "six_numbers": {
        "rows": lambda n: six(n, rows=True),
        "interleaved": lambda n: six(n, interleaved=True),
        "leaning": lambda n: six(n, lean=True),
        "reflection": lambda n: six(n, sign=-1),
        "nothing": lambda n: None,
    },
    "place_the_camera": {
        "sizes": lambda p, d: camera(p, d, kind="sizes"),
        "shift": lambda p, d: camera(p, d, kind="shift"),
        "two numbers": lambda p, d: camera(p, d)[:2],
    },
    "forgive": {
        "plain": lambda d, s: robust(d, s, kind="plain"),
        "bound": lambda d, s: robust(d, s, kind="bound"),
        "nothing": lambda d, s: None,
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
    [
        ("six_numbers", "rows", "rows, not columns"),
        ("six_numbers", "interleaved", "columns interleaved"),
        ("six_numbers", "leaning", "still leans"),
        ("six_numbers", "reflection", "a reflection"),
        ("place_the_camera", "shift", "forgot the enlargement"),
        ("forgive", "plain", "the plain square"),
        ("forgive", "bound", "bounded by 1"),
    ],
)
def test_common_slips_are_named(name, slip, named):
    with pytest.raises(AssertionError, match=named):
        getattr(checks, name)(WRONG[name][slip])
