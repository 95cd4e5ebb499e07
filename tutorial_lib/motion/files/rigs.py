"""From the joints of any rig to the 17 of the course, each a weighted mean of the file's."""

import warnings
from collections.abc import Sequence

import numpy as np

from tutorial_lib.motion.files.joint_names import fork, roles, upwards
from tutorial_lib.skeleton import JOINTS

_HEAD = (0.05, 0.12, 0.19)
"""The head above its joint, as shares of the bones from a foot to that joint: least and most where it has to be
guessed, and the most that a file may say."""
_UP = ("right_foot", "right_knee", "right_hip", "hip", "thorax", "neck")


def weights(names: Sequence[str | None], parents: Sequence[int], places: np.ndarray, file: str) -> np.ndarray:
    """Weights (17, J), rows that sum to 1: `weights @ places` are the joints of skeleton.JOINTS.

    Args:
        names: of the file's joints, None for an end site.
        parents: index of the joint above, -1 for the root.
        places: (T, J, 3), in any unit.
        file: the file's name, for messages.

    Raises:
        ValueError: if joints are missing.
    """
    role = roles(names, parents, file)
    rows = dict(zip(JOINTS, np.zeros((len(JOINTS), len(names)))))
    for joint in set(role) - {"top"}:
        rows[joint][role[joint]] = 1
    if "thorax" not in role:
        rows["thorax"] = 0.5 * (rows["left_shoulder"] + rows["right_shoulder"])
        warnings.warn(f"{file} has no joint for the neck: it begins midway between the shoulders", stacklevel=4)
    rows["spine"] = _spine(rows, role, parents, places)
    rows["head"] = _head(rows, role, names, parents, places)
    return np.stack([rows[joint] for joint in JOINTS])


def _lengths(ways: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Median lengths over time of differences between joints, given as weights (..., J)."""
    return np.median(np.linalg.norm(np.einsum("...j,tjd->t...d", ways, places), axis=-1), axis=0)


def _spine(rows: dict, role: dict[str, int], parents: Sequence[int], places: np.ndarray) -> np.ndarray:
    """The joint of the back that is nearest to half way from hip to thorax, or half way where there is none."""
    top = role.get("thorax", role["neck"])
    chain = upwards(top, parents)[1:]
    stop = fork(top, role["hip"], parents)
    back = np.eye(len(parents))[chain[: chain.index(stop)] if stop in chain else []]
    way = max(float(_lengths(rows["thorax"] - rows["hip"], places)), 1e-12)
    inside = [(abs(s - 0.5), i) for i, s in enumerate(_lengths(back - rows["hip"], places) / way) if 0.2 < s < 0.8]
    return back[min(inside)[1]] if inside else 0.5 * (rows["hip"] + rows["thorax"])


def _head(
    rows: dict, role: dict[str, int], names: Sequence[str | None], parents: Sequence[int], places: np.ndarray
) -> np.ndarray:
    """The top: the joint that says so, the head's own end site, or what lies straight above; else as far as the neck.

    Programs hang further ends beyond the top, as long as they please: what is further than a head is long gives the
    direction only.
    """
    base, unit = rows["neck"], np.eye(len(names))
    body = float(sum(_lengths(rows[a] - rows[b], places) for a, b in zip(_UP, _UP[1:])))
    neck = base - rows["thorax"]
    reach = float(_lengths(neck, places))
    if reach < 1e-3 * body:
        neck = base - rows["hip"]
    guess = float(np.clip(reach, _HEAD[0] * body, _HEAD[1] * body))
    below = [joint for joint in range(len(names)) if role["neck"] in upwards(joint, parents)[1:]]
    own = [joint for joint in below if names[joint] is None and parents[joint] == role["neck"]]
    for joint in [role["top"]] if "top" in role else own or _straight(below, base, neck, guess, places):
        length = float(_lengths(unit[joint] - base, places))
        if length > _HEAD[2] * body:
            return base + (unit[joint] - base) * guess / length
        if length > 0.2 * reach:
            return unit[joint]
    return base + neck * guess / max(float(_lengths(neck, places)), 1e-12)


def _straight(below: list[int], base: np.ndarray, neck: np.ndarray, guess: float, places: np.ndarray) -> list[int]:
    """Of the joints below the head that in the direction of the neck which fits a head best; eyes and jaws do not."""
    along = np.einsum("j,tjd->td", neck, places)
    out = {}
    for joint in below:
        way = places[:, joint] - np.einsum("j,tjd->td", base, places)
        size = np.linalg.norm(way, axis=-1)
        cosine = (way * along).sum(-1) / np.maximum(size * np.linalg.norm(along, axis=-1), 1e-12)
        if np.median(cosine) > 0.9:
            out[joint] = abs(np.median(size) - guess)
    return sorted(out, key=out.__getitem__)[:1]
