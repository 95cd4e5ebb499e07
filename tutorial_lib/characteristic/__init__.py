"""Heat maps of crowds, and their characteristic functions as a loss (Qu et al. 2023). Lesson 09; stands on heatmaps."""

from tutorial_lib.characteristic.loss import cf_loss, crowd_target, frequencies, l2_loss, region_bound
from tutorial_lib.characteristic.network import SIGMAS, CrowdNet, merged
from tutorial_lib.characteristic.peaks import find_peaks, sample
from tutorial_lib.characteristic.samples import CrowdSet, draw_crowd_set
from tutorial_lib.characteristic.tags import group, tag_loss

__all__ = [
    "SIGMAS", "CrowdNet", "CrowdSet", "cf_loss", "crowd_target", "draw_crowd_set", "find_peaks", "frequencies",
    "group", "l2_loss", "merged", "region_bound", "sample", "tag_loss",
]  # fmt: skip
