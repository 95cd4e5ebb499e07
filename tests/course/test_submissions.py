"""What a class may hand in: a mark, or one clear verdict for each, and never an end of everybody's marks."""

import copy
import csv
import functools
import json
import os
import socket

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tutorial_lib.course import grade, grade_report, notebooks, student
from tutorial_lib.course.submissions import LARGEST_NOTEBOOK, find, read

LENS = next(slug for slug in notebooks.slugs() if slug.startswith("05"))
EXERCISES = student.exercises(LENS)
HALF = "\ud83d"


@pytest.fixture(scope="module")
def worker():
    with grade.Worker({EXERCISES[0].checks}, seconds=60.0, megabytes=500) as shared:
        yield shared


@functools.cache
def solved():
    notebook = student.student_notebook(notebooks.read_source(LENS), LENS, solutions=True)
    return json.dumps({**notebook, "cells": [dict(cell) for cell in notebook.cells]})


def changed(change):
    """The solved lesson's JSON after a change of it."""
    document = json.loads(solved())
    change(document)
    return json.dumps(document)


def answer_of(document):
    return next(cell for cell in document["cells"] if "".join(cell["source"]).startswith("def radial"))


def graded(folder, worker, exercises=EXERCISES[:2]):
    """student -> verdicts, as the written table has them."""
    out = folder.parent / "out"
    grade_report.write(*grade.grade(folder, {LENS: exercises}, worker), out)
    with open(out / "grades.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert (out / "overview.md").is_file()
    assert len(list((out / "reports").iterdir())) == len({row["student"] for row in rows})
    return {who: [row["verdict"] for row in rows if row["student"] == who] for who in {row["student"] for row in rows}}


ONE_WRONG, ALL_RIGHT, NONE = ["not Python", "right"], ["right"] * 2, ["unreadable"]


def _about(value):
    return lambda document: document["metadata"].update(course=value)


def _put(key, value):
    return lambda document: document.update({key: value})


def _source(value):
    return lambda document: answer_of(document).update(source=value)


def _extra(cell):
    return lambda document: document["cells"].insert(1, cell)


CONTENTS = {
    "metadata.course is text": (_about("x"), ALL_RIGHT),
    "metadata.course is null": (_about(None), ALL_RIGHT),
    "metadata.course.lesson is a list": (_about({"lesson": ["05"]}), ALL_RIGHT),
    "metadata is null": (_put("metadata", None), ALL_RIGHT),
    "metadata is a list": (_put("metadata", [1]), ALL_RIGHT),
    "cells are an object": (_put("cells", {"0": 1}), NONE),
    "cells are null": (_put("cells", None), NONE),
    "no cells": (_put("cells", []), ["missing", "missing"]),
    "a cell is a number": (_extra(5), ALL_RIGHT),
    "a cell has no source": (_extra({"cell_type": "code"}), ALL_RIGHT),
    "a cell's type is a list": (_extra({"cell_type": ["code"], "source": "x"}), ALL_RIGHT),
    "a source is a number": (_source(7), ["missing", "right"]),
    "a source is a list of numbers": (_source([7, None]), ["missing", "right"]),
    "outputs are text": (lambda document: answer_of(document).update(outputs="x"), ALL_RIGHT),
    "half a character in another cell": (_extra({"cell_type": "code", "source": f"# {HALF}"}), ALL_RIGHT),
    "half a character in prose": (_extra({"cell_type": "markdown", "source": HALF}), ALL_RIGHT),
    "half a character in the answer": (_source(f"# {HALF}\ndef radial(points, k1):\n    return 1"), ONE_WRONG),
    "half a character in the message": (
        _source("def radial(points, k1):\n    raise ValueError('\\ud83d')"), ["error", "right"],
    ),
    "half a character in an assert": (
        _source("def radial(points, k1):\n    assert 0, '\\ud83d | <b>'"), ["wrong", "right"],
    ),
    "NUL in the answer": (_source("def radial(points, k1):\n    return '\0'"), ONE_WRONG),
    "nesting in the answer": (_source("def radial(points, k1):\n    return " + "(" * 9999), ONE_WRONG),
}  # fmt: skip


def test_a_damaged_cell_costs_itself(worker, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "aaron.ipynb").write_text(solved())
    (folder / "zoe.ipynb").write_text(solved())
    for title, (change, _) in CONTENTS.items():
        (folder / f"{title} 05_camera_distortion.ipynb").write_text(changed(change))
    expected = {f"{title} 05_camera_distortion": verdicts for title, (_, verdicts) in CONTENTS.items()}
    assert graded(folder, worker) == expected | {"aaron": ALL_RIGHT, "zoe": ALL_RIGHT}


def test_a_damaged_file_costs_its_student(worker, tmp_path):
    folder, secret = tmp_path / "in", tmp_path / "secret.ipynb"
    (folder / "bob").mkdir(parents=True)
    for honest in (folder / "bob" / "x.ipynb", folder / "zoe.ipynb", secret):
        honest.write_text(solved())
    bad = [
        "link",
        "dangling",
        "neighbour",
        "round",
        "fifo",
        "socket",
        "large",
        "empty",
        "html",
        "list",
        "bytes",
        "deep",
    ]
    for name, target in (
        ("link", secret),
        ("dangling", "nowhere"),
        ("neighbour", "zoe.ipynb"),
        ("round", "round.ipynb"),
    ):
        (folder / f"{name}.ipynb").symlink_to(target)
    os.mkfifo(folder / "fifo.ipynb")
    here = os.getcwd()
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(folder)  # a socket's path is short
        server.bind("socket.ipynb")
        os.chdir(here)
    with open(folder / "large.ipynb", "wb") as file:
        file.truncate(LARGEST_NOTEBOOK + 1)
    (folder / "empty.ipynb").touch()
    (folder / "html.ipynb").write_text("<html>Sign in</html>")
    (folder / "list.ipynb").write_text("[]")
    (folder / "bytes.ipynb").write_bytes(b"\xff\xfe{")
    (folder / "deep.ipynb").write_text("[" * 100_000)
    (folder / "folder.ipynb").mkdir()
    (folder / "eve").symlink_to("bob")
    (folder / "carl").mkdir()
    (folder / "carl" / "answer.pdf").touch()
    (folder / "dora").mkdir()
    (folder / "dora" / "x.ipynb").symlink_to("../zoe.ipynb")
    (folder / "bom.ipynb").write_bytes(b"\xef\xbb\xbf" + solved().encode())
    honest = dict.fromkeys(("bob", "zoe", "bom"), ALL_RIGHT)
    assert graded(folder, worker) == honest | dict.fromkeys([*bad, "folder", "eve", "carl", "dora"], NONE)
    with pytest.raises(ValueError, match="it is a link"):
        read(folder / "link.ipynb")


NAMES = [b"\xff", b"a\nb", b"=HYPERLINK(1)", b"+1", b"-1", b"@SUM(1)", b"\t=1", "Müller, Zoë 'q\"".encode(), b"a|b",
         b"<img src=x onerror=alert(1)>", b"![x](http:..x)", b"x" * 240, b" ", b"...", b"a`b",
         b"$(touch x)"]  # fmt: skip


def test_names_of_any_kind(worker, tmp_path, capsys):
    folder = tmp_path / "my class" / "hand ins"
    folder.mkdir(parents=True)
    for name in NAMES:
        with open(os.path.join(os.fsencode(folder), name + b".ipynb"), "w") as file:
            file.write(solved())
    (folder / "folder").mkdir()
    (folder / ("y" * 255)).mkdir()
    (folder / ("y" * 255) / "x.IPYNB").write_text(solved())
    found = graded(folder, worker, EXERCISES[:1])
    assert len(found) == len(NAMES) + 2 and found.pop("folder") == NONE
    assert list(found.values()) == [["right"]] * (len(NAMES) + 1)
    assert not [name for name in found if name.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert {"\\udcff", "'=HYPERLINK(1)", "Müller, Zoë 'q\""} <= set(found)
    reports = "".join(path.read_text() for path in (folder.parent / "out" / "reports").iterdir())
    assert "<img" not in reports and "](" not in reports
    for name in NAMES[1:]:
        os.remove(os.path.join(os.fsencode(folder), name + b".ipynb"))
    assert grade.main([str(folder), "--lesson", "05", "--out", str(tmp_path / "out")]) == 1
    assert "| \\\\udcff | 3 of 3 |" in capsys.readouterr().out


def test_what_programs_leave_beside_notebooks_is_nobodys(tmp_path):
    for name in ("alice.ipynb", "__MACOSX/._alice.ipynb", "._bob.ipynb", ".DS_Store", "Thumbs.db", "desktop.ini",
                 "carl/05.ipynb", "carl/.ipynb_checkpoints/05-checkpoint.ipynb", "carl/__MACOSX/05.ipynb",
                 "roster.csv", ".git/x.ipynb", "marks/grades.csv"):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [(who, path.name) for who, path in find(tmp_path)] == [("alice", "alice.ipynb"), ("carl", "05.ipynb")]


def test_the_table_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    grade_report.write([grade.Score("a", LENS, "radial", 1, 1, "right")], [], tmp_path)
    before = (tmp_path / "grades.csv").read_bytes()
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        grade_report.write([], [], tmp_path)
    assert (tmp_path / "grades.csv").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["grades.csv", "overview.md", "reports"]


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=9) | st.just(HALF),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places(document):
    """Every place in a JSON document that a value can be put to: (container, key)."""
    for key in document if isinstance(document, dict) else range(len(document)):
        yield document, key
        if isinstance(document[key], dict | list):
            yield from places(document[key])


@st.composite
def mutated(draw):
    """A solved notebook's bytes after some values, or some bytes, were exchanged."""
    document = copy.deepcopy(json.loads(solved()))
    document["cells"] = [answer_of(document), *document["cells"][-6:]]
    for _ in range(draw(st.integers(0, 3))):
        container, key = draw(st.sampled_from(list(places(document))))
        container[key] = draw(ANY)
    data = bytearray(json.dumps(document).encode())
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(data) - 1))
        data[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data)


@seed(5)
@settings(max_examples=70, database=None, suppress_health_check=list(HealthCheck))
@given(data=mutated())
def test_a_mutated_notebook_gets_a_mark_or_a_verdict(data, worker, tmp_path_factory):
    folder = tmp_path_factory.mktemp("class") / "in"
    folder.mkdir()
    (folder / "eve.ipynb").write_bytes(data)
    ((who, verdicts),) = graded(folder, worker, EXERCISES[:1]).items()
    assert who == "eve" and set(verdicts) <= {"right", "wrong", "error", "missing", "not Python", "unreadable"}
