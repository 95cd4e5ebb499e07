"""The static figures of lesson 02: its sweeps as they look without a kernel."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import torch
import torch.nn.functional as F

from tutorial_lib.datasets.augmentation import Strength, apply, draw
from tutorial_lib.display import figures
from tutorial_lib.display.claims import interval
from tutorial_lib.display.tables import markdown
from tutorial_lib.integral import from_cells, soft_argmax_1d, to_cells
from tutorial_lib.integral.losses import Mix
from tutorial_lib.integral.targets import bce_floor, gaussian_cube
from tutorial_lib.lessons.integral_pose.demo_build_up import BETAS, marginal_figure, read_out
from tutorial_lib.lessons.integral_pose.demo_loss_mixer import TRUTH, UPDATES, cloud, miss, train_volume
from tutorial_lib.lessons.integral_pose.demo_photos import COLUMNS, sheet_figure

MIXES = {
    "integral only": Mix(),
    "integral + 0.01 Gaussian BCE": Mix(gaussian=0.01),
    "Gaussian BCE only": Mix(integral=0, gaussian=1),
    "one-hot CE only": Mix(integral=0, cross_entropy=1),
    "integral + Jensen–Shannon": Mix(js=1),
}


def temperature_sweep(axes: int = 2, x: float = 8.0, sigma: float = 2.0) -> go.Figure:
    """The marginal over x while the softmax gets sharper: a trained heat map as its input."""
    pictures = []
    for beta in BETAS:
        arrays = read_out(axes, x, sigma, beta, 0.0)
        pictures.append(marginal_figure(arrays, x, f"mean at {arrays['mean'][0]:.2f}"))
    return figures.sweep(pictures, BETAS, "β")


def error_by_axes(x: float = 8.0, sigma: float = 2.0) -> go.Figure:
    """Error of the mean over beta, in a row, a map and a volume: the more cells, the more background to drown in.

    Errors below 0.01 cells are drawn as 0.01.
    """
    errors = {
        name: [abs(read_out(axes, x, sigma, beta, 0.0)["error"]) for beta in BETAS]
        for axes, name in ((1, "1D: 64 cells"), (2, "2D: 4,096 cells"), (3, "3D: 262,144 cells"))
    }
    return figures.curves(
        {name: (BETAS, np.maximum(values, 1e-2)) for name, values in errors.items()},
        x_title="β = 1 / temperature", y_title="error of the mean (cells)", x_range=(1, 100), y_range=(1e-2, 40),
        x_log=True, y_log=True, mode="lines+markers", title="A blob of height 1 under a softmax",
    )  # fmt: skip


def two_blobs_sweep(steps: int = 6, beta: int = 50) -> go.Figure:
    """The mean while a second blob grows beside the first."""
    heights = [round(v, 2) for v in np.linspace(0.9, 1.0, steps)]
    pictures = []
    for height in heights:
        arrays = read_out(2, 8.0, 2.0, beta, height)
        pictures.append(marginal_figure(arrays, 8.0, f"mean at {arrays['mean'][0]:.2f}"))
    return figures.sweep(pictures, heights, "second blob", active=steps - 1)


def half_pixel_figure(cells: int = 8, points: int = 49) -> go.Figure:
    """Decoded minus true place of a sharp blob that wanders over a row, with centres and with corners."""
    truth = torch.linspace(-1, 1, points)
    place = torch.arange(cells)
    scores = -((place - to_cells(truth, cells)[:, None]) ** 2) / (2 * 0.8**2)  # softmax makes the Gaussian itself
    error = {
        name: soft_argmax_1d(scores, half_pixel=half_pixel) - truth
        for name, half_pixel in (("cell centres", True), ("corners (original)", False))
    }
    return figures.curves(
        {name: (truth, values * cells / 2) for name, values in error.items()},
        x_title="true place (half widths)", y_title="error of the mean (cells)", x_range=(-1, 1), y_range=(-1.5, 1),
        lines={"half a cell": -0.5}, title=f"A row of {cells} cells, read at the centres and at the corners",
    )  # fmt: skip


def mixture_sweep(doubt: float = 0.0) -> go.Figure:
    """Depth marginal of one joint after training with each mixture."""
    cells = from_cells(torch.arange(16.0), 16)
    pictures = []
    for mix in MIXES.values():
        seen = cloud(train_volume(mix, doubt)["logits"][UPDATES])
        mean = seen["mean"][2].item()
        pictures.append(
            figures.curves(
                {
                    "cloud": (cells, seen["marginals"][2]),
                    "truth": ([TRUTH[0, 2].item()] * 2, [0, 1]),
                    "mean": ([mean] * 2, [0, 1]),
                },
                x_title="depth behind the root (m)", y_title="probability", x_range=(-1, 1), y_range=(0, 1),
                title=f"mean off by {miss(seen['mean'], doubt):.0f} mm", mode="lines+markers",
                colours={"cloud": "green", "mean": "blue"},
            )
        )  # fmt: skip
    return figures.sweep(pictures, list(MIXES), "losses")


def mixture_table(doubt: float = 0.0) -> str:
    """Markdown: what each mixture makes of the cloud."""
    rows = []
    for name, mix in MIXES.items():
        seen = cloud(train_volume(mix, doubt)["logits"][UPDATES])
        errors = [f"{miss(seen[key], doubt):.0f}" for key in ("mean", "peak")]
        rows.append([name, *errors, f"{seen['entropy']:.1f}", f"{seen['spread']:.1f}"])
    head = ["losses", "mean error (mm)", "peak error (mm)", "entropy (nats)", "width (cells)"]
    return markdown(head, rows)


def strength_sheet(images: torch.Tensor, keypoints: torch.Tensor, seed: int = 0, shares: Sequence = (0, 0.5, 1)):
    """One row for each strength: the same draws of the augmentation, from nothing to the report's full strength.

    Args:
        images: (B, 3, H, W) in [0, 1]; the first four are shown.
        keypoints: (B, 17, 2) screen coordinates.
    """
    images, keypoints, full, rows = images[:COLUMNS], keypoints[:COLUMNS], Strength(), []
    for share in shares:
        strength = Strength(
            share * full.shift, share * full.zoom, share * full.colour, share * full.contrast, share * full.brightness
        )
        rows.append(apply(images, keypoints, draw(len(images), strength, torch.Generator().manual_seed(seed))))
    title = f"Augmentation at {', '.join(f'{share:g}' for share in shares)} times the report's strength, row by row"
    return sheet_figure(*(torch.cat(column) for column in zip(*rows)), title)


# ------------------------------------------------------------------ the experiment
APPROACHES = {
    "regression": ("1 regr.", "(1) plain regression"),
    "integral": ("2 int.", "(2) integral loss"),
    "integral-later": ("longer", "(2), as many further steps as (3)"),
    "gaussian-later": ("3 Gauss", "(3): (2), then + Gaussian BCE"),
    "one-hot-later": ("1-hot", "(2), then + one-hot BCE"),
    "js-later": ("JS", "(2), then + Jensen–Shannon"),
    "heat-map": ("map only", "Gaussian BCE alone"),
    "heat-map-cell": ("on cells", "Gaussian BCE alone, on cells"),
    "pre-trained": ("4 pre.", "(4): (2), pre-trained"),
}
"""Method of the experiment -> its name in figures and in tables. The numbers are the report's."""


def per_seed(results: Mapping, method: str, part: str = "test", metric: str = "mpjpe_mm") -> np.ndarray:
    """(seeds,) what the experiment measured.

    Args:
        results: `integral_experiment.results()`.
        part: "train", "validation", "test"; "test, argmax" and "test, tempered" where a map can be read so.
    """
    return np.array([run[part][metric] for run in results["runs"][method]])


def approaches_table(results: Mapping) -> str:
    """Markdown: every way to train, mean over seeds, and from the smallest to the largest."""

    def span(values: np.ndarray, digits: int = 0) -> str:
        return f"{values.mean():.{digits}f} ({values.min():.{digits}f}–{values.max():.{digits}f})"

    rows = []
    for method, (_, name) in APPROACHES.items():
        peak = "–"
        if "test, argmax" in results["runs"][method][0]:
            peak = span(per_seed(results, method, "test, argmax"))
        rows.append(
            [
                name,
                span(per_seed(results, method)),
                span(per_seed(results, method, metric="p_mpjpe_mm")),
                span(per_seed(results, method, metric="pckh"), 2),
                peak,
                span(per_seed(results, method, "train")),
            ]
        )
    head = ["", "test MPJPE (mm)", "after alignment (mm)", "PCKh", "test MPJPE of the argmax (mm)"]
    return markdown([*head, "training photos (mm)"], rows)


def approaches_figure(results: Mapping) -> go.Figure:
    """Error on training and on test photos for every way to train, with 95 % intervals over seeds."""
    groups, spans = {}, {}
    for part, name in (("train", "training photos"), ("test", "test photos")):
        rows = [interval(per_seed(results, method, part)) for method in APPROACHES]
        groups[name] = [row[0] for row in rows]
        spans[name] = ([row[1] for row in rows], [row[2] for row in rows])
    return figures.bars(
        groups, [short for short, _ in APPROACHES.values()], y_title="MPJPE (mm)", intervals=spans,
        y_range=(0, 20 * np.ceil(max(spans["test photos"][1]) / 20)), title="Mean over seeds and 95 % interval",
        colours={"training photos": "sky", "test photos": "vermillion"},
    )  # fmt: skip


def learning_figure(results: Mapping, methods=("regression", "integral", "pre-trained", "heat-map")) -> go.Figure:
    """Validation error on the way, mean over seeds; the heat map is read at its peak."""
    curves, bands = {}, {}
    for method in methods:
        runs = np.array([run["curve"] for run in results["runs"][method]])
        steps, name = runs[0, :, 0], APPROACHES[method][0]
        rows = np.array([interval(column) for column in runs[..., 1].T])
        curves[name], bands[name] = (steps, rows[:, 0]), (rows[:, 1], rows[:, 2])
    highest = 20 * np.ceil(max(high.max() for _, high in bands.values()) / 20)
    return figures.curves(
        curves, x_title="steps", y_title="validation MPJPE (mm)", x_range=(0, steps[-1]), y_range=(80, highest),
        bands=bands, mode="lines+markers", title="Who learns how fast",
    )  # fmt: skip


def softmaxed_figure(updates: int = 60, rate: float = 0.5) -> go.Figure:
    """The Gaussian heat-map loss on logits, and on a map that went through a softmax before: nats above the floor."""
    shape, target = (16, 16, 16), TRUTH[0]
    cube = gaussian_cube(target, shape)
    curves = {}
    for name, change in (
        ("logits", lambda s: s),
        ("softmaxed map", lambda s: torch.softmax(s.flatten(), 0).view(shape)),
    ):
        scores = torch.zeros(shape, requires_grad=True)
        optimiser, losses = torch.optim.Adam([scores], rate), []
        for _ in range(updates + 1):
            optimiser.zero_grad()
            loss = F.binary_cross_entropy_with_logits(change(scores), cube, reduction="sum")
            loss.backward()
            optimiser.step()
            losses.append((loss - bce_floor(cube)).item())
        curves[name] = (np.arange(updates + 1), np.array(losses))
    return figures.curves(
        curves, x_title="updates", y_title="loss above its floor (nats)", x_range=(0, updates), y_range=(1, 1e4),
        y_log=True, title="The same loss, fed with logits and with probabilities",
    )  # fmt: skip
