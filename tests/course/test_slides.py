"""Talks: the rules that make them, the minutes that they and run sheets take, and how they look on a projector."""

import ast
import html
import json
import re

import nbformat
import pytest

from tutorial_lib.course import deck, essence, kiosk, rendering, slides, student, talks
from tutorial_lib.course import prose as prose_of
from tutorial_lib.course.compare import PLOTLY
from tutorial_lib.course.notebooks import read_source, slugs, tags
from tutorial_lib.display import claims

BROWSED = "05_camera_distortion"


def talk_of(*cells, title="# 05 · Why?\n\n**You will** see.", rows=()):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(title), *cells])
    return deck.slides(rendering.lesson("05_why", notebook), list(rows))


def prose(text, kind=None):
    return nbformat.v4.new_markdown_cell(text, metadata={"slideshow": {"slide_type": kind}} if kind else {})


def shown(source="x", **data):
    output = nbformat.v4.new_output("display_data", {key.replace("_", "/"): value for key, value in data.items()})
    return nbformat.v4.new_code_cell(source, outputs=[output])


def texts(told):
    return [(slide.kind, slide.text) for slide in told[1:]]


@pytest.fixture(scope="module")
def told():
    """(lesson, its slides, its presenter's table) of every committed lesson."""
    found = []
    for lesson in rendering.executed([]):
        rows = talks.table(talks.presenter(lesson.slug))
        found.append((lesson, deck.slides(lesson, rows), rows))
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The page of one lesson's talk."""
    try:
        slides.reveal()
    except ValueError as problem:
        pytest.skip(str(problem))
    (path,) = slides.build(rendering.executed([BROWSED]), tmp_path_factory.mktemp("slides"))
    return path


# ------------------------------------------------------------------ every lesson
def test_the_clock_follows_the_presenters_table(told):
    for lesson, deck_of_lesson, rows in told:
        whole = sum(row.minutes for row in rows)
        assert sum(slide.minutes for slide in deck_of_lesson) == pytest.approx(whole), lesson.slug
        notebook = deck.as_notebook(lesson, deck_of_lesson)
        assert f"A talk of {whole} minutes" in notebook.cells[1].source
        starts = [
            cell.metadata.slideshow.data for cell in notebook.cells if "data" in cell.metadata.get("slideshow", {})
        ]
        assert len(starts) == len(deck_of_lesson), "every slide says when it comes and how long it takes"
        entries = deck.entries(lesson, deck_of_lesson)
        for row in rows:
            alone = row.demo and any(other.part == row.part and not other.demo for other in rows)
            assert not alone or row.minutes in [e.minutes for e in entries if e.demo == row.demo], row


def test_a_slide_holds_one_idea_in_few_words(told):
    for lesson, deck_of_lesson, _ in told:
        for slide in deck_of_lesson:
            where = f"{lesson.slug}, {slide.kind}, {slide.part}: {slide.text[:60]}"
            assert slide.text.strip() or slide.output is not None, f"empty: {where}"
            assert not slide.text.rstrip().endswith(":"), f"announces what is not there: {where}"
            if slide.kind == "source":
                assert len(slide.text.splitlines()) < 38, where
            elif slide.kind != "table":
                assert prose_of.words(slide.text) <= prose_of.MAX_WORDS + (40 if slide.kind == "summary" else 20), where
            assert student.BEGIN not in slide.text and "checks." not in slide.text


def test_every_demo_of_the_table_is_a_slide_with_its_name(told):
    for lesson, deck_of_lesson, rows in told:
        hidden = {
            name
            for name, number in kiosk.demos(read_source(lesson.slug)).items()
            if read_source(lesson.slug).cells[number].metadata.get("slideshow", {}).get("slide_type") == "skip"
        }
        wanted = [row.demo for row in rows if row.demo and row.demo not in hidden]
        assert [slide.demo for slide in deck_of_lesson if slide.demo] == wanted, lesson.slug


def test_what_is_tagged_as_test_or_volatile_is_not_shown(told):
    for lesson, deck_of_lesson, _ in told:
        left_out = [c for c in lesson.notebook.cells if {"demo-test", "volatile"} & set(tags(c))]
        outputs = [str(output) for cell in left_out for output in cell.outputs]
        assert not [slide for slide in deck_of_lesson if str(slide.output) in outputs]


@pytest.mark.parametrize("slug", slugs())
def test_every_lesson_has_a_presenters_page_that_fits_it(slug):
    text = talks.presenter(slug)
    rows = talks.table(text)
    assert 10 <= sum(row.minutes for row in rows) <= 60 - talks.QUESTIONS, (
        "or the clock and the hour's run sheet disagree"
    )
    source = read_source(slug)
    told = "\n".join(cell.source for cell in source.cells if cell.cell_type == "markdown")
    headings = {line.lstrip("# ") for line in told.splitlines() if line.startswith("#")}
    assert {row.part for row in rows} <= headings
    there = list(kiosk.demos(source))
    assert [row.demo for row in rows if row.demo] == there, "every demo, in the order of the lesson"
    sections = re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert [name for name, _ in sections] == there
    for name, said in sections:
        assert re.findall(r"^\*\*(\w+)\.\*\* \S", said, re.MULTILINE) == ["Drag", "Ask", "Answer"], name
    assert "| minutes |" not in talks.without_table(text) and not talks.table(talks.without_table(text))


# ------------------------------------------------------------------ the rules, one by one
def test_a_prediction_interrupts_the_prose_and_what_you_saw_follows():
    told = talk_of(prose("## 1. One\n\nFirst.\n\n> **Predict.** Which?\n\n**What you saw.** That."))
    assert texts(told) == [("text", "First."), ("predict", "Which?"), ("saw", "That.")]
    assert {slide.title for slide in told[1:]} == {"1. One"}
    answer = shown(**{"text_plain": "The answer: **What you saw.** It turns.", "text_html": "<details>"})
    assert texts(talk_of(prose("## A"), answer)) == [("saw", "It turns.")]


def test_further_prose_goes_into_the_notes_and_what_is_bold_stays():
    told = talk_of(prose("## A\n\nOne.\n\nTwo.\n\n**Three** matters."), prose("## B\n\nFour."))
    assert texts(told) == [("text", "One.\n\n**Three** matters."), ("text", "Four.")]
    assert "Two." in [note for slide in told for note in slide.notes]


def test_a_long_paragraph_ends_with_a_whole_sentence_and_the_notes_have_it_all():
    long = " ".join(f"Sentence {n} has *a. B* and $x. Y$ in it." for n in range(40))
    (slide,) = talk_of(prose(f"## A\n\n{long}"))[1:]
    assert prose_of.words(slide.text) <= prose_of.MAX_WORDS and slide.text.endswith("in it.")
    assert long.startswith(slide.text) and long in slide.notes


def test_what_announces_stays_with_what_it_announces():
    assert texts(talk_of(prose("## A\n\nA pinhole. With $r$:\n\n$$x$$"))) == [
        ("text", "A pinhole.\n\nWith $r$:\n\n$$x$$")
    ]
    table = shown(**{"text_plain": "t", "text_html": "<table></table>"})
    told = talk_of(prose("## A\n\nOne. The same in numbers:"), table)
    assert [(slide.kind, slide.text) for slide in told[1:]] == [("text", "One."), ("table", "")]
    assert "The same in numbers:" in "".join(told[1].notes)


def test_of_a_long_list_every_item_keeps_its_first_sentence():
    items = "\n".join(f"- **Item {n}.** It is here. {'Far ' * 30}away." for n in range(4))
    (slide,) = talk_of(prose(f"## A\n\nFour things:\n\n{items}"))[1:]
    assert slide.text == "Four things:\n\n" + "\n".join(f"- **Item {n}.** It is here." for n in range(4))


def test_a_list_in_a_frame_is_a_list_on_a_slide():
    (slide,) = talk_of(prose("## A\n\n> **Given** weights.\n> 1. Draw.\n> 2. Step."))[1:]
    assert slide.text == "**Given** weights.\n1. Draw.\n2. Step."


def test_exercises_are_one_slide_and_what_the_table_does_not_name_none():
    answer = nbformat.v4.new_code_cell(f"def f():\n    {student.BEGIN}\n    return 1\n    {student.END}")
    cells = [
        prose("## A\n\nOne."), prose("### B\n\n**Two**."), prose("## C\n\nThree."), prose("## Summary\n\n1. Four."),
        prose("## Exercises\n\nEach has a check.\n\n**1. One** (5 minutes). Do."), answer,
        prose("**2. Two** (10 minutes). Do."), prose("## Further reading\n\n- Book"),
    ]  # fmt: skip
    told = talk_of(*cells, rows=[talks.Row(6, "A")])
    assert [slide.kind for slide in told] == ["title", "text", "text", "summary", "exercises"]
    assert [slide.title for slide in told[1:3]] == ["A", "B"] and {slide.part for slide in told[1:3]} == {"A"}
    assert told[-1].text == "1. One (5 minutes)\n2. Two (10 minutes)"
    assert sum(slide.minutes for slide in told[:3]) == pytest.approx(6) and told[3].minutes == told[4].minutes == 0
    assert deck.exercises(told) == {"One": 5, "Two": 10}


def test_a_part_with_too_many_slides_spares_what_is_missed_least():
    table = shown(**{"text_plain": "t", "text_html": "<table></table>"})
    cells = [
        prose("## A\n\nOne."),
        table,
        prose("**Two**.\n\n> **Predict.** Which?"),
        shown(**{"text_plain": "u", "text_html": "<table></table>"}),
    ]
    told = talk_of(*cells, rows=[talks.Row(2.4, "A")])
    assert [slide.kind for slide in told] == ["title", "text", "table", "predict"]
    assert "**Two**." in "".join(note for slide in told for note in slide.notes)


def test_notes_name_the_cards_that_a_part_cannot_show():
    cards = [f"<p>{letter}</p>" for letter in "abc"]
    plain = "\n\n".join(f"[holds] ({letter}) It is so.\n  mean  1.0" for letter in "abc")
    html = claims.Cards.BETWEEN.join(["<div>", *cards, "</div>"])
    told = talk_of(prose("## A\n\nOne."), shown(text_plain=plain, text_html=html), rows=[talks.Row(1.9, "A")])
    assert [slide.kind for slide in told] == ["title", "text", "card"]
    for letter in "bc":
        assert f"(One more card is in the lesson: [holds] ({letter}) It is so.)" in told[-1].notes


def test_a_cell_can_be_left_out():
    assert texts(talk_of(prose("## A\n\nOne.", "skip"), prose("## B\n\nTwo."))) == [("text", "Two.")]


# ------------------------------------------------------------------ code
SOURCE = '''
def pull(
    points: torch.Tensor, *, rate: float = 0.1, names: tuple[str, ...] = ("a",)
) -> torch.Tensor:  # fmt: skip
    """Where points go.

    Raises:
        ValueError: never.
    """
    if rate < 0:
        raise ValueError("rate")
    for name in names:
        if not name:
            raise ValueError("name")
    _check(points)
    if names is not None:
        print(names)

    def step(x: float):
        # A comment that stays.
        return x * rate  # so much

    return step(points)

    def method(self):
        return 1

    def other(self):
        assert self
        return 2
'''


def test_essence_computes_the_same_and_guards_no_more():
    first, *methods = essence.functions(SOURCE)
    assert first.splitlines() == [
        'def pull(points, *, rate=0.1, names=("a",)):', '    """Where points go."""', "", "    def step(x):",
        "        # A comment that stays.", "        return x * rate  # so much", "", "    return step(points)",
    ]  # fmt: skip
    assert methods == ["    def method(self):\n        return 1", "    def other(self):\n        return 2"]


def test_essence_of_every_library_source_that_lessons_show_is_python(told):
    for lesson, _, _ in told:
        for cell in lesson.notebook.cells:
            for output in cell.get("outputs", []):
                data = output.get("data", {})
                if {"text/latex", "text/html"} <= set(data):
                    for piece in essence.functions(data["text/plain"]):
                        body = ast.parse(f"if True:\n{piece}" if piece.startswith(" ") else piece)
                        assert not [n for n in ast.walk(body) if isinstance(n, ast.Raise)], lesson.slug


# ------------------------------------------------------------------ run sheets
PARTS = [
    talks.Entry(5, "one", "", "05_a", 1, 3), talks.Entry(15, "one", "x", "05_a", 4, 4),
    talks.Entry(10, "two", "", "05_a", 5, 9),
]  # fmt: skip


def test_a_short_talk_leaves_room_for_exercises_and_questions():
    rows = talks.sheet(PARTS, {"easy": 10, "hard": 30}, 60)
    assert [(start, row.part) for start, row in rows] == [
        (0, "one"), (5, "one"), (20, "two"), (30, "Exercise: easy"), (40, "Questions"),
    ]  # fmt: skip
    assert sum(row.minutes for _, row in rows) == 60 and [row.slides for _, row in rows[:2]] == ["1–3", "4"]


def test_a_long_seminar_loses_parts_without_demos_first_and_keeps_time_for_questions():
    rows = [row for _, row in talks.sheet(PARTS + [talks.Entry(30, "one", "y", "06_b", 2, 2)], {}, 50)]
    assert [row.part for row in rows] == ["one", "one", "one", "Questions"]
    assert rows[-1].minutes == pytest.approx(talks.QUESTIONS) and sum(row.minutes for row in rows) == pytest.approx(50)
    with pytest.raises(ValueError, match="slot is 15 minutes, expected more"):
        talks.sheet([talks.Entry(30, "one", "y", "06_b", 2, 2)], {}, 15)


def test_presenters_pages_have_a_run_sheet_for_every_slot(built):
    page = built.with_name(f"{BROWSED}_presenter.html").read_text(encoding="utf-8")
    assert all(f"Run sheet for {slot} minutes" in page for slot in talks.SLOTS)
    assert built.name in built.with_name("index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("title", ["Bend the light", "An auto-encoder's numbers"])
def test_under_a_demo_stands_its_title(title):
    data = {"text/plain": f"live demo {title!r}: k1 0", "image/png": "aGk="}
    shown = slides.demo(nbformat.v4.new_output("display_data", data), "lens", BROWSED)
    assert f"<figcaption><b>{html.escape(title)}</b>" in shown


HOSTILE = "<!--<script>alert(1)</script> ]]> </title> \u2028 \ud83d"


def test_no_text_of_a_figure_gets_out_of_its_script(built, tmp_path):
    figure = {"data": [{"type": "bar", "name": HOSTILE, "y": [1]}], "layout": {"title": {"text": HOSTILE}}}
    output = nbformat.v4.new_output("display_data", {PLOTLY: figure, "text/plain": "figure: a"})
    cells = [prose("# 05 · Why?"), prose("## First"), nbformat.v4.new_code_cell("f", outputs=[output])]
    lesson = rendering.lesson("05_why", nbformat.v4.new_notebook(cells=cells))
    (path,) = slides.build([lesson], tmp_path)
    scripts = re.findall(r'<script type="application/json">(.*?)</script>', path.read_text("utf-8"), re.DOTALL)
    assert [json.loads(script) for script in scripts] == [figure] and "<" not in scripts[0]


# ------------------------------------------------------------------ a real browser
LOOK = """() => {
  const slide = Reveal.getCurrentSlide(), box = slide.children[1], frame = slide.getBoundingClientRect();
  const shown = [...slide.querySelectorAll('p, li, td, th, pre, img, figcaption')].filter(e => !e.closest('aside'));
  return {
    kind: slide.dataset.kind, clock: document.getElementById('minute').textContent,
    over: Math.max(box.scrollHeight - box.clientHeight, box.scrollWidth - box.clientWidth),
    out: shown.map(e => e.getBoundingClientRect())
      .filter(r => r.right > frame.right + 1 || r.bottom > frame.bottom + 1).length,
    size: parseFloat(getComputedStyle(box).fontSize),
  };
}"""


@pytest.mark.timeout(1200)
def test_a_whole_talk_in_a_browser(chromium, built):
    """No slide sticks out or is too small, figures move, the clock runs; the fixture looks at console and network."""
    page = chromium(built.as_uri(), "file:", width=1920, height=1080)
    page.wait_for_selector("body[data-ready=yes]", state="attached")
    count, moved = page.evaluate("Reveal.getTotalSlides()"), 0
    for number in range(1, count + 1):
        slide = page.evaluate(LOOK)
        where = f"slide {number}: {slide}"
        assert slide["over"] <= 6 and slide["out"] == 0, f"{where} sticks out"
        assert slide["size"] >= (20 if slide["kind"] in ("source", "table", "card") else 28), f"{where} is too small"
        assert re.fullmatch(r"minute \d+ of 41", slide["clock"])
        if page.evaluate("!!Reveal.getCurrentSlide().querySelector('figure.plot')"):
            figure = page.locator("section.present:not(.stack) figure.plot")
            figure.locator(".main-svg").first.wait_for()
            slider = figure.locator("input")
            if slider.count() and not moved:
                drawn = "figure => figure.querySelector('.main-svg').innerHTML"
                before = figure.evaluate(drawn)
                slider.focus()
                page.keyboard.press("ArrowRight")
                page.wait_for_function(
                    f"([f, before]) => ({drawn})(f) !== before", arg=[figure.element_handle(), before]
                )
                page.evaluate("document.activeElement.blur()")
                moved += 1
        page.keyboard.press("ArrowRight")
    assert moved and page.evaluate("Reveal.isLastSlide()")


@pytest.mark.timeout(1200)
def test_the_speakers_window_shows_notes_clock_and_the_next_slide(chromium, built):
    """From the disk, without a server."""
    page = chromium(f"{built.as_uri()}#/2", "file:", width=1280, height=720)
    page.wait_for_selector("body[data-ready=yes]", state="attached")
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    window = opened.value
    window.set_default_timeout(120_000)  # it loads the deck twice more, beside whatever else runs
    window.wait_for_function(
        "document.querySelector('.speaker-controls-notes .value')?.innerText.includes('pinhole') !== undefined"
    )
    window.frame_locator("#upcoming-slide iframe").locator("section.present h2").first.wait_for(state="attached")
    said = "document.querySelector('.speaker-controls-notes .value')"
    for words in ("This is the code", "the dotted grid"):  # the notes of a slide, and those of the next
        page.keyboard.press("ArrowRight")
        window.frame_locator("#upcoming-slide iframe").locator("section.present h2").first.wait_for(state="attached")
        window.wait_for_function(f"{said}.innerText.includes({words!r})")
    assert window.locator(".speaker-controls-time .timer").is_visible()


@pytest.mark.timeout(1200)
def test_presenters_page_in_a_browser(chromium, built):
    page = chromium(built.with_name(f"{BROWSED}_presenter.html").as_uri(), "file:", width=390, height=844)
    assert page.locator("table").count() == len(talks.SLOTS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
