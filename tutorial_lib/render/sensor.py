"""The sensor: how light becomes numbers. Photons, the noise of reading them out, amplification, bits."""

import math
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Sensor:
    """What stands between the light of a picture and the picture; the default is a good camera by day.

    Attributes:
        exposure: light that arrives, in parts of that of a well exposed picture: 0.01 is a dark room or a short time.
        photons: that a white pixel collects at exposure 1. They come one by one, so n of them scatter by sqrt(n);
            infinity is light without grain.
        read_noise: standard deviation of the read-out, in parts of white and before amplification.
        gain: amplification of light and noise alike (ISO).
        bits: of the numbers: 2 ** bits levels from black to white; None: not rounded.

    Raises:
        ValueError: a number that is negative, or not positive where nothing would be left.
    """

    exposure: float = 1.0
    photons: float = math.inf
    read_noise: float = 0.02
    gain: float = 1.0
    bits: int | None = None

    def __post_init__(self):
        for name in ("exposure", "photons", "gain"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected a number > 0")
        if not self.read_noise >= 0:
            raise ValueError(f"read_noise is {self.read_noise}, expected a number >= 0")
        if self.bits is not None and not 1 <= self.bits <= 16:
            raise ValueError(f"bits is {self.bits}, expected 1 to 16, or None for no rounding")

    def read(self, image: torch.Tensor, grain: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """Pictures as the sensor gives them.

        Gradients pass as if photons were not counted and numbers not rounded.

        Args:
            image: (B, 3, H, W) light in [0, 1] of a well exposed picture.
            grain: (B,) by which factor a picture's read noise is larger than `read_noise`.
            generator: of photons and noise.

        Returns:
            (B, 3, H, W) in [0, 1], same dtype and device.
        """
        light = image * self.exposure
        if self.photons < math.inf:
            where = generator.device if generator is not None else light.device
            counted = torch.poisson((light.detach() * self.photons).to(where), generator=generator).to(light)
            light = light + (counted / self.photons - light.detach())
        if self.read_noise:
            device = generator.device if generator is not None else image.device
            noise = torch.randn(image.shape, generator=generator, dtype=image.dtype, device=device).to(image.device)
            light = noise.mul_((grain * self.read_noise)[:, None, None, None]) + light
        seen = (light * self.gain).clamp(0, 1)
        if self.bits is None:
            return seen
        steps = 2**self.bits - 1
        return seen + ((seen.detach() * steps).round() / steps - seen.detach())


DAYLIGHT = Sensor()
