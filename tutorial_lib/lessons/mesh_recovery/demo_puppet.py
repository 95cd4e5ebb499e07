"""The puppet of lesson 10: six numbers of shape, a joint that bends, and two ways of skinning."""

from dataclasses import replace
from functools import cache
from typing import Any

import torch

from tutorial_lib.body_model import SHAPES, TURNING, Body, body
from tutorial_lib.body_model.rotations import from_axis_angle
from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.mesh.metrics import edges

HINGES = {
    "left_elbow": (0.0, -0.5**0.5, -(0.5**0.5)), "left_shoulder": (1.0, 0.0, 0.0), "left_knee": (0.0, 1.0, 0.0),
    "left_hip": (0.0, -1.0, 0.0), "neck": (0.0, 1.0, 0.0), "loin": (0.0, 1.0, 0.0),
}  # fmt: skip
"""Joints that the demo bends, and about which axis of the rest frame (x forward, y to the left, z up)."""


@cache
def one_bone() -> Body:
    """The body, every vertex carried by its strongest bone alone."""
    weights = body().weights
    return replace(body(), weights=torch.nn.functional.one_hot(weights.argmax(1), weights.shape[1]).to(weights))


def compute_puppet(shape: str, amount: float, bend: float, joint: str, skinning: str) -> dict[str, Any]:
    """What `puppet_demo` shows for these values of its controls."""
    model = body() if skinning == "smooth" else one_bone()
    betas = torch.zeros(len(SHAPES))
    betas[SHAPES.index(shape)] = amount
    number = TURNING.index(joint)
    rotations = torch.eye(3).repeat(len(TURNING), 1, 1)
    rotations[number] = from_axis_angle(torch.tensor(HINGES[joint]) * bend * torch.pi / 180)
    posed = model.pose(rotations, betas)
    start, end = edges(model.faces).unbind(1)
    sides = [(v[start] - v[end]).norm(dim=-1) for v in (posed.vertices, model.rest(betas).vertices)]
    return {
        "vertices": posed.vertices, "joints": posed.joints, "weight": model.weights[:, number],
        "stretch": (sides[0] / sides[1]).max().item(),
        "height": (posed.vertices[:, 2].max() - posed.vertices[:, 2].min()).item(),
    }  # fmt: skip


def view_puppet(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `puppet_demo`."""
    extent = ((-0.9, 0.9), (-0.9, 0.9), (-1.05, 0.95))
    surface = stage.mesh3d("surface", arrays["vertices"], body().faces, colour="sky", values=arrays["weight"])
    return stage.panes(
        stage.scene(
            meshes=[surface], extent=extent, view=(150.0, 8.0), title="1,202 vertices; red: moved by the joint"
        ),
        stage.scene(
            [stage.skeleton3d("joints", arrays["joints"])],
            extent=extent,
            view=(150.0, 8.0),
            title="all that 17 dots show",
        ),
        height=330,
        note=f"{100 * arrays['height']:.0f} cm from top to sole; one edge is {arrays['stretch']:.1f} times as long "
        "as at rest",
    )


def puppet_demo() -> Demo:
    """Shape it, bend it, skin it."""
    controls = {
        "shape": choice([(name.replace("_", " "), name) for name in SHAPES], SHAPES[0], "shape number"),
        "amount": slider(0.0, -3.0, 3.0, 0.5, "by (std. dev.)"),
        "bend": slider(40.0, 0.0, 140.0, 5.0, "bend (degrees)"),
        "joint": choice([(name.replace("_", " "), name) for name in HINGES], "left_elbow", "joint"),
        "skinning": choice(["smooth", "one bone"], "smooth", "skinning"),
    }
    still = {"shape": SHAPES[0], "amount": 0.0, "bend": 40.0, "joint": "left_elbow", "skinning": "smooth"}
    presets = {
        "mean": still,
        "much girth": still | {"shape": "girth", "amount": 3.0},
        "elbow, smooth": still | {"bend": 130.0},
        "elbow, one bone": still | {"bend": 130.0, "skinning": "one bone"},
        "hip, one bone": still | {"bend": 90.0, "joint": "left_hip", "skinning": "one bone"},
    }
    return live(
        compute_puppet, view_puppet, controls, presets=presets, title="A puppet of 19 joints and six numbers of shape",
        folded=("joint", "skinning"), plays="bend", recorded=("bend",),
    )  # fmt: skip
