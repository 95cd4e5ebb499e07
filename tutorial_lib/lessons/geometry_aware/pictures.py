"""What the demos of lesson 07 show: test people, photographed from anywhere, and what a network paints of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import torch

from tutorial_lib import checkpoints
from tutorial_lib.camera import orbit
from tutorial_lib.display import stage
from tutorial_lib.geometry_aware import GeometryNet
from tutorial_lib.geometry_aware.latents import rotate
from tutorial_lib.geometry_aware.views import SPLITS, banks
from tutorial_lib.locking import MODEL_LOCK
from tutorial_lib.motion import builtin
from tutorial_lib.render import Sensor, Views, photograph_views

DOING = ("reach", "wash_window", "eat", "dance", "turn", "stretch")
"""What the test person of these demos does; nobody trained on the last two motions."""

PHOTO = 30
"""Degrees of azimuth from which the photo is taken that a network gets."""

HEIGHT = 4.0
"""Metres from the camera to the person."""


@dataclass(frozen=True)
class Pair:
    """The two networks that the demos turn.

    Attributes:
        ours: turned points, and a decoder that knows nothing of space.
        splat: turned points that are drawn where they are.
    """

    ours: GeometryNet
    splat: GeometryNet

    def by_name(self) -> dict[str, GeometryNet]:
        """Both by what demos call them."""
        return {"ours": self.ours, "splatted": self.splat}


def networks(folder: Path = checkpoints.FOLDER) -> Pair:
    """Both networks of training seed 0.

    Args:
        folder: of the checkpoints.
    """
    return Pair(*(checkpoints.load(f"geometry_aware/{row}", folder=folder) for row in ("ours", "splat")))


@cache
def people() -> torch.Tensor:
    """(6, 17, 3) metres, world frame: three test people in two moments each, hips above the origin."""
    clips = builtin(SPLITS["test"][0], 3, DOING, 200)
    chosen = [[clip for clip in clips if clip.action == doing][i % 3] for i, doing in enumerate(DOING)]
    poses = torch.stack([clip.positions[(45, 130)[i % 2]].float() for i, clip in enumerate(chosen)])
    return poses - poses[:, :1] * poses.new_tensor([1.0, 1.0, 0.0])


@lru_cache(maxsize=64)
def seen_from(
    person: int, azimuth: tuple[float, ...], elevation: float = 0.0, look: int | None = None, room: int = 0,
    size: int = 48,
) -> Views:  # fmt: skip
    """A person of `people` before cameras all around, without noise: one group of one moment.

    Args:
        person: which.
        azimuth: degrees, one camera each.
        elevation: degrees above the horizon of the person's middle.
        look: row of the wardrobes; by default the person's own.
        room: row of the rooms, for all cameras.
        size: pixels a side.
    """
    pose = people()[person]
    wardrobes, rooms = banks("test")
    middle = pose.mean(0).expand(1, len(azimuth), 3)
    camera = orbit(middle, torch.tensor([azimuth]).deg2rad(), math.radians(elevation), HEIGHT)
    which = torch.tensor([person % len(wardrobes) if look is None else look])
    places = replace(rooms, blur=torch.zeros_like(rooms.blur))
    return photograph_views(
        pose[None, None], camera, wardrobes, places, which, torch.full((1, len(azimuth)), room), size=size,
        sensor=Sensor(read_noise=0.0, photons=math.inf),
    )  # fmt: skip


def as_picture(image: torch.Tensor) -> np.ndarray:
    """(H, W, 3) of an image (3, H, W), uint8 or in [0, 1]."""
    image = image.float() / 255 if image.dtype == torch.uint8 else image
    return image.permute(1, 2, 0).clamp(0, 1).numpy()


@dataclass(frozen=True)
class Dots:
    """Points in a cell of a strip.

    Attributes:
        name: what the legend says.
        place: (n, 2) from -1 to 1 across and down the cell.
        colour: of the palette.
        size: radius in CSS pixels.
    """

    name: str
    place: torch.Tensor
    colour: str
    size: float = 4.0


def strip(
    cells: Sequence[torch.Tensor | Sequence[Dots]], title: str, weight: float = 1.0, marked: int | None = None
) -> dict:
    """Pictures and clouds of points beside each other in one pane, a column of grey between two.

    Args:
        cells: pictures (3, H, W), uint8 or in [0, 1], at least one; or `Dots`, which get a light, square cell.
        title: of the pane; it names them from left to right.
        weight: share of the row's width.
        marked: which of them is framed.
    """
    rows, width = next(cell.shape[-2:] for cell in cells if isinstance(cell, torch.Tensor))
    empty = np.full((rows, width, 3), 0.93, dtype=np.float32)
    gap = np.full((rows, 1, 3), 0.5, dtype=np.float32)
    pictures = [as_picture(cell) if isinstance(cell, torch.Tensor) else empty for cell in cells]
    joined = np.concatenate([part for picture in pictures for part in (picture, gap)][:-1], 1)
    columns = joined.shape[1]

    def inside(number: int, place: torch.Tensor) -> torch.Tensor:
        middle = (2 * number * (width + 1) + width) / columns - 1
        return place * place.new_tensor([width / columns, rows / columns]) + place.new_tensor([middle, 0.0])

    corners = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0]]) * 0.97
    frame = [] if marked is None else [inside(marked, corners)]
    return stage.image(
        picture=joined, aspect=columns / rows, cross=None, margin=0.0, title=title, weight=weight,
        lines=[stage.polyline("same moment", line, colour="green", width=5.0) for line in frame],
        dots=[
            stage.dots(one.name, inside(number, one.place.clamp(-1, 1)), colour=one.colour, size=one.size)
            for number, cell in enumerate(cells)
            if not isinstance(cell, torch.Tensor)
            for one in cell
        ],
    )  # fmt: skip


def photos_of(views: Views) -> torch.Tensor:
    """(cameras, 3, H, W) in [0, 1] of one group's first moment."""
    return views.pixels[0, 0].float() / 255


def plates_of(views: Views) -> torch.Tensor:
    """(cameras, 3, H, W) in [0, 1] of one group."""
    return views.plates[0].float() / 255


def painted(
    net: GeometryNet, photo: torch.Tensor, turn: torch.Tensor, plates: torch.Tensor, dressed: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """What a network paints of one photo for several cameras.

    Args:
        net: in eval mode.
        photo: (3, H, W) in [0, 1].
        turn: (cameras, 3, 3) from the photo's camera into theirs.
        plates: (cameras, 3, H, W) in [0, 1].
        dressed: (3, H, W), whose clothes; None for those of the photo.

    Returns:
        Pictures (cameras, 3, H, W) and turned points (cameras, points, 3).
    """
    with MODEL_LOCK, torch.no_grad():
        points, appearance = net.encoder(photo[None])
        if dressed is not None:
            appearance = net.encoder(dressed[None])[1]
        turned = rotate(points, turn)
        pictures, _ = net.decoder(turned, appearance.expand(len(turn), -1), plates)
    return pictures, turned


def apart(found: torch.Tensor, truth: torch.Tensor, plates: torch.Tensor) -> torch.Tensor:
    """(cameras,) mean difference where a person is or is painted, in per cent of full brightness.

    Args:
        found: (cameras, 3, H, W) in [0, 1].
        truth: the same shape.
        plates: the same shape; pixels where the truth differs from it by more than a twelfth count.
    """
    where = ((truth - plates).abs().amax(1) > 1 / 12).float()
    return 100 * ((found - truth).abs().mean(1) * where).sum((1, 2)) / where.sum((1, 2)).clamp_min(1)
