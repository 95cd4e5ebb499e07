"""Reading heat maps, and what the four heads cost.

The mean place through marginals against a map of coordinates (kornia's `spatial_expectation2d`, and a plain product
with a mesh grid); DARK's blur of 5 x 5 cells against OpenCV's blur of the whole map; one training step of each head.
"""

import cv2
import numpy as np
import pytest
import torch
from kornia.geometry.subpix import spatial_expectation2d, spatial_softmax2d

from tutorial_lib import heatmaps
from tutorial_lib.heatmaps import HEADS, KeypointNet

MEAN = "mean place of 32 x 17 probability maps of 64 x 64 cells"
SOFT = "soft-argmax of 32 x 17 maps of 64 x 64 cells"
DARK = "DARK with blur, 32 x 17 maps of 64 x 64 cells"
STEP = "forward and backward, 32 pictures of 64 x 64 pixels"


@pytest.fixture(scope="module")
def maps():
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(32, 17, 2, generator=generator) - 0.5
    return heatmaps.gaussian_target(points, 64, 2.0) + 0.01 * torch.rand(32, 17, 64, 64, generator=generator)


def run(benchmark, group, function):
    benchmark.group = group
    return benchmark.pedantic(function, warmup_rounds=1, rounds=6)


@pytest.fixture(scope="module")
def probabilities(maps):
    return torch.softmax(maps.flatten(-2), -1).reshape(maps.shape)


def test_mean_place(benchmark, probabilities):
    run(benchmark, MEAN, lambda: heatmaps.expectation(probabilities))


def test_mean_place_mesh_grid(benchmark, probabilities):
    centres = heatmaps.cell_centres(64, probabilities)

    def mean_place():
        y, x = torch.meshgrid(centres, centres, indexing="ij")
        return torch.stack([(probabilities * x).sum((-2, -1)), (probabilities * y).sum((-2, -1))], -1)

    torch.testing.assert_close(run(benchmark, MEAN, mean_place), heatmaps.expectation(probabilities))


def test_mean_place_kornia_reference(benchmark, probabilities):
    pixels = run(benchmark, MEAN, lambda: spatial_expectation2d(probabilities, False))
    torch.testing.assert_close((2 * pixels + 1) / 64 - 1, heatmaps.expectation(probabilities), atol=1e-5, rtol=0)


def test_soft_argmax(benchmark, maps):
    run(benchmark, SOFT, lambda: heatmaps.soft_argmax(maps))


def test_soft_argmax_kornia_reference(benchmark, maps):
    pixels = run(benchmark, SOFT, lambda: spatial_expectation2d(spatial_softmax2d(maps), False))
    torch.testing.assert_close((2 * pixels + 1) / 64 - 1, heatmaps.soft_argmax(maps), atol=1e-5, rtol=0)


def test_dark(benchmark, maps):
    run(benchmark, DARK, lambda: heatmaps.dark(maps, blur=2.0))


def test_dark_whole_map_opencv_reference(benchmark, maps):
    """OpenCV blurs every map, then the same Newton step without a blur."""

    def blur_all():
        flat = maps.flatten(0, 1).numpy()
        return np.stack([cv2.GaussianBlur(m, (11, 11), 2.0, borderType=cv2.BORDER_CONSTANT) for m in flat])

    run(benchmark, DARK, lambda: heatmaps.dark(torch.from_numpy(blur_all())))


@pytest.mark.parametrize("head", HEADS)
def test_training_step(benchmark, head):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = KeypointNet(head)
    images, keypoints, weight = torch.rand(32, 3, 64, 64), torch.rand(32, 17, 2) - 0.5, torch.ones(32, 17)

    def step():
        model.zero_grad()
        model.loss(images, keypoints, weight).backward()

    run(benchmark, STEP, step)
