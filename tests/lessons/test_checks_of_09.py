"""What lesson 09's check of the loss leads to; its checks are tried with all others in test_checks.py."""

import pytest
import torch

from tutorial_lib.characteristic.loss import cf_loss
from tutorial_lib.lessons.characteristic_function import checks, demo_sharp


@pytest.fixture(autouse=True)
def forgets(monkeypatch):
    monkeypatch.setattr(demo_sharp, "_CHECKED", [])


def test_a_right_loss_computes_the_demo_from_then_on():
    asked = []

    def counted(maps, target, highest):
        asked.append(1)
        return cf_loss(maps, target, highest)

    values = {"shape": "a bump", "width": 1.0, "x": 25.0, "y": 25.0}
    before = demo_sharp.compute_sharp(**values)
    checks.cf_by_fourier(counted)
    asked.clear()
    after = demo_sharp.compute_sharp(**values)
    assert asked and (before["whose"], after["whose"]) == ("the course's", "yours")
    assert before["cost"] == pytest.approx(after["cost"])


def test_a_wrong_loss_does_not():
    with pytest.raises(AssertionError, match="counts once"):
        checks.cf_by_fourier(lambda maps, target, highest: torch.fft.rfft2(maps - target).abs().mean((-2, -1)))
    assert not demo_sharp._CHECKED
