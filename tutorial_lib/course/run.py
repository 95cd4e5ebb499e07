"""Runs lessons with papermill, as a class or CI would, and says what each took: `make notebooks`.

    python -m tutorial_lib.course.run [lesson ...] [--parameters PROFILE=full MOTION=my.bvh] [--out FOLDER]

The executed copies and the claims they measured land in `build/`; the committed notebooks stay as they are.
"""

import argparse
import json
import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import papermill
import psutil
from papermill.exceptions import PapermillExecutionError
from tqdm.auto import tqdm

from tutorial_lib.course.notebooks import (
    BUILD,
    CELL_SECONDS,
    KERNEL_ARGUMENTS,
    NOTEBOOKS,
    as_command,
    kernel_environment,
    parse,
    read_committed,
)
from tutorial_lib.experiments import write_json

PARAMETERS = ("PROFILE", "SEED", "DEVICE", "MOTION")
QUICK_SECONDS, QUICK_BYTES = 90, 1.5e9
"""What a lesson may take in the quick profile on two cores."""


@dataclass
class Result:
    """What running one lesson took and gave.

    Attributes:
        lesson: its slug.
        seconds: on the clock.
        peak_bytes: memory, see `PeakMemory`.
        notebook: the executed copy.
        claims: what it recorded.
        error: what stopped it; "" if nothing did.
    """

    lesson: str
    seconds: float
    peak_bytes: int
    notebook: Path
    claims: list[dict] = field(default_factory=list)
    error: str = ""

    @property
    def held(self) -> str:
        """How many of its claims held, such as "5 of 6"; a dash where it makes none."""
        held = sum(bool(claim["holds"]) for claim in self.claims)
        return f"{held} of {len(self.claims)}" if self.claims else "-"


class PeakMemory:
    """Samples, from a thread, the largest resident memory of all processes below this one.

    Those are the kernel and what it starts. Pages that they share count once for each: it is an upper bound.
    """

    def __init__(self, every: float = 0.1) -> None:
        self.bytes = 0
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        this = psutil.Process()
        while not self._stop.wait(self._every):
            total = 0
            for child in this.children(recursive=True):
                try:
                    total += child.memory_info().rss
                except psutil.Error:
                    continue  # it ended between being listed and being asked
            self.bytes = max(self.bytes, total)


def parse_parameters(pairs: list[str]) -> dict[str, str | int]:
    """`["PROFILE=full", "SEED=3"]` as papermill's parameters. A MOTION that is a file becomes absolute.

    Raises:
        ValueError: for a pair without "=", a parameter that lessons do not have, or a value it cannot take.
    """
    parameters: dict[str, str | int] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name not in PARAMETERS:
            known = ", ".join(PARAMETERS)
            raise ValueError(f"parameters has {pair!r}, expected NAME=VALUE with a name of {known}")
        if name == "PROFILE" and value not in CELL_SECONDS:
            raise ValueError(f"PROFILE is {value!r}, expected one of {', '.join(CELL_SECONDS)}")
        if name == "SEED" and not value.isdecimal():
            raise ValueError(f"SEED is {value!r}, expected a whole number from 0 up")
        if name == "MOTION" and value != "builtin":
            # A lesson runs in its own folder, where a path relative to the caller's would miss.
            if not Path(value).exists():
                raise ValueError(f"MOTION is {value!r}, expected 'builtin' or a motion file: no such file")
            value = str(Path(value).resolve())
        parameters[name] = int(value) if name == "SEED" else value
    return parameters


def run(
    slug: str,
    parameters: dict[str, str | int],
    out: Path = BUILD,
    notebooks: Path = NOTEBOOKS,
    quiet: bool = False,
) -> Result:
    """Execute the committed notebook of a lesson into `out`. An error in the lesson is a result, not raised.

    Raises:
        FileNotFoundError: if the lesson was never built.
    """
    read_committed(slug, notebooks)
    out = out.resolve()
    claims, target = out / "claims" / f"{slug}.json", out / f"{slug}.ipynb"
    claims.parent.mkdir(parents=True, exist_ok=True)
    claims.unlink(missing_ok=True)  # a claim of the last run must not be counted for this one
    result = Result(slug, 0.0, 0, target)
    start = time.perf_counter()
    with kernel_environment(COURSE_CLAIMS=claims), PeakMemory() as memory:
        try:
            papermill.execute_notebook(
                notebooks / f"{slug}.ipynb",
                target,
                parameters=parameters,
                kernel_name="python3",
                extra_arguments=KERNEL_ARGUMENTS,
                cwd=notebooks,
                execution_timeout=CELL_SECONDS[str(parameters.get("PROFILE", "quick"))],
                progress_bar=False if quiet else {"desc": slug, "leave": False, "unit": "cell"},
            )
        except PapermillExecutionError as error:
            result.error = f"cell {error.cell_index} raised {error.ename}: {error.evalue}"
        except (RuntimeError, TimeoutError) as error:  # the kernel died, or a cell took too long
            result.error = f"{type(error).__name__}: {error}"
    result.seconds = time.perf_counter() - start
    result.peak_bytes = memory.bytes
    if claims.exists():
        result.claims = list(json.loads(claims.read_text(encoding="utf-8")).values())
    return result


def table(results: list[Result]) -> str:
    """The results as text; what is over the quick profile's budget carries an exclamation mark."""
    rows = [("lesson", "seconds", "peak memory", "claims held", "")]
    for result in results:
        slow = "!" if result.seconds > QUICK_SECONDS else " "
        large = "!" if result.peak_bytes > QUICK_BYTES else " "
        rows.append(
            (
                result.lesson,
                f"{result.seconds:.0f}{slow}",
                f"{result.peak_bytes / 1e9:.2f} GB{large}",
                result.held,
                f"FAILED: {result.error.splitlines()[0][:100]}" if result.error else "",
            )
        )
    width = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join([row[0].ljust(width[0]), *(row[i].rjust(width[i]) for i in (1, 2, 3)), row[4]]).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * (sum(width) + 6), *lines[1:]])


def main(arguments: list[str] | None = None) -> int:
    """The command; returns the number of lessons that failed. A claim that does not hold is no failure."""
    parser = argparse.ArgumentParser(description="Run lessons with papermill.")
    names = ", ".join(PARAMETERS)
    parser.add_argument("--parameters", nargs="*", default=[], metavar="NAME=VALUE", help=names)
    parser.add_argument("--out", type=Path, default=BUILD, help="folder for the executed copies")
    options = parse(parser, arguments)
    try:
        parameters = parse_parameters(options.parameters)
    except ValueError as error:
        parser.error(str(error))
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # silences the kernel's debugger
    results = []
    for slug in tqdm(options.lessons, desc="lessons", unit="lesson"):
        try:
            results.append(run(slug, parameters, options.out))
        except FileNotFoundError as error:
            results.append(Result(slug, 0.0, 0, options.out / f"{slug}.ipynb", error=str(error)))
    every = {f"{claim['lesson']}/{claim['id']}": claim for result in results for claim in result.claims}
    write_json(options.out / "claims.json", every)
    print(table(results), flush=True)
    return sum(bool(result.error) for result in results)


if __name__ == "__main__":
    as_command(main)
