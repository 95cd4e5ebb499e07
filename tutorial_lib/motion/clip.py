"""One piece of recorded or generated human motion."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Clip:
    """Joint positions of one person doing one thing.

    Attributes:
        positions: (frames, 17, 3) float32, metres, world frame with z up, joints as `skeleton.JOINTS`.
        fps: frames per second.
        subject: who moves; all clips of one subject belong on one side of a split.
        action: what they do.
        source: where it comes from ("builtin", or the file's name).
    """

    positions: torch.Tensor
    fps: float
    subject: str
    action: str
    source: str
