"""The JSON that keypoint detectors write for a video: who was seen in which frame.

Read are COCO's results list (also AlphaPose's), OpenPifPaf's and MMPose's files, and plain lists of frames:

    [{"image_id": 7, "keypoints": [x, y, c, ...], "score": 0.9}, ...]
    {"frame": 7, "predictions": [{"keypoints": [...], "score": 0.9}, ...]}      one such line for each frame
    [{"frame_id": 7, "instances": [{"keypoints": [[x, y], ...], "keypoint_scores": [c, ...]}, ...]}, ...]
    [[{"keypoints": [...]}, ...], ...]                                           one inner list for each frame
"""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_FRAME = ("frame", "frame_id", "frame_index", "image_id", "image_name")
_PEOPLE = ("predictions", "instances", "people", "annotations")
_WRAPPERS = ("instance_info", *_PEOPLE)


@dataclass(frozen=True)
class Person:
    """One detection.

    Attributes:
        points: (17, 2) pixels, NaN where a keypoint was not found.
        confidence: (17,), 0 where a keypoint was not found.
        score: of the whole person, as the detector says it, else the mean confidence.
    """

    points: np.ndarray
    confidence: np.ndarray
    score: float


def read(path: str | Path) -> tuple[list[list[Person]], tuple[int, int] | None]:
    """Everybody that a detector saw, frame by frame.

    Returns:
        (frames, size): a list of people for each frame of the video, empty where nobody was found; width and height
        if the file says them, else None. Where only every n-th frame was looked at, only those are in the list.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no JSON, of another layout, or of other than COCO's 17 keypoints.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist or is no file; check the name")
    document = _parse(path)
    size = None
    if isinstance(document, dict):
        size = _size(document)
        wrapper = next((key for key in _WRAPPERS if isinstance(document.get(key), list)), None)
        if wrapper is None:
            raise ValueError(
                f"{path.name} has the entries {sorted(document)[:8]}, expected one of {', '.join(_WRAPPERS)}; "
                "save the detections as a COCO results list"
            )
        # One line of a file of lines: a single frame.
        document = [document] if any(key in document for key in _FRAME) else document[wrapper]
    if not isinstance(document, list):
        raise ValueError(f"{path.name} holds {str(document)[:40]!r}, expected a list of detections or of frames")
    seen: dict[int, list[Person]] = {}
    for position, entry in enumerate(document):
        where = f"{path.name}, entry {position}"
        if isinstance(entry, list):
            number, people = position, entry
        elif isinstance(entry, dict):
            inner = next((entry[key] for key in _PEOPLE if isinstance(entry.get(key), list)), None)
            # A frame that carries its people may leave its number out; a person alone may not.
            number = _number(entry, where, None if inner is None else position)
            people = [entry] if inner is None else inner
        else:
            raise ValueError(f"{where} is {str(entry)[:40]!r}, expected a detection or a frame; check the file")
        seen.setdefault(number, []).extend(_person(person, where) for person in people)
    return _in_order(seen, path.name), size


def _parse(path: Path) -> object:
    """What the JSON holds; a list of its lines where it is one document a line."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} is no text ({error}); expected JSON") from error
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        try:
            lines = [json.loads(line) for line in text.splitlines() if line.strip()]
        except (json.JSONDecodeError, RecursionError):
            lines = []
        if not lines:
            raise ValueError(f"{path.name} is no JSON, or cut off ({error}); write it again") from error
        return lines


def _size(document: dict) -> tuple[int, int] | None:
    for entry in [document, *(document["images"] if isinstance(document.get("images"), list) else [])]:
        if isinstance(entry, dict) and all(isinstance(entry.get(side), int) for side in ("width", "height")):
            return entry["width"], entry["height"]
    return None


def _number(entry: dict, where: str, otherwise: int | None) -> int:
    key = next((key for key in _FRAME if key in entry), None)
    if key is None:
        if otherwise is not None:
            return otherwise
        raise ValueError(
            f"{where} says no frame, expected one of {', '.join(_FRAME)}; "
            "add it, or write one list of people for each frame"
        )
    digits = re.findall(r"\d+", Path(str(entry[key])).stem)
    if isinstance(entry[key], bool) or not digits:
        raise ValueError(f"{where}: {key} is {entry[key]!r}, expected a frame number or a file name with one")
    return int(digits[-1])


def _person(entry: object, where: str) -> Person:
    entry = entry if isinstance(entry, dict) else {}
    try:
        values = np.asarray(entry.get("keypoints"), dtype=np.float64)
    except (TypeError, ValueError):
        values = np.empty(0)
    scores = entry.get("keypoint_scores")
    if scores is not None and values.shape == (17, 2) and np.shape(scores) == (17,):
        values = np.column_stack([values, scores])
    if values.size != 51 or values.shape not in ((51,), (17, 3)):
        raise ValueError(
            f"{where}: keypoints has the shape {values.shape}, expected 51 numbers: x, y and confidence of COCO's 17 "
            "keypoints; run the detector with a COCO model"
        )
    values = values.reshape(17, 3)
    found = np.isfinite(values).all(-1) & (values[:, 2] > 0)
    points = np.where(found[:, None], values[:, :2], np.nan)
    confidence = np.where(found, values[:, 2], 0.0)
    score = next((entry[key] for key in ("score", "bbox_score") if key in entry), confidence.mean())
    if not isinstance(score, int | float) or not math.isfinite(score):
        raise ValueError(f"{where}: score is {score!r}, expected a finite number; correct it")
    return Person(points, confidence, float(score))


def _in_order(seen: dict[int, list[Person]], name: str) -> list[list[Person]]:
    numbers = sorted(number for number, people in seen.items() if people)
    if not numbers:
        raise ValueError(f"{name} holds no person in any frame, expected at least one; check the detector")
    # A detector that looked at every n-th frame leaves no gaps in between.
    step = math.gcd(*(b - a for a, b in zip(numbers, numbers[1:]))) or 1
    count = (numbers[-1] - numbers[0]) // step + 1
    if count > 2 * len(numbers):
        raise ValueError(
            f"{name}: people in {len(numbers)} frames between frame {numbers[0]} and {numbers[-1]}, expected at least "
            "half of them; cut the video to where the person is seen, or are these the pictures of no video?"
        )
    return [seen.get(number, []) for number in range(numbers[0], numbers[-1] + 1, step)]
