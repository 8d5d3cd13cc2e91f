"""Scores of forecasts on storms made by hand, and on the real ones where they are there."""

import numpy as np
import pandas as pd
import pytest

from helpers import data
from helpers.data.storms import Storms
from helpers.symh import features, physics, scores

ROWS, FIRST, LAST = 80, 40, 59  # the window, both ends included
EMPTY = pd.DataFrame(columns=["published_number", "GBM 1 h", "persistence 2 h"])


def storms(slopes, split="val", first=FIRST, last=LAST, published=EMPTY):
    """Return storms in which SYM-H changes by a slope, in nT per row, and nothing else happens."""
    parts, windows = [], {}
    for number, slope in slopes.items():
        time = pd.date_range(f"200{number}-01-01 00:05", periods=ROWS, freq="5min")
        values = {"storm": number, "split": split, "time": time}
        parts.append(pd.DataFrame(values | {"sym_h": np.float32(slope * np.arange(ROWS))}))
        windows[number] = {"split": split, "start": time[first], "end": time[last], "minimum": 0.0}
    windows = pd.DataFrame.from_dict(windows, orient="index").rename_axis("storm")
    source = data.Source("Storms", "offline", None)
    return Storms(pd.concat(parts, ignore_index=True), windows, source, "L1", published)


def persistence(storm, hours=2):
    return np.repeat(storm[["sym_h"]].to_numpy(float), hours, axis=1)


def test_persistence_by_hand_and_any_split():
    errors = scores.rmse_by_storm(storms({1: 1.0, 3: -0.5}), persistence, "val")
    expected = pd.DataFrame({"1 h": [12.0, 6.0], "2 h": [24.0, 12.0]}, index=[1, 3])
    pd.testing.assert_frame_equal(errors, expected.rename_axis("storm"))
    found = storms({2: 1.0}, split="test_key")
    errors = scores.rmse_by_storm(found, lambda s: persistence(s, 1), "test_key", hours=(3,))
    assert errors.to_dict() == {"3 h": {2: 36.0}}
    with pytest.raises(ValueError, match="no split 'val', only test_key"):
        scores.rmse_by_storm(found, persistence, "val")


def wrong_at(row, column, by=1.0):
    """Return a forecast that is right but for one row and column."""

    def forecast(storm):
        rows = np.arange(ROWS)[:, None] + [12, 24]
        made = rows * float(storm["sym_h"].iloc[1])
        made[row, column] += by
        return made

    return forecast


@pytest.mark.parametrize(("column", "steps"), [(0, 12), (1, 24)])
def test_targets_are_all_rows_of_the_window_and_no_others(column, steps):
    found = storms({1: -2.0})
    for row in range(ROWS):
        errors = scores.rmse_by_storm(found, wrong_at(row, column), "val").to_numpy()[0]
        inside = FIRST <= row + steps <= LAST
        assert errors[column] == pytest.approx(np.sqrt(1 / 20) if inside else 0)
        assert errors[1 - column] == 0


def test_a_target_needs_a_row_to_be_forecast_from():
    found = storms({1: -2.0}, first=0, last=29)
    for hours, steps in ((1, 12), (2, 24)):
        rows = scores.targets(found.storm(1), found.windows.loc[1], hours)
        assert rows.tolist() == list(range(steps, 30))
    errors = scores.rmse_by_storm(found, wrong_at(0, 1), "val")
    assert errors["2 h"][1] == pytest.approx(np.sqrt(1 / 6))


@pytest.mark.parametrize("shape", [(ROWS,), (ROWS, 1), (ROWS - 24, 2), (2, ROWS)])
def test_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"Storm 1 has 80 rows, .* the shape \(80, 2\)"):
        scores.rmse_by_storm(storms({1: 1.0}), lambda storm: np.zeros(shape), "val")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_gaps_are_refused_where_they_count(bad):
    found = storms({1: -2.0})
    errors = scores.rmse_by_storm(found, wrong_at(FIRST - 13, 0, bad), "val")
    assert errors.loc[1].tolist() == [0, 0]
    with pytest.raises(ValueError, match="forecast of storm 1 has NaN or infinite values"):
        scores.rmse_by_storm(found, wrong_at(FIRST - 12, 0, bad), "val")


def test_the_interval_is_that_of_the_mean():
    values = np.random.default_rng(1).normal(10, 4, 400)
    low, high = scores.bootstrap(values)
    half = 1.96 * values.std() / np.sqrt(400)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.03)
    narrow = scores.bootstrap(values, share=0.5)
    assert low < narrow[0] < values.mean() < narrow[1] < high
    table = np.stack([values, np.full(400, 7.5)], axis=1)
    again = scores.bootstrap(table)  # the same draws each time
    assert again == pytest.approx(np.array([[low, 7.5], [high, 7.5]]), abs=1e-9)
    assert scores.bootstrap(values, seed=1)[0] != pytest.approx(low, abs=1e-9)


def test_evaluation_without_published_storms(capsys):
    found = storms({1: 1.0, 3: -0.527}, split="later")
    errors = scores.evaluate(found, persistence, "later")
    pd.testing.assert_frame_equal(errors, scores.rmse_by_storm(found, persistence, "later"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "later: mean over 2 storms of the RMSE, with a 95 % interval",
        "  1 h: 9.16 nT (6.32 to 12.00)",
        "  2 h: 18.32 nT (12.65 to 24.00)",
    ]
    assert [line.split() for line in lines[-2:]] == [
        ["1", "12.00", "24.00"],
        ["3", "6.32", "12.65"],
    ]


def test_evaluation_beside_the_published_errors(capsys):
    published = pd.DataFrame(
        {"published_number": [27, 40, 41], "GBM 1 h": [5.0, 8.0, 99.0]}, index=[1, 2, 9]
    )
    found = storms({1: 1.0, 2: 0.5, 3: 3.0}, split="test", published=published)
    table = scores.evaluate(found, persistence, "test")
    assert list(table) == ["1 h", "2 h", "published_number", "GBM 1 h"]
    assert table["1 h"].tolist() == [12, 6, 36]
    assert table.loc[[1, 2], "GBM 1 h"].tolist() == [5, 8]
    assert table.loc[3, ["published_number", "GBM 1 h"]].isna().all()
    printed = capsys.readouterr().out
    assert "  1 h: 18.00 nT" in printed
    lines = [line.split() for line in printed.splitlines()]
    assert ["this", "GBM"] in lines
    assert ["2", "6.0", "8.0"] in lines
    assert ["3", "36.0", "NaN"] in lines
    assert ["published", "storms", "9.0", "6.5"] in lines  # without storms 3 and 9
    assert ["published", "storms", "18.0"] in lines  # two hours ahead nothing was published


def test_baselines_on_the_real_storms(real_data, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(real_data))
    found = data.storms()
    errors = scores.rmse_by_storm(found, persistence, "val")
    assert len(errors) == 15
    assert errors.mean().round(2).tolist() == [10.42, 15.28]

    def obrien(storm):
        return features.physics_forecast(storm, (1, 2), model=physics.OBRIEN)

    made = scores.rmse_by_storm(found, obrien, "val").mean()
    assert (made <= [8.35, 11.90]).all()
    listed = scores.measured(real=True).loc["persistence"]
    assert listed[["1 h", "2 h"]].tolist() == pytest.approx(errors.mean(), abs=0.001)


@pytest.mark.parametrize("real", [True, False])
def test_what_was_measured(real):
    table = scores.measured(real)
    assert table.index.is_unique
    assert table.index[0] == "persistence"
    assert {"weights", "seeds", "seconds"} <= set(table)
    for hours in ("1 h", "2 h"):
        assert (table[f"from {hours}"] <= table[hours]).all()
        assert (table[hours] <= table[f"to {hours}"]).all()
        assert (table[hours][1:] < table.loc["persistence", hours]).all()
    assert table.index.tolist() == scores.measured(not real).index.tolist()
