"""What stands around a person: a room, a step under the feet, a seat, furniture. All numbers here are ours."""

from dataclasses import dataclass

import torch

from tutorial_lib.render.rooms import Rooms
from tutorial_lib.skeleton import JOINTS

FEET = (JOINTS.index("right_foot"), JOINTS.index("left_foot"))
KNEES = (JOINTS.index("right_knee"), JOINTS.index("left_knee"))

SIZES = (0.8, 1.1)
"""People are as large as the course's own, times this."""

STEPS = (0.08, 0.28)
"""Metres, heights of steps."""

MARGINS = (0.02, 0.25)
"""Metres by which a step reaches beyond the feet."""

FOOT = 0.14
"""Metres from the ankle to the end of the toes, for size 1."""

SEATED = ("sit_down", "stand_up")
"""Motions that need a seat."""


@dataclass(frozen=True)
class Scene:
    """One person in one room.

    Attributes:
        people: (1, 17, 3) metres, world frame.
        rooms: one row.
        size: of the person.
        step: metres, height of the step under the feet; 0 for none.
    """

    people: torch.Tensor
    rooms: Rooms
    size: float
    step: float


def _uniform(low: float, high: float, generator: torch.Generator, *shape: int) -> torch.Tensor:
    return low + (high - low) * torch.rand(shape, generator=generator)


def _box(low: torch.Tensor, high: torch.Tensor, top: float) -> torch.Tensor:
    """(2, 3) a box on the floor over a rectangle."""
    return torch.stack([torch.cat([low, low.new_tensor([0.0])]), torch.cat([high, high.new_tensor([top])])])


def draw_scene(clip: torch.Tensor, frame: int, *, seated: bool, stepped: bool, generator: torch.Generator) -> Scene:
    """A person at a moment of a clip, in a room that fits.

    Args:
        clip: (frames, 17, 3) metres, world frame, the floor at z = 0.
        frame: which moment.
        seated: whether there is a seat where the hips are lowest; it is left out where feet stand.
        stepped: whether a step may stand under the feet; it does where both stand.
        generator: decides all the rest.
    """
    size = float(_uniform(*SIZES, generator))
    turn = float(_uniform(0.0, 2 * torch.pi, generator))
    c, s = torch.cos(torch.tensor(turn)), torch.sin(torch.tensor(turn))
    rotation = torch.tensor([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    lowest = clip[int(clip[:, 0, 2].argmin())]
    middle = clip[frame, 0] * clip.new_tensor([1.0, 1.0, 0.0])
    person, seat = (size * (place - middle) @ rotation.T for place in (clip[frame], lowest[0]))
    boxes = [torch.tensor([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])] * 4  # none yet
    ankles, step = person[list(FEET)], 0.0
    stands = bool((ankles[:, 2] < 0.16 * size).all() and (person[list(KNEES), 2] > 0.3 * size).all())
    height, reach = float(_uniform(*STEPS, generator)), _uniform(*MARGINS, generator, 4) + FOOT * size
    if stepped and stands and not seated:
        step, flat = height, ankles[:, :2]
        boxes[0] = _box(flat.amin(0) - reach[:2], flat.amax(0) + reach[2:], step)
        person = person + person.new_tensor([0.0, 0.0, step])
    elif seated and lowest[0, 2] < 1.25 * lowest[list(KNEES), 2].mean():  # who stays upright needs no seat
        box = _box(seat[:2] - 0.18 * size, seat[:2] + 0.18 * size, float(seat[2]) - 0.1 * size)
        if not ((ankles[:, :2] > box[0, :2] - 0.05) & (ankles[:, :2] < box[1, :2] + 0.05)).all(-1).any():
            boxes[1] = box
    for slot in (2, 3):
        centre, half = _uniform(-1.8, 1.8, generator, 2), _uniform(0.12, 0.4, generator, 2)
        box = _box(centre - half, centre + half, float(_uniform(0.2, 0.9, generator)))
        near = ((person[:, :2] > box[0, :2] - 0.25) & (person[:, :2] < box[1, :2] + 0.25)).all(-1)
        if not near.any():
            boxes[slot] = box
    low = torch.minimum(-_uniform(1.2, 4.0, generator, 2), person[:, :2].amin(0) - 0.5)
    high = torch.maximum(_uniform(1.2, 4.0, generator, 2), person[:, :2].amax(0) + 0.5)
    walls = _box(low, high, max(float(_uniform(2.4, 3.2, generator)), float(person[:, 2].max()) + 0.5))
    return Scene(person[None], Rooms(walls[None], torch.stack(boxes)[None]), size, step)
