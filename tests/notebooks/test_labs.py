"""Every lab as handed out runs to its first check and stops there, *not attempted*."""

import nbformat
import pytest

from authoring import budget, build

SOURCES = build.sources()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_blank_lab_stops_at_its_first_check(path):
    lab = build.paths(path)[1]
    notebook = nbformat.read(lab, as_version=4)
    budget.run_blank(notebook, lab)

    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [output.text for output in shown if output.get("name") == "stderr"] == []
    assert sum(output.output_type == "error" for output in shown) == 1
