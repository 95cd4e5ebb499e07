"""Draw photos of several people from motion: as close together, and as much behind each other, as is wanted."""

import torch
from tqdm.auto import tqdm

from tutorial_lib.batch import cat
from tutorial_lib.camera import Camera, look_at, project, world_to_camera
from tutorial_lib.motion.clip import Clip
from tutorial_lib.render.crops import around, crop_boxes
from tutorial_lib.render.crowd import Crowd, photograph_crowd
from tutorial_lib.render.looks import draw_looks
from tutorial_lib.render.places import draw_places
from tutorial_lib.render.random_photos import pick, uniform
from tutorial_lib.render.sensor import DAYLIGHT, Sensor

_STEP = 32
_ASIDE = 0.6
"""Radians to both sides in which people stand."""


def box_overlap(keypoints: torch.Tensor) -> torch.Tensor:
    """Intersection over union (..., P, P) of the boxes round the joints (..., P, 17, 2) of every two people."""
    low, high = keypoints.amin(-2), keypoints.amax(-2)
    area = (high - low).prod(-1)
    right = torch.minimum(high[..., None, :], high[..., None, :, :])
    left = torch.maximum(low[..., None, :], low[..., None, :, :])
    shared = (right - left).clamp_min(0).prod(-1)
    return shared / (area[..., None] + area[..., None, :] - shared)


def _stand(
    bodies: torch.Tensor,
    present: torch.Tensor,
    height: torch.Tensor,
    overlap: tuple[float, float],
    apart: float,
    distance: tuple[float, float],
    generator: torch.Generator,
    attempts: int = 400,
) -> tuple[torch.Tensor, Camera]:
    """Put people (n, P, 17, 3) with their hips above the origin onto the floor: (where they stand then, cameras).

    The camera stands above the origin; places are drawn until distances and overlaps are as wanted.
    """
    count, people = bodies.shape[:2]
    apart_from = torch.eye(people, dtype=torch.bool) | ~present[:, None] | ~present[:, :, None]  # no pair of people
    standing, target = bodies.clone(), torch.zeros(count, 3)
    place = torch.stack([0 * height, 0 * height, height], -1)
    todo = torch.arange(count)
    for _ in range(attempts):
        n = len(todo)
        # Some groups are spread over the picture, others stand close.
        near, spread = uniform(*distance, n, generator), torch.rand(n, 1, generator=generator)
        far = torch.lerp(near[:, None], uniform(*distance, n * people, generator).view(n, people), spread)
        angle = _ASIDE * spread * uniform(-1, 1, n * people, generator).view(n, people)
        floor = torch.stack([far * torch.cos(angle), far * torch.sin(angle), 0 * far], -1)
        moved = bodies[todo] + floor[:, :, None]
        here = present[todo][..., None]
        middle = (moved.mean(2) * here).sum(1) / here.sum(1)
        seen = project(moved, look_at(place[todo], middle))
        alone = apart_from[todo]
        gap = torch.cdist(floor, floor).masked_fill(alone, torch.inf).amin((1, 2))
        most = box_overlap(seen).masked_fill(alone, 0).amax((1, 2))
        good = (gap >= apart) & (((overlap[0] <= most) & (most <= overlap[1])) | alone.all((1, 2)))
        standing[todo[good]], target[todo[good]] = moved[good], middle[good]
        todo = todo[~good]
        if len(todo) == 0:
            return standing, look_at(place, target)
    raise ValueError(
        f"overlap is {overlap}, apart {apart} m: {people} people did not stand so in {attempts} attempts. Widen the "
        "range of the overlap, or let people stand nearer to each other"
    )


def draw_crowds(
    clips: list[Clip],
    count: int,
    people: int | tuple[int, int] = 2,
    *,
    size: int = 128,
    generator: torch.Generator,
    overlap: tuple[float, float] = (0.0, 0.3),
    apart: float = 0.6,
    distance: tuple[float, float] = (2.5, 6.0),
    height: tuple[float, float] = (0.8, 2.0),
    occluders: float = 0.0,
    margin: float = 0.15,
    sensor: Sensor = DAYLIGHT,
    device: torch.device | str = "cpu",
) -> Crowd:
    """Independent photos of several people: random frames, headings, people, places and cameras.

    Args:
        clips: motion in the world frame.
        count: how many photos.
        people: in each photo; or the least and the most, every number equally likely.
        size: pixels a side.
        generator: draws everything.
        overlap: range of the largest intersection over union of two people's boxes in a photo, see `box_overlap`.
            (0, 0): nobody's box touches another's; (0.3, 1): somebody stands behind somebody.
        apart: metres, smallest distance of two people's hips over the floor.
        distance: metres along the floor, range of the people's distances from the camera.
        height: metres, range of the camera's height above the floor.
        occluders: mean number of things in front of all.
        margin: of the picture round everybody, see `crops.crop_boxes`.
        sensor: what becomes of the light.
        device: where to compute and to keep the photos.

    Raises:
        ValueError: no clips, count or people below 1, a range upside down, an overlap that was not found, or as
            `crowd.photograph_crowd`.
    """
    fewest, most = (people, people) if isinstance(people, int) else people
    if not clips or count < 1 or not 1 <= fewest <= most:
        raise ValueError(
            f"clips has {len(clips)}, count is {count}, people is {people}: expected one of each at least, and a range "
            "from the least to the most"
        )
    if not 0 <= overlap[0] <= overlap[1]:
        raise ValueError(f"overlap is {overlap}, expected a range from the least to the most, from 0 to 1")
    made = []
    with tqdm(total=count, desc="crowds", unit="photo", delay=2, leave=False) as bar:
        for first in range(0, count, _STEP):
            n = min(_STEP, count - first)
            number = torch.randint(fewest, most + 1, (n, 1), generator=generator)
            present = torch.arange(most) < number
            frames = zip(*pick(clips, n * most, generator))
            bodies = torch.stack([clips[c].positions[f] for c, f in frames]).float()
            bodies = bodies - bodies[:, :1] * bodies.new_tensor([1.0, 1.0, 0.0])
            turn = uniform(0, 2 * torch.pi, n * most, generator)
            cos, sin, zero = turn.cos(), turn.sin(), 0 * turn
            turns = torch.stack([cos, -sin, zero, sin, cos, zero, zero, zero, zero + 1], -1).view(-1, 3, 3)
            bodies = (bodies @ turns.mT).unflatten(0, (n, most))
            tall = uniform(*height, n, generator)
            standing, camera = _stand(bodies, present, tall, overlap, apart, distance, generator)
            pose = world_to_camera(standing, camera)
            boxes = crop_boxes(pose.flatten(0, 1), margin=margin).unflatten(0, (n, most))
            # Who is not there takes no room: the first is, always.
            box = around(torch.where(present[..., None], boxes, boxes[:, :1]).movedim(1, 0))
            looks = draw_looks(n * most, generator=generator)
            places = draw_places(n, generator=generator, occluders=occluders)
            # The floor reaches behind the feet of the last.
            feet = (project(pose, onto="plane")[..., 1].amax(-1) - box[:, 1:2]) / box[:, 2:]
            last = feet.masked_fill(~present, torch.inf).amin(1) - places.hills - 0.1
            places.horizon[:, 0] = torch.minimum(places.horizon[:, 0], last)
            with torch.no_grad():
                made.append(
                    photograph_crowd(
                        pose.to(device), looks, places, present=present, size=size, box=box,
                        sensor=sensor, down=-camera.rotation[..., 2], generator=generator,
                    )
                )  # fmt: skip
            bar.update(n)
    return cat(made)
