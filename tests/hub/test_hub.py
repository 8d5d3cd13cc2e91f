"""The local hub as two students meet it: log in, get a server, find the labs in the home."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest
import requests

from hub.spawner import COURSE


def free_port():
    """Return the first of three ports in a row that are free now."""
    for port in range(18000, 19000, 3):
        if all(socket.socket().connect_ex(("127.0.0.1", port + k)) for k in range(3)):
            return port
    raise AssertionError("no free ports")


def wait(condition, what, seconds=90):
    end = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < end, f"{what} took more than {seconds} s"
        time.sleep(0.5)
    return result


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """The address of a hub that runs for these tests, and the folder of what it writes."""
    state, port = tmp_path_factory.mktemp("hub"), free_port()
    environment = os.environ | {"COURSE_HUB": str(state), "HUB_PORT": str(port)}
    environment["PYTHONPATH"] = str(COURSE)
    command = [sys.executable, "-m", "jupyterhub", "--config=hub/jupyterhub_config.py"]
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
    process.wait(30)


def log_in(hub, name, password=None):
    """Return a session of this student, and the answer of the hub."""
    address, state = hub
    session = requests.Session()
    session.get(f"{address}/hub/login")
    form = {
        "username": name,
        "password": password or (state / "student_password").read_text().strip(),
        "_xsrf": session.cookies["_xsrf"],
    }
    return session, session.post(f"{address}/hub/login", data=form, allow_redirects=False)


def test_a_wrong_password_is_refused(hub):
    assert log_in(hub, "ada", "guess")[1].status_code == 403


def test_a_student_cannot_log_in_as_instructor(hub):
    assert log_in(hub, "instructor")[1].status_code == 403


@pytest.mark.parametrize("name", ["..", ".", "-x", "a/../b"])
def test_a_name_that_is_no_folder_of_its_own_is_refused(hub, name):
    assert log_in(hub, name)[1].status_code == 403


def test_two_students_get_servers_with_the_labs_in_their_homes(hub):
    address, state = hub
    for name in ("ada", "ben"):
        session, answer = log_in(hub, name)
        assert answer.status_code == 302
        session.get(f"{address}/hub/spawn")

        def running(session=session, name=name):
            page = session.get(f"{address}/user/{name}/lab")
            return page.ok and "jupyter-config-data" in page.text

        wait(running, f"the server of {name}")
        given = {path.name for path in (state / "homes" / name / "labs").glob("*.ipynb")}
        assert given == {path.name for path in (COURSE / "labs").glob("*.ipynb")}


def test_one_student_cannot_open_the_server_of_another(hub):
    address, _ = hub
    session, _ = log_in(hub, "ben")
    assert session.get(f"{address}/user/ada/lab").status_code == 403
