"""From 17 joints to a body and back; and which poses the prior calls likely."""

import math

import pytest
import torch
from torch.nn.functional import normalize

from tutorial_lib.body_model import SHAPES, TURNING, body, fit_shape, pose_prior, rotations_of
from tutorial_lib.body_model.prior import PosePrior, fit_prior
from tutorial_lib.body_model.rotations import from_axis_angle, to_axis_angle
from tutorial_lib.motion import builtin, load
from tutorial_lib.skeleton import BONES


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def motion():
    """(N, 17, 3) poses of six invented people, all actions."""
    return torch.cat([clip.positions[::20] for clip in builtin(3, 6, None, 100)])


def directions(pose):
    parents, children = zip(*BONES)
    return normalize(pose[..., list(children), :] - pose[..., list(parents), :], dim=-1)


def test_every_bone_points_as_in_the_motion(motion):
    it = body()
    turns = rotations_of(it, motion)
    made = it.joints(turns, root=motion[:, 0])
    # The hip lies midway between the hip joints in the body and in invented motion alike.
    assert torch.rad2deg(2 * ((directions(made) - directions(motion)).norm(dim=-1) / 2).asin()).max() < 0.1
    torch.testing.assert_close(turns @ turns.mT, torch.eye(3).expand_as(turns), atol=1e-5, rtol=0)
    assert (torch.linalg.det(turns) > 0).all()


def test_with_a_fitted_shape_the_body_is_within_a_centimetre_and_better_than_the_mean_person(motion):
    it = body()
    betas = fit_shape(it, motion)
    fitted = it.joints(rotations_of(it, motion, betas), betas, motion[:, 0])
    mean = it.joints(rotations_of(it, motion), root=motion[:, 0])
    off, off_mean = ((made - motion).norm(dim=-1).mean() for made in (fitted, mean))
    assert off < 0.010 and off < 0.5 * off_mean
    assert (betas.std(0)[[i for i, name in enumerate(SHAPES) if name != "girth"]] < 2).all()


def test_real_people_are_within_fifteen_millimetres_and_their_heads_look_ahead(mocap_path):
    it = body()
    pose = torch.cat([clip.positions[::60] for clip in load(mocap_path)])
    betas = fit_shape(it, pose)
    turns = rotations_of(it, pose, betas)
    assert (it.joints(turns, betas, pose[:, 0]) - pose).norm(dim=-1).mean() < 0.015
    neck = to_axis_angle(turns[:, TURNING.index("neck")]).norm(dim=-1)
    assert neck.quantile(0.99) < math.pi / 2


def test_a_body_is_found_again(motion):
    """Where the joints are the body's own, nothing is lost: same joints to a thousandth of a millimetre, same shape."""
    it = body().to(torch.float64)
    betas = 0.8 * torch.randn(len(motion), 6, generator=seeded()).double()
    betas[:, SHAPES.index("girth")] = 0
    joints = it.joints(rotations_of(it, motion.double(), betas), betas)
    again = it.joints(rotations_of(it, joints, betas), betas)
    torch.testing.assert_close(again, joints, atol=1e-6, rtol=0)
    torch.testing.assert_close(fit_shape(it, joints, trust=1e-5), betas, atol=0.05, rtol=0)


def test_the_same_person_seen_from_elsewhere_is_the_same_but_for_the_pelvis(motion):
    it = body()
    view = from_axis_angle(torch.tensor([0.4, -1.2, 0.7]))
    here, there = rotations_of(it, motion), rotations_of(it, motion @ view.T)
    torch.testing.assert_close(there[:, 1:], here[:, 1:], atol=1e-3, rtol=0)
    torch.testing.assert_close(there[:, 0], view @ here[:, 0], atol=1e-4, rtol=0)


def test_rest_is_no_turn():
    it = body()
    torch.testing.assert_close(rotations_of(it, it.rest_joints()), torch.eye(3).expand(19, 3, 3), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "limb, upper, lower, hinge",
    [
        ("knee", "left_hip", "left_knee", (0.0, 1.0, 0.0)),
        ("elbow", "left_shoulder", "left_elbow", (0.0, -math.sqrt(0.5), -math.sqrt(0.5))),
    ],
)
def test_a_bent_joint_tells_the_twist_of_the_limb_before_it(limb, upper, lower, hinge):
    """Twist the limb about itself, bend its joint: the joints alone give the twist back, but for the soft start."""
    it = body()
    rest = it.rest_joints()
    vectors = torch.zeros(19, 3)
    u = TURNING.index(upper)
    first, second = {"knee": (4, 5), "elbow": (11, 12)}[limb]
    vectors[u] = 0.5 * normalize(rest[second] - rest[first], dim=-1)
    vectors[TURNING.index(lower)] = 1.4 * torch.tensor(hinge)
    truth = from_axis_angle(vectors)
    found = rotations_of(it, it.joints(truth))
    assert to_axis_angle(found[u].mT @ truth[u]).norm() < 0.15
    straight = it.joints(from_axis_angle(vectors * (torch.arange(19) == u)[:, None]))
    assert to_axis_angle(rotations_of(it, straight)[u]).norm() < 1e-3  # unseen, so no twist is invented


def test_wrong_shapes_are_named():
    with pytest.raises(ValueError, match="pose has shape"):
        rotations_of(body(), torch.zeros(16, 3))
    with pytest.raises(ValueError, match="pose has shape"):
        fit_shape(body(), torch.zeros(17, 2))
    with pytest.raises(ValueError, match="without the pelvis"):
        pose_prior().nll(torch.zeros(19, 3))


# ------------------------------------------------------------------ the prior
def test_one_gaussian_is_the_textbooks():
    factor = torch.linalg.cholesky(torch.cov(torch.randn(54, 200, generator=seeded())) + torch.eye(54))
    mean = torch.randn(54, generator=seeded(1))
    prior = PosePrior(torch.ones(1), mean[None], factor[None])
    pose = torch.randn(5, 18, 3, generator=seeded(2))
    expected = -torch.distributions.MultivariateNormal(mean, scale_tril=factor).log_prob(pose.flatten(1))
    torch.testing.assert_close(prior.nll(pose), expected)


def test_a_fitted_mixture_finds_two_clumps():
    centres = torch.tensor([-1.0, 1.0])
    which = (torch.rand(2000, generator=seeded()) < 0.25).long()
    poses = centres[which][:, None, None] + 0.1 * torch.randn(2000, 18, 3, generator=seeded(1))
    prior = fit_prior(poses, parts=2, generator=seeded(2))
    order = prior.means[:, 0].argsort()
    torch.testing.assert_close(prior.shares[order], torch.tensor([0.75, 0.25]), atol=0.03, rtol=0)
    torch.testing.assert_close(prior.means[order], centres[:, None].expand(2, 54), atol=0.05, rtol=0)
    with pytest.raises(ValueError, match="at least 40"):
        fit_prior(poses[:30], parts=2, generator=seeded())


def test_the_prior_likes_people_it_never_saw_better_than_what_nobody_does(motion):
    it, prior = body(), pose_prior()
    pose = to_axis_angle(rotations_of(it, motion)[:, 1:])
    mixed = torch.stack([pose[torch.randperm(len(pose), generator=seeded(j)), j] for j in range(18)], 1)
    backward = pose.clone()
    knees = [TURNING.index(f"{side}_knee") - 1 for side in ("left", "right")]
    backward[:, knees] *= -1
    seen, shuffled, broken = (prior.nll(p).mean() for p in (pose, mixed, backward))
    assert seen < shuffled < broken
    assert prior.nll(prior.draw(500, generator=seeded())).mean() < shuffled


def test_the_prior_can_be_climbed():
    prior = pose_prior()
    pose = (0.3 * torch.randn(2, 18, 3, generator=seeded())).double().requires_grad_()
    exact = PosePrior(prior.shares.double(), prior.means.double(), prior.factors.double())
    assert torch.autograd.gradcheck(exact.nll, pose, eps=1e-6, atol=1e-3)
