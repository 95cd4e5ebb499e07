"""The static figures and tables of lesson 06, as they look without a kernel."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import torch

from tutorial_lib.adaptation.comparison import HEAVY, MODERATE, Comparison
from tutorial_lib.adaptation.lens_test import SCENARIOS
from tutorial_lib.display import figures
from tutorial_lib.display.claims import interval, plus_minus
from tutorial_lib.display.lens_controls import SCENARIO_TITLES
from tutorial_lib.display.tables import markdown
from tutorial_lib.distortion import sample_stratified, sample_uniform
from tutorial_lib.lessons.meta_learning.demo_toy import three_bowls


def alpha_figure() -> go.Figure:
    """The toy's loss after one step, from the best start for the step and from the best start without it."""
    bowls, alphas = three_bowls(), np.linspace(0, 0.4, 41)
    starts = {
        "MAML: best θ for this α": [bowls.meta_loss(bowls.optimum(a), a).item() for a in alphas],
        "joint: best θ without a step": [bowls.meta_loss(bowls.optimum(0.0), a).item() for a in alphas],
    }
    return figures.curves(
        {name: (alphas, losses) for name, losses in starts.items()},
        x_title="inner rate α",
        y_title="mean loss after one step",
        x_range=(0, 0.4),
        y_range=(0.01, 1),
        y_log=True,
        title="What one step is worth, from two starts",
    )


def strata_figure(tasks: int = 8, batches: int = 200) -> go.Figure:
    """The widest gap between the k1 of a meta-batch, uniform against stratified."""
    shares = {}
    for name, sample in (("uniform", sample_uniform), ("stratified", sample_stratified)):
        k1 = torch.stack([sample(tasks, generator=torch.Generator().manual_seed(s))[:, 0] for s in range(batches)])
        gaps = torch.diff(k1.sort(dim=1).values, dim=1).amax(1)
        shares[name] = 100 * torch.histc(gaps, bins=24, min=0, max=2.4).numpy() / batches
    centres = np.linspace(0.05, 2.35, 24)
    return figures.curves(
        {name: (centres, values) for name, values in shares.items()},
        x_title=f"widest gap between neighbouring k1 in a meta-batch of {tasks}",
        y_title="meta-batches (%)",
        x_range=(0, 2.4),
        y_range=(0, 60),
        title="Stratified meta-batches leave no wide gap",
    )


def error_table(comparison: Comparison, networks: Sequence[str]) -> str:
    """Markdown: MPJPE in mm of every network, before and after, in both scenarios."""
    first, second = SCENARIOS
    columns = {"undistorted": lambda name: comparison.errors(name, first, ["undistorted"])}
    for weight, lenses in (("heavy", HEAVY), ("moderate", MODERATE)):
        columns |= {
            f"{weight}: un-adapted": lambda name, lenses=lenses: comparison.errors(name, first, lenses, step=0),
            f"{weight}: scenario 1": lambda name, lenses=lenses: comparison.errors(name, first, lenses),
            f"{weight}: scenario 2": lambda name, lenses=lenses: comparison.errors(name, second, lenses),
        }
    rows = [[name, *(plus_minus(get(name)) for get in columns.values())] for name in networks]
    title = "MPJPE in mm, mean over lenses, 95 % interval over test seeds"
    return f"{title}\n\n{markdown(['network', *columns], rows)}"


def error_bars(comparison: Comparison, networks: Mapping[str, str], scenario: str) -> go.Figure:
    """Heavy lenses: before and after adaptation, title -> network."""
    grades = {
        when: [interval(list(comparison.errors(name, scenario, HEAVY, step=step))) for name in networks.values()]
        for when, step in (("before", 0), ("after", -1))
    }
    return figures.bars(
        {when: [mean for mean, _, _ in rows] for when, rows in grades.items()},
        list(networks),
        y_title="MPJPE (mm)",
        intervals={when: tuple(zip(*[row[1:] for row in rows])) for when, rows in grades.items()},
        title=f"Heavy lenses, {SCENARIO_TITLES[scenario]}",
    )


def step_figure(comparison: Comparison, networks: Mapping[str, str], scenario: str) -> go.Figure:
    """Heavy lenses: MPJPE after every step, title -> network, with intervals over seeds."""
    steps = np.arange(comparison.steps[scenario] + 1)
    grades = {
        title: np.array([interval(list(comparison.errors(name, scenario, HEAVY, step=int(s)))) for s in steps])
        for title, name in networks.items()
    }
    return figures.curves(
        {title: (steps, rows[:, 0]) for title, rows in grades.items()},
        bands={title: (rows[:, 1], rows[:, 2]) for title, rows in grades.items()},
        x_title="adaptation steps",
        y_title="MPJPE (mm)",
        x_range=(0, comparison.steps[scenario]),
        title=f"Heavy lenses, step by step: {SCENARIO_TITLES[scenario]}",
    )


def real_actor_table(abouts: Mapping[str, dict]) -> str:
    """Markdown: what each checkpoint's JSON says about actors that no training saw."""
    columns = {"undistorted": "undistorted", "unadapted": "heavy: un-adapted"}
    columns |= {name: f"heavy: scenario {i}" for i, name in enumerate(SCENARIOS, start=1)}
    rows = [
        [name, *(plus_minus(about["real_actors"][key]) for key in columns)]
        for name, about in abouts.items()
        if "real_actors" in about
    ]
    title = "MPJPE in mm on real actors, 95 % interval over test seeds"
    return f"{title}\n\n{markdown(['network', *columns.values()], rows)}"
