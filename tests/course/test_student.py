"""The students' notebooks: no solution in them, whole otherwise, and *Run All* gets to the end."""

import re
import shutil
import subprocess

import jupytext
import nbformat
import pytest

from tutorial_lib.course import build, notebooks, student

SLUGS = [slug for slug in notebooks.slugs() if student.exercises(slug)]
BUILT = [slug for slug in notebooks.slugs() if (notebooks.NOTEBOOKS / f"{slug}.ipynb").exists()]
MARKED = re.compile(rf"{student.BEGIN}\n(.*?)\n *{student.END}", re.DOTALL)

SCRATCH = """\
# %% [markdown]
# # 99 · A scratch lesson?

# %%
import torch
from tutorial_lib.lessons.camera_distortion import checks

# %%
def radial(points, k1):
    ### BEGIN SOLUTION
    return points * (1 + k1 * (points**2).sum(-1, keepdim=True))
    ### END SOLUTION

checks.radial(radial)

# %%
def first_fold(k1):
    ### BEGIN SOLUTION
    return (-1 / (3 * k1)) ** 0.5 if k1 < 0 else float("inf")
    ### END SOLUTION

checks.first_fold(first_fold)

# %%
print("the end is reached")
"""


def scratch(text=SCRATCH):
    return jupytext.reads(text, fmt="py:percent")


def exercise_cells(notebook):
    """grade_id -> cell."""
    return {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells if "nbgrader" in cell.metadata}


@pytest.mark.parametrize("slug", SLUGS)
def test_no_solution_is_left_and_every_check_is(slug):
    source = notebooks.read_source(slug)
    solutions = {s.strip() for cell in source.cells for s in MARKED.findall(cell.source)}
    notebook = student.student_notebook(source, slug)
    text = "\n".join(cell.source for cell in notebook.cells)
    assert len(solutions) >= 3 and not [solution for solution in solutions if solution in text]
    cells = exercise_cells(notebook)
    for exercise in student.exercises(slug):
        name = exercise.name
        assert cells[name].source.count(student.STUB) == 1
        assert cells[f"{name}-check"].source == f"checks.{name}({name})"
        compile(cells[name].source, name, "exec")


@pytest.mark.parametrize("slug", BUILT)
def test_all_else_stays_as_it_was_committed(slug, tmp_path):
    path = notebooks.NOTEBOOKS / f"{slug}.ipynb"
    before = path.read_bytes()
    derived = notebooks.read_notebook(student.write(slug, tmp_path))
    assert path.read_bytes() == before
    rest = [cell for cell in derived.cells if "nbgrader" not in cell.metadata and cell.id != "your-copy"]
    assert rest == [cell for cell in notebooks.read_committed(slug).cells if student.BEGIN not in cell.source]
    assert any(cell.get("outputs") for cell in rest)
    for cell in exercise_cells(derived).values():
        assert (cell.outputs, cell.execution_count) == ([], None)
    ids = [cell.id for cell in derived.cells]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("slug", SLUGS)
def test_metadata_is_what_nbgrader_documents(slug):
    """nbgrader's metadata of version 3: https://nbgrader.readthedocs.io, "The nbgrader metadata"."""
    cells = exercise_cells(student.student_notebook(notebooks.read_source(slug), slug))
    assert len(cells) == 2 * len(student.exercises(slug))
    for name, cell in cells.items():
        about = dict(cell.metadata.nbgrader)
        check = name.endswith("-check")
        assert re.fullmatch(r"[a-zA-Z0-9_\-]+", name)
        assert about.pop("points", None) == (1 if check else None)
        assert about == {
            "grade_id": name,
            "grade": check,
            "locked": check,
            "solution": not check,
            "task": False,
            "schema_version": 3,
        }


def test_run_all_gets_past_missing_and_broken_answers(tmp_path):
    notebook = student.student_notebook(scratch(), "99_scratch")
    cells = exercise_cells(notebook)
    cells["first_fold"].source = "def first_fold(k1:\n    return"
    with notebooks.kernel_environment():
        build.execute(notebook, tmp_path, "scratch")  # stops at any error that no tag expects
    errors = {name: [o.ename for o in c.outputs if o.output_type == "error"] for name, c in cells.items()}
    assert errors == {
        "radial": [],
        "radial-check": ["NotImplementedError"],
        "first_fold": ["SyntaxError"],
        "first_fold-check": ["NameError"],
    }
    assert notebook.cells[-1].outputs[0].text == "the end is reached\n"


def test_for_nbgrader_the_solutions_stay_between_its_marks(tmp_path):
    slug = BUILT[-1]
    path = student.write_for_nbgrader(slug, tmp_path)
    assert path == tmp_path / "source" / slug / f"{slug}.ipynb"
    cells = exercise_cells(notebooks.read_notebook(path))
    assert all(MARKED.search(cell.source) for name, cell in cells.items() if not name.endswith("-check"))
    settings = tmp_path / "nbgrader_config.py"
    compile(settings.read_text(), "nbgrader_config.py", "exec")
    settings.write_text("mine")
    student.write_for_nbgrader(slug, tmp_path)
    assert settings.read_text() == "mine"


@pytest.mark.skipif(not shutil.which("nbgrader"), reason="nbgrader is not installed (it is not part of the course)")
def test_nbgrader_releases_what_we_write(tmp_path):
    slug = BUILT[-1]
    student.write_for_nbgrader(slug, tmp_path)
    subprocess.run(["nbgrader", "generate_assignment", slug], cwd=tmp_path, check=True)
    released = notebooks.read_notebook(tmp_path / "release" / slug / f"{slug}.ipynb")
    ours = exercise_cells(student.student_notebook(notebooks.read_committed(slug), slug))
    for name, cell in exercise_cells(released).items():
        assert cell.source == "\n".join(line for line in ours[name].source.splitlines() if "### " not in line)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("checks.radial(radial)", "radial(1, 2)", "ends with 'radial\\(1, 2\\)', expected a function and"),
        ("checks.radial(radial)", "checks.radial(first_fold)", "expected a function and"),
        ("def radial(points, k1):", "def other(points, k1):", "expected a function and"),
        ("    ### END SOLUTION\n\nchecks.radial", "\nchecks.radial", "without '### END SOLUTION'"),
    ],
)
def test_cells_that_are_no_exercises_are_refused(old, new, message):
    with pytest.raises(ValueError, match=message):
        student.student_notebook(scratch(SCRATCH.replace(old, new, 1)), "99_scratch")


def test_exercises_know_their_checks(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "99_scratch.py").write_text(SCRATCH)
    found = student.exercises("99_scratch", tmp_path)
    assert [(e.name, e.checks) for e in found] == [
        (n, "tutorial_lib.lessons.camera_distortion.checks") for n in ("radial", "first_fold")
    ]
    (source / "99_scratch.py").write_text(
        SCRATCH.replace("from tutorial_lib.lessons.camera_distortion import checks", "")
    )
    with pytest.raises(ValueError, match="imports nothing as checks"):
        student.exercises("99_scratch", tmp_path)


def test_the_command_writes_and_says_what_it_cannot(tmp_path, capsys, monkeypatch):
    assert student.main([BUILT[0], "--out", str(tmp_path)]) == 0
    assert nbformat.read(tmp_path / f"{BUILT[0]}.ipynb", 4).metadata.course.lesson == BUILT[0]
    with pytest.raises(SystemExit):
        student.main(["nothing like it"])
    assert "expected one of" in capsys.readouterr().err

    def never_built(slug, notebooks):
        raise FileNotFoundError(f"{slug} has not been built yet")

    monkeypatch.setattr(student, "read_committed", never_built)
    assert student.main([BUILT[0], "--out", str(tmp_path)]) == 1
    assert "has not been built yet" in capsys.readouterr().err
