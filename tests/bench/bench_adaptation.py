"""Meta-learning and adapting: one meta-step against `higher`, five steps of adaptation against plain descent."""

import copy

import higher
import torch

from tutorial_lib.adaptation import adapt, meta_loss, supervised_loss
from tutorial_lib.datasets.windows import Windows
from tutorial_lib.lifting import TemporalLifter, WindowForm

RATE, TASKS = 0.05, 8
META_STEP = f"meta-step, second order, {TASKS} tasks, 9 frames, C = 128"
ADAPTATION = "adaptation, 5 steps on 64 windows, 9 frames, C = 192"


def lifter(channels):
    torch.manual_seed(0)
    return TemporalLifter(9, channels).eval()


def windows(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return Windows(torch.randn(*shape, 9, 17, 2, generator=generator), torch.randn(*shape, 17, 3, generator=generator))


def run(benchmark, group, step):
    benchmark.group = group
    benchmark.pedantic(step, warmup_rounds=1, rounds=8)


def test_meta_step(benchmark):
    model, support, query = lifter(128), windows(TASKS, 16, seed=1), windows(TASKS, 16, seed=2)

    def step():
        model.zero_grad(set_to_none=True)
        meta_loss(model, support, query, rate=RATE).backward()

    run(benchmark, META_STEP, step)


def test_meta_step_higher_reference(benchmark):
    model, support, query = lifter(128), windows(TASKS, 16, seed=1), windows(TASKS, 16, seed=2)
    network, optimiser = WindowForm(model), torch.optim.SGD(model.parameters(), lr=RATE)

    def step():
        model.zero_grad(set_to_none=True)
        for i in range(TASKS):
            with higher.innerloop_ctx(network, optimiser, copy_initial_weights=False) as (fast, descent):
                descent.step(supervised_loss(fast(support.keypoints[i]), support.pose[i]))
                loss = supervised_loss(fast(query.keypoints[i]), query.pose[i])
                (loss / TASKS).backward()

    run(benchmark, META_STEP, step)


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
