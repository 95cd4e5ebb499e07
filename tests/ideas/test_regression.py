"""Coordinate losses and RLE: SciPy's densities are the oracle, and autograd for the flow's Jacobian."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import laplace, multivariate_normal

from tutorial_lib.heatmaps import RLE, RealNVP, coordinate_loss
from tutorial_lib.heatmaps.regression import log_laplace, select

UNIT_LAPLACE = laplace(scale=1 / math.sqrt(2))  # variance 1


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def shaken(module, amount=0.08, seed=0):
    """The same module with other weights, in double precision: a flow that is not the identity."""
    generator = seeded(seed)
    for parameter in module.parameters():
        parameter.data += amount * torch.randn(parameter.shape, generator=generator)
    return module.double()


def plane(half=8.0, count=240):
    """Cell centres of a fine grid (count ** 2, 2), and the area of a cell."""
    axis = (torch.arange(count, dtype=torch.float64) + 0.5) / count * 2 * half - half
    return torch.cartesian_prod(axis, axis), (2 * half / count) ** 2


# The flow


def test_the_flow_starts_as_the_identity():
    points = torch.randn(5, 3, 2, generator=seeded(), dtype=torch.float64)
    base, log_det = RealNVP().double()(points)
    torch.testing.assert_close(base, points)
    torch.testing.assert_close(log_det, torch.zeros(5, 3, dtype=torch.float64))


def test_the_log_determinant_is_that_of_autograds_jacobian():
    flow = shaken(RealNVP(), 0.2)
    for point in torch.randn(6, 2, generator=seeded(), dtype=torch.float64):
        matrix = torch.autograd.functional.jacobian(lambda p: flow(p)[0], point)
        torch.testing.assert_close(flow(point)[1], torch.linalg.slogdet(matrix)[1])
        assert (matrix - torch.eye(2)).abs().max() > 0.1, "the flow does something"


def test_the_inverse_undoes_the_flow():
    flow = shaken(RealNVP(), 0.2)
    points = torch.randn(40, 2, generator=seeded(), dtype=torch.float64)
    torch.testing.assert_close(flow.inverse(flow(points)[0]), points)


def test_couplings_alternate_and_every_coordinate_is_moved_by_the_other():
    flow = shaken(RealNVP(), 0.2)
    assert flow.masks.tolist() == [[0, 1], [1, 0]] * 3
    matrix = torch.autograd.functional.jacobian(lambda p: flow(p)[0], torch.tensor([0.3, -0.2]).double())
    assert (matrix.abs() > 1e-3).all()


@pytest.mark.parametrize("seed", [0, 1])
def test_a_normal_through_the_flow_integrates_to_one(seed):
    grid, area = plane()
    with torch.no_grad():
        base, log_det = shaken(RealNVP(), seed=seed)(grid)
    density = multivariate_normal([0, 0]).pdf(base) * torch.exp(log_det).numpy()
    assert abs(density.sum() * area - 1) < 5e-3


# RLE


@pytest.mark.parametrize("seed", [None, 0, 1])
def test_rle_is_a_density_of_the_place(seed):
    rle = RLE().double() if seed is None else shaken(RLE(), seed=seed)
    grid, area = plane()
    mu, sigma = torch.tensor([0.2, -0.1]).double(), torch.tensor([0.5, 0.8]).double()
    with torch.no_grad():
        total = torch.exp(rle.log_density(grid, mu, sigma)).sum() * area
    assert abs(total.item() - 1) < 5e-3


def test_with_an_untrained_flow_the_density_is_scipys_laplace():
    points, mu = (torch.randn(30, 2, generator=seeded(s), dtype=torch.float64) for s in range(2))
    sigma = 0.1 + torch.rand(30, 2, generator=seeded(2), dtype=torch.float64)
    expected = laplace.logpdf(points.numpy(), mu.numpy(), sigma.numpy() / math.sqrt(2)).sum(-1)  # sigma: a deviation
    np.testing.assert_allclose(RLE().double().log_density(points, mu, sigma).detach().numpy(), expected)


def test_the_residual_is_what_is_multiplied_to_the_laplace():
    rle, z = shaken(RLE()), torch.randn(30, 2, generator=seeded(), dtype=torch.float64)
    base, log_det = rle.flow(z)
    through = laplace.logpdf(base.detach().numpy(), scale=1 / math.sqrt(2)).sum(-1) + log_det.detach().numpy()
    np.testing.assert_allclose((log_laplace(z) + rle.log_residual(z)).detach().numpy(), through)
    assert torch.equal(RLE().log_residual(z.float()), torch.zeros(30))


def test_the_loss_is_the_mean_negative_log_density_in_the_unit_of_the_screen():
    rle = shaken(RLE())
    mu, sigma, target = (torch.rand(4, 3, 2, generator=seeded(s), dtype=torch.float64) + 0.1 for s in range(3))
    weight = torch.ones(4, 3)
    loss = rle(mu, sigma, target, weight)
    torch.testing.assert_close(loss, -rle.log_density(target, mu, sigma).mean())
    # In half the unit every density is four times as high.
    torch.testing.assert_close(rle(mu / 2, sigma / 2, target / 2, weight), loss - math.log(4))


def test_at_the_start_mu_is_pulled_as_by_an_l1_loss():
    mu = torch.zeros(6, 2, requires_grad=True)
    target = torch.randn(6, 2, generator=seeded())
    RLE()(mu, torch.full((6, 2), 0.5), target, torch.ones(6)).backward()
    torch.testing.assert_close(mu.grad, -torch.sign(target) * math.sqrt(2) / 0.5 / 6)


def test_weighted_by_their_widths_joints_in_doubt_pull_mu_as_hard_as_clear_ones():
    mu, sigma = torch.zeros(6, 2, requires_grad=True), torch.linspace(0.1, 0.9, 6)[:, None].repeat(1, 2)
    target = torch.randn(6, 2, generator=seeded())
    (-RLE().log_density(target, mu, sigma).mean()).backward()
    assert mu.grad[0].abs().sum() > 8 * mu.grad[5].abs().sum()
    mu.grad, sigma = None, sigma.requires_grad_()
    RLE(even=True)(mu, sigma, target, torch.ones(6)).backward()
    torch.testing.assert_close(mu.grad, -torch.sign(target) * math.sqrt(2) / 6)
    assert sigma.grad.isfinite().all() and (sigma.grad != 0).all(), "widths still learn"


def test_the_best_width_without_a_flow_is_the_mean_error_times_the_root_of_two():
    errors = torch.randn(500, 2, generator=seeded())
    rle, widths = RLE(), torch.linspace(0.5, 2, 301)
    with torch.no_grad():
        losses = [rle(torch.zeros(500, 2), w.expand(500, 2), errors, torch.ones(500)).item() for w in widths]
    best = widths[int(np.argmin(losses))].item()
    assert abs(best - math.sqrt(2) * errors.abs().mean().item()) < 0.01


def test_a_flow_learns_what_a_single_bump_cannot_say_and_stays_a_density():
    """Errors from two narrow bumps beside each other."""
    generator = seeded()
    side = torch.sign(torch.rand(200, 1, generator=generator) - 0.5)
    errors = torch.cat([side, torch.zeros(200, 1)], -1) + 0.15 * torch.randn(200, 2, generator=generator)
    torch.manual_seed(0)
    rle, weight, zero, one = RLE(hidden=32), torch.ones(200), torch.zeros(200, 2), torch.ones(200, 2)
    before = rle(zero, one, errors, weight).item()
    optimiser = torch.optim.Adam(rle.parameters(), lr=5e-3)
    for _ in range(120):
        optimiser.zero_grad()
        rle(zero, one, errors, weight).backward()
        optimiser.step()
    grid, area = plane(half=4.0, count=300)
    with torch.no_grad():
        after = rle(zero, one, errors, weight).item()
        total = torch.exp(rle.double().log_density(grid, torch.zeros(2), torch.ones(2))).sum() * area
    assert after < before - 0.5 and abs(total.item() - 1) < 0.02


# Masks


@pytest.mark.parametrize("kind", ["l1", "l2", "rle"])
def test_joints_without_weight_never_enter_not_even_as_nan(kind):
    rle = shaken(RLE()).float()

    def loss(predicted, target, weight):
        if kind == "rle":
            return rle(predicted, torch.full_like(predicted, 0.3), target, weight)
        return coordinate_loss(predicted, target, weight, kind)

    predicted = torch.rand(3, 5, 2, generator=seeded(), requires_grad=True)
    target = torch.rand(3, 5, 2, generator=seeded(1))
    weight = torch.ones(3, 5, dtype=torch.bool)
    weight[0, 1] = weight[2, 4] = False
    target[~weight] = torch.nan
    value = loss(predicted, target, weight)
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(predicted.grad).all()
    assert (predicted.grad[~weight] == 0).all() and (predicted.grad[weight] != 0).any(-1).all()
    torch.testing.assert_close(value, loss(predicted[weight], target[weight], weight[weight]))


def test_the_losses_are_means_over_coordinates():
    predicted, target = torch.zeros(2, 3, 2), torch.full((2, 3, 2), 0.5)
    assert coordinate_loss(predicted, target, torch.ones(2, 3)).item() == 0.5
    assert coordinate_loss(predicted, target, torch.ones(2, 3), "l2").item() == 0.25


def test_a_weight_of_two_counts_twice():
    predicted, target = torch.zeros(2, 2), torch.tensor([[1.0, 1.0], [4.0, 4.0]])
    assert coordinate_loss(predicted, target, torch.tensor([2.0, 1.0])).item() == 2.0


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: coordinate_loss(torch.zeros(3, 2), torch.zeros(3, 2), torch.ones(3), "huber"), "kind is 'huber'"),
        (lambda: select(torch.zeros(3, 2), torch.zeros(4, 2), weight=torch.ones(3)), "expected .* each"),
        (lambda: select(torch.zeros(3, 3), weight=torch.ones(3)), "points"),
        (lambda: select(torch.zeros(3, 2), weight=torch.zeros(3)), "weight is zero for every joint"),
        (lambda: RLE()(torch.zeros(1, 2), torch.zeros(1, 2), torch.zeros(1, 2), torch.ones(1)), "sigma holds 0"),
    ],
)
def test_refuses_with_the_argument_and_the_expectation(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_the_released_sum_is_twice_minus_log_of_the_flows_density_times_a_wide_laplace():
    """phi from SciPy's normal density through the flow, the Laplace four times as wide as ours, over sigma x sigma."""
    rle = shaken(RLE(released=True), 0.2)
    generator = seeded()
    points, mu = torch.randn(2, 30, 2, generator=generator, dtype=torch.float64)
    sigma = 0.2 + torch.rand(30, 2, generator=generator, dtype=torch.float64)
    z = (points - mu) / sigma
    base, log_det = rle.flow(z)
    phi = multivariate_normal(np.zeros(2)).logpdf(base.detach()) + log_det.detach().numpy()
    wide = laplace(scale=4 / math.sqrt(2)).logpdf(z).sum(-1)
    expected = -2 * (phi + wide - np.log(sigma.numpy()).sum(-1))
    got = rle.released_sum(points, mu, sigma).detach().numpy() - expected
    assert np.ptp(got) < 1e-9, "a constant apart"
    weight = torch.ones(30)
    torch.testing.assert_close(rle(mu, sigma, points, weight), rle.released_sum(points, mu, sigma).mean())
    assert not torch.isclose(rle(mu, sigma, points, weight), RLE().double()(mu, sigma, points, weight))
