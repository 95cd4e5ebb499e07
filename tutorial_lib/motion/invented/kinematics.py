"""From pelvis, feet, trunk and arm tracks to joint positions.

The actor's own frame: x forward, y to the left, z up, floor z = 0. Angles are radians: *pitch* leans
forward, *roll* leans to the right, *yaw* turns to the left.
"""

from dataclasses import dataclass, field

import numpy as np

from tutorial_lib.motion.invented.bodies import Person
from tutorial_lib.skeleton import JOINTS

Angle = float | np.ndarray
"""Radians: one number for all frames, or (frames,)."""

UP = np.array([0.0, 0.0, 1.0])
STRETCH = 0.998  # the straightest a leg gets; 1 would be a locked knee, where inverse kinematics is stiff
_SOFT = 0.009


@dataclass
class Arm:
    """One arm over time, in the chest's frame, y pointing away from the body's middle.

    Attributes:
        upper: (frames, 3) unit vectors along the upper arm.
        bend: (frames, 3) unit vectors across it, the way the forearm turns when the elbow bends.
        flexion: (frames,) elbow angle, 0 straight.
    """

    upper: np.ndarray
    bend: np.ndarray
    flexion: np.ndarray


@dataclass
class Plan:
    """What an action prescribes; everything (frames, ...) in the actor's frame.

    Attributes:
        root: (frames, 3) middle of the hips; its height is a wish, cut where a leg would over-stretch.
        pelvis: (frames, 3) yaw, pitch, roll.
        ankles: (frames, 2, 3) left, right.
        feet: (frames, 2) yaw of the feet.
        spine: (frames, 3) twist, pitch, roll of the chest against the pelvis.
        neck: (frames, 3) the same of the head against the chest.
        arms: [left, right].
    """

    root: np.ndarray
    pelvis: np.ndarray
    ankles: np.ndarray
    feet: np.ndarray
    spine: np.ndarray
    neck: np.ndarray
    arms: list[Arm] = field(default_factory=list)


def unit(v: np.ndarray) -> np.ndarray:
    """v / |v| along the last axis."""
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def rotation(yaw: Angle, pitch: Angle, roll: Angle) -> np.ndarray:
    """Rz(yaw) Ry(pitch) Rx(roll): (frames,) each -> (frames, 3, 3)."""
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (np.cos, np.sin))
    rows = [
        [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
        [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
        [-sp, cp * sr, cp * cr],
    ]
    return np.moveaxis(np.array([np.broadcast_arrays(*row) for row in rows]), -1, 0)


def across(v: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """The part of v at right angles to the unit vectors `direction`, as unit vectors."""
    return unit(v - (v * direction).sum(-1, keepdims=True) * direction)


def trunk(person: Person, plan: Plan) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rotations of pelvis, loin, chest, head: four (frames, 3, 3).

    The loin is hollow and the chest tilts back against it, as backs are; `stoop` rounds it.
    """
    yaw, pitch, roll = np.moveaxis(plan.spine, -1, 0)
    turn, nod, tilt = np.moveaxis(plan.neck, -1, 0)
    pelvis = rotation(*np.moveaxis(plan.pelvis, -1, 0))
    loin = pelvis @ rotation(0.35 * yaw, 0.4 * pitch + 0.08, 0.45 * roll)
    chest = loin @ rotation(0.65 * yaw, 0.6 * pitch - 0.16 + person.stoop, 0.55 * roll)
    head = chest @ rotation(turn, nod + 0.10 - 0.7 * person.stoop + person.gaze, tilt)
    return pelvis, loin, chest, head


def shoulder_offset(person: Person, arm: Arm) -> np.ndarray:
    """(frames, 3) thorax to shoulder in the chest's frame (y outward): a raised arm lifts its shoulder."""
    lift = 0.16 * (1 + arm.upper[:, 2]) ** 1.5 - 0.16
    forward = 0.28 * arm.upper[:, 0] * (1 - 0.3 * arm.upper[:, 2] ** 2)
    direction = np.stack([np.sin(forward) * np.cos(lift), np.cos(forward) * np.cos(lift), np.sin(lift)], -1)
    return person.shoulder * direction


def reachable_height(person: Person, plan: Plan) -> np.ndarray:
    """(frames,) the root's height after a soft minimum with what both legs allow."""
    pelvis = rotation(*np.moveaxis(plan.pelvis, -1, 0))
    heights = [plan.root[:, 2]]
    for leg, side in enumerate((1, -1)):
        offset = pelvis @ np.array([0.0, side * person.hip, 0.0])
        gap = plan.ankles[:, leg] - plan.root - offset
        rise = np.sqrt(np.maximum((STRETCH * person.leg) ** 2 - (gap[:, :2] ** 2).sum(-1), 0.01))
        heights.append(plan.ankles[:, leg, 2] + rise - offset[:, 2])
    heights = np.stack(heights)
    floor = heights.min(0)
    return floor - _SOFT * np.log(np.exp(-(heights - floor) / _SOFT).sum(0))


def two_bone(
    start: np.ndarray, end: np.ndarray, first: float, second: float, pole: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Middle and end joint of a limb that reaches from start towards end and bends towards pole.

    The end is moved along the line where the limb is too short; lengths are always exact.

    Args:
        start: (frames, 3) metres.
        end: (frames, 3) metres, where the limb's end should be.
        first: length of the bone at the start, in metres.
        second: length of the bone at the end, in metres.
        pole: (frames, 3) direction, or one (3,).

    Returns:
        Two (frames, 3).
    """
    gap = end - start
    distance = np.linalg.norm(gap, axis=-1, keepdims=True)
    along = gap / np.maximum(distance, 1e-9)
    reach = np.clip(distance, 0.28 * (first + second), 0.9995 * (first + second))
    share = (first**2 - second**2 + reach**2) / (2 * reach)
    height = np.sqrt(np.maximum(first**2 - share**2, 0.0))
    return start + share * along + height * across(pole, along), start + reach * along


def solve(person: Person, plan: Plan) -> np.ndarray:
    """Joint positions (frames, 17, 3) in metres, order of skeleton.JOINTS."""
    frames = len(plan.root)
    joints: dict[str, np.ndarray] = {}
    pelvis, loin, chest, head = trunk(person, plan)
    hip = np.concatenate([plan.root[:, :2], reachable_height(person, plan)[:, None]], -1)
    joints["hip"] = hip
    joints["spine"] = hip + person.loin * (loin @ UP)
    joints["thorax"] = joints["spine"] + person.chest * (chest @ UP)
    # Joint 9 sits between neck and nose: well in front of the neck's own line; the head's top is above it.
    joints["neck"] = joints["thorax"] + person.neck * (head @ np.array([np.sin(0.34), 0.0, np.cos(0.34)]))
    joints["head"] = joints["neck"] + person.head * (head @ np.array([np.sin(0.14), 0.0, np.cos(0.14)]))
    for leg, (name, side) in enumerate((("left", 1), ("right", -1))):
        socket = hip + pelvis @ np.array([0.0, side * person.hip, 0.0])
        middle = 0.5 * (plan.feet[:, leg] + plan.pelvis[:, 0])
        lateral = np.stack([-np.sin(middle), np.cos(middle), np.zeros(frames)], -1)
        pole = np.cross(plan.ankles[:, leg] - socket, lateral)
        knee, foot = two_bone(socket, plan.ankles[:, leg], person.thigh, person.shank, pole)
        joints[f"{name}_hip"], joints[f"{name}_knee"], joints[f"{name}_foot"] = socket, knee, foot
    for arm, name, side in zip(plan.arms, ("left", "right"), (1, -1)):
        mirror = np.array([1.0, side, 1.0])
        bend = across(arm.bend, arm.upper)
        fore = np.cos(arm.flexion)[:, None] * arm.upper + np.sin(arm.flexion)[:, None] * bend
        parts = (shoulder_offset(person, arm), person.upper_arm * arm.upper, person.forearm * fore)
        base = joints["thorax"]
        for joint, part in zip(("shoulder", "elbow", "wrist"), parts):
            base = base + np.einsum("fij,fj->fi", chest, part * mirror)
            joints[f"{name}_{joint}"] = base
    return np.stack([joints[joint] for joint in JOINTS], axis=1)
