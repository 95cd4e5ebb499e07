"""Pictures of invented people in the poses of the course's motion, with the full truth about them."""

from tutorial_lib.render.anatomy import PARTS
from tutorial_lib.render.crops import crop_boxes
from tutorial_lib.render.crowd import Crowd, photograph_crowd
from tutorial_lib.render.looks import Looks, draw_looks
from tutorial_lib.render.photos import Photos, photograph, plates
from tutorial_lib.render.places import Places, draw_places
from tutorial_lib.render.random_crowds import box_overlap, draw_crowds
from tutorial_lib.render.random_photos import draw_pairs, draw_photos, viewpoints
from tutorial_lib.render.sensor import Sensor
from tutorial_lib.render.views import Views, draw_views, photograph_views

__all__ = [
    "PARTS", "Crowd", "Looks", "Photos", "Places", "Sensor", "Views", "box_overlap", "crop_boxes", "draw_crowds",
    "draw_looks", "draw_pairs", "draw_photos", "draw_places", "draw_views", "photograph", "photograph_crowd",
    "photograph_views", "plates", "viewpoints",
]  # fmt: skip
