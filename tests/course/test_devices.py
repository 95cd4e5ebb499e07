"""In the lessons that follow `DEVICE` everything does: whatever takes a device is given the lesson's. (Those of the
photos and of the temporal lifter compute their demos on the CPU, and say so.)"""

import ast
import importlib
import inspect

import pytest

from tutorial_lib.course import notebooks


def calls(slug):
    """(call, what it calls, its name) of everything in a lesson's code that takes a device."""
    cells = [cell.source for cell in notebooks.read_source(slug).cells if cell.cell_type == "code"]
    tree = ast.parse("\n".join(cells))
    known = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tutorial_lib"):
            module = importlib.import_module(node.module)
            for alias in node.names:
                name = alias.asname or alias.name
                try:
                    known[name] = getattr(module, alias.name)
                except AttributeError:
                    known[name] = importlib.import_module(f"{node.module}.{alias.name}")
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        path, function = ast.unparse(node.func), node.func
        try:
            found = (
                known[function.id]
                if isinstance(function, ast.Name)
                else getattr(known[function.value.id], function.attr)
            )
            parameters = list(inspect.signature(found).parameters)
        except (KeyError, AttributeError, TypeError, ValueError):
            continue  # no function of the library
        if "device" in parameters:
            yield node, parameters.index("device"), path


@pytest.mark.parametrize("slug", notebooks.select(["00", "05", "06"]))
def test_everything_that_takes_a_device_is_given_one(slug):
    forgotten = [
        f"{path} in line {node.lineno}"
        for node, place, path in calls(slug)
        if len(node.args) <= place and not any(word.arg == "device" for word in node.keywords)
    ]
    assert not forgotten, f"{slug}: {', '.join(forgotten)}: give device=device"
