"""Runs a notebook in a fresh kernel of this Python, offline and without the user's settings."""

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
import time
from pathlib import Path

from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from traitlets import default

from authoring import no_network
from authoring.errors import AuthoringError

ROOT = Path(__file__).resolve().parent.parent
CELL_TIMEOUT = 600  # seconds; a training cell may take 90 on two cores, a shared machine is slower


class CellFailed(AuthoringError):
    """A cell raised an error (`ename`), ran out of time or took the kernel with it.

    `index` is the cell's place in the notebook, from zero; `ename` the name of its error.
    """

    def __init__(self, message, index, ename):
        super().__init__(message)
        self.index = index
        self.ename = ename


class _KernelManager(AsyncKernelManager):
    """Starts this very interpreter, whatever kernels the user has installed."""

    @default("kernel_spec_manager")
    def _own_kernel_only(self):
        return KernelSpecManager(kernel_dirs=[])


@contextlib.contextmanager
def clean_environment(data="offline"):
    """Environment variables of a kernel, with a profile of its own that blocks the network.

    `data` is what COURSE_DATA says: a folder of data sets or the word `offline`.
    """
    with tempfile.TemporaryDirectory(prefix="ipython-") as folder:
        startup = Path(folder, "profile_default", "startup")
        startup.mkdir(parents=True)
        shutil.copy(no_network.__file__, startup / "00_no_network.py")
        if data != "offline":
            data = str(Path(data).resolve())  # a kernel runs in the notebook's folder, not in ours
        python_path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        settings = {"CI": "true", "COURSE_DATA": data, "IPYTHONDIR": folder}
        settings["PYTHONPATH"] = os.pathsep.join(python_path)
        yield {**os.environ, **settings}


@contextlib.contextmanager
def start_lock():
    """Held while a kernel starts: two that start at once may choose the same port."""
    lock = Path(tempfile.gettempdir(), f"deep-learning-labs-{os.getuid()}.lock")
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run(notebook, folder, *, data="offline", timeout=CELL_TIMEOUT, after_cell=None):
    """Execute a notebook in place, top to bottom, in a fresh kernel whose folder is `folder`.

    `after_cell(index, seconds, pid)` is called after every code cell with its wall time and the
    kernel's process. Raises CellFailed at the first error; outputs up to there are in `notebook`.
    """
    state = {"index": 0, "start": 0.0}

    def before(cell, cell_index):
        state.update(index=cell_index, start=time.perf_counter())

    def after(cell, cell_index, execute_reply):
        if after_cell:
            after_cell(cell_index, time.perf_counter() - state["start"], client.km.provisioner.pid)

    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        kernel_manager_class=_KernelManager,
        shutdown_kernel="immediate",  # a polite end now and then takes seconds
        iopub_timeout=60,
        raise_on_iopub_timeout=True,  # an output that got lost is an error, not a gap in a notebook
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        on_cell_execute=before,
        on_cell_executed=after,
    )
    client.log.disabled = True  # what goes wrong is told once, by CellFailed
    metadata = dict(notebook.metadata)
    with clean_environment(data) as environment, tempfile.TemporaryFile() as log:
        _start(client, cwd=str(folder), env=environment, stdout=log, stderr=log)
        try:
            client.execute()
        except CellExecutionError as error:
            raise _failed(notebook, state["index"], error.ename, error) from None
        except CellTimeoutError:
            message = f"still running after {timeout} seconds"
            raise _failed(notebook, state["index"], "TimeoutError", message) from None
        except DeadKernelError:
            message = f"the kernel died (was there enough memory?){_tail(log)}"
            raise _failed(notebook, state["index"], "DeadKernelError", message) from None
        finally:
            notebook.metadata.clear()
            notebook.metadata.update(metadata)  # nbclient notes the Python's version; we do not


def _start(client, **process):
    for attempt in ("first", "last"):
        with start_lock():
            client.km = client.create_kernel_manager()
            try:
                client.start_new_kernel(**process)
                client.start_new_kernel_client()
                return
            except RuntimeError as error:
                if attempt == "last":
                    raise AuthoringError(f"No kernel could be started: {error}") from None


def _tail(log, lines=5):
    """The last lines that the kernel's process wrote for itself, each on a line of its own."""
    log.seek(0)
    text = log.read().decode(errors="replace").strip()
    told = [line for line in text.split("\n") if line and not line.startswith("[IPKernelApp]")]
    return "".join(f"\n{line}" for line in told[-lines:])


def _failed(notebook, index, ename, what):
    """One short message: which cell, which line of it, which error."""
    source = notebook.cells[index].source
    line = source.strip().split("\n")[0]
    if isinstance(what, CellExecutionError):
        plain = re.sub(r"\x1b\[[0-9;]*m", "", what.traceback)
        # The line of the cell that IPython points at.
        arrow = re.search(r"Cell In\[.*?^-+> ?\d+ (.+?)$", plain, re.MULTILINE | re.DOTALL)
        line = arrow[1] if arrow else line
        what = f"{what.ename}: {what.evalue}" if what.evalue else what.ename
    return CellFailed(f"cell {index + 1} failed at `{line.strip()}`\n{what}", index, ename)
