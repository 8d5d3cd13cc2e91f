"""Checks of lab 10: motion, advection, scores of rain, sizes, a ConvLSTM step, sharpness, extremes.

A wrong function is tried on every input before anything is said about it: a mistake is named only
if it explains all that came back. What is right is a function whose keyword arguments are its
steps; a mistake is another step, so that two mistakes at once are recognized as well. In each
dictionary of mistakes a message leads to the wrong step, or to the ways in which one makes it.
Frames are arrays (n, steps, height, width).
"""

import copy
import warnings
from collections.abc import Iterator
from functools import partial
from itertools import combinations, permutations, product
from operator import ge, gt, le, lt

import numpy as np
from numpy.fft import fft, fft2, ifft, ifft2, irfft2, rfft2

from .core import Answer, CheckFailed, Lab, describe, to_numpy
from .judge import attempt, failed, judge, numbers, numbers_of, same

lab = Lab("10 Space and time together")
reached = lab.reached
score_card = lab.score_card


@lab.check("how far the picture moved")
def displacement(answer):
    rolled = [((16, 22), 3, -4), ((15, 20), -5, 2), ((23, 18), 0, 6), ((18, 25), -2, -11)]
    rolled.append(((12, 27), 2, 7))  # more than half the height
    cases = [(field := _texture(*size), np.roll(field, move, (0, 1))) for size, *move in rolled]
    # In the first two the plain product has its peak elsewhere; in the first the brightest leaves.
    cropped = [((27, 31), -5, 4), ((28, 31), -5, 4), ((26, 34), 3, 2), ((35, 28), -2, 4)]
    cropped.append(((30, 27), -3, -2))
    cases += [_cropped(*each) for each in cropped]
    cases.append(2 * (_texture(14, 19).astype("float32"),))
    results = [_whole_pixels(attempt(answer, case)) for case in cases]
    rights = [np.array(move) for _, *move in [*rolled, *cropped, (None, 0, 0)]]
    steps = dict(power=_PRODUCTS, turn=_TURNS, index=_INDICES, end=_PAIRS)
    mistakes = [*_mistakes(_moved, **steps), *_rows(_NOT_A_PEAK)]
    judge(cases, results, rights, mistakes, _explain_move, _MOVE_ERRORS)
    return "It is right in all directions, for pictures that go around and parts of larger ones."


def _texture(h, w):
    """Return a random field (h, w) whose neighbors are alike, and that has all frequencies."""
    field = np.random.default_rng(h).normal(size=(h, w))
    for axis in (0, 1):
        field = field + 0.6 * np.roll(field, 1, axis) + 0.3 * np.roll(field, 2, axis)
    return field - field.min()


def _cropped(size, rows, columns):
    """Return two pieces of one field of rain cells, the second moved by so many pixels."""
    random, (h, w), edge = np.random.default_rng(size[0]), size, 10
    y, x = np.indices((h + 2 * edge, w + 2 * edge))
    field = np.zeros(y.shape)
    for _ in range(24):
        top, left = random.uniform(0, y.shape)
        cell = 1 - ((y - top) ** 2 + (x - left) ** 2) / random.uniform(2, 5) ** 2
        field = np.maximum(field, random.uniform(20, 50) * cell)
    corners = [(edge, edge), (edge - rows, edge - columns)]
    return tuple(field[top : top + h, left : left + w] for top, left in corners)


def _whole_pixels(result):
    array = numbers_of(result)
    if array is None or not np.all(np.isfinite(array)):
        return result
    return Answer(np.round(array).astype(int), result.what)


def _product(before, after, transform=fft2):
    return transform(after) * np.conj(transform(before))


def _phases(cross):
    return cross / np.maximum(np.abs(cross), 1e-12)


def _cross_power(*pictures):
    return _phases(_product(*pictures))


def _peak(values):
    return np.array(np.unravel_index(np.argmax(np.real(values)), values.shape))


def _signed(place, shape, beyond=(0, 1), less=(0, 1)):
    """Turn the place of a peak to a shift: what lies beyond half the size is negative.

    `beyond` and `less` are the axes whose sizes are halved and subtracted, for rows and columns.
    """
    sizes = zip(place, np.take(shape, beyond), np.take(shape, less), strict=True)
    return np.array([p - size if p > n / 2 else p for p, n, size in sizes])


def _moved(
    before,
    after,
    *,
    power=_cross_power,
    turn=np.positive,
    index=_signed,
    end=lambda move, shape: move,
):
    shape = np.array(before.shape)
    peak = _peak(ifft2(power(before, after)))
    return np.array(end(index(turn(peak) % shape, shape), shape))


_PRODUCTS = {
    "Step 3 is missing: without the division by the absolute value the largest areas of rain "
    "decide, and those that come in at the edge lead astray.": _product
}
_TURNS = {
    "Both signs are wrong: positive means down and to the right, from `before` to `after`. Which "
    "of the two spectra is conjugated, and is the way back the *inverse* FFT?": np.negative
}
_INDICES = {
    "A move up or to the left comes back as a large number: beyond half the size, subtract the "
    "size.": lambda place, shape: place,
    "The sizes are mixed up: each direction has its own. Rows go with the height, columns with the "
    "width.": [
        partial(_signed, beyond=beyond, less=less)
        for beyond, less in product(product((0, 1), repeat=2), repeat=2)
        if (beyond, less) != ((0, 1), (0, 1))
    ],
    "After `fftshift` (h // 2, w // 2) is no motion.": lambda place, n: (place + n // 2) % n,
    "The sign is lost: up and left are negative.": lambda *place: np.abs(_signed(*place)),
}
_PAIRS = {
    "Rows and columns have changed places: (rows, columns).": lambda move, shape: move[::-1],
}


def _peak_of(values):
    return lambda before, after: _signed(_peak(values(before, after)), before.shape)


_NOT_A_PEAK = {
    "`np.unravel_index` turns this number into (row, column).": (
        lambda before, after: np.argmax(ifft2(_cross_power(before, after)).real)
    ),
    "`np.fft.fft` transforms each row on its own. A picture needs `np.fft.fft2`, and "
    "`np.fft.ifft2` for the way back.": [
        _peak_of(lambda b, a, back=back, scale=scale: back(scale(_product(b, a, fft))))
        for back, scale in [(ifft, _phases), (ifft, np.positive), (ifft2, _phases)]
    ],
    "The brightest pixel alone is compared. It may change from one picture to the next: rain "
    "grows, decays, leaves the picture. All pixels count, as in steps 1 to 4.": [
        lambda before, after: _peak(after) - _peak(before),
        lambda before, after: _signed((_peak(after) - _peak(before)) % before.shape, before.shape),
        lambda before, after: (_peak(after) - _peak(before)) % before.shape,
        lambda before, after: np.argmax(after) - np.argmax(before),
    ],
    "Nothing ever moves. Is the peak that of the *inverse* FFT, and are both pictures in the "
    "product?": lambda before, after: np.zeros(2),
    "The conjugate is missing in the product.": [
        _peak_of(lambda b, a, scale=scale: ifft2(scale(fft2(a) * fft2(b))))
        for scale in (np.positive, _phases)
    ],
    "For an odd width `irfft2` returns one column less, unless you give it `s=before.shape`.": [
        _peak_of(lambda b, a: irfft2(_phases(_product(b, a, rfft2)))),
        _peak_of(lambda b, a: np.resize(irfft2(_phases(_product(b, a, rfft2))), b.shape)),
    ],
}
_MOVE_ERRORS = [
    ("invalid index|subscript|unpack", "`np.argmax` gives one number; `np.unravel_index` helps."),
    ("broadcast|out of bounds", "The pictures have {0.shape[0]} rows and {0.shape[1]} columns."),
]


def _explain_move(case, array, right):
    if array.shape != right.shape:
        return "Two numbers are asked for: (rows, columns)."
    return f"Moved by {right.tolist()} `before` fits `after`; by yours it doesn't."


@lab.check("moving the rain on")
def advect(answer):
    random = np.random.default_rng(3)

    def frame(h, w, edge):
        # Right ways to interpolate differ where rain stands at the edge and moves by a fraction.
        return np.pad(random.uniform(5, 50, (h - 2 * edge, w - 2 * edge)), edge)

    cases = [
        (frame(5, 7, 0), (1, -2), 3),
        (frame(8, 11, 0), (-2, 1), 4),
        (frame(9, 6, 0), (0, 1), 5),
        (frame(10, 12, 1), (0.5, -1.25), 4),
        (frame(7, 9, 1).astype("float32"), (-0.75, 0.5), 3),
        (frame(6, 10, 1), np.array([1.5, 0.25]), 2),
        (frame(8, 9, 1).astype(int), (0.5, -0.75), 3),
    ]
    steps = dict(turn=_WAYS, step=_PACES, shift=_SHIFTS, kinds=_KINDS, end=_MOVIES)
    mistakes = _mistakes(_advected, **steps)
    _judge(answer, cases, _advected, mistakes, _explain_advected, _ADVECT_ERRORS)
    return "Step k has moved k times, by fractions too, and nothing comes in from outside."


def _shifted(frame, move, order=1, mode="constant"):
    from scipy.ndimage import shift

    return shift(frame, move, order=order, mode=mode, cval=0)


def _rolled(frame, move):
    return np.roll(frame, np.round(move).astype(int), (0, 1))


def _by(pace, again=False):
    """Return the rule by which step k is made of the frame, or `again` of the step before."""
    return lambda frame, last, k, motion, shift: shift(last if again else frame, pace(k) * motion)


def _advected(
    frame,
    motion,
    steps,
    turn=np.positive,
    step=None,
    shift=_shifted,
    kinds=(float, float),  # of the frame that is moved, and of the result; None is the frame's own
    end=None,
):
    first, step = np.asarray(frame, kinds[0]), step or _by(lambda k: k)
    movie = [first]
    for k in range(1, steps + 1):
        movie.append(step(first, movie[-1], k, turn(np.asarray(motion, float)), shift))
    movie = np.array(movie, kinds[1] or np.asarray(frame).dtype)
    return end(movie) if end else movie[1:]


_WAYS = {
    "The rain moves the wrong way. What is at a pixel now came from the pixel *minus* the motion "
    "(`scipy.ndimage.shift` takes the motion as it is).": np.negative,
    "Rows and columns of the motion have changed places: (rows, columns).": np.flip,
}
_PACES = {
    "Every step is moved by the same motion. Step k is moved k times.": _by(lambda k: 1),
    "Your first step is the frame unmoved: k begins with 1.": _by(lambda k: k - 1),
    "Your first step has moved twice: k begins with 1.": _by(lambda k: k + 1),
    "Each step is made of the step before, and interpolating again and again blurs it. Move the "
    "frame that was given, by k times the motion.": _by(lambda k: 1, True),
    "You move what has moved already. Move the frame that was given.": _by(lambda k: k, True),
}
_SHIFTS = {
    "This is cubic, SciPy's default, and overshoots: `order=1`.": partial(_shifted, order=3),
    "Fractions of a pixel are lost. Interpolate between neighbors.": [
        *(lambda f, m, cut=cut: _shifted(f, cut(m)) for cut in (np.round, np.trunc, np.floor)),
        partial(_shifted, order=0),
    ],
    "What leaves comes in again: outside is 0.": [_rolled, partial(_shifted, mode="grid-wrap")],
    "The edges are carried on to where nothing is known. What comes in from outside is 0.": [
        partial(_shifted, mode=mode) for mode in ("nearest", "reflect", "mirror")
    ],
}
_KINDS = {
    "A frame of whole numbers has become whole numbers again: what SciPy's `shift` returns is of "
    "the frame's type. Make floats of the frame first.": [(None, float), (float, None)]
}
_MOVIES = {
    "Only the last step came back. Collect them all: (steps, h, w).": lambda movie: movie[-1],
    "The frame that was given stands before the steps. Leave it out.": lambda movie: movie,
    "The last step is missing: `range(1, steps)` ends before `steps`.": lambda movie: movie[1:-1],
    "The steps come last. They come first: (steps, h, w).": lambda m: np.moveaxis(m[1:], 0, -1),
}
_ADVECT_ERRORS = [
    ("sequence|length equal", "A tuple times k is repeated k times: use `np.multiply(k, motion)`."),
    ("out of bounds", "A pixel that comes from outside the frame is 0."),
]


def _explain_advected(case, array, right):
    if array.shape != right.shape:
        return f"{case[2]} steps are asked for: (steps, h, w)."
    k = next(k for k in range(case[2]) if not same(array[k], right[k]))
    move = ", ".join(f"{(k + 1) * m:g}" for m in case[1])
    return f"The first wrong step is index {k}: the frame moved by ({move}), motion times {k + 1}."


@lab.check("scores by lead time")
def scores(answer):
    cases = [_rain(3, 5, 4, 7, 20), _rain(1, 3, 6, 2, 35), _rain(4, 2, 3, 5, 10, "float32")]
    observed, forecast, _ = _rain(2, 4, 5, 3, 15)
    observed[:, 1] = forecast[:, 1:3] = 0  # steps without rain, in one of the two or in both
    observed[:, 2] = forecast[:, 0] = observed[:, 3] = 40
    cases.append((observed, forecast, 15))
    mistakes = _mistakes(_scores, event=_EVENTS, rates=_RATES, pool=_POOLS, end=_ENDS)
    read = partial(_stacked, names=("csi", "pod", "far"), shape="(steps,)")
    _judge(answer, cases, _scores, mistakes, _explain_scores, _SCORE_ERRORS, read, parts=True)
    text = "All films and pixels count, by lead time; NaN where there is nothing to divide by."
    return f"{text} {_WARNING}" if _warns(answer, cases[-1]) else text


_WARNING = (
    'NumPy warns where you divide 0 by 0: `with np.errstate(invalid="ignore"):` keeps it silent.'
)


def _warns(answer, case):
    """Tell whether NumPy warns of the numbers in an answer's computation."""
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="warn"):
        warnings.simplefilter("always")
        answer(*copy.deepcopy(case))
    return any(issubclass(each.category, RuntimeWarning) for each in caught)


def _rain(n, steps, h, w, threshold, kind=float):
    """Return observed and forecast rain, whole numbers that often equal the threshold."""
    random, shape = np.random.default_rng(n), (n, steps, h, w)
    observed = threshold + random.choice([-9, -4, 0, 5, 8], shape)
    wrong = random.random(shape) < np.linspace(0.2, 0.9, n * steps).reshape(n, steps, 1, 1)
    forecast = observed + random.choice([-5, 0, 4, 9], shape) * wrong
    return observed.astype(kind), forecast.astype(kind), threshold


def _counts(a, b, axis):
    """Return hits, misses, false alarms and correct negatives of observed a and forecast b."""
    return [np.sum(each, axis) for each in (a & b, a & ~b, ~a & b, ~a & ~b)]


def _rates(h, m, f, c):
    return np.array([h / (h + m + f), h / (h + m), f / (h + f)])


def _with(place, rate):
    """Return the three rates, one of them replaced."""
    return lambda *n: np.array([rate(*n) if p == place else r for p, r in enumerate(_rates(*n))])


def _pooled(axis=(0, 2, 3)):
    return lambda a, b, rates: rates(*_counts(a, b, axis))


def _scores(a, b, threshold, event=ge, rates=_rates, pool=None, end=np.positive):
    return end((pool or _pooled())(event(a, threshold), event(b, threshold), rates))


_EVENTS = {
    "Rain that is just at the threshold counts as well: `>=`.": gt,
    "An event is rain at or *above* the threshold.": lt,
}
_RATES = {
    "Your FAR is the false alarm *rate*, a share of the dry pixels. The *ratio* is false alarms / "
    "(hits + false alarms).": _with(2, lambda h, m, f, c: f / (f + c)),
    "Your FAR is 1 - FAR: the share that came true.": _with(2, lambda h, m, f, c: h / (h + f)),
    "Your CSI counts dry pixels.": _with(0, lambda h, m, f, c: (h + c) / (h + m + f + c)),
    "Your CSI divides by all pixels.": _with(0, lambda h, m, f, c: h / (h + m + f + c)),
    "Your POD divides by what was forecast.": _with(1, lambda h, m, f, c: h / (h + f)),
    "Your hits count dry pixels. A hit is rain observed *and* forecast.": (
        lambda h, m, f, c: _rates(h + c, m, f, c)
    ),
    "Misses and false alarms have changed places, or `observed` and `forecast`.": (
        lambda h, m, f, c: _rates(h, f, m, c)
    ),
}
_POOLS = {
    "You take the mean of the scores of single films, in which two wet pixels weigh as much as a "
    "thousand. Add up the counts first, then divide.": [
        lambda a, b, rates: np.mean(_pooled((2, 3))(a, b, rates), axis=1),
        lambda a, b, rates: np.nanmean(_pooled((2, 3))(a, b, rates), axis=1),
    ],
    "Your scores are of all lead times together. Each step has its own: (steps,).": _pooled(None),
    "You keep the films: the axis of the steps is 1.": _pooled((1, 2, 3)),
    "Count films and pixels together: (steps,).": [*map(_pooled, (0, (2, 3), (0, 1)))],
}
_NOTHING = "With nothing to divide by a score is NaN."
_ENDS = {
    _NOTHING: [np.nan_to_num, partial(np.nan_to_num, nan=1)],
    "The order is CSI, POD, FAR.": [
        lambda s, o=order: s[list(o)] for order in permutations(range(3)) if order != (0, 1, 2)
    ],
    "These are percentages: give fractions.": lambda s: 100 * s,
}
_SCORE_ERRORS = [
    ("ZeroDivision", "A step can be without any event: the score is NaN there, `np.nan`."),
    ("ambiguous", "`and` asks one question; `&` combines two masks pixel by pixel."),
    ("bitwise|unsupported operand", "Put each comparison in brackets before `&`."),
]


def _explain_scores(case, array, right):
    if array.shape != right.shape:
        return f"Each of the three has {right.shape[1]} numbers, one for each lead time."
    score, step = np.argwhere(~np.isclose(array, right, atol=1e-5, equal_nan=True))[0]
    counts = (n[step] for n in _counts(*(values >= case[2] for values in case[:2]), (0, 2, 3)))
    text = "Step {}: hits {}, misses {}, false alarms {}.".format(step, *counts)
    if array[score, step] > 1:
        text = f"No score is above 1. Is each sum that divides in brackets? {text}"
    return f"{_NOTHING} {text}" if np.isnan(right[score, step]) else text


@lab.check("the output of a 3-D convolution")
def conv3d_shape(answer):
    cases = [
        ((6, 32, 28), (3, 3, 3), (1, 1, 1), "valid"),
        ((7, 12, 20), (2, 3, 5), (1, 2, 3), "valid"),
        ((7, 12, 20), (2, 3, 5), (1, 2, 3), "same"),
        ((8, 11, 17), (4, 2, 3), (3, 2, 4), "valid"),
        ((8, 11, 17), (4, 2, 3), (3, 2, 4), "same"),
        ((5, 9, 4), (5, 1, 4), (2, 4, 1), "valid"),
    ]
    results = [attempt(answer, case) for case in cases]
    for result in results:
        value = None if failed(result) else result.value
        if isinstance(value, tuple | list) and len(value) in (4, 5):
            text = "Leave out films and channels: (time, height, width) is asked for."
            raise CheckFailed(f"{result.what} returned {value}. {text}")
        if isinstance(value, Iterator):
            text = f"{result.what} returned a {type(value).__name__}, which holds no numbers yet."
            raise CheckFailed(f"{text} Make a tuple of it: `tuple(...)`.")
    mistakes = _mistakes(_conv3d, given=_GIVEN, valid=_VALID, same=_SAME)
    judge(cases, results, [_keras_conv3d(*c) for c in cases], mistakes, _explain_conv3d)
    for result in results:
        if numbers(result.value).dtype.kind == "f":
            text = f"{result.what} has the right values, but these are floats. A shape is made of"
            rule = "whole numbers: `//` rounds down and `-(-i // s)` up, or take `int(...)`."
            raise CheckFailed(f"{text} {rule}")
    return "The shapes are those of Keras's `Conv3D`, for all kernels, strides and paddings tried."


def _keras_conv3d(size, kernel, stride, padding):
    from keras.layers import Conv3D

    layer = Conv3D(1, kernel, stride, padding, name="shape")
    return np.array(layer.compute_output_shape((None, *size, 1))[1:4])


_RULES = {"valid": lambda i, k, s: (i - k) // s + 1, "same": lambda i, k, s: -(-i // s)}


def _conv3d(size, kernel, stride, padding, given=lambda values: values, **wrong):
    rule = (_RULES | wrong)[padding]
    return np.array([rule(*n) for n in zip(size, given(kernel), given(stride), strict=True)])


_GIVEN = {
    "You use one number for all directions.": [lambda v: v[:1] * 3, lambda v: v[-1:] * 3],
}
_VALID = {
    'With "valid" the + 1 is missing.': [lambda i, k, s: (i - k) // s, lambda i, k, s: (i - k) / s],
    'With "valid" round down: a last window that doesn\'t fit whole is left out.': [
        lambda i, k, s: -(-(i - k) // s) + 1,
        lambda i, k, s: round((i - k) / s) + 1,
        lambda i, k, s: (i - k) / s + 1,
    ],
    'The stride has no effect with "valid".': lambda i, k, s: i - k + 1,
    'With "valid" the + 1 comes after the division.': lambda i, k, s: (i - k + 1) // s,
    'The kernel has no effect with "valid".': lambda i, k, s: -(-i // s),
    'With "valid" kernel and stride are mixed up: the kernel is subtracted, the stride divides.': [
        lambda i, k, s: (i - s) // k + 1
    ],
}
_SAME = {
    '"same" keeps the size only where the stride is 1. A stride of 2 halves it.': lambda i, k, s: i,
    'With "same" round up: the padding lets the last window fit.': [
        lambda i, k, s: i // s,
        lambda i, k, s: round(i / s),
        lambda i, k, s: i / s,
    ],
    'Your "same" is "valid": padding makes up for the kernel.': lambda i, k, s: (i - k) // s + 1,
    'With "same" you divide by the kernel. The stride divides.': lambda i, k, s: -(-i // k),
    'With "same" there is one too many where the stride fits.': lambda i, k, s: i // s + 1,
}


def _explain_conv3d(case, array, right):
    if array.shape != right.shape:
        return "Three numbers are asked for: (time, height, width)."
    place = int(np.flatnonzero(~np.isclose(array, right))[0])
    given = (("time", "height", "width")[place], *(values[place] for values in case[:3]), case[3])
    return 'Look at the {}: size {}, kernel {}, stride {}, "{}".'.format(*given)


@lab.check("one step of a ConvLSTM")
def convlstm_step(answer):
    random = np.random.default_rng(6)

    def case(n, rows, columns, d, u, k, state=1.0, bias=1.0):
        states = [state * random.normal(size=(n, rows, columns, u)) for _ in "hc"]
        kernels = [random.normal(size=(k, k, depth, 4 * u)) / k for depth in (d, u)]
        given = [random.normal(size=(n, rows, columns, d)), *states, *kernels]
        return tuple(a.astype("float32") for a in (*given, bias * random.normal(size=4 * u)))

    # No number of films is 4 or a multiple, so that they can't be split into four parts.
    cases = [case(3, 5, 7, 2, 3, 3), case(1, 6, 4, 3, 2, 5, bias=0)]
    cases.append(case(5, 3, 6, 2, 1, 3, state=0))
    read = partial(_stacked, names=("h", "c"), shape="(n, rows, columns, units)")
    came = [attempt(answer, each) for each in cases]
    results = [read(result) for result in came]
    rights = [_keras_convlstm(*cases[0]), *(_convlstm(*each) for each in cases[1:])]
    steps = dict(memory=_MEMORIES, order=_ORDERS, gate=_GATES, bend=_CANDIDATES, total=_TOTALS)
    steps |= dict(output=_OUTPUTS, convolve=_FLIPPED, read=_READ, end=_STATES)
    mistakes = [*_mistakes(_convlstm, gate=_HARD_GATES), *_mistakes(_convlstm, **steps)]
    judge(cases, results, rights, mistakes, _explain_convlstm, _CONVLSTM_ERRORS)
    _require_arrays(came, parts=True)
    return "Both states agree with Keras's `ConvLSTM2D`, for other kernels with the formulas."


def _keras_convlstm(x, h, c, *weights):
    import keras

    units, size = h.shape[-1], len(weights[0])
    layer = keras.layers.ConvLSTM2D(units, size, padding="same", return_state=True, name="step")
    x, h, c = (keras.ops.convert_to_tensor(array) for array in (x[:, None], h, c))
    layer.build(x.shape)
    layer.set_weights(weights)
    _, *states = layer(x, initial_state=[h, c])
    return np.stack([keras.ops.convert_to_numpy(state) for state in states])


def _convolved(image, kernel):
    """Return what deep learning calls a convolution, with a border of zeros: the same size."""
    k = len(kernel)
    image = np.pad(image, [(0, 0), 2 * (k // 2,), 2 * (k // 2,), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(image, (k, k), (1, 2))
    return np.einsum("nrcdij,ijdu->nrcu", windows, kernel)


def _sigmoid(a):
    return 1 / (1 + np.exp(-a))


def _convlstm(
    *case,
    convolve=_convolved,
    read=lambda h, c: h,  # the state that is convolved with `recurrent`
    total=lambda from_x, from_h, bias: from_x + from_h + bias,
    order=(0, 1, 2, 3),  # the places of i, f, g and o
    gate=_sigmoid,
    bend=np.tanh,
    memory=lambda i, f, g, c, h: f * c + i * g,
    output=lambda o, new, c: o * np.tanh(new),
    end=lambda h, c: (h, c),
):
    x, h, c, kernel, recurrent, bias = case
    z = np.split(total(convolve(x, kernel), convolve(read(h, c), recurrent), bias), 4, -1)
    i, f, o = (gate(z[order[place]]) for place in (0, 1, 3))
    new = memory(i, f, bend(z[order[2]]), c, h)
    return np.stack(end(output(o, new, c), new))


_ORDERS = {
    f"You take the parts in the order {', '.join('ifgo'[order.index(place)] for place in range(4))}"
    ". Keras's order is i, f, g, o.": order
    for order in permutations(range(4))
    if order != (0, 1, 2, 3)
}
_GATES = {
    "Your gates are a tanh. They are a sigmoid, between 0 and 1.": np.tanh,
    "The sigmoid of the gates is missing: a gate lies between 0 and 1.": lambda a: a,
}
_HARD_GATES = {  # apart, for with every other mistake they would take too long
    "Your gates are a hard sigmoid, made of straight lines. The sigmoid has no corners.": [
        lambda a: np.clip(a / 6 + 0.5, 0, 1),  # of Keras 3
        lambda a: np.clip(a / 5 + 0.5, 0, 1),  # of Keras 2
    ]
}
_CANDIDATES = {
    "Your candidate g is a sigmoid. Only the gates are: g is a tanh, it can be negative.": _sigmoid,
    "The tanh of the candidate g is missing.": lambda a: a,
}
_TOTALS = {
    "The bias has no effect on your result.": lambda x, h, b: x + h,
    "The bias is added twice, once to each convolution.": lambda x, h, b: x + h + 2 * b,
    "`h` has no effect on your z: it is convolved with `recurrent`.": lambda x, h, b: x + b,
    "`x` has no effect on your z: it is convolved with `kernel`.": lambda x, h, b: h + b,
}
_MEMORIES = {
    "Input and forget gate have changed places.": lambda i, f, g, c, h: i * c + f * g,
    "The input gate is missing from the new c.": lambda i, f, g, c, h: f * c + g,
    "The forget gate is missing: the old c is kept whole.": lambda i, f, g, c, h: c + i * g,
    "The old c is missing from the new one.": lambda i, f, g, c, h: i * g,
    "The forget gate is applied to h. It belongs to c.": lambda i, f, g, c, h: f * h + i * g,
}
_OUTPUTS = {
    "The tanh of c is missing in h.": lambda o, new, c: o * new,
    "Your h uses the old c. It uses the new one.": lambda o, new, c: o * np.tanh(c),
    "The output gate o is missing in h.": lambda o, new, c: np.tanh(new),
}
_FLIPPED = {
    "Your kernels are flipped, as `scipy.signal.convolve` does. Keras doesn't flip: that is "
    "`correlate`.": lambda image, kernel: _convolved(image, kernel[::-1, ::-1]),
}
_READ = {
    "You convolve c with `recurrent`. That kernel belongs to `h`; c is used at its own pixel "
    "only.": lambda h, c: c
}
_STATES = {
    "The states have changed places: h comes first, then c.": lambda h, c: (c, h),
}
_KERNELS = (
    "`kernel` belongs to `x`, `recurrent` to `h`, and `x` and `h` can't be added. The shapes here: "
    "x {0.shape}, h {1.shape}, kernel {3.shape}, recurrent {4.shape}, bias {5.shape}."
)
_KEPT = f'Do both convolutions keep the size of the frame, `padding="same"`? {_KERNELS}'
_SPLIT = (
    "The four parts lie side by side along the last axis: say `axis=-1`. `split` takes axis 0 by "
    "itself, and that has the films."
)
_NO_PRODUCT = (
    "The `*` between a kernel and a picture in the formula is a convolution, `keras.ops.conv`. "
    "Python's `*` and `@` are other products."
)
_CONVLSTM_ERRORS = [
    ("(?i)equal division|unpack|evenly(?!.*in_channels)|split_size", _SPLIT),
    (r"(?i)matmul|matrix|remapped| @ |dot\(|\* ?(kernel|recurrent)\b|(\d, ?){5}", _NO_PRODUCT),
    ("(?i)depth|channels|group|user code", f"Two convolutions are needed. {_KERNELS}"),
    ("(?i)broadcast|same shape|ncompatible|must match|mismatch", _KEPT),
]


def _explain_convlstm(case, array, right):
    if array.shape != right.shape:
        return f'Each of the two states has the shape {right.shape[1:]}. Is the padding "same"?'
    if same(array[1], right[1]):
        text = "Look at o, and at how h comes from it and the new c."
        return f"Your c is right, so i, f and g are. {text}"
    return "c is wrong, and so is h, which depends on it. Look at i, f and g, then at c."


_TIE = 0.02  # another start of the weights changes an MSE by as large a share


@lab.check("the winner")
def winner(best_first, best_last, mse):
    for name, word, step in [("best_first", best_first, 0), ("best_last", best_last, -1)]:
        values = {other: float(np.asarray(mse[other])[step]) for other in mse}
        behind = values[_word(word, name, tuple(mse))] / min(values.values()) - 1
        if behind > _TIE:
            raise CheckFailed(
                f"`{name}`: in this run its MSE at that lead time is {100 * behind:.0f} % *above* "
                "the lowest. How much of the change until then is motion, how much growth and "
                "decay, and which of them can it know?"
            )
    return f"At neither lead time has another an MSE that is lower by more than {100 * _TIE:g} %."


@lab.check("sharpness")
def sharpness(answer):
    random = np.random.default_rng(7)
    board = np.indices((2, 3, 6, 4)).sum(0) % 2 * np.array([1.0, 3, 0])[:, None, None]
    bright = random.uniform(0, 40, (1, 2, 6, 3)).astype("float32")
    cases = [(random.normal(size=(3, 5, 4, 7)),), (board,), (bright,)]
    cases.append((np.cumsum(random.normal(size=(2, 4, 3, 8)), axis=1),))
    cases.append((random.integers(0, 60, (3, 2, 5, 6)).astype("uint8"),))
    steps = dict(kinds=_TYPES, slopes=_SLOPES, power=_POWERS, mean=_MEANS, late=_LATE)
    mistakes = _mistakes(_sharpness, **steps, together=_SUMS)
    _judge(answer, cases, _sharpness, mistakes, _explain_sharpness, _SLOPE_ERRORS)
    return "Neighbors below and to the right are compared, by lead time, and nothing else."


def _along(*axes):
    return lambda frames: [np.diff(frames, axis=axis) for axis in axes]


def _down_and_right(frames):
    return _along(-2, -1)(frames)


def _mean_of_steps(d):
    return np.mean(d, axis=(0, 2, 3))


def _sharpness(
    frames,
    kinds=(float, float),  # of the frames, and of their differences; None leaves them as they are
    slopes=_down_and_right,
    power=np.square,
    mean=_mean_of_steps,
    late=None,  # what replaces `power` where the mean is squared
    together=sum,
):
    differences = [np.asarray(d, kinds[1]) for d in slopes(np.asarray(frames, kinds[0]))]
    return together([mean(late(d)) ** 2 if late else mean(power(d)) for d in differences])


def _around(frames):
    return [frames - np.roll(frames, 1, axis) for axis in (-2, -1)]


_WRAPS = (
    "The films are of the type uint8, unsigned whole numbers: there 3 - 5 is not -2 but 254. Make "
    "floats of the frames before you subtract."
)
_TYPES = {
    _WRAPS: [(None, None), (None, float)],
    "Forecasts have fractions, and you cut them off: make floats of the frames.": (int, float),
}
_SLOPES = {
    "Only horizontal neighbors are compared: `np.diff` takes the last axis by itself.": _along(-1),
    "Only vertical neighbors are compared.": _along(-2),
    "Your differences run along the time or the films. Rows and columns are the last two axes, "
    "-2 and -1.": [_along(*axes) for axes in [(0, 1), (1, 2), (1, -1), (0, -1), (0,), (1,)]],
    "`np.gradient` takes the pixel before and the one after, never the two beside each other: a "
    "checkerboard looks flat to it. Use `np.diff`.": lambda y: np.gradient(y, axis=(-2, -1)),
    "With `np.roll` the first and the last row (and column) become neighbors. They aren't: leave "
    "out these pairs, as `np.diff` does.": _around,
    "Pairs in the last row and column are missing. Take the mean of each kind first.": (
        lambda y: [np.diff(y, axis=-2)[..., :-1], np.diff(y)[..., :-1, :]]
    ),
    "You take one mean of all pairs. Take that of the vertical ones and that of the horizontal "
    "ones, and add the two.": lambda y: [
        np.concatenate([d.reshape(*d.shape[:2], -1, 1) for d in _down_and_right(y)], axis=2)
    ],
}
_POWERS = {
    "You take absolute differences. Square them.": np.abs,
    "The differences are not squared, so those up and down cancel.": np.positive,
}
_MEANS = {
    "Your number is of all lead times together. Each step has its own: (steps,).": np.mean,
    "You add up. Take the means.": lambda d: np.sum(d, axis=(0, 2, 3)),
    "Take the mean over the films, too.": lambda d: np.mean(d, axis=(2, 3)),
    "You keep the films: the axis of the steps is 1.": lambda d: np.mean(d, axis=(1, 2, 3)),
}
_LATE = {
    "You square the mean. Square the differences first, then take the mean.": [np.positive, np.abs]
}
_SUMS = {
    "You divide the sum of the two means by 2. Add them as they are.": lambda m: sum(m) / 2,
    "You square the sum of the means. Square each difference.": lambda m: sum(m) ** 2,
    "You take a square root. Leave the mean of the squares as it is.": lambda m: np.sqrt(sum(m)),
    "Add the mean of one direction to that of the other.": np.array,
}
_SHAPES_DIFFER = (
    "There are fewer vertical pairs than rows, and fewer horizontal ones than columns: the two "
    "have different shapes. Take the mean of each first, then add."
)
_SLOPE_ERRORS = [
    ("uint8", _WRAPS),
    ("(?i)broadcast|same shape|ncompatible|must match", _SHAPES_DIFFER),
]


def _explain_sharpness(case, array, right):
    if array.shape != right.shape:
        return f"The frames have {right.size} steps: one number for each, (steps,)."
    step = int(np.flatnonzero(~np.isclose(array, right, atol=1e-5))[0])
    down, across = (np.mean(d[:, step] ** 2) for d in _down_and_right(case[0].astype(float)))
    return f"Step {step}: the mean is {down:.4g} of vertical squares, {across:.4g} of the others."


@lab.check("matched distribution")
def match_distribution(answer):
    cases = _forecasts_and_rain()
    results = [attempt(answer, case) for case in cases]
    rights = [_nearest_match(*each) for each in zip(cases, results, strict=True)]
    steps = dict(roles=_ROLES, values=_VALUES, place=_PLACES, end=_FORMS)
    mistakes = _mistakes(_matched_untied, **steps)
    judge(cases, results, rights, mistakes, _explain_matched, _MATCH_ERRORS)
    return "The values are those of `rain`, in the order of the forecast, with and without ties."


def _forecasts_and_rain():
    """Return pairs of a forecast and rain, both (h, w): three without ties, then three with."""
    random = np.random.default_rng(9)
    whole = [10 * random.permutation(6).reshape(2, 3), random.permutation(6).reshape(2, 3)]
    broken = random.normal(20, 9, (2, 5, 3)).astype("float32")
    mixed = [random.permutation(8).reshape(4, 2), random.uniform(0, 50, (4, 2))]
    dry = np.maximum(random.integers(-30, 40, (2, 4, 6)), 0)
    level = [np.zeros((3, 2)), random.uniform(0, 50, (3, 2))]
    rounded = [random.integers(0, 4, (2, 7)) / 2, random.uniform(5, 50, (2, 7))]
    return [tuple(pair) for pair in (whole, broken, mixed, dry, level, rounded)]


_sorted = partial(np.sort, axis=None)


def _put(forecast, values, ties=None):
    """Return flat values put where the forecast has their ranks; equal forecasts rank as `ties`."""
    placed = np.empty(values.shape)
    placed[np.lexsort((np.ravel(forecast if ties is None else ties), np.ravel(forecast)))] = values
    return placed


def _shaped(flat, forecast):
    return flat.reshape(forecast.shape)


def _matched(forecast, rain, roles=None, values=_sorted, place=_put, end=_shaped):
    """Probability matching (Ebert 2001): the values of the rain in the order of the forecast."""
    ranked, source = roles(forecast, rain) if roles else (forecast, rain)
    return end(place(ranked, values(source)), forecast)


def _matched_untied(*case, **wrong):
    """Return what a mistake gives, or None where it depends on the order of equal values."""
    tied = any(np.unique(array).size < array.size for array in case)
    return None if tied else _matched(*case, **wrong)


def _nearest_match(case, result):
    """Return the right array; where forecasts are equal, the values are in the answer's order."""
    array = numbers_of(result)
    ties = array if np.shape(array) == case[0].shape else None
    return _matched(*case, place=partial(_put, ties=ties))


def _put_along(axis, forecast, values):
    placed = np.empty(forecast.shape)
    order = np.argsort(forecast, axis=axis)
    np.put_along_axis(placed, order, _shaped(values, forecast), axis)
    return placed.ravel()


_ROWS = "Each row is sorted on its own. `axis=None` takes all pixels together."
_COLUMNS = "Each column is sorted on its own. `axis=None` takes all pixels together."
_ROLES = {
    "`forecast` and `rain` have changed places: the values are those of `rain`.": (
        lambda forecast, rain: (rain, forecast)
    ),
}
_VALUES = {
    "The strongest forecast gets the weakest rain.": lambda rain: _sorted(rain)[::-1],
    "The rain isn't sorted.": np.ravel,
    _ROWS: lambda rain: np.sort(rain, axis=1).ravel(),
    _COLUMNS: lambda rain: np.sort(rain, axis=0).ravel(),
}
_PLACES = {
    "The forecast has no effect on your result. Its order says where the values go.": (
        lambda forecast, values: values
    ),
    "`np.argsort` doesn't give the rank of each place, but the places from the least to the "
    "greatest. Write *to* them: `matched[order] = values`, not `values[order]`.": [
        lambda forecast, values: values[np.argsort(forecast, axis=None)],
        lambda forecast, values: values[np.argsort(forecast, axis=None)[::-1]],
    ],
    _ROWS: [partial(_put_along, 1), lambda f, values: values[np.argsort(f)].ravel()],
    _COLUMNS: partial(_put_along, 0),
}
_FORMS = {
    "Your result is flat. `reshape` gives it the shape of the forecast.": lambda flat, _: flat,
    "The fractions of the rain are cut off: your array has the type of the forecast.": (
        lambda flat, forecast: _shaped(flat.astype(forecast.dtype), forecast)
    ),
    "The fractions of the rain are cut off: your array is one of whole numbers.": (
        lambda flat, forecast: _shaped(flat.astype(int), forecast)
    ),
}
_BY_ROW = "Without `axis=None`, `np.argsort` and `np.sort` work row by row."
_MATCH_ERRORS = [
    (
        "index 6 is out of bounds",  # the first case has 6 pixels
        "Places begin with 0, so the last one is the number of pixels less 1. "
        "(`scipy.stats.rankdata` begins with 1.)",
    ),
    ("out of bounds|shape mismatch|broadcast", _BY_ROW),
    (
        "indices must be of integer",
        "A place is a whole number, and each pixel of `rain` is used once: pixels whose forecasts "
        "are equal need different places.",
    ),
]


def _explain_matched(case, array, right):
    forecast, rain = case
    if array.shape != right.shape:
        return f"The result has the shape of the forecast, {right.shape}."
    pairs = zip(_sorted(array), _sorted(rain), strict=True)
    other = next((min(pair) for pair in pairs if not same(*pair)), None)
    if other is not None:
        there, here = (np.sum(np.isclose(values, other)) for values in (rain, array))
        text = f"Count {other:g}: {there} in `rain`, {here} in your result."
        return f"Each pixel of `rain` is used once, where forecasts are equal as well. {text}"
    place = tuple(np.argwhere(~np.isclose(array, right, atol=1e-4))[0].tolist())
    smaller = np.sum(forecast < forecast[place])
    return f"Look at {list(place)}: the forecast is smaller than there at {smaller} other places."


@lab.check("extremes of each pixel")
def extremes(answer):
    sizes = {95: (7, 3, 2, 6, 4, 5), 90: (3, 7, 4, 7, 5, 2), 98: (17, 3, 1, 2, 3, 6)}
    cases = [(*_climate(*size), percent) for percent, size in sizes.items()]
    mistakes = _mistakes(_extremes, over=_OVER, limit=_LIMITS, above=_ABOVE)
    _judge(answer, cases, _extremes, mistakes, _explain_extremes, _EXTREME_ERRORS, _labels)
    return "Each pixel has its own percentile, of `train` alone; dry weather is no extreme."


def _climate(n, steps, more, later, h, w):
    """Return rain to learn from (n, steps, h, w) and other rain (more, later, h, w).

    Percentiles fall on a number of the sample, so all ways to interpolate agree.
    """
    random = np.random.default_rng(h)
    usual = random.integers(5, 30, (h, w)) * (random.random((h, w)) > 0.25)
    usual[0, :2] = 0, 20
    train = random.integers(0, 20, (n, steps, h, w)) + np.arange(steps)[:, None, None] * 3
    frames = random.integers(8, 24, (more, later, h, w)) + np.arange(later)[:, None, None] * 2
    train = np.where(usual > 0, train + usual, 0)
    frames = np.where(random.random(frames.shape) < 0.7, frames + usual + 0.5, 0)
    return train.astype("float32"), frames.astype("float32")


def _percentile(values, percent, axis=(0, 1)):
    return np.percentile(values, percent, axis=axis)


def _extremes(train, frames, percent, *, over=lambda *rain: rain[0], limit=_percentile, above=gt):
    return 1 * above(frames, limit(over(train, frames), percent))


_SEEN = "What is extreme is known before `frames` are seen: it comes from `train` alone."
_OVER = {
    f"The percentile is that of `frames` themselves. {_SEEN}": lambda *rain: rain[1],
    f"The percentile is that of `train` and `frames` together. {_SEEN}": lambda *rain: np.vstack(
        [each.reshape(-1, 1, *each.shape[2:]) for each in rain]
    ),
}
_LIMITS = {
    "There is one percentile for all pixels. Each place has a climate of its own: take it over "
    "films and steps alone.": np.percentile,
    "You take another percentile. `np.percentile` takes percent, 95; `np.quantile` takes a "
    "fraction, 0.95.": lambda values, percent: _percentile(values, percent / 100),
    "The percentile is over the films only, so each step has its own. Steps belong to the "
    "climate of a pixel as well: `axis=(0, 1)`.": partial(_percentile, axis=0),
    "You always take the percentile 95. The caller says which one: `percent`.": (
        lambda values, percent: _percentile(values, 95)
    ),
    "This is the other tail.": lambda values, percent: _percentile(values, 100 - percent),
}
_ABOVE = {
    "Where a pixel is nearly always dry its percentile is 0, and with `>=` all dry weather is "
    "extreme. Ask for more than the percentile: `>`.": ge,
    "It is upside down: True *above* the percentile.": [lt, le],
}
_PER_PIXEL = (
    "`train` {0.shape} and `frames` {1.shape} share height and width only. The percentile has the "
    "shape (height, width): `axis=(0, 1)`."
)
_EXTREME_ERRORS = [
    (r"range \[0, 1\]", "`np.quantile` takes a fraction; `np.percentile` takes percent."),
    ("broadcast|aligned|same shape", _PER_PIXEL),
]


def _labels(result):
    array = numbers(result.value)
    if array is not None and not np.all(np.isin(array, (0, 1))):
        text = "Return True or False for each pixel of `frames`: a comparison."
        raise CheckFailed(f"{result.what} holds other numbers than 0 and 1. {text}")
    return result if array is None else Answer(1 * array, f"{result.what}, True as 1,")


def _explain_extremes(case, array, right):
    train, frames, percent = case
    if array.shape != right.shape:
        return "Every pixel of every frame gets an answer: the shape is that of `frames`."
    place = tuple(np.argwhere(array != right)[0].tolist())
    limit = _percentile(train, percent)[place[2:]]
    text = f"`frames{list(place)}` is {frames[place]:g}; the percentile {percent} of its pixel in"
    return f"{text} `train` is {limit:g}."


def _word(word, name, words):
    """Return the one of `words` that is given, in whatever case."""
    key = word.strip().lower() if isinstance(word, str) else None
    if key not in words:
        choice = " or ".join(f'"{each}"' for each in words)
        raise CheckFailed(f"`{name}` is {describe(word)}; answer with {choice}.")
    return key


def _stacked(result, names, shape):
    """Return the parts of an answer, arrays of one shape, as one array; else fail."""
    if failed(result):
        return result
    value = to_numpy(result.value) if hasattr(result.value, "shape") else result.value
    many = isinstance(value, tuple | list) or np.ndim(value)
    parts = [numbers(part) for part in value] if many else []
    shapes = [None if part is None else part.shape for part in parts]
    if len(parts) != len(names) or None in shapes or len(set(shapes)) > 1:
        came = f"shapes {shapes}" if isinstance(value, tuple | list) else describe(value)
        order = f"({', '.join(names)}), each of the shape {shape}"
        raise CheckFailed(f"{result.what} returned {came}. Return {len(names)} arrays, {order}.")
    what = f"{result.what}, in the order {', '.join(names)},"
    return _Parts(np.stack(parts), what, [f"`{name}` of {result.what}" for name in names])


class _Parts(Answer):
    """The parts of an answer as one array; of large ones one part is said to differ, the last."""

    def __init__(self, value, what, names):
        super().__init__(value, what)
        self.names = names

    def _versus(self, array, expected):
        if array.shape != expected.shape or expected.size <= 30:
            return super()._versus(array, expected)
        pairs = zip(self.names, array, expected, strict=True)
        name, part, right = [pair for pair in pairs if not same(*pair[1:])][-1]
        return Answer(part, name)._versus(part, right)


def _require_arrays(results, parts=False):
    """Fail where right numbers came as a list; with `parts`, a list or tuple of arrays is right."""
    for result in results:
        value, many = result.value, parts and isinstance(result.value, tuple | list)
        others = [each for each in (value if many else [value]) if not hasattr(each, "shape")]
        if others:
            kind = type(others[0]).__name__
            came = f"each part is a {kind}" if many else f"in a {kind}"
            raise CheckFailed(
                f"{result.what} returned the right numbers, but {came}. The cells below compute "
                f"with {'them' if many else 'it'}: make an array with `np.array` or `np.stack`."
            )


def _rows(table):
    """Yield (message, part) from a dictionary {message: a part, or a list of parts}."""
    for message, parts in table.items():
        yield from ((message, part) for part in (parts if isinstance(parts, list) else [parts]))


def _mistakes(right, **wrong):
    """Yield (message, way) for every wrong step of `right`, then for every two of them.

    `wrong` has a dictionary {message: a wrong step, or a list of them} for names of steps. Where a
    way does not work, for its shapes don't fit, it predicts nothing.
    """

    def careful(way, *case):
        try:
            return way(*case)
        except (ValueError, IndexError, TypeError):
            return None

    for count in (1, 2):
        for names in combinations(wrong, count):
            for chosen in product(*(_rows(wrong[name]) for name in names)):
                messages = dict.fromkeys(message for message, _ in chosen)
                parts = dict(zip(names, (part for _, part in chosen), strict=True))
                yield "\n\n".join(messages), partial(careful, partial(right, **parts))


def _judge(
    answer, cases, right, mistakes, explain, errors=(), read=lambda result: result, parts=False
):
    """Judge by `right`; `read` makes of a result the one whose numbers are compared.

    Right numbers have to be in an array, or with `parts` in a list or tuple of arrays.
    """
    came = [attempt(answer, case) for case in cases]
    results = [result if failed(result) else read(result) for result in came]
    with np.errstate(all="ignore"):
        rights = [right(*case) for case in cases]
    judge(cases, results, rights, mistakes, explain, errors)
    _require_arrays(came, parts)
