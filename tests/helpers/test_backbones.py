"""The pretrained networks: which goes with which photos, what they take and what they give."""

import warnings
from pathlib import Path

import keras
import numpy as np
import pytest

from helpers import backbones, data
from helpers.backbones import pretrained, skips

STRIDES = (2, 4, 8, 16)


def source(real: bool) -> data.Source:
    return data.Source("Photos", "folder" if real else "offline", Path("somewhere"))


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """The content of a file with random weights of MobileNetV2."""
    path = tmp_path_factory.mktemp("weights") / "random.weights.h5"
    keras.utils.set_random_seed(1)
    backbones._mobilenet(32).save_weights(path)
    return path.read_bytes()


@pytest.fixture
def weights(content, tmp_path, monkeypatch):
    """A file with random weights of MobileNetV2, in the place of the trained ones."""
    path = tmp_path / "random.weights.h5"
    path.write_bytes(content)
    monkeypatch.setattr(backbones, "backbone_weights", lambda photos: (path, photos))
    return path


def test_mobilenet(weights):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model, where = pretrained(64, source(real=True))
        model(np.zeros((1, 64, 64, 3), np.uint8))
    assert where.real
    assert model.output_shape == (None, 2, 2, 1280)
    assert model.count_params() == 410_208
    names = ["block_1_expand_relu", "block_3_expand_relu"]
    names += ["block_6_expand_relu", "block_13_expand_relu"]
    assert skips(model) == names
    shapes = [model.get_layer(name).output.shape for name in names]
    sides = [64 // stride for stride in STRIDES]
    assert [shape[1:] for shape in shapes] == [
        (side, side, channels) for side, channels in zip(sides, (48, 48, 96, 192), strict=True)
    ]


def test_mobilenet_scales_photos_itself(weights):
    """Keras's own network gives the same for photos scaled as its documentation says."""
    model, _ = pretrained(64, source(real=True))
    plain = keras.applications.MobileNetV2((64, 64, 3), 0.35, include_top=False, weights=None)
    plain.set_weights(model.get_weights())
    photos = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    expected = plain.predict(photos / np.float32(127.5) - 1, verbose=0)
    assert expected.std() > 0
    np.testing.assert_allclose(model.predict(photos, verbose=0), expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("fault", ["cut", "empty", "text", "other network", "missing"])
def test_weights_that_cannot_be_loaded(weights, content, fault):
    if fault == "missing":
        weights.unlink()
    elif fault == "other network":
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(weights)
    else:
        weights.write_bytes({"cut": content[:9999], "empty": b"", "text": b"<html>"}[fault])
    sentence = f"{weights} holds no weights of this .*set COURSE_DATA=offline"
    with pytest.raises(data.DataError, match=sentence):
        pretrained(32, source(real=True))


def test_offline_weights_that_cannot_be_loaded(weights):
    weights.write_bytes(b"")
    with pytest.raises(data.DataError, match=f"{weights} holds no weights .*git restore datasets"):
        pretrained(32, source(real=False))


def test_skips_are_the_last_layers_before_each_halving():
    inputs = x = keras.Input((32, 32, 3))
    for n, padding in enumerate(("same", "valid", "same")):
        x = keras.layers.Conv2D(4, 3, padding="same", name=f"first_{n}")(x)
        x = keras.layers.ReLU(name=f"last_{n}")(x)
        if padding == "valid":
            x = keras.layers.ZeroPadding2D(1)(x)
        x = keras.layers.Conv2D(4, 3, strides=2, padding=padding)(x)
    assert skips(keras.Model(inputs, x)) == ["last_1", "last_2"]


def test_network_for_the_offline_animals(monkeypatch):
    monkeypatch.setenv("COURSE_DATA", "offline")
    model, where = pretrained(96, data.look("hymenoptera"))
    assert not where.real
    assert skips(model) == [f"stride_{stride}" for stride in STRIDES]
    maps = [model.get_layer(name).output.shape[1] for name in skips(model)]
    assert maps == [96 // stride for stride in STRIDES]
    photos = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3), np.uint8)
    assert model(photos).shape == (2, 3, 3, 128)


def test_real_network(real_data, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(real_data))
    bugs = data.species(96)
    model, where = pretrained(96, bugs.source)
    assert where.real
    maps = model.predict(bugs.x_train[:60], verbose=0).mean((1, 2))
    centers = np.array([maps[bugs.y_train[:60] == k].mean(0) for k in (0, 1)])
    test = model.predict(bugs.x_test, verbose=0).mean((1, 2))
    nearest = ((test[:, None] - centers) ** 2).sum(-1).argmin(1)
    assert (nearest == bugs.y_test).mean() > 0.7
