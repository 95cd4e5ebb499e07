"""The static figures of lesson 03's first half: templates by hand, as they look without a kernel."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import torch

from tutorial_lib.display import figures
from tutorial_lib.lessons.shape_templates.demo_by_hand import (
    linear_map,
    measure,
)
from tutorial_lib.templates import losses, parts, warp
from tutorial_lib.templates.fitting import PART, WAYS, draw
from tutorial_lib.templates.warp import Pivot

FOREARM, FOOT = parts.NAMES.index("left forearm"), parts.NAMES.index("left foot")


def shifted(part: int, x: float, y: float) -> torch.Tensor:
    """The template with one part moved by (x, y) half widths: affines (18, 2, 3)."""
    affines = warp.identity()
    affines[part, :, 2] = torch.tensor([x, y])
    return affines


def template_figure(arrays: dict[str, Any]) -> go.Figure:
    """A moved template and its two weighted losses: parts as one heat map, anchors, springs.

    Args:
        arrays: from `measure`.
    """
    cost = arrays["losses"]
    figure = figures.image_plane(
        heat=arrays["maps"][:, 1::3, 1::3].amax(0), heat_name="largest part", dots={"anchors": arrays["anchors"]},
        margin=0.3, colours={"anchors": "ink"},
        title=f"anchor {cost['anchor']:.2f}, boundary {cost['boundary']:.2f}",
    )  # fmt: skip
    pen = torch.cat([arrays["springs"], torch.full((len(parts.PAIRS), 1, 2), torch.nan)], 1).reshape(-1, 2)
    x, y = np.round(pen.double().numpy(), 3).astype(np.float32).T
    line = {"color": figures.COLOURS["blue"], "width": 4}
    figure.add_trace(go.Scatter(x=x, y=y, name="springs", mode="lines", line=line))
    figure.update_traces(marker_size=6, selector={"name": "anchors"})
    _in_bytes(figure)
    return figure.update_layout(legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0})


def _in_bytes(figure: go.Figure) -> go.Figure:
    """Its heat map from 0 to 1 in whole 255ths: a quarter of the room in the notebook."""
    for trace in figure.select_traces({"type": "heatmap"}):
        trace.update(
            z=(255 * np.asarray(trace.z).clip(0, 1)).round().astype(np.uint8), zmin=0, zmax=255, showscale=False
        )
    return figure


def pivot_figure(about: Pivot, angle: float = 20) -> go.Figure:
    """Every part turned by the same angle, about its own centre ("part") or the image's corner ("corner").

    Left limbs turn one way and right limbs the other, as limbs do: about one common corner they part company.
    """
    signs = torch.tensor([{"left": -1.0, "right": 1.0}.get(name.split()[0], 0.0) for name in parts.NAMES])
    linear = torch.stack([linear_map(angle * sign, 1, 1, 0) for sign in signs.tolist()])
    affines = torch.cat([linear, torch.zeros(len(parts.NAMES), 2, 1)], -1)
    where = {"part": "its own centre", "corner": "the image's corner"}[about]
    return template_figure(measure(affines, about)).update_layout(title={"text": f"Turned by {angle:g}° about {where}"})


def boundary_figure(points: int = 201) -> go.Figure:
    """Three ways to fence one foot in: our hinge, the paper's jump, and the released code, which forgets the foot."""
    shifts = torch.linspace(0, 1.2, points)
    affines = torch.stack([shifted(FOOT, 0.0, value) for value in shifts.tolist()])
    edge = 1 - parts.ANCHORS[parts.anchor("left foot"), 1].item()
    series = {
        "hinge (ours)": losses.boundary_loss(affines),
        "jump (the paper)": losses.boundary_loss(affines, kind="jump"),
        "core only (released code)": losses.boundary_loss(affines, kind="jump", core_only=True),
    }
    return figures.curves(
        {name: (shifts, values) for name, values in series.items()},
        x_title="left foot down (half widths)", y_title="boundary loss", x_range=(0, 1.2), y_range=(-0.05, 1),
        title=f"The foot's anchor leaves the picture at {edge:.2f}",
        colours=dict(zip(series, ("blue", "vermillion", "grey"))),
    )  # fmt: skip


def staircase_figure(size: int = 16, points: int = 161) -> go.Figure:
    """The loss along a small shift, for three ways to move the part: only where it slopes can descent begin.

    Args:
        size: rows of the raster; the coarser, the higher the stairs.
        points: of each curve.
    """
    target = draw("closed form", torch.tensor([[1.0, 0.0, 0.25], [0.0, 1.0, 0.0]]), size)
    shifts = torch.linspace(0, 0.5, points)
    series: dict[str, tuple] = {}
    for way in WAYS:
        values = []
        for shift in shifts.tolist():
            theta = warp.identity()[PART]
            theta[0, 2] = shift
            values.append((((draw(way, theta, size) - target) ** 2).sum() / (target**2).sum()).item())
        series[way] = (shifts, values)
    return figures.curves(
        series,
        x_title=f"shift of the part (half widths); one cell is {2 / size}", y_title="loss, as a share of the target",
        x_range=(0, 0.5), y_range=(-0.05, 1.5), title=f"Stairs have no slope ({size} x {size} cells)",
        colours=dict(zip(WAYS, ("blue", "orange", "grey"))),
    )  # fmt: skip


def holes_figure(size: int = 32, scale: float = 1.8) -> go.Figure:
    """One enlarged part, painted, looked up, copied: its pixels copied forwards leave holes, the others do not."""
    theta = warp.identity()[PART]
    theta[:, :2] = linear_map(25, scale, scale, 0)
    across = torch.cat([draw(way, theta, size) for way in WAYS], dim=1)
    figure = figures.image_plane(
        heat=across, heat_name="value", aspect=len(WAYS), title="painted, each pixel looked up, each pixel copied"
    )
    return _in_bytes(figure).update_layout(xaxis={"visible": False}, yaxis={"visible": False})
