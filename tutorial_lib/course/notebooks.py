"""Where the lessons are, and how one is read.

A lesson is written as text in `notebooks/source/NN_slug.py` (py:percent) and committed a second time as the
executed `notebooks/NN_slug.ipynb` that people open.
"""

import argparse
import ast
import difflib
import hashlib
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from errno import EACCES, EDQUOT, EEXIST, EISDIR, ENOSPC, ENOTDIR, EPERM, EROFS
from pathlib import Path
from typing import NoReturn

import jupytext
import nbformat
from nbformat import NotebookNode

import tutorial_lib
from tutorial_lib.course import glossary
from tutorial_lib.folders import output_folder

ROOT = Path(tutorial_lib.__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
BUILD = output_folder()

CELL_SECONDS = {"quick": 300, "full": 24 * 3600}
"""How long one cell may run in each profile. Always given: a cell that waits for ever must fail, not hang."""

_REFUSED = (EACCES, EPERM, EROFS, ENOSPC, EDQUOT, ENOTDIR, EEXIST, EISDIR)
"""What a file system says where something cannot be written."""

KERNEL_ARGUMENTS = ["--log-level=ERROR"]
"""Kernels otherwise greet every run with a warning about unencrypted TCP; here it leaves no machine."""


def slugs(notebooks: Path = NOTEBOOKS) -> list[str]:
    """Every lesson's slug in order. Files without a number in front are scratch and no lesson.

    Raises:
        ValueError: if the course was installed without its clone, whose texts these are.
    """
    if notebooks == NOTEBOOKS and not (notebooks / "source").is_dir():
        raise ValueError(
            f"{notebooks} is no clone's folder of lessons, and this command wants the course's clone: run it there. "
            "To read the lessons, `python -m tutorial_lib.course.unpack FOLDER` writes them into a folder"
        )
    return sorted(path.stem for path in (notebooks / "source").glob("[0-9][0-9]_*.py"))


def select(wanted: list[str], notebooks: Path = NOTEBOOKS) -> list[str]:
    """The slugs that `wanted` names, by slug, number or start ("05", "05_cam"); all of them if it names none.

    Raises:
        ValueError: if a name fits no lesson; says which lessons there are.
    """
    return fitting(wanted, slugs(notebooks))


def fitting(wanted: list[str], available: list[str]) -> list[str]:
    """As `select`, out of these slugs."""
    chosen = []
    for name in wanted:
        found = [slug for slug in available if slug.startswith(Path(name).stem)]
        if not found:
            near = difflib.get_close_matches(name, available, 1, 0.3)
            hint = f", did you mean {near[0]}?" if near else ""
            known = ", ".join(available) or "none yet"
            raise ValueError(f"lesson is {name!r}, expected one of {known}{hint}")
        chosen += found
    return sorted(set(chosen)) if wanted else available


def parse(
    parser: argparse.ArgumentParser, arguments: list[str] | None, choose: Callable = select
) -> argparse.Namespace:
    """Parse the arguments of a command about lessons; `lessons` becomes what `choose` finds for their names."""
    parser.add_argument("lessons", nargs="*", help="slug or number, e.g. 05; all if none is named")
    options = parser.parse_args(arguments)
    try:
        options.lessons = choose(options.lessons)
    except ValueError as error:
        parser.error(str(error))
    return options


def as_command(main: Callable[[], int]) -> NoReturn:
    """Run a command of the course. What a disk, a permission or a locale refuses ends it in one line.

    Args:
        main: returns how much went wrong.
    """
    try:
        code = main()
    except OSError as error:
        if error.errno not in _REFUSED:
            raise
        sys.exit(f"{error}: nothing can be written there. COURSE_BUILD names another folder for what commands make")
    except UnicodeEncodeError as error:
        if sys.getfilesystemencoding() == "utf-8":
            raise
        sys.exit(f"{error}: this locale cannot write a name as it is. Set PYTHONUTF8=1 and start again")
    sys.exit(min(code, 1))


def read_source(slug: str, notebooks: Path = NOTEBOOKS) -> NotebookNode:
    """The text of a lesson as a notebook without outputs, with ids that depend on the cells' text alone.

    Random ids (jupytext's own) would change every cell of the committed file at every build. Terms of the glossary are
    linked, and the way to other lessons stands at the end.
    """
    notebook = jupytext.read(notebooks / "source" / f"{slug}.py", fmt="py:percent")
    prose = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    known = tuple(term for term in glossary.terms() if term.since <= slug[:2])
    for cell, text in zip(prose, glossary.linked([cell.source for cell in prose], known)):
        cell.source = text
    notebook.cells += way_on(slug, notebooks)
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        cell_id = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[cell_id] += 1
        cell.id = cell_id if seen[cell_id] == 1 else f"{cell_id}-{seen[cell_id]}"
        if is_plumbing(cell):
            cell.metadata.jupyter = {"source_hidden": True}  # one click away in JupyterLab
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
        }
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def way_on(slug: str, notebooks: Path = NOTEBOOKS) -> list[NotebookNode]:
    """The last cell of a lesson: the lessons before and after it, its cheat sheet, the glossary."""
    road = sorted(path.stem for path in (notebooks / "source").glob("[0-9][0-9]_*.py"))
    place = road.index(slug) if slug in road else 0
    before, after = road[max(place - 1, 0) : place], road[place + 1 : place + 2]
    name = {other: f"[{other[:2]} · {other[3:].replace('_', ' ')}]({other}.ipynb)" for other in before + after}
    parts = [f"← {name[other]}" for other in before]
    if (glossary.PAGE.parent / "cheatsheets" / f"{slug}.md").is_file():
        parts += [f"[Cheat sheet](../docs/cheatsheets/{slug}.md)", "[Glossary](../docs/glossary.md)"]
    parts += [f"{name[other]} →" for other in after]
    return [nbformat.v4.new_markdown_cell(" · ".join(parts), metadata={"tags": ["way-on"]})] if parts else []


def sets_up(cell: NotebookNode) -> bool:
    """Whether a cell only imports, or prepares what all others share."""
    if cell.cell_type != "code":
        return False
    body = ast.parse(cell.source).body
    imports = bool(body) and all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in body)
    return imports or cell.source.startswith("torch.manual_seed(")


def is_plumbing(cell: NotebookNode) -> bool:
    """Whether a reader who wants the idea can do without the code: set-up, a demo's test, what a claim card, a table or
    the answer to a prediction is worked out from."""
    behind = r"^(record\(|(\w+ = )?predict\(|\w+\.answer\()"
    worked_out = cell.cell_type == "code" and re.search(behind, cell.source, re.MULTILINE)
    return sets_up(cell) or "demo-test" in tags(cell) or bool(worked_out) or _tabulates(cell)


def _tabulates(cell: NotebookNode) -> bool:
    """Whether a cell of several statements ends in a table, and so is about its rows."""
    body = ast.parse(cell.source).body if cell.cell_type == "code" else []
    last = body[-1].value if len(body) > 1 and isinstance(body[-1], ast.Expr) else None
    return isinstance(last, ast.Call) and isinstance(last.func, ast.Name) and last.func.id in ("Markdown", "folded")


def read_committed(slug: str, notebooks: Path = NOTEBOOKS) -> NotebookNode:
    """The executed notebook of a lesson.

    Raises:
        FileNotFoundError: if it was never built; says how.
    """
    path = notebooks / f"{slug}.ipynb"
    if not path.exists():
        raise FileNotFoundError(f"{path.name} has not been built yet: run `make build LESSONS={slug}`")
    return read_notebook(path)


def read_notebook(path: Path) -> NotebookNode:
    """A notebook file, executed or not."""
    return nbformat.read(path, as_version=4)


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    return list(cell.metadata.get("tags", []))


@contextmanager
def kernel_environment(**variables: str | Path) -> Generator[None]:
    """Give kernels started inside `variables` in their environment, and this interpreter as "python3".

    Jupyter would otherwise prefer a kernel called python3 that the user installed for another interpreter.
    """
    wanted = {name: str(value) for name, value in variables.items()} | {"JUPYTER_PREFER_ENV_PATH": "1"}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
