"""The trap: a decoder that draws the points where they are. Its pictures turn, and its points need not be a body."""

from functools import partial
from typing import Any

import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, live, slider
from tutorial_lib.lessons.geometry_aware.demo_turn import HIGHEST, ROUND, compute_turn, people_control
from tutorial_lib.lessons.geometry_aware.pictures import Dots, Pair, strip

COLOURS = {"ours": "blue", "splatted": "vermillion"}


def compute_trap(nets: Pair, azimuth: float, person: int) -> dict[str, Any]:
    """What `trap_demo` shows for these values of its controls."""
    both = {
        name: compute_turn(net, person, azimuth, 0.0) for name, net in (("ours", nets.ours), ("splatted", nets.splat))
    }
    return {
        "truth": both["ours"]["truth"],
        "painted": {name: one["painted"] for name, one in both.items()},
        "points": {name: one["points"] / one["spread"] for name, one in both.items()},
        "errors": {name: one["errors"]["turned"] for name, one in both.items()},
        "now": both["ours"]["now"],
    }


def flatness(points: torch.Tensor) -> float:
    """How far points (n, 3) reach from the vertical axis through their middle, by their height: 0 is a pole."""
    centred = points - points.mean(0)
    return (centred[:, [0, 2]].square().sum(-1).mean() / 2).sqrt().item() / centred[:, 1].square().mean().sqrt().item()


def view_trap(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `trap_demo`."""
    now = {name: float(values[arrays["now"]]) for name, values in arrays["errors"].items()}
    reach = {name: flatness(points) for name, points in arrays["points"].items()}
    return stage.panes(
        strip(
            [
                *arrays["painted"].values(),
                arrays["truth"],
                [
                    Dots(name, points[:, [0, 2]] * points.new_tensor([0.4, -0.4]), COLOURS[name])
                    for name, points in arrays["points"].items()
                ],
            ],
            "painted: ours | splatted | the truth there | points from above", 2.3,
        ),
        stage.curve(
            [
                stage.series(name, ROUND, values.clamp_max(HIGHEST), colour=COLOURS[name], dash=dash)
                for (name, values), dash in zip(arrays["errors"].items(), ("solid", "dash"), strict=True)
            ],
            x=stage.axis("camera moved by (°)", -180, 180), y=stage.axis("difference (%)", 0, HIGHEST),
            now=params["azimuth"], grab="camera", title="painted against truth",
        ),
        height=225,
        note=f"{now['ours']:.1f} % off the truth with our decoder, {now['splatted']:.1f} % with splatted points; these "
        f"reach {reach['splatted']:.2f} of their height aside, ours {reach['ours']:.2f}",
    )  # fmt: skip


def trap_demo(nets: Pair) -> Demo:
    """Two decoders beside each other, all the way round.

    Args:
        nets: of `pictures.networks`.
    """
    controls = {"azimuth": slider(60, -180, 180, 15, "camera moved by (°)"), "person": people_control()}
    presets = {
        "its own camera": {"azimuth": 0, "person": 0},
        "the other camera": {"azimuth": 60, "person": 0},
        "from behind": {"azimuth": 180, "person": 0},
        "somebody else": {"azimuth": 60, "person": 2},
    }
    return live(
        partial(compute_trap, nets), view_trap, controls, presets=presets,
        title="Draw the points where they are: is that geometry?",
        grabs={"camera": lambda at, params: {"azimuth": at[0]}}, plays="azimuth", recorded=("azimuth",),
    )  # fmt: skip
