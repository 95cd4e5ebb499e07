"""The seminar slides: the rules that make them, the hour they must fit in, and how they look on a projector."""

import ast
import re
from html import unescape

import nbformat
import pytest

from tutorial_lib.course import kiosk, markup, rendering, site, slides, student
from tutorial_lib.course.notebooks import read_source, slugs, tags

BROWSED = "05_camera_distortion"

# of every slide: what it is, its smallest letters, and how far it sticks out of its 1920 x 1080 pixels
LOOK = """() => [...document.querySelectorAll('.slide')].map(slide => {
  const body = slide.querySelector('.body');
  const written = e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  const hidden = e => e.closest('script, template, .MathJax, .MathJax_Display, .canvas') || !e.getClientRects().length;
  const sizes = [...slide.querySelectorAll('*')].filter(e => written(e) && !hidden(e));
  const boxes = [body, ...body.querySelectorAll('pre, .scroll')];
  return {
    kind: slide.className, smallest: Math.min(...sizes.map(e => parseFloat(getComputedStyle(e).fontSize))),
    over: Math.max(...boxes.map(b => Math.max(b.scrollWidth - b.clientWidth, b.scrollHeight - b.clientHeight))),
  };
})"""


def deck_of(tmp_path, *cells, title="# 05 · Why?\n\n**You will** see."):
    first = nbformat.v4.new_markdown_cell(title)
    notebook = nbformat.v4.new_notebook(cells=[first, *cells])
    return slides.deck(rendering.lesson("05_why", notebook), tmp_path)


def prose(text, kind=None):
    return nbformat.v4.new_markdown_cell(text, metadata={"slideshow": {"slide_type": kind}} if kind else {})


@pytest.fixture(scope="module")
def decks(tmp_path_factory):
    """(lesson, its slides) of every committed lesson."""
    folder = tmp_path_factory.mktemp("decks")
    return [(lesson, slides.deck(lesson, folder)) for lesson in site.executed([])]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The files with the slides of every committed lesson."""
    return slides.build(site.executed([]), tmp_path_factory.mktemp("slides"))


# ------------------------------------------------------------------ rules, on every lesson
def test_a_lesson_fits_into_an_hour(decks):
    for lesson, deck in decks:
        minutes = sum(slide.minutes for slide in deck)
        assert minutes <= 60, f"{lesson.slug}: {minutes} minutes on {len(deck)} slides"


def test_a_slide_holds_few_words_and_few_lines(decks):
    for lesson, deck in decks:
        for slide in deck:
            where = f"{lesson.slug}, {slide.kind}, {slide.title}: {markup.plain(slide.html)[:60]}"
            if slide.kind in ("predict", "saw"):
                assert slides.words(slide.html) <= slides.MAX_WORDS, where
            elif slide.kind == "source":
                assert markup.plain(slide.html) and slide.html.count("\n") < slides.MAX_CODE_LINES, where
            elif slide.kind in ("card", "table"):
                assert slide.html.count("<tr") <= slides.MAX_ROWS + 1, where


def test_every_prediction_demo_and_figure_has_a_slide_of_its_own(decks):
    for lesson, deck in decks:
        cells = lesson.notebook.cells
        asked = sum(
            len(re.findall(r"^> \*\*Predict", c.source, re.MULTILINE)) for c in cells if c.cell_type == "markdown"
        )
        assert sum(slide.kind == "predict" for slide in deck) == asked
        shown = [
            output.kind
            for cell in cells
            if not {"demo-test", "volatile"} & set(tags(cell))
            and not student.is_exercise(cell)
            and cell.metadata.get("slideshow", {}).get("slide_type") != "skip"
            for output in rendering.outputs(cell, lambda png: "", "")
        ]
        for kind in ("demo", "figure"):
            assert sum(slide.kind == kind for slide in deck) == shown.count(kind), f"{lesson.slug}: {kind}"
        html = "".join(slide.html for slide in deck)
        assert student.BEGIN not in html and "checks." not in html


# ------------------------------------------------------------------ rules, one by one
def test_a_prediction_interrupts_the_prose_and_what_you_saw_follows(tmp_path):
    deck = deck_of(tmp_path, prose("## 1. One\n\nFirst.\n\n> **Predict.** Which?\n\n**What you saw.** That."))
    assert [slide.kind for slide in deck] == ["title", "text", "predict", "saw"]
    assert deck[1].title == deck[2].title == "1. One"
    assert markup.plain(deck[2].html) == "Which?" and markup.plain(deck[3].html) == "That."


def test_further_prose_goes_into_the_notes_and_what_is_bold_stays(tmp_path):
    deck = deck_of(tmp_path, prose("## A\n\nOne.\n\nTwo.\n\n**Three** matters."), prose("## B\n\nFour."))
    assert [markup.plain(slide.html) for slide in deck[1:]] == ["One. Three matters.", "Four."]
    assert "Two." in "".join(slide.notes for slide in deck)


def test_a_long_paragraph_ends_with_a_whole_sentence(tmp_path):
    long = " ".join(f"Sentence {n} has *a. B* and $x. Y$ in it." for n in range(40))
    (slide,) = deck_of(tmp_path, prose(f"## A\n\n**What you saw.** {long}"))[1:]
    assert slides.words(slide.html) <= slides.MAX_WORDS
    kept, rest = markup.plain(slide.html), markup.plain(slide.notes)
    assert f"{kept} {rest}" == markup.plain(markup.markdown(long))
    assert kept.endswith("in it.") and rest.startswith("Sentence")


def test_exercises_are_one_slide_and_further_reading_none(tmp_path):
    answer = nbformat.v4.new_code_cell(f"def f():\n    {student.BEGIN}\n    return 1\n    {student.END}")
    first = prose("## Exercises\n\nEach has a check.\n\n**1. One** (5 minutes). Do.")
    deck = deck_of(
        tmp_path, first, answer, prose("**2. Two** (10 minutes). Do."), prose("## Further reading\n\n- Book")
    )
    assert [slide.kind for slide in deck] == ["title", "exercises"]
    assert markup.plain(deck[1].html) == "One 5 minutes Two 10 minutes"


def test_a_deck_that_is_too_long_spares_what_is_not_first_in_its_section():
    kinds = ["text", "table", "table", "source", "demo", "source", "text"]
    deck = [slides.Slide("title", "", "t")]
    deck += [slides.Slide(kind, str(section), f"{kind} {n}") for section in range(8) for n, kind in enumerate(kinds)]
    before = {(slide.title, slide.html) for slide in deck}
    short = slides.shorten(deck)
    assert sum(slide.minutes for slide in short) <= slides.HOUR
    left = before - {(slide.title, slide.html) for slide in short}
    assert left and {html.split()[0] for _, html in left} <= set(slides.SPARED)
    assert all(any((s.title, s.kind) == (title, html.split()[0]) for s in short) for title, html in left)
    assert {html for _, html in left if html.startswith("table")} == {"table 2"}, "tables go first"
    assert slides.shorten(short) == short


def test_demos_share_what_is_left_of_the_hour():
    deck = [slides.Slide("title", "", "t")] + [slides.Slide("demo", str(n), "d") for n in range(18)]
    assert {slide.minutes for slide in slides.shorten(deck) if slide.kind == "demo"} == {3.25}
    deck += [slides.Slide("figure", str(n), "f") for n in range(50)]
    assert {slide.minutes for slide in slides.shorten(deck) if slide.kind == "demo"} == {slides.LEAST_DEMO}


def test_a_few_words_alone_are_no_slide(tmp_path):
    items = "- **One** is here.\n- **Two** is there, " + "far " * 70 + "away."
    deck = deck_of(tmp_path, prose(f"## A\n\nThere are two ways.\n\n{items}"))
    assert [slide.kind for slide in deck] == ["title", "text"] and "two ways" in deck[1].html
    table = nbformat.v4.new_output("display_data", {"text/html": "<table><tr><td>1</td></tr></table>"})
    cell = nbformat.v4.new_code_cell("t", outputs=[table])
    deck = deck_of(tmp_path, prose("## A\n\nThe same in numbers:"), cell)
    assert [slide.kind for slide in deck] == ["title", "table"] and "in numbers" in deck[1].notes


def test_metadata_overrides_the_rules(tmp_path):
    deck = deck_of(tmp_path, prose("## A\n\nOne.", "skip"), prose("## B\n\nTwo.\n\nThree.", "slide"))
    assert [markup.plain(slide.html) for slide in deck[1:]] == ["Two. Three."]
    deck = deck_of(tmp_path, prose("## A\n\nOne."), prose("**Two**.", "notes"))
    assert len(deck) == 2 and "Two" in deck[1].notes
    with pytest.raises(ValueError, match="slide_type is 'fragment', expected skip, notes or slide"):
        deck_of(tmp_path, prose("## A", "fragment"))


def pages_of(tmp_path, source):
    """The pages on which library source is shown, as text again."""
    data = {"text/plain": source, "text/latex": source, "text/html": source}
    cell = nbformat.v4.new_code_cell("f", outputs=[nbformat.v4.new_output("display_data", data)])
    shown = deck_of(tmp_path, prose("## A"), cell)[1:]
    assert {slide.kind for slide in shown} == {"source"}
    return [unescape(re.sub(r"<[^>]+>", "", slide.html)) for slide in shown]


def test_source_is_cut_between_statements_and_keeps_every_line_of_code(tmp_path):
    body = "\n".join(f"    x{n} = [\n        {n},\n    ]" for n in range(30))
    pages = pages_of(tmp_path, f'def f():\n    """One.\n\n    More.\n    """\n{body}')
    assert len(pages) > 1 and all(len(page.splitlines()) <= slides.MAX_CODE_LINES for page in pages)
    assert ast.dump(ast.parse("\n".join(pages))) == ast.dump(ast.parse(f'def f():\n    """One."""\n{body}'))
    assert all(re.match(r"def|    x\d", page) for page in pages)


def test_methods_that_are_shown_alone_can_be_read(tmp_path):
    methods = "    def a(self):\n        pass\n\n    def b(self):\n        pass"
    assert pages_of(tmp_path, methods)[0].startswith("def a(self):")


def test_a_long_table_becomes_several_with_the_same_head(tmp_path):
    rows = "".join(f"<tr><td>{n}</td></tr>" for n in range(20))
    html = f"<div><table><thead><tr><th>n</th></tr></thead><tbody>{rows}</tbody></table><p>why</p></div>"
    cell = nbformat.v4.new_code_cell("t", outputs=[nbformat.v4.new_output("display_data", {"text/html": html})])
    parts = [slide.html for slide in deck_of(tmp_path, prose("## A"), cell)[1:]]
    assert "".join(re.findall(r"<td[^>]*>(\d+)</td>", "".join(parts))) == "".join(map(str, range(20)))
    assert all("<th>n</th>" in part for part in parts) and [("why" in part) for part in parts] == [False, False, True]


# ------------------------------------------------------------------ presenter's pages
@pytest.mark.parametrize("slug", slugs())
def test_every_lesson_has_a_presenters_page_that_fits_it(slug):
    text = (slides.DRAWERS / slug[3:] / "presenter.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| (.+?) \| (?:`(\w+)`|–) \|$", text, re.MULTILINE)
    assert 10 <= sum(int(minutes) for minutes, _, _ in rows) <= 60
    source = read_source(slug)
    prose = "\n".join(cell.source for cell in source.cells if cell.cell_type == "markdown")
    headings = {line.lstrip("# ") for line in prose.splitlines() if line.startswith("#")}
    assert {part for _, part, _ in rows} <= headings
    there = list(kiosk.demos(source))
    assert [demo for _, _, demo in rows if demo] == there, "every demo, in the order of the lesson"
    sections = re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert [name for name, _ in sections] == there
    for name, told in sections:
        assert re.findall(r"^\*\*(\w+)\.\*\* \S", told, re.MULTILINE) == ["Drag", "Ask", "Answer"], name


# ------------------------------------------------------------------ a real browser
@pytest.mark.timeout(1200)
def test_no_slide_of_any_lesson_sticks_out_or_is_too_small(chromium, built):
    for path in built:
        page = chromium(path.as_uri(), "file:", width=1920, height=1114)  # the footer takes 34 of it
        page.wait_for_selector("body[data-ready=yes]", state="attached")
        for number, slide in enumerate(page.evaluate(LOOK), start=1):
            where = f"{path.stem}, slide {number}"
            assert slide["over"] <= 1, f"{where} sticks out: {slide}"
            least = 24 if {"source", "table"} & set(slide["kind"].split()) else 28
            assert slide["smallest"] is None or slide["smallest"] >= least, f"{where} is too small: {slide}"
        page.close()


@pytest.mark.timeout(1200)
def test_slides_turn_and_their_figures_move(chromium, built):
    (path,) = [path for path in built if path.stem == BROWSED]
    page = chromium(path.as_uri(), "file:", width=1920, height=1114)
    page.wait_for_selector("body[data-ready=yes]", state="attached")
    count = page.locator(".slide").count()
    page.keyboard.press("End")
    assert page.locator("#where").inner_text() == f"{count} / {count}"
    page.keyboard.press("ArrowRight")  # there is no slide after the last
    assert page.locator("#where").inner_text() == f"{count} / {count}"
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert page.locator("#where").inner_text() == f"2 / {count}"
    page.keyboard.press("o")
    assert page.locator(".slide").nth(count - 1).is_visible()
    page.keyboard.press("Escape")

    # a figure moves on its slide, and its arrow keys do not turn the page
    moving = page.evaluate(
        "[...document.querySelectorAll('.slide')].findIndex(s => s.innerHTML.includes('sliders')) + 1"
    )
    page.evaluate(f"location.hash = '#{moving}'")
    figure = page.locator(".slide.now figure.plot[data-painted=done]")
    figure.wait_for()
    drawn = "figure => figure.querySelector('.main-svg').innerHTML"
    before = figure.evaluate(drawn)
    figure.locator(".sweep input").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"([f, before]) => ({drawn})(f) !== before", arg=[figure.element_handle(), before])
    assert page.locator("#where").inner_text() == f"{moving} / {count}"


@pytest.mark.timeout(1200)
def test_presenters_page_in_a_browser(chromium, built):
    path = built[0].with_name(f"{BROWSED}_presenter.html")
    page = chromium(path.as_uri(), "file:", width=390, height=844)
    assert page.locator("table").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
