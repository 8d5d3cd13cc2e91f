"""Every solution runs, top to bottom, and shows what is stored where its cells ask for that."""

import nbformat
import pytest

from authoring import build, kernel, source
from authoring.budget import used_real_data

SOURCES = build.sources()  # an error, not an empty list, when there is none

# Labs that also run on real data, and the folder that must be there for it.
REAL = {
    "01": "mnist",
    "02": "mnist",
    "03": "mnist",
    "04": "mnist",
    "05": "hymenoptera",
    "06": "oxford_pets",
    "07": "har",
}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_notebooks_are_what_the_source_builds(path):
    assert build.drift(path) == [], f"mend it with: make build LAB={path.name[:2]}"


def test_no_notebook_is_without_a_source():
    assert build.orphans(kernel.ROOT) == []


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_solution_runs_offline(path, nbval):
    notebook = build.paths(path)[0]
    cells = [cell for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "code"]
    status, output = nbval(notebook)
    assert status == 0, output
    assert f"{len(cells)} passed" in output, output


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("number", REAL)
def test_solution_runs_on_real_data(number, real_data):
    if not (real_data / REAL[number]).is_dir():
        pytest.skip(f"{real_data} has no folder {REAL[number]}")
    (path,) = build.sources(numbers=[number])
    notebook = source.read(path)
    kernel.run(notebook, path.parent, data=real_data)
    build.refuse_noise(notebook, path.name)
    assert used_real_data(notebook)
