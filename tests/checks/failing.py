"""What the tests of several labs' checks share."""

import contextlib
import os
import re
import time

import pytest

from helpers.checks.core import CheckFailed, NotAttempted

# Seconds of the processor in which a check answers. The slowest takes 0.5 where nothing else runs;
# the rest is for slower machines. JAX compiles each operation where it first meets its shapes.
AT_ONCE = 20 if os.environ.get("KERAS_BACKEND") == "jax" else 2


def blank(*arguments):
    """A body with nothing in it."""
    ...


def fails(test, *arguments, match, kind=CheckFailed):
    """Require a failure with a phrase of its message, and one that the check itself foresaw."""
    with pytest.raises(kind, match=match) as raised:
        test(*arguments)
    assert kind is NotAttempted or not isinstance(raised.value, NotAttempted)
    assert "could not be examined" not in str(raised.value)


def at_once(test, *arguments):
    """Require that the check `test` answers within `AT_ONCE`, whatever it says."""
    seconds = []
    for _ in range(2):  # in one of them Python may collect what other tests left
        start = time.process_time()
        with contextlib.suppress(CheckFailed):
            test(*arguments)
        seconds.append(time.process_time() - start)
    assert min(seconds) < AT_ONCE, test.__name__


def three_tests(right, wrong, also_blank=()):
    """Return the tests of right, wrong and blank answers, for a module to give them their names.

    `right` is {check: [answer, ...]}; `wrong` is {check: [(answer, phrase), ...]} or a list of
    (check, answer, phrase), where the phrase is one of the message, or a tuple of phrases any of
    which may be there. The checks in `also_blank` have right and wrong answers of another kind.
    """
    rights = [(test, answer) for test, answers in right.items() for answer in answers]
    if isinstance(wrong, dict):
        wrong = [(test, *pair) for test, pairs in wrong.items() for pair in pairs]

    @pytest.mark.parametrize(("test", "answer"), rights)
    def right_answers_pass(test, answer):
        test(answer)

    @pytest.mark.parametrize(("test", "answer", "phrase"), wrong)
    def wrong_answers_fail_with_their_message(test, answer, phrase):
        phrases = phrase if isinstance(phrase, tuple) else (phrase,)
        fails(test, answer, match="|".join(map(re.escape, phrases)))

    @pytest.mark.parametrize("test", [*right, *also_blank])
    @pytest.mark.parametrize("answer", [None, blank])
    def blanks_are_not_attempted(test, answer):
        fails(test, answer, match=r"\.\.\.", kind=NotAttempted)

    return right_answers_pass, wrong_answers_fail_with_their_message, blanks_are_not_attempted
