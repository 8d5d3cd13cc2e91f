"""Checks of lab 01: a neuron, softmax, cross-entropy, backpropagation, SGD and an MLP in Keras."""

from itertools import pairwise

import numpy as np

from .core import Answer, CheckFailed, Lab, call, describe, to_numpy

lab = Lab("01 From a neuron to a multilayer perceptron")
reached = lab.reached
score_card = lab.score_card

LEAK = 0.1  # slope of the lab's leaky ReLU below zero


@lab.check("a neuron")
def neuron(answer):
    rng = np.random.default_rng(0)
    for n, d in [(2, 3), (4, 2)]:
        x, w, b = rng.normal(size=(n, d)), rng.normal(size=d), 0.7
        a = x @ w + b
        call(answer, x, w, b).equals(
            _sigmoid(a),
            wrong=[
                (a, "This is the pre-activation `a`. The activation is still missing: h = g(a)."),
                (
                    _sigmoid(-a),
                    "This is the sigmoid of `-a`: in the formula it is `exp(-a)`, with one minus.",
                ),
                (_sigmoid(x @ w), "The bias `b` is missing."),
                (_sigmoid(x @ w) + b, "The bias belongs inside: add it *before* the sigmoid."),
                (
                    _sigmoid(x @ w - b),
                    "The bias has the wrong sign. In `exp(-a)` the minus belongs to the whole of "
                    "a, the bias too: use parentheses.",
                ),
                (1 + np.exp(-a), "Parentheses are missing: the 1 is divided by the whole sum."),
                (
                    _sigmoid((x * w).mean(-1) + b),
                    "w . x is the *sum* of the products, not the mean.",
                ),
                (
                    _sigmoid(x * w + b),
                    "You multiplied, but did not add up the products: w . x is one number for "
                    "each example.",
                ),
                (
                    _sigmoid(np.full(n, (x @ w).sum()) + b),
                    "You summed over the whole batch. Each example has its own sum.",
                ),
                (
                    np.asarray(_sigmoid((x @ w).sum() + b)),
                    "You summed over the whole batch. Each example has its own sum.",
                ),
                (1 / (1 + a), "The exponential is missing: s(a) = 1 / (1 + exp(-a))."),
                (np.tanh(a), "This is the tanh. The exercise asks for the sigmoid."),
            ],
        )
    return "One number between 0 and 1 for each example."


def _sigmoid(a):
    return 1 / (1 + np.exp(-a))


_SLOPES = {
    "linear": lambda x: np.ones_like(x),
    "sigmoid": lambda x: _sigmoid(x) * (1 - _sigmoid(x)),
    "tanh": lambda x: 1 - np.tanh(x) ** 2,
    "relu": lambda x: np.where(x > 0, 1.0, 0.0),
    "leaky_relu": lambda x: np.where(x > 0, 1.0, LEAK),
    "elu": lambda x: np.where(x > 0, 1.0, np.exp(x)),
}

_SLOPE_MISTAKES = {
    "linear": lambda x: [
        (x, "This is g itself. How steep is the line g(x) = x?"),
        (np.zeros_like(x), "Zero is the slope of a constant. How steep is the line g(x) = x?"),
        (np.asarray(1.0), "One slope for each x, please: an array like x (`np.ones_like`)."),
    ],
    "sigmoid": lambda x: [
        (_sigmoid(x), "This is the sigmoid itself, not its derivative."),
        (_sigmoid(x) * (1 + _sigmoid(x)), "A sign is wrong: s (1 - s), not s (1 + s)."),
        (1 - _sigmoid(x), "The factor s is missing."),
        (1 - _sigmoid(x) ** 2, "This is the rule of the tanh, 1 - h^2, used on the sigmoid."),
        (x * (1 - x), "In s (1 - s), `s` is the sigmoid *of* x, not x itself."),
        (-_sigmoid(x) * (1 - _sigmoid(x)), "The sigmoid rises, so its slope is never negative."),
    ],
    "tanh": lambda x: [
        (np.tanh(x), "This is the tanh itself, not its derivative."),
        (1 - np.tanh(x), "The square is missing: at large negative x your slope is 2, not 0."),
        (1 + np.tanh(x) ** 2, "A sign is wrong: the tanh flattens out, so its slope goes to 0."),
        (np.tanh(x) * (1 - np.tanh(x)), "This is the rule of the sigmoid, used on the tanh."),
        (1 - x**2, "It is the tanh *of* x that is squared, not x itself."),
    ],
    "relu": lambda x: [
        (np.maximum(x, 0), "This is the ReLU itself. Its slope is 0 or 1, whatever the height."),
        (np.where(x < 0, 1.0, 0.0), "The two sides are swapped: it is flat where x < 0."),
        (np.ones_like(x), "On the negative side the ReLU is flat: the slope is 0 there."),
    ],
    "leaky_relu": lambda x: [
        (np.where(x > 0, x, LEAK * x), "This is the leaky ReLU itself, not its slope."),
        (np.where(x > 0, x, LEAK), "For x > 0 the slope is 1, not x."),
        (np.where(x > 0, 1.0, LEAK * x), "For x < 0 the slope is 0.1 alone, not 0.1 x."),
        (np.where(x > 0, 1.0, 0.0), "This is the slope of the ReLU: what has become of the leak?"),
        (np.where(x > 0, 1.0, -LEAK), "To the left too, the line rises from left to right."),
        (np.where(x > 0, 1.0, 0.01), "The leak of this lab is 0.1 (`LEAK`)."),
        (np.where(x > 0, LEAK, 1.0), "The two sides are swapped: the leak is where x < 0."),
    ],
    "elu": lambda x: [
        (np.where(x > 0, x, np.exp(x) - 1), "This is the ELU itself, not its slope."),
        (np.where(x > 0, 1.0, np.exp(x) - 1), "For x < 0: the derivative of the constant -1 is 0."),
        (np.where(x > 0, x, np.exp(x)), "For x > 0 the slope is 1, not x."),
        (np.where(x > 0, 1.0, 0.0), "For x < 0 the ELU is not flat: it is exp(x) - 1 there."),
        (np.where(x > 0, 1.0, -np.exp(x)), "The derivative of exp(x) is exp(x), without a sign."),
        (np.exp(x), "This holds for x < 0 only. For x > 0 the ELU is the line x."),
    ],
}


@lab.check("slopes of the activations")
def slopes(answer):
    # Zero is left out: there two of the slopes jump, and either side may be given.
    x = np.array([[-3.0, -1.5, -0.4], [0.3, 1.2, 2.5]])
    given = call(answer, x)
    if not isinstance(given.value, dict):
        raise CheckFailed(
            f"{given.what} is a `{type(given.value).__name__}`; a dictionary is expected, "
            "with the name of each activation and its slopes."
        )
    for name, slope in _SLOPES.items():
        value = given.value.get(name)
        if value is None or value is Ellipsis:
            raise CheckFailed(f'The slopes of "{name}" are missing from the dictionary.')
        what = f'`slopes(x)["{name}"]` for x from -3 to 2.5'
        Answer(value, what).equals(slope(x), wrong=_SLOPE_MISTAKES[name](x))
    return "All six agree, on both sides of zero."


@lab.check("softmax")
def softmax(answer):
    rng = np.random.default_rng(1)
    for z in [np.array([[1.0, 2.0, 3.0]]), rng.normal(size=(3, 3)), rng.normal(size=(4, 3))]:
        e = np.exp(z)
        # Only a square batch lets NumPy go on with numbers that have lost their axis.
        flat = []
        if len(z) == z.shape[1]:
            shifted = np.exp(z - z.max(axis=-1))
            flat = [
                (e / e.sum(axis=-1), _LOST_AXIS),
                (shifted / shifted.sum(axis=-1), _LOST_MAXIMA),
                (shifted / shifted.sum(axis=-1, keepdims=True), _LOST_MAXIMA),
            ]
        call(answer, z).equals(
            _softmax(z),
            wrong=[
                *flat,
                (e / e.sum(axis=0), _WRONG_AXIS),
                (_softmax(z.T).T, _WRONG_AXIS),
                (
                    e / e.sum(),
                    "All rows together sum to one. Each row must: sum over the last axis only.",
                ),
                (
                    e,
                    "The exponentials are right. Now divide by their sum, so that a row sums to 1.",
                ),
                (
                    np.exp(z - z.max(-1, keepdims=True)),
                    "The exponentials are right. Now divide by their sum, so that a row sums to 1.",
                ),
                (z / z.sum(-1, keepdims=True), "The exponential is missing."),
                (_sigmoid(z), "This is the sigmoid of each number: a row does not sum to 1."),
                (np.log(_softmax(z)), "This is the logarithm of the softmax."),
                (
                    _softmax(-z),
                    "The sign of z is wrong: the largest logit gets the smallest share.",
                ),
            ],
        )
    _finite(
        call(answer, np.array([[1000.0, 1001.0, 1002.0]])),
        "exp(1000) is too large for a computer. Subtract the largest number of the row from the "
        "whole row before you take the exponential: the result is the same, because it cancels.",
    ).equals(_softmax(np.array([[0.0, 1.0, 2.0]])))
    _finite(
        call(answer, np.array([[0.0, 1.0], [1000.0, 1001.0], [-1000.0, -999.0]])),
        "You subtracted the largest number of the whole array, and a row with small numbers was "
        "left with zeros only. Subtract from each row its *own* largest number.",
    ).equals(_softmax(np.array([[0.0, 1.0]] * 3)))
    _finite(
        call(answer, np.array([[0.0, 2000.0]])),
        "Only the *largest* number of the row makes every exponent 0 or less. With the smallest "
        "or the mean a wide row still overflows.",
    ).equals(np.array([[0.0, 1.0]]))
    return "Every row sums to one, and logits of 1000 don't overflow."


_LOST_AXIS = (
    "The sums have lost an axis, so each *column* was divided by a sum. Keep it: `keepdims=True`."
)

_LOST_MAXIMA = (
    "The largest logits have lost an axis, so one was subtracted from each *column*. Keep it: "
    "`keepdims=True`, and the same for the sums."
)

_WRONG_AXIS = (
    "Softmax over the wrong axis: your columns sum to one. A row is one example, so each *row* "
    "must sum to one: use the last axis, `axis=-1`."
)


def _softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _finite(given, message):
    """Return an answer whose numbers are all finite; fail with `message` otherwise."""
    array = to_numpy(given.value)
    if array is not None and array.dtype.kind == "f" and not np.all(np.isfinite(array)):
        raise CheckFailed(f"{given.what} contains NaN or infinity. {message}")
    return given


@lab.check("cross-entropy")
def cross_entropy(answer):
    rng = np.random.default_rng(2)
    examples = [
        (np.array([[1.0, 2.0, 4.0]]), np.array([2])),
        (rng.normal(size=(4, 3)), np.array([2, 0, 1, 1])),
    ]
    for z, y in examples:
        n, classes = z.shape
        losses = _cross_entropies(z, y)
        right = np.asarray(losses.mean())
        given = call(answer, z, y)
        value = to_numpy(given.value)
        if value is not None and value.size == 1:
            given = Answer(value.reshape(()), given.what)
        given.equals(
            right,
            wrong=[
                (losses, "This is the loss of each example. The result is one number: their mean."),
                (
                    -right,
                    "The sign is wrong. A probability is below 1, so its logarithm is negative "
                    "and the loss, minus that, is positive.",
                ),
                (
                    losses.sum(),
                    "You summed over the batch. Take the mean: otherwise a batch of twice "
                    "the size gives twice the loss.",
                ),
                (
                    right / classes,
                    "You took the mean over examples *and* classes. Pick or sum the "
                    "classes first; then take the mean over the examples alone.",
                ),
                (
                    _cross_entropies(_softmax(z), y).mean(),
                    "Softmax was applied twice. z holds logits: turn them into probabilities once.",
                ),
                (
                    -z[np.arange(n), y].mean(),
                    "This is minus the logit of the right class. The "
                    "logarithm of the sum of all exponentials is missing.",
                ),
                (-_softmax(z)[np.arange(n), y].mean(), "The logarithm is missing."),
                (right / np.log(2), "Take the natural logarithm, `np.log`, not the one to base 2."),
                (
                    right / np.log(10),
                    "Take the natural logarithm, `np.log`, not the one to base 10.",
                ),
                (
                    -np.log(_softmax(z)).mean(),
                    "You averaged over all classes. Only the right class counts: `y` says which.",
                ),
                (
                    -np.log(_softmax(z)).sum(-1).mean(),
                    "You summed over all classes. Only the right class counts: `y` says which.",
                ),
                (
                    _cross_entropies(z, y - 1).mean(),
                    "You counted the classes from 1. They are numbered from 0, like columns.",
                ),
                (
                    (
                        np.log(np.exp(z - z.max(-1, keepdims=True)).sum(-1)) - z[np.arange(n), y]
                    ).mean(),
                    "The largest logit was subtracted in the sum only. Subtract it everywhere.",
                ),
                (
                    -np.log(_softmax(z))[:, y].mean(),
                    "You took the columns that `y` names from *every* row. Each row has one right "
                    "class, so it gives one number.",
                ),
                (
                    np.log(np.exp(z).sum()) - z[np.arange(n), y].mean(),
                    "You added up the exponentials of all rows. Each row has its own sum.",
                ),
                (
                    _cross_entropies(z, z.argmax(-1)).mean(),
                    "You used the class that the network prefers. Use the right one: `y`.",
                ),
                (
                    -np.log(_softmax(z)[np.arange(n), y].mean()),
                    "First the logarithm of each probability, then the mean: the order matters.",
                ),
            ],
        )
    for z, y in [
        (np.array([[0.0, 1.0], [1000.0, 1001.0]]), np.array([1, 0])),
        (np.array([[2000.0, 0.0]]), np.array([0])),
    ]:
        value = _finite(call(answer, z, y), _OVERFLOW).array()
        Answer(value.reshape(()) if value.size == 1 else value, f"The loss of {z.tolist()}").equals(
            _cross_entropies(z, y).mean()
        )
    given = _finite(call(answer, np.array([[1000.0, 0.0]]), np.array([1])), _OVERFLOW)
    value = float(np.ravel(given.array())[0])
    if abs(value - 1000) > 1e-3:
        raise CheckFailed(
            f"{given.what} is {value:.6g}, expected: 1000. Was a probability clipped, or a small "
            "number added before the logarithm? Then the loss can't say how wrong the network is. "
            "Don't take the logarithm of a probability: use the formula with logits."
        )
    return "The mean over the batch, exact even where the probability itself would be zero."


_OVERFLOW = (
    "Either an exponential overflowed (subtract from each row its own *largest* logit), or a "
    "probability was rounded to 0 before its logarithm was taken (don't compute it: log softmax "
    "is a logit minus the logarithm of a sum)."
)


def _cross_entropies(z, y):
    shifted = z - z.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return -log_p[np.arange(len(y)), y]


@lab.check("backpropagation")
def gradients(answer):
    names = getattr(getattr(answer, "__code__", None), "co_names", ())
    if "numerical_gradients" in {*names, getattr(answer, "__name__", "")}:
        raise CheckFailed(
            "These are finite differences again. They are right, but slow. Use the chain rule: "
            "all gradients from one pass backward."
        )
    rng = np.random.default_rng(3)
    for n, inputs, hidden, classes in [(5, 2, 4, 3), (1, 3, 2, 5)]:
        parameters = {
            "W1": rng.normal(size=(inputs, hidden)),
            "b1": rng.normal(size=hidden),
            "W2": rng.normal(size=(hidden, classes)),
            "b2": rng.normal(size=classes),
        }
        x, y = rng.normal(size=(n, inputs)), rng.integers(0, classes, n)
        given = call(answer, parameters, x, y)
        if not isinstance(given.value, dict):
            raise CheckFailed(
                f"{given.what} is a `{type(given.value).__name__}`; a dictionary with the keys "
                "W1, b1, W2, b2 is expected."
            )
        expected = _finite_differences(parameters, x, y)
        mistakes = _backpropagation_mistakes(parameters, x, y)
        for name in ["W2", "b2", "W1", "b1"]:  # the order in which the error travels
            if name not in given.value:
                raise CheckFailed(f'The key "{name}" is missing from the dictionary.')
            Answer(given.value[name], f'The gradient of "{name}"').equals(
                expected[name],
                wrong=[(wrong[name], message) for wrong, message in mistakes if name in wrong],
            )
    return "All four gradients agree with finite differences."


def _loss(parameters, x, y):
    h = np.tanh(x @ parameters["W1"] + parameters["b1"])
    return _cross_entropies(h @ parameters["W2"] + parameters["b2"], y).mean()


def _finite_differences(parameters, x, y, step=1e-5):
    """Return the slope of the loss along each parameter, from a small step to either side."""
    result = {}
    for name, values in parameters.items():
        result[name] = np.zeros_like(values)
        for index in np.ndindex(values.shape):
            step_here = np.zeros_like(values)
            step_here[index] = step
            ahead = _loss(parameters | {name: values + step_here}, x, y)
            behind = _loss(parameters | {name: values - step_here}, x, y)
            result[name][index] = (ahead - behind) / (2 * step)
    return result


def _backpropagation_mistakes(parameters, x, y):
    """Return (dictionary of wrong gradients, message) pairs; a dictionary may be partial."""
    n, classes = len(x), len(parameters["b2"])
    a = x @ parameters["W1"] + parameters["b1"]
    h = np.tanh(a)
    p = _softmax(h @ parameters["W2"] + parameters["b2"])
    one_hot = np.eye(classes)[y]
    dz = (p - one_hot) / n
    slope = 1 - h**2

    def backward(dz, slope=slope, h=h):
        da = dz @ parameters["W2"].T * slope
        return {"W2": h.T @ dz, "b2": dz.sum(0), "W1": x.T @ da, "b1": da.sum(0)}

    def first_layer(slope):
        return {name: backward(dz, slope)[name] for name in ["W1", "b1"]}

    right = backward(dz)
    da = dz @ parameters["W2"].T * slope
    return [
        (
            backward(-dz),
            "Every sign is turned round, so a step would make the loss larger. The error at the "
            "output is p minus the one-hot label, not the label minus p.",
        ),
        (
            backward(dz * n),
            "It is as many times too large as there are examples: the loss is the *mean* over the "
            "batch, so divide by the number of examples, once, at the output.",
        ),
        # W2 is judged before b2: where only the bias is too small, it is a mean.
        (
            {"b2": dz.mean(0), "b1": da.mean(0)},
            "A sum over the batch is needed here, not a mean: the division by the number of "
            "examples was done at the output already.",
        ),
        (
            backward(dz / n),
            "It is too small: you divided by the number of examples twice.",
        ),
        (
            backward(dz / classes),
            "You divided by the number of classes as well. The mean is over the examples only.",
        ),
        (
            backward(p / n),
            "The error at the output is p minus the one-hot label: subtract 1 at the right class.",
        ),
        (
            {"W2": right["W2"].T, "W1": right["W1"].T},
            "The gradient is transposed. It needs the shape of its matrix: inputs by outputs.",
        ),
        (
            {"W2": a.T @ dz},
            "You used the pre-activation `a`. What W2 multiplies is `h`, after the tanh.",
        ),
        (
            {"b2": dz, "b1": da},
            "One row for each example is left. The bias is the same for all of them, so its "
            "gradient is the *sum* over the batch (axis 0).",
        ),
        (
            {"b2": np.asarray(dz.sum()), "b1": np.asarray(da.sum())},
            "You summed over everything. Each neuron has its own bias: sum over the batch only.",
        ),
        (
            {"b2": dz.sum(1), "b1": da.sum(1)},
            "You summed over the neurons. Sum over the examples: axis 0.",
        ),
        (
            first_layer(1.0),
            "The slope of the activation is missing: on its way back through the tanh the error "
            "is multiplied by the derivative of the tanh.",
        ),
        (
            first_layer(1 - a**2),
            "In 1 - h^2 you used the pre-activation `a`. The formula holds for h = tanh(a).",
        ),
        (first_layer(1 - h), "The derivative of the tanh is 1 - h^2: the square is missing."),
        (first_layer(h * (1 - h)), "This is the slope of the sigmoid; the network uses tanh."),
        (first_layer(h), "You multiplied by h itself rather than by the slope of the tanh."),
        (
            first_layer((a > 0) * 1.0),
            "This is the slope of the ReLU; the network uses tanh.",
        ),
        (
            first_layer(1 - np.tanh(h) ** 2),
            "The tanh was taken twice: `h` is tanh(a) already, so its slope is 1 - h^2.",
        ),
    ]


@lab.check("one epoch of mini-batch SGD")
def sgd_epoch(answer):
    for batch_size in (4, 3):
        _judge_epoch(answer, batch_size)
    return "Every example once, in a new order, and one step downhill after each batch."


def _judge_epoch(answer, batch_size):
    n, rate = 11, 0.5
    x = np.arange(2.0 * n).reshape(n, 2)
    y = np.arange(n)
    start = {
        "W1": np.array([[1.0], [-1.0]]),
        "b1": np.array([0.5]),
        "W2": np.array([[2.0, -3.0]]),
        "b2": np.array([-0.5, 1.5]),
    }
    calls = []

    def slope(parameters, x, y):
        """Stand in for a network: write down what it is asked, and answer something distinct."""
        x, y = np.array(x), np.array(y)
        calls.append(({name: np.array(value) for name, value in parameters.items()}, x, y))
        return _made_up_slope(x)

    given = call(answer, start, slope, x, y, rate, batch_size, np.random.default_rng(4))
    if not isinstance(given.value, dict) or set(given.value) != set(start):
        raise CheckFailed(
            f"Return a dictionary with the same keys as `parameters`; this is "
            f"{describe(given.value)}."
        )
    calls = _once_each(calls, n)
    _judge_batches(calls, x, y, batch_size)
    _judge_steps(calls, given.value, start, rate, batch_size)


def _once_each(calls, n):
    """Leave out calls that only repeat the one before (one for each parameter, for example)."""
    once = calls[:1]
    for before, this in pairwise(calls):
        same = this[0].keys() == before[0].keys() and all(
            np.array_equal(this[0][name], before[0][name]) for name in this[0]
        )
        if not (same and np.array_equal(this[2], before[2])):
            once.append(this)
    return once if sum(labels.size for _, _, labels in once) == n else calls


def _made_up_slope(x):
    slope = 0.01 * x.mean()
    return {
        "W1": slope * np.array([[1.0], [2.0]]),
        "b1": slope * np.array([3.0]),
        "W2": slope * np.array([[4.0, 5.0]]),
        "b2": slope * np.array([6.0, 7.0]),
    }


def _judge_batches(calls, x, y, batch_size):
    """Fail unless the batches are a partition of the examples in a random order."""
    n = len(x)
    if not calls:
        raise CheckFailed("`gradients` was never called: ask it for the slopes of each batch.")
    sizes = [len(batch) for _, batch, _ in calls]
    if any(np.shape(batch)[1:] != x.shape[1:] or len(batch) != len(b) for _, batch, b in calls):
        raise CheckFailed(
            f"A batch must be whole rows of x and as many labels: (b, {x.shape[1]}) and (b,). "
            f"Yours began with the shapes {calls[0][1].shape} and {calls[0][2].shape}."
        )
    for _, batch, labels in calls:
        if not np.array_equal(batch[:, 0] // 2, labels):
            raise CheckFailed(
                "Rows and labels got mixed up: a row of x comes with the label of another row. "
                "Shuffle the *row numbers* once, and take the same ones from x and from y."
            )
    seen = np.concatenate([labels for _, _, labels in calls])
    if all(size == n for size in sizes):
        raise CheckFailed(
            "Each step used all of the examples. Take `batch_size` of them at a time."
        )
    if len(seen) > len(set(seen.tolist())):
        raise CheckFailed(
            "Some examples came twice in one epoch. Cut *one* shuffled list of all row numbers "
            "into pieces that don't overlap."
        )
    if len(seen) < n:
        if len(calls) == 1:
            advice = "it stopped after the first batch. Is the `return` inside the loop?"
        elif sizes == [batch_size] * (n // batch_size):
            advice = (
                "the last, smaller batch is missing. A slice may run over the end: `order[8:12]` "
                "of 11 numbers has 3."
            )
        else:
            advice = "go on until all of them were used."
        raise CheckFailed(f"Only {len(seen)} of {n} examples were used: {advice}")
    if sizes != [batch_size] * (n // batch_size) + [n % batch_size]:
        expected = [batch_size] * (n // batch_size) + [n % batch_size]
        raise CheckFailed(
            f"With {n} examples and `batch_size={batch_size}` the batches have the sizes "
            f"{', '.join(map(str, expected))}; yours: {', '.join(map(str, sizes))}."
        )
    if np.array_equal(seen, y):
        raise CheckFailed(
            "The examples came in their old order. Shuffle at the start of the epoch: "
            "`rng.permutation(len(x))`."
        )


def _judge_steps(calls, end, start, rate, batch_size):
    """Fail unless every batch's slopes were taken where the last step ended, and used once."""
    steps = [_made_up_slope(x) for _, x, _ in calls]

    def walk(factor):
        """Return the parameters before each step and after the last."""
        path = [start]
        for step in steps:
            path.append({name: path[-1][name] - factor * step[name] for name in start})
        return path

    def close(a, b):
        return all(np.allclose(to_numpy(a[name]), b[name]) for name in start)

    path = walk(rate)
    asked = [parameters for parameters, _, _ in calls]
    if close(end, path[-1]):
        if all(close(a, b) for a, b in zip(asked, path, strict=False)):
            return
        raise CheckFailed(
            "All slopes were computed with the parameters of the start. Pass the *new* parameters "
            "to `gradients` after each step."
        )
    last = {name: start[name] - rate * steps[-1][name] for name in start}
    known = [
        (start, "The parameters have not changed. Did you return the new ones?"),
        (walk(-rate)[-1], "You walk uphill: *subtract* the learning rate times the slope."),
        (walk(1.0)[-1], "The learning rate is missing."),
        (walk(rate / batch_size)[-1], _AVERAGED_TWICE),
        (last, "Only the last batch counts: start each step from the result of the one before."),
    ]
    for mistake, message in known:
        if close(end, mistake):
            raise CheckFailed(message)
    scaled = start
    for (_, x, _), step in zip(calls, steps, strict=True):
        scaled = {name: scaled[name] - rate / len(x) * step[name] for name in start}
    if close(end, scaled):
        raise CheckFailed(_AVERAGED_TWICE)
    raise CheckFailed(
        "The batches are right, but the parameters at the end are not. After each batch: "
        "new = old - rate * slope, for every key of the dictionary."
    )


_AVERAGED_TWICE = (
    "You divided by the batch size. `gradients` returns the slopes of the *mean* loss already."
)


@lab.check("an MLP in Keras")
def mnist_model(count, model):
    _judge_count(count)
    import keras

    if not isinstance(model, keras.Model):
        raise CheckFailed(
            f"A Keras model is expected, such as `keras.Sequential([...])`; this is "
            f"{describe(model)}."
        )
    x = np.random.default_rng(5).integers(0, 256, (6, 784), dtype=np.uint8)
    try:
        given = call(_predict(model), x)
    except CheckFailed:
        raise CheckFailed(
            "The model does not take a batch of images of the shape (n, 784): each image is one "
            "row of 784 numbers, `keras.Input((784,))`."
        ) from None
    if np.shape(given.value) != (6, 10):
        shape = np.shape(given.value)
        raise CheckFailed(
            f"For 6 images the output has the shape {shape}; expected: (6, 10), a "
            "number for each of the ten digits."
        )
    _judge_layers(model, x)
    _judge_loss(model, np.asarray(given.value, dtype=float))
    _judge_optimizer(model)
    _judge_copy(model)
    return "101,770 parameters, ten outputs, and a loss that fits them."


def _predict(model):
    def predict(images):
        import keras

        return keras.ops.convert_to_numpy(model(images, training=False))

    return predict


def _judge_count(count):
    number = to_numpy(count)
    if number is None or number.shape != () or number.dtype.kind not in "iuf":
        raise CheckFailed(f"`count` must be one whole number; it is {describe(count)}.")
    known = {
        784 * 128 + 128 * 10: "You forgot the biases: one for each neuron, 128 + 10.",
        784 * 128 + 128 * 10 + 128: "The biases of the ten output neurons are missing.",
        784 * 128 + 128 * 10 + 10: "The biases of the 128 hidden neurons are missing.",
        784 * 128 + 784 * 10: "The output layer does not see the 784 pixels: its inputs are the "
        "128 hidden neurons. (And each neuron has a bias.)",
        784 * 128 + 784 * 10 + 138: "The output layer does not see the 784 pixels: its inputs "
        "are the 128 hidden neurons.",
        784 * 128 * 10: "Each layer has its own weights, so *add* the two layers.",
        785 * 129 * 10: "Each layer has its own weights, so *add* the two layers.",
        784 * 128 + 128: "This is the first layer alone.",
        784
        + 128
        + 10: "This is the number of neurons. Every arrow between two of them has a weight.",
        784 * 128
        + 784
        + 128 * 10
        + 128: "A layer has one bias for each of its *outputs*, not inputs.",
    }
    number = float(number)
    if number in known:
        raise CheckFailed(f"`count` is {number:,.0f}. {known[number]}")
    if number != 101_770:
        raise CheckFailed(
            f"`count` is {number:,.10g}, which is not right. For each layer: inputs times "
            "outputs, plus one bias for each output. Then add the layers."
        )


def _judge_layers(model, x):
    found = model.count_params()
    if found != 101_770:
        known = {
            784 * 128 + 128 * 10: "The biases are missing: leave `use_bias` at its default.",
            784 * 10 + 10: "The hidden layer is missing.",
            784 * 128 + 128 + 128 * 128 + 128 + 128 * 10 + 10: "There are two hidden layers.",
        }
        advice = known.get(found, "One hidden layer of 128 neurons, then 10 outputs.")
        raise CheckFailed(f"The model has {found:,} parameters, not 101,770. {advice}")
    import keras

    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    if len(dense) != 2:
        return  # they lie within another layer, where only the outputs can be judged
    pixels, h = (_input_of(layer, model, x) for layer in dense)
    if pixels.max() > 10:
        raise CheckFailed(
            f"Pixels up to {pixels.max():.0f} reach the first dense layer. Divide them by 255 "
            "before it, with the same layer as in the network without a hidden layer."
        )
    weights, biases = dense[0].get_weights()
    a = pixels @ weights + biases

    def close(expected):
        return np.allclose(h, expected, rtol=0, atol=1e-3 * np.abs(a).max())

    if close(_softmax(a)):
        raise CheckFailed(
            "The hidden layer has a softmax, which makes its neurons compete. It belongs at the "
            "output; the hidden layer gets the ReLU."
        )
    if close(a):
        raise CheckFailed(
            "The hidden layer has no activation. Two layers without one between them can do no "
            "more than a single layer."
        )
    if not close(np.maximum(a, 0)):
        raise CheckFailed("The hidden layer has another activation than the ReLU.")


def _input_of(layer, model, x):
    """Return what reaches a layer of the model from x."""
    import keras

    return _predict(keras.Model(model.inputs[0], layer.input))(x)


def _are_probabilities(outputs):
    return np.all(outputs >= 0) and np.allclose(outputs.sum(axis=-1), 1, atol=1e-4)


def _judge_loss(model, outputs):
    """Fail unless the model's loss is the cross-entropy of what such a model puts out.

    The loss is asked about made-up outputs: those of a trained model may be 0 or 1.
    """
    import keras

    if getattr(model, "optimizer", None) is None or getattr(model, "loss", None) is None:
        raise CheckFailed("The model is not compiled: it has no loss or no optimizer yet.")
    probabilities = _are_probabilities(outputs)
    if not probabilities and np.all((outputs >= 0) & (outputs <= 1)):
        raise CheckFailed(
            "The outputs of an image don't sum to 1. Each image is *one* of ten digits: the "
            "last layer needs a softmax."
        )
    z, y = np.random.default_rng(6).normal(size=(6, 10)), np.arange(6)
    example = (_softmax(z) if probabilities else z).astype("float32")
    try:
        loss = keras.losses.get(model.loss)(y, keras.ops.convert_to_tensor(example))
        value = float(np.mean(keras.ops.convert_to_numpy(loss)))
    except Exception as problem:
        raise CheckFailed(
            "The loss does not fit the labels. They are the digits 0 to 9 themselves, not one-hot "
            "vectors: Keras has a cross-entropy for that, whose name begins with *sparse*. "
            f"({type(problem).__name__})"
        ) from None
    if abs(value - _cross_entropies(z, y).mean()) < 1e-3:
        _judge_metrics(model)
    elif probabilities and abs(value - _cross_entropies(example, y).mean()) < 1e-3:
        raise CheckFailed(
            "Softmax twice: the model ends in a softmax, and `from_logits=True` lets the loss "
            "apply another. Training would run, only badly. Do one or the other."
        )
    elif not probabilities:
        raise CheckFailed(
            "The outputs of an image don't sum to 1: they are logits, but the loss takes them for "
            'probabilities. Add `activation="softmax"` to the last layer.'
        )
    else:
        raise CheckFailed(
            "The loss is not the cross-entropy of the labels. For classes given as whole numbers: "
            '`loss="sparse_categorical_crossentropy"`.'
        )


def _judge_metrics(model):
    """Fail unless the model reports the accuracy by this name, as the lab looks it up."""
    config = model.get_compile_config() or {}
    if not (config.get("metrics") or config.get("weighted_metrics")):
        raise CheckFailed('Ask Keras to report the accuracy: `metrics=["accuracy"]`.')
    x, y = np.zeros((6, 784), dtype=np.uint8), np.arange(6)
    try:
        reported = model.test_on_batch(x, y, return_dict=True)
    except Exception as problem:
        raise CheckFailed(
            "Keras can't compute your metrics for such outputs and labels. The lab needs only the "
            f'accuracy: `metrics=["accuracy"]`. ({type(problem).__name__})'
        ) from None
    finally:
        model.reset_metrics()
    if "accuracy" not in reported:
        names = ", ".join(f"`{name}`" for name in reported if name != "loss")
        raise CheckFailed(
            'The training cell looks for a metric of the name `"accuracy"`; your model reports '
            f'{names}. The name comes from what you write in `metrics=["accuracy"]`.'
        )


def _judge_copy(model):
    """Fail if Keras can't make an untrained copy of the model, which a later cell trains."""
    import keras

    try:
        copy = keras.models.clone_model(model)
        copy.compile_from_config(model.get_compile_config())
    except Exception as problem:
        raise CheckFailed(
            "The network computes the right thing, but a later cell makes an untrained copy of it, "
            f"and Keras can't ({type(problem).__name__}). What stops it is usually a part of your "
            "own: a `lambda`, a `def` or a `class`. Use what Keras has for it, such as the layer "
            '`Rescaling` and `activation="relu"`.'
        ) from None


def _judge_optimizer(model):
    """Fail unless the model learns with Adam and a schedule, which its settings hold as a dict."""
    import keras

    rate = model.optimizer.get_config()["learning_rate"]
    if not isinstance(model.optimizer, keras.optimizers.Adam) or not isinstance(rate, dict):
        raise CheckFailed(
            "The model is compiled with another optimizer than the one given, whose learning rate "
            "falls: `model.compile(optimizer, ...)`."
        )


WORDS = {  # change of the accuracy, in percentage points: from, to
    "much lower": (-100, -5),
    "a little lower": (-5, -1),
    "the same": (-1, 1),
    "higher": (1, 100),
}


@lab.check("what a pixel shuffle does to an MLP")
def shuffle(prediction, before, after):
    word = str(prediction).strip().lower()
    if not isinstance(prediction, str) or word not in WORDS:
        raise CheckFailed(
            f"Answer with one of the four in quotes: {', '.join(map(repr, WORDS))}; "
            f"this is {describe(prediction)}."
        )
    change = 100 * (float(after) - float(before))
    measured = next(name for name, (low, high) in WORDS.items() if low <= change <= high)
    if word == measured:
        return f"Predicted and measured: {measured}."
    advice = {
        "much lower": "To you the shuffled images are noise. But does any formula of the network "
        "use which pixel lies *beside* which? Follow one pixel to its weight.",
        "a little lower": "What exactly would be lost? Follow one pixel: after the shuffle it "
        "arrives at another input, always the same one. Can its weights move along?",
        "the same": "Look at the two accuracies again.",
        "higher": "The shuffle adds no information. What could make the problem easier?",
    }[word]
    raise CheckFailed(f'You predicted "{word}"; the measurement says "{measured}". {advice}')
