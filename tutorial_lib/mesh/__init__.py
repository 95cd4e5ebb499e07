"""Mesh recovery: from 17 dots to a body's surface. Lesson 10's idea; stands on `lifting`, `datasets` and the ground."""

from tutorial_lib.mesh.lixels import LixelNet
from tutorial_lib.mesh.numbers import COUNT, Parameters, facing, pack, unpack
from tutorial_lib.mesh.people import People, Seen, draw_people, see
from tutorial_lib.mesh.pose_to_mesh import MeshLifter
from tutorial_lib.mesh.regressor import Regressor
from tutorial_lib.mesh.unseen import TurnableRegressor
from tutorial_lib.mesh.weak_perspective import best_camera, reproject

__all__ = [
    "COUNT", "LixelNet", "MeshLifter", "Parameters", "People", "Regressor", "Seen", "TurnableRegressor", "best_camera",
    "draw_people", "facing", "pack", "reproject", "see", "unpack",
]  # fmt: skip
