"""From the template's 2D joints to a 3D pose, learned from poses that no photo belongs to.

The paper's supplementary experiment uses a network of Martinez et al.; here the map is linear, which has a closed form
and shows the point: 2D joints and 3D poses never come from the same person.
"""

from dataclasses import dataclass

import torch

from tutorial_lib.templates.skeletons import COVERED

_ROOT, _THORAX = 0, 8


def normalised(joints: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """2D joints (..., 17, 2) as (..., 30) numbers about the hip, the trunk as unit; and the trunk's length (..., 1)."""
    trunk = torch.linalg.vector_norm(joints[..., _THORAX, :] - joints[..., _ROOT, :], dim=-1, keepdim=True)
    trunk = trunk.clamp_min(0.05)
    about = joints[..., list(COVERED), :] - joints[..., _ROOT : _ROOT + 1, :]
    return (about / trunk[..., None]).flatten(-2), trunk


@dataclass(frozen=True)
class LinearLifter:
    """Ridge regression from 30 numbers and a constant to 51.

    Attributes:
        weights: (31, 51).
        shift: (30,), added to the numbers first.
    """

    weights: torch.Tensor
    shift: torch.Tensor

    def __call__(self, joints: torch.Tensor) -> torch.Tensor:
        """2D joints (..., 17, 2) in screen coordinates to poses (..., 17, 3): metres about the hip, camera's axes."""
        return (_with_one(normalised(joints)[0] + self.shift) @ self.weights).unflatten(-1, (17, 3))


def _with_one(rows: torch.Tensor) -> torch.Tensor:
    return torch.cat([rows, torch.ones_like(rows[..., :1])], -1)


def fit_lifter(
    joints: torch.Tensor, poses: torch.Tensor, ridge: float = 1e-2, found: torch.Tensor | None = None
) -> LinearLifter:
    """Least squares with a penalty on the squared weights.

    Args:
        joints: (B, 17, 2) projections of the poses.
        poses: (B, 17, 3) metres, camera frame.
        ridge: penalty as a share of the number of poses.
        found: (N, 17, 2) joints of whoever is to be lifted, found in photos of other people with other poses. The
            lifter moves their mean onto the mean of `joints`: what is called a hip in a photo may lie higher than the
            hip of a pose, and the means of two unpaired sets say by how much. Ours.

    Raises:
        ValueError: numbers of joints and poses that differ.
    """
    if len(joints) != len(poses):
        raise ValueError(f"joints has {len(joints)} rows and poses {len(poses)}, expected one projection for each pose")
    inputs = _with_one(normalised(joints)[0]).double()
    targets = (poses - poses[:, :1]).flatten(1).double()
    square = inputs.T @ inputs + ridge * len(inputs) * torch.eye(inputs.shape[1], dtype=torch.float64)
    shift = joints.new_zeros(inputs.shape[1] - 1)
    if found is not None:
        shift = normalised(joints)[0].mean(0) - normalised(found)[0].mean(0)
    return LinearLifter(torch.linalg.solve(square, inputs.T @ targets).to(joints), shift)
