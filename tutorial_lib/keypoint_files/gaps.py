"""Keypoints that a detector did not find: filled in from the frames around."""

import warnings
from collections.abc import Sequence

import numpy as np
import torch

from tutorial_lib.keypoint_files.coco import KEYPOINTS

_FACE = ("left_ear", "right_ear", "left_eye", "right_eye", "nose")


def fill_unfound(pixels: torch.Tensor, name: str, keypoints: Sequence[str]) -> torch.Tensor:
    """Pixels (T, J, 2) of a file without confidence, those at (0, 0) or a negative place interpolated, with a warning.

    Raises:
        ValueError: as `fill`.
    """
    missing = (pixels <= 0).all(-1)
    if not missing.any():
        return pixels
    warnings.warn(
        f"{name}: {int(missing.sum())} keypoints in {int(missing.any(-1).sum())} of {len(pixels)} frames are at (0, 0) "
        "or a negative place, which means not found; they are interpolated",
        stacklevel=4,
    )
    return torch.from_numpy(fill(pixels.masked_fill(missing[..., None], torch.nan).numpy(), name, keypoints))


def fill(points: np.ndarray, name: str, keypoints: Sequence[str] = KEYPOINTS) -> np.ndarray:
    """Keypoints (T, J, 2), named by `keypoints`, with NaN interpolated linearly along time, each by itself.

    A keypoint of the face that is never found takes the place of another one. Warns where one of the body is found in
    less than half of the frames.

    Raises:
        ValueError: if a keypoint of the body is never found, or none of the face.
    """
    seen = np.isfinite(points[..., 0])
    filled = np.empty_like(points)
    time = np.arange(len(points))
    rare = {}
    for joint, keypoint in enumerate(keypoints):
        source = joint
        if not seen[:, joint].any() and keypoint in _FACE:
            others = [keypoints.index(other) for other in _FACE]
            source = next((other for other in others if seen[:, other].any()), joint)
        known = seen[:, source]
        words = keypoint.replace("_", " ")
        if not known.any():
            raise ValueError(
                f"{name}: {words} is found in no frame, expected the whole body in the picture; "
                "cut the video or film from further away"
            )
        if keypoint not in _FACE and 2 * known.sum() < len(points):
            rare[words] = int(known.sum())
        for axis in range(2):
            filled[:, joint, axis] = np.interp(time, time[known], points[known, source, axis])
    if rare:
        words, count = min(rare.items(), key=lambda item: item[1])
        warnings.warn(
            f"{name}: {words} is found in {count} of {len(points)} frames; it is interpolated in all others"
            + (f", as are {len(rare) - 1} more keypoints found in less than half of them" if len(rare) > 1 else ""),
            stacklevel=4,
        )
    return filled
