"""The static site: complete, without a dead link, without a kernel, without a network, usable by keyboard."""

import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

from tutorial_lib.course import markup, rendering, site, student
from tutorial_lib.course.compare import PLOTLY
from tutorial_lib.course.notebooks import tags

BROWSED = "05_camera_distortion"  # figures that move, formulas, cards, exercises, demos: one lesson has them all
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


@pytest.fixture(scope="module")
def lessons():
    return site.executed([])


@pytest.fixture(scope="module")
def pages(lessons, tmp_path_factory):
    """name -> parsed page, of a site of all committed lessons; the folder under the key None."""
    folder = tmp_path_factory.mktemp("site")
    site.build(lessons, folder)
    return {None: folder} | {path.name: Page(path) for path in folder.glob("*.html")}


def test_every_link_leads_somewhere_and_nothing_is_loaded_from_elsewhere(pages):
    folder = pages[None]
    for name, page in pages.items():
        if name is None:
            continue
        assert len(set(page.ids)) == len(page.ids), f"{name}: an id is there twice"
        for address in page.loads:
            assert not address.startswith(("http", "//")), f"{name} loads {address}"
            if not address.startswith("data:"):
                assert (folder / address.partition("?")[0]).is_file(), f"{name} loads {address}, which is not there"
        for address in page.links:
            target, _, place = address.partition("#")
            if not target.startswith("http"):
                assert (target or name) in pages, f"{name} links to {address}"
                assert not place or place in pages[target or name].ids, f"{name} links to {address}"


def test_every_lesson_is_there_with_all_its_figures_and_without_its_tests(lessons, pages):
    for lesson in lessons:
        page = pages[f"{lesson.slug}.html"]
        cells = [cell for cell in lesson.notebook.cells if "demo-test" not in tags(cell)]
        drawn = [
            out["data"][PLOTLY] for cell in cells for out in cell.get("outputs", []) if PLOTLY in out.get("data", {})
        ]
        assert [figure["data"] for figure in page.figures] == [dict(figure)["data"] for figure in drawn]
        assert [len(figure.get("frames", [])) for figure in page.figures] == [len(f.get("frames", [])) for f in drawn]
        for cell in lesson.notebook.cells:
            if "demo-test" in tags(cell):
                assert cell.source.splitlines()[-1] not in page.open + page.folded
            if student.is_exercise(cell):
                answer = re.search(rf"{student.BEGIN}\n(.*?)\n\s*{student.END}", cell.source, re.DOTALL)[1]
                assert answer in page.folded and answer not in page.open
                assert student.BEGIN not in page.open + page.folded


def test_first_page_says_of_every_claim_what_its_card_says(lessons, pages):
    cards = [
        (lesson.slug, re.match(r"\[(holds|does not hold here|undecided)\] (.*)", text))
        for lesson in lessons
        for cell in lesson.notebook.cells
        for out in cell.get("outputs", [])
        if (text := "".join(out.get("data", {}).get("text/plain", ""))).startswith(
            ("[holds", "[does not", "[undecided")
        )
    ]
    listed = re.findall(
        r'<li class="(holds|fails|undecided)"><a href="(\w+)\.html#claim-\d+">.*?<span>(.*?)</span>\s*<small>',
        (pages[None] / "index.html").read_text(encoding="utf-8"),
        re.DOTALL,
    )
    expected = [({"does not hold here": "fails"}.get(match[1], match[1]), slug, match[2]) for slug, match in cards]
    assert [(kind, slug, unescape(text)) for kind, slug, text in listed] == expected


def test_search_knows_every_section(lessons, pages):
    text = (pages[None] / "assets" / "search-index.js").read_text(encoding="utf-8")
    index = json.loads(text.removeprefix("window.COURSE_INDEX = ").rstrip(";\n"))
    for lesson in lessons:
        found = {entry["title"] for entry in index if entry["lesson"] == lesson.number}
        headings = {
            markup.plain(markup.markdown(line.lstrip("# ")))
            for cell in lesson.notebook.cells
            if cell.cell_type == "markdown"
            for line in cell.source.splitlines()
            if re.match(r"#{1,4} ", line)
        }
        assert len(found) == len(headings)
    for entry in index:
        assert entry["anchor"] in pages[entry["page"]].ids


def test_plotly_is_there_once(pages):
    folder = pages[None]
    assert len(list(folder.rglob("plotly*.js"))) == 1
    for path in folder.glob("*.html"):
        assert "Plotly.version" not in path.read_text(encoding="utf-8")


# ------------------------------------------------------------------ pieces
def test_prose_keeps_formulas_and_folds_hints():
    html = markup.markdown("Costs $x_1^*$ and *more*. *Hint: think of $a < b$.*\n\n$$y_2 = *$$")
    assert '<script type="math/tex">x_1^*</script>' in html and "<em>more</em>" in html
    assert re.search(r"<details class='hint'>.*<script type=\"math/tex\">a < b</script>.*</details>", html)
    assert '<script type="math/tex; mode=display">y_2 = *</script>' in html


def test_a_link_to_a_lesson_that_is_not_there_becomes_words(tmp_path):
    cells = [nbformat.v4.new_markdown_cell("# 08 · Why?\n\nSee [one](05_a.ipynb#part) and [two](09_b.ipynb).")]
    lesson = rendering.lesson("08_why", nbformat.v4.new_notebook(cells=cells))
    blocks, sections, _ = site.page(lesson, tmp_path, ["05_a"])
    assert '<a href="05_a.html#part">one</a> and two.' in blocks[0]
    assert sections[0]["title"] == "08 · Why?" and "two" in sections[0]["text"]


def test_a_notebook_without_a_title_is_refused():
    cells = [nbformat.v4.new_markdown_cell("Hello")]
    with pytest.raises(ValueError, match="05_a begins with 'Hello', expected a line such as"):
        rendering.lesson("05_a", nbformat.v4.new_notebook(cells=cells))


def test_an_unknown_lesson_is_refused():
    with pytest.raises(ValueError, match="lesson is '77', expected one of"):
        site.executed(["77"])


def test_what_a_student_gets_has_a_hole_where_the_solution_was():
    source = f"def f(x):\n    {student.BEGIN}\n    y = x\n    return y\n    {student.END}\n\n\ncheck(f)"
    stub = student.without_marks(student.without_solution(source))
    assert stub == f"def f(x):\n    {student.STUB}\n\n\ncheck(f)"
    assert student.without_marks(source) == "def f(x):\n    y = x\n    return y\n\n\ncheck(f)"


def test_markup_in_outputs_is_text():
    output = nbformat.v4.new_output("stream", text="<b>1 < 2</b>")
    cell = nbformat.v4.new_code_cell("print(x)", outputs=[output])
    (shown,) = rendering.outputs(cell, lambda png: "", "")
    assert shown.kind == "text" and "&lt;b&gt;1 &lt; 2&lt;/b&gt;" in shown.html


# ------------------------------------------------------------------ a real browser
def accessible(page, where):
    """No violation in axe-core's rules for WCAG 2.2 AA and good practice.

    Without `preload`: it asks once more for every style sheet, which a browser refuses a page from a file and reports
    in the console. Only the rule about a locked screen orientation reads them, and it is not among `WCAG`.
    """
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    found = (
        axe.Axe()
        .run(page, options={"runOnly": WCAG, "resultTypes": ["violations"], "preload": False})
        .response["violations"]
    )
    told = [f"{v['id']}: {v['help']}: {[node['html'][:150] for node in v['nodes'][:3]]}" for v in found]
    assert not told, f"{where}: " + "\n".join(told)


@pytest.mark.timeout(1200)
def test_first_page_in_a_browser(chromium, pages):
    page = chromium((pages[None] / "index.html").as_uri(), "file:")
    page.wait_for_selector("figure.plot[data-painted=done]")
    for _ in range(2):
        accessible(page, "first page")
        page.locator("#theme").click()
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    assert page.evaluate(WIDTH) <= 390, "a telephone would scroll sideways"


@pytest.mark.timeout(1200)
def test_a_lesson_in_a_browser(chromium, pages):
    page = chromium((pages[None] / f"{BROWSED}.html").as_uri(), "file:")
    page.wait_for_selector("html[data-math=ready]", state="attached")
    assert page.locator(".MathJax").count() > 10 and page.locator(".MathJax_Error, .noError").count() == 0

    figures = page.locator("figure.plot")
    for number in range(figures.count()):
        figures.nth(number).scroll_into_view_if_needed()
        page.wait_for_selector(f":nth-match(figure.plot, {number + 1})[data-painted=done]")
        assert figures.nth(number).locator(".main-svg").first.bounding_box()["height"] > 200
        assert not figures.nth(number).locator("img").is_visible()

    # a sweep is moved with the keyboard
    sweep = page.locator("figure.plot", has=page.locator(".sweep")).first
    drawn = "figure => figure.querySelector('.main-svg').innerHTML"
    before, said = sweep.evaluate(drawn), sweep.locator("output").inner_text()
    sweep.locator("input").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"([figure, before]) => ({drawn})(figure) !== before", arg=[sweep.element_handle(), before])
    assert sweep.locator("output").inner_text() != said

    # hints and solutions are folded, a key opens them
    assert not any(fold.get_attribute("open") for fold in page.locator("main details").all())
    page.locator("details.hint summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.hint p").first.is_visible()
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
    accessible(page, "lesson, light, everything unfolded")

    # search, with the keyboard alone
    page.keyboard.press("/")
    page.keyboard.type("fold")
    page.wait_for_selector("#results a")
    page.keyboard.press("ArrowDown")
    assert "fold" in page.evaluate("document.activeElement.textContent").lower()
    page.keyboard.press("Escape")
    assert page.locator("#results").is_hidden()

    page.locator("#theme").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    accessible(page, "lesson, dark, everything unfolded")

    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    assert page.evaluate(WIDTH) <= 390, "a telephone would scroll sideways"

    # on paper: light, the picture with three steps of a sweep in place of the slider
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert sweep.locator("img").is_visible() and not sweep.locator("input").is_visible()
    assert not page.locator("header").is_visible() and page.locator(".claim").first.is_visible()
