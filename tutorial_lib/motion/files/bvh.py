"""BVH files: parsed by bvhio, then turned into the 17 joints."""

import re
import tempfile
from pathlib import Path

import bvhio
import numpy as np
import torch
from scipy.spatial.transform import Rotation

from tutorial_lib.motion.clip import Clip
from tutorial_lib.motion.resampling import resample
from tutorial_lib.motion.validation import STATURE, check_finite, stature
from tutorial_lib.skeleton import JOINTS

FPS = 50.0
UNITS = {
    "metres": 1.0,
    "centimetres": 0.01,
    "inches": 0.0254,
    "CMU's 1/0.45 inches": 0.0254 / 0.45,
    "millimetres": 0.001,
}
"""Unit by name -> metres; the one that makes the body's height most human is taken."""

Places = dict[str, np.ndarray]
"""World positions (T, 3) by joint, in the file's order and unit; the end site of joint X is called "X end"."""
Parents = dict[str, str | None]
"""The joint above each joint and end site, None above the root."""

_SIDED = {
    "hip": ("upleg", "thigh", "upperleg", "hip"),
    "knee": ("leg", "shin", "calf", "lowerleg", "knee"),
    "foot": ("foot", "ankle"),
    "shoulder": ("arm", "upperarm", "uparm", "shldr", "shoulder"),
    "elbow": ("forearm", "lowerarm", "elbow"),
    "wrist": ("hand", "wrist"),
}
"""Usual names in lower case, without the side, in the order of preference ("shoulder" is the collar bone
where there is an "arm" too). The side may stand before or after, as left/right or l/r; prefixes up to a colon
and mixamorig, bip01 … are ignored, and so are blanks, dots, dashes and underscores."""
_MIDDLE = {"hip": ("hips", "hip", "pelvis"), "thorax": ("neck", "neck1", "necklower"), "neck": ("head",)}


def read(path: Path) -> list[Clip]:
    """The one clip of a BVH file in metres, z up, at 50 Hz; subject and action are the file's name.

    The thorax is the BVH's neck joint (where the neck begins), the neck its head joint (where the skull
    begins), the head the end of the head's chain, the spine the joint of the back that is nearest to the
    middle between hips and thorax. y is up unless the body clearly stands along z. The unit comes from the
    body's height.

    Raises:
        ValueError: if the file is damaged, joints are missing or the height fits no unit.
    """
    file = _parse(path)
    if not file.FrameCount >= 1:
        raise ValueError(f"{path.name} has {file.FrameCount} frames, expected at least 1; export it again")
    if not (np.isfinite(file.FrameTime) and file.FrameTime > 0):
        raise ValueError(f"{path.name}: Frame Time is {file.FrameTime}, expected seconds > 0; correct that line")
    positions = _pick(*_forward(file.Root, path.name), path.name)
    check_finite(positions, path.name)
    standing = np.abs(np.median(positions[:, 10] - positions[:, (3, 6)].mean(1), axis=0))
    if standing[2] < 2 * standing[1]:
        positions = np.stack([positions[..., 0], -positions[..., 2], positions[..., 1]], axis=-1)
    positions = positions * _unit(stature(positions), path.name)
    clip = Clip(torch.from_numpy(positions.astype(np.float32)), 1 / file.FrameTime, path.stem, path.stem, path.name)
    return [resample(clip, FPS)]


def _parse(path: Path) -> bvhio.BvhContainer:
    """The file as bvhio reads it.

    Raises:
        ValueError: if it is cut off, or no BVH.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    # At the end of a file bvhio waits for ever; a last line that nothing accepts makes it complain instead.
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "guarded.bvh")
        copy.write_text(text.rstrip() + "\nEND_OF_FILE\n", encoding="utf-8")
        try:
            file = bvhio.readAsBvh(str(copy))
        except (SyntaxError, IndexError, ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else error
            raise ValueError(f"{path.name} is cut off or no BVH file ({reason}); export it again") from error
    channels = sum(len(joint.Channels) for joint, _, _ in file.Root.layout())
    rows = [row.split() for row in re.split(r"(?m)^\s*MOTION\s*$", text)[1].splitlines() if row.strip()][2:]
    wrong = [frame for frame, row in enumerate(rows) if len(row) != channels]
    if len(rows) != file.FrameCount or wrong:
        found = f"frame {wrong[0]} has {len(rows[wrong[0]])} numbers" if wrong else f"{len(rows)} frames"
        raise ValueError(
            f"{path.name}: {found}, expected {file.FrameCount} frames of {channels} numbers; export it again"
        )
    return file


def _forward(root: bvhio.BvhJoint, file: str) -> tuple[Places, Parents]:
    """Where every joint is in every frame, by turning the bones from the root on.

    Raises:
        ValueError: if two joints have one name.
    """
    places: Places = {}
    parents: Parents = {}
    todo = [(root, np.zeros(3), Rotation.identity(), None)]
    while todo:
        joint, origin, turn, parent = todo.pop(0)
        offset = np.array([list(pose.Position) for pose in joint.Keyframes])
        quaternions = np.array([[pose.Rotation[i] for i in (1, 2, 3, 0)] for pose in joint.Keyframes])
        place, own = origin + turn.apply(offset), turn * Rotation.from_quat(quaternions)
        if joint.Name in places:
            raise ValueError(f"{file}: two joints are called {joint.Name}, expected one; rename one of them")
        places[joint.Name], parents[joint.Name] = place, parent
        todo += [(child, place, own, joint.Name) for child in joint.Children]
        if not joint.Children:
            places[f"{joint.Name} end"] = place + own.apply(np.array(list(joint.EndSite)))
            parents[f"{joint.Name} end"] = joint.Name
    return places, parents


def _plain(name: str) -> str:
    """A joint's name in lower case, without the prefixes and signs that programs add."""
    name = re.sub(r"[\s._\-]", "", name.split(":")[-1].lower())
    return re.sub(r"^(mixamorig\d*|bip\d+|character\d+)(?=.)", "", name)


def _pick(places: Places, parents: Parents, file: str) -> np.ndarray:
    """The joints of skeleton.JOINTS, (T, 17, 3).

    Raises:
        ValueError: if joints are missing.
    """
    known: dict[str, str] = {}
    for name in places:
        known.setdefault(_plain(name), name)
    wanted = {joint: list(names) for joint, names in _MIDDLE.items()}
    for side in ("left", "right"):
        for joint, parts in _SIDED.items():
            forms = ("{s}{p}", "{i}{p}", "{p}{i}", "{p}{s}")
            wanted[f"{side}_{joint}"] = [f.format(s=side, i=side[0], p=p) for p in parts for f in forms]
    there = {joint: [known[name] for name in names if name in known] for joint, names in wanted.items()}
    found = {joint: names[0] for joint, names in there.items() if names}
    missing = [joint for joint in wanted if joint not in found]
    if missing:
        joint, names = missing[0], wanted[missing[0]]
        raise ValueError(
            f"{file}: no joint for {', '.join(missing)} (for {joint}, tried {', '.join(names[:6])} …) among "
            f"{', '.join(name for name in places if not name.endswith(' end'))}; rename the file's joints"
        )
    out = {joint: places[name] for joint, name in found.items()}
    out["spine"] = _middle(places, parents, found)
    out["head"] = _top(places, parents, found)
    return np.stack([out[joint] for joint in JOINTS], axis=1)


def _chain(parents: Parents, start: str, stop: str) -> list[str] | None:
    """Names from start up to stop, without both; None where stop is no ancestor."""
    chain, name = [], parents[start]
    while name is not None and name != stop:
        chain.append(name)
        name = parents[name]
    return chain if name == stop else None


def _middle(places: Places, parents: Parents, found: dict[str, str]) -> np.ndarray:
    """The spine (T, 3): the joint of the back that is nearest to half way, or half way where there is none."""
    hip, thorax = places[found["hip"]], places[found["thorax"]]
    back = [places[name] for name in _chain(parents, found["thorax"], found["hip"]) or []]
    share = [np.linalg.norm(p - hip, axis=-1).mean() / np.linalg.norm(thorax - hip, axis=-1).mean() for p in back]
    inside = [(abs(s - 0.5), i) for i, s in enumerate(share) if 0.2 < s < 0.8]
    return back[min(inside)[1]] if inside else 0.5 * (hip + thorax)


def _top(places: Places, parents: Parents, found: dict[str, str]) -> np.ndarray:
    """The head's top (T, 3): the farthest end below the head joint, or as far above it as it is above the neck."""
    head = found["neck"]
    ends = [name for name in places if name.endswith(" end") and _chain(parents, name, head) is not None]
    far = {name: np.linalg.norm(places[name] - places[head], axis=-1).mean() for name in ends}
    neck = places[head] - places[parents[head] or found["thorax"]]
    reach = np.linalg.norm(neck, axis=-1).mean()
    best = max(far, key=lambda name: far[name], default=None)
    return places[best] if best and far[best] > 0.2 * reach else places[head] + neck


def _unit(height: float, file: str) -> float:
    """Metres in the unit of `UNITS` that makes this height most human."""
    fits = {name: scale for name, scale in UNITS.items() if STATURE[0] <= scale * height <= STATURE[1]}
    if not fits:
        raise ValueError(
            f"{file}: from foot to head the bones measure {height:.4g}, which is a human height in none of "
            f"{', '.join(UNITS)}; scale the file"
        )
    return min(fits.values(), key=lambda scale: abs(np.log(scale * height / 1.6)))
