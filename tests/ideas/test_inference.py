"""Mirror images: an involution that exchanges sides, and an average that does not care which way round."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tutorial_lib.lifting import SingleFrameLifter, TemporalLifter, lift_flipped_average
from tutorial_lib.skeleton import JOINTS, bone_lengths, flip


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@given(st.sampled_from([(17, 2), (4, 17, 3), (2, 3, 17, 2), (5, 1, 3)]), st.integers(0, 99))
def test_twice_is_nothing(shape, seed):
    points = noise(*shape, seed=seed)
    assert torch.equal(flip(flip(points)), points)
    assert not torch.equal(flip(points), points)


def test_the_left_wrist_becomes_the_right_one_on_the_other_side():
    pose, mirrored = noise(17, 3), flip(noise(17, 3))
    for name, other in (("left_wrist", "right_wrist"), ("right_hip", "left_hip"), ("head", "head")):
        x, y, z = pose[JOINTS.index(name)]
        assert mirrored[JOINTS.index(other)].tolist() == [-x, y, z]


def test_a_person_in_the_mirror_has_the_same_bones_on_the_other_side():
    lengths, mirrored = bone_lengths(noise(17, 3)), bone_lengths(flip(noise(17, 3)))
    torch.testing.assert_close(lengths.sort().values, mirrored.sort().values)
    assert not torch.allclose(lengths, mirrored)


def test_projection_commutes_with_the_mirror():
    pose = noise(6, 17, 3) * 0.3 + torch.tensor([0.0, 0.0, 4.0])
    torch.testing.assert_close(flip(pose[..., :2] / pose[..., 2:]), flip(pose)[..., :2] / flip(pose)[..., 2:])


MODELS = {
    "temporal": lambda: TemporalLifter(9, 8),
    "causal": lambda: TemporalLifter(9, 8, causal=True),
    "trajectory": lambda: TemporalLifter(9, 8, outputs=1),
    "single": lambda: SingleFrameLifter(8),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS.keys())
def test_the_average_commutes_with_the_mirror_whatever_the_weights(make):
    model, clip = make().eval(), noise(2, 12, 17, 2)
    average = lift_flipped_average(model, clip)
    assert average.shape == model.lift(clip).shape
    torch.testing.assert_close(lift_flipped_average(model, flip(clip)), flip(average))
    torch.testing.assert_close(lift_flipped_average(model, clip, chunk=5), average)
    assert not torch.allclose(model.lift(flip(clip)), flip(model.lift(clip)), atol=1e-4)


@pytest.mark.parametrize("shape", [(17,), (16, 2), (17, 4), (2, 3)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="points has shape"):
        flip(torch.zeros(shape))
