"""A hub for its tests, which are collected only where `make test-hub` runs: it installs more."""

import os
import signal
import socket
import subprocess
import sys

import pytest
import requests

from hub.sandbox import COURSE
from tests.hub.waiting import wait

collect_ignore_glob = [] if os.environ.get("TESTS_HUB") else ["test_*.py"]


def free_port():
    """Return the first of three ports in a row that are free now."""
    for port in range(18000, 19000, 3):
        if all(socket.socket().connect_ex(("127.0.0.1", port + k)) for k in range(3)):
            return port
    raise AssertionError("no free ports")


@pytest.fixture(scope="session")
def hub(tmp_path_factory):
    """The address of a hub that runs for these tests, and the folder of what it writes."""
    state, port = tmp_path_factory.mktemp("hub"), free_port()
    environment = os.environ | {"COURSE_HUB": str(state), "HUB_PORT": str(port)}
    environment["PYTHONPATH"] = str(COURSE)
    command = [sys.executable, "-m", "jupyterhub", "--config=hub/jupyterhub_config.py"]
    # Only here: scripts in the page may run JupyterLab's commands.
    command += ["--Spawner.args=--LabApp.expose_app_in_browser=True"]
    with (state / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=COURSE, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    address = f"http://127.0.0.1:{port}"

    def up():
        assert process.poll() is None, (state / "log").read_text()
        try:
            return requests.get(f"{address}/hub/health", timeout=5).ok
        except requests.ConnectionError:
            return False

    wait(up, "starting the hub")
    yield address, state
    process.send_signal(signal.SIGTERM)
    process.wait(90)  # its service takes half a minute to stop where SIGINT is ignored
