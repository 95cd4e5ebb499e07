"""From the template to a body that can be posed: weights, shapes, joints. What ships is made here, once."""

import numpy as np
import torch
from scipy.optimize import nnls

from tutorial_lib.body_model.flesh import distances
from tutorial_lib.body_model.rest import AT, FLESH, MIRROR, PARENTS, TURNING, rest_joints, rest_solids
from tutorial_lib.skeleton import JOINTS

BONES_EACH = 4
"""The most joints that move one vertex."""

SHAPES = ("height", "girth", "legs", "arms", "shoulders", "head")
"""Names of the six directions in which bodies differ; 1 is one standard deviation of the invented people."""

_TIP = {"neck": "neck", "head": "head", "chest": "thorax", "loin": "spine"}
for _s in ("left", "right"):
    _TIP |= {f"{_s}_collar": f"{_s}_shoulder", f"{_s}_shoulder": f"{_s}_elbow", f"{_s}_elbow": f"{_s}_wrist",
             f"{_s}_hip": f"{_s}_knee", f"{_s}_knee": f"{_s}_foot"}  # fmt: skip


def skinning(vertices: np.ndarray, faces: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """How much each joint moves each vertex.

    A vertex belongs to the solids that it is nearest to; the heat of this belonging then spreads over the surface.

    Args:
        vertices: (V, 3) metres, of the template.
        faces: (F, 3).
        mirror: (V,) the vertex on the other side of each.

    Returns:
        (V, 19) rows that add up to 1, at most four entries of each above zero.
    """
    gap = distances(rest_solids(), torch.from_numpy(vertices).float()).double().numpy()
    near = np.full((len(vertices), len(TURNING)), np.inf)
    for column, (_, joint) in enumerate(FLESH):
        near[:, joint] = np.minimum(near[:, joint], gap[:, column])
    near = near - near.min(1, keepdims=True)
    belongs = np.exp(-near / 0.012)
    belongs += belongs[mirror][:, list(MIRROR)]
    belongs /= belongs.sum(1, keepdims=True)
    # Heat: (identity + reach^2 Laplacian) weights = belongs. One solve of the heat equation, implicit in time.
    weights = np.linalg.solve(np.eye(len(vertices)) + 0.035**2 * _laplacian(vertices, faces), belongs)
    weights = (weights + weights[mirror][:, list(MIRROR)]) / 2
    # Where left and right share the last place, neither gets it: the middle stays in the middle.
    fifth = np.sort(weights, 1)[:, -BONES_EACH - 1]
    weights = np.where(weights > np.maximum(fifth + 1e-6, 0.01)[:, None], weights, 0)
    return weights / weights.sum(1, keepdims=True)


def _laplacian(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, V) per square metre: differences to neighbours over squared distances: unequal edges do not matter."""
    one, other = np.concatenate([faces[:, [i, i - 1]] for i in range(3)]).T
    share = np.zeros((len(vertices), len(vertices)))
    share[one, other] = 4 / ((vertices[one] - vertices[other]) ** 2).sum(-1)
    share = np.maximum(share, share.T)
    count = (share > 0).sum(1)
    share /= np.sqrt(count[:, None] * count)
    return np.diag(share.sum(1)) - share


def shape_basis(vertices: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The six directions of shape: each makes the parts of some joints longer, thicker, broader or larger.

    Args:
        vertices: (V, 3) metres, of the template.
        weights: (V, 19) of `skinning`: a vertex follows its joints as it does in a pose.

    Returns:
        (6, V, 3) metres of displacement for one standard deviation of each of `SHAPES`.
    """
    names = {
        "larger": {"height": (TURNING, 0.056), "head": (("head",), 0.05)},
        "thicker": {"girth": (TURNING, 0.10)},
        "longer": {
            "legs": (_named("hip", "knee"), 0.036), "arms": (_named("shoulder", "elbow"), 0.04),
            "shoulders": (_named("collar"), 0.07), "head": (("neck",), 0.06),
        },
        "broader": {"shoulders": (("chest",), 0.055)},
    }  # fmt: skip
    amounts = {change: np.zeros((len(SHAPES), len(TURNING))) for change in names}
    for change, of in names.items():
        for shape, (parts, amount) in of.items():
            for part in parts:
                amounts[change][SHAPES.index(shape), TURNING.index(part)] = amount
    amounts["thicker"][:, [TURNING.index(name) for name in ("head", *_named("wrist", "ankle"))]] *= 0.3
    rest = rest_joints()
    at, eye, broad = rest[list(AT)], np.eye(3), np.diag([0.0, 1.0, 0.0])
    axes = np.stack([_axis(rest, name) for name in TURNING])
    along = axes[:, :, None] * axes[:, None]
    basis = np.zeros((len(SHAPES), len(vertices), 3))
    for shape in range(len(SHAPES)):
        larger, longer, broader, thicker = (
            amounts[change][shape][:, None, None] for change in ("larger", "longer", "broader", "thicker")
        )
        moves_joints = larger * eye + longer * along + broader * broad
        grows = moves_joints + thicker * (eye - along)
        shift = np.zeros((len(TURNING), 3))
        for joint, parent in enumerate(PARENTS):
            if parent >= 0:
                # A broader chest does not carry the collars away: they begin in its middle.
                shift[joint] = shift[parent] + moves_joints[parent] @ (at[joint] - at[parent])
        moved = shift + np.einsum("kij,vkj->vki", grows, vertices[:, None] - at)
        basis[shape] = (weights[..., None] * moved).sum(1)
    return basis


def _named(*names: str) -> tuple[str, ...]:
    return tuple(f"{side}_{name}" for side in ("left", "right") for name in names)


def _axis(rest: np.ndarray, name: str) -> np.ndarray:
    """(3,) unit vector along a part at rest: to the joint at its end; hands go on as forearms do."""
    side, _, part = name.rpartition("_")
    if name in _TIP:
        axis = rest[JOINTS.index(_TIP[name])] - rest[AT[TURNING.index(name)]]
    elif part == "wrist":
        axis = rest[JOINTS.index(f"{side}_wrist")] - rest[JOINTS.index(f"{side}_elbow")]
    else:
        axis = np.array([1.0, 0, 0]) if part == "ankle" else np.array([0, 0, 1.0])
    return axis / np.linalg.norm(axis)


def joint_regressor(vertices: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Joints as means of the vertices around them.

    Args:
        vertices: (V, 3) metres, of the template.
        mirror: (V,) the vertex on the other side of each.

    Returns:
        (17, V) rows that add up to 1, nothing below zero, few entries above it; `regressor @ vertices` are the joints
        of `skeleton.JOINTS` at rest, exactly.
    """
    rest = rest_joints()
    regressor = np.zeros((len(JOINTS), len(vertices)))
    for joint, name in enumerate(JOINTS):
        if name.startswith("right") or name == "hip":
            continue
        far = np.linalg.norm(vertices - rest[joint], axis=1)
        for reach in (1.15, 1.3, 1.6, 2.0, 2.5, 3.0, 4.0):
            ring = np.flatnonzero(far < reach * np.sort(far)[:12].mean())
            # Exact place first; as even as that allows, so that no single vertex speaks for a joint.
            firm = 1e4 * np.concatenate([(vertices[ring] - rest[joint]).T, np.ones((1, len(ring)))])
            wish = np.concatenate([np.zeros(3), [1e4], np.full(len(ring), 1 / len(ring))])
            share, _ = nnls(np.concatenate([firm, np.eye(len(ring))]), wish)
            share /= share.sum()
            if np.linalg.norm(share @ vertices[ring] - rest[joint]) < 1e-6:
                break
        regressor[joint, ring] = share
        if not name.startswith("left"):
            regressor[joint] = (regressor[joint] + regressor[joint, mirror]) / 2
        else:
            regressor[JOINTS.index(name.replace("left", "right")), mirror] = regressor[joint]
    regressor[0] = (regressor[JOINTS.index("left_hip")] + regressor[JOINTS.index("right_hip")]) / 2
    return regressor
