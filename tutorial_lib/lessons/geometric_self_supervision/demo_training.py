"""A training that a student watches: their own loss, once it is right, and a histogram of poses that tip."""

from functools import cache
from typing import Any

import numpy as np
import torch
from IPython.display import Image, display

from tutorial_lib.datasets.splits import TRAIN_SEED, TRAINED_ACTIONS, VALIDATION_SEED
from tutorial_lib.display import stage, still
from tutorial_lib.lessons.geometric_self_supervision.recipes import SYMMETRIC
from tutorial_lib.motion import builtin
from tutorial_lib.self_supervision.learning import Loss, Recipe, train
from tutorial_lib.self_supervision.losses import believes, cycle_losses
from tutorial_lib.self_supervision.networks import Critic, DepthLifter
from tutorial_lib.self_supervision.signs import aligned_errors
from tutorial_lib.self_supervision.turning import lift, look, mirrored
from tutorial_lib.self_supervision.views import ELEVATION, Views, draw_views

STEPS, EVERY, BATCH, WIDTH = 1500, 50, 128, 64
"""Of the training in the lesson: ten to twenty seconds."""

CYCLE, CRITIC = 0.1, 0.1
"""How much each counts."""

PRIORS = {"from above": ELEVATION, "from anywhere": SYMMETRIC, "from below": (-20.0, 0.0)}


def own_loss(
    lifter: DepthLifter, critic: Critic, seen: torch.Tensor, turn: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The course's own loss of one round, for who has none yet; a `Loss`."""
    pose = lifter(seen)
    again = look(pose @ turn.mT, lifter.distance)
    in_picture, in_space = cycle_losses(lifter, seen, pose, again, turn)
    return CYCLE * (in_picture + in_space) + CRITIC * believes(critic, again), again


_CHECKED: list[Loss] = []


def checked(loss: Loss) -> None:
    """Note a student's loss that passed its check: `train_live` takes it from now on."""
    _CHECKED[:] = [loss]


@cache
def views_of(elevation: tuple[float, float]) -> tuple[Views, Views]:
    """2D skeletons to train on, and of validation people to look at."""
    own = draw_views(builtin(TRAIN_SEED, 8, TRAINED_ACTIONS, 100), 2000, 0, elevation=elevation)
    return own, draw_views(builtin(VALIDATION_SEED, 4, TRAINED_ACTIONS, 100), 400, 1, elevation=elevation)


def both_signs(lifter: DepthLifter, views: Views) -> torch.Tensor:
    """(2, N) mm: error of each pose as it is, and with its depth mirrored."""
    seen, truth = views.seen[:, 0], views.pose[:, 0]
    with torch.no_grad():
        pose = lifter(seen)
    return 1000 * torch.stack([aligned_errors(p, truth) for p in (pose, mirrored(seen, pose, views.distance))])


EDGES = np.linspace(-200, 200, 41)
"""Of the histogram, in mm."""


def picture(looked_at: list[tuple[int, torch.Tensor]], flat: float, steps: int) -> dict[str, Any]:
    """The histogram of the last look and the error over all, as of `stage.panes`.

    Args:
        looked_at: (step, errors (2, N) in mm, of `both_signs`).
        flat: error in mm of a flat person.
        steps: of the whole training.
    """
    number, (kept, other) = looked_at[-1]
    counts, _ = np.histogram((other - kept).clamp(EDGES[0], EDGES[-1]), EDGES)
    middle = (EDGES[1:] + EDGES[:-1]) / 2
    tipped = 100 * (other < kept).float().mean().item()
    over = torch.stack([both.mean(1) for _, both in looked_at])
    return stage.panes(
        stage.curve(
            [
                stage.series(name, middle[side], counts[side], mode="bars", colour=colour, bar=9.0)
                for name, side, colour in (
                    ("better mirrored", middle < 0, "vermillion"), ("better as it is", middle > 0, "blue"),
                )
            ],
            x=stage.axis("error if mirrored minus error (mm)", -200, 200), y=stage.axis("poses", 0, 60),
            title=f"which sign? after {number} of {steps} steps", weight=1.2,
        ),
        stage.curve(
            [
                stage.series("as it is", [n for n, _ in looked_at], over[:, 0], colour="blue"),
                stage.series("mirrored", [n for n, _ in looked_at], over[:, 1], colour="vermillion", dash="dash"),
            ],
            x=stage.axis("steps", 0, steps), y=stage.axis("P-MPJPE (mm)", 0, 200),
            lines=[stage.hline("flat person", flat)], title="new people",
        ),
        height=260,
        note=f"{kept.mean():.0f} mm, {other.mean():.0f} mirrored; {tipped:.0f} % of the poses are better mirrored",
    )  # fmt: skip


def train_live(
    cameras: str = "from above", seed: int = 0, steps: int = STEPS, *, believed: str = "", show: bool = True
) -> dict[str, Any]:
    """Train a small lifter on 2D skeletons alone; the picture is drawn anew every `EVERY` steps.

    It takes the student's loss if that has passed its check, else the course's own.

    Args:
        cameras: where they stand: one of `PRIORS`.
        seed: of weights and batches.
        steps: how many.
        believed: where the training believes them to stand, one of `PRIORS`; by default the truth.
        show: the picture.

    Returns:
        "steps"; "kept", "mirrored": errors in mm over them; "tipped": per cent at the end; "flat": of a flat person.

    Raises:
        ValueError: other cameras.
    """
    believed = believed or cameras
    for argument, value in (("cameras", cameras), ("believed", believed)):
        if value not in PRIORS:
            raise ValueError(f"{argument} is {value!r}, expected one of {', '.join(PRIORS)}")
    loss, whose = (_CHECKED[0], "your") if _CHECKED else (own_loss, "the course's")
    seen, new = views_of(PRIORS[cameras])
    truth = new.pose[:, 0]
    flat = 1000 * aligned_errors(lift(new.seen[:, 0], torch.zeros_like(truth[..., 0])), truth).mean().item()
    looked_at: list[tuple[int, torch.Tensor]] = []
    shown = display(display_id=True) if show else None

    def check(lifter: DepthLifter) -> None:
        looked_at.append((len(looked_at) * EVERY, both_signs(lifter, new)))
        if shown is not None:  # outside a notebook nothing is shown
            drawn = picture(looked_at, flat, steps)
            shown.update(Image(still.png(drawn), alt=drawn["note"]))

    recipe = Recipe(elevation=PRIORS[believed], steps=steps, batch=BATCH, width=WIDTH, blocks=1, average=0.9)
    torch.manual_seed(seed)
    train(
        seen, recipe, generator=torch.Generator().manual_seed(seed), loss=loss, check=check,
        looks=range(EVERY, steps + 1, EVERY), progress=show,
    )  # fmt: skip
    kept, other = torch.stack([both.mean(1) for _, both in looked_at]).unbind(1)
    tipped = 100 * (looked_at[-1][1][1] < looked_at[-1][1][0]).float().mean().item()
    if show:
        print(
            f"{whose} loss, cameras {cameras}: {kept[-1]:.0f} mm (a flat person: {flat:.0f}); "
            f"{tipped:.0f} % of the poses better mirrored"
        )
    return {
        "steps": [n for n, _ in looked_at], "kept": kept.tolist(), "mirrored": other.tolist(), "tipped": tipped,
        "flat": flat,
    }  # fmt: skip


def behaviour(run: dict[str, Any]) -> int:
    """What a training of `train_live` did, as the number of an answer in the lesson.

    0: every look found it on the right side; 1: at the end it was on neither; 2: it never changed a wrong side; 3: it
    was on the wrong side first, and came over.
    """
    ahead = np.array(run["mirrored"]) - np.array(run["kept"])  # above 0: better as it is
    decided = ahead[np.abs(ahead) > 20]
    if not len(decided) or abs(ahead[-1]) <= 20:
        return 1
    if ahead[-1] < 0:
        return 2
    return 3 if (decided < 0).any() else 0
