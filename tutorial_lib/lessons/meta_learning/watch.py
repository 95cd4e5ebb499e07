"""What one can watch in lesson 06 while it happens: a network that learns to learn, and steps that no label guides."""

import numpy as np
import plotly.graph_objects as go
import torch

from tutorial_lib import checkpoints, distortion, training
from tutorial_lib.adaptation import adapt, conventions, supervised_loss
from tutorial_lib.adaptation.lens_test import LensTest
from tutorial_lib.datasets.footage import Footage
from tutorial_lib.datasets.splits import builtin_split
from tutorial_lib.display.figures import curves
from tutorial_lib.lessons.meta_learning.experiment_crooked import BUDGETS, METHODS, episode
from tutorial_lib.lifting import TemporalLifter

SMOOTH = 10
"""Meta-steps that a point of the curve is the mean of."""


def meta_steps(
    lifter: TemporalLifter, seen: Footage, generator: torch.Generator, steps: int, rate: float = 1e-3
) -> tuple[list[float], list[float]]:
    """Train a lifter by MAML on crooked rigs; it is changed.

    Args:
        lifter: where training begins.
        seen: footage that tasks are drawn from.
        generator: draws them.
        steps: meta-steps, of four rigs each.
        rate: of the outer steps.

    Returns:
        The query loss in mm of every meta-step, before its inner step and after it.
    """
    before, after = [], []

    def meta_step(step: int) -> torch.Tensor:
        state = generator.get_state()
        with torch.no_grad():  # the same tasks without the inner step
            still = episode(lifter, METHODS["maml"], BUDGETS["shipped"], seen, 4, generator, alpha=0.0)
        generator.set_state(state)
        loss = episode(lifter, METHODS["maml"], BUDGETS["shipped"], seen, 4, generator)
        before.append(1000 * still.item())
        after.append(1000 * loss.item())
        return loss

    training.fit(lifter, meta_step, steps, rate=rate, label="meta-steps")
    return before, after


def gain_figure(before: list[float], after: list[float]) -> go.Figure:
    """The query losses of `meta_steps`, smoothed."""
    window = np.ones(SMOOTH) / SMOOTH
    count = len(after) - SMOOTH + 1
    return curves(
        {
            "before the inner step": (np.arange(count), np.convolve(before, window, "valid")),
            "after it": (np.arange(count), np.convolve(after, window, "valid")),
        },
        x_title="meta-steps", y_title="query loss (mm), mean of ten", x_range=(0, count - 1),
        title="The step learns to help",
    )  # fmt: skip


def without_labels(
    tilt: float, roll: float, lens: str, steps: int, seed: int, device: torch.device | str
) -> tuple[list[float], list[float]]:
    """Adapt the network that MAML trained for crooked rigs, on one of them, by the test video alone.

    Args:
        tilt: of the rig, degrees.
        roll: of the rig, degrees.
        lens: name of a preset.
        steps: gradient steps on the label-free loss.
        seed: of the test.
        device: where.

    Returns:
        The label-free loss before every step, and the error in mm before the first and after each.
    """
    rig = conventions.Convention(conventions.mounting(torch.tensor(tilt), torch.tensor(roll)))
    test = LensTest(builtin_split(seed), seed, clips=4, calibration_clips=4, device=device)
    seen = test.through(distortion.PRESETS[lens], convention=rig)
    errors: list[float] = []
    adapted = adapt(
        checkpoints.load("crooked/maml-9f", device), seen.video, steps, rate=1e-3,
        watch=lambda model: errors.append(1000 * supervised_loss(model.lift(seen.video), seen.truth).item()),
    )  # fmt: skip
    return adapted.losses, errors


def lean_figure(losses: list[float], errors: list[float]) -> go.Figure:
    """What `without_labels` returns, in per cent of where each begins."""
    ends = {"label-free loss (% of its start)": losses, "error (% of its start)": errors}
    return curves(
        {name: (np.arange(len(values)), 100 * np.array(values) / values[0]) for name, values in ends.items()},
        x_title="steps without labels", y_title="% of the start", x_range=(0, len(losses)), y_range=(0, 130),
        title="Bones get consistent, the skeleton goes on leaning",
    )  # fmt: skip
