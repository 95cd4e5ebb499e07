"""What all tests share: one thread, repeatable examples, the optional real recordings."""

import os
from pathlib import Path

import hypothesis
import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]

# One thread sums in one order, so a number that a test compares does not depend on how busy the machine is.
torch.set_num_threads(1)

# No deadline: a slow machine is no bug. In CI the examples are the same at every run.
hypothesis.settings.register_profile("course", deadline=None, print_blob=True)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "course")


@pytest.fixture(autouse=True)
def _seeded():
    """A test that forgets its generator still sees the same numbers at every run, in any order."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def mocap_path() -> Path:
    """Real motion capture in the course's npz layout: COURSE_MOCAP, else beside the clone. Skips without."""
    path = Path(os.environ.get("COURSE_MOCAP", ROOT.parent / "shared" / "data" / "cmu17.npz"))
    if not path.exists():
        pytest.skip(f"no real recordings: COURSE_MOCAP names no file and {path.name} is not beside the clone")
    return path
