"""`make gpu-check` where there is no GPU: it says so; and in miniature on the CPU, every part of it runs."""

import importlib.util

import pytest
import torch

from tutorial_lib.course import gpu_check


def lines(capsys):
    return capsys.readouterr().out.splitlines()


def test_without_a_gpu_one_line_says_so(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu_check.main([]) == 2
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1 and "this machine has no CUDA device" in err


def test_the_miniature_runs_every_part_but_the_lessons(capsys):
    assert gpu_check.main(["--device", "cpu", "--quick", "--without-lessons"]) == 0
    table = lines(capsys)
    assert "times are not judged" in table[0] and table[-1].startswith("gpu-check: all well")
    wanted = ("captured = adapt, 9 frames, 1024", "5 steps, 9 frames", "training step", "MAML step", "demo of 00",
              "demo of 06", "tests that need CUDA")  # fmt: skip
    assert all(any(line.strip().startswith(what) for line in table) for what in wanted)


@pytest.fixture
def parts(monkeypatch):
    """A function that leaves only the named parts something to do."""

    def keep(**rows):
        for name in ("adaptation", "training", "demos", "tests", "lessons"):
            part = rows.get(name, lambda self: iter(()))
            part.__name__ = name
            monkeypatch.setattr(gpu_check.Check, name, part)

    return keep


def test_what_is_over_its_target_or_stops_is_marked_and_the_rest_goes_on(parts, capsys):
    def slow(self):
        yield gpu_check.Row("5 steps", "7.00 ms", "<= 3 ms", False)

    def broken(self):
        yield gpu_check.Row("a step", "2.6 ms")
        raise RuntimeError("out of memory")

    parts(adaptation=slow, training=broken, demos=lambda self: iter([gpu_check.Row("demo", "3 ms")]))
    assert gpu_check.main(["--device", "cpu"]) == 1
    table = [line.split("  ") for line in lines(capsys)]
    marked = [line for line in table if line[0].startswith("!")]
    assert len(marked) == 2 and "failed: RuntimeError: out of memory" in "  ".join(marked[1])
    assert any("3 ms" in line for line in table) and "2 not well" in table[-1][0]


@pytest.mark.parametrize("arguments, status", [([], 1), (["--without-lessons"], 0)])
def test_lessons_that_cannot_run_count_unless_nobody_wants_them(parts, monkeypatch, capsys, arguments, status):
    lessons, find = gpu_check.Check.lessons, importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "papermill" else find(name))
    parts(lessons=lambda self: lessons(self))
    assert gpu_check.main(["--device", "cpu", *arguments]) == status
    assert ("not run: no papermill" in capsys.readouterr().out) == bool(status)
