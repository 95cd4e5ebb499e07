"""What lesson 10's check of the descent leads to; its checks are tried with all others in test_checks.py."""

import torch

from tutorial_lib.lessons.mesh_recovery import checks, demo_pull
from tutorial_lib.mesh import Regressor


def test_a_right_descent_pulls_the_demo_from_then_on(monkeypatch):
    monkeypatch.setattr(demo_pull, "_CHECKED", [])
    monkeypatch.setattr(demo_pull, "STEPS", 3)
    called = []

    def counted(*arguments):
        called.append(torch.is_grad_enabled())
        return demo_pull.own_descent(*arguments)

    assert demo_pull.descent() is demo_pull.own_descent
    checks.pull(counted)
    called.clear()
    with torch.no_grad():  # a student's lines need gradients, wherever the demo computes
        demo_pull.pull_demo(Regressor(16).eval(), demo_pull.descent()).check()
    assert called == [True]
