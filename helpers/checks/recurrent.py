"""Checks of lab 07: the steps of three recurrent cells, unrolling, clipping, people, spectrograms.

What is asked for is written down as a *recipe*, named formulas one after the other. A mistake is
another formula in the place of one of them, so most mistakes, and any two of them together, take a
line of a table here: the formula and what to say about it.
"""

import functools
import itertools

import numpy as np

from .core import Answer, CheckFailed, Lab, describe, to_numpy
from .judge import agrees, attempt, evaluate, judge, numbers, same

lab = Lab("07 Recurrent networks")
reached = lab.reached
score_card = lab.score_card


# --- recipes -------------------------------------------------------------------------------------


def _recipe(arguments, **formulas):
    """Return a function of the named arguments that computes its formulas one after the other.

    A formula may use the arguments and the formulas before it. Keyword arguments of the function
    take the places of formulas.
    """

    def compute(*case, **replaced):
        scope = dict(zip(arguments.split(), case, strict=True))
        for name, formula in {**formulas, **replaced}.items():
            scope[name] = _value(formula, scope)
        return scope[name]

    return compute


def _value(formula, scope):
    return evaluate(formula, {**_TOOLS, **scope})


def _sigmoid(a):
    return 1 / (1 + np.exp(-a))


def _relu(a):
    return np.maximum(a, 0)


def _row(arrays):
    return np.concatenate([np.ravel(array) for array in arrays]).astype(float)


# What formulas can use besides their arguments.
_TOOLS = {
    "np": np,
    "fft": np.fft,
    "norm": np.linalg.norm,
    "relu": _relu,
    "row": _row,
    "sigmoid": _sigmoid,
    "split": lambda a, count: np.split(a, count, axis=-1),
    "tanh": np.tanh,
    "where": np.where,
}


def _replaced(compute, **wrong):
    """Yield (message, way) for each wrong formula, then for each two of them.

    `wrong` has a dictionary {formula: message} for names of formulas.
    """
    for count in (1, 2):
        for names in itertools.combinations(wrong, count):
            for formulas in itertools.product(*(wrong[name] for name in names)):
                chosen = dict(zip(names, formulas, strict=True))
                messages = dict.fromkeys(wrong[name][chosen[name]] for name in names)
                yield "\n\n".join(messages), functools.partial(compute, **chosen)


def _judge(cases, results, rights, mistakes, explain, errors=()):
    """Judge where a mistake's way may not work on every case: there it predicts nothing."""

    def careful(way):
        def predict(*case):
            try:
                return way(*case)
            except (ValueError, IndexError):  # shapes that don't fit
                return None

        return predict

    mistakes = ((message, careful(way)) for message, way in mistakes)
    judge(cases, results, rights, mistakes, explain, errors)


# --- what the three cells share ------------------------------------------------------------------


def _cases(gates, states, bias_rows=()):
    """Return arguments for a cell's step: sizes that differ, one sequence, equal sizes, extremes.

    Zeros for the bias, or for the states, tell where an unknown mistake is.
    """
    random = np.random.default_rng(11)

    def case(n, f, u, *, state=1.0, bias=1.0, dtype=float):
        given = [random.normal(size=(n, f)), *(state * random.normal(size=(states, n, u)))]
        given += [random.normal(size=(size, gates * u)) for size in (f, u)]
        given.append(bias * random.normal(size=(*bias_rows, gates * u)))
        return tuple(array.astype(dtype) for array in given)

    cases = [case(3, 2, 4), case(1, 3, 2), case(4, 3, 3, dtype=np.float32), case(5, 1, 3, bias=0)]
    cases += [case(5, 4, 2, state=0), case(2, 5, 1), case(3, 3, 3)]
    # Whole numbers, so that float32 holds the large sums exactly.
    extreme = case(5, 2, 3)
    x, kernel = np.resize([1000.0, -1000.0, -2000.0], (5, 2)), np.sign(extreme[states + 1])
    return [*cases, (x, *extreme[1 : states + 1], kernel, *extreme[states + 2 :])]


def _keras(name, x, states, weights):
    """Return the states after one step of Keras's cell with these weights, stacked."""
    import keras

    x, *states = (np.asarray(array, dtype="float32") for array in (x, *states))
    cell = getattr(keras.layers, name)(states[0].shape[1])
    cell.build(x.shape)
    cell.set_weights(weights)
    _, new = cell(keras.ops.array(x), [keras.ops.array(state) for state in states])
    return np.stack([keras.ops.convert_to_numpy(state) for state in new])


def _judge_step(answer, cases, right, recipe, mistakes, explain, errors, unpack):
    """Judge the step of a cell; `unpack` turns what came back into one array or fails."""
    results = [attempt(answer, case) for case in cases]
    for result in results:
        if isinstance(result, Answer):
            unpack(result)
    # Keras says what is right for the first case; JAX would compile anew for every other shape.
    with np.errstate(over="ignore"):
        rights = [right(*cases[0]), *(recipe(*case) for case in cases[1:])]
    fine = [agrees(result, expected) for result, expected in zip(results, rights, strict=True)]

    def advise(case, array, expected):
        hint = explain(case, array, expected)
        for words, place in [("the bias is zero", -1), ("the state before is zero", 1)]:
            zero = [not np.any(given[place]) for given in cases]
            if all(fine[k] for k in range(len(cases)) if zero[k]):
                part = "the bias" if place == -1 else "how the state before enters"
                return f"It is right where {words}: look at {part}. {hint}".strip()
        return hint

    _judge(cases, results, rights, mistakes, advise, errors)


def _unpack_one(result):
    if isinstance(result.value, tuple):
        raise CheckFailed(
            f"{result.what} returned {len(result.value)} things. Return one array, the new h."
        )


def _explain_state(case, array, right):
    if array.shape == right.shape:
        return ""
    return f"The new state of {right.shape[0]} sequences and {right.shape[1]} units is expected."


_NO_BIAS = "The bias has no effect on your result."
_NO_X = "`x` has no effect on your result: what becomes of `x` and `kernel`?"
_NO_H = "`h` has no effect on your result: what becomes of `h` and `recurrent`?"
_SWAPPED = "The two kernels have changed places: `kernel` belongs to `x`, `recurrent` to `h`."
_TWICE = "The bias is added twice. Once is enough, for the sum of the two products."
_FIRST_ONLY = "Only the first sequence came back. `x` holds several, one in each row."
_WRONG_GATES = {
    "lambda a: sigmoid(-a)": "Your sigmoid has the wrong sign: it is near 1 for large numbers.",
    "lambda a: a": "The sigmoid of the gates is missing: a gate lies between 0 and 1.",
    "tanh": "Your gates are a tanh. They are a sigmoid, between 0 and 1.",
    "lambda a: np.exp(a) / (1 + np.exp(a))": "For large numbers your sigmoid divides infinity by "
    "infinity, which is NaN. Write it with an exponential that vanishes there.",
}
_WRONG_CANDIDATES = {
    "lambda a: a": "The tanh of g is missing.",
    "sigmoid": "Your g is a sigmoid. Only the gates are: g is a tanh, it can be negative.",
    "relu": "Your g is a ReLU. It is a tanh.",
    "lambda a: tanh(sigmoid(a))": "Your g is the tanh of a sigmoid. Take the sigmoid of the gates "
    "after the cut, and the tanh of g alone.",
}


def _wrong_orders(names, formulas):
    """Return {order: message} for every wrong order of the parts of a kernel."""
    wrong = {}
    for order in itertools.permutations(range(len(names))):
        moved = [name for place, name in enumerate(names) if order[place] != place]
        if len(moved) == 2:
            who = f"Your {moved[0]} and {moved[1]} have changed places, in the kernels or in "
            wrong[str(order)] = f"{who}{formulas}. Keras's order is {', '.join(names)}."
        elif moved:
            taken = ", ".join(names[order.index(place)] for place in range(len(names)))
            wrong[str(order)] = (
                f"You take the parts of the kernels in the order {taken}. Keras's order is "
                f"{', '.join(names)}."
            )
    return wrong


def _wrong_blocks(count):
    return {
        f"lambda a, count: [a[..., k::{count}] for k in range({count})]": "Each of your parts has "
        f"every {count}th column. The parts are blocks of `units` columns, side by side."
    }


def _cell_errors(shapes, parts=""):
    """Return hints for errors of a step; `shapes` shows those of its arguments."""
    shapes = f"The shapes here: {shapes}."
    return [
        (
            "mismatch in its core|not aligned|Matrix size|matmul|cannot be multiplied",
            "Sequences are rows: in `a @ b`, b has as many rows as a has columns."
            f"{' Gates and states are multiplied number by number, `*`.' * bool(parts)} {shapes}",
        ),
        ("equal division", "The parts lie side by side: split along the last axis, `axis=-1`."),
        ("unpack", "Unpacking an array takes it apart by rows; the parts lie side by side."),
        (
            "broadcast|same shape|ncompatible|must match",
            f"{parts or 'The matrix product is `@`; `*` multiplies number by number.'} {shapes}",
        ),
    ]


# --- one step of the simple cell -----------------------------------------------------------------


@lab.check("one step of a simple cell")
def rnn_step(answer):
    def right(x, h, *weights):
        return _keras("SimpleRNNCell", x, [h], weights)[0]

    cases = _cases(1, 1)
    mistakes = _rnn_mistakes()
    _judge_step(answer, cases, right, _rnn, mistakes, _explain_state, _RNN_ERRORS, _unpack_one)
    return (
        "It agrees with `keras.layers.SimpleRNNCell` on copied weights, for one sequence and for "
        "several at once."
    )


_rnn = _recipe(
    "x h kernel recurrent bias",
    from_x="x @ kernel",
    from_h="h @ recurrent",
    total="from_x + from_h + bias",
    new="tanh(total)",
    result="new",
)
_TANH_OF_PARTS = "Add first, then take one tanh of the whole sum: yours is of parts."
_BY_NUMBER = "is multiplied number by number."


def _rnn_mistakes():
    yield _SWAPPED, lambda x, h, w, u, b: _rnn(x, h, u, w, b)
    yield from _replaced(
        _rnn,
        total={
            "from_x + from_h": _NO_BIAS,
            "from_x + from_h + 2 * bias": _TWICE,
            "from_h + bias": _NO_X,
            "from_x + bias": _NO_H,
        },
        new={
            "total": "The tanh is missing: your result is linear.",
            "sigmoid(total)": "You use a sigmoid. The simple cell has a tanh, between -1 and 1.",
            "relu(total)": "You use a ReLU. The simple cell has a tanh.",
            "tanh(from_x) + tanh(from_h) + bias": _TANH_OF_PARTS,
            "tanh(from_x) + tanh(from_h + bias)": _TANH_OF_PARTS,
            "tanh(from_x + bias) + tanh(from_h)": _TANH_OF_PARTS,
            "tanh(from_x) + from_h + bias": _TANH_OF_PARTS,
            "tanh(from_x + bias) + from_h": _TANH_OF_PARTS,
            "from_x + tanh(from_h) + bias": _TANH_OF_PARTS,
            "from_x + tanh(from_h + bias)": _TANH_OF_PARTS,
            "tanh(from_x + from_h) + bias": _TANH_OF_PARTS,
        },
        from_h={
            "h": "`h` is added as it is. It is multiplied by `recurrent` first.",
            "h @ recurrent.T": "`recurrent` is transposed. Multiply `h` by it as it is.",
            "h * recurrent": f"`h` {_BY_NUMBER}",
            "recurrent @ h": "`recurrent` comes first. Sequences are rows: `h` comes first.",
        },
        from_x={
            "x @ kernel.T": "`kernel` is transposed. Multiply `x` by it as it is.",
            "x * kernel": f"`x` {_BY_NUMBER}",
            "kernel @ x": "`kernel` comes first. Sequences are rows: `x` comes first.",
        },
        result={
            "new[0]": _FIRST_ONLY,
            "new[:1]": _FIRST_ONLY,
            "new.T": "Rows and columns have changed places: sequences are rows.",
        },
    )


_RNN_ERRORS = _cell_errors(
    "x {0.shape}, h {1.shape}, kernel {2.shape}, recurrent {3.shape}, bias {4.shape}"
)


# --- unrolling -----------------------------------------------------------------------------------


@lab.check("unrolling a cell over padded sequences")
def unroll(answer):
    cases, calls = zip(*_sequences(), strict=True)
    results = [attempt(answer, case) for case in cases]
    counts = [len(made) for made in calls]
    rights = [_unrolled(*case) for case in cases]
    _judge(cases, results, rights, _unroll_mistakes(), _explain_unroll, _UNROLL_ERRORS)
    for (_, x, _, _), count in zip(cases, counts, strict=True):
        if count > x.shape[1]:
            raise CheckFailed(
                f"Your states are right, but `step` was called {count} times for {x.shape[1]} "
                f"steps. It takes all {len(x)} sequences at once: call it once for each step."
            )
    return (
        "All states are right, with padding at the end, in the middle and at the beginning, and "
        "`step` was called once for each step."
    )


def _sequences():
    """Yield pairs of the arguments (step, x, h, mask) and a list of the calls of `step`."""
    random = np.random.default_rng(12)
    end = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0]], bool)
    middle = np.array([[1, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0, 0], [0, 1, 1, 0]], bool)
    start = np.array([[0, 0, 1, 1, 1, 1], [0, 1, 1, 1, 0, 1]], bool)
    for mask, f, u, zeros, scale in [
        (np.ones((3, 5), bool), 2, 4, False, 1),
        (end, 2, 4, True, 0),
        (end, 2, 4, True, 1),
        (middle, 3, 4, False, 1),
        (start, 1, 3, False, 1),
        (np.array([[True, False, True]]), 4, 2, True, 1),
        (np.ones((5, 1), bool), 2, 3, False, 1),
    ]:
        x = random.normal(size=(*mask.shape, f))
        if zeros:
            x[~mask] = 0
        else:
            x[-1, -1] = 0  # a value like any other: only the mask says what is padding
        h = scale * random.normal(size=(len(mask), u))
        step, calls = _recorded(random.normal(size=(f, u)), random.normal(size=(u, u)))
        yield (step, x, h, mask), calls


def _recorded(kernel, recurrent):
    """Return a step with these weights and the list to which its calls are added."""
    calls = []

    def step(x, h):
        x, h = np.asarray(x), np.asarray(h)
        if x.shape[-1:] != kernel.shape[:1] or h.shape != (*x.shape[:-1], len(recurrent)):
            raise ValueError(
                f"step was given x of shape {x.shape} and h of shape {h.shape}; it takes "
                f"(n, {len(kernel)}) and (n, {len(recurrent)})"
            )
        calls.append(x)
        return np.tanh(x @ kernel + h @ recurrent + 0.5)

    return step, calls


def _unrolled(
    step,
    x,
    h,
    mask,
    *,
    start="h",
    take="x[:, t]",
    keep="where(mask[:, t, None], new, state)",
    feed="kept",
    collect="np.stack(states, axis=1)",
):
    """Return the states of all steps; formulas stand for what can be done wrongly."""
    scope = {"step": step, "x": x, "h": h, "mask": mask, "states": []}
    state = _value(start, scope)
    for t in range(x.shape[1]):
        scope.update(t=t, state=state)
        scope["new"] = step(_value(take, scope), state)
        scope["kept"] = _value(keep, scope)
        scope["states"].append(scope["kept"])
        state = _value(feed, scope)
    whole = mask.all(axis=0)
    scope["cut"] = len(whole) if whole.all() else int(np.argmin(whole))  # the first with padding
    return _value(collect, scope)


_ALONG_UNITS = (
    "`mask[:, t]` has one value for each sequence, (n,). Beside states, (n, units), it needs a "
    "second axis of length 1."
)
_EACH_STATE = "Return the states of all the steps, (n, steps, units)."
_ONLY_FIRST = "Only the first state came back. Does the `return` stand inside the loop?"
_LONG = f"Your states are joined along one axis. {_EACH_STATE}"
_WHOLE_BATCH = "Your mask is one decision for the whole batch. Each sequence has its own."
_BREAK = (
    "Your loop ends where one sequence is padded. The others go on: only the state of that one "
    "waits."
)


def _unroll_mistakes():
    return _replaced(
        _unrolled,
        keep={
            "new": "The mask has no effect: padding changes the state. Where `mask` is False a "
            "sequence keeps the state it had.",
            "where(mask[:, t, None], state, new)": "The mask is the wrong way round: True is a "
            "value, False is padding.",
            "where(mask[:, t, None], new, 0)": "At padding your state becomes zero. It should stay "
            "what it was.",
            "where(np.any(x[:, t] != 0, -1, keepdims=True), new, state)": "You take zeros in `x` "
            "for padding. A value can be zero, and padding can hold anything: only `mask` tells.",
            "step(x[:, t] * mask[:, t, None], state)": "You set padded inputs to zero. Zero is an "
            "input, too: it changes the state.",
            "where(mask[:, t], new, state)": _ALONG_UNITS,
            "where(mask[t][:, None], new, state)": "`mask[t]` belongs to sequence t. Sequences "
            "come first, steps second.",
            "new if mask[:, t].any() else state": _WHOLE_BATCH,
            "new if mask[:, t].all() else state": _WHOLE_BATCH,
        },
        feed={
            "state": "Every step begins with the first state. It should begin with the one that "
            "the step before left.",
            "new": "The padded steps are right in your output, but the next step begins with what "
            "padding made of the state.",
        },
        start={
            "np.zeros_like(h)": "Your states begin with zeros; they should begin with the given "
            "`h`."
        },
        take={
            "x[t]": "`x[t]` is sequence t with all its steps. Take one step of all sequences, "
            "along the second axis."
        },
        collect={
            "np.stack(states)": "The steps come first in your result, (steps, n, units); sequences "
            "should. (A list of states has the steps first, too: `np.stack` has an `axis`.)",
            "states[-1]": f"Only the last state came back. {_EACH_STATE}",
            "states[0]": _ONLY_FIRST,
            "np.stack(states, 1) * mask[..., None]": "Your output is zero at padding. The state "
            "stays what it was, and so does the output.",
            "np.stack([states[-1]] * len(states), 1)": "All your states are the last one: the list "
            "holds one array again and again. Make a new one in each step, or append a copy.",
            "np.stack([h, *states[:-1]], 1)": "Your states are those *before* each step; collect "
            "them after it.",
            "np.stack([h, *states], 1)": "The given `h` stands before your states. Return only "
            "those after each step.",
            "np.concatenate(states, axis=1)": _LONG,
            "np.concatenate(states, axis=0)": _LONG,
            "np.reshape(states, (len(h), len(states), -1))": "`reshape` mixes sequences and steps. "
            "Exchange the axes, or stack along the right one.",
            "np.array(states).T": "`.T` turns all three axes round. Exchange the first two only.",
            "np.stack(states[:1], 1)": _ONLY_FIRST,
            "np.stack(states[:cut], 1)": _BREAK,
            "np.stack([s * (k < cut) for k, s in enumerate(states)], 1)": _BREAK,
        },
    )


def _explain_unroll(case, array, right):
    if array.shape != right.shape:
        return _EACH_STATE
    i, t = np.argwhere(~np.isclose(array, right, atol=1e-5))[0][:2]
    return (
        f"The first wrong state is that of sequence {i} after step {t}, where the mask is "
        f"{case[-1][i, t]}."
    )


_UNROLL_ERRORS = [
    (
        "step was given",
        "`x` has the shape {1.shape}, (n, steps, features). `step` takes one step of all "
        "sequences, (n, features), and the state of all, (n, units).",
    ),
    (
        "(?i)ambiguous",
        "The mask of a step has one value for each sequence; `if` takes one only. `np.where` "
        "chooses for each.",
    ),
    ("broadcast|must match|ncompatible|boolean index", _ALONG_UNITS),
    ("out of bounds", "`x` has the shape {1.shape}: sequences come first, steps second."),
]


# --- which gradient survives ---------------------------------------------------------------------


@lab.check("which network keeps its gradient")
def keeps(keeps, norms):
    """Compare a predicted name with gradient norms, {name: (steps,), relative to step 0}."""
    names = {" ".join(str(name).casefold().split()): name for name in norms}
    name = names.get(" ".join(keeps.casefold().split())) if isinstance(keeps, str) else None
    if name is None:
        listed = ", ".join(f"`{name}`" for name in norms)
        raise CheckFailed(f"This is {describe(keeps)}; answer with one of these: {listed}.")
    last = {key: float(np.ravel(to_numpy(values))[-1]) for key, values in norms.items()}
    with np.errstate(divide="ignore", invalid="ignore"):
        off = {key: abs(np.log10(value)) for key, value in last.items()}
    off = {key: np.inf if np.isnan(value) else value for key, value in off.items()}
    steps = len(np.ravel(to_numpy(norms[name])))
    value = last[name]
    if np.isinf(off[name]):
        became = "vanished altogether" if value == 0 else "grown beyond all numbers"
        figure = f"after {steps} steps its gradient has {became}"
    else:
        figure = f"after {steps} steps its gradient is {value:.2g} times what it was"
    if np.isfinite(off[name]) and off[name] <= min(off.values()) + 1e-6:
        return f"`{name}`: {figure}. No other stays nearer to 1."
    why = (
        "What is multiplied at every step by less than 1 vanishes."
        if value < 1
        else "What is multiplied at every step by more than 1 explodes."
    )
    raise CheckFailed(
        f"You predicted `{name}`; {figure}. {why} Look at the figure again: another curve ends "
        "nearer to 1."
    )


# --- clipping ------------------------------------------------------------------------------------


@lab.check("clipping by the global norm")
def clip(answer):
    random = np.random.default_rng(13)
    shapes = [(3, 4), (4,), (2, 1, 3)]
    large = [random.normal(size=shape) for shape in shapes]
    cases = [
        ([np.array([3.0, 0.0]), np.array([[4.0]])], 1.0),
        ([np.array([0.3, 0.0]), np.array([[0.4]])], 1.0),
        (large, 2.0),
        ([-5 * g.astype("float32") for g in large], 7.5),
        ([0.1 * g for g in large], 3.0),
        ([random.normal(size=5)], 0.5),
        ([np.zeros(3), np.zeros((2, 2))], 1.0),
        # each array is below the limit, all of them together are not
        ([np.array([0.0, 0.9]), np.array([-0.9]), np.array([[0.9, 0.0]])], 1.0),
    ]
    results = [_try_clip(answer, *case) for case in cases]
    rights = [_clipped(*case) for case in cases]
    _judge(cases, results, rights, _clip_mistakes(), _explain_clip, _CLIP_ERRORS)
    return (
        "Gradients above the limit are scaled by one factor for all, so that their norm is the "
        "limit; smaller ones, and zeros, stay as they are."
    )


def _try_clip(answer, gradients, limit):
    """Return the answer's arrays as one row of numbers, or the failure."""
    changed = []

    def observed(gradients, limit):
        before = [gradient.copy() for gradient in gradients]
        value = answer(gradients, limit)
        pairs = zip(before, gradients, strict=False)
        changed[:] = [len(before) != len(gradients) or not all(same(*pair) for pair in pairs)]
        return value

    observed.__name__ = getattr(answer, "__name__", "your_function")
    result = attempt(observed if callable(answer) else answer, (gradients, limit))
    if not isinstance(result, Answer):
        return result
    if changed[0]:
        raise CheckFailed(
            f"{result.what} changes the given gradients in place. Make new arrays: "
            "`gradient = gradient * factor` does, `gradient *= factor` doesn't."
        )
    return Answer(_in_a_row(result, gradients), f"{result.what}, its arrays end to end,")


def _in_a_row(result, gradients):
    value, shapes = result.value, [gradient.shape for gradient in gradients]
    wanted = f"Return a list of {len(shapes)} arrays, of the shapes that were given"
    listed = isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim)
    arrays = [numbers(part) for part in value] if listed else []
    found = [None if array is None else array.shape for array in arrays]
    if found == shapes:
        return _row(arrays)
    if not listed:
        what = f"is {describe(value)}"
    elif isinstance(value, tuple) and isinstance(value[0], list | tuple):
        what = "has a list and something else in it"
    elif found == shapes[:1]:
        what = "has the first array only (does the `return` stand inside the loop?)"
    elif set(found) == {()}:
        what = "is one row of numbers"
    else:
        what = f"has parts of the shapes {', '.join(map(str, found)) or 'none'}"
    raise CheckFailed(f"{result.what} {what}. {wanted}.")


_clipped = _recipe(
    "gradients limit",
    norms="[norm(g) for g in gradients]",
    numbers="row(gradients)",
    n="norm(numbers)",
    factor="limit / n if n > limit else 1.0",
    result="factor * numbers",
)
_OF_ALL = "The norm is the root of the sum of all squares, of all arrays together."


def _clip_mistakes():
    return _replaced(
        _clipped,
        n={
            "sum(norms)": f"You add up the norms of the arrays. {_OF_ALL}",
            "np.sum(numbers**2)": f"The root is missing. {_OF_ALL}",
            "np.sum(np.abs(numbers))": f"You add up absolute values. {_OF_ALL}",
            "np.max(np.abs(numbers))": f"You take the largest number. {_OF_ALL}",
            "max(norms)": f"You take the largest norm of an array. {_OF_ALL}",
            "np.sqrt(np.mean(numbers**2))": f"You take the mean of the squares. {_OF_ALL}",
            "norms[0]": f"Your norm is that of the first array. {_OF_ALL}",
            "norms[-1]": f"Your norm is that of the last array. {_OF_ALL}",
        },
        factor={
            "limit / n": "Gradients below the limit are scaled up to it (and zeros divided by 0). "
            "Only those above it change.",
            "limit / n if n > 0 else 1.0": "Gradients below the limit are scaled up to it. Only "
            "those above it change.",
            "limit / n if n < limit else 1.0": "It is the wrong way round: you scale gradients "
            "whose norm is *below* the limit.",
            "n / limit if n > limit else 1.0": "Your factor is the wrong way round: large "
            "gradients grow.",
            "1 / n if n > limit else 1.0": "Large gradients get the norm 1, whatever the limit.",
            "1 / limit if n > limit else 1.0": "You divide by the limit. Which factor takes the "
            "norm to the limit?",
            "0.0 if n > limit else 1.0": "Large gradients become zero; scale them down.",
            "1.0": "The gradients came back as they were.",
        },
        result={
            "row([g * min(1, limit / max(m, 1e-9)) for g, m in zip(gradients, norms)])": "Each "
            "array is clipped by its own norm. Take one norm, of all arrays together, and one "
            "factor.",
            "row([factor * gradients[0], *gradients[1:]])": "Only the first array is scaled. All "
            "of them are, by one factor.",
            "np.clip(numbers, -limit, limit)": "You cut off each number at the limit, which turns "
            "the gradient in another direction. Scale all arrays by one factor.",
            "np.minimum(numbers, limit)": "You cut off each number at the limit. Scale all arrays "
            "by one factor.",
        },
    )


def _explain_clip(case, array, right):
    gradients, limit = case
    norm, mine = np.linalg.norm(_row(gradients)), np.linalg.norm(array)
    return (
        f"The norm of all the given arrays together is {norm:.4g} and the limit {limit:g}; what "
        f"you return has the norm {mine:.4g}, expected: {min(norm, limit):.4g}."
    )


_CLIP_ERRORS = [
    ("generator", "NumPy can't add up what a loop yields: use Python's own `sum`, or a list."),
    ("ZeroDivision", "All gradients are zero there, so their norm is. Divide only if you must."),
    (
        "inhomogeneous|with a sequence|could not be broadcast",
        "The arrays have different shapes and don't fit into one: treat one after the other.",
    ),
    ("can't multiply sequence", "A list can't be scaled; each array in it can."),
    ("bad operand|unsupported operand", "The gradients are a *list* of arrays."),
]


# --- one step of an LSTM -------------------------------------------------------------------------


@lab.check("one step of an LSTM")
def lstm_step(answer):
    def right(x, h, c, *weights):
        return _keras("LSTMCell", x, [h, c], weights)

    cases = _cases(4, 2)
    mistakes = _lstm_mistakes()
    _judge_step(answer, cases, right, _lstm, mistakes, _explain_lstm, _LSTM_ERRORS, _unpack_pair)
    return (
        "Both states agree with `keras.layers.LSTMCell` on copied weights, also for inputs so "
        "large that an exponential overflows."
    )


def _unpack_pair(result):
    """Replace the pair (h, c) by one array of the shape (2, n, units)."""
    value = result.value
    parts = [numbers(part) for part in value] if isinstance(value, list | tuple) else []
    if len(parts) == 2 and isinstance(value[1], list | tuple) and len(value[1]) == 2:
        raise CheckFailed(f"{result.what} returned h and a pair, as Keras's cell does: (h, c)!")
    shapes = [None if part is None else part.shape for part in parts]
    array = np.stack(parts) if len(set(shapes)) == 1 and None not in shapes else numbers(value)
    if array is None or array.ndim != 3 or len(array) != 2:
        what = f"shapes {shapes}" if len(parts) == 2 else describe(value)
        raise CheckFailed(
            f"{result.what} returned {what}. Return both new states, (h, c), each of the shape "
            "(n, units)."
        )
    result.value = array
    result.what += ", first h and then c,"


_lstm = _recipe(
    "x h c kernel recurrent bias",
    from_x="x @ kernel",
    from_h="h @ recurrent",
    total="from_x + from_h + bias",
    blocks="split",
    parts="blocks(total, 4)",
    order="(0, 1, 2, 3)",  # the places of i, f, g and o
    gate="sigmoid",
    i="gate(parts[order[0]])",
    f="gate(parts[order[1]])",
    o="gate(parts[order[3]])",
    bend="tanh",
    g="bend(parts[order[2]])",
    new="f * c + i * g",
    out="o * tanh(new)",
    result="np.stack([out, new])",
)


def _lstm_mistakes():
    yield _SWAPPED, lambda x, h, c, w, u, b: _lstm(x, h, c, u, w, b)
    yield from _replaced(
        _lstm,
        order=_wrong_orders("ifgo", "the formulas of c and h"),
        new={
            "f * c + g": "The input gate i is missing from the new c.",
            "c + i * g": "The forget gate f is missing from the new c: the old c is kept whole.",
            "i * g": "The old c is missing from the new one.",
            "f * c": "g is missing from the new c: nothing is added.",
            "f * h + i * g": "The forget gate is applied to h; it belongs to c.",
            "f * c + (1 - f) * g": "You use 1 - f for the input gate. An LSTM has a gate i for it.",
            "f * c * i * g": "You multiply the two parts of the new c. Add them.",
        },
        out={
            "o * new": "The tanh of c is missing in h.",
            "o * tanh(c)": "Your h uses the old c. It uses the new one.",
            "tanh(new)": "The output gate o is missing in h.",
            "o * sigmoid(new)": "In h you take the sigmoid of c. It is a tanh.",
        },
        bend=_WRONG_CANDIDATES,
        gate=_WRONG_GATES,
        total={
            "from_x + from_h": _NO_BIAS,
            "from_x + from_h + 2 * bias": _TWICE,
            "from_h + bias": _NO_X,
            "from_x + bias": _NO_H,
        },
        blocks=_wrong_blocks(4),
        result={
            "np.stack([new, out])": "The states have changed places: h comes first, then c.",
            "np.stack([out, c])": "You return the c that was given. Return the new one.",
            "np.stack([out, out])": "You return h twice; the second is the new c.",
        },
    )


def _explain_lstm(case, array, right):
    if array.shape != right.shape:
        return f"Each of the two states has the shape {right.shape[1:]}, (n, units)."
    if same(array[1], right[1]):
        return "Your c is right, so i, f and g are. Look at how h comes from o and the new c."
    if same(array[0], right[0]):
        return "Your h is right, but what you return as c isn't the new c."
    return "c is wrong, and so is h, which depends on it. Look at c first."


_PARTS = "The parts lie side by side; each, like the states, has the shape (n, units)."
_LSTM_ERRORS = _cell_errors(
    "x {0.shape}, h {1.shape}, c {2.shape}, kernel {3.shape}, recurrent {4.shape}, bias {5.shape}",
    _PARTS,
)


# --- one step of a GRU ---------------------------------------------------------------------------


@lab.check("one step of a GRU")
def gru_step(answer):
    def right(x, h, *weights):
        return _keras("GRUCell", x, [h], weights)[0]

    cases = _cases(3, 1, bias_rows=(2,))
    mistakes = _gru_mistakes()
    _judge_step(answer, cases, right, _gru, mistakes, _explain_state, _GRU_ERRORS, _unpack_one)
    return (
        "It agrees with `keras.layers.GRUCell` on copied weights, both biases included, also for "
        "inputs so large that an exponential overflows."
    )


_gru = _recipe(
    "x h kernel recurrent bias",
    from_x="x @ kernel + bias[0]",
    from_h="h @ recurrent + bias[1]",
    blocks="split",
    parts_x="blocks(from_x, 3)",
    parts_h="blocks(from_h, 3)",
    order="(0, 1, 2)",  # the places of z, r and g
    gate="sigmoid",
    z="gate(parts_x[order[0]] + parts_h[order[0]])",
    r="gate(parts_x[order[1]] + parts_h[order[1]])",
    g_x="parts_x[order[2]]",
    g_h="parts_h[order[2]]",
    bias_h="blocks(bias[1], 3)[order[2]]",
    kernel_h="blocks(recurrent, 3)[order[2]]",
    inner="g_x + r * g_h",
    bend="tanh",
    g="bend(inner)",
    new="z * h + (1 - z) * g",
    result="new",
)
_WHOLE_BIAS = (
    "`bias` is added as a whole, so each of two sequences gets a row of it. Row 0 is added to x W, "
    "row 1 to h U, for all sequences."
)
_SHARES = "The shares of old and new add up to 1."


def _gru_mistakes():
    two = "gate(parts_x[order[{0}]]) + gate(parts_h[order[{0}]])"
    yield (
        "Each of your gates is the sum of two sigmoids. Add first, then take one sigmoid.",
        functools.partial(_gru, z=two.format(0), r=two.format(1)),
    )
    yield _SWAPPED, lambda x, h, w, u, b: _gru(x, h, u, w, b)
    both_to_x = {"from_x": "x @ kernel + bias[0] + bias[1]", "from_h": "h @ recurrent"}
    for message, formulas in {
        _NO_BIAS: {"from_x": "x @ kernel", "from_h": "h @ recurrent"},
        "r doesn't reach row 1 of `bias`. It belongs to h U, and r multiplies both.": both_to_x,
        "The biases have changed places: row 0 is added to x W, row 1 to h U.": {
            "from_x": "x @ kernel + bias[1]",
            "from_h": "h @ recurrent + bias[0]",
        },
        "Both biases are added to h U. Row 0 belongs to x W.": {
            "from_x": "x @ kernel",
            "from_h": "h @ recurrent + bias[0] + bias[1]",
        },
        _WHOLE_BIAS: {"from_x": "x @ kernel + bias", "from_h": "h @ recurrent"},
        f"{_WHOLE_BIAS} ": {"from_x": "x @ kernel + bias", "from_h": "h @ recurrent + bias"},
    }.items():
        yield message, functools.partial(_gru, **formulas)
    yield from _replaced(
        _gru,
        inner={
            "g_x + (r * h) @ kernel_h + bias_h": "You reset before the product, (r * h) @ U: the "
            "form of many textbooks and of `reset_after=False`. Keras's default multiplies r by "
            "the *product*, bias included.",
            "g_x + g_h": "The reset gate r has no effect on g.",
            "r * (g_x + g_h)": "r multiplies all of g. It belongs to what comes from h.",
            "r * g_x + g_h": "r multiplies what comes from x. It belongs to what comes from h.",
            "g_x": "g doesn't depend on h.",
        },
        new={
            "(1 - z) * h + z * g": "z and 1 - z have changed places. Some papers write it so; in "
            "Keras z is the share of the *old* state.",
            "z * h + z * g": f"Both states are multiplied by z. {_SHARES}",
            "(1 - z) * (h + g)": f"Both states are multiplied by 1 - z. {_SHARES}",
            "(1 - z) * g": "The old state is missing from the new one.",
            "z * h": "g is missing from the new state.",
            "g": "z has no effect: your new state is g.",
            "h + (1 - z) * g": f"The old state is added whole. {_SHARES}",
            "z * h + g": f"g is added whole. {_SHARES}",
        },
        order=_wrong_orders("zrg", "the formulas"),
        from_x={
            "x @ kernel": "The first bias, row 0 of `bias`, is missing. It is added to x W.",
            "x @ kernel + bias[1]": "Row 1 of `bias` is added twice. Row 0 belongs to x W.",
            "0 * x @ kernel + bias[0]": _NO_X,
        },
        from_h={
            "h @ recurrent": "The second bias, row 1 of `bias`, is missing. It is added to h U.",
            "h @ recurrent + bias[0]": "Row 0 of `bias` is added twice. Row 1 belongs to h U.",
            "0 * h @ recurrent + bias[1]": _NO_H,
        },
        bend=_WRONG_CANDIDATES,
        gate=_WRONG_GATES,
        blocks=_wrong_blocks(3),
        result={"new[0]": _FIRST_ONLY},
    )


_GRU_ERRORS = [
    (r"broadcast.* \(2,", "`bias` has two rows: row 0 is added to x W, row 1 to h U."),
    *_cell_errors(
        "x {0.shape}, h {1.shape}, kernel {2.shape}, recurrent {3.shape}, bias {4.shape}", _PARTS
    ),
]


# --- people apart --------------------------------------------------------------------------------


@lab.check("windows split by person")
def split_by_person(answer):
    random = np.random.default_rng(14)
    cases = [
        (np.array([11, 11, 12, 13, 12, 11, 14]), [12]),
        (np.array([24, 21, 23, 21]), [23, 21, 30, 24]),  # one of them isn't there
        (random.choice([31, 32, 35, 37, 44], size=26), np.array([37, 31])),
        (np.repeat([108, 101, 105, 103], [5, 2, 4, 3]), [103, 108, 101]),
    ]
    results = [attempt(answer, case) for case in cases]
    for case, result in zip(cases, results, strict=True):
        if isinstance(result, Answer):
            _unpack_split(result, *case)
    rights = [_split(*case) for case in cases]
    _judge(cases, results, rights, _split_mistakes(), _explain_split, _SPLIT_ERRORS)
    return (
        "Every window is in one of the two parts, and no person is in both, for every way to "
        "choose the people that was tried."
    )


_split = _recipe(
    "person people",
    first="np.isin(np.arange(len(person)), np.unique(person, return_index=True)[1])",
    chosen="np.isin(person, people)",
    parts="where(chosen, 2, 1)",  # 1 in the training part, 2 in the test part
)


def _unpack_split(result, person, test_people):
    """Replace (train, test) by 0 (in neither), 1 (train), 2 (test) or 3 (both) for each window."""
    value = result.value
    pair = isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim == 2)
    if not pair or len(value) != 2:
        raise CheckFailed(f"{result.what} doesn't give two arrays. Return (train, test).")
    places = np.zeros(len(person), dtype=int)
    for number, name, part in zip((1, 2), ("train", "test"), value, strict=True):
        if isinstance(part, tuple) and len(part) == 1:
            part = part[0]  # as `np.where` gives it
        array = numbers(part)
        if array is None or array.ndim != 1:
            raise CheckFailed(f"{name} of {result.what} is {describe(part)}, not a row of numbers.")
        if array.dtype.kind == "b" and array.shape == person.shape:
            array = np.flatnonzero(array)
        elif array.size and array.dtype.kind not in "iu":
            raise CheckFailed(
                f"{name} of {result.what} has the type {array.dtype} and the length {len(array)}. "
                f"Give the positions of windows, whole numbers, or a mask of {len(person)} values."
            )
        if array.shape == person.shape and len(array) > 2 and np.isin(array, [0, 1]).all():
            raise CheckFailed(f"{name} of {result.what} is a mask of numbers. Use True and False.")
        if np.any((array < 0) | (array >= len(person))):
            ids = "These are the numbers of people. " if np.isin(array, person).all() else ""
            raise CheckFailed(
                f"{name} of {result.what} is {describe(array)}. {ids}"
                f"Give the positions of windows, here 0 to {len(person) - 1}."
            )
        array = array.astype(int)
        if len(np.unique(array)) < len(array):
            raise CheckFailed(f"{name} of {result.what} holds a window more than once.")
        places[array] += number
    result.value = places
    result.what += ", as 1 for a window in train, 2 in test, 3 in both, 0 in neither,"


def _split_mistakes():
    one = "Only one of the test people is in test. `test_people` can name several."
    one_window = "test holds one window of each person. All windows of a test person belong there."
    return _replaced(
        _split,
        chosen={
            "person == people[0]": one,
            "person == people[-1]": one,
            "person == np.asarray(people)": "`==` compares `person` and `test_people` position by "
            "position. Ask for each window whether its person is *among* the test people.",
        },
        parts={
            "3 - where(chosen, 2, 1)": "The two parts have changed places: train comes first, and "
            "test has the people in `test_people`.",
            "where(chosen, 3, 1)": "train holds all windows, those of the test people included.",
            "where(chosen, 2 * first, 1)": one_window,
            "where(chosen & first, 2, 1)": one_window,
            "where(chosen, 2, 1) * first": one_window,
        },
    )


def _explain_split(case, array, right):
    person, test_people = case
    for place, words in [(3, "in both parts"), (0, "in neither part")]:
        windows = np.flatnonzero(array == place)
        if windows.size:
            return (
                f"{len(windows)} of {len(person)} windows are {words}, such as window {windows[0]} "
                f"of person {person[windows[0]]}."
            )
    for who in dict.fromkeys(person.tolist()):
        if len(set(array[person == who])) > 1:
            return (
                f"Person {who} has windows in both parts, so the test is about somebody whom the "
                "network has seen. All windows of a person belong in one part."
            )
    k = np.flatnonzero(array != right)[0]
    part = "test" if right[k] == 2 else "train"
    return f"Window {k} is of person {person[k]} and belongs in {part}: test has {test_people}."


_SPLIT_ERRORS = [
    (
        "out of bounds",
        "If that index is the number of a person: windows have positions of their own.",
    ),
    (
        "(?i)ambiguous|broadcast|lengths|elementwise",
        "Ask for each window whether its person is *among* the test people: `==` compares position "
        "by position, and `in` answers once.",
    ),
    (
        "unary ~",
        "`~` turns round an array of True and False, not a list: `np.array` makes an array of it.",
    ),
    (
        "at least one array",
        "A part can be empty: if all people are in the test, no window is left for training.",
    ),
    (
        "inhomogeneous",
        "Rows of different lengths don't fit in one array. `np.concatenate` puts them one after "
        "the other; the two parts are returned side by side, `return train, test`.",
    ),
]


# --- spectrogram ---------------------------------------------------------------------------------


@lab.check("spectrogram")
def spectrogram(answer):
    random = np.random.default_rng(15)
    tone = np.sin(0.9 * np.arange(90)) + 0.3 * np.cos(2.1 * np.arange(90)) + 0.5
    cases = [
        (np.array([0.0, 1, 2, 0, -1, -2, 0, 3, 1]), 4, 2),
        (random.normal(size=37), 8, 3),
        (2 + random.normal(size=50), 7, 7),
        (random.normal(size=30), 6, 10),
        (random.normal(size=20), 16, 4),
        (random.integers(-500, 500, 40, dtype=np.int16), 10, 5),
        (tone, 20, 7),
    ]
    results = [attempt(answer, case) for case in cases]
    for result in results:
        if isinstance(result, Answer):
            _refuse_spectrogram(result)
    # A Hann window is symmetric, or goes on periodically at its end, as SciPy makes it.
    conventions = [
        [_spectra(*case, window=window) for case in cases]
        for window in ("np.hanning(size)", "np.hanning(size + 1)[:-1]")
    ]
    rights = conventions[
        all(
            isinstance(result, Answer) and same(numbers(result.value), right)
            for result, right in zip(results, conventions[1], strict=True)
        )
    ]
    _judge(cases, results, rights, _spectrum_mistakes(), _explain_spectrum, _SPECTRUM_ERRORS)
    return (
        "Its values, its frames and its frequencies are right, for even and odd sizes and for "
        "frames that overlap, touch or leave gaps."
    )


def _refuse_spectrogram(result):
    array = to_numpy(result.value)
    if array is not None and array.dtype.kind == "c":
        raise CheckFailed(
            f"{result.what} holds complex numbers. Return how large they are, the absolute value."
        )
    if array is None and isinstance(result.value, list):
        lengths = sorted({len(part) for part in result.value if np.ndim(part) == 1})
        if len(lengths) > 1:
            raise CheckFailed(f"{result.what} has rows of {lengths} numbers. {_WHOLE}")


def _frames(signal, size, hop):
    count = (len(signal) - size) // hop + 1
    return np.stack([signal[k * hop : k * hop + size] for k in range(count)])


_spectra = _recipe(
    "signal size hop",
    x="signal.astype(float)",
    frames="cut(x, size, hop)",
    window="np.hanning(size)",
    spectrum="fft.rfft(frames * window)",
    strength="np.abs(spectrum)",
    result="strength",
)
_TOOLS["cut"] = _frames
_WHOLE = "Only whole frames count: the last one begins `size` samples before the end, or earlier."


def _spectrum_mistakes():
    padded = "Zeros (or a mirror image) stand before the signal: frame 0 begins at sample 0."
    mean = "You subtract a mean. The frames are taken as they are."
    other = "Your window is another one; asked for: `np.hanning(size)`."
    log = "This is a logarithm. The lab takes it later: return the absolute value."
    only_first = "Only the first frame came back. Does the `return` stand inside the loop?"
    divided = "You divide by a size. Return the absolute value as it is."
    return _replaced(
        _spectra,
        window={
            "np.ones(size)": "The window is missing: multiply each frame by `np.hanning(size)` "
            "before the transform.",
            "np.hamming(size)": "This is `np.hamming`; asked for: `np.hanning(size)`.",
            "np.blackman(size)": other,
            "np.bartlett(size)": other,
        },
        spectrum={
            "fft.fft(frames * window)": "These are all `size` frequencies of `np.fft.fft`. Those "
            "of a real signal come in pairs: `np.fft.rfft` gives each once.",
            "fft.rfft(frames * window)[:, : size // 2]": "The highest frequency is missing: there "
            "are size // 2 + 1, from 0 on.",
            "fft.rfft(frames * window)[:, 1:]": "The frequency 0 is missing.",
            "fft.rfft(frames * window, axis=0)": "Your transform runs along the frames. It should "
            "run along the samples of each frame.",
            "fft.rfft(frames)": "The window is missing in your result.",
            "fft.rfft(cut(x * np.hanning(len(x)), size, hop))": "Your window stretches over the "
            "whole signal. Each frame is multiplied by one of its own.",
        },
        strength={
            "np.abs(spectrum) ** 2": "These are squares, the power. Return the absolute value.",
            "spectrum.real": "This is the real part only. Return the absolute value, `np.abs`.",
            "np.abs(spectrum.real)": "The imaginary part is missing from your absolute value.",
            "spectrum.imag": "This is the imaginary part only. Return the absolute value.",
            "np.abs(fft.rfft(frames)) * np.hanning(size // 2 + 1)": "Your window multiplies the "
            "frequencies. It belongs to the samples of each frame, before the transform.",
            "np.angle(spectrum)": "This is the phase. Return the absolute value.",
            "np.log(np.abs(spectrum))": log,
            "np.log1p(np.abs(spectrum))": log,
            "np.log10(np.abs(spectrum))": log,
            "20 * np.log10(np.abs(spectrum))": log,
        },
        frames={
            "cut(x, size, size)": "Your frames stand side by side: the hop has no effect.",
            "cut(x, size, 1)": "Your frames move by one sample: the hop has no effect.",
            "cut(x, size, 1)[: (len(x) - size) // hop + 1]": "Your frames move by one sample. "
            "Where does frame k begin?",
            "cut(x, size, hop)[:-1]": "The last frame is missing. Count again: the first one needs "
            "no hop.",
            "cut(x[:-1], size, hop)": "A last frame that ends where the signal ends is missing: it "
            "still fits.",
            "cut(np.append(x, np.zeros(-(len(x) - size) % hop)), size, hop)": "There are zeros in "
            f"your last frame. {_WHOLE}",
            "cut(np.append(x, np.zeros(hop)), size, hop)": "You have one frame too many, with "
            f"zeros in it. {_WHOLE}",
            "cut(np.pad(x, size // 2), size, hop)": padded,
            "cut(np.pad(x, size // 2, mode='reflect'), size, hop)": padded,
            "cut(x, size, hop) - cut(x, size, hop).mean(1, keepdims=True)": mean,
            "cut(x - x.mean(), size, hop)": mean,
        },
        result={
            "strength.T": "Frames and frequencies have changed places: frames come first.",
            "strength / size": divided,
            "2 * strength / size": divided,
            "strength / np.sqrt(size)": divided,
            "strength / window.sum()": divided,
            "strength / strength.max()": "You divide by the largest value. Return the values as "
            "they are.",
            "strength[0]": only_first,
            "strength[:1]": only_first,
        },
    )


def _explain_spectrum(case, array, right):
    signal, size, hop = case
    if array.shape != right.shape:
        return (
            f"{len(signal)} samples have room for {right.shape[0]} whole frames of {size}, {hop} "
            f"apart, and a frame has {right.shape[1]} frequencies."
        )
    k = np.argwhere(~np.isclose(array, right, rtol=1e-4, atol=1e-4))[0][0]
    return f"The first wrong frame is {k}, the samples {k * hop} to {k * hop + size - 1}."


_SPECTRUM_ERRORS = [
    (
        "broadcast|inhomogeneous|with a sequence|same shape",
        "Does the window multiply the samples, before the transform? And has each frame `size` of "
        f"them, from `k * hop` on? {_WHOLE}",
    )
]
