"""The causal network: what it sees, what it is taught, and the forecast made of it."""

import keras
import numpy as np
import pytest

from helpers.symh import features, network
from helpers.symh.causality import looks_ahead
from tests.helpers import tempests


@pytest.fixture(scope="module")
def untrained():
    """A network of the usual size as it begins."""
    keras.utils.set_random_seed(0)
    return network.causal_network(20, 2)


def output(model, x):
    return keras.ops.convert_to_numpy(model(x))


def test_an_output_for_each_step_whatever_the_length(untrained):
    for steps in (1, 7, 300):
        assert output(untrained, np.zeros((3, steps, 20), "float32")).shape == (3, steps, 2)
    model = network.causal_network(5, 3, channels=8, kernel=2, dilations=(1, 2))
    # In, two convolutions, one step by itself, out; each with a bias.
    assert model.count_params() == 6 * 8 + 2 * (2 * 8 + 1) * 8 + 9 * 8 + 9 * 3


def test_each_step_sees_itself_and_the_120_before_it(untrained):
    x = np.random.default_rng(0).normal(size=(1, 300, 20)).astype("float32")
    other = x.copy()
    other[0, 100] += 50
    changed = np.abs(output(untrained, other) - output(untrained, x)).max(axis=(0, 2))
    assert changed[:100].max() < 1e-5
    assert changed[100:221].min() > 1e-4
    assert changed[221:].max() < 1e-5


def test_the_network_with_its_inputs_does_not_look_ahead(untrained):
    storm = tempests.table().iloc[: 2 * 288]

    def forecast(storm):
        return network.forecast([untrained], features.inputs(storm), storm["sym_h"])

    assert forecast(storm).shape == (576, 2)
    for row in (0, 200, 574):
        assert not looks_ahead(forecast, storm, row)


def series(rows, seed=0):
    """Inputs that tell the row and the seed, and some SYM-H."""
    inputs = np.stack([np.arange(rows), np.full(rows, seed)], axis=1)
    return inputs, np.random.default_rng(seed).normal(-30, 20, rows)


def test_chunks_of_a_day_end_where_the_last_target_is():
    inputs, sym_h = series(700)
    x, y, weights = network.day_chunks([inputs], [sym_h], (12, 24))
    assert x.shape == y.shape == (2, 288, 2)
    assert x.dtype == y.dtype == weights.dtype == np.float32
    assert x[:, [0, -1], 0].tolist() == [[388, 675], [100, 387]]
    for column, steps in enumerate((12, 24)):
        row = x[..., 0].astype(int)
        np.testing.assert_allclose(y[..., column] * 10, sym_h[row + steps] - sym_h[row], atol=1e-4)
    assert weights.tolist() == [[0] * 32 + [1] * 256] * 2


def test_storms_too_short_for_a_chunk():
    inputs, sym_h = zip(*(series(n, seed) for seed, n in enumerate([311, 312, 620])), strict=True)
    assert network.day_chunks(inputs, sym_h, (12, 24))[0][:, 0, 1].tolist() == [1, 2, 2]
    with pytest.raises(ValueError, match=r"No storm has 288 \+ 24 steps: take longer storms"):
        network.day_chunks(inputs[:1], sym_h[:1], (12, 24))


def test_a_forecast_is_sym_h_and_the_mean_change():
    networks = [lambda x, c=c: np.full((*x.shape[:2], 2), c) for c in ([1, -2], [3, -4])]
    made = network.forecast(networks, np.zeros((3, 20)), np.array([0.0, -10, -20]))
    assert made.tolist() == [[20, -30], [10, -40], [0, -50]]
