"""Photos from one laboratory, as in Human3.6M: one room, few people, cameras that stand before them.

`render.draw_photos` draws another person, room and viewpoint for every photo, which takes a network hours to learn.
Here is the small sister of Human3.6M (ours): the room is always the same, nothing stands in the way, and the cameras
are within `AROUND` of where the person looks, so that no network has to tell front from back first.
"""

import math

import torch

from tutorial_lib.batch import cat
from tutorial_lib.camera import Camera, look_at, world_to_camera
from tutorial_lib.motion.clip import Clip
from tutorial_lib.render import Photos, crop_boxes, draw_looks, draw_places, photograph
from tutorial_lib.skeleton import JOINTS

AROUND = math.radians(60)
ROOM_SEED = 3
_CHUNK = 64


def cameras(people: torch.Tensor, generator: torch.Generator) -> Camera:
    """Cameras 3 to 5 m before people (B, 17, 3) in the world frame, up to `AROUND` to their left or right."""
    across = people[:, JOINTS.index("left_hip")] - people[:, JOINTS.index("right_hip")]
    u = torch.rand(len(people), 3, generator=generator)
    angle = torch.atan2(-across[:, 0], across[:, 1]) + AROUND * (2 * u[:, 0] - 1)
    far, middle = 3 + 2 * u[:, 1], people.mean(1)
    place = middle + torch.stack([far * torch.cos(angle), far * torch.sin(angle), 0 * far], -1)
    place[:, 2] = 1.2 + 0.5 * u[:, 2]
    return look_at(place, middle)


def draw_lab_photos(clips: list[Clip], count: int, people: int, *, size: int, generator: torch.Generator) -> Photos:
    """Independent photos from the laboratory: each of a random frame and one of a few people.

    Args:
        clips: motion in the world frame.
        count: how many photos.
        people: how many look different.
        size: pixels a side.
        generator: of everything.
    """
    looks = draw_looks(people, generator=generator)
    room = draw_places(1, generator=torch.Generator().manual_seed(ROOM_SEED), occluders=0)
    parts = []
    for first in range(0, count, _CHUNK):
        n = min(_CHUNK, count - first)
        chosen = [clips[i] for i in torch.randint(len(clips), (n,), generator=generator).tolist()]
        frames = [int(torch.randint(len(clip.positions), (1,), generator=generator)) for clip in chosen]
        bodies = torch.stack([clip.positions[frame] for clip, frame in zip(chosen, frames)]).float()
        camera = cameras(bodies, generator)
        pose = world_to_camera(bodies, camera)
        who = looks.select(torch.randint(people, (n,), generator=generator))
        box = crop_boxes(pose, shift=0.05, scale=0.1, generator=generator)
        with torch.no_grad():
            parts.append(
                photograph(pose, who, room, size=size, box=box, down=-camera.rotation[..., 2], generator=generator)
            )
    return cat(parts)
