"""The trap: a decoder that draws the points where they are. Its pictures turn, and two cameras need not agree on them.

Every number of a latent is shown less its mean and by its spread: what this moment changes, not where a point usually
is.
"""

from functools import cache, partial
from typing import Any

import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, live, slider
from tutorial_lib.geometry_aware import to_world
from tutorial_lib.geometry_aware.retrieval import encode
from tutorial_lib.lessons.geometry_aware.demo_turn import HIGHEST, ROOM, ROUND, compute_turn, people_control
from tutorial_lib.lessons.geometry_aware.pictures import DOING, PHOTO, Pair, photos_of, seen_from, strip

COLOURS = {"ours": "blue", "splatted": "vermillion"}
SYMBOLS: tuple[stage.Symbol, ...] = ("circle", "square")


@cache
def said(nets: Pair) -> dict[str, torch.Tensor]:
    """(people, cameras of `ROUND`, numbers) what both networks say of everybody, in the world's frame, standardised."""
    found = {}
    for name, net in nets.by_name().items():
        views = [
            seen_from(person, tuple(PHOTO + angle for angle in ROUND), room=ROOM, size=net.encoder.size)
            for person in range(len(DOING))
        ]
        points = torch.stack([to_world(encode(net.encoder, photos_of(one))[0], one.rotation[0]) for one in views])
        spread, mean = torch.std_mean(points, (0, 1))
        found[name] = ((points - mean) / spread.clamp_min(1e-9)).flatten(2)
    return found


def compute_trap(nets: Pair, azimuth: float, person: int) -> dict[str, Any]:
    """What `trap_demo` shows for these values of its controls."""
    both = {name: compute_turn(net, person, azimuth, 0.0) for name, net in nets.by_name().items()}
    cameras = [ROUND.index(0.0), both["ours"]["now"]]
    points = {name: everybody[person][cameras] for name, everybody in said(nets).items()}
    return {
        "truth": both["ours"]["truth"],
        "painted": {name: one["painted"] for name, one in both.items()},
        "points": points,
        "agreement": {name: torch.corrcoef(pair)[0, 1].item() for name, pair in points.items()},
        "errors": {name: one["errors"]["turned"] for name, one in both.items()},
        "now": both["ours"]["now"],
    }


def view_trap(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `trap_demo`."""
    now = {name: float(values[arrays["now"]]) for name, values in arrays["errors"].items()}
    same = arrays["agreement"]
    return stage.panes(
        strip([*arrays["painted"].values(), arrays["truth"]], "painted: ours | splatted | the truth there", 2.1),
        stage.curve(
            [
                stage.series(name, ROUND, values.clamp_max(HIGHEST), colour=COLOURS[name], dash=dash)
                for (name, values), dash in zip(arrays["errors"].items(), ("solid", "dash"), strict=True)
            ],
            x=stage.axis("camera moved by (°)", -180, 180), y=stage.axis("difference (%)", 0, HIGHEST),
            now=params["azimuth"], grab="camera", title="painted against truth",
        ),
        stage.curve(
            [
                stage.series(name, *pair.clamp(-3, 3), colour=COLOURS[name], mode="markers", symbol=symbol)
                for (name, pair), symbol in zip(arrays["points"].items(), SYMBOLS, strict=True)
            ],
            x=stage.axis("its own camera says (spreads)", -3, 3), y=stage.axis("the camera there says", -3, 3),
            title="where the points are",
        ),
        height=240,
        note=f"ours {now['ours']:.1f} % off the truth, the cameras' correlation {same['ours']:.2f}; splatted "
        f"{now['splatted']:.1f} %, and {same['splatted']:.2f}",
    )  # fmt: skip


def trap_demo(nets: Pair) -> Demo:
    """Two decoders beside each other, all the way round.

    Args:
        nets: of `pictures.networks`.
    """
    controls = {"azimuth": slider(150, -180, 180, 15, "camera moved by (°)"), "person": people_control()}
    presets = {
        "its own camera": {"azimuth": 0, "person": 0},
        "the other camera": {"azimuth": 60, "person": 0},
        "from behind": {"azimuth": 180, "person": 0},
        "somebody else": {"azimuth": 60, "person": 2},
    }
    return live(
        partial(compute_trap, nets), view_trap, controls, presets=presets,
        title="Draw the points where they are: is that geometry?",
        grabs={"camera": lambda at, params: {"azimuth": at[0]}}, plays="azimuth", recorded=("azimuth",),
    )  # fmt: skip
