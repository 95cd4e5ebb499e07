"""What a bright twin can teach: Gram matrices that should agree, and features that should not betray the light."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn


def gram(features: torch.Tensor) -> torch.Tensor:
    """Which channels fire together, wherever that is: (B, C, C), the mean over all cells of f f^T.

    Args:
        features: (B, C, H, W).

    Raises:
        ValueError: another number of dimensions.
    """
    if features.ndim != 4:
        raise ValueError(f"features has shape {tuple(features.shape)}, expected (B, C, H, W)")
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[-1]


def lupi_loss(dark: Sequence[torch.Tensor], bright: Sequence[torch.Tensor]) -> torch.Tensor:
    """How far the Gram matrices of dark pictures are from those of their bright twins: a scalar.

    The mean over stages and pictures of |G_dark - G_bright|^2 / |G_bright|^2. The bright side is the teacher: no
    gradient flows into it. The division is ours: every stage counts alike, however large its numbers are. The released
    code sums MSE(G_dark, G_bright) over pictures, with constants that are tied to its own features.

    Args:
        dark: one (B, C, H, W) a stage.
        bright: of the twins, in the same order.

    Raises:
        ValueError: stages or shapes that differ.

    Source: Lee et al. 2023 (ExLPose), sec. 5.2 and their code.
    """
    if len(dark) != len(bright) or any(a.shape != b.shape for a, b in zip(dark, bright)):
        shapes = [tuple(a.shape) for a in dark], [tuple(b.shape) for b in bright]
        raise ValueError(f"stages are {shapes[0]} and {shapes[1]}, expected the same shapes: twins, stage by stage")
    terms = []
    for ours, theirs in zip(dark, bright):
        teacher = gram(theirs.detach())
        off = (gram(ours) - teacher).square().sum((1, 2))
        terms.append((off / teacher.square().sum((1, 2)).clamp_min(1e-12)).mean())
    return torch.stack(terms).mean()


def reverse_gradient(x: torch.Tensor, strength: float = 1.0) -> torch.Tensor:
    """x itself; but what is behind it makes the loss small, and what is before it, large (Ganin and Lempitsky 2015).

    Args:
        x: any tensor.
        strength: by which the reversed gradient is multiplied.
    """
    return x.detach() - strength * (x - x.detach())  # what is subtracted is zero, and has a gradient


class LightCritic(nn.Module):
    """Guesses from the last stage whether it is dark, while the network before it learns that it cannot (DANN).

    Args:
        channels: of the features.
        hidden: width.
    """

    def __init__(self, channels: int, hidden: int = 64):
        super().__init__()
        self.guess = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def loss(self, features: torch.Tensor, dark: torch.Tensor, strength: float) -> torch.Tensor:
        """Cross-entropy of its guesses, a scalar: the critic makes it small, the network before it makes it large.

        Args:
            features: (B, C, H, W).
            dark: (B,) bool.
            strength: of the reversed gradient.
        """
        pooled = reverse_gradient(features.mean((2, 3)), strength)
        return F.binary_cross_entropy_with_logits(self.guess(pooled)[:, 0], dark.to(pooled.dtype))
