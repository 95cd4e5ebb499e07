"""What the relatives of lesson 06 cost: processor time for equally many windows, measured side by side."""

import copy
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import torch

from tutorial_lib.adaptation import adapt, draw_tasks
from tutorial_lib.datasets.footage import capture_clips
from tutorial_lib.datasets.splits import builtin_split
from tutorial_lib.distortion import sample_stratified
from tutorial_lib.lessons.meta_learning.experiment_crooked import (
    FRAMES,
    METHODS,
    Budget,
    draw_conventions,
    episode,
    freeze_for,
)
from tutorial_lib.lifting import TemporalLifter
from tutorial_lib.metrics import mpjpe_loss

LEARNERS = ("random", "reptile", "anil", "first-order", "maml")


def measure_costs(channels: int = 128, rounds: int = 15, budget: Budget | None = None) -> dict[str, dict[str, float]]:
    """ "training": the time of an outer step as a multiple of ordinary training on as many windows; "five steps": that
    of adapting to 64 windows as a multiple of MAML's. Medians over rounds in which everybody takes a turn, so that a
    busy machine slows all of them alike.

    Args:
        channels: of the lifter.
        rounds: of measuring; one more comes before, to warm up.
        budget: of the episodes; None: the shipped one.
    """
    budget = budget or Budget()
    model = TemporalLifter(FRAMES, channels, dropout=0.0).eval()
    generator = torch.Generator().manual_seed(0)
    footage = capture_clips(builtin_split(0).calibration, generator, limit=20)

    windows = budget.tasks * (budget.support + budget.query)
    lenses = sample_stratified(windows, generator=generator)  # ordinary training draws from a pool, made once

    def ordinary() -> None:
        seen, _ = draw_tasks(footage, lenses, FRAMES, support=1, query=1, generator=generator)
        wanted = draw_conventions(windows, False, generator).wanted(seen.pose)
        mpjpe_loss(model.windows(seen.keypoints), wanted).backward()

    def episodes(name: str) -> None:
        episode(model, METHODS[name], budget, footage, budget.tasks, generator).backward()

    support, _ = draw_tasks(
        footage, sample_stratified(1, generator=generator), FRAMES, support=64, query=1, generator=generator
    )
    support = type(support)(support.keypoints[0], support.pose[0])
    adapted = {name: freeze_for(name, copy.deepcopy(model)) for name in ("anil", "maml")}
    work: dict[tuple[str, str], Callable[[], object]] = {
        ("training", name): ordinary if name == "random" else partial(episodes, name) for name in LEARNERS
    } | {("five steps", name): partial(adapt, net, support, 5, rate=0.03) for name, net in adapted.items()}
    seconds: dict[tuple[str, str], list[float]] = {key: [] for key in work}
    for _ in range(rounds + 1):
        for key, run in work.items():
            began = time.process_time()
            run()
            seconds[key].append(time.process_time() - began)
    beside = {"training": "random", "five steps": "maml"}
    result: dict[str, dict[str, float]] = {kind: {} for kind in beside}
    for (kind, name), spent in seconds.items():
        ratios = [one / other for one, other in zip(spent[1:], seconds[kind, beside[kind]][1:])]
        result[kind][name] = round(median(ratios), 2)
    return result
