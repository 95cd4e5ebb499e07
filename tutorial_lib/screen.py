"""Pixels and normalised screen coordinates: the edge where files of detected keypoints come in.

x' = 2 x / w - 1 and y' = 2 y / w - h / w: x spans [-1, 1], y keeps the aspect ratio (VideoPose3D's convention).
"""

import torch


def from_pixels(pixels: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Pixels (..., 2), origin in the upper left corner, to screen coordinates (..., 2).

    Args:
        pixels: x to the right, y down.
        size: width and height of the picture in pixels.

    Raises:
        ValueError: a size that is not two positive numbers, a last axis that is not 2.
    """
    width, height = _sides(size)
    if pixels.shape[-1] != 2:
        raise ValueError(f"pixels has shape {tuple(pixels.shape)}, expected (..., 2): x and y")
    return pixels * (2 / width) - pixels.new_tensor([1.0, height / width])


def to_pixels(screen: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Inverse of `from_pixels`."""
    width, height = _sides(size)
    return (screen + screen.new_tensor([1.0, height / width])) * (width / 2)


def check_pixels(pixels, where: str) -> torch.Tensor:
    """Keypoints of one clip as a (T, 17, 2) float32 tensor.

    Args:
        pixels: array of numbers; what `where` names.

    Raises:
        ValueError: another shape, no frame, NaN or infinity, or values that are no pixels because all of them are
            as small as normalised coordinates.
    """
    if getattr(pixels, "dtype", None) is None or pixels.dtype.kind not in "fiu":
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


def _sides(size) -> tuple[float, float]:
    if len(size) != 2 or not all(0 < side < float("inf") for side in size):
        raise ValueError(f"size is {size!r}, expected (width, height) of the picture in pixels, e.g. (1920, 1080)")
    return float(size[0]), float(size[1])
