"""The lens: OpenCV is the oracle for the map and its inverse, a dense grid for where it folds."""

import math

import cv2
import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from tutorial_lib import distortion
from tutorial_lib.distortion import (
    FOLD_RADIUS,
    PRESETS,
    RADIAL_LIMIT,
    TANGENTIAL_LIMIT,
    distort,
    folds,
    jacobian,
    sample_stratified,
    sample_uniform,
    undistort,
)

quick = settings(deadline=None, max_examples=40, derandomize=True)
lenses = st.tuples(*[st.floats(-0.5, 0.5)] * 3, *[st.floats(-0.1, 0.1)] * 2).map(lambda c: torch.tensor(c).double())
seeds = st.integers(0, 10_000)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def disc(seed=0, count=200, radius=FOLD_RADIUS):
    """Points spread evenly over a disc, float64."""
    u = torch.rand(count, 2, generator=seeded(seed), dtype=torch.float64)
    r, angle = radius * u[:, 0].sqrt(), 2 * math.pi * u[:, 1]
    return torch.stack([r * angle.cos(), r * angle.sin()], -1)


def opencv_order(lens):
    k1, k2, k3, p1, p2 = lens.tolist()
    return np.array([k1, k2, p1, p2, k3])


def opencv_distort(points, lens):
    points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    ahead = np.concatenate([points, np.ones((len(points), 1))], axis=1)
    return cv2.projectPoints(ahead, np.zeros(3), np.zeros(3), np.eye(3), opencv_order(lens))[0].reshape(-1, 2)


def grid_turns_over(lens, radius, rings=100, spokes=120):
    """Brute force: cut the disc into triangles, bend it with OpenCV, and look for one that is turned over."""
    r = np.linspace(0, radius, rings + 1)[:, None]
    angle = np.linspace(0, 2 * np.pi, spokes + 1)[None]
    bent = opencv_distort(np.stack([r * np.cos(angle), r * np.sin(angle)], -1), lens).reshape(rings + 1, spokes + 1, 2)
    a, out, on, across = bent[:-1, :-1], bent[1:, :-1], bent[:-1, 1:], bent[1:, 1:]

    def area(p, q, s):
        return (q - p)[..., 0] * (s - p)[..., 1] - (q - p)[..., 1] * (s - p)[..., 0]

    return bool((area(a, out, across) <= 0).any() or (area(a, across, on)[1:] <= 0).any())


# The map


@quick
@given(lenses, seeds)
def test_the_map_is_that_of_opencv(lens, seed):
    points = disc(seed, radius=1.5)
    np.testing.assert_allclose(distort(points, lens).numpy(), opencv_distort(points, lens), atol=1e-6)


def test_every_coefficient_does_what_its_name_says():
    point, expected = torch.tensor([0.5, 0.0]).double(), {}
    for i, name in enumerate(distortion.COEFFICIENTS):
        expected[name] = (distort(point, torch.eye(5).double()[i]) - point).tolist()
    assert expected == {
        "k1": [0.5**3, 0],
        "k2": [0.5**5, 0],
        "k3": [0.5**7, 0],
        "p1": [0, 0.5**2],
        "p2": [3 * 0.5**2, 0],
    }


def test_without_coefficients_nothing_moves():
    points = disc()
    assert torch.equal(distort(points, torch.zeros(5)), points)
    torch.testing.assert_close(undistort(points, torch.zeros(5)), points, atol=1e-15, rtol=0)


@quick
@given(lenses, seeds)
def test_the_jacobian_is_symmetric_and_agrees_with_autograd_and_finite_differences(lens, seed):
    points = disc(seed, 20)
    matrix = jacobian(points, lens)
    torch.testing.assert_close(matrix, matrix.transpose(-1, -2), rtol=0, atol=0)
    by_autograd = torch.func.vmap(torch.func.jacrev(lambda p: distort(p, lens)))(points)
    torch.testing.assert_close(matrix, by_autograd, atol=1e-10, rtol=1e-10)
    steps = 1e-6 * torch.eye(2).double()
    columns = [(distort(points + h, lens) - distort(points - h, lens)) / 2e-6 for h in steps]
    torch.testing.assert_close(matrix, torch.stack(columns, -1), atol=1e-7, rtol=1e-6)


# The inverse


@quick
@given(lenses, seeds)
def test_undistort_undoes_distort_where_the_lens_does_not_fold(lens, seed):
    assume(not folds(lens, FOLD_RADIUS))
    points = disc(seed)
    torch.testing.assert_close(undistort(distort(points, lens), lens), points, atol=1e-6, rtol=0)


def test_undistort_reaches_the_very_edge_of_the_disc_for_sampled_lenses():
    lens = sample_uniform(400, generator=seeded()).double()
    angle = torch.linspace(0, 2 * math.pi, 33).double()
    edge = FOLD_RADIUS * torch.stack([angle.cos(), angle.sin()], -1).expand(400, 33, 2)
    torch.testing.assert_close(undistort(distort(edge, lens), lens), edge, atol=1e-6, rtol=0)


@quick
@given(lenses, seeds)
def test_undistort_agrees_with_opencv_where_opencv_converges(lens, seed):
    assume(not folds(lens, FOLD_RADIUS))
    bent = distort(disc(seed), lens)
    stop = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 500, 1e-12)
    theirs = cv2.undistortPoints(bent.numpy(), np.eye(3), opencv_order(lens), None, None, None, stop).reshape(-1, 2)
    converged = np.abs(opencv_distort(theirs, lens) - bent.numpy()).max(1) < 1e-9
    converged &= np.linalg.norm(theirs, axis=1) <= FOLD_RADIUS  # else it found a point beyond the fold
    assert converged.any()
    np.testing.assert_allclose(undistort(bent, lens).numpy()[converged], theirs[converged], atol=1e-6)


def test_points_that_no_point_is_bent_onto_are_refused():
    barrel = torch.tensor([-0.3, 0, 0, 0, 0])  # r (1 - 0.3 r^2) is nowhere above 0.71
    with pytest.raises(ValueError, match="points: 1 of 2 .* no inverse"):
        undistort(torch.tensor([[0.7, 0.0], [0.72, 0.0]]), barrel)


@pytest.mark.parametrize("lens", PRESETS.values(), ids=PRESETS.keys())
def test_gradients_of_the_map_and_its_inverse_agree_with_finite_differences(lens):
    points = disc(count=4).requires_grad_()
    lens = lens.double().requires_grad_()
    assert torch.autograd.gradcheck(distort, (points, lens))
    bent = distort(points, lens).detach().requires_grad_()
    assert torch.autograd.gradcheck(undistort, (bent, lens))


def test_gradients_reach_a_batch_of_lenses():
    lens = sample_uniform(3, generator=seeded()).double().requires_grad_()
    points = disc(count=6).reshape(3, 2, 2)
    assert torch.autograd.gradcheck(distort, (points, lens))
    assert torch.autograd.gradcheck(undistort, (points * 0.4, lens))


# Shapes and types


@pytest.mark.parametrize("function", [distort, undistort, jacobian])
@pytest.mark.parametrize(
    "points, coefficients",
    [((), ()), ((7,), ()), ((3, 4), (3,)), ((3, 4, 5), (3,)), ((3, 4, 5), (3, 4))],
)
def test_any_leading_shape_gives_what_a_loop_gives(function, points, coefficients):
    x = disc(count=math.prod(points), radius=0.4).reshape(*points, 2)
    lens = sample_uniform(max(1, math.prod(coefficients)), generator=seeded()).double().reshape(*coefficients, 5)
    result = function(x, lens)
    for index in np.ndindex(*points):
        one = function(x[index], lens[index[: len(coefficients)]])
        torch.testing.assert_close(result[index], one, atol=1e-9, rtol=0)


@pytest.mark.parametrize("function", [distort, undistort, jacobian])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_dtype_of_the_points_is_kept(function, dtype):
    assert function(disc(radius=0.4).to(dtype), PRESETS["d1"]).dtype == dtype


@pytest.mark.parametrize("function", [distort, undistort])
def test_no_points_give_no_points(function):
    assert function(torch.zeros(0, 2), PRESETS["d1"]).shape == (0, 2)


# Folding


@settings(deadline=None, max_examples=150, derandomize=True)
@given(lenses, st.floats(0.3, 1.5))
def test_folds_agrees_with_a_bent_grid(lens, radius):
    if folds(lens, 0.97 * radius):
        assert grid_turns_over(lens, radius)
    if grid_turns_over(lens, radius):
        assert folds(lens, 1.03 * radius)


@quick
@given(lenses, seeds)
def test_without_a_fold_no_two_points_swap_their_order(lens, seed):
    assume(not folds(lens, FOLD_RADIUS))
    a, b = disc(seed, 2000), disc(seed + 1, 2000)
    assert (((distort(a, lens) - distort(b, lens)) * (a - b)).sum(-1) > 0).all()


@quick
@given(st.floats(0.2, 3))
def test_with_k1_alone_the_fold_is_where_the_closed_form_says(radius):
    threshold = -1 / (3 * radius**2)
    assert folds(torch.tensor([threshold * 1.0001, 0, 0, 0, 0]).double(), radius)
    assert not folds(torch.tensor([threshold * 0.9999, 0, 0, 0, 0]).double(), radius)


@quick
@given(st.floats(0.2, 3), st.floats(0, 2 * math.pi))
def test_with_tangential_terms_alone_the_fold_is_where_the_closed_form_says(radius, angle):
    # Along -q the Jacobian's smaller eigenvalue is 1 - 6 |q| r.
    q = torch.tensor([0, 0, 0, math.cos(angle), math.sin(angle)]).double() / (6 * radius)
    assert folds(1.001 * q, radius) and not folds(0.999 * q, radius)


@pytest.mark.parametrize("radial, share", [(0.1, 0.018), (0.2, 0.18), (0.3, 0.27), (0.5, 0.35)])
def test_as_many_radial_draws_fold_on_the_unit_disc_as_theory_counts(radial, share):
    draws = sample_uniform(4000, radial, 0, generator=seeded(), radius=None)
    deviation = math.sqrt(share * (1 - share) / 4000)
    assert folds(draws, 1.0).double().mean().item() == pytest.approx(share, abs=3 * deviation + 0.005)


def test_tangential_terms_only_add_folds():
    draws = sample_uniform(2000, 0.3, 0.03, generator=seeded(), radius=None)
    radial = draws * torch.tensor([1, 1, 1, 0, 0])
    assert not (folds(radial, 1.0) & ~folds(draws, 1.0)).any()
    assert folds(draws, 1.0).sum() > folds(radial, 1.0).sum()


def test_folds_takes_any_leading_shape():
    draws = sample_uniform(12, 0.5, 0.1, generator=seeded(), radius=None)
    assert torch.equal(folds(draws.reshape(3, 4, 5), 1.0).flatten(), torch.stack([folds(d, 1.0) for d in draws]))


# Drawing lenses


@pytest.mark.parametrize("sample", [sample_uniform, sample_stratified])
def test_drawn_lenses_keep_the_limits_and_do_not_fold(sample):
    draws = sample(500, generator=seeded())
    assert draws.shape == (500, 5)
    assert (draws[:, :3].abs() <= RADIAL_LIMIT).all() and (draws[:, 3:].abs() <= TANGENTIAL_LIMIT).all()
    assert not folds(draws, FOLD_RADIUS).any()


@pytest.mark.parametrize("sample", [sample_uniform, sample_stratified])
def test_the_generator_decides_the_draw(sample):
    assert torch.equal(sample(20, generator=seeded(1)), sample(20, generator=seeded(1)))
    assert not torch.equal(sample(20, generator=seeded(1)), sample(20, generator=seeded(2)))


@pytest.mark.parametrize("radius", [None, FOLD_RADIUS])
@quick
@given(seed=seeds, count=st.integers(1, 40))
def test_k1_of_task_i_lies_in_stratum_i(seed, count, radius):
    k1 = sample_stratified(count, 0.3, 0.02, generator=seeded(seed), radius=radius)[:, 0].double()
    edges = torch.linspace(-0.3, 0.3, count + 1).double()
    assert (k1 >= edges[:-1] - 1e-6).all() and (k1 <= edges[1:] + 1e-6).all()


def test_only_k1_is_stratified():
    draws = torch.stack([sample_stratified(8, 0.3, 0.02, generator=seeded(s), radius=None) for s in range(300)])
    limits = torch.tensor([0.3, 0.3, 0.3, 0.02, 0.02])
    for task in range(8):
        for column in range(1, 5):
            values = (draws[:, task, column] / limits[column] + 1) / 2
            assert kstest(values.numpy(), "uniform").pvalue > 1e-4


def test_over_all_tasks_every_coefficient_is_uniform():
    draws = torch.cat([sample_stratified(8, 0.3, 0.02, generator=seeded(s), radius=None) for s in range(300)])
    for column, limit in enumerate([0.3, 0.3, 0.3, 0.02, 0.02]):
        assert kstest(((draws[:, column] / limit + 1) / 2).numpy(), "uniform").pvalue > 1e-3


def test_strata_cover_the_range_better_than_uniform_draws():
    def spread(sample):
        return torch.stack([sample(8, 0.3, 0, generator=seeded(s), radius=None)[:, 0].mean() for s in range(200)]).std()

    assert spread(sample_stratified) < 0.3 * spread(sample_uniform)


def test_limits_of_zero_draw_no_lens():
    assert (sample_uniform(3, 0, 0) == 0).all()


# The test lenses


@pytest.mark.parametrize("name", ["d1", "d2", "d3", "d4"])
def test_presets_are_finite_and_do_not_fold_in_the_picture(name):
    assert torch.isfinite(PRESETS[name]).all() and PRESETS[name].shape == (5,)
    assert not folds(PRESETS[name], FOLD_RADIUS)
    assert PRESETS[name][3:].abs().min() > 0  # all four have tangential parts


@pytest.mark.parametrize("name, sign", [("d1", -1), ("d2", 1), ("d3", -1), ("d4", 1)])
def test_presets_are_barrel_or_pincushion_over_the_whole_picture(name, sign):
    r = torch.linspace(0.05, FOLD_RADIUS, 50)
    radial_only = PRESETS[name] * torch.tensor([1, 1, 1, 0, 0])
    moved = distort(torch.stack([r, torch.zeros_like(r)], -1), radial_only)[:, 0] - r
    assert (sign * moved > 0).all()


def test_heavy_presets_move_points_farther_than_moderate_ones():
    moved = {name: (distort(disc(), lens) - disc()).norm(dim=-1).mean().item() for name, lens in PRESETS.items()}
    assert min(moved["d1"], moved["d2"]) > max(moved["d3"], moved["d4"])


# Bad input

P, C = torch.zeros(4, 2), torch.zeros(5)
BAD = {
    "points with three coordinates": (lambda: distort(torch.zeros(4, 3), C), "points has shape"),
    "points that are a number": (lambda: undistort(torch.tensor(1.0), C), "points has shape"),
    "points that are integers": (lambda: distort(torch.ones(4, 2, dtype=torch.long), C), "points are torch.int64"),
    "four coefficients": (lambda: distort(P, torch.zeros(4)), "coefficients has shape"),
    "coefficients with NaN": (lambda: distort(P, C * float("nan")), "coefficients hold .*nan"),
    "coefficients with infinity": (lambda: undistort(P, C + float("inf")), "coefficients hold .*inf"),
    "another number of lenses": (lambda: distort(P, torch.zeros(3, 5)), "coefficients .* do not match points"),
    "points with NaN": (lambda: undistort(P * float("nan"), C), "points: 4 of 4"),
    "fold radius zero": (lambda: folds(C, 0), "radius is 0"),
    "fold radius NaN": (lambda: folds(C, float("nan")), "radius is nan"),
    "folds of six numbers": (lambda: folds(torch.zeros(6), 1), "coefficients has shape"),
    "no lenses": (lambda: sample_uniform(0), "count is 0"),
    "negative count": (lambda: sample_stratified(-2), "count is -2"),
    "negative radial limit": (lambda: sample_uniform(2, -0.1), "radial=-0.1"),
    "negative tangential limit": (lambda: sample_stratified(2, 0.1, -1), "tangential=-1"),
    "NaN limit": (lambda: sample_uniform(2, float("nan"), radius=None), "radial=nan"),
    "limits under which nearly every lens folds": (lambda: sample_stratified(200, 80, 80), "radial=80"),
}


@pytest.mark.parametrize("call, message", BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_undistort_tells_its_three_failures_apart():
    lens, inside = PRESETS["d2"], torch.tensor([[0.1, 0.2], [0.3, -0.4]])
    seen = distort(inside, lens)
    with pytest.raises(
        ValueError, match=r"1 of 2 did not converge within 1 iterations: give more .*first is at \(1,\)"
    ):
        distortion.undistort(torch.stack([torch.zeros(2), seen[1]]), lens, iterations=1)
    with pytest.raises(ValueError, match=r"1 of 2 have no inverse .*folds before .*first is at \(0,\)"):
        distortion.undistort(torch.tensor([[0.9, 0.0], [0.1, 0.1]]), torch.tensor([-1.0, 0, 0, 0, 0]))
    with pytest.raises(ValueError, match=r"1 of 2 are NaN or infinite.*first is at \(1,\)"):
        distortion.undistort(torch.tensor([[0.1, 0.1], [float("nan"), 0.0]]), lens)


@pytest.mark.parametrize("count", [4, 5, 8, 12, 14])
@pytest.mark.parametrize("shape", [(-1,), (1, -1), (-1, 1)])
def test_opencv_coefficients_bend_as_opencv_bends(count, shape):
    theirs = np.zeros(count)
    theirs[: min(count, 5)] = [-0.31, 0.12, 0.004, -0.003, -0.05][: min(count, 5)]
    lens = distortion.from_opencv(torch.from_numpy(theirs).reshape(shape))
    assert lens.shape == (5,) and lens.dtype == torch.float64
    points = torch.rand(20, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64) - 0.5
    ahead = np.concatenate([points.numpy(), np.ones((20, 1))], 1)
    expected = cv2.projectPoints(ahead, np.zeros(3), np.zeros(3), np.eye(3), theirs)[0].reshape(-1, 2)
    np.testing.assert_allclose(distort(points, lens).numpy(), expected, atol=1e-12)


def test_opencv_coefficients_may_be_a_list_and_whole_numbers():
    assert distortion.from_opencv([-1, 2, 3, 4, 5]).tolist() == [-1.0, 2.0, 5.0, 3.0, 4.0]
    assert distortion.from_opencv([0.1, 0.2, 0.3, 0.4]).dtype == torch.get_default_dtype()


@pytest.mark.parametrize(
    "coefficients, message",
    [
        ([0.1, 0.2, 0.3], r"shape \(3,\), expected 4, 5, 8"),
        ([[0.1] * 5] * 2, r"shape \(2, 5\)"),
        ([[0.1] * 2] * 2, r"shape \(2, 2\)"),
        ([0.1] * 5 + [0.0, 0.2, 0.0], "k5 = 0.2, expected 0 for all but"),
        ([0.1] * 5 + [0.0] * 3 + [0.01, 0, 0, 0], "s1 = 0.01"),
        ([0.1] * 5 + [0.0] * 8 + [-0.02], "tauY = -0.02"),
        ([0.1] * 5 + [float("nan"), 0.0, 0.0], "k4 = nan"),
        ([0.1, float("nan"), 0.0, 0.0, 0.0], "NaN or infinity"),
    ],
)
def test_opencv_coefficients_that_are_no_brown_conrady_lens_are_refused_by_name(coefficients, message):
    with pytest.raises(ValueError, match=message):
        distortion.from_opencv(coefficients)
