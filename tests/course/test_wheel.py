"""The course from a wheel: whole, and alive where no clone is in sight."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import nbformat
import pytest

from tutorial_lib.course import unpack

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(900)  # building, installing and a whole lesson in one limit
CHECK = """
from pathlib import Path
import tutorial_lib
from tutorial_lib import checkpoints
from tutorial_lib.course import environment, notebooks, run
from tutorial_lib.folders import output_folder

assert Path(tutorial_lib.__file__).is_relative_to(HOME), tutorial_lib.__file__
stored = sorted(checkpoints.FOLDER.rglob("*.safetensors"))
assert {path.parent.name for path in stored} > {"checkpoints", "temporal"}
for path in stored:
    assert all(checkpoints.weights(str(path.relative_to(checkpoints.FOLDER).with_suffix(""))))
assert environment.pins()["torch"] == "2.13.0"
assert not output_folder().is_relative_to(HOME), "claims must not be written between installed packages"
try:
    notebooks.select([])
except ValueError as error:
    assert "wants the course's clone" in str(error)
else:
    raise AssertionError("select() needs a clone")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """(wheel, what it was built from): a copy of the repository, so that nothing of earlier builds gets in."""
    pytest.importorskip("build", reason="build is not installed")
    copy = tmp_path_factory.mktemp("copy")
    for name in ("pyproject.toml", "setup.py", "requirements.lock", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in ("tutorial_lib", "notebooks", "docs/jupyter"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    # Both, as `python -m build` does by default: the wheel comes out of the source distribution.
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(copy / "dist"), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (path,) = (copy / "dist").glob("*.whl")
    return path, copy


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """(folder with the installed wheel, environment in which it is found and the clone is not)."""
    home = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(home)]
    subprocess.run([*command, str(wheel[0])], check=True)
    paths = dict.fromkeys([str(home), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COURSE_", "PYTEST"))}
    return home, kept | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}


def python(*arguments):
    """A Python without site-packages' .pth files: an editable install would bring the clone back."""
    return [sys.executable, "-S", *arguments]


def test_wheel_holds_every_file_of_the_package_and_nothing_else(wheel):
    path, copy = wheel
    with zipfile.ZipFile(path) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
    wanted = {
        str(path.relative_to(copy))
        for path in (copy / "tutorial_lib").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    lessons = {f"tutorial_lib/notebooks/{path.name}" for path in (copy / "notebooks").glob(unpack.PATTERN)}
    assert lessons
    (config,) = inside - wanted - lessons
    assert inside > wanted | lessons and config.endswith("/etc/jupyter/jupyter_server_config.d/tutorial_lib.json")


def test_installed_package_is_whole_and_runs_a_lesson_without_the_clone(installed, tmp_path):
    home, environment = installed
    lessons = tmp_path / "my lessons"
    command = python("-m", "tutorial_lib.course.unpack", str(lessons))
    said = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert {path.name for path in lessons.glob("*.ipynb")} == {
        path.name for path in (home / "tutorial_lib" / "notebooks").iterdir()
    }

    lesson = lessons / "00_start_here.ipynb"
    notebook = nbformat.read(lesson, 4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(f"HOME = {str(home)!r}\n{CHECK}"))
    nbformat.write(notebook, lesson)
    spec = tmp_path / "data" / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    argv = python("-m", "ipykernel_launcher", "-f", "{connection_file}")
    spec.write_text(json.dumps({"argv": argv, "display_name": "wheel", "language": "python"}))
    run = "import sys, nbformat, nbclient; nbclient.NotebookClient(nbformat.read(sys.argv[1], 4)).execute()"
    done = subprocess.run(
        python("-c", run, str(lesson)),
        env=environment | {"JUPYTER_PATH": str(tmp_path / "data"), "JUPYTER_PREFER_ENV_PATH": "0"},
        cwd=lessons,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_unpack_leaves_a_readers_work_alone_and_says_so(tmp_path, capsys):
    mine = tmp_path / "00_start_here.ipynb"
    mine.write_text("my own")
    assert unpack.main([str(tmp_path)]) == 0
    assert mine.read_text() == "my own"
    total = len(list(unpack.shipped().glob(unpack.PATTERN)))
    assert f"{total - 1} new lesson(s) in {tmp_path}, 1 there already and left alone" in capsys.readouterr().out
    assert unpack.unpack(tmp_path) == []


@pytest.mark.parametrize("target", ["file", "file/below"])
def test_unpack_onto_a_file_is_refused_in_words(target, tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(SystemExit):
        unpack.main([str(tmp_path / target)])
    assert "expected one that can be made and written to" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"


def test_without_lessons_nothing_is_made(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="expected a folder with files such as"):
        unpack.unpack(tmp_path / "other", lessons=tmp_path)
    monkeypatch.setattr(unpack.tutorial_lib, "__file__", str(tmp_path / "tutorial_lib" / "__init__.py"))
    with pytest.raises(FileNotFoundError, match="from its wheel or from its clone"):
        unpack.unpack(tmp_path / "other")  # a wheel that was built without them
    assert not (tmp_path / "other").exists()
