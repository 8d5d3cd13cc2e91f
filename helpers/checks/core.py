"""The core that every lab's checks are built on.

A check is one function of the student's object. It returns a sentence when the answer is right and
raises :class:`CheckFailed` when it is not; :meth:`Lab.check` does the rest::

    lab = Lab("03 Convolution")

    @lab.check("the output size")
    def output_size(answer):
        for i, k, p, s in [(5, 3, 0, 1), (7, 3, 1, 2)]:
            call(answer, i, k, p, s).equals(
                (i - k + 2 * p) // s + 1,
                wrong=[((i - k + p) // s + 1, "The padding is added on both sides: 2p, not p.")],
            )
        return "The size agrees for every combination."

Failures are assertion errors, so *Run all*, nbval and nbgrader stop at them; what the student sees
is a panel with a paragraph, not a stack of calls.
"""

import ast
import copy
import functools
import inspect
import linecache
import math
import os
import re
import sys
import sysconfig
import textwrap
import traceback
import warnings
from pathlib import Path

import numpy as np

from .. import progress
from ..panel import Panel, in_notebook, show


class CheckFailed(AssertionError):
    """The answer is wrong; the message says what was tried, what came back, where to look."""

    status = "wrong"
    title = "this exercise"

    def panel(self):
        return Panel(self.status, self.title, str(self))

    def _render_traceback_(self):
        # IPython shows these lines in place of a stack. In a notebook the panel is on screen
        # already, so one line is left to say that the run stopped here. nbgrader's Validate runs
        # the notebook out of sight, and shows these lines alone.
        validating = os.environ.get("NBGRADER_EXECUTION") == "validate"
        if in_notebook() and not validating:
            return [f"Stopped at the check of {self.title}; the panel above says why."]
        return str(self.panel()).splitlines()


class NotAttempted(CheckFailed):
    """The blank has not been filled in yet."""

    status = "not attempted"


class Lab:
    """The checks of one lab and what became of them in this kernel.

    `name` begins with the number of the lab, by which `helpers.progress` knows it.
    """

    def __init__(self, name):
        self.name = name
        self.exercises = []  # titles of the checks; `reached` adds to `status` alone
        self.status = {}  # title -> "not run", "correct", "wrong" or "not attempted"

    def check(self, title):
        """Turn a function of the student's answers into a check called `title`.

        The function returns a sentence for a right answer (arrays and models in it may be
        described, not floats that change from run to run) and raises :class:`CheckFailed` or
        :class:`NotAttempted` otherwise. An answer that is still ``None``, ``...`` or a function
        whose body is the blank is *not attempted* before the check is even asked.
        """

        def decorate(test):
            self.exercises.append(title)
            self.status[title] = "not run"
            names = inspect.signature(test).parameters

            @functools.wraps(test)
            def check(*answers):
                def judge():
                    for name, answer in zip(names, answers, strict=False):
                        _require_attempt(answer, name if len(answers) > 1 else None)
                    return test(*answers)

                self._settle(title, judge, answers)

            return check

        return decorate

    def reached(self, what, value, *, at_least=None, at_most=None, hint=""):
        """Check that a measured result clears a bar.

        `what` names the result ("test accuracy"), `value` is a finite number, `hint` says what to
        look at when the bar is missed.
        """
        if (at_least is None) == (at_most is None):
            raise TypeError("reached() needs either at_least= or at_most=")

        def judge():
            _require_attempt(value)
            number = _as_number(value, what)
            if at_least is not None and 0 < at_least <= 1 < number:
                raise CheckFailed(
                    f"The {what} is {number:.4g}; give a fraction from 0 to 1, not a percentage."
                )
            bar, good = (
                (f"at least {at_least:g}", number >= at_least)
                if at_most is None
                else (f"at most {at_most:g}", number <= at_most)
            )
            if good:
                return f"{number:.4g}, asked for: {bar}."
            raise CheckFailed(f"The {what} is {number:.4g}; the bar is {bar}. {hint}".strip())

        self._settle(what, judge, (value,))

    def score_card(self):
        """Show every check of the lab with its status in this kernel.

        Where progress is kept, what was solved before is told with its day, and in one line how
        much is solved in the whole course.
        """
        symbols = {"correct": "✔", "wrong": "✘", "not attempted": "○", "not run": "·"}
        days = progress.solved(self.name)
        rows = []
        for title in [*self.status, *(title for title in days if title not in self.status)]:
            status = self.status.get(title, "not run")
            symbol, before = symbols[status], f"solved on {days.get(title)}"
            if title not in days or status == "correct":
                rows.append((symbol, status, title))
            elif status == "not run":
                rows.append((symbols["correct"], before, title))
            else:
                rows.append((symbol, status, f"{title} ({before})"))
        width = max(len(text) for text in [*symbols, *(status for _, status, _ in rows)])
        lines = [f"    {symbol} {status:<{width}}  {title}" for symbol, status, title in rows]
        done = sum(symbol == symbols["correct"] for symbol, _, _ in rows)
        if done == len(rows):
            message = "Every exercise is solved."
        else:
            message = "Run a check again after you change its answer; then run this cell again."
        paragraphs = ["\n".join(lines), message, progress.summary()]
        title = f"{self.name}: {done} of {len(rows)} correct"
        show(Panel("card", title, "\n\n".join(filter(None, paragraphs))))

    def _settle(self, title, judge, answers):
        """Run `judge`, record its outcome under `title` and show or raise it."""
        try:
            message = judge()
        except CheckFailed as failure:
            stubbed = not isinstance(failure, NotAttempted) and any(map(_has_stub, answers))
            error = NotAttempted(_STILL_STUB) if stubbed else failure
        except Exception as problem:
            # A check never shows its own stack: an answer that it can't even examine is wrong.
            error = CheckFailed(
                f"Your answer could not be examined: {type(problem).__name__}: {problem}. "
                "Compare its type and shape with what the exercise asks for."
            )
        else:
            self.status[title] = "correct"
            note = progress.keep(self.name, title)
            show(Panel("correct", title, "\n\n".join(filter(None, [message, note]))))
            return
        error.title = title
        self.status[title] = error.status
        if in_notebook():
            show(error.panel())
        raise error from None


class Answer:
    """A value that the student's code gave, with the words that say where it came from."""

    def __init__(self, value, what):
        self.value = value
        self.what = what

    def array(self, *, shape=None):
        """Return the value as a NumPy array of finite numbers, or fail with the reason."""
        array = to_numpy(self.value)
        if array is None or array.dtype.kind not in "biuf":
            kind = type(self.value).__name__
            raise CheckFailed(f"{self.what} is of type `{kind}`; numbers are expected.")
        if shape is not None and array.shape != tuple(shape):
            raise CheckFailed(f"{self.what} has the shape {array.shape}; expected: {tuple(shape)}.")
        if not np.all(np.isfinite(array)):
            bad = "NaN (not a number)" if np.any(np.isnan(array)) else "infinity"
            raise CheckFailed(
                f"{self.what} contains {bad}. Look for a division by zero, the logarithm of zero "
                "or an exponential that overflows."
            )
        return array

    def equals(self, expected, *, tolerance=1e-6, wrong=()):
        """Fail unless the value equals `expected` in shape and, within `tolerance`, in value.

        `tolerance` is relative to the largest expected magnitude (at least 1). `wrong` lists
        (value, message) pairs of known mistakes: the first that matches gives the message.
        """
        expected = np.asarray(expected)
        array = to_numpy(self.value)
        if array is not None and array.dtype.kind in "biuf":
            for mistake, message in wrong:
                if _close(array, mistake, tolerance) and not _close(expected, mistake, tolerance):
                    raise CheckFailed(f"{message}\n\n{self._versus(array, expected)}")
        array = self.array()
        if array.shape != expected.shape:
            raise CheckFailed(
                f"{self.what} has the shape {array.shape}; expected: {expected.shape}."
            )
        if _close(array, expected, tolerance):
            return
        advice = ""
        if array.dtype.kind in "iu" and _close(array, np.trunc(expected), tolerance):
            advice = (
                "Your result holds whole numbers, so the fractions were cut off: make the output "
                "array with `np.zeros(shape)` rather than with the type of the input.\n\n"
            )
        raise CheckFailed(advice + self._versus(array, expected))

    def _versus(self, array, expected):
        """Say what came back and what was expected, whole if small, else where it differs."""
        if array.shape == expected.shape and expected.size > 30:
            gap = np.abs(array.astype(float) - expected)
            where = np.unravel_index(np.argmax(gap), gap.shape)
            index = ", ".join(map(str, where))
            return (
                f"{self.what} differs most at `[{index}]`: it is {array[where]:.6g}, "
                f"expected: {expected[where]:.6g}."
            )
        return f"{self.what} is\n\n{_block(array)}\n\nexpected:\n\n{_block(expected)}"


def call(function, *arguments, **named):
    """Call the student's function on copies of the arguments and return its :class:`Answer`.

    Fails with a sentence when `function` can't be called, stops with an error (the student's line
    is quoted), changes its arguments in place, or returns nothing.
    """
    if not callable(function):
        kind = type(function).__name__
        raise CheckFailed(f"A function is expected here, not an object of type `{kind}`.")
    name = getattr(function, "__name__", "your function")
    given = copy.deepcopy((arguments, named))
    what = f"`{name}({_describe_arguments(arguments, named)})`"
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            value = function(*given[0], **given[1])
    except NotImplementedError:
        raise NotAttempted(_BLANK) from None
    except Exception as problem:
        raise CheckFailed(f"{what} stopped with an error.\n\n{_quote(problem)}") from None
    if value is Ellipsis:
        raise NotAttempted(_BLANK)
    if value is None:
        raise CheckFailed(f"{what} returned `None`. Is the `return` missing?")
    names = [f"argument {place}" for place in range(1, len(arguments) + 1)] + list(named)
    for name, before, after in zip(
        names, (*arguments, *named.values()), (*given[0], *given[1].values()), strict=True
    ):
        if _changed(before, after):
            advice = (
                "Put the new arrays into a new dictionary, `{name: ... for name in old}`: "
                "`old[name] = ...` changes the old dictionary, `x -= y` an array in it."
                if isinstance(before, dict)
                else "Make a new array: `x = x - y` does, `x -= y` doesn't, or begin with "
                "`x.copy()`."
            )
            raise CheckFailed(
                f"{what} changes its input in place ({name}); the caller still needs the original. "
                f"{advice}"
            )
    return Answer(value, what)


def _changed(before, after):
    """Tell whether an array, or an array in a dictionary, is not what it was."""
    if isinstance(before, dict):
        same_keys = before.keys() == after.keys()
        return not same_keys or any(_changed(before[key], after[key]) for key in before)
    return isinstance(before, np.ndarray) and not np.array_equal(before, after, equal_nan=True)


def to_numpy(value):
    """Return a number, a nested list, an array or a tensor of any backend as a NumPy array.

    Returns None for anything else, a ragged list included.
    """
    if isinstance(value, np.ndarray | np.generic):
        return np.asarray(value)
    try:
        if "keras" in sys.modules and sys.modules["keras"].ops.is_tensor(value):
            return sys.modules["keras"].ops.convert_to_numpy(value)
        if isinstance(value, bool | int | float | list | tuple):
            return np.asarray(value)
    except (TypeError, ValueError):
        pass
    return None


def describe(value, largest=12):
    """Say in a few words what a value is: arrays up to `largest` numbers whole, others by shape."""
    if isinstance(value, np.ndarray):
        if value.size <= largest:
            return np.array2string(value, separator=", ", precision=4).replace("\n", "")
        return f"<array {value.shape}>"
    if isinstance(value, list | tuple) and len(value) > 4:
        return f"<{type(value).__name__} of {len(value)}>"
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    text = repr(value)
    return text if len(text) <= 60 and " at 0x" not in text else f"<{type(value).__name__}>"


_BLANK = (
    "Replace the `...` with your code and run that cell; if it stops with an error, mend that "
    "first. Then run this cell again."
)
_STILL_STUB = (
    "A line `...` still stands where your code belongs. Write the answer in its place (and delete "
    "the dots), run that cell, then run this one again."
)


def _require_attempt(answer, name=None):
    if answer is None or answer is Ellipsis or _is_blank(answer):
        which = f"`{name}` has no value yet. " if name else ""
        raise NotAttempted(which + _BLANK)


def _is_blank(function):
    """Tell whether a Python function's body does nothing (a docstring, ``...`` or ``pass``)."""
    if not inspect.isfunction(function):
        return False
    body = _body(function)
    if body is None:
        return False
    return all(_is_constant(statement) or isinstance(statement, ast.Pass) for statement in body)


def _has_stub(answer):
    """Tell whether the line ``...`` of the blank still stands in a function."""
    if not inspect.isfunction(answer):
        return False
    return any(_is_constant(statement, Ellipsis) for statement in _body(answer) or ())


def _is_constant(statement, value=None):
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and (value is None or statement.value.value is value)
    )


def _body(function):
    """Return the statements of a function, or None where its source can't be had."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None
    return tree.body[0].body if isinstance(tree.body[0], ast.FunctionDef) else None


def _as_number(value, what):
    array = to_numpy(value)
    if array is None or array.size != 1 or array.dtype.kind not in "biuf":
        raise CheckFailed(f"The {what} must be one number; this is {describe(value)}.")
    number = float(array.reshape(()))
    if not math.isfinite(number):
        raise CheckFailed(f"The {what} is {number}: the training has diverged.")
    return number


def _close(array, expected, tolerance):
    array, expected = np.asarray(array), np.asarray(expected)
    if array.shape != expected.shape:
        return False
    scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    return bool(np.all(np.abs(array.astype(float) - expected.astype(float)) <= tolerance * scale))


def _block(array):
    """Return an array as an indented block; only the beginning of a large one."""
    plain = np.max(np.abs(array), initial=0) >= 1e-3  # no powers of ten where none is needed
    text = np.array2string(
        array, separator=", ", precision=6, threshold=30, edgeitems=2, suppress_small=bool(plain)
    )
    return textwrap.indent(text, "    ")


def _describe_arguments(arguments, named):
    def text(largest):
        described = [describe(value, largest) for value in arguments]
        described += [f"{name}={describe(value, largest)}" for name, value in named.items()]
        return ", ".join(described)

    whole = text(12)
    return whole if len(whole) <= 160 else text(4)


# (pattern in an error, advice): slips of Python that any exercise can meet.
_SLIPS = [
    (r"(?i)bitwise_?xor|for \^", "In Python `^` is no power: write `**`."),
    (
        "0-dimensional arrays|(length|size)-1 arrays",
        "Something there takes one number, as `float` and the functions of `math` do. Those of "
        "NumPy (inside a network: of `keras.ops`) take a whole array.",
    ),
]


def slip(error):
    """Return the advice on a slip of Python that the text of an error tells of, or ""."""
    return next((advice for pattern, advice in _SLIPS if re.search(pattern, error)), "")


def _quote(problem):
    """Name an exception, quote the student's line that raised it, and advise on a common slip."""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", str(problem)).strip().splitlines()
    text = f"{type(problem).__name__}: {' '.join(list(filter(str.strip, lines))[:2])}"
    frames = traceback.extract_tb(problem.__traceback__)
    ours = (str(Path(__file__).parents[1]), sysconfig.get_path("stdlib"))  # and Python's own
    theirs = [
        frame
        for frame in frames
        if "site-packages" not in frame.filename and not frame.filename.startswith(ours)
    ]
    if theirs:
        line = linecache.getline(theirs[-1].filename, theirs[-1].lineno).strip()
        text += f"\n\n    line {theirs[-1].lineno}: {line}"
    return "\n\n".join(filter(None, [text, slip(text.partition("\n")[0])]))


def _print_failure(kind, error, trace, fallback=sys.excepthook):
    """Print a failed check as its text alone when a script or a plain Python prompt ends in it."""
    if isinstance(error, CheckFailed):
        print(error.panel(), file=sys.stderr)
    else:
        fallback(kind, error, trace)


sys.excepthook = _print_failure
