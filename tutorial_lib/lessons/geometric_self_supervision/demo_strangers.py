"""The third live demo of lesson 08: skeletons of another data set, and an adapter that nobody showed a pair."""

from functools import partial
from pathlib import Path
from typing import Any

import torch

from tutorial_lib import checkpoints
from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, live, slider
from tutorial_lib.lessons.geometric_self_supervision.demo_turn import HALF, apart, level_poses
from tutorial_lib.self_supervision.networks import Adapter
from tutorial_lib.self_supervision.others import ALONG, by_others
from tutorial_lib.self_supervision.turning import about_vertical, look
from tutorial_lib.skeleton import JOINTS

SHARES = torch.linspace(0, 1.5, 16)
SHOWN = ("left_hip", "left_shoulder", "left_wrist", "left_foot", "spine", "head")
"""Joints of the bars: those that strangers put elsewhere, on one side."""


def compute_strangers(adapter: Adapter, poses: torch.Tensor, share: float, azimuth: float, pose: int) -> dict[str, Any]:
    """What `strangers_demo` shows for these values of its controls."""
    truth = poses[pose] @ about_vertical(torch.tensor(azimuth).deg2rad()).mT
    own, strange = look(truth), look(by_others(truth))
    with torch.no_grad():
        correction = adapter.correction(strange)
    adapted = strange + share * correction
    joints = [JOINTS.index(name) for name in SHOWN]
    return {
        "own": own,
        "strange": strange,
        "adapted": adapted,
        "joints": {
            name: 1000 * torch.linalg.vector_norm(seen - own, dim=-1)[joints]
            for name, seen in (("strangers'", strange), ("adapted", adapted))
        },
        "errors": torch.tensor([apart(strange + s * correction, own) for s in SHARES]),
    }


def by_kind_of_joint(folder: Path | None = None) -> tuple[tuple[float, float], tuple[float, float]]:
    """How far joints lie from ours before and after the adapter, in mm: those that others put elsewhere, and the rest.

    The mean over the demo's people and 24 directions; without the root, which is where it is for everybody.

    Args:
        folder: of the checkpoints.
    """
    adapter = checkpoints.load("skeletons/adapter", folder=checkpoints.FOLDER if folder is None else folder)
    truth = level_poses()[:, None] @ about_vertical(torch.arange(0.0, 360.0, 15.0).deg2rad()).mT
    own, strange = look(truth).flatten(0, 1), look(by_others(truth)).flatten(0, 1)
    with torch.no_grad():
        ways = [1000 * torch.linalg.vector_norm(seen - own, dim=-1).mean(0) for seen in (strange, adapter(strange))]
    moved = torch.tensor([name in ALONG for name in JOINTS])
    rest = ~moved & (torch.arange(len(JOINTS)) > 0)
    before, after = ((way[moved].mean().item(), way[rest].mean().item()) for way in ways)
    return (before[0], after[0]), (before[1], after[1])


def in_words(arrays: dict[str, Any]) -> str:
    """The one sentence above the picture."""
    before, after = (apart(arrays[name], arrays["own"]) for name in ("strange", "adapted"))
    return f"a joint lies {before:.0f} mm from where we have it, and {after:.0f} mm once it is moved"


def view_strangers(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `strangers_demo`."""
    places = torch.arange(len(SHOWN)).float()
    return stage.panes(
        stage.image(
            skeletons=[
                stage.skeleton2d("ours", arrays["own"] / HALF, colour="green", width=3.0),
                stage.skeleton2d("strangers'", arrays["strange"] / HALF, colour="grey", dash="dot", width=2.0),
                stage.skeleton2d("adapted", arrays["adapted"] / HALF, colour="blue"),
            ],
            title="one person, two definitions", cross=None, weight=0.9,
        ),
        stage.curve(
            [
                stage.series(
                    name, places, values, mode="bars", colour=colour, bar=0.38, shift=shift
                )
                for (name, values), colour, shift in zip(
                    arrays["joints"].items(), ("grey", "blue"), (-0.2, 0.2)
                )
            ],
            x=stage.axis("", -0.5, len(SHOWN) - 0.5, ticks={
                name.removeprefix("left_"): i for i, name in enumerate(SHOWN)
            }),
            y=stage.axis("from ours (mm)", 0, 120),
            title="joint by joint", weight=1.5,
        ),
        stage.curve(
            [stage.series("all joints", SHARES, arrays["errors"], colour="blue")],
            x=stage.axis("correction, times", -0.1, 1.6), y=stage.axis("from ours (mm)", 0, 60),
            now=params["share"], grab="how much", title="the whole skeleton", weight=0.8,
        ),
        height=250,
        note=in_words(arrays),
    )  # fmt: skip


def strangers_demo(folder: Path | None = None) -> Demo:
    """Joints where another data set has them, moved by the shipped adapter.

    Args:
        folder: of the checkpoints.
    """
    where = checkpoints.FOLDER if folder is None else folder
    poses = level_poses()
    return live(
        partial(compute_strangers, checkpoints.load("skeletons/adapter", folder=where), poses),
        view_strangers,
        {
            "share": slider(0.0, 0.0, 1.5, 0.1, "correction (×)"),
            "azimuth": slider(0, -180, 180, 15, "walk (°)"),
            "pose": slider(0, 0, len(poses) - 1, 1, "person"),
        },
        presets={
            title: {"share": share, "azimuth": 0, "pose": person}
            for title, share, person in (
                ("as strangers label", 0.0, 0),
                ("adapted", 1.0, 0),
                ("another person, adapted", 1.0, 4),
                ("too much", 1.5, 0),
            )
        },
        title="Strangers' skeletons: may they help?",
        grabs={"how much": lambda at, params: {"share": at[0]}},
        plays="azimuth",
        recorded=("share",),
    )
