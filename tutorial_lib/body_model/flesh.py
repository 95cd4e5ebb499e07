"""Distance from the flesh: solids melted into one smooth shape."""

import torch

from tutorial_lib.body_model.rest import FLESH
from tutorial_lib.render.anatomy import SOLIDS
from tutorial_lib.render.body import Solids

_SHARP = {"nose": 0.006, "left_thumb": 0.006, "right_thumb": 0.006, "left_hand": 0.012, "right_hand": 0.012}
MELT = 0.02
"""Metres: two solids that come closer than this flow together."""


def distances(solids: Solids, points: torch.Tensor) -> torch.Tensor:
    """Signed distance of points from each solid of `FLESH`: below zero inside, exact to first order at the surface.

    Args:
        solids: one row of `render.body.build`.
        points: (..., 3) metres, in the solids' frame.

    Returns:
        (..., len(FLESH)) metres.
    """
    rows = torch.tensor([solid for solid, _ in FLESH])
    frame, span, radius = solids.frame[0, rows], solids.span[0, rows], solids.radius[0, rows]
    stretch = solids.stretch[0, rows]
    shrink = torch.stack([1 / stretch[:, 0], torch.ones_like(span), 1 / stretch[:, 1]], -1)
    q = torch.einsum("sij,...sj->...si", frame, points[..., None, :] - solids.start[0, rows]) * shrink
    along = torch.minimum(q[..., 1].clamp_min(0), span)
    gap = torch.stack([q[..., 0], q[..., 1] - along, q[..., 2]], -1)
    far = torch.sqrt((gap * gap).sum(-1) + 1e-12)
    miss = far - torch.lerp(radius[:, 0], radius[:, 1], along / span)
    # How fast `miss` changes in a metre of true space: the round frame is stretched.
    return miss / torch.sqrt((gap * gap * shrink * shrink).sum(-1) + 1e-12) * far


def melted(solids: Solids, points: torch.Tensor) -> torch.Tensor:
    """(...) metres: signed distance of points (..., 3) from all solids, melted together; the same left and right.

    A smooth minimum, solid by solid: it differs from the minimum only where two distances differ by less than the
    melting length. Thumbs and nose melt less, or they would drown.
    """
    points = torch.cat([points[..., :1], points[..., 1:2].abs(), points[..., 2:]], -1)
    each = distances(solids, points)
    total = each[..., 0]
    for column, (solid, _) in enumerate(FLESH[1:], start=1):
        other, length = each[..., column], _SHARP.get(SOLIDS[solid], MELT)
        overlap = (length - (total - other).abs()).clamp_min(0) / length
        total = torch.minimum(total, other) - overlap * overlap * length / 4
    return total
