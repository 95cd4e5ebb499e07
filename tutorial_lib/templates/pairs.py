"""Pairs of photos to learn from: one person, one place, one camera, two poses; the person shows the front.

The paper's infants lie on their backs and always show their front to the camera. A template with a left and a right
side of the *image* cannot know more than that: who turns round exchanges the sides. So the camera stands before the
person, up to 40 degrees aside; `render.draw_pairs` has all viewpoints, for breaking it.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch

from tutorial_lib.camera import look_at, world_to_camera
from tutorial_lib.motion.clip import Clip
from tutorial_lib.render import Sensor, crop_boxes, draw_looks, draw_places, photograph
from tutorial_lib.render.crops import around_both
from tutorial_lib.skeleton import JOINTS

ASIDE = math.radians(40)
"""Largest angle between the camera's axis and where the person faces, at the first of the two moments."""

TURNED = math.radians(60)
"""The same at the second moment, as far as the clip offers such a moment."""

_LEFT, _RIGHT = JOINTS.index("left_hip"), JOINTS.index("right_hip")
_SHOULDERS = JOINTS.index("left_shoulder"), JOINTS.index("right_shoulder")
_CHUNK = 64


@dataclass(frozen=True)
class Pairs:
    """Photos in pairs.

    Attributes:
        pixels: (2, B, 3, H, H) uint8.
        keypoints: (2, B, 17, 2) screen coordinates: to examine with, no training here reads them.
        pose: (2, B, 17, 3) metres, camera frame.
        empty: (1, B, 3, H, H) uint8, the place without the person. A camera that stands still gives it away without a
            label: the median of its frames.
    """

    pixels: torch.Tensor
    keypoints: torch.Tensor
    pose: torch.Tensor
    empty: torch.Tensor

    def __len__(self) -> int:
        return self.pixels.shape[1]

    def photos(self, which: int, index: Any = slice(None)) -> torch.Tensor:
        """(b, 3, H, H) float in [0, 1] of the first (0) or second (1) moment."""
        return self.pixels[which, index].float() / 255

    def places(self, index: Any = slice(None)) -> torch.Tensor:
        """(b, 3, H, H) float in [0, 1] of the empty places."""
        return self.empty[0, index].float() / 255

    def select(self, index: Any) -> "Pairs":
        """Some of the pairs: a slice, or a tensor of numbers."""
        return Pairs(*(value[:, index] for value in vars(self).values()))

    def draw(self, count: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        """A batch for training: (photos to find the pose in, photos to take the appearance from, empty places).

        Both orders of a pair and mirror images count: of the photos, never of labels.
        """
        index = torch.randint(len(self), (count,), generator=generator)
        swap, mirror = (torch.rand(2, generator=generator) < 0.5).tolist()
        both = [self.photos(int(which != swap), index) for which in (0, 1)]
        both.append(self.places(index))
        return tuple(photo.flip(-1) if mirror else photo for photo in both)


def facing(pose: torch.Tensor) -> torch.Tensor:
    """Heading in radians of people (..., 17, 3) in the world frame (z up), from hips and shoulders."""
    across = pose[..., _LEFT, :2] - pose[..., _RIGHT, :2] + pose[..., _SHOULDERS[0], :2] - pose[..., _SHOULDERS[1], :2]
    return torch.atan2(-across[..., 0], across[..., 1])


def _two_moments(clips: list[Clip], generator: torch.Generator, tries: int = 12):
    """Two frames (2, 17, 3) of one clip: the most different of some that both show the front."""
    clip = clips[int(torch.randint(len(clips), (), generator=generator))].positions.float()
    numbers = torch.randint(len(clip), (tries + 1,), generator=generator)
    people = clip[numbers]
    people = people - people[:, :1] * people.new_tensor([1.0, 1.0, 0.0])
    turn = (facing(people) - facing(people[0]) + math.pi).remainder(2 * math.pi) - math.pi
    apart = torch.linalg.vector_norm(people - people[0], dim=-1).mean(-1) - 10 * (turn.abs() > TURNED - ASIDE)
    return torch.stack([people[0], people[int(apart[1:].argmax()) + 1]])


def front_pairs(
    clips: list[Clip], count: int, *, size: int = 64, generator: torch.Generator, occluders: float = 0.0,
    aside: float = ASIDE, towards: float = 0.0,
) -> Pairs:  # fmt: skip
    """Photograph people twice, from the front.

    Args:
        clips: motion in the world frame.
        count: pairs.
        size: pixels a side.
        generator: draws frames, people, places and cameras.
        occluders: mean number of things before the person.
        aside: radians, largest angle of the camera to either side.
        towards: radians from the person's front to the middle of the camera's places; pi photographs backs.

    Raises:
        ValueError: no clips, or count below 1.
    """
    if not clips or count < 1:
        raise ValueError(f"clips has {len(clips)} and count is {count}, expected at least one of each")
    made = []
    for first in range(0, count, _CHUNK):
        n = min(_CHUNK, count - first)
        people = torch.stack([_two_moments(clips, generator) for _ in range(n)], 1)  # (2, n, 17, 3)
        u = torch.rand(n, 4, generator=generator)
        angle = facing(people[0]) + towards + aside * (2 * u[:, 0] - 1)
        middle, far, height = people.mean((0, 2)), 2.5 + 3 * u[:, 1], 0.8 + 0.8 * u[:, 2]
        camera = look_at(torch.stack([far * angle.cos(), far * angle.sin(), height], -1), middle)
        poses = [world_to_camera(person, camera) for person in people]
        boxes = torch.stack([crop_boxes(pose) for pose in poses])
        box = around_both(boxes)
        looks = draw_looks(n, generator=generator)
        places = draw_places(n, generator=generator, occluders=occluders)
        beside = poses[0] + poses[0].new_tensor([100.0, 0.0, 0.0])  # metres: nobody is in this picture
        with torch.no_grad():
            photos = [
                photograph(
                    pose, looks, places, size=size, box=box, sensor=Sensor(read_noise=0.005), generator=generator,
                    down=-camera.rotation[..., 2],
                )
                for pose in (*poses, beside)
            ]  # fmt: skip
        made.append(
            Pairs(
                torch.stack([(255 * photo.image).round().to(torch.uint8) for photo in photos[:2]]),
                torch.stack([photo.keypoints for photo in photos[:2]]),
                torch.stack(poses),
                (255 * photos[2].image[None]).round().to(torch.uint8),
            )
        )
    return Pairs(*(torch.cat(values, 1) for values in zip(*(vars(pairs).values() for pairs in made))))
