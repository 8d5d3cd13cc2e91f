"""The record of what labs cost, `solutions/budget.json`, and the tables that are made from it.

The record holds one run of each lab for each backend, device and kind of data: the last one.
"""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path

from authoring.build import replace_text
from authoring.errors import AuthoringError

NAMES = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}


@dataclass
class Run:
    """What one run of a lab took and what came out; times in seconds, memory in bytes."""

    lab: str
    title: str
    data: str = "offline"  # or "real"
    backend: str = "tensorflow"
    device: str = "CPU"  # or "GPU"
    machine: str = ""
    software: str = ""
    seconds: float = 0.0  # from the start of the kernel to the end of the last cell
    cpu_seconds: float = 0.0
    first_plot: float | None = None  # from the start of the kernel
    slowest_cell: int = 0  # its number, from one
    slowest_seconds: float = 0.0
    slowest_cpu_seconds: float = 0.0
    peak_bytes: int = 0
    blank_seconds: float = 0.0  # of the lab as handed out, to its first check
    blank_peak_bytes: int = 0
    results: list = field(default_factory=list)  # of dicts: name, value, bar

    @property
    def key(self):
        """What tells runs apart; a later run takes the place of an earlier one with its key."""
        return self.lab, list(NAMES).index(self.backend), self.device, self.data

    @property
    def where(self):
        """The backend, and the device unless it is the CPU."""
        return NAMES[self.backend] + ("" if self.device == "CPU" else f", {self.device}")


def path(root):
    """Where the record is kept."""
    return Path(root, "solutions", "budget.json")


def read(root):
    """Return the runs on record, a list of Run, in the order of their keys; [] without a record.

    Raises AuthoringError where the file is not such a record.
    """
    try:
        entries = json.loads(path(root).read_text(encoding="utf-8"))
        return sorted((Run(**entry) for entry in entries), key=lambda run: run.key)
    except FileNotFoundError:
        return []
    except (ValueError, TypeError):
        raise AuthoringError(
            f"{path(root)} is no record of runs: restore it, or delete it and measure anew."
        ) from None


def add(root, runs):
    """Put runs on record, and return all that are there now."""
    kept = {tuple(run.key): run for run in [*read(root), *runs]}
    runs = sorted(kept.values(), key=lambda run: run.key)
    text = json.dumps([dataclasses.asdict(run) for run in runs], indent=1, ensure_ascii=False)
    replace_text(path(root), text + "\n")
    return runs


def usual(runs):
    """Those with TensorFlow on the CPU and the offline data: what students without a GPU have."""
    return [run for run in runs if (run.where, run.data) == ("TensorFlow", "offline")]


def labs(runs):
    """The table of labs in Markdown: of the usual runs."""
    runs = usual(runs)
    lines = [
        "| lab | what | time | CPU time | slowest cell | first plot | peak memory | result |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        plot = "" if run.first_plot is None else f"{run.first_plot:.1f} s"
        last = run.results[-1] if run.results else None
        result = f"{last['name']} {last['value']:.4g}" if last else ""
        lines.append(
            f"| [{run.lab}](labs/{run.lab}.ipynb) | {run.title} | {run.seconds:.0f} s "
            f"| {run.cpu_seconds:.0f} s | {run.slowest_seconds:.0f} s | {plot} "
            f"| {run.peak_bytes / 1e9:.2f} GB | {result} |"
        )
    return "\n".join([*lines, "", *measured_on(runs)])


def measured_on(runs):
    """Sentences, one for each machine and software: which labs were measured with it."""
    groups = {}
    for run in runs:
        groups.setdefault((run.machine, run.software), {})[run.lab[:2]] = None
    if len(groups) == 1:
        return [f"Measured on {machine}; {software}." for machine, software in groups]
    everything = {run.lab[:2] for run in runs}
    return [
        f"{'All labs' if set(numbers) == everything else 'Labs ' + ', '.join(numbers)} "
        f"were measured on {machine}; {software}.  "
        for (machine, software), numbers in groups.items()
    ]


def backends(runs):
    """The table of results and costs on each backend and device in Markdown: the offline data.

    The time is CPU time, which hardly depends on the number of cores and on what else the machine
    does; on a GPU it is that of the clock.
    """
    runs = [run for run in runs if run.data == "offline"]
    columns = list(dict.fromkeys(run.where for run in sorted(runs, key=lambda run: run.key[1:])))
    lines = [
        "| lab | result | asked for | " + " | ".join(columns) + " |",
        "|---|---|---|" + "---|" * len(columns),
    ]
    for lab in dict.fromkeys(run.lab for run in runs):
        here = {run.where: run for run in runs if run.lab == lab}
        found = {
            column: {result["name"]: result for result in run.results}
            for column, run in here.items()
        }
        bars = {name: result["bar"] for each in found.values() for name, result in each.items()}
        rows = [
            (
                name,
                bar,
                {c: f"{each[name]['value']:.4g}" for c, each in found.items() if name in each},
            )
            for name, bar in bars.items()
        ]
        costs = {
            column: f"{run.cpu_seconds if run.device == 'CPU' else run.seconds:.0f} s, "
            f"{run.peak_bytes / 1e9:.2f} GB"
            for column, run in here.items()
        }
        rows.append(("*time, peak memory*", "", costs))
        for name, bar, values in rows:
            cells = [lab, name, bar, *(values.get(column, "") for column in columns)]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *measured_on(runs)])


TABLES = {"README.md": ("labs", labs), "solutions/README.md": ("backends", backends)}


def write_tables(root, runs):
    """Put the tables between their marks, `<!-- labs -->` and `<!-- /labs -->`.

    Raises AuthoringError where a file or its marks are missing; then no file is changed.
    """
    texts = {}
    for name, (mark, table) in TABLES.items():
        page = Path(root, name)
        try:
            texts[page] = between(page.read_text(encoding="utf-8"), mark, table(runs))
        except FileNotFoundError:
            raise AuthoringError(f"{page} is missing; a table is kept there.") from None
        except ValueError as error:
            raise AuthoringError(f"{name} {error}") from None
    for page, text in texts.items():
        replace_text(page, text)


def between(text, mark, inside):
    """Return a page's text with `inside` between its marks; ValueError without one pair of them."""
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed) or begin in rest or end in before + after:
        raise ValueError(f"needs one pair of marks: {begin} and {end}.")
    return f"{before}{begin}\n{inside}\n{end}{after}"
