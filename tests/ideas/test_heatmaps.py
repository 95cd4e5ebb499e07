"""Heat maps: SciPy and OpenCV are the oracles for the bumps and blurs, kornia for the mean place, closed forms for
what each decoder loses."""

import math

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from kornia.geometry.subpix import spatial_expectation2d
from scipy.stats import multivariate_normal

from tutorial_lib import heatmaps
from tutorial_lib.heatmaps import MEAN_RESIDUAL, argmax, dark, gaussian_target, quarter_shift, scores, soft_argmax

DECODERS = {"argmax": argmax, "quarter_shift": quarter_shift, "dark": dark, "soft_argmax": soft_argmax}
places = st.tuples(st.floats(-0.6, 0.6), st.floats(-0.6, 0.6)).map(lambda p: torch.tensor(p, dtype=torch.float64))
each_decoder = pytest.mark.parametrize("decode", DECODERS.values(), ids=DECODERS)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def random_maps(*shape, seed=0):
    return torch.rand(*shape, generator=seeded(seed), dtype=torch.float64)


def to_points(u, cells):
    return (2 * torch.as_tensor(u, dtype=torch.float64) + 1) / cells - 1


# Targets


@given(places, st.integers(3, 20), st.floats(0.5, 4))
def test_the_bump_is_a_gaussian_of_the_distance_in_cells_with_peak_one(point, cells, sigma):
    bump = gaussian_target(point, cells, sigma).numpy()
    centres = (np.arange(cells) + 0.5) / cells * 2 - 1  # a picture of width 2 from -1 to 1
    grid = np.stack(np.meshgrid(centres, centres), -1)
    law = multivariate_normal(point.numpy(), (2 * sigma / cells) ** 2 * np.eye(2))
    np.testing.assert_allclose(bump, law.pdf(grid) / law.pdf(point.numpy()), atol=1e-12)


def test_any_leading_shape_dtype_and_gradient():
    points = torch.rand(2, 3, 17, 2, generator=seeded(), requires_grad=True)
    maps = gaussian_target(points, 8, 1.5)
    assert maps.shape == (2, 3, 17, 8, 8) and maps.dtype == torch.float32
    torch.testing.assert_close(maps[1, 2, 5], gaussian_target(points[1, 2, 5], 8, 1.5))
    maps.sum().backward()
    assert points.grad.abs().sum() > 0
    assert gaussian_target(points.double(), 8, 1.5).dtype == torch.float64


def test_rounding_puts_the_peak_of_height_one_on_the_cell_that_holds_the_joint():
    points = 2 * random_maps(50, 2) - 1
    maps = gaussian_target(points, 9, 2.0, rounded=True, reach=3)
    torch.testing.assert_close(scores(maps), torch.ones(50, dtype=torch.float64))
    cell = torch.floor((points + 1) / 2 * 9)  # counted from the picture's edge, without any half
    torch.testing.assert_close(argmax(maps), to_points(cell, 9))
    assert (scores(gaussian_target(points, 9, 2.0)) < 1).all()


def test_the_published_patch_is_thirteen_cells_wide_for_sigma_two():
    bump = gaussian_target(torch.zeros(2), 33, 2.0, rounded=True, reach=3)
    assert (bump > 0).sum() == 13 * 13
    patch = bump[10:23, 10:23].numpy()
    axis = cv2.getGaussianKernel(13, 2.0)
    np.testing.assert_allclose(patch, axis @ axis.T / axis.max() ** 2, atol=1e-6)


# Decoders


@given(places, st.floats(1.0, 3.0))
def test_dark_is_exact_on_an_exact_gaussian(point, sigma):
    maps = 0.3 * gaussian_target(point, 16, sigma)
    torch.testing.assert_close(dark(maps), point, atol=1e-9, rtol=0)


@given(places, st.floats(1.2, 2.0))
def test_the_mean_place_of_the_bump_itself_is_exact(point, sigma):
    """A softmax of the logarithm of a bump is the bump; a grid of Gaussian values has its mean in the right place."""
    logs = torch.log(gaussian_target(point, 64, sigma).clamp_min(1e-300))
    torch.testing.assert_close(soft_argmax(logs), point, atol=1e-3 / 64, rtol=0)


@pytest.mark.parametrize(("sigma", "kernel"), [(2.0, 11), (1.2, 7)])
def test_darks_blur_is_that_of_opencv(sigma, kernel):
    """The same Newton step, from a map that OpenCV has blurred as a whole and that was rescaled to its old peak."""
    maps = gaussian_target(to_points([[10.3, 12.4], [7.7, 9.1]], 24), 24, sigma) + 0.05 * random_maps(2, 24, 24)
    for one, ours in zip(maps, dark(maps, blur=sigma)):
        blurred = cv2.GaussianBlur(one.numpy(), (kernel, kernel), sigma, borderType=cv2.BORDER_CONSTANT)
        blurred *= one.max().item() / blurred.max()
        column, row = ((argmax(one) + 1) * 24 / 2 - 0.5).round().int().tolist()
        h = np.log(np.maximum(blurred, 1e-10))
        first, second = np.gradient(h), [np.gradient(g) for g in np.gradient(h)]
        slope = np.array([first[1][row, column], first[0][row, column]])
        hessian = np.array([[second[1][1][row, column], second[0][1][row, column]],
                            [second[1][0][row, column], second[0][0][row, column]]])  # fmt: skip
        place = np.array([column, row]) - np.linalg.solve(hessian, slope)
        np.testing.assert_allclose(ours, to_points(place, 24), atol=1e-9)


@given(places)
def test_blurring_costs_dark_little_on_an_exact_gaussian(point):
    torch.testing.assert_close(dark(gaussian_target(point, 40, 2.0), blur=2.0), point, atol=0.02 * 2 / 40, rtol=0)


def test_dark_and_the_quarter_shift_stay_put_at_the_border():
    maps = torch.zeros(9, 9)
    maps[0, 4], maps[0, 5], maps[1, 4] = 1.0, 0.8, 0.5
    torch.testing.assert_close(dark(maps), argmax(maps))
    shift = (quarter_shift(maps) - argmax(maps)) * 9 / 2
    torch.testing.assert_close(shift, torch.tensor([0.25, 0.0]))


def test_dark_keeps_the_peak_where_the_curvature_is_singular():
    maps = torch.ones(9, 9)
    maps[:, 4] = 2.0  # a ridge: no curvature along it; its first peak is at the border
    maps[4, 4] = 2.0 + 1e-6
    flat = torch.exp(-((torch.arange(9.0) - 4) ** 2))[None, :].expand(9, 9).clone()
    for one in (maps, flat):
        assert torch.isfinite(dark(one)).all()


@pytest.mark.parametrize(("rows", "columns"), [(5, 5), (4, 9)])
@pytest.mark.parametrize("temperature", [1.0, 0.1])
def test_soft_argmax_is_kornias_expectation_on_a_grid_of_cell_centres(rows, columns, temperature):
    maps = random_maps(2, 3, rows, columns)
    p = torch.softmax((maps / temperature).flatten(-2), -1).reshape(maps.shape)
    pixels = spatial_expectation2d(p, normalized_coordinates=False)
    expected = (2 * pixels + 1) / torch.tensor([columns, rows]) - 1
    torch.testing.assert_close(soft_argmax(maps, temperature), expected)


def test_the_gradient_of_soft_argmax_is_the_closed_form():
    maps = random_maps(6, 7).requires_grad_()
    x, _ = soft_argmax(maps)
    (gradient,) = torch.autograd.grad(x, maps)
    p = torch.softmax(maps.detach().flatten(), 0).reshape(6, 7)
    column = to_points(torch.arange(7), 7)
    torch.testing.assert_close(gradient, p * (column - x.detach()))
    assert torch.autograd.gradcheck(lambda m: soft_argmax(m, 0.5), (maps,))


def test_a_trained_bump_is_nearly_flat_as_a_logit():
    """A peak of 1 at cell 8 of 64, sigma 2: without a temperature the answer is near the middle of the picture."""
    bump = gaussian_target(to_points([8.0, 8.0], 64), 64, 2.0)
    cells = [(soft_argmax(bump, t)[0].item() + 1) * 32 - 0.5 for t in (1.0, 0.1, 0.01)]
    np.testing.assert_allclose(cells, [31.3, 9.44, 8.00], atol=0.05)


@each_decoder
def test_no_decoder_prefers_a_side(decode):
    """Mirrored maps give mirrored points: a grid that is half a cell off would not."""
    maps = random_maps(40, 12, 12)
    points = decode(maps)
    torch.testing.assert_close(decode(maps.flip(-1)), points * torch.tensor([-1, 1]), atol=1e-12, rtol=0)
    torch.testing.assert_close(decode(maps.flip(-2)), points * torch.tensor([1, -1]), atol=1e-12, rtol=0)
    torch.testing.assert_close(decode(maps.transpose(-1, -2)), points.flip(-1), atol=1e-12, rtol=0)


@each_decoder
def test_the_mean_signed_error_over_a_cell_is_zero(decode):
    offset = to_points(7 + (torch.arange(40) + 0.5) / 40 - 0.5, 16)
    maps = gaussian_target(torch.cartesian_prod(offset, offset), 16, 1.5)
    error = (decode(torch.log(maps)) if decode is soft_argmax else decode(maps)) - torch.cartesian_prod(offset, offset)
    torch.testing.assert_close(error.mean(0), torch.zeros(2, dtype=torch.float64), atol=2e-3 / 16, rtol=0)


@pytest.mark.parametrize(("decode", "expected"), [(argmax, MEAN_RESIDUAL), (quarter_shift, MEAN_RESIDUAL / 2)])
def test_the_mean_error_of_the_grid_is_the_closed_form(decode, expected):
    offset = to_points(7 + (torch.arange(100) + 0.5) / 100 - 0.5, 16)
    points = torch.cartesian_prod(offset, offset)
    error = torch.linalg.vector_norm(decode(gaussian_target(points, 16, 1.5)) - points, dim=-1).mean() * 16 / 2
    assert abs(error - expected) < 1e-3


def test_the_constant_is_the_integral_over_the_unit_square():
    x = (torch.arange(400, dtype=torch.float64) + 0.5) / 400 - 0.5
    assert abs(torch.hypot(x[:, None], x).mean().item() - MEAN_RESIDUAL) < 1e-5
    assert math.isclose(MEAN_RESIDUAL, 0.3826, abs_tol=5e-5)


def test_rounded_targets_leave_dark_a_bias_that_exact_ones_do_not():
    point = to_points([7.4, 7.4], 16)
    assert (dark(gaussian_target(point, 16, 2.0)) - point).abs().max() < 1e-9
    lost = (dark(gaussian_target(point, 16, 2.0, rounded=True)) - point) * 16 / 2
    torch.testing.assert_close(lost, torch.full((2,), -0.4, dtype=torch.float64))


@each_decoder
def test_decoders_take_any_leading_shape_and_keep_the_dtype(decode):
    maps = random_maps(2, 3, 4, 9, 11).float()
    points = decode(maps)
    assert points.shape == (2, 3, 4, 2) and points.dtype == torch.float32
    torch.testing.assert_close(points[1, 2, 3], decode(maps[1, 2, 3]), atol=1e-5, rtol=0)
    assert decode(maps[:0]).shape == (0, 3, 4, 2)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: gaussian_target(torch.zeros(3), 8, 1.0), r"shape \(3,\), expected floating"),
        (lambda: gaussian_target(torch.zeros(2).int(), 8, 1.0), "int32"),
        (lambda: gaussian_target(torch.zeros(2), 0, 1.0), "cells is 0"),
        (lambda: gaussian_target(torch.zeros(2), 8, 0.0), "sigma=0.0"),
        (lambda: gaussian_target(torch.zeros(2), 8, 1.0, reach=0), "reach=0"),
        (lambda: gaussian_target(np.zeros(2), 8, 1.0), "keypoints is a ndarray, expected floating"),
        (lambda: gaussian_target(torch.zeros(2), 2.5, 1.0), "cells is 2.5"),
        (lambda: soft_argmax(np.zeros((3, 3))), "maps is a ndarray, expected floating"),
        (lambda: argmax([[1.0, 2.0]]), "maps is a list, expected floating"),
        (lambda: argmax(torch.zeros(3)), r"maps is torch.float32 of shape \(3,\)"),
        (lambda: dark(torch.zeros(3, 3), blur=-1), "blur is -1"),
        (lambda: soft_argmax(torch.zeros(3, 3), 0), "temperature is 0"),
        (lambda: heatmaps.expectation(torch.zeros(4, 0, 3)), r"shape \(4, 0, 3\)"),
    ],
)
def test_refuses_with_the_argument_and_the_expectation(make, says):
    with pytest.raises(ValueError, match=says):
        make()


@each_decoder
def test_cells_that_are_masked_with_minus_infinity_are_low_and_not_unknown(decode):
    maps = gaussian_target(to_points([7.4, 6.2], 16), 16, 1.0)
    low = maps.clone()
    low[:, 12] = maps.min() - 1e3
    masked = maps.clone()
    masked[:, 12] = -torch.inf
    torch.testing.assert_close(decode(masked), decode(low), atol=1e-6, rtol=0)


def test_a_map_whose_cells_lie_at_their_corners_is_read_after_half_a_cell_is_taken():
    """SimpleBaseline's targets: cell i stands at pixel stride * i, and a pixel's number is its place."""
    stride, cells, pixel = 4, 16, torch.tensor([20.0, 36.0])
    place = torch.arange(cells) * stride
    maps = torch.exp(-((place[None, :] - pixel[0]) ** 2 + (place[:, None] - pixel[1]) ** 2) / (2 * (2 * stride) ** 2))
    size = stride * cells
    for decode in (argmax, dark):
        assert (((decode(maps) - 1 / cells) + 1) * size / 2 - pixel).abs().max() < 1e-3
