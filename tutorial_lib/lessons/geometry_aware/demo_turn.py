"""Turn the latent: one photo, its points turned by a slider, what is painted of them beside the truth at that angle."""

from functools import partial
from typing import Any

import numpy as np
import torch

from tutorial_lib.datasets.splits import HELD_OUT_ACTIONS
from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.geometry_aware import GeometryNet
from tutorial_lib.lessons.geometry_aware.pictures import (
    DOING,
    PHOTO,
    Dots,
    Pair,
    apart,
    painted,
    photos_of,
    plates_of,
    seen_from,
    strip,
)

ROUND = tuple(float(angle) for angle in range(-180, 181, 15))
"""Degrees of azimuth from the photo's camera."""

HIGHEST = 40.0
"""Per cent, the upper end of the curve."""

ROOM = 0


def compute_turn(net: GeometryNet, person: int, azimuth: float, elevation: float) -> dict[str, Any]:
    """What `turn_demo` shows for these values of its controls."""
    size = net.encoder.size
    first = seen_from(person, (float(PHOTO),), room=ROOM, size=size)
    others = seen_from(person, tuple(PHOTO + angle for angle in ROUND), elevation, room=ROOM, size=size)
    photo, truth, plates = photos_of(first)[0], photos_of(others), plates_of(others)
    turn = others.rotation[0] @ first.rotation[0, 0].mT
    pictures, points = painted(net, photo, turn, plates)
    still = painted(net, photo, torch.eye(3).expand_as(turn), plates)[0]
    now = int(np.abs(np.array(ROUND) - azimuth).argmin())
    return {
        "photo": photo,
        "painted": pictures[now],
        "truth": truth[now],
        "points": points[now],
        "spread": float(points[now].square().sum(-1).mean().sqrt().clamp_min(1e-6)),
        "errors": {
            "turned": apart(pictures, truth, plates),
            "not turned": apart(still, truth, plates),
            "nobody": apart(plates, truth, plates),
        },
        "now": now,
    }


def cloud(points: torch.Tensor, spread: float) -> list[Dots]:
    """A latent as its camera sees it: the nearer half and the farther half."""
    place = points[:, :2] / (2.2 * spread)
    near = points[:, 2] <= points[:, 2].median()
    return [Dots("far points", place[~near], "sky", 3.5), Dots("near points", place[near], "blue", 4.5)]


def view_turn(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `turn_demo`."""
    now = {name: float(values[arrays["now"]]) for name, values in arrays["errors"].items()}
    dashes: dict[str, stage.Dash] = {"turned": "solid", "not turned": "dash", "nobody": "dot"}
    colours = {"turned": "blue", "not turned": "vermillion", "nobody": "grey"}
    return stage.panes(
        strip(
            [arrays["photo"], cloud(arrays["points"], arrays["spread"]), arrays["painted"], arrays["truth"]],
            "one photo | its points, turned | painted of them | the truth there", 2.9,
        ),
        stage.curve(
            [
                stage.series(name, ROUND, values.clamp_max(HIGHEST), colour=colours[name], dash=dashes[name])
                for name, values in arrays["errors"].items()
            ],
            x=stage.axis("camera moved by (°)", -180, 180), y=stage.axis("difference (%)", 0, HIGHEST),
            now=params["azimuth"], grab="camera", title="painted against truth",
        ),
        height=245,
        note=f"at {params['azimuth']:.0f}°: {now['turned']:.1f} % with the points turned, {now['not turned']:.1f} % if "
        f"they are not, {now['nobody']:.1f} % if nobody is painted",
    )  # fmt: skip


def people_control(first: int = 0) -> Any:
    """Choose one of the test people; `first` is who is there when a demo opens."""
    names = [name.replace("_", " ") + ", a new motion" * (name in HELD_OUT_ACTIONS) for name in DOING]
    return choice([(name, i) for i, name in enumerate(names)], first, "person")


def turn_demo(nets: Pair) -> Demo:
    """Walk the camera round a photo.

    Args:
        nets: of `pictures.networks`.
    """
    controls = {
        "azimuth": slider(60, -180, 180, 15, "camera moved by (°)"),
        "elevation": slider(0, -15, 60, 15, "camera raised by (°)"),
        "person": people_control(),
    }
    presets = {
        "its own camera": {"azimuth": 0, "elevation": 0, "person": 0},
        "the other camera": {"azimuth": 60, "elevation": 0, "person": 0},
        "from behind": {"azimuth": 180, "elevation": 0, "person": 0},
        "never trained: from above": {"azimuth": 60, "elevation": 60, "person": 0},
    }
    return live(
        partial(compute_turn, nets.ours), view_turn, controls, presets=presets,
        title="Turn the latent: what does a camera see that never was there?",
        grabs={"camera": lambda at, params: {"azimuth": at[0]}}, plays="azimuth", recorded=("azimuth",),
    )  # fmt: skip


def all_round(nets: Pair) -> dict[str, float]:
    """Mean difference in per cent over all people and cameras but the photo's own: the lesson's first prediction.

    Args:
        nets: of `pictures.networks`.
    """
    found: dict[str, list[float]] = {}
    for person in range(len(DOING)):
        errors = compute_turn(nets.ours, person, 0, 0)["errors"]
        for name, values in errors.items():
            found.setdefault(name, []).append(values[[i for i, angle in enumerate(ROUND) if angle % 360]].mean().item())
    return {name: float(np.mean(values)) for name, values in found.items()}
