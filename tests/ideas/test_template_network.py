"""Lesson 03's networks: where they begin, what they can and cannot pass on; pairs of photos; the lifter."""

import math

import numpy as np
import pytest
import torch

from tutorial_lib.motion import builtin
from tutorial_lib.skeleton import MIRROR
from tutorial_lib.templates import anchor_loss, boundary_loss, keypoints, learning, part_maps
from tutorial_lib.templates.lift import fit_lifter, normalised
from tutorial_lib.templates.network import (
    START,
    Eye,
    Regressor,
    Translator,
    soft_maps,
    solid,
)  # fmt: skip
from tutorial_lib.templates.pairs import Change, Pairs, facing, front_pairs
from tutorial_lib.templates.warp import gaussian_maps


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
    maps = part_maps(START.expand(2, -1, -1, -1), 16)
    assert torch.equal(Translator(8)(photos, maps, places, maps), places)


def test_pose_reaches_only_its_own_neighbourhood():
    """Moving one part changes nothing further away than the convolutions' reach: parts cannot be a secret code."""
    translator = woken(Translator(8))
    photo, place = torch.rand(2, 1, 3, 96, 96)
    maps = torch.zeros(1, 18, 48, 48)
    other = maps.clone()
    other[0, 3, 24, 24] = 1
    there = part_maps(START[None], 48)
    with torch.no_grad():
        changed = translator(photo, there, place, maps) - translator(photo, there, place, other)
    rows = changed.abs().amax((0, 1)).amax(1).nonzero()[:, 0]
    assert 0 < rows.max() - rows.min() < 96 / 4


def test_a_part_takes_the_colour_of_where_it_lies_in_the_other_photo():
    """Of the photo only what lies under the parts passes: the person cannot be copied past them."""
    translator = woken(Translator(8))
    photo, place = torch.rand(2, 1, 3, 64, 64)
    there = part_maps(START[None], 32)
    covered = solid(there).amax((0, 1)) > 0.02
    covered = covered.repeat_interleave(2, 0).repeat_interleave(2, 1)
    assert 0.05 < covered.float().mean() < 0.9
    with torch.no_grad():
        first = translator(photo, there, place, there)
        beside, under = (
            translator(torch.where(where, 1 - photo, photo), there, place, there) for where in (~covered, covered)
        )
    assert (first - beside).abs().max() < 0.1 * (first - under).abs().max()


def test_a_part_outside_the_photo_has_no_colour():
    translator = woken(Translator(8))
    first, second, place = torch.rand(3, 1, 3, 32, 32)
    nowhere, here = torch.zeros(1, 18, 16, 16), part_maps(START[None], 16)
    with torch.no_grad():
        pictures = [translator(photo, nowhere, place, here) for photo in (first, second)]
    assert pictures[0].isfinite().all() and torch.equal(*pictures)


@pytest.mark.parametrize("which", ["there", "here"])
def test_translator_refuses_maps_of_another_raster(which):
    photo, good, bad = torch.rand(1, 3, 32, 32), torch.rand(1, 18, 16, 16), torch.rand(1, 18, 32, 32)
    maps = {"there": good, "here": good, which: bad}
    with pytest.raises(ValueError, match=rf"{which} has shape .* expected \(1, 18, 16, 16\)"):
        Translator(8)(photo, maps["there"], photo, maps["here"])


def test_solid_parts_have_their_edge_where_the_gaussian_is_a_half():
    values = solid(torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0]))
    assert values[0] == 0 and values[2] == 0.5 and values[4] == 1 and (values.diff() > 0).all()


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


def test_lifter_takes_away_what_all_found_joints_have_wrong():
    """Joints wrong by the same share of the trunk everywhere are lifted as the true ones; nothing is paired."""
    generator = torch.Generator().manual_seed(2)
    joints, poses = (torch.randn(300, 17, n, generator=generator) for n in (2, 3))
    joints[:, 8] = joints[:, 0] + torch.tensor([0.0, -1.0])  # a trunk of length 1
    wrong = joints.clone()
    wrong[:, 3] += torch.tensor([0.3, -0.2])
    lifter = fit_lifter(joints, poses, found=wrong[torch.randperm(300, generator=generator)])
    assert torch.allclose(lifter(wrong), fit_lifter(joints, poses)(joints), atol=1e-4)


def test_select_keeps_pairs_together(pairs):
    some = pairs.select([4, 2])
    assert isinstance(some, Pairs) and len(some) == 2
    assert torch.equal(some.places()[1], pairs.places()[2]) and torch.equal(some.keypoints[1, 0], pairs.keypoints[1, 4])


# ------------------------------------------------------------------ the start
def test_training_begins_with_an_adult_whose_springs_are_closed():
    joints = keypoints(START)
    assert boundary_loss(START) == 0 and anchor_loss(START) < 1e-3
    trunk, leg = joints[8, 1] - joints[0, 1], joints[0, 1] - joints[3, 1]
    assert leg / trunk > 1.5
    assert torch.allclose(joints[list(MIRROR)] * joints.new_tensor([-1, 1]), joints, atol=1e-5)


# ------------------------------------------------------------------ what passes beside the parts, other frames
def test_a_leak_shows_the_translator_so_many_cells_of_the_photo():
    place, maps = torch.zeros(1, 3, 32, 32), torch.zeros(1, 18, 16, 16)
    translator = woken(Translator(8, leak=4))
    one, other = torch.rand(2, 1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    cell = one.unfold(2, 8, 8).unfold(3, 8, 8)
    shuffled = cell.flatten(-2).roll(3, -1).reshape(cell.shape).permute(0, 1, 2, 4, 3, 5).reshape(one.shape)
    seen = [translator(photo, maps, place, maps) for photo in (one, other, shuffled)]
    assert (seen[0] - seen[1]).abs().max() > 1e-3  # without parts something of the photo passes
    torch.testing.assert_close(seen[0], seen[2])  # but only its means over 4 x 4 cells
    closed = woken(Translator(8))
    assert torch.equal(closed(one, maps, place, maps), closed(other, maps, place, maps))


def test_a_change_moves_photos_and_joints_alike():
    generator = torch.Generator().manual_seed(0)
    joints = 0.8 * torch.rand(6, 17, 2, generator=generator) - 0.4
    spots = gaussian_maps(joints[:, 0], 0.001 * torch.eye(2).expand(6, 2, 2), 96)
    change = Change.draw(6, generator)
    maps = change.photos(spots[:, None].expand(-1, 3, -1, -1))[:, 0]
    peak = maps.flatten(1).argmax(-1)
    found = 2 * (torch.stack([peak % 96, peak // 96], -1) + 0.5) / 96 - 1
    moved = change.joints(joints)[:, 0]
    assert (found - moved).abs().max() < 2 / 96 and (moved - joints[:, 0]).abs().max() > 0.05


def test_augmented_batches_keep_photos_and_places_together(pairs):
    one, _, place = pairs.draw(4, torch.Generator().manual_seed(1), augment=True)
    plain, _, _ = pairs.draw(4, torch.Generator().manual_seed(1))
    assert not torch.allclose(one, plain, atol=0.05)
    assert ((one - place).abs().amax(1) < 0.1).float().mean() > 0.5  # the place was changed in the same way


def test_waving_pairs_move_their_wrists_further():
    def wrists(waving):
        made = front_pairs(builtin(3, 2, 4, 60), 24, size=16, generator=torch.Generator().manual_seed(0), waving=waving)
        return (made.pose[0] - made.pose[1])[:, [13, 16]].norm(dim=-1).amax(-1).mean()

    assert wrists(True) > 1.2 * wrists(False)


def test_half_precision_leaves_places_and_losses_in_single(pairs):
    losses = {}
    for half in (False, True):
        learner = learning.Learner(pairs, Eye(4), size=32, width=4, batch=4, seed=0, half=half)
        losses[half] = learner.loss(0, 10)
        assert losses[half].dtype == torch.float32
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            affines = learner.regressor.eval()(pairs.photos(0))
        assert affines.dtype == torch.float32 and (affines - START).abs().max() < 1e-5
    torch.testing.assert_close(losses[True], losses[False], rtol=0.1, atol=0)


def test_painting_others_takes_the_parts_that_it_is_given(pairs):
    learner = learning.Learner(pairs, Eye(4), size=32, width=4, batch=4, seed=0)
    woken(learner.translator)
    own = learning.paint_others(learner, pairs, START.expand(len(pairs), -1, -1, -1))
    aside = START + torch.tensor([[0.0, 0.0, 0.5], [0.0, 0.0, 0.0]])
    assert own.shape == (len(pairs), 3, 32, 32)
    assert not torch.allclose(own, learning.paint_others(learner, pairs, aside.expand(len(pairs), -1, -1, -1)))


@pytest.mark.parametrize("same", [False, True])
def test_the_appearance_comes_from_the_other_moment_or_from_the_photo_itself(monkeypatch, pairs, same):
    learner = learning.Learner(pairs, Eye(4), size=32, width=4, batch=4, seed=0, row=learning.Row(leak=4, same=same))
    asked, seen = [], []
    learner.translator.register_forward_pre_hook(lambda _, given: asked.append(given[0]))
    learner.regressor.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    learner.loss(0, 10)
    assert torch.equal(asked[0], seen[0] if same else seen[0].roll(4, 0))
    learning.paint_others(learner, pairs, START.expand(len(pairs), -1, -1, -1))
    assert torch.equal(torch.cat(asked[1:]), pairs.photos(0 if same else 1))
