"""Which frame is it? The number in the names that detectors give to the frames of a video."""

import re
from collections.abc import Sequence

_DIGITS = 18
"""Longer numbers are no frame's."""


def frame_numbers(names: Sequence[str], where: str) -> list[int]:
    """The number of each frame: of all numbers in the names, the one that counts up.

    Names are whole, with their folder. Whatever else is in them must be the same in all: what differs in
    more than its frame comes from more than one video. Of several that count up, such as a time beside the frame, the
    one with the smallest range is the frame.

    Args:
        names: such as "video_2_frame_000123_1080p.jpg" or "7"; the same name stands for the same frame.
        where: file, for messages.

    Raises:
        ValueError: names of more than one video, or in which nothing counts up.
    """
    parts = [re.split(r"(\d+)", name) for name in names]
    strange = next((n for n, part in zip(names, parts) if part[::2] != parts[0][::2]), None)
    if strange is not None:
        raise _several(names[0], strange, where)
    long = next((n for n, part in zip(names, parts) if any(len(digits) > _DIGITS for digits in part[1::2])), None)
    if long is not None:
        raise ValueError(f"{where}: a frame is called {long[:40]!r}, expected a number of up to {_DIGITS} digits")
    columns = list(zip(*([int(digits) for digits in part[1::2]] for part in parts)))
    distinct = len(set(names))
    counting = [column for column in columns if len(set(column)) == distinct]
    if not counting:
        last = [max((c for c in columns if len(set(c)) > 1), key=lambda c: len(set(c)), default=columns[-1])][0]
        first = {}
        for name, number in zip(names, last):
            if first.setdefault(number, name) != name:
                raise _several(first[number], name, where)
    return list(min(counting[::-1], key=lambda column: max(column) - min(column)))


def _several(one: str, other: str, where: str) -> ValueError:
    return ValueError(
        f"{where}: frames are called {one[-60:]!r} and {other[-60:]!r}, expected the names of one video, in which only "
        "a number counts up; make a file for each video"
    )
