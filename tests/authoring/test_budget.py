import json
import os
import subprocess
import sys
from dataclasses import replace

import nbformat
import pytest

from authoring import budget, record
from authoring.errors import AuthoringError

MEASURED = """
# %% [markdown]
# # A lab with a result

# %%
import time
import numpy as np
time.sleep(0.5)

# %%
import base64
from IPython.display import Image
Image(base64.b64decode("iVBORw0KGgo="))

# %%
from helpers.checks.core import Lab
block = np.ones(40_000_000)
sum(np.sqrt(block).sum() for _ in range(10))

# %% tags=["exercise:answer"]
answer = None
### BEGIN SOLUTION
answer = 0.991
### END SOLUTION

# %% tags=["check:answer"]
Lab("small").reached("test accuracy", answer, at_least=0.9)

# %%
Lab("small").reached("error in nT", 6.25, at_most=7)
del block
"""

PLACE = {"backend": "tensorflow", "device": "CPU", "machine": "a machine", "software": "Keras 3"}


def run(**settings):
    settings = {"seconds": 10.0, "peak_bytes": 10**9, "slowest_cell": 4} | settings
    return record.Run("03_small", "A small lab", **settings)


@pytest.fixture
def tables(course):
    """A course whose pages have the marks of their tables."""
    for name, (mark, _) in record.TABLES.items():
        (course.root / name).write_text(
            f"# Labs\n\n<!-- {mark} -->\n<!-- /{mark} -->\n\nThe end.\n"
        )
    return course


@pytest.fixture
def main(tables, monkeypatch):
    """The command on a small course, without a look at the real surroundings."""
    monkeypatch.setattr(budget, "surroundings", lambda: dict(PLACE))
    return lambda *arguments: budget.main(arguments, root=tables.root)


def test_times_memory_and_results_are_measured(course):
    found = budget.measure(course.write(MEASURED), **PLACE)
    assert found.title == "A lab with a result"
    assert found.results == [
        {"name": "test accuracy", "value": 0.991, "bar": "at least 0.9"},
        {"name": "error in nT", "value": 6.25, "bar": "at most 7"},
    ]
    assert 0.5 < found.first_plot < found.seconds < 60
    assert found.slowest_seconds > 0.4
    assert found.cpu_seconds > found.slowest_cpu_seconds
    assert 320e6 < found.peak_bytes < 1e9, "40 million doubles were resident for a while"
    assert found.blank_seconds > 0.5
    assert found.blank_peak_bytes > 320e6
    assert (found.data, found.machine) == ("offline", "a machine")


def test_waiting_takes_no_cpu_time_and_computing_does():
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(""), nbformat.v4.new_code_cell("")]
    )
    meter = budget.Meter(notebook)
    meter(0, 0.0, os.getpid())
    sum(range(10_000_000))
    meter(1, 1.0, os.getpid())
    assert 0.1 < meter.cells[1][1] < 5
    before = meter.cpu_seconds
    meter(1, 1.0, os.getpid())
    assert meter.cpu_seconds - before < 0.1


def test_a_blank_that_stops_elsewhere_is_refused(course):
    lab = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")])
    with pytest.raises(AuthoringError, match="as handed out, cell 1 failed"):
        budget.run_blank(lab, course.write())


def test_a_blank_that_runs_past_its_check_is_refused(course):
    grade = {"nbgrader": {"grade": True}}
    lab = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", metadata=grade)])
    with pytest.raises(AuthoringError, match="runs past its first check"):
        budget.run_blank(lab, course.write())


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
    ("limit", "settings", "message"),
    [
        (budget.LIMIT, {"seconds": 241.0}, "takes 241 s; the limit is 240 s."),
        (budget.LIMIT, {"slowest_seconds": 91.0}, "cell 4 takes 91 s; the limit is 90 s."),
        (budget.LIMIT, {"peak_bytes": 1_600_000_000}, "needs 1.60 GB; the limit is 1.5 GB."),
        (budget.AIM, {"seconds": 151.0}, "takes 151 s; the aim is 150 s."),
        (budget.AIM, {"slowest_seconds": 61.0}, "cell 4 takes 61 s; the aim is 60 s."),
        (budget.AIM, {"first_plot": 3.1}, "shows its first plot after 3.1 s; the aim is 3 s."),
    ],
)
def test_each_excess_is_named(limit, settings, message):
    (sentence,) = limit.excesses(run(**settings))
    assert sentence.startswith("03_small")
    assert sentence.endswith(message)


def test_within_the_budget_nothing_is_named():
    on_the_edge = run(seconds=240.0, peak_bytes=1_500_000_000, slowest_seconds=90.0)
    assert list(budget.LIMIT.excesses_of_all([on_the_edge] * 7)) == []
    within_the_aim = run(seconds=150.0, slowest_seconds=60.0, first_plot=3.0)
    assert list(budget.AIM.excesses_of_all([within_the_aim] * 8)) == []
    assert list(budget.AIM.excesses(run(first_plot=None))) == []


def test_all_labs_together_have_a_limit():
    assert list(budget.LIMIT.excesses_of_all([run(seconds=240.0)] * 8)) == [
        "All labs take 1920 s; the limit is 1800 s."
    ]


def test_the_command_records_each_lab_and_fails_beyond_a_limit(main, tables, monkeypatch, capsys):
    tables.write(MEASURED)
    assert main() == 0
    assert "error in nT 6.25 |" in (tables.root / "README.md").read_text()
    assert (
        "| test accuracy | at least 0.9 | 0.991 |"
        in (tables.root / "solutions/README.md").read_text()
    )
    (entry,) = json.loads(record.path(tables.root).read_text())
    assert entry["lab"] == "03_small"
    assert entry["peak_bytes"] > 320e6
    assert "exceeded" not in capsys.readouterr().out

    monkeypatch.setattr(budget, "LIMIT", replace(budget.LIMIT, memory=1e8))
    monkeypatch.setattr(budget, "AIM", replace(budget.AIM, lab=0.1))
    assert main("03") == 1
    told = capsys.readouterr().out
    assert "Aims missed:\n03_small takes " in told
    assert "Limits exceeded:\n03_small needs " in told
    assert "the limit is 0.1 GB" in told


def test_there_are_no_limits_on_a_gpu(main, tables, monkeypatch, capsys):
    tables.write(MEASURED)
    monkeypatch.setattr(budget, "surroundings", lambda: PLACE | {"device": "GPU"})
    monkeypatch.setattr(budget, "LIMIT", replace(budget.LIMIT, memory=1e8))
    assert main() == 0
    assert "the limit is 0.1 GB" in capsys.readouterr().out, "but it is told"


def test_a_failing_lab_is_told_and_the_others_are_measured(main, tables, capsys):
    tables.write("# %%\n1 / 0\n", name="01_broken")
    tables.write(MEASURED)
    assert main() == 1
    assert "01_broken.py, cell 1 failed" in capsys.readouterr().err
    assert [run.lab for run in record.read(tables.root)] == ["03_small"]


def test_a_page_without_marks_is_told_before_anything_runs(main, tables, capsys):
    tables.write(MEASURED)
    (tables.root / "README.md").write_text("# Labs\n")
    assert main() == 1
    assert "README.md needs one pair of marks" in capsys.readouterr().err
    assert not record.path(tables.root).exists()


def test_a_data_folder_that_is_not_there_is_refused(main, tables, capsys):
    tables.write()
    assert main("--data", str(tables.root / "none")) == 1
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


def test_the_surroundings_are_those_of_the_labs():
    import keras

    found = budget.surroundings()
    assert found["backend"] == keras.backend.backend()
    assert found["device"] in ("CPU", "GPU")
    assert f"Keras {keras.__version__}" in found["software"]
    assert " core" in found["machine"]


def test_a_backend_that_does_not_load_is_told(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "abacus")
    with pytest.raises(AuthoringError, match="abacus"):
        budget.surroundings()
