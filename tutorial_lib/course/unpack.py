"""Writes the lessons into a folder of one's own, from a wheel or from a clone.

    python -m tutorial_lib.course.unpack FOLDER
    python -m tutorial_lib.course.unpack FOLDER --lessons OTHER    notebooks from OTHER, e.g. a class's own selection
    python -m tutorial_lib.course.unpack FOLDER --trust            as `make lab` does: Jupyter then shows all of them

Exercises come as stubs, with a solution folded below each (`--solved`: as they stand in the course).

A file that is there already is left as it is, because someone may have worked in it; where the course has a newer
version of that lesson, a line says so. What was copied is remembered in FOLDER/.lessons.json.

Of a notebook that Jupyter does not trust it cuts the HTML down (claim cards) until its cells are run, and of one that
it trusts every script runs. So what is trusted is the course's own: a copy without a changed byte, of a lesson that is
as the clone's last commit has it, or, where there is no git to ask, of one that has its text in notebooks/source.
"""

import argparse
import hashlib
import json
import shlex
import subprocess
import sys
from pathlib import Path

import tutorial_lib
from tutorial_lib.course.student import learners_copy
from tutorial_lib.folders import write_whole

PATTERN = "[0-9][0-9]_*.ipynb"
COPIED = ".lessons.json"
"""In the folder of the copies: file name -> SHA-256 of the lesson as it was copied."""


def shipped() -> Path:
    """Where the lessons are: inside the package if it came as a wheel, beside it in a clone.

    Raises:
        FileNotFoundError: if they are in neither place.
    """
    package = Path(tutorial_lib.__file__).resolve().parent
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if any(folder.glob(PATTERN)):
            return folder
    raise FileNotFoundError(f"no lessons in or beside {package}: install the course from its wheel or from its clone")


def unpack(folder: Path, lessons: Path | None = None, solved: bool = False) -> list[Path]:
    """Copy every lesson to `folder`; returns the files that are new.

    Args:
        folder: gets the copies.
        lessons: where to take them from, if not from the course.
        solved: leaves the exercises as they are.

    Raises:
        FileNotFoundError: if there is no lesson to copy.
        ValueError: if `folder` is a file, or cannot be written to.
    """
    found, folder, new = _lessons(lessons), Path(folder), []
    try:
        copied = _copied(folder)
        for path in found:
            target = folder / path.name
            if not target.exists():
                content = _copy(path, solved)
                write_whole(target, lambda half, content=content: half.write_bytes(content))
                copied[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
                new.append(target)
        if new:
            text = json.dumps(copied, indent=1, sort_keys=True)
            write_whole(folder / COPIED, lambda half: half.write_text(text + "\n", encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"folder is {str(folder)!r}, expected one that can be made and written to: {error}") from error
    return new


def outdated(folder: Path, lessons: Path | None = None) -> list[str]:
    """Names of the lessons in `folder` that the course has changed since they were copied."""
    copied, names = _copied(folder), []
    for path in _lessons(lessons):
        newer = copied.get(path.name) not in (None, hashlib.sha256(path.read_bytes()).hexdigest())
        if newer and (folder / path.name).read_bytes() not in (_copy(path, False), _copy(path, True)):
            names.append(path.name)
    return names


def _copy(lesson: Path, solved: bool) -> bytes:
    """What a learner gets of a lesson. A notebook that is not ours stays as it is."""
    content = lesson.read_bytes()
    return content if solved or b"BEGIN SOLUTION" not in content else learners_copy(content, lesson.stem)


def trust(folder: Path, lessons: Path | None = None) -> list[str]:
    """Let Jupyter trust the copies in `folder` that are, byte for byte, lessons of the course; returns their names.

    Args:
        folder: of the copies.
        lessons: the folder that they came from, if it is not the course's; whoever names it answers for what is in it.
    """
    from nbformat import reader
    from nbformat.sign import NotebookNotary

    trusted = []
    with NotebookNotary() as notary:
        for path in _lessons(lessons):
            content = (folder / path.name).read_bytes()
            is_copy = content in (_copy(path, False), _copy(path, True))
            if is_copy and (lessons or _is_ours(path, path.read_bytes())):
                notary.sign(reader.reads(content.decode("utf-8")))
                trusted.append(path.name)
    return trusted


def _lessons(folder: Path | None) -> list[Path]:
    folder = shipped() if folder is None else Path(folder)
    found = sorted(folder.glob(PATTERN))
    if not found:
        raise FileNotFoundError(f"lessons is {str(folder)!r}, expected a folder with files such as 00_start_here.ipynb")
    return found


def _copied(folder: Path) -> dict[str, str]:
    """What `unpack` remembers; nothing where that is lost, which costs a hint and no more."""
    try:
        found = json.loads((folder / COPIED).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        found = None
    return found if isinstance(found, dict) else {}


def _is_ours(lesson: Path, content: bytes) -> bool:
    """Whether a notebook beside or inside the package is one that the course brought."""
    package = Path(tutorial_lib.__file__).resolve().parent
    if lesson.parent.parent == package:
        return True  # a wheel
    if (package.parent / ".git").exists():
        try:
            command = ["git", "-C", str(lesson.parent), "ls-tree", "HEAD", "--", lesson.name]
            told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[:3]
        except (OSError, subprocess.CalledProcessError):
            told = None  # no git, or one that does not read another account's clone
        if told is not None:  # mode, "blob", number
            digest = hashlib.sha256 if len(told[-1:] and told[-1]) == 64 else hashlib.sha1
            return told[2:] == [digest(b"blob %d\0" % len(content) + content).hexdigest()]
    return (lesson.parent / "source" / lesson.name).with_suffix(".py").is_file()


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m tutorial_lib.course.unpack",
        description="Write the lessons into a folder; what is there stays.",
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lessons", type=Path, help="take the notebooks from here, not those that were shipped")
    parser.add_argument("--solved", action="store_true", help="with the exercises' solutions in their places")
    parser.add_argument("--trust", action="store_true", help="let Jupyter trust the copies that nobody has changed")
    options = parser.parse_args(arguments)
    folder, lessons = options.folder, options.lessons
    try:
        new = unpack(folder, lessons, options.solved)
    except (FileNotFoundError, ValueError) as error:
        parser.error(str(error))
    there = len(list(folder.glob(PATTERN))) - len(new)
    kept = f", {there} there already and left alone" if there else ""
    print(f"{len(new)} new lesson(s) in {folder}{kept}")
    for name in outdated(folder, lessons):
        print(f"{folder / name}: the course has a newer version. Rename yours to get it as well")
    if options.trust:
        trust(folder, lessons)
    else:
        print(f"Open them with: jupyter lab {shlex.quote(str(folder))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
