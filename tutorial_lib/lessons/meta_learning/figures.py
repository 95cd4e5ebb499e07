"""The static figures and tables of lesson 06, as they look without a kernel."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import torch

from tutorial_lib.adaptation.comparison import HEAVY, MODERATE, Comparison
from tutorial_lib.adaptation.lens_test import LABELLED, SCENARIOS, LensTest
from tutorial_lib.datasets.splits import builtin_split
from tutorial_lib.display import figures, stage
from tutorial_lib.display.claims import intervals, plus_minus
from tutorial_lib.display.lens_controls import SCENARIO_TITLES, grid_lines
from tutorial_lib.display.tables import markdown
from tutorial_lib.distortion import sample_stratified, sample_uniform
from tutorial_lib.lessons.meta_learning import results
from tutorial_lib.lessons.meta_learning.demo_toy import three_bowls
from tutorial_lib.lessons.meta_learning.experiment_crooked import METHODS, WINDOWS
from tutorial_lib.lessons.meta_learning.experiment_cue import NETWORKS as CUE_NETWORKS
from tutorial_lib.lessons.meta_learning.first_order import Drift


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
    means, ends = intervals({
        when: [comparison.errors(name, scenario, HEAVY, step=step) for name in networks.values()]
        for when, step in (("before", 0), ("after", -1))
    })  # fmt: skip
    title = f"Heavy lenses, {SCENARIO_TITLES[scenario]}"
    return figures.bars(means, list(networks), y_title="MPJPE (mm)", intervals=ends, title=title)


def step_figure(comparison: Comparison, networks: Mapping[str, str], scenario: str) -> go.Figure:
    """Heavy lenses: MPJPE after every step, title -> network, with intervals over seeds."""
    steps = np.arange(comparison.steps[scenario] + 1)
    means, bands = intervals({
        title: [comparison.errors(name, scenario, HEAVY, step=int(s)) for s in steps]
        for title, name in networks.items()
    })  # fmt: skip
    return figures.curves(
        {title: (steps, mean) for title, mean in means.items()},
        bands=bands,
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


PLACES = {"builtin": "invented people", "real": "real actors"}
COLOURS = {
    "lenses": "grey",
    "random": "orange",
    "maml": "blue",
    "reptile": "purple",
    "anil": "vermillion",
    "first-order": "sky",
}


def task_picture(seed: int = 0) -> dict:
    """A picture for the stage: one person as the detector sees them, and through the lenses of three tasks."""
    lens_test = LensTest(builtin_split(seed), seed, clips=1, calibration_clips=1)
    lenses = sample_stratified(3, generator=torch.Generator().manual_seed(seed))
    panes = []
    for number, lens in enumerate([torch.zeros(5), *lenses]):
        seen = lens_test.through(lens).video[0, 40]
        title = "detected, no lens" if not number else f"task {number}: k1 = {lens[0]:+.2f}"
        panes.append(
            stage.image(
                skeletons=[stage.skeleton2d("detected", seen, colour="ink")],
                lines=[stage.polyline("grid", grid_lines(lens))],
                margin=0.2,
                title=title,
            )
        )
    return stage.panes(*panes)


def oracle_table(seeds: list[str]) -> str:
    """Markdown: MPJPE in mm of the network that is told the lens, and of its twin that is not, lens by lens.

    Args:
        seeds: training seeds.
    """
    columns = [(place, lens) for place in PLACES for lens in ("d1", "d2", "d3", "d4")]
    rows = [
        [title, *(plus_minus(results.oracle(name, place, [lens], seeds=seeds)) for place, lens in columns)]
        for name, title in (("untold", "does not know the lens"), ("told", "knows it exactly"))
    ]
    heads = ["network", *(f"{lens}, {PLACES[place]}" for place, lens in columns)]
    return f"MPJPE in mm, mean and 95 % interval over {len(seeds)} trainings\n\n{markdown(heads, rows)}"


def cue_seeds() -> list[str]:
    """The training seeds that all networks with a hidden cue have, and the one that sees the whole picture."""
    return results.trainings("cue", list(CUE_NETWORKS))


def cue_table() -> str:
    """Markdown: MPJPE in mm of networks that see crops, before a step, after one of their own α, and after five."""
    rows, seeds = [], cue_seeds()
    for name, network in CUE_NETWORKS.items():
        cells = []
        for place in PLACES:
            cells.append(plus_minus(results.cue(name, place, seeds=seeds, step=0)))
            stepped = network.alpha and plus_minus(results.one_step(name, place, network.alpha, seeds=seeds))
            cells += [str(stepped or ""), plus_minus(results.cue(name, place, seeds=seeds, step=5))]
        rows.append([network.title, *cells])
    heads = [f"{place}: {when}" for place in PLACES.values() for when in ("before", "1 step of α", "5 of its own rate")]
    title = f"MPJPE in mm behind d1 and d2, mean and 95 % interval over {len(seeds)} trainings"
    return f"{title}\n\n{markdown(['network', *heads], rows)}"


def cue_curves(alphas: Sequence[float] = (0.3, 0.03)) -> go.Figure:
    """Error on validation people before and after the inner step, as MAML trains on crops.

    Args:
        alphas: of the inner step.
    """
    errors, colours, steps, seeds = {}, {}, np.zeros(1), cue_seeds()
    for alpha, colour in zip(alphas, ("blue", "orange", "purple")):
        rows = np.array([results.measured()["cue"][f"maml-{alpha:g}"][seed]["validation"] for seed in seeds])
        steps = rows[0, :, 0]
        for column, when in ((1, "before"), (2, "after")):
            title = f"α = {alpha:g}, {when} the step"
            errors[title], colours[title] = list(rows[:, :, column].T), colour
    means, bands = intervals(errors)
    return figures.curves(
        {title: (steps, mean) for title, mean in means.items()},
        bands=bands,
        x_title="meta-steps",
        y_title="MPJPE (mm), validation people",
        x_range=(0, float(steps[-1])),
        y_log=True,
        colours=colours,
        title="Crops: does MAML use its step?",
    )


def luck_table(recorded: Comparison, names: Mapping[str, str]) -> str:
    """Markdown: before → after the labelled steps behind heavy lenses, a column a training.

    Args:
        recorded: of `results.ladder`.
        names: title -> network.
    """
    rows = []
    for title, name in names.items():
        before, after = (recorded.errors(name, LABELLED, HEAVY, step=step) for step in (0, -1))
        rows.append([title, *(f"{start:.1f} → {end:.1f}" for start, end in zip(before, after))])
    heads = ["MPJPE (mm), d1 and d2", *(f"training {number}" for number in range(len(rows[0]) - 1))]
    return markdown(heads, rows)


def crooked_table() -> str:
    """Markdown: MPJPE in mm on crooked rigs before, after one and after five steps, and what a training costs."""
    rows, costs = [], results.measured()["costs"]["training"]
    for name in COLOURS:
        seeds = results.trainings("crooked", [name])
        cells = [
            plus_minus(results.crooked(name, place, seeds=seeds, step=step)) for place in PLACES for step in (0, 1, 5)
        ]
        rates = sorted({f"{part['rate']:.2g}" for part in results.measured()["crooked"][name].values()})
        cost = f"× {costs[name]:.1f}" if name in costs else ""
        rows.append([METHODS[name].title, ", ".join(rates), *cells, cost, str(len(seeds))])
    heads = [f"{place}: {when}" for place in PLACES.values() for when in ("before", "1 step", "5 steps")]
    title = "MPJPE in mm behind d1 and d2, 64 labelled windows, mean and 95 % interval over trainings"
    return f"{title}\n\n{markdown(['network', 'rate', *heads, 'training costs', 'trainings'], rows)}"


def drift_table(drifts: Sequence[Drift], steps: int = 10) -> str:
    """Markdown: what ten meta-steps make of the start, for several rates of the inner step.

    Args:
        drifts: a rate each.
        steps: how many meta-steps they took.
    """
    rows = [
        [
            f"{one.alpha:g}",
            f"{one.overshoot:.1f}",
            f"{min(one.cosines):+.2f} to {max(one.cosines):+.2f}",
            f"{one.start:.0f} → {one.after['maml']:.0f}",
            f"{one.start:.0f} → {one.after['first-order']:.0f}",
            f"{one.settled:.1f}",
        ]
        for one in drifts
    ]
    heads = ["α", "α h", "cosine of the two gradients", "MAML: start", "first-order: start", "first-order: α h then"]
    title = f"Error before any step, in mm, and the largest curvature h, before and after {steps} meta-steps"
    return f"{title}\n\n{markdown(heads, rows)}"


def crooked_steps(place: str) -> go.Figure:
    """MPJPE after every step on crooked rigs, with the interval over trainings.

    Args:
        place: "builtin" or "real".
    """
    errors = {}
    for name in COLOURS:
        seeds = results.trainings("crooked", [name])
        steps = len(next(iter(results.measured()["crooked"][name].values()))["errors"][place]["steps"][0])
        errors[METHODS[name].title] = [results.crooked(name, place, seeds=seeds, step=s) for s in range(steps)]
    means, bands = intervals(errors)
    return figures.curves(
        {title: (np.arange(len(mean)), mean) for title, mean in means.items()},
        bands=bands,
        x_title="adaptation steps",
        y_title="MPJPE (mm)",
        x_range=(0, 20),
        y_range=(50, 250),
        colours={METHODS[name].title: colour for name, colour in COLOURS.items()},
        title=f"Crooked rigs, {PLACES[place]}",
    )


def told_figure(place: str) -> go.Figure:
    """MPJPE after five steps against the number of labelled windows, beside the closed form.

    Args:
        place: "builtin" or "real".
    """
    seeds = results.trainings("crooked", ["maml", "random", "lenses"])
    lines = {
        METHODS[name].title: [results.crooked(name, place, seeds=seeds, windows=count).mean() for count in WINDOWS]
        for name in ("random", "maml")
    }
    lines["told: a rotation is hidden"] = [
        results.told("rotation", place, seeds=seeds, windows=count).mean() for count in WINDOWS
    ]
    figure = figures.curves(
        {title: (np.log2(WINDOWS), values) for title, values in lines.items()},
        x_title="labelled windows",
        y_title="MPJPE (mm)",
        x_range=(-0.2, 6.2),
        y_range=(60, 180),
        mode="lines+markers",
        title=f"Learning against knowing, {PLACES[place]}",
    )
    return figure.update_xaxes(tickvals=np.log2(WINDOWS), ticktext=[str(count) for count in WINDOWS])


def hidden_table() -> str:
    """Markdown: MPJPE in mm where the joints' definition is hidden as well."""
    seeds = results.trainings("crooked", ["maml-joints", "random-joints"])
    rows = [
        [
            METHODS[name].title,
            *(
                plus_minus(results.crooked(name, place, seeds=seeds, step=step))
                for place in PLACES
                for step in (0, 5, 20)
            ),
        ]
        for name in ("random-joints", "maml-joints")
    ]
    told = [plus_minus(results.told("everything", place, seeds=seeds)) for place in PLACES]
    rows.append(["told everything: rotation and joints, closed form", "", told[0], "", "", told[1], ""])
    heads = [f"{place}: {when}" for place in PLACES.values() for when in ("before", "5 steps", "20 steps")]
    title = f"MPJPE in mm, 64 labelled windows, mean and 95 % interval over {len(seeds)} trainings"
    return f"{title}\n\n{markdown(['network', *heads], rows)}"
