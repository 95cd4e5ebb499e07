"""A camera of three numbers: everybody is drawn as if all their joints were equally far away."""

import torch


def reproject(points: torch.Tensor, camera: torch.Tensor) -> torch.Tensor:
    """Weak perspective: drop the depth, enlarge, move.

    Args:
        points: (..., points, 3) metres, camera axes (x right, y down), about the hip.
        camera: (..., 3): enlargement s in half-sides of the crop a metre, then how far right and down.

    Returns:
        (..., points, 2) in half-sides of the crop.
    """
    return camera[..., None, :1] * points[..., :2] + camera[..., None, 1:]


def best_camera(points: torch.Tensor, dots: torch.Tensor) -> torch.Tensor:
    """The camera whose picture of the points is nearest to the dots: least squares, in closed form.

    Args:
        points: (..., points, 3) metres, camera axes.
        dots: (..., points, 2) in half-sides of the crop.

    Returns:
        (..., 3) for `reproject`. Its enlargement is at least 0.05: a camera does not turn a picture upside down.
    """
    flat = points[..., :2]
    middle, aim = flat.mean(-2, keepdim=True), dots.mean(-2, keepdim=True)
    x, y = flat - middle, dots - aim
    larger = ((x * y).sum((-1, -2)) / (x * x).sum((-1, -2)).clamp_min(1e-9)).clamp_min(0.05)[..., None]
    return torch.cat([larger, (aim - larger[..., None] * middle)[..., 0, :]], -1)
