"""How wrong a 3D pose is. Metres in, metres out; joints as `skeleton.JOINTS`; batched and differentiable."""

import torch

from tutorial_lib.skeleton import JOINTS, length

HEAD_SEGMENT = (JOINTS.index("thorax"), JOINTS.index("head"))
"""The head segment of `pckh` (ours): thorax (8) to head top (10), measured on the true pose of each frame."""


def _check(predicted: torch.Tensor, target: torch.Tensor) -> None:
    if predicted.shape != target.shape:
        raise ValueError(
            f"predicted {tuple(predicted.shape)} and target {tuple(target.shape)} differ: broadcast them yourself, "
            "a silent broadcast would average over the wrong pairs"
        )
    if predicted.ndim < 2 or predicted.shape[-1] != 3:
        raise ValueError(f"predicted has shape {tuple(predicted.shape)}, expected (..., joints, 3)")
    if predicted.numel() == 0:
        raise ValueError(f"predicted has shape {tuple(predicted.shape)}: there is nothing to average")


def root_relative(pose: torch.Tensor) -> torch.Tensor:
    """Positions relative to joint 0: (..., joints, 3)."""
    return pose - pose[..., :1, :]


def joint_errors(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Distance of every joint from the truth, both root-relative: (..., joints)."""
    _check(predicted, target)
    return length(root_relative(predicted) - root_relative(target))


def mpjpe(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean per-joint position error, root-relative (protocol 1): a scalar in metres.

    Args:
        predicted, target: (..., joints, 3) metres, same frame.

    Raises:
        ValueError: shapes that differ, nothing to average.
    """
    return joint_errors(predicted, target).mean()


def align(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The similarity (rotation, scale, translation; no reflection) that brings `predicted` closest to `target`.

    Degenerate poses are defined: where all predicted joints coincide, the result is the target's centre; where they
    lie on a line or in a plane, one of the equally good rotations is taken.

    Args:
        predicted, target: (..., joints, 3).

    Returns:
        (..., joints, 3) the aligned prediction.

    Source: orthogonal Procrustes; VideoPose3D `p_mpjpe` uses the same definition.
    """
    _check(predicted, target)
    target_centre = target.mean(dim=-2, keepdim=True)
    x = predicted - predicted.mean(dim=-2, keepdim=True)
    y = target - target_centre
    # The derivative of an SVD is infinite where singular values coincide, so the rotation is found without gradient
    # and then turned by one Newton step, which is zero in value and carries the exact first derivative.
    with torch.no_grad():
        u, _, vt = torch.linalg.svd(x.transpose(-1, -2).double() @ y.double())
        sign = torch.sign(torch.linalg.det(u @ vt))
        sign = torch.where(sign == 0, torch.ones_like(sign), sign)
        fix = torch.ones_like(u[..., 0, :])
        fix[..., 2] = sign
        rotation = ((u * fix[..., None, :]) @ vt).to(x.dtype)
    if torch.is_grad_enabled():
        rotation = rotation @ _newton_turn(rotation.transpose(-1, -2) @ (x.transpose(-1, -2) @ y))
    turned = x @ rotation
    size = (x * x).sum(dim=(-1, -2), keepdim=True)
    scale = (turned * y).sum(dim=(-1, -2), keepdim=True) / size.clamp_min(1e-12)
    return scale.clamp_min(0) * turned + target_centre


def _newton_turn(match: torch.Tensor) -> torch.Tensor:
    """The small rotation (..., 3, 3) that raises tr(turn^T match) to its maximum, for `match` near a symmetric matrix.

    Directions about which turning changes nothing (all joints on a line) are left alone.
    """
    with torch.no_grad():
        symmetric = (match + match.transpose(-1, -2)).double() / 2
        trace = symmetric.diagonal(dim1=-2, dim2=-1).sum(-1)[..., None, None]
        identity = torch.eye(3, dtype=symmetric.dtype, device=symmetric.device)
        inverse = torch.linalg.pinv(trace * identity - symmetric, rtol=1e-6, hermitian=True).to(match.dtype)
    slope = match - match.transpose(-1, -2)
    axis = torch.stack([slope[..., 2, 1], slope[..., 0, 2], slope[..., 1, 0]], -1)
    x, y, z = (inverse @ axis[..., None])[..., 0].unbind(-1)
    zero = torch.zeros_like(x)
    cross = [torch.stack(row, -1) for row in ((zero, -z, y), (z, zero, -x), (-y, x, zero))]
    return torch.eye(3, dtype=match.dtype, device=match.device) + torch.stack(cross, -2)


def p_mpjpe(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """MPJPE after a similarity alignment of every pose (protocol 2): a scalar in metres.

    Raises:
        ValueError: as `mpjpe`.
    """
    return length(align(predicted, target) - target).mean()


def n_mpjpe(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """MPJPE after the best scaling of every root-relative pose (protocol 3): a scalar in metres.

    Raises:
        ValueError: as `mpjpe`.
    """
    _check(predicted, target)
    x, y = root_relative(predicted), root_relative(target)
    scale = (x * y).sum(dim=(-1, -2), keepdim=True) / (x * x).sum(dim=(-1, -2), keepdim=True).clamp_min(1e-12)
    return length(scale * x - y).mean()


def velocity_error(predicted: torch.Tensor, target: torch.Tensor, fps: float = 1.0) -> torch.Tensor:
    """Mean norm of the difference of first differences along time: metres per frame (times `fps`: per second).

    Args:
        predicted, target: (..., frames, joints, 3). Time is axis -3; clips are never joined.

    Raises:
        ValueError: fewer than two frames; otherwise as `mpjpe`.
    """
    _check(predicted, target)
    if predicted.ndim < 3 or predicted.shape[-3] < 2:
        raise ValueError(f"predicted has shape {tuple(predicted.shape)}, expected (..., frames >= 2, joints, 3)")
    change = root_relative(predicted - target).diff(dim=-3)
    return length(change).mean() * fps


def pckh(predicted: torch.Tensor, target: torch.Tensor, threshold: float = 0.5) -> torch.Tensor:
    """Share of joints that are nearer to the truth than `threshold` head segments, in [0, 1].

    The head segment is `HEAD_SEGMENT` of the true pose, frame by frame; errors are root-relative and 3D. The root
    counts as a joint, as in MPJPE.

    Args:
        predicted, target: (..., 17, 3).

    Raises:
        ValueError: threshold that is not positive, joints other than 17; otherwise as `mpjpe`.
    """
    if not threshold > 0:
        raise ValueError(f"threshold is {threshold}, expected a positive share of the head segment, e.g. 0.5")
    errors = joint_errors(predicted, target)
    if target.shape[-2] != len(JOINTS):
        raise ValueError(f"target has {target.shape[-2]} joints, expected {len(JOINTS)}: the head must be known")
    low, high = HEAD_SEGMENT
    head = length(target[..., high, :] - target[..., low, :])
    return (errors <= threshold * head[..., None]).to(errors.dtype).mean()
