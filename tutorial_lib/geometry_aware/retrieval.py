"""Is a latent geometry? Then one camera's latent, turned, is the other camera's latent of the same moment."""

from dataclasses import dataclass

import torch

from tutorial_lib.geometry_aware.latents import to_world
from tutorial_lib.geometry_aware.networks import Encoder
from tutorial_lib.geometry_aware.views import photos
from tutorial_lib.locking import MODEL_LOCK
from tutorial_lib.render import Views


@dataclass(frozen=True)
class Retrieval:
    """How often the nearest latents of the other camera hold the same moment.

    Attributes:
        first: share of moments whose nearest latent is the right one.
        among_five: share of moments where it is among the nearest five.
        chance: what `first` is for somebody who does not look.
        same: mean distance between both cameras' latents of one moment, in units of `others`.
        others: mean distance between latents of different moments.
    """

    first: float
    among_five: float
    chance: float
    same: float
    others: float


def encode(encoder: Encoder, images: torch.Tensor, batch: int = 256) -> tuple[torch.Tensor, torch.Tensor]:
    """Points (B, points, 3) and appearance (B, numbers) of photos, some at a time and without gradient.

    Args:
        encoder: in eval mode.
        images: (B, 3, H, W) in [0, 1].
        batch: how many at once.
    """
    with MODEL_LOCK, torch.no_grad():
        found = [encoder(images[first : first + batch]) for first in range(0, len(images), batch)]
    return torch.cat([points for points, _ in found]), torch.cat([appearance for _, appearance in found])


def retrieve(first: torch.Tensor, second: torch.Tensor) -> Retrieval:
    """Look for every latent of one camera among those of the other; the right one has the same row.

    Args:
        first: (B, ...) latents of one camera.
        second: the same shape, of the same B moments, in the same frame.

    Raises:
        ValueError: shapes that differ, or fewer than two moments.
    """
    if first.shape != second.shape or len(first) < 2:
        raise ValueError(
            f"first has shape {tuple(first.shape)}, second {tuple(second.shape)}, expected the same, two rows or more"
        )
    distance = torch.cdist(first.flatten(1).double(), second.flatten(1).double())
    right = distance.diagonal()
    nearer = (distance < right[:, None]).sum(1)
    count = len(first)
    others = (distance.sum() - right.sum()) / (count * (count - 1))
    return Retrieval(
        (nearer < 1).double().mean().item(), (nearer < 5).double().mean().item(), 1 / count,
        (right.mean() / others.clamp_min(1e-12)).item(), others.item(),
    )  # fmt: skip


def standardised(first: torch.Tensor, second: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Both (B, ...), every number less its mean and divided by its spread over both: none is louder than others."""
    both = torch.cat([first, second])
    spread, mean = torch.std_mean(both, 0)
    return (first - mean) / spread.clamp_min(1e-9), (second - mean) / spread.clamp_min(1e-9)


def across_cameras(encoder: Encoder, views: Views, *, turned: bool = True, scaled: bool = False) -> Retrieval:
    """Retrieval between the two cameras of groups, over the first moment of each.

    Args:
        encoder: in eval mode.
        views: groups; with a camera in a random direction each, so that the frame says nothing.
        turned: bring all latents into the world's frame first; otherwise they stay in their cameras'.
        scaled: then `standardised`: a point that a decoder never shows may be anywhere, and would be loudest.
    """
    points = encode(encoder, photos(views))[0].unflatten(0, (len(views), *views.pixels.shape[1:3]))[:, 0]
    if turned:
        points = to_world(points, views.rotation)
    pair = points[:, 0], points[:, 1]
    return retrieve(*(standardised(*pair) if scaled else pair))
