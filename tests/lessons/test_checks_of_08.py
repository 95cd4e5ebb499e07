"""What lesson 08's check of the loss leads to; its checks are tried with all others in test_checks.py."""

from tutorial_lib.lessons.geometric_self_supervision import checks, demo_training


def test_a_right_answer_trains_from_then_on(monkeypatch):
    monkeypatch.setattr(demo_training, "_CHECKED", [])
    called = []

    def counted(*arguments):
        called.append(1)
        return demo_training.own_loss(*arguments)

    checks.one_round(counted)
    called.clear()
    demo_training.train_live("from above", 0, 3, show=False)
    assert len(called) == 3
