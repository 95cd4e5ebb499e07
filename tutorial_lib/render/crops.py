"""Square boxes round people."""

import torch

from tutorial_lib.camera import to_plane
from tutorial_lib.distortion import distort
from tutorial_lib.skeleton import check_joints


def planar(pose: torch.Tensor, lens: torch.Tensor | None) -> torch.Tensor:
    plane = to_plane(pose)
    return plane if lens is None else distort(plane, lens)


def crop_windows(
    pose: torch.Tensor,
    *,
    margin: float = 0.25,
    shift: float = 0.0,
    scale: float = 0.0,
    lens: torch.Tensor | None = None,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Square boxes round people, as a person detector would give them.

    Args:
        pose: (B, 17, 3) metres, camera frame.
        margin: added to the joints' box, as a share of it.
        shift: largest random displacement in x and y, as a share of the box's width.
        scale: largest random change of size, as a share of it.
        lens: (5,) or (B, 5) distortion coefficients.

    Returns:
        (B, 3): centre x, centre y and half-width in plane coordinates.

    Raises:
        ValueError: a pose that does not end in (17, 3) or lies behind the camera; margin <= -1; scale outside [0, 1).
    """
    check_pose(pose)
    if not margin > -1 or not 0 <= scale < 1 or not shift >= 0:
        raise ValueError(f"margin={margin}, shift={shift}, scale={scale}: expected > -1, >= 0, and in [0, 1)")
    plane = planar(pose.detach(), lens)
    low, high = plane.amin(1), plane.amax(1)
    half = (high - low).amax(-1).clamp_min(1e-3) / 2 * (1 + margin)
    centre = (low + high) / 2
    if shift or scale:
        device = generator.device if generator is not None else "cpu"
        jitter = (2 * torch.rand(len(pose), 3, generator=generator, device=device) - 1).to(pose)
        half = half * (1 + scale * jitter[:, 2])
        centre = centre + 2 * shift * half[:, None] * jitter[:, :2]
    return torch.cat([centre, half[:, None]], -1)


def check_pose(pose: torch.Tensor) -> None:
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
