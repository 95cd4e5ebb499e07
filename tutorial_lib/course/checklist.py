"""The sheet of fourteen points that every lesson keeps: `make sheet`, and a test for each lesson.

    python -m tutorial_lib.course.checklist [lesson ...]

It reads the lesson's text and runs nothing, so it says only that a thing is there, never that it is good. That the
demos move, the figures have pictures and the quick profile keeps its budget, tests/course/test_notebooks.py finds out.

Lesson 00 is a doorway of ten minutes for people who have not yet seen a formula. It is exempt from what would make it
a lesson: the library's source and the formula beside it (nobody can read them yet), claim cards (one person and nine
lenses prove nothing, and it says so) and exercises (there is nothing to implement). Its questions to predict are four
in one list, and count as such.
"""

import argparse
import ast
import re
from collections.abc import Callable, Iterator

from nbformat import NotebookNode

from tutorial_lib.course.answer_slice import names
from tutorial_lib.course.notebooks import as_command, parse, read_source, tags
from tutorial_lib.course.student import exercise_name, is_exercise

POINTS = {
    "title": "the first line is `# NN · One question?`, with the number of the file",
    "objectives": "**You will** and **You will learn** before the first code",
    "needs": "**You need** and **Time:** N minutes before the first code",
    "predict": "at least three questions `> **Predict.** ...?` before something moves",
    "demo": "a demo ends a cell, and the next cell, tagged demo-test, moves it",
    "twin": "show(...) draws what a demo tells for readers without a kernel",
    "source": "source(...) shows the library's code where it is studied",
    "formula": "a section has a formula and the code of it, side by side",
    "claims": "claim cards: record(Claim(...))",
    "exercises": "at least three exercises that end with checks.name(name), and no other cell uses the answers",
    "break": "one section `## Break it`",
    "summary": "`## Summary` (or `## In five lines`) with the lines 1. to 5.",
    "reading": "`## Further reading` with a list",
    "settings": 'one cell tagged parameters: PROFILE = "quick" (and a word on "full"), SEED, DEVICE, MOTION',
}
EXEMPT = {"00": {"source", "formula", "claims", "exercises"}}


def missing(slug: str, notebook: NotebookNode) -> dict[str, str]:
    """Point -> what the lesson lacks of it; empty if it keeps the sheet."""
    problems: dict[str, str] = {}
    for point, look in LOOKS.items():
        if point not in EXEMPT.get(slug[:2], ()):
            for problem in look(slug, notebook):
                problems.setdefault(point, problem)
    if found := re.search(r".*\bTODO\b.*", "\n".join(cell.source for cell in notebook.cells)):
        problems["template"] = f"something of the template is left: {found[0].strip()[:80]!r}"
    return problems


def _title(slug: str, notebook: NotebookNode) -> Iterator[str]:
    first = notebook.cells[0].source.splitlines()[0] if notebook.cells else ""
    if not re.fullmatch(rf"# {slug[:2]} · [^?]+\?", first):
        yield f"it begins {first[:80]!r}"


def _objectives(slug: str, notebook: NotebookNode) -> Iterator[str]:
    start = _start(notebook)
    if not re.search(r"\*\*(In this lesson you|You) will\*\*", start):
        yield "nothing says what you **will** do"
    if "**You will learn**" not in start:
        yield "no **You will learn**"


def _needs(slug: str, notebook: NotebookNode) -> Iterator[str]:
    start = _start(notebook)
    if "**You need**" not in start:
        yield "no **You need**"
    if not re.search(r"\*\*Time:\*\*\s+\d+\s+minutes", start):
        yield "no **Time:** N minutes"


def _predict(slug: str, notebook: NotebookNode) -> Iterator[str]:
    text = "\n".join(_prose(notebook.cells))
    questions = 0
    for quote in re.findall(r"^> \*\*Predict.*(?:\n>.*)*", text, re.MULTILINE):
        questions += max(1, len(re.findall(r"^> \d+\.", quote, re.MULTILINE)))
    if questions < 3:
        yield f"there are {questions}"


def _demo(slug: str, notebook: NotebookNode) -> Iterator[str]:
    code = _code(notebook.cells)
    driven = [(before, cell) for before, cell in zip(code, code[1:]) if "demo-test" in tags(cell)]
    if not driven:
        yield "no cell is tagged demo-test"
    for before, cell in driven:
        last = before.source.rstrip().splitlines()[-1].strip()
        if not last.isidentifier():
            yield f"the cell before a demo-test ends with {last[:60]!r}, expected the demo's name, which shows it"
        elif not re.search(rf"\b{last}\b(\.set\(|\.reset\(\)|\.check\()", cell.source):
            yield f"the demo-test after {last!r} never moves or checks it"


def _twin(slug: str, notebook: NotebookNode) -> Iterator[str]:
    if not _calls(notebook.cells, "show"):
        yield "nothing is shown with show(...)"


def _source(slug: str, notebook: NotebookNode) -> Iterator[str]:
    if not _calls(notebook.cells, "source"):
        yield "nothing is shown with source(...)"


def _formula(slug: str, notebook: NotebookNode) -> Iterator[str]:
    for section in _sections(notebook):
        if _calls(section, "source") and re.search(r"\$[^$]+\$", "\n".join(_prose(section))):
            return
    yield "no section has a formula in $ ... $ and source(...)"


def _claims(slug: str, notebook: NotebookNode) -> Iterator[str]:
    if not _calls(notebook.cells, "record") or not _calls(notebook.cells, "Claim"):
        yield "nothing is claimed"


def _exercises(slug: str, notebook: NotebookNode) -> Iterator[str]:
    asked = []
    for cell in filter(is_exercise, notebook.cells):
        try:
            asked.append(exercise_name(cell))
        except ValueError as error:
            yield str(error)
    if len(asked) < 3:
        yield f"there are {len(asked)}"
    for cell in _code(notebook.cells):
        if not is_exercise(cell) and (used := set(asked) & _leans_on(cell.source)):
            yield (
                f"the cell {cell.source[:50]!r} uses {', '.join(sorted(used))}: with a student's answer it would "
                "fail; use the library's function"
            )


def _break(slug: str, notebook: NotebookNode) -> Iterator[str]:
    count = _headings(notebook).count("Break it")
    if count != 1:
        yield f"there are {count}"


def _summary(slug: str, notebook: NotebookNode) -> Iterator[str]:
    found = re.search(
        r"^## (?:Summary|In five lines)\n(.*?)(?=^## |\Z)", _all_prose(notebook), re.DOTALL | re.MULTILINE
    )
    numbers = re.findall(r"^(\d+)\. ", found[1], re.MULTILINE) if found else []
    if numbers != list("12345"):
        yield f"its lines are numbered {', '.join(numbers)}" if found else "there is none"


def _reading(slug: str, notebook: NotebookNode) -> Iterator[str]:
    if not re.search(r"^## Further reading\n+- ", _all_prose(notebook), re.MULTILINE):
        yield "there is none, or it has no list"


def _settings(slug: str, notebook: NotebookNode) -> Iterator[str]:
    cells = [cell.source for cell in notebook.cells if "parameters" in tags(cell)]
    if len(cells) != 1:
        yield f"{len(cells)} cells are tagged parameters"
        return
    lacking = [name for name in ("PROFILE", "SEED", "DEVICE", "MOTION") if not re.search(rf"(?m)^{name} = ", cells[0])]
    if lacking:
        yield f"{', '.join(lacking)} not set"
    if not re.search(r'(?m)^PROFILE = "quick".*"full"', cells[0]):
        yield 'PROFILE is not "quick" with a comment that says what "full" does'


LOOKS: dict[str, Callable[[str, NotebookNode], Iterator[str]]] = {
    "title": _title,
    "objectives": _objectives,
    "needs": _needs,
    "predict": _predict,
    "demo": _demo,
    "twin": _twin,
    "source": _source,
    "formula": _formula,
    "claims": _claims,
    "exercises": _exercises,
    "break": _break,
    "summary": _summary,
    "reading": _reading,
    "settings": _settings,
}


def _code(cells: list[NotebookNode]) -> list[NotebookNode]:
    """The cells that have code."""
    return [cell for cell in cells if cell.cell_type == "code" and cell.source.strip()]


def _prose(cells: list[NotebookNode]) -> list[str]:
    return [cell.source for cell in cells if cell.cell_type == "markdown"]


def _all_prose(notebook: NotebookNode) -> str:
    return "\n\n".join(_prose(notebook.cells))


def _start(notebook: NotebookNode) -> str:
    """The prose before the first code cell."""
    first = next((i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"), None)
    return "\n".join(_prose(notebook.cells[:first]))


def _headings(notebook: NotebookNode) -> list[str]:
    return re.findall(r"^#{2,} (.+?)\s*$", _all_prose(notebook), re.MULTILINE)


def _sections(notebook: NotebookNode) -> list[list[NotebookNode]]:
    """The cells between headings of the second level."""
    sections: list[list[NotebookNode]] = [[]]
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and re.search(r"^## ", cell.source, re.MULTILINE):
            sections.append([])
        sections[-1].append(cell)
    return sections


def _calls(cells: list[NotebookNode], function: str) -> bool:
    """Whether a code cell calls a function of this name."""
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function
        for cell in _code(cells)
        for node in ast.walk(ast.parse(cell.source))
    )


def _leans_on(source: str) -> set[str]:
    """Global names that a cell uses and does not itself bind."""
    bound, used = names(*ast.parse(source).body)
    return used - bound


def main(arguments: list[str] | None = None) -> int:
    """The command: prints the sheet of every lesson; returns the number of lessons that lack something."""
    parser = argparse.ArgumentParser(description="Look whether lessons keep the sheet.")
    lacking = 0
    for slug in parse(parser, arguments).lessons:
        problems = missing(slug, read_source(slug))
        lacking += bool(problems)
        print(f"{slug}: {'keeps the sheet' if not problems else f'{len(problems)} to do'}")
        for point, problem in problems.items():
            print(f"  ✗ {point}: {problem}. Expected: {POINTS.get(point, 'no TODO')}")
    return lacking


if __name__ == "__main__":
    as_command(main)
