"""The simulated detector: its statistics are measured, not read from its source."""

import pytest
import torch

from tutorial_lib.datasets.detector import JOINT_NOISE, SIGMA, detect, lose_outside, outside
from tutorial_lib.skeleton import JOINTS, LEFT, RIGHT


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def noise_alone(**options):
    """Detections (40, 500, 17, 2) of a person who stands still at the origin, without swaps and misses."""
    defaults = {"swap_rate": 0, "miss_rate": 0, "generator": seeded()}
    return detect(torch.zeros(40, 500, 17, 2), **(defaults | options))


def spread_out(clips=20, frames=200):
    """Every joint at a place of its own, far from all others: what was exchanged shows."""
    return (torch.arange(17.0)[:, None] * torch.tensor([1.0, -2.0])).expand(clips, frames, 17, 2)


def test_without_noise_the_truth_is_seen():
    screen = torch.randn(3, 20, 17, 2, generator=seeded())
    assert torch.equal(detect(screen, 0, swap_rate=0.5, miss_rate=0.5), screen)


def test_the_generator_decides_every_defect():
    screen = torch.randn(2, 300, 17, 2, generator=seeded())
    options = {"swap_rate": 0.05, "miss_rate": 0.05}
    first = detect(screen, generator=seeded(1), **options)
    assert torch.equal(first, detect(screen, generator=seeded(1), **options))
    assert not torch.equal(first, detect(screen, generator=seeded(2), **options))


def test_the_input_is_left_alone():
    screen = torch.zeros(50, 17, 2)
    detect(screen, 5, swap_rate=0.5, miss_rate=0.5, generator=seeded())
    assert (screen == 0).all()


@pytest.mark.parametrize("noise", [0.5, 1, 3])
def test_the_error_of_each_joint_has_its_own_size(noise):
    measured = noise_alone(noise=noise).std(dim=(0, 1, 3))
    torch.testing.assert_close(measured, noise * SIGMA * JOINT_NOISE, rtol=0.06, atol=0)


def test_wrists_are_seen_worse_than_hips_and_both_sides_alike():
    assert JOINT_NOISE[JOINTS.index("left_wrist")] > 1.5 * JOINT_NOISE[JOINTS.index("left_hip")]
    assert torch.equal(JOINT_NOISE[list(LEFT)], JOINT_NOISE[list(RIGHT)])


@pytest.mark.parametrize("correlation", [0, 0.5, 0.9])
def test_errors_last_from_frame_to_frame_as_asked_and_fade_geometrically(correlation):
    error = noise_alone(correlation=correlation)
    power = (error**2).mean()
    for lag in (1, 3):
        measured = (error[:, lag:] * error[:, :-lag]).mean() / power
        assert measured.item() == pytest.approx(correlation**lag, abs=0.02)


def test_the_error_is_as_large_in_the_first_frame_as_later():
    error = noise_alone(correlation=0.9)
    assert error[:, 0].std().item() == pytest.approx(error[:, 100:].std().item(), rel=0.1)


def test_errors_of_different_joints_and_clips_are_independent():
    error = noise_alone(correlation=0).movedim(-2, 0).flatten(1)
    others = torch.corrcoef(error) - torch.eye(17)
    assert others.abs().max() < 0.03


def test_swaps_exchange_left_and_right_of_the_legs_or_the_arms_and_nothing_else():
    truth = spread_out()
    nearest = (detect(truth, swap_rate=0.02, miss_rate=0, generator=seeded())[..., 0]).round().long()
    same = torch.arange(17)
    for pairs in (list(zip(LEFT[:3], RIGHT[:3])), list(zip(LEFT[3:], RIGHT[3:]))):
        group = [j for pair in pairs for j in pair]
        other = [r for pair in pairs for r in reversed(pair)]
        swapped = (nearest[..., group] == torch.tensor(other)).all(-1)
        kept = (nearest[..., group] == same[group]).all(-1)
        assert (swapped ^ kept).all()
        assert 0.03 < swapped.float().mean() < 0.2
    middle = [j for j in range(17) if j not in LEFT + RIGHT]
    assert (nearest[..., middle] == same[middle]).all()


def test_a_swap_lasts_five_frames():
    arms = detect(spread_out(200), swap_rate=0.002, miss_rate=0, generator=seeded())[..., 11, 0].round() == 14
    starts = arms[:, 1:] & ~arms[:, :-1]
    whole = [arms[c, t + 1 : t + 6].all().item() for c, t in starts.nonzero().tolist() if t < 190]
    assert len(whole) > 10 and all(whole)
    assert arms.float().mean().item() == pytest.approx(1 - (1 - 0.002) ** 5, rel=0.35)


def test_missed_joints_have_large_errors_for_a_while_and_one_by_one():
    calm, lossy = (noise_alone(correlation=0, miss_rate=rate, generator=seeded(3)) for rate in (1e-12, 0.01))
    lost = (lossy.abs() > 4.5 * SIGMA * JOINT_NOISE[:, None]).any(-1)
    assert (calm.abs() < 6 * SIGMA * JOINT_NOISE[:, None]).all()
    share = 1 - (1 - 0.01) ** 6  # of frames in an episode of six
    seen = 1 - (1 - 0.574) ** 2  # P(|8 z| > 4.5) = 0.574 in each coordinate
    assert lost.float().mean().item() == pytest.approx(share * seen, rel=0.1)
    alone = lost.sum(-1)
    assert (alone == 1).sum() > (alone >= 5).sum()


def test_more_noise_brings_more_of_every_defect():
    errors = [detect(spread_out(50), noise, generator=seeded()).sub(spread_out(50)).abs() for noise in (1, 4)]
    exchanged = [(e.amax(-1) > 2.5).float().mean() for e in errors]
    assert exchanged[1] > 2 * exchanged[0] > 0


@pytest.mark.parametrize("leading", [(), (3,), (2, 3)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_any_leading_shape_and_dtype_is_kept(leading, dtype):
    seen = detect(torch.zeros(*leading, 9, 17, 2, dtype=dtype), generator=seeded())
    assert seen.shape == (*leading, 9, 17, 2) and seen.dtype == dtype


S = torch.zeros(5, 17, 2)
BAD = {
    "sixteen joints": (lambda: detect(torch.zeros(5, 16, 2)), "screen has shape"),
    "three coordinates": (lambda: detect(torch.zeros(5, 17, 3)), "screen has shape"),
    "no time axis": (lambda: detect(torch.zeros(17, 2)), "screen has shape"),
    "no frames": (lambda: detect(torch.zeros(0, 17, 2)), "screen has shape"),
    "negative noise": (lambda: detect(S, -1), "noise is -1"),
    "NaN noise": (lambda: detect(S, float("nan")), "noise is nan"),
    "correlation one": (lambda: detect(S, correlation=1), "correlation is 1"),
    "negative swap rate": (lambda: detect(S, swap_rate=-0.1), "swap_rate is -0.1"),
    "miss rate above one": (lambda: detect(S, miss_rate=1.5), "miss_rate is 1.5"),
}


@pytest.mark.parametrize("call, message", BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_joint_that_leaves_the_image_stays_where_it_was_last_seen():
    walk = torch.tensor([[1.2, 0.0], [0.9, 0.1], [0.95, 0.2], [1.05, 0.3], [0.3, -1.4], [0.4, -0.9]])
    screen = walk[None, :, None].expand(2, -1, 17, -1).clone()
    screen[1] *= 0.5  # this person never leaves
    seen = lose_outside(screen)
    assert outside(screen)[0, :, 3].tolist() == [True, False, False, True, True, False] and not outside(screen)[1].any()
    expected = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.95, 0.2], [0.95, 0.2], [0.95, 0.2], [0.4, -0.9]])
    torch.testing.assert_close(seen[0, :, 5], expected, atol=0, rtol=0)
    torch.testing.assert_close(seen[1], screen[1], atol=0, rtol=0)
    assert not outside(seen).any() and seen.dtype == screen.dtype
    with pytest.raises(ValueError, match="screen has shape"):
        lose_outside(screen[0, 0])
