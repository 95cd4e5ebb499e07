"""A photo studio: pictures of invented people in the poses of the course's motion, with the full truth about them."""

from tutorial_lib.render.anatomy import PARTS
from tutorial_lib.render.crops import crop_windows
from tutorial_lib.render.looks import Looks, draw_looks
from tutorial_lib.render.photos import Photos, photograph
from tutorial_lib.render.places import Places, draw_places
from tutorial_lib.render.studio import draw_pairs, draw_photos, viewpoints

__all__ = [
    "PARTS", "Looks", "Photos", "Places", "crop_windows", "draw_looks", "draw_pairs", "draw_photos", "draw_places",
    "photograph", "viewpoints",
]  # fmt: skip
