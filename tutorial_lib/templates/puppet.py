"""A puppet: the template's skeleton posed by angles in the plane of the image."""

import math
from collections.abc import Mapping

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
