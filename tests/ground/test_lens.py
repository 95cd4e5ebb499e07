"""A lens is whatever distorts, undistorts and folds: five numbers are one kind, an equidistant fisheye another."""

from dataclasses import dataclass

import pytest
import torch

from tutorial_lib.adaptation.lens_test import LensTest, evaluate
from tutorial_lib.camera import FOCAL, look_at, project, world_to_camera
from tutorial_lib.datasets.footage import capture_clips
from tutorial_lib.datasets.splits import builtin_split
from tutorial_lib.datasets.windows import draw_windows
from tutorial_lib.distortion import PRESETS, BrownConrady, Lens, as_lens, distort, folds, undistort
from tutorial_lib.lifting import TemporalLifter
from tutorial_lib.lifting.semi_supervised import reproject


@dataclass(frozen=True)
class Equidistant:
    """r = theta: the angle to the axis is the distance in the picture, up to 90 degrees."""

    def distort(self, points):
        r = torch.linalg.vector_norm(points, dim=-1, keepdim=True).clamp_min(1e-12)
        return points * torch.atan(r) / r

    def undistort(self, points):
        angle = torch.linalg.vector_norm(points, dim=-1, keepdim=True).clamp_min(1e-12)
        return points * torch.tan(angle) / angle

    def folds(self, radius):
        return torch.tensor(False)


FISHEYE = Equidistant()


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def points(*shape, seed=0):
    return torch.rand(*shape, generator=seeded(seed), dtype=torch.float64) - 0.5


@pytest.mark.parametrize("name", PRESETS)
def test_five_numbers_are_the_lens_of_brown_and_conrady(name):
    lens, plane = as_lens(PRESETS[name]), 0.5 * points(9, 2)
    assert isinstance(lens, BrownConrady) and isinstance(lens, Lens)
    assert torch.equal(lens.distort(plane), distort(plane, PRESETS[name]))
    assert torch.equal(lens.undistort(lens.distort(plane)), undistort(distort(plane, PRESETS[name]), PRESETS[name]))
    assert torch.equal(lens.folds(0.8), folds(PRESETS[name], 0.8))


def test_what_is_no_lens_is_refused_by_name():
    with pytest.raises(ValueError, match="lens is a str, expected five coefficients"):
        as_lens("fisheye")


@pytest.mark.parametrize("degrees", [1, 30, 60, 85])
def test_a_fisheye_shows_a_point_at_its_angle(degrees):
    assert isinstance(FISHEYE, Lens)
    angle = torch.tensor(degrees, dtype=torch.float64).deg2rad()
    point = 3 * torch.stack([angle.sin(), 0 * angle, angle.cos()])
    assert project(point, lens=FISHEYE)[0].item() == pytest.approx(FOCAL * angle.item(), rel=1e-9)
    torch.testing.assert_close(FISHEYE.undistort(project(point, lens=FISHEYE, onto="plane")), point[:2] / point[2])


def test_without_a_camera_points_are_in_the_frame_of_the_courses_own():
    camera = look_at(torch.tensor([3.0, 0.0, 1.0]), torch.tensor([0.0, 0.2, 1.1]))
    world = points(7, 3).float()
    for lens in (None, PRESETS["d2"], FISHEYE):
        seen = project(world_to_camera(world, camera), lens=lens)
        torch.testing.assert_close(project(world, camera, lens), seen)
        torch.testing.assert_close(project(world, camera, lens, onto="plane") * FOCAL, seen)


def test_everything_that_takes_five_numbers_takes_a_fisheye():
    split = builtin_split(0, people=1)
    footage = capture_clips(split.calibration, seeded(), limit=2)
    for source in ("detector", "truth"):
        straight, bent = (
            draw_windows(footage, lens, (6,), 9, generator=seeded(1), source=source) for lens in (None, FISHEYE)
        )
        torch.testing.assert_close(bent.keypoints, FOCAL * FISHEYE.distort(straight.keypoints / FOCAL))
        assert torch.equal(bent.pose, straight.pose)

    lens_test = LensTest(split, 0, clips=1, calibration_clips=2, windows=4, noise=0.0)
    seen = lens_test.through(FISHEYE)
    torch.testing.assert_close(seen.video, project(lens_test.tests.pose, lens=FISHEYE))
    assert seen.to(torch.device("cpu")).lens is FISHEYE
    assert evaluate(TemporalLifter(9, 8).eval(), seen).mpjpe > 0

    pose, root = points(4, 17, 3), torch.tensor([0.0, 0.0, 3.0], dtype=torch.float64).expand(4, 1, 3)
    flat = reproject(pose, root) / FOCAL
    torch.testing.assert_close(reproject(pose, root, FISHEYE), FOCAL * FISHEYE.distort(flat))
