"""The body: shape numbers and rotations in, a surface and its joints out. Linear blend skinning, differentiable."""

from dataclasses import dataclass, fields
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self

import torch
from safetensors.torch import load_file

from tutorial_lib.body_model.rest import AT, CARRIER, PARENTS, TURNING
from tutorial_lib.skeleton import pick

FILE = Path(__file__).with_name("body.safetensors")


def _levels() -> list[tuple[int, ...]]:
    """The joints that turn, from the pelvis outwards: each level's parents lie in the level before it."""
    depth = [0] * len(PARENTS)
    for joint, parent in enumerate(PARENTS):
        depth[joint] = depth[parent] + 1 if parent >= 0 else 0
    return [tuple(j for j, own in enumerate(depth) if own == level) for level in range(max(depth) + 1)]


_LEVELS = _levels()
_ORDER = [joint for level in _LEVELS for joint in level]
_BACK = tuple(_ORDER.index(joint) for joint in range(len(PARENTS)))


class Posed(NamedTuple):
    """A posed body.

    Attributes:
        vertices: (..., V, 3) metres.
        joints: (..., 17, 3) metres, as `skeleton.JOINTS`.
    """

    vertices: torch.Tensor
    joints: torch.Tensor


@dataclass(frozen=True)
class Body:
    """A body model of the course's own: 19 joints that turn, 6 numbers of shape.

    Rest frame: x forward, y to the left, z up, metres, the hip at the origin, arms 45 degrees down.

    Attributes:
        template: (V, 3) metres, the mean shape at rest.
        faces: (F, 3) int64, counter-clockwise seen from outside.
        shapes: (6, V, 3) metres, what one standard deviation of each of `SHAPES` adds.
        weights: (V, 19) how much each of `TURNING` moves a vertex; rows add up to 1, at most four are not zero.
        regressor: (17, V) joints as means of vertices: exact at rest for every shape, near it in a pose.
        mirror: (V,) int64, the vertex on the other side of each.
    """

    template: torch.Tensor
    faces: torch.Tensor
    shapes: torch.Tensor
    weights: torch.Tensor
    regressor: torch.Tensor
    mirror: torch.Tensor

    def rest(self, betas: torch.Tensor | None = None) -> Posed:
        """The body at rest.

        Args:
            betas: (..., 6) shape, each 1 for one standard deviation; None for the mean person.

        Raises:
            ValueError: other than six numbers of shape.
        """
        return Posed(self.template if betas is None else self._grown(betas), self.rest_joints(betas))

    def rest_joints(self, betas: torch.Tensor | None = None) -> torch.Tensor:
        """The joints alone, (..., 17, 3), without the surface."""
        mean, change = self._joints_at_rest
        if betas is None:
            return mean
        self._check("betas", betas, (len(self.shapes),))
        return mean + torch.einsum("...k,kji->...ji", betas, change)

    def pose(
        self, rotations: torch.Tensor, betas: torch.Tensor | None = None, root: torch.Tensor | None = None
    ) -> Posed:
        """Turn every joint against the one before it.

        Args:
            rotations: (..., 19, 3, 3) one rotation matrix for each of `TURNING`; the pelvis' turns the whole body,
                also into another frame, such as a camera's.
            betas: (..., 6) shape, or None for the mean person.
            root: (..., 3) metres, where the hip is; None for the origin.

        Raises:
            ValueError: shapes that do not fit.
        """
        vertices = self.template if betas is None else self._grown(betas)
        rest = self.rest_joints(betas)
        turns, places, joints = self._chain(rotations, rest, root)
        shift = places - (turns @ pick(rest, AT, -2)[..., None])[..., 0]
        # Every entry of the matrices is blended for all vertices in one product, and lies in one run of memory.
        entries = torch.cat([turns, shift[..., None]], -1).flatten(-2).mT
        blended = (entries.contiguous() @ self.weights.mT).unflatten(-2, (3, 4))
        moved = blended[..., 3, :]
        for axis, place in enumerate(vertices.mT.contiguous().unbind(-2)):
            moved = torch.addcmul(moved, blended[..., axis, :], place[..., None, :])
        return Posed(moved.mT, joints)

    def joints(
        self, rotations: torch.Tensor, betas: torch.Tensor | None = None, root: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The 17 joints of `pose` alone, (..., 17, 3), several times faster."""
        return self._chain(rotations, self.rest_joints(betas), root)[2]

    @cached_property
    def _joints_at_rest(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self.regressor @ self.template, self.regressor @ self.shapes

    def _grown(self, betas: torch.Tensor) -> torch.Tensor:
        self._check("betas", betas, (len(self.shapes),))
        return self.template + torch.einsum("...k,kvi->...vi", betas, self.shapes)

    def _chain(self, rotations: torch.Tensor, rest: torch.Tensor, root: torch.Tensor | None):
        """Turns (..., 19, 3, 3) and places (..., 19, 3) of all joints that turn, and the 17 joints (..., 17, 3)."""
        self._check("rotations", rotations, (len(TURNING), 3, 3))
        at = pick(rest, AT, -2)
        start = rest.new_zeros(3) if root is None else root
        turns, places = [pick(rotations, _LEVELS[0], -3)], []
        shape = torch.broadcast_shapes(rotations.shape[:-3], rest.shape[:-2], start.shape[:-1])
        places.append(start[..., None, :].expand(*shape, 1, 3))
        for before, level in zip(_LEVELS, _LEVELS[1:]):
            parents = tuple(PARENTS[joint] for joint in level)
            rows = tuple(before.index(parent) for parent in parents)
            turn = pick(turns[-1], rows, -3)
            arm = pick(at, level, -2) - pick(at, parents, -2)
            places.append(pick(places[-1], rows, -2) + (turn @ arm[..., None])[..., 0])
            turns.append(turn @ pick(rotations, level, -3))
        turn, place = pick(torch.cat(turns, -3), _BACK, -3), pick(torch.cat(places, -2), _BACK, -2)
        arm = rest - pick(at, CARRIER, -2)
        return turn, place, pick(place, CARRIER, -2) + (pick(turn, CARRIER, -3) @ arm[..., None])[..., 0]

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """The same on another device, or in another precision; indices stay integers."""
        made = {}
        for field in fields(self):
            value = getattr(self, field.name)
            moved = value.to(*args, **kwargs)
            made[field.name] = moved if value.is_floating_point() else moved.to(value.dtype)
        return type(self)(**made)

    def _check(self, argument: str, value: torch.Tensor, expected: tuple[int, ...]) -> None:
        if tuple(value.shape[-len(expected) :]) != expected:
            size = ", ".join(map(str, expected))
            raise ValueError(f"{argument} has shape {tuple(value.shape)}, expected (..., {size}): see body_model.Body")


@cache
def body() -> Body:
    """The course's body: 1,202 vertices, 2,400 triangles, float32, on the CPU. `Body.to` moves it."""
    held = load_file(FILE)
    weights = torch.zeros(len(held["weights"]), len(TURNING)).scatter_(1, held["bones"].long(), held["weights"].float())
    regressor = torch.zeros(17, len(weights)).scatter_(1, held["near"].long(), held["shares"])
    return Body(
        template=held["template"],
        faces=held["faces"].long(),
        shapes=held["shapes"].float(),
        weights=weights / weights.sum(1, keepdim=True),
        regressor=regressor,
        mirror=held["mirror"].long(),
    )
