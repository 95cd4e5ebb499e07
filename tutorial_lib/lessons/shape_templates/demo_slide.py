"""Live demos of lesson 03: the parts slide onto the people in a training, recorded or under way."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch

from tutorial_lib.display import stage
from tutorial_lib.display.live import Demo, choice, live, slider
from tutorial_lib.lessons.shape_templates.demo_by_hand import (
    LIMB_COLOURS,
    outlines,
)
from tutorial_lib.lessons.shape_templates.demo_trained import Trained, enlarge
from tutorial_lib.lessons.shape_templates.recipes import ROWS
from tutorial_lib.lessons.shape_templates.trainings import ALBUM
from tutorial_lib.metrics import distances
from tutorial_lib.templates import COVERED, keypoints, learning, parts
from tutorial_lib.templates.errors import PER_CENT
from tutorial_lib.templates.pairs import Pairs
from tutorial_lib.templates.warp import Pivot

NAMES = {
    "sky": "trunk", "orange": "head", "grey": "hips, shoulders", "blue": "arms, thighs", "green": "forearms, shins",
    "purple": "hands, feet",
}  # fmt: skip
"""Colour -> the parts that have it."""


def rings(affines: torch.Tensor, about: Pivot = "part", size: float = 1.6) -> list[dict]:
    """The parts' outlines as small dots in their colours: they move with the playback.

    Args:
        affines: (18, 2, 3), or (frames, 18, 2, 3).
        about: the point about which the parts turn.
        size: of a dot, in CSS pixels.
    """
    lines = outlines(affines, about)
    colours = [LIMB_COLOURS[name.split()[-1]] for name in parts.NAMES]
    sets = []
    for colour, name in NAMES.items():
        indices = [i for i, one in enumerate(colours) if one == colour]
        sets.append(stage.dots(name, lines[..., indices, :, :].flatten(-3, -2), colour=colour, size=size))
    return sets


@dataclass
class Recording:
    """What a regressor answered on the way, to the first test photos.

    Attributes:
        steps: of the training, so far.
        affines: of every such step (`ALBUM`, 18, 2, 3).
        about: the point about which its parts turn.
    """

    steps: list[int] = field(default_factory=list)
    affines: list[torch.Tensor] = field(default_factory=list)
    about: Pivot = "part"


def recordings(trained: Trained) -> dict[str, Recording]:
    """The recorded trainings by name: the shipped one and those that began elsewhere."""
    names = {
        "an adult who stands": "main", "the published infant": "begun in a T-pose",
        "half a width aside": "begun half beside", "beside the picture": "both, thrown out",
        "beside it, no fence": "no boundary, thrown out",
    }  # fmt: skip
    kept = trained.kept
    return {
        title: Recording(kept[f"{run}.album.steps"].tolist(), list(kept[f"{run}.album.affines"]), ROWS[run].about)
        for title, run in names.items()
        if f"{run}.album.steps" in kept
    }


def compute_slides(trained: Trained, takes: dict[str, Recording], begin: str, photo: int) -> dict[str, Any]:
    """One recording over one photo.

    Args:
        trained: whose test photos.
        takes: recordings by where they begin.
        begin: which of them.
        photo: index of the test photo, below `ALBUM`.

    Returns:
        "photo" (3, H, H); "affines" (moments, 18, 2, 3) and "about"; "found" (moments, 17, 2) and "truth" (17, 2);
        "steps" (moments,); "errors" (moments,) of this photo and "all errors" of all, in % of the width.
    """
    take = takes[begin]
    album, truth = torch.stack(take.affines), trained.tests.keypoints[0, :ALBUM]
    found = keypoints(album, take.about)
    wrong = PER_CENT * distances(found, truth.expand_as(found))[..., list(COVERED)].mean(-1)
    return {
        "photo": trained.tests.photos(0)[photo], "affines": album[:, photo], "about": take.about,
        "found": found[:, photo], "truth": truth[photo], "steps": np.array(take.steps),
        "errors": wrong[:, photo], "all errors": wrong.mean(-1),
    }  # fmt: skip


def view_slides(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """Parts and joints over the photo, moment by moment, and the errors that the training never sees."""
    steps, errors = arrays["steps"], arrays["errors"]
    top = 1.1 * float(max(errors.max(), arrays["all errors"].max()))
    return stage.panes(
        stage.image(
            picture=enlarge(arrays["photo"]), dots=rings(arrays["affines"], arrays["about"]),
            skeletons=[stage.skeleton2d("truth", arrays["truth"], width=2.0)], cross=None, margin=0.25,
            title="18 parts, and the true joints",
        ),
        stage.curve(
            [
                stage.series("this photo", steps, errors, colour="vermillion"),
                stage.series(f"all {ALBUM} photos", steps, arrays["all errors"], colour="blue", dash="dash"),
            ],
            x=stage.axis("steps of training", 0, max(int(steps[-1]), 1)),
            y=stage.axis("joint error (% of the width)", 0, top), now=steps,
        ),
        note=f"this photo: {errors[0]:.1f} % of the width at first, {errors[-1]:.1f} % at last",
        fps=5.0, height=290, plays="steps",
    )  # fmt: skip


def liveliest(trained: Trained) -> int:
    """The photo of the album on which the shipped training won most."""
    found, truth = keypoints(trained.kept["main.album.affines"][[0, -1]]), trained.tests.keypoints[0, :ALBUM]
    wrong = distances(found, truth.expand_as(found))[..., list(COVERED)].mean(-1)
    return int((wrong[0] - wrong[1]).argmax())


def slides_demo(
    trained: Trained, takes: dict[str, Recording], photo: int, title: str = "Watch the parts find the body"
) -> Demo:
    """Trainings, played.

    Args:
        trained: whose test photos.
        takes: recordings by where they begin.
        photo: shown at first.
        title: of the demo.
    """
    controls = {"begin": choice(list(takes), None, "begun with")} if len(takes) > 1 else {}
    controls["photo"] = slider(photo, 0, ALBUM - 1, 1, "test photo")
    compute = partial(compute_slides, trained, takes)
    if len(takes) == 1:
        compute = partial(compute, begin=next(iter(takes)))
    presets = {name: {"begin": name, "photo": photo} for name in takes} if len(takes) > 1 else {}
    return live(compute, view_slides, controls, presets=presets, title=title)


@dataclass
class Lesson:
    """A training that one can watch: `demo` shows where the parts are, also while `run` runs.

    Args:
        trained: its eye compares the photos, its test photos are watched; nothing of it is changed.
        pairs: photos to learn from.
        row: where it begins, and with which losses.
        photo: watched at first.
        seed: of the training.
    """

    trained: Trained
    pairs: Pairs
    row: learning.Row
    photo: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        size, width = self.trained.regressor.size, self.trained.regressor.width
        self.learner = learning.Learner(
            self.pairs, self.trained.eye, size=size, width=width, batch=8, seed=self.seed, blur=0.0, row=self.row
        )
        self.take = Recording(about=self.row.about)
        self._watch(0)
        self.demo = slides_demo(self.trained, {"": self.take}, self.photo, "A training, as it runs")

    def _watch(self, step: int) -> None:
        self.take.steps.append(step)
        photos = self.trained.tests.photos(0, slice(0, ALBUM))
        self.take.affines.append(learning.affines_of(self.learner.regressor, photos))

    def run(self, steps: int, every: int = 5, rate: float = 2e-3) -> list[float]:
        """Train, and draw every few steps: the loss of every step.

        Args:
            steps: how many.
            every: steps from one picture to the next.
            rate: the translator's, see `learning.train`.
        """

        def watch(step: int) -> None:
            if step and step % every == 0:
                self._watch(step)
                self.demo.set()

        values = learning.train(self.learner, steps, rate, "training", watch)
        self._watch(steps)
        self.demo.set()
        return values
