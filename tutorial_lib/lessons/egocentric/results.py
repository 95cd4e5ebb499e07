"""What lesson 13's trainings measured: `results.json`, read by the lesson.

    python -m tutorial_lib.lessons.egocentric.results PARTS

collects the finished parts of `experiment` into that file.
"""

from collections.abc import Callable
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tutorial_lib.display.claims import plus_minus
from tutorial_lib.display.tables import markdown
from tutorial_lib.egocentric.depth import SceneKind
from tutorial_lib.egocentric.metrics import METRICS
from tutorial_lib.experiments import SeedResults, collect_command, collect_parts, read_json
from tutorial_lib.lessons.egocentric.recipes import ROWS, TESTS

FILE = Path(__file__).with_name("results.json")
KEPT = ("rate", "validation", "errors", "followed", "stood", "seconds_of_this_run")
"""What is taken over from a part."""

Test = Literal["floor", "step"]
Blind = Literal["mean pose", "truth at mean size", "truth 10 % too large"]

HEADS = {
    "mpjpe": "MPJPE (mm)",
    "p_mpjpe": "P-MPJPE (mm)",
    "ba_mpjpe": "BA-MPJPE (mm)",
    "feet": "feet (mm)",
    "foot_height": "foot height (mm)",
    "below": "ankles below (%)",
}

PAPER = {
    "the paper's own test set": (
        ("MPJPE", "P-MPJPE"),
        {"Mo²Cap²": (200.3, 121.2), "xR-egopose": (241.3, 133.9), "EgoPW": (189.6, 105.3), "ours": (118.5, 92.75)},
    ),
    "Wang et al.'s data set": (
        ("P-MPJPE", "BA-MPJPE"),
        {"Mo²Cap²": (102.3, 74.46), "xR-egopose": (112.0, 87.20), "EgoPW": (81.71, 64.87), "ours": (76.50, 61.92)},
    ),
    "Mo²Cap²'s test set": (
        ("P-MPJPE", "BA-MPJPE"),
        {"Mo²Cap²": (91.16, 70.75), "xR-egopose": (86.85, 66.54), "EgoPW": (83.17, 64.33), "ours": (79.65, 62.82)},
    ),
}
"""The paper's table as a seminar copied it; "ours" is the paper's method."""


class Results(SeedResults):
    """Errors by kind of scene and training seed."""

    def values(self, kind: SceneKind, metric: str = "mpjpe", test: Test = "floor") -> np.ndarray:
        """(training seeds,) of a row.

        Args:
            kind: of `recipes.ROWS`.
            metric: of `metrics.METRICS`, or "followed": mm by which ankles rise with a scene raised by 100 mm.
            test: which.
        """
        return self.each(kind, _of(metric, test))

    def difference(self, kind: SceneKind, other: SceneKind, metric: str = "mpjpe", test: Test = "floor") -> np.ndarray:
        """(training seeds,) `kind` minus `other`, paired by seed: the same samples and batches, the same tests."""
        return self.paired(kind, other, _of(metric, test))

    def change(self, kind: SceneKind, other: SceneKind, metric: str = "mpjpe", test: Test = "floor") -> np.ndarray:
        """(training seeds,) by how many per cent `kind` differs from `other`, paired by seed."""
        seeds = self.seeds(kind, other)
        one, two = (self.each(which, _of(metric, test), seeds) for which in (kind, other))
        return 100 * (one / two - 1)

    def stood(self, on: Literal["hole", "learned", "true"], metric: str = "feet", test: Test = "floor") -> np.ndarray:
        """(training seeds,) of "none", grown until a foot stands on that scene."""
        return self.each("none", lambda part: part["stood"][test][on][metric])

    def blind(self, who: Blind, metric: str = "mpjpe", test: Test = "floor") -> float:
        """What one gets without looking, or by knowing all but the size."""
        return self.content["blind"][test][who][metric]


def _of(metric: str, test: Test) -> Callable[[Any], float]:
    """Reads this number from a part."""
    return lambda part: part["followed"] if metric == "followed" else part["errors"][test][metric]


def collect(folder: Path) -> dict[str, Any]:
    """The parts in a folder, by row and training seed; what was searched; who does not look; how holes were filled.

    Raises:
        ValueError: a folder without parts, or with parts of several budgets.
    """
    made = collect_parts(folder, KEPT)
    name = made["budget"]["name"]
    return made | {
        "blind": read_json(folder / f"{name}-blind.json"),
        "filled": read_json(folder / f"{name}-fill.json")["depth_errors"],
    }


@cache
def measured() -> Results:
    """The file, read once."""
    return Results(read_json(FILE))


def main_table(found: Results, test: Test = "floor") -> str:
    """Markdown: every kind of scene between those who do not look, mean and half the 95 % interval."""
    rows = [
        [title, str(len(found.seeds(kind))), *(plus_minus(found.values(kind, metric, test)) for metric in METRICS)]
        for kind, title in ROWS.items()
    ]
    rows += [
        ["no scene, grown until it stands", str(len(found.seeds("none")))]
        + [plus_minus(found.stood("learned", metric, test)) for metric in METRICS]
    ]
    blind: tuple[Blind, ...] = ("mean pose", "truth at mean size", "truth 10 % too large")
    rows += [[f"*{who}*", "–", *(f"{found.blind(who, metric, test):.1f}" for metric in METRICS)] for who in blind]
    return markdown([TESTS[test], "trainings", *HEADS.values()], rows, numbers=True)


def floor_in_words(found: Results) -> str:
    """What being told of the floor is worth, by the numbers of `main_table`."""

    def both(kind: SceneKind) -> str:
        return " and ".join(f"{found.values(kind, metric).mean():.0f}" for metric in ("foot_height", "p_mpjpe"))

    return (
        "**Read down two columns, foot height and P-MPJPE (mm).** Without a scene "
        f"{both('none')}; with the hole alone {both('hole')}; with the true scene {both('true')}: the cards below say "
        "what of that is place and what shape. One number, growing until a foot stands, takes the feet's height to "
        f"{found.stood('learned', 'foot_height').mean():.0f}, without a network that knows scenes."
    )


def paper_table() -> str:
    """Markdown: the paper's three tests, as they stand."""
    methods = list(next(iter(PAPER.values()))[1])
    heads = [f"{test}: {metric}" for test, (metrics, _) in PAPER.items() for metric in metrics]
    rows = [[name, *(f"{value:g}" for _, table in PAPER.values() for value in table[name])] for name in methods]
    return markdown(["mm", *heads], rows, numbers=True)


def filled_table(found: Results) -> str:
    """Markdown: how far filled depth is from the truth, in the holes."""
    names = {"classical": "classical, no learning", "learned": "learned"}
    rows = [[title, *(f"{found.content['filled'][test][kind]:.0f}" for test in TESTS)] for kind, title in names.items()]
    return markdown(["depth in the hole, mm off", *TESTS.values()], rows, numbers=True)


def searched_table(found: Results) -> str:
    """Markdown: the rates that were tried on validation people; the best is every row's."""
    one = found.content["searched"]["all"]
    rows = [[f"**{rate}**" if float(rate) == one["rate"] else rate, f"{e:.1f}"] for rate, e in one["tried"].items()]
    return markdown(["rate of all rows", "MPJPE (mm)"], rows, numbers=True)


def halves_table(found: Results) -> str:
    """Markdown: would more training change a verdict? Differences on validation people at half time and at the end."""
    pairs: tuple[tuple[SceneKind, SceneKind, str], ...] = (
        ("learned", "none", "feet"), ("learned", "hole", "foot_height"), ("true", "hole", "foot_height"),
        ("body", "true", "mpjpe"),
    )  # fmt: skip
    rows = [
        [f"{ROWS[one]} − {ROWS[two]}", HEADS[metric], *map(plus_minus, found.halves(one, two, itemgetter(metric)))]
        for one, two, metric in pairs
    ]
    return markdown(["difference", "of", "after half the training", "at its end"], rows, numbers=True)


if __name__ == "__main__":
    collect_command(__doc__, collect, FILE)
