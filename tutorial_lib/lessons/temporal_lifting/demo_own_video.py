"""The live demo of lesson 04 for one's own video: keypoints of a detector in, a moving body out."""

import itertools
import json
import reprlib
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from tutorial_lib import keypoint_files
from tutorial_lib.camera import FOCAL
from tutorial_lib.datasets.detector import draw_defects
from tutorial_lib.datasets.splits import FPS
from tutorial_lib.datasets.videos import clips_under_test
from tutorial_lib.display import stage
from tutorial_lib.display.lens_controls import BODY
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.keypoint_files.coco import KEYPOINTS, to_joints
from tutorial_lib.lessons.temporal_lifting.demo_lifting import captured, load_networks
from tutorial_lib.lifting import Lifter, lift_track, training_frames
from tutorial_lib.lifting.protocol import need_layout
from tutorial_lib.metrics import root_relative
from tutorial_lib.skeleton import JOINTS, Layout


def compute_own_video(
    tracks: Sequence[keypoint_files.Track], networks: Mapping[str, Lifter], track: int, network: str, focal: float
) -> dict[str, Any]:
    """What `own_video_demo` shows for these values of its controls."""
    chosen = tracks[track]
    with torch.no_grad():
        pose = root_relative(lift_track(networks[network], chosen, focal=focal))
    seen = to_joints(chosen.keypoints) if chosen.layout == "coco" else chosen.keypoints  # drawn as the course's joints
    return {"seen": seen, "pose": pose, "fps": chosen.fps}


def view_own_video(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `own_video_demo`."""
    count, fps = len(arrays["pose"]), arrays["fps"]
    note = f"{count} frames at {fps:g} Hz"
    if fps != FPS:
        note += f", lifted from {len(training_frames(count, fps))} frames at {FPS:g} Hz, as in the training"
    return stage.panes(
        stage.image(skeletons=[stage.skeleton2d("detected", arrays["seen"], colour="green")], title="your keypoints"),
        stage.scene([stage.skeleton3d("lifted", arrays["pose"], colour="blue")], extent=BODY, up="-y", title="in 3D"),
        fps=fps,
        height=300,
        note=note,
    )


def own_video_demo(
    tracks: list[keypoint_files.Track],
    network: str = "27 frames",
    folder: Path | None = None,
    *,
    networks: Mapping[str, Lifter] | None = None,
) -> Demo:
    """2D keypoints of one's own video, lifted and played. There is no truth, so there is no error.

    Lifted at the 50 frames a second of the training, whatever the video's rate is, and played at the video's.

    Args:
        tracks: from `keypoint_files.load`.
        network: which lifter it starts with.
        folder: of the checkpoints, for networks of one's own.
        networks: lifters by name instead of the lesson's, such as one that takes COCO's keypoints.

    Raises:
        ValueError: without a track, or for one whose layout some lifter was not trained on. Warns of those whose rate
            is unknown: they are lifted as if it were 50.
    """
    if not isinstance(tracks, list | tuple) or not tracks:
        raise ValueError(
            f"tracks is {reprlib.repr(tracks)}, expected the list of tracks that keypoint_files.load returns"
        )
    lifters = dict(load_networks(folder) if networks is None else networks)
    for track, lifter in itertools.product(tracks, lifters.values()):
        need_layout(lifter, track.layout, f"track {track.name}")
    for track in tracks:
        if track.fps is None:
            warnings.warn(
                f"track {track.name} does not say its frame rate, and is lifted as if it were {FPS:g}; "
                "pass fps= to keypoint_files.load",
                stacklevel=2,
            )
    timed = [replace(track, fps=track.fps or FPS) for track in tracks]
    controls = {
        "track": choice([(f"{i + 1}: {t.name}", i) for i, t in enumerate(tracks)], 0, "video"),
        "network": choice(list(lifters), network if network in lifters else next(iter(lifters)), "network"),
        "focal": slider(FOCAL, 0.8, 3.0, 0.05, "focal length (half-widths)"),
    }
    return live(
        partial(compute_own_video, timed, lifters), view_own_video, controls, folded=("focal",), title="Your own video"
    )


def as_coco(points: torch.Tensor) -> torch.Tensor:
    """Joints (..., 17, 2) as a COCO detector would report them: the limbs, and a face on the line of the head."""
    thorax, neck = points[..., JOINTS.index("thorax"), :], points[..., JOINTS.index("neck"), :]
    face = thorax + 1.5 * (neck - thorax)
    named = {joint.replace("foot", "ankle"): points[..., i, :] for i, joint in enumerate(JOINTS)}
    return torch.stack([named.get(keypoint, face) for keypoint in KEYPOINTS], -2)


def example_tracks(seed: int = 0, layout: Layout = "human36m") -> list[keypoint_files.Track]:
    """What a detector would write about two clips (COCO-17, JSON), written to a file and read again.

    Args:
        seed: of people and detector.
        layout: as in `keypoint_files.load`.
    """
    width, height, fps = 1280, 1280, 50.0
    tracks = []
    with tempfile.TemporaryDirectory() as folder:
        for number, clip in enumerate(clips_under_test("builtin", seed)[:2]):
            errors = draw_defects((150,), 1.0, generator=torch.Generator().manual_seed(seed + number))
            screen = as_coco(captured(clip, 60.0, errors, len(errors.error)).keypoints)
            pixels = (screen + 1) * width / 2
            people = [
                {
                    "image_id": frame,
                    "category_id": 1,
                    "keypoints": torch.cat([points, torch.ones(17, 1)], -1).flatten().tolist(),
                    "score": 1.0,
                }
                for frame, points in enumerate(pixels)
            ]
            path = Path(folder) / f"{clip.action}.json"
            path.write_text(json.dumps(people), encoding="utf-8")
            tracks += keypoint_files.load(path, size=(width, height), fps=fps, layout=layout)
    return tracks
