"""Checks of lab 06: IoU and Dice, transposed convolution, a decoder block, augmentation, weights.

A wrong function is tried on every input before anything is said about it: a mistake is named only
if it explains all that came back.
"""

import collections
import dataclasses
import functools
import itertools
import re

import numpy as np

from .core import CheckFailed, Lab, NotAttempted, call, describe, to_numpy
from .judge import TOLERANCE, attempt, close, judge, same

lab = Lab("06 U-Net segmentation")
reached = lab.reached
score_card = lab.score_card


# --- IoU and Dice --------------------------------------------------------------------------------


def _overlap_cases():
    random = np.random.default_rng(7)

    def pair(shape, classes, dtype=int):
        truth = random.integers(0, classes, shape).astype(dtype)
        other = random.integers(0, classes, shape).astype(dtype)
        return truth, np.where(random.random(shape) < 0.6, truth, other)

    few = pair((2, 4, 6), 2, np.uint8)
    return [
        (np.array([[0, 0, 1], [0, 1, 1]]), np.array([[0, 1, 1], [0, 0, 1]]), 2),
        (np.array([[0, 0, 0, 1, 1, 2]]), np.array([[0, 0, 1, 1, 2, 2]]), 3),
        (*pair((5, 8), 3), 3),
        (*pair((3, 6, 4), 4, np.uint8), 4),
        (np.array([[0, 0, 0, 2]]), np.array([[0, 0, 1, 0]]), 3),
        (np.array([[0, 0, 2, 2]]), np.array([[0, 0, 0, 2]]), 3),
        (*few, 4),
        (2 * few[0], 2 * few[1], 3),
        (np.ones((1, 1), int), np.ones((1, 1), int), 2),
    ]


@lab.check("IoU of each class")
def iou(answer):
    _judge_overlap(answer, "iou")
    return (
        "It is right for single masks and for batches, and NaN stands where a class is in neither."
    )


@lab.check("Dice of each class")
def dice(answer):
    _judge_overlap(answer, "dice")
    return (
        "It is right for single masks and for batches, NaN where a class is in neither, and it is "
        "2 IoU / (1 + IoU) for every class."
    )


# name -> (numerator, denominator) of the pixels in both, in the truth, in the prediction, in all
_SCORES = {
    "iou": lambda i, t, p, n: (i, t + p - i),
    "dice": lambda i, t, p, n: (2 * i, t + p),
    "half": lambda i, t, p, n: (i, t + p),
    "mixed": lambda i, t, p, n: (2 * i, t + p - i),
    "recall": lambda i, t, p, n: (i, t),
    "precision": lambda i, t, p, n: (i, p),
    "agreement": lambda i, t, p, n: (n - t - p + 2 * i, n + 0 * i),
    "share": lambda i, t, p, n: (i, n + 0 * i),
    "loss": lambda i, t, p, n: (t + p - 2 * i, t + p - i),
    "smooth": lambda i, t, p, n: (i + 1, t + p - i + 1),
    "smooth dice": lambda i, t, p, n: (2 * i + 1, t + p + 1),
}
_SMOOTHED = "You add 1 above and below the line. That changes every score: only 0 / 0 is special."
_SCORE_MESSAGES = {
    "recall": "You divide by the pixels of the truth alone (that is recall): pixels that were "
    "predicted wrongly for the class cost nothing.",
    "precision": "You divide by the predicted pixels alone (that is precision): pixels of the "
    "class that were missed cost nothing.",
    "agreement": "This is the share of pixels where truth and prediction agree, those outside of "
    "both included. Count only pixels that belong to the class in one of the two.",
    "share": "You divide by the number of all pixels. Only those count that belong to the class in "
    "the truth or in the prediction.",
    "loss": "This is 1 minus the score, as in a loss.",
    "smooth": _SMOOTHED,
    "smooth dice": _SMOOTHED,
}
_OVERLAP_MESSAGES = {
    "iou": {
        "iou": "",
        "dice": "This is Dice: for IoU each pixel of the intersection counts once, above and below "
        "the line.",
        "half": "Your union is the sum of the two areas: the intersection is counted twice in it.",
        "mixed": "There is no factor 2 in IoU.",
    },
    "dice": {
        "dice": "",
        "iou": "This is IoU. Dice divides twice the intersection by the *sum* of the two areas.",
        "half": "The factor 2 is missing: without it a perfect prediction gets 0.5.",
        "mixed": "You divide by the union. Dice divides by the *sum* of the two areas, where the "
        "intersection is counted twice: count each area by itself, then add.",
    },
}
_NEITHER = "where a class is in neither the truth nor the prediction there is nothing to score"
_ABSENT = [
    (np.nan, ""),
    (0, f"You give 0, the worst score, but {_NEITHER}: give NaN (`np.nan`)."),
    (1, f"You give 1, a perfect score, but {_NEITHER}: give NaN (`np.nan`)."),
]
_FIRST_CLASS = "The first class is missing: classes are counted from 0, so `range(classes)`."
_ONLY_FIRST = "Only the first class has a score. Does the `return` stand inside the loop?"
_ONE_FOR_ALL = "One number came back, the mean over the classes. Return one for each class."
_PER_IMAGE = (
    "You score each image and take the mean then. Count the pixels of the whole batch first: small "
    "objects would weigh too much otherwise."
)
# What becomes of the scores; a function of the scores of a case and of the case, and the message.
_RETURNED = [
    (lambda score, case: score(*case), ""),
    (lambda score, case: score(*case)[1:], _FIRST_CLASS),
    (lambda score, case: np.append(np.nan, score(*case)[1:]), _FIRST_CLASS),
    (lambda score, case: np.append(score(*case)[:1], np.full(case[2] - 1, np.nan)), _ONLY_FIRST),
    (lambda score, case: score(*case)[:1], _ONLY_FIRST),
    (
        lambda score, case: np.append(score(*case)[1:], np.nan),
        "Your classes run from 1 to `classes`; the labels run from 0 to `classes - 1`.",
    ),
    (
        lambda score, case: _of_present(score, case),
        "Classes that are in neither mask are missing from your array. It has a place for each of "
        "the classes 0 to `classes - 1`.",
    ),
    (lambda score, case: np.nanmean(score(*case)), _ONE_FOR_ALL),
    (lambda score, case: np.mean(score(*case)), _ONE_FOR_ALL),
    (lambda score, case: _by_image(score, case, np.nanmean), _PER_IMAGE),
    (lambda score, case: _by_image(score, case, np.mean), _PER_IMAGE),
    (lambda score, case: 100 * score(*case), "These are percentages: give fractions from 0 to 1."),
]


def _score(name, absent, truth, predicted, classes):
    """Return a score of each class, `absent` where it is 0 / 0."""
    labels = np.arange(classes).reshape(-1, 1)
    truth, predicted = truth.ravel() == labels, predicted.ravel() == labels
    counts = [np.sum(part, axis=1, dtype=float) for part in (truth & predicted, truth, predicted)]
    above, below = _SCORES[name](*counts, truth.shape[1])
    ratio = np.divide(above, below, out=np.full(classes, np.inf), where=below != 0)
    return np.where((below == 0) & (above == 0), absent, ratio)


def _of_present(score, case):
    truth, predicted, classes = case
    return score(*case)[np.isin(np.arange(classes), np.append(truth, predicted))]


def _by_image(score, case, mean):
    truth, predicted, classes = case
    if truth.ndim < 3:
        return score(*case)
    scores = np.array([score(*pair, classes) for pair in zip(truth, predicted, strict=True)])
    return mean(scores, axis=0)


def _overlap_mistakes(asked):
    """Yield (message, function of a case) for each combination of mistakes, the simplest first."""
    messages = {**_OVERLAP_MESSAGES[asked], **_SCORE_MESSAGES}

    def mistake(name, absent, returned):
        return lambda *case: returned(functools.partial(_score, name, absent), case)

    found = []
    for (name, first), (absent, second), (returned, third) in itertools.product(
        messages.items(), _ABSENT, _RETURNED
    ):
        parts = [part for part in (first, second, third) if part]
        found.append((parts, mistake(name, absent, returned)))
    found.sort(key=lambda pair: len(pair[0]))
    yield from (("\n\n".join(parts), function) for parts, function in found)
    yield (
        "This is the accuracy, the share of right pixels, whatever their class. Look at one class "
        "after the other: which pixels belong to it, in each of the two masks?",
        lambda truth, predicted, classes: np.mean(truth == predicted),
        lambda truth, predicted, classes: np.full(classes, np.mean(truth == predicted)),
    )


_OVERLAP_ERRORS = [
    ("ZeroDivisionError", f"You divide by 0: {_NEITHER}. Give NaN (`np.nan`) for it."),
    (
        "(?i)ambiguous",
        "`and` asks one question; masks have many pixels. `&` answers for each pixel (put each "
        "comparison in brackets).",
    ),
    (
        "bitwise_|with a sequence",
        "`/` comes before `&` and `|`: use brackets, and `np.sum(a & b)` to count the pixels.",
    ),
    (
        "out of bounds|broadcast",
        "The masks are `(h, w)` or `(n, h, w)`, of any size, and a class, even the last, can be "
        "absent.",
    ),
]


def _judge_overlap(answer, asked):
    def right(*case):
        return _score(asked, np.nan, *case)

    def explain(case, array, right):
        truth, predicted, classes = case
        if array.shape != right.shape:
            return f"There are {classes} classes: return an array of {classes} scores."
        c = np.flatnonzero(~close(array, right))[0]
        t, p = truth == c, predicted == c
        if np.isnan(array[c]):
            return (
                f"Class {c} is NaN, but it is in the {'truth' if t.any() else 'prediction'}: NaN "
                f"is only for a class that is in neither; its score is {right[c]:.4g}."
            )
        return (
            f"Class {c} has {t.sum()} pixels in the truth, {p.sum()} in the prediction, and "
            f"{(t & p).sum()} of them are in both."
        )

    mistakes = _overlap_mistakes(asked)
    _judge(answer, _overlap_cases(), right, mistakes, explain, _OVERLAP_ERRORS, nan=True)


# --- transposed convolution ----------------------------------------------------------------------


@lab.check("transposed convolution by hand")
def transposed_convolution(answer):
    random = np.random.default_rng(6)
    small = np.array([[1, 2], [3, 4]])
    cases = [
        (small, np.ones((2, 2), int), 1),
        (small, np.ones((2, 2), int), 2),
        (small, np.array([[1, 2, 0], [0, 1, 5], [3, 0, 1]]), 2),
        (random.integers(1, 9, (3, 4)), random.normal(size=(2, 2)), 1),
        (random.normal(size=(3, 5)), random.normal(size=(3, 3)), 2),
        (random.normal(size=(5, 2)), random.normal(size=(3, 3)), 1),
        (random.normal(size=(4, 6)), random.normal(size=(4, 4)), 3),
        (random.normal(size=(1, 3)), random.normal(size=(2, 2)), 2),
        (random.normal(size=(4, 3)), random.normal(size=(1, 1)), 1),
    ]
    _judge(answer, cases, _keras_transposed, _STAMP_MISTAKES, _explain_stamps, _STAMP_ERRORS)
    return "It agrees with Keras on square and oblong images, for every kernel and stride tried."


def _keras_transposed(image, kernel, stride):
    from keras import ops

    result = ops.conv_transpose(
        image[None, ..., None].astype("float32"),
        kernel[..., None, None].astype("float32"),
        strides=stride,
        padding="valid",
        data_format="channels_last",
    )
    return ops.convert_to_numpy(result)[0, ..., 0]


def _size(image, kernel, stride):
    return tuple((side - 1) * stride + len(kernel) for side in image.shape)


def _stamp(image, kernel, stride, *, size=None, step=None, put=np.add, scaled=True):
    """Stamp the kernel into zeros of `size`, `step` pixels apart; what hangs over is cut off."""
    step = stride if step is None else step
    out = np.zeros(_size(image, kernel, step) if size is None else size)
    for i, j in np.ndindex(image.shape):
        part = out[i * step :, j * step :][: len(kernel), : len(kernel)]
        stamp = image[i, j] * kernel if scaled else kernel
        part[...] = put(part, stamp[: part.shape[0], : part.shape[1]])
    return out


def _correlate(image, kernel, stride):
    if min(image.shape) < len(kernel):
        return None
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)[::stride, ::stride]
    return np.einsum("ijab,ab->ij", windows, kernel)


def _part(image, rows, columns):
    """Return the image with zeros outside of its first rows and columns."""
    part = np.zeros(image.shape)
    part[:rows, :columns] = image[:rows, :columns]
    return part


_WHOLE = (
    "Your output array holds whole numbers, so the fractions are lost. `np.zeros(shape)` makes an "
    "array of floats."
)

# The message of each mistake, then what it gives: x is the image, k the kernel, s the stride. A
# tuple stands for its shape alone, None for an input where no prediction is made. In the messages
# {0} is the first argument of the call.
_STAMP_MISTAKES = [
    (
        "Where stamps overlap, your output keeps one of them. They should add up.",
        lambda x, k, s: _stamp(x, k, s, put=lambda old, new: new),
        lambda x, k, s: _stamp(x, k, s, put=np.maximum),
    ),
    (
        "The stride has no effect: your stamps stand one pixel apart.",
        lambda x, k, s: _stamp(x, k, s, step=1),
    ),
    (
        "The output has the right size, but the stamps stand one pixel apart. Where does the stamp "
        "of pixel `[i, j]` begin, if neighbors are `stride` pixels apart?",
        lambda x, k, s: _stamp(x, k, s, step=1, size=_size(x, k, s)),
    ),
    (
        "This is an ordinary convolution: it collects a window of the image into one pixel. Here "
        "each pixel of the image is spread over a window of the output.",
        _correlate,
        lambda x, k, s: _correlate(x, k, 1),
    ),
    (
        "You flipped the kernel. The stamp is the kernel as it is, times the pixel.",
        lambda x, k, s: _stamp(x, k[::-1, ::-1], s),
    ),
    (
        "Rows and columns of the kernel have changed places: the stamp is the kernel as it is.",
        lambda x, k, s: _stamp(x, k.T, s),
    ),
    (
        "Rows and columns have changed places: pixel `[i, j]` is stamped at row j and column i. "
        "The row of the pixel decides the row of its stamp.",
        lambda x, k, s: _stamp(x.T, k, s),
        lambda x, k, s: _stamp(x.T, k, s, size=_size(x, k, s)),
    ),
    (
        "Every stamp is the plain kernel: multiply it by the pixel.",
        lambda x, k, s: _stamp(x, k, s, scaled=False),
    ),
    (
        "The output ends too early: `side * stride` has no room for the whole last stamp. Where "
        "does it begin, and how long is it?",
        lambda x, k, s: _stamp(x, k, s, size=[side * s for side in x.shape]),
    ),
    (_WHOLE, lambda x, k, s: _stamp(x, k, s, put=_whole_numbers(x))),
    (
        "You use one side of the image for both axes: rows are `shape[0]`, columns `shape[1]`.",
        lambda x, k, s: _stamp(x, k, s, size=[_size(x, k, s)[0]] * 2),
        lambda x, k, s: _stamp(x, k, s, size=[_size(x, k, s)[1]] * 2),
        lambda x, k, s: _stamp(_part(x, None, len(x)), k, s),
        lambda x, k, s: _stamp(_part(x, x.shape[1], None), k, s),
    ),
    (
        "Only the first stamps are in your output. Does the `return` stand inside a loop?",
        lambda x, k, s: _stamp(_part(x, 1, 1), k, s),
        lambda x, k, s: _stamp(_part(x, 1, None), k, s),
    ),
    (
        "Your output has the size of an ordinary convolution, which collects. Here each pixel is "
        "spread over k x k pixels of the output, which is larger than the image.",
        lambda x, k, s: x.shape,
        lambda x, k, s: tuple(max((side - len(k)) // s + 1, 0) for side in x.shape),
        lambda x, k, s: tuple(side - len(k) + 1 for side in x.shape),
    ),
]

_STAMP_ERRORS = [
    (
        "broadcast|out of bounds",
        "If a stamp does not fit: the last one begins at `(side - 1) * stride` and needs k pixels "
        "from there on. Is the output that large, along both axes, and does each loop go over its "
        "own side? The image has the shape {0.shape}, the kernel {1.shape}.",
    ),
    ("Cannot cast ufunc", _WHOLE),
]


def _whole_numbers(image):
    def put(old, new):
        return np.trunc(old + new) if image.dtype.kind in "iu" else old + new

    return put


def _explain_stamps(case, array, right):
    image, kernel, stride = case
    k = len(kernel)
    last = [(side - 1) * stride for side in image.shape]
    if array.shape != right.shape:
        return (
            f"The last stamp begins at row {last[0]} and column {last[1]}, and it is {k} x {k} "
            "pixels large. How large is an output in which it just fits?"
        )
    i, j = np.unravel_index(np.argmax(np.abs(array - right)), right.shape)
    stamps = [
        f"[{a}, {b}]"
        for a, b in np.ndindex(image.shape)
        if a * stride <= i < a * stride + k and b * stride <= j < b * stride + k
    ]
    whose = "No stamp reaches" if not stamps else f"The stamps of {', '.join(stamps)} reach"
    return f"{whose} the pixel `[{i}, {j}]` of the output: compare what you have there."


# --- the decoder block ---------------------------------------------------------------------------

_HEIGHT, _WIDTH, _CHANNELS, _FILTERS = 5, 7, 3, 4
_LARGE = (2 * _HEIGHT, 2 * _WIDTH)


@dataclasses.dataclass(frozen=True, repr=False)
class _Maps:
    """The name and the shape of feature maps that a block is called with."""

    name: str
    shape: tuple

    def __repr__(self):
        return f"{self.name} of {self.shape}"


_Block = collections.namedtuple("_Block", "inputs output what")


def _model(block):
    import keras

    return keras.Model(block.inputs, block.output)


@lab.check("the decoder block")
def decoder_block(answer):
    without = _try_block(answer, None)
    same = _try_block(answer, _FILTERS)
    if isinstance(without, CheckFailed):
        raise _explain_without(without, same)
    _require_shape(without, 0)
    twin = _try_block(answer, None)
    ours, theirs = (
        [] if isinstance(b, CheckFailed) else _model(b).variables for b in (without, twin)
    )
    if not theirs or {id(v) for v in ours} & {id(v) for v in theirs}:
        raise CheckFailed(
            "Two calls of your function use the same weights. Make the layers inside the function, "
            "so that each block of the network has its own."
        )
    if isinstance(same, CheckFailed):
        raise _explain_skip(answer, same)
    _require_shape(same, _FILTERS)
    _judge_real_maps(answer)
    other = _try_block(answer, 2 * _FILTERS - 2)
    if isinstance(other, CheckFailed):
        raise CheckFailed(f"{_ADDED}\n\n{other}")
    _require_shape(other, 2 * _FILTERS - 2)
    _judge_influences(other)
    _judge_alone(without)
    return (
        "Twice as high and wide, `filters` channels, with and without a skip; `x` and the skip "
        "both reach the output, through a nonlinear convolution with weights of its own."
    )


_ADDED = (
    "Your block works only if the skip has a certain number of channels. Is it added (or "
    "multiplied)? Concatenation takes any number of channels."
)


def _try_block(answer, channels, large=_LARGE, real=False):
    """Call the block on a skip with this many channels (or without), return it or the failure."""
    import keras

    x = _Maps("x", (_HEIGHT, _WIDTH, _CHANNELS))
    skip = channels and _Maps("skip", (*large, channels))
    inputs = []

    @functools.wraps(answer)
    def block(x, skip, filters):
        for maps in filter(None, (x, skip)):
            if real:
                values = np.random.default_rng(9).normal(size=(2, *maps.shape))
                inputs.append(keras.ops.convert_to_tensor(values.astype("float32")))
            else:
                inputs.append(keras.Input(maps.shape))
        return answer(inputs[0], inputs[1] if skip else None, filters)

    try:
        result = call(block if callable(answer) else answer, x, skip, _FILTERS)
    except NotAttempted:
        raise
    except CheckFailed as failure:  # a line that raises is one of a library
        return CheckFailed(re.sub(r"\n\n    line \d+: raise .*", "", str(failure)))
    return _Block(inputs, result.value, result.what)


def _require_shape(block, skipped):
    """Fail unless the output is a tensor of the right shape; the skip has `skipped` channels."""
    import keras

    value = block.output
    _refuse(
        (
            isinstance(value, keras.Layer),
            f"{block.what} returned a layer, not what it makes of `x`. Call each layer on a "
            "tensor: `layer(x)`.",
        ),
        (
            not isinstance(value, keras.KerasTensor),
            f"{block.what} returned {describe(value)}; one tensor is expected.",
        ),
    )
    shape, right = tuple(value.shape), (None, *_LARGE, _FILTERS)
    if shape != right:
        raise CheckFailed(
            f"{_explain_block_shape(shape[1:], skipped)}\n\n{block.what} gives the shape {shape}; "
            f"expected: {right}."
        )


def _explain_block_shape(shape, skipped):
    if len(shape) != 3:
        return "Feature maps have the axes batch, rows, columns and channels."
    rows, columns, channels = shape
    high, wide = _LARGE
    if skipped and (rows, columns) in [(2 * high, wide), (high, 2 * wide)]:
        return "The skip lies below or beside `x`. Concatenate along the channels, the last axis."
    if columns - rows == _WIDTH - _HEIGHT:  # whatever the kernel, the stride is 1
        return (
            "The maps are not enlarged by 2: that takes `strides=2` (the default is 1), and the "
            "next layer has to be called on the result."
        )
    if high < rows < 2 * high:
        return (
            "The maps are a little more than twice as large as before. With kernel 2 and stride 2 "
            "a transposed convolution doubles them exactly; the kernel is its second argument."
        )
    if _HEIGHT < rows < high:
        return (
            "The maps are a little less than twice as large as before: a convolution without "
            '`padding="same"` loses the edge.'
        )
    if (rows, columns) != _LARGE:
        return "The maps should be twice as high and twice as wide as those of `x`."
    if skipped and channels in (_FILTERS + skipped, _CHANNELS + skipped):
        return (
            "The concatenation itself is returned. A 3 x 3 convolution with `filters` filters "
            "comes after it."
        )
    return "The output should have `filters` channels: the last convolution decides how many."


def _explain_without(without, same):
    """Return the failure of a block that can't do without a skip, or can't do anything."""
    if isinstance(same, CheckFailed):
        hint = _block_hint(same)
        if not hint and re.search("(?i)concat|(incompatible|matching) shapes|broadcast", str(same)):
            hint = (
                "\n\nTwo maps can be concatenated if they are equally high and wide. Is `x` "
                'exactly twice as large by then (`strides=2`, `padding="same"`)?'
            )
        return CheckFailed(f"{same}{hint}")
    _require_shape(same, _FILTERS)
    return CheckFailed(
        "With a skip your block works, without one (`skip=None`) it doesn't. Concatenate only "
        f"`if skip is not None`.\n\n{without}"
    )


_BLOCK_ERRORS = [
    (", built=", "A layer stands where maps belong: call the layer on x, `layers.Conv2D(...)(x)`."),
    ("too many positional|called on a list", "It takes one list: `layers.Concatenate()([a, b])`."),
    ("(?i)bool|ambiguous", "A tensor is neither true nor false. Ask `if skip is not None`."),
]


def _block_hint(failure):
    hints = [hint for pattern, hint in _BLOCK_ERRORS if re.search(pattern, str(failure))]
    return f"\n\n{hints[0]}" if hints else ""


def _explain_skip(answer, failure):
    """Return the failure of a block that works without a skip but not with one."""
    if not isinstance(_try_block(answer, _FILTERS, (_HEIGHT, _WIDTH)), CheckFailed):
        return CheckFailed(
            "The skip is joined before `x` is enlarged. It comes from the encoder, twice as high "
            f"and wide as `x`: enlarge `x` first.\n\n{failure}"
        )
    like_x = _try_block(answer, _CHANNELS)
    if isinstance(like_x, CheckFailed):
        return CheckFailed(f"Without a skip it works, but:\n\n{failure}{_block_hint(failure)}")
    _require_shape(like_x, _CHANNELS)
    return CheckFailed(f"{_ADDED}\n\n{failure}")


def _judge_real_maps(answer):
    block = _try_block(answer, _FILTERS, real=True)
    if isinstance(block, CheckFailed):
        raise CheckFailed(f"On numbers instead of a `keras.Input`:\n\n{block}")
    shape, right = getattr(to_numpy(block.output), "shape", None), (2, *_LARGE, _FILTERS)
    _refuse(
        (
            shape == (4, *right[1:]),
            "From 2 maps and their 2 skips come 4 outputs: you concatenate along the batch. The "
            "channels are the last axis.",
        ),
        (shape != right, f"{block.what} gives the shape {shape} for 2 maps; expected: {right}."),
    )


def _with_random_weights(block):
    """Return a function of a block's inputs that gives its output, with random kernels."""
    model, random = _model(block), np.random.default_rng(10)
    for weight in model.trainable_variables:
        if len(weight.shape) > 1:
            scale = np.prod(weight.shape[:-1]) ** -0.5
            weight.assign(random.normal(scale=scale, size=tuple(weight.shape)).astype("float32"))
    return lambda *maps: to_numpy(model([x.astype("float32") for x in maps], training=False))


def _is_linear(output, first, second):
    """Tell whether the output at the mean of two inputs is the mean of their outputs."""
    one, other = output(*first), output(*second)
    middle = output(*((a + b) / 2 for a, b in zip(first, second, strict=True)))
    off = np.abs(middle - (one + other) / 2).max()
    return off < 1e-3 * max(np.abs(one - other).max(), 1e-9)


def _reached(output, maps, place, pixel):
    """Return which output pixels (rows, columns) change with a pixel of the map at this place."""
    touched = [x.copy() for x in maps]
    values = touched[place][:, pixel[0], pixel[1]]
    values += 20 * np.random.default_rng(11).normal(size=values.shape)
    return np.any(np.abs(output(*touched) - output(*maps)) > 1e-6, axis=(0, 3))


def _judge_influences(block):
    """Fail unless `x` and the skip reach the output, nonlinearly, and neighbors are looked at."""
    output, random = _with_random_weights(block), np.random.default_rng(12)
    (x1, x2), (s1, s2) = (random.normal(size=(2, 3, *t.shape[1:])) for t in block.inputs)
    first = output(x1, s1)
    row, column = _LARGE[0] // 2, _LARGE[1] // 2
    around = np.s_[row - 1 : row + 2, column - 1 : column + 2]
    _refuse(
        (
            np.allclose(first, output(x1, s2), atol=1e-6),
            "The skip has no effect on the output. Is it concatenated with `x`, and is the "
            "convolution called on the result?",
        ),
        (
            np.allclose(first, output(x2, s1), atol=1e-6),
            "`x` has no effect on the output: only the skip gets there.",
        ),
        (
            _is_linear(output, (x1, s1), (x2, s2)),
            "The block is linear: no activation in it. Give the convolution a ReLU; many linear "
            "layers can do no more than one.",
        ),
        (
            _is_linear(output, (x1, s1), (x1, s2)),
            "What comes from the skip passes no activation: give the convolution *after* the "
            "concatenation one.",
        ),
        (
            not _reached(output, (x1, s1), 1, (row, column))[around].all(),
            "An output pixel doesn't see all neighbors of its pixel in the skip: the convolution "
            "after the concatenation should have a 3 x 3 kernel.",
        ),
    )


def _judge_alone(block):
    """Fail unless a block without a skip convolves after it has enlarged `x`, with an activation.

    A pixel of `x` becomes 2 x 2 pixels or a few more; a 3 x 3 convolution makes them 4 x 4 or more.
    """
    output = _with_random_weights(block)
    first, second = np.random.default_rng(13).normal(size=(2, 3, *block.inputs[0].shape[1:]))
    reached = _reached(output, (first,), 0, (_HEIGHT // 2, _WIDTH // 2))
    _refuse(
        (
            min(reached.any(axis=0).sum(), reached.any(axis=1).sum()) < 4,
            "Without a skip your block has no 3 x 3 convolution. Only the concatenation belongs "
            "under `if skip is not None`.",
        ),
        (
            _is_linear(output, (first,), (second,)),
            "Without a skip your block is linear: no activation in it. Only the concatenation "
            "belongs under `if skip is not None`.",
        ),
    )


# --- augmentation --------------------------------------------------------------------------------

REACH = 4  # pixels
_CALLS = 160
_FAR = 7  # shifts that are recognised, though they are not asked for

_FILLS = [
    ("wrap", "what leaves on one side comes in on the other, as with `np.roll`"),
    ("constant", "zeros come in from outside"),
    ("reflect", "what comes in from outside is a mirror image"),
]


@lab.check("augmentation of image and mask")
def augment(answer):
    moves = []
    for dtype, shape in [("float32", (11, 15)), ("uint8", (14, 9))]:
        seeds = range(len(moves), len(moves) + _CALLS)
        moves += _judge_moves(answer, *_coordinates(shape, dtype), seeds)
    _judge_chance(moves)
    return (
        f"In {2 * _CALLS} calls image and mask moved alike, by every shift from -{REACH} to "
        f"{REACH} in both directions and by no other, about half of them mirrored; edges repeat, "
        "and the input stays as it was."
    )


def _coordinates(shape, dtype):
    """Return an image whose channels are the mask, the row and the column, and the mask."""
    mask = np.random.default_rng(8).integers(0, 3, shape).astype("uint8")
    image = np.stack([mask, *(np.indices(shape) + 1)], axis=-1).astype(dtype)
    return (image / 16 if dtype == "float32" else image).astype(dtype), mask


def _move(array, mirror, down, right, mode="edge"):
    """Return an image or a mask mirrored or not, then shifted."""
    array = array[:, ::-1] if mirror else array
    h, w = array.shape[:2]
    padded = np.pad(array, [(_FAR, _FAR)] * 2 + [(0, 0)] * (array.ndim - 2), mode=mode)
    return padded[_FAR - down :, _FAR - right :][:h, :w]


def _all_moves(array, reach, mode="edge"):
    """Return the moves up to `reach` as (mirror, down, right), and what each gives."""
    shifts = range(-reach, reach + 1)
    moves = list(itertools.product((False, True), shifts, shifts))
    return moves, np.array([_move(array, *move, mode) for move in moves])


def _find(array, moves, moved):
    """Return the first move that gives this array, or None."""
    same = np.all(moved == array, axis=tuple(range(1, moved.ndim)))
    return moves[np.argmax(same)] if same.any() else None


def _judge_moves(answer, image, mask, seeds):
    """Fail unless image and mask move alike, by right moves; return those of all calls."""
    pairs = [_augmented(answer, image, mask, seed) for seed in seeds]
    again = [_augmented(answer, image, mask, seed) for seed in seeds[:3]]
    first = pairs[0][0]
    alike = all(np.array_equal(first, moved) for moved, _ in pairs)
    _refuse(
        (
            not all(np.array_equal(a[0], b[0]) for a, b in zip(again, pairs[:3], strict=True)),
            "Two calls with generators in the same state give different images: some chance comes "
            "from elsewhere, such as `np.random`. Draw every number from `rng`.",
        ),
        (
            alike and np.array_equal(first, image),
            "The image comes back as it was, in every call: nothing is moved.",
        ),
        (
            alike,
            f"{_CALLS} calls with different generators give the same image. Draw every number from "
            "`rng`, anew in each call.",
        ),
    )
    candidates = _all_moves(image, _FAR)
    moves = []
    for moved, _ in pairs:
        moves.append(_find(moved, *candidates))
        if moves[-1] is None:
            raise CheckFailed(_explain_move(moved, image, "image"))
    _judge_masks([moved for _, moved in pairs], mask, moves)
    return moves


def _augmented(answer, image, mask, seed):
    """Return image and mask from one call, with the right shapes and types."""
    result = call(answer, image, mask, np.random.default_rng(seed))
    value = result.value
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise CheckFailed(
            f"{result.what} returned {describe(value)}; expected: two arrays, the image and the "
            "mask (`return image, mask`)."
        )
    arrays = []
    for name, given, array in zip(("image", "mask"), (image, mask), value, strict=True):
        array = to_numpy(array)
        if array is None or array.dtype.kind not in "biuf":
            raise CheckFailed(f"The {name} came back as {describe(array)}: an array is expected.")
        if array.shape != given.shape:
            raise CheckFailed(_explain_moved_shape(name, array.shape, given.shape))
        arrays.append(array)
    _refuse(
        (
            not np.isin(arrays[1], mask).all(),
            "In the mask there are values that it didn't have before. Classes can't be interpolated"
            " (1 does not lie between 0 and 2) nor filled up: pixels are moved as they are.",
        ),
        *(
            (
                array.dtype != given.dtype,
                f"The {name} came back in the type {array.dtype}; it was {given.dtype}, and moving "
                "pixels doesn't change them.",
            )
            for name, given, array in zip(("image", "mask"), (image, mask), arrays, strict=True)
        ),
    )
    return arrays


def _explain_moved_shape(name, shape, given):
    text = f"The {name} came back in the shape {shape}; it was {given}."
    if len(shape) != len(given):
        return f"{text} Return the image first, then the mask."
    if shape[:2] == given[:2]:
        return f"{text} You padded the axis of the channels, too: only rows and columns move."
    if shape[:2] == given[1::-1]:
        return f"{text} Rows and columns have changed places: mirror, don't turn; rows come first."
    if 0 in shape:
        return f"{text} Padded by 4, the unshifted picture begins at row 4: cut from `4 + down` on."
    if shape[0] > given[0] or shape[1] > given[1]:
        return (
            f"{text} After padding cut out a piece of the old size: where it begins is the shift."
        )
    return f"{text} A piece is missing: repeat the edge where nothing comes in from outside."


def _explain_move(moved, before, name):
    """Say what happened to an image or a mask that is not mirrored and shifted with its edges."""
    if _find(moved, *_all_moves(before[::-1], REACH)):
        return (
            f"The {name} is upside down in some calls. Left and right should change places, "
            "`[:, ::-1]`: the columns are the second axis."
        )
    reverses = (before[..., ::-1], before[::-1, :, ::-1]) if before.ndim == 3 else ()
    if any(_find(moved, *_all_moves(reverse, REACH)) for reverse in reverses):
        return (
            "The color channels are reversed in some calls: they are the third axis. `[:, ::-1]` "
            "reverses the columns alone; `np.flip` without an axis reverses every axis."
        )
    for mode, what in _FILLS:
        if _find(moved, *_all_moves(before, REACH + 1, mode)):
            return (
                f"When the {name} is shifted, {what}. The edge should be repeated there: "
                '`np.pad(..., mode="edge")` before you cut the shifted piece out.'
            )
    return (
        f"The pixels of the {name} are not where a mirror and a shift with repeated edges would "
        "put them. (A shift of more than 4 pixels is wrong as well.) Try your function on a small "
        "image, such as `np.indices((6, 8)).transpose(1, 2, 0)`."
    )


def _judge_masks(masks, mask, moves):
    """Fail unless each mask moved like its image."""
    candidates = _all_moves(mask, _FAR)
    found = [_find(moved, *candidates) for moved in masks]
    if found == moves:
        return
    for moved, move in zip(masks, found, strict=True):
        if move is None:
            raise CheckFailed(_explain_move(moved, mask, "mask"))
    wrong = next(place for place, move in enumerate(moves) if found[place] != move)
    example = (
        f"\n\nIn one call the image is {_words(moves[wrong])}, its mask {_words(found[wrong])}."
    )
    shifts, their_shifts = ([move[1:] for move in each] for each in (moves, found))
    mirrored = [any(mirror for mirror, *_ in each) for each in (moves, found)]
    shifted = [any(shift != (0, 0) for shift in each) for each in (shifts, their_shifts)]
    if not mirrored[1] and not shifted[1]:
        raise CheckFailed(
            "The mask stays where it was while the image moves, so its classes lie beside the "
            "pixels they belong to. Move both alike."
        )
    for word, (image_is, mask_is) in [("mirrored", mirrored), ("shifted", shifted)]:
        if image_is != mask_is:
            one, other = ("image", "mask") if image_is else ("mask", "image")
            raise CheckFailed(
                f"The {one} is {word}, the {other} never is: what is done to one is done to both."
            )
    if shifts == their_shifts:
        raise CheckFailed(
            f"You decide twice whether to mirror. Draw once and use it for both.{example}"
        )
    raise CheckFailed(
        "Image and mask get numbers of their own, or move in different directions. Draw each "
        f"number once and use it for both in the same way.{example}"
    )


def _words(move):
    mirror, down, right = move
    rows, columns = ("up", "down")[down > 0], ("left", "right")[right > 0]
    return f"{'mirrored and ' * mirror}shifted {abs(down)} {rows} and {abs(right)} {columns}"


def _judge_chance(moves):
    """Fail unless mirrors and shifts are drawn as asked."""
    mirrored = sum(mirror for mirror, *_ in moves)
    often = f"The image is mirrored in {mirrored} of {len(moves)} calls; it should be in about half"
    _refuse((not 0.25 < mirrored / len(moves) < 0.75, f"{often} of them."))
    for axis, words in [(1, "up or down"), (2, "left or right")]:
        shifts = sorted({move[axis] for move in moves})
        ends = sorted([-shifts[0], shifts[-1]])
        seen = f"{len(shifts)} shifts {words}, up to {ends[1]} pixels; asked for: -4 to 4, nine."
        _refuse(
            (shifts == [0], f"The image is never shifted {words}."),
            (
                ends == [3, 4],
                f"{seen} One end is missing: for example, `rng.integers(-4, 4)` never draws 4.",
            ),
            (ends == [0, 4], f"{seen} They go in one direction only."),
            (shifts != list(range(-REACH, REACH + 1)), seen),
        )
    far = np.mean([abs(shift) == REACH for _, *both in moves for shift in both])
    _refuse(
        (
            all(abs(down) == abs(right) for _, down, right in moves),
            "The image moves by the same number of rows and of columns in every call. Draw one "
            "number for each direction.",
        ),
        (
            not 0.15 < far < 0.3,
            f"{far:.0%} of your shifts are by 4 pixels. It would be about 22% if each of the nine "
            "numbers had the same probability, as with `rng.integers`.",
        ),
    )


# --- what the skips are for ----------------------------------------------------------------------

_TIE = 0.01  # losses of IoU closer than this count as the same


@lab.check("what suffers without skips")
def suffers(suffers, with_skips, without_skips, classes):
    names = [str(name) for name in classes]
    scores = [np.asarray(to_numpy(given), float) for given in (with_skips, without_skips)]
    lost = scores[0] - scores[1]
    known = {name.lower(): place for place, name in enumerate(names)}
    place = known.get(suffers.strip().lower()) if isinstance(suffers, str) else None
    if place is None:
        raise CheckFailed(
            f"Answer with one of the names {', '.join(map(repr, names))}; this is "
            f"{describe(suffers)}."
        )
    most = int(np.nanargmax(lost))
    if not lost[most] > 0:
        raise CheckFailed(
            "In this run no class loses IoU without the skips, so there is nothing to compare. "
            "Have both networks been trained, and do the scores with skips come first?"
        )
    if lost[place] >= lost[most] - _TIE:
        return f"`{names[place]}` it is: without the skips no other class loses more IoU."

    def figures(c):
        return f"`{names[c]}` falls from {scores[0][c]:.2f} to {scores[1][c]:.2f}"

    hint = " What is only a few pixels wide gets lost in the coarsest maps."
    raise CheckFailed(
        f"{figures(place)}; {figures(most)}. So `{names[most]}` loses most in this run."
        + hint * (names[most].lower() == "border")
    )


# --- weights for rare classes --------------------------------------------------------------------


@lab.check("weights of the classes")
def class_weights(answer):
    random = np.random.default_rng(11)
    few = (random.random((3, 4, 5)) < 0.3).astype("uint8")
    uneven = random.choice(3, (2, 6, 7), p=[0.8, 0.15, 0.05])
    uneven[0, :3], uneven[1, :, :2], uneven[1, 5] = 0, 1, 2
    cases = [
        (np.array([[0, 0, 0, 1]]), 2),
        (np.array([[0, 0, 0], [1, 2, 0]]), 3),
        (uneven, 3),
        (random.choice(4, (5, 9), p=[0.1, 0.5, 0.2, 0.2]), 4),
        (few, 3),
        (2 * few, 4),
    ]
    _judge(answer, cases, _weights, _WEIGHT_MISTAKES, _explain_weights, _WEIGHT_ERRORS)
    return (
        "They are right for single masks and for batches: all classes that occur count the same in "
        "sum, and one that never occurs gets 0."
    )


def _counts(masks, classes):
    return np.bincount(masks.ravel(), minlength=classes).astype(float)


def _inverse(counts, absent=0):
    return np.divide(1, counts, out=np.full(counts.shape, float(absent)), where=counts > 0)


def _weights(masks, classes, absent=0):
    counts = _counts(masks, classes)
    return np.where(counts > 0, masks.size / classes * _inverse(counts), absent)


def _weights_by_image(masks, classes):
    if masks.ndim < 3:
        return _weights(masks, classes)
    return np.mean([_weights(mask, classes) for mask in masks], axis=0)


def _scaled(scale):
    """Return a mistake that has the right proportions; `scale` may use masks, classes, counts."""
    return lambda m, c: scale(m, c, _counts(m, c)) * _inverse(_counts(m, c))


_NEVER = "A class that never occurs should get the weight 0: it has no pixels that could count."
_PROPORTIONS = "The proportions are right, but"
_WEIGHT_MISTAKES = [
    (
        "These are the frequencies, so the most common class counts most. It should be the other "
        "way round: the rarer, the heavier.",
        lambda m, c: _counts(m, c) / m.size,
        lambda m, c: _counts(m, c),
        lambda m, c: c * _counts(m, c) / m.size,
    ),
    (
        "`a / b * c` is `(a / b) * c` (with `//`, too): put `classes * count` in brackets.",
        lambda m, c: m.size / c * _counts(m, c),
        lambda m, c: m.size // c * _counts(m, c),
    ),
    (
        "The fractions are cut off: divide with `/`, not with `//`, into an array of floats.",
        lambda m, c: np.floor(_weights(m, c)),
        lambda m, c: m.size // c * _inverse(_counts(m, c)),
    ),
    (f"{_PROPORTIONS} divide by the number of classes, too.", _scaled(lambda m, c, n: m.size)),
    (
        f"{_PROPORTIONS} you divide 1 by the pixels of the class. All pixels stand above the line.",
        _scaled(lambda m, c, n: 1),
        _scaled(lambda m, c, n: 1 / c),
    ),
    (
        f"{_PROPORTIONS} you scaled the weights so that they add up to 1 (or to the number of "
        "classes). The formula makes the *pixels'* weights 1 on average: leave the scaling out.",
        _scaled(lambda m, c, n: 1 / _inverse(n).sum()),
        _scaled(lambda m, c, n: c / _inverse(n).sum()),
    ),
    (
        f"{_PROPORTIONS} you divide by the number of classes that occur, not by `classes`.",
        _scaled(lambda m, c, n: m.size / np.sum(n > 0)),
    ),
    (
        "You weigh each image by itself and take the mean. Count the pixels of the whole batch.",
        _weights_by_image,
    ),
    (
        "This is 1 minus the frequency. It favors rare classes, but their sums aren't the same.",
        lambda m, c: 1 - _counts(m, c) / m.size,
    ),
    (
        f"{_NEVER} Look at what your division gives there.",
        *(functools.partial(_weights, absent=value) for value in (np.inf, np.nan, 1)),
        *(
            functools.partial(lambda m, c, add: m.size / c / (_counts(m, c) + add), add=add)
            for add in (1, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12)
        ),
        lambda m, c: m.size / c / np.maximum(_counts(m, c), 1),
    ),
    (
        "Your array is shorter than the number of classes, because one never occurs. It keeps its "
        "place, with the weight 0 (`np.bincount` has `minlength`).",
        lambda m, c: _weights(m, c)[: m.max() + 1],
        lambda m, c: _weights(m, c, np.inf)[: m.max() + 1],
        lambda m, c: _weights(m, c)[_counts(m, c) > 0],
        lambda m, c: (_weights(m, c) * c / np.unique(m).size)[_counts(m, c) > 0],
    ),
    (
        "The weights are right, but in the wrong order: class 0 comes first, then 1, and so on.",
        lambda m, c: _weights(m, c)[::-1],
        lambda m, c: np.sort(_weights(m, c)),
        lambda m, c: np.sort(_weights(m, c))[::-1],
    ),
    (
        "You return a weight for each *pixel*. One for each class is asked.",
        lambda m, c: _weights(m, c)[m],
    ),
]
_WEIGHT_ERRORS = [
    ("ZeroDivisionError", f"You divide by 0. {_NEVER}"),
    ("too deep", "Masks have any shape; `masks.ravel()` is one row."),
]


def _explain_weights(case, array, right):
    masks, classes = case
    counts = _counts(masks, classes).astype(int)
    if array.shape != right.shape:
        return f"There are {classes} classes: return an array of {classes} weights."
    ratio = array[counts > 0] / right[counts > 0]
    if np.ptp(ratio) < TOLERANCE * abs(ratio[0]) and not same(ratio, np.ones(ratio.shape)):
        return f"{_PROPORTIONS} every weight is {ratio[0]:.4g} times as large as it should be."
    return f"Of {masks.size} pixels, the classes have {', '.join(map(str, counts))}."


# --- comparing -----------------------------------------------------------------------------------


def _judge(answer, cases, truth, mistakes, explain, errors, *, nan=False):
    """Judge an answer by the truth of each case; `nan`: NaN can be right."""

    def explain_numbers(case, array, right):
        if array.shape != right.shape:
            return explain(case, array, right)
        if not np.isfinite(array).all() and not (nan and np.isnan([array, right]).any()):
            return None
        cut_off = "Your result holds whole numbers: were fractions cut off? "
        return (cut_off if array.dtype.kind in "iu" else "") + explain(case, array, right)

    results, rights = [attempt(answer, case) for case in cases], [truth(*case) for case in cases]
    judge(cases, results, rights, mistakes, explain_numbers, errors)


def _refuse(*faults):
    """Fail with the message of the first (condition, message) whose condition holds."""
    for condition, message in faults:
        if condition:
            raise CheckFailed(message)
