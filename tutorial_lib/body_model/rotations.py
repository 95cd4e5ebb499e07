"""Rotations in three dimensions: matrices, axis-angle vectors, six numbers, and the shortest turn.

A rotation matrix turns column vectors: `matrix @ vector`.
"""

import torch
from torch.nn.functional import normalize


def from_axis_angle(vectors: torch.Tensor) -> torch.Tensor:
    """Rodrigues: turn about the vector's direction by its length in radians. Derivatives are finite at zero.

    Args:
        vectors: (..., 3) radians.

    Returns:
        (..., 3, 3) rotation matrices.
    """
    square = (vectors * vectors).sum(-1)[..., None, None]
    small = square < 1e-6
    safe = torch.where(small, 1.0, square)
    angle = safe.sqrt()
    first = torch.where(small, 1 - square / 6, angle.sin() / angle)
    second = torch.where(small, 0.5 - square / 24, (1 - angle.cos()) / safe)
    cross = skew(vectors)
    return torch.eye(3, dtype=vectors.dtype, device=vectors.device) + first * cross + second * (cross @ cross)


def to_axis_angle(matrices: torch.Tensor) -> torch.Tensor:
    """The shortest vector that `from_axis_angle` turns into these matrices, at most pi long.

    By way of the unit quaternion whose largest entry is computed first, so that neither no turn nor half a turn is a
    place where digits or derivatives get lost.

    Args:
        matrices: (..., 3, 3) rotation matrices.

    Returns:
        (..., 3) radians.
    """
    m = matrices
    xx, yy, zz = (m[..., i, i] for i in range(3))
    a, b, c = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    d, e, f = m[..., 1, 0] + m[..., 0, 1], m[..., 2, 0] + m[..., 0, 2], m[..., 2, 1] + m[..., 1, 2]
    # Each row is the quaternion (w, x, y, z) times four times one of its own entries.
    rows = torch.stack(
        [
            torch.stack([1 + xx + yy + zz, a, b, c], -1),
            torch.stack([a, 1 + xx - yy - zz, d, e], -1),
            torch.stack([b, d, 1 - xx + yy - zz, f], -1),
            torch.stack([c, e, f, 1 - xx - yy + zz], -1),
        ],
        -2,
    )
    best = torch.diagonal(rows, dim1=-2, dim2=-1).argmax(-1)
    quaternion = normalize(torch.gather(rows, -2, best[..., None, None].expand(*best.shape, 1, 4))[..., 0, :], dim=-1)
    quaternion = torch.where(quaternion[..., :1] < 0, -quaternion, quaternion)
    real, imaginary = quaternion[..., :1], quaternion[..., 1:]
    square = (imaginary * imaginary).sum(-1, keepdim=True)
    small = square < 1e-8
    sine = torch.where(small, 1.0, square).sqrt()
    return imaginary * torch.where(small, 2 + square / 3, 2 * torch.atan2(sine, real) / sine)


def from_six(six: torch.Tensor) -> torch.Tensor:
    """The rotation next to six free numbers (Zhou et al. 2019): the first three are its first column's direction.

    The other three, made perpendicular, give the second column. A network's output needs no constraint, and rotations
    that are close have numbers that are close, which no three or four numbers allow.

    Args:
        six: (..., 6).

    Returns:
        (..., 3, 3) rotation matrices.
    """
    first = normalize(six[..., :3], dim=-1)
    second = six[..., 3:] - (first * six[..., 3:]).sum(-1, keepdim=True) * first
    second = normalize(second, dim=-1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], -1)


def to_six(matrices: torch.Tensor) -> torch.Tensor:
    """The first two columns of (..., 3, 3), one after the other: (..., 6). `from_six` undoes it."""
    return torch.cat([matrices[..., 0], matrices[..., 1]], -1)


def swing(start: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
    """The shortest turn from one direction to another: no twist about either.

    Two half turns, about the start and about the middle between both, are twice the turn to the middle.

    Args:
        start: (..., 3) directions of any length above zero.
        end: (..., 3) likewise. Opposite to `start`, one of the many shortest turns is taken.

    Returns:
        (..., 3, 3) rotation matrices that turn `start` into the direction of `end`.
    """
    start, end = normalize(start, dim=-1), normalize(end, dim=-1)
    middle = start + end
    aside = torch.linalg.cross(start, torch.roll(start, 1, -1) * start.new_tensor([1.0, -1.0, 1.0]))
    opposite = (middle * middle).sum(-1, keepdim=True) < 1e-10
    return _half_turn(torch.where(opposite, aside, middle)) @ _half_turn(start)


def frame(axis: torch.Tensor, hint: torch.Tensor) -> torch.Tensor:
    """(..., 3, 3): columns along `axis` (..., 3), along what `hint` (..., 3) has across it, and across both."""
    return from_six(torch.cat([axis, hint], -1))


def skew(vectors: torch.Tensor) -> torch.Tensor:
    """(..., 3, 3): `skew(a) @ b` is the cross product of a and b."""
    x, y, z = vectors.unbind(-1)
    none = torch.zeros_like(x)
    return torch.stack([none, -z, y, z, none, -x, -y, x, none], -1).unflatten(-1, (3, 3))


def _half_turn(axis: torch.Tensor) -> torch.Tensor:
    axis = normalize(axis, dim=-1)
    return 2 * axis[..., :, None] * axis[..., None, :] - torch.eye(3, dtype=axis.dtype, device=axis.device)
