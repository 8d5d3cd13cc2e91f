"""Inputs without gaps and without a look ahead, and the test that finds who looks."""

import numpy as np
import pandas as pd
import pytest

from helpers import data
from helpers.data import space_weather
from helpers.symh import features, physics
from helpers.symh.causality import looks_ahead
from tests.helpers import tempests

MEASURED = ["b_total", "bx_gsm", "by_gsm", "bz_gsm", "speed", "density", "temperature"]


@pytest.fixture
def small():
    """Three days of a storm without a gap."""
    return tempests.table().iloc[: 3 * 288].copy()


def test_gaps_are_filled_from_the_past_and_their_age_counted():
    values, age = features.fill_forward(pd.Series([np.nan, np.nan, 3, np.nan, 5, np.nan, np.nan]))
    np.testing.assert_array_equal(values, [np.nan, np.nan, 3, 3, 5, 5, 5])
    assert age.tolist() == [1, 2, 0, 1, 0, 1, 2]


def test_an_old_density_is_held_for_an_hour_and_then_fades(small):
    small.loc[100, "density"] = 20
    small.loc[101:, "density"] = np.nan
    filled = features.wind(small)
    density = filled["density"].to_numpy()
    assert density[100:113].tolist() == [20] * 13
    assert density[[112 + 36, -1]] == pytest.approx([5 + 15 / np.e, 5], abs=1e-5)
    assert filled["density_age"].iloc[100:103].tolist() == [0, 1, 2]


def test_wind_before_the_first_measurement_is_the_usual_one(small):
    small.loc[:9, MEASURED] = np.nan
    usual = {"b_total": 5, "bx_gsm": 0, "by_gsm": 0, "bz_gsm": 0, "speed": 400, "density": 5}
    usual |= {"temperature": 1e5, "speed_age": 10, "density_age": 10}
    assert features.wind(small).iloc[9].to_dict() == usual


def test_what_arrives_now_was_measured_before():
    values = np.array([1.0, 2, 4, 8, 16])
    assert features.arriving(values, np.full(5, 2.0)).tolist() == [1, 1, 1, 2, 4]
    assert features.arriving(values, np.array([0, 0, 0.5, 1.5, 0])).tolist() == [1, 2, 3, 3, 16]


def test_drivers_and_the_forecast_of_physics(small):
    electric, root, delay = features.drivers(small)
    speed, sym_h = small["speed"].to_numpy(float), small["sym_h"].to_numpy(float)
    assert electric == pytest.approx(speed * np.maximum(-small["bz_gsm"], 0) / 1000)
    assert root**2 == pytest.approx(2e-6 * small["density"] * speed**2)
    assert delay == pytest.approx(1.5e6 / speed / 300)  # 300 s in a step
    assert not features.drivers(small, "bow shock")[2].any()
    made = features.physics_forecast(small, (0, 2), model=physics.BURTON)
    forecast = physics.BURTON.forecast(sym_h, electric, root, delay, 24)
    assert made == pytest.approx(np.stack([sym_h, forecast], axis=1))


def test_inputs_are_twenty_of_usual_size(small):
    inputs = features.inputs(small)
    assert inputs.shape == (len(small), 20)
    assert set(inputs.dtypes) == {np.dtype("float32")}
    assert (inputs.abs().mean() < 3).all()
    first, sym_h = inputs.iloc[0], small["sym_h"].iloc[0]
    ahead = (features.physics_forecast(small, (1, 2))[0] - sym_h) / 20
    clock = np.sin(np.pi / 144), np.cos(np.pi / 144)  # at 0:05
    names = ["sym_h", "change", "physics_1h", "physics_2h", "day_sine", "day_cosine"]
    assert first[names].to_list() == pytest.approx([sym_h / 50, 0, *ahead, *clock], rel=1e-5)
    shifted = features.inputs(small, at="bow shock")
    assert (shifted["vbs_arriving"] == shifted["vbs"]).all()
    assert (inputs["vbs_arriving"] != inputs["vbs"]).any()


def test_inputs_of_a_steady_wind_by_hand(small):
    steady = {"bx_gsm": 10, "by_gsm": -10, "bz_gsm": -10, "b_total": 10, "speed": 500}
    small = small.assign(**steady, density=5.0, temperature=8e4, sym_h=-50.0)
    small.loc[143:, "sym_h"] = -30.0
    small.loc[125:, ["speed", "density"]] = np.nan
    root = np.sqrt(2.5) - 1.5  # of 2.5 nPa
    known = {"bx_gsm": 1, "by_gsm": -1, "bz_gsm": -1, "b_total": 1, "speed": 0.5}
    known |= {"log_density": 0, "log_temperature": 0, "vbs": 1, "vbs_arriving": 1}
    known |= {"bz_arriving": -1, "root_pressure": root, "root_pressure_arriving": root}
    known |= {"sym_h": -0.6, "change": 2, "speed_age": 19 / 36, "density_age": 19 / 36}
    known |= {"day_sine": 0, "day_cosine": -1}
    inputs = features.inputs(small)
    noon = inputs.iloc[143].drop(["physics_1h", "physics_2h"])
    assert noon.to_dict() == pytest.approx(known, abs=1e-6)
    assert inputs.iloc[-1][["speed_age", "density_age"]].tolist() == [1, 1]  # old is old


def test_inputs_of_thin_and_cold_wind_stay_of_usual_size(small):
    inputs = features.inputs(small.assign(density=0.0, temperature=0.0)).iloc[0]
    assert inputs["log_density"] == pytest.approx(np.log(0.1 / 5))
    assert inputs["log_temperature"] == pytest.approx(np.log(1e3 / 8e4))


@pytest.mark.parametrize("columns", [*([name] for name in MEASURED), MEASURED])
@pytest.mark.parametrize("gap", [slice(0, 20), slice(200, 800), slice(0, None)])
def test_inputs_have_no_gap_whatever_is_missing(small, columns, gap):
    small.loc[small.index[gap], columns] = np.nan
    assert np.isfinite(features.inputs(small).to_numpy()).all()


CAUSAL = [
    lambda storm, at: features.wind(storm),
    lambda storm, at: np.stack(features.drivers(storm, at), axis=1),
    lambda storm, at: features.physics_forecast(storm, (1, 2, 3), at),
    features.inputs,
]


@pytest.mark.parametrize("real", [False, True])
def test_nothing_looks_ahead(real, request, monkeypatch):
    """In the storm that lacks the speed most often."""
    if real:
        monkeypatch.setenv("COURSE_DATA", str(request.getfixturevalue("real_data")))
    table = data.storms().table if real else space_weather.storms()
    number = table["speed"].isna().groupby(table["storm"]).sum().idxmax()
    storm = table[table["storm"] == number].reset_index(drop=True)
    gap = np.flatnonzero(storm["speed"].isna()[:-1])
    for row in (0, 1, 500, storm["sym_h"].argmin(), gap[0], gap[-1], len(storm) - 2):
        for at in ("L1", "bow shock"):
            for n, function in enumerate(CAUSAL):
                ahead = looks_ahead(lambda s, f=function, at=at: f(s, at), storm, row)
                assert not ahead, f"number {n} of CAUSAL, at {at}, row {row}"


CHEATS = {
    "the next row": lambda storm: storm["bz_gsm"].shift(-1),
    "over a gap": lambda storm: storm["density"].interpolate(),
    "mean of the storm": lambda storm: storm["sym_h"] - storm["sym_h"].mean(),
    "both sides": lambda storm: storm["speed"].rolling(5, center=True).mean(),
    "one of two columns": lambda storm: np.stack([storm["bz_gsm"], storm["bz_gsm"][::-1]], axis=1),
}
HONEST = {
    "forward": lambda storm: storm["density"].ffill(),
    "the row before": lambda storm: storm["bz_gsm"].shift(1),
    "a table with gaps": lambda storm: storm[["density", "speed"]],
    "what the calendar says": lambda storm: storm["time"].dt.hour[::-1].to_numpy(),
}


@pytest.mark.parametrize("name", [*CHEATS, *HONEST])
def test_a_look_ahead_is_found_and_an_honest_feature_passes(small, name):
    small.loc[300:310, "density"] = np.nan
    before = small.copy()
    assert looks_ahead((CHEATS | HONEST)[name], small, 305) is (name in CHEATS)
    pd.testing.assert_frame_equal(small, before)


@pytest.mark.parametrize("value", [np.nan, 5.0])
def test_a_look_ahead_is_found_in_a_column_that_never_changes(small, value):
    small["density"] = value
    assert looks_ahead(lambda storm: storm["density"].shift(-1), small, 305)
    assert not looks_ahead(lambda storm: storm["density"].shift(1), small, 305)


@pytest.mark.parametrize("row", [-1, 863, 864])
def test_rows_without_a_before_and_after(small, row):
    with pytest.raises(ValueError, match=f"row is {row}, but needs .* 0 to 862"):
        looks_ahead(features.wind, small, row)
