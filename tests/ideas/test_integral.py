"""From scores to coordinates: against explicit coordinate volumes, kornia, finite differences, closed forms."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from kornia.geometry.subpix import dsnt

from tutorial_lib import integral
from tutorial_lib.integral import (
    cell_centres,
    closed_form,
    expectation,
    from_cells,
    from_metres,
    hard_argmax,
    marginals,
    soft_argmax_1d,
    soft_argmax_2d,
    soft_argmax_3d,
    split_depth,
    to_cells,
    to_metres,
)  # fmt: skip

SIZES = st.integers(1, 7)


def scores(*shape, seed=0):
    return 3 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def oracle(logits, axes):
    """The expectation with the coordinates written out, in numpy."""
    array = logits.numpy()
    sizes = array.shape[-axes:]
    e = np.exp(array)
    letters = "zyx"[-axes:]
    p = e / e.sum(axis=tuple(range(-axes, 0)), keepdims=True)
    grids = np.meshgrid(*[(np.arange(n) + 0.5) / n * 2 - 1 for n in sizes], indexing="ij")
    coordinates = np.stack(grids[::-1])  # x first
    return np.einsum(f"...{letters},c{letters}->...c", p, coordinates)


@given(SIZES, SIZES, SIZES, st.integers(0, 99))
def test_equals_the_sum_over_an_explicit_coordinate_volume(d, h, w, seed):
    volume = scores(2, 3, d, h, w, seed=seed)
    np.testing.assert_allclose(soft_argmax_3d(volume), oracle(volume, 3), atol=1e-12)
    np.testing.assert_allclose(soft_argmax_2d(volume), oracle(volume, 2), atol=1e-12)
    np.testing.assert_allclose(soft_argmax_1d(volume), oracle(volume, 1)[..., 0], atol=1e-12)


@pytest.mark.parametrize("temperature", [0.25, 1.0, 4.0])
def test_2d_equals_kornia_up_to_its_grid(temperature):
    """Kornia's grid has its first and last centre on the border, -1 and 1: it is ours, stretched by n / (n - 1)."""
    maps = scores(2, 3, 6, 9)
    theirs = dsnt.spatial_expectation2d(dsnt.spatial_softmax2d(maps, torch.tensor(temperature)))
    ours = soft_argmax_2d(maps, temperature)
    torch.testing.assert_close(ours, theirs * theirs.new_tensor([8 / 9, 5 / 6]))


def test_gradient_is_the_closed_form_and_passes_finite_differences():
    volume = scores(2, 3, 4, 5).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: soft_argmax_3d(v, 0.7), volume)
    assert torch.autograd.gradgradcheck(lambda v: soft_argmax_1d(v, 0.7), scores(2, 4).requires_grad_())
    row = scores(9).requires_grad_()
    (gradient,) = torch.autograd.grad(soft_argmax_1d(row, 0.5), row)
    p = torch.softmax(row.detach() / 0.5, 0)
    x = cell_centres(9, like=p)
    torch.testing.assert_close(gradient, p * (x - p @ x) / 0.5)


@pytest.mark.parametrize("part, kept", [(closed_form.PART, closed_form.KEPT), (45, 1000), (1, 0)])
@pytest.mark.parametrize("half_pixel", [True, False])
def test_the_closed_form_is_what_autograd_finds_however_many_parts(monkeypatch, part, kept, half_pixel):
    monkeypatch.setattr(closed_form, "PART", part)
    monkeypatch.setattr(closed_form, "KEPT", kept)
    volume = scores(2, 3, 2, 3, 4).transpose(-1, -2).requires_grad_()
    place = soft_argmax_3d(volume, half_pixel=half_pixel)
    plain = expectation(marginals(volume, 3), half_pixel=half_pixel)
    torch.testing.assert_close(place, plain)
    weights = scores(2, 3, 3, seed=1)
    ours, theirs = (torch.autograd.grad((p * weights).sum(), volume, create_graph=True)[0] for p in (place, plain))
    torch.testing.assert_close(ours, theirs)
    again = [torch.autograd.grad(g.square().sum(), volume)[0] for g in (ours, theirs)]
    torch.testing.assert_close(*again)
    first = torch.autograd.grad((soft_argmax_3d(volume, half_pixel=half_pixel) * weights).sum(), volume)[0]
    torch.testing.assert_close(first, theirs)


def test_the_closed_form_passes_finite_differences_of_both_orders():
    volume = scores(2, 2, 3, 2).requires_grad_()
    assert torch.autograd.gradcheck(soft_argmax_3d, volume, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(soft_argmax_3d, volume)


def test_the_place_can_be_mapped_over_a_batch_and_written_into():
    volume = scores(2, 3, 4, 5).requires_grad_()
    torch.testing.assert_close(torch.func.vmap(soft_argmax_3d)(volume), soft_argmax_3d(volume))
    slopes = torch.func.grad(lambda v: soft_argmax_3d(v).sum())(volume.detach())
    place = soft_argmax_3d(volume)
    place *= 1
    torch.testing.assert_close(torch.autograd.grad(place.sum(), volume)[0], slopes)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_marginals_are_probabilities_in_the_order_of_the_coordinates(axes):
    volume = scores(2, 3, 4, 5)
    sums = marginals(volume, axes)
    assert [m.shape[-1] for m in sums] == [5, 4, 3][:axes]
    for m in sums:
        torch.testing.assert_close(m.sum(-1), torch.ones_like(m[..., 0]))
    assert volume.shape[:-axes] == sums[0].shape[:-1]


def test_scores_of_any_size_stay_finite():
    for size in (1e30, -1e30, 1e4):
        volume = torch.zeros(4, 4, 4)
        volume[1, 2, 3] = size
        volume.requires_grad_()
        place = soft_argmax_3d(volume)
        (gradient,) = torch.autograd.grad(place.sum(), volume)
        assert torch.isfinite(place).all() and torch.isfinite(gradient).all()
    torch.testing.assert_close(soft_argmax_3d(torch.full((4, 4, 4), 7e8)), torch.zeros(3))
    holes = torch.full((2, 8), -torch.inf)
    holes[:, 5] = 0
    torch.testing.assert_close(soft_argmax_1d(holes), from_cells(torch.tensor([5.0, 5.0]), 8))


def test_the_blob_of_height_one_needs_a_temperature():
    """A peak-1, sigma-2 blob at x = 8 on 64 x 64 cells: 31.3, 9.44 and 8.00 for beta 1, 10, 100."""
    i = torch.arange(64.0)
    bump = torch.exp(-((i - 8) ** 2) / 8)
    blob = bump[:, None] * bump
    found = [to_cells(soft_argmax_2d(blob, 1 / beta), 64)[0].item() for beta in (1, 10, 100)]
    np.testing.assert_allclose(found, [31.3, 9.44, 8.0], atol=0.02)


def test_the_mean_of_two_equal_blobs_falls_between():
    row = torch.full((16,), -50.0)
    row[[3, 12]] = 10.0
    assert to_cells(soft_argmax_1d(row), 16).item() == pytest.approx(7.5, abs=1e-4)


@given(st.integers(1, 50), st.integers(0, 9))
def test_corners_are_half_a_cell_too_small_and_never_reach_the_far_edge(cells, seed):
    row = scores(cells, seed=seed)
    right, wrong = soft_argmax_1d(row), soft_argmax_1d(row, half_pixel=False)
    assert (right - wrong).item() == pytest.approx(1 / cells, abs=1e-12)
    last = torch.full((cells,), -1e9)
    last[-1] = 0
    assert soft_argmax_1d(last, half_pixel=False).item() == pytest.approx(1 - 2 / cells, abs=1e-5)
    assert soft_argmax_1d(last).item() == pytest.approx(1 - 1 / cells, abs=1e-5)


@given(st.integers(1, 99), st.floats(-1, 1))
def test_cells_and_coordinates_are_inverse(cells, x):
    x = torch.tensor(x, dtype=torch.float64)
    torch.testing.assert_close(from_cells(to_cells(x, cells), cells), x)
    torch.testing.assert_close(
        to_cells(cell_centres(cells, like=x), cells), torch.arange(cells, dtype=x.dtype), atol=1e-12, rtol=0
    )


def test_cells_of_each_axis():
    place = torch.tensor([[0.5, -0.5, 0.25]])
    torch.testing.assert_close(to_cells(place, (4, 8, 16)), torch.tensor([[2.5, 1.5, 9.5]]))
    torch.testing.assert_close(from_cells(to_cells(place, (4, 8, 16)), (4, 8, 16)), place)


def test_depth_in_metres():
    z = torch.tensor([-1.0, 0.25])
    torch.testing.assert_close(from_metres(to_metres(z)), z)
    assert to_metres(z, 2.0).tolist() == [-2.0, 0.5] and to_metres(z)[0] == -integral.DEPTH_RANGE


def test_hard_argmax_finds_the_centre_of_the_largest_cell():
    volume = scores(5, 3, 4, 6)
    place = to_cells(hard_argmax(volume), (6, 4, 3)).round().long()
    for one, (x, y, z) in zip(volume, place.tolist()):
        assert one[z, y, x] == one.max()
    torch.testing.assert_close(hard_argmax(volume, 1)[..., 0], cell_centres(6, like=volume)[volume.argmax(-1)])
    sharp = soft_argmax_3d(volume, 1e-4)
    torch.testing.assert_close(sharp, hard_argmax(volume), atol=1e-6, rtol=0)


def test_split_depth_keeps_the_depths_of_a_joint_together():
    channels = torch.arange(2 * 6 * 4.0).view(2, 6, 2, 2)
    volumes = split_depth(channels, joints=2)
    assert volumes.shape == (2, 2, 3, 2, 2)
    assert torch.equal(volumes[1, 1, 2], channels[1, 5])


def test_dtype_and_leading_shape_are_kept():
    assert soft_argmax_3d(scores(4, 4, 4)).shape == (3,)
    assert soft_argmax_3d(scores(2, 5, 4, 4, 4).float()).dtype == torch.float32
    assert soft_argmax_1d(scores(4)).shape == ()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: soft_argmax_3d(torch.zeros(4, 4)), r"logits has shape \(4, 4\), expected \(..., D, H, W\)"),
        (lambda: soft_argmax_2d(torch.zeros(4, 0)), r"expected \(..., H, W\), no 0"),
        (lambda: soft_argmax_1d(torch.zeros(4), 0.0), "temperature is 0.0, expected a positive"),
        (lambda: soft_argmax_1d(torch.zeros(4), float("nan")), "temperature is nan"),
        (lambda: marginals(torch.zeros(4), 4), "axes is 4, expected 1, 2 or 3"),
        (lambda: soft_argmax_2d(np.zeros((4, 4))), "logits is a ndarray, expected a tensor"),
        (lambda: cell_centres(0), "cells is 0, expected at least 1"),
        (lambda: cell_centres(2.5), "cells is 2.5, expected at least 1"),
        (lambda: to_cells(torch.zeros(2), (8, 0)), r"cells is \(8, 0\), expected at least 1"),
        (lambda: from_cells(torch.zeros(2), -1), "cells is -1, expected at least 1"),
        (lambda: split_depth(torch.zeros(1, 7, 2, 2), 2), r"expected \(B, joints \* D, H, W\), joints=2"),
    ],
)
def test_refuses_with_the_argument_and_the_expectation(call, says):
    with pytest.raises(ValueError, match=says):
        call()
