"""What the grader writes: a table for the computer, an overview for the teacher, a report for every student."""

import csv
import hashlib
import io
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutorial_lib.folders import write_whole

COLUMNS = ("student", "lesson", "exercise", "points", "of", "verdict")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_LONGEST_NAME = 200  # bytes; disks take 255, and `write_whole` and ".md" want some
_UNREADABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_SHOWN = 4000
"""Characters of an answer that a report repeats."""


@dataclass(frozen=True)
class Score:
    """What one exercise of one student came to.

    Attributes:
        student: whose it is.
        lesson: slug; "" for a file that could not be read.
        exercise: its name; "" for a file that could not be read.
        points: given.
        of: points that there are.
        verdict: in two or three words, see `grade_worker`.
        detail: what was expected, and after "Hint: " the check's hint.
        code: what was handed in.
    """

    student: str
    lesson: str
    exercise: str
    points: int
    of: int
    verdict: str
    detail: str = ""
    code: str = ""


def write(scores: list[Score], remarks: list[str], out: Path) -> str:
    """Write `grades.csv`, `overview.md` and `reports/<student>.md` into `out`; returns a summary for the terminal."""
    (out / "reports").mkdir(parents=True, exist_ok=True)
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(COLUMNS)
    rows.writerows([_cell(getattr(score, column)) for column in COLUMNS] for score in scores)
    _save(out / "grades.csv", table.getvalue())
    for old in (out / "reports").glob("*.md"):
        old.unlink()  # of somebody who is no longer among the submissions
    for student, own in _by(scores, "student").items():
        _save(out / "reports" / f"{_file_name(student)}.md", report(student, own))
    text = overview(scores, remarks)
    _save(out / "overview.md", text)
    return f"{text}\n{out / 'grades.csv'}\n{out / 'overview.md'}\n{out / 'reports'}"


def readable(text: str) -> str:
    """A name as it can be written and shown anywhere: with escapes for control characters and for what is no text."""
    return _UNREADABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def _save(path: Path, text: str) -> None:
    """Write a file whole; half a character, which only a damaged notebook has, becomes its escape."""
    write_whole(path, lambda half: half.write_bytes(text.encode("utf-8", "backslashreplace")))


def _cell(value: object) -> object:
    """A value of the table; with an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _file_name(student: str) -> str:
    """A name that any disk takes: a long one is cut, and told from its like by a hash."""
    name = readable(student).replace("/", "_")
    if len(name.encode()) <= _LONGEST_NAME:
        return name
    return (
        f"{name.encode()[: _LONGEST_NAME - 10].decode(errors='ignore')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    )


def report(student: str, scores: list[Score]) -> str:
    """One student's report in Markdown: for every exercise the verdict, what was expected, the hint, the answer."""
    lines = [f"# {_plain(student)}: {_total(scores)}", ""]
    for lesson, own in _by(scores, "lesson").items():
        lines += [f"## {lesson or 'A file that could not be graded'}: {_total(own)}", ""]
        for score in own:
            mark = "✓" if score.points else "✗"
            lines += [f"### {mark} {score.exercise or 'not graded'}: {score.points} of {score.of}, {score.verdict}", ""]
            expected, _, hint = score.detail.partition("Hint: ")
            lines += [f"- {_plain(expected)}"] if expected else []
            lines += [f"- **Hint:** {_plain(hint)}"] if hint else []
            lines += ["", *_fenced(score.code), ""] if score.code else [""]
    return "\n".join(lines)


def overview(scores: list[Score], remarks: list[str]) -> str:
    """Who has how many points in which lesson, and how many solved which exercise."""
    lessons = [lesson for lesson in _by(scores, "lesson") if lesson]
    lines = ["| student | " + " | ".join([*lessons, "total"]) + " |", "|---|" + "---:|" * (len(lessons) + 1)]
    for student, own in _by(scores, "student").items():
        parts = [_total([s for s in own if s.lesson == lesson]) for lesson in lessons]
        lines.append(f"| {_plain(student)} | " + " | ".join([*parts, _total(own)]) + " |")
    lines += ["", "| exercise | right | other verdicts |", "|---|---:|---|"]
    for (lesson, exercise), own in _by(scores, "lesson", "exercise").items():
        others = defaultdict(int)
        for score in own:
            others[score.verdict] += not score.points
        said = ", ".join(f"{count} {verdict}" for verdict, count in sorted(others.items()) if count)
        if exercise:
            lines.append(f"| {lesson}: {exercise} | {sum(s.points > 0 for s in own)} of {len(own)} | {said} |")
    lines += ["", *(f"- {_plain(remark)}" for remark in remarks)] if remarks else []
    return "\n".join(lines) + "\n"


def _by(scores: list[Score], *keys: str) -> dict[Any, list[Score]]:
    """Scores grouped by attributes, in the order of the names."""
    groups = defaultdict(list)
    for score in scores:
        found = tuple(getattr(score, key) for key in keys)
        groups[found if len(keys) > 1 else found[0]].append(score)
    order = groups if "exercise" in keys else sorted(groups)  # exercises stay in the order of the lesson
    return {key: groups[key] for key in order}


def _total(scores: list[Score]) -> str:
    """Points of all points that there are."""
    return f"{sum(s.points for s in scores)} of {sum(s.of for s in scores)}" if scores else "–"


def _plain(text: str) -> str:
    """A student's text as one line that cannot end the heading, table or list it stands in, shows and links nothing."""
    line = readable(re.sub(r"\s+", " ", text).strip())
    return re.sub(r"([\\|`])", r"\\\1", line).replace("<", "&lt;").replace("](", "]\\(")


def _fenced(code: str) -> list[str]:
    """Code as a block; its fence is longer than any in it."""
    shown = code if len(code) <= _SHOWN else f"{code[:_SHOWN]}\n… {len(code) - _SHOWN:,} more characters"
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}python", shown, fence]
