"""The hub for a class: its settings, what a student's server starts with, and two students at once on a real hub.

The last needs docs/hub/requirements.txt, which students' machines do not have, and skips without. COURSE_HUB_LESSON
names the lesson that the two run (default "00").
"""

import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests
import websocket
from traitlets.config.loader import PyFileConfigLoader

from tutorial_lib.course import unpack

ROOT = Path(__file__).resolve().parents[2]
HUB = ROOT / "docs" / "hub"
LESSON = os.environ.get("COURSE_HUB_LESSON", "00")
GIGABYTE = 1 << 30


def settings(monkeypatch, tmp_path, mode):
    """The hub's settings as JupyterHub reads them."""
    monkeypatch.setenv("COURSE_STATE", str(tmp_path))
    monkeypatch.setenv("COURSE_HUB", mode)
    monkeypatch.setenv("container", "yes")  # where these tests run, root may be meant
    return PyFileConfigLoader("jupyterhub_config.py", path=str(HUB)).load_config()


@pytest.mark.parametrize("mode", ["trial", "class"])
def test_settings_are_open_only_to_this_machine_and_limit_every_student(mode, monkeypatch, tmp_path):
    config = settings(monkeypatch, tmp_path, mode)
    assert config.JupyterHub.bind_url.startswith("http://127.0.0.1:")
    assert config.Spawner.environment["OMP_NUM_THREADS"] == "1"
    assert config.Spawner.mem_limit == "2G"
    assert any("cull_idle_timeout" in argument for argument in config.Spawner.args)
    assert config.JupyterHub.active_server_limit >= 30
    assert Path(config.Spawner.cmd[-1]).is_file()


def test_a_class_needs_real_accounts_and_only_a_trial_lets_anyone_in(monkeypatch, tmp_path):
    config = settings(monkeypatch, tmp_path, "class")
    assert config.JupyterHub.authenticator_class == "pam"
    assert config.LocalAuthenticator.allowed_groups == {"students"}
    assert "allow_all" not in config.Authenticator
    assert settings(monkeypatch, tmp_path, "trial").Authenticator.allow_all is True
    with pytest.raises(ValueError, match="expected 'trial' or 'class'"):
        settings(monkeypatch, tmp_path, "exam")


@pytest.mark.parametrize("mode", ["trial", "class"])
def test_state_is_for_nobody_else_and_for_one_mode(mode, monkeypatch, tmp_path):
    state = tmp_path / mode
    state.mkdir(mode=0o755)
    config = settings(monkeypatch, tmp_path, mode)
    assert state.stat().st_mode & 0o777 == 0o700, "also where it was there already"
    assert config.JupyterHub.db_url == f"sqlite:///{state / 'hub.sqlite'}"
    assert Path(config.JupyterHub.cookie_secret_file).parent == state
    monkeypatch.setattr(os, "geteuid", lambda: state.stat().st_uid + 1)
    with pytest.raises(ValueError, match="COURSE_STATE has .*name another folder"):
        settings(monkeypatch, tmp_path, mode)


def test_a_trial_says_that_it_is_open_and_is_not_for_root(monkeypatch, tmp_path, capsys):
    settings(monkeypatch, tmp_path, "class")
    assert not capsys.readouterr().err
    settings(monkeypatch, tmp_path, "trial")
    assert "every account of this machine can log in" in capsys.readouterr().err
    monkeypatch.setenv("container", "")
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setattr(Path, "exists", lambda self: False)  # no mark of a container
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(ValueError, match="you are root, expected another account"):
        PyFileConfigLoader("jupyterhub_config.py", path=str(HUB)).load_config()


def test_hub_pins_add_to_the_lock_and_repeat_nothing():
    def pins(path):
        lines = path.read_text(encoding="utf-8").splitlines()
        return dict(line.split("==") for line in lines if line and not line.startswith("#"))

    hub, lock = pins(HUB / "requirements.txt"), pins(ROOT / "requirements.lock")
    assert "jupyterhub" in hub
    assert not {name.lower() for name in hub} & {name.lower() for name in lock}


def test_students_start_sets_the_limit_hands_out_the_lessons_and_starts_the_server(tmp_path):
    """With a stand-in for the course's Python that tells how it was called."""
    script = HUB / "student.sh"
    assert subprocess.run(["sh", "-n", str(script)]).returncode == 0
    told, python = tmp_path / "told.txt", tmp_path / "python"
    python.write_text(f"""#!/bin/sh
echo "$(ulimit -d) $*" >> "{told}"
if [ "$2" = tutorial_lib.course.unpack ]; then mkdir -p "$3"; fi
if [ "$2" = jupyterhub.singleuser ]; then touch "$HOME/course/written"; fi
""")
    python.chmod(0o755)
    home, limit = tmp_path / "home of Zoë", 2 * GIGABYTE
    home.mkdir()
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(home), "MEM_LIMIT": str(limit), "COURSE_PYTHON": str(python),
        "COURSE_LESSONS": "",
    }  # fmt: skip

    def start(**more):
        told.unlink(missing_ok=True)
        subprocess.run(["sh", str(script), "--port=1"], env=environment | more, check=True)
        lines = [line.split(" ", 1) for line in told.read_text(encoding="utf-8").splitlines()]
        assert {int(kilobytes) for kilobytes, _ in lines} == {limit // 1024}
        return [call for _, call in lines]

    expected = [f"-m tutorial_lib.course.unpack {home}/course --trust", "-m jupyterhub.singleuser --port=1"]
    assert start() == expected and start() == expected, "a student's own files are not signed in the student's name"
    for path in (home / "course", home / "course" / "written"):
        assert path.stat().st_mode & 0o077 == 0, "others can read what a student writes"
    assert start(COURSE_LESSONS="/srv/my lessons")[0].endswith("/course --trust --lessons /srv/my lessons")


@pytest.mark.parametrize("shell", ["sh", "bash", "dash"])
def test_a_students_processes_are_limited_where_students_are_accounts(shell, tmp_path, monkeypatch):
    assert settings(monkeypatch, tmp_path, "class").Spawner.environment["COURSE_PROCESSES"] == "500"
    assert settings(monkeypatch, tmp_path, "trial").Spawner.environment["COURSE_PROCESSES"] == ""
    if shutil.which(shell) is None or not Path("/proc/self/limits").exists():
        pytest.skip(f"no {shell}, or no /proc")
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\ngrep processes /proc/self/limits\n")
    python.chmod(0o755)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "MEM_LIMIT": str(2 * GIGABYTE)}
    environment |= {"COURSE_PYTHON": str(python), "COURSE_LESSONS": ""}

    def limits(**more):
        command = [shell, str(HUB / "student.sh")]
        return subprocess.run(command, env=environment | more, capture_output=True, text=True, check=True).stdout

    before = Path("/proc/self/limits").read_text()
    assert all(line in before for line in limits(COURSE_PROCESSES="").splitlines())
    soft, hard = limits(COURSE_PROCESSES="321").splitlines()[-1].split()[2:4]
    assert (soft, hard) == ("321", "321")


# ------------------------------------------------------------------ a real hub
@pytest.fixture(scope="module")
def hub(tmp_path_factory, free_port):
    """(address, folder with the students' homes) of a hub for a trial."""
    for module in ("jupyterhub", "configurable_http_proxy", "jupyterhub_idle_culler"):
        pytest.importorskip(module, reason=f"{module} is not installed: pip install -r docs/hub/requirements.txt")
    state = tmp_path_factory.mktemp("hub")
    url = f"http://127.0.0.1:{free_port()}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "PYTEST"))}
    environment = kept | {"COURSE_HUB": "trial", "COURSE_STATE": str(state), "container": "yes"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [
        *(sys.executable, "-m", "jupyterhub", f"--config={HUB / 'jupyterhub_config.py'}"),
        *(f"--JupyterHub.bind_url={url}", f"--JupyterHub.hub_port={free_port()}"),
        f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{free_port()}",
    ]
    with open(state / "hub.log", "w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=state, start_new_session=True)
        started = []
        try:
            while True:
                assert server.poll() is None, (state / "hub.log").read_text()[-3000:]
                with contextlib.suppress(requests.ConnectionError):
                    if requests.get(f"{url}/hub/health", timeout=60).ok:
                        break
                time.sleep(0.2)
            yield url, state / "trial" / "homes"
        finally:
            with contextlib.suppress(psutil.NoSuchProcess):
                started = psutil.Process(server.pid).children(recursive=True)  # students' servers and their kernels
            server.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(10)
            for process in [*started, psutil.Process(server.pid)] if server.poll() is None else started:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            server.wait(30)


class Student:
    """A browser's half of the conversation: cookies, the hub's pages, the server's interface, a kernel's messages."""

    def __init__(self, url, name):
        self.url, self.name, self.http = url, name, requests.Session()
        self.http.get(f"{url}/hub/login").raise_for_status()
        form = {"username": name, "password": "", "_xsrf": self.http.cookies["_xsrf"]}
        self.http.post(f"{url}/hub/login", data=form).raise_for_status()
        self.home = f"{url}/user/{name}"
        while True:
            page = self.http.get(f"{url}/hub/spawn/{name}")  # starts the server, or leads to it
            if page.url.startswith(self.home):
                break
            time.sleep(1)
        page.raise_for_status()

    def ask(self, method, what, /, **body):
        """The JSON that the student's own server answers."""
        token = next(cookie.value for cookie in self.http.cookies if cookie.name == "_xsrf" and "user" in cookie.path)
        answer = self.http.request(method, f"{self.home}/api/{what}", json=body or None, headers={"X-XSRFToken": token})
        answer.raise_for_status()
        return answer.json()

    def start_kernel(self):
        self.kernel = self.ask("POST", "kernels", name="python3", path="")["id"]
        request = requests.Request("GET", f"{self.home}/api/kernels")
        cookies = self.http.prepare_request(request).headers["Cookie"]
        channels = f"{self.home}/api/kernels/{self.kernel}/channels?session_id={uuid.uuid4().hex}"
        self.socket = websocket.create_connection(
            channels.replace("http:", "ws:"), cookie=cookies, origin=self.url, timeout=250
        )

    def run(self, code):
        """What the code printed. Its exception is raised here."""
        ident, printed, failed, done = uuid.uuid4().hex, "", "", {"reply": False, "idle": False}
        header = {"msg_id": ident, "msg_type": "execute_request", "username": self.name, "session": ident,
                  "version": "5.3", "date": "2000-01-01T00:00:00Z"}  # fmt: skip
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False,
                   "stop_on_error": True}  # fmt: skip
        self.socket.send(
            json.dumps(
                {
                    "header": header,
                    "parent_header": {},
                    "metadata": {},
                    "content": content,
                    "channel": "shell",
                    "buffers": [],
                }  # fmt: skip
            )
        )
        while not all(done.values()):
            frame = self.socket.recv()
            if not isinstance(frame, str):
                continue  # widgets' numbers travel in binary frames
            message = json.loads(frame)
            if message["parent_header"].get("msg_id") != ident:
                continue
            body = message["content"]
            if message["msg_type"] == "stream":
                printed += body["text"]
            elif message["msg_type"] == "error":
                failed = f"{body['ename']}: {body['evalue']}"
            elif message["msg_type"] == "execute_reply":
                done["reply"] = True
            elif message["msg_type"] == "status" and body["execution_state"] == "idle":
                done["idle"] = True
        assert not failed, f"{self.name}: {failed}\n{code[:200]}"
        return printed


MEASURE = """
import os, resource, psutil
from pathlib import Path
_p = psutil.Process()
print(os.getpid(), Path.cwd(), resource.getrlimit(resource.RLIMIT_DATA)[0], os.environ["OMP_NUM_THREADS"],
      _p.memory_full_info().rss, _p.memory_full_info().uss, sum(_p.cpu_times()[:2]), sep="|")
"""
GREEDY = """
import numpy as np
try:
    np.ones(400_000_000)
except MemoryError:
    print("refused")
"""


def attend(url, name):
    """A student logs in, opens the lesson, runs all of it, and asks for too much memory; tells about the kernel."""
    student = Student(url, name)
    listed = {entry["name"] for entry in student.ask("GET", "contents/")["content"]}
    (lesson,) = (path for path in listed if path.startswith(LESSON))
    notebook = student.ask("GET", f"contents/{lesson}")["content"]
    student.start_kernel()
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            student.run(cell["source"])
    assert student.run(GREEDY) == "refused\n"
    student.run("from pathlib import Path; Path('mine.txt').write_text('mine')")
    number, folder, limit, threads, *spent = student.run(MEASURE).strip().split("|")
    resident, private, seconds = map(float, spent)
    print(f"{name}: {resident / 1e9:.2f} GB, {private / 1e9:.2f} of it its own, after {seconds:.0f} processor seconds")
    return student, listed, (int(number), folder, int(limit), int(threads))


@pytest.mark.timeout(1800)
def test_two_students_take_a_lesson_at_once(hub):
    url, homes = hub
    names = ["ada", "bob"]
    with ThreadPoolExecutor() as pool:
        ada, bob = pool.map(lambda name: attend(url, name), names)
    shipped = {path.name for path in unpack.shipped().glob(unpack.PATTERN)}
    for name, (_, listed, (_, folder, limit, threads)) in zip(names, (ada, bob)):
        assert listed == shipped
        assert Path(folder).resolve() == (homes / name / "course").resolve()
        assert (limit, threads) == (2 * GIGABYTE, 1)
        assert (homes / name / "course" / "mine.txt").exists()
    assert ada[2][0] != bob[2][0], "both had one kernel"
    # What one student asks of the other's server is refused.
    assert ada[0].http.get(f"{url}/user/bob/api/kernels").status_code == 403
    assert resource.getrlimit(resource.RLIMIT_DATA)[0] != 2 * GIGABYTE, (
        "the limit leaked to the one who started the hub"
    )
