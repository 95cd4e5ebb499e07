"""Rendered people: joints against the camera's own formula, surfaces against balls strung along the bones."""

import math

import cv2
import numpy as np
import pytest
import torch

from tutorial_lib.camera import look_at, project, world_to_camera
from tutorial_lib.distortion import PRESETS
from tutorial_lib.motion import builtin
from tutorial_lib.motion.clip import Clip
from tutorial_lib.render import (
    PARTS,
    Sensor,
    crop_boxes,
    draw_looks,
    draw_pairs,
    draw_photos,
    draw_places,
    photograph,
)
from tutorial_lib.render.anatomy import LABELS, OWN, SOLIDS
from tutorial_lib.render.body import Solids, build
from tutorial_lib.render.raster import rasterise
from tutorial_lib.render.rays import rays_of
from tutorial_lib.skeleton import JOINTS

J = {name: index for index, name in enumerate(JOINTS)}
BARREL = torch.tensor([-0.5, 0.2, 0.1, 0.05, -0.04])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def clips():
    return builtin(5, 2, ("walk", "sit_down", "reach"), 40)


@pytest.fixture(scope="module")
def photos(clips):
    return draw_photos(clips, 48, size=64, generator=seeded())


def t_pose(facing=math.pi):
    """A standing person with arms aside, 3 m ahead of the camera; facing = pi looks into the camera, (1, 17, 3)."""
    at = {
        "hip": (0, 0, 0), "spine": (0, -0.23, 0), "thorax": (0, -0.48, 0), "neck": (0, -0.6, 0.05),
        "head": (0, -0.74, 0.05),
    }  # fmt: skip
    for side, x in (("left", -1), ("right", 1)):
        limbs = (
            (0.1, 0, 0),
            (0.1, 0.42, -0.01),
            (0.1, 0.82, 0.01),
            (0.17, -0.48, 0),
            (0.45, -0.48, 0),
            (0.7, -0.48, 0),
        )
        for name, place in zip(("hip", "knee", "foot", "shoulder", "elbow", "wrist"), limbs):
            at[f"{side}_{name}"] = (x * place[0], *place[1:])
    pose = torch.tensor([at[name] for name in JOINTS])
    cos, sin = math.cos(facing), math.sin(facing)
    turn = torch.tensor([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    return (pose @ turn.T + torch.tensor([0.0, 0, 3]))[None]


def plain(pose, size=96, occluders=0.0, **options):
    """A photo without noise, always of the same people in the same places."""
    count = len(pose)
    looks, places = draw_looks(count, generator=seeded(3)), draw_places(count, generator=seeded(4), occluders=occluders)
    return photograph(pose, looks, places, size=size, sensor=Sensor(read_noise=0), **options)


# ------------------------------------------------------------------------------------------------ joints


def test_keypoints_are_the_cameras_projection_put_into_the_crop(clips):
    people = torch.stack([clip.positions[7] for clip in clips])
    camera = look_at(people.mean(1) + torch.tensor([2.5, 1.0, 0.4]), people.mean(1))
    pose = world_to_camera(people, camera)
    box = crop_boxes(pose, shift=0.1, scale=0.2, generator=seeded())
    seen = plain(pose, box=box).keypoints
    screen = project(people, camera) / camera.focal[:, None]  # to plane coordinates: the principal point is central
    expected = (screen - box[:, None, :2]) / box[:, None, 2:]
    torch.testing.assert_close(seen, expected, atol=1e-4, rtol=0)


def test_behind_a_lens_keypoints_are_those_of_opencv():
    pose = t_pose().double()
    box = torch.tensor([[0.02, -0.05, 0.4]])
    k1, k2, k3, p1, p2 = BARREL.tolist()
    lens = np.array([k1, k2, p1, p2, k3])
    plane = cv2.projectPoints(pose[0].numpy(), np.zeros(3), np.zeros(3), np.eye(3), lens)[0].reshape(17, 2)
    seen = plain(pose, box=box, lens=BARREL).keypoints[0]
    np.testing.assert_allclose(seen.numpy(), (plane - box[0, :2].numpy()) / 0.4, atol=1e-6)


def centroid(photo, *names):
    """Mean place of the pixels of some parts, screen coordinates of the crop."""
    mask = torch.isin(photo.parts[0], torch.tensor([PARTS.index(name) for name in names]))
    row, column = mask.nonzero().double().T
    return (2 * torch.stack([column.mean(), row.mean()]) + 1) / mask.shape[-1] - 1


@pytest.mark.parametrize("part, ends", [("left_forearm", ("left_elbow", "left_wrist")), ("head", ("neck", "head"))])
def test_a_lens_moves_the_picture_of_a_part_as_it_moves_the_bone_in_it(part, ends):
    box = torch.tensor([[0.0, 0.0, 0.36]])
    share = torch.linspace(0, 1, 21)[:, None]
    bone = torch.lerp(*t_pose()[0, [J[name] for name in ends]], share)
    lens = BARREL.double().tolist()
    order = np.array([*lens[:2], *lens[3:], lens[2]])  # as OpenCV wants it
    drawn, true = [], []
    for coefficients, cv in ((None, np.zeros(5)), (BARREL, order)):
        photo = plain(t_pose(), size=160, box=box, lens=coefficients)
        drawn.append(centroid(photo, part).numpy())
        plane = cv2.projectPoints(bone.double().numpy(), np.zeros(3), np.zeros(3), np.eye(3), cv)[0]
        true.append(plane.reshape(-1, 2).mean(0) / 0.36)
    moved = true[1] - true[0]
    assert np.linalg.norm(moved) > 0.03
    assert np.linalg.norm(drawn[1] - drawn[0] - moved) < 0.15 * np.linalg.norm(moved)


@pytest.mark.parametrize("name", ["d1", "d2", "d3"])
def test_the_lens_sends_every_pixels_ray_back_to_its_pixel(name):
    box, size, lens = torch.tensor([[0.1, -0.05, 0.33]]), 128, PRESETS[name]
    rays = rays_of(box, size, lens[None])[:, 0].permute(1, 2, 0).reshape(-1, 2)
    k1, k2, k3, p1, p2 = lens.double().tolist()
    ahead = np.concatenate([rays.double().numpy(), np.ones((len(rays), 1))], 1)
    seen = cv2.projectPoints(ahead, np.zeros(3), np.zeros(3), np.eye(3), np.array([k1, k2, p1, p2, k3]))[0]
    line = (2 * np.arange(size) + 1) / size - 1
    x, y = np.meshgrid(0.1 + 0.33 * line, -0.05 + 0.33 * line)
    error = np.abs(seen.reshape(size, size, 2) - np.stack([x, y], -1)) * size / 2 / 0.33
    assert error.max() < 0.05  # pixels


def test_a_lens_bends_the_backdrop_too():
    box = torch.tensor([[0.0, 0.0, 0.5]])
    straight, bent = (plain(t_pose(), box=box, lens=lens).image for lens in (None, BARREL))
    corner = (slice(None), slice(None), slice(0, 24), slice(0, 24))
    assert (straight[corner] - bent[corner]).abs().mean() > 0.005


def test_windows_hold_every_joint_with_the_margin(clips):
    people = torch.stack([clip.positions[0] for clip in clips])
    pose = world_to_camera(people, look_at(people.mean(1) + torch.tensor([3.0, 0, 0.5]), people.mean(1)))
    for margin in (0.0, 0.25):
        reach = plain(pose, box=crop_boxes(pose, margin=margin)).keypoints.abs().amax((1, 2))
        torch.testing.assert_close(reach, torch.full_like(reach, 1 / (1 + margin)), atol=1e-4, rtol=0)


# ------------------------------------------------------------------------------------------------ surfaces


def balls(solids, steps=60):
    """The solids as stretched balls: centres (n, 3), maps into the round frame (n, 3, 3), radii (n,), solid (n,)."""
    out = []
    for k, name in enumerate(SOLIDS):
        if name == "skirt" or solids.radius[0, k].max() == 0:
            continue
        shrink = torch.diag(1 / torch.stack([solids.stretch[0, k, 0], torch.tensor(1.0), solids.stretch[0, k, 1]]))
        for s in torch.linspace(0, 1, steps):
            centre = solids.start[0, k] + s * solids.span[0, k] * solids.frame[0, k, 1]
            out.append((centre, shrink @ solids.frame[0, k], torch.lerp(*solids.radius[0, k], s), torch.tensor(k)))
    return [torch.stack(column) for column in zip(*out)]


def first_hit(solids, rays):
    """Brute force: depth (n,) and solid (n,) where rays (n, 3) with z = 1 first meet a ball; infinite for a miss."""
    centre, into, radius, owner = balls(solids)
    d = torch.einsum("bij,nj->nbi", into, rays)
    o = -torch.einsum("bij,bj->bi", into, centre)
    a, b, c = (d * d).sum(-1), (d * o).sum(-1), (o * o).sum(-1) - radius**2
    square = b * b - a * c
    t = torch.where(square > 0, (-b - square.clamp_min(0).sqrt()) / a, torch.inf)
    depth, ball = t.min(-1)
    return depth, owner[ball]


@pytest.mark.parametrize("facing", [0.0, 0.9, 2.2, math.pi])
def test_depth_and_parts_are_those_of_rays_that_meet_balls_along_the_bones(facing):
    pose, size = t_pose(facing), 64
    looks = draw_looks(1, generator=seeded(1))
    box = crop_boxes(pose)
    photo = photograph(
        pose, looks, draw_places(1, generator=seeded(), occluders=0), size=size, box=box, sensor=Sensor(read_noise=0)
    )
    line = (2 * torch.arange(size) + 1) / size - 1
    y, x = torch.meshgrid(line, line, indexing="ij")
    plane = box[0, :2] + box[0, 2] * torch.stack([x, y], -1).reshape(-1, 2)
    depth, solid = first_hit(build(pose, looks), torch.cat([plane, torch.ones(len(plane), 1)], -1))
    seen, hit = photo.depth.flatten(), torch.isfinite(depth)
    assert ((photo.silhouette.flatten() > 0.5) == hit).float().mean() > 0.99
    both = hit & torch.isfinite(seen)
    error = (seen - depth)[both].abs()
    assert error.median() < 2e-3 and (error < 0.02).float().mean() > 0.95
    assert (photo.parts.flatten() == LABELS[solid])[both].float().mean() > 0.95


def test_a_bare_sphere_of_a_solid_has_the_silhouette_of_a_cone_of_rays():
    # The outline of a ball of radius r at distance z is the cone of half-angle asin(r / z).
    z, r, half, size = 2.0, 0.3, 0.25, 200
    one = torch.ones(1, 1)
    at, endless, pair = torch.tensor([[[0.0, 0, z]]]), torch.full((1, 1), torch.inf), torch.ones(1, 1, 2)
    ball = Solids(at, torch.eye(3)[None, None], 1e-4 * one, r * pair, pair, endless, torch.ones(1))
    line = half * ((2 * torch.arange(size) + 1) / size - 1)
    rays = torch.stack(torch.meshgrid(line, line, indexing="xy"))[:, None]
    _, silhouette = rasterise(ball, torch.tensor([[0.0, 0, half]]), rays)
    radius = math.tan(math.asin(r / z))
    area = math.pi * radius**2 * (size / 2 / half) ** 2
    assert silhouette.sum().item() == pytest.approx(area, rel=0.005)


def test_the_silhouettes_gradient_is_that_of_finite_differences():
    pose, size = t_pose(2.6).double().requires_grad_(), 48
    box = crop_boxes(pose.detach())
    weight = torch.rand(size, size, generator=seeded(), dtype=torch.float64)

    def value(p):
        return (plain(p, size=size, box=box).silhouette[0] * weight).sum()

    (gradient,) = torch.autograd.grad(value(pose), pose)
    assert torch.isfinite(gradient).all() and (gradient[0].norm(dim=-1) > 0).sum() >= 12
    for seed in range(4):
        direction = torch.randn(1, 17, 3, generator=seeded(seed), dtype=torch.float64)
        step = 1e-6 * direction
        with torch.no_grad():
            numeric = (value(pose + step) - value(pose - step)) / 2e-6
        assert (gradient * direction).sum().item() == pytest.approx(numeric.item(), rel=2e-3)


def test_the_picture_is_differentiable_in_the_pose():
    pose = t_pose().requires_grad_()
    (gradient,) = torch.autograd.grad(plain(pose, size=48).image.square().sum(), pose)
    assert torch.isfinite(gradient).all() and gradient.abs().max() > 0


# ------------------------------------------------------------------------------------------------ what is hidden


def test_a_far_shoulder_is_hidden_and_a_near_one_seen():
    pose = t_pose(math.pi / 2)
    for side in ("left", "right"):  # arms down, a little behind: an arm towards the camera would hide its own shoulder
        shoulder = pose[0, J[f"{side}_shoulder"]]
        pose[0, J[f"{side}_elbow"]] = shoulder + torch.tensor([0.0, 0.27, 0])
        pose[0, J[f"{side}_wrist"]] = shoulder + torch.tensor([0.22, 0.4, 0])
    photo = plain(pose)
    near, far = sorted(("left", "right"), key=lambda s: photo.pose[0, J[f"{s}_wrist"], 2].item())
    for name in ("shoulder", "hip"):
        assert photo.visible[0, J[f"{near}_{name}"]] and not photo.visible[0, J[f"{far}_{name}"]]


@pytest.mark.parametrize("facing, hidden", [(0.0, False), (math.pi, True)])
def test_a_hand_behind_the_back_is_seen_from_behind_only(facing, hidden):
    pose = t_pose(facing)
    back = pose[0, J["spine"], 2] + (0.2 if hidden else -0.2)
    pose[0, J["right_elbow"]] = torch.tensor([pose[0, J["right_shoulder"], 0] * 1.3, -0.2, back])
    pose[0, J["right_wrist"]] = torch.tensor([0.0, -0.15, back])
    photo = plain(pose)
    assert bool(photo.visible[0, J["right_wrist"]]) is not hidden
    assert photo.visible[0, [J["left_wrist"], J["left_elbow"], J["head"], J["left_knee"]]].all()


def test_an_occluder_hides_exactly_the_joints_under_it():
    pose = t_pose()
    free = plain(pose)
    places = draw_places(1, generator=seeded(4), occluders=0)
    places.boxes[0, 0] = torch.tensor([0.0, 0.6, 1.0, 0.3, 1.0, 0.0])  # the band 0.3 < y < 0.9
    photo = photograph(pose, draw_looks(1, generator=seeded(3)), places, size=96, sensor=Sensor(read_noise=0))
    under = (photo.keypoints[0, :, 1] - 0.6).abs() < 0.3
    assert under.sum() >= 2 and torch.equal(photo.visible[0], free.visible[0] & ~under)
    assert torch.equal(photo.silhouette, free.silhouette)
    line = (2 * torch.arange(96) + 1) / 96 - 1
    assert torch.equal((photo.parts[0] == -1).all(1), (line - 0.6).abs() < 0.3)


def test_joints_outside_the_picture_are_not_visible():
    photo = plain(t_pose(), box=torch.tensor([[0.0, -0.1, 0.15]]))
    outside = (photo.keypoints[0].abs() >= 1).any(-1)
    assert outside.sum() >= 6 and not photo.visible[0, outside].any()


def test_visible_joints_lie_on_their_own_parts(photos):
    size = photos.parts.shape[-1]
    pixel = ((photos.keypoints + 1) * size / 2).long()
    image, joint = photos.visible.nonzero().T
    column, row = pixel[image, joint].T
    label = photos.parts[image, row, column]
    own = torch.stack([torch.isin(torch.arange(len(PARTS)), LABELS[OWN[j]]) for j in range(17)])
    assert (label > 0).float().mean() > 0.99  # a pixel's centre may just miss a thin limb that holds the joint
    assert own[joint, label.clamp_min(0)].float().mean() > 0.97


def test_random_photos_hide_about_as_many_joints_as_real_ones_and_show_people_from_all_sides(photos):
    hidden = 1 - photos.visible.float().mean().item()
    assert 0.08 < hidden < 0.35
    right = photos.pose[:, J["right_shoulder"], 0] - photos.pose[:, J["left_shoulder"], 0]
    assert 0.25 < (right > 0).float().mean() < 0.75  # seen from behind, a person's right is the picture's right


# -------------------------------------------------------------------------------------------- what every photo promises


def test_images_are_pictures(photos):
    assert len(photos) == 48 and photos.image.shape == (48, 3, 64, 64)
    for value in (photos.image, photos.silhouette):
        assert torch.isfinite(value).all() and value.min() >= 0 and value.max() <= 1
    assert photos.parts.min() >= -1 and photos.parts.max() < len(PARTS)
    assert ((photos.silhouette.sum((1, 2)) / 64**2 - 0.15).abs() < 0.14).all()
    assert photos.image.std((1, 2, 3)).min() > 0.03


def test_the_generator_decides_everything(clips):
    first, again, other = (draw_photos(clips, 5, size=32, generator=seeded(s)) for s in (1, 1, 2))
    assert torch.equal(first.image, again.image) and torch.equal(first.keypoints, again.keypoints)
    assert not torch.equal(first.image, other.image)


def test_a_batch_is_its_pictures_one_by_one():
    pose = torch.cat([t_pose(facing) for facing in (0.0, 1.0, 2.0)])
    looks, places = draw_looks(3, generator=seeded()), draw_places(3, generator=seeded(), occluders=2)
    together = photograph(pose, looks, places, size=48, sensor=Sensor(read_noise=0))
    for i in range(3):
        alone = photograph(pose[i : i + 1], looks[i], places.select(i), size=48, sensor=Sensor(read_noise=0))
        torch.testing.assert_close(alone.image[0], together.image[i], atol=1e-5, rtol=0)
        assert torch.equal(alone.parts[0], together.parts[i]) and torch.equal(alone.visible[0], together.visible[i])


def test_one_look_and_place_serve_many_poses_and_keep_the_backdrop():
    pose = torch.cat([t_pose(facing) for facing in (0.0, 1.0, 2.5)])
    looks, places = draw_looks(1, generator=seeded()), draw_places(1, generator=seeded(), occluders=1)
    places.shadow.zero_()
    box = crop_boxes(pose[:1]).repeat(3, 1)
    image, silhouette = (
        getattr(photograph(pose, looks, places, size=64, box=box, sensor=Sensor(read_noise=0)), n)
        for n in ("image", "silhouette")
    )
    # The camera's blur carries the body's colours one pixel further.
    near = torch.nn.functional.max_pool2d(silhouette, 3, 1, 1).amax(0) > 0
    assert (~near).float().mean() > 0.4 and (image - image[:1])[:, :, ~near].abs().max() < 1e-6
    assert (image - image[:1])[1:, :, near].abs().max() > 0.1


def test_pairs_differ_in_the_pose_only():
    first, second = draw_pairs(
        builtin(5, 2, ("walk", "run"), 60), 24, size=48, generator=seeded(), sensor=Sensor(read_noise=0)
    )
    both = torch.stack([first.pose, second.pose])
    relative = both - both[:, :, :1]
    assert (relative[0] - relative[1]).norm(dim=-1).mean(-1).min() >= 0.12
    assert (both[0, :, 0] - both[1, :, 0]).norm(dim=-1).median() < 0.25
    corners = (slice(None), slice(None), slice(0, 6), slice(0, 6))
    torch.testing.assert_close(first.image[corners], second.image[corners], atol=1e-6, rtol=0)
    assert (first.image - second.image).abs().amax((1, 2, 3)).min() > 0.1


def test_a_clip_of_stillness_still_gives_its_most_different_frames():
    still = t_pose()[0][None].repeat(4, 1, 1)[..., [0, 2, 1]] * torch.tensor([1.0, 1, -1])
    still[2, J["left_wrist"], 2] += 0.01
    first, second = draw_pairs([Clip(still, 50.0, "a", "stand", "test")], 6, size=32, generator=seeded())
    assert len(first) == len(second) == 6


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_poses_dtype_is_kept(dtype):
    photo = plain(t_pose().to(dtype), size=32)
    assert {photo.image.dtype, photo.keypoints.dtype, photo.silhouette.dtype, photo.depth.dtype} == {dtype}
    torch.testing.assert_close(photo.silhouette.float(), plain(t_pose(), size=32).silhouette, atol=2e-3, rtol=0)


@pytest.mark.cuda
def test_a_gpu_takes_the_same_picture():
    pose = torch.cat([t_pose(0.4), t_pose(2.0)])
    here, there = plain(pose, occluders=1.0), plain(pose.cuda(), occluders=1.0)
    assert there.image.is_cuda and (there.image.cpu() - here.image).abs().mean() < 1e-3
    assert (there.parts.cpu() == here.parts).float().mean() > 0.999


def test_rows_are_selected_and_moved(photos):
    some = photos.select([3, 1])
    assert torch.equal(some.image, photos.image[[3, 1]]) and torch.equal(some.visible, photos.visible[[3, 1]])
    looks = draw_looks(4, generator=seeded())
    assert len(looks[2]) == 1 and torch.equal(looks[-1].skin, looks.skin[3:])
    assert (
        looks.to(dtype=torch.float64).style.dtype == torch.int64 and looks.to(torch.float64).skin.dtype == torch.float64
    )
    assert len(photos[photos.visible.all(1)].to("cpu")) == int(photos.visible.all(1).sum())


def one(**options):
    pose = options.pop("pose", t_pose())
    return photograph(pose, draw_looks(1, generator=seeded()), draw_places(1, generator=seeded()), **options)


BAD = {
    "flat joints": (lambda: one(pose=t_pose()[..., :2]), "pose has shape"),
    "no batch": (lambda: one(pose=t_pose()[0]), "pose has shape"),
    "NaN": (lambda: one(pose=t_pose() * float("nan")), "pose holds NaN"),
    "a person behind the camera": (lambda: one(pose=-t_pose()), "pose comes as near"),
    "tiny pictures": (lambda: one(size=4), "size is 4"),
    "negative noise": (lambda: one(sensor=Sensor(read_noise=-1)), "read_noise is -1"),
    "a window for two": (lambda: one(box=torch.ones(2, 3)), "box has shape"),
    "a window without width": (lambda: one(box=torch.zeros(1, 3)), "box has shape"),
    "too many looks": (
        lambda: photograph(t_pose(), draw_looks(2, generator=seeded()), draw_places(1, generator=seeded())),
        "looks has 2 rows",
    ),
    "a lens that folds": (lambda: one(size=8, box=torch.tensor([[0.0, 0, 0.9]]), lens=-3 * torch.ones(5)), "fold"),
    "nobody": (lambda: draw_looks(0, generator=seeded()), "count is 0"),
    "nowhere": (lambda: draw_places(0, generator=seeded()), "count is 0"),
    "crowds": (lambda: draw_places(2, generator=seeded(), occluders=7), "occluders is 7"),
    "no clips": (lambda: draw_photos([], 2, generator=seeded()), "clips: expected at least one"),
    "no photos": (lambda: draw_photos(builtin(0, 1, 1, 5), 0, generator=seeded()), "count is 0"),
    "clips of one frame": (lambda: draw_pairs(builtin(0, 1, 1, 1), 2, generator=seeded()), "clips: expected"),
    "a wild scale": (lambda: crop_boxes(t_pose(), scale=1.5), "scale=1.5"),
}


@pytest.mark.parametrize("call, message", BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
