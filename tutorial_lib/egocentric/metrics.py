"""How wrong a pose before a head-worn camera is: where it is, how large it is, its shape, and how it stands."""

from dataclasses import asdict, dataclass, fields

import torch

from tutorial_lib.egocentric.samples import Samples
from tutorial_lib.egocentric.scale import FEET
from tutorial_lib.metrics.joints import check_pair
from tutorial_lib.metrics.pose import align
from tutorial_lib.skeleton import BONES, bone_lengths, length


@dataclass(frozen=True)
class EgoScore:
    """Means over poses; all but the last in mm.

    Attributes:
        mpjpe: joints, in the camera's frame, nothing aligned.
        p_mpjpe: after the best rotation, place and size of each pose.
        ba_mpjpe: the same, after all bones of both have got standard lengths.
        feet: the two ankles, nothing aligned.
        foot_height: how much too high or too low the ankles are, in the world.
        below: ankles in per cent that lie below what the person stands on.
    """

    mpjpe: float
    p_mpjpe: float
    ba_mpjpe: float
    feet: float
    foot_height: float
    below: float

    def as_dict(self) -> dict[str, float]:
        """By name, rounded to a thousandth."""
        return {name: round(value, 3) for name, value in asdict(self).items()}


METRICS = tuple(field.name for field in fields(EgoScore))


def with_bones(pose: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """The pose with every bone's direction kept and its length replaced, from the root outwards.

    Args:
        pose: (..., 17, 3).
        lengths: (16,) in the order of `skeleton.BONES`.
    """
    old = bone_lengths(pose).clamp_min(1e-9)
    places = [pose[..., 0, :]]
    for bone, (parent, child) in enumerate(BONES):
        vector = pose[..., child, :] - pose[..., parent, :]
        places.append(places[parent] + vector * (lengths[bone] / old[..., bone, None]))
    return torch.stack(places, -2)


def bone_aligned(predicted: torch.Tensor, target: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Joint errors (..., 17) in metres after all bones of both got the same lengths, then the best similarity.

    BA-MPJPE, as Wang et al. use it: what is left is an error of posture alone.

    Args:
        predicted: (..., 17, 3) metres.
        target: the same shape.
        lengths: (16,) metres of the standard skeleton.

    Raises:
        ValueError: as `metrics.align`.
    """
    check_pair(predicted, target)
    first, second = with_bones(predicted, lengths), with_bones(target, lengths)
    return length(align(first, second) - second)


def standard_bones(samples: Samples) -> torch.Tensor:
    """(16,) metres: mean bone lengths of people of size 1, the standard skeleton of `bone_aligned`."""
    return (bone_lengths(samples.pose) / samples.size[:, None]).mean(0)


def foot_heights(pose: torch.Tensor, samples: Samples) -> torch.Tensor:
    """(B, 2) metres: how high the ankles are in the world, above the floor."""
    return samples.in_world(pose[:, list(FEET)])[..., 2]


def feet_below(pose: torch.Tensor, samples: Samples) -> torch.Tensor:
    """(B, 2) bool: ankles that lie below what is under them, a floor or the top of a box."""
    world = samples.in_world(pose[:, list(FEET)])
    return world[..., 2] < samples.rooms.height(world[..., :2])


def judge(pose: torch.Tensor, samples: Samples, lengths: torch.Tensor) -> EgoScore:
    """What predicted poses are worth.

    Args:
        pose: (B, 17, 3) metres, camera frame.
        samples: the truth.
        lengths: (16,) of the standard skeleton.

    Raises:
        ValueError: as `metrics.align`.
    """
    check_pair(pose, samples.pose)
    far = length(pose - samples.pose)
    high = (foot_heights(pose, samples) - foot_heights(samples.pose, samples)).abs()
    return EgoScore(
        mpjpe=1000 * far.mean().item(),
        p_mpjpe=1000 * length(align(pose, samples.pose) - samples.pose).mean().item(),
        ba_mpjpe=1000 * bone_aligned(pose, samples.pose, lengths).mean().item(),
        feet=1000 * far[:, list(FEET)].mean().item(),
        foot_height=1000 * high.mean().item(),
        below=100 * feet_below(pose, samples).float().mean().item(),
    )
