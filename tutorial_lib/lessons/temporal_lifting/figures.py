"""The static figures and tables of lesson 04: what its tests and losses look like without a kernel."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import torch

from tutorial_lib import checkpoints
from tutorial_lib.datasets.videos import Video
from tutorial_lib.display import figures
from tutorial_lib.display.claims import intervals, is_below, plus_minus
from tutorial_lib.display.tables import markdown
from tutorial_lib.lessons.temporal_lifting.demo_few_labels import COLOUR as KIND_COLOURS
from tutorial_lib.lessons.temporal_lifting.demo_few_labels import KINDS
from tutorial_lib.lessons.temporal_lifting.demo_lifting import BLIND, COLOURS, NETWORKS
from tutorial_lib.lessons.temporal_lifting.recipes import SHARES, few_name
from tutorial_lib.lessons.temporal_lifting.results import Results
from tutorial_lib.lifting.semi_supervised import reproject, reprojection_loss
from tutorial_lib.metrics import root_relative
from tutorial_lib.metrics.by_action import Errors, Metric, average


def mean_errors(results: Sequence[Errors]) -> Errors:
    """The mean over test seeds, action by action, of those seeds that have the action; the frames are those of all."""
    actions = dict.fromkeys(action for errors in results for action in errors["frames"])

    def pooled(metric: str, action: str) -> float:
        found = [errors[metric][action] for errors in results if action in errors[metric]]
        return sum(found) if metric == "frames" else float(np.mean(found))

    return {metric: {action: pooled(metric, action) for action in actions} for metric in results[0]}


def noise_figure(tested: Mapping[tuple[float, str], Sequence[Errors]], noises: Sequence[float]) -> go.Figure:
    """A sweep over metrics: error of every network against the detector's noise."""
    titles: dict[Metric, str] = {"mpjpe": "MPJPE (mm)", "p_mpjpe": "P-MPJPE (mm)", "mpjve": "velocity (mm/frame)"}
    pictures = []
    for metric, title in titles.items():
        means = {
            name: [np.mean([average(e, metric) for e in tested[noise, name]]) for noise in noises] for name in COLOURS
        }
        pictures.append(
            figures.curves(
                {name: (list(noises), mean) for name, mean in means.items()},
                x_title="detector noise",
                y_title=title,
                x_range=(-0.05, max(noises) + 0.05),
                y_range=(0, 1.1 * max(map(max, means.values()))),
                mode="lines+markers",
                colours=COLOURS,
            )
        )
    return figures.sweep(pictures, list(titles.values()), "metric")


def share_figure(few: Mapping[str, Sequence[Errors]]) -> go.Figure:
    """Error against the share of footage with labels, with and without unlabelled video, and of the mean pose."""
    percent = [100 * share for share in SHARES]
    means, bands = intervals({
        kind: [[average(e) for e in few[few_name(share, semi)]] for share in SHARES] for kind, semi in KINDS.items()
    })  # fmt: skip
    blind = np.mean([average(e) for e in few[BLIND]])
    return figures.curves(
        {kind: (percent, mean) for kind, mean in means.items()} | {BLIND: (percent, np.full(len(percent), blind))},
        bands=bands,
        x_title="footage with labels (%)",
        y_title="MPJPE (mm)",
        x_log=True,
        x_range=(0.8, 125),
        y_range=(0, 1.1 * max(blind, *(max(high) for _, high in bands.values()))),
        mode="lines+markers",
        colours=KIND_COLOURS | {BLIND: "grey"},
        title="How many labels are enough?",
    )


TRAINED = {
    "lifter-1f": "1 frame",
    "lifter-27f": "27 frames",
    "lifter-243f": "243 frames",
    "causal-243f": "243 frames, causal",
}
"""The lifters that were trained from several seeds, and what figures call them."""


def training_figure(found: Results) -> go.Figure:
    """Validation error over the training, the mean over trainings."""
    drawn = {title: curve for name, title in TRAINED.items() if (curve := found.validation(name)) is not None}
    last = max((steps[-1] for steps, _ in drawn.values()), default=1)
    return figures.curves(
        drawn,
        x_title="training steps",
        y_title="MPJPE on validation people (mm)",
        x_range=(0, 1.02 * last),
        y_range=(40, 110),
        mode="lines+markers",
        colours=COLOURS | {"243 frames, causal": "orange"},
        title="Is it trained?",
    )


def luck_table(found: Results) -> str:
    """Markdown: every lifter of several trainings, mean and half the 95 % interval, and the mean pose."""
    places = {"known motions": "known, noise 1", "new motions": "new, noise 1", "real actors": "real actors"}
    rows = []
    for name, title in TRAINED.items():
        seeds = found.trainings(name)
        cells = [plus_minus(found.errors(name, place, seeds=seeds)) for place in places.values()]
        jitter = plus_minus(found.errors(name, places["known motions"], "mpjve", seeds=seeds), 2)
        rows.append([title, str(len(seeds)), found.steps(name), *cells, jitter])
    blind = [f"{found.blind(place):.1f}" for place in places.values()]
    rows.append([BLIND, "–", "–", *blind, f"{found.blind(places['known motions'], 'mpjve'):.2f}"])
    head = ["", "trainings", "steps", *(f"{title} (mm)" for title in places), "velocity, known motions (mm per frame)"]
    return markdown(head, rows, numbers=True)


def halved(found: Results, changes: Mapping[str, tuple[str, str, str, Metric]]) -> str:
    """Markdown: the same differences after half the training, where that was done.

    Args:
        found: what was measured.
        changes: title -> network, reference, place, metric.
    """
    if "half" not in found.content["networks"]:
        return "Half the training was not tried."
    rows, same = [], True
    for title, (name, other, place, metric) in changes.items():
        values = [found.change(name, other, place, metric, budget=budget) for budget in ("half", "seeds")]
        words = [{True: "lower", False: "not lower", None: "undecided"}[is_below(value)] for value in values]
        same &= words[0] == words[1]
        rows.append([title, *(f"{plus_minus(value)} ({word})" for value, word in zip(values, words))])
    text = "The verdicts are the same." if same else "Some verdicts change: there more training may change them again."
    return markdown(["change (%)", "half the steps", "all steps"], rows) + f"\n\n{text}"


def norm_figure() -> go.Figure:
    """The pull of both bone terms against how much a bone's mean length is off."""
    off = np.linspace(-60, 60, 121)
    return figures.curves(
        {"L1, as in the code": (off, np.sign(off)), "L2, as in the text": (off, 2 * off / 1000)},
        x_title="mean length of one bone, off by (mm)",
        y_title="slope of the loss (per metre)",
        x_range=(-60, 60),
        y_range=(-1.2, 1.2),
        title="L1 pulls with full strength until the bone is right",
    )


def dead_gradient_figure(video: Video, frame: int = 0) -> go.Figure:
    """How strongly back-projection pulls the root, wherever along its ray the trajectory model has put it."""
    truth, root = root_relative(video.pose[frame]), video.pose[frame, :1]
    keypoints = reproject(truth, root)
    depths = torch.linspace(-2.0, 6.0, 161)
    pulls = []
    for depth in depths:
        place = torch.cat([root[:, :2], depth.reshape(1, 1)], -1).requires_grad_()
        (slope,) = torch.autograd.grad(reprojection_loss(truth, place, keypoints), place)
        pulls.append(slope.norm().item())
    return figures.curves(
        {"pull on the root": (depths.numpy(), np.array(pulls))},
        x_title=f"depth where the root was put (m); the truth is {root[0, 2].item():.1f} m",
        y_title="gradient (half-widths per metre)",
        x_range=(-2, 6),
        y_range=(0, max(pulls) * 1.1),
        title="Behind the camera nothing pulls it back",
    )


def real_actor_table(found: Results, folder: Path = checkpoints.FOLDER) -> str:
    """Markdown: what the test with real actors gave when the networks were trained, and the mean pose."""
    names = {title: f"temporal/{name}" for title, name in NETWORKS.items()}
    names |= {
        f"{100 * share:g} % labels, {kind}": f"temporal/{few_name(share, semi)}"
        for share in SHARES
        for kind, semi in KINDS.items()
    }
    rows = []
    for title, name in names.items():
        measured = checkpoints.record(name, folder).get("real_actors")
        if measured is None:
            rows.append([title, "no recording at hand when it was trained", ""])
        else:
            rows.append([title, plus_minus(measured["mpjpe_mm"]), plus_minus(measured["mpjve_mm_per_frame"], 2)])
    if "real actors" in found.content["blind"]["lifters"]:
        rows.append([BLIND, *(f"{found.blind('real actors', metric):.2f}" for metric in ("mpjpe", "mpjve"))])
    return markdown(["network", "MPJPE (mm)", "velocity (mm per frame)"], rows)
