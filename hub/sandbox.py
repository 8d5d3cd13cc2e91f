"""A view of the file system for a student's programs; no root needed.

Bubblewrap (https://github.com/containers/bubblewrap) shows them all of it read-only but for their
home and a /tmp of their own; the other homes, the hub's secrets, the solutions, the tests and the
git history are not there.
"""

import sys
from pathlib import Path

COURSE = Path(__file__).resolve().parents[1]
IN_MEMORY = 256 * 2**20  # bytes of files in /tmp, which lie in memory
# What would tell an answer: `.git` holds the history of all of it.
HIDDEN = ("solutions", "tests", "authoring", ".git", "hub/state")


def sandbox(home, state, shown=(), network=True):
    """Return the first words of a command that sees `home` and, read-only, the course.

    `state` is the folder of everything that the hub writes, which is hidden; `shown` are folders
    to be seen all the same. Without `network` the command reaches nothing, this machine included.
    """
    hidden = [str(path) for name in HIDDEN if (path := COURSE / name).is_dir()]
    # The home of whoever runs the hub has their keys and files.
    covered = list(dict.fromkeys([str(Path.home()), *hidden, str(state)]))
    words = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev"]
    for path in ("/tmp", "/dev/shm"):
        words += ["--size", str(IN_MEMORY), "--tmpfs", path]
    words += ["--tmpfs", covered[0]]
    for path in dict.fromkeys([sys.base_prefix, sys.prefix, str(COURSE)]):
        words += ["--ro-bind", path, path]
    for path in covered[1:]:
        words += ["--tmpfs", path]
    for path in shown:
        words += ["--ro-bind", str(path), str(path)]
    words += ["--bind", str(home), str(home), "--chdir", str(home)]
    for path in ["/dev", *covered]:  # else a file there would take memory
        words += ["--remount-ro", path]
    words += ["--cap-drop", "ALL"]  # started by root, a server could uncover what is hidden
    words += [] if network else ["--unshare-net"]
    return [*words, "--unshare-pid", "--proc", "/proc", "--die-with-parent", "--"]


def data_folder(value):
    """Return the folder that a value of COURSE_DATA names, in a list; empty if it names none."""
    path = Path(value or "")
    return [path] if path.is_absolute() and path.is_dir() else []
