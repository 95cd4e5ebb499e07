"""What the tests in a real JupyterLab share. The server is private: own port, token and settings, always stopped.

All tests of a file have one server, since starting one takes as long as many a test; each has a folder and kernels of
its own.
"""

import json
import os
import secrets
import sys
import tempfile
import urllib.request
from functools import partial
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]

# what the notebook's model says: kernel state, and every code cell's count and errors
STATE = """() => {
  const panel = window.jupyterapp?.shell.currentWidget, session = panel?.sessionContext?.session;
  if (!session || !panel.content?.widgets) return null;
  if (!window.kernelErrors) {
    window.kernelErrors = [];
    session.kernel.iopubMessage.connect((_, m) => {
      if (m.header.msg_type === 'error') window.kernelErrors.push(m.content.ename + ': ' + m.content.evalue);
    });
  }
  const models = panel.content.widgets.map(w => w.model);
  const cells = models.filter(m => m.type === 'code' && m.sharedModel.getSource().trim());
  const kinds = m => Array.from({length: m.outputs.length}, (_, j) => m.outputs.get(j).type);
  const failed = cells.some(m => kinds(m).includes('error'));
  return {kernel: session.kernel.status, failed, done: cells.every(m => m.executionCount !== null)};
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory, serve_all, free_port):
    """(url, token, folder) of a JupyterLab that sees only `folder`."""
    tmp_path = tmp_path_factory.mktemp("lab")
    folder = tmp_path / "notebooks"
    folder.mkdir()
    settings = {"apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False}}
    for name, body in settings.items():
        file = tmp_path / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(body))
    port = free_port()
    token = secrets.token_hex(16)
    places = {"JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
              "JUPYTER_CONFIG_DIR": "config", "JUPYTER_RUNTIME_DIR": "run", "JUPYTER_DATA_DIR": "data",
              "IPYTHONDIR": "ipython"}  # fmt: skip
    environment = {**os.environ, **{key: str(tmp_path / place) for key, place in places.items()}}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}"),
        *("--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"),
        *(
            f"--ServerApp.root_dir={folder}",
            "--ServerApp.allow_root=True",
            "--LabApp.expose_app_in_browser=True",
        ),
    ]
    url = f"http://127.0.0.1:{port}"
    serve_all(command, f"{url}/api/status?token={token}", environment, folder)
    return url, token, folder


@pytest.fixture
def jupyterlab(lab):
    """(url, folder): a folder for one test, and how a browser opens what lies there; its kernels end with the test."""
    url, token, root = lab
    folder = Path(tempfile.mkdtemp(dir=root))
    yield f"{url}/lab/tree/{folder.name}/{{}}?reset&token={token}", folder

    def asked(path, method="GET"):
        request = urllib.request.Request(
            f"{url}/api/{path}", method=method, headers={"Authorization": f"token {token}"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()

    for session in json.loads(asked("sessions")):
        asked(f"sessions/{session['id']}", "DELETE")


@pytest.fixture
def opened(jupyterlab, chromium):
    """A function that opens a notebook from its bytes, runs nothing, and returns the page."""
    return partial(_opened, *jupyterlab, chromium)


def _opened(url, folder, chromium, content, **size):
    path = folder / "lesson.ipynb"
    path.write_bytes(content)
    page = chromium(url.format(path.name), url.partition("/lab/")[0], **{"height": 1000, **size})
    page.wait_for_function(f"() => ({STATE})()?.kernel === 'idle'")
    return page


@pytest.fixture
def ran(jupyterlab, chromium):
    """A function that opens a notebook, a file or a list of cells, runs all of it and returns the page."""
    return partial(_ran, *jupyterlab, chromium)


def _ran(url, folder, chromium, notebook, **size):
    if isinstance(notebook, list):
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        cells = [nbformat.v4.new_code_cell(source) for source in notebook]
        content = nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})).encode()
    else:
        content = notebook.read_bytes()
    page = _opened(url, folder, chromium, content, **size)
    page.get_by_role("menuitem", name="Run", exact=True).first.click()
    page.get_by_role("menuitem", name="Run All Cells").first.click()
    page.wait_for_function(
        f"() => {{ const s = ({STATE})(); return s?.failed || (s?.done && s.kernel === 'idle'); }}",
    )
    assert not page.evaluate(STATE)["failed"], page.evaluate("window.kernelErrors")
    return page
