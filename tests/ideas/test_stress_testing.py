"""Lesson 11's idea: searches and growing boxes on functions whose failing regions are known, the simulator's people."""

import math

import pytest
import torch

from tutorial_lib.camera import look_at, world_to_camera
from tutorial_lib.datasets.splits import TRAIN_SEED
from tutorial_lib.lifting import SingleFrameLifter
from tutorial_lib.motion import builtin
from tutorial_lib.skeleton import bone_lengths
from tutorial_lib.stress_testing import (
    AXES,
    METHODS,
    Regions,
    at_random,
    cem,
    distinct,
    failing_share,
    grow,
    reinforce,
    simulator,
)
from tutorial_lib.stress_testing.learning import errors_on, film, simulated, train
from tutorial_lib.stress_testing.search import policy_loss, starts
from tutorial_lib.stress_testing.simulator import DISTANCE, draw

CENTRE = torch.tensor([0.4, -0.3, 0.1])
HALF = torch.tensor([0.3, 0.5, 0.2])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def box(latent):
    """Fails, by 200, in one box alone."""
    return torch.where(((latent - CENTRE).abs() < HALF).all(-1), 200.0, 0.0)


def hill(latent):
    """One top, at CENTRE."""
    return 100 - 100 * (latent - CENTRE).square().sum(-1)


def two_hills(latent):
    """Two tops of equal height, far apart."""
    tops = torch.tensor([[0.7, 0.7, 0.0], [-0.7, -0.7, 0.0]])
    return 100 * torch.exp(-4 * (latent[..., None, :] - tops).square().sum(-1)).amax(-1)


class Counted:
    """Counts the questions that an error function is asked."""

    def __init__(self, errors):
        self.errors, self.asked = errors, 0

    def __call__(self, latent):
        self.asked += latent.shape[:-1].numel()
        return self.errors(latent)


# ------------------------------------------------------------------ search
@pytest.mark.parametrize("method", (reinforce, cem))
def test_an_agent_climbs_the_only_hill(method):
    found = method(hill, starts(4, 3, seeded()), 60, 24, generator=seeded(1))
    assert ((found.centres - CENTRE).abs() < 0.15).all()
    assert torch.equal(found.errors, hill(found.centres)) and found.path.shape == (61, 4, 3)
    assert (found.worst.diff() >= 0).all() and found.worst[-1] <= 100


@pytest.mark.parametrize("name", METHODS)
def test_all_methods_ask_as_often(name):
    counted = Counted(hill)
    found = METHODS[name](counted, starts(3, 3, seeded()), 5, 8, generator=seeded(1))
    assert found.queries == 5 * 8 * 3
    assert counted.asked - found.queries <= 2 * 3  # and once where they start or end, to say how bad it is there


def test_random_search_keeps_the_worst_of_all_it_asked():
    start = starts(2, 3, seeded())
    found = at_random(hill, start, 4, 5, generator=seeded(1))
    generator = seeded(1)
    everything = torch.cat([start, *(draw(10, generator, 3) for _ in range(4))])
    assert torch.allclose(found.errors, hill(everything).sort(descending=True).values[:2])


def test_agents_that_start_apart_find_both_hills_and_from_one_place_only_one():
    apart = cem(two_hills, starts(8, 3, seeded()), 30, 24, generator=seeded(1), std=0.2).centres
    together = cem(two_hills, torch.full((8, 3), 0.2), 30, 24, generator=seeded(1), std=0.2).centres
    assert {bool(x > 0) for x in apart[:, 0]} == {True, False}
    assert {bool(x > 0) for x in together[:, 0]} == {True}


def test_the_policy_gradient_is_the_score_function():
    mean = torch.randn(2, 3, dtype=torch.float64, generator=seeded()).requires_grad_()
    asked = torch.randn(7, 2, 3, dtype=torch.float64, generator=seeded(1))
    advantage = torch.randn(7, 2, dtype=torch.float64, generator=seeded(2))
    policy_loss(mean, asked, advantage, 0.3).backward()
    expected = -(advantage[..., None] * (asked - mean.detach()) / 0.3**2).mean(0)
    assert torch.allclose(mean.grad, expected)


# ------------------------------------------------------------------ regions
def test_a_box_grows_to_the_failing_region_and_no_further():
    grown = grow(box, CENTRE[None], 150.0, generator=seeded(), rounds=60)
    last = grown[-1]
    assert ((last.low[0] - (CENTRE - HALF)).abs() < 0.11).all() and ((last.high[0] - CENTRE - HALF).abs() < 0.11).all()
    assert failing_share(box, last, 150.0, generator=seeded(1)) > 0.75
    sizes = torch.stack([one.size for one in grown])
    assert (sizes.diff(dim=0) >= 0).all() and last.successes(box, 150.0).all()


def test_a_safe_centre_stays_a_point():
    grown = grow(box, torch.tensor([[-0.8, 0.8, 0.8]]), 150.0, generator=seeded(), rounds=20)
    assert grown[-1].size == 0 and not grown[-1].successes(box, 150.0).any()


def test_a_mean_lets_safe_samples_in():
    shares = []
    for rule in ("minimum", "mean"):
        last = grow(box, CENTRE[None], 60.0, generator=seeded(), rounds=80, rule=rule)[-1]
        shares.append(failing_share(box, last, 60.0, generator=seeded(1)).item())
    assert shares[1] < shares[0] - 0.1
    with pytest.raises(ValueError, match="rule is 'most'"):
        grow(box, CENTRE[None], 60.0, generator=seeded(), rule="most")


def test_boxes_end_where_the_cube_ends():
    everywhere = grow(
        lambda x: x[..., 0] * 0 + 200, torch.tensor([[0.9, 0.0, -0.5]]), 150.0, generator=seeded(), rounds=90
    )
    last = everywhere[-1]
    assert torch.allclose(last.low, torch.full((1, 3), -1.0)) and torch.allclose(last.high, torch.ones(1, 3))
    assert last.size.item() == pytest.approx(math.sqrt(3 * 4))
    assert (last.draw(50, seeded()).abs() <= 1).all()


def test_boxes_that_are_linked_are_one_region():
    low = torch.tensor([[0.0, 0.0], [0.3, 0.3], [0.6, 0.6], [-0.9, 0.0]])
    regions = Regions(low, torch.zeros(4, 2), torch.full((4, 2), 0.35))
    assert distinct(regions) == 2  # the first three are a chain
    assert distinct(Regions(low, torch.zeros(4, 2), torch.full((4, 2), 0.1))) == 4


# ------------------------------------------------------------------ the simulator
def test_a_pose_has_the_bones_of_its_build():
    sim = simulator()
    latents = draw(20, seeded())
    latents[:, -3:] = 0
    bones = bone_lengths(sim.person(latents))
    assert torch.allclose(bones, bones[:1].expand_as(bones), atol=1e-4)
    tall = torch.zeros(2, len(AXES))
    tall[1, AXES.index("height")] = 1
    lengths = bone_lengths(sim.person(tall))
    assert (lengths[1] > 1.05 * lengths[0]).all()


def test_the_camera_walks_round_and_looks_down():
    sim = simulator()
    latent = torch.zeros(2, len(AXES))
    latent[1, 0], latent[1, 1] = 0.5, 1.0
    seen, truth = sim.see(latent)
    person = sim.person(latent)
    for row, (azimuth, elevation) in enumerate(((0.0, 25.0), (90.0, 65.0))):
        a, e = math.radians(azimuth), math.radians(elevation)
        place = DISTANCE * torch.tensor([math.cos(a) * math.cos(e), math.sin(a) * math.cos(e), math.sin(e)])
        expected = world_to_camera(person[row], look_at(place, torch.zeros(3)))
        assert torch.allclose(truth[row], expected - expected[:1], atol=1e-5)
        assert torch.allclose(seen[row], 1.25 * expected[:, :2] / expected[:, 2:], atol=1e-5)


def test_turns_keep_to_what_people_do_and_latents_to_the_cube():
    sim = simulator()
    assert ((sim.limits[0] <= sim.mean) & (sim.mean <= sim.limits[1])).all()
    with pytest.raises(ValueError, match="expected"):
        sim.person(torch.full((len(AXES),), 1.1))
    with pytest.raises(ValueError, match="expected"):
        sim.person(torch.zeros(4))


def test_errors_are_the_lifters_mean_joint_distance():
    torch.manual_seed(0)
    sim, lifter = simulator(), SingleFrameLifter(16).eval()
    latents = draw((3, 5), seeded())
    errors = sim.errors_of(lifter, chunk=4)(latents)
    assert errors.shape == (3, 5)
    sights = simulated(sim, latents.flatten(0, 1))
    assert torch.allclose(errors.flatten(), errors_on(lifter, sights), atol=1e-2)


# ------------------------------------------------------------------ learning
def test_people_are_filmed_from_the_elevations_that_were_asked_for():
    clips = builtin(TRAIN_SEED, 1, ["walk"], 40)
    for elevation in (0.0, 60.0):
        sights = film(clips, 30, (elevation, elevation), seeded())
        upright = sights.pose[:, 10]  # from the hip to the head: nearly the vertical, in camera axes
        angle = torch.rad2deg(torch.asin(-upright[:, 2] / upright.norm(dim=-1)))
        assert (angle - elevation).abs().mean() < 12
        assert len(sights) == 30 and len(sights + sights) == 60


def test_fine_tuning_learns_and_leaves_the_statistics_alone():
    torch.manual_seed(0)
    clips = builtin(TRAIN_SEED, 1, ["walk"], 40)
    sights, hard = film(clips, 64, (0.0, 0.0), seeded()), simulated(simulator(), draw(64, seeded(1)))
    lifter = SingleFrameLifter(32, dropout=0.0).eval()
    before, kept = errors_on(lifter, hard).mean(), lifter.expand_bn.running_mean.clone()
    train(lifter, [(sights, 0.5), (hard, 0.5)], 30, generator=seeded(), rate=3e-3, batch=32, progress=False)
    assert errors_on(lifter, hard).mean() < before - 20
    assert torch.equal(lifter.expand_bn.running_mean, kept) and not lifter.training
    with pytest.raises(ValueError, match="sum of 1"):
        train(lifter, [(sights, 0.5)], 1, generator=seeded(), progress=False)
