"""Settings of the local hub that `make hub` starts; hub/README.md says what they mean for a class.

Everything that the hub writes lies in one folder, COURSE_HUB or hub/state. It needs no root: all
servers run as whoever started the hub, and each of them sees one home only (hub/sandbox.py).
Environment variables: HUB_PORT (8000; the two ports above it are taken, too), HUB_MEMORY (2G, of
each process of a student), COURSE_DATA (a folder of real data, which students can read).
"""

import os
import secrets
import sys
from pathlib import Path

from hub.sandbox import COURSE
from hub.spawner import CourseSpawner

c = get_config()  # noqa: F821

STATE = Path(os.environ.get("COURSE_HUB") or COURSE / "hub" / "state").resolve()
STATE.mkdir(mode=0o700, parents=True, exist_ok=True)


def password(name):
    """Return the password in this file of the hub's folder, made up the first time."""
    path = STATE / name
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24) + "\n", encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()


PORT = int(os.environ.get("HUB_PORT", "8000"))
c.JupyterHub.bind_url = f"http://127.0.0.1:{PORT}"
c.JupyterHub.hub_port = PORT + 1
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{PORT + 2}"
c.JupyterHub.cookie_secret_file = str(STATE / "cookie_secret")
c.JupyterHub.db_url = f"sqlite:///{STATE / 'jupyterhub.sqlite'}"
c.ConfigurableHTTPProxy.pid_file = str(STATE / "proxy.pid")
c.ConfigurableHTTPProxy.command = [str(COURSE / "hub/node_modules/.bin/configurable-http-proxy")]

# One password for the class, another for the instructor: enough for a trial in one room.
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = password("student_password")
c.SharedPasswordAuthenticator.admin_password = password("instructor_password")
c.Authenticator.admin_users = {"instructor"}
c.Authenticator.allow_all = True
# A name becomes a folder: `..` would be the folder of all homes.
c.Authenticator.username_pattern = r"[a-z][a-z0-9._-]*"
print(f"Passwords: {STATE}/student_password and, for `instructor`, {STATE}/instructor_password")

c.JupyterHub.spawner_class = CourseSpawner
c.CourseSpawner.state = str(STATE)
c.CourseSpawner.home_dir_template = f"{STATE}/homes/{{username}}"
c.Spawner.mem_limit = os.environ.get("HUB_MEMORY", "2G")
c.Spawner.environment = {
    "COURSE_DATA": os.environ.get("COURSE_DATA", ""),
    # Of nbgrader only the Validate button is shown: the rest of its menu is of no use to students.
    "JUPYTER_CONFIG_PATH": str(COURSE / "hub" / "students"),
}
c.Spawner.default_url = "/lab/tree/labs/00_start_here.ipynb"
c.Spawner.start_timeout = 120

# A server in which nothing has happened for an hour costs memory for nothing.
c.JupyterHub.load_roles = [
    {
        "name": "culling",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["culling"],
    }
]
c.JupyterHub.services = [
    {
        "name": "culling",
        "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=3600"],
    }
]
