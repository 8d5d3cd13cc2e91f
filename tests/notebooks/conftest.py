"""What the tests of notebooks share."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from authoring import build
from authoring.kernel import CELL_TIMEOUT, ROOT, clean_environment

SOURCES = build.sources()  # an error, not an empty list, when there is none
EARLIER = [path for path in SOURCES if path.name < "07"]
LATER = [path for path in SOURCES if path not in EARLIER]


@pytest.fixture
def nbval():
    """Runs a notebook with nbval in a process of its own; returns its exit status and output.

    Its report goes to the folder that the variable REPORTS names.
    """

    def run(notebook, cell_timeout=CELL_TIMEOUT):
        # fmt: off
        command = [
            sys.executable, "-m", "pytest", "-x", "-q", "--color=no", "--no-header",
            "-p", "guards", "-p", "no:cacheprovider", "--timeout=0",
            "--nbval-lax", "--nbval-current-env", f"--nbval-cell-timeout={cell_timeout}",
            str(notebook),
        ]
        # fmt: on
        if os.environ.get("REPORTS"):
            command.append(f"--junitxml={os.environ['REPORTS']}/{Path(notebook).stem}.xml")
        with clean_environment() as environment:
            environment["PYTHONPATH"] += os.pathsep + str(Path(__file__).parent)
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
        return done.returncode, done.stdout

    return run


@pytest.fixture
def runs_offline(nbval, tmp_path):
    """Runs the solution of a source and compares what its cells ask for; fails where they differ.

    It runs in a folder of its own, as in a student's home: nothing lies beside it.
    """

    def run(path):
        notebook = shutil.copy(build.paths(path)[0], tmp_path)
        cells = [cell for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "code"]
        status, output = nbval(notebook)
        assert status == 0, output
        assert f"{len(cells)} passed" in output, output

    return run
