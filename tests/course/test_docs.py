"""What the written pages say of the clone is so: paths, imports, commands, versions, the picture of the house."""

import importlib
import re
import shlex
import shutil
import subprocess
import tomllib
from importlib.util import find_spec
from xml.etree import ElementTree

import pytest
import yaml

import tutorial_lib
from tutorial_lib.course import architecture, launch, notebooks, rendering, talks
from tutorial_lib.course.notebooks import ROOT

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / ".github").rglob("*.md")),
]
README = PAGES[0].read_text(encoding="utf-8")
MADE = {"build", "work", ".venv", ".git"}  # what is there only after a command
CLONE = {path.name for path in ROOT.iterdir()} - MADE
PLACEHOLDERS = {"<slug>": "*", "07_my_slug": "[0-9][0-9]_*", "NN_slug": "[0-9][0-9]_*", "my_slug": "*"}
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def codes(page):
    """What stands in backticks, and the lines of blocks between fences."""
    parts = re.split(r"^```\w*\n(.*?)^```$", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [
        *(code for text in parts[::2] for code in re.findall(r"`([^`\n]+)`", text)),
        *(line.partition("  #")[0] for block in parts[1::2] for line in block.splitlines()),
    ]


def paths(page):
    """Words in code that name a place in the clone, as patterns."""
    for word in re.findall(r"[\w.<>*/\[\]-]+", "\n".join(codes(page))):
        top, slash, _ = word.partition("/")
        if (slash and top in CLONE) or re.fullmatch(r"[\w.-]+\.(md|py|toml|lock|ya?ml)|demo_.+\.py|\.git\w+", word):
            for placeholder, pattern in PLACEHOLDERS.items():
                word = word.replace(placeholder, pattern)
            yield word.rstrip("/.")


@each_page
def test_every_path_on_a_page_exists(page):
    """In the clone, beside the page, or, without a folder, in a lesson's drawer."""
    places = [ROOT, page.parent, *(ROOT / "tutorial_lib/lessons").iterdir()]
    assert not {path for path in paths(page) if not any(any(place.glob(path)) for place in places)}


@each_page
def test_every_link_on_a_page_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    assert not [link for link in links if "://" not in link and not (page.parent / link).exists()]


@each_page
def test_every_import_on_a_page_works(page):
    for module, names in re.findall(r"from (tutorial_lib[\w.]*) import ([\w, ]+)", "\n".join(codes(page))):
        for name in names.split(","):
            found = importlib.import_module(module)
            assert hasattr(found, name.strip()) or find_spec(f"{module}.{name.strip()}"), (module, name)


@each_page
def test_every_command_on_a_page_is_there(page):
    code = "\n".join(codes(page))
    assert not [module for module in re.findall(r"-m (tutorial_lib[\w.]+)", code) if not find_spec(module)]
    targets = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[0].split()
    assert set(re.findall(r"(?:^|&& )make ([a-z-]+)", code, re.MULTILINE)) <= set(targets)


def test_the_tests_of_pages_look_at_something():
    found = [set(paths(page)) for page in PAGES]
    assert {"tutorial_lib/motion", "requirements.lock"} <= found[0] and "presenter.md" in found[1]
    assert "notebooks/source/[0-9][0-9]_*.py" in found[1]
    assert len(set.union(*found)) > 30


def test_the_readmes_map_says_how_long_each_lesson_takes():
    rows = re.findall(r"^\|.*\(notebooks/(\w+)\.ipynb\).*, (\d+) minutes \|$", README, re.MULTILINE)
    assert rows == [(lesson.slug, str(lesson.minutes)) for lesson in rendering.executed([])]


@pytest.mark.parametrize("slug", [slug for slug in notebooks.slugs() if slug[:2] != "00"])
def test_a_lessons_time_is_its_reading_and_its_exercises(slug):
    text = "\n".join(cell.source for cell in notebooks.read_source(slug).cells if cell.cell_type == "markdown")
    (times,) = re.findall(r"\*\*Time:\*\*\s+(\d+)\s+minutes,\s+(\d+)\s+without\s+the\s+exercises", text)
    whole, reading = map(int, times)
    exercises = re.findall(r"^\*\*(?:\d\.|Exercise) .*?\((\d+)\s+minutes\)", text, re.MULTILINE)
    assert whole - reading == sum(map(int, exercises))


def test_the_readme_is_read_in_a_few_minutes():
    assert len(re.sub(rf"{launch.BEGIN}.*{launch.END}", "", README, flags=re.DOTALL).splitlines()) <= 120


def test_pages_name_the_wheel_that_this_version_builds():
    named = {name for page in PAGES for name in re.findall(r"tutorial_lib-[\w.]+?-py3", "\n".join(codes(page)))}
    assert named == {f"tutorial_lib-{tutorial_lib.__version__}-py3"}


# --- the changelog


def entries():
    """(version, what stands behind the dash) of every entry, the newest first."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    return re.findall(r"^## \[?([^\]\s]+)\]?(?: - (.*))?$", text, re.MULTILINE)


def test_the_newest_version_is_the_packages():
    assert entries()[0][0] == tutorial_lib.__version__


def test_every_version_has_a_date_or_says_that_it_is_not_released():
    versions = [tuple(map(int, version.split("."))) for version, _ in entries()]
    assert versions == sorted(versions, reverse=True) and {len(version) for version in versions} == {3}
    assert not [when for _, when in entries() if not re.fullmatch(r"\d{4}-\d\d-\d\d|unreleased.*", when)]


def test_every_tagged_version_is_in_the_changelog():
    command = [shutil.which("git") or "false", "-C", str(ROOT), "tag", "--list", "v[0-9]*"]
    tags = subprocess.run(command, capture_output=True, text=True).stdout.split()
    if not tags:
        pytest.skip("no git, or a clone without tags")
    tagged = {".".join([*tag[1:].split("."), "0", "0"][:3]) for tag in tags}
    assert tagged <= {version for version, _ in entries()}


# --- the picture of the house


def test_the_picture_has_the_rooms_and_arrows_of_the_code():
    rooms = architecture.house()
    drawn = list(ElementTree.parse(architecture.PICTURE).iter())
    boxes = {element.get("data-room") for element in drawn} - {None}
    arrows = {tuple(element.get("data-arrow", "").split()) for element in drawn} - {()}
    assert (boxes, arrows) == (set(rooms), set(architecture.arrows(rooms))), "run `make architecture`"


def test_the_list_of_rooms_says_what_the_rooms_say():
    assert architecture.listed(architecture.house()) in architecture.PAGE.read_text(encoding="utf-8"), (
        "run `make architecture`"
    )


def test_boxes_stand_apart_and_arrows_point_down():
    rooms = architecture.house()
    row_of = architecture.rows(rooms)
    x, _ = architecture.places(rooms, row_of)
    for one in rooms:
        assert all(row_of[one] < row_of[other] for other in rooms[one])
        same_row = [x[other] for other in rooms if other != one and row_of[other] == row_of[one]]
        assert all(abs(x[one] - other) >= architecture.WIDTH for other in same_row)


# --- what CI runs


def test_ci_tries_the_pythons_that_the_package_promises():
    jobs = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))["jobs"]
    pythons = jobs["test"]["strategy"]["matrix"]["python"]
    promised = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    assert promised == f">={min(pythons, key=lambda version: int(version.split('.')[1]))}"
    assert [step["run"] for step in jobs["test"]["steps"] if "run" in step] == ["make test"]


CALLS = [
    ("grade", "SUBMISSIONS"),
    ("kiosk", "DEMO"),
    ("badges", "REPOSITORY"),
    ("notebooks", "MOTION"),
    ("keypoints", "VIDEO"),
]
"""Targets, and the value that each takes from whoever calls it."""


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call[0])
@pytest.mark.parametrize("value", ["my class/week 1", 'Müller\'s "x" $y `z`;&'])
def test_a_value_stays_one_word(call, value):
    target, name = call
    shown = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", "-o", ".venv/.ready", target, f"{name}={value}"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    ).stdout  # fmt: skip
    assert any(word.endswith(value) for word in shlex.split(shown.splitlines()[-1]))


def dry(target, *words, folder=ROOT):
    """The lines that a target would run."""
    command = ["make", "--dry-run", "--no-print-directory", "-o", ".venv/.ready", *target.split(), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    return done.stdout.replace("\\\n", "").splitlines()


@pytest.mark.parametrize("value", ['my class/"1"', "it's/week 1", "a;b/`c` & (d)", "Übung/1"])
@pytest.mark.parametrize("call", CALLS)
def test_a_value_is_one_word_whatever_is_in_it(call, value):
    target, name = call
    assert value in {word.removeprefix("MOTION=") for word in shlex.split(dry(target, f"{name}={value}")[-1])}


def test_grade_takes_several_lessons():
    assert shlex.split(dry("grade", "SUBMISSIONS=a b", "LESSONS=05 06")[-1])[-4:] == ["a b", "--lesson", "05", "06"]


@pytest.mark.parametrize("name", ["my clone", "it's mine", 'a "b" & (c)'])
def test_every_target_keeps_the_clones_folder_in_one_word(name, tmp_path):
    """A dry run in such a folder, before and after the set-up: wherever it is named, it is whole; nothing is made."""
    clone = tmp_path / name
    needed = ("Makefile", "requirements.lock", "pyproject.toml", "docs/requirements.txt", "docs/video/requirements.txt")
    (clone / "docs" / "video").mkdir(parents=True)
    for file in needed:
        shutil.copy(ROOT / file, clone / file)
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)[0].split()
    whole = [str(clone), shlex.quote(str(clone)), str(clone).replace("'", "'\\''")]
    for ready in ([], ["-o", ".venv/.ready"]):
        command = ["make", "--dry-run", "--no-print-directory", *ready, *targets, "PYTHON=python3", "PYTHONS="]
        shown = subprocess.run(command, capture_output=True, text=True, check=True, cwd=clone).stdout
        lines = shown.replace("\\\n", "").splitlines()
        words = [word for line in lines for word in shlex.split(line, comments=True) if tmp_path.name in word]
        assert len(words) >= 2 and len(lines) > len(targets)
        assert all(any(form in word for form in whole) for word in words), words
    assert {str(path.relative_to(clone)) for path in clone.rglob("*") if path.is_file()} == set(needed)


# --- what git does to files


def test_a_clone_with_the_line_ends_of_windows_still_runs(tmp_path):
    """Scripts, make's rules and the notebooks whose bytes are compared; and git has nothing to say."""
    git = [shutil.which("git") or "false", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    kept = [".gitattributes", "Makefile", ".ci/run", "docs/hub/student.sh", "binder/start", "binder/postBuild",
            "notebooks/source/00_start_here.py", "notebooks/00_start_here.ipynb", "notebooks/images/start_here.gif",
            "requirements.lock"]  # fmt: skip
    for name in kept:
        (origin / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, origin / name)
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        done = subprocess.run([*git, "-C", str(origin), *words], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no git that works: {done.stderr}")
    subprocess.run([*git, "clone", "-q", "-c", "core.autocrlf=true", str(origin), str(clone)], check=True)
    assert {name: (clone / name).read_bytes() == (ROOT / name).read_bytes() for name in kept} == dict.fromkeys(
        kept, True
    )
    status = [*git, "-C", str(clone), "status", "--porcelain"]
    assert subprocess.run(status, capture_output=True, text=True, check=True).stdout == ""


def test_what_a_presenter_is_told_to_press_is_there():
    """Words in italics are labels, where a presenter's page says what to drag and in the seminar's table."""
    library = ROOT / "tutorial_lib"
    files = [path for room in ("lessons", "display") for path in (library / room).rglob("*.[pj][ys]")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    seminar = re.findall(r"^\| \d+ \|.*", (ROOT / "docs/teaching.md").read_text(encoding="utf-8"), re.MULTILINE)
    drags = [
        drag
        for slug in notebooks.slugs()
        for drag in re.findall(r"^\*\*Drag\.\*\*(.*?)^\*\*Ask", talks.presenter(slug), re.MULTILINE | re.DOTALL)
    ]
    italics = re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", "\n".join([*seminar, *drags]))
    told = {" ".join(name.split()) for name in italics}
    there = {name for name in told if re.search(rf"[\"' ]{re.escape(name)}( \(|[\"'])", code, re.IGNORECASE)}
    assert len(told) > 20 and told == there


def test_the_seminar_fills_its_hour_and_leaves_time_for_questions():
    rows = re.findall(r"^\| (\d+) \| ([^|]*)", (ROOT / "docs/teaching.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sum(int(minutes) for minutes, _ in rows) == 60
    assert rows[-1] == (str(talks.QUESTIONS), "questions ")
