"""The scene behind the body: cut the body out of a depth picture, and fill the hole, with and without learning.

Pictures are filled in *inverse* distance: over a plane it is a linear function of the ray's direction, so it has no
jumps but where surfaces end, and the far wall does not outweigh the floor.
"""

import cv2
import numpy as np
import torch
from torch import nn

from tutorial_lib.egocentric.headset import pixel_rays
from tutorial_lib.egocentric.samples import FAR, Samples
from tutorial_lib.training import History, fit

RADIUS = 3
"""Pixels, the neighbourhood of the classical filling."""


def square(values: torch.Tensor) -> torch.Tensor:
    """(B, P) pixels row by row as pictures (B, side, side)."""
    side = round(values.shape[-1] ** 0.5)
    return values.unflatten(-1, (side, side))


def fill_classical(distance: torch.Tensor, hole: torch.Tensor) -> torch.Tensor:
    """Fill holes from their rims, without learning: OpenCV's inpainting after Bertalmio et al. (2001).

    It carries on the lines of equal value that meet the rim, as a fluid would flow.

    Args:
        distance: (B, P) metres; what stands in a hole does not count.
        hole: (B, P) bool.

    Returns:
        (B, P) metres.
    """
    filled = []
    for picture, mask in zip(square(1 / distance.clamp_min(0.05)).cpu(), square(hole).cpu(), strict=True):
        known = torch.where(mask, 0.0, picture).numpy().astype(np.float32)
        filled.append(torch.from_numpy(cv2.inpaint(known, mask.numpy().astype(np.uint8), RADIUS, cv2.INPAINT_NS)))
    inverse = torch.stack(filled).flatten(1).to(distance).clamp_min(1 / FAR)
    return torch.where(hole, 1 / inverse, distance)


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1), nn.LeakyReLU(0.1), nn.Conv2d(outputs, outputs, 3, padding=1),
        nn.LeakyReLU(0.1),
    )  # fmt: skip


class FillNet(nn.Module):
    """A small U-Net: inverse distance with a hole, and the hole, to inverse distance.

    Args:
        width: channels at full size; they double twice.
    """

    def __init__(self, width: int = 16):
        super().__init__()
        self.width = width
        self.down = nn.ModuleList([_block(2, width), _block(width, 2 * width), _block(2 * width, 4 * width)])
        self.up = nn.ModuleList([_block(6 * width, 2 * width), _block(3 * width, width)])
        self.last = nn.Conv2d(width, 1, 1)

    @property
    def architecture(self) -> dict:
        """What the constructor needs to build this network again."""
        return {"width": self.width}

    def forward(self, distance: torch.Tensor, hole: torch.Tensor) -> torch.Tensor:
        """(B, P) metres and (B, P) bool to (B, P) metres; outside the hole nothing changes."""
        known = torch.where(hole, 0.0, 1 / distance.clamp_min(0.05))
        x, kept = torch.stack([square(known), square(hole).to(known)], 1), []
        for level, block in enumerate(self.down):
            x = block(nn.functional.max_pool2d(x, 2) if level else x)
            kept.append(x)
        for block, beside in zip(self.up, reversed(kept[:-1]), strict=True):
            x = block(torch.cat([nn.functional.interpolate(x, scale_factor=2.0), beside], 1))
        inverse = nn.functional.softplus(self.last(x)[:, 0].flatten(1)) + 1 / FAR
        return torch.where(hole, 1 / inverse, distance)


def fill_loss(net: FillNet, samples: Samples) -> torch.Tensor:
    """Mean difference of inverse distance in the holes, 1/m."""
    hole = samples.hole & pixel_rays(round(samples.scene.shape[1] ** 0.5))[1].to(samples.scene.device)
    filled = net(samples.scene, hole)
    return ((1 / filled - 1 / samples.scene).abs() * hole).sum() / hole.sum().clamp_min(1)


def learn_to_fill(
    samples: Samples, *, steps: int, generator: torch.Generator, width: int = 16, batch: int = 16, rate: float = 2e-3,
    progress: bool = True,
) -> tuple[FillNet, History]:  # fmt: skip
    """Train a `FillNet` on scenes whose truth behind the body is known.

    Args:
        samples: to train on.
        steps: updates.
        generator: draws batches; the weights come from torch's own.
        width: of the network.
        batch: how many at once.
        rate: of Adam, at the start.
        progress: show a bar.
    """
    device = samples.scene.device
    net = FillNet(width).to(device)

    def loss(step: int) -> torch.Tensor:
        return fill_loss(net, samples[torch.randint(len(samples), (batch,), generator=generator).to(device)])

    history = fit(net, loss, steps, rate=rate, label="inpainting", progress=progress).whole("inpainting")
    return net.eval(), history
