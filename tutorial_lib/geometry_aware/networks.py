"""A picture to points and an appearance, and back: what is turned in between is the points alone.

After Rhodin et al. (2018), in small: no pre-training, 48 pixels instead of 128, 32 points instead of 200. Ours is the
mask that lays the person over the plate; the paper's decoder joins the plate's features late, and paints all pixels.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import nn

from tutorial_lib.geometry_aware.latents import rotate

Layout = Literal["dense", "splat"]
"""How a decoder brings points into the picture: by layers that know nothing of space, or by putting them there."""

_COARSE = 6
"""Cells a side of the coarsest map, for pictures of 48 pixels."""


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )  # fmt: skip


def _halved(net: nn.Module, picture: torch.Tensor) -> torch.autocast:
    """Convolutions compute in bfloat16 while they are trained, which takes two thirds of the time; rotations never."""
    return torch.autocast(picture.device.type, torch.bfloat16, enabled=net.training)


class Encoder(nn.Module):
    """A picture to a cloud of points and a vector of appearance.

    Args:
        points: how many.
        appearance: numbers.
        size: side of the square picture in pixels, a multiple of 8.
        hidden: width of the layer between map and latent.

    Raises:
        ValueError: a size that is no multiple of 8.
    """

    def __init__(self, points: int = 32, appearance: int = 24, size: int = 48, hidden: int = 80):
        super().__init__()
        if size < 8 or size % 8:
            raise ValueError(f"size is {size}, expected a multiple of 8 pixels: the last map has one cell for 8")
        self.points, self.size = points, size
        self.maps = nn.Sequential(_conv(3, 16, 2), _conv(16, 32, 2), _conv(32, 64, 2), _conv(64, 16))
        self.latent = nn.Sequential(
            nn.Flatten(), nn.Linear(16 * (size // 8) ** 2, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU(),
            nn.Linear(hidden, 3 * points + appearance),
        )  # fmt: skip

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Pictures (B, 3, size, size) in [0, 1] to points (B, points, 3), camera frame, and appearance (B, numbers).

        Raises:
            ValueError: pictures of another size.
        """
        if image.ndim != 4 or image.shape[1:] != (3, self.size, self.size):
            raise ValueError(f"image has shape {tuple(image.shape)}, expected (B, 3, {self.size}, {self.size})")
        with _halved(self, image):
            maps = self.maps(image - 0.5)
        latent = self.latent(maps.float())
        return latent[:, : 3 * self.points].unflatten(1, (self.points, 3)), latent[:, 3 * self.points :]


class Dense(nn.Module):
    """Points to a coarse map by fully connected layers: what a third axis means, they must find out."""

    def __init__(self, points: int, appearance: int, outputs: int, coarse: int, hidden: int = 96):
        super().__init__()
        self.spread = nn.Sequential(
            nn.Flatten(), nn.Linear(3 * points, hidden), nn.ReLU(), nn.Linear(hidden, 16 * coarse**2), nn.ReLU(),
            nn.Unflatten(1, (16, coarse, coarse)),
        )  # fmt: skip
        self.mix = _conv(16 + appearance, outputs)

    def forward(self, points: torch.Tensor, appearance: torch.Tensor) -> torch.Tensor:
        """(B, outputs, 2 coarse, 2 coarse)."""
        spread = self.spread(points)
        tiled = appearance[:, :, None, None].expand(-1, -1, *spread.shape[-2:])
        with _halved(self, spread):
            return F.interpolate(self.mix(torch.cat([spread, tiled], 1)), scale_factor=2.0)


class Splat(nn.Module):
    """Points to a map by drawing each as a Gaussian where it is: 3D geometry that nobody has to learn. Or so it looks.

    Each point has a map of its own. Screen coordinates are the point's x and y, so the frame's scale is the window's.
    """

    def __init__(self, points: int, appearance: int, outputs: int, cells: int, sigma: float = 0.14):
        super().__init__()
        self.cells, self.sigma = cells, sigma
        self.mix = _conv(points + appearance, outputs)

    def maps(self, points: torch.Tensor) -> torch.Tensor:
        """(B, points, cells, cells): a bump of height 1 a point."""
        centres = (2 * torch.arange(self.cells, device=points.device, dtype=points.dtype) + 1) / self.cells - 1
        across, down = (((centres - points[..., axis, None]) / self.sigma).square() for axis in (0, 1))
        return torch.exp(-0.5 * (down[..., :, None] + across[..., None, :]))

    def forward(self, points: torch.Tensor, appearance: torch.Tensor) -> torch.Tensor:
        """(B, outputs, cells, cells)."""
        maps = self.maps(points)
        tiled = appearance[:, :, None, None].expand(-1, -1, *maps.shape[-2:])
        with _halved(self, maps):
            return self.mix(torch.cat([maps, tiled], 1))


class Decoder(nn.Module):
    """Points in a camera's frame, an appearance and that camera's plate to a picture.

    Args:
        points: how many.
        appearance: numbers.
        size: side of the square picture in pixels, a multiple of 8.
        layout: "dense", or "splat" for the trap.
    """

    def __init__(self, points: int = 32, appearance: int = 24, size: int = 48, layout: Layout = "dense"):
        super().__init__()
        coarse = size // 8
        self.layout = (
            Dense(points, appearance, 40, coarse) if layout == "dense" else Splat(points, appearance, 40, 2 * coarse)
        )
        self.middle = nn.Sequential(
            _conv(40, 32), nn.Upsample(scale_factor=2.0), _conv(32, 24), nn.Conv2d(24, 32, 3, padding=1), nn.ReLU(),
            nn.PixelShuffle(2),
        )  # fmt: skip
        self.last = nn.Sequential(nn.Conv2d(8 + 3, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 4, 1))

    def forward(
        self, points: torch.Tensor, appearance: torch.Tensor, plate: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The picture, and the mask that laid the person over the plate.

        Args:
            points: (B, points, 3), in the frame of the camera whose picture is wanted.
            appearance: (B, numbers).
            plate: (B, 3, size, size) in [0, 1], what that camera sees when nobody is there.

        Returns:
            (B, 3, size, size) and (B, 1, size, size), both in [0, 1].
        """
        coarse = self.layout(points, appearance)
        with _halved(self, plate):
            painted = self.last(torch.cat([self.middle(coarse), plate - 0.5], 1)).float()
        mask = torch.sigmoid(painted[:, 3:])
        return torch.lerp(plate, torch.sigmoid(painted[:, :3]), mask), mask


class GeometryNet(nn.Module):
    """Encoder and decoder, with a rotation between them.

    Args:
        points: of the latent.
        appearance: numbers beside them.
        size: side of the square picture in pixels, a multiple of 8.
        layout: of the decoder.
    """

    def __init__(self, points: int = 32, appearance: int = 24, size: int = 48, layout: Layout = "dense"):
        super().__init__()
        self.architecture = {"points": points, "appearance": appearance, "size": size, "layout": layout}
        """What the constructor needs to build this network again."""
        self.encoder = Encoder(points, appearance, size)
        self.decoder = Decoder(points, appearance, size, layout)

    def forward(
        self, image: torch.Tensor, turn: torch.Tensor, plate: torch.Tensor, dressed: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One camera's picture to what another camera sees: encode, turn, decode.

        Args:
            image: (B, 3, size, size) of camera i, whose points are taken.
            turn: (B, 3, 3) R_j R_i^T.
            plate: (B, 3, size, size) of camera j.
            dressed: (B, 3, size, size) whose appearance is taken; None takes that of `image`.

        Returns:
            Picture (B, 3, size, size) and mask (B, 1, size, size) of camera j.
        """
        points, appearance = self.encoder(image)
        if dressed is not None:
            appearance = self.encoder(dressed)[1]
        return self.decoder(rotate(points, turn), appearance, plate)
