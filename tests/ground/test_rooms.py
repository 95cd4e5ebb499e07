"""Rays in rooms and on bodies against walking along them in small steps, and against the renderer."""

import pytest
import torch

from tutorial_lib.motion import builtin
from tutorial_lib.render import draw_looks
from tutorial_lib.render.body import build
from tutorial_lib.render.body_rays import HEAD, body_distance, joints_seen
from tutorial_lib.render.rooms import Rooms


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def rooms(dtype=torch.float64):
    walls = torch.tensor([[[-2.0, -3.0, 0.0], [3.0, 2.0, 2.6]]] * 2, dtype=dtype)
    box, none = [[0.5, -0.4, 0.0], [1.2, 0.3, 0.5]], [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]
    step = [[-0.3, -0.3, 0.0], [0.3, 0.3, 0.2]]
    return Rooms(walls, torch.tensor([[box, step], [none, box]], dtype=dtype))


def unit_rays(count=80, seed=0):
    rays = torch.randn(2, count, 3, generator=seeded(seed), dtype=torch.float64)
    return rays / rays.norm(dim=-1, keepdim=True)


def free(room, places):
    """(B, N) whether places (B, N, 3) lie in the air: the slow definition."""
    air = ((places > room.walls[:, None, 0]) & (places < room.walls[:, None, 1])).all(-1)
    for k in range(room.boxes.shape[1]):
        low, high = room.boxes[:, None, k, 0], room.boxes[:, None, k, 1]
        air &= ~((places > low) & (places < high)).all(-1)
    return air


def test_a_ray_runs_through_air_and_ends_at_a_surface():
    room, rays = rooms(), unit_rays()
    origin = torch.tensor([[0.1, 0.2, 1.6], [0.0, -0.5, 1.7]], dtype=torch.float64)
    distance = room.distance(origin, rays)
    for share in torch.linspace(0.01, 0.9999, 60):
        assert free(room, origin[:, None] + share * distance[..., None] * rays).all()
    assert not free(room, origin[:, None] + (distance[..., None] + 1e-6) * rays).any()


def test_straight_down_is_the_height_above_what_one_stands_on():
    room = rooms(torch.float32)
    origin = torch.tensor([[0.1, 0.1, 1.6], [0.8, 0.0, 1.7]])
    down = torch.tensor([0.0, 0.0, -1.0]).expand(2, 1, 3)
    height = room.height(origin[:, :2])
    assert height.tolist() == pytest.approx([0.2, 0.5])
    assert torch.allclose(room.distance(origin, down)[:, 0], origin[:, 2] - height)
    assert room.height(torch.zeros(2, 5, 2)).tolist() == [[pytest.approx(0.2)] * 5, [0.0] * 5]


def test_rays_of_the_wrong_shape_are_refused():
    with pytest.raises(ValueError, match="one place and its rays for each of the 2 rooms"):
        rooms().distance(torch.zeros(2, 3), torch.zeros(5, 3))


@pytest.fixture(scope="module")
def bodies():
    """Two people seen from above, as if from their own heads, in the camera's frame."""
    world = torch.stack([clip.positions[30] for clip in builtin(7, 2, ["wave"], 60)])
    flat = world - world[:, 10:11] * torch.tensor([1.0, 1.0, 0.0])
    pose = torch.stack([flat[..., 0], -flat[..., 1], 1.9 - flat[..., 2]], -1)  # looks straight down
    looks = draw_looks(2, generator=seeded(1))
    return pose, build(pose, looks), looks


def inside(solids, places, without=()):
    """(B, N) whether places lie in some solid: distance to the axis, in the solid's round frame."""
    from tutorial_lib.render.anatomy import SOLIDS

    found = torch.zeros(places.shape[:2], dtype=torch.bool)
    for k, name in enumerate(SOLIDS):
        if name in without:
            continue
        local = (solids.frame[:, None, k] @ (places - solids.start[:, None, k])[..., None])[..., 0]
        side, deep = solids.stretch[:, None, k].unbind(-1)
        round_ = torch.stack([local[..., 0] / side, local[..., 1], local[..., 2] / deep], -1)
        s = round_[..., 1].clamp_min(0).minimum(solids.span[:, None, k])
        radius = solids.radius[:, None, k, 0] + (solids.radius[:, None, k, 1] - solids.radius[:, None, k, 0]) * (
            s / solids.span[:, None, k]
        )
        away = (round_ - torch.stack([torch.zeros_like(s), s, torch.zeros_like(s)], -1)).norm(dim=-1)
        found |= (away < radius - 2e-3) & (local[..., 1] < solids.cut[:, None, k])
    return found


def test_a_ray_ends_where_the_body_begins(bodies):
    pose, solids, _ = bodies
    u = torch.rand(2, 400, 2, generator=seeded(3)) - 0.5
    rays = torch.cat([u, torch.ones(2, 400, 1)], -1)
    rays = rays / rays.norm(dim=-1, keepdim=True)
    distance = body_distance(solids, rays)
    hit = distance.isfinite()
    assert 0.1 < hit.float().mean() < 0.9
    early = torch.zeros_like(hit)  # the renderer's solids are approximate where a ray grazes them
    for share in torch.linspace(0.05, 0.98, 30):
        early |= inside(solids, (share * torch.where(hit, distance, 3.0))[..., None] * rays, HEAD)
    assert early.float().mean() < 0.02
    behind = inside(solids, (distance.where(hit, torch.tensor(3.0)) + 0.012)[..., None] * rays, HEAD)
    assert behind[hit].float().mean() > 0.9
    with pytest.raises(ValueError, match="90 degrees or more"):
        body_distance(solids, -rays)


def test_feet_under_a_body_are_hidden_and_hands_before_it_are_seen(bodies):
    pose, solids, looks = bodies
    seen = joints_seen(pose, solids, looks.girth)
    assert seen.shape == (2, 17) and not seen[:, 0].any()  # the pelvis lies below the shoulders
    behind = joints_seen(pose * torch.tensor([1.0, 1.0, -1.0]), build(pose, looks), looks.girth)
    assert not behind.any()
