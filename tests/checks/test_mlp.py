"""The checks of lab 01: right answers pass, wrong ones get the message meant for them."""

import time

import keras
import numpy as np
import pytest
from failing import AT_ONCE, blank
from scipy import special

from helpers.checks import mlp as check
from helpers.checks.core import CheckFailed, NotAttempted

LEAK = 0.1


def passes(test, *answers):
    start = time.process_time()
    assert test(*answers) is None
    assert time.process_time() - start < AT_ONCE


def fails(test, message, *answers):
    with pytest.raises(CheckFailed, match=f"(?s){message}") as caught:
        test(*answers)
    assert not isinstance(caught.value, NotAttempted)


FUNCTIONS = [
    check.neuron,
    check.slopes,
    check.softmax,
    check.cross_entropy,
    check.gradients,
    check.sgd_epoch,
]


@pytest.mark.parametrize("test", FUNCTIONS)
@pytest.mark.parametrize("nothing", [None, ..., blank])
def test_a_blank_function_is_not_attempted(test, nothing):
    with pytest.raises(NotAttempted):
        test(nothing)


# --- a neuron ---


def neuron_by_loops(x, w, b):
    outputs = []
    for row in x:
        a = b
        for value, weight in zip(row, w, strict=True):
            a += value * weight
        outputs.append(1 / (1 + np.exp(-a)))
    return outputs


@pytest.mark.parametrize(
    "right",
    [
        lambda x, w, b: special.expit(x @ w + b),
        neuron_by_loops,
        lambda x, w, b: (0.5 * (1 + np.tanh((np.dot(x, w) + b) / 2))).astype("float32"),
        lambda x, w, b: keras.ops.sigmoid(keras.ops.convert_to_tensor(x @ w + b)),
    ],
)
def test_neuron_accepts(right):
    passes(check.neuron, right)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda x, w, b: x @ w + b, "activation is still missing"),
        (lambda x, w, b: special.expit(-(x @ w + b)), "sigmoid of `-a`"),
        (lambda x, w, b: special.expit(x @ w), "bias `b` is missing"),
        (lambda x, w, b: special.expit(x @ w) + b, r"\*before\* the sigmoid"),
        (lambda x, w, b: special.expit(x @ w - b), "bias has the wrong sign"),
        (lambda x, w, b: 1 / (1 + np.exp(-x @ w + b)), "bias has the wrong sign"),
        (lambda x, w, b: 1 / 1 + np.exp(-(x @ w + b)), "Parentheses"),
        (lambda x, w, b: special.expit(np.mean(x * w, axis=1) + b), "not the mean"),
        (lambda x, w, b: special.expit(x * w + b), "did not add up the products"),
        (lambda x, w, b: special.expit(np.sum(x * w) + b), "whole batch|shape"),
        (lambda x, w, b: np.tanh(x @ w + b), "This is the tanh"),
        (lambda x, w, b: special.expit(w @ x + b), "stopped with an error"),
        (lambda x, w, b: special.expit(x @ w + b)[:, None], "shape"),
        (lambda x, w, b: np.nan * (x @ w), "NaN"),
        (lambda x, w, b: "0.4", "`str`"),
        (0.4, "A function is expected"),
    ],
)
def test_neuron_names_the_mistake(wrong, message):
    fails(check.neuron, message, wrong)


# --- slopes ---


def right_slopes(x):
    s = special.expit(x)
    return {
        "linear": x * 0 + 1,
        "sigmoid": s - s**2,
        "tanh": 1 / np.cosh(x) ** 2,
        "relu": (x > 0).astype(float),
        "leaky_relu": np.where(x < 0, LEAK, 1),
        "elu": np.minimum(np.exp(x), 1),
    }


def numerical_slopes(x):
    functions = {
        "linear": lambda x: x,
        "sigmoid": special.expit,
        "tanh": np.tanh,
        "relu": lambda x: np.maximum(x, 0),
        "leaky_relu": lambda x: np.maximum(x, LEAK * x),
        "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    }
    return {name: (g(x + 1e-5) - g(x - 1e-5)) / 2e-5 for name, g in functions.items()}


@pytest.mark.parametrize(
    "right",
    [
        right_slopes,
        numerical_slopes,
        lambda x: {name: value.tolist() for name, value in right_slopes(x).items()},
        lambda x: right_slopes(x) | {"relu": x > 0},
    ],
)
def test_slopes_accepts(right):
    passes(check.slopes, right)


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("linear", lambda x: x, "How steep"),
        ("linear", lambda x: 1.0, "One slope for each x"),
        ("linear", np.zeros_like, "slope of a constant"),
        ("sigmoid", lambda x: special.expit(x) * (1 + special.expit(x)), r"not s \(1 \+ s\)"),
        ("sigmoid", special.expit, "the sigmoid itself"),
        ("sigmoid", lambda x: 1 - special.expit(x) ** 2, "rule of the tanh"),
        ("sigmoid", lambda x: x * (1 - x), r"sigmoid \*of\* x"),
        ("tanh", lambda x: 1 - np.tanh(x), "The square is missing"),
        ("tanh", lambda x: 1 - x**2, r"tanh \*of\* x"),
        ("tanh", lambda x: np.tanh(x) * (1 - np.tanh(x)), "rule of the sigmoid"),
        ("relu", lambda x: np.maximum(x, 0), "the ReLU itself"),
        ("relu", lambda x: np.where(x > 0, 0, 1), "sides are swapped"),
        ("leaky_relu", lambda x: np.where(x > 0, 1, 0.01), "leak of this lab is 0.1"),
        ("leaky_relu", lambda x: np.where(x > 0, x, LEAK * x), "the leaky ReLU itself"),
        ("leaky_relu", lambda x: np.where(x > 0, 1, 0), "become of the leak"),
        ("elu", lambda x: np.where(x > 0, 1, np.exp(x) - 1), "constant -1 is 0"),
        ("elu", np.exp, "holds for x < 0 only"),
        ("elu", lambda x: np.where(x > 0, x, np.exp(x) - 1), "the ELU itself"),
        ("tanh", lambda x: None, '"tanh" are missing'),
        ("elu", lambda x: ..., '"elu" are missing'),
        ("sigmoid", lambda x: x[0], "shape"),
        ("elu", lambda x: np.log(x), "NaN"),
    ],
)
def test_slopes_names_the_mistake(name, wrong, message):
    fails(check.slopes, message, lambda x: right_slopes(x) | {name: wrong(x)})


def test_slopes_wants_a_dictionary():
    fails(check.slopes, "a dictionary is expected", lambda x: list(right_slopes(x).values()))


# --- softmax ---


def softmax_by_rows(z):
    rows = []
    for row in z:
        e = [np.exp(value - max(row)) for value in row]
        rows.append([value / sum(e) for value in e])
    return rows


def naive_softmax(z):
    return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)


def softmax_without_keepdims(z):
    e = np.exp(z - z.max(axis=-1))
    return e / e.sum(axis=-1)


def shifted_by_all(z):
    return naive_softmax(z - z.max())


@pytest.mark.parametrize(
    "right",
    [
        lambda z: special.softmax(z, axis=1),
        softmax_by_rows,
        lambda z: keras.ops.softmax(keras.ops.convert_to_tensor(z), axis=-1),
        lambda z: special.softmax(z.astype("float32"), axis=-1),
    ],
)
def test_softmax_accepts(right):
    passes(check.softmax, right)


def shifted_softmax(z, shift):
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(z - shift)
        return e / e.sum(axis=-1, keepdims=True)


def shifted_cross_entropy(z, y, shift):
    with np.errstate(all="ignore"):
        z = z - shift
        return np.mean(np.log(np.exp(z).sum(axis=-1)) - z[np.arange(len(y)), y])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda z: special.softmax(z, axis=0), "wrong axis"),
        (lambda z: np.exp(z) / np.exp(z).sum(axis=0), "wrong axis"),
        (lambda z: np.exp(z) / np.exp(z).sum(), "All rows together"),
        (lambda z: np.exp(z) / np.exp(z).sum(axis=-1), "keepdims"),
        (lambda z: naive_softmax(z - z.max(axis=-1)), "largest logits have lost an axis"),
        (softmax_without_keepdims, "largest logits have lost an axis"),
        (naive_softmax, "too large for a computer"),
        (shifted_by_all, r"its \*own\* largest"),
        (lambda z: shifted_softmax(z, z.min(axis=-1, keepdims=True)), r"the \*largest\*"),
        (lambda z: shifted_softmax(z, z.mean(axis=-1, keepdims=True)), r"the \*largest\*"),
        (np.exp, "divide by their sum"),
        (lambda z: z / z.sum(axis=-1, keepdims=True), "exponential is missing"),
        (special.expit, "sigmoid of each number"),
        (lambda z: special.log_softmax(z, axis=-1), "logarithm"),
        (lambda z: special.softmax(-z, axis=-1), "sign of z"),
        (lambda z: special.softmax(z, axis=-1)[0], "shape"),
    ],
)
def test_softmax_names_the_mistake(wrong, message):
    fails(check.softmax, message, wrong)


def test_the_lectures_softmax():
    given = special.softmax([1, 2, 3])
    assert given == pytest.approx([0.09003057, 0.24472847, 0.66524096], abs=1e-8)
    assert check._softmax(np.array([[1.0, 2, 3]]))[0] == pytest.approx(given)


# --- cross-entropy ---


def right_cross_entropy(z, y):
    return np.mean(special.logsumexp(z, axis=1) - np.take_along_axis(z, y[:, None], 1)[:, 0])


def with_keras(z, y):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return loss(y, z.astype("float32"))


def by_loops(z, y):
    losses = [special.logsumexp(row) - row[label] for row, label in zip(z, y, strict=True)]
    return sum(losses) / len(losses)


@pytest.mark.parametrize(
    "right",
    [
        right_cross_entropy,
        with_keras,
        by_loops,
        lambda z, y: np.array([right_cross_entropy(z, y)]),
    ],
)
def test_cross_entropy_accepts(right):
    passes(check.cross_entropy, right)


def probability_of_the_right_class(z, y):
    return special.softmax(z, axis=1)[np.arange(len(y)), y]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda z, y: -right_cross_entropy(z, y), "The sign is wrong"),
        (lambda z, y: right_cross_entropy(z, y) * len(y), "summed over the batch"),
        (lambda z, y: -np.log(probability_of_the_right_class(z, y)), "loss of each example|shape"),
        (
            lambda z, y: -np.mean(np.eye(z.shape[1])[y] * special.log_softmax(z, axis=1)),
            r"examples \*and\* classes",
        ),
        (lambda z, y: right_cross_entropy(special.softmax(z, axis=1), y), "applied twice"),
        (lambda z, y: -np.mean(z[np.arange(len(y)), y]), "minus the logit"),
        (lambda z, y: -np.mean(probability_of_the_right_class(z, y)), "logarithm is missing"),
        (lambda z, y: right_cross_entropy(z, y) / np.log(2), "base 2"),
        (lambda z, y: -np.mean(special.log_softmax(z, axis=1)), "averaged over all classes"),
        (lambda z, y: right_cross_entropy(z, z.argmax(1)), "class that the network prefers"),
        (lambda z, y: -np.mean(special.log_softmax(z, axis=1)[:, y]), r"from \*every\* row"),
        (
            lambda z, y: np.mean(special.logsumexp(z) - z[np.arange(len(y)), y]),
            "exponentials of all rows",
        ),
        (lambda z, y: -np.log(np.mean(probability_of_the_right_class(z, y))), "order matters"),
        (
            lambda z, y: -np.mean(np.log(probability_of_the_right_class(z, y))),
            "rounded to 0",
        ),
        (
            lambda z, y: -np.mean(np.log(probability_of_the_right_class(z, y) + 1e-12)),
            "clipped",
        ),
        (
            lambda z, y: np.mean(np.log(np.exp(z).sum(1)) - z[np.arange(len(y)), y]),
            "NaN or infinity",
        ),
        (lambda z, y: "small", "`str`"),
        (lambda z, y: shifted_cross_entropy(z, y, z.max()), "overflowed"),
        (lambda z, y: shifted_cross_entropy(z, y, z.mean(-1, keepdims=True)), "overflowed"),
        (lambda z, y: shifted_cross_entropy(z, y, 0), "overflowed"),
        (lambda z, y: shifted_cross_entropy(z, y - 1, z.max(-1, keepdims=True)), "from 0"),
    ],
)
def test_cross_entropy_names_the_mistake(wrong, message):
    fails(check.cross_entropy, message, wrong)


# --- backpropagation ---


def backward(
    parameters,
    x,
    y,
    *,
    slope=lambda a, h: 1 - h**2,
    start=lambda p, one_hot: (p - one_hot) / len(p),
    bias=lambda delta: delta.sum(axis=0),
    left=lambda a, h: h,
):
    """Backpropagation with the parts that students get wrong as arguments."""
    a = x @ parameters["W1"] + parameters["b1"]
    h = np.tanh(a)
    p = special.softmax(h @ parameters["W2"] + parameters["b2"], axis=-1)
    dz = start(p, np.eye(p.shape[1])[y])
    da = (dz @ parameters["W2"].T) * slope(a, h)
    return {"W1": x.T @ da, "b1": bias(da), "W2": left(a, h).T @ dz, "b2": bias(dz)}


def one_example_at_a_time(parameters, x, y):
    total = {name: np.zeros_like(values) for name, values in parameters.items()}
    for row, label in zip(x, y, strict=True):
        h = np.tanh(row @ parameters["W1"] + parameters["b1"])
        dz = special.softmax(h @ parameters["W2"] + parameters["b2"])
        dz[label] -= 1
        da = (parameters["W2"] @ dz) / np.cosh(row @ parameters["W1"] + parameters["b1"]) ** 2
        for name, slope in [
            ("W2", np.outer(h, dz)),
            ("b2", dz),
            ("W1", np.outer(row, da)),
            ("b1", da),
        ]:
            total[name] += slope / len(x)
    return total  # fmt: skip


def in_single_precision(parameters, x, y):
    gradients = one_example_at_a_time(parameters, x, y)
    return {name: values.astype("float32") for name, values in gradients.items()}


def with_tensors(parameters, x, y):
    gradients = one_example_at_a_time(parameters, x, y)
    return {name: keras.ops.convert_to_tensor(values) for name, values in gradients.items()}


@pytest.mark.parametrize(
    "right", [backward, one_example_at_a_time, in_single_precision, with_tensors]
)
def test_gradients_accepts(right):
    passes(check.gradients, right)


def changed(**parts):
    return lambda parameters, x, y: backward(parameters, x, y, **parts)


def edited(edit):
    return lambda parameters, x, y: edit(backward(parameters, x, y))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (changed(start=lambda p, one_hot: (one_hot - p) / len(p)), "sign is turned round"),
        (changed(start=lambda p, one_hot: p - one_hot), r"loss is the \*mean\*"),
        (changed(start=lambda p, one_hot: (p - one_hot) / len(p) ** 2), "twice"),
        (changed(start=lambda p, one_hot: (p - one_hot) / p.size), "number of classes"),
        (changed(start=lambda p, one_hot: p / len(p)), "subtract 1 at the right class"),
        (changed(slope=lambda a, h: 1), "slope of the activation is missing"),
        (changed(slope=lambda a, h: 1 - a**2), "used the pre-activation"),
        (changed(slope=lambda a, h: 1 - h), "square is missing"),
        (changed(slope=lambda a, h: h * (1 - h)), "slope of the sigmoid"),
        (changed(slope=lambda a, h: a > 0), "slope of the ReLU"),
        (changed(slope=lambda a, h: h), "h itself"),
        (changed(slope=lambda a, h: 1 - np.tanh(h) ** 2), "taken twice"),
        (changed(left=lambda a, h: a), "What W2 multiplies is `h`"),
        (changed(bias=lambda delta: delta), r"\*sum\* over the batch"),
        (changed(bias=lambda delta: delta.mean(axis=0)), "not a mean"),
        (changed(bias=np.sum), "Each neuron has its own bias"),
        (changed(bias=lambda delta: delta.sum(axis=1)), "summed over the neurons"),
        (edited(lambda g: g | {"W2": g["W2"].T}), "transposed"),
        (edited(lambda g: g | {"W1": g["W1"].T}), "transposed"),
        (edited(lambda g: {name: g[name] for name in ["W1", "W2"]}), '"b2" is missing'),
        (edited(lambda g: list(g.values())), "a dictionary with the keys"),
        (edited(lambda g: g | {"W1": g["W1"] * np.nan}), "NaN"),
    ],
)
def test_gradients_names_the_mistake(wrong, message):
    fails(check.gradients, message, wrong)


def test_gradients_refuses_finite_differences():
    def numerical_gradients(*arguments):
        raise AssertionError("never called")

    namespace = {"numerical_gradients": numerical_gradients}
    exec("def gradients(p, x, y):\n    return numerical_gradients(p, x, y)", namespace)
    fails(check.gradients, "chain rule", namespace["gradients"])
    fails(check.gradients, "chain rule", numerical_gradients)


# --- mini-batch SGD ---


def sgd(
    parameters,
    gradients,
    x,
    y,
    rate,
    size,
    rng,
    *,
    order=lambda rng, n: rng.permutation(n),
    sign=-1,
    scale=lambda batch: 1,
    stop=lambda n, size: n,
):
    """One epoch with the parts that students get wrong as arguments."""
    order = order(rng, len(x))
    for start in range(0, stop(len(x), size), size):
        batch = order[start : start + size]
        slopes = gradients(parameters, x[batch], y[batch])
        parameters = {
            name: value + sign * rate * slopes[name] / scale(batch)
            for name, value in parameters.items()
        }
    return parameters


def sgd_with_split(parameters, gradients, x, y, rate, size, rng):
    order = np.arange(len(x))
    rng.shuffle(order)
    new = {name: value.copy() for name, value in parameters.items()}
    for batch in np.split(order, range(size, len(x), size)):
        for name, slope in gradients(new, x[batch], y[batch]).items():
            new[name] -= rate * slope
    return new


def sgd_with_its_own_generator(parameters, gradients, x, y, rate, size, rng):
    order = np.random.permutation(len(x))
    x, y = x[order], y[order]
    for start in range(0, len(x), size):
        slopes = gradients(parameters, x[start : start + size], y[start : start + size])
        parameters = {name: parameters[name] - rate * slopes[name] for name in slopes}
    return parameters


def sgd_key_by_key(parameters, gradients, x, y, rate, size, rng):
    new = {key: parameters[key] for key in ["W1", "b1", "W2", "b2"]}
    order = rng.permutation(len(x))
    for start in range(0, len(x), size):
        rows = order[start : start + size]
        slopes = gradients(parameters=new, x=x[rows], y=y[rows])
        new["W1"] = new["W1"] - rate * slopes["W1"]
        new["b1"] = new["b1"] - rate * slopes["b1"]
        new["W2"] = new["W2"] - rate * slopes["W2"]
        new["b2"] = new["b2"] - rate * slopes["b2"]
    return new


def sgd_that_asks_for_each_parameter(parameters, gradients, x, y, rate, size, rng):
    order = rng.permutation(len(x))
    for start in range(0, len(x), size):
        rows = order[start : start + size]
        parameters = {
            name: parameters[name] - rate * gradients(parameters, x[rows], y[rows])[name]
            for name in parameters
        }
    return parameters


def same_batch_again(parameters, gradients, x, y, rate, size, rng):
    order = rng.permutation(len(x))
    for _ in range(0, len(x), size):
        slopes = gradients(parameters, x[order[:size]], y[order[:size]])
        new = {name: parameters[name] - rate * slopes[name] for name in parameters}
    return new


@pytest.mark.parametrize(
    "right",
    [
        sgd,
        sgd_with_split,
        sgd_with_its_own_generator,
        sgd_key_by_key,
        sgd_that_asks_for_each_parameter,
    ],
)
def test_sgd_epoch_accepts(right):
    passes(check.sgd_epoch, right)


def sgd_with(**parts):
    return lambda *arguments: sgd(*arguments, **parts)


def shuffled_apart(parameters, gradients, x, y, rate, size, rng):
    return sgd(parameters, gradients, rng.permutation(x), rng.permutation(y), rate, size, rng)


def slopes_of_the_start(parameters, gradients, x, y, rate, size, rng):
    return sgd(parameters, lambda _, *batch: gradients(parameters, *batch), x, y, rate, size, rng)


def steps_from_the_start(parameters, gradients, x, y, rate, size, rng):
    order = rng.permutation(len(x))
    for start in range(0, len(x), size):
        slopes = gradients(
            parameters, x[order[start : start + size]], y[order[start : start + size]]
        )
        new = {name: parameters[name] - rate * slopes[name] for name in parameters}
    return new  # fmt: skip


def returns_after_one_step(parameters, gradients, x, y, rate, size, rng):
    order = rng.permutation(len(x))
    for start in range(0, len(x), size):
        slopes = gradients(
            parameters, x[order[start : start + size]], y[order[start : start + size]]
        )
        return {name: parameters[name] - rate * slopes[name] for name in parameters}  # fmt: skip


def whole_data_set(parameters, gradients, x, y, rate, size, rng):
    slopes = gradients(parameters, x, y)
    return {name: parameters[name] - rate * slopes[name] for name in parameters}


def forgets_the_result(parameters, *rest):
    sgd(parameters, *rest)
    return parameters


def in_place(parameters, gradients, x, y, rate, size, rng):
    new = sgd(parameters, gradients, x, y, rate, size, rng)
    for name, value in parameters.items():
        value[...] = new[name]
    return parameters


def rebinds_the_keys(parameters, gradients, x, y, rate, size, rng):
    new = sgd(parameters, gradients, x, y, rate, size, rng)
    for name in parameters:
        parameters[name] = new[name]
    return parameters


def biases_mixed_up(parameters, gradients, x, y, rate, size, rng):
    def mixed_up(*arguments):
        slopes = gradients(*arguments)
        return slopes | {"b1": slopes["b2"].sum(keepdims=True)}

    return sgd(parameters, mixed_up, x, y, rate, size, rng)


def second_layer_forgotten(parameters, gradients, x, y, rate, size, rng):
    def first_layer(*arguments):
        slopes = gradients(*arguments)
        return slopes | {"W2": 0 * slopes["W2"], "b2": 0 * slopes["b2"]}

    return sgd(parameters, first_layer, x, y, rate, size, rng)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda p, g, x, y, rate, size, rng: sgd(p, g, x, y, rate, 4, rng), "the sizes 3, 3, 3, 2"),
        (sgd_with(sign=1), "uphill"),
        (sgd_with(order=lambda rng, n: np.arange(n)), "old order"),
        (sgd_with(order=lambda rng, n: rng.integers(0, n, n)), "came twice"),
        (sgd_with(stop=lambda n, size: n // size * size), "last, smaller batch"),
        (sgd_with(scale=len), "divided by the batch size"),
        (sgd_with(scale=lambda batch: 4), "divided by the batch size"),
        (sgd_with(scale=lambda batch: 0.5), "learning rate is missing"),
        (same_batch_again, "came twice"),
        (shuffled_apart, "mixed up"),
        (slopes_of_the_start, "parameters of the start"),
        (steps_from_the_start, "parameters of the start|Only the last batch"),
        (returns_after_one_step, r"Only 4 of 11 examples.*`return` inside the loop"),
        (whole_data_set, "all of the examples"),
        (forgets_the_result, "have not changed"),
        (in_place, "changes its input in place"),
        (rebinds_the_keys, "into a new dictionary"),
        (biases_mixed_up, "for every key"),
        (second_layer_forgotten, "for every key"),
        (lambda p, gradients, x, y, *rest: p, "never called"),
        (lambda p, gradients, x, y, *rest: x, "same keys"),
        (lambda p, gradients, x, y, *rest: [gradients(p, x[:4], y)] and p, "whole rows"),
        (lambda p, gradients, x, y, *rest: [gradients(p, x[0], y[0])] and p, "whole rows"),
    ],
)
def test_sgd_epoch_names_the_mistake(wrong, message):
    fails(check.sgd_epoch, message, wrong)


# --- an MLP in Keras ---


def adam():
    return keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.003, 1000))


def network(*layers, loss="sparse_categorical_crossentropy", metrics=("accuracy",), optimizer=None):
    model = keras.Sequential([keras.Input((784,)), keras.layers.Rescaling(1 / 255), *layers])
    model.compile(optimizer or adam(), loss=loss, metrics=list(metrics))
    return model


def dense(units, activation=None, **settings):
    return keras.layers.Dense(units, activation, **settings)


LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def functional():
    pixels = keras.Input((784,))
    hidden = keras.layers.ReLU()(dense(128)(keras.layers.Rescaling(1 / 255)(pixels)))
    model = keras.Model(pixels, keras.layers.Softmax()(dense(10)(hidden)))
    loss = keras.losses.SparseCategoricalCrossentropy()
    accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    model.compile(adam(), loss=loss, metrics=[accuracy])
    return model


def without_an_input_layer():
    scale = keras.layers.Rescaling(1 / 255)
    model = keras.Sequential([scale, dense(128, "relu"), dense(10, "softmax")])
    model.compile(adam(), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def with_logits():
    return network(dense(128, "relu"), dense(10), loss=LOGITS)


def with_functions():
    loss = keras.losses.sparse_categorical_crossentropy
    layers = dense(128, keras.ops.relu), dense(10, keras.ops.softmax)
    return network(*layers, loss=loss, metrics=["accuracy", "sparse_top_k_categorical_accuracy"])


def trained():
    """A network as sure of itself as after training: most probabilities are 0 or 1."""
    model = network(dense(128, "relu"), dense(10, "softmax"))
    model.set_weights([200 * values for values in model.get_weights()])
    return model


@pytest.mark.parametrize(
    "right",
    [functional, without_an_input_layer, with_logits, with_functions, trained],
)
def test_mnist_model_accepts(right):
    passes(check.mnist_model, 101_770, right())


def not_compiled():
    scale = keras.layers.Rescaling(1 / 255)
    return keras.Sequential([keras.Input((784,)), scale, dense(128, "relu"), dense(10, "softmax")])


def square():
    model = keras.Sequential(
        [keras.Input((28, 28)), keras.layers.Flatten(), dense(128, "relu"), dense(10, "softmax")]
    )
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def not_scaled():
    model = keras.Sequential([keras.Input((784,)), dense(128, "relu"), dense(10, "softmax")])
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def reporting(*metrics):
    return network(dense(128, "relu"), dense(10, "softmax"), metrics=metrics)


def scaled_by_a_lambda():
    scale = keras.layers.Lambda(lambda pixels: pixels / 255)
    model = keras.Sequential([keras.Input((784,)), scale, dense(128, "relu"), dense(10, "softmax")])
    model.compile(adam(), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def with_an_activation_of_its_own():
    def positive(a):
        return keras.ops.maximum(a, 0)

    return network(dense(128, positive), dense(10, "softmax"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: network(dense(128, "relu"), dense(10, "softmax"), loss=LOGITS), "Softmax twice"),
        (lambda: network(dense(128, "relu"), dense(10)), "they are logits"),
        (lambda: network(dense(128), dense(10, "softmax")), "has no activation"),
        (lambda: network(dense(128), dense(10), loss=LOGITS), "has no activation"),
        (
            lambda: network(
                dense(128, "relu", use_bias=False), dense(10, "softmax", use_bias=False)
            ),
            "biases are missing",
        ),
        (lambda: network(dense(10, "softmax")), "hidden layer is missing"),
        (
            lambda: network(dense(128, "relu"), dense(128, "relu"), dense(10, "softmax")),
            "two hidden layers",
        ),
        (lambda: network(dense(64, "relu"), dense(10, "softmax")), "not 101,770"),
        (lambda: network(dense(128, "relu"), dense(1, "sigmoid")), r"expected: \(6, 10\)"),
        (lambda: network(dense(128, "relu"), dense(10, "sigmoid")), "needs a softmax"),
        (
            lambda: network(
                dense(128, "relu"), dense(10, "softmax"), loss="categorical_crossentropy"
            ),
            "does not fit the labels",
        ),
        (lambda: network(dense(128, "relu"), dense(10, "softmax"), loss="mse"), "(?i)the loss"),
        (reporting, "Ask Keras to report the accuracy"),
        (lambda: reporting("acc"), "your model reports `acc`"),
        (
            lambda: reporting("sparse_categorical_accuracy"),
            "reports `sparse_categorical_accuracy`",
        ),
        (lambda: reporting("mse"), "can't compute your metrics"),
        (lambda: reporting("accurcy"), "can't compute your metrics"),
        (scaled_by_a_lambda, "The network computes the right thing"),
        (with_an_activation_of_its_own, "The network computes the right thing"),
        (
            lambda: network(dense(128, "softmax"), dense(10, "softmax")),
            "hidden layer has a softmax",
        ),
        (lambda: network(dense(128, "tanh"), dense(10, "softmax")), "another activation"),
        (lambda: network(dense(128, "sigmoid"), dense(10, "softmax")), "another activation"),
        (lambda: network(dense(128, "leaky_relu"), dense(10, "softmax")), "another activation"),
        (
            lambda: network(dense(128, "relu"), dense(10, "softmax"), optimizer="sgd"),
            "another optimizer",
        ),
        (
            lambda: network(dense(128, "relu"), dense(10, "softmax"), optimizer="adam"),
            "another optimizer",
        ),
        (square, r"shape \(n, 784\)"),
        (not_compiled, "not compiled"),
        (not_scaled, "Pixels up to 255 reach"),
        (lambda: [dense(128, "relu"), dense(10, "softmax")], "A Keras model is expected"),
        (lambda: 3, "A Keras model is expected"),
    ],
)
def test_mnist_model_names_the_mistake(wrong, message):
    fails(check.mnist_model, message, 101_770, wrong())


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (101_632, "forgot the biases"),
        (101_760, "ten output neurons"),
        (101_642, "128 hidden neurons are missing"),
        (108_330, "does not see the 784 pixels"),
        (108_192, "does not see the 784 pixels"),
        (1_003_520, r"\*add\* the two"),
        (100_480, "first layer alone"),
        (922, "number of neurons"),
        (102_544, "not inputs"),
        (5, "which is not right"),
        (101.770, r"`count` is 101\.77, which is not right"),
        ("101770", "one whole number"),
        ([1, 2], "one whole number"),
        (float("nan"), "not right|whole number"),
    ],
)
def test_mnist_model_names_the_mistake_in_the_count(count, message):
    fails(check.mnist_model, message, count, without_an_input_layer())


@pytest.mark.parametrize("nothing", [(None, None), (101_770, None), (None, without_an_input_layer)])
def test_mnist_model_not_attempted(nothing):
    with pytest.raises(NotAttempted):
        check.mnist_model(*nothing)


def test_the_lectures_counts():
    assert count_with_keras((784, 128, 10)) == 101_770
    assert count_with_keras((28 * 28 * 3, 1000, 1000)) == 3_354_000


def count_with_keras(sizes):
    model = keras.Sequential([keras.Input(sizes[:1]), *map(dense, sizes[1:])])
    return model.count_params()


# --- the pixel shuffle ---


@pytest.mark.parametrize(
    ("word", "before", "after"),
    [
        ("the same", 0.980, 0.981),
        (" The Same ", np.float32(0.98), np.float32(0.972)),
        ("much lower", 0.98, 0.60),
        ("a little lower", 0.98, 0.95),
        ("higher", 0.90, 0.95),
    ],
)
def test_shuffle_accepts_what_was_measured(word, before, after):
    passes(check.shuffle, word, before, after)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("much lower", "lies .*beside"),
        ("a little lower", "always the same one"),
        ("higher", "adds no information"),
        ("lower", "one of the four"),
        (3, "one of the four"),
        (["the same"], "one of the four"),
    ],
)
def test_shuffle_names_the_mistake(word, message):
    fails(check.shuffle, message, word, 0.98, 0.98)


def test_shuffle_follows_the_measurement_not_a_fixed_answer():
    fails(check.shuffle, 'measurement says "much lower"', "the same", 0.98, 0.5)


def test_shuffle_not_attempted():
    with pytest.raises(NotAttempted):
        check.shuffle(None, 0.98, 0.98)
