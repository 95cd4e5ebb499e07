"""Builds `build/slides`: a talk about every committed lesson, and a presenter's page for each.

    python -m tutorial_lib.course.slides [lesson ...]      then open build/slides/index.html

`deck` makes a notebook of slides out of a lesson, nbconvert's exporter makes reveal.js's page of it. reveal.js is taken
from the wheel of sphinx-revealjs, which `make slides` puts beside the course's environment; all that the pages need
lies beside them, so they open from a disk and without a network. Press S there for the speaker's window.
"""

import argparse
import re
import shutil
import sys
from contextlib import suppress
from html import escape
from importlib.machinery import PathFinder
from pathlib import Path

from nbconvert import SlidesExporter
from nbconvert.filters import markdown2html
from nbformat import NotebookNode
from traitlets.config import Config

from tutorial_lib.course import deck, recorded, rendering, talks
from tutorial_lib.course.compare import PLOTLY
from tutorial_lib.course.notebooks import BUILD, NOTEBOOKS, as_command, parse
from tutorial_lib.course.rendering import Lesson

SLIDES = BUILD / "slides"
REVEAL = ("LICENSE", "dist/reset.css", "dist/reveal.css", "dist/reveal.js", "plugin/notes/notes.js")
"""What a talk needs of reveal.js. Our style sheet lies beside them as a theme of its."""


def reveal() -> Path:
    """The folder with reveal.js.

    Raises:
        ValueError: if no package here has it; says how to get one.
    """
    beside = str(Path(sys.prefix) / "reveal")
    found = PathFinder.find_spec("sphinx_revealjs", [beside, *sys.path])
    if found is None or found.origin is None:
        raise ValueError(
            "reveal.js is not here: `make slides` puts the wheel that has it beside the course, or install it with "
            "pip install --no-deps sphinx-revealjs==3.2.1"
        )
    return Path(found.origin).parent / "_static" / "revealjs"


def demo(output: NotebookNode, page: str, slug: str) -> str:
    """A live demo on a slide: its picture, and where to move it.

    Args:
        output: of the notebook, with the PNG and the text "live demo 'NAME': ...".
        page: what the kiosk calls the demo; "" if it does not know it.
        slug: of the lesson.
    """
    said = "".join(output.data["text/plain"])
    name = re.sub(r"^live demo (['\"])(.*?)\1: .*", r"\2", said, flags=re.DOTALL)
    png = "".join(output.data["image/png"]).replace("\n", "")
    image = f'<img src="data:image/png;base64,{png}" alt="{escape(said, quote=True)}">'
    where = f"<span>live: <code>make kiosk LESSON={slug[:2]}</code>, page <code>{page}</code></span>" if page else ""
    return (
        f'<figure class="demo">{recorded.demo(said, slug, image)}'
        f"<figcaption><b>{escape(name)}</b>{where}</figcaption></figure>"
    )


def exporter(lesson: Lesson) -> SlidesExporter:
    """nbconvert's exporter, with everything that it would fetch from elsewhere beside the page."""
    config = Config()
    config.NbConvertBase.display_data_priority = [PLOTLY, "image/png", "text/html", "text/markdown"]
    config.CSSHTMLHeaderPreprocessor.style = "xcode"
    made = SlidesExporter(
        config=config,
        extra_template_basedirs=[str(rendering.ASSETS)],
        template_name="deck",
        reveal_url_prefix="assets/reveal",
        reveal_theme="course",
        reveal_transition="none",
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    made.register_filter("demo", lambda output, page: demo(output, page, lesson.slug))
    made.register_filter("embedded_json", rendering.embedded_json)
    return made


def build(lessons: list[Lesson], folder: Path = SLIDES, notebooks: Path = NOTEBOOKS) -> list[Path]:
    """Write slides and presenter's pages of these lessons into `folder`, which is emptied first."""
    source = reveal()
    pages = rendering.begin(folder, notebooks, "figures.js", "slides.js")
    recorded.ship(folder / "assets" / "demos", [lesson.slug for lesson in lessons])
    for name in REVEAL:
        target = folder / "assets" / "reveal" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target)
    theme = folder / "assets" / "reveal" / "dist" / "theme" / "course.css"
    theme.parent.mkdir()
    shutil.copyfile(rendering.ASSETS / "slides.css", theme)
    written, together = [], []
    for lesson in lessons:
        text = talks.presenter(lesson.slug)
        told = deck.slides(lesson, talks.table(text))
        html, _ = exporter(lesson).from_notebook_node(deck.as_notebook(lesson, told))
        written.append(folder / f"{lesson.slug}.html")
        written[-1].write_text(html, encoding="utf-8")
        talk = deck.entries(lesson, told)
        sheets = {slot: talks.sheet(talk, deck.exercises(told), slot) for slot in talks.SLOTS}
        html = pages.get_template("presenter.html.j2").render(
            title=f"{lesson.number} · {lesson.question}",
            sheets=sheets,
            text=markdown2html(talks.without_table(text)),
            home=written[-1].name,
        )
        (folder / f"{lesson.slug}_presenter.html").write_text(html, encoding="utf-8")
        together += talk
    sheets = {}
    for slot in talks.SLOTS if len(lessons) > 1 else ():
        with suppress(ValueError):  # too many lessons for so short a slot
            sheets[slot] = talks.sheet(together, {}, slot)
    html = pages.get_template("presenter.html.j2").render(title="Talks", lessons=lessons, sheets=sheets)
    (folder / "index.html").write_text(html, encoding="utf-8")
    return written


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Build seminar slides and presenter's pages.")
    BUILD.mkdir(parents=True, exist_ok=True)  # before minutes of work, if it cannot be
    try:
        written = build(parse(parser, arguments, rendering.executed).lessons)
    except ValueError as error:
        parser.error(str(error))
    print(f"{len(written)} talks: open {written[0].with_name('index.html')}")
    return 0


if __name__ == "__main__":
    as_command(main)
