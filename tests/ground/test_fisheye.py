"""Fisheye lenses against OpenCV's fisheye module, closed forms and finite differences."""

import math

import cv2
import numpy as np
import pytest
import torch

from tutorial_lib.camera import Camera, project
from tutorial_lib.distortion import Lens, as_lens
from tutorial_lib.fisheye import LIMIT, Fisheye

K = (0.05, -0.02, 0.003, -0.0004)
LENSES = (Fisheye("equidistant"), Fisheye("equisolid"), Fisheye("polynomial", K))


def plane(count=200, seed=0):
    """Points up to 84 degrees from the axis."""
    u = torch.rand(count, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    angle, turn = u[:, 0] * math.radians(84), 2 * math.pi * u[:, 1]
    return torch.tan(angle)[:, None] * torch.stack([turn.cos(), turn.sin()], -1)


@pytest.mark.parametrize("lens", LENSES, ids=lambda lens: lens.kind)
def test_a_fisheye_is_a_lens_and_is_undone(lens):
    assert isinstance(lens, Lens) and as_lens(lens) is lens
    points = plane()
    bent = lens.distort(points)
    assert torch.allclose(lens.undistort(bent), points, rtol=1e-8, atol=1e-10)
    assert torch.allclose(lens.undistort(bent.float()), points.float(), rtol=2e-3)
    assert not lens.folds(math.tan(LIMIT))
    unit = torch.cat([points, torch.ones_like(points[:, :1])], -1)
    unit = unit / unit.norm(dim=-1, keepdim=True)
    assert torch.allclose(lens.directions(bent), unit, atol=1e-9)


@pytest.mark.parametrize("coefficients", [(), K], ids=["equidistant", "polynomial"])
def test_opencv_puts_points_at_the_same_place(coefficients):
    lens = Fisheye("polynomial", coefficients) if coefficients else Fisheye("equidistant")
    points = plane()
    given = np.array([*coefficients, *[0.0] * (4 - len(coefficients))])
    theirs = cv2.fisheye.distortPoints(points.numpy()[:, None], np.eye(3), given)[:, 0]
    assert np.allclose(lens.distort(points).numpy(), theirs, atol=1e-9)


def test_equisolid_areas_are_solid_angles():
    """The ring between two angles covers pi (rho2^2 - rho1^2) of the picture and 2 pi (cos t1 - cos t2) of the sky."""
    lens = Fisheye("equisolid")
    angle = torch.linspace(0.0, LIMIT, 9, dtype=torch.float64)
    area = math.pi * lens.radius(angle).square().diff()
    sky = -2 * math.pi * torch.cos(angle).diff()
    assert torch.allclose(area, sky)


@pytest.mark.parametrize("lens", LENSES, ids=lambda lens: lens.kind)
def test_near_the_axis_it_is_a_pinhole_with_derivatives(lens):
    points = 1e-4 * plane(5)
    assert torch.allclose(lens.distort(points), points, rtol=1e-5)
    zero = torch.zeros(1, 2, requires_grad=True)
    (slope,) = torch.autograd.grad(lens.distort(zero).sum(), zero)
    assert torch.allclose(slope, torch.ones(1, 2))


def test_the_image_circle_fills_the_picture():
    lens = Fisheye("equisolid")
    one = torch.tensor(1 / lens.edge).expand(2)
    camera = Camera(torch.eye(3), torch.zeros(3), one, torch.zeros(2))
    edge = torch.tensor([math.sin(LIMIT), 0.0, math.cos(LIMIT)])
    assert torch.allclose(project(edge, camera, lens), torch.tensor([1.0, 0.0]), atol=1e-5)
    assert Fisheye("equidistant", limit=math.radians(100)).edge == pytest.approx(math.radians(100))


def test_what_is_no_picture_is_refused():
    with pytest.raises(ValueError, match="image of no point"):
        Fisheye().undistort(torch.tensor([[1.5, 0.0]]))
    with pytest.raises(ValueError, match="90 degrees or more"):
        Fisheye("equidistant", limit=2.0).undistort(torch.tensor([[1.9, 0.0]]))
    assert Fisheye("equidistant", limit=2.0).directions(torch.tensor([[1.9, 0.0]]))[0, 2] < 0
    for bad, said in (
        ({"kind": "pinhole"}, "kind is 'pinhole'"),
        ({"coefficients": (0.1,)}, "none for the others"),
        ({"limit": 4.0}, "limit is 4.0"),
    ):
        with pytest.raises(ValueError, match=said):
            Fisheye(**bad)
    with pytest.raises(ValueError, match=r"expected floating \(..., 2\)"):
        Fisheye().distort(torch.zeros(3, 3))
    assert Fisheye("polynomial", (-0.3,)).folds(5.0) and not Fisheye("polynomial", (-0.3,)).folds(0.3)
    with pytest.raises(ValueError, match="radius is 0"):
        Fisheye().folds(0)
