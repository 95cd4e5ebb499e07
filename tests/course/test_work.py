"""Learners' copies of the lessons: never overwritten, trusted where they are the course's, and git stays silent."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest
from jupytext.config import find_jupytext_configuration_file, load_jupytext_configuration_file
from nbformat.sign import NotebookNotary

from tutorial_lib.course import unpack

ROOT = Path(__file__).resolve().parents[2]
EVIL = "<img src=x onerror=alert(1)>"


def git(folder, *words):
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(folder), *identity, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=kept).stdout


def notebook(text, output=""):
    shown = [nbformat.v4.new_output("display_data", {"text/html": output})] if output else []
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text, id="one", outputs=shown)])


def trusted(path):
    with NotebookNotary() as notary:
        return notary.check_signature(nbformat.read(path, 4))


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A small clone with two lessons, which is where the library seems to lie."""
    if shutil.which("git") is None:
        pytest.skip("no git")
    folder = tmp_path / "clone"
    (folder / "notebooks" / "source").mkdir(parents=True)
    (folder / "tutorial_lib").mkdir()
    for slug in ("00_one", "01_two"):
        nbformat.write(notebook(slug, "<b>card</b>"), folder / "notebooks" / f"{slug}.ipynb")
        (folder / "notebooks" / "source" / f"{slug}.py").touch()
    git(tmp_path, "init", "--quiet", str(folder))
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "one")
    monkeypatch.setattr(unpack.tutorial_lib, "__file__", str(folder / "tutorial_lib" / "__init__.py"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    monkeypatch.chdir(folder)
    return folder


def start(*words):
    """What `make lab` does before it opens JupyterLab."""
    assert unpack.main(["work", "--trust", *words]) == 0
    return {path.name for path in Path("work").glob("*.ipynb") if trusted(path)}


def test_the_courses_own_lessons_are_copied_and_trusted(clone):
    assert start() == {"00_one.ipynb", "01_two.ipynb"}
    shutil.rmtree(clone.parent / "jupyter")
    assert start() == {"00_one.ipynb", "01_two.ipynb"}, "also when Jupyter has forgotten"


def test_what_came_from_elsewhere_is_not_trusted(clone):
    """A notebook from elsewhere in either folder, one that was saved over a lesson, one that was saved over a copy."""
    start()
    shutil.rmtree(clone.parent / "jupyter")
    nbformat.write(notebook("x", EVIL), clone / "notebooks" / "07_eve.ipynb")
    nbformat.write(notebook("x", EVIL), clone / "work" / "eve.ipynb")
    nbformat.write(notebook("x", EVIL), clone / "work" / "00_one.ipynb")
    nbformat.write(notebook("x", EVIL), clone / "notebooks" / "01_two.ipynb")
    (clone / "work" / "01_two.ipynb").unlink()
    assert start() == set()
    assert (clone / "work" / "07_eve.ipynb").exists() and (clone / "work" / "01_two.ipynb").exists()


@pytest.mark.parametrize("reason", ["no clone", "another account's clone"])
def test_without_git_a_lesson_is_what_has_its_text(clone, monkeypatch, reason):
    if reason == "no clone":
        shutil.rmtree(clone / ".git")
        git(clone.parent, "init", "--quiet")  # unpacked somewhere inside another repository
    else:
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    nbformat.write(notebook("x", EVIL), clone / "notebooks" / "07_eve.ipynb")
    assert start() == {"00_one.ipynb", "01_two.ipynb"}


def test_exercises_come_as_stubs_with_a_solution_folded_below(clone):
    solved = "def one(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION\n\n\nchecks.one(one)"
    nbformat.write(notebook(solved), clone / "notebooks" / "00_one.ipynb")
    git(clone, "commit", "--quiet", "--all", "--message", "an exercise")
    assert start() == {"00_one.ipynb", "01_two.ipynb"}, "made by the course from its own lesson, so trusted"
    lesson = nbformat.read(clone / "work" / "00_one.ipynb", 4)
    answer, _, check, solution = (cell.source for cell in lesson.cells)  # the note stands second
    assert "2 * x" not in answer and 'raise NotImplementedError("your turn")' in answer and check == "checks.one(one)"
    assert solution.startswith("<details>") and "return 2 * x" in solution and "SOLUTION" not in solution
    lesson.cells[0].source = lesson.cells[0].source.replace("x", "y")
    nbformat.write(lesson, clone / "work" / "00_one.ipynb")
    shutil.rmtree(clone.parent / "jupyter")
    assert start() == {"01_two.ipynb"}, "an answer makes it the learner's"
    shutil.rmtree(clone / "work")
    assert start("--solved") == {"00_one.ipynb", "01_two.ipynb"}
    assert "return 2 * x" in (clone / "work" / "00_one.ipynb").read_text()


def test_whoever_names_a_folder_of_lessons_answers_for_it(clone):
    nbformat.write(notebook("mine", "<b>card</b>"), clone.parent / "05_mine.ipynb")
    assert start("--lessons", str(clone.parent)) == {"05_mine.ipynb"}


def test_a_newer_lesson_is_told_and_overwrites_nothing(clone, capsys):
    start()
    mine = clone / "work" / "00_one.ipynb"
    mine.write_text(mine.read_text().replace("00_one", "my answer"))
    capsys.readouterr()
    start()
    assert "newer" not in capsys.readouterr().out, "an answer is no newer version"
    nbformat.write(notebook("00_one, mended"), clone / "notebooks" / "00_one.ipynb")
    kept = mine.read_bytes()
    start()
    assert mine.read_bytes() == kept
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "newer" in line]
    assert line == "work/00_one.ipynb: the course has a newer version. Rename yours to get it as well"
    mine.rename(clone / "work" / "my answers.ipynb")
    start()
    assert b"mended" in mine.read_bytes() and "newer" not in capsys.readouterr().out


@pytest.mark.parametrize("content", ["", "[]", "null", '{"00_one.ipynb": 5}', "\xff"])
def test_a_damaged_memory_costs_a_hint_and_no_more(clone, content):
    start()
    (clone / "work" / unpack.COPIED).write_text(content, encoding="latin-1")
    assert start() == {"00_one.ipynb", "01_two.ipynb"}


def test_a_copy_that_was_cut_short_is_not_there(clone, monkeypatch):
    write_bytes = Path.write_bytes

    def full(self, content):
        write_bytes(self, content[:5])
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ValueError, match="No space left"):
        unpack.unpack(clone / "work")
    assert not list((clone / "work").iterdir())


def test_saving_a_copy_writes_no_lessons_text():
    """jupytext, which JupyterLab calls when it saves, pairs the notebooks of the course, not its readers'."""
    config = load_jupytext_configuration_file(find_jupytext_configuration_file(str(ROOT)))
    assert config.default_formats(str(ROOT / "notebooks" / "05_camera_distortion.ipynb"))
    assert not config.default_formats(str(ROOT / "work" / "05_camera_distortion.ipynb"))


def test_links_between_lessons_hold_in_the_copies():
    """They have no folder, and nothing else of the clone is linked to."""
    for path in (ROOT / "notebooks" / "source").glob("*.py"):
        text = "\n".join(c.source for c in jupytext.read(path).cells if c.cell_type == "markdown")
        local = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
        local += [link for link in re.findall(r"src=[\"']([^\"']+)", text) if "://" not in link]
        assert all((ROOT / "notebooks" / link).is_file() and "/" not in link for link in local), (path.name, local)


@pytest.mark.timeout(900)
def test_a_lesson_run_in_its_copy_leaves_the_clone_as_it_was(tmp_path):
    """The library is a fresh clone's: no COURSE_BUILD, a home of its own, the clone in a folder with a blank."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no git")
    clone, home = tmp_path / "my clone", tmp_path / "home"
    home.mkdir()
    for name in git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0"):
        if name and (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, clone / name)
    git(tmp_path, "init", "--quiet", str(clone))
    git(clone, "add", ".")
    git(clone, "commit", "--quiet", "--message", "all")
    system = ("PATH", "LANG", "LC_ALL", "TMPDIR")
    environment = {name: os.environ[name] for name in system if name in os.environ}
    environment |= {"HOME": str(home), "PYTHONPATH": str(clone), "OMP_NUM_THREADS": "1", "JUPYTER_PREFER_ENV_PATH": "1"}

    def python(*words):
        done = subprocess.run([sys.executable, "-P", "-m", *words], cwd=clone, env=environment, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()[-2000:]

    python("tutorial_lib.course.unpack", "work", "--trust", "--solved")  # papermill stops at a stub
    lesson = "work/05_camera_distortion.ipynb"
    python("papermill", lesson, lesson, "--cwd", "work", "-k", "python3", "--no-progress-bar")
    assert git(clone, "status", "--porcelain") == ""
    assert json.loads((clone / "build" / "claims.json").read_text(encoding="utf-8"))
    left = {path.name for path in (clone / "work").iterdir()} - {path.name for path in unpack.shipped().iterdir()}
    assert left <= {unpack.COPIED, ".ipynb_checkpoints"}
