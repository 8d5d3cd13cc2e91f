"""The progress bar of training cells."""

import pytest

from helpers import training


def test_progress_is_silent_under_ci(monkeypatch):
    monkeypatch.setenv("CI", "true")
    assert training.progress() == []


def test_progress_shows_a_bar_for_people(monkeypatch, capsys):
    import keras
    import numpy as np

    monkeypatch.delenv("CI", raising=False)
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(loss="mse")
    model.fit(np.ones((8, 2)), np.ones(8), epochs=2, verbose=0, callbacks=training.progress())
    assert "2/2" in capsys.readouterr().err


def test_track_is_silent_under_ci(monkeypatch, capsys):
    monkeypatch.setenv("CI", "true")
    assert list(training.track(["a", "b"])) == ["a", "b"]
    assert capsys.readouterr().err == ""


def test_track_shows_a_bar_for_people(monkeypatch, capsys):
    monkeypatch.delenv("CI", raising=False)
    assert list(training.track(["a", "b"])) == ["a", "b"]
    assert "2/2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "chosen"),
    [(["cpu:0"], 3), (["cpu"], 3), (["gpu:0", "gpu:1"], 10), (["cuda:0"], 10), (["mps:0"], 10)],
)
def test_a_number_is_chosen_by_device(monkeypatch, names, chosen):
    monkeypatch.setattr(training, "devices", lambda: names)
    assert training.by_device(cpu=3, gpu=10) == chosen


def test_the_devices_are_those_that_keras_computes_on():
    names = training.devices()
    assert names
    assert all(name.split(":")[0] in ("cpu", "gpu", "cuda", "mps") for name in names)
