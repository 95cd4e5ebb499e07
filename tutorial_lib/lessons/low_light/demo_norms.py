"""Two worlds, one batch norm: what a channel holds by day and in the dark, before it and behind it."""

from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import nn

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.lessons.low_light.pictures import Networks, test_photos
from tutorial_lib.lessons.low_light.recipes import ROWS, Row
from tutorial_lib.low_light import LEVELS, Light, LowLightNet, TwoSidedNorm, dark_twins, day, night

BINS = 41
LIGHTS: tuple[Light, ...] = ("bright", "dark")
LOOKS: dict[Light, tuple[str, str, stage.Dash]] = {
    "bright": ("by day", "orange", "solid"),
    "dark": ("in the dark", "blue", "dash"),
}
NETS: tuple[Row, ...] = ("well", "all", "ours")


@cache
def images(light: Light) -> torch.Tensor:
    """The test photos as networks get them: by day, or at the darkest level."""
    pixels = test_photos().pixels
    if light == "bright":
        return day(pixels)
    exposures = torch.full((len(pixels),), LEVELS["E"])
    return night(dark_twins(pixels, exposures, torch.Generator().manual_seed(4)))


@torch.no_grad()
def around_norm(net: LowLightNet, stage_number: int, light: Light) -> tuple[torch.Tensor, torch.Tensor]:
    """What goes into the first norm of a stage, and what comes out of it: (channels, values) each."""
    norm = next(
        layer for layer in net.net.stages[stage_number].children() if isinstance(layer, nn.BatchNorm2d | TwoSidedNorm)
    )
    caught: list[torch.Tensor] = []
    hook = norm.register_forward_hook(lambda _, into, out: caught.extend((into[0], out)))
    try:
        net(images(light), light)
    finally:
        hook.remove()
    before, after = (values.transpose(0, 1).flatten(1) for values in caught)
    return before, after


def compute_norms(net_of: Any, network: Row, stage_number: int, channel: int) -> dict[str, Any]:
    """What `norms_demo` shows for these values of its controls; `net_of` is `around_norm` with a memory."""
    values = {light: net_of(network, stage_number, light) for light in LIGHTS}
    kept = {light: [part[channel % len(part)] for part in both] for light, both in values.items()}
    wider = [float(kept["dark"][place].std() / kept["bright"][place].std().clamp_min(1e-6)) for place in (0, 1)]
    return {"kept": kept, "wider": wider}


def _histogram(values: torch.Tensor, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    counts, edges = np.histogram(values.numpy(), BINS, (low, high))
    return (edges[1:] + edges[:-1]) / 2, counts / len(values)


def view_norms(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `norms_demo`."""
    panes = []
    for place, title in enumerate(("before the norm", "behind it")):
        both = torch.cat([arrays["kept"][light][place] for light in LIGHTS])
        low, high = (float(both.quantile(share)) for share in (0.005, 0.995))
        low, high = (low, high) if high - low > 1e-3 else (low - 0.5, high + 0.5)
        lines = []
        for light in LIGHTS:
            name, colour, dash = LOOKS[light]
            x, y = _histogram(arrays["kept"][light][place], low, high)
            lines.append(stage.series(name, x, y, colour=colour, dash=dash, width=3.0))
        top = max(np.max(_histogram(arrays["kept"][light][place], low, high)[1]) for light in LIGHTS)
        panes.append(
            stage.curve(
                lines,
                x=stage.axis("value of the channel", low, high),
                y=stage.axis("share", 0, 1.1 * float(top)),
                title=title,
            )
        )
    return stage.panes(
        *panes, height=280,
        note=(
            f"the dark is {arrays['wider'][0]:.1f} times as wide as the day before the norm, "
            f"{arrays['wider'][1]:.1f} times behind it"
        ),
    )  # fmt: skip


def norms_demo(nets: Networks) -> Demo:
    """Choose a network, a stage and a channel."""

    @cache
    def kept(network: Row, stage_number: int, light: Light) -> tuple[torch.Tensor, torch.Tensor]:
        return around_norm(getattr(nets, network), stage_number, light)

    controls = {
        "network": choice([(ROWS[row], row) for row in NETS], "well", "network"),
        "stage_number": slider(0, 0, 3, 1, "stage"),
        "channel": slider(1, 0, 15, 1, "channel"),
    }
    presets = {ROWS[row]: {"network": row, "stage_number": 0, "channel": 1} for row in NETS}
    return live(
        partial(compute_norms, kept), view_norms, controls, presets=presets, plays="channel",
        title="Two worlds, one batch norm", recorded=("channel",),
    )  # fmt: skip


def wider(net: LowLightNet, stage_number: int = 0) -> tuple[float, float]:
    """How many times as wide the dark is as the day, before and behind the norm: the geometric mean over channels."""
    bright, dark = (around_norm(net, stage_number, light) for light in LIGHTS)
    before, behind = (float((d.std(1) / b.std(1).clamp_min(1e-6)).log().mean().exp()) for b, d in zip(bright, dark))
    return before, behind
