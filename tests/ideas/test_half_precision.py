"""Places in maps of many cells, in every dtype; temperatures down to nothing; maps that hold NaN."""

import pytest
import torch

from tutorial_lib import heatmaps
from tutorial_lib.heatmaps.regression import RLE, coordinate_loss
from tutorial_lib.integral import hard_argmax, losses, soft_argmax_1d, soft_argmax_2d
from tutorial_lib.integral.targets import gaussian_factors

DTYPES = [torch.bfloat16, torch.float16, torch.float32, torch.float64]
CELLS = 300  # more than the 256 up to which bfloat16 holds whole numbers


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cell", [0, 149, 255, 256, 257, 298, 299])
def test_the_peak_is_where_it_is_as_exactly_as_the_dtype_can_say(cell, dtype):
    exact = torch.tensor((2 * cell + 1) / CELLS - 1, dtype=torch.float64).to(dtype)
    maps = torch.zeros(CELLS, CELLS, dtype=dtype)
    maps[cell, cell] = 8
    for place in (heatmaps.argmax(maps), hard_argmax(maps, 2), heatmaps.dark(maps), heatmaps.quarter_shift(maps)):
        assert place.dtype == dtype
        torch.testing.assert_close(place, exact.expand(2), atol=torch.finfo(dtype).eps, rtol=0)
    torch.testing.assert_close(hard_argmax(maps[cell], 1)[0], exact, atol=torch.finfo(dtype).eps, rtol=0)
    assert soft_argmax_1d(maps[cell], 0.05).item() == pytest.approx(exact.item(), abs=2 * torch.finfo(dtype).eps + 1e-6)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_targets_and_losses_of_many_cells_are_those_of_double_precision(dtype):
    joint = torch.tensor([[0.75, -0.5]], dtype=dtype)
    painted = heatmaps.gaussian_target(joint, CELLS, 2.0)
    assert painted.dtype == dtype
    torch.testing.assert_close(painted, heatmaps.gaussian_target(joint.double(), CELLS, 2.0).to(dtype))
    place = torch.tensor([0.75, -0.5, 0.25], dtype=dtype)
    for factor, exact in zip(gaussian_factors(place, (CELLS,) * 3), gaussian_factors(place.double(), (CELLS,) * 3)):
        torch.testing.assert_close(factor, exact.to(dtype))
    logits = torch.zeros(2, 2, CELLS, dtype=dtype)
    logits[0, 0, 280] = 11
    for loss in (losses.kl_to_gaussian, losses.variance_loss):
        value, exact = loss(logits, place).item(), loss(logits.double(), place.double()).item()
        assert value == pytest.approx(exact, rel=0.1)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("temperature", [1e-3, 1e-30, 1e-40, 1e-50, 5e-324])
def test_the_smallest_temperature_is_argmax_and_never_nan(temperature, dtype):
    logits = (100 * torch.randn(3, 7, 9, generator=torch.Generator().manual_seed(0))).to(dtype).requires_grad_()
    place = soft_argmax_2d(logits, temperature)
    torch.testing.assert_close(place, hard_argmax(logits, 2), atol=0.02, rtol=0)
    (slope,) = torch.autograd.grad(place.sum(), logits)
    assert slope.isfinite().all()


@pytest.mark.parametrize("decode", [heatmaps.argmax, heatmaps.quarter_shift, heatmaps.dark, heatmaps.soft_argmax])
def test_a_map_that_holds_nan_has_its_joint_nowhere_and_the_others_stay(decode):
    maps = torch.rand(3, 12, 12, generator=torch.Generator().manual_seed(0))
    whole = decode(maps)
    maps[1, 4, 4] = torch.nan
    assert decode(maps)[1].isnan().all()
    assert torch.equal(decode(maps)[[0, 2]], whole[[0, 2]])
    assert hard_argmax(maps, 2)[1].isnan().all()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: hard_argmax(torch.zeros(4, 4), 5), "axes is 5, expected 1, 2 or 3"),
        (lambda: hard_argmax(torch.zeros(4, 0), 2), r"logits has shape \(4, 0\)"),
        (lambda: hard_argmax(torch.zeros(4), 2), r"logits has shape \(4,\)"),
        (lambda: hard_argmax(torch.zeros(4, 4).long(), 2), "logits are torch.int64, expected floating"),
        (lambda: soft_argmax_2d(torch.zeros(4, 4).long()), "logits are torch.int64, expected floating"),
        (lambda: soft_argmax_2d(torch.zeros(4, 4), 0), "temperature is 0"),
        (lambda: gaussian_factors(torch.tensor([1, 2, 3]), (4, 4, 4)), "target is torch.int64"),
        (lambda: coordinate_loss(torch.ones(3, 2), torch.ones(3, 2).long(), torch.ones(3)), "points are .*int64"),
        (lambda: RLE()(*torch.ones(3, 4, 2).double(), torch.ones(4)), "points are torch.float64, the flow's weights"),
        (lambda: RLE().flow.inverse(torch.ones(4, 2).double()), "points are torch.float64, the flow's weights"),
    ],
)
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_flow_takes_the_dtype_it_was_converted_to():
    assert RLE().double()(*torch.ones(3, 4, 2).double(), torch.ones(4)).dtype == torch.float64


def test_coordinates_of_two_dtypes_are_compared_in_the_wider():
    assert coordinate_loss(torch.ones(3, 2), torch.zeros(3, 2).double(), torch.ones(3)) == 1
