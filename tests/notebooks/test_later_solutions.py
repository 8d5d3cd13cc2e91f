"""The later labs' solutions run, top to bottom."""

import pytest

from tests.notebooks.conftest import LATER


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("path", LATER, ids=lambda path: path.stem)
def test_solution_runs_offline(path, runs_offline):
    runs_offline(path)
