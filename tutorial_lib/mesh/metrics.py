"""How wrong a recovered body is: joints, joints after alignment, surface, edges, dots. One number a person."""

from typing import NamedTuple

import torch

from tutorial_lib.body_model import Posed, body
from tutorial_lib.mesh.numbers import Parameters
from tutorial_lib.mesh.weak_perspective import reproject
from tutorial_lib.metrics import align, joint_errors
from tutorial_lib.skeleton import length


class BodyErrors(NamedTuple):
    """Of every person.

    Attributes:
        mpjpe: (...,) mm, joints, hip on hip.
        p_mpjpe: (...,) mm, joints after a similarity alignment.
        pve: (...,) mm, vertices, hip on hip: nothing is turned or scaled.
        edge: (...,) mm by which an edge's length is wrong.
    """

    mpjpe: torch.Tensor
    p_mpjpe: torch.Tensor
    pve: torch.Tensor
    edge: torch.Tensor

    def means(self) -> dict[str, float]:
        """Over all persons."""
        return {name: round(value.mean().item(), 3) for name, value in self._asdict().items()}


def edges(faces: torch.Tensor) -> torch.Tensor:
    """(E, 2) int64, every edge of the triangles once, its smaller vertex first."""
    pairs = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return pairs.sort(1).values.unique(dim=0)


def body_errors(found: Posed, truth: Posed) -> BodyErrors:
    """Errors of surfaces and joints in metres, both about any point: the hip is put on the hip."""
    start, end = edges(body().faces.to(truth.vertices.device)).unbind(1)

    def sides(posed: Posed) -> torch.Tensor:
        return length(posed.vertices[..., start, :] - posed.vertices[..., end, :])

    gap = (found.vertices - found.joints[..., :1, :]) - (truth.vertices - truth.joints[..., :1, :])
    return BodyErrors(
        1000 * joint_errors(found.joints, truth.joints).mean(-1),
        1000 * length(align(found.joints, truth.joints) - truth.joints).mean(-1),
        1000 * length(gap).mean(-1),
        1000 * (sides(found) - sides(truth)).abs().mean(-1),
    )


def posed(parameters: Parameters) -> Posed:
    """The surface and joints of bodies, about the hip."""
    return body().to(parameters.betas).pose(parameters.rotations, parameters.betas)


def dot_errors(parameters: Parameters, dots: torch.Tensor) -> torch.Tensor:
    """(...,) mean distance of reprojected joints from the dots, in thousandths of the crop's half-side."""
    joints = body().to(parameters.betas).joints(parameters.rotations, parameters.betas)
    return 1000 * length(reproject(joints, parameters.camera) - dots).mean(-1)
