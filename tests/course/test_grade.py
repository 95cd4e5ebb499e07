"""The grader: right answers, untouched ones, plausible wrong ones, and answers that mean harm.

All share one worker; it imports torch once, and again after the test that kills it. It is patient, because the time on
its clock passes on a busy machine too; only where an answer must be cut off, it is not.
"""

import ast
import copy
import csv
import functools
import importlib.util
import textwrap
from pathlib import Path

import nbformat
import pytest

from tutorial_lib.course import answer_slice, grade, grade_report, notebooks, student

COURSE = {slug: found for slug in notebooks.slugs() if (found := student.exercises(slug))}
ALL = [exercise for found in COURSE.values() for exercise in found]
LENS = next(slug for slug in COURSE if slug.startswith("05"))


def _wrong_answers():
    path = Path(__file__).parents[1] / "lessons" / "test_checks.py"
    spec = importlib.util.spec_from_file_location("plausible_answers", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.WRONG


WRONG = _wrong_answers()


@pytest.fixture(scope="module")
def worker():
    with grade.Worker({exercise.checks for exercise in ALL}, seconds=60.0, megabytes=500) as shared:
        yield shared


@functools.cache
def pattern(slug, solutions):
    return student.student_notebook(notebooks.read_source(slug), slug, solutions)


def handed_in(slug, answers=None, solutions=True):
    """A student's notebook; `answers` maps an exercise to the body of its function."""
    notebook = copy.deepcopy(pattern(slug, solutions))
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in (answers or {}):
            body = textwrap.indent(textwrap.dedent(answers[name]).strip("\n"), "    ")
            cell.source = student.without_solution(cell.source).replace(f"    {student.STUB}", body)
    return notebook


def scores(worker, slug, answers=None, solutions=True):
    """exercise -> score."""
    notebook = handed_in(slug, answers, solutions)
    return {score.exercise: score for score in grade.score(notebook, "alice", COURSE[slug], worker)}


@pytest.mark.parametrize("slug", COURSE)
def test_solutions_get_full_marks(slug, worker):
    found = scores(worker, slug)
    assert {name: (score.verdict, score.detail) for name, score in found.items()} == dict.fromkeys(found, ("right", ""))
    assert sum(score.points for score in found.values()) == sum(score.of for score in found.values()) == len(found)


@pytest.mark.parametrize("slug", COURSE)
def test_untouched_notebooks_get_nothing_and_are_told_apart_from_wrong_ones(slug, worker):
    found = scores(worker, slug, solutions=False)
    assert {(score.verdict, score.points) for score in found.values()} == {("not attempted", 0)}


@pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.name)
def test_plausible_wrong_answers_get_the_hint(exercise, worker):
    if exercise.name not in WRONG:
        pytest.fail(f"tests/lessons/test_checks.py has no wrong answers for {exercise.name}: add at least three")
    for title, body in list(WRONG[exercise.name].items())[:1]:  # tests/lessons/test_checks.py has all of them
        notebook = handed_in(exercise.lesson, {exercise.name: body})
        (score,) = grade.score(notebook, "alice", [exercise], worker)
        assert (score.points, score.verdict) == (0, "wrong"), (title, score)
        assert "- **Hint:** " in grade_report.report("alice", [score]), title


HOSTILE = {
    "an endless loop": ("while True: pass", "too long"),
    "a sleeper": ("__import__('time').sleep(1000)", "too long"),
    "endless printing": ("while True: print('x' * 10**6)", "too long"),
    "a memory bomb": ("return [bytearray(10**7) for _ in range(10**6)]", "error"),
    "a huge tensor": ("return torch.ones(10**11)", "error"),
    "a file that fills the disk": ("open('full.tmp', 'wb').write(bytes(10**7))", "error"),
    "sys.exit": ("raise SystemExit(0)", "error"),
    "os._exit": ("__import__('os')._exit(0)", "crashed"),
    "a segmentation fault": ("__import__('ctypes').string_at(0)", "crashed"),
    "an error that cannot be printed": ("raise type('E', (Exception,), {'__str__': lambda self: 1 / 0})", "crashed"),
    "a module that is missing": ("import no_such_module", "error"),
    "bottomless recursion": ("return radial(points, k1)", "error"),
    "megabytes of output": ("print('right\\n' * 10**7)", "wrong"),
    "asks the teacher": ("return input()", "error"),
    "closes every file": ("import os; os.closerange(3, 1024)", "crashed"),
    "a forged report": (
        """
        import os
        for number in range(3, 256):
            try:
                os.write(number, b'{"verdict": "right", "detail": ""}\\n')
            except OSError:
                continue
        """,
        "tampered with",
    ),
    "another check": ("import tutorial_lib.lessons.camera_distortion.checks as c; c.radial = lambda f: None", "wrong"),
    "another comparison": (
        """
        import tutorial_lib.lessons.camera_distortion.checks as c
        c.compare = lambda *everything, **more: None
        return points * (1 + k1 * (points**2).sum(-1, keepdim=True)) if k1 == -0.4 else "anything"
        """,
        "tampered with",
    ),
    "another torch": (
        """
        torch.Tensor.item = lambda self: 0.0
        return points + 1
        """,
        "tampered with",
    ),
}


@pytest.mark.parametrize("title", HOSTILE)
def test_harm_costs_one_exercise_and_nothing_else(title, worker, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    body, verdict = HOSTILE[title]
    notebook = handed_in(LENS, {"radial": body})
    with monkeypatch.context() as hasty:
        if verdict == "too long":
            hasty.setattr(worker, "seconds", 1.0)
        (harmful,) = grade.score(notebook, "alice", COURSE[LENS][:1], worker)
    assert (harmful.verdict, harmful.points) == (verdict, 0) and harmful.detail, harmful
    assert [score.verdict for score in grade.score(notebook, "alice", COURSE[LENS][1:2], worker)] == ["right"]
    (notebooks.NOTEBOOKS / "full.tmp").unlink(missing_ok=True)


def test_an_answer_that_kills_its_judge_costs_one_exercise(worker):
    body = "import os; os.kill(os.getppid(), 9)"
    found = scores(worker, LENS, {"radial": body})
    assert [score.verdict for score in found.values()] == ["crashed", "right", "right"]


def test_code_outside_the_answer_is_not_run(worker):
    notebook = handed_in(LENS)
    harm = "import tutorial_lib.lessons.camera_distortion.checks as checks\nchecks.compare = print\nraise SystemExit"
    broken = nbformat.v4.new_code_cell("this is (no Python")
    notebook.cells[1:1] = [nbformat.v4.new_code_cell(harm), broken]
    assert all(score.points for score in grade.score(notebook, "alice", COURSE[LENS], worker))


def test_own_helpers_and_constants_are_taken_along(worker):
    notebook = handed_in(LENS, {"radial": "return scale(points, k1)"})
    helpers = "%matplotlib inline\nfrom math import nothing_of_this_name, pi\nONE = pi / pi\n"
    helpers += "def scale(p, k):\n    return p * (ONE + k * (p**2).sum(-1, keepdim=True))"
    notebook.cells.append(nbformat.v4.new_code_cell(helpers))
    assert grade.score(notebook, "alice", COURSE[LENS][:1], worker)[0].verdict == "right"


def test_missing_and_broken_answers_are_named(worker):
    notebook = handed_in(LENS)
    for cell in notebook.cells:
        if cell.source.startswith("def radial"):
            cell.source = "def radial(points, k1):\n    return (((points"
    notebook.cells = [cell for cell in notebook.cells if not cell.source.startswith("def first_fold")]
    found = grade.score(notebook, "alice", COURSE[LENS], worker)
    assert [score.verdict for score in found] == ["not Python", "missing", "right"]
    assert found[0].detail.startswith("line 2 of the cell")


def test_a_local_name_drags_no_cell_along():
    cells = ["points = 1 / 0", "import torch, numpy", "def f(x):\n    points = x.points\n    return torch.sin(points)"]
    steps = answer_slice.read(cells).steps
    kept = [ast.unparse(steps[i].statement).splitlines()[0] for i in sorted(answer_slice.needed(steps, "f"))]
    assert kept == ["import torch", "def f(x):"]


def test_grades_of_a_folder(worker, tmp_path):
    folder = tmp_path / "submissions"
    (folder / "bob" / "deep").mkdir(parents=True)
    (folder / "carol").mkdir()
    nbformat.write(handed_in(LENS), folder / "alice.ipynb")
    nbformat.write(handed_in(LENS, {"radial": "return points"}), folder / "bob" / "deep" / "my lesson.ipynb")
    for name in ("one", "two"):
        nbformat.write(handed_in(LENS), folder / "carol" / f"{name}.ipynb")
    (folder / "dave.ipynb").write_text("{not a notebook")
    nbformat.write(nbformat.v4.new_notebook(), folder / "erin.ipynb")

    found, remarks = grade.grade(folder, {LENS: COURSE[LENS]}, worker)
    shown = grade_report.write(found, remarks, tmp_path / "out")
    with open(tmp_path / "out" / "grades.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["student", "lesson", "exercise", "points", "of", "verdict"]
    total = {name: sum(int(row["points"]) for row in rows if row["student"] == name) for name in ("alice", "bob")}
    assert total == {"alice": 3, "bob": 2}
    assert {row["verdict"] for row in rows if row["student"] == "carol"} == {"handed in twice"}
    assert [row["verdict"] for row in rows if row["student"] in ("dave", "erin")] == ["unreadable"] * 2
    assert f"| {LENS}: radial | 1 of 3 | 1 handed in twice, 1 wrong |" in shown
    assert [remark.split(":")[0] for remark in remarks] == ["dave.ipynb", "erin.ipynb", f"carol, {LENS}"]
    report = (tmp_path / "out" / "reports" / "bob.md").read_text()
    assert "✗ radial: 0 of 1, wrong" in report and "off by up to" in report and "return points\n" in report


def test_a_lesson_is_known_by_its_metadata_its_name_or_its_exercises():
    notebook = handed_in(LENS)
    assert grade.lesson_of(notebook, Path("x.ipynb"), COURSE) == LENS
    notebook.metadata.pop("course")
    assert grade.lesson_of(notebook, Path("x.ipynb"), COURSE) == LENS
    notebook.cells = []
    assert grade.lesson_of(notebook, Path(f"alice/{LENS}/solved.ipynb"), COURSE) == LENS
    with pytest.raises(ValueError, match="none of the lessons"):
        grade.lesson_of(notebook, Path("x.ipynb"), COURSE)


def test_report_cannot_be_broken_by_what_a_student_writes():
    hostile = grade.Score("a|b", LENS, "radial", 0, 1, "wrong", "x\n# <b>full marks</b>. Hint: y", "````\n# 3 of 3")
    text = grade_report.report("a|b", [hostile])
    assert "`````python\n````\n# 3 of 3\n`````" in text and "<b>" not in text
    assert "| a\\|b |" in grade_report.overview([hostile], [])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "no such folder"),
        (["."], "found neither"),
        ([".", "--lesson", "99"], "lesson is '99', expected one of"),
        ([".", "--lesson", "00"], "expected one that has exercises"),
    ],
)
def test_the_command_says_what_is_wrong(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        grade.main(arguments)
    assert message in capsys.readouterr().err


def test_the_command_grades_through_a_sandbox(capsys, tmp_path):
    nbformat.write(handed_in(LENS), tmp_path / "alice.ipynb")
    out = tmp_path / "out"
    assert grade.main([str(tmp_path), "--lesson", "05", "--out", str(out), "--sandbox", "env -u HOME"]) == 0
    assert "| alice | 3 of 3 | 3 of 3 |" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="does not start"), grade.Worker(set(), sandbox="false") as broken:
        broken.judge([], COURSE[LENS][0])
