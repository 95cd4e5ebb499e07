"""A parametric body of the course's own: shape and rotations in, a surface and its joints out; and the way back."""

from tutorial_lib.body_model.body import Body, Posed, body
from tutorial_lib.body_model.inverse import fit_shape, rotations_of
from tutorial_lib.body_model.making import SHAPES
from tutorial_lib.body_model.prior import PosePrior, pose_prior
from tutorial_lib.body_model.rest import MIRROR, PARENTS, TURNING

__all__ = [
    "MIRROR", "PARENTS", "SHAPES", "TURNING", "Body", "PosePrior", "Posed", "body", "fit_shape", "pose_prior",
    "rotations_of",
]  # fmt: skip
