"""The static figures of lesson 02: its sweeps as they look without a kernel."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import torch

from tutorial_lib import figures
from tutorial_lib.augmentation import Strength, apply, draw
from tutorial_lib.demos.integral_photos import sheet_figure
from tutorial_lib.demos.integral_pose import BETAS, TRUTH, UPDATES, cloud, marginal_figure, miss, read_out, train_volume
from tutorial_lib.integral import from_cells, soft_argmax_1d, to_cells
from tutorial_lib.volume_losses import Mix

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
    rows = [
        "| losses | mean error (mm) | peak error (mm) | entropy (nats) | width (cells) |",
        "|---|---|---|---|---|",
    ]
    for name, mix in MIXES.items():
        seen = cloud(train_volume(mix, doubt)["logits"][UPDATES])
        errors = [f"{miss(seen[key], doubt):.0f}" for key in ("mean", "peak")]
        rows.append(f"| {name} | {' | '.join(errors)} | {seen['entropy']:.1f} | {seen['spread']:.1f} |")
    return "\n".join(rows)


def strength_sweep(images: torch.Tensor, keypoints: torch.Tensor, seed: int = 0, shares: Sequence = (0, 0.5, 1)):
    """The same draws of the augmentation, from nothing to the report's full strength, in grey.

    Args:
        images: (B, 3, H, W) in [0, 1]; the first eight are shown.
        keypoints: (B, 17, 2) screen coordinates.
    """
    images, keypoints, full, pictures = images[:8], keypoints[:8], Strength(), []
    for share in shares:
        strength = Strength(
            share * full.shift, share * full.zoom, share * full.colour, share * full.contrast, share * full.brightness
        )
        changes = draw(len(images), strength, torch.Generator().manual_seed(seed))
        changed, moved = apply(images, keypoints, changes)
        pictures.append(sheet_figure({"images": changed, "keypoints": moved}, f"{share:g} × the report's strength"))
    return figures.sweep(pictures, shares, "strength", active=len(pictures) - 1)
