"""The proof of lesson 13: a body that grows about the camera moves no pixel, and its feet go through the floor."""

from functools import partial
from typing import Any

import numpy as np
import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.egocentric.headset import pixel_rays, seen_at
from tutorial_lib.egocentric.metrics import METRICS, judge, standard_bones
from tutorial_lib.egocentric.samples import Samples
from tutorial_lib.egocentric.scale import FEET, grow
from tutorial_lib.egocentric.scenes import Scene
from tutorial_lib.lessons.egocentric.pictures import DOING, boxes_of, middle_of, seen_by, shaded, test_scenes

FACTORS = torch.linspace(0.8, 1.2, 21)
SIDE = 64


def score_at(sample: Samples, factor: float) -> dict[str, float]:
    """What the true body times a factor is worth."""
    return judge(grow(sample.pose, factor), sample, standard_bones(sample)).as_dict()


def compute_scale(scenes: list[Scene], factor: float, person: int) -> dict[str, Any]:
    """What `scale_demo` shows for these values of its controls."""
    scene = scenes[person]
    sample = seen_by(scene, SIDE)
    grown = grow(sample.pose, factor)
    middle = middle_of(scene)
    curves = {metric: [] for metric in METRICS}
    for one in FACTORS.tolist():
        for metric, value in score_at(sample, one).items():
            curves[metric].append(value)
    screens = [seen_at(pose)[0][0] for pose in (sample.pose, grown)]
    return {
        "colours": shaded(sample.scene[0], pixel_rays(SIDE)[0], sample, sample.body[0]),
        "screens": screens,
        "moved": (screens[0] - screens[1]).abs().max().item() * SIDE / 2,
        "world": [sample.in_world(pose)[0] - middle for pose in (sample.pose, grown)],
        "curves": {metric: np.array(values) for metric, values in curves.items()},
        "score": score_at(sample, factor),
        "soles": (sample.in_world(grown)[0, list(FEET), 2] - sample.in_world(sample.pose)[0, list(FEET), 2])
        .mean()
        .item(),
        "boxes": boxes_of(scene, middle),
    }


def view_scale(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `scale_demo`."""
    score, deep = arrays["score"], -1000 * arrays["soles"]
    where = "through the floor" if deep > 0.5 else "above the floor" if deep < -0.5 else "off the floor"
    return stage.panes(
        stage.image(
            picture=arrays["colours"],
            skeletons=[
                stage.skeleton2d("truth", arrays["screens"][0], width=5.0),
                stage.skeleton2d("grown", arrays["screens"][1], colour="sky", width=2.0),
            ],
            title="what the camera sees", cross=None,
        ),
        stage.scene(
            [
                stage.skeleton3d("truth", arrays["world"][0]),
                stage.skeleton3d("grown", arrays["world"][1], colour="blue"),
            ],
            extent=((-0.9, 0.9), (-0.9, 0.9), (-0.35, 1.95)), view=(-60.0, 4.0), title="from the side", weight=0.9,
            meshes=[stage.mesh3d("box", *box, colour="grey") for box in arrays["boxes"]],
        ),
        stage.curve(
            [
                stage.series("feet", FACTORS, arrays["curves"]["feet"], colour="vermillion"),
                stage.series("all joints", FACTORS, arrays["curves"]["mpjpe"], colour="blue", dash="dash"),
                stage.series("aligned", FACTORS, arrays["curves"]["p_mpjpe"], colour="green", dash="dot", width=4.0),
            ],
            x=stage.axis("grown by", 0.8, 1.2), y=stage.axis("error (mm)", -6, 320), now=params["factor"], grab="grow",
            title="errors", weight=1.1,
        ),
        height=270,
        note=(
            f"largest move in the picture {arrays['moved']:.4f} pixels; feet {abs(deep):.0f} mm {where}; all joints "
            f"{score['mpjpe']:.0f} mm, aligned {score['p_mpjpe']:.1f} mm"
        ),
    )  # fmt: skip


def scale_demo() -> Demo:
    """Grow the wearer about the camera."""
    controls = {
        "factor": slider(1.0, 0.8, 1.2, 0.02, "grown about the camera by"),
        "person": choice([(name.replace("_", " "), i) for i, name in enumerate(DOING)], 0, "what the wearer does"),
    }
    presets = {
        "the truth": {"factor": 1.0, "person": 0},
        "10 % larger": {"factor": 1.1, "person": 0},
        "10 % smaller": {"factor": 0.9, "person": 0},
        "seated, 10 % larger": {"factor": 1.1, "person": 3},
    }
    return live(
        partial(compute_scale, test_scenes()), view_scale, controls, presets=presets,
        title="Grow the wearer about the camera: what changes in the picture?",
        grabs={"grow": lambda at, params: {"factor": at[0]}}, plays="factor", recorded=("factor",),
    )  # fmt: skip


def ten_percent(count: int = 6) -> dict[str, float]:
    """Means over the demo's people of the true body 10 % too large: the lesson's second prediction."""
    scores = [score_at(seen_by(scene, 8), 1.1) for scene in test_scenes()[:count]]
    return {metric: float(np.mean([score[metric] for score in scores])) for metric in METRICS}
