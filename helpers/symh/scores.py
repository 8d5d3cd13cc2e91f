"""Scores of forecasts of SYM-H, storm by storm, as the published work gives them."""

import numpy as np
import pandas as pd

from helpers.data.registry import DATASETS
from helpers.symh.physics import STEP

MEASURED = DATASETS / "storms" / "forecasts.csv"

HOURS = (1, 2)


def targets(storm, window, hours):
    """Return the rows of a storm whose SYM-H is a target `hours` ahead: those inside the window.

    storm: a storm's table; window: a row of `Storms.windows`. The rows from which it is forecast
    lie `hours` earlier; a target without one is left out.
    """
    rows = np.flatnonzero(storm["time"].between(window["start"], window["end"]))
    return rows[rows >= round(hours / STEP)]


def rmse_by_storm(storms, forecast, split, hours=HOURS):
    """Return the root mean square error in nT: a table of storms and hours ahead.

    storms: what `data.storms()` returns; split: one of `storms.splits`. forecast(storm) gets the
    table of a storm, n rows, and returns (n, len(hours)): in row i the forecasts of SYM-H in nT for
    row i + 12 hours, from what is known at row i. ValueError for another shape, or for NaN where a
    forecast is scored.
    """
    errors = {}
    for number in storms.of(split):
        storm = storms.storm(number)
        made = np.asarray(forecast(storm), float)
        if made.shape != (len(storm), len(hours)):
            raise ValueError(
                f"Storm {number} has {len(storm)} rows, so its forecast must have the shape"
                f" {(len(storm), len(hours))}, a column for each of {hours} hours, not"
                f" {made.shape}."
            )
        sym_h = storm["sym_h"].to_numpy(float)
        row = []
        for column, ahead in enumerate(hours):
            rows = targets(storm, storms.windows.loc[number], ahead)
            difference = made[rows - round(ahead / STEP), column] - sym_h[rows]
            if not np.isfinite(difference).all():
                raise ValueError(
                    f"The forecast of storm {number} has NaN or infinite values: fill the gaps of"
                    " its inputs first."
                )
            row.append(np.sqrt(np.mean(difference**2)))
        errors[number] = row
    columns = [f"{hour} h" for hour in hours]
    return pd.DataFrame.from_dict(errors, orient="index", columns=columns).rename_axis("storm")


def bootstrap(values, share=0.95, draws=10_000, seed=0):
    """Return the interval that holds the mean of the values with the probability `share`.

    values: (n,) or a table with a column each. The storms themselves are drawn anew, with
    replacement (Efron 1979): the interval says how much the mean depends on which storms happened
    to come. Returns (low, high), or two rows for a table.
    """
    values = np.asarray(values, float)
    rows = np.random.default_rng(seed).integers(len(values), size=(draws, len(values)))
    means = values[rows].mean(axis=1)
    return np.quantile(means, [(1 - share) / 2, (1 + share) / 2], axis=0)


def evaluate(storms, forecast, split, hours=HOURS):
    """Print and return the errors by storm of a forecast, beside the published ones.

    The arguments are those of `rmse_by_storm`. First come the means with a bootstrap interval, then
    the storms. For storms that were published as test storms the published errors stand beside, and
    the last row has the means over these storms alone: only that row compares like with like.
    Returns the table of `rmse_by_storm`, with the published errors as further columns.
    """
    errors = rmse_by_storm(storms, forecast, split, hours)
    low, high = bootstrap(errors)
    print(f"{split}: mean over {len(errors)} storms of the RMSE, with a 95 % interval")
    for name, mean, least, most in zip(errors, errors.mean(), low, high, strict=True):
        print(f"  {name}: {mean:.2f} nT ({least:.2f} to {most:.2f})")
    published = storms.published.reindex(errors.index).dropna(how="all")
    if published.empty:
        print(errors.round(2).to_string())
        return errors
    both = errors.join(published)
    for name in errors:
        columns = [name] + [column for column in published if column.endswith(f" {name}")]
        table = (
            both[columns]
            .rename(columns={name: "this"})
            .rename(columns=lambda column, name=name: column.removesuffix(f" {name}"))
        )
        table.loc["published storms"] = table.loc[published.index].mean()
        print(f"{name} ahead (nT), 'this' beside what was published\n{table.round(2).to_string()}")
    return both


def measured(real):
    """Return what `datasets/measure_forecasts.py` measured, a table with a row for each model.

    real: whether on the 80 real storms, or on those that the course makes.
    """
    table = pd.read_csv(MEASURED)
    kept = table[table["data"] == ("real" if real else "offline")]
    return kept.drop(columns="data").set_index("model")
