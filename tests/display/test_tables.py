"""Tables: the papers' errors by action with the best in bold, Markdown that its cells cannot break."""

import pytest
import torch

from tutorial_lib.display import tables
from tutorial_lib.display.tables import folded, html_row, markdown, table
from tutorial_lib.metrics.by_action import per_action
from tutorial_lib.motion import ACTIONS


def poses(frames, seed=0):
    return torch.randn(frames, 17, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def off_by(truth, metres):
    """Joints 1 to 16 moved by `metres`, the root left: MPJPE is 16/17 of it."""
    return truth + torch.tensor([metres, 0.0, 0.0]) * (torch.arange(17) > 0)[:, None]


def test_markdown_cells_cannot_end_their_column():
    assert markdown(["a|b", ""], [["1", "2|3"]]) == "| a\\|b |  |\n|---|---|\n| 1 | 2\\|3 |"
    assert markdown(["a", "b", "c"], [], numbers=True).splitlines() == ["| a | b | c |", "|---|---:|---:|"]


def test_html_rows_have_a_style_a_cell():
    assert html_row(["1", "2"], ["color:red", ""], "th") == "<tr><th style='color:red'>1</th><th style=''>2</th></tr>"
    assert html_row(["1"], [""], style="background:none").startswith("<tr style='background:none'><td")


def test_columns_come_in_the_papers_order_with_their_heads():
    names = ["Walking", "my dance", "Directions", "Eating"]
    result = per_action([(name, poses(2), poses(2)) for name in names])
    assert table({"a": result}).columns == ("Dir.", "Eat", "Walk", "my dance", "Avg")
    assert set(tables.BUILTIN) < set(ACTIONS)


def models():
    truth = poses(3)
    return {
        name: per_action([("Eating", off_by(truth, eat), truth), ("walk", off_by(truth, walk), truth)])
        for name, eat, walk in (("small", 0.017, 0.034), ("big | old", 0.051, 0.017), ("tie", 0.017 + 1e-7, 0.085))
    }


def test_the_best_is_bold_also_where_two_tie():
    shown = table(models())
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in str(shown).splitlines()]
    assert rows[0] == ["MPJPE, protocol 1 (mm)", "Eat", "walk", "Avg"]
    assert rows[2] == ["small", "**16.0**", "32.0", "**24.0**"]
    assert rows[3] == ["big \\| old", "48.0", "**16.0**", "32.0"]
    assert rows[4] == ["tie", "**16.0**", "80.0", "48.0"]


def test_who_has_no_rival_is_not_the_best():
    shown = table({"small": models()["small"]})
    assert "**" not in str(shown) and "<b>" not in shown._repr_html_()


def test_the_html_shows_the_same_and_escapes_names():
    result = models()
    html = table({"<b>": result["small"], "other": result["tie"]}, "p_mpjpe")._repr_html_()
    assert "&lt;b&gt;" in html and "P-MPJPE" in html
    assert html.count("<tr") == 3 and html.count("</td>") == 8
    assert html.count("position:sticky;right:0;background:var(") == 3, "Avg stays in sight where the page is narrow"


def test_velocity_that_no_model_has_is_never_best():
    pose = poses(1)
    result = per_action([("sit", pose, pose)])
    shown = table({"a": result, "b": result}, "mpjve")
    assert shown.best(0) == set()
    assert "nan" in str(shown)


def test_wrong_arguments_are_refused():
    good = poses(3)
    result = per_action([("walk", good, good)])
    with pytest.raises(ValueError, match="metric is 'pckh'.*p_mpjpe"):
        table({"a": result}, "pckh")
    with pytest.raises(ValueError, match="models is empty"):
        table({})
    with pytest.raises(ValueError, match="'b' was tested on.*same recordings"):
        table({"a": result, "b": per_action([("walk", good[:2], good[:2])])})


def test_tables_to_look_up_lie_under_a_line():
    shown = folded("All numbers", markdown(["a", "b"], [["1", "2"]]))
    html = shown._repr_html_()
    assert html.startswith("<details><summary") and ">All numbers</summary>" in html and "<table>" in html
    assert "| 1 | 2 |" in str(shown)
