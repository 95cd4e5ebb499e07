"""PCK: counted by hand, and the properties of a share."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tutorial_lib.metrics import distances
from tutorial_lib.metrics.pck import box_side, head_length, pck, pck_curve, torso_length
from tutorial_lib.skeleton import JOINTS

seeds = st.integers(0, 10_000)


def people(seed=0, count=5):
    generator = torch.Generator().manual_seed(seed)
    truth = torch.rand(count, 17, 2, generator=generator)
    return truth + 0.1 * torch.randn(count, 17, 2, generator=generator), truth


def test_the_lengths_are_those_between_the_named_joints():
    truth = torch.zeros(17, 2)
    truth[JOINTS.index("left_shoulder")] = torch.tensor([0.3, 0.0])
    truth[JOINTS.index("right_hip")] = torch.tensor([0.0, 0.4])
    truth[JOINTS.index("head")] = torch.tensor([0.0, -0.2])
    assert torso_length(truth).item() == pytest.approx(0.5)
    assert head_length(truth).item() == pytest.approx(0.2)
    assert box_side(truth).item() == pytest.approx(0.6)


@given(seeds, st.floats(0.05, 0.8))
def test_pck_is_a_count(seed, threshold):
    predicted, truth = people(seed)
    visible = torch.rand(5, 17, generator=torch.Generator().manual_seed(seed)) > 0.3
    right = total = 0
    for p, t, seen, reference in zip(predicted.numpy(), truth.numpy(), visible, torso_length(truth)):
        for j in range(17):
            if seen[j]:
                total += 1
                right += np.hypot(*(p[j] - t[j])) <= threshold * reference.item()
    got = pck(predicted, truth, torso_length(truth), threshold, visible)
    assert got.item() == pytest.approx(right / total, abs=1e-6)


@given(seeds)
def test_the_curve_rises_from_pck_to_pck_and_does_not_depend_on_the_unit(seed):
    predicted, truth = people(seed)
    reference, thresholds = box_side(truth), [0.05, 0.1, 0.2, 5.0]
    curve = pck_curve(predicted, truth, reference, thresholds)
    assert (curve.diff() >= 0).all() and curve[-1] == 1
    for threshold, value in zip(thresholds, curve):
        assert pck(predicted, truth, reference, threshold) == value
    torch.testing.assert_close(pck_curve(64 * predicted, 64 * truth, 64 * reference, thresholds), curve)
    assert pck(truth, truth, reference, 1e-6) == 1


def test_joints_that_do_not_count_may_hold_anything():
    predicted, truth = people()
    visible = torch.ones(5, 17, dtype=torch.bool)
    visible[:, 3] = False
    expected = pck(predicted, truth, torso_length(truth), 0.2, visible)
    predicted[:, 3] = torch.nan
    assert pck(predicted, truth, torso_length(truth), 0.2, visible) == expected


def test_errors_are_distances_of_any_leading_shape():
    a, b = torch.zeros(2, 3, 17, 2), torch.zeros(2, 3, 17, 2)
    b[..., 0], b[..., 1] = 3, 4
    assert torch.equal(distances(a, b), torch.full((2, 3, 17), 5.0))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda p, t: distances(p, t[:2]), r"predicted \(5, 17, 2\) and target \(2, 17, 2\)"),
        (lambda p, t: pck(p, t, torch.ones(4)), r"reference has shape \(4,\), expected \(5,\)"),
        (lambda p, t: pck(p, t, 0.2), "reference is a float, expected a tensor"),
        (lambda p, t: pck(p, t, torch.ones(5), visible=[True] * 17), "visible is a list, expected a tensor"),
        (lambda p, t: pck(p, t, torch.zeros(5)), "smallest reference 0"),
        (lambda p, t: pck(p, t, torch.ones(5), 0.0), r"thresholds \[0.0\]"),
        (lambda p, t: pck_curve(p, t, torch.ones(5), []), r"thresholds \[\]"),
        (lambda p, t: pck(p, t, torch.ones(5), visible=torch.zeros(5, 17)), "not all False"),
        (lambda p, t: pck(p, t, torch.ones(5), visible=torch.ones(5, 16)), r"visible has shape \(5, 16\)"),
        (lambda p, t: torso_length(t[:, :16]), r"target has shape \(5, 16, 2\)"),
    ],
)
def test_refuses_with_the_argument_and_the_expectation(make, says):
    with pytest.raises(ValueError, match=says):
        make(*people())
