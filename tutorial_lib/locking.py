"""Models are used by one thread at a time: sliders call back in other threads while a cell trains."""

import contextlib
import threading
import time
from collections.abc import Generator

import torch


class FairLock:
    """A reentrant lock whose holder lets others go first when it lets go.

    A thread that releases an ordinary lock and takes it again at once, as a training loop does, starves all others:
    it still holds the interpreter. Here it sleeps for a moment, but only if somebody is waiting.
    """

    def __init__(self) -> None:
        self._lock, self._count = threading.RLock(), threading.Lock()
        self._waiting, self._depth = 0, 0

    def acquire(self, timeout: float = -1) -> bool:
        """Take the lock; False if `timeout` seconds (-1: no limit) were not enough."""
        if not self._lock.acquire(blocking=False):
            with self._count:
                self._waiting += 1
            try:
                if not self._lock.acquire(timeout=timeout):
                    return False
            finally:
                with self._count:
                    self._waiting -= 1
        self._depth += 1
        return True

    def release(self) -> None:
        """Give the lock back; the outermost release lets waiting threads go first."""
        self._depth -= 1
        outermost = self._depth == 0
        self._lock.release()
        if outermost and self._waiting:
            time.sleep(1e-4)

    def __enter__(self) -> "FairLock":
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


MODEL_LOCK = FairLock()
"""Held around every use of a model: sliders call back in other threads while a cell trains."""


@contextlib.contextmanager
def model_in_use() -> Generator[None]:
    """Hold `MODEL_LOCK` with gradients on, whatever the calling thread's own grad mode."""
    with MODEL_LOCK, torch.inference_mode(False), torch.enable_grad():
        yield
