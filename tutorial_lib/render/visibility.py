"""Which joints the camera sees."""

import torch

from tutorial_lib.camera import project
from tutorial_lib.render.anatomy import FLESH, OWN
from tutorial_lib.render.body import Solids
from tutorial_lib.render.capsules import meet, nearest, table
from tutorial_lib.render.looks import Looks


def visible_joints(pose: torch.Tensor, solids: Solids, looks: Looks, keypoints: torch.Tensor, cover: torch.Tensor):
    """(B, 17) which joints the camera sees: the first surface in front of one is its own, and no thicker than flesh."""
    with torch.no_grad():
        count, number = len(pose), solids.span.shape[1]
        rows = [row.view(count, 1, number) for row in table(solids)]
        x, y = (part[..., None] for part in project(pose, onto="plane").unbind(-1))
        ray, s, miss, _, _ = nearest(rows, x, y)
        depth, q, s = meet(rows, ray, s)
        depth = torch.where((miss < 0) & (q[1] + s < rows[17]), depth, torch.inf)
        own = OWN.to(pose.device)
        mine = depth.masked_fill(~own, torch.inf).amin(-1)
        others = depth.masked_fill(own, torch.inf).amin(-1)
        thick = FLESH.to(pose) * (solids.size.detach() * looks.girth.clamp_min(1))[:, None]
        clear = (mine <= others) & (pose[..., 2] - mine < thick)
        inside = (keypoints.abs() < 1).all(-1)
        size = cover.shape[-1]
        pixel = ((keypoints + 1) * size / 2).long().clamp(0, size - 1)
        covered = cover.flatten(1).gather(1, pixel[..., 1] * size + pixel[..., 0]) >= 0.5
        return clear & inside & ~covered
