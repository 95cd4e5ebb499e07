"""A live demo of lesson 03: the translator that cheats, if enough of the other photo passes beside the parts."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from tutorial_lib.display import stage
from tutorial_lib.display.claims import interval
from tutorial_lib.display.live import Demo, live, slider, steps
from tutorial_lib.lessons.shape_templates.demo_slide import rings
from tutorial_lib.lessons.shape_templates.demo_trained import Trained, enlarge, side_by_side
from tutorial_lib.lessons.shape_templates.recipes import LEAKS
from tutorial_lib.lessons.shape_templates.trainings import ALBUM

MEASURES: dict[str, tuple[str, str, stage.Dash]] = {
    "joint error (% of the width)": ("all", "vermillion", "solid"),
    "painting's error (% grey)": ("painted", "blue", "dash"),
    "what other parts change (% grey)": ("strange", "green", "dot"),
}
"""What the curves show -> its name in the results, colour and dash."""


def recorded(trained: Trained) -> list[str]:
    """The runs of `recipes.LEAKS` whose paintings were kept."""
    return [name for name in LEAKS if f"{name}.painted.both" in trained.kept]


def compute_leak(trained: Trained, runs: Mapping[str, Mapping[str, dict]], leak: str, photo: int) -> dict[str, Any]:
    """One photo, as the translator with this leak paints it: recorded when it was trained.

    Args:
        trained: the photos, and the recordings.
        runs: results by run and seed.
        leak: of `recipes.LEAKS`.
        photo: index of the test photo, below `ALBUM`.

    Returns:
        "photo", "other", "own" and "strange" (3, H, H), the last two painted from the parts of this photo and of the
        one before it; "affines" (18, 2, 3); "curves" by measure and leak: means over the trainings.
    """
    own, strange = trained.kept[f"{leak}.painted.both"][:, photo].float() / 255
    curves = {
        title: {name: interval([one[key] for one in runs[name].values()])[0] for name in recorded(trained)}
        for title, (key, *_) in MEASURES.items()
    }
    return {
        "photo": trained.tests.photos(0)[photo], "other": trained.tests.photos(1)[photo], "own": own,
        "strange": strange, "affines": trained.kept[f"{leak}.album.affines"][-1, photo], "curves": curves,
    }  # fmt: skip


def view_leak(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """Parts, both paintings, and the three measures by leak."""
    names = list(next(iter(arrays["curves"].values())))
    at = names.index(params["leak"])
    curves, top = arrays["curves"], 1.15 * max(max(values.values()) for values in arrays["curves"].values())
    return stage.panes(
        stage.image(
            picture=enlarge(arrays["photo"]), dots=rings(arrays["affines"], size=1.2), cross=None, title="photo 1"
        ),
        side_by_side("painted from its parts, from a stranger's", arrays["own"], arrays["strange"]),
        stage.curve(
            [
                stage.series(
                    title, range(len(names)), [*curves[title].values()], colour=colour, dash=dash, mode="line+markers"
                )
                for title, (_, colour, dash) in MEASURES.items()
            ],
            x=stage.axis(
                "cells a side of photo 2 that pass", -0.3, len(names) - 0.7,
                ticks={f"{LEAKS[name].leak}": i for i, name in enumerate(names)},
            ),
            y=stage.axis("%", 0, top), now=at, grab="what passes", weight=1.3,
        ),
        note="; ".join(f"{title.split(' (')[0]} {curves[title][params['leak']]:.1f} %" for title in MEASURES),
        height=245,
    )  # fmt: skip


def leak_demo(trained: Trained, runs: Mapping[str, Mapping[str, dict]], photo: int = 0) -> Demo:
    """How much may pass beside the parts?

    Args:
        trained: the photos, and the recordings.
        runs: results by run and seed.
        photo: shown at first.
    """
    names = recorded(trained)
    controls = {
        "leak": steps(
            [(f"{LEAKS[name].leak} x {LEAKS[name].leak}", name) for name in names], names[0], "photo 2 passes"
        ),
        "photo": slider(photo, 0, ALBUM - 1, 1, "test photo"),
    }
    presets = {
        "nothing passes (ours)": {"leak": names[0], "photo": photo},
        "all of it (nearly the paper's)": {"leak": names[-1], "photo": photo},
    }
    return live(
        partial(compute_leak, trained, runs), view_leak, controls, presets=presets, title="Who paints: the parts?",
        grabs={"what passes": lambda at, params: {"leak": names[min(max(round(at[0]), 0), len(names) - 1)]}},
        plays="leak",
    )  # fmt: skip
