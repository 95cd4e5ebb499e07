"""Whether a committed notebook still tells the truth: its cells, the code that ran, and what a fresh run shows.

That the pair has equal cells needs no execution (`pair_differences`). That the outputs belong to these cells does not
follow from it: whoever edits a cell in JupyterLab and saves, or lets jupytext sync the pair, keeps the old output under
the new code. So a build stores a hash of the code that it executed, which finds an edited cell at once (`stale_code`).
Neither sees that the *library* has changed underneath; a hash over all of the library would, but would also call every
notebook stale after a comment was corrected. Only running the lesson again tells, so `output_differences` compares a
fresh run with what is committed: the same kinds of output in every cell, the same words, numbers equal within 10 %
(another processor rounds otherwise, and adaptation amplifies it). Cells tagged `volatile` (timings, the machine's own
properties) are compared by kind only.
"""

import hashlib
import json
import re

import nbformat
from nbformat import NotebookNode

from tutorial_lib.course.notebooks import tags

WIDGET, PLOTLY = "application/vnd.jupyter.widget-view+json", "application/vnd.plotly.v1+json"
PICTURES = ("image/png", "image/svg+xml", "text/html", "text/markdown")

_PROGRESS = re.compile(r"\d+%\|")
_NUMBER = re.compile(r"(?<![\w.])[-+\u2212]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?", re.IGNORECASE)
_ADDRESS = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8}(?:-?[0-9a-f]{4,12}){1,4}", re.IGNORECASE)


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
            if kept and output.output_type == kept[-1].output_type == "stream":  # a busy machine sends it in pieces
                kept[-1].text += output.text
                continue
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


def code_hash(notebook: NotebookNode) -> str:
    """What `build` stores of the code cells that it executed."""
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256(json.dumps(code).encode()).hexdigest()[:16]


def stale_code(notebook: NotebookNode) -> bool:
    """Whether a code cell has changed since `build` executed the notebook."""
    return notebook.metadata.get("course", {}).get("executed") != code_hash(notebook)


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
        committed: as it was built.
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
    """Every number in a text, in order."""
    return [float(number.replace(",", "").replace("\u2212", "-")) for number in _NUMBER.findall(text)]
