"""JupyterHub for this course on one machine: `jupyterhub --config docs/hub/jupyterhub_config.py`, see docs/class.md.

Environment variables, all optional:
    COURSE_HUB      "trial" (default): any account of this machine, under any name, no password; all students are the
                    system user who started it, who is not root outside a container.
                    "class": students are accounts of the system in the group COURSE_GROUP; start the hub as root.
    COURSE_GROUP    the group of the students (default "students"), for "class".
    COURSE_LESSONS  folder with the notebooks to hand out (default: the course's own, with solutions).
    COURSE_STATE    folder for the hub's own files, and for the students' in a trial (default build/hub); each
                    mode has a part of its own in it, so that whom a trial let in does not enter a class.
"""

import os
import sys
from pathlib import Path

c = get_config()  # noqa: F821  (JupyterHub defines it)

HERE = Path(__file__).resolve().parent
MODE = os.environ.get("COURSE_HUB", "trial")
if MODE not in ("trial", "class"):
    raise ValueError(f"COURSE_HUB is {MODE!r}, expected 'trial' or 'class'")
CONTAINER = any(os.environ.get(name) for name in ("container", "KUBERNETES_SERVICE_HOST")) or any(
    Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv")
)
if MODE == "trial" and os.geteuid() == 0 and not CONTAINER:
    raise ValueError(
        "COURSE_HUB is 'trial' and you are root, expected another account: whoever is on this machine could work as "
        "root, without a password. Start it as an ordinary user, or set `container=yes` if this is a container"
    )
STATE = Path(os.environ.get("COURSE_STATE", HERE.parents[1] / "build" / "hub")).resolve() / MODE
STATE.mkdir(parents=True, exist_ok=True)
if STATE.stat().st_uid != os.geteuid():
    raise ValueError(f"COURSE_STATE has {STATE}, expected one of the account that starts the hub: name another folder")
STATE.chmod(0o700)  # also where it was there already: whoever reads the cookie's secret can be anybody

# ------------------------------------------------------------------ who may come in
if MODE == "trial":
    print(
        "TRIAL: every account of this machine can log in, under any name and without a password, and then works as "
        f"user {os.geteuid()}. See docs/class.md for a class",
        file=sys.stderr,
        flush=True,
    )
    c.JupyterHub.bind_url = "http://127.0.0.1:8000"
    c.JupyterHub.authenticator_class = "dummy"
    c.Authenticator.allow_all = True
    c.JupyterHub.spawner_class = "simple"
    c.SimpleLocalProcessSpawner.home_dir_template = str(STATE / "homes" / "{username}")
else:
    c.JupyterHub.bind_url = "http://127.0.0.1:8000"  # a web server with a certificate stands before it
    c.JupyterHub.authenticator_class = "pam"
    c.LocalAuthenticator.allowed_groups = {os.environ.get("COURSE_GROUP", "students")}
    c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"

# ------------------------------------------------------------------ what a student gets
c.Spawner.cmd = ["/bin/sh", str(HERE / "student.sh")]
c.Spawner.notebook_dir = "~/course"
c.Spawner.default_url = "/lab/tree/00_start_here.ipynb"
c.Spawner.mem_limit = "2G"  # of each process: student.sh sets it
c.Spawner.environment = {
    "COURSE_PYTHON": sys.executable,
    "COURSE_LESSONS": os.environ.get("COURSE_LESSONS", ""),
    # The system counts processes and threads by account: in a trial all students, and whoever started it, are one.
    "COURSE_PROCESSES": "500" if MODE == "class" else "",
    # Thirty kernels with a thread for every core each would only wait for one another.
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "JUPYTER_PREFER_ENV_PATH": "1",
}
c.Spawner.args = [
    # A kernel keeps its memory for as long as it lives: one that computed nothing for an hour ends, page or no page.
    "--MappingKernelManager.cull_idle_timeout=3600",
    "--MappingKernelManager.cull_interval=120",
    "--MappingKernelManager.cull_connected=True",
    "--LanguageServerManager.autodetect=False",
]
if MODE == "trial" and os.geteuid() == 0:
    c.Spawner.args.append("--allow-root")  # in a container; the "students" of a trial are whoever starts it
c.Spawner.start_timeout = 180
c.Spawner.http_timeout = 180  # when all log in at once, servers start slowly
c.JupyterHub.concurrent_spawn_limit = 5
c.JupyterHub.active_server_limit = 40

# ------------------------------------------------------------------ who goes home
c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=7200", "--cull-every=300"],
    }
]
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    }
]

# ------------------------------------------------------------------ where the hub keeps things
c.JupyterHub.db_url = f"sqlite:///{STATE / 'hub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(STATE / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(STATE / "proxy.pid")
# The proxy in Python: nothing needs Node.js. It speaks no TLS; docs/class.md says what to put before it.
c.ConfigurableHTTPProxy.command = [str(Path(sys.executable).with_name("configurable-http-proxy"))]
