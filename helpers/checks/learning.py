"""Checks of lab 02: a loss of one's own, gradient descent, overfitting, penalties and a search."""

import dataclasses
import difflib
import functools
import itertools
import re

import numpy as np

from .core import (
    _STILL_STUB,
    Answer,
    CheckFailed,
    Lab,
    NotAttempted,
    _has_stub,
    _is_blank,
    _quote,
    call,
    describe,
    slip,
    to_numpy,
)

lab = Lab("02 Training well")
reached = lab.reached
score_card = lab.score_card

TOLERANCE = 1e-5  # answers may be in float32

# --- a loss for storms ---

MISS = 4.0  # the weight of a storm that the forecast makes too weak, as in the lab

NOT_NUMPY = (
    "Keras can't differentiate NumPy (nor plain Python numbers): inside a loss, use the functions "
    "of `keras.ops` alone, and return what they give."
)
CUT_OFF = (
    "Keras does not see how the loss depends on `y_pred`. Use `y_pred` as it comes and the "
    "functions of `keras.ops` alone: NumPy, rounding, conversions and `stop_gradient` hide it."
)

# (pattern, advice): what in Python or Keras stops when a loss does not work on whole tensors.
_LOSS_ADVICE = [
    (
        r"ambiguous|as a Python `bool`|TracerBool",
        "A Python `if` (or `and`, `or`, `max`) asks one question, but each storm of the batch has "
        "its own answer. `ops.where` answers for all of them at once.",
    ),
    (
        r"Iterating over",
        "There is a loop over the batch. Write it for the whole tensor at once, with `keras.ops`.",
    ),
    (
        r"len is not well defined|'NoneType'",
        "While Keras prepares the training, the batch size is not known yet. Let `keras.ops.mean` "
        "count the samples for you.",
    ),
    (
        r"NonConcreteBoolean",
        "Picking out some samples, as in `d[d < 0]`, gives a tensor whose size is not known "
        "beforehand. Keep all samples and give each one its weight.",
    ),
    (
        r"dtype bool|Expected bool|BOOL|\bbool\b",
        "A comparison gives True and False. To calculate with it, choose between two numbers with "
        "`ops.where`, or turn it into numbers first: `ops.cast`.",
    ),
    (r"No gradients provided|does not require grad", CUT_OFF),
    (r"(?i)numpy|float\(\)|`float` function", NOT_NUMPY),
    (
        r"\bint(?:32|64)\b|\bInt\b|\bLong\b",
        "Whole numbers and floats don't mix here. Write the weights as floats, 4.0 and 1.0 (or "
        "`MISS`). The number of storms is a whole number too: let `keras.ops.mean` count them.",
    ),
]


@lab.check("a loss for storms")
def storm_loss(answer):
    rng = np.random.default_rng(0)
    small = np.array([3.0, 5.0, 2.0, 4.0, 1.0]), np.array([1.0, 6.0, 2.5, 3.5, 1.5])
    weak = rng.uniform(1, 6, size=7), rng.normal(3.0, 1.5, size=7)
    strong = rng.uniform(1, 6, size=(6, 1)), rng.normal(5.0, 1.5, size=(6, 1))
    for y_true, y_pred in [small, weak, strong]:
        value = _judge_storm_loss(answer, y_true, y_pred)
    _judge_storm_training(answer, value)
    several = " Yours gives one loss for each storm; Keras took their mean by itself."
    return (
        f"The values agree, and Keras trains with it.{several * (np.size(to_numpy(value)) > 1)} "
        "For storms of the strengths "
        f"{', '.join(f'{y:g}' for y in _STORMS)} the best single forecast is now "
        f"{_expectile(_STORMS):.1f}, not their mean {np.mean(_STORMS):.1f}: better too strong than "
        "too weak."
    )


def _judge_storm_loss(answer, y_true, y_pred):
    given = _call(_LOSS_ADVICE, _on_tensors(answer), y_true, y_pred)
    array = given.array()
    n = y_true.size
    d = (y_pred - y_true).ravel()
    if array.size == n:
        array, over = array.ravel(), lambda losses: losses
    elif array.size == 1:
        array, over = array.reshape(()), np.mean
    else:
        raise CheckFailed(
            f"{given.what} has the shape {array.shape}. For a batch of {n} storms, one number (the "
            f"mean) is expected, or one for each of the {n}."
        )
    Answer(array, given.what).equals(
        over(_weights(d) * d**2), tolerance=TOLERANCE, wrong=_storm_mistakes(d, over)
    )
    return given.value


def _weights(d):
    return np.where(d < 0, MISS, 1.0)


def _on_tensors(function):
    """Let a loss be called with arrays, which it sees as float32 tensors, as in a training."""
    if not callable(function):
        return function

    @functools.wraps(function)
    def on_tensors(*arrays):
        import keras

        return function(*(keras.ops.convert_to_tensor(a.astype("float32")) for a in arrays))

    return on_tensors


def _storm_mistakes(d, over):
    """Return (value, message) pairs; `over` is the mean, or nothing for one loss per sample."""
    miss, w, square = d < 0, _weights(d), d**2
    missed_only = np.where(miss, square, 0)
    missed_alone = (
        "Only the missed storms count in your loss. Where the forecast is too strong, the squared "
        "error counts too, once."
    )
    too_early = (
        "You took the mean too early. Each storm's own squared error meets its own weight; the "
        "mean comes last."
    )
    pairs = [
        (
            over(np.where(d > 0, MISS, 1.0) * square),
            "The larger weight falls on the wrong side, on storms that were forecast too *strong*. "
            "A storm is missed where the forecast is the smaller of the two. (Keras passes the "
            "truth first, then the forecast.)",
        ),
        (
            over((w * d) ** 2),
            "The weight got squared too, so a miss counts 16 times. Square the error first; then "
            "multiply by the weight.",
        ),
        (over(w * np.abs(d)), "The weights are right, but the error is not squared."),
        (over(w * d), "The error is not squared, so errors of opposite signs cancel."),
        (
            over(square + MISS * miss),
            "You add the weight, so every miss costs 4 more, a tiny one as much as a huge one. "
            "*Multiply* the squared error by it.",
        ),
        (
            over((1 + MISS * miss) * square),
            "A miss counts 5 times: you add 4 squares to the one that is there already.",
        ),
        *(
            (
                over(np.where(miss, weight, 1.0) * square),
                f"A miss counts {weight:g} times here, not 4 times. If you changed `MISS` to see "
                "what happens: this check wants it to be 4.",
            )
            for weight in (2.0, 10.0)
        ),
        (
            over(square),
            "This is the plain mean squared error: on this batch no storm gets a larger weight. "
            "Where the forecast of a storm is too weak, its own squared error counts 4 times.",
        ),
        (
            over(MISS * square),
            "On this batch every error counts 4 times, also where the forecast is too strong. The "
            "weight must be chosen for each storm on its own.",
        ),
        (over(MISS * missed_only), missed_alone),
        (over(missed_only), "Only the missed storms count in your loss, and without their weight."),
        (
            over(w * square) / MISS,
            "Your loss is 4 times too small: a miss should count 4 times, any other error once, "
            "not a quarter.",
        ),
        (over(w * square) / 2, "Your loss is half of what is asked: there is no 1/2 here."),
        (-over(w * square), "The sign is wrong: a loss is small where the forecast is good."),
        (over(w), "This is the weight alone. Multiply it by the squared error."),
        (w * square.mean(), too_early),
    ]
    if over is np.mean:
        pairs += [
            (np.sum(w * square), "You add up the batch: take the mean."),
            (np.sum(square), "You add up the batch: take the mean. And no weight is used."),
            (w.mean() * square.mean(), too_early),
            (
                np.sum(w * square) / np.sum(w),
                "You divided by the sum of the weights. The mean divides by the number of storms.",
            ),
            (np.sqrt(np.mean(w * square)), "This is the square root of the loss: leave it out."),
            (
                np.mean(w * d) ** 2,
                "You took the mean before the square, so errors of opposite signs cancel.",
            ),
        ]
        if 0 < miss.sum() < miss.size:
            means = square[miss].mean(), square[~miss].mean()
            pairs += [
                (MISS * means[0], missed_alone),
                (
                    MISS * means[0] + means[1],
                    "You add two means, each over one side. Take *one* mean, over all storms.",
                ),
            ]
    return pairs


_STORMS = np.array([1.0, 2, 3, 6, 9, 2.5, 4, 4.5])


def _expectile(y):
    """Return the one forecast for all of `y` that has the smallest loss."""
    forecast = np.mean(y)
    for _ in range(50):
        forecast = np.average(y, weights=_weights(forecast - y))
    return forecast


def _judge_storm_training(answer, value):
    """Fail unless a one-weight model that Keras trains with the loss ends at the best forecast."""
    import keras

    if not keras.ops.is_tensor(value):
        raise CheckFailed(
            f"The values are right, but what comes back is of type `{type(value).__name__}`, not a "
            f"tensor. {NOT_NUMPY}"
        )
    # Named, and begun at zero: so neither Keras's numbering of layers nor its random numbers
    # change for the rest of the lab.
    weight = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros", name="forecast")
    model = keras.Sequential([keras.Input((1,), name="one"), weight], name="one_weight")
    model.compile(keras.optimizers.SGD(0.1), loss=answer)
    steps = 25
    y = np.tile(_STORMS.astype("float32"), steps)[:, None]
    try:
        model.fit(np.ones_like(y), y, batch_size=len(_STORMS), shuffle=False, verbose=0)
    except Exception as problem:
        raise CheckFailed(
            _with_advice(
                "The values are right, but Keras can't train a network with this loss. "
                f"{_quote(problem)}",
                _LOSS_ADVICE,
            )
        ) from None
    end, best = float(np.ravel(model.get_weights()[0])[0]), _expectile(_STORMS)
    if not abs(end - best) < 0.02:
        raise CheckFailed(
            f"The values are right, but a training with this loss ends at the forecast {end:.4g}, "
            f"not at {best:.4g}, where the loss is smallest. {CUT_OFF}"
        )


def _with_advice(message, advices):
    """Append to the message the advice of the first pattern that its error fits."""
    error, _, _ = str(message).partition("\n\n    line ")  # not the student's line
    if slip(error):
        return str(message)  # it is told already
    for pattern, advice in advices:
        if match := re.search(pattern, error):
            return f"{message}\n\n{match.expand(advice)}"
    return str(message)


def _call(advices, function, *arguments):
    """Call the student's function; where it stops, append the advice that fits its error."""
    try:
        return call(function, *arguments)
    except CheckFailed as failure:
        raise type(failure)(_with_advice(failure, advices)) from None


def _names(function):
    """Return the names that a function looks up outside itself, and those of attributes."""
    names, codes = set(), [getattr(function, "__code__", None)]
    for code in codes:
        names.update(getattr(code, "co_names", ()))
        codes.extend(getattr(code, "co_consts", ()))  # functions inside it
    return names


# --- gradient descent ---


def gradient_2d(w):
    w = np.asarray(w, dtype=float)
    return np.array([3 * w[0] + w[1] - 1, w[0] + 2 * w[1]])


def gradient_1d(w):
    return np.asarray(w, dtype=float) ** 3


def gradient_3d(w):
    w = np.asarray(w, dtype=float)
    return w + 0.5 * w[::-1] ** 2


_SLOPES = {
    gradient_2d: "Here `gradient_2d([a, b])` is [3 a + b - 1, a + 2 b].",
    gradient_1d: "Here `gradient_1d(w)` is w to the power of 3.",
    gradient_3d: "Here `gradient_3d([a, b, c])` is [a + c^2 / 2, b + b^2 / 2, c + a^2 / 2].",
}

# The numbers of rows that mistakes give (steps, steps + 1, steps + 2) differ from the numbers of
# columns, so that a path on its side is seen.
_WALKS = [
    (gradient_2d, np.array([2.0, 1.0]), 0.2, 4),
    (gradient_1d, np.array([1.5]), 0.05, 6),
    (gradient_3d, np.array([0.5, -1.0, 2.0]), 0.2, 1),
    (gradient_2d, np.array([-1.0, 3.0]), 0.3, 5),
]

UPHILL = (
    "You walk uphill. The gradient points to where the function grows fastest: go the other way. "
    "Look at the signs."
)
NO_RATE = "The learning rate is missing: the step is the gradient times the learning rate."
SAME_START = (
    "Every step begins at the start again. The next step must begin where the last one ended."
)
OLD_SLOPE = (
    "Every step uses the gradient at the start. Ask for the gradient again at the point where you "
    "are now."
)
UNIT_STEP = (
    "You divide the gradient by its length, so every step is equally long. Use it as it is: on a "
    "gentle slope the steps get shorter."
)
ONE_BY_ONE = (
    "The coordinates move one after the other, and the later ones see a gradient at a point that "
    "has moved already. Compute the whole gradient first; then move all coordinates at once."
)


@lab.check("gradient descent")
def descend(answer):
    for gradient, start, rate, steps in _WALKS:
        given = call(answer, gradient, start, rate, steps)
        right = _walk(gradient, start, steps, lambda w, v, g, r=rate: (w - r * g, v))
        # After one step many mistakes look the same.
        mistakes = _descent_mistakes(gradient, start, rate, steps, right) if steps > 1 else ()
        _judge_path(answer, given, right, gradient, mistakes)
    return "The start, then one point after each step, in one, two and three dimensions."


def _descent_mistakes(gradient, start, rate, steps, right):
    """Return (path, message) pairs."""
    first = gradient(start)

    def path(move):
        return _walk(gradient, start, steps, lambda w, v, g: (move(w, g), v))

    return [
        (path(lambda w, g: w + rate * g), UPHILL),
        (path(lambda w, g: w - g), NO_RATE),
        (path(lambda w, g: w - g / rate), _DIVIDED),
        (path(lambda w, g: w - rate * first), OLD_SLOPE),
        (path(lambda w, g: start - rate * g), SAME_START),
        (path(lambda w, g: start - rate * first), SAME_START),
        (path(lambda w, g: w - rate * g / np.linalg.norm(g)), UNIT_STEP),
        (path(lambda w, g: w - rate * np.sign(g)), UNIT_STEP),
        (path(_one_by_one(gradient, rate)), ONE_BY_ONE),
        (path(lambda w, g: -rate * g), _STEP_ONLY),
        (np.vstack([start, np.diff(right, axis=0)]), _STEPS_NOT_POINTS),
    ]


_DIVIDED = "You divide by the learning rate: multiply."
_STEP_ONLY = "The new point is the step alone. Add the step to the point where you were before it."
_STEPS_NOT_POINTS = "The rows hold the steps. They should hold the points that the steps lead to."


def _walk(gradient, start, steps, update, velocity=0.0):
    """Return the path (steps + 1, d) of a rule.

    `update` makes the next point and velocity of a point, a velocity and the gradient there.
    """
    w, v = start, velocity * np.ones_like(start)
    path = [w]
    with np.errstate(all="ignore"):
        for _ in range(steps):
            w, v = update(w, v, gradient(w))
            path.append(w)
    return np.array(path)


def _one_by_one(gradient, rate):
    def move(w, g):
        w = w.copy()
        for i in range(w.size):
            w[i] -= rate * gradient(w)[i]
        return w

    return move


def _judge_path(answer, given, right, gradient, mistakes):
    """Fail unless a path is right; say first what is wrong with its form."""
    try:
        _explain_rows(given, right)
        given.equals(right, tolerance=TOLERANCE, wrong=mistakes)
    except CheckFailed as failure:
        fixed = [name for name in _names(answer) if name.endswith("_gradient")]
        if fixed:
            failure = f"You call `{fixed[0]}`: call the parameter, `gradient`.\n\n{failure}"
        raise CheckFailed(f"{failure}\n\n{_SLOPES[gradient]}") from None


def _explain_rows(given, right):
    if isinstance(given.value, tuple) and to_numpy(given.value) is None:
        raise CheckFailed(
            f"{given.what} returned {len(given.value)} things. Return the path alone."
        )
    path = given.array()
    (n, d), steps = right.shape, len(right) - 1
    if path.shape == (d,) and path.shape != (n,):
        raise CheckFailed(
            f"{given.what} returned one point only. Return all of them: the start and the point "
            f"after each of the {steps} steps, {n} rows."
        )
    if path.shape == (d, n) and d != n:
        raise CheckFailed(
            f"The path lies on its side: its shape is {path.shape}. Each *row* is a point, so the "
            f"shape is {right.shape}."
        )
    if path.shape == (n, 2) and d != 2:
        raise CheckFailed(
            f"{given.what} has the shape {path.shape}; expected: {right.shape}. A point may have "
            "any number of coordinates, not only two: as many as the start."
        )
    if path.ndim != 2 or path.shape[1] != d:
        raise CheckFailed(
            f"{given.what} has the shape {path.shape}; expected: {right.shape}, a row for the "
            f"start and one after each of the {steps} steps."
        )
    if len(path) > 1:
        _explain_equal_rows(path, right)
    if len(path) != n:
        raise CheckFailed(f"{given.what} has {len(path)} rows, not {n}. {_count_rows(path, right)}")
    zeros = [i for i in range(n) if not path[i].any() and right[i].any()]
    if zeros in ([0], [steps]):
        raise CheckFailed(
            f"Row {zeros[0]} of the path is still zero. Row 0 is the start, and row {steps} is the "
            f"point after the last of the {steps} steps."
        )
    if not np.allclose(path[0], right[0]):
        raise CheckFailed(
            f"The path begins at {describe(path[0])}, but row 0 is the start: {describe(right[0])}."
        )


def _explain_equal_rows(path, right):
    """Fail where all points of a path, or all after the start, are one and the same."""
    if len(path) > 2 and np.allclose(path[1:], path[1]) and np.allclose(path[1], right[-1]):
        raise CheckFailed(f"Every row after the start is the same point, the last. {_SAME_ARRAY}")
    if not np.allclose(path, path[0]):
        return
    if np.allclose(path[0], right[0]):
        raise CheckFailed(
            "The point never moves: every row of the path is the start. Is the new point given to "
            "the variable that the next step begins with?"
        )
    if np.allclose(path[0], right[1]):
        raise CheckFailed(f"Every row of the path is the same point. {SAME_START}")
    raise CheckFailed(
        f"Every row of the path is the same point, though the steps were made. {_SAME_ARRAY}"
    )


_SAME_ARRAY = (
    "The list holds the *same array* many times: `w -= ...` (or `+=`) changes the array that is in "
    "the list already, `w = w - ...` makes a new one."
)


def _count_rows(path, right):
    """Say which rows are missing or too many."""

    def close(a, b):
        return a.shape == b.shape and np.allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE)

    if close(path, right[1:]) and close(path, right[:-1]):
        return f"The path holds the start and one point after each of the {len(right) - 1} steps."
    if close(path, right[1:]):
        return "The start is missing: it is row 0."
    if close(path, right[:-1]):
        return "The point after the last step is missing."
    if len(path) == len(right) + 1 and close(path[1:], right) and close(path[:1], right[:1]):
        return "The start is there twice."
    if len(path) == len(right) + 1 and close(path[:-1], right):
        return "It goes one step too far."
    return f"Row 0 is the start, then comes one row after each of the {len(right) - 1} steps."


# --- which learning rates diverge ---


@lab.check("which learning rates diverge")
def diverging(diverging, paths):
    rates = list(paths)
    ratios, jumps = {}, {}
    for rate, path in paths.items():
        path = np.asarray(path, dtype=float)
        with np.errstate(all="ignore"):
            ratio = np.linalg.norm(path[-1]) / np.linalg.norm(path[0])
        ratios[rate] = float(ratio) if np.isfinite(ratio) else np.inf
        # Along the steepest direction a jump over the valley floor changes the sign.
        jumps[rate] = bool(np.any(path[0] * path[1] < -1e-3 * path[0] ** 2))
    blow_up = {rate for rate in rates if ratios[rate] > 1 + 1e-9}
    named = _named_rates(diverging, rates)
    if named == blow_up:
        return "The measured paths agree: the steepest direction decides for all of them."
    if not named:
        raise CheckFailed(
            "You name none, but not every path stays near the minimum. Where a step jumps over "
            "the valley floor and lands *farther* away than it began, the next step is larger "
            f"still. {_FACTORS}"
        )
    if len(named) == len(rates):
        raise CheckFailed(
            "You name all of them, but there are paths that end nearer to the minimum than they "
            f"began. {_FACTORS}"
        )
    if named == set(rates) - blow_up:
        raise CheckFailed(
            "It is the other way round: you name the rates whose paths end *nearer* to the "
            "minimum. A path diverges where every step leads farther away."
        )
    for rate in rates:
        if rate in named - blow_up:
            raise CheckFailed(_why_it_converges(rate, ratios[rate], jumps[rate]))
    rate = min(blow_up - named)
    raise CheckFailed(
        f"With the learning rate {rate:g} the path ends {_times(ratios[rate])} as far from the "
        f"minimum as it began, and it is not in your list. {_FACTORS}"
    )


_FACTORS = (
    "Compute the factor 1 - 10 η, by which a step multiplies y, for each rate η: which of them "
    "are larger than 1 in size?"
)


def _named_rates(answer, rates):
    """Return the learning rates that an answer names, as a set."""
    if isinstance(answer, str | dict):
        raise CheckFailed(
            f"Answer with a list of numbers, such as `[{rates[0]:g}]`; this is {describe(answer)}."
        )
    try:
        values = list(answer)
    except TypeError:
        values = [answer]
    named = set()
    for value in values:
        number = to_numpy(value)
        if number is None or number.size != 1 or number.dtype.kind not in "iuf":
            raise CheckFailed(
                f"Answer with a list of numbers (without quotes); {describe(value)} is not a "
                "number."
            )
        fits = [rate for rate in rates if np.isclose(float(number.reshape(())), rate, rtol=1e-3)]
        if not fits:
            raise CheckFailed(
                f"{describe(value)} is not one of the learning rates: "
                f"{', '.join(f'{rate:g}' for rate in rates)}."
            )
        named.add(fits[0])
    return named


def _why_it_converges(rate, ratio, jumps):
    measured = (
        f"With the learning rate {rate:g} the path does not diverge: at its end it is "
        f"{_times(ratio)} as far from the minimum as at its start."
    )
    if jumps:
        return (
            f"{measured} It does jump from one side of the valley to the other, but each jump "
            "lands nearer. Jumps alone are no divergence."
        )
    return f"{measured} It may be slow, but it goes the right way: slow is not divergence."


def _times(ratio):
    return f"{ratio:.2g} times" if ratio < 1e6 else "more than a million times"


# --- momentum ---


@lab.check("gradient descent with momentum")
def descend_with_momentum(answer):
    momenta = [0.9, 0.6, 0.9, 0.0]
    for (gradient, start, rate, steps), momentum in zip(_WALKS, momenta, strict=True):
        given = call(answer, gradient, start, rate, momentum, steps)
        right = _keras_momentum(gradient, start, rate, momentum, steps)
        # Without momentum, or after one step, many mistakes look the same or do no harm.
        tells = momentum > 0 and steps > 1
        mistakes = _momentum_mistakes(gradient, start, rate, momentum, steps) if tells else ()
        _judge_path(answer, given, right, gradient, mistakes)
    return "The path agrees with that of `keras.optimizers.SGD` with momentum."


def _keras_momentum(gradient, start, rate, momentum, steps):
    """Return the path of Keras's own optimizer."""
    import keras

    optimizer = keras.optimizers.SGD(rate, momentum=momentum)
    w = keras.Variable(start, dtype="float32", name="w")
    path = [start]
    for _ in range(steps):
        slope = gradient(keras.ops.convert_to_numpy(w))
        optimizer.apply([keras.ops.convert_to_tensor(slope.astype("float32"))], [w])
        path.append(np.array(keras.ops.convert_to_numpy(w), dtype=float))
    return np.array(path)


def _momentum_mistakes(gradient, start, rate, momentum, steps):
    """Return (path, message) pairs."""
    first = gradient(start)

    def right(v, g):
        return momentum * v - rate * g

    def path(velocity=right, move=lambda w, v, new, g: w + new, begin=0.0):
        """Walk by a rule for the new velocity and one for the new point."""

        def update(w, v, g):
            new = velocity(v, g)
            return move(w, v, new, g), new

        return _walk(gradient, start, steps, update, begin)

    def look_ahead(w, v, g):
        v = momentum * v - rate * gradient(w + momentum * v)
        return w + v, v

    pairs = [
        (path(lambda v, g: -rate * g), _NO_MEMORY),
        (path(lambda v, g: momentum * v + rate * g), UPHILL),
        (
            path(lambda v, g: momentum * v - (1 - momentum) * rate * g),
            "You weigh the gradient with (1 - momentum). Keras does not: the gradient counts in "
            "full, times the learning rate.",
        ),
        (
            path(lambda v, g: -momentum * v - rate * g),
            "The old velocity is turned round: it pulls back. It should carry on in its direction.",
        ),
        (
            path(move=lambda w, v, new, g: w + rate * new),
            "The learning rate is used twice, in the velocity and again in the step. Once is "
            "enough.",
        ),
        (path(lambda v, g: momentum * v - g), NO_RATE),
        (path(move=lambda w, v, new, g: w + momentum * new - rate * g), _NESTEROV),
        (_walk(gradient, start, steps, look_ahead), _NESTEROV),
        (
            path(begin=-rate * first),
            "The first step is too long: the velocity starts with a step in it already. It starts "
            "at zero.",
        ),
        (path(begin=first), "The velocity starts as the gradient. It starts at zero."),
        (path(begin=start), "The velocity starts as the point. It starts at zero."),
        (path(begin=1.0), "The velocity starts at one. It starts at zero: nothing moves yet."),
        (
            path(move=lambda w, v, new, g: w + v),
            "The first step leads nowhere: the point moves by the *old* velocity. Update the "
            "velocity first; then move by the new one.",
        ),
        (
            path(lambda v, g: momentum * (v - rate * g)),
            "The momentum multiplies the gradient too. It belongs to the old velocity only.",
        ),
        (path(lambda v, g: rate * v - momentum * g), "Momentum and rate have changed places."),
        (
            path(lambda v, g: v - rate * g),
            "The momentum is missing: nothing slows the velocity down. A part of the old velocity "
            "is kept, the rest is lost.",
        ),
        (
            path(lambda v, g: v + momentum * v - rate * g),
            "The old velocity counts twice: `v += ...` keeps all of it and adds a part again. "
            "Write `v = ...`.",
        ),
        (
            path(lambda v, g: (1 - momentum) * v - rate * g),
            "You keep the share (1 - momentum) of the old velocity: keep the share `momentum`.",
        ),
        (path(lambda v, g: momentum * v - rate * first), OLD_SLOPE),
        (path(move=lambda w, v, new, g: start + new), SAME_START),
        (path(move=lambda w, v, new, g: momentum * w + new), _POINT_SHRINKS),
        (path(move=lambda w, v, new, g: momentum * w - rate * g), _POINT_SHRINKS),
        (path(move=lambda w, v, new, g: new), _STEP_ONLY),
        # Here the velocity is the last step of plain descent, without what came before.
        (path(lambda v, g: -rate * g, lambda w, v, new, g: w + momentum * v + new), _SHORT_MEMORY),
        (np.vstack([start, np.diff(path(), axis=0)]), _STEPS_NOT_POINTS),
    ]
    if momentum != 0.9:  # the first walk has 0.9, so such a number shows later
        pairs.insert(0, (path(lambda v, g: 0.9 * v - rate * g), _FIXED))
    return pairs


_NO_MEMORY = (
    "The velocity is never kept, so this is gradient descent without momentum. The new velocity is "
    "made of the *old velocity* and the gradient."
)
_NESTEROV = (
    "This is Nesterov's momentum, which looks one step ahead. Here the point moves by the velocity "
    "itself, and the gradient is taken where the point is now."
)
_POINT_SHRINKS = "You multiply the *point* by the momentum. What is kept in part is the velocity."
_SHORT_MEMORY = (
    "The velocity remembers only the last gradient. It should remember all of them, each a little "
    "less than the one after it: build the new velocity from the whole old velocity."
)
_FIXED = "You use the momentum 0.9, whatever is passed in: use the argument `momentum`."


# --- reading learning curves ---

CLOSE = 0.06  # a figure does not tell losses apart that differ by less than this share


@lab.check("which network overfits")
def overfitting(overfits, stop_after, history_a, history_b):
    curves = {"A": _curves(history_a), "B": _curves(history_b)}
    rises = {name: val[-1] / val.min() - 1 for name, (_, val) in curves.items()}
    right = max(rises, key=rises.get)
    letter = _letter(overfits)
    if letter != right:
        ends = {name: loss[-1] for name, (loss, _) in curves.items()}
        above = f"a validation loss {_percent(rises[letter])} above its lowest"
        message = (
            f"Network {letter} ends with {above if rises[letter] else 'its lowest validation loss'}"
            ". Overfitting shows where the training loss goes on falling while the "
            "validation loss has turned and *rises*."
        )
        if rises[letter] > 0.03:
            message += " In the other network it rises more."
        if ends[letter] > ends[right]:
            message += (
                f" The higher *training* loss of {letter} is no sign of it: a network that learns "
                "its training data less well fits them less, not too much."
            )
        raise CheckFailed(message)
    return _judge_stop(stop_after, right, *curves[right])


def _curves(history):
    history = getattr(history, "history", history)
    return np.asarray(history["loss"], float), np.asarray(history["val_loss"], float)


def _letter(answer):
    word = answer.strip().upper() if isinstance(answer, str) else ""
    match = re.fullmatch(r"(?:THE )?(?:NETWORK |MODEL )?([AB])", word)
    if not match:
        raise CheckFailed(f'`overfits` is {describe(answer)}; answer "A" or "B".')
    return match[1]


def _judge_stop(stop_after, name, loss, val):
    epochs, lowest = len(val), int(np.argmin(val)) + 1
    number = to_numpy(stop_after)
    if number is None or number.size != 1 or number.dtype.kind not in "iuf" or number % 1 != 0:
        raise CheckFailed(f"`stop_after` is {describe(stop_after)}; one whole number is expected.")
    stop = int(number.reshape(()))
    if not 1 <= stop <= epochs:
        raise CheckFailed(
            f"`stop_after` is {stop}, but the training had {epochs} epochs, counted from 1."
        )
    above = val[stop - 1] / val[lowest - 1] - 1
    if above <= CLOSE:
        return (
            f"{name} overfits: stopped after epoch {stop}, it is within {_percent(CLOSE)} of its "
            "lowest validation loss."
        )
    measured = (
        f"{name} is the one that overfits. But after epoch {stop} its validation loss is "
        f"{_percent(above)} above its lowest."
    )
    if stop == epochs:
        why = (
            "That is the last epoch. The *training* loss may be lowest there, but the validation "
            "loss has risen since its lowest point."
        )
    elif stop == lowest - 1:
        why = (
            "It is one epoch early. Did you count from 0, as `np.argmin` does? Epochs are counted "
            "from 1 here."
        )
    elif stop < lowest and _crossing(loss, val) in (stop - 1, stop, stop + 1):
        why = (
            "About there the two curves cross. A gap between them alone is no reason to stop: the "
            "validation loss is still falling."
        )
    elif stop < lowest:
        why = "It is too early: the validation loss falls further."
    else:
        why = "It is too late: the validation loss has turned before."
    raise CheckFailed(f"{measured} {why}")


def _crossing(loss, val):
    """Return the first epoch (from 1) that ends with the validation loss above the training loss.

    None where it is so from the first epoch on, or never.
    """
    above = val > loss
    return int(np.argmax(above)) + 1 if above.any() and not above[0] else None


def _percent(share):
    return f"{100 * share:.0f} %" if share >= 0.01 else "less than 1 %"


# --- the L2 penalty ---


@lab.check("the L2 penalty")
def l2_penalty(answer):
    rng = np.random.default_rng(6)
    small = [
        np.array([[1.0, -2.0], [3.0, 0.0]]),
        np.array([[-1.0, 0.5, 2.0], [0.0, -3.0, 1.0]]),
        np.array([[0.5], [-1.5], [1.0]]),
    ]
    large = [rng.normal(size=shape) for shape in [(3, 4), (4, 2)]]
    for kernels, strength in [(small, 0.3), (large, 0.7)]:
        changed = []
        given = _call(_KERNEL_ADVICE, _watching(answer, changed), kernels, strength)
        what = f"`{getattr(answer, '__name__', 'l2_penalty')}(kernels, {strength})`"
        if changed:
            raise CheckFailed(
                f"{what} changes the kernels themselves, and the network still needs them. "
                "`w *= ...` changes an array in place; `... * w` makes a new one."
            )
        _judge_penalty(Answer(given.value, what), kernels, strength)
    return "The penalty agrees with `keras.regularizers.L2`, the gradients with finite differences."


_ROWS = (
    "The sum over one kernel is still an array. Python's `sum` adds only its rows (as `np.sum` "
    "does with `axis=0`). `np.sum(...)` without an axis adds all the numbers of a kernel."
)
_KERNEL_ADVICE = [
    (r"shapes \(\d+,\) \(\d+,\)", _ROWS),  # kernels have two axes, so one is added up already
    (  # NumPy's and Python's words for an attempt to calculate with the whole list at once
        r"'list'|inhomogeneous|broadcast|multiply sequence",
        "`kernels` is a list of arrays, and their shapes differ: take them one at a time.",
    ),
]


def _watching(function, changed):
    """Wrap a function of kernels; note in `changed` the kernels that it changes in place."""
    if not callable(function):
        return function

    @functools.wraps(function)
    def watched(kernels, strength):
        before = [kernel.copy() for kernel in kernels]
        result = function(kernels, strength)
        pairs = zip(before, kernels, strict=False)
        changed.extend(i for i, (a, b) in enumerate(pairs) if not np.array_equal(a, b))
        return result

    return watched


def _judge_penalty(given, kernels, strength):
    import keras

    if not isinstance(given.value, tuple | list) or len(given.value) != 2:
        raise CheckFailed(
            f"{given.what} is {describe(given.value)}. Two things are expected: the penalty, and "
            "the list of its gradients (`return a, b`)."
        )
    penalty, gradients = given.value
    if isinstance(penalty, list | tuple) and not isinstance(gradients, list | tuple):
        raise CheckFailed("They are in the wrong order: the penalty first, then the gradients.")
    regularizer = keras.regularizers.L2(strength)
    penalties = [regularizer(kernel.astype("float32")) for kernel in kernels]
    expected = round(sum(float(keras.ops.convert_to_numpy(p)) for p in penalties), 5)
    number = Answer(penalty, f"The penalty of {given.what}").array()
    number = number.reshape(()) if number.size == 1 else number
    Answer(number, f"The penalty of {given.what}").equals(
        np.asarray(expected), tolerance=TOLERANCE, wrong=_penalty_mistakes(kernels, strength)
    )
    _judge_penalty_gradients(gradients, kernels, strength)


def _penalty_mistakes(kernels, strength):
    squares = np.array([np.sum(kernel**2) for kernel in kernels])
    total = squares.sum()
    sizes = np.array([kernel.size for kernel in kernels])
    counts = sizes, [len(kernel) for kernel in kernels], [kernel.shape[-1] for kernel in kernels]
    sums = np.array([kernel.sum() for kernel in kernels])
    mean = "You took a mean. The penalty is the *sum* of all squared weights, times the strength."
    root = "This is the length of the weights: leave the square root out."
    pairs = [
        (strength * sum(np.abs(kernel).sum() for kernel in kernels), "This is L1: square instead."),
        (strength * total / 2, "Your penalty is half of Keras's: there is no 1/2 in it."),
        (total, "The strength is missing."),
        (strength**2 * total, "The strength is squared too: multiply by it after the square."),
        (-strength * total, "The sign is wrong: large weights must make the loss *larger*."),
        (strength * total / sizes.sum(), mean),
        *((strength * np.sum(squares / n) / m, mean) for n in counts for m in (1, len(kernels))),
        (strength * np.sum((sums / sizes) ** 2), mean),
        (strength * np.sqrt(total), root),
        (strength * np.sum(np.sqrt(squares)), root),
        (strength * sums.sum(), "The square is missing: weights of opposite signs cancel."),
        (strength * sums.sum() ** 2, "Square each weight first, then add; you add first."),
        (strength * np.sum(sums**2), "Square each weight first, then add; you add first."),
        (total + strength, "Multiply by the strength; you add it."),
        (2 * strength * total, "Your penalty is twice too large: the factor 2 is the gradient's."),
    ]
    one_only = "Only the {} kernel counts in your penalty. Add the sums of all kernels."
    pairs += [
        (strength * squares[-1], one_only.format("last")),
        (strength * squares[0], one_only.format("first")),
        (strength * squares, "One number is expected: add the penalties of the kernels."),
        (squares, "One number is expected: add the kernels, and multiply by the strength."),
        (
            strength * total / len(kernels),
            "You divided by the number of kernels. The penalty is a sum, not a mean.",
        ),
    ]
    return pairs


def _judge_penalty_gradients(gradients, kernels, strength):
    if to_numpy(gradients) is not None and not isinstance(gradients, list | tuple):
        shape = np.shape(to_numpy(gradients))
        if shape in ((), *(kernel.shape for kernel in kernels)):
            raise CheckFailed(
                f"The penalty is right. The gradients are one array of the shape {shape}; a *list* "
                f"is expected, with one array for each of the {len(kernels)} kernels."
            )
    try:
        gradients = list(gradients)
    except TypeError:
        raise CheckFailed(
            f"The penalty is right. The gradients are {describe(gradients)}; a list is expected, "
            "with one array for each kernel."
        ) from None
    if len(gradients) != len(kernels):
        raise CheckFailed(
            f"The penalty is right. There are {len(gradients)} gradients for {len(kernels)} "
            "kernels: each kernel needs its own."
        )
    for i, (gradient, w) in enumerate(zip(gradients, kernels, strict=True)):
        if gradient is None or gradient is Ellipsis:
            raise CheckFailed(f"The gradient of `kernels[{i}]` is `{gradient}`: no value yet.")
        right = _penalty_slopes(w, strength)
        norm = np.linalg.norm(w)
        Answer(gradient, f"The gradient of `kernels[{i}]` (the penalty is right)").equals(
            right,
            tolerance=TOLERANCE,
            wrong=[
                (strength * w, "The factor 2 is missing: what is the derivative of w^2?"),
                (2 * w, "The strength is missing in the gradient."),
                (w, "The strength and the factor 2 are missing: what is the derivative of w^2?"),
                (
                    -2 * strength * w,
                    "The sign is wrong. The gradient points to where the penalty grows; the minus "
                    "comes later, when the optimizer steps.",
                ),
                (strength * np.sign(w), "This is the gradient of L1: the derivative of |w|."),
                (2 * strength * w**2, "The derivative of w^2 has no square in it any more."),
                (strength * w**2, "These are the squares. How fast do they grow with w?"),
                (2 * strength * np.abs(w), "The sign of each weight is lost."),
                (2 * strength * w / w.size, "You took a mean. The penalty is a sum."),
                (strength * w / norm, "The gradient of the length of w, not of its square."),
                (2 * strength**2 * w, "The strength is used twice."),
                (w - 2 * strength * w, "These are weights after a step. Return the slope itself."),
                (
                    np.asarray(2 * strength * w.sum()),
                    "One number came back. Each weight has its own slope: the shape of the kernel.",
                ),
                (2 * strength * w.T, "The gradient is transposed: it has the shape of its kernel."),
            ],
        )


def _penalty_slopes(w, strength, step=1e-4):
    """Return the slope of the penalty along each weight, from a small step to either side."""
    slopes = np.zeros_like(w)
    for index in np.ndindex(w.shape):
        move = np.zeros_like(w)
        move[index] = step
        change = strength * np.sum((w + move) ** 2) - strength * np.sum((w - move) ** 2)
        slopes[index] = change / (2 * step)
    return slopes


# --- early stopping ---

# (patience, validation losses, training losses). Each mistake below ends differently on them.
_RUNS = [
    (2, [0.9, 0.7, 0.8, 0.6, 0.65, 0.7, 0.5, 0.4], [0.8, 0.85, 0.9, 0.7, 0.6, 0.5, 0.4, 0.3]),
    (3, [1.0, 0.5, 0.8, 0.7, 0.6, 0.55, 0.4], [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]),
    (1, [0.9, 0.8, 0.85, 0.1], [0.9, 0.7, 0.6, 0.5]),
    (2, [0.6, 0.5, 0.5, 0.5, 0.5, 0.5], [0.6, 0.5, 0.4, 0.3, 0.2, 0.1]),
    (3, [0.9, 0.6, 0.7, 0.65], [0.8, 0.6, 0.4, 0.5]),
    (5, [0.9, 0.8, 0.7, 0.6], [0.9, 0.8, 0.85, 0.7]),
    (
        4,
        [0.5, 0.6, 0.4, 0.45, 0.3, 0.35, 0.36, 0.37, 0.38, 0.2],
        [0.6, 0.5, 0.45, 0.4, 0.35, 0.3, 0.31, 0.32, 0.33, 0.1],
    ),
]


@lab.check("early stopping")
def early_stopping(answer):
    import keras

    if isinstance(answer, keras.callbacks.Callback):
        raise CheckFailed("Give the class itself to the check, `EarlyStopping`, without `(...)`.")
    if not isinstance(answer, type) or not issubclass(answer, keras.callbacks.Callback):
        raise CheckFailed(
            "A class is expected that is built on `keras.callbacks.Callback`; this is "
            f"{describe(answer)}."
        )
    if answer is keras.callbacks.EarlyStopping:
        raise CheckFailed("This is the callback of Keras. Write your own: it is short.")
    methods = {name: getattr(answer, name) for name in ("on_epoch_end", "on_train_end")}
    _require_methods(methods)
    try:
        return _judge_early_stopping(answer)
    except NotAttempted:
        raise
    except CheckFailed:
        if any(map(_has_stub, methods.values())):
            raise NotAttempted(_STILL_STUB) from None
        raise


def _require_methods(methods):
    missing = [name for name, method in methods.items() if _is_blank(method)]
    if missing:
        names = " and ".join(f"`{name}`" for name in missing)
        raise NotAttempted(
            f"There is no code yet in {names}. Replace the `...` with your code and run that cell; "
            "then run this cell again."
        )


def _judge_early_stopping(answer):
    model = _small_model()
    runs = [_drive(call(answer, run[0]).value, model, *run[1:]) for run in _RUNS]
    expected = [_drive(_keras_callback(run[0]), model, *run[1:]) for run in _RUNS]
    stops, right = [run.stop for run in runs], [run.stop for run in expected]
    if stops != right:
        place = _first_difference(stops, right)
        found = f"it stops after epoch {stops[place]}" if stops[place] else "it does not stop"
        wanted = f"after epoch {right[place]}" if right[place] else "not at all"
        raise CheckFailed(
            f"{_why_wrong_stop(stops, runs)}\n\nIn this training {found}; it should stop {wanted}."
            f"{_losses_of(_RUNS[place])}"
        )
    for run, losses in zip(runs, _RUNS, strict=True):
        if run.changed is not None and run.changed != run.stop:
            raise CheckFailed(
                f"It stops at the right epochs. But at the end of epoch {run.changed} the weights "
                "of the model change, in the middle of the training, which then goes on from old "
                "weights. Hand the best weights back at the *end* of the training only."
                f"{_losses_of(losses)}"
            )
    kept, right = [run.kept for run in runs], [run.kept for run in expected]
    if kept != right:
        place = _first_difference(kept, right)
        reason = f"It stops at the right epochs. {_why_wrong_weights(runs, right, runs[place])}"
        if not runs[place].failure:
            found = f"those of epoch {kept[place]}" if kept[place] else "those of no epoch"
            wanted = f"those of epoch {right[place]}"
            reason += f"\n\nAt the end the model has {found}; expected: {wanted}."
        raise CheckFailed(f"{reason}{_losses_of(_RUNS[place])}")
    return (
        f"It stops where `keras.callbacks.EarlyStopping` stops in all {len(_RUNS)} trainings, and "
        "the best weights are back at the end."
    )


def _first_difference(found, right):
    return next(i for i, (a, b) in enumerate(zip(found, right, strict=True)) if a != b)


def _small_model():
    """Return a model with three weights, to be given other weights in each epoch."""
    import keras

    layer = keras.layers.Dense(1, kernel_initializer="zeros", name="neuron")
    return keras.Sequential([keras.Input((2,), name="two"), layer], name="small")


def _keras_callback(patience):
    import keras

    return keras.callbacks.EarlyStopping(
        monitor="val_loss", mode="min", patience=patience, restore_best_weights=True
    )


def _weights_of(epoch):
    return [np.full((2, 1), epoch, "float32"), np.full((1,), -epoch, "float32")]


def _epoch_of(weights):
    """Return the epoch that weights come from, None if from none."""
    try:
        epoch = int(np.ravel(to_numpy(weights[0]))[0])
        same = all(
            np.array_equal(to_numpy(w), known)
            for w, known in zip(weights, _weights_of(epoch), strict=True)
        )
    except (TypeError, ValueError, IndexError, KeyError):
        return None
    return epoch if same else None


@dataclasses.dataclass
class _Run:
    """What a callback did in a training whose losses are known; epochs count from 1."""

    callback: object
    end: int = 0  # the last epoch
    stop: int | None = None  # the epoch after which it stopped the training
    changed: int | None = None  # the first epoch at whose end it changed the weights
    kept: int | None = None  # the epoch whose weights the model has at the end
    failure: CheckFailed | None = None  # an error in `on_train_end`


def _drive(callback, model, val_losses, losses):
    """Lead a callback through a training and return its `_Run`."""
    run = _Run(callback)
    model.stop_training = False
    callback.set_params({"epochs": len(losses), "verbose": 0})
    callback.set_model(model)
    _do(callback.on_train_begin, {})
    for epoch, (loss, val_loss) in enumerate(zip(losses, val_losses, strict=True)):
        model.set_weights(_weights_of(epoch + 1))
        _do(callback.on_epoch_end, epoch, {"loss": loss, "val_loss": val_loss})
        run.end = epoch + 1
        if run.changed is None and _epoch_of(model.get_weights()) != run.end:
            run.changed = run.end
        if model.stop_training:
            run.stop = run.end
            break
    try:
        _do(callback.on_train_end, {})
        run.kept = _epoch_of(model.get_weights())
    except CheckFailed as failure:
        run.failure = failure  # told later: a mistake before it may be the cause
    return run


def _do(method, *arguments):
    """Call a method that need not return anything."""

    @functools.wraps(method)
    def done(*arguments):
        method(*arguments)
        return True

    _call(_CALLBACK_ADVICE, done, *arguments)


_CALLBACK_ADVICE = [
    (
        r"(?:name|variable|no attribute) '(?:val_)?loss'",
        'The validation loss is an entry of the dictionary `logs`: `logs["val_loss"]`.',
    ),
    (
        r"(?:name|variable) '(best_loss|best_weights|waited|patience|model)'",
        r"It is stored on the object: `self.\1`.",
    ),
    (
        r"'(?:float|int)\w*' has no len",
        "`set_weights` takes the weights as `self.model.get_weights()` gave them, not a number.",
    ),
]


def _stop_epoch(
    losses,
    patience,
    *,
    better=lambda loss, best, last: loss < best,
    resets=True,
    late=0,
    starts_at=0,
    checks_first=False,
    counts_better=False,
):
    """Return the epoch (from 1) after which a rule with the given mistakes stops, or None."""
    best = last = np.inf
    waited = 0
    for epoch, loss in enumerate(losses, start=1):
        enough = waited >= patience  # before this epoch is counted
        if better(loss, best, last) == counts_better:
            waited += 1
        elif resets:
            waited = starts_at
        if not checks_first:
            enough = 0 < waited >= patience + late
        if enough:
            return epoch
        best, last = min(best, loss), loss
    return None


_STOP_MISTAKES = [
    ({"late": 1}, "It stops one epoch too late: stop as soon as `waited` *reaches* the patience."),
    (
        {"checks_first": True},
        "It stops one epoch too late: count the epoch first, then compare with the patience.",
    ),
    (
        {"starts_at": 1},
        "It stops one epoch too early. An epoch that brings a new best has waited 0; the first one "
        "after it that brings none has waited 1.",
    ),
    ({"late": -1}, "It stops one epoch too early: wait for as many epochs as the patience says."),
    (
        {"resets": False},
        "It counts all epochs without a new best, also those before the last improvement. After a "
        "new best the waiting begins again.",
    ),
    (
        {"better": lambda loss, best, last: loss < last},
        "It compares each epoch with the epoch before it. Compare with the *best* so far: after a "
        "bad epoch, a slightly less bad one is no improvement.",
    ),
    (
        {"better": lambda loss, best, last: loss <= best},
        "A loss that is only *equal* to the best counts as an improvement. It must be lower.",
    ),
    (
        {"better": lambda loss, best, last: False},
        "It stops after as many epochs as the patience says, whatever the losses. A *lower* loss "
        "is better (so the first one beats infinity), and only the epochs since the best one are "
        "counted.",
    ),
    (
        {"counts_better": True},
        "It counts the epochs that *did* improve. Those that did not are to be counted.",
    ),
]


def _why_wrong_stop(stops, runs):
    """Name the mistake that ends all trainings as the student's callback does, if one does."""
    if not any(stops):
        return _why_no_stop([run.callback for run in runs])
    for settings, message in _STOP_MISTAKES:
        if stops == [_stop_epoch(val, patience, **settings) for patience, val, _ in _RUNS]:
            return message
    if stops == [_stop_epoch(loss, patience) for patience, _, loss in _RUNS]:
        return (
            'It watches the training loss, `"loss"`. Overfitting shows in the validation loss, '
            '`"val_loss"`.'
        )
    for fixed in range(1, 5):
        if stops == [_stop_epoch(val, fixed) for _, val, _ in _RUNS]:
            return (
                f"In every training it waits for {fixed} epoch{'s' * (fixed > 1)}, whatever the "
                "patience. How long to wait is `self.patience`."
            )
    if stops == [patience + 1 if patience < len(val) else None for patience, val, _ in _RUNS]:
        return (
            "It stops at a fixed epoch, whatever the losses. Compare the epochs *since the best "
            "one* with the patience."
        )
    return (
        "Look for the epoch with the best loss so far, and count the epochs after it that bring no "
        "better one: the training stops when they are as many as the patience says."
    )


def _why_no_stop(callbacks):
    if any(getattr(callback, "stop_training", False) for callback in callbacks):
        return (
            "It sets `stop_training` on itself. It is the *model* that must stop: "
            "`self.model.stop_training`."
        )
    if all(getattr(callback, "best_loss", 0) == np.inf for callback in callbacks):
        return (
            "It never stops. `self.best_loss` is still infinite at the end, so every epoch looks "
            "like a new best: store the best loss when you find it."
        )
    if all(getattr(callback, "waited", 1) == 0 for callback in callbacks):
        return (
            "It never stops. `self.waited` is 0 at the end of every training: does it grow in an "
            "epoch without a new best, and is it set to 0 in no other?"
        )
    return "It never stops a training: when the waiting is over, tell `self.model` to stop."


def _losses_of(run):
    patience, val_losses, losses = run
    return (
        f"\n\n    patience {patience}\n    val_loss {', '.join(map(str, val_losses))}"
        f"\n    loss     {', '.join(map(str, losses))}"
    )


def _why_wrong_weights(runs, right, wrong_run):
    """Name the mistake that leaves the weights of these epochs in the model."""
    kept, ends = [run.kept for run in runs], [run.end for run in runs]
    if kept == ends:
        return _why_last_weights(wrong_run)
    if kept == [best if run.stop else run.end for best, run in zip(right, runs, strict=True)]:
        return (
            "The best weights come back only where the training was stopped early. A training that "
            "runs to its last epoch needs them too: `on_train_end` is called in any case."
        )
    if kept == [run.end if run.stop else best for best, run in zip(right, runs, strict=True)]:
        return (
            "The best weights come back only where the training was *not* stopped early: they are "
            "needed in any case."
        )
    if kept == [1] * len(kept):
        return "You remember the weights of the first epoch only: remember them at every new best."
    seen = [val[:end] for (_, val, _), end in zip(_RUNS, ends, strict=True)]
    if kept == [int(np.argmin(run[2][:end])) + 1 for run, end in zip(_RUNS, ends, strict=True)]:
        return "You remember the weights of the lowest *training* loss, not the validation loss."
    if kept == [_last_epoch(val, lambda before, loss: loss < before[-1]) or 1 for val in seen]:
        return (
            "You remember the weights whenever an epoch is better than the one before it. "
            "Remember them when it is better than the *best* so far."
        )
    if kept == [_last_epoch(val, lambda before, loss: loss >= min(before)) for val in seen]:
        return "You remember the weights of epochs that were *not* better than the best so far."
    failure = next((run.failure for run in runs if run.failure), None)
    if failure:
        remembered = getattr(wrong_run.callback, "best_weights", 0)
        if callable(remembered):
            return f"{failure}\n\n`self.best_weights` holds a method: call it, with `()`."
        return f"{failure}{_NOTHING_REMEMBERED if remembered is None else ''}"
    return "But the weights at the end are not the best ones."


_NOTHING_REMEMBERED = (
    "\n\n`self.best_weights` is still `None` then: remember the weights at each new best."
)


def _last_epoch(losses, fits):
    """Return the last epoch after the first whose loss fits the losses before it, or None."""
    epochs = [i + 1 for i in range(1, len(losses)) if fits(losses[:i], losses[i])]
    return epochs[-1] if epochs else None


def _why_last_weights(run):
    """Say why a model has the weights of its last epoch after every training."""
    import keras

    last = "But at the end of every training the model has the weights of its last epoch."
    remembered = getattr(run.callback, "best_weights", 0)
    if remembered is None:
        return f"{last}{_NOTHING_REMEMBERED}"
    if isinstance(remembered, list | tuple) and any(
        isinstance(weights, keras.Variable) for weights in remembered
    ):
        return (
            f"{last} `self.best_weights` holds the variables of the model, not their values, and "
            "they change with the training. `self.model.get_weights()` gives copies."
        )
    if _epoch_of(remembered) == run.end:
        return (
            f"{last} `self.best_weights` holds the last weights too: remember the weights at a new "
            "best only, not in every epoch."
        )
    return (
        f"{last} What `self.best_weights` holds never reaches the model: hand it back when the "
        "training ends, with `self.model.set_weights(...)`."
    )


# --- random search ---

LEARNING_RATES = (1e-4, 1e-1)
CHOICES = {"batch_size": (16, 32, 64, 128), "units": (16, 32, 64, 128)}
DRAWS = 2000


@lab.check("random settings")
def draw_settings(answer):
    _judge_settings(_draw(answer, 8))
    draws = _draw(answer, 9, DRAWS).value
    columns = {name: _column(draws, name) for name in ("learning_rate", *CHOICES)}
    if all(np.ptp(column) == 0 for column in columns.values()):
        raise CheckFailed(
            f"All of {DRAWS} draws are the same. Does each value come from the `rng` that is "
            "passed in? A generator that the function makes, with a fixed seed, begins anew each "
            "time."
        )
    again = _draw(answer, 9, 20).value
    for name, column in columns.items():
        if not np.array_equal(_column(again, name), column[: len(again)]):
            raise CheckFailed(
                f'The "{name}" does not come from `rng`: two generators with the same seed give '
                "different values, so the search could not be repeated. Use methods of `rng`, such "
                "as `rng.uniform`, not `np.random` or `random`."
            )
    _judge_learning_rates(columns["learning_rate"])
    for name, values in CHOICES.items():
        _judge_choices(name, columns[name], values, "integers" in _names(answer))
        if any(np.asarray(draw[name]).dtype.kind == "f" for draw in draws):
            raise CheckFailed(
                f'The values of "{name}" are right, but they are floats, such as {values[0]}.0. '
                f"Keras takes only whole numbers here: {values[0]}, or `int(...)` of a float."
            )
    _judge_independence(columns)
    return f"{DRAWS} draws: each decade of learning rates is equally likely, and so is each size."


def _judge_settings(given):
    settings = given.value
    if not isinstance(settings, dict):
        raise CheckFailed(
            f"{given.what} is {describe(settings)}; a dictionary is expected, with the keys "
            "learning_rate, batch_size and units."
        )
    for name in ("learning_rate", *CHOICES):
        if name not in settings:
            spare = [str(key) for key in settings if key not in ("learning_rate", *CHOICES)]
            near = difflib.get_close_matches(name, spare, 1, 0.5) or spare[:1]
            found = f" There is `{near[0]}`: is it this one?" if near else ""
            raise CheckFailed(f'The key "{name}" is missing from the dictionary.{found}')
        value = settings[name]
        if value is None or value is Ellipsis:
            raise CheckFailed(f'The "{name}" has no value yet.')
        array = to_numpy(value)
        if array is None or array.dtype.kind not in "iuf":
            raise CheckFailed(f'The "{name}" is {describe(value)}; a number is expected.')
        if array.shape != ():
            raise CheckFailed(
                f'The "{name}" is {describe(value)}, of the shape {array.shape}; one number is '
                "expected. Don't ask for a `size` when you draw."
            )


def _draw(answer, seed, n=None):
    """Return n draws, one after the other from one generator, or a single one, as an `Answer`."""

    @functools.wraps(answer)
    def draw(rng):
        try:
            return answer(rng) if n is None else [answer(rng) for _ in range(n)]
        except Exception as problem:
            trace = problem.__traceback__
            while trace.tb_next and not trace.tb_next.tb_frame.f_code.co_filename.endswith("pyx"):
                trace = trace.tb_next
            trace.tb_next = None  # the compiled code of NumPy has no lines that could be quoted
            raise

    order = ("high - low|low >= high", "The smaller bound comes first (of -2 and -5 it is -5).")
    whole = (
        "negative integer powers",
        "A whole exponent gives only a few rates. Draw any number in between: `rng.uniform`.",
    )
    function = draw if callable(answer) else answer
    return _call([order, whole], function, np.random.default_rng(seed))


def _column(draws, name):
    try:
        return np.array([float(draw[name]) for draw in draws])
    except (TypeError, KeyError, ValueError):
        raise CheckFailed(f'Not every draw has a number as its "{name}".') from None


def _judge_learning_rates(rates):
    low, high = LEARNING_RATES
    seen = f"In {DRAWS} draws the learning rate went from {rates.min():.2g} to {rates.max():.2g}."
    different = len(np.unique(rates))
    if different == 1:
        raise CheckFailed(
            f"The learning rate was {rates[0]:g} in all of {DRAWS} draws: draw it too."
        )
    if different <= DRAWS // 10:
        values = ", ".join(f"{rate:.2g}" for rate in np.unique(rates)[:5])
        raise CheckFailed(
            f"Only {different} different learning rates came in {DRAWS} draws, {values}"
            f"{' and so on' * (different > 5)}. A random search may try *any* number in between: "
            "draw the exponent from all numbers, not from a few."
        )
    if _follows(rates, low, high):
        raise CheckFailed(
            f"The learning rate is drawn evenly between {low:g} and {high:g}, so nine out of ten "
            "are above 0.01 and hardly one is below 0.001. Draw its *exponent* evenly: then each "
            "power of ten is equally likely."
        )
    limits = (
        "The learning rates 0.0001 and 0.1 are the limits of your *exponent*. Which exponents of "
        "10 give these two numbers?"
    )
    # (smallest, largest, message) of an exponent's mistakes; the natural logarithm tells them.
    logs = np.log(np.where(rates > 0, rates, 1))
    for first, last, message in [
        (-4, -1, "You raised e, not 10, to a power between -4 and -1 (`np.exp`)."),
        (
            np.log(10) * np.log(low),
            np.log(10) * np.log(high),
            "The limits of the exponent are natural logarithms (`np.log`), but the base of your "
            "power is 10. Take both with the same base.",
        ),
        (
            -4 * np.log(2),
            -np.log(2),
            "You raised 2, not 10, to the power of an exponent between -4 and -1.",
        ),
        (np.log(10) * low, np.log(10) * high, limits),
        (low, high, limits),
        (
            np.log(10),
            4 * np.log(10),
            "The sign of the exponent is missing: these learning rates are far above 1.",
        ),
    ]:
        if np.all(rates > 0) and _follows(logs, first, last):
            raise CheckFailed(f"{seen} {message}")
    if _follows(rates, -4, -1):
        raise CheckFailed(
            f"{seen} This is the exponent itself. The learning rate is 10 to this power."
        )
    if rates.min() < low * (1 - 1e-6) or rates.max() > high * (1 + 1e-6):
        raise CheckFailed(f"{seen} It should lie between {low:g} and {high:g}.")
    if not _follows(np.log10(rates), -4, -1):
        edges = [1e-4, 1e-3, 1e-2, 1e-1]
        shares = [np.mean((rates >= a) & (rates <= b)) for a, b in itertools.pairwise(edges)]
        if max(shares) - min(shares) < 0.1:
            raise CheckFailed(
                f"{seen} Each of its powers of ten gets about a third, but *within* them the rates "
                "are not log-uniform. Draw the exponent evenly, over its whole range at once."
            )
        table = "\n".join(
            f"    {a:g} to {b:g}: {share:.0%}"
            for a, b, share in zip(edges, edges[1:], shares, strict=False)
        )
        raise CheckFailed(
            f"{seen} But its powers of ten are not equally likely:\n\n{table}\n\n"
            "Each should get a third: draw the exponent evenly over its whole range."
        )


def _follows(values, low, high):
    """Tell whether values are spread evenly from low to high (Kolmogorov and Smirnov's distance).

    For 2000 values that are, a distance above 0.06 comes less than twice in a million times.
    """
    expected = np.clip((np.sort(values) - low) / (high - low), 0, 1)
    ranks = (np.arange(len(values)) + 0.5) / len(values)
    return np.max(np.abs(expected - ranks)) < 0.06


def _judge_choices(name, column, values, by_integers):
    found = set(column.tolist())
    seen = " or ".join(f"{value:g}" for value in sorted(found))
    strange = sorted(found - set(values))
    listed = ", ".join(map(str, values))
    if len(found) > 2 and found <= set(range(len(values))):
        raise CheckFailed(
            f'The "{name}" is {seen}: these are places in the list, not its values {listed}.'
        )
    if len(found) > 2 and found <= set(np.log2(values)):
        raise CheckFailed(
            f'The "{name}" is {seen}: this is an exponent. The value is 2 to this power.'
        )
    if strange:
        raise CheckFailed(
            f'The "{name}" was {strange[0]:g} in at least one draw. It must be one of {listed}.'
        )
    absent = [value for value in values if value not in found]
    if absent:
        note = " (`rng.integers(a, b)` never gives b.)" if by_integers else ""
        raise CheckFailed(
            f'In {DRAWS} draws the "{name}" was never {" or ".join(map(str, absent))}; all of '
            f"{listed} should come.{note * (absent == [values[-1]])}"
        )
    shares = {value: np.mean(column == value) for value in values}
    if max(abs(share - 1 / len(values)) for share in shares.values()) > 0.06:
        table = "\n".join(f"    {value}: {share:.0%}" for value, share in shares.items())
        raise CheckFailed(
            f'The values of "{name}" are not equally likely:\n\n{table}\n\nDraw one of the list, '
            "each with the same chance."
        )


def _judge_independence(columns):
    """Fail where two settings depend on each other."""
    batch_size, units, rates = (columns[name] for name in ("batch_size", "units", "learning_rate"))
    if np.array_equal(batch_size, units):
        raise CheckFailed(
            "The batch size and the number of units are the same in every draw, so most pairs are "
            "never tried. Draw once for each of them."
        )
    ranks = {
        "batch size": np.log2(batch_size),
        "number of units": np.log2(units),
        "learning rate": np.log10(rates),
    }
    names = list(ranks)
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            if abs(np.corrcoef(ranks[first], ranks[second])[0, 1]) > 0.15:
                raise CheckFailed(
                    f"The {first} and the {second} depend on each other. Draw anew for each of "
                    "them: then every pair has the same chance."
                )
