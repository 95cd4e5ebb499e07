"""From a person's pose to a place in the volume and back, and how wrong the poses that a volume net finds are.

A picture is a square window of the image plane (x/z, y/z): centre (cx, cy), half-width h. At the root's depth Z it
shows a square of half-width h Z metres. The depth of the volume has the same half-width, so that one unit is the same
length along x, y and z:

    x = (X/Z_joint - cx) / h        y likewise        z = (Z_joint - Z) / (h Z)

Sun et al. do the same: 2000 mm across the window, 2000 mm through it. A window that is fitted to the person hides how
large the person is. `to_pose` is told the depth of the root (ours; Sun et al. are told how long the skeleton is).
"""

import torch

from tutorial_lib.camera import to_plane
from tutorial_lib.metrics import Score, pose_score
from tutorial_lib.skeleton import check_joints


def windows(keypoints: torch.Tensor, pose: torch.Tensor) -> torch.Tensor:
    """The window of the image plane that each picture shows: (..., 3) centre x, centre y, half-width.

    Keypoints and pose describe the same points, by a scale and a shift: least squares finds them, without error.

    Args:
        keypoints: (..., 17, 2) screen coordinates of the picture.
        pose: (..., 17, 3) metres, camera frame, absolute; no lens.

    Raises:
        ValueError: wrong shapes.
    """
    check_joints(keypoints, 2, "keypoints")
    check_joints(pose, 3, "pose")
    plane = to_plane(pose)
    middles = [points.mean(-2, keepdim=True) for points in (keypoints, plane)]
    k, p = keypoints - middles[0], plane - middles[1]
    half = (k * p).sum((-2, -1)) / (k * k).sum((-2, -1)).clamp_min(1e-12)
    return torch.cat([middles[1][..., 0, :] - half[..., None] * middles[0][..., 0, :], half[..., None]], -1)


def half_width(window: torch.Tensor, root_depth: torch.Tensor) -> torch.Tensor:
    """Metres from the middle to the border of the picture, at the depth of the root: (...,)."""
    return window[..., 2] * root_depth


def to_volume(keypoints: torch.Tensor, pose: torch.Tensor, window: torch.Tensor) -> torch.Tensor:
    """Coordinates x, y, z in the volume: (..., 17, 3).

    Args:
        keypoints: as `windows`.
        pose: as `windows`.
        window: (..., 3) centre x, centre y, half-width.
    """
    root = pose[..., :1, 2]
    depth = (pose[..., 2] - root) / half_width(window, root[..., 0])[..., None]
    return torch.cat([keypoints, depth[..., None]], -1)


def to_pose(coordinates: torch.Tensor, window: torch.Tensor, root_depth: torch.Tensor) -> torch.Tensor:
    """The pose in metres, camera frame, absolute: the inverse of `to_volume`.

    Args:
        coordinates: (..., J, 3) x, y, z in the volume.
        window: (..., 3) centre x, centre y, half-width of the picture in the image plane.
        root_depth: (...,) metres from the camera to the root along its axis: known, not predicted.
    """
    depth = root_depth[..., None] + coordinates[..., 2] * half_width(window, root_depth)[..., None]
    plane = window[..., None, :2] + window[..., None, 2:] * coordinates[..., :2]
    return torch.cat([plane * depth[..., None], depth[..., None]], -1)


@torch.no_grad()
def judge(coordinates: torch.Tensor, keypoints: torch.Tensor, pose: torch.Tensor) -> Score:
    """The score of coordinates in the volume (B, 17, 3) against the true keypoints (B, 17, 2) and pose (B, 17, 3)."""
    return pose_score(to_pose(coordinates, windows(keypoints, pose), pose[..., 0, 2]), pose)
