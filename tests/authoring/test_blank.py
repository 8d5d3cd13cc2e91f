import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from authoring import build, source
from authoring.blank import STUB, blank
from authoring.errors import AuthoringError

EXERCISE = '# %% tags=["exercise:a"]\n{}\n# %% tags=["check:a"]\nassert a\n'


def generate_assignment(folder, notebooks):
    """What `nbgrader generate_assignment` writes for some notebooks: {file name: text}."""
    (folder / "source" / "unit").mkdir(parents=True)
    for path in notebooks:
        (folder / "source" / "unit" / path.name).write_bytes(path.read_bytes())
    (folder / "nbgrader_config.py").write_text(
        "c = get_config()\n"
        'c.CourseDirectory.course_id = "course"\n'
        f"c.ClearSolutions.code_stub = {{'python': {STUB!r}}}\n"
    )
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", "unit"]
    # nbgrader starts alembic by its bare name; it lies beside this Python.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {path.name: path.read_text() for path in (folder / "release" / "unit").glob("*.ipynb")}


def make(course, text):
    path = course.write(text)
    return blank(source.read(path), path.name)


def test_answers_hidden_tests_and_outputs_are_taken_out(course):
    path = course.write()
    build.build(path)
    lab = nbformat.read(build.paths(path)[1], as_version=4)
    assert lab.cells[1].source == f'def double(x):\n    """Twice x."""\n    {STUB}'
    assert lab.cells[2].source == 'assert double(2) == 4\nprint("correct")'
    assert [cell.outputs for cell in lab.cells[1:]] == [[], [], []]
    assert [cell.execution_count for cell in lab.cells[1:]] == [None, None, None]


def test_the_check_is_locked_and_the_exercise_is_not(course):
    _, exercise, check, plain = make(course, course.write().read_text()).cells
    assert check.metadata.editable is False
    assert check.metadata.deletable is False
    assert "editable" not in exercise.metadata
    assert exercise.metadata.deletable is False
    assert plain.metadata == {}
    assert len(check.metadata.nbgrader.checksum) == 32


def test_the_solution_is_left_as_it_was(course):
    notebook = source.read(course.write())
    before = nbformat.writes(notebook)
    blank(notebook, "small")
    assert nbformat.writes(notebook) == before


def test_the_lab_is_what_nbgrader_writes(course, tmp_path):
    path = course.write()
    build.build(path)
    solution, lab = build.paths(path)
    assert generate_assignment(tmp_path / "nbgrader", [solution]) == {lab.name: lab.read_text()}


def test_every_lab_is_what_nbgrader_writes(tmp_path):
    built = [build.paths(path) for path in build.sources()]
    expected = {lab.name: lab.read_text(encoding="utf-8") for _, lab in built}
    assert generate_assignment(tmp_path, [solution for solution, _ in built]) == expected


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        ("if True:\n### BEGIN SOLUTION\n    a = 1\n### END SOLUTION", 2),
        ("### BEGIN SOLUTION\ndef a():\n    ### END SOLUTION\n    return 1", 2),
    ],
)
def test_a_blank_that_does_not_compile_names_cell_and_line(course, answer, line):
    with pytest.raises(
        AuthoringError, match=f"cell 1, as handed out: line {line} does not compile"
    ):
        make(course, EXERCISE.format(answer))


def test_a_return_left_outside_its_function_does_not_compile(course):
    answer = "### BEGIN SOLUTION\ndef a():\n    pass\n### END SOLUTION\nreturn a"
    with pytest.raises(AuthoringError, match="'return' outside function"):
        make(course, EXERCISE.format(answer))


def test_hidden_tests_outside_a_check_are_refused(course):
    text = "# %%\nx = 1\n### BEGIN HIDDEN TESTS\nassert x\n### END HIDDEN TESTS\n"
    with pytest.raises(AuthoringError, match="nbgrader refuses it: Hidden test region"):
        make(course, text)


def test_magics_compile(course):
    assert make(course, "# %%\n# %matplotlib inline\nx = 1\n").cells[0].source.startswith("%")
