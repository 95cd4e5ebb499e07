"""Whether an answer is right: statements run as in the notebook, and the check is asked when the notebook asks it."""

import importlib
from collections.abc import Callable

import torch

from tutorial_lib.course import answer_slice
from tutorial_lib.course.answer_room import Room
from tutorial_lib.course.answer_slice import Notebook, Step

RIGHT, WRONG, STUB, ERROR = "right", "wrong", "not attempted", "error"
MISSING, NO_PYTHON = "missing", "not Python"
LATE, CRASHED, TAMPERED = "too long", "crashed", "tampered with"


def judge(
    cells: list[str], exercise: str, checks: str, lesson: list[str] | tuple[str, ...] = (), brief: float = 5.0
) -> dict[str, str]:
    """Try the answer in these code cells with the check `checks.exercise`, here and now, without any limit.

    Its statements run in their order, and it is judged where the notebook asks `checks.exercise(exercise)`, as it stood
    then: the last time, if it asks more than once and was not left alone by then. If that is not right, the end of the
    cell that defines it last, and the end of the notebook, may make it so: a student may have run cells out of order.
    First only what the answer needs is run; if it is not right then, all that the student added to the lesson.

    Args:
        cells: texts of the code cells.
        exercise: name of the function.
        checks: module of the function that checks it.
        lesson: texts of the lesson's own cells, which a student may have left or changed.
        brief: seconds on the clock for statements that bind nothing that the answer needs.
    """
    check = getattr(importlib.import_module(checks), exercise)
    notebook = answer_slice.read(cells, "\n".join(lesson))
    bound = answer_slice.needed(notebook.steps, exercise, changes=False)
    chosen = answer_slice.needed(notebook.steps, exercise)
    verdict = _run(notebook, exercise, check, bound, chosen, brief)
    if verdict["verdict"] in (WRONG, ERROR, MISSING) and (rest := answer_slice.others(notebook.steps, chosen)):
        again = _run(notebook, exercise, check, bound, chosen | rest, brief)
        verdict = again if again["verdict"] == RIGHT else verdict
    broken = [why for cell, why in notebook.broken.items() if answer_slice.defines(cells[cell], exercise)]
    return verdict_of(NO_PYTHON, broken[-1]) if broken and verdict["verdict"] in (MISSING, STUB) else verdict


def _run(
    notebook: Notebook, exercise: str, check: Callable, bound: set[int], chosen: set[int], brief: float
) -> dict[str, str]:
    """The verdict when these statements run, those not `bound` briefly."""
    torch.manual_seed(0)
    steps, room, failed = notebook.steps, Room(notebook, brief), {}
    asked = {i for i, step in enumerate(steps) if exercise in step.checks}
    last_asked = max(asked, default=-1)
    defined = [step.cell for step in steps if exercise in step.binds][-1:]
    ends = {max((i for i, step in enumerate(steps) if step.cell in defined), default=-1), max(chosen, default=-1)}
    later = {i for i in ends if i > last_asked}
    verdict = verdict_of(MISSING, f"no cell defines the function {exercise}")
    with room.as_main():
        for i in sorted(chosen | asked | later):
            if i in chosen and (i in bound or not steps[i].checks):
                _bind(room, steps[i], failed) if i in bound else room.run_briefly(steps[i])
            if i in asked | later:
                found = _ask(room, exercise, check, failed)
                tried = i in asked and found["verdict"] not in (MISSING, STUB)
                if tried or found["verdict"] == RIGHT or verdict["verdict"] in (MISSING, STUB):
                    verdict = found
            if verdict["verdict"] == RIGHT and i >= last_asked:
                break
    return verdict


def _bind(room: Room, step: Step, failed: dict[str, BaseException]) -> None:
    """Run a statement that the answer needs, and keep its error for each name that it then does not bind."""
    try:
        room.run(step)
    except BaseException as error:  # also SystemExit: an answer that ends the program ends only itself
        failed.update(dict.fromkeys(step.binds, error))
    else:
        for name in step.binds:
            failed.pop(name, None)


def _ask(room: Room, exercise: str, check: Callable, failed: dict[str, BaseException]) -> dict[str, str]:
    """The verdict on the function as it stands now; an error in what it needs explains why it is not right."""
    function = room.names.get(exercise)
    first = _verdict_on(next(iter(failed.values()))) if failed else None
    if not callable(function):
        return first or verdict_of(MISSING, f"no cell defines the function {exercise}")
    try:
        check(function)
    except BaseException as error:
        found = _verdict_on(error)
        return found if found["verdict"] == STUB else first or found
    if _blinded(check, function):
        return verdict_of(TAMPERED, "the check accepts anything after this answer has run")
    return verdict_of(RIGHT, "")


def _verdict_on(error: BaseException) -> dict[str, str]:
    if isinstance(error, AssertionError):
        return verdict_of(WRONG, str(error) or "an assert in the answer itself failed")
    if isinstance(error, NotImplementedError) and str(error) in ("", "your turn"):
        return verdict_of(STUB, "NotImplementedError: your turn")
    return verdict_of(ERROR, f"{type(error).__name__}: {error}")


def _blinded(check: Callable, function: Callable) -> bool:
    """Whether the check passes what is certainly wrong."""
    try:
        check(lambda *arguments, **named: _spoil(function(*arguments, **named)))
    except BaseException:  # whatever the check says against a spoiled answer, it sees
        return False
    return True


def _spoil(value: object) -> object:
    """Something that is certainly not `value`, of the same kind where that is easy."""
    if isinstance(value, torch.Tensor) and value.dtype != torch.bool:
        return value * 3 + 7
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value * 3 + 7
    if isinstance(value, (tuple, list)):
        return type(value)(_spoil(part) for part in value)
    return None


def verdict_of(verdict: str, detail: str) -> dict[str, str]:
    """As the worker hands it on."""
    return {"verdict": verdict, "detail": detail[:2000]}
