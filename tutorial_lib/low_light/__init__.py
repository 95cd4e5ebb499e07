"""Seeing in the dark by a bright twin (Lee et al. 2023). Lesson 12's idea; stands on `heatmaps`."""

from tutorial_lib.low_light.dark_camera import LEVELS, amplify, dark_twins, draw_exposures
from tutorial_lib.low_light.enhancement import illumination, lime
from tutorial_lib.low_light.learning import Recipe, Twins, day, loss_of, night, train
from tutorial_lib.low_light.lighting import Light, LowLightNet, TwoSidedNorm
from tutorial_lib.low_light.losses import LightCritic, gram, lupi_loss, reverse_gradient

__all__ = [
    "LEVELS", "Light", "LightCritic", "LowLightNet", "Recipe", "Twins", "TwoSidedNorm", "amplify", "dark_twins", "day",
    "draw_exposures", "gram", "illumination", "lime", "loss_of", "lupi_loss", "night", "reverse_gradient", "train",
]  # fmt: skip
