"""Another frame rate, the same bones."""

from dataclasses import replace

import numpy as np
import torch
from scipy.interpolate import CubicSpline

from tutorial_lib.motion.clip import Clip
from tutorial_lib.motion.validation import check_fps
from tutorial_lib.skeleton import PARENTS


def resample(clip: Clip, fps: float) -> Clip:
    """The clip at another frame rate.

    Joints move on cubic splines; bones are then set to their (linearly interpolated) length, since a straight
    way between two poses cuts the corner of a turning limb and would shorten it.

    Args:
        clip: any clip; the first frame keeps its time.
        fps: wanted frames per second.

    Returns:
        A new clip, or the same one where nothing changes.

    Raises:
        ValueError: if fps is no number from 1 to 1000.
    """
    fps = check_fps(fps, "resample")
    count = len(clip.positions)
    if abs(fps - clip.fps) < 1e-6 * fps:
        return clip
    if count == 1:
        return replace(clip, fps=fps)
    old = np.arange(count) / clip.fps
    new = np.arange(int(np.floor(old[-1] * fps + 1e-6)) + 1) / fps
    positions = clip.positions.double().numpy()
    moved = CubicSpline(old, positions)(new) if count > 3 else _linear(new, old, positions)
    out = moved.copy()
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            bone = np.linalg.norm(positions[:, joint] - positions[:, parent], axis=-1)
            way = moved[:, joint] - moved[:, parent]
            length = np.linalg.norm(way, axis=-1)
            scale = np.interp(new, old, bone) / np.maximum(length, 1e-9)
            out[:, joint] = out[:, parent] + way * scale[:, None]
    return replace(clip, positions=torch.from_numpy(out.astype(np.float32)), fps=fps)


def _linear(new: np.ndarray, old: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Positions (frames, 17, 3) at the times `old`, drawn through straight lines to the times `new`."""
    flat = positions.reshape(len(old), -1)
    return np.stack([np.interp(new, old, column) for column in flat.T], -1).reshape(-1, *positions.shape[1:])
