"""Rolling windows: the right values, no copies, and errors that say what to do."""

import numpy as np
import pandas as pd
import pytest

from helpers.windows import rolling_windows


@pytest.mark.parametrize("stride", [1, 2, 5])
@pytest.mark.parametrize("shape", [(23,), (23, 3), (23, 1)])
def test_each_window_and_target_are_the_steps_that_follow_each_other(shape, stride):
    series = np.random.default_rng(0).normal(size=shape)
    x, y = rolling_windows(series, 6, 2, stride)
    starts = range(0, 23 - 8 + 1, stride)
    assert x.shape == (len(starts), 6, *shape[1:])
    assert y.shape == (len(starts), 2, *shape[1:])
    for k, start in enumerate(starts):
        np.testing.assert_array_equal(x[k], series[start : start + 6])
        np.testing.assert_array_equal(y[k], series[start + 6 : start + 8])


def test_fourteen_steps_by_hand():
    x, y = rolling_windows(np.arange(14), 7, 1, 2)
    assert x[:, 0].tolist() == [0, 2, 4, 6]
    assert y.tolist() == [[7], [9], [11], [13]]


def test_a_series_of_just_one_pair():
    x, y = rolling_windows([1, 2, 3], 2, 1)
    assert (x.tolist(), y.tolist()) == ([[1, 2]], [[3]])


def test_windows_are_views_that_nobody_can_write_to():
    series = np.zeros((50, 2), "float32")
    x, y = rolling_windows(series, 5, 3)
    assert np.shares_memory(x, series)
    assert np.shares_memory(y, series)
    assert x.dtype == y.dtype == series.dtype
    for part in (x, y):
        with pytest.raises(ValueError, match="read-only"):
            part[0] = 1


def test_a_million_steps_are_not_copied():
    series = np.zeros((1_000_000, 5), "float32")
    x, y = rolling_windows(series, 64, 24)
    assert x.shape == (999_913, 64, 5)
    assert np.shares_memory(x, series)
    assert np.shares_memory(y, series)


def test_a_series_of_pandas_with_its_times():
    index = pd.date_range("2020-01-04", periods=9, freq="W")
    x, y = rolling_windows(pd.Series(np.arange(9.0), index), 3, 1, times=index)
    assert x.shape == (6, 3)
    assert y[-1] == 8


@pytest.mark.parametrize("name", ["n_in", "n_out", "stride"])
@pytest.mark.parametrize("value", [0, -1, 2.0, "3", None])
def test_sizes_are_positive_whole_numbers(name, value):
    sizes = {"n_in": 3, "n_out": 1, "stride": 1} | {name: value}
    with pytest.raises(ValueError, match=rf"{name} must be a whole number of steps, at least 1"):
        rolling_windows(np.arange(10), **sizes)


def test_sizes_may_be_numpy_integers():
    assert rolling_windows(np.arange(10), np.int64(3), np.uint8(1))[0].shape == (7, 3)


@pytest.mark.parametrize("series", [3.0, np.zeros((4, 4, 2))])
def test_other_shapes_are_refused(series):
    with pytest.raises(ValueError, match="time first"):
        rolling_windows(series, 2, 1)


@pytest.mark.parametrize("series", [["a", "b", "c", "d"], [1, None, 3, 4], [1, 2j, 3, 4]])
def test_what_is_no_number_is_refused(series):
    with pytest.raises(ValueError, match="must hold real numbers"):
        rolling_windows(series, 2, 1)


@pytest.mark.parametrize("with_times", [False, True])
@pytest.mark.parametrize("n", [0, 1, 87])
def test_a_series_too_short_for_one_pair(n, with_times):
    with pytest.raises(ValueError, match=rf"has {n} steps, .* 64 \+ 24 = 88: use a longer series"):
        rolling_windows(np.zeros(n), 64, 24, times=np.arange(n) if with_times else None)
    with pytest.raises(ValueError, match=r"3 \+ 3 = 6: use a longer series"):
        rolling_windows(np.zeros(5), 3, 3)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("shape", [(20,), (20, 3)])
def test_gaps_are_counted_and_the_first_is_named(shape, bad):
    series = np.zeros(shape)
    series[[12, 7, 8]] = bad
    message = "3 of 20 steps .* the first at index 7: fill or cut the gaps first"
    with pytest.raises(ValueError, match=message):
        rolling_windows(series, 4, 1)


def test_masked_values_are_gaps():
    series = np.ma.masked_equal([0, 1, -9, 3, 4], -9)
    with pytest.raises(ValueError, match=r"1 of 5 steps .* the first at index 2"):
        rolling_windows(series, 2, 1)
    assert rolling_windows(series[:2], 1, 1)[1] == 1
    with pytest.raises(ValueError, match=r"1 of 3 steps .* the first at index 1"):
        rolling_windows(np.ma.masked_invalid([0, np.nan, 2]), 1, 1)


DAYS = np.arange("2021-03-01", "2021-03-11", dtype="datetime64[D]")


@pytest.mark.parametrize("even", [DAYS, np.linspace(-10, 10, 10), 1960 + np.arange(10) / 12])
def test_times_that_are_even_pass(even):
    assert rolling_windows(np.zeros(10), 4, 2, times=even)[0].shape == (5, 4)


def test_months_are_even_as_months_but_not_as_days():
    months = np.arange("2021-01", "2021-11", dtype="datetime64[M]")
    assert rolling_windows(np.zeros(10), 4, 2, times=months)[0].shape == (5, 4)
    with pytest.raises(ValueError, match=r"from index 1 to 2 the step is 28 days, .* 31 days,"):
        rolling_windows(np.zeros(10), 4, 2, times=months.astype("datetime64[D]"))


@pytest.mark.parametrize("as_times", [lambda k: DAYS[0] + k, lambda k: 0.1 * k])
@pytest.mark.parametrize(
    ("index", "message"),
    [
        ([0, 1, 2, 4, 5, 6, 8, 9], "not evenly spaced: from index 2 to 3 .* even grid first"),
        ([0, 1, 2, 3, 3, 4, 5, 6], "at index 4 stands there twice: keep one"),
        ([0, 1, 2, 3, 5, 4, 6, 7], "at index 5 is earlier .* sort by time first"),
        ([7, 6, 5, 4, 3, 2, 1, 0], "at index 1 is earlier .* sort by time first"),
        ([0, 1, 2, 3, 4, 5, 6], r"has 8 steps, but times has the shape \(7,\)"),
        ([0, 1, 2, 3, 4, 5, 6, 7, 8], r"has 8 steps, but times has the shape \(9,\)"),
    ],
)
def test_times_with_a_fault_are_refused(as_times, index, message):
    with pytest.raises(ValueError, match=message):
        rolling_windows(np.zeros(8), 3, 1, times=as_times(np.array(index)))


def test_a_gap_in_times_is_said_in_units_that_people_read():
    index = pd.DatetimeIndex(["2020-01-01", "2020-01-08", "2020-01-15", "2020-01-29", "2020-02-05"])
    with pytest.raises(ValueError, match="step is 14 days, 0:00:00, and mostly it is 7 days, 0:00"):
        rolling_windows(np.zeros(5), 2, 1, times=index)


def test_two_times_are_even_and_three_may_not_be():
    assert rolling_windows(np.zeros(2), 1, 1, times=[0, 5])[0].shape == (1, 1)
    with pytest.raises(ValueError, match="not evenly spaced"):
        rolling_windows(np.zeros(3), 1, 1, times=[0, 1, 3])


def test_unsigned_times_that_fall_are_seen():
    with pytest.raises(ValueError, match=r"at index 1 is earlier"):
        rolling_windows(np.zeros(4), 2, 1, times=np.array([3, 2, 1, 0], "uint8"))


def test_times_as_text_are_refused():
    with pytest.raises(ValueError, match="numbers or datetime64"):
        rolling_windows(np.zeros(4), 2, 1, times=DAYS[:4].astype(str))


@pytest.mark.parametrize("missing", [np.nan, np.datetime64("NaT", "s")])
def test_the_first_missing_time_is_named(missing):
    times = np.arange(4.0) if missing is np.nan else DAYS[:4].copy()
    times[2:] = missing
    with pytest.raises(ValueError, match="time at index 2 is missing"):
        rolling_windows(np.zeros(4), 2, 1, times=times)
