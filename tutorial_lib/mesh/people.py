"""People whose surface is known: poses of real or invented motion, put on bodies of drawn shapes, before cameras.

A pose of 17 joints does not say how forearms, feet and head are turned about themselves. Inverse kinematics decides
it by a convention (`body_model.inverse`), so the surfaces here are as true as that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from tutorial_lib.batch import Batch
from tutorial_lib.body_model import Posed, body, rotations_of
from tutorial_lib.camera import orbit, project, world_to_camera
from tutorial_lib.datasets.detector import JOINT_NOISE
from tutorial_lib.mesh.numbers import Parameters
from tutorial_lib.mesh.weak_perspective import best_camera
from tutorial_lib.motion.clip import Clip

MOST = 2.0
"""Standard deviations: shapes beyond are cut off there."""

MARGIN = 1.2
"""A crop's half-side, in half-sides of the box around its dots."""

FAR = (8.0, 12.0)
"""Metres to the camera: far, as the weak-perspective networks suppose."""


@dataclass(frozen=True)
class People(Batch):
    """People before a camera; the first axes are (people,), or (people, frames).

    Attributes:
        rotations: (..., 19, 3, 3), the pelvis' in camera axes.
        betas: (..., 6) shape.
        root: (..., 3) metres, where the hip is before the camera.
    """

    rotations: torch.Tensor
    betas: torch.Tensor
    root: torch.Tensor

    def posed(self) -> Posed:
        """Surface and joints in metres about the hip, camera axes."""
        return body().to(self.betas).pose(self.rotations, self.betas)

    def joints(self) -> torch.Tensor:
        """(..., 17, 3) metres about the hip, camera axes."""
        return body().to(self.betas).joints(self.rotations, self.betas)

    def screen(self) -> torch.Tensor:
        """(..., 17, 2) where a pinhole camera sees the joints, screen coordinates."""
        return project(self.joints() + self.root[..., None, :])


@dataclass(frozen=True)
class Seen(Batch):
    """What is told to a network.

    Attributes:
        dots: (..., 17, 2) noisy, in half-sides of a crop about them.
        clean: (..., 17, 2) the same without noise, in the same crop.
    """

    dots: torch.Tensor
    clean: torch.Tensor


def draw_people(clips: Sequence[Clip], count: int, *, generator: torch.Generator, frames: int | None = None) -> People:
    """Frames of clips, on bodies of drawn shapes, seen from all around.

    Args:
        clips: where poses come from.
        count: how many people.
        generator: draws clip, frame, shape and camera.
        frames: neighbouring ones of each person, for (count, frames) people with one shape and one camera each;
            None for one frame, and (count,) people.

    Raises:
        ValueError: no clips, or one that is shorter than `frames`.
    """
    length = frames or 1
    if not clips or min(len(clip.positions) for clip in clips) < length:
        raise ValueError(f"clips: {len(clips)} of them, expected at least one, none shorter than frames={frames}")
    poses = []
    for which in torch.randint(len(clips), (count,), generator=generator).tolist():
        positions = clips[which].positions
        first = int(torch.randint(len(positions) - length + 1, (1,), generator=generator))
        poses.append(positions[first : first + length])
    pose = torch.stack(poses)
    rotations = rotations_of(body(), pose)
    betas = torch.randn(count, 1, 6, generator=generator).clamp(-MOST, MOST).expand(count, length, 6)
    u = torch.rand(count, 3, generator=generator)
    camera = orbit(
        pose[..., 0, :].mean(1), 2 * torch.pi * u[:, 0], -0.1 + 0.5 * u[:, 1], FAR[0] + (FAR[1] - FAR[0]) * u[:, 2]
    )
    turned = camera.rotation[:, None] @ rotations[..., 0, :, :]
    people = People(
        torch.cat([turned[..., None, :, :], rotations[..., 1:, :, :]], -3),
        betas.contiguous(),
        world_to_camera(pose[..., :1, :], camera)[..., 0, :],
    )
    return people if frames is not None else people.select((slice(None), 0))


def see(people: People, noise: float, generator: torch.Generator | None) -> Seen:
    """What a detector reports of people, cut out around them.

    Args:
        people: (people,) or (people, frames); all frames of one person have one crop.
        noise: standard deviation of a joint of relative error 1 (`detector.JOINT_NOISE`), in half-sides of the crop.
        generator: draws the errors.
    """
    screen = people.screen()
    flat = screen.flatten(1, -2)
    low, high = flat.amin(1), flat.amax(1)
    half = MARGIN * ((high - low) / 2).amax(-1)
    shape = (-1, *[1] * (screen.ndim - 1))
    middle = ((low + high) / 2).reshape(len(screen), *[1] * (screen.ndim - 2), 2)
    clean = (screen - middle) / half.reshape(shape)
    return Seen(detected(clean, noise, generator), clean)


def detected(clean: torch.Tensor, noise: float, generator: torch.Generator | None) -> torch.Tensor:
    """True places (..., 17, 2) with the detector's errors; arguments as of `see`."""
    return clean + noise * JOINT_NOISE.to(clean)[:, None] * torch.randn(clean.shape, generator=generator).to(clean)


def true_parameters(people: People, seen: Seen) -> Parameters:
    """What a perfect answer would be, with the best weak-perspective camera for the clean dots."""
    return Parameters(people.rotations, people.betas, best_camera(people.joints(), seen.clean))
