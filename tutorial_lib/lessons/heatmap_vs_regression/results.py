"""Lesson 01's figures and tables of what the experiment found, and of what its networks cost."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import torch

from tutorial_lib import heatmaps
from tutorial_lib.datasets.photos import PhotoSet, Setting
from tutorial_lib.display import figures
from tutorial_lib.display.claims import intervals, is_above, plus_minus
from tutorial_lib.display.tables import markdown
from tutorial_lib.heatmaps import KeypointNet, cost
from tutorial_lib.lessons.heatmap_vs_regression.costs import training_kb
from tutorial_lib.lessons.heatmap_vs_regression.demo_robustness import COLOURS
from tutorial_lib.lessons.heatmap_vs_regression.experiment import values
from tutorial_lib.lessons.heatmap_vs_regression.measures import DECODERS, mean_error, outputs, predict
from tutorial_lib.lessons.heatmap_vs_regression.recipes import GRIDS, Run

ROWS = {
    "regression": ("regression", "numbers"),
    "RLE": ("rle", "numbers"),
    "heat map": ("heatmap", "DARK"),
    "integral": ("integral", "mean place"),
}
"""Name in the lesson -> head of the runs, and how it is read."""
SETTINGS: dict[Setting, str] = {"world": "seen from everywhere", "lab": "seen from the front"}


def measured(
    found: dict[str, Any], name: str, what: str = "error_px", decoder: str | None = None, **run: Any
) -> np.ndarray:
    """One value a seed (seeds, ...) of a head.

    Args:
        found: the experiment's results.
        name: of `ROWS`, or of `recipes.FORMS`.
        what: of `measures.measure`, or "surest_px", or a kind of `measures.WORSE`.
        decoder: another than the usual one.
        run: what tells the runs from the usual ones, such as setting="lab" or length="long".
    """
    head, usual = ROWS.get(name, (name, "numbers"))
    kind = Run(head, **run).kind
    if what in ("surest_px", *found["runs"][0]["worse"]):
        runs = sorted((one for one in found["runs"] if one["kind"] == kind), key=lambda one: one["seed"])
        return np.array([one["worse"][what] if what in one["worse"] else one[what] for one in runs], dtype=float)
    return np.array(values(found, kind, decoder or usual, what))


def search_table(found: dict[str, Any]) -> str:
    """Markdown: every setting that was tried, with its mean error on validation photos; what was chosen is starred."""
    lines = []
    for row in found["search"]:
        cells = []
        for one in {(one["rate"], one["sigma"]): one for one in row["tried"]}.values():
            width = f", σ {one['sigma']:g}" if "heatmap" in row["kind"] else ""
            star = " ★" if all(one[key] == row[key] for key in ("rate", "sigma")) else ""
            error = "diverged" if one["error_px"] is None else f"{one['error_px']:.2f}"
            cells.append(f"{one['rate']:g}{width}: {error}{star}")
        lines.append([row["kind"], " · ".join(cells)])
    return markdown(["photos, head, stride", "rate (and width of the bump in cells): error (px)"], lines)


def results_table(found: dict[str, Any], setting: Setting = "world") -> str:
    """Markdown: who looks at no photo, then every head and decoder; mean and half the 95 % interval over seeds."""
    columns = {
        "mean error (px)": ("error_px", 1, 2), "sides forgiven (px)": ("forgiving_px", 1, 2),
        "turned round (%)": ("turned", 100, 0), "median (px)": ("median_px", 1, 2),
        "seen joints (px)": ("visible_px", 1, 2), "hidden joints (px)": ("hidden_px", 1, 2),
    }  # fmt: skip
    lines = [
        [
            f"*{name}*, looks at nothing",
            *(f"{scale * row[what]:.{digits}f}" for what, scale, digits in columns.values()),
        ]
        for name, row in found["blind"][setting].items()
    ]
    rows = [(name, name, None) for name in ROWS if name != "heat map"]
    rows += [(f"heat map, {decoder}", "heat map", decoder) for decoder in DECODERS]
    forms = {"released": "the sum of the paper's code", "even": "all joints pull alike"}
    rows += [(f"RLE, {how}", form, None) for form, how in forms.items() if setting == "world"]
    for label, name, decoder in rows:
        cells = [
            plus_minus(scale * measured(found, name, what, decoder, setting=setting), digits)
            for what, scale, digits in columns.values()
        ]
        lines.append([label, *cells])
    return markdown(["head", *columns], lines, numbers=True)


def pck_curves(found: dict[str, Any], setting: Setting = "world") -> go.Figure:
    """PCK over the threshold, mean and 95 % interval over training seeds, and that of the mean pose."""
    means, bands = intervals({name: 100 * measured(found, name, "pck", setting=setting).T for name in ROWS})
    thresholds = found["thresholds"]
    blind = {"mean pose, looks at nothing": 100 * np.array(found["blind"][setting]["mean pose"]["pck"])}
    return figures.curves(
        {name: (thresholds, mean) for name, mean in (means | blind).items()}, bands=bands,
        x_title="threshold (share of the torso)", y_title="correct joints (%)", x_range=(0, max(thresholds)),
        y_range=(0, 100), colours=COLOURS | dict.fromkeys(blind, "grey"),
        title="Four heads, one budget",
    )  # fmt: skip


def pck_sweep(found: dict[str, Any]) -> go.Figure:
    """`pck_curves` of both kinds of photos."""
    return figures.sweep([pck_curves(found, setting) for setting in SETTINGS], list(SETTINGS.values()), "people")


def _floor(found: dict[str, Any]) -> dict[str, float]:
    """The line that every figure of errors has."""
    return {"mean pose, looks at nothing": found["blind"]["world"]["mean pose"]["error_px"]}


def steps_figure(found: dict[str, Any]) -> go.Figure:
    """Mean error on test photos after whole trainings of three lengths."""
    budget, lengths = found["budget"], ("short", "usual", "long")
    steps = [next(run["steps"] for run in found["runs"] if run["kind"] == Run("rle", length=n).kind) for n in lengths]
    means, bands = intervals({name: [measured(found, name, length=n) for n in lengths] for name in ROWS})
    return figures.curves(
        {name: (steps, mean) for name, mean in means.items()}, bands={} if budget["long_seeds"] < 2 else bands,
        mode="lines+markers", x_title="steps of the whole training", y_title="mean error (px)",
        x_range=(0, 1.05 * steps[-1]), y_range=(0, 8), colours=COLOURS, lines=_floor(found),
        title="The same race, with less and with more time",
    )  # fmt: skip


def data_figure(found: dict[str, Any]) -> go.Figure:
    """Mean error with few and with many training photos, both after short trainings; and of the mean pose."""
    blind = [found["blind"]["world"]["mean pose"]["error_px"]] * 2
    means, ends = intervals({
        f"{found['budget'][photos]} photos": [blind, *(measured(found, name, few=photos == "few", length="short")
                                                       for name in ROWS)]
        for photos in ("few", "photos")
    })  # fmt: skip
    return figures.bars(
        means, ["mean pose", *ROWS], y_title="mean error (px)", intervals=ends,
        colours=dict(zip(means, ("orange", "blue"))), title="Few photos, many photos",
    )  # fmt: skip


def stride_figure(found: dict[str, Any]) -> go.Figure:
    """Error of trained heat maps over the stride, read in three ways."""
    strides = sorted({4, *(run.stride for run in GRIDS if not run.shrunk)})
    means, bands = intervals({
        d: [measured(found, "heat map", decoder=d, stride=s) for s in strides] for d in DECODERS
    })  # fmt: skip
    return figures.curves(
        {d: (strides, mean) for d, mean in means.items()}, bands=bands,
        x_title="stride (px)", y_title="mean error (px)", x_range=(1.5, 8.5), y_range=(0, 8),
        mode="lines+markers", colours={"argmax": "vermillion", "quarter shift": "orange", "DARK": "blue"},
        lines=_floor(found), title="Trained heat maps on finer and coarser grids",
    )  # fmt: skip


def worse_table(found: dict[str, Any]) -> str:
    """Markdown: mean errors on spoiled test photos, of the mean pose and of every head."""
    columns = {"as they are": "error_px", "grey disc over the legs": "disc", "crop shifted": "shift", "blur": "blur"}
    blind = found["blind"]["world"]["mean pose"]
    lines = [["*mean pose*, looks at nothing", *(f"{(blind['worse'] | blind)[what]:.2f}" for what in columns.values())]]
    lines += [[name, *(plus_minus(measured(found, name, what), 2) for what in columns.values())] for name in ROWS]
    return markdown(["mean error (px)", *columns], lines, numbers=True)


def trust_table(found: dict[str, Any]) -> str:
    """Markdown: the error on the half of the photos on which a head is surest, joint by joint."""
    lines = []
    for name in ROWS:
        every, sure = measured(found, name), measured(found, name, "surest_px")
        if name == "regression":
            lines.append([name, plus_minus(every, 2), "cannot say", "cannot say"])
        else:
            lines.append([name, plus_minus(every, 2), plus_minus(sure, 2), plus_minus(100 * sure / every, 0)])
    return markdown(["head", "all photos (px)", "surest half (px)", "share (%)"], lines, numbers=True)


def winners(samples: Mapping[str, np.ndarray]) -> list[str]:
    """Who is not certainly worse (at 95 %, paired seeds) than the one with the smallest mean; that one first."""
    first, *others = sorted(samples, key=lambda name: np.mean(samples[name]))
    return [first, *(name for name in others if is_above(samples[name] - samples[first]) is not True)]


def choice_table(found: dict[str, Any], models: Mapping[str, KeypointNet]) -> str:
    """Markdown: what matters -> which head to choose, from what was measured; several names where seeds do not tell."""

    def by(what: str, **run: Any) -> dict[str, np.ndarray]:
        return {name: measured(found, name, what, **run) for name in ROWS}

    sure = {name: 100 * by("surest_px")[name] / by("error_px")[name] for name in ROWS if name != "regression"}
    pairs = list(models.items())
    few = f"only {found['budget']['few']} photos to learn from (mean error, px)"
    rows = {
        "the smallest mean error, people seen from everywhere (px)": by("error_px"),
        "the same, seen from the front (px)": by("error_px", setting="lab"),
        "precision where all is clear: the median error (px)": by("median_px"),
        few: by("error_px", few=True, length="short"),
        "little time to train (mean error after a quarter of the steps, px)": by("error_px", length="short"),
        "joints that are hidden in the photo (px)": by("hidden_px"),
        "a grey disc over the legs (px)": by("disc"),
        "people stand elsewhere than in training (px)": by("shift"),
        "photos out of focus (px)": by("blur"),
        "to know when it is wrong: error of the surest half, share of all (%)": sure,
    }
    counts = {
        "little arithmetic (million multiply-adds)": {name: cost(model).multiply_adds / 1e6 for name, model in pairs},
        "few numbers out": {name: cost(model).output for name, model in pairs},
        "little memory in training (kB a photo)": {name: round(training_kb(model)) for name, model in pairs},
    }
    lines = []
    for what, samples in rows.items():
        best, digits = winners(samples), 0 if "%" in what else 2
        shown = ", ".join(f"{name} {np.mean(values):.{digits}f}" for name, values in samples.items())
        choose = " or ".join(best) if len(best) < len(samples) else "any: the seeds do not tell"
        lines.append([what, f"**{choose}**", shown])
    for what, row in counts.items():
        best = [name for name, count in row.items() if count <= 1.02 * min(row.values())]
        shown = ", ".join(f"{name} {count:.3g}" if count < 100 else f"{name} {count}" for name, count in row.items())
        lines.append([what, f"**{' or '.join(best)}**", shown])
    return markdown(["what matters", "choose", "measured"], lines)


def temperature_errors(model: KeypointNet, photos: PhotoSet, temperatures: Sequence[float]) -> dict[float, float]:
    """Temperature -> mean error in pixels of a heat-map network that is read by soft-argmax."""
    maps = outputs(model, photos.image)
    return {t: mean_error(heatmaps.soft_argmax(maps, t), photos) for t in temperatures}


def temperature_figure(model: KeypointNet, photos: PhotoSet, errors: Mapping[float, float]) -> go.Figure:
    """`temperature_errors`, beside the same network read by DARK and an answer that looks at nothing."""
    middle = mean_error(torch.zeros_like(photos.keypoints), photos)
    return figures.curves(
        {"soft-argmax": (list(errors), list(errors.values()))},
        x_title="temperature", y_title="mean error (px)", x_log=True, y_range=(0, 1.15 * middle),
        colours={"soft-argmax": "green"},
        lines={"always the middle of the photo": middle, "DARK": mean_error(predict(model, photos)["DARK"], photos)},
        mode="lines+markers", title="A heat map of height 1, read as logits",
    )  # fmt: skip
