"""Lesson 08's idea: the geometry against cameras of the world, the losses against what must not change them."""

import math

import pytest
import torch

from tutorial_lib.camera import look_at, world_to_camera
from tutorial_lib.motion import builtin
from tutorial_lib.self_supervision.learning import Recipe, Weights, train
from tutorial_lib.self_supervision.losses import believes, critic_loss, cycle_losses
from tutorial_lib.self_supervision.networks import Adapter, Critic, DepthLifter
from tutorial_lib.self_supervision.others import by_others, learn_to_adapt, seen_by_others
from tutorial_lib.self_supervision.signs import canonical_mean, errors
from tutorial_lib.self_supervision.turning import DISTANCE, draw_turns, lift, look, mirrored, turn
from tutorial_lib.self_supervision.views import draw_views, film
from tutorial_lib.skeleton import bone_lengths


@pytest.fixture(scope="module")
def clips():
    return builtin(3, 2, ["walk", "reach", "kick"], 40)


@pytest.fixture(scope="module")
def views(clips):
    return draw_views(clips, 60, 0)


def seen_from(world, azimuth, elevation, distance=DISTANCE):
    """The independent way: a camera of the world, looking at the hip."""
    root = world[0]
    offset = torch.tensor(
        [math.cos(elevation) * math.cos(azimuth), math.cos(elevation) * math.sin(azimuth), math.sin(elevation)]
    )
    camera = look_at(root + distance * offset, root)
    points = world_to_camera(world, camera)
    return points - points[:1], points[:, :2] / points[:, 2:] * distance


def test_a_turn_leads_from_one_camera_of_the_world_to_another(clips):
    world = clips[1].positions[7].float()
    for (a, e), (b, f) in (((0.3, 0.1), (2.0, 0.3)), ((-2.0, 0.0), (1.0, 0.25)), ((1.0, 0.2), (1.0, -0.2))):
        (pose, _), (other, picture) = seen_from(world, a, e), seen_from(world, b, f)
        # Cameras that walk anticlockwise (seen from above) see the person turn clockwise.
        angles = (torch.tensor(v) for v in (e, b - a, f))
        turned = pose @ turn(*angles).mT
        assert torch.allclose(turned, other, atol=1e-5)
        assert torch.allclose(look(turned), picture, atol=1e-5)


def test_views_are_what_a_camera_of_the_world_sees(clips):
    views = film(clips, 40, generator=torch.Generator().manual_seed(1), elevation=(10.0, 10.0))
    assert views.seen.shape == (40, 2, 17, 2) and views.pose.shape == (40, 2, 17, 3)
    assert torch.allclose(look(views.pose), views.seen, atol=1e-6) and not views.seen[..., 0, :].any()
    # Undone, the camera's elevation puts the people upright: heads lie above hips along the true vertical, -y.
    level = views.pose @ turn(torch.tensor(math.radians(10.0)), torch.tensor(0.0), torch.tensor(0.0)).mT
    known = {tuple(bone_lengths(clip.positions[0].float()).mul(1e4).round().tolist()) for clip in clips}
    assert all(tuple(b.mul(1e4).round().tolist()) in known for b in bone_lengths(views.pose[:, 0]))
    heights = torch.stack([clip.positions[:, 10, 2] - clip.positions[:, 0, 2] for clip in clips]).flatten()
    assert all((heights - (-y)).abs().min() < 1e-4 for y in level[:, 0, 10, 1])


def test_a_detector_errs_and_leaves_the_truth(clips):
    clean, noisy = (draw_views(clips, 50, 0, noise=noise) for noise in (0.0, 1.0))
    assert torch.equal(clean.pose, noisy.pose)
    far = torch.linalg.vector_norm(clean.seen - noisy.seen, dim=-1)
    assert 0.005 < far.mean() < 0.05 and not far[..., 0].any()


def test_lift_and_look_are_inverse_for_any_depth(views):
    depth = torch.randn(60, 2, 17, generator=torch.Generator().manual_seed(0)) * 0.3
    depth[..., 0] = 0
    pose = lift(views.seen, depth)
    assert torch.allclose(look(pose), views.seen, atol=1e-6)
    assert torch.allclose(look(mirrored(views.seen, pose)), views.seen, atol=1e-6)
    assert torch.allclose(lift(views.seen, views.pose[..., 2]), views.pose, atol=1e-6)


def test_far_away_a_level_camera_cannot_tell_a_mirrored_person(views):
    """Orthographic, level: the mirrored person turned by an angle looks as the true one turned by its opposite."""
    pose, level = views.pose[:, 0] * torch.tensor([1.0, 1, 1]), torch.tensor(0.0)
    other = pose * torch.tensor([1.0, 1, -1])
    angle = torch.tensor(0.7)
    one = look(other @ turn(level, angle, level).mT, 1e5)
    two = look(pose @ turn(level, -angle, level).mT, 1e5)
    assert (one - two).abs().max() < 1e-4
    down = torch.tensor(0.3)
    one = look(other @ turn(down, angle, down).mT, 1e5)
    two = look(pose @ turn(down, -angle, down).mT, 1e5)
    assert (one - two).abs().max() > 0.1


def test_turns_are_rotations_and_keep_to_their_elevations():
    turns = draw_turns(500, (0.0, 20.0), torch.Generator().manual_seed(0))
    assert torch.allclose(turns @ turns.mT, torch.eye(3).expand(500, 3, 3), atol=1e-5)
    assert torch.allclose(torch.linalg.det(turns), torch.ones(500), atol=1e-5)
    # Where the first camera's up lands: never below the horizon of the second by more than both elevations.
    assert turns[:, 1, 1].min() > math.cos(math.radians(40)) - 1e-6


class Oracle(torch.nn.Module):
    """Knows the depth of what it is shown."""

    distance = DISTANCE

    def __init__(self, seen, depth):
        super().__init__()
        self.seen, self.depths = seen, depth

    def forward(self, seen):
        which = torch.cdist(seen.flatten(1), self.seen.flatten(1)).argmin(1)
        return lift(seen, self.depths[which])


def test_the_cycle_is_content_with_the_truth_and_with_other_lies(views):
    seen, pose = views.seen[:20, 0], views.pose[:20, 0]
    turns = draw_turns(20, (0.0, 20.0), torch.Generator().manual_seed(0))
    turned = pose @ turns.mT
    oracle = Oracle(torch.cat([seen, look(turned)]), torch.cat([pose, turned])[..., 2])
    in_picture, in_space = cycle_losses(oracle, seen, pose, look(turned), turns)
    assert in_picture < 1e-10 and in_space < 1e-10
    crumpled = DepthLifter(8, 1)
    for parameter in crumpled.parameters():
        parameter.data.zero_()  # a flat person for every picture
    flat = crumpled(seen)
    in_picture, in_space = cycle_losses(crumpled, seen, flat, look(flat @ turns.mT), turns)
    assert in_space > 0.001, "a flat person turned is no flat person"


def test_the_critics_losses_are_the_logistic_ones():
    torch.manual_seed(0)
    critic, seen, made_up = Critic(8, 1), torch.randn(5, 17, 2), torch.randn(5, 17, 2, requires_grad=True)
    p, q = torch.sigmoid(critic(seen)), torch.sigmoid(critic(made_up))
    assert torch.allclose(critic_loss(critic, seen, made_up, 0.0), -(p.log().mean() + (1 - q).log().mean()), atol=1e-6)
    assert torch.allclose(believes(critic, made_up), -q.log().mean(), atol=1e-6)
    penalised = critic_loss(critic, seen, made_up, 2.0) - critic_loss(critic, seen, made_up, 0.0)
    step = 1e-3
    slopes = torch.zeros(5, 34, dtype=torch.float64)
    double = critic.double()
    for i in range(34):
        shift = torch.zeros(34, dtype=torch.float64)
        shift[i] = step
        up, down = (double(seen.double() + sign * shift.view(17, 2)) for sign in (1, -1))
        slopes[:, i] = ((up - down) / (2 * step)).detach()
    assert penalised.item() == pytest.approx(slopes.square().sum(1).mean().item(), rel=1e-3)
    critic_loss(critic.float(), seen, made_up, 1.0).backward()
    assert made_up.grad is None, "the critic's step must not reach the lifter"


def test_both_signs_are_told(views):
    seen, truth = views.seen[:, 0], views.pose[:, 0]
    right = errors(seen, truth, truth)
    assert right.p_mpjpe < 0.01 and right.tipped == 0 and right.depth == pytest.approx(1)
    wrong = errors(seen, mirrored(seen, truth), truth)
    assert wrong.mirrored < 0.01 and wrong.tipped == 100 and wrong.p_mpjpe == pytest.approx(right.mirrored, abs=0.01)
    assert wrong.depth == pytest.approx(-1)
    flat = errors(seen, lift(seen, torch.zeros(60, 17)), truth)
    assert flat.tipped == 0 and flat.depth == 0 and flat.p_mpjpe == pytest.approx(flat.mirrored)


def test_the_canonical_mean_forgets_headings(views):
    truth = views.pose[:, 0]
    turns = draw_turns(60, (0.0, 0.0), torch.Generator().manual_seed(0))
    one, two = canonical_mean(truth), canonical_mean(torch.cat([truth[:1], (truth @ turns.mT)[1:]]))
    assert torch.allclose(one, two, atol=1e-4)
    assert bone_lengths(one).mean() > 0.7 * bone_lengths(truth).mean(), "no stick on the vertical axis"


def test_an_adapter_begins_with_nothing_and_keeps_the_root(views):
    seen = views.seen[:, 0]
    adapter = Adapter(8)
    assert torch.equal(adapter(seen), seen)
    adapter.layers[-1].bias.data.fill_(0.1)
    assert not adapter.correction(seen)[:, 0].any() and torch.allclose(
        adapter.correction(seen)[:, 1:], torch.tensor(0.1)
    )


def test_others_call_other_places_joints(views):
    moved = by_others(views.pose)
    assert torch.equal(moved[..., 0, :], views.pose[..., 0, :])
    ratio = bone_lengths(moved) / bone_lengths(views.pose)
    assert torch.allclose(ratio[..., 0], torch.tensor(1.4), atol=1e-3), "hips at the outside of the thigh"
    strangers = seen_by_others(views)
    assert torch.allclose(look(strangers.pose), strangers.seen, atol=1e-6)


def test_an_adapter_moves_strangers_towards_ones_own(clips):
    own, other = draw_views(clips, 600, 0).seen[:, 0], seen_by_others(draw_views(clips, 600, 1))
    truth = draw_views(clips, 600, 1).seen[:, 0]
    torch.manual_seed(0)
    adapter = learn_to_adapt(
        other.seen[:, 0], own, steps=150, generator=torch.Generator().manual_seed(0), batch=64, width=32, progress=False
    )
    before, after = (
        torch.linalg.vector_norm(s - truth, dim=-1).mean() for s in (other.seen[:, 0], adapter(other.seen[:, 0]))
    )
    assert after < 0.9 * before


def test_labels_train_a_lifter_and_a_seed_repeats_it(views):
    recipe = Recipe(Weights(0, 0, 0, 0, 1.0), steps=60, batch=32, width=16, blocks=1)

    def wrong(lifter):
        return errors(views.seen[:, 0], lifter(views.seen[:, 0]), views.pose[:, 0]).mpjpe

    def run():
        torch.manual_seed(0)
        generator = torch.Generator().manual_seed(0)
        return train(views, recipe, generator=generator, looks=[30], progress=False, check=wrong)

    one, two = run(), run()
    assert [step for step, _ in one.checks] == [0, 30, 60] and one.checks == two.checks
    assert one.checks[-1][1] < 0.7 * one.checks[0][1]
    assert not torch.is_grad_enabled() or all(not p.requires_grad for p in one.lifter.parameters())


def test_a_training_that_explodes_says_where(views):
    broken = draw_views(builtin(3, 1, ["walk"], 40), 8, 0)
    broken.pose[:, :, 3] = float("nan")
    recipe = Recipe(Weights(0, 0, 0, 0, 1.0), steps=3, batch=32, width=8, blocks=1)
    with pytest.raises(ValueError, match="step 1"):
        train(broken, recipe, generator=torch.Generator(), progress=False)


def test_views_need_clips_that_are_long_enough(clips):
    with pytest.raises(ValueError, match="longer than 400 frames"):
        film(clips, 3, generator=torch.Generator(), gap=400)
