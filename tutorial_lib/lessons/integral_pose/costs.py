"""What each loss of lesson 02 costs: time of a step, bytes kept for the backward pass, time to make the targets."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from tutorial_lib.integral.losses import Mix, integral_loss, mixed
from tutorial_lib.integral.targets import CUBE, REPORT_PEAK, gaussian_cube
from tutorial_lib.lessons.integral_pose.learning import forward
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
    for net in (volume, regression):
        net.to(memory_format=torch.channels_last)

    def scores() -> torch.Tensor:
        return forward(volume, images, budget.precision)

    def both_dense() -> torch.Tensor:
        logits = scores()
        return mixed(logits, target, Mix())[0] + 0.01 * dense_gaussian_bce(logits, target)

    steps = {
        "regression": lambda: integral_loss(forward(regression, images, budget.precision), target),
        "integral": lambda: mixed(scores(), target, Mix())[0],
        "integral + Gaussian, factors": lambda: mixed(scores(), target, Mix(gaussian=0.01))[0],
        "integral + Gaussian, volume": both_dense,
        "integral + JS": lambda: mixed(scores(), target, Mix(js=1.0))[0],
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


def letter_cube(cell: torch.Tensor, shape: tuple[int, int, int]) -> torch.Tensor:
    """The report's target around a joint's cell (x, y, z), cell by cell as equations 5 to 9 have it: (D, H, W)."""
    offsets = torch.meshgrid(*[torch.arange(n) - place for n, place in zip(shape, cell.flip(0))], indexing="ij")
    distance = torch.stack(offsets).float().square().sum(0).sqrt()
    inside = torch.stack([offset.abs() <= CUBE for offset in offsets]).all(0)
    return REPORT_PEAK * torch.exp(-(distance**2) / 2) * inside


def measure_targets(cells: int, rounds: int = 5) -> dict[str, list[float]]:
    """Seconds to make the target volumes of one photo's joints, one joint after the other as a data loader does it.

    Args:
        cells: on each axis; the report has 64.
        rounds: one measured number each.

    Returns:
        "to the letter", every cell's distance; "as a product", of three factors along the axes.
    """
    shape, generator = (cells, cells, cells), torch.Generator().manual_seed(0)
    joints = torch.randint(cells, (len(JOINTS), 3), generator=generator)
    places = (2 * joints + 1) / cells - 1
    ways: dict[str, Callable[[], list]] = {
        "to the letter": lambda: [letter_cube(cell, shape) for cell in joints],
        "as a product": lambda: [gaussian_cube(place, shape) for place in places],
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, make in ways.items():
            began = time.process_time()
            make()
            seconds[name].append(time.process_time() - began)
    return seconds
