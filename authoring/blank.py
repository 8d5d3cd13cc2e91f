"""Makes the lab that students open from the notebook that instructors run.

nbgrader's own preprocessors do it, in the order of `nbgrader generate_assignment`; only the step
that writes to a gradebook is left out, so that no database is needed.
"""

import copy
import warnings

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import SaveCells
from traitlets.config import Config

from authoring.errors import AuthoringError

STUB = "...  # your code here"


def blank(solution, name):
    """A copy of a solution notebook with answers, hidden tests and outputs taken out.

    Raises AuthoringError when nbgrader refuses the notebook or a cell no longer compiles.
    """
    lab, resources = copy.deepcopy(solution), {}
    config = Config({"ClearSolutions": {"code_stub": {"python": STUB}}})
    try:
        for step in GenerateAssignment.class_traits()["preprocessors"].default():
            if step is not SaveCells:
                lab, resources = step(config=config)(lab, resources)
    except RuntimeError as error:
        raise AuthoringError(f"{name}: nbgrader refuses it: {error}") from None
    nbformat.validate(lab)
    for number, cell in enumerate(lab.cells, start=1):
        if cell.cell_type == "code":
            _check_compiles(cell.source, f"{name}, cell {number}, as handed out")
    return lab


def _check_compiles(source, where):
    """Compiling finds more than parsing does: `return` left outside its function, for one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", SyntaxWarning)
            compile(TransformerManager().transform_cell(source), "cell", "exec", dont_inherit=True)
    except SyntaxError as error:
        raise AuthoringError(
            f"{where}: line {error.lineno} does not compile: {error.msg}\n{source}"
        ) from None
