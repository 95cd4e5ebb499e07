"""Lesson 09: what a loss by characteristic functions costs beside L2, and a training step with each."""

import pytest
import torch

from tutorial_lib.characteristic.learning import MapLoss, draw_batch, outputs
from tutorial_lib.characteristic.loss import cf_loss, l2_loss
from tutorial_lib.characteristic.network import CrowdNet
from tutorial_lib.characteristic.samples import draw_crowd_set

LOSS = "a loss of 16 x 17 maps of 32 x 32 cells, and its gradient"
STEP = "a step of lesson 09's network, 16 pictures"


def loss_of(benchmark, loss):
    generator = torch.Generator().manual_seed(0)
    maps = torch.rand(16, 17, 32, 32, generator=generator).requires_grad_()
    target = torch.rand(16, 17, 32, 32, generator=generator)
    benchmark.group = LOSS
    benchmark.pedantic(lambda: loss(maps, target).mean().backward(), warmup_rounds=2, rounds=10)


def test_cf(benchmark):
    loss_of(benchmark, cf_loss)


def test_l2_reference(benchmark):
    loss_of(benchmark, lambda maps, target: l2_loss(maps, target, 1.5))


@pytest.fixture(scope="module")
def crowds():
    return draw_crowd_set("train", 32, 0)


def step(benchmark, crowds, loss):
    torch.manual_seed(0)
    net = CrowdNet().to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.Adam(net.parameters())
    image, keypoints, present, _ = draw_batch(crowds, 16, torch.Generator().manual_seed(0))

    def run():
        optimiser.zero_grad()
        *maps, _ = outputs(net, image)
        loss(maps, keypoints, present).backward()
        optimiser.step()

    benchmark.group = STEP
    benchmark.pedantic(run, warmup_rounds=2, rounds=10)


def test_step_with_both(benchmark, crowds):
    step(benchmark, crowds, MapLoss(1.0, 1.0))


def test_step_with_l2_reference(benchmark, crowds):
    step(benchmark, crowds, MapLoss())
