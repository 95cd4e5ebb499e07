"""The live demos of lesson 05: what a lens does to a grid, to a person, and to a lifter that has never seen one."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tutorial_lib import checkpoints
from tutorial_lib.adaptation.lens_test import LensTest
from tutorial_lib.camera import to_screen
from tutorial_lib.datasets.detector import lose_outside, outside
from tutorial_lib.datasets.splits import walker
from tutorial_lib.display import stage
from tutorial_lib.display.lens_controls import (
    BODY,
    GRID_GRABS,
    fold_note,
    grid_handles,
    grid_lines,
    lens_of,
    lens_presets,
)
from tutorial_lib.display.live import Demo, choice, live
from tutorial_lib.distortion import COEFFICIENTS, distort, folds
from tutorial_lib.lessons.camera_distortion.calibration_file import Calibration
from tutorial_lib.lessons.camera_distortion.lenses import controls, edge_note, name_of, own_lens, presets
from tutorial_lib.lifting import Lifter
from tutorial_lib.lifting.mean_pose import mean_pose
from tutorial_lib.metrics import Score, joint_errors, pose_score, root_relative

__all__ = ["lens_demo", "lens_presets", "lifter_demo", "radius_curve"]

BEYOND = {"simulated on": "told", "as last seen": "lost"}
"""What is reported of joints beyond the image's edge: what readers see, and its short name."""


def radius_curve(lens: torch.Tensor, points: int = 81) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True radius r, and the smallest and largest distorted radius over all directions, in plane units."""
    r = torch.linspace(0, 1.0, points, device=lens.device)
    angle = torch.linspace(0, 2 * torch.pi, 49, device=lens.device)[:-1]
    rays = torch.stack([r[:, None] * torch.cos(angle), r[:, None] * torch.sin(angle)], -1)
    outward = (distort(rays, lens) * torch.stack([torch.cos(angle), torch.sin(angle)], -1)).sum(-1)
    return tuple(part.cpu().numpy() for part in (r, outward.amin(1), outward.amax(1)))


def compute_lens(ring: torch.Tensor, own: Calibration | None, **coefficients: float) -> dict[str, Any]:
    """What `lens_demo` shows for these values of its controls."""
    lens = lens_of(**coefficients).to(ring)
    words = [name_of(coefficients, own), edge_note(lens), fold_note(lens.cpu())]
    return {
        "lens": lens,
        "grid": grid_lines(lens),
        "ring": to_screen(distort(ring, lens)),
        "radius": radius_curve(lens),
        "note": "; ".join(filter(None, words)),
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
            title="the image: drag its grid",
            handles=grid_handles(arrays["lens"]),
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
        height=340,
    )


def lens_demo(device: torch.device | str = "cpu", calibration: str | Path | None = None) -> Demo:
    """A grid, a circle and the radius curve under one lens.

    Args:
        device: where it is computed.
        calibration: a file of your own camera, see `calibration_file.read_calibration`: it becomes a button.
    """
    own = own_lens(calibration)
    circle = torch.linspace(0, 2 * torch.pi, 97, device=device)
    ring = 0.5 * torch.stack([torch.cos(circle), torch.sin(circle)], -1)
    return live(
        partial(compute_lens, ring, own),
        partial(view_lens, grid_lines(torch.zeros(5))),
        controls(own),
        presets=presets(own),
        title="Bend the light",
        recorded=("k1", "p1"),
        folded=("k2", "k3"),
        grabs=GRID_GRABS,
        device=device,
    )


def lift(model: Lifter, lens_test: LensTest, lens: torch.Tensor, beyond: str) -> dict[str, Any]:
    """What a lifter makes of the walker behind one lens."""
    observation = lens_test.through(lens)
    gone = outside(observation.video)
    if beyond == "lost":
        observation = replace(observation, video=lose_outside(observation.video))
    with torch.no_grad():
        lifted = root_relative(model.lift(observation.video))
    return {
        "seen": observation.video[0],
        "lifted": lifted[0],
        "truth": observation.truth[0],
        "errors": 1000 * joint_errors(lifted, observation.truth)[0].mean(-1),
        "score": pose_score(lifted, observation.truth),
        "gone": (100 * gone.float().mean().item(), 100 * gone.any(-1).float().mean().item()),
    }


def compute_lifter(
    model: Lifter, lens_test: LensTest, own: Calibration | None, beyond: str, **coefficients: float
) -> dict[str, Any]:
    """What `lifter_demo` shows for these values of its controls."""
    lens = lens_of(**coefficients).to(lens_test.tests.pose)
    return {
        "lens": lens,
        "grid": grid_lines(lens),
        "who": [name_of(coefficients, own), fold_note(lens.cpu()) if bool(folds(lens, 1.13)) else ""],
        **lift(model, lens_test, lens, beyond),
    }


def view_lifter(ideal: dict[str, Any], blind: float, arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `lifter_demo`."""
    clean: Score = ideal["score"]
    score: Score = arrays["score"]
    frames = np.arange(1, len(arrays["seen"]) + 1)
    joints, some = arrays["gone"]
    how = "the simulation goes on there" if params["beyond"] == "told" else "each stays where it was last seen"
    left = (
        f"{joints:.0f} % of joints, in {some:.0f} % of frames, lie outside the image: {how}"
        if some
        else "no joint leaves the image"
    )
    errors = [
        stage.series(name, frames, values, colour=colour, dash=dash)
        for name, values, colour, dash in (
            ("no lens", ideal["errors"], "grey", "dot"),
            ("this lens", arrays["errors"], "vermillion", "solid"),
        )
    ]
    return stage.panes(
        stage.image(
            skeletons=[
                stage.skeleton2d("without lens", ideal["seen"], colour="grey", dash="dot", width=2.5),
                stage.skeleton2d("detected", arrays["seen"], colour="vermillion"),
            ],
            lines=[stage.polyline("grid", arrays["grid"])],
            margin=0.85,
            title="what the detector reports",
            handles=grid_handles(arrays["lens"]),
            weight=2.2,
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
        stage.curve(
            errors,
            x=stage.axis("frame", 1, len(frames)),
            y=stage.axis("error (mm)", 0, 300),
            lines=[stage.hline("mean pose, blind", blind)],
            now=frames,
            title="MPJPE, frame by frame",
        ),
        height=270,
        note=f"error × {score.mpjpe / clean.mpjpe:.2f}; MPJPE {clean.mpjpe:.0f} → {score.mpjpe:.0f} mm, P-MPJPE "
        f"{clean.p_mpjpe:.0f} → {score.p_mpjpe:.0f} mm, PCKh {clean.pckh:.0f} → {score.pckh:.0f} %; "
        + "; ".join(filter(None, [left, *arrays["who"]])),
    )


def lifter_demo(
    motion: str = "builtin",
    seed: int = 0,
    model_name: str = "plain-9f",
    *,
    device: torch.device | str = "cpu",
    calibration: str | Path | None = None,
) -> Demo:
    """A walking person through a lens, and the skeleton that a lifter without a clue makes of it.

    Args:
        motion: "builtin" or a motion file; its first test clip is shown.
        seed: of people, camera and detector.
        model_name: of the checkpoint.
        device: where people, lens and network are.
        calibration: a file of your own camera, see `calibration_file.read_calibration`: it becomes a button.
    """
    own = own_lens(calibration)
    model = checkpoints.load(model_name, device)
    lens_test = LensTest(walker(motion, seed), seed, clips=1, calibration_clips=1, device=device)
    ideal = lift(model, lens_test, torch.zeros(5, device=device), "told")
    blind = 1000 * joint_errors(mean_pose().to(device).expand_as(ideal["truth"]), ideal["truth"]).mean().item()
    return live(
        partial(compute_lifter, model, lens_test, own),
        partial(view_lifter, ideal, blind),
        controls(own, "d2 pincushion, heavy") | {"beyond": choice(BEYOND.items(), "told", "beyond the edge")},
        presets=presets(own),
        title="The lifter meets a lens",
        folded=COEFFICIENTS[2:],
        grabs=GRID_GRABS,
        device=device,
    )
