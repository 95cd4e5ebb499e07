"""The live demo of lesson 04 that lifts: every network on the same video."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tutorial_lib import checkpoints
from tutorial_lib.camera import Camera, look_at, project, world_to_camera
from tutorial_lib.datasets.detector import Defects, draw_defects
from tutorial_lib.datasets.videos import Video, clips_under_test, human36m_videos, is_human36m
from tutorial_lib.display import stage
from tutorial_lib.display.lens_controls import BODY
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.lifting import Lifter, lift_flipped_average
from tutorial_lib.lifting.mean_pose import MeanPose
from tutorial_lib.metrics import joint_errors, mpjpe, p_mpjpe, root_relative, velocity_error
from tutorial_lib.motion.clip import Clip

NETWORKS = {
    "1 frame": "lifter-1f",
    "9 frames": "lifter-9f",
    "27 frames": "lifter-27f",
    "81 frames": "lifter-81f",
    "243 frames": "lifter-243f",
    "27, causal": "causal-27f",
}
"""Read-out -> checkpoint: equal training, another receptive field."""

BLIND = "mean pose"
"""Beside them: the lifter that does not look."""

COLOURS = {
    "1 frame": "vermillion",
    "9 frames": "sky",
    "27 frames": "blue",
    "81 frames": "green",
    "243 frames": "purple",
    "27, causal": "orange",
    BLIND: "grey",
}
"""A network keeps its colour through the lesson."""

SHOWN = 200
"""Frames of a clip that the demo plays: 4 s."""

ERROR_RANGE = 200.0
"""Top of the error curve, mm."""


def load_networks(folder: Path | None = None) -> dict[str, Lifter]:
    """The lifters of the lesson by read-out, then the mean pose."""
    where = checkpoints.FOLDER if folder is None else folder
    return {title: checkpoints.load(f"temporal/{name}", folder=where) for title, name in NETWORKS.items()} | {
        BLIND: MeanPose()
    }


def orbit(positions: torch.Tensor, azimuth: float, height: float = 1.3) -> Camera:
    """A camera on a circle round a clip (T, 17, 3), aimed at its middle, as near as it can be and see everything.

    Args:
        positions: (T, 17, 3) metres, world frame.
        azimuth: degrees; at 0 the camera stands on the world's x axis and looks back along it.
        height: metres above the floor.
    """
    middle = positions.mean((0, 1))
    turn = np.deg2rad(azimuth)
    away = torch.tensor([np.cos(turn), np.sin(turn), 0.0], dtype=positions.dtype)
    for distance in torch.arange(2.0, 12.0, 0.25).tolist():
        place = middle + distance * away
        place[2] = height
        camera = look_at(place, middle)
        seen = world_to_camera(positions, camera)
        if seen[..., 2].min() > 0.5 and project(seen).abs().max() < 0.8:
            break
    return camera


def _title(clip: Clip, number: int) -> str:
    action = clip.action.split("]")[-1].strip().replace("_", " ")
    return f"{number + 1}: {action[:18]}"


def captured(clip: Clip, azimuth: float, errors: Defects, frames: int = SHOWN) -> Video:
    """The first frames of a clip from a place on the orbit, with a detector's errors for as many frames."""
    positions = clip.positions[:frames].float()
    pose = world_to_camera(positions, orbit(positions, azimuth))
    return Video(errors.apply(project(pose)), pose, clip.subject, clip.action)


def in_the_world(video: Video) -> Clip:
    """The motion in a video, z up and on the floor: its camera is taken to be level, as Human3.6M's are."""
    right, down, forward = video.pose.unbind(-1)
    return Clip(torch.stack([right, forward, down.max() - down], -1), 50.0, video.subject, video.action, "video")


def compute_lifting(
    seed: int,
    networks: Mapping[str, Lifter],
    clips: list[Clip],
    clip: int,
    azimuth: float,
    noise: float,
    network: str,
    flip: bool,
) -> dict[str, Any]:
    """What `lifting_demo` shows for these values of its controls."""
    chosen = clips[clip]
    count = min(SHOWN, len(chosen.positions))
    errors = draw_defects((count,), noise, generator=torch.Generator().manual_seed(seed + 7))
    video = captured(chosen, azimuth, errors)
    truth = root_relative(video.pose)
    with torch.no_grad():
        lifted = {
            title: root_relative(lift_flipped_average(m, video.keypoints) if flip else m.lift(video.keypoints))
            for title, m in networks.items()
        }
    return {
        "seen": video.keypoints,
        "truth": truth,
        "lifted": lifted,
        "errors": {title: 1000 * joint_errors(pose, truth).mean(-1) for title, pose in lifted.items()},
        "mpjpe": {title: 1000 * mpjpe(pose, truth).item() for title, pose in lifted.items()},
        "p_mpjpe": {title: 1000 * p_mpjpe(pose, truth).item() for title, pose in lifted.items()},
        "velocity": {title: 1000 * velocity_error(pose, truth).item() for title, pose in lifted.items()},
    }


def view_lifting(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `lifting_demo`."""
    names = ["1 frame"] + [params["network"]] * (params["network"] != "1 frame")
    time = np.arange(len(arrays["truth"])) / 50
    rows = [
        [label, *(f"{arrays[key][title]:.{digits}f}" for title in COLOURS)]
        for label, key, digits in (
            ("MPJPE (mm)", "mpjpe", 1),
            ("velocity (mm/frame)", "velocity", 2),
        )
    ]
    return stage.panes(
        stage.image(
            skeletons=[stage.skeleton2d("detected", arrays["seen"], colour="green")],
            title="2D in: what the detector reports",
            weight=0.8,
        ),
        stage.scene(
            [
                stage.skeleton3d("truth", arrays["truth"]),
                *(stage.skeleton3d(name, arrays["lifted"][name], colour=COLOURS[name]) for name in names),
            ],
            extent=BODY,
            up="-y",
            title="3D out",
        ),
        stage.curve(
            [stage.series(n, time, arrays["errors"][n].clamp(max=ERROR_RANGE), colour=COLOURS[n]) for n in names],
            x=stage.axis("time (s)", 0, SHOWN / 50),
            y=stage.axis("error (mm)", 0, ERROR_RANGE),
            now=time,
            title="error of every frame",
        ),
        stage.table(["", *COLOURS], rows, best="min"),
        fps=50.0,
        height=182,
        note=in_words(arrays, params["network"]),
    )


def lifting_demo(motion: str = "builtin", seed: int = 0, folder: Path | None = None, *, trust: bool = False) -> Demo:
    """Pick a clip, a viewpoint, a detector and a network; play the skeleton beside the truth.

    Args:
        motion: "builtin", a motion file, or Human3.6M's files (then `trust` must be true).
        seed: of people, cameras and detector.
        folder: of the checkpoints, for networks of one's own.
        trust: whether Human3.6M's pickles may be read.
    """
    networks = load_networks(folder)
    if is_human36m(motion):
        clips = [in_the_world(video) for video in human36m_videos(motion, ("S9",), trust=trust)[::4]]
    else:
        clips = [clip for clip in clips_under_test(motion, seed) if len(clip.positions) >= 30]
    clips = clips[:10]

    controls = {
        "noise": slider(1.0, 0.0, 3.0, 0.25, "detector noise"),
        "network": choice(list(NETWORKS), "27 frames", "network"),
        "azimuth": slider(40, 0, 355, 5, "camera (degrees)"),
        "clip": choice([(_title(clip, i), i) for i, clip in enumerate(clips)], 0, "clip"),
        "flip": choice([("off", False), ("on", True)], False, "mirror and average"),
    }
    start = {"noise": 1.0, "network": "27 frames", "azimuth": 40, "clip": 0, "flip": False}
    presets = {
        "perfect detector": start | {"noise": 0.0},
        "bad detector": start | {"noise": 3.0},
        "bad detector, 243 frames": start | {"noise": 3.0, "network": "243 frames"},
        "no future": start | {"noise": 3.0, "network": "27, causal"},
    }
    return live(
        partial(compute_lifting, seed, networks, clips),
        view_lifting,
        controls,
        presets=presets,
        folded=("clip", "flip"),
        plays="azimuth",
        title="From 2D keypoints over time to 3D",
    )


def in_words(arrays: Mapping, network: str) -> str:
    """The comparison in one line."""
    one, other = arrays["mpjpe"]["1 frame"], arrays["mpjpe"][network]
    jitter = arrays["velocity"]["1 frame"], arrays["velocity"][network]
    return f"1 frame {one:.0f} mm, {network} {other:.0f} mm; jitter {jitter[0]:.1f} and {jitter[1]:.1f} mm per frame"
