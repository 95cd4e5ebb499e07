"""How the four test lenses were chosen: `python -m tutorial_lib.lessons.camera_distortion.calibrate` prints them.

Each has a fixed character (its direction among the five coefficients). Its strength is the one at which the plain
lifter's error on *validation* people grows by the paper's own factor; the test people take no part.
"""

from collections.abc import Callable

import torch

from tutorial_lib import checkpoints
from tutorial_lib.adaptation.lens_test import UNDISTORTED, evaluate
from tutorial_lib.adaptation.rate_search import validation_test
from tutorial_lib.distortion import FOLD_RADIUS, folds

CHARACTERS = {
    "d1": ((-1.12, 0.80, 0.80, 0.12, -0.08), 1.95),
    "d2": ((1.10, 1.10, 0.70, -0.11, 0.10), 2.76),
    "d3": ((-1.12, 0.80, 0.80, -0.08, 0.06), 1.35),
    "d4": ((1.10, 1.10, 0.70, 0.09, 0.11), 1.31),
}
"""Direction and wanted factor; the paper gives x 1.95, x 2.76 and, for the moderate pair together, x 1.33."""

GRID = torch.tensor([0.02, 0.02, 0.02, 0.002, 0.002])
"""Coefficients are rounded to the demo's slider steps."""


def strength(
    character: tuple[float, ...], factor: float, growth: Callable[[torch.Tensor], float], high: float = 1.6
) -> torch.Tensor:
    """The lens along `character` whose error growth is `factor`, by bisection."""
    low, direction = 0.0, torch.tensor(character)
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if growth(middle * direction) < factor else (low, middle)
    return torch.round((low + high) / 2 * direction / GRID) * GRID


def main() -> None:
    model = checkpoints.load("plain-9f")
    lens_test = validation_test(clips=40)
    clean = evaluate(model, lens_test.through(UNDISTORTED)).mpjpe

    def growth(lens: torch.Tensor) -> float:
        return evaluate(model, lens_test.through(lens)).mpjpe / clean

    print(f"undistorted {clean:.1f} mm")
    for name, (character, factor) in CHARACTERS.items():
        lens = strength(character, factor, growth)
        values = ", ".join(f"{v:.3f}" for v in lens.tolist())
        inside = bool(folds(lens, FOLD_RADIUS))
        print(f'    "{name}": torch.tensor([{values}]),  # x {growth(lens):.2f}, folds: {inside}')


if __name__ == "__main__":
    main()
