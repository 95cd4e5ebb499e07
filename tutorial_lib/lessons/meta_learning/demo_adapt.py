"""The live demo of lesson 06: choose a lens, a model and a scenario, and watch the network adapt."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tutorial_lib import checkpoints
from tutorial_lib.adaptation import adapt
from tutorial_lib.adaptation.lens_test import LABELLED, LensTest, Scenario, evaluate
from tutorial_lib.datasets.splits import adaptation_split
from tutorial_lib.display import stage
from tutorial_lib.display.lens_controls import (
    BODY,
    SCENARIO_TITLES,
    SCORE_COLUMNS,
    fold_note,
    grid_lines,
    lens_controls,
    lens_of,
    lens_presets,
    score_row,
)
from tutorial_lib.display.live import Demo, choice, live, slider, steps
from tutorial_lib.distortion import PRESETS
from tutorial_lib.lifting import Lifter
from tutorial_lib.metrics import mpjpe, pose_score, root_relative

MODELS = {
    "plain": "plain-9f",
    "pretrained on random lenses": "random-9f",
    "+ MAML, no pretraining": "maml-9f",
    "ours: pretraining + MAML": "ours-9f",
    "ours, episodes without labels": "ours-selfsup-9f",
}
"""What the demo calls the checkpoints."""


def compute_adaptation(
    models: Mapping[str, Lifter],
    rates: Mapping[str, Mapping[str, float]],
    lens_test: LensTest,
    worst: slice,
    model: str,
    scenario: Scenario,
    windows: int,
    count: int,
    **coefficients: float,
) -> dict[str, Any]:
    """What `adaptation_demo` shows for these values of its controls."""
    lens = lens_of(**coefficients)
    observation = lens_test.through(lens, clips=worst)
    network, poses = models[model], []

    def watch(adapted: Lifter):
        poses.append(root_relative(adapted.lift(observation.video)[0]))
        return 1000 * mpjpe(poses[-1], observation.truth[0]).item()

    support = observation.support(network.frames, windows) if scenario == LABELLED else observation.video
    result = adapt(network, support, count, rate=rates[model][scenario], watch=watch)
    if result.interrupted:
        raise KeyboardInterrupt("the adaptation was stopped")
    with torch.no_grad():
        plain = root_relative(models["plain"].lift(observation.video)[0])
    return {
        "lens": lens,
        "seen": observation.video[0],
        "truth": observation.truth[0],
        "before": poses[0],
        "after": poses[-1],
        "plain": plain,
        "plain_score": pose_score(plain, observation.truth[0]),
        "errors": result.trajectory,
        "scores": (pose_score(poses[0], observation.truth[0]), pose_score(poses[-1], observation.truth[0])),
        "losses": result.losses,
        "bone": result.bone,
        "grid": grid_lines(lens),
    }


def view_adaptation(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `adaptation_demo`."""
    errors, losses = arrays["errors"], arrays["losses"]
    first, last = arrays["scores"]
    note = fold_note(arrays["lens"])
    if abs(arrays["bone"][-1] - 1) > 0.2:
        note += f"; ALARM: bones are now {arrays['bone'][-1]:.2f} times as long as before"
    return stage.panes(
        stage.image(
            skeletons=[stage.skeleton2d("detected", arrays["seen"], colour="vermillion")],
            lines=[stage.polyline("grid", arrays["grid"])],
            margin=0.2,
            title="the test video",
        ),
        stage.scene(
            [
                stage.skeleton3d("truth", arrays["truth"]),
                stage.skeleton3d("plain, un-adapted", arrays["plain"], colour="orange", dash="dot", width=2.0),
                stage.skeleton3d("before", arrays["before"], dash="dash", width=3.0),
                stage.skeleton3d("after", arrays["after"]),
            ],
            extent=BODY,
            up="-y",
            title="3D",
        ),
        stage.curve(
            [stage.series("error on the test video", np.arange(len(errors)), errors, mode="line+markers")],
            x=stage.axis("adaptation steps", 0, 20),
            y=stage.axis("MPJPE (mm)", 0, 250),
            lines=[stage.hline("plain, un-adapted", arrays["plain_score"].mpjpe, colour="orange")],
            title="step by step",
        ),
        stage.table(
            SCORE_COLUMNS,
            [
                score_row("plain, un-adapted", arrays["plain_score"]),
                score_row("before", first),
                score_row(f"after {len(errors) - 1} steps", last),
            ],
        ),
        note=note + (f"; loss {losses[0]:.3f} → {losses[-1]:.3f}" if losses else ""),
    )


def adaptation_demo(motion: str = "builtin", seed: int = 0, folder: Path = checkpoints.FOLDER) -> Demo:
    """Every move of a control adapts the chosen network anew, from its shipped weights.

    Args:
        motion: "builtin" or a motion file.
        seed: of people, cameras and detector.
        folder: where the networks are.
    """
    models = {title: checkpoints.load(name, folder=folder) for title, name in MODELS.items()}
    rates = {title: checkpoints.record(name, folder)["test_rates"] for title, name in MODELS.items()}
    lens_test = LensTest(adaptation_split(motion, seed), seed, clips=8)
    # Of eight test clips, the one that the heavy pincushion hurts most.
    hurt = [
        evaluate(models["plain"], lens_test.through(PRESETS["d2"], clips=slice(i, i + 1))).mpjpe
        for i in range(len(lens_test.tests))
    ]
    worst = slice(hurt.index(max(hurt)), hurt.index(max(hurt)) + 1)

    return live(
        partial(compute_adaptation, models, rates, lens_test, worst),
        view_adaptation,
        {
            "model": choice(list(MODELS), "ours: pretraining + MAML", "model"),
            "scenario": choice([(title, name) for name, title in SCENARIO_TITLES.items()], LABELLED, "scenario"),
            "windows": steps([8, 16, 32, 64, 128], 64, "labelled windows"),
            "count": slider(5, 0, 20, 1, "adaptation steps"),
            **lens_controls(lens_presets()["d2 pincushion, heavy"]),
        },
        presets=lens_presets(),
        title="Adapt, now",
    )
