"""Shows each live demo of a lesson alone on a page, for a projector.

    python -m tutorial_lib.course.kiosk 05             a page that lists the demos of lesson 05
    python -m tutorial_lib.course.kiosk 05 lifter      the demo that the lesson calls `lifter`

A demo's page is a notebook written into `build/kiosk`, with nothing but the statements of the lesson that the demo
needs, found by following names backwards from it (`needed`). Voila runs it in a kernel of its own and hides the code.
"""

import argparse
import ast
import json
import os
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tutorial_lib.course.answer_slice import names
from tutorial_lib.course.notebooks import BUILD, NOTEBOOKS, as_command, read_source, select, tags

KIOSK = BUILD / "kiosk"
PORT = 8866

TEMPLATES = Path(__file__).with_name("assets") / "jupyter"
"""Where Voila finds the template "kiosk": its own one asks a CDN for icons."""
EXTENSIONS = json.dumps(
    ["@voila-dashboards/widgets-manager8", "@jupyter-widgets/jupyterlab-manager", "anywidget", "jupyterlab-plotly"]
)
"""JupyterLab's extensions that a demo's page needs. Others expect the whole of JupyterLab and fail in Voila's page."""


def demos(source: NotebookNode) -> dict[str, int]:
    """Name of every live demo that a lesson shows, and the number of the cell that shows it.

    A cell shows a demo if it ends with a bare name, and a cell tagged demo-test comes next and sets its controls.
    """
    found: dict[str, int] = {}
    code = [(number, cell) for number, cell in enumerate(source.cells) if cell.cell_type == "code"]
    for (number, cell), (_, following) in zip(code, code[1:]):
        body = ast.parse(cell.source).body
        shown = body[-1].value if body and isinstance(body[-1], ast.Expr) else None
        if isinstance(shown, ast.Name) and "demo-test" in tags(following) and f"{shown.id}.set(" in following.source:
            found[shown.id] = number
    return found


def needed(source: NotebookNode, name: str) -> list[str]:
    """The statements, in order, that must run before the demo `name` can be shown.

    Raises:
        ValueError: if the lesson shows no such demo; says which there are.
    """
    places = demos(source)
    if name not in places:
        raise ValueError(f"demo is {name!r}, expected one of {', '.join(places) or 'none: this lesson has no demo'}")
    statements = [
        (statement, cell.source)
        for cell in source.cells[: places[name] + 1]
        if cell.cell_type == "code" and "demo-test" not in tags(cell)
        for statement in ast.parse(cell.source).body
    ]
    wanted, kept = {name}, []
    for statement, text in reversed(statements):
        bound, used = names(statement)
        if not bound & wanted and not _prepares_torch(statement):
            continue
        if isinstance(statement, ast.Import | ast.ImportFrom):
            statement.names = [n for n in statement.names if (n.asname or n.name).split(".")[0] in wanted]
            text = ast.unparse(statement)
        else:
            text = ast.get_source_segment(text, statement)
            wanted |= used
        kept.append(text)
    return kept[::-1]


def _prepares_torch(statement: ast.stmt) -> bool:
    """Seeds and threads bind no name, and still every demo of a lesson depends on them."""
    return isinstance(statement, ast.Expr) and ast.unparse(statement).startswith(
        ("torch.manual_seed(", "torch.set_num_threads(")
    )


def page(source: NotebookNode, name: str) -> NotebookNode:
    """The notebook of one demo: the section's heading, its prediction, the demo."""
    above = [cell.source for cell in source.cells[: demos(source)[name]] if cell.cell_type == "markdown"]
    lines = [line for text in above for line in text.splitlines()]
    heading = next((line.lstrip("# ") for line in reversed(lines) if line.startswith("#")), name)
    code = "\n".join([*needed(source, name), name])
    cells = [nbformat.v4.new_markdown_cell(f"# {heading}"), nbformat.v4.new_code_cell(code)]
    for number, cell in enumerate(cells):
        cell.id = f"kiosk-{number}"  # random ones would change the file at every run
    return nbformat.v4.new_notebook(cells=cells, metadata=source.metadata)


def write(slug: str, folder: Path = KIOSK, notebooks: Path = NOTEBOOKS) -> dict[str, Path]:
    """Write the page of every demo of a lesson into `folder`/slug; returns demo -> path."""
    source = read_source(slug, notebooks)
    pages = {}
    for place, name in enumerate(demos(source), start=1):
        pages[name] = folder / slug / f"{place}_{name}.ipynb"
        pages[name].parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(page(source, name), pages[name])
    return pages


def command(target: Path, port: int = PORT) -> list[str]:
    """What serves a page, or a folder of pages, on this machine only; needs `environment`."""
    return [
        *(sys.executable, "-m", "voila", str(target), f"--port={port}", "--Voila.ip=127.0.0.1", "--no-browser"),
        *("--template=kiosk", "--theme=light", "--classic-tree"),
        f"--VoilaConfiguration.extension_allowlist={EXTENSIONS}",
    ]


def environment() -> dict[str, str]:
    """This process's environment, with our template, and with kernels of this interpreter on one thread."""
    paths = os.pathsep.join(filter(None, [str(TEMPLATES), os.environ.get("JUPYTER_PATH")]))
    return {**os.environ, "JUPYTER_PATH": paths, "JUPYTER_PREFER_ENV_PATH": "1", "OMP_NUM_THREADS": "1"}


def main(arguments: list[str] | None = None) -> int:
    """The command: writes the pages, then serves them until it is interrupted."""
    parser = argparse.ArgumentParser(description="Show the live demos of a lesson, one a page.")
    parser.add_argument("lesson", help="slug or number, e.g. 05")
    parser.add_argument("demo", nargs="?", help="name of one demo; without it, a page that lists all")
    options = parser.parse_args(arguments)
    try:
        (slug,) = select([options.lesson])[:1]
        pages = write(slug)
        if not pages:
            raise ValueError(f"lesson is {slug!r}, expected one with a live demo")
        if options.demo and options.demo not in pages:
            raise ValueError(f"demo is {options.demo!r}, expected one of {', '.join(pages)}")
    except ValueError as error:
        parser.error(str(error))
    target = pages[options.demo] if options.demo else next(iter(pages.values())).parent
    print(f"{', '.join(pages)}: open http://127.0.0.1:{PORT} in a browser. Stop with Ctrl-C.", flush=True)
    serve = command(target)
    os.execve(serve[0], serve, environment())


if __name__ == "__main__":
    as_command(main)
