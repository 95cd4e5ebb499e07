"""Photos from one laboratory, as in Human3.6M: one room, few people, cameras that stand before them.

`photos` draws another person, room and viewpoint for every photo, which takes a network hours to learn. Here is the
small sister of Human3.6M (ours): the room is always the same, nothing stands in the way, and the cameras are within
`AROUND` of where the person looks, so that no network has to tell front from back first. Test people and their motions
are not in the training photos.
"""

import hashlib
import math
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from tutorial_lib.camera import Camera, look_at, world_to_camera
from tutorial_lib.datasets.photos import SPLITS, PhotoSet, clips_of
from tutorial_lib.folders import output_folder
from tutorial_lib.render import crop_windows, draw_looks, draw_places, photograph
from tutorial_lib.skeleton import JOINTS

AROUND = math.radians(60)
PEOPLE = {"train": 12, "validation": 4, "test": 8}
"""How many look different in a split."""

ROOM_SEED = 3
VERSION = 1
"""Raised when the same arguments give other photos."""


def cameras(people: torch.Tensor, generator: torch.Generator) -> Camera:
    """Cameras 3 to 5 m before people (B, 17, 3) in the world frame, up to `AROUND` to their left or right."""
    across = people[:, JOINTS.index("left_hip")] - people[:, JOINTS.index("right_hip")]
    u = torch.rand(len(people), 3, generator=generator)
    angle = torch.atan2(-across[:, 0], across[:, 1]) + AROUND * (2 * u[:, 0] - 1)
    far, middle = 3 + 2 * u[:, 1], people.mean(1)
    place = middle + torch.stack([far * torch.cos(angle), far * torch.sin(angle), 0 * far], -1)
    place[:, 2] = 1.2 + 0.5 * u[:, 2]
    return look_at(place, middle)


def lab_photos(split: str, count: int, size: int = 64, *, folder=None) -> PhotoSet:
    """Photos of a split, the same for the same arguments; read from disk if they were drawn before.

    Args:
        split: "train", "validation" or "test".
        count: how many.
        size: side of the square photos in pixels.
        folder: where they are kept; `build/photos` of the clone by default.

    Raises:
        ValueError: an unknown split, count below 1.
    """
    if count < 1:
        raise ValueError(f"count is {count}, expected at least 1 photo")
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}, expected one of {', '.join(SPLITS)}")
    where = output_folder() / "photos" if folder is None else Path(folder)
    key = hashlib.sha256(f"{VERSION}-{split}-{count}-{size}".encode()).hexdigest()[:8]
    path = where / f"lab-{split}-{count}x{size}-{key}.safetensors"
    if path.is_file():
        return PhotoSet(**load_file(path))
    clips, generator = clips_of(split), torch.Generator().manual_seed(SPLITS[split][0])
    looks = draw_looks(PEOPLE[split], generator=generator)
    room = draw_places(1, generator=torch.Generator().manual_seed(ROOM_SEED), occluders=0)
    parts = []
    for first in range(0, count, 64):
        n = min(64, count - first)
        chosen = [clips[i] for i in torch.randint(len(clips), (n,), generator=generator).tolist()]
        frames = [int(torch.randint(len(clip.positions), (1,), generator=generator)) for clip in chosen]
        people = torch.stack([clip.positions[frame] for clip, frame in zip(chosen, frames)]).float()
        camera = cameras(people, generator)
        pose = world_to_camera(people, camera)
        who = looks.select(torch.randint(PEOPLE[split], (n,), generator=generator))
        window = crop_windows(pose, shift=0.05, scale=0.1, generator=generator)
        with torch.no_grad():
            drawn = photograph(
                pose, who, room, size=size, window=window, down=-camera.rotation[..., 2], generator=generator
            )
        pixels = (255 * drawn.image).round().to(torch.uint8)
        parts.append(PhotoSet(pixels, drawn.keypoints, drawn.pose, drawn.visible))
    kept = PhotoSet(**{name: torch.cat([getattr(part, name) for part in parts]) for name in vars(parts[0])})
    where.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file({name: value.contiguous() for name, value in vars(kept).items()}, partial)
    partial.replace(path)
    return kept
