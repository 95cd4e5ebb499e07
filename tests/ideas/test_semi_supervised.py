"""Learning without labels: every loss against a closed form, NumPy or OpenCV, and what each one cannot see."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from tutorial_lib.camera import FOCAL, look_at
from tutorial_lib.datasets.windows import Windows
from tutorial_lib.distortion import PRESETS
from tutorial_lib.lifting import SingleFrameLifter, TemporalLifter
from tutorial_lib.lifting.semi_supervised import (
    TERMS,
    bone_length_loss,
    joint_losses,
    reproject,
    reprojection_loss,
    trajectory_loss,
)
from tutorial_lib.metrics import mpjpe
from tutorial_lib.skeleton import PARENTS


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def people(count=6, seed=0):
    """Root-relative poses (count, 17, 3) and their roots (count, 1, 3), double precision, all in the picture."""
    pose = 0.3 * torch.randn(count, 17, 3, generator=seeded(seed)).double().clamp(-2, 2)
    place = torch.tensor([0.2, -0.1, 3.0]) + 0.5 * torch.rand(count, 1, 3, generator=seeded(seed + 1)).double()
    return pose - pose[:, :1], place


def windows(count=4, frames=3, seed=0):
    pose, root = people(count, seed)
    keypoints = torch.randn(count, frames, 17, 2, generator=seeded(seed + 2)) * 0.3
    return Windows(keypoints, pose.float(), root.float())


def pair(frames=3, channels=8, **options):
    torch.manual_seed(0)
    return tuple(TemporalLifter(frames, channels, dropout=0.0, outputs=outputs, **options) for outputs in (17, 1))


def lengths_by_numpy(pose):
    """(windows, 16)"""
    pose = pose.numpy()
    return np.stack([np.linalg.norm(pose[:, j] - pose[:, p], axis=-1) for j, p in enumerate(PARENTS) if p >= 0], -1)


# ------------------------------------------------------------------ back-projection
@pytest.mark.parametrize("lens", [None, *PRESETS])
def test_the_picture_is_that_of_opencv(lens):
    pose, root = people()
    k1, k2, k3, p1, p2 = (torch.zeros(5) if lens is None else PRESETS[lens]).double().tolist()
    matrix = np.diag([FOCAL, FOCAL, 1.0])
    seen = reproject(pose, root, None if lens is None else PRESETS[lens].double())
    flat = (pose + root).reshape(-1, 3).numpy()
    plain, _ = cv2.projectPoints(flat, np.zeros(3), np.zeros(3), matrix, np.array([k1, k2, p1, p2, k3]))
    np.testing.assert_allclose(seen.numpy(), plain.reshape(6, 17, 2), atol=1e-6)
    off = np.linalg.norm(plain.reshape(6, 17, 2) - 0.1, axis=-1).mean()
    keypoints = torch.full((6, 17, 2), 0.1, dtype=torch.float64)
    coefficients = None if lens is None else PRESETS[lens].double()
    assert reprojection_loss(pose, root, keypoints, coefficients).item() == pytest.approx(off, abs=1e-6)


def test_every_window_may_have_its_own_lens():
    pose, root = people(2)
    lenses = torch.stack([PRESETS["d1"], PRESETS["d2"]]).double()
    for i in range(2):
        torch.testing.assert_close(reproject(pose, root, lenses)[i], reproject(pose[i], root[i], lenses[i]))


def test_where_the_pose_model_puts_its_root_does_not_matter():
    pose, root = people()
    torch.testing.assert_close(reproject(pose + 0.3, root), reproject(pose, root))


def outside(how):
    """A pose and a root (17, 3), (1, 3) all of whose joints the camera cannot see."""
    pose, root = (part[0].clone() for part in people(1))
    pose[:, 2] = 0
    if how == "beside":
        return pose, torch.tensor([[6.0, 6.0, 2.0]], dtype=torch.float64)
    if how == "behind, on the axis":
        pose[:] = 0.01 * pose  # x and y so small that they stay unclamped even at the smallest depth
        return pose, torch.tensor([[0.0, 0.0, -2.0]], dtype=torch.float64)
    return pose, torch.tensor([[0.3, 0.2, -2.0]], dtype=torch.float64)


@pytest.mark.parametrize("lens", [None, "d1"])
@pytest.mark.parametrize("how", ["beside", "behind", "behind, on the axis"])
def test_nothing_pulls_back_a_person_whom_the_camera_cannot_see(how, lens):
    pose, root = (part.requires_grad_() for part in outside(how))
    loss = reprojection_loss(pose, root, torch.zeros(17, 2).double(), PRESETS[lens].double() if lens else None)
    assert torch.isfinite(loss)
    for slope in torch.autograd.grad(loss, (pose, root)):
        assert (slope == 0).all()


@settings(max_examples=30)
@given(depth=st.floats(-5, 5), side=st.floats(-5, 5))
def test_wherever_the_person_is_put_the_loss_and_its_gradient_are_finite_and_bounded(depth, side):
    pose, _ = people(1)
    root = torch.tensor([[[side, 0.1, depth]]], dtype=torch.float64, requires_grad=True)
    loss = reprojection_loss(pose, root, torch.zeros(1, 17, 2).double())
    (slope,) = torch.autograd.grad(loss, root)
    assert loss.item() <= FOCAL * 2**0.5 + 1e-9 and torch.isfinite(slope).all()


def test_a_visible_person_is_pulled_and_the_slope_is_right():
    pose, root = people(2)
    keypoints = torch.zeros(2, 17, 2).double()
    assert torch.autograd.gradcheck(
        lambda p, r: reprojection_loss(p, r, keypoints, PRESETS["d2"].double()),
        (pose.requires_grad_(), root.requires_grad_()),
    )


# ------------------------------------------------------------------ what each loss cannot see
@settings(max_examples=20)
@given(scale=st.floats(0.5, 2.0))
def test_a_giant_far_away_casts_the_same_picture_and_only_the_bones_object(scale):
    pose, root = people()
    torch.testing.assert_close(reproject(scale * pose, scale * root), reproject(pose, root))
    bones = bone_length_loss(pose, scale * pose).item()
    assert bones == pytest.approx(abs(scale - 1) * lengths_by_numpy(pose).mean(), abs=1e-9)
    assert trajectory_loss(scale * root, root).item() == pytest.approx(
        abs(scale - 1) * (root.norm(dim=-1) / root[..., 2]).mean().item(), abs=1e-9
    )


def test_a_turned_body_has_the_same_bones_and_another_picture():
    pose, root = people()
    turned = pose @ torch.from_numpy(Rotation.from_euler("y", 40, degrees=True).as_matrix()).mT
    assert bone_length_loss(pose, turned).item() < 1e-12 and bone_length_loss(pose, turned, "l2").item() < 1e-12
    assert reprojection_loss(turned, root, reproject(pose, root)).item() > 0.02


def test_a_linear_projection_objects_to_the_truth_behind_a_lens():
    pose, root = people()
    seen = reproject(pose, root, PRESETS["d2"].double())
    assert reprojection_loss(pose, root, seen).item() > 1e-3
    assert reprojection_loss(pose, root, seen, PRESETS["d2"].double()).item() == 0


# ------------------------------------------------------------------ trajectory
def test_the_same_error_of_the_root_counts_half_at_twice_the_distance():
    near = torch.tensor([[[0.5, 0.0, 2.0]]])
    far = torch.tensor([[[0.5, 0.0, 4.0]]])
    step = torch.tensor([0.3, 0.0, 0.4])
    assert trajectory_loss(near + step, near).item() == pytest.approx(0.5 / 2)
    assert trajectory_loss(far + step, far).item() == pytest.approx(0.5 / 4)
    both = trajectory_loss(torch.cat([near, far]) + step, torch.cat([near, far]))
    assert both.item() == pytest.approx((0.25 + 0.125) / 2)


def test_a_perfect_root_has_no_loss_and_no_slope():
    root = people()[1]
    guess = root.clone().requires_grad_()
    loss = trajectory_loss(guess, root)
    (slope,) = torch.autograd.grad(loss, guess)
    assert loss.item() == 0 and (slope == 0).all()


# ------------------------------------------------------------------ bones
@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_bone_terms_compare_means_over_batches(norm):
    one, other = people(5, 0)[0], people(7, 10)[0]
    difference = lengths_by_numpy(one).mean(0) - lengths_by_numpy(other).mean(0)
    expected = np.abs(difference).mean() if norm == "l1" else (difference**2).mean()
    assert bone_length_loss(one, other, norm).item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_single_people_may_be_larger_and_smaller_as_long_as_the_mean_is_right(norm):
    pose = people(1)[0]
    crowd = torch.cat([0.8 * pose, 1.2 * pose])
    assert bone_length_loss(pose, crowd, norm).item() < 1e-12
    pairwise = np.abs(lengths_by_numpy(crowd) - lengths_by_numpy(pose)).mean()
    assert pairwise > 0.05  # the mean of differences would object


def test_the_slope_of_l1_stays_and_that_of_l2_fades():
    pose = people(1)[0]
    slopes = {}
    for norm in ("l1", "l2"):
        for off in (0.1, 0.01):
            scale = torch.tensor(1 + off, dtype=torch.float64, requires_grad=True)
            (slope,) = torch.autograd.grad(bone_length_loss(pose, scale * pose, norm), scale)
            slopes[norm, off] = slope.item()
    assert slopes["l1", 0.01] == pytest.approx(slopes["l1", 0.1], rel=1e-9)
    assert slopes["l2", 0.01] == pytest.approx(0.1 * slopes["l2", 0.1], rel=1e-9)


def test_both_batches_get_a_gradient_of_opposite_direction():
    pose = people(2)[0]
    labelled, unlabelled = pose.clone().requires_grad_(), (1.1 * pose).requires_grad_()
    slopes = torch.autograd.grad(bone_length_loss(labelled, unlabelled), (labelled, unlabelled))
    assert all((slope != 0).any() for slope in slopes)
    torch.testing.assert_close(slopes[0], -slopes[1])


# ------------------------------------------------------------------ one step
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_a_step_is_the_sum_of_its_terms_on_one_concatenated_batch(causal, training):
    networks = pair(causal=causal)
    labelled, unlabelled = windows(4), windows(5, seed=7).keypoints
    for network in networks:
        network.train(training)
    together = torch.cat([labelled.keypoints, unlabelled])
    with torch.no_grad():  # in training mode: the statistics of this batch, not those of earlier ones
        pose, root = (network(together)[:, 0] for network in networks)
        losses = joint_losses(*networks, labelled, unlabelled, lens=PRESETS["d1"], norm="l2")
    seen = unlabelled[:, 2 if causal else 1]
    torch.testing.assert_close(losses.pose, mpjpe(pose[:4], labelled.pose))
    torch.testing.assert_close(losses.trajectory, trajectory_loss(root[:4], labelled.root))
    torch.testing.assert_close(losses.reprojection, reprojection_loss(pose[4:], root[4:], seen, PRESETS["d1"]))
    torch.testing.assert_close(losses.bones, bone_length_loss(pose[:4], pose[4:], "l2"))
    torch.testing.assert_close(losses.total, losses.pose + losses.trajectory + losses.reprojection + losses.bones)


def test_batch_norm_sees_both_halves():
    networks = pair()
    labelled, unlabelled = windows(4), 5 + windows(5).keypoints
    joint_losses(*networks, labelled, unlabelled)
    alone = pair()
    joint_losses(*alone, labelled, None)
    assert not torch.allclose(networks[0].expand_bn.running_mean, alone[0].expand_bn.running_mean)


def visible(trajectory):
    """The trajectory network, with a bias that puts everybody 4 m before the camera: there back-projection pulls."""
    with torch.no_grad():
        trajectory.shrink.weight *= 0.05
        trajectory.shrink.bias.copy_(torch.tensor([0.0, 0.0, 4.0]))
    return trajectory


@pytest.mark.parametrize(
    "term, reached", [("pose", "10"), ("trajectory", "01"), ("reprojection", "11"), ("bones", "10")]
)
def test_every_term_reaches_the_networks_that_can_answer_for_it(term, reached):
    pose_model, trajectory = pair()
    visible(trajectory)
    losses = joint_losses(pose_model, trajectory, windows(), windows(5, seed=3).keypoints)
    getattr(losses, term).backward()
    for network, expected in zip((pose_model, trajectory), reached):
        slopes = [p.grad.abs().max().item() for p in network.parameters() if p.grad is not None]
        assert (max(slopes, default=0.0) > 0) == (expected == "1")


@pytest.mark.parametrize("terms", [(term,) for term in TERMS] + [("pose", "bones"), TERMS[:2], TERMS])
def test_only_the_terms_asked_for_are_used(terms):
    networks = pair()
    every = joint_losses(*networks, windows(), windows(5, seed=3).keypoints)
    some = joint_losses(*networks, windows(), windows(5, seed=3).keypoints, terms=terms)
    for term in TERMS:
        if term in terms:
            torch.testing.assert_close(getattr(some, term), getattr(every, term))
        else:
            assert getattr(some, term) is None
    torch.testing.assert_close(some.total, sum(getattr(every, term) for term in terms))


def test_the_warm_up_uses_labelled_terms_only():
    losses = joint_losses(*pair(), windows(), None)
    assert losses.reprojection is None and losses.bones is None
    torch.testing.assert_close(losses.total, losses.pose + losses.trajectory)


def test_single_frame_networks_can_learn_this_way_too():
    torch.manual_seed(0)
    networks = [SingleFrameLifter(8, dropout=0.0, outputs=outputs) for outputs in (17, 1)]
    losses = joint_losses(*networks, windows(4, 1), windows(5, 1, seed=3).keypoints)
    assert torch.isfinite(losses.total) and None not in [getattr(losses, term) for term in TERMS]


def test_unlabelled_steps_bring_the_picture_into_agreement():
    """A few steps on keypoints alone: the projection of what the two networks say comes nearer to them."""
    pose_model, trajectory = pair()
    visible(trajectory)
    labelled, unlabelled = windows(), windows(16, seed=3).keypoints
    optimiser = torch.optim.Adam([*pose_model.parameters(), *trajectory.parameters()], lr=1e-2)
    seen = []
    for _ in range(40):
        loss = joint_losses(pose_model, trajectory, labelled, unlabelled, terms=("reprojection",)).total
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        seen.append(loss.item())
    assert seen[-1] < 0.6 * seen[0]


POSE, ROOT = people(2)
BAD = {
    "roots that differ": (lambda: trajectory_loss(ROOT, ROOT[:1]), r"predicted \(2, 1, 3\), root \(1, 1, 3\)"),
    "whole poses as roots": (lambda: trajectory_loss(POSE, POSE), r"expected \(\.\.\., 1, 3\)"),
    "a true root behind": (lambda: trajectory_loss(ROOT, -ROOT), "root holds depths that are not positive"),
    "16 joints": (lambda: reproject(POSE[:, :16], ROOT), "pose has shape"),
    "a trajectory of 17 joints": (lambda: reproject(POSE, POSE), r"root has shape .* expected \(\.\.\., 1, 3\)"),
    "3D keypoints": (lambda: reprojection_loss(POSE, ROOT, POSE), "keypoints has shape"),
    "another norm": (lambda: bone_length_loss(POSE, POSE, "l3"), "norm is 'l3'"),
    "an unknown term": (
        lambda: joint_losses(*pair(), windows(), None, terms=("pose", "limbs")),
        r"\['limbs'\] unknown",
    ),
    "nothing to learn from": (lambda: joint_losses(*pair(), windows(), None, terms=("bones",)), "nothing to learn"),
    "no root": (
        lambda: joint_losses(*pair(), Windows(windows().keypoints, windows().pose), None),
        "labelled has no root: draw it with windows.draw_windows",
    ),
}


@pytest.mark.parametrize("call, message", BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_every_video_is_seen_with_its_own_focal_length_and_principal_point():
    pose, root = POSE[:2], ROOT[:2] if ROOT.ndim > 2 else ROOT.expand(2, 1, 3)
    camera = look_at(torch.tensor([[3.0, 0, 1], [0, 4.0, 1]]), torch.zeros(2, 3) + 1)
    camera = replace(
        camera, focal=torch.tensor([[1.1, 1.2], [2.3, 2.2]]), centre=torch.tensor([[0.01, -0.02], [0.1, 0]])
    )
    plane = reproject(pose, root) / FOCAL
    expected = plane * camera.focal[:, None] + camera.centre[:, None]
    torch.testing.assert_close(reproject(pose, root, camera=camera), expected)
    assert reprojection_loss(pose, root, expected, camera=camera).item() < 1e-6
    assert reprojection_loss(pose, root, expected).item() > 0.05, "the course's own camera is another one"
