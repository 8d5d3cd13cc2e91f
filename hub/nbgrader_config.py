"""How nbgrader marks the labs: hub/grading.py runs it in this folder, so it reads this file."""

from nbgrader.converters import Autograde
from nbgrader.preprocessors import OverwriteCells

from authoring.blank import STUB

c = get_config()  # noqa: F821


class MendCells(OverwriteCells):
    """Puts the checks of a submission right, where nbgrader 0.9 would refuse all of it."""

    def preprocess_cell(self, cell, resources, cell_index):
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        # The earlier copy of a cell, or one from another lab: an ordinary cell from here on.
        if not cell.metadata.get("nbgrader", {}).get("grade_id"):
            cell.metadata.pop("nbgrader", None)
        return cell, resources

    def add_missing_grade_cells(self, nb, resources):
        try:
            return super().add_missing_grade_cells(nb, resources)
        except KeyError:  # its place is found by the exercise before it, which is gone, too
            return nb, resources


c.Autograde.sanitize_preprocessors = [
    MendCells if step is OverwriteCells else step
    for step in Autograde.class_traits()["sanitize_preprocessors"].default()
]
# A check that a student has deleted is put back, so that the answer still counts.
c.MendCells.add_missing_cells = True
c.ClearSolutions.code_stub = {"python": STUB}
# Unix sockets: the sandbox of a submission has no network.
c.KernelManager.transport = "ipc"
