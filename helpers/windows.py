"""Rolling windows over a time series: what a network gets, and what it should say."""

import numbers

import numpy as np


def rolling_windows(series, n_in, n_out, stride=1, times=None):
    """Return every window of a series and the values right after it, without copying any.

    Window k covers ``series[k * stride : k * stride + n_in]``, and its target the `n_out` steps
    that follow. Only whole pairs are made: m = (n - n_in - n_out) // stride + 1.

    series: (n,) or (n, d) numbers in order of time, one step apart, without gaps.
    n_in, n_out, stride: whole numbers of steps, at least 1.
    times: optional (n,), numbers or datetimes of the steps, which are then checked: they must
        increase and be evenly spaced, to within 1 % of the usual step. For calendar months or
        years, whose lengths differ, give ``datetime64[M]`` or ``datetime64[Y]``.

    Returns (x, y): x (m, n_in) or (m, n_in, d), and y (m, n_out) or (m, n_out, d), both read-only
    views of the series: they take no memory of their own. `fit` of a Keras model copies what it
    gets, so hand it the windows of a very long series batch by batch.

    Raises ValueError, which says where and what to do, for values that are missing, infinite or
    no numbers, a series too short for one pair, other shapes, and times with a gap, a double or a
    step back.
    """
    for name, value in [("n_in", n_in), ("n_out", n_out), ("stride", stride)]:
        if not isinstance(value, numbers.Integral) or value < 1:
            raise ValueError(f"{name} must be a whole number of steps, at least 1, not {value!r}.")
    masked, series = np.ma.getmaskarray(series), np.asarray(series)
    if series.ndim not in (1, 2):
        raise ValueError(
            f"The series must have the shape (n,) or (n, d), time first, not {series.shape}."
        )
    if series.dtype.kind not in "biuf":
        raise ValueError(f"The series must hold real numbers, not {series.dtype}.")
    if times is not None:
        _require_even(times, len(series))
    unknown = masked | ~np.isfinite(series)
    missing = np.flatnonzero(unknown.any(axis=tuple(range(1, series.ndim))))
    if missing.size:
        raise ValueError(
            f"{missing.size} of {len(series)} steps hold NaN or infinite values, the first at index"
            f" {missing[0]}: fill or cut the gaps first."
        )
    if len(series) < n_in + n_out:
        raise ValueError(
            f"The series has {len(series)} steps, but one window and its target take"
            f" {n_in} + {n_out} = {n_in + n_out}: use a longer series, or a smaller n_in or n_out."
        )
    pairs = np.lib.stride_tricks.sliding_window_view(series, n_in + n_out, axis=0)[::stride]
    pairs = np.moveaxis(pairs, -1, 1)
    return pairs[:, :n_in], pairs[:, n_in:]


def _require_even(times, n):
    times = np.asarray(times)
    if times.shape != (n,):
        raise ValueError(f"The series has {n} steps, but times has the shape {times.shape}.")
    if times.dtype.kind not in "iufM":
        raise ValueError(f"The times must be numbers or datetime64, not {times.dtype}.")
    absent = np.flatnonzero(times != times)  # true of NaN and NaT alone
    if absent.size:
        raise ValueError(f"The time at index {absent[0]} is missing: drop or mend this step first.")
    steps = np.diff(times.astype("int64") if times.dtype.kind == "u" else times)
    zero = steps[:0].sum()  # 0 of the steps' own kind: a number or a length of time
    for wrong, fault in [
        (steps == zero, "stands there twice: keep one of the two"),
        (steps < zero, "is earlier than the one before: sort by time first"),
    ]:
        if wrong.any():
            k = int(np.argmax(wrong)) + 1
            raise ValueError(f"The time {times[k]} at index {k} {fault}.")
    if n > 2:
        usual = np.sort(steps)[len(steps) // 2]
        uneven = abs(steps / usual - 1) > 0.01
        if uneven.any():
            k = int(np.argmax(uneven)) + 1
            raise ValueError(
                f"The times are not evenly spaced: from index {k - 1} to {k} the step is"
                f" {_readable(steps[k - 1])}, and mostly it is {_readable(usual)}. Put the series"
                " on an even grid first, or make the windows of each part without a gap."
            )


def _readable(step):
    """Return "14 days, 0:00:00" for a length of time in whatever unit, else the number itself."""
    if step.dtype.kind == "m" and np.datetime_data(step.dtype)[0] not in "YM":
        return step.astype("timedelta64[us]").item()
    return step
