"""The bodies' shadows on the floor: soft blobs under feet, knees and hips, moved away from the light."""

import torch
from torch.nn.functional import interpolate

from tutorial_lib.render.anatomy import SOLIDS
from tutorial_lib.render.body import Solids
from tutorial_lib.render.places import Places

_FROM = [SOLIDS.index(name) for name in ("left_foot", "right_foot", "left_shin", "right_shin", "pelvis", "chest")]
_WIDTH = (0.11, 0.11, 0.10, 0.10, 0.20, 0.24)
_DARK = (1.0, 1.0, 0.5, 0.5, 0.45, 0.4)


def cast(solids: Solids, places: Places, rays: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
    """How much light the backdrop keeps, (B, H, W) in [0, 1]; the floor under each body touches its lowest solid.

    There is one sun: where shadows lie on each other, the floor is no darker than in the full shade of one.

    Args:
        solids: of `body.build`, B * P bodies: P of them in each picture. Where all radii are 0 is no body.
        places: where the light comes from.
        rays: (2, B, H, W) plane coordinates.
        down: (B, 3) unit vectors of gravity, camera frame.
    """
    people = len(solids) // len(places)
    with torch.no_grad():
        down, sun = down.repeat_interleave(people, 0), places.sun.repeat_interleave(people, 0)
        feet = solids.start[:, _FROM]
        axis = solids.frame[..., 1, :] * solids.span[..., None]
        ends = torch.stack([solids.start, solids.start + axis], -2)
        low = ((ends * down[:, None, None]).sum(-1) + solids.radius).masked_fill(solids.radius == 0, -torch.inf)
        level = low.amax((1, 2)).clamp_min(0)
        # Where light through the solid meets the floor.
        middle = feet + axis[:, _FROM] / 2
        height = level[:, None] - (middle * down[:, None]).sum(-1)
        fall = (sun * down).sum(-1).clamp_max(-0.3)
        foot = middle - sun[:, None] * (height / -fall[:, None])[..., None]
        # The shadow is soft: a coarse grid carries it.
        size = rays.shape[-1]
        x, y = interpolate(rays, size=(max(16, size // 4),) * 2, mode="area").repeat_interleave(people, 1)
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
        dark = (dark * on).unflatten(0, (-1, people)).sum(1)
        dark = places.shadow[:, None, None] * dark.clamp_max(1)
        return 1 - interpolate(dark[:, None], size=(size, size), mode="bilinear", align_corners=False)[:, 0]
