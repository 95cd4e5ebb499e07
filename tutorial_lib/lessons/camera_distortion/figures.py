"""The static figures of lesson 05: its sweeps and tables as they look without a kernel."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import torch

from tutorial_lib import checkpoints, distortion
from tutorial_lib.adaptation.lens_test import LensTest, evaluate
from tutorial_lib.datasets.splits import walker
from tutorial_lib.display import figures
from tutorial_lib.display.claims import intervals
from tutorial_lib.display.lens_controls import BODY, grid_lines
from tutorial_lib.metrics import Score, root_relative


def radial_sweep(steps: int = 9) -> go.Figure:
    """A grid while k1 goes from barrel to pincushion."""
    values = [round(v, 1) for v in np.linspace(-1.2, 1.2, steps)]
    pictures = [
        figures.image_plane(
            grid=grid_lines(torch.tensor([k1, 0, 0, 0, 0]), lines=9, points=21),
            circles={"half the image": 0.5},
            margin=0.35,
            title=f"radial: k1 = {k1}",
        )
        for k1 in values
    ]
    return figures.sweep(pictures, values, "k1", active=steps // 2)


def tangential_sweep(steps: int = 7) -> go.Figure:
    """A grid while a tangential lens tilts one way and the other."""
    values = [round(v, 2) for v in np.linspace(-0.15, 0.15, steps)]
    pictures = [
        figures.image_plane(
            grid=grid_lines(torch.tensor([0, 0, 0, p2 / 2, p2]), lines=9, points=21),
            margin=0.35,
            title=f"tangential: p2 = {p2}, p1 = {p2 / 2:.3f}",
        )
        for p2 in values
    ]
    return figures.sweep(pictures, values, "p2", active=steps // 2)


def fold_shares(limits: Sequence[float], radii: Sequence[float], seed: int, draws: int = 2000) -> dict:
    """Per cent of random lenses that fold: radius -> one value per limit."""

    def share(limit: float, radius: float) -> float:
        generator = torch.Generator().manual_seed(seed)
        lenses = distortion.sample_uniform(draws, limit, limit / 10, generator=generator, radius=None)
        return 100 * distortion.folds(lenses, radius).float().mean().item()

    return {radius: [share(limit, radius) for limit in limits] for radius in radii}


def fold_figure(limits: Sequence[float], shares: Mapping[float, Sequence[float]]) -> go.Figure:
    """The result of `fold_shares` as curves."""
    return figures.curves(
        {f"within r ≤ {radius}": (limits, values) for radius, values in shares.items()},
        x_title="largest radial coefficient λ1 (λ2 = λ1 / 10)",
        y_title="lenses that fold (%)",
        x_range=(0, max(limits) + 0.05),
        y_range=(0, 100),
        mode="lines+markers",
        title="How many random lenses fold",
    )


def strength_sweep(motion: str, seed: int, lens: torch.Tensor, frame: int = 40) -> go.Figure:
    """The lifted skeleton while a lens grows from nothing to its full strength."""
    model = checkpoints.load("plain-9f")
    lens_test = LensTest(walker(motion, seed), seed, clips=1, calibration_clips=1)
    strengths = [0.0, 0.25, 0.5, 0.75, 1.0]
    pictures = []
    for strength in strengths:
        observation = lens_test.through(strength * lens)
        with torch.no_grad():
            lifted = root_relative(model.lift(observation.video)[0])
        pictures.append(
            figures.skeletons_3d(
                {"truth": observation.truth[0][frame], "lifted": lifted[frame]},
                extent=BODY,
                up="-y",
                colours={"lifted": "vermillion"},
                title=f"{strength:.2f} × the lens: {evaluate(model, observation).mpjpe:.0f} mm",
            )
        )
    return figures.sweep(pictures, strengths, "strength", active=4)


def score_bars(scores: Mapping[str, Sequence[Score]]) -> go.Figure:
    """MPJPE and P-MPJPE behind every lens, and of whatever stands beside them, with intervals over seeds."""
    means, ends = intervals({
        title: [[getattr(score, metric) for score in per_seed] for per_seed in scores.values()]
        for title, metric in (("MPJPE", "mpjpe"), ("P-MPJPE", "p_mpjpe"))
    })  # fmt: skip
    title = "An un-adapted lifter behind a lens"
    return figures.bars(means, list(scores), y_title="error (mm)", intervals=ends, title=title)
