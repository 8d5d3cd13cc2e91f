"""Checks of lab 12: scores of events and of numbers, how sure they are, importance, a loss.

A wrong function is tried on every input before anything is said about it: a mistake is named only
if it explains all that came back. What scikit-learn computes as well is compared with it.

A catalogue of mistakes is a text: formulas, one a line, and indented under them the message for
whoever returns what one of them gives. Their names come from the scope of a case, or from NumPy.
A truth holds 0 and 1, an event; a score is the larger, the more likely an event is.
"""

import re
import textwrap
from functools import partial, wraps
from itertools import starmap

import numpy as np

from .core import Answer, CheckFailed, Lab, call, describe, to_numpy
from .judge import TOLERANCE, attempt, evaluate, judge, parts_at, require_value_error, same

lab = Lab("12 Evaluation metrics")
reached = lab.reached
score_card = lab.score_card

EXACT = 1e-9  # counts and float64 leave no more to rounding


def _value(formula, scope):
    return evaluate(formula, {"np": np, **scope})


def _table(text, *variants):
    """Return the mistakes in a text as `judge` takes them; `{}` in a variant is the formula."""
    mistakes, formulas, words = [], [], []
    for line in [*textwrap.dedent(text).strip("\n").splitlines(), ""]:
        if line.startswith(" "):
            words.append(line.strip())
            continue
        if words:
            every = [v.format(f"({f})") for f in formulas for v in ("{}", *variants)]
            mistakes.append((" ".join(words), *(partial(_value, each) for each in every)))
            formulas, words = [], []
        formulas.append(line)
    return mistakes


@lab.check("which is more accurate")
def accuracy_trap(more_accurate, accuracies):
    word = _word(more_accurate, "more_accurate", tuple(accuracies))
    behind = float(max(accuracies.values()) - accuracies[word])
    if behind <= 0:
        return f'In this run no accuracy is higher than that of "{word}".'
    raise CheckFailed(
        f'In this run the accuracy of "{word}" is {100 * behind:.2f} percentage points *below* the '
        "other. How many rows of a rare event does one get right who never says yes?"
    )


@lab.check("the confusion matrix")
def confusion(answer):
    random = np.random.default_rng(1)
    cases = [
        (np.array([0, 0, 1, 1, 1, 2]), np.array([0, 1, 1, 1, 2, 0]), 3),
        (*_events(40, 0.2, 0.3), 2),
        (random.choice([0, 1, 3], 30), random.choice([0, 3, 4], 30), 6),
        (np.array([1]), np.array([0]), 2),
        (random.integers(0, 4, 50), random.integers(0, 4, 50), 4),
    ]
    results = [attempt(answer, case) for case in cases]
    scopes = [{"m": _confusion(*case), "rows": len(case[0])} for case in cases]
    _judge(results, scopes, "m", _CONFUSIONS, _explain_confusion, _CONFUSION_ERRORS)
    return "Rows are the true classes, columns the predicted ones; classes that never occur count."


def _confusion(truth, predicted, classes):
    from sklearn.metrics import confusion_matrix

    return confusion_matrix(truth, predicted, labels=range(classes))


_CONFUSIONS = _table("""
m.T
    Rows and columns have changed places: here a row is a *true* class, as in scikit-learn. Some
    lecture decks put the predictions in rows.
m / m.sum()
m / m.sum(1, keepdims=True)
m / m.sum(0, keepdims=True)
np.nan_to_num(m / m.sum(1, keepdims=True))
np.nan_to_num(m / m.sum(0, keepdims=True))
    These are fractions. Give counts: nothing is divided.
m[:, m.any(0) | m.any(1)][m.any(0) | m.any(1)]
m[:np.argwhere(m).max() + 1, :np.argwhere(m).max() + 1]
m[m.any(1)][:, m.any(0)]
    Only classes that occur have a row. The matrix has `classes` rows and columns always.
np.diag(m)
np.diag(np.diag(m))
np.trace(m)
    Only the right predictions are counted. What is mistaken for what belongs to it, too.
np.minimum(m, 1)
    A pair that occurs again is counted once only: `matrix[truth, predicted] += 1` adds 1 to each
    *place*, however often it is named. `np.add.at` or a loop counts every row.
np.minimum(m.T, 1)
    Rows and columns have changed places, and a pair that occurs again is counted once only:
    `matrix[a, b] += 1` adds 1 to each *place*; `np.add.at` or a loop counts every row.
""")
_CONFUSION_ERRORS = [
    ("out of bounds|out of range", "Classes are numbered from 0 to `classes` - 1."),
]


def _explain_confusion(scope, array, right):
    if array.shape != right.shape:
        return f"With `classes` = {len(right)} the shape is {right.shape}."
    if array.sum() != right.sum():
        return f"The counts add up to {array.sum():g}; there are {scope['rows']} rows of data."
    row, column = np.argwhere(~np.isclose(array, right))[0]
    return (
        f"In row {row}, column {column} stands how often the true class is {row} and the predicted "
        f"one {column}: {right[row, column]} times."
    )


@lab.check("precision, recall, F1")
def precision_recall_f1(answer):
    nothing, some = np.zeros(5, int), np.array([0, 1, 0, 0, 1])
    cases = [
        (np.array([1, 1, 1, 0, 0, 0, 0, 1]), np.array([1, 0, 0, 1, 0, 0, 0, 1])),
        _events(60, 0.15, 0.3),
        _events(35, 0.6, 0.2),
        (some, nothing),
        (nothing, some),
        (nothing, nothing),
        (some, some),
        (some, 1 - some),
        (np.array([1]), np.array([1])),
    ]
    scopes = [_counts(*case) for case in cases]
    _judge_parts(answer, cases, scopes, _PRF, _explain_counts, _ZERO_ERRORS)
    return (
        "All three agree with scikit-learn, also without events, warnings or hits, where 0 is due."
    )


def _events(n, share, wrong):
    """Return truth and predictions of n rows, some of them wrong."""
    random = np.random.default_rng(n)
    truth = (random.random(n) < share).astype(int)
    return truth, np.where(random.random(n) < wrong, 1 - truth, truth)


def _counts(truth, predicted):
    from sklearn.metrics import precision_recall_fscore_support as scores

    scope = dict(
        zip(("tn", "fp", "fn", "tp"), _confusion(truth, predicted, 2).ravel(), strict=True)
    )
    right = scores(truth, predicted, average="binary", zero_division=0)[:3]
    scope |= zip(_PRF, map(np.float64, right), strict=True)
    tp, fp, fn = (np.float64(scope[name]) for name in ("tp", "fp", "fn"))
    with np.errstate(all="ignore"):
        scope |= {"p": tp / (tp + fp), "r": tp / (tp + fn)}  # NaN where scikit-learn says 0
    return scope


_ZERO = """
    Where the denominator is 0, the result is 0.0 here. It occurs: no warning at all, no event at
    all, no hit at all.
"""
_ZERO_ERRORS = [("ZeroDivisionError", " ".join(_ZERO.split()))]
_NO_ACCURACY = """
(tp + tn) / (tp + tn + fp + fn)
    This is the accuracy. The many rows that are rightly quiet (TN) don't count here.
"""
_FILLED = "np.nan_to_num({})", "np.nan_to_num({}, nan=1.0)"
_PRF = {
    "precision": _table(
        f"""
r
    This is the recall, the share of *events* that were found.{_NO_ACCURACY}tn / (tn + fn)
    Class 0 is taken for the event. An event is a 1.
fp / (tp + fp)
    This is the false alarm ratio, 1 - precision.
1 - fp / (fp + tn)
fp / (fp + tn)
    You took the false alarm *rate*, FP / (FP + TN), the share of quiet rows with a warning.
    Precision is about the rows with a warning.
p{_ZERO}""",
        *_FILLED,
    ),
    "recall": _table(
        f"""
p
    This is the precision, the share of *warnings* that were right.{_NO_ACCURACY}tn / (tn + fp)
    This is the specificity, TN / (TN + FP): the same for the rows *without* an event.
r{_ZERO}""",
        *_FILLED,
    ),
    "f1": _table(
        f"""
(p + r) / 2
(precision + recall) / 2
    This is the plain mean of precision and recall. F1 is their *harmonic* mean, which stays low
    if either of them is low.
np.sqrt(p * r)
np.sqrt(precision * recall)
    This is the geometric mean, the root of the product. F1 is the *harmonic* mean.
precision * recall / (precision + recall)
    The factor 2 is missing: with precision = recall, F1 is that value as well.
tp / (tp + fp + fn)
    This is the critical success index, TP / (TP + FP + FN). F1 counts hits twice.
2 * tn / (2 * tn + fp + fn)
    Class 0 is taken for the event. An event is a 1.{_NO_ACCURACY}2 * p * r / (p + r)
2 * precision * recall / (precision + recall)
2 * tp / (2 * tp + fp + fn){_ZERO}""",
        *_FILLED,
    ),
}


def _explain_counts(name, scope, array, right):
    counts = ", ".join(f"{key.upper()} = {scope[key]}" for key in ("tp", "fp", "fn", "tn"))
    return f"Here {counts}. Which of them make the {name}?"


@lab.check("averages over classes")
def averages(answer):
    random = np.random.default_rng(3)
    lost = random.integers(0, 9, (5, 5))
    lost[2], lost[:, 2], lost[:, 4] = 0, 0, 0
    unknown = random.integers(1, 9, (4, 4))
    unknown[1] = 0
    cases = [
        (np.array([[50, 3, 0], [4, 6, 2], [1, 2, 2]]),),
        (random.integers(0, 20, (4, 4)),),
        (np.array([[90, 5], [2, 3]]),),
        (lost,),
        (unknown,),
        (np.diag([3, 1, 4]),),
    ]
    scopes = [_of_classes(*case) for case in cases]
    _judge_parts(answer, cases, scopes, _AVERAGES, _explain_averages, _NAN_ERRORS)
    return "All three agree with scikit-learn's F1 scores, also for classes that never occur."


def _of_classes(matrix):
    from sklearn.metrics import f1_score

    truth, predicted = np.nonzero(matrix)
    often = matrix[truth, predicted]
    pairs = np.repeat(truth, often), np.repeat(predicted, often)
    score = partial(f1_score, *pairs, labels=np.arange(len(matrix)), zero_division=0)
    tp, true, predicted = np.diag(matrix), matrix.sum(1), matrix.sum(0)
    with np.errstate(all="ignore"):
        p, r = tp / predicted, tp / true
    scope = {name: score(average=name) for name in _AVERAGES}
    scope |= {"tp": tp, "true": true, "predicted": predicted, "n": matrix.sum(), "p": p, "r": r}
    return scope | {"f1": score(average=None), "mean": lambda x: np.nan_to_num(x).mean()}


_NOT_NAN = """
    F1 of a class without a hit, or of one that never occurs, can be 0 / 0. It counts as 0.0 here.
"""
_NAN_ERRORS = [("ZeroDivisionError", " ".join(_NOT_NAN.split()))]
_AVERAGES = {
    "macro": f"""
2 * mean(p) * mean(r) / (mean(p) + mean(r))
    This is the F1 of the mean precision and the mean recall. Macro is the mean of the F1 scores.
f1[true > 0].mean()
f1[true + predicted > 0].mean()
f1[tp > 0].mean()
    A class that never occurs is left out of your mean. Here every class of the matrix counts, and
    F1 is 0.0 where it can't be computed.
micro
    This is the micro average. The order is macro, micro, weighted.
weighted
    This is the weighted average. For macro all classes count alike.
(2 * tp / (true + predicted)).mean()
(2 * p * r / (p + r)).mean(){_NOT_NAN}""",
    "micro": """
macro
    This is the macro average. For micro, add up hits, false alarms and misses of all classes
    first, and compute one F1 from the sums.
weighted
    This is the weighted average. The order is macro, micro, weighted.
""",
    "weighted": f"""
f1 @ predicted / n
    The weights are sums over columns, the *predicted* classes (or you read the matrix transposed).
    A class weighs as much as it truly occurs: rows are true.
macro
    This is the macro average: weigh each class by how often it truly occurs.
micro
    This is the micro average. The order is macro, micro, weighted.
(2 * tp / (true + predicted)) @ true / n
(2 * p * r / (p + r)) @ true / n{_NOT_NAN}""",
}
_AVERAGES = {name: _table(text) for name, text in _AVERAGES.items()}


def _explain_averages(name, scope, array, right):
    if name == "micro":
        hits, n = scope["tp"].sum(), scope["n"]
        return (
            f"All classes together have {hits} hits, {n - hits} misses and {n - hits} false "
            "alarms. What is the F1 of these?"
        )
    return (
        f"The F1 scores of the classes are {scope['f1'].round(4).tolist()}, and the classes truly "
        f"occur {scope['true'].tolist()} times. What is the {name} average of that?"
    )


@lab.check("the ROC curve")
def roc(answer):
    random = np.random.default_rng(4)
    truth = (random.random(40) < 0.3).astype(int)
    cases = [
        (np.array([0, 1, 0, 1, 0]), np.array([0.1, 0.8, 0.6, 0.4, 0.3])),
        (truth, np.round(random.random(40) + 0.4 * truth, 1)),
        (truth, random.normal(size=40) + truth),
        (np.array([0, 1, 1, 0]), np.full(4, 0.3)),
        (np.array([0, 0, 1, 0, 1]), np.array([-3.0, -1, 2, -1, 2])),
    ]
    scopes = [_curve(*case) for case in cases]
    _judge_parts(answer, cases, scopes, dict.fromkeys(_RATES, _ROCS), _explain_roc)
    for only in (0, 1):
        _require_value_error(answer, (np.full(4, only), np.array([0.2, 0.4, 0.9, 0.4])))
    return "One point for each different score, from (0, 0) to (1, 1); one class alone is an error."


_RATES = "false_positive_rate", "true_positive_rate"


def _curve(truth, score):
    from sklearn.metrics import roc_curve

    x, y, marks = roc_curve(truth, score, drop_intermediate=False)
    false, hits = x * np.sum(truth == 0), y * np.sum(truth == 1)
    scope = dict(zip(_RATES, (x, y), strict=True)) | {"marks": marks, "n": len(truth)}
    rows = np.append(0, np.searchsorted(-marks, -score))
    return scope | {
        "by_row": dict(zip(_RATES, (x[rows], y[rows]), strict=True)),
        "corners": dict(zip(_RATES, roc_curve(truth, score)[:2], strict=True)),
        "count": dict(zip(_RATES, (false, hits), strict=True)),
        "other": dict(zip(_RATES, (y, x), strict=True)),
        "precision": hits / np.maximum(false + hits, 1),
    }


_ROCS = _table("""
by_row[name]
by_row[name][1:]
    The thresholds are the scores in the order of the rows. They run from the highest to the
    lowest, each different score once.
(n + 1,)
(n,)
(n + 2,)
    There is a point for each row, although some rows have the same score. No threshold separates
    those: one point for each *different* score.
own[1:]
    The first point, (0, 0), is missing: a threshold above all scores gives no warning.
own[::-1]
    The curve runs from (1, 1) to (0, 0). Begin with the highest threshold.
own[:0:-1]
np.append(0, own[:0:-1])
    The curve runs from the lowest threshold to the highest. Begin with the highest, as (0, 0)
    belongs to one above all scores.
other[name]
    The two rates have changed places. The order is `false_positive_rate, true_positive_rate`.
own[:-1]
    The last point, (1, 1), is missing. A score that *equals* the threshold is a warning, `>=`, so
    that the lowest score makes every row a warning.
np.append(0, own[:-1])
    You use `>`: a score that *equals* the threshold is a warning, `>=`.
count[name]
    These are counts. Divide false alarms by all quiet rows, hits by all events.
count[name] / n
    You divide by the number of all rows. Divide false alarms by all quiet rows, hits by all events.
1 - precision
np.append(0, 1 - precision[1:])
    You divide the false alarms by all *warnings* (that is 1 - precision). The false positive rate
    is their share of all quiet rows.
corners[name]
    Points on a straight line are dropped. Keep one for each score.
""")


def _explain_roc(name, scope, array, right):
    if array.shape != right.shape:
        return (
            f"There are {scope['n']} rows with {len(right) - 1} different scores: with (0, 0) "
            f"these are {len(right)} points."
        )
    k = int(np.argmin(np.isclose(array, right)))
    mark = "above all scores" if k == 0 else f"at {scope['marks'][k]:.4g}"
    return f"`{name}[{k}]`, with the threshold {mark}, is {right[k]:.4f}, not {array[k]:.4f}."


@lab.check("the threshold by cost")
def best_threshold(answer):
    random = np.random.default_rng(5)
    truth = (random.random(60) < 0.3).astype(int)
    tied = np.round(0.5 * random.random(60) + 0.3 * truth + 0.05, 2)
    one = np.array([0, 0, 1, 0, 1])
    cases = [
        (np.array([0, 0, 1, 0, 1, 1]), np.array([0.1, 0.3, 0.35, 0.6, 0.7, 0.9]), 5, 1),
        (truth, tied, 10, 1),
        (truth, tied, 1, 1),
        (truth, random.normal(size=60) + 1.5 * truth - 2, 3, 2),
        (one, np.array([0.8, 0.2, 0.4, 0.9, 0.3]), 1, 10),
        (one, np.array([0.3, 0.1, 0.6, 0.5, 0.4]), 1, 1),
        (np.array([0, 1, 0, 1]), np.array([0.1, 0.3, 0.6, 0.8]), 1, 1),
        (np.array([1, 0, 0, 1, 0, 0, 0, 0, 0]), np.linspace(0.9, 0.1, 9), 1, 1),
        (np.zeros(4, int), np.array([0.2, 0.5, 0.4, 0.1]), 20, 1),
        (np.ones(4, int), np.array([0.2, 0.5, 0.4, 0.1]), 20, 1),
    ]
    results = [attempt(answer, case) for case in cases]
    scopes = [_priced(*case) for case in cases]
    _judge(results, scopes, "first(cost())", _THRESHOLDS, _explain_threshold)
    return "It is the cheapest of all scores and of no warning at all; of equal costs the highest."


def _priced(truth, score, miss, false_alarm):
    marks = np.array([np.inf, *np.unique(score)[::-1]])

    def cost(miss=miss, false_alarm=false_alarm, warns=np.greater_equal, marks=marks):
        def price(mark):
            warned = warns(score, mark)
            return miss * np.sum(truth & ~warned) + false_alarm * np.sum((1 - truth) & warned)

        return np.array([price(mark) for mark in marks])

    def last(costs, marks=marks):
        return marks[len(marks) - 1 - np.argmin(costs[::-1])]

    def first(costs, marks=marks):
        return marks[np.argmin(costs)]

    scope = {"cost": cost, "first": first, "last": last, "marks": marks, "top": np.max(score)}
    scope |= {"miss": miss, "false": false_alarm, "events": truth.sum(), "rows": len(truth)}
    return scope | {f"grid{n}": np.linspace(0, 1, n) for n in (11, 101)}


_THRESHOLDS = _table("""
first(cost(false, miss))
    The two costs have changed places: `miss` is the cost of an event without a warning.
first(-cost())
last(-cost())
    This threshold has the *highest* cost.
first(cost(warns=np.greater))
last(cost(warns=np.greater))
first(cost(warns=np.greater)[1:], marks[1:])
last(cost(warns=np.greater)[1:], marks[1:])
    You use `>`: a score that *equals* the threshold is a warning, `>=`.
first(cost(miss / events, false / (rows - events)))
last(cost(miss / events, false / (rows - events)))
first(cost(miss / max(1, events), false / max(1, rows - events)))
last(cost(miss / max(1, events), false / max(1, rows - events)))
    You weigh *shares*, of the events and of the other rows. The costs are for each miss and each
    false alarm: count them.
last(cost())
    The cost is right, but of thresholds of equal cost the *highest* is asked for.
first(cost()[1:], marks[1:])
    `np.inf` is not among your thresholds. Never to give a warning can be the cheapest, where a
    false alarm costs much or nothing ever happens.
last(cost()[1:], marks[1:])
    `np.inf`, never a warning, is not among your thresholds, and of thresholds of equal cost the
    *highest* is asked for.
first(cost(), np.append(top + 1, marks[1:]))
first(cost(), np.append(top + 1e-9, marks[1:]))
    A number just above the scores stands for never a warning. Give `np.inf`.
0.5
    It is always 0.5. With other costs another threshold is best.
false / (false + miss)
    false_alarm / (false_alarm + miss) is the best threshold only for *probabilities* that are
    calibrated. Any score may come here: count what each threshold costs.
cost().min()
cost()[1:].min()
    This is the cost. Give the threshold that has it.
np.argmin(cost())
np.argmin(cost()[1:])
    This is the place of the threshold in your list. Give the threshold itself.
first(cost(marks=grid11), grid11)
first(cost(marks=grid101), grid101)
last(cost(marks=grid11), grid11)
last(cost(marks=grid101), grid101)
    You try thresholds on a grid of your own. Try the scores that occur: between two of them
    nothing changes, and they need not lie between 0 and 1.
""")


def _explain_threshold(scope, array, right):
    if array.ndim == 0 and np.any(np.isclose(array, scope["marks"])):
        cost, least = scope["cost"](marks=[array, right])
        if cost == least:
            return (
                f"Your threshold costs {cost:g}, and so does {right:g}: of thresholds of equal "
                "cost the *highest* is asked for."
            )
        return f"With `>=` your threshold costs {cost:g}; the threshold {right:g} costs {least:g}."
    return "The threshold is one of the scores, or `np.inf`."


@lab.check("calibration")
def calibration(answer):
    random = np.random.default_rng(6)

    def rows(n, power, *more):
        probability = np.append(random.random(n) ** power, more)
        return (random.random(len(probability)) < probability).astype(int), probability

    cases = [
        (np.array([0, 0, 1, 0, 1]), np.array([0.05, 0.15, 0.3, 0.85, 0.95]), 5),
        (*rows(50, 1, 0, 1, 1), 4),
        (*rows(80, 3, 1), 10),
        (*rows(30, 2, 0), 3),
        (np.array([1, 0, 1, 1]), np.array([1.0, 0.9, 0.97, 1.0]), 6),
    ]
    scopes = [_bins(*case) for case in cases]
    parts = dict.fromkeys(_FORECAST_OBSERVED, _CALIBRATIONS)
    _judge_parts(answer, cases, scopes, parts, _explain_bins, _BIN_ERRORS)
    return "Both agree with scikit-learn's curve; empty bins are left out and 0 and 1 have theirs."


_FORECAST_OBSERVED = "forecast", "observed"


def _bins(truth, p, bins):
    """Return the scope of a case: the right curve, and `curve`, which makes one with a fault."""
    from sklearn.calibration import calibration_curve

    def curve(used=p == p, bins=bins, empty=None, place=p, top=True):
        """Return forecast, observed and size by name; `empty` is the value of an empty bin."""
        number = (place * bins).astype(int)
        number = (np.minimum(number, bins - 1) if top else number)[used]
        numbers = np.unique(number) if empty is None else range(bins)
        mine = [number == k for k in numbers]
        columns = dict(zip(_FORECAST_OBSERVED, (p[used], truth[used]), strict=True))
        with np.errstate(all="ignore"):
            means = {k: [np.sum(v[m]) / m.sum() for m in mine] for k, v in columns.items()}
        means = {k: np.array(v) for k, v in means.items()}
        return (
            means if empty is None else {k: np.nan_to_num(v, nan=empty) for k, v in means.items()}
        )

    number = np.minimum((p * bins).astype(int), bins - 1)
    quantiles = calibration_curve(truth, p, n_bins=bins, strategy="quantile")[::-1]
    right = calibration_curve(truth, p, n_bins=bins)[::-1]
    return dict(zip(_FORECAST_OBSERVED, right, strict=True)) | {
        "curve": curve,
        "p": p,
        "bins": bins,
        "sizes": np.bincount(number, minlength=bins),
        "places": np.unique(number),
        "equal": dict(zip(_FORECAST_OBSERVED, quantiles, strict=True)),
        "other": dict(zip(_FORECAST_OBSERVED, right[::-1], strict=True)),
    }


_OWN_BIN = "A probability of exactly 1 gets a bin of its own. It belongs to the last one."
_EMPTY = "Bins without any row are among your results. Leave them out: they have no mean."
_CALIBRATIONS = _table(f"""
(places + 0.5) / bins
places / bins
(places + 1) / bins
(np.arange(bins) + 0.5) / bins
    You give the centers (or edges) of the bins. The forecast of a bin is the *mean* of the
    probabilities in it, and they rarely lie around the center.
curve(p < 1)[name]
curve(p < 1, empty=np.nan)[name]
curve(p < 1, empty=0)[name]
    A probability of exactly 1 falls out of your last bin. It belongs to it.
curve(top=False)[name]
    {_OWN_BIN}
curve(p > 0)[name]
curve(place=np.where(p > 0, p, -2 / bins))[name]
curve(place=np.where(p > 0, p, 1))[name]
    A probability of exactly 0 is not in your first bin. It belongs to it.
curve(empty=np.nan)[name]
curve(empty=0)[name]
    {_EMPTY}
equal[name]
    Your bins hold equally many rows. Here they have equal *width*.
other[name]
    The two have changed places. The order is `forecast, observed`.
own * sizes[places]
    These are sums, not means: divide by the number of rows in the bin.
curve(place=(p - p.min()) / np.ptp(p))[name]
    Your bins run from the smallest to the largest probability. They divide 0 to 1.
""")
_BIN_ERRORS = [
    ("out of bounds|out of range", f"{_OWN_BIN} Is it that?"),
    ("negative elements", "The number of a bin is negative: for a probability of exactly 0?"),
    ("ZeroDivisionError|empty", _EMPTY),
]


def _explain_bins(name, scope, array, right):
    bins, sizes = scope["bins"], scope["sizes"]
    if array.shape != right.shape:
        return (
            f"The {bins} bins hold {sizes.tolist()} rows: {len(right)} of them are not empty, and "
            f"`{name}` has one value for each of those."
        )
    k = int(np.argmin(np.isclose(array, right)))
    place = scope["places"][k]
    return (
        f"`{name}[{k}]` belongs to the probabilities from {place / bins:.3g} to "
        f"{(place + 1) / bins:.3g}, {sizes[place]} of them, and is {right[k]:.4f} there."
    )


@lab.check("scores of a regression")
def regression(answer):
    random = np.random.default_rng(7)
    smooth = random.normal(-40, 20, 25)
    noisy, late = smooth + random.normal(4, 9, 25), np.roll(smooth, 1)
    four = np.full(4, 4.0)
    off = np.array([4.0, 5, 7, 2])
    cases = [
        (np.array([1.0, 2, 4, 9]), np.array([2.0, 2, 3, 7]), np.array([0.0, 1, 2, 4])),
        (smooth, noisy, late),
        (smooth[:11], late[:11], noisy[:11]),
        (smooth, smooth, noisy),
        (off, off + 1, off),
        (four, off, four - 1),
        (four, four, off),
        (four, off, four),
        (four, four, four),
    ]
    scopes = [_errors(*case) for case in cases]
    _judge_parts(answer, cases, scopes, _REGRESSION, _explain_errors, _NO_ERROR_ERRORS)
    return "All agree with scikit-learn, and the skill with its rule for a reference without error."


def _errors(o, f, ref):
    from sklearn import metrics

    def squares(a, b=0):
        return np.sum((a - b) ** 2)

    sse, sst, ssr = squares(o, f), squares(o, o.mean()), squares(o, ref)
    return {
        **{"o": o, "f": f, "e": f - o, "n": len(o), "squares": squares},
        **{"sse": sse, "sst": sst, "ssr": ssr},
        "mae": metrics.mean_absolute_error(o, f),
        "rmse": metrics.root_mean_squared_error(o, f),
        "r2": metrics.r2_score(o, f),
        "skill": 1 - sse / ssr if ssr else float(sse == 0),
    }


_NO_ERROR = """
    Where the denominator is 0, scikit-learn's r2 is 1.0 if the forecast has no error either, else
    0.0. The skill follows the same rule.
"""
_NO_ERROR_ERRORS = [("ZeroDivisionError", " ".join(_NO_ERROR.split()))]
_REGRESSION = {
    "mae": _table("""
e.mean()
-e.mean()
abs(e.mean())
    Errors of different sign cancel: take the absolute value of each error *before* the mean.
rmse
    This is the RMSE. The order is mae, rmse, r2, skill.
"""),
    "rmse": _table("""
sse / n
    The root is missing: this is the mean squared error.
e.std()
e.std(ddof=1)
    This is the standard deviation of the errors: it overlooks their mean, the bias.
"""),
    "r2": _table(
        f"""
np.corrcoef(o, f)[0, 1] ** 2
np.corrcoef(o, f)[0, 1]
    This is the correlation (or its square), which forgives bias and a wrong scale. R2 is 1 minus
    a ratio of squared errors and can be negative.
1 - sse / squares(f, f.mean())
1 - sse / squares(o, f.mean())
    The denominator is about the *forecast*: R2 compares with the spread of what was observed,
    around its own mean.
skill
    This is the skill. R2 compares with the mean of what was observed.
sse / sst
    It is 1 *minus* the ratio.
np.maximum(r2, 0)
    R2 is not cut off at 0: a bad forecast has a negative one.
1 - sse / sst
np.where(sst > 0, r2, 0)
np.where(sst > 0, r2, 1){_NO_ERROR}""",
        "np.where(sst > 0, {}, sse == 0)",
        "np.nan_to_num({}, nan=1.0, neginf=0.0)",
    ),
    "skill": _table(
        f"""
1 - np.sqrt(sse / ssr)
    You divide RMSEs. The skill asked for is a ratio of MSEs, without the root.
1 - ssr / sse
    The ratio is upside down: the error of the reference is the denominator.
r2
    This is R2. The skill compares with `reference`, not with the mean.
sse / ssr
    It is 1 *minus* the ratio.
np.maximum(skill, 0)
    The skill is not cut off at 0: worse than the reference is negative.
1 - sse / ssr
np.where(ssr > 0, skill, 0)
np.where(ssr > 0, skill, 1){_NO_ERROR}""",
        "np.where(ssr > 0, {}, sse == 0)",
        "np.nan_to_num({}, nan=1.0, neginf=0.0)",
    ),
}


def _explain_errors(name, scope, array, right):
    n, sse, sst, ssr = (scope[key] for key in ("n", "sse", "sst", "ssr"))
    return (
        f"Here the MSE of the forecast is {sse / n:.4g}, that of the reference {ssr / n:.4g}, and "
        f"the variance of what was observed {sst / n:.4g}. How is the {name} made?"
    )


@lab.check("an interval by bootstrap")
def interval(answer):
    random = np.random.default_rng(8)
    sizes = {4: 1, 7: 2, 11: 3, 12: 5, 20: 6, 31: 33}
    groups = random.permutation(np.repeat(list(sizes), list(sizes.values())))
    runs = [_bootstrap(answer, groups, *run) for run in [(300, 1), (300, 2), (300, 1), (75, 3)]]
    for _, calls, _ in runs:
        _judge_draws(groups, calls)
    _judge_rng([[rows.tolist() for rows in calls] for _, calls, _ in runs[:3]])
    scopes = [{"v": np.array(values)} for _, _, values in runs]
    right = "np.percentile(v, [2.5, 97.5])"
    _judge([result for result, _, _ in runs], scopes, right, _INTERVALS, lambda *_: _TWO_ENDS)
    return "Every draw takes whole groups, some twice; the ends are the percentiles of its scores."


def _bootstrap(answer, groups, draws, seed):
    """Return what came back, the rows of every draw, and their scores."""
    calls, values, faults = [], [], []
    weights = np.random.default_rng(9).normal(size=len(groups))

    def score(rows):
        if fault := _fault_of_rows(rows, len(groups)):
            faults.append(fault)
            raise ValueError(fault)
        rows = to_numpy(rows)
        calls.append(rows.copy())
        values.append(float(np.exp(2 * np.mean(weights[rows]))))
        return values[-1]

    result = attempt(answer, (score, groups, draws, np.random.default_rng(seed)))
    if faults:
        raise CheckFailed(faults[0])
    if isinstance(result, CheckFailed):
        raise CheckFailed(f"{result}\n\n{_RAGGED}") if "inhomogeneous" in str(result) else result
    if len(calls) != draws:
        text = "A draw asks `score` once, for all its rows together."
        raise CheckFailed(f"`draws` is {draws}, but `score` was asked {len(calls)} times. {text}")
    return result, calls, values


def _fault_of_rows(given, n):
    """Say what is wrong with the rows that `score` got, or return None."""
    takes, rows = "`score` takes an array of row numbers", to_numpy(given)
    if rows is None or rows.ndim != 1:
        join = " `np.concatenate` joins arrays." * isinstance(given, list | tuple)
        return f"{takes}, with one axis; it got {describe(given)}.{join}"
    if rows.size == 0:
        return f"{takes}; it got none. The names of the groups need not be 0, 1, 2, ..."
    if rows.dtype.kind == "b":
        return f"{takes}, not a mask: a mask can't take a row twice. `np.flatnonzero` finds rows."
    if rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= n:
        return f"{takes}, whole numbers from 0 to {n - 1} here; it got {describe(rows)}."
    return None


def _judge_draws(groups, calls):
    """Fail unless every draw consists of whole groups, as many as there are, with replacement."""
    names, first, sizes = np.unique(groups, return_index=True, return_counts=True)
    counts = np.array([np.bincount(rows, minlength=len(groups)) for rows in calls])
    times = counts[:, first]
    if not np.array_equal(counts, times[:, np.searchsorted(names, groups)]):
        raise CheckFailed(
            "Rows of a group were drawn without the others. Draw *groups*, and take all the rows "
            "of each: rows of one storm resemble each other, so they go together."
        )
    if np.all(times == 1):
        raise CheckFailed(
            "Every draw holds every group once: it was drawn without replacement, so that all "
            "draws are the same. Draw with replacement."
        )
    taken, k = times.sum(1), len(names)
    if np.all(times <= 1) and np.ptp(taken):
        raise CheckFailed(
            "A group that was drawn twice is counted once. All its rows come twice then: a "
            "question like `np.isin(groups, drawn)` forgets how often. Collect the rows of each "
            "drawn group in turn."
        )
    if np.any(taken != k):
        number = taken[taken != k][0]
        groups_ = "group" if number == 1 else "groups"
        raise CheckFailed(f"A draw took {number} {groups_}; it takes as many as there are, {k}.")
    if np.all(times == times[0]):
        raise CheckFailed("All draws hold the same groups. Draw anew each time, with `rng`.")
    if np.mean(times[:, np.argmax(sizes)]) > 2:
        raise CheckFailed(
            "Large groups are drawn more often: you draw from `groups`, where a group stands once "
            "for each row. Draw from the different ones, `np.unique(groups)`."
        )
    due = len(times)  # k draws of k groups: this often on average, with this spread
    often = times.sum(0)
    odd = np.argmax(np.abs(often - due))
    if abs(often[odd] - due) > 6 * np.sqrt(due * (1 - 1 / k)):
        end = " The end of `rng.integers` is not included: `rng.integers(k)` gives 0 to k - 1."
        raise CheckFailed(
            f"In {due} draws of {k} groups, group {names[odd]} came {often[odd]} times; about "
            f"{due} are due, as for every group.{end * bool(often[odd] < due)}"
        )


def _judge_rng(runs):
    """Fail unless runs 0 and 2, of the same seed, are equal and run 1, of another, is not."""
    draw = "Draw with methods of `rng`"
    if runs[0] != runs[2]:
        text = "The same `rng` gives something else the next time, so nobody can repeat it."
        raise CheckFailed(f"{text} {draw}, not with `np.random` or `random`.")
    if runs[0] == runs[1]:
        text = "Another `rng` gives just the same."
        raise CheckFailed(f"{text} {draw}; don't make one with a seed of your own.")


def _judge_shuffles(runs):
    """Fail unless the calls of three runs have shuffled columns, and by `rng`."""
    if not any(changed for calls in runs for changed, _, _ in calls):
        raise CheckFailed(
            "No table that `score` got has a shuffled column. `rng.permutation` leaves what it is "
            "given as it is: the shuffled values are what it *returns*."
        )
    _judge_rng([[table.tolist() for _, table, _ in calls] for calls in runs])


_RAGGED = (
    "Groups of different lengths make no array: draw their *numbers*, and join the rows of those "
    "that were drawn with `np.concatenate`."
)
_TWO_ENDS = (
    "`low` and `high` are the 2.5th and the 97.5th percentile of all that `score` gave, as "
    "`np.percentile` takes them: it may go between two values."
)
_INTERVALS = _table("""
np.percentile(v, [5, 95])
    This is the interval of 90 %: 5 % lie below and 5 % above. For 95 % it is 2.5 % each.
np.percentile(v, [0.025, 0.975])
    `np.percentile` takes percent, `np.quantile` fractions: 2.5 % is 0.025.
v.mean() + v.std() * np.array([-1.96, 1.96])
v.mean() + v.std(ddof=1) * np.array([-1.96, 1.96])
    These are mean and standard deviation, as for a normal distribution. The scores of the draws
    need not be symmetric: take their percentiles.
np.percentile(v, [97.5, 2.5])
    The ends have changed places: `low, high`.
v
np.sort(v)
    These are the scores of all draws. Return two of their percentiles.
""")


@lab.check("permutation importance")
def importance(answer):
    results, scopes = [], []
    for n, f, repeats in [(20, 4, 3), (16, 2, 5), (15, 1, 4), (30, 6, 1)]:
        runs = [_shuffled(answer, n, f, repeats, seed) for seed in (1, 2, 1)]
        _judge_shuffles([calls for _, _, calls in runs])
        result, base, calls = runs[0]
        results.append(result)
        scopes.append({"b": base, "v": _values_by_column(calls, f, repeats)})
    _judge(results, scopes, "(b - v).mean(1)", _IMPORTANCES, _explain_importance)
    return "It is the mean fall of the score when one column is shuffled and all others stay."


def _shuffled(answer, n, f, repeats, seed):
    """Return what came back, the score of the table as it is, and the calls."""
    random = np.random.default_rng(f)
    x, weights = random.normal(size=(n, f)), random.normal(size=(n, f))

    def value(changed, table):
        return 3 + float(np.sum(weights * table)) / n

    calls = _watch(
        x, value, lambda score: (answer, (score, x, repeats, np.random.default_rng(seed)))
    )
    return calls[0], value((), x), calls[1]


def _watch(x, value, ask):
    """Return what came back and the calls of `score`: (columns that differ, table, value).

    `value(columns, table)` is the score, `ask(score)` gives the function and its arguments.
    """
    calls, faults = [], []

    def score(table):
        table = to_numpy(table)
        if fault := _fault_of_table(table, x):
            faults.append(fault)
            raise ValueError(fault)
        changed = tuple(np.flatnonzero((table != x).any(0)).tolist())
        calls.append((changed, table.copy(), value(changed, table)))
        return calls[-1][2]

    result = attempt(*ask(score))
    if faults:
        raise CheckFailed(faults[0])
    if isinstance(result, CheckFailed):
        raise result
    return result, calls


def _fault_of_table(table, x):
    """Say what is wrong with a table whose columns may be shuffled, or return None."""
    n, f = x.shape
    if table is None or table.dtype.kind not in "iuf" or table.shape != x.shape:
        if table is not None and table.shape == (n, f - 1):
            return "A column was taken away. Shuffle it: the model needs all its inputs."
        return f"`score` takes a table like `x`, of the shape {x.shape}; it got {describe(table)}."
    for column in range(f):
        now, before = table[:, column], x[:, column]
        if np.array_equal(np.sort(now), np.sort(before)):
            continue
        if np.isnan(now).all():
            return (
                f"Column {column} is NaN: `rng.shuffle` shuffles in place and returns None. Use "
                "what `rng.permutation` returns."
            )
        if np.ptp(now) == 0:
            what = f"is {now[0]:.3g} in every row"
            return f"Column {column} {what}. Shuffle its values rather than replace them."
        if np.isin(now, before).all():
            return (
                f"Some values of column {column} are lost, others come twice or are those of other "
                "columns: shuffle, don't draw with replacement or copy rows."
            )
        return f"Column {column} holds values that it never had. Only shuffle those that it has."
    return None


def _values_by_column(calls, f, repeats):
    """Return the scores, (f, repeats), after each column was shuffled alone, or fail."""
    for changed, _, _ in calls:
        if len(changed) > 1:
            raise CheckFailed(
                f"Columns {', '.join(map(str, changed))} of the table were shuffled at the same "
                "time. One column at a time: begin each trial with a new copy of `x`, and shuffle "
                "the column, not whole rows."
            )
    by_column = [[(t, v) for changed, t, v in calls if changed == (c,)] for c in range(f)]
    for column, found in enumerate(by_column):
        if len(found) != repeats:
            text = f"`repeats` is {repeats}, but column {column} was shuffled {len(found)} times"
            raise CheckFailed(f"{text}; each column is shuffled anew in each repeat.")
        if repeats > 1 and all(np.array_equal(t, found[0][0]) for t, _ in found):
            text = f"Column {column} was shuffled in the same way in all repeats."
            raise CheckFailed(f"{text} Draw a new order each time.")
    return np.array([[v for _, v in found] for found in by_column])


_IMPORTANCES = _table("""
v.mean(1) - b
    The sign is wrong: importance is how much the score *falls*.
b / v.mean(1)
v.mean(1) / b
1 - v.mean(1) / b
(b / v).mean(1)
    This is a ratio. Importance is a difference of scores.
(b - v).sum(1)
    This is the sum over the repeats, not the mean.
b - v[:, -1]
b - v[:, 0]
    Only one of the repeats counts. Take the mean of all.
v.mean(1)
    These are the scores after the shuffle. How far have they fallen?
abs(b - v.mean(1))
abs(b - v).mean(1)
np.maximum(b - v.mean(1), 0)
np.maximum(b - v, 0).mean(1)
    A gain is not a fall: don't take the absolute value, and don't cut off at 0.
b - v
(b - v).T
    There is a number for each repeat. Take the mean over the repeats.
""")


def _explain_importance(scope, array, right):
    if array.shape != right.shape:
        return f"`x` has {len(right)} columns: the shape is {right.shape}."
    column = int(np.argmin(np.isclose(array, right)))
    return (
        f"`score` gave {scope['b']:.4f} for `x` and {scope['v'][column].round(4).tolist()} with "
        f"column {column} shuffled: how far did it fall on average?"
    )


@lab.check("two copies")
def copies(copies, falls):
    words = "both useless", "one of them important", "both important"
    word = _word(copies, "copies", words)
    alone, with_copy, both = (float(falls[key]) for key in ("with one", "with copy", "both"))
    kept = [float(fall) >= alone / 2 for fall in (with_copy, falls.get("copy", with_copy))]
    if word == words[sum(kept)]:
        return (
            f"Shuffling one of the copies costs {with_copy:.3f}, where it cost {alone:.3f} without "
            f"the other; shuffling both costs {both:.3f}."
        )
    raise CheckFailed(
        f"Without a copy the score falls by {alone:.3f} when the column is shuffled, in a model "
        f"with both by {with_copy:.3f}. Less than half of the fall counts as useless here. What "
        "does the model still know when one of two equal columns is shuffled?"
    )


@lab.check("multi-pass importance")
def multi_pass(answer):
    runs = [(_two_copies, 5), *((None, f) for f in (5, 2, 1, 3, 4))]
    cases = [(_values_of_sets(f, value), f) for value, f in runs]
    results, seen, alone = [], [], True
    for case in cases:
        tries = [_passes(answer, *case, seed) for seed in (1, 2, 1)]
        if case[1] > 2:
            _judge_shuffles([calls for _, calls in tries])
        results.append(tries[0][0])
        seen.append({changed for changed, _, _ in tries[0][1]})
        alone = alone and all(len(changed) < 2 for changed, _, _ in tries[0][1])
    if alone:
        raise CheckFailed(
            "`score` never saw more than one shuffled column: this is a single pass. A column that "
            "was chosen stays shuffled in all passes that follow."
        )
    scopes = [
        {"ranked": partial(_ranked, *case), "values": case[0], "seen": sets}
        for case, sets in zip(cases, seen, strict=True)
    ]
    _judge(results, scopes, "ranked()", _PASSES, _explain_passes)
    return "Each pass chooses what lowers the score most, beside the columns chosen before."


def _two_copies(changed):
    """Score a model of which columns 0 and 3 are copies: either will do."""
    singles = 0.12 * (0 in changed) + 0.115 * (2 in changed) + 0.11 * (3 in changed)
    return 1 - singles - 0.05 * (1 in changed) - 0.4 * ({0, 3} <= set(changed))


def _values_of_sets(f, value=None):
    """Return the score for each set of shuffled columns: that of `value`, or a random number."""
    random = np.random.default_rng(f)
    sets = [tuple(c for c in range(f) if bits >> c & 1) for bits in range(2**f)]
    return {changed: value(changed) if value else random.random() for changed in sets}


def _passes(answer, values, f, seed):
    """Return what came back and the calls of a score that depends on what is shuffled alone."""
    x = np.random.default_rng(f).normal(size=(12, f))
    try:
        result, calls = _watch(
            x,
            lambda changed, table: values[changed],
            lambda score: (answer, (score, x, np.random.default_rng(seed))),
        )
    except CheckFailed as failure:
        if "not in list" in str(failure):
            raise CheckFailed(f"{failure}\n\n{_PLACE}") from None
        raise
    if any(len(changed) > 1 for changed in [c for c, *_ in calls if c][:f]):
        raise CheckFailed(
            "In the first pass a table has more than one shuffled column: a trial spoils the next. "
            "`trial = current` is no copy; `current.copy()` is."
        )
    for changed, table, _ in calls:
        moved = {
            tuple(np.argsort(x[:, c])[np.searchsorted(np.sort(x[:, c]), table[:, c])])
            for c in changed
        }
        if len(moved) < len(changed):
            raise CheckFailed(
                "Two columns were shuffled in the same way, as if their rows went together: what "
                "they say jointly is not destroyed. Draw a new order for each column."
            )
    return result, calls


def _ranked(values, f, best=min, keep=True):
    """Return the columns in the order in which they are chosen, rightly or with a fault."""
    chosen = []
    while len(chosen) < f:
        left = [c for c in range(f) if c not in chosen]
        chosen.append(best(left, key=lambda c: values[tuple(sorted([*chosen * keep, c]))]))
    return np.array(chosen)


_PLACE = (
    "`np.argmin` counts positions within the columns that are left: the number of the column is "
    "`left[position]`."
)
_PASSES = _table(f"""
ranked(max)
    You choose the column with the *highest* score in each pass. The most important one is that
    whose shuffle leaves the lowest.
ranked(keep=False)
    This is the order of a single pass: each column by its own fall. Look anew in each pass, beside
    the columns chosen before.
ranked()[::-1]
    The order is reversed: the most important column comes first.
ranked()[:-1]
    The last column is missing: all columns are in the list.
ranked() - np.tril(ranked()[:, None] > ranked(), -1).sum(1)
    {_PLACE}
""")


def _explain_passes(scope, array, right):
    values, f = scope["values"], len(right)
    if array.ndim != 1 or not np.all(np.isin(array, right)):
        return f"A list of the *numbers* of the columns, 0 to {f - 1}, is expected, not of scores."
    if len(np.unique(array)) < len(array):
        return f"A column is in the list twice: choose among those that are left. {_PLACE}"
    if len(array) != f:
        return f"`x` has {f} columns, and the list holds all of them."
    chosen = right[: np.argmax(array != right)].tolist()
    pairs = [changed for changed in scope["seen"] if len(changed) == 2]
    if chosen and pairs and not any(chosen[0] in pair for pair in pairs):
        return (
            f"Column {chosen[0]} was chosen first, but in the second pass another one is shuffled "
            "in its place. Keep the trial of the column that is chosen."
        )
    left = {c: values[tuple(sorted([*chosen, c]))] for c in range(f) if c not in chosen}
    seen = ", ".join(f"{score:.4f} for column {c}" for c, score in left.items())
    beside = f" beside {chosen}" if chosen else ""
    return f"With one more column shuffled{beside}, `score` gives {seen}. Which comes next?"


@lab.check("a loss for recall")
def recall_loss(answer):
    rate = float(getattr(answer, "__globals__", {}).get("RATE", 0.05))
    # One event at 19 as in the text, one so far below that an exponential overflows.
    cases = [_rising(19), *starmap(_logits, [(120, 24), (41, 1), (300, 90), (30, 27)])]
    cases.append(_rising(-1900))
    scopes = [_split_logits(*case, rate) for case in cases]

    def failure(turn):
        results = [_loss_of(answer, case[::turn]) for case in cases]
        fair = [s | {"right": _fair(s, r)} for s, r in zip(scopes, results, strict=True)]
        try:
            _judge(results, fair, "right", _loss_mistakes(), _explain_loss, _LOSS_ERRORS, TOLERANCE)
        except CheckFailed as problem:
            return problem

    if problem := failure(1):
        raise problem if failure(-1) else CheckFailed(_TURNED)
    _judge_one_sided(answer)
    _judge_training(answer)
    return "The loss is right, 0 where one of the kinds is missing, and a network can learn by it."


def _rising(event):
    """Return truth and logits, both (21, 1): non-events of logits 1 to 20 and an event."""
    logits = np.append(np.arange(1, 21), event)[:, None]
    return (np.arange(21) == 20)[:, None].astype("float32"), logits.astype("float32")


def _logits(n, events):
    """Return truth and logits, both (n, 1), with some events among n rows, not in the first."""
    random = np.random.default_rng(n)
    truth = np.append(0, random.permutation(np.arange(n - 1) < events))[:, None].astype("float32")
    return truth, (2 * random.normal(size=(n, 1)) + 3 * truth - 2).astype("float32")


def _loss_of(answer, case):
    """Return the loss of a case as one number: Keras takes the mean of more."""
    import keras

    def loss(y_true, y_pred):
        return answer(*map(keras.ops.convert_to_tensor, (y_true, y_pred)))

    result = attempt(wraps(answer)(loss) if callable(answer) else answer, case)
    if isinstance(result, CheckFailed):
        return result
    array = to_numpy(result.value)
    rows = array is not None and array.size in (1, len(case[1]))
    return Answer(np.mean(array), result.what) if rows else result


def _split_logits(y_true, y_pred, rate):
    truth, logits = np.ravel(y_true), np.ravel(y_pred).astype(float)
    return {
        "rate": rate,
        "above": int(round(rate * np.sum(truth == 0), 6)),
        "unsorted": np.where(truth == 1, -1e9, logits),
        "events": logits[truth == 1],
        "quiet": logits[truth == 0],
        "all": logits,
        "softplus": partial(np.logaddexp, 0),
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "quantile": np.quantile,
    }


def _fair(scope, result):
    """Return the loss that came back if the share `rate` of non-events lies above its threshold.

    Their number may be rounded either way; else the loss with linear interpolation is returned.
    """
    array = None if isinstance(result, CheckFailed) else to_numpy(result.value)
    quiet = np.sort(scope["quiet"])
    above = round(scope["rate"] * len(quiet), 6)
    least = quiet[-1 - min(int(np.ceil(above)), len(quiet) - 1)]
    beyond = quiet[-int(above)] if above >= 1 else np.inf
    low, high = (scope["softplus"](t - scope["events"]).mean() for t in (least, beyond))
    slack = TOLERANCE * max(1, low)
    if array is not None and array.shape == () and low - slack <= array < high - slack:
        return array
    return _value("softplus(quantile(quiet, 1 - rate) - events).mean()", scope)


def _loss_mistakes():
    """Yield the mistakes, each with every way to take a quantile."""

    def by(quantile, way):
        return lambda scope: way({**scope, "quantile": quantile})

    def largest(rounded, logits, share):
        above = int(rounded(round((1 - share) * len(logits), 6)))
        return np.sort(logits)[-1 - np.clip(above, 0, len(logits) - 1)]

    quantiles = [partial(np.quantile, method=m) for m in ("linear", "lower", "higher")]
    quantiles += [partial(largest, rounded) for rounded in (int, round, np.ceil)]
    for message, *ways in _LOSSES:
        yield message, *(by(quantile, way) for way in ways for quantile in quantiles)


_TURNED = "The arguments have changed places: Keras gives the truth first, then the logits."
_FLAT = (
    "All rows come into the sum. Is one of `y_true` and `y_pred` (n,) and the other (n, 1)? These "
    "make a table of n times n: bring both to one axis first, `keras.ops.reshape(..., (-1,))`."
)
_LOSSES = _table(f"""
softplus(quantile(quiet, 1 - rate) - events).mean()
softplus(quantile(quiet, np.minimum(1, 1 - rate + 1 / len(quiet))) - events).mean()
softplus(quantile(quiet, np.minimum(1, 1 - rate + 1.001 / len(quiet))) - events).mean()
    One row too few lies above your threshold: of 20 non-events one, 5 %, is above it.
np.log(1 + np.exp(quantile(quiet, 1 - rate) - events)).mean()
    The exponential of a large number overflows. `keras.ops.softplus` doesn't.
softplus(quantile(quiet, 1 - rate) - all).sum()
softplus(quantile(quiet, 1 - rate) - all).mean() * len(events) / len(all)
softplus(quantile(all, 1 - rate * len(quiet) / len(all)) - all).sum()
softplus(all[0] - all).sum()
    {_FLAT}
softplus(unsorted[above] - events).mean()
softplus(unsorted[-1 - above] - events).mean()
    Nothing is sorted: `ops.sort` goes along the last axis, and that of (n, 1) has one element.
    Bring it to one axis first, `keras.ops.reshape(..., (-1,))`.
softplus(quantile(all, 1 - rate) - events).mean()
    The threshold is a quantile of *all* logits. Those of the events don't belong to it: a false
    alarm is one of the rows without an event.
softplus(quantile(events, 1 - rate) - events).mean()
    The threshold is a quantile of the logits of the *events*. Take the rows without one.
softplus(quantile(quiet, rate) - events).mean()
    The threshold is the quantile `RATE`: nearly all rows lie above it. The share `RATE` is to lie
    *above* it, so 1 - RATE below.
softplus(np.sort(quiet)[above] - events).mean()
softplus(np.sort(unsorted)[above] - events).mean()
    The threshold is counted from the *lowest* logit on, so that nearly all rows lie above it. The
    share `RATE` is to lie above it.
softplus(events - quantile(quiet, 1 - rate)).mean()
    The sign is wrong, z - t instead of t - z: an event far *above* the threshold costs little.
softplus(quantile(quiet, 1 - rate) - all).mean()
softplus(quantile(quiet, 1 - rate) - events).sum() / len(all)
    The mean is taken over all rows. Take it over the events.
softplus(quantile(quiet, 1 - rate) - quiet).mean()
softplus(quantile(quiet, 1 - rate) - events).sum() / len(quiet)
    The mean is taken over the rows *without* an event. Take it over the events.
softplus(quantile(quiet, 1 - rate) - events).sum()
    This is the sum over the events, not the mean.
(events < quantile(quiet, 1 - rate)).mean()
(events >= quantile(quiet, 1 - rate)).mean()
-(events >= quantile(quiet, 1 - rate)).mean()
    This is the share of events that are missed (or found). It moves in steps, so nothing can learn
    by it: `softplus` is its smooth stand-in.
np.maximum(quantile(quiet, 1 - rate) - events, 0).mean()
    This is `relu`, not `softplus`: it asks no more of events just above the threshold.
softplus(quantile(sigmoid(quiet), 1 - rate) - sigmoid(events)).mean()
    The logits became probabilities. Compare them as they are, without a sigmoid.
(softplus(-events).sum() + softplus(quiet).sum()) / len(all)
    This is the cross-entropy, which asks nothing about a threshold.
""")
_OPS_ONLY = "Compute with `keras.ops` only, and choose rows by a mask that is multiplied."
_NO_VALUE = (
    "A Python `if` (or `and`, `or`, `max`) asks for a value that a tensor doesn't have yet while "
    "Keras prepares the training. `ops.where` chooses without asking."
)
_LOSS_ERRORS = [("(?i)shape|broadcast|dimension|incompatible", _FLAT)]


def _explain_loss(scope, array, right):
    if array.size > 1:
        return _FLAT
    return (
        f"Rows with an event: {len(scope['events'])}, rows without: {len(scope['quiet'])}; "
        "the threshold comes from these, the mean is over the events."
    )


def _judge_one_sided(answer):
    """Fail unless the loss is 0 for a batch without events and one with nothing else."""
    logits = _logits(20, 8)[1]
    for kind, truth in [("without an event", 0), ("of events only", 1)]:
        result = _loss_of(answer, (np.full((20, 1), truth, "float32"), logits))
        why = (
            f"The loss of a batch {kind} is 0 here. Mind the mean of nothing and the quantile of "
            "nothing."
        )
        if isinstance(result, CheckFailed):
            raise CheckFailed(f"{result}\n\n{why}")
        value = to_numpy(result.value)
        if value is None or value.shape or not abs(value) < 1e-5:
            raise CheckFailed(f"{result.what} is {describe(result.value)}. {why}")


def _judge_training(answer):
    """Fail unless one step of training moves the weights as the slope of the loss says."""
    import keras

    truth, x = _logits(60, 20)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.set_weights([np.ones((1, 1)), np.zeros(1)])
    model.compile(keras.optimizers.SGD(learning_rate=1.0), loss=answer)

    def step(*batch):
        try:
            model.train_on_batch(*batch)
        except NotImplementedError as problem:  # TensorFlow says so of NumPy; it is no blank
            raise TypeError(problem).with_traceback(problem.__traceback__) from None
        return [float(weights.item()) for weights in model.get_weights()]

    step.__name__ = getattr(answer, "__name__", "your loss")
    still = (
        "In a step of training nothing moves: the loss has no slope. Counting, comparing and "
        "rounding move in steps; `stop_gradient` and NumPy cut the slope off."
    )
    try:
        weight, bias = call(step, x, truth).value
    except CheckFailed as failure:
        if re.search("No gradients|require grad", str(failure)):
            raise CheckFailed(still) from None
        asks = re.search("as a Python `bool`|TracerBool", str(failure))
        hint = _NO_VALUE if asks else _OPS_ONLY
        raise CheckFailed(
            f"For numbers the loss is right, but Keras can't train with it. {hint}\n\n{failure}"
        ) from None
    h = np.float32(0.02)
    up, down = (_loss_of(answer, (truth, x * scale)).array() for scale in (1 + h, 1 - h))
    slope = float((up - down) / (2 * h))
    if weight == 1 and bias == 0:
        raise CheckFailed(still)
    if not np.allclose([1 - weight, -bias], [slope, 0], atol=0.005):
        raise CheckFailed(
            "A step of training doesn't go down the slope of the loss. The threshold depends on "
            "the weights, too: let the gradient flow through it, without `stop_gradient` or NumPy."
        )


def _near(explain):
    """Return `explain` with what is said where only the last digits differ."""

    def explained(case, array, right):
        if right.ndim == 0 and array.size == 1 and array.ndim:
            return "One number is asked for, without an axis."
        if same(array, right, 1e-4):
            return (
                "It is nearly right, but not to nine digits. Don't round, don't add a small number "
                "to a denominator, and compute in float64."
            )
        return explain(*case, array, right)

    return explained


def _judge(results, scopes, right, mistakes, explain, errors=(), tolerance=EXACT):
    """Judge results by a formula for what is right; what explains them gets the scope of a case."""
    cases = [(scope,) for scope in scopes]
    rights = [np.asarray(_value(right, scope)) for scope in scopes]
    judge(cases, results, rights, mistakes, _near(explain), errors, tolerance=tolerance)


def _judge_parts(answer, cases, scopes, parts, explain, errors=()):
    """Judge an answer of several parts, each by its mistakes and the right part in the scope.

    In a formula `name` is the name of the part, and `own` the right one.
    """
    results = [_split(attempt(answer, case), list(parts)) for case in cases]
    for place, (name, mistakes) in enumerate(parts.items()):
        named = [{**scope, "name": name, "own": scope[name]} for scope in scopes]
        _judge(parts_at(place, results), named, "own", mistakes, partial(explain, name), errors)


def _split(result, names):
    """Return the parts of an answer as an :class:`Answer` each, or the failure it is."""
    if isinstance(result, CheckFailed):
        return result
    value = result.value
    if isinstance(value, np.ndarray) and value.ndim:
        value = list(value)
    if not isinstance(value, tuple | list) or len(value) != len(names):
        several = isinstance(value, tuple | list)
        came = f"{len(value)} things" if several else describe(value)
        raise CheckFailed(f"{result.what} returned {came}; expected: `return {', '.join(names)}`.")
    return [Answer(v, f"`{name}` of {result.what}") for v, name in zip(value, names, strict=True)]


def _require_value_error(answer, case):
    """Fail unless the answer raises a ValueError."""
    only = "without an event" if case[0][0] == 0 else "of events only"
    why = f"For rows {only} one of the rates is 0 / 0: raise a `ValueError`."
    require_value_error(attempt(answer, case), why)


def _word(answer, name, words):
    """Return the word that was answered, or fail."""
    word = " ".join(answer.split()).lower() if isinstance(answer, str) else None
    if word not in words:
        choice = ", ".join(f'"{each}"' for each in words)
        raise CheckFailed(f"`{name}` is {describe(answer)}; answer with one of {choice}.")
    return word
