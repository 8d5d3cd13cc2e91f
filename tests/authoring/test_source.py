import re

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator

from authoring import source
from authoring.errors import AuthoringError

EXERCISE = '# %% tags=["exercise:a"]\n### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n'
CHECK = '# %% tags=["check:a"]\nassert x\n'


def test_tags_become_metadata_of_nbgrader(course):
    _, exercise, check, plain = source.read(course.write()).cells
    assert exercise.metadata == {
        "nbgrader": {
            "schema_version": 3,
            "grade_id": "double",
            "grade": False,
            "solution": True,
            "locked": False,
            "task": False,
        }
    }
    assert check.metadata == {
        "tags": ["nbval-check-output"],
        "nbgrader": {
            "schema_version": 3,
            "grade_id": "check-double",
            "grade": True,
            "solution": False,
            "locked": True,
            "task": False,
            "points": 2,
        },
    }
    assert plain.metadata == {}


@pytest.mark.parametrize(
    ("tag", "points"), [("check:a", 1), ("check:a:3", 3), ("check:a:0.5", 0.5)]
)
def test_points(course, tag, points):
    path = course.write(EXERCISE + CHECK.replace("check:a", tag))
    assert source.read(path).cells[1].metadata.nbgrader.points == points


def test_ids_are_the_same_at_every_reading(course):
    path = course.write()
    ids = [cell.id for cell in source.read(path).cells]
    assert ids == ["lab03-001", "double", "check-double", "lab03-004"]
    assert ids == [cell.id for cell in source.read(path).cells]


def test_the_notebook_is_valid_for_nbformat_and_nbgrader(course):
    notebook = source.read(course.write())
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert "version" not in notebook.metadata.language_info


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no cells"),
        ("# %%\nx = 1\n\n# %%\n\n# %%\nx = 2\n", "cell 2 is empty"),
        ('# %% tags=["exercize:a"]\nx = 1\n', 'cell 1: unknown tag "exercize:a"'),
        ('# %% tags=["exercise:"]\nx = 1\n', 'unknown tag "exercise:"'),
        ('# %% tags=["exercise:a b"]\nx = 1\n', 'unknown tag "exercise:a b"'),
        ('# %% tags=["exercise:a:2"]\nx = 1\n', 'unknown tag "exercise:a:2"'),
        ('# %% tags=["check:a:many"]\nx = 1\n', 'unknown tag "check:a:many"'),
        ('# %% tags=["hide"]\nx = 1\n', 'unknown tag "hide"'),
        ('# %% [markdown] tags=["exercise:a"]\n# x\n', "must be a code cell"),
        ("# %% [raw]\n# x\n", "is a raw cell"),
        ("# %% colour=1\nx = 1\n", "cannot read"),
        ('# %% tags=["exercise:a", "check:a"]\nx = 1\n', "has 2 exercise or check tags"),
        ('# %% tags=["exercise:a"]\nx = 1\n' + CHECK, "wrap the answer in `### BEGIN SOLUTION`"),
        (EXERCISE.replace("### END SOLUTION\n", "") + CHECK, "come in pairs"),
        (EXERCISE.replace("### BEGIN SOLUTION\n", "") + CHECK, "come in pairs"),
        (EXERCISE.replace("### END", "### Fin de END") + CHECK, "each alone on its line"),
        (EXERCISE.replace("BEGIN", "BEGINN") + CHECK, "come in pairs"),
        (EXERCISE.split("\n", 1)[1].join(["# %%\n", ""]), 'no "exercise:ID" tag'),
        (EXERCISE, 'exercise "a" has no check'),
        (EXERCISE + EXERCISE.replace(":a", ":b") + CHECK, 'exercise "a" has no check'),
        (CHECK, 'check "a" does not follow an exercise "a"'),
        (CHECK + EXERCISE, 'check "a" does not follow'),
        (EXERCISE + CHECK.replace(":a", ":b"), 'check "b" does not follow'),
        (EXERCISE + CHECK + EXERCISE + CHECK, '"a" is already taken by 03_small.py, cell 1'),
    ],
)
def test_a_fault_is_named_with_its_cell(course, text, message):
    with pytest.raises(AuthoringError, match=re.escape(message)) as fault:
        source.read(course.write(text))
    assert "03_small.py" in str(fault.value)


def test_two_regions_in_one_exercise_are_fine(course):
    region = "### BEGIN SOLUTION\ny = 2\n### END SOLUTION\n"
    assert len(source.read(course.write(EXERCISE + region + CHECK)).cells) == 2
