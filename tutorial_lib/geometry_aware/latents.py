"""A latent that is a cloud of points in the camera's frame: another camera sees it turned."""

import torch


def rotate(points: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
    """Points in another camera's frame: every row times the rotation, transposed.

    There is no shift and no scale: both cameras look at the middle of the person, from equally far.

    Args:
        points: (..., points, 3) in the frame of camera i.
        turn: (..., 3, 3) takes directions from the frame of camera i into that of camera j, R_j R_i^T.

    Returns:
        (..., points, 3) in the frame of camera j.

    Raises:
        ValueError: shapes that are not those.
    """
    if points.shape[-1:] != (3,) or points.ndim < 2 or turn.shape[-2:] != (3, 3):
        raise ValueError(
            f"points has shape {tuple(points.shape)}, turn {tuple(turn.shape)}, expected (..., n, 3) and (..., 3, 3)"
        )
    return points @ turn.mT


def to_world(points: torch.Tensor, rotation: torch.Tensor) -> torch.Tensor:
    """Points as they would be if no camera were there: directions in the world frame.

    Args:
        points: (..., points, 3) in a camera's frame.
        rotation: (..., 3, 3) of that camera, its axes in the world as rows.
    """
    return rotate(points, rotation.mT)
