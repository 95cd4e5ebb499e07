"""A step of lesson 12's training: both lights in one set of norms, each light alone, and with Gram matrices."""

import pytest
import torch

from tutorial_lib.heatmaps import KeypointNet
from tutorial_lib.low_light import LowLightNet, Recipe, Twins, amplify, dark_twins, lime, loss_of
from tutorial_lib.skeleton import JOINTS

PAIRS = 16
RECIPES = {"one_set_of_norms": Recipe(), "lsbn": Recipe(two_sided=True), "lsbn_lupi": Recipe(two_sided=True, lupi=0.01)}


@pytest.fixture(scope="module")
def twins():
    dice = torch.Generator().manual_seed(0)
    bright = torch.randint(0, 256, (PAIRS, 3, 64, 64), generator=dice, dtype=torch.uint8)
    points = 1.6 * torch.rand(PAIRS, len(JOINTS), 2, generator=dice) - 0.8
    dark = dark_twins(bright, torch.full((PAIRS,), 0.012), dice)
    return Twins(bright, dark, points, torch.ones(PAIRS, len(JOINTS), dtype=torch.bool))


@pytest.mark.parametrize("name", RECIPES)
def test_a_step(benchmark, twins, name):
    net = LowLightNet(KeypointNet(channels=(16, 32, 64, 128)), RECIPES[name].two_sided).train()
    benchmark.group = f"a step with {PAIRS} pairs of twins"
    benchmark.extra_info["reference"] = name == "one_set_of_norms"
    benchmark.pedantic(lambda: loss_of(net, twins, RECIPES[name]).backward(), warmup_rounds=2, rounds=5)


@pytest.mark.parametrize("way", ["amplify", "lime"])
def test_making_a_dark_picture_bright(benchmark, twins, way):
    images = twins.dark.float() / 255
    benchmark.group = f"{PAIRS} dark pictures made bright"
    benchmark.extra_info["reference"] = way == "amplify"
    benchmark.pedantic(lambda: {"amplify": amplify, "lime": lime}[way](images), warmup_rounds=1, rounds=5)
