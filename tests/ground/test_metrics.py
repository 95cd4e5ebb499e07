"""Errors of poses, against SciPy, NumPy, closed forms and finite differences."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.spatial import procrustes
from scipy.spatial.transform import Rotation

from tutorial_lib.metrics import (
    HEAD_SEGMENT,
    align,
    distances,
    joint_errors,
    mpjpe,
    n_mpjpe,
    p_mpjpe,
    pckh,
    tolerant_distances,
    velocity_error,
)
from tutorial_lib.metrics.joints import LIMBS
from tutorial_lib.metrics.pck import head_length
from tutorial_lib.skeleton import JOINTS, MIRROR

METRICS = [mpjpe, p_mpjpe, n_mpjpe, velocity_error, pckh]
quick = settings(deadline=None, max_examples=30, derandomize=True)


def poses(seed, *leading, noise=0.3):
    """(predicted, target), two poses of a person about 0.5 m wide; the prediction is off by `noise`."""
    generator = torch.Generator().manual_seed(seed)
    target = 0.5 * torch.randn(*leading, 17, 3, generator=generator, dtype=torch.float64)
    return target + noise * torch.randn(target.shape, generator=generator, dtype=torch.float64), target


def similarity(pose, seed, scale):
    turn = torch.from_numpy(Rotation.random(rng=seed).as_matrix())
    return scale * pose @ turn.T + torch.randn(3, generator=torch.Generator().manual_seed(seed)).double()


def scipy_aligned(predicted, target):
    """Best similarity without reflection, by SciPy's solution of Wahba's problem."""
    x, y = predicted.numpy(), target.numpy()
    centre = y.mean(0)
    x, y = x - x.mean(0), y - centre
    turn, _ = Rotation.align_vectors(y, x)
    turned = turn.apply(x)
    return (turned * y).sum() / (x * x).sum() * turned + centre


@pytest.mark.parametrize("metric", [mpjpe, p_mpjpe, n_mpjpe, velocity_error])
def test_the_truth_has_no_error(metric):
    _, target = poses(0, 5)
    assert metric(target, target).item() == pytest.approx(0, abs=1e-12)


def test_mpjpe_is_the_mean_distance_after_the_roots_coincide():
    predicted, target = poses(1, 2, 3)
    x, y = predicted.numpy(), target.numpy()
    expected = np.linalg.norm((x - x[..., :1, :]) - (y - y[..., :1, :]), axis=-1)
    np.testing.assert_allclose(joint_errors(predicted, target).numpy(), expected, rtol=1e-12)
    assert mpjpe(predicted, target).item() == pytest.approx(expected.mean())


@pytest.mark.parametrize("metric", [mpjpe, n_mpjpe, p_mpjpe])
def test_errors_are_metres(metric):
    predicted, target = poses(2, 4)
    assert metric(1000 * predicted, 1000 * target).item() == pytest.approx(1000 * metric(predicted, target).item())


def test_one_joint_a_metre_away_costs_a_seventeenth_of_a_metre():
    target = torch.zeros(17, 3)
    predicted = target.clone()
    predicted[5, 1] = 1
    assert mpjpe(predicted, target).item() == pytest.approx(1 / 17)


@quick
@given(st.integers(0, 10_000))
def test_alignment_agrees_with_scipys_rotation_solver(seed):
    predicted, target = poses(seed, noise=0.6)
    np.testing.assert_allclose(align(predicted, target).numpy(), scipy_aligned(predicted, target), atol=1e-9)


@quick
@given(st.integers(0, 10_000))
def test_alignment_leaves_the_residual_of_scipys_procrustes(seed):
    predicted, target = poses(seed, noise=0.1)  # little noise: SciPy's solution then has no reflection either
    _, _, disparity = procrustes(target.numpy(), predicted.numpy())
    size = ((target - target.mean(0)) ** 2).sum().item()
    assert ((align(predicted, target) - target) ** 2).sum().item() == pytest.approx(disparity * size, rel=1e-9)


@quick
@given(st.integers(0, 10_000), st.floats(0.05, 20))
def test_p_mpjpe_ignores_any_similarity_of_the_prediction(seed, scale):
    predicted, target = poses(seed)
    moved = similarity(predicted, seed, scale)
    assert p_mpjpe(moved, target).item() == pytest.approx(p_mpjpe(predicted, target).item(), rel=1e-7)
    assert p_mpjpe(similarity(target, seed, scale), target).item() == pytest.approx(0, abs=1e-9)


@quick
@given(st.integers(0, 10_000))
def test_a_mirror_image_is_not_forgiven_and_still_aligned_as_well_as_a_rotation_can(seed):
    _, target = poses(seed)
    mirrored = target * torch.tensor([-1.0, 1.0, 1.0])
    assert p_mpjpe(mirrored, target).item() > 0.05
    np.testing.assert_allclose(align(mirrored, target).numpy(), scipy_aligned(mirrored, target), atol=1e-8)


FLATTENED = {"all joints in one point": [0, 0, 0], "on a line": [1, 0, 0], "in a plane": [1, 1, 0]}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("side", ["predicted", "target", "both"])
@pytest.mark.parametrize("keep", FLATTENED.values(), ids=FLATTENED.keys())
def test_degenerate_poses_have_a_finite_error_and_gradient(keep, side, dtype):
    predicted, target = (p.to(dtype) for p in poses(3))
    if side != "target":
        predicted = predicted * torch.tensor(keep) + 2
    if side != "predicted":
        target = target * torch.tensor(keep) - 1
    predicted.requires_grad_()
    for metric in (mpjpe, p_mpjpe, n_mpjpe):
        value = metric(predicted, target)
        (gradient,) = torch.autograd.grad(value, predicted)
        assert torch.isfinite(value) and torch.isfinite(gradient).all()


def test_a_collapsed_prediction_is_aligned_to_the_centre_of_the_truth():
    _, target = poses(4)
    torch.testing.assert_close(align(torch.zeros_like(target), target), target.mean(0).expand(17, 3))


@pytest.mark.parametrize("metric", [mpjpe, p_mpjpe, n_mpjpe, velocity_error])
def test_gradients_agree_with_finite_differences(metric):
    predicted, target = poses(6, 3)
    assert torch.autograd.gradcheck(metric, (predicted.requires_grad_(), target.requires_grad_()))


def test_the_gradient_of_p_mpjpe_is_right_where_the_best_fit_would_be_a_reflection():
    _, target = poses(7)
    mirrored = (target * torch.tensor([1.0, 1.0, -1.0])).requires_grad_()
    assert torch.autograd.gradcheck(p_mpjpe, (mirrored, target))


def test_descending_p_mpjpe_reaches_a_similar_pose_and_leaves_size_and_place_alone():
    predicted, target = poses(8)
    predicted = (3 * predicted + 5).requires_grad_()
    (gradient,) = torch.autograd.grad(p_mpjpe(predicted, target), predicted)
    centred = predicted - predicted.mean(0)
    torch.testing.assert_close(gradient.sum(0), torch.zeros(3).double(), atol=1e-9, rtol=0)
    assert (gradient * centred).sum().item() == pytest.approx(0, abs=1e-9)


@quick
@given(st.integers(0, 10_000), st.floats(0.05, 20))
def test_n_mpjpe_uses_the_scale_that_minimises_the_squared_error(seed, scale):
    predicted, target = poses(seed)
    x, y = (p.numpy() - p.numpy()[:1] for p in (predicted, target))
    best = minimize_scalar(lambda s: ((s * x - y) ** 2).sum(), bracket=(-5, 5), tol=1e-12).x
    expected = np.linalg.norm(best * x - y, axis=-1).mean()
    assert n_mpjpe(predicted, target).item() == pytest.approx(expected, rel=1e-6)
    assert n_mpjpe(scale * predicted, target).item() == pytest.approx(expected, rel=1e-6)


def test_a_constant_offset_has_no_velocity_error():
    _, target = poses(9, 6)
    assert velocity_error(target + torch.randn(17, 3), target).item() == pytest.approx(0, abs=1e-12)


def test_a_joint_that_drifts_has_its_speed_as_velocity_error():
    target = torch.zeros(2, 11, 17, 3)
    predicted = target.clone()
    predicted[..., 3, 0] = 0.02 * torch.arange(11)
    assert velocity_error(predicted, target).item() == pytest.approx(0.02 / 17)
    assert velocity_error(predicted, target, fps=50).item() == pytest.approx(1.0 / 17)


def test_velocity_never_joins_two_clips():
    clips = torch.stack([torch.zeros(4, 17, 3), torch.ones(4, 17, 3).index_fill(1, torch.tensor([0]), 0)])
    assert velocity_error(clips, torch.zeros_like(clips)).item() == 0


def test_pckh_counts_joints_within_half_a_head():
    target = torch.zeros(2, 17, 3)
    target[:, JOINTS.index("head"), 2] = 0.4  # the head segment: thorax at 0, head top 0.4 m above
    predicted = target.clone()
    predicted[0, 1, 0], predicted[0, 2, 0], predicted[0, 3, 0], predicted[1, 4, 1] = 0.199, 0.201, 5, -0.3
    assert HEAD_SEGMENT == (8, 10)
    assert pckh(predicted, target).item() == pytest.approx((34 - 3) / 34)
    assert pckh(predicted, target, threshold=0.49).item() == pytest.approx((34 - 4) / 34)
    assert pckh(predicted, target, threshold=100).item() == 1


def test_pckh_measures_every_frame_by_its_own_head():
    target = torch.zeros(2, 17, 3)
    target[0, 10, 2], target[1, 10, 2] = 0.4, 4
    predicted = target.clone()
    predicted[:, 1, 0] = 0.5
    assert pckh(predicted, target).item() == pytest.approx(33 / 34)


@pytest.mark.parametrize("metric", METRICS)
def test_a_batch_gives_the_mean_of_its_members(metric):
    predicted, target = poses(10, 4, 6)
    each = [metric(p, t).item() for p, t in zip(predicted, target)]
    assert metric(predicted, target).item() == pytest.approx(np.mean(each))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("metric", METRICS)
def test_the_dtype_is_kept(metric, dtype):
    predicted, target = (p.to(dtype) for p in poses(11, 3))
    assert metric(predicted, target).dtype == dtype


def keypoints(seed=0, count=4):
    return torch.rand(count, 17, 2, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_tolerance_forgives_exchanged_limbs_but_never_one_joint_alone():
    truth = keypoints()
    swapped = truth[:, list(MIRROR)]
    assert tolerant_distances(swapped, truth).max() == 0 < distances(swapped, truth).max()
    for limb in map(list, LIMBS):
        only = truth.clone()
        only[:, limb] = swapped[:, limb]
        assert tolerant_distances(only, truth).max() == 0
    knees = truth.clone()
    knees[:, [2, 5]] = truth[:, [5, 2]]
    assert torch.equal(tolerant_distances(knees, truth), distances(knees, truth))


def test_tolerance_never_adds_to_a_limb():
    found, truth = keypoints(1, 50), keypoints(2, 50)
    plain, tolerant = distances(found, truth), tolerant_distances(found, truth)
    for limb in map(list, LIMBS):
        assert (tolerant[:, limb].mean(1) <= plain[:, limb].mean(1) + 1e-5).all()


def test_limbs_are_pairs_of_mirrored_joints():
    for limb in LIMBS:
        assert {MIRROR[joint] for joint in limb} == set(limb) and len(limb) == 6


@pytest.mark.parametrize("dims", [2, 3])
def test_distances_are_those_of_numpy_in_the_picture_and_in_space(dims):
    predicted, target = (p[..., :dims] for p in poses(12, 2, 3))
    expected = np.linalg.norm(predicted.numpy() - target.numpy(), axis=-1)
    np.testing.assert_allclose(distances(predicted, target).numpy(), expected, rtol=1e-12)


def test_the_head_of_pckh_is_the_head_of_pck():
    predicted, target = poses(13, 5)
    shares = joint_errors(predicted, target) / head_length(target)[..., None]
    assert pckh(predicted, target, 1.5).item() == pytest.approx((shares <= 1.5).double().mean().item())


BAD = {
    "different shapes": (lambda: mpjpe(torch.zeros(2, 17, 3), torch.zeros(17, 3)), "predicted .* and target"),
    "two coordinates": (lambda: p_mpjpe(torch.zeros(17, 2), torch.zeros(17, 2)), "predicted has shape"),
    "no joint axis": (lambda: n_mpjpe(torch.zeros(3), torch.zeros(3)), "predicted has shape"),
    "nothing to average": (lambda: mpjpe(torch.zeros(0, 17, 3), torch.zeros(0, 17, 3)), "predicted has shape"),
    "four coordinates": (lambda: distances(torch.zeros(17, 4), torch.zeros(17, 4)), "joints, 2 or 3"),
    "one frame": (lambda: velocity_error(torch.zeros(1, 17, 3), torch.zeros(1, 17, 3)), "predicted .*frames >= 2"),
    "no time axis": (lambda: velocity_error(torch.zeros(17, 3), torch.zeros(17, 3)), "predicted .*frames >= 2"),
    "no head": (lambda: pckh(torch.zeros(16, 3), torch.zeros(16, 3)), "target has 16 joints"),
    "threshold zero": (lambda: pckh(torch.zeros(17, 3), torch.zeros(17, 3), 0), "threshold is 0"),
    "threshold NaN": (lambda: pckh(torch.zeros(17, 3), torch.zeros(17, 3), float("nan")), "threshold is nan"),
}


@pytest.mark.parametrize("call, message", BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
