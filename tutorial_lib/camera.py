"""A pinhole camera: from the world in metres to normalised screen coordinates.

`project` is the only door from 3D to 2D: whatever is drawn, detected, lifted or learned from went through it.

Frames: the world has z up; the camera has x to the right, y down, z forward. *Plane* coordinates are
focal-normalised (x/z, y/z) about the principal point: lenses act on them. *Screen* coordinates have x in [-1, 1]
across the width of the image and y on the same scale, downwards (VideoPose3D's convention): networks see them.
*Pixels* are met at the edges only, where files of detections come in: x' = 2 x / w - 1 and y' = 2 y / w - h / w.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Literal

import torch

from tutorial_lib.distortion import Lens, as_lens
from tutorial_lib.skeleton import check_joints

FOCAL = 1.25
"""Focal length in half-widths of the image (ours): a field of view of 77 degrees, the edge at plane radius 0.8."""


@dataclass(frozen=True)
class Camera:
    """One camera, or a batch of them.

    Attributes:
        rotation: (..., 3, 3) rows are the camera's right, down and forward axes in the world.
        position: (..., 3) metres, world frame.
        focal: (..., 2) in half-widths of the image.
        centre: (..., 2) principal point in screen coordinates.
    """

    rotation: torch.Tensor
    position: torch.Tensor
    focal: torch.Tensor
    centre: torch.Tensor

    def __post_init__(self):
        batch = self.position.shape[:-1]
        for name, tail in (("rotation", (3, 3)), ("position", (3,)), ("focal", (2,)), ("centre", (2,))):
            value = getattr(self, name)
            if tuple(value.shape) != (*batch, *tail):
                raise ValueError(f"{name} has shape {tuple(value.shape)}, expected {(*batch, *tail)} beside position")
            if not torch.isfinite(value).all():
                raise ValueError(f"{name} holds NaN or infinity, expected finite numbers")
        if (self.focal <= 0).any():
            raise ValueError(f"focal is {self.focal.tolist()}, expected positive numbers")


def look_at(position: torch.Tensor, target: torch.Tensor, focal: float = FOCAL) -> Camera:
    """A level camera at `position` (..., 3) whose principal point shows `target` (..., 3), both in metres.

    Raises:
        ValueError: position and target coincide, or lie on one vertical line (then "level" has no meaning); whole
            numbers, other shapes, NaN or infinity.
    """
    for argument, place in (("position", position), ("target", target)):
        if place.shape[-1:] != (3,) or not place.is_floating_point():
            raise ValueError(f"{argument} is {place.dtype} of shape {tuple(place.shape)}, expected floating (..., 3)")
        if not torch.isfinite(place).all():
            raise ValueError(f"{argument} holds NaN or infinity, expected metres in the world frame")
    position, target = torch.broadcast_tensors(position, target)
    forward = target - position
    flat = torch.linalg.vector_norm(forward[..., :2], dim=-1)
    if (flat < 1e-6).any():
        raise ValueError("position and target lie on one vertical line: move one of them sideways")
    forward = forward / torch.linalg.vector_norm(forward, dim=-1, keepdim=True)
    up = torch.zeros_like(forward)
    up[..., 2] = 1
    right = torch.linalg.cross(forward, up)
    right = right / torch.linalg.vector_norm(right, dim=-1, keepdim=True)
    down = torch.linalg.cross(forward, right)
    rotation = torch.stack([right, down, forward], dim=-2)
    pair = torch.ones_like(position[..., :2])
    return Camera(rotation, position, pair * focal, pair * 0)


def orbit(
    target: torch.Tensor,
    azimuth: torch.Tensor | float,
    elevation: torch.Tensor | float = 0.0,
    distance: torch.Tensor | float = 4.0,
    *,
    focal: float = FOCAL,
) -> Camera:
    """Level cameras on a sphere round a point, which their principal points show. Differentiable in all four places.

    Args:
        target: (..., 3) metres, world frame; its leading axes and those of the three others are broadcast.
        azimuth: (...) radians, counter-clockwise seen from above; at 0 the camera stands on the side of the world's
            x axis.
        elevation: (...) radians above the horizon of the target, between -pi / 2 and pi / 2.
        distance: (...) metres between camera and target, in a straight line.
        focal: in half-widths of the image.

    Raises:
        ValueError: a distance that is not positive, or as `look_at`: a camera straight above the target is not level.
    """
    azimuth, elevation, distance = (
        torch.as_tensor(value, dtype=target.dtype, device=target.device) for value in (azimuth, elevation, distance)
    )
    if not (distance > 0).all():
        raise ValueError(f"distance is {distance.tolist()}, expected metres > 0")
    across = torch.cos(elevation)
    away = torch.stack(
        torch.broadcast_tensors(torch.cos(azimuth) * across, torch.sin(azimuth) * across, torch.sin(elevation)), -1
    )
    return look_at(target + distance[..., None] * away, target, focal)


def _like(value: torch.Tensor, points: torch.Tensor, tail: int) -> torch.Tensor:
    """Give a camera's field the singleton axes that align its batch with the first axes of `points`."""
    if not isinstance(points, torch.Tensor):
        raise ValueError(f"points is a {type(points).__name__}, expected a tensor: torch.as_tensor makes one")
    if not points.is_floating_point():
        raise ValueError(f"points are {points.dtype}, expected floating point: convert them with .float()")
    if points.shape[-1:] != value.shape[-1:]:
        raise ValueError(f"points has shape {tuple(points.shape)}, expected (..., {value.shape[-1]})")
    value = value.to(dtype=points.dtype, device=points.device)
    batch = value.shape[: value.ndim - tail]
    missing = points.ndim - 1 - len(batch)
    if missing < 0:
        raise ValueError(f"points {tuple(points.shape)} has fewer axes than the batch of cameras {tuple(batch)}")
    return value.reshape(*batch, *[1] * missing, *value.shape[value.ndim - tail :])


def world_to_camera(points: torch.Tensor, camera: Camera) -> torch.Tensor:
    """World points (cameras..., ..., 3) in metres, seen from the camera: x right, y down, z forward."""
    offset = points - _like(camera.position, points, 1)
    return (_like(camera.rotation, points, 2) @ offset[..., None])[..., 0]


def camera_to_world(points: torch.Tensor, camera: Camera) -> torch.Tensor:
    """Inverse of `world_to_camera`."""
    turned = (_like(camera.rotation, points, 2).transpose(-1, -2) @ points[..., None])[..., 0]
    return turned + _like(camera.position, points, 1)


def to_plane(points: torch.Tensor) -> torch.Tensor:
    """Perspective division of camera-frame points (..., 3): focal-normalised (..., 2). Half of `project`: use that.

    Raises:
        ValueError: some point is not in front of the camera.
    """
    depth = points[..., 2:]
    if not (depth > 0).all():
        raise ValueError(
            f"points: {int((~(depth > 0)).sum())} lie behind the camera (or are NaN), expected z > 0 in the camera "
            "frame. Move the camera away from the person"
        )
    return points[..., :2] / depth


def to_screen(plane: torch.Tensor, camera: Camera | None = None) -> torch.Tensor:
    """Plane coordinates (cameras..., ..., 2) to screen coordinates; without a camera, the course's own."""
    if camera is None:
        return plane * FOCAL
    return plane * _like(camera.focal, plane, 1) + _like(camera.centre, plane, 1)


def from_screen(screen: torch.Tensor, camera: Camera | None = None) -> torch.Tensor:
    """Inverse of `to_screen`."""
    if camera is None:
        return screen / FOCAL
    return (screen - _like(camera.centre, screen, 1)) / _like(camera.focal, screen, 1)


def from_pixels(pixels: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Pixels (..., 2), origin in the upper left corner, to screen coordinates (..., 2).

    Args:
        pixels: x to the right, y down.
        size: width and height of the picture in pixels.

    Raises:
        ValueError: a size that is not two positive numbers, a last axis that is not 2.
    """
    width, height = _sides(size)
    if pixels.shape[-1] != 2:
        raise ValueError(f"pixels has shape {tuple(pixels.shape)}, expected (..., 2): x and y")
    scaled = pixels * (2 / width)
    return scaled - scaled.new_tensor([1.0, height / width])


def to_pixels(screen: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Inverse of `from_pixels`."""
    width, height = _sides(size)
    if not screen.is_floating_point() or screen.shape[-1:] != (2,):
        raise ValueError(
            f"screen is {screen.dtype} of shape {tuple(screen.shape)}, expected floating (..., 2) in [-1, 1]"
        )
    return (screen + screen.new_tensor([1.0, height / width])) * (width / 2)


def _sides(size: tuple[float, float]) -> tuple[float, float]:
    numbers = isinstance(size, Sequence) and all(isinstance(s, Real) and not isinstance(s, bool) for s in size)
    if not numbers or len(size) != 2 or not all(0 < side < float("inf") for side in size):
        raise ValueError(f"size is {size!r}, expected (width, height) of the picture in pixels, e.g. (1920, 1080)")
    return float(size[0]), float(size[1])


def project(
    points: torch.Tensor,
    camera: Camera | None = None,
    lens: Lens | torch.Tensor | None = None,
    *,
    onto: Literal["screen", "plane"] = "screen",
) -> torch.Tensor:
    """Points in space to the picture, through a lens if one is given.

    Args:
        points: (..., 3) metres, in the world frame; a batch of cameras matches the first axes. Without a camera: in the
            frame of the course's own camera.
        camera: one camera or a batch.
        lens: a lens, or (5,) or (leading axes, 5) coefficients `(k1, k2, k3, p1, p2)`, see `distortion`.
        onto: "screen": x in [-1, 1] across the width, y down; "plane": focal-normalised, about the principal point.

    Returns:
        (..., 2), same dtype and device.

    Raises:
        ValueError: points behind the camera, shapes that do not match.
    """
    if points.shape[-1] != 3:
        raise ValueError(f"points has shape {tuple(points.shape)}, expected (..., 3): metres")
    plane = to_plane(points if camera is None else world_to_camera(points, camera))
    if lens is not None:
        plane = as_lens(lens).distort(plane)
    return plane if onto == "plane" else to_screen(plane, camera)


def random_viewpoints(
    positions: torch.Tensor,
    *,
    generator: torch.Generator | None = None,
    distance: tuple[float, float] = (1.4, 2.8),
    height: tuple[float, float] = (0.7, 2.0),
    margin: float = 0.97,
    attempts: int = 200,
) -> Camera:
    """Plausible cameras for clips: all around, chest-high, the whole person in the picture but rarely in its middle.

    Args:
        positions: (clips, frames, 17, 3) metres, world frame.
        distance: metres from the person's mean position; moved back when the person would leave the picture.
        height: metres above the floor.
        margin: the largest screen coordinate (in half-widths) that any joint may reach.
        generator: of the draws.
        attempts: draws for each clip before it is given up.

    Returns:
        A batch of `clips` cameras.

    Raises:
        ValueError: a clip that stays in the picture of no camera (it covers too much ground: cut it).
    """
    check_joints(positions, 3, "positions")
    if positions.ndim != 4 or positions.numel() == 0:
        raise ValueError(f"positions has shape {tuple(positions.shape)}, expected (clips, frames, 17, 3), none 0")
    if not torch.isfinite(positions).all():
        raise ValueError("positions hold NaN or infinity, expected metres in the world frame")
    clips = positions.shape[0]
    place, target = torch.zeros(clips, 3), torch.zeros(clips, 3)
    remaining = torch.arange(clips)
    for attempt in range(attempts):
        people = positions[remaining]
        middle = people.mean(dim=(1, 2))
        u = torch.rand(len(remaining), 5, generator=generator)
        angle = 2 * torch.pi * u[:, 0]
        # Every eight failures the camera steps back.
        far = distance[0] + (distance[1] - distance[0]) * u[:, 1] + 0.3 * (attempt // 8)
        offset = torch.stack([far * torch.cos(angle), far * torch.sin(angle)], -1)
        tall = height[0] + (height[1] - height[0]) * u[:, 2]
        place[remaining] = torch.cat([middle[:, :2] + offset, tall[:, None]], -1)
        # Aiming beside the person puts them off the principal point, where a lens acts.
        side = torch.stack([-torch.sin(angle), torch.cos(angle)], -1) * ((u[:, 3:4] - 0.5) * 0.9 * far[:, None])
        lift = (u[:, 4:5] - 0.5) * 0.5 * far[:, None]
        target[remaining] = middle + torch.cat([side, lift], -1)
        seen = world_to_camera(people, look_at(place[remaining], target[remaining]))
        depth = seen[..., 2]
        screen = seen[..., :2] / depth.clamp_min(1e-3)[..., None] * FOCAL
        fits = (depth.amin((1, 2)) > 0.5) & (screen.abs().amax((1, 2, 3)) < margin)
        remaining = remaining[~fits]
        if len(remaining) == 0:
            return look_at(place, target)
    raise ValueError(
        f"positions: no camera keeps clip {int(remaining[0])} in the picture after {attempts} attempts; "
        "it covers too much ground, cut it into shorter pieces"
    )
