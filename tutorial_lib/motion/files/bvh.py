"""BVH files: motion on any program's rig, as the course's 17 joints."""

from pathlib import Path

import numpy as np
import torch

from tutorial_lib.motion.clip import Clip
from tutorial_lib.motion.files.bvh_text import forward, parse
from tutorial_lib.motion.files.rigs import weights
from tutorial_lib.motion.resampling import resample
from tutorial_lib.motion.validation import STATURE, stature
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
_HIP, _FEET, _HEAD = JOINTS.index("hip"), (JOINTS.index("right_foot"), JOINTS.index("left_foot")), JOINTS.index("head")


def read(path: Path) -> list[Clip]:
    """The one clip of a BVH file in metres, z up, at 50 Hz; subject and action are the file's name.

    The thorax is the BVH's neck joint (where the neck begins), the neck its head joint (where the skull
    begins), the spine the joint of the back that is nearest to the middle between hips and thorax. Feet and hands
    are ankles and wrists. The unit comes from the body's height, the direction up from its rest pose.

    Raises:
        ValueError: if the file is damaged, joints are missing or the height fits no unit.
    """
    file = parse(path)
    places, rest, turns = forward(file, path.name)
    share = weights(file.names, file.parents, places, path.name)
    positions = np.einsum("kj,tjd->tkd", share, places)
    # What lies above the hips may stand the whole skeleton up, by one rotation in all frames.
    above = file.parents[int(share[_HIP].argmax())]
    world = turns[above] if above >= 0 else np.eye(3)[None]
    if np.ptp(world, axis=0).max() < 1e-6:
        rest = rest @ world[0].T
    up, sign = _up(share @ rest, positions)
    if up == 1:
        positions = np.stack([positions[..., 0], -sign * positions[..., 2], sign * positions[..., 1]], axis=-1)
    elif sign < 0:
        positions = positions * (1, -1, -1)
    moved = any(not turn for own, parent in zip(file.channels, file.parents) for _, turn in own if parent >= 0)
    positions = (positions * _unit(stature(positions), moved, path.name)).astype(np.float32)
    return [resample(Clip(torch.from_numpy(positions), file.fps, path.stem, path.stem, path.name), FPS)]


def _up(rest: np.ndarray, positions: np.ndarray) -> tuple[int, int]:
    """The axis that is up (1 or 2) and its sign, for the rest pose (17, 3) and the motion (T, 17, 3).

    The rest pose decides where it stands, with head and feet on opposite sides of the hips along y or z, whatever the
    person does: except that who stands all the time on the floor of the other axis was turned there by the root (SMPL
    bodies, y up, in AMASS's world, z up). In other rest poses every bone lies along its own axis; then y is up, unless
    the body clearly stands along z as it moves.
    """
    feet = rest[list(_FEET)].mean(0)
    body = rest[_HEAD] - feet
    axis = int(np.abs(body).argmax())
    moving = np.median(positions[:, _HEAD] - positions[:, _FEET].mean(1), axis=0)
    if axis > 0 and (rest[_HEAD] - rest[_HIP]) @ (feet - rest[_HIP]) < 0:
        other, height = 3 - axis, abs(body[axis])
        floor = positions[:, _FEET, other].min()
        if moving[other] > 0.9 * np.linalg.norm(moving) and -0.05 * height < floor < 0.15 * height:
            return other, 1
        return axis, 1 if body[axis] > 0 else -1
    return (1 if abs(moving[2]) < 2 * abs(moving[1]) else 2), 1


def _unit(height: float, moved: bool, file: str) -> float:
    """Metres in the unit of `UNITS` that makes this height most human; moved: inner joints have position channels."""
    fits = {name: scale for name, scale in UNITS.items() if STATURE[0] <= scale * height <= STATURE[1]}
    if not fits:
        remedy = (
            "its inner joints have position channels, which stand in place of the bones: export rotations only"
            if moved
            else "scale the file"
        )
        raise ValueError(
            f"{file}: from foot to head the bones measure {height:.4g}, which is a human height in none of "
            f"{', '.join(UNITS)}; {remedy}"
        )
    return min(fits.values(), key=lambda scale: abs(np.log(scale * height / 1.6)))
