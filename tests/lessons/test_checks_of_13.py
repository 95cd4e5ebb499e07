"""Lesson 13's checks: a plain solution passes, plausible wrong answers are refused with a hint."""

import pytest
import torch

from tutorial_lib.lessons.egocentric import checks


def lens(points, *, half=2.0, times=2.0, pinhole=False):
    flat = points[..., :2].norm(dim=-1, keepdim=True)
    if pinhole:
        return points[..., :2] / points[..., 2:]
    angle = torch.arccos(points[..., 2:] / points.norm(dim=-1, keepdim=True))
    return times * torch.sin(angle / half) * points[..., :2] / flat


def cube(distance, rays, there, cells, *, order=(2, 1, 0), along=False, known=True, count=0, clamp=False):
    points = distance[:, None] * (rays / rays[:, 2:] if along else rays)
    where = (points + torch.tensor([1.1, 1.1, 0.0])) / 2.2
    index = torch.round(where * (cells - 1)).long() if count else torch.floor(where * cells).long()
    fits = (index >= 0).all(-1) & (index < cells).all(-1)
    keep = (there if known else torch.ones_like(there)) & (torch.ones_like(there) if clamp else fits)
    index = index[keep].clamp(0, cells - 1)
    volume = torch.zeros(cells, cells, cells)
    volume[tuple(index[:, axis] for axis in order)] = 1
    return volume.bool()


def grown(pose, up, height, *, sole=0.08, pick=torch.amin, moved=False, z=False):
    below = pose[[3, 6], 2] if z else -(pose[[3, 6]] @ up)
    if moved:
        return pose - (height - sole - below.max()) * up
    return pose * pick((height - sole) / below)


RIGHT = {"through_the_lens": lens, "fill_the_cube": cube, "until_it_stands": grown}
WRONG = {
    "through_the_lens": {
        "pinhole": lambda p: lens(p, pinhole=True),
        "not halved": lambda p: lens(p, half=1.0),
        "not doubled": lambda p: lens(p, times=1.0),
        "nothing": lambda p: None,
        "three coordinates": lambda p: p,
    },
    "fill_the_cube": {
        "x, y, z": lambda *a: cube(*a, order=(0, 1, 2)),
        "depth": lambda *a: cube(*a, along=True),
        "unknown too": lambda *a: cube(*a, known=False),
        "corners": lambda *a: cube(*a, count=1),
        "clamped": lambda *a: cube(*a, clamp=True),
        "empty": lambda d, r, t, n: torch.zeros(n, n, n, dtype=torch.bool),
        "nothing": lambda *a: None,
    },
    "until_it_stands": {
        "the other foot": lambda *a: grown(*a, pick=torch.amax),
        "the mean": lambda *a: grown(*a, pick=torch.mean),
        "no sole": lambda *a: grown(*a, sole=0.0),
        "moved": lambda *a: grown(*a, moved=True),
        "z": lambda *a: grown(*a, z=True),
        "as it was": lambda pose, up, height: pose,
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
        ("through_the_lens", "pinhole", "a pinhole's picture"),
        ("through_the_lens", "not halved", "half of the angle"),
        ("fill_the_cube", "x, y, z", "indexed x, y, z"),
        ("fill_the_cube", "depth", "taken for depth along the axis"),
        ("fill_the_cube", "corners", "from their corners"),
        ("fill_the_cube", "clamped", "moved to the border"),
        ("until_it_stands", "the other foot", "the other foot stands"),
        ("until_it_stands", "moved", "moved down, not grown"),
        ("until_it_stands", "z", "the camera is tilted"),
    ],
)
def test_common_slips_are_named(name, slip, named):
    with pytest.raises(AssertionError, match=named):
        getattr(checks, name)(WRONG[name][slip])
