"""The idea of lesson 13 against slow definitions, closed forms and other libraries."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from tutorial_lib.egocentric.depth import KINDS, scene_depth, scene_points, scene_voxels
from tutorial_lib.egocentric.headset import AHEAD, pixel_rays, seen_at, wear
from tutorial_lib.egocentric.inpainting import FillNet, fill_classical, fill_loss, learn_to_fill
from tutorial_lib.egocentric.learning import Told, predict, train
from tutorial_lib.egocentric.metrics import bone_aligned, feet_below, foot_heights, judge, standard_bones, with_bones
from tutorial_lib.egocentric.network import V2V, EgoNet
from tutorial_lib.egocentric.samples import detected, draw_samples
from tutorial_lib.egocentric.scale import SOLE, grow, stand
from tutorial_lib.egocentric.voxels import HALF, in_cube, occupancy, to_metres, to_unit, unproject, voxel_centres
from tutorial_lib.motion import builtin
from tutorial_lib.skeleton import JOINTS, bone_lengths


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def clips():
    return builtin(7, 1, ["wave", "walk", "sit_down"], 200)


@pytest.fixture(scope="module")
def samples(clips):
    return draw_samples(clips, 16, 0, pixels=24, progress=False)


@pytest.fixture(scope="module")
def stepped(clips):
    return draw_samples(clips, 8, 1, steps=1.0, pixels=24, progress=False)


# ------------------------------------------------------------------ the camera
def test_a_level_head_wears_a_camera_that_looks_down(clips):
    people = clips[0].positions[:3].clone()
    people[:, 10] = people[:, 9] + torch.tensor([0.0, 0.0, 0.2])  # heads upright
    camera = wear(people)
    assert torch.allclose(camera.rotation[:, 2], torch.tensor([0.0, 0.0, -1.0]).expand(3, 3), atol=1e-5)
    ahead = camera.position - people[:, 10]
    assert torch.allclose(ahead[:, :2].norm(dim=-1), torch.tensor(AHEAD).expand(3), atol=1e-5)
    right = people[:, JOINTS.index("right_shoulder")] - people[:, JOINTS.index("left_shoulder")]
    assert ((camera.rotation[:, 0] * right).sum(-1) > 0).all()
    assert torch.allclose(torch.linalg.det(camera.rotation), torch.ones(3), atol=1e-5)
    forward = wear(people, 1.0, 0.3).rotation[:, 2]
    assert torch.allclose(forward[:, 2], -torch.cos(torch.tensor(0.3)).expand(3), atol=1e-5)
    assert ((forward * ahead).sum(-1) > (camera.rotation[:, 2] * ahead).sum(-1)).all()  # tilted to the front


def test_pixels_and_points_agree_on_rays():
    rays, inside = pixel_rays(32)
    screen, seen = seen_at(2.5 * rays[inside])
    line = (2 * torch.arange(32) + 1) / 32 - 1
    centres = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1).flatten(0, 1)
    assert seen.all() and torch.allclose(screen, centres[inside], atol=1e-4)
    assert inside.float().mean() == pytest.approx(math.pi / 4, abs=0.02)
    behind, seen = seen_at(torch.tensor([[0.0, 0.1, -1.0], [1.0, 0.0, 0.01]]))
    assert not seen.any() and (behind == 0).all()


# ------------------------------------------------------------------ samples
def test_samples_are_what_cameras_see(samples, stepped):
    assert in_cube(samples.pose).all() and len(samples) == 16
    rays = pixel_rays(24)[0]
    world = samples.position[:, None] + (samples.scene[..., None] * rays) @ samples.rotation
    top = samples.rooms.height(world[..., :2])
    assert (world[..., 2] > -1e-3).all()
    on_top = (world[..., 2] - top).abs() < 1e-3
    assert on_top.float().mean() > 0.2  # much of what a camera sees that looks down is what one could stand on
    assert 0.01 < samples.hole.float().mean() < 0.5
    assert (stepped.step > 0).all()
    ankles = stepped.in_world(stepped.pose)[:, [3, 6]]
    assert torch.allclose(stepped.rooms.height(ankles[..., :2]), stepped.step[:, None].expand(-1, 2), atol=1e-5)
    assert (ankles[..., 2] > stepped.step[:, None]).all()


def test_no_box_stands_in_a_body(samples, stepped):
    for one, which in ((samples, (1, 2, 3)), (stepped, (0, 2, 3))):
        no_box_in(one, which)
    assert (samples.boxes[:, 1, 0] < samples.boxes[:, 1, 1]).all(-1).any()  # somebody has a seat


def no_box_in(samples, which):
    world = samples.in_world(samples.pose)
    for k in which:
        low, high = samples.boxes[:, None, k, 0], samples.boxes[:, None, k, 1]
        assert not ((world > low) & (world < high)).all(-1).any()


def test_the_same_seed_draws_the_same_people(clips, samples):
    again = draw_samples(clips, 16, 0, pixels=24, progress=False)
    assert all(torch.equal(vars(again)[name], vars(samples)[name]) for name in vars(samples))
    with pytest.raises(ValueError, match="count is 0"):
        draw_samples(clips, 0, 0)


def test_hidden_joints_are_detected_worse(samples):
    many = samples.repeat(60)
    screen, inside = detected(many, seeded())
    off = (
        (screen - seen_at(many.pose)[0])[inside & many.seen].std(),
        (screen - seen_at(many.pose)[0])[inside & ~many.seen].std(),
    )
    assert off[0].item() == pytest.approx(0.015, rel=0.05) and off[1].item() == pytest.approx(0.06, rel=0.05)


# ------------------------------------------------------------------ the proof
@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_growing_moves_no_pixel_and_the_feet_through_the_floor(samples, factor):
    grown = grow(samples.pose, factor)
    assert torch.allclose(seen_at(grown)[0], seen_at(samples.pose)[0], atol=1e-5)
    score = judge(grown, samples, standard_bones(samples))
    assert score.p_mpjpe < 0.01 and score.ba_mpjpe < 0.01
    far = 100 * samples.pose[:, [3, 6]].norm(dim=-1).mean().item()
    assert score.feet == pytest.approx(far, rel=1e-3) and 100 < score.feet < 190
    assert (score.below > 60) == (factor > 1)


def test_standing_undoes_growing_on_a_flat_floor():
    up = torch.tensor([[0.0, 0.1, -math.sqrt(0.99)]])
    pose = 0.2 * torch.randn(1, 17, 3, generator=seeded())
    camera_height = 1.7
    for foot, above in ((3, SOLE), (6, SOLE + 0.1)):  # one stands, the other is in the air
        pose[0, foot] -= (pose[0, foot] @ up[0] + camera_height - above) * up[0]
    rays = torch.nn.functional.normalize(torch.randn(1, 4000, 3, generator=seeded(1)) - 1.5 * up[:, None], dim=-1)
    deep = -(rays @ up[0])
    there = deep > 0.1
    points = rays * (camera_height / deep.clamp_min(0.1))[..., None]
    for factor in (0.8, 1.0, 1.3):
        stood = stand(grow(pose, factor), up, points, there)
        assert torch.allclose(stood, pose, atol=1e-3)


# ------------------------------------------------------------------ voxels
def test_a_point_fills_the_voxel_whose_centre_is_nearest():
    points = torch.rand(2, 300, 3, generator=seeded()) * 2.6 - 1.3 + torch.tensor([0.0, 0.0, HALF])
    there = torch.rand(2, 300, generator=seeded(1)) < 0.7
    volume = occupancy(points, there, 8)
    centres = voxel_centres(8).flatten(0, 2)
    expected = torch.zeros(2, 512, dtype=torch.bool)
    for b in range(2):
        for point in points[b][there[b] & in_cube(points[b])]:
            expected[b, (centres - point).norm(dim=-1).argmin()] = True
    assert torch.equal(volume.flatten(1), expected)
    assert torch.allclose(to_metres(to_unit(points)), points, atol=1e-6)


def test_cones_run_along_the_joints_rays():
    joints = torch.tensor([[[0.3, -0.2, 1.1], [0.0, 0.4, 0.6]]])
    screen, inside = seen_at(joints)
    heat = unproject(screen, inside, 16)
    assert heat.shape == (1, 2, 16, 16, 16)
    centres = voxel_centres(16)
    for j in range(2):
        place, seen = seen_at(centres)
        slow = torch.exp(-(place - screen[0, j]).square().sum(-1) / (2 * 0.07**2)) * seen
        assert torch.allclose(heat[0, j], slow, atol=1e-5)
    assert (unproject(screen, torch.tensor([[True, False]]), 16)[0, 1] == 0).all()


# ------------------------------------------------------------------ depth and filling
def test_every_kind_of_scene_says_what_its_name_says(samples):
    circle, hole = pixel_rays(24)[1], samples.hole
    told = {kind: scene_depth(samples, kind, FillNet(2)) for kind in KINDS}
    assert not told["none"][1].any()
    assert torch.equal(told["hole"][1], circle & ~hole)
    for kind in ("classical", "learned", "true"):
        distance, there = told[kind]
        assert torch.equal(distance[~hole], samples.scene[~hole]) and torch.equal(there, circle.expand_as(there))
    assert torch.equal(told["body"][0], torch.minimum(samples.scene, samples.body))
    assert (told["estimated"][0] - told["body"][0])[hole].abs().mean() > 0.01
    voxels = {kind: scene_voxels(samples, kind, 8, FillNet(2)).float().mean() for kind in ("none", "hole", "true")}
    assert 0 == voxels["none"] < voxels["hole"] <= voxels["true"]
    with pytest.raises(ValueError, match="filler is None"):
        scene_depth(samples, "learned")
    with pytest.raises(ValueError, match="kind is 'floor'"):
        scene_depth(samples, "floor")


def test_a_raised_scene_is_the_same_scene_higher(samples):
    points = scene_points(samples.scene)
    high = points + 0.1 * samples.rotation[:, None, :, 2]
    world = samples.position[:, None] + high @ samples.rotation
    assert torch.allclose(world[..., 2] - (samples.position[:, None] + points @ samples.rotation)[..., 2],
                          torch.tensor(0.1), atol=1e-4)  # fmt: skip
    raised = scene_voxels(samples, "true", 8, raised=0.1)
    assert torch.equal(raised, occupancy(high, pixel_rays(24)[1].expand(16, -1), 8))


def test_classical_filling_carries_a_plane_on():
    """Over a floor, inverse distance is linear in the ray: what is filled must be near it."""
    rays, circle = pixel_rays(48)
    floor = (1.6 / rays[:, 2].clamp_min(0.2)).clamp_max(10)[None]
    line = (2 * torch.arange(48) + 1) / 48 - 1
    y, x = torch.meshgrid(line, line, indexing="ij")
    hole = (((x - 0.1).abs() < 0.15) & ((y - 0.1).abs() < 0.3)).flatten()[None]
    filled = fill_classical(torch.where(hole, 0.3, floor), hole)
    assert torch.equal(filled[~hole], floor[~hole])
    assert (filled - floor)[hole].abs().mean() < 0.06 and (0.3 - floor)[hole].abs().mean() > 1


def test_filling_is_learned_and_leaves_the_rest_alone(samples):
    torch.manual_seed(0)
    with torch.no_grad():
        before = fill_loss(FillNet(2), samples)
    torch.manual_seed(0)  # the same weights to begin with
    net, _ = learn_to_fill(samples, steps=8, generator=seeded(), width=2, batch=8, progress=False)
    with torch.no_grad():
        filled = net(samples.scene, samples.hole)
        assert fill_loss(net, samples) < before
    assert torch.equal(filled[~samples.hole], samples.scene[~samples.hole])
    assert ((filled > 0) & (filled <= 10.001)).all()


# ------------------------------------------------------------------ metrics
def test_bone_alignment_forgives_proportions_and_place_alone(samples):
    lengths = standard_bones(samples)
    pose = samples.pose
    stretched = with_bones(pose, bone_lengths(pose[0]) * torch.linspace(0.7, 1.4, 16))
    turn = torch.from_numpy(Rotation.from_rotvec([0.3, -0.5, 0.2]).as_matrix()).float()
    assert bone_aligned(1.3 * stretched @ turn.T + 0.4, pose, lengths).max() < 1e-4
    assert torch.allclose(bone_lengths(with_bones(pose, lengths)), lengths.expand(16, 16), atol=1e-5)
    bent = pose.clone()
    bent[:, 3] = bent[:, 2] + (bent[:, 3] - bent[:, 2])[:, [1, 2, 0]]
    assert bone_aligned(bent, pose, lengths).mean() > 0.01


def test_feet_are_measured_in_the_room(samples, stepped):
    assert not feet_below(samples.pose, samples).any() and not feet_below(stepped.pose, stepped).any()
    up = samples.rotation[:, :, 2]
    sunk = samples.pose - 0.2 * up[:, None]
    score = judge(sunk, samples, standard_bones(samples))
    assert score.foot_height == pytest.approx(200, abs=0.1) and score.mpjpe == pytest.approx(200, abs=0.1)
    assert score.below > 90
    assert torch.allclose(foot_heights(sunk, samples), foot_heights(samples.pose, samples) - 0.2, atol=1e-5)


# ------------------------------------------------------------------ networks
def test_a_v2v_looks_around_and_keeps_the_cells():
    torch.manual_seed(0)
    net = V2V(3, 5, 4).eval()
    volume = torch.rand(1, 3, 8, 8, 8, requires_grad=True)
    scores = net(volume)
    assert scores.shape == (1, 5, 8, 8, 8)
    (slope,) = torch.autograd.grad(scores[0, :, 4, 4, 4].sum(), volume)
    assert (slope[0, :, 0, 0, 0] != 0).any()  # its look reaches the far corner


def test_a_network_says_places_in_the_cube_and_learns(samples):
    told = Told(samples, scene_voxels(samples, "true", 8), "true")
    torch.manual_seed(0)
    looked = []
    net, history = train(
        told, steps=15, rate=5e-3, generator=seeded(), batch=4, cells=8, width=4, every=10,
        look=lambda net, step: looked.append((step, net.training)), progress=False,
    )  # fmt: skip
    assert np.mean(history.loss[-4:]) < 0.9 * np.mean(history.loss[:3])
    assert looked == [(10, False), (15, False)]
    pose = predict(net, told)
    assert in_cube(pose).all() and pose.dtype == torch.float32
    assert torch.equal(pose, predict(net, told)) and not torch.equal(pose, predict(net, told, 1))
    with pytest.raises(ValueError, match="scene has shape"):
        EgoNet(8, 4)(*detected(samples, seeded()), torch.zeros(16, 4, 4, 4))
