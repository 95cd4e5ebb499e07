"""Scores handed-in notebooks: `make grade SUBMISSIONS=folder`.

    python -m tutorial_lib.course.grade FOLDER [--lesson 05 06] [--out build/grades]
        [--seconds 20] [--memory 1024] [--sandbox COMMAND]

The folder holds one notebook a student (`alice.ipynb`), or one folder a student with notebooks in it, as deep as one
likes; so nbgrader's `submitted` will do as well. Its lesson is not run: what an exercise needs is taken out of it
(`answer_slice`), run as the notebook would up to the exercise's own check (`answer_judge`), and tried with the lesson's
checks in another process (`grade_worker`); outputs are not looked at. Every exercise is scored by itself, so one that
hangs or crashes costs nothing but its own point, and a file that is no notebook (`submissions`) nobody else's.

The exit status is 0 if everything that was handed in could be graded, whatever the marks are; 1 if the table is
written, but something could not be graded, which the overview names; 2 if there is nothing to grade, and no table.

Written are `grades.csv` (student, lesson, exercise, points, of, verdict), `overview.md`, and one report a student.
"""

import argparse
import functools
import json
import os
import re
import select as waiting
import shlex
import subprocess
import sys
from pathlib import Path

from nbformat import NotebookNode
from tqdm.auto import tqdm

from tutorial_lib.course import grade_report
from tutorial_lib.course.answer_slice import defines
from tutorial_lib.course.grade_report import Score, readable
from tutorial_lib.course.notebooks import BUILD, NOTEBOOKS, read_source, select
from tutorial_lib.course.student import POINTS, Exercise, exercises
from tutorial_lib.course.submissions import code_cells, find, read

START_SECONDS = 300
"""How long a worker may take to import torch on a busy machine."""
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
            quiet = {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
            unseen = {"MPLBACKEND": "agg", "PLOTLY_RENDERER": "json"}  # no figure opens a window
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=NOTEBOOKS,
                env=os.environ | quiet | unseen,
                start_new_session=True,
            )
            if self._ask({"prepare": self.checks}, START_SECONDS) != {"ready": True}:
                self._stop()
                raise RuntimeError(f"the grader's worker does not start, expected this to run: {self._command}")
        limits = {"seconds": self.seconds, "megabytes": self.megabytes}
        what = {"exercise": exercise.name, "checks": exercise.checks, "lesson": lesson_cells(exercise.lesson)}
        answer = self._ask({"cells": cells} | what | limits, 2 * self.seconds + 60)
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
        return json.loads(line) if line.endswith(b"\n") else None  # else it died while it wrote

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def lesson_of(notebook: NotebookNode, path: Path, course: dict[str, list[Exercise]]) -> str:
    """The slug of the lesson that a notebook is, by its metadata, else its name or folder, else what it defines.

    Raises:
        ValueError: if nothing tells.
    """
    about = notebook.metadata.get("course")
    told = about.get("lesson") if isinstance(about, dict) else None
    if isinstance(told, str) and told in course:
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


@functools.cache
def lesson_cells(slug: str) -> list[str]:
    """The text of a lesson's own code cells."""
    return code_cells(read_source(slug))


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
        name = readable(str(path.relative_to(folder)))
        try:
            notebook = read(path)
            slug = lesson_of(notebook, path.relative_to(folder), course)
        except ValueError as error:
            remarks.append(f"{name}: not graded, {error}")
            scores.append(Score(student, "", "", 0, 0, UNREADABLE, str(error)))
            continue
        work.setdefault((student, slug), []).append((name, notebook))
    bar = tqdm(total=sum(len(course[slug]) for _, slug in work), desc="exercises", unit="exercise")
    for (student, slug), found in work.items():
        if len(found) > 1:
            names = ", ".join(name for name, _ in found)
            remarks.append(f"{student}, {slug}: not graded, handed in more than once: {names}. Keep one.")
            scores += [Score(student, slug, e.name, 0, POINTS, "handed in twice", names) for e in course[slug]]
        else:
            bar.set_postfix_str(f"{student}, {slug}")
            scores += score(found[0][1], student, course[slug], worker)
        bar.update(len(course[slug]))
    bar.close()
    return scores, remarks


def main(arguments: list[str] | None = None) -> int:
    """The command; returns 0 if everything could be graded, else 1. Ends with status 2 if there is nothing to grade."""
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
    except (ValueError, RuntimeError) as error:
        parser.error(re.sub(r"\s+", " ", str(error)))
    shown = grade_report.write(scores, remarks, options.out)
    print(shown.encode(sys.stdout.encoding, "backslashreplace").decode(sys.stdout.encoding))
    return int(bool(remarks))


if __name__ == "__main__":
    sys.exit(main())
