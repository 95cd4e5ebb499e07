"""Rooms of flat walls and boxes, and how far a ray runs before it meets them: in closed form, without a picture."""

from dataclasses import dataclass

import torch

from tutorial_lib.batch import Batch


@dataclass(frozen=True)
class Rooms(Batch):
    """One room a row: a floor at z = 0, four walls and a ceiling around, boxes inside. World frame, z up, metres.

    Attributes:
        walls: (B, 2, 3) lower and upper corner of the room; the lower z is the floor's.
        boxes: (B, K, 2, 3) lower and upper corner of each box; a box whose lower corner is not the lower is none.
    """

    walls: torch.Tensor
    boxes: torch.Tensor

    def distance(self, origin: torch.Tensor, rays: torch.Tensor) -> torch.Tensor:
        """How far each ray runs until it meets the room or a box.

        A ray is inside a slab, the space between two parallel planes, between two values of its length; inside a box
        while it is inside all three slabs. So it *leaves* the room where it leaves the first slab, and *enters* a box
        where it enters the last.

        Args:
            origin: (B, 3), in the room and in no box.
            rays: (B, N, 3) directions; in units of their length the distance is counted.

        Returns:
            (B, N).
        """
        _check(self, origin, rays)
        start = origin[:, None]
        near = 1e-9 if rays.dtype == torch.float64 else 1e-6
        safe = torch.where(rays.abs() < near, torch.where(rays < 0, -near, near), rays)
        first = (self.walls[:, None, 0] - start) / safe
        second = (self.walls[:, None, 1] - start) / safe
        distance = torch.maximum(first, second).amin(-1)
        for lower, upper in (box.unbind(1) for box in self.boxes.unbind(1)):
            first, second = (lower[:, None] - start) / safe, (upper[:, None] - start) / safe
            enters = torch.minimum(first, second).amax(-1)
            leaves = torch.maximum(first, second).amin(-1)
            hit = (enters <= leaves) & (enters > 0) & (lower < upper).all(-1)[:, None]
            distance = torch.where(hit, torch.minimum(distance, enters), distance)
        return distance

    def height(self, places: torch.Tensor) -> torch.Tensor:
        """How high that is on which one stands: the floor, or the top of a box.

        Args:
            places: (B, ..., 2) x and y.

        Returns:
            (B, ...).
        """
        between = [1] * (places.ndim - 2)
        height = torch.zeros_like(places[..., 0])
        for lower, upper in (box.unbind(1) for box in self.boxes.unbind(1)):
            lower, upper = (corner.view(len(self), *between, 3) for corner in (lower, upper))
            above = ((places >= lower[..., :2]) & (places <= upper[..., :2])).all(-1) & (lower < upper).all(-1)
            height = torch.where(above, torch.maximum(height, upper[..., 2].expand_as(height)), height)
        return height


def _check(rooms: Rooms, origin: torch.Tensor, rays: torch.Tensor) -> None:
    count = len(rooms)
    if origin.shape != (count, 3) or rays.ndim != 3 or rays.shape[0] != count or rays.shape[-1] != 3:
        raise ValueError(
            f"origin has shape {tuple(origin.shape)} and rays {tuple(rays.shape)}, expected ({count}, 3) and "
            f"({count}, N, 3): one place and its rays for each of the {count} rooms"
        )
