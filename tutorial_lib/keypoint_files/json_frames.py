"""The frames in a detector's JSON, whatever the file is like, each with the people in it as they were written."""

import json
import os
import re
import reprlib
from collections.abc import Hashable, Iterator
from pathlib import Path

from tutorial_lib.keypoint_files.layouts import LANDMARK_KEYS, OPENPOSE_KEYS, is_points

_FRAME = (
    "frame", "frame_id", "frame_index", "frame_idx", "frame_number", "frame_no", "image_id", "image_name", "img_id",
    "img_name",
)  # fmt: skip
"""What may say which frame it is, in any case, with or without blanks and signs."""
_PEOPLE = ("predictions", "instances", "people", "bodies", "annotations", *LANDMARK_KEYS)
_WRAPPERS = ("instance_info", "frames", *_PEOPLE)


def documents(path: Path) -> Iterator[tuple[object, str | None]]:
    """What is in the file; in a folder the contents of each of its files, with their names."""
    if not os.path.isdir(path):
        if not os.path.isfile(path):  # both are false, too, for a name that no file system can hold
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


def own_size(document: dict, name: str) -> tuple[object, object] | None:
    pictures = document["images"] if isinstance(document.get("images"), list) else []
    found = [
        (e["width"], e["height"]) for e in (document, *pictures) if isinstance(e, dict) and {"width", "height"} <= {*e}
    ]
    other = next((size for size in found if size != found[0]), None)
    if other is not None:
        raise ValueError(f"{name} holds pictures of {found[0]} and of {other} pixels; make a file for each video")
    return found[0] if found else None


def frames(document: object, name: str, file: str | None) -> Iterator[tuple[str, list, str]]:
    """(frame, people, where) of each frame, or of each person, in a document."""
    if file is not None:
        if isinstance(document, dict):
            document = next((document[key] for key in _PEOPLE if isinstance(document.get(key), list)), [document])
        if not isinstance(document, list):
            raise ValueError(f"{name}/{file} holds {str(document)[:40]!r}, expected the people of one frame")
        yield file, [document] if is_points(document) else document, f"{name}/{file}"
        return
    pictures = {}
    if isinstance(document, dict):
        pictures = _file_names(document)
        document = _listed(document, name)
    if not isinstance(document, list):
        raise ValueError(f"{name} holds {str(document)[:40]!r}, expected a list of detections or of frames")
    for position, entry in enumerate(document):
        where = f"{name}, entry {position}"
        if isinstance(entry, list | None):
            yield str(position), [entry] if is_points(entry) else entry or [], where
        elif isinstance(entry, dict):
            key = next((key for key in _PEOPLE if key in entry and isinstance(entry[key], list | None)), None)
            people = [entry] if key is None else [entry[key]] if is_points(entry[key]) else entry[key] or []
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
            _frame_key(document) is not None
            or is_points(people)
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


def _frame_key(entry: dict) -> str | None:
    """The first of `_FRAME` among the keys, as it is spelt there."""
    spelt = {re.sub(r"[\W_]", "", key).lower(): key for key in entry}
    return next((spelt[word] for key in _FRAME if (word := key.replace("_", "")) in spelt), None)


def _frame(entry: dict, where: str, otherwise: str | None, pictures: dict[Hashable, str]) -> str:
    """What the frame is called."""
    key = _frame_key(entry)
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
