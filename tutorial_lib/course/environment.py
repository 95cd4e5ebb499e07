"""Looks at the reader's machine, for lesson 00: `check()` says what is fine and how to mend what is not."""

import importlib.metadata
import os
import platform
import re
import sys
from pathlib import Path

import psutil
import torch
from packaging.version import Version

from tutorial_lib.course.environment_report import Report, Row, State
from tutorial_lib.course.notebooks import ROOT
from tutorial_lib.training import resolve_device

SHOWN = ("torch", "numpy", "jupyterlab", "ipywidgets", "anywidget", "plotly", "papermill")
"""Packages that get a row of their own; all others share one."""

NEEDED_BYTES = 1.5e9
"""What a lesson may take in the quick profile."""

_INSTALL = "run `make lab` in the clone, or `pip install -r requirements.lock`"
_CGROUP = Path("/sys/fs/cgroup")


def check() -> Report:
    """Look at versions, device, memory, threads and widgets. Never raises: what is amiss becomes a row."""
    return Report(
        (Row("Python", platform.python_version()), *_packages(), _device(), _memory(), _threads(), _widgets())
    )


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
            state: State = "ok" if equal else "note" if found else "problem"
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
    device = resolve_device("auto")
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return Row("device", f"CUDA: {properties.name}, {properties.total_memory / 1e9:.0f} GB")
    idle = "; the Apple GPU (mps) is present, not used" if torch.backends.mps.is_available() else ""
    return Row("device", f"CPU (enough for every lesson in the quick profile){idle}")


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


def _few(names: list[str]) -> str:
    """The first three names."""
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")


if __name__ == "__main__":
    report = check()
    print(report)
    sys.exit(bool(report.problems))
