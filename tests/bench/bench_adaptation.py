"""Meta-learning and adapting: one meta-step against `higher`, five steps of adaptation against plain descent.

"Task by task" is learn2learn's way: one task after the other, bare autograd, and weights put into the network.
"""

import copy
import time

import higher
import pytest
import torch
from torch.func import functional_call

from tutorial_lib.adaptation import adapt, meta_loss, supervised_loss
from tutorial_lib.datasets.windows import Windows
from tutorial_lib.lifting import TemporalLifter, WindowForm

RATE, TASKS = 0.05, 8
META_STEP = f"meta-step, second order, {TASKS} tasks, C = 128, frames: "
ADAPTATION = "adaptation, 5 steps on 64 windows, 9 frames, C = 192"

pytestmark = pytest.mark.benchmark(timer=time.process_time)
sizes = pytest.mark.parametrize("frames", [9, 27])


def lifter(channels, frames=9):
    torch.manual_seed(0)
    return TemporalLifter(frames, channels).eval()


def windows(*shape, seed=0, frames=9):
    generator = torch.Generator().manual_seed(seed)
    keypoints = torch.randn(*shape, frames, 17, 2, generator=generator)
    return Windows(keypoints, torch.randn(*shape, 17, 3, generator=generator))


def episode(frames):
    return lifter(128, frames), *(windows(TASKS, 16, seed=seed, frames=frames) for seed in (1, 2))


def run(benchmark, group, step):
    benchmark.group = group
    benchmark.pedantic(step, warmup_rounds=1, rounds=8)


@sizes
def test_meta_step(benchmark, frames):
    model, support, query = episode(frames)

    def step():
        model.zero_grad(set_to_none=True)
        meta_loss(model, support, query, rate=RATE).backward()

    run(benchmark, f"{META_STEP}{frames}", step)


@sizes
def test_meta_step_task_by_task(benchmark, frames):
    model, support, query = episode(frames)
    network = WindowForm(model)
    weights = dict(network.named_parameters())

    def step():
        model.zero_grad(set_to_none=True)
        for i in range(TASKS):
            inner = supervised_loss(network(support.keypoints[i]), support.pose[i])
            slopes = torch.autograd.grad(inner, list(weights.values()), create_graph=True)
            moved = {name: weight - RATE * slope for (name, weight), slope in zip(weights.items(), slopes)}
            loss = supervised_loss(functional_call(network, moved, (query.keypoints[i],)), query.pose[i])
            (loss / TASKS).backward()

    run(benchmark, f"{META_STEP}{frames}", step)


@sizes
def test_meta_step_higher_reference(benchmark, frames):
    model, support, query = episode(frames)
    network, optimiser = WindowForm(model), torch.optim.SGD(model.parameters(), lr=RATE)

    def step():
        model.zero_grad(set_to_none=True)
        for i in range(TASKS):
            with higher.innerloop_ctx(network, optimiser, copy_initial_weights=False) as (fast, descent):
                descent.step(supervised_loss(fast(support.keypoints[i]), support.pose[i]))
                loss = supervised_loss(fast(query.keypoints[i]), query.pose[i])
                (loss / TASKS).backward()

    run(benchmark, f"{META_STEP}{frames}", step)


def test_adapt(benchmark):
    model, support = lifter(192), windows(64)
    run(benchmark, ADAPTATION, lambda: adapt(model, support, 5, rate=RATE))


def test_plain_descent_reference(benchmark):
    model, support = lifter(192), windows(64)

    def step():
        adapted = copy.deepcopy(model)
        descent = torch.optim.SGD(adapted.parameters(), lr=RATE)
        for _ in range(5):
            descent.zero_grad(set_to_none=True)
            supervised_loss(adapted.windows(support.keypoints), support.pose).backward()
            descent.step()

    run(benchmark, ADAPTATION, step)
