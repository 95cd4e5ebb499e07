"""A small training that a reader watches: their own exchange, once it is right, and a latent that becomes geometry."""

from functools import cache
from typing import Any

import torch
from IPython.display import Image, display

from tutorial_lib.display import stage, still
from tutorial_lib.geometry_aware import GeometryNet, draw_groups, exchange, train
from tutorial_lib.geometry_aware.learning import Exchange, paint
from tutorial_lib.geometry_aware.retrieval import across_cameras
from tutorial_lib.lessons.geometry_aware.pictures import as_picture
from tutorial_lib.render import Views

SIZE, POOL, TRIED, STEPS, EVERY = 24, 240, 64, 240, 40
"""Pixels, groups to learn from and to be tried on, steps, and steps between two looks: ten seconds."""

_CHECKED: list[Exchange] = []


def checked(function: Exchange) -> None:
    """Note a student's exchange that passed its check: `watch` takes it from now on."""
    _CHECKED[:] = [function]


@cache
def groups() -> tuple[Views, Views]:
    """Small photos to learn from, and of validation people to look at."""
    own = draw_groups("train", POOL, size=SIZE, seed=3, people=6, frames=80)
    return own, draw_groups("validation", TRIED, size=SIZE, seed=3, people=4, frames=80)


def picture(looks: list[dict[str, Any]], steps: int) -> dict[str, Any]:
    """What a person looks like after the last step, and how often a moment is found again, as of `stage.panes`.

    Args:
        looks: of the training so far.
        steps: of the whole training.
    """
    last, number = looks[-1], [look["step"] for look in looks]
    return stage.panes(
        stage.image(picture=as_picture(last["painted"]), cross=None, margin=0.0, title=f"painted, step {number[-1]}"),
        stage.image(picture=as_picture(last["photo"]), cross=None, margin=0.0, title="the photo"),
        stage.curve(
            [
                stage.series("turned", number, [100 * look["turned"] for look in looks], colour="blue"),
                stage.series(
                    "not turned", number, [100 * look["raw"] for look in looks], colour="vermillion", dash="dash"
                ),
            ],
            x=stage.axis("steps", 0, steps), y=stage.axis("among the nearest five (%)", 0, 100),
            lines=[stage.hline("chance", 500 / TRIED)], title="found in the other camera", weight=1.6,
        ),
        height=230,
        note=f"after {number[-1]} steps {100 * last['turned']:.0f} % are among the nearest five, "
        f"{100 * last['raw']:.0f} % if the points are not turned",
    )  # fmt: skip


def watch(seed: int = 0, steps: int = STEPS, *, hand_over: Exchange | None = None, show: bool = True) -> dict[str, Any]:
    """Train a small network on two cameras, without a label; the picture is drawn anew every `EVERY` steps.

    It takes the student's exchange if that has passed its check, else the course's own.

    Args:
        seed: of weights and batches.
        steps: how many.
        hand_over: exchanges points and appearance instead of both.
        show: the picture.

    Returns:
        "turned" and "raw": share of moments among the nearest five at the end; "whose" exchange; "steps".
    """
    own, tried = groups()
    whose = "this" if hand_over else "your" if _CHECKED else "the course's"
    chosen = hand_over or (_CHECKED[0] if _CHECKED else exchange)
    looks: list[dict[str, Any]] = []
    shown = display(display_id=True) if show else None

    def look(net: GeometryNet, step: int) -> None:
        with torch.no_grad():
            painted, photo, _ = paint(net, tried[:1], hand_over=chosen)
        turned, raw = (across_cameras(net.encoder, tried, turned=which).among_five for which in (True, False))
        looks.append({"step": step, "painted": painted[0], "photo": photo[0], "turned": turned, "raw": raw})
        if shown is not None:  # outside a notebook nothing is shown
            drawn = picture(looks, steps)
            shown.update(Image(still.png(drawn), alt=drawn["note"]))

    torch.manual_seed(seed)
    train(
        GeometryNet(16, 12, SIZE), own, hand_over=chosen, steps=steps, batch=8, look=look, every=EVERY, progress=show,
        generator=torch.Generator().manual_seed(seed), label="two cameras",
    )  # fmt: skip
    return {"turned": looks[-1]["turned"], "raw": looks[-1]["raw"], "whose": whose, "steps": steps}
