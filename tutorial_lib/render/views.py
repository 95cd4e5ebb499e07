"""One moment seen by several cameras: the same person, clothes and light, from other sides."""

from dataclasses import dataclass, replace

import torch
from tqdm.auto import tqdm

from tutorial_lib.batch import Batch, cat
from tutorial_lib.camera import Camera, camera_to_world, orbit, project, world_to_camera
from tutorial_lib.motion.clip import Clip
from tutorial_lib.render.crops import metric_boxes
from tutorial_lib.render.looks import Looks
from tutorial_lib.render.photos import photograph, plates
from tutorial_lib.render.places import Places
from tutorial_lib.render.random_photos import pick, uniform
from tutorial_lib.render.sensor import DAYLIGHT, Sensor

_STEP = 16


@dataclass(frozen=True)
class Views(Batch):
    """People at several moments, each before several cameras that stand still.

    Attributes:
        pixels: (B, moments, cameras, 3, H, W) uint8.
        plates: (B, cameras, 3, H, W) uint8: what each camera sees when nobody is there, without noise. A camera that
            stands still gives it away without a label: the median of its frames.
        pose: (B, moments, cameras, 17, 3) metres, in the frame of each camera (x right, y down, z forward), absolute.
        visible: (B, moments, cameras, 17) bool, as in `Photos`.
        rotation: (B, cameras, 3, 3), rows are the camera's right, down and forward axes in the world.
        position: (B, cameras, 3) metres, world frame.
        box: (B, cameras, 3) what of the image plane each camera shows: centre x, centre y, half-width.
        look: (B,) int64, who it is: a row of the looks.
        place: (B, cameras) int64, where each camera stands: rows of the places.
    """

    pixels: torch.Tensor
    plates: torch.Tensor
    pose: torch.Tensor
    visible: torch.Tensor
    rotation: torch.Tensor
    position: torch.Tensor
    box: torch.Tensor
    look: torch.Tensor
    place: torch.Tensor

    @property
    def keypoints(self) -> torch.Tensor:
        """(B, moments, cameras, 17, 2) screen coordinates of the pictures."""
        box = self.box[:, None, :, None]
        return (project(self.pose, onto="plane") - box[..., :2]) / box[..., 2:]

    @property
    def world(self) -> torch.Tensor:
        """(B, moments, 17, 3) metres, world frame."""
        return camera_to_world(self.pose[:, :, 0], _cameras(self.rotation[:, 0], self.position[:, 0]))

    def turn(self, first: int, second: int) -> torch.Tensor:
        """(B, 3, 3): takes directions from the frame of the first camera into that of the second, R_j R_i^T."""
        return self.rotation[:, second] @ self.rotation[:, first].mT


def _cameras(rotation: torch.Tensor, position: torch.Tensor) -> Camera:
    pair = torch.ones_like(position[..., :2])
    return Camera(rotation, position, pair, 0 * pair)


def photograph_views(
    people: torch.Tensor,
    camera: Camera,
    looks: Looks,
    places: Places,
    look: torch.Tensor,
    place: torch.Tensor,
    *,
    size: int = 64,
    half: float = 1.15,
    sensor: Sensor = DAYLIGHT,
    generator: torch.Generator | None = None,
) -> Views:
    """Photograph people with several cameras.

    The windows are fixed in metres round the middle of all joints and moments. Sun and gravity are those of one world:
    each camera sees them from its side, and the first camera's place says where the sun is. The places themselves are
    painted in the coordinates of the picture and do not turn: two cameras in one "place" have the same wallpaper, and
    no point of it is the same point of a room. Nothing about the cameras can be learned from it; give the plates.

    Args:
        people: (B, moments, 17, 3) metres, world frame.
        camera: a batch (B, cameras); only rotation and position count.
        looks: a bank of any number of rows.
        places: a bank of any number of rows.
        look: (B,) int64, rows of `looks`.
        place: (B, cameras) int64, rows of `places`.
        size: pixels a side.
        half: metres, half-width of what a picture shows at the person's depth.
        sensor: what becomes of the light.
        generator: of the sensor's noise. Nothing else is random.

    Raises:
        ValueError: shapes that do not match, or as `photos.photograph`.
    """
    if people.ndim != 4 or camera.position.ndim != 3 or len(people) != len(camera.position):
        raise ValueError(
            f"people has shape {tuple(people.shape)} and camera a batch {tuple(camera.position.shape[:-1])}, "
            "expected (B, moments, 17, 3) and (B, cameras)"
        )
    (count, moments), seeing = people.shape[:2], camera.position.shape[1]
    if look.shape != (count,) or place.shape != (count, seeing):
        raise ValueError(
            f"look has shape {tuple(look.shape)}, place {tuple(place.shape)}, expected {(count,)} and {(count, seeing)}"
        )
    device = people.device
    rotation, position = camera.rotation.to(people), camera.position.to(people)
    before = _cameras(rotation, position)
    pose = world_to_camera(people[:, None].expand(-1, seeing, -1, -1, -1), before)  # (B, cameras, moments, 17, 3)
    box = metric_boxes(pose.mean((2, 3)).flatten(0, 1), half)
    look, place = look.to(device), place.to(device)
    rooms = places.to(device)[place.flatten()]
    light = places.to(device)[place[:, :1].expand_as(place).flatten()]
    rooms = replace(rooms, sun=light.sun, ambient=light.ambient, tint=light.tint, shadow=light.shadow)
    rooms = rooms.seen_by(rotation.flatten(0, 1))
    with torch.no_grad():
        photos = photograph(
            pose.flatten(0, 2),
            looks.to(device)[look.repeat_interleave(seeing * moments)],
            rooms.repeat(moments),
            size=size,
            box=box.repeat_interleave(moments, 0),
            sensor=sensor,
            down=-rotation[..., 2].flatten(0, 1).repeat_interleave(moments, 0),
            generator=generator,
        )
        empty = plates(rooms, size=size, sensor=replace(sensor, read_noise=0.0, photons=float("inf")))

    def by_moment(value: torch.Tensor) -> torch.Tensor:
        return value.unflatten(0, (count, seeing, moments)).transpose(1, 2).contiguous()

    pixels, empty = ((255 * image).round().to(torch.uint8) for image in (photos.image, empty))
    return Views(
        by_moment(pixels),
        empty.unflatten(0, (count, seeing)),
        pose.transpose(1, 2).contiguous(),
        by_moment(photos.visible),
        rotation,
        position,
        box.unflatten(0, (count, seeing)),
        look,
        place,
    )


def _moments(clip: Clip, count: int, generator: torch.Generator, tries: int = 4) -> torch.Tensor:
    """Moments (count, 17, 3) of a clip, hips above the origin: each is the most unlike those before it."""
    number = torch.randint(len(clip.positions), (1 + tries * (count - 1),), generator=generator)
    people = clip.positions[number].float()
    people = people - people[:, :1] * people.new_tensor([1.0, 1.0, 0.0])
    apart = torch.linalg.vector_norm(people[:, None] - people, dim=-1).mean(-1)
    chosen = [0]
    while len(chosen) < count:
        chosen.append(int(apart[chosen].amin(0).argmax()))
    return people[chosen]


def draw_views(
    clips: list[Clip],
    count: int,
    looks: Looks,
    places: Places,
    *,
    cameras: int = 2,
    moments: int = 2,
    size: int = 64,
    generator: torch.Generator,
    half: float = 1.15,
    distance: float = 4.0,
    height: tuple[float, float] = (0.8, 1.7),
    sensor: Sensor = DAYLIGHT,
    device: torch.device | str = "cpu",
) -> Views:
    """Groups of photos: a random person at some moments of a random clip, before cameras anywhere around.

    At every moment the person's hip is put above the same place of the floor; of some random moments, those count that
    are most unlike each other.

    Args:
        clips: motion in the world frame.
        count: groups.
        looks: the bank that people's clothes come from; every row is equally likely.
        places: the bank that each camera's place comes from.
        cameras: in a group.
        moments: in a group.
        size: pixels a side.
        generator: draws moments, people, places, cameras and noise.
        half: metres, see `photograph_views`.
        distance: metres from the camera to the middle of the person.
        height: metres, range of the camera's height above the floor.
        sensor: what becomes of the light.
        device: where to compute and to keep the views.

    Raises:
        ValueError: no clips, count, cameras or moments below 1, or as `photograph_views`.
    """
    if not clips or min(count, cameras, moments) < 1:
        raise ValueError(
            f"clips has {len(clips)}, count is {count}, cameras {cameras}, moments {moments}, expected one or more"
        )
    made = []
    with tqdm(total=count, desc="views", unit="group", delay=2, leave=False) as bar:
        for first in range(0, count, _STEP):
            n = min(_STEP, count - first)
            people = torch.stack([_moments(clips[c], moments, generator) for c in pick(clips, n, generator)[0]])
            middle = people.mean((1, 2))[:, None].expand(-1, cameras, -1)
            azimuth = uniform(0, 2 * torch.pi, n * cameras, generator).view(n, cameras)
            above = uniform(*height, n * cameras, generator).view(n, cameras) - middle[..., 2]
            camera = orbit(middle, azimuth, torch.asin(above / distance), distance)
            look = torch.randint(len(looks), (n,), generator=generator)
            place = torch.randint(len(places), (n, cameras), generator=generator)
            made.append(
                photograph_views(
                    people.to(device), camera, looks, places, look, place, size=size, half=half, sensor=sensor,
                    generator=generator,
                )
            )  # fmt: skip
            bar.update(n)
    return cat(made)
