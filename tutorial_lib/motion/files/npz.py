"""Reading and writing clips."""

import os
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import torch

from tutorial_lib.motion.clip import Clip
from tutorial_lib.motion.files import bvh, h36m
from tutorial_lib.motion.files.pickled import DAMAGED, damaged, named_file, read_objects
from tutorial_lib.motion.validation import check_body, check_finite, check_fps
from tutorial_lib.skeleton import JOINTS, PARENTS

_READ = ("positions_3d", "offsets", "subject", "mocap_subject", "description", "fps", "parents")


def load(path: str | Path, *, allow_pickle: bool = False) -> list[Clip]:
    """Clips from a file: this project's npz, VideoPose3D's data_3d_h36m.npz, or a BVH.

    Args:
        path: file name; the ending says the format (.npz or .bvh).
        allow_pickle: VideoPose3D's file holds pickled objects, and unpickling runs whatever code the file's
            author put in. True is for a file whose origin you trust; the other formats never need it.

    Returns:
        Clips in metres, z up, joints as skeleton.JOINTS, `source` the file's name. Subjects are "cmu-7" (or
        the stored text), "h36m-S1", or the BVH's name; an unidentified CMU subject is "cmu-unidentified" and
        may be anybody: keep it on the training side.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, of another layout, in another unit, or holds pickled objects
            without `allow_pickle`; says which file, array, clip, frame and joint, and what to do.
    """
    path = named_file(path)
    if not os.path.exists(path):  # false, too, for a name that no file system can hold
        raise FileNotFoundError(f"{path} does not exist; check the name, or use motion.builtin() without a file")
    if not path.is_file() or path.suffix.lower() not in (".npz", ".bvh"):
        raise ValueError(f"{path} is no .npz or .bvh file; convert it, or use motion.builtin() without a file")
    if path.suffix.lower() == ".bvh":
        return bvh.read(path)
    return _from_npz(path, allow_pickle)


def save(path: str | Path, clips: Iterable[Clip]) -> None:
    """Write clips in this project's layout, readable without pickle; `load` gives them back.

    Args:
        path: file name ending in .npz.
        clips: at least one clip, all at one frame rate.

    Raises:
        ValueError: if the name, the frame rates or a clip do not fit.
    """
    path, clips = Path(path), list(clips)
    if path.suffix.lower() != ".npz":
        raise ValueError(f"path is {path.name!r}, expected a name ending in .npz; append it")
    rates = sorted({clip.fps for clip in clips})
    if len(rates) != 1:
        raise ValueError(f"clips have the frame rates {rates}, expected exactly one; use motion.resample first")
    for number, clip in enumerate(clips):
        if clip.positions.ndim != 3 or clip.positions.shape[1:] != (17, 3) or not len(clip.positions):
            raise ValueError(
                f"clip {number} has positions of shape {tuple(clip.positions.shape)}, "
                "expected (T, 17, 3) with T > 0; leave it out or convert it to skeleton.JOINTS"
            )
    np.savez_compressed(
        path,
        positions_3d=torch.cat([clip.positions for clip in clips]).float().numpy(),
        offsets=np.cumsum([0] + [len(clip.positions) for clip in clips]),
        subject=np.array([clip.subject for clip in clips]),
        description=np.array([clip.action for clip in clips]),
        fps=np.float64(check_fps(rates[0], "clips")),
        joint_names=np.array(JOINTS),
        parents=np.array(PARENTS),
    )


def _from_npz(path: Path, allow_pickle: bool) -> list[Clip]:
    name = path.name
    with open(path, "rb") as file:
        if not zipfile.is_zipfile(file):
            raise damaged(path, zipfile.BadZipFile("not a zip archive"))
        try:
            archive = np.load(file, allow_pickle=False)
        except (*DAMAGED, ValueError) as error:
            raise damaged(path, error) from error
        if "positions_3d" not in archive:
            raise ValueError(
                f"{name} holds {sorted(archive.files)[:20]} but no positions_3d; {_remedy(set(archive.files))}"
            )
        # Nothing else is unpacked: a small file may hold gigabytes of zeros under any other name.
        read = ((key, _array(archive, key, name)) for key in _READ if key in archive)
        arrays = {key: array for key, array in read if array is not None}
    if "positions_3d" not in arrays:
        (table,) = read_objects(path, ("positions_3d",), allow_pickle=allow_pickle)
        return h36m.clips_of(table, name)
    return _own_layout(arrays, name)


def _remedy(keys: set[str]) -> str:
    if "trans" in keys and keys & {"poses", "pose_body"}:
        return (
            "these are AMASS's rotations of an SMPL body: compute the joints with that body model first, "
            "reduce them to skeleton.JOINTS and write them with motion.save"
        )
    return "expected the layout of motion.save or of VideoPose3D's data_3d_h36m.npz"


def _array(archive: Mapping[str, np.ndarray], key: str, name: str) -> np.ndarray | None:
    """The array, or None for a positions_3d that holds pickled objects."""
    try:
        array = archive[key]
    except ValueError as error:
        if key == "positions_3d" and "allow_pickle" in str(error):
            return None
        raise ValueError(f"{name}, array {key}: {error!s:.200}; save it as plain numbers or text") from error
    except DAMAGED as error:
        raise ValueError(f"{name}, array {key} cannot be read ({error!s:.200}); download the file again") from error
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{name}, array {key}: no array of numpy's, expected plain numbers or text; save it again")
    return array


def _own_layout(arrays: Mapping[str, np.ndarray], name: str) -> list[Clip]:
    positions = arrays["positions_3d"]
    missing = {"offsets", "description", "fps"} - set(arrays)
    if "subject" not in arrays and "mocap_subject" not in arrays:
        missing.add("mocap_subject")
    if missing:
        raise ValueError(f"{name} lacks {', '.join(sorted(missing))}; write the file with motion.save")
    if positions.dtype.kind != "f" or positions.ndim != 3 or positions.shape[1:] != (17, 3):
        raise ValueError(
            f"{name}, array positions_3d: shape {positions.shape} of {positions.dtype}, "
            "expected (T, 17, 3) of floats; reduce the body to the joints of skeleton.JOINTS"
        )
    if "parents" in arrays and arrays["parents"].tolist() != list(PARENTS):
        found = np.ravel(arrays["parents"]).tolist()[:20]
        raise ValueError(f"{name}, array parents: {found}, expected {list(PARENTS)}; reorder the joints")
    fps = check_fps(arrays["fps"], name)
    offsets = _offsets(arrays["offsets"], len(positions), name)
    count = len(offsets) - 1
    subjects = arrays["subject" if "subject" in arrays else "mocap_subject"]
    words = []
    for key, values in (("description", arrays["description"]), ("subject", subjects)):
        if values.shape != (count,):
            raise ValueError(
                f"{name}, array {key}: shape {values.shape}, expected ({count},), "
                "one entry for each clip in offsets; write the file with motion.save"
            )
        try:
            words.append(values.tolist())
        except (SystemError, ValueError) as error:  # numbers that are no letters
            raise ValueError(f"{name}, array {key}: {error}, expected text; write the file again") from error
    if subjects.dtype.kind not in "iuU":
        raise ValueError(f"{name}, array subject: {subjects.dtype}, expected whole numbers or text; convert it")
    if arrays["description"].dtype.kind not in "iuU":
        raise ValueError(f"{name}, array description: {arrays['description'].dtype}, expected text; convert it")
    clips = []
    for number, (start, end, action, subject) in enumerate(zip(offsets, offsets[1:], *words)):
        with np.errstate(over="ignore"):  # what float32 does not hold becomes infinite, and is refused
            piece = np.ascontiguousarray(positions[start:end], dtype=np.float32)
        where = f"{name}, clip {number}"
        check_finite(piece, where)
        check_body(piece, where)
        clips.append(Clip(torch.from_numpy(piece), fps, _subject(subject), str(action), name))
    return clips


def _offsets(offsets: np.ndarray, frames: int, name: str) -> np.ndarray:
    ends = (
        offsets.dtype.kind in "iu"
        and offsets.ndim == 1
        and len(offsets) > 1
        and (offsets[0], offsets[-1]) == (0, frames)
    )
    if not ends or not (np.diff(offsets.astype(np.int64)) > 0).all():
        raise ValueError(
            f"{name}, array offsets: {np.ravel(offsets).tolist()[:6]}…, "
            f"expected growing whole numbers from 0 to {frames}, "
            "the number of frames in positions_3d; write the file with motion.save"
        )
    return offsets.astype(np.int64)


def _subject(value: str | int) -> str:
    if isinstance(value, str):
        return value
    return "cmu-unidentified" if value < 0 else f"cmu-{value}"
