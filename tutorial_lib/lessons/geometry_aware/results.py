"""What lesson 07's trainings measured: `results.json`, read by the lesson.

    python -m tutorial_lib.lessons.geometry_aware.results PARTS

collects the finished parts of `experiment` into that file.
"""

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tutorial_lib.display.claims import plus_minus
from tutorial_lib.display.tables import markdown
from tutorial_lib.experiments import SeedResults, collect_command, collect_parts, read_json
from tutorial_lib.lessons.geometry_aware.recipes import GROUPS, LABELLED, LONGER, MODES, REPRESENTATIONS, TESTS

FILE = Path(__file__).with_name("results.json")
KEPT = ("rate", "validation", "picture", "geometry", "heads", "errors", "seconds", "seconds_of_this_run")
"""What is taken over from a part."""

BLIND = ("mean pose", "mean pose, heading given")
"""Who does not look."""

GONE_ON = {
    name: f"{REPRESENTATIONS[row]}; one goes on" + (" with more groups" if more else "")
    for name, (row, more) in LONGER.items()
}
"""What tables call `recipes.LONGER`."""

Test = Literal["test", "clothes"]
Metric = Literal["mpjpe", "p_mpjpe"]
Measure = Literal["first", "among_five", "chance", "same"]
How = Literal["turned", "raw", "turned-scaled", "raw-scaled"]
"""Latents in the world's frame or left in their cameras'; scaled: every number by its spread."""


class Results(SeedResults):
    """Retrieval, pictures and errors by row and training seed."""

    def retrieval(self, row: str, how: How, measure: Measure = "first", test: Test = "test") -> np.ndarray:
        """(training seeds,) of retrieval between two cameras."""
        return self.each(row, lambda part: part["geometry"][test][how][measure])

    def turned_minus_raw(self, row: str, measure: Measure = "first", test: Test = "test") -> np.ndarray:
        """(training seeds,) what turning adds, paired by network."""
        return self.retrieval(row, "turned", measure, test) - self.retrieval(row, "raw", measure, test)

    def dressed(self, row: str, measure: Measure = "first") -> np.ndarray:
        """(training seeds,) of retrieval of the same moment in other clothes that all wore in training."""
        return self.each(row, lambda part: part["geometry"]["dressed"][measure])

    def picture(self, row: str, what: Literal["painted", "plate"] = "painted") -> np.ndarray:
        """(training seeds,) picture loss on test people, in thousandths of full brightness."""
        return self.each(row, lambda part: part["picture"][what])

    def head(self, row: str, kind: str, groups: int, test: Test = "test", metric: Metric = "mpjpe") -> np.ndarray:
        """(training seeds,) error in mm of a head that was solved: "ridge", "equivariant" or "appearance"."""
        return self.each(row, lambda part: part["heads"][kind][str(groups)][test][metric])

    def values(self, mode: str, groups: int, test: Test = "test", metric: Metric = "mpjpe") -> np.ndarray:
        """(training seeds,) error in mm of what learned from labels.

        Args:
            mode: of `recipes.MODES`.
            groups: labelled, of `recipes.GROUPS`.
            test: which.
            metric: which.
        """
        return self.each(f"{mode}-{groups}", _of(metric, test))

    def difference(self, mode: str, other: str, groups: int, test: Test = "test") -> np.ndarray:
        """(training seeds,) MPJPE of `mode` minus that of `other`, paired by seed: the same labels."""
        return self.paired(f"{mode}-{groups}", f"{other}-{groups}", _of("mpjpe", test))

    def blind(self, who: str = "mean pose", metric: Metric = "mpjpe", test: Test = "test") -> float:
        """What one gets without looking, in mm."""
        return self.content["blind"][test][who][metric]

    def half_and_end(self, mode: str, groups: int) -> np.ndarray:
        """(training seeds, 2) validation error in mm, the best of the first half and the best of all."""

        def read(part: Any) -> list[float]:
            looks = part["validation"]
            half = [error for step, error in looks if step <= looks[-1][0] / 2]
            return [half[-1] if half else looks[0][1], looks[-1][1]]

        return self.each(f"{mode}-{groups}", read)

    def on_the_way(self, row: str, what: Literal["painted", "turned", "raw"]) -> tuple[np.ndarray, np.ndarray]:
        """Steps (looks,) and values (training seeds, looks) on validation people."""
        looks = self.each(row, lambda part: [[step, seen[what]] for step, seen in part["validation"]])
        return looks[0, :, 0], looks[..., 1]


def _of(metric: Metric, test: Test) -> Callable[[Any], float]:
    """Reads this number from a part."""
    return lambda part: part["errors"][test][metric]


def retrieval_table(found: Results, rows: Iterable[str] = (*REPRESENTATIONS, *LONGER)) -> str:
    """Markdown: how often a moment is found again, by training; mean and half the 95 % interval."""
    titles, hows = REPRESENTATIONS | GONE_ON, ("turned", "raw", "turned-scaled", "raw-scaled")
    cells = [
        [titles[row], str(len(found.seeds(row)))]
        + [plus_minus(100 * found.retrieval(row, how)) for how in hows]
        + [plus_minus(found.retrieval(row, how, "same"), 2) for how in hows[:2]]
        for row in rows
    ]
    chance = f"{100 * found.retrieval('ours', 'turned', 'chance').mean():.1f}"
    cells += [["*chance*", "–", *[chance] * len(hows), "1", "1"]]
    heads = ["training", "seeds", "found first (%): turned", "not turned", "turned, scaled", "not turned, scaled"]
    return markdown([*heads, "distance: turned", "not turned"], cells, numbers=True)


def _cell(found: Results, mode: str, count: int, test: Test, metric: Metric) -> str:
    """Mean and half the 95 % interval, or nothing where this was not trained."""
    return plus_minus(found.values(mode, count, test, metric)) if f"{mode}-{count}" in LABELLED else ""


def labels_table(found: Results, test: Test = "test", metric: Metric = "mpjpe") -> str:
    """Markdown: errors by number of labelled groups, all ways to learn, between those who do not look."""
    rows = [[title, *(_cell(found, mode, count, test, metric) for count in GROUPS)] for mode, title in MODES.items()]
    rows += [
        [f"{kind} head, solved", *(plus_minus(found.head("ours", kind, count, test, metric)) for count in GROUPS)]
        for kind in ("ridge", "equivariant")
    ]
    rows += [[f"*{who}*", *[f"{found.blind(who, metric, test):.0f}"] * len(GROUPS)] for who in BLIND]
    heads = [f"{TESTS[test]}, {metric.upper().replace('_', '-')} (mm)", *(f"{count} groups" for count in GROUPS)]
    return markdown(heads, rows, numbers=True)


def searched_table(found: Results) -> str:
    """Markdown: the rates that were tried on validation people; pictures by their loss, the others in mm."""
    rows, titles = [], {"pictures": "representations (‰)"} | {mode: f"{title} (mm)" for mode, title in MODES.items()}
    for kind, one in found.content["searched"].items():
        tried = (f"{rate}: {value:.1f}" for rate, value in one["tried"].items())
        rows.append([titles[kind], f"{one['rate']:g}", ", ".join(tried)])
    return markdown(["training", "chosen rate", "tried"], rows)


def flat_table(found: Results) -> str:
    """Markdown: would more training change a verdict? Validation errors at half time and at the end."""
    rows = []
    for mode in ("frozen", "scratch"):
        for count in GROUPS:
            half, end = found.half_and_end(mode, count).T
            rows.append(
                [f"{MODES[mode]}, {count} groups (mm)", plus_minus(half), plus_minus(end), plus_minus(end - half)]
            )
    for row, title in REPRESENTATIONS.items():
        for what, name in (("painted", "picture loss (‰)"), ("turned", "found first, turned (%)")):
            steps, values = found.on_the_way(row, what)
            values = values * (100 if what == "turned" else 1)
            half, end = values[:, len(steps) // 2 - 1], values[:, -1]
            rows.append([f"{title}, {name}", plus_minus(half), plus_minus(end), plus_minus(end - half)])
    for longer, (row, _) in LONGER.items():
        for what, name in (("painted", "picture loss (‰)"), ("turned", "found first, turned (%)")):
            before, end = (
                found.on_the_way(which, what)[1][0, -1] * (100 if what == "turned" else 1) for which in (row, longer)
            )
            rows.append([f"{GONE_ON[longer]}, {name}"] + [f"{x:.1f}" for x in (before, end, end - before)])
    return markdown(["on validation people", "half time", "end", "difference"], rows, numbers=True)


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


if __name__ == "__main__":
    collect_command(__doc__, collect, FILE)
