"""What a presenter plans with: the table on a lesson's presenter's page, and the run sheet of a talk."""

import re
from dataclasses import dataclass
from pathlib import Path

DRAWERS = Path(__file__).resolve().parents[1] / "lessons"


@dataclass(frozen=True)
class Row:
    """One row of a presenter's table.

    Attributes:
        minutes: how long it takes.
        part: heading of a section of the lesson.
        demo: name of the live demo, "" for the rest of the section.
    """

    minutes: int
    part: str
    demo: str


def presenter(slug: str) -> str:
    """The text of a lesson's presenter's page; "" if it has none."""
    path = DRAWERS / slug[3:] / "presenter.md"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def table(text: str) -> list[Row]:
    """The rows of the table on a presenter's page: `| minutes | part | demo |`."""
    rows = re.findall(r"^\| (\d+) \| (.+?) \| (?:`(\w+)`|–) \|$", text, re.MULTILINE)
    return [Row(int(minutes), part, demo) for minutes, part, demo in rows]
