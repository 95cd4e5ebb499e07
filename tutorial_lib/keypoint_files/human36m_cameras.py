"""The four calibrated cameras of Human3.6M, for each of its eleven subjects.

The numbers in human36m_cameras.json are the calibration that comes with the data set (Ionescu et al. 2014). VideoPose3D
keeps the same numbers, but writes the two tangential coefficients the other way round, (p2, p1) in OpenCV's meaning.

The formulas differ a little, too: the data set's own projection, and VideoPose3D's, leave out the factor 2 in the
mixed term 2 x (p2 x + p1 y). Here it is there, as in OpenCV: a difference of 0.2 pixels on average over the picture,
1.4 pixels in the worst corner.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from tutorial_lib.camera import Camera, from_pixels

FILE = Path(__file__).with_name("human36m_cameras.json")


@dataclass(frozen=True)
class View:
    """A calibrated camera with its lens.

    Attributes:
        camera: rotation and position in metres, world frame; focal length and centre in screen coordinates.
        lens: (5,) `(k1, k2, k3, p1, p2)`, see `distortion`.
        size: width and height of the picture in pixels.
        name: serial number of the camera.
        azimuth: degrees, an angle from which a drawing of the world looks like this camera's picture.
    """

    camera: Camera
    lens: torch.Tensor
    size: tuple[int, int]
    name: str
    azimuth: float

    @property
    def intrinsics(self) -> torch.Tensor:
        """(9,) `(fx, fy, cx, cy, k1, k2, k3, p1, p2)`, the first four in screen coordinates."""
        return torch.cat([self.camera.focal, self.camera.centre, self.lens])


def rotation_matrix(quaternion: torch.Tensor) -> torch.Tensor:
    """The rotation (..., 3, 3) of a quaternion (..., 4), written (w, x, y, z); its length does not matter."""
    w, x, y, z = (quaternion / torch.linalg.vector_norm(quaternion, dim=-1, keepdim=True)).unbind(-1)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


@cache
def views(subject: str) -> tuple[View, ...]:
    """The four cameras as they stood when `subject` ("S1" to "S11") was recorded; they were moved in between.

    Raises:
        ValueError: an unknown subject.
    """
    calibration = json.loads(FILE.read_text(encoding="utf-8"))
    if subject not in calibration["views"]:
        raise ValueError(f"subject is {subject!r}, expected one of {', '.join(calibration['views'])}")
    return tuple(_view(*pair) for pair in zip(calibration["cameras"], calibration["views"][subject]))


def _view(inside: dict, outside: dict) -> View:
    width, _ = inside["size"]
    # The quaternion turns camera axes into world axes, X_c = R^-1 (X - t): the rows of R^-1 are the camera's axes.
    rotation = rotation_matrix(torch.tensor(outside["orientation"], dtype=torch.float64)).mT.float()
    camera = Camera(
        rotation=rotation,
        position=torch.tensor(outside["position"]) / 1000,
        focal=torch.tensor(inside["focal"]) * 2 / width,
        centre=from_pixels(torch.tensor(inside["centre"]), inside["size"]),
    )
    return View(camera, torch.tensor(inside["distortion"]), tuple(inside["size"]), inside["name"], inside["azimuth"])
