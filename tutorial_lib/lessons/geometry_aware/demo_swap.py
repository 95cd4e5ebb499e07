"""Swap: the points of one photo, the clothes of another, the room of a third."""

from functools import partial
from typing import Any

import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, live, slider
from tutorial_lib.geometry_aware import GeometryNet
from tutorial_lib.geometry_aware.views import LOOKS, ROOMS
from tutorial_lib.lessons.geometry_aware.demo_turn import people_control
from tutorial_lib.lessons.geometry_aware.pictures import (
    PHOTO,
    Pair,
    apart,
    painted,
    photos_of,
    plates_of,
    seen_from,
    strip,
)

OTHER = 200
"""Degrees of azimuth from which the photo with the clothes is taken: another side, and another pose."""


def compute_swap(net: GeometryNet, person: int, clothes: int, room: int, azimuth: float) -> dict[str, Any]:
    """What `swap_demo` shows for these values of its controls."""
    size = net.encoder.size
    first = seen_from(person, (float(PHOTO),), size=size)
    dressed = photos_of(seen_from((person + 1) % LOOKS, (float(OTHER),), look=clothes, size=size))[0]
    wanted = seen_from(person, (PHOTO + azimuth,), look=clothes, room=room, size=size)
    turn = wanted.rotation[0] @ first.rotation[0, 0].mT
    photo, plates = photos_of(first)[0], plates_of(wanted)
    found, truth = painted(net, photo, turn, plates, dressed)[0], photos_of(wanted)
    own = painted(net, photo, turn, plates)[0]
    return {
        "pose": photo,
        "clothes": dressed,
        "room": plates[0],
        "painted": found[0],
        "truth": truth[0],
        "off": apart(found, truth, plates).item(),
        "own": apart(own, truth, plates).item(),
    }


def view_swap(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `swap_demo`."""
    titles = {"pose": "pose of", "clothes": "clothes of", "room": "room of", "painted": "painted", "truth": "the truth"}
    return stage.panes(
        strip([arrays[name] for name in titles], " | ".join(titles.values())),
        height=240,
        note=f"{arrays['off']:.1f} % off the truth; {arrays['own']:.1f} % with the clothes left as they were",
    )


def swap_demo(nets: Pair) -> Demo:
    """Dress one photo's pose in another's clothes, in a third's room.

    Args:
        nets: of `pictures.networks`.
    """
    controls = {
        "person": people_control(3),
        "clothes": slider(5, 0, LOOKS - 1, 1, "clothes"),
        "room": slider(1, 0, ROOMS - 1, 1, "room"),
        "azimuth": slider(0, -180, 180, 15, "camera moved by (°)"),
    }
    presets = {
        "own clothes, own room": {"person": 3, "clothes": 3, "room": 0, "azimuth": 0},
        "other clothes": {"person": 3, "clothes": 5, "room": 0, "azimuth": 0},
        "all at once": {"person": 3, "clothes": 1, "room": 2, "azimuth": 60},
        "it does not work": {"person": 0, "clothes": 2, "room": 0, "azimuth": 0},
    }
    return live(
        partial(compute_swap, nets.ours), view_swap, controls, presets=presets, folded=("azimuth",),
        title="Whose pose, whose clothes, whose room?", recorded=("clothes", "room"), plays="clothes",
    )  # fmt: skip


def exchanged(nets: Pair) -> dict[str, float]:
    """Mean difference in per cent over six people in every other's clothes: exchanged, and clothes left as they were.

    Args:
        nets: of `pictures.networks`.
    """
    found = [
        compute_swap(nets.ours, person, (person + more) % LOOKS, 0, 0) for person in range(6) for more in (1, 2, 3)
    ]
    return {name: float(torch.tensor([one[name] for one in found]).mean()) for name in ("off", "own")}
