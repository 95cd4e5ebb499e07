"""Scores handed-in notebooks: `make grade SUBMISSIONS=folder`.

    python -m tutorial_lib.course.grade FOLDER [--lesson 05 06] [--out build/grades]
        [--seconds 20] [--memory 1024] [--sandbox COMMAND]

The folder holds one notebook a student (`alice.ipynb`), or one folder a student with notebooks in it, as deep as one
likes; so nbgrader's `submitted` will do as well. A notebook is not run: what its exercises need is taken out of it
(`answer_slice`) and tried with the lesson's own checks in another process (`grade_worker`); outputs are not looked at.
Every exercise is scored by itself, so one that hangs or crashes costs nothing but its own point.

Written are `grades.csv` (student, lesson, exercise, points, of, verdict), `overview.md`, and one report a student.
"""

import argparse
import json
import os
import re
import select as waiting
import shlex
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from tqdm.auto import tqdm

from tutorial_lib.course import grade_report
from tutorial_lib.course.answer_slice import defines
from tutorial_lib.course.grade_report import Score
from tutorial_lib.course.notebooks import BUILD, NOTEBOOKS, read_notebook, select
from tutorial_lib.course.student import POINTS, Exercise, exercises

START_SECONDS = 300
"""How long a worker may take to import torch on a busy machine."""
LARGEST_NOTEBOOK = 20_000_000
UNREADABLE = "unreadable"


class Worker:
    """The process that runs students' code; started when it is needed, and again after it was killed.

    Args:
        checks: modules that it imports once, before any student's code.
        seconds: processor time an exercise may take; on the clock, twice as much.
        megabytes: memory that an exercise may take.
        sandbox: a command, with its arguments, that the worker is started through.
    """

    def __init__(self, checks: set[str], seconds: float = 20.0, megabytes: int = 1024, sandbox: str = "") -> None:
        self.checks, self.seconds, self.megabytes = sorted(checks), seconds, megabytes
        self._command = [*shlex.split(sandbox), sys.executable, "-m", "tutorial_lib.course.grade_worker"]
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def judge(self, cells: list[str], exercise: Exercise) -> dict[str, str]:
        """`{"verdict": ..., "detail": ...}` for one exercise of a notebook with these code cells.

        Raises:
            RuntimeError: if no worker can be started.
        """
        if self._process is None:
            environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=NOTEBOOKS,
                env=environment,
                start_new_session=True,
            )
            if self._ask({"prepare": self.checks}, START_SECONDS) != {"ready": True}:
                self._stop()
                raise RuntimeError(f"the grader's worker does not start, expected this to run: {self._command}")
        job = {"cells": cells, "exercise": exercise.name, "checks": exercise.checks}
        answer = self._ask(job | {"seconds": self.seconds, "megabytes": self.megabytes}, 2 * self.seconds + 60)
        if answer is None:
            self._stop()
            return {"verdict": "crashed", "detail": "the answer ended or stopped the process that ran it"}
        return answer

    def _ask(self, job: dict, seconds: float) -> dict | None:
        """The worker's answer to a job; None if it is dead or says nothing in time."""
        if not (self._process and self._process.stdin and self._process.stdout):
            return None
        try:
            self._process.stdin.write(json.dumps(job).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return None
        ready, _, _ = waiting.select([self._process.stdout], [], [], seconds)
        line = self._process.stdout.readline() if ready else b""
        return json.loads(line) if line else None

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def find(folder: Path) -> list[tuple[str, Path]]:
    """(student, notebook) of everything handed in, in order.

    Raises:
        ValueError: if there is no such folder, or no notebook in it.
    """
    if not folder.is_dir():
        raise ValueError(f"submissions is {str(folder)!r}, expected a folder of notebooks: no such folder")
    paths = sorted(p for p in folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
    if not paths:
        raise ValueError(f"submissions is {str(folder)!r}, expected alice.ipynb or alice/*.ipynb in it, found neither")
    return [(path.relative_to(folder).parts[0].removesuffix(".ipynb"), path) for path in paths]


def lesson_of(notebook: NotebookNode, path: Path, course: dict[str, list[Exercise]]) -> str:
    """The slug of the lesson that a notebook is, by its metadata, else its name or folder, else what it defines.

    Raises:
        ValueError: if nothing tells.
    """
    told = notebook.metadata.get("course", {}).get("lesson")
    if told in course:
        return told
    for part in reversed(path.parts):
        for slug in course:
            if slug in part:
                return slug
    sources = code_cells(notebook)
    found = {s: sum(any(defines(c, e.name) for c in sources) for e in course[s]) for s in course}
    best = max(found, key=lambda slug: found[slug])
    if not found[best]:
        known = ", ".join(course)
        raise ValueError(f"it is none of the lessons {known}: it has none of their exercises, and no such name")
    return best


def code_cells(notebook: NotebookNode) -> list[str]:
    """The text of its code cells."""
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def read(path: Path) -> NotebookNode:
    """A handed-in notebook.

    Raises:
        ValueError: if it is too large, or no notebook of version 4.
    """
    if path.stat().st_size > LARGEST_NOTEBOOK:
        raise ValueError(f"it has {path.stat().st_size:,} bytes, expected at most {LARGEST_NOTEBOOK:,}")
    try:
        notebook = read_notebook(path)
        nbformat.validate(notebook)
    except Exception as error:  # whatever a damaged file provokes in the parser is the file's fault
        raise ValueError(f"it is no notebook ({type(error).__name__}: {str(error)[:200]})") from error
    return notebook


def score(notebook: NotebookNode, student: str, wanted: list[Exercise], worker: Worker) -> list[Score]:
    """The scores of one notebook, one for each exercise of its lesson."""
    cells = code_cells(notebook)
    scores = []
    for exercise in wanted:
        answer = worker.judge(cells, exercise)
        code = next((cell for cell in reversed(cells) if defines(cell, exercise.name)), "")
        points = POINTS if answer["verdict"] == "right" else 0
        scores.append(Score(student, exercise.lesson, exercise.name, points, POINTS, **answer, code=code))
    return scores


def grade(folder: Path, course: dict[str, list[Exercise]], worker: Worker) -> tuple[list[Score], list[str]]:
    """(scores of all submissions, what else a teacher should know).

    Raises:
        ValueError: if there is nothing to grade.
    """
    scores, remarks, work = [], [], {}
    for student, path in find(folder):
        name = path.relative_to(folder)
        try:
            notebook = read(path)
            slug = lesson_of(notebook, name, course)
        except ValueError as error:
            remarks.append(f"{name}: not graded, {error}")
            scores.append(Score(student, "", "", 0, 0, UNREADABLE, str(error)))
            continue
        work.setdefault((student, slug), []).append((name, notebook))
    bar = tqdm(total=sum(len(course[slug]) for _, slug in work), desc="exercises", unit="exercise")
    for (student, slug), found in work.items():
        if len(found) > 1:
            names = ", ".join(str(name) for name, _ in found)
            remarks.append(f"{student}, {slug}: not graded, handed in more than once: {names}. Keep one.")
            scores += [Score(student, slug, e.name, 0, POINTS, "handed in twice", names) for e in course[slug]]
        else:
            bar.set_postfix_str(f"{student}, {slug}")
            scores += score(found[0][1], student, course[slug], worker)
        bar.update(len(course[slug]))
    bar.close()
    return scores, remarks


def main(arguments: list[str] | None = None) -> int:
    """The command; returns 0 if everything could be graded, whatever the grades are."""
    parser = argparse.ArgumentParser(description="Score handed-in notebooks.")
    parser.add_argument("submissions", type=Path, help="folder of alice.ipynb or alice/*.ipynb")
    parser.add_argument("--lesson", nargs="+", default=[], help="slug or number, e.g. 05; all if none is named")
    parser.add_argument("--out", type=Path, default=BUILD / "grades", help="folder for grades and reports")
    parser.add_argument("--seconds", type=float, default=20.0, help="processor time for one exercise")
    parser.add_argument("--memory", type=int, default=1024, metavar="MB", help="memory for one exercise")
    parser.add_argument("--sandbox", default="", metavar="COMMAND", help="command to run the students' code through")
    options = parser.parse_args(arguments)
    try:
        course = {slug: found for slug in select(options.lesson) if (found := exercises(slug))}
        if not course:
            raise ValueError(f"lesson is {' '.join(options.lesson)!r}, expected one that has exercises")
        checks = {exercise.checks for found in course.values() for exercise in found}
        with Worker(checks, options.seconds, options.memory, options.sandbox) as worker:
            scores, remarks = grade(options.submissions, course, worker)
    except ValueError as error:
        parser.error(re.sub(r"\s+", " ", str(error)))
    print(grade_report.write(scores, remarks, options.out))
    return int(bool(remarks))


if __name__ == "__main__":
    sys.exit(main())
