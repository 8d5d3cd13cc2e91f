"""A small course in a temporary folder, to build, break and measure."""

import textwrap

import pytest

LAB = """
# %% [markdown]
# # A small lab

# %% tags=["exercise:double"]
def double(x):
    \"\"\"Twice x.\"\"\"
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% tags=["check:double:2", "nbval-check-output"]
assert double(2) == 4
print("correct")
### BEGIN HIDDEN TESTS
assert double(3) == 6
### END HIDDEN TESTS

# %%
double(21)
"""


class Course:
    def __init__(self, root):
        self.root = root
        self.solutions = root / "solutions"
        self.labs = root / "labs"
        self.solutions.mkdir()

    def write(self, text=LAB, name="03_small"):
        """Write a source and return its path."""
        path = self.solutions / f"{name}.py"
        path.write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
        return path


@pytest.fixture
def course(tmp_path):
    return Course(tmp_path)
