"""Writes the committed notebooks from their text, and checks that they still tell the truth.

    python -m tutorial_lib.course.build [lesson ...]            execute and write notebooks/NN_slug.ipynb
    python -m tutorial_lib.course.build [lesson ...] --check    execute and compare, write nothing

What `--check` compares, and why, says `compare`. The tests run every lesson through papermill anyway and compare that
run. Text that must be equal to the letter carries `# NBVAL_CHECK_OUTPUT`, and nbval sees to it.
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from tqdm.auto import tqdm

from tutorial_lib.course.compare import clean, code_hash, output_differences, pair_differences, stale_code
from tutorial_lib.course.notebooks import (
    CELL_SECONDS,
    KERNEL_ARGUMENTS,
    NOTEBOOKS,
    as_command,
    kernel_environment,
    parse,
    read_committed,
    read_source,
    tags,
)

MAX_BYTES = 1_000_000
"""A committed notebook stays below this: a preview shows it, and the repository stays small."""

_PATH = re.compile(r"(?<![\w./])(?:/(?:home|Users|tmp|root|var/folders)/[\w.]|[A-Za-z]:\\\\?Users\\)")


def execute(notebook: NotebookNode, folder: Path, title: str, seconds: int = CELL_SECONDS["quick"]) -> NotebookNode:
    """Run every cell in order in a fresh kernel of this interpreter, in `folder`; returns `notebook`.

    Raises:
        CellExecutionError: if a cell raises.
        CellTimeoutError: if a cell runs longer than `seconds`.
    """
    code = sum(cell.cell_type == "code" and bool(cell.source.strip()) for cell in notebook.cells)
    with tqdm(total=code, desc=title, unit="cell") as bar:
        client = NotebookClient(
            notebook,
            timeout=seconds,
            kernel_name="python3",
            extra_arguments=KERNEL_ARGUMENTS,
            resources={"metadata": {"path": str(folder)}},
            record_timing=False,
            on_cell_executed=lambda **_: bar.update(),
        )
        return client.execute()


def machine_paths(notebook: NotebookNode) -> list[str]:
    """Every place in the outputs that names a folder of the machine that ran them."""
    found = []
    own = [str(path) for path in (Path.home(), Path(tempfile.gettempdir()), NOTEBOOKS.parent, sys.prefix)]
    for number, text in _texts(notebook):
        for match in _PATH.finditer(text):
            found.append(f"cell {number}: {text[max(0, match.start() - 20) : match.end() + 40]!r}")
        found += [f"cell {number}: {path}" for path in own if len(path) > 1 and f"{path}/" in text]
    return found


def build(slug: str, notebooks: Path = NOTEBOOKS) -> Path:
    """Execute the text of a lesson in the quick profile and write its notebook.

    Raises:
        CellExecutionError: if a cell raises; nothing is written then.
        ValueError: if the lesson does not default to the quick profile, or its outputs cannot be committed
            (too large, a folder of this machine in them, a widget without a picture).
    """
    notebook = read_source(slug, notebooks)
    _check_profile(slug, notebook)
    notebook = clean(_run(slug, notebook, notebooks))
    # As the text has it, because the kernel has added the version of this machine's Python.
    notebook.metadata = read_source(slug, notebooks).metadata
    notebook.metadata.course = {"executed": code_hash(notebook)}
    if paths := machine_paths(notebook):
        raise ValueError(f"{slug} shows folders of this machine, expected none: {'; '.join(paths[:3])}")
    text = nbformat.writes(notebook).rstrip("\n") + "\n"
    if len(text) >= MAX_BYTES:
        largest = max(notebook.cells, key=lambda cell: len(json.dumps(cell)))
        raise ValueError(
            f"{slug} would be {len(text):,} bytes, expected less than {MAX_BYTES:,}: "
            f"the largest cell begins {largest.source[:60]!r}; round its arrays or show fewer frames"
        )
    path = notebooks / f"{slug}.ipynb"
    path.write_text(text, encoding="utf-8")
    return path


def check(slug: str, notebooks: Path = NOTEBOOKS) -> list[str]:
    """Everything that is wrong with the committed notebook of a lesson; empty if it may stay as it is."""
    source, committed = read_source(slug, notebooks), read_committed(slug, notebooks)
    if differences := pair_differences(source, committed):
        return differences
    if stale_code(committed):
        return ["a code cell has changed since the outputs were made"]
    return output_differences(committed, _run(slug, source, notebooks))


def _run(slug: str, notebook: NotebookNode, notebooks: Path) -> NotebookNode:
    # The claims of this run are not asked for; they must not replace those of `make notebooks`. And what is
    # committed comes from a CPU, whatever the machine has, because most readers compare it with one.
    with (
        tempfile.TemporaryDirectory() as folder,
        kernel_environment(COURSE_CLAIMS=f"{folder}/claims.json", CUDA_VISIBLE_DEVICES=""),
    ):
        return execute(notebook, notebooks, slug)


def _check_profile(slug: str, notebook: NotebookNode) -> None:
    cells = [cell for cell in notebook.cells if "parameters" in tags(cell)]
    if len(cells) != 1 or not re.search(r"^PROFILE\s*=\s*['\"]quick['\"]", cells[0].source, re.MULTILINE):
        raise ValueError(
            f'{slug} has {len(cells)} cells tagged parameters, expected one that sets PROFILE = "quick": '
            'begin it with `# %% tags=["parameters"]`'
        )


def _texts(notebook: NotebookNode) -> Iterator[tuple[int, str]]:
    """(number of the cell, text) of every output that is text."""
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            yield index, "".join(output.get("text", ""))
            yield index, "\n".join(output.get("traceback", []))
            for mime, content in output.get("data", {}).items():
                if not mime.startswith("image/"):
                    yield index, content if isinstance(content, str) else json.dumps(content)


def main(arguments: list[str] | None = None) -> int:
    """The command; returns the number of lessons that failed."""
    parser = argparse.ArgumentParser(description="Execute lessons and write their notebooks.")
    parser.add_argument("--check", action="store_true", help="compare with a fresh run, write nothing")
    options = parse(parser, arguments)
    failed = 0
    for slug in options.lessons:
        try:
            problems = check(slug) if options.check else []
            if not options.check:
                path = build(slug)
                print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
        except (CellExecutionError, DeadKernelError, TimeoutError, ValueError, FileNotFoundError) as error:
            problems = [str(error)]
        failed += bool(problems)
        for problem in problems:
            print(f"{slug}: {problem}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    as_command(main)
