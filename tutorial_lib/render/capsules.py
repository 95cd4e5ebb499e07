"""Where rays meet capsules that are stretched sideways and whose radius changes from end to end."""

from collections.abc import Sequence

import torch

from tutorial_lib.render.body import Solids


def table(solids: Solids) -> torch.Tensor:
    """(18, B * S): what `meet` needs of each solid: the map into its round frame, the origin there, sizes."""
    side, deep = solids.stretch.unbind(-1)
    shrink = torch.stack([1 / side, torch.ones_like(side), 1 / deep], -1)
    into = solids.frame * shrink[..., None]
    origin = -(into @ solids.start[..., None])[..., 0]
    first, last = solids.radius.unbind(-1)
    columns = [
        *into.flatten(-2).unbind(-1),
        *origin.unbind(-1),
        solids.span,
        first,
        (last - first) / solids.span,
        side,
        deep,
        solids.cut,
    ]
    return torch.stack([column.flatten() for column in columns])


def nearest(rows: Sequence[torch.Tensor], x: torch.Tensor, y: torch.Tensor):
    """How close the rays (x, y, 1) pass by the solids' axes.

    Args:
        rows: the rows of `table`, each broadcastable with x.
        x: plane coordinates.
        y: plane coordinates.

    Returns:
        ray: direction in the round frame (3 tensors); s: place on the axis in metres; miss: distance minus radius;
        n: unit direction from axis to ray; t: depth in metres.
    """
    m, (ox, oy, oz, span, r0, slope) = rows[:9], rows[9:15]
    dx, dy, dz = (m[i] * x + m[i + 1] * y + m[i + 2] for i in (0, 3, 6))
    flat = dx * dx + dz * dz
    s = oy - dy * (ox * dx + oz * dz) / flat.clamp_min(1e-12)
    s = torch.minimum(s.clamp_min(0), span)
    ey = oy - s
    t = -(ox * dx + ey * dy + oz * dz) / (flat + dy * dy)
    nx, ny, nz = ox + t * dx, ey + t * dy, oz + t * dz
    distance = torch.sqrt((nx * nx + ny * ny + nz * nz).clamp_min(1e-10))
    return (dx, dy, dz), s, distance - (r0 + slope * s), (nx / distance, ny / distance, nz / distance), t


def meet(rows: Sequence[torch.Tensor], ray: tuple[torch.Tensor, ...], s: torch.Tensor):
    """Where rays that hit enter the solid: (depth, local direction (3 tensors), place on the axis)."""
    (ox, oy, oz, span, r0, slope), (dx, dy, dz) = rows[9:15], ray
    flat = dx * dx + dz * dz
    # The side of a cylinder is entered ahead of the closest approach, hence elsewhere along the axis.
    across = (ox * dz - oz * dx) ** 2 / flat.clamp_min(1e-12)
    s_line = oy - dy * (ox * dx + oz * dz) / flat.clamp_min(1e-12)
    ahead = torch.sqrt((((r0 + slope * s) ** 2 - across) / flat.clamp_min(1e-12)).clamp_min(1e-12))
    s = torch.minimum((s_line - dy * ahead).clamp_min(0), span)
    ey, r = oy - s, r0 + slope * s
    dot, dd = ox * dx + ey * dy + oz * dz, flat + dy * dy
    root = torch.sqrt((dot * dot - dd * (ox * ox + ey * ey + oz * oz - r * r)).clamp_min(1e-12))
    t = (-dot - root) / dd
    return t, (ox + t * dx, ey + t * dy, oz + t * dz), s
