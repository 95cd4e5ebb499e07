"""The dark camera: how light becomes numbers when there is hardly any, and which noise drowns it."""

import math
from functools import partial
from typing import Any

import numpy as np
import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.lessons.low_light.pictures import exposure_of, in_words, test_photos
from tutorial_lib.low_light import LEVELS, LowLightNet, amplify
from tutorial_lib.low_light.dark_camera import PHOTONS, READ_NOISE
from tutorial_lib.render.sensor import Sensor

GREY = 0.4
"""Light of a middling pixel by day, in parts of white."""
DARKEST = 8


def noises(exposure: float, photons: float, read_noise: float, bits: int) -> dict[str, float]:
    """Standard deviations of a middling pixel, in parts of its signal: what each source alone would do.

    Args:
        exposure: part of the light of day.
        photons: that a white pixel collects by day.
        read_noise: of the read-out, in parts of white.
        bits: of the numbers.
    """
    signal = GREY * exposure
    return {
        "photons": (0.0 if photons == math.inf else math.sqrt(signal / photons)) / signal,
        "read-out": read_noise / signal,
        "rounding": 1 / (2**bits - 1) / math.sqrt(12) / signal,
    }


def compute_camera(
    net: LowLightNet, halvings: float, photons: float, read_noise: float, bits: int, amplified: bool, photo: int
) -> dict[str, Any]:
    """What `camera_demo` shows for these values of its controls."""
    photos, exposure = test_photos(), exposure_of(halvings)
    light = photos.image[photo][None] * exposure
    sensor = Sensor(photons=photons, read_noise=read_noise, bits=bits)
    raw = sensor.read(light, torch.ones(1), torch.Generator().manual_seed(photo))
    bright = amplify(raw).clamp(0, 1)
    with torch.no_grad():
        points = net.predict(amplify(raw) if amplified and exposure < 1 else raw, "bright")[0]
    off = (points - photos.keypoints[photo]).norm(dim=-1)[photos.inside[photo]]
    return {
        "raw": raw[0], "shown": (bright if amplified and exposure < 1 else raw)[0], "points": points,
        "truth": photos.keypoints[photo], "px": off.mean().item() * raw.shape[-1] / 2,
        "values": len((255 * raw).round().unique()), "mean": 255 * raw.mean().item(),
        "noises": noises(exposure, photons, read_noise, bits), "exposure": exposure,
    }  # fmt: skip


def view_camera(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `camera_demo`."""
    along = np.linspace(0, DARKEST, 33)
    rows = [noises(exposure_of(k), params["photons"], params["read_noise"], params["bits"]) for k in along]
    looks = (("photons", "orange", "solid"), ("read-out", "blue", "dash"), ("rounding", "purple", "dot"))
    worst = max(arrays["noises"], key=arrays["noises"].__getitem__)
    return stage.panes(
        stage.image(picture=arrays["raw"].permute(1, 2, 0), cross=None, margin=0.02, title="what the sensor gives"),
        stage.image(
            picture=arrays["shown"].permute(1, 2, 0), cross=None, margin=0.02,
            skeletons=[
                stage.skeleton2d("truth", arrays["truth"], width=2.0),
                stage.skeleton2d("lesson 01's network", arrays["points"], colour="vermillion", width=3.0),
            ],
            title="what the network gets, and says",
        ),
        stage.curve(
            [
                stage.series(name, along, [np.clip(row[name], 1e-3, 30) for row in rows], colour=colour, dash=dash)
                for name, colour, dash in looks
            ],
            x=stage.axis("halvings of the light", 0, DARKEST), now=params["halvings"], grab="walk",
            y=stage.axis("noise of a grey pixel / its light", 1e-3, 30, log=True),
            lines=[stage.hline("as large as the light", 1.0)], title="three kinds of noise", weight=1.3,
        ),
        height=270,
        note=(
            f"{in_words(arrays['exposure'])}: mean {arrays['mean']:.1f} of 255, {arrays['values']} different values in "
            f"the picture; the largest noise is that of the {worst}, {100 * arrays['noises'][worst]:.0f} % of a grey "
            f"pixel's light; the network is {arrays['px']:.1f} px off"
        ),
    )  # fmt: skip


def camera_demo(net: LowLightNet) -> Demo:
    """Take light away, and every kind of noise in turn."""
    controls = {
        "halvings": slider(7, 0, DARKEST, 0.5, "halvings of the light"),
        "amplified": choice([("yes", True), ("no", False)], True, "amplified"),
        "photons": choice([("30", 30.0), ("150", PHOTONS), ("1000", 1000.0), ("no grain", math.inf)], PHOTONS,
                          "photons of white"),
        "read_noise": choice([("none", 0.0), ("0.3 %", READ_NOISE), ("2 %", 0.02)], READ_NOISE, "read-out noise"),
        "bits": choice([("6", 6), ("8", 8), ("12", 12)], 8, "bits"),
        "photo": slider(0, 0, 7, 1, "photo"),
    }  # fmt: skip
    usual = {"amplified": True, "photons": PHOTONS, "read_noise": READ_NOISE, "bits": 8, "photo": 0}
    presets = {
        "day": usual | {"halvings": 0},
        "LL-N": usual | {"halvings": 5},
        "LL-E": usual | {"halvings": 7},
        "LL-E, raw": usual | {"halvings": 7, "amplified": False},
        "LL-E, light without grain": usual | {"halvings": 7, "photons": math.inf},
        "LL-E, 12 bits": usual | {"halvings": 7, "bits": 12},
    }
    return live(
        partial(compute_camera, net), view_camera, controls, presets=presets,
        title="The dark camera: which noise drowns the picture?", folded=("read_noise", "bits", "photo"),
        plays="halvings", recorded=("halvings",), grabs={"walk": lambda at, params: {"halvings": at[0]}},
    )  # fmt: skip


def drowned() -> dict[str, float]:
    """Noise of a grey pixel at the darkest level, in parts of its light: the lesson's first question."""
    return noises(LEVELS["E"], PHOTONS, READ_NOISE, 8)
