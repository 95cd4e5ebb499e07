"""States of a stage as one small file: numbers rounded to what a picture can show, what recurs stored once, gzipped.

An array becomes 16-bit whole numbers with a scale and an offset of its own (of cells, 8-bit ones: more levels no screen
shows), each the difference to the row before it, low bytes before high ones: so gzip finds something to do. `page.js`
reads it.
"""

import gzip
import hashlib
import json
from typing import Any

import numpy as np

from tutorial_lib.display.stage import in_bytes, unpack

HOLE = -(2**15)
"""Stands for NaN among 16-bit numbers."""


class Packer:
    """Takes states, gives `bytes`.

    Attributes:
        specs: of every array that is stored: its type ("u1", "i2" or "f4"), shape, scale and offset.
    """

    def __init__(self) -> None:
        self.specs: list[list] = []
        self._blobs: list[bytes] = []
        self._known: dict[bytes, int] = {}

    def state(self, value: Any, levels: tuple[float, float] | None = None, exact: bool = False) -> Any:
        """The same dicts and lists, every array replaced by {"$": its number}.

        Args:
            value: a state of the stage, or a part of one.
            levels: of cells: what is black and what is white.
            exact: float32 as it is: on a logarithmic axis small numbers count.
        """
        if isinstance(value, dict):
            if {"shape", "data"} <= set(value):
                return self.array(unpack(value), levels, exact)
            if "cells" in value:
                levels = tuple(value["range"])
            if value.get("kind") == "curve":
                exact = value["x"]["log"] or value["y"]["log"]
            return {key: self.state(part, levels, exact) for key, part in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.state(part, levels, exact) for part in value]
        return value

    def array(
        self, array: np.ndarray, levels: tuple[float, float] | None = None, exact: bool = False
    ) -> dict[str, int]:
        """Stores one array; arguments as of `state`."""
        return {"$": self._store(array, levels, exact)}

    def finish(self, content: dict[str, Any]) -> bytes:
        """The file: `content` as JSON beside all arrays."""
        head = json.dumps(content | {"arrays": self.specs}, separators=(",", ":"), ensure_ascii=False).encode()
        return gzip.compress(len(head).to_bytes(4, "little") + head + b"".join(self._blobs), 6, mtime=0)

    def _store(self, array: np.ndarray, levels: tuple[float, float] | None, exact: bool) -> int:
        kind, scale, offset = "f4", 1.0, 0.0
        numbers = array.astype("<f4")
        if levels:
            kind, (low, high) = "u1", levels
            scale, offset, numbers = (high - low) / 255, low, in_bytes(array, levels)
        elif not exact and array.size:
            holes, array = np.isnan(array), array.astype(float)
            low, high = (np.nanmin(array), np.nanmax(array)) if not holes.all() else (0.0, 0.0)
            kind, offset = "i2", float(low + high) / 2
            scale = float(high - low) / 2 / (2**15 - 1) or 1.0
            rounded = np.round((np.where(holes, offset, array) - offset) / scale)
            numbers = np.where(holes, HOLE, rounded).astype("<i2")
        if kind != "f4":
            numbers = np.diff(numbers, axis=0, prepend=np.zeros_like(numbers[:1]))  # whole numbers wrap around
        planes = np.frombuffer(numbers.tobytes(), "u1").reshape(-1, numbers.itemsize).T
        spec, blob = [kind, list(array.shape), scale, offset], planes.tobytes()
        key = hashlib.sha256(repr(spec).encode() + blob).digest()
        if key not in self._known:
            self._known[key] = len(self.specs)
            self.specs.append(spec)
            self._blobs.append(blob)
        return self._known[key]


def read(packed: bytes) -> dict[str, Any]:
    """What `Packer.finish` was given, arrays in their places: as page.js reads it."""
    data = gzip.decompress(packed)
    start = 4 + int.from_bytes(data[:4], "little")
    content, arrays = json.loads(data[4:start]), []
    for kind, shape, scale, offset in content.pop("arrays"):
        size = np.dtype(kind).itemsize
        stop = start + size * int(np.prod(shape))
        planes = np.frombuffer(data[start:stop], "u1").reshape(size, -1).T
        numbers = np.frombuffer(planes.tobytes(), np.dtype(kind).newbyteorder("<")).reshape(shape)
        if kind != "f4":
            numbers = np.cumsum(numbers, axis=0, dtype=numbers.dtype)
        array = numbers.astype(np.float32) if kind == "f4" else (offset + scale * numbers.astype(float))
        array = np.where(numbers == HOLE, np.nan, array) if kind == "i2" else array
        arrays.append({"shape": shape, "data": array.astype("<f4").tobytes()})
        start = stop
    return _filled(content, arrays)


def _filled(value: Any, arrays: list[dict]) -> Any:
    if isinstance(value, dict) and set(value) == {"$"}:
        return arrays[value["$"]]
    if isinstance(value, dict):
        return {key: _filled(part, arrays) for key, part in value.items()}
    return [_filled(part, arrays) for part in value] if isinstance(value, list) else value
