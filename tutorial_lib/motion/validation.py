"""What every clip from a file has to satisfy before a lesson sees it."""

import numpy as np

from tutorial_lib.skeleton import BONES, JOINTS

STATURE = (0.8, 2.5)
"""Metres between which the bones from foot over the hips to the top of the head may add up."""
RATES = (1, 1000)
"""Frames a second that a recording of people may have."""
_UPRIGHT = ((1, 2), (2, 3), (0, 7), (7, 8), (8, 9), (9, 10))


def stature(positions: np.ndarray) -> float:
    """Median over the frames of the bones from right foot to head, in the unit of positions (T, 17, 3)."""
    return float(np.median(sum(np.linalg.norm(positions[:, a] - positions[:, b], axis=-1) for a, b in _UPRIGHT)))


def check_finite(positions: np.ndarray, where: str) -> None:
    """Refuse NaN and infinity in positions (T, 17, 3).

    Raises:
        ValueError: names the first frame and joint.
    """
    bad = np.argwhere(~np.isfinite(positions))
    if len(bad):
        frame, joint, _ = bad[0]
        raise ValueError(
            f"{where}: joint {joint} ({JOINTS[joint]}) of frame {frame} is "
            f"{positions[frame, joint].tolist()}, expected finite metres; "
            "cut the clip there or fill the gap before loading"
        )


def check_body(positions: np.ndarray, where: str) -> None:
    """Refuse positions (T, 17, 3) that are no human body in metres.

    Raises:
        ValueError: another unit, or joints that all lie in one place.
    """
    height = stature(positions)
    if STATURE[0] <= height <= STATURE[1]:
        lengths = np.array([np.median(np.linalg.norm(positions[:, a] - positions[:, b], axis=-1)) for a, b in BONES])
        empty = int(lengths.argmin())
        if lengths[empty] < 1e-3:
            raise ValueError(
                f"{where}: the bone to {JOINTS[BONES[empty][1]]} has length {lengths[empty]:.2g} m, "
                "expected a body; check that the joints are those of skeleton.JOINTS"
            )
        return
    guess = next(
        (
            f"these look like {name}: multiply by {factor}"
            for name, factor in (("millimetres", 0.001), ("centimetres", 0.01), ("inches", 0.0254))
            if STATURE[0] <= height * factor <= STATURE[1]
        ),
        "check the unit and the order of the joints",
    )
    raise ValueError(
        f"{where}: from foot to head the bones measure {height:.3g}, "
        f"expected {STATURE[0]} to {STATURE[1]} metres; {guess}"
    )


def check_fps(fps: float | np.ndarray, where: str) -> float:
    """Frames a second as a float.

    Raises:
        ValueError: what is not one number in `RATES`; another would make a clip of one frame, or of millions.
    """
    values = np.asarray(fps)
    number = values.size == 1 and values.dtype.kind in "iuf"
    if not number or not RATES[0] <= values.item() <= RATES[1]:
        raise ValueError(
            f"{where}: fps is {str(fps)[:80]}, expected one number > 0, from {RATES[0]} to {RATES[1]}; "
            "store the recording's frame rate"
        )
    return float(values.item())
