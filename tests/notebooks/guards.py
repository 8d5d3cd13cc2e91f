"""A pytest plugin that makes nbval notice sooner, and more, of what goes wrong.

Loaded with `-p guards` in the processes that test_solutions.py starts.
"""

import time
from queue import Empty

import nbval.kernel
import nbval.plugin
import pytest

from authoring.kernel import start_lock

_start_new_kernel = nbval.kernel.start_new_kernel
_run_cell = nbval.plugin.IPyNbCell.runtest


def start_new_kernel(*arguments, **settings):
    """One start at a time, for two may choose the same port; and one more try when it fails."""
    with start_lock():
        try:
            return _start_new_kernel(*arguments, **settings)
        except RuntimeError:
            return _start_new_kernel(*arguments, **settings)


def await_reply(self, msg_id, timeout=None):
    """As nbval's own, but a kernel that died is noticed at once and not when time runs out."""
    deadline = time.monotonic() + (timeout or float("inf"))
    while time.monotonic() < deadline:
        try:
            message = self.get_message(stream="shell", timeout=1)
        except Empty:
            if not self.is_alive():
                pytest.exit("The kernel died (was there enough memory?).", returncode=3)
            continue
        if message["parent_header"].get("msg_id") == msg_id:
            return
    raise Empty


def runtest(self):
    """As nbval's own, but a cell that writes to stderr fails: no notebook shows a warning."""
    _run_cell(self)
    noise = [output.text for output in self.test_outputs if output.get("name") == "stderr"]
    if noise:
        self.raise_cell_error("The cell writes to stderr.", "".join(noise))


nbval.kernel.start_new_kernel = start_new_kernel
nbval.kernel.RunningKernel.await_reply = await_reply
nbval.plugin.IPyNbCell.runtest = runtest
