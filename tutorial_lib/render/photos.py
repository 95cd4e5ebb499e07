"""Photographs of people with everything that is known about them."""

from dataclasses import dataclass

import torch
from torch.nn.functional import grid_sample

from tutorial_lib.batch import Batch
from tutorial_lib.camera import project
from tutorial_lib.distortion import distort, jacobian, undistort
from tutorial_lib.grid import cell_centres
from tutorial_lib.render.anatomy import LABELS
from tutorial_lib.render.backdrop import bend, paint
from tutorial_lib.render.body import Solids, build
from tutorial_lib.render.crops import check_pose, crop_boxes
from tutorial_lib.render.layers import composite
from tutorial_lib.render.looks import Looks
from tutorial_lib.render.occluders import obstruct, soft_blur
from tutorial_lib.render.places import Places
from tutorial_lib.render.raster import rasterise
from tutorial_lib.render.sensor import Sensor
from tutorial_lib.render.shading import colours, light, materials
from tutorial_lib.render.shadows import cast
from tutorial_lib.render.visibility import visible_joints

DAYLIGHT = Sensor()

CHUNK = 16
"""Pictures that are computed together: their intermediate values fit into a processor's cache."""


@dataclass(frozen=True)
class Photos(Batch):
    """Pictures and the truth about them.

    Attributes:
        image: (B, 3, H, W) RGB in [0, 1].
        keypoints: (B, 17, 2) screen coordinates of the picture: x in [-1, 1] to the right, y likewise down; the centre
            of pixel i is at (2 i + 1) / W - 1.
        pose: (B, 17, 3) metres, camera frame (x right, y down, z forward), absolute.
        visible: (B, 17) bool: inside the picture, behind no occluder and no other part of the body.
        parts: (B, H, W) int64, index into `PARTS`; 0 background, -1 occluder.
        silhouette: (B, H, W) coverage by the body in [0, 1], also behind occluders; differentiable in the pose.
        depth: (B, H, W) metres along the camera's axis to the body's surface, infinite beside it.
        box: (B, 3) what of the image plane the picture shows: centre x, centre y and half-width.
    """

    image: torch.Tensor
    keypoints: torch.Tensor
    pose: torch.Tensor
    visible: torch.Tensor
    parts: torch.Tensor
    silhouette: torch.Tensor
    depth: torch.Tensor
    box: torch.Tensor


def _rows(batch: Looks | Places, count: int, name: str):
    if len(batch) == count:
        return batch
    if len(batch) == 1:
        return batch.repeat(count)
    raise ValueError(f"{name} has {len(batch)} rows, expected {count} (one a pose) or 1")


def photograph(
    pose: torch.Tensor,
    looks: Looks,
    places: Places,
    *,
    size: int = 128,
    box: torch.Tensor | None = None,
    lens: torch.Tensor | None = None,
    sensor: Sensor = DAYLIGHT,
    down: torch.Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Photos:
    """Photograph people.

    Args:
        pose: (B, 17, 3) metres, camera frame (x right, y down, z forward).
        looks: B rows, or one row for all.
        places: B rows, or one row for all.
        size: pixels a side.
        box: (B, 3) centre x, centre y and half-width of the square picture in plane coordinates (x/z, y/z; behind a
            lens: distorted ones). Default: `crop_boxes(pose)`.
        lens: (5,) or (B, 5) distortion coefficients, see `distortion`; acts on body, joints and backdrop alike.
        sensor: what becomes of the light.
        down: (B, 3) or (3,) direction of gravity in the camera frame, for the shadow on the floor; default: y.
        generator: of the sensor's noise. Nothing else is random.

    Returns:
        `Photos` in the pose's dtype and on its device; image and silhouette are differentiable in the pose.

    Raises:
        ValueError: shapes that do not match, a pose behind or at the camera, size below 8, a lens that
            folds inside the picture.
    """
    check_pose(pose)
    count = len(pose)
    if size < 8:
        raise ValueError(f"size is {size}, expected at least 8 pixels")
    if lens is not None:
        lens = torch.as_tensor(lens, dtype=pose.dtype, device=pose.device)
        lens = lens.expand(count, 5) if lens.ndim == 1 else lens
    box = crop_boxes(pose, lens=lens) if box is None else box.to(pose).detach()
    if tuple(box.shape) != (count, 3) or not (box[:, 2] > 0).all():
        raise ValueError(f"box has shape {tuple(box.shape)}, expected ({count}, 3): centre x, y, half-width > 0")
    looks = _rows(looks, count, "looks").to(device=pose.device, dtype=pose.dtype)
    places = _rows(places, count, "places").to(device=pose.device, dtype=pose.dtype)
    down = pose.new_tensor([0.0, 1.0, 0.0]) if down is None else down.to(pose)
    down = down.expand(count, 3)
    solids = build(pose, looks)
    cloth = materials(looks, solids.span.detach())
    made = []
    for first in range(0, count, CHUNK):
        part = slice(first, first + CHUNK)
        lens_here = None if lens is None else lens[part]
        made.append(
            _draw(solids[part], looks[part], places[part], cloth[:, part], size, box[part], lens_here, down[part])
        )
    image, parts, silhouette, depth, cover = (torch.cat(column) for column in zip(*made))
    image = sensor.read(image, places.grain, generator)
    keypoints = (project(pose, lens=lens, onto="plane") - box[:, None, :2]) / box[:, None, 2:]
    visible = visible_joints(pose, solids, looks, keypoints.detach(), cover)
    return Photos(image, keypoints, pose, visible, parts, silhouette, depth, box)


def _rays(box: torch.Tensor, size: int, lens: torch.Tensor | None):
    """(2, B, H, W) plane coordinates of the light that reaches the pixels' centres."""
    line = cell_centres(size, box)
    rays = _spread(box, line)
    if lens is None:
        return rays
    # The inverse of the lens is solved on a coarse grid; Newton steps polish what is interpolated between its nodes.
    nodes = torch.linspace(-1, 1, 25, dtype=box.dtype, device=box.device)
    solved = undistort(_spread(box, nodes).permute(1, 2, 3, 0), lens).permute(0, 3, 1, 2)
    place = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1).expand(len(box), -1, -1, -1)
    wanted, seen = rays.permute(1, 2, 3, 0), grid_sample(solved, place, align_corners=True).permute(0, 2, 3, 1)
    for _ in range(8):
        error = distort(seen, lens) - wanted
        if error.abs().max() < 0.01 * (2 / size) * box[:, 2].min():  # a hundredth of a pixel
            break
        (a, b), (_, d) = (row.unbind(-1) for row in jacobian(seen, lens).unbind(-2))
        u, v = error.unbind(-1)
        seen = seen - torch.stack([d * u - b * v, a * v - b * u], -1) / (a * d - b * b)[..., None]
    return seen.permute(3, 0, 1, 2).contiguous()


def _spread(box: torch.Tensor, line: torch.Tensor):
    """(2, B, n, n) plane coordinates of the places `line` (n,) in each box, across and down."""
    x = box[:, 0, None, None] + box[:, 2, None, None] * line[None, None, :]
    y = box[:, 1, None, None] + box[:, 2, None, None] * line[None, :, None]
    return torch.stack(torch.broadcast_tensors(x, y))


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
    """One chunk: (image, parts, silhouette, depth, cover by occluders)."""
    rays = _rays(box, size, lens)
    fragments, silhouette = rasterise(solids, box, rays, lens)
    labels = LABELS.to(box.device)
    of = torch.div(fragments.solid, len(LABELS), rounding_mode="floor")
    pitch = fragments.depth.detach() * (2 / size * box[:, 2]).index_select(0, of)
    surface = colours(fragments, looks, cloth, solids, pitch)
    sun, tint = places.sun.T.index_select(1, of), places.tint.T.index_select(1, of)
    lit = light(surface, fragments.normal, sun, places.ambient.index_select(0, of), tint)
    picture = paint(places, size)
    picture = picture if lens is None else bend(picture, rays, box)
    picture = picture * cast(solids, places, rays, down)
    labels = labels.index_select(0, fragments.solid % len(LABELS))
    image, depth, parts = composite(picture, silhouette, fragments, lit, labels)
    image, cover = obstruct(image, places)
    image = soft_blur(image, places.blur).movedim(1, 0)
    return image, parts.masked_fill(cover >= 0.5, -1), silhouette, depth, cover
