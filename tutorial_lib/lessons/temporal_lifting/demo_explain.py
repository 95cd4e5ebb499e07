"""A live demo of lesson 04: one guess, scaled, moved away and turned, and which loss objects."""

import itertools
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch

from tutorial_lib.datasets.videos import Video
from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, live, slider, steps
from tutorial_lib.distortion import PRESETS
from tutorial_lib.lifting.semi_supervised import bone_length_loss, reproject, reprojection_loss, trajectory_loss
from tutorial_lib.metrics import mpjpe, root_relative
from tutorial_lib.skeleton import JOINTS

REACH = (0.5, 1.6)
"""Of the guess's size and distance, as shares of the true ones."""
ROOM = ((-1.6, 1.6), (-1.2, 1.2), (0.0, 6.0))
"""Fixed ranges of the absolute scene before the camera, metres."""


def compute_explain(
    truth: torch.Tensor, root: torch.Tensor, sight: Any, size: float, distance: float, turn: float, lens: str
) -> dict[str, Any]:
    """What `explain_demo` shows for these values of its controls."""
    angle = np.deg2rad(turn)
    rotation = torch.tensor(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]], dtype=truth.dtype
    )
    pose, place = size * truth @ rotation.T, distance * root
    seen = reproject(truth, root, sight[lens])
    return {
        "pose": pose,
        "place": place,
        "seen": seen,
        "linear": reproject(pose, place),
        "projected": reproject(pose, place, sight[lens]),
        "losses": {
            "reprojection, linear": reprojection_loss(pose, place, seen).item(),
            "reprojection, with the lens": reprojection_loss(pose, place, seen, sight[lens]).item(),
            "bones, L1": bone_length_loss(truth[None], pose[None]).item(),
            "bones, L2": bone_length_loss(truth[None], pose[None], "l2").item(),
            "trajectory (needs a label)": trajectory_loss(place, root).item(),
            "pose (needs a label)": mpjpe(pose, truth).item(),
        },
    }


HEADS = ("picture, linear", "picture, lens", "bones, L1", "bones, L2", "trajectory", "pose")
UNITS = ("half-widths", "half-widths", "m", "m²", "", "m")
"""Of the losses, in their order."""


HIP, WHOLE = "hip, along its ray: the distance", "head, along its ray: size and distance"
"""What can be taken hold of."""


def held(pose: torch.Tensor, place: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Where the guess is taken hold of: its hip and its head, (3,) metres from the camera."""
    return place[0], (pose + place)[JOINTS.index("head")]


def along_ray(joint: torch.Tensor, at: tuple[float, ...], *values: float) -> list[float]:
    """Values times how much further along its ray from the camera a joint (3,) was dragged, inside `REACH`."""
    times = float(joint @ torch.tensor(at, dtype=joint.dtype) / joint.square().sum())
    times = min(max(times, REACH[0] / min(values)), REACH[1] / max(values))
    return [times * value for value in values]


def view_explain(
    truth: torch.Tensor,
    root: torch.Tensor,
    largest: Mapping[str, float],
    arrays: dict[str, Any],
    params: dict[str, Any],
) -> dict[str, Any]:
    """The picture of `explain_demo`; losses of several units share an axis as per cent of their `largest` values."""
    losses = arrays["losses"]
    shares = [100 * value / largest[name] for name, value in losses.items()]
    return stage.panes(
        stage.image(
            skeletons=[
                stage.skeleton2d("keypoints", arrays["seen"], colour="green"),
                stage.skeleton2d("guess, projected", arrays["projected"], colour="blue", dash="dash"),
            ],
            margin=0.2,
            title="the picture",
        ),
        stage.scene(
            [
                stage.skeleton3d("truth", truth + root),
                stage.skeleton3d("guess", arrays["pose"] + arrays["place"], colour="blue"),
            ],
            extent=ROOM,
            up="-y",
            view=(-60.0, 20.0),
            title="before the camera",
            handles=[
                stage.handle(name, place.tolist(), along=place.tolist(), colour="blue")
                for name, place in zip((HIP, WHOLE), held(arrays["pose"], arrays["place"]))
            ],
        ),
        stage.curve(
            [stage.series("loss", np.arange(len(shares)), np.minimum(shares, 100), mode="bars", colour="orange")],
            x=stage.axis("", -0.6, len(shares) - 0.4, ticks={str(i + 1): i for i in range(len(shares))}),
            y=stage.axis("% of its largest value", 0, 100),
            title="who objects?",
        ),
        stage.table(
            ["", *(f"{i}: {head}" for i, head in enumerate(HEADS, 1))],
            [["loss", *(f"{value:.4f} {unit}".strip() for value, unit in zip(losses.values(), UNITS))]],
        ),
        height=215,
        note=in_words(arrays),
    )


def explain_demo(video: Video, frame: int = 0) -> Demo:
    """One true pose; the student scales it, moves it away and turns it, and sees which loss objects.

    Scaled by s and moved to s times the distance, the picture is the same: only bone lengths (or a label) can tell.

    Args:
        video: where pose and root come from.
        frame: which of its frames.
    """
    truth = root_relative(video.pose[frame])
    root = video.pose[frame, :1]
    sight = {"none": None, "d3 barrel": PRESETS["d3"], "d2 pincushion": PRESETS["d2"]}

    compute = partial(compute_explain, truth, root, sight)
    ends = [
        compute(size, distance, turn, lens)["losses"]
        for size, distance, turn, lens in itertools.product((0.5, 1.0, 1.6), (0.5, 1.0, 1.6), (-90, 0, 90), sight)
    ]
    largest = {name: max(losses[name] for losses in ends) for name in ends[0]}
    controls = {
        "size": slider(1.2, *REACH, 0.05, "size of the guess"),
        "distance": slider(1.0, *REACH, 0.05, "distance of the guess"),
        "turn": slider(20, -90, 90, 5, "turned (degrees)"),
        "lens": steps(list(sight), "none", "lens"),
    }
    right = {"size": 1.0, "distance": 1.0, "turn": 0, "lens": "none"}
    presets = {
        "the truth": right,
        "a giant, far away": right | {"size": 1.4, "distance": 1.4},
        "a dwarf, near": right | {"size": 0.7, "distance": 0.7},
        "turned": right | {"turn": 40},
        "the truth, through a lens": right | {"lens": "d2 pincushion"},
    }

    def to_distance(at: tuple[float, ...], params: dict[str, Any]) -> dict[str, float]:
        hip, _ = held(*(compute(**params)[key] for key in ("pose", "place")))
        return {"distance": along_ray(hip, at, params["distance"])[0]}

    def to_both(at: tuple[float, ...], params: dict[str, Any]) -> dict[str, float]:
        _, head = held(*(compute(**params)[key] for key in ("pose", "place")))
        return dict(zip(("size", "distance"), along_ray(head, at, params["size"], params["distance"])))

    return live(
        compute,
        partial(view_explain, truth, root, largest),
        controls,
        presets=presets,
        folded=("lens",),
        title="Which loss objects?",
        grabs={HIP: to_distance, WHOLE: to_both},
        plays="turn",
    )


def in_words(arrays: dict[str, Any]) -> str:
    """The picture's error and the bones' in one line."""
    losses = arrays["losses"]
    return (
        f"in the picture {losses['reprojection, with the lens']:.3f} half-widths, "
        f"bones {1000 * losses['bones, L1']:.0f} mm"
    )
