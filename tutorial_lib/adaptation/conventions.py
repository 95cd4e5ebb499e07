"""What a place wants to hear: poses in its own axes, with joints where its own data set puts them.

The picture says nothing about either. A gimbal keeps the picture level while the rig it hangs on (a drone, a robot, a
pole) leans; two laboratories put their hips and their spine into different places of the same body. The same keypoints
then have other right answers, and only labelled examples can tell which. This is ours, not Cho et al.'s: behind a lens
alone one function serves all tasks, and a network need not adapt.
"""

from dataclasses import dataclass, replace

import torch

from tutorial_lib.metrics import root_relative
from tutorial_lib.metrics.procrustes import best_rotation
from tutorial_lib.skeleton import JOINTS

LIMIT = 25.0
"""Largest tilt and largest roll of a rig in degrees."""

SHIFT = 0.04
"""Standard deviation, in metres and per axis, of what another laboratory calls a joint."""


def mounting(tilt: torch.Tensor, roll: torch.Tensor) -> torch.Tensor:
    """The rotation (..., 3, 3) from the axes of the level picture to those of the rig it hangs on.

    Args:
        tilt: (...) degrees about the axis to the right.
        roll: (...) degrees about the axis forward.
    """
    (a, b), one, zero = (torch.deg2rad(angle) for angle in (tilt, roll)), torch.ones_like(tilt), torch.zeros_like(tilt)
    about_right = ((one, zero, zero), (zero, a.cos(), -a.sin()), (zero, a.sin(), a.cos()))
    about_forward = ((b.cos(), -b.sin(), zero), (b.sin(), b.cos(), zero), (zero, zero, one))
    tilted, rolled = (torch.stack([torch.stack(row, -1) for row in rows], -2) for rows in (about_right, about_forward))
    return tilted @ rolled


def draw_mountings(count: int, *, generator: torch.Generator, limit: float = LIMIT) -> torch.Tensor:
    """(count, 3, 3) mountings, tilt and roll uniform within `limit` degrees."""
    angles = (2 * torch.rand(2, count, generator=generator) - 1) * limit
    return mounting(angles[0], angles[1])


def draw_shifts(count: int, *, generator: torch.Generator, sigma: float = SHIFT) -> torch.Tensor:
    """(count, 17, 3) metres: where other laboratories put the joints, in the pelvis' axes; the root stays."""
    shift = torch.randn(count, len(JOINTS), 3, generator=generator) * sigma
    shift[:, 0] = 0
    return shift


def pelvis_axes(pose: torch.Tensor) -> torch.Tensor:
    """Right, up and forward of the pelvis in each pose (..., 17, 3), as the rows of (..., 3, 3)."""
    hip, other, spine = (pose[..., JOINTS.index(name), :] for name in ("left_hip", "right_hip", "spine"))
    right = torch.nn.functional.normalize(other - hip, dim=-1)
    up = spine - pose[..., 0, :]
    up = torch.nn.functional.normalize(up - (up * right).sum(-1, keepdim=True) * right, dim=-1)
    return torch.stack([right, up, torch.linalg.cross(up, right)], -2)


@dataclass(frozen=True)
class Convention:
    """How a place, or each of a batch of places, wants its poses.

    Attributes:
        rotation: (..., 3, 3) from the level picture's axes to the wanted ones.
        shift: (..., 17, 3) metres in the pelvis' axes, or None: the course's own joints.
    """

    rotation: torch.Tensor
    shift: torch.Tensor | None = None

    def wanted(self, pose: torch.Tensor) -> torch.Tensor:
        """The right answer for poses (leading axes, ..., 17, 3) in the level picture's axes, metres, root-relative."""
        pose = root_relative(pose)
        if self.shift is not None:
            shift = _aligned(self.shift, pose)
            pose = pose + shift @ pelvis_axes(pose)
        return pose @ _aligned(self.rotation, pose).mT

    def in_picture(self, pose: torch.Tensor) -> torch.Tensor:
        """Poses in the wanted axes, turned back to the level picture's; shifted joints stay shifted."""
        return pose @ _aligned(self.rotation, pose)

    def at(self, place: int) -> "Convention":
        """One place of a batch."""
        return Convention(self.rotation[place], None if self.shift is None else self.shift[place])

    def to(self, device: torch.device | str) -> "Convention":
        """The same on another device."""
        return replace(
            self, rotation=self.rotation.to(device), shift=None if self.shift is None else self.shift.to(device)
        )


def _aligned(value: torch.Tensor, pose: torch.Tensor) -> torch.Tensor:
    """`value` (leading axes, n, 3) with as many axes as `pose` (leading axes, ..., 17, 3)."""
    return value.reshape(*value.shape[:-2], *[1] * (pose.ndim - value.ndim), *value.shape[-2:])


def told_rotation(predicted: torch.Tensor, labels: torch.Tensor) -> Convention:
    """Who knows that only a rotation is hidden needs no learning: the best one, in closed form (Procrustes).

    Args:
        predicted: (windows, 17, 3) metres, what a network says in the level picture's axes.
        labels: (windows, 17, 3) metres, what was wanted.
    """
    flat = (root_relative(pose).flatten(0, -2)[None] for pose in (predicted, labels))
    return Convention(best_rotation(*flat)[0].mT)


def told_everything(predicted: torch.Tensor, labels: torch.Tensor, rounds: int = 10) -> Convention:
    """Who knows that a rotation and displaced joints are hidden: both in turn, each in closed form, until they agree.

    Args:
        predicted: as in `told_rotation`.
        labels: as in `told_rotation`.
        rounds: a dozen leaves less than a tenth of a millimetre.
    """
    predicted, labels = root_relative(predicted), root_relative(labels)
    axes = pelvis_axes(predicted)
    shift = torch.zeros_like(predicted[0])
    for _ in range(rounds):
        turn = told_rotation(predicted + shift @ axes, labels)
        shift = ((turn.in_picture(labels) - predicted) @ axes.mT).mean(0)
    return Convention(turn.rotation, shift)
