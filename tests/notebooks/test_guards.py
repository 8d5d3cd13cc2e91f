"""The guards catch what they are for, on notebooks made to fail."""

import time

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from authoring import kernel
from authoring.source import NOTEBOOK_METADATA

OUTSIDE = "192.0.2.1"  # an address set aside for examples; nothing is there


def notebook(*cells):
    return new_notebook(cells=list(cells), metadata=NOTEBOOK_METADATA)


@pytest.fixture
def run(nbval, tmp_path):
    """Write a notebook of these code cells and run it with nbval."""

    def run(*cells, **settings):
        path = tmp_path / "made.ipynb"
        nbformat.write(notebook(*cells), path)
        return nbval(path, **settings)

    return run


def executed(source, text, **metadata):
    output = new_output("stream", name="stdout", text=text)
    return new_code_cell(source, outputs=[output], execution_count=1, metadata=metadata)


def test_a_good_notebook_passes(run):
    status, output = run(executed("print('a')", "a\n", tags=["nbval-check-output"]))
    assert status == 0, output


def test_another_output_than_the_stored_one_fails(run):
    status, output = run(executed("print('b')", "a\n", tags=["nbval-check-output"]))
    assert status == 1
    assert "outputs differ" in output


def test_outputs_of_untagged_cells_may_differ(run):
    assert run(executed("print('b')", "a\n"))[0] == 0


def test_an_error_stops_the_notebook_and_is_shown(run):
    status, output = run(new_code_cell("1 / 0"), new_code_cell("print('after')"))
    assert status == 1
    assert "ZeroDivisionError" in output
    assert "1 failed" in output
    assert "passed" not in output


def test_a_warning_fails(run):
    status, output = run(new_code_cell("import warnings; warnings.warn('old way')"))
    assert status == 1
    assert "old way" in output


def test_a_dead_kernel_is_noticed_long_before_the_time_out(run):
    start = time.monotonic()
    status, output = run(new_code_cell("import os; os._exit(9)"))
    assert status == 3
    assert "kernel died" in output
    assert time.monotonic() - start < 30


def test_a_cell_that_never_ends_times_out(run):
    status, output = run(new_code_cell("while True: pass"), cell_timeout=2)
    assert status == 1
    assert "Timeout" in output


@pytest.mark.parametrize(
    "source",
    [
        f"import urllib.request; urllib.request.urlopen('http://{OUTSIDE}/', timeout=5)",
        f"import socket; socket.create_connection(('{OUTSIDE}', 80), timeout=5)",
        f"import socket; socket.socket().connect_ex(('{OUTSIDE}', 80))",
    ],
)
def test_the_network_is_blocked_in_a_kernel(source, tmp_path):
    with pytest.raises(kernel.CellFailed, match="No network here"):
        kernel.run(notebook(new_code_cell(source)), tmp_path)


def test_the_network_is_blocked_in_nbval(run):
    status, output = run(
        new_code_cell(f"import socket; socket.socket().connect(('{OUTSIDE}', 80))")
    )
    assert status == 1
    assert "No network here" in output


def test_a_kernel_reaches_its_own_machine(tmp_path):
    source = """
import socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
client.close()
server.close()
"""
    kernel.run(notebook(new_code_cell(source)), tmp_path)
