"""The live demos of lesson 06: every move of a control adapts all networks anew; their steps can be played."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import ttest_ind

from tutorial_lib import checkpoints
from tutorial_lib.adaptation.conventions import LIMIT, Convention, mounting
from tutorial_lib.adaptation.in_page import InPage
from tutorial_lib.adaptation.lens_test import LABELLED, LensTest, Observation, Scenario
from tutorial_lib.adaptation.race import OWN, UPRIGHT, Network, contestant, crooked_networks, leans, middling, race
from tutorial_lib.camera import project
from tutorial_lib.datasets.splits import adaptation_split
from tutorial_lib.display import stage
from tutorial_lib.display.lens_controls import (
    BODY,
    GRID_GRABS,
    SCENARIO_TITLES,
    fold_note,
    grid_handles,
    grid_lines,
    lens_controls,
    lens_of,
    lens_presets,
)
from tutorial_lib.display.live import Demo, choice, live, slider, steps
from tutorial_lib.display.moments import moments
from tutorial_lib.distortion import COEFFICIENTS
from tutorial_lib.metrics import root_relative

CLIPS = 8
"""People and motions of the test; the curves show their mean."""

MOST = 64
"""Moments that can be labelled: the networks take no more."""

LEVELS = (300.0, 600.0, 1200.0)
"""The error axis ends at one of these: fixed, unless a lens is worse than any that the slider's presets hold."""

RATES = [("its own", OWN), *((f"{rate:g}", rate) for rate in (0.001, 0.003, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2))]

COLOURS = {
    "plain": "orange",
    "random lenses": "green",
    "not meta-trained": "orange",
    "MAML": "blue",
    "ours": "blue",
    "MAML alone": "sky",
    "Reptile": "purple",
    "ANIL": "vermillion",
    "no labels": "purple",
}
DASHES: dict[str, stage.Dash] = {"plain": "dash", "not meta-trained": "dash", "no labels": "dot"}


LENS_NETWORKS = {
    "plain": "plain-9f",
    "random lenses": "random-9f",
    "MAML alone": "maml-9f",
    "ours": "ours-9f",
    "no labels": "ours-selfsup-9f",
}
"""Behind an unknown lens: what the demo calls the checkpoints."""


def lens_networks(folder: Path = checkpoints.FOLDER, device: torch.device | str = "cpu") -> dict[str, Network]:
    """The networks of `LENS_NETWORKS`."""
    return {
        title: contestant(checkpoints.load(name, device, folder), checkpoints.record(name, folder)["test_rates"])
        for title, name in LENS_NETWORKS.items()
    }


def compute_lens(
    networks: Mapping[str, Network],
    lens_test: LensTest,
    clip: int,
    scenario: Scenario,
    windows: int,
    count: int,
    rate: float,
    **coefficients: float,
) -> dict[str, Any]:
    """What `lens_demo` shows for these values of its controls."""
    lens = lens_of(**coefficients)
    observation = lens_test.through(lens)
    moment = observation.video.shape[1] // 2
    outcome = race(networks, observation, clip, moment, scenario=scenario, windows=windows, count=count, rate=rate)
    shown = _shown(lens, observation, clip, moment)
    return shown | {"networks": outcome, "clips": len(observation.video) if scenario == LABELLED else 1}


def compute_crooked(
    networks: Mapping[str, Network],
    lens_test: LensTest,
    clip: int,
    tilt: float,
    roll: float,
    moments: tuple[int, ...],
    count: int,
    rate: float,
    **coefficients: float,
) -> dict[str, Any]:
    """What `crooked_demo` shows for these values of its controls; poses are turned back to the level room.

    Where no moment is labelled there is nothing to learn from: no step is taken.
    """
    lens, rig = lens_of(**coefficients), Convention(mounting(torch.tensor(float(tilt)), torch.tensor(float(roll))))
    rig = rig.to(lens_test.tests.pose.device)
    observation = lens_test.through(lens, convention=rig)
    moment = observation.video.shape[1] // 2
    count, windows = (count, moments) if moments else (0, 1)
    outcome = race(networks, observation, clip, moment, windows=windows, count=count, rate=rate)
    for result in outcome.values():
        result["poses"] = rig.in_picture(result["poses"])
    shown = _shown(lens, observation, clip, moment)
    return shown | {
        "truth": rig.in_picture(shown["truth"]),
        "networks": outcome,
        "clips": len(observation.video),
        "labelled": len(moments),
    }


def _shown(lens: torch.Tensor, observation: Observation, clip: int, moment: int) -> dict[str, Any]:
    return {
        "lens": lens,
        "grid": grid_lines(lens),
        "seen": observation.video[clip, moment],
        "truth": observation.truth[clip, moment],
    }


def view_race(
    rival: str, champion: str, arrays: dict[str, Any], params: dict[str, Any], *, height: int = 245
) -> dict[str, Any]:
    """The picture of both demos: the playback walks through the steps of the adaptation.

    Args:
        rival: a network that is drawn as a skeleton, beside `champion`.
        champion: the other one.
        arrays: what `compute` returned.
        params: of the controls.
        height: of the picture, in CSS pixels.
    """
    networks = arrays["networks"]
    count = len(networks[champion]["errors"]) - 1
    places = torch.arange(count + 1.0)

    def colour(title: str) -> dict[str, Any]:
        return {"colour": COLOURS[title], "dash": DASHES.get(title, "solid")}

    skeletons = [
        stage.skeleton3d("truth", arrays["truth"], width=5.0),
        stage.skeleton3d(rival, networks[rival]["poses"], **colour(rival), width=3.0),
        stage.skeleton3d(champion, networks[champion]["poses"], **colour(champion)),
    ]
    curves = [
        stage.series(title, places, outcome["errors"], mode="line+markers", **colour(title))
        for title, outcome in networks.items()
    ]
    highest = max(float(outcome["errors"].max()) for outcome in networks.values())
    top = next((level for level in LEVELS if highest <= level), LEVELS[-1])
    return stage.panes(
        stage.image(
            skeletons=[stage.skeleton2d("detected", arrays["seen"], colour="ink")],
            lines=[stage.polyline("grid", arrays["grid"])],
            margin=0.2,
            title="what the camera sees",
            weight=0.8,
            handles=grid_handles(arrays["lens"]),
        ),
        stage.scene(skeletons, extent=BODY, up="-y", title="the room: play the steps"),
        stage.curve(
            curves,
            x=_steps_axis(params["count"]),
            y=stage.axis("MPJPE (mm)", 0, top),
            now=places,
            title=f"mean over {arrays['clips']} clips, none labelled" if arrays["clips"] > 1 else "this clip",
            weight=1.2,
        ),
        fps=2.5,
        height=height,
        plays="steps",
        note=sentence(rival, champion, arrays),
    )


def _steps_axis(count: int) -> dict[str, Any]:
    """Steps are whole numbers: a short axis names each."""
    last = max(count, 1)
    return stage.axis("adaptation steps", 0, last, ticks={str(i): i for i in range(last + 1)} if last < 5 else None)


def sentence(rival: str, champion: str, arrays: Mapping[str, Any]) -> str:
    """What happened, in one line: both networks' errors before the first and after the last step."""
    parts = []
    for title in (champion, rival):
        outcome = arrays["networks"][title]
        parts.append(f"{title} {outcome['errors'][0]:.0f} → {outcome['errors'][-1]:.0f} mm")
        if abs(outcome["bone"] - 1) > 0.2:
            parts.append(f"ALARM: its bones are now {outcome['bone']:.2f} times as long")
    if not arrays.get("labelled", True):
        parts = ["no moment is chosen, so no step is taken: click one"]
    return f"{', '.join(parts)}; {fold_note(arrays['lens'])}"


def each_moment_alone(demo: Demo) -> tuple[np.ndarray, np.ndarray]:
    """What every chosen moment of a `crooked_demo` is worth alone, on the rig and behind the lens that it shows.

    Returns:
        How far the labelled person's trunk leans in degrees, and MAML's error after the steps in mm, moment by moment.
    """
    assert isinstance(demo.compute, partial)
    networks, lens_test = demo.compute.args
    params = dict(demo.params)
    chosen, champion = params.pop("moments"), {"MAML": networks["MAML"]}
    errors = [
        compute_crooked(champion, lens_test, moments=(moment,), **params)["networks"]["MAML"]["errors"][-1]
        for moment in chosen
    ]
    pose = lens_test.calibration_clips.pose.flatten(0, 1)[list(chosen)]
    return leans(root_relative(pose)).cpu().numpy(), np.array(errors)


WHOM = ("somebody who stands", "somebody who bends", "no clear difference")
"""Whom it is better to label."""


def standing_or_bending(lean: np.ndarray, errors: np.ndarray) -> tuple[str, str]:
    """Whether it matters that the labelled person stands: one of `WHOM`, and an answer to read.

    Args:
        lean: (moments,) degrees, as of `each_moment_alone`.
        errors: (moments,) mm, likewise.
    """
    stands = lean < UPRIGHT
    if min(stands.sum(), (~stands).sum()) < 2:
        return WHOM[2], "Nearly all who were labelled stand alike, or nearly none does: this recording cannot say."
    upright, bent = errors[stands], errors[~stands]
    low, high = ttest_ind(bent, upright, equal_var=False).confidence_interval()
    whom = WHOM[0] if low > 0 else WHOM[1] if high < 0 else WHOM[2]
    verdict = "undecided" if whom == WHOM[2] else f"click {whom}"
    more, low, high = (stage.signed(value, 0) for value in (bent.mean() - upright.mean(), low, high))
    return whom, (
        f"Somebody who stands (trunk within {UPRIGHT:.0f}° of the vertical, {stands.sum()} moments): "
        f"{upright.mean():.0f} mm; somebody who leans or bends ({(~stands).sum()} moments): {bent.mean():.0f} mm. "
        f"A difference of {more} mm (95 % interval over moments [{low}, {high}]): {verdict}."
    )


def _clip_control(lens_test: LensTest, start: int) -> Any:
    names = [f"{i + 1}: {action}" for i, action in enumerate(lens_test.tests.actions)]
    return choice([(name, i) for i, name in enumerate(names)], start, "clip shown")


def lens_demo(
    motion: str = "builtin",
    seed: int = 0,
    *,
    folder: Path = checkpoints.FOLDER,
    device: torch.device | str = "cpu",
) -> Demo:
    """Behind an unknown lens: every network adapts from its shipped weights at every move.

    Args:
        motion: "builtin" or a motion file.
        seed: of people, cameras and detector.
        folder: where the networks are.
        device: where all of it is computed.
    """
    networks = lens_networks(folder, device)
    lens_test = LensTest(adaptation_split(motion, seed), seed, clips=CLIPS, device=device)
    return live(
        partial(compute_lens, networks, lens_test),
        partial(view_race, "plain", "ours"),
        {
            "scenario": choice([(title, name) for name, title in SCENARIO_TITLES.items()], LABELLED, "scenario"),
            "count": slider(5, 0, 20, 1, "adaptation steps"),
            "windows": steps([1, 5, 16, 64], 64, "labelled windows"),
            "rate": steps(RATES, OWN, "step size α"),
            "clip": _clip_control(lens_test, middling(lens_test, networks["plain"].adapter.model)),
            **lens_controls(lens_presets()["d2 pincushion, heavy"]),
        },
        folded=("rate", "clip", *COEFFICIENTS),
        grabs=GRID_GRABS,
        presets=lens_presets(),
        title="Adapt to a lens, now",
        device=device,
    )


def crooked_demo(
    motion: str = "builtin",
    seed: int = 0,
    *,
    folder: Path = checkpoints.FOLDER,
    device: torch.device | str = "cpu",
) -> Demo:
    """On a rig that hangs crooked, behind an unknown lens: choose what is labelled, watch the skeleton stand up.

    The strip shows the recording of the people who wore markers, before any lens. The errors are other people's.

    Args:
        motion: "builtin" or a motion file.
        seed: of people, cameras and detector.
        folder: where the networks are.
        device: where all of it is computed.
    """
    networks = crooked_networks(folder, device)
    lens_test = LensTest(adaptation_split(motion, seed), seed, clips=CLIPS, device=device)
    start = middling(lens_test, networks["MAML"].adapter.model)
    level, d2 = lens_presets()["no lens"], lens_presets()["d2 pincushion, heavy"]
    recording = moments(
        project(lens_test.calibration_clips.pose),
        lens_test.drawn(MOST),
        "labelled moments",
        names=[f"clip {i}: {action}" for i, action in enumerate(lens_test.calibration_clips.actions, start=1)],
        most=MOST,
    )
    crooked = {"tilt": 20, "roll": 20, "moments": recording.value, "count": 5, "rate": OWN}
    return live(
        partial(compute_crooked, networks, lens_test),
        partial(view_race, "not meta-trained", "MAML", height=205),
        {
            "tilt": slider(20, -LIMIT, LIMIT, 1.0, "tilt of the rig (°)", fmt=".0f"),
            "roll": slider(20, -LIMIT, LIMIT, 1.0, "roll of the rig (°)", fmt=".0f"),
            "count": slider(5, 0, 20, 1, "adaptation steps"),
            "moments": recording,
            "rate": steps(RATES, OWN, "step size α"),
            "clip": _clip_control(lens_test, start),
            **lens_controls(d2),
        },
        folded=("rate", "clip", *COEFFICIENTS),
        grabs=GRID_GRABS,
        presets={
            "crooked, heavy lens": crooked | d2,
            "crooked, no lens": crooked | level,
            "level, heavy lens": crooked | d2 | {"tilt": 0, "roll": 0},
            "one moment": {"moments": lens_test.drawn(1)},
            "five moments": {"moments": lens_test.drawn(5)},
            "sixty-four": {"moments": recording.value},
            "twenty steps": crooked | d2 | {"count": 20},
        },
        title="The rig hangs crooked: watch the skeleton stand up",
        recorded=("tilt", "roll"),
        in_page=InPage(
            networks, lens_test, grid_lines, recording.value, phases=27,
            says={"says": "crooked", "drawn": ["not meta-trained", "MAML"], "levels": LEVELS},
        ),
        device=device,
    )  # fmt: skip
