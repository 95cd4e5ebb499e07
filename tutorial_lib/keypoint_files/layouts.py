"""From the keypoints of one person, as detectors order and write them, to COCO's 17.

Told for sure, and read, are

    17 keypoints            COCO's, as numbers [x, y, confidence, ...], rows, {x: [...], y: [...]} or [{x, y}, ...]
    keypoints with names    among them COCO's, in any order: {nose: [x, y, confidence], ...} or [{name, x, y}, ...]
    26, 133, 136            Halpe-26, COCO-WholeBody and Halpe-136: the first 17 are COCO's
    pose_keypoints_2d       OpenPose's BODY_25, and its older 18
    33 landmarks            MediaPipe's, which are shares of the picture's width and height
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tutorial_lib.keypoint_files.coco import KEYPOINTS

OPENPOSE = {
    25: (0, 16, 15, 18, 17, 5, 2, 6, 3, 7, 4, 12, 9, 13, 10, 14, 11),
    18: (0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10),
}
"""How many keypoints -> where COCO's 17 are among them. BODY_25, and the COCO model with a neck."""
MEDIAPIPE = (0, 2, 5, 7, 8, *range(11, 17), *range(23, 29))
"""COCO's 17 among MediaPipe's 33 landmarks."""
BEGIN_WITH_COCO = (17, 26, 133, 136)

OPENPOSE_KEYS = ("pose_keypoints_2d", "pose_keypoints", "joints")
LANDMARK_KEYS = ("landmarks", "pose_landmarks", "poseLandmarks")
_SURE = ("visible", "visibility", "confidence", "score", "conf")
_KNOWN = {
    15: "MPII's or OpenPose's 15",
    16: "MPII's 16",
    18: "OpenPose's 18: they are read from pose_keypoints_2d",
    21: "a hand's 21",
    24: "SMPL's 24",
    25: "OpenPose's BODY_25: they are read from pose_keypoints_2d",
    32: "Human3.6M's 32",
    33: "MediaPipe's 33: write each as {x, y, visibility}, or as x, y, z, visibility",
    68: "a face's 68",
}


def is_landmarks(entry: object) -> bool:
    """Whether this is one person as a bare list of MediaPipe's landmarks."""
    return isinstance(entry, list) and len(entry) == 33 and all(isinstance(e, dict) and "x" in e for e in entry)


def is_points(entry: object) -> bool:
    """Whether this is one person as a bare list: landmarks, or 17 rows."""
    rows = isinstance(entry, list) and len(entry) == 17 and all(isinstance(e, list) and len(e) == 3 for e in entry)
    return rows or is_landmarks(entry)


def is_nobody(entry: object) -> bool:
    """Whether a detector wrote a person without any keypoint, such as that of a box alone."""
    keypoints = entry.get("keypoints", True) if isinstance(entry, dict) else entry
    return keypoints is None or keypoints == []


def _is_wide(value: object) -> bool:
    """Whether these are rows of x, y, z, visibility."""
    return isinstance(value, list) and isinstance(value[0], list) and len(value[0]) == 4


def to_coco(entry: Any, where: str) -> tuple[np.ndarray, bool]:
    """One person's keypoints.

    Args:
        entry: what a detector wrote for a person: a dict, or a bare list of landmarks.
        where: file and entry, for messages.

    Returns:
        (table, shares): (17, 3) x, y, confidence in the order of `coco.KEYPOINTS`, NaN where something is null; and
        whether x and y are shares of the picture's width and height instead of pixels.

    Raises:
        ValueError: another layout; says which one it looks like.
    """
    entry = entry if isinstance(entry, dict) else {"landmarks": entry}
    key = next((key for key in (*OPENPOSE_KEYS, *LANDMARK_KEYS) if key in entry), "keypoints")
    if key not in entry:
        raise ValueError(
            f"{where} has the entries {sorted(map(str, entry))[:8]}, expected keypoints, 51 numbers: x, y and "
            "confidence of COCO's 17; is it the file of a detector of boxes?"
        )
    value = entry[key]
    if isinstance(value, Mapping) and "landmark" in value:  # as protobuf writes MediaPipe's
        value = value["landmark"]
    value = _by_name(value, where)
    try:
        sure = np.asarray(entry.get("keypoint_scores"), dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{where}: keypoint_scores cannot be read ({error}), expected a number for each") from error
    trouble = ""
    try:
        written: np.ndarray = np.atleast_1d(_table(value, sure))
    except (TypeError, ValueError, OverflowError, AttributeError, KeyError) as error:
        written, trouble = np.empty(0), f" ({error!r:.80})"
    flat = written.ndim == 1 and len(written) in [3 * number for number in (*BEGIN_WITH_COCO, *OPENPOSE)]
    table = written.reshape(-1, 3) if flat else written
    count = len(table)
    whole = table.shape == (count, 3)
    if whole and key in OPENPOSE_KEYS and count in OPENPOSE:
        return table[list(OPENPOSE[count])], False
    if whole and key not in OPENPOSE_KEYS and count in BEGIN_WITH_COCO:
        return table[:17], False
    if whole and count == 33 and (is_landmarks(value) or _is_wide(value)):
        hips = table[23:25, :2].sum(0)
        if np.abs(hips).max() < 1e-3 and np.nanmin(table[:, :2]) < 0:
            raise ValueError(
                f"{where}: {key} has its origin between the hips, expected places in the picture; these look like "
                "MediaPipe's pose_world_landmarks: save pose_landmarks"
            )
        return table[list(MEDIAPIPE)], bool(np.nanmax(np.abs(table[:, :2]), initial=0.0) < 3)
    points = count if table.ndim == 2 else count // 3
    looks = f"; these look like {_KNOWN[points]}" if points in _KNOWN else ""
    raise ValueError(
        f"{where}: {key} has the shape {written.shape}{trouble}, expected 51 numbers: x, y and confidence of COCO's 17 "
        f"keypoints{looks}; run the detector with a COCO model"
    )


def _by_name(value: Any, where: str) -> Any:
    """The points in the order of `coco.KEYPOINTS` if each has a name, None for one that is left out; else as they are.

    Raises:
        ValueError: if they have names, and none is COCO's.
    """
    if isinstance(value, Mapping) and "x" not in value:
        named = dict(value)
    elif isinstance(value, list) and len(value) != 33 and all(_name_of(point) is not None for point in value):
        named = {_name_of(point): point for point in value}
    else:
        return value
    spelt = {re.sub(r"[\W_]", "", str(name)).lower(): point for name, point in named.items()}
    points = [spelt.get(name.replace("_", "")) for name in KEYPOINTS]
    if not any(points):
        raise _other_names([*named], where)
    return points


def _name_of(point: object) -> object:
    return point.get("name", point.get("part")) if isinstance(point, Mapping) else None


def _other_names(names: list, where: str) -> ValueError:
    return ValueError(
        f"{where} names its keypoints {', '.join(map(str, names[:4]))} ..., expected COCO's: "
        f"{', '.join(KEYPOINTS[:4])} ...; run the detector with a COCO model"
    )


def _row(point: Any) -> Any:
    """x, y, confidence of a point that may be a dict, PoseNet's with its `position`, or missing."""
    if point is None:
        return [np.nan, np.nan, 0.0]
    if not isinstance(point, Mapping):
        return point
    place = point.get("position", point)
    return [place["x"], place["y"], next((point[key] for key in _SURE if key in point), 1.0)]


def _table(value: Any, scores: np.ndarray) -> np.ndarray:
    """(points, 3) x, y, confidence; another shape where the value is something else."""
    if isinstance(value, Mapping):  # Ultralytics: a list for each axis
        sure = next((value[key] for key in _SURE if value.get(key) is not None), [1.0] * len(value["x"]))
        return np.array([value["x"], value["y"], sure], dtype=np.float64).T
    if isinstance(value, Sequence) and any(isinstance(point, Mapping | list) for point in value):
        value = [_row(point) for point in value]
    table = np.asarray(value, dtype=np.float64)
    if table.ndim == 2 and table.shape[1] == 2 and scores.shape == table.shape[:1]:
        return np.column_stack([table, scores])
    if table.shape == (33, 4):  # x, y, z, visibility
        return table[:, [0, 1, 3]]
    return table


def check_names(document: Mapping, where: str) -> None:
    """Refuse a file that names its keypoints, and other ones than COCO's first.

    Raises:
        ValueError: if MMPose's `meta_info` or COCO's `categories` say another order.
    """
    named: object = None
    if isinstance(document.get("meta_info"), Mapping):
        named = document["meta_info"].get("keypoint_id2name")
        named = [*named.values()] if isinstance(named, Mapping) else None
    kinds = document.get("categories")
    if isinstance(kinds, list) and kinds and isinstance(kinds[0], Mapping):
        named = kinds[0].get("keypoints")
    if not isinstance(named, list) or not named:
        return
    if [str(name).lower().replace(" ", "_") for name in named[:17]] != list(KEYPOINTS):
        raise _other_names(named, where)
