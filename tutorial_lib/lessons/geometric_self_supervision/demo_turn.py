"""The first live demo of lesson 08: stretch the depth of a pose, walk round it, and compare with all that was seen."""

import math
from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import torch

from tutorial_lib.datasets.splits import TEST_SEED, TRAIN_SEED, TRAINED_ACTIONS
from tutorial_lib.display import stage
from tutorial_lib.display.lens_controls import BODY
from tutorial_lib.display.live import Demo, live, slider
from tutorial_lib.motion import builtin
from tutorial_lib.self_supervision.turning import lift, look, tilt, turn
from tutorial_lib.self_supervision.views import draw_views, poses_before
from tutorial_lib.skeleton import JOINTS

SHOWN = ("reach", "walk", "kick", "wave", "dance", "carry")
"""What the test person of these demos does."""

HALF = 0.95
"""Metres from the middle of the pictures to their edge: people fill them."""

AZIMUTHS = torch.arange(-180, 181, 10)
"""Degrees at which the curve is worked out."""


@cache
def level_poses(count: int = 6, seed: int = 0) -> torch.Tensor:
    """(count, 17, 3) test people before a level camera, metres, root-relative: what the demos of this lesson show."""
    clips = builtin(TEST_SEED, 1, SHOWN[:count], 120)
    world = torch.stack([clip.positions[45] for clip in clips]).float()
    angles = 2 * math.pi * torch.rand(count, generator=torch.Generator().manual_seed(seed))
    return poses_before(world[:, None], angles, torch.zeros(count))[:, 0]


@cache
def all_seen(count: int = 6000) -> torch.Tensor:
    """(count, 34) the 2D skeletons of training people as the lesson's cameras saw them; metres."""
    return draw_views(builtin(TRAIN_SEED, 10, TRAINED_ACTIONS, 100), count, 0).seen[:, 0].flatten(1)


def unlike(seen: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """How far 2D skeletons (N, 17, 2) lie from the most similar of `others` (M, 34): (N,) mm a joint, root mean square.

    A critic without a network: what was never seen like that is far from everything.
    """
    return 1000 * torch.cdist(seen.flatten(1), others).amin(1) / math.sqrt(len(JOINTS))


def compute_turn(
    poses: torch.Tensor, pose: int, depth: float, azimuth: float, believed: float, elevation: float
) -> dict[str, Any]:
    """What `turn_demo` shows for these values of its controls."""
    angles = torch.cat([AZIMUTHS, torch.tensor([azimuth, -azimuth])]).float().deg2rad()
    down, thought = (torch.full_like(angles, math.radians(degrees)) for degrees in (elevation, believed))
    truth = poses[pose] @ tilt(down[0]).mT
    seen = look(truth)
    guess = lift(seen, depth * truth[:, 2])
    turned = {"guess": guess @ turn(thought, angles, thought).mT, "truth": truth @ turn(down, angles, down).mT}
    pictures = {name: look(pose) for name, pose in turned.items()}
    upright = {  # what either takes for upright, walked round: a wrong belief leans
        "guess": guess @ turn(thought[-2], angles[-2], 0 * thought[-2]).mT,
        "truth": truth @ turn(down[-2], angles[-2], 0 * down[-2]).mT,
    }
    others = all_seen()
    return {
        "seen": seen,
        "truth": truth,
        "guess": guess,
        "upright": upright,
        "picture": pictures["guess"][-2],
        "right": pictures["truth"][-2],
        "other way": pictures["truth"][-1],
        "unlike": {name: unlike(seen_from[:-1], others) for name, seen_from in pictures.items()},
    }


def apart(one: torch.Tensor, two: torch.Tensor) -> float:
    """Mean distance of the joints of two 2D skeletons in mm."""
    return 1000 * torch.linalg.vector_norm(one - two, dim=-1).mean().item()


def in_words(arrays: dict[str, Any], azimuth: float) -> str:
    """The one sentence above the picture."""
    right, other = (apart(arrays["picture"], arrays[name]) for name in ("right", "other way"))
    strange = {name: values[-1].item() for name, values in arrays["unlike"].items()}
    return (
        f"nearest ever seen: {strange['guess']:.0f} mm away (truth: {strange['truth']:.0f}; all round "
        f"{hidden(arrays).mean():+.0f} mm); true picture from {azimuth:.0f}°: {right:.0f} mm away, "
        f"from {-azimuth:.0f}°: {other:.0f} mm"
    ).replace("-", "\u2212")


def left(seen: torch.Tensor) -> torch.Tensor:
    """Where a 2D skeleton (17, 2) in metres stands in the left half of `side_by_side`."""
    return seen / HALF / 2 - torch.tensor([0.5, 0.0])


def right(seen: torch.Tensor) -> torch.Tensor:
    """The same in the right half."""
    return left(seen) + torch.tensor([1.0, 0.0])


def side_by_side(first: Sequence[dict], second: Sequence[dict], title: str) -> dict[str, Any]:
    """Two pictures in one pane.

    Args:
        first: skeletons placed by `left`.
        second: and by `right`.
        title: above them.
    """
    divider = stage.polyline("", torch.tensor([[0.0, -0.5], [0.0, 0.5]]))
    return stage.image(
        skeletons=[*first, *second], lines=[divider], aspect=2.0, cross=None, margin=0.02, title=title, weight=1.6
    )


def view_turn(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `turn_demo`."""
    return stage.panes(
        side_by_side(
            [stage.skeleton2d("seen first", left(arrays["seen"]), colour="green")],
            [
                stage.skeleton2d("truth", right(arrays["right"]), colour="ink", width=3.0),
                stage.skeleton2d("guess", right(arrays["picture"]), colour="blue"),
            ],
            title=f"seen first, and {params['azimuth']:.0f}° further round",
        ),
        stage.scene(
            [
                stage.skeleton3d("truth", arrays["upright"]["truth"]),
                stage.skeleton3d("guess", arrays["upright"]["guess"], colour="blue"),
            ],
            extent=BODY, up="-y", view=(-60.0, 14.0), title="how both would stand", weight=0.8,
        ),
        stage.curve(
            [
                stage.series("truth", AZIMUTHS, arrays["unlike"]["truth"][:-1], colour="ink", dash="dash"),
                stage.series("guess", AZIMUTHS, arrays["unlike"]["guess"][:-1], colour="blue"),
            ],
            x=stage.axis("walked round (°)", -180, 180),
            y=stage.axis("to the nearest (mm)", 0, 300),
            now=params["azimuth"], grab="walk round", title="seen anything like it?", weight=1.2,
        ),
        height=280,
        note=in_words(arrays, params["azimuth"]),
    )  # fmt: skip


def turn_demo() -> Demo:
    """Depth times a factor from -1 (mirrored) over 0 (flat) to 1 (true), seen from all sides."""
    poses = level_poses()
    controls = {
        "depth": slider(0.0, -1.0, 1.0, 0.1, "depth (× true)"),
        "azimuth": slider(60, -180, 180, 10, "walk (°)"),
        "believed": slider(15, -20, 20, 5, "believed tilt (°)"),
        "elevation": slider(15, 0, 20, 5, "true tilt (°)"),
        "pose": slider(0, 0, len(poses) - 1, 1, "person"),
    }
    start = {"azimuth": 60, "believed": 15, "elevation": 15, "pose": 0}
    presets = {
        "the truth": start | {"depth": 1.0},
        "flat": start | {"depth": 0.0, "azimuth": 90},
        "mirrored": start | {"depth": -1.0},
        "mirrored, believed from below": start | {"depth": -1.0, "believed": -15},
    }
    return live(
        partial(compute_turn, poses),
        view_turn,
        controls,
        presets=presets,
        folded=("elevation", "pose"),
        title="One picture, many depths: which of them still looks like a person from the side?",
        grabs={"walk round": lambda at, params: {"azimuth": at[0]}},
        plays="azimuth",
        recorded=("depth", "azimuth"),
    )


def hidden(arrays: dict[str, Any]) -> np.ndarray:
    """How much stranger the guess looks than the truth over all azimuths, in mm: the lesson's second prediction."""
    return (arrays["unlike"]["guess"] - arrays["unlike"]["truth"])[:-1].numpy()
