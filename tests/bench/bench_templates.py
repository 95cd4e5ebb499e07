"""Painting 18 moved parts: the closed form against kornia's warp of the painted template, a small batch of templates.

kornia gets the template ready painted, and its forward and backward pass include nothing but the warp.
"""

import pytest
import torch

from tutorial_lib.templates import identity, part_maps, to_screen_maps
from tutorial_lib.templates.raster import warp_pictures

BATCH = 8
sizes = pytest.mark.parametrize("size", [64, 128, 256])


def closed_form(affines, size):
    return part_maps(affines, size)


def kornia_warp(affines, size):
    return warp_pictures(TEMPLATES[size], to_screen_maps(affines))


TEMPLATES = {size: part_maps(identity(), size) for size in (64, 128, 256)}


def measure(benchmark, way, size, backward):
    chance = torch.randn(BATCH, 18, 2, 3, generator=torch.Generator().manual_seed(0))
    affines = (identity(BATCH) + 0.1 * chance).requires_grad_(backward)
    benchmark.group = f"18 parts, {BATCH} templates, {size} x {size}, {'forward + backward' if backward else 'forward'}"

    def step():
        maps = way(affines, size)
        if backward:
            torch.autograd.grad(maps.sum(), affines)

    benchmark.pedantic(step, warmup_rounds=1, rounds=8)


@sizes
@pytest.mark.parametrize("backward", [False, True])
def test_closed_form(benchmark, size, backward):
    measure(benchmark, closed_form, size, backward)


@sizes
@pytest.mark.parametrize("backward", [False, True])
def test_kornia_warp_reference(benchmark, size, backward):
    measure(benchmark, kornia_warp, size, backward)
