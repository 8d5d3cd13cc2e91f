"""Stored notebooks are what their sources build; the first labs' solutions run, top to bottom.

The later labs' are in a file of their own: `make test` gives each file to one of two workers.
"""

import pytest

from authoring import build, kernel
from tests.notebooks.conftest import EARLIER, SOURCES


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_notebooks_are_what_the_source_builds(path):
    assert build.drift(path) == [], f"mend it with: make build LAB={path.name[:2]}"


def test_no_notebook_is_without_a_source():
    assert build.orphans(kernel.ROOT) == []


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("path", EARLIER, ids=lambda path: path.stem)
def test_solution_runs_offline(path, runs_offline):
    runs_offline(path)
