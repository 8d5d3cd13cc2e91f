"""Judge a student's function by many cases at once, and explain what is wrong with all of them.

A wrong function is tried on every case before anything is said about it: a mistake is named only
if it explains all that came back.
"""

import functools
import re
import warnings

import numpy as np

from .core import Answer, CheckFailed, NotAttempted, call, describe, to_numpy

TOLERANCE = 1e-5  # Keras computes in float32, and so may an answer


def attempt(answer, case):
    """Return the :class:`.Answer` for the arguments in `case`, or the failure."""
    try:
        return call(answer, *case)
    except NotAttempted:
        raise
    except CheckFailed as failure:
        return failure


def failed(result):
    """Tell whether `attempt` returned the failure."""
    return isinstance(result, CheckFailed)


def require_value_error(result, why):
    """Return the text of the ValueError that was the right answer; fail with `why` without one."""
    if not failed(result):
        raise CheckFailed(f"{result.what} returned {describe(result.value)}. {why}")
    if match := re.search(r"stopped with an error\.\s+ValueError: ?(.*)", str(result)):
        return match[1]
    raise CheckFailed(f"{result}\n\n{why}")


def two_parts(result, names):
    """Return the two parts of an answer as an :class:`.Answer` each, or the failure it is."""
    if failed(result):
        return result
    value = result.value
    if not isinstance(value, tuple | list) or len(value) != 2:
        came = f"{len(value)} things" if isinstance(value, tuple) else describe(value)
        raise CheckFailed(f"{result.what} returned {came}; expected: `return {', '.join(names)}`.")
    return [Answer(v, f"`{name}` of {result.what}") for v, name in zip(value, names, strict=True)]


def parts_at(place, results):
    """Return one part of each answer that came in parts; a failure stays as it is."""
    return [result if failed(result) else result[place] for result in results]


def judge(
    cases, results, rights, mistakes, explain, errors=(), otherwise=None, tolerance=TOLERANCE
):
    """Fail at the first wrong result, with the mistake that explains all results if there is one.

    `results` are what `attempt` returned for each case, `rights` the right arrays. `mistakes` are
    tuples of a message and of functions of a case that return what the mistake gives, one for each
    way to make it: an array, a tuple for the shape alone, or None where it gives nothing.
    `otherwise` is the message where none fits, else `explain(case, array, right)` describes one
    wrong array. NaN or infinity where every right number is finite, or None from `explain`, is left
    to :class:`.Answer`, which says what is strange about the numbers.
    `errors` are pairs of a pattern in the text of an error and a hint. The arguments of the call
    fill in {0}, {1} and so on in messages and hints. Numbers, right or those of a mistake, are the
    same within `tolerance`.
    """
    arrays = [numbers_of(result) for result in results]
    wrong = [
        place
        for place, (array, right) in enumerate(zip(arrays, rights, strict=True))
        if array is None or not same(array, right, tolerance)
    ]
    if not wrong:
        return
    case, result, array, right = (each[wrong[0]] for each in (cases, results, arrays, rights))
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        message = next(
            (
                message
                for message, *ways in mistakes
                for mistake in ways
                if _fits(mistake, cases, arrays, rights, tolerance)
            ),
            otherwise,
        )
    message = message and message.format(*case)
    if failed(result):
        hint = next((hint for pattern, hint in errors if re.search(pattern, str(result))), "")
        parts = [str(result), hint.format(*case), message]
        raise CheckFailed("\n\n".join(filter(None, dict.fromkeys(parts))))  # nothing twice
    if array is None:
        result.array()
    always_finite = all(np.all(np.isfinite(each)) for each in rights)
    strange = always_finite and not np.all(np.isfinite(array))
    message = message or (None if strange else explain(case, array, right))
    if message is None:
        result.array()
    if array.shape != right.shape and max(array.size, right.size) > 12:
        versus = f"{result.what} has the shape {array.shape}; expected: {right.shape}."
    else:
        versus = result._versus(array, right)
    raise CheckFailed("\n\n".join(filter(None, [message, versus])))


def _fits(mistake, cases, arrays, rights, tolerance):
    """Tell whether a mistake explains every result: at least one wrong one, and the right ones."""
    explained = False
    for case, array, right in zip(cases, arrays, rights, strict=True):
        predicted = None if array is None else mistake(*case)
        if predicted is None:
            continue
        by_shape = isinstance(predicted, tuple)
        if not (array.shape == predicted if by_shape else same(array, predicted, tolerance)):
            return False
        explained = explained or not same(array, right, tolerance)
    return explained


def as_tuples(mistakes):
    """Return a dictionary {message: a way to make the mistake, or a list} as `judge` takes it."""
    return [(m, *(ways if isinstance(ways, list) else [ways])) for m, ways in mistakes.items()]


def evaluate(formula, scope):
    """Return the value of a formula, which is text, where its names are those of `scope`."""
    return eval(_compiled(formula), scope)


@functools.cache
def _compiled(formula):
    return compile(formula, "<formula>", "eval")


def numbers_of(result):
    """Return what came back as an array of numbers, or None, as for a failure."""
    return None if failed(result) else numbers(result.value)


def agrees(result, right, tolerance=TOLERANCE):
    """Tell whether the right numbers came back; those of a failure are not."""
    array = numbers_of(result)
    return array is not None and same(array, right, tolerance)


def numbers(value):
    """Return a value as an array of numbers, or None."""
    array = to_numpy(value)
    if array is not None and array.dtype == object and array.ndim == 1 and None in array:
        raise CheckFailed("There is `None` among your numbers. Give NaN, `np.nan`, instead.")
    return array if array is not None and array.dtype.kind in "biuf" else None


def close(array, expected, tolerance=TOLERANCE):
    """Compare numbers one by one; NaN equals NaN, and infinity equals itself.

    `tolerance` is relative to the largest expected magnitude (at least 1).
    """
    array, expected = np.asarray(array, dtype=float), np.asarray(expected, dtype=float)
    finite = np.abs(expected[np.isfinite(expected)])
    scale = max(1.0, np.max(finite, initial=0.0))
    return np.isclose(array, expected, rtol=0, atol=tolerance * scale, equal_nan=True)


def same(array, expected, tolerance=TOLERANCE):
    """Tell whether two arrays have one shape and equal numbers within `tolerance`."""
    return np.shape(array) == np.shape(expected) and bool(np.all(close(array, expected, tolerance)))
