"""What all tests share: one thread, repeatable examples, the optional real recordings, a browser."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
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


def pytest_collection_modifyitems(items):
    """Where there is no GPU, tests marked `cuda` say so; `make gpu-check` runs them where there is one."""
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("cuda"):
                item.add_marker(pytest.mark.skip(reason="no CUDA device here"))


@pytest.fixture(autouse=True)
def _seeded():
    """A test that forgets its generator still sees the same numbers at every run, in any order."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def mocap_path() -> Path:
    """Real motion capture in the course's npz layout, named by COURSE_MOCAP. Skips without."""
    named = os.environ.get("COURSE_MOCAP")
    if not named or not Path(named).is_file():
        pytest.skip("no real recordings: COURSE_MOCAP names no file")
    return Path(named)


CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE = 240_000  # milliseconds: the machine may be busy, and no browser test is about speed


@pytest.fixture(scope="session")
def free_port():
    """A function that names a port of this machine where nobody listens."""

    def find():
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            return free.getsockname()[1]

    return find


@pytest.fixture
def serve(tmp_path):
    """A function that starts a server and waits until `address` answers; after the test the server ends."""
    with serving(tmp_path / "server.log") as start:
        yield start


@pytest.fixture(scope="module")
def serve_all(tmp_path_factory):
    """The same, for all tests of a file: the server ends after the last of them."""
    with serving(tmp_path_factory.mktemp("log") / "server.log") as start:
        yield start


@contextlib.contextmanager
def serving(path):
    """A function that starts servers, which write to the file `path`; all of them end with the context."""
    with contextlib.ExitStack() as stack:

        def start(command, address, environment, folder=None):
            log = stack.enter_context(open(path, "w"))
            server = subprocess.Popen(
                command, stdout=log, stderr=log, env=environment, cwd=folder, start_new_session=True
            )
            stack.callback(_end, server)
            while True:
                assert server.poll() is None, path.read_text()[-2000:]
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(address, timeout=60).read()
                    return
                time.sleep(0.1)

        yield start


def _end(server):
    for kind in (signal.SIGTERM, signal.SIGKILL):  # the group: kernels are the server's children
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, kind)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(20)


@pytest.fixture
def browser():
    """A real browser; skips where there is none. Take a server's fixture first: pages then close first."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium: set CHROMIUM to its path")
    with playwright.sync_playwright() as runner:
        started = runner.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS, timeout=PATIENCE)
        yield started
        started.close()


@pytest.fixture
def chromium(browser):
    """A function that opens an address in a real browser.

    `only` says how addresses begin that the page may ask for. After the test, nothing else was asked for, no script
    failed, and nothing stands in the console as an error.
    """
    problems = []

    def open_page(address, *only, width=1280, height=900):
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))

        def asked(route):
            if not route.request.url.startswith((*only, "data:", "blob:")):
                problems.append(f"asked for {route.request.url}")
                return route.abort()
            return route.continue_()

        page.route("**/*", asked)
        page.goto(address)
        return page

    yield open_page
    for context in browser.contexts:
        context.close()
    assert problems == []
