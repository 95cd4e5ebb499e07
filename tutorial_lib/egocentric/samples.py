"""What a head-worn camera sees of its wearer and of the room, with the truth: samples to train on and to test with."""

from dataclasses import dataclass

import torch
from tqdm.auto import tqdm

from tutorial_lib.batch import Batch, cat
from tutorial_lib.camera import Camera, camera_to_world, world_to_camera
from tutorial_lib.egocentric.headset import pixel_rays, seen_at, wear
from tutorial_lib.egocentric.scenes import SEATED, Scene, draw_scene
from tutorial_lib.egocentric.voxels import in_cube
from tutorial_lib.motion.clip import Clip
from tutorial_lib.render import draw_looks
from tutorial_lib.render.body import build
from tutorial_lib.render.body_rays import body_distance, joints_seen
from tutorial_lib.render.rooms import Rooms

PIXELS = 48
"""A side of the course's depth pictures."""

FAR = 10.0
"""Metres at which depth is cut off, as in the paper's code."""

TILT = 0.08
"""Radians, standard deviation of how the camera sits on the head: else the pose alone would tell where the floor is."""

NOISE, HIDDEN_NOISE = 0.015, 0.06
"""Standard deviations of a detector's error in half-widths, for joints that are seen and hidden (ours)."""

_STEP = 32


@dataclass(frozen=True)
class Samples(Batch):
    """Moments of people who wear a camera.

    Attributes:
        pose: (B, 17, 3) metres, camera frame: the truth.
        seen: (B, 17) bool, joints that no other part of the body hides.
        scene: (B, P) metres along the pixels' rays to the room, the body removed.
        body: (B, P) metres along the rays to the body, infinite where they miss it.
        rotation: (B, 3, 3) and position (B, 3) of the camera in the world.
        walls, boxes: of `Rooms`.
        size: (B,) of the person.
        step: (B,) metres, height of the step under the feet.
    """

    pose: torch.Tensor
    seen: torch.Tensor
    scene: torch.Tensor
    body: torch.Tensor
    rotation: torch.Tensor
    position: torch.Tensor
    walls: torch.Tensor
    boxes: torch.Tensor
    size: torch.Tensor
    step: torch.Tensor

    @property
    def rooms(self) -> Rooms:
        """The rooms around."""
        return Rooms(self.walls, self.boxes)

    @property
    def camera(self) -> Camera:
        """The cameras' places; the lens is `headset.LENS`."""
        one = torch.ones_like(self.position[:, :2])
        return Camera(self.rotation, self.position, one, 0 * one)

    @property
    def hole(self) -> torch.Tensor:
        """(B, P) bool: pixels in which the body hides the room."""
        return self.body < self.scene

    def in_world(self, pose: torch.Tensor) -> torch.Tensor:
        """Poses (B, 17, 3) from the camera's frame to the world's."""
        return camera_to_world(pose, self.camera)


def picture(scenes: list[Scene], generator: torch.Generator, pixels: int = PIXELS, tilt: float = TILT) -> Samples:
    """What the cameras of these people see.

    Args:
        scenes: of `scenes.draw_scene`.
        generator: draws builds and how cameras sit.
        pixels: a side of the picture.
        tilt: standard deviation in radians of how a camera sits.
    """
    people = torch.cat([scene.people for scene in scenes])
    rooms = cat([scene.rooms for scene in scenes])
    size, step = (torch.tensor([getattr(scene, name) for scene in scenes]) for name in ("size", "step"))
    camera = wear(people, size, tilt * torch.randn(len(scenes), generator=generator))
    pose = world_to_camera(people, camera)
    looks = draw_looks(len(scenes), generator=generator)
    solids = build(pose, looks)
    rays = pixel_rays(pixels)[0]
    around = rays @ camera.rotation  # rows are the camera's axes: this leads from its frame to the world's
    return Samples(
        pose, joints_seen(pose, solids, looks.girth), rooms.distance(camera.position, around).clamp_max(FAR),
        body_distance(solids, rays), camera.rotation, camera.position, rooms.walls, rooms.boxes, size, step,
    )  # fmt: skip


def draw_samples(
    clips: list[Clip], count: int, seed: int, *, steps: float = 0.4, pixels: int = PIXELS, progress: bool = True
) -> Samples:
    """Draw moments of clips; those with a joint outside the cube of voxels, such as a raised hand, are drawn again.

    Args:
        clips: of any length.
        count: how many.
        seed: of all draws.
        steps: share of standing people who stand on a step; 1 leaves out all others.
        pixels: a side of the depth picture.
        progress: show a bar.

    Raises:
        ValueError: no clips, count below 1.
    """
    if not clips or count < 1:
        raise ValueError(f"clips has {len(clips)}, count is {count}, expected one or more of each")
    generator = torch.Generator().manual_seed(seed)
    made: list[Samples] = []
    have = 0
    with tqdm(total=count, desc="samples", delay=2, disable=not progress, leave=False) as bar:
        while have < count:
            scenes = []
            while len(scenes) < _STEP:
                clip = clips[int(torch.randint(len(clips), (), generator=generator))]
                frame = int(torch.randint(len(clip.positions), (), generator=generator))
                stepped = bool(torch.rand((), generator=generator) < steps)
                scene = draw_scene(
                    clip.positions.float(), frame, seated=clip.action in SEATED, stepped=stepped, generator=generator
                )
                if steps < 1 or scene.step:
                    scenes.append(scene)
            drawn = picture(scenes, generator, pixels)
            drawn = drawn[in_cube(drawn.pose).all(-1)][: count - have]
            have += len(drawn)
            bar.update(len(drawn))
            made.append(drawn)
    return cat(made)


def detected(samples: Samples, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """2D joints as a detector gives them: near where they are seen, farther off where they are hidden.

    Returns:
        screen: (B, 17, 2); inside: (B, 17) bool, in the field of view.
    """
    screen, inside = seen_at(samples.pose)
    sigma = torch.where(samples.seen, NOISE, HIDDEN_NOISE)[..., None]
    return screen + sigma * torch.randn(screen.shape, generator=generator).to(screen), inside
