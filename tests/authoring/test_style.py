import pytest
from nbformat.v4 import new_output

from authoring import build, source, style

GOOD = """
# %% [markdown]
# # A lab
# ```
# # this is code, no heading
# ```
# ## A figure

# %%
import matplotlib.pyplot as plt
from helpers import plots

figure, axes = plt.subplots()
plots.show(figure, alt="An empty pair of axes.")

# %% [markdown]
# The axes are empty.
# ## Recap
# All of it.
# ## References
"""


def found(course, text):
    return list(style.faults(source.read(course.write(text))))


def measured(course, text):
    return {row.name: row for row in style.figures(source.read(course.write(text)))}


def test_a_good_lab_has_no_faults(course):
    assert found(course, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("# # A lab", "# A lab", "has 0 headings of level 1"),
        ("# ## A figure", "# # A figure", "has 2 headings of level 1"),
        ("# ## A figure", "# ### A figure", 'jumps from a heading of level 1 to "A figure"'),
        ("# ## Recap", "# ## The end", 'has no heading "Recap"'),
        ("figure, axes", "!pip install keras\nfigure, axes", "cell 2: installs a package"),
        ("from helpers import plots", "from helpers.plots import *", "star import from helpers"),
        (', alt="An empty pair of axes."', "", "a figure without alt text"),
        ('"An empty pair of axes."', '" "', "a figure without alt text"),
        ('"An empty pair of axes."', '"A figure"', "a figure without alt text"),
        ("figure, axes =", "x = 1\n" * 27 + "figure, axes =", "31 lines of code; 30 at most"),
    ],
)
def test_each_hard_fault_is_found(course, old, new, fault):
    assert old in GOOD
    faults = found(course, GOOD.replace(old, new))
    assert len(faults) == 1
    assert fault in faults[0]


@pytest.mark.parametrize(
    "cells",
    [
        ["x = [1]", "print(x)", "x = [2]"],
        ["x = [1]", "for x in range(3): print(x)", "print(x)"],
        ["x = [1]", "x = x + [2]", "x += [1]"],
        ["x = [1]", "y = [k for k in x]", "x, z = 2, 3"],
        ["x = [1]", "def f():\n    return lambda: x", "with open('a') as x: pass"],
    ],
)
def test_a_name_that_means_two_things_to_a_cell_is_a_fault(course, cells):
    faults = found(course, GOOD + "".join(f"\n# %%\n{cell}\n" for cell in cells))
    assert any(f"cell {place} needs `x`, to which" in faults[0] for place in (5, 6))


@pytest.mark.parametrize(
    "cells",
    [
        ["x = 1\nprint(x)", "x = 2\nprint(x)"],
        ["x = {}", "x |= {1: 2}", "print(x)"],
        ["x = [1]", "del x[0]", "print(x)"],
        ["import x", "import x\nprint(x)", "print(x)"],
        ["for x in range(3): print(x)", "for x in range(4): print(x)"],
        ["def f(x):\n    y = x\n    return y", "x = y = 1", "y = x", "print(x)"],
        ["[x for x in 'ab']", "x = 1", "print(x)"],
        ["rng = 1", "rng = 2", "print(rng)"],
    ],
)
def test_a_name_used_again_within_cells_is_no_fault(course, cells):
    assert found(course, GOOD + "".join(f"\n# %%\n{cell}\n" for cell in cells)) == []


def test_thirty_lines_without_blank_ones_and_marks_are_allowed(course):
    assert found(course, GOOD.replace("figure, axes =", "x = 1\n\n" * 26 + "figure, axes =")) == []


def test_the_figures_count_what_they_say(course):
    rows = measured(course, GOOD + "\n# %%\nx = 1\n\n# %%\ny = 2\n")
    assert rows["cells"].value == 5
    assert rows["code lines, most"].value == 4
    assert rows["code lines, median"].value == 1
    assert rows["Markdown : code cells"].value == pytest.approx(2 / 3)
    assert rows["code right after prose, %"].value == pytest.approx(200 / 3)
    assert rows["figures"].value == 1
    assert rows["figures followed by prose, %"].value == 100
    assert str(rows["cells"]) == "5*"


def test_a_figure_at_the_end_has_no_prose_after_it(course):
    rows = measured(course, GOOD.split("# %% [markdown]\n# The axes")[0])
    assert rows["figures followed by prose, %"].value == 0


@pytest.mark.parametrize(
    ("code", "share"),
    [
        ("def f():\n    return g(1)", 100),
        ("print(1)", 100),
        ("import math\n\n\ndef f():\n    return 1", 100),
        ("def f():\n    return 1\n\n\nf()", 0),
    ],
)
def test_a_cell_defines_or_runs(course, code, share):
    assert measured(course, f"# %%\n{code}\n")["defines or runs, %"].value == share


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("np.random.default_rng(0)", 0),
        ("np.random.default_rng()", 1),
        ("np.random.rand(3)", 1),
        ("model.fit(x, y)", 1),
        ("keras.utils.set_random_seed(0)\nmodel.fit(x, y)", 0),
    ],
)
def test_random_numbers_without_a_seed_are_counted(course, code, count):
    assert measured(course, f"# %%\n{code}\n")["random without a seed"].value == count


def test_exercises_are_counted(course):
    assert measured(course, course.write().read_text())["exercises"].value == 1


def test_the_command_prints_the_table_and_passes(course, capsys):
    course.write(GOOD, name="01_one")
    course.write(GOOD, name="02_two")
    assert style.main(root=course.root) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].split() == ["aim", "01", "02"]
    assert table[1].split() == ["cells", "25-60", "3*", "3*"]


def test_the_command_fails_and_names_the_file(course, capsys):
    course.write(GOOD.replace("# ## Recap", "# ## The end"))
    assert style.main(root=course.root) == 1
    assert '03_small.py: has no heading "Recap" at its end' in capsys.readouterr().err


def test_a_stored_warning_is_a_fault(course, capsys):
    path = course.write(GOOD)
    notebook = source.read(path)
    notebook.cells[1].outputs = [new_output("stream", name="stderr", text="old way")]
    build.paths(path)[0].write_text(build.dumps(notebook))
    assert style.main(root=course.root) == 1
    assert "writes a warning" in capsys.readouterr().err


def test_code_that_does_not_parse_is_an_error(course, capsys):
    course.write("# %%\nx = (\n")
    assert style.main(root=course.root) == 1
    assert capsys.readouterr().err
