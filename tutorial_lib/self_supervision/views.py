"""2D skeletons as a camera sees them, two moments of each, and the truth that nobody trains on."""

import math
from dataclasses import dataclass, replace

import torch

from tutorial_lib.camera import orbit, world_to_camera
from tutorial_lib.datasets.detector import detect
from tutorial_lib.metrics import root_relative
from tutorial_lib.motion.clip import Clip
from tutorial_lib.self_supervision.turning import DISTANCE, look

ELEVATION = (0.0, 20.0)
"""Degrees by which the cameras look down, the course's own prior. Chen et al. are quoted with -20 to 20."""

GAP = 5
"""Frames from the first moment to the second: a tenth of a second."""

CROP = 1.25
"""Metres from the middle of the picture that a detector is given to its edge: it is cut out around the person."""


@dataclass(frozen=True)
class Views:
    """People before cameras that look at their hip.

    Attributes:
        seen: (N, 2, 17, 2) metres at the camera's distance, the root at (0, 0); two moments before one camera.
        pose: (N, 2, 17, 3) metres, root-relative, camera frame: the truth.
        distance: of the root, in metres.
    """

    seen: torch.Tensor
    pose: torch.Tensor
    distance: float = DISTANCE

    def __len__(self) -> int:
        return len(self.seen)

    def __getitem__(self, rows: torch.Tensor | slice) -> "Views":
        return replace(self, seen=self.seen[rows], pose=self.pose[rows])

    def to(self, device: torch.device | str) -> "Views":
        """The same on another device."""
        return replace(self, seen=self.seen.to(device), pose=self.pose.to(device))


def film(
    clips: list[Clip],
    count: int,
    *,
    generator: torch.Generator,
    elevation: tuple[float, float] = ELEVATION,
    distance: float = DISTANCE,
    noise: float = 0.0,
    gap: int = GAP,
) -> Views:
    """Draw moments from clips, each before a camera of its own.

    Args:
        clips: of any length above `gap`.
        count: how many.
        generator: decides moments, cameras and the detector's errors.
        elevation: degrees by which the cameras look down, uniform between the two.
        distance: metres from the camera to the root.
        noise: of the detector; 0 gives the true projection.
        gap: frames from the first moment to the second.

    Raises:
        ValueError: no clip that is long enough, count below 1.
    """
    usable = [clip.positions.float() for clip in clips if len(clip.positions) > gap]
    if not usable or count < 1:
        raise ValueError(
            f"count is {count}, and {len(usable)} of {len(clips)} clips are longer than {gap} frames: expected at "
            "least 1 of each"
        )
    which = torch.randint(len(usable), (count,), generator=generator).tolist()
    share = torch.rand(count, generator=generator).tolist()
    first = [int(s * (len(usable[i]) - gap)) for i, s in zip(which, share)]
    world = torch.stack([usable[i][[start, start + gap]] for i, start in zip(which, first)])
    u = torch.rand(2, count, generator=generator)
    low, high = (math.radians(end) for end in elevation)
    pose = poses_before(world, 2 * math.pi * u[0], low + (high - low) * u[1], distance)
    seen = look(pose, distance)
    if noise:
        seen = detect(seen / CROP, noise, correlation=0.8**gap, generator=generator) * CROP
        seen = seen - seen[..., :1, :]
    return Views(seen, pose, distance)


def poses_before(
    world: torch.Tensor, azimuth: torch.Tensor, elevation: torch.Tensor, distance: float = DISTANCE
) -> torch.Tensor:
    """People in the world as cameras see them that look at each moment's hip, from the same side at every moment.

    Args:
        world: (N, T, 17, 3) metres, z up.
        azimuth: (N,) radians, the side on which the camera stands.
        elevation: (N,) radians above the hip.
        distance: metres from there.

    Returns:
        (N, T, 17, 3) metres, root-relative, camera frame.
    """
    cameras = orbit(world[..., 0, :], azimuth[:, None], elevation[:, None], distance)
    return root_relative(world_to_camera(world, cameras))


def draw_views(
    clips: list[Clip],
    count: int,
    seed: int,
    *,
    noise: float = 0.0,
    elevation: tuple[float, float] = ELEVATION,
    distance: float = DISTANCE,
) -> Views:
    """As `film`, from a seed."""
    generator = torch.Generator().manual_seed(seed)
    return film(clips, count, generator=generator, noise=noise, elevation=elevation, distance=distance)
