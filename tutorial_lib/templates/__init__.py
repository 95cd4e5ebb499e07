"""Shape templates (Schmidtke et al., CVPR 2021): a person made of 18 Gaussian parts, each with its own affine map."""

from tutorial_lib.templates.losses import ANCHOR_WEIGHT, BOUNDARY_WEIGHT, anchor_loss, anchors, boundary_loss, springs
from tutorial_lib.templates.parts import ANCHORS, CENTRES, COVARIANCES, NAMES, PAIRS
from tutorial_lib.templates.raster import copy_pixels, warp_parts
from tutorial_lib.templates.skeletons import COVERED, affines_to, keypoints
from tutorial_lib.templates.warp import from_screen_maps, identity, part_maps, to_screen_maps

__all__ = [
    "ANCHORS", "ANCHOR_WEIGHT", "BOUNDARY_WEIGHT", "CENTRES", "COVARIANCES", "COVERED", "NAMES", "PAIRS",
    "affines_to", "anchor_loss", "anchors", "boundary_loss", "copy_pixels", "from_screen_maps", "identity",
    "keypoints", "part_maps", "springs", "to_screen_maps", "warp_parts",
]  # fmt: skip
