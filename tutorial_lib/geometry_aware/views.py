"""Groups of views to learn from and to be tested on: few people, few clothes, few rooms, as in a recording studio."""

import functools
from typing import Literal

import torch

from tutorial_lib.datasets.splits import HELD_OUT_ACTIONS, TEST_SEED, TRAIN_SEED, TRAINED_ACTIONS, VALIDATION_SEED
from tutorial_lib.motion import builtin
from tutorial_lib.motion.clip import Clip
from tutorial_lib.render import Looks, Places, Views, draw_looks, draw_places, draw_views

Split = Literal["train", "validation", "test", "clothes"]
"""The last two: people and motions that no training saw, in clothes that all wore, and in clothes that nobody wore."""

SPLITS: dict[Split, tuple[int, int, tuple[str, ...]]] = {
    "train": (TRAIN_SEED, 24, TRAINED_ACTIONS),
    "validation": (VALIDATION_SEED, 6, TRAINED_ACTIONS),
    "test": (TEST_SEED, 8, HELD_OUT_ACTIONS),
    "clothes": (TEST_SEED, 8, HELD_OUT_ACTIONS),
}
"""Split -> seed of the people, how many, their motions."""

LOOKS, ROOMS = 6, 4
"""How many wardrobes and rooms there are; Human3.6M, which the paper learns from, is of this kind."""


@functools.cache
def banks(split: Split = "train", looks: int = LOOKS, rooms: int = ROOMS) -> tuple[Looks, Places]:
    """The wardrobes and the rooms of a split. Nothing stands before the people.

    Args:
        split: "clothes" has others.
        looks: how many wardrobes.
        rooms: how many rooms.
    """
    seed = 72 if split == "clothes" else 70
    looks_generator, rooms_generator = (torch.Generator().manual_seed(number) for number in (seed, 71))
    return (
        draw_looks(looks, generator=looks_generator),
        draw_places(rooms, generator=rooms_generator, occluders=0),
    )


@functools.cache
def clips_of(split: Split, people: int | None = None, frames: int = 200) -> list[Clip]:
    """The motion of a split.

    Args:
        split: one of `SPLITS`.
        people: fewer than it has.
        frames: of each clip.

    Raises:
        ValueError: an unknown split.
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}, expected one of {', '.join(SPLITS)}")
    seed, count, actions = SPLITS[split]
    return builtin(seed, people or count, actions, frames)


def draw_groups(
    split: Split,
    count: int,
    *,
    size: int = 48,
    seed: int = 0,
    looks: int = LOOKS,
    rooms: int = ROOMS,
    people: int | None = None,
    frames: int = 200,
    dressed: int = 0,
) -> Views:
    """Groups: a person at two moments of one motion before two cameras, four photos each.

    Args:
        split: whose people, motions and clothes.
        count: groups.
        size: pixels a side.
        seed: of moments, cameras and noise.
        looks: how many wardrobes the split has.
        rooms: how many rooms.
        people: fewer than the split has.
        frames: of each clip.
        dressed: everybody wears the clothes of so many rows further on; nothing else changes.

    Raises:
        ValueError: as `render.draw_views`.
    """
    generator = torch.Generator().manual_seed(seed)
    clips = clips_of(split, people, frames)
    wardrobes, places = banks(split, looks, rooms)
    wardrobes = wardrobes[(torch.arange(looks) + dressed) % looks]
    return draw_views(clips, count, wardrobes, places, size=size, generator=generator)


def poses(views: Views) -> torch.Tensor:
    """(4 B, 17, 3) metres, root-relative, in the frame of the camera of each photo: groups, moments, cameras."""
    return (views.pose - views.pose[..., :1, :]).flatten(0, 2)


def photos(views: Views) -> torch.Tensor:
    """(4 B, 3, H, W) in [0, 1], in the order of `poses`."""
    return views.pixels.flatten(0, 2).float() / 255
