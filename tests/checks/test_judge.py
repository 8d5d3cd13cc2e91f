"""Tests of what judges a function by many cases at once."""

import numpy as np
import pytest

from helpers.checks.core import CheckFailed, NotAttempted
from helpers.checks.judge import attempt, judge, same

CASES = [(np.array([1.0, 2.0]), 2), (np.array([3.0]), 5)]
MISTAKES = [
    ("You divide by {1}.", lambda x, factor: x / factor),
    ("One number came back.", lambda x, factor: ()),
]


def judged(answer, **settings):
    results = [attempt(answer, case) for case in CASES]
    rights = [x * factor for x, factor in CASES]
    judge(CASES, results, rights, MISTAKES, lambda case, array, right: "Off.", **settings)


def test_right_answers_pass():
    judged(lambda x, factor: [factor * value for value in x])


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda x, factor: x / factor, "You divide by 2"),
        (lambda x, factor: 7.0, "One number came back"),
        (lambda x, factor: x / factor if factor == 2 else x, "Off"),  # explains one case only
        (lambda x, factor: x * factor if factor == 2 else x / factor, "Off"),
        (lambda x, factor: "2", "numbers are expected"),
    ],
)
def test_a_mistake_is_named_only_if_it_explains_all(answer, message):
    with pytest.raises(CheckFailed, match=message):
        judged(answer)


def test_an_error_gets_its_hint():
    with pytest.raises(CheckFailed, match="Mind the 2"):
        judged(lambda x, factor: 1 / 0, errors=[("ZeroDivision", "Mind the {1}.")])


def test_another_message_stands_where_no_mistake_fits():
    with pytest.raises(CheckFailed, match="Something else"):
        judged(lambda x, factor: x, otherwise="Something else.")


def test_a_blank_is_not_attempted():
    def blank(x, factor):
        raise NotImplementedError

    with pytest.raises(NotAttempted):
        judged(blank)


def test_nan_equals_nan_and_nothing_else():
    assert same([1.0, np.nan], [1.0 + 1e-7, np.nan])
    assert not same([1.0, np.nan], [1.0, 0.0])
    assert not same([[1.0]], [1.0])
