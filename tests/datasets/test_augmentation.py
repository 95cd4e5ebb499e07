"""Augmentation: labels stay on what they mark; the pictures are what OpenCV and colorsys make."""

import colorsys
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tutorial_lib.datasets.augmentation import Changes, Strength, apply, draw, inside, move, paint, place, unscale_depth

NOTHING = Strength(shift=0, zoom=0, colour=0, contrast=0, brightness=0)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def photos(batch=4, rows=24, columns=24):
    return torch.rand(batch, 3, rows, columns, generator=generator(9))


def changes(batch=1, scale=(1.0, 1.0), shift=(0.0, 0.0), hue=0.0, saturation=0.0, contrast=1.0, brightness=(1, 1, 1)):
    return Changes(
        *(
            torch.tensor(value, dtype=torch.float32).expand(batch, *([len(value)] if np.ndim(value) else []))
            for value in (scale, shift, hue, saturation, contrast, brightness)
        )
    )


def bump(points, size=96, width=0.08):
    """A smooth dot at each point (B, 2): (B, 3, size, size)."""
    grid = (2 * torch.arange(size) + 1) / size - 1
    x, y = (torch.exp(-((grid - points[:, axis, None]) ** 2) / (2 * width**2)) for axis in (0, 1))
    return (y[:, :, None] * x[:, None, :])[:, None].expand(-1, 3, -1, -1)


def centroid(images):
    """Centre of brightness: (B, 2)."""
    grid = (2 * torch.arange(images.shape[-1]) + 1) / images.shape[-1] - 1
    weight = images.mean(1) / images.mean(1).sum((-2, -1), keepdim=True)
    return torch.stack([weight.sum(-2) @ grid, weight.sum(-1) @ grid], -1)


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_a_dot_drawn_at_a_keypoint_moves_with_it(seed):
    points = 0.8 * torch.rand(6, 2, generator=generator(seed)) - 0.4
    drawn = draw(6, replace(NOTHING, shift=0.05, zoom=0.25), generator(seed))
    moved_picture, moved_points = apply(bump(points), points[:, None], drawn)
    torch.testing.assert_close(centroid(moved_picture), moved_points[:, 0], atol=2e-3, rtol=0)
    assert (moved_points[:, 0] - points).abs().max() > 1e-3


def test_pictures_are_opencvs_warp():
    images = photos(1, 20, 28)
    scale, shift = (1.2, 0.8), (0.1, -0.06)
    ours = place(images, changes(scale=scale, shift=shift))[0].permute(1, 2, 0).numpy()
    corners = np.float32([[-1, -1], [1, -1], [-1, 1]])
    pixel = lambda p: np.float32([(p[:, 0] + 1) * 28 / 2 - 0.5, (p[:, 1] + 1) * 20 / 2 - 0.5]).T  # noqa: E731
    matrix = cv2.getAffineTransform(pixel(corners), pixel(corners * np.float32(scale) + np.float32(shift)))
    theirs = cv2.warpAffine(images[0].permute(1, 2, 0).numpy(), matrix, (28, 20), flags=cv2.INTER_LINEAR)
    np.testing.assert_allclose(ours, theirs, atol=0.03)  # OpenCV rounds places to 1/32 pixel
    assert np.abs(ours - theirs).mean() < 0.006


def test_colours_are_colorsys_and_plain_arithmetic():
    images = photos(1, 5, 5)
    out = paint(images, changes(hue=0.15, saturation=-0.2, contrast=1.3, brightness=(0.6, 1.0, 1.4)))
    for pixel, got in zip(images[0].flatten(1).T.tolist(), out[0].flatten(1).T.tolist()):
        hue, saturation, value = colorsys.rgb_to_hsv(*pixel)
        rgb = colorsys.hsv_to_rgb((hue + 0.15) % 1, min(max(saturation - 0.2, 0), 1), value)
        rgb = [min(max(0.5 + 1.3 * (c - 0.5), 0), 1) for c in rgb]
        expected = [min(max(c * b, 0), 1) for c, b in zip(rgb, (0.6, 1.0, 1.4))]
        assert got == pytest.approx(expected, abs=1e-5)


def test_no_strength_changes_nothing():
    images, points = photos(), torch.rand(4, 17, 3, generator=generator())
    same, still = apply(images, points, draw(4, NOTHING, generator()))
    torch.testing.assert_close(same, images)
    assert torch.equal(still, points)


def test_draws_stay_in_the_reports_ranges_and_fill_them():
    drawn = draw(5000, Strength(), generator())
    for values, low, high in (
        (drawn.scale, 0.75, 1.25), (drawn.shift, -0.1, 0.1), (drawn.hue, -60 / 255, 60 / 255),
        (drawn.saturation, -60 / 255, 60 / 255), (drawn.contrast, 0.7, 1.3), (drawn.brightness, 0.5, 1.5),
    ):  # fmt: skip
        reach = high - low
        assert low <= values.min() < low + 0.01 * reach and high - 0.01 * reach < values.max() <= high
        assert abs(values.mean() - (low + high) / 2) < 0.02 * reach
    assert not torch.equal(drawn.scale[:, 0], drawn.scale[:, 1])
    same = draw(5, Strength(same_zoom=True), generator())
    assert torch.equal(same.scale[:, 0], same.scale[:, 1])


def test_the_same_seed_gives_the_same_pictures_and_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    points = torch.zeros(4, 17, 2)
    first, second, other = (apply(photos(), points, draw(4, Strength(), generator(s)))[0] for s in (3, 3, 4))
    assert torch.equal(first, second) and not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_pictures_of_a_batch_do_not_touch_each_other():
    images, points, drawn = photos(), torch.zeros(4, 17, 2), draw(4, Strength(), generator())
    whole = apply(images, points, drawn)[0]
    fields = {name: getattr(drawn, name)[2:3] for name in drawn.__dataclass_fields__}
    torch.testing.assert_close(apply(images[2:3], points[2:3], Changes(**fields))[0], whole[2:3])


def test_depth_grows_with_the_picture_as_a_larger_person_would():
    """A person s times as large under weak perspective: x, y and depth are all s times as large."""
    body = torch.rand(3, 17, 3, generator=generator()) - 0.5
    drawn = draw(3, replace(NOTHING, zoom=0.25, same_zoom=True), generator(1))
    torch.testing.assert_close(move(body, drawn), body * drawn.scale[:, :1, None])
    unequal = draw(3, Strength(), generator(2))
    moved = move(body, unequal)
    torch.testing.assert_close(unscale_depth(moved[..., 2], unequal), body[..., 2])
    torch.testing.assert_close(moved[..., :2], move(body[..., :2], unequal))


def test_inside_says_who_is_still_in_the_picture():
    points = torch.tensor([[0.9, 0.0, 5.0], [0.0, -1.1, 0.0], [1.0, -1.0, 0.0]])
    assert inside(points).tolist() == [True, False, True]
    moved = move(points[None], changes(shift=(0.2, 0.2)))
    assert inside(moved).tolist() == [[False, True, False]]


def test_what_comes_from_outside_is_black_and_values_stay_in_range():
    white = torch.ones(1, 3, 16, 16)
    out, _ = apply(white, torch.zeros(1, 17, 2), changes(scale=(0.5, 0.5), contrast=1.9, brightness=(1.5, 1.5, 1.5)))
    assert out.min() == 0 and out.max() == 1
    assert out[0, :, 0, 0].sum() == 0 and out[0, :, 8, 8].sum() == 3


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: Strength(zoom=1.5), r"zoom is 1.5, expected a share in \[0, 1\)"),
        (lambda: Strength(shift=-0.1), "shift is -0.1"),
        (lambda: draw(0, Strength(), generator()), "count is 0"),
        (lambda: apply(photos(3), torch.zeros(4, 17, 2), changes(4)), r"images has shape \(3, 3, 24, 24\)"),
        (lambda: apply(photos(4), torch.zeros(3, 17, 2), changes(4)), r"keypoints has shape \(3, 17, 2\)"),
        (lambda: apply(photos(4), torch.zeros(4, 17, 4), changes(4)), "2 or 3"),
    ],
)
def test_refuses_with_the_argument_and_the_expectation(call, says):
    with pytest.raises(ValueError, match=says):
        call()
