"""The static figures of lesson 02: its sweeps as they look without a kernel."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import torch
import torch.nn.functional as F

from tutorial_lib.datasets.augmentation import Strength, apply, draw
from tutorial_lib.display import figures
from tutorial_lib.display.tables import markdown
from tutorial_lib.integral import cell_centres, soft_argmax_1d, to_cells
from tutorial_lib.integral.losses import Mix
from tutorial_lib.integral.targets import bce_floor, gaussian_cube
from tutorial_lib.lessons.integral_pose.demo_build_up import BETAS, CELLS, LOW, compute_build_up
from tutorial_lib.lessons.integral_pose.demo_loss_mixer import SIDE, TRUTH, UPDATES, Place, cloud, miss, train_volume
from tutorial_lib.lessons.integral_pose.demo_photos import COLUMNS, bones_on_sheet, sheet
from tutorial_lib.locking import interrupts_later
from tutorial_lib.skeleton import BONES

MIXES = {
    "integral only": Mix(),
    "integral + 0.01 Gaussian BCE": Mix(gaussian=0.01),
    "Gaussian BCE only": Mix(integral=0, gaussian=1),
    "one-hot CE only": Mix(integral=0, cross_entropy=1),
    "integral + Jensen–Shannon": Mix(js=1),
}


def marginal_figure(axes: int, x: float, sigma: float, beta: float, second: float = 0.0) -> go.Figure:
    """The marginal over x with truth, peak and mean as upright lines; arguments as of `compute_build_up`."""
    arrays = compute_build_up(axes, x, sigma, beta, second)
    upright = {"mean": arrays["mean"][0].item(), "peak": arrays["peak"][0].item(), "truth": x}
    return figures.curves(
        {"marginal over x": (np.arange(CELLS), arrays["marginal"].clamp_min(LOW / 10))}
        | {name: ([place, place], [LOW, 1]) for name, place in upright.items()},
        x_title="x (cells)", y_title="probability", x_range=(-0.5, CELLS - 0.5), y_range=(LOW, 1), y_log=True,
        lines={"uniform": 1 / CELLS}, title=f"mean at {upright['mean']:.2f}",
        colours={"marginal over x": "orange", "mean": "blue", "peak": "vermillion", "truth": "ink"},
    )  # fmt: skip


def temperature_sweep(axes: int = 2, x: float = 8.0, sigma: float = 2.0) -> go.Figure:
    """The marginal over x while the softmax gets sharper: a trained heat map as its input."""
    return figures.sweep([marginal_figure(axes, x, sigma, beta) for beta in BETAS], [f"{b}" for b in BETAS], "β")


def error_by_axes(x: float = 8.0, sigma: float = 2.0) -> go.Figure:
    """Error of the mean over beta, in a row, a map and a volume: the more cells, the more background to drown in.

    Errors below 0.01 cells are drawn as 0.01.
    """
    errors = {
        name: [abs(compute_build_up(axes, x, sigma, beta, 0.0)["error"]) for beta in BETAS]
        for axes, name in ((1, "1D: 64 cells"), (2, "2D: 4,096 cells"), (3, "3D: 262,144 cells"))
    }
    return figures.curves(
        {name: (BETAS, np.maximum(values, 1e-2)) for name, values in errors.items()},
        x_title="β = 1 / temperature", y_title="error of the mean (cells)", x_range=(1, 100), y_range=(1e-2, 40),
        x_log=True, y_log=True, mode="lines+markers", title="A blob of height 1 under a softmax",
    )  # fmt: skip


def two_blobs_sweep(heights: Sequence[float] = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0), beta: int = 20) -> go.Figure:
    """The mean while a second blob grows beside the first."""
    pictures = [marginal_figure(2, 8.0, 2.0, beta, height) for height in heights]
    return figures.sweep(pictures, [f"{height:g}" for height in heights], "second blob", active=len(heights) - 1)


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


def clouds(doubt: float, places: tuple[Place, Place] = TRUTH) -> dict[str, dict[str, Any]]:
    """What each mixture makes of the cloud, as of `cloud`; arguments as of `train_volume`."""
    return {name: cloud(train_volume(mix, doubt, places)["logits"][UPDATES]) for name, mix in MIXES.items()}


def mixture_sweep(doubt: float = 0.0, places: tuple[Place, Place] = TRUTH) -> go.Figure:
    """Depth marginal of one joint after training with each mixture; arguments as of `train_volume`."""
    truths = places if doubt else places[:1]
    pictures = [
        figures.curves(
            {"cloud": (cell_centres(SIDE), seen["marginals"][2]), "truth": ([places[0][2]] * 2, [0, 1]),
             "mean": ([seen["mean"][2].item()] * 2, [0, 1]), "peak": ([seen["peak"][2].item()] * 2, [0, 1])},
            x_title="depth behind the hip (half widths)", y_title="probability", x_range=(-1, 1), y_range=(0, 1),
            title=f"mean off by {miss(seen['mean'], truths):.0f} mm, peak by {miss(seen['peak'], truths):.0f}",
            mode="lines+markers",
            colours={"cloud": "orange", "mean": "blue", "truth": "ink", "peak": "vermillion"},
        )
        for seen in clouds(doubt, places).values()
    ]  # fmt: skip
    return figures.sweep(pictures, list(MIXES), "losses")


def mixture_table(doubt: float = 0.0, places: tuple[Place, Place] = TRUTH) -> str:
    """Markdown: what each mixture makes of the cloud; arguments as of `train_volume`."""
    rows = []
    for name, seen in clouds(doubt, places).items():
        errors = [f"{miss(seen[key], places if doubt else places[:1]):.0f}" for key in ("mean", "peak")]
        rows.append([name, *errors, f"{seen['entropy']:.1f}", f"{seen['spread']:.1f}"])
    head = ["losses", "mean error (mm)", "peak error (mm)", "entropy (nats)", "width (cells)"]
    return markdown(head, rows)


def metres_figure(box: torch.Tensor, pose: torch.Tensor) -> go.Figure:
    """Where the volume of a photo stands, seen from above: camera, rays through the picture's borders, box, joints.

    Args:
        box: (3,) what of the image plane the photo shows: centre x, centre y, half-width.
        pose: (17, 3) metres, camera frame.
    """
    centre, half = box[0].item(), box[2].item()
    depth = pose[0, 2].item()
    size = half * depth
    far, near, middle = depth + size, depth - size, centre * depth
    left, right = middle - size, middle + size
    bones = F.pad(pose[torch.tensor(BONES)], (0, 0, 0, 1), value=torch.nan).flatten(0, 1)  # NaN lifts the pen
    return figures.curves(
        {
            "the picture's borders": (
                [(centre - half) * far, 0, (centre + half) * far], [far, 0, far],
            ),
            f"the volume, {2 * size:.2f} m wide and deep": (
                [left, right, right, left, left], [near, near, far, far, near]
            ),
            f"the hip's depth, Z = {depth:.2f} m": ([left - 0.5, right + 0.5], [depth, depth]),
            "the person": (bones[:, 0], bones[:, 2]),
        },
        x_title="x: right (m)", y_title="z: away from the camera (m)",
        x_range=(middle - 0.4 * far, middle + 0.4 * far), y_range=(-0.2, 1.1 * far),
        colours={"the person": "vermillion"},
        title=f"From above: one unit is h Z = {half:.2f} × {depth:.2f} = {size:.2f} m",
    )  # fmt: skip


def strength_sheet(
    images: torch.Tensor, keypoints: torch.Tensor, seed: int = 0, shares: Sequence[float] = (0, 0.5, 1)
) -> go.Figure:
    """One row for each strength: the same draws of the augmentation, from nothing to the report's full strength.

    Args:
        images: (B, 3, H, W) in [0, 1]; the first four are shown.
        keypoints: (B, 17, 2) screen coordinates.
        seed: of the draws.
        shares: of the report's strength, one a row.
    """
    images, keypoints, full, rows = images[:COLUMNS], keypoints[:COLUMNS], Strength(), []
    for share in shares:
        strength = Strength(
            share * full.shift, share * full.zoom, share * full.colour, share * full.contrast, share * full.brightness
        )
        rows.append(apply(images, keypoints, draw(len(images), strength, torch.Generator().manual_seed(seed))))
    title = f"Augmentation at {', '.join(f'{share:g}' for share in shares)} times the report's strength, row by row"
    return sheet_figure(*(torch.cat(column) for column in zip(*rows)), title)


def sheet_figure(images: torch.Tensor, keypoints: torch.Tensor, title: str) -> go.Figure:
    """A contact sheet with the skeletons on it.

    Args:
        images: (B, 3, H, W) in [0, 1].
        keypoints: (B, 17, 2 or 3) screen coordinates.
        title: of the figure.
    """
    pen = np.round(F.pad(bones_on_sheet(keypoints[..., :2]), (0, 0, 0, 1), value=torch.nan).flatten(0, 1).numpy(), 3)
    line = {"color": figures.COLOURS["orange"], "width": 2}
    skeletons = go.Scatter(x=pen[:, 0], y=pen[:, 1], mode="lines", name="keypoints", line=line)
    return figures.picture(sheet(images), title).add_trace(skeletons)


def softmaxed_figure(updates: int = 60, rate: float = 0.5) -> go.Figure:
    """The Gaussian heat-map loss on logits, and on a map that went through a softmax before: nats above the floor."""
    shape, target = (16, 16, 16), torch.tensor(TRUTH[0])
    cube = gaussian_cube(target, shape)
    curves = {}
    for name, change in (
        ("logits", lambda s: s),
        ("softmaxed map", lambda s: torch.softmax(s.flatten(), 0).view(shape)),
    ):
        scores = torch.zeros(shape, requires_grad=True)
        with interrupts_later():  # the first optimiser of a process imports torch's compiler
            optimiser = torch.optim.Adam([scores], rate)
        losses = []
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
