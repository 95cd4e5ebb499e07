"""Which slides a talk about a lesson has: they come from the executed notebook by rules, nobody tags cells by hand.

- A talk has the parts of the lesson that its presenter's table names (`presenter.md`, see `talks`), in the table's
  minutes; a lesson without a table is shown whole. Exercises and summary close it, while the audience asks.
- A part begins with its first words. Further prose goes into the speaker's notes, except formulas, lists, tables and
  paragraphs that hold something in bold type.
- A prediction, its answer, a demo, a figure, a table, a claim card are a slide each. Library source is shown as its
  `essence`, a slide for each function. All other code and printed text are left out.
- A part with too many slides for its minutes spares what an audience misses least (`SPARED`).

To override: a cell's `slideshow` metadata (in the text form: `# %% slideshow={"slide_type": "skip"}`). "skip" leaves
the cell out, "notes" puts all its prose into the notes, "slide" all of it on slides.
"""

import ast
import re
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tutorial_lib.course import essence, rendering, talks
from tutorial_lib.course.compare import PLOTLY
from tutorial_lib.course.notebooks import tags
from tutorial_lib.course.rendering import Lesson
from tutorial_lib.course.student import is_exercise

MAX_WORDS = 80
"""On one slide. More is read, not heard."""
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
Wish = Literal["", "skip", "notes", "slide"]
"""What a cell's own metadata wants of the rules; "" wants nothing."""
_LABEL: dict[Kind, str] = {
    "saw": r"\*\*(?:What you saw|The answer)\.?\*\*\s*",
    "predict": r"^>\s*\*\*Predict[^*]*\*\*\s*",
}
_ITEM = r"(?:[-*]|\d+\.) "
_BLOCK = r"\$\$|\||[-*] |\d+\. |```"


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


def slides(lesson: Lesson, rows: list[talks.Row]) -> list[Slide]:
    """The slides of a talk.

    Args:
        lesson: executed.
        rows: the presenter's table; empty: all of the lesson.
    """
    told = [Slide("title", "", lesson.question)]
    part, title, waiting, exercises = "", "", [], []
    for cell in lesson.notebook.cells[1:]:
        wish = _wish(cell)
        if wish == "skip" or {"demo-test", "volatile"} & set(tags(cell)):
            continue
        if cell.cell_type == "markdown":
            for chunk in _chunks(cell.source):
                if heading := re.match(r"(#+)\s+(.*)", chunk):
                    title = heading[2]
                    part = part if len(heading[1]) > 2 else title
                    told.append(Slide("summary" if part in SUMMARY else "text", part))
                elif part == "Exercises":
                    exercises += re.findall(r"^\*\*\d+\.\s*(.*?)\*\*(?:\s*\(([^)]*)\))?", chunk, re.MULTILINE)
                else:
                    told += _prose(told[-1], part, chunk, wish, waiting)
                told[-1].title = told[-1].title or title
        elif not (is_exercise(cell) or rendering.is_setup(cell)):
            for output in cell.outputs:
                if told_in := "".join(output.get("data", {}).get("text/markdown", "")):
                    for chunk in _chunks(told_in):
                        told += _prose(told[-1], part, chunk, wish, waiting)
                elif shown := _shown(output, cell, part):
                    shown[0].notes, waiting = [*waiting, *shown[0].notes], []
                    told += shown
            for slide in told:
                slide.title = slide.title or title
    told[-1].notes += waiting
    if exercises:
        items = [f"{number}. {name}{f' ({time})' if time else ''}" for number, (name, time) in enumerate(exercises, 1)]
        told = [slide for slide in told if slide.part != "Exercises"]
        told.append(Slide("exercises", "Exercises", "\n".join(items), title="Exercises"))
    told = [slide for slide in told if slide.text or slide.output is not None]
    return _timed(told, rows)


def _timed(told: list[Slide], rows: list[talks.Row]) -> list[Slide]:
    """The slides of the parts that the table names, with its minutes; the title takes its time from the first part."""
    closing = [slide for slide in told if slide.kind in ("exercises", "summary")]
    if not rows:
        for slide in told:
            slide.minutes = WEIGHT[slide.kind]
        return [slide for slide in told if slide not in closing] + closing
    kept = []
    for part in dict.fromkeys(row.part for row in rows):
        own = [slide for slide in told if slide.part == part and slide not in closing]
        if part == rows[0].part:
            own = told[:1] + own
        apart = {row.demo: row.minutes for row in rows if row.part == part}
        rest = [slide for slide in own if slide.demo not in apart or not slide.demo]
        if "" not in apart:  # demo and all that belongs to it share one row
            own = rest = _thinned(own, sum(apart.values()))
        else:
            rest = _thinned(rest, apart[""])
            own = [slide for slide in own if slide in rest or slide.demo in apart and slide.demo]
        total = sum(WEIGHT[slide.kind] for slide in rest) or 1
        for slide in own:
            minutes = sum(apart.values()) if "" not in apart else apart[""]
            slide.minutes = minutes * WEIGHT[slide.kind] / total if slide in rest else apart[slide.demo]
        kept += own
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
                said = slide.text if kind == "text" else f"(One more {kind} is in the lesson.)"
                own[place - 1].notes += [said, *slide.notes]
                own.pop(place)
    return own


def _wish(cell: NotebookNode) -> Wish:
    """What a cell's own metadata says.

    Raises:
        ValueError: if that is nothing that it may say.
    """
    kind = cell.metadata.get("slideshow", {}).get("slide_type", "")
    if kind not in get_args(Wish):
        raise ValueError(f"slide_type is {kind!r}, expected skip, notes or slide: the rest follows from the rules")
    return kind


def _chunks(text: str) -> list[str]:
    """The paragraphs of a cell; a list, a table, a block of code or of mathematics stays in one piece, together with
    the sentence that announces it."""
    chunks: list[str] = []
    for piece in re.split(r"\n\s*\n", re.sub(r"^(#+ .*)\n(?=\S)", r"\1\n\n", text.strip(), flags=re.MULTILINE)):
        before = chunks[-1] if chunks else ""
        inside = before.count("```") % 2
        listed = re.match(rf"\s+\S|{_ITEM}", piece) and re.search(f"^{_ITEM}", before, re.MULTILINE)
        quoted = piece.startswith(">") and before.startswith(">")
        if inside or listed or quoted:
            chunks[-1] += f"\n\n{piece}"
        elif re.match(_BLOCK, piece) and re.search(r"[^.?!)*]$", before) and not re.match(f"#|{_BLOCK}", before):
            *first, last = _sentences(chunks.pop())
            chunks += [" ".join(first)] * bool(first) + [f"{last}\n\n{piece}"]
        else:
            chunks.append(piece)
    return chunks


def _prose(open_slide: Slide, part: str, chunk: str, wish: Wish, waiting: list[str]) -> list[Slide]:
    """The new slides for one more paragraph; what is not shown joins the notes, those of the next slide if it waits."""
    chunk = re.sub(r"(?<!!)\[([^]]*)\]\([^)]*\)", r"\1", chunk)  # nobody clicks a link on a projector
    if wish == "notes" or chunk.startswith("**Move"):  # what to do with the demo that comes next
        waiting.append(chunk)
        return []
    for kind, label in _LABEL.items():
        if re.match(label, chunk):
            told = re.sub(r"^>\s?", "", re.sub(label, "", chunk), flags=re.MULTILINE)
            kept, rest = _cut(told)
            notes = [*waiting, rest]
            waiting.clear()
            return [Slide(kind, part, kept, notes=notes)]
    shown = re.search(r"^(\|.*|```\w*\n(.*?)\n```)", chunk, re.MULTILINE | re.DOTALL)
    if shown:
        notes = list(waiting)
        waiting.clear()
        return [
            Slide("source", part, shown[2], notes=[*notes, chunk])
            if shown[2]
            else Slide("table", part, chunk, notes=notes)
        ]
    opens = open_slide.kind in ("text", "summary") and open_slide.part == part
    firm = wish == "slide" or re.search(rf"^({_BLOCK})|\*\*.+?\*\*", chunk, re.DOTALL | re.MULTILINE)
    if not firm and not (opens and not open_slide.text):
        waiting.append(chunk)
        return []
    kept, rest = _cut(_shorter_items(chunk))
    if kept.endswith(":"):  # it announces what is no text
        *first, last = _sentences(kept)
        kept, rest = " ".join(first), f"{last} {rest}"
    if kept != chunk:
        waiting.append(chunk)
    if not kept:
        return []
    if opens and (not open_slide.text or words(open_slide.text) + words(kept) <= MAX_WORDS):
        open_slide.text = f"{open_slide.text}\n\n{kept}".strip()
        return []
    notes = list(waiting)
    waiting.clear()
    return [Slide(open_slide.kind if opens else "text", part, kept, notes=notes)]


def _shorter_items(chunk: str) -> str:
    """A list that is too long for a slide, with the first sentence of every item."""
    if not re.search(_ITEM, chunk, re.MULTILINE) or words(chunk) <= MAX_WORDS:
        return chunk
    lead, *items = re.split(rf"^(?={_ITEM})", chunk, flags=re.MULTILINE)
    marked = [item.partition(" ") for item in items]
    return lead + "\n".join(f"{mark} {_sentences(' '.join(told.split()))[0]}" for mark, _, told in marked)


def _sentences(text: str) -> list[str]:
    """Never cut inside of emphasis, code or a formula."""
    sentences = [""]
    for piece in re.split(r"(?<=[.!?])\s+", text):
        whole = all(sentences[-1].count(mark) % 2 == 0 for mark in ("*", "$", "`"))
        if sentences[-1] and whole and re.match(r"[A-Z*`$]", piece):
            sentences.append(piece)
        else:
            sentences[-1] = f"{sentences[-1]} {piece}".strip()
    return sentences


def _cut(text: str, room: int = MAX_WORDS) -> tuple[str, str]:
    """(as many whole sentences as fit, the rest). What has no sentences, such as a table, is never cut."""
    if words(text) <= room or re.search(rf"^({_BLOCK})", text, re.MULTILINE):
        return text, ""
    sentences = _sentences(text)
    count = 1
    while count < len(sentences) and words(" ".join(sentences[: count + 1])) <= room:
        count += 1
    return " ".join(sentences[:count]), " ".join(sentences[count:])


def _shown(output: NotebookNode, cell: NotebookNode, part: str) -> list[Slide]:
    """The slides of one output. Printed text and the widget of a question are for readers, not for an audience."""
    data = output.get("data", {})
    said = "".join(data.get("text/plain", ""))
    if said.startswith("live demo"):
        last = ast.parse(cell.source).body[-1]
        name = last.value.id if isinstance(last, ast.Expr) and isinstance(last.value, ast.Name) else ""
        return [Slide("demo", part, output=output, demo=name)]
    if said.startswith("The answer: "):
        kept, rest = _cut(re.sub(_LABEL["saw"], "", said.removeprefix("The answer: ")))
        return [Slide("saw", part, kept, notes=[rest])]
    if "text/latex" in data and "text/html" in data:  # what `preview.source` shows
        return [Slide("source", part, page) for page in _pages(said)]
    if PLOTLY in data or "image/png" in data:
        return [Slide("figure", part, output=output)]
    if said.startswith("[") and "text/html" in data:
        return [Slide("card", part, output=output)]
    if "text/html" in data and "pose-question" not in data["text/html"]:
        return [Slide("table", part, output=output)]
    return []


def _pages(source: str) -> list[str]:
    """The functions of a source, as many together as fit on a slide."""
    pages: list[str] = []
    for function in essence.functions(source):
        if pages and f"{pages[-1]}\n\n\n{function}".count("\n") < MAX_CODE_LINES:
            pages[-1] += f"\n\n\n{function}"
        else:
            pages.append(function)
    return pages


def words(text: str) -> int:
    """Words of Markdown; a formula on a line of its own takes the room of ten."""
    text, count = re.subn(r"\$\$.*?\$\$", " ", text, flags=re.DOTALL)
    text = re.sub(r"\$[^$]+\$", " x ", text)
    return len(re.findall(r"[^\W_]+(?:['’-]\w+)*", text)) + 10 * count


def entries(lesson: Lesson, told: list[Slide]) -> list[talks.Entry]:
    """The talk as lines of a run sheet: slides that belong together, with their minutes and numbers."""
    lines: list[talks.Entry] = []
    for number, slide in enumerate(told, start=1):
        part = slide.part or told[1].part
        if lines and (lines[-1].part, lines[-1].demo) == (part, slide.demo):
            last = lines.pop()
            lines.append(replace(last, minutes=last.minutes + slide.minutes, last=number))
        elif slide.kind not in ("exercises", "summary"):
            lines.append(talks.Entry(slide.minutes, part, slide.demo, lesson.slug, number, number))
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
