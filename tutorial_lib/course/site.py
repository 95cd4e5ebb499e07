"""Builds `build/site`: every committed lesson as pages that need no kernel and no network.

    python -m tutorial_lib.course.site [lesson ...]        then open build/site/index.html

Why our own templates over nbconvert's Markdown and Jinja, and not Jupyter Book: version 1 (Sphinx with myst-nb) wants a
markdown-it-py that contradicts the one JupyterLab's tools are pinned to here, version 2 wants node and fetches its
theme while it builds. nbconvert's `lab` template embeds everything into every page, shows blanks where a figure is of
plotly's MIME type, and asks a server elsewhere for MathJax. What a lesson needs on a page is little: these files.

The claims on the first page are those in the notebooks, not those in build/claims.json, which may be left over from a
trial run with other settings: the list then says the same as the cards that it links to.
"""

import argparse
import re
import time
from pathlib import Path

from nbformat import NotebookNode

from tutorial_lib.course import markup, rendering
from tutorial_lib.course.notebooks import BUILD, NOTEBOOKS, as_command, fitting, parse, read_notebook, tags
from tutorial_lib.course.rendering import Lesson
from tutorial_lib.course.student import is_exercise, without_marks, without_solution
from tutorial_lib.course.unpack import PATTERN

SITE = BUILD / "site"
ROAD = (
    ("people move", "17 joints in metres", ("03", "09", "10")),
    ("a camera looks", "flat joints", ("07", "08", "13")),
    ("a lens bends", "lines become curves", ("05", "12")),
    ("a network guesses", "3D joints from flat ones", ("01", "02", "04", "06")),
    ("a ruler measures", "the error in millimetres", ("11",)),
)
"""The road that all lessons walk along, as lesson 00 draws it: station, what is there, lessons."""


def executed(wanted: list[str], notebooks: Path = NOTEBOOKS) -> list[Lesson]:
    """The executed lessons that `wanted` names by number or slug; all of them if it names none.

    Raises:
        ValueError: if a name fits no executed lesson; says which there are.
    """
    there = sorted(path.stem for path in notebooks.glob(PATTERN))
    try:
        chosen = fitting(wanted, there)
    except ValueError as error:
        raise ValueError(f"{error}: run `make build` to execute one") from None
    return [rendering.lesson(slug, read_notebook(notebooks / f"{slug}.ipynb")) for slug in chosen]


def build(lessons: list[Lesson], folder: Path = SITE, notebooks: Path = NOTEBOOKS) -> Path:
    """Write the site of these lessons into `folder`, which is emptied first; returns its first page."""
    pages = rendering.begin(folder, notebooks, "site.css", "site.js", "figures.js")
    index, found, covers, hero = [], [], {}, ""
    for place, lesson in enumerate(lessons):
        blocks, sections, cards = page(lesson, folder, [other.slug for other in lessons])
        stills = re.findall(r'<figure class="demo">.*?</figure>', "".join(blocks), re.DOTALL)
        covers[lesson.slug] = rendering.cover(stills, folder)
        hero = hero or _moving(blocks)
        index += [{"page": f"{lesson.slug}.html", "lesson": lesson.number, **entry} for entry in sections]
        found += [{"lesson": lesson, **card} for card in cards]
        around = {"before": lessons[place - 1] if place else None, "after": (*lessons, None)[place + 1]}
        html = pages.get_template("lesson.html.j2").render(
            lesson=lesson, lessons=lessons, blocks=blocks, sections=sections, **around
        )
        (folder / f"{lesson.slug}.html").write_text(html, encoding="utf-8")
    road = [(station, what, [lesson for lesson in lessons if lesson.number in own]) for station, what, own in ROAD]
    html = pages.get_template("index.html.j2").render(
        lessons=lessons, road=road, claims=found, covers=covers, hero=hero
    )
    (folder / "index.html").write_text(html, encoding="utf-8")
    text = rendering.embedded_json(index)
    # A script, not JSON: from a file:// page a browser fetches nothing.
    (folder / "assets" / "search-index.js").write_text(f"window.COURSE_INDEX = {text};\n", encoding="utf-8")
    return folder / "index.html"


def page(lesson: Lesson, folder: Path, slugs: list[str]) -> tuple[list[str], list[dict], list[dict]]:
    """The blocks of a lesson's page, its sections for contents and search, its claims for the first page."""
    taken: set[str] = set()
    picture = rendering.stored(folder, lesson.slug)

    def link(url: str) -> str | None:
        """Where a link of the lesson leads on the site; None if there is nothing yet."""
        target, _, place = url.partition("#")
        if not target.endswith(".ipynb"):
            return url
        if Path(target).stem not in slugs:
            return None
        return f"{Path(target).stem}.html" + (f"#{place}" if place else "")

    blocks, sections, cards, setup = [], [], [], []
    for cell in lesson.notebook.cells:
        if "demo-test" in tags(cell):
            continue
        if rendering.is_setup(cell):
            setup.append(cell.source)
            continue
        if setup:
            blocks.append(_folded("Set-up", "\n\n".join(setup)))
            setup.clear()
        if cell.cell_type == "markdown":
            html = markup.markdown(cell.source, link, taken)
            blocks.append(html)
            _list_sections(html, sections)
            continue
        drawn = rendering.outputs(cell, picture, f"work/{lesson.slug}.ipynb")
        for holds, claim in rendering.claims(cell):
            cards.append({"holds": holds, "text": claim, "anchor": f"claim-{len(cards) + 1}"})
        html = _cell(cell, drawn)
        if any(output.kind == "card" for output in drawn):
            html = f'<div id="{cards[-1]["anchor"]}">{html}</div>'
        blocks.append(html)
        if sections:
            words = [out.text for out in drawn if out.kind in ("card", "source", "figure", "demo")]
            sections[-1]["text"] += " " + re.sub(r"\s+", " ", " ".join(words))
    return blocks, sections, cards


def _moving(blocks: list[str]) -> str:
    """The lesson's last figure with a slider; "" if none moves."""
    figures = re.findall(r'<figure class="plot".*?</figure>', "".join(blocks), re.DOTALL)
    return next((figure for figure in reversed(figures) if '"sliders":' in figure), "")


def _list_sections(html: str, sections: list[dict]) -> None:
    """Add the headings of this piece, and its words to the section that they belong to."""
    for part in re.split(r"(?=<h[1-4] id=)", html):
        heading = re.match(r'<h([1-4]) id="([^"]+)">(.*?)</h\1>', part, re.DOTALL)
        if heading:
            level, place, title = heading.groups()
            sections.append({"level": int(level), "anchor": place, "title": markup.plain(title), "text": ""})
            part = part[heading.end() :]
        if sections:
            sections[-1]["text"] = f"{sections[-1]['text']} {markup.plain(part)}".strip()


def _cell(cell: NotebookNode, drawn: list[rendering.Output]) -> str:
    """A code cell: what it shows comes first, its code is folded unless the code is the point."""
    shown = "\n".join(output.html for output in drawn)
    if not cell.source.strip():
        return shown
    if is_exercise(cell):
        stub, solution = (markup.code(without_marks(s)) for s in (without_solution(cell.source), cell.source))
        return f'<div class="exercise">{stub}<details><summary>A solution</summary>{solution}{shown}</details></div>'
    if {output.kind for output in drawn} <= {"text", "error"}:
        return f'<div class="cell">{markup.code(cell.source)}{shown}</div>'
    if all(output.kind == "source" for output in drawn):
        return f'<div class="library"><p class="label">from the library</p>{shown}</div>'
    return f'<div class="cell">{shown}{_folded("Code", cell.source)}</div>'


def _folded(summary: str, source: str) -> str:
    """Code that opens when one asks for it."""
    return f'<details class="code"><summary>{summary}</summary>{markup.code(source)}</details>'


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Build the site that needs no kernel.")
    start = time.perf_counter()
    lessons = parse(parser, arguments, executed).lessons
    first = build(lessons)
    size = sum(path.stat().st_size for path in first.parent.rglob("*") if path.is_file())
    seconds = time.perf_counter() - start
    print(f"{len(lessons)} lessons, {size / 1e6:.1f} MB, {seconds:.0f} s: open {first}")
    return 0


if __name__ == "__main__":
    as_command(main)
