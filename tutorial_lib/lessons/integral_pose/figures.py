"""The static figures of lesson 02: its sweeps as they look without a kernel."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import torch
import torch.nn.functional as F

from tutorial_lib.display import figures
from tutorial_lib.display.tables import markdown
from tutorial_lib.integral import soft_argmax_1d, to_cells
from tutorial_lib.integral.losses import Mix
from tutorial_lib.integral.targets import bce_floor, gaussian_cube
from tutorial_lib.lessons.integral_pose.demo_build_up import BETAS, compute_build_up
from tutorial_lib.lessons.integral_pose.demo_loss_mixer import TRUTH, UPDATES, Place, cloud, miss, train_volume
from tutorial_lib.locking import interrupts_later
from tutorial_lib.skeleton import BONES

MIXES = {
    "integral only": Mix(),
    "integral + 0.01 Gaussian BCE": Mix(gaussian=0.01),
    "Gaussian BCE only": Mix(integral=0, gaussian=1),
    "one-hot CE only": Mix(integral=0, cross_entropy=1),
    "integral + Jensen–Shannon": Mix(js=1),
}


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
