"""The world in which a student's statements run: like a notebook's, but nothing is shown and no shell is called."""

import __future__

import ast
import asyncio
import importlib
import inspect
import linecache
import signal
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from tutorial_lib.course.answer_slice import PARSING, Notebook, Step

_FUTURES = __future__.annotations.compiler_flag
"""What `from __future__ import annotations` in one cell sets for those below; the other futures have come."""


class OutOfTime(BaseException):
    """Raised into a statement that takes too long; no `except Exception` of a student's catches it."""


class Shell:
    """What `get_ipython()` is here: it accepts every magic and does nothing, but for `%%writefile`."""

    def __init__(self, user_ns: dict[str, Any]) -> None:
        self.user_ns = user_ns

    def run_cell_magic(self, magic: str, line: str, cell: str) -> None:
        """Leave a cell alone, or write its file into the folder of this exercise, from where it can be imported."""
        if magic == "writefile":
            *options, name = line.split()
            with open(Path.cwd() / Path(name).name, "a" if "-a" in options else "w", encoding="utf-8") as file:
                file.write(cell)
            importlib.invalidate_caches()

    def getoutput(self, *_: object) -> list[str]:
        """What a command says: no line."""
        return []

    def __getattr__(self, _: str) -> Any:
        return _nothing


class Room:
    """One notebook's names, bound as its statements run.

    Args:
        notebook: whose statements they are.
        seconds: on the clock, for all statements together that run `briefly`.
    """

    def __init__(self, notebook: Notebook, seconds: float) -> None:
        self.module = ModuleType("__main__")
        self.names = self.module.__dict__
        shell = Shell(self.names)
        self.names.update(get_ipython=lambda: shell, display=_nothing, In=[""], Out={})
        self._flags, self._left = PARSING, seconds
        for number, text in enumerate(notebook.texts):  # for inspect and torch.jit, as in a notebook
            linecache.cache[_file(number)] = len(text), None, text.splitlines(keepends=True), _file(number)

    def run(self, step: Step) -> None:
        """Run a statement; what it raises comes out."""
        code = compile(ast.Module([step.statement], []), _file(step.cell), "exec", self._flags, dont_inherit=True)
        self._flags |= code.co_flags & _FUTURES
        result = eval(code, self.names)
        if inspect.iscoroutine(result):
            asyncio.run(result)

    def run_briefly(self, step: Step) -> None:
        """Run a statement for what it may do to the answer; if it fails or takes long, the notebook goes on."""
        if self._left <= 0:
            return
        start = time.monotonic()
        try:
            with _alarm(self._left):
                self.run(step)
        except BaseException:  # also SystemExit: the student would have run the next cell
            pass
        self._left -= time.monotonic() - start

    @contextmanager
    def as_main(self) -> Generator[None]:
        """In here `__main__` is this notebook, as for whatever looks its classes up by their module."""
        before = sys.modules["__main__"]
        sys.modules["__main__"] = self.module
        try:
            yield
        finally:
            sys.modules["__main__"] = before


@contextmanager
def _alarm(seconds: float) -> Generator[None]:
    """Raise OutOfTime in here after so many seconds, again and again."""

    def ring(_: int, __: FrameType | None) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _file(cell: int) -> str:
    return f"<cell {cell}>"


def _nothing(*_: object, **__: object) -> None:
    """Do nothing."""
