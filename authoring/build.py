"""Builds a lab's two notebooks from its one source.

    python -m authoring.build            all labs
    python -m authoring.build 03 04      some of them
    python -m authoring.build --check    nothing is written or run: are the stored ones up to date?

`solutions/NN_name.py` becomes `solutions/NN_name.ipynb`, executed, with outputs, for instructors,
and `labs/NN_name.ipynb`, blank, for students.
"""

import argparse
import copy
import os
import sys
import tempfile
from pathlib import Path

import nbformat

from authoring import kernel, source
from authoring.blank import blank
from authoring.errors import AuthoringError


def sources(root=kernel.ROOT, numbers=()):
    """Paths of the labs' sources, in order; `numbers` such as "03" choose some of them.

    Raises AuthoringError when there is none, or none with a number asked for.
    """
    found = sorted(Path(root, "solutions").glob("[0-9][0-9]_*.py"))
    if not found:
        raise AuthoringError(f"No sources named NN_name.py in {Path(root, 'solutions')}.")
    for number in numbers:
        if not any(path.name.startswith(f"{number}_") for path in found):
            known = ", ".join(path.name[:2] for path in found)
            raise AuthoringError(f"There is no lab {number}; there are {known}.")
    return [path for path in found if not numbers or path.name[:2] in numbers]


def paths(path):
    """Where the two notebooks of a source are kept: (solution, lab)."""
    lab = path.parent.parent / "labs" / f"{path.stem}.ipynb"
    return path.with_suffix(".ipynb"), lab


def build(path):
    """Write both notebooks of a source; when anything fails the old ones stay as they are."""
    solution = source.read(path)
    lab = blank(solution, path.name)
    try:
        kernel.run(solution, path.parent)
    except kernel.CellFailed as error:
        raise AuthoringError(f"{path.name}, {error}") from None
    refuse_noise(solution, path.name)
    for target, notebook in zip(paths(path), (solution, lab), strict=True):
        target.parent.mkdir(exist_ok=True)
        replace_text(target, dumps(notebook))


def drift(path):
    """Sentences, one for each way in which the stored notebooks are not what the source builds.

    Outputs are not compared; but a solution must have been executed, top to bottom, in silence.
    """
    solution = source.read(path)
    solution_path, lab_path = paths(path)
    faults = []
    if not lab_path.is_file():
        faults.append(f"labs/{lab_path.name} is missing")
    elif lab_path.read_text(encoding="utf-8") != dumps(blank(solution, path.name)):
        faults.append(f"labs/{lab_path.name} is not what its source builds")
    if not solution_path.is_file():
        return [*faults, f"solutions/{solution_path.name} is missing"]

    try:
        stored = nbformat.reads(solution_path.read_text(encoding="utf-8"), as_version=4)
    except nbformat.reader.NotJSONError:
        return [*faults, f"solutions/{solution_path.name} is not a notebook"]
    if dumps(without_outputs(stored)) != dumps(solution):
        faults.append(f"solutions/{solution_path.name} is not what its source builds")
    elif dumps(stored) != solution_path.read_text(encoding="utf-8"):
        faults.append(f"solutions/{solution_path.name} was written by another program")
    counts = [cell.execution_count for cell in stored.cells if cell.cell_type == "code"]
    if counts != list(range(1, len(counts) + 1)):
        faults.append(f"solutions/{solution_path.name} was not executed top to bottom")
    try:
        refuse_noise(stored, solution_path.name)
    except AuthoringError as error:
        faults.append(str(error))
    return faults


def orphans(root):
    """Names of notebooks in labs/ and solutions/ that no source builds."""
    known = {path.stem for path in Path(root, "solutions").glob("[0-9][0-9]_*.py")}
    built = [*Path(root, "labs").glob("*.ipynb"), *Path(root, "solutions").glob("*.ipynb")]
    return sorted(f"{path.parent.name}/{path.name}" for path in built if path.stem not in known)


def refuse_noise(notebook, name):
    """Raise AuthoringError when a stored output is an error, a warning or a log line."""
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            allowed = "raises-exception" in cell.metadata.get("tags", [])
            if output.output_type == "error" and not allowed:
                raise AuthoringError(f"{name}, cell {number} stores the error {output.ename}")
            # TensorFlow logs to stdout in a notebook.
            if output.get("name") == "stderr" or "WARNING:tensorflow" in output.get("text", ""):
                raise AuthoringError(
                    f"{name}, cell {number} writes a warning or a log line:\n{output.text.strip()}"
                )


def without_outputs(notebook):
    """A copy as it was before it was executed."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def dumps(notebook):
    """The text of a notebook file, the same as nbgrader's exporter writes."""
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"


def replace_text(path, text):
    """Write a text file beside the old one, then take its place in one step."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def main(arguments=None, root=kernel.ROOT):
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m authoring.build", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("labs", nargs="*", metavar="NN", help="numbers of labs; all if none")
    parser.add_argument("--check", action="store_true", help="only compare, without running")
    options = parser.parse_args(arguments)
    try:
        chosen = sources(root, options.labs)
    except AuthoringError as error:
        print(error, file=sys.stderr)
        return 1

    failed = False
    for path in chosen:
        try:
            if not options.check:
                print(f"{path.stem}: running", flush=True)
                build(path)
                print(f"{path.stem}: built")
            elif faults := drift(path):
                failed = True
                print("\n".join(faults), file=sys.stderr)
                print(f"Mend it with: make build LAB={path.name[:2]}", file=sys.stderr)
        except AuthoringError as error:
            failed = True
            print(error, file=sys.stderr)
    if options.check and not options.labs:
        for name in orphans(root):
            failed = True
            print(f"{name} has no source: delete it or rename its source", file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
