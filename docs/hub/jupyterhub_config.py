"""JupyterHub for this course on one machine: `jupyterhub --config docs/hub/jupyterhub_config.py`, see docs/class.md.

Environment variables, all optional:
    COURSE_HUB      "trial" (default): this machine only, any name, no password, all students are one system user.
                    "class": students are accounts of the system in the group COURSE_GROUP; start the hub as root.
    COURSE_GROUP    the group of the students (default "students"), for "class".
    COURSE_LESSONS  folder with the notebooks to hand out (default: the course's own, with solutions).
    COURSE_STATE    folder for the hub's own files, and for the students' in a trial (default build/hub).
"""

import os
import sys
from pathlib import Path

c = get_config()  # noqa: F821  (JupyterHub defines it)

HERE = Path(__file__).resolve().parent
MODE = os.environ.get("COURSE_HUB", "trial")
STATE = Path(os.environ.get("COURSE_STATE", HERE.parents[1] / "build" / "hub")).resolve()
STATE.mkdir(parents=True, exist_ok=True, mode=0o700 if MODE == "class" else 0o755)

# ------------------------------------------------------------------ who may come in
if MODE == "trial":
    c.JupyterHub.bind_url = "http://127.0.0.1:8000"
    c.JupyterHub.authenticator_class = "dummy"
    c.Authenticator.allow_all = True
    c.JupyterHub.spawner_class = "simple"
    c.SimpleLocalProcessSpawner.home_dir_template = str(STATE / "homes" / "{username}")
elif MODE == "class":
    c.JupyterHub.bind_url = "http://127.0.0.1:8000"  # a web server with a certificate stands before it
    c.JupyterHub.authenticator_class = "pam"
    c.LocalAuthenticator.allowed_groups = {os.environ.get("COURSE_GROUP", "students")}
    c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"
else:
    raise ValueError(f"COURSE_HUB is {MODE!r}, expected 'trial' or 'class'")

# ------------------------------------------------------------------ what a student gets
c.Spawner.cmd = ["/bin/sh", str(HERE / "student.sh")]
c.Spawner.notebook_dir = "~/course"
c.Spawner.default_url = "/lab/tree/00_start_here.ipynb"
c.Spawner.mem_limit = "2G"  # of each process: student.sh sets it
c.Spawner.environment = {
    "COURSE_PYTHON": sys.executable,
    "COURSE_LESSONS": os.environ.get("COURSE_LESSONS", ""),
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
