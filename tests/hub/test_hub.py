"""The local hub as two students meet it: log in, get a server, find the labs in the home."""

import pytest
import requests
from jupyter_core.paths import jupyter_config_path
from nbgrader.apps import NbGrader
from nbgrader.preprocessors import Execute

from authoring.budget import LIMIT
from hub.benchmark import measure
from hub.sandbox import COURSE
from tests.hub.waiting import wait


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


@pytest.mark.timeout(180)
def test_a_student_who_wants_too_much_memory_harms_nobody_else(hub):
    address, state = hub
    password = (state / "student_password").read_text().strip()
    rows, most = measure(address, password, ["ada", "ben"], ["print('here')"], greedy=True)
    assert [row["error"] for row in rows] == ["MemoryError", ""]
    assert rows[1]["first"] <= rows[1]["end"]
    # A server and a kernel, in each of the homes.
    assert all(row["memory"] > 50e6 for row in rows)
    assert most >= max(row["memory"] for row in rows)


def test_validate_waits_for_the_longest_cell_that_a_lab_may_have(monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(COURSE / "hub" / "students"))
    program = NbGrader()
    program.config_file_paths.append(jupyter_config_path())
    program.load_config_file()
    assert Execute(config=program.config).timeout > LIMIT.cell
