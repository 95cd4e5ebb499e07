"""Pixels that a file claims to hold: checked before anything is computed from them."""

import numpy as np
import torch


def check_pixels(pixels: np.ndarray, where: str) -> torch.Tensor:
    """Keypoints of one clip as a (T, 17, 2) float32 tensor.

    Args:
        pixels: what should be an array (T, 17, 2) of numbers.
        where: file, video and so on, for messages.

    Raises:
        ValueError: another shape, no frame, NaN or infinity, or values that are no pixels because all of them are
            as small as normalised coordinates.
    """
    if not isinstance(pixels, np.ndarray) or pixels.dtype.kind not in "fiu":
        raise ValueError(f"{where}: expected an array (T, 17, 2) of pixels, got {type(pixels).__name__}; make it again")
    if pixels.ndim != 3 or pixels.shape[1:] != (17, 2) or not len(pixels):
        raise ValueError(
            f"{where}: the array has shape {pixels.shape}, expected (T, 17, 2) with T > 0; "
            "use detections of 17 joints, in the order of COCO or Human3.6M"
        )
    points = torch.as_tensor(pixels.astype("float32"))
    bad = (~torch.isfinite(points)).nonzero()
    if len(bad):
        frame, joint, _ = bad[0].tolist()
        raise ValueError(
            f"{where}: joint {joint} of frame {frame} is {points[frame, joint].tolist()}, expected finite pixels; "
            "fill the gap or cut the clip there"
        )
    if points.abs().max() < 3:
        raise ValueError(
            f"{where}: all coordinates lie within 3 of zero, expected pixels; these look already normalised"
        )
    return points
