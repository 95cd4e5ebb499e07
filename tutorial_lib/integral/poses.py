"""From a person's pose to a place in the volume and back, and how wrong the poses that a volume net finds are.

A picture is a square box of the image plane (x/z, y/z): centre (cx, cy), half-width h. At the root's depth Z it
shows a square of half-width h Z metres. The depth of the volume has the same half-width, so that one unit is the same
length along x, y and z:

    x = (X/Z_joint - cx) / h        y likewise        z = (Z_joint - Z) / (h Z)

Sun et al. do the same: 2000 mm across the box, 2000 mm through it. A box that is fitted to the person hides how
large the person is. `to_pose` is told the depth of the root (ours; Sun et al. are told how long the skeleton is).
"""

import torch

from tutorial_lib.integral.soft_argmax import from_metres, to_metres
from tutorial_lib.metrics import Score, pose_score, root_relative


def half_width(box: torch.Tensor, root_depth: torch.Tensor) -> torch.Tensor:
    """Metres from the middle to the border of the picture, at the depth of the root: (...,)."""
    return box[..., 2] * root_depth


def to_volume(keypoints: torch.Tensor, pose: torch.Tensor, box: torch.Tensor) -> torch.Tensor:
    """Coordinates x, y, z in the volume: (..., 17, 3).

    Args:
        keypoints: (..., 17, 2) screen coordinates of the picture.
        pose: (..., 17, 3) metres, camera frame, absolute; no lens.
        box: (..., 3) centre x, centre y, half-width.
    """
    root = pose[..., :1, 2]
    depth = from_metres(pose[..., 2] - root, half_width(box, root[..., 0])[..., None])
    return torch.cat([keypoints, depth[..., None]], -1)


def to_pose(coordinates: torch.Tensor, box: torch.Tensor, root_depth: torch.Tensor) -> torch.Tensor:
    """The pose in metres, camera frame, absolute: the inverse of `to_volume`.

    Args:
        coordinates: (..., J, 3) x, y, z in the volume.
        box: (..., 3) centre x, centre y, half-width of the picture in the image plane.
        root_depth: (...,) metres from the camera to the root along its axis: known, not predicted.
    """
    depth = root_depth[..., None] + to_metres(coordinates[..., 2], half_width(box, root_depth)[..., None])
    plane = box[..., None, :2] + box[..., None, 2:] * coordinates[..., :2]
    return torch.cat([plane * depth[..., None], depth[..., None]], -1)


@torch.no_grad()
def judge(coordinates: torch.Tensor, box: torch.Tensor, pose: torch.Tensor) -> Score:
    """The score of coordinates in the volume.

    Args:
        coordinates: (B, 17, 3) what a network says.
        box: (B, 3) what of the image plane each picture shows.
        pose: (B, 17, 3) the truth in metres, camera frame.
    """
    return pose_score(to_pose(coordinates, box, pose[..., 0, 2]), pose)


@torch.no_grad()
def axis_errors(coordinates: torch.Tensor, box: torch.Tensor, pose: torch.Tensor) -> torch.Tensor:
    """Mean absolute error, root-relative, along the camera's x (right), y (down) and z (depth): (3,) in millimetres.

    Args:
        coordinates: as for `judge`.
        box: as for `judge`.
        pose: as for `judge`.
    """
    found = to_pose(coordinates, box, pose[..., 0, 2])
    return 1000 * (root_relative(found) - root_relative(pose)).abs().flatten(0, -2).mean(0)
