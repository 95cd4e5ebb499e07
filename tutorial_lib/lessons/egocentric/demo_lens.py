"""The first live demo of lesson 13: which lens sees its wearer's feet."""

import math
from functools import partial
from typing import Any

import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.egocentric.headset import wear
from tutorial_lib.egocentric.scenes import Scene
from tutorial_lib.fisheye import Fisheye
from tutorial_lib.grid import cell_centres
from tutorial_lib.lessons.egocentric.pictures import DOING, middle_of, seen_by, shaded, test_scenes
from tutorial_lib.render import draw_looks
from tutorial_lib.render.body import build
from tutorial_lib.render.body_rays import body_distance
from tutorial_lib.skeleton import JOINTS

LENSES = {
    "pinhole": "blue",
    "equidistant": "orange",
    "equisolid": "vermillion",
    "polynomial": "green",
}
"""The lenses of this demo, and their colours."""

POLYNOMIAL = (-0.05, 0.004)
"""An ordinary lens between the two ideal ones (ours)."""

SIDE = 64
FOOT, SHOULDERS = JOINTS.index("right_foot"), (JOINTS.index("left_shoulder"), JOINTS.index("right_shoulder"))
"""Joints whose places are told."""


def radius(lens: str, angle: torch.Tensor, half: float) -> torch.Tensor:
    """Where rays at these angles land, the edge of the field of view at 1."""
    if lens == "pinhole":
        return torch.tan(angle) / math.tan(half)
    made = Fisheye(lens, POLYNOMIAL if lens == "polynomial" else (), half)  # ty: ignore[invalid-argument-type]
    return made.radius(angle) / made.edge


def ray_of(lens: str, place: torch.Tensor, half: float) -> torch.Tensor:
    """(..., 2) in the picture to unit rays (..., 3); outside the circle those of its edge."""
    size = torch.linalg.vector_norm(place, dim=-1, keepdim=True).clamp_min(1e-6)
    inside = size.clamp_max(1.0)
    if lens == "pinhole":
        angle = torch.atan(inside * math.tan(half))
    else:
        made = Fisheye(lens, POLYNOMIAL if lens == "polynomial" else (), half)  # ty: ignore[invalid-argument-type]
        angle = made.angle(inside * made.edge)
    return torch.cat([place / size * torch.sin(angle), torch.cos(angle)], -1)


def compute_lens(scenes: list[Scene], lens: str, half: float, tilt: float, person: int) -> dict[str, Any]:
    """What `lens_demo` shows for these values of its controls."""
    scene, field = scenes[person], math.radians(half)
    camera = wear(scene.people, scene.size, math.radians(tilt))
    sample = seen_by(scene, 8)
    line = cell_centres(SIDE)
    rays = ray_of(lens, torch.stack(torch.meshgrid(line, line, indexing="xy"), -1).flatten(0, 1), field)
    pose = ((scene.people[0] - camera.position[0]) @ camera.rotation[0].T)[None]
    solids = build(pose, draw_looks(1, generator=torch.Generator().manual_seed(0)))
    around = rays @ camera.rotation[0]
    room = scene.rooms.distance(camera.position, around[None])[0]
    body = body_distance(solids, rays)[0]
    angle = torch.atan2(pose[0, :, :2].norm(dim=-1), pose[0, :, 2])
    seen = angle <= field
    toward = torch.nn.functional.normalize(pose[0, :, :2], dim=-1)
    screen = toward * radius(lens, angle.clamp_max(field), field)[:, None]
    sample = type(sample)(**{**vars(sample), "rotation": camera.rotation, "position": camera.position})
    return {
        "colours": shaded(room, rays, sample, body),
        "screen": screen,
        "seen": seen,
        "angle": angle,
        "shoulders": SIDE / 2 * (screen[SHOULDERS[0]] - screen[SHOULDERS[1]]).norm().item(),
        "world": scene.people[0] - middle_of(scene),
        "camera": camera.position[0] - middle_of(scene),
    }


def view_lens(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `lens_demo`."""
    half = params["half"]
    angles = torch.linspace(0, math.radians(half), 60)
    count = int(arrays["seen"].sum())
    foot = math.degrees(arrays["angle"][FOOT])
    return stage.panes(
        stage.image(
            picture=arrays["colours"],
            skeletons=[stage.skeleton2d("joints", arrays["screen"], colour="ink", width=2.5)],
            title=f"{params['lens']}, 2 × {half:.0f}°", cross=None, weight=1.0,
        ),
        stage.curve(
            [
                stage.series(
                    name, torch.rad2deg(angles), radius(name, angles, math.radians(half)), colour=colour,
                    width=4.0 if name == params["lens"] else 1.8, dash="solid" if name == params["lens"] else "dash",
                )
                for name, colour in LENSES.items()
            ],
            x=stage.axis("angle to the axis (°)", 0, 85), y=stage.axis("place in the picture, edge = 1", 0, 1),
            now=min(foot, 85.0), title="upright line: the right foot's angle", weight=1.1,
        ),
        stage.scene(
            [stage.skeleton3d("wearer", arrays["world"], colour="ink")],
            extent=((-0.8, 0.8), (-0.8, 0.8), (0.0, 1.9)), title="the wearer", weight=0.7,
        ),
        height=270,
        note=(
            f"the shoulders are {arrays['shoulders']:.1f} of {SIDE} pixels wide; {count} of 17 joints are in the field "
            f"of view; the right foot lies {foot:.0f}° from the axis"
        ),
    )  # fmt: skip


def lens_demo() -> Demo:
    """A camera before the forehead: choose its lens, its field of view, and where it looks."""
    scenes = test_scenes()
    controls = {
        "lens": choice(list(LENSES), "equisolid", "lens"),
        "half": slider(85, 40, 85, 5, "half the field of view (degrees)"),
        "tilt": slider(0, -10, 40, 5, "looks forward (degrees)"),
        "person": choice([(name.replace("_", " "), i) for i, name in enumerate(DOING)], 0, "what the wearer does"),
    }
    start = {"lens": "equisolid", "half": 85, "tilt": 0, "person": 0}
    presets = {
        "the course's lens": start,
        "a pinhole as wide": start | {"lens": "pinhole"},
        "a pinhole, 100°": start | {"lens": "pinhole", "half": 50},
        "looks forward": start | {"tilt": 40},
    }
    return live(
        partial(compute_lens, scenes), view_lens, controls, presets=presets, folded=("person",),
        title="A camera on the head: which lens sees hands and feet at once?", plays="tilt", recorded=("half", "tilt"),
    )  # fmt: skip


def shoulder_pixels() -> dict[str, float]:
    """Pixels from shoulder to shoulder through each lens, at the widest field: the lesson's first prediction."""
    return {lens: compute_lens(test_scenes(), lens, 85, 0, 0)["shoulders"] for lens in LENSES}
