"""Lift a 2D skeleton, turn it before the camera, look at it again: the geometry of one cycle.

Everything is in the camera's frame (x right, y down, z forward), poses are root-relative and in metres, and the camera
looks at the root from a known distance. A 2D skeleton is given *at that distance*: plane coordinates times the
distance, so that a flat person at the root's depth has the size that it has in metres.
"""

import math

import torch

from tutorial_lib.camera import project
from tutorial_lib.skeleton import check_joints

DISTANCE = 5.0
"""Metres from the camera to the root."""


def tilt(elevation: torch.Tensor) -> torch.Tensor:
    """From the frame of a level camera to that of one that looks down: (...) radians to (..., 3, 3)."""
    one, zero, c, s = torch.ones_like(elevation), torch.zeros_like(elevation), elevation.cos(), elevation.sin()
    rows = ((one, zero, zero), (zero, c, -s), (zero, s, c))
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def about_vertical(azimuth: torch.Tensor) -> torch.Tensor:
    """Turn about the vertical of a level camera: (...) radians to (..., 3, 3)."""
    one, zero, c, s = torch.ones_like(azimuth), torch.zeros_like(azimuth), azimuth.cos(), azimuth.sin()
    rows = ((c, zero, s), (zero, one, zero), (-s, zero, c))
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def turn(before: torch.Tensor, azimuth: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """Walk round a person: undo the camera's elevation, turn about the true vertical, look down by another elevation.

    Args:
        before: (...) radians, how far the camera looked down.
        azimuth: (...) radians.
        after: (...) radians, how far the new camera looks down.

    Returns:
        (..., 3, 3) from the first camera's frame to the second's: `pose @ turn.mT`.
    """
    return tilt(after) @ about_vertical(azimuth) @ tilt(before).mT


def draw_turns(count: int, elevation: tuple[float, float], generator: torch.Generator) -> torch.Tensor:
    """(count, 3, 3) random turns: azimuth all around, both elevations uniform in `elevation` (degrees)."""
    u = torch.rand(3, count, generator=generator)
    low, high = (math.radians(end) for end in elevation)
    before, after = (low + (high - low) * u[row] for row in (0, 2))
    return turn(before, 2 * math.pi * u[1], after)


def lift(seen: torch.Tensor, depth: torch.Tensor, distance: float = DISTANCE) -> torch.Tensor:
    """A 2D skeleton and a depth for each joint to the pose that looks like it.

    Args:
        seen: (..., 17, 2) metres at `distance`, the root at (0, 0).
        depth: (..., 17) metres behind the root (negative: before it); 0 at the root.
        distance: of the root, in metres.

    Returns:
        (..., 17, 3) metres, root-relative. `look` gives `seen` again.
    """
    scale = (distance + depth) / distance
    return torch.cat([seen * scale[..., None], depth[..., None]], -1)


def look(pose: torch.Tensor, distance: float = DISTANCE) -> torch.Tensor:
    """What the camera sees of poses (..., 17, 3): (..., 17, 2) metres at `distance`.

    Raises:
        ValueError: a joint behind the camera.
    """
    check_joints(pose, 3, "pose")
    return project(pose + pose.new_tensor([0.0, 0.0, distance]), onto="plane") * distance


def mirrored(seen: torch.Tensor, pose: torch.Tensor, distance: float = DISTANCE) -> torch.Tensor:
    """The other pose with nearly the same picture: all depths with the other sign. (..., 17, 3)."""
    return lift(seen, -pose[..., 2], distance)
