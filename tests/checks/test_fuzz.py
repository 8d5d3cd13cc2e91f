"""Whatever a student hands in, a check answers: it passes, or fails with a sentence."""

import contextlib
import importlib
import inspect
import pkgutil
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import helpers.checks
from helpers.checks.core import CheckFailed


def all_checks():
    for found in pkgutil.iter_modules(helpers.checks.__path__):
        module = importlib.import_module(f"helpers.checks.{found.name}")
        for name, check in vars(module).items():
            own = getattr(check, "__module__", "") == module.__name__
            if own and hasattr(module, "lab") and hasattr(check, "__wrapped__"):
                yield pytest.param(check, id=f"{found.name}-{name}")


WORDS = ["max", "mean", "advection", "network", "yes", "", "…", "NaN"]
FLOATS = st.floats() | st.sampled_from([0.0, 1.0, -1.0, 1e300, float("nan"), float("inf")])
NUMBERS = st.integers(-5, 300) | st.integers() | FLOATS | st.complex_numbers() | st.booleans()
TYPES = (
    npst.boolean_dtypes()
    | npst.integer_dtypes()
    | npst.floating_dtypes()
    | npst.complex_number_dtypes()
    | npst.unicode_string_dtypes()
    | npst.datetime64_dtypes()
    | st.just(np.dtype(object))
)
ARRAYS = TYPES.flatmap(
    lambda kind: npst.arrays(
        kind,
        npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
        elements=st.integers() | st.text(max_size=2) | st.none() if kind.kind == "O" else None,
    )
)
LEAVES = NUMBERS | st.none() | st.sampled_from(WORDS) | st.binary(max_size=3) | ARRAYS
NESTED = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.sampled_from([*"Wbxy", 0, 1, "W1"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def tensor(array):
    return keras.ops.convert_to_tensor(array)


FLOAT_ARRAYS = npst.arrays(np.float32, npst.array_shapes(max_dims=4, min_side=0, max_side=4))
TENSORS = FLOAT_ARRAYS.map(tensor)
TABLES = npst.arrays(np.float32, st.tuples(st.integers(0, 3), st.integers(0, 3))).map(pd.DataFrame)


LAYERS = {
    "Dense": {"units": 2, "activation": "relu"},
    "Flatten": {},
    "Conv2D": {"filters": 2, "kernel_size": 3, "padding": "same"},
    "Rescaling": {"scale": 1 / 255},
    "Softmax": {},
    "Dropout": {"rate": 0.5},
}


class Network:
    """The recipe of a network, which is built when it is used: Keras draws random numbers then."""

    def __init__(self, shape, kinds):
        self.shape, self.kinds = shape, kinds

    def __repr__(self):
        return f"Network({self.shape}, {self.kinds})"

    def build(self):
        kinds = [getattr(keras.layers, kind)(**LAYERS[kind]) for kind in self.kinds]
        network = keras.Sequential(kinds)
        if self.shape is not None:
            with contextlib.suppress(ValueError):  # not all layers go together
                network.build((None, *self.shape))
        return network


SHAPES = st.sampled_from([None, (28, 28), (28, 28, 1), (5,), (None, 3), ()])
NETWORKS = st.builds(Network, SHAPES, st.lists(st.sampled_from(list(LAYERS)), max_size=3))


def built(answer):
    return answer.build() if isinstance(answer, Network) else answer


ODD = st.sampled_from([object(), int, np, {1, 2}, range(3), ..., np.sin, iter([]), Exception()])
THINGS = NESTED | TENSORS | TABLES | NETWORKS | ODD


def returning(value):
    """A function that takes anything and returns this."""
    return lambda *arguments, **named: built(value)


def giving_back(what):
    """A function that returns something made of its first argument."""
    return lambda *arguments, **named: what(arguments[0])


def raising(error):
    def function(*arguments, **named):
        raise error

    return function


def generating(*arguments, **named):
    yield from arguments


CHANGES = [
    lambda first: first,
    lambda first: (first, first),
    lambda first: np.asarray(first) * np.nan,
    lambda first: np.asarray(first)[..., None],
    lambda first: np.asarray(first)[:0],
    lambda first: np.asarray(first).astype("float32") * 1e38 * 1e38,
    lambda first: np.asarray(first).astype(str),
    lambda first: tensor(np.asarray(first, "float32")),
    lambda first: list(first),
    lambda first: first.fill(0),
]
ERRORS = [ValueError("no"), KeyError("x"), RecursionError(), ZeroDivisionError(), AssertionError()]
FUNCTIONS = (
    THINGS.map(returning)
    | st.sampled_from([giving_back(change) for change in CHANGES])
    | st.sampled_from([raising(error) for error in ERRORS])
    | st.sampled_from([generating, lambda: 1, lambda a, b, c, d, e, f, g: 1, print, np.mean, max])
)


@pytest.mark.parametrize("check", list(all_checks()))
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_a_check_answers_whatever_it_gets(check, data):
    names = inspect.signature(check.__wrapped__).parameters
    answers = [built(data.draw(FUNCTIONS | THINGS)) for _ in names]
    text = answer_of(check, answers)
    assert 0 < len(text) < 4000
    # What the lab itself hands to a check beside the answer is not random.
    assert len(names) > 1 or "could not be examined" not in text


def answer_of(check, answers):
    try:
        check(*answers)
    except CheckFailed as failure:
        return str(failure)
    return "correct"


IN_PLACE = {"unfreeze_last"}  # what they return is not asked for


def right_answers():
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        rights = {} if path.stem == "test_fuzz" else vars(importlib.import_module(path.stem))
        for check, answers in rights.get("RIGHT", {}).items():
            functions = [each for each in answers if inspect.isfunction(each)]
            if functions and check.__name__ not in IN_PLACE:
                yield pytest.param(check, functions[0], id=f"{path.stem[5:]}-{check.__name__}")


def in_each_part(change):
    """A change of numbers that is made in each part of a tuple, a list or a dictionary."""

    def changed(value):
        if isinstance(value, dict):
            return {key: changed(part) for key, part in value.items()}
        if isinstance(value, tuple | list):
            return type(value)(map(changed, value))
        return change(value)

    return changed


SPOILED = {
    "NaN": in_each_part(lambda part: keras.ops.convert_to_numpy(part) * np.nan),
    "infinite": in_each_part(lambda part: keras.ops.convert_to_numpy(part) + np.inf),
    "huge": in_each_part(lambda part: keras.ops.convert_to_numpy(part) + 1e30),
    "empty": in_each_part(lambda part: np.zeros(0)),
    "text": in_each_part(str),
    "one axis more": in_each_part(lambda part: keras.ops.convert_to_numpy(part)[..., None]),
    "one part more": lambda value: (value, value),
    "nothing": lambda value: None,
}


@pytest.mark.parametrize("fault", SPOILED)
@pytest.mark.parametrize(("check", "right"), list(right_answers()))
def test_a_right_answer_that_is_spoiled_does_not_pass(check, right, fault):
    def spoiled(*arguments, **named):
        return SPOILED[fault](right(*arguments, **named))

    text = answer_of(check, [spoiled])
    assert text != "correct"
    assert "could not be examined" not in text
