"""The fourth live demo of lesson 13: a step that the wearer's own body hides, and what fills the hole."""

from functools import partial
from typing import Any

import numpy as np
import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.egocentric.depth import SceneKind, scene_points
from tutorial_lib.egocentric.metrics import foot_heights
from tutorial_lib.egocentric.scenes import Scene
from tutorial_lib.lessons.egocentric.demo_voxels import Networks, asked
from tutorial_lib.lessons.egocentric.pictures import DOING, circle_of, nearness, on_a_step, seen_by, test_scenes
from tutorial_lib.lessons.egocentric.recipes import ROWS, SHIPPED

STANDING = ("wave", "reach", "carry")
"""Moments with both feet down."""

FILLS: dict[SceneKind, str] = {"hole": "ink", "classical": "orange", "learned": "vermillion", "true": "green"}
"""What is drawn of the depth, and its colour."""

SYMBOLS: dict[SceneKind, stage.Symbol] = {"hole": "circle", "classical": "square", "learned": "circle"}

NEAR = 0.12
"""Metres around the line through both feet within which points are shown."""


def profile(points: torch.Tensor, ankles: torch.Tensor) -> torch.Tensor:
    """Points (N, 3) of the world near the line through both ankles (2, 3): (M, 2) place along it and height, metres."""
    middle = ankles.mean(0)
    along = torch.nn.functional.normalize((ankles[0] - ankles[1])[:2], dim=0)
    offset = points[:, :2] - middle[:2]
    across = offset @ torch.stack([-along[1], along[0]])
    place = torch.stack([offset @ along, points[:, 2]], -1)
    return place[(across.abs() < NEAR) & (place[:, 0].abs() < 0.8) & (place[:, 1] < 0.6)]


NEAR = 0.3
"""Metres along the line through both feet within which ground is near them."""


def compute_step(nets: Networks, scenes: list[Scene], step: float, margin: float, person: int) -> dict[str, Any]:
    """What `step_demo` shows for these values of its controls."""
    placed = on_a_step(scenes[person], step, margin)
    sample = seen_by(placed)
    ankles = placed.people[0, [3, 6]]
    along = torch.linspace(-0.8, 0.8, 161)
    line = ankles.mean(0)[:2] + along[:, None] * torch.nn.functional.normalize((ankles[0] - ankles[1])[:2], dim=0)
    true_height = placed.rooms.height(line[None])[0]
    heights, profiles, off, near = {}, {}, {}, {}
    for kind in SHIPPED:
        said = asked(nets, sample, kind)
        heights[kind] = (
            1000 * (foot_heights(said["pose"][None], sample) - foot_heights(sample.pose, sample)).mean().item()
        )
        if kind in FILLS:
            world = sample.in_world(scene_points(said["distance"][None]))[0]
            known = said["there"] & (sample.hole[0] if kind != "hole" else torch.ones_like(said["there"]))
            profiles[kind] = profile(world[known], ankles)
            near[kind] = 100 * profiles[kind][profiles[kind][:, 0].abs() < NEAR, 1].mean().item()
            hole = sample.hole[0] & circle_of(48)
            off[kind] = 1000 * (said["distance"] - sample.scene[0])[hole].abs().mean().item()
    return {
        "depth": nearness(sample.scene[0], circle_of(48) & ~sample.hole[0]),
        "along": along, "true_height": true_height, "profiles": profiles, "heights": heights, "off": off, "near": near,
        "ankles": torch.stack([torch.tensor([0.5, -0.5]) * (ankles[0] - ankles[1])[:2].norm(), ankles[:, 2]], -1),
    }  # fmt: skip


def view_step(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `step_demo`."""
    shown = [
        stage.series(
            {"hole": "seen"}.get(kind, ROWS[kind].removeprefix("hole filled, ")), points[:, 0], points[:, 1],
            colour=FILLS[kind], mode="markers", symbol=SYMBOLS[kind],
        )
        for kind, points in arrays["profiles"].items() if kind != "true" and len(points)
    ]  # fmt: skip
    names = {"none": "none", "hole": "hole", "classical": "classic", "learned": "learned", "true": "true"}
    off, near = arrays["off"], arrays["near"]
    return stage.panes(
        stage.image(picture=arrays["depth"], title="depth, the body cut out", cross=None, weight=0.8),
        stage.curve(
            [
                stage.series("truth", arrays["along"], arrays["true_height"], colour="green"), *shown,
                stage.series(
                    "true ankles", arrays["ankles"][:, 0], arrays["ankles"][:, 1], colour="blue", mode="markers",
                    symbol="diamond",
                ),
            ],
            x=stage.axis("along the line through both feet (m)", -0.8, 0.8), y=stage.axis("height (m)", -0.25, 0.6),
            title="the ground under the feet", weight=1.3,
        ),
        stage.curve(
            [stage.series("too high", np.arange(len(SHIPPED)), list(arrays["heights"].values()), mode="bars", bar=0.7)],
            x=stage.axis("told", -0.6, len(SHIPPED) - 0.4, ticks={names[kind]: i for i, kind in enumerate(SHIPPED)}),
            y=stage.axis("predicted feet too high (mm)", -300, 300),
            title="where the networks put the feet", weight=1.1,
        ),
        height=265,
        note=(
            f"a step of {100 * params['step']:.0f} cm; the hole and the ground near the feet, filled classically: "
            f"{off['classical']:.0f} mm off, {near['classical']:.0f} cm high; learned: {off['learned']:.0f} mm off, "
            f"{near['learned']:.0f} cm high"
        ),
    )  # fmt: skip


def step_demo(nets: Networks) -> Demo:
    """A step under the feet: how high, and how far it looks out from under the body."""
    people = [(name, DOING.index(name)) for name in STANDING]
    controls = {
        "step": slider(0.2, 0.0, 0.3, 0.05, "height of the step (m)"),
        "margin": slider(0.05, 0.0, 0.4, 0.05, "it reaches beyond the feet (m)"),
        "person": choice(people, people[0][1], "what the wearer does"),
    }
    presets = {
        "level floor": {"step": 0.0, "margin": 0.05, "person": 0},
        "a hidden step": {"step": 0.2, "margin": 0.0, "person": 0},
        "its rim looks out": {"step": 0.2, "margin": 0.2, "person": 0},
        "a platform": {"step": 0.2, "margin": 0.4, "person": 0},
    }
    return live(
        partial(compute_step, nets, test_scenes()), view_step, controls, presets=presets,
        title="A step that your own body hides: who can know?", plays="step", recorded=("step", "margin"),
    )  # fmt: skip
