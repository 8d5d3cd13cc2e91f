"""Radar pictures of rain: the generated sequences, and the loop of Sydney in miniature."""

import importlib
import io
import time

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from helpers import data
from helpers.data import rain, registry
from tests.helpers.miniature import refuses, write
from tests.helpers.processes import comes_with_data

FILE = "sydney_radar_12x40x28.npz"
loader = importlib.import_module("helpers.data.radar")  # its name is also that of the function
REGISTRY = """
[radar]
title = "Radar loop of Sydney"
what = "pictures"
folder = "radar"
licence = "none"
citation = "none"
files = [{ name = "sydney_radar_12x40x28.npz" }]
"""


def arrays() -> dict[str, np.ndarray]:
    """Return the arrays of a loop that looks like the real file, with noise for rain."""
    start = np.datetime64("2000-11-03T08:25:00")
    return {
        "dbz": np.random.default_rng(0).uniform(-20, 60, (12, 40, 28)).astype(np.float32),
        "s1_km": 1.25 + 2.5 * np.arange(28),
        "s2_km": 1.25 + 2.5 * np.arange(40),
        "time": (start + np.timedelta64(10, "m") * np.arange(12)).astype(str),
    }


def packed(**changes: object) -> bytes:
    """Return the file with some arrays changed, or left out where the change is None."""
    contents = arrays() | changes
    file = io.BytesIO()
    np.savez_compressed(file, **{name: a for name, a in contents.items() if a is not None})
    return file.getvalue()


@pytest.fixture
def folder(course, monkeypatch):
    """The folder of the real file; COURSE_DATA names its data folder; few sequences are made."""
    course.datasets.joinpath("registry.toml").write_text(REGISTRY, encoding="utf-8")
    write({FILE: packed()}, course.shared / "radar")
    monkeypatch.setenv("COURSE_DATA", str(course.shared))
    monkeypatch.setattr(loader, "SPLITS", {"train": (2, 1), "val": (1, 2), "test": (1, 3)})
    return course.shared / "radar"


@pytest.fixture(scope="module")
def made():
    """Forty sequences as the course has them."""
    return rain.sequences(40, seed=5)


# The loader


def test_real_loop(folder, capsys):
    found = data.radar()
    assert capsys.readouterr().out == (
        "Radar sequences: generated for this course.\nRadar loop of Sydney: real pictures from the "
        f"data folder {folder}.\n"
    )
    assert found.source.real
    assert found.sydney.dtype == np.float32
    np.testing.assert_array_equal(found.sydney, arrays()["dbz"])
    assert (found.step_minutes, found.pixel_km) == (10, 2.5)


def test_sequences_without_the_loop(folder, monkeypatch, capsys):
    with_loop = data.radar()
    monkeypatch.setenv("COURSE_DATA", "offline")
    capsys.readouterr()
    found = data.radar()
    assert capsys.readouterr().out == (
        "Radar sequences: generated for this course.\nRadar loop of Sydney: not at hand "
        "(COURSE_DATA=offline).\n"
    )
    assert found.sydney is None
    assert not found.source.real
    assert found.train.shape == (2, 12, 32, 32)
    assert found.val.shape == found.test.shape == (1, 12, 32, 32)
    assert found.train.dtype == np.uint8
    np.testing.assert_array_equal(found.hills, rain.sequences(1).hills)
    assert found.train is found.train, "made once"
    for split in ("train", "val", "test"):
        np.testing.assert_array_equal(getattr(found, split), getattr(with_loop, split))
    assert capsys.readouterr().err == ""


def test_sequences_show_their_progress_unless_in_ci(folder, monkeypatch, capsys):
    monkeypatch.delenv("CI")
    assert len(data.radar().train) == 2
    assert "making rain" in capsys.readouterr().err


def test_no_setting_says_how_to_get_the_loop(folder, monkeypatch, capsys):
    monkeypatch.delenv("COURSE_DATA")
    assert data.radar().sydney is None
    assert "set COURSE_DATA to a data folder with radar/" in capsys.readouterr().out
    assert data.look("radar").kind == "offline"


def changed(name: str, place: object, value: object) -> np.ndarray:
    array = arrays()[name]
    array[place] = value
    return array


GOOD = packed()
BAD = {
    "empty": (b"", "is no .npz file"),
    "foreign": (b"<html>Please log in</html>", "is no .npz file"),
    "cut short": (GOOD[: len(GOOD) // 2], "is damaged"),
    "pickle": (packed(dbz=np.array([{}] * 3, object)), "allow_pickle=False"),
    "no pictures": (packed(dbz=None), "holds no array dbz"),
    "no times": (packed(time=None), "holds no array time"),
    "few pictures": (packed(dbz=arrays()["dbz"][:6]), r"\(6, 40, 28\) values in dbz"),
    "turned": (packed(dbz=arrays()["dbz"].swapaxes(1, 2)), r"\(12, 28, 40\) values in dbz"),
    "text for pictures": (packed(dbz=np.full((12, 40, 28), "x")), "<U1 in dbz, where numbers"),
    "numbers for times": (packed(time=np.arange(12)), "int64 in time, where text"),
    "not finite": (packed(dbz=changed("dbz", (3, 4, 5), np.nan)), "from nan to nan"),
    "power, no dBZ": (packed(dbz=10 ** (arrays()["dbz"] / 10)), "not within -40 to 80 dBZ"),
    "other pixels": (packed(s1_km=np.arange(28.0)), "s1_km that aren't 2.5 km apart"),
    "no dates": (packed(time=np.full(12, "noon")), "holds no times"),
    "a gap": (packed(time=changed("time", -1, "2000-11-03T11:00:00")), "aren't 10 minutes apart"),
}


@pytest.mark.parametrize("fault", BAD)
def test_bad_file_is_named(folder, capsys, fault):
    content, sentence = BAD[fault]
    write({FILE: content}, folder)
    refuses(data.radar, f"Radar loop of Sydney: {folder / FILE} ", sentence)
    assert not capsys.readouterr().out


def test_missing_file(folder):
    folder.joinpath(FILE).unlink()
    with pytest.raises(data.DataError, match=f"{FILE} is missing"):
        data.radar()


def test_the_registry_that_ships_with_the_course():
    dataset = registry.dataset("radar")
    assert not dataset.can_be_downloaded
    assert dataset.offline is None
    assert [file.name for file in dataset.files] == [FILE]


def test_import_is_quick():
    """Rain is made only when it is asked for."""
    assert not comes_with_data("helpers.data.rain")


def test_the_real_loop(real_data, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(real_data))
    monkeypatch.setattr(loader, "SPLITS", {"train": (1, 1), "val": (1, 2), "test": (1, 3)})
    sydney = data.radar().sydney
    assert sydney.shape == (12, 40, 28)
    assert sydney.max() == 61
    assert 0.06 < np.mean(sydney >= 20) < 0.12


# The generated sequences


def test_sequences_are_always_the_same(made):
    again = rain.sequences(3, seed=5)
    np.testing.assert_array_equal(again.dbz, made.dbz[:3])
    np.testing.assert_array_equal(again.wind, made.wind[:3])
    assert not np.array_equal(rain.sequences(1, seed=6).dbz, made.dbz[:1])


def test_sequences_look_like_radar(made):
    dbz = made.dbz
    assert (dbz.shape, dbz.dtype) == ((40, 12, 32, 32), np.uint8)
    assert 50 < dbz.max() <= rain.STRONGEST
    assert 0.06 < np.mean(dbz >= 20) < 0.16  # the real loop: 0.10
    assert 0.01 < np.mean(dbz >= 35) < 0.03  # 0.018
    assert 0.1 < np.mean(dbz >= 20, axis=(1, 2, 3)).max() < 0.5
    # The mean over sequences shows the hills, but no edges.
    mean = dbz.mean(axis=(0, 1))
    assert 0.5 < mean[1:-1, 1:-1].mean() / np.r_[mean[0], mean[-1], mean[:, 0]].mean() < 2


def test_ten_minutes_change_as_much_as_in_sydney(made):
    dbz = made.dbz.astype(float)
    alike = [np.corrcoef(s[:-1].ravel(), s[1:].ravel())[0, 1] for s in dbz]
    assert 0.5 < np.mean(alike) < 0.8  # 0.65


def test_time_of_making():
    begin = time.process_time()
    rain.sequences(20, seed=1)
    assert time.process_time() - begin < 2


@pytest.mark.parametrize("size", [20, (40, 28)])
def test_sizes(size):
    found = rain.sequences(2, steps=5, size=size)
    shape = (20, 20) if size == 20 else size
    assert found.dbz.shape == (2, 5, *shape)
    assert found.wind.shape == (2, 2, *shape)
    assert found.hills.shape == shape


def test_uniform_wind_without_growth_only_moves_the_rain():
    """What leaves no trace but motion is forecast by the true wind, but for rounding."""
    found = rain.sequences(
        6, speed=(30, 50), turn=0, growth=0, lift=0, noise=0, steps=4, size=(32, 32)
    )
    assert np.ptp(found.wind, axis=(2, 3)).max() < 1e-4
    place = np.mgrid[:32, :32].astype(float)
    for dbz, wind in zip(found.dbz.astype(float), found.wind[:, :, 0, 0], strict=True):
        assert 30 <= np.hypot(*wind) <= 50
        shift = 3 * wind[::-1] / 15  # three steps; 15 km/h are a pixel a step
        source = place - shift[:, None, None]
        inside = ((source >= 1) & (source <= 30)).all(axis=0)
        moved = map_coordinates(dbz[0], source, order=3)
        error = (moved - dbz[3])[inside]
        still = (dbz[0] - dbz[3])[inside]
        assert np.sqrt(np.mean(error**2)) < 1.2
        assert np.sqrt(np.mean(error**2)) < 0.2 * np.sqrt(np.mean(still**2))


def test_a_still_frozen_scene_stays():
    dbz = rain.sequences(3, speed=(0, 0), turn=0, growth=0, lift=0, noise=0).dbz
    np.testing.assert_array_equal(dbz, np.repeat(dbz[:, :1], 12, axis=1))


def change(**parameters) -> float:
    """Return the mean absolute change in an hour where no wind blows."""
    still = {"speed": (0, 0), "turn": 0, "lift": 0, "noise": 0, "steps": 7}
    dbz = rain.sequences(12, **(still | parameters)).dbz.astype(float)
    return np.abs(dbz[:, 6] - dbz[:, 0]).mean()


def test_growth_sets_the_pace():
    slow, usual = change(growth=0.25), change(growth=1)
    assert 0 < slow < 0.8 * usual


def test_turn_makes_the_wind_differ_from_place_to_place():
    even, uneven = (rain.sequences(5, turn=turn, steps=1).wind for turn in (0, 0.5))
    assert np.ptp(even, axis=(2, 3)).max() < 1e-3
    assert np.ptp(uneven, axis=(2, 3)).mean() > 5  # km/h
    # No divergence: as much flows in as out.
    east, north = np.moveaxis(uneven.astype(float), 1, 0)
    divergence = np.gradient(east, axis=2) + np.gradient(north, axis=1)
    assert np.abs(divergence).max() < 1e-3


def test_wind_carries_air_along_its_own_paths():
    """The closed form agrees with many small steps."""
    wind = rain._wind(np.random.default_rng(0), 30, 40, 0.8, (32, 32))
    x, y = np.meshgrid([0.0, 10.0, 31.0], [5.0, 20.0])
    place = np.stack([x, y])
    for _ in range(600):
        place = place - wind.at(*(place - wind.at(*place) / 200)) / 100
    np.testing.assert_allclose(wind.back(x, y, 6), place, atol=1e-3)


def test_it_rains_more_where_air_has_climbed_and_less_in_the_lee():
    usual = {"speed": (25, 40), "turn": 0, "noise": 0, "steps": 6}
    hilly, flat = (rain.sequences(60, seed=2, lift=lift, **usual) for lift in (1, 0))
    place = np.mgrid[:32, :32].astype(float)
    before = [  # the height where the air was half an hour ago
        map_coordinates(hilly.hills, place - 3 * wind[::-1] / 15, order=1)
        for wind in hilly.wind.astype(float)
    ]
    crest = (hilly.hills > 600) & (np.array(before) < 200)
    lee = (hilly.hills < 200) & (np.array(before) > 600)
    hilly, flat = (found.dbz.mean(axis=1) for found in (hilly, flat))
    assert hilly[crest].mean() > 1.2 * flat[crest].mean()
    assert hilly[lee].mean() < 0.85 * flat[lee].mean()


def test_young_cells_grow_and_old_ones_spread():
    one = np.ones(1)
    cells = rain.Cells(0 * one, 6 * one, one, 45 * one, 16 * np.ones((2, 1)), np.eye(2)[..., None])
    where = np.mgrid[:32, :32].astype(float)
    power = [rain._showers(cells, time, where, 64) for time in (1, 2, 5)]
    young, strongest, old = (p.max() for p in power)
    assert strongest > 1.5 * young
    assert strongest > 1.5 * old
    assert 10 * np.log10(strongest) == pytest.approx(45, abs=0.3)
    widths = [np.sum(p > p.max() / 2) for p in power]
    assert widths[0] <= widths[1] < widths[2]
    for late in (-0.1, 6.1):  # before its birth, after its end
        assert not rain._showers(cells, late, where, 64).any()


def test_noise_reaches_dry_places():
    clean, noisy = (rain.sequences(3, noise=noise, steps=3).dbz for noise in (0, 1))
    dry = clean == 0
    assert 0.005 < np.mean(noisy[dry] > 5) < 0.05
    assert 1 < np.std(noisy[clean > 20].astype(float) - clean[clean > 20]) < 3


@pytest.mark.parametrize(
    "wrong",
    [{"n": 0}, {"steps": 0}, {"size": 4}, {"speed": (30, 10)}, {"growth": -1}, {"noise": -1}],
)
def test_parameters_out_of_range(wrong):
    with pytest.raises(ValueError, match=r"has to be|have to be"):
        rain.sequences(**({"n": 1} | wrong))
