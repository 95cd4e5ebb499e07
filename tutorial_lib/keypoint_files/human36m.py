"""Human3.6M as VideoPose3D's files hold it, and the protocol that the papers follow on it.

Two files: data_3d_h36m.npz with the bodies in the world, and data_2d_h36m_<detector>.npz with what a detector saw in
the four videos of each take. Both hold pickled Python dictionaries. Unpickling runs whatever code the file's author
put in, so nothing is read before the caller passes `allow_pickle=True`.

The data set may not be passed on: its authors give it out under a licence, at vision.imar.ro/human3.6m.
"""

import os
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from tutorial_lib import motion
from tutorial_lib.camera import from_pixels, project, world_to_camera
from tutorial_lib.keypoint_files import coco
from tutorial_lib.keypoint_files.gaps import fill_unfound
from tutorial_lib.keypoint_files.human36m_cameras import View, views
from tutorial_lib.keypoint_files.pixels import check_pixels, how_many
from tutorial_lib.motion.files.pickled import named_file, read_objects
from tutorial_lib.skeleton import JOINTS, LEFT, RIGHT, Layout, check_layout

TRAIN_SUBJECTS = ("S1", "S5", "S6", "S7", "S8")
TEST_SUBJECTS = ("S9", "S11")
DROPPED = (("S11", "Directions"),)
"""Takes that no paper uses: the video of this one is corrupted, so that 2D and 3D do not belong together."""
DETECTORS = ("cpn_ft_h36m_dbb", "detectron_ft_h36m", "detectron_pt_coco", "gt")
"""The 2D files that VideoPose3D offers, the one behind the paper's main table first."""


@dataclass(frozen=True)
class Recording:
    """One take, seen by one camera.

    Attributes:
        subject: "S1" to "S11".
        take: name of the take, such as "Walking 1".
        action: the take's action, such as "Walking": every action was recorded twice.
        camera: 0 to 3.
        keypoints: (T, 17, 2) screen coordinates, detected or the true projection; joints as `skeleton.JOINTS`, or as
            `coco.KEYPOINTS` where `load` was asked for them.
        pose: (T, 17, 3) metres, camera frame, absolute: joint 0 is the trajectory.
        view: the camera and its lens.
        fps: frames per second.
    """

    subject: str
    take: str
    action: str
    camera: int
    keypoints: torch.Tensor
    pose: torch.Tensor
    view: View
    fps: float


def find(path: str | Path, detector: str | None = None) -> tuple[Path, Path | None]:
    """The 3D file and the 2D file that a lesson's `MOTION` parameter means.

    Args:
        path: a folder with both files, or one of the two.
        detector: which data_2d_h36m_<detector>.npz; None takes the first of `DETECTORS` that is there, then any other.

    Returns:
        (3D file, 2D file or None where there is none).

    Raises:
        FileNotFoundError: if there is no 3D file, or not the wanted 2D file.
    """
    path = named_file(path)
    folder = path if os.path.isdir(path) else path.parent
    named_2d = path.name.startswith("data_2d_") and not os.path.isdir(path)
    three_d = folder / "data_3d_h36m.npz" if os.path.isdir(path) or named_2d else path
    if not os.path.isfile(three_d):
        raise FileNotFoundError(
            f"{three_d} does not exist; make it with VideoPose3D's prepare_data_h36m.py, or use motion.builtin()"
        )
    if named_2d and detector is None:
        if not os.path.isfile(path):
            raise FileNotFoundError(f"{path} does not exist; check the name")
        return three_d, path
    found = {file.stem.removeprefix("data_2d_h36m_"): file for file in sorted(folder.glob("data_2d_h36m_*.npz"))}
    if detector is not None:
        if detector not in found:
            raise FileNotFoundError(
                f"{folder} has no data_2d_h36m_{detector}.npz; detectors with a file: {', '.join(found) or 'none'}"
            )
        return three_d, found[detector]
    ranked = [name for name in DETECTORS if name in found] + list(found)
    return three_d, found[ranked[0]] if ranked else None


def load(
    three_d_path: str | Path,
    two_d_path: str | Path | None = None,
    *,
    allow_pickle: bool = False,
    subjects: Sequence[str] | None = None,
    distorted: bool = True,
    layout: Layout = "human36m",
) -> list[Recording]:
    """Every take of the files, once for each of the four cameras.

    Takes of `DROPPED` are left out. Detections that run on after the motion capture ended are cut off.

    Args:
        three_d_path: data_3d_h36m.npz.
        two_d_path: data_2d_h36m_<detector>.npz in Human3.6M's or COCO's order (the latter is converted, see `coco`);
            None projects the true bodies.
        allow_pickle: both files hold pickled objects, and unpickling runs whatever code the file's author put in. True
            is for files that you made yourself or whose origin you trust.
        subjects: only these, e.g. `TEST_SUBJECTS`; None takes all. All seven take about 1.5 GB.
        distorted: whether true projections go through the camera's lens (VideoPose3D's file "gt" does; but its
            tangential terms lack a factor of two, so it is up to a pixel off).
        layout: of the keypoints: "human36m" converts COCO's, "coco" leaves them, for a lifter that takes those.

    Returns:
        Recordings ordered as in the 3D file, then by camera.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: as `motion.load`; also for subjects, takes or cameras that one file lacks, detections shorter than
            the motion capture, of another layout, or not in pixels; for layout="coco" without COCO's detections.
    """
    check_layout(layout)
    clips = motion.load(three_d_path, allow_pickle=allow_pickle)
    if not clips[0].subject.startswith("h36m-"):
        raise ValueError(
            f"{clips[0].source} is a motion file but not data_3d_h36m.npz: its cameras are unknown; use motion.load"
        )
    detections = None if two_d_path is None else _Detections(two_d_path, allow_pickle)
    if layout == "coco" and not (detections and detections.is_coco):
        raise ValueError(
            f"layout is 'coco', but {Path(two_d_path).name if two_d_path else 'the true projection'} has Human3.6M's "
            "joints; take data_2d_h36m_detectron_pt_coco.npz, or leave layout out"
        )
    present = sorted({clip.subject.removeprefix("h36m-") for clip in clips}, key=lambda name: (len(name), name))
    missing = [name for name in subjects or () if name not in present]
    if missing:
        raise ValueError(f"subjects has {missing}, but {clips[0].source} holds {', '.join(present)}; leave them out")
    recordings = []
    for clip in clips:
        subject, take = clip.subject.removeprefix("h36m-"), clip.action
        if (subjects is not None and subject not in subjects) or (subject, take) in DROPPED:
            continue
        for number, view in enumerate(views(subject)):
            if detections is None:
                keypoints = project(clip.positions, view.camera, view.lens if distorted else None)
            else:
                pixels = detections.of(subject, take, number, len(clip.positions), layout)
                keypoints = from_pixels(pixels, view.size)
            pose = world_to_camera(clip.positions, view.camera)
            action = take.split(" ")[0]
            recordings.append(Recording(subject, take, action, number, keypoints, pose, view, clip.fps))
    return recordings


class _Detections:
    """data_2d_h36m_<detector>.npz: {subject: {take: four arrays (T, 17, 2) of pixels}}."""

    def __init__(self, path: str | Path, allow_pickle: bool) -> None:
        self.name = Path(path).name
        self.table, metadata = read_objects(path, ("positions_2d", "metadata"), allow_pickle=allow_pickle)
        if not isinstance(self.table, dict) or not all(isinstance(takes, dict) for takes in self.table.values()):
            raise ValueError(f"{self.name}: positions_2d is no dict subject -> take -> arrays; make the file again")
        symmetry = metadata.get("keypoints_symmetry") if isinstance(metadata, dict) else None
        try:
            left, right = (tuple(sorted(int(joint) for joint in side)) for side in symmetry or ())
        except (TypeError, ValueError, OverflowError):
            left = right = ()
        self.is_coco = (left, right) == coco.SYMMETRY
        if not self.is_coco and (left, right) != (LEFT, RIGHT):
            raise ValueError(
                f"{self.name}: metadata has keypoints_symmetry {reprlib.repr(symmetry)}, expected that of "
                "Human3.6M's or COCO's 17 joints; other layouts cannot be read"
            )

    def of(self, subject: str, take: str, camera: int, frames: int, layout: Layout) -> torch.Tensor:
        """(frames, 17, 2) pixels, joints in this layout."""
        where = f"{self.name}, subject {subject}, action {take}"
        videos = self.table.get(subject, {}).get(take)
        if videos is None:
            raise ValueError(f"{where} is missing, but the 3D file has it; take both files from one preparation")
        if how_many(videos) != 4:
            raise ValueError(f"{where}: expected a list of four arrays, one for each camera; make the file again")
        where = f"{where}, camera {camera}"
        pixels = check_pixels(videos[camera], where)
        if len(pixels) < frames:
            raise ValueError(
                f"{where}: {len(pixels)} frames, but the 3D file has {frames}; the detections are cut off, "
                "make them again"
            )
        pixels = fill_unfound(pixels, where, coco.KEYPOINTS if self.is_coco else JOINTS)
        return (coco.to_joints(pixels) if self.is_coco and layout == "human36m" else pixels)[:frames]
