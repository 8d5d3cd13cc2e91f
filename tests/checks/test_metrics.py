"""The checks of lab 12 against right, blank and wrong answers."""

import keras
import numpy as np
import pytest
from failing import at_once, fails, three_tests
from keras import ops
from sklearn import metrics
from sklearn.calibration import calibration_curve

from helpers.checks import metrics as check
from helpers.checks.core import NotAttempted

RATE = 0.05


def then(answer, turn):
    """The answer with a fault at its end."""
    return lambda *arguments: turn(answer(*arguments))


def confusion(truth, predicted, classes):
    matrix = np.zeros((classes, classes), int)
    np.add.at(matrix, (truth, predicted), 1)
    return matrix


def confusion_by_loop(truth, predicted, classes):
    matrix = [[0] * classes for _ in range(classes)]
    for t, p in zip(truth, predicted, strict=True):
        matrix[t][p] += 1
    return matrix


def once(truth, predicted, classes):
    matrix = np.zeros((classes, classes), int)
    matrix[truth, predicted] += 1
    return matrix


def prf(formula=lambda p, r, **_: (p, r, 2 * p * r / (p + r) if p + r else 0), ratio=None):
    """Precision, recall and F1 with a fault."""
    ratio = ratio or (lambda a, b: a / b if b else 0.0)

    def precision_recall_f1(truth, predicted):
        tp, fp = np.sum((truth == 1) & (predicted == 1)), np.sum((truth == 0) & (predicted == 1))
        fn, tn = np.sum((truth == 1) & (predicted == 0)), np.sum((truth == 0) & (predicted == 0))
        p, r = ratio(tp, tp + fp), ratio(tp, tp + fn)
        return formula(p, r, tp=tp, fp=fp, fn=fn, tn=tn, ratio=ratio)

    return precision_recall_f1


def harmonic(p, r):
    return 2 * p * r / (p + r) if p + r else 0.0


def prf_of_sklearn(truth, predicted):
    scores = (metrics.precision_score, metrics.recall_score, metrics.f1_score)
    return [score(truth, predicted, zero_division=0) for score in scores]


def plain(truth, predicted):
    pairs = list(zip(truth.tolist(), predicted.tolist(), strict=True))
    tp = pairs.count((1, 1))
    p, r = tp / (tp + pairs.count((0, 1))), tp / (tp + pairs.count((1, 0)))
    return p, r, harmonic(p, r)


def averages(matrix, keep=None, axis=1, macro=None, divided=None):
    """Three averages of F1 with a fault."""
    both = matrix.sum(0) + matrix.sum(1)
    f1 = 2 * np.diag(matrix) / (np.maximum(both, 1) if divided is None else both)
    kept = f1 if keep is None else f1[keep(matrix)]
    first = kept.mean() if macro is None else macro(matrix)
    weighted = np.sum(f1 * matrix.sum(axis)) / matrix.sum()
    return first, np.trace(matrix) / matrix.sum(), weighted


def averages_by_loop(matrix):
    scores, n = [], len(matrix)
    for k in range(n):
        tp, true = matrix[k, k], sum(matrix[k])
        predicted = sum(matrix[row, k] for row in range(n))
        scores.append(harmonic(tp / predicted if predicted else 0, tp / true if true else 0))
    total = sum(map(sum, matrix))
    weights = [sum(row) / total for row in matrix]
    micro = sum(matrix[k, k] for k in range(n)) / total
    return sum(scores) / n, micro, sum(w * s for w, s in zip(weights, scores, strict=True))


def mean_rates(matrix):
    p, r = (np.mean(np.diag(matrix) / np.maximum(matrix.sum(axis), 1)) for axis in (0, 1))
    return harmonic(p, r)


def roc(
    rows=False,
    turn=lambda x: x,
    warns=np.greater_equal,
    swap=False,
    rate=None,
    refuse=True,
    message=("only one class is there",),
):
    """The curve with a fault."""

    def roc(truth, score):
        events, quiet = np.sum(truth == 1), np.sum(truth == 0)
        if refuse and (events == 0 or quiet == 0):
            raise ValueError(*message)
        marks = np.sort(score)[::-1] if rows else np.unique(score)[::-1]
        hits = np.array([0] + [np.sum(warns(score, m) & (truth == 1)) for m in marks])
        false = np.array([0] + [np.sum(warns(score, m) & (truth == 0)) for m in marks])
        pair = rate(false, hits, len(truth)) if rate else (false / quiet, hits / events)
        return tuple(turn(part) for part in (pair[::-1] if swap else pair))

    return roc


def roc_by_sums(truth, score):
    if len(set(truth.tolist())) < 2:
        raise ValueError("The curve needs rows of both classes.")
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    hits, false = np.cumsum(truth[order])[last], np.cumsum(1 - truth[order])[last]
    return [0, *(false / false[-1])], [0, *(hits / hits[-1])]


def roc_by_row(truth, score):
    marks = [np.inf, *score]
    return [[np.mean(score[truth == k] >= m) for m in marks] for k in (0, 1)]


def threshold(
    marks=None, warns=np.greater_equal, sign=1, swap=False, of=None, low=False, share=False
):
    """The threshold with a fault."""

    def best_threshold(truth, score, miss, false_alarm):
        if swap:
            miss, false_alarm = false_alarm, miss
        tried = [np.inf, *sorted(set(score.tolist()), reverse=True)]
        tried = marks(tried) if marks else tried
        tried = tried[::-1] if low else tried
        costs = []
        for mark in tried:
            yes = warns(score, mark)
            misses, false_alarms = sum(truth[~yes]), sum(1 - truth[yes])
            if share:
                misses /= max(sum(truth), 1)
                false_alarms /= max(sum(1 - truth), 1)
            costs.append(sign * (miss * misses + false_alarm * false_alarms))
        place = int(np.argmin(costs))
        return of(place, costs) if of else tried[place]

    return best_threshold


def threshold_by_rates(truth, score, miss, false_alarm):
    marks = np.append(np.inf, np.unique(score)[::-1])
    costs = [
        miss * np.mean(score[truth == 1] < m) + false_alarm * np.mean(score[truth == 0] >= m)
        for m in marks
    ]
    return marks[np.argmin(costs)]


def threshold_by_sort(truth, score, miss, false_alarm):
    pairs = [
        (
            miss * np.mean(truth * (score < m)) + false_alarm * np.mean((1 - truth) * (score >= m)),
            -m,
        )
        for m in np.append(score, np.inf)
    ]
    return -min(pairs)[1]


def threshold_by_row(truth, score, miss, false_alarm):
    """Of equal costs that of the first row."""
    return min(
        [np.inf, *score],
        key=lambda m: miss * sum(truth[score < m]) + false_alarm * sum(1 - truth[score >= m]),
    )


def calibration(truth, probability, bins, empty=None, top=True, x=None, edges=None, y=np.mean):
    """The curve with a fault."""
    edges = np.linspace(0, 1, bins + 1) if edges is None else edges(probability, bins)
    forecast, observed = [], []
    for k in range(len(edges) - 1):
        last = top and k == len(edges) - 2
        low, high = edges[k], edges[k + 1]
        mine = (probability >= low) & ((probability < high) | (last & (probability == high)))
        if mine.any():
            forecast.append(x(low, high) if x else probability[mine].mean())
            observed.append(y(truth[mine]))
        elif empty is not None:
            forecast.append(empty)
            observed.append(empty)
    return forecast, observed


def calibrated(**fault):
    return lambda truth, probability, bins: calibration(truth, probability, bins, **fault)


def calibration_by_sums(truth, probability, bins, first=0):
    place = np.maximum(np.ceil(probability * bins).astype(int) - 1, first)
    n, p, y = (np.bincount(place, w, bins) for w in (np.ones(len(truth)), probability, truth))
    return p[n > 0] / n[n > 0], y[n > 0] / n[n > 0]


def closed_right(number=lambda place, bins: place):
    """The curve of bins closed on the right, that of 0 being `number(-1, bins)`."""

    def calibration(truth, probability, bins):
        place = number(np.ceil(probability * bins) - 1, bins)
        return [[v[place == k].mean() for k in np.unique(place)] for v in (probability, truth)]

    return calibration


def ratio(a, b):
    return 1 - a / b if b else float(a == 0)


def scores(mae=None, rmse=None, r2=None, skill=None):
    """Four scores, some of them with a fault."""

    def regression(o, f, ref):
        e = f - o
        sse, sst, ssr = np.sum(e**2), np.sum((o - o.mean()) ** 2), np.sum((o - ref) ** 2)
        return (
            mae(e) if mae else abs(e).mean(),
            rmse(e) if rmse else np.sqrt(sse / len(o)),
            r2(o, f) if r2 else ratio(sse, sst),
            skill(o, f, ref) if skill else ratio(sse, ssr),
        )

    return regression


def scores_of_sklearn(o, f, ref):
    mse = metrics.mean_squared_error
    skill = ratio(mse(o, f), mse(o, ref))
    return [metrics.mean_absolute_error(o, f), mse(o, f) ** 0.5, metrics.r2_score(o, f), skill]


def squares(a, b):
    return np.sum((a - b) ** 2)


def bootstrap(draw=None, rows=None, end=None, seed=None, fixed=None):
    """The interval with a fault."""

    def interval(score, groups, draws, rng):
        rng = np.random.default_rng(seed) if seed else rng
        names, values = np.unique(groups), []
        for _ in range(fixed or draws):
            drawn = draw(rng, names, groups) if draw else rng.choice(names, len(names))
            if rows:
                values.append(score(rows(groups, drawn)))
            else:
                values.append(score(np.concatenate([np.flatnonzero(groups == g) for g in drawn])))
        return end(np.array(values)) if end else np.percentile(values, [2.5, 97.5])

    return interval


def bootstrap_by_numbers(score, groups, draws, rng):
    names, place = np.unique(groups, return_inverse=True)
    members = [[row for row, k in enumerate(place) if k == g] for g in range(len(names))]
    picks = rng.integers(0, len(names), (draws, len(names)))
    values = [score([row for g in pick for row in members[g]]) for pick in picks]
    return np.quantile(values, 0.025), np.quantile(values, 0.975)


def importance(shuffle=None, end=None, anew=True, seed=None, times=None):
    """The falls of a score with a fault."""

    def importance(score, x, repeats, rng):
        rng = np.random.default_rng(seed) if seed else rng
        base, table, falls = score(x), x.copy(), []
        for j in range(x.shape[1]):
            values = []
            for _ in range(times or repeats):
                table = x.copy() if anew else table
                if shuffle:
                    table = shuffle(table, j, rng)
                else:
                    table[:, j] = rng.permutation(table[:, j])
                values.append(score(table))
            falls.append(end(base, values) if end else base - np.mean(values))
        return np.array(falls)

    return importance


def importance_restored(score, x, repeats, rng):
    falls, base = [0.0] * x.shape[1], score(x.tolist())
    for _ in range(repeats):
        order = rng.permutation(len(x))
        for j in range(x.shape[1]):
            kept = x[:, j].copy()
            x[:, j] = kept[order]
            falls[j] += (base - score(x)) / repeats
            x[:, j] = kept
    return falls


def unchanged(table, j, rng):
    rng.permutation(table[:, j])
    return table


def put(table, j, values):
    table[:, j] = values
    return table


def multi_pass(best=min, keep=True, left=None, end=None, order=None, own=np.copy):
    """The ranking with a fault."""

    def multi_pass(score, x, rng):
        table, chosen = x.copy(), []
        while len(chosen) < x.shape[1]:
            trials = {}
            for j in range(x.shape[1]):
                if left is None and j in chosen:
                    continue
                trial = own(table)
                trial[:, j] = trial[order, j] if order else rng.permutation(trial[:, j])
                trials[j] = score(trial), trial
            j = best(trials, key=lambda j: trials[j][0])
            chosen.append(j)
            table = trials[j][1] if keep else table
        return end(chosen) if end else chosen

    return multi_pass


def multi_pass_of_places(drop):
    """The ranking that takes a place among the columns left for the number of a column."""

    def multi_pass(score, x, rng):
        current, left, chosen = x.copy(), list(range(x.shape[1])), []
        while left:
            trials = [put(current.copy(), j, rng.permutation(current[:, j])) for j in left]
            place = int(np.argmin([score(trial) for trial in trials]))
            chosen.append(place)
            drop(left, place)
            current = trials[place]
        return chosen

    return multi_pass


def multi_pass_of_last(score, x, rng):
    """The ranking that keeps the last trial of a pass."""
    current, left, chosen = x.copy(), list(range(x.shape[1])), []
    while left:
        trials = [put(current.copy(), j, rng.permutation(current[:, j])) for j in left]
        chosen.append(left.pop(int(np.argmin([score(trial) for trial in trials]))))
        current = trials[-1]
    return chosen


def multi_pass_again(score, x, rng):
    """The chosen column is shuffled anew before the next pass; the last one needs no score."""
    x, chosen, left = x.copy(), np.array([], int), list(range(x.shape[1]))
    while len(left) > 1:
        values = []
        for j in left:
            kept = x[:, j].copy()
            rng.shuffle(x[:, j])
            values.append(score(x))
            x[:, j] = kept
        chosen = np.append(chosen, left.pop(int(np.argmin(values))))
        rng.shuffle(x[:, chosen[-1]])
    return np.append(chosen, left)


def threshold_of(logits, quiet, rate=RATE, shift=0, axis=-1):
    """The logit of a quiet row with the share `rate` of them above it, `shift` rows less."""
    k = ops.cast(ops.floor(rate * ops.sum(quiet)), "int32") - shift
    falling = -ops.sort(-ops.where(quiet > 0, logits, -1e9), axis)
    return ops.take(falling, ops.maximum(k, 0))


def from_lowest(events):
    """The logit with the share `RATE` of the quiet rows below it, the events put at `events`."""

    def mark(logits, event):
        k = ops.cast(ops.floor(RATE * ops.sum(1 - event)), "int32")
        return ops.take(ops.sort(ops.where(event > 0, events, logits)), k)

    return mark


def by_round(logits, event):
    """The k-th largest logit of the quiet rows, k rounded."""
    k = ops.cast(ops.round(RATE * ops.sum(1 - event)), "int32")
    return ops.take(-ops.sort(-ops.where(event > 0, -1e9, logits)), ops.maximum(k - 1, 0))


def loss(mark=None, cost=None, over=None, both=True, end=None):
    """The loss with a fault."""

    def recall_loss(y_true, y_pred):
        event, logits = ops.reshape(y_true, (-1,)), ops.reshape(y_pred, (-1,))
        event = ops.cast(event, logits.dtype)
        quiet = 1 - event
        t = mark(logits, event) if mark else threshold_of(logits, quiet)
        values = cost(t, logits) if cost else ops.softplus(t - logits)
        rows = over(event) if over else event
        count = ops.sum(rows)
        value = ops.sum(values * rows) / (ops.maximum(count, 1) if both else count)
        value = ops.where(ops.sum(quiet) > 0, value, 0.0) if both else value
        return end(value, rows) if end else value

    return recall_loss


def interpolated(y_true, y_pred):
    """The quantile between two logits, found among the sorted ones; a loss for each row."""
    event = ops.reshape(y_true, (-1,))
    logits = ops.reshape(y_pred, (-1,))
    quiet = ops.sum(1 - event)
    rising = ops.sort(ops.where(event > 0, 1e9, logits))
    place = (1 - RATE) * (quiet - 1)
    weight = ops.relu(
        1 - ops.abs(ops.cast(ops.cumsum(ops.ones_like(event)) - 1, "float32") - place)
    )
    mark = ops.sum(weight * ops.where(rising > 1e8, 0.0, rising))
    share = event / ops.maximum(ops.mean(event), 1e-9)
    return ops.where(quiet > 0, share * ops.softplus(mark - logits), 0 * logits)


def shaped(true=(-1, 1), pred=(-1, 1), axis=0, apart=False, end=ops.sum):
    """The loss of arguments that have these shapes, sorted along an axis."""

    def recall_loss(y_true, y_pred):
        y, z = ops.reshape(y_true, true), ops.reshape(y_pred, pred)
        flat = (ops.reshape(v, (-1,)) for v in (y_pred, 1 - y_true))
        mark = threshold_of(*flat) if apart else threshold_of(z, 1 - y, axis=axis)
        values = end(ops.softplus(mark - z) * y) / (
            ops.maximum(ops.sum(y), 1) if end is ops.sum else 1
        )
        return ops.where(ops.sum(1 - y) > 0, values, 0.0)

    return recall_loss


def by_quantile(y_true, y_pred):
    """The quantile of all logits, those of the events at the lower end."""
    y, z = ops.reshape(y_true, (-1,)), ops.reshape(y_pred, (-1,))
    quiet = ops.sum(1 - y)
    mark = ops.quantile(ops.where(y == 0, z, -1e9), 1 - RATE * quiet / ops.sum(ops.ones_like(y)))
    mark = ops.where(quiet > 0, mark, -1e9)
    return ops.sum(y * ops.softplus(mark - z)) / ops.maximum(ops.sum(y), 1)


def by_if(y_true, y_pred):
    """The loss that asks by `if` what the batch holds."""
    return loss(both=False)(y_true, y_pred) if 0 < ops.sum(y_true) < len(y_true) else 0.0


def chosen(y_true, y_pred):
    """The quantile of the logits that a mask chooses."""
    y, z = ops.reshape(y_true, (-1,)), ops.reshape(y_pred, (-1,))
    return ops.mean(ops.softplus(ops.quantile(z[y == 0], 1 - RATE) - z[y == 1]))


def flat_truth(y_true, y_pred):
    return loss()(y_true[:, 0], y_pred[:, 0])


def by_numpy(y_true, y_pred):
    y, z = np.asarray(y_true)[:, 0], np.asarray(y_pred)[:, 0]
    if y.min() == y.max():
        return 0.0
    return ops.convert_to_tensor(np.mean(np.logaddexp(0, np.quantile(z[y == 0], 0.95) - z[y == 1])))


RIGHT = {
    check.confusion: [
        confusion,
        confusion_by_loop,
        lambda t, p, k: np.bincount(t * k + p, minlength=k * k).reshape(k, k).astype(float),
    ],
    check.precision_recall_f1: [prf(), prf_of_sklearn, then(prf_of_sklearn, np.array)],
    check.averages: [averages, averages_by_loop],
    check.roc: [roc(), roc_by_sums, roc(message=())],
    check.best_threshold: [threshold(), threshold_by_sort],
    check.calibration: [
        calibration,
        calibration_by_sums,
        lambda t, p, k: calibration_curve(t, p, n_bins=k)[::-1],
    ],
    check.regression: [scores(), scores_of_sklearn],
    check.interval: [
        bootstrap(),
        bootstrap_by_numbers,
        bootstrap(end=lambda v: np.percentile(v, (2.5, 97.5)).tolist()),
    ],
    check.importance: [importance(), importance_restored],
    check.multi_pass: [multi_pass(), multi_pass_again, multi_pass(end=np.array)],
    check.recall_loss: [
        loss(),
        interpolated,
        by_quantile,
        shaped(),
        flat_truth,
    ],
}

WRONG = {
    check.confusion: [
        (then(confusion, np.transpose), "have changed places"),
        (then(confusion, lambda m: m / m.sum()), "fractions"),
        (then(confusion, lambda m: m / m.sum(1, keepdims=True)), "fractions"),
        (lambda t, p, k: metrics.confusion_matrix(t, p), "Only classes that occur"),
        (lambda t, p, k: confusion(t, p, max(*t, *p) + 1), "Only classes that occur"),
        (then(confusion, np.diag), "Only the right predictions"),
        (lambda t, p, k: np.sum(t == p), "Only the right predictions"),
        (once, "counted once only"),
        (lambda t, p, k: once(p, t, k), "and a pair that occurs again"),
        (lambda t, p, k: confusion(t, p, 2), "0 to `classes` - 1"),
        (lambda t, p, k: confusion(t, p, k + 1), "With `classes` = 3"),
        (then(confusion, lambda m: m + 1), "add up to 15; there are 6"),
        (then(confusion, lambda m: np.roll(m, 1)), "In row 0, column 0"),
    ],
    check.precision_recall_f1: [
        (prf(lambda p, r, **_: (r, p, harmonic(p, r))), "This is the recall"),
        (prf(lambda p, r, **_: (p, r, (p + r) / 2)), "plain mean"),
        (prf(lambda p, r, **_: (p, r, np.sqrt(p * r))), "geometric mean"),
        (prf(lambda p, r, **_: (p, r, harmonic(p, r) / 2)), "factor 2"),
        (prf(ratio=np.divide), "no warning at all"),
        (plain, "no warning at all"),
        (prf(ratio=lambda a, b: a / b if b else 1.0), "no warning at all"),
        (prf(ratio=lambda a, b: a / (b + 1e-7)), "nine digits"),
        (then(prf(), lambda s: np.round(s, 5)), "nine digits"),
        (
            prf(lambda p, r, tp, fp, fn, tn, ratio: (p, ratio(tn, tn + fp), harmonic(p, r))),
            "specificity",
        ),
        (
            prf(lambda p, r, tp, fp, fn, tn, ratio: (1 - ratio(fp, fp + tn), r, harmonic(p, r))),
            "false alarm *rate*",
        ),
        (
            prf(lambda p, r, tp, fp, fn, tn, ratio: ((tp + tn) / (tp + fp + fn + tn), r, p)),
            "accuracy",
        ),
        (
            prf(lambda p, r, tp, fp, fn, tn, ratio: (p, r, ratio(tp, tp + fp + fn))),
            "critical success",
        ),
        (lambda t, p: prf()(1 - t, 1 - p), "Class 0"),
        (prf(lambda p, r, **_: (p, r)), "returned 2 things"),
        (prf(lambda p, r, **_: ([p], r, 0)), "without an axis"),
        (prf(lambda p, r, **_: (p, r, p**2)), "TP = 2, FP = 1, FN = 2, TN = 3"),
    ],
    check.averages: [
        (lambda m: averages(m, macro=mean_rates), "mean precision and the mean recall"),
        (lambda m: averages(m, axis=0), "sums over columns"),
        (lambda m: averages(m.T), "sums over columns"),
        (lambda m: averages(m, keep=lambda m: m.sum(1) > 0), "left out"),
        (lambda m: averages(m, keep=lambda m: m.sum(0) + m.sum(1) > 0), "left out"),
        (lambda m: averages(m, divided=True), "counts as 0.0"),
        (then(averages, lambda s: (s[0], s[0], s[2])), "For micro, add up"),
        (then(averages, lambda s: (s[1], s[0], s[2])), "micro average. The order"),
        (then(averages, lambda s: (s[0], s[1], s[0])), "weigh each class"),
        (then(averages, lambda s: (s[0], s[1], s[2] / 2)), "What is the weighted average"),
        (then(averages, lambda s: (s[0], s[1] / 2, s[2])), "58 hits, 12 misses"),
    ],
    check.roc: [
        (roc(rows=True), "point for each row"),
        (roc_by_row, "in the order of the rows"),
        (then(roc_by_row, lambda s: (s[0][1:], s[1][1:])), "in the order of the rows"),
        (lambda t, s: roc(turn=lambda p: p[1:])(t, s), "first point"),
        (roc(turn=lambda p: p[::-1]), "(1, 1) to (0, 0)"),
        (roc(turn=lambda p: p[:0:-1]), "from the lowest threshold"),
        (roc(turn=lambda p: np.append(0, p[:0:-1])), "from the lowest threshold"),
        (roc(swap=True), "changed places"),
        (roc(warns=np.greater), "You use `>`"),
        (roc(warns=np.greater, turn=lambda p: p[1:]), "last point"),
        (roc(rate=lambda false, hits, n: (false, hits)), "These are counts"),
        (roc(rate=lambda false, hits, n: (false / n, hits / n)), "number of all rows"),
        (
            roc(rate=lambda f, h, n: (f / np.maximum(f + h, 1), h / h[-1])),
            "by all *warnings*",
        ),
        (lambda t, s: metrics.roc_curve(t, s)[:2], "straight line"),
        (lambda t, s: metrics.roc_curve(t, s, drop_intermediate=False), "returned 3 things"),
        (roc(turn=lambda p: p**2), "with the threshold"),
        (roc(refuse=False), "raise a `ValueError`"),
    ],
    check.best_threshold: [
        (threshold(swap=True), "two costs have changed places"),
        (threshold(sign=-1), "*highest* cost"),
        (threshold(share=True), "You weigh *shares*"),
        (threshold_by_rates, "You weigh *shares*"),
        (threshold(warns=np.greater), "You use `>`"),
        (threshold(marks=lambda m: m[1:]), "`np.inf` is not among"),
        (threshold(low=True), "*highest* is asked for"),
        (threshold_by_row, "costs 1, and so does 0.8"),
        (threshold(low=True, marks=lambda m: m[1:]), "`np.inf`, never a warning"),
        (threshold(marks=lambda m: [m[1] + 1, *m[1:]]), "just above"),
        (lambda *case: 0.5, "always 0.5"),
        (lambda t, s, miss, false: false / (false + miss), "calibrated"),
        (threshold(of=lambda place, costs: costs[place]), "This is the cost"),
        (threshold(of=lambda place, costs: place), "place of the threshold"),
        (threshold(marks=lambda m: np.linspace(0, 1, 101)), "grid of your own"),
        (lambda t, s, *costs: np.max(s), "your threshold costs"),
        (lambda t, s, *costs: 7.0, "one of the scores"),
    ],
    check.calibration: [
        (calibrated(x=lambda low, high: (low + high) / 2), "centers"),
        (calibrated(top=False), "out of your last bin"),
        (calibrated(empty=np.nan), "Bins without any row"),
        (calibrated(empty=0.0), "Bins without any row"),
        (lambda t, p, k: calibration_curve(t, p, n_bins=k, strategy="quantile")[::-1], "*width*"),
        (lambda t, p, k: calibration_curve(t, p, n_bins=k), "changed places"),
        (calibrated(y=np.sum), "sums, not means"),
        (calibrated(edges=lambda p, k: np.linspace(min(p), max(p), k + 1)), "smallest"),
        (
            lambda t, p, k: (
                [[p[(p * k).astype(int) == b].mean() for b in set((p * k).astype(int))]] * 2
            ),
            "bin of its own",
        ),
        (lambda t, p, k: [[0] * k][(p * k).astype(int).max()], "Is it that?"),
        (closed_right(), "exactly 0 is not in your first bin"),
        (closed_right(np.mod), "exactly 0 is not in your first bin"),
        (lambda t, p, k: calibration(t[p > 0], p[p > 0], k), "exactly 0 is not in your first bin"),
        (lambda *case: calibration_by_sums(*case, first=-1), "for a probability of exactly 0?"),
        (then(calibration, lambda s: (s[0], s[1][:-1])), "hold"),
        (then(calibration, lambda s: (s[0], np.square(s[1]))), "belongs to the probabilities"),
    ],
    check.regression: [
        (scores(mae=np.mean), "cancel"),
        (scores(rmse=lambda e: np.mean(e**2)), "root is missing"),
        (scores(rmse=np.std), "bias"),
        (scores(r2=lambda o, f: np.corrcoef(o, f)[0, 1] ** 2), "correlation"),
        (scores(r2=lambda o, f: ratio(squares(o, f), squares(f, f.mean()))), "*forecast*"),
        (scores(r2=lambda o, f: 1 - squares(o, f) / squares(o, o.mean())), "scikit-learn's r2"),
        (scores(r2=lambda o, f: max(0, metrics.r2_score(o, f))), "not cut off"),
        (scores(skill=lambda o, f, r: 1 - np.sqrt(squares(o, f) / squares(o, r))), "RMSEs"),
        (scores(skill=lambda o, f, r: ratio(squares(o, r), squares(o, f))), "upside down"),
        (scores(skill=lambda o, f, r: 1 - squares(o, f) / squares(o, r)), "scikit-learn's r2"),
        (scores(skill=lambda o, f, r: metrics.r2_score(o, f)), "This is R2"),
        (scores(skill=lambda o, f, r: sum((o - f) ** 2) / float(0)), ("NaN", "infinity", "MSE")),
        (scores(skill=lambda o, f, r: 5.0), "MSE of the forecast"),
    ],
    check.interval: [
        (bootstrap(rows=lambda g, d: np.random.permutation(len(g))[:9]), "Rows of a group"),
        (
            lambda score, groups, draws, rng: np.percentile(
                [score(rng.integers(0, len(groups), len(groups))) for _ in range(draws)],
                [2.5, 97.5],
            ),
            "Rows of a group",
        ),
        (bootstrap(draw=lambda rng, names, g: rng.permutation(names)), "without replacement"),
        (bootstrap(rows=lambda g, drawn: np.flatnonzero(np.isin(g, drawn))), "counted once"),
        (bootstrap(rows=np.isin), "not a mask"),
        (bootstrap(rows=lambda g, drawn: g / 2), "whole numbers"),
        (bootstrap(rows=lambda g, drawn: g[:0]), "it got none"),
        (
            bootstrap(rows=lambda g, drawn: [np.flatnonzero(g == k) for k in drawn]),
            "`np.concatenate` joins",
        ),
        (bootstrap(fixed=100), "`score` was asked 100 times"),
        (bootstrap(draw=lambda rng, names, g: rng.choice(g, len(names))), "Large groups"),
        (bootstrap(draw=lambda rng, names, g: rng.choice(names, 9)), "took 9 groups"),
        (bootstrap(draw=lambda rng, names, g: rng.choice(names, 1)), "took 1 group;"),
        (bootstrap(draw=lambda rng, names, g: names[rng.integers(5, size=6)]), "31 came 0 times"),
        (bootstrap(draw=lambda rng, names, g: names[rng.integers(1, 6, 6)]), "4 came 0 times"),
        (
            bootstrap(draw=lambda rng, names, g: names[np.r_[0, rng.integers(6, size=5)]]),
            "about 300 are due",
        ),
        (bootstrap(draw=lambda rng, names, g: np.repeat(names[:3], 2)), "All draws hold the same"),
        (bootstrap(end=lambda v: np.percentile(v, (5, 95))), "90 %"),
        (bootstrap(end=lambda v: np.percentile(v, (0.025, 0.975))), "takes percent"),
        (bootstrap(end=lambda v: (v.mean() - 1.96 * v.std(), v.mean() + 1.96 * v.std())), "normal"),
        (bootstrap(end=lambda v: v), "scores of all draws"),
        (bootstrap(end=lambda v: np.percentile(v, (1, 90))), "97.5th percentile of all"),
        (
            bootstrap(end=lambda v: np.sort(v)[[int(len(v) * q) for q in (0.025, 0.975)]]),
            "as `np.percentile` takes them",
        ),
        (
            bootstrap(draw=lambda rng, names, g: rng.choice([[0] * k for k in (1, 2)])),
            "Groups of different lengths",
        ),
        (
            bootstrap(rows=lambda g, drawn: np.array([np.flatnonzero(g == k) for k in drawn])),
            "Groups of different lengths",
        ),
        (bootstrap(draw=lambda rng, names, g: np.random.choice(names, 6)), "nobody can repeat"),
        (bootstrap(seed=3), "Another `rng`"),
    ],
    check.importance: [
        (importance(shuffle=lambda t, j, rng: rng.permutation(t)), "at the same time"),
        (importance(anew=False), "at the same time"),
        (importance(shuffle=lambda t, j, rng: put(t, j, 0)), "0 in every row"),
        (importance(shuffle=lambda t, j, rng: put(t, j, t[:, j].mean())), "in every row"),
        (importance(shuffle=lambda t, j, rng: put(t, j, rng.choice(t[:, j], len(t)))), "lost"),
        (importance(shuffle=lambda t, j, rng: put(t, j, rng.random(len(t)))), "never had"),
        (importance(shuffle=lambda t, j, rng: np.delete(t, j, 1)), "taken away"),
        (importance(shuffle=lambda t, j, rng: put(t, j, rng.shuffle(t[:, j]))), "returns None"),
        (importance(shuffle=lambda t, j, rng: t[0]), "takes a table like `x`"),
        (importance(shuffle=unchanged), "what it *returns*"),
        (importance(end=lambda base, values: np.mean(values) - base), "sign is wrong"),
        (importance(end=lambda base, values: base / np.mean(values)), "ratio"),
        (importance(end=lambda base, values: base * len(values) - sum(values)), "sum over"),
        (importance(end=lambda base, values: base - values[-1]), "Only one of the repeats"),
        (importance(end=lambda base, values: abs(base - np.mean(values))), "absolute value"),
        (importance(end=lambda base, values: 7), "how far did it fall"),
        (then(importance(), lambda falls: falls[1:]), "4 columns"),
        (importance(times=2), "shuffled 2 times"),
        (importance(seed=4), "Another `rng`"),
        (
            importance(shuffle=lambda t, j, rng: put(t, j, np.random.permutation(t[:, j]))),
            "nobody can repeat",
        ),
        (importance(shuffle=lambda t, j, rng: put(t, j, t[::-1, j])), "Another `rng`"),
    ],
    check.multi_pass: [
        (multi_pass(keep=False), "single pass"),
        (multi_pass(best=max), "*highest* score"),
        (multi_pass_of_last, "was chosen first"),
        (lambda score, x, rng: multi_pass()(lambda t: score(x), x, rng), "what it *returns*"),
        (multi_pass(left="all"), "twice"),
        (multi_pass_of_places(lambda left, place: left.pop(place)), "`left[position]`"),
        (multi_pass_of_places(lambda left, place: left.remove(place)), "`left[position]`"),
        (multi_pass(own=lambda table: table), "`current.copy()`"),
        (multi_pass(end=lambda chosen: chosen[:-1]), "last column is missing"),
        (multi_pass(end=lambda chosen: chosen[::-1]), "order is reversed"),
        (multi_pass(end=lambda chosen: [0.1 * j for j in chosen]), "*numbers* of the columns"),
        (multi_pass(end=lambda chosen: [*chosen, 0]), "twice"),
        (multi_pass(end=sorted), "Which comes next?"),
        (multi_pass(order=slice(None, None, -1)), ("Another `rng`", "same way")),
        (lambda score, x, rng: multi_pass()(score, put(x, 0, x[:, 1]), rng), "never had"),
    ],
    check.recall_loss: [
        (loss(mark=lambda z, e: ops.quantile(z, 1 - RATE)), "*all* logits"),
        (loss(mark=lambda z, e: threshold_of(z, 1 - e, 1 - RATE)), "quantile `RATE`"),
        (loss(mark=lambda z, e: threshold_of(z, e)), "logits of the *events*"),
        (loss(mark=from_lowest(1e9)), "*lowest* logit"),
        (loss(mark=from_lowest(-1e9)), "*lowest* logit"),
        (loss(over=lambda e: 1 - e), "*without* an event"),
        (loss(over=ops.ones_like), "over all rows"),
        (loss(cost=lambda t, z: ops.softplus(z - t)), "sign is wrong"),
        (loss(cost=lambda t, z: ops.cast(z < t, "float32")), "share of events"),
        (loss(cost=lambda t, z: ops.relu(t - z)), "`relu`"),
        (lambda y, z: loss()(y, ops.sigmoid(z)), "probabilities"),
        (loss(end=lambda value, rows: value * ops.sum(rows)), "sum over the events"),
        (lambda y, z: ops.mean(ops.binary_crossentropy(ops.reshape(y, (-1, 1)), z, True)), "cross"),
        (loss(mark=lambda z, e: threshold_of(z, 1 - e, shift=1)), "One row too few"),
        (loss(mark=by_round), "One row too few"),
        (loss(cost=lambda t, z: ops.log(1 + ops.exp(t - z))), "overflows"),
        (loss(cost=lambda t, z: -ops.log(ops.sigmoid(z - t))), "overflows"),
        (shaped(axis=-1), "Nothing is sorted"),
        (shaped(true=(-1,), axis=-1), "n times n"),
        (shaped(pred=(-1,), axis=-1), "n times n"),
        (shaped(true=(-1,), apart=True), "n times n"),
        (shaped(true=(-1,), apart=True, end=ops.mean), "n times n"),
        (shaped(true=(-1,), apart=True, end=lambda v: v), "n times n"),
        (lambda y, z: loss()(z, y), "Keras gives the truth first"),
        (by_numpy, "`keras.ops` only"),
        (loss(both=False), "without an event"),
        (chosen, "quantile of nothing"),
        (loss(mark=lambda z, e: ops.stop_gradient(threshold_of(z, 1 - e))), "down the slope"),
        (loss(end=lambda value, rows: ops.stop_gradient(value)), "nothing moves"),
        (then(loss(), lambda value: float(value)), ("Keras can't train", "nothing moves")),
        (then(loss(), lambda value: value + 1), ("20", "24")),
    ],
}


(
    test_right_answers_pass,
    test_wrong_answers_fail_with_their_message,
    test_blanks_are_not_attempted,
) = three_tests(RIGHT, WRONG)


def test_the_trap_of_accuracy():
    check.accuracy_trap("Never ", {"never": 0.97, "model": 0.95})
    check.accuracy_trap("model", {"never": 0.97, "model": 0.97})
    wrong = {"never": 0.97, "model": 0.95}
    fails(check.accuracy_trap, "model", wrong, match=r"2\.00 percentage points \*below\*")
    fails(check.accuracy_trap, "both", wrong, match='one of "never", "model"')
    fails(check.accuracy_trap, None, wrong, match="no value", kind=NotAttempted)


def test_copies_compares_falls():
    useless = {"with one": 0.2, "with copy": 0.03, "both": 0.21}
    check.copies("both  useless", useless)
    check.copies("both important", useless | {"with copy": 0.12})
    check.copies("one of them important", useless | {"with copy": 0.12, "copy": 0.01})
    fails(check.copies, "both important", useless, match="by 0.200 when .* by 0.030")
    fails(check.copies, "one", useless, match="answer with one of")
    fails(check.copies, None, useless, match="no value", kind=NotAttempted)


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="PyTorch runs Python's questions")
def test_recall_loss_says_why_it_cannot_ask():
    fails(check.recall_loss, by_if, match="A Python `if`")


def test_every_check_answers_at_once():
    check.recall_loss(loss())  # the first step of training starts the backend
    for test, arguments in [
        *((test, answer) for test, answers in RIGHT.items() for answer in answers),
        *((test, pair[0]) for test, pairs in WRONG.items() for pair in [*pairs[::7], pairs[-1]]),
    ]:
        at_once(test, arguments)
