"""Bodies over time: lesson 04's lifter with other numbers out. 41 triples are the 123 numbers of a body."""

from collections.abc import Sequence

import torch

from tutorial_lib.lifting import TemporalLifter
from tutorial_lib.mesh.numbers import COUNT, Parameters, facing, pack, unpack
from tutorial_lib.skeleton import length


def body_lifter(widths: Sequence[int] = (3, 3, 3), channels: int = 128, dropout: float = 0.1) -> TemporalLifter:
    """A `TemporalLifter` that says bodies; `said` reads them. Filters (1, 1, 1) wide see one frame."""
    return TemporalLifter(channels=channels, dropout=dropout, widths=widths, outputs=COUNT // 3, root_relative=False)


def said(triples: torch.Tensor) -> Parameters:
    """(..., 41, 3) to bodies: what the network says is added to somebody upright who looks at the camera."""
    return unpack(numbers_of(triples))


def numbers_of(triples: torch.Tensor) -> torch.Tensor:
    """(..., 41, 3) to (..., 123) for `losses.body_loss`."""
    return pack(facing()).to(triples) + triples.flatten(-2)


def acceleration_error(found: torch.Tensor, truth: torch.Tensor, fps: float) -> torch.Tensor:
    """How much a motion jitters: mean length of the difference of accelerations, a scalar in m/s².

    Args:
        found: (..., frames, joints, 3) metres.
        truth: the same shape.
        fps: frames per second.

    Raises:
        ValueError: fewer than three frames.
    """
    if found.shape[-3] < 3:
        raise ValueError(f"found has {found.shape[-3]} frames, expected three or more: an acceleration needs them")
    off = found - truth
    return fps**2 * length(off[..., 2:, :, :] - 2 * off[..., 1:-1, :, :] + off[..., :-2, :, :]).mean()
