"""Views and crowds against as many photos of one person.

A view costs what a photo costs, and its share of a plate. In a crowd people share the room and its noise, so four
cost less than four photos; "composed by hand" photographs each alone and lays them over each other by depth.
"""

import pytest
import torch

from tutorial_lib.camera import Camera
from tutorial_lib.motion import builtin
from tutorial_lib.render import (
    draw_crowds,
    draw_looks,
    draw_photos,
    draw_places,
    draw_views,
    photograph,
    photograph_crowd,
    photograph_views,
)

COUNT, GROUPS, SIZE = 32, 8, 64
PICTURES = f"{COUNT} pictures of {SIZE} pixels"
VIEWS, CROWDS = f"{PICTURES}, 2 moments x 2 cameras", f"{PICTURES}, crowds"


def seeded():
    return torch.Generator().manual_seed(0)


@pytest.fixture(scope="module")
def clips():
    return builtin(0, 2, ("walk", "reach", "dance"), 60)


def run(benchmark, group, function, reference=False):
    benchmark.group = group
    benchmark.extra_info["reference"] = reference
    benchmark.pedantic(function, warmup_rounds=1, rounds=6)
    if benchmark.stats is not None:  # `make test` runs the benchmarks once, untimed
        print(f"\n{group}: {1e3 * benchmark.stats.stats.min / COUNT:.2f} ms a picture at best")


def test_views(benchmark, clips):
    looks, places = draw_looks(6, generator=seeded()), draw_places(4, generator=seeded(), occluders=0)
    views = draw_views(clips, GROUPS, looks, places, size=8, generator=seeded())
    pair = torch.ones(GROUPS, 2, 2)
    camera = Camera(views.rotation, views.position, pair, 0 * pair)
    people = views.world
    run(
        benchmark, VIEWS,
        lambda: photograph_views(people, camera, looks, places, views.look, views.place, size=SIZE, generator=seeded()),
    )  # fmt: skip


def test_photos_of_the_same(benchmark, clips):
    looks, places = draw_looks(6, generator=seeded()), draw_places(4, generator=seeded(), occluders=0)
    views = draw_views(clips, GROUPS, looks, places, size=8, generator=seeded())
    pose, box = views.pose.flatten(0, 2), views.box[:, None].expand(-1, 2, -1, -1).flatten(0, 2)
    worn, rooms = looks[views.look].repeat(4), places[views.place[:, None].expand(-1, 2, -1).flatten()]
    run(benchmark, VIEWS, lambda: photograph(pose, worn, rooms, size=SIZE, box=box, generator=seeded()), reference=True)


def test_photos_of_one_person(benchmark, clips):
    pose = draw_photos(clips, COUNT, size=8, generator=seeded()).pose
    looks, places = draw_looks(COUNT, generator=seeded()), draw_places(COUNT, generator=seeded(), occluders=0)
    run(benchmark, CROWDS, lambda: photograph(pose, looks, places, size=SIZE, generator=seeded()), reference=True)


def crowd(clips, people):
    drawn = draw_crowds(clips, COUNT, people, size=8, generator=seeded(), overlap=(0.0, 0.5))
    looks, places = draw_looks(COUNT * people, generator=seeded()), draw_places(COUNT, generator=seeded(), occluders=0)
    return drawn.pose, looks, places, drawn.box


@pytest.mark.parametrize("people", [2, 4])
def test_crowd(benchmark, clips, people):
    pose, looks, places, box = crowd(clips, people)
    run(benchmark, CROWDS, lambda: photograph_crowd(pose, looks, places, size=SIZE, box=box, generator=seeded()))


def test_crowd_of_four_composed_by_hand(benchmark, clips):
    pose, looks, places, box = crowd(clips, 4)

    def composed():
        photos = [photograph(pose[:, p], looks[p::4], places, size=SIZE, box=box, generator=seeded()) for p in range(4)]
        nearest = torch.stack([photo.depth for photo in photos]).argmin(0)[None, :, None].expand(1, -1, 3, -1, -1)
        return torch.stack([photo.image for photo in photos]).gather(0, nearest)[0]

    run(benchmark, CROWDS, composed)


def test_drawing_views(benchmark, clips):
    looks, places = draw_looks(6, generator=seeded()), draw_places(4, generator=seeded(), occluders=0)
    run(benchmark, VIEWS, lambda: draw_views(clips, GROUPS, looks, places, size=SIZE, generator=seeded()))


def test_drawing_crowds_of_two(benchmark, clips):
    run(benchmark, CROWDS, lambda: draw_crowds(clips, COUNT, 2, size=SIZE, generator=seeded()))
