"""The glossary's links, the way from lesson to lesson, and the cheat sheets' code."""

import re

import pytest

from tutorial_lib.course import glossary, notebooks

LESSONS = notebooks.slugs()


def prose(slug):
    return [cell.source for cell in notebooks.read_source(slug).cells if cell.cell_type == "markdown"]


def test_every_entry_has_a_place_of_its_own_and_a_sentence_that_fits_a_tip():
    entries = glossary.terms()
    assert len({term.place for term in entries}) == len(entries) > 40
    assert all(15 < len(term.meaning) <= 140 for term in entries)


@pytest.mark.parametrize("slug", LESSONS)
def test_every_term_is_linked_once_with_the_glossarys_words(slug):
    text = "\n\n".join(prose(slug))
    places = re.findall(r'\]\(\.\./docs/glossary\.md#([^ )]+) "([^"]+)"\)', text)
    assert len(places) > 4 and len({place for place, _ in places}) == len(places)
    assert {*places} <= {(term.place, term.meaning) for term in glossary.terms()}
    assert "](../docs/glossary.md" not in text.partition("## Further reading")[2].partition("[Glossary]")[0]


def test_a_link_stands_at_the_first_use_in_running_text():
    entry = glossary.Term("heat-map", "Heat map", "A grid over the picture")
    cells = [
        "# Heat map",
        "`heat map` and $heat map$ and **heat map**",
        "Two heat\nmaps, then a heat map.",
        "A heat map",
    ]
    linked = glossary.linked(cells, (entry,))
    assert linked[:2] == cells[:2] and linked[3] == cells[3]
    assert linked[2] == f"Two {entry.link('heat' + chr(10) + 'maps')}, then a heat map."
    assert [re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1", cell) for cell in linked] == cells


def test_longer_terms_come_first_and_abbreviations_keep_their_capitals():
    entries = tuple(glossary.Term(name.lower(), name, "a meaning") for name in ("MPJPE", "P-MPJPE", "DARK"))
    (linked,) = glossary.linked(["P-MPJPE forgives more than MPJPE, in the dark."], entries)
    assert linked.startswith("[P-MPJPE](") and " [MPJPE](" in linked and linked.endswith("in the dark.")


def test_the_way_on_leads_through_all_lessons():
    for before, after in zip(LESSONS, LESSONS[1:]):
        assert f"({after}.ipynb) →" in prose(before)[-1] and f"← [{before[:2]}" in prose(after)[-1]
    assert "←" not in prose(LESSONS[0])[-1] and "→" not in prose(LESSONS[-1])[-1]
    assert all(f"(../docs/cheatsheets/{slug}.md)" in prose(slug)[-1] for slug in LESSONS)


@pytest.mark.parametrize("slug", LESSONS)
def test_a_cheat_sheets_code_runs(slug):
    sheet = (glossary.PAGE.parent / "cheatsheets" / f"{slug}.md").read_text(encoding="utf-8")
    assert sheet.startswith(f"# Cheat sheet: {slug[:2]} · ") and len(sheet.splitlines()) <= 45
    (code,) = re.findall(r"```python\n(.*?)```", sheet, re.DOTALL)
    exec(compile(code, slug, "exec"), {})
