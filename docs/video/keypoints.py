"""The keypoints of one person in a film, by MediaPipe Pose: `make keypoints VIDEO=film.mp4`, see docs/own_motion.md.

Runs in an environment of its own (requirements.txt beside this file) and imports nothing of the course. What it writes
is what `keypoint_files.load` reads: the picture's size, frames per second, and for each frame MediaPipe's 33 landmarks
as shares of the picture, or nobody.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Detector = Callable[[Any], list[dict[str, float]] | None]
"""A picture (H, W, 3) RGB -> 33 landmarks {x, y, visibility}, None where nobody is seen."""


def main(words: list[str] | None = None) -> None:
    """Read the command line, look at the film, write the keypoints, say how to go on."""
    parser = argparse.ArgumentParser(description="Keypoints of one person in a film.")
    parser.add_argument("film", type=Path)
    parser.add_argument("keypoints", type=Path, nargs="?", help="default: the film's name with .keypoints.json, here")
    given = parser.parse_args(words)
    film = given.film.expanduser()
    target = (given.keypoints or Path(film.stem + ".keypoints.json")).expanduser()
    try:
        check(film, target)
        document = look(film, mediapipe_pose())
        target.write_text(json.dumps(document), encoding="utf-8")
    except (ValueError, OSError) as error:
        sys.exit(f"make keypoints: {error}")
    found = sum(bool(frame["people"]) for frame in document["frames"])
    print(f"{target}: somebody is seen in {found} of {len(document['frames'])} frames. In a notebook of the course:")
    print(f"    tracks = keypoint_files.load({str(target.resolve())!r})")


def check(film: Path, target: Path) -> None:
    """Refuse before the work what would fail after it.

    Raises:
        FileNotFoundError: no such film, no folder for the keypoints.
        ValueError: keypoints that would not be a .json.
    """
    if not film.is_file():
        raise FileNotFoundError(f"VIDEO is {str(film)!r}, expected a film; there is no such file: check the name")
    if target.suffix.lower() != ".json":
        raise ValueError(f"KEYPOINTS is {str(target)!r}, expected a name that ends in .json; rename it")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"KEYPOINTS is {str(target)!r}, but there is no folder {str(target.parent)!r}; make it")


def look(film: Path, detect: Detector) -> dict[str, Any]:
    """What `keypoint_files.load` reads of a film.

    Raises:
        ValueError: a file in which OpenCV finds no film; nobody in any frame.
    """
    import cv2
    from tqdm import tqdm

    reader = cv2.VideoCapture(str(film))
    fps, announced = reader.get(cv2.CAP_PROP_FPS), int(reader.get(cv2.CAP_PROP_FRAME_COUNT))
    frames, size = [], {}
    for picture in tqdm(pictures(reader), total=announced if announced > 0 else None, unit="frame", desc=film.name):
        size = {"width": picture.shape[1], "height": picture.shape[0]}  # as it is shown: phones film lying down
        person = detect(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
        frames.append({"frame": len(frames), "people": [{"landmarks": person}] if person else []})
    if not frames:
        raise ValueError(
            f"{film.name} holds no picture that OpenCV can read, expected a film; "
            "convert it, e.g. ffmpeg -i yours -c:v libx264 film.mp4"
        )
    if len(frames) < 0.9 * announced:
        print(f"{film.name} ends after {len(frames)} of {announced} frames: it may be damaged", file=sys.stderr)
    if not any(frame["people"] for frame in frames):
        raise ValueError(
            f"nobody is found in the {len(frames)} frames of {film.name}, expected one person, whole and upright in "
            "the picture; film from nearer and in more light, or take another detector: docs/own_motion.md"
        )
    return size | ({"fps": fps} if 1 <= fps <= 1000 else {}) | {"frames": frames}


def pictures(reader: Any) -> Iterator[Any]:
    """The pictures (H, W, 3) of an opened film, blue first."""
    while True:
        more, picture = reader.read()
        if not more:
            return
        yield picture


def mediapipe_pose() -> Detector:
    """MediaPipe's middle network; it follows one person from frame to frame."""
    import mediapipe

    pose = mediapipe.solutions.pose.Pose(model_complexity=1, smooth_landmarks=False)  # it smooths as at 30 frames/s

    def detect(picture: Any) -> list[dict[str, float]] | None:
        found = pose.process(picture).pose_landmarks
        return found and [
            {name: round(getattr(point, name), 5) for name in ("x", "y", "visibility")} for point in found.landmark
        ]

    return detect


if __name__ == "__main__":
    main()
