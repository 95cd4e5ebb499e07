"""What the demos of lesson 13 draw: test people, the world as a head-worn camera sees it, boxes as surfaces."""

import math
from functools import cache

import numpy as np
import torch

from tutorial_lib.camera import camera_to_world
from tutorial_lib.datasets.splits import TEST_SEED
from tutorial_lib.egocentric.headset import pixel_rays
from tutorial_lib.egocentric.inpainting import square
from tutorial_lib.egocentric.samples import PIXELS, Samples, picture
from tutorial_lib.egocentric.scenes import Scene, draw_scene
from tutorial_lib.motion import builtin
from tutorial_lib.render.rooms import Rooms

DOING = ("wave", "walk", "reach", "sit_down", "squat", "carry")
"""What the test person of these demos does."""

ROOM = ((-1.2, 1.2), (-1.2, 1.2), (0.0, 2.0))
"""Metres, what the 3D panes show."""


@cache
def test_scenes(seed: int = 2) -> list[Scene]:
    """One test person in six moments, each in a room of its own, on the floor."""
    generator = torch.Generator().manual_seed(seed)
    clips = builtin(TEST_SEED, 1, DOING, 200)
    return [
        draw_scene(
            clip.positions.float(), 150 if clip.action == "sit_down" else 45, seated=clip.action == "sit_down",
            stepped=False, generator=generator,
        )
        for clip in clips
    ]  # fmt: skip


def on_a_step(scene: Scene, height: float, margin: float) -> Scene:
    """The same person on a step of this height that reaches `margin` metres beyond the feet; 0 for none."""
    if height <= 0:
        return scene
    ankles = scene.people[0, [3, 6], :2]
    low, high = ankles.amin(0) - margin - 0.14 * scene.size, ankles.amax(0) + margin + 0.14 * scene.size
    boxes = scene.rooms.boxes.clone()
    boxes[0, 0, 0], boxes[0, 0, 1] = torch.cat([low, low.new_zeros(1)]), torch.cat([high, high.new_tensor([height])])
    lifted = scene.people + scene.people.new_tensor([0.0, 0.0, height])
    return Scene(lifted, Rooms(scene.rooms.walls, boxes), scene.size, height)


def seen_by(scene: Scene, pixels: int = PIXELS) -> Samples:
    """What the person's own camera sees, sitting straight on the head."""
    return picture([scene], torch.Generator().manual_seed(0), pixels, tilt=0.0)


def middle_of(scene: Scene) -> torch.Tensor:
    """(3,) what is subtracted from the world's coordinates to put the person into the middle of a 3D pane."""
    return scene.people[0, 0] * scene.people.new_tensor([1.0, 1.0, 0.0])


def shaded(distance: torch.Tensor, rays: torch.Tensor, sample: Samples, body: torch.Tensor) -> np.ndarray:
    """(side, side, 3) colours of a picture: tiles on all surfaces of the room, the body plain.

    Args:
        distance: (P,) metres to the room along the rays.
        rays: (P, 3) camera frame.
        sample: one row, for its camera.
        body: (P,) metres to the body, infinite where it is not.
    """
    places = camera_to_world((distance[:, None] * rays)[None], sample.camera)[0]
    tiles = torch.floor(places / 0.5 + 1e-3).sum(-1) % 2
    light = torch.exp(-distance / 6)
    room = ((0.55 + 0.35 * tiles) * light)[:, None].expand(-1, 3)
    flesh = torch.stack([0.95 - 0.35 * body.clamp_max(2) / 2, 0.65 - 0.3 * body.clamp_max(2) / 2, 0.3 + 0 * body], -1)
    return square(torch.where((body < distance)[:, None], flesh, room).T).permute(1, 2, 0).clamp(0, 1).numpy()


def nearness(distance: torch.Tensor, there: torch.Tensor) -> np.ndarray:
    """(side, side) grey: near is light, far is dark, unknown is black."""
    return square(torch.where(there, torch.exp(-distance / 2.5), 0.0)).numpy()


def circle_of(pixels: int) -> torch.Tensor:
    """(P,) bool, pixels in the image circle."""
    return pixel_rays(pixels)[1]


def box_mesh(box: torch.Tensor, middle: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (8, 3) and faces (12, 3) of a box (2, 3), counter-clockwise seen from outside."""
    corners = torch.stack([box[[i, j, k], [0, 1, 2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) - middle
    quads = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    faces = [triangle for a, b, c, d in quads for triangle in ((a, b, c), (a, c, d))]
    return corners.numpy(), np.array(faces)


def boxes_of(scene: Scene, middle: torch.Tensor) -> list[tuple[np.ndarray, np.ndarray]]:
    """Meshes of the boxes that are there and near."""
    real = [box for box in scene.rooms.boxes[0] if bool((box[0] < box[1]).all())]
    near = [box for box in real if math.hypot(*(box.mean(0) - middle)[:2].tolist()) < 1.2]
    return [box_mesh(box, middle) for box in near]
