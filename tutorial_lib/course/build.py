"""Writes the committed notebooks from their text, and checks that they still tell the truth.

    python -m tutorial_lib.course.build [lesson ...]            execute and write notebooks/NN_slug.ipynb
    python -m tutorial_lib.course.build [lesson ...] --check    execute and compare, write nothing

What is checked, and why so. That the pair has equal cells needs no execution (`pair_differences`). That the
outputs belong to these cells does not follow from it: whoever edits a cell in JupyterLab and saves, or lets
jupytext sync the pair, keeps the old output under the new code. So a build stores a hash of the code that it
executed, which finds an edited cell at once (`stale_code`). Neither sees that the *library* has changed
underneath; a hash over all of the library would, but would also call every notebook stale after a comment was
corrected. Only running the lesson again tells, so `output_differences` compares a fresh run with what is
committed: the same kinds of output in every cell, the same words, numbers equal within 10 % (another
processor rounds otherwise, and adaptation amplifies it). Cells tagged `volatile` (timings, the machine's own
properties) are compared by kind only. The tests run every lesson through papermill anyway and compare that
run. Text that must be equal to the letter carries `# NBVAL_CHECK_OUTPUT`, and nbval sees to it.
"""

import argparse
import hashlib
import json
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from tqdm.auto import tqdm

from tutorial_lib.course.notebooks import (
    CELL_SECONDS,
    KERNEL_ARGUMENTS,
    NOTEBOOKS,
    kernel_environment,
    read_committed,
    read_source,
    select,
    tags,
)

MAX_BYTES = 1_000_000
"""A committed notebook stays below this: a preview shows it, and the repository stays small."""

WIDGET, PLOTLY = "application/vnd.jupyter.widget-view+json", "application/vnd.plotly.v1+json"
PICTURES = ("image/png", "image/svg+xml", "text/html", "text/markdown")

_PROGRESS = re.compile(r"\d+%\|")
_NUMBER = re.compile(r"(?<![\w.])[-+\u2212]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?", re.IGNORECASE)
_ADDRESS = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8}(?:-?[0-9a-f]{4,12}){1,4}", re.IGNORECASE)
_PATH = re.compile(r"(?<![\w./])(?:/(?:home|Users|tmp|root|var/folders)/[\w.]|[A-Za-z]:\\\\?Users\\)")


def execute(notebook: NotebookNode, folder: Path, title: str) -> NotebookNode:
    """Run every cell in order in a fresh kernel of this interpreter, in `folder`; returns `notebook`.

    Raises:
        CellExecutionError: if a cell raises.
        CellTimeoutError: if a cell runs longer than the quick profile allows.
    """
    code = sum(cell.cell_type == "code" and bool(cell.source.strip()) for cell in notebook.cells)
    with tqdm(total=code, desc=title, unit="cell") as bar:
        client = NotebookClient(
            notebook,
            timeout=CELL_SECONDS["quick"],
            kernel_name="python3",
            extra_arguments=KERNEL_ARGUMENTS,
            resources={"metadata": {"path": str(folder)}},
            record_timing=False,
            on_cell_executed=lambda **_: bar.update(),
        )
        return client.execute()


def clean(notebook: NotebookNode) -> NotebookNode:
    """Take from an executed notebook, in place, whatever would be dead or different the next time.

    Widget state goes, and so do widget views, which point to models that died with the kernel: what a demo
    shows beside its view (a PNG or HTML) stays. Progress bars and stderr go.

    Raises:
        ValueError: if a widget is not a progress bar and shows nothing beside its view.
    """
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.metadata.pop("execution", None)
        kept = []
        for output in cell.outputs:
            if output.get("name") == "stderr":
                continue
            output.pop("transient", None)
            data = output.get("data", {})
            if WIDGET in data:
                if _PROGRESS.search(str(data.get("text/plain", ""))):
                    continue
                if not any(mime in data for mime in PICTURES):
                    raise ValueError(
                        f"cell {cell.execution_count} shows a widget without a picture beside it "
                        f"({str(data.get('text/plain', ''))[:60]!r}), expected image/png or text/html in its "
                        "_repr_mimebundle_, so that readers without a kernel see something"
                    )
                del data[WIDGET]
            kept.append(output)
        cell.outputs = kept
    return notebook


def machine_paths(notebook: NotebookNode) -> list[str]:
    """Every place in the outputs that names a folder of the machine that ran them."""
    found = []
    own = [str(path) for path in (Path.home(), Path(tempfile.gettempdir()), NOTEBOOKS.parent, sys.prefix)]
    for number, text in _texts(notebook):
        for match in _PATH.finditer(text):
            found.append(f"cell {number}: {text[max(0, match.start() - 20) : match.end() + 40]!r}")
        found += [f"cell {number}: {path}" for path in own if len(path) > 1 and f"{path}/" in text]
    return found


def stale_code(notebook: NotebookNode) -> bool:
    """Whether a code cell has changed since `build` executed the notebook."""
    return notebook.metadata.get("course", {}).get("executed") != _code_hash(notebook)


def pair_differences(source: NotebookNode, committed: NotebookNode) -> list[str]:
    """What differs between the cells of a lesson's text and those of its notebook; empty if nothing does."""
    found = []
    if len(source.cells) != len(committed.cells):
        found.append(f"the text has {len(source.cells)} cells, the notebook {len(committed.cells)}")
    for index, (left, right) in enumerate(zip(source.cells, committed.cells)):
        for what, a, b in (
            ("type", left.cell_type, right.cell_type),
            ("source", left.source, right.source),
            ("tags", tags(left), tags(right)),
        ):
            if a != b:
                a, b = str(a)[:70], str(b)[:70]
                found.append(f"cell {index}: {what} in the text {a!r}, in the notebook {b!r}")
    return found


def output_differences(committed: NotebookNode, fresh: NotebookNode) -> list[str]:
    """What a fresh run shows otherwise than the committed notebook; empty if it tells the same.

    Args:
        fresh: the same lesson just executed; a cell that papermill injected is left out.
    """
    fresh = clean(nbformat.from_dict(fresh))
    fresh.cells = [cell for cell in fresh.cells if "injected-parameters" not in tags(cell)]
    found = []
    for index, (old, new) in enumerate(zip(committed.cells, fresh.cells)):
        if old.cell_type != "code":
            continue
        kinds = [_kinds(cell) for cell in (old, new)]
        if kinds[0] != kinds[1]:
            found.append(f"cell {index}: committed outputs are {kinds[0]}, a fresh run gives {kinds[1]}")
        elif "volatile" not in tags(old):
            found += [f"cell {index}: {line}" for line in _text_differences(_prose(old), _prose(new))]
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
    notebook.metadata.course = {"executed": _code_hash(notebook)}
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


def _code_hash(notebook: NotebookNode) -> str:
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256(json.dumps(code).encode()).hexdigest()[:16]


def _texts(notebook: NotebookNode):
    """(number of the cell, text) of every output that is text."""
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            yield index, "".join(output.get("text", ""))
            yield index, "\n".join(output.get("traceback", []))
            for mime, content in output.get("data", {}).items():
                if not mime.startswith("image/"):
                    yield index, content if isinstance(content, str) else json.dumps(content)


def _kinds(cell: NotebookNode) -> list[str]:
    """The kinds of output of a cell. How stdout was cut into pieces depends on the clock: it counts once."""
    kinds: list[str] = []
    for output in cell.outputs:
        kind = output.get("name") or "+".join(sorted(output.get("data", {}))) or output.output_type
        if not (kind == "stdout" and "stdout" in kinds):
            kinds.append(kind)
    return kinds


def _prose(cell: NotebookNode) -> str:
    """What a cell says in words and numbers: stdout, text, HTML without markup, the names in a figure."""
    said = []
    for output in cell.outputs:
        said.append("".join(output.get("text", "")))
        data = output.get("data", {})
        if PLOTLY in data:
            figure = data[PLOTLY]
            said += [f"{trace.get('type', '')} {trace.get('name', '')}" for trace in figure.get("data", [])]
            said.append(f"{len(figure.get('frames', []))} frames")
        elif "text/html" in data:
            html = re.sub(r"<(script|style)\b.*?</\1>", " ", data["text/html"], flags=re.DOTALL)
            said.append(re.sub(r"<[^>]*>", " ", html))
        elif "image/png" not in data:  # a widget's or figure's repr says nothing that the picture does not
            said.append("".join(data.get("text/plain", "")))
    return _ADDRESS.sub("@", "\n".join(said))


def _text_differences(old: str, new: str) -> list[str]:
    """Where two texts differ in a word, or in a number by more than 10 %."""
    words = [_NUMBER.sub("#", text).split() for text in (old, new)]
    if words[0] != words[1]:
        pairs = [(a, b) for a, b in zip(*words) if a != b] or [(f"{len(words[0])} words", f"{len(words[1])}")]
        return [f"committed says {pairs[0][0]!r}, a fresh run says {pairs[0][1]!r}"]
    for a, b in zip(_numbers(old), _numbers(new)):
        # The absolute part forgives the last digit of a rounded small number ("0.1" against "0.2").
        if abs(a - b) > 0.1 * max(abs(a), abs(b)) + 0.1:
            return [f"committed says {a:g}, a fresh run says {b:g}"]
    return []


def _numbers(text: str) -> list[float]:
    return [float(number.replace(",", "").replace("\u2212", "-")) for number in _NUMBER.findall(text)]


def main(arguments: list[str] | None = None) -> int:
    """The command; returns the number of lessons that failed."""
    parser = argparse.ArgumentParser(description="Execute lessons and write their notebooks.")
    parser.add_argument("lessons", nargs="*", help="slug or number, e.g. 05; all if none is named")
    parser.add_argument("--check", action="store_true", help="compare with a fresh run, write nothing")
    options = parser.parse_args(arguments)
    try:
        chosen = select(options.lessons)
    except ValueError as error:
        parser.error(str(error))
    failed = 0
    for slug in chosen:
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
    sys.exit(min(main(), 1))
