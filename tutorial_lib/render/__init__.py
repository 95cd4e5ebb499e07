"""Pictures of invented people in the poses of the course's motion, with the full truth about them."""

from tutorial_lib.render.anatomy import PARTS
from tutorial_lib.render.crops import crop_boxes
from tutorial_lib.render.crowd import Crowd, photograph_crowd
from tutorial_lib.render.looks import Looks, draw_looks
from tutorial_lib.render.photos import Photos, photograph, plates
from tutorial_lib.render.places import Places, draw_places
from tutorial_lib.render.random_photos import draw_pairs, draw_photos, viewpoints
from tutorial_lib.render.sensor import Sensor

__all__ = [
    "PARTS", "Crowd", "Looks", "Photos", "Places", "Sensor", "crop_boxes", "draw_looks", "draw_pairs", "draw_photos",
    "draw_places", "photograph", "photograph_crowd", "plates", "viewpoints",
]  # fmt: skip
