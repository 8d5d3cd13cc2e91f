"""Report on the computer and the installation: `python -m helpers.environment`.

It must run where things are missing, hence it imports nothing at its top but the standard library,
and keeps to syntax that a too old Python can read.
"""

import importlib
import os
import platform
import re
import sys
import textwrap
from pathlib import Path

COURSE = Path(__file__).resolve().parent.parent
PYTHON_FROM, PYTHON_BELOW = (3, 11), (3, 14)
INSTALL = "python -m pip install --requirement requirements.txt (in the folder of the course)"
# What labs import, by the names that pip knows; the backend of Keras is looked at apart.
NEEDED = ["keras", "numpy", "scipy", "pandas", "scikit-learn", "matplotlib", "pooch", "tqdm"]
NEEDED += ["psutil", "ipykernel", "ipywidgets"]
TOTAL_NEEDED = 2.0  # GB, for a lab and the rest of a user's server
FREE_NEEDED = 1.5  # GB, the most that a lab's kernel takes
GB = 1e9


class Report:
    """What was found: rows of a table, and sentences of advice.

    `warnings` are worth knowing, `problems` keep labs from running.
    """

    def __init__(self):
        self.rows = []
        self.warnings = []
        self.problems = []

    def __str__(self):
        width = max([11, *(len(name) for name, _ in self.rows)]) + 1
        lines = []
        for name, text in self.rows:
            lines += _wrap(name.ljust(width), text)
        for name, sentences in (("Warning:", self.warnings), ("Problem:", self.problems)):
            for sentence in sentences:
                lines += _wrap(name.ljust(width), sentence)
        lines.append("Not ready: solve the problem first." if self.problems else "Ready.")
        return "\n".join(lines)


def report():
    """Print the report. The first cell of the first lab calls this."""
    print(collect())


def collect():
    """Look at everything that labs need and return a `Report`.

    Keras is imported, which takes about three seconds; no data are read.
    """
    found = Report()
    found.rows.append(("Python", platform.python_version()))
    if not PYTHON_FROM <= sys.version_info[:2] < PYTHON_BELOW:
        found.problems.append(
            "The course needs Python 3.11, 3.12 or 3.13. Install one of them (python.org), make a "
            f"new environment with it and install the course there: {INSTALL}"
        )
        return found  # nothing else is worth saying before
    memory = _memory(found)  # before Keras takes its share
    packages, missing = _packages(found)
    if "keras" not in missing:
        found.rows += _keras(found)
    found.rows += memory + packages
    if not {"numpy", "pooch"} & missing:
        found.rows += _data(found)
    return found


def _packages(found):
    """Return the row of the packages, and the names of those that are missing."""
    from importlib import metadata  # which a very old Python lacks

    pins = _pins()
    versions, missing, others = [], [], []
    for name in NEEDED:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
            continue
        versions.append(name + " " + version)
        if version != pins.get(name, version):
            others.append(f"{name} {version} (tested: {pins[name]})")
    if missing:
        found.problems.append(f"Not installed: {', '.join(missing)}. Install with: {INSTALL}")
    if others:
        found.warnings.append(
            f"Other versions than the course is tested with: {', '.join(others)}. "
            f"If something fails: {INSTALL}"
        )
    return [("Packages", ", ".join(versions))], set(missing)


def _pins():
    """Return the pinned version of each package in requirements.txt, {} without the file."""
    path = COURSE / "requirements.txt"
    if not path.is_file():
        return {}
    return dict(re.findall(r"^([\w.-]+)==(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE))


def _keras(found):
    """Return the rows of Keras, its backend and the device that it computes on."""
    try:
        keras = importlib.import_module("keras")
    except Exception as error:  # a backend may fail to load in any way
        chosen = os.environ.get("KERAS_BACKEND") or "the default"
        found.problems.append(
            f"Keras does not load with its backend ({chosen}): {_first_line(error)}. For the "
            f"course's backend set KERAS_BACKEND=tensorflow, and if that is missing: {INSTALL}"
        )
        return []
    backend = keras.backend.backend()
    devices = importlib.import_module("helpers.training").devices()
    kind = devices[0].split(":")[0].upper()
    return [
        ("Keras", keras.__version__),
        ("Backend", f"{backend} {sys.modules[backend].__version__}"),
        ("Device", "CPU" if kind == "CPU" else f"{kind} ({', '.join(devices)})"),
    ]


def _memory(found):
    """Return the rows of the processor cores and the memory."""
    rows = [("Cores", str(_cores()))]
    try:
        memory = importlib.import_module("psutil").virtual_memory()
    except ImportError:
        return rows  # its absence is told among the packages
    limit = _cgroup_limit()
    total, free = memory.total, memory.available
    text = f"{total / GB:.1f} GB, {free / GB:.1f} GB available"
    if limit is not None and limit < total:
        text += f", limited to {limit / GB:.1f} GB for this server or container"
        total, free = limit, min(limit, free)
    if total < TOTAL_NEEDED * GB:
        found.warnings.append(
            f"Only {total / GB:.1f} GB of memory, and a lab takes up to {FREE_NEEDED} GB: run one "
            "notebook at a time, and if its kernel dies, ask for more"
        )
    elif free < FREE_NEEDED * GB:
        found.warnings.append(
            f"Only {free / GB:.1f} GB of memory are available and a lab takes up to "
            f"{FREE_NEEDED} GB: close other programs, and shut down notebooks you don't use"
        )
    return [*rows, ("Memory", text)]


def _cores():
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux; it knows of containers and schedulers
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cgroup_limit(proc=Path("/proc/self/cgroup"), mount=Path("/sys/fs/cgroup")):
    """Return the memory limit in bytes that Linux sets this process, None without one.

    The limit of a control group holds for the groups within it, so all of them are read, in
    version 2 (one tree) as in version 1 (a tree for memory).
    """
    if not proc.is_file():
        return None
    limits = []
    for line in proc.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            root, name = mount, "memory.max"
        elif controllers == "memory":
            root, name = mount / "memory", "memory.limit_in_bytes"
        else:
            continue
        group = root / path.lstrip("/")
        for folder in (group, *group.parents):
            file = folder / name
            if file.is_file():
                text = file.read_text().strip()
                limits += [int(text)] if text.isdigit() else []  # "max": no limit
            if folder == root:
                break
    return min(limits, default=None)


def _data(found):
    """Return a row for each data set: the source it would be loaded from."""
    data = importlib.import_module("helpers.data")
    try:
        sources = [data.look(name) for name in data.names()]
    except data.DataError as error:
        found.problems.append(str(error))
        return []
    return [(source.title, source.description) for source in sources]


def _wrap(name, text):
    return textwrap.wrap(
        name + text,
        width=96,
        subsequent_indent=" " * len(name),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _first_line(error):
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def main():
    """Print the report; return the exit status, 1 when labs can't run."""
    # TensorFlow's C++ side writes notes on its start to the process's standard error, past Python.
    stderr = os.dup(2)
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 2)
    try:
        found = collect()
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
    print(found)
    return 1 if found.problems else 0


if __name__ == "__main__":
    sys.exit(main())
