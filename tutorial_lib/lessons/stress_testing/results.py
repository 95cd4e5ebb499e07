"""What lesson 11's experiment measured: `results.json`, read by the lesson.

    python -m tutorial_lib.lessons.stress_testing.results PARTS

collects the finished parts of `experiment` into that file.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tutorial_lib.display.claims import is_above, is_below, plus_minus
from tutorial_lib.display.tables import markdown
from tutorial_lib.experiments import SeedResults, collect_command, collect_parts, read_json
from tutorial_lib.lessons.stress_testing.recipes import ARMS, COMMON, OWN, RARE, ROWS, THRESHOLD, VICTIMS, row
from tutorial_lib.lessons.stress_testing.world import PLACES
from tutorial_lib.stress_testing import AXES, METHODS

FILE = Path(__file__).with_name("results.json")
KEPT = ("rate", "exam", "loops", "hunts", "unusual", "validation", "seconds_of_this_run")
"""What is taken over from a part."""

UNITS = {
    "success": "success rate (%)",
    "size": "size",
    "inside": "failing inside (%)",
    "regions": "different regions",
    "centres": "error at centres (mm)",
    "worst": "worst question (mm)",
    "failing": "random poses that fail (%)",
    "p99.9": "99.9th percentile (mm)",
    "mean": "random poses (mm)",
}
"""Measures of an examination, as tables call them."""

ROBUSTNESS = ("success", "size", "regions", "failing", "p99.9")
"""What a table of lifters before and after shows of the simulator."""

DIGITS = {"size": 2, "failing": 3}

PAPER = {
    "SPIN": ((95.0, 5.417, 94.11, 108.09, 133.65), (76.6, 3.964, 88.66, 98.88, 120.98)),
    "HMR-EFT": ((84.1, 4.675, 85.23, 98.55, 122.19), (63.6, 3.429, 80.41, 88.53, 112.78)),
    "PARE": ((75.3, 3.948, 81.81, 99.15, 117.45), (48.4, 2.953, 77.46, 87.44, 109.82)),
}
"""Table 4 of Liu et al. 2023: network -> `PAPER_COLUMNS` before, and fine-tuned on what PoseExaminer found."""
PAPER_COLUMNS = {"success (%)": 1, "size": 3, "3DPW (mm)": 2, "cAIST (mm)": 2, "cAIST-EXT (mm)": 2}
"""Columns of the paper's table, and their decimals."""


class Results(SeedResults):
    """Measures by part and seed."""

    def values(self, name: str, metric: str) -> np.ndarray:
        """(seeds,) of an examination.

        Args:
            name: of `recipes.ROWS`.
            metric: of `UNITS`, or one of the world's places, in mm.
        """
        return self.each(name, lambda part: part["exam"][metric])

    def hunt(self, victim: str, method: str, metric: str) -> np.ndarray:
        """(seeds,) of a search; "so far" is (seeds, moves)."""
        return self.each(victim, lambda part: part["hunts"][method][metric])

    def difference(self, name: str, other: str, metric: str) -> np.ndarray:
        """(seeds,) `name` minus `other`, paired by seed: the same first training, the same tests."""
        return self.paired(name, other, lambda part: part["exam"][metric])

    def loops(self, name: str, other: str, metric: str) -> np.ndarray:
        """(rounds, seeds) the paired difference of two arms after every round."""
        return self.paired(name, other, lambda part: [exam[metric] for exam in part["loops"]]).T

    def unusual(self, victim: str) -> np.ndarray:
        """(seeds,) how much worse people of unusual build are, in mm: the same poses and cameras."""
        return self.each(victim, lambda part: part["unusual"]["unusual build"] - part["unusual"]["mean build"])

    def has(self, place: str) -> bool:
        """Whether this test was made: real actors need the optional motion capture."""
        return all(place in part["exam"] for parts in self.content["rows"].values() for part in parts.values())

    def curve(self, victim: str) -> tuple[np.ndarray, np.ndarray]:
        """(looks,) steps and (seeds, looks) validation error in mm of the first training."""
        looks = self.each(victim, lambda part: part["validation"])
        return looks[0, :, 0].astype(int), looks[:, :, 1]


def collect(folder: Path) -> dict[str, Any]:
    """The parts in a folder, by name and seed, and what was searched.

    Raises:
        ValueError: a folder without parts, or with parts of several budgets.
    """
    return collect_parts(folder, KEPT)


@cache
def measured() -> Results:
    """The file, read once."""
    return Results(read_json(FILE))


def cell(values: np.ndarray, metric: str) -> str:
    """Mean and half the interval, with the measure's digits; of one and the same lifter the value alone."""
    digits = DIGITS.get(metric, 1)
    return f"{values[0]:.{digits}f}" if (values == values[0]).all() and len(values) > 1 else plus_minus(values, digits)


def hunts_table(found: Results, victims: Sequence[str] = tuple(VICTIMS)) -> str:
    """Markdown: every method of search on every lifter, as many questions each."""
    metrics = ("worst", "centres", "success", "size", "inside", "regions")
    rows = [
        [f"{VICTIMS[victim]}: {method}", *(cell(found.hunt(victim, method, metric), metric) for metric in metrics)]
        for victim in victims
        for method in METHODS
    ]
    return markdown(["", *(UNITS[metric] for metric in metrics)], rows, numbers=True)


def arms_table(found: Results, victim: str, people: bool = False) -> str:
    """Markdown: a lifter before and after training on everything that is compared.

    Args:
        found: what was measured.
        victim: one of `recipes.OWN`.
        people: errors on people whom nobody trained on, instead of what the simulator shows.
    """
    metrics = [place for place in PLACES if found.has(place)] if people else ROBUSTNESS
    titles = {"": "before"} | ARMS
    rows = [
        [title, *(cell(found.values(row(victim, arm), metric), metric) for metric in metrics)]
        for arm, title in titles.items()
    ]
    heads = [UNITS.get(metric) or f"{PLACES[metric]} (mm)" for metric in metrics]
    return markdown([VICTIMS[victim], *heads], rows, numbers=True)


def ends_table(found: Results) -> str:
    """Markdown: of what was trained on, how many sliders stand at an end, and the size of regions afterwards."""
    arms = [arm for arm in ARMS if arm != "replay"]
    rows = [
        [ARMS[arm], *(cell(found.values(row(victim, arm), key), key) for victim in OWN for key in ("ends", "size"))]
        for arm in arms
    ]
    heads = [f"{VICTIMS[victim]}: {said}" for victim in OWN for said in (f"of {len(AXES)} sliders at an end", "size")]
    return markdown(["trained", *heads], rows, numbers=True)


def why_in_words(found: Results) -> str:
    """What `ends_table` says of the two explanations."""
    said = []
    for victim in OWN:
        boxes = found.difference(row(victim, "asked"), row(victim, "found"), "size")
        ends, size = gap(found, victim, "mined", "ends"), gap(found, victim, "mined", "size")
        blamed = {True: "are part of it", False: "are not to blame", None: "are not shown to be to blame"}
        fit = "fit" if is_above(ends) and is_above(size) else "do not explain it"
        said.append(
            f"*{VICTIMS[victim].capitalize()}*: training on what agents asked instead of what they found changes the "
            f"size by {plus_minus(boxes, 2)}: the boxes {blamed[is_below(boxes)]}. Their finds have {plus_minus(ends)} "
            f"more sliders at an end than the worst of random, and leave regions larger by {plus_minus(size, 2)}: the "
            f"corners {fit}."
        )
    return "\n\n".join(said) + "\n\nCorners are not all: random poses have the fewest sliders at an end."


def _questions(found: Results) -> int:
    """Of all agents in one move."""
    return found.content["budget"]["agents"] * found.content["budget"]["samples"]


def first(found: Results, victim: str, method: str) -> np.ndarray:
    """(seeds,) after how many questions the worst so far passes `THRESHOLD`; infinite where it never does."""
    passed = found.hunt(victim, method, "so far") > THRESHOLD
    return np.where(passed.any(1), _questions(found) * (1.0 + passed.argmax(1)), np.inf)


def first_in_words(found: Results) -> str:
    """Who finds the first failure, and after how many questions."""

    def said(victim: str, method: str) -> str:
        times = first(found, victim, method)
        passed = int((times < np.inf).sum())
        if passed < len(times):
            return f"{method} in {passed} of {len(times)} lifters only"
        return f"{method} after {np.median(times):,.0f}"

    each = (f"*{VICTIMS[victim].capitalize()}*: " + ", ".join(said(victim, m) for m in METHODS) for victim in OWN)
    asked = found.hunt(RARE, "random", "so far").shape[1] * _questions(found)
    return (
        f"**Who finds the first failure?** Of {asked:,} questions, the worst so far (mean of all searches) passes "
        f"{THRESHOLD:.0f} mm after so many, the median over lifters: " + ". ".join(each) + "."
    )


def answer_in_words(found: Results) -> str:
    """The lesson's question, answered by what was measured."""
    titles = {"": "nothing more"} | ARMS
    sizes = {arm: float(found.values(row(RARE, arm), "size").mean()) for arm in titles}
    finder = max(METHODS, key=lambda method: found.hunt(RARE, method, "worst").mean())
    ranked = sorted(sizes, key=sizes.__getitem__)
    return (
        f"**In short.** Where failures are rare, the worst question is {finder}'s. And the best teacher? New agents' "
        "regions have the size " + ", ".join(f"{sizes[arm]:.2f} {titles[arm]}" for arm in ranked) + "."
    )


def loops_table(found: Results) -> str:
    """Markdown: does another round change what is claimed? Paired differences after every round."""
    compared = {
        "found minus random, size": ("found", "random", "size"),
        "found minus worst of random, size": ("found", "mined", "size"),
        "found minus replay, size": ("found", "replay", "size"),
        "found minus replay, known motions (mm)": ("found", "replay", "known"),
        "found minus random, from above (mm)": ("found", "random", "above"),
    }
    rows = []
    for victim in OWN:
        for title, (one, other, metric) in compared.items():
            after = found.loops(row(victim, one), row(victim, other), metric)
            rows.append([f"{VICTIMS[victim]}: {title}", *(plus_minus(values, 2) for values in after)])
    heads = [f"round {number + 1}" for number in range(len(rows[0]) - 1)]
    return markdown(["", *heads], rows, numbers=True)


def searched_table(found: Results) -> str:
    """Markdown: the rates that were tried on validation people, and what was taken."""
    rows = []
    for name, one in found.content["searched"].items():
        tried = ", ".join(f"{rate}: {error:.0f}" for rate, error in one["tried"].items())
        rows.append([ROWS[name], f"{one['rate']:g}", tried or "–"])
    return markdown(["", "rate", "tried (mm)"], rows)


def paper_table() -> str:
    """Markdown: the paper's table of robustness."""
    rows = [
        [title, *(f"{value:.{digits}f}" for value, digits in zip(numbers, PAPER_COLUMNS.values()))]
        for name, (before, after) in PAPER.items()
        for title, numbers in ((name, before), (f"{name}, fine-tuned", after))
    ]
    return markdown(["", *PAPER_COLUMNS], rows, numbers=True)


def paper_changes(column: str) -> dict[str, float]:
    """Network -> after minus before in the paper's table."""
    at, digits = list(PAPER_COLUMNS).index(column), PAPER_COLUMNS[column]
    return {name: round(after[at] - before[at], digits) for name, (before, after) in PAPER.items()}


def paper_source(column: str) -> str:
    """Where a card's figure stands, with the changes of all three networks."""
    changes = (f"{name} {change:+.{PAPER_COLUMNS[column]}f}" for name, change in paper_changes(column).items())
    return f"Liu et al. 2023, table 4, {column}: " + ", ".join(changes)


def gap(found: Results, victim: str, arm: str, metric: str) -> np.ndarray:
    """(seeds,) after training on what agents found, minus an arm, or minus before if the arm is ""."""
    return found.difference(row(victim, "found"), row(victim, arm), metric)


def rarity(found: Results) -> dict[str, float]:
    """Per cent of random poses that fail before any fine-tuning, mean over seeds."""
    return {victim: float(found.values(victim, "failing").mean()) for victim in (RARE, COMMON)}


if __name__ == "__main__":
    collect_command(__doc__, collect, FILE)
