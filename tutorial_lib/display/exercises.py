"""What every check says: that an answer is right, what is wrong with it, or that it is still to be written.

A learner who runs a check in a notebook gets a card. Where notebooks are executed by a program (a grader, nbgrader,
papermill) a check raises instead, because a program knows a failure by its error.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial, wraps
from html import escape
from pathlib import Path
from types import CodeType, TracebackType

import torch
from IPython.display import display

from tutorial_lib.display import rerun
from tutorial_lib.display.tables import LINE

STUB = "your turn"
"""What an answer that was not begun raises as `NotImplementedError`."""
_FAILED: Counter[str] = Counter()
"""Exercise -> how often in a row its answer was wrong."""
_KINDS = {"right": ("✓", "#00805E"), "not yet": ("✗", "#C0392B"), "your turn": ("…", "#5A5A5A")}
_PACKAGE = Path(__file__).resolve().parents[1]


def exercise(check: Callable[[Callable], str]) -> Callable[[Callable], None]:
    """A check that answers with a card where somebody reads it.

    The hint comes with the second wrong answer in a row. An error in the learner's own lines is shown as Python shows
    it, but only those lines.

    Args:
        check: raises AssertionError with "what is wrong. Hint: what to think of", or returns what is right.
    """

    @wraps(check)
    def answered(function: Callable) -> None:
        __tracebackhide__ = True  # IPython leaves this frame out
        if not rerun.in_a_page():
            print(check(function))
            return
        name, learners = answered.__name__, partial(_own, code=getattr(check, "__code__", None))
        try:
            said = check(function)
        except NotImplementedError as problem:
            if str(problem) != STUB:
                raise problem.with_traceback(learners(problem.__traceback__)) from None
            _card("your turn", name, "Write the function above, then run its cell and this one again.")
            return
        except AssertionError as problem:
            if learners(problem.__traceback__) is not None:  # the learner's own assertion
                raise problem.with_traceback(learners(problem.__traceback__)) from None
            _FAILED[name] += 1
            wrong, _, hint = str(problem).partition(" Hint: ")
            second = _FAILED[name] > 1 and hint
            _card("not yet", name, wrong, f"Hint: {hint}" if second else "A second wrong answer brings a hint.")
            return
        except Exception as problem:
            raise problem.with_traceback(learners(problem.__traceback__)) from None
        del _FAILED[name]
        _card("right", name, said)

    return answered


def _own(trace: TracebackType | None, code: CodeType | None) -> TracebackType | None:
    """From the first frame that is the learner's on, neither the library's nor the check's; None if there is none."""
    while trace is not None:
        frame = trace.tb_frame.f_code
        if frame is not code and _PACKAGE not in Path(frame.co_filename).parents:
            break
        trace = trace.tb_next
    return trace


def _card(kind: str, name: str, *lines: str) -> None:
    sign, colour = _KINDS[kind]
    body = "".join(f"<p style='margin:6px 0 0'>{escape(line)}</p>" for line in lines if line)
    html = (
        f"<div style='border:{LINE};border-left:8px solid {colour};border-radius:4px;padding:8px 16px;margin:6px 0;"
        f"max-width:52em;font-size:15px;line-height:1.45'><span style='background:{colour};color:#fff;padding:1px 10px;"
        f"border-radius:10px;font-weight:600'>{sign} {kind}</span> <b>{escape(name)}</b>{body}</div>"
    )
    display({"text/html": html, "text/plain": "\n".join((f"[{kind}] {name}", *lines))}, raw=True)


def tensor(got: object, what: str, hint: str) -> torch.Tensor:
    """The answer, if it is a tensor.

    Raises:
        AssertionError: it is none; says what came, and the hint.
    """
    assert isinstance(got, torch.Tensor), f"{what}: expected a tensor, got {type(got).__name__}. Hint: {hint}"
    return got


def number(got: object, what: str, hint: str) -> float:
    """The answer, if it is one number or a tensor of one.

    Raises:
        AssertionError: it is none; says what came, and the hint.
    """
    one = isinstance(got, int | float) or (isinstance(got, torch.Tensor) and got.numel() == 1)
    assert one, f"{what}: expected one number, got {type(got).__name__}. Hint: {hint}"
    return float(got)


def compare(
    got: object,
    expected: torch.Tensor,
    what: str,
    hint: str,
    tolerance: float = 1e-6,
    mistakes: Mapping[str, torch.Tensor] | None = None,
) -> None:
    """Refuse anything but a tensor of the expected shape and values.

    Args:
        got: what the student's function returned, which may be anything.
        expected: the right values, in any shape.
        what: the case that was tried; the message begins with it.
        hint: what to think of if it is wrong.
        tolerance: the largest difference that is no mistake.
        mistakes: what a common mistake would have given, by its diagnosis: "x and y are swapped" -> values, in any
            shape. Named if the answer is that.

    Raises:
        AssertionError: says what was expected, what came, and the hint.
    """
    got = tensor(got, what, hint)
    for diagnosis, values in (mistakes or {}).items():
        told_apart = values.shape != expected.shape or (values - expected).abs().max() > tolerance
        if told_apart and got.shape == values.shape and (got - values).abs().max() <= tolerance:
            raise AssertionError(f"{what}: it looks as if {diagnosis}. {_values(got, expected)} Hint: {hint}")
    assert got.shape == expected.shape, (
        f"{what}: expected shape {tuple(expected.shape)}, got {tuple(got.shape)}. Hint: {hint}"
    )
    worst = (got - expected).abs().max().item()
    assert worst <= tolerance, (
        f"{what}: off by up to {worst:.3g} (allowed {tolerance:g}). {_values(got, expected)} Hint: {hint}"
    )


def _values(got: torch.Tensor, expected: torch.Tensor) -> str:
    """Yours and the expected value, where they differ most."""
    if got.shape != expected.shape:
        return f"Its shape is {tuple(got.shape)}, expected {tuple(expected.shape)}."
    if not got.numel():
        return ""
    where = int((got - expected).abs().nan_to_num(torch.inf).argmax())
    place = [int(i) for i in torch.unravel_index(torch.tensor(where), got.shape)]
    at = f" at {place}" if place else ""
    yours, right = (float(values.flatten()[where]) for values in (got, expected))
    return f"Yours is {yours:.4g}{at}, expected {right:.4g}."
