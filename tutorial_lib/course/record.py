"""Records the live demos of lessons, for pages that have no kernel: runs their cells with `COURSE_RECORD` set.

    python -m tutorial_lib.course.record [lesson ...]        into build/recorded/NN_slug/

A lesson that has not changed, nor anything it is computed from, is not run again. What a recording holds says
`display.recording`; pages take it from `course.recorded`.
"""

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode

import tutorial_lib
from tutorial_lib.course.build import execute
from tutorial_lib.course.notebooks import NOTEBOOKS, as_command, kernel_environment, parse, read_committed
from tutorial_lib.course.recorded import EXPORTERS, RECORDED
from tutorial_lib.display.recording import VARIABLE

_STAMP = "fingerprint"

SECONDS = 1800
"""How long one cell may run: a demo computes hundreds of states, on a busy machine for minutes."""


def record(slug: str, out: Path = RECORDED, notebooks: Path = NOTEBOOKS) -> list[Path]:
    """The recordings of a lesson's demos, made where they are not there or no longer those of the lesson.

    Raises:
        CellExecutionError, DeadKernelError, TimeoutError: a cell raises, or takes too long; nothing is kept then.
        FileNotFoundError: the lesson was never built.
    """
    notebook = read_committed(slug, notebooks)
    notebook.cells = until_last_demo(notebook)
    folder, stamp = out.resolve() / slug, fingerprint(slug, notebook)
    made = folder / _STAMP
    if not (made.is_file() and made.read_text("utf-8") == stamp):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        paths = [path for path in (os.environ.get("PYTHONPATH"), str(EXPORTERS)) if path]
        with (
            tempfile.TemporaryDirectory() as claims,
            kernel_environment(
                COURSE_CLAIMS=f"{claims}/claims.json", CUDA_VISIBLE_DEVICES="", PYTHONPATH=os.pathsep.join(paths),
                **{VARIABLE: str(folder)},
            ),
        ):  # fmt: skip
            execute(notebook, notebooks, f"recording {slug}", SECONDS)
        made.write_text(stamp, encoding="utf-8")
    return sorted(folder.glob("*.js"))


def until_last_demo(notebook: NotebookNode) -> list[NotebookNode]:
    """The code cells that have to run for all demos to be shown: those up to the last demo."""
    last = -1
    for number, cell in enumerate(notebook.cells):
        texts = ["".join(output.get("data", {}).get("text/plain", "")) for output in cell.get("outputs", [])]
        last = number if any(text.startswith("live demo ") for text in texts) else last
    return [cell for cell in notebook.cells[: last + 1] if cell.cell_type == "code"]


def fingerprint(slug: str, notebook: NotebookNode) -> str:
    """Of everything that recordings of these cells depend on: the cells, the library, its weights, the exporters."""
    package = Path(tutorial_lib.__file__).parent
    said = hashlib.sha256("\n".join([str(EXPORTERS.is_dir()), *(cell.source for cell in notebook.cells)]).encode())
    for path in sorted(package.rglob("*")):
        room = path.relative_to(package).parts
        if path.suffix not in (".py", ".json", ".safetensors") or room[0] == "course":
            continue
        if room[0] == "lessons" and len(room) > 2 and room[1] != slug[3:]:
            continue  # no drawer reads from another
        said.update("/".join(room).encode() + path.read_bytes())
    return said.hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """The command; returns the number of lessons that could not be recorded."""
    parser = argparse.ArgumentParser(description="Record the live demos of lessons.")
    parser.add_argument("--out", type=Path, default=RECORDED, help="folder for the recordings")
    options = parse(parser, arguments)
    failed = 0
    for slug in options.lessons:
        start = time.perf_counter()
        try:
            made = record(slug, options.out)
        except (CellExecutionError, DeadKernelError, TimeoutError, FileNotFoundError) as error:
            print(f"{slug}: {error}", file=sys.stderr)
            failed += 1
            continue
        sizes = {path.stem: f"{path.stat().st_size / 1e6:.2f}" for path in made}
        demos, networks = ({k: v for k, v in sizes.items() if k.endswith(".net") == is_net} for is_net in (False, True))
        more = f"; networks that compute in the page: {', '.join(networks.values())} MB" if networks else ""
        seconds = time.perf_counter() - start
        print(f"{slug}: {len(demos)} demos in {seconds:.0f} s: {', '.join(demos.values()) or 'none'} MB{more}")
    return failed


if __name__ == "__main__":
    as_command(main)
