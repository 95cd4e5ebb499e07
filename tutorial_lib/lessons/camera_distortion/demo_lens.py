"""The live demos of lesson 05: what a lens does to a grid, to a person, and to a lifter that has never seen one."""

from functools import partial
from typing import Any

import numpy as np
import torch

from tutorial_lib import checkpoints
from tutorial_lib.adaptation.lens_test import LensTest, Observation, evaluate
from tutorial_lib.camera import to_screen
from tutorial_lib.datasets.splits import walker
from tutorial_lib.display import stage
from tutorial_lib.display.lens_controls import (
    BODY,
    SCORE_COLUMNS,
    fold_note,
    grid_lines,
    lens_controls,
    lens_of,
    lens_presets,
    score_row,
)
from tutorial_lib.display.live import Demo, live
from tutorial_lib.distortion import distort
from tutorial_lib.lifting import Lifter
from tutorial_lib.metrics import Score, pose_score, root_relative


def radius_curve(lens: torch.Tensor, points: int = 81) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True radius r, and the smallest and largest distorted radius over all directions, in plane units."""
    r = torch.linspace(0, 1.0, points)
    angle = torch.linspace(0, 2 * torch.pi, 49)[:-1]
    rays = torch.stack([r[:, None] * torch.cos(angle), r[:, None] * torch.sin(angle)], -1)
    outward = (distort(rays, lens) * torch.stack([torch.cos(angle), torch.sin(angle)], -1)).sum(-1)
    return r.numpy(), outward.amin(1).numpy(), outward.amax(1).numpy()


def compute_lens(ring: torch.Tensor, **coefficients: float) -> dict[str, Any]:
    """What `lens_demo` shows for these values of its controls."""
    lens = lens_of(**coefficients)
    return {
        "lens": lens,
        "grid": grid_lines(lens),
        "ring": to_screen(distort(ring, lens)),
        "radius": radius_curve(lens),
        "note": fold_note(lens),
    }


def view_lens(straight: torch.Tensor, arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `lens_demo`."""
    r, low, high = arrays["radius"]
    return stage.panes(
        stage.image(
            lines=[
                stage.polyline("without lens", straight, dash="dot", width=1.0),
                stage.polyline("through the lens", arrays["grid"], colour="blue", width=2.0),
                stage.polyline("a circle, r = 0.5", arrays["ring"], colour="vermillion", width=3.0),
            ],
            margin=0.35,
            title="the image",
        ),
        stage.curve(
            [
                stage.series("pinhole", r, r, colour="grey", dash="dot"),
                stage.series("through the lens", r, (low + high) / 2, colour="blue", band=(low, high)),
            ],
            x=stage.axis("true radius r", 0, 1),
            y=stage.axis("distorted radius", 0, 1.6),
            title="radius: mean and range over directions",
        ),
        note=arrays["note"],
    )


def lens_demo() -> Demo:
    """A grid, a circle and the radius curve under one lens."""
    straight = grid_lines(torch.zeros(5))
    circle = torch.linspace(0, 2 * torch.pi, 97)
    ring = 0.5 * torch.stack([torch.cos(circle), torch.sin(circle)], -1)

    return live(
        partial(compute_lens, ring),
        partial(view_lens, straight),
        lens_controls(),
        presets=lens_presets(),
        title="Bend the light",
    )


def compute_lifter(model: Lifter, lens_test: LensTest, **coefficients: float) -> dict[str, Any]:
    """What `lifter_demo` shows for these values of its controls."""
    lens = lens_of(**coefficients)
    observation = lens_test.through(lens)
    with torch.no_grad():
        lifted = root_relative(model.lift(observation.video))
    return {
        "lens": lens,
        "grid": grid_lines(lens),
        "seen": observation.video[0],
        "lifted": lifted[0],
        "truth": observation.truth[0],
        "score": pose_score(lifted, observation.truth),
        "note": fold_note(lens),
    }


def view_lifter(ideal: Observation, clean: Score, arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `lifter_demo`."""
    return stage.panes(
        stage.image(
            skeletons=[
                stage.skeleton2d("without lens", ideal.video[0], colour="grey", dash="dot", width=2.5),
                stage.skeleton2d("detected", arrays["seen"], colour="vermillion"),
            ],
            lines=[stage.polyline("grid", arrays["grid"])],
            margin=0.2,
            title="what the detector reports",
        ),
        stage.scene(
            [
                stage.skeleton3d("truth", arrays["truth"]),
                stage.skeleton3d("lifted, un-adapted", arrays["lifted"], colour="vermillion"),
            ],
            extent=BODY,
            up="-y",
            title="3D, seen from beside the camera",
        ),
        stage.table(SCORE_COLUMNS, [score_row("no lens", clean), score_row("this lens", arrays["score"])]),
        note=f"error × {arrays['score'].mpjpe / clean.mpjpe:.2f}; {arrays['note']}",
    )


def lifter_demo(motion: str = "builtin", seed: int = 0, model_name: str = "plain-9f") -> Demo:
    """A walking person through a lens, and the skeleton that a lifter without a clue makes of it.

    Args:
        motion: "builtin" or a motion file; its first test clip is shown.
        seed: of people, camera and detector.
        model_name: of the checkpoint.
    """
    model = checkpoints.load(model_name)
    lens_test = LensTest(walker(motion, seed), seed, clips=1, calibration_clips=1)
    ideal = lens_test.through(torch.zeros(5))
    clean = evaluate(model, ideal)

    controls = lens_controls(lens_presets()["d2 pincushion, heavy"])
    return live(
        partial(compute_lifter, model, lens_test),
        partial(view_lifter, ideal, clean),
        controls,
        presets=lens_presets(),
        title="The lifter meets a lens",
    )
