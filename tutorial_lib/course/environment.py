"""Looks at the reader's machine, for lesson 00: `check()` says what is fine and how to mend what is not."""

import importlib.metadata
import os
import platform
import re
import sys
from dataclasses import dataclass
from html import escape
from pathlib import Path

import psutil
import torch
from packaging.version import Version

from tutorial_lib.course.notebooks import ROOT
from tutorial_lib.display.tables import html_row

SHOWN = ("torch", "numpy", "jupyterlab", "ipywidgets", "anywidget", "plotly", "papermill")
"""Packages that get a row of their own; all others share one."""

NEEDED_BYTES = 1.5e9
"""What a lesson may take in the quick profile."""

_INSTALL = "run `make lab` in the clone, or `pip install -r requirements.lock`"
_CGROUP = Path("/sys/fs/cgroup")
_MARKS = {"ok": "✓", "note": "•", "problem": "✗"}
_COLOURS = {"ok": "#00694a", "note": "#7a5200", "problem": "#b00020"}
_STATIC = (
    "Widgets: this is a saved copy of the table. Run the cell; in a live JupyterLab this line then says "
    "that they are connected."
)

# Asks the kernel when it is drawn, and shows the answer: both directions of the wire are proven, or the
# reader sees that they are not. While later cells run the kernel answers late; then the line is corrected.
_ESM = """
function render({ model, el }) {
  const table = document.createElement("div");
  table.innerHTML = model.get("table");
  const line = document.createElement("p");
  line.className = "course-widgets";
  line.textContent = "Widgets: asking the kernel ...";
  el.append(table, line);
  const asked = performance.now();
  const late = setTimeout(() => {
    line.textContent = "Widgets: no answer from the kernel for 20 seconds. If no cell is running, " +
      "restart the kernel and reload the page.";
  }, 20000);
  const answered = (message) => {
    if (message.kind !== "pong") return;
    clearTimeout(late);
    line.textContent = "\\u2713 Widgets are connected: browser to kernel and back in " +
      Math.round(performance.now() - asked) + " ms.";
    line.style.color = "#00694a";
  };
  model.on("msg:custom", answered);
  model.send({ kind: "ping" });
  return () => { clearTimeout(late); model.off("msg:custom", answered); };
}
export default { render };
"""


@dataclass(frozen=True)
class Row:
    """One thing that was looked at. `state` is "ok", "note" (works, but know it) or "problem"."""

    what: str
    found: str
    state: str = "ok"
    remedy: str = ""


@dataclass(frozen=True)
class Report:
    """The rows, shown as a table: live in JupyterLab, as plain HTML in a preview, as text in a terminal."""

    rows: tuple[Row, ...]

    @property
    def problems(self) -> tuple[Row, ...]:
        """The rows that would stop a lesson."""
        return tuple(row for row in self.rows if row.state == "problem")

    def __str__(self) -> str:
        width = max(len(row.what) for row in self.rows)
        return "\n".join(
            f"{_MARKS[row.state]} {row.what:{width}}  {row.found}" + (f"  -> {row.remedy}" if row.remedy else "")
            for row in self.rows
        )

    def table(self) -> str:
        """The rows as an HTML table."""
        rows = "".join(
            html_row(
                [_MARKS[row.state], f"<b>{escape(row.what)}</b>", escape(row.found), _code(escape(row.remedy))],
                [f"color:{_COLOURS[row.state]}", *["text-align:left"] * 3],
            )
            for row in self.rows
        )
        verdict = f"{len(self.problems)} problem(s), see the last column." if self.problems else "Ready."
        return f"<p><b>{verdict}</b></p><table><tbody>{rows}</tbody></table>"

    def _repr_mimebundle_(self, include=None, exclude=None):
        bundle = {"text/plain": str(self), "text/html": f"{self.table()}<p>{_STATIC}</p>"}
        live = probe(self.table())
        if live is not None:
            shown = live._repr_mimebundle_()
            shown = shown[0] if isinstance(shown, tuple) else shown
            bundle = (shown or {}) | bundle
        return bundle


def check() -> Report:
    """Look at versions, device, memory, threads and widgets. Never raises: what is amiss becomes a row."""
    return Report(
        (Row("Python", platform.python_version()), *_packages(), _device(), _memory(), _threads(), _widgets())
    )


def probe(table: str):
    """A widget that shows `table` and, once the kernel has answered it, that widgets are connected.

    Returns:
        The widget, or None where anywidget is not installed.
    """
    try:
        import anywidget
        import traitlets
    except ImportError:
        return None

    class Probe(anywidget.AnyWidget):
        _esm = _ESM
        table = traitlets.Unicode().tag(sync=True)

        def answer(self, _widget, message, _buffers):
            if message.get("kind") == "ping":
                self.send({"kind": "pong"})

    widget = Probe(table=table)
    widget.on_msg(widget.answer)
    return widget


def pins() -> dict[str, str]:
    """Name (normalised) to version: requirements.lock of the clone, else what the installed package declares.

    Raises:
        FileNotFoundError: if there is neither.
    """
    lock = ROOT / "requirements.lock"
    if lock.exists():
        lines = lock.read_text(encoding="utf-8").splitlines()
    else:
        try:
            lines = importlib.metadata.requires("tutorial_lib") or []
        except importlib.metadata.PackageNotFoundError:
            raise FileNotFoundError("neither requirements.lock nor an installed tutorial_lib was found") from None
    pairs = (line.split("==") for line in lines if "==" in line and not line.lstrip().startswith("#"))
    return {normalised(name.strip()): version.strip() for name, version in pairs}


def normalised(name: str) -> str:
    """A package's name as indexes compare it: lower case, with single hyphens."""
    return re.sub(r"[-_.]+", "-", name).lower()


def memory_limit() -> int:
    """Bytes this process may use: the machine's memory, or its container's limit where that is smaller."""
    total = psutil.virtual_memory().total
    for name in ("memory.max", "memory/memory.limit_in_bytes"):  # cgroup version 2, version 1
        try:
            total = min(total, int((_CGROUP / name).read_text()))
        except (OSError, ValueError):  # no such file, or the word "max"
            continue
    return total


def usable_cores() -> int:
    """Cores this process may use: those it is bound to, or its container's share where that is smaller."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = (_CGROUP / "cpu.max").read_text().split()
        cores = min(cores, max(1, round(int(quota) / int(period))))
    except (OSError, ValueError):
        pass
    return cores


def _packages() -> list[Row]:
    try:
        wanted = pins()
    except FileNotFoundError as error:
        return [Row("packages", str(error), "note", "run from a clone, or `pip install --editable .`")]
    rows, missing, different = [], [], []
    for name, version in wanted.items():
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found = ""
        # "2.13.0+cpu" and conda's "2.13.0.post1" are builds of the pinned 2.13.0.
        equal = bool(found) and Version(found).base_version == Version(version).base_version
        if name in SHOWN:
            state = "ok" if equal else "note" if found else "problem"
            remedy = "" if equal else f"the course was tested with {version}: {_INSTALL}"
            rows.append(Row(name, found or "missing", state, remedy))
        elif not found:
            missing.append(name)
        elif not equal:
            different.append(f"{name} {found} for {version}")
    rows.sort(key=lambda row: SHOWN.index(row.what))
    others = len(wanted) - len(rows)
    if missing or different:
        parts = [f"{len(missing)} missing ({_few(missing)})"] if missing else []
        parts += [f"{len(different)} of another version ({_few(different)})"] if different else []
        rows.append(Row("other packages", ", ".join(parts), "note", f"if a lesson complains, {_INSTALL}"))
    else:
        rows.append(Row("other packages", f"all {others} as in requirements.lock"))
    return rows


def _device() -> Row:
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        return Row("device", f"CUDA: {properties.name}, {properties.total_memory / 1e9:.0f} GB")
    if torch.backends.mps.is_available():
        return Row("device", "Apple GPU (mps)")
    return Row("device", "CPU (enough for every lesson in the quick profile)")


def _memory() -> Row:
    limit = memory_limit()
    free = min(limit, psutil.virtual_memory().available)
    found = f"{limit / 1e9:.1f} GB, {free / 1e9:.1f} GB free"
    if free < NEEDED_BYTES:
        return Row("memory", found, "problem", "a lesson takes up to 1.5 GB: close other notebooks' kernels")
    return Row("memory", found)


def _threads() -> Row:
    cores, threads = usable_cores(), torch.get_num_threads()
    found = f"torch uses {threads} of {cores} core{'s' if cores > 1 else ''}"
    if threads > cores:
        return Row("threads", found, "note", f"demos stutter: start Jupyter with OMP_NUM_THREADS={cores}")
    return Row("threads", found)


def _widgets() -> Row:
    try:
        import anywidget  # noqa: F401
        import ipywidgets  # noqa: F401
    except ImportError as error:
        return Row("widgets", f"{error.name} is missing", "problem", _INSTALL)
    try:
        from IPython import get_ipython
    except ImportError:
        return Row("widgets", "IPython is missing", "problem", _INSTALL)
    if getattr(get_ipython(), "kernel", None) is None:
        return Row("widgets", "installed; no notebook kernel here", "note", "open the lesson in JupyterLab")
    return Row("widgets", "installed; whether they are connected is said below the table")


def _few(names: list[str], count: int = 3) -> str:
    return ", ".join(names[:count]) + (" ..." if len(names) > count else "")


def _code(html: str) -> str:
    """Backticks as <code>."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html)


if __name__ == "__main__":
    report = check()
    print(report)
    sys.exit(bool(report.problems))
