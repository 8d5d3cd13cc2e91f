"""The checks of lab 08 against right, blank and wrong answers."""

import numpy as np
import pandas as pd
import pytest
from failing import at_once, fails, three_tests
from keras import ops
from numpy.lib.stride_tricks import sliding_window_view
from statsmodels.tsa.api import AutoReg

from helpers.checks import series as check
from helpers.checks.core import CheckFailed, NotAttempted


def split(length=lambda series, share: int(share * len(series)), swap=False, mix=None, end=None):
    """A split and its scaling with a fault; `end` turns train, test and series into the result."""

    def split_and_scale(series, share):
        n = length(series, share)
        series = mix(series) if mix else series
        train, test = (series[n:], series[:n]) if swap else (series[:n], series[n:])
        if end:
            return end(train, test, series)
        return (train - np.mean(train)) / np.std(train), (test - np.mean(train)) / np.std(train)

    return split_and_scale


def z(values, by):
    return (values - by.mean()) / by.std()


def by_hand(series, share):
    n = round(share * len(series))
    mean = sum(series[:n]) / n
    std = (sum((value - mean) ** 2 for value in series[:n]) / n) ** 0.5
    scaled = [(value - mean) / std for value in series]
    return [scaled[:n], scaled[n:]]


def by_tensors(series, share):
    parts = np.split(np.float32(series), [int(share * len(series))])
    train, test = map(ops.convert_to_tensor, parts)
    mean, std = ops.mean(train), ops.std(train)
    return (train - mean) / std, (test - mean) / std


def by_pandas(series, share):
    return split(end=lambda a, b, x: (z(a, a), z(b, a)))(pd.Series(series), share)


def overwritten(train, test, series):
    train = z(train, train)
    return train, z(test, train)


def scaled_in_place(series, share):
    series -= series.mean()
    return split()(series, share)


def windows(
    step=lambda stride, n_in: stride,
    begin=0,
    gap=0,
    count=lambda room, stride: room // stride + 1,
    cut=lambda series, start, n_in, stride: series[start : start + n_in],
    target=None,
    end=np.array,
    result=lambda x, y: (x, y),
):
    """A loop over windows with a fault."""

    def rolling_windows(series, n_in, n_out, stride):
        x, y = [], []
        for k in range(count(len(series) - n_in - n_out, stride)):
            start = begin + k * step(stride, n_in)
            stop = start + n_in + gap
            x.append(cut(series, start, n_in, stride))
            y.append(target(series, stop, n_out) if target else series[stop : stop + n_out])
        return result(end(x), end(y))

    return rolling_windows


def until(stop, first=lambda stride: 0, gap=0, step=lambda stride, n_in: stride):
    """Windows whose starts are a range up to `stop(room, n_out)`."""

    def rolling_windows(series, n_in, n_out, stride):
        room = len(series) - n_in - n_out
        starts = range(first(stride), stop(room, n_out), step(stride, n_in))
        x = [series[s : s + n_in] for s in starts]
        y = [series[s + n_in + gap : s + n_in + gap + n_out] for s in starts]
        return np.array(x), np.array(y)

    return rolling_windows


def by_views(series, n_in, n_out, stride):
    both = sliding_window_view(series, n_in + n_out, axis=0)[::stride]
    both = np.moveaxis(both, -1, 1)
    return both[:, :n_in], both[:, n_in:]


def by_indices(series, n_in, n_out, stride):
    m = max(0, (len(series) - n_in - n_out) // stride + 1)
    place = np.arange(m)[:, None] * stride + np.arange(n_in + n_out)
    return np.float32(series[place[:, :n_in]]), ops.convert_to_tensor(series[place[:, n_in:]])


def strict(series, n_in, n_out, stride):
    if len(series) < n_in + n_out:
        raise ValueError("too short")
    return windows(end=list)(series, n_in, n_out, stride)


def eager(series, n_in, n_out, stride):
    if len(series) < n_in + n_out:
        return series[None], series[None]
    return strict(series, n_in, n_out, stride)


def turned(x=lambda part: part, y=lambda part: part):
    return lambda *case: [turn(part) for turn, part in zip((x, y), windows()(*case), strict=True)]


def variables_first(part):
    return np.moveaxis(part, -1, 1) if part.ndim == 3 else part


def regression(lags=lambda p: range(1, p + 1), first=lambda p: p, spare=0, one=True, end=None):
    """Least squares with a fault."""

    def autoregression(series, p):
        t = np.arange(first(p), len(series) - spare)
        table = np.stack([np.ones(len(t))] * one + [series[t - lag] for lag in lags(p)], axis=1)
        solution = np.linalg.lstsq(table, series[t], rcond=None)
        return end(*solution) if end else solution[0]

    return autoregression


def normal_equations(series, p):
    rows = [[1, *series[t - p : t][::-1]] for t in range(p, len(series))]
    table = np.array(rows)
    return np.linalg.solve(table.T @ table, table.T @ series[p:]).astype("float32").tolist()


def centered(series, p):
    weights = regression(one=False)(series - series.mean(), p)
    return np.append(series.mean(), weights)


def crooked(series, p):
    table = sliding_window_view(series, p)
    return np.linalg.lstsq(table, series[p:], rcond=None)[0]


def rows_backwards(series, p):
    table = [[1, *series[t - 1 : t - p - 1 : -1]] for t in range(p, len(series))]
    return np.linalg.lstsq(np.array(table), series[p:], rcond=None)[0]


def forecast(
    move=lambda window, new: np.append(window[1:], new),
    ask=lambda model, window: model(window[None]),
    take=lambda answer: np.ravel(answer)[0],
    end=lambda result, window, first: np.array(result),
    more=0,
):
    """A recursive forecast with a fault."""

    def recursive_forecast(model, window, n_out):
        first, result = window, []
        for _ in range(n_out + more):
            result.append(take(ask(model, window)))
            window = move(window, np.ravel(result[-1])[0])
        return end(result, window, first)

    return recursive_forecast


def by_list(model, window, n_out):
    values = list(window)
    for _ in range(n_out):
        values.append(float(np.squeeze(model([values[-len(window) :]]))))
    return values[len(window) :]


def by_roll(model, window, n_out):
    window, result = window.astype("float32"), np.zeros(n_out)
    for step in range(n_out):
        result[step] = model(window.reshape(1, -1)).item()
        window = np.roll(window, -1)
        window[-1] = result[step]
    return result


def forecast_into_zeros(model, window, n_out):
    result = np.zeros(n_out)
    for step in range(n_out):
        result[step] = model(window[None])
        window = np.append(window[1:], result[step])
    return result


def in_place(model, window, n_out):
    for _ in range(n_out):
        new = model(window[None]).item()
        window[:-1] = window[1:]
        window[-1] = new
    return window


def folded(order, axes=None, left=lambda series, used: series[:used], end=lambda out: out):
    """A reshape to the sides named in `order` and an order of axes, with a fault."""

    def fold(series, batch, steps):
        k = len(series) // (batch * steps)
        sides = [{"k": k, "b": batch, "s": steps}[side] for side in order]
        out = left(series, k * batch * steps).reshape(*sides, *series.shape[1:])
        return end(np.moveaxis(out, axes, (0, 1, 2)) if axes else out)

    return fold


def by_loop(series, batch, steps):
    k = len(series) // (batch * steps)
    starts = [[i * k * steps + j * steps for i in range(batch)] for j in range(k)]
    return [[np.float32(series[s : s + steps]).tolist() for s in row] for row in starts]


def by_split(series, batch, steps):
    k = len(series) // (batch * steps)
    stretches = np.split(series[: k * batch * steps], batch)
    return ops.stack([np.stack(np.split(stretch, k)) for stretch in stretches], axis=1)


def uneven(series, batch, steps):
    length = len(series) // batch
    k = length // steps
    stretches = [series[i * length : i * length + k * steps] for i in range(batch)]
    return np.stack([s.reshape(k, steps, *series.shape[1:]) for s in stretches], axis=1)


def uncut(series, batch, steps):
    return series.reshape(batch, -1, steps, *series.shape[1:]).swapaxes(0, 1)


def variables_forgotten(series, batch, steps):
    k = len(series) // (batch * steps)
    return series[: batch * k * steps].reshape(batch, k, steps).swapaxes(0, 1)


def uncut_stretches(series, batch, steps):
    return folded("bks")(series, batch, steps).reshape(batch, -1, *series.shape[1:])


def one_more_axis(out):
    return out if out.ndim == 4 else out[..., None]


def right_when_small(series, batch, steps):
    return (folded("bks", (1, 0, 2)) if len(series) < 100 else folded("kbs"))(series, batch, steps)


def mse(a, b, axis=None):
    return np.mean((a - b) ** 2, axis=axis)


def skill(truth, forecast, reference):
    return 1 - mse(truth, forecast) / mse(truth, reference)


def skill_by_loop(truth, forecast, reference):
    triples = list(zip(truth.flat, forecast.flat, reference.flat, strict=True))
    wrong = sum((t - f) ** 2 for t, f, _ in triples)
    return float(1 - wrong / sum((t - r) ** 2 for t, _, r in triples))


def skill_by_tensors(truth, forecast, reference):
    truth, forecast, reference = (np.float32(each) for each in (truth, forecast, reference))
    return 1 - ops.sum(ops.square(truth - forecast)) / ops.sum(ops.square(truth - reference))


RIGHT = {
    check.split_and_scale: [
        split(),
        by_hand,
        by_tensors,
        by_pandas,
        split(end=lambda a, b, x: ((a - a.mean()) / a.std(ddof=1), (b - a.mean()) / a.std(ddof=1))),
    ],
    check.rolling_windows: [windows(), by_views, by_indices, strict],
    check.autoregression: [regression(), normal_equations, lambda x, p: AutoReg(x, p).fit().params],
    check.recursive_forecast: [forecast(), by_list, by_roll],
    check.fold: [folded("bks", (1, 0, 2)), by_loop, by_split],
    check.skill: [skill, skill_by_loop, skill_by_tensors],
}

WRONG = {
    check.split_and_scale: [
        (split(end=lambda a, b, x: (z(a, x), z(b, x))), "has seen the test set"),
        (split(end=lambda a, b, x: (z(a, a), z(b, b))), "its own mean"),
        (split(mix=np.random.default_rng(1).permutation), "order of time"),
        (split(swap=True), "lies before your training part"),
        (split(length=lambda x, s: len(x) - int(s * len(x)), swap=True), "lies before"),
        (split(length=lambda x, s: len(x) - int(s * len(x))), "fraction for training"),
        (split(length=lambda x, s: int(s * len(x)) + 1), "`int(share * n)`"),
        (
            split(end=lambda a, b, x: ((a - a.mean()) / a.var(), (b - a.mean()) / a.var())),
            "by the variance",
        ),
        (
            split(end=lambda a, b, x: ((a - a.min()) / np.ptp(a), (b - a.min()) / np.ptp(a))),
            "smallest and the largest",
        ),
        (split(end=lambda a, b, x: (a, b)), "parts are not scaled"),
        (split(end=lambda a, b, x: (a - a.mean(), b - a.mean())), "Only the mean"),
        (split(end=lambda a, b, x: (a / a.std(), b / a.std())), "don't subtract"),
        (split(end=lambda a, b, x: (z(a, a), b)), "`test` is not scaled"),
        (split(end=overwritten), "`test` is not scaled"),
        (split(end=lambda a, b, x: (a - a.mean() / a.std(), b - a.mean() / a.std())), "brackets"),
        (split(end=lambda a, b, x: (z(b, a), z(a, a))), "return `test` first"),
        (split(end=lambda a, b, x: (z(a, a), z(b, a), a.mean(), a.std())), "4 values"),
        (split(end=lambda a, b, x: z(a, a)), "two arrays"),
        (split(end=lambda a, b, x: (z(a, a), z(b[1:], a))), "between the two parts"),
        (split(end=lambda a, b, x: (z(a, a)[:, None], z(b, a)[:, None])), "one column"),
        (split(end=lambda a, b, x: (z(a, a), 2 * z(b, a))), "What does a value become"),
        (split(end=lambda a, b, x: (z(a, a), z(b, a) / 0)), "division by zero"),
        (scaled_in_place, "in place"),
        (lambda series, share: split()(series[: share * len(series)], 1), "stopped with an error"),
    ],
    check.rolling_windows: [
        (windows(gap=-1), "includes the target"),
        (windows(gap=-1), " 8."),  # the targets that the text names are the expected ones
        (until(lambda room, n_out: room + 2, gap=-1), "includes the target"),
        (windows(cut=lambda x, s, n, _: x[s : s + n + 1]), "longer than `n_in`"),
        (until(lambda room, n_out: room, gap=1), "one step too late"),
        (windows(count=lambda room, stride: room // stride), "last window is missing"),
        (until(lambda room, n_out: room), "last window is missing"),
        (windows(count=lambda room, stride: (room + 1) // stride), "after the division"),
        (until(lambda room, n_out: room + n_out + 1), "past the end"),
        (windows(count=lambda room, stride: room // stride + 2, end=list), "different lengths"),
        (until(lambda room, n_out: room + 1, step=lambda s, n: 1), "stride has no effect"),
        (windows(step=lambda s, n: 1), "as many windows"),
        (until(lambda room, n_out: room + 1, step=lambda s, n: n), "one before ends"),
        (until(lambda room, n_out: room + 1, first=lambda s: 1), "counts from 0"),
        (until(lambda room, n_out: room + 1, first=lambda s: s), "first window is missing"),
        (windows(cut=lambda x, s, n, k: x[s : s + n : k]), "inside your windows"),
        (windows(cut=lambda x, s, n, k: x[s : s + n * k : k]), "inside your windows"),
        (windows(cut=lambda x, s, n, k: x[s : s + n * k : k], end=list), "inside your windows"),
        (windows(target=lambda x, s, n: x[s:], end=list), "need an end"),
        (windows(target=lambda x, s, n: x[s:]), "has a target no end"),
        (windows(target=lambda x, s, n: x[s]), "one value only"),
        (turned(y=lambda y: y[:, 0] if y.shape[1] == 1 else y), "lost an axis"),
        (turned(x=lambda x: x.reshape(len(x), -1)), "flattened"),
        (turned(variables_first, variables_first), "before the time"),
        (turned(x=lambda x: x if x.ndim == 3 else x[..., None]), "an axis more"),
        (turned(x=lambda x: x.swapaxes(0, 1)), "changed places"),
        (windows(result=lambda x, y: (y, x)), "`y` first"),
        (turned(x=lambda x: x[:, ::-1]), "backwards"),
        (turned(lambda x: x[:1], lambda y: y[:1]), "Only the first window"),
        (windows(result=lambda x, y: x), "expected: two arrays"),
        (turned(y=lambda y: y + 1), "`y[0]` should be `series[7:8]`"),
        (lambda x, i, o, s: windows()(x.ravel(), i, o, s), "begin at 0, 3, 6, 9, 12"),
        (eager, "too short"),
    ],
    check.autoregression: [
        (regression(lags=lambda p: range(p, 0, -1)), "wrong order"),
        (regression(end=lambda a, *_: a[[0, *range(len(a) - 1, 0, -1)]]), "wrong order"),
        (regression(one=False), "constant is missing"),
        (crooked, "n - p of them"),
        (rows_backwards, "end of -1"),
        (regression(end=lambda a, *_: (a[0], a[1:])), "the same array"),
        (regression(end=lambda a, *_: [a[1:], a[0]]), "the same array"),
        (regression(end=lambda a, *_: a[1:]), "not among them"),
        (regression(end=lambda a, *_: np.append(a[1:], a[0])), "comes last"),
        (regression(end=lambda a, *_: a[::-1]), "comes last"),
        (regression(lags=range, first=lambda p: p - 1), "target is among your lags"),
        (regression(lags=lambda p: range(p + 1)), "Lag 0 is the target"),
        (regression(lags=lambda p: range(2, p + 2), first=lambda p: p + 1), "one step too late"),
        (regression(spare=1), "A row is lost"),
        (regression(first=lambda p: p + 1), "A row is lost"),
        (regression(first=lambda p: 0), "`np.roll`"),
        (regression(lags=lambda p: range(1, p)), "A lag is missing"),
        (centered, "subtract the mean"),
        (lambda x, p: regression()(np.diff(x), p), "differences"),
        (regression(end=lambda a, *_: a[:, None]), "column of one number"),
        (regression(end=lambda *all_of_it: all_of_it), "first of the four"),
        (regression(end=lambda a, *_: 0.9 * a), "squared errors add up"),
        (regression(end=lambda a, *_: a[:1]), "numbers, in one axis"),
    ],
    check.recursive_forecast: [
        (forecast(move=lambda window, new: window), "never moves on"),
        (forecast(move=np.append), "Your window grows"),
        (forecast(move=lambda window, new: np.append(new, window[:-1])), "to the front"),
        (forecast(move=lambda window, new: np.append(window[:-1], new)), "newest value is dropped"),
        (forecast(move=lambda window, new: window[1:]), "shrinks"),
        (in_place, "in place"),
        (forecast(end=lambda result, window, first: window), "after the last step"),
        (forecast(end=lambda result, window, first: [*first, *result]), "began with"),
        (forecast(end=lambda result, window, first: [first[-1], *result]), "last value of"),
        (forecast(more=1), "one forecast too many"),
        (forecast(more=1, end=lambda result, *_: result[1:]), "first forecast is missing"),
        (forecast(more=-1), "last forecast is missing"),
        (forecast(end=lambda result, window, first: result[-1]), "Only the last"),
        (forecast(end=lambda result, window, first: result[0]), "Only the first"),
        (forecast(ask=lambda model, window: model(window)), "`window[None]`"),
        (forecast(ask=lambda model, window: model(window[:, None])), "behind the values"),
        (forecast(ask=lambda model, window: model(window[None, :, None])), "no axis for"),
        (forecast(ask=lambda model, window: model(window[-1])), "not an array of numbers"),
        (forecast(ask=lambda model, window: model.predict(window[None])), "is a function"),
        (forecast(end=lambda result, *_: np.reshape(result, (-1, 1))), "shape is (n_out,)"),
        (forecast(take=lambda answer: answer), "shape is (n_out,)"),
        (forecast(take=lambda answer: answer[0]), "shape is (n_out,)"),
        (forecast(take=lambda answer: answer[0][0]), "the number in both"),
        (forecast_into_zeros, "the number in both"),
        (forecast(move=lambda window, new: np.append(window[1:], 2 * new)), "up to step 1"),
        (forecast(end=lambda result, *_: np.array(result) + 1), "Already the first"),
    ],
    check.fold: [
        (folded("kbs"), "what a plain reshape gives"),
        (folded("bks"), "stretches are right, but they stand first"),
        (folded("bks", (1, 0, 2), left=lambda x, n: x[len(x) - n :]), "left out the beginning"),
        (folded("kbs", left=lambda x, n: x[len(x) - n :]), "left out the beginning"),
        (uneven, "at its own end"),
        (uncut, "has to be cut off first"),
        (variables_forgotten, "2 variables a step: keep their axis, `reshape(..., 2)`"),
        (folded("bks", end=np.transpose), "axes are in another order"),
        (folded("bks", end=lambda out: out.swapaxes(0, 2)), "axes are in another order"),
        (folded("ksb", (0, 2, 1)), "Time jumps"),
        (folded("bsk", (2, 0, 1)), "Time jumps"),
        (folded("bks", (1, 2, 0)), "steps come before the rows"),
        (
            folded("bks", (1, 0, 2), end=lambda out: out.reshape(*out.shape[:2], -1)),
            "flattened into the steps",
        ),
        (folded("bks", (1, 0, 2), end=one_more_axis), "gets an axis more"),
        (uncut_stretches, "not yet cut into windows"),
        (folded("bks", (1, 0, 2), end=lambda out: out[::-1]), "Row 0 of batch 0"),
        (folded("bks", (1, 0, 2), end=lambda out: out[:-1]), "3 windows each"),
        (right_when_small, "Does row i of each batch go on"),
    ],
    check.skill: [
        (lambda t, f, r: 1 - mse(t, f) ** 0.5 / mse(t, r) ** 0.5, "RMSE"),
        (lambda t, f, r: 1 - mse(t, r) / mse(t, f), "upside down"),
        (lambda t, f, r: skill(t, r, f), "upside down"),
        (lambda t, f, r: mse(t, f) / mse(t, r), "1 *minus* the ratio"),
        (lambda t, f, r: 1 - mse(t, f) / np.var(t), "R2"),
        (lambda t, f, r: np.mean(1 - (t - f) ** 2 / (t - r) ** 2), "one by one"),
        (lambda t, f, r: 1 - np.abs(t - f).mean() / np.abs(t - r).mean(), "absolute errors"),
        (lambda t, f, r: abs(skill(t, f, r)), "never negative"),
        (lambda t, f, r: max(0, skill(t, f, r)), "never negative"),
        (lambda t, f, r: 1 - mse(t, f, 0) / mse(t, r, 0), "one axis only"),
        (lambda t, f, r: 1 - (t - f).mean() ** 2 / (t - r).mean() ** 2, "cancel"),
        (lambda t, f, r: 100 * skill(t, f, r), "percentage"),
        (lambda t, f, r: 1 - mse(t, f), "not divided"),
        (lambda t, f, r: 2 + skill(t, f, r), "The MSE of the forecast is"),
    ],
}


(
    test_right_answers_pass,
    test_wrong_answers_fail_with_their_message,
    test_blanks_are_not_attempted,
) = three_tests(RIGHT, WRONG)


def test_a_right_split_says_how_it_rounds(capsys):
    check.split_and_scale(split())
    assert "rounded down)" in capsys.readouterr().out
    check.split_and_scale(by_hand)
    assert "rounded to the nearest; down is right as well)" in capsys.readouterr().out


def test_wrong_targets_are_shown_where_the_windows_beside_them_are_right():
    shifted = until(lambda room, n_out: room + 2, gap=-1)  # one window too many, but not at first
    fails(check.rolling_windows, shifted, match="`y` of `rolling_windows")


NETWORKS = ["MLP, level", "CNN", "SimpleRNN", "GRU", "stacked LSTM", "bidirectional LSTM"]
SKILLS = {"persistence": 0.0, "AR": 0.512, "LSTM": 0.506, "MLP": 0.41}
SKILLS |= dict.fromkeys(NETWORKS, 0.3)


def test_winner_compares_skills():
    check.winner("AR", SKILLS)
    check.winner(" lstm", SKILLS)
    check.winner("a", SKILLS | {"a": 0.5, "b": 0.52})
    fails(check.winner, "a", SKILLS | {"a": 0.495, "b": 0.52}, match=r"0\.025 below the best")
    fails(check.winner, None, SKILLS, match="no value", kind=NotAttempted)
    fails(check.winner, "AR(9)", SKILLS, match="one of the names 'persistence'")
    fails(check.winner, 1, SKILLS, match="one of the names")
    with pytest.raises(CheckFailed, match=r"0\.410, 0\.102 below the best, with 2 of 10") as raised:
        check.winner("MLP", SKILLS)
    assert "`AR`" not in str(raised.value)


def test_winner_waits_for_the_networks():
    trained = {name: value for name, value in SKILLS.items() if name != "GRU"}
    fails(check.winner, "AR", trained, match="skill of `GRU` is missing")
    fails(check.winner, "GRU", {"persistence": 0.0, "AR": 0.5}, match="`MLP, level`, `MLP`, `CNN`")


def test_stateless_compares_shares():
    for share in (0.5, 0.62, np.float32(0.42)):
        check.stateless(share, np.float64(0.52))
    fails(check.stateless, None, 0.52, match="no value", kind=NotAttempted)
    fails(check.stateless, 0.9, 0.52, match=r"0\.38 too high.*window contain")
    fails(check.stateless, 0, 0.52, match=r"0\.52 too low")
    fails(check.stateless, 50, 0.52, match="not a percentage")
    fails(check.stateless, "half", 0.52, match="one number from 0 to 1")
    fails(check.stateless, [0.4, 0.5], 0.52, match="one number from 0 to 1")


def test_the_score_card_follows_the_exercises():
    titles = list(check.lab.status)[:8]
    words = ["split", "windows", "skill", "auto", "winner", "recursive", "batches", "state"]
    assert all(word in title for word, title in zip(words, titles, strict=True))


def test_every_check_answers_at_once():
    for test, arguments in [
        *((test, right[:1]) for test, right in RIGHT.items()),
        *((test, pair[:1]) for test, pairs in WRONG.items() for pair in [*pairs[::7], pairs[-1]]),
        (check.winner, ("AR", SKILLS)),
        (check.stateless, (0.5, 0.5)),
    ]:
        at_once(test, *arguments)
