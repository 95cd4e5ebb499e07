"""The text of a BVH file: bones, channels, rows of numbers, and where they put every joint.

A parser of our own, because the text is simple and people's files are not: names with blanks, channels in any case,
UTF-16, a row too many. What it does not know it refuses by line, since a channel that is skipped shifts all others.
"""

import codecs
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from tutorial_lib.motion.validation import check_fps

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
    b"H\0": "utf-16-le", b"\0H": "utf-16-be",
}  # fmt: skip
_CHANNEL = re.compile(r"([xyz])(position|rotation)")
_MOST_JOINTS = 2000
_LARGEST = 1e7
"""Ten kilometres in millimetres; beyond, float32 metres know no millimetres, and it is no place of a person."""


@dataclass(frozen=True)
class Bvh:
    """A skeleton and its motion in the file's own axes and unit.

    Attributes:
        names: one for each joint, None for an end site; parents stand before children.
        parents: index of the joint above, -1 for the root.
        offsets: (J, 3) from the joint above, in the rest pose.
        channels: of each joint, in the order of the columns: (axis 0 to 2, is it a rotation?).
        rows: (T, channels of all joints) as written, rotations in degrees.
        fps: frames per second.
    """

    names: list[str | None]
    parents: list[int]
    offsets: np.ndarray
    channels: list[list[tuple[int, bool]]]
    rows: np.ndarray
    fps: float


def parse(path: Path) -> Bvh:
    """A BVH file; warns where the rows are not exactly as many as `Frames:` says.

    Raises:
        ValueError: if the file is damaged, holds several people or motions, or a channel that BVH does not have.
    """
    data = path.read_bytes()
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:  # an old code page: every byte is a letter, and different names stay different
        text = data.decode("latin-1")
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines or lines[0][1].upper() != "HIERARCHY":
        raise _damaged(path, 1, "the first line is not HIERARCHY")
    starts = [index for index, (_, line) in enumerate(lines) if line.upper() == "MOTION"]
    if not starts:
        raise _damaged(path, lines[-1][0], "there is no MOTION")
    if len(starts) > 1:
        number = lines[starts[1]][0]
        raise ValueError(f"{path.name}, line {number}: a second MOTION, expected one; split the file")
    names, parents, offsets, channels = _hierarchy(lines[1 : starts[0]], path)
    fps, rows = _motion(lines[starts[0] :], [name for name, own in zip(names, channels) for _ in own], path)
    return Bvh(names, parents, offsets, channels, rows, fps)


def _damaged(path: Path, line: int | str, reason: str) -> ValueError:
    where = line if isinstance(line, str) else f"line {line}"
    return ValueError(f"{path.name} is cut off or no BVH file ({where}: {reason}); export it again")


def _hierarchy(lines: list[tuple[int, str]], path: Path) -> tuple[list, list, np.ndarray, list]:
    names: list[str | None] = []
    parents, offsets, channels = [], [], []
    opened: list[int] = []
    waiting = False  # for the brace after a name
    for number, line in [(number, part.strip()) for number, whole in lines for part in re.split("([{}])", whole)]:
        word, _, rest = (line.replace("\t", " ") + " ").partition(" ")
        word, rest = word.upper(), rest.strip()
        if waiting and line and line != "{":
            raise _damaged(path, number, f"{line[:40]!r} where a brace should open")
        if word == "ROOT" and names:
            raise ValueError(f"{path.name}, line {number}: a second ROOT, expected one person; split the file")
        if word == "ROOT" or (word in ("JOINT", "END") and opened):
            name = None if word == "END" else rest
            if name is not None and name in names:
                raise ValueError(
                    f"{path.name}, line {number}: two joints are called {name}, expected one; rename one of them"
                )
            if len(names) == _MOST_JOINTS:
                raise ValueError(
                    f"{path.name} has more than {_MOST_JOINTS} joints, expected one person's; export fewer"
                )
            names.append(name)
            parents.append(opened[-1] if opened else -1)
            offsets.append(None)
            channels.append([])
            waiting = True
        elif line == "{" and waiting:
            opened.append(len(names) - 1)
            waiting = False
        elif line == "}" and opened:
            if offsets[opened[-1]] is None:
                raise _damaged(path, number, f"{names[opened[-1]] or 'an end site'} has no OFFSET")
            opened.pop()
        elif word == "OFFSET" and opened and offsets[opened[-1]] is None:
            offsets[opened[-1]] = _numbers(rest.split(), 3, f"line {number}: OFFSET", path)
        elif word == "CHANNELS" and opened and not channels[opened[-1]]:
            channels[opened[-1]] = _channels(rest.split(), number, path)
        elif line:
            raise _damaged(path, number, f"{line[:40]!r} is not understood here")
    if opened or waiting or not names:
        raise _damaged(path, lines[-1][0] if lines else 1, "the hierarchy does not end")
    return names, parents, np.array(offsets), channels


def _channels(words: list[str], line: int, path: Path) -> list[tuple[int, bool]]:
    if not words or words[0] != str(len(words) - 1):
        raise _damaged(path, line, f"{words[0] if words else 'no number of'} channels, but {len(words) - 1} names")
    known = [_CHANNEL.fullmatch(word.lower()) for word in words[1:]]
    if None in known:
        raise ValueError(
            f"{path.name}, line {line}: the channel {words[1 + known.index(None)]} is unknown, expected X, Y or Z "
            "with position or rotation; export without it"
        )
    own = [("xyz".index(match[1]), match[2] == "rotation") for match in known if match]
    moved = [axis for axis, turns in own if not turns]
    if len(set(moved)) < len(moved):
        raise ValueError(f"{path.name}, line {line}: a position channel stands there twice; export the file again")
    return own


def _motion(lines: list[tuple[int, str]], columns: list[str], path: Path) -> tuple[float, np.ndarray]:
    """Frames per second and the rows (T, C); columns: the joint of each."""
    heads = []
    for key, (number, line) in zip((r"frames", r"frame\s*time"), [*lines[1:3], *[(lines[-1][0], "")] * 2]):
        match = re.fullmatch(rf"{key}\s*:?\s*([-+.\w]+)", line, re.IGNORECASE)
        try:
            heads.append(float(match[1] if match else ""))
        except ValueError as error:
            reason = f"{line[:40]!r}, expected 'Frames:' and then 'Frame Time:' with a number"
            raise _damaged(path, number, reason) from error
    said, seconds = heads
    if not said >= 1:
        raise ValueError(f"{path.name} has {said:.0f} frames, expected at least 1; export it again")
    if not seconds > 0:
        raise ValueError(f"{path.name}: Frame Time is {seconds:g}, expected seconds > 0; correct that line")
    fps = check_fps(1 / seconds, f"{path.name}, Frame Time {seconds:g}")
    if not columns:
        raise ValueError(f"{path.name}: no joint has a channel, expected rotations; export it again")
    rows, lines = [], lines[3:]
    split = [line.split() for _, line in lines]
    if len(split) > said and len(split[-1]) < len(columns):  # a piece of a row beyond those that were promised
        split.pop()
    for frame, words in enumerate(split):
        where = f"line {lines[frame][0]}, frame {frame}"
        if len(words) != len(columns):
            raise ValueError(
                f"{path.name}, line {lines[frame][0]}: frame {frame} has {len(words)} numbers, "
                f"expected {len(columns)}, one for each channel; "
                "the file is cut off or its channels are not those of its rows: export it again"
            )
        rows.append(_numbers(words, len(columns), where, path, columns))
    if abs(len(rows) - said) > max(1, said // 100) or not rows:
        raise ValueError(
            f"{path.name}: {len(rows)} frames, expected {said:.0f}, as its line 'Frames:' says; "
            f"{'the file is cut off: export it again, or ' if len(rows) < said else ''}correct that line"
        )
    if len(lines) != said:
        warnings.warn(
            f"{path.name} has {len(lines)} rows, and 'Frames:' says {said:.0f}: the {len(rows)} whole rows are read",
            stacklevel=5,
        )
    return fps, np.array(rows)


def _numbers(words: list[str], count: int, where: str, path: Path, columns: list[str] | None = None) -> np.ndarray:
    if len(words) != count:
        raise _damaged(path, where, f"{len(words)} numbers, expected {count}")
    try:
        values = np.array(words, dtype=float)
    except ValueError as error:
        raise _damaged(path, where, str(error)) from error
    wrong = np.flatnonzero(~(np.abs(values) <= _LARGEST))
    if len(wrong):
        joint = f" of {columns[wrong[0]]}" if columns else ""
        raise ValueError(
            f"{path.name}, {where}: the number {words[wrong[0]]}{joint}, expected finite ones up to {_LARGEST:g}; "
            "cut the clip there or fill the gap"
        )
    return values


def forward(file: Bvh, name: str) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Every joint in every frame, by turning the bones from the root on.

    Position channels stand in place of a joint's offset. Some programs write there how far the joint has moved from
    it, which is nothing: offsets are then kept, with a warning.

    Args:
        file: the parsed file.
        name: the file's, for the warning.

    Returns:
        Positions (T, J, 3), the rest pose (J, 3) without any rotation, and each joint's
        rotations (T, 3, 3) into the file's axes.
    """
    count, joints = len(file.rows), len(file.names)
    places, rest = np.zeros((count, joints, 3)), np.zeros((joints, 3))
    turns: list[np.ndarray] = []
    inner, relative, column = [False] * joints, [], 0
    for joint, (parent, own) in enumerate(zip(file.parents, file.channels)):
        offset, turn = np.tile(file.offsets[joint], (count, 1)), np.broadcast_to(np.eye(3), (count, 3, 3))
        for axis, turns_it in own:
            if turns_it:
                turn = turn @ Rotation.from_euler("xyz"[axis], file.rows[:, column, None], degrees=True).as_matrix()
            else:
                offset[:, axis] = file.rows[:, column]
            column += 1
        # Below a fork of the skeleton a bone that (nearly) vanishes is none; above, it is the person's place.
        inner[joint] = parent >= 0 and (inner[parent] or file.parents.count(parent) > 1)
        bone = np.linalg.norm(file.offsets[joint])
        if inner[joint] and bone > 0 and np.median(np.linalg.norm(offset, axis=-1)) < 0.1 * bone:
            offset += file.offsets[joint]
            relative.append(file.names[joint])
        above = turns[parent] if parent >= 0 else np.eye(3)
        places[:, joint] = (places[:, parent] if parent >= 0 else 0) + (above @ offset[..., None])[..., 0]
        rest[joint] = (rest[parent] if parent >= 0 else 0) + np.median(offset, axis=0)
        turns.append(above @ turn)
    if relative:
        warnings.warn(
            f"{name}: the position channels of {', '.join(relative[:3])}{' …' if len(relative) > 3 else ''} are near 0 "
            "and would make bones vanish: taken as movements away from the joints' OFFSET",
            stacklevel=4,
        )
    return places, rest, turns
