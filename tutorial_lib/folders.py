"""Where the course writes what can be computed again: claims, drawn photos, trained networks."""

import functools
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import tutorial_lib


def output_folder() -> Path:
    """The one folder that the course writes into; it need not exist yet.

    `COURSE_BUILD` if it is set; else `build/` of the clone; else the user's cache (`~/.cache/pose-course`), for whoever
    has no clone (a wheel) or shares one that is read-only (a class); else a temporary folder of this user, with a
    warning, where there is no home or none that can be written to.
    """
    named = os.environ.get("COURSE_BUILD")
    if named:
        return Path(named)
    clone = Path(tutorial_lib.__file__).resolve().parents[1]
    if (clone / "pyproject.toml").is_file() and _writable(clone / "build"):
        return clone / "build"
    home = Path(os.path.expanduser("~"))  # where there is no home, this stays "~"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "pose-course"
    return cache if cache.is_absolute() and _writable(cache) else _temporary()


def _writable(folder: Path) -> bool:
    """Whether the folder, or the nearest one above it that exists, can be written to."""
    while not folder.exists() and folder.parent != folder:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


@functools.cache  # one warning a process
def _temporary() -> Path:
    user = os.getuid() if hasattr(os, "getuid") else None
    folder = Path(tempfile.gettempdir()) / f"pose-course-{'user' if user is None else user}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        owned = not folder.is_symlink() and user in (None, folder.stat().st_uid)
    except OSError:  # a file of that name
        owned = False
    if not owned:  # anyone may have made it: the name is known beforehand
        folder = Path(tempfile.mkdtemp(prefix="pose-course-"))
    warnings.warn(
        f"neither the course's folder nor a home can be written to: what is computed goes to {folder}, which may be "
        "emptied at any time. Set COURSE_BUILD to a folder that stays",
        stacklevel=3,
    )
    return folder


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Make a file, whole or not at all, and leave nothing else; its folder is made if need be.

    Several processes may do so at once: each writes into a folder of its own, and the last one's file stays.

    Args:
        path: of the file.
        write: gets a path on the same disk and writes there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".partial-") as own:
        half = Path(own) / path.name
        write(half)
        half.replace(path)
