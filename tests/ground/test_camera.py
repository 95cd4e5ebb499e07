"""The pinhole camera, against OpenCV's projection."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tutorial_lib.camera import (
    Camera,
    camera_to_world,
    from_pixels,
    from_screen,
    look_at,
    orbit,
    project,
    random_viewpoints,
    to_pixels,
    to_plane,
    to_screen,
    world_to_camera,
)
from tutorial_lib.distortion import PRESETS, distort

quick = settings(deadline=None, max_examples=40, derandomize=True)
coordinate = st.floats(-5, 5)
places = st.tuples(coordinate, coordinate, st.floats(0.2, 3)).map(lambda p: torch.tensor(p).double())


def person(clips=1, frames=10, walk=1.0):
    """(clips, frames, 17, 3): joints within a person's box, walking along x."""
    generator = torch.Generator().manual_seed(0)
    joints = torch.rand(clips, 1, 17, 3, generator=generator) * torch.tensor([0.6, 0.6, 1.8])
    return joints + torch.linspace(0, walk, frames)[:, None, None] * torch.tensor([1.0, 0, 0])


def cameras(count=3):
    generator = torch.Generator().manual_seed(1)
    position = torch.randn(count, 3, generator=generator).double() + torch.tensor([4.0, 0, 1])
    return look_at(position, torch.zeros(3).double().expand(count, 3), focal=1.3)


def one(camera, i):
    return Camera(camera.rotation[i], camera.position[i], camera.focal[i], camera.centre[i])


@quick
@given(places, places)
def test_look_at_is_a_level_right_handed_camera_with_the_target_in_the_middle(position, target):
    if torch.linalg.vector_norm((target - position)[:2]) < 0.1:
        target = target + torch.tensor([1.0, 0, 0])
    camera = look_at(position, target)
    torch.testing.assert_close(camera.rotation @ camera.rotation.T, torch.eye(3).double(), atol=1e-12, rtol=0)
    assert torch.linalg.det(camera.rotation).item() == pytest.approx(1)
    right, down, _ = camera.rotation
    assert right[2].item() == pytest.approx(0, abs=1e-12) and down[2] < 0
    torch.testing.assert_close(project(target, camera), torch.zeros(2).double(), atol=1e-9, rtol=0)


def test_up_in_the_world_is_up_in_the_picture_and_right_is_right():
    camera = look_at(torch.tensor([0.0, -3, 1]), torch.tensor([0.0, 0, 1]))
    above, beside = project(torch.tensor([[0.0, 0, 1.5], [0.5, 0, 1]]), camera)
    assert above[1] < 0 and above[0] == 0
    assert beside[0] > 0 and beside[1] == 0


@pytest.mark.parametrize("lens", [None, *PRESETS], ids=str)
def test_projection_is_that_of_opencv(lens):
    width, height = 1000, 800
    focal, centre = torch.tensor([[1.3, 1.4], [0.1, -0.05]]).double()
    camera = Camera(cameras().rotation[0], cameras().position[0], focal, centre)
    points = person()[0].double() * 0.5
    k1, k2, k3, p1, p2 = (torch.zeros(5) if lens is None else PRESETS[lens]).double().tolist()
    turn = camera.rotation.numpy()
    fx, fy = (camera.focal * width / 2).tolist()
    cx, cy = ((camera.centre[0] + 1) * width / 2).item(), (camera.centre[1] * width / 2 + height / 2).item()
    pixels, _ = cv2.projectPoints(
        points.reshape(-1, 3).numpy(),
        cv2.Rodrigues(turn)[0],
        -turn @ camera.position.numpy(),
        np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]),
        np.array([k1, k2, p1, p2, k3]),
    )
    expected = (2 * pixels.reshape(10, 17, 2) - [width, height]) / width
    screen = project(points, camera, None if lens is None else PRESETS[lens])
    np.testing.assert_allclose(screen.numpy(), expected, atol=1e-9)


@quick
@given(places, places)
def test_world_to_camera_and_back_is_the_identity_and_keeps_distances(position, point):
    camera = look_at(position, position + torch.tensor([1.0, 0.5, 0.2]))
    seen = world_to_camera(point, camera)
    torch.testing.assert_close(camera_to_world(seen, camera), point, atol=1e-9, rtol=0)
    assert seen.norm().item() == pytest.approx((point - position).norm().item(), abs=1e-9)


def test_screen_and_plane_are_inverse_with_and_without_a_camera():
    plane = torch.randn(3, 5, 2, generator=torch.Generator().manual_seed(0)).double()
    usual = cameras()
    odd = Camera(usual.rotation, usual.position, usual.focal, usual.centre + 0.1)
    for camera in (None, usual, odd):
        torch.testing.assert_close(from_screen(to_screen(plane, camera), camera), plane)


def test_the_courses_own_camera_is_what_look_at_makes():
    plane = torch.randn(5, 2).double()
    camera = look_at(torch.tensor([3.0, 0, 1]).double(), torch.zeros(3).double())
    torch.testing.assert_close(to_screen(plane, camera), to_screen(plane))


def test_a_batch_of_cameras_and_lenses_gives_what_a_loop_gives():
    camera, points = cameras(), person(3).double() * 0.3
    lens = torch.stack(list(PRESETS.values())[:3]).double()
    together = project(points, camera, lens)
    assert together.shape == (3, 10, 17, 2)
    for i in range(3):
        torch.testing.assert_close(together[i], project(points[i], one(camera, i), lens[i]))


def test_the_lens_acts_on_the_plane():
    camera, points = one(cameras(), 0), person()[0].double() * 0.3
    plane = to_plane(world_to_camera(points, camera))
    torch.testing.assert_close(project(points, camera, PRESETS["d2"]), to_screen(distort(plane, PRESETS["d2"]), camera))


def test_projection_is_differentiable():
    points = (person(frames=1)[0].double() * 0.3).requires_grad_()
    assert torch.autograd.gradcheck(lambda p: project(p, one(cameras(), 0), PRESETS["d3"]), points)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_dtype_of_the_points_is_kept(dtype):
    assert project(person()[0].to(dtype), one(cameras(), 0)).dtype == dtype


def test_random_viewpoints_keep_everybody_in_the_picture():
    positions = person(40, walk=2.0)
    camera = random_viewpoints(positions, generator=torch.Generator().manual_seed(0))
    screen = project(positions, camera)
    assert screen.abs().max() < 0.97
    height = camera.position[:, 2]
    assert (height >= 0.7).all() and (height <= 2.0).all()


def test_random_viewpoints_come_from_all_around_and_seldom_centre_the_person():
    positions = person(60)
    camera = random_viewpoints(positions, generator=torch.Generator().manual_seed(0))
    offset = camera.position - positions.mean((1, 2))
    angle = torch.atan2(offset[:, 1], offset[:, 0])
    assert torch.histc(angle, 4, -torch.pi, torch.pi).min() >= 5
    assert project(positions, camera).mean((1, 2))[:, 0].std() > 0.1


def test_random_viewpoints_are_decided_by_the_generator():
    first, again, other = (random_viewpoints(person(5), generator=torch.Generator().manual_seed(s)) for s in (0, 0, 1))
    assert torch.equal(first.position, again.position) and torch.equal(first.rotation, again.rotation)
    assert not torch.equal(first.position, other.position)


def test_random_viewpoints_move_back_from_somebody_who_covers_ground():
    near = random_viewpoints(person(5, walk=0), generator=torch.Generator().manual_seed(0))
    far = random_viewpoints(person(5, walk=4), generator=torch.Generator().manual_seed(0))
    middle = [person(5, walk=w).mean((1, 2)) for w in (0, 4)]
    assert (far.position - middle[1]).norm(dim=-1).mean() > (near.position - middle[0]).norm(dim=-1).mean()


@quick
@given(places, st.floats(-7, 7), st.floats(-1.5, 1.5), st.floats(0.1, 9))
def test_an_orbits_camera_stands_where_its_angles_say_and_looks_at_the_target(target, azimuth, elevation, distance):
    camera = orbit(target, azimuth, elevation, distance)
    away = camera.position - target
    assert away.norm().item() == pytest.approx(distance)
    assert torch.atan2(away[2], away[:2].norm()).item() == pytest.approx(elevation, abs=1e-6)
    turned = torch.atan2(away[1], away[0]).item() - azimuth
    assert np.cos(turned) == pytest.approx(1) and camera.rotation[0, 2].item() == pytest.approx(0, abs=1e-12)
    seen = world_to_camera(target, camera)
    torch.testing.assert_close(seen, seen.new_tensor([0.0, 0.0, distance]), atol=1e-9, rtol=0)
    torch.testing.assert_close(project(target, camera), torch.zeros(2).double(), atol=1e-9, rtol=0)


def test_what_an_orbit_shows_moves_as_one_who_walks_round_sees_it():
    target = torch.tensor([0.0, 0.0, 1.0])
    ahead, up = torch.tensor([0.3, 0.0, 1.0]), torch.tensor([0.0, 0.0, 1.3])
    seen = [project(point, orbit(target, 0.2)) for point in (ahead, up)]
    assert seen[0][0] < 0 and seen[1][1] < 0  # the camera has walked to its right, and down is positive
    assert project(ahead, orbit(target, 0.0, 0.5))[1] > 0  # from above, what is nearer is further down
    near, far = (project(up, orbit(target, 0.0, 0.0, metres))[1] for metres in (2.0, 4.0))
    assert near.item() == pytest.approx(2 * far.item())


def test_an_orbit_is_batched_and_differentiable():
    target = person(3).double().mean((1, 2))
    azimuth = torch.linspace(0, 6, 4).double().requires_grad_()
    elevation, distance = torch.tensor(0.3).double().requires_grad_(), torch.tensor([[2.0], [3.0], [4.0]]).double()
    camera = orbit(target[:, None], azimuth, elevation, distance)
    assert camera.position.shape == (3, 4, 3) and camera.rotation.dtype == torch.float64
    lone = orbit(target[1], azimuth[2], elevation, 3.0)
    torch.testing.assert_close(camera.rotation[1, 2], lone.rotation)

    def shown(*where):
        return project(target[0] + 0.3, orbit(target[0], *where))

    at = (azimuth[1].detach().requires_grad_(), elevation, distance[0, 0].requires_grad_())
    assert torch.autograd.gradcheck(shown, at)


I3, P3, F2, C2 = torch.eye(3), torch.zeros(3), torch.ones(2), torch.zeros(2)
BAD = {
    "rotation of another shape": (lambda: Camera(torch.eye(2), P3, F2, C2), "rotation has shape"),
    "rotation with NaN": (lambda: Camera(I3 * float("nan"), P3, F2, C2), "rotation holds NaN"),
    "infinite position": (lambda: Camera(I3, P3 + float("inf"), F2, C2), "position holds NaN or infinity"),
    "focal length of zero": (lambda: Camera(I3, P3, F2 * 0, C2), "focal is"),
    "two centres for one camera": (lambda: Camera(I3, P3, F2, torch.zeros(2, 2)), "centre has shape"),
    "camera straight above": (lambda: look_at(torch.tensor([0.0, 0, 3]), P3), "position and target"),
    "camera of an orbit straight above": (lambda: orbit(P3, 0.0, torch.pi / 2), "position and target"),
    "an orbit without width": (lambda: orbit(P3, 0.0, distance=0.0), "distance is 0.0"),
    "camera in its target": (lambda: look_at(P3, P3), "position and target"),
    "points behind the camera": (lambda: project(-torch.ones(4, 3), Camera(I3, P3, F2, C2)), "points: 4 lie behind"),
    "points with NaN": (lambda: to_plane(torch.full((2, 3), float("nan"))), "points: 2 lie behind"),
    "points in two dimensions": (lambda: project(torch.ones(4, 2), Camera(I3, P3, F2, C2)), "points has shape"),
    "fewer points than cameras": (lambda: world_to_camera(torch.ones(3), cameras()), "points .* fewer axes"),
    "clips without a batch axis": (lambda: random_viewpoints(person()[0]), "positions has shape"),
    "sixteen joints": (lambda: random_viewpoints(torch.zeros(1, 2, 16, 3)), "positions has shape"),
    "no clips": (lambda: random_viewpoints(torch.zeros(0, 2, 17, 3)), "positions has shape"),
    "a joint with NaN": (lambda: random_viewpoints(person() * float("nan")), "positions hold NaN"),
    "a walk of five kilometres": (lambda: random_viewpoints(person(walk=5000.0)), "positions: no camera keeps clip 0"),
}


@pytest.mark.parametrize("call, message", BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_whole_pixels_are_pixels():
    pixels = torch.tensor([[0, 0], [960, 540], [1920, 1080]])
    torch.testing.assert_close(from_pixels(pixels, (1920, 1080)), from_pixels(pixels.float(), (1920, 1080)))


def test_one_camera_can_look_at_many_targets():
    targets = torch.tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 1.0]])
    camera = look_at(torch.tensor([0.0, -3.0, 1.0]), targets)
    assert camera.position.shape == (2, 3)
    torch.testing.assert_close(project(targets, camera), torch.zeros(2, 2), atol=1e-6, rtol=0)


HERE, THERE = torch.tensor([0.0, -3.0, 1.0]), torch.tensor([0.0, 0.0, 1.0])


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: look_at(HERE.long(), THERE), "position is torch.int64"),
        (lambda: look_at(HERE, THERE.long()), "target is torch.int64"),
        (lambda: look_at(HERE, THERE * torch.nan), "target holds NaN"),
        (lambda: look_at(HERE / 0, THERE), "position holds NaN or infinity"),
        (lambda: look_at(HERE[:2], THERE), "position is .*expected floating"),
        (lambda: project(torch.ones(4, 3).long(), look_at(HERE, THERE)), "points are torch.int64"),
        (lambda: world_to_camera(torch.ones(4, 2), look_at(HERE, THERE)), r"points has shape \(4, 2\), expected .* 3"),
        (lambda: project(torch.ones(4, 3).numpy(), look_at(HERE, THERE)), "points is a ndarray, expected a tensor"),
        (lambda: to_pixels(torch.ones(4, 2).long(), (10, 10)), "screen is torch.int64"),
        (lambda: to_pixels(torch.ones(4, 3), (10, 10)), r"screen is torch.float32 of shape \(4, 3\)"),
        (lambda: from_pixels(torch.ones(4, 2), 5), r"size is 5, expected \(width, height\)"),
        (lambda: from_pixels(torch.ones(4, 2), ("1280", "720")), "size is"),
        (lambda: from_pixels(torch.ones(4, 2), (True, 720)), "size is"),
        (lambda: from_pixels(torch.ones(4, 2), None), "size is None"),
    ],
)
def test_whole_numbers_and_words_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
