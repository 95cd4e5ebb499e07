"""Which slides a talk about a lesson has: they come from the executed notebook by rules, nobody tags cells by hand.

- A talk has the parts of the lesson that its presenter's table names (`presenter.md`, see `talks`), in the table's
  minutes; a lesson without a table is shown whole. Exercises and summary close it, while the audience asks.
- A part begins with its first words. Further prose goes into the speaker's notes, except formulas, lists, tables and
  paragraphs that hold something in bold type.
- A prediction, its answer, a demo, a figure, a table, a claim card are a slide each. Library source is shown as its
  `essence`, a slide for each function. All other code and printed text are left out.
- A part with too many slides for its minutes spares what an audience misses least (`SPARED`).

To leave a cell out, give it `slideshow` metadata (in the text form: `# %% slideshow={"slide_type": "skip"}`).
"""

import ast
import re
from dataclasses import dataclass, field, replace
from typing import Literal

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tutorial_lib.course import essence, rendering, talks
from tutorial_lib.course.compare import PLOTLY
from tutorial_lib.course.notebooks import tags
from tutorial_lib.course.prose import BLOCK, MAX_WORDS, chunks, cut, words
from tutorial_lib.course.rendering import Lesson
from tutorial_lib.course.student import is_exercise
from tutorial_lib.display.claims import Cards

MAX_CODE_LINES = 24
"""Of functions that share a slide; a longer one has its own."""
Kind = Literal[
    "title", "text", "predict", "demo", "saw", "figure", "source", "card", "table", "exercises", "summary"
]  # fmt: skip
WEIGHT: dict[Kind, float] = {
    "title": 1, "text": 0.75, "predict": 1, "demo": 4, "saw": 1, "figure": 1, "source": 1, "card": 0.75,
    "table": 0.75, "exercises": 0, "summary": 0,
}  # fmt: skip
"""How a part's minutes are shared among its slides; the minutes themselves where there is no table."""
SPARED: tuple[Kind, ...] = ("table", "source", "text", "card")
"""Kinds of slides of which a part can spare all but the first, in this order."""
LEAST = 0.6
"""Minutes that a slide takes, on average over a part; a demo takes four times as long."""
SUMMARY = ("Summary", "In five lines")
"""Parts that end a talk, while the audience asks."""
_SAW = r"\*\*(?:What you saw|The answer)\.?\*\*\s*"
_PREDICT = r"^>\s*\*\*Predict[^*]*\*\*\s*"


@dataclass(eq=False)
class Slide:
    """One slide.

    Attributes:
        kind: what it is.
        part: heading of the section it belongs to, as Markdown.
        title: the nearest heading above it, which may be that of a subsection.
        text: what is shown, as Markdown; of "source" Python.
        output: of a notebook, shown in place of a text.
        notes: Markdown for the presenter.
        demo: name of the live demo, as the lesson and its kiosk call it.
        minutes: how long it takes.
    """

    kind: Kind
    part: str
    text: str = ""
    title: str = ""
    output: NotebookNode | None = None
    notes: list[str] = field(default_factory=list)
    demo: str = ""
    minutes: float = 0.0


class _Talk:
    """The slides so far, and what waits for the notes of the next one."""

    def __init__(self, question: str) -> None:
        self.slides = [Slide("title", "", question)]
        self.part = self.title = ""
        self._waiting: list[str] = []

    def add(self, kind: Kind, text: str = "", *notes: str, output: NotebookNode | None = None, demo: str = "") -> None:
        waiting, self._waiting = self._waiting, []
        self.slides.append(Slide(kind, self.part, text, self.title, output, [*waiting, *notes], demo))

    def heading(self, level: int, text: str) -> None:
        self.title = text
        self.part = self.part if level > 2 else text

    def prose(self, chunk: str) -> None:
        """One more paragraph: on the last slide, on a new one, or in the notes."""
        chunk = re.sub(r"(?<!!)\[([^]]*)\]\([^)]*\)", r"\1", chunk)  # nobody clicks a link on a projector
        last = self.slides[-1]
        fresh = (last.part, last.title) != (self.part, self.title)
        if re.match(_PREDICT, chunk):
            question = re.sub(r"^>\s?", "", re.sub(_PREDICT, "", chunk), flags=re.MULTILINE)
            self.add("predict", cut(question), *[question] * (cut(question) != question))
            return
        chunk = re.sub(r"^> ?", "", chunk, flags=re.MULTILINE)  # a frame round a list, which would hide the list
        if re.match(_SAW, chunk):
            self.answer(re.sub(_SAW, "", chunk))
        elif code := re.search(r"^```\w*\n(.*?)\n```", chunk, re.MULTILINE | re.DOTALL):
            self.add("source", code[1], chunk)
        elif re.search(r"^\|", chunk, re.MULTILINE):
            self.add("table", chunk)
        elif fresh or re.search(rf"^{BLOCK}|\*\*.+?\*\*", chunk, re.DOTALL | re.MULTILINE) and chunk[:6] != "**Move":
            kept = cut(chunk)
            self._waiting += [chunk] * (kept != chunk)
            kind = "summary" if self.part in SUMMARY else "text"
            if not fresh and last.kind == kind and words(last.text) + words(kept) <= MAX_WORDS:
                last.text = f"{last.text}\n\n{kept}".strip()
            elif kept:
                self.add(kind, kept)
        else:
            self._waiting.append(chunk)

    def answer(self, told: str) -> None:
        kept = cut(told)
        self.add("saw", kept, *[told] * (kept != told))

    def output(self, output: NotebookNode, cell: NotebookNode) -> None:
        """Printed text and the widget of a question are for readers, not for an audience."""
        data = output.get("data", {})
        said = "".join(data.get("text/plain", ""))
        if "text/markdown" in data:
            for chunk in chunks("".join(data["text/markdown"])):
                self.prose(chunk)
        elif said.startswith("live demo"):
            last = ast.parse(cell.source).body[-1]
            shown = last.value if isinstance(last, ast.Expr) else None
            self.add("demo", output=output, demo=shown.id if isinstance(shown, ast.Name) else "")
        elif said.startswith("The answer: "):
            self.answer(re.sub(_SAW, "", said.removeprefix("The answer: ")))
        elif {"text/latex", "text/html"} <= set(data):  # what `preview.source` shows
            for page in _pages(said):
                self.add("source", page)
        elif PLOTLY in data or "image/png" in data:
            self.add("figure", output=output)
        elif "text/html" in data and "pose-question" not in data["text/html"]:
            html = "".join(data["text/html"]).replace("<details>", "<details open>")  # nobody clicks in a talk
            several = html.split(Cards.BETWEEN)[1:-1]
            texts = re.split(r"\n\n(?=\[)", said) if several else [said]
            for shown, text in zip(several or [html], texts, strict=True):
                alone = NotebookNode(output | {"data": data | {"text/html": shown, "text/plain": text}})
                self.add("card" if said.startswith("[") else "table", output=alone)

    def done(self) -> list[Slide]:
        self.slides[-1].notes += self._waiting
        return self.slides


def slides(lesson: Lesson, rows: list[talks.Row]) -> list[Slide]:
    """The slides of a talk.

    Args:
        lesson: executed.
        rows: the presenter's table; empty: all of the lesson.
    """
    talk, exercises = _Talk(lesson.question), []
    for cell in lesson.notebook.cells[1:]:
        skipped = cell.metadata.get("slideshow", {}).get("slide_type") == "skip"
        if skipped or {"demo-test", "volatile"} & set(tags(cell)) or is_exercise(cell) or rendering.is_setup(cell):
            continue
        for chunk in chunks(cell.source) if cell.cell_type == "markdown" else ():
            if heading := re.match(r"(#+)\s+(.*)", chunk):
                talk.heading(len(heading[1]), heading[2])
            elif talk.part == "Exercises":
                exercises += re.findall(r"^\*\*\d+\.\s*(.*?)\*\*(?:\s*(\([^)]*\)))?", chunk, re.MULTILINE)
            else:
                talk.prose(chunk)
        for output in cell.get("outputs", ()) if talk.part != "Exercises" else ():
            talk.output(output, cell)
    if exercises:
        talk.heading(2, "Exercises")
        talk.add("exercises", "\n".join(f"{n}. {' '.join(one).strip()}" for n, one in enumerate(exercises, 1)))
    return _timed(talk.done(), rows)


def _timed(told: list[Slide], rows: list[talks.Row]) -> list[Slide]:
    """The slides of the parts that the table names, with its minutes; the title takes its time from the first part."""
    closing = [slide for slide in told if slide.kind in ("summary", "exercises")]
    shown = [slide for slide in told if slide not in closing]
    shown[0].part = rows[0].part if rows else shown[min(1, len(shown) - 1)].part
    kept = []
    for part in dict.fromkeys(row.part for row in rows) or dict.fromkeys(slide.part for slide in shown):
        own = [slide for slide in shown if slide.part == part]
        apart = {row.demo: row.minutes for row in rows if row.part == part} or {"": sum(WEIGHT[s.kind] for s in own)}
        if "" not in apart:  # a demo and all that belongs to it share one row
            apart = {"": sum(apart.values())}
        common = _thinned([slide for slide in own if not slide.demo or slide.demo not in apart], apart[""])
        total = sum(WEIGHT[slide.kind] for slide in common)
        for slide in own:
            slide.minutes = apart[""] * WEIGHT[slide.kind] / total if slide in common else apart.get(slide.demo, 0)
            kept += [slide] * (slide in common or bool(slide.demo))
    return kept + closing


def _thinned(own: list[Slide], minutes: float) -> list[Slide]:
    """The slides of a part without what it can spare, if there are too many; their words are in the notes."""
    own = list(own)
    for kind in SPARED:
        for slide in reversed(own[1:]):
            if sum(4 if other.kind == "demo" else 1 for other in own) * LEAST <= minutes:
                return own
            place = own.index(slide)
            if slide.kind == kind and any(other.kind == kind for other in own[:place]):
                own[place - 1].notes += [_said(slide), *slide.notes]
                own.pop(place)
    return own


def _said(slide: Slide) -> str:
    """What the notes say of a slide that is left out: its text, or what of it is in the lesson."""
    if slide.kind == "text":
        return slide.text
    said = "".join(slide.output.data.get("text/plain", "")) if slide.output else slide.text
    about = said.strip().splitlines()[0].rstrip(":.")
    return f"(One more {slide.kind} is in the lesson{'' if about.startswith('|') else f': {about}'}.)"


def _pages(source: str) -> list[str]:
    """The functions of a source, as many together as fit on a slide."""
    pages: list[str] = []
    for function in essence.functions(source):
        if pages and f"{pages[-1]}\n\n\n{function}".count("\n") < MAX_CODE_LINES:
            pages[-1] += f"\n\n\n{function}"
        else:
            pages.append(function)
    return pages


def entries(lesson: Lesson, told: list[Slide]) -> list[talks.Entry]:
    """The talk as lines of a run sheet: slides that belong together, with their minutes and numbers."""
    lines: list[talks.Entry] = []
    for number, slide in enumerate(told, start=1):
        if lines and (lines[-1].part, lines[-1].demo) == (slide.part, slide.demo):
            last = lines.pop()
            lines.append(replace(last, minutes=last.minutes + slide.minutes, last=number))
        elif slide.kind not in ("exercises", "summary"):
            lines.append(talks.Entry(slide.minutes, slide.part, slide.demo, lesson.slug, number, number))
    return lines


def exercises(told: list[Slide]) -> dict[str, int]:
    """The exercises with the minutes that the lesson gives them."""
    text = next((slide.text for slide in told if slide.kind == "exercises"), "")
    return {name: int(minutes) for name, minutes in re.findall(r"^\d+\. (.*?) \((\d+) minutes\)$", text, re.MULTILINE)}


def as_notebook(lesson: Lesson, told: list[Slide]) -> NotebookNode:
    """The slides as a notebook that nbconvert, and whatever else knows `slideshow` metadata, shows as slides."""
    cells, minute = [], 0.0
    for slide in told:
        data = {"kind": slide.kind, "minute": f"{minute:.2f}", "timing": f"{60 * slide.minutes:.0f}"}
        minute += slide.minutes
        heading = "## " + re.sub(r"^(\d+)\.", r"\1\.", slide.title)  # "1. Where ..." is no list
        if slide.kind == "title":
            heading = f"{lesson.number} · {lesson.name}"
            slide.text = f"# {slide.text}\n\nA talk of {sum(s.minutes for s in told):.0f} minutes"
        cells.append(new_markdown_cell(heading, metadata={"slideshow": {"slide_type": "slide", "data": data}}))
        hidden = {"transient": {"remove_source": True}}
        if slide.output is not None:
            cells.append(new_code_cell(slide.demo, outputs=[slide.output], metadata=hidden))
        elif slide.kind == "source":
            cells.append(new_code_cell(slide.text))
        else:
            cells.append(new_markdown_cell(slide.text))
        if slide.kind == "title" and (png := _cover(told)):
            cells.append(new_code_cell(outputs=[new_output("display_data", {"image/png": png})], metadata=hidden))
        if notes := "\n\n".join(filter(None, slide.notes)):
            cells.append(new_markdown_cell(notes, metadata={"slideshow": {"slide_type": "notes"}}))
    for number, cell in enumerate(cells):
        cell.id = f"slide-{number}"  # random ones would change the file at every run
    return new_notebook(cells=cells, metadata={"title": f"{lesson.number} · {lesson.question}"})


def _cover(told: list[Slide]) -> str:
    """The richest picture of a demo: the PNG with the most bytes."""
    stills = ["".join(slide.output.data["image/png"]) for slide in told if slide.kind == "demo" and slide.output]
    return max(stills, key=len, default="")
