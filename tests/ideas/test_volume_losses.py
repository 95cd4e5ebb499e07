"""Losses on volumes: against explicit volumes, torch's own losses, scipy, closed forms."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from tutorial_lib.integral import from_cells, soft_argmax_3d, to_cells
from tutorial_lib.integral.losses import (  # fmt: skip
    Mix,
    heatmap_bce,
    integral_loss,
    jensen_shannon,
    kl_to_gaussian,
    mixed,
    one_hot_bce,
    one_hot_ce,
    variance_loss,
)
from tutorial_lib.integral.targets import (  # fmt: skip
    bce_floor,
    contract,
    gaussian_cube,
    gaussian_factors,
    one_hot,
    outer,
    report_floor,
)

SHAPE = (8, 9, 13)  # D, H, W
COUNTS = (13, 9, 8)  # x, y, z
LOSSES = (heatmap_bce, one_hot_bce, one_hot_ce, kl_to_gaussian, jensen_shannon, variance_loss)


def scores(*leading, seed=0):
    return 2 * torch.randn(*leading, *SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def places(*leading, seed=1, reach=0.8):
    u = torch.rand(*leading, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return reach * (2 * u - 1)


def distances(target, shape=SHAPE, rounded=True):
    """Offsets of every cell from the target's cell along z, y, x: each (D, H, W); the long way."""
    cells = to_cells(target, tuple(reversed(shape))).numpy()
    cells = np.round(cells) if rounded else cells
    grids = np.meshgrid(*[np.arange(n, dtype=float) for n in shape], indexing="ij")
    return [grid - centre for grid, centre in zip(grids, cells[::-1])]


def full_cube(target):
    """Equations 5 to 9 of the report, cell by cell."""
    offsets = distances(target)
    inside = np.all([np.abs(o) <= 5 for o in offsets], axis=0)
    return torch.from_numpy(inside * np.exp(-sum(o**2 for o in offsets) / 2) / math.sqrt(2 * math.pi))


def full_gaussian(target, sigma=1.0):
    offsets = distances(target, rounded=False)
    g = np.exp(-sum(o**2 for o in offsets) / (2 * sigma**2))
    return g / g.sum()


# ------------------------------------------------------------------ targets
@settings(max_examples=25)
@given(st.lists(st.floats(-1.2, 1.2), min_size=3, max_size=3))
@example([0.0, 1.0, 0.0])  # on the border between two cells
def test_the_cube_is_the_reports_equations(place):
    target = torch.tensor(place, dtype=torch.float64)
    torch.testing.assert_close(gaussian_cube(target, SHAPE), full_cube(target))


def test_what_the_report_says_about_its_cube_and_what_holds():
    middle = from_cells(torch.tensor([16.0, 16, 16], dtype=torch.float64), 33)
    cube = gaussian_cube(middle, (33, 33, 33))
    assert cube.max().item() == pytest.approx(0.39894, abs=1e-5)  # not 1
    assert (cube > 0).sum() == 11**3
    assert (cube.sum() * math.sqrt(2 * math.pi)).item() == pytest.approx(15.7496, abs=2e-4)  # (2 pi)^1.5
    assert gaussian_cube(middle, (33, 33, 33), normalised=True).sum().item() == pytest.approx(1.0)
    assert gaussian_cube(torch.full((3,), 0.97).double(), SHAPE, normalised=True).sum().item() == pytest.approx(1.0)


def test_one_hot_marks_the_targets_cell_and_nothing_outside():
    target = places(20)
    volume = one_hot(target, SHAPE)
    assert torch.equal(volume.sum((-3, -2, -1)), torch.ones(20, dtype=torch.float64))
    x, y, z = to_cells(target, COUNTS).round().long().unbind(-1)
    assert (volume[torch.arange(20), z, y, x] == 1).all()
    assert one_hot(torch.tensor([1.3, 0, 0]), SHAPE).sum() == 0


def test_contract_is_the_sum_with_the_outer_product():
    volume, factors = scores(2, 3), gaussian_factors(places(2, 3), SHAPE, 1.7, radius=None, rounded=False)
    torch.testing.assert_close(contract(volume, factors), (volume * outer(factors)).sum((-3, -2, -1)))


@settings(max_examples=25)
@given(st.lists(st.floats(-1.5, 1.5), min_size=3, max_size=3))
@example([0.0, 1.0, 0.0])  # on the border between two cells
def test_the_floor_is_positive_and_the_same_without_a_volume(place):
    target = torch.tensor(place, dtype=torch.float64)
    cube = full_cube(target).numpy().ravel()
    bernoulli = entropy(np.stack([cube, 1 - cube])).sum()
    assert bce_floor(gaussian_cube(target, SHAPE)).item() == pytest.approx(bernoulli, abs=1e-9)
    assert report_floor(target, SHAPE).item() == pytest.approx(bernoulli, abs=1e-9)


def test_no_prediction_gets_below_the_floor():
    target = places(1, reach=0.2)
    cube = gaussian_cube(target, SHAPE)
    best = torch.logit(cube.clamp(1e-15, 1 - 1e-15))
    assert heatmap_bce(best, target, floor=True).item() == pytest.approx(0, abs=1e-6)
    assert heatmap_bce(best, target).item() == pytest.approx(bce_floor(cube).item(), abs=1e-6)
    for seed in range(5):
        other = best + 0.1 * scores(1, seed=seed)
        assert heatmap_bce(other, target, floor=True) > 0
    assert bce_floor(one_hot(target, SHAPE)).item() == 0


def test_a_perfect_bce_map_is_decoded_at_its_cell():
    """The softmax of the best logits is the odds t / (1 - t): symmetric about the cell, so its mean is the cell."""
    middle = from_cells(torch.tensor([6.0, 6, 6], dtype=torch.float64), 13)
    best = torch.logit(gaussian_cube(middle, (13, 13, 13)).clamp(1e-15, 1 - 1e-15))
    torch.testing.assert_close(soft_argmax_3d(best), middle, atol=1e-9, rtol=0)


# ------------------------------------------------------------------ losses
def test_heatmap_bce_is_torchs_on_the_full_volume():
    logits, target = scores(2, 3), places(2, 3)
    cubes = torch.stack([full_cube(t) for t in target.view(-1, 3)]).view(2, 3, *SHAPE)
    expected = F.binary_cross_entropy_with_logits(logits, cubes, reduction="sum") / 6
    torch.testing.assert_close(heatmap_bce(logits, target), expected)
    assert heatmap_bce(1e4 * logits, target).isfinite()


def test_one_hot_losses_are_torchs():
    logits, target = scores(2, 3), places(2, 3)
    hot = one_hot(target, SHAPE)
    bce = F.binary_cross_entropy_with_logits(logits, hot, reduction="sum") / 6
    torch.testing.assert_close(one_hot_bce(logits, target), bce)
    ce = F.cross_entropy(logits.flatten(-3).flatten(0, 1), hot.flatten(-3).argmax(-1).flatten())
    torch.testing.assert_close(one_hot_ce(logits, target), ce)
    outside = torch.tensor([[2.0, 0, 0]], dtype=torch.float64)
    assert one_hot_ce(scores(1), outside).item() == 0


@pytest.mark.parametrize("sigma", [0.7, 1.0, 2.0])
def test_kl_and_js_are_scipys(sigma):
    logits, target = scores(4), places(4)
    p = torch.softmax(logits.flatten(-3), -1).numpy()
    g = [full_gaussian(t, sigma).ravel() for t in target]
    kl = np.mean([entropy(a, b) for a, b in zip(p, g)])
    js = np.mean([jensenshannon(a, b) ** 2 for a, b in zip(p, g)])
    assert kl_to_gaussian(logits, target, sigma=sigma).item() == pytest.approx(kl, rel=1e-9)
    assert jensen_shannon(logits, target, sigma=sigma).item() == pytest.approx(js, rel=1e-9)


def test_kl_and_js_vanish_at_the_gaussian_and_js_is_bounded():
    target = places(1, reach=0.3)
    exact = torch.log(torch.from_numpy(full_gaussian(target[0])))[None]
    assert kl_to_gaussian(exact, target).item() == pytest.approx(0, abs=1e-10)
    assert jensen_shannon(exact, target).item() == pytest.approx(0, abs=1e-10)
    far = torch.full((1, *SHAPE), -1e4, dtype=torch.float64)
    far[0, 0, 0, 0] = 1e4
    assert jensen_shannon(far, torch.full((1, 3), 0.9).double()).item() == pytest.approx(math.log(2), abs=1e-6)


def test_variance_is_numpys_in_cells():
    logits = scores(3)
    p = torch.softmax(logits.flatten(-3), -1).view_as(logits).numpy()
    expected = []
    for one in p:
        for axis, n in enumerate(SHAPE):
            m = one.sum(axis=tuple(a for a in range(3) if a != axis))
            i = np.arange(n)
            expected.append((np.average((i - np.average(i, weights=m)) ** 2, weights=m) - 1.5**2) ** 2)
    assert variance_loss(logits, places(3), sigma=1.5).item() == pytest.approx(np.sum(expected) / 3)
    shifted = torch.roll(scores(1), 0)
    assert variance_loss(shifted, places(1, seed=3)) == variance_loss(shifted, places(1, seed=4)), "blind to the place"


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_pass_finite_differences(loss):
    logits = torch.randn(2, 3, 4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    target = places(2)
    assert torch.autograd.gradcheck(lambda v: loss(v, target), logits.requires_grad_())


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_stay_finite_for_extreme_scores(loss):
    logits = torch.zeros(1, 4, 4, 4)
    logits[0, 1, 1, 1], logits[0, 2, 2, 2] = 200.0, -200.0
    logits.requires_grad_()
    value = loss(logits, torch.tensor([[0.9, -0.9, 0.9]]))
    (gradient,) = torch.autograd.grad(value, logits)
    assert value.isfinite() and gradient.isfinite().all()


@pytest.mark.parametrize("loss", LOSSES)
def test_invisible_joints_do_not_count(loss):
    logits, target = scores(2, 3), places(2, 3)
    visible = torch.tensor([[1.0, 0, 1], [0, 1, 0]], dtype=torch.float64)
    seen = visible.bool()
    torch.testing.assert_close(loss(logits, target, visible), loss(logits[seen], target[seen]))
    assert loss(logits, target, torch.zeros_like(visible)).item() == 0


def test_integral_loss_is_l1_with_weights_for_joints_or_coordinates():
    predicted, target = places(2, 3, seed=5), places(2, 3)
    assert integral_loss(predicted, target) == F.l1_loss(predicted, target)
    flat = torch.ones(2, 3, 3, dtype=torch.float64)
    flat[0, :, 2] = 0  # nobody knows the first picture's depth
    known = torch.cat([(predicted - target)[0, :, :2].flatten(), (predicted - target)[1].flatten()])
    torch.testing.assert_close(integral_loss(predicted, target, flat), known.abs().mean())
    one = torch.tensor([[1.0, 0, 0], [0, 0, 0]], dtype=torch.float64)
    torch.testing.assert_close(integral_loss(predicted, target, one), F.l1_loss(predicted[0, 0], target[0, 0]))


def test_the_mixture_is_the_weighted_sum_of_its_parts():
    logits, target = scores(2, 3).requires_grad_(), places(2, 3)
    mix = Mix(integral=2, gaussian=0.1, one_hot=0.2, cross_entropy=0.3, kl=0.4, js=0.5, variance=0.6)
    total, parts = mixed(logits, target, mix)
    assert set(parts) == {"integral", "gaussian", "one_hot", "cross_entropy", "kl", "js", "variance"}
    torch.testing.assert_close(total.detach(), sum(getattr(mix, name) * value for name, value in parts.items()))
    assert not any(value.requires_grad for value in parts.values())
    torch.testing.assert_close(parts["integral"], integral_loss(soft_argmax_3d(logits), target).detach())
    floors = torch.stack([bce_floor(full_cube(t)) for t in target.view(-1, 3)])
    torch.testing.assert_close(parts["gaussian"], (heatmap_bce(logits, target) - floors.mean()).detach())


def test_what_has_no_weight_is_not_computed():
    total, parts = mixed(scores(1, 2), places(1, 2), Mix(integral=0, js=3))
    assert list(parts) == ["js"] and total == 3 * parts["js"]


def test_a_joint_without_depth_keeps_its_picture_but_not_its_volume():
    logits, target = scores(1, 2), places(1, 2)
    visible = torch.ones(1, 2, 3, dtype=torch.float64)
    visible[0, 1, 2] = 0
    _, parts = mixed(logits, target, Mix(js=1), visible)
    torch.testing.assert_close(parts["js"], jensen_shannon(logits[:, :1], target[:, :1]))
    torch.testing.assert_close(parts["integral"], integral_loss(soft_argmax_3d(logits), target, visible))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: Mix(js=-1), "js is -1, expected a finite weight >= 0"),
        (lambda: Mix(integral=0), "all weights are 0"),
        (lambda: gaussian_factors(places(1), SHAPE, 0), "sigma is 0, expected a positive"),
        (lambda: gaussian_factors(places(1)[..., :2], SHAPE), r"expected \(..., 3\) and \(D, H, W\)"),
        (lambda: integral_loss(places(2), places(3)), "differ"),
        (lambda: jensen_shannon(scores(2), places(2), torch.ones(3)), r"visible has shape \(3,\), expected \(2,\)"),
    ],
)
def test_refuses_with_the_argument_and_the_expectation(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_a_gaussian_on_the_target_itself_is_the_cross_entropy_of_that_volume():
    logits = torch.randn(2, 6, 6, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    target = torch.tensor([[0.1, -0.3, 0.0], [0.2, 0.4, 0.0]], dtype=torch.float64)
    place = (torch.arange(6, dtype=torch.float64) * 2 + 1) / 6 - 1
    z, y, x = torch.meshgrid(place, place, place, indexing="ij")
    square = sum(((grid - t[:, None, None, None]) * 3) ** 2 for grid, t in zip((x, y, z), target.T))
    cube = torch.exp(-square / 2) / (2 * torch.pi) ** 0.5
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, cube, reduction="sum") / 2
    torch.testing.assert_close(heatmap_bce(logits, target, rounded=False), expected)
    assert torch.equal(mixed(logits, target, Mix(0, 1), rounded=False)[0], expected)
    with pytest.raises(ValueError, match="floor=True with rounded=False"):
        heatmap_bce(logits, target, floor=True, rounded=False)
