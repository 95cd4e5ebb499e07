"""Four photos of a group, painted from one another: by the exchange, and by ways that go wrong."""

from functools import partial
from typing import Any

import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.geometry_aware import draw_groups, exchange
from tutorial_lib.geometry_aware.learning import Exchange, paint
from tutorial_lib.lessons.geometry_aware.demo_turn import HIGHEST
from tutorial_lib.lessons.geometry_aware.pictures import Pair, apart, strip
from tutorial_lib.locking import MODEL_LOCK
from tutorial_lib.render import Views

COUNT = 12
"""Groups that the demo looks through."""

_CHECKED: list[Exchange] = []


def checked(function: Exchange) -> None:
    """Note a student's exchange that passed its check: the demo paints with it from now on."""
    _CHECKED[:] = [function]


def right(points: torch.Tensor, appearance: torch.Tensor, rotation: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The exchange: the student's, if it has passed its check."""
    return (_CHECKED[0] if _CHECKED else exchange)(points, appearance, rotation)


def unturned(
    points: torch.Tensor, appearance: torch.Tensor, rotation: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Points of the other camera as they are."""
    return points.flip(2), appearance.flip(1, 2)


def backwards(
    points: torch.Tensor, appearance: torch.Tensor, rotation: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Points of the other camera, turned by the inverse."""
    turn = rotation @ rotation.flip(1).mT
    return points.flip(2) @ turn[:, None], appearance.flip(1, 2)


def later(points: torch.Tensor, appearance: torch.Tensor, rotation: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Points of the other moment."""
    return exchange(points.flip(1), appearance, rotation)


def own(points: torch.Tensor, appearance: torch.Tensor, rotation: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Points of the camera that is painted: nothing to be known in 3D."""
    return exchange(points, appearance, rotation, "plain")


WAYS: dict[str, tuple[str, Exchange]] = {
    "exchanged and turned": ("exchange", right),
    "not turned": ("unturned", unturned),
    "turned backwards": ("backwards", backwards),
    "of the other moment": ("moment", later),
    "of its own camera": ("own", own),
}
"""What the demo calls the points that a picture is painted from: in its menu, and under the bars."""


def groups(nets: Pair, count: int = COUNT) -> Views:
    """Test groups for the demo.

    Args:
        nets: of `pictures.networks`.
        count: how many.
    """
    return draw_groups("test", count, seed=6, size=nets.ours.encoder.size)


def compute_exchange(nets: Pair, views: Views, way: str, group: int) -> dict[str, Any]:
    """What `exchange_demo` shows for these values of its controls."""
    errors, shown = {}, None
    for name, (short, hand_over) in WAYS.items():
        with MODEL_LOCK, torch.no_grad():
            painted, photo, plate = paint(nets.ours, views, hand_over=hand_over)
        errors[short] = apart(painted, photo, plate).mean().item()
        if name == way:
            shown = painted.unflatten(0, (-1, 4))[group], photo.unflatten(0, (-1, 4))[group]
    assert shown is not None
    painted, photo = shown
    return {"photo": photo, "painted": painted, "errors": errors, "whose": "your" if _CHECKED else "the course's"}


def view_exchange(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `exchange_demo`."""
    columns = [torch.cat(pair, 1) for pair in zip(arrays["photo"], arrays["painted"], strict=True)]
    errors = arrays["errors"]
    places = torch.arange(float(len(errors)))
    return stage.panes(
        strip(columns, "moment 1: camera 1, 2 | moment 2: camera 1, 2; below, painted", 1.3),
        stage.curve(
            [
                stage.series(
                    "difference", places, [min(error, HIGHEST) for error in errors.values()], mode="bars", colour="blue"
                )
            ],
            x=stage.axis("", -0.6, len(errors) - 0.4, ticks={name: i for i, name in enumerate(errors)}),
            y=stage.axis("difference (%)", 0, HIGHEST), title="painted against photo, all groups",
        ),
        height=270,
        note=f"points {params['way']}: {errors[WAYS[params['way']][0]]:.1f} % off over all groups; {arrays['whose']} "
        f"exchange: {errors['exchange']:.1f} %",
    )  # fmt: skip


def exchange_demo(nets: Pair, views: Views) -> Demo:
    """Paint each photo of a group from the others.

    Args:
        nets: of `pictures.networks`.
        views: of `groups`.
    """
    controls = {
        "way": choice(list(WAYS), "exchanged and turned", "points"),
        "group": slider(0, 0, len(views) - 1, 1, "group"),
    }
    presets = {way: {"way": way, "group": 0} for way in WAYS}
    return live(
        partial(compute_exchange, nets, views), view_exchange, controls, presets=presets,
        title="Four photos, each painted from the others: which exchange can?", plays="group", recorded=("way",),
    )  # fmt: skip
