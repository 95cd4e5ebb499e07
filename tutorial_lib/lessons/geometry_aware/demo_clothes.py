"""Break it: clothes that nobody wore in training, a little at a time."""

from dataclasses import fields
from functools import cache, partial
from typing import Any

import torch

from tutorial_lib.camera import orbit
from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, live, slider
from tutorial_lib.geometry_aware.heads import Equivariant, Ridge
from tutorial_lib.geometry_aware.retrieval import encode
from tutorial_lib.geometry_aware.views import banks
from tutorial_lib.lessons.geometry_aware.demo_labels import ALL, BODY, Labelled
from tutorial_lib.lessons.geometry_aware.demo_turn import people_control
from tutorial_lib.lessons.geometry_aware.pictures import HEIGHT, PHOTO, Pair, as_picture, people
from tutorial_lib.metrics import mpjpe
from tutorial_lib.render import Looks, Views, photograph_views

SHARES = tuple(i / 10 for i in range(11))
"""Of the new clothes in the colours, the cut and the build."""


def between(share: float, person: int) -> Looks:
    """One row: known clothes at 0, new ones at 1; patterns and styles change half way."""
    known, new = (banks(split)[0][person % 6] for split in ("test", "clothes"))

    def mixed(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        if one.is_floating_point():
            return torch.lerp(one, other, share)
        return other if share >= 0.5 else one

    return Looks(**{field.name: mixed(getattr(known, field.name), getattr(new, field.name)) for field in fields(Looks)})


@cache
def dressing(person: int, size: int) -> list[Views]:
    """The person at every share, from where the photo is taken."""
    pose = people()[person]
    camera = orbit(pose.mean(0).expand(1, 1, 3), torch.tensor(float(PHOTO)).deg2rad(), 0.0, HEIGHT)
    rows = torch.tensor([0]), torch.tensor([[0]])
    rooms = banks("test")[1]
    return [photograph_views(pose[None, None], camera, between(share, person), rooms, *rows, size=size,
                             generator=torch.Generator().manual_seed(0)) for share in SHARES]  # fmt: skip


def compute_clothes(nets: Pair, head: Ridge | Equivariant, share: float, person: int) -> dict[str, Any]:
    """What `clothes_demo` shows for these values of its controls."""
    groups = dressing(person, nets.ours.encoder.size)
    photos = torch.cat([group.pixels[0, 0].float() / 255 for group in groups])
    points, appearance = encode(nets.ours.encoder, photos)
    truth = (groups[0].pose - groups[0].pose[..., :1, :])[0, 0]
    poses = head(points)
    now = round(share * (len(SHARES) - 1))

    def moved(values: torch.Tensor) -> torch.Tensor:
        return torch.linalg.vector_norm((values - values[:1]).flatten(1), dim=-1) / values[0].square().sum().sqrt()

    return {
        "photo": photos[now],
        "pose": poses[now],
        "truth": truth[0],
        "errors": torch.stack([1000 * mpjpe(pose, truth[0]) for pose in poses]),
        "moved": {"points": moved(points), "appearance": moved(appearance)},
        "now": now,
    }


def view_clothes(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The picture of `clothes_demo`."""
    now = arrays["now"]
    return stage.panes(
        stage.image(picture=as_picture(arrays["photo"]), cross=None, margin=0.0, title="the photo", weight=0.8),
        stage.scene(
            [
                stage.skeleton3d("truth", arrays["truth"]),
                stage.skeleton3d("head", arrays["pose"], colour="blue", dash="dash"),
            ],
            extent=BODY, up="-y", title="its pose", view=(-30.0, 10.0),
        ),
        stage.curve(
            [stage.series("head", SHARES, arrays["errors"].clamp_max(500), colour="blue")],
            x=stage.axis("share of new clothes", 0, 1), y=stage.axis("MPJPE (mm)", 0, 500), now=params["share"],
            grab="clothes", title="the same pose",
        ),
        height=260,
        note=f"{arrays['errors'][0]:.0f} mm in known clothes, {arrays['errors'][now]:.0f} mm now; points moved by "
        f"{100 * arrays['moved']['points'][now]:.0f} % of their length, appearance by "
        f"{100 * arrays['moved']['appearance'][now]:.0f} %",
    )  # fmt: skip


def clothes_demo(nets: Pair, found: Labelled) -> Demo:
    """Change the clothes and nothing else.

    Args:
        nets: of `pictures.networks`.
        found: of `demo_labels.labelled`; its ridge head from all labels is taken.
    """
    controls = {"share": slider(1.0, 0.0, 1.0, 0.1, "share of new clothes"), "person": people_control(3)}
    presets = {
        "known": {"share": 0.0, "person": 3},
        "half": {"share": 0.5, "person": 3},
        "new": {"share": 1.0, "person": 3},
        "somebody else, new": {"share": 1.0, "person": 0},
    }
    return live(
        partial(compute_clothes, nets, found.solved(ALL, "ridge")), view_clothes, controls, presets=presets,
        title="New clothes, the same pose: what moves?",
        grabs={"clothes": lambda at, params: {"share": at[0]}}, plays="share", recorded=("share",),
    )  # fmt: skip
