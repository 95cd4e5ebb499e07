"""The kiosk: what a demo needs and no more, several lessons together, and its pages in a real browser."""

import ast
import socket

import nbformat
import pytest

from tutorial_lib.course import kiosk
from tutorial_lib.course.answer_slice import names
from tutorial_lib.course.notebooks import read_source, slugs

BROWSED = "05_camera_distortion"


def notebook(*sources):
    """Cells of code; those that begin with `demo-test` are tagged so."""
    cells = []
    for source in sources:
        test = source.startswith("# demo-test")
        cells.append(nbformat.v4.new_code_cell(source, metadata={"tags": ["demo-test"]} if test else {}))
    return nbformat.v4.new_notebook(cells=cells)


LESSON = notebook(
    "import math, os\nimport torch\nfrom a import b as c, d",
    "torch.manual_seed(0)\nN = 3\nunused = os.getcwd()\nprint(N)",
    "def helper(x):\n    return c(x) + math.pi\n\n\nother = [N for N in range(9)]",
    "N = N + 1\ndemo = helper(N)\ndemo",
    "# demo-test\ndemo.set(x=1).check()",
    "N = 99",
)


def test_a_demo_takes_along_what_it_needs_and_nothing_else():
    assert kiosk.demos(LESSON) == {"demo": 3}
    kept = "\n".join(kiosk.needed(LESSON, "demo"))
    names = {node.id for node in ast.walk(ast.parse(kept)) if isinstance(node, ast.Name)}
    assert {"N", "helper", "c", "math", "torch", "demo"} <= names
    assert not {"unused", "other", "d", "os", "print"} & names and "99" not in kept
    assert "import os" not in kept and "from a import b as c" in kept
    assert kept.index("N = 3") < kept.index("N = N + 1") < kept.index("demo = helper(N)")


def test_an_unknown_demo_is_refused():
    with pytest.raises(ValueError, match="demo is 'film', expected one of demo"):
        kiosk.needed(LESSON, "film")


@pytest.mark.parametrize("slug", slugs())
def test_every_lessons_pages_define_every_name_they_use(slug):
    source = read_source(slug)
    assert kiosk.demos(source), "every lesson has a live demo"
    for name in kiosk.demos(source):
        known = set(dir(__builtins__)) | set(__builtins__ if isinstance(__builtins__, dict) else ())
        for statement in ast.parse("\n".join(kiosk.needed(source, name))).body:
            inner = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            inner |= {n.arg for n in ast.walk(statement) if isinstance(n, ast.arg)}
            used = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
            bound, _ = names(statement)
            assert used <= known | inner | bound, f"{name}: {used - known - inner - bound}"
            known |= bound
        assert name in known


def test_pages_of_several_lessons_lie_together_and_are_the_same_at_every_run(tmp_path):
    wanted = slugs()[:2]
    first = kiosk.write(wanted, tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "05_camera_distortion.1_old.ipynb").touch()  # of an earlier seminar
    second = kiosk.write(wanted, tmp_path / "b")
    assert list(first) == list(second) == list(dict.fromkeys(n for s in wanted for n in kiosk.demos(read_source(s))))
    read = [{path.name: path.read_text() for path in (tmp_path / folder).iterdir()} for folder in "ab"]
    assert read[0] == read[1] and {name.split(".")[0] for name in read[0]} == set(wanted)


def test_a_taken_port_is_passed_over():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < kiosk.free_port(port) < port + 50


@pytest.mark.parametrize(
    "arguments, said", [(["77"], "lesson is '77'"), (["05", "--demo", "film"], "demo is 'film', expected one of lens")]
)
def test_what_there_is_not_is_refused_in_one_sentence(arguments, said, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(kiosk, "KIOSK", tmp_path)
    with pytest.raises(SystemExit):
        kiosk.main(arguments)
    assert said in capsys.readouterr().err


@pytest.fixture
def served(tmp_path, serve, free_port):
    """Address of a kiosk with the demos of lesson 05 and one that cannot start."""
    pytest.importorskip("voila", reason="voila is not installed")
    pages = kiosk.write([BROWSED], tmp_path / "pages")
    for path in pages.pop("lifter"):
        path.unlink()
    broken = kiosk.page(LESSON, "demo")
    nbformat.write(broken, tmp_path / "pages" / "06_broken.1_demo.ipynb")
    port = free_port()
    places = {key: str(tmp_path / key) for key in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
    address = f"http://127.0.0.1:{port}/"
    serve(kiosk.command(tmp_path / "pages", port), address, {**kiosk.environment(), **places})
    return address


@pytest.mark.timeout(1200)
def test_a_seminars_pages_in_a_browser(served, chromium):
    page = chromium(served, served, width=1920, height=1080)
    assert page.locator("h2").all_inner_texts() == ["05 · camera distortion", "06 · broken"]
    page.get_by_role("link", name="1 demo").click()
    page.get_by_text(kiosk.SORRY).wait_for()
    assert "Traceback" not in page.locator("body").inner_text()
    page.goto(served)
    page.get_by_role("link", name="1 lens").click()
    canvas = page.locator(".pose-stage canvas").first
    canvas.wait_for()
    page.wait_for_function("c => c.width > 300 && c.toDataURL().length > 5000", arg=canvas.element_handle())
    before = canvas.evaluate("c => c.toDataURL()")
    page.locator(".noUi-handle").first.focus()
    for _ in range(8):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("([c, p]) => c.toDataURL() !== p", arg=[canvas.element_handle(), before])
    assert not page.locator(".pose-error").is_visible()
    for width, height in ((1920, 1080), (1280, 720)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(500)
        tops = page.locator(".pose-stage canvas").evaluate_all("all => all.map(c => c.getBoundingClientRect().top)")
        assert len(tops) > 1 and max(tops) - min(tops) < 60, "panes stand below each other"
        bottom = page.evaluate("document.querySelector('.pose-stage').getBoundingClientRect().bottom")
        assert bottom <= height, f"the demo does not fit on a projector of {width} x {height}"
        assert page.evaluate("document.documentElement.scrollHeight") <= height, "the page scrolls"
    assert page.locator(".jp-CodeCell .jp-InputArea").count() == 0, "code is shown"
