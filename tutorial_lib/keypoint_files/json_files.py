"""The JSON that keypoint detectors write for a video: who was seen in which frame.

Read are results of COCO's kind (also AlphaPose's), OpenPifPaf's, MMPose's, OpenPose's, Ultralytics' and MediaPipe's, as
one file or as a folder with a file for each frame:

    [{"image_id": 7, "keypoints": [x, y, c, ...], "score": 0.9}, ...]
    {"frame": 7, "predictions": [{"keypoints": [...], "score": 0.9}, ...]}      one such line for each frame
    [{"frame_id": 7, "instances": [{"keypoints": [[x, y], ...], "keypoint_scores": [c, ...]}, ...]}, ...]
    [[{"keypoints": [...]}, ...], ...]                                           one inner list for each frame
    {"people": [{"pose_keypoints_2d": [x, y, c, ...]}, ...]}                     one such file for each frame
    {"7.jpg": {"people": [...]}, ...}                                            one entry for each frame

What may stand for a person's keypoints, see `layouts`.
"""

import json
import math
import reprlib
import warnings
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tutorial_lib.keypoint_files.frame_names import frame_numbers
from tutorial_lib.keypoint_files.layouts import LANDMARK_KEYS, OPENPOSE_KEYS, check_names, is_landmarks, to_coco
from tutorial_lib.keypoint_files.people import Person
from tutorial_lib.keypoint_files.pixels import LARGEST, Size, picture_size

_FRAME = ("frame", "frame_id", "frame_index", "image_id", "image_name")
_PEOPLE = ("predictions", "instances", "people", "bodies", "annotations", *LANDMARK_KEYS)
_WRAPPERS = ("instance_info", "frames", *_PEOPLE)
_KEYPOINTS = ("keypoints", *OPENPOSE_KEYS, *LANDMARK_KEYS)
_IDENTITY = ("track_id", "person_id", "idx", "id_", "id")


@dataclass(frozen=True)
class Seen:
    """Everybody that a detector saw.

    Attributes:
        frames: the people of each frame, from the first to the last in which there is somebody.
        numbers: of these frames.
        step: between the numbers; above 1 where only every n-th frame was looked at.
        size: width and height of the picture.
        sure: whether the confidences say anything: not where all are 0.
    """

    frames: list[list[Person]]
    numbers: list[int]
    step: int
    size: Size
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
            names of the frames are those of more than one video; if the picture's size is unknown.
    """
    path = Path(path)
    own: tuple[object, object] | None = None
    listed: list[str] = []  # every frame, also without people
    entries: list[_Entry] = []
    for document, file in _documents(path):
        if isinstance(document, dict):
            check_names(document, file or path.name)
            own = own or _own_size(document, path.name)
        for frame, people, where in _frames(document, path.name, file):
            listed.append(frame)
            entries += [_entry(frame, person, where) for person in people]
    if not entries:
        raise ValueError(f"{path.name} holds no person in any frame, expected at least one; check the detector")
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
        people[number[entry.frame]].append(_person(entry, size, sure))
    return Seen(*_in_order(people, path.name), size, sure)


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


def _documents(path: Path) -> Iterator[tuple[object, str | None]]:
    """What is in the file; in a folder the contents of each of its files, with their names."""
    if not path.is_dir():
        if not path.is_file():
            raise FileNotFoundError(f"{path} does not exist or is no file; check the name")
        yield _parse(path), None
        return
    files = sorted(file for file in path.glob("*.json") if file.is_file())
    if not files:
        held = ", ".join(sorted(file.name for file in path.iterdir())[:3])
        raise ValueError(
            f"{path} holds {held or 'nothing'}, expected a folder with a .json for each frame, as OpenPose writes it; "
            "pass the folder of the keypoints, or a file"
        )
    for file in files:
        yield _parse(file), file.name if len(files) > 1 else None


def _parse(path: Path) -> object:
    """What the JSON holds; a list of its lines where it is one document a line."""
    data = path.read_bytes()
    try:
        text = data.decode(json.detect_encoding(data))
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} is no text ({error}); expected JSON") from error
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        try:
            lines = [json.loads(line) for line in text.splitlines() if line.strip()]
        except (ValueError, RecursionError):
            lines = []
        if not lines:
            raise ValueError(f"{path.name} is no JSON, or cut off ({error}); write it again") from error
        return lines


def _own_size(document: dict, name: str) -> tuple[object, object] | None:
    pictures = document["images"] if isinstance(document.get("images"), list) else []
    found = [
        (e["width"], e["height"]) for e in (document, *pictures) if isinstance(e, dict) and {"width", "height"} <= {*e}
    ]
    other = next((size for size in found if size != found[0]), None)
    if other is not None:
        raise ValueError(f"{name} holds pictures of {found[0]} and of {other} pixels; make a file for each video")
    return found[0] if found else None


def _frames(document: object, name: str, file: str | None) -> Iterator[tuple[str, list, str]]:
    """(frame, people, where) of each frame, or of each person, in a document."""
    if file is not None:
        if isinstance(document, dict):
            document = next((document[key] for key in _PEOPLE if isinstance(document.get(key), list)), [document])
        if not isinstance(document, list):
            raise ValueError(f"{name}/{file} holds {str(document)[:40]!r}, expected the people of one frame")
        yield file, [document] if is_landmarks(document) else document, f"{name}/{file}"
        return
    pictures = {}
    if isinstance(document, dict):
        pictures = _file_names(document)
        document = _listed(document, name)
    if not isinstance(document, list):
        raise ValueError(f"{name} holds {str(document)[:40]!r}, expected a list of detections or of frames")
    for position, entry in enumerate(document):
        where = f"{name}, entry {position}"
        if isinstance(entry, list):
            yield str(position), [entry] if is_landmarks(entry) else entry, where
        elif isinstance(entry, dict):
            key = next((key for key in _PEOPLE if isinstance(entry.get(key), list)), None)
            people = [entry] if key is None else [entry[key]] if is_landmarks(entry[key]) else entry[key]
            # A frame that carries its people may leave its number out; a person alone may not.
            yield _frame(entry, where, None if key is None else str(position), pictures), people, where
        else:
            raise ValueError(f"{where} is {str(entry)[:40]!r}, expected a detection or a frame; check the file")


def _listed(document: dict, name: str) -> object:
    """The list of frames or of detections in a dict."""
    wrapper = next((key for key in _WRAPPERS if isinstance(document.get(key), list)), None)
    if wrapper is not None:
        people = document[wrapper]
        alone = (
            any(key in document for key in _FRAME)
            or is_landmarks(people)
            or (people and all(isinstance(one, dict) and any(key in one for key in OPENPOSE_KEYS) for one in people))
        )
        return [document] if alone else people  # alone: one line of a file of lines, one frame
    if document and all(isinstance(e, dict | list) and any(c.isdigit() for c in key) for key, e in document.items()):
        return [
            {"frame": key, "people": frame if isinstance(frame, list) else _people_of(frame)}
            for key, frame in document.items()
        ]
    raise ValueError(
        f"{name} has the entries {sorted(map(str, document))[:8]}, expected one of {', '.join(_WRAPPERS)}; "
        "save the detections as a COCO results list"
    )


def _people_of(frame: dict) -> list:
    return next((frame[key] for key in _PEOPLE if isinstance(frame.get(key), list)), [frame])


def _file_names(document: dict) -> dict[Hashable, str]:
    """COCO's image_id -> file name, where every picture has one."""
    pictures = document["images"] if isinstance(document.get("images"), list) else []
    names = {
        e.get("id"): e.get("file_name")
        for e in pictures
        if isinstance(e, dict) and not isinstance(e.get("id"), list | dict)
    }
    return names if all(isinstance(name, str) for name in names.values()) else {}


def _frame(entry: dict, where: str, otherwise: str | None, pictures: dict[Hashable, str]) -> str:
    """What the frame is called."""
    key = next((key for key in _FRAME if key in entry), None)
    if key is None:
        if otherwise is not None:
            return otherwise
        raise ValueError(
            f"{where} says no frame, expected one of {', '.join(_FRAME)}; "
            "add it, or write one list of people for each frame"
        )
    value = entry[key]
    if isinstance(value, int | str):
        value = pictures.get(value, value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | str) or not any(c in "0123456789" for c in str(value)):
        raise ValueError(
            f"{where}: {key} is {reprlib.repr(value)}, expected a frame number or a file name with one; "
            "name the frames by their numbers"
        )
    return str(value)


def _entry(frame: str, person: object, where: str) -> _Entry:
    table, shares = to_coco(person, where)
    found = table[:, :2][np.isfinite(table[:, :2])]
    if np.abs(found).max(initial=0.0) > LARGEST:
        far = found[np.abs(found).argmax()]
        raise ValueError(f"{where}: a keypoint is at {far:.3g}, expected pixels up to {LARGEST}; correct it")
    about = person if isinstance(person, dict) else {}
    key = next((key for key in ("score", "bbox_score", "confidence") if key in about), None)
    score = None if key is None else _only(about[key])
    if key is not None and not _is_number(score):
        raise ValueError(f"{where}: {key} is {reprlib.repr(about[key])}, expected a finite number; correct it")
    return _Entry(frame, where, table, shares, None if score is None else float(score), _identity(about))


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 1e9 and not math.isnan(value)


def _only(value: object) -> object:
    """The one element of a list, which some detectors write for a number."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _identity(about: dict) -> Hashable:
    found = (_only(about[key]) for key in _IDENTITY if key in about)
    return next((one for one in found if isinstance(one, int | float | str) and one != -1), None)


def _person(entry: _Entry, size: Size, sure: bool) -> Person:
    points = entry.table[:, :2] * (size if entry.shares else 1)
    # Whatever the confidence beside it, detectors write (0, 0) or a negative place for what they did not find.
    found = np.isfinite(points).all(-1) & ~(points <= 0).all(-1)
    if sure:
        found &= entry.table[:, 2] > 0  # false for NaN
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
