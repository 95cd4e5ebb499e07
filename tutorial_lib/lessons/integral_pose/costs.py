"""What a training step of lesson 02 costs with each loss: time, and bytes kept for the backward pass."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from tutorial_lib.integral.losses import Mix, integral_loss, mixed
from tutorial_lib.integral.targets import gaussian_cube
from tutorial_lib.lessons.integral_pose.recipes import Budget, build
from tutorial_lib.skeleton import JOINTS
from tutorial_lib.training import kept_bytes


def dense_gaussian_bce(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """`heatmap_bce` as the report describes it: the target volume is made, then compared cell by cell."""
    cube = gaussian_cube(target, logits.shape[-3:])
    return F.binary_cross_entropy_with_logits(logits, cube, reduction="none").sum((-3, -2, -1)).mean()


def measure_costs(budget: Budget, device: torch.device | str, rounds: int = 5, repeats: int = 3) -> dict:
    """Name of the losses -> {"seconds": one per round, "bytes": kept for the backward pass} of a step of training."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(budget.batch, 3, budget.size, budget.size, generator=generator).to(device)
    target = (1.4 * torch.rand(budget.batch, len(JOINTS), 3, generator=generator) - 0.7).to(device)
    volume: Any = build("integral", budget).to(device)
    regression: Any = build("regression", budget).to(device)

    def both_dense() -> torch.Tensor:
        logits = volume.logits(images)
        return mixed(logits, target, Mix())[0] + 0.01 * dense_gaussian_bce(logits, target)

    steps = {
        "regression": lambda: integral_loss(regression.predict(images), target),
        "integral": lambda: mixed(volume.logits(images), target, Mix())[0],
        "integral + Gaussian, factors": lambda: mixed(volume.logits(images), target, Mix(gaussian=0.01))[0],
        "integral + Gaussian, volume": both_dense,
        "integral + JS": lambda: mixed(volume.logits(images), target, Mix(js=1.0))[0],
    }
    clock = time.process_time if torch.device(device).type == "cpu" else time.perf_counter

    def once(step: Callable[[], torch.Tensor]) -> float:
        began = clock()
        step().backward()
        if torch.device(device).type == "cuda":
            torch.cuda.synchronize()
        return clock() - began

    result: dict[str, dict[str, Any]] = {
        name: {"seconds": [], "bytes": kept_bytes(step)} for name, step in steps.items()
    }
    for step in steps.values():
        once(step)
    for _ in range(rounds):  # in turn, so that a busy machine slows all of them alike
        for name, step in steps.items():
            result[name]["seconds"].append(statistics.median(once(step) for _ in range(repeats)))
    return result
