"""What lesson 07's trainings measured: `results.json`, read by the lesson.

    python -m tutorial_lib.lessons.geometry_aware.results PARTS

collects the finished parts of `experiment` into that file.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tutorial_lib.experiments import SeedResults, collect_command, collect_parts, read_json
from tutorial_lib.geometry_aware.learning import Row

FILE = Path(__file__).with_name("results.json")
KEPT = ("rate", "validation", "picture", "geometry", "heads", "errors", "seconds", "seconds_of_this_run")
"""What is taken over from a part."""

Test = Literal["test", "clothes"]
Metric = Literal["mpjpe", "p_mpjpe"]
Measure = Literal["first", "among_five", "chance", "same"]


class Results(SeedResults):
    """Retrieval, pictures and errors by row and training seed."""

    def retrieval(self, row: Row, how: Literal["turned", "raw"], measure: Measure = "first", test: Test = "test"):
        """(training seeds,) of retrieval between two cameras, latents brought into the world's frame or left alone."""
        return self.each(row, lambda part: part["geometry"][test][how][measure])

    def turned_minus_raw(self, row: Row, measure: Measure = "first", test: Test = "test") -> np.ndarray:
        """(training seeds,) what turning adds, paired by network."""
        return self.retrieval(row, "turned", measure, test) - self.retrieval(row, "raw", measure, test)

    def dressed(self, row: Row, measure: Measure = "first") -> np.ndarray:
        """(training seeds,) of retrieval of the same moment in other clothes that all wore in training."""
        return self.each(row, lambda part: part["geometry"]["dressed"][measure])

    def picture(self, row: Row, what: Literal["painted", "plate"] = "painted") -> np.ndarray:
        """(training seeds,) picture loss on test people, in thousandths of full brightness."""
        return self.each(row, lambda part: part["picture"][what])

    def head(self, row: Row, kind: str, groups: int, test: Test = "test", metric: Metric = "mpjpe") -> np.ndarray:
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

    def on_the_way(self, row: Row, what: Literal["painted", "turned", "raw"]) -> tuple[np.ndarray, np.ndarray]:
        """Steps (looks,) and values (training seeds, looks) on validation people."""
        looks = self.each(row, lambda part: [[step, seen[what]] for step, seen in part["validation"]])
        return looks[0, :, 0], looks[..., 1]


def _of(metric: Metric, test: Test) -> Callable[[Any], float]:
    """Reads this number from a part."""
    return lambda part: part["errors"][test][metric]


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
