"""What lesson 12's trainings measured: `results.json`, read by the lesson.

    python -m tutorial_lib.lessons.low_light.results PARTS

collects the finished parts of `experiment` into that file.
"""

from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tutorial_lib.display.claims import plus_minus
from tutorial_lib.display.tables import markdown
from tutorial_lib.experiments import SeedResults, collect_command, collect_parts, read_json
from tutorial_lib.lessons.low_light.recipes import ROWS, Row
from tutorial_lib.low_light import LEVELS

FILE = Path(__file__).with_name("results.json")
KEPT = ("validation", "errors", "curve", "seconds_of_this_run")
"""What is taken over from a part."""

Test = Literal["N", "H", "E", "WL", "night"]
"""A level of darkness, daylight, or the mean of the three levels."""

NAMES: dict[str, str] = {
    "N": "LL-N", "H": "LL-H", "E": "LL-E", "night": "night, mean", "WL": "day (WL)",
}  # fmt: skip
"""What tables call the tests: normal, hard and extreme darkness."""

PAPER: dict[str, tuple[float, ...]] = {
    "low-light only": (32.6, 25.1, 13.8, 24.6, 1.6),
    "well-lit only": (23.5, 7.5, 1.1, 11.5, 68.8),
    "all": (33.8, 25.4, 14.3, 25.4, 57.9),
    "LLFlow + all": (35.2, 20.1, 8.3, 22.1, 65.1),
    "LIME + all": (38.3, 25.6, 12.5, 26.6, 63.0),
    "DANN": (34.9, 24.9, 13.3, 25.4, 58.6),
    "AdvEnt": (35.6, 23.5, 8.8, 23.8, 62.4),
    "ours": (42.3, 34.0, 18.6, 32.7, 68.5),
}
"""The paper's table as a seminar copied it: AP on LL-N, LL-H, LL-E, all three, WL; "ours" is the paper's method."""


class Results(SeedResults):
    """Errors by row, training seed, and test."""

    def values(self, row: Row, test: Test = "night", metric: Literal["pck", "px"] = "pck") -> np.ndarray:
        """(training seeds,) of a row; of "well", which was not trained here, the same number for every seed.

        Args:
            row: of `recipes.ROWS`.
            test: which.
            metric: "pck" in per cent, or "px", the mean error in pixels.
        """
        if row == "well":
            return np.full(len(self.seeds("dark")), _of(self.content["well"]["errors"], test, metric))
        return self.each(row, lambda part: _of(part["errors"], test, metric))

    def difference(self, row: Row, other: Row, test: Test = "night") -> np.ndarray:
        """(training seeds,) points of PCK by which `row` is ahead of `other`, paired by seed: the same batches."""
        return self.paired(row, other, lambda part: _of(part["errors"], test, "pck"))

    def blind(self, metric: Literal["pck", "px"] = "pck") -> float:
        """Who does not look."""
        return self.content["well"]["blind"][metric]

    def curve(self, row: Row) -> list[float]:
        """PCK in per cent over `recipes.EXPOSURES`, of training seed 0."""
        return self.content["well"]["curve"] if row == "well" else self.content["rows"][row]["0"]["curve"]


def _of(errors: Any, test: str, metric: str) -> float:
    levels = tuple(LEVELS) if test == "night" else (test,)
    return sum(errors[level][metric] for level in levels) / len(levels)


def collect(folder: Path) -> dict[str, Any]:
    """The parts in a folder, by row and training seed; what was searched; the network that nobody trained here.

    Raises:
        ValueError: a folder without parts, or with parts of several budgets.
    """
    made = collect_parts(folder, KEPT)
    return made | {"well": read_json(folder / f"{made['budget']['name']}-well.json")}


@cache
def measured() -> Results:
    """The file, read once."""
    return Results(read_json(FILE))


def main_table(found: Results) -> str:
    """Markdown: PCK of every row, mean and half the 95 % interval over trainings, and of who does not look."""
    rows = [[title, *_cells(found, row)] for row, title in ROWS.items()]
    seen = found.content["well"]["enhanced"]
    rows.insert(1, ["the same, through LIME", "1", *(f"{_of(seen, test, 'pck'):.1f}" for test in NAMES)])
    rows.append(["*mean pose, blind*", "–", *[f"{found.blind():.1f}"] * len(NAMES)])
    return markdown(["PCK (%)", "trainings", *NAMES.values()], rows, numbers=True)


def _cells(found: Results, row: Row) -> list[str]:
    if row == "well":
        return ["1", *(f"{found.values(row, test)[0]:.1f}" for test in NAMES)]  # ty: ignore[invalid-argument-type]
    values = [found.values(row, test) for test in NAMES]  # ty: ignore[invalid-argument-type]
    return [str(len(found.seeds(row))), *map(plus_minus, values)]


def paper_table() -> str:
    """Markdown: the paper's table."""
    rows = [[name, *(f"{value:g}" for value in values)] for name, values in PAPER.items()]
    return markdown(["AP", *(f"LL-{level}" for level in "NHEA"), "WL"], rows, numbers=True)


def searched_table(found: Results) -> str:
    """Markdown: what was tried on validation people: PCK, half of it night and half day."""
    one = found.content["searched"]["all"]
    names = {"rate": "rate of all rows", "lupi": "weight of LUPI", "dann": "strength of DANN"}
    rows = [
        [names[name], f"{one[name]:g}", ", ".join(f"{value}: {pck:.1f}" for value, pck in tried.items()) or "–"]
        for name, tried in one["tried"].items()
    ]
    return markdown(["", "chosen", "tried (PCK, %)"], rows)


def halves_table(found: Results) -> str:
    """Markdown: would more training change a verdict? Differences on validation people at half time and at the end."""
    pairs: tuple[tuple[Row, Row, Test], ...] = (
        ("all", "dark", "night"), ("all", "dark", "WL"), ("lsbn", "all", "night"), ("lsbn", "all", "WL"),
        ("ours", "lsbn", "night"), ("ours", "lsbn", "WL"), ("enhanced", "all", "night"),
    )  # fmt: skip
    rows = [
        [f"{ROWS[one]} − {ROWS[two]}", NAMES[test]]
        + [plus_minus(half) for half in found.halves(one, two, lambda looked, test=test: _of(looked, test, "pck"))]
        for one, two, test in pairs
    ]
    return markdown(["difference (points of PCK)", "at", "after half the training", "at its end"], rows, numbers=True)


if __name__ == "__main__":
    collect_command(__doc__, collect, FILE)
