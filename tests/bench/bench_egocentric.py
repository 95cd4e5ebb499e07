"""A step of lesson 13's V2V: as the course trains it (bfloat16 inside), in float32, and with channels last.

The course does not train with channels last: with volumes of 8³ voxels in bfloat16 the gradient comes out wrong.
"""

import contextlib

import pytest
import torch

from tutorial_lib.egocentric.network import EgoNet
from tutorial_lib.skeleton import JOINTS

BATCH, CELLS, WIDTH = 8, 16, 16
STEP = f"a step of V2V, {BATCH} cubes of {CELLS}³ voxels"


@pytest.fixture(scope="module")
def scene():
    generator = torch.Generator().manual_seed(0)
    screen = torch.rand(BATCH, len(JOINTS), 2, generator=generator) - 0.5
    pose = torch.rand(BATCH, len(JOINTS), 3, generator=generator)
    full = torch.rand(BATCH, CELLS, CELLS, CELLS, generator=generator) < 0.05
    return screen, torch.ones(BATCH, len(JOINTS), dtype=torch.bool), full, pose


def step(benchmark, scene, *, layout=torch.contiguous_format, rounding=True):
    torch.manual_seed(0)
    net = EgoNet(CELLS, WIDTH).train().to(memory_format=layout)
    optimiser = torch.optim.Adam(net.parameters())
    *told, pose = scene

    def run():
        optimiser.zero_grad()
        with contextlib.nullcontext() if rounding else float32(net):
            (net(*told) - pose).norm(dim=-1).mean().backward()
        optimiser.step()

    benchmark.group = STEP
    benchmark.pedantic(run, warmup_rounds=2, rounds=5)


@contextlib.contextmanager
def float32(net):
    """`training` is what turns bfloat16 on; the norms keep learning."""
    net.training = False
    try:
        yield
    finally:
        net.training = True


def test_step(benchmark, scene):
    step(benchmark, scene)


def test_step_channels_last(benchmark, scene):
    step(benchmark, scene, layout=torch.channels_last_3d)


def test_step_in_float32_reference(benchmark, scene):
    step(benchmark, scene, rounding=False)
