"""What lesson 13's check of the cube leads to; its checks are tried with all others in test_checks.py."""

import pytest
import torch

from tutorial_lib.egocentric.depth import scene_depth, scene_voxels
from tutorial_lib.egocentric.inpainting import FillNet, square
from tutorial_lib.egocentric.network import EgoNet
from tutorial_lib.lessons.egocentric import checks, demo_lies
from tutorial_lib.lessons.egocentric.demo_voxels import Networks
from tutorial_lib.lessons.egocentric.pictures import seen_by
from tutorial_lib.lessons.egocentric.pictures import test_scenes as scenes_of_13


@pytest.fixture
def nets(monkeypatch):
    monkeypatch.setattr(demo_lies, "_CHECKED", [])
    return Networks({kind: EgoNet(8, 4).eval() for kind in demo_lies.TOLD}, FillNet(4).eval())


def test_a_right_answer_fills_the_cubes_from_then_on(nets):
    asked = []

    def counted(*arguments):
        asked.append(1)
        return demo_lies.own_cube(*arguments)

    before = demo_lies.compute_lies(nets, scenes_of_13(), 0.1, 0)
    checks.fill_the_cube(counted)
    asked.clear()
    after = demo_lies.compute_lies(nets, scenes_of_13(), 0.1, 0)
    assert asked and (before["whose"], after["whose"]) == ("the course's", "your")
    assert before["curves"] == after["curves"]


def test_the_demo_asks_what_trainings_are_told(nets):
    sample = seen_by(scenes_of_13()[0])
    for kind in demo_lies.TOLD:
        depth, there = (square(part)[0] for part in scene_depth(sample, kind, nets.filler))
        cube = demo_lies.own_cube(depth, ~there, 8, 0.1 * sample.rotation[0, :, 2])
        assert torch.equal(cube, scene_voxels(sample, kind, 8, nets.filler, 0.1)[0])
