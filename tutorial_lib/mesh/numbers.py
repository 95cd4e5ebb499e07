"""What a network says of a body: 123 numbers. Six for each of 19 rotations, six of shape, three of a camera."""

from typing import NamedTuple

import torch

from tutorial_lib.body_model import SHAPES, TURNING
from tutorial_lib.body_model.rotations import from_six, to_six

TURNS, SHAPE = 6 * len(TURNING), len(SHAPES)
COUNT = TURNS + SHAPE + 3
"""Of the numbers: 41 triples, so that a lifter with 41 "joints" out can say them too."""


class Parameters(NamedTuple):
    """A body before a camera.

    Attributes:
        rotations: (..., 19, 3, 3) for `Body.pose`; the pelvis' turns the body into the camera's axes.
        betas: (..., 6) shape, 1 for one standard deviation.
        camera: (..., 3) weak perspective, for `reproject`.
    """

    rotations: torch.Tensor
    betas: torch.Tensor
    camera: torch.Tensor


def unpack(numbers: torch.Tensor) -> Parameters:
    """Numbers (..., 123) to a body: any 123 numbers are one.

    Raises:
        ValueError: another count.
    """
    if numbers.shape[-1] != COUNT:
        raise ValueError(f"numbers has shape {tuple(numbers.shape)}, expected (..., {COUNT}): see mesh.numbers")
    six, betas, camera = numbers.split([TURNS, SHAPE, 3], -1)
    return Parameters(from_six(six.unflatten(-1, (len(TURNING), 6))), betas, camera)


def pack(parameters: Parameters) -> torch.Tensor:
    """The inverse of `unpack`: (..., 123). Of the six numbers that mean one rotation it takes the matrix's columns."""
    return torch.cat([to_six(parameters.rotations).flatten(-2), parameters.betas, parameters.camera], -1)


def facing() -> Parameters:
    """The mean person at rest, upright, looking at the camera; the crop holds them."""
    # Rest has x forward, y left, z up; the camera x right, y down, z forward: they see each other's left as right.
    look = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
    rest = torch.eye(3).repeat(len(TURNING) - 1, 1, 1)
    return Parameters(torch.cat([look[None], rest]), torch.zeros(SHAPE), torch.tensor([1.0, 0.0, 0.0]))
