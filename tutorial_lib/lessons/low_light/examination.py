"""How lesson 12's networks are built and tested: at every level of darkness, and by day, with the lamp switch given."""

from functools import cache
from pathlib import Path
from typing import Any

import torch

from tutorial_lib import checkpoints
from tutorial_lib.datasets.photos import PhotoSet
from tutorial_lib.heatmaps import KeypointNet
from tutorial_lib.lessons.low_light.recipes import LAMP, START, THRESHOLD, Row
from tutorial_lib.low_light import Light, LowLightNet, day, night

BATCH = 250


@cache
def start_architecture() -> dict[str, Any]:
    """What lesson 01's network was built with."""
    return checkpoints.record(f"heads/{START}")["architecture"]


def load_start() -> KeypointNet:
    """Lesson 01's network, trained by day, in eval mode."""
    tensors = checkpoints.weights(f"heads/{START}")[1]
    return checkpoints.fill(lambda: KeypointNet(**start_architecture()), tensors, START)


def load_net(row: Row, folder: Path = checkpoints.FOLDER) -> LowLightNet:
    """A network of `recipes.SHIPPED`, or lesson 01's for "well", in eval mode."""
    if row == "well":
        return LowLightNet(load_start()).eval()
    about, tensors = checkpoints.weights(f"dark/{row}", folder)
    made = about["architecture"]
    return checkpoints.fill(lambda: LowLightNet(KeypointNet(**made["net"]), made["two_sided"]), tensors, row)


def light_of(exposure: float) -> Light:
    """Where the lamp switch stands."""
    return "dark" if exposure < LAMP else "bright"


def as_seen(pixels: torch.Tensor, exposure: float) -> torch.Tensor:
    """(B, 3, H, W) uint8 as a network gets them: amplified if the lamp is off."""
    return night(pixels) if light_of(exposure) == "dark" else day(pixels)


def standardised(pixels: torch.Tensor) -> torch.Tensor:
    """(B, 3, H, W) uint8 as the paper's bright side gets them: less the mean of ImageNet, divided by its deviation."""
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (day(pixels) - mean[:, None, None]) / deviation[:, None, None]


def predict(net: LowLightNet, images: torch.Tensor, exposure: float) -> torch.Tensor:
    """(B, 17, 2) joints in normalised screen coordinates of the picture.

    Args:
        net: in eval mode.
        images: (B, 3, H, W) as `as_seen`.
        exposure: of all of them.
    """
    device = next(net.parameters()).device
    with torch.no_grad():
        parts = [net.predict(some.to(device), light_of(exposure)).cpu() for some in images.split(BATCH)]
    return torch.cat(parts)


def judge(net: LowLightNet, images: torch.Tensor, exposure: float, photos: PhotoSet) -> dict[str, float]:
    """PCK in per cent and mean error in pixels, over joints inside the pictures."""
    return judged(predict(net, images, exposure), photos)


def judged(points: torch.Tensor, photos: PhotoSet) -> dict[str, float]:
    """The same of (B, 17, 2) points that somebody says."""
    off = (points - photos.keypoints).norm(dim=-1)[photos.inside]
    return {
        "pck": round(100 * (off <= THRESHOLD).float().mean().item(), 3),
        "px": round(off.mean().item() * photos.pixels.shape[-1] / 2, 4),
    }


def blind(train: PhotoSet, test: PhotoSet) -> dict[str, float]:
    """Who does not look, and says for every picture where joints are on average."""
    weight = train.inside[..., None].float()
    mean = (train.keypoints * weight).sum(0) / weight.sum(0)
    return judged(mean.expand_as(test.keypoints), test)
