"""How far rays run before they meet a body, whatever lens they come through; and which joints they reach."""

from collections.abc import Sequence

import torch

from tutorial_lib.render.anatomy import FLESH, OWN, SOLIDS
from tutorial_lib.render.body import Solids
from tutorial_lib.render.capsules import meet, nearest, table

HEAD = ("head", "nose", "hair", "neck")
"""Solids that hold a head-worn camera: it looks past them."""


def body_distance(solids: Solids, rays: torch.Tensor, without: Sequence[str] = HEAD) -> torch.Tensor:
    """How far each ray from the origin runs until it meets a body; infinite where it passes by.

    Args:
        solids: of `body.build`, in the camera's frame.
        rays: (B, N, 3) or (N, 3) unit vectors with z > 0, so less than 90 degrees from the axis.
        without: names of solids that are not there.

    Returns:
        (B, N) metres.

    Raises:
        ValueError: rays at 90 degrees or more.
    """
    return _depths(solids, rays, without).amin(-1) / rays[..., 2]


def joints_seen(pose: torch.Tensor, solids: Solids, girth: torch.Tensor, without: Sequence[str] = HEAD) -> torch.Tensor:
    """Which joints a camera sees: the first surface before the joint is its own, and no thicker than flesh.

    Args:
        pose: (B, 17, 3) metres, camera frame.
        solids: of `body.build`.
        girth: (B,) of the people.
        without: names of solids that are not there.

    Returns:
        (B, 17) bool; a joint that is not in front of the camera is not seen.
    """
    ahead = pose[..., 2] > 1e-3
    rays = torch.where(ahead[..., None], pose, pose.new_tensor([0.0, 0.0, 1.0]))
    depth = _depths(solids, rays / torch.linalg.vector_norm(rays, dim=-1, keepdim=True), without)
    own = OWN.to(pose.device)
    mine, others = depth.masked_fill(~own, torch.inf).amin(-1), depth.masked_fill(own, torch.inf).amin(-1)
    thick = FLESH.to(pose) * (solids.size * girth.clamp_min(1))[:, None]
    return ahead & (mine <= others) & ~(pose[..., 2] - mine > thick)


def _depths(solids: Solids, rays: torch.Tensor, without: Sequence[str]) -> torch.Tensor:
    """(B, N, solids) depth z at which each ray enters each solid, infinite where it does not."""
    if not (rays[..., 2] > 0).all():
        raise ValueError(
            f"rays: {int((rays[..., 2] <= 0).sum())} lie at 90 degrees or more from the axis, expected z > 0"
        )
    rows = [row.view(len(solids), 1, -1) for row in table(solids)]
    x, y = (rays[..., i, None] / rays[..., 2, None] for i in (0, 1))
    ray, s, miss, _, t = nearest(rows, x, y)
    depth, q, s = meet(rows, ray, s)
    there = torch.tensor([name not in without for name in SOLIDS], device=rays.device)
    return torch.where((miss < 0) & (t > 0) & (depth > 0) & (q[1] + s < rows[17]) & there, depth, torch.inf)
