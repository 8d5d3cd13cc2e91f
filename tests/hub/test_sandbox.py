"""What a student's server sees of the machine, and how labs come into a home."""

import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from hub.sandbox import COURSE, data_folder, sandbox
from hub.spawner import BRANCH, CourseSpawner, hand_out


@pytest.fixture
def state(tmp_path):
    """The folder of a hub with two students, who have files of their own, and a secret."""
    for name in ("ada", "ben"):
        (tmp_path / "homes" / name).mkdir(parents=True)
        (tmp_path / "homes" / name / "notes.txt").write_text(f"notes of {name}")
    (tmp_path / "instructor_password").write_text("secret")
    (tmp_path / "labs").mkdir()
    (tmp_path / "labs" / "01.ipynb").write_text("first line\n\n\nlast line\n")
    hand_out(tmp_path / "labs", tmp_path / "labs.git")
    return tmp_path


def run(state, *command, name="ada"):
    words = sandbox(state / "homes" / name, state, [state / "labs.git"])
    return subprocess.run([*words, *command], capture_output=True, text=True, check=False)


def pull(state):
    return run(state, "gitpuller", f"file://{state}/labs.git", BRANCH, "labs")


def test_a_server_sees_its_own_home_and_can_write_there(state):
    done = run(state, "bash", "-c", "pwd; cat notes.txt; echo more >> notes.txt")
    assert done.stdout == f"{state}/homes/ada\nnotes of ada", done.stderr
    assert (state / "homes/ada/notes.txt").read_text() == "notes of adamore\n"


@pytest.mark.parametrize("hidden", ["homes/ben/notes.txt", "homes/ben", "instructor_password"])
def test_a_server_sees_no_other_home_and_no_secret(state, hidden):
    done = run(state, "ls", str(state / hidden))
    assert (done.returncode, done.stdout) == (2, "")
    assert "No such file" in done.stderr


@pytest.mark.parametrize("folder", ["solutions", "tests", ".git"])
def test_a_server_sees_no_solution(state, folder):
    assert any((COURSE / folder).iterdir())
    done = run(state, "find", str(COURSE / folder), "-type", "f")
    assert (done.returncode, done.stdout) == (0, "")


def test_a_server_cannot_uncover_what_is_hidden(state):
    done = run(state, "umount", str(COURSE / "solutions"))
    assert done.returncode != 0


def test_a_server_can_use_the_course_and_not_change_it(state):
    done = run(state, sys.executable, "-c", "import helpers.checks.core; print('here')")
    assert done.stdout == "here\n", done.stderr
    done = run(state, "touch", str(COURSE / "helpers" / "__init__.py"))
    assert done.returncode != 0
    assert "Read-only file system" in done.stderr


def test_a_server_can_read_the_data_folder_also_in_the_home_of_who_runs_the_hub(state):
    with tempfile.TemporaryDirectory(dir=Path.home()) as data:
        (Path(data) / "digits.csv").write_text("7")
        for folder, came in [(data, "7"), ("", "")]:
            words = sandbox(state / "homes/ada", state, data_folder(folder))
            command = [*words, "cat", f"{data}/digits.csv"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.stdout == came


def test_a_command_without_a_network_reaches_nothing(state):
    program = "import socket; socket.create_connection(('127.0.0.1', {port}), 5)"
    with socket.create_server(("127.0.0.1", 0)) as server:
        program = program.format(port=server.getsockname()[1])
        for network, status in [(True, 0), (False, 1)]:
            words = sandbox(state / "homes/ada", state, network=network)
            command = [*words, sys.executable, "-c", program]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == status, done.stderr


def test_a_server_sees_only_its_own_processes(state):
    done = run(state, "bash", "-c", "ls -d /proc/[0-9]* | wc -l")
    assert int(done.stdout) < 10


def test_a_process_that_wants_too_much_memory_gets_an_error(state):
    limit = CourseSpawner.make_preexec_fn(SimpleNamespace(mem_limit=300 * 2**20), "ada")
    command = [*sandbox(state / "homes/ada", state), sys.executable, "-c", "bytearray(2**30)"]
    done = subprocess.run(command, preexec_fn=limit, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "MemoryError" in done.stderr


def test_new_labs_come_and_the_work_of_a_student_stays(state):
    assert pull(state).returncode == 0
    mine = state / "homes/ada/labs/01.ipynb"
    mine.write_text(mine.read_text().replace("last line", "my answer"))
    (state / "labs/01.ipynb").write_text("corrected line\n\n\nlast line\n")
    (state / "labs/02.ipynb").write_text("new\n")
    hand_out(state / "labs", state / "labs.git")
    done = pull(state)
    assert done.returncode == 0, done.stdout + done.stderr
    assert mine.read_text() == "corrected line\n\n\nmy answer\n"
    assert (state / "homes/ada/labs/02.ipynb").read_text() == "new\n"


def test_where_both_changed_the_same_line_the_student_wins(state):
    pull(state)
    mine = state / "homes/ada/labs/01.ipynb"
    mine.write_text("my line\n\n\nlast line\n")
    (state / "labs/01.ipynb").write_text("corrected line\n\n\nlast line\n")
    hand_out(state / "labs", state / "labs.git")
    assert pull(state).returncode == 0
    assert mine.read_text() == "my line\n\n\nlast line\n"


def test_handing_out_the_same_labs_again_commits_nothing(state):
    hand_out(state / "labs", state / "labs.git")
    log = ["git", f"--git-dir={state}/labs.git", "log", "--oneline", BRANCH]
    done = subprocess.run(log, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 1
