"""The JSON that keypoint detectors write for a video: who was seen in which frame.

Read are results of COCO's kind (also AlphaPose's), OpenPifPaf's, MMPose's, OpenPose's, Ultralytics' and MediaPipe's, as
one file or as a folder with a file for each frame:

    [{"image_id": 7, "keypoints": [x, y, c, ...], "score": 0.9}, ...]
    {"frame": 7, "predictions": [{"keypoints": [...], "score": 0.9}, ...]}      one such line for each frame
    [{"frame_id": 7, "instances": [{"keypoints": [[x, y], ...], "keypoint_scores": [c, ...]}, ...]}, ...]
    [[{"keypoints": [...]}, ...], ...]                                           one inner list for each frame
    {"people": [{"pose_keypoints_2d": [x, y, c, ...]}, ...]}                     one such file for each frame
    {"7.jpg": {"people": [...]}, ...}                                            one entry for each frame

The first dict of a file may say the picture's width and height, and the video's fps.

What may stand for a person's keypoints, see `layouts`.
"""

import math
import reprlib
import warnings
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tutorial_lib.keypoint_files.frame_names import frame_numbers
from tutorial_lib.keypoint_files.json_frames import documents, frames, own_size
from tutorial_lib.keypoint_files.layouts import check_names, is_nobody, to_coco
from tutorial_lib.keypoint_files.people import Person
from tutorial_lib.keypoint_files.pixels import LARGEST, Size, check_unit, picture_size
from tutorial_lib.motion.validation import check_fps

_IDENTITY = ("track_id", "person_id", "idx", "id_", "id")


@dataclass(frozen=True)
class Seen:
    """Everybody that a detector saw.

    Attributes:
        frames: the people of each frame, from the first to the last in which there is somebody.
        numbers: of these frames.
        step: between the numbers; above 1 where only every n-th frame was looked at.
        size: width and height of the picture.
        fps: frames per second of the video, as the file says it; None where it does not.
        sure: whether the confidences say anything: not where all are 0.
    """

    frames: list[list[Person]]
    numbers: list[int]
    step: int
    size: Size
    fps: float | None
    sure: bool


@dataclass(frozen=True)
class _Entry:
    """One person as the file has it: frame, x, y and confidence (17, 3), whether x and y are shares of the picture."""

    frame: str
    where: str
    table: np.ndarray
    shares: bool
    score: float | None
    identity: Hashable


def read(path: str | Path, size: Size | None = None) -> Seen:
    """Everybody that a detector saw, frame by frame.

    Args:
        path: a file, or a folder with a file for each frame.
        size: of the picture; None takes the file's.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no JSON, of another layout, of other than COCO's 17 keypoints, or holds nobody; if the
            names of the frames are those of more than one video; if the picture's size is unknown; if fps is none.
    """
    path = Path(path)
    own: tuple[object, object] | None = None
    fps: float | None = None
    listed: list[str] = []  # every frame, also without people
    entries: list[_Entry] = []
    for document, file in documents(path):
        if isinstance(document, dict):
            check_names(document, file or path.name)
            own = own or own_size(document, path.name)
            fps = fps if document.get("fps") is None else check_fps(document["fps"], path.name)
        for frame, people, where in frames(document, path.name, file):
            listed.append(frame)
            entries += [_entry(frame, person, where) for person in people if not is_nobody(person)]
    nobody = f"{path.name} holds no person in any frame, expected at least one; check the detector"
    if not entries:
        raise ValueError(nobody)
    for entry in entries:
        places = entry.table[np.isfinite(entry.table[:, :2]).all(-1) & (entry.table[:, :2] != 0).any(-1), :2]
        if len(places) > 2 and not entry.shares:
            check_unit(places, entry.where)
    size = known_size(size, own, path.name, ("width", "height"))
    number = dict(zip(listed, frame_numbers(listed, path.name)))
    sure = any((entry.table[:, 2] > 0).any() for entry in entries)
    if not sure:
        warnings.warn(
            f"{path.name}: confidence is 0 everywhere; it is taken for unknown, and what is not at (0, 0) for found",
            stacklevel=4,
        )
    people: dict[int, list[Person]] = {frame: [] for frame in number.values()}
    for entry in entries:
        person = _person(entry, size, sure)
        if person.height:  # OpenPose writes people of whom it saw a face alone
            people[number[entry.frame]].append(person)
    if not any(people.values()):
        raise ValueError(nobody)
    return Seen(*_in_order(people, path.name), size, fps, sure)


def known_size(size: Size | None, own: tuple[object, object] | None, where: str, fields: tuple[str, str]) -> Size:
    """The picture's size as the caller says it, else as the file does; warns where they contradict.

    Args:
        size: the caller's.
        own: the file's.
        where: file and video, for messages.
        fields: what the file calls width and height.

    Raises:
        ValueError: if neither says it, or the file's are no sides of a picture.
    """
    if size is None and own is None:
        raise ValueError(f"{where} does not say how large the picture is; pass size=(width, height) in pixels")
    if size is None:
        return picture_size(own, f"{where}: ({', '.join(fields)})")
    if own is not None and [str(side) for side in own] != [str(side) for side in size]:
        warnings.warn(
            f"{where} is of a picture of {reprlib.repr(own[0])} x {reprlib.repr(own[1])} pixels by its own word, but "
            f"size is {size}, which is taken",
            stacklevel=5,
        )
    return size


def _entry(frame: str, person: object, where: str) -> _Entry:
    table, shares = to_coco(person, where)
    found = table[:, :2][np.isfinite(table[:, :2])]
    if np.abs(found).max(initial=0.0) > LARGEST:
        far = found[np.abs(found).argmax()]
        raise ValueError(f"{where}: a keypoint is at {far:.3g}, expected pixels up to {LARGEST}; correct it")
    about = person if isinstance(person, dict) else {}
    return _Entry(frame, where, table, shares, _score(about, where), _identity(about))


def _score(about: dict, where: str) -> float | None:
    key = next((key for key in ("score", "bbox_score", "confidence") if key in about), None)
    if key is None:
        return None
    score = _only(about[key])
    if isinstance(score, bool) or not isinstance(score, int | float) or not abs(score) < 1e9:  # NaN is not below
        raise ValueError(f"{where}: {key} is {reprlib.repr(about[key])}, expected a finite number; correct it")
    return float(score)


def _only(value: Any) -> Any:
    """The one element of a list, which some detectors write for a number."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _identity(about: dict) -> Hashable:
    found = (_only(about[key]) for key in _IDENTITY if key in about)
    return next((one for one in found if isinstance(one, int | float | str) and one != -1), None)


def _person(entry: _Entry, size: Size, sure: bool) -> Person:
    points = entry.table[:, :2] * (size if entry.shares else 1)
    # Whatever the confidence beside it, detectors write (0, 0) or a negative place for what they did not find.
    x, y = points.T
    found = np.isfinite(x) & np.isfinite(y) & ((x > 0) | (y > 0))
    if sure:
        found = found & (entry.table[:, 2] > 0)  # false for NaN
    points = np.where(found[:, None], points, np.nan)
    confidence = np.where(found, entry.table[:, 2] if sure else 1.0, 0.0)
    return Person(points, confidence, confidence.mean() if entry.score is None else entry.score, entry.identity)


def _in_order(seen: dict[int, list[Person]], name: str) -> tuple[list[list[Person]], list[int], int]:
    """(frames, numbers, step), without gaps between the first and the last frame with people."""
    every = sorted(seen)
    # A detector that looked at every n-th frame leaves no gaps in between.
    step = math.gcd(*(b - a for a, b in zip(every, every[1:]))) or 1
    busy = [number for number in every if seen[number]]
    numbers = range(busy[0], busy[-1] + 1, step)
    if len(numbers) > 2 * len(busy):
        raise ValueError(
            f"{name}: people in {len(busy)} frames between frame {busy[0]} and {busy[-1]}, expected at least "
            "half of them; cut the video to where the person is seen, or are these the pictures of no video?"
        )
    return [seen.get(number, []) for number in numbers], list(numbers), step
