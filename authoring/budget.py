"""Measures what each lab costs and writes it into the table of labs in README.

    python -m authoring.budget                 all labs, on the offline data
    python -m authoring.budget 03 --data DIR   one lab, on the real data in DIR

Every solution runs in a fresh kernel. The exit status is 1 when a lab exceeds its budget.
"""

import argparse
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from authoring import kernel, source
from authoring.build import replace_text, sources
from authoring.errors import AuthoringError

# On two CPU cores without a GPU: (aim, never over).
LAB_SECONDS = (150, 240)
CELL_SECONDS = (60, 90)
ALL_SECONDS = (20 * 60, 30 * 60)
PEAK_BYTES = 1.5e9  # a hub user has 2 GB

BEGIN, END = "<!-- budget -->", "<!-- /budget -->"


@dataclass
class Cost:
    """What one run of a lab took: seconds of wall time, bytes of memory, and what came out."""

    name: str
    title: str
    seconds: float = 0.0
    peak: int = 0
    cells: dict = field(default_factory=dict)  # index of a code cell -> seconds
    result: str = ""
    real: bool = False  # whether any data set was the real one

    @property
    def slowest(self):
        """Number (from one) and seconds of the slowest cell."""
        index = max(self.cells, key=self.cells.get)
        return index + 1, self.cells[index]

    def excesses(self):
        """Sentences, one for each budget that is exceeded."""
        number, seconds = self.slowest
        if self.seconds > LAB_SECONDS[1]:
            yield f"{self.name} takes {self.seconds:.0f} s; the limit is {LAB_SECONDS[1]} s."
        if seconds > CELL_SECONDS[1]:
            yield (
                f"{self.name}, cell {number} takes {seconds:.0f} s; "
                f"the limit is {CELL_SECONDS[1]} s."
            )
        if self.peak > PEAK_BYTES:
            yield (
                f"{self.name} needs {self.peak / 1e9:.2f} GB; the limit is {PEAK_BYTES / 1e9} GB."
            )


def measure(path, data="offline"):
    """Run the solution of a source and return its Cost."""
    notebook = source.read(path)
    cost = Cost(path.stem, title(notebook))

    def after_cell(index, seconds, pid):
        cost.cells[index] = seconds
        cost.peak = max(cost.peak, peak_memory(pid))

    start = time.perf_counter()
    try:
        kernel.run(notebook, path.parent, data=data, after_cell=after_cell)
    except kernel.CellFailed as error:
        raise AuthoringError(f"{path.name}, {error}") from None
    cost.seconds = time.perf_counter() - start
    cost.result = result(notebook)
    cost.real = used_real_data(notebook)
    return cost


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


def result(notebook):
    """What the last result that the lab's checks measured was, such as `test accuracy 0.993`."""
    pattern = re.compile(r"Correct: (.+)\n(\S+), asked for:")
    matches = [match for text in _texts(notebook) if (match := pattern.search(text))]
    return f"{matches[-1][1]} {matches[-1][2]}" if matches else ""


def used_real_data(notebook):
    """Whether a data set that the notebook loaded says that it is the real one."""
    return any(re.search(r": real \w+ from the ", text) for text in _texts(notebook))


def _texts(notebook):
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            yield output.get("text", "") or output.get("data", {}).get("text/plain", "")


def table(costs):
    """The table of labs in Markdown."""
    lines = ["| lab | what | time | peak memory | result |", "|---|---|---|---|---|"]
    for cost in costs:
        result = f"{cost.result} ({'real' if cost.real else 'offline'} data)" if cost.result else ""
        lines.append(
            f"| [{cost.name}](labs/{cost.name}.ipynb) | {cost.title} | {cost.seconds:.0f} s "
            f"| {cost.peak / 1e9:.2f} GB | {result} |"
        )
    return "\n".join(lines)


def merge(readme, costs):
    """The text of README with the rows of `costs` in its table; rows of other labs stay.

    Raises AuthoringError when the table's marks are missing.
    """
    if readme.count(BEGIN) != 1 or readme.count(END) != 1:
        raise AuthoringError(f"README.md needs one pair of marks: {BEGIN} and {END}.")
    before, rest = readme.split(BEGIN)
    old, after = rest.split(END)
    head, rows = table(costs).split("\n")[:2], table(costs).split("\n")[2:]
    names = {row.split("]")[0] for row in rows}
    kept = [line for line in old.split("\n") if line.startswith("| [")]
    rows += [line for line in kept if line.split("]")[0] not in names]
    return before + BEGIN + "\n" + "\n".join(head + sorted(rows)) + "\n" + END + after


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

    readme = Path(root, "README.md")
    costs, failed = [], False
    try:
        for path in sources(root, options.labs):
            try:
                cost = measure(path, options.data)
            except AuthoringError as error:
                failed = True
                print(error, file=sys.stderr)
                continue
            costs.append(cost)
            number, seconds = cost.slowest
            over = " (over the aim)" if cost.seconds > LAB_SECONDS[0] else ""
            print(
                f"{cost.name}: {cost.seconds:.0f} s{over}, slowest cell {number} {seconds:.0f} s, "
                f"peak {cost.peak / 1e9:.2f} GB. {cost.result}",
                flush=True,
            )
        if costs:
            replace_text(readme, merge(_read(readme), costs))
    except AuthoringError as error:
        print(error, file=sys.stderr)
        return 1

    excesses = [sentence for cost in costs for sentence in cost.excesses()]
    total = sum(cost.seconds for cost in costs)
    if total > ALL_SECONDS[1]:
        excesses.append(f"All labs take {total:.0f} s; the limit is {ALL_SECONDS[1]} s.")
    print("".join(f"{sentence}\n" for sentence in excesses), end="", file=sys.stderr)
    return int(failed or bool(excesses))


def _read(path):
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise AuthoringError(f"{path} is missing; the table is kept there.") from None


if __name__ == "__main__":
    sys.exit(main())
