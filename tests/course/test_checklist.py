"""Every lesson keeps the sheet of fourteen points, the template too, and the sheet sees what a lesson lacks."""

from pathlib import Path

import jupytext
import pytest

from tutorial_lib.course import checklist, notebooks

TEMPLATE = Path(checklist.__file__).with_name("template.py.txt").read_text(encoding="utf-8")


def notebook(text):
    return jupytext.reads(text, fmt="py:percent")


def begun(number="99"):
    """The template as an author leaves it who has filled in everything."""
    return TEMPLATE.replace("NN", number).replace("TODO", "Done")


@pytest.mark.parametrize("slug", notebooks.slugs())
def test_lesson_keeps_the_sheet(slug):
    problems = checklist.missing(slug, notebooks.read_source(slug))
    told = [f"{point}: {problem}. Expected: {checklist.POINTS.get(point)}" for point, problem in problems.items()]
    assert not told, "\n".join([slug, *told])


def test_there_are_fourteen_points_and_each_is_looked_for():
    assert len(checklist.POINTS) == 14
    assert list(checklist.LOOKS) == list(checklist.POINTS)
    assert all(exempt <= set(checklist.POINTS) for exempt in checklist.EXEMPT.values())


def test_template_keeps_the_sheet_once_it_is_filled_in():
    assert checklist.missing("99_slug", notebook(begun())) == {}
    assert list(checklist.missing("99_slug", notebook(TEMPLATE.replace("NN", "99")))) == ["template"]


def test_template_is_no_lesson_and_runs_as_it_is(tmp_path, monkeypatch, capsys):
    assert not [slug for slug in notebooks.slugs() if not slug[:2].isdecimal()]
    monkeypatch.setenv("COURSE_CLAIMS", str(tmp_path / "claims.json"))
    room = {"__name__": "lesson"}
    for cell in notebook(TEMPLATE).cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, "<template>", "exec"), room)
    assert "the demo moves" in capsys.readouterr().out
    assert (tmp_path / "claims.json").exists()


DAMAGE = {
    "title": ("answer?", "answer? And which?"),
    "objectives": ("**You will learn**", "Learn"),
    "needs": ("45 minutes", "a while"),
    "predict": ("> **Predict.** Done: the third", "Done: the third"),
    "demo": ('# %% tags=["demo-test"]', "# %%"),
    "twin": ("show(figures", "print(figures"),
    "source": ("source(distortion.distort)", "distortion.distort"),
    "formula": ("$", ""),
    "claims": ("record(", "print("),
    "exercises": ("checks.first_fold(first_fold)", "first_fold(-1)"),
    "break": ("## Break it", "## Mend it"),
    "summary": ("# 4. Done\n", ""),
    "reading": ("## Further reading", "## References"),
    "settings": ('PROFILE = "quick"', 'PROFILE = "full"'),
}


@pytest.mark.parametrize("point", checklist.POINTS)
def test_sheet_sees_what_is_missing(point):
    old, new = DAMAGE[point]
    assert old in begun()
    lacking = {"source": ["source", "formula"]}.get(point, [point])  # no formula stands beside code that is not shown
    assert list(checklist.missing("99_slug", notebook(begun().replace(old, new)))) == lacking


def test_no_cell_may_lean_on_a_students_answer():
    leaning = begun().replace("## Break it", "## Break it\n\n# %%\nradial(torch.zeros(2), 0.1)\n\n# %% [markdown]\n#")
    assert "uses radial" in checklist.missing("99_slug", notebook(leaning))["exercises"]
    own = begun().replace("## Break it", "## Break it\n\n# %%\nradial = 3\nprint(radial)\n\n# %% [markdown]\n#")
    assert checklist.missing("99_slug", notebook(own)) == {}


def test_a_demo_that_its_test_never_moves_is_found():
    still = begun().replace("lens.set(k1=-1.0).check()\n", "").replace("lens.reset().check()\n", "")
    assert "never moves" in checklist.missing("99_slug", notebook(still))["demo"]


def test_the_doorway_is_exempt_from_what_would_make_it_a_lesson():
    light = begun("00").replace("source(distortion.distort)", "1").replace("record(", "print(")
    assert checklist.missing("00_start_here", notebook(light)) == {}
    assert set(checklist.missing("07_start_here", notebook(light.replace("# 00", "# 07")))) == {
        "source",
        "formula",
        "claims",
    }


def test_the_command_prints_every_lesson(capsys):
    checklist.main(["00"])
    assert capsys.readouterr().out == "00_start_here: keeps the sheet\n"
    with pytest.raises(SystemExit):
        checklist.main(["no such lesson"])
    assert "expected one of" in capsys.readouterr().err
