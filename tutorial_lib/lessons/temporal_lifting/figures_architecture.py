"""The static figures of lesson 04's first half: depth, growth, cost, and what a trained network looks at."""

import plotly.graph_objects as go
import torch

from tutorial_lib.display import figures
from tutorial_lib.display.tables import markdown
from tutorial_lib.lessons.temporal_lifting.demo_architecture import MOST_LAYERS, RATE, diagram, seen_frames
from tutorial_lib.lifting import SingleFrameLifter, TemporalLifter, count_parameters, flops_per_frame
from tutorial_lib.lifting.receptive_field import support

DEPTHS = range(1, MOST_LAYERS + 1)
SWEPT = range(1, 5)
"""Layers of the static sweep: the strokes of a fifth would triple its size."""


def depth_sweep(width: int = 3, dilated: bool = True, causal: bool = False) -> go.Figure:
    """The diagram while layers are added, one to four, on one axis."""
    deepest = seen_frames(SWEPT[-1], width, dilated, causal)
    networks = [seen_frames(layers, width, dilated, causal, span=len(deepest["frame"])) for layers in SWEPT]
    pictures = [diagram(arrays, f"{int((arrays['count'] > 0).sum())} frames seen") for arrays in networks]
    return figures.sweep(pictures, list(SWEPT), "layers", active=2)


def field_by_gradient(layers: int, width: int = 3, dilated: bool = True) -> int:
    """How many frames a network of so many layers sees: counted, with 3 frames more on both sides to be sure."""
    model = TemporalLifter(widths=(width,) * layers, channels=1, joints=1, dilated=dilated)
    return int(support(model, margin=3)[1].sum())


def growth_figure(width: int = 3) -> go.Figure:
    """Receptive field over depth, with and without dilation."""
    figure = figures.curves(
        {
            name: (list(DEPTHS), [field_by_gradient(layers, width, dilated) for layers in DEPTHS])
            for name, dilated in (("dilated", True), ("ordinary", False))
        },
        x_title="layers",
        y_title="frames seen (by gradient)",
        x_range=(0.8, MOST_LAYERS + 0.2),
        y_range=(1, 2 * width**MOST_LAYERS),
        y_log=True,
        mode="lines+markers",
        title=f"Filters of width {width}: the receptive field",
    )
    return figure.update_xaxes(tickvals=list(DEPTHS), ticktext=list(map(str, DEPTHS)))


def cost_table(channels: int = 1024) -> str:
    """Markdown: what every depth sees, holds and computes, beside the single-frame network."""
    with torch.device("meta"):
        networks = {"single frame": SingleFrameLifter(channels)} | {
            f"{layers} layer{'s' * (layers > 1)}": TemporalLifter(widths=(3,) * layers, channels=channels)
            for layers in DEPTHS
        }
    rows = []
    for name, model in networks.items():
        field = field_by_gradient(len(model.widths)) if isinstance(model, TemporalLifter) else 1
        costs = [f"{count / 1e6:.2f}" for count in (count_parameters(model), flops_per_frame(model))]
        rows.append([name, str(field), f"{field / RATE:.2f}", *costs])
    head = ["network", "frames seen", "seconds at 50 Hz", "parameters (million)", "MFLOPs per pose"]
    return markdown(head, rows)
