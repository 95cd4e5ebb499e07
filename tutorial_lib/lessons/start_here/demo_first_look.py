"""The live demo of lesson 00: one slider bends the lens, and at every move a network adapts to it anew."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import plotly.graph_objects as go
import torch

from tutorial_lib import checkpoints
from tutorial_lib.adaptation import adapt
from tutorial_lib.adaptation.lens_test import LABELLED, LensTest
from tutorial_lib.datasets.splits import AdaptationSplit, builtin_split, walker
from tutorial_lib.display import figures, stage
from tutorial_lib.display.lens_controls import BODY, grid_lines
from tutorial_lib.display.live import Demo, live, slider, steps
from tutorial_lib.distortion import PRESETS
from tutorial_lib.lifting import Lifter
from tutorial_lib.metrics import mpjpe, root_relative

STEPS, WINDOWS = 5, 64
"""Adaptation steps the demo starts with, and labelled examples that each of them looks at."""

STRENGTHS = {
    round(i / 20, 2): f"{'barrel' if i < 0 else 'pincushion'} {abs(i) * 5} %" if i else "no lens"
    for i in range(-20, 21)
}
"""The slider's stops and their read-outs: shares of the course's test lenses d1 (barrel) and d2 (pincushion)."""

NETWORKS = {"ordinary network": "vermillion", "adapting network": "blue"}


def lens_at(strength: float) -> torch.Tensor:
    """The five coefficients (5,) of a lens from barrel (-1) over none (0) to pincushion (1); NaN is refused."""
    if not -1 <= strength <= 1:
        raise ValueError(f"strength is {strength}, expected a number from -1 (barrel) to 1 (pincushion)")
    return abs(strength) * PRESETS["d1" if strength < 0 else "d2"]


def compute_first(
    device: torch.device | str,
    ordinary: Lifter,
    ours: Lifter,
    rate: float,
    lens_test: LensTest,
    outside: torch.Tensor,
    clean: float,
    strength: float,
    count: int,
) -> dict[str, Any]:
    """What `first_demo` shows for these values of its controls."""
    lens = lens_at(strength)
    observation = lens_test.through(lens).to(device)
    result = adapt(ours, observation.support(ours.frames, WINDOWS), count, rate=rate)
    if result.interrupted:
        raise KeyboardInterrupt("the adaptation was stopped")
    with torch.no_grad():
        poses = [root_relative(model.lift(observation.video)) for model in (ordinary, ours, result.model)]
    before, start, after = (1000 * mpjpe(pose, observation.truth).item() for pose in poses)
    return {
        "percent": 100 * strength,
        "grid": grid_lines(lens).masked_fill(outside, torch.nan),
        "seen": observation.video[0],
        "truth": observation.truth[0],
        **dict(zip(NETWORKS, (poses[0][0], poses[2][0]))),
        "errors": {
            "ordinary network, no lens": clean,
            "ordinary network, this lens": before,
            "adapting network, before its first step": start,
            f"adapting network, after {count} step{'s' * (count != 1)}": after,
        },
    }


def view_first(clean: float, arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `first_demo`."""
    camera = stage.image(
        skeletons=[stage.skeleton2d("detected joints", arrays["seen"], colour="green")],
        lines=[stage.polyline("a square grid", arrays["grid"])],
        margin=0.2,
        title="what the camera sees",
    )
    people = [stage.skeleton3d(name, arrays[name], colour=colour) for name, colour in NETWORKS.items()]
    room = stage.scene(
        [stage.skeleton3d("truth", arrays["truth"]), *people], extent=BODY, up="-y", title="in 3D (drag to turn)"
    )
    rows = [[name, f"{value:.0f}", f"× {value / clean:.2f}"] for name, value in arrays["errors"].items()]
    table = stage.table(["", "error (mm)", "relative to row 1"], rows)
    return stage.panes(camera, room, table, note=in_words(arrays))


def first_demo(motion: str = "builtin", seed: int = 0, device: torch.device | str = "cpu") -> Demo:
    """A walking person, a lens, and two networks: one that stays as it is, one that adapts at every move.

    Args:
        motion: "builtin" or a motion file.
        seed: of people, camera and detector.
        device: where the networks are.
    """
    ordinary, ours = (checkpoints.load(name, device) for name in ("plain-9f", "ours-9f"))
    rate = checkpoints.record("ours-9f")["test_rates"][LABELLED]
    adaptation_split = walker(motion, seed)
    if motion == "builtin":  # the labelled examples show other people than the walker
        adaptation_split = AdaptationSplit(builtin_split(seed).calibration, adaptation_split.test)
    lens_test = LensTest(adaptation_split, seed, clips=1, calibration_clips=32, windows=WINDOWS)

    # The round middle of the picture, where people are: farther out d1 turns from barrel to its opposite.
    outside = torch.linalg.vector_norm(grid_lines(lens_at(0.0)), dim=-1, keepdim=True) > 1
    ideal = lens_test.through(lens_at(0.0)).to(device)
    with torch.no_grad():
        clean = 1000 * mpjpe(ordinary.lift(ideal.video), ideal.truth).item()

    controls = {
        "strength": steps([(text, value) for value, text in STRENGTHS.items()], 0.0, "lens"),
        "count": slider(STEPS, 0, 10, 1, "adaptation steps"),
    }
    presets = {"barrel": {"strength": -1.0}, "no lens": {"strength": 0.0}, "pincushion": {"strength": 1.0}}
    return live(
        partial(compute_first, device, ordinary, ours, rate, lens_test, outside, clean),
        partial(view_first, clean),
        controls,
        presets=presets,
        title="Bend the lens, watch a network adapt",
    )


def in_words(arrays: Mapping) -> str:
    """The two errors that matter, such as "ordinary 98, adapting 61 mm"."""
    _, before, _, after = arrays["errors"].values()
    return f"ordinary {before:.0f}, adapting {after:.0f} mm"


def camera_picture(arrays: Mapping) -> go.Figure:
    """The middle frame as the camera sees it."""
    seen = {"detected joints": arrays["seen"][len(arrays["seen"]) // 2]}
    return figures.image_plane(skeletons=seen, grid=arrays["grid"], margin=0.2, colours={"detected joints": "green"})


def pose_picture(arrays: Mapping) -> go.Figure:
    """The middle frame in 3D: truth and both networks."""
    poses = {name: arrays[name][len(arrays[name]) // 2] for name in ("truth", *NETWORKS)}
    return figures.skeletons_3d(poses, extent=BODY, up="-y", colours=NETWORKS, title=in_words(arrays))
