"""2D keypoints of one's own video, as a detector saved them, ready for a lifter.

A file is VideoPose3D's data_2d_custom_<name>.npz or the JSON of a detector, see `json_files`. Both hold COCO's 17
keypoints in pixels, or others among which these are, see `layouts`; what comes back are the joints of
`skeleton.JOINTS` in screen coordinates, see `coco`.
"""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from tutorial_lib.camera import from_pixels
from tutorial_lib.keypoint_files import coco, json_files
from tutorial_lib.keypoint_files.gaps import fill, fill_unfound
from tutorial_lib.keypoint_files.people import follow
from tutorial_lib.keypoint_files.pixels import Size, check_inside, check_pixels, how_many, picture_size
from tutorial_lib.motion.files.pickled import named_file, read_objects
from tutorial_lib.motion.validation import check_fps
from tutorial_lib.skeleton import Layout, check_layout


@dataclass(frozen=True)
class Track:
    """One person in one video.

    Attributes:
        name: of the video.
        keypoints: (T, 17, 2) screen coordinates, joints as `skeleton.JOINTS`, or as `coco.KEYPOINTS`.
        confidence: (T, 17) as the detector says it, 0 where interpolated; None where the file has none.
        fps: frames per second, of the frames that are here; None where unknown. Lifters were trained at 50, see
            `lifting.lift_resampled`.
        size: width and height of the picture in pixels.
        layout: of the joints: "human36m", the course's, or "coco".
    """

    name: str
    keypoints: torch.Tensor
    confidence: torch.Tensor | None
    fps: float | None
    size: Size
    layout: Layout = "human36m"


def load(
    path: str | Path,
    *,
    size: Size | None = None,
    fps: float | None = None,
    person: int | None = None,
    layout: Layout = "human36m",
    allow_pickle: bool = False,
) -> list[Track]:
    """The person in each video of a file.

    Keypoints that were not found, which is what (0, 0) and negative places mean, are interpolated over time, with a
    warning that says how many frames have none at all. A face keypoint that is never found takes the place of another
    one.

    Args:
        path: data_2d_custom_*.npz, .json, or a folder with a .json for each frame.
        size: (width, height) of the picture in pixels; None takes the file's.
        fps: frames per second of the video; None takes the file's, if it says them. Where a JSON has only every n-th
            frame, the track has an n-th of it.
        person: only for JSON with several people, of whom one is followed: by the identities in the file (track_id,
            person_id, idx, id), else to whoever is nearest to where they were last. A number takes the person with
            that rank by score in the first frame, 0 is the best; None takes the one who is sure and large. A warning
            names the first frame where that is somebody else, perhaps.
        layout: "human36m" converts to the joints of `skeleton.JOINTS`, as the course's lifters want them; "coco"
            leaves COCO's, in the order of `coco.KEYPOINTS`, for networks that were trained on those.
        allow_pickle: VideoPose3D's file holds pickled objects, and unpickling runs whatever code the file's author
            put in. True is for a file whose origin you trust; JSON never needs it.

    Returns:
        One track for each video: one for a JSON, one or more for an npz.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, of another layout, of other keypoints, pickled without `allow_pickle`; if
            the picture's size is unknown, or not that of the file's pixels; if its fps is no rate; if the names of its
            frames are those of more than one video; if a keypoint of the body is never found.
    """
    path = named_file(path)
    check_layout(layout)
    if fps is not None:
        fps = check_fps(fps, "keypoint_files.load")
    if size is not None:
        size = picture_size(size, "keypoint_files.load: size")
    if path.suffix.lower() in (".json", ".jsonl") or os.path.isdir(path):
        return [_from_json(path, size, fps, person, layout)]
    if path.suffix.lower() == ".npz":
        if person is not None:
            raise ValueError(f"person is {person!r}, but {path.name} holds one person a video; leave it out")
        return _from_npz(path, size, fps, layout, allow_pickle)
    raise ValueError(
        f"{path.name} ends in {path.suffix!r}, expected .json or .npz, or a folder with a .json for each frame; "
        "see the docstring for the layouts"
    )


def _from_json(path: Path, size: Size | None, fps: float | None, person: int | None, layout: Layout) -> Track:
    seen = json_files.read(path, size)
    chosen = follow(seen.frames, seen.numbers, person, path.name)
    missing = sum(one is None for one in chosen)
    if 2 * missing > len(chosen):
        raise ValueError(
            f"{path.name}: the person is seen in {len(chosen) - missing} of {len(chosen)} frames, expected at least "
            "half; choose another one with person=, or cut the video"
        )
    if missing:
        warnings.warn(
            f"{path.name}: nobody was found in {missing} of {len(chosen)} frames; they are interpolated", stacklevel=3
        )
    points = np.stack([np.full((17, 2), np.nan) if one is None else one.points for one in chosen])
    confidence = np.stack([np.zeros(17) if one is None else one.confidence for one in chosen])
    fps = seen.fps if fps is None else fps
    rate = None if fps is None else check_fps(fps / seen.step, f"{path.name}, every {seen.step}. frame of the video")
    sure = torch.from_numpy(confidence).float() if seen.sure else None
    pixels = torch.from_numpy(fill(points, path.name)).float()
    check_inside(points, seen.size, path.name)
    return _track(path.stem, pixels, sure, rate, seen.size, layout)


def _track(
    name: str, pixels: torch.Tensor, confidence: torch.Tensor | None, fps: float | None, size: Size, layout: Layout
) -> Track:
    """The track of COCO keypoints (T, 17, 2) in pixels."""
    if layout == "human36m":
        pixels = coco.to_joints(pixels)
        confidence = None if confidence is None else coco.to_joint_confidence(confidence)
    return Track(name, from_pixels(pixels, size), confidence, fps, size, layout)


def _from_npz(path: Path, size: Size | None, fps: float | None, layout: Layout, allow_pickle: bool) -> list[Track]:
    table, metadata = read_objects(path, ("positions_2d", "metadata"), allow_pickle=allow_pickle)
    if not isinstance(table, dict) or not table or not isinstance(metadata, dict):
        raise ValueError(f"{path.name}: expected dicts positions_2d and metadata, with a video; make the file again")
    named = metadata.get("layout_name")
    if not isinstance(named, str) or named != "coco":
        raise ValueError(f"{path.name}: layout_name is {named!r}, expected 'coco'")
    about = metadata.get("video_metadata")
    tracks = []
    for video, takes in table.items():
        where = f"{path.name}, video {video}"
        videos = takes.get("custom") if isinstance(takes, dict) else []
        if how_many(videos) != 1:
            raise ValueError(f"{where}: expected 'custom' with one array; make it with prepare_data_2d_custom.py")
        pixels = fill_unfound(check_pixels(videos[0], where), where, coco.KEYPOINTS)
        own = about.get(video) if isinstance(about, dict) else None
        own = own if isinstance(own, dict) else {}
        known = json_files.known_size(size, (own["w"], own["h"]) if {"w", "h"} <= set(own) else None, where, ("w", "h"))
        rate = fps if fps is not None or "fps" not in own else check_fps(own["fps"], where)
        check_inside(pixels.numpy(), known, where)
        tracks.append(_track(str(video), pixels, None, rate, known, layout))
    return tracks
