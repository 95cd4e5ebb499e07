"""Names: the solids that a body is made of, the parts they show, the joints they cover."""

import torch

from tutorial_lib.skeleton import JOINTS

PARTS = (
    "background", "pelvis", "torso", "neck", "head",
    "left_upper_arm", "left_forearm", "left_hand", "right_upper_arm", "right_forearm", "right_hand",
    "left_thigh", "left_shin", "left_foot", "right_thigh", "right_shin", "right_foot",
)  # fmt: skip
"""Names of the labels 0, 1, ... in `Photos.parts`."""

SOLIDS = (
    "pelvis", "waist", "chest", "left_collar", "right_collar", "neck", "head", "nose", "hair",
    *(f"{side}_{part}" for side in ("left", "right") for part in ("upper_arm", "forearm", "hand", "thumb")),
    *(f"{side}_{part}" for side in ("left", "right") for part in ("thigh", "shin", "calf", "heel", "foot")),
    "skirt",
)  # fmt: skip
_PART_OF = {"waist": "torso", "chest": "torso", "left_collar": "torso", "right_collar": "torso", "nose": "head",
            "hair": "head", "skirt": "pelvis"}  # fmt: skip
_PART_OF |= {
    f"{s}_{a}": f"{s}_{b}"
    for s in ("left", "right")
    for a, b in (("thumb", "hand"), ("heel", "foot"), ("calf", "shin"))
}
LABELS = torch.tensor([PARTS.index(_PART_OF.get(name, name)) for name in SOLIDS])
"""(solids,) the label of each solid."""

_OWN = {
    "hip": ("pelvis", "skirt", "waist"),
    "spine": ("waist", "chest", "pelvis"),
    "thorax": ("chest", "neck", "left_collar", "right_collar"),
    "neck": ("neck", "head", "nose", "hair"),
    "head": ("head", "hair"),
}
for _s in ("left", "right"):
    _OWN |= {
        f"{_s}_hip": ("pelvis", f"{_s}_thigh", "skirt", "waist"),
        f"{_s}_knee": (f"{_s}_thigh", f"{_s}_shin", f"{_s}_calf", "skirt"),
        f"{_s}_foot": (f"{_s}_shin", f"{_s}_heel", f"{_s}_foot", f"{_s}_calf"),
        f"{_s}_shoulder": ("chest", f"{_s}_collar", f"{_s}_upper_arm"),
        f"{_s}_elbow": (f"{_s}_upper_arm", f"{_s}_forearm"),
        f"{_s}_wrist": (f"{_s}_forearm", f"{_s}_hand", f"{_s}_thumb"),
    }
OWN = torch.tensor([[name in _OWN[joint] for name in SOLIDS] for joint in JOINTS])
"""(17, solids) bool: which solids belong to a joint, so that they do not hide it."""

FLESH = torch.tensor(
    [0.21, 0.15, 0.09, 0.08, 0.15, 0.09, 0.08, 0.20, 0.20, 0.14, 0.13, 0.12, 0.075, 0.07, 0.12, 0.075, 0.07]
)
"""(17,) metres of own flesh that may lie before a visible joint, for a body of girth 1 and size 1 (ours)."""
