"""Poses from a camera on one's own head, with the scene (Wang et al. 2023). Lesson 13's idea; stands on `integral`."""

from tutorial_lib.egocentric.depth import SceneKind, scene_depth, scene_voxels
from tutorial_lib.egocentric.headset import LENS, pixel_rays, seen_at, wear
from tutorial_lib.egocentric.inpainting import FillNet
from tutorial_lib.egocentric.metrics import EgoScore, judge
from tutorial_lib.egocentric.network import V2V, EgoNet
from tutorial_lib.egocentric.samples import Samples, draw_samples
from tutorial_lib.egocentric.voxels import occupancy, unproject

__all__ = [
    "LENS", "V2V", "EgoNet", "EgoScore", "FillNet", "Samples", "SceneKind", "draw_samples", "judge", "occupancy",
    "pixel_rays", "scene_depth", "scene_voxels", "seen_at", "unproject", "wear",
]  # fmt: skip
