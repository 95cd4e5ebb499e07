"""The dark camera: how little light there is, what a sensor makes of it, and how it is amplified afterwards."""

from collections.abc import Mapping

import torch

from tutorial_lib.render.sensor import Sensor

LEVELS: Mapping[str, float] = {"N": 0.028, "H": 0.012, "E": 0.0075}
"""Exposures of the three levels of darkness, normal, hard and extreme: a bright picture's mean falls to about 3, 1.5
and 1 of 255, as in ExLPose."""
PHOTONS = 150.0
"""That a white pixel collects by day. Set by what a well-lit network can still see (ours), not by the mean alone."""
READ_NOISE = 0.003
"""Of the read-out, in parts of white."""
RANGE = (0.0065, 0.035)
"""Exposures that training pictures are drawn from, evenly on a logarithmic scale."""
MEAN = 0.4
"""Of every channel of an amplified picture, as in ExLPose's code."""
FLOOR = 0.1 / 255
"""Smallest mean that is amplified: a channel in which no photon was counted stays black."""
STEP = 512


def amplify(image: torch.Tensor, mean: float = MEAN) -> torch.Tensor:
    """Every channel of every picture times one number, so that its mean is `mean`; bright spots may exceed 1.

    Args:
        image: (B, 3, H, W) in [0, 1], after the sensor has rounded it: light, noise and steps grow alike.
        mean: wanted. A channel darker than `FLOOR` on average is multiplied as if its mean were that.

    Returns:
        (B, 3, H, W), same dtype and device.

    Raises:
        ValueError: whole numbers, another shape, a mean that is not positive.
    """
    if image.ndim != 4 or not image.is_floating_point():
        raise ValueError(f"image is {image.dtype} of shape {tuple(image.shape)}, expected floating (B, 3, H, W)")
    if not mean > 0:
        raise ValueError(f"mean is {mean}, expected a number > 0, such as {MEAN}")
    return image * (mean / image.mean((-2, -1), keepdim=True).clamp_min(FLOOR))


def draw_exposures(count: int, generator: torch.Generator) -> torch.Tensor:
    """(count,) exposures from `RANGE`, evenly on a logarithmic scale."""
    low, high = torch.tensor(RANGE).log()
    return (low + (high - low) * torch.rand(count, generator=generator)).exp()


def dark_twins(
    pixels: torch.Tensor,
    exposures: torch.Tensor,
    generator: torch.Generator,
    *,
    photons: float = PHOTONS,
    read_noise: float = READ_NOISE,
) -> torch.Tensor:
    """The same moments with hardly any light: 8 bit, not amplified. Draw them once and keep them, as a camera does.

    Args:
        pixels: (B, 3, H, W) uint8, bright pictures; their values are taken for light.
        exposures: (B,) parts of their light.
        generator: of photons and noise.
        photons: that a white pixel collects at exposure 1.
        read_noise: of the read-out, in parts of white.

    Returns:
        (B, 3, H, W) uint8.

    Raises:
        ValueError: pixels that are not uint8, exposures of another number; or as `Sensor`.
    """
    if pixels.dtype != torch.uint8 or exposures.shape != pixels.shape[:1]:
        raise ValueError(
            f"pixels is {pixels.dtype} of shape {tuple(pixels.shape)}, exposures has shape {tuple(exposures.shape)}: "
            "expected uint8 (B, 3, H, W) and (B,)"
        )
    # A white pixel at exposure e collects e * photons: the light is dimmed first, and the sensor sees it at exposure 1.
    sensor = Sensor(photons=photons, read_noise=read_noise, bits=8)
    dark = []
    for some, light in zip(pixels.split(STEP), exposures.split(STEP)):
        seen = sensor.read(some.float() / 255 * light[:, None, None, None], torch.ones(len(some)), generator)
        dark.append((255 * seen).round().to(torch.uint8))
    return torch.cat(dark)
