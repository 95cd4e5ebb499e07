"""Which joints the camera sees."""

import torch

from tutorial_lib.camera import project
from tutorial_lib.render.anatomy import FLESH, OWN
from tutorial_lib.render.body import Solids
from tutorial_lib.render.capsules import meet, nearest, table
from tutorial_lib.render.looks import Looks


def visible_joints(pose: torch.Tensor, solids: Solids, looks: Looks, keypoints: torch.Tensor, cover: torch.Tensor):
    """Which joints of the people in each picture the camera sees, and whom it sees where they are.

    Args:
        pose: (B, P, 17, 3) metres, camera frame.
        solids: of `body.build`, B * P bodies.
        looks: of the B * P people.
        keypoints: (B, P, 17, 2) screen coordinates.
        cover: (B, H, W) by occluders.

    Returns:
        visible: (B, P, 17) bool: inside the picture, under no occluder; the first surface in front of the joint is its
            own, and no thicker than flesh.
        front: (B, P, 17) int64, the person of that first surface, -1 for none.
    """
    with torch.no_grad():
        count, people = pose.shape[:2]
        rows = [row.view(count, 1, -1) for row in table(solids)]
        x, y = (part.flatten(1)[..., None] for part in project(pose, onto="plane").unbind(-1))
        ray, s, miss, _, _ = nearest(rows, x, y)
        depth, q, s = meet(rows, ray, s)
        depth = torch.where((miss < 0) & (q[1] + s < rows[17]), depth, torch.inf)
        depth = depth.unflatten(2, (people, -1)).unflatten(1, (people, -1))  # person, joint; person, solid
        own = OWN.to(pose.device)[:, None] & torch.eye(people, dtype=torch.bool, device=pose.device)[:, None, :, None]
        mine = depth.masked_fill(~own, torch.inf).amin((-2, -1))
        others = depth.masked_fill(own, torch.inf).amin((-2, -1))
        first, front = depth.amin(-1).min(-1)
        thick = FLESH.to(pose) * (solids.size.detach() * looks.girth.clamp_min(1)).view(count, people, 1)
        clear = (mine <= others) & (pose[..., 2] - mine < thick)
        inside = (keypoints.abs() < 1).all(-1)
        size = cover.shape[-1]
        pixel = ((keypoints + 1) * size / 2).long().clamp(0, size - 1)
        at = (pixel[..., 1] * size + pixel[..., 0]).flatten(1)
        covered = cover.flatten(1).gather(1, at).view_as(inside) >= 0.5
        return clear & inside & ~covered, front.masked_fill(first.isinf(), -1)
