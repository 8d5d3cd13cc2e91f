"""The progress bar of training cells."""

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
