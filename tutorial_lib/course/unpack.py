"""Writes the lessons into a folder of one's own, from a wheel or from a clone.

    python -m tutorial_lib.course.unpack FOLDER
    python -m tutorial_lib.course.unpack FOLDER --lessons OTHER    notebooks from OTHER, e.g. a class's own selection

A file that is there already is left as it is, because someone may have worked in it.
"""

import argparse
import shlex
import shutil
import sys
from pathlib import Path

import tutorial_lib

PATTERN = "[0-9][0-9]_*.ipynb"


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


def unpack(folder: Path, lessons: Path | None = None) -> list[Path]:
    """Copy every lesson to `folder`; returns the files that are new.

    Raises:
        FileNotFoundError: if there is no lesson to copy.
        ValueError: if `folder` is a file, or cannot be written to.
    """
    lessons = shipped() if lessons is None else Path(lessons)
    found = sorted(lessons.glob(PATTERN))
    if not found:
        raise FileNotFoundError(
            f"lessons is {str(lessons)!r}, expected a folder with files such as 00_start_here.ipynb"
        )
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        new = [path for path in found if not (folder / path.name).exists()]
        return [Path(shutil.copyfile(path, folder / path.name)) for path in new]
    except OSError as error:
        raise ValueError(f"folder is {str(folder)!r}, expected one that can be made and written to: {error}") from error


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m tutorial_lib.course.unpack",
        description="Write the lessons into a folder; what is there stays.",
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lessons", type=Path, help="take the notebooks from here, not those that were shipped")
    options = parser.parse_args(arguments)
    try:
        new = unpack(options.folder, options.lessons)
    except (FileNotFoundError, ValueError) as error:
        parser.error(str(error))
    there = len(list(options.folder.glob(PATTERN))) - len(new)
    kept = f", {there} there already and left alone" if there else ""
    print(f"{len(new)} new lesson(s) in {options.folder}{kept}")
    print(f"Open them with: jupyter lab {shlex.quote(str(options.folder))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
