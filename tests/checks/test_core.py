"""The core of the checks: statuses, messages, panels and the score card."""

import inspect
import math
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from helpers import plots
from helpers.checks.core import Answer, CheckFailed, Lab, NotAttempted, call, describe, to_numpy


@pytest.fixture
def lab():
    lab = Lab("Example lab")

    @lab.check("scaling")
    def scale(answer):
        x = np.arange(4.0)
        call(answer, x).equals(2.5 * x, wrong=[(2 * x, "You doubled.")])
        return "Every value agrees."

    lab.scale = scale
    return lab


# The line that Python has of it is no statement.
FRAGMENT = {
    "a": lambda x: 2.5 * x,
}


def scaled_with_stub(x):
    y = x
    ...
    return y


def scaled_in_place(x):
    x *= 2.5
    return x


def raises(x):
    return x / undefined_name  # noqa: F821


def without_return(x):
    2.5 * x


def constant(x):
    """A text that says what it does is no blank."""
    return 2.5


def passes(x):
    pass


def blank(x):
    """Return x times 2.5."""
    ...  # your code here


@pytest.mark.parametrize(
    "right",
    [
        lambda x: 2.5 * x,
        lambda x: [2.5 * v for v in x],
        lambda x: (2.5 * x).astype("float32"),
        FRAGMENT["a"],
    ],
)
def test_a_right_answer_is_correct_and_printed(lab, right, capsys):
    assert lab.scale(right) is None
    assert lab.status == {"scaling": "correct"}
    assert capsys.readouterr().out == "✔ Correct: scaling\nEvery value agrees.\n"


@pytest.mark.parametrize("nothing", [None, ..., blank, passes, scaled_with_stub])
def test_a_blank_is_not_attempted(lab, nothing):
    with pytest.raises(NotAttempted, match=r"\.\.\."):
        lab.scale(nothing)
    assert lab.status == {"scaling": "not attempted"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda x: 2 * x, "You doubled"),
        (lambda x: 2.4 * x, "expected:"),
        (lambda x: x[:2], r"shape \(2,\); expected: \(4,\)"),
        (lambda x: np.append(x, 1), r"shape \(5,\); expected: \(4,\)"),
        (lambda x: (2.5 * x).astype(int), "fractions were cut off"),
        (lambda x: x * np.nan, "NaN"),
        (lambda x: x / 0 + 1, "infinity|NaN"),
        (lambda x: "2.5", "`str`"),
        (lambda x: [[1], [1, 2]], "numbers are expected"),
        (lambda x: print(end=""), "returned `None`"),
        (without_return, "returned `None`"),
        (constant, r"shape \(\); expected: \(4,\)"),
        (lambda: 1, "TypeError"),
        (scaled_in_place, "in place"),
        (raises, "NameError.*undefined_name"),
        (3, "A function is expected here, not .* `int`"),
    ],
)
def test_a_wrong_answer_says_what_is_wrong(lab, wrong, message):
    with pytest.raises(CheckFailed, match=f"(?s){message}") as caught:
        lab.scale(wrong)
    assert not isinstance(caught.value, NotAttempted)
    assert caught.value.title == "scaling"
    assert lab.status == {"scaling": "wrong"}


def test_a_missing_one_of_several_answers_is_named(lab):
    @lab.check("a size")
    def size(height, width):
        return "never reached"

    with pytest.raises(NotAttempted, match="`width` has no value yet"):
        size(3, None)


def test_a_change_inside_a_dictionary_is_noticed():
    def step(parameters):
        parameters["w"] -= 1
        return parameters

    def rebind(parameters):
        parameters["w"] = parameters["w"] - 1
        return parameters

    for change in [step, rebind, lambda parameters: parameters.setdefault("b", 0)]:
        with pytest.raises(CheckFailed, match=r"in place .* into a new dictionary"):
            call(change, {"w": np.ones(2)})
    assert call(lambda parameters: parameters | {"w": 0}, {"w": np.ones(2)}).value == {"w": 0}


def test_a_gap_in_the_input_is_no_change():
    assert call(np.nan_to_num, np.array([1, np.nan])).value.tolist() == [1, 0]


def test_an_error_in_the_students_code_quotes_their_line(lab):
    with pytest.raises(CheckFailed, match="return x / undefined_name"):
        lab.scale(raises)


def test_an_answer_that_breaks_the_check_gets_a_sentence(lab):
    @lab.check("fragile")
    def fragile(answer):
        return answer.no_such_attribute

    with pytest.raises(CheckFailed, match=r"could not be examined: AttributeError"):
        fragile(3)


def test_long_arguments_are_shortened():
    whole, many = np.arange(8), [np.arange(12)] * 5
    with pytest.raises(CheckFailed, match=r"raises\(\[0, 1, 2, 3, 4, 5, 6, 7\]\)"):
        call(raises, whole)
    with pytest.raises(CheckFailed, match=r"<lambda>\(<array \(12,\)>, <array"):
        call(lambda *arrays: None, *many)


def test_an_error_inside_a_library_quotes_the_students_innermost_line():
    def inverse(x):
        return np.linalg.inv(x)

    def solve(x):
        return inverse(x)

    number = inverse.__code__.co_firstlineno + 1
    with pytest.raises(CheckFailed, match=rf"line {number}: return np.linalg.inv\(x\)"):
        call(solve, np.zeros((2, 2)))


def test_an_error_inside_pythons_own_library_quotes_the_students_line():
    def answer(x):
        return inspect.signature(answer).bind(x, x)

    with pytest.raises(CheckFailed, match=r"line \d+: return inspect.signature\(answer\)"):
        call(answer, 3)


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda x: x ^ 2, r"TypeError.*no power: write `\*\*`"),
        (lambda x: math.exp(x), "TypeError.*takes one number"),
        (lambda x: float(x), "TypeError.*takes one number"),
        (lambda x: x[7], r"IndexError[^\n]*\n\n    line \d+: [^\n]*$"),
    ],
)
def test_a_common_slip_of_python_gets_its_advice_in_every_lab(answer, advice):
    with pytest.raises(CheckFailed, match=f"(?s){advice}"):
        call(answer, np.ones(3))


def test_of_an_error_the_first_lines_that_say_something_are_quoted():
    def stop(x):
        raise ValueError("Something stopped.\n\nThe shape is wrong.\nArguments: x")

    with pytest.raises(CheckFailed, match=r"Something stopped\. The shape is wrong\.\n"):
        call(stop, 1)


def test_a_line_of_the_helpers_is_not_quoted_as_the_students():
    def alter(x):
        return plots.images(x)

    number = alter.__code__.co_firstlineno + 1
    with pytest.raises(CheckFailed, match=rf"line {number}: return plots.images\(x\)"):
        call(alter, 5)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.array([0.5, 2]), "[0.5, 2. ]"),
        (np.zeros(12, int), "[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]"),
        (np.zeros(13), "<array (13,)>"),
        ([1, 2, 3], "[1, 2, 3]"),
        ([1, 2, 3, 4], "[1, 2, 3, 4]"),
        ((1, 2, 3, 4, 5), "<tuple of 5>"),
        (len, "len"),
        ("a" * 58, repr("a" * 58)),
        ("a" * 59, "<str>"),
        (object(), "<object>"),
    ],
)
def test_a_value_in_a_few_words(value, words):
    assert describe(value) == words


@pytest.mark.parametrize("shape", [(3, 2), (1, 2), (2,)])
def test_another_shape_than_asked_for_is_told(shape):
    assert Answer(np.ones(shape), "x").array(shape=shape).shape == shape
    with pytest.raises(CheckFailed, match=r"expected: \(2, 2\)"):
        Answer(np.ones(shape), "x").array(shape=(2, 2))


@pytest.mark.parametrize("wrong", [np.array([9, 9]), np.array([2.0, 5.0])])
def test_only_whole_numbers_are_said_to_be_cut_off(wrong):
    with pytest.raises(CheckFailed, match=r"^x is") as caught:
        Answer(wrong, "x").equals(np.array([2.5, 5]))
    assert "cut off" not in str(caught.value)


def test_powers_of_ten_are_shown_only_where_all_is_small():
    with pytest.raises(CheckFailed, match=r"\[0\.5, 0\. \]"):
        Answer(np.array([0.5, 1e-7]), "x").equals(np.array([2, 0]))
    with pytest.raises(CheckFailed, match=r"\[1\.e-04, 1\.e-07\]"):
        Answer(np.array([1e-4, 1e-7]), "x").equals(np.array([2, 0]))


def test_large_arrays_are_told_by_their_largest_difference():
    expected = np.zeros((20, 20))
    wrong = expected.copy()
    wrong[3, 7] = 1
    with pytest.raises(CheckFailed, match=r"`\[3, 7\]`: it is 1, expected: 0"):
        Answer(wrong, "The image").equals(expected)


def test_a_mistake_that_equals_the_right_answer_is_not_named():
    Answer(np.ones(3), "x").equals(np.ones(3), wrong=[(np.ones(3), "a mistake")])


def test_a_mistake_may_have_another_shape():
    wrong = [(np.zeros(2), "Too short."), (np.zeros((6, 6)), "Six, not seven.")]
    Answer(np.zeros(3), "x").equals(np.zeros(3), wrong=wrong)
    with pytest.raises(CheckFailed, match="Six, not seven"):
        Answer(np.zeros((6, 6)), "x").equals(np.zeros((7, 7)), wrong=wrong)


def test_tolerance_is_relative_to_the_largest_value():
    Answer(1e6 + 0.5, "x").equals(1e6)
    Answer(1e-9, "x").equals(0)
    with pytest.raises(CheckFailed):
        Answer(1.5, "x").equals(1.0)


def test_tensors_of_the_backend_are_accepted():
    import keras

    assert to_numpy(keras.ops.ones((2, 3))).shape == (2, 3)
    assert to_numpy({"a": 1}) is None


@pytest.mark.parametrize(
    ("value", "bar", "message"),
    [
        (0.5, {"at_least": 0.9}, r"is 0\.5; the bar is at least 0\.9. Look at the loss"),
        (3.0, {"at_most": 2.0}, "the bar is at most 2"),
        (97.0, {"at_least": 0.9}, "not a percentage"),
        (float("nan"), {"at_least": 0.9}, "diverged"),
        ("high", {"at_least": 0.9}, "one number"),
        ([0.9, 0.8], {"at_least": 0.9}, "one number"),
        ([], {"at_least": 0.9}, "one number"),
    ],
)
def test_reached_fails_below_the_bar(lab, value, bar, message):
    with pytest.raises(CheckFailed, match=message):
        lab.reached("test accuracy", value, hint="Look at the loss.", **bar)


def test_reached_passes_at_the_bar(lab, capsys):
    lab.reached("test accuracy", np.float32(0.95), at_least=0.9)
    lab.reached("error", 0.1, at_most=0.1)
    assert lab.status["test accuracy"] == lab.status["error"] == "correct"
    assert "0.95, asked for: at least 0.9" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "bar"),
    [
        (0.9, {"at_least": 0.9}),
        (1, {"at_least": 0.9}),
        (2.5, {"at_least": 2}),  # no fraction, so no percentage either
        (3, {"at_least": 0}),
        (3, {"at_least": -1}),
        (0.05, {"at_most": 0.1}),
    ],
)
def test_reached_passes_at_or_beyond_the_bar(lab, value, bar):
    lab.reached("result", value, **bar)
    assert lab.status["result"] == "correct"


def test_reached_is_not_attempted_without_a_value(lab):
    with pytest.raises(NotAttempted):
        lab.reached("test accuracy", None, at_least=0.9)


def test_reached_needs_exactly_one_bar(lab):
    with pytest.raises(TypeError, match="at_least"):
        lab.reached("test accuracy", 0.9)


def test_score_card_counts_and_lists(lab, capsys):
    lab.score_card()
    assert "0 of 1 correct" in capsys.readouterr().out
    with pytest.raises(CheckFailed):
        lab.scale(lambda x: x)
    lab.score_card()
    out = capsys.readouterr().out
    assert "✘ wrong" in out
    assert "Run a check again" in out
    lab.scale(lambda x: 2.5 * x)
    lab.score_card()
    out = capsys.readouterr().out
    assert "1 of 1 correct" in out
    assert "Every exercise is solved" in out


def test_the_changed_argument_is_named():
    def shift(x, y):
        y += 1
        return x + y

    with pytest.raises(CheckFailed, match="in place \\(argument 2\\)"):
        call(shift, np.zeros(2), np.zeros(2))


def test_an_error_of_a_library_is_short_and_plain():
    def broken(x):
        raise ValueError("\x1b[1mfirst\x1b[0m\nsecond\nthird")

    with pytest.raises(
        CheckFailed, match=r"ValueError: first second\n\n    line \d+: raise"
    ) as caught:
        call(broken, 1)
    assert "third" not in str(caught.value).split("line")[0]


def test_a_script_that_ends_in_a_failed_check_prints_no_stack(tmp_path):
    script = tmp_path / "answer.py"
    script.write_text(
        textwrap.dedent("""
            from helpers.checks.core import Lab
            lab = Lab("Example")
            lab.reached("test accuracy", 0.5, at_least=0.9)
        """)
    )
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "✘ Not yet: test accuracy" in run.stderr
    assert "Traceback" not in run.stderr


def test_where_nbgrader_validates_a_failure_says_all(monkeypatch):
    import nbclient
    import nbformat

    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_code_cell("from helpers.checks.core import Lab\nlab = Lab('Example')"),
        nbformat.v4.new_code_cell("lab.reached('test accuracy', 0.5, at_least=0.9)"),
    ]
    nbclient.NotebookClient(notebook, allow_errors=True, timeout=60).execute()
    lines = notebook.cells[1].outputs[-1].traceback
    assert lines[0] == "✘ Not yet: test accuracy"
    assert "at least 0.9" in lines[1]


def test_in_a_notebook_a_failure_is_a_panel_and_one_line():
    import nbclient
    import nbformat

    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_code_cell("from helpers.checks.core import Lab\nlab = Lab('Example')"),
        nbformat.v4.new_code_cell("lab.reached('test accuracy', 0.5, at_least=0.9)"),
        nbformat.v4.new_code_cell("lab.reached('test accuracy', 0.95, at_least=0.9)"),
    ]
    nbclient.NotebookClient(notebook, allow_errors=True, timeout=60).execute()
    panel, error = notebook.cells[1].outputs
    assert "✘ Not yet:" in panel.data["text/html"]
    assert panel.data["text/plain"].startswith("✘ Not yet: test accuracy")
    assert error.ename == "CheckFailed"
    assert error.traceback == ["Stopped at the check of test accuracy; the panel above says why."]
    (panel,) = notebook.cells[2].outputs
    assert "✔ Correct:" in panel.data["text/html"]
