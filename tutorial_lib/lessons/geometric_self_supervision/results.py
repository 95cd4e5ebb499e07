"""What lesson 08's trainings measured: `results.json`, read by the lesson.

    python -m tutorial_lib.lessons.geometric_self_supervision.results PARTS

collects the finished parts of `experiment` into that file.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tutorial_lib.display.claims import is_above, plus_minus
from tutorial_lib.display.tables import markdown
from tutorial_lib.experiments import SeedResults, collect_command, collect_parts, read_json
from tutorial_lib.lessons.geometric_self_supervision.recipes import CRITIC, CYCLE, FULL, LABELS, PRIORS, ROWS

FILE = Path(__file__).with_name("results.json")
KEPT = ("rate", "cycle", "validation", "errors", "jitter", "strangers", "seconds_of_this_run")
"""What is taken over from a part."""

Place = Literal["new", "known"]
"""Motions of the test people: that nobody trained on, or that others did in the training."""


class Results(SeedResults):
    """Errors by row and training seed."""

    def values(self, name: str, metric: str = "p_mpjpe", place: Place = "new") -> np.ndarray:
        """(training seeds,) of a row.

        Args:
            name: of `recipes.ROWS`.
            metric: of `signs.BothSigns`, or "jitter" in mm.
            place: which test.
        """
        return self.each(name, _of(metric, place))

    def difference(self, name: str, other: str, metric: str = "p_mpjpe", place: Place = "new") -> np.ndarray:
        """(training seeds,) `name` minus `other`, paired by seed: the same 2D skeletons, the same tests."""
        return self.paired(name, other, _of(metric, place))

    def blind(
        self, what: Literal["flat", "mirrored truth", "mean"], place: Place = "new", metric: str = "p_mpjpe"
    ) -> float:
        """What one gets without looking; the mean pose has a P-MPJPE alone."""
        found = self.content["blind"][place][what]
        return found if what == "mean" else found[metric]

    def curve(self, name: str, metric: str = "p_mpjpe") -> tuple[np.ndarray, np.ndarray]:
        """(looks,) steps, and (training seeds, looks) on validation people."""
        looks = self.each(name, lambda part: [[step, said[metric]] for step, said in part["validation"]])
        return looks[0, :, 0].astype(int), looks[:, :, 1]

    def strangers(self) -> dict[str, np.ndarray]:
        """ "before" and "after": (training seeds,) how far strangers' joints lie from one's own, in mm."""
        return {
            when: self.each("adapted", lambda part, when=when: part["strangers"][when]) for when in ("before", "after")
        }


def _of(metric: str, place: Place) -> Callable[[Any], float]:
    """Reads this number from a part."""
    return lambda part: part["jitter"][place] if metric == "jitter" else part["errors"][place][metric]


def collect(folder: Path) -> dict[str, Any]:
    """The parts in a folder, by row and training seed; what was searched; who does not look.

    Raises:
        ValueError: a folder without parts, or with parts of several budgets.
    """
    made = collect_parts(folder, KEPT)
    return made | {"blind": read_json(folder / f"{made['budget']['name']}-blind.json")}


@cache
def measured() -> Results:
    """The file, read once."""
    return Results(read_json(FILE))


MAIN = (CYCLE, FULL, CRITIC, LABELS)
"""Rows of the main table."""


def main_table(found: Results, place: Place = "new") -> str:
    """Markdown: the rows of the lesson's main table between those who do not look, mean and half the 95 % interval."""
    rows = []
    for name in MAIN:
        cells = [plus_minus(found.values(name, metric, place)) for metric in ("p_mpjpe", "mirrored", "mpjpe", "tipped")]
        rows.append(
            [ROWS[name].title, str(len(found.seeds(name))), *cells, plus_minus(found.values(name, "depth", place), 2)]
        )
    for what, title in (("flat", "flat person"), ("mirrored truth", "the truth, mirrored")):
        cells = [f"{found.blind(what, place, metric):.1f}" for metric in ("p_mpjpe", "mirrored", "mpjpe", "tipped")]
        rows.append([f"*{title}*", "–", *cells, f"{found.blind(what, place, 'depth'):.2f}"])
    rows.append(["*mean pose, heading forgiven*", "–", f"{found.blind('mean', place):.1f}", "–", "–", "–", "–"])
    head = [
        "",
        "trainings",
        "P-MPJPE (mm)",
        "mirrored (mm)",
        "MPJPE (mm)",
        "better mirrored (%)",
        "correlation of depths",
    ]
    return markdown(head, rows, numbers=True)


def cycle_in_words(found: Results) -> str:
    """What more training does to the cycle alone, on validation people."""
    steps, values = found.curve(CYCLE)
    means = values.mean(0)
    best = int(means[1:].argmin()) + 1
    said = f"**The cycle alone** is best after {steps[best]:,d} steps, with {means[best]:.0f} mm"
    if is_above(values[:, -1] - values[:, best]):
        return (
            f"{said}, and ends with {means[-1]:.0f}: a young network cannot bend much, and agrees with itself by "
            "simple bodies; one that can bend finds others that come back as well and are wrong."
        )
    return f"{said}; at the end it has {means[-1]:.0f}."


def together_in_words(found: Results) -> str:
    """In how many trainings of all priors the poses ended on one side."""
    tipped = np.concatenate([found.values(name, "tipped") for name in (*PRIORS, "level-far")])
    same = int(((tipped <= 10) | (tipped >= 90)).sum())
    return f"In {same} of the {len(tipped)} trainings above at least nine of ten ended on the same side."


def sign_table(found: Results) -> str:
    """Markdown: for each prior of the camera, how many trainings ended on the wrong sign."""
    rows = []
    for name in (*PRIORS, "level-far"):
        tipped = found.values(name, "tipped")
        wrong = int((tipped > 50).sum())
        each = ", ".join(f"{value:.0f}" for value in tipped)
        rows.append([ROWS[name].title, f"{wrong} of {len(tipped)}", each, plus_minus(found.values(name))])
    return markdown(
        ["", "trainings on the wrong sign", "poses better mirrored (%), each training", "P-MPJPE (mm)"], rows
    )


def noise_table(found: Results) -> str:
    """Markdown: with and without the cycle, for detectors of several qualities."""
    rows = []
    for noise in ("", "-noise-1", "-noise-3"):
        cells = [plus_minus(found.values(name + noise)) for name in (FULL, CRITIC, LABELS)]
        added = plus_minus(found.difference(FULL + noise, CRITIC + noise))
        whole = plus_minus(found.difference(FULL + noise, CRITIC + noise, "mpjpe"))
        rows.append([noise[-1:] or "0", *cells, added, whole])
    head = ["noise", "cycle and critic", "critic alone", "with labels", "cycle adds (P-MPJPE)", "cycle adds (MPJPE)"]
    return markdown(head, rows, numbers=True)


def strangers_table(found: Results) -> str:
    """Markdown: few skeletons of one's own, with strangers' as they are and adapted, and many of one's own."""
    titles = {"few": "few of one's own", "raw": "and strangers' as they are", "adapted": "and strangers' adapted"}
    rows = [
        [title, plus_minus(found.values(name)), plus_minus(found.values(name, place="known"))]
        for name, title in (titles | {"prior-0": "many of one's own"}).items()
    ]
    return markdown(["2D skeletons", "new motions (mm)", "known motions (mm)"], rows, numbers=True)


def searched_table(found: Results) -> str:
    """Markdown: what was tried on validation people, and what was taken."""
    rows = []
    for kind, one in found.content["searched"].items():
        tried = {
            what: ", ".join(f"{v}: {e:.0f}" for v, e in values.items())
            for what, values in one["tried"].items()
            if len(values) > 1
        }
        rows.append(
            [ROWS[kind].title, f"{one['rate']:g}", tried.get("rate", "–"), f"{one['cycle']:g}", tried.get("cycle", "–")]
        )
    return markdown(["", "rate", "tried (mm)", "weight of the cycle", "tried (mm)"], rows)


if __name__ == "__main__":
    collect_command(__doc__, collect, FILE)
