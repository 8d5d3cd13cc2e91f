"""Checks of lab 08: splitting in time, windows, autoregression, forecasts, stateful batches, skill.

A wrong function is tried on every input before anything is said about it: a mistake is named only
if it explains all that came back.
"""

import functools
import itertools
import re

import numpy as np

from .core import Answer, CheckFailed, Lab, describe, to_numpy
from .judge import attempt, failed, judge, numbers, parts_at, same

lab = Lab("08 Time series")
reached = lab.reached
score_card = lab.score_card


def _series(n, d=None):
    """Return a random series, (n,) or (n, d), whose beginning and end differ and that drifts."""
    random = np.random.default_rng(n)
    steps = random.normal(size=(n + 3,) if d is None else (n + 3, d))
    smooth = steps[3:] + 0.8 * steps[2:-1] + 0.5 * steps[1:-2]
    return (smooth.T + 1 + np.arange(n) / n).T


# --- splitting and scaling -----------------------------------------------------------------------


@lab.check("split and scale")
def split_and_scale(answer):
    cases = [
        (np.array([3.0, 5, 4, 6, 8, 7, 10, 9, 13, 15]), 0.8),
        (_series(37), 0.7),
        (_series(22), 0.6),
        (_series(21) - 30, 0.75),
        (100 * _series(40), 0.35),
    ]
    names = "train", "test"
    pairs = [_pair(attempt(answer, case), names) for case in cases]
    lengths = [_length(pair) for pair in pairs]
    rounded = all(n in (None, round(p * len(x))) for (x, p), n in zip(cases, lengths, strict=True))
    cut = round if rounded else int
    rights, sample = ([_split_scaled(cut, ddof=d)(*case) for case in cases] for d in (0, 1))
    if all(map(_fits_pair, pairs, sample)):
        rights = sample
    shuffled = any(_out_of_order(case[0], pair) for case, pair in _both(cases, pairs))
    _judge_pairs(
        names,
        cases,
        pairs,
        rights,
        _split_mistakes(cut),
        _explain_split,
        otherwise=_SHUFFLED if shuffled else None,
    )
    rounding = "to the nearest; down is right as well" if rounded else "down"
    return (
        f"`train` is the beginning of the series (its length is rounded {rounding}), `test` all "
        "that follows, and both are scaled with the mean and the standard deviation of the "
        "training part alone."
    )


def _length(pair):
    array = None if failed(pair) else numbers(pair[0].value)
    return len(array) if array is not None and array.ndim else None


def _out_of_order(series, pair):
    """Tell whether the two parts are the values of the series, scaled alike, in another order."""
    parts = [] if failed(pair) else [numbers(part.value) for part in pair]
    if not parts or any(part is None for part in parts):
        return False
    both = np.concatenate([part.ravel() for part in parts])
    if both.size != series.size or not np.isfinite(both).all() or np.std(both) == 0:
        return False
    both, series = ((each - np.mean(each)) / np.std(each) for each in (both, series))
    return same(np.sort(both), np.sort(series)) and not same(both, series)


_SHUFFLED = (
    "These are the values of the series, but no longer in order of time. Don't shuffle or sort: "
    "`train` is the beginning, `test` what comes after it."
)
_BEFORE = (
    "Your test part lies before your training part. Time runs forward: train on the beginning, "
    "test on what comes after it."
)
# What becomes of the series, by its values and the length of the training part, and the message.
_SPLITS = [
    ("", lambda x, cut: (x[:cut], x[cut:])),
    (_BEFORE, lambda x, cut: (x[cut:], x[:cut])),
    (_BEFORE, lambda x, cut: (x[-cut:], x[:-cut])),
    (
        "`share` is the fraction for training; you give that fraction to the test part.",
        lambda x, cut: (x[:-cut], x[-cut:]),
    ),
    (
        "One value between the two parts is lost: `test` begins where `train` ends.",
        lambda x, cut: (x[:cut], x[cut + 1 :]),
    ),
]
_LEAK = (
    "Your scaler has seen the test set: mean and standard deviation come from the whole series. In "
    "real life the test part lies in the future, so only the training part may be used."
)
_RANGE = (
    "You scale by the smallest and the largest value. Here: subtract the mean, divide by the "
    "standard deviation."
)
# (what is subtracted, what divides) for the training and for the test part, and the message.
_SCALES = [
    ("", lambda train, test, x, std: 2 * [(train.mean(), std(train))]),
    (_LEAK, lambda train, test, x, std: 2 * [(x.mean(), std(x))]),
    (
        "Each part is scaled with its own mean and standard deviation, so one and the same value "
        "becomes two different numbers. Use those of the training part for both.",
        lambda train, test, x, std: [(train.mean(), std(train)), (test.mean(), std(test))],
    ),
    (
        "`test` is not scaled. It needs the mean and the standard deviation that `train` had "
        "*before* it was scaled (they are 0 and 1 afterwards): keep them in variables.",
        lambda train, test, x, std: [(train.mean(), std(train)), (0, 1)],
    ),
    (
        "You divide by the variance. The standard deviation is its square root, `np.std`.",
        lambda train, test, x, std: 2 * [(train.mean(), std(train) ** 2)],
    ),
    (_RANGE, lambda train, test, x, std: 2 * [(train.min(), np.ptp(train))]),
    (_RANGE, lambda train, test, x, std: 2 * [(x.min(), np.ptp(x))]),
    (
        "The parts are not scaled: subtract the mean and divide by the standard deviation.",
        lambda train, test, x, std: 2 * [(0, 1)],
    ),
    (
        "Only the mean is removed. Divide by the standard deviation, too.",
        lambda train, test, x, std: 2 * [(train.mean(), 1)],
    ),
    (
        "You divide by the standard deviation but don't subtract the mean first.",
        lambda train, test, x, std: 2 * [(0, std(train))],
    ),
    (
        "`a - b / c` is `a - (b / c)`: put the difference in brackets.",
        lambda train, test, x, std: 2 * [(train.mean() / std(train), 1)],
    ),
]
# How the two parts come back, and the message.
_RETURNED = [
    ("", lambda parts: parts),
    ("You return `test` first. The order is `train, test`.", lambda parts: parts[::-1]),
    (
        "The parts are tables of one column. Give them the shape of the series, which has one "
        "axis: `ravel()` takes the other away.",
        lambda parts: [part[:, None] for part in parts],
    ),
]


def _split_scaled(cut, split=_SPLITS[0][1], scale=_SCALES[0][1], end=_RETURNED[0][1], ddof=0):
    """Return an answer, right or wrong, made of its parts; `cut` is `int` or `round`."""

    def answer(series, share):
        parts = split(series, cut(share * len(series)))
        scales = scale(*parts, series, lambda values: np.std(values, ddof=ddof))
        return end([(part - a) / b for part, (a, b) in zip(parts, scales, strict=True)])

    return answer


def _split_mistakes(cut):
    found = []
    for choice in itertools.product(_SPLITS, _SCALES, _RETURNED):
        messages, parts = zip(*choice, strict=True)
        found.append((messages, *(_split_scaled(cut, *parts, ddof) for ddof in (0, 1))))
    return _fewest_first(found)


def _explain_split(name, case, array, right):
    series, share = case
    n, length = len(series), int(share * len(series))
    if array.shape != right.shape:
        return (
            f"The series has {n} values and `share` is {share}: `train` is its first {length} "
            f"values (`int(share * n)`), `test` the other {n - length}."
        )
    mean, std = np.mean(series[:length]), np.std(series[:length])
    return (
        f"In the training part of this series the mean is {mean:.4g} and the standard deviation "
        f"{std:.4g}. What does a value become with these two?"
    )


# --- rolling windows -----------------------------------------------------------------------------


@lab.check("rolling windows")
def rolling_windows(answer):
    cases = [
        (np.arange(1.0, 15), 7, 1, 2),  # the example of the text
        (_series(23), 5, 3, 2),
        (_series(20, 2), 4, 3, 3),
        (_series(31, 3), 6, 1, 1),
        (_series(19), 4, 2, 6),
        (_series(12, 1), 3, 2, 1),
        (_series(9), 6, 3, 2),
    ]
    names = "x", "y"
    pairs = [_pair(attempt(answer, case), names) for case in cases]
    for case, pair in _both(cases, pairs):
        _judge_ragged(case, pair)
    rights = [_windows(*case) for case in cases]
    _judge_pairs(names, cases, pairs, rights, _WINDOW_MISTAKES, _explain_windows, _WINDOW_ERRORS)
    for short in (9, 5):
        _judge_short(answer, _series(short), 7, 3, 2)
    return (
        "First, last and all other windows and targets are right, for one variable and for "
        "several, and a series too short for one window gives none."
    )


def _windows(series, n_in, n_out, stride, *, gap=0, starts=None):
    """Return (x, y) for windows at `starts`, those that don't fit left out; None without any.

    A target begins `gap` steps after its window has ended.
    """
    last = len(series) - n_in - n_out - gap
    starts = np.arange(0, last + 1, stride) if starts is None else starts[starts <= last]
    if len(starts) == 0:
        return None
    starts = starts[:, None]
    return series[starts + np.arange(n_in)], series[starts + n_in + gap + np.arange(n_out)]


def _windows_from(starts, gap=0):
    """Return the mistake whose windows begin at `starts(rest, count, ...)`.

    `rest` is the number of places to which a window can move, `count` the number of windows.
    """

    def mistake(series, n_in, n_out, stride):
        rest = len(series) - n_in - n_out
        begin = starts(rest, rest // stride + 1, n_in, stride)
        return _windows(series, n_in, n_out, stride, gap=gap, starts=begin)

    return mistake


def _windows_with(x=None, y=None):
    """Return the mistake that turns the right x and y; a part without a function can be anything.

    The functions get the right part, and the arguments `series, n_in, n_out, stride` of the call.
    """

    def mistake(*case):
        parts = _windows(*case)
        return [turn and turn(part, *case) for turn, part in zip((x, y), parts, strict=True)]

    return mistake


def _unchanged(part, *case):
    return part


def _strided(first, length):
    """Return the mistake that steps inside of windows `length` long that begin at `first`."""

    def mistake(series, n_in, n_out, stride):
        starts = first(np.arange(0, len(series) - n_in - n_out + 1, stride))
        x = [series[s : s + length(n_in, stride) : stride] for s in starts]
        return (np.array(x), None) if len(set(map(len, x))) == 1 else None

    return mistake


_INSIDE = (
    "The stride works inside your windows, so they skip values. It says how far the *next window* "
    "begins; each window has `n_in` values in a row."
)
_IGNORED = "The stride has no effect: your windows begin one step apart, not `stride` steps."
_GONE = "The last window is missing: the count is one more than the number of whole strides."

# The message of each mistake, then what it gives: (x, y), a part None if it can be anything.
_WINDOW_MISTAKES = [
    (
        "Your window includes the target: `y` begins with the last value of `x`. A slice `a:b` "
        "ends before b, so the value right after it is `series[b]`.",
        lambda *case: _windows(*case, gap=-1),
        _windows_from(lambda r, m, n, s: np.arange(m) * s, gap=-1),
    ),
    (
        "Your window includes the target: a row of `x` is longer than `n_in`. A slice `a:a + n_in` "
        "has `n_in` values.",
        lambda x, n_in, n_out, s: (_windows(x, n_in + 1, n_out - 1, s)[0], None),
        lambda x, n_in, n_out, s: (_windows(x, n_in + n_out, 0, s)[0], None),
    ),
    (
        "A step is lost between window and target: `y` begins one step too late. The slice `a:b` "
        "ends before b, so the value right after it is `series[b]`.",
        lambda *case: _windows(*case, gap=1),
    ),
    (
        f"{_GONE} With 14 steps, `n_in` 7, `n_out` 1 and stride 2 there are four.",
        _windows_from(lambda r, m, n, s: np.arange(m - 1) * s),
        _windows_from(lambda r, m, n, s: np.arange(0, r, s)),
    ),
    (
        f"{_GONE} Add the 1 after the division.",
        _windows_from(lambda r, m, n, s: np.arange((r + 1) // s) * s),
    ),
    (_IGNORED, _windows_from(lambda r, m, n, s: np.arange(r + 1))),
    (
        f"There are as many windows as there should be. {_IGNORED}",
        _windows_from(lambda r, m, n, s: np.arange(m)),
    ),
    (
        "Each of your windows begins where the one before ends. They may overlap: the next begins "
        "`stride` steps later.",
        _windows_from(lambda r, m, n, s: np.arange(0, r + 1, n)),
    ),
    (
        "Your first window begins at index 1. Python counts from 0: in the example with 14 steps "
        "the windows begin at 0, 2, 4, 6.",
        _windows_from(lambda r, m, n, s: np.arange(1, r + 1, s)),
    ),
    (
        "The first window is missing: it begins at index 0, before any stride.",
        _windows_from(lambda r, m, n, s: np.arange(s, r + 1, s)),
    ),
    (
        _INSIDE,
        _strided(lambda starts: starts, lambda n, s: n),
        _strided(lambda starts: np.arange(len(starts)), lambda n, s: n),
        _strided(lambda starts: starts, lambda n, s: n * s),
        _strided(lambda starts: np.arange(len(starts)), lambda n, s: n * s),
    ),
    (
        "The targets are right, but `y` has lost an axis where `n_out` is 1. Keep it: the shape is "
        "(m, 1), and with more variables (m, 1, d). A slice `a:a + 1` keeps it.",
        _windows_with(_unchanged, lambda y, *case: y[:, 0] if case[2] == 1 else y),
    ),
    (
        "A target is one value only in your `y`. It is the `n_out` values after the window, and "
        "they have an axis of their own even if `n_out` is 1.",
        _windows_with(_unchanged, lambda y, *case: y[:, 0]),
        _windows_with(_unchanged, lambda y, *case: y[:, -1]),
    ),
    (
        "Several variables are flattened into one row. Keep their axis: (m, n_in, d).",
        _windows_with(lambda x, *case: x.reshape(len(x), -1)),
        _windows_with(_unchanged, lambda y, *case: y.reshape(len(y), -1)),
    ),
    (
        "The variables come before the time in your windows (`sliding_window_view` does that): "
        "(m, n_in, d) is asked for. `np.moveaxis` puts an axis elsewhere.",
        _windows_with(lambda x, *case: np.moveaxis(x, -1, 1) if x.ndim == 3 else x),
        _windows_with(_unchanged, lambda y, *case: np.moveaxis(y, -1, 1) if y.ndim == 3 else y),
    ),
    (
        "A series of one variable gets an axis more in your windows. Its windows are (m, n_in).",
        _windows_with(lambda x, *case: x if x.ndim == 3 else x[..., None]),
        _windows_with(_unchanged, lambda y, *case: y if y.ndim == 3 else y[..., None]),
    ),
    (
        "Windows and steps have changed places: each *row* of `x` and of `y` belongs to a window.",
        _windows_with(lambda x, *case: np.swapaxes(x, 0, 1)),
    ),
    (
        "You return `y` first. The order is `x, y`: windows, then targets.",
        lambda *case: _windows(*case)[::-1],
    ),
    (
        "The values of a window run backwards. The oldest comes first.",
        _windows_with(lambda x, *case: x[:, ::-1]),
        _windows_with(_unchanged, lambda y, *case: y[:, ::-1]),
    ),
    (
        "Only the first window came back. Does the `return` stand inside the loop?",
        _windows_with(lambda x, *case: x[:1]),
        _windows_with(lambda x, *case: x[0]),
    ),
]
_WINDOW_ERRORS = [
    (
        "inhomogeneous|same shape|setting an array element|must match",
        "Windows or targets of different lengths don't make one array: does the last one reach "
        "past the end of the series, or has a target no end? The last window is the last one "
        "*whose target* still fits.",
    ),
    (
        "out of bounds",
        "A window or its target reaches past the end of the series, which has {0.shape[0]} steps.",
    ),
    ("broadcast", "A series can have several variables: its shape is {0.shape} here."),
]


def _judge_ragged(case, pair):
    """Fail if windows or targets have different lengths."""
    series, n_in, n_out, stride = case
    for name, part, length in zip("xy", () if failed(pair) else pair, (n_in, n_out), strict=False):
        if numbers(part.value) is not None or not isinstance(part.value, list | np.ndarray):
            continue
        lengths = [np.size(row) // (series[:1].size) for row in part.value]
        if len(set(lengths)) < 2:
            continue
        if name == "y" and lengths[0] == len(series) - n_in:
            text = "Your targets go on to the end of the series: they need an end, too."
        elif name == "x" and stride > 1 and same(part.value[0], series[: n_in * stride : stride]):
            text = _INSIDE
        else:
            text = (
                "The last ones reach past the end of the series and are cut short there. The last "
                "window is the last one *whose target* still fits."
            )
        raise CheckFailed(
            f"The parts of {part.what} have different lengths, {lengths[0]} in the first and "
            f"{lengths[-1]} in the last; each should have {length}. {text}"
        )


def _explain_windows(name, case, array, right):
    series, n_in, n_out, stride = case
    if array.shape[:1] != right.shape[:1]:
        starts = ", ".join(str(k * stride) for k in range(len(right)))
        return (
            f"The series has {len(series)} steps. With `n_in` {n_in}, `n_out` {n_out} and stride "
            f"{stride} windows begin at {starts}."
        )
    what = f"`n_in` = {n_in}" if name == "x" else f"`n_out` = {n_out}"
    variables = f" and {series.shape[1]} variables" if series.ndim == 2 else ""
    if array.shape != right.shape:
        return f"Each of the {len(right)} rows of `{name}` has {what} steps{variables}."
    k = next(k for k in range(len(right)) if not same(array[k], right[k]))
    first = k * stride + (0 if name == "x" else n_in)
    return f"`{name}[{k}]` should be `series[{first}:{first + right.shape[1]}]`."


def _judge_short(answer, series, n_in, n_out, stride):
    result = attempt(answer, (series, n_in, n_out, stride))
    if failed(result) and "stopped with an error" in str(result):
        return
    pair = _pair(result, ("x", "y"))
    if failed(pair):
        raise pair
    for part in pair:
        array = to_numpy(part.value)
        if array is None or array.size:
            raise CheckFailed(
                f"A series of {len(series)} steps is too short for `n_in` {n_in} and `n_out` "
                f"{n_out}, which need {n_in + n_out}, but {part.what} is {describe(part.value)}. "
                "Give arrays without any window, or raise a `ValueError`."
            )


# --- skill ---------------------------------------------------------------------------------------


@lab.check("skill")
def skill(answer):
    random = np.random.default_rng(8)
    truth = random.normal(size=(6, 4))
    cube = random.normal(size=(3, 2, 5))
    cases = [
        (np.array([1.0, 2, 3, 5]), np.array([1.0, 2, 3, 4]), np.array([1.0, 1, 2, 3])),
        (truth, truth + 0.4 * random.normal(size=(6, 4)), np.roll(truth, 1, axis=0)),
        (cube, cube + 2 * random.normal(size=cube.shape), 0.5 * cube),
        (truth[:, 0], truth[:, 0], truth[:, 1]),
        (truth[0], truth[1], truth[1]),
    ]
    results, rights = [attempt(answer, case) for case in cases], [_skill(*case) for case in cases]
    judge(cases, results, rights, _SKILL_MISTAKES, _explain_skill, _SKILL_ERRORS)
    return (
        "It is 1 for a perfect forecast, 0 for one as good as the reference, and negative for a "
        "worse one, whatever the shape of the arrays."
    )


def _mse(truth, forecast, axis=None):
    return np.mean((truth - forecast) ** 2, axis=axis)


def _mae(truth, forecast):
    return np.mean(np.abs(truth - forecast))


def _skill(truth, forecast, reference, axis=None):
    return 1 - _mse(truth, forecast, axis) / _mse(truth, reference, axis)


_ONE_MEAN = (
    "First take the mean of all squared errors of the forecast, and that of the reference; then "
    "divide the one by the other."
)
# The message of each mistake, then what it gives: t is the truth, f the forecast, r the reference.
_SKILL_MISTAKES = [
    (
        "You take the root: this is the ratio of the RMSE. Skill compares the MSE.",
        lambda t, f, r: 1 - np.sqrt(_mse(t, f) / _mse(t, r)),
    ),
    (
        "The ratio is upside down: the error of the forecast stands above the line, the error of "
        "the reference below.",
        lambda t, f, r: 1 - _mse(t, r) / _mse(t, f),
        lambda t, f, r: _mse(t, r) / _mse(t, f),
    ),
    (
        "This is the ratio of the errors. Skill is 1 *minus* the ratio: 1 is perfect.",
        lambda t, f, r: _mse(t, f) / _mse(t, r),
    ),
    (
        "The sign is wrong: skill is 1 minus the ratio, not the ratio minus 1.",
        lambda t, f, r: _mse(t, f) / _mse(t, r) - 1,
    ),
    (
        "This is R2, which compares the forecast with the mean of the truth. Compare it with "
        "`reference`.",
        lambda t, f, r: 1 - _mse(t, f) / np.var(t),
    ),
    (
        "You divide the squared errors one by one. A reference that happens to be right somewhere "
        f"gives a division by zero there. {_ONE_MEAN}",
        lambda t, f, r: np.mean(1 - (t - f) ** 2 / (t - r) ** 2),
        lambda t, f, r: 1 - (t - f) ** 2 / (t - r) ** 2,
    ),
    (
        "You take absolute errors. Skill compares the mean *squared* errors.",
        lambda t, f, r: 1 - _mae(t, f) / _mae(t, r),
    ),
    (
        "Your skill is never negative. It should be where the forecast is worse than the "
        "reference.",
        lambda t, f, r: np.abs(_skill(t, f, r)),
        lambda t, f, r: np.maximum(_skill(t, f, r), 0),
    ),
    (
        "You square the mean error, in which errors of opposite sign cancel. Square first.",
        lambda t, f, r: 1 - np.mean(t - f) ** 2 / np.mean(t - r) ** 2,
    ),
    (
        f"Your mean runs along one axis only. {_ONE_MEAN}",
        *(lambda t, f, r, a=axis: _skill(t, f, r, a if t.ndim > 1 else None) for axis in (0, -1)),
        *(
            lambda t, f, r, a=axis: np.mean(_skill(t, f, r, a if t.ndim > 1 else None))
            for axis in (0, -1)
        ),
    ),
    ("This is a percentage: give a fraction.", lambda t, f, r: 100 * _skill(t, f, r)),
    (
        "The difference of the errors is not divided by anything. 1 minus their *ratio* is asked.",
        lambda t, f, r: _mse(t, r) - _mse(t, f),
        lambda t, f, r: 1 - _mse(t, f),
    ),
]
_SKILL_ERRORS = [("ZeroDivisionError|too many|length", f"Arrays can have any shape. {_ONE_MEAN}")]


def _explain_skill(case, array, right):
    truth, forecast, reference = case
    if array.ndim:
        return f"One number is asked for, for all elements together. {_ONE_MEAN}"
    return (
        f"The MSE of the forecast is {_mse(truth, forecast):.4g}, that of the reference "
        f"{_mse(truth, reference):.4g}."
    )


# --- autoregression ------------------------------------------------------------------------------


@lab.check("autoregression")
def autoregression(answer):
    cases = [(_series(n), p) for n, p in [(12, 1), (30, 2), (45, 3), (80, 5)]]
    results = [attempt(answer, case) for case in cases]
    for result in results:
        if not failed(result) and isinstance(result.value, tuple) and len(result.value) == 4:
            raise CheckFailed(
                "All that `np.linalg.lstsq` gives came back: solution, residuals, rank, singular "
                "values. Return the first of the four."
            )
        if not failed(result) and _apart(result.value):
            raise CheckFailed(
                f"{result.what} returned two values that don't make one array. Constant and "
                "weights go into the same array, (p + 1,)."
            )
    rights = [_statsmodels(*case) for case in cases]
    judge(cases, results, rights, _fit_mistakes(), _explain_fit, _FIT_ERRORS)
    return "Constant and weights agree with statsmodels' `AutoReg`, for p = 1, 2, 3 and 5."


def _apart(value):
    return isinstance(value, tuple | list) and len(value) == 2 and to_numpy(value) is None


def _statsmodels(series, p):
    from statsmodels.tsa.ar_model import AutoReg

    return np.asarray(AutoReg(series, p).fit().params)


_LOST = "A row is lost: the equations run over all t from `p` to `n - 1`, which are n - p rows."
# The lags, the first t, how many t at the end are left out, and the message.
_LAGS = [
    ("", lambda p: (range(1, p + 1), p, 0)),
    (
        "The target is among your lags, so the fit only finds that a value equals itself. The row "
        "of `series[t]` holds `series[t - 1]` to `series[t - p]`.",
        lambda p: (range(p), p - 1, 0),
    ),
    (
        "Lag 0 is the target itself, so the fit only finds that a value equals itself. Lags begin "
        "with 1.",
        lambda p: (range(p + 1), p, 0),
    ),
    (
        "Your target comes one step too late: the newest value in a row is `series[t - 2]`, not "
        "`series[t - 1]`.",
        lambda p: (range(2, p + 2), p + 1, 0),
    ),
    (_LOST, lambda p: (range(1, p + 1), p, 1)),
    (_LOST, lambda p: (range(1, p + 1), p + 1, 0)),
    (
        "A lag is missing: `range(1, p)` ends with p - 1.",
        lambda p: (range(1, p), p, 0),
    ),
    (
        "At the beginning your lags come from the *end* of the series (`np.roll` and negative "
        "indices go around). The first target that has p values before it is `series[p]`.",
        lambda p: (range(1, p + 1), 0, 0),
    ),
]
_NO_CONSTANT = (
    "The constant is missing: the regression needs a column of ones, and its weight comes first."
)


def _without_mean(fit, series, p):
    return fit(series - series.mean(), p, constant=False)


# What comes back of a fit, and the message.
_CONSTANTS = [
    ("", lambda fit, x, p: fit(x, p)),
    (_NO_CONSTANT, lambda fit, x, p: fit(x, p, constant=False)),
    (_NO_CONSTANT, lambda fit, x, p: np.append(0, fit(x, p, constant=False))),
    (
        "The weights of the lags are right, but the constant is not among them. It comes first.",
        lambda fit, x, p: fit(x, p)[1:],
    ),
    ("The constant comes last. It should be first.", lambda fit, x, p: np.roll(fit(x, p), -1)),
    (
        "You subtract the mean instead of fitting a constant. Fit it as the weight of a column of "
        "ones, together with the lags.",
        _without_mean,
        lambda fit, x, p: np.append(0, _without_mean(fit, x, p)),
        lambda fit, x, p: np.append(x.mean(), _without_mean(fit, x, p)),
        lambda fit, x, p: np.append(
            x.mean() * (1 - _without_mean(fit, x, p).sum()), _without_mean(fit, x, p)
        ),
    ),
    (
        "This is a column of one number a row. The shape is (p + 1,): `ravel()` does it, or a "
        "target without a second axis.",
        lambda fit, x, p: fit(x, p)[:, None],
    ),
]
_ORDER_OF_LAGS = (
    "The weights come in the wrong order: lag 1, the newest value, is first. A slice of the series "
    "has the oldest value first."
)


def _fitted(lags, oldest_first):
    """Return the least squares fit with a set of lags, those of one row in one of two orders."""

    def fit(series, p, constant=True):
        columns, first, spare = lags(p)
        t = np.arange(first, len(series) - spare)
        rows = [series[t - lag] for lag in (columns[::-1] if oldest_first else columns)]
        rows = ([np.ones(len(t))] if constant else []) + rows
        if not rows:
            return np.zeros(0)
        return np.linalg.lstsq(np.array(rows).T, series[t], rcond=None)[0]

    return fit


def _fit_mistakes():
    found = []
    orders = [("", False), (_ORDER_OF_LAGS, True)]
    for lags, order, (message, *ends) in itertools.product(_LAGS, orders, _CONSTANTS):
        fit = _fitted(lags[1], order[1])
        ways = [lambda *case, end=end, fit=fit: end(fit, *case) for end in ends]
        found.append(([lags[0], order[0], message], *ways))
    yield from _fewest_first(found)
    right = _fitted(_LAGS[0][1], False)
    yield (
        "You fit the differences between neighbors. Fit the values themselves.",
        lambda x, p: right(np.diff(x), p),
    )


_FIT_ERRORS = [
    (
        "inhomogeneous",
        "The table has a row of 1 + p numbers for each t from `p` to `n - 1`: n - p rows. Here n "
        "is {0.size} and p is {1}. If you slice a row out of the series, look at the first one, of "
        "t = p: in a slice an end of -1 is the *last* value, not the place before index 0.",
    ),
    (
        "lstsq|matmul|dimension|[Ii]ncompatible|mismatch|same size|broadcast|must match",
        "The table has a row, and the target a value, for each t from `p` to `n - 1`: n - p of "
        "them. Here n is {0.size} and p is {1}. Look at the shapes of both.",
    ),
    ("out of bounds", "The series has {0.size} values; which t have {1} values before them?"),
]


def _explain_fit(case, array, right):
    series, p = case
    if array.shape != right.shape:
        return f"For p = {p} there are {p + 1} numbers, in one axis: constant and weights."
    t = np.arange(p, len(series))
    table = np.array([np.ones(len(t)), *(series[t - lag] for lag in range(1, p + 1))]).T
    yours, best = (np.sum((series[t] - table @ weights) ** 2) for weights in (array, right))
    return (
        f"With your numbers, taken as the constant and the weights of lag 1 to {p}, the squared "
        f"errors add up to {yours:.4g}; least squares gets them down to {best:.4g}."
    )


# --- the winner ----------------------------------------------------------------------------------

_TIE = 0.02  # another start of the weights moves a skill by as much
_NETWORKS = ["MLP, level", "MLP", "CNN", "SimpleRNN", "GRU", "LSTM"]
_NETWORKS += ["stacked LSTM", "bidirectional LSTM"]


@lab.check("the winner")
def winner(winner, skills):
    missing = [f"`{name}`" for name in _NETWORKS if name not in skills]
    if missing:
        raise CheckFailed(
            f"The table isn't complete: the skill of {', '.join(missing)} is missing. Run the cell "
            "that trains the networks, to its end, then this one."
        )
    known = {str(name).strip().lower(): name for name in skills}
    name = known.get(winner.strip().lower()) if isinstance(winner, str) else None
    if name is None:
        raise CheckFailed(
            f"Answer with one of the names {', '.join(map(repr, skills))}; this is "
            f"{describe(winner)}."
        )
    best = max(float(skill) for skill in skills.values())
    behind = best - float(skills[name])
    if behind == 0:
        return f"`{name}` it is: no other model has a higher skill."
    if behind <= _TIE + 1e-6:
        return f"`{name}` is within {_TIE} of the highest skill, which counts as a tie: accepted."
    better = sum(skills[other] > skills[name] for other in skills)
    raise CheckFailed(
        f"The skill of `{name}` is {float(skills[name]):.3f}, {behind:.3f} below the best, with "
        f"{better} of {len(skills)} models above it. Look again at the table: what makes this "
        "series easy or hard to forecast?"
    )


# --- recursive forecasts -------------------------------------------------------------------------


@lab.check("recursive forecast")
def recursive_forecast(answer):
    faults = []
    cases = [
        (_next_value(3, True, faults), np.array([0.5, -1.0, 2.0]), 5),
        (_next_value(4, False, faults), _series(4), 6),
        (_next_value(6, True, faults), _series(6), 3),
        (_next_value(1, False, faults), np.array([0.7]), 4),
        (_next_value(5, True, faults), _series(5), 1),
    ]
    results = []
    for case in cases:
        results.append(attempt(answer, case))
        if faults:
            raise CheckFailed(faults[0])
    rights = [np.ravel(_forecasts(*case)) for case in cases]
    judge(cases, results, rights, _FORECAST_MISTAKES, _explain_forecast, _FORECAST_ERRORS)
    return (
        "Each forecast is made from the newest `n_in` values, forecasts included, for models that "
        "answer (m, 1) or (m,), and the window you were given is left as it was."
    )


def _next_value(n_in, column, faults):
    """Return a model of windows (m, n_in) that answers (m, 1) or (m,) and notes any other input."""
    weights = np.cos(np.arange(n_in)) + np.arange(n_in) / n_in

    def model(x):
        array = to_numpy(x)
        shape = None if array is None or array.dtype.kind not in "biuf" else array.shape
        if shape is None or len(shape) != 2 or shape[1] != n_in:
            faults.append(_explain_input(x, shape, n_in))
            raise ValueError(faults[-1])
        result = np.sin(array @ weights + 0.3)
        return result[:, None] if column else result

    return model


def _explain_input(x, shape, n_in):
    if not shape:
        return (
            f"`model` is called with {describe(x)}, which is not an array of numbers (1, {n_in}). "
            "A forecast may come as an array: take the number out of it before you append it."
        )
    text = f"`model` is called with the shape {shape}; one window is (1, {n_in}) for it."
    if shape == (n_in,):
        return f"{text} It takes a batch of windows: put an axis in front, `window[None]`."
    if shape == (n_in, 1):
        return f"{text} Your new axis is behind the values: this is a batch of windows of length 1."
    if shape[-1] > n_in:
        return (
            f"{text} Your window grows: when a forecast is appended the oldest value has to leave."
        )
    if len(shape) > 2:
        return f"{text} This model has no axis for the variables."
    if shape[-1] < n_in:
        return f"{text} Your window shrinks: append each forecast when you drop the oldest value."
    return text


def _forecasts(model, window, n_out, move=lambda window, new: [*window[1:], new], windows=False):
    """Return what the model answers n_out times, or also the windows after each time."""
    answers, seen = [], []
    for _ in range(n_out):
        answers.append(model(np.array([window], dtype=float)))
        window = move(window, answers[-1].item())
        seen.append(window)
    return (np.array(answers), np.array(seen)) if windows else np.array(answers)


def _moved(move):
    return lambda *case: np.ravel(_forecasts(*case, move=move))


_NO_AXIS = "The shape is (n_out,): one number for each step, without another axis."
_FORECAST_MISTAKES = [
    (
        "Every forecast is the same: the window never moves on. Append the forecast and drop the "
        "oldest value before the next one.",
        _moved(lambda window, new: window),
    ),
    (
        "The forecast goes to the front of your window. The newest value stands at the end.",
        _moved(lambda window, new: [new, *window[:-1]]),
        _moved(lambda window, new: [new, *window[1:]]),
    ),
    (
        "The newest value is dropped from your window. Drop the *oldest*, which is the first.",
        _moved(lambda window, new: [*window[:-1], new]),
    ),
    (
        "What came back is the window after the last step. Return the forecasts.",
        lambda *case: _forecasts(*case, windows=True)[1][-1],
    ),
    (
        "The window you began with stands before your forecasts. Return the forecasts alone.",
        lambda model, window, n: np.append(window, _forecasts(model, window, n)),
    ),
    (
        "The last value of the window stands before your forecasts. The first number is the first "
        "forecast.",
        lambda model, window, n: np.append(window[-1], _forecasts(model, window, n)),
        lambda model, window, n: np.append(window[-1], _forecasts(model, window, n)[:-1]),
    ),
    (
        "There is one forecast too many: `n_out` are asked for.",
        lambda model, window, n: np.ravel(_forecasts(model, window, n + 1)),
    ),
    (
        "The first forecast is missing: it is made from the window as it was given.",
        lambda model, window, n: np.ravel(_forecasts(model, window, n + 1))[1:],
        lambda model, window, n: np.ravel(_forecasts(model, window, n))[1:],
    ),
    (
        "The last forecast is missing: `n_out` are asked for.",
        lambda model, window, n: np.ravel(_forecasts(model, window, n))[:-1],
    ),
    (
        "Only the last forecast came back. Collect one at each step.",
        lambda *case: np.ravel(_forecasts(*case))[-1],
        lambda *case: np.ravel(_forecasts(*case))[-1:],
        lambda *case: _forecasts(*case)[-1],
    ),
    (
        "Only the first forecast came back. Does the `return` stand inside the loop?",
        lambda *case: np.ravel(_forecasts(*case))[0],
        lambda *case: np.ravel(_forecasts(*case))[:1],
        lambda *case: _forecasts(*case)[0],
    ),
    (
        f"{_NO_AXIS} A model may answer (1, 1): take the number out of it.",
        lambda *case: np.ravel(_forecasts(*case))[:, None],
        lambda *case: np.ravel(_forecasts(*case))[None],
        lambda *case: _forecasts(*case),
        lambda *case: _forecasts(*case)[:, 0],
    ),
]
_FORECAST_ERRORS = [
    (
        "predict",
        "Here `model` is a function: it is called as `model(windows)`.",
    ),
    (
        "(?i)dimension|scalar|subscriptable|invalid index|too many indices|inhomogeneous|"
        "with a sequence",
        "Models answer (m, 1) or (m,), with m = 1 here. `np.ravel(...)[0]` is the number in both.",
    ),
]


def _explain_forecast(case, array, right):
    _, window, n_out = case
    if array.shape != right.shape:
        return f"The window has {len(window)} values; {n_out} forecasts are asked for. {_NO_AXIS}"
    k = int(np.flatnonzero(~np.isclose(array, right, atol=1e-5))[0])
    if k == 0:
        return "Already the first forecast is another: it is the model's answer to the window."
    return (
        f"The forecasts are right up to step {k}. The next one sees the newest {len(window)} "
        "values: of the window and of the forecasts so far, the oldest first."
    )


# --- batches for a stateful network --------------------------------------------------------------


@lab.check("batches for a stateful network")
def fold(answer):
    cases = [
        (np.arange(18.0), 2, 3),
        (_series(68), 3, 5),
        (_series(31, 2), 2, 4),
        (_series(21), 1, 4),
        (_series(11), 3, 3),
        (_series(29, 3), 4, 2),
    ]
    results, rights = [attempt(answer, case) for case in cases], [_folded(*case) for case in cases]
    forgotten = any(map(_variables_forgotten, cases, results))
    errors = _VARIABLES_ERRORS if forgotten else _FOLD_ERRORS
    judge(cases, results, rights, _fold_mistakes(), _explain_fold, errors)
    for case in [(_series(200), 3, 7), (_series(170, 2), 4, 5)]:
        _judge_state(attempt(answer, case), *case)
    return (
        "Every batch goes on where the one before ended: a running average whose state is handed "
        "from batch to batch ends as it does in one pass over each stretch."
    )


def _judge_state(result, series, batch, steps):
    """Fail unless a state that is handed on from batch to batch is that of one pass."""
    if failed(result):
        raise result
    k = len(series) // (batch * steps)
    batches = result.array(shape=(k, batch, steps, *series.shape[1:]))
    stretches = series[: k * batch * steps].reshape(batch, k * steps, *series.shape[1:])
    state = one_pass = np.zeros((batch, *series.shape[1:]))
    for j, block in enumerate(batches):
        for t in range(steps):
            state = 0.8 * state + 0.2 * block[:, t]
            one_pass = 0.8 * one_pass + 0.2 * stretches[:, j * steps + t]
        if not same(state, one_pass):
            raise CheckFailed(
                f"{result.what}: a running average whose state is handed from batch to batch is "
                f"no longer that of one pass over each stretch after batch {j}. Does row i of each "
                "batch go on where row i of the one before ended?"
            )


def _used(series, batch, steps):
    return series[: len(series) // (batch * steps) * batch * steps]


# What is left out of the series, and the message.
_REMAINDERS = [
    ("", _used),
    (
        "What doesn't fill whole windows is left out at the end; you left out the beginning.",
        lambda x, b, s: x[len(x) - len(_used(x, b, s)) :],
    ),
    (
        "Each of your stretches leaves out a bit at its own end. Cut the series to k * batch * "
        "steps values first: then each stretch begins where the one before ended.",
        lambda x, b, s: np.concatenate(
            [x[i * (len(x) // b) :][: len(_used(x, b, s)) // b] for i in range(b)]
        ),
    ),
]
_JUMPS = (
    "Time jumps inside a row. `reshape` counts on along the last axis first: begin with the "
    "stretches, (batch, k, steps), where the steps of a window stay side by side."
)
# How the values left are arranged, by their number of windows in a stretch, and the message.
_ARRANGED = [
    ("", lambda x, k, b, s: _cut_into(x, b, k, s).swapaxes(0, 1)),
    (
        "This is what a plain reshape gives: row i + 1 goes on where row i of the same batch "
        "ended. A stateful network hands the state of row i to row i of the *next batch*, so each "
        "row needs a stretch of its own. Reshape to the stretches first.",
        lambda x, k, b, s: _cut_into(x, k, b, s),
    ),
    (
        "The stretches are right, but they stand first: (batch, k, steps). The batches come first, "
        "(k, batch, steps): exchange the two axes with a transpose, not with a reshape.",
        lambda x, k, b, s: _cut_into(x, b, k, s),
    ),
    (_JUMPS, lambda x, k, b, s: _cut_into(x, k, s, b).swapaxes(1, 2)),
    (_JUMPS, lambda x, k, b, s: np.moveaxis(_cut_into(x, b, s, k), 2, 0)),
    (_JUMPS, lambda x, k, b, s: _cut_into(x, s, b, k).swapaxes(0, 2)),
    (
        "The steps come before the rows in your batches. The order is (k, batch, steps).",
        lambda x, k, b, s: np.moveaxis(_cut_into(x, b, k, s), 0, 2),
    ),
    (
        "The stretches are right, but not yet cut into windows of `steps`.",
        lambda x, k, b, s: _cut_into(x, b, k * s),
    ),
]
_AXES = [
    ("", lambda out: out),
    (
        "Several variables are flattened into the steps. Keep their axis: (k, batch, steps, d).",
        lambda out: out.reshape(*out.shape[:3], -1)[..., 0] if out.ndim == 3 else _flat(out),
    ),
    (
        "A series of one variable gets an axis more. Its batches are (k, batch, steps).",
        lambda out: out if out.ndim == 4 else out[..., None],
    ),
]


def _cut_into(series, *sides):
    return series.reshape(*sides, *series.shape[1:])


def _flat(out):
    return out.reshape(*out.shape[:2], -1)


def _folded(series, batch, steps, left=_used, arrange=_ARRANGED[0][1], end=_AXES[0][1]):
    """Return an answer, right or wrong, made of its parts."""
    k = len(series) // (batch * steps)
    return end(arrange(left(series, batch, steps), k, batch, steps))


def _fold_mistakes():
    def way(*parts):
        return lambda *case: _folded(*case, *parts)

    found = [
        ([message for message, _ in parts], way(*(part for _, part in parts)))
        for parts in itertools.product(_REMAINDERS, _ARRANGED, _AXES)
    ]
    return _fewest_first(found)


def _variables_forgotten(case, result):
    """Tell whether a reshape failed although what it got was cut to whole windows."""
    series, batch, steps = case
    if series.ndim == 1 or not failed(result):
        return False
    sizes = re.findall(r"(?:size|with) (\d+)", str(result))  # NumPy and PyTorch, TensorFlow
    return str(_used(series, batch, steps).size) in sizes


_VARIABLES_ERRORS = [
    (
        "(?i)reshape|invalid for input",
        "The series has {0.shape[1]} variables a step: keep their axis, "
        "`reshape(..., {0.shape[1]})`.",
    ),
]
_FOLD_ERRORS = [
    (
        "(?i)reshape|inhomogeneous|equal division|must match",
        "The series has the shape {0.shape}: n steps, and perhaps variables. What doesn't fill "
        "whole windows has to be cut off first: k * batch * steps steps are left, with "
        "k = n // (batch * steps).",
    ),
]


def _explain_fold(case, array, right):
    series, batch, steps = case
    k, n = len(right), len(series)
    if array.shape != right.shape and sorted(array.shape) == sorted(right.shape):
        order = "(k, batch, steps)" if series.ndim == 1 else "(k, batch, steps, d)"
        return f"The axes are in another order: {order} is asked for, here {right.shape}."
    if array.shape != right.shape:
        return (
            f"There are {n} steps; {batch} stretches of whole windows of {steps} have {k} windows "
            f"each, so {n - k * batch * steps} steps are left out at the end."
        )
    wrong = ((j, i) for j in range(k) for i in range(batch) if not same(array[j, i], right[j, i]))
    j, i = next(wrong)
    first = i * k * steps + j * steps
    return (
        f"Row {i} of batch {j} should be `series[{first}:{first + steps}]`: stretch {i} begins "
        f"at {i * k * steps}, and {j} windows of it went into the batches before."
    )


# --- without a state -----------------------------------------------------------------------------

_NEAR = 0.1  # a share that is expected may be off by this much


@lab.check("without a state")
def stateless(stateless, measured):
    value = to_numpy(stateless)
    if value is None or value.size != 1 or value.dtype.kind not in "iuf":
        raise CheckFailed(f"Answer with one number from 0 to 1; this is {describe(stateless)}.")
    share, measured = float(value.item()), float(measured)
    if not 0 <= share <= 1:
        raise CheckFailed(
            f"{share:g} is not a share. Give a fraction from 0 to 1, not a percentage: a quarter "
            "of all is 0.25."
        )
    off = share - measured
    if abs(off) <= _NEAR + 1e-6:
        return f"That is within {_NEAR} of what the stateless network reached."
    raise CheckFailed(
        f"{share:g} is {abs(off):.2f} too {'high' if off > 0 else 'low'}. What does a window "
        "contain when the last marker came before it began, and how good is a guess then?"
    )


# --- comparing -----------------------------------------------------------------------------------


def _both(first, second):
    return zip(first, second, strict=True)


def _fewest_first(found):
    """Yield the mistakes of a product of parts, those with the fewest messages first."""
    named = [([part for part in parts if part], *ways) for parts, *ways in found]
    named.sort(key=lambda mistake: len(mistake[0]))
    for parts, *ways in named:
        if parts:
            yield "\n\n".join(dict.fromkeys(parts)), *ways


def _pair(result, names):
    """Return the two parts of an answer as an :class:`Answer` each, or the failure it is."""
    if failed(result):
        return result
    value = result.value
    if isinstance(value, tuple | list) and len(value) == 2:
        value = [v.to_numpy() if hasattr(v, "to_numpy") else v for v in value]  # of pandas
        return [Answer(v, f"`{name}` of {result.what}") for v, name in _both(value, names)]
    came = f"{len(value)} values" if isinstance(value, tuple | list) else describe(value)
    raise CheckFailed(
        f"{result.what} returned {came}; expected: two arrays, `return {', '.join(names)}`."
    )


def _fits_pair(pair, guess, places=(0, 1)):
    """Tell whether the parts at `places` are as guessed; a guess of None is no guess."""
    if failed(pair) or guess is None:
        return True
    arrays = {place: numbers(pair[place].value) for place in places if guess[place] is not None}
    return all(array is not None and same(array, guess[p]) for p, array in arrays.items())


def _judge_pairs(names, cases, pairs, rights, mistakes, explain, errors=(), otherwise=None):
    """Judge answers of two parts: a mistake has to explain both.

    `pairs` come from `_pair`, `rights` are pairs, and so is what a way to make a mistake returns;
    `explain` gets the name of the part first. The part that goes wrong in an earlier case is shown.
    """

    def first_wrong(place):
        fine = (not failed(p) and _fits_pair(p, r, (place,)) for p, r in _both(pairs, rights))
        return next((k for k, right in enumerate(fine) if not right), len(cases))

    for place in sorted(range(len(names)), key=first_wrong):
        name = names[place]

        def explains_other(way, other=1 - place):
            return all(_fits_pair(p, way(*case), (other,)) for case, p in _both(cases, pairs))

        def part_of(way, place=place):
            return lambda *case: (way(*case) or (None, None))[place]

        judge(
            cases,
            parts_at(place, pairs),
            [right[place] for right in rights],
            (
                (message, *(part_of(way) for way in ways if explains_other(way)))
                for message, *ways in mistakes
            ),
            functools.partial(explain, name),
            errors,
            otherwise,
        )
