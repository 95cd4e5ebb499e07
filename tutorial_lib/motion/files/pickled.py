"""Reading the pickled Python objects inside VideoPose3D's npz files, only where the caller says so."""

import lzma
import os
import struct
import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np

DAMAGED = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, NotImplementedError, RuntimeError,
    KeyError, MemoryError, lzma.LZMAError, tokenize.TokenError, SyntaxError, TypeError, OverflowError,
)  # fmt: skip
"""What zipfile and numpy raise, besides ValueError, on files with flipped bits."""


def damaged(path: Path, error: Exception) -> ValueError:
    """The error that a reader raises for a file of which `error` was the first sign that it is broken."""
    return ValueError(f"{path.name} is empty, cut off or no npz file ({error!s:.200}); download it again")


def named_file(path: object) -> Path:
    """What a caller gave as a file's name; a ValueError for None and whatever else is none."""
    if not isinstance(path, str | os.PathLike):
        raise ValueError(f"path is {path!r:.80}, expected the name of a file; pass a text or a Path")
    return Path(path)


def read_objects(path: str | Path, names: tuple[str, ...], *, allow_pickle: bool = False) -> list:
    """The named entries of an npz whose arrays hold pickled objects, such as VideoPose3D's dictionaries.

    Args:
        path: file name.
        names: entries that must be there.
        allow_pickle: unpickling runs whatever code the file's author put in. True is for a file that you made
            yourself or whose origin you trust.

    Returns:
        One object for each name; a 0-dimensional array gives the object in it.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, lacks an entry, or may not be unpickled; says what to do.
    """
    path = named_file(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{path} does not exist or is no file; check the name")
    if not zipfile.is_zipfile(path):
        raise damaged(path, zipfile.BadZipFile("not a zip archive"))
    try:
        with np.load(path, allow_pickle=False) as archive:
            present = list(archive.files)
    except (*DAMAGED, ValueError) as error:
        raise damaged(path, error) from error
    missing = [name for name in names if name not in present]
    if missing:
        raise ValueError(
            f"{path.name} holds {sorted(present)}, expected {' and '.join(names)}; "
            "is it one of VideoPose3D's files, and the right one of them?"
        )
    if not allow_pickle:
        raise ValueError(
            f"{path.name} holds pickled Python objects; reading them runs any code that its author put in. "
            "If you made it yourself or trust where it comes from, pass allow_pickle=True"
        )
    try:
        with np.load(path, allow_pickle=True) as archive:
            arrays = [archive[name] for name in names]
    except Exception as error:  # a damaged pickle calls what it likes, and that raises what it likes
        raise ValueError(
            f"{path.name}: the pickled {' and '.join(names)} cannot be read ({error!s:.200}); make it again"
        ) from error
    return [array.item() if getattr(array, "shape", None) == () else array for array in arrays]
