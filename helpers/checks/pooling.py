"""Checks of lab 04: pooling, its sizes, its gradient, what it sees and what it forgets.

A wrong function is tried on every input before anything is said about it: a mistake is named only
if it explains all that came back, because one small output can be wrong for many reasons.
"""

import itertools

import numpy as np

from .core import CheckFailed, Lab, NotAttempted, call, describe, to_numpy
from .judge import agrees, attempt, judge, same

lab = Lab("04 Pooling")
reached = lab.reached
score_card = lab.score_card


IMAGE = np.array([[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]])


# --- pooling -------------------------------------------------------------------------------------


@lab.check("pooling")
def pool(answer):
    random = np.random.default_rng(4)
    cases = [
        (IMAGE, 2, 2, np.max),
        (random.normal(size=(6, 10)), 2, 3, np.max),
        (random.normal(size=(5, 7)), 3, 1, np.mean),
        (-1 - random.random(size=(7, 10)), 3, 2, np.max),
        (random.integers(0, 20, (6, 8)), 2, 2, np.mean),
        (random.integers(100, 256, (6, 9), dtype=np.uint8), 3, 3, np.sum),
        (random.normal(size=(3, 4)), 2, 1, np.min),
        (random.normal(size=(9, 4)), 3, 2, np.sum),
        (random.normal(size=(4, 6)), 4, 1, np.mean),
        (random.normal(size=(5, 6)), 1, 2, np.max),
    ]
    results = [attempt(answer, case) for case in cases]
    rights = [_keras_pool(*case) for case in cases]
    judge(cases, results, rights, _POOL_MISTAKES, _explain_pool, [*_POOL_ERRORS, *_ERRORS])
    return (
        "Maxima and averages agree with Keras, and sums and minima are right as well, for every "
        "image, size and stride that was tried."
    )


def _keras_pool(image, size, stride, reduce):
    """Return the valid windows of an image (h, w), reduced by Keras: the answer to compare with."""
    from keras import ops

    sign = -1 if reduce is np.min else 1
    function = ops.max_pool if reduce in (np.max, np.min) else ops.average_pool
    batch = sign * image[None, ..., None].astype("float32")
    result = function(batch, size, strides=stride, padding="valid", data_format="channels_last")
    result = sign * ops.convert_to_numpy(result)[0, ..., 0]
    return result * size**2 if reduce is np.sum else result


def _corners(image, size, stride):
    """Return the first rows and the first columns of all windows that fit inside the image."""
    return [range(0, side - size + 1, stride) for side in image.shape]


def _counts(image, size, stride):
    return tuple(map(len, _corners(image, size, stride)))


def _steps(image, stride, count):
    """Return rows and columns that are `stride` apart, `count(side)` of them."""
    return [range(0, max(count(side), 0) * stride, stride) for side in image.shape]


def _cut(image, rows, columns, size, reduce):
    """Reduce what lies inside the image of the windows at these corners.

    Without any window, or if one has no pixel, there is no prediction: None.
    """
    windows = [[image[r : r + size, c : c + size] for c in columns] for r in rows]
    if not rows or not columns or any(part.size == 0 for line in windows for part in line):
        return None
    reduced = [[reduce(window) for window in line] for line in windows]
    return np.array(reduced)


def _pool(image, size, stride, reduce):
    return reduce(_windows(image, size, stride), axis=(2, 3))


def _windows(image, size, stride):
    windows = np.lib.stride_tricks.sliding_window_view(image, (size, size))
    return windows[::stride, ::stride]


def _transposed_windows(image, size, stride, reduce):
    """Return what a window gives whose row and column are exchanged."""
    counts = reversed(_counts(image, size, stride))
    rows, columns = (range(0, count * stride, stride) for count in counts)
    reduced = _cut(image, rows, columns, size, reduce)
    return None if reduced is None else reduced.T


def _one_too_few(image, size, stride, reduce):
    """Return the right output with zeros where a loop that ends too early leaves them."""
    right = _pool(image, size, stride, reduce)
    right[-1] = right[:, -1] = 0
    return right


def _first_only(array, part):
    """Return an array of zeros apart from one part."""
    result = np.zeros_like(array)
    result[part] = array[part]
    return result


def _mixed(image, size, stride, reduce):
    """Return what a reshape to (rows, columns, size, size) gives, where one is possible."""
    if size != stride or image.shape[0] % size or image.shape[1] % size:
        return None
    rows, columns = image.shape[0] // size, image.shape[1] // size
    return reduce(image.reshape(rows, columns, size, size), axis=(2, 3))


def _padded(image, size, stride, reduce):
    extra = [(0, -(side - size) % stride) for side in image.shape]
    return _pool(np.pad(image, extra), size, stride, reduce)


_STEP = "Your windows move by `size` pixels; they should move by `stride`."
_WIDTH = "Your windows are `stride` pixels high and wide; `size` should say how large they are."

# The message of each mistake, then what it gives: x is the image, n the size, s the stride, f the
# function. A tuple stands for its shape alone, None for an input where no prediction is made.
# In the messages {0} is the first argument of the call, here the image.
_POOL_MISTAKES = [
    (
        "The stride has no effect: your windows move one pixel at a time.",
        lambda x, n, s, f: _pool(x, n, 1, f),
    ),
    (
        "The output has the right shape, but its windows move one pixel at a time. Where does the "
        "window of the output `[i, j]` begin in the image?",
        lambda x, n, s, f: _pool(x, n, 1, f)[tuple(map(slice, _counts(x, n, s)))],
    ),
    (_STEP, lambda x, n, s, f: _pool(x, n, n, f)),
    (
        f"The output has the right shape, but its windows stand elsewhere. {_STEP}",
        lambda x, n, s, f: _cut(x, *(range(0, k * n, n) for k in _counts(x, n, s)), n, f),
    ),
    (_WIDTH, lambda x, n, s, f: _cut(x, *_corners(x, n, s), s, f)),
    (f"{_WIDTH} (`size` has no effect on your output.)", lambda x, n, s, f: _pool(x, s, s, f)),
    ("`size` and `stride` have changed places.", lambda x, n, s, f: _pool(x, s, n, f)),
    (
        "Rows and columns have changed places in your output: rows come first.",
        lambda x, n, s, f: _pool(x, n, s, f).T,
    ),
    (
        "Rows and columns have changed places: the row of the output moves the window to the "
        "right, the column moves it down. It should be the other way round.",
        _transposed_windows,
    ),
    (
        "Rows and columns of the image have changed places: it has {0.shape[0]} rows and "
        "{0.shape[1]} columns, and `image.shape` gives the rows first.",
        lambda x, n, s, f: _cut(x, *_corners(x.T, n, s), n, f),
    ),
    (
        "You use one side of the image for both axes. The image need not be square: rows come from "
        "`shape[0]`, columns from `shape[1]`.",
        lambda x, n, s, f: _cut(x, *[_corners(x, n, s)[0]] * 2, n, f),
        lambda x, n, s, f: _cut(x, *[_corners(x, n, s)[1]] * 2, n, f),
    ),
    (
        "Windows that hang over the edge of the image count in your output. Only whole windows do "
        "here.",
        lambda x, n, s, f: _cut(x, *_corners(x, 1, s), n, f),
        lambda x, n, s, f: _cut(x, *_corners(x, n - s + 1, s), n, f),
    ),
    (
        "You made the image larger with zeros, so that a last window fits. Leave the rest out: "
        "only whole windows of the image count.",
        _padded,
    ),
    (
        "You make `side // stride` windows along an axis. That is right where `size` equals "
        "`stride`; how many whole windows fit otherwise?",
        lambda x, n, s, f: _cut(x, *_steps(x, s, lambda side: side // s), n, f),
    ),
    (
        "You make `side // size` windows along an axis. That is right where `size` equals "
        "`stride`; how many whole windows fit otherwise?",
        lambda x, n, s, f: _cut(x, *_steps(x, s, lambda side: side // n), n, f),
    ),
    (
        "The last window is missing along each axis where it ends exactly at the edge of the "
        "image: it still fits.",
        lambda x, n, s, f: _cut(x, *_corners(x, n + 1, s), n, f),
    ),
    (
        "One window is missing along each axis. Count again: the first one stands at 0, before "
        "any step.",
        lambda x, n, s, f: _cut(x, *_steps(x, s, lambda side: (side - n) // s), n, f),
    ),
    (
        "The + 1 comes after the division: the first window, then one for each whole step.",
        lambda x, n, s, f: _cut(x, *_steps(x, s, lambda side: (side - n + 1) // s), n, f),
    ),
    (
        "The last row and the last column of your output are still zeros: the loops end one window "
        "too early.",
        _one_too_few,
    ),
    (
        "Only the first windows are in your output. Does the `return` stand inside a loop?",
        lambda x, n, s, f: _first_only(_pool(x, n, s, f), (slice(1), slice(1))),
        lambda x, n, s, f: _first_only(_pool(x, n, s, f), slice(1)),
    ),
    (
        "Your output has three axes: `reduce` worked along one axis of the window only. One "
        "number is left of a whole window.",
        lambda x, n, s, f: f(_windows(x, n, s), axis=2),
        lambda x, n, s, f: f(_windows(x, n, s), axis=3),
    ),
    (
        "Your windows are the right ones, but they are not reduced: one number is left of each.",
        lambda x, n, s, f: _windows(x, n, s),
    ),
    (
        "The values are right, but they stand in one long row. Arrange them as the windows are, in "
        "rows and columns.",
        lambda x, n, s, f: _pool(x, n, s, f).ravel(),
    ),
    (
        "Your window is a strip across the whole image. Cut it out along *both* axes.",
        lambda x, n, s, f: np.array(
            [[f(x[r : r + n]) for _ in _corners(x, n, s)[1]] for r in _corners(x, n, s)[0]]
        ),
        lambda x, n, s, f: np.array(
            [[f(x[:, c : c + n]) for c in _corners(x, n, s)[1]] for _ in _corners(x, n, s)[0]]
        ),
    ),
    (
        "Every output is the same: the window never leaves the first position.",
        lambda x, n, s, f: np.full(_counts(x, n, s), f(x[:n, :n])),
    ),
    (
        "Every output is the same: `reduce` gets the whole image instead of a window.",
        lambda x, n, s, f: np.full(_counts(x, n, s), f(x)),
    ),
    (
        "One number came back, for the whole image. Collect one for each window.",
        lambda x, n, s, f: f(x),
    ),
    (
        "Your windows have one row and one column too many: a slice `a:b` ends *before* b.",
        lambda x, n, s, f: _cut(x, *_corners(x, n, s), n + 1, f),
    ),
    (
        "Your windows lack one row and one column: a slice `a:b` ends *before* b.",
        lambda x, n, s, f: _cut(x, *_corners(x, n, s), n - 1, f),
    ),
    (
        "Your reshape takes neighbors in *memory* for a window: pixels that follow one another "
        "along a row. A window has pixels of several rows.",
        _mixed,
    ),
    (
        "Your output array has the type of the image, so it can't hold every result: fractions of "
        "a mean are cut off, and a large sum wraps around at 256 in a `uint8` array. "
        "`np.zeros(shape)` makes an array of floats.",
        lambda x, n, s, f: _pool(x, n, s, f).astype(x.dtype),
    ),
    (
        "Your output array holds whole numbers, so the fractions were cut off. `np.zeros(shape)` "
        "makes an array of floats.",
        lambda x, n, s, f: _pool(x, n, s, f).astype(int),
    ),
    (
        "Your maximum begins at 0, so a window with negative pixels only gives 0. And the output "
        "is a maximum for every `reduce`: let `reduce` do that work.",
        lambda x, n, s, f: np.maximum(_pool(x, n, s, np.max), 0),
    ),
    (
        "Your output is as large as the image. One number is left of each window: how many windows "
        "are there?",
        lambda x, n, s, f: x.shape,
    ),
]

_EMPTY = (
    "Such a window begins outside the image, or its slice ends where it begins. The image has the "
    "shape {0.shape}, rows first."
)
_POOL_ERRORS = [
    ("zero-size array", f"You reduce a window without any pixel. {_EMPTY}"),
    (
        "setting an array element with a sequence",
        "More than one number is to go into one place of the output. Is a *whole* window reduced "
        "to one number?",
    ),
    (
        "out of bounds",
        "If that index belongs to the output: it counts windows, 0, 1, 2 and so on, whatever the "
        "stride; the corner of a window counts pixels. The image has the shape {0.shape}, rows "
        "first.",
    ),
]


def _explain_pool(case, array, right):
    """Return what can be said of one wrong output without knowing how it came about."""
    image, size, stride, reduce = case
    if np.any(np.isnan(array)):
        return (
            "There is NaN in your output, though the image holds none. A window without any pixel "
            f"gives it. {_EMPTY.format(image)}"
        )
    if array.shape != right.shape:
        part = tuple(map(slice, array.shape))
        if array.ndim == 2 and array.size and same(array, right[part]):
            return (
                f"What is there is right, but windows are missing: you have {array.shape} of "
                f"{right.shape}. Where do your rows and columns of windows end?"
            )
        return (
            f"The image is {image.shape[0]} x {image.shape[1]}. With size {size} and stride "
            f"{stride} there is room for {right.shape[0]} rows of {right.shape[1]} whole windows."
        )
    for other in (np.max, np.min, np.mean, np.sum):
        if same(array, _pool(image, size, stride, other)):
            return (
                f"Your output is what `np.{other.__name__}` gives, but here `reduce` is "
                f"`np.{reduce.__name__}`. Apply the function that was handed in."
            )
    i, j = np.unravel_index(np.argmax(np.abs(array - right)), right.shape)
    return (
        f"The window of the output `[{i}, {j}]` has the rows {i * stride} to "
        f"{i * stride + size - 1} and the columns {j * stride} to {j * stride + size - 1} of the "
        f"image; `np.{reduce.__name__}` of it is {right[i, j]:.4g}, yours is {array[i, j]:.4g}."
    )


# --- sizes ---------------------------------------------------------------------------------------

# (side, size, stride)
_SIZES = [(4, 2, 2), (10, 3, 2), (7, 2, 2), (28, 2, 2), (13, 3, 3), (9, 4, 1), (11, 2, 4)]
_SIZES += [(5, 5, 2), (12, 3, 5), (6, 1, 4), (224, 3, 2), (17, 6, 4), (8, 3, 3), (9, 3, 7)]


@lab.check("the pooled size")
def pooled_size(answer):
    truths = {"valid": _valid_size, "same": _same_size}
    cases = {padding: [(*sizes, padding) for sizes in _SIZES] for padding in truths}
    results = {padding: [attempt(answer, case) for case in cases[padding]] for padding in truths}
    if _agree(results["valid"], [_same_size(*sizes) for sizes in _SIZES]) and _agree(
        results["same"], [_valid_size(*sizes) for sizes in _SIZES]
    ):
        raise CheckFailed(
            "The two paddings have changed places. 7 pixels with windows of 2 and the stride 2: "
            'it is 3 for "valid" and 4 for "same"; you give 4 for "valid" and 3 for "same".'
        )
    for padding, truth in truths.items():
        rights = [np.array(truth(*sizes)) for sizes in _SIZES]
        mistakes = _VALID_MISTAKES if padding == "valid" else _SAME_MISTAKES
        mistakes = [(message, *map(_without_padding, ways)) for message, *ways in mistakes]
        judge(
            cases[padding],
            results[padding],
            rights,
            mistakes,
            _explain_size,
            [*_SIZE_ERRORS, *_ERRORS],
        )
    return 'It is right for "valid" and for "same", whether the stride divides the side or not.'


def _agree(results, values):
    return all(agrees(result, value) for result, value in zip(results, values, strict=True))


def _valid_size(n, size, stride):
    return len(range(0, n - size + 1, stride))


def _same_size(n, size, stride):
    return len(range(0, n, stride))


def _without_padding(mistake):
    return lambda n, size, stride, padding: mistake(n, size, stride)


_SIZE_ERRORS = [
    (
        "returned `None`",
        "`print` shows a value but gives nothing back. If you do have a `return`: is the condition "
        "before it true for the padding {3!r}?",
    ),
]

# Only the number of windows is spoken of for "same": where they begin is up to Keras, which adds
# its padding on both sides.
_LEFT_OUT = (
    'With "valid" padding an incomplete window at the end is left out: round down, as `//` does.'
)
_COUNTED = 'With "same" padding the rest of the division makes one more window: round up.'
_WHOLE = "A size is a whole number, and `/` doesn't round."
_BY_SIZE = (
    "You divide by the size of the window, as if windows stood side by side. How far apart they "
    "stand is the stride."
)
_BY_STRIDE = (
    'You divide the whole side by the stride. With "valid" padding the window must fit inside: how '
    "many pixels can it move at most?"
)
_LATE_ONE = (
    "The + 1 comes after the division: the first window, then one for each whole step of the "
    "stride."
)

_VALID_MISTAKES = [
    ('For "valid" you give the size of "same": a window must fit inside here.', _same_size),
    (_BY_STRIDE, lambda n, k, s: n // s),
    (f"{_BY_STRIDE} {_WHOLE}", lambda n, k, s: n / s),
    (_BY_SIZE, lambda n, k, s: n // k, lambda n, k, s: -(-n // k), lambda n, k, s: n / k),
    (
        "You count the steps. The first window stands at 0 before any step, so there is one "
        "window more than there are steps.",
        lambda n, k, s: (n - k) // s,
    ),
    (
        "You count the steps, whole or not. A step counts only when it is whole, and there is one "
        "window more than there are steps.",
        lambda n, k, s: (n - k) / s,
    ),
    (_LATE_ONE, lambda n, k, s: (n - k + 1) // s),
    (f"{_LATE_ONE} {_WHOLE}", lambda n, k, s: (n - k + 1) / s),
    (
        "The stride has no effect: the window moves `stride` pixels at a time.",
        lambda n, k, s: n - k + 1,
    ),
    (
        "The stride has no effect, and the first window, which stands at 0, is not counted.",
        lambda n, k, s: n - k,
    ),
    (f"You rounded up. {_LEFT_OUT}", lambda n, k, s: -(-(n - k) // s) + 1),
    (f"You rounded up where + 1 belongs. {_LEFT_OUT}", lambda n, k, s: -(-(n - k) // s)),
    (
        f"You rounded to the nearest number. {_LEFT_OUT}",
        lambda n, k, s: round((n - k) / s) + 1,
        lambda n, k, s: round((n - k) / s + 1),
    ),
    (f"{_WHOLE} {_LEFT_OUT}", lambda n, k, s: (n - k) / s + 1),
    ("Size and stride have changed places in your formula.", lambda n, k, s: (n - s) // k + 1),
    (f"{_BY_STRIDE} The size of the window has no effect so far.", lambda n, k, s: n // s + 1),
    (
        "The window can move over *fewer* pixels than the side has, because it has a size itself.",
        lambda n, k, s: (n + k) // s + 1,
    ),
]
_SAME_MISTAKES = [
    (
        'For "same" you give the size of "valid": the padding has no effect on your answer.',
        _valid_size,
    ),
    (f"You rounded down. {_COUNTED}", lambda n, k, s: n // s),
    (
        f"You rounded to the nearest number. {_COUNTED}",
        lambda n, k, s: round(n / s),
        lambda n, k, s: int(n / s + 0.5),
    ),
    (f"{_WHOLE} {_COUNTED}", lambda n, k, s: n / s),
    (
        "Your size is negative: `//` rounds down, towards minus infinity, and one minus sign is "
        "missing.",
        lambda n, k, s: -n // s,
    ),
    (
        '"same" keeps the size only for the stride 1: the window still moves `stride` pixels at a '
        "time.",
        lambda n, k, s: n,
    ),
    (
        "Where the stride divides the side there is one window too many: the + 1 is for a rest "
        "that is there only sometimes.",
        lambda n, k, s: n // s + 1,
    ),
    (
        "You add the rest of the division. However large it is, it makes one more window only.",
        lambda n, k, s: n // s + n % s,
    ),
    (
        "There is one window too many everywhere: nothing is added to the number that was rounded "
        "up.",
        lambda n, k, s: -(-n // s) + 1,
    ),
    (
        "You count the steps from window to window; there is one window more than there are steps.",
        lambda n, k, s: (n - 1) // s,
    ),
    (_BY_SIZE, lambda n, k, s: -(-n // k), lambda n, k, s: n // k),
    (
        'Your number changes with the size of the window. That size plays no part with "same": '
        "divide the side by the stride, and round.",
        lambda n, k, s: (n + 2 * (k // 2) - k) // s + 1,
        lambda n, k, s: (n + 2 * ((k - 1) // 2) - k) // s + 1,
        lambda n, k, s: -(-(n - k) // s) + 1,
    ),
]


def _explain_size(case, array, right):
    n, size, stride, padding = case
    if array.shape != ():
        return "One whole number is expected: the size along one axis."
    if array % 1:
        return f"{_WHOLE} Which way is it rounded for the padding {padding!r}?"
    if padding == "valid":
        return (
            f"Draw it: {n} pixels in a row, windows of {size} that begin at pixel 0, {stride}, "
            f"{2 * stride} and so on. How many lie inside as a whole?"
        )
    return (
        f'With "same" padding the number of windows is {n} / {stride}, the side divided by the '
        "stride, and rounded. Which way?"
    )


# --- max or average ------------------------------------------------------------------------------


@lab.check("where max helps and where average does")
def better(better, visibility):
    """Compare "max" or "average" for each scene with {scene: {"max": v, "average": v}}."""
    if not isinstance(better, dict):
        raise CheckFailed(
            f"Answer with a dictionary, one word for each scene; this is {describe(better)}."
        )
    given = {_plain(key): word for key, word in better.items() if isinstance(key, str)}
    words = {scene: given.get(_plain(scene)) for scene in visibility}
    missing = [scene for scene, word in words.items() if word is None or word is Ellipsis]
    if len(missing) == len(words) and not set(given) - set(map(_plain, visibility)):
        raise NotAttempted("Give each scene one of the words `max` and `average`.")
    if missing:
        scenes = ", ".join(f'"{scene}"' for scene in visibility)
        raise CheckFailed(f'The scene "{missing[0]}" has no word yet. The scenes are: {scenes}.')
    words = {
        scene: _choose(word, visibility[scene], f'The word for "{scene}"')
        for scene, word in words.items()
    }
    best = {scene: max(measured, key=measured.get) for scene, measured in visibility.items()}
    wrong = [
        scene
        for scene, measured in visibility.items()
        if measured[words[scene]] < measured[best[scene]]
    ]
    if wrong:
        scene, word = wrong[0], words[wrong[0]]
        measured, other = visibility[scene], best[scene]
        message = (
            f'"{scene}": you chose `{word}`, for which {measured[word]:.3g} was measured; '
            f"`{other}` gives {measured[other]:.3g}. {_WHY_NOT[word]}"
        )
        if len(set(words.values())) == 1 < len(set(best.values())):
            message += f" You gave `{word}` to every scene; no single answer fits them all."
        elif len(wrong) == len(words) > 1:
            message += " Every one of your words is the other way round."
        raise CheckFailed(message)
    return "The measurement agrees with you, for every scene."


_WHY_NOT = {
    "max": (
        "A maximum passes on one pixel of a window. Which pixel is that here: one of the thing "
        "that we look for, or the brightest one around it, by its nature or by chance?"
    ),
    "average": (
        "An average mixes all pixels of a window. How many of them belong to the thing that we "
        "look for, and what do the others do to it?"
    ),
}


# --- the receptive field -------------------------------------------------------------------------


@lab.check("the receptive field")
def receptive_field(answer):
    cases = [
        [(3, 1), (2, 2), (3, 1)],
        [(5, 1)],
        [(3, 2), (3, 2), (3, 2)],
        [(3, 1), (3, 1), (3, 1), (3, 1)],
        [(2, 2), (5, 1), (2, 3), (3, 1)],
        [(1, 1), (7, 3), (4, 2), (2, 1), (3, 3)],
        [(11, 4), (3, 2), (5, 1), (3, 2), (3, 1)],
    ]
    cases = [(layers,) for layers in cases]
    results = [attempt(answer, case) for case in cases]
    rights = [np.array(_fields_seen(*case)) for case in cases]
    judge(cases, results, rights, _FIELD_MISTAKES, _explain_field, [*_FIELD_ERRORS, *_ERRORS])
    return "It is right for convolutions and poolings in any order."


def _fields_seen(layers):
    """Return how many pixels in a row the first output of each layer depends on, walking back."""
    sides = []
    for depth in range(1, len(layers) + 1):
        last = 0
        for kernel, stride in reversed(layers[:depth]):
            last = last * stride + kernel - 1
        sides.append(last + 1)
    return sides


def _grow(layers, growth, start=1, step=lambda jump, stride: jump * stride):
    """Return the sides when each layer adds `growth(kernel, stride, jump)`."""
    sides, side, jump = [], start, 1
    for kernel, stride in layers:
        side += growth(kernel, stride, jump)
        jump = step(jump, stride)
        sides.append(side)
    return sides


def _chain(layers, following):
    """Return the sides when each is `following(side, kernel, stride)`, from 1 on."""
    sides = itertools.accumulate(layers, lambda side, layer: following(side, *layer), initial=1)
    return list(sides)[1:]


_EARLIER = (
    "A layer's own stride moves *its* windows apart. It tells how many pixels of the image lie "
    "between neighbors that the *next* layer looks at, so it counts from the next layer on."
)

_FIELD_ERRORS = [
    (
        "'NoneType' object has no attribute 'append'|returned `None`",
        "`append` and `print` give nothing back, that is `None`: `append` changes the list itself, "
        "so neither keep nor return what it gives.",
    ),
]

_FIELD_MISTAKES = [
    (
        "Every layer adds what a kernel of 3 does; the kernel is the first number of each pair.",
        lambda layers: _grow(layers, lambda k, s, jump: 2 * jump),
    ),
    (
        "The strides have no effect. Behind a stride of 2, neighbors on a map are two pixels of "
        "the image apart.",
        lambda layers: _grow(layers, lambda k, s, jump: k - 1),
    ),
    (
        "You add up the kernels. Windows of neighbors overlap, so a layer adds less than its "
        "kernel; and strides before it make the steps larger.",
        lambda layers: _grow(layers, lambda k, s, jump: k, start=0),
        lambda layers: _grow(layers, lambda k, s, jump: k),
    ),
    (
        "You multiply the kernels. The windows of neighbors overlap, so a layer adds to the field; "
        "it doesn't multiply it.",
        lambda layers: _chain(layers, lambda r, k, s: r * k),
    ),
    (_EARLIER, lambda layers: _grow(layers, lambda k, s, jump: (k - 1) * jump * s)),
    (
        f"{_EARLIER} And the strides of all layers before multiply.",
        lambda layers: _grow(layers, lambda k, s, jump: (k - 1) * s),
    ),
    (
        "Only the stride of the layer just before counts in your answer. The strides of *all* "
        "earlier layers multiply.",
        lambda layers: _grow(layers, lambda k, s, jump: (k - 1) * jump, step=lambda jump, s: s),
    ),
    (
        "You add up the strides. A stride of 2 behind a stride of 2 makes steps of four pixels, "
        "behind three of them steps of eight: what grows like that?",
        lambda layers: _grow(
            layers, lambda k, s, jump: (k - 1) * jump, step=lambda jump, s: jump + s
        ),
        lambda layers: _grow(
            layers, lambda k, s, jump: (k - 1) * jump, step=lambda jump, s: jump + s - 1
        ),
    ),
    (
        "Each new layer adds `kernel` neighbors in your count. One of them is the place that was "
        "seen already: how many are new?",
        lambda layers: _grow(layers, lambda k, s, jump: k * jump),
        lambda layers: _grow(layers, lambda k, s, jump: k * jump, start=0),
    ),
    (
        "Every side is 1 too small: before any layer, a pixel sees itself.",
        lambda layers: _grow(layers, lambda k, s, jump: (k - 1) * jump, start=0),
    ),
    (
        "That formula walks *back*, from an output to the image. You use it from the image on, so "
        "each stride enlarges what was seen *before* it.",
        lambda layers: _chain(layers, lambda r, k, s: (r - 1) * s + k),
    ),
    (
        "You multiply the side itself by the stride. A stride enlarges the steps of the layers "
        "that come later, not what has been seen so far.",
        lambda layers: _chain(layers, lambda r, k, s: (r + k - 1) * s),
        lambda layers: _chain(layers, lambda r, k, s: r * s + k - 1),
    ),
    (
        "Those are the products of the strides: how far apart neighbors are, not yet how much one "
        "of them sees.",
        lambda layers: _chain(layers, lambda r, k, s: r * s),
    ),
    (
        "Kernel and stride have changed places: each pair is (kernel, stride).",
        lambda layers: _fields_seen([(s, k) for k, s in layers]),
    ),
    (
        "That is what each layer adds. The field keeps what earlier layers saw.",
        lambda layers: np.diff(_fields_seen(layers), prepend=1),
    ),
    (
        "You begin with the last layer; the list begins at the image.",
        lambda layers: _fields_seen(layers[::-1]),
    ),
    (
        "The sides are right, but the last layer comes first.",
        lambda layers: _fields_seen(layers)[::-1],
    ),
    (
        "You add as many neighbors on the left as on the right. A window of even size has one "
        "less on one side: how many are new in all?",
        lambda layers: _grow(layers, lambda k, s, jump: 2 * (k // 2) * jump),
    ),
    (
        "You add the neighbors on one side only; a window reaches out to both.",
        lambda layers: _grow(layers, lambda k, s, jump: k // 2 * jump),
    ),
    (
        "The sides stand one place too late, and the last is missing: you note the side *before* "
        "a layer has been added.",
        lambda layers: [1, *_fields_seen(layers)[:-1]],
    ),
    (
        "The 1 of the image itself stands first. Give one side for each layer, after it.",
        lambda layers: [1, *_fields_seen(layers)],
    ),
    (
        "That is the side after the last layer only. Collect one for each layer.",
        lambda layers: _fields_seen(layers)[-1],
        lambda layers: _fields_seen(layers)[-1:],
    ),
    (
        "The list ends after the first layer. Does the `return` stand inside the loop?",
        lambda layers: _fields_seen(layers)[:1],
    ),
    (
        "That is the side after the first layer. Does the `return` stand inside the loop?",
        lambda layers: _fields_seen(layers)[0],
    ),
    (
        "That is the number of pixels in the field. The side of the square is asked for.",
        lambda layers: np.square(_fields_seen(layers)),
    ),
]


def _explain_field(case, array, right):
    (layers,) = case
    if array.shape != right.shape:
        return f"For these {len(layers)} layers give a list with one side for each: `{layers}`."
    place = int(np.argmax(array != right))
    kernel, stride = layers[place]
    first = (
        f"The layers are `{layers}`. The first wrong side is that of layer {place + 1} (kernel "
        f"{kernel}, stride {stride})."
    )
    if place == 0:
        return f"{first} One of its outputs looks at {kernel} pixels of the image in a row."
    before = "stride of the layer" if place == 1 else f"strides of the {place} layers"
    return (
        f"{first} One of its outputs looks at {kernel} neighbors on the map below; how many pixels "
        f"of the image lie from one neighbor to the next, given the {before} before it?"
    )


# --- the gradient --------------------------------------------------------------------------------


@lab.check("the gradient of max pooling")
def max_pool_gradient(answer):
    random = np.random.default_rng(5)

    def distinct(h, w, shift=0):
        return random.permutation(h * w).reshape(h, w) - shift

    first = np.array([[1, 2, 5, 7], [3, 8, 6, 4], [13, 9, 10, 14], [11, 12, 16, 15]])
    cases = [
        (first, np.array([[1, 2], [3, 4]]), 2),
        (distinct(4, 6), random.normal(size=(2, 3)), 2),
        (distinct(6, 9, 30.5), random.normal(size=(2, 3)), 3),
        (distinct(8, 4, 40.5), random.normal(size=(4, 2)), 2),
        (distinct(4, 8, 0.5), random.normal(size=(1, 2)), 4),
        (np.array([[1.0, 9.0, 9.0, 2.0], [3.0, 4.0, 5.0, 6.0]]), np.array([[-1.5, 2.5]]), 2),
        (np.array([[9.0, 4.0], [1.0, 3.0], [5.0, 9.0], [6.0, 2.0]]), np.array([[2.0], [0.5]]), 2),
    ]
    results = [attempt(answer, case) for case in cases]
    rights = [_by_differences(*case) for case in cases]
    rest = _negative_window(cases, results, rights)
    judge(
        cases,
        results,
        rights,
        _GRADIENT_MISTAKES,
        _explain_gradient,
        [*_GRADIENT_ERRORS, *_ERRORS],
        rest,
    )
    _check_ties(answer)
    return (
        "Where a window has one largest pixel, it agrees with what a small nudge of each pixel "
        "does to the pooled map. Where several share the largest value, what they get adds up to "
        "the whole."
    )


def _negative_window(cases, results, rights):
    """Return what to say if only images with a window of negative pixels come out wrong."""
    windows = []
    for (image, _, size), result, right in zip(cases, results, rights, strict=True):
        if not _agree([result], [right]):
            places = np.argwhere(_pool(image, size, size, np.max) < 0)
            if not places.size:
                return None
            windows.append(_windows(image, size, size)[tuple(places[0])].tolist())
    if not windows:
        return None
    return (
        f"In this image all pixels of the window `{windows[0]}` are negative, and one of them is "
        "the largest. Does your search for it begin at a number that none exceeds, such as 0? (The "
        "images that were tried without such a window come out right.)"
    )


def _by_differences(image, upstream, size):
    """Return the gradient from central differences of Keras's max pooling.

    The nudge of 1/4 is exact: pixels of one window differ by more.
    """
    from keras import ops

    def pooled(images):
        images = images[..., None].astype("float32")
        result = ops.max_pool(images, size, size, "valid", data_format="channels_last")
        return ops.convert_to_numpy(result)[..., 0]

    nudges = np.eye(image.size).reshape(image.size, *image.shape) / 4
    slopes = (pooled(image + nudges) - pooled(image - nudges)) * 2
    return np.sum(slopes * upstream, axis=(1, 2)).reshape(image.shape)


def _check_ties(answer):
    """Fail unless pixels that share the largest value of a window get its gradient between them.

    One may have it all or each a part: whatever adds up to the whole is a subgradient.
    """
    image = np.array([[7.0, 7.0, 0.0, 0.0, 1.0, 3.0], [3.0, 7.0, 0.0, 0.0, 2.0, 0.0]])
    upstream, size = np.array([[6.0, 2.0, 5.0]]), 2
    result = call(answer, image, upstream, size)
    gradient = result.array(shape=image.shape).astype(float)
    tied = image == _enlarge(_pool(image, size, size, np.max), size)
    sums = _pool(gradient, size, size, np.sum)
    versus = result._versus(gradient, _place(image, upstream, size, _pixel))
    if same(gradient, tied * _enlarge(upstream, size)):
        raise CheckFailed(
            "Where several pixels of a window share its largest value, each of yours gets the "
            "whole gradient, so the window passes on more than came in. One of them gets it, as "
            f"below, or they share it.\n\n{versus}"
        )
    if not same(sums, upstream) or np.any(gradient[~tied]) or np.any(gradient < 0):
        raise CheckFailed(
            "Where several pixels of a window share its largest value, one of them gets the "
            "gradient, as below, or they share it: what a window passes on adds up to what came "
            f"in.\n\n{versus}"
        )


def _pixel(i, j, size, a, b):
    """Return the place in the image of the pixel (a, b) of the window (i, j)."""
    return i * size + a, j * size + b


def _enlarge(small, size):
    return np.kron(small, np.ones((size, size)))


def _mask(image, size, reduce=np.max):
    return image == _enlarge(_pool(image, size, size, reduce), size)


def _place(image, upstream, size, where, *, add=False, pick=np.argmax):
    """Put each upstream value at `where(i, j, size, a, b)`; (a, b) is the place in the window."""
    gradient = np.zeros(image.shape)
    for (i, j), value in np.ndenumerate(upstream):
        window = image[i * size : (i + 1) * size, j * size : (j + 1) * size]
        place = tuple(where(i, j, size, *divmod(int(pick(window)), size)))
        if any(not 0 <= index < side for index, side in zip(place, image.shape, strict=True)):
            return None
        gradient[place] = value + add * gradient[place]
    return gradient


def _by_value(image, upstream, size, *, add=False, only_first=False):
    """Return what comes of looking in the whole image for the largest value of each window."""
    gradient = np.zeros(image.shape)
    for (i, j), value in np.ndenumerate(upstream):
        window = image[i * size : (i + 1) * size, j * size : (j + 1) * size]
        found = np.argwhere(image == window.max())
        for place in map(tuple, found[:1] if only_first else found):
            gradient[place] = value + add * gradient[place]
    return gradient


def _only_largest(image, values, *, ties=True):
    """Keep the values at the largest pixel of the whole image."""
    mask = image == image.max()
    if not ties:
        mask = np.arange(image.size).reshape(image.shape) == np.argmax(image)
    return mask * values


_NO_PIXEL_VALUE = (
    "The values of the pixels appear in your gradient. They decide *where* the gradient goes, not "
    "how large it is: nudge the largest pixel, and the maximum moves by just as much."
)
_FLAT = (
    "You use the number that `np.argmax` gives as a place in the flattened *image*; it counts the "
    "pixels of the flattened *window*."
)

_GRADIENT_MISTAKES = [
    (
        "You share each value among all pixels of its window: that is the gradient of *average* "
        "pooling. Which pixels of a window change its maximum when they are nudged?",
        lambda x, u, n: _enlarge(u, n) / n**2,
    ),
    (
        "Every pixel of a window gets the whole value. Nudge one of the smaller pixels: does the "
        "maximum change?",
        lambda x, u, n: _enlarge(u, n),
    ),
    (
        "The places are right, but each has a 1. That is how the maximum follows its pixel; the "
        "chain rule multiplies it by what arrives from above.",
        lambda x, u, n: _mask(x, n),
    ),
    (f"{_NO_PIXEL_VALUE} The upstream values have no effect.", lambda x, u, n: x * _mask(x, n)),
    (_NO_PIXEL_VALUE, lambda x, u, n: x * _mask(x, n) * _enlarge(u, n)),
    (
        f"{_NO_PIXEL_VALUE} And which pixels of a window change its maximum at all?",
        lambda x, u, n: x * _enlarge(u, n),
        lambda x, u, n: _enlarge(_pool(x, n, n, np.max) * u, n),
    ),
    (
        "That is the pooled map, enlarged. The gradient holds the upstream values.",
        lambda x, u, n: _enlarge(_pool(x, n, n, np.max), n),
    ),
    (
        "The gradient is at the right pixels but divided by their number in a window. Nothing is "
        "shared here: the maximum moves by as much as its pixel.",
        lambda x, u, n: _mask(x, n) * _enlarge(u, n) / n**2,
    ),
    (
        "The sign is wrong: a larger pixel makes a larger maximum. (The minus belongs to the step "
        "of gradient descent.)",
        lambda x, u, n: _mask(x, n) * _enlarge(-u, n),
    ),
    (
        "You pass the gradient on wherever the pixel is positive: that is a ReLU.",
        lambda x, u, n: (x > 0) * _enlarge(u, n),
    ),
    (
        "The gradient goes to the *smallest* pixel of each window.",
        lambda x, u, n: _mask(x, n, np.min) * _enlarge(u, n),
    ),
    (
        "You look for the largest pixel without its sign; -5 is less than 1.",
        lambda x, u, n: _place(x, u, n, _pixel, pick=lambda window: np.argmax(np.abs(window))),
    ),
    (
        "Only the largest pixel of the whole image gets something. Each *window* has a largest "
        "pixel of its own, and each upstream value goes to one of them.",
        *(
            lambda x, u, n, value=value, ties=ties: _only_largest(x, value(u, n), ties=ties)
            for value in (_enlarge, lambda u, n: u[-1, -1], lambda u, n: u.sum(), lambda u, n: 1.0)
            for ties in (True, False)
        ),
    ),
    (
        "You wrote everything into the first window: the place of the largest pixel is counted "
        "from the corner of its own window. Add the corner of the window.",
        lambda x, u, n: _place(x, u, n, lambda i, j, n, a, b: (a, b)),
        lambda x, u, n: _place(x, u, n, lambda i, j, n, a, b: (a, b), add=True),
    ),
    (
        "You add the corner of the window to the row or to the column; both need it.",
        lambda x, u, n: _place(x, u, n, lambda i, j, n, a, b: (i * n + a, b)),
        lambda x, u, n: _place(x, u, n, lambda i, j, n, a, b: (a, j * n + b)),
    ),
    (
        f"{_FLAT} And its window begins elsewhere.",
        lambda x, u, n: _place(x, u, n, lambda i, j, n, a, b: divmod(a * n + b, x.shape[1])),
        lambda x, u, n: _place(
            x, u, n, lambda i, j, n, a, b: divmod(a * n + b, x.shape[1]), add=True
        ),
    ),
    (
        "Only the first windows get their gradient. Does the `return` stand inside a loop?",
        lambda x, u, n: _mask(x, n) * _enlarge(_first_only(u, (slice(1), slice(1))), n),
        lambda x, u, n: _mask(x, n) * _enlarge(_first_only(u, slice(1)), n),
    ),
    (
        "Row and column have changed places inside each window.",
        lambda x, u, n: _place(x, u, n, lambda i, j, n, a, b: (i * n + b, j * n + a)),
    ),
    (
        "Row and column of the *windows* have changed places.",
        lambda x, u, n: _place(x, u, n, lambda i, j, n, a, b: (j * n + a, i * n + b)),
    ),
    (
        "What `np.argmax` gives for a window counts the pixels of the *window*, row by row; you "
        "turn it into row and column as if it counted those of the whole image.",
        lambda x, u, n: _place(
            x, u, n, lambda i, j, n, a, b: np.add((i * n, j * n), divmod(a * n + b, x.shape[1]))
        ),
    ),
    (
        "`size` has no effect: your windows are always 2 x 2.",
        lambda x, u, n: _place(x, u, 2, _pixel),
    ),
    (
        "The window `[i, j]` doesn't begin at the pixel `[i, j]`: windows lie side by side, so "
        "how far apart do they begin?",
        lambda x, u, n: _place(x, u, n, lambda i, j, n, a, b: (i + a, j + b)),
        lambda x, u, n: _place(x, u, n, lambda i, j, n, a, b: (i + a, j + b), add=True),
    ),
    (
        "Every gradient goes to the top left pixel of its window, wherever the largest one is.",
        lambda x, u, n: _place(x, u, n, lambda i, j, n, a, b: (i * n, j * n)),
    ),
    (
        "The places are right, but windows get each other's values: row and column of `upstream` "
        "have changed places.",
        lambda x, u, n: _mask(x, n) * _enlarge(u.T, n) if len(set(u.shape)) == 1 else None,
        lambda x, u, n: _mask(x, n) * _enlarge(u.T.reshape(u.shape), n),
    ),
    (
        "Every window gets the same number; each has an upstream value of its own.",
        lambda x, u, n: _mask(x, n) * u[0, 0],
        lambda x, u, n: _mask(x, n) * u[-1, -1],
        lambda x, u, n: _mask(x, n) * u.sum(),
        lambda x, u, n: _mask(x, n) * u.mean(),
    ),
    (
        "Two windows here have the same largest value, and you look for that value in the whole "
        "image. Look only inside the window.",
        lambda x, u, n: _by_value(x, u, n),
        lambda x, u, n: _by_value(x, u, n, add=True),
        lambda x, u, n: _by_value(x, u, n, only_first=True),
        lambda x, u, n: _by_value(x, u, n, only_first=True, add=True),
    ),
    (
        "Your gradient holds whole numbers, so fractions were cut off: an array made in the type "
        "of the image can't hold them. `np.zeros(shape)` makes an array of floats.",
        lambda x, u, n: (_mask(x, n) * _enlarge(u, n)).astype(x.dtype),
        lambda x, u, n: (_mask(x, n) * _enlarge(u, n)).astype(int),
    ),
    (
        "Your gradient lies on its side: it has the rows and the columns of the image.",
        lambda x, u, n: (_mask(x, n) * _enlarge(u, n)).T,
    ),
    (
        "Your gradient has the shape of the pooled map. It says how much each *pixel of the image* "
        "matters, so it has the shape of the image.",
        lambda x, u, n: u.shape,
    ),
]

_GRADIENT_ERRORS = [
    (
        "out of bounds",
        "`upstream` has one number for each *window*, and here the shape {1.shape}; the image has "
        "the shape {0.shape}. And `np.argmax` of a window is *one* number that counts the pixels "
        "of the window, row by row.",
    ),
]


def _explain_gradient(case, array, right):
    image, upstream, size = case
    if array.shape != right.shape:
        return "The gradient with respect to the image has the shape of the image."
    r, c = np.unravel_index(np.argmax(np.abs(array - right)), right.shape)
    i, j = r // size, c // size
    window = image[i * size : (i + 1) * size, j * size : (j + 1) * size]
    a, b = np.unravel_index(np.argmax(window), window.shape)
    return (
        f"The window of `upstream[{i}, {j}]` has its largest pixel at `[{i * size + a}, "
        f"{j * size + b}]` of the image: {upstream[i, j]:.4g} belongs there, and 0 at its other "
        "pixels. `upstream` has one number for each *window*."
    )


# --- predictions and a puzzle --------------------------------------------------------------------


@lab.check("which network is the steadiest")
def steadiest(steadiest, curves):
    """Compare a predicted name with accuracies, {name: (seeds, displacements from 0 on)}."""
    name = _choose(steadiest, curves, "The prediction")
    shapes = {np.shape(curve) for curve in curves.values()}
    if len(shapes) > 1 or (0,) in shapes:
        raise CheckFailed(
            "The experiment was stopped before its end: some networks have no accuracies, or fewer "
            "than others. Run its cell again, to the end, and then this one."
        )
    curves = {key: np.asarray(curve, dtype=float) for key, curve in curves.items()}
    still = {key: float(curve[:, 0].mean()) for key, curve in curves.items()}
    moved = {key: float(curve[:, 1:].mean()) for key, curve in curves.items()}
    best = max(moved, key=moved.get)

    def figures(key):
        return (
            f"`{key}` is right for {100 * still[key]:.1f} % of the digits that have not moved and, "
            f"on average over the displacements, for {100 * moved[key]:.1f} % of those that have"
        )

    if moved[name] == moved[best]:
        lowest = min(moved, key=moved.get)
        return f"{figures(name)}. The least steady, `{lowest}`, keeps {100 * moved[lowest]:.1f} %."
    if still[name] - moved[name] < still[best] - moved[best]:
        why = (
            "Yours loses less of what it starts with, but it starts lower; the steadiest here is "
            "the one that is right most often when the digits have moved."
        )
    else:
        why = (
            "Yours loses more on the way. Think of what reaches its last layer when the digit "
            "moves: the same numbers, nearly the same, or the same numbers at other inputs?"
        )
    raise CheckFailed(f"{figures(name)}; {figures(best)}. {why}")


_EQUAL = 2e-6  # numbers closer than this count as equal: float32 and arithmetic round


@lab.check("an image with the same pooled map")
def twin(twin, image):
    image = np.asarray(image, dtype=float)
    array = to_numpy(twin)
    if array is None or array.dtype.kind not in "biuf":
        raise CheckFailed(f"An image is expected, an array of numbers; this is {describe(twin)}.")
    pooled = _pool(image, 2, 2, np.max)
    if array.shape != image.shape:
        if array.shape == pooled.shape:
            raise CheckFailed(
                f"Your twin has the shape of the pooled map, {array.shape}. It should be an image "
                f"of {image.shape}, from which pooling makes that map."
            )
        raise CheckFailed(
            f"Your twin has the shape {array.shape}; the image has {image.shape}, and so should "
            "its twin."
        )
    array = array.astype(float)
    if np.any(np.isnan(array)):
        raise CheckFailed("There is NaN in your twin. Every pixel is a number from 0 to 1.")
    if array.min() < -_EQUAL or array.max() > 1 + _EQUAL:
        raise CheckFailed(
            f"The pixels of your twin go from {array.min():.7g} to {array.max():.7g}; those of an "
            "image here stay between 0 and 1."
        )
    changed = np.abs(array - image) > _EQUAL
    if not np.any(changed):
        raise CheckFailed(
            f"Your twin is the image itself: no pixel differs by more than {_EQUAL:f}. If you did "
            "change pixels: `twin = image` only gives the same array a second name, so the image "
            "has changed with it. Then run the cell that makes the image once more, and work on a "
            "copy."
        )
    _check_pooled_map(array, pooled, image)
    if changed.mean() < 0.5:
        raise CheckFailed(
            f"The pooled map is the same, but only {changed.sum()} of {changed.size} pixels differ "
            f"by more than {_EQUAL:f}; at least half of them should. How many pixels of a window "
            "may change without its maximum?"
        )
    return f"{100 * changed.mean():.0f} % of the pixels differ, and the pooled map is the same."


def _check_pooled_map(array, pooled, image):
    given = _pool(array, 2, 2, np.max)
    different = np.abs(given - pooled) > _EQUAL
    if not np.any(different):
        return
    doubled = [np.repeat(image[k::2], 2, axis=0) for k in (0, 1)]
    doubled += [np.repeat(image[:, k::2], 2, axis=1) for k in (0, 1)]
    if any(same(array, each) for each in doubled):
        raise CheckFailed(
            "Each window holds one of its rows or columns twice, and the other is lost. If you "
            "exchanged two slices of `twin`: they are no copies, so what is written into one is "
            "there when it is read. Read from `image`, write into `twin`."
        )
    i, j = map(int, np.argwhere(different)[0])
    facts = (
        f"The pooled maps differ in {different.sum()} of {different.size} windows. The first is "
        f"`[{i}, {j}]`, the rows {2 * i} and {2 * i + 1} and the columns {2 * j} and {2 * j + 1}: "
        f"its largest pixel is {pooled[i, j]:.7g} in the image, {given[i, j]:.7g} in your twin."
    )
    turns = pooled[:, ::-1], pooled[::-1], pooled[::-1, ::-1], pooled.T
    known = [
        (_pool(image, 2, 2, np.mean), "Your windows keep their *average*, not their maximum."),
        (_pool(image, 2, 2, np.min), "Your windows keep their *smallest* pixel."),
        *((turn, "Your map is mirrored or turned: windows must stay in place.") for turn in turns),
    ]
    for wrong, message in known:
        if same(given, wrong):
            raise CheckFailed(f"{message} {facts}")
    if same(np.sort(given, axis=None), np.sort(pooled, axis=None)):
        why = "The map has the right values in other places: pixels may move only in their window."
    elif np.all(given[different] < pooled[different]):
        why = "The largest value of a window must stay in it, at whichever of its pixels."
    elif np.all(given[different] > pooled[different]):
        why = "No pixel may grow beyond the largest value of its window."
    else:
        why = "Each window must keep its largest value: none above it, and one that reaches it."
    raise CheckFailed(f"{facts} {why}")


def _choose(answer, names, what):
    """Return the name that is meant, for common other names and any capitals and hyphens, too."""
    if isinstance(answer, str):
        short = " ".join(_OTHER_WORDS.get(word, word) for word in _plain(answer).split())
        short = short.removesuffix(" pooling").removesuffix(" convolution")
        for name in names:
            if _plain(name) in (short, f"{short} pooling", f"{short} convolution"):
                return name
    listed = ", ".join(f"`{name}`" for name in names)
    raise CheckFailed(f"{what} is {describe(answer)}; answer with one of these: {listed}.")


_OTHER_WORDS = {
    "avg": "average",
    "mean": "average",
    "maximum": "max",
    "gap": "global average",
    "none": "no",
}


def _plain(text):
    return " ".join(text.replace("-", " ").replace("_", " ").casefold().split())


# --- what the checks of functions share ----------------------------------------------------------


_ERRORS = [
    (
        "cannot be interpreted as an integer|slice indices must be|not float|only integers, slices",
        "A number of windows or an index must be a whole number. `/` gives a float, even where "
        "nothing is left over (4 / 2 is 2.0); `//` gives a whole number.",
    ),
    ("returned `None`", "`print` shows a value but gives nothing back."),
]
