"""The checks of lab 09 against right, blank and wrong answers."""

import itertools
import random as standard
import re

import numpy as np
import pandas as pd
import pytest
from failing import at_once, fails, three_tests
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from numpy.lib.stride_tricks import sliding_window_view

from helpers.checks import symh as check
from helpers.checks.core import NotAttempted
from helpers.symh.physics import BURTON

MEASURED = check.MEASURED


def gap_lengths(values):
    runs = [len(list(run)) * gap for gap, run in itertools.groupby(values, np.isnan)]
    return [0, *runs]


def described(**fault):
    """A description with a fault; each entry is a function of the values."""

    def describe(values):
        there = sorted(value for value in values if value == value)
        result = {"minimum": there[0], "maximum": np.float32(there[-1]), "mean": np.mean(there)}
        result["median"] = (there[len(there) // 2] + there[~(len(there) // 2)]) / 2
        result["missing"] = 1 - len(there) / len(values)
        result["longest_gap"] = max(gap_lengths(values))
        return result | {key: wrong(values) for key, wrong in fault.items()}

    return describe


def by_pandas(values):
    series = pd.Series(values)
    result = series.agg(minimum="min", maximum="max", mean="mean", median="median").to_dict()
    runs = series.isna().groupby(series.notna().cumsum())
    return result | {"missing": series.isna().mean(), "longest_gap": int(runs.sum().max())}


PANELS = "bz_gsm", "speed", "density", "sym_h"
UNITS = "Bz (nT)", "V (km/s)", "N (cm$^{-3}$)", "SYM-H (nT)"


def figure_of(
    columns=PANELS,
    labels=UNITS,
    y_of=pd.DataFrame.get,
    x_of=None,
    grid=(4, 1),
    share=True,
    end=None,
):
    """A stacked plot with a fault."""

    def stack(storm):
        figure, axes = plt.subplots(*grid, sharex=share)
        for panel, column, label in zip(np.ravel(axes), columns, labels, strict=False):
            y = y_of(storm, column)
            panel.plot((x_of(storm) if x_of else storm["time"])[y.index], y)
            panel.set_ylabel(label)
            panel.axhline(0)
        return end(figure, axes) if end else figure

    return stack


def by_figure(storm):
    figure = Figure(layout="constrained")
    units = ["nT", "km s$^{-1}$", "1/cm³", "nT"]
    for panel, name, unit in zip(figure.subplots(4, sharex=True), PANELS, units, strict=True):
        panel.step(storm["time"].to_numpy(), storm[name].to_numpy())
        panel.set(ylabel=unit)
    return figure


def selected(condition, end=lambda storm, rows: rows):
    def select(storm, start, stop):
        rows = storm[condition(storm["time"], start, stop)]
        if len(rows) == 0:
            raise ValueError("no row")
        return end(storm, rows)

    return select


def both(t, a, b):
    return (t >= a) & (t <= b)


def by_slice(storm, start, end):
    rows = storm.set_index("time").loc[start:end]
    if rows.empty:
        raise ValueError(f"nothing between {start} and {end}")
    return rows.reset_index()


def parts(kept=None, held=None, end=lambda kept, held: (kept, held), known=True):
    """A split with a fault; `kept` and `held` turn the table and the mask of the held-out rows."""

    def split_by_storm(table, held_out):
        if known and (missing := set(held_out) - set(table["storm"])):
            raise ValueError(f"no storm {missing}")
        mask = table["storm"].isin(held_out)
        second = held(table, mask) if held else table[mask]
        first = kept(table, mask) if kept else less_overlap(table, mask)
        return end(first, second)

    return split_by_storm


def less_overlap(table, mask):
    return table[~mask & ~table["time"].isin(table["time"][mask])]


def by_times(table, held_out):
    if unknown := [number for number in held_out if number not in set(table["storm"])]:
        raise ValueError(f"storm {unknown} is not there")
    held = table.query("storm in @held_out").reset_index(drop=True)
    return table.loc[[n for n, t in table["time"].items() if t not in set(held["time"])]], held


def whole_storms(table, mask):
    touched = table["storm"][table["time"].isin(table["time"][mask])]
    return table[~table["storm"].isin(touched)]


def electric(speed, bz):
    return speed * np.clip(-bz, 0, None) / 1000


def driven(v):
    return -5.4 * (v - 0.5) * (v > 0.5)


def burton(dt=1 / 12, q=driven, tau=7.7, b=(16, 16), c=(20, 20), step=0, turn=np.array):
    """Euler's steps with a fault; b and c are those at the start and at the end."""

    def ring_current(vbs, root_pressure, start):
        d = start - b[0] * root_pressure[0] + c[0]
        result = []
        for k, p in enumerate(root_pressure):
            result.append(d + b[1] * p - c[1])
            d = d + dt * (q(vbs[min(k + step, len(vbs) - 1)]) - d / tau)
        return turn(result)

    return ring_current


def by_model(vbs, root_pressure, start):
    """The exact step, by the course's own model: one step ahead, again and again."""
    result = [start]
    for k in range(len(vbs) - 1):
        now = np.array(result[-1:]), vbs[k : k + 1], root_pressure[k : k + 1], np.zeros(1)
        result.append(BURTON.forecast(*now, 1)[0] + 16 * (root_pressure[k + 1] - root_pressure[k]))
    return result


def cut(lost=0, gap=0, whole=False, of_inputs=False, end=lambda *parts: parts):
    """Windows of each storm in a loop, with a fault; `whole` takes all storms as one."""

    def storm_windows(inputs, sym_h, storm, n_in, n_out):
        x, y = [], []
        for number in np.unique(storm)[:1] if whole else np.unique(storm):
            mask = storm == storm if whole else storm == number
            a, b = inputs[mask], (inputs[:, 0] if of_inputs else sym_h)[mask]
            for k in range(len(a) - n_in - n_out + 1 - lost):
                x.append(a[k : k + n_in])
                y.append(b[k + n_in + gap : k + n_in + gap + n_out])
        return end(np.array(x), np.array(y))

    return storm_windows


def by_views(inputs, sym_h, storm, n_in, n_out):
    n = n_in + n_out
    same = np.ptp(sliding_window_view(storm, n), axis=1) == 0
    x = sliding_window_view(inputs, n, axis=0)[same]
    return np.moveaxis(x[..., :n_in], 1, 2), sliding_window_view(sym_h, n)[same][:, n_in:]


def views_alone(inputs, sym_h, storm, n_in, n_out):
    x, y = [], []
    for number in np.unique(storm):
        both = sliding_window_view(sym_h[storm == number], n_in + n_out)
        y.append(both[:, n_in:])
        x.append(sliding_window_view(inputs[storm == number], n_in, axis=0)[: len(both)])
    return np.moveaxis(np.concatenate(x), 1, 2), np.concatenate(y)


def walked(past=lambda parts, k: parts[:k], on=lambda parts, k: parts[k], end=list, first=1):
    def walk_forward(parts, fit, score):
        scores = [score(fit(past(parts, k)), on(parts, k)) for k in range(first, len(parts))]
        return end(scores)

    return walk_forward


def backwards(parts, fit, score):
    return np.array([score(fit(tuple(parts[:-k])), parts[-k]) for k in range(1, len(parts))])[::-1]


def combinations(grid):
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def chosen(every, n, rng):
    return [every[k] for k in rng.permutation(len(every))[:n]]


def lowest(results):
    return min(results, key=lambda pair: pair[1])[0]


def searched(choose=chosen, ask=None, best=lowest, end=lambda *both: both, listed=combinations):
    """A search with a fault."""

    def grid_search(score, grid, budget, rng):
        every = listed(grid)
        some = choose(every, min(budget, len(every)), rng)
        results = [(s, ask(score, s) if ask else score(**s)) for s in some]
        return end(best(results), results)

    return grid_search


def by_shuffling(score, grid, budget, rng):
    every = list(itertools.product(*grid.values()))
    places = rng.choice(len(every), min(budget, len(every)), replace=False)
    results = [[dict(zip(grid, every[k], strict=True))] for k in places]
    for pair in results:
        pair.append(score(**pair[0]))
    return [lowest(results), results]


def numpy_integers(grid):
    return [s | {"units": np.int64(s["units"])} for s in combinations(grid)]


def one_at_a_time(grid):
    first = {name: values[0] for name, values in grid.items()}
    return [first] + [first | {n: v} for n, values in grid.items() for v in values[1:]]


def one_array(grid):
    rows = np.array(list(itertools.product(*grid.values())))
    return [dict(zip(grid, row.tolist(), strict=True)) for row in rows]


def looking(columns=MEASURED, change=None, first=1, end=1, nan=True, copy=True, clock=False):
    """The test of causality with a fault."""

    def looks_ahead(features, storm, row):
        before = np.array(features(storm))
        changed = storm.copy() if copy else storm
        random = np.random.default_rng(1)
        later = changed.loc[row + first :, columns].to_numpy()
        noise = random.normal(size=later.shape)
        noise = change(later, noise) if change else noise
        changed.loc[row + first :, columns] = noise.astype("float32")
        if clock:
            changed.loc[row + 1 :, "time"] += pd.Timedelta("3min")
        stop = None if end is None else row + end
        after = np.array(features(changed))
        return not np.allclose(before[:stop], after[:stop], rtol=1e-9, equal_nan=nan)

    return looks_ahead


def looking_with(compare, columns=MEASURED, own=False):
    """A test of causality that compares what `features` returns in its own way."""

    def looks_ahead(features, storm, row):
        one = storm.copy()
        two = one if own else storm.copy()
        two.loc[row + 1 :, columns] = np.float32(7)
        return compare(features(one), features(two))

    return looks_ahead


def by_columns(features, storm, row):
    changed = storm.copy()
    for column in storm.columns[3:]:
        noise = np.random.default_rng(5).uniform(-1e3, 1e3, len(storm)).astype("float32")
        changed[column] = changed[column].where(changed.index <= row, noise)
    one, two = (pd.DataFrame(features(table)).iloc[: row + 1] for table in (storm, changed))
    return np.bool_(not one.equals(two))


def by_cutting(features, storm, row):
    before, after = np.asarray(features(storm)), np.asarray(features(storm[: row + 1]))
    return not np.array_equal(before[: row + 1], after, equal_nan=True)


def by_repeating(features, storm, row):
    changed = storm.iloc[np.minimum(storm.index, row)].reset_index(drop=True)
    before, after = (np.asarray(features(table))[: row + 1] for table in (storm, changed))
    return not np.array_equal(before, after, equal_nan=True)


def in_float64(features, storm, row):
    changed = storm.copy()
    changed.loc[row + 1 :, MEASURED] = np.random.default_rng(5).normal(size=(29 - row, 11))
    return False


def in_wide_numbers(features, storm, row):
    """Random numbers of float64 in a table of float32, and an exact comparison."""
    changed = storm.astype(dict.fromkeys(MEASURED, float))
    changed.loc[row + 1 :, MEASURED] = np.random.default_rng(5).normal(size=(29 - row, 11))
    one, two = (np.asarray(features(table))[: row + 1] for table in (storm, changed))
    return not np.array_equal(one, two, equal_nan=True)


RIGHT = {
    check.describe: [described(), by_pandas, lambda values: pd.Series(by_pandas(values))],
    check.stack: [figure_of(), by_figure, figure_of(labels=["[nT]", "km s⁻¹", "1/cm³", "nT"])],
    check.select: [selected(both), by_slice, selected(both, lambda _, rows: rows.reset_index())],
    check.split_by_storm: [parts(), by_times, parts(end=lambda kept, held: [kept, held])],
    check.vbs: [
        electric,
        np.vectorize(lambda v, b: 1e-3 * v * max(-b, 0)),
        lambda speed, bz: 1e-3 * speed * np.maximum(-bz, 0),
    ],
    check.ring_current: [burton(), burton(turn=np.float32), by_model],
    check.storm_windows: [cut(), by_views, cut(end=lambda x, y: [x.tolist(), np.float32(y)])],
    check.walk_forward: [walked(), backwards, walked(end=np.array)],
    check.grid_search: [searched(), by_shuffling, searched(listed=numpy_integers)],
    check.looks_ahead: [
        looking(),
        by_columns,
        looking(change=lambda v, _: 0 * np.nan_to_num(v) - 9),
    ],
}

WRONG = {
    check.describe: [
        (described(mean=np.mean), "makes this NaN"),
        (described(mean=lambda v: np.nan_to_num(v).mean()), "count as 0"),
        (described(minimum=np.nanmax, maximum=np.nanmin), "changed places"),
        (described(missing=lambda v: np.isnan(v).sum()), "This is a count"),
        (described(missing=lambda v: 100 * np.isnan(v).mean()), "percentage"),
        (described(longest_gap=lambda v: np.isnan(v).sum()), "number of all missing"),
        (described(missing=lambda v: np.mean(v == np.nan)), "NaN is equal to nothing"),
        (described(longest_gap=lambda v: np.sum(np.array(gap_lengths(v)) > 0)), "number of gaps"),
        (described(longest_gap=lambda v: max(gap_lengths([*v, 0])[:-2])), "A gap is forgotten"),
        (described(median=lambda v: np.median(np.nan_to_num(v))), "count as 0"),
        (described(longest_gap=lambda v: np.diff(np.flatnonzero(v == v)).max()), "off by one"),
        (described(longest_gap=lambda v: max(g for g in gap_lengths(v) if g)), "has 0 steps"),
        (lambda v: {k.replace("_", " "): n for k, n in by_pandas(v).items()}, "`longest gap`"),
        (lambda v: (v.min(), v.max()), "a dictionary with the keys"),
    ],
    check.stack: [
        (figure_of(grid=(1, 4)), "side by side"),
        (figure_of(grid=(1, 1)), "All is in one panel"),
        (figure_of(end=lambda figure, axes: axes[0].twinx().figure), "5 pairs of axes"),
        (figure_of(x_of=lambda storm: pd.Series(storm.index)), "run row numbers"),
        (figure_of(labels=["Bz", "V", "N", "SYM-H"]), "is 'Bz': the unit is missing"),
        (figure_of(columns=["speed", "bz_gsm", "density", "sym_h"]), "`speed` is shown"),
        (figure_of(end=lambda figure, axes: None), "`return figure`"),
        (figure_of(end=lambda figure, axes: (figure, axes)), "Return the figure alone"),
        (figure_of(y_of=lambda storm, c: storm[c].ffill().bfill()), "filled in"),
        (figure_of(y_of=lambda storm, c: storm[c].dropna()), "straight across"),
        (figure_of(share=False), "`sharex=True`"),
    ],
    check.select: [
        (selected(lambda t, a, b: (t >= a) & (t < b)), "The last row"),
        (selected(lambda t, a, b: (t > a) & (t <= b)), "The first row"),
        (selected(lambda t, a, b: (t > a) & (t < b)), "both are missing"),
        (selected(lambda t, a, b: (t >= a) | (t <= b)), "With `|`"),
        (selected(both, lambda storm, rows: rows["sym_h"]), "of type `Series`"),
        (selected(both, lambda storm, rows: rows.set_index("time")), "lacks columns: time"),
        (selected(both, lambda storm, rows: rows[["time", "sym_h", "storm"]]), "lacks columns"),
        (lambda storm, a, b: both(storm["time"], a, b), "gives the rows"),
        (selected(both, lambda storm, rows: rows.dropna()), "missing value are gone"),
        (selected(both, lambda storm, rows: rows.sort_values("sym_h")), "order of time"),
        (lambda storm, a, b: storm[a:b], "not row numbers"),
        (lambda storm, a, b: storm[storm["time"] >= a and storm["time"] <= b], "brackets"),
        (lambda storm, a, b: storm[both(storm["time"], a, b)], "raise a `ValueError`"),
        (selected(lambda t, a, b: (t <= a) & (t >= b)), "Rows lie in this interval"),
    ],
    check.split_by_storm: [
        (parts(lambda t, m: t[::2], lambda t, m: t[1::2]), "it goes as a whole"),
        (parts(lambda t, m: t[~m]), "Storm files overlap"),
        (parts(lambda t, m: t[~m], lambda t, m: less_overlap(t, ~m)), "away from `held`"),
        (parts(held=lambda t, m: less_overlap(t, ~m)), "away from `held`"),
        (parts(whole_storms), "whole storms"),
        (parts(end=lambda kept, held: (held, kept)), "`held` first"),
        (parts(lambda t, m: t[~m], end=lambda kept, held: (held, kept)), "And: Storm files"),
        (parts(known=False), "whose text names it"),
        (parts(lambda t, m: less_overlap(t, m).sample(frac=1)), "no longer in the order"),
        (parts(lambda t, m: less_overlap(t, m).iloc[1:]), "lacks rows of storm 3"),
        (parts(end=lambda kept, held: kept), "`return kept, held`"),
    ],
    check.vbs: [
        (lambda v, bz: electric(1000 * v, bz), "The factor 1e-3"),
        (lambda v, bz: electric(1e6 * v, bz), "its inverse"),
        (lambda v, bz: electric(v, -bz), "The sign is wrong"),
        (lambda v, bz: -1e-3 * v * bz, "Northward field counts"),
        (lambda v, bz: 1e-3 * v * np.abs(bz), "Northward field counts"),
        (lambda v, bz: 1e-3 * v * np.minimum(-bz, 0), "smaller of -bz and 0"),
        (lambda v, bz: 1e-3 * v * np.minimum(bz, 0), "never positive"),
        (lambda v, bz: 1e-3 * v * np.where(np.array(bz) < 0, -bz, 0), '"no driving"'),
        (lambda v, bz: 1e-3 * v * max(-bz, 0), "`np.maximum` goes"),
        (lambda v, bz: electric(v, bz)[:], "single numbers, too"),
    ],
    check.ring_current: [
        (burton(dt=5), "steps are too long"),
        (burton(tau=7.7 / 12), "The decay is per"),
        (burton(q=lambda v: 12 * driven(v)), "Q is per"),
        (burton(tau=-7.7), "The sign of the decay"),
        (burton(q=lambda v: -driven(v)), "The sign of Q"),
        (burton(q=lambda v: -5.4 * (v - 0.5)), "threshold is missing"),
        (burton(q=lambda v: -5.4 * v * (v > 0.5)), "Above the threshold"),
        (burton(b=(0, 0), c=(0, 0)), "are forgotten"),
        (burton(c=(-20, 20)), "sign of c"),
        (burton(c=(20, -20)), "sign of c"),
        (burton(b=(0, 16), c=(0, 20)), "at the start is not taken away"),
        (burton(step=1), "VBs of the next step"),
        (burton(b=(16, 0), c=(20, 0)), "D alone"),
        (burton(turn=lambda result: np.array(result[:-1])), "A value is missing"),
        (lambda v, p, s: by_model(v, p, s) - 16 * (p - p[0]), "pressure of row 0 everywhere"),
        (burton(q=lambda v: 0.9 * driven(v)), "right up to step 1"),
    ],
    check.storm_windows: [
        (cut(whole=True), "begin in one storm and end"),
        (cut(gap=-1), "includes the target"),
        (cut(lost=1, gap=1), "one step too late"),
        (cut(of_inputs=True), "cut from `inputs`"),
        (cut(lost=1), "last window of each storm"),
        (lambda a, b, c, i, o: cut()(a, b, c, o, i), "`n_out` have changed places"),
        (cut(end=lambda x, y: (np.moveaxis(x, 1, 2), y)), "axes of `x`"),
        (cut(end=lambda x, y: (x, y.squeeze())), "also where `n_out` is 1"),
        (cut(end=lambda x, y: (y, x)), "`y` first"),
        (views_alone, "must not stop the others"),
        (cut(lost=-1), "reach past the end"),
        (cut(end=lambda x, y: (x[::-1], y[::-1])), "`x[0]` should be `inputs[0:3]`"),
    ],
    check.walk_forward: [
        (walked(past=lambda parts, k: parts[: k + 1]), "has seen the part"),
        (walked(past=lambda parts, k: parts), "fitted to all parts"),
        (walked(past=lambda parts, k: parts[:1]), "first part only"),
        (walked(past=lambda parts, k: parts[:k] + parts[k + 1 :]), "of the future"),
        (walked(past=lambda parts, k: parts[k - 1 : k]), "*all* the past"),
        (walked(on=lambda parts, k: parts[k - 1]), "that it was fitted to"),
        (walked(end=np.mean), "mean of the scores"),
        (walked(end=lambda scores: scores[-1]), "Only one"),
        (walked(first=2), "The first score"),
        (walked(first=0), "at least one part"),
        (walked(past=lambda parts, k: np.concatenate(parts[:k])), "takes a list"),
        (walked(past=lambda parts, k: [parts[:k]]), "takes a list"),
        (walked(past=lambda parts, k: parts[k - 1]), "not `parts[0]`"),
        (walked(on=lambda parts, k: parts[k:]), "one part, `parts[k]`"),
        (walked(on=lambda parts, k: parts[k : k + 1]), "one part, `parts[k]`"),
        (lambda parts, fit, score: [score(p, fit([p])) for p in parts], "takes a fitted model"),
    ],
    check.grid_search: [
        (searched(best=lambda r: max(r, key=lambda pair: pair[1])[0]), "lower is better"),
        (searched(choose=lambda every, n, rng: every), "was called 24 times"),
        (searched(choose=lambda every, n, rng: rng.choice(every, n)), "was tried twice"),
        (searched(listed=one_at_a_time), "every value meets every other"),
        (searched(choose=lambda every, n, rng: every[:n]), "the first 5 of 24"),
        (searched(choose=lambda every, n, rng: every[-n:]), "the same 5 of 24"),
        (searched(best=lambda r: min(value for _, value in r)), "settings alone"),
        (searched(ask=lambda score, settings: score(settings)), "takes settings by name"),
        (searched(best=lambda r: min(r, key=lambda pair: pair[1])), "settings alone"),
        (searched(choose=lambda every, n, rng: standard.sample(every, n)), "The same seed gives"),
        (searched(listed=one_array), "An array gives all its"),
        (searched(end=lambda best, results: (results, best)), "The order is `return best"),
        (searched(end=lambda best, results: best), "`return best, results`"),
        (searched(end=lambda best, r: (best, sorted(r, key=lambda p: p[1]))), "not in the order"),
        (searched(ask=lambda score, s: score(units=s["units"])), "expected: units, rate"),
    ],
    check.looks_ahead: [
        (looking(end=None), "You compare all rows"),
        (looking(first=0), "You change `row` itself"),
        (looking(end=0), "You leave `row` out"),
        (looking(columns=["bz_gsm"]), "every driver *and* SYM-H"),
        (looking(columns=MEASURED[:-1]), "next value of sym_h isn't"),
        (looking(nan=False), "NaN is not equal to NaN"),
        (looking(copy=False), "alters the table"),
        (looking(change=lambda v, noise: 2 * v), "too weak"),
        (looking(change=lambda v, noise: v + noise), "stay gaps"),
        (looking(clock=True), "You change the times"),
        (by_cutting, "Keep all rows and their times"),
        (by_repeating, "Keep all rows and their times"),
        (in_float64, "float32"),
        (in_wide_numbers, "differ by rounding"),
        (lambda features, storm, row: False, "always False"),
        (lambda features, storm, row: True, "always True"),
        (
            looking_with(lambda one, two: not np.array_equal(one, two, True), own=True),
            "as if nothing",
        ),
        (looking_with(lambda one, two: (one[:9] != two[:9]).any(axis=0)), "`True` or `False`"),
        (looking_with(lambda one, two: bool(one[:9] == two[:9])), "features as a whole"),
        (looking_with(lambda one, two: any(one[8] != two[8])), "an array or a table"),
        (looking_with(lambda one, two: any(one[:9, 0] != two[:9, 0])), "an array or a table"),
        (looking_with(lambda one, two: not one.fillna(0).equals(two)), "an array or a table"),
        (looking_with(None, columns=slice(None)), "leave `storm`, `split` and `time`"),
        (lambda features, storm, row: not looking()(features, storm, row), "upside down"),
    ],
}


@pytest.fixture(autouse=True)
def no_figure_stays():
    yield
    assert not plt.get_fignums()


(
    test_right_answers_pass,
    test_wrong_answers_fail_with_their_message,
    test_blanks_are_not_attempted,
) = three_tests(RIGHT, WRONG)


SCORES = {"absolute": 8.5, "change": np.float32(8.01)}


def test_winner_compares_errors():
    check.winner(" Change", SCORES)
    check.winner("absolute", {"absolute": 8.1, "change": 8.0})
    fails(check.winner, None, SCORES, match="no value", kind=NotAttempted)
    fails(check.winner, "absolute", SCORES, match=r"0\.49 nT \*above\*")
    for word in ("LSTM", 2):
        fails(check.winner, word, SCORES, match='"absolute" or "change"')


PIPELINES = {
    "A": lambda storm: storm[["density", "speed"]].interpolate().to_numpy(),
    "B": lambda storm: storm[["bz_gsm", "sym_h"]].rolling(6, min_periods=1).mean(),
    "C": lambda storm: (storm[MEASURED] - storm[MEASURED].mean()) / storm[MEASURED].std(),
}


def test_leaks_finds_those_who_look_ahead():
    storm = check._storm(200)
    for right in (["A", "C"], ("c", "a"), {"A", "C"}, "AC", "A and C", np.array(["C", "A"])):
        check.leaks(right, PIPELINES, storm)
    check.leaks(["A"], PIPELINES | {"C": PIPELINES["B"]}, storm)
    fails(check.leaks, None, PIPELINES, storm, match="no value", kind=NotAttempted)
    for wrong, phrase in [
        (["A", "B"], "Of the 2 you name 1 look ahead; of all, 2. For each"),
        ("A", "Of the 1 you name 1 look ahead"),
        ("B", "Of the 1 you name 0"),
        ("ABC", "Of the 3 you name 2"),
        ([], "name two of A, B, C"),
        (["A", "D"], "name two of A, B, C"),
        (3, "name two of A, B, C"),
    ]:
        fails(check.leaks, wrong, PIPELINES, storm, match=re.escape(phrase))


def test_peaks_compares_the_bias():
    for word, bias in [("too shallow", 12.0), ("About right", -2.9), ("too deep", -3.1)]:
        check.peaks(word, bias)
    fails(check.peaks, None, 12.0, match="no value", kind=NotAttempted)
    fails(check.peaks, "too deep", 12.0, match=r"\+12\.0 nT")
    fails(check.peaks, "deep", 12.0, match="one of .'too deep'")


def test_the_score_card_follows_the_exercises():
    words = ["series", "plot", "interval", "split", "VBs", "ring", "windows", "walk", "grid"]
    words += ["change", "ahead", "cheat", "peaks"]
    titles = list(check.lab.status)[:13]
    assert all(word in title for word, title in zip(words, titles, strict=True))


def test_every_check_answers_at_once():
    for test, arguments in [
        *((test, right[:1]) for test, right in RIGHT.items()),
        *((test, pair[:1]) for test, pairs in WRONG.items() for pair in [*pairs[::5], pairs[-1]]),
        (check.leaks, ("AC", PIPELINES, check._storm(2000))),
    ]:
        at_once(test, *arguments)
