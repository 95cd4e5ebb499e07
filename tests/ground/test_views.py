"""Several cameras before one person: geometry by triangulation, light by the colours of the same point of a body."""

import numpy as np
import pytest
import torch

from tutorial_lib.camera import Camera, orbit, world_to_camera
from tutorial_lib.motion import builtin
from tutorial_lib.render import Sensor, draw_looks, draw_places, draw_views, photograph, photograph_views
from tutorial_lib.render.body import build
from tutorial_lib.render.crops import metric_boxes

QUIET = Sensor(read_noise=0)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def banks(looks=3, places=4):
    return draw_looks(looks, generator=seeded(1)), draw_places(places, generator=seeded(2), occluders=0)


@pytest.fixture(scope="module")
def clips():
    return builtin(5, 2, ("walk", "reach", "sit_down"), 40)


@pytest.fixture(scope="module")
def views(clips):
    return draw_views(clips, 12, *banks(), cameras=3, moments=2, size=48, generator=seeded(), sensor=QUIET)


def triangulate(matrices, points):
    """Where n rays meet: the right singular vector of x P3 - P1 = 0, y P3 - P2 = 0 (direct linear transform)."""
    rows = [p * m[2] - m[i] for m, point in zip(matrices, points) for i, p in enumerate(point)]
    x, y, z, w = np.linalg.svd(np.stack(rows))[2][-1]
    return np.array([x, y, z]) / w


def test_views_of_one_moment_triangulate_to_the_joints(views):
    keypoints, box = views.keypoints.double().numpy(), views.box.double().numpy()
    rotation, position = views.rotation.double().numpy(), views.position.double().numpy()
    for group in range(4):
        matrices = []
        for r, t, (x, y, half) in zip(rotation[group], position[group], box[group]):
            inside = np.array([[1 / half, 0, -x / half], [0, 1 / half, -y / half], [0, 0, 1]])
            matrices.append(inside @ np.concatenate([r, (-r @ t)[:, None]], 1))
        for first, second in ((0, 1), (1, 2)):
            pair = [matrices[first], matrices[second]]
            for joint in range(17):
                found = triangulate(pair, keypoints[group, 1, [first, second], joint])
                np.testing.assert_allclose(found, views.world[group, 1, joint], atol=2e-4)


def test_relative_rotations_take_one_cameras_pose_to_the_others(views):
    relative = views.pose - views.pose[..., :1, :]
    for first, second in ((0, 1), (2, 0)):
        turn = views.turn(first, second)[:, None]
        torch.testing.assert_close(relative[:, :, first] @ turn.mT, relative[:, :, second], atol=2e-6, rtol=0)
        torch.testing.assert_close(turn @ turn.mT, torch.eye(3).expand_as(turn), atol=1e-6, rtol=0)
        torch.testing.assert_close(torch.linalg.det(turn), torch.ones(12, 1), atol=1e-6, rtol=0)


def test_every_camera_is_level_and_sees_the_middle_of_the_person_in_the_middle_of_its_window(views):
    torch.testing.assert_close(views.rotation[..., 0, 2], torch.zeros(12, 3), atol=1e-6, rtol=0)
    middle = views.pose.mean((1, 3))
    torch.testing.assert_close(views.box[..., :2], middle[..., :2] / middle[..., 2:], atol=1e-6, rtol=0)
    assert middle[..., :2].abs().max() < 1e-5  # the principal points look there


def test_a_window_is_as_many_metres_wide_whatever_the_body_does(views):
    depth = views.pose.mean((1, 3))[..., 2]
    torch.testing.assert_close(views.box[..., 2] * depth, torch.full_like(depth, 1.15))
    assert (views.keypoints.abs() < 1).float().mean() > 0.99
    box = metric_boxes(torch.tensor([[0.3, -0.2, 2.0]]), half=0.5)
    torch.testing.assert_close(box, torch.tensor([[0.15, -0.1, 0.25]]))


def colours_of_shared_points(one, other, size, photos, images, cameras):
    """Colours (n, 3) twice: of points of the body that two cameras see, from the depth that each has of them."""
    line = (2 * torch.arange(size) + 1) / size - 1
    v, u = torch.meshgrid(line, line, indexing="ij")
    x, y, half = photos[one].box[0]
    depth = photos[one].depth[0]
    points = torch.stack([(x + half * u) * depth, (y + half * v) * depth, depth], -1)
    inside = torch.nn.functional.max_pool2d(1 - (photos[one].silhouette > 0.99).float(), 5, 1, 2)[0] == 0
    world = points[inside] @ cameras[one][0] + cameras[one][1]
    seen = (world - cameras[other][1]) @ cameras[other][0].T
    x, y, half = photos[other].box[0]
    place = (torch.stack([seen[:, 0] / seen[:, 2] - x, seen[:, 1] / seen[:, 2] - y], -1) / half)[None, None]

    def at(picture, mode):
        return torch.nn.functional.grid_sample(picture, place, mode=mode, align_corners=False)[0, :, 0].T

    near = (at(photos[other].depth.nan_to_num(posinf=99)[None], "nearest")[:, 0] - seen[:, 2]).abs() < 0.01
    near &= at(torch.nn.functional.max_pool2d(1 - photos[other].silhouette[None], 3, 1, 1), "nearest")[:, 0] < 0.01
    return images[one][:, inside].T[near], at(images[other][None], "bilinear")[near]


@pytest.mark.parametrize("apart", [0.7, -0.9])
def test_a_point_of_the_body_is_as_bright_from_every_camera(clips, apart):
    """Shading is Lambert's: the same world side of a body is lit, from wherever one looks."""
    size, (looks, places) = 128, banks()
    looks.shirt_pattern.zero_(), looks.trousers_pattern.zero_()
    places.blur.zero_()
    places.sun[:] = torch.nn.functional.normalize(torch.tensor([[1.0, -0.5, -0.3]]), dim=-1)
    people = clips[0].positions[None, 5:6]
    azimuth = torch.tensor([[0.4, 0.4 + apart]])
    camera = orbit(people.mean((1, 2))[:, None].expand(1, 2, 3), azimuth, 0.1, 3.5)
    seen = photograph_views(
        people, camera, looks, places, torch.tensor([1]), torch.tensor([[2, 3]]), size=size, sensor=QUIET
    )
    images = seen.pixels[0, 0].float() / 255
    photos = [
        photograph(seen.pose[:, 0, c], looks[1], places[0], size=size, box=seen.box[:, c], sensor=QUIET) for c in (0, 1)
    ]
    cameras = [(seen.rotation[0, c], seen.position[0, c]) for c in (0, 1)]
    here, there = colours_of_shared_points(0, 1, size, photos, images, cameras)
    assert len(here) > 100 and here.std(0).mean() > 0.05  # there are lit and dark points among them
    assert (here - there).abs().median() < 0.01
    # As it would be if the sun went with the camera, which is what a photo of each camera's own place has:
    alone = torch.stack(
        [photograph(seen.pose[:, 0, c], looks[1], places[2], size=size, box=seen.box[:, c], sensor=QUIET).image[0]
         for c in (0, 1)]
    )  # fmt: skip
    here, there = colours_of_shared_points(0, 1, size, photos, alone, cameras)
    assert (here - there).abs().median() > 0.03


def test_the_sun_stands_in_one_place_of_the_world_and_shines_from_above(views):
    places = banks()[1]
    world = places.in_world()
    assert (world[:, 2] > 0).all()
    for camera in range(3):
        rotation = views.rotation[:, camera]
        turned = places[views.place[:, 0]].seen_by(rotation)
        back = (rotation.mT @ turned.sun[..., None])[..., 0]
        torch.testing.assert_close(back, world[views.place[:, 0]], atol=1e-6, rtol=0)
        assert torch.equal(turned.wall, places[views.place[:, 0]].wall)


def test_the_shadow_lies_in_one_place_of_the_floor_for_every_camera(clips):
    """A grid of places on the floor, found in every camera: gravity and sun turn with it, so the same ones are dark."""
    looks, places = banks()
    places.blur.zero_()
    people, size = clips[0].positions[None, 5:6], 128
    people = people - people[:, :, :1] * torch.tensor([1.0, 1.0, 0.0])
    azimuth = torch.tensor([[0.3, 1.9, 3.6, 5.0]])
    camera = orbit(people.mean((1, 2))[:, None].expand(1, 4, 3), azimuth, 0.9, 5.0)
    rows, shaded = (torch.tensor([0]), torch.tensor([[0, 1, 2, 3]])), []
    for strength in (0.0, 0.6):
        places.shadow[:] = strength
        views = photograph_views(people, camera, looks, places, *rows, size=size, half=1.6, sensor=QUIET)
        shaded.append(views.pixels[0, 0].float().mean(1))
    dark = 1 - shaded[1] / shaded[0].clamp_min(1)
    body = ((views.plates[0].float().mean(1) - shaded[0]).abs() > 1).float()
    # The floor touches the lowest solid, the sole of a shoe.
    solids, up = build(views.pose[0, :, 0], looks[0]), views.rotation[0, 0, :, 2]
    ends = solids.start + torch.stack([0 * solids.span, solids.span])[..., None] * solids.frame[..., 1, :]
    level = (ends @ up - solids.radius.movedim(-1, 0))[:, solids.radius.amax(-1) > 0].min() + views.position[0, 0, 2]
    line = torch.linspace(-0.9, 0.9, 61)
    floor = torch.stack([*torch.meshgrid(line, line, indexing="xy"), level.expand(61, 61)], -1)
    seen = (floor - views.position[0, :, None, None]) @ views.rotation[0, :, None].mT
    place = (seen[..., :2] / seen[..., 2:] - views.box[0, :, None, None, :2]) / views.box[0, :, None, None, 2:]
    dark, hidden = torch.nn.functional.grid_sample(torch.stack([dark, body], 1), place, align_corners=False).unbind(1)
    for other in (1, 2, 3):
        both = (hidden[0] == 0) & (hidden[other] == 0)
        one, two = dark[0][both], dark[other][both]
        assert (one > 0.2).sum() > 50
        assert torch.corrcoef(torch.stack([one, two]))[0, 1] > 0.99


def test_plates_are_the_pictures_wherever_nobody_is_and_no_shadow_falls(clips):
    looks, places = banks()
    places.shadow.zero_()
    views = draw_views(clips, 4, looks, places, size=48, generator=seeded(), sensor=QUIET)
    apart = (views.pixels.int() - views.plates[:, None].int()).abs().amax(3)
    for group, moment, camera in torch.cartesian_prod(*map(torch.arange, (4, 2, 2))).tolist():
        photo = photograph(
            views.pose[group, moment, camera][None], looks[int(views.look[group])], places[0], size=48,
            box=views.box[group, camera][None],
        )  # fmt: skip
        near = torch.nn.functional.max_pool2d(photo.silhouette, 3, 1, 1)[0] > 0  # the camera's blur reaches a pixel
        assert near.float().mean() < 0.5 and apart[group, moment, camera][~near].max() <= 1
        assert apart[group, moment, camera][near].float().mean() > 10


def test_shadows_darken_and_the_noise_of_the_sensor_is_not_in_the_plates(clips):
    looks, places = banks()
    quiet, noisy = (
        draw_views(clips, 4, looks, places, size=32, generator=seeded(), sensor=sensor) for sensor in (QUIET, Sensor())
    )
    assert torch.equal(quiet.plates, noisy.plates) and not torch.equal(quiet.pixels, noisy.pixels)
    corner = (slice(None), slice(None), slice(None), slice(None), slice(0, 3), slice(0, 3))
    torch.testing.assert_close(
        quiet.pixels[corner], quiet.plates[:, None].expand_as(quiet.pixels)[corner], atol=1, rtol=0
    )


def test_one_view_is_the_photo_that_photograph_takes(clips):
    looks, places = banks()
    views = draw_views(clips, 3, looks, places, cameras=1, moments=1, size=48, generator=seeded(), sensor=QUIET)
    photo = photograph(
        views.pose[:, 0, 0], looks[views.look], places[views.place[:, 0]].seen_by(views.rotation[:, 0]), size=48,
        box=views.box[:, 0], down=-views.rotation[:, 0, :, 2], sensor=QUIET,
    )  # fmt: skip
    assert torch.equal(views.pixels[:, 0, 0], (255 * photo.image).round().to(torch.uint8))
    torch.testing.assert_close(views.keypoints[:, 0, 0], photo.keypoints)
    assert torch.equal(views.visible[:, 0, 0], photo.visible)


def test_a_person_is_photographed_again_from_a_new_side(views, clips):
    """What a lesson shows beside a turned latent: the truth at that angle, in the same clothes and light."""
    looks, places = banks()
    group = views[3]
    known = Camera(group.rotation, group.position, torch.ones(1, 3, 2), torch.zeros(1, 3, 2))
    again = photograph_views(group.world, known, looks, places, group.look, group.place, size=48, sensor=QUIET)
    assert (again.pixels.int() - group.pixels.int()).abs().float().mean() < 0.05
    torch.testing.assert_close(again.pose, group.pose, atol=2e-5, rtol=0)


def test_moments_are_of_one_person_above_one_place_and_banks_are_used_up(clips, views):
    world = views.world
    assert (world[:, :, 0, :2] - world[:, :1, 0, :2]).abs().max() < 1e-5
    assert ((world[:, 0] - world[:, 1]).norm(dim=-1).mean(-1) > 0.01).float().mean() > 0.7
    bones = (world[:, :, 1:3] - world[:, :, :2]).norm(dim=-1)
    torch.testing.assert_close(bones[:, 0], bones[:, 1], atol=1e-3, rtol=0)
    assert set(views.look.tolist()) == {0, 1, 2} and set(views.place.flatten().tolist()) == {0, 1, 2, 3}
    again, other = (
        draw_views(clips, 12, *banks(), cameras=3, moments=2, size=48, generator=seeded(s), sensor=QUIET)
        for s in (0, 1)
    )
    assert torch.equal(again.pixels, views.pixels) and not torch.equal(other.pixels, views.pixels)


def test_poses_are_the_worlds_seen_by_the_cameras(views):
    for camera in range(3):
        pair = torch.ones(12, 2)
        one = Camera(views.rotation[:, camera], views.position[:, camera], pair, pair)
        torch.testing.assert_close(world_to_camera(views.world, one), views.pose[:, :, camera], atol=1e-5, rtol=0)


@pytest.mark.cuda
def test_a_gpu_draws_the_same_views(clips, views):
    there = draw_views(
        clips, 12, *banks(), cameras=3, moments=2, size=48, generator=seeded(), sensor=QUIET, device="cuda"
    )
    assert there.pixels.is_cuda and (there.pixels.cpu().int() - views.pixels.int()).abs().float().mean() < 0.2


P3 = torch.ones(1, 1, 17, 3)
BAD = {
    "people without moments": (
        lambda: photograph_views(P3[0], orbit(torch.zeros(1, 2, 3), 0.0), *banks(), torch.zeros(1), torch.zeros(1, 2)),
        "people has shape",
    ),
    "a place too few": (
        lambda: photograph_views(P3, orbit(torch.zeros(1, 2, 3), 0.0), *banks(), torch.zeros(1), torch.zeros(1, 1)),
        r"place \(1, 1\), expected .* \(1, 2\)",
    ),
    "no clips": (lambda: draw_views([], 1, *banks(), generator=seeded()), "clips has 0"),
    "no cameras": (lambda: draw_views(builtin(0, 1, 1, 5), 1, *banks(), cameras=0, generator=seeded()), "cameras 0"),
    "no width": (lambda: metric_boxes(torch.ones(1, 3), half=0), "half is 0"),
}


@pytest.mark.parametrize("call, message", BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
