"""The house: notebooks -> lessons -> ideas -> (datasets, display) -> ground. import-linter holds the modules of the
library to it (pyproject.toml, `make test`); notebooks are no modules, so their texts are read here.
"""

import ast

import pytest

from tutorial_lib.course.notebooks import NOTEBOOKS, ROOT, slugs

LIBRARY = ROOT / "tutorial_lib"
WORKSHOP = {"00_start_here": {"tutorial_lib.course.environment"}}
"""What notebooks may take from the workshop: the doorway looks whether the machine is fit."""


def imported(slug):
    """The modules of the library that a lesson's text imports from."""
    tree = ast.parse((NOTEBOOKS / "source" / f"{slug}.py").read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "tutorial_lib":
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "tutorial_lib"}
    return found


@pytest.mark.parametrize("slug", slugs())
def test_a_lesson_opens_no_other_lessons_drawer(slug):
    drawers = {name.split(".")[2] for name in imported(slug) if name.startswith("tutorial_lib.lessons.")}
    assert drawers <= {slug[3:]}


@pytest.mark.parametrize("slug", slugs())
def test_only_the_doorway_goes_through_the_workshop(slug):
    taken = {name for name in imported(slug) if name.startswith("tutorial_lib.course")}
    assert all(any(name.startswith(allowed) for allowed in WORKSHOP.get(slug, ())) for name in taken), taken


def test_every_drawer_is_called_like_its_notebook():
    drawers = {path.name for path in (LIBRARY / "lessons").iterdir() if (path / "__init__.py").is_file()}
    assert drawers == {slug[3:] for slug in slugs()}


def test_few_files_lie_loose_at_the_door():
    assert len(list(LIBRARY.glob("*.py"))) <= 12
