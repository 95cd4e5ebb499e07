"""Predict, then reveal: a question to choose or place an answer to, and an answer that opens once one has.

    guess = predict(["by half", "by a quarter", "by a few per cent"])     # before the demo
    guess.answer("by a few per cent", "By 6 %: there is little to win.")   # after it, from what was measured

The answer is computed when its cell runs and stays closed until the student has said something, also long after *Run
All*. So does a figure or a table that gives it away, if it is made `with guess.covered():`. Nothing is counted and
nothing is kept. Where no kernel runs, the answer is a fold in the page.
"""

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import Any

import ipywidgets
import mistune
from IPython.display import display
from IPython.utils.capture import CapturedIO, capture_output

from tutorial_lib.display import rerun

Truth = str | float | Sequence[str] | None
"""What came out: one of the options, several of them, a number, or None where the question is to be thought about."""

_SAID, _TRUE = "#B25400", "#0072B2"


@dataclass(frozen=True)
class Scale:
    """A number to place.

    Attributes:
        low, high, step: where it can be placed.
        unit: behind the number.
    """

    low: float
    high: float
    step: float
    unit: str = ""

    def text(self, value: float) -> str:
        """A number with its unit."""
        return f"{value:.4g} {self.unit}".strip()

    def line(self, said: float | None, true: float) -> str:
        """The scale as a line with the truth on it, and the guess if there is one."""

        def at(value: float) -> float:
            return 4 + 92 * (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)

        marks = [(true, _TRUE, "measured", 8)] + ([] if said is None else [(said, _SAID, "you", 40)])
        drawn = "".join(
            f'<circle cx="{at(value):.1f}%" cy="24" r="6" fill="{colour}"/>'
            f'<text x="{at(value):.1f}%" y="{y}" dy="4" text-anchor="{_anchor(at(value))}" fill="{colour}" '
            f'font-weight="600">{name}: {escape(self.text(value))}</text>'
            for value, colour, name, y in marks
        )
        return (
            f'<svg width="100%" height="50" style="max-width:40em;font-size:14px" role="img" '
            f'aria-label="measured {escape(self.text(true))}">'
            f'<line x1="4%" x2="96%" y1="24" y2="24" stroke="currentColor" stroke-width="2" opacity="0.5"/>'
            f"{drawn}</svg>"
        )


def _anchor(percent: float) -> str:
    return "start" if percent < 25 else "end" if percent > 75 else "middle"


class Prediction(ipywidgets.VBox):
    """Questions with room for an answer each. See `predict`.

    Attributes:
        said: question -> what the student says; None where nothing was said yet.
    """

    def __init__(self, questions: Mapping[str, Sequence[str] | Scale]):
        self.questions = {
            text: choices if isinstance(choices, Scale) else tuple(choices) for text, choices in questions.items()
        }
        for text, choices in self.questions.items():
            if not isinstance(choices, Scale) and len(set(choices)) < 2:
                raise ValueError(f"questions[{text!r}] is {choices!r}, expected at least two different options")
        self.said: dict[str, str | float | None] = dict.fromkeys(self.questions)
        self._waiting: list[Callable[[], None]] = []
        rows = [self._row(text, choices) for text, choices in self.questions.items()]
        self._noted = ipywidgets.HTML(layout={"display": "none"})
        super().__init__([*rows, self._noted])
        self.add_class("pose-predict")

    def say(self, question: str, answer: str | float) -> None:
        """What a click does: the student's answer to one question.

        Raises:
            ValueError: an unknown question, or an answer that it does not offer.
        """
        if question not in self.questions:
            raise ValueError(f"question is {question!r}, expected one of {list(self.questions)}")
        choices = self.questions[question]
        if isinstance(choices, Scale):
            if not choices.low <= float(answer) <= choices.high:
                raise ValueError(f"answer is {answer!r}, expected a number from {choices.low} to {choices.high}")
        elif answer not in choices:
            raise ValueError(f"answer is {answer!r}, expected one of {choices}")
        self.said[question] = answer
        self._noted.value = f"Noted: {self._so_far()}. The answer opens where it is worked out, below."
        self._noted.layout.display = ""
        for tell in self._waiting:
            tell()

    def _so_far(self) -> str:
        told = []
        for question, said in self.said.items():
            if said is not None:
                choices = self.questions[question]
                text = choices.text(float(said)) if isinstance(choices, Scale) else str(said)
                told.append(f"{escape(question)} <b>{escape(text)}</b>".strip())
        return ", ".join(told)

    def answer(self, truth: "Truth | Mapping[str, Truth]", because: str) -> "Answer":
        """The answer, for the end of a cell that has measured it.

        Args:
            truth: of the only question, or question -> truth.
            because: Markdown: what was measured, and why it came out so.

        Raises:
            ValueError: a truth that its question does not offer, or questions without a truth.
        """
        truths = dict(truth) if isinstance(truth, Mapping) else dict.fromkeys(self.questions, truth)
        if set(truths) != set(self.questions):
            raise ValueError(f"truth answers {list(truths)}, expected an answer to each of {list(self.questions)}")
        for question, true in truths.items():
            choices = self.questions[question]
            unknown = [] if isinstance(choices, Scale) else [one for one in _several(true) if one not in choices]
            if unknown:
                raise ValueError(f"truth of {question!r} is {true!r}, expected some of its options {choices}")
        return Answer(self, truths, because)

    @contextmanager
    def covered(self) -> Generator[None]:
        """Around what shows a figure, a table or a training that gives the answer away: seen when one has guessed.

        Who has guessed already sees it as it comes, and so does a program that executes the notebook.
        """
        if not rerun.in_a_page() or None not in self.said.values():
            yield
            return
        cover = Cover(self)
        display(cover)
        with capture_output(stderr=False) as caught:
            yield
        cover.fill(caught)

    def _row(self, question: str, choices: Sequence[str] | Scale) -> ipywidgets.Widget:
        if isinstance(choices, Scale):
            middle = choices.low + choices.step * round((choices.high - choices.low) / 2 / choices.step)
            place = ipywidgets.FloatSlider(
                value=middle, min=choices.low, max=choices.high, step=choices.step, description=question,
                readout_format=".0f" if choices.step >= 1 else ".2f", style={"description_width": "initial"},
                layout={"flex": "1 1 20em", "width": "auto"},
            )  # fmt: skip
            button = ipywidgets.Button(description=f"this is my guess{choices.unit and f' ({choices.unit})'}")
            button.layout.width = "auto"
            button.on_click(lambda _: self.say(question, place.value))
            return ipywidgets.HBox([place, button], layout={"flex_flow": "row wrap"})
        buttons = ipywidgets.ToggleButtons(
            options=choices, value=None, description=question,
            style={"description_width": "initial", "button_width": "auto"},
        )  # fmt: skip
        buttons.observe(lambda change: self.say(question, change["new"]), names="value")
        return buttons

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict] | dict:
        rerun.shown(self)
        bundle = super()._repr_mimebundle_(**kwargs)
        offered = [
            f"{question}: {choices.low:g} to {choices.text(choices.high)}"
            if isinstance(choices, Scale)
            else f"{question}: ".removeprefix(": ") + " · ".join(choices)
            for question, choices in self.questions.items()
        ]
        bundle["text/plain"] = "What do you say?\n" + "\n".join(offered)
        said = "<p style='margin:0'>What do you say?"
        if len(offered) == 1:
            said += f" {escape(offered[0])}</p>"
        else:
            items = "".join(f"<li>{escape(line)}</li>" for line in offered)
            said += f"</p><ul style='margin:0'>{items}</ul>"
        bundle["text/html"] = f"<div class='pose-question'>{said}</div>"
        return bundle


class _Closed(ipywidgets.VBox):
    """Closed until every question was answered, or somebody opens it anyway.

    Attributes:
        opened: whether it can be read.
    """

    def __init__(self, prediction: Prediction, what: str):
        self.prediction, self.opened = prediction, False
        self._hint = ipywidgets.HTML(f"Say what you think first: the {what} opens then.")
        button = ipywidgets.Button(description="open it anyway", layout={"width": "auto"})
        button.on_click(lambda _: self.reveal())
        closed = ipywidgets.HBox([self._hint, button], layout={"flex_flow": "row wrap", "align_items": "center"})
        super().__init__([closed])
        prediction._waiting.append(self._said)
        self._said()

    def reveal(self) -> "_Closed":
        """Open it, whatever was said."""
        self.opened = True
        self.children = self._content()
        return self

    def _content(self) -> list[ipywidgets.Widget]:
        raise NotImplementedError

    def _said(self) -> None:
        missing = [question for question, said in self.prediction.said.items() if said is None]
        if self.opened or not missing:
            self.reveal()
        elif len(missing) < len(self.prediction.said):
            self._hint.value = f"Still to be said: {escape(', '.join(missing))}."


class Cover(_Closed):
    """Over what a cell would show, see `Prediction.covered`."""

    def __init__(self, prediction: Prediction):
        self._under = ipywidgets.Output()
        super().__init__(prediction, "picture")

    def fill(self, caught: CapturedIO) -> None:
        """What the cell has shown: of a picture that was drawn anew the last state, and below all what was printed."""
        kept: dict[object, dict[str, Any]] = {}
        for number, one in enumerate(caught.outputs):
            name = (one.transient or {}).get("display_id", number)
            kept[name] = {"output_type": "display_data", "data": one.data, "metadata": one.metadata}
        printed = [{"output_type": "stream", "name": "stdout", "text": caught.stdout}] if caught.stdout else []
        self._under.outputs = (*kept.values(), *printed)

    def _content(self) -> list[ipywidgets.Widget]:
        return [self._under]

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict] | dict:
        rerun.shown(self)
        return super()._repr_mimebundle_(**kwargs)


class Answer(_Closed):
    """What came out and why, beside what was said."""

    def __init__(self, prediction: Prediction, truths: Mapping[str, Truth], because: str):
        self.truths, self.because = dict(truths), because
        self._text = ipywidgets.HTMLMath()
        super().__init__(prediction, "answer")
        self.add_class("pose-answer")

    def _content(self) -> list[ipywidgets.Widget]:
        self._text.value = self._sentences() + _html(self.because)
        return [self._text]

    def _sentences(self) -> str:
        """What was said beside what came out, a line for each question."""
        lines = []
        for question, true in self.truths.items():
            said, choices = self.prediction.said[question], self.prediction.questions[question]
            head = f"{escape(question)} " if question else ""
            if isinstance(choices, Scale):
                number = None if said is None else float(said)
                lines.append(head + (choices.line(number, float(true)) if isinstance(true, int | float) else ""))
            elif said is not None:
                right = {True: "So it came out.", False: f"It came out: <b>{escape(' or '.join(_several(true)))}</b>."}
                came = right[said in _several(true)] if true is not None else ""
                lines.append(f"{head}You said <b>{escape(str(said))}</b>. {came}")
            elif true is not None:
                lines.append(f"{head}<b>{escape(' or '.join(_several(true)))}</b>.")
        return "".join(f"<p>{line}</p>" for line in lines)

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict] | dict:
        """Adds a fold for pages without a kernel."""
        rerun.shown(self)
        bundle = super()._repr_mimebundle_(**kwargs)
        bundle["text/plain"] = f"The answer: {self.because}"
        bundle["text/html"] = (
            "<details class='pose-fold'><summary><b>The answer</b> (decide first)</summary>"
            f"{_html(self.because)}</details>"
        )
        return bundle


def _html(text: str) -> str:
    """Markdown as HTML; what stands between dollars is left to MathJax as it is."""
    formulas: list[str] = []

    def keep(found: re.Match[str]) -> str:
        formulas.append(escape(found[0]))
        return f"\x02{len(formulas) - 1}\x03"

    made = str(mistune.html(re.sub(r"\$\$.+?\$\$|\$[^$\n]+\$", keep, text, flags=re.DOTALL)))
    return re.sub("\x02(\\d+)\x03", lambda found: formulas[int(found[1])], made)


def _several(truth: Truth) -> tuple[str, ...]:
    return () if truth is None else (truth,) if isinstance(truth, str) else tuple(truth)  # ty: ignore[invalid-argument-type]


def predict(questions: Sequence[str] | Scale | Mapping[str, Sequence[str] | Scale]) -> Prediction:
    """Room for a prediction, to stand below its question and before what decides it.

    Args:
        questions: options of the only question, or a `Scale` to place a number on; or several: text -> either.

    Raises:
        ValueError: fewer than two options.
    """
    return Prediction(questions if isinstance(questions, Mapping) else {"": questions})
