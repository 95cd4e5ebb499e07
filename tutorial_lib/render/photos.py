"""Photographs of people, one in each picture, with everything that is known about them; and of nobody."""

from dataclasses import dataclass

import torch

from tutorial_lib.batch import Batch
from tutorial_lib.render.backdrop import paint
from tutorial_lib.render.crops import check_pose, crop_boxes
from tutorial_lib.render.crowd import photograph_crowd
from tutorial_lib.render.looks import Looks
from tutorial_lib.render.occluders import obstruct, soft_blur
from tutorial_lib.render.places import Places
from tutorial_lib.render.sensor import DAYLIGHT, Sensor


@dataclass(frozen=True)
class Photos(Batch):
    """Pictures and the truth about them.

    Attributes:
        image: (B, 3, H, W) RGB in [0, 1].
        keypoints: (B, 17, 2) screen coordinates of the picture: x in [-1, 1] to the right, y likewise down; the centre
            of pixel i is at (2 i + 1) / W - 1.
        pose: (B, 17, 3) metres, camera frame (x right, y down, z forward), absolute.
        visible: (B, 17) bool: inside the picture, behind no occluder and no other part of the body.
        parts: (B, H, W) int64, index into `PARTS`; 0 background, -1 occluder.
        silhouette: (B, H, W) coverage by the body in [0, 1], also behind occluders; differentiable in the pose.
        depth: (B, H, W) metres along the camera's axis to the body's surface, infinite beside it.
        box: (B, 3) what of the image plane the picture shows: centre x, centre y and half-width.
    """

    image: torch.Tensor
    keypoints: torch.Tensor
    pose: torch.Tensor
    visible: torch.Tensor
    parts: torch.Tensor
    silhouette: torch.Tensor
    depth: torch.Tensor
    box: torch.Tensor


def photograph(
    pose: torch.Tensor,
    looks: Looks,
    places: Places,
    *,
    size: int = 128,
    box: torch.Tensor | None = None,
    lens: torch.Tensor | None = None,
    sensor: Sensor = DAYLIGHT,
    down: torch.Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Photos:
    """Photograph people.

    Args:
        pose: (B, 17, 3) metres, camera frame (x right, y down, z forward).
        looks: B rows, or one row for all.
        places: B rows, or one row for all.
        size: pixels a side.
        box: (B, 3) centre x, centre y and half-width of the square picture in plane coordinates (x/z, y/z; behind a
            lens: distorted ones). Default: `crop_boxes(pose)`.
        lens: (5,) or (B, 5) distortion coefficients, see `distortion`; acts on body, joints and backdrop alike.
        sensor: what becomes of the light.
        down: (B, 3) or (3,) direction of gravity in the camera frame, for the shadow on the floor; default: y.
        generator: of the sensor's noise. Nothing else is random.

    Returns:
        `Photos` in the pose's dtype and on its device; image and silhouette are differentiable in the pose.

    Raises:
        ValueError: shapes that do not match, a pose behind or at the camera, size below 8, a lens that
            folds inside the picture.
    """
    check_pose(pose)
    box = crop_boxes(pose, lens=lens) if box is None else box.to(pose).detach()
    crowd = photograph_crowd(
        pose[:, None], looks, places, size=size, box=box, lens=lens, sensor=sensor, down=down, generator=generator
    )
    return Photos(
        crowd.image,
        crowd.keypoints[:, 0],
        pose,
        crowd.visible[:, 0],
        crowd.parts,
        crowd.silhouette[:, 0],
        crowd.depth,
        crowd.box,
    )


def plates(
    places: Places, *, size: int = 128, sensor: Sensor = DAYLIGHT, generator: torch.Generator | None = None
) -> torch.Tensor:
    """The places with nobody in them, (B, 3, size, size) RGB in [0, 1], as `photograph` shows them beside people.

    Args:
        places: B rows.
        size: pixels a side.
        sensor: what becomes of the light.
        generator: of the sensor's noise.
    """
    image, _ = obstruct(paint(places, size), places)
    return sensor.read(soft_blur(image, places.blur).movedim(1, 0), places.grain, generator)
