"""Inputs for a forecast of SYM-H: everything known by a time, and nothing from later."""

import numpy as np
import pandas as pd

from helpers.symh import physics

HOLD, FADE = 12, 36  # steps: an old density is held for an hour, then fades over three more
USUAL_DENSITY = 5.0  # cm^-3
OLDEST = 36  # steps: older than three hours is just old

# What is taken as it was measured: what to take where nothing was measured yet, and the center
# and the scale that bring it near to -1 ... 1. They are round numbers, not fitted to any storm.
MEASURED = {
    "bx_gsm": (0.0, 0.0, 10.0),
    "by_gsm": (0.0, 0.0, 10.0),
    "bz_gsm": (0.0, 0.0, 10.0),
    "b_total": (5.0, 0.0, 10.0),
    "speed": (400.0, 450.0, 100.0),
}


def fill_forward(values):
    """Return the values with gaps filled by the last one before, and the age of each in steps.

    values: (n,) with NaN for missing. Both results are (n,). Before the first value there is
    nothing to fill with: NaN stays, and the age counts from the start.
    """
    values = np.asarray(values, float)
    rows = np.arange(len(values))
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, rows))
    return np.where(last >= 0, values[np.maximum(last, 0)], np.nan), rows - last


def wind(storm):
    """Return the solar wind of a storm without gaps, as it could be known at each time.

    storm: a storm's table. Returns a table of the same rows: `bx_gsm, by_gsm, bz_gsm, b_total`
    (nT), `speed` (km/s), `density` (cm^-3), `temperature` (K), `speed_age`, `density_age` (steps).
    Gaps are filled forward; an old density, which changes fast, fades to the usual one.
    """
    columns = {}
    for name, (default, _, _) in MEASURED.items():
        filled, age = fill_forward(storm[name])
        columns[name] = np.nan_to_num(filled, nan=default)
        if name == "speed":
            columns["speed_age"] = age
    filled, age = fill_forward(storm["density"])
    fade = np.exp(-np.maximum(age - HOLD, 0) / FADE)
    columns["density"] = USUAL_DENSITY + fade * np.nan_to_num(filled - USUAL_DENSITY)
    columns["density_age"] = age
    columns["temperature"] = np.nan_to_num(fill_forward(storm["temperature"])[0], nan=1e5)
    return pd.DataFrame(columns)


def drivers(storm, at="L1"):
    """Return what drives the ring current: VBs in mV/m, sqrt(P) in sqrt(nPa), delay in steps.

    storm: a storm's table of n rows; at: "L1" for wind as measured there, "bow shock" for wind
    whose times were shifted to the bow shock already. Three arrays of shape (n,).
    """
    filled = wind(storm)
    speed = filled["speed"].to_numpy()
    electric = physics.vbs(speed, filled["bz_gsm"].to_numpy())
    root_pressure = np.sqrt(physics.pressure(filled["density"].to_numpy(), speed))
    delay = physics.DISTANCE / speed / 300 if at == "L1" else np.zeros_like(speed)
    return electric, root_pressure, delay


def arriving(values, delay):
    """Return the values measured `delay` steps before each time: what arrives at the Earth now."""
    rows = np.arange(len(values))
    return np.interp(rows - delay, rows, values)


def physics_forecast(storm, hours, at="L1", model=physics.OBRIEN):
    """Return the physical model's forecasts of SYM-H in nT, (n, len(hours)), from each time."""
    electric, root_pressure, delay = drivers(storm, at)
    sym_h = storm["sym_h"].to_numpy(float)
    steps = [round(hour / physics.STEP) for hour in hours]
    forecasts = [model.forecast(sym_h, electric, root_pressure, delay, step) for step in steps]
    return np.stack(forecasts, axis=1)


def inputs(storm, at="L1"):
    """Return the inputs of the network, a table of 20 columns, one row for each time.

    storm: a storm's table of n rows (5 minutes each); at: where the wind was measured, as in
    `drivers`. No value depends on later rows. All are brought to about -1 ... 1: SYM-H and its last
    change; the wind as measured, with the ages of speed and density; VBs and the root of the
    pressure, as measured and as they arrive; the forecasts of the physical model for one and two
    hours less SYM-H now; and the time of the day (UT) on a circle.
    """
    filled = wind(storm)
    electric, root_pressure, delay = drivers(storm, at)
    sym_h = storm["sym_h"].to_numpy(float)
    columns = {"sym_h": sym_h / 50, "change": np.diff(sym_h, prepend=sym_h[0]) / 10}
    for name, (_, center, scale) in MEASURED.items():
        columns[name] = (filled[name] - center) / scale
    columns["log_density"] = np.log(np.maximum(filled["density"], 0.1)) - np.log(USUAL_DENSITY)
    columns["log_temperature"] = np.log(np.maximum(filled["temperature"], 1e3)) - np.log(8e4)
    columns["vbs"] = electric / 5
    columns["root_pressure"] = root_pressure - 1.5
    columns["vbs_arriving"] = arriving(electric, delay) / 5
    columns["bz_arriving"] = arriving(filled["bz_gsm"].to_numpy(), delay) / 10
    columns["root_pressure_arriving"] = arriving(root_pressure, delay) - 1.5
    ahead = physics_forecast(storm, (1, 2), at) - sym_h[:, None]
    columns["physics_1h"], columns["physics_2h"] = ahead.T / 20
    for name in ("speed_age", "density_age"):
        columns[name] = np.minimum(filled[name], OLDEST) / OLDEST
    hour = storm["time"].dt.hour + storm["time"].dt.minute / 60
    angle = 2 * np.pi * hour.to_numpy() / 24
    columns["day_sine"], columns["day_cosine"] = np.sin(angle), np.cos(angle)
    return pd.DataFrame({name: np.asarray(column) for name, column in columns.items()}).astype(
        np.float32
    )
