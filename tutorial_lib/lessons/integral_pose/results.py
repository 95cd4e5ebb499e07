"""What lesson 02's experiment found: its tables and figures, every number beside answers that look at no photo."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from tutorial_lib.display import figures
from tutorial_lib.display.claims import interval, intervals
from tutorial_lib.display.tables import markdown

APPROACHES = {
    "regression": ("1 reg", "(1) plain regression"),
    "integral": ("2 int", "(2) integral loss"),
    "integral-later": ("later", "(2), as many further steps as (3)"),
    "gaussian-later": ("3 +G", "(3): (2), then + Gaussian BCE"),
    "one-hot-later": ("+hot", "(2), then + one-hot BCE"),
    "js-later": ("+JS", "(2), then + Jensen–Shannon"),
    "heat-map": ("map", "Gaussian BCE alone"),
    "heat-map-cell": ("cells", "Gaussian BCE alone, on cells"),
    "pre-trained": ("4 pre", "(4): (2), pre-trained"),
}
"""Method of the experiment -> its name in figures and in tables. The numbers are the report's."""

BASELINES = {"chance": "looks at no photo: another person's pose", "mean pose": "looks at no photo: the mean pose"}

PHOTOS_OF_REPORT = 312188
"""Training images of the report: how many photos its epoch has."""


def per_seed(results: Mapping, method: str, part: str = "test", metric: str = "mpjpe_mm") -> np.ndarray:
    """(seeds,) what the experiment measured, or (seeds, 3) of "axes_mm".

    Args:
        results: what `experiment.results()` returns.
        method: a key of `APPROACHES`.
        part: "train", "validation", "test"; the same with ", argmax" where a map can be read so; "test, tempered".
        metric: "mpjpe_mm", "p_mpjpe_mm", "pckh" or "axes_mm".
    """
    return np.array([run[part][metric] for run in results["runs"][method]])


def curve(results: Mapping, method: str, reading: str = "mean") -> tuple[np.ndarray, np.ndarray]:
    """Steps (checks,) and validation MPJPE in mm (seeds, checks) on the way.

    Args:
        results: what `experiment.results()` returns.
        method: a key of `APPROACHES`.
        reading: of the maps: "mean" or "peak".
    """
    runs = np.array([run["curve"] for run in results["runs"][method]], dtype=np.float64)
    return runs[0, :, 0], runs[..., 1 if reading == "mean" else 2]


def early(results: Mapping, method: str, reading: str = "mean") -> np.ndarray:
    """(seeds,) validation MPJPE in mm in the first seventh of the training, mean over its checks; as of `curve`."""
    steps, errors = curve(results, method, reading)
    return errors[:, steps <= max(results["budget"]["steps"] / 7, steps[0])].mean(1)


def said(values: np.ndarray, digits: int = 1) -> str:
    """A paired difference as prose has it: its mean and 95 % interval over seeds, with signs."""
    numbers = [f"{value:+.{digits}f}".replace("-", "\u2212") for value in interval(values)]
    return f"{numbers[0]} mm" + (f" [{numbers[1]}, {numbers[2]}]" if len(values) > 1 else " (one seed)")


def _span(values: np.ndarray, digits: int = 0) -> str:
    return f"{values.mean():.{digits}f} ({values.min():.{digits}f}–{values.max():.{digits}f})"


def approaches_table(results: Mapping) -> str:
    """Markdown: every way to train, mean over seeds, and from the smallest to the largest."""
    rows = []
    for name, title in BASELINES.items():
        seen = results["baselines"][name]
        test, axes = seen["test"], " / ".join(f"{value:.0f}" for value in seen["test"]["axes_mm"])
        numbers = [f"{test['mpjpe_mm']:.0f}", axes, f"{test['p_mpjpe_mm']:.0f}", f"{test['pckh']:.2f}", "–"]
        rows.append([title, *numbers, f"{seen['train']['mpjpe_mm']:.0f}"])
    for method, (_, name) in APPROACHES.items():
        peak = "–"
        if "test, argmax" in results["runs"][method][0]:
            peak = _span(per_seed(results, method, "test, argmax"))
        axes = " / ".join(f"{value:.0f}" for value in per_seed(results, method, metric="axes_mm").mean(0))
        numbers = [per_seed(results, method, metric=metric) for metric in ("mpjpe_mm", "p_mpjpe_mm", "pckh")]
        rows.append(
            [name, _span(numbers[0], 1), axes, _span(numbers[1], 1), _span(numbers[2], 2), peak,
             _span(per_seed(results, method, "train"), 1)]
        )  # fmt: skip
    head = ["", "test MPJPE (mm)", "x / y / depth (mm)", "after alignment (mm)", "PCKh", "MPJPE at the peak (mm)"]
    return markdown([*head, "training photos (mm)"], rows)


def approaches_figure(results: Mapping) -> go.Figure:
    """Error on training and on test photos for every way to train, with 95 % intervals over seeds."""
    parts = {"training photos": "train", "test photos": "test"}
    means, spans = intervals({n: [per_seed(results, m, part) for m in APPROACHES] for n, part in parts.items()})
    blind = {n: [results["baselines"][b][part]["mpjpe_mm"] for b in BASELINES] for n, part in parts.items()}
    return figures.bars(
        {n: np.concatenate([blind[n], means[n]]) for n in parts},
        ["chance", "mean", *(short for short, _ in APPROACHES.values())], y_title="MPJPE (mm)",
        intervals={n: np.concatenate([[blind[n]] * 2, spans[n]], axis=1) for n in parts},
        y_range=(0, 20 * np.ceil(max(*blind["test photos"], *spans["test photos"][1]) / 20)),
        title="Mean over seeds and 95 % interval; the first two look at no photo",
        colours={"training photos": "sky", "test photos": "vermillion"},
    )  # fmt: skip


def axes_figure(results: Mapping) -> go.Figure:
    """Where the error is: along the picture's x and y, and along the depth; test photos, 95 % intervals over seeds."""
    axes = ("x: across the picture", "y: down the picture", "depth")
    found = {m: per_seed(results, m, metric="axes_mm") for m in APPROACHES}
    means, spans = intervals({name: [found[m][:, i] for m in APPROACHES] for i, name in enumerate(axes)})
    blind = np.array([results["baselines"][b]["test"]["axes_mm"] for b in BASELINES]).T
    return figures.bars(
        {name: np.concatenate([blind[i], means[name]]) for i, name in enumerate(axes)},
        ["chance", "mean", *(short for short, _ in APPROACHES.values())], y_title="mean absolute error (mm)",
        intervals={name: np.concatenate([[blind[i]] * 2, spans[name]], axis=1) for i, name in enumerate(axes)},
        title="Where the error is, test photos", colours=dict(zip(axes, ("sky", "blue", "vermillion"))),
    )  # fmt: skip


def learning_figure(results: Mapping) -> go.Figure:
    """Validation error on the way, mean over seeds with its 95 % interval, and what does not look."""
    shown = {
        "regression": ("regression", "mean"),
        "integral": ("integral", "mean"),
        "map only, at the peak": ("heat-map", "peak"),
        "map only, at the mean": ("heat-map", "mean"),
    }
    runs = {name: curve(results, *which) for name, which in shown.items()}
    means, bands = intervals({name: errors.T for name, (_, errors) in runs.items()})
    blind = results["baselines"]["mean pose"]["validation"]["mpjpe_mm"]
    high = max([blind, *(np.median(mean[:3]) for mean in means.values())])
    return figures.curves(
        {name: (runs[name][0], mean) for name, mean in means.items()}, x_title="steps", bands=bands,
        y_title="validation MPJPE (mm)", x_range=(0, results["budget"]["steps"]), y_range=(0, 20 * np.ceil(high / 20)),
        lines={"mean pose: does not look": blind}, title="Who learns how fast",
        colours=dict(zip(shown, ("sky", "blue", "vermillion", "purple"))),
    )  # fmt: skip


def difference_figure(results: Mapping) -> go.Figure:
    """Integral minus regression on validation photos while both are trained: paired, with its 95 % interval."""
    steps, integral = curve(results, "integral")
    _, regression = curve(results, "regression")
    name = "integral − regression"
    means, bands = intervals({name: (integral - regression).T})
    edge = np.nanmax(np.abs([means[name], *bands[name]]))
    return figures.curves(
        {name: (steps, means[name])}, bands=bands, x_title="steps", y_title="difference of validation MPJPE (mm)",
        x_range=(0, steps[-1]), y_range=(-edge, edge), lines={"no difference": 0.0}, mode="lines+markers",
        title="Does more training change the verdict? Below the line: the integral is better",
    )  # fmt: skip


def reading_table(results: Mapping, methods: Sequence[str] = ("integral", "gaussian-later", "heat-map")) -> str:
    """Markdown: the same networks read at the mean and at the peak of their maps, beside what does not look."""
    rows = [
        [APPROACHES[m][1], _span(per_seed(results, m, "test, argmax"), 1), _span(per_seed(results, m), 1)]
        for m in methods
    ]
    rows += [
        [title, *[f"{results['baselines'][name]['test']['mpjpe_mm']:.1f}"] * 2] for name, title in BASELINES.items()
    ]
    return markdown(["trained with", "read at the peak (mm)", "read at the mean (mm)"], rows, numbers=True)


def cost_table(results: Mapping) -> str:
    """Markdown: a step of training with each loss, as it was measured when the networks were trained."""
    rows = [
        [name, f"{1000 * np.median(cost['seconds']):.0f}", f"{cost['bytes'] / 2**20:.0f}"]
        for name, cost in results["costs"].items()
    ]
    return markdown(["losses", "a step (ms)", "kept for the backward pass (MiB)"], rows, numbers=True)


def target_hours(results: Mapping) -> dict[str, np.ndarray]:
    """Way -> (rounds,) hours of one core to make the target volumes of an epoch of the report, 64^3 cells a joint."""
    return {way: PHOTOS_OF_REPORT * np.array(seconds) / 3600 for way, seconds in results["targets"].items()}
