"""A lesson runs wherever people open notebooks: another folder, no Jupyter server, papermill, Notebook 7, Binder.

JupyterLab is in test_browser.py. What could not be tried is said in docs/launchers.md.
"""

import contextlib
import json
import os
import re
import secrets
import stat
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tutorial_lib.course import launch, notebooks

ROOT = Path(__file__).resolve().parents[2]
DEMO = [
    "from tutorial_lib.lessons.start_here import demo_first_look",
    "demo_first_look.first_demo('builtin', 0, 'cpu')",
]


@pytest.fixture
def odd_folder(tmp_path):
    """A folder that is nowhere near the course, with a space, an umlaut and quotes in its name."""
    folder = tmp_path / "Übung 1 für 'Zoë'"
    folder.mkdir()
    return folder


@pytest.fixture
def environment(tmp_path):
    """Settings of Jupyter in a private place, and this interpreter as the kernel."""
    places = {"JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR",
              "JUPYTER_DATA_DIR", "IPYTHONDIR"}  # fmt: skip
    system = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "OMP_NUM_THREADS")  # not what other tests left behind
    kept = {name: os.environ[name] for name in system if name in os.environ}
    kept |= {"JUPYTER_PREFER_ENV_PATH": "1", "COURSE_CLAIMS": str(tmp_path / "claims.json")}
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return kept | {name: str(tmp_path / name.lower()) for name in places}


def shortened():
    """Lesson 05 up to the first demo that a cell moves; test_notebooks.py runs lessons as a whole."""
    notebook = notebooks.read_committed("05_camera_distortion")
    driven = [number for number, cell in enumerate(notebook.cells) if "demo-test" in notebooks.tags(cell)]
    notebook.cells = notebook.cells[: driven[0] + 1]
    return notebook


def test_papermill_runs_a_lesson_from_another_folder(odd_folder, environment):
    nbformat.write(shortened(), odd_folder / "Lektion ä.ipynb")
    command = [sys.executable, "-m", "papermill", "Lektion ä.ipynb", "gelöst.ipynb", "-p", "SEED", "1", "-k", "python3"]
    done = subprocess.run(command, cwd=odd_folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    executed = nbformat.read(odd_folder / "gelöst.ipynb", 4)
    assert executed.metadata.papermill.exception is None
    driven = [cell for cell in executed.cells if "demo-test" in notebooks.tags(cell)]
    assert driven and all(cell.execution_count for cell in driven)


def test_a_kernel_without_a_server_runs_a_lesson_in_another_folder(odd_folder, environment, monkeypatch):
    """How VS Code and nbclient work: they start the kernel themselves, in the notebook's folder, and send cells."""
    for name in ("JUPYTER_PREFER_ENV_PATH", "COURSE_CLAIMS", "PYTHONPATH", "IPYTHONDIR"):
        monkeypatch.setenv(name, environment[name])
    monkeypatch.chdir("/")
    notebook = shortened()
    notebook.cells.append(nbformat.v4.new_code_cell("import os; print(os.getcwd())"))
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=notebooks.CELL_SECONDS["quick"],
        extra_arguments=notebooks.KERNEL_ARGUMENTS,
        resources={"metadata": {"path": str(odd_folder)}},
    )
    executed = client.execute()
    assert executed.cells[-1].outputs[0].text.strip() == str(odd_folder)
    assert "widget-view" in str(executed.cells), "no live demo was shown"


@pytest.fixture
def notebook7(odd_folder, environment, serve, free_port):
    """Address of a Notebook 7 that shows `odd_folder` with one small notebook."""
    pytest.importorskip("notebook", reason="Notebook 7 is not installed")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_code_cell(source) for source in DEMO]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), odd_folder / "lesson.ipynb")
    port = free_port()
    token = secrets.token_hex(16)
    command = [
        *(sys.executable, "-m", "notebook", "--no-browser", "--ip=127.0.0.1", f"--port={port}"),
        *("--ServerApp.port_retries=0", f"--IdentityProvider.token={token}", "--ServerApp.allow_root=True"),
        *(f"--ServerApp.root_dir={odd_folder}", "--LanguageServerManager.autodetect=False"),
    ]
    serve(command, f"http://127.0.0.1:{port}/api/status?token={token}", environment, odd_folder)
    return f"http://127.0.0.1:{port}/notebooks/lesson.ipynb?token={token}"


def run_all(page):
    """A page that is still loading drops the click: click again until a cell shows that it runs or has run."""
    from playwright.sync_api import TimeoutError as Late

    for _ in range(4):
        page.get_by_role("menuitem", name="Run", exact=True).first.click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).first.click()
        with contextlib.suppress(Late):
            page.locator(".jp-InputPrompt", has_text=re.compile(r"\[[*\d]+\]")).first.wait_for(timeout=30_000)
            return
    raise AssertionError("'Run All Cells' was chosen four times and no cell began to run")


@pytest.mark.timeout(600)
def test_a_demo_moves_in_notebook_7(notebook7, browser):
    from playwright.sync_api import TimeoutError as Late

    picture = "canvas => canvas.toDataURL()"
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(150_000)  # other tests compute at the same time
    asked = []

    def answer(dialog):  # on a busy machine Notebook 7 may ask for a kernel; nobody else is here to choose one
        asked.append(dialog.first.inner_text())
        dialog.first.locator("button.jp-mod-accept").click()

    page.add_locator_handler(page.locator("dialog.jp-Dialog"), answer)
    page.goto(notebook7)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()  # a kernel that listens
    problems = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    run_all(page)
    stage = page.locator(".pose-stage").first
    try:
        stage.scroll_into_view_if_needed()
    except Late as late:
        shown = page.locator(".jp-OutputArea-output").all_inner_texts()
        prompts = page.locator(".jp-InputPrompt").all_inner_texts()
        raise AssertionError(
            f"no demo: prompts {prompts}, outputs {shown}, console {problems}, dialogs {asked}"
        ) from late
    canvas, caption = stage.locator("canvas").first, stage.locator(".pose-values")
    page.wait_for_function("c => c.width > 300 && c.toDataURL().length > 5000", arg=canvas.element_handle())
    before, said = canvas.evaluate(picture), caption.inner_text()
    track = page.locator(".noUi-target").first.bounding_box()
    box = page.locator(".noUi-handle").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    there = track["x"] + track["width"] * (0.9 if x < track["x"] + track["width"] / 2 else 0.2)
    page.mouse.move(there, y, steps=3)
    page.mouse.up()
    page.wait_for_function(
        "([c, picture, node, text]) => c.toDataURL() !== picture && node.textContent !== text",
        arg=[canvas.element_handle(), before, caption.element_handle(), said],
    )


# ------------------------------------------------------------------ Binder
def test_binders_start_gives_every_session_one_thread_and_hands_over(tmp_path):
    script = ROOT / "binder" / "start"
    assert subprocess.run(["bash", "-n", str(script)]).returncode == 0
    many = {**os.environ, "OMP_NUM_THREADS": "64"}
    show = "import json, os, sys; print(json.dumps([dict(os.environ), sys.argv[1:]])); sys.exit(7)"
    done = subprocess.run(
        [str(script), sys.executable, "-c", show, "a b", "$HOME"],
        env=many,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    told, arguments = json.loads(done.stdout)
    assert {told[f"{name}_NUM_THREADS"] for name in ("OMP", "MKL", "OPENBLAS")} == {"1"}
    assert arguments == ["a b", "$HOME"]
    assert done.returncode == 7, "start must become the command, so that signals and exit codes are its own"


@pytest.mark.parametrize("name", ["start", "postBuild"])
def test_binders_scripts_can_be_run_and_read(name):
    path = ROOT / "binder" / name
    assert path.stat().st_mode & stat.S_IXUSR
    assert subprocess.run(["bash", "-n", str(path)]).returncode == 0
    assert path.read_bytes().startswith(b"#!/") and b"\r" not in path.read_bytes()


# ------------------------------------------------------------------ badges
def test_badges_link_every_lesson_of_the_repository_they_are_given(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"# Title\n\n{launch.BEGIN}\nold\n{launch.END}\n\nrest\n", encoding="utf-8")
    assert launch.main(["someone/pose.course", "--file", str(readme)]) == 0
    text = readme.read_text(encoding="utf-8")
    found = re.findall(r"\]\((https://(?:colab|mybinder)[^)]*\.ipynb)\)", text)
    wanted = {f"notebooks/{path.name}" for path in notebooks.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb")}
    assert {re.search(r"notebooks/.*", link)[0] for link in found} == wanted
    assert len(found) == 2 * len(wanted) and all("someone/pose.course" in link for link in found)
    assert text.startswith("# Title\n") and text.endswith("\nrest\n") and "old" not in text

    assert launch.main(["--file", str(readme)]) == 0
    assert "https://" not in readme.read_text(encoding="utf-8")


@pytest.mark.parametrize("repository", ["someone", "https://github.com/a/b", "a/b/c", "a/b)", "ä/b"])
def test_badges_refuse_what_is_no_repository(repository):
    with pytest.raises(ValueError, match="expected owner/name"):
        launch.links(repository, "00_start_here")


def test_badges_refuse_a_branch_that_breaks_the_link_and_leave_the_file_alone(tmp_path, capsys):
    readme = tmp_path / "README.md"
    readme.write_text(f"{launch.BEGIN}\n{launch.END}\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        launch.main(["a/b", "--branch", "x)y", "--file", str(readme)])
    assert "branch is 'x)y', expected" in capsys.readouterr().err
    assert readme.read_text(encoding="utf-8") == f"{launch.BEGIN}\n{launch.END}\n"


def test_badges_refuse_a_file_without_their_place():
    with pytest.raises(ValueError, match="once each"):
        launch.rewrite("no marks", "a/b")


def test_readmes_badges_are_whole():
    """Either none, or those that the command writes for the repository that they name."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"mybinder\.org/v2/gh/([\w.-]+/[\w.-]+)/", text))
    assert len(named) <= 1
    assert launch.rewrite(text, named.pop() if named else None) == text, "run `make badges REPOSITORY=owner/name`"
