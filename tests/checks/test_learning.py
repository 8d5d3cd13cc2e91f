"""The checks of lab 02: right answers pass, wrong ones get the message meant for them."""

import copy
import random
import time

import keras
import numpy as np
import pytest
from failing import AT_ONCE, blank
from keras import ops
from scipy import stats

from helpers.checks import learning as check
from helpers.checks.core import CheckFailed, NotAttempted

MISS = 4.0


def passes(test, *answers):
    start = time.process_time()
    assert test(*answers) is None
    assert time.process_time() - start < AT_ONCE


def fails(test, message, *answers):
    with pytest.raises(CheckFailed, match=f"(?s){message}") as caught:
        test(*answers)
    assert not isinstance(caught.value, NotAttempted)
    return str(caught.value)


def not_attempted(test, message, *answers):
    with pytest.raises(NotAttempted, match=f"(?s){message}"):
        test(*answers)


FUNCTIONS = [
    check.storm_loss,
    check.descend,
    check.descend_with_momentum,
    check.l2_penalty,
    check.draw_settings,
]


@pytest.mark.parametrize("test", FUNCTIONS)
@pytest.mark.parametrize("nothing", [None, ..., blank])
def test_a_blank_function_is_not_attempted(test, nothing):
    not_attempted(test, r"`\.\.\.`", nothing)


@pytest.mark.parametrize("test", FUNCTIONS)
def test_a_function_is_expected(test):
    fails(test, "A function is expected", 3.0)


# --- a loss for storms ---


def storm(y_true, y_pred, *, weight=lambda t, p: ops.where(p < t, MISS, 1.0), mean=ops.mean):
    return mean(weight(y_true, y_pred) * ops.square(y_pred - y_true))


def with_cast(y_true, y_pred):
    missed = ops.cast(ops.less(y_pred, y_true), "float32")
    return ops.mean((1 + (MISS - 1) * missed) * (y_true - y_pred) ** 2)


def with_relu(y_true, y_pred):
    d = y_true - y_pred
    return ops.mean(MISS * ops.relu(d) ** 2 + ops.relu(-d) ** 2, axis=-1, keepdims=True)


def one_per_sample(y_true, y_pred):
    d = y_pred - y_true
    return ops.where(d < 0, MISS * d * d, d * d)


@pytest.mark.parametrize(
    "right",
    [
        storm,
        with_cast,
        with_relu,
        one_per_sample,
        lambda t, p: ops.mean(one_per_sample(t, p), axis=0),
        lambda t, p: ops.sum(one_per_sample(t, p)) / ops.cast(ops.size(t), "float32"),
        lambda t, p: ops.mean(ops.maximum(2 * (t - p), p - t) ** 2),
    ],
)
def test_storm_loss_accepts(right):
    passes(check.storm_loss, right)


def test_storm_loss_says_that_keras_takes_the_mean(capsys):
    check.storm_loss(one_per_sample)
    assert "one loss for each storm; Keras took their mean" in capsys.readouterr().out
    check.storm_loss(storm)
    assert "took their mean" not in capsys.readouterr().out


def whole_weights(y_true, y_pred):
    w = ops.where(y_pred < y_true, 4, 1)
    return ops.mean(w * (y_pred - y_true) ** 2)


def whole_weights_last(y_true, y_pred):
    e = y_pred - y_true
    return ops.mean(e**2 * ops.where(e < 0, 4, 1))


def divided_by_the_size(y_true, y_pred):
    e = y_pred - y_true
    return ops.sum(ops.where(e < 0, 4.0, 1.0) * e**2) / ops.size(e)


@pytest.mark.parametrize("mixed", [whole_weights, whole_weights_last, divided_by_the_size])
def test_storm_loss_says_that_whole_numbers_do_not_mix(mixed):
    if keras.backend.backend() == "tensorflow":
        fails(check.storm_loss, "floats, 4.0 and 1.0.*let `keras.ops.mean` count", mixed)
    else:  # others make floats of them
        passes(check.storm_loss, mixed)


def python_if(y_true, y_pred):
    return ops.mean(ops.square(y_pred - y_true)) * (MISS if y_pred < y_true else 1.0)


def misses_alone(y_true, y_pred):
    missed = ops.cast(y_pred < y_true, "float32")
    return ops.sum(missed * storm(y_true, y_pred, mean=lambda x: x)) / ops.sum(missed)


def two_means(y_true, y_pred):
    missed = ops.cast(y_pred < y_true, "float32")
    d = ops.square(y_pred - y_true)
    others = ops.sum((1 - missed) * d) / ops.sum(1 - missed)
    return MISS * ops.sum(missed * d) / ops.sum(missed) + others


def by_the_mean(y_true, y_pred):
    return ops.where(ops.mean(y_pred) < ops.mean(y_true), MISS, 1.0) * ops.mean(
        ops.square(y_pred - y_true)
    )


def weight(t, p):
    return ops.where(p < t, MISS, 1.0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda t, p: storm(p, t), "wrong side.*smaller of the two"),
        (lambda t, p: storm(t, p, weight=lambda t, p: ops.where(p > t, MISS, 1.0)), "wrong side"),
        (lambda t, p: ops.mean((weight(t, p) * (p - t)) ** 2), "counts 16 times"),
        (lambda t, p: ops.mean(weight(t, p) * ops.abs(p - t)), "error is not squared"),
        (lambda t, p: ops.mean(weight(t, p) * (p - t)), "opposite signs cancel"),
        (lambda t, p: ops.mean((p - t) ** 2 + ops.where(p < t, MISS, 0.0)), "You add the weight"),
        (lambda t, p: storm(t, p, weight=lambda t, p: ops.where(p < t, 5.0, 1.0)), "5 times"),
        (lambda t, p: storm(t, p, weight=lambda t, p: ops.where(p < t, 2.0, 1.0)), "2 .*`MISS`"),
        (lambda t, p: storm(t, p, weight=lambda t, p: ops.where(p < t, 10.0, 1.0)), "10 .*`MISS`"),
        (lambda t, p: ops.mean((p - t) ^ 2), r"stopped.*no power: write `\*\*`"),
        (lambda t, p: storm(t, p, mean=ops.sum), "add up the batch"),
        (lambda t, p: storm(t, p, mean=lambda x: ops.sum(x, axis=-1)), "add up the batch"),
        (lambda t, p: ops.sum((p - t) ** 2), "add up the batch"),
        (lambda t, p: ops.mean((p - t) ** 2), "plain mean squared error"),
        (lambda t, p: MISS * ops.mean((p - t) ** 2), "every error counts 4 times"),
        (by_the_mean, "every error counts 4 times"),
        (lambda t, p: ops.mean(ops.where(p < t, MISS * (p - t) ** 2, 0.0)), "Only the missed"),
        (lambda t, p: ops.mean(ops.where(p < t, (p - t) ** 2, 0.0)), "without their weight"),
        (misses_alone, "Only the missed storms count"),
        (two_means, "two means"),
        (lambda t, p: storm(t, p) / MISS, "not a quarter"),
        (lambda t, p: storm(t, p) / 2, "half"),
        (lambda t, p: -storm(t, p), "sign"),
        (lambda t, p: ops.mean(weight(t, p)), "weight alone"),
        (lambda t, p: weight(t, p) * ops.mean((p - t) ** 2), "mean too early"),
        (lambda t, p: ops.mean(weight(t, p)) * ops.mean((p - t) ** 2), "mean too early"),
        (lambda t, p: ops.sqrt(storm(t, p)), "square root"),
        (lambda t, p: ops.mean(weight(t, p) * (p - t)) ** 2, "before the square"),
        (
            lambda t, p: storm(t, p, mean=ops.sum) / ops.sum(weight(t, p)),
            "sum of the weights",
        ),
        (lambda t, p: storm(t[:, None], p[None, :]), "stopped with an error|is\n\n"),
        (lambda t, p: (p[None] - t[:, None]) ** 2, "has the shape"),
        (python_if, "A Python `if`"),
        (lambda t, p: print(end=""), "`return` missing"),
        (lambda t, p: "4", "`str`"),
        (lambda t, p: ops.mean(t / 0), "infinity"),
        (lambda t, p: undefined, "NameError"),  # noqa: F821
    ],
)
def test_storm_loss_names_the_mistake(wrong, message):
    fails(check.storm_loss, message, wrong)


def in_numpy(y_true, y_pred):
    t, p = ops.convert_to_numpy(y_true), ops.convert_to_numpy(y_pred)
    return np.mean(np.where(p < t, MISS, 1.0) * np.square(p - t))


def from_numpy(y_true, y_pred):
    return ops.convert_to_tensor(in_numpy(y_true, y_pred), "float32")


def as_a_float(y_true, y_pred):
    return float(storm(y_true, y_pred))


def without_a_slope(y_true, y_pred):
    return storm(y_true, ops.stop_gradient(y_pred))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (in_numpy, "values are right.*can't differentiate NumPy"),
        (from_numpy, "values are right.*NumPy"),
        (as_a_float, "values are right.*can't differentiate NumPy"),
        (without_a_slope, "values are right.*does not see"),
    ],
)
def test_storm_loss_says_why_keras_cannot_train_with_it(wrong, message):
    fails(check.storm_loss, message, wrong)


def by_a_loop(y_true, y_pred):
    total = 0.0
    for t, p in zip(y_true, y_pred, strict=True):
        total = total + (MISS if p < t else 1.0) * (p - t) ** 2
    return ops.mean(total) / len(y_true)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="others take True for 1")
def test_storm_loss_says_that_true_is_no_number():
    fails(
        check.storm_loss,
        "A comparison gives True and False",
        lambda t, p: ops.mean((1 + 3 * (p < t)) * (p - t) ** 2),
    )


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="PyTorch runs Python's loops")
def test_storm_loss_says_why_a_loop_cannot_be_compiled():
    fails(check.storm_loss, "values are right.*(loop over the batch|A Python `if`)", by_a_loop)


def test_checks_leave_names_and_random_numbers_as_they_are():
    keras.utils.set_random_seed(3)
    expected = random.random(), np.random.random(), keras.random.normal((2,))
    number = number_of_a_layer()
    keras.utils.set_random_seed(3)
    check.storm_loss(storm)
    check.early_stopping(Stopper)
    check.descend_with_momentum(heavy_ball)
    check.l2_penalty(l2_penalty)
    found = random.random(), np.random.random(), keras.random.normal((2,))
    for a, b in zip(expected, found, strict=True):
        assert np.array_equal(ops.convert_to_numpy(a), ops.convert_to_numpy(b))
    assert number_of_a_layer() == number + 1


def number_of_a_layer():
    """Return the number that Keras puts into the name of a new layer."""
    return int(keras.layers.Dense(1).name.partition("_")[2] or 0)


# --- gradient descent ---


def descend(gradient, start, rate, steps, *, sign=-1, last=0):
    path = [start]
    for _ in range(steps + last):
        path.append(path[-1] + sign * rate * gradient(path[-1]))
    return np.array(path)


def into_an_array(gradient, start, rate, steps):
    path = np.zeros((steps + 1, len(start)))
    path[0] = start
    for k in range(steps):
        path[k + 1] = path[k] - rate * gradient(path[k])
    return path


def in_place_with_copies(gradient, start, rate, steps):
    w = start.copy()
    path = [w.copy()]
    for _ in range(steps):
        w -= rate * gradient(w)
        path.append(w.copy())
    return path


def in_single_precision(gradient, start, rate, steps):
    return into_an_array(gradient, start.astype("float32"), rate, steps).astype("float32")


def as_a_tensor(gradient, start, rate, steps):
    return ops.convert_to_tensor(descend(gradient, start, rate, steps))


def as_lists(gradient, start, rate, steps):
    return descend(gradient, start, rate, steps).tolist()


@pytest.mark.parametrize(
    "right",
    [descend, into_an_array, in_place_with_copies, in_single_precision, as_a_tensor, as_lists],
)
def test_descend_accepts(right):
    passes(check.descend, right)


def changes_the_start(gradient, start, rate, steps):
    path = [start]
    for _ in range(steps):
        start -= rate * gradient(start)
        path.append(start)
    return np.array(path)


def same_array(gradient, start, rate, steps):
    w = start.copy()
    path = [w]
    for _ in range(steps):
        w -= rate * gradient(w)
        path.append(w)
    return np.array(path)


def same_array_after_the_start(gradient, start, learning_rate, steps):
    w = start.copy()
    path = [start]
    for _ in range(steps):
        w -= learning_rate * gradient(w)
        path.append(w)
    return np.array(path)


def bowl_gradient(w):
    return np.array([w[0], 10 * w[1]])


def global_gradient(gradient, start, learning_rate, steps):
    path = [start]
    for _ in range(steps):
        path.append(path[-1] - learning_rate * bowl_gradient(path[-1]))
    return np.array(path)


def never_moves(gradient, start, rate, steps):
    path = [start]
    for _ in range(steps):
        new = start - rate * gradient(start)  # noqa: F841
        path.append(start)
    return path


def slope_of_the_start(gradient, start, rate, steps):
    slope = gradient(start)
    return descend(lambda w: slope, start, rate, steps)


def from_the_start(gradient, start, rate, steps):
    return [start] + [start - rate * gradient(start) for _ in range(steps)]


def from_the_start_alone(gradient, start, rate, steps):
    return from_the_start(gradient, start, rate, steps)[1:]


def one_coordinate_at_a_time(gradient, start, rate, steps):
    w = start.copy()
    path = [w.copy()]
    for _ in range(steps):
        for i in range(len(w)):
            w[i] = w[i] - rate * gradient(w)[i]
        path.append(w.copy())
    return path


def stops_short(gradient, start, rate, steps):
    path = np.zeros((steps + 1, len(start)))
    path[0] = start
    for k in range(1, steps):
        path[k] = path[k - 1] - rate * gradient(path[k - 1])
    return path


def forgets_row_zero(gradient, start, rate, steps):
    path = np.zeros((steps + 1, len(start)))
    path[1:] = descend(gradient, start, rate, steps)[1:]
    return path


def for_two_coordinates(gradient, start, rate, steps):
    path = np.zeros((steps + 1, 2))
    path[0] = start
    for k in range(steps):
        path[k + 1] = path[k] - rate * gradient(path[k])[:2]
    return path


def unit(gradient):
    return lambda w: gradient(w) / np.linalg.norm(gradient(w))


def steps_alone(gradient, start, rate, steps):
    path = [start]
    for _ in range(steps):
        path.append(-rate * gradient(path[-1]))
    return path


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda g, w, r, n: descend(g, w, r, n, sign=1), "uphill"),
        (lambda g, w, r, n: descend(g, w, 1, n), "learning rate is missing"),
        (lambda g, w, r, n: descend(g, w, 1 / r, n), "divide by the learning rate"),
        (lambda g, w, r, n: descend(g, w, r, n)[1:], "start is missing"),
        (lambda g, w, r, n: descend(g, w, r, n)[:-1], "after the last step is missing"),
        (lambda g, w, r, n: descend(g, w, r, n, last=1), "one step too far"),
        (lambda g, w, r, n: [w, *descend(g, w, r, n)], "there twice"),
        (lambda g, w, r, n: descend(g, w, r, n)[:2], "2 rows, not 5.*Row 0 is the start"),
        (lambda g, w, r, n: descend(g, w, r, n)[-1], "one point only"),
        (lambda g, w, r, n: descend(g, w, r, n).T, "lies on its side"),
        (lambda g, w, r, n: descend(g, w, r, n)[:, None], "has the shape"),
        (lambda g, w, r, n: (w, descend(g, w, r, n)), "2 things"),
        (changes_the_start, "changes its input in place"),
        (same_array, r"\*same array\* many times"),
        (same_array_after_the_start, r"after the start is the same.*\*same array\* many times"),
        (global_gradient, "You call `bowl_gradient`: call the parameter, `gradient`.*expected"),
        (never_moves, "never moves"),
        (slope_of_the_start, "gradient at the start"),
        (from_the_start, "begins at the start again"),
        (from_the_start_alone, "begins at the start again"),
        (lambda g, w, r, n: descend(unit(g), w, r, n), "equally long"),
        (one_coordinate_at_a_time, "one after the other"),
        (for_two_coordinates, "any number of coordinates"),
        (stops_short, "Row 4 of the path is still zero"),
        (forgets_row_zero, "Row 0 of the path is still zero"),
        (steps_alone, "step alone"),
        (lambda g, w, r, n: [w, *np.diff(descend(g, w, r, n), axis=0)], "hold the steps"),
        (lambda g, w, r, n: descend(g, w, r, n) + 0.1, "The path begins at"),
        (lambda g, w, r, n: descend(g, w, 2 * r, n), r"expected.*Here `gradient_2d\(\[a, b\]\)`"),
        (lambda g, w, r, n: w - r * g, "stopped with an error"),
        (lambda g, w, r, n: descend(g, w * np.nan, r, n), "NaN"),
    ],
)
def test_descend_names_the_mistake(wrong, message):
    fails(check.descend, message, wrong)


# --- which learning rates diverge ---


def valley(rate):
    """Forty steps down w1^2 / 2 + 10 w2^2 / 2."""
    return descend(lambda w: np.array([1.0, 10.0]) * w, np.array([8.0, 2.0]), rate, 40)


PATHS = {rate: valley(rate) for rate in (0.01, 0.1, 0.19, 0.21)}
PATHS[0.1][1, 1] = -3e-8  # what float32 makes of a step that ends on the valley floor


@pytest.mark.parametrize(
    "right", [[0.21], {0.21}, (0.21,), 0.21, np.array([0.21]), [np.float32(0.21)], [0.21, 0.21]]
)
def test_diverging_accepts(right):
    passes(check.diverging, right, PATHS)


def test_diverging_follows_the_paths():
    overflow = {0.1: PATHS[0.1], 10.0: [[1.0, 1.0], [np.inf, np.nan]], 0.3: valley(0.3)}
    passes(check.diverging, [10, 0.3], overflow)
    passes(check.diverging, [], {0.1: PATHS[0.1]})
    fails(check.diverging, "0.1 the path does not diverge", [0.1, 0.3], overflow)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([0.01, 0.21], "rate 0.01 the path does not diverge.*slow is not"),
        ([0.1], "rate 0.1 the path does not diverge.*slow is not"),
        ([0.01], "rate 0.01 the path does not diverge.*slow is not"),
        ([0.19, 0.21], "rate 0.19 the path does not diverge.*jump from one side"),
        ([], "You name none.*factor 1 - 10 η"),
        ([0.01, 0.1, 0.19, 0.21], "You name all.*factor 1 - 10 η"),
        ([0.01, 0.1, 0.19], "other way round"),
        (["0.21"], "without quotes"),
        ("0.21", "list of numbers"),
        ({0.21: True}, "list of numbers"),
        ([0.2], "not one of the learning rates: 0.01, 0.1, 0.19, 0.21"),
        ([True], "not a number"),
        ([3], "not one of the learning rates"),
    ],
)
def test_diverging_names_the_mistake(wrong, message):
    fails(check.diverging, message, wrong, PATHS)


def test_diverging_asks_for_what_is_missing():
    two = {**PATHS, 0.4: valley(0.4)}
    fails(check.diverging, "rate 0.21 the path ends .* not in your list", [0.4], two)
    fails(check.diverging, "rate 0.4 the path ends more than a million", [0.21], two)


@pytest.mark.parametrize("nothing", [None, ...])
def test_diverging_not_attempted(nothing):
    not_attempted(check.diverging, "`diverging` has no value yet", nothing, PATHS)


# --- momentum ---


def heavy_ball(gradient, start, rate, momentum, steps):
    path = [start, start]
    for _ in range(steps):
        path.append(path[-1] - rate * gradient(path[-1]) + momentum * (path[-1] - path[-2]))
    return path[1:]


def with_momentum(
    gradient,
    start,
    rate,
    momentum,
    steps,
    *,
    velocity=lambda m, v, r, g: m * v - r * g,
    move=lambda w, v, old: w + v,
    first=np.zeros_like,
):
    w, v = start, first(start)
    path = [w]
    for _ in range(steps):
        old, v = v, velocity(momentum, v, rate, gradient(w))
        w = move(w, v, old)
        path.append(w)
    return np.array(path)


def velocity_in_place(gradient, start, rate, momentum, steps):
    w, v = start.copy(), np.zeros(len(start))
    path = np.empty((steps + 1, len(start)))
    path[0] = w
    for k in range(steps):
        v *= momentum
        v -= rate * gradient(w)
        w += v
        path[k + 1] = w
    return path


def like_pytorch(gradient, start, rate, momentum, steps):
    w, v = start, 0.0
    path = [w.tolist()]
    for _ in range(steps):
        v = momentum * v + gradient(w)
        w = w - rate * v
        path.append(w.tolist())
    return path


def by_keras(gradient, start, rate, momentum, steps):
    optimizer = keras.optimizers.SGD(rate, momentum)
    w = keras.Variable(start.astype("float32"))
    path = [start]
    for _ in range(steps):
        slope = gradient(np.array(ops.convert_to_numpy(w)))
        optimizer.apply([ops.convert_to_tensor(slope.astype("float32"))], [w])
        path.append(np.array(ops.convert_to_numpy(w)))
    return path


@pytest.mark.parametrize(
    "right", [heavy_ball, with_momentum, velocity_in_place, like_pytorch, by_keras]
)
def test_momentum_accepts(right):
    passes(check.descend_with_momentum, right)


def variant(**parts):
    return lambda *arguments: with_momentum(*arguments, **parts)


def velocity(rule):
    return variant(velocity=rule)


def move(rule):
    return variant(move=rule)


def nesterov(gradient, start, rate, momentum, steps):
    w, v = start, np.zeros_like(start)
    path = [w]
    for _ in range(steps):
        v = momentum * v - rate * gradient(w + momentum * v)
        w = w + v
        path.append(w)
    return path


def nesterov_of_keras(gradient, start, rate, momentum, steps):
    w, v = start, np.zeros_like(start)
    path = [w]
    for _ in range(steps):
        slope = gradient(w)
        v = momentum * v - rate * slope
        w = w + momentum * v - rate * slope
        path.append(w)
    return path


def momentum_of_the_last_slope(gradient, start, rate, momentum, steps):
    w, last = start, np.zeros_like(start)
    path = [w]
    for _ in range(steps):
        slope = gradient(w)
        w = w - rate * slope - momentum * rate * last
        last = slope
        path.append(w)
    return path


def starts_with_a_step(gradient, start, rate, momentum, steps):
    return with_momentum(
        gradient, start, rate, momentum, steps, first=lambda w: -rate * gradient(w)
    )


def moves_the_start(gradient, start, rate, momentum, steps):
    w, v = start, np.zeros_like(start)
    path = [w]
    for _ in range(steps):
        v = momentum * v - rate * gradient(w)
        w += v
        path.append(w)
    return path


def same_momentum_array(gradient, start, rate, momentum, steps):
    return moves_the_start(gradient, start.copy(), rate, momentum, steps)


def same_momentum_array_after_the_start(gradient, start, learning_rate, momentum, steps):
    w, velocity = start.copy(), np.zeros_like(start)
    path = [start]
    for _ in range(steps):
        velocity = momentum * velocity - learning_rate * gradient(w)
        w += velocity
        path.append(w)
    return np.array(path)


def global_gradient_with_momentum(gradient, start, learning_rate, momentum, steps):
    path, velocity = [start], np.zeros(len(start))
    for _ in range(steps):
        velocity = momentum * velocity - learning_rate * bowl_gradient(path[-1])
        path.append(path[-1] + velocity)
    return np.array(path)


def adds_to_the_velocity(gradient, start, learning_rate, momentum, steps):
    path, velocity = [start], np.zeros(len(start))
    for _ in range(steps):
        velocity += momentum * velocity - learning_rate * gradient(path[-1])
        path.append(path[-1] + velocity)
    return np.array(path)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (velocity(lambda m, v, r, g: m * v - (1 - m) * r * g), "weigh the gradient with"),
        (velocity(lambda m, v, r, g: -r * g), "never kept"),
        (velocity(lambda m, v, r, g: m * v + r * g), "uphill"),
        (move(lambda w, v, old: w - v), "uphill"),
        (velocity(lambda m, v, r, g: -m * v - r * g), "turned round"),
        (move(lambda w, v, old: w + 0.2 * v), "used twice"),
        (velocity(lambda m, v, r, g: m * v - g), "learning rate is missing"),
        (nesterov, "Nesterov"),
        (nesterov_of_keras, "Nesterov"),
        (starts_with_a_step, "first step is too long"),
        (variant(first=np.ones_like), "velocity starts at one"),
        (variant(first=np.copy), "velocity starts as the point"),
        (move(lambda w, v, old: w + old), "first step leads nowhere"),
        (velocity(lambda m, v, r, g: m * (v - r * g)), "multiplies the gradient too"),
        (velocity(lambda m, v, r, g: r * v - m * g), "changed places"),
        (velocity(lambda m, v, r, g: v - r * g), "momentum is missing"),
        (velocity(lambda m, v, r, g: (1 - m) * v - r * g), "share .1 - momentum"),
        (velocity(lambda m, v, r, g: 0.9 * v - r * g), "momentum 0.9, whatever"),
        (lambda g, w, r, m, n: with_momentum(lambda _: g(w), w, r, m, n), "gradient at the start"),
        (lambda g, w, r, m, n: with_momentum(g, w, r, m / 2, n), "expected"),
        (momentum_of_the_last_slope, "only the last gradient"),
        (move(lambda w, v, old: v), "step alone"),
        (lambda g, w, r, m, n: with_momentum(g, w, r, m, n)[1:], "start is missing"),
        (lambda g, w, r, m, n: with_momentum(g, w, r, m, n - 1), "last step is missing"),
        (lambda g, w, r, m, n: with_momentum(g, w, r, m, n + 1), "one step too far"),
        (moves_the_start, "changes its input in place"),
        (same_momentum_array, r"\*same array\* many times"),
        (same_momentum_array_after_the_start, r"\*same array\* many times"),
        (global_gradient_with_momentum, "You call `bowl_gradient`"),
        (adds_to_the_velocity, r"counts twice: `v \+= ...`"),
        (lambda g, w, r, m, n: descend(g, w, r, n), "never kept"),
    ],
)
def test_momentum_names_the_mistake(wrong, message):
    fails(check.descend_with_momentum, message, wrong)


# --- reading learning curves ---

MEMORIZES = {
    "loss": [0.9, 0.7, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05],
    "val_loss": [0.85, 0.72, 0.6, 0.52, 0.48, 0.481, 0.55, 0.7],
}
LEARNS = {
    "loss": [1.0, 0.9, 0.8, 0.75, 0.72, 0.7, 0.69, 0.68],
    "val_loss": [1.0, 0.91, 0.83, 0.79, 0.77, 0.76, 0.759, 0.76],
}


def as_history(curves):
    history = keras.callbacks.History()
    history.history = curves
    return history


@pytest.mark.parametrize(
    "right", [("B", 5), ("b", 6), (" network B", np.int64(5)), ("B", 5.0), ("B", np.array(5))]
)
def test_overfitting_accepts(right):
    passes(check.overfitting, *right, LEARNS, MEMORIZES)
    passes(check.overfitting, *right, as_history(LEARNS), as_history(MEMORIZES))


def test_overfitting_follows_the_measurement():
    passes(check.overfitting, "A", 5, MEMORIZES, LEARNS)
    message = fails(check.overfitting, "B ends with", "B", 5, MEMORIZES, LEARNS)
    assert "less than 1 %" in message
    falls = {**LEARNS, "val_loss": sorted(LEARNS["val_loss"], reverse=True)}
    message = fails(check.overfitting, "B ends with its lowest", "B", 5, MEMORIZES, falls)
    assert "above its lowest" not in message


@pytest.mark.parametrize(
    ("overfits", "stop", "message"),
    [
        ("A", 5, "Network A ends .* above its lowest.*higher .training. loss of A"),
        ("C", 5, '"A" or "B"'),
        (2, 5, '"A" or "B"'),
        ("A and B", 5, '"A" or "B"'),
        ("B", 8, "46 % above its lowest.*last epoch"),
        ("B", 4, "count from 0"),
        ("B", 2, "two curves cross"),
        ("B", 1, "two curves cross"),
        ("B", 7, "too late"),
        ("B", 0, "8 epochs, counted from 1"),
        ("B", 9, "8 epochs, counted from 1"),
        ("B", 4.5, "one whole number"),
        ("B", "five", "one whole number"),
        ("B", [5, 6], "one whole number"),
        ("B", float("nan"), "one whole number"),
    ],
)
def test_overfitting_names_the_mistake(overfits, stop, message):
    fails(check.overfitting, message, overfits, stop, LEARNS, MEMORIZES)


def test_overfitting_accepts_what_a_figure_does_not_tell_apart():
    flat = {**MEMORIZES, "val_loss": [0.85, 0.74, 0.72, 0.72, 0.685, 0.68, 0.69, 0.9]}
    passes(check.overfitting, "B", 4, LEARNS, flat)
    fails(check.overfitting, "9 % above its lowest", "B", 2, LEARNS, flat)


def test_overfitting_without_a_crossing():
    apart = {"loss": [0.5, 0.4, 0.3, 0.2, 0.1], "val_loss": [0.9, 0.8, 0.7, 0.6, 0.9]}
    fails(check.overfitting, "too early", "A", 2, apart, LEARNS)


@pytest.mark.parametrize("nothing", [(None, None), ("B", None), (None, 5), ("B", ...)])
def test_overfitting_not_attempted(nothing):
    not_attempted(check.overfitting, "no value yet", *nothing, LEARNS, MEMORIZES)


# --- the L2 penalty ---


def l2_penalty(kernels, strength, *, one=lambda w: np.sum(w**2), slope=lambda w: 2 * w):
    return strength * sum(map(one, kernels)), [strength * slope(w) for w in kernels]


def by_keras_l2(kernels, strength):
    kernels = [w.astype("float32") for w in kernels]
    penalty = sum(keras.regularizers.L2(strength)(w) for w in kernels)
    return penalty, [ops.convert_to_tensor(2 * strength * w) for w in kernels]


def by_loops_l2(kernels, strength):
    penalty, gradients = 0.0, []
    for w in kernels:
        gradients.append(np.zeros_like(w))
        for index, value in np.ndenumerate(w):
            penalty += strength * value**2
            gradients[-1][index] = 2 * strength * value
    return [penalty, tuple(gradients)]


def by_rows_and_columns_l2(kernels, strength):
    penalty, gradients = 0.0, []
    for k in kernels:
        for i in range(k.shape[0]):
            for j in range(k.shape[1]):
                penalty += strength * k[i, j] ** 2
        gradients.append(2 * strength * k)
    return penalty, gradients


def by_python_sums_l2(kernels, strength):
    return l2_penalty(kernels, strength, one=lambda w: sum(sum(w**2)))


def as_lists_l2(kernels, strength):
    penalty, gradients = l2_penalty(kernels, strength)
    return np.array([penalty]), [g.tolist() for g in gradients]


@pytest.mark.parametrize(
    "right",
    [
        l2_penalty,
        by_keras_l2,
        by_loops_l2,
        by_rows_and_columns_l2,
        by_python_sums_l2,
        as_lists_l2,
    ],
)
def test_l2_penalty_accepts(right):
    passes(check.l2_penalty, right)


def only(which):
    def penalty(kernels, strength):
        return l2_penalty([kernels[which]], strength)[0], l2_penalty(kernels, strength)[1]

    return penalty


def parts(one=None, slope=None):
    return lambda k, s: l2_penalty(
        k, s, one=one or (lambda w: np.sum(w**2)), slope=slope or (lambda w: 2 * w)
    )


def penalties(change):
    return lambda k, s: (change(k, s), l2_penalty(k, s)[1])


def gradients(change):
    return lambda k, s: (l2_penalty(k, s)[0], change(k, s))


def scales_in_place(kernels, strength):
    penalty = l2_penalty(kernels, strength)[0]
    for w in kernels:
        w *= 2 * strength
    return penalty, kernels


def loop_of_python_sums(kernels, strength):
    penalty = 0
    for k in kernels:
        penalty += strength * sum(k**2)
    return penalty, [2 * strength * k for k in kernels]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (penalties(lambda k, s: s * sum(sum(k**2) for k in k)), "stopped.*adds only its rows"),
        (loop_of_python_sums, "stopped.*adds only its rows"),
        (parts(one=lambda k: np.sum(k**2, axis=0)), "stopped.*adds only its rows"),
        (parts(one=lambda k: np.sum(k ^ 2)), r"stopped.*no power: write `\*\*`"),
        (penalties(lambda k, s: s * np.mean([np.mean(w**2) for w in k])), "took a mean"),
        (penalties(lambda k, s: s * sum(np.mean(sum(w**2)) for w in k)), "took a mean"),
        (parts(one=lambda k: np.sum(np.mean(k**2, axis=0))), "took a mean"),
        (parts(one=lambda k: np.mean(k) ** 2), "took a mean"),
        (parts(one=lambda w: np.abs(w).sum()), "This is L1"),
        (parts(one=lambda w: np.mean(w**2)), "took a mean"),
        (penalties(lambda k, s: s * np.mean(np.concatenate([w.ravel() for w in k]) ** 2)), "mean"),
        (parts(one=np.linalg.norm), "square root"),
        (penalties(lambda k, s: s * np.sqrt(sum(np.sum(w**2) for w in k))), "square root"),
        (parts(one=lambda w: np.sum(w**2) / 2), "half"),
        (parts(one=lambda w: 2 * np.sum(w**2)), "twice too large"),
        (parts(one=np.sum), "opposite signs cancel"),
        (parts(one=lambda w: np.sum(w) ** 2), "Square each weight first"),
        (penalties(lambda k, s: l2_penalty(k, 1)[0]), "strength is missing"),
        (penalties(lambda k, s: l2_penalty(k, s**2)[0]), "strength is squared"),
        (penalties(lambda k, s: l2_penalty(k, 1)[0] + s), "you add it"),
        (penalties(lambda k, s: -l2_penalty(k, s)[0]), "sign is wrong.*loss"),
        (penalties(lambda k, s: l2_penalty(k, s)[0] / len(k)), "number of kernels"),
        (penalties(lambda k, s: [s * np.sum(w**2) for w in k]), "One number is expected"),
        (only(-1), "Only the last kernel"),
        (only(0), "Only the first kernel"),
        (parts(slope=lambda w: w), "factor 2 is missing"),
        (gradients(lambda k, s: l2_penalty(k, 1)[1]), "strength is missing in the gradient"),
        (gradients(lambda k, s: k), "strength and the factor 2"),
        (parts(slope=lambda w: -2 * w), "sign is wrong.*grows"),
        (parts(slope=np.sign), "gradient of L1"),
        (parts(slope=lambda w: 2 * w**2), "no square in it"),
        (parts(slope=lambda w: w**2), "These are the squares"),
        (parts(slope=lambda w: 2 * np.abs(w)), "sign of each weight"),
        (parts(slope=lambda w: 2 * w / w.size), "took a mean"),
        (parts(slope=lambda w: w / np.linalg.norm(w)), "length of w"),
        (parts(slope=lambda w: 2 * w.sum()), "One number came back"),
        (parts(slope=lambda w: 2 * w.T), "transposed|shape"),
        (gradients(lambda k, s: [w - 2 * s * w for w in k]), "after a step"),
        (gradients(lambda k, s: 2 * s * k[-1]), r"a \*list\* is expected"),
        (gradients(lambda k, s: [2 * s * k[-1]]), "1 gradients for 3 kernels"),
        (gradients(lambda k, s: 2 * s * sum(np.sum(w) for w in k)), r"list\* is expected"),
        (gradients(lambda k, s: None), "a list is expected"),
        (gradients(lambda k, s: [None] * len(k)), "no value yet"),
        (lambda k, s: l2_penalty(k, s)[0], "Two things are expected"),
        (lambda k, s: l2_penalty(k, s)[::-1], "wrong order"),
        (scales_in_place, "changes the kernels themselves"),
        (lambda k, s: (s * np.sum(k**2), k), "stopped with an error.*one at a time"),
        (lambda k, s: (s * np.sum(np.square(k)), k), "stopped with an error.*one at a time"),
        (lambda k, s: (s * np.sum(sum(w**2 for w in k)), k), "stopped.*one at a time"),
        (gradients(lambda k, s: 2 * s * k), "stopped with an error.*one at a time"),
        (lambda k, s: undefined, "NameError"),  # noqa: F821
    ],
)
def test_l2_penalty_names_the_mistake(wrong, message):
    fails(check.l2_penalty, message, wrong)


# --- early stopping ---


class Given(keras.callbacks.Callback):
    """What the lab gives."""

    def __init__(self, patience):
        super().__init__()
        self.patience = patience

    def on_train_begin(self, logs=None):
        self.best_loss = np.inf
        self.best_weights = None
        self.waited = 0


class Stopper(Given):
    """A right answer whose parts can be replaced by wrong ones."""

    def on_epoch_end(self, epoch, logs=None):
        if self.better(logs):
            self.improved(logs)
        else:
            self.waited += 1
            if self.enough():
                self.stop()

    def on_train_end(self, logs=None):
        self.model.set_weights(self.best_weights)

    def better(self, logs):
        return logs["val_loss"] < self.best_loss

    def improved(self, logs):
        self.best_loss = logs["val_loss"]
        self.best_weights = self.model.get_weights()
        self.waited = 0

    def enough(self):
        return self.waited >= self.patience

    def stop(self):
        self.model.stop_training = True


class ByEpochs(Given):
    """Another right answer: it remembers the epoch of the best loss, and restores twice."""

    def on_epoch_end(self, epoch, logs):
        loss = logs.get("val_loss")
        if not loss >= self.best_loss:
            self.best_loss, self.best_epoch = loss, epoch
            self.best_weights = [np.array(w) for w in self.model.get_weights()]
        elif epoch - self.best_epoch == self.patience:
            self.model.stop_training = True
            self.model.set_weights(self.best_weights)

    def on_train_end(self, logs=None):
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)


class AsksEveryEpoch(Given):
    """Another: it asks whether to stop after every epoch, and copies the weights itself."""

    def on_epoch_end(self, epoch, logs=None):
        self.waited = self.waited + 1
        if logs["val_loss"] < self.best_loss:
            self.best_loss, self.waited = logs["val_loss"], 0
            self.best_weights = copy.deepcopy(self.model.get_weights())
        if self.waited == self.patience:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        self.model.set_weights(self.best_weights)


class ByHistory(Given):
    """A third: it keeps all losses, and the values of the variables."""

    def on_epoch_end(self, epoch, logs=None):
        self.losses = [*getattr(self, "losses", []), float(logs["val_loss"])]
        best = int(np.argmin(self.losses))
        if best == epoch:
            self.best_weights = [ops.convert_to_numpy(w).copy() for w in self.model.weights]
        self.model.stop_training = epoch - best >= self.patience

    def on_train_end(self, logs=None):
        for variable, values in zip(self.model.weights, self.best_weights, strict=True):
            variable.assign(values)


@pytest.mark.parametrize("right", [Stopper, ByEpochs, ByHistory, AsksEveryEpoch])
def test_early_stopping_accepts(right):
    passes(check.early_stopping, right)


def stopper(**methods):
    return type("EarlyStopping", (Stopper,), methods)


def waits_too_long(self):
    return self.waited > self.patience


def one_less(self):
    return self.waited >= self.patience - 1


def never_resets(self, logs):
    self.best_loss = logs["val_loss"]
    self.best_weights = self.model.get_weights()


def watches_the_training_loss(self, epoch, logs=None):
    Stopper.on_epoch_end(self, epoch, {"val_loss": logs["loss"]})


def better_than_before(self, logs):
    last, self.last = getattr(self, "last", np.inf), logs["val_loss"]
    return logs["val_loss"] < last


def equal_is_better(self, logs):
    return logs["val_loss"] <= self.best_loss


def higher_is_better(self, logs):
    return logs["val_loss"] > self.best_loss


def keeps_no_loss(self, logs):
    self.best_weights = self.model.get_weights()
    self.waited = 0


def stops_itself(self):
    self.stop_training = True


def does_nothing(self, *arguments):
    return None


def ignores_the_patience(self):
    return self.waited >= 2


def checks_before_it_counts(self, epoch, logs=None):
    if self.waited >= self.patience:
        self.model.stop_training = True
    if self.better(logs):
        self.improved(logs)
    else:
        self.waited += 1


def counts_every_epoch(self, epoch, logs=None):
    if self.better(logs):
        self.improved(logs)
    self.waited += 1
    if self.enough():
        self.stop()


def counts_improvements(self, epoch, logs=None):
    if self.better(logs):
        self.best_loss, self.best_weights = logs["val_loss"], self.model.get_weights()
        self.waited += 1
        if self.enough():
            self.stop()
    else:
        self.waited = 0


def counts_all(self, epoch, logs=None):
    Stopper.on_epoch_end(self, epoch, logs)
    self.model.stop_training = epoch >= self.patience


def counts_from_the_first(self, epoch, logs=None):
    Stopper.on_epoch_end(self, epoch, logs)
    self.model.stop_training = epoch + 1 >= self.patience


def zero_each_time(self, epoch, logs=None):
    self.waited = 0
    if self.better(logs):
        self.improved(logs)


def counts_too_late(self, epoch, logs=None):
    if self.better(logs):
        self.improved(logs)
    elif self.enough():
        self.stop()
    else:
        self.waited += 1


def stops_when_better(self, logs):
    Stopper.improved(self, logs)
    if self.enough():
        self.stop()


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"enough": waits_too_long}, "one epoch too late.*reaches"),
        ({"on_epoch_end": checks_before_it_counts}, "one epoch too late.*count the epoch first"),
        ({"on_epoch_end": counts_too_late}, "one epoch too late"),
        ({"enough": one_less}, "one epoch too early"),
        ({"on_epoch_end": counts_every_epoch}, "one epoch too early"),
        ({"improved": never_resets}, "before the last improvement"),
        ({"on_epoch_end": watches_the_training_loss}, "watches the training loss"),
        ({"better": better_than_before}, "with the epoch before it"),
        ({"better": equal_is_better}, r"only \*equal\*"),
        ({"better": higher_is_better}, "whatever the losses"),
        ({"on_epoch_end": counts_from_the_first}, "whatever the losses"),
        ({"improved": keeps_no_loss}, "still infinite"),
        ({"stop": stops_itself}, "on itself"),
        ({"stop": does_nothing}, "tell `self.model` to stop"),
        ({"enough": ignores_the_patience}, "waits for 2 epochs"),
        ({"enough": lambda self: True}, "waits for 1 epoch,"),
        ({"on_epoch_end": counts_improvements}, r"that \*did\* improve"),
        ({"on_epoch_end": counts_all}, "fixed epoch"),
        ({"on_epoch_end": zero_each_time}, "`self.waited` is 0"),
        (
            {"enough": lambda self: False, "improved": stops_when_better},
            "tell `self.model` to stop",
        ),
        ({"enough": lambda self: self.waited >= 2 * self.patience}, "as many as the patience says"),
    ],
)
def test_early_stopping_names_what_is_wrong_with_the_stop(methods, message):
    text = fails(check.early_stopping, message, stopper(**methods))
    assert "patience" in text
    assert "val_loss" in text


def remembers_nothing(self, logs):
    self.best_loss, self.waited = logs["val_loss"], 0


def remembers_once(self, logs):
    self.best_loss, self.waited = logs["val_loss"], 0
    if self.best_weights is None:
        self.best_weights = self.model.get_weights()


def remembers_the_method(self, logs):
    self.best_loss, self.waited = logs["val_loss"], 0
    self.best_weights = self.model.get_weights


def remembers_variables(self, logs):
    self.best_loss, self.waited = logs["val_loss"], 0
    self.best_weights = self.model.weights


def remembers_each(self, epoch, logs=None):
    Stopper.on_epoch_end(self, epoch, logs)
    self.best_weights = self.model.get_weights()


def remembers_worse(self, epoch, logs=None):
    known = self.best_weights
    Stopper.on_epoch_end(self, epoch, logs)
    self.best_weights = self.model.get_weights() if self.waited else known


def remembers_by_training_loss(self, epoch, logs=None):
    known, self.low = self.best_weights, getattr(self, "low", np.inf)
    Stopper.on_epoch_end(self, epoch, logs)
    self.best_weights = self.model.get_weights() if logs["loss"] < self.low else known
    self.low = min(self.low, logs["loss"])


def remembers_local_bests(self, epoch, logs=None):
    known, last = self.best_weights, getattr(self, "last", np.inf)
    Stopper.on_epoch_end(self, epoch, logs)
    self.best_weights = self.model.get_weights() if logs["val_loss"] < last else known
    self.last = logs["val_loss"]


def restores_and_stops(self):
    self.model.stop_training = True
    self.model.set_weights(self.best_weights)


def restores_unless_stopped(self, logs=None):
    if not self.model.stop_training:
        self.model.set_weights(self.best_weights)


def restores_at_once(self, epoch, logs=None):
    Stopper.on_epoch_end(self, epoch, logs)
    self.model.set_weights(self.best_weights)


def restores_last(self, logs=None):
    self.model.set_weights(self.model.get_weights())


def restores_the_loss(self, logs=None):
    self.model.set_weights(self.best_loss)


def bare_val_loss(self, epoch, logs=None):
    if val_loss < self.best_loss:  # noqa: F821
        self.best_loss = val_loss  # noqa: F821


def val_loss_as_attribute(self, epoch, logs=None):
    if logs.val_loss < self.best_loss:
        self.best_loss = logs.val_loss


def bare_best_loss(self, epoch, logs=None):
    if logs["val_loss"] < best_loss:  # noqa: F821
        self.waited = 0


def local_best_loss(self, epoch, logs=None):
    if logs["val_loss"] < best_loss:  # noqa: F821
        best_loss = logs["val_loss"]  # noqa: F841


def restores_something_else(self, logs=None):
    self.model.set_weights([w * 0 for w in self.best_weights])


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"on_train_end": does_nothing}, "never reaches the model"),
        ({"on_train_end": restores_last}, "never reaches the model"),
        ({"improved": remembers_nothing, "on_train_end": does_nothing}, "still `None`"),
        ({"on_epoch_end": remembers_each}, "not in every epoch"),
        ({"improved": remembers_variables}, "the variables of the model"),
        ({"improved": remembers_the_method}, "stopped with an error.*holds a method"),
        ({"improved": remembers_once}, "first epoch only"),
        ({"on_epoch_end": remembers_worse}, r"\*not\* better than the best"),
        ({"on_epoch_end": remembers_by_training_loss}, "lowest .training. loss"),
        ({"on_epoch_end": remembers_local_bests}, "than the one before it"),
        ({"stop": restores_and_stops, "on_train_end": does_nothing}, "runs to its last epoch"),
        ({"on_train_end": restores_unless_stopped}, r"\*not\* stopped early"),
        ({"on_epoch_end": restores_at_once}, "in the middle of the training"),
        ({"on_train_end": restores_the_loss}, "no len.*`set_weights` takes the weights as"),
        ({"on_epoch_end": bare_val_loss}, r'NameError.*: `logs\["val_loss"\]`'),
        ({"on_epoch_end": val_loss_as_attribute}, r'AttributeError.*: `logs\["val_loss"\]`'),
        ({"on_epoch_end": bare_best_loss}, "NameError.*on the object: `self.best_loss`"),
        ({"on_epoch_end": local_best_loss}, "UnboundLocal.*on the object: `self.best_loss`"),
        ({"on_train_end": restores_something_else}, "not the best ones.*those of no epoch"),
        ({"improved": remembers_nothing}, "`on_train_end.*stopped with an error.*still `None`"),
        (
            {"better": lambda self, logs: logs["val_accuracy"] > 0},
            "stopped with an error.*KeyError",
        ),
    ],
)
def test_early_stopping_names_what_is_wrong_with_the_weights(methods, message):
    fails(check.early_stopping, message, stopper(**methods))


class Blank(Given):
    def on_epoch_end(self, epoch, logs=None):
        """Stop when the validation loss has not been lower for `patience` epochs."""
        ...  # your code here

    def on_train_end(self, logs=None):
        """Restore the best weights."""
        ...  # your code here


class HalfFilled(Stopper):
    def on_train_end(self, logs=None): ...  # your code here


class DotsLeft(Stopper):
    def on_train_end(self, logs=None):
        self.best_weights = None
        ...  # your code here


def test_early_stopping_not_attempted():
    not_attempted(check.early_stopping, r"\.\.\.", None)
    not_attempted(check.early_stopping, "`on_epoch_end` and `on_train_end`", Blank)
    not_attempted(check.early_stopping, "`on_epoch_end` and `on_train_end`", Given)
    not_attempted(check.early_stopping, "no code yet in `on_train_end`", HalfFilled)
    not_attempted(check.early_stopping, "still stands", DotsLeft)


def test_early_stopping_wants_a_class_of_ones_own():
    fails(check.early_stopping, "the class itself", Stopper(2))
    fails(check.early_stopping, "callback of Keras", keras.callbacks.EarlyStopping)
    fails(check.early_stopping, "A class is expected", blank.__class__)
    fails(check.early_stopping, "A class is expected", lambda patience: Stopper(patience))
    fails(check.early_stopping, "stopped with an error", type("E", (Stopper,), {"__init__": blank}))


# --- random search ---


def settings(
    rng,
    *,
    rate=lambda rng: 10 ** rng.uniform(-4, -1),
    batch_size=lambda rng: rng.choice([16, 32, 64, 128]),
    units=lambda rng: rng.choice([16, 32, 64, 128]),
):
    return {"learning_rate": rate(rng), "batch_size": batch_size(rng), "units": units(rng)}


def by_exponents(rng):
    return dict(
        units=2 ** int(rng.integers(4, 8)),
        batch_size=int(16 << rng.integers(4)),
        learning_rate=float(np.exp(rng.uniform(np.log(1e-4), np.log(0.1)))),
        activation="relu",
    )


def by_places(rng):
    sizes = (16, 32, 64, 128)
    i, j = rng.integers(0, 4, size=2)
    return {
        "learning_rate": np.asarray(1e-4 * 1000 ** rng.random()),
        "batch_size": sizes[i],
        "units": np.int64(sizes[j]),
    }


def by_scipy(rng):
    rate = stats.loguniform.rvs(1e-4, 0.1, random_state=rng)
    sizes = rng.permutation([16, 32, 64, 128])
    return {"learning_rate": rate, "batch_size": sizes[0], "units": rng.choice(sizes)}


def rounded(rng):
    return settings(rng, rate=lambda rng: float(f"{10 ** rng.uniform(-4, -1):.1e}"))


@pytest.mark.parametrize("right", [settings, by_exponents, by_places, by_scipy, rounded])
def test_draw_settings_accepts(right):
    passes(check.draw_settings, right)


def drawn(**parts):
    return lambda rng: settings(rng, **parts)


def seeded(rng):
    return settings(np.random.default_rng(0))


def without_the_rng(rng):
    return settings(np.random.default_rng())


def one_index_for_both(rng):
    size = rng.choice([16, 32, 64, 128])
    return {"learning_rate": 10 ** rng.uniform(-4, -1), "batch_size": size, "units": size}


def one_number_for_all(rng):
    u = rng.random()
    sizes = (16, 32, 64, 128)
    return {"learning_rate": 10 ** (3 * u - 4), "batch_size": sizes[int(4 * u)], "units": 16 << 1}


def dependent(rng):
    u = rng.random()
    return settings(
        rng,
        rate=lambda rng: 10 ** (3 * u - 4),
        units=lambda rng: (16, 32, 64, 128)[int(4 * u)],
    )


def renamed(old, new):
    def draw(rng):
        values = settings(rng)
        values[new] = values.pop(old)
        return values

    return draw


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (drawn(rate=lambda rng: rng.uniform(1e-4, 0.1)), "evenly between.*nine out of ten"),
        (drawn(rate=lambda rng: 10.0 ** rng.integers(-4, 0)), "Only 4 different"),
        (drawn(rate=lambda rng: 10.0 ** rng.integers(-4, -1)), "Only 3 different"),
        (drawn(rate=lambda rng: rng.choice([1e-4, 1e-3, 1e-2, 1e-1])), "Only 4 different"),
        (drawn(rate=lambda rng: rng.choice(np.logspace(-4, -1))), "Only 50 different.*not from a"),
        (drawn(rate=lambda rng: 10 ** rng.integers(-4, -1)), "stopped.*only a few rates"),
        (drawn(rate=lambda rng: 0.01), "was 0.01 in all of 2000 draws"),
        (drawn(rate=lambda rng: np.exp(rng.uniform(-4, -1))), "raised e, not 10"),
        (drawn(rate=lambda rng: 2 ** rng.uniform(-4, -1)), "raised 2, not 10"),
        (drawn(rate=lambda rng: 10 ** rng.uniform(np.log(1e-4), np.log(0.1))), "natural log"),
        (drawn(rate=lambda rng: rng.uniform(-4, -1)), "exponent itself"),
        (drawn(rate=lambda rng: 10 ** rng.uniform(1, 4)), "sign of the exponent"),
        (drawn(rate=lambda rng: 10 ** rng.uniform(1e-4, 0.1)), "limits of your .exponent"),
        (drawn(rate=lambda rng: np.exp(rng.uniform(1e-4, 0.1))), "limits of your .exponent"),
        (drawn(rate=lambda rng: 10 ** rng.uniform(-5, -1)), "should lie between"),
        (drawn(rate=lambda rng: 10 ** rng.uniform(-4, 0)), "should lie between"),
        (drawn(rate=lambda rng: 10 ** rng.uniform(-3, -1)), "0.0001 to 0.001: 0%"),
        (drawn(rate=lambda rng: 1 / rng.uniform(10, 10_000)), "not equally likely"),
        (
            drawn(rate=lambda rng: 10.0 ** rng.integers(-4, -1) * rng.uniform(1, 10)),
            "about a third, but .within. them.*exponent evenly",
        ),
        (drawn(rate=lambda rng: 10 ** rng.uniform(-4, -1, size=1)), "one number is expected"),
        (drawn(rate=lambda rng: "0.01"), "a number is expected"),
        (drawn(rate=lambda rng: None), "no value yet"),
        (drawn(rate=lambda rng: 10 ** np.random.uniform(-4, -1)), '"learning_rate" does not come'),
        (drawn(units=lambda rng: random.choice([16, 32, 64, 128])), '"units" does not come from'),
        (without_the_rng, "does not come from `rng`"),
        (seeded, "All of 2000 draws are the same"),
        (drawn(batch_size=lambda rng: rng.integers(16, 129)), "must be one of 16, 32, 64, 128"),
        (drawn(batch_size=lambda rng: rng.choice([8, 16, 32, 64])), "was 8"),
        (drawn(units=lambda rng: 2 ** rng.integers(4, 7)), "never 128"),
        (drawn(units=lambda rng: rng.integers(4)), "places in the list"),
        (drawn(units=lambda rng: rng.integers(4, 8)), "2 to this power"),
        (drawn(units=lambda rng: 32), "never 16 or 64 or 128"),
        (drawn(units=lambda rng: 4), "was 4 in at least one draw"),
        (drawn(units=lambda rng: rng.choice([16, 16, 16, 32, 64, 128])), "equally likely"),
        (drawn(units=lambda rng: rng.choice([16, 32], 1)), "one number is expected"),
        (drawn(units=lambda rng: [16, 32, 64, 128]), "one number is expected"),
        (one_index_for_both, "same in every draw"),
        (dependent, "depend on each other"),
        (renamed("learning_rate", "lr"), '"learning_rate" is missing.*`lr`'),
        (renamed("batch_size", "batchsize"), '"batch_size" is missing.*`batchsize`'),
        (lambda rng: tuple(settings(rng).values()), "a dictionary is expected"),
        (lambda rng: settings(np.random), "does not come from"),
        (lambda rng: {}, "is missing from the dictionary"),
        (lambda rng: settings(rng, rate=lambda rng: rng.loguniform(1, 2)), "stopped with an error"),
    ],
)
def test_draw_settings_names_the_mistake(wrong, message):
    fails(check.draw_settings, message, wrong)


def bounds_reversed(rng):
    return {
        "learning_rate": 10 ** rng.uniform(-1, -4),
        "batch_size": int(rng.choice([16, 32, 64, 128])),
        "units": int(rng.choice([16, 32, 64, 128])),
    }


def fails_inside_numpy(rng):
    return settings(rng, units=lambda rng: rng.choice([16, 32], p=[0.5, 0.6]))


def test_draw_settings_shows_the_students_own_line():
    message = fails(check.draw_settings, "high - low < 0.*smaller bound comes", bounds_reversed)
    assert '"learning_rate": 10 ** rng.uniform(-1, -4),' in message
    message = fails(check.draw_settings, "sum to 1", fails_inside_numpy)
    assert "return settings(rng" in message
    assert "smaller bound" not in message


def one_too_few(rng):
    values = settings(rng)
    values["units"] = [16, 32, 64, 128][rng.integers(0, 3)]
    return values


def test_draw_settings_blames_integers_only_where_they_are_used():
    fails(check.draw_settings, r"never 128.*`rng.integers\(a, b\)` never gives b", one_too_few)
    by_choice = drawn(units=lambda rng: rng.choice([16, 32, 64]))
    assert "integers" not in fails(check.draw_settings, "never 128", by_choice)


@pytest.mark.parametrize(
    "floats",
    [
        drawn(units=lambda rng: rng.choice([16.0, 32.0, 64.0, 128.0])),
        drawn(units=lambda rng: float(rng.choice([16, 32, 64, 128]))),
        drawn(units=lambda rng: 2.0 ** rng.integers(4, 8)),
        drawn(units=lambda rng: np.float32(rng.choice([16, 32, 64, 128]))),
        drawn(units=lambda rng: [16, 32, 64, 128.0][rng.integers(4)]),
    ],
)
def test_draw_settings_wants_whole_sizes(floats):
    fails(check.draw_settings, '"units" are right, but .* floats.*only whole numbers', floats)


def test_right_draws_pass_with_other_generators(monkeypatch):
    """The bars leave room: a right answer passes whatever it draws."""
    original = np.random.default_rng
    for seed in range(40):
        monkeypatch.setattr(np.random, "default_rng", lambda s, seed=seed: original([seed, s]))
        check.draw_settings(by_exponents)


# --- the checks' own references ---


def different(pairs):
    """Require that mistakes with different messages have different values."""
    for i, (value, message) in enumerate(pairs):
        for other, other_message in pairs[:i]:
            if np.shape(value) == np.shape(other) and message != other_message:
                assert not np.allclose(value, other, atol=1e-3), (message, other_message)


@pytest.mark.parametrize("over", [np.mean, lambda losses: losses])
def test_mistakes_of_a_storm_loss_are_told_apart(over):
    d = np.array([1.0, 6.0, 2.5, 3.5, 1.5]) - np.array([3.0, 5.0, 2.0, 4.0, 1.0])
    different(check._storm_mistakes(d, over))


def test_mistakes_of_a_path_are_told_apart():
    different(check._momentum_mistakes(*check._WALKS[0][:3], 0.9, check._WALKS[0][3]))


def test_mistakes_of_early_stopping_are_told_apart():
    stops = [
        [check._stop_epoch(val, patience, **settings) for patience, val, _ in check._RUNS]
        for settings in [{}, *(settings for settings, _ in check._STOP_MISTAKES)]
    ]
    stops.append([check._stop_epoch(loss, patience) for patience, _, loss in check._RUNS])
    stops += [[check._stop_epoch(val, fixed) for _, val, _ in check._RUNS] for fixed in range(1, 5)]
    assert len(set(map(tuple, stops))) == len(stops)
    assert all(map(any, stops))  # none looks like a callback that never stops


def test_early_stopping_in_a_real_training():
    """The right answer of these tests behaves as Keras's own callback in `fit`."""
    x = np.linspace(-1, 1, 8, dtype="float32")[:, None]
    ends = []
    for callback in [Stopper(3), check._keras_callback(3)]:
        layer = keras.layers.Dense(1, kernel_initializer="ones")
        model = keras.Sequential([keras.Input((1,)), layer])
        model.compile(keras.optimizers.SGD(0.3), loss="mse")
        # The training data pull the weight past the one that is best for the validation data.
        history = model.fit(
            x,
            5 * x,
            validation_data=(x, 2 * x),
            epochs=30,
            callbacks=[callback],
            shuffle=False,
            verbose=0,
        )
        ends.append((len(history.history["loss"]), model.get_weights()[0].item()))
    assert ends[0][0] < 30
    assert ends[0] == pytest.approx(ends[1])
