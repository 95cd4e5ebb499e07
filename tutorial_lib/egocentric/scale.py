"""Why a camera on the head needs the floor: a body that grows about the camera moves no pixel."""

import torch

from tutorial_lib.skeleton import JOINTS

FEET = (JOINTS.index("right_foot"), JOINTS.index("left_foot"))

SOLE = 0.0815
"""Metres from a standing ankle down to the floor, for size 1: that of the course's people."""


def grow(pose: torch.Tensor, factor: torch.Tensor | float) -> torch.Tensor:
    """The body times a factor about the camera: (..., 17, 3) metres, camera frame; factor (...)."""
    return pose * torch.as_tensor(factor).to(pose)[..., None, None]


def stand(pose: torch.Tensor, up: torch.Tensor, points: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
    """Grow bodies about the camera until a foot stands on what the depth picture shows below it. No learning.

    An ankle's own ray must end a sole above the scene. Where the scene's point nearest to the ray lies `below` metres
    under the camera, the ankle has to lie `below - SOLE` under it; of both feet the one that meets the scene first
    stands, the other is in the air.

    Args:
        pose: (B, 17, 3) metres, camera frame, of any size.
        up: (B, 3) the world's up in the camera's frame.
        points: (B, P, 3) metres, camera frame, of the scene.
        there: (B, P) bool, which of them are known.

    Returns:
        (B, 17, 3).
    """
    ankles = pose[:, list(FEET)]
    ray = ankles / torch.linalg.vector_norm(ankles, dim=-1, keepdim=True)
    seen = points / torch.linalg.vector_norm(points, dim=-1, keepdim=True).clamp_min(1e-6)
    alike = (ray @ seen.mT).masked_fill(~there[:, None], -1.0)
    below = -(points * up[:, None]).sum(-1).gather(1, alike.argmax(-1))
    needed = (below - SOLE) / -(ankles * up[:, None]).sum(-1).clamp_max(-0.1)
    return grow(pose, needed.clamp(0.5, 2.0).amin(1))
