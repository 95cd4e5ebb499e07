"""Builds `build/site`: every committed lesson, the written pages and the library, without a kernel and a network.

    python -m tutorial_lib.course.site [lesson ...]        then open build/site/index.html

Sphinx makes the pages: navigation, search, contents, themes, links (`docs/conf.py`). Here a folder is laid out for it:
each lesson as a notebook for readers, in which every output is HTML that needs nobody; the first page; plotly and
MathJax to lie beside the pages. pdoc adds the library from its docstrings, which are Markdown, as Sphinx's are not.

Both are pinned in `docs/requirements.txt` and lie in a folder of their own, where `make site` puts them.

The claims on the first page are those in the notebooks, not those in build/claims.json, which may be left over from a
trial run with other settings: the list then says the same as the cards that it links to.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection
from html import escape
from pathlib import Path

import jinja2
from nbformat import NotebookNode
from nbformat import write as write_notebook
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tutorial_lib.course import glossary, launch, recorded, rendering
from tutorial_lib.course.notebooks import BUILD, NOTEBOOKS, ROOT, as_command, parse, tags
from tutorial_lib.course.rendering import Lesson, executed
from tutorial_lib.course.student import is_exercise, without_marks, without_solution

SITE = BUILD / "site"
DOCS = ROOT / "docs"
ROAD = (
    ("people move", "17 joints in metres", ("03", "09", "10")),
    ("a camera looks", "flat joints", ("07", "08", "13")),
    ("a lens bends", "lines become curves", ("05", "12")),
    ("a network guesses", "3D joints from flat ones", ("01", "02", "04", "06")),
    ("a ruler measures", "the error in millimetres", ("11",)),
)
"""The road that all lessons walk along, as lesson 00 draws it: station, what is there, lessons."""

_VERDICTS = {True: "holds", None: "undecided", False: "fails"}


def for_readers(
    lesson: Lesson, picture: Callable[[bytes], str], opened: str = "", there: Collection[str] = ()
) -> NotebookNode:
    """A lesson as a notebook of which nothing needs to run: outputs are HTML, code is folded unless it is the point.

    Args:
        lesson: an executed one.
        picture: stores a PNG, returns its address as seen from the lesson's page.
        opened: a line of HTML below the title: how else this lesson can be opened.
        there: slugs of the lessons that links may lead to; of others the words are left.
    """
    cells, cards = [], 0
    for cell in lesson.notebook.cells:
        if "demo-test" in tags(cell):
            continue
        if cell.cell_type == "markdown":
            title, newline, text = cell.source.partition("\n") if not cells else ("", "", cell.source)
            cells.append(
                new_markdown_cell(title + (f"\n\n{opened}\n" if title else "") + newline + _prose(text, there))
            )
            continue
        shown, kinds = [], set()
        for output in rendering.outputs(cell, picture, f"work/{lesson.slug}.ipynb"):
            kinds.add(output.kind)
            html = output.html
            if output.kind == "card":
                cards += 1
                html = f'<div id="claim-{cards}">{html}</div>'
            if output.kind == "source":  # what the cell shows is code: Sphinx colours it
                cells.append(_code(output.text, [], "", "library"))
            else:
                shown.append(new_output("display_data", {"text/html": html}))
        if is_exercise(cell):
            cells.append(_code(without_marks(without_solution(cell.source)), [], "", "exercise"))
            cells.append(_code(without_marks(cell.source), shown, "A solution", "hide-cell"))
        elif rendering.is_setup(cell):
            if "set-up" in tags(cells[-1]):  # one fold for all of it
                cells[-1].source += f"\n\n{cell.source}"
                cells[-1].outputs += shown
            else:
                cells.append(_code(cell.source, shown, "Set-up", "hide-input", "set-up"))
        elif kinds <= {"text", "error"}:
            cells.append(_code(cell.source, shown, ""))
        elif shown:
            cells.append(_code(cell.source, shown, "Code", "hide-input"))
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"  # nbformat's own are random
    return new_notebook(cells=cells, metadata=lesson.notebook.metadata)


def _code(source: str, shown: list[NotebookNode], fold: str, *labels: str) -> NotebookNode:
    """A code cell with tags, which become classes; "hide-input" and "hide-cell" make a fold of that name."""
    metadata = {"tags": list(labels), "mystnb": {"code_prompt_show": fold, "code_prompt_hide": fold}}
    return new_code_cell(source, outputs=shown, metadata=metadata)


def _prose(text: str, there: Collection[str]) -> str:
    """Markdown with classes for questions and observations, hints as folds, and one title a page: an act is a part."""
    text = re.sub(r"^# ", "## ", text)
    text = re.sub(r"^(?=> \*\*Predict)", "{.predict}\n", text, flags=re.MULTILINE)
    text = re.sub(r"^(?=\*\*What you saw)", "{.saw}\n", text, flags=re.MULTILINE)
    text = glossary.as_html(text)  # MyST knows no anchors but its own
    linked = r"\[([^\]]+)\]\((\w+)\.ipynb[^)]*\)"
    text = re.sub(linked, lambda found: found[0] if found[2] in there else found[1], text)
    hint = r'\n\n<details class="hint"><summary>Hint</summary>\n\n\1\n\n</details>\n\n'
    return re.sub(r"\*Hint: ([^*]+)\*", hint, text)


def openers(slug: str, readme: str) -> str:
    """Links that open a lesson: the notebook itself, Colab and Binder if `make badges` wrote them into the README."""
    links = [(f"{slug}.ipynb", "Download the notebook")]
    named = re.search(r"colab\.research\.google\.com/github/([\w.-]+/[\w.-]+)/blob/([\w.-]+)/", readme)
    if named:
        links += zip(launch.links(named[1], slug, named[2]), ("Open in Colab", "Open in Binder"))
    links.append(("../docs/papers.html", "The papers"))
    return '<p class="open">' + " ".join(f'<a href="{escape(url)}">{words}</a>' for url, words in links) + "</p>"


def lay_out(lessons: list[Lesson], folder: Path, notebooks: Path = NOTEBOOKS) -> None:
    """Everything that Sphinx reads, into `folder`, which is emptied first: the clone as far as readers want it."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(DOCS, folder / "docs")
    for name in ("conf.py", "_static", "_templates"):
        shutil.move(folder / "docs" / name, folder)
    for name in ("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    rendering.ship(folder / "_static", "figures.js")
    recorded.ship(folder / "_static" / "demos", [lesson.slug for lesson in lessons])
    if (notebooks / "images").is_dir():
        shutil.copytree(notebooks / "images", folder / "notebooks" / "images")
    extra = folder / "_extra" / "notebooks"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    covers, claims, hero = {}, [], ""
    for lesson in lessons:
        picture = rendering.stored(extra, lesson.slug)
        made = for_readers(lesson, picture, openers(lesson.slug, readme), [other.slug for other in lessons])
        write_notebook(made, folder / "notebooks" / f"{lesson.slug}.ipynb")
        write_notebook(lesson.notebook, extra / f"{lesson.slug}.ipynb")  # to download
        html = [output.data["text/html"] for cell in made.cells for output in cell.get("outputs", [])]
        covers[lesson.slug] = rendering.cover([piece for piece in html if '<figure class="demo"' in piece], extra)
        hero = hero or next((piece for piece in reversed(html) if '"sliders":' in piece), "")
        found = [claim for cell in lesson.notebook.cells for claim in rendering.claims(cell)]
        claims += [
            {"lesson": lesson, "anchor": f"claim-{number}", "verdict": _VERDICTS[holds], "text": text}
            for number, (holds, text) in enumerate(found, 1)
        ]
    loader = jinja2.FileSystemLoader(folder / "_templates")
    page = jinja2.Environment(loader=loader, trim_blocks=True, autoescape=True).get_template("index.md.j2")
    hero = hero.replace('src="pictures/', 'src="notebooks/pictures/')
    road = [(station, what, [lesson for lesson in lessons if lesson.number in own]) for station, what, own in ROAD]
    first = page.render(lessons=lessons, road=road, claims=claims, covers=covers, hero=hero)
    (folder / "index.md").write_text(first, encoding="utf-8")


def build(lessons: list[Lesson], folder: Path = SITE, notebooks: Path = NOTEBOOKS) -> Path:
    """Write the site of these lessons into `folder`, which is emptied first; returns its first page."""
    source = folder.with_name(f"{folder.name}-source")
    lay_out(lessons, source, notebooks)
    shutil.rmtree(folder, ignore_errors=True)
    _run("sphinx", "--quiet", "--fresh-env", "--doctree-dir", source / "_doctrees", source, folder)
    return folder / "index.html"


def _run(module: str, *words: object) -> None:
    """Run a publisher's tool, which lies in a folder of this environment that nothing else sees."""
    found = [str(Path(sys.prefix) / "site"), str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, found))}
    done = subprocess.run([sys.executable, "-P", "-m", module, *map(str, words)], env=environment)
    if done.returncode:
        sys.exit(f"{module} ended with {done.returncode}: `make site` first installs what docs/requirements.txt names")


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Build the site that needs no kernel.")
    lessons = parse(parser, arguments, executed).lessons
    BUILD.mkdir(parents=True, exist_ok=True)  # before minutes of work, if it cannot be
    first = build(lessons)
    api = ("--docformat", "google", "--output-directory", SITE / "api", "tutorial_lib", "!tutorial_lib.course")
    _run("pdoc", *api)
    print(f"{len(lessons)} lessons: open {first}")
    return 0


if __name__ == "__main__":
    as_command(main)
