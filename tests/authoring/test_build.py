import json

import nbformat
import pytest

from authoring import build
from authoring.errors import AuthoringError

BAD = {
    "error": (
        "def f():\n    return 1 / 0\n\n\nf()",
        ["cell 1 failed at `f()`", "ZeroDivisionError"],
    ),
    "syntax": ("x = (", ["cell 1", "line 1 does not compile"]),
    "warning": ("import warnings\nwarnings.warn('old way')", ["cell 1 writes", "old way"]),
    "stderr": ("import sys\nprint('psst', file=sys.stderr)", ["cell 1 writes", "psst"]),
    "log": ("print('WARNING:tensorflow:slow')", ["cell 1 writes", "slow"]),
    "dead": ("import os\nos._exit(1)", ["cell 1 failed at `import os`", "the kernel died"]),
}


def edit(path, change):
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    path.write_text(build.dumps(notebook), encoding="utf-8")


@pytest.fixture
def built(course):
    """The path of a source whose notebooks are up to date."""
    path = course.write()
    build.build(path)
    assert build.drift(path) == []
    return path


def test_the_solution_is_executed_in_its_folder_and_its_outputs_are_stored(course):
    path = course.write("# %%\nfrom pathlib import Path\nprint(Path.cwd().name)\n\n# %%\n6 * 7\n")
    assert build.main([], root=course.root) == 0
    notebook = nbformat.read(build.paths(path)[0], as_version=4)
    nbformat.validate(notebook)
    printed, shown = (cell.outputs[0] for cell in notebook.cells)
    assert printed.text == "solutions\n"
    assert shown.data["text/plain"] == "42"
    assert [cell.execution_count for cell in notebook.cells] == [1, 2]


def test_building_twice_gives_the_same_bytes(built):
    before = [path.read_bytes() for path in build.paths(built)]
    build.build(built)
    assert [path.read_bytes() for path in build.paths(built)] == before


def test_nothing_of_the_machine_or_the_moment_is_stored(built):
    notebook = json.loads(build.paths(built)[0].read_text())
    assert "version" not in notebook["metadata"]["language_info"]
    assert all("execution" not in cell["metadata"] for cell in notebook["cells"])


@pytest.mark.parametrize("fault", BAD)
def test_a_failure_is_told_briefly_and_keeps_the_old_notebooks(course, built, fault, capsys):
    before = {path: path.read_bytes() for path in build.paths(built)}
    code, expected = BAD[fault]
    course.write(f"# %%\n{code}\n")
    assert build.main([], root=course.root) == 1
    told = capsys.readouterr().err
    assert "03_small.py, cell 1" in told
    assert all(part in told for part in expected), told
    assert len(told.splitlines()) <= 8
    assert {path: path.read_bytes() for path in build.paths(built)} == before
    kept = {path.name for folder in (course.solutions, course.labs) for path in folder.iterdir()}
    assert kept == {"03_small.py", "03_small.ipynb"}


def test_one_failing_lab_does_not_keep_the_others_from_being_built(course):
    course.write("# %%\n1 / 0\n", name="01_bad")
    good = course.write("# %%\n1\n", name="02_good")
    assert build.main([], root=course.root) == 1
    assert build.paths(good)[1].is_file()


def test_a_full_disk_leaves_the_old_file_and_nothing_half_written(built, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    target = build.paths(built)[1]
    before = target.read_bytes()
    monkeypatch.setattr("os.fdopen", full)
    with pytest.raises(OSError, match="No space left"):
        build.replace_text(target, "new")
    assert target.read_bytes() == before
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_labs_are_chosen_by_number(course, capsys):
    course.write("# %%\n1\n", name="01_one")
    course.write("# %%\n1\n", name="02_two")
    assert build.main(["02"], root=course.root) == 0
    assert [path.name for path in course.labs.iterdir()] == ["02_two.ipynb"]
    assert build.main(["07"], root=course.root) == 1
    assert "There is no lab 07; there are 01, 02." in capsys.readouterr().err


def test_no_sources_is_an_error(course, capsys):
    assert build.main(["--check"], root=course.root) == 1
    assert "No sources named NN_name.py" in capsys.readouterr().err


def _another_answer(notebook):
    notebook.cells[-1].source = "double(22)"


def _stripped(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None


def _out_of_order(notebook):
    notebook.cells[-1].execution_count = 9


def _warning(notebook):
    notebook.cells[-1].outputs = [nbformat.v4.new_output("stream", name="stderr", text="old way")]


def _error(notebook):
    notebook.cells[-1].outputs = [nbformat.v4.new_output("error", ename="KeyError", evalue="")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_another_answer, "solutions/03_small.ipynb is not what its source builds"),
        (_stripped, "was not executed top to bottom"),
        (_out_of_order, "was not executed top to bottom"),
        (_warning, "cell 4 writes a warning"),
        (_error, "cell 4 stores the error KeyError"),
    ],
)
def test_drift_of_the_solution_is_found(built, change, message):
    edit(build.paths(built)[0], change)
    assert any(message in fault for fault in build.drift(built))


def test_other_outputs_are_no_drift(built):
    def change(notebook):
        notebook.cells[-1].outputs[0].data["text/plain"] = "43"

    edit(build.paths(built)[0], change)
    assert build.drift(built) == []


@pytest.mark.parametrize("change", [lambda text: text + "\n", lambda text: text.replace("4", "5")])
def test_drift_of_the_lab_is_found_to_the_byte(built, change):
    lab = build.paths(built)[1]
    lab.write_text(change(lab.read_text()))
    assert build.drift(built) == ["labs/03_small.ipynb is not what its source builds"]


def test_drift_after_an_edit_of_the_source_says_what_to_do(course, built, capsys):
    course.write(built.read_text().replace("double(21)", "double(20)"))
    assert build.main(["--check"], root=course.root) == 1
    told = capsys.readouterr().err
    assert "labs/03_small.ipynb is not what its source builds" in told
    assert "solutions/03_small.ipynb is not what its source builds" in told
    assert "make build LAB=03" in told


@pytest.mark.parametrize("index", [0, 1])
def test_a_missing_notebook_is_drift(built, index):
    build.paths(built)[index].unlink()
    assert [fault.split(" ", 1)[1] for fault in build.drift(built)] == ["is missing"]


def test_a_truncated_solution_is_drift(built):
    path = build.paths(built)[0]
    path.write_text(path.read_text()[:100])
    assert build.drift(built) == ["solutions/03_small.ipynb is not a notebook"]


def test_a_notebook_without_a_source_is_found(course, built, capsys):
    (course.labs / "04_gone.ipynb").write_text("{}")
    assert build.main(["--check"], root=course.root) == 1
    assert "labs/04_gone.ipynb has no source" in capsys.readouterr().err


def test_an_allowed_error_is_no_noise(course):
    path = course.write('# %% tags=["raises-exception"]\n1 / 0\n')
    build.build(path)
    assert build.drift(path) == []


def test_sources_are_found_by_their_names(course):
    course.write("# %%\n1\n", name="01_one")
    course.write("# %%\n1\n", name="sweep")
    assert [path.name for path in build.sources(course.root)] == ["01_one.py"]
    with pytest.raises(AuthoringError, match="There is no lab 3"):
        build.sources(course.root, ["3"])
