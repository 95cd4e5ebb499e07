"""A stop in the first call of a process: what PyTorch imports then must never be left half imported."""

import os
import subprocess
import sys

import pytest

PREPARE = """
import sys
import torch
from tutorial_lib import distortion
from tutorial_lib.adaptation import adapt, meta_loss
from tutorial_lib.datasets.windows import Windows
from tutorial_lib.lifting import TemporalLifter
from tutorial_lib.training import fit
from tutorial_lib import checkpoints

def windows(*leading):
    return Windows(torch.rand(*leading, 3, 17, 2), torch.rand(*leading, 17, 3))

model = TemporalLifter(3, 4).eval()
FIRST = {
    "distort": lambda: distortion.distort(torch.rand(5, 2), distortion.PRESETS["d4"]),
    "fit": lambda: fit(model, lambda step: model(torch.rand(3, 17, 2)).sum(), 2, progress=False),
    "meta_loss": lambda: meta_loss(model, windows(2, 4), windows(2, 4), rate=0.1),
    "adapt": lambda: adapt(model, windows(4), 1),
    "load": lambda: checkpoints.load("ours-3f"),
}
"""
# Each in a process of its own that has imported what PREPARE imports and called nothing yet; it stops itself.
STOPPED = """
import os, signal, traceback

def stop_and_call_again(name, delay):
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, delay)
    try:
        FIRST[name]()
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        pass
    FIRST[name]()

for name, delay in (
    ("fit", 0.02), ("fit", 0.4), ("meta_loss", 0.05), ("meta_loss", 0.3), ("distort", 1e-4), ("load", 1e-3),
):
    child = os.fork()
    if child == 0:
        try:
            stop_and_call_again(name, delay)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, (name, delay)
print("whole again")
"""
OUTSIDE = """
for name in ("distort", "adapt"):
    before = set(sys.modules)
    FIRST[name]()
    new = {module for module in set(sys.modules) - before if module.split(".")[0] in ("torch", "sympy")}
    assert not new, (name, sorted(new))
print("nothing new")
"""


def python(program):
    return subprocess.run(
        [sys.executable, "-P", "-c", PREPARE + program],
        capture_output=True, text=True, timeout=240, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def test_calls_that_hold_no_stop_back_import_nothing():
    done = python(OUTSIDE)
    assert "nothing new" in done.stdout, done.stderr[-2000:]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_call_that_was_stopped_works_when_it_is_made_again():
    done = python(STOPPED)
    assert "whole again" in done.stdout, done.stderr[-2000:]
