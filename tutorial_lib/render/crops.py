"""Square boxes round people."""

import torch

from tutorial_lib.camera import project
from tutorial_lib.distortion import Lens
from tutorial_lib.skeleton import check_joints


def crop_boxes(
    pose: torch.Tensor,
    *,
    margin: float = 0.25,
    shift: float = 0.0,
    scale: float = 0.0,
    lens: Lens | torch.Tensor | None = None,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Square boxes round people, as a person detector would give them.

    Args:
        pose: (B, 17, 3) metres, camera frame.
        margin: added to the joints' box, as a share of it.
        shift: largest random displacement in x and y, as a share of the box's width.
        scale: largest random change of size, as a share of it.
        lens: a lens, or (5,) or (B, 5) distortion coefficients.
        generator: of displacement and size.

    Returns:
        (B, 3): centre x, centre y and half-width in plane coordinates.

    Raises:
        ValueError: a pose that does not end in (17, 3) or lies behind the camera; margin <= -1; scale outside [0, 1).
    """
    check_pose(pose)
    if not margin > -1 or not 0 <= scale < 1 or not shift >= 0:
        raise ValueError(f"margin={margin}, shift={shift}, scale={scale}: expected > -1, >= 0, and in [0, 1)")
    plane = project(pose.detach(), lens=lens, onto="plane")
    low, high = plane.amin(1), plane.amax(1)
    half = (high - low).amax(-1).clamp_min(1e-3) / 2 * (1 + margin)
    centre = (low + high) / 2
    if shift or scale:
        device = generator.device if generator is not None else "cpu"
        jitter = (2 * torch.rand(len(pose), 3, generator=generator, device=device) - 1).to(pose)
        half = half * (1 + scale * jitter[:, 2])
        centre = centre + 2 * shift * half[:, None] * jitter[:, :2]
    return torch.cat([centre, half[:, None]], -1)


def around(boxes: torch.Tensor) -> torch.Tensor:
    """The smallest square boxes (B, 3) that hold several (any number, B, 3): of two moments, or of two people."""
    low, high = (boxes[..., :2] - boxes[..., 2:]).amin(0), (boxes[..., :2] + boxes[..., 2:]).amax(0)
    return torch.cat([(low + high) / 2, (high - low).amax(-1, keepdim=True) / 2], -1)


def metric_boxes(middle: torch.Tensor, half: float = 1.15) -> torch.Tensor:
    """Windows of a fixed size in metres: unlike a box round the joints, they do not tell how a body stretches.

    Args:
        middle: (B, 3) metres, camera frame: where the windows stand, upright before the camera.
        half: metres, half-width of what the windows show at the depth of `middle`.

    Returns:
        (B, 3): centre x, centre y and half-width in plane coordinates.

    Raises:
        ValueError: a half-width that is not positive, or a middle behind the camera.
    """
    if not half > 0:
        raise ValueError(f"half is {half}, expected metres > 0")
    return torch.cat([project(middle, onto="plane"), half / middle[:, 2:]], -1)


def check_pose(pose: torch.Tensor) -> None:
    """Refuse what cannot be photographed: another shape, NaN, or a person behind or at the camera."""
    check_joints(pose, 3, "pose")
    if pose.ndim != 3 or len(pose) == 0 or not pose.is_floating_point():
        raise ValueError(
            f"pose has shape {tuple(pose.shape)} ({pose.dtype}), expected floating-point (B, 17, 3), B >= 1"
        )
    if not torch.isfinite(pose).all():
        raise ValueError("pose holds NaN or infinity, expected metres in the camera frame")
    if not (pose[..., 2] > 0.4).all():
        raise ValueError(
            f"pose comes as near as z = {float(pose[..., 2].min()):.2f} m, expected more than 0.4 m in front of the "
            "camera. Move the camera away from the person"
        )
