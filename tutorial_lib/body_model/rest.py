"""The body at rest: its joints, its bones, and the solids of its flesh.

Rest frame: x forward, y to the left, z up, metres, the hip at the origin. The arms hang at 45 degrees and the legs
stand apart, so that no limb touches another.
"""

from dataclasses import replace

import numpy as np
import torch

from tutorial_lib.motion.invented.bodies import SHARES
from tutorial_lib.render.anatomy import SOLIDS
from tutorial_lib.render.body import Solids, build
from tutorial_lib.render.looks import draw_looks
from tutorial_lib.skeleton import JOINTS

STATURE = 1.70
"""Metres, of the mean shape."""

LOWERED = np.pi / 4
"""Radians by which the arms at rest hang below the horizontal."""

TURNING = (
    "pelvis", "loin", "chest", "neck", "head",
    *(f"{side}_{name}" for side in ("left", "right") for name in ("collar", "shoulder", "elbow", "wrist")),
    *(f"{side}_{name}" for side in ("left", "right") for name in ("hip", "knee", "ankle")),
)  # fmt: skip
"""Names of the 19 joints that turn. Each turns the part of the body that begins there."""

_N = {name: index for index, name in enumerate(TURNING)}
_PARENT = {"loin": "pelvis", "chest": "loin", "neck": "chest", "head": "neck"}
_AT = {"pelvis": "hip", "loin": "hip", "chest": "spine", "neck": "thorax", "head": "neck"}
_FLESH = {"pelvis": ("pelvis",), "loin": ("waist",), "chest": ("chest",), "neck": ("neck",), "head": ("head", "nose")}
for _s in ("left", "right"):
    _PARENT |= {f"{_s}_collar": "chest", f"{_s}_shoulder": f"{_s}_collar", f"{_s}_elbow": f"{_s}_shoulder",
                f"{_s}_wrist": f"{_s}_elbow", f"{_s}_hip": "pelvis", f"{_s}_knee": f"{_s}_hip",
                f"{_s}_ankle": f"{_s}_knee"}  # fmt: skip
    _AT |= {f"{_s}_collar": "thorax", f"{_s}_ankle": f"{_s}_foot"}
    _AT |= {f"{_s}_{name}": f"{_s}_{name}" for name in ("shoulder", "elbow", "wrist", "hip", "knee")}
    _FLESH |= {f"{_s}_collar": (f"{_s}_collar",), f"{_s}_shoulder": (f"{_s}_upper_arm",),
               f"{_s}_elbow": (f"{_s}_forearm",), f"{_s}_wrist": (f"{_s}_hand", f"{_s}_thumb"),
               f"{_s}_hip": (f"{_s}_thigh",), f"{_s}_knee": (f"{_s}_shin", f"{_s}_calf"),
               f"{_s}_ankle": (f"{_s}_heel", f"{_s}_foot")}  # fmt: skip
PARENTS = tuple(_N[_PARENT[name]] if name in _PARENT else -1 for name in TURNING)
"""Index of the joint before each of `TURNING`, -1 for the pelvis. Parents come first."""

AT = tuple(JOINTS.index(_AT[name]) for name in TURNING)
"""Where each of `TURNING` lies: index into `skeleton.JOINTS`. The head's top turns nothing."""

CARRIER = tuple({JOINTS.index(_AT[name]): _N[name] for name in reversed(TURNING)}.get(j, _N["head"]) for j in range(17))
"""Which of `TURNING` carries each of the 17 joints of `skeleton.JOINTS` along."""

MIRROR = tuple(
    _N[{"left": "right", "right": "left"}.get(name.split("_")[0], name.split("_")[0]) + name[len(name.split("_")[0]) :]]
    for name in TURNING
)
"""Index into `TURNING` after exchanging left and right; an involution."""

FLESH = tuple((SOLIDS.index(solid), _N[name]) for name in TURNING for solid in _FLESH[name])
"""Pairs: index of a solid in `render.anatomy.SOLIDS`, index of the joint in `TURNING` that moves it."""


_FINER = [("nose", (0.0, 0.0, 0.010), 0.0, (0.013, 0.020), (1.0, 1.0))]
for _s in ("left", "right"):
    _FINER += [
        (f"{_s}_forearm", (0.0, 0.0, 0.0), 0.0, (0.042, 0.025), (1.0, 1.0)),
        (f"{_s}_hand", (0.0, 0.03, 0.0), -0.01, (0.034, 0.022), (0.55, 1.3)),
        (f"{_s}_thumb", (0.0, 0.0, 0.004), 0.016, (0.018, 0.013), (1.0, 1.0)),
    ]
"""Solid, shift (side, axis, front), lengthening, radii in metres, stretch: where the mesh departs from the photos."""


def rest_joints(lowered: float = LOWERED) -> np.ndarray:
    """(17, 3) metres, rest frame: the joints of the mean person, as `skeleton.JOINTS`; arms `lowered` in radians."""
    share = {part: STATURE * value for part, value in SHARES.items()}
    down, apart = lowered, np.deg2rad(7)
    j = {"hip": np.zeros(3)}
    j["spine"] = share["loin"] * np.array([np.sin(0.08), 0, np.cos(0.08)])
    j["thorax"] = j["spine"] + share["chest"] * np.array([-np.sin(0.02), 0, np.cos(0.02)])
    j["neck"] = j["thorax"] + share["neck"] * np.array([np.sin(0.38), 0, np.cos(0.38)])
    j["head"] = j["neck"] + share["head"] * np.array([np.sin(0.18), 0, np.cos(0.18)])
    for side, sign in (("left", 1), ("right", -1)):
        arm = np.array([0, sign * np.cos(down), -np.sin(down)])
        leg = np.array([0, sign * np.sin(apart), -np.cos(apart)])
        j[f"{side}_shoulder"] = j["thorax"] + share["shoulder"] * np.array([0, sign, 0])
        j[f"{side}_elbow"] = j[f"{side}_shoulder"] + share["upper_arm"] * arm
        j[f"{side}_wrist"] = j[f"{side}_elbow"] + share["forearm"] * arm
        j[f"{side}_hip"] = share["hip"] * np.array([0, sign, 0])
        j[f"{side}_knee"] = j[f"{side}_hip"] + share["thigh"] * leg
        j[f"{side}_foot"] = j[f"{side}_knee"] + share["shank"] * leg
    return np.stack([j[name] for name in JOINTS])


def rest_solids(lowered: float = LOWERED) -> Solids:
    """The renderer's solids of the mean person at rest: one row, without hair and skirt; arms `lowered` in radians."""
    looks = draw_looks(1, generator=torch.Generator().manual_seed(0))
    one, none = torch.ones(1), torch.zeros(1)
    mean = replace(looks, girth=one, belly=one, shoulders=one, head=one, turn=none, skirt=none.bool(),
                   style=torch.full((1,), 2))  # fmt: skip
    joints = rest_joints(lowered)
    neck, head = JOINTS.index("neck"), JOINTS.index("head")
    # The line from joint 9, between neck and nose, to the top leans forward although the face looks straight ahead.
    joints[head] = joints[neck] + [-0.012, 0, np.linalg.norm(joints[head] - joints[neck])]
    solids = build(torch.from_numpy(joints).float()[None], mean)
    start, span, radius, stretch = (getattr(solids, name).clone() for name in ("start", "span", "radius", "stretch"))
    # A photo needs less of a hand than a mesh: slim the wrist, taper the fingers, let thumb and nose stand off.
    for name, ahead, longer, radii, wide in _FINER:
        row = SOLIDS.index(name)
        start[0, row] += solids.frame[0, row].T @ torch.tensor(ahead)
        span[0, row] += longer
        radius[0, row], stretch[0, row] = torch.tensor(radii), torch.tensor(wide)
    return replace(solids, start=start, span=span, radius=radius, stretch=stretch)
