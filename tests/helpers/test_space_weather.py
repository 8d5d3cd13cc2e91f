"""The offline storms: their table, their physics, and that nothing can be had for free."""

import time

import numpy as np
import pandas as pd
import pytest

from helpers.data import space_weather
from helpers.data.storms import COLUMNS, DRIVERS, check_storms

WINDOW = pd.Timedelta(days=2)  # less at each end
FIELD = ["bx_gsm", "by_gsm", "bz_gsm"]
VELOCITY = ["vx_gsm", "vy_gsm", "vz_gsm"]


@pytest.fixture(scope="module")
def made():
    """The table of all storms."""
    return space_weather.storms()


def test_the_table_has_the_layout_of_the_real_storms(made):
    assert tuple(made.columns) == COLUMNS
    assert made["storm"].dtype == np.int64
    assert made["time"].dtype.kind == "M"
    assert set(made["split"]) == {"train", "val", "test"}
    assert (made.dtypes[[*DRIVERS, "sym_h"]] == np.float32).all()
    check_storms(made)


def test_times_compare_with_those_of_a_file(made):
    first = pd.to_datetime(pd.Series([str(made["time"][0])]))
    assert first[0] == made["time"][0]
    assert len(pd.merge(first.rename("time"), made, on="time")) == 1
    assert made["time"].dtype == first.dtype


def test_60_storms_train_12_validate_and_the_last_8_are_for_the_test(made):
    by_storm = made.groupby("storm")
    assert by_storm["split"].nunique().max() == 1
    assert by_storm["split"].first().tolist() == ["train"] * 60 + ["val"] * 12 + ["test"] * 8
    assert made["time"].is_monotonic_increasing  # no storm begins before the one before has ended
    assert made["time"].dt.year.min() <= 2000
    assert made["time"].dt.year.max() >= 2020


def test_each_storm_lasts_whole_days_from_five_past_midnight(made):
    begin = made.groupby("storm")["time"].min()
    rows = made.groupby("storm").size()
    assert (begin - begin.dt.normalize() == pd.Timedelta(minutes=5)).all()
    assert (rows % 288 == 0).all()
    assert rows.between(8 * 288, 13 * 288).all()
    steps = made.groupby("storm")["time"].diff().dropna()
    assert (steps == pd.Timedelta(minutes=5)).all()


def test_minima_are_storms_and_lie_in_the_evaluation_window(made):
    for _, storm in made.groupby("storm"):
        lowest = storm.loc[storm["sym_h"].idxmin()]
        assert -430 <= lowest["sym_h"] <= -80
        assert storm["time"].min() + WINDOW <= lowest["time"] <= storm["time"].max() - WINDOW


def test_sym_h_is_whole_and_never_missing(made):
    assert made["sym_h"].notna().all()
    assert (made["sym_h"] % 1 == 0).all()


def test_the_same_storms_each_time_in_seconds_and_others_for_another_seed(made):
    begin = time.process_time()
    pd.testing.assert_frame_equal(made, space_weather.storms())
    assert time.process_time() - begin < 6
    other = space_weather.storms(seed=7)
    assert not np.array_equal(other["sym_h"][:2000], made["sym_h"][:2000])


def test_field_and_velocity_agree_with_their_components(made):
    length = np.linalg.norm(made[FIELD], axis=1)
    assert (made["b_total"] - length).min() > -0.03  # rounded
    assert 1.002 < (made["b_total"] / length).median() < 1.05
    difference = made["speed"] - np.linalg.norm(made[VELOCITY], axis=1)
    assert difference.abs().max() < 0.3
    assert np.corrcoef(made["speed"].dropna(), -made["vx_gsm"].dropna())[0, 1] > 0.98


def test_values_are_those_of_solar_wind(made):
    limits = {"b_total": (0, 90), "speed": (230, 1300), "density": (0, 150)}
    for name, (low, high) in limits.items():
        assert made[name].min() > low
        assert made[name].max() < high
    assert 400 < made["speed"].median() < 500
    assert 3.5 < made["density"].median() < 7
    assert made["temperature"].between(2500, 1e7)[made["temperature"].notna()].all()


def test_gaps_are_as_often_as_on_the_spacecraft(made):
    missing = made.isna().mean()
    assert 0.15 < missing["density"] < 0.28
    assert 0.07 < missing["temperature"] < 0.17
    assert 0.015 < missing["speed"] < 0.06
    assert missing["bz_gsm"] < 0.002
    worst = made["density"][made["sym_h"] < -100].isna().mean()
    assert worst > missing["density"]
    assert (made[VELOCITY].isna().to_numpy() == made[["speed"]].isna().to_numpy()).all()
    assert made["density"].isna()[made["speed"].isna()].all()


def test_sym_h_answers_to_southward_wind_of_the_hours_before_not_of_those_after(made):
    coupling = made["speed"].ffill() * (-made["bz_gsm"].ffill()).clip(lower=0) * 1e-3
    change = made.groupby("storm")["sym_h"].diff()

    def answer(delay: int) -> float:
        """Correlate the change of SYM-H with what drove it `delay` rows ago."""
        return change.corr(coupling.groupby(made["storm"]).shift(delay))

    strongest = min(range(-12, 25), key=answer)
    assert 6 <= strongest <= 15  # 1.5 million km at 330 to 830 km/s
    assert answer(strongest) < -0.1
    assert answer(strongest) < 1.5 * answer(-12)


def test_what_drives_goes_by_the_clock_angle_and_saturates(monkeypatch):
    """In steady wind, with the same random numbers, SYM-H differs by the field alone."""
    rows = 4 * 288
    minutes = np.timedelta64(300, "s") * np.arange(rows)
    times = np.datetime64("2003-03-20T00:00:00", "s") + minutes

    def settled(by, bz):
        still = {"by_gsm": by, "bz_gsm": bz, "speed": 500.0, "density": 5.0}
        wind = {name: np.full(rows, value) for name, value in still.items()}
        sym_h = space_weather._response(np.random.default_rng(0), times, wind)
        return sym_h[rows // 2 :].mean()

    quiet = settled(0, 20)
    aside = settled(20, 0)  # none of it southward
    assert settled(0, -20) < aside - 50 < quiet - 55
    assert settled(-20, 0) == aside
    assert settled(4, 20) == quiet
    strong = settled(0, -50) - quiet  # 25 mV/m, where saturation takes one half
    monkeypatch.setattr(space_weather, "SATURATION", np.inf)
    assert settled(0, -50) - quiet == pytest.approx(2 * strong, rel=0.02)


def test_a_rope_turns_smoothly_and_is_strongest_inside():
    place = np.linspace(-1, 1, 201)
    for seed in range(20):
        rope = space_weather._rope(np.random.default_rng(seed), place)
        strength = np.linalg.norm(rope, axis=1)
        assert strength.argmax() == pytest.approx(100, abs=1)
        assert strength.max() <= 1 + 1e-9
        assert np.abs(np.diff(rope, axis=0)).max() < 0.05


def test_the_ring_current_decays_with_its_time_and_settles_where_gain_is_loss():
    tau = np.full(4000, 7.0)
    injected = np.where(np.arange(4000) < 2000, -20.0, 0.0)
    ring = space_weather._decaying(injected, tau)
    assert ring[1999] == pytest.approx(-140, rel=1e-6)
    assert ring[1999 + 84] == pytest.approx(-140 / np.e, rel=1e-6)  # 7 hours later
