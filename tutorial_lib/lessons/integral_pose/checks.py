"""Checks of lesson 02: a step of training, the soft-argmax and its gradient, half a cell, the report's target."""

import copy
import math
from collections.abc import Callable

import torch

from tutorial_lib.display.exercises import compare, exercise, number, tensor
from tutorial_lib.integral import soft_argmax_1d
from tutorial_lib.integral.networks import small_volume_net
from tutorial_lib.integral.targets import bce_floor as true_floor
from tutorial_lib.integral.targets import gaussian_cube as true_cube
from tutorial_lib.lessons.integral_pose import demo_training
from tutorial_lib.locking import interrupts_later
from tutorial_lib.skeleton import JOINTS


def _scores(seed: int, *shape: int) -> torch.Tensor:
    return 2 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@exercise
def training_step(function: Callable) -> str:
    """Before the training: `function(net, optimiser, images, target)` makes one step and returns the loss before it."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(2, 3, 16, 16, generator=generator)
    target = torch.rand(2, len(JOINTS), 3, generator=generator) - 0.5
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = small_volume_net(16, 4, 4, width=4)
        torch.nn.init.normal_(net.head.weight, std=0.1)
    rate, start = 0.1, copy.deepcopy(net)
    with interrupts_later():  # the first optimiser of a process imports torch's compiler
        optimiser = torch.optim.SGD(net.parameters(), rate)
    for step in ("first", "second"):
        expected = (start.predict(images) - target).abs().mean()
        gradients = torch.autograd.grad(expected, list(start.parameters()))
        got = function(net, optimiser, images, target)
        got = got.detach() if isinstance(got, torch.Tensor) else got
        hint = "the mean of |predicted − target|, where predicted is integral.soft_argmax_3d of net.logits(images)"
        compare(
            torch.as_tensor(number(got, "your step", hint)),
            expected.detach(),
            f"the loss of the {step} step",
            hint,
            1e-5,
        )
        with torch.no_grad():
            for weight, gradient in zip(start.parameters(), gradients):
                weight -= rate * gradient
        hint = "zero_grad, then loss.backward(), then optimiser.step(), once each"
        if step == "second":
            hint = "old gradients are added to new ones until optimiser.zero_grad() takes them away"
        pairs = zip(net.parameters(), start.parameters())
        off = max((a - b).abs().max().item() for a, b in pairs)
        assert off < 1e-5, f"after the {step} step the weights are off by {off:.2g}. Hint: {hint}"
    demo_training.checked(function)
    return "training_step: the right loss, and the right weights after two steps"


@exercise
def soft_argmax(function: Callable) -> str:
    """Exercise 02.1: `function(logits)` -> expected x in (-1, 1) of rows of scores (..., W), at the cells' centres."""
    for shape in ((8,), (2, 3, 5), (1,)):
        logits = _scores(1, *shape)
        hint = "softmax over the last axis, then the sum of p × centre with centres (2 i + 1) / W − 1"
        compare(function(logits), soft_argmax_1d(logits), f"scores of shape {shape}", hint)
    sharp = torch.full((4,), -1e4, dtype=torch.float64)
    sharp[3] = 1e4
    compare(
        function(sharp),
        torch.tensor(0.75, dtype=torch.float64),
        "a row of 4 with all its weight in the last cell",
        "its centre is 0.75; if you got NaN, let torch.softmax take the exponentials",
    )
    return "soft_argmax: right for three shapes, and for scores of ten thousand"


@exercise
def gradient(function: Callable) -> str:
    """Exercise 02.2: `function(logits)` -> derivative of the soft-argmax by each of the scores (W,), in closed form."""
    for cells in (2, 7, 16):
        logits = _scores(cells, cells).requires_grad_()
        (expected,) = torch.autograd.grad(soft_argmax_1d(logits), logits)
        hint = "p_i (x_i − J): a cell pulls the mean towards itself, as hard as it is believed"
        got = function(logits.detach())
        compare(got, expected, f"{cells} cells", hint)
    return "gradient: agrees with autograd, and sums to zero"


@exercise
def half_pixel(function: Callable) -> str:
    """Exercise 02.3: `function(x, cells)` -> coordinates that were read at the cells' corners, put right."""
    hint = "2 i / n − 1 should have been (2 i + 1) / n − 1, and the weights sum to one"
    for cells in (4, 64):
        logits = _scores(cells, 3, cells)
        wrong, right = (soft_argmax_1d(logits, half_pixel=centred) for centred in (False, True))
        compare(function(wrong, cells), right, f"{cells} cells", hint)
    return "half_pixel: repaired for 4 and for 64 cells"


@exercise
def gaussian_cube(function: Callable) -> str:
    """Exercise 02.4: `function(cell, shape)` -> the report's target volume (D, H, W) around `cell` = (x, y, z)."""
    for cell, shape in (((7, 8, 9), (20, 18, 16)), ((1, 12, 6), (14, 14, 14))):
        at = torch.tensor([(2 * i + 1) / n - 1 for i, n in zip(cell, reversed(shape))], dtype=torch.float64)
        expected = true_cube(at, shape)
        got = tensor(function(cell, shape), f"around {cell}", "shape (D, H, W)")
        assert tuple(got.shape) == shape, (
            f"expected shape {shape}, got {tuple(got.shape)}. Hint: z is the first axis of the volume, x the last"
        )
        got = got.double()
        peak = got.max().item()
        assert abs(peak - (2 * math.pi) ** -0.5) < 1e-6, (
            f"expected a peak of 1 / √(2π) = 0.3989, got {peak:.4f}. Hint: equation 5, to the letter"
        )
        filled, wanted = int((got > 0).sum()), int((expected > 0).sum())
        assert filled == wanted, (
            f"expected {wanted} cells above 0, got {filled}. Hint: 5 cells to each side on every axis, a cube of 11 "
            "that the border may cut; exactly 0 elsewhere"
        )
        compare(got, expected, f"around {cell}", "exp(−d² / 2), with d² the sum over the three axes in cells", 1e-6)
    return "gaussian_cube: right inside the volume and at its border"


@exercise
def bce_floor(function: Callable) -> str:
    """Exercise 02.5: `function(target)` -> the least binary cross entropy against a volume, summed over cells."""
    hint = "put the best prediction, the target itself, into the cross entropy, and let 0 log 0 be 0"
    certain = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64).view(1, 1, 3)
    compare(function(certain), true_floor(certain), "a target of zeros and a one", hint)
    coin = torch.full((1, 1, 2), 0.5, dtype=torch.float64)
    compare(function(coin), true_floor(coin), "two cells of one half: 2 ln 2 = 1.386", hint)
    cube = true_cube(torch.zeros(3, dtype=torch.float64), (15, 15, 15))
    compare(function(cube), true_floor(cube), "the report's cube: 21.0 nats", hint)
    return "bce_floor: no network can get below 21 nats a joint"
