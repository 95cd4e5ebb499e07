"""Photos of 128 x 128 pixels, against plain ways to do the same.

"Full frame" meets every solid with every ray of the picture: what the small windows and the ragged list save. "One by
one" takes the pictures without batching. A photo of the first group is complete: body, backdrop, shadow, occluders,
noise, joints, visibility, masks.
"""

import pytest
import torch

from tutorial_lib.motion import builtin
from tutorial_lib.render import crop_boxes, draw_looks, draw_photos, draw_places, photograph, raster
from tutorial_lib.render.body import build

COUNT, FEW, SIZE = 32, 4, 128
PHOTOS, BODIES = f"{COUNT} photos, {SIZE} pixels", f"{FEW} bodies met by rays, {SIZE} pixels"


def seeded():
    return torch.Generator().manual_seed(0)


@pytest.fixture(scope="module")
def scene():
    clips = builtin(0, 2, ("walk", "reach", "dance"), 60)
    pose = draw_photos(clips, COUNT, size=16, generator=seeded()).pose
    looks, places = draw_looks(COUNT, generator=seeded()), draw_places(COUNT, generator=seeded())
    return pose, looks, places


def run(benchmark, group, function):
    benchmark.group = group
    result = benchmark.pedantic(function, warmup_rounds=1, rounds=6)
    if benchmark.stats is None:  # `make test` runs the benchmarks once, untimed
        return result
    rate = int(group.split()[0]) / benchmark.stats.stats.min
    print(f"\n{group}: {rate:.0f} a second at best, {torch.get_num_threads()} thread(s)")
    return result


def test_photos(benchmark, scene):
    run(benchmark, PHOTOS, lambda: photograph(*scene, size=SIZE, generator=seeded()))


def test_photos_one_by_one(benchmark, scene):
    pose, looks, places = scene
    box, generator = crop_boxes(pose), seeded()

    def each():
        return [
            photograph(pose[i : i + 1], looks[i], places[i], size=SIZE, box=box[i : i + 1], generator=generator)
            for i in range(COUNT)
        ]

    run(benchmark, PHOTOS, each)


def rays_and_solids(scene):
    pose, looks = scene[0][:FEW], scene[1][:FEW]
    box = crop_boxes(pose)
    line = (2 * torch.arange(SIZE) + 1) / SIZE - 1
    y, x = torch.meshgrid(line, line, indexing="ij")
    rays = box[:, :2].T[..., None, None] + box[:, 2, None, None] * torch.stack([x, y])[:, None]
    return build(pose, looks), box, rays


def test_bodies(benchmark, scene):
    solids, box, rays = rays_and_solids(scene)
    run(benchmark, BODIES, lambda: raster.rasterise(solids, box, rays))


def test_bodies_full_frame(benchmark, scene, monkeypatch):
    solids, box, rays = rays_and_solids(scene)
    expected = raster.rasterise(solids, box, rays)[1]
    whole = torch.tensor([0, 0, SIZE, SIZE]).expand(*solids.span.shape, 4)
    monkeypatch.setattr(raster, "patches", lambda *_: torch.where(solids.radius.amax(-1, keepdim=True) > 0, whole, 0))
    _, silhouette = run(benchmark, BODIES, lambda: raster.rasterise(solids, box, rays))
    torch.testing.assert_close(silhouette, expected)
