"""Reads a lab's source, `solutions/NN_name.py`, into the notebook that instructors run.

The source is in Jupytext's percent format. Two short tags mark what nbgrader needs to know:

    # %% tags=["exercise:convolve"]        an answer, between the marks of a solution
    # %% tags=["check:convolve:2"]         the check of it, worth two points (one if not said)
"""

import re
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.nbgraderformat import MetadataValidator

from authoring.errors import AuthoringError

BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"

# Tags that nbval and Jupyter understand, kept as they are.
PLAIN_TAGS = {"nbval-check-output", "nbval-skip", "raises-exception"}

# What Jupytext notes for itself about the blank lines around a cell.
JUPYTEXT_NOTES = {"lines_to_next_cell", "lines_to_end_of_cell_marker", "cell_marker"}

# Written here rather than taken from the kernel, so that a build is the same on every Python.
NOTEBOOK_METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}


@dataclass(frozen=True)
class Mark:
    """What a tag says of its cell: its role (`exercise` or `check`), its ID and its points."""

    role: str
    name: str
    points: float = 0

    @property
    def grade_id(self):
        return self.name if self.role == "exercise" else f"check-{self.name}"

    def metadata(self):
        """nbgrader's metadata of the cell, schema version 3."""
        check = self.role == "check"
        metadata = {
            "schema_version": 3,
            "grade_id": self.grade_id,
            "grade": check,
            "solution": not check,
            "locked": check,
            "task": False,
        }
        return metadata | ({"points": self.points} if check else {})


def read(path):
    """The notebook, without outputs, that a source file describes.

    Raises AuthoringError when a tag is unknown, an exercise and its check do not belong together,
    an ID is used twice or a mark of a solution is missing.
    """
    path = Path(path)
    try:
        parsed = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent")
    except (ValueError, SyntaxError) as error:
        raise AuthoringError(f"{path.name}: Jupytext cannot read it: {error}") from None
    if not parsed.cells:
        raise AuthoringError(f"{path.name} has no cells: begin each one with `# %%`.")

    lab = path.stem.split("_")[0]
    cells, marks = [], []
    for number, cell in enumerate(parsed.cells, start=1):
        where = f"{path.name}, cell {number}"
        mark, tags = _read_tags(cell, where)
        _check_marks_of_solution(cell, mark, where)
        metadata = {"tags": tags} if tags else {}
        if mark:
            marks.append((mark, where))
            metadata["nbgrader"] = mark.metadata()
        new_cell = new_code_cell if cell.cell_type == "code" else new_markdown_cell
        # Jupytext draws ids at random; these stay, so that built files compare equal.
        name = mark.grade_id if mark else f"lab{lab}-{number:03d}"
        cells.append(new_cell(cell.source, id=name, metadata=metadata))

    _check_pairs(marks, path.name)
    notebook = new_notebook(cells=cells, metadata=NOTEBOOK_METADATA, nbformat_minor=5)
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    return notebook


def _read_tags(cell, where):
    if cell.cell_type not in ("code", "markdown"):
        raise AuthoringError(f"{where} is a {cell.cell_type} cell; use code or markdown.")
    if not cell.source.strip():
        raise AuthoringError(f"{where} is empty; delete it.")
    strange = set(cell.metadata) - {"tags"} - JUPYTEXT_NOTES
    if strange:
        raise AuthoringError(
            f"{where}: cannot read {sorted(strange)} on its `# %%` line; "
            'only tags=["..."] may stand there.'
        )
    tags = cell.metadata.get("tags", [])
    marks = [_read_mark(tag, where) for tag in tags if tag not in PLAIN_TAGS]
    if len(marks) > 1:
        raise AuthoringError(f"{where} has {len(marks)} exercise or check tags; one cell, one tag.")
    if marks and cell.cell_type != "code":
        raise AuthoringError(f"{where}: an exercise or a check must be a code cell.")
    return (marks[0] if marks else None), [tag for tag in tags if tag in PLAIN_TAGS]


def _read_mark(tag, where):
    match = re.fullmatch(r"(exercise|check):([A-Za-z][\w-]{0,50})(?::(\d+(?:\.\d+)?))?", tag, re.A)
    if not match or (match[1] == "exercise" and match[3]):
        raise AuthoringError(
            f'{where}: unknown tag "{tag}"; known are exercise:ID, check:ID, check:ID:POINTS, '
            + ", ".join(sorted(PLAIN_TAGS))
            + "."
        )
    role, name, points = match.groups()
    if role == "exercise":
        return Mark(role, name)
    points = float(points or 1)
    return Mark(role, name, int(points) if points.is_integer() else points)


def _check_marks_of_solution(cell, mark, where):
    """nbgrader looks for the words anywhere in a line; a typing error there would give it away."""
    found = [line.strip() for line in cell.source.split("\n") if re.search(r"\w+ SOLUTION\b", line)]
    if not mark or mark.role != "exercise":
        if any("BEGIN SOLUTION" in line or "END SOLUTION" in line for line in found):
            raise AuthoringError(f'{where} has the mark of a solution but no "exercise:ID" tag.')
        return
    if not found:
        raise AuthoringError(f"{where}: wrap the answer in `{BEGIN}` and `{END}`.")
    if found != [BEGIN, END] * (len(found) // 2):
        raise AuthoringError(
            f"{where}: marks of a solution come in pairs, each alone on its line: "
            f"`{BEGIN}`, then `{END}`; found {', '.join(found)}."
        )


def _check_pairs(marks, filename):
    places = {}
    for mark, where in marks:
        if mark.grade_id in places:
            raise AuthoringError(
                f'{where}: the ID "{mark.grade_id}" is already taken by {places[mark.grade_id]}; '
                "each ID names one cell."
            )
        places[mark.grade_id] = where

    open_exercise = None
    for mark, where in marks:
        if mark.role == "exercise":
            if open_exercise:
                break
            open_exercise = mark
        elif open_exercise is None or open_exercise.name != mark.name:
            raise AuthoringError(
                f'{where}: check "{mark.name}" does not follow an exercise "{mark.name}".'
            )
        else:
            open_exercise = None
    if open_exercise:
        raise AuthoringError(
            f'{filename}: exercise "{open_exercise.name}" has no check after it; '
            f'tag a cell with "check:{open_exercise.name}".'
        )
