"""Reading coordinates from scores, against kornia (2D) and as DSNT's code does it, from one softmax (3D)."""

import time

import pytest
import torch
from kornia.geometry.subpix import dsnt

from tutorial_lib.integral import soft_argmax_2d, soft_argmax_3d
from tutorial_lib.integral.losses import heatmap_bce
from tutorial_lib.integral.targets import gaussian_cube

pytestmark = pytest.mark.benchmark(timer=time.process_time)

FLAT = "2D: 32 x 17 maps of 64 x 64"
BATCH = {16: 32, 64: 4}
sizes = pytest.mark.parametrize("cells", BATCH)
ways = pytest.mark.parametrize("backward", [False, True], ids=["forward", "with_backward"])
TARGETS = "Gaussian BCE on 4 x 17 volumes of 32 x 32 x 32"


def plain_3d(logits):
    """Softmax, then every axis alone: sum over the other two, and the mean coordinate."""
    p = torch.softmax(logits.flatten(-3), -1).view_as(logits)
    marginals = p.sum(-2).sum(-2), p.sum(-1).sum(-2), p.sum(-1).sum(-1)
    means = [(m * ((2 * torch.arange(m.shape[-1]) + 1) / m.shape[-1] - 1)).sum(-1) for m in marginals]
    return torch.stack(means, -1)


def scores(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0)).requires_grad_()


def both_ways(function, logits):
    result = function(logits)
    (gradient,) = torch.autograd.grad(result.sum(), logits)
    return result.detach(), gradient


def run(benchmark, group, function, logits):
    benchmark.group = group
    return benchmark.pedantic(lambda: both_ways(function, logits), warmup_rounds=2, rounds=10)


def test_2d(benchmark):
    run(benchmark, FLAT, soft_argmax_2d, scores(32, 17, 64, 64))


def test_2d_kornia_reference(benchmark):
    logits = scores(32, 17, 64, 64)
    one = torch.tensor(1.0)
    result, _ = run(benchmark, FLAT, lambda m: dsnt.spatial_expectation2d(dsnt.spatial_softmax2d(m, one)), logits)
    torch.testing.assert_close(soft_argmax_2d(logits).detach(), result * 63 / 64, atol=1e-5, rtol=1e-4)


def solid(benchmark, function, cells, backward):
    way = "forward and backward" if backward else "forward"
    benchmark.group = f"3D: {BATCH[cells]} x 17 volumes of {cells}^3, {way}"
    logits = scores(BATCH[cells], 17, cells, cells, cells)
    call = both_ways if backward else lambda function, logits: function(logits.detach())
    return benchmark.pedantic(lambda: call(function, logits), warmup_rounds=2, rounds=7), call(soft_argmax_3d, logits)


@sizes
@ways
def test_3d(benchmark, cells, backward):
    solid(benchmark, soft_argmax_3d, cells, backward)


@sizes
@ways
def test_3d_plain_reference(benchmark, cells, backward):
    result, ours = solid(benchmark, plain_3d, cells, backward)
    torch.testing.assert_close(ours, result, atol=1e-5, rtol=1e-3)


def test_bce(benchmark):
    target = torch.zeros(4, 17, 3)
    run(benchmark, TARGETS, lambda v: heatmap_bce(v, target), scores(4, 17, 32, 32, 32))


def test_bce_explicit_reference(benchmark):
    target, logits = torch.zeros(4, 17, 3), scores(4, 17, 32, 32, 32)

    def explicit(v):
        cube = gaussian_cube(target, v.shape[-3:])
        return torch.nn.functional.binary_cross_entropy_with_logits(v, cube, reduction="sum") / 68

    result, _ = run(benchmark, TARGETS, explicit, logits)
    torch.testing.assert_close(heatmap_bce(logits, target).detach(), result, rtol=1e-4, atol=1e-2)
