"""What a network is told about the scene: nothing, depth with a hole, filled depth, the truth, depth with the body."""

from typing import Literal, get_args

import torch

from tutorial_lib.egocentric.headset import pixel_rays
from tutorial_lib.egocentric.inpainting import FillNet, fill_classical, square
from tutorial_lib.egocentric.samples import Samples
from tutorial_lib.egocentric.voxels import occupancy

SceneKind = Literal["none", "hole", "classical", "learned", "true", "body", "estimated"]
KINDS: tuple[SceneKind, ...] = get_args(SceneKind)

ESTIMATE = 0.15
"""Standard deviation of the logarithm of the body's estimated depth (ours): one error for a whole body."""


def scene_depth(
    samples: Samples, kind: SceneKind, filler: FillNet | None = None, seed: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Depth pictures as a network gets them.

    Args:
        samples: of people who wear a camera.
        kind: "none"; "hole": the body cut out; "classical" or "learned": the hole filled; "true": the room without the
            body; "body": exact depth of all that is seen; "estimated": the same, the body's depth off by a factor and
            its outline blurred.
        filler: for "learned".
        seed: of the errors of "estimated".

    Returns:
        distance: (B, P) metres along `headset.pixel_rays`; there: (B, P) bool, where something is known.

    Raises:
        ValueError: an unknown kind, no filler for "learned".
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}, expected one of {', '.join(KINDS)}")
    if kind == "learned" and filler is None:
        raise ValueError("filler is None, expected a FillNet for the kind 'learned': learn_to_fill trains one")
    circle = pixel_rays(round(samples.scene.shape[1] ** 0.5))[1].to(samples.scene.device).expand_as(samples.scene)
    hole, scene = samples.hole, samples.scene
    if kind == "none":
        return scene, torch.zeros_like(circle)
    if kind == "hole":
        return scene, circle & ~hole
    if kind == "body":
        return torch.minimum(scene, samples.body), circle
    if kind == "estimated":
        error = torch.randn(len(scene), 1, generator=torch.Generator().manual_seed(seed)).to(scene)
        seen = torch.where(hole, samples.body * torch.exp(ESTIMATE * error), scene)
        soft = torch.nn.functional.avg_pool2d(square(seen)[:, None], 3, 1, 1, count_include_pad=False)[:, 0].flatten(1)
        return soft, circle
    if kind == "classical":
        return fill_classical(scene, hole), circle
    if filler is not None and kind == "learned":
        with torch.no_grad():
            filled = torch.cat([filler(part.scene, part.hole) for part in _parts(samples)])
        return filled, circle
    return scene, circle


def _parts(samples: Samples, size: int = 256) -> list[Samples]:
    return [samples[slice(first, first + size)] for first in range(0, len(samples), size)]


def scene_points(distance: torch.Tensor) -> torch.Tensor:
    """(B, P) metres along the pixels' rays to points (B, P, 3) in the camera's frame: ray times *distance*."""
    rays = pixel_rays(round(distance.shape[1] ** 0.5))[0].to(distance)
    return distance[..., None] * rays


def scene_voxels(
    samples: Samples, kind: SceneKind, cells: int, filler: FillNet | None = None, raised: float = 0.0
) -> torch.Tensor:
    """What `scene_depth` tells, as voxels.

    Args:
        samples: as `scene_depth`.
        kind: as `scene_depth`.
        cells: along each side of the cube.
        filler: as `scene_depth`.
        raised: metres by which all points are moved upwards in the world: a scene that lies.

    Returns:
        (B, cells, cells, cells) bool.
    """
    distance, there = scene_depth(samples, kind, filler)
    points = scene_points(distance) + raised * samples.rotation[:, None, :, 2]
    return occupancy(points, there, cells)
