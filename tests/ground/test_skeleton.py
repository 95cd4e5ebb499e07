"""The 17-joint body: its tree, its symmetry, its bone lengths."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from tutorial_lib import skeleton
from tutorial_lib.skeleton import BONES, JOINTS, LEFT, MIRROR, PARENTS, RIGHT, SYMMETRIC_BONES, bone_lengths


def random_pose(seed, *leading):
    return torch.randn(*leading, 17, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_tree_is_the_one_of_human36m():
    assert len(JOINTS) == len(set(JOINTS)) == 17
    assert PARENTS == (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15)
    assert LEFT == (4, 5, 6, 11, 12, 13) and RIGHT == (1, 2, 3, 14, 15, 16)


def test_every_joint_reaches_the_root_and_every_bone_is_named_once():
    for joint in range(17):
        steps = 0
        while joint != 0:
            joint, steps = PARENTS[joint], steps + 1
            assert steps < 17
    assert len(BONES) == 16
    assert sorted(child for _, child in BONES) == list(range(1, 17))


def test_left_and_right_are_paired_by_name():
    assert [JOINTS[j].replace("left", "right") for j in LEFT] == [JOINTS[MIRROR[j]] for j in LEFT]
    assert {JOINTS[j].split("_")[0] for j in LEFT} == {"left"}
    assert {JOINTS[j].split("_")[0] for j in RIGHT} == {"right"}
    assert [MIRROR[MIRROR[j]] for j in range(17)] == list(range(17))


def test_mirroring_keeps_the_tree():
    for child in range(1, 17):
        assert PARENTS[MIRROR[child]] == MIRROR[PARENTS[child]]


def test_bone_lengths_agree_with_a_loop():
    pose = random_pose(0, 2, 3)
    points = pose.numpy()
    expected = np.stack([np.linalg.norm(points[..., c, :] - points[..., p, :], axis=-1) for p, c in BONES], -1)
    np.testing.assert_allclose(bone_lengths(pose).numpy(), expected, rtol=1e-12)


@settings(deadline=None, max_examples=30, derandomize=True)
@given(st.integers(0, 10_000), st.floats(0.01, 100))
def test_bone_lengths_follow_a_similarity(seed, scale):
    pose = random_pose(seed)
    turn = torch.from_numpy(Rotation.random(rng=seed).as_matrix())
    moved = scale * pose @ turn.T + torch.tensor([1.0, -2.0, 3.0])
    torch.testing.assert_close(bone_lengths(moved), scale * bone_lengths(pose), rtol=1e-9, atol=1e-9)


def test_a_mirrored_person_has_left_and_right_bones_exchanged():
    pose = random_pose(1)
    mirrored = pose[list(MIRROR)] * torch.tensor([-1.0, 1.0, 1.0])
    before, after = bone_lengths(pose), bone_lengths(mirrored)
    for left, right in SYMMETRIC_BONES:
        assert after[left] == before[right] and after[right] == before[left]


def test_the_gradient_of_a_bone_of_length_zero_is_zero():
    pose = torch.zeros(17, 3, requires_grad=True)
    bone_lengths(pose).sum().backward()
    assert (pose.grad == 0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_bone_lengths_keep_the_dtype(dtype):
    assert bone_lengths(torch.zeros(2, 17, 3, dtype=dtype)).dtype == dtype


@pytest.mark.parametrize("shape", [(16, 3), (17, 2), (17,), (3, 17)])
def test_a_pose_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"pose has shape .* expected \(\.\.\., 17, 3\)"):
        skeleton.bone_lengths(torch.zeros(shape))


@given(st.lists(st.integers(0, 16), min_size=1, max_size=20), st.sampled_from([-3, -2, -1]))
@settings(derandomize=True, max_examples=30)
def test_joints_by_number_are_those_that_indexing_gives(numbers, dim):
    values = torch.randn(17, 17, 17, generator=torch.Generator().manual_seed(0))
    assert torch.equal(skeleton.pick(values, tuple(numbers), dim), values.index_select(dim, torch.tensor(numbers)))
