"""Models are used by one thread at a time: sliders call back in other threads while a cell trains.

The lock is taken in one way only, `with MODEL_LOCK, gradients_on():`. Entering and leaving it happen in C, so that an
interrupt (the stop button) can never come between taking the lock and remembering that it was taken. A Python function
around it, such as a context manager of our own, would leave it held in one stop of five hundred, and every slider
would then wait for ever.
"""

import contextlib
import signal
import threading
import time
from collections.abc import Generator

import torch


class FairLock(type(threading.RLock())):  # ty: ignore[subclass-of-final-class]  (CPython's allows it; tested)
    """A reentrant lock whose holder can let others go first.

    A thread that releases an ordinary lock and takes it again at once, as a training loop does, starves all others:
    it still holds the interpreter. So whoever may have to wait says so with `announced`, and a loop calls `let_others`
    between two steps, which sleeps for a moment, but only if somebody is waiting.
    """

    def __init__(self):
        self._waiting: set[int] = set()

    def announced(self) -> "FairLock":
        """The lock itself, after a note that this thread waits for it; call `arrived` when it is held."""
        self._waiting.add(threading.get_ident())
        return self

    def arrived(self) -> None:
        """Take the note back."""
        self._waiting.discard(threading.get_ident())

    def let_others(self) -> None:
        """Give waiting threads the time to take the lock, which this thread must not hold."""
        if self._waiting:
            time.sleep(1e-4)


MODEL_LOCK = FairLock()
"""Held around every use of a model."""


@contextlib.contextmanager
def gradients_on() -> Generator[None]:
    """Gradients, whatever the calling thread's own grad mode."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


@contextlib.contextmanager
def interrupts_later() -> Generator[None]:
    """Hold a keyboard interrupt back until the end of the block.

    For what must not be cut in two: an interrupt inside a module's first import leaves half a module in the kernel,
    and every later use of it fails until the kernel is restarted. In other threads nothing changes: Python interrupts
    the main thread only.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came = []
    handler = signal.signal(signal.SIGINT, lambda *arguments: came.append(arguments))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if came and callable(handler):
            handler(*came[0])
