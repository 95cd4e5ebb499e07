"""Where computed things go: the clone, else a home, else a temporary folder that is told about."""

import os
import stat
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import tutorial_lib
from tutorial_lib import folders
from tutorial_lib.folders import output_folder, write_whole

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone of its own, and a home of its own; no COURSE_BUILD."""
    (tmp_path / "clone" / "tutorial_lib").mkdir(parents=True)
    (tmp_path / "clone" / "pyproject.toml").touch()
    (tmp_path / "home").mkdir()
    monkeypatch.setattr(tutorial_lib, "__file__", str(tmp_path / "clone" / "tutorial_lib" / "__init__.py"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("COURSE_BUILD", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    folders._temporary.cache_clear()
    yield tmp_path
    folders._temporary.cache_clear()


@pytest.fixture
def locked(monkeypatch):
    """A function that makes folders read-only, for root as well, whom no permission stops."""
    closed = []
    access = os.access

    def refuse(path, mode):
        return not any(Path(path) == one or one in Path(path).parents for one in closed) and access(path, mode)

    monkeypatch.setattr(os, "access", refuse)
    return closed.append


def test_a_clone_keeps_its_own(clone):
    assert output_folder() == clone / "clone" / "build"


def test_what_is_named_comes_first(clone, monkeypatch):
    monkeypatch.setenv("COURSE_BUILD", str(clone / "elsewhere"))
    assert output_folder() == clone / "elsewhere"


def test_a_wheel_and_a_read_only_clone_go_home(clone, locked):
    locked(clone / "clone")
    assert output_folder() == clone / "home" / ".cache" / "pose-course"
    (clone / "clone" / "pyproject.toml").unlink()
    assert output_folder() == clone / "home" / ".cache" / "pose-course"


@pytest.mark.parametrize("home", ["locked", "missing"])
def test_without_a_home_there_is_a_temporary_folder_and_a_warning(clone, locked, monkeypatch, home):
    locked(clone / "clone")
    if home == "locked":
        locked(clone / "home")
    else:
        monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    with pytest.warns(UserWarning, match="Set COURSE_BUILD to a folder that stays"):
        folder = output_folder()
    assert folder.is_absolute() and "pose-course" in folder.name
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert output_folder() == folder, "told once"


@pytest.mark.parametrize("taken", ["a link", "a file", "another's"])
def test_a_temporary_folder_that_somebody_else_made_is_not_taken(clone, locked, monkeypatch, taken):
    locked(clone / "clone")
    locked(clone / "home")
    monkeypatch.setattr("tempfile.tempdir", str(clone))
    known = clone / f"pose-course-{os.getuid()}"
    if taken == "a link":
        known.symlink_to(clone / "home")
    elif taken == "a file":
        known.touch()
    else:
        known.mkdir()
        other = os.getuid() + 1
        monkeypatch.setattr(os, "getuid", lambda: other)
        known.rename(clone / f"pose-course-{os.getuid()}")
    with pytest.warns(UserWarning, match="Set COURSE_BUILD"):
        folder = output_folder()
    assert folder.is_dir() and folder != clone / f"pose-course-{os.getuid()}" and folder.stat().st_mode & 0o077 == 0


def test_no_home_at_all_is_no_error(tmp_path):
    """In a process of its own: no HOME, and no entry for the user in the system's list either."""
    code = "import os, pwd; pwd.getpwuid = lambda uid: (_ for _ in ()).throw(KeyError(uid)); " \
        "import tutorial_lib.folders as f; print(f.output_folder())"  # fmt: skip
    environment = {k: v for k, v in os.environ.items() if k not in ("HOME", "XDG_CACHE_HOME", "COURSE_BUILD")}
    environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_absolute() and stat.S_ISDIR(os.stat(Path(done.stdout.strip()).parent).st_mode)


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "deep" / "file.txt"
    write_whole(path, lambda half: half.write_text("old"))

    def stopped(half):
        half.write_text("ne")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(path, stopped)
    assert path.read_text() == "old" and list(path.parent.iterdir()) == [path]


def test_two_may_write_the_same_file_at_once(tmp_path):
    path = tmp_path / "file.txt"

    def slow(half):
        half.write_text("first")
        write_whole(path, lambda other: other.write_text("second"))  # another process, meanwhile

    write_whole(path, slow)
    assert path.read_text() == "first" and list(tmp_path.iterdir()) == [path]
