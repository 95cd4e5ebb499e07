"""requirements.lock is the one truth: the other lists agree with it, and what the code imports is in it."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tutorial_lib.course.environment import normalised

ROOT = Path(__file__).resolve().parents[2]
LOCK_LINES = [
    line
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
LOCK = {normalised(name): version for name, version in (line.split("==") for line in LOCK_LINES)}
CONDA_NAMES = {"pytorch": "torch", "pytorch-cpu": "torch"}


def test_lock_holds_exact_versions_only():
    for line in LOCK_LINES:
        assert re.fullmatch(r"[\w.-]+==[\w.]+", line), f"{line!r}: expected name==version and nothing else"
    assert len(LOCK) == len(LOCK_LINES), "a package is pinned twice"


def test_torch_is_the_version_of_the_course():
    assert LOCK["torch"] == "2.13.0"


def test_package_takes_its_dependencies_from_the_lock():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["setuptools"]["dynamic"]["dependencies"] == {"file": ["requirements.lock"]}
    assert "dependencies" not in project["project"]


@pytest.mark.parametrize("path", ["environment.yml", "binder/environment.yml"])
def test_conda_pins_equal_the_lock(path):
    assert not (ROOT / path).is_symlink(), "repo2docker needs a real file"
    dependencies = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))["dependencies"]
    from_pip = next(entry["pip"] for entry in dependencies if isinstance(entry, dict))
    pins = [entry for entry in dependencies if isinstance(entry, str) and entry != "pip"]
    assert pins[0].startswith("python=3.11")
    pairs = [re.split("=+", pin) for pin in pins[1:]] + [pin.split("==") for pin in from_pip]
    for name, version in pairs:
        assert LOCK[normalised(CONDA_NAMES.get(name, name))] == version, f"{path} and the lock differ on {name}"
    assert "torch" in [CONDA_NAMES.get(name) for name, _ in pairs]


def test_binder_has_whatever_the_library_imports():
    """Binder leaves the test tools out; a lesson must not miss one there."""
    environment = yaml.safe_load((ROOT / "binder/environment.yml").read_text(encoding="utf-8"))
    present = {normalised(pin.split("==")[0]) for pin in environment["dependencies"][-1]["pip"]}
    present |= {"torch", "numpy"}  # from conda
    present |= {"ipython", "traitlets", "pygments"}  # what ipywidgets needs
    present |= {"jupyter-server"}  # Binder starts one of its own
    present |= {"grimp", "networkx"}  # `make architecture` draws with them, and no lesson does
    needed = {
        name: where for folder in ("tutorial_lib", "notebooks/source") for name, where in third_party(folder).items()
    }
    assert not {name: where for name, where in needed.items() if name not in present}


@pytest.mark.parametrize("folder", ["tutorial_lib", "tests", "notebooks/source"])
def test_every_import_is_declared(folder):
    missing = {name: where for name, where in third_party(folder).items() if name not in LOCK}
    assert not missing, f"not in requirements.lock: {missing}"


def third_party(folder: str) -> dict[str, str]:
    """Distributions that the Python files below `folder` import, with one file that does."""
    distributions = importlib.metadata.packages_distributions()
    own = {"tutorial_lib", "tests"} | {path.stem for path in (ROOT / folder).rglob("*.py")}
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        for module in imported(path.read_text(encoding="utf-8")) - own - set(sys.stdlib_module_names):
            for name in distributions.get(module, [module]):
                found[normalised(name)] = str(path.relative_to(ROOT))
    return found


def imported(source: str) -> set[str]:
    """Top-level names of the modules that a Python text imports. IPython magics are left out."""
    code = re.sub(r"^\s*[%!].*$", "", source, flags=re.MULTILINE)
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.split(".")[0])
    return names
