"""Arm tracks: by angles, by aiming the wrist, and blends of the two."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

from tutorial_lib.motion.invented.bodies import Person
from tutorial_lib.motion.invented.curves import ease
from tutorial_lib.motion.invented.kinematics import Angle, Arm, across, shoulder_offset, two_bone

ELBOW = (0.12, 2.55)  # radians: never quite straight, never through the biceps


def angles(forward: Angle, outward: Angle, twist: Angle, elbow: Angle) -> Arm:
    """Arm from angles, each a number or (frames,), in radians.

    Args:
        forward: swing of the upper arm to the front (negative: back); pi/2 is horizontal.
        outward: lift of the upper arm to the side.
        twist: turn of the forearm about the upper arm; positive brings a bent forearm across the body.
        elbow: bend of the elbow.
    """
    forward, outward, twist, elbow = np.broadcast_arrays(*np.atleast_1d(forward, outward, twist, elbow))
    cf, sf, co, so = np.cos(forward), np.sin(forward), np.cos(outward), np.sin(outward)
    upper = np.stack([sf * co, so, -cf * co], -1)
    front = np.stack([cf, np.zeros_like(cf), sf], -1)
    side = np.cross(upper, front)
    bend = np.cos(twist)[:, None] * front + np.sin(twist)[:, None] * side
    return Arm(upper, bend, np.clip(elbow, *ELBOW))


def hang(person: Person, count: int, forward: Angle = 0.0, elbow: Angle = 0.0) -> Arm:
    """Arm hanging at ease for `count` frames, plus a swing and an extra bend."""
    zero = np.zeros(count)
    return angles(zero + forward, zero + person.arm_spread, zero + 0.35, zero + person.elbow_rest + elbow)


def aim(person: Person, wrist: ArrayLike, pole: ArrayLike) -> Arm:
    """Arm whose wrist is at a place.

    Args:
        person: whose arm.
        wrist: (frames, 3) or (3,), metres, seen from the thorax in the chest's frame, y outward.
        pole: (frames, 3) or (3,), where the elbow points.
    """
    wrist, pole = np.broadcast_arrays(np.atleast_2d(wrist), np.atleast_2d(pole))
    arm = hang(person, len(wrist))
    closest = np.sqrt(
        person.upper_arm**2 + person.forearm**2 + 2 * person.upper_arm * person.forearm * np.cos(ELBOW[1])
    )
    for _ in range(3):  # the shoulder follows the arm, and the arm starts at the shoulder
        shoulder = shoulder_offset(person, arm)
        gap = wrist - shoulder
        distance = np.linalg.norm(gap, axis=-1, keepdims=True)
        reach = soft_clip(distance, closest + 0.01, 0.985 * person.arm)
        elbow, end = two_bone(np.zeros_like(gap), gap / distance * reach, person.upper_arm, person.forearm, pole)
        upper, fore = elbow / person.upper_arm, (end - elbow) / person.forearm
        flexion = np.arccos(np.clip((upper * fore).sum(-1), -1.0, 1.0))
        arm = Arm(upper, across(fore, upper), flexion)
    return arm


def soft_clip(x: np.ndarray, low: float, high: float, width: float = 0.02) -> np.ndarray:
    """x kept between low and high, with rounded corners about `width` wide."""
    x = low + width * np.logaddexp(0.0, (x - low) / width)
    return high - width * np.logaddexp(0.0, (high - x) / width)


def blend(first: Arm, second: Arm, weight: np.ndarray) -> Arm:
    """From first (weight 0) to second (weight 1); weight is (frames,)."""
    w = np.broadcast_to(weight, (max(len(first.upper), len(second.upper), np.size(weight)),))
    turn = (_frames(second) * _frames(first).inv()).as_rotvec()  # the shortest turn of the upper arm
    frame = (Rotation.from_rotvec(w[:, None] * turn) * _frames(first)).as_matrix()
    return Arm(frame[..., 0], frame[..., 1], (1 - w) * first.flexion + w * second.flexion)


def _frames(arm: Arm) -> Rotation:
    bend = across(arm.bend, arm.upper)
    return Rotation.from_matrix(np.stack([arm.upper, bend, np.cross(arm.upper, bend)], axis=-1))


def arm_keys(t: np.ndarray, times: np.ndarray, arms: Sequence[Arm]) -> Arm:
    """Through arm positions (each one frame long) at times, resting at each."""
    track = arms[0]
    for start, end, arm in zip(times, times[1:], arms[1:]):
        track = blend(track, arm, ease((t - start) / (end - start)))
    return track
