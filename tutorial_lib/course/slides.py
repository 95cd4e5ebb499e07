"""Builds `build/slides`: seminar slides of every committed lesson, and a presenter's page for each.

    python -m tutorial_lib.course.slides [lesson ...]      then open build/slides/NN_slug.html

The slides come from the notebooks by rules, so that nobody has to tag cells by hand:

- a heading starts a slide with the first words of its section, at most `MAX_WORDS`; further prose of the section goes
  into the slide's notes (key n), except formulas, lists, tables, and paragraphs that hold something in bold type;
- "Predict" is a slide of its own, and so are "What you saw", every demo, figure, table, claim card, library source;
- other code is left out, cells tagged demo-test or volatile too; exercises become one slide, "Further reading" none.

Demos share what the other slides leave of the hour, up to four minutes each. A deck that would still take more than an
hour loses what `shorten` says.

To override: a cell's `slideshow` metadata (in the text form: `# %% slideshow={"slide_type": "skip"}`). "skip" leaves
the cell out, "notes" puts all its prose into the notes, "slide" puts all of it on slides.

A slide is 1920 x 1080 pixels and scaled as a whole, so what fits here fits on every projector. reveal.js comes in no
Python package that is alive, and a fetch at build time is out of the question: the engine is our own slides.js.
"""

import argparse
import ast
import re
import textwrap
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Literal, get_args

from nbformat import NotebookNode

from tutorial_lib.course import markup, rendering
from tutorial_lib.course.notebooks import BUILD, NOTEBOOKS, as_command, parse, tags
from tutorial_lib.course.rendering import Lesson
from tutorial_lib.course.site import executed
from tutorial_lib.course.student import is_exercise

SLIDES = BUILD / "slides"
DRAWERS = Path(__file__).resolve().parents[1] / "lessons"
MAX_WORDS = 80
"""On one slide. More is read, not heard."""
MAX_CODE_LINES = 25
MAX_ROWS = 9
"""Lines of code, rows of a table that are legible together at three metres."""
Kind = Literal[
    "title", "text", "predict", "demo", "saw", "figure", "source", "card", "table", "exercises", "summary"
]  # fmt: skip
MINUTES: dict[Kind, float] = {
    "title": 1, "text": 0.75, "predict": 1, "demo": 4, "saw": 1, "figure": 1, "source": 1, "card": 0.75,
    "table": 0.75, "exercises": 0.5, "summary": 1,
}  # fmt: skip
"""How long a slide of each kind takes: for the clock on the slides, and for the hour that a lesson must fit in."""

HOUR = 60
LEAST_DEMO = 2
"""Minutes: less is no demo."""
LEAD = 20
"""Words. A slide with fewer joins the text slide that follows; at most `MAX_WORDS` + `LEAD` come together."""
SPARED: tuple[Kind, ...] = ("table", "source", "text", "card")
"""Kinds of slides of which a section can spare all but the first, in this order."""

_SKIPPED = ("further reading",)
Wish = Literal["", "skip", "notes", "slide"]
"""What a cell's own metadata wants of the rules; "" wants nothing."""
_LABEL: dict[Kind, re.Pattern[str]] = {
    "saw": re.compile(r"\*\*What you saw\.?\*\*\s*"),
    "predict": re.compile(r"^>\s*\*\*Predict[^*]*\*\*\s*"),
}


@dataclass
class Slide:
    """One slide.

    Attributes:
        kind: what it is, which says how long it takes.
        title: heading of the section it belongs to.
        html: what is shown.
        notes: HTML for the presenter.
        minutes: how long it takes.
    """

    kind: Kind
    title: str
    html: str
    notes: str = ""
    minutes: float = 0.0

    def __post_init__(self) -> None:
        self.minutes = self.minutes or MINUTES[self.kind]


def deck(lesson: Lesson, folder: Path) -> list[Slide]:
    """The slides of a lesson; its pictures are written below `folder`."""
    picture = rendering.stored(folder, lesson.slug)
    slides: list[Slide] = []
    section, waiting, exercises = lesson.question, [], []
    for place, cell in enumerate(lesson.notebook.cells):
        kind = _wish(cell)
        if kind == "skip" or {"demo-test", "volatile"} & set(tags(cell)):
            continue
        if cell.cell_type == "markdown":
            for chunk in _chunks(cell.source):
                heading = re.match(r"(#+)\s+(.*)", chunk)
                if heading and place:
                    section = heading[2]
                    slides += _exercise_slide(exercises)
                if section.lower() in _SKIPPED:
                    continue
                if section == "Exercises":
                    exercises += re.findall(r"^\*\*(\d+\..*?)\*\*(?:\s*\(([^)]*)\))?", chunk, re.MULTILINE)
                    continue
                if heading and not place:
                    slides.append(Slide("title", "", f"<h1>{_inline(section)}</h1>"))
                    continue
                slides = _prose(slides, section, chunk, kind, bool(heading), waiting)
            continue
        if is_exercise(cell) or rendering.is_setup(cell) or section in ("Exercises", *_SKIPPED):
            continue
        for output in rendering.outputs(cell, picture, f"work/{lesson.slug}.ipynb"):
            slides += _shown(output, section, waiting, _name(cell), lesson)
    slides += _exercise_slide(exercises)
    if waiting and slides:
        slides[-1].notes += "".join(waiting)
    slides = shorten(_joined([slide for slide in slides if slide.html]))
    if slides and slides[0].kind == "title":
        image = rendering.cover([slide.html for slide in slides if slide.kind == "demo"], folder)
        slides[0].html = f"<div>{slides[0].html}</div>" + (f'<img src="{image}" alt="">' if image else "")
    return slides


def _joined(slides: list[Slide]) -> list[Slide]:
    """A text of a few words is no slide: it joins the next text of its section, or the notes of what it announces."""
    kept: list[Slide] = []
    for slide in slides:
        lead = kept[-1] if kept and kept[-1].kind == "text" and kept[-1].title == slide.title else None
        if lead and slide.kind == "text" and words(lead.html) <= LEAD:
            if words(lead.html + slide.html) <= MAX_WORDS + LEAD:
                kept.pop()
                slide.html, slide.notes = lead.html + slide.html, lead.notes + slide.notes
        elif lead and words(lead.html) <= LEAD and markup.plain(lead.html).endswith(":"):
            kept.pop()
            slide.notes = lead.notes + lead.html + slide.notes
        kept.append(slide)
    return kept


def shorten(slides: list[Slide]) -> list[Slide]:
    """Leave out, until the hour suffices, what an audience misses least: the later ones of `SPARED` in a section.

    The words of what is left out go into the notes of the slide before; the lesson has the rest. If that does not
    suffice, demos get less time, down to `LEAST_DEMO` minutes.
    """
    for kind in SPARED:
        for slide in reversed(slides[1:]):
            if sum(other.minutes for other in slides) <= HOUR:
                return slides
            place = next(i for i, other in enumerate(slides) if other is slide)
            if slide.kind == kind and any((s.kind, s.title) == (kind, slide.title) for s in slides[:place]):
                left = (
                    slide.html if kind == "text" else f"<p>Left out for the time: one more {kind}, see the lesson.</p>"
                )
                slides[place - 1].notes += left + slide.notes
                slides = slides[:place] + slides[place + 1 :]
    demos = [slide for slide in slides if slide.kind == "demo"]
    left = HOUR - sum(slide.minutes for slide in slides if slide.kind != "demo")
    for slide in demos:  # in quarters of a minute
        slide.minutes = min(slide.minutes, max(LEAST_DEMO, left * 4 // len(demos) / 4))
    return slides


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
    """The paragraphs of a cell; a list, a table, a block of code or of mathematics stays in one piece."""
    chunks: list[str] = []
    for piece in re.split(r"\n\s*\n", text.strip()):
        fenced = chunks and chunks[-1].count("```") % 2
        listed = chunks and re.match(r"\s+\S|[-*] |\d+\. ", piece) and re.match(r"[-*] |\d+\. ", chunks[-1])
        quoted = chunks and piece.startswith(">") and chunks[-1].startswith(">")
        if fenced or listed or quoted:
            chunks[-1] += f"\n\n{piece}"
        else:
            heading = re.match(r"(#+ .*)\n(?=\S)", piece)
            chunks += [heading[1], piece[heading.end() :]] if heading else [piece]
    return chunks


def _prose(slides: list[Slide], section: str, chunk: str, kind: Wish, heading: bool, waiting: list[str]) -> list[Slide]:
    """The slides with one more paragraph: on the last slide, on a new one, or in the notes (`waiting`)."""
    if heading:
        return [*slides, Slide("summary" if section == "Summary" else "text", section, "")]
    html = markup.markdown(chunk, _no_link)
    if kind == "notes":
        waiting.append(html)
        return slides
    for name, label in _LABEL.items():
        if label.match(chunk):
            kept, rest = _cut(label.sub("> " if name == "predict" else "", chunk))
            html = markup.markdown(re.sub(r"^>\s?", "", kept, flags=re.MULTILINE), _no_link)
            notes = "".join(waiting) + (markup.markdown(rest, _no_link) if rest else "")
            waiting.clear()
            return [*slides, Slide(name, section, html, notes)]
    open_slide = slides and slides[-1].kind in ("title", "text", "summary") and slides[-1].title in ("", section)
    told = open_slide and words(slides[-1].html) > 0 and slides[-1].kind != "title"
    firm = kind == "slide" or re.match(r"\$\$|\||[-*] |\d+\. ", chunk) or re.search(r"\*\*.+?\*\*", chunk, re.DOTALL)
    if (
        slides
        and slides[-1].kind == "title"
        and (not re.match(r"\*\*(You|In this lesson you) will", chunk) or words(slides[-1].html + chunk) > MAX_WORDS)
    ):
        waiting.append(html)
        return slides
    if not firm and (told or not open_slide):
        waiting.append(html)
        return slides
    room = MAX_WORDS - (words(slides[-1].html) if open_slide else 0)
    kept, rest = _cut(chunk, room if open_slide and room >= 15 else MAX_WORDS)
    html = markup.markdown(kept, _no_link)
    if rest:
        waiting.append(markup.markdown(rest, _no_link))
    if open_slide and words(html) <= room:
        slides[-1].html += html
        return slides
    notes = "".join(waiting)
    waiting.clear()
    return [*slides, Slide("text", section, html, notes)]


def _cut(text: str, room: int = MAX_WORDS) -> tuple[str, str]:
    """(as many whole sentences as fit, the rest). What has no sentences, such as a table, is never cut."""
    if words(text) <= room or re.match(r"\$\$|\||```|[-*] |\d+\. |> \d", text):
        return text, ""
    sentences = [""]
    for piece in re.split(r"(?<=[.!?:])\s+", text):
        whole = all(sentences[-1].count(mark) % 2 == 0 for mark in ("*", "$", "`"))
        if sentences[-1] and whole and re.match(r"[A-Z*`$]", piece):
            sentences.append(piece)
        else:
            sentences[-1] = f"{sentences[-1]} {piece}".strip()
    count = 1
    while count < len(sentences) and words(" ".join(sentences[: count + 1])) <= room:
        count += 1
    return " ".join(sentences[:count]), " ".join(sentences[count:])


def _large(page: str) -> str:
    """Code in letters that fill the slide: 24 to 38 of its 1920 x 1080 pixels."""
    lines = page.splitlines()
    fitting = min(38, 1720 / (0.61 * max(map(len, lines))), 860 / (1.3 * len(lines)))
    return f'<div style="font-size: {max(24, int(fitting))}px">{markup.code(page)}</div>'


def _shown(output: rendering.Output, section: str, waiting: list[str], demo: str, lesson: Lesson) -> list[Slide]:
    """The slides of one output. Printed text is for readers, not for an audience."""
    if output.kind in ("text", "error", "question"):  # a slide of its own asks it
        return []
    notes = "".join(waiting)
    waiting.clear()
    if output.kind == "source":
        pages = _pages(output.text)
        return [Slide("source", section, _large(page), notes * (not i)) for i, page in enumerate(pages)]
    if output.kind == "demo":
        image = "".join(re.findall(r"<img[^>]*>", output.html)[:1])
        name = re.sub(r"^live demo '(.*?)': .*", r"\1", output.text, flags=re.DOTALL)
        live = (
            f"<p class='live'><b>{escape(name)}</b> <span>live: <code>make kiosk LESSON={lesson.number}"
            f"</code>, page <code>{demo}</code></span></p>"
        )
        return [Slide("demo", section, f"<figure class='still'>{image}</figure>{live}", notes)]
    if output.kind == "answer":
        told = re.sub(r"<summary>.*?</summary>|</?details[^>]*>", "", output.html, flags=re.DOTALL)
        return [Slide("saw", section, f"<p>{_first_words(told)}</p>", notes + told)]
    if output.kind in ("card", "table"):
        parts = _split_table(output.html)
        return [Slide(output.kind, section, part, notes * (not i)) for i, part in enumerate(parts)]
    return [Slide(output.kind, section, output.html, notes)]


def _first_words(html: str) -> str:
    """The sentences with which a text begins, as many as a slide holds."""
    sentences, kept = re.split(r"(?<=[.?!])\s+", markup.plain(html).removeprefix("What you saw. ")), ""
    for sentence in sentences:
        if words(escape(f"{kept} {sentence}", quote=False)) > MAX_WORDS:
            break
        kept = f"{kept} {sentence}".strip()
    return escape(kept or " ".join(sentences[0].split()[:MAX_WORDS]), quote=False)


def _pages(source: str) -> list[str]:
    """Library source without the details of its docstrings, cut into pages between statements."""
    source = _dedented(source)
    lines = source.splitlines()
    for node in sorted(ast.walk(ast.parse(source)), key=lambda n: -getattr(n, "lineno", 0)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and (docstring := ast.get_docstring(node)):
            text = node.body[0]
            lines[text.lineno - 1 : text.end_lineno] = [" " * text.col_offset + f'"""{docstring.splitlines()[0]}"""']
    shorter = "\n".join(lines)
    starts = {n.lineno for n in ast.walk(ast.parse(shorter)) if isinstance(n, ast.stmt)}
    pages, first = [], 0
    while len(lines) - first > MAX_CODE_LINES:
        fitting = [at - 1 for at in starts if first + MAX_CODE_LINES // 2 < at - 1 <= first + MAX_CODE_LINES]
        end = max(fitting, default=first + MAX_CODE_LINES)
        pages.append("\n".join(lines[first:end]))
        first = end
    return [*pages, "\n".join(lines[first:])]


def _dedented(source: str) -> str:
    """The same with methods that are shown alone moved to the margin, where Python can read them."""
    pieces, inside = [], False
    for piece in re.split(r"\n\n+(?=[ ]*(?:@|def |class |async ))", source):
        if not piece.startswith(" "):
            inside = re.match(r"(@.*\n)*class ", piece) is not None
        pieces.append(piece if inside else textwrap.dedent(piece))
    return "\n\n".join(pieces)


def _split_table(html: str) -> list[str]:
    """A long table or card as several: each with the head, the explanation with the last."""
    body = re.search(r"(<tbody[^>]*>)(.*?)(</tbody>)", html, re.DOTALL)
    if body is None or len(rows := re.findall(r"<tr\b.*?</tr>", body[2], re.DOTALL)) <= MAX_ROWS:
        return [html]
    parts = -(-len(rows) // MAX_ROWS)
    share = -(-len(rows) // parts)
    before, after = html[: body.start(2)], html[body.end(2) :]
    tail = re.sub(r"(</table>(?:</div>)?).*?(</div>(?:</div>)*)\s*$", r"\1\2", after, flags=re.DOTALL)
    cuts = [rows[i : i + share] for i in range(0, len(rows), share)]
    return [before + "".join(cut) + (after if cut is cuts[-1] else tail) for cut in cuts]


def _exercise_slide(exercises: list[tuple[str, str]]) -> list[Slide]:
    """One slide for (name, minutes) of the exercises, which are forgotten then; none if there are none."""
    if not exercises:
        return []
    items = "".join(
        f"<li>{_inline(name.split('. ', 1)[1])}{f' <small>{time}</small>' if time else ''}</li>"
        for name, time in exercises
    )
    exercises.clear()
    return [Slide("exercises", "Exercises", f"<ol>{items}</ol>")]


def _name(cell: NotebookNode) -> str:
    """The variable that the cell shows at its end."""
    last = ast.parse(cell.source).body[-1:]
    return last[0].value.id if last and isinstance(last[0], ast.Expr) and isinstance(last[0].value, ast.Name) else ""


def _inline(text: str) -> str:
    """One line of Markdown as HTML without a paragraph around it."""
    text = re.sub(r"^(\d+)\.", r"\1\.", text)  # "2. Where ..." is a heading here, not a list
    return re.sub(r"^<p>|</p>$", "", markup.markdown(text, _no_link).strip())


def _no_link(url: str) -> None:
    """Nobody clicks a link on a projector."""


def words(text: str) -> int:
    """Words of Markdown or HTML; a formula on a line of its own takes the room of ten."""
    text, count = re.subn(
        r"\$\$.*?\$\$|<script type=\"math/tex; mode=display\">.*?</script>", " ", text, flags=re.DOTALL
    )
    text = re.sub(r"\$[^$]+\$|<script.*?</script>", " x ", text, flags=re.DOTALL)
    return len(re.findall(r"[^\W_]+(?:['’-]\w+)*", re.sub(r"<[^>]+>", " ", text))) + 10 * count


def build(lessons: list[Lesson], folder: Path = SLIDES, notebooks: Path = NOTEBOOKS) -> list[Path]:
    """Write slides and presenter's pages of these lessons into `folder`, which is emptied first."""
    pages = rendering.begin(folder, notebooks, "slides.css", "slides.js", "site.css", "figures.js")
    written = []
    for lesson in lessons:
        slides = deck(lesson, folder)
        written.append(folder / f"{lesson.slug}.html")
        html = pages.get_template("slides.html.j2").render(lesson=lesson, slides=slides, inline=_inline)
        written[-1].write_text(html, encoding="utf-8")
        page = DRAWERS / lesson.slug[3:] / "presenter.md"
        if page.exists():
            html = pages.get_template("presenter.html.j2").render(
                lesson=lesson, text=markup.markdown(page.read_text(encoding="utf-8"), _no_link)
            )
            (folder / f"{lesson.slug}_presenter.html").write_text(html, encoding="utf-8")
    return written


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Build seminar slides and presenter's pages.")
    for path in build(parse(parser, arguments, executed).lessons):
        print(path)
    return 0


if __name__ == "__main__":
    as_command(main)
