"""Lesson 03's networks: where they begin, what they can and cannot pass on; pairs of photos; the lifter."""

import math

import numpy as np
import pytest
import torch

from tutorial_lib.motion import builtin
from tutorial_lib.skeleton import MIRROR
from tutorial_lib.templates import anchor_loss, boundary_loss, keypoints, part_maps
from tutorial_lib.templates.lift import fit_lifter, normalised
from tutorial_lib.templates.network import (
    START,
    Eye,
    Regressor,
    Translator,
    coverage_loss,
    soft_maps,
    stiffness_loss,
)  # fmt: skip
from tutorial_lib.templates.pairs import Pairs, facing, front_pairs


@pytest.fixture(scope="module")
def pairs():
    return front_pairs(builtin(3, 2, 4, 60), 12, size=32, generator=torch.Generator().manual_seed(0))


def woken(translator, seed=0):
    """A translator whose last layer is no longer zero."""
    torch.manual_seed(seed)
    torch.nn.init.normal_(translator.paint[0].weight, std=0.1)
    return translator.eval()


# ------------------------------------------------------------------ regressor
def test_untrained_regressor_answers_the_start_for_any_photo():
    for mode in (True, False):
        answer = Regressor(32, 8).train(mode)(torch.rand(3, 3, 32, 32))
        assert torch.allclose(answer, START.expand(3, -1, -1, -1), atol=1e-6)


def test_first_step_of_descent_reaches_every_part():
    regressor = Regressor(32, 8)
    part_maps(regressor(torch.rand(2, 3, 32, 32)), 16).square().sum((-1, -2)).sum().backward()
    slope = regressor.answer.weight.grad.reshape(18, 6, -1).abs().sum((1, 2))
    assert (slope > 0).all()


@pytest.mark.parametrize("photos", [torch.rand(1, 3, 48, 48), torch.rand(3, 32, 32), torch.rand(1, 1, 32, 32)])
def test_regressor_refuses_other_photos(photos):
    with pytest.raises(ValueError, match=r"photos has shape .* expected"):
        Regressor(32, 8)(photos)


def test_regressor_refuses_a_size_that_cannot_be_halved():
    with pytest.raises(ValueError, match="size is 40"):
        Regressor(40)


# ------------------------------------------------------------------ translator
def test_untrained_translator_paints_the_empty_place():
    places, photos = torch.rand(2, 2, 3, 32, 32)
    assert torch.equal(Translator(8)(photos, places, part_maps(START.expand(2, -1, -1, -1), 16)), places)


def test_pose_reaches_only_its_own_neighbourhood():
    """Moving one part changes nothing further away than the convolutions' reach: parts cannot be a secret code."""
    translator = woken(Translator(8))
    photo, place = torch.rand(2, 1, 3, 96, 96)
    maps = torch.zeros(1, 18, 48, 48)
    other = maps.clone()
    other[0, 3, 24, 24] = 1
    with torch.no_grad():
        changed = (translator(photo, place, maps) - translator(photo, place, other)).abs().amax((0, 1))
    rows = changed.amax(1).nonzero()[:, 0]
    assert 0 < rows.max() - rows.min() < 96 / 4


def test_clothes_reach_no_picture_without_parts():
    """Of the photo only what parts are painted with passes: without parts the person cannot be copied."""
    translator = woken(Translator(8))
    first, second, place = torch.rand(3, 1, 3, 32, 32)
    with torch.no_grad():
        none = torch.zeros(1, 18, 16, 16)
        assert torch.equal(translator(first, place, none), translator(second, place, none))
        some = part_maps(START[None], 16)
        assert not torch.allclose(translator(first, place, some), translator(second, place, some))


def test_translator_refuses_maps_of_another_raster():
    with pytest.raises(ValueError, match=r"maps has shape .* expected \(1, 18, 16, 16\)"):
        Translator(8)(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32), torch.rand(1, 18, 32, 32))


# ------------------------------------------------------------------ eye, blur
def test_standardised_features_have_mean_zero_and_spread_one():
    eye, photos = Eye(8), torch.rand(16, 3, 32, 32)
    eye.standardise(photos)
    seen = eye(photos)
    assert seen.shape == (16, 16, 8, 8)
    assert seen.mean((0, 2, 3)).abs().max() < 1e-4 and (seen.std((0, 2, 3)) - 1).abs().max() < 1e-3


def test_blur_widens_and_zero_blur_is_the_plain_map():
    plain = part_maps(START, 48)
    assert torch.allclose(soft_maps(START, 48), plain)
    assert (soft_maps(START, 48, 0.1).sum((-1, -2)) > plain.sum((-1, -2))).all()


# ------------------------------------------------------------------ pairs
def test_pairs_differ_where_the_person_is_and_nowhere_far_from_it(pairs):
    assert len(pairs) == 12 and pairs.pixels.shape == (2, 12, 3, 32, 32)
    off = (pairs.photos(0) - pairs.places()).abs().amax(1)
    assert (off.amax((1, 2)) > 0.1).all()  # somebody is in the photo, nobody in the empty place
    rim = torch.cat([off[:, 0], off[:, :, 0], off[:, :, -1]], 1)
    assert rim.median() < 0.05


def test_people_show_the_front(pairs):
    """In the camera frame (x right, z forward) a front shows the left shoulder on the right of the image."""
    across = pairs.pose[0, :, 11, 0] - pairs.pose[0, :, 14, 0]
    assert (across > 0).float().mean() > 0.9
    clips = builtin(3, 2, 4, 60)
    backs = front_pairs(clips, 12, size=16, generator=torch.Generator().manual_seed(0), towards=math.pi)
    assert ((backs.pose[0, :, 11, 0] - backs.pose[0, :, 14, 0]) < 0).float().mean() > 0.9


def test_facing_turns_with_the_person():
    clip = builtin(3, 1, 1, 20)[0].positions
    angle = 0.7
    turn = torch.tensor(
        [[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]], dtype=clip.dtype
    )
    change = (facing(clip @ turn.T) - facing(clip) - angle + math.pi).remainder(2 * math.pi) - math.pi
    assert change.abs().max() < 1e-4


def test_a_batch_may_be_swapped_and_mirrored_but_always_together(pairs):
    seen = set()
    for seed in range(12):
        one, two, place = pairs.draw(1, torch.Generator().manual_seed(seed))
        found = [
            (number, swap, mirror)
            for number in range(len(pairs))
            for swap in (0, 1)
            for mirror in (False, True)
            if all(
                torch.equal(batch, known[number][None].flip(-1) if mirror else known[number][None])
                for batch, known in (
                    (one, pairs.photos(swap)),
                    (two, pairs.photos(1 - swap)),
                    (place, pairs.places()),
                )
            )
        ]
        assert len(found) == 1
        seen.add(found[0][1:])
    assert len(seen) == 4


def test_pairs_need_clips():
    with pytest.raises(ValueError, match="clips has 0"):
        front_pairs([], 3, generator=torch.Generator())


# ------------------------------------------------------------------ lifter
def test_lifter_equals_least_squares_of_numpy():
    generator = torch.Generator().manual_seed(1)
    joints, poses = (torch.randn(200, 17, n, generator=generator, dtype=torch.float64) for n in (2, 3))
    lifter = fit_lifter(joints, poses, ridge=1e-12)
    inputs = np.concatenate([normalised(joints)[0].numpy(), np.ones((200, 1))], 1)
    targets = (poses - poses[:, :1]).flatten(1).numpy()
    expected = inputs @ np.linalg.lstsq(inputs, targets, rcond=None)[0]
    np.testing.assert_allclose(lifter(joints).flatten(1).numpy(), expected, atol=1e-6)


def test_lifter_ignores_place_and_size_in_the_picture():
    generator = torch.Generator().manual_seed(1)
    joints, poses = (torch.randn(50, 17, n, generator=generator) for n in (2, 3))
    lifter = fit_lifter(joints, poses)
    assert torch.allclose(lifter(joints), lifter(0.5 * joints + 0.2), atol=1e-4)
    with pytest.raises(ValueError, match="one projection for each pose"):
        fit_lifter(joints, poses[1:])


def test_select_keeps_pairs_together(pairs):
    some = pairs.select([4, 2])
    assert isinstance(some, Pairs) and len(some) == 2
    assert torch.equal(some.places()[1], pairs.places()[2]) and torch.equal(some.keypoints[1, 0], pairs.keypoints[1, 4])


# ------------------------------------------------------------------ our two losses
def test_turning_is_free_and_stretching_is_not():
    angle = torch.linspace(-2, 2, 18)
    turn = torch.stack([torch.stack([angle.cos(), -angle.sin()], -1), torch.stack([angle.sin(), angle.cos()], -1)], -2)
    turned = torch.cat([turn @ START[..., :2], START[..., 2:] + 0.3], -1)
    assert stiffness_loss(turned).item() == pytest.approx(0, abs=1e-8)
    wide = torch.cat([2 * turned[..., :2], turned[..., 2:]], -1)
    assert stiffness_loss(wide).item() == pytest.approx(18, rel=1e-4)  # |4 I - I|²


def test_coverage_is_smallest_where_the_parts_are():
    place = torch.zeros(1, 3, 32, 32)
    maps = part_maps(START[None], 16)
    covered = 1 - (1 - 0.98 * maps).prod(1, keepdim=True)
    photo = (0.04 + 0.12 * covered).repeat(1, 3, 1, 1).repeat_interleave(2, 2).repeat_interleave(2, 3)
    aside = START.clone()
    losses = []
    for shift in (0.0, 0.1, 0.2, 0.4):
        aside[..., 0, 2] = START[..., 0, 2] + shift
        losses.append(coverage_loss(part_maps(aside[None], 16), photo, place).item())
    assert losses == sorted(losses) and losses[0] < 0.01 * losses[-1]


def test_nobody_in_the_picture_leaves_only_what_the_parts_cover():
    place = torch.rand(1, 3, 32, 32)
    assert coverage_loss(torch.zeros(1, 18, 16, 16), place, place).item() == 0
    assert coverage_loss(part_maps(START[None], 16), place, place).item() > 0.01


def test_training_begins_with_an_adult_whose_springs_are_closed():
    joints = keypoints(START)
    assert boundary_loss(START) == 0 and anchor_loss(START) < 1e-3
    trunk, leg = joints[8, 1] - joints[0, 1], joints[0, 1] - joints[3, 1]
    assert leg / trunk > 1.5
    assert torch.allclose(joints[list(MIRROR)] * joints.new_tensor([-1, 1]), joints, atol=1e-5)
