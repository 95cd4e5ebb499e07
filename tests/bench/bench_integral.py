"""Reading coordinates from scores, forward and backward, against kornia (2D) and an explicit coordinate volume (3D).

The peak memory of the two 3D versions is the same (136 MB for 36 MB of scores): softmax and its gradient need it.
"""

import torch
from kornia.geometry.subpix import dsnt

from tutorial_lib.integral import soft_argmax_2d, soft_argmax_3d
from tutorial_lib.integral.losses import heatmap_bce
from tutorial_lib.integral.targets import gaussian_cube

FLAT, SOLID = "2D: 32 x 17 maps of 64 x 64", "3D: 4 x 17 volumes of 32 x 32 x 32"
TARGETS = "Gaussian BCE on 4 x 17 volumes of 32 x 32 x 32"


def explicit_3d(logits):
    """Every cell times its three coordinates, all written out."""
    grids = torch.meshgrid(*[(2 * torch.arange(n) + 1) / n - 1 for n in logits.shape[-3:]], indexing="ij")
    p = torch.softmax(logits.flatten(-3), -1).view_as(logits)
    return torch.stack([(p * grid).sum((-3, -2, -1)) for grid in grids[::-1]], -1)


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


def test_3d(benchmark):
    run(benchmark, SOLID, soft_argmax_3d, scores(4, 17, 32, 32, 32))


def test_3d_explicit_reference(benchmark):
    logits = scores(4, 17, 32, 32, 32)
    result, gradient = run(benchmark, SOLID, explicit_3d, logits)
    ours, our_gradient = both_ways(soft_argmax_3d, logits)
    torch.testing.assert_close(ours, result, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(our_gradient, gradient, atol=1e-6, rtol=1e-3)


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
