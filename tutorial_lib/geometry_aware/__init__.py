"""3D from two cameras, before any label (Rhodin et al. 2018). Lesson 07's idea; stands on `datasets` and the ground."""

from tutorial_lib.geometry_aware.heads import Ridge, fit_equivariant, fit_ridge
from tutorial_lib.geometry_aware.latents import rotate, to_world
from tutorial_lib.geometry_aware.learning import exchange, picture_loss, train
from tutorial_lib.geometry_aware.networks import Decoder, Encoder, GeometryNet
from tutorial_lib.geometry_aware.retrieval import Retrieval, retrieve
from tutorial_lib.geometry_aware.supervised import PoseNet
from tutorial_lib.geometry_aware.views import draw_groups

__all__ = [
    "Decoder", "Encoder", "GeometryNet", "PoseNet", "Retrieval", "Ridge", "draw_groups", "exchange", "fit_equivariant",
    "fit_ridge", "picture_loss", "retrieve", "rotate", "to_world", "train",
]  # fmt: skip
