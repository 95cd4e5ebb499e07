"""The rotation of Procrustes' problem with a derivative that is always finite; `pose.align` is the readable part."""

import torch

from tutorial_lib.skeleton import differentiated


def best_rotation(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The rotation (..., 3, 3), without reflection, for which x @ rotation comes closest to y.

    The derivative of an SVD is infinite where singular values coincide, so the rotation is found without gradient
    and then turned by one Newton step, which is zero in value and carries the exact first derivative.

    Args:
        x: (..., joints, 3) centred points.
        y: (..., joints, 3) where they should go, centred.
    """
    match = x.mT.double() @ y.double()
    with torch.no_grad():
        u, stretch, vt = torch.linalg.svd(match)
        turned = u @ vt
        # Its determinant, 1 or -1: a mirror image is turned back along the direction where that costs least.
        hand = (torch.linalg.cross(turned[..., 0, :], turned[..., 1, :]) * turned[..., 2, :]).sum(-1, True).sign()
        u[..., 2] *= hand
        stretch[..., 2:] *= hand
        rotation = u @ vt
    if differentiated(match):
        rotation = rotation @ _newton_turn(rotation.mT @ match, stretch, vt)
    return rotation.to(x.dtype)


def _newton_turn(match: torch.Tensor, values: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    """The small rotation (..., 3, 3) that raises tr(turn^T match) to its maximum.

    Directions about which turning changes nothing (all joints on a line) are left alone.

    Args:
        match: (..., 3, 3), in value symmetric.
        values: (..., 3) its eigenvalues.
        vectors: (..., 3, 3) its eigenvectors, in rows.
    """
    stiffness = values.sum(-1, keepdim=True) - values
    loose = stiffness.abs() <= 1e-6 * stiffness.abs().amax(-1, keepdim=True)
    softness = torch.where(loose, 0.0, 1 / torch.where(loose, 1.0, stiffness))
    slope = match - match.mT
    axis = torch.stack([slope[..., 2, 1], slope[..., 0, 2], slope[..., 1, 0]], -1)
    turn = vectors.mT @ (softness[..., None] * (vectors @ axis[..., None]))
    x, y, z = turn[..., 0].unbind(-1)
    zero = torch.zeros_like(x)
    cross = [torch.stack(row, -1) for row in ((zero, -z, y), (z, zero, -x), (-y, x, zero))]
    return torch.eye(3, dtype=match.dtype, device=match.device) + torch.stack(cross, -2)
