"""What a regressor is told: dots, joints, rotations, shape, surface; each with a weight."""

from dataclasses import dataclass

import torch

from tutorial_lib.body_model import body
from tutorial_lib.mesh.numbers import unpack
from tutorial_lib.mesh.people import People
from tutorial_lib.mesh.weak_perspective import reproject
from tutorial_lib.skeleton import length


@dataclass(frozen=True)
class Weights:
    """Of the terms of `body_loss`; zero leaves one out.

    Attributes:
        dots: mean distance of reprojected joints, half-sides of the crop.
        joints: mean distance of joints about the hip, metres.
        rotations: mean squared difference of the matrices' entries.
        betas: mean squared difference of the shape.
    """

    dots: float = 1.0
    joints: float = 5.0
    rotations: float = 1.0
    betas: float = 0.02


EVERYTHING, JOINTS_ONLY, DOTS_ONLY = Weights(), Weights(rotations=0.0, betas=0.0), Weights(1.0, 0.0, 0.0, 0.0)


def body_loss(numbers: torch.Tensor, dots: torch.Tensor, truth: People, weights: Weights = EVERYTHING) -> torch.Tensor:
    """A scalar to minimise.

    Args:
        numbers: (..., 123) a network's answer.
        dots: (..., 17, 2) that it saw.
        truth: whom; not read where only the dots count.
        weights: of the terms.
    """
    found = unpack(numbers)
    joints = body().to(numbers).joints(found.rotations, found.betas)
    total = weights.dots * length(reproject(joints, found.camera) - dots).mean()
    if weights.joints:
        total = total + weights.joints * length(joints - truth.joints()).mean()
    if weights.rotations:
        total = total + weights.rotations * (found.rotations - truth.rotations).square().mean()
    # Without a truth the shape is held near the mean person's, as everywhere in the field.
    return (
        total + (weights.betas * (found.betas - truth.betas) if weights.betas else 0.02 * found.betas).square().mean()
    )
