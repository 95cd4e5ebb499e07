"""The static site: complete, without a dead link, without a kernel, without a network, usable by keyboard."""

import base64
import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tutorial_lib.course import launch, rendering, site, student
from tutorial_lib.course.compare import PLOTLY
from tutorial_lib.course.notebooks import tags

BROWSED = "05_camera_distortion"  # figures that move, formulas, cards, exercises, demos: one lesson has them all
HOSTILE = "<!--<script>alert(1)</script> ]]> </title> \u2028"
VERDICTS = {"holds": "holds", "does not hold here": "fails", "undecided": "undecided"}
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTH = "document.documentElement.scrollWidth"


class Page(HTMLParser):
    """Links, ids, code and figures of a page."""

    def __init__(self, path: Path):
        super().__init__()
        self.links, self.loads, self.ids, self.figures, self.within = [], [], [], [], []
        self.open, self.folded = "", ""
        self._raw = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids += [found["id"]] if "id" in found else []
        if tag == "a":
            self.links.append(found["href"])
        elif "src" in found or tag == "link":
            self.loads.append(found.get("src") or found["href"])
        self.within += [tag] if tag in ("details", "script") else []
        self._raw = tag == "script" and found.get("type") == "application/json"

    def handle_endtag(self, tag):
        if self.within and self.within[-1] == tag:
            self.within.pop()
        self._raw = False

    def handle_data(self, data):
        if self._raw:
            self.figures.append(json.loads(data))
        elif "details" in self.within:
            self.folded += data
        elif "script" not in self.within:
            self.open += data


def lesson(*cells):
    cells = [new_markdown_cell("# 07 · Why?\n\nSome words."), *cells]
    return rendering.lesson("07_why", new_notebook(cells=cells, metadata={"language_info": {"name": "python"}}))


def for_readers(*cells):
    """Source and tags of what becomes of these cells, below the title."""
    made = site.for_readers(lesson(*cells), lambda png: "a.png").cells[1:]
    return [(cell.source, cell.metadata.get("tags")) for cell in made]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A site of the doorway, a whole lesson, and one whose figure holds what could break a page; what Sphinx said."""
    figure = {"data": [{"type": "bar", "name": HOSTILE, "y": [1]}], "layout": {"title": {"text": HOSTILE}}}
    png = base64.b64encode(bytes(24)).decode()
    output = new_output("display_data", {PLOTLY: figure, "image/png": png, "text/plain": "figure: a"})
    hostile = lesson(new_code_cell("f", outputs=[output]), new_markdown_cell(f"## Then\n\n`{HOSTILE}`"))
    lessons = [*site.executed(["00", BROWSED]), hostile]
    folder = tmp_path_factory.mktemp("site") / "site"
    site.build(lessons, folder)
    found = [path for path in folder.rglob("*.html") if "_static" not in path.parts]  # the theme's own
    pages = {str(path.relative_to(folder)): Page(path) for path in found}
    return SimpleNamespace(folder=folder, lessons=lessons, pages=pages, figure=figure)


def test_every_link_leads_somewhere_and_nothing_is_loaded_from_elsewhere(built):
    for name, page in built.pages.items():
        folder = (built.folder / name).parent
        for address in page.loads:
            assert not address.startswith(("http", "//")), f"{name} loads {address}"
            there = address.startswith(("data:", "#")) or (folder / address.partition("?")[0]).is_file()
            assert there, f"{name} loads {address}, which is not there"
        for address in page.links:
            target, _, place = address.partition("#")
            if target.startswith("http") or "api/index.html" in target:  # pdoc's part is not made here
                continue
            path = (folder / target).resolve() if target else built.folder / name
            assert path.is_file(), f"{name} links to {address}"
            if place and path.suffix == ".html":
                assert place in built.pages[str(path.relative_to(built.folder))].ids, f"{name} links to {address}"


def test_every_lesson_is_there_with_all_its_figures_and_without_its_tests(built):
    for one in built.lessons:
        page = built.pages[f"notebooks/{one.slug}.html"]
        cells = [cell for cell in one.notebook.cells if "demo-test" not in tags(cell)]
        drawn = [
            out["data"][PLOTLY] for cell in cells for out in cell.get("outputs", []) if PLOTLY in out.get("data", {})
        ]
        assert [figure["data"] for figure in page.figures] == [dict(figure)["data"] for figure in drawn]
        assert [len(figure.get("frames", [])) for figure in page.figures] == [len(f.get("frames", [])) for f in drawn]
        for cell in one.notebook.cells:
            if "demo-test" in tags(cell):
                assert cell.source.splitlines()[-1] not in page.open + page.folded
            if student.is_exercise(cell):
                answer = re.search(rf"{student.BEGIN}\n(.*?)\n\s*{student.END}", cell.source, re.DOTALL)[1]
                assert answer in page.folded and answer not in page.open
                assert student.BEGIN not in page.open + page.folded
        offered = nbformat.read(built.folder / "notebooks" / f"{one.slug}.ipynb", as_version=4)
        assert [cell.source for cell in offered.cells] == [cell.source for cell in one.notebook.cells]


def test_first_page_says_of_every_claim_what_its_card_says(built):
    texts = [
        (one.slug, "".join(out.get("data", {}).get("text/plain", "")))
        for one in built.lessons
        for cell in one.notebook.cells
        for out in cell.get("outputs", [])
    ]
    cards = [(slug, re.match(r"\[(holds|does not hold here|undecided)\] (.*)", text)) for slug, text in texts]
    listed = re.findall(
        r'<li class="(\w+)"><a href="notebooks/(\w+)\.html#claim-\d+">.*?<span>(.*?)</span>\s*<small>',
        (built.folder / "index.html").read_text(encoding="utf-8"),
        re.DOTALL,
    )
    expected = [(VERDICTS[match[1]], slug, match[2]) for slug, match in cards if match]
    assert expected and [(kind, slug, unescape(text)) for kind, slug, text in listed] == expected


def test_no_text_of_a_figure_gets_out_of_its_script(built):
    path = built.folder / "notebooks/07_why.html"
    assert Page(path).figures == [built.figure]
    scripts = re.findall(r"<script type=\"application/json\">(.*?)</script>", path.read_text(), re.DOTALL)
    assert scripts and not any("<" in script for script in scripts)


def test_plotly_is_there_once(built):
    assert len(list(built.folder.rglob("plotly*.js"))) == 1
    for path in built.folder.rglob("*.html"):
        assert "Plotly.version" not in path.read_text(encoding="utf-8")


# ------------------------------------------------------------------ a notebook for readers
def test_set_up_is_one_fold_and_tests_are_left_out():
    settings = new_code_cell("SEED = 0", metadata={"tags": ["parameters"]})
    driven = new_code_cell("assert demo", metadata={"tags": ["demo-test"]})
    assert for_readers(new_code_cell("import torch"), settings, driven) == [
        ("import torch\n\nSEED = 0", ["hide-input", "set-up"])
    ]


def test_an_exercise_is_its_stub_and_a_folded_solution():
    source = f"def f(x):\n    {student.BEGIN}\n    y = x\n    return y\n    {student.END}\n\n\nchecks.f(f)"
    assert for_readers(new_code_cell(source)) == [
        (f"def f(x):\n    {student.STUB}\n\n\nchecks.f(f)", ["exercise"]),
        ("def f(x):\n    y = x\n    return y\n\n\nchecks.f(f)", ["hide-cell"]),
    ]


def test_code_stays_open_only_where_it_is_the_point():
    text = new_output("stream", text="<b>1 < 2</b>")
    table = new_output("display_data", {"text/html": "<table></table>"})
    library = new_output("display_data", {"text/plain": "def g(): ...", "text/html": "x", "text/latex": "y"})
    cells = [new_code_cell("f", outputs=[shown]) for shown in (text, table, library)]
    assert for_readers(*cells) == [("f", []), ("f", ["hide-input"]), ("def g(): ...", ["library"])]
    (shown,) = rendering.outputs(cells[0], lambda png: "", "")
    assert shown.kind == "text" and "&lt;b&gt;1 &lt; 2&lt;/b&gt;" in shown.html


def test_prose_marks_questions_and_folds_hints():
    (text, _), (act, _) = for_readers(
        new_markdown_cell("> **Predict.** What?\n\n**What you saw.** That. *Hint: think of $a < b$.*"),
        new_markdown_cell("# Act two"),
    )
    assert text.startswith("{.predict}\n> **Predict.**") and "{.saw}\n**What you saw.**" in text
    assert re.search(r"<details class=\"hint\">.*\n\nthink of \$a < b\$\.\n\n</details>", text)
    assert act == "## Act two"


def test_a_link_to_a_lesson_that_is_not_there_becomes_words():
    cell = new_markdown_cell("See [**one**](05_a.ipynb#part) and [two](09_b.ipynb).")
    made = site.for_readers(lesson(cell), lambda png: "a.png", there=["05_a"])
    assert made.cells[1].source == "See [**one**](05_a.ipynb#part) and two."


def test_a_lesson_is_launched_from_where_the_readme_says_it_is():
    assert "colab" not in site.openers("05_a", f"{launch.BEGIN}\n{launch.NOWHERE}\n{launch.END}")
    readme = launch.rewrite(f"{launch.BEGIN}\n{launch.END}", "owner/name", "next")
    for address in launch.links("owner/name", "05_a", "next"):
        assert f'href="{address}"' in site.openers("05_a", readme)


def test_a_notebook_without_a_title_is_refused():
    with pytest.raises(ValueError, match="05_a begins with 'Hello', expected a line such as"):
        rendering.lesson("05_a", new_notebook(cells=[new_markdown_cell("Hello")]))


def test_an_unknown_lesson_is_refused():
    with pytest.raises(ValueError, match="lesson is '77', expected one of"):
        site.executed(["77"])


# ------------------------------------------------------------------ a real browser
def accessible(page, where):
    """No violation in axe-core's rules for WCAG 2.2 AA and good practice.

    Without `preload`: it asks once more for every style sheet, which a browser refuses a page from a file and reports
    in the console. Only the rule about a locked screen orientation reads them, and it is not among `WCAG`.
    """
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    options = {"runOnly": WCAG, "resultTypes": ["violations"], "preload": False}
    found = axe.Axe().run(page, options=options).response["violations"]
    told = [f"{v['id']}: {v['help']}: {[node['html'][:150] for node in v['nodes'][:3]]}" for v in found]
    assert not told, f"{where}: " + "\n".join(told)


def dark(page):
    """As a reader whose system is dark sees it."""
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("html[data-theme=dark]", state="attached")
    page.wait_for_function("() => document.getAnimations().every((change) => change.playState !== 'running')")
    page.wait_for_timeout(500)  # colours that fade over are measured when they have arrived


@pytest.mark.timeout(1200)
def test_first_page_in_a_browser(chromium, built):
    page = chromium((built.folder / "index.html").as_uri(), "file:")
    page.wait_for_selector("figure.plot[data-painted=done]")
    accessible(page, "first page, light")
    dark(page)
    page.wait_for_selector("figure.plot[data-painted=done]")
    accessible(page, "first page, dark")
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    assert page.evaluate(WIDTH) <= 390, "a telephone would scroll sideways"


@pytest.mark.timeout(1200)
def test_a_lesson_in_a_browser(chromium, built):
    page = chromium((built.folder / f"notebooks/{BROWSED}.html").as_uri(), "file:")
    page.wait_for_selector("html[data-math=ready]", state="attached")
    assert page.locator(".MathJax").count() > 10 and page.locator(".MathJax_Error, .noError").count() == 0
    assert not page.locator("article details[open]").count()

    figures = page.locator("figure.plot")
    for number in range(figures.count()):
        figures.nth(number).scroll_into_view_if_needed()
        page.wait_for_selector(f":nth-match(figure.plot, {number + 1})[data-painted=done]")
        assert figures.nth(number).locator(".main-svg").first.bounding_box()["height"] > 200
        assert not figures.nth(number).locator("img").is_visible()

    # a sweep is moved with the keyboard
    first = "[...document.querySelectorAll('figure.plot')].findIndex(figure => figure.querySelector('.sweep'))"
    sweep = figures.nth(page.evaluate(first))
    drawn = "figure => figure.querySelector('.main-svg').innerHTML"
    before, said = sweep.evaluate(drawn), sweep.locator("output").inner_text()
    sweep.locator("input").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"([figure, before]) => ({drawn})(figure) !== before", arg=[sweep.element_handle(), before])
    assert sweep.locator("output").inner_text() != said

    # a fold opens with a key
    page.locator("details.hint summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.hint p").first.is_visible()
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
    page.wait_for_timeout(1000)  # they fade in
    accessible(page, "lesson, light, everything unfolded")

    # in the dark, figures follow
    dark(page)
    sweep.scroll_into_view_if_needed()
    page.wait_for_selector("figure.plot[data-painted=done] .canvas")
    letters = "figure => { const word = figure.querySelector('.main-svg text');"
    letters += " return word && getComputedStyle(word).fill === 'rgb(228, 230, 234)'; }"
    page.wait_for_function(letters, arg=sweep.element_handle())
    accessible(page, "lesson, dark, everything unfolded")

    # search, with the keyboard alone
    page.keyboard.press("Control+k")
    page.keyboard.type("tangential")
    found = page.locator(f"dialog a[href*='{BROWSED}']").first
    found.wait_for()
    page.keyboard.press("Escape")
    assert not found.is_visible()

    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    assert page.evaluate(WIDTH) <= 390, "a telephone would scroll sideways"

    # on paper: light, the picture with three steps of a sweep in place of the slider
    page.emulate_media(media="print")
    assert sweep.locator("img").is_visible() and not sweep.locator("input").is_visible()
    assert not page.locator("header.bd-header").is_visible() and page.locator(".claim").first.is_visible()
    paper = "getComputedStyle(document.querySelector('.claim')).color.match(/\\d+/g).reduce((a, b) => a + +b, 0)"
    assert page.evaluate(paper) < 300, "light letters on white paper"
