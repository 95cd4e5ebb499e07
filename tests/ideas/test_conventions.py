"""Places whose poses are wanted in their own axes, with joints where their own laboratory puts them."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from tutorial_lib.adaptation.conventions import (
    LIMIT,
    Convention,
    draw_mountings,
    draw_shifts,
    mounting,
    pelvis_axes,
    told_everything,
    told_rotation,
)
from tutorial_lib.adaptation.lens_test import LensTest
from tutorial_lib.datasets.splits import builtin_split
from tutorial_lib.distortion import PRESETS
from tutorial_lib.metrics import mpjpe, root_relative
from tutorial_lib.motion import builtin
from tutorial_lib.skeleton import bone_lengths


@pytest.fixture(scope="module")
def poses() -> torch.Tensor:
    """(2 people, 60 frames, 17, 3)."""
    return root_relative(torch.stack([clip.positions[:60] for clip in builtin(1, 2, ["walk"], 60)]).double())


@given(tilt=st.floats(-LIMIT, LIMIT), roll=st.floats(-LIMIT, LIMIT))
def test_a_mounting_is_the_rotation_that_its_two_angles_say(tilt, roll):
    ours = mounting(torch.tensor(tilt, dtype=torch.float64), torch.tensor(roll, dtype=torch.float64))
    theirs = Rotation.from_rotvec([tilt, 0, 0], degrees=True) * Rotation.from_rotvec([0, 0, roll], degrees=True)
    assert torch.allclose(ours, torch.from_numpy(theirs.as_matrix()), atol=1e-12)


def test_mountings_stay_within_the_limit_and_repeat():
    first, again = (draw_mountings(500, generator=torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, again)
    angles = Rotation.from_matrix(first.double().numpy()).magnitude() * 180 / torch.pi
    assert angles.max() < LIMIT * 2**0.5 + 1e-3 and angles.mean() > 10


def test_the_rotation_keeps_bones_and_comes_back(poses):
    places = Convention(draw_mountings(2, generator=torch.Generator().manual_seed(0)).double())
    wanted = places.wanted(poses)
    assert torch.allclose(bone_lengths(wanted), bone_lengths(poses))
    assert torch.allclose(places.in_picture(wanted), poses)
    alone = Convention(places.rotation[1])
    assert torch.allclose(alone.wanted(poses[1]), wanted[1])


def test_another_laboratorys_joints_turn_with_the_body(poses):
    shift = draw_shifts(1, generator=torch.Generator().manual_seed(1))[0].double()
    place = Convention(torch.eye(3, dtype=torch.float64), shift)
    turn = mounting(torch.tensor(40.0), torch.tensor(-70.0)).double()
    assert torch.allclose(place.wanted(poses @ turn.T), place.wanted(poses) @ turn.T, atol=1e-9)
    moved = (place.wanted(poses) - poses).norm(dim=-1)
    assert torch.allclose(moved, shift.norm(dim=-1).expand_as(moved))
    assert (moved[..., 0] == 0).all()


def test_the_pelvis_axes_are_right_up_and_forward(poses):
    axes = pelvis_axes(poses)
    assert torch.allclose(axes @ axes.mT, torch.eye(3, dtype=torch.float64).expand_as(axes), atol=1e-9)
    assert (axes[..., 1, 2] > 0.9).all()  # people who walk are upright: up is the world's z


def test_who_is_told_finds_the_convention_in_closed_form(poses):
    generator = torch.Generator().manual_seed(2)
    rotation = draw_mountings(1, generator=generator)[0].double()
    place = Convention(rotation, draw_shifts(1, generator=generator)[0].double())
    turned = Convention(rotation)
    assert torch.allclose(told_rotation(poses[0], turned.wanted(poses[0])).rotation, rotation, atol=1e-9)
    labels = place.wanted(poses[0])
    half, whole = (solve(poses[0], labels).wanted(poses[1]) for solve in (told_rotation, told_everything))
    assert mpjpe(whole, place.wanted(poses[1])) < 2e-3 < 0.03 < mpjpe(half, place.wanted(poses[1]))


def test_the_picture_does_not_betray_the_convention():
    lens_test = LensTest(builtin_split(0), 0, clips=2, calibration_clips=4)
    place = Convention(mounting(torch.tensor(20.0), torch.tensor(-15.0)))
    level, crooked = lens_test.through(PRESETS["d2"]), lens_test.through(PRESETS["d2"], convention=place)
    assert torch.equal(level.video, crooked.video) and torch.equal(level.recorded, crooked.recorded)
    assert torch.allclose(place.in_picture(crooked.truth), level.truth, atol=1e-6)
    a, b = level.support(9, 8), crooked.support(9, 8)
    assert torch.equal(a.keypoints, b.keypoints) and torch.allclose(place.wanted(a.pose), b.pose, atol=1e-6)
