"""The students' version of the lessons, without solutions: `make student`; and the learners', who have them folded.

    python -m tutorial_lib.course.student [lesson ...] [--out FOLDER]
    python -m tutorial_lib.course.student [lesson ...] --nbgrader FOLDER    a course folder for nbgrader instead

Made from the committed notebooks, which stay as they are. An exercise's one cell becomes two. The first is the
student's: whatever stands between the marks is replaced by `raise NotImplementedError("your turn")`. The second holds
the check, locked. Figures and tables of all other cells stay, so that the notebook reads well before it is run.

Both cells carry Jupyter's own tag `raises-exception`: a missing or wrong answer, even one that is no Python, shows its
error and *Run All* goes on, in JupyterLab, nbclient, papermill and nbval alike. A helper that caught the error would
look tidier, but then a failed check would end without an error, and nbgrader, which knows a failure by its error, would
give full marks for it. Both cells carry nbgrader's metadata as well.

nbgrader cuts solutions out by itself and wants them in its source, so `--nbgrader` writes the split notebooks *with*
solutions, and the settings that make `nbgrader generate_assignment` write the same stub.
"""

import argparse
import ast
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from tqdm.auto import tqdm

from tutorial_lib.course.notebooks import BUILD, NOTEBOOKS, as_command, parse, read_committed, read_source, tags

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = 'raise NotImplementedError("your turn")'
POINTS = 1
"""What a check is worth: it passes or it does not."""

_COPY = """\
> **This is your copy.** In the exercises at the end, your answers go where it says
> `raise NotImplementedError("your turn")`. Until then their checks say *your turn*, and everything else runs without
> your answers. """
NOTE = f"{_COPY}To hand it in, save this file and give it to your teacher as it is."
LEARNERS_NOTE = (
    f"{_COPY}Below each check lies a solution, folded. On a small screen, hide the list of files with Ctrl+B (⌘B on a\n"
    "> Mac): then each demo fits on it whole."
)

NBGRADER_CONFIG = f"""\
# nbgrader's settings for this course: `cd` here, then `nbgrader generate_assignment NN_slug`.
c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "human-pose"
c.ClearSolutions.code_stub = {{"python": {STUB!r}}}
c.ClearOutput.enabled = False  # figures stay; the exercises have no output
"""

_SOLUTION = re.compile(rf"( *){BEGIN}\n.*?{END}", re.DOTALL)
_CHECK = re.compile(r"^checks\.(\w+)\((\w+)\)\s*\Z", re.MULTILINE)


@dataclass(frozen=True)
class Exercise:
    """One exercise of a lesson.

    Attributes:
        name: the function that a student writes, and the one that checks it.
        checks: the module that has the check.
        lesson: slug of the lesson.
    """

    name: str
    checks: str
    lesson: str


def is_exercise(cell: NotebookNode) -> bool:
    """Whether a cell holds a solution between nbgrader's marks."""
    return cell.cell_type == "code" and BEGIN in cell.source


def exercise_name(cell: NotebookNode) -> str:
    """The function that a solution's cell asks for; "" if the cell is no exercise.

    Raises:
        ValueError: if the cell has the marks, but does not end with the check of a function that it defines.
    """
    if not is_exercise(cell):
        return ""
    call = _CHECK.search(cell.source)
    if not call or call[1] != call[2] or not re.search(rf"^def {call[1]}\(", cell.source, re.MULTILINE):
        raise ValueError(
            f"the exercise that begins {cell.source[:60]!r} ends with {cell.source.splitlines()[-1]!r}, expected a "
            "function and, as the last line, its check of the same name: checks.name(name)"
        )
    if not _SOLUTION.search(cell.source):
        raise ValueError(f"the exercise {call[1]} has {BEGIN!r} without {END!r}, expected both, in this order")
    return call[1]


def exercises(slug: str, notebooks: Path = NOTEBOOKS) -> list[Exercise]:
    """The exercises of a lesson in order, from its text.

    Raises:
        ValueError: if a cell with the marks is no exercise, or if the lesson has exercises and imports no checks.
    """
    cells = read_source(slug, notebooks).cells
    names = [name for name in map(exercise_name, cells) if name]
    rooms = [
        f"{node.module}.{alias.name}"
        for cell in cells
        if cell.cell_type == "code" and "checks" in cell.source
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if (alias.asname or alias.name) == "checks"
    ]
    if names and len(set(rooms)) != 1:
        raise ValueError(
            f"{slug} imports {rooms or 'nothing'} as checks, expected one line: "
            "from tutorial_lib.lessons.<slug> import checks"
        )
    return [Exercise(name, rooms[0], slug) for name in names]


def without_solution(source: str) -> str:
    """The code of an exercise with the stub in place of what stands between the marks."""
    return _SOLUTION.sub(lambda found: f"{found[1]}{BEGIN}\n{found[1]}{STUB}\n{found[1]}{END}", source)


def without_marks(source: str) -> str:
    """The code of an exercise as it runs, solution or stub, without the lines around it."""
    return "\n".join(line for line in source.splitlines() if line.strip() not in (BEGIN, END))


def student_notebook(committed: NotebookNode, slug: str, solutions: bool = False, folded: bool = False) -> NotebookNode:
    """The lesson as a student gets it. `committed` stays as it is.

    Args:
        committed: the lesson.
        slug: its name.
        solutions: with the solutions in their places, as nbgrader wants its source.
        folded: with a solution below each check, closed, for who learns alone.

    Raises:
        ValueError: if a cell with the marks is no exercise.
    """
    notebook = nbformat.from_dict(committed)
    cells = []
    for cell in notebook.cells:
        name = exercise_name(cell)
        cells += _answer_and_check(cell, name, solutions) if name else [cell]
        cells += [_fold(cell, name)] if name and folded else []
    if any(map(exercise_name, notebook.cells)) or not folded:
        cells.insert(1, nbformat.v4.new_markdown_cell(LEARNERS_NOTE if folded else NOTE, id="your-copy"))
    notebook.cells = cells
    notebook.metadata.course = {"lesson": slug}  # by this the grader knows it, whatever the file is called
    nbformat.validate(notebook)
    return notebook


def _answer_and_check(cell: NotebookNode, name: str, solutions: bool) -> list[NotebookNode]:
    """The two cells that become of an exercise's one."""
    answer, check = nbformat.from_dict(cell), nbformat.from_dict(cell)
    answer.source = _CHECK.sub("", cell.source).rstrip()
    if not solutions:
        answer.source = without_solution(answer.source)
    check.source = f"checks.{name}({name})"
    check.id = f"{cell.id}-check"
    for part, graded in ((answer, False), (check, True)):
        part.outputs, part.execution_count = [], None
        part.metadata.tags = [*tags(cell), "raises-exception"]
        part.metadata.nbgrader = {
            "grade_id": f"{name}-check" if graded else name,
            "grade": graded,
            "solution": not graded,
            "locked": graded,
            "task": False,
            "schema_version": 3,
        } | ({"points": POINTS} if graded else {})
    return [answer, check]


def _fold(cell: NotebookNode, name: str) -> NotebookNode:
    """A solution that opens at a click."""
    code = without_marks(_CHECK.sub("", cell.source)).strip()
    text = f"<details><summary>A solution of <code>{name}</code></summary>\n\n```python\n{code}\n```\n\n</details>"
    return nbformat.v4.new_markdown_cell(text, id=f"{cell.id}-solution")


def learners_copy(content: bytes, slug: str) -> bytes:
    """A committed lesson's file as `make lab` lays it out for who learns alone.

    Raises:
        ValueError: a file that is no notebook, or a cell with the marks that is no exercise.
    """
    try:
        committed = nbformat.reads(content.decode("utf-8"), as_version=4)
    except Exception as problem:  # nbformat raises many kinds
        raise ValueError(f"{slug} is no notebook ({problem}): restore the file") from problem
    notebook = student_notebook(committed, slug, folded=True)
    return (nbformat.writes(notebook).rstrip("\n") + "\n").encode("utf-8")


def write(slug: str, out: Path, notebooks: Path = NOTEBOOKS) -> Path:
    """Write the student version of a lesson into `out`.

    Raises:
        FileNotFoundError: if the lesson was never built.
        ValueError: if a cell with the marks is no exercise.
    """
    return _save(student_notebook(read_committed(slug, notebooks), slug), out / f"{slug}.ipynb")


def write_for_nbgrader(slug: str, course: Path, notebooks: Path = NOTEBOOKS) -> Path:
    """Write a lesson with its solutions where nbgrader looks for it, and nbgrader's settings if there are none."""
    settings = course / "nbgrader_config.py"
    path = _save(
        student_notebook(read_committed(slug, notebooks), slug, solutions=True),
        course / "source" / slug / f"{slug}.ipynb",
    )
    if not settings.exists():
        settings.write_text(NBGRADER_CONFIG, encoding="utf-8")
    return path


def _save(notebook: NotebookNode, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(notebook).rstrip("\n") + "\n", encoding="utf-8")
    return path


def main(arguments: list[str] | None = None) -> int:
    """The command; returns the number of lessons that could not be written."""
    parser = argparse.ArgumentParser(description="Write the lessons without their solutions.")
    parser.add_argument("--out", type=Path, default=BUILD / "student", help="folder for the students' notebooks")
    parser.add_argument("--nbgrader", type=Path, metavar="FOLDER", help="write a course folder for nbgrader instead")
    options = parse(parser, arguments)
    failed, written = 0, []
    for slug in tqdm(options.lessons, desc="student versions", unit="lesson"):
        try:
            if options.nbgrader:
                written.append(write_for_nbgrader(slug, options.nbgrader))
            else:
                written.append(write(slug, options.out))
        except (ValueError, FileNotFoundError) as error:
            print(f"{slug}: {error}", file=sys.stderr)
            failed += 1
    for path in written:
        print(path)
    return failed


if __name__ == "__main__":
    as_command(main)
