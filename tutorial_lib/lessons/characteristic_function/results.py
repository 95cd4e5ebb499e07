"""What lesson 09's trainings measured: `results.json`, read by the lesson.

    python -m tutorial_lib.lessons.characteristic_function.results PARTS

collects the finished parts of `experiment` into that file.
"""

from functools import cache
from pathlib import Path
from typing import Any

from tutorial_lib.experiments import SeedResults, collect_command, collect_parts, read_json

FILE = Path(__file__).with_name("results.json")
KEPT = ("rate", "gain", "balance", "norms", "validation", "test", "seconds_of_this_run")
"""What is taken over from a part."""


class Results(SeedResults):
    """Errors by loss and training seed."""


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
