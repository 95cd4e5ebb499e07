"""Writes the files that ship: `python -m tutorial_lib.body_model.make`. About half a minute on one core."""

import numpy as np
import torch
from safetensors.torch import save_file

from tutorial_lib.body_model.body import FILE, Body
from tutorial_lib.body_model.inverse import fit_shape, rotations_of
from tutorial_lib.body_model.making import BONES_EACH, joint_regressor, shape_basis, skinning
from tutorial_lib.body_model.prior import FILE as PRIOR
from tutorial_lib.body_model.prior import fit_prior
from tutorial_lib.body_model.rotations import to_axis_angle
from tutorial_lib.body_model.template import CELL, template
from tutorial_lib.motion import builtin


def make_body(cell: float = CELL) -> Body:
    """A body from nothing but the renderer's solids, in about a second.

    Args:
        cell: metres, as for `template`: 0.0585 is the body that ships, 0.08 has half its vertices.
    """
    vertices, faces, mirror = template(cell)
    weights = skinning(vertices, faces, mirror)
    arrays = vertices, faces, shape_basis(vertices, weights), weights, joint_regressor(vertices, mirror), mirror
    return Body(*(torch.from_numpy(array).to(torch.int64 if array.dtype.kind == "i" else torch.float32)
                  for array in map(np.ascontiguousarray, arrays)))  # fmt: skip


def write_body(made: Body) -> None:
    """Write `body.safetensors`, packed: four bones a vertex, the vertices that a joint is a mean of."""
    weights, bones = made.weights.topk(BONES_EACH, 1)
    shares, near = made.regressor.topk(int((made.regressor > 0).sum(1).max()), 1)
    packed = {
        "template": made.template, "faces": made.faces.short(), "shapes": made.shapes.half(),
        "mirror": made.mirror.short(), "weights": weights.half(), "bones": bones.to(torch.uint8), "shares": shares,
        "near": near.short(),
    }  # fmt: skip
    save_file({name: value.contiguous() for name, value in packed.items()}, FILE)


def write_prior(body: Body, people: int = 24) -> None:
    """Write `prior.safetensors`: turns of every tenth frame of invented people, population 10, which no lesson uses."""
    turns = []
    for clip in builtin(10, people):
        pose = clip.positions[::10]
        turns.append(to_axis_angle(rotations_of(body, pose, fit_shape(body, pose))[:, 1:]))
    prior = fit_prior(torch.cat(turns), generator=torch.Generator().manual_seed(0))
    rows, columns = torch.tril_indices(*prior.factors.shape[1:])
    save_file({"shares": prior.shares, "means": prior.means, "factors": prior.factors[:, rows, columns].half()}, PRIOR)


if __name__ == "__main__":
    made = make_body()
    write_body(made)
    write_prior(made)
    for path in (FILE, PRIOR):
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
