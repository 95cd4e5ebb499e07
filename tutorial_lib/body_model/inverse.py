"""Inverse kinematics: from 17 joints to a body's rotations and shape, in closed form along the chain.

Seventeen points say where limbs point, not how they are turned about themselves. Where a joint bends, the plane of the
bend says it; where none does, a limb follows the part before it. Feet, hands and the forearm's twist are not seen: they
go on as shins and forearms do. That is a convention, and no measurement.
"""

import torch
from torch.nn.functional import normalize

from tutorial_lib.body_model.body import Body
from tutorial_lib.body_model.making import SHAPES
from tutorial_lib.body_model.rest import PARENTS, TURNING
from tutorial_lib.body_model.rotations import frame, swing
from tutorial_lib.skeleton import BONES, JOINTS, bone_lengths, check_joints, pick

_J = {name: index for index, name in enumerate(JOINTS)}
STRAIGHT = {"arm": 0.15, "leg": 0.3, "neck": 0.4}
"""Sine of the bend at which its plane says as much about a limb's twist as the part before it does."""


def rotations_of(body: Body, pose: torch.Tensor, betas: torch.Tensor | None = None) -> torch.Tensor:
    """Rotations with which the body's bones point as those of `pose` do.

    Args:
        body: whose rest pose the rotations refer to.
        pose: (..., 17, 3) joints in metres, any right-handed frame.
        betas: (..., 6) the body's shape, or None for the mean person.

    Returns:
        (..., 19, 3, 3) for `Body.pose`. Bones of `body.joints(...)` have exactly the directions of those of `pose`,
        but for the collars' lengths; with bones as long as in `pose` the joints are the same.

    Raises:
        ValueError: if `pose` does not end in (17, 3).
    """
    check_joints(pose, 3, "pose")
    rest = body.rest_joints(betas).to(pose)

    def both(start: str, end: str) -> tuple[torch.Tensor, torch.Tensor]:
        return rest[..., _J[end], :] - rest[..., _J[start], :], pose[..., _J[end], :] - pose[..., _J[start], :]

    def turn(axes: tuple[torch.Tensor, torch.Tensor], hints: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return frame(axes[1], hints[1]) @ frame(axes[0], hints[0].expand_as(axes[0])).mT

    def carried(matrix: torch.Tensor, axes: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """Turn as the part before does, then swing on to the limb's direction."""
        return swing((matrix @ axes[0][..., None])[..., 0], axes[1]) @ matrix

    def hinge(
        before: torch.Tensor,
        upper: tuple[torch.Tensor, torch.Tensor],
        lower: tuple[torch.Tensor, torch.Tensor],
        rest_hinge: torch.Tensor,
        limb: str,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The axis about which a limb bends, at rest and in the pose."""
        bend = torch.linalg.cross(normalize(upper[1], dim=-1), normalize(lower[1], dim=-1))
        usual = (carried(before, upper) @ rest_hinge[..., None])[..., 0]
        return rest_hinge, STRAIGHT[limb] * usual + (-bend if limb == "neck" else bend)

    made: dict[str, torch.Tensor] = {}
    hips, loin, chest = both("right_hip", "left_hip"), both("hip", "spine"), both("spine", "thorax")
    made["pelvis"] = turn(hips, loin)
    made["loin"] = turn(loin, hips)
    made["chest"] = turn(chest, both("right_shoulder", "left_shoulder"))
    neck, head = both("thorax", "neck"), both("neck", "head")
    forward, left = rest.new_tensor([1.0, 0.0, 0.0]), rest.new_tensor([0.0, 1.0, 0.0])
    nod = hinge(made["chest"], neck, head, left, "neck")
    made["neck"], made["head"] = turn(neck, nod), turn(head, nod)
    for side in ("left", "right"):
        collar, upper = both("thorax", f"{side}_shoulder"), both(f"{side}_shoulder", f"{side}_elbow")
        fore = both(f"{side}_elbow", f"{side}_wrist")
        made[f"{side}_collar"] = carried(made["chest"], collar)
        elbow = normalize(torch.linalg.cross(upper[0], forward.expand_as(upper[0])), dim=-1)
        fold = hinge(made["chest"], upper, fore, elbow, "arm")
        made[f"{side}_shoulder"], made[f"{side}_elbow"] = turn(upper, fold), turn(fore, fold)
        made[f"{side}_wrist"] = made[f"{side}_elbow"]
        thigh, shin = both(f"{side}_hip", f"{side}_knee"), both(f"{side}_knee", f"{side}_foot")
        fold = hinge(made["pelvis"], thigh, shin, left, "leg")
        made[f"{side}_hip"], made[f"{side}_knee"] = turn(thigh, fold), turn(shin, fold)
        made[f"{side}_ankle"] = made[f"{side}_knee"]
    turns = torch.stack([made[name] for name in TURNING], -3)
    before = torch.cat([torch.eye(3).to(pose).expand_as(turns[..., :1, :, :]), pick(turns, PARENTS[1:], -3)], -3)
    return before.mT @ turns


def fit_shape(body: Body, pose: torch.Tensor, trust: float = 0.005) -> torch.Tensor:
    """The shape whose bones are as long as those of `pose`: regularised least squares, in closed form.

    Joints say nothing of girth: it stays at zero.

    Args:
        body: whose shape is looked for.
        pose: (..., 17, 3) metres.
        trust: metres, how far a bone's length may be off: the larger, the nearer the shape stays to the mean person's.

    Returns:
        (..., 6) for `Body.pose`.

    Raises:
        ValueError: if `pose` does not end in (17, 3).
    """
    check_joints(pose, 3, "pose")
    rest, change = body.rest_joints().to(pose), (body.regressor @ body.shapes).to(pose)
    parents, children = (list(side) for side in zip(*BONES))
    along = normalize(rest[children] - rest[parents], dim=-1)
    longer = ((change[:, children] - change[:, parents]) * along).sum(-1)
    longer[SHAPES.index("girth")] = 0
    solve = torch.linalg.inv(longer @ longer.mT + trust**2 * torch.eye(len(change)).to(pose)) @ longer
    return (bone_lengths(pose) - bone_lengths(rest)) @ solve.mT
