"""Prints the rhythm of each lab beside what the design aims at; refuses what is plainly wrong.

    python -m authoring.style

The figures are for judgement and a `*` marks one outside its aim. The exit status is 1 only for
faults that no lab should have: see `faults`.
"""

import ast
import re
import statistics
import symtable
import sys
from dataclasses import dataclass

import nbformat
from IPython.core.inputtransformer2 import TransformerManager

from authoring import kernel, source
from authoring.build import paths, refuse_noise, sources
from authoring.errors import AuthoringError

LONGEST_CELL = 30  # lines


@dataclass(frozen=True)
class Figure:
    """One row of the table: a measure, its value in a lab, the aim and whether it is met."""

    name: str
    value: float
    aim: str
    good: bool

    def __str__(self):
        return f"{self.value:.3g}{'' if self.good else '*'}"


def code_lines(cell):
    """Lines of a code cell without blank ones and the marks of a solution."""
    lines = [line.strip() for line in cell.source.split("\n")]
    return [line for line in lines if line and line not in (source.BEGIN, source.END)]


def headings(notebook):
    """(level, text) of each Markdown heading, fenced code left out."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = re.sub(r"^(```|~~~).*?^\1", "", cell.source, flags=re.MULTILINE | re.DOTALL)
            for match in re.finditer(r"^(#{1,6}) +(.+)$", text, re.MULTILINE):
                yield len(match[1]), match[2].strip()


def _tree(cell):
    return ast.parse(TransformerManager().transform_cell(cell.source))


def _code(notebook):
    return [
        (number, cell)
        for number, cell in enumerate(notebook.cells, start=1)
        if cell.cell_type == "code"
    ]


def _shows(tree):
    """The calls of plots.show in a cell."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "plots.show"
    ]


def _mixes(tree):
    """Whether a cell both defines a function or class and runs something else."""
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    quiet = (*definitions, ast.Import, ast.ImportFrom)
    defines = any(isinstance(node, definitions) for node in tree.body)
    runs = any(
        not isinstance(node, quiet) and any(isinstance(part, ast.Call) for part in ast.walk(node))
        for node in tree.body
    )
    return defines and runs


def faults(notebook):
    """Sentences on what no lab should have."""
    levels = [level for level, _ in headings(notebook)]
    if levels.count(1) != 1:
        yield f"has {levels.count(1)} headings of level 1; one is right"
    for before, (level, text) in zip(levels, list(headings(notebook))[1:], strict=False):
        if level > before + 1:
            yield f'jumps from a heading of level {before} to "{text}" of level {level}'
    if not any(re.match(r"recap\b", text, re.I) for _, text in list(headings(notebook))[-4:]):
        yield 'has no heading "Recap" at its end'
    for number, cell in _code(notebook):
        for fault in _cell_faults(cell):
            yield f"cell {number}: {fault}"
    yield from _reused_names(notebook)


def _reused_names(notebook):
    """Names that mean two things: to run one cell again then changes what another cell does."""
    cells = {number: _names(_tree(cell)) for number, cell in _code(notebook)}
    for number, (_, needed) in cells.items():
        for name in sorted(needed - {"rng"}):  # other random numbers teach the same
            places = [str(place) for place, (bound, _) in cells.items() if name in bound]
            if len(places) > 1:
                yield (
                    f"cell {number} needs `{name}`, to which the cells {', '.join(places)} give a "
                    "value: run out of order, they spoil it; choose other names"
                )


def _names(tree):
    """The names to which a cell gives a value, and those that it needs from other cells.

    A dictionary to which `|=` adds, an import and `del` give no name another meaning.
    """
    bound, needed = set(), set()
    for statement in tree.body:
        table = symtable.symtable(ast.unparse(statement), "cell", "exec")
        adds = isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.BitOr)
        new = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned()}
        new = set() if adds or isinstance(statement, ast.Delete) else new
        # What a loop or a branch sets is mostly for itself.
        inner = new if hasattr(statement, "body") else set()
        needed |= _read(table) - bound - inner
        bound |= new
    return bound, needed


def _read(table):
    """The global names that a symbol table reads, those in its functions included."""
    top = table.get_type() == "module"
    return {
        symbol.get_name()
        for symbol in table.get_symbols()
        if symbol.is_referenced() and (top or symbol.is_global())
    }.union(*map(_read, table.get_children()))


def _cell_faults(cell):
    tree = _tree(cell)
    if len(code_lines(cell)) > LONGEST_CELL:
        yield f"{len(code_lines(cell))} lines of code; {LONGEST_CELL} at most"
    if re.search(r"\bpip3? install\b", cell.source):
        yield "installs a package; requirements.txt does that"
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            yield f"star import from {node.module}"
    for call in _shows(tree):
        alt = [word.value for word in call.keywords if word.arg == "alt"] + call.args[1:2]
        if not alt or (isinstance(alt[0], ast.Constant) and len(str(alt[0].value).split()) < 4):
            yield "a figure without alt text: plots.show(figure, alt=...) says what it shows"


def figures(notebook):
    """The rows of the table for one lab."""
    code = _code(notebook)
    trees = [_tree(cell) for _, cell in code]
    lines = sorted(len(code_lines(cell)) for _, cell in code) or [0]
    kinds = [cell.cell_type for cell in notebook.cells] + ["code"]
    after_prose = [kinds[number - 2] == "markdown" for number, _ in code if number > 1]
    shown = [
        kinds[number] == "markdown"
        for (number, _), tree in zip(code, trees, strict=True)
        if _shows(tree)
    ]
    tidy = [not _mixes(tree) for tree in trees]
    exercises = sum("exercise" in _role(cell) for _, cell in code)

    def row(name, value, aim, low=0.0, high=float("inf")):
        return Figure(name, value, aim, low <= value <= high)

    prose = len(notebook.cells) - len(code)
    return [
        row("cells", len(notebook.cells), "25-60", 25, 60),
        row("exercises", exercises, "4-8", 4, 8),
        row("code lines, median", statistics.median(lines), "5", high=5),
        row("code lines, 90 %", lines[int(0.9 * (len(lines) - 1))], "15", high=15),
        row("code lines, most", lines[-1], "30", high=LONGEST_CELL),
        row("Markdown : code cells", prose / max(1, len(code)), "1.0-1.4", 1.0, 1.4),
        row("code right after prose, %", _percent(after_prose), ">= 85", 85),
        row("defines or runs, %", _percent(tidy), ">= 95", 95),
        row("figures", len(shown), ""),
        row("figures followed by prose, %", _percent(shown), "100", 100),
        row("random without a seed", _unseeded(trees), "0", high=0),
    ]


def _percent(values):
    return 100 * sum(values) / len(values) if values else 100.0


def _role(cell):
    metadata = cell.metadata.get("nbgrader", {})
    return "exercise" if metadata.get("solution") else "check" if metadata.get("grade") else ""


def _unseeded(trees):
    """Calls whose numbers differ from run to run: generators without a seed, np.random itself."""
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = [(ast.unparse(call.func), call.args or call.keywords) for call in calls]
    seeded = any(name.endswith("set_random_seed") for name, _ in names)
    return sum(
        (name.endswith("random.default_rng") and not arguments)
        or (name.endswith(".fit") and not seeded)
        or bool(
            re.fullmatch(
                r"(np|numpy)\.random\.(rand|randn|randint|normal|uniform|shuffle|permutation|choice)",
                name,
            )
        )
        for name, arguments in names
    )


def main(root=kernel.ROOT):
    """Command line; returns the exit status."""
    failed, columns = False, {}
    try:
        for path in sources(root):
            notebook = source.read(path)
            found = list(faults(notebook))
            stored = paths(path)[0]
            if stored.is_file():
                try:
                    refuse_noise(nbformat.read(stored, as_version=4), stored.name)
                except AuthoringError as error:
                    found.append(str(error))
            for fault in found:
                failed = True
                print(f"{path.name}: {fault}", file=sys.stderr)
            size = stored.stat().st_size / 1e3 if stored.is_file() else 0.0
            stored_size = Figure("stored outputs, kB", size, "< 500", size < 500)
            columns[path.stem[:2]] = [*figures(notebook), stored_size]
    except (AuthoringError, SyntaxError) as error:
        print(error, file=sys.stderr)
        return 1

    print(f"{'':30}{'aim':>9}" + "".join(f"{number:>8}" for number in columns))
    for row in zip(*columns.values(), strict=True):
        print(f"{row[0].name:30}{row[0].aim:>9}" + "".join(f"{figure!s:>8}" for figure in row))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
