"""The simulator: a few numbers in, a person before a camera out, with the full truth.

A *latent* is a point of the cube [-1, 1]^13: from where the camera looks, which pose, which build. Poses are a few
principal components of how invented people turn their joints, within the limits that these people keep.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from tutorial_lib.body_model import SHAPES, TURNING, body, rotations_of
from tutorial_lib.body_model.rotations import from_axis_angle, to_axis_angle
from tutorial_lib.camera import orbit, project, world_to_camera
from tutorial_lib.datasets.splits import TRAIN_SEED, TRAINED_ACTIONS
from tutorial_lib.metrics import root_relative
from tutorial_lib.metrics.joints import joint_errors
from tutorial_lib.motion import builtin

POSES = 8
"""Principal components."""

SPREAD = 2.2
"""Standard deviations of a component at the end of its axis."""

ELEVATION = (-15.0, 65.0)
"""Degrees by which the camera looks down, from the lower end of its axis to the upper one."""

DISTANCE = 2.5
"""Metres from the camera to the hip, which it looks at."""

BUILD = {"height": 2.0, "legs": 2.0, "arms": 2.0}
"""Which shapes of the body model are axes, and standard deviations at their ends. Girth moves no joint."""

AXES = ("direction", "elevation", *(f"pose {number + 1}" for number in range(POSES)), *BUILD)
"""Names of the 13 axes. "direction" is the camera's, -180 to 180 degrees."""

Errors = Callable[[torch.Tensor], torch.Tensor]
"""Latents (..., D) to errors (...), the larger, the worse: what is searched. A toy function serves as well."""


@dataclass(frozen=True)
class Simulator:
    """Latents to people.

    Attributes:
        mean: (57,) radians: the mean turns of `TURNING` as axis-angle vectors, the heading taken out.
        components: (8, 57) what one step from 0 to 1 along each pose axis adds.
        limits: (2, 57) the smallest and largest turn that invented people make.
    """

    mean: torch.Tensor
    components: torch.Tensor
    limits: torch.Tensor

    def rotations(self, latent: torch.Tensor) -> torch.Tensor:
        """(..., 19, 3, 3) for `Body.pose`: x forward, z up."""
        angles = self.mean + latent[..., 2 : 2 + POSES] @ self.components
        angles = angles.clamp(*self.limits)
        return from_axis_angle(angles.unflatten(-1, (len(TURNING), 3)))

    @staticmethod
    def betas(latent: torch.Tensor) -> torch.Tensor:
        """(..., 6) for `Body.pose`."""
        shape = latent.new_zeros(*latent.shape[:-1], len(SHAPES))
        for axis, (name, spread) in enumerate(BUILD.items(), start=2 + POSES):
            shape[..., SHAPES.index(name)] = spread * latent[..., axis]
        return shape

    @staticmethod
    def camera(latent: torch.Tensor):
        """The camera: at 0, 0 it stands before the person, halfway up its range."""
        low, high = (math.radians(end) for end in ELEVATION)
        elevation = low + (high - low) * (latent[..., 1] + 1) / 2
        return orbit(latent.new_zeros(*latent.shape[:-1], 3), math.pi * latent[..., 0], elevation, DISTANCE)

    def person(self, latent: torch.Tensor) -> torch.Tensor:
        """(..., 17, 3) metres, the hip at the origin, x forward, z up.

        Args:
            latent: (..., 13) in [-1, 1].

        Raises:
            ValueError: another number of axes, or values beyond the cube.
        """
        if latent.shape[-1:] != (len(AXES),) or (latent.abs() > 1 + 1e-5).any():
            raise ValueError(
                f"latent has shape {tuple(latent.shape)}, expected (..., {len(AXES)}) from -1 to 1: clamp it first"
            )
        return body().joints(self.rotations(latent), self.betas(latent))

    def surface(self, latent: torch.Tensor) -> torch.Tensor:
        """(..., V, 3) metres, the skin of `body_model.body()`: the hip at the origin, camera frame."""
        posed = body().pose(self.rotations(latent), self.betas(latent))
        camera = self.camera(latent)
        hip = world_to_camera(posed.joints[..., :1, :], camera)
        return world_to_camera(posed.vertices, camera) - hip

    def see(self, latent: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What a perfect detector reports, and the truth.

        Args:
            latent: (..., 13) in [-1, 1].

        Returns:
            (..., 17, 2) screen coordinates, and (..., 17, 3) metres, root-relative, camera frame.
        """
        world, camera = self.person(latent), self.camera(latent)
        return project(world, camera), root_relative(world_to_camera(world, camera))

    def errors_of(self, lifter: Any, chunk: int = 8192) -> Errors:
        """A lifter's MPJPE in mm for every latent, without gradients.

        Args:
            lifter: of one frame, in eval mode.
            chunk: latents at a time.
        """

        @torch.no_grad()
        def errors(latent: torch.Tensor) -> torch.Tensor:
            flat = latent.reshape(-1, latent.shape[-1])
            parts = []
            for some in flat.split(chunk):
                seen, truth = self.see(some)
                parts.append(1000 * joint_errors(lifter.windows(seen[:, None]), truth).mean(-1))
            return torch.cat(parts).reshape(latent.shape[:-1])

        return errors


def draw(count: int | tuple[int, ...], generator: torch.Generator, axes: int = len(AXES)) -> torch.Tensor:
    """Uniform latents of the cube: (*count, axes)."""
    shape = (count,) if isinstance(count, int) else count
    return 2 * torch.rand(*shape, axes, generator=generator) - 1


@cache
def simulator(people: int = 4) -> Simulator:
    """The course's simulator, from the motions of some people who are trained on.

    Args:
        people: how many.
    """
    clips = builtin(TRAIN_SEED, people, TRAINED_ACTIONS, 100)
    poses = root_relative(torch.cat([clip.positions[::5] for clip in clips]).double())
    rotations = rotations_of(body().to(torch.float64), poses)
    heading = torch.atan2(rotations[:, 0, 1, 0], rotations[:, 0, 0, 0])
    back = from_axis_angle(torch.stack([0 * heading, 0 * heading, -heading], -1))
    rotations = torch.cat([(back @ rotations[:, 0])[:, None], rotations[:, 1:]], 1)
    angles = to_axis_angle(rotations).flatten(1)
    mean = angles.mean(0)
    _, sizes, directions = torch.linalg.svd(angles - mean, full_matrices=False)
    directions = directions[:POSES]
    # A component's sign is anybody's choice: let its largest turn be positive.
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    spread = SPREAD * sizes[:POSES] / math.sqrt(len(angles))
    limits = torch.stack([angles.amin(0), angles.amax(0)])
    return Simulator(mean.float(), (spread[:, None] * directions * largest.sign()).float(), limits.float())
