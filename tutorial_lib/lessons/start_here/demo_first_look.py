"""The live demo of lesson 00: bend the lens, hang the rig crooked, and watch two networks get used to it."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import plotly.graph_objects as go
import torch

from tutorial_lib.adaptation.conventions import LIMIT, Convention, mounting
from tutorial_lib.adaptation.in_page import InPage
from tutorial_lib.adaptation.lens_test import LensTest
from tutorial_lib.adaptation.race import Network, crooked_networks, race
from tutorial_lib.camera import to_screen
from tutorial_lib.datasets.splits import AdaptationSplit, builtin_split, walker
from tutorial_lib.display import figures, stage
from tutorial_lib.display.lens_controls import BODY, grid_lines
from tutorial_lib.display.live import Demo, live, slider, steps
from tutorial_lib.distortion import PRESETS, distort
from tutorial_lib.render.random_photos import draw_photos

STEPS, WINDOWS = 5, 64
"""Adaptation steps the demo starts with, and labelled examples that each of them looks at."""

STRENGTHS = {
    round(i / 20, 2): f"{'barrel' if i < 0 else 'pincushion'} {abs(i) * 5} %" if i else "no lens"
    for i in range(-20, 21)
}
"""The slider's stops and their read-outs: shares of the course's test lenses d1 (barrel) and d2 (pincushion)."""

HELD = 0.56
"""Distance from the middle, in the camera's plane, of the grid's point that a reader drags."""

NETWORKS = {"ordinary network": "vermillion", "adapting network": "blue"}
TRAINED = {"ordinary network": "not meta-trained", "adapting network": "MAML"}
"""What lesson 06 calls them."""


def lens_at(strength: float) -> torch.Tensor:
    """The five coefficients (5,) of a lens from barrel (-1) over none (0) to pincushion (1); NaN is refused."""
    if not -1 <= strength <= 1:
        raise ValueError(f"strength is {strength}, expected a number from -1 (barrel) to 1 (pincushion)")
    return abs(strength) * PRESETS["d1" if strength < 0 else "d2"]


def held_at(strength: float) -> torch.Tensor:
    """Where on the screen (2,) the point of the grid lies that a reader drags."""
    return to_screen(distort(torch.tensor([HELD, 0.0]), lens_at(strength)))


def strength_at(x: float) -> float:
    """The strength among the slider's stops that brings this point nearest to x."""
    return min(STRENGTHS, key=lambda strength: abs(held_at(strength)[0].item() - x))


def compute_first(
    networks: Mapping[str, Network],
    lens_test: LensTest,
    outside: torch.Tensor,
    strength: float,
    lean: float,
    count: int,
) -> dict[str, Any]:
    """What `first_demo` shows for these values of its controls; poses are turned back to the level room."""
    lens, angle = lens_at(strength), torch.tensor(float(lean))
    rig = Convention(mounting(torch.zeros(()), angle)).to(lens_test.tests.pose.device)
    observation = lens_test.through(lens, convention=rig)
    moment = observation.video.shape[1] // 2
    outcome = race(networks, observation, 0, moment, windows=WINDOWS, count=count)
    return {
        "percent": 100 * strength,
        "lean": lean,
        "grid": grid_lines(lens).masked_fill(outside, torch.nan),
        "handle": held_at(strength),
        "seen": observation.video[0, moment],
        "truth": rig.in_picture(observation.truth[0, moment]),
        "poses": {name: rig.in_picture(result["poses"]) for name, result in outcome.items()},
        "errors": {name: result["errors"] for name, result in outcome.items()},
    }


def view_first(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `first_demo`: the playback walks through the steps."""
    camera = stage.image(
        skeletons=[stage.skeleton2d("detected joints", arrays["seen"], colour="green")],
        lines=[stage.polyline("a square grid", arrays["grid"])],
        margin=0.2,
        title="what the camera sees",
        handles=[stage.handle("the grid", arrays["handle"], axis="x", colour="blue")],
    )
    truth = stage.skeleton3d("truth", arrays["truth"], width=5.0)
    people = [stage.skeleton3d(name, arrays["poses"][name], colour=colour) for name, colour in NETWORKS.items()]
    room = stage.scene([truth, *people], extent=BODY, up="-y", title="in 3D: play the steps")
    count = len(arrays["errors"]["adapting network"]) - 1
    places = torch.arange(count + 1.0)
    curves = stage.curve(
        [
            stage.series(name, places, arrays["errors"][name], mode="line+markers", colour=colour)
            for name, colour in NETWORKS.items()
        ],
        x=stage.axis("adaptation steps", 0, max(count, 1)),
        y=stage.axis("error (mm)", 0, 250),
        now=places,
        title="how wrong they are",
    )
    return stage.panes(camera, room, curves, note=in_words(arrays), fps=2.0, height=260, plays="steps")


def first_demo(motion: str = "builtin", seed: int = 0, device: torch.device | str = "cpu") -> Demo:
    """A walking person, a lens, a rig, and two networks that adapt at every move.

    Args:
        motion: "builtin" or a motion file.
        seed: of people, camera and detector.
        device: where the networks are.
    """
    shipped = crooked_networks(device=device)
    networks = {name: shipped[title] for name, title in TRAINED.items()}
    place = walker(motion, seed)
    if motion == "builtin":  # the labelled examples show other people than the walker
        place = AdaptationSplit(builtin_split(seed).calibration, place.test)
    lens_test = LensTest(place, seed, clips=1, calibration_clips=32, windows=WINDOWS, device=device)

    # The round middle of the picture, where people are: farther out d1 turns from barrel to its opposite.
    outside = torch.linalg.vector_norm(grid_lines(lens_at(0.0)), dim=-1, keepdim=True) > 1
    controls = {
        "strength": steps([(text, value) for value, text in STRENGTHS.items()], 0.0, "lens"),
        "lean": slider(20, -int(LIMIT), int(LIMIT), 1, "rig leans by (°)"),
        "count": slider(STEPS, 0, 10, 1, "adaptation steps"),
    }
    presets = {
        "barrel, level": {"strength": -1.0, "lean": 0},
        "pincushion, level": {"strength": 1.0, "lean": 0},
        "no lens, crooked": {"strength": 0.0, "lean": 20},
        "both": {"strength": 1.0, "lean": 20},
    }
    return live(
        partial(compute_first, networks, lens_test, outside),
        view_first,
        controls,
        presets=presets,
        grabs={"the grid": lambda at, params: {"strength": strength_at(at[0])}},
        title="Hang it crooked, press play, watch a network get used to it",
        recorded=("lean", "strength"),
        in_page=InPage(
            networks,
            lens_test,
            lambda lens: grid_lines(lens).masked_fill(outside, torch.nan),
            WINDOWS,
            says={
                "says": "first",
                "drawn": list(NETWORKS),
                "lenses": {f"{strength:g}": lens_at(strength).tolist() for strength in STRENGTHS},
            },
        ),
        device=device,
    )


def in_words(arrays: Mapping) -> str:
    """What the steps did, such as "ordinary 140 → 110, adapting 143 → 60 mm"."""
    errors = arrays["errors"]
    ordinary, adapting = (f"{errors[name][0]:.0f} → {errors[name][-1]:.0f}" for name in NETWORKS)
    return f"ordinary {ordinary}, adapting {adapting} mm"


def camera_picture(arrays: Mapping) -> go.Figure:
    """The middle frame as the camera sees it."""
    return figures.image_plane(
        skeletons={"detected joints": arrays["seen"]},
        grid=arrays["grid"],
        margin=0.2,
        colours={"detected joints": "green"},
    )


def photo_picture(seed: int = 0) -> dict[str, Any]:
    """A picture for the stage: a photo of a person, the 17 joints in it, and the same joints in space."""
    clips = builtin_split(seed).test
    photo = draw_photos(clips, 1, size=192, generator=torch.Generator().manual_seed(seed + 3), occluders=0.0)
    picture = photo.image[0].permute(1, 2, 0)
    joints = stage.skeleton2d("17 joints", photo.keypoints[0], colour="green", width=3.0)
    pose = photo.pose[0] - photo.pose[0, :1]
    space = stage.scene([stage.skeleton3d("lifted", pose, colour="blue")], extent=BODY, up="-y", title="and in space")
    return stage.panes(
        stage.image(picture=picture, margin=0.0, cross=None, title="a photo"),
        stage.image(picture=picture, skeletons=[joints], margin=0.0, cross=None, title="17 joints, found in it"),
        space,
    )
