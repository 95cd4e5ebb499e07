"""A prediction waits for the student; its answer opens then, and not before."""

import re

import ipywidgets
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import Markdown, display
from IPython.utils.capture import capture_output

from tutorial_lib.display import rerun
from tutorial_lib.display.predict import Scale, predict


def opened(answer):
    """What stands in an answer's place, as text."""
    return re.sub(r"<[^>]+>", "", answer._text.value)


def buttons(widget):
    return [
        w
        for w in (*widget.children, *(c for w in widget.children for c in getattr(w, "children", ())))
        if hasattr(w, "click")
    ]


def test_an_answer_is_closed_until_something_was_said():
    guess = predict(["by half", "by a quarter"])
    answer = guess.answer("by a quarter", "It was **26 %**.")
    assert not answer.opened and "26" not in str([getattr(w, "value", "") for w in answer.children[0].children])
    guess.children[0].value = "by half"  # a click
    assert answer.opened and guess.said == {"": "by half"}
    assert opened(answer).split("\n")[0] == "You said by half. It came out: by a quarter.It was 26 %."


def test_what_was_said_before_run_all_reached_the_answer_opens_it_at_once():
    guess = predict(["more", "less"])
    guess.say("", "less")
    assert opened(guess.answer("less", "So it is.")).startswith("You said less. So it came out.")


def test_somebody_else_may_open_it_without_a_guess():
    answer = predict(["more", "less"]).answer("less", "Less.")
    (button,) = buttons(answer)
    button.click()
    assert answer.opened and opened(answer).startswith("less.") and "You said" not in answer._text.value


def test_who_changes_their_mind_sees_it():
    guess = predict(["more", "less"])
    answer = guess.answer("less", "Less.")
    guess.children[0].value = "more"
    guess.children[0].value = "less"
    assert "You said less" in opened(answer)


def test_every_question_is_asked_before_the_answer_opens():
    guess = predict({"Who wins?": ["MAML", "Reptile"], "By how much?": Scale(0, 50, 1, "%")})
    answer = guess.answer({"Who wins?": ["MAML", "Reptile"], "By how much?": 6.2}, "Both.")
    guess.say("Who wins?", "Reptile")
    assert not answer.opened and "By how much?" in answer._hint.value
    slider, button = guess.children[1].children
    slider.value = 25
    assert not answer.opened, "a slider always stands somewhere: that is no guess yet"
    button.click()
    assert answer.opened
    assert "You said Reptile. So it came out." in opened(answer), "one of several that are right"
    assert "you: 25 %" in opened(answer) and "measured: 6.2 %" in opened(answer)


def test_a_guess_that_was_taken_is_told_back():
    guess = predict({"by": Scale(0, 10, 0.5, "px"), "who": ["<b>", "nobody"]})
    slider, button = guess.children[0].children
    noted = guess.children[-1]
    assert noted.layout.display == "none"
    slider.value = 2.5
    button.click()
    assert noted.layout.display == "" and "by <b>2.5 px</b>" in noted.value and "who" not in noted.value
    guess.say("who", "<b>")
    assert "by <b>2.5 px</b>, who <b>&lt;b&gt;</b>" in noted.value


def test_marks_lie_where_the_numbers_are():
    guess = predict(Scale(-10, 10, 1, "mm"))
    guess.say("", 10)
    drawn = guess.answer(0.0, "Zero.").reveal()._text.value
    assert re.findall(r'<circle cx="([\d.]+)%"', drawn) == ["50.0", "96.0"]
    beyond = guess.answer(400.0, "More than anybody thought.").reveal()._text.value
    assert re.findall(r'<circle cx="([\d.]+)%"', beyond)[0] == "96.0" and "400 mm" in beyond


def test_a_question_without_a_right_answer_is_not_judged():
    guess = predict(["tall", "small"])
    guess.say("", "tall")
    assert opened(guess.answer(None, "It depends.")).strip() == "You said tall. It depends."


def test_a_page_without_a_kernel_has_a_fold():
    guess = predict({"a <b> of?": ["x", "y"]})
    asked = guess._repr_mimebundle_()
    asked = asked[0] if isinstance(asked, tuple) else asked
    assert "a &lt;b&gt; of?: x · y" in asked["text/html"] and "a <b> of?: x · y" in asked["text/plain"]
    told = guess.answer("x", "From **two** sides, $k_1 < k_2 * k_3 * 2$.")._repr_mimebundle_()
    told = told[0] if isinstance(told, tuple) else told
    assert told["text/html"].startswith("<details") and "<strong>two</strong>" in told["text/html"]
    assert "$k_1 &lt; k_2 * k_3 * 2$" in told["text/html"], "mathematics stays as it was written"
    assert "application/vnd.jupyter.widget-view+json" in told


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda: predict(["one"]), "at least two"),
        (lambda: predict(["one", "one"]), "at least two"),
        (lambda: predict(["a", "b"]).answer("c", ""), "truth of '' is 'c', expected some of its options"),
        (lambda: predict({"q": ["a", "b"]}).answer({"r": "a"}, ""), r"truth answers \['r'\], expected .*\['q'\]"),
        (lambda: predict(["a", "b"]).say("", "c"), "answer is 'c', expected one of"),
        (lambda: predict(["a", "b"]).say("q", "a"), "question is 'q'"),
        (lambda: predict(Scale(0, 1, 0.1)).say("", 2), "answer is 2, expected a number from 0 to 1"),
    ],
)
def test_mistakes_of_an_author_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


@pytest.fixture
def shown():
    """A function that shows a table under the cover of a prediction, and returns all that the cell shows."""
    InteractiveShell.instance()

    def show(guess):
        with capture_output() as cell, guess.covered():
            changing = display(Markdown("| 25 % |"), display_id=True)
            changing.update(Markdown("| 26 % |"))
            print("26 %, measured")
        return [output.data for output in cell.outputs]

    yield show
    InteractiveShell.clear_instance()


def test_what_gives_the_answer_away_is_seen_by_those_who_have_guessed(shown, monkeypatch):
    monkeypatch.setattr(rerun, "_SHOWN", {})
    monkeypatch.setattr(rerun, "_running", lambda: ("cell", "run"))
    guess = predict(["more", "less"])
    (bundle,) = shown(guess)
    assert "26" not in str(bundle)
    cover = ipywidgets.widgets.widget._instances[bundle["application/vnd.jupyter.widget-view+json"]["model_id"]]
    assert not cover.opened and len(buttons(cover)) == 1
    guess.say("", "less")
    (under,) = cover.children
    table, printed = under.outputs
    assert cover.opened and table["data"]["text/markdown"] == "| 26 % |" and printed["text"] == "26 %, measured\n"


def test_who_has_guessed_sees_a_training_as_it_goes_on(shown, monkeypatch):
    monkeypatch.setattr(rerun, "_running", lambda: ("cell", "run"))
    guess = predict(["more", "less"])
    guess.say("", "less")
    assert [bundle["text/markdown"] for bundle in shown(guess)] == ["| 25 % |", "| 26 % |"]


def test_a_program_that_executes_the_notebook_covers_nothing(shown):
    assert [bundle["text/markdown"] for bundle in shown(predict(["more", "less"]))] == ["| 25 % |", "| 26 % |"]
