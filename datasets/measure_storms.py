"""Describe the storms and measure simple forecasts of SYM-H, one and two hours ahead.

    python datasets/measure_storms.py [--models persistence physics ridge ridge+physics trees]

COURSE_DATA says which storms: a data folder, or `offline`. Models learn from the storms of `train`
and are scored on those of `val`: root mean square error of each storm, over the targets inside its
evaluation window, then the mean over storms, in nT. "below -200" pools all targets below -200 nT.
"""

import argparse

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from helpers import data

HOUR = 12  # rows
L1 = 1.5e6  # km from the Earth
LAGS = range(0, 3 * HOUR + 1, 3)  # rows: every 15 minutes of 3 hours
RAW = ["b_total", "bx_gsm", "by_gsm", "bz_gsm", "speed", "density", "temperature", "sym_h"]
# O'Brien and McPherron (2000): a in nT/h per mV/m, Ec in mV/m, tau0 in h, b in nT/nPa^0.5, c in nT
INJECTION, THRESHOLD, DECAY, PRESSURE, QUIET = -4.4, 0.49, 2.40, 7.26, 11.0


def filled(storm: pd.DataFrame) -> pd.DataFrame:
    """Fill gaps from the past; density holds for an hour, then it fades to 5 cm^-3."""
    columns = storm[RAW].ffill().fillna(storm[RAW].median())
    age = storm["density"].isna().groupby(storm["density"].notna().cumsum()).cumsum()
    fade = np.exp(-(age - HOUR).clip(lower=0) / HOUR)
    columns["density"] = 5 + fade * (columns["density"] - 5)
    return columns.astype(float)


def driven(columns: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return V Bs in mV/m and the root of the dynamic pressure in nPa^0.5."""
    coupling = columns["speed"] * (-columns["bz_gsm"]).clip(lower=0) * 1e-3
    pressure = 2e-6 * columns["density"] * columns["speed"] ** 2
    return coupling.to_numpy(), np.sqrt(pressure).to_numpy()


def arrived(speed: np.ndarray, ahead: int) -> np.ndarray:
    """Return for each row t the last row, at most t, whose wind is at the Earth by t + ahead."""
    arrival = np.arange(len(speed)) + L1 / speed / 300
    # Fast wind overtakes slow wind: what left last counts of all that is there.
    latest = np.zeros(len(speed) + ahead + 1, int)
    place = np.ceil(arrival).astype(int)
    inside = place < len(latest)
    np.maximum.at(latest, place[inside], np.flatnonzero(inside))
    latest = np.maximum.accumulate(latest)
    return np.minimum(latest[ahead : ahead + len(speed)], np.arange(len(speed)))


def physics(columns: pd.DataFrame, ahead: int) -> np.ndarray:
    """Return SYM-H `ahead` rows later from the model of O'Brien and McPherron, drivers delayed."""
    speed, sym_h = columns["speed"].to_numpy(), columns["sym_h"].to_numpy()
    coupling, root = driven(columns)
    disturbance = sym_h - PRESSURE * root[arrived(speed, 0)] + QUIET
    for step in range(1, ahead + 1):
        strength = coupling[arrived(speed, step)]
        tau = DECAY * np.exp(9.74 / (4.69 + strength))
        keep = np.exp(-1 / HOUR / tau)
        injected = INJECTION * np.maximum(strength - THRESHOLD, 0)
        disturbance = disturbance * keep + injected * tau * (1 - keep)
    return disturbance + PRESSURE * root[arrived(speed, ahead)] - QUIET


def lagged(columns: np.ndarray) -> np.ndarray:
    """Return the columns (rows, n) at all lags side by side, (rows, n * lags)."""
    rows = np.arange(len(columns))
    return np.concatenate([columns[np.maximum(rows - lag, 0)] for lag in LAGS], axis=1)


def inputs(storm: pd.DataFrame, ahead: int) -> dict[str, np.ndarray]:
    """Return what the models see at each row: `raw` lags, and `physics` beside them."""
    columns = filled(storm)
    raw = lagged(columns.to_numpy())
    forecast = physics(columns, ahead) - columns["sym_h"].to_numpy()
    strength = np.stack(driven(columns), axis=1)
    on_the_way = [strength[arrived(columns["speed"].to_numpy(), step)] for step in range(0, 25, 3)]
    angle = (storm["time"].dt.hour + storm["time"].dt.minute / 60).to_numpy() * np.pi / 12
    clock = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    parts = [raw, forecast[:, None], lagged(strength), *on_the_way, clock]
    return {"raw": raw, "physics": np.concatenate(parts, axis=1), "forecast": forecast}


def examples(storms, ahead: int) -> dict[str, list[dict[str, np.ndarray]]]:
    """Return for train and val each storm's inputs, change until the target, and target."""
    result = {"train": [], "val": []}
    for split, made in result.items():
        for number in storms.of(split):
            storm = storms.storm(number)
            window = storms.windows.loc[number]
            later = storm["time"].shift(-ahead)
            target = storm["sym_h"].shift(-ahead)
            use = ((later >= window["start"]) & (later <= window["end"])).to_numpy()
            seen = inputs(storm, ahead) | {
                "change": (target - storm["sym_h"]).to_numpy(),
                "target": target.to_numpy(),
            }
            made.append({name: values[use].astype(np.float32) for name, values in seen.items()})
    return result


def ridge():
    """A linear model on standardized inputs."""
    return make_pipeline(StandardScaler(), Ridge(100.0))


def trees():
    """Boosted trees; slow steps, large leaves."""
    return HistGradientBoostingRegressor(
        max_iter=150, learning_rate=0.06, min_samples_leaf=200, l2_regularization=10, random_state=0
    )


MODELS = {  # name: what it sees, how it learns the change (None: what it sees is the forecast)
    "persistence": (None, None),
    "physics": ("forecast", None),
    "ridge": ("raw", ridge),
    "ridge+physics": ("physics", ridge),
    "trees": ("physics", trees),
}


def forecasts(name: str, made: dict[str, list[dict[str, np.ndarray]]]) -> list[np.ndarray]:
    """Return the change that a model forecasts for each storm of val."""
    seen, learner = MODELS[name]
    if seen is None:
        return [np.zeros_like(storm["change"]) for storm in made["val"]]
    if learner is None:
        return [storm[seen] for storm in made["val"]]
    x, y = (np.concatenate([storm[of] for storm in made["train"]]) for of in (seen, "change"))
    model = learner().fit(x, y)
    return [model.predict(storm[seen]) for storm in made["val"]]


def describe(storms) -> None:
    """Print how the storms are distributed."""
    table = storms.table
    minima = storms.windows["minimum"]
    print(f"{len(minima)} storms, {len(table):,} rows")
    print("minima (nT)            " + quantiles(minima, (0, 25, 50, 75, 100)))
    columns = ("b_total", "bz_gsm", "speed", "density", "temperature", "sym_h")
    for name in columns:
        print(f"{name:12} 1 25 50 75 99 %" + quantiles(table[name].dropna(), (1, 25, 50, 75, 99)))
    coupling = table["speed"] * (-table["bz_gsm"]).clip(lower=0) * 1e-3
    print("V Bs 50 90 99 99.9 %    " + quantiles(coupling.dropna(), (50, 90, 99, 99.9)))
    shares = [f"{100 * (table['sym_h'] < level).mean():.1f}" for level in (-50, -100, -200)]
    print("rows below -50 -100 -200 nT: " + ", ".join(shares) + " %")
    gaps = {name: f"{100 * table[name].isna().mean():.1f}" for name in columns[1:-1]}
    print("missing, %:", gaps)
    low = table["sym_h"] < -100
    print(f"density missing below -100 nT: {100 * table['density'][low].isna().mean():.1f} %")
    for name in ("sym_h", "bz_gsm", "speed", "density"):
        series = table.groupby("storm")[name]
        memory = [np.nanmean(series.apply(pd.Series.autocorr, lag * HOUR)) for lag in (1, 3, 6, 12)]
        step = series.diff(HOUR).std()
        print(f"{name:8} autocorrelation after 1 3 6 12 h: {np.round(memory, 2)}, ", end="")
        print(f"deviation of the change in 1 h {step:.2f}, in 5 min {series.diff().std():.2f}")


def quantiles(values: pd.Series, percent: tuple[float, ...]) -> str:
    """Return percentiles as a row of a table."""
    return "".join(f"{value:10.4g}" for value in np.percentile(values, percent))


def main():
    """Describe the storms and measure the models asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    arguments = parser.parse_args()

    storms = data.storms()
    describe(storms)
    for hours in (1, 2) if arguments.models else ():
        made = examples(storms, hours * HOUR)
        for name in arguments.models:
            errors = [
                change - storm["change"]
                for change, storm in zip(forecasts(name, made), made["val"], strict=True)
            ]
            score = np.mean([np.sqrt(np.mean(error**2)) for error in errors])
            target = np.concatenate([storm["target"] for storm in made["val"]])
            extreme = np.concatenate(errors)[target < -200]
            if name == "persistence":
                reference = score
            print(
                f"{hours} h {name:14} {score:6.2f} nT, {score / reference:.3f} of persistence, "
                f"below -200: {np.sqrt(np.mean(extreme**2)):5.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
