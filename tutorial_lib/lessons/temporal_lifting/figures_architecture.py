"""The static figures of lesson 04's first half: depth, growth, cost, and what a trained network looks at."""

import numpy as np
import plotly.graph_objects as go
import torch

from tutorial_lib.display import figures
from tutorial_lib.display.tables import markdown
from tutorial_lib.lessons.temporal_lifting.demo_architecture import MOST_LAYERS, RATE
from tutorial_lib.lifting import SingleFrameLifter, TemporalLifter, count_parameters, flops_per_frame
from tutorial_lib.lifting.receptive_field import support

DEPTHS = range(1, MOST_LAYERS + 1)


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


def tensor_sizes(model: TemporalLifter) -> list[tuple[int, int]]:
    """(frames, channels) that come out of the network's convolutions, in their order, when it computes one pose.

    Asked of the network itself: what each convolution returned while it ran as a sequence.
    """
    sizes: list[tuple[int, int]] = []
    hooks = [
        layer.register_forward_hook(lambda _, inputs, out: sizes.append((out.shape[-1], out.shape[-2])))
        for layer in (model.expand_conv, *model.layers_conv, model.shrink)
    ]
    was_training = model.training
    with torch.no_grad():
        model.eval()(torch.zeros(1, model.frames, model.joints, 2))
    model.train(was_training)
    for hook in hooks:
        hook.remove()
    return sizes


def block_figure(frames: int = 243, channels: int = 1024) -> go.Figure:
    """The paper's figure 2: every layer of the network, and the size of the tensor behind it for one pose."""
    model = TemporalLifter(frames, channels)
    size, *inner, last = tensor_sizes(model)
    joints, inside = 2 * model.joints, f"{channels} → {channels}"
    columns = [("input", [], (model.frames, joints)), ("first layer", [("3d1", f"{joints} → {channels}")], size)]
    for block, step in enumerate(model.dilations[1:], 1):
        columns.append((f"block {block}", [(f"3d{step}", inside), ("1d1", inside)], inner[2 * block - 1]))
    columns.append(("output", [("1d1", f"{channels} → {last[1]}")], last))
    boxes, slices, notes = [], [], []
    for x, (name, layers, (length, depth)) in enumerate(columns):
        notes += [(x, 2.75, f"<b>{name}</b>"), (x, 0.0, f"({length}, {depth})")]
        for y, text in zip((2.05, 1.05) if len(layers) > 1 else (1.55,), layers):
            box = [(-0.42, -0.36), (0.42, -0.36), (0.42, 0.36), (-0.42, 0.36), (-0.42, -0.36), (np.nan, np.nan)]
            boxes += [(x + dx, y + dy) for dx, dy in box]
            notes += [(x, y + 0.1, text[0]), (x, y - 0.22, text[1])]
        if len(layers) > 1:
            slices += [(x - 0.5, 0.6), (x + 0.5, 0.6), (np.nan, np.nan)]
            notes.append((x, 0.34, f"slice {model.dilations[x - 1]}, add"))
    figure = figures.curves(
        {"convolution, batch norm, ReLU, dropout": tuple(np.array(boxes).T), "residual": tuple(np.array(slices).T)},
        x_title="",
        y_title="",
        x_range=(-0.6, len(columns) - 0.4),
        y_range=(-0.3, 3.0),
        colours={"convolution, batch norm, ReLU, dropout": "green", "residual": "orange"},
        title=f"{frames} frames in, one pose out: B = {len(model.widths) - 1} blocks",
    )
    for x, y, text in notes:
        figure.add_annotation(x=x, y=y, text=text, showarrow=False, font={"size": 11})
    beneath = {"orientation": "h", "x": 0, "xanchor": "left", "y": 0, "yanchor": "top"}
    return (
        figure.update_layout(height=330, width=1000, legend=beneath)
        .update_xaxes(visible=False)
        .update_yaxes(visible=False)
    )


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
