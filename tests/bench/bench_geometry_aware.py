"""A step of lesson 07's training: as the course trains it (bfloat16 inside, channels last), and in float32."""

import contextlib

import pytest
import torch

from tutorial_lib.geometry_aware import GeometryNet, draw_groups, picture_loss
from tutorial_lib.geometry_aware.learning import paint

GROUPS = 16
STEP = f"a step without labels, {GROUPS} groups of four photos"


@pytest.fixture(scope="module")
def views():
    return draw_groups("train", GROUPS, people=1, frames=20)


def step(benchmark, views, *, layout=torch.channels_last, rounding=True, kind="dense"):
    torch.manual_seed(0)
    net = GeometryNet(layout=kind).train().to(memory_format=layout)
    optimiser = torch.optim.Adam(net.parameters())

    def run():
        optimiser.zero_grad()
        with contextlib.nullcontext() if rounding else exact():
            picture_loss(*paint(net, views)).backward()
        optimiser.step()

    benchmark.group = STEP
    benchmark.pedantic(run, warmup_rounds=2, rounds=5)


@contextlib.contextmanager
def exact():
    """Autocast to what it casts from changes nothing."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(torch, "autocast", lambda *_, **__: torch.enable_grad())
        yield


def test_step(benchmark, views):
    step(benchmark, views)


def test_step_splatted(benchmark, views):
    step(benchmark, views, kind="splat")


def test_step_not_channels_last(benchmark, views):
    step(benchmark, views, layout=torch.contiguous_format)


def test_step_in_float32_reference(benchmark, views):
    step(benchmark, views, rounding=False)
