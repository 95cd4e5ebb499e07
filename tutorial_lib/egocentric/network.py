"""V2V: a volume in, a volume of scores for every joint out, and a soft-argmax that makes places of them."""

import torch
from torch import nn

from tutorial_lib.egocentric.voxels import to_metres, unproject
from tutorial_lib.integral import soft_argmax_3d
from tutorial_lib.skeleton import JOINTS


class Residual(nn.Module):
    """Two 3 x 3 x 3 convolutions around which their input is led."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv3d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm3d(outputs), nn.ReLU(),
            nn.Conv3d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm3d(outputs),
        )  # fmt: skip
        self.around = nn.Identity() if inputs == outputs else nn.Conv3d(inputs, outputs, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.layers(x) + self.around(x))


class V2V(nn.Module):
    """An encoder and a decoder of volumes, after V2V-PoseNet (Moon et al. 2018), on three sizes.

    Args:
        inputs: channels.
        outputs: channels.
        width: channels at full size; twice and three times as many further down.
    """

    def __init__(self, inputs: int, outputs: int, width: int = 16):
        super().__init__()
        self.first = nn.Conv3d(inputs, width, 3, padding=1)
        self.down = nn.ModuleList([Residual(width, width), Residual(width, 2 * width), Residual(2 * width, 3 * width)])
        self.up = nn.ModuleList([Residual(5 * width, 2 * width), Residual(3 * width, width)])
        self.last = nn.Conv3d(width, outputs, 1)

    def forward(self, volume: torch.Tensor) -> torch.Tensor:
        """(B, inputs, D, H, W) to (B, outputs, D, H, W); sides that four divides."""
        x, kept = torch.relu(self.first(volume)), []
        for level, block in enumerate(self.down):
            x = block(nn.functional.max_pool3d(x, 2) if level else x)
            kept.append(x)
        for block, beside in zip(self.up, reversed(kept[:-1]), strict=True):
            x = block(torch.cat([nn.functional.interpolate(x, scale_factor=2.0), beside], 1))
        return self.last(x)


class EgoNet(nn.Module):
    """2D joints and the voxels of the scene to a pose in the camera's frame, in metres: place and size included.

    In training mode the convolutions compute in bfloat16, which takes 0.6 of the time; the soft-argmax never does.

    Args:
        cells: along each side of the cube.
        width: of the V2V.
    """

    def __init__(self, cells: int = 16, width: int = 16):
        super().__init__()
        self.cells, self.width = cells, width
        self.v2v = V2V(len(JOINTS) + 1, len(JOINTS), width)

    @property
    def architecture(self) -> dict:
        """What the constructor needs to build this network again."""
        return {"cells": self.cells, "width": self.width}

    def logits(self, screen: torch.Tensor, inside: torch.Tensor, scene: torch.Tensor) -> torch.Tensor:
        """Scores (B, 17, cells, cells, cells), indexed z, y, x. Arguments as `forward`."""
        cones = unproject(screen, inside, self.cells)
        volume = torch.cat([cones, scene[:, None].to(cones)], 1)
        with torch.autocast(volume.device.type, torch.bfloat16, enabled=self.training):
            return self.v2v(volume).float()

    def forward(self, screen: torch.Tensor, inside: torch.Tensor, scene: torch.Tensor) -> torch.Tensor:
        """2D joints and scene to poses.

        Args:
            screen: (B, 17, 2) 2D joints.
            inside: (B, 17) bool, which of them are in the picture.
            scene: (B, cells, cells, cells) bool.

        Returns:
            (B, 17, 3) metres, camera frame.

        Raises:
            ValueError: a scene of other cells.
        """
        if scene.shape[1:] != (self.cells,) * 3:
            raise ValueError(f"scene has shape {tuple(scene.shape)}, expected (B, {', '.join([str(self.cells)] * 3)})")
        return to_metres(soft_argmax_3d(self.logits(screen, inside, scene)))
