"""Claim cards: intervals, verdicts from numbers, and a file that survives concurrent lessons."""

import errno
import json
import math
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from tutorial_lib.display.claims import (
    Claim,
    all_hold,
    certainly_below,
    interval,
    is_above,
    is_below,
    is_within,
    plus_minus,
    record,
)


def claim(**changes):
    fields = {
        "id": "adapts", "lesson": "06_meta_learning", "text": "Adaptation lowers the error.",
        "source": "Table 3", "paper": {"before": 60.2, "after": 51.3},
        "ours": {"before": [70.0, 72.0, 71.0], "after": [60.0, 61.0, 62.0]},
        "test": lambda ours: (ours["after"] < ours["before"]).all(), "unit": "mm",
    }  # fmt: skip
    return Claim(**{**fields, **changes})


def test_interval_is_students_t():
    mean, low, high = interval([1.0, 2.0, 3.0])
    assert mean == 2.0
    assert high - mean == pytest.approx(4.303 / math.sqrt(3), abs=1e-3)
    assert mean - low == pytest.approx(high - mean)
    assert interval([5.0])[0] == 5.0 and math.isnan(interval([5.0])[1])


def test_quantiles_are_those_of_printed_tables():
    """In a table of Student's t, 97.5 %; for many degrees the normal distribution's quantile."""
    table = {1: 12.7062, 5: 2.5706, 10: 2.2281, 11: 2.2010, 20: 2.0860, 50: 2.0086, 500: 1.9647}
    for degrees, quantile in table.items():
        values = np.arange(degrees + 1.0)
        mean, _, high = interval(values)
        assert high - mean == pytest.approx(quantile * values.std(ddof=1) / math.sqrt(len(values)), rel=3e-5)


def test_interval_covers_the_mean_in_95_of_100_draws():
    draws = np.random.default_rng(0).normal(3.0, 2.0, size=(2000, 5))
    hits = [low <= 3.0 <= high for _, low, high in map(interval, draws)]
    assert 0.935 < np.mean(hits) < 0.965


@pytest.mark.parametrize("values", [[], [math.nan], [[1.0, 2.0]]])
def test_interval_refuses(values):
    with pytest.raises(ValueError, match="finite number per seed"):
        interval(values)


def test_verdict_comes_from_the_numbers():
    assert claim().holds
    worse = claim(ours={"before": [60.0], "after": [70.0]}, explanation="The body is too small.")
    assert not worse.holds and worse.verdict == "does not hold here"
    with pytest.raises(ValueError, match="'does not hold here' and nothing explains it: give explanation, or if_not"):
        claim(ours={"before": [60.0], "after": [70.0]})
    with pytest.raises(ValueError, match=r"claim 'adapts': ours\['after'\]"):
        claim(ours={"before": [60.0], "after": []})


def test_each_verdict_has_its_own_explanation():
    words = {"if_holds": "Yet it is small.", "if_not": "It is too small.", "if_undecided": "More seeds would tell."}
    for holds, said in zip((True, False, None), words):
        card = claim(test=lambda ours, holds=holds: holds, explanation="Paired.", **words)
        for shown in (str(card), card._repr_html_(), card.as_dict()["explanation"]):
            assert f"{words[said]} Paired." in shown and sum(text in shown for text in words.values()) == 1
    assert "too small" in str(claim(test=lambda ours: False, if_not="It is too small."))
    with pytest.raises(ValueError, match="or if_not"):
        claim(test=lambda ours: False, if_holds="Yet it is small.", if_undecided="More seeds would tell.")
    with pytest.raises(ValueError, match="'undecided' and nothing explains it: give explanation, or if_undecided"):
        claim(test=lambda ours: None, if_holds="Yet it is small.", if_not="It is too small.")
    assert claim(explanation="Paired.").note == "Paired." and claim().note == ""
    shown = claim(explanation="*ours-1f* beats 3 * 4 < 13.")._repr_html_()
    assert "<em>ours-1f</em> beats 3 * 4 &lt; 13." in shown


def test_certain_is_an_interval_below_the_limit_and_tables_print_half_of_it():
    assert certainly_below([-3.0, -2.0, -4.0]) and not certainly_below([-3.0, 2.0, -4.0])
    assert certainly_below([7.0, 8.0, 9.0], 11) and not certainly_below([7.0, 8.0, 9.0], 10)
    assert plus_minus([1.0, 2.0, 3.0]) == "2.0 ± 2.5" and plus_minus(iter([1.0, 2.0, 3.0]), 3) == "2.000 ± 2.484"
    assert plus_minus([2.0]) == "2.0" and plus_minus([-2.0], 2) == "-2.00", "one seed has no spread to print"


def test_a_limit_within_the_interval_is_undecided():
    values = [-3.0, -2.0, -4.0]  # -3 ± 2.5
    assert (is_below(values), is_below(values, -6), is_below(values, -2)) == (True, False, None)
    assert (is_above(values, -6), is_above(values), is_above(values, -2)) == (True, False, None)
    assert (is_within(values, -6, 0), is_within(values, 0, 1), is_within(values, -4, 0)) == (True, False, None)
    assert is_below([-3.0]) is None and is_above([-3.0]) is None  # one seed has no spread
    assert (all_hold(True, True), all_hold(True, None), all_hold(None, False)) == (True, None, False)
    card = claim(
        test=lambda ours: is_below(ours["after"] - ours["before"], -10), if_undecided="More seeds would tell."
    )  # -10 ± 2.5
    assert card.holds is None and card.verdict == "undecided" and card.as_dict()["holds"] is None
    assert str(card).startswith("[undecided] ") and "? undecided" in card._repr_html_()


def test_card_shows_both_sides_and_is_deterministic():
    card = claim(paper={"before": 60.2, "after": None, "other": 3})
    text, html = str(card), card._repr_html_()
    assert text == str(claim(paper={"before": 60.2, "after": None, "other": 3}))
    for part in ("[holds]", "60.2", "71.0 [68.5, 73.5]", "95 % interval", "Table 3"):
        assert part in text
    assert "holds" in html and "71.0 [68.5, 73.5]" in html and "color:#fff" in html
    red = claim(test=lambda ours: False, explanation="<why>")
    assert "does not hold here" in red._repr_html_() and "&lt;why&gt;" in red._repr_html_()


def test_record_merges_and_replaces(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "claims.json"
    monkeypatch.setenv("COURSE_CLAIMS", str(path))
    record(claim())
    record(claim(id="other"))
    record(claim(ours={"before": [1.0], "after": [0.0]}))
    known = json.loads(path.read_text(encoding="utf-8"))
    assert sorted(known) == ["06_meta_learning/adapts", "06_meta_learning/other"]
    assert known["06_meta_learning/adapts"]["ours"] == {"before": [1.0], "after": [0.0]}
    assert [item.name for item in path.parent.iterdir() if item.name.startswith("tmp")] == []


def test_lessons_that_end_together_lose_no_claim(tmp_path, monkeypatch):
    pytest.importorskip("fcntl", reason="without file locks the last writer wins")
    path = tmp_path / "claims.json"
    monkeypatch.setenv("COURSE_CLAIMS", str(path))
    code = (
        "import sys; from tutorial_lib.display.claims import Claim, record\n"
        "for i in range(20):\n"
        "    record(Claim(f'c{i}', sys.argv[1], 't', 's', {}, {'a': [1.0]}, lambda ours: True))"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code, f"lesson{n}"]) for n in range(3)]
    assert [run.wait(120) for run in runs] == [0, 0, 0]
    assert len(json.loads(path.read_text(encoding="utf-8"))) == 60


DAMAGED = {
    "empty": "",
    "cut off": '{"04/a": {"id": "a", "les',
    "a list": "[]",
    "null": "null",
    "a number": "7",
    "nested too deeply": "[" * 100_000,
    "of no text": b"\xff\xfe\x00",
    "of no claims": '{"04/a": 5, "04/b": null, "04/c": ["holds"], "04/d": {"holds": true}}',
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_begun_anew_and_named(content, tmp_path, monkeypatch):
    path = tmp_path / "claims.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    monkeypatch.setenv("COURSE_CLAIMS", str(path))
    with pytest.warns(UserWarning, match="claims.json holds"):
        record(claim())
    assert list(json.loads(path.read_text(encoding="utf-8"))) == ["06_meta_learning/adapts"]
    assert {item.name for item in tmp_path.iterdir()} == {"claims.json", "claims.json.lock"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        record(claim(id="other"))
    assert len(json.loads(path.read_text(encoding="utf-8"))) == 2, "mended"


def test_what_is_whole_stays_beside_what_is_damaged_and_behind_an_editors_mark(tmp_path, monkeypatch):
    path = tmp_path / "claims.json"
    monkeypatch.setenv("COURSE_CLAIMS", str(path))
    record(claim())
    known = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**known, "x": 5}), encoding="utf-8-sig")
    with pytest.warns(UserWarning, match=r"entries that are no claims \(x\)"):
        record(claim(id="other"))
    assert sorted(json.loads(path.read_text(encoding="utf-8"))) == [*known, "06_meta_learning/other"]


@pytest.mark.parametrize("place", ["a folder", "below a file", "a full disk"])
def test_a_claim_that_cannot_be_kept_is_shown(place, tmp_path, monkeypatch):
    path = tmp_path / "there" / "claims.json"
    if place == "a folder":
        path.mkdir(parents=True)
    elif place == "below a file":
        path.parent.write_text("")
    else:
        write_text = Path.write_text

        def full(self, text, **options):
            write_text(self, text[:5], **options)
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(Path, "write_text", full)
    monkeypatch.setenv("COURSE_CLAIMS", str(path))
    with pytest.warns(UserWarning, match="claims.json cannot be written .*'adapts' is shown, not kept"):
        assert record(claim()).holds
    assert {item.name for item in tmp_path.rglob("*")} <= {"there", "claims.json", "claims.json.lock"}


def test_a_card_without_a_papers_figures_has_no_column_of_dashes():
    card = Claim("a", "01", "It holds.", "nowhere", paper=None, ours={"x": [1.0, 2.0]}, test=lambda m: True)
    assert "paper" not in str(card) and "–" not in card._repr_html_()
    assert [len(row) for row in (card.heads(), *card.rows())] == [3, 3]
    assert card.as_dict()["paper"] == {}


def test_claims_on_one_subject_stand_beside_each_other_and_are_all_written(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CLAIMS", str(tmp_path / "claims.json"))
    cards = record(claim(), claim(id="other", text="Another."))
    assert len(json.loads((tmp_path / "claims.json").read_text(encoding="utf-8"))) == 2
    head, first, second, tail = cards._repr_html_().split(cards.BETWEEN)
    assert claim()._repr_html_() in first and "Another." in second
    assert first.count("<div") == first.count("</div") and "display:flex" in head and tail == "</div>"
    assert str(cards) == f"{cards.claims[0]}\n\n{cards.claims[1]}"
