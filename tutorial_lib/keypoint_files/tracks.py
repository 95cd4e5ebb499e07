"""2D keypoints of one's own video, as a detector saved them, ready for a lifter.

A file is VideoPose3D's data_2d_custom_<name>.npz or the JSON of a detector, see `json_files`. Both hold COCO's 17
keypoints in pixels; what comes back are the joints of `skeleton.JOINTS` in screen coordinates, see `coco`.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from tutorial_lib.camera import from_pixels
from tutorial_lib.keypoint_files import coco, json_files
from tutorial_lib.keypoint_files.json_files import Person
from tutorial_lib.keypoint_files.pixels import check_pixels
from tutorial_lib.motion.files.pickled import read_objects
from tutorial_lib.motion.validation import check_fps

REACH, STRIDE, FARTHEST = 0.3, 0.05, 1.0
"""How far a person may be, in their own heights, from where they were last seen: `REACH`, and `STRIDE` more for each
frame since, but less than `FARTHEST` (ours)."""
Size = tuple[int, int]
"""Width and height of a picture in pixels."""

_FACE = ("left_ear", "right_ear", "left_eye", "right_eye", "nose")


@dataclass(frozen=True)
class Track:
    """One person in one video.

    Attributes:
        name: of the video.
        keypoints: (T, 17, 2) screen coordinates, joints as `skeleton.JOINTS`.
        confidence: (T, 17) as the detector says it, 0 where interpolated; None where the file has none.
        fps: frames per second; None where unknown. Lifters were trained at 50.
        size: width and height of the picture in pixels.
    """

    name: str
    keypoints: torch.Tensor
    confidence: torch.Tensor | None
    fps: float | None
    size: Size


def load(
    path: str | Path,
    *,
    size: Size | None = None,
    fps: float | None = None,
    person: int | None = None,
    allow_pickle: bool = False,
) -> list[Track]:
    """The person in each video of a file.

    Keypoints that were not found are interpolated over time, with a warning that says how many frames have none at
    all. A face keypoint that is never found takes the place of another one.

    Args:
        path: data_2d_custom_*.npz or .json.
        size: (width, height) of the picture in pixels; None takes the file's.
        fps: frames per second of the video; None takes the file's, if it says them.
        person: only for JSON with several people. None takes in each frame the one with the highest score; a number
            takes the person with that rank in the first frame (0 is the best) and stays with whoever is nearest to
            where they were last.
        allow_pickle: VideoPose3D's file holds pickled objects, and unpickling runs whatever code the file's author
            put in. True is for a file whose origin you trust; JSON never needs it.

    Returns:
        One track for each video: one for a JSON, one or more for an npz.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, of another layout, of other keypoints, pickled without `allow_pickle`; if
            the picture's size is unknown; if a keypoint of the body is never found.
    """
    path = Path(path)
    if fps is not None:
        fps = check_fps(fps, "keypoint_files.load")
    if path.suffix.lower() == ".json":
        return [_from_json(path, size, fps, person)]
    if path.suffix.lower() == ".npz":
        if person is not None:
            raise ValueError(f"person is {person!r}, but {path.name} holds one person a video; leave it out")
        return _from_npz(path, size, fps, allow_pickle)
    raise ValueError(f"{path.name} ends in {path.suffix!r}, expected .json or .npz; see the docstring for the layouts")


def _from_json(path: Path, size: Size | None, fps: float | None, person: int | None) -> Track:
    frames, own_size = json_files.read(path)
    chosen = _best(frames) if person is None else _follow(frames, person, path.name)
    missing = np.array([one is None for one in chosen])
    if 2 * missing.sum() > len(chosen):
        raise ValueError(
            f"{path.name}: the person is seen in {int((~missing).sum())} of {len(chosen)} frames, expected at least "
            "half; choose another one with person=, or cut the video"
        )
    if missing.any():
        warnings.warn(
            f"{path.name}: nobody was found in {int(missing.sum())} of {len(chosen)} frames; they are interpolated",
            stacklevel=3,
        )
    points = np.stack([np.full((17, 2), np.nan) if one is None else one.points for one in chosen])
    confidence = np.stack([np.zeros(17) if one is None else one.confidence for one in chosen])
    pixels = torch.from_numpy(_fill(points, path.name)).float()
    size = _known_size(size, own_size, path.name)
    sure = coco.to_joint_confidence(torch.from_numpy(confidence).float())
    return Track(path.stem, from_pixels(coco.to_joints(pixels), size), sure, fps, size)


def _best(frames: Sequence[Sequence[Person]]) -> list[Person | None]:
    return [max(people, key=lambda one: one.score, default=None) for people in frames]


def _follow(frames: Sequence[Sequence[Person]], rank: int, name: str) -> list[Person | None]:
    first = sorted(frames[0], key=lambda one: -one.score)  # the first frame has people, see json_files
    if isinstance(rank, bool) or not isinstance(rank, int) or not 0 <= rank < len(first):
        raise ValueError(f"person is {rank!r}, expected 0 to {len(first) - 1}: so many are in {name}'s first frame")
    chosen: list[Person | None] = [first[rank]]
    last, gap = first[rank], 1
    for people in frames[1:]:
        distance, nearest = min(((_distance(last, one), i) for i, one in enumerate(people)), default=(np.inf, -1))
        if distance < min(REACH + STRIDE * gap, FARTHEST) * _height(last):
            last, gap = people[nearest], 1
            chosen.append(last)
        else:
            gap += 1
            chosen.append(None)
    return chosen


def _distance(a: Person, b: Person) -> float:
    both = np.isfinite(a.points[:, 0]) & np.isfinite(b.points[:, 0])
    return float(np.linalg.norm(a.points[both] - b.points[both], axis=-1).mean()) if both.any() else np.inf


def _height(one: Person) -> float:
    return float(np.ptp(one.points[np.isfinite(one.points[:, 0])], axis=0).max(initial=0.0))


def _fill(points: np.ndarray, name: str) -> np.ndarray:
    """points (T, 17, 2) with NaN interpolated linearly along time, each keypoint by itself."""
    seen = np.isfinite(points[..., 0])
    filled = np.empty_like(points)
    time = np.arange(len(points))
    for joint, keypoint in enumerate(coco.KEYPOINTS):
        source = joint
        if not seen[:, joint].any() and keypoint in _FACE:
            others = [coco.KEYPOINTS.index(other) for other in _FACE]
            source = next((other for other in others if seen[:, other].any()), joint)
        known = seen[:, source]
        if not known.any():
            raise ValueError(
                f"{name}: {keypoint.replace('_', ' ')} is found in no frame, expected the whole body in the picture; "
                "cut the video or film from further away"
            )
        for axis in range(2):
            filled[:, joint, axis] = np.interp(time, time[known], points[known, source, axis])
    return filled


def _from_npz(path: Path, size: Size | None, fps: float | None, allow_pickle: bool) -> list[Track]:
    table, metadata = read_objects(path, ("positions_2d", "metadata"), allow_pickle=allow_pickle)
    if not isinstance(table, dict) or not table or not isinstance(metadata, dict):
        raise ValueError(f"{path.name}: expected dicts positions_2d and metadata, with a video; make the file again")
    if metadata.get("layout_name") != "coco":
        raise ValueError(f"{path.name}: layout_name is {metadata.get('layout_name')!r}, expected 'coco'")
    about = metadata.get("video_metadata") or {}
    tracks = []
    for video, takes in table.items():
        where = f"{path.name}, video {video}"
        videos = takes.get("custom") if isinstance(takes, dict) else None
        if not isinstance(videos, list | tuple | np.ndarray) or len(videos) != 1:
            raise ValueError(f"{where}: expected 'custom' with one array; make it with prepare_data_2d_custom.py")
        pixels = check_pixels(videos[0], where)
        own = about.get(video) if isinstance(about, dict) else None
        own = own if isinstance(own, dict) else {}
        known = _known_size(size, (own["w"], own["h"]) if {"w", "h"} <= set(own) else None, where)
        rate = fps if fps is not None or "fps" not in own else check_fps(own["fps"], where)
        tracks.append(Track(str(video), from_pixels(coco.to_joints(pixels), known), None, rate, known))
    return tracks


def _known_size(size: Size | None, own: Size | None, where: str) -> Size:
    chosen = own if size is None else size
    if chosen is None:
        raise ValueError(f"{where} does not say how large the picture is; pass size=(width, height) in pixels")
    width, height = chosen
    return width, height
