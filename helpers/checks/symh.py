"""Checks of lab 09: tables of storms, the ring current, windows, walk-forward, a search, leaks.

A wrong function is tried on every input before anything is said about it: a mistake is named only
if it explains all that came back. Tables are judged by the numbers of the rows that came back.
In each dictionary of mistakes a message leads to the way, or the ways, in which one makes it.
"""

import difflib
import re
from collections.abc import Mapping
from functools import partial, wraps
from itertools import product, takewhile
from operator import ge, gt, le, lt

import numpy as np

from . import core
from .core import Answer, CheckFailed, Lab
from .judge import (
    agrees,
    as_tuples,
    attempt,
    failed,
    judge,
    numbers,
    parts_at,
    require_value_error,
    same,
    two_parts,
)

lab = Lab("09 Forecasting geomagnetic storms")
reached = lab.reached
score_card = lab.score_card

MEASURED = ["b_total", "bx_gsm", "by_gsm", "bz_gsm", "speed", "vx_gsm", "vy_gsm", "vz_gsm"]
MEASURED += ["density", "temperature", "sym_h"]


def _storm(n, number=3, start="2001-03-30 21:40"):
    """Return a table of n rows, its numbers around zero, with gaps in speed and density."""
    import pandas as pd

    random = np.random.default_rng(n)
    table = pd.DataFrame(random.normal(0, 3, (n, len(MEASURED))), columns=MEASURED, dtype="float32")
    table.insert(0, "time", pd.date_range(start, periods=n, freq="5min"))
    table.insert(0, "split", "train")
    table.insert(0, "storm", number)
    table.loc[: n // 8, "speed"] = np.nan
    table.loc[n - n // 8 :, "density"] = np.nan
    table.loc[n // 2 : n // 2 + 2, "density"] = np.nan
    return table


@lab.check("describe the series")
def describe(answer):
    nan = np.nan
    long = np.random.default_rng(5).normal(-40, 25, 61)
    long[[4, 5, 17, 30, 31, 32, 33, 50, 51]] = nan
    cases = [
        (np.array([-3.0, nan, nan, -17, 5, nan, 2]),),
        (long[6:14],),
        (np.array([1.0, nan, 4, -2, nan, nan, nan]),),
        (np.array([nan, nan, nan, 6.0, -2, -5, nan, -4, -1]),),
        (long,),
    ]
    results = [_with_keys(attempt(answer, case)) for case in cases]
    for key, (right, *mistakes) in _DESCRIBED.items():
        rights = [np.asarray(right(*case)) for case in cases]
        parts = [r if failed(r) else Answer(r.value[key], f'"{key}" of {r.what}') for r in results]
        judge(cases, parts, rights, mistakes, lambda *_: _BY_HAND, _DESCRIBE_ERRORS)
    return "The six numbers are right, for gaps at either end, in between, and for none."


def _with_keys(result):
    if failed(result):
        return result
    found = result.value.to_dict() if hasattr(result.value, "to_dict") else result.value
    if not isinstance(found, Mapping):
        what = f"{result.what} is {core.describe(found)}"
        raise CheckFailed(f"{what}; expected: a dictionary with the keys {', '.join(_DESCRIBED)}.")
    for key in set(_DESCRIBED) - set(found):
        near = difflib.get_close_matches(key, set(map(str, found)) - set(_DESCRIBED), 1, 0.4)
        hint = f" There is `{near[0]}`: is it this one?" if near else ""
        raise CheckFailed(f'The key "{key}" is missing from the dictionary.{hint}')
    return Answer(found, result.what)


def _longest(mask):
    """Return the length of the longest run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask, [0]]).astype(int)))
    return np.max(edges[1::2] - edges[::2], initial=0)


def _gap_between(v, first, last):
    """Return the longest gap that has a value before it, if `first`, and after it, if `last`."""
    there = np.flatnonzero(~np.isnan(v))
    return _longest(np.isnan(v[there[0] if first else 0 : there[-1] + 1 if last else len(v)]))


def _of_present(function, *others):
    """Return the function for the values present, and the mistakes with it."""
    zeros = "Missing values count as 0 here. They are not known: leave them out."
    spreads = "A missing value makes this NaN. NumPy has twins of its functions that skip NaN."
    filled = (zeros, lambda v: function(np.nan_to_num(v)))
    return lambda v: function(v[~np.isnan(v)]), (spreads, function), filled, *others


_SWAPPED = "Smallest and largest have changed places. Storms are negative."
# key -> what is right, and the mistakes
_DESCRIBED = {
    "minimum": _of_present(np.min, (_SWAPPED, np.nanmax)),
    "maximum": _of_present(np.max, (_SWAPPED, np.nanmin)),
    "mean": _of_present(np.mean, ("This is the median.", np.nanmedian)),
    "median": _of_present(np.median, ("This is the mean.", np.nanmean)),
    "missing": (
        lambda v: np.mean(np.isnan(v)),
        ("This is a count. Divide by the number of steps.", lambda v: np.isnan(v).sum()),
        ("This is a percentage: give a share from 0 to 1.", lambda v: 100 * np.isnan(v).mean()),
        ("This is the share of values *present*.", lambda v: 1 - np.isnan(v).mean()),
        ("No gap is found: NaN is equal to nothing, not even to NaN.", lambda v: 0.0),
    ),
    "longest_gap": (
        lambda v: _longest(np.isnan(v)),
        ("This is the number of all missing values. Count one run.", lambda v: np.isnan(v).sum()),
        (
            "This is the number of gaps. How many steps has the longest of them?",
            lambda v: np.sum(np.diff(np.append(0, np.isnan(v)).astype(int)) == 1),
        ),
        (
            "A gap is forgotten: one at an end of the series has a value on one side only.",
            lambda v: _gap_between(v, False, True),
            lambda v: _gap_between(v, True, False),
            lambda v: _gap_between(v, True, True),
        ),
        (
            "It is off by one: the difference of two indices is not the number of steps.",
            *(lambda v, o=off: _longest(np.isnan(v)) + o for off in (1, -1)),
            lambda v: max(_longest(np.isnan(v)) - 1, 0),
            lambda v: _gap_between(v, True, True) + 1,
        ),
    ),
}
_BY_HAND = "Look at this example by hand: which values are there?"
_DESCRIBE_ERRORS = [
    ("empty|zero-size|unpack", "A series can be without a gap: its longest gap has 0 steps."),
    ("NaN to integer|ambiguous|no attribute", "Find the gaps with `np.isnan(values)`."),
]


# Column of each panel from the top, its unit, and the pattern of the unit without TeX's marks.
_PANELS = {
    "bz_gsm": ("nT", "nT"),
    "speed": ("km/s", "km.*s"),
    "density": ("cm$^{-3}$", "cm.*[3³]"),
    "sym_h": ("nT", "nT"),
}


@lab.check("the stacked plot")
def stack(answer):
    from matplotlib import pyplot as plt

    before = set(plt.get_fignums())
    try:
        return _judge_stack(answer)
    finally:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)


def _judge_stack(answer):
    from matplotlib.figure import Figure

    storm = _storm(64)
    result = _attempt_tables(answer, (storm,))
    if failed(result):
        hint = " Give it back: `return figure`." if "returned `None`" in str(result) else ""
        raise CheckFailed(f"{result}{hint}")
    if not isinstance(result.value, Figure):
        text = f"{result.what} returned {core.describe(result.value)}, not a figure."
        raise CheckFailed(f"{text} Return the figure alone: `return figure`.")
    panels = _stacked(result.value.axes)
    for place, (panel, column) in enumerate(zip(panels, _PANELS, strict=True), start=1):
        _judge_panel(panel, f"panel {place} from the top", column, storm)
    limits = np.array([panel.get_xlim() for panel in panels])
    if np.max(np.ptp(limits, axis=0)) > 1e-6:
        raise CheckFailed("The panels don't cover the same time: share the axis, `sharex=True`.")
    return "Four panels share the time axis, with the right columns, gaps left open, and units."


def _stacked(axes):
    """Return the four panels from the top down."""
    boxes = [panel.get_position() for panel in axes]
    text = f"The figure has {len(axes)} pairs of axes, not four (`twinx` and color bars add some)."
    if len(axes) == 1:
        text = "All is in one panel, where different units can't be read."
    elif len(axes) == 4 and len({round(box.x0, 2) for box in boxes}) > 1:
        text = "Panels stand side by side. In one column one time is one vertical line."
    elif len(axes) == 4 and len({round(box.y0, 3) for box in boxes}) == 4:
        return sorted(axes, key=lambda panel: -panel.get_position().y0)
    raise CheckFailed(f"{text} Expected: four panels, one above the other, `plt.subplots(4, ...)`.")


def _judge_panel(panel, name, column, storm):
    from matplotlib.dates import date2num

    lines = [line for line in panel.lines if len(line.get_xdata()) > 2]
    curves = [np.asarray(line.get_ydata(orig=False), float) for line in lines]
    line = next((a for a, y in zip(lines, curves, strict=True) if same(y, storm[column])), None)
    if line is None:
        raise CheckFailed(f"In {name} {_explain_curves(curves, column, storm)}")
    x = np.asarray(line.get_xdata(orig=False), float)
    if np.max(np.abs(x - date2num(storm["time"]))) > 1e-6:
        what = "row numbers" if same(x, np.arange(len(x))) else "other numbers than the times"
        how = 'Draw `axis.plot(storm["time"], ...)`; the plots of pandas count in another way.'
        raise CheckFailed(f"Along the x axis of {name} run {what}. {how}")
    unit, pattern = _PANELS[column]
    label = panel.get_ylabel()
    if not re.search(pattern, re.sub(r"[${}\\]|mathrm", "", label)):
        seen = f"is {label!r}: the unit is missing" if label else "is missing"
        raise CheckFailed(f"The y label of {name} {seen}. Say what it shows, in {unit}.")


def _explain_curves(curves, column, storm):
    values = storm[column].to_numpy()
    there = ~np.isnan(values)
    for y in curves:
        for other in MEASURED:
            if same(y, storm[other]):
                return f"`{other}` is shown. The order from the top is {', '.join(_PANELS)}."
        if same(y, values[there]):
            return f"the line runs straight across the gaps of `{column}`. Plot the NaN as well."
        if len(y) == len(values) and same(y[there], values[there]):
            return f"gaps of `{column}` are filled in. Plot it as it is: NaN leaves a gap."
    if any(0 < len(y) < len(values) for y in curves):
        return (
            f"rows of the storm are missing in `{column}`. Don't drop gaps: NaN leaves them open."
        )
    return f"no line shows the values of the column `{column}`."


@lab.check("an interval")
def select(answer):
    from pandas import Timestamp

    storm, other = _storm(30), _storm(41, 7, "2003-10-29 04:05")
    cases = [
        (storm, "2001-03-30 22:00", "2001-03-30 22:40"),
        (storm, Timestamp("2001-03-30 23:01"), Timestamp("2001-03-30 23:33")),
        (other, Timestamp("2003-10-29 04:05"), Timestamp("2003-10-29 05:10")),
        (other, "2003-10-29 06:30", "2003-10-30 12:30"),
        (other, Timestamp("2003-10-29 05:45"), Timestamp("2003-10-29 05:45")),
    ]
    results = [_rows_of(_attempt_tables(answer, case), case[0]) for case in cases]
    rights = [np.flatnonzero(_inside(*case)) for case in cases]
    judge(cases, results, rights, as_tuples(_SELECT), _explain_interval, _SELECT_ERRORS)
    why = "No row lies in this interval: raise a `ValueError`, so that a typing error is noticed."
    empty = (storm, "2011-03-30 22:00", "2011-03-30 22:40")
    require_value_error(_attempt_tables(answer, empty), why)
    return "Both ends and all columns are there; an interval without any row is an error."


def _inside(storm, start, end):
    return ((storm["time"] >= start) & (storm["time"] <= end)).to_numpy()


def _ends(low, high, both=np.logical_and):
    return lambda storm, a, b: np.flatnonzero(both(low(storm["time"], a), high(storm["time"], b)))


_NO_GAPS = "Rows with a missing value are gone. A gap in one column is no reason to lose a row."
_SELECT = {
    "The last row is missing: one whose time *is* `end` belongs to it.": _ends(ge, lt),
    "The first row is missing: one whose time *is* `start` belongs to it.": _ends(gt, le),
    "Rows at `start` and at `end` belong to the interval; both are missing.": _ends(gt, lt),
    "With `|` one condition is enough. Both must hold: `&`.": _ends(ge, le, np.logical_or),
    _NO_GAPS: lambda *case: np.flatnonzero(_inside(*case) & case[0].notna().all(axis=1)),
}
_BRACKETS = "Join the two conditions by `&`, each in brackets of its own: `(...) & (...)`."
_TIMES = "`start` and `end` are times, not row numbers: compare them with the column `time`."
_FOUND = "Rows lie in this interval. If this error is one that you raise, look at the conditions."
_SELECT_ERRORS = [
    ("truth value|cannot compare|operand|dtype|Cannot perform", _BRACKETS),
    ("slice index|literal|integer|positional|unorderable|not supported|KeyError", _TIMES),
    ("ValueError", _FOUND),
]


def _explain_interval(case, array, right):
    if np.array_equal(np.sort(array), right):
        return "The rows are no longer in the order of time."
    return f"Rows are named by their number here: {right[0]} to {right[-1]} are in the interval."


@lab.check("split by storm")
def split_by_storm(answer):
    from pandas import concat

    starts = ["1999-05-01 10:00", "2000-04-06 10:00", "2000-04-06 11:10", "2000-04-06 12:20"]
    storms = zip([16, 18, 17, 20, 19], [3, 5, 8, 9, 12], [*starts, "2004-11-07 10:00"], strict=True)
    table = concat([_storm(*each) for each in storms], ignore_index=True)
    cases = [(table, held) for held in ([8], [3, 12], [9, 5], [12], [9])]
    pairs = [two_parts(_attempt_tables(answer, case), ("kept", "held")) for case in cases]
    pairs = [p if failed(p) else [_rows_of(part, table) for part in p] for p in pairs]
    rights = [_split(*case) for case in cases]
    errors = [("Lengths|length of|truth value", "`held_out` is a list: `isin` takes a list.")]
    scattered = _SCATTERED if any(_shares_storms(table, pair) for pair in pairs) else None
    names = "kept", "held"
    _judge_pairs(names, cases, pairs, rights, _SPLITS, _explain_split, errors, scattered)
    for missing in ([77], [8, 77]):
        why = "There is no storm 77 in the table: raise a `ValueError` whose text names it."
        error = require_value_error(_attempt_tables(answer, (table, missing)), why)
        if "77" not in error:
            raise CheckFailed(f"The text of your error, {error!r}, doesn't name the storm, 77.")
    return "No storm and no time is in both parts, nothing else is lost; unknown storms are errors."


def _all(other, margin, table):
    return other


def _split(table, held_out, kept=lambda other, margin, table: other & ~margin, clean=False):
    """Return the row numbers of both parts, right or wrong.

    `kept` gets masks: rows of other storms, and rows at the time of a held-out one. `clean` takes
    the overlap away from the held-out rows.
    """
    held, times = table["storm"].isin(held_out), table["time"]
    first = kept(~held, times.isin(times[held]), table)
    held = held & ~times.isin(times[~held]) if clean else held
    return np.flatnonzero(first), np.flatnonzero(held)


_OVERLAP = "Storm files overlap: rows of `kept` at a time that a held-out storm also has must go."
_FROM_HELD = "The overlap is taken away from `held`. Held-out storms stay whole: `kept` gives it."
_WHOLE = "Too much is lost: whole storms that overlap with a held-out one. Only shared times go."
_TWICE = "Too much is lost: every time that occurs twice. Storms that are kept may overlap."
_ORDER = "You return `held` first. The order is `kept, held`."
_SCATTERED = "Some storm has rows in both parts. Neighbors are nearly equal: it goes as a whole."
_SPLITS = {
    _ORDER: lambda *case: _split(*case)[::-1],
    f"{_ORDER} And: {_OVERLAP}": lambda *case: _split(*case, _all)[::-1],
    _OVERLAP: partial(_split, kept=_all),
    _FROM_HELD: [partial(_split, clean=True), partial(_split, kept=_all, clean=True)],
    _WHOLE: partial(_split, kept=lambda o, m, t: o & ~t["storm"].isin(t["storm"][o & m])),
    _TWICE: [
        partial(_split, kept=lambda o, m, t: o & ~m & ~t["time"].duplicated()),
        partial(_split, kept=lambda o, m, t: o & ~t["time"].duplicated(keep=False)),
    ],
}


def _shares_storms(table, pair):
    parts = [] if failed(pair) else [set(table["storm"].iloc[part.value]) for part in pair]
    return bool(parts and parts[0] & parts[1])


def _explain_split(name, case, array, right):
    table, held_out = case
    lost, more = np.setdiff1d(right, array), np.setdiff1d(array, right)
    if len(lost) == len(more) == 0:
        return f"The rows of `{name}` are no longer in the order of the table, or come twice."
    what, rows = ("lacks rows", lost) if len(lost) else ("has too many rows", more)
    storm = table["storm"].iloc[rows[0]]
    return f"With `held_out` = {held_out} your `{name}` {what} of storm {storm}."


@lab.check("VBs")
def vbs(answer):
    random = np.random.default_rng(3)
    cases = [
        (np.array([400.0, 400, 650]), np.array([-5.0, 5, -10])),
        (random.uniform(300, 900, (3, 5)), random.normal(-2, 8, (3, 5)).astype("float32")),
        (np.array([500.0, np.nan, 420, 380, 600]), np.array([0, -5, np.nan, 3, -12.5])),
        (520.0, -8.0),
        (480.0, 3.5),
    ]
    results = [attempt(answer, case) for case in cases]
    rights = [_vbs(np.maximum(-np.asarray(bz), 0), speed) for speed, bz in cases]
    judge(cases, results, rights, _vbs_mistakes(), lambda *_: _VBS_EXAMPLE, _VBS_ERRORS)
    return "In mV/m, 0 for a northward field, for numbers and arrays; a gap stays a gap, NaN."


def _vbs(field, speed, factor=1e-3):
    return np.asarray(factor * np.asarray(speed) * field)


_MISSING = "The factor 1e-3 is missing: km/s times nT gives μV/m, and mV/m are asked for."
_INVERSE = "The factor is 1e-3: yours is 1e3, its inverse."
_SOUTH = "The sign is wrong: *southward* field drives the ring current, and there bz is negative."
_NORTH = "Northward field counts as well. It drives nothing: the field is never below 0."
_NO_GAP = 'Where something is missing you give 0: a gap becomes "no driving". NaN has to stay.'
# What is taken for the southward field.
_FIELDS = {
    _MISSING: lambda bz: 1e3 * np.maximum(-bz, 0),
    _SOUTH: lambda bz: np.maximum(bz, 0),
    _NORTH: [np.negative, np.positive, np.abs],
    "You keep the smaller of -bz and 0. Take the larger.": lambda bz: np.minimum(-bz, 0),
    "It is never positive: the southward field is -bz.": lambda bz: np.minimum(bz, 0),
    _NO_GAP: lambda bz: np.where(bz < 0, -bz, 0),
}


def _vbs_mistakes():
    yield _INVERSE, lambda v, bz: _vbs(np.maximum(-np.asarray(bz), 0), v, 1e3)
    yield _NO_GAP, lambda v, bz: np.nan_to_num(_vbs(np.maximum(-np.asarray(bz), 0), v))
    for factor, (message, *fields) in product((1e-3, 1), as_tuples(_FIELDS)):
        more = f" And: {_MISSING}" if factor == 1 else ""
        ways = [lambda v, bz, f=f, c=factor: _vbs(f(np.asarray(bz)), v, c) for f in fields]
        yield message + more, *ways


_VBS_EXAMPLE = "400 km/s and a bz of -5 nT give 2 mV/m; a bz of +5 nT gives 0."
_VBS_ERRORS = [
    ("truth value", "`max` and `if` work on one number; `np.maximum` goes element by element."),
    ("subscript|assign|attrib|len\\(\\)|iter", "It should work for single numbers, too."),
]


TAU, B, C, STEP = 7.7, 16, 20, 1 / 12  # h, nT / sqrt(nPa), nT, h: Burton and others 1975


@lab.check("the ring current")
def ring_current(answer):
    random = np.random.default_rng(75)
    cases = [
        (np.array([0.0, 4, 4, 0.3, 0]), np.array([1.2, 1.5, 3, 2, 1.7]), -8.0),
        (np.maximum(random.normal(1, 4, 60), 0), random.uniform(1, 4, 60), 12.0),
        (np.array([0.2, 0.4, 0.1]), np.array([1.4, 1.4, 1.5]), -150.0),
        (np.array([7.0]), np.array([2.5]), -31.0),
    ]
    results = [attempt(answer, case) for case in cases]
    exact = [_burton(*case, exact=True) for case in cases]
    kind = "exact"
    if not all(agrees(r, right) for r, right in zip(results, exact, strict=True)):
        kind, rights = "Euler's", [_burton(*case) for case in cases]
        mistakes = [(m, *(partial(_burton, exact=e, **f) for e in (0, 1))) for m, f in _BURTONS]
        judge(cases, results, rights, mistakes, _explain_burton, _BURTON_ERRORS)
    return f"It begins at `start` and follows Burton's equation, in {kind} steps of five minutes."


def _q(v):
    return -5.4 * max(v - 0.5, 0)


def _burton(
    v,
    p,
    start,
    exact=0,
    dt=STEP,
    q=_q,
    decay=-1 / TAU,
    ahead=0,
    b=(B, B),
    c=(C, C),
    cut=slice(None),
    keep=1,
    still=False,
):
    """Return SYM-H by dD/dt = q(v) + decay D, right or with a fault: p is the pressure's root.

    b and c are what is used at the start and at the end; `keep` is the share of D that a step
    keeps, `still` takes the first pressure for all.
    """
    d = [start - b[0] * p[0] + c[0]]
    for k in range(len(v) - 1):
        goal = -q(v[k + ahead]) / decay
        slope = decay * (d[-1] - goal)
        d.append(goal + slope / decay * np.exp(decay * dt) if exact else keep * d[-1] + dt * slope)
    return (np.array(d) + b[1] * (p[0] if still else p) - c[1])[cut]


_HOURS = "tau is in hours and Q in nT per *hour*: a step of five minutes is 5/60 h."
_SIGN = "The sign of c is wrong: SYM-H = D + b sqrt(P) - c, so D = SYM-H - b sqrt(P) + c."
_AT_START = "The pressure at the start is not taken away: `start` is SYM-H, not D."
_LOST = "A value is missing: there are as many as in `vbs`, and the first is `start`."
# A message, and what is different with the mistake.
_BURTONS = [
    (f"Your steps are too long. {_HOURS}", {"dt": 5}),
    (f"Your steps are too long. {_HOURS}", {"dt": 1}),
    (f"Your steps are too short. {_HOURS}", {"dt": STEP / 60}),
    ("The decay is per *hour*, too: D / tau is multiplied by DT.", {"decay": -1 / TAU / STEP}),
    ("Q is per *hour*, too: it is multiplied by DT.", {"q": lambda v: _q(v) / STEP}),
    ("The sign of the decay is wrong: D / tau is subtracted.", {"decay": 1 / TAU}),
    ("The sign of Q is wrong: it makes D more negative.", {"q": lambda v: -_q(v)}),
    ("The threshold is missing: up to 0.5 mV/m Q is 0.", {"q": lambda v: -5.4 * (v - 0.5)}),
    ("The threshold is missing: up to 0.5 mV/m Q is 0.", {"q": lambda v: -5.4 * v}),
    ("Above the threshold Q grows with VBs - 0.5.", {"q": lambda v: -5.4 * v * (v > 0.5)}),
    ("You use VBs of the next step. From k to k + 1 `vbs[k]` drives.", {"ahead": 1}),
    ("What came back is D alone. SYM-H = D + b sqrt(P) - c.", {"b": (B, 0), "c": (C, 0)}),
    ("b and c are forgotten.", {"b": (0, 0), "c": (0, 0)}),
    *((_SIGN, {"c": signs}) for signs in [(-C, C), (C, -C), (-C, -C)]),
    *(("c is forgotten.", {"c": c}) for c in [(0, C), (C, 0), (0, 0)]),
    (_AT_START, {"b": (0, B), "c": (0, C)}),
    (_AT_START, {"b": (0, B)}),
    ("You add the pressure of row 0 everywhere: each row has its own.", {"still": True}),
    ("D is lost in each step: D[k + 1] is D[k] *plus* the change.", {"keep": 0}),
    (_LOST, {"cut": slice(-1)}),
    (_LOST, {"cut": slice(1, None)}),
]
_BURTON_ERRORS = [
    ("out of bounds|range|broadcast", "SYM-H has n values as `vbs` has: n - 1 steps follow."),
    ("truth value", "Q of one step needs the VBs of one step, `vbs[k]`."),
]


def _explain_burton(case, array, right):
    if array.shape != right.shape:
        return f"SYM-H has as many values as `vbs`, {len(case[0])} here."
    k = int(np.argmax(~np.isclose(array, right, atol=1e-3)))
    if k == 0:
        return "The first value is not `start`: D[0] is start - b sqrt(P[0]) + c."
    root = case[1][k - 1 : k + 1].round(2).tolist()
    return (
        f"It is right up to step {k - 1}. In the next one VBs is {case[0][k - 1]:.3g} mV/m, and "
        f"sqrt(P) goes from {root[0]} to {root[1]}. Is b sqrt(P) added once, after the loop?"
    )


@lab.check("windows of storms")
def storm_windows(answer):
    cases = [
        _rows_and_storms({2: 7, 5: 9, 6: 3, 8: 5, 11: 12}, 4, 3, 2),
        _rows_and_storms({4: 11}, 2, 4, 1),
        _rows_and_storms({1: 6, 2: 8, 3: 6}, 3, 1, 3),
        _rows_and_storms({7: 4, 9: 10, 10: 13, 20: 8, 21: 5}, 5, 6, 2),
    ]
    names = "x", "y"
    pairs = [two_parts(attempt(answer, case), names) for case in cases]
    rights = [_windows(*case) for case in cases]
    _judge_pairs(names, cases, pairs, rights, _WINDOWS, _explain_windows, _WINDOW_ERRORS)
    return "Every window and its target, in order, lie within one storm; short storms give none."


def _rows_and_storms(sizes, d, n_in, n_out):
    random = np.random.default_rng(d)
    storm = np.repeat(list(sizes), list(sizes.values()))
    sym_h = random.normal(-30, 20, len(storm))
    return random.normal(size=(len(storm), d)), sym_h, storm, n_in, n_out


def _windows(inputs, sym_h, storm, n_in, n_out, *, gap=0, alone=None, turn=None):
    """Return x and y, right or wrong.

    A target begins `gap` steps after its window; `alone` rows in turn have to be of one storm.
    """
    span = n_in + gap + n_out
    alone = span if alone is None else alone(n_in, span)
    starts = np.arange(len(storm) - max(span, alone) + 1)
    starts = starts[storm[starts] == storm[starts + alone - 1]][:, None]
    x = inputs[starts + np.arange(n_in)]
    y = sym_h[starts + n_in + gap + np.arange(n_out)]
    return turn(x, y) if turn else (x, y)


_CROSSES = "Some windows begin in one storm and end in another. Cut each storm on its own."
_REACHES = "Windows stay within a storm, but some targets lie in the next one: both have to fit."
_SEEN = "Your window includes the target: `y` begins with SYM-H at the last step of `x`."
_FEWER = "The last window of each storm is missing: n rows have n - n_in - n_out + 1."
_SHAPE = "The axes of `x` are not right: (m, n_in, d) is asked for, windows, steps, features."
_WINDOWS = {
    _CROSSES: partial(_windows, alone=lambda n_in, span: 1),
    _REACHES: [partial(_windows, alone=lambda n_in, span, k=k: n_in + k) for k in (0, 1)],
    _SEEN: [
        partial(_windows, gap=-1),
        partial(_windows, gap=-1, alone=lambda n_in, span: span + 1),
    ],
    "`y` begins one step too late. The slice `a:b` ends before b.": partial(_windows, gap=1),
    _FEWER: partial(_windows, alone=lambda n_in, span: span + 1),
    "The very last window is missing.": partial(_windows, turn=lambda x, y: (x[:-1], y[:-1])),
    "`n_in` and `n_out` have changed places.": lambda *c: _windows(*c[:3], c[4], c[3]),
    "The targets are cut from `inputs`. They are values of `sym_h`.": [
        lambda inputs, sym_h, *rest: _windows(inputs, inputs, *rest),
        lambda inputs, sym_h, *rest: _windows(inputs, inputs[:, 0], *rest),
        lambda inputs, sym_h, *rest: _windows(inputs, inputs[:, -1], *rest),
    ],
    _SHAPE: [
        partial(_windows, turn=lambda x, y: (np.moveaxis(x, 1, 2), None)),
        partial(_windows, turn=lambda x, y: (x.reshape(len(x), -1), None)),
    ],
    "`y` holds the `n_out` values after each window, (m, n_out), also where `n_out` is 1.": [
        partial(_windows, turn=lambda x, y: (x, y[:, 0] if y.shape[1] == 1 else y)),
        *(partial(_windows, turn=lambda x, y, c=cut: (x, y[:, c])) for cut in (0, -1, slice(0, 1))),
    ],
    "You return `y` first. The order is `x, y`.": partial(_windows, turn=lambda x, y: (y, x)),
}
_SHORT = "Storms of fewer than {3} + {4} rows have no windows, and must not stop the others."
_WINDOW_ERRORS = [
    ("inhomogen|same shape|out of|broadcast", "Does a window reach past the end of its storm?"),
    ("larger than|negative dim|at least one|at index|dimensions|window", _SHORT),
]


def _explain_windows(name, case, array, right):
    inputs, _, storm, n_in, n_out = case
    if array.shape != right.shape:
        sizes = np.unique(storm, return_counts=True)[1].tolist()
        counts = [max(0, size - n_in - n_out + 1) for size in sizes]
        shape = "(m, n_in, d)" if name == "x" else "(m, n_out)"
        return f"Storms of {sizes} rows have {counts} windows here, and `{name}` is {shape}."
    k = next(k for k in range(len(right)) if not same(array[k], right[k]))
    first = int(_windows(inputs, np.arange(len(storm)), *case[2:])[1][k][0])
    cut = f"inputs[{first - n_in}:{first}]" if name == "x" else f"sym_h[{first}:{first + n_out}]"
    return f"`{name}[{k}]` should be `{cut}`."


@lab.check("walk-forward")
def walk_forward(answer):
    faults, results = [], []
    cases = [_experiment(n, faults) for n in (4, 2, 6)]
    for case in cases:
        results.append(attempt(answer, case))
        if faults:
            raise CheckFailed(faults[0])
    rights = [np.array(_walk(*case)) for case in cases]
    judge(cases, results, rights, as_tuples(_WALKS), _explain_walk)
    return "Each part is forecast by a model fitted to all parts before it, and to nothing else."


class _Model(float):
    """What `fit` returns: a number that depends on the parts it saw, and on their order."""


def _experiment(n, faults):
    """Return n parts, `fit` and `score`, which note it when their arguments don't fit."""
    random = np.random.default_rng(n)

    def require(condition, text, *got):
        if not condition:
            faults.append(f"{text}; it got {', '.join(map(core.describe, got))}.")
            raise ValueError(faults[-1])

    def is_part(part):
        return not np.isscalar(part) and len(part) and np.isscalar(part[0])

    def fit(parts):
        past = isinstance(parts, list | tuple) and parts and all(map(is_part, parts))
        text = "`fit` takes a list of at least one part, not joined: `parts[:1]`, not `parts[0]`"
        require(past, text, parts)
        return _Model(sum((k + 1) * np.sum(part) for k, part in enumerate(parts)))

    def score(model, part):
        test = isinstance(model, _Model) and isinstance(part, list) and is_part(part)
        require(test, "`score` takes a fitted model and one part, `parts[k]`", model, part)
        return float(np.sin(model) + 0.1 * np.sum(part))

    return [random.normal(size=3 + k).tolist() for k in range(n)], fit, score


def _walk(parts, fit, score, past=lambda parts, k: parts[:k], on=lambda k: k):
    """Return the scores, right or with a fault."""
    return [score(fit(past(parts, k)), parts[on(k)]) for k in range(1, len(parts))]


_SEEN_TEST = "The model has seen the part that it is scored on: `parts[:k + 1]` includes part k."
_ALL_PARTS = "The model is fitted to all parts. Fit anew for each k, to what came before."
_FUTURE = "The model is fitted to parts of the future, which are not there yet in real life."
_ONLY_FIRST = "The model is fitted to the first part only. Fit anew for each k, to all the past."
_LATEST = "The model is fitted to the part just before only. Give it *all* the past."
_BEFORE = "You score the model on a part that it was fitted to. Part k comes after them."
_WALKS = {
    _SEEN_TEST: partial(_walk, past=lambda parts, k: parts[: k + 1]),
    _ALL_PARTS: partial(_walk, past=lambda parts, k: parts),
    _FUTURE: [
        partial(_walk, past=lambda parts, k: parts[:k] + parts[k + 1 :]),
        partial(_walk, past=lambda parts, k: parts[k:]),
    ],
    _ONLY_FIRST: partial(_walk, past=lambda parts, k: parts[:1]),
    _LATEST: partial(_walk, past=lambda parts, k: parts[k - 1 : k]),
    _BEFORE: partial(_walk, on=lambda k: k - 1),
    "This is the mean of the scores. Return all, in order.": lambda *case: np.mean(_walk(*case)),
    "Only one score came back. Collect one for each k.": [
        lambda *case: _walk(*case)[-1],
        lambda *case: _walk(*case)[0],
        lambda *case: _walk(*case)[:1],
    ],
    "The first score is missing: one part is enough to fit.": lambda *case: _walk(*case)[1:],
    "The last score is missing: the last part is forecast, too.": lambda *case: _walk(*case)[:-1],
}


def _explain_walk(case, array, right):
    if array.shape != right.shape:
        return f"{len(case[0])} parts give {len(right)} scores, one for each part but the first."
    k = 1 + int(np.argmin(np.isclose(array, right, atol=1e-5)))
    return f"Score {k - 1} should be that of a model fitted to `parts[:{k}]`, on `parts[{k}]`."


@lab.check("grid search")
def grid_search(answer):
    small = {"units": [16, 32], "rate": [0.1, 0.01, 0.001]}
    large = {"units": [8, 16, 32], "cell": ["LSTM", "GRU"], "rate": [0.5, 0.1], "drop": [None, 0.2]}
    for budget in (10, 6):
        if len(tried := _search(answer, small, budget, 1)) < 6:
            text = f"only {len(tried)} were tried: every value meets every other."
            raise CheckFailed(
                f"There are 2 * 3 = 6 combinations and the budget is {budget}; {text}"
            )
    runs = [_search(answer, large, 5, seed) for seed in range(30)]
    if any(_search(answer, large, 5, seed) != runs[seed] for seed in (0, 1)):
        text = "The same seed gives other combinations the next time, so nobody can repeat it."
        raise CheckFailed(f"{text} Draw with methods of `rng`, not with `np.random` or `random`.")
    every = _combinations(large)
    seen = [{every.index(settings) for settings in run} for run in runs]
    if all(each == seen[0] for each in seen):
        which = "the first 5" if seen[0] == set(range(5)) else "the same 5"
        raise CheckFailed(f"Whatever `rng` is, {which} of 24 are tried. Let `rng` choose of all.")
    if missed := [s for k, s in enumerate(every) if k not in set().union(*seen)]:
        text = f"In 30 searches with 5 of 24 combinations {len(missed)} never came, such as"
        raise CheckFailed(f"{text} {missed[0]}. Don't change one setting at a time.")
    return "All combinations if the budget allows it, else different ones by `rng`; lowest wins."


def _combinations(grid):
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]


def _plain(settings):
    """Return settings with NumPy's numbers and strings as Python's."""
    return {n: v.item() if isinstance(v, np.generic) else v for n, v in settings.items()}


def _search(answer, grid, budget, seed):
    """Return the settings that were tried, or fail with what is wrong with the search."""
    calls, faults = [], []
    every = _combinations(grid)
    values = np.random.default_rng(len(every)).permutation(len(every)) - 2.5

    def score(*arguments, **settings):
        if fault := _fault(arguments, _plain(settings), grid):
            faults.append(fault)
            raise ValueError(fault)
        calls.append(_plain(settings))
        return float(values[every.index(calls[-1])])

    result = attempt(answer, (score, grid, budget, np.random.default_rng(seed)))
    if faults:
        raise CheckFailed(faults[0])
    if len(calls) > budget:
        raise CheckFailed(f"The budget is {budget}, but `score` was called {len(calls)} times.")
    if twice := [call for place, call in enumerate(calls) if call in calls[:place]]:
        raise CheckFailed(f"{twice[0]} was tried twice: choose without replacement.")
    if failed(result):
        choice = re.search("1-dimensional|larger sample|population", str(result))
        hint = "\n\nLet `rng` draw *places* in the list of combinations, not more than there are."
        raise CheckFailed(f"{result}{hint if choice else ''}")
    if len(calls) < budget < len(every):
        raise CheckFailed(f"Only {len(calls)} combinations were tried; the budget is {budget}.")
    _judge_search(result, calls, [float(values[every.index(call)]) for call in calls])
    return calls


def _fault(arguments, settings, grid):
    """Say what is wrong with a call of `score`, or return None."""
    if arguments:
        got = core.describe(arguments[0])
        return f"`score` got {got}; it takes settings by name: `**settings` unpacks a dictionary."
    if set(settings) != set(grid):
        return f"`score` got the settings {', '.join(settings)}; expected: {', '.join(grid)}."
    for name, value in settings.items():
        if any(type(value) is type(one) and value == one for one in grid[name]):
            continue
        turned = any(str(value) in (str(one), f"{one}.0") for one in grid[name])
        hint = " An array gives all its values one type: draw places in a list." if turned else ""
        return f'"{name}" was {core.describe(value)}; it must be one of {grid[name]}.{hint}'
    return None


def _judge_search(result, calls, values):
    """Judge what the search returned: the settings of the smallest value, and all pairs."""
    best, results = (part.value for part in two_parts(result, ("best", "results")))
    right = list(zip(calls, values, strict=True))
    wrong = f"`results` is {core.describe(results)}; expected: a list of pairs (settings, score)"
    if isinstance(results, Mapping):
        raise CheckFailed(f"{wrong}. The order is `return best, results`.")
    try:
        pairs = [(_plain(settings), float(score)) for settings, score in results]
    except (TypeError, ValueError, AttributeError):
        raise CheckFailed(f"{wrong}, the settings as a dictionary.") from None
    if pairs != right:
        if len(pairs) > 1 and all(settings == pairs[0][0] for settings, _ in pairs):
            text = "all hold the same settings. Make a new dictionary for each combination."
        elif len(pairs) == len(right) and all(pair in right for pair in pairs):
            text = "not in the order in which they were tried."
        else:
            text = f"{len(right)} of them, beginning with {right[:1]}."
        raise CheckFailed(f"{wrong}; here: {text}")
    low, high = calls[int(np.argmin(values))], calls[int(np.argmax(values))]
    if not isinstance(best, Mapping):
        raise CheckFailed(f"`best` is {core.describe(best)}; give the settings alone, a dict.")
    if _plain(best) != low:
        text = "That is the *highest* score: lower is better." if _plain(best) == high else ""
        raise CheckFailed(f"`best` is {best}; expected, of the lowest score: {low}. {text}".strip())


@lab.check("absolute or change")
def winner(winner, scores):
    word = winner.strip().lower() if isinstance(winner, str) else None
    if word not in scores:
        raise CheckFailed(f'Answer "absolute" or "change"; this is {core.describe(winner)}.')
    behind = float(scores[word] - min(scores.values()))
    if behind <= 0.02 * min(scores.values()):
        return f"In this run the RMSE of the target `{word}` is the lower one, or within 2 % of it."
    raise CheckFailed(
        f"In this run the RMSE of the target `{word}` is {behind:.2f} nT *above* the other. Which "
        "part of the forecast does each network have to learn, and which does it get for nothing?"
    )


@lab.check("does it look ahead?")
def looks_ahead(answer):
    storm = _storm(30)
    storm[["speed", "density"]] = storm[["speed", "density"]].fillna(1.5)
    storm.loc[10:14, "bz_gsm"] = np.nan
    storm.loc[22:26, "vz_gsm"] = np.nan
    storm.loc[27:, "vy_gsm"] = 0
    looks = {c: _attempt_tables(answer, (_next(c), storm, 18)) for c in MEASURED}
    missed = [c for c, r in looks.items() if agrees(r, 0)]
    if 0 < len(missed) < len(MEASURED):
        text = f"A look at the next value of {', '.join(missed)} isn't noticed."
        raise CheckFailed(f"{text} Change all that is measured: every driver *and* SYM-H.")
    for name, _, _, features in _LOOKS:
        features.__name__ = name
    cases = [(features, storm, row) for _, row, _, features in _LOOKS]
    results = [_attempt_tables(answer, case) for case in cases]
    for result in takewhile(lambda result: not failed(result), results):
        if getattr(result.value, "shape", ()) != ():
            kind = type(result.value).__name__
            text = f"{result.what} is of type `{kind}`; expected: one answer for all features"
            raise CheckFailed(f"{text}, `True` or `False`.")
    rights = [np.array(guilty) for _, _, guilty, _ in _LOOKS]
    judge(cases, results, rights, as_tuples(_LOOK_MISTAKES), _explain_look, _LOOK_ERRORS)
    return "It notices a look ahead in every measured column and in gaps, and acquits honest ones."


def _next(column):
    def features(storm):
        return storm[[column]].shift(-1).fillna(0)

    features.__name__ = f"next_{column}"
    return features


# Name, row, whether they look ahead, and function of further features.
_LOOKS = [
    ("next_sym_h", 18, True, _next("sym_h")),
    ("next_in_a_gap", 23, True, _next("vz_gsm")),
    ("next_of_zeros", 27, True, _next("vy_gsm")),
    ("mean_of_all", 20, True, lambda s: (s[["sym_h"]] - s["sym_h"].mean()).to_numpy()),
    ("centered_mean", 24, True, lambda s: s[["bz_gsm"]].rolling(5, center=True).mean()),
    ("interpolated", 12, True, lambda s: s[["bz_gsm"]].interpolate().to_numpy()),
    ("now", 8, False, lambda s: s[MEASURED].to_numpy()),
    ("now_filled", 29, False, lambda s: s[MEASURED].fillna(0)),
    ("before", 9, False, lambda s: s[["sym_h", "speed"]].shift(1).fillna(0).to_numpy()),
    ("past_mean", 14, False, lambda s: s[["sym_h"]].rolling(4).mean()),
    ("last_known", 12, False, lambda s: s[["bz_gsm"]].ffill().to_numpy()),
    ("a_third", 19, False, lambda s: s[["speed", "vx_gsm"]].to_numpy() / 3),
    ("clock", 14, False, lambda s: s["time"].shift(-1).dt.minute.fillna(0).to_numpy()[:, None]),
]


def _looking(
    features, storm, row, change=None, first=1, end=1, equal_nan=True, clock=False, wide=False
):
    """Tell whether features up to `row` depend on what comes after it, rightly or with a fault."""
    random, changed = np.random.default_rng(0), storm.copy()
    values = storm[MEASURED].to_numpy(copy=True)
    later = values[row + first :]
    noise = random.normal(size=later.shape)
    values[row + first :] = change(later, noise) if change else noise
    changed[MEASURED] = values.astype(float) if wide else values
    if clock:
        changed.loc[row + 1 :, "time"] += np.timedelta64(7, "m")
    one, two = (np.asarray(features(table), float) for table in (storm, changed))
    stop = None if end is None else row + end
    rtol, atol = (0, 0) if wide else (1e-9, 1e-8)
    return np.array(not np.allclose(one[:stop], two[:stop], rtol, atol, equal_nan))


_NOT_ROW = "You leave `row` out: its features are known then, and `[:row]` ends before it."
_ROWS = "You compare all rows. Those after `row` may change: compare up to `row`."
_NOW = "You change `row` itself. What is measured then may be used: begin with row + 1."
_NANS = "NaN is not equal to NaN, so honest features with gaps are accused: `equal_nan=True`."
_CLOCK = "You change the times. A clock can be read in advance: change what is measured."
_KEEP = (
    "Keep all rows and their times: a clock can be read in advance. Put random numbers in what is "
    "measured after `row`."
)
_ROUNDED = (
    "Honest features differ by rounding: the table is float32 and your copy isn't. Bring both to "
    "one type before you compute the features, or compare with `np.allclose`."
)
_GAPS = "Gaps after `row` stay gaps: NaN plus a number is NaN. Put numbers there as well."
_WEAK = "Your change is too weak: zeros, gaps or means stay what they were. Put random numbers."
_LOOK_MISTAKES = {
    _NOT_ROW: partial(_looking, end=0),
    _ROWS: partial(_looking, end=None),
    _NOW: partial(_looking, first=0),
    _NANS: partial(_looking, equal_nan=False),
    _CLOCK: partial(_looking, clock=True),
    _KEEP: partial(_looking, change=lambda v, noise: v * np.nan, clock=True),  # as cut off
    _ROUNDED: partial(_looking, wide=True),
    _GAPS: partial(_looking, change=lambda v, noise: v + noise),
    _WEAK: [
        partial(_looking, change=lambda v, noise: 2 * v),
        partial(_looking, change=lambda v, noise: v * np.nan),
        partial(_looking, change=lambda v, noise: 0 * noise),
        partial(_looking, change=lambda v, noise: 2 * np.nan_to_num(v)),
        partial(_looking, change=lambda v, noise: v[::-1]),
    ],
    "It is upside down: True for those who look ahead.": lambda *case: ~_looking(*case),
    "The answer is always True.": lambda *case: np.array(True),
    "The answer is always False, as if nothing had changed. Is the copy another table than "
    "`storm`, and do your numbers stand in it after `row`?": lambda *case: np.array(False),
}
_LOOK_ERRORS = [
    (
        "dtype '(int|str|object|datetime)",
        "Only what is measured holds floats: leave `storm`, `split` and `time` as they are.",
    ),
    ("Invalid value|dtype", 'The columns are float32: `.astype("float32")` helps.'),
    (
        r"KeyError: \d|InvalidIndexError|ndarray' object has no attribute",
        "`features` may return an array or a table: `np.asarray(...)` makes an array of both.",
    ),
    ("ambiguous", "Compare the features as a whole, with `np.array_equal`."),
]


def _explain_look(case, array, right):
    known = "hold what comes after `row`" if right else "use what is known at `row` only"
    return f"The features `{case[0].__name__}` {known}: the answer is {right}."


@lab.check("which pipelines cheat")
def leaks(cheats, pipelines, storm):
    items = cheats if isinstance(cheats, list | tuple | set | np.ndarray) else [cheats]
    given = re.findall(r"\w+", " ".join(map(str, items)))
    names = {str(name).upper(): name for name in pipelines}
    given = [word.upper() for word in given if word.lower() != "and"]
    given = {part for word in given for part in ([word] if word in names else word)}
    if not given or not given <= set(names):
        raise CheckFailed(f"`cheats` is {core.describe(cheats)}; name two of {', '.join(names)}.")
    guilty = {name for name in names if _peeks(pipelines[names[name]], storm)}
    if given == guilty:
        return f"Features of {' and '.join(sorted(guilty))} change when only what is later does."
    some = f"Of the {len(given)} you name {len(given & guilty)} look ahead; of all, {len(guilty)}."
    raise CheckFailed(
        f"{some} For each pipeline: change all that comes after a row, and see whether its "
        "features up to that row change. Try several rows, also one inside of a gap."
    )


def _peeks(features, storm):
    """Tell whether features at any of several rows depend on what is measured later."""
    storm = storm.reset_index(drop=True)
    gaps = np.flatnonzero(storm[MEASURED].isna().any(axis=1))[:-1]
    rows = [*np.linspace(0, len(storm) - 2, 5)[1:].astype(int), *gaps[:: len(gaps) // 3 + 1]]
    with np.errstate(all="ignore"):
        return any(_looking(features, storm, row) for row in rows)


@lab.check("the peaks")
def peaks(peaks, bias):
    words = "too deep", "about right", "too shallow"
    if str(peaks).strip().lower() not in words:
        raise CheckFailed(f"`peaks` is {core.describe(peaks)}; answer with one of {words}.")
    right = words[int(bias > -3) + int(bias > 3)]
    if peaks.strip().lower() == right:
        return f"In these rows the forecast is {right} on average (3 nT are the limit)."
    raise CheckFailed(
        f"On average forecast minus observed is {float(bias):+.1f} nT in these rows. Both are "
        "negative: what does the sign of their difference say? Within 3 nT it is about right."
    )


def _attempt_tables(answer, case):
    """Attempt a case, and fail where the answer alters the table it was given."""
    given = []

    @wraps(answer)
    def watched(*arguments):
        given.extend(arguments)
        return answer(*arguments)

    result = attempt(watched if callable(answer) else answer, case)
    for before, after in zip(case, given, strict=False):
        if hasattr(before, "equals") and not before.equals(after):
            text = f"`{watched.__name__}` alters the table that it is given"
            raise CheckFailed(f"{text}; the caller still needs it. Begin with a copy, `.copy()`.")
    return result


def _rows_of(result, table):
    """Return the numbers of the rows of a table that came back, or the failure."""
    if failed(result):
        return result
    part, what = result.value, result.what
    if not hasattr(part, "columns"):
        mask = str(getattr(part, "dtype", "")) == "bool"
        hint = " `storm[conditions]` gives the rows." if mask else ""
        kind = f"of type `{type(part).__name__}`; expected: a DataFrame with all the columns"
        raise CheckFailed(f"{what} is {kind}.{hint}")
    if missing := [column for column in table.columns if column not in part.columns]:
        raise CheckFailed(f"{what} lacks columns: {', '.join(missing)}. All belong to a row.")
    places = {key: n for n, key in enumerate(zip(table["storm"], table["time"], strict=True))}
    rows = [places.get(key) for key in zip(part["storm"], part["time"], strict=True)]
    expected = None if None in rows else table.iloc[rows].reset_index(drop=True)
    if expected is None or not part[table.columns].reset_index(drop=True).equals(expected):
        raise CheckFailed(f"{what} holds numbers that are not those of the table.")
    return Answer(np.array(rows, int), f"The list of rows of {what}")


def _judge_pairs(names, cases, pairs, rights, mistakes, explain, errors=(), otherwise=None):
    """Judge answers of two parts: a mistake has to explain both; a part None may be anything."""

    def fits(pair, guess):
        parts = zip(pair, guess, strict=True)
        arrays = [(numbers(part.value), right) for part, right in parts if right is not None]
        return all(array is not None and same(array, right) for array, right in arrays)

    came = [(c, p, r) for c, p, r in zip(cases, pairs, rights, strict=True) if not failed(p)]
    wrong = not all(fits(pair, right) for _, pair, right in came)

    def explains(way):
        return wrong and all(fits(pair, way(*case)) for case, pair, _ in came)

    fitting = [message for message, *ways in as_tuples(mistakes) if any(map(explains, ways))]
    message = fitting[0] if fitting else otherwise
    for place, name in enumerate(names):
        parts = parts_at(place, pairs)
        right = [each[place] for each in rights]
        judge(cases, parts, right, (), partial(explain, name), errors, message)
