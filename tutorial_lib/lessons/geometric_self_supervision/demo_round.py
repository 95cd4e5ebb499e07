"""The second live demo of lesson 08: one way round with trained lifters, and what the cycle's losses do not notice."""

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

from tutorial_lib import checkpoints
from tutorial_lib.display import stage
from tutorial_lib.display.lens_controls import BODY
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.lessons.geometric_self_supervision.demo_turn import left, level_poses, right, side_by_side
from tutorial_lib.lessons.geometric_self_supervision.recipes import CRITIC, CYCLE, FULL, LABELS
from tutorial_lib.self_supervision.losses import cycle_losses
from tutorial_lib.self_supervision.networks import DepthLifter
from tutorial_lib.self_supervision.signs import aligned_errors
from tutorial_lib.self_supervision.turning import lift, look, mirrored, tilt, turn

NETWORKS = {
    CYCLE: "cycle alone",
    CRITIC: "critic alone",
    FULL: "cycle and critic",
    "prior-20": "both, cameras ±20°",
    LABELS: "with labels",
}
"""Networks of the checkpoints, and what the demo calls them."""

SHORT = dict(zip(NETWORKS.values(), ("cycle", "critic", "both", "±20°", "labels")))
"""Their names under the bars."""

HIGHEST = 250.0
"""Millimetres at the top of the bars."""

Lifters = Mapping[str, DepthLifter]


def lifters(folder: Path | None = None) -> Lifters:
    """Title -> network, of training seed 0."""
    where = checkpoints.FOLDER if folder is None else folder
    return {title: checkpoints.load(f"skeletons/{name}", folder=where) for name, title in NETWORKS.items()}


def one_round(lifter: DepthLifter, seen: torch.Tensor, around: torch.Tensor) -> dict[str, Any]:
    """Lift (17, 2), turn, look, lift, turn back; losses as lengths in mm."""
    pose = lifter(seen)
    again = look(pose @ around.mT, lifter.distance)
    second = lifter(again) @ around
    in_picture, in_space = cycle_losses(lifter, seen, pose, again, around)
    return {
        "pose": pose,
        "again": again,
        "second": second,
        "back": look(second, lifter.distance),
        "2D": 1000 * math.sqrt(in_picture.item()),
        "3D": 1000 * math.sqrt(in_space.item()),
    }


def compute_round(
    networks: Lifters, poses: torch.Tensor, network: str, azimuth: float, pose: int, elevation: float
) -> dict[str, Any]:
    """What `round_demo` shows for these values of its controls."""
    down, angle = (torch.tensor(math.radians(degrees)) for degrees in (elevation, azimuth))
    truth = poses[pose] @ tilt(down).mT
    seen = look(truth)
    around = turn(down, angle, down)
    with torch.no_grad():
        rounds = {title: one_round(lifter, seen, around) for title, lifter in networks.items()}
    for found in rounds.values():
        kept, other = (
            aligned_errors(p[None], truth[None]).item() for p in (found["pose"], mirrored(seen, found["pose"]))
        )
        found["error"], found["mirrored"] = 1000 * kept, 1000 * other
    flat = 1000 * aligned_errors(lift(seen, torch.zeros(17))[None], truth[None]).item()
    return {"seen": seen, "truth": truth, "rounds": rounds, "upright": tilt(down), "flat": flat}


def in_words(arrays: dict[str, Any], network: str) -> str:
    """The one sentence above the picture."""
    found = arrays["rounds"][network]
    better = " (mirrored it would be better)" if found["mirrored"] < found["error"] else ""
    return (
        f"{network}: comes back to within {found['2D']:.0f} mm in the picture and {found['3D']:.0f} mm in space, "
        f"and is {found['error']:.0f} mm wrong{better}"
    )


def view_round(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `round_demo`."""
    rounds, upright = arrays["rounds"], arrays["upright"]
    found = rounds[params["network"]]
    bars = (("comes back (3D)", "3D", "orange"), ("error", "error", "blue"), ("error if mirrored", "mirrored", "grey"))
    return stage.panes(
        side_by_side(
            [
                stage.skeleton2d("seen", left(arrays["seen"]), colour="green"),
                stage.skeleton2d("after one round", left(found["back"]), colour="orange", dash="dash", width=3.0),
            ],
            [stage.skeleton2d("first lift", right(found["again"]), colour="blue")],
            title=f"begin and end, and {params['azimuth']:.0f}° further round",
        ),
        stage.scene(
            [
                stage.skeleton3d("truth", arrays["truth"] @ upright),
                stage.skeleton3d("first lift", found["pose"] @ upright, colour="blue"),
                stage.skeleton3d(
                    "second, turned back", found["second"] @ upright, colour="orange", dash="dash", width=3.0
                ),
            ],
            extent=BODY, up="-y", view=(-60.0, 14.0), title="lifted, and lifted again", weight=0.8,
        ),
        stage.curve(
            [
                stage.series(
                    name, torch.arange(len(rounds)).float(), [min(one[key], HIGHEST) for one in rounds.values()],
                    mode="bars", colour=colour, bar=0.25, shift=0.27 * (place - 1),
                )
                for place, (name, key, colour) in enumerate(bars)
            ],
            x=stage.axis("", -0.6, len(rounds) - 0.4, ticks={SHORT[title]: i for i, title in enumerate(rounds)}),
            y=stage.axis("mm", 0, HIGHEST), lines=[stage.hline("a flat person's error", arrays["flat"])],
            title="who comes back, who is right?", weight=1.3,
        ),
        height=280,
        note=in_words(arrays, params["network"]),
    )  # fmt: skip


def round_demo(networks: Lifters | None = None) -> Demo:
    """Trained lifters on their way round: which come back, and which are right.

    Args:
        networks: of `lifters`, which are taken by default.
    """
    networks = lifters() if networks is None else networks
    titles = list(networks)
    controls = {
        "network": choice(titles, titles[0], "network"),
        "azimuth": slider(60, -180, 180, 10, "turn (°)"),
        "pose": slider(0, 0, len(level_poses()) - 1, 1, "person"),
        "elevation": slider(15, 0, 20, 5, "tilt (°)"),
    }
    presets = {title: {"network": title, "azimuth": 60, "pose": 0, "elevation": 15} for title in titles}
    return live(
        partial(compute_round, networks, level_poses()),
        view_round,
        controls,
        presets=presets,
        folded=("elevation",),
        title="Lift, turn, look, lift, turn back: who comes back, and who is right?",
        plays="azimuth",
        recorded=("network", "azimuth"),
    )
