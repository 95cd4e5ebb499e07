"""The body: rounded solids over the 17 joints.

Every solid is a capsule whose radius changes linearly from one end to the other, stretched sideways and in depth: a
torso is broad and flat. In its own frame (side, axis, front) the capsule is round.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from tutorial_lib.batch import Batch
from tutorial_lib.render.anatomy import SOLIDS
from tutorial_lib.render.looks import Looks
from tutorial_lib.skeleton import JOINTS

_J = {name: index for index, name in enumerate(JOINTS)}


@dataclass(frozen=True)
class Solids(Batch):
    """Stretched capsules, one row (B, solids) each.

    Attributes:
        start: (B, S, 3) metres, the axis' first end in the camera frame.
        frame: (B, S, 3, 3) rows: unit vectors side, axis, front.
        span: (B, S) metres, length of the axis.
        radius: (B, S, 2) metres at both ends; 0 switches a solid off.
        stretch: (B, S, 2) factors sideways and in depth.
        cut: (B, S) metres along the axis where the solid is cut off flat (a skirt's hem), infinite for most.
        size: (B,) the body's size, 1 for a stature of about 1.7 m.
    """

    start: torch.Tensor
    frame: torch.Tensor
    span: torch.Tensor
    radius: torch.Tensor
    stretch: torch.Tensor
    cut: torch.Tensor
    size: torch.Tensor


def _unit(vector: torch.Tensor):
    return vector / torch.sqrt((vector * vector).sum(-1, keepdim=True) + 1e-12)


def _frame(axis: torch.Tensor, side: torch.Tensor):
    """Rows side, axis, front; a hint parallel to the axis is harmless."""
    axis = _unit(axis)
    hint = side + 0.02 * torch.roll(axis, 1, -1)
    side = _unit(hint - (hint * axis).sum(-1, keepdim=True) * axis)
    return torch.stack([side, axis, torch.linalg.cross(axis, side)], -2)


def build(pose: torch.Tensor, looks: Looks) -> Solids:
    """Put flesh on the joints `pose` (B, 17, 3) in metres, camera frame."""
    j = {name: pose[:, index] for name, index in _J.items()}
    hips, shoulders = j["right_hip"] - j["left_hip"], j["right_shoulder"] - j["left_shoulder"]
    legs = sum(
        (j[f"{s}_hip"] - j[f"{s}_knee"]).norm(dim=-1) + (j[f"{s}_knee"] - j[f"{s}_foot"]).norm(dim=-1)
        for s in ("left", "right")
    )
    trunk = (j["thorax"] - j["spine"]).norm(dim=-1) + (j["spine"] - j["hip"]).norm(dim=-1)
    size = (legs / 2 + trunk) / 1.29
    girth = looks.girth * size
    made = {}

    def add(
        name: str,
        start: torch.Tensor,
        end: torch.Tensor,
        side: torch.Tensor,
        radii: tuple[float, float],
        stretch: tuple[Any, Any] = (1.0, 1.0),
        thick: torch.Tensor = girth,
    ):
        axis = end - start
        made[name] = (
            start, _frame(axis, side), torch.sqrt((axis * axis).sum(-1) + 1e-12),
            torch.stack([r * thick for r in radii], -1),
            torch.stack([w + torch.zeros_like(size) for w in stretch], -1),
            torch.full_like(size, torch.inf),
        )  # fmt: skip

    s1 = size[:, None]
    up = _unit(j["spine"] - j["hip"])
    rise = _unit(j["thorax"] - j["spine"])
    mid = _unit(hips) + _unit(shoulders)
    half_hips = hips.norm(dim=-1) / 2
    half_shoulders = (shoulders.norm(dim=-1) / 2).clamp_min(0.1 * size)
    broad = (half_hips + 0.045 * girth) / (0.085 * girth)
    add("pelvis", j["hip"] - 0.02 * s1 * up, j["hip"] + 0.09 * s1 * up, hips, (0.085, 0.082), (broad, 1.28))
    waist = 0.130 * looks.belly / 0.085
    add(
        "waist",
        j["hip"] + 0.10 * s1 * up,
        j["spine"] + 0.07 * s1 * rise,
        mid,
        (0.085, 0.080),
        (waist, 1.18 * looks.belly),
    )
    chest = half_shoulders * looks.shoulders / (0.098 * girth)
    top = j["thorax"] - 0.085 * s1 * rise
    add("chest", j["spine"] - 0.06 * s1 * rise, top, shoulders, (0.072, 0.096), (chest, 1.18))
    # The base of the neck lies above and between the shoulders; the collars slope down from it.
    neck = _unit(j["neck"] - j["thorax"])
    for s in ("left", "right"):
        inner = 0.8 * j["thorax"] + 0.2 * j[f"{s}_shoulder"] + 0.018 * s1 * rise
        add(f"{s}_collar", inner, j[f"{s}_shoulder"] - 0.005 * s1 * rise, shoulders, (0.054, 0.054), (1.0, 1.15))
    head_axis = _unit(j["head"] - j["neck"])
    add("neck", j["thorax"] - 0.03 * s1 * neck, j["neck"] + 0.02 * s1 * head_axis, shoulders, (0.058, 0.053))
    scale = size * looks.head
    h1 = scale[:, None]
    face = _frame(head_axis, shoulders)
    # The face looks away from the chest by `turn`.
    cos, sin = torch.cos(looks.turn)[:, None], torch.sin(looks.turn)[:, None]
    right = cos * face[:, 0] - sin * face[:, 2]
    front = cos * face[:, 2] + sin * face[:, 0]
    crown = j["head"] + 0.025 * s1 * head_axis
    centre = crown - 0.112 * h1 * head_axis + 0.008 * h1 * front
    chin, skull = centre - 0.048 * h1 * head_axis + 0.012 * h1 * front, centre + 0.027 * h1 * head_axis
    add("head", chin, skull, right, (0.064, 0.085), (0.90, 1.10), scale)
    tip = centre - 0.022 * h1 * head_axis + 0.098 * h1 * front
    add("nose", centre + 0.01 * h1 * head_axis + 0.086 * h1 * front, tip, right, (0.006, 0.011), (1.0, 1.0), scale)
    long, bun = (looks.style == 1).to(size), (looks.style == 3).to(size)
    nape = centre - (0.04 * h1) * front
    low = (
        nape - (0.15 * long[:, None] - 0.07 * bun[:, None]) * h1 * head_axis - (0.03 + 0.05 * bun[:, None]) * h1 * front
    )
    high = nape + 0.03 * h1 * head_axis - 0.05 * bun[:, None] * h1 * front
    add("hair", low, high, right, (0.052, 0.078), (1.05, 0.95), scale * long + 0.62 * scale * bun)
    _arms(add, j, s1, shoulders, rise)
    _legs(add, j, s1, hips)
    knees = (j["left_knee"] + j["right_knee"]) / 2
    reach = 0.75 + 0.3 * looks.leg[:, None]
    hem = j["hip"] + reach * (knees - j["hip"])
    wide = ((j["left_knee"] - j["right_knee"]).norm(dim=-1) * 0.5 + 0.11 * girth) / (0.105 * girth)
    add("skirt", j["hip"], hem, hips, (0.078, 0.105), (wide.clamp(1.75, 2.6), 1.35), girth * looks.skirt)
    # A skirt is open at its hem.
    made["skirt"] = (*made["skirt"][:-1], made["skirt"][2])
    rows = [made[name] for name in SOLIDS]
    return Solids(*(torch.stack(column, 1) for column in zip(*rows)), size)


def _arms(
    add: Callable[..., None], j: dict[str, torch.Tensor], s1: torch.Tensor, shoulders: torch.Tensor, rise: torch.Tensor
):
    # Thumbs point this way as far as they can: hanging arms have their palms at the thighs, stretched ones look down.
    thumbs = _frame(rise, shoulders)[:, 2] + 0.6 * rise
    for s in ("left", "right"):
        shoulder, elbow, wrist = (j[f"{s}_{name}"] for name in ("shoulder", "elbow", "wrist"))
        along = _unit(wrist - elbow)
        palm = torch.linalg.cross(along, thumbs)
        add(f"{s}_upper_arm", shoulder, elbow, palm, (0.056, 0.041))
        add(f"{s}_forearm", elbow, wrist, palm, (0.042, 0.030))
        add(f"{s}_hand", wrist + 0.02 * s1 * along, wrist + 0.13 * s1 * along, palm, (0.033, 0.027), (0.62, 1.25))
        front = -_frame(along, palm)[:, 2]
        root = wrist + 0.03 * s1 * along + 0.015 * s1 * front
        add(f"{s}_thumb", root, root + 0.055 * s1 * along + 0.03 * s1 * front, palm, (0.015, 0.012))


def _legs(add: Callable[..., None], j: dict[str, torch.Tensor], s1: torch.Tensor, hips: torch.Tensor):
    for s in ("left", "right"):
        hip, knee, ankle = (j[f"{s}_{name}"] for name in ("hip", "knee", "foot"))
        thigh, shin = _unit(knee - hip), _unit(ankle - knee)
        # A bent knee shows which way the leg is turned; a straight one follows the pelvis.
        hinge = _unit(0.3 * _unit(hips) - torch.linalg.cross(thigh, shin))
        front = _unit(torch.linalg.cross(hinge, shin))
        add(f"{s}_thigh", hip + 0.01 * s1 * thigh, knee, hinge, (0.086, 0.056), (1.0, 1.05))
        add(f"{s}_shin", knee, ankle, hinge, (0.055, 0.037))
        add(
            f"{s}_calf",
            knee + 0.06 * s1 * shin - 0.018 * s1 * front,
            knee + 0.2 * s1 * shin - 0.014 * s1 * front,
            hinge,
            (0.047, 0.042),
        )
        sole = ankle + 0.045 * s1 * shin
        toes = _unit(front + 0.08 * shin)
        add(f"{s}_heel", ankle, sole - 0.035 * s1 * toes, hinge, (0.038, 0.036))
        add(f"{s}_foot", sole - 0.02 * s1 * toes, sole + 0.135 * s1 * toes, hinge, (0.037, 0.032), (1.12, 0.95))
