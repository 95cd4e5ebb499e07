"""Draw photos from motion: random frames, cameras, people and places."""

import torch
from tqdm.auto import tqdm

from tutorial_lib.batch import cat
from tutorial_lib.camera import Camera, look_at, world_to_camera
from tutorial_lib.motion.clip import Clip
from tutorial_lib.render.crops import around, crop_boxes
from tutorial_lib.render.looks import draw_looks
from tutorial_lib.render.photos import Photos, photograph
from tutorial_lib.render.places import draw_places
from tutorial_lib.render.sensor import DAYLIGHT, Sensor

_STEP = 64


def uniform(low: float, high: float, count: int, generator: torch.Generator):
    return low + (high - low) * torch.rand(count, generator=generator)


def viewpoints(
    middle: torch.Tensor,
    *,
    generator: torch.Generator,
    distance: tuple[float, float] = (2.0, 6.0),
    height: tuple[float, float] = (0.8, 2.0),
) -> Camera:
    """Cameras as photographers hold them, around people whose middles are `middle` (B, 3) metres, world frame.

    They aim a little beside the person, so that a lens bends them and perspective is not always the same.
    """
    count = len(middle)
    angle = uniform(0, 2 * torch.pi, count, generator)
    far = uniform(*distance, count, generator)
    place = middle + torch.stack([far * torch.cos(angle), far * torch.sin(angle), 0 * far], -1)
    place[:, 2] = uniform(*height, count, generator)
    aside = uniform(-0.2, 0.2, count, generator) * far
    lift = uniform(-0.12, 0.12, count, generator) * far
    target = middle + torch.stack([-torch.sin(angle) * aside, torch.cos(angle) * aside, lift], -1)
    return look_at(place, target)


def _check(clips: list[Clip], count: int, frames: int) -> None:
    if not clips or any(len(clip.positions) < frames for clip in clips):
        raise ValueError(f"clips: expected at least one, each of {frames} frame(s) or more")
    if count < 1:
        raise ValueError(f"count is {count}, expected at least 1")


def pick(clips: list[Clip], count: int, generator: torch.Generator):
    """Random (clip, frame) numbers, every frame of every clip equally likely."""
    lengths = torch.tensor([len(clip.positions) for clip in clips])
    ends = lengths.cumsum(0)
    number = (
        (torch.rand(count, generator=generator, dtype=torch.float64) * ends[-1]).long().clamp_max(int(ends[-1]) - 1)
    )
    clip = torch.searchsorted(ends, number, right=True)
    return clip.tolist(), (number - (ends - lengths)[clip]).tolist()


def draw_photos(
    clips: list[Clip],
    count: int,
    *,
    size: int = 128,
    generator: torch.Generator,
    occluders: float = 0.5,
    margin: float = 0.25,
    shift: float = 0.05,
    scale: float = 0.1,
    sensor: Sensor = DAYLIGHT,
    distance: tuple[float, float] = (2.0, 6.0),
    height: tuple[float, float] = (0.8, 2.0),
    lens: torch.Tensor | None = None,
    device: torch.device | str = "cpu",
) -> Photos:
    """Independent photos: each of a random frame, from a random viewpoint, of a random person in a random place.

    Args:
        clips: motion in the world frame.
        count: how many photos.
        size: pixels a side.
        generator: draws frames, people, places, viewpoints, crops and noise.
        occluders: mean number of things in front of a person.
        margin: of the crop, see `crops.crop_boxes`.
        shift: of the crop, see `crops.crop_boxes`.
        scale: of the crop, see `crops.crop_boxes`.
        sensor: what becomes of the light.
        distance: metres, range of the camera's distance from the person.
        height: metres, range of its height above the floor.
        lens: (5,) distortion coefficients for all.
        device: where to compute and to keep the photos.

    Raises:
        ValueError: no clips, count below 1, or as `photos.photograph`.
    """
    _check(clips, count, 1)
    made = []
    with tqdm(total=count, desc="photos", unit="photo", delay=2, leave=False) as bar:
        for first in range(0, count, _STEP):
            n = min(_STEP, count - first)
            frames = zip(*pick(clips, n, generator))
            people = torch.stack([clips[c].positions[f] for c, f in frames]).float()
            camera = viewpoints(people.mean(1), generator=generator, distance=distance, height=height)
            pose = world_to_camera(people, camera)
            looks = draw_looks(n, generator=generator)
            places = draw_places(n, generator=generator, occluders=occluders)
            box = crop_boxes(pose, margin=margin, shift=shift, scale=scale, lens=lens, generator=generator)
            with torch.no_grad():
                made.append(
                    photograph(
                        pose.to(device), looks, places, size=size, box=box, lens=lens,
                        sensor=sensor, down=-camera.rotation[..., 2], generator=generator,
                    )
                )  # fmt: skip
            bar.update(n)
    return cat(made)


def _pick_pairs(clips: list[Clip], count: int, apart: float, generator: torch.Generator, attempts: int = 8):
    """Random (clip, frame, another frame of it) whose poses differ by `apart`, or as much as some attempts yield."""
    found, best = [None] * count, [(-1.0, None)] * count
    for _ in range(attempts):
        open_slots = [slot for slot in range(count) if found[slot] is None]
        if not open_slots:
            break
        u = torch.rand(len(open_slots), generator=generator).tolist()
        for slot, share, clip, frame in zip(open_slots, u, *pick(clips, len(open_slots), generator)):
            relative = clips[clip].positions - clips[clip].positions[:, :1]
            difference = torch.linalg.vector_norm(relative - relative[frame], dim=-1).mean(-1)
            enough = (difference >= apart).nonzero()[:, 0]
            if len(enough):
                found[slot] = (clip, frame, int(enough[int(share * len(enough))]))
            else:
                best[slot] = max(best[slot], (float(difference.max()), (clip, frame, int(difference.argmax()))))
    return [pair if pair is not None else second for pair, (_, second) in zip(found, best)]


def draw_pairs(
    clips: list[Clip],
    count: int,
    *,
    size: int = 64,
    generator: torch.Generator,
    occluders: float = 0.0,
    apart: float = 0.12,
    margin: float = 0.25,
    sensor: Sensor = DAYLIGHT,
    distance: tuple[float, float] = (2.0, 6.0),
    height: tuple[float, float] = (0.8, 2.0),
    lens: torch.Tensor | None = None,
    device: torch.device | str = "cpu",
) -> tuple[Photos, Photos]:
    """Pairs of photos that differ in the pose only: one person, place, camera and crop, two frames of a clip.

    The second frame is put where the first one stood (walkers stay in the picture), some centimetres aside.

    Args:
        clips: motion in the world frame.
        count: how many pairs.
        size: pixels a side.
        generator: draws frames, people, places, viewpoints, crops and noise.
        occluders: mean number of things in front of a person.
        apart: metres, smallest mean distance of the joints about the hip. Where the clips hardly move, the most
            different of a few draws is taken.
        margin: of the crop, see `crops.crop_boxes`.
        sensor: what becomes of the light.
        distance: metres, range of the camera's distance from the person.
        height: metres, range of its height above the floor.
        lens: (5,) distortion coefficients for all.
        device: where to compute and to keep the photos.

    Raises:
        ValueError: no clips, clips of a single frame, count below 1, or as `photos.photograph`.
    """
    _check(clips, count, 2)
    made = ([], [])
    with tqdm(total=count, desc="pairs", unit="pair", delay=2, leave=False) as bar:
        for first in range(0, count, _STEP):
            n = min(_STEP, count - first)
            picked = _pick_pairs(clips, n, apart, generator)
            people = torch.stack([clips[c].positions[[f, g]] for c, f, g in picked], 1).float()  # (2, n, 17, 3)
            moved = (people[0] - people[1])[:, :1, :2] + 0.04 * torch.randn(n, 1, 2, generator=generator)
            people[1, :, :, :2] += moved
            camera = viewpoints(people.mean((0, 2)), generator=generator, distance=distance, height=height)
            poses = [world_to_camera(person, camera) for person in people]
            looks = draw_looks(n, generator=generator)
            places = draw_places(n, generator=generator, occluders=occluders)
            boxes = torch.stack([crop_boxes(pose, margin=margin, lens=lens) for pose in poses])
            box = around(boxes)
            with torch.no_grad():
                for pose, photos in zip(poses, made):
                    photos.append(
                        photograph(
                            pose.to(device), looks, places, size=size, box=box, lens=lens,
                            sensor=sensor, down=-camera.rotation[..., 2], generator=generator,
                        )
                    )  # fmt: skip
            bar.update(n)
    return cat(made[0]), cat(made[1])
