"""The checks of lab 10 against right, blank and wrong answers."""

import numpy as np
from failing import at_once, fails, three_tests
from keras import ops
from scipy import ndimage, signal, stats
from sklearn import metrics

from helpers.checks import spacetime as check
from helpers.checks.core import NotAttempted


def moved(
    cross=lambda a, b: a.conj() * b,
    scale=lambda cross: cross / (np.abs(cross) + 1e-9),
    back=np.fft.ifft2,
    forth=np.fft.fft2,
    wrap=lambda p, n, other: p - n if p > n // 2 else p,
    wrap_columns=None,
    end=lambda rows, columns, shape: (rows, columns),
):
    """Phase correlation with a fault."""

    def displacement(before, after):
        peak = back(scale(cross(forth(before), forth(after)))).real
        h, w = peak.shape
        row, column = divmod(int(np.argmax(peak)), w)
        return end(wrap(row, h, w), (wrap_columns or wrap)(column, w, h), (h, w))

    return displacement


def windowed(before, after):
    """Phase correlation of pictures that fade out to their edges, in single precision."""
    window = np.outer(*(np.hanning(size + 2)[1:-1] for size in before.shape))
    pictures = (np.float32((each - each.mean()) * window) for each in (before, after))
    return np.array(moved(scale=lambda c: c / np.maximum(np.abs(c), 1e-3))(*pictures))


def brightest(end=lambda moves, shape: moves):
    """Compare the places of the brightest pixels."""

    def displacement(before, after):
        places = [np.unravel_index(np.argmax(each), each.shape) for each in (before, after)]
        return end(np.subtract(*places[::-1]), np.array(before.shape))

    return displacement


def by_half_the_waves(unravel):
    """Phase correlation by `rfft2`, which takes the peaks for as wide as the pictures."""

    def displacement(before, after):
        cross = np.fft.rfft2(after) * np.fft.rfft2(before).conj()
        peak = np.fft.irfft2(cross / (np.abs(cross) + 1e-9))
        place = np.unravel_index(np.argmax(peak), unravel(peak, before).shape)
        sizes = zip(place, before.shape, strict=True)
        return [int(p) - n if p > n / 2 else int(p) for p, n in sizes]

    return displacement


def by_search(before, after):
    """Compare what overlaps, shift by shift."""
    h, w = before.shape
    best = {}
    for r in range(-(h // 2), h // 2 + 1):
        for c in range(-(w // 2), w // 2 + 1):
            old = before[max(0, -r) : h - max(0, r), max(0, -c) : w - max(0, c)]
            new = after[max(0, r) : h - max(0, -r), max(0, c) : w - max(0, -c)]
            best[r, c] = np.mean((old - new) ** 2)
    return [float(each) + 0.2 for each in min(best, key=best.get)]


def moving(
    move=lambda k, motion: np.multiply(k, motion),
    shift=lambda frame, move: ndimage.shift(frame.astype(float), move, order=1),
    end=np.stack,
    again=False,
    start=1,
):
    """Advection with a fault."""

    def advect(frame, motion, steps):
        movie, last = [], frame
        for k in range(start, steps + 1):
            movie.append(shift(last if again else frame, move(k, motion)))
            last = movie[-1]
        return end(movie)

    return advect


def by_coordinates(frame, motion, steps):
    grid = np.indices(frame.shape)
    moves = [np.array(motion)[:, None, None] * k for k in range(1, steps + 1)]
    kind = {"order": 1, "mode": "grid-constant"}
    return np.array([ndimage.map_coordinates(frame * 1.0, grid - m, **kind) for m in moves])


def in_single_precision(frame, motion, steps):
    return ops.convert_to_tensor(np.float32(moving()(frame, motion, steps)))


def rolling(frame, move):
    return np.roll(frame, np.round(move).astype(int), (0, 1))


def edged(mode):
    return lambda frame, move: ndimage.shift(frame.astype(float), move, order=1, mode=mode)


def scored(
    event=np.greater_equal,
    axis=(0, 2, 3),
    csi=lambda h, m, f, c: h / (h + m + f),
    pod=lambda h, m, f, c: h / (h + m),
    far=lambda h, m, f, c: f / (h + f),
    end=lambda csi, pod, far: (csi, pod, far),
):
    """The three scores with a fault."""

    def scores(observed, forecast, threshold):
        o, f = event(observed, threshold), event(forecast, threshold)
        pairs = (o & f, o & ~f, ~o & f, ~o & ~f)
        counts = [pair.sum(axis=axis) for pair in pairs]
        return end(csi(*counts), pod(*counts), far(*counts))

    return scores


def by_scikit_learn(observed, forecast, threshold):
    result = []
    for o, f in zip(np.moveaxis(observed, 1, 0), np.moveaxis(forecast, 1, 0), strict=True):
        pair = o.ravel() >= threshold, f.ravel() >= threshold
        csi = metrics.jaccard_score(*pair) if np.any(pair) else np.nan
        pod = metrics.recall_score(*pair, zero_division=np.nan)
        result.append((csi, pod, 1 - metrics.precision_score(*pair, zero_division=np.nan)))
    return np.array(result).T


def by_loop(observed, forecast, threshold):
    result = []
    for step in range(observed.shape[1]):
        o, f = (list(each[:, step].ravel() >= threshold) for each in (observed, forecast))
        pairs = list(zip(o, f, strict=True))
        hits, misses, false = map(pairs.count, [(True, True), (True, False), (False, True)])
        parts = [(hits, hits + misses + false), (hits, hits + misses), (false, hits + false)]
        result.append([x / y if y else float("nan") for x, y in parts])
    return [np.array(score) for score in zip(*result, strict=True)]


def dry_is_zero(csi=1, pod=1, far=1):
    """Divide by 1 at least, in those scores where that is 1."""

    def over(least):
        return lambda part, whole: part / np.maximum(least, whole)

    return scored(
        csi=lambda h, m, f, c: over(csi)(h, h + m + f),
        pod=lambda h, m, f, c: over(pod)(h, h + m),
        far=lambda h, m, f, c: over(far)(f, h + f),
    )


def sample_means(observed, forecast, threshold):
    each = [scored()(o[None], f[None], threshold) for o, f in zip(observed, forecast, strict=True)]
    return tuple(np.nanmean(each, axis=0))


def sizes(valid=lambda i, k, s: (i - k) // s + 1, same=lambda i, k, s: (i + s - 1) // s, one=None):
    """The three sizes, with a fault."""

    def conv3d_shape(size, kernel, stride, padding):
        kernel, stride = (kernel[:1] * 3, stride[:1] * 3) if one else (kernel, stride)
        rule = valid if padding == "valid" else same
        return tuple(rule(*axis) for axis in zip(size, kernel, stride, strict=True))

    return conv3d_shape


def sizes_by_padding(size, kernel, stride, padding):
    size, kernel, stride = map(np.array, (size, kernel, stride))
    total = kernel - 1 if padding == "same" else 0 * kernel
    return np.ceil((size + total - kernel + 1) / stride).astype(int)


def same_size(image, kernel):
    return ops.conv(image, kernel, padding="same")


def lstm(
    convolve=same_size,
    read=lambda h, c: h,
    order="ifgo",
    total=lambda a, b, bias: a + b + bias,
    gate=ops.sigmoid,
    bend=ops.tanh,
    memory=lambda i, f, g, c: f * c + i * g,
    output=lambda o, new, c: o * ops.tanh(new),
    end=lambda h, c: (h, c),
    split=lambda z: ops.split(z, 4, axis=-1),
    **other,  # gates
):
    """A step of a ConvLSTM with a fault."""

    def convlstm_step(x, h, c, kernel, recurrent, bias):
        z = total(convolve(x, kernel), convolve(read(h, c), recurrent), bias)
        parts = dict(zip(order, split(z), strict=True))
        i, f, o = (other.get(name, gate)(parts[name]) for name in "ifo")
        new = memory(i, f, bend(parts["g"]), c)
        return end(output(o, new, c), new)

    return convlstm_step


def correlated(image, kernel):
    out = np.zeros((*image.shape[:3], kernel.shape[-1]))
    for n, d, u in np.ndindex(len(image), *kernel.shape[2:]):
        out[n, :, :, u] += signal.correlate(image[n, :, :, d], kernel[:, :, d, u], "same")
    return out


def lstm_by_scipy(x, h, c, kernel, recurrent, bias):
    z = correlated(x, kernel) + correlated(h, recurrent) + bias
    i, f, g, o = np.moveaxis(z.reshape(*z.shape[:3], 4, -1), 3, 0)
    i, f, o = (1 / (1 + np.exp(-gate)) for gate in (i, f, o))
    new = f * c + i * np.tanh(g)
    return [o * np.tanh(new), new]


def sharp(
    slopes=lambda f: (np.diff(f, axis=2), np.diff(f, axis=3)),
    power=np.square,
    mean=lambda d: d.mean(axis=(0, 2, 3)),
    end=lambda a, b: a + b,
    number=np.float64,
):
    """Sharpness with a fault."""
    return lambda frames: end(*(mean(power(d)) for d in slopes(number(frames))))


def sharp_by_slices(frames):
    return slices_in_keras(np.float32(frames))


def over_all_pairs(frames, power=np.square):
    down, right = (power(np.diff(frames * 1.0, axis=axis)) for axis in (2, 3))
    pairs = down[:, 0].size + right[:, 0].size
    return (down.sum((0, 2, 3)) + right.sum((0, 2, 3))) / pairs


def around(frames):
    return [np.roll(frames, -1, axis) - frames for axis in (2, 3)]


def slices_in_keras(frames):
    frames = ops.convert_to_tensor(frames)
    down = frames[:, :, 1:] - frames[:, :, :-1]
    right = frames[:, :, :, 1:] - frames[:, :, :, :-1]
    return ops.mean(down**2, axis=(0, 2, 3)) + ops.mean(ops.square(right), axis=(0, 2, 3))


def matched(
    order=lambda forecast: np.argsort(forecast, axis=None),
    values=lambda rain: np.sort(rain, axis=None),
    kind=lambda forecast, rain: rain.dtype,
):
    """Probability matching with a fault."""

    def match_distribution(forecast, rain):
        result = np.zeros(forecast.size, kind(forecast, rain))
        result[order(forecast)] = values(rain)
        return result.reshape(forecast.shape)

    return match_distribution


def matched_by_ranks(method="ordinal", kind=int, first=1):
    def match_distribution(forecast, rain):
        ranks = stats.rankdata(forecast, method=method).astype(kind) - first
        return np.sort(rain, axis=None)[ranks.reshape(forecast.shape)]

    return match_distribution


def matched_by_loop(forecast, rain):
    """Go down from the strongest; the last one of equals comes first."""
    places = sorted(np.ndindex(forecast.shape), key=lambda p: (forecast[p], p), reverse=True)
    result = np.zeros(forecast.shape)
    for place, value in zip(places, sorted(rain.ravel().tolist(), reverse=True), strict=True):
        result[place] = value
    return result.tolist()


def matched_in_keras(forecast, rain):
    ranks = ops.argsort(ops.argsort(ops.ravel(forecast)))
    values = ops.sort(ops.cast(ops.ravel(rain), "float32"))
    return ops.reshape(ops.take(values, ranks), forecast.shape)


def matched_in_place(forecast, rain):
    forecast.flat[np.argsort(forecast, axis=None)] = np.sort(rain, axis=None)
    return forecast


def matched_by_row(forecast, rain):
    result = np.zeros(forecast.shape)
    np.put_along_axis(result, np.argsort(forecast), np.sort(rain), axis=-1)
    return result


def extreme(
    limit=lambda train, frames, percent: np.percentile(train, percent, axis=(0, 1)),
    above=np.greater,
):
    """Extremes with a fault."""
    return lambda train, frames, percent: above(frames, limit(train, frames, percent))


def extreme_by_pixel(train, frames, percent):
    result = np.zeros(frames.shape)
    for i, j in np.ndindex(train.shape[2:]):
        limit = np.quantile(train[:, :, i, j].ravel(), percent / 100, method="lower")
        result[:, :, i, j] = frames[:, :, i, j] > limit
    return result


def together(train, frames, percent):
    values = [each.reshape(-1, *each.shape[2:]) for each in (train, frames)]
    return np.percentile(np.concatenate(values), percent, axis=0)


RIGHT = {
    check.displacement: [
        moved(),
        windowed,
        by_search,
        moved(scale=lambda c: c / np.abs(c)),
        moved(forth=np.fft.rfft2, back=np.fft.irfft2),  # odd widths shrink by 1
    ],
    check.advect: [moving(), by_coordinates, in_single_precision],
    check.scores: [scored(), scored(end=lambda *arrays: [*arrays]), by_scikit_learn, by_loop],
    check.conv3d_shape: [sizes(), sizes_by_padding, lambda *case: list(sizes()(*case))],
    check.convlstm_step: [lstm(), lstm_by_scipy, lstm(end=lambda *states: ops.stack(states))],
    check.sharpness: [
        sharp(),
        sharp_by_slices,
        sharp(number=np.float32),
        sharp(number=lambda f: f + 0.0),
    ],
    check.match_distribution: [
        matched(),
        matched(lambda f: np.argsort(-f, axis=None), lambda r: np.sort(r, axis=None)[::-1]),
        matched_by_ranks(),
        matched_by_loop,
        matched_in_keras,
    ],
    check.extremes: [
        extreme(),
        extreme_by_pixel,
        lambda *case: ops.convert_to_tensor(extreme()(*case)),
    ],
}

WRONG = {
    check.displacement: [
        (moved(cross=lambda a, b: a * b.conj()), "Both signs are wrong"),
        (moved(back=np.fft.fft2), "the *inverse* FFT"),
        (moved(wrap=lambda p, n, other: p), "subtract the size"),
        (moved(wrap=lambda p, n, other: p - other if p > other // 2 else p), "sizes are mixed up"),
        (moved(wrap_columns=lambda p, w, h: p - h if p > h // 2 else p), "sizes are mixed up"),
        (moved(wrap_columns=lambda p, w, h: p - w if p > h // 2 else p), "sizes are mixed up"),
        (moved(wrap_columns=lambda p, w, h: p - h if p > w // 2 else p), "sizes are mixed up"),
        (brightest(), "brightest pixel alone"),
        (brightest(lambda m, n: (m + n // 2) % n - n // 2), "brightest pixel alone"),
        (lambda before, after: np.argmax(after) - np.argmax(before), "brightest pixel alone"),
        (moved(scale=lambda c: c), "Step 3 is missing"),
        (moved(wrap=lambda p, *n: p, scale=lambda c: c), "Step 3 is missing"),
        (moved(end=lambda r, c, shape: (c, r)), "changed places"),
        (moved(lambda a, b: a * b.conj(), end=lambda r, c, s: (c, r)), "changed places"),
        (moved(wrap=lambda p, *n: p, end=lambda r, c, s: r * s[1] + c), "into (row, column)"),
        (moved(wrap=lambda p, n, other: (p + n // 2) % n), "After `fftshift`"),
        (moved(forth=np.fft.fft, back=np.fft.ifft), "transforms each row"),
        (moved(forth=np.fft.fft), "transforms each row"),
        (moved(cross=lambda a, b: b.conj() * b), "Nothing ever moves"),
        (moved(cross=lambda a, b: a * b, scale=lambda c: c), "conjugate is missing"),
        (moved(cross=lambda a, b: a * b), "conjugate is missing"),
        (by_half_the_waves(lambda peak, before: peak), "give it `s=before.shape`"),
        (by_half_the_waves(lambda peak, before: before), "give it `s=before.shape`"),
        (moved(end=lambda r, c, s: (r, c, 0)), "Two numbers"),
        (moved(end=lambda r, c, s: (r + 1, c)), "fits `after`"),
    ],
    check.advect: [
        (moving(lambda k, m: -np.multiply(k, m)), "wrong way"),
        (moving(lambda k, m: np.multiply(k, m)[::-1]), "changed places"),
        (moving(shift=rolling), "comes in again"),
        (moving(lambda k, m: m), "same motion"),
        (moving(lambda k, m: np.multiply(k - 1, m)), "k begins with 1"),
        (moving(start=0), "stands before the steps"),
        (moving(lambda k, m: m, again=True), "again and again"),
        (moving(again=True), "what has moved already"),
        (moving(shift=lambda f, m: ndimage.shift(f.astype(float), m)), "overshoots"),
        (moving(shift=edged("nearest")), "edges are carried on"),
        (moving(shift=edged("reflect")), "edges are carried on"),
        (moving(shift=lambda f, m: edged("constant")(f, np.round(m))), "Fractions"),
        (moving(shift=lambda f, m: ndimage.shift(f.astype(float), m, order=0)), "Fractions"),
        (moving(shift=lambda f, m: ndimage.shift(f, m, order=1)), "Make floats of the frame"),
        (moving(shift=lambda f, m: ndimage.shift(f, m)), "Make floats of the frame"),
        (
            moving(shift=lambda f, m: edged("constant")(f, m).astype(f.dtype)),
            "Make floats of the frame",
        ),
        (moving(end=list), "right numbers, but in a list"),
        (lambda *case: moving()(*case).tolist(), "right numbers, but in a list"),
        (moving(end=lambda movie: movie[-1]), "Only the last step"),
        (moving(end=lambda movie: np.stack(movie, axis=-1)), "steps come last"),
        (moving(lambda k, m: k * tuple(m)), "repeated k times"),
        (moving(end=lambda movie: np.stack(movie) + 1), "first wrong step is index 0"),
    ],
    check.scores: [
        (scored(far=lambda h, m, f, c: f / (f + c)), "false alarm *rate*"),
        (scored(csi=lambda h, m, f, c: (h + c) / (h + m + f + c)), "dry pixels"),
        (scored(event=np.greater), "`>=`"),
        (scored(axis=None), "all lead times together"),
        (scored(axis=(1, 2, 3)), "keep the films"),
        (sample_means, "scores of single films"),
        (scored(end=lambda csi, pod, far: (csi, far, pod)), "order is CSI"),
        (scored(far=lambda h, m, f, c: h / (h + f)), "1 - FAR"),
        (scored(end=lambda *rows: np.nan_to_num(rows)), "is NaN"),
        (dry_is_zero(), "is NaN"),
        (dry_is_zero(csi=0, pod=0), "is NaN. Step 1: hits 0, misses 0, false alarms 0"),
        (dry_is_zero(csi=0, far=0), "is NaN. Step 1"),
        (dry_is_zero(pod=0), "is NaN. Step 1"),
        (lambda o, f, t: scored()(f, o, t), "or `observed` and `forecast`"),
        (
            scored(
                csi=lambda h, m, f, c: (h + c) / (h + c + m + f),
                pod=lambda h, m, f, c: (h + c) / (h + c + m),
                far=lambda h, m, f, c: f / (h + c + f),
            ),
            "hits count dry pixels",
        ),
        (
            scored(pod=lambda h, m, f, c: h / (h + f), far=lambda h, m, f, c: m / (h + m)),
            "Misses and false alarms have changed places",
        ),
        (scored(np.greater, far=lambda h, m, f, c: f / (f + c)), "*rate*"),
        (scored(end=lambda *rows: [row.tolist() for row in rows]), "but each part is a list"),
        (lambda *case: tuple(zip(*by_scikit_learn(*case).T, strict=True)), "each part is a tuple"),
        (scored(end=lambda csi, pod, far: csi), "3 arrays, (csi, pod, far)"),
        (scored(csi=lambda h, m, f, c: h / h + m + f), "in brackets? Step 0"),
        (scored(pod=lambda h, m, f, c: h / h + m), "in brackets? Step 0"),
        (scored(end=lambda csi, pod, far: (csi, pod, far**2)), "Step 0: hits"),
    ],
    check.conv3d_shape: [
        (sizes(valid=lambda i, k, s: (i - k) // s), "+ 1 is missing"),
        (sizes(valid=lambda i, k, s: -(-(i - k) // s) + 1), "round down"),
        (sizes(valid=lambda i, k, s: (i - k) / s + 1), "round down"),
        (sizes(same=lambda i, k, s: i // s), "round up"),
        (sizes(same=lambda i, k, s: i), "only where the stride is 1"),
        (sizes(lambda i, k, s: (i - k) // s, lambda i, k, s: i), "only where"),
        (sizes(valid=lambda i, k, s: (i - s) // k + 1), '"valid" kernel and stride are mixed up'),
        (sizes(same=lambda i, k, s: -(-i // k)), "divide by the kernel"),
        (sizes(same=lambda i, k, s: (i - k) // s + 1), 'Your "same" is "valid"'),
        (sizes(one=True), "one number for all"),
        (lambda *case: (*sizes()(*case), 8), "films and channels"),
        (lambda *case: tuple(map(float, sizes()(*case))), "these are floats"),
        (
            sizes(same=lambda i, k, s: np.ceil(i / s)),
            "'same')` has the right values, but these are floats",
        ),
        (lambda *case: (size for size in sizes()(*case)), "returned a generator"),
        (lambda *case: map(int, sizes()(*case)), "no numbers yet. Make a tuple"),
        (lambda *case: sizes()(*case)[:2], "Three numbers"),
        (lambda *case: [2 * n for n in sizes()(*case)], "Look at the time: size 6"),
    ],
    check.convlstm_step: [
        (lstm(order="ifog"), "in the order i, f, o, g"),
        (lstm(order="figo"), "gate have changed places"),
        (lstm(bend=ops.sigmoid), "g is a sigmoid"),
        (lstm(gate=ops.tanh), "gates are a tanh"),
        (lstm(gate=ops.hard_sigmoid), "gates are a hard sigmoid"),
        (lstm(gate=lambda a: ops.clip(0.2 * a + 0.5, 0, 1)), "gates are a hard sigmoid"),
        (lstm(gate=lambda a: a), "sigmoid of the gates is missing"),
        (lstm(i=lambda a: a), "Look at i, f and g"),
        (lstm(f=ops.tanh), "Look at i, f and g"),
        (lstm(o=lambda a: a), "Look at o, and at how h comes"),
        (lstm(o=ops.tanh), "Look at o, and at how h comes"),
        (lstm(order="fiog", gate=ops.tanh), "gates are a tanh"),
        (lstm(memory=lambda i, f, g, c: i * c + f * g), "changed places"),
        (lstm(output=lambda o, new, c: o * ops.tanh(c)), "uses the old c"),
        (lstm(convolve=ops.conv), 'padding="same"'),
        (lstm(total=lambda a, b, bias: a + b), "bias has no effect"),
        (lstm(total=lambda a, b, bias: a + bias), "`h` has no effect"),
        (lstm(convolve=lambda a, k: same_size(a, k[::-1, ::-1].copy())), "flipped"),
        (lambda x, h, c, k, r, b: lstm()(x + h, 0 * h, c, k, r, b), "can't be added"),
        (lambda x, h, c, k, r, b: lstm()(x, h, c, r, k, b), "`kernel` belongs to `x`"),
        (lstm(split=lambda z: ops.split(z, 4)), "say `axis=-1`"),
        (lstm(split=lambda z: np.split(ops.convert_to_numpy(z), 4)), "say `axis=-1`"),
        (lstm(convolve=lambda a, k: a @ k), "is a convolution"),
        (lstm(convolve=lambda a, k: ops.matmul(a, k)), "is a convolution"),
        (lstm(convolve=np.dot), "is a convolution"),
        (lstm(convolve=lambda a, kernel: a * kernel), "is a convolution"),
        (lstm(read=lambda h, c: c), "You convolve c with `recurrent`"),
        (lstm(end=lambda *states: [ops.convert_to_numpy(s).tolist() for s in states]), "is a list"),
        (lstm(end=lambda h, c: (c, h)), "h comes first"),
        (lstm(end=lambda h, c: h), "Return 2 arrays, (h, c)"),
        (lstm(output=lambda o, new, c: 2 * ops.tanh(new)), "Your c is right"),
        (lstm(memory=lambda i, f, g, c: f * c + 2 * i * g), "Look at i, f and g, then at c"),
    ],
    check.sharpness: [
        (sharp(lambda f: (np.diff(f, axis=0), np.diff(f, axis=1))), "time or the films"),
        (sharp(lambda f: (np.diff(f, axis=1), np.diff(f, axis=2))), "time or the films"),
        (lambda f: (np.diff(f * 1.0) ** 2).mean((0, 2, 3)), "Only horizontal"),
        (lambda f: (np.diff(f * 1.0, axis=2) ** 2).mean((0, 2, 3)), "Only vertical"),
        (sharp(number=np.asarray), "there 3 - 5 is not -2"),
        (sharp(number=np.asarray, power=lambda d: np.float32(d) ** 2), "there 3 - 5 is not -2"),
        (sharp(number=np.asarray, end=lambda a, b: (a + b) / 2), "there 3 - 5 is not -2"),
        (slices_in_keras, "there 3 - 5 is not -2"),
        (sharp(number=np.int32), "Forecasts have fractions"),
        (sharp(around), "`np.roll`"),
        (sharp(power=np.positive, mean=lambda d: d.mean((0, 2, 3)) ** 2), "You square the mean"),
        (sharp(power=np.abs, mean=lambda d: d.mean((0, 2, 3)) ** 2), "You square the mean"),
        (sharp(power=np.positive, end=lambda a, b: (a + b) ** 2), "square the sum of the means"),
        (lambda frames: list(sharp()(frames)), "right numbers, but in a list"),
        (sharp(power=np.abs), "absolute differences"),
        (sharp(mean=np.mean), "all lead times"),
        (sharp(lambda f: np.gradient(f, axis=(2, 3))), "checkerboard"),
        (sharp(mean=lambda d: d.sum((0, 2, 3))), "Take the means"),
        (sharp(end=lambda a, b: np.sqrt(a + b)), "square root"),
        (sharp(end=lambda a, b: (a + b) / 2), "by 2"),
        (sharp(mean=lambda d: d), "different shapes"),
        (over_all_pairs, "one mean of all pairs"),
        (lambda frames: over_all_pairs(frames, np.abs), "one mean of all pairs"),
        (sharp(end=lambda a, b: a + 3 * b), "Step 0: the mean is"),
    ],
    check.match_distribution: [
        (lambda f, r: matched()(r, f), "changed places"),
        (matched(lambda f: np.argsort(-f, axis=None)), "gets the weakest rain"),
        (matched(values=np.ravel), "isn't sorted"),
        (lambda f, r: np.sort(r, axis=None).reshape(f.shape), "has no effect"),
        (lambda f, r: np.sort(r), "Each row"),
        (matched_by_row, "Each row"),
        (lambda f, r: matched_by_row(f.T, r.T).T, "Each column"),
        (lambda f, r: np.sort(r, axis=None)[np.argsort(f)], "Each row"),
        (lambda f, r: np.sort(r)[np.argsort(f)], "work row by row"),
        (matched(np.argsort), "work row by row"),
        (
            lambda f, r: np.sort(r, None)[np.argsort(f, None)].reshape(f.shape),
            "not `values[order]`",
        ),
        (lambda f, r: np.sort(r, None)[np.argsort(f, None)], "not `values[order]`"),
        (lambda f, r: matched()(f, r).ravel(), "result is flat"),
        (lambda f, r: matched()(r, f).ravel(), "changed places"),
        (lambda f, r: matched()(f, r).T, "shape of the forecast, (2, 3)"),
        (matched(kind=lambda f, r: f.dtype), "the type of the forecast"),
        (matched(kind=lambda f, r: int), "one of whole numbers"),
        (matched_in_place, "changes its input in place (argument 1)"),
        (matched_by_ranks("min"), "is used once"),
        (matched_by_ranks("average"), "is used once"),
        (matched_by_ranks("average", float), "is used once: pixels whose forecasts are equal"),
        (matched_by_ranks(first=0), "Places begin with 0"),
        (lambda f, r: np.interp(f, np.sort(f, None), np.sort(r, None)), "is used once"),
        (lambda f, r: np.roll(matched()(f, r), 1), "is smaller than there"),
    ],
    check.extremes: [
        (extreme(lambda t, f, p: np.percentile(t, p)), "one percentile for all"),
        (extreme(lambda t, f, p: np.percentile(f, p, axis=(0, 1))), "of `frames` themselves"),
        (extreme(together), "together"),
        (extreme(lambda t, f, p: np.percentile(t, p / 100, axis=(0, 1))), "takes percent, 95"),
        (extreme(lambda t, f, p: np.quantile(t, p, axis=(0, 1))), "takes a fraction"),
        (
            extreme(lambda t, f, p: np.percentile(t, 95, axis=(0, 1))),
            "always take the percentile 95",
        ),
        (lambda *case: extreme()(*case).tolist(), "right numbers, but in a list"),
        (extreme(above=np.greater_equal), "all dry weather"),
        (extreme(above=np.less), "upside down"),
        (extreme(lambda t, f, p: np.percentile(t, p, axis=0)), "so each step has its own"),
        (extreme(above=lambda f, limit: np.where(f > limit, f, 0)), "0 and 1"),
        (extreme(above=lambda f, limit: f > limit + 6), "of its pixel in `train` is"),
        (lambda t, f, p: extreme()(t, t, p), "shape is that of `frames`"),
    ],
}


(
    test_right_answers_pass,
    test_wrong_answers_fail_with_their_message,
    test_blanks_are_not_attempted,
) = three_tests(RIGHT, WRONG)


MSE = {"advection": np.array([9.0, 30, 80.5]), "network": np.array([8.9, 20, 42])}


def test_winner_compares_the_first_and_the_last_step():
    check.winner("advection", " Network", MSE)  # a tie of 1 % at the first step
    check.winner("network", "network", {name: list(mse) for name, mse in MSE.items()})
    fails(check.winner, "advection", "advection", MSE, match="`best_last`.* 92 % \\*above")
    fails(check.winner, "none", "network", MSE, match='answer with "advection" or "network"')
    fails(check.winner, "network", None, MSE, match="`best_last` has no", kind=NotAttempted)


def test_scores_tell_of_the_warning(capsys):
    for divide in ("warn", "ignore"):

        def scores(*case, divide=divide):
            with np.errstate(invalid=divide):
                return scored()(*case)

        check.scores(scores)
        text = capsys.readouterr().out
        assert "Correct" in text
        assert ("NumPy warns" in text) == (divide == "warn")


def test_a_flat_place_is_not_told_of_the_sign():
    def displacement(before, after):
        return np.argmax(np.fft.ifft2(np.fft.fft2(after) * np.fft.fft2(before).conj()).real)

    flat = moved(wrap=lambda p, *n: p, end=lambda r, c, s: r * s[1] + c)
    fails(check.displacement, flat, match=r"^`np\.unravel_index` turns")
    fails(check.displacement, displacement, match="^Two numbers are asked for")


def test_a_large_difference_is_told_of_one_state(capsys):
    text = r"`c` of `\S*convlstm_step.*differs most at `\[\d+, \d+, \d+, \d+\]`"
    fails(check.convlstm_step, lstm(memory=lambda i, f, g, c: f * c + 2 * i * g), match=text)
    text = text.replace("c` of", "h` of")
    fails(check.convlstm_step, lstm(output=lambda o, new, c: 2 * ops.tanh(new)), match=text)


def test_every_check_answers_at_once():
    for test, arguments in [
        *((test, right[:1]) for test, right in RIGHT.items()),
        *((test, pair[:1]) for test, pairs in WRONG.items() for pair in [*pairs[::5], pairs[-1]]),
        (check.winner, ("network", "network", MSE)),
    ]:
        at_once(test, *arguments)
