"""Between templates and skeletons: joints from anchors, and affines that lay the template over a skeleton.

Which anchor is which joint is ours: the paper does not say. "left" parts are on the left of the image; they become
*right* joints, because the template faces the camera.
"""

import torch

from tutorial_lib.skeleton import JOINTS, check_joints
from tutorial_lib.templates.losses import anchors
from tutorial_lib.templates.parts import ANCHORS, CENTRES, NAMES, anchor
from tutorial_lib.templates.warp import Pivot, from_screen_maps, identity, to_screen_maps

SIDES = {"left": "right", "right": "left"}
"""Side of the image -> side of a person who faces the camera."""

JOINT_ANCHORS = {
    "hip": (anchor("core", 0), anchor("left hip", 0), anchor("right hip", 0)),
    "thorax": (anchor("core", 1), anchor("left shoulder", 0), anchor("right shoulder", 0)),
    "neck": (anchor("core", 2), anchor("head")),
}
for _image, _person in SIDES.items():
    for _joint, _inner, _outer in (
        ("hip", "hip", "thigh"),
        ("knee", "thigh", "shin"),
        ("foot", "shin", "foot"),
        ("shoulder", "shoulder", "arm"),
        ("elbow", "arm", "forearm"),
        ("wrist", "forearm", "hand"),
    ):
        JOINT_ANCHORS[f"{_person}_{_joint}"] = (anchor(f"{_image} {_inner}", 1), anchor(f"{_image} {_outer}", 0))
COVERED = tuple(index for index, name in enumerate(JOINTS) if name in JOINT_ANCHORS)
"""Indices into `skeleton.JOINTS` of the 15 joints that anchors define: all but the spine and the head's top."""

_HEAD, _CORE = NAMES.index("head"), NAMES.index("core")
_HEAD_TOP = 2 * CENTRES[_HEAD] - ANCHORS[anchor("head")]  # as far above the head's centre as its anchor lies below

# part -> the joints that its two ends go to; a hand or a foot goes on in the direction of the limb before it
_BONES = {"core": ("hip", "thorax"), "head": ("neck", "head")}
_BONES |= {f"{side} hip": ("hip", f"{person}_hip") for side, person in SIDES.items()}
_BONES |= {f"{side} shoulder": ("thorax", f"{person}_shoulder") for side, person in SIDES.items()}
for _image, _person in SIDES.items():
    for _part, _from, _to in (
        ("thigh", "hip", "knee"),
        ("shin", "knee", "foot"),
        ("arm", "shoulder", "elbow"),
        ("forearm", "elbow", "wrist"),
    ):
        _BONES[f"{_image} {_part}"] = (f"{_person}_{_from}", f"{_person}_{_to}")
_ENDS = {"foot": ("shin", "foot"), "hand": ("forearm", "wrist")}


def keypoints(affines: torch.Tensor, about: Pivot = "part") -> torch.Tensor:
    """The 17 joints of a moved template.

    A joint is the mean of the anchors that meet there. The spine and the head's top have no anchors: they are the
    core's centre and the point of the head opposite its anchor. Leave them out of an evaluation: see `COVERED`.

    Args:
        affines: (..., 18, 2, 3) as for `warp.part_maps`. Differentiable.
        about: the point about which a part turns, see `warp.to_screen_maps`.

    Returns:
        (..., 17, 2) screen coordinates in the order of `skeleton.JOINTS`.
    """
    places, maps = anchors(affines, about), to_screen_maps(affines, about)
    joints = []
    for name in JOINTS:
        if name in JOINT_ANCHORS:
            joints.append(places[..., list(JOINT_ANCHORS[name]), :].mean(-2))
        else:
            part, point = (_CORE, CENTRES[_CORE]) if name == "spine" else (_HEAD, _HEAD_TOP)
            joints.append(maps[..., part, :, :2] @ point.to(affines) + maps[..., part, :, 2])
    return torch.stack(joints, -2)


def affines_to(points: torch.Tensor) -> torch.Tensor:
    """Affines that lay the template over a skeleton, part by part: what a perfect regressor would answer.

    A part's two ends go exactly to its bone's joints. Across the bone it keeps its thickness, times the ratio of all
    bones' lengths to the template's; so a limb that points at the camera gets short, not thin, until with no length at
    all it has no direction and vanishes. The core's anchors lie on one line: it follows hip and thorax, and the neck's
    pair stays apart where the neck is bent.

    Args:
        points: (..., 17, 2) screen coordinates.

    Returns:
        (..., 18, 2, 3) about each part's centre.

    Raises:
        ValueError: if `points` does not end in (17, 2).
    """
    check_joints(points, 2, "points")
    still = TEMPLATE_JOINTS.to(points)
    index = {name: position for position, name in enumerate(JOINTS)}
    starts, ends = (torch.tensor([index[bone[end]] for bone in _BONES.values()]) for end in (0, 1))
    bones, rest = points[..., ends, :] - points[..., starts, :], still[ends] - still[starts]
    size = torch.linalg.vector_norm(bones, dim=-1).sum(-1) / torch.linalg.vector_norm(rest, dim=-1).sum(-1)
    linear = {part: _lay(rest[i], bones[..., i, :], size) for i, part in enumerate(_BONES)}
    origin = {part: (still[starts[i]], points[..., starts[i], :]) for i, part in enumerate(_BONES)}
    for side, person in SIDES.items():
        for part, (before, joint) in _ENDS.items():
            i, at = list(_BONES).index(f"{side} {before}"), index[f"{person}_{joint}"]
            straight = torch.nn.functional.normalize(bones[..., i, :], dim=-1)
            along = straight * (size[..., None] * torch.linalg.vector_norm(rest[i]))
            linear[f"{side} {part}"] = _lay(rest[i], along, size)
            origin[f"{side} {part}"] = (still[at], points[..., at, :])
    maps = []
    for name in NAMES:
        source, target = origin[name]
        maps.append(torch.cat([linear[name], (target - linear[name] @ source)[..., None]], -1))
    return from_screen_maps(torch.stack(maps, -3))


def _lay(rest: torch.Tensor, bone: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
    """(..., 2, 2) that takes `rest` (2,) to `bone` (..., 2) and stretches across it by `size` (...)."""
    length = torch.linalg.vector_norm(rest)
    along = rest / length
    across = torch.stack([-along[1], along[0]])
    new_across = size[..., None] * torch.nn.functional.normalize(torch.stack([-bone[..., 1], bone[..., 0]], -1), dim=-1)
    return bone[..., :, None] * along / length + new_across[..., :, None] * across


TEMPLATE_JOINTS = keypoints(identity(dtype=torch.float64))
"""(17, 2) screen coordinates of the joints of the template itself."""
