"""HigherHRNet in small (Cheng et al. 2020): maps at a quarter and at half of the picture, and tags at a quarter."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import nn

from tutorial_lib.heatmaps import KeypointNet
from tutorial_lib.skeleton import JOINTS

SIGMAS = (1.0, 1.5)
"""Of the targets at a quarter and at half of the picture, in their cells (ours; HigherHRNet has 2 at both)."""


class _Block(nn.Module):
    """Two convolutions beside a short cut."""

    def __init__(self, width: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x + self.layers(x))


class CrowdNet(nn.Module):
    """A picture of several people to maps at two resolutions, one a joint for all people, and tags.

    The trunk is lesson 01's small network at stride 4. A transposed convolution sees its features, maps and tags and
    doubles the resolution; one block follows (HigherHRNet: four).

    Args:
        size: side of the square picture, a multiple of 16.
        channels: of the trunk's stages.
        width: of its path back up.
        finer: width of the finer half.
    """

    def __init__(
        self, size: int = 64, channels: tuple[int, ...] = (16, 32, 64, 128), width: int = 32, finer: int = 20
    ):  # fmt: skip
        super().__init__()
        self.architecture = {"size": size, "channels": list(channels), "width": width, "finer": finer}
        self.trunk = KeypointNet("heatmap", size, 4, tuple(channels), width)
        self.maps_out = self.trunk.maps_out
        self.trunk.add_module("maps_out", nn.Identity())  # it ends before its maps
        joints = len(JOINTS)
        self.tags_out = nn.Conv2d(width, joints, 1)
        self.finer = nn.Sequential(
            nn.ConvTranspose2d(width + 2 * joints, finer, 4, 2, 1, bias=False), nn.BatchNorm2d(finer), nn.ReLU(),
            _Block(finer), nn.Conv2d(finer, joints, 1),
        )  # fmt: skip

    def begin_as(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Take over the weights of a `KeypointNet` for heat maps at stride 4, of the same size and widths.

        Args:
            tensors: its `state_dict`.
        """
        own = {key if key.startswith("maps_out.") else f"trunk.{key}": value for key, value in tensors.items()}
        missing, unexpected = self.load_state_dict(own, strict=False)
        if unexpected or any(key.startswith(("trunk.", "maps_out.")) for key in missing):
            raise ValueError(f"tensors has {sorted(tensors)[:3]}..., expected those of a KeypointNet with stride 4")

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Maps (B, 17, size / 4, size / 4) and (B, 17, size / 2, size / 2), and tags (B, 17, size / 4, size / 4).

        Args:
            images: (B, 3, size, size) in [0, 1].
        """
        features = self.trunk(images)
        coarse, tags = self.maps_out(features), self.tags_out(features)
        return coarse, self.finer(torch.cat([features, coarse, tags], 1)), tags


def merged(coarse: torch.Tensor, fine: torch.Tensor) -> torch.Tensor:
    """The mean of both resolutions, the coarser one enlarged: (B, J, n, n) as `fine`."""
    enlarged = F.interpolate(coarse, size=fine.shape[-2:], mode="bilinear", align_corners=False)
    return (enlarged + fine) / 2
