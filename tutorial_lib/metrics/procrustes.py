"""The rotation of Procrustes' problem with a derivative that is always finite; `pose.align` is the readable part."""

import torch


def best_rotation(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The rotation (..., 3, 3), without reflection, for which x @ rotation comes closest to y.

    The derivative of an SVD is infinite where singular values coincide, so the rotation is found without gradient
    and then turned by one Newton step, which is zero in value and carries the exact first derivative.

    Args:
        x: (..., joints, 3) centred points.
        y: (..., joints, 3) where they should go, centred.
    """
    with torch.no_grad():
        u, _, vt = torch.linalg.svd(x.mT.double() @ y.double())
        sign = torch.sign(torch.linalg.det(u @ vt))
        fix = torch.ones_like(u[..., 0, :])
        fix[..., 2] = torch.where(sign == 0, 1.0, sign)
        rotation = ((u * fix[..., None, :]) @ vt).to(x.dtype)
    return rotation @ _newton_turn(rotation.mT @ (x.mT @ y)) if torch.is_grad_enabled() else rotation


def _newton_turn(match: torch.Tensor) -> torch.Tensor:
    """The small rotation (..., 3, 3) that raises tr(turn^T match) to its maximum, for `match` near a symmetric matrix.

    Directions about which turning changes nothing (all joints on a line) are left alone.
    """
    identity = torch.eye(3, dtype=match.dtype, device=match.device)
    with torch.no_grad():
        symmetric = (match + match.mT).double() / 2
        trace = symmetric.diagonal(dim1=-2, dim2=-1).sum(-1)[..., None, None]
        inverse = torch.linalg.pinv(trace * identity - symmetric, rtol=1e-6, hermitian=True).to(match.dtype)
    slope = match - match.mT
    axis = torch.stack([slope[..., 2, 1], slope[..., 0, 2], slope[..., 1, 0]], -1)
    x, y, z = (inverse @ axis[..., None])[..., 0].unbind(-1)
    zero = torch.zeros_like(x)
    cross = [torch.stack(row, -1) for row in ((zero, -z, y), (z, zero, -x), (-y, x, zero))]
    return identity + torch.stack(cross, -2)
