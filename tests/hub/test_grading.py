"""A class of twenty is graded: right, partly right, blank and broken work, each with its marks."""

import copy
import csv
import os
import re
import shutil
import socket
from pathlib import Path

import nbformat
import pytest

from authoring import source
from authoring.blank import blank
from authoring.build import dumps
from hub import grading
from hub.grading import Grading, GradingError
from hub.sandbox import COURSE

LAB = "00_class"
# Three exercises of lab 00; the second is worth two points.
SOURCE = """\
# %% [markdown]
# # Three exercises

# %%
import numpy as np

from helpers.checks import start as check

# %% tags=["exercise:double"]
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% tags=["check:double"]
check.double(double)

# %% tags=["exercise:only_red"]
def only_red(image):
    ### BEGIN SOLUTION
    result = image.copy()
    result[..., 1:] = 0
    return result
    ### END SOLUTION

# %% tags=["check:only_red:2"]
check.only_red(only_red)

# %% tags=["exercise:to_unit"]
def to_unit(image):
    ### BEGIN SOLUTION
    return (image / 255).astype("float32")
    ### END SOLUTION

# %% tags=["check:to_unit"]
check.to_unit(to_unit)
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A folder with the small lab, blank and solved."""
    folder = tmp_path_factory.mktemp("course")
    for name in ("labs", "solutions"):
        (folder / name).mkdir()
    path = folder / "solutions" / f"{LAB}.py"
    path.write_text(SOURCE)
    solution = source.read(path)
    (folder / "solutions" / f"{LAB}.ipynb").write_text(dumps(solution))
    (folder / "labs" / f"{LAB}.ipynb").write_text(dumps(blank(solution, path.name)))
    return folder


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    folder = tmp_path_factory.mktemp("state")
    (folder / "homes").mkdir()
    return folder


def cell(notebook, name):
    return next(cell for cell in notebook.cells if cell.id == name)


class Work:
    """The notebook of one student, from the lab or from its solution."""

    def __init__(self, course, folder):
        self.notebook = nbformat.read(course / folder / f"{LAB}.ipynb", as_version=4)

    def answer(self, name, text):
        """Replace the answer of an exercise; its first line stays."""
        head = cell(self.notebook, name).source.splitlines()[0]
        cell(self.notebook, name).source = head + "\n" + text
        return self

    def check(self, name, text):
        cell(self.notebook, f"check-{name}").source = text
        return self

    def delete(self, *names):
        self.notebook.cells = [cell for cell in self.notebook.cells if cell.id not in names]
        return self

    def copy_cell(self, name, before, grade_id=None):
        """Copy a cell as JupyterLab does, with its metadata but a new id."""
        copied = copy.deepcopy(cell(self.notebook, name))
        copied.metadata.nbgrader.grade_id = grade_id or name
        copied.id = f"{name}-copy"
        place = self.notebook.cells.index(cell(self.notebook, before))
        self.notebook.cells.insert(place, copied)
        return self

    def dumps(self):
        return nbformat.writes(self.notebook)


def snoop(state, port):
    """Return an answer that is right unless the program finds something it should not see."""
    paths = [str(state / "homes" / "right"), str(state / "grading"), str(COURSE / "solutions")]
    return f"""    import os, pathlib, socket
    found = [path for path in {paths} if any(pathlib.Path(path).glob("*"))]
    found += [name for name in os.environ if name == "A_TOKEN"]
    try:
        socket.create_connection(("127.0.0.1", {port}), 2)
    except OSError:
        return found or 2 * x
    return "the network"
"""


def submissions(course, state, port=0):
    """Return {student: (text of the notebook, points, a word of the remark)}.

    Points are None where the work can't be marked.
    """

    def right():
        return Work(course, "solutions")

    def empty():
        return Work(course, "labs")

    loop = "    while True:\n        pass"
    stubborn = (
        "    while True:\n        try:\n            while True:\n                pass\n"
        "        except KeyboardInterrupt:\n            pass"
    )
    bomb = "    return [bytearray(2**28) for _ in range(64)]"
    # A few MB a second: how far a faster one gets, before memory is full, is up to the machine.
    spam = "    import time\n    while time.sleep(0.001) is None:\n        print('spam' * 1000)"
    spec = right()
    spec.notebook.metadata.kernelspec = {"name": "mine", "display_name": "Mine", "language": "R"}
    rich = empty()
    cell(rich.notebook, "check-double").metadata.nbgrader.points = 100
    rich.answer("double", "    return x + x")
    old = right()
    cell(old.notebook, "check-double").metadata.nbgrader.schema_version = 99
    return {
        "right": (right(), 4, ""),
        "right-otherwise": (right().answer("double", "    return x + x"), 4, ""),
        "right-loud": (
            right().answer("double", "    import warnings\n    warnings.warn('!')\n    return 2*x"),
            4,
            "",
        ),
        "half": (empty().answer("double", "    return x + x"), 1, ""),
        "half-wrong": (right().answer("only_red", "    return image"), 2, ""),
        "half-error": (right().answer("to_unit", "    return image /"), 3, ""),
        "blank": (empty(), 0, ""),
        "all-wrong": (
            empty().answer("double", "    return x + 2").answer("to_unit", "    return image"),
            0,
            "",
        ),
        "tampered": (empty().check("double", "pass").check("only_red", "2"), 0, "was changed"),
        "own-points": (rich, 1, ""),
        "check-deleted": (right().delete("check-only_red"), 4, "was missing"),
        "exercise-deleted": (right().delete("only_red", "check-only_red"), 2, "is missing"),
        "all-deleted": (right().delete(*[cell.id for cell in right().notebook.cells]), 0, ""),
        "copied": (right().copy_cell("check-double", before="double"), 4, "more than once"),
        "from-another-lab": (
            right().copy_cell("check-double", before="double", grade_id="old"),
            4,
            "",
        ),
        "own-kernel": (spec, 4, ""),
        "loop": (right().answer("double", loop), 3, ""),
        "bomb": (right().answer("double", bomb), 3, ""),
        "spam": (right().answer("only_red", spam), 2, ""),
        "stubborn": (right().answer("only_red", stubborn), None, "could not be stopped"),
        "snoop": (right().answer("double", snoop(state, port)), 4, ""),
        "ends-itself": (right().answer("double", "    import os\n    os._exit(1)"), None, "died"),
        "no-notebook": ("{", None, "not a notebook"),
        "from-the-future": (old, None, "another version"),
    }


def save(state, student, work):
    """Save the work of a student in the home, as JupyterLab would."""
    labs = state / "homes" / student / "labs"
    labs.mkdir(parents=True, exist_ok=True)
    (labs / f"{LAB}.ipynb").write_text(work if isinstance(work, str) else work.dumps())


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ("...\nnbclient.exceptions.DeadKernelError: Kernel died", "its kernel died"),
        ("  obj, end = self.scan_once(s, idx)\nMemoryError\n", "probably printed without end"),
        ("KeyError: 'x'", "nbgrader failed; its log is in"),
    ],
)
def test_the_log_tells_why_a_submission_is_not_marked(log, reason):
    assert reason in grading.why(log)


def table(state):
    """Return marks.csv as {student: row}."""
    with grading.marks(state).open(encoding="utf-8") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def lab(course, state):
    return Grading(LAB, state, course)


@pytest.fixture(scope="module")
def graded(course, state, lab):
    """The table of the class after all steps."""
    (state / "homes" / "absent").mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("A_TOKEN", "secret")
        for student, (work, _, _) in submissions(course, state, server.getsockname()[1]).items():
            save(state, student, work)
        lab.release()
        lab.collect()
        lab.autograde(cell_seconds=8)
        lab.feedback()
    return table(state)


@pytest.mark.timeout(1200)
def test_a_class_gets_its_marks(course, state, graded):
    expected = submissions(course, state)
    for student, (_, points, words) in expected.items():
        row = graded[student]
        assert row["points"] == ("" if points is None else f"{points:.1f}"), (student, row)
        assert words in row["remark"], (student, row)
    assert graded.keys() == {*expected, "absent"}
    assert (graded["absent"]["points"], graded["absent"]["of"]) == ("0", "4.0")


def test_each_student_gets_the_marked_notebook_or_the_reason_why_there_is_none(state, graded):
    for student, row in graded.items():
        folder = state / "homes" / student / "feedback"
        files = [path.name for path in folder.glob("*")] if folder.exists() else []
        if student == "absent":
            assert files == []
        elif row["points"]:
            assert files == [f"{LAB}.html"]
            page = (folder / files[0]).read_text()
            assert f"(Score: {row['points']} / 4.0)" in page, student
        else:
            assert files == [f"{LAB}.txt"]
            assert (folder / files[0]).read_text() == row["remark"] + "\n"


def test_later_work_is_taken_and_marked_only_when_asked_for(course, state, lab, graded, capsys):
    save(state, "blank", Work(course, "labs").answer("double", "    return x + x"))
    lab.collect()
    assert re.search("^blank: .*changed since", capsys.readouterr().out, re.M)
    lab.collect(update=True)
    for student in graded:
        if student != "blank":
            shutil.rmtree(lab.path("submitted", student).parent, ignore_errors=True)
    lab.autograde()
    lab.feedback()
    assert table(state)["blank"]["points"] == "1.0"
    assert "1.0" in (state / "homes/blank/feedback" / f"{LAB}.html").read_text()


def test_a_lab_that_is_released_again_keeps_its_marks(state, lab, graded):
    lab.release()
    assert table(state)["right"]["points"] == "4.0"


def test_work_that_takes_too_long_in_all_is_not_marked(course, state, lab, graded, monkeypatch):
    monkeypatch.setattr(grading, "LONGEST", 1)
    save(state, "slow", Work(course, "solutions"))
    lab.collect()
    assert "it ran for more than" in lab.autograde_one("slow", 8)
    assert not lab.path("autograded", "slow").exists()
    row = table(state)["slow"]
    assert row["points"] == ""
    assert "it ran for more than" in row["remark"]


def test_what_is_no_file_of_the_student_is_not_taken(course, state, lab, graded, monkeypatch):
    monkeypatch.setattr(grading, "WAIT", 2)
    for student in ("thief", "pipe", "large"):
        (state / "homes" / student / "labs").mkdir(parents=True)
    theirs = state / "homes" / "{}" / "labs" / f"{LAB}.ipynb"
    Path(str(theirs).format("thief")).symlink_to(str(theirs).format("right"))
    os.mkfifo(str(theirs).format("pipe"))
    save(state, "large", " " * (grading.LARGEST + 1))
    for student, words in [("thief", "no labs"), ("pipe", "to its end"), ("large", "larger")]:
        assert words in lab.collect_from(state / "homes" / student, update=False)
        assert not lab.path("submitted", student).exists()


def test_feedback_is_not_written_through_a_link(course, state, lab, graded, capsys):
    """`right` lets `feedback` point at the home of another student."""
    folder = state / "homes" / "right" / "feedback"
    shutil.rmtree(folder)
    folder.symlink_to(state / "homes" / "absent")
    lab.feedback()
    assert "right: can't write" in capsys.readouterr().out
    assert list((state / "homes" / "absent").iterdir()) == []


def test_the_instructors_own_notebook_is_not_collected(course, state, lab, graded, capsys):
    save(state, "instructor", Work(course, "solutions"))
    lab.collect()
    assert "instructor" not in capsys.readouterr().out
    assert "instructor" not in table(state)


def test_a_class_of_nobody_is_an_error_with_a_reason(tmp_path):
    with pytest.raises(GradingError, match="No student has logged in"):
        grading.homes(tmp_path)


@pytest.mark.parametrize("step", ["collect", "autograde", "marks"])
def test_before_the_first_release_each_step_says_so(step, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_HUB", str(tmp_path))
    assert grading.main([step, "00"]) == 1
    assert "No lab was released yet" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_lab_must_be_released_first(state, course, graded):
    with pytest.raises(GradingError, match="make release LAB=01"):
        Grading("01_mlp", state).collect()


def test_a_lab_that_was_built_from_another_solution_is_not_released(course, tmp_path):
    shutil.copytree(course, tmp_path / "course")
    (tmp_path / "homes").mkdir()
    with (tmp_path / "course" / "labs" / f"{LAB}.ipynb").open("a") as file:
        file.write(" ")
    with pytest.raises(GradingError, match="make build LAB=00"):
        Grading(LAB, tmp_path, tmp_path / "course").release()


@pytest.mark.parametrize("number", ["99", "", None, "../"])
def test_an_unknown_lab_is_named_with_the_known_ones(number):
    with pytest.raises(GradingError, match="There are 00, 01"):
        grading.lab_named(number)
