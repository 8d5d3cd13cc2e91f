"""What the tests of notebooks share."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from authoring.kernel import ROOT, clean_environment


@pytest.fixture
def nbval():
    """Runs a notebook with nbval in a process of its own; returns its exit status and output."""

    def run(notebook, cell_timeout=300):
        # fmt: off
        command = [
            sys.executable, "-m", "pytest", "-x", "-q", "--color=no", "--no-header",
            "-p", "guards", "-p", "no:cacheprovider", "--timeout=0",
            "--nbval-lax", "--nbval-current-env", f"--nbval-cell-timeout={cell_timeout}",
            str(notebook),
        ]
        # fmt: on
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
