"""What lesson 09's trainings measured: `results.json`, read by the lesson.

    python -m tutorial_lib.lessons.characteristic_function.results PARTS

collects the finished parts of `experiment` into that file.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tutorial_lib.display.claims import plus_minus
from tutorial_lib.display.tables import markdown
from tutorial_lib.experiments import SeedResults, collect_command, collect_parts, read_json
from tutorial_lib.lessons.characteristic_function.recipes import BASE, GROUPS, ROWS

FILE = Path(__file__).with_name("results.json")
KEPT = ("rate", "gain", "balance", "norms", "validation", "test", "seconds_of_this_run")
"""What is taken over from a part."""

Group = Literal["near", "far", "behind", "all"]
Metric = Literal["pck10", "pck20", "lost", "median_px", "height"]
Maps = Literal["merged", "coarse", "fine"]

MAPS: dict[Maps, str] = {"coarse": "a quarter alone", "fine": "a half alone", "merged": "mean of both"}
"""What tables call the resolutions."""

COLUMNS: tuple[tuple[Group, Metric, str, int], ...] = (
    ("near", "pck10", "nearest: PCK@0.1 (%)", 1),
    ("far", "pck10", "farthest: PCK@0.1 (%)", 1),
    ("behind", "pck10", "behind others: PCK@0.1 (%)", 1),
    ("all", "pck20", "all: PCK@0.2 (%)", 1),
    ("near", "median_px", "nearest: median (px)", 2),
    ("far", "median_px", "farthest: median (px)", 2),
    ("all", "height", "height of peaks", 3),
)
"""Of the large table: whose joints, which error, its head, digits."""


class Results(SeedResults):
    """Errors by loss and training seed."""

    def values(self, row: str, metric: Metric = "pck10", group: Group = "all", maps: Maps = "merged") -> np.ndarray:
        """(training seeds,) of a row.

        Args:
            row: of `recipes.ROWS`, or `recipes.BASE`.
            metric: of `characteristic.metrics.judge`.
            group: whose joints.
            maps: which resolution.
        """
        return self.each(row, _of(metric, group, maps))

    def difference(self, row: str, other: str, metric: Metric = "pck10", group: Group = "all") -> np.ndarray:
        """(training seeds,) `row` minus `other`, paired by seed: the same start, the same batches, the same test."""
        return self.paired(row, other, _of(metric, group, "merged"))

    def grouping(self, row: str, what: Literal["kept", "lot", "groups"] = "kept") -> np.ndarray:
        """(training seeds,) of `characteristic.metrics.grouped`."""
        return self.each(row, lambda part: part["test"]["grouped"][what])

    def blind(self, who: str, metric: Metric = "pck10", group: Group = "all") -> float:
        """What one gets without looking."""
        return self.content["blind"][who][group][metric]


def _of(metric: Metric, group: Group, maps: Maps) -> Callable[[Any], float]:
    """Reads this number from a part."""
    return lambda part: part["test"][maps][group][metric]


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


def main_table(found: Results) -> str:
    """Markdown: every loss between where it started and those who do not look, mean and half the 95 % interval."""
    rows = [
        [
            title,
            str(len(found.seeds(row))),
            *(plus_minus(found.values(row, m, g), digits) for g, m, _, digits in COLUMNS),
        ]
        for row, title in ({BASE: "the start, before"} | ROWS).items()
    ]
    for who in found.content["blind"]:
        said = [
            "–" if metric == "height" else f"{found.blind(who, metric, group):.{digits}f}"
            for group, metric, _, digits in COLUMNS
        ]
        rows.append([f"*{who}*", "–", *said])
    return markdown(["going on with", "trainings", *(head for _, _, head, _ in COLUMNS)], rows, numbers=True)


def maps_table(found: Results, row: str = "l2") -> str:
    """Markdown: what each resolution is worth by itself, in one row."""
    groups: tuple[Group, ...] = ("near", "far", "behind")
    rows = [
        [title, *(plus_minus(found.values(row, "pck10", group, maps)) for group in groups),
         *(plus_minus(found.values(row, "median_px", group, maps), 2) for group in groups[:2])]
        for maps, title in MAPS.items()
    ]  # fmt: skip
    heads = [f"{GROUPS[group]}: PCK@0.1 (%)" for group in groups] + ["nearest: median (px)", "farthest: median (px)"]
    return markdown(["maps at", *heads], rows, numbers=True)


def grouping_table(found: Results) -> str:
    """Markdown: whose a joint is, by tags, asked of joints whose peak is right."""
    rows = [
        [title, plus_minus(found.grouping(row)), plus_minus(found.grouping(row, "lot")),
         plus_minus(found.grouping(row, "groups"), 2)]
        for row, title in ({BASE: "the start, before"} | ROWS).items()
    ]  # fmt: skip
    return markdown(["", "in the right group (%)", "*handed out by lot* (%)", "groups a person"], rows, numbers=True)


def searched_table(found: Results) -> str:
    """Markdown: the rates and gains that were tried on validation people; the chosen ones are bold."""
    one = found.content["searched"]["all"]
    rows = []
    for title, tried, chosen in (
        ("rate of all, by L2", one["tried"], one["rate"]),
        ("gain of CF beside L2", {"0": one["tried"][f"{one['rate']:g}"]} | one["gains"], one["gain"]),
    ):  # fmt: skip
        rows += [
            [title, f"**{value}**" if float(value) == chosen else value, f"{error:.2f}"]
            for value, error in tried.items()
        ]
    return markdown(["searched", "tried", "lost (% of the own size)"], rows, numbers=True)


def halves_table(found: Results) -> str:
    """Markdown: would more training change a verdict? Differences on validation people at half time and at the end."""
    pairs: tuple[tuple[str, Group, Metric, str], ...] = (
        ("mix", "near", "pck10", "nearest: PCK@0.1 (%)"), ("mix", "far", "pck10", "farthest: PCK@0.1 (%)"),
        ("mix", "all", "median_px", "all: median (px)"), ("cf", "near", "pck10", "nearest: PCK@0.1 (%)"),
        ("cf", "far", "pck10", "farthest: PCK@0.1 (%)"),
    )  # fmt: skip
    rows = [
        [f"{ROWS[row]} − L2", head,
         *(plus_minus(v, 2) for v in found.halves(row, "l2", lambda said, g=group, m=metric: said[g][m]))]
        for row, group, metric, head in pairs
    ]  # fmt: skip
    return markdown(["difference", "of", "after half the steps", "at the end"], rows, numbers=True)


def flat_table(found: Results) -> str:
    """Markdown: how the start was reached, and whether it was flat there: validation people."""
    looks = [[int(step) for step, _ in part["validation"]] for part in found.content["rows"][BASE].values()][0]
    groups: tuple[Group, ...] = ("near", "far", "all")

    def said(look: int, group: Group) -> str:
        return plus_minus(found.each(BASE, lambda part: part["validation"][look][1][group]["pck10"]))

    rows = [[f"after {step} steps", *(said(i, group) for group in groups)] for i, step in enumerate(looks)]
    return markdown(["L2 from lesson 01's network", "nearest: PCK@0.1", "farthest: PCK@0.1", "all"], rows, numbers=True)


if __name__ == "__main__":
    collect_command(__doc__, collect, FILE)
