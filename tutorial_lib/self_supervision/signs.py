"""How wrong a lifter is, with both signs of depth: near the camera or far from it is what a picture hardly tells."""

from dataclasses import dataclass

import torch

from tutorial_lib.metrics import align, mpjpe
from tutorial_lib.self_supervision.turning import DISTANCE, mirrored
from tutorial_lib.skeleton import length


@dataclass(frozen=True)
class BothSigns:
    """Errors of poses in mm, as they are and with all depths mirrored.

    Attributes:
        mpjpe: root-relative, camera frame.
        p_mpjpe: after the best similarity of each pose, without reflection.
        mirrored: the same of the mirrored poses.
        tipped: share of the poses that are better mirrored, in per cent.
        depth: correlation of the joints' depths with the true ones, -1 to 1.
    """

    mpjpe: float
    p_mpjpe: float
    mirrored: float
    tipped: float
    depth: float


def errors(seen: torch.Tensor, pose: torch.Tensor, truth: torch.Tensor, distance: float = DISTANCE) -> BothSigns:
    """Judge poses and their mirror images.

    Args:
        seen: (N, 17, 2) the 2D skeletons that were lifted, metres at `distance`.
        pose: (N, 17, 3) metres, root-relative, camera frame.
        truth: (N, 17, 3).
        distance: of the root, in metres.
    """
    kept, other = (aligned_errors(p, truth) for p in (pose, mirrored(seen, pose, distance)))
    depths = torch.stack([pose[..., 1:, 2].flatten(), truth[..., 1:, 2].flatten()])
    correlation = torch.corrcoef(depths)[0, 1] if depths[0].std() > 0 else torch.zeros(())
    return BothSigns(
        1000 * mpjpe(pose, truth).item(),
        1000 * kept.mean().item(),
        1000 * other.mean().item(),
        100 * (other < kept).float().mean().item(),
        correlation.item(),
    )


def aligned_errors(pose: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """(N,) metres: the mean joint error of each pose after its best similarity, without reflection."""
    return length(align(pose, truth) - truth).mean(-1)


def canonical_mean(truth: torch.Tensor) -> torch.Tensor:
    """(17, 3): the mean of poses (N, 17, 3) that were turned onto the first one: people's shape without their heading.

    The honest answer of who does not look: a mean over all headings is a stick on the vertical axis.
    """
    return align(truth, truth[:1].expand_as(truth)).mean(0)
