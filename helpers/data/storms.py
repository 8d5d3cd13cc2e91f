"""Geomagnetic storms: the solar wind before the Earth, and how its magnetic field answers."""

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from helpers.data import published, sources
from helpers.data.files import DataError

if TYPE_CHECKING:  # pandas is slow to import, hence only where it is needed
    import pandas as pd

FILE = "ace_symh_storms_5min.csv.gz"
DRIVERS = (
    "b_total",
    "bx_gsm",
    "by_gsm",
    "bz_gsm",
    "speed",
    "vx_gsm",
    "vy_gsm",
    "vz_gsm",
    "density",
    "temperature",
)
COLUMNS = ("storm", "split", "time", *DRIVERS, "sym_h")
SPLITS = ("train", "val", "test", "test_key")  # in this order, then whatever else a file has
STEP = np.timedelta64(5, "m")
MARGIN = np.timedelta64(2, "D")

# Of each storm the median of a column's absolute values lies in here, with room to spare; in other
# units it doesn't: unit, lowest, highest, and what the columns are sometimes given in.
UNITS = {
    "b_total": ("nT", 0.5, 200, "T"),
    "bx_gsm": ("nT", 0.05, 200, "T"),
    "by_gsm": ("nT", 0.05, 200, "T"),
    "bz_gsm": ("nT", 0.05, 200, "T"),
    "speed": ("km/s", 150, 3000, "m/s"),
    "vx_gsm": ("km/s", 150, 3000, "m/s"),
    "vy_gsm": ("km/s", 0.1, 1000, "m/s"),
    "vz_gsm": ("km/s", 0.1, 1000, "m/s"),
    "density": ("cm^-3", 0.05, 200, "m^-3"),
    "temperature": ("K", 1000, 1e7, "eV"),
    "sym_h": ("nT", 0.5, 1000, "T"),
}


@dataclass(frozen=True)
class Storms:
    """Storms on an even grid of 5 minutes: solar wind and SYM-H.

    `table` is a DataFrame with the columns `storm` (int64), `split`, `time` (UTC), the magnetic
    field `b_total`, `bx_gsm`, `by_gsm`, `bz_gsm` in nT, the velocity `speed`, `vx_gsm`, `vy_gsm`,
    `vz_gsm` in km/s, `density` in cm^-3, `temperature` in K and the index `sym_h` in nT, all
    float32, NaN where missing; `sym_h` never is. Rows are in the order of storm and time. `sym_h`
    belongs to the 5 minutes that begin at `time`; the wind to those that end there, or also begin
    there, as `at` says.

    `windows` has a row for each storm: `split`, and the evaluation window, from `start` to `end`,
    both included, with the `minimum` of `sym_h` in it, in nT. A forecast is judged in the window;
    the days before it are for its inputs. `at` is "L1", some 1.5 million km before the Earth (means
    end at `time`), or "bow shock", where the wind meets the Earth's magnetic field (already shifted
    in time; means begin at `time`). `published` has a row for each storm that is one of the 17 test
    storms of the literature: its `published_number` and errors (RMSE in nT, one and two hours
    ahead).
    """

    table: "pd.DataFrame" = field(repr=False)
    windows: "pd.DataFrame" = field(repr=False)
    source: sources.Source
    at: str
    published: "pd.DataFrame" = field(repr=False)

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that there are: train, val, test, test_key, then others."""
        present = list(dict.fromkeys(self.windows["split"]))
        return tuple(
            sorted(present, key=lambda name: SPLITS.index(name) if name in SPLITS else len(SPLITS))
        )

    def storm(self, number: int) -> "pd.DataFrame":
        """Return the rows of one storm; a number that there isn't is a `ValueError`."""
        if number not in self.windows.index:
            numbers = self.windows.index
            raise ValueError(
                f"there is no storm {number!r}: the {len(numbers)} storms have numbers from "
                f"{numbers.min()} to {numbers.max()}"
            )
        return self.table[self.table["storm"] == number].reset_index(drop=True)

    def of(self, split: str) -> list[int]:
        """Return the numbers of the storms of a split; an unknown split is a `ValueError`."""
        if split not in self.splits:
            raise ValueError(f"there is no split {split!r}, only {', '.join(self.splits)}")
        return self.windows.index[self.windows["split"] == split].tolist()


def storms() -> Storms:
    """Load geomagnetic storms, or make them where real ones can't be had; print which.

    The real ones are a file in the data folder (ACE at L1), or the 42 storms of Siciliano et al.
    (2021) from OMNI, which takes COURSE_DOWNLOAD=yes once (50 MB); otherwise they are made
    (`helpers.data.space_weather`). Raises `DataError` when the data folder that COURSE_DATA names
    can't be used, or the file in it, or what was put into the cache.
    """
    contents, source = sources.find("storms")
    if source.real:
        table, windows, at = _real(contents, source)
    else:
        from helpers.data import space_weather  # only where it is needed

        table, at = space_weather.storms(), "L1"
        windows = _windows(table)
    print(source)
    return Storms(table, windows, source, at, _published(table, windows, source.real))


def check_storms(table: "pd.DataFrame") -> None:
    """Raise `DataError` at the first fault of a table of storms, naming the place and a remedy.

    Looked for are a missing column, times that are missing, double, out of order or not 5 minutes
    apart, a storm with two splits or none, storms of different splits that overlap in time (a leak)
    or whose evaluation windows do (without a list of them, a storm's rows less two days at each
    end), a driver without any value, SYM-H that is missing, units other than those in `Storms`, by
    the median size of each storm, and a density, speed, field or temperature below 0. Extra columns
    don't matter.
    """
    _check_table(table)
    _check_windows(_windows(table))


def _check_table(table: "pd.DataFrame") -> None:
    _check_columns(table)
    _check_times(table)
    _check_splits(table)
    _check_values(table)


def _check_columns(table: "pd.DataFrame") -> None:
    import pandas as pd
    from pandas.api import types

    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise DataError(
            f"the table has no column {', '.join(missing)}; it has {', '.join(map(str, table))}"
        )
    if not len(table):
        raise DataError("the table has no rows")
    if not types.is_integer_dtype(table["storm"]):
        raise DataError(
            f"the column storm holds {table['storm'].dtype}: number the storms with integers"
        )
    if not types.is_datetime64_dtype(table["time"]):
        raise DataError(
            f"the column time holds {table['time'].dtype}, where datetime64 without a time zone, "
            "in UTC, is expected: pandas.to_datetime makes it"
        )
    for name in (*DRIVERS, "sym_h"):
        if not types.is_numeric_dtype(table[name]):
            texts = pd.to_numeric(table[name], errors="coerce").isna() & table[name].notna()
            _refuse(table, texts.to_numpy(), f"{name} is no number", name)
            raise DataError(f"the column {name} holds {table[name].dtype}: make it numbers")


def _check_times(table: "pd.DataFrame") -> None:
    storm, time = table["storm"].to_numpy(), table["time"].to_numpy()
    _refuse(table, np.isnat(time), "there is no time: give it, or leave the row out")
    _refuse(
        table,
        np.concatenate([[False], storm[1:] < storm[:-1]]),
        "the storm comes after one with a higher number: sort the rows by storm and time",
    )
    later = np.concatenate([[False], storm[1:] == storm[:-1]])
    step = np.concatenate([[STEP], time[1:] - time[:-1]])
    _refuse(
        table, later & (step == np.timedelta64(0, "s")), "the time is there twice: remove one row"
    )
    unsorted = "the time is before that of the row above: sort the rows by storm and time"
    _refuse(table, later & (step < np.timedelta64(0, "s")), unsorted)
    _refuse(
        table,
        later & (step != STEP),
        "the time is not 5 minutes after that of the row above: give every step a row, "
        "with NaN where a driver is missing",
    )


def _check_splits(table: "pd.DataFrame") -> None:
    _refuse(table, table["split"].isna().to_numpy(), "there is no split: name it")
    storms = table.groupby("storm")
    for storm, splits in storms["split"].unique().items():
        if len(splits) > 1:
            raise DataError(
                f"storm {storm} is in two splits, {splits[0]} and {splits[1]}: a storm belongs to "
                "one of them as a whole"
            )
    spans = storms.agg(split=("split", "first"), start=("time", "min"), end=("time", "max"))
    _refuse_overlaps(
        spans,
        "{} and {} overlap from {} to {}, so that a network would be judged by hours that it "
        "was trained on: leave the rows of one of them out, or put both into one split",
        within_a_split=False,
    )


def _check_values(table: "pd.DataFrame") -> None:
    for name in DRIVERS:
        if table[name].isna().all():
            raise DataError(
                f"the column {name} has no value at all: a driver that is missing everywhere "
                "can't be used, get a table that has it"
            )
    sym_h = table["sym_h"].to_numpy(float)
    _refuse(
        table, np.isnan(sym_h), "sym_h is missing, the index to be forecast: leave the storm out"
    )
    for name in (*DRIVERS, "sym_h"):
        infinite = np.isinf(table[name].to_numpy(float))
        _refuse(table, infinite, f"{name} is infinite: a missing value is NaN")
    for name in ("density", "speed", "b_total", "temperature"):
        values = table[name].to_numpy(float)
        _refuse(table, values < 0, f"{name} is below 0: mask it, a missing value is NaN", name)
    for storm, part in table.groupby("storm"):
        check_units(part, f"storm {storm}")


def check_units(table: "pd.DataFrame", place: str) -> None:
    """Raise `DataError` if the usual size of a column's values is one of other units than ours."""
    for name, (unit, low, high, other) in UNITS.items():
        median = table[name].abs().median()
        if not (np.isnan(median) or low <= median <= high):
            raise DataError(
                f"{place}: the absolute values of {name} have the median {median:.3g}, where "
                f"{low} to {high:g} {unit} are expected: convert them to {unit} (perhaps they are "
                f"in {other}?)"
            )


def _refuse(table: "pd.DataFrame", bad: np.ndarray, fault: str, column: str | None = None) -> None:
    """Raise `DataError` for the first row that is `bad`, if there is one."""
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        values = table.iloc[row]
        value = "" if column is None else f" ({values[column]})"
        more = int(bad.sum()) - 1
        others = f" (and {more:,} more rows)" if more else ""
        raise DataError(
            f"storm {values['storm']}, {values['time']} (row {row}){others}: {fault}{value}"
        )


def _refuse_overlaps(spans: "pd.DataFrame", fault: str, within_a_split: bool) -> None:
    """Raise `DataError` for the first two spans (split, start, end) that overlap.

    Those of one split matter only if `within_a_split`.
    """
    rows = list(spans.sort_values("start").iterrows())
    for position, (storm, one) in enumerate(rows):
        for other_storm, other in rows[position + 1 :]:
            if other["start"] > one["end"]:
                break
            if within_a_split or one["split"] != other["split"]:
                names = (
                    f"storm {storm} ({one['split']})",
                    f"storm {other_storm} ({other['split']})",
                )
                raise DataError(fault.format(*names, other["start"], min(one["end"], other["end"])))


def _check_windows(windows: "pd.DataFrame") -> None:
    _refuse_overlaps(
        windows,
        "the evaluation windows of {} and {} overlap from {} to {}, so that these hours would "
        "count twice: shorten one of them",
        within_a_split=True,
    )


def _real(
    contents: dict[str, bytes], source: sources.Source
) -> tuple["pd.DataFrame", "pd.DataFrame", str]:
    """Return table, windows and where the wind was, from the file, or else from OMNI's months."""
    from helpers.data import omni

    ace = FILE in contents
    place = source.place / FILE if ace else source.place
    try:
        if ace:
            table, given = _read(contents[FILE]), _given_windows(source.place)
        else:
            raw, given = omni.storms(contents)
            table = _tidy(raw)
        windows = _windows(table, given)
        _check_windows(windows)
    except DataError as fault:
        remedy = "Put the right file there" if ace else "Delete it and download it again"
        raise DataError(
            f"{source.title}: {place}: {fault}. {remedy}, or set COURSE_DATA=offline to go on "
            "without it"
        ) from fault
    return table, windows, "L1" if ace else "bow shock"


def _read(content: bytes) -> "pd.DataFrame":
    """Return the table in the file's content, checked; `DataError` says what is wrong with it."""
    import pandas as pd

    try:
        table = pd.read_csv(io.BytesIO(content))
    except (ValueError, pd.errors.ParserError) as error:  # ValueError: also what is no text
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(f"the file is no table of comma-separated values ({first})") from error
    return _tidy(table)


def _tidy(table: "pd.DataFrame") -> "pd.DataFrame":
    """Check a table and give its columns the order and the types of `Storms`."""
    import pandas as pd

    if "time" in table and not pd.api.types.is_datetime64_any_dtype(table["time"]):
        times = pd.to_datetime(table["time"], format="ISO8601", errors="coerce")
        wrong = np.flatnonzero(times.isna())
        if wrong.size:
            row = wrong[0]
            raise DataError(
                f"row {row}: the time {table['time'].iloc[row]!r} is none, such as "
                "2003-11-20 18:15:00"
            )
        table = table.assign(time=times)
    _check_table(table)
    types = {"storm": "int64"} | dict.fromkeys((*DRIVERS, "sym_h"), "float32")
    return table[list(COLUMNS)].astype(types)


def _windows(table: "pd.DataFrame", given: "pd.DataFrame | None" = None) -> "pd.DataFrame":
    """Return the evaluation window of each storm: as given, otherwise less two days at each end."""
    import pandas as pd

    rows = {}
    for storm, part in table.groupby("storm", sort=False):
        time = part["time"]
        first, last = time.iloc[0], time.iloc[-1]
        if given is not None and storm in given.index:
            start, end = given.loc[storm, "start"], given.loc[storm, "end"]
        else:
            # A file's first row is at 0:00 or 0:05, depending on which end its labels are.
            start, end = first.floor("h") + MARGIN, last - MARGIN
        inside = (time >= start) & (time <= end)
        if not inside.any() or start < first - pd.Timedelta(STEP) or end > last:
            raise DataError(
                f"storm {storm}: the evaluation window from {start} to {end} is not within its "
                f"rows, which go from {first} to {last}"
            )
        rows[storm] = {
            "split": part["split"].iloc[0],
            "start": start,
            "end": end,
            "minimum": float(part["sym_h"][inside].min()),
        }
    windows = pd.DataFrame.from_dict(rows, orient="index")
    return windows.rename_axis("storm")


def _given_windows(folder: Path) -> "pd.DataFrame | None":
    """Return `start` and `end` by storm from the files storms_*.csv in `folder`, if there are."""
    import pandas as pd

    wanted = {"storm": "storm", "eval_start": "start", "eval_end": "end"}
    tables = []
    for path in sorted(folder.glob("storms_*.csv")):
        try:
            table = pd.read_csv(path)
            if not set(wanted) <= set(table):
                continue  # a list of something else
            table = table[list(wanted)].rename(columns=wanted).set_index("storm")
            tables.append(table.apply(pd.to_datetime, format="ISO8601"))
        except (OSError, ValueError, pd.errors.ParserError) as error:
            raise DataError(
                f"the evaluation windows in {path.name} cannot be read ({error})"
            ) from error
    if not tables:
        return None
    table = pd.concat(tables)
    if table.index.has_duplicates:
        storm = table.index[table.index.duplicated()][0]
        raise DataError(f"storm {storm} has two evaluation windows in storms_*.csv")
    return table


def _published(table: "pd.DataFrame", windows: "pd.DataFrame", real: bool) -> "pd.DataFrame":
    """Return the published errors of those storms that are among the published ones, by date."""
    import pandas as pd

    errors = published.errors()
    tested = [known for known in published.dates() if known.number in errors]
    rows = {}
    # A storm that was made has a date, too, but nothing happened on it.
    for storm, window in windows.iterrows() if real else ():
        part = table[table["storm"] == storm].set_index("time")["sym_h"]
        day = part[window["start"] : window["end"]].idxmin().date()
        for known in tested:
            if known.first_day <= day <= known.last_day:
                rows[storm] = {"published_number": known.number} | errors[known.number]
    columns = ["published_number", *next(iter(errors.values()))]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return frame.astype({"published_number": "int64"}).rename_axis("storm")
