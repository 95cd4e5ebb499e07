"""The exercises' checks of lesson 01: right answers pass, plausible wrong ones are caught with a hint."""

import math

import pytest
import torch

from tutorial_lib import heatmaps
from tutorial_lib.lessons.heatmap_vs_regression import checks as checks


def centres(cells):
    return (2 * torch.arange(cells, dtype=torch.float64) + 1) / cells - 1


def bump(point, cells, sigma, axis=None, square=True, swap=False, factor=1.0):
    """A target map with room for the usual mistakes."""
    axis = centres(cells) if axis is None else axis
    x, y = point.flip(0) if swap else point
    d2 = (axis[None, :] - x) ** 2 + (axis[:, None] - y) ** 2
    wide = sigma * 2 / cells * factor
    return torch.exp(-(d2 if square else d2.sqrt()) / (2 * wide**2))


def soft(logits, centre=True, swap=False, sign=1.0, share=True):
    """Mean place and its gradient with room for the usual mistakes."""
    rows, columns = logits.shape
    p = torch.softmax(logits.flatten(), 0).reshape(rows, columns)
    gx, gy = centres(columns), centres(rows)
    x, y = (p.sum(0) * gx).sum(), (p.sum(1) * gy).sum()
    dx, dy = gx[None, :] - (x if centre else 0), gy[:, None] - (y if centre else 0)
    weight = p if share else torch.ones_like(p)
    slope = torch.stack([(weight * dx).expand(rows, columns), (weight * dy).expand(rows, columns)])
    place = torch.stack([y, x] if swap else [x, y])
    return place, sign * slope


def rowwise(logits):
    p = torch.softmax(logits, 1)
    place = torch.stack([(p * centres(logits.shape[1])).sum(1).mean(), p.mean()])
    return place, soft(logits)[1]


def exp_by_hand(logits):
    p = torch.exp(logits) / torch.exp(logits).sum()
    return torch.stack([(p.sum(0) * centres(logits.shape[1])).sum(), (p.sum(1) * centres(logits.shape[0])).sum()]), (
        soft(logits)[1]
    )


def nearest(row, step=0.25, tie=0.0, inside=True, skip_second=False):
    """A quarter shift with room for the usual mistakes."""
    peak = int(row.argmax())
    if inside and not 0 < peak < len(row) - 1 or (skip_second and peak < 2):
        return float(peak)
    left, right = row[max(peak - 1, 0)], row[min(peak + 1, len(row) - 1)]
    return peak + (step if right > left else -step if right < left else tie)


def newton(cells, log=True, sign=-1.0, mixed=True, middle=2.0, wide=1.0, swap=False):
    """DARK's step with room for the usual mistakes."""
    h = torch.log(cells) if log else cells
    gradient = torch.stack([h[2, 3] - h[2, 1], h[3, 2] - h[1, 2]]) / 2 * wide
    xx, yy = h[2, 3] - 2 * h[2, 2] + h[2, 1], h[3, 2] - 2 * h[2, 2] + h[1, 2]
    xy = (h[3, 3] - h[3, 1] - h[1, 3] + h[1, 1]) / 4 if mixed else torch.zeros_like(xx)
    step = torch.linalg.solve(torch.stack([torch.stack([xx, xy]), torch.stack([xy, yy])]), gradient)
    place = middle + sign * step
    return place.flip(0) if swap else place


def laplace(mu, sigma, target, root=2**0.5, width=True, constant=True, square=False, mean=True):
    """RLE without its flow, with room for the usual mistakes."""
    z = (target - mu).abs() / sigma
    each = (z**2 / 2 if square else root * z) + (torch.log(sigma) if width else 0)
    each = each + (math.log(2) / 2 if constant else 0)
    return each.sum(-1).mean() if mean else each.sum()


RIGHT = {
    "target_map": [bump, lambda p, n, s: bump(p, n, s).clone()],
    "quarter": [nearest, lambda row: torch.tensor(nearest(row))],
    "soft_place": [soft, lambda logits: list(soft(logits))],
    "dark_step": [newton, lambda cells: heatmaps.to_cells(heatmaps.dark(cells), 5)],
    "likelihood": [
        laplace,
        lambda mu, sigma, target: -torch.distributions.Laplace(mu, sigma / 2**0.5).log_prob(target).sum(-1).mean(),
    ],
}

WRONG = {
    "target_map": {
        "corners instead of centres": lambda p, n, s: bump(p, n, s, axis=2 * torch.arange(n) / n - 1),
        "ends on the border": lambda p, n, s: bump(p, n, s, axis=torch.linspace(-1, 1, n, dtype=torch.float64)),
        "x and y exchanged": lambda p, n, s: bump(p, n, s, swap=True),
        "no square": lambda p, n, s: bump(p, n, s, square=False),
        "sigma in half widths": lambda p, n, s: bump(p, n, s, factor=n / 2),
        "sigma in widths": lambda p, n, s: bump(p, n, s, factor=0.5),
        "no half in the exponent": lambda p, n, s: bump(p, n, s, factor=0.5**0.5),
        "a probability": lambda p, n, s: bump(p, n, s) / bump(p, n, s).sum(),
        "numpy": lambda p, n, s: bump(p, n, s).numpy(),
        "nothing": lambda p, n, s: None,
    },
    "quarter": {
        "argmax alone": lambda row: float(row.argmax()),
        "half a cell": lambda row: nearest(row, step=0.5),
        "away from the neighbour": lambda row: nearest(row, step=-0.25),
        "a tie goes right": lambda row: nearest(row, tie=0.25),
        "leaves the picture": lambda row: nearest(row, inside=False),
        "skips the second cell": lambda row: nearest(row, skip_second=True),
        "the whole row": lambda row: row,
        "nothing": lambda row: None,
    },
    "soft_place": {
        "a softmax for every row": rowwise,
        "y before x": lambda m: soft(m, swap=True),
        "the mean is not taken away": lambda m: soft(m, centre=False),
        "the other sign": lambda m: soft(m, sign=-1.0),
        "without the share": lambda m: soft(m, share=False),
        "exp by hand": exp_by_hand,
        "only the place": lambda m: soft(m)[0],
        "gradient as (rows, columns, 2)": lambda m: (soft(m)[0], soft(m)[1].permute(1, 2, 0)),
        "nothing": lambda m: None,
    },
    "dark_step": {
        "no logarithm": lambda c: newton(c, log=False),
        "uphill": lambda c: newton(c, sign=1.0),
        "no mixed slope": lambda c: newton(c, mixed=False),
        "from the corner": lambda c: newton(c, middle=0.0),
        "differences not halved": lambda c: newton(c, wide=2.0),
        "y before x": lambda c: newton(c, swap=True),
        "argmax alone": lambda c: torch.full((2,), 2.0, dtype=c.dtype),
        "quarter shift": lambda c: 2 + 0.25 * torch.sign(torch.stack([c[2, 3] - c[2, 1], c[3, 2] - c[1, 2]])),
        "nothing": lambda c: None,
    },
    "likelihood": {
        "no width": lambda *a: laplace(*a, width=False),
        "no constant": lambda *a: laplace(*a, constant=False),
        "scale instead of deviation": lambda *a: laplace(*a, root=1.0),
        "normal errors": lambda *a: laplace(*a, square=True),
        "a sum": lambda *a: laplace(*a, mean=False),
        "a likelihood": lambda *a: -laplace(*a),
        "one a joint": lambda mu, sigma, target: (target - mu).abs().sum(-1),
        "nothing": lambda *a: None,
    },
}


@pytest.mark.parametrize(("name", "index"), [(name, i) for name, all_ in RIGHT.items() for i in range(len(all_))])
def test_right_answers_pass_in_one_line(name, index, capsys):
    getattr(checks, name)(RIGHT[name][index])
    said = capsys.readouterr().out
    assert said.startswith(f"{name}: ") and said.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "answer"),
    [pytest.param(name, wrong, id=f"{name}: {title}") for name, all_ in WRONG.items() for title, wrong in all_.items()],
)
def test_plausible_wrong_answers_are_caught_with_a_hint(name, answer):
    with pytest.raises(AssertionError, match="Hint: .{10}"):
        getattr(checks, name)(answer)


def test_a_gradient_taken_by_autograd_is_not_possible():
    """The logits come without grad, and a stub says that it is not implemented."""

    def stub(logits):
        assert not logits.requires_grad
        raise NotImplementedError

    with pytest.raises(NotImplementedError):
        checks.soft_place(stub)
