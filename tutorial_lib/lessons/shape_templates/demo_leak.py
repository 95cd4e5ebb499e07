"""A live demo of lesson 03: the translator that cheats, if enough of the other photo passes beside the parts."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from tutorial_lib.display import stage
from tutorial_lib.display.claims import interval
from tutorial_lib.display.live import Demo, choice, live, slider, steps
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


OTHERS = {"photo 2, another moment": False, "photo 1 itself": True}
"""Which photo may pass -> whether it is the one that is to be painted."""


def recorded(trained: Trained, same: bool) -> list[str]:
    """The runs of `recipes.LEAKS` whose paintings were kept, from nothing to all."""
    return [name for name, row in LEAKS.items() if row.same == same and f"{name}.painted.both" in trained.kept]


def curves(trained: Trained, runs: Mapping[str, Mapping[str, dict]], same: bool) -> dict[str, dict[str, float]]:
    """Measure -> run -> mean over the trainings, of one of `OTHERS`."""
    return {
        title: {name: interval([one[key] for one in runs[name].values()])[0] for name in recorded(trained, same)}
        for title, (key, *_) in MEASURES.items()
    }


def compute_leak(
    trained: Trained, drawn: Mapping[str, dict[str, dict[str, float]]], other: str, leak: int, photo: int
) -> dict[str, Any]:
    """One photo, as the translator with this leak paints it: recorded when it was trained.

    Args:
        trained: the photos, and the recordings.
        drawn: the `curves` of each of `OTHERS`.
        other: of `OTHERS`.
        leak: how many cells a side of it pass.
        photo: index of the test photo, below `ALBUM`.

    Returns:
        "photo", "own" and "strange" (3, H, H), the last two painted from the parts of this photo and of the
        one before it; "affines" (18, 2, 3); "curves" of this other photo and "top", the largest value of all curves.
    """
    same = OTHERS[other]
    name = next(name for name in recorded(trained, same) if LEAKS[name].leak == leak)
    own, strange = trained.kept[f"{name}.painted.both"][:, photo].float() / 255
    return {
        "photo": trained.tests.photos(0)[photo], "own": own, "strange": strange,
        "affines": trained.kept[f"{name}.album.affines"][-1, photo], "name": name,
        "curves": drawn[other], "top": max(max(one.values()) for both in drawn.values() for one in both.values()),
    }  # fmt: skip


def view_leak(arrays: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """Parts, both paintings, and the three measures by leak."""
    names = list(next(iter(arrays["curves"].values())))
    at, drawn = names.index(arrays["name"]), arrays["curves"]
    return stage.panes(
        stage.image(
            picture=enlarge(arrays["photo"]), dots=rings(arrays["affines"], size=1.2), cross=None, title="photo 1"
        ),
        side_by_side("painted from its parts, from a stranger's", arrays["own"], arrays["strange"]),
        stage.curve(
            [
                stage.series(
                    title, range(len(names)), [*drawn[title].values()], colour=colour, dash=dash, mode="line+markers"
                )
                for title, (_, colour, dash) in MEASURES.items()
            ],
            x=stage.axis(
                f"cells a side of {params['other'][:7]} that pass", -0.3, len(names) - 0.7,
                ticks={f"{LEAKS[name].leak}": i for i, name in enumerate(names)},
            ),
            y=stage.axis("%", 0, 1.15 * arrays["top"]), now=at, grab="what passes", weight=1.3,
        ),
        note="; ".join(f"{title.split(' (')[0]} {drawn[title][arrays['name']]:.1f} %" for title in MEASURES),
        height=225,
    )  # fmt: skip


def leak_demo(trained: Trained, runs: Mapping[str, Mapping[str, dict]], photo: int = 0) -> Demo:
    """How much may pass beside the parts?

    Args:
        trained: the photos, and the recordings.
        runs: results by run and seed.
        photo: shown at first.
    """
    drawn = {other: curves(trained, runs, same) for other, same in OTHERS.items() if recorded(trained, same)}
    others = [*drawn]
    cells = [LEAKS[name].leak for name in recorded(trained, OTHERS[others[0]])]
    controls = {
        "other": choice(others, others[0], "what may pass"),
        "leak": steps([(f"{side} x {side}", side) for side in cells], cells[0], "cells that pass"),
        "photo": slider(photo, 0, ALBUM - 1, 1, "test photo"),
    }
    presets = {
        "nothing passes (ours)": {"other": others[0], "leak": cells[0], "photo": photo},
        "all of photo 2 (nearly the paper's)": {"other": others[0], "leak": cells[-1], "photo": photo},
        "all of photo 1": {"other": others[-1], "leak": cells[-1], "photo": photo},
    }
    return live(
        partial(compute_leak, trained, drawn), view_leak, controls, presets=presets, title="Who paints: the parts?",
        grabs={"what passes": lambda at, params: {"leak": cells[min(max(round(at[0]), 0), len(cells) - 1)]}},
        plays="leak",
    )  # fmt: skip
