"""A learner's answer is met with a card; a program that runs the notebook gets an error."""

import pytest
import torch

from tutorial_lib.display import exercises, rerun
from tutorial_lib.display.exercises import compare, exercise


@exercise
def double(function):
    values = torch.tensor([1.0, 2.0])
    mistakes = {"the sign is turned round": -2 * values}
    compare(function(values), 2 * values, "two numbers", "add it to itself", mistakes=mistakes)
    return "right for two numbers"


@pytest.fixture
def cards(monkeypatch):
    """What a page shows, as text."""
    shown = []
    monkeypatch.setattr(rerun, "_running", lambda: ("cell", "run"))
    monkeypatch.setattr(exercises, "display", lambda bundle, raw: shown.append(bundle["text/plain"]))
    exercises._FAILED.clear()
    return shown


def own_lines(problem):
    """Functions of the traceback below the test and the check."""
    trace, names = problem.__traceback__, []
    while trace is not None:
        names.append(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    return names


def test_a_right_answer_gets_a_card(cards):
    double(lambda x: x + x)
    assert cards == ["[right] double\nright for two numbers"]


def test_a_wrong_answer_gets_its_value_the_expected_one_and_at_the_second_time_a_hint(cards):
    double(lambda x: x + torch.tensor([1.0, 3.0]))
    assert cards[0].startswith("[not yet] double\ntwo numbers: off by up to 1 ")
    assert "Yours is 5 at [1], expected 4." in cards[0] and "add it to itself" not in cards[0]
    double(lambda x: x)
    assert cards[1].endswith("Hint: add it to itself")
    double(lambda x: 2 * x)
    double(lambda x: x)
    assert "add it to itself" not in cards[3], "the next time begins anew"


def test_a_common_mistake_is_named(cards):
    double(lambda x: -2 * x)
    assert "it looks as if the sign is turned round" in cards[0]


def test_a_mistake_that_happens_to_be_right_is_none(cards):
    zero = torch.zeros(2)
    compare(zero, zero, "zero", "", mistakes={"the sign is turned round": -zero})


def test_what_was_not_begun_is_no_error(cards):
    def untouched(x):
        raise NotImplementedError("your turn")

    double(untouched)
    assert cards == ["[your turn] double\nWrite the function above, then run its cell and this one again."]


@pytest.mark.parametrize("kind", [AssertionError, NotImplementedError, RuntimeError])
def test_an_error_in_the_learners_own_lines_shows_those_lines(cards, kind):
    def mine(x):
        raise kind("of my own")

    with pytest.raises(kind, match="of my own") as caught:
        double(mine)
    assert own_lines(caught.value)[-2:] == ["answered", "mine"] and not cards, "no line of the check between"


def test_a_program_gets_an_error_whatever_is_wrong(capsys):
    """Or a notebook with a wrong answer would count as one that runs."""

    def untouched(x):
        raise NotImplementedError("your turn")

    with pytest.raises(AssertionError, match=r"two numbers: off by up to 2 .*Hint: add it to itself"):
        double(lambda x: x)
    with pytest.raises(NotImplementedError, match="your turn"):
        double(untouched)
    double(lambda x: 2 * x)
    assert capsys.readouterr().out == "right for two numbers\n"
