"""The body's shadow on the floor: soft blobs under feet, knees and hips, moved away from the light."""

import torch
from torch.nn.functional import interpolate

from tutorial_lib.render.anatomy import SOLIDS
from tutorial_lib.render.body import Solids
from tutorial_lib.render.places import Places

_FROM = [SOLIDS.index(name) for name in ("left_foot", "right_foot", "left_shin", "right_shin", "pelvis", "chest")]
_WIDTH = (0.11, 0.11, 0.10, 0.10, 0.20, 0.24)
_DARK = (1.0, 1.0, 0.5, 0.5, 0.45, 0.4)


def cast(solids: Solids, places: Places, rays: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
    """How much light the backdrop keeps, (B, H, W) in [0, 1]; the floor touches the lowest solid.

    Args:
        solids: of `body.build`.
        places: where the light comes from.
        rays: (2, B, H, W) plane coordinates.
        down: (B, 3) unit vectors of gravity, camera frame.
    """
    with torch.no_grad():
        feet = solids.start[:, _FROM]
        axis = solids.frame[..., 1, :] * solids.span[..., None]
        ends = torch.stack([solids.start, solids.start + axis], -2)
        low = ((ends * down[:, None, None]).sum(-1) + solids.radius).masked_fill(solids.radius == 0, -torch.inf)
        level = low.amax((1, 2))
        # Where light through the solid meets the floor.
        middle = feet + axis[:, _FROM] / 2
        height = level[:, None] - (middle * down[:, None]).sum(-1)
        fall = (places.sun * down).sum(-1).clamp_max(-0.3)
        foot = middle - places.sun[:, None] * (height / -fall[:, None])[..., None]
        # The shadow is soft: a coarse grid carries it.
        size = rays.shape[-1]
        x, y = interpolate(rays, size=(max(16, size // 4),) * 2, mode="area")
        slope = x * down[:, 0, None, None] + y * down[:, 1, None, None] + down[:, 2, None, None]
        t = level[:, None, None] / slope.clamp_min(1e-3)
        on = (slope > 1e-3) & (level > 0)[:, None, None]
        dark = torch.zeros_like(x)
        px, py = t * x, t * y
        for k in range(len(_FROM)):
            d2 = (
                (px - foot[:, k, 0, None, None]) ** 2
                + (py - foot[:, k, 1, None, None]) ** 2
                + (t - foot[:, k, 2, None, None]) ** 2
            )
            dark = dark + _DARK[k] * torch.exp((d2 / (-2 * _WIDTH[k] ** 2)).clamp_min(-20))
        dark = places.shadow[:, None, None] * dark.clamp_max(1) * on
        return 1 - interpolate(dark[:, None], size=(size, size), mode="bilinear", align_corners=False)[:, 0]
