"""Mirror images: a person seen in a mirror is another person, with left and right exchanged.

A lifter has no reason to treat the two differently. VideoPose3D trains on both and averages over both at test time.
"""

import torch

from tutorial_lib.skeleton import JOINTS, MIRROR


def flip(points: torch.Tensor) -> torch.Tensor:
    """The mirror image of keypoints or poses: x changes its sign, left and right joints change places.

    Twice is nothing: flip(flip(points)) == points.

    Args:
        points: (..., 17, 2) screen coordinates, (..., 17, 3) camera axes, or a root alone with 1 in place of 17. The
            principal point must be at x = 0; otherwise mirror about it.

    Raises:
        ValueError: joints other than 17 or 1, coordinates other than 2 or 3.
    """
    if points.ndim < 2 or points.shape[-2] not in (1, len(JOINTS)) or points.shape[-1] not in (2, 3):
        expected = f"(..., {len(JOINTS)}, 2 or 3), or (..., 1, 2 or 3) for a root alone"
        raise ValueError(f"points has shape {tuple(points.shape)}, expected {expected}")
    signs = points.new_ones(points.shape[-1])
    signs[0] = -1
    mirrored = points * signs
    return mirrored[..., list(MIRROR), :] if points.shape[-2] > 1 else mirrored


def lift_flipped_average(model, keypoints: torch.Tensor, chunk: int | None = None) -> torch.Tensor:
    """Test-time augmentation: the mean of what a lifter says about a clip and, flipped back, about its mirror image.

    The result commutes with `flip`, whatever the weights.

    Args:
        model: a lifter with `lift`, such as `TemporalLifter`.
        keypoints: (..., T, 17, 2) screen coordinates.
        chunk: as in the lifter's `lift`.

    Returns:
        (..., T, 17, 3) metres, root-relative, camera axes.
    """
    return (model.lift(keypoints, chunk) + flip(model.lift(flip(keypoints), chunk))) / 2
