"""Pixels that a file claims to hold: checked before anything is computed from them."""

import reprlib
import warnings

import numpy as np
import torch

Size = tuple[int, int]
"""Width and height of a picture in pixels."""
LARGEST = 100_000
"""No picture is wider or higher, and no keypoint further out, in pixels (ours)."""
OUTSIDE = (0.1, 1 / 3)
"""Share of keypoints outside the picture from which a warning comes, and from which they are refused (ours)."""


def check_pixels(pixels: np.ndarray, where: str) -> torch.Tensor:
    """Keypoints of one clip as a (T, 17, 2) float32 tensor.

    Args:
        pixels: what should be an array (T, 17, 2) of numbers.
        where: file, video and so on, for messages.

    Raises:
        ValueError: another shape, no frame, NaN, infinity or numbers beyond `LARGEST`, or a frame of values that
            are no pixels because all of them are as small as normalised coordinates.
    """
    if not isinstance(pixels, np.ndarray) or pixels.dtype.kind not in "fiu":
        raise ValueError(f"{where}: expected an array (T, 17, 2) of pixels, got {type(pixels).__name__}; make it again")
    if pixels.ndim != 3 or pixels.shape[1:] != (17, 2) or not len(pixels):
        raise ValueError(
            f"{where}: the array has shape {pixels.shape}, expected (T, 17, 2) with T > 0; "
            "use detections of 17 joints, in the order of COCO or Human3.6M"
        )
    good = np.abs(pixels.astype(np.float64)) <= LARGEST  # false for NaN
    if not good.all():
        frame, joint, _ = np.argwhere(~good)[0]
        raise ValueError(
            f"{where}: joint {joint} of frame {frame} is {pixels[frame, joint].tolist()}, expected finite pixels; "
            "fill the gap or cut the clip there"
        )
    for frame in np.flatnonzero((np.abs(pixels) < 3).all((1, 2)) & (pixels != 0).any((1, 2)))[:1]:
        check_unit(pixels[frame], f"{where}, frame {frame}")
    return torch.as_tensor(pixels.astype("float32"))


def check_inside(pixels: np.ndarray, size: Size, where: str) -> None:
    """Tell the pixels of a picture of another size.

    Args:
        pixels: (..., 2), NaN where nothing was found.
        size: width and height of the picture.
        where: file, video and so on, for messages.

    Raises:
        ValueError: if more than a third of the keypoints lie outside the picture. Warns at more than a tenth, and
            where the picture is empty but for one quarter.
    """
    points = pixels[np.isfinite(pixels).all(-1)]
    beyond = ((points < 0) | (points > size)).any(-1).mean()
    message = (
        f"{where}: {beyond:.0%} of the keypoints lie outside the picture of {size[0]} x {size[1]} pixels, "
        f"they reach from {np.floor(points.min(0)).tolist()} to {np.ceil(points.max(0)).tolist()}"
    )
    remedy = "pass the size=(width, height) of the picture that the detector saw"
    if beyond > OUTSIDE[1]:
        raise ValueError(f"{message}, expected a person in it; {remedy}")
    if beyond > OUTSIDE[0]:
        warnings.warn(f"{message}; is that its size? If not, {remedy}", stacklevel=4)
    elif (points.max(0) < np.array(size) / 2).all():
        warnings.warn(
            f"{where}: all keypoints lie in the upper left quarter of the picture of {size[0]} x {size[1]} pixels; "
            f"is that its size? If not, {remedy}",
            stacklevel=4,
        )


def check_unit(points: np.ndarray, where: str) -> None:
    """Refuse numbers of which all are as small as normalised coordinates.

    Raises:
        ValueError: says how to turn them into pixels.
    """
    if np.abs(points).max() < 3:
        low, high = points.min(), points.max()
        raise ValueError(
            f"{where}: all coordinates lie within 3 of zero, expected pixels; these look already normalised: from "
            f"{low:.2g} to {high:.2g}; "
            + (
                "if they are shares of the picture, multiply x by its width and y by its height"
                if low >= 0
                else "turn them back into pixels as they were normalised, from -1 to 1 with (x + 1) * width / 2"
            )
        )


def how_many(videos: object) -> int:
    """How many arrays a file holds here; 0 where this is no list of them."""
    if isinstance(videos, np.ndarray):
        return len(videos) if videos.ndim else 0
    return len(videos) if isinstance(videos, list | tuple) else 0


def picture_size(size: object, where: str) -> Size:
    """(width, height) from two numbers, or from the text of two numbers.

    Raises:
        ValueError: anything else, a side that is not whole, below 1 or above `LARGEST`.
    """
    sides = list(size) if isinstance(size, tuple | list | np.ndarray) else []
    whole = [side for side in map(_side, sides) if side is not None]
    if len(sides) != 2 or len(whole) != 2:
        raise ValueError(
            f"{where} is {reprlib.repr(size)}, expected (width, height) of the picture in pixels, "
            f"e.g. (1920, 1080), each from 1 to {LARGEST}; give them as two whole numbers"
        )
    return whole[0], whole[1]


def _side(value: object) -> int | None:
    """A side of a picture, None for what is none."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        return None
    return int(value) if 1 <= value <= LARGEST and value == int(value) else None
