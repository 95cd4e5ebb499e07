"""Where the course writes what can be computed again: claims, drawn photos."""

import os
from pathlib import Path

import tutorial_lib


def output_folder() -> Path:
    """`COURSE_BUILD`, else `build/` of the clone, else the user's cache (`~/.cache/pose-course`).

    The cache is for whoever has no clone (a wheel) or shares one that is read-only (a class). The folder need not
    exist yet.
    """
    named = os.environ.get("COURSE_BUILD")
    if named:
        return Path(named)
    clone = Path(tutorial_lib.__file__).resolve().parents[1]
    build = clone / "build"
    if (clone / "pyproject.toml").is_file() and os.access(build if build.is_dir() else clone, os.W_OK):
        return build
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pose-course"
