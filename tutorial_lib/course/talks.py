"""What a presenter plans with: the table on a lesson's presenter's page, and run sheets for a slot of an hour or more.

The table says how long each part of a lesson takes (`| minutes | part | demo |`). It is the one truth: the
clock of the slides (`deck`) and the run sheets follow it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

DRAWERS = Path(__file__).resolve().parents[1] / "lessons"
SLOTS = (60, 90)
"""Minutes that a seminar has."""
QUESTIONS = 5
"""Minutes at the end of a slot that no talk may take."""
HURRY = 0.8
"""Parts get at least this share of their minutes; whoever has less time leaves parts out."""


@dataclass(frozen=True)
class Row:
    """One row of a presenter's table.

    Attributes:
        minutes: how long it takes.
        part: heading of a section of the lesson.
        demo: name of the live demo, "" for the rest of the section.
    """

    minutes: float
    part: str
    demo: str = ""


@dataclass(frozen=True)
class Entry(Row):
    """One line of a run sheet.

    Attributes:
        lesson: slug.
        first: number of the first slide.
        last: number of the last.
    """

    lesson: str = ""
    first: int = 0
    last: int = 0

    @property
    def slides(self) -> str:
        """The slides' numbers, as one says them."""
        return f"{self.first}" if self.first == self.last else f"{self.first}–{self.last}"


def presenter(slug: str) -> str:
    """The text of a lesson's presenter's page; "" if it has none."""
    path = DRAWERS / slug[3:] / "presenter.md"
    return path.read_text(encoding="utf-8") if path.exists() else ""


_ROW = re.compile(r"^\| (\d+) \| (.+?) \| (?:`(\w+)`|–) \|$", re.MULTILINE)


def table(text: str) -> list[Row]:
    """The rows of the table on a presenter's page."""
    return [Row(int(minutes), part, demo) for minutes, part, demo in _ROW.findall(text)]


def without_table(text: str) -> str:
    """A presenter's page without its table: the run sheets say the same with slides and clock."""
    return re.sub(r"^\| minutes .*\n\|[-:|]+\n", "", _ROW.sub("", text), flags=re.MULTILINE)


def sheet(talk: Iterable[Entry], exercises: dict[str, int], slot: int) -> list[tuple[int, Row]]:
    """What happens at which minute of a slot.

    A talk that is too long loses the last of its parts without a demo, if need be all but the first of a lesson; then
    every part gets less time. A short one leaves room for exercises, in their order, then for questions.

    Args:
        talk: the parts of one lesson or several, in order.
        exercises: name to minutes.
        slot: minutes.

    Raises:
        ValueError: if the slot is too short for these lessons' demos.
    """
    entries, room = list(talk), slot - QUESTIONS
    kept_demos = {(entry.lesson, entry.part) for entry in entries if entry.demo}
    for entry in reversed(entries[1:]):
        if HURRY * _total(entries) <= room:
            break
        opens = next(other for other in entries if other.lesson == entry.lesson) is entry
        if not opens and (entry.lesson, entry.part) not in kept_demos:
            entries.remove(entry)
    for entry in reversed(entries[1:]):
        if HURRY * _total(entries) <= room:
            break
        if not entry.demo:
            entries.remove(entry)
    share = min(1.0, room / _total(entries))
    if share < HURRY / 2:
        raise ValueError(
            f"slot is {slot} minutes, expected more for {_total(entries):.0f} minutes of demos: fewer lessons"
        )
    rows: list[Row] = [replace(entry, minutes=entry.minutes * share) for entry in entries]
    left = room - _total(rows)
    for name, minutes in exercises.items():
        if minutes > left:
            break
        rows.append(Row(minutes, f"Exercise: {name}"))
        left -= minutes
    rows.append(Row(slot - _total(rows), "Questions"))
    starts = [sum(row.minutes for row in rows[:number]) for number in range(len(rows))]
    return [(round(start), row) for start, row in zip(starts, rows)]


def _total(rows: Iterable[Row]) -> float:
    return sum(row.minutes for row in rows)
