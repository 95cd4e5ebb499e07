"""Whose notebooks lie in a folder, and what is in them. Nothing that one student hands in keeps others from marks."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tutorial_lib.course.grade_report import readable

LARGEST_NOTEBOOK = 20_000_000
JUNK = ("__MACOSX", ".ipynb_checkpoints", ".DS_Store", "Thumbs.db", "desktop.ini")
"""What computers and programs that pack put beside people's files; so are names that begin with "._"."""


def find(folder: Path) -> list[tuple[str, Path]]:
    """(student, path) of everything handed in, in order: notebooks, and whatever has their name or stands in for them.

    A student's folder without a notebook stands for itself, so that nobody is left out of the table.

    Raises:
        ValueError: if there is no such folder, or nothing in it.
    """
    if not folder.is_dir():
        raise ValueError(f"submissions is {str(folder)!r}, expected a folder of notebooks: no such folder")
    paths = [path for top in sorted(folder.iterdir()) for path in _handed_in(top)]
    if not any(map(_named_like_one, paths)):
        raise ValueError(f"submissions is {str(folder)!r}, expected alice.ipynb or alice/*.ipynb in it, found neither")
    return [(_student(path.relative_to(folder).parts[0]), path) for path in paths]


def read(path: Path) -> NotebookNode:
    """The text of a handed-in notebook, without outputs. A cell that is none is left out; the others count.

    Raises:
        ValueError: if it is no file, a link, too large, or no notebook.
    """
    try:
        _refuse(path)
        text = path.read_bytes().decode("utf-8-sig")
        document = json.loads(text)
        if not isinstance(document, dict):
            raise ValueError(f"it holds a {type(document).__name__}, expected an object with cells")
        if "cells" not in document:
            document = nbformat.reads(text, as_version=4)  # of an older version
        cells, metadata = document.get("cells"), document.get("metadata")
        if not isinstance(cells, list):
            raise ValueError(f"its cells are a {type(cells).__name__}, expected a list")
    except Exception as error:  # whatever a damaged file provokes in a parser is the file's fault
        why = str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}"
        raise ValueError(f"it is no notebook that can be read: {readable(why[:200])}") from error
    return NotebookNode(
        metadata=metadata if isinstance(metadata, dict) else {},
        cells=[nbformat.from_dict({"cell_type": "code", "source": s, "metadata": {}}) for s in _sources(cells)],
    )


def code_cells(notebook: NotebookNode) -> list[str]:
    """The text of its code cells."""
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def _sources(cells: list) -> Iterator[str]:
    """The texts of the code cells among these."""
    for cell in cells:
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            lines = cell.get("source")
            lines = [lines] if isinstance(lines, str) else lines
            if isinstance(lines, list) and all(isinstance(line, str) for line in lines):
                yield "".join(lines)


def _refuse(path: Path) -> None:
    about = path.lstat()
    if stat.S_ISLNK(about.st_mode):
        raise ValueError("it is a link, expected the file itself")
    if stat.S_ISDIR(about.st_mode):
        raise ValueError("it is a folder without a notebook, or one that may not be looked into")
    if not stat.S_ISREG(about.st_mode):
        raise ValueError("it is a pipe, socket or device, expected a file")
    if about.st_size > LARGEST_NOTEBOOK:
        raise ValueError(f"it has {about.st_size:,} bytes, expected at most {LARGEST_NOTEBOOK:,}")


def _handed_in(top: Path) -> list[Path]:
    """What is in a file or folder at the top. Links are not followed; hidden folders and marks are no student's."""
    if _named_like_one(top) and (top.is_symlink() or not os.path.isdir(top)):
        return [] if _junk(top.name) else [top]
    if not os.path.isdir(top) or _junk(top.name) or top.name.startswith(".") or (top / "grades.csv").exists():
        return []
    return [top] if top.is_symlink() else sorted(_notebooks(top)) or [top]


def _notebooks(folder: Path) -> Iterator[Path]:
    """What has a notebook's name in a folder, and the folders in it that cannot be looked into; no link is followed."""
    closed: list[Path] = []
    for place, inner, files in os.walk(folder, onerror=lambda error: closed.append(Path(error.filename))):
        inner[:] = [name for name in inner if not _junk(name)]
        links = [name for name in inner if (Path(place) / name).is_symlink()]
        yield from (Path(place) / name for name in files + links if _named_like_one(Path(name)) and not _junk(name))
    yield from closed


def _named_like_one(path: Path) -> bool:
    return path.name.lower().endswith(".ipynb")


def _junk(name: str) -> bool:
    return name in JUNK or name.startswith("._")


def _student(name: str) -> str:
    """Whose a file or folder at the top is, by its name."""
    return readable(name[: -len(".ipynb")] if len(name) > len(".ipynb") and name.lower().endswith(".ipynb") else name)
