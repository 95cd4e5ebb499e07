"""Lesson 13's "break it": a scene that is raised or sunk, while the picture stays as it is."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.egocentric.depth import SceneKind, scene_depth, scene_points
from tutorial_lib.egocentric.inpainting import square
from tutorial_lib.egocentric.metrics import foot_heights
from tutorial_lib.egocentric.samples import detected
from tutorial_lib.egocentric.scenes import Scene
from tutorial_lib.egocentric.voxels import occupancy
from tutorial_lib.lessons.egocentric.demo_voxels import Networks
from tutorial_lib.lessons.egocentric.pictures import DOING, circle_of, seen_by, test_scenes
from tutorial_lib.lessons.egocentric.recipes import ROWS

TOLD: dict[SceneKind, str] = {"none": "blue", "hole": "orange", "learned": "vermillion", "true": "green"}
"""Who is lied to, and their colours."""

LIES = torch.linspace(-0.4, 0.4, 9)

Cube = Callable[[torch.Tensor, torch.Tensor, int, torch.Tensor], torch.Tensor]
"""Depth (S, S), hole (S, S), cells, shift (3,) -> (cells, cells, cells) bool."""
_CHECKED: list[Cube] = []


def checked(cube: Cube) -> None:
    """Note a student's function that passed its check: the demo's cubes are filled by it from now on."""
    _CHECKED[:] = [cube]


def own_cube(depth: torch.Tensor, hole: torch.Tensor, cells: int, shift: torch.Tensor) -> torch.Tensor:
    """What exercise 2 asks for, as the library does it."""
    there = circle_of(len(depth)) & ~hole.flatten()
    return occupancy(scene_points(depth.flatten()[None]) + shift, there[None], cells)[0]


def compute_lies(nets: Networks, scenes: list[Scene], raised: float, person: int) -> dict[str, Any]:
    """What `lies_demo` shows for these values of its controls."""
    sample = seen_by(scenes[person])
    screen, inside = detected(sample, torch.Generator().manual_seed(0))
    truth = foot_heights(sample.pose, sample).mean()

    fill, whose = (_CHECKED[0], "your") if _CHECKED else (own_cube, "the course's")
    told = {kind: [square(part)[0] for part in scene_depth(sample, kind, nets.filler)] for kind in TOLD}

    def height(kind: SceneKind, lie: float) -> float:
        depth, there = told[kind]
        cube = fill(depth, ~there, nets.cells, lie * sample.rotation[0, :, 2])
        with torch.no_grad():
            return 1000 * (foot_heights(nets.poses[kind](screen, inside, cube[None]), sample).mean() - truth).item()

    return {
        "curves": {kind: [height(kind, lie) for lie in LIES.tolist()] for kind in TOLD},
        "now": {kind: height(kind, raised) for kind in TOLD},
        "whose": whose,
    }


def view_lies(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `lies_demo`."""
    lies = 1000 * LIES
    return stage.panes(
        stage.curve(
            [
                *(
                    stage.series(ROWS[kind], lies, values, colour=TOLD[kind], mode="line+markers")
                    for kind, values in arrays["curves"].items()
                ),
                stage.series("who believes everything", lies, lies, colour="grey", dash="dot", width=1.5),
            ],
            x=stage.axis("the scene is raised by (mm)", -400, 400), y=stage.axis("feet too high by (mm)", -450, 450),
            now=1000 * params["raised"], grab="raise", title=f"whom do the feet follow, in {arrays['whose']} cubes?",
        ),
        height=300,
        note=", ".join(f"{ROWS[kind]} {value:+.0f} mm".replace("-", "−") for kind, value in arrays["now"].items()),
    )  # fmt: skip


def lies_demo(nets: Networks) -> Demo:
    """Raise the scene, and nothing else."""
    controls = {
        "raised": slider(0.0, -0.4, 0.4, 0.05, "the scene is raised by (m)"),
        "person": choice([(name.replace("_", " "), i) for i, name in enumerate(DOING)], 0, "what the wearer does"),
    }
    presets = {
        "the truth": {"raised": 0.0, "person": 0},
        "raised by 20 cm": {"raised": 0.2, "person": 0},
        "sunk by 40 cm": {"raised": -0.4, "person": 0},
    }
    return live(
        partial(compute_lies, nets, test_scenes()), view_lies, controls, presets=presets,
        title="A floor that lies: who believes it?", grabs={"raise": lambda at, params: {"raised": at[0] / 1000}},
        plays="raised", recorded=("raised",),
    )  # fmt: skip
