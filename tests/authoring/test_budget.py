import os
import subprocess
import sys

import nbformat
import pytest

from authoring import budget
from authoring.errors import AuthoringError

README = f"# Labs\n\n{budget.BEGIN}\n{budget.END}\n\nThe end.\n"

MEASURED = """
# %% [markdown]
# # A lab with a result

# %%
import time
import numpy as np
time.sleep(0.5)

# %%
from helpers.checks.core import Lab
block = np.ones(40_000_000)
Lab("small").reached("test accuracy", 0.991, at_least=0.9)
del block
"""


def cost(**settings):
    settings = {"seconds": 10.0, "peak": 10**9, "cells": {0: 1.0, 3: 9.0}} | settings
    return budget.Cost("03_small", "A small lab", **settings)


def test_time_memory_and_result_are_measured(course):
    found = budget.measure(course.write(MEASURED))
    assert found.title == "A lab with a result"
    assert found.result == "test accuracy 0.991"
    assert 0.5 < found.cells[1] < 5
    assert found.seconds > sum(found.cells.values())
    assert 320e6 < found.peak < 1e9, "40 million doubles were resident for a while"
    assert not found.real


def test_peak_memory_is_a_peak():
    code = "x = bytearray(b'1') * 200_000_000; del x; print('ready', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        process.stdout.readline()
        assert 200e6 < budget.peak_memory(process.pid) < 300e6
        process.communicate(b"\n")


def test_without_proc_the_present_memory_is_taken(monkeypatch):
    def missing(*_):
        raise FileNotFoundError

    monkeypatch.setattr("pathlib.Path.read_text", missing)
    assert budget.peak_memory(os.getpid()) > 10e6


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seconds": 241.0}, "03_small takes 241 s; the limit is 240 s."),
        ({"cells": {0: 1.0, 3: 91.0}}, "03_small, cell 4 takes 91 s; the limit is 90 s."),
        ({"peak": 1_600_000_000}, "03_small needs 1.60 GB; the limit is 1.5 GB."),
    ],
)
def test_each_excess_is_named(settings, message):
    assert list(cost(**settings).excesses()) == [message]


def test_within_the_budget_nothing_is_named():
    assert list(cost(seconds=240.0, peak=1_500_000_000, cells={0: 90.0}).excesses()) == []


def test_the_table_is_written_between_its_marks():
    text = budget.merge(README, [cost(result="test accuracy 0.99", real=True)])
    row = (
        "| [03_small](labs/03_small.ipynb) | A small lab | 10 s | 1.00 GB "
        "| test accuracy 0.99 (real data) |"
    )
    assert text.startswith(f"# Labs\n\n{budget.BEGIN}\n| lab |")
    assert text.endswith(f"\n{row}\n{budget.END}\n\nThe end.\n")
    assert budget.merge(text, [cost(result="test accuracy 0.99", real=True)]) == text


def test_measuring_one_lab_keeps_the_rows_of_the_others():
    other = cost()
    other.name = "01_other"
    text = budget.merge(budget.merge(README, [cost(), other]), [cost(seconds=20.0)])
    rows = [line for line in text.split("\n") if line.startswith("| [")]
    assert [row.split("]")[0][3:] for row in rows] == ["01_other", "03_small"]
    assert "| 10 s |" in rows[0]
    assert "| 20 s |" in rows[1]


@pytest.mark.parametrize("readme", ["", budget.BEGIN, README + README])
def test_a_readme_without_its_marks_is_refused(readme):
    with pytest.raises(AuthoringError, match="needs one pair of marks"):
        budget.merge(readme, [cost()])


def test_the_command_writes_readme_and_fails_beyond_a_budget(course, monkeypatch, capsys):
    course.write(MEASURED)
    readme = course.root / "README.md"
    readme.write_text(README)
    assert budget.main([], root=course.root) == 0
    assert "test accuracy 0.991 (offline data) |" in readme.read_text()
    monkeypatch.setattr(budget, "PEAK_BYTES", 1e8)
    assert budget.main(["03"], root=course.root) == 1
    assert "the limit is 0.1 GB" in capsys.readouterr().err


def test_a_failing_lab_is_told_and_readme_stays(course, capsys):
    course.write("# %%\n1 / 0\n")
    readme = course.root / "README.md"
    readme.write_text(README)
    assert budget.main([], root=course.root) == 1
    assert "03_small.py, cell 1 failed" in capsys.readouterr().err
    assert readme.read_text() == README


def test_a_data_folder_that_is_not_there_is_refused(course, capsys):
    course.write()
    assert budget.main(["--data", str(course.root / "none")], root=course.root) == 1
    assert "There is no folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "real"),
    [
        ("MNIST: real data from the data folder /data/mnist.", True),
        ("Oxford pets: real photos from the cache /cache/oxford_pets.", True),
        ("MNIST: offline default made for this course, not the real data (...).", False),
    ],
)
def test_real_data_are_known_by_the_line_of_their_loader(line, real):
    output = nbformat.v4.new_output("stream", text=line)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[output])])
    assert budget.used_real_data(notebook) == real
