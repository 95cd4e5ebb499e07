"""A puppet: the template's skeleton posed by angles in the plane of the image."""

import math
from collections.abc import Mapping, Sequence

import torch

from tutorial_lib.skeleton import JOINTS, PARENTS
from tutorial_lib.templates.skeletons import SIDES, TEMPLATE_JOINTS

ANGLES = (
    "lean", "turn", "left_arm", "left_elbow", "right_arm", "right_elbow",
    "left_leg", "left_knee", "right_leg", "right_knee",
)  # fmt: skip
POSES = {
    "T-pose": {},
    "arms down": {"left_arm": -75, "right_arm": -75},
    "wave": {"left_arm": -70, "left_elbow": 10, "right_arm": 25, "right_elbow": 60, "lean": -5},
    "walk": {
        "turn": 75, "lean": 5, "left_arm": -130, "left_elbow": -40, "right_arm": -125, "right_elbow": 45,
        "left_leg": 8, "left_knee": 35, "right_leg": 10, "right_knee": -12,
    },
    "sit": {
        "turn": 80, "left_arm": -120, "left_elbow": -70, "right_arm": -60, "right_elbow": 70,
        "left_leg": -112, "left_knee": 22, "right_leg": 68, "right_knee": -22,
    },
}  # fmt: skip
"""Angles that are not zero, in degrees."""


LIMBS = {"arm": ("shoulder", "elbow", "wrist"), "leg": ("hip", "knee", "foot")}
"""A limb's joints, from the trunk outwards."""


def end_of(limb: str) -> int:
    """Index of the joint at the end of a limb, such as the right wrist of "left_arm": sides are those of the image."""
    image, kind = limb.split("_")
    return JOINTS.index(f"{SIDES[image]}_{LIMBS[kind][2]}")


def reach(
    angles: Mapping[str, float], limb: str, place: Sequence[float], limits: Mapping[str, tuple[float, float]]
) -> dict[str, float]:
    """The two angles of a limb that bring its hand or foot as near to a place as it goes.

    Args:
        angles: of the whole puppet, as for `pose`.
        limb: "left_arm", "right_arm", "left_leg" or "right_leg".
        place: (2,) screen coordinates.
        limits: degrees by name of `ANGLES`, of the limb's two at least.

    Returns:
        Degrees of both, by name. Of the two ways to bend a limb it is the one that comes nearer, or changes less.
    """
    image, kind = limb.split("_")
    lift, hinge = 1 if image == "left" else -1, f"{image}_{LIMBS[kind][1]}"
    root, middle, end = (JOINTS.index(f"{SIDES[image]}_{joint}") for joint in LIMBS[kind])
    start, target = pose(angles)[root], torch.as_tensor(place, dtype=torch.float32)
    upper, lower = (TEMPLATE_JOINTS[b] - TEMPLATE_JOINTS[a] for a, b in ((root, middle), (middle, end)))
    first, second = (math.hypot(*bone.tolist()) for bone in (upper, lower))
    way = target - start
    far = min(max(math.hypot(*way.tolist()), abs(first - second) + 1e-6), first + second - 1e-6)
    heading = math.atan2(way[1], way[0])
    bend = math.acos((first**2 + far**2 - second**2) / (2 * first * far))
    base = math.radians(angles.get("lean", 0.0)) if kind == "arm" else 0.0
    found = []
    for sign in (1, -1):
        at = heading + sign * bend
        x, y = far * math.cos(heading) - first * math.cos(at), far * math.sin(heading) - first * math.sin(at)
        turned = at - math.atan2(upper[1], upper[0])
        turns = {limb: turned - base, hinge: math.atan2(y, x) - math.atan2(lower[1], lower[0]) - turned}
        answer = {}
        for name, turn in turns.items():
            degrees = (math.degrees(lift * turn) + 180) % 360 - 180
            answer[name] = min(max(degrees, limits[name][0]), limits[name][1])
        missed = torch.linalg.vector_norm(pose({**angles, **answer})[end] - target).item()
        change = sum(abs(value - angles.get(name, 0.0)) for name, value in answer.items())
        found.append((round(missed, 2), change, answer))
    return min(found, key=lambda one: one[:2])[2]


def pose(angles: Mapping[str, float]) -> torch.Tensor:
    """A skeleton in the plane of the image; without angles it is the template's.

    Args:
        angles: degrees by name of `ANGLES`, zero where missing. "lean" turns everything above the hip, to the right
            if positive. "turn" shortens shoulders and hips as if the body turned about its axis. The others lift an
            arm or a leg away from the body, and bend an elbow or a knee the same way round. Sides are those of the
            image, as in `parts.NAMES`.

    Returns:
        (17, 2) screen coordinates in the order of `skeleton.JOINTS`; for `skeletons.affines_to`.

    Raises:
        ValueError: a name that is none of `ANGLES`.
    """
    unknown = sorted(set(angles) - set(ANGLES))
    if unknown:
        raise ValueError(f"angles has {', '.join(unknown)}, expected some of {', '.join(ANGLES)}")
    angle = {name: math.radians(angles.get(name, 0.0)) for name in ANGLES}
    turned, narrow = dict.fromkeys(JOINTS, 0.0), dict.fromkeys(JOINTS, 1.0)
    for joint in ("spine", "thorax", "neck", "head"):
        turned[joint] = angle["lean"]
    for image, person in SIDES.items():
        lift = 1 if image == "left" else -1  # y points down: a positive turn is clockwise
        turned[f"{person}_shoulder"] = angle["lean"]
        narrow[f"{person}_shoulder"] = narrow[f"{person}_hip"] = math.cos(angle["turn"])
        for first, second, limb, hinge in (("elbow", "wrist", "arm", "elbow"), ("knee", "foot", "leg", "knee")):
            base = angle["lean"] if limb == "arm" else 0.0
            turned[f"{person}_{first}"] = base + lift * angle[f"{image}_{limb}"]
            turned[f"{person}_{second}"] = turned[f"{person}_{first}"] + lift * angle[f"{image}_{hinge}"]
    points = [TEMPLATE_JOINTS[0]]
    for joint, parent in list(enumerate(PARENTS))[1:]:
        bone = TEMPLATE_JOINTS[joint] - TEMPLATE_JOINTS[parent]
        x, y = bone[0] * narrow[JOINTS[joint]], bone[1]
        c, s = math.cos(turned[JOINTS[joint]]), math.sin(turned[JOINTS[joint]])
        points.append(points[parent] + torch.stack([c * x - s * y, s * x + c * y]))
    return torch.stack(points).float()
