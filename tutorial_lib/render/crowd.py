"""Photographs of several people by one camera: on every pixel, whoever's surface is nearest is in front.

A photo of one person is a crowd of one: `photos.photograph` comes here, too.
"""

from dataclasses import dataclass, replace

import torch

from tutorial_lib.batch import Batch
from tutorial_lib.camera import project
from tutorial_lib.render.anatomy import LABELS, PARTS
from tutorial_lib.render.backdrop import bend, paint
from tutorial_lib.render.body import Solids, build
from tutorial_lib.render.crops import around, check_pose, crop_boxes
from tutorial_lib.render.layers import composite
from tutorial_lib.render.looks import Looks
from tutorial_lib.render.occluders import obstruct, soft_blur
from tutorial_lib.render.places import Places
from tutorial_lib.render.raster import rasterise
from tutorial_lib.render.rays import rays_of
from tutorial_lib.render.sensor import DAYLIGHT, Sensor
from tutorial_lib.render.shading import colours, light, materials
from tutorial_lib.render.shadows import cast
from tutorial_lib.render.visibility import visible_joints

CHUNK = 16
"""Pictures that are computed together: their intermediate values fit into a processor's cache."""


@dataclass(frozen=True)
class Crowd(Batch):
    """Pictures of up to P people each, and the truth about them.

    Attributes:
        image: (B, 3, H, W) RGB in [0, 1].
        keypoints: (B, P, 17, 2) screen coordinates of the picture, as in `Photos`.
        pose: (B, P, 17, 3) metres, camera frame (x right, y down, z forward), absolute.
        present: (B, P) bool: this row is a person. Other rows fill up the batch: zeros, and nobody in the picture.
        visible: (B, P, 17) bool: inside the picture, behind no occluder, nobody else and no other part of the body.
        front: (B, P, 17) int64: the person whose surface is the first where the joint is, leaving occluders aside: its
            own number, or who stands before it; -1 for none.
        parts: (B, H, W) int64, index into `PARTS`; 0 background, -1 occluder.
        person: (B, H, W) int64, whose part that is; -1 for background and occluders.
        silhouette: (B, P, H, W) coverage by each body in [0, 1], also behind others; differentiable in the pose.
        depth: (B, H, W) metres along the camera's axis to the nearest body's surface, infinite beside all.
        box: (B, 3) what of the image plane the picture shows: centre x, centre y and half-width.
    """

    image: torch.Tensor
    keypoints: torch.Tensor
    pose: torch.Tensor
    present: torch.Tensor
    visible: torch.Tensor
    front: torch.Tensor
    parts: torch.Tensor
    person: torch.Tensor
    silhouette: torch.Tensor
    depth: torch.Tensor
    box: torch.Tensor


def _rows(batch: Looks | Places, count: int, name: str, each: str):
    if len(batch) == count:
        return batch
    if len(batch) == 1:
        return batch.repeat(count)
    raise ValueError(f"{name} has {len(batch)} rows, expected {count} (one a {each}) or 1")


def photograph_crowd(
    pose: torch.Tensor,
    looks: Looks,
    places: Places,
    *,
    present: torch.Tensor | None = None,
    size: int = 128,
    box: torch.Tensor | None = None,
    lens: torch.Tensor | None = None,
    sensor: Sensor = DAYLIGHT,
    down: torch.Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Crowd:
    """Photograph several people at once.

    Occlusion is that of surfaces, pixel by pixel, so arms may reach round each other and the order of people does not
    matter. Everybody's shadow falls on the floor; no shadow falls on a person.

    Args:
        pose: (B, P, 17, 3) metres, camera frame (x right, y down, z forward).
        looks: B * P rows, the people of the first picture first; or one row for all.
        places: B rows, or one row for all.
        present: (B, P) bool, which rows are people; default: all. What the others hold is not looked at.
        size: pixels a side.
        box: (B, 3) as for `photos.photograph`. Default: the smallest that holds everybody's `crop_boxes`.
        lens: as for `photos.photograph`.
        sensor: what becomes of the light.
        down: (B, 3) or (3,) direction of gravity in the camera frame, for the shadows on the floor; default: y.
        generator: of the sensor's noise. Nothing else is random.

    Returns:
        `Crowd` in the pose's dtype and on its device; image and silhouette are differentiable in the pose.

    Raises:
        ValueError: shapes that do not match, nobody present, or as `photos.photograph`.
    """
    if pose.ndim != 4 or 0 in pose.shape:
        raise ValueError(f"pose has shape {tuple(pose.shape)}, expected (B, P, 17, 3): P people in each of B pictures")
    count, people = pose.shape[:2]
    absent = None if present is None else present.to(pose.device) == 0
    if absent is not None:
        if absent.shape != pose.shape[:2] or absent.all():
            raise ValueError(
                f"present has shape {tuple(absent.shape)} and is true for {int((~absent).sum())} people, expected "
                f"{(count, people)} and one person at least"
            )
        # Somebody stands in for those who are absent; a body without thickness is never met.
        pose = torch.where(absent[..., None, None], pose[~absent][0].detach(), pose)
    bodies = pose.flatten(0, 1)
    check_pose(bodies)
    if size < 8:
        raise ValueError(f"size is {size}, expected at least 8 pixels")
    if lens is not None:
        lens = torch.as_tensor(lens, dtype=pose.dtype, device=pose.device)
        lens = lens.expand(count, 5) if lens.ndim == 1 else lens
    if box is None:
        boxes = crop_boxes(bodies, lens=None if lens is None else lens.repeat_interleave(people, 0))
        box = around(boxes.unflatten(0, (count, people)).movedim(1, 0))
    box = box.to(pose).detach()
    if tuple(box.shape) != (count, 3) or not (box[:, 2] > 0).all():
        raise ValueError(f"box has shape {tuple(box.shape)}, expected ({count}, 3): centre x, y, half-width > 0")
    looks = _rows(looks, count * people, "looks", "person").to(device=pose.device, dtype=pose.dtype)
    places = _rows(places, count, "places", "picture").to(device=pose.device, dtype=pose.dtype)
    down = pose.new_tensor([0.0, 1.0, 0.0]) if down is None else down.to(pose)
    down = down.expand(count, 3)
    solids = build(bodies, looks)
    if absent is not None:
        solids = replace(solids, radius=solids.radius.masked_fill(absent.view(-1, 1, 1), 0))
    cloth = materials(looks, solids.span.detach())
    made = []
    for first in range(0, count, CHUNK):
        part, who = slice(first, first + CHUNK), slice(first * people, (first + CHUNK) * people)
        lens_here = None if lens is None else lens[part]
        made.append(_draw(solids[who], looks[who], places[part], cloth[:, who], size, box[part], lens_here, down[part]))
    image, parts, person, silhouette, depth, cover = (torch.cat(column) for column in zip(*made))
    image = sensor.read(image, places.grain, generator)
    keypoints = (project(pose, lens=lens, onto="plane") - box[:, None, None, :2]) / box[:, None, None, 2:]
    visible, front = visible_joints(pose, solids, looks, keypoints.detach(), cover)
    silhouette = silhouette.unflatten(0, (count, people))
    if absent is None:
        absent = torch.zeros(count, people, dtype=torch.bool, device=pose.device)
    else:
        nobody = absent[..., None]
        keypoints, pose = (value.masked_fill(nobody[..., None], 0) for value in (keypoints, pose))
        visible, front = visible & ~nobody, front.masked_fill(nobody, -1)
    return Crowd(image, keypoints, pose, ~absent, visible, front, parts, person, silhouette, depth, box)


def _draw(
    solids: Solids,
    looks: Looks,
    places: Places,
    cloth: torch.Tensor,
    size: int,
    box: torch.Tensor,
    lens: torch.Tensor | None,
    down: torch.Tensor,
):
    """One chunk: (image, parts, person, silhouette of each body, depth, cover by occluders)."""
    people = len(solids) // len(box)
    rays = rays_of(box, size, lens)
    fragments, silhouette = rasterise(solids, box, rays, lens)
    whole = silhouette.unflatten(0, (-1, people)).amax(1)
    body = torch.div(fragments.solid, len(LABELS), rounding_mode="floor")
    of = torch.div(body, people, rounding_mode="floor")
    pitch = fragments.depth.detach() * (2 / size * box[:, 2]).index_select(0, of)
    surface = colours(fragments, looks, cloth, solids, pitch)
    sun, tint = places.sun.T.index_select(1, of), places.tint.T.index_select(1, of)
    lit = light(surface, fragments.normal, sun, places.ambient.index_select(0, of), tint)
    picture = paint(places, size)
    picture = picture if lens is None else bend(picture, rays, box)
    picture = picture * cast(solids, places, rays, down)
    labels = LABELS.to(box.device).index_select(0, fragments.solid % len(LABELS))
    image, depth, labels = composite(picture, whole, fragments, lit, labels + (body - of * people) * len(PARTS))
    image, cover = obstruct(image, places)
    image = soft_blur(image, places.blur).movedim(1, 0)
    parts, person = labels % len(PARTS), torch.div(labels, len(PARTS), rounding_mode="floor")
    hidden = cover >= 0.5
    person = person.masked_fill(hidden | (parts == 0), -1)
    return image, parts.masked_fill(hidden, -1), person, silhouette, depth, cover
