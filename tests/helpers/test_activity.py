"""Recordings of activities: the real file in miniature, its faults, and the people made up."""

import io
import time
import zipfile

import numpy as np
import pytest

from helpers import data
from helpers.data import gait, registry
from tests.helpers.miniature import refuses, write
from tests.helpers.processes import comes_with_data

FILE = "har_windows_int16.npz"
REGISTRY = """
[activity]
title = "Activity"
what = "recordings"
folder = "har"
licence = "none"
citation = "none"
files = [{ name = "har_windows_int16.npz" }]
"""


def arrays() -> dict[str, np.ndarray]:
    """Return a small file's arrays: three people, two experiments each, four windows each."""
    random = np.random.default_rng(0)
    return {
        "X": random.integers(-900, 900, (24, 128, 6), np.int16),
        "y": np.tile(np.arange(1, 7, dtype=np.uint8), 4),
        "subject": np.repeat(np.array([2, 1, 30], np.uint8), 8),
        "experiment": np.repeat(np.array([1, 2, 4, 3, 5, 6], np.uint8), 4),
        "scale": np.array([0.001] * 3 + [0.0005] * 3),
    }


def packed(contents: dict[str, np.ndarray]) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **contents)
    return file.getvalue()


@pytest.fixture
def har(course, monkeypatch):
    """The folder of the real file; COURSE_DATA names its data folder."""
    course.datasets.joinpath("registry.toml").write_text(REGISTRY, encoding="utf-8")
    folder = course.shared / "har"
    write({FILE: packed(arrays())}, folder)
    monkeypatch.setenv("COURSE_DATA", str(course.shared))
    return folder


@pytest.fixture(scope="module")
def made():
    """All the windows of the offline default, their activities and people."""
    return gait.recordings()


# The real file


def test_real_recordings(har, capsys):
    found = data.activity()
    assert capsys.readouterr().out == f"Activity: real recordings from the data folder {har}.\n"
    assert found.source.real
    assert (found.x.shape, found.x.dtype) == ((24, 128, 6), np.float32)
    assert (found.y.shape, found.y.dtype) == ((24,), np.uint8)
    assert found.names[0] == "walking"
    assert found.names[5] == "lying"
    assert len(found.names) == len(found.channels) == len(found.units) == found.x.shape[2]
    assert found.rate == 50
    # In the order of people and experiments, and within an experiment in that of the file.
    assert found.person.tolist() == [1] * 8 + [2] * 8 + [30] * 8
    order = np.r_[12:16, 8:12, 0:8, 16:24]
    contents = arrays()
    np.testing.assert_array_equal(found.y, contents["y"][order] - 1)
    np.testing.assert_allclose(
        found.x, contents["X"][order] * contents["scale"], rtol=1e-6, atol=1e-9
    )


def test_arrays_are_the_callers_own(har):
    first = data.activity()
    first.x[...] = 0
    first.y[...] = 7
    again = data.activity()
    assert again.x.any()
    assert again.y.max() == 5


def test_cached_file_is_as_good(har, course, monkeypatch):
    monkeypatch.delenv("COURSE_DATA")
    write({FILE: har.joinpath(FILE).read_bytes()}, course.cache / "har")
    assert data.activity().source.kind == "cache"


class Trap:
    """What a pickle may do when it is loaded."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


def altered(name: str, value: object) -> bytes:
    return packed(arrays() | {name: np.asarray(value)})


def without(name: str) -> bytes:
    contents = arrays()
    del contents[name]
    return packed(contents)


def with_entry(name: str, position: int, value: float) -> bytes:
    array = arrays()[name]
    array[position] = value
    return altered(name, array)


def one_array() -> bytes:
    file = io.BytesIO()
    np.save(file, arrays()["X"])
    return file.getvalue()


def text_for(name: str) -> bytes:
    """Return a file in which the array `name` is text, no array."""
    file = io.BytesIO(without(name))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(f"{name}.npy", "1, 2, 3")
    return file.getvalue()


GOOD = packed(arrays())
MIDDLE = len(GOOD) // 2
BAD = {
    "empty": (b"", "is no .npz file"),
    "web page": (b"<html>Please log in</html>", "is no .npz file"),
    "one array": (one_array(), "is no .npz file"),
    "cut short": (GOOD[:MIDDLE], "is damaged"),
    "damaged": (GOOD[:MIDDLE] + bytes([GOOD[MIDDLE] ^ 0xFF]) + GOOD[MIDDLE + 1 :], "is damaged"),
    "text in place of an array": (text_for("y"), "S7 in y, where whole numbers"),
    "pickle": (altered("y", np.array([Trap()] * 24, object)), "allow_pickle=False"),
    "no windows": (without("X"), "holds no array X"),
    "no scale": (without("scale"), "holds no array scale"),
    "five channels": (altered("X", arrays()["X"][..., :5]), r"\(24, 128, 5\) values in X"),
    "short windows": (altered("X", arrays()["X"][:, :64]), r"\(24, 64, 6\) values in X"),
    "flat": (altered("X", arrays()["X"].ravel()), r"\(18432,\) values in X"),
    "none": (altered("X", arrays()["X"][:0]), r"\(0, 128, 6\) values in X"),
    "a number": (altered("X", np.int16(3)), r"\(\) values in X"),
    "float windows": (altered("X", arrays()["X"] * 0.1), "float64 in X"),
    "label missing": (altered("y", arrays()["y"][1:]), r"\(23,\) values in y, not \(24,\)"),
    "person missing": (altered("subject", arrays()["subject"][1:]), r"\(23,\) values in subject"),
    "one scale": (altered("scale", 0.001), r"\(\) values in scale, not \(6,\)"),
    "text": (altered("subject", ["Ann"] * 24), "<U3 in subject"),
    "label 0": (with_entry("y", 3, 0), "labels y from 0 to 6, not 1 to 6"),
    "label 7": (with_entry("y", 3, 7), "labels y from 1 to 7, not 1 to 6"),
    "person 300": (altered("subject", np.full(24, 300)), "people from 300 to 300"),
    "scale 0": (with_entry("scale", 3, 0), "the scale .*, where all have to be above 0"),
    "scale nan": (with_entry("scale", 3, np.nan), "the scale .*nan.* above 0"),
}


@pytest.mark.parametrize("place", ["folder", "cache"])
@pytest.mark.parametrize("fault", BAD)
def test_bad_file_is_named(har, course, monkeypatch, capsys, fault, place):
    content, sentence = BAD[fault]
    folder = har
    if place == "cache":
        monkeypatch.delenv("COURSE_DATA")
        folder = course.cache / "har"
    write({FILE: content}, folder)
    refuses(data.activity, f"Activity: {folder / FILE} ", sentence)
    assert not capsys.readouterr().out


def test_missing_file(har):
    har.joinpath(FILE).unlink()
    with pytest.raises(data.DataError, match=f"{FILE} is missing"):
        data.activity()


# Without the real file


def test_offline_says_that_there_is_no_download(har, monkeypatch, capsys):
    monkeypatch.delenv("COURSE_DATA")
    monkeypatch.setenv("COURSE_DOWNLOAD", "yes")  # of no use: nothing can be downloaded
    found = data.activity()
    assert (found.source.kind, found.source.place) == ("offline", None)
    assert capsys.readouterr().out == (
        "Activity: offline default made for this course, not the real recordings (to get them, set "
        "COURSE_DATA to a data folder with har/, since they have no verified download).\n"
    )
    assert data.look("activity") == found.source


def test_prefetch_says_so_and_goes_on(har, capsys):
    data.prefetch()
    assert capsys.readouterr().out == (
        "Activity: to get them, set COURSE_DATA to a data folder with har/, since they have no "
        "verified download.\n"
    )


def test_the_registry_that_ships_with_the_course():
    dataset = registry.dataset("activity")
    assert not dataset.can_be_downloaded
    assert dataset.offline is None
    assert dataset.licence == "no commercial use"
    assert "Neurocomputing" in dataset.citation
    assert [file.name for file in dataset.files] == [FILE]


def test_a_file_with_an_address_needs_a_hash(course):
    text = 'files = [{ name = "x", urls = ["https://127.0.0.1/x"] }]'
    lines = [*REGISTRY.splitlines()[:-1], text]
    course.datasets.joinpath("registry.toml").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(KeyError, match="sha256"):
        registry.dataset("activity")


def test_import_is_quick():
    """The people are made only when they are asked for."""
    assert not comes_with_data("helpers.data.gait")


# The people made up


def test_offline_recordings(monkeypatch):
    monkeypatch.setenv("COURSE_DATA", "offline")
    begin = time.process_time()
    found = data.activity()
    assert time.process_time() - begin < 5
    assert (found.x.shape[1:], found.x.dtype) == ((128, 6), np.float32)
    assert 4000 <= len(found.x) <= 5000
    assert found.y.dtype == found.person.dtype == np.uint8
    assert len(found.y) == len(found.person) == len(found.x)
    assert set(found.person) == set(range(1, 31))
    assert (np.diff(found.person.astype(int)) >= 0).all()
    for person in range(1, 31):
        assert (np.bincount(found.y[found.person == person], minlength=6) >= 20).all()


def test_offline_is_always_the_same(made):
    again = gait.recordings()
    for first, second in zip(made, again, strict=True):
        np.testing.assert_array_equal(first, second)
    x = gait.recordings(people=3)[0]
    np.testing.assert_array_equal(x, made[0][: len(x)])
    assert not np.array_equal(gait.recordings(people=1, seed=1)[0][:20], x[:20])


def test_neighbours_overlap_by_half(made):
    x, y, person = made
    overlap = (x[:-1, 64:] == x[1:, :64]).all(axis=(1, 2))
    bouts = 1 + (~overlap).sum()
    assert bouts == 30 * 6 * gait.BOUTS
    same = (y[1:] == y[:-1]) & (person[1:] == person[:-1])
    assert same[overlap].all()
    assert not (x[:-1] == x[1:]).all(axis=(1, 2)).any()


def test_units_are_those_of_the_phone(made):
    x, y, _ = made
    still = x[y >= 3][..., :3]
    np.testing.assert_allclose(np.linalg.norm(still.mean(axis=1), axis=1), 1, atol=0.03)
    assert np.abs(x[..., :3]).max() <= 2
    assert np.abs(x[y < 3][..., :3].mean(axis=(0, 1)) - [1, 0, 0]).max() < 0.15
    assert 0.3 < x[y < 3][..., 3:].std() < 0.8  # rad/s
    assert x[y >= 3][..., 3:].std() < 0.1


def test_gravity_points_elsewhere_in_lying(made):
    x, y, _ = made
    along_the_body = x[..., 0].mean(axis=1)
    assert np.median(along_the_body[y == 5]) < 0.3
    for activity_number in range(5):
        assert np.median(along_the_body[y == activity_number]) > 0.9


def test_rotation_and_gravity_tell_the_same_story():
    """While a body at rest sways, the direction of gravity turns as the gyroscope says."""
    x, y, _ = gait.recordings(people=6)
    window = x[(y == 4) & (np.abs(x[..., 3:]).max(axis=(1, 2)) > 0.2)].astype(float)
    assert len(window) > 10
    force, rate = window[..., :3], window[..., 3:]
    expected = np.cross(force, rate).cumsum(axis=1) / gait.RATE
    expected, found = (array - array.mean(axis=1, keepdims=True) for array in (expected, force))
    expected, found = expected[..., 1:].ravel(), found[..., 1:].ravel()
    assert np.corrcoef(expected, found)[0, 1] > 0.8


def test_steps_have_a_persons_tempo(made):
    """The strongest vertical frequency of walking: 1.4 to 2.4 steps a second, by person."""
    x, y, person = made
    upward = x[..., 0] - x[..., 0].mean(axis=1, keepdims=True)
    spectrum = np.abs(np.fft.rfft(upward * np.hanning(128), n=1024))
    frequency = np.fft.rfftfreq(1024, 1 / gait.RATE)[spectrum.argmax(axis=1)]
    tempo = np.array([np.median(frequency[(y == 0) & (person == p)]) for p in range(1, 31)])
    assert 1.4 < tempo.min() < tempo.max() < 2.4
    assert tempo.std() > 0.05
    up, down = (np.median(frequency[y == kind]) / np.median(frequency[y == 0]) for kind in (1, 2))
    assert up < 1 < down


def test_people_differ_more_than_their_own_bouts(made):
    """Spectra of a person's two bouts of walking are nearer than those of two people."""
    x, y, person = made
    bodies = np.abs(np.fft.rfft(x - x.mean(axis=1, keepdims=True), axis=1))[:, 1:20]
    mean = {}
    for p in range(1, 31):
        windows = np.log(0.1 + bodies[(y == 0) & (person == p)])
        half = len(windows) // 2
        mean[p] = windows[:half].mean(axis=0), windows[half:].mean(axis=0)
    own = [np.abs(first - second).mean() for first, second in mean.values()]
    others = [np.abs(mean[p][0] - mean[p % 30 + 1][1]).mean() for p in mean]
    assert np.mean(others) > 1.5 * np.mean(own)


def test_real_recordings_of_the_data_folder(real_data, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(real_data))
    found = data.activity()
    assert found.source.real
    assert found.x.shape == (10_411, 128, 6)
    assert np.bincount(found.y).tolist() == [1722, 1544, 1407, 1801, 1979, 1958]
    assert np.unique(found.person).tolist() == list(range(1, 31))
    overlap = (found.x[:-1, 64:] == found.x[1:, :64]).all(axis=(1, 2))
    assert 0.9 < overlap.mean() < 0.95
