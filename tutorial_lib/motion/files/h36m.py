"""VideoPose3D's data_3d_h36m.npz: 32 joints, of which 15 are doubles or never move."""

import numpy as np
import torch

from tutorial_lib.motion.clip import Clip
from tutorial_lib.motion.validation import check_body, check_finite

KEPT = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
"""The 17 of the 32 joints, in the order of skeleton.JOINTS. The shoulders hung on a double of the thorax that
is dropped; skeleton.PARENTS hangs them on the thorax, as VideoPose3D does."""
FPS = 50.0


def clips_of(table: object, name: str) -> list[Clip]:
    """Clips out of {subject: {action: (T, 32, 3) metres}}.

    Args:
        table: what the file holds, which need not be such a table.
        name: the file's, for clips and messages.

    Raises:
        ValueError: if the table has another layout; names subject and action.
    """
    if not isinstance(table, dict) or not all(isinstance(actions, dict) for actions in table.values()):
        raise ValueError(
            f"{name}: positions_3d holds a {type(table).__name__}, "
            "expected a dict subject -> action -> array; "
            "make the file with VideoPose3D's prepare_data_h36m.py"
        )
    clips = []
    for subject, actions in table.items():
        for action, positions in actions.items():
            clips.append(_clip(positions, str(subject), str(action), name))
    if not clips:
        raise ValueError(f"{name}: positions_3d holds no clip, expected at least one; make the file again")
    return clips


def _clip(positions: object, subject: str, action: str, name: str) -> Clip:
    where = f"{name}, subject {subject}, action {action}"
    if not isinstance(positions, np.ndarray):
        raise ValueError(f"{where}: a {type(positions).__name__}, expected an array (T, 32, 3); make the file again")
    if positions.dtype.kind not in "fiu" or positions.ndim != 3 or positions.shape[1:] != (32, 3):
        raise ValueError(
            f"{where}: the array has shape {positions.shape} and type {positions.dtype}, "
            "expected (T, 32, 3) numbers; the 32 joints of Human3.6M are needed, not an already reduced file"
        )
    if not len(positions):
        raise ValueError(f"{where}: the clip has no frame, expected at least one; remove it")
    with np.errstate(over="ignore"):  # what float32 does not hold becomes infinite, and is refused
        positions = positions[:, KEPT].astype(np.float32)
    check_finite(positions, where)
    check_body(positions, where)
    return Clip(torch.from_numpy(positions), FPS, f"h36m-{subject}", action, name)
