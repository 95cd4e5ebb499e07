"""The lenses of lesson 05 and how they are chosen: real ones and the reader's own beside the test lenses d1 to d4."""

import math
from pathlib import Path

import ipywidgets
import torch

from tutorial_lib.display.lens_controls import lens_controls, lens_presets
from tutorial_lib.display.live import StepSlider, slider
from tutorial_lib.distortion import COEFFICIENTS, distort
from tutorial_lib.lessons.camera_distortion.calibration_file import Calibration, read_calibration

REAL = {
    "a phone": torch.tensor([0.04, -0.06, 0.02, 0.0006, -0.0005]),
    "an action camera": torch.tensor([-0.26, 0.09, -0.014, 0.0004, -0.0003]),
}
"""Ours, of the order that calibrations report: nearly nothing, and a strong barrel. Their |p| is below 0.001."""

OWN = "your camera"
EDGE = 0.8
"""Plane radius at the middle of the drawn image's edge."""


def own_lens(calibration: str | Path | None) -> Calibration | None:
    """The reader's own calibration; None if no file is given."""
    return None if calibration is None else read_calibration(calibration)


def presets(own: Calibration | None = None) -> dict[str, dict[str, float]]:
    """Buttons: no lens, real lenses, the reader's own, the four test lenses."""
    test = lens_presets()
    lenses = REAL | ({} if own is None else {OWN: own.lens})
    real = {name: dict(zip(COEFFICIENTS, (round(v, 6) for v in lens.tolist()))) for name, lens in lenses.items()}
    return {"no lens": test.pop("no lens")} | real | test


def controls(own: Calibration | None = None, start: str = "no lens") -> dict[str, ipywidgets.Widget]:
    """A slider a coefficient, wide enough for the reader's own lens."""
    made = lens_controls(presets(own)[start])
    for name, value in presets(own).get(OWN, {}).items():
        known: StepSlider = made[name]
        if abs(value) > known.high:
            high = float(math.ceil(abs(value)))
            made[name] = slider(known.value, -high, high, max(known.step, high / 1000), name)
    return made


def name_of(values: dict[str, float], own: Calibration | None = None) -> str:
    """Which of the buttons these coefficients are, and where real ones come from."""
    name = next((name for name, preset in presets(own).items() if preset == values), "")
    if name == OWN and own is not None:
        reach = (
            "" if own.radius is None else f": it sees r ≤ {own.radius:.2f}, beyond that its numbers are extrapolated"
        )
        return f"{own.name}{reach}"
    return f"{name} (ours, of the order that calibrations report)" if name in REAL else name


def edge_note(lens: torch.Tensor) -> str:
    """Where the lens puts the edge of the image, in words."""
    angle = torch.linspace(0, 2 * torch.pi, 97)
    ring = EDGE * torch.stack([torch.cos(angle), torch.sin(angle)], -1)
    low, high = (f"{r:.2f}" for r in torch.linalg.vector_norm(distort(ring, lens.cpu()), dim=-1).aminmax())
    return f"the edge, r = {EDGE:.2f}, comes to {low if low == high else f'{low} to {high}'}"
