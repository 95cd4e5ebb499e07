"""Shows each live demo of a lesson, or of several, alone on a page, for a projector.

    python -m tutorial_lib.course.kiosk                       all lessons, on a page that lists their demos
    python -m tutorial_lib.course.kiosk 00 05 06              those of a seminar
    python -m tutorial_lib.course.kiosk 05 --demo lifter      the demo that lesson 05 calls `lifter`

A demo's page is a notebook written into `build/kiosk`, with nothing but the statements of the lesson that the demo
needs, found by following names backwards from it (`needed`). Voila runs it in a kernel of its own and hides the code;
the kernels start, and compute the first picture, before anybody opens a page.
"""

import argparse
import ast
import json
import os
import shutil
import socket
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tutorial_lib.course.answer_slice import names
from tutorial_lib.course.notebooks import BUILD, NOTEBOOKS, as_command, parse, read_source, tags

KIOSK = BUILD / "kiosk"
PORT = 8866
"""The first that is tried."""
KERNEL_GB = 0.6
"""Memory of a demo's kernel that no other kernel shares, rounded up."""
SORRY = "This demo could not start. What went wrong stands in the window where the kiosk was started."

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


def write(lessons: list[str], folder: Path = KIOSK, notebooks: Path = NOTEBOOKS) -> dict[str, list[Path]]:
    """Write the page of every demo of these lessons into `folder`, which is emptied first; returns demo -> its pages.

    Lessons may call their demos alike, so a name may have several pages.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pages: dict[str, list[Path]] = {}
    for slug in lessons:
        source = read_source(slug, notebooks)
        for place, name in enumerate(demos(source), start=1):
            path = folder / f"{slug}.{place}_{name}.ipynb"
            nbformat.write(page(source, name), path)
            pages.setdefault(name, []).append(path)
    return pages


def free_port(first: int = PORT) -> int:
    """The first port of this machine, from `first` on, where nobody listens.

    Raises:
        ValueError: if fifty in a row are taken.
    """
    for port in range(first, first + 50):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ValueError(f"ports {first} to {first + 49} are taken, expected a free one: end another kiosk with Ctrl-C")


def command(target: Path, port: int = PORT, ahead: bool = True) -> list[str]:
    """What serves a page, or a folder of pages, on this machine only; needs `environment`.

    Args:
        target: page or folder.
        port: free.
        ahead: kernels start before anybody opens a page.
    """
    return [
        *(
            sys.executable,
            "-m",
            "voila",
            str(target),
            f"--port={port}",
            "--Voila.port_retries=0",
            "--Voila.ip=127.0.0.1",
        ),
        *("--no-browser", "--template=kiosk", "--theme=light", "--classic-tree", f"--preheat_kernel={ahead}"),
        *("--pool_size=1", "--VoilaExecutor.startup_timeout=300", f"--VoilaExecutor.cell_error_instruction={SORRY}"),
        f"--VoilaConfiguration.extension_allowlist={EXTENSIONS}",
        "--Voila.kernel_websocket_connection_class=tutorial_lib.course.server.PromptConnection",
    ]


def environment() -> dict[str, str]:
    """This process's environment, with our template, and with kernels of this interpreter on one thread."""
    paths = os.pathsep.join(filter(None, [str(TEMPLATES), os.environ.get("JUPYTER_PATH")]))
    return {**os.environ, "JUPYTER_PATH": paths, "JUPYTER_PREFER_ENV_PATH": "1", "OMP_NUM_THREADS": "1"}


def main(arguments: list[str] | None = None) -> int:
    """The command: writes the pages, then serves them until it is interrupted."""
    parser = argparse.ArgumentParser(description="Show the live demos of lessons, one a page.")
    parser.add_argument("--demo", help="name of one demo; without it, a page that lists all")
    options = parse(parser, arguments)
    try:
        pages = write(options.lessons)
        if options.demo and options.demo not in pages:
            raise ValueError(
                f"demo is {options.demo!r}, expected one of {', '.join(pages) or 'none: no lesson has one'}"
            )
        port = free_port()
    except ValueError as error:
        parser.error(str(error))
    target = pages[options.demo][0] if options.demo else KIOSK
    count = 1 if options.demo else sum(map(len, pages.values()))
    wanted, there = count * KERNEL_GB, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    ahead = wanted < there / 2
    print(f"Open http://127.0.0.1:{port} in a browser; live demos: {count}. Stop with Ctrl-C.", flush=True)
    if ahead:
        print(
            f"Their kernels start now and are warm in about {10 + 8 * count} s; then a page opens at once.", flush=True
        )
    else:
        print(
            f"Their kernels would take {wanted:.0f} of {there:.0f} GB, so each starts when its page is opened: "
            'name fewer lessons, as in make kiosk LESSON="05 06", to have them warm.',
            flush=True,
        )
    serve = command(target, port, ahead)
    os.execve(serve[0], serve, environment())


if __name__ == "__main__":
    as_command(main)
