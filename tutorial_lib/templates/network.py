"""The networks that move the template without being told where: regressor, translator, and the eye that compares.

Source of the idea: Schmidtke et al. (CVPR 2021). The sizes are ours: a few hundred thousand parameters for photos of 64
pixels a side instead of millions for 256. All networks begin by folding 2 x 2 pixels into channels, so that nothing is
computed at the full raster.
"""

import math

import torch
from torch import nn
from torch.nn import functional

from tutorial_lib.skeleton import JOINTS
from tutorial_lib.templates.parts import NAMES
from tutorial_lib.templates.skeletons import affines_to
from tutorial_lib.templates.warp import Pivot, gaussian_maps, identity, moved

FOLD = 2
"""Pixels a side that become channels."""

EDGE = 12.0
"""How sharp the edge of a `solid` part is: the slope is 3 where the Gaussian is 1/2."""

_STANDING = {
    "hip": (0.0, -0.03), "spine": (0.0, -0.25), "thorax": (0.0, -0.47), "neck": (0.0, -0.54), "head": (0.0, -0.74),
    "hips": (0.10, -0.03), "knee": (0.10, 0.36), "foot": (0.10, 0.74),
    "shoulder": (0.16, -0.47), "elbow": (0.24, -0.23), "wrist": (0.28, -0.01),
}  # fmt: skip


def _standing() -> torch.Tensor:
    """(17, 2): an adult who stands with lowered arms, by hand; the right side of the person is on the image's left."""
    places = []
    for name in JOINTS:
        side, _, joint = name.rpartition("_")
        x, y = _STANDING["hips" if side and joint == "hip" else joint]
        places.append((-x if side == "right" else x, y))
    return torch.tensor(places)


START = affines_to(_standing())
"""(18, 2, 3) where training begins. The published template is an infant in a T-pose: its legs are as long as its trunk.
Ours, and no label: like the template itself it is drawn by hand."""

FIRST_ANSWER = (START - identity()).flatten()
"""What an untrained `Regressor` answers, so that its affine maps are `START`."""


def _block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.1),
    )


def _check_photos(photos: torch.Tensor, size: int | None = None) -> None:
    wanted = "(B, 3, H, H), H a multiple of 16" if size is None else f"(B, 3, {size}, {size})"
    good = photos.ndim == 4 and photos.shape[1] == 3 and photos.shape[2] == photos.shape[3]
    if not good or photos.shape[2] % 16 or (size is not None and photos.shape[2] != size):
        raise ValueError(f"photos has shape {tuple(photos.shape)}, expected {wanted}: RGB in [0, 1]")


class Regressor(nn.Module):
    """Photo to 18 affine maps about the parts' centres: [I | 0] plus what the network answers.

    Untrained, it answers `START`, whatever the photo: a part far from its limb would feel nothing of it.

    Args:
        size: side of the photos in pixels, a multiple of 16.
        width: channels of the first layer.
    """

    def __init__(self, size: int = 64, width: int = 32) -> None:
        super().__init__()
        if size % 16:
            raise ValueError(f"size is {size}, expected a multiple of 16: the photo is halved four times")
        self.size, self.width = size, width
        self.trunk = nn.Sequential(
            nn.PixelUnshuffle(FOLD),
            _block(3 * FOLD**2, width),
            _block(width, 2 * width, 2),
            _block(2 * width, 3 * width, 2),
            _block(3 * width, 4 * width, 2),
            nn.Flatten(),
            nn.Linear(4 * width * (size // 16) ** 2, 6 * width),
            nn.LeakyReLU(0.1),
        )
        self.answer = nn.Linear(6 * width, len(NAMES) * 6)
        nn.init.zeros_(self.answer.weight)
        with torch.no_grad():
            self.answer.bias.copy_(FIRST_ANSWER)

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        """(B, 3, size, size) in [0, 1] to (B, 18, 2, 3)."""
        _check_photos(photos, self.size)
        seen = self.trunk(photos - 0.5)
        with torch.autocast(photos.device.type, enabled=False):  # where a part lies needs more than bfloat16's 8 bits
            change = self.answer(seen.to(photos.dtype)).unflatten(-1, (len(NAMES), 2, 3))
        return identity(dtype=photos.dtype, device=photos.device) + change


class Translator(nn.Module):
    """The empty place, painted over by the posed parts; each has the colours that it had in another photo.

    A few numbers a pixel are read from the other photo, and every part takes their mean over where *it* lies there.
    With them it is painted where it lies now. Convolutions that see no further than a few pixels turn that into what
    is added to the empty place. This is ours: the paper concatenates photo and parts. There the network may copy the
    person from the photo where poses differ little; here pose enters only where a part lies, and a part that misses
    its limb in either photo brings the wrong colour.

    Args:
        width: half the channels inside.
        colours: numbers that a part is painted with.
        leak: how much of the photo passes beside the parts, to the convolutions: its means over so many cells a side.
            With all its pixels this is nearly the paper's translator. 0 lets nothing pass (ours).
    """

    def __init__(self, width: int = 16, colours: int = 8, leak: int = 0) -> None:
        super().__init__()
        self.width, self.colours, self.leak = width, colours, leak
        pixels, inner = 3 * FOLD**2, 2 * width
        self.look = nn.Sequential(nn.Conv2d(pixels, width, 1), nn.LeakyReLU(0.1), nn.Conv2d(width, colours, 1))
        self.mix = nn.Sequential(
            nn.Conv2d(pixels * (2 if leak else 1) + colours + len(NAMES), inner, 3, 1, 1), nn.LeakyReLU(0.1),
            nn.Conv2d(inner, inner, 3, 1, 1), nn.LeakyReLU(0.1),
        )  # fmt: skip
        last = nn.Conv2d(inner, pixels, 3, 1, 1)
        with torch.no_grad():  # untrained, it adds nothing to the place
            for parameter in last.parameters():
                parameter.zero_()
        self.paint = nn.Sequential(last, nn.PixelShuffle(FOLD))

    def forward(
        self, photos: torch.Tensor, there: torch.Tensor, places: torch.Tensor, here: torch.Tensor
    ) -> torch.Tensor:
        """Photo to take colours from and the parts in it, empty place and the parts to paint: to the picture.

        Args:
            photos: (B, 3, H, H) in [0, 1].
            there: `part_maps` in them at half the side, (B, 18, H/2, H/2).
            places: (B, 3, H, H) in [0, 1].
            here: `part_maps` to paint, of the same size as `there`.

        Returns:
            (B, 3, H, H)
        """
        _check_photos(photos)
        half = photos.shape[-1] // FOLD
        for name, maps in (("there", there), ("here", here)):
            if tuple(maps.shape) != (len(photos), len(NAMES), half, half):
                raise ValueError(f"{name} has shape {tuple(maps.shape)}, expected ({len(photos)}, 18, {half}, {half})")
        share = solid(there).flatten(-2)
        share = share / (share.sum(-1, keepdim=True) + 0.1)  # a part outside the photo has no colour
        colours = self.look(functional.pixel_unshuffle(photos - 0.5, FOLD)).flatten(-2) @ share.transpose(-1, -2)
        cover = solid(here)
        painted = (colours @ cover.flatten(-2)).unflatten(-1, (half, half))
        seen = [functional.pixel_unshuffle(places - 0.5, FOLD), painted, cover]
        if self.leak:
            coarse = functional.adaptive_avg_pool2d(photos - 0.5, self.leak)
            seen.append(functional.pixel_unshuffle(functional.interpolate(coarse, photos.shape[-2:]), FOLD))
        return places + self.paint(self.mix(torch.cat(seen, 1)))


class Eye(nn.Module):
    """Features in which photos are compared, in place of VGG: the first half of a network that repairs photos.

    It is trained once, before everything else and without labels: holes and noise in, the whole photo out. Then it
    stays as it is. VGG learned its features from a million labelled photos, which is help from outside.

    Args:
        width: half the number of features.
    """

    middle: torch.Tensor
    spread: torch.Tensor

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.width = width
        self.see = nn.Sequential(
            nn.PixelUnshuffle(FOLD),
            nn.Conv2d(3 * FOLD**2, width, 3, 1, 1),
            nn.LeakyReLU(0.1),
            nn.Conv2d(width, 2 * width, 3, 2, 1),
            nn.LeakyReLU(0.1),
        )
        self.repair = nn.Sequential(
            nn.Conv2d(2 * width, 2 * width, 3, 1, 1),
            nn.LeakyReLU(0.1),
            nn.Conv2d(2 * width, 3 * (2 * FOLD) ** 2, 3, 1, 1),
            nn.PixelShuffle(2 * FOLD),
        )
        self.register_buffer("middle", torch.zeros(1, 2 * width, 1, 1))
        self.register_buffer("spread", torch.ones(1, 2 * width, 1, 1))

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, H) to features (B, 2 width, H/4, H/4)."""
        return (self.see(photos - 0.5) - self.middle) / self.spread

    def repaired(self, photos: torch.Tensor) -> torch.Tensor:
        """The photo as the network would have it: (B, 3, H, H)."""
        return 0.5 + self.repair(self.see(photos - 0.5))

    @torch.no_grad()
    def standardise(self, photos: torch.Tensor) -> None:
        """Shift and scale every feature to mean 0 and standard deviation 1 over these photos."""
        seen = self.see(photos - 0.5)
        self.middle.copy_(seen.mean((0, 2, 3), keepdim=True))
        self.spread.copy_(seen.std((0, 2, 3), keepdim=True).clamp_min(1e-3))


def soft_maps(affines: torch.Tensor, size: int, blur: float = 0.0, about: Pivot = "part") -> torch.Tensor:
    """`part_maps` with every Gaussian widened by a blur of this standard deviation (half widths of the image).

    Ours: a wide part feels a limb from further away. Training begins wide and ends sharp.
    """
    mean, covariance = moved(affines, about)
    return gaussian_maps(mean, covariance + blur**2 * torch.eye(2, dtype=mean.dtype, device=mean.device), size)


def solid(maps: torch.Tensor) -> torch.Tensor:
    """Parts with an edge where the Gaussian is 1/2: a Gaussian's long tail would cover what is beside a limb.

    Args:
        maps: any shape, in [0, 1].

    Returns:
        The same shape: 0 where the Gaussian is 0, 1 where it is 1, between them an S.
    """
    return 0.5 + torch.tanh(EDGE / 2 * (maps - 0.5)) / (2 * math.tanh(EDGE / 4))
