"""Every solution runs, top to bottom, and shows what is stored where its cells ask for that."""

import shutil

import nbformat
import pytest

from authoring import build, kernel

SOURCES = build.sources()  # an error, not an empty list, when there is none


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_notebooks_are_what_the_source_builds(path):
    assert build.drift(path) == [], f"mend it with: make build LAB={path.name[:2]}"


def test_no_notebook_is_without_a_source():
    assert build.orphans(kernel.ROOT) == []


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_solution_runs_offline(path, nbval, tmp_path):
    # From a folder of its own, as in a student's home: nothing lies beside it.
    notebook = shutil.copy(build.paths(path)[0], tmp_path)
    cells = [cell for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "code"]
    status, output = nbval(notebook)
    assert status == 0, output
    assert f"{len(cells)} passed" in output, output
