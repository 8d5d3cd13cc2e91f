import re
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from authoring import kernel
from authoring.errors import AuthoringError
from authoring.source import NOTEBOOK_METADATA


def run(source, folder, **settings):
    notebook = new_notebook(cells=[new_code_cell(source)], metadata=NOTEBOOK_METADATA)
    kernel.run(notebook, folder, **settings)
    return notebook.cells[0].outputs[0].text


def test_the_kernel_is_this_python(tmp_path):
    import sys

    assert run("import sys; print(sys.executable)", tmp_path).strip() == sys.executable


def test_the_kernel_is_offline_quiet_and_without_the_users_settings(tmp_path, monkeypatch):
    profile = tmp_path / "profile_default" / "startup"
    profile.mkdir(parents=True)
    (profile / "mine.py").write_text("mine = 1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("COURSE_DATA", "/elsewhere")
    source = "import os; print(os.environ['COURSE_DATA'], os.environ['CI'], 'mine' in globals())"
    assert run(source, tmp_path) == "offline true False\n"


def test_tensorflow_uses_onednn_on_every_processor(tmp_path, monkeypatch):
    source = "import os; print(os.environ['TF_ENABLE_ONEDNN_OPTS'])"
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    assert run(source, tmp_path) == "1\n"
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert run(source, tmp_path) == "0\n", "whoever sets it knows why"


def test_a_relative_data_folder_is_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "solutions").mkdir()
    shown = run("import os; print(os.environ['COURSE_DATA'])", tmp_path / "solutions", data="data")
    assert Path(shown.strip()) == (tmp_path / "data").resolve()


def test_a_cell_out_of_time_is_named(tmp_path):
    with pytest.raises(kernel.CellFailed, match="still running after 1 seconds") as stop:
        run("import time\ntime.sleep(60)", tmp_path, timeout=1)
    assert stop.value.ename == "TimeoutError"


def test_what_a_dying_kernel_says_is_passed_on(tmp_path):
    source = "import os\nos.write(2, b'last words')\nos._exit(1)"
    with pytest.raises(kernel.CellFailed, match=r"the kernel died.*\nlast words$"):
        run(source, tmp_path)


def test_one_failed_start_is_tried_again(tmp_path, monkeypatch):
    start, calls = kernel.NotebookClient.start_new_kernel_client, []

    def once_in_vain(client):
        calls.append(client)
        if len(calls) == 1:
            client._cleanup_kernel()
            raise RuntimeError("Kernel died before replying to kernel_info")
        return start(client)

    monkeypatch.setattr(kernel.NotebookClient, "start_new_kernel_client", once_in_vain)
    assert run("print('up')", tmp_path) == "up\n"
    assert len(calls) == 2


def test_two_failed_starts_are_an_error(tmp_path, monkeypatch):
    def in_vain(client):
        client._cleanup_kernel()
        raise RuntimeError("no answer")

    monkeypatch.setattr(kernel.NotebookClient, "start_new_kernel_client", in_vain)
    with pytest.raises(AuthoringError, match=re.escape("No kernel could be started: no answer")):
        run("print('up')", tmp_path)
