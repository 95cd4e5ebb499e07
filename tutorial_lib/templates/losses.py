"""What keeps 18 free parts a person: anchors of neighbours stay together, and all anchors stay in the picture.

Both losses are per template, so a training takes their mean over the batch. Their weights are those of the released
settings (Schmidtke et al., CVPR 2021), beside a reconstruction loss of weight 1.
"""

from typing import Literal, get_args

import torch

from tutorial_lib.templates.parts import ANCHOR_PART, ANCHORS, PAIRS
from tutorial_lib.templates.warp import Pivot, to_screen_maps

ANCHOR_WEIGHT = 0.5
BOUNDARY_WEIGHT = 1.0
Kind = Literal["hinge", "jump"]
"""What an anchor outside the picture costs, see `boundary_loss`."""
KINDS: tuple[Kind, ...] = get_args(Kind)


def anchors(affines: torch.Tensor, about: Pivot = "part") -> torch.Tensor:
    """The 32 anchors carried along by their parts.

    Args:
        affines: (..., 18, 2, 3) as for `warp.part_maps`.
        about: the point about which a part turns, see `warp.to_screen_maps`.

    Returns:
        (..., 32, 2) screen coordinates, in the order of `parts.ANCHORS`.
    """
    maps = to_screen_maps(affines, about)[..., list(ANCHOR_PART), :, :]
    return (maps[..., :2] @ ANCHORS.to(affines)[..., None])[..., 0] + maps[..., 2]


def springs(affines: torch.Tensor, about: Pivot = "part") -> torch.Tensor:
    """Both ends of the 17 pairs: (..., 17, 2 ends, 2) screen coordinates."""
    return anchors(affines, about)[..., torch.tensor(PAIRS, device=affines.device), :]


def anchor_loss(affines: torch.Tensor, about: Pivot = "part") -> torch.Tensor:
    """How far paired anchors are apart: a third of the squared distance, summed over the 17 pairs.

    Distances are in widths of the image. The third is the released code's: it takes the mean over the three
    homogeneous coordinates, of which the last never differs. The paper divides by the number of anchors instead.

    Returns:
        (...), 0 exactly where every pair coincides. Blind to anything that all parts do together.
    """
    ends = springs(affines, about)
    widths = (ends[..., 0, :] - ends[..., 1, :]) / 2  # [-1, 1] to [0, 1]
    return (widths * widths).sum((-1, -2)) / 3


def boundary_loss(
    affines: torch.Tensor, about: Pivot = "part", *, kind: Kind = "hinge", core_only: bool = False
) -> torch.Tensor:
    """How far anchors lie outside the picture: a third of the sum over both axes, summed over the anchors.

    The third is the released code's, as in `anchor_loss`.

    Args:
        affines: (..., 18, 2, 3) as for `warp.part_maps`.
        about: the point about which a part turns, see `warp.to_screen_maps`.
        kind: "hinge" (ours): max(|a| - 1, 0) for each coordinate a, continuous at the edge. "jump" (the paper): |a|
            where |a| > 1, else 0; it leaps to 1 at the edge.
        core_only: only the three anchors of the core count. The released code does this by a slip: it reads the core
            three times instead of all parts, so that a foot may leave the picture free of charge, and the core pays
            threefold.

    Returns:
        (...)

    Raises:
        ValueError: wrong shape or an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}, expected one of {', '.join(map(repr, KINDS))}")
    distance = anchors(affines, about).abs()
    if core_only:
        distance = distance[..., : ANCHOR_PART.count(0), :]
    beyond = (distance - 1).clamp_min(0) if kind == "hinge" else distance * (distance > 1)
    return beyond.sum((-1, -2)) * (1 if core_only else 1 / 3)
