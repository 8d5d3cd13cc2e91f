"""Measures what each lab costs, keeps it on record and writes it into the tables.

    python -m authoring.budget                 all labs, on the offline data
    python -m authoring.budget 03 --data DIR   one lab, on the real data in DIR

Every solution, and every lab as handed out, runs in a fresh kernel, with the backend that
KERAS_BACKEND names. The record is solutions/budget.json. The exit status is 1 when a limit is
exceeded on the CPU; on a GPU there are none.
"""

import argparse
import json
import math
import platform
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from authoring import kernel, record, source
from authoring.blank import blank
from authoring.build import sources
from authoring.errors import AuthoringError


@dataclass(frozen=True)
class Budget:
    """What labs may take on two CPU cores without a GPU."""

    name: str
    lab: int  # seconds, as the next three
    cell: int
    all_labs: int
    first_plot: float = math.inf
    memory: float = math.inf  # bytes

    def excesses(self, run):
        """Sentences, one for each figure of a run that is over the budget."""
        if run.seconds > self.lab:
            yield f"{run.lab} takes {run.seconds:.0f} s; the {self.name} is {self.lab} s."
        if run.slowest_seconds > self.cell:
            yield (
                f"{run.lab}, cell {run.slowest_cell} takes {run.slowest_seconds:.0f} s; "
                f"the {self.name} is {self.cell} s."
            )
        if (run.first_plot or 0) > self.first_plot:
            yield (
                f"{run.lab} shows its first plot after {run.first_plot:.1f} s; "
                f"the {self.name} is {self.first_plot} s."
            )
        if run.peak_bytes > self.memory:
            yield (
                f"{run.lab} needs {run.peak_bytes / 1e9:.2f} GB; "
                f"the {self.name} is {self.memory / 1e9} GB."
            )

    def excesses_of_all(self, runs):
        """Sentences: those of each run, and one if all together take too long."""
        for run in runs:
            yield from self.excesses(run)
        total = sum(run.seconds for run in runs)
        if total > self.all_labs:
            yield f"All labs take {total:.0f} s; the {self.name} is {self.all_labs} s."


AIM = Budget("aim", lab=150, cell=60, all_labs=20 * 60, first_plot=3)
LIMIT = Budget("limit", lab=240, cell=90, all_labs=30 * 60, memory=1.5e9)  # a hub user has 2 GB


class Meter:
    """Follows a notebook that runs: call it after each cell, as `kernel.run` does."""

    def __init__(self, notebook):
        self.notebook = notebook
        self.start = time.perf_counter()
        self.cells = {}  # index -> (wall seconds, CPU seconds)
        self.seconds = self.cpu_seconds = 0.0
        self.peak = 0
        self.first_plot = None

    def __call__(self, index, seconds, pid):
        self.seconds = time.perf_counter() - self.start
        times = psutil.Process(pid).cpu_times()
        before, self.cpu_seconds = self.cpu_seconds, times.user + times.system
        self.cells[index] = seconds, self.cpu_seconds - before
        self.peak = max(self.peak, peak_memory(pid))
        if self.first_plot is None and _shows_a_plot(self.notebook.cells[index]):
            self.first_plot = self.seconds


def measure(path, data="offline", **place):
    """Run the solution of a source, and its blank to its first check; return a `record.Run`.

    `place` says with what it runs, as `surroundings` finds out. Raises AuthoringError when the
    solution fails or the blank stops anywhere else.
    """
    notebook = source.read(path)
    handed_out = blank(notebook, path.name)
    meter = Meter(notebook)
    try:
        kernel.run(notebook, path.parent, data=data, after_cell=meter)
    except kernel.CellFailed as error:
        raise AuthoringError(f"{path.name}, {error}") from None
    index = max(meter.cells, key=lambda index: meter.cells[index][0])
    until_check = run_blank(handed_out, path, data)
    return record.Run(
        lab=path.stem,
        title=title(notebook),
        data="real" if used_real_data(notebook) else "offline",
        seconds=round(meter.seconds, 1),
        cpu_seconds=round(meter.cpu_seconds, 1),
        first_plot=meter.first_plot and round(meter.first_plot, 1),
        slowest_cell=index + 1,
        slowest_seconds=round(meter.cells[index][0], 1),
        slowest_cpu_seconds=round(meter.cells[index][1], 1),
        peak_bytes=meter.peak,
        blank_seconds=round(until_check.seconds, 1),
        blank_peak_bytes=until_check.peak,
        results=results(notebook),
        **place,
    )


def run_blank(lab, path, data="offline"):
    """Run a lab as handed out; return the Meter. It must stop at its first check, not attempted.

    Raises AuthoringError where it doesn't; outputs are in `lab`.
    """
    meter = Meter(lab)
    checks = (
        index
        for index, cell in enumerate(lab.cells)
        if cell.metadata.get("nbgrader", {}).get("grade")
    )
    first = next(checks, None)
    try:
        kernel.run(lab, path.parent, data=data, after_cell=meter)
    except kernel.CellFailed as error:
        if (error.index, error.ename) != (first, "NotAttempted"):
            raise AuthoringError(f"{path.stem} as handed out, {error}") from None
    else:
        if first is not None:
            raise AuthoringError(f"{path.stem} as handed out runs past its first check.")
    return meter


def peak_memory(pid):
    """The most memory a process has had resident so far, in bytes."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024
    except (OSError, TypeError):  # not Linux: what it has now, which each cell's end samples
        return psutil.Process(pid).memory_info().rss


def title(notebook):
    """The text of the lab's first heading."""
    for cell in notebook.cells:
        if match := re.search(r"^# (.+)$", cell.source, re.MULTILINE):
            return match[1].strip()
    return ""


def results(notebook):
    """The results that the lab's checks measured, in their order: dicts of name, value and bar."""
    pattern = re.compile(r"Correct: (.+)\n(\S+), asked for: (.+)\.")
    matches = (match for text in _texts(notebook) for match in pattern.finditer(text))
    return [{"name": m[1], "value": float(m[2]), "bar": m[3]} for m in matches]


def used_real_data(notebook):
    """Whether a data set that the notebook loaded says that it is the real one."""
    return any(re.search(r": real \w+ from the ", text) for text in _texts(notebook))


def _texts(notebook):
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            yield output.get("text", "") or output.get("data", {}).get("text/plain", "")


def _shows_a_plot(cell):
    kinds = (kind for output in cell.outputs for kind in output.get("data", {}))
    return any(kind.startswith("image/") for kind in kinds)


def surroundings():
    """Return what labs are run with here: backend, device, machine and software.

    Another process looks, for this one has no need of Keras. Raises AuthoringError where Keras
    doesn't load.
    """
    code = (
        "import json, sys; from helpers import environment; found = environment.collect();"
        "print(json.dumps(dict(found.rows))); sys.exit('; '.join(found.problems) or 0)"
    )
    with kernel.clean_environment() as variables:
        done = subprocess.run(
            [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise AuthoringError(done.stderr.strip().split("\n")[-1])
    found = json.loads(done.stdout.strip().split("\n")[-1])
    device = found["Device"].split()[0]
    memory = psutil.virtual_memory().total / 1e9
    cores = f"{found['Cores']} core" + "s" * (found["Cores"] != "1")
    parts = [processor(), cores, f"{memory:.0f} GB"]
    return {
        "backend": found["Backend"].split()[0],
        "device": device,
        "machine": ", ".join(parts if device == "CPU" else [graphics_card(), *parts]),
        "software": f"Python {found['Python']}, Keras {found['Keras']}, {found['Backend']}",
    }


def processor():
    """The name of the processor, and how wide it computes where Linux tells: it matters."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    name = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    wide = next(
        (name for flag, name in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in text), ""
    )
    return (name[1] if name else platform.machine()) + (f" ({wide})" if wide else "")


def graphics_card():
    """The name of the first NVIDIA GPU, or just "GPU"."""
    try:
        command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split(
            "\n"
        )[0]
    except (OSError, subprocess.CalledProcessError):
        return "GPU"


def main(arguments=None, root=kernel.ROOT):
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m authoring.budget", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("labs", nargs="*", metavar="NN", help="numbers of labs; all if none")
    parser.add_argument("--data", default="offline", metavar="DIR", help="folder of real data")
    options = parser.parse_args(arguments)
    if options.data != "offline" and not Path(options.data).is_dir():
        print(f"There is no folder {options.data}.", file=sys.stderr)
        return 1

    runs, failed = [], False
    try:
        paths = sources(root, options.labs)
        record.write_tables(root, record.read(root))  # what stands in the way is told before hours
        place = surroundings()
        for path in paths:
            try:
                run = measure(path, options.data, **place)
            except AuthoringError as error:
                failed = True
                print(error, file=sys.stderr, flush=True)
                continue
            runs.append(run)
            print(_line(run), flush=True)
            record.write_tables(root, record.add(root, [run]))
    except AuthoringError as error:
        print(error, file=sys.stderr)
        return 1

    exceeded = list(LIMIT.excesses_of_all(runs))
    missed = list(AIM.excesses_of_all(runs))
    for heading, sentences in (("Aims missed:", missed), ("Limits exceeded:", exceeded)):
        if sentences:
            print("\n".join([heading, *sentences]))
    return int(failed or bool(exceeded and place["device"] == "CPU"))


def _line(run):
    last = run.results[-1] if run.results else None
    return (
        f"{run.lab}: {run.seconds:.0f} s (CPU {run.cpu_seconds:.0f}), slowest cell "
        f"{run.slowest_cell} {run.slowest_seconds:.0f} s (CPU {run.slowest_cpu_seconds:.0f}), "
        f"first plot {run.first_plot} s, peak {run.peak_bytes / 1e9:.2f} GB, "
        f"blank {run.blank_seconds:.0f} s and {run.blank_peak_bytes / 1e9:.2f} GB. "
        + (f"{last['name']} {last['value']:.4g}" if last else "")
    ).strip()


if __name__ == "__main__":
    sys.exit(main())
