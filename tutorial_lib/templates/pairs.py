"""Pairs of photos to learn from: one person, one place, one camera, two poses; the person shows the front.

The paper's infants lie on their backs and always show their front to the camera. A template with a left and a right
side of the *image* cannot know more than that: who turns round exchanges the sides. So the camera stands before the
person, up to 40 degrees aside; `render.draw_pairs` has all viewpoints, for breaking it.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from tutorial_lib.camera import look_at, world_to_camera
from tutorial_lib.motion.clip import Clip
from tutorial_lib.render import Sensor, crop_boxes, draw_looks, draw_places, photograph, plates
from tutorial_lib.render.crops import around
from tutorial_lib.skeleton import JOINTS

ASIDE = math.radians(40)
"""Largest angle between the camera's axis and where the person faces, at the first of the two moments."""

TURNED = math.radians(60)
"""The same at the second moment, as far as the clip offers such a moment."""

TURN, STRETCH, SHIFT, LIGHT = math.radians(15), 0.15, 0.1, 0.15
"""Of a `Change`: the largest turn, the logarithm of the largest scale, the largest shift (half widths), and the largest
change of light (logarithm)."""

SENSOR = Sensor(read_noise=0.005)

_LEFT, _RIGHT = JOINTS.index("left_hip"), JOINTS.index("right_hip")
_WRISTS = [JOINTS.index("left_wrist"), JOINTS.index("right_wrist")]
_THORAX = JOINTS.index("thorax")
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

    def draw(self, count: int, generator: torch.Generator, augment: bool = False) -> tuple[torch.Tensor, ...]:
        """A batch for training: (photos to find the pose in, photos to take the appearance from, empty places).

        Both orders of a pair and mirror images count: of the photos, never of labels.

        Args:
            count: pairs.
            generator: draws them.
            augment: turn, scale, shift and recolour every pair at random, all of its photos alike: see `Change`.
        """
        index = torch.randint(len(self), (count,), generator=generator)
        swap, mirror = (torch.rand(2, generator=generator) < 0.5).tolist()
        both = [self.photos(int(which != swap), index) for which in (0, 1)]
        both.append(self.places(index))
        both = [photo.flip(-1) if mirror else photo for photo in both]
        return tuple(map(Change.draw(count, generator).photos, both) if augment else both)


@dataclass(frozen=True)
class Change:
    """Another frame and another light for some photos.

    Attributes:
        maps: (B, 2, 3) from places of the changed photo to places of the photo, screen coordinates.
        gain: (B, 3, 1, 1) contrast of every colour.
        lift: (B, 1, 1, 1) added to all colours.
    """

    maps: torch.Tensor
    gain: torch.Tensor
    lift: torch.Tensor

    @classmethod
    def draw(cls, count: int, generator: torch.Generator) -> "Change":
        """Turned, scaled, shifted and lit at random, `count` times."""
        u = 2 * torch.rand(count, 9, generator=generator) - 1
        angle, scale = TURN * u[:, 0], torch.exp(STRETCH * u[:, 1])
        turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], -1) * scale[:, None]
        maps = torch.cat([turn.unflatten(-1, (2, 2)), SHIFT * u[:, 2:4, None]], -1)
        gain = torch.exp(LIGHT * (u[:, 4:5] + u[:, 5:8]))
        return cls(maps, gain[..., None, None], LIGHT / 2 * u[:, 8:9, None, None])

    def photos(self, photos: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, H) in [0, 1], changed; beyond the old frame its last pixels go on."""
        grid = functional.affine_grid(self.maps, list(photos.shape), align_corners=False)
        moved = functional.grid_sample(photos, grid, padding_mode="border", align_corners=False)
        return ((moved - 0.5) * self.gain + 0.5 + self.lift).clamp(0, 1)

    def joints(self, joints: torch.Tensor) -> torch.Tensor:
        """(B, 17, 2) of the photos, where they are in the changed ones."""
        return torch.linalg.solve(self.maps[:, :, :2], (joints - self.maps[:, None, :, 2]).transpose(-1, -2)).mT


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


def _waving(clips: list[Clip], generator: torch.Generator, tries: int = 4):
    """Of several `_two_moments`, those between which a wrist moves furthest, seen from the chest."""
    several = [_two_moments(clips, generator) for _ in range(tries)]
    wrists = [moments[:, _WRISTS] - moments[:, _THORAX, None] for moments in several]
    return max(zip(wrists, several), key=lambda pair: (pair[0][1] - pair[0][0]).norm(dim=-1).max().item())[1]


def front_pairs(
    clips: list[Clip], count: int, *, size: int = 64, generator: torch.Generator, occluders: float = 0.0,
    aside: float = ASIDE, towards: float = 0.0, waving: bool = False,
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
        waving: prefer moments between which an arm moves.

    Raises:
        ValueError: no clips, or count below 1.
    """
    if not clips or count < 1:
        raise ValueError(f"clips has {len(clips)} and count is {count}, expected at least one of each")
    made, moments = [], _waving if waving else _two_moments
    for first in range(0, count, _CHUNK):
        n = min(_CHUNK, count - first)
        people = torch.stack([moments(clips, generator) for _ in range(n)], 1)  # (2, n, 17, 3)
        u = torch.rand(n, 4, generator=generator)
        angle = facing(people[0]) + towards + aside * (2 * u[:, 0] - 1)
        middle, far, height = people.mean((0, 2)), 2.5 + 3 * u[:, 1], 0.8 + 0.8 * u[:, 2]
        camera = look_at(torch.stack([far * angle.cos(), far * angle.sin(), height], -1), middle)
        poses = [world_to_camera(person, camera) for person in people]
        boxes = torch.stack([crop_boxes(pose) for pose in poses])
        box = around(boxes)
        looks = draw_looks(n, generator=generator)
        places = draw_places(n, generator=generator, occluders=occluders)
        with torch.no_grad():
            photos = [
                photograph(
                    pose, looks, places, size=size, box=box, sensor=SENSOR, generator=generator,
                    down=-camera.rotation[..., 2],
                )
                for pose in poses
            ]  # fmt: skip
            empty = plates(places, size=size, sensor=SENSOR, generator=generator)
        made.append(
            Pairs(
                torch.stack([(255 * photo.image).round().to(torch.uint8) for photo in photos]),
                torch.stack([photo.keypoints for photo in photos]),
                torch.stack(poses),
                (255 * empty[None]).round().to(torch.uint8),
            )
        )
    return Pairs(*(torch.cat(values, 1) for values in zip(*(vars(pairs).values() for pairs in made))))
