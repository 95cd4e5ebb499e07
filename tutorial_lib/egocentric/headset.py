"""A camera on somebody's head: a fisheye before the forehead that looks down at its wearer.

The camera's frame is the course's: x to the wearer's right, y to their back, z along the axis, downwards. It keeps the
same place on the head for everybody: it grows with its wearer, or else the picture of the shoulders would tell their
size.
"""

from functools import cache

import torch

from tutorial_lib.camera import Camera, project
from tutorial_lib.fisheye import Fisheye
from tutorial_lib.grid import cell_centres
from tutorial_lib.skeleton import JOINTS, check_joints

LENS = Fisheye("equisolid")
"""The course's head-worn lens: half a field of view of 85 degrees; its image circle fills the picture."""

AHEAD, ABOVE = 0.20, 0.08
"""Metres from the crown to the camera, for a wearer of size 1 (ours)."""

_HEAD, _NECK, _LEFT, _RIGHT = (JOINTS.index(name) for name in ("head", "neck", "left_shoulder", "right_shoulder"))


def wear(
    people: torch.Tensor, size: torch.Tensor | float = 1.0, tilt: torch.Tensor | float = 0.0, lens: Fisheye = LENS
) -> Camera:
    """The camera that people wear.

    Args:
        people: (..., 17, 3) metres, world frame.
        size: (...) of the wearer; the camera's place grows with it.
        tilt: (...) radians by which it looks forward; at 0 it looks along the head's own axis.
        lens: whose image circle fills the picture.

    Returns:
        A batch of cameras (...); project through it with the same lens.

    Raises:
        ValueError: other joints.
    """
    check_joints(people, 3, "people")
    size, tilt = (torch.as_tensor(value).to(people).expand(people.shape[:-2])[..., None] for value in (size, tilt))
    up = _unit(people[..., _HEAD, :] - people[..., _NECK, :])
    across = people[..., _RIGHT, :] - people[..., _LEFT, :]
    right = _unit(across - (across * up).sum(-1, keepdim=True) * up)
    front = torch.linalg.cross(up, right)
    forward = torch.sin(tilt) * front - torch.cos(tilt) * up
    rotation = torch.stack([right, torch.linalg.cross(forward, right), forward], -2)
    position = people[..., _HEAD, :] + size * (AHEAD * front + ABOVE * up)
    focal = torch.full_like(position[..., :2], 1 / lens.edge)
    return Camera(rotation, position, focal, torch.zeros_like(focal))


def _unit(vector: torch.Tensor) -> torch.Tensor:
    return vector / torch.linalg.vector_norm(vector, dim=-1, keepdim=True).clamp_min(1e-9)


def seen_at(pose: torch.Tensor, lens: Fisheye = LENS) -> tuple[torch.Tensor, torch.Tensor]:
    """Where a head-worn camera sees points of its own frame.

    Args:
        pose: (..., 3) metres, camera frame.
        lens: whose image circle fills the picture.

    Returns:
        screen: (..., 2), x in [-1, 1] across the picture; (0, 0) where nothing is seen.
        inside: (...) bool, whether the point is in the field of view.
    """
    angle = torch.atan2(torch.linalg.vector_norm(pose[..., :2], dim=-1), pose[..., 2])
    inside = (angle <= lens.limit) & (pose[..., 2] > 1e-4)
    ahead = torch.where(inside[..., None], pose, pose.new_tensor([0.0, 0.0, 1.0]))
    return project(ahead, lens=lens, onto="plane") / lens.edge, inside


@cache
def pixel_rays(pixels: int, lens: Fisheye = LENS) -> tuple[torch.Tensor, torch.Tensor]:
    """The rays of a square picture's pixels, row by row.

    Args:
        pixels: a side.
        lens: whose image circle fills the picture.

    Returns:
        rays: (pixels^2, 3) unit vectors, camera frame; outside the circle those of its edge.
        inside: (pixels^2,) bool, whether a pixel's centre lies in the circle.
    """
    line = cell_centres(pixels)
    place = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1).flatten(0, 1)
    radius = torch.linalg.vector_norm(place, dim=-1, keepdim=True)
    return lens.directions(lens.edge * place / radius.clamp_min(1.0)), radius[:, 0] <= 1
