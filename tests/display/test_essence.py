"""What lessons show of the library's code."""

import ast
import inspect
import textwrap

import pytest

from tutorial_lib import adaptation, camera, distortion, heatmaps, integral, lifting, metrics, templates
from tutorial_lib.display.essence import essence, source

FUNCTIONS = [
    getattr(module, name)
    for module in (adaptation, camera, distortion, heatmaps, integral, lifting, metrics, templates)
    for name in sorted(vars(module))
    if inspect.isfunction(getattr(module, name)) and getattr(module, name).__module__.startswith("tutorial_lib")
]


def sample(x, ways=("a",)):
    """What it does,
    in a sentence.

    Args:
        x: a number.
    """
    if x < 0:
        hint = "be positive"
        raise ValueError(hint)
    for way in ways:
        if not way:
            raise ValueError("no way")
    _check_all(x)
    assert x < 9
    known = _check_all(x)  # this answer is used
    if x == 3:
        return known
    else:
        raise LookupError
    return 2 * known


def _check_all(x):
    return x


def test_what_guards_is_left_out_and_what_computes_stays():
    assert essence(sample) == (
        'def sample(x, ways=("a",)):\n    """What it does,\n    in a sentence."""\n'
        "    known = _check_all(x)  # this answer is used\n    if x == 3:\n        return known\n    else:\n"
        "        raise LookupError\n    return 2 * known"
    )


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f"{f.__module__.split('.')[1]}.{f.__name__}")
def test_every_essence_is_code_of_the_same_signature_and_not_longer(function):
    (whole,), (short,) = (
        ast.parse(text).body for text in (textwrap.dedent(inspect.getsource(function)), essence(function))
    )
    assert ast.dump(whole.args) == ast.dump(short.args)
    assert len(essence(function).splitlines()) <= len(inspect.getsource(function).splitlines())
    assert {ast.dump(n) for n in ast.walk(short) if isinstance(n, ast.Return)} <= {
        ast.dump(n) for n in ast.walk(whole) if isinstance(n, ast.Return)
    }


def test_the_whole_is_one_click_away(capsys, monkeypatch):
    shown = []
    monkeypatch.setattr("tutorial_lib.display.essence.display", shown.append)
    source(distortion.distort, distortion.folds)
    line = inspect.getsourcelines(distortion.folds)[1]
    html = shown[0]._repr_html_()
    assert f"<a href='../tutorial_lib/distortion.py'>tutorial_lib/distortion.py, line {line}</a>" in html
    assert "Raises:" not in html


def test_of_a_long_source_what_comes_after_the_first_function_is_folded(monkeypatch):
    shown = []
    monkeypatch.setattr("tutorial_lib.display.essence.display", shown.append)
    monkeypatch.setattr("tutorial_lib.display.essence.IN_SIGHT", 5)
    source(distortion.undistort, distortion.distort)
    seen, folded = shown[0]._repr_html_().split("<details><summary>And <code>distort</code></summary>")
    assert "undistort" in seen and "distort" in folded
    source(distortion.distort)
    assert "<details>" not in shown[1]._repr_html_()
