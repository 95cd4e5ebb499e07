"""What all measures of poses have in common: shapes, dtypes, what they refuse, and with which words."""

import re

import pytest
import torch
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from torch.autograd import forward_ad
from torch.func import grad, vmap

from tutorial_lib.metrics import (
    align,
    distances,
    joint_errors,
    mpjpe,
    mpjpe_loss,
    n_mpjpe,
    p_mpjpe,
    pckh,
    pose_score,
    tolerant_distances,
    velocity_error,
)
from tutorial_lib.metrics.by_action import per_action
from tutorial_lib.metrics.pck import box_side, pck, pck_curve
from tutorial_lib.skeleton import JOINTS

MEANS = {"mpjpe": mpjpe, "p_mpjpe": p_mpjpe, "n_mpjpe": n_mpjpe, "velocity_error": velocity_error, "pckh": pckh}
EACH = {
    "distances": distances, "tolerant_distances": tolerant_distances, "joint_errors": joint_errors, "align": align,
}  # fmt: skip
FLAT = {
    "pck": lambda p, t: pck(p[..., :2], t[..., :2], torch.ones(p.shape[:-2])),
    "pck_curve": lambda p, t: pck_curve(p[..., :2], t[..., :2], torch.ones(p.shape[:-2]), [0.1, 0.2]),
}
ALL = {**MEANS, **EACH, **FLAT, "pose_score": pose_score}
once = settings(deadline=None, max_examples=25)


def pair(*leading, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.rand(*leading, 17, 3, generator=generator, dtype=torch.float64).to(dtype) for _ in range(2))


@seed(0)
@once
@given(
    st.sampled_from(sorted(ALL)), st.sampled_from(["predicted", "target"]),
    st.sampled_from([torch.nan, torch.inf, -torch.inf]),
    st.integers(0, 1), st.integers(0, 3), st.integers(0, 16), st.integers(0, 1),
)  # fmt: skip
def test_every_measure_names_the_first_frame_and_joint_that_is_not_finite(name, side, value, clip, frame, joint, axis):
    poses = dict(zip(("predicted", "target"), pair(2, 4)))
    poses[side][clip, frame, joint, axis] = value
    poses[side][1, 3, 16] = value  # never before the first
    argument = {"predicted": "predicted", "target": r"(target|truth)"}[side]
    where = re.escape(f"({clip}, {frame}), joint {joint} ({JOINTS[joint]})")
    with pytest.raises(ValueError, match=rf"^{argument} holds (nan|-?inf) at frame {where}"):
        ALL[name](*poses.values())


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda p, t: (p.long(), t.long()), "predicted is torch.int64, expected floating point"),
        (lambda p, t: (p, t > 0.5), "is torch.bool, expected floating point"),
        (lambda p, t: (p[:0], t[:0]), "nothing to average"),
        (lambda p, t: (p[:, :0], t[:, :0]), "nothing to average"),
        (lambda p, t: (p, t[0]), "predicted .* and .* differ|reference"),
        (lambda p, t: (p.to("meta"), t), "predicted is on meta, (target|truth) on cpu: move one"),
        (lambda p, t: (p.numpy(), t), "predicted is a ndarray, expected a tensor"),
    ],
    ids=["whole numbers", "true or false", "no clip", "no frame", "other shapes", "two devices", "an array"],
)
def test_every_measure_refuses_the_same_things_in_the_same_words(name, spoil, message):
    if name in FLAT and "meta" in message:
        message += "|reference"
    with pytest.raises(ValueError, match=message):
        ALL[name](*spoil(*pair(3, 4)))


@pytest.mark.parametrize("name", [*MEANS, *EACH])
def test_single_and_double_precision_meet_in_double(name):
    (single, _), (_, double) = pair(3, 4), pair(3, 4, dtype=torch.float64)
    result = (MEANS | EACH)[name](single, double)
    assert result.dtype == torch.float64
    torch.testing.assert_close(result, (MEANS | EACH)[name](single.double(), double))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", MEANS)
def test_half_precision_is_kept_and_never_becomes_nan(name, dtype):
    predicted, target = pair(3, 4, dtype=dtype)
    for guess in (predicted, torch.zeros_like(predicted), 0.001 * predicted):
        value = MEANS[name](guess, target)
        assert value.dtype == dtype and value.isfinite()
    exact = MEANS[name](predicted.double(), target.double()).item()
    assert MEANS[name](predicted, target).item() == pytest.approx(exact, rel=0.05)


@pytest.mark.parametrize("name", MEANS)
def test_on_the_meta_device_the_answer_is_a_number_without_value(name):
    value = MEANS[name](*(p.to("meta") for p in pair(3, 4)))
    assert value.is_meta and value.shape == ()


@pytest.mark.parametrize("name", ["mpjpe", "n_mpjpe", "velocity_error", "pckh"])
def test_measures_can_be_mapped_over_a_batch(name):
    predicted, target = pair(2, 3, 4)
    each = torch.stack([MEANS[name](p, t) for p, t in zip(predicted, target)])
    torch.testing.assert_close(vmap(MEANS[name])(predicted, target), each)


@pytest.mark.parametrize("measure", [mpjpe, mpjpe_loss])
def test_gradients_of_many_tasks_at_once_are_those_of_each(measure):
    predicted, target = pair(2, 3, 4)
    slopes = vmap(grad(measure))(predicted, target)
    for task in range(2):
        torch.testing.assert_close(slopes[task], grad(mpjpe)(predicted[task], target[task]))


@pytest.mark.parametrize("name", [*MEANS, *EACH])
def test_a_value_is_the_same_whether_or_not_a_derivative_is_wanted(name):
    predicted, target = pair(3, 4, dtype=torch.float64)
    wanted = (MEANS | EACH)[name](predicted.clone().requires_grad_(), target).detach()
    torch.testing.assert_close((MEANS | EACH)[name](predicted, target), wanted, rtol=1e-14, atol=1e-14)


def test_the_derivative_forwards_is_the_one_backwards_and_finite_where_a_joint_is_hit():
    predicted, target = pair(3, 4, dtype=torch.float64)
    predicted[0] = target[0]
    with forward_ad.dual_level():
        dual = mpjpe(forward_ad.make_dual(predicted, target), target)
        slope = forward_ad.unpack_dual(dual).tangent
    torch.testing.assert_close(slope, (grad(mpjpe)(predicted, target) * target).sum())


def test_large_but_finite_numbers_are_no_infinity():
    large = torch.full((4, 17, 3), 3e38)
    assert not large.sum().isfinite()
    assert distances(large, large).eq(0).all()


def test_the_loss_is_mpjpe_and_leaves_nan_to_the_training():
    predicted, target = pair(3, 4)
    assert torch.equal(mpjpe_loss(predicted, target), mpjpe(predicted, target))
    assert mpjpe_loss(predicted * torch.nan, target).isnan()
    with pytest.raises(ValueError, match="differ"):
        mpjpe_loss(predicted, target[0])


def test_one_pose_alone_has_no_frame_to_name():
    predicted, target = pair()
    target[5, 2] = torch.nan
    with pytest.raises(ValueError, match=r"target holds nan at joint 5 \(left_knee\), and at 1 of 17 joints in all"):
        mpjpe(predicted, target)


def test_errors_by_action_name_clip_frame_and_joint():
    predicted, target = pair(4)
    predicted[2, 16] = torch.inf
    with pytest.raises(ValueError, match=r"clip 1 \(sit\): predicted holds inf at frame 2, joint 16"):
        per_action([("walk", target, target), ("sit", predicted, target)])


def test_joints_that_do_not_count_may_be_missing_in_the_truth_too_and_whole_people():
    predicted, target = (p[..., :2] for p in pair(3))
    visible = torch.ones(3, 17, dtype=torch.bool)
    visible[0], visible[1, 4] = False, False
    reference = box_side(target)
    expected = pck(predicted[1:], target[1:], reference[1:], visible=visible[1:])
    target[~visible] = torch.nan
    reference[0] = torch.nan
    assert pck(predicted, target, reference, visible=visible) == expected
    visible[1, 4] = True
    with pytest.raises(ValueError, match=r"target holds nan at frame 1, joint 4"):
        pck(predicted, target, reference, visible=visible)


@pytest.mark.parametrize("fps", [0, -50, float("nan"), float("inf")])
def test_velocity_needs_a_rate(fps):
    with pytest.raises(ValueError, match="fps is"):
        velocity_error(*pair(4), fps=fps)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_reference_that_is_not_finite_is_refused(value):
    predicted, target = (p[..., :2] for p in pair(3))
    with pytest.raises(ValueError, match="smallest reference"):
        pck(predicted, target, torch.tensor([1.0, value, 1.0]))
