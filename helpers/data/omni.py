"""OMNI: the solar wind shifted to the Earth's bow shock, with SYM-H, as its servers give it.

Readers of three formats (HAPI, high-resolution ASCII, IAGA-2002), and the published storms by HAPI,
a file for each calendar month.
"""

import io
import json
from calendar import monthrange
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import numpy as np

from helpers.data import published
from helpers.data.files import DataError
from helpers.data.registry import File
from helpers.data.storms import check_units

if TYPE_CHECKING:  # pandas is slow to import, and to look for the files takes none
    import pandas as pd

SERVER = "https://cdaweb.gsfc.nasa.gov/hapi/data"
DATASET = "OMNI_HRO_5MIN"
DAY = timedelta(days=1)
MARGIN = 2 * DAY
STEP = timedelta(minutes=5)

# For each of our columns: HAPI's parameter, the field of the ASCII format (counted from 0), and the
# number that stands for a missing value, which differs by column. HAPI wants parameters in the
# order of its data set, which is this one. `y_gse` and `z_gse` only tell how the axes of GSM turn.
FIELDS = {
    "b_total": ("F", 13, 9999.99),
    "bx_gsm": ("BX_GSE", 14, 9999.99),  # the same axis in GSE and GSM
    "y_gse": ("BY_GSE", 15, 9999.99),
    "z_gse": ("BZ_GSE", 16, 9999.99),
    "by_gsm": ("BY_GSM", 17, 9999.99),
    "bz_gsm": ("BZ_GSM", 18, 9999.99),
    "speed": ("flow_speed", 21, 99999.9),
    "vx_gsm": ("Vx", 22, 99999.9),
    "vy_gsm": ("Vy", 23, 99999.9),  # in GSE, until they are turned
    "vz_gsm": ("Vz", 24, 99999.9),
    "density": ("proton_density", 25, 999.99),
    "temperature": ("T", 26, 9999999.0),
    "sym_h": ("SYM_H", 41, 99999.0),
}
PARAMETERS = tuple(parameter for parameter, _, _ in FIELDS.values())
HAPI = "an answer of a HAPI server"
HRO = "a file in OMNI's high-resolution format"
IAGA2002 = "a file in the IAGA-2002 format"
HRO_FIELDS = (46, 49)  # in a line of 1 minute, of 5 minutes
IAGA_MISSING = (99999.0, 88888.0)  # no value, and a value that is not reported


def files() -> tuple[File, ...]:
    """Return the files with the published storms, one for each month that a storm or margin meets.

    There is no hash, because OMNI is revised: what comes is checked by its content.
    """
    months = {
        (day.year, day.month)
        for _, start, end in _spans()
        for day in (start + n * DAY for n in range((end - start).days))
    }
    return tuple(
        File(_name(*month), (_url(*month),), None, None, partial(_read_month, *month))
        for month in sorted(months)
    )


def storms(contents: Mapping[str, bytes]) -> tuple["pd.DataFrame", "pd.DataFrame"]:
    """Return the published storms in the layout of `Storms.table`, and `start` and `end` of each.

    A storm is judged from the first to the last of its published days. Up to two days before and
    after come with it, fewer where the next storm is near, so that no row belongs to two storms.
    """
    import pandas as pd

    months = []
    for name, content in sorted(contents.items()):
        try:
            months.append(
                _read_month(*map(int, name.removesuffix(".csv")[-7:].split("-")), content)
            )
        except DataError as fault:
            raise DataError(f"{name} {fault}") from fault
    every = pd.concat(months, ignore_index=True)
    parts, windows = [], {}
    for storm, start, end in _spans():
        time = every["time"]
        part = every[(time >= pd.Timestamp(start)) & (time < pd.Timestamp(end))]
        parts.append(part.assign(storm=storm.number, split=storm.split))
        windows[storm.number] = {
            "start": pd.Timestamp(storm.first_day),
            "end": pd.Timestamp(storm.last_day) + pd.Timedelta(days=1) - STEP,
        }
    return (
        pd.concat(parts, ignore_index=True),
        pd.DataFrame.from_dict(windows, orient="index"),
    )


def read_hapi(content: bytes) -> "pd.DataFrame":
    """Return the columns of `Storms.table` from `time` on, read from an answer of a HAPI server.

    The content is comma-separated values, with the header that the server sends on `include=header`
    or without one; then the columns are time and `PARAMETERS`. Missing values, by the numbers that
    the header names, otherwise by those of OMNI, become NaN, and GSE is turned to GSM. Raises
    `DataError` when the content is something else, or damaged; its message says in which line.
    """
    text = _text(content, HAPI)
    if text.startswith("{"):  # what a server says when it can't answer
        raise DataError(f"is not {HAPI}, but a message: {' '.join(text.split())[:200]}")
    lines = text.split("\n")
    header = list(takewhile(lambda line: line.startswith("#"), lines))
    names, missing = ["Time", *PARAMETERS], {}
    if header:
        names, missing = _hapi_header("".join(line[1:] for line in header))
    if lines[-1]:
        raise DataError(f"breaks off in line {len(lines)}, where every line has to be complete")
    before = len(header)
    places = {parameter: names.index(parameter) for parameter in PARAMETERS}
    rows = _rows(lines[before:-1], ",", [len(names)], [0, *places.values()], HAPI, before)
    columns = {
        column: _masked(
            _number(rows[places[parameter]], parameter, before), missing.get(parameter, fill)
        )
        for column, (parameter, _, fill) in FIELDS.items()
    }
    time = _time(rows[0].astype(str).str.removesuffix("Z"), before)
    return _table(time, columns, before)


def read_hro(content: bytes) -> "pd.DataFrame":
    """Return the columns of `Storms.table` from `time` on, read from OMNI's high-resolution ASCII.

    The lines have 46 values (1 minute) or 49 (5 minutes); the format is described in
    spdf.gsfc.nasa.gov/pub/data/omni/high_res_omni/hroformat.txt. `time` is the begin of the
    average. Missing values become NaN, each column by its own number, and GSE is turned to GSM.
    Raises `DataError` when the content is something else, or damaged; its message says in which
    line.
    """
    import pandas as pd

    text = _text(content, HRO)
    wanted = [0, 1, 2, 3, *(field for _, field, _ in FIELDS.values())]
    rows = _rows(text.rstrip().split("\n"), None, HRO_FIELDS, wanted, HRO)
    stamps = [_number(rows[n], name) for n, name in enumerate(("year", "day", "hour", "minute"))]
    year, day, hour, minute = stamps
    leap = year % 4 == 0  # from 1963 to 2099, the year 2000 included
    right = (year >= 1963) & (year < 2100) & (day >= 1) & (day <= np.where(leap, 366, 365))
    right &= (hour >= 0) & (hour < 24) & (minute >= 0) & (minute < 60)
    right &= (np.array(stamps) % 1 == 0).all(axis=0)
    shown = [" ".join(f"{value:g}" for value in stamp) for stamp in zip(*stamps, strict=True)]
    _refuse(~right, shown, "that is no year, day, hour and minute")
    seconds = ((day - 1) * 24 + hour) * 3600 + minute * 60
    years = (year - 1970).astype("datetime64[Y]").astype("datetime64[s]")
    columns = {
        column: _masked(_number(rows[field], parameter), fill)
        for column, (parameter, field, fill) in FIELDS.items()
    }
    return _table(pd.Series(years + seconds.astype("timedelta64[s]")), columns)


def read_iaga2002(content: bytes) -> "pd.DataFrame":
    """Return `time` and `sym_h` (float32, nT), read from Kyoto's ASY/SYM in the IAGA-2002 format.

    The columns are found by the line that begins with DATE, TIME and DOY, however many lines are
    before it. Missing values (99999.00, 88888.00) become NaN. Raises `DataError` when the content
    is something else, or damaged; its message says in which line.
    """
    import pandas as pd

    lines = _text(content, IAGA2002).rstrip().split("\n")
    heads = [line.replace("|", " ").split() for line in lines]
    head = next((n for n, words in enumerate(heads) if words[:3] == ["DATE", "TIME", "DOY"]), None)
    if head is None:
        raise DataError(f"is not {IAGA2002}: no line begins with DATE, TIME and DOY")
    names = heads[head]
    if "SYM-H" not in names:
        raise DataError(f"has no SYM-H, only {', '.join(names[3:])}: get ASY/SYM from WDC Kyoto")
    before = head + 1
    place = names.index("SYM-H")
    rows = _rows(lines[before:], None, [len(names)], [0, 1, place], IAGA2002, before)
    time = _time(rows[0].astype(str) + " " + rows[1].astype(str), before)
    values = _number(rows[place], "SYM-H", before)
    for missing in IAGA_MISSING:
        values = _masked(values, missing)
    _check_order(time, before)
    return pd.DataFrame({"time": time, "sym_h": values.astype(np.float32)})


def _spans() -> list[tuple[published.Dates, date, date]]:
    """Return each published storm with the first day of its rows and the day after the last."""
    storms = sorted(published.dates(), key=lambda storm: storm.first_day)
    spans, taken = [], date.min
    for position, storm in enumerate(storms):
        start, end = max(storm.first_day - MARGIN, taken), storm.last_day + DAY
        if position + 1 < len(storms):
            # Days between two storms go to the later one: inputs before a storm are worth more than
            # what follows it.
            free = max(end, storms[position + 1].first_day - MARGIN)
        else:
            free = date.max
        taken = min(end + MARGIN, free)
        spans.append((storm, start, taken))
    return sorted(spans, key=lambda span: span[0].number)


def _name(year: int, month: int) -> str:
    return f"omni_5min_{year}-{month:02}.csv"


def _url(year: int, month: int) -> str:
    following = date(year, month, monthrange(year, month)[1]) + DAY
    query = {
        "id": DATASET,
        "parameters": ",".join(PARAMETERS),
        "time.min": f"{date(year, month, 1)}T00:00:00Z",
        "time.max": f"{following}T00:00:00Z",
        "include": "header",
        "format": "csv",
    }
    return f"{SERVER}?{urlencode(query, safe=',:')}"


def _read_month(year: int, month: int, content: bytes) -> "pd.DataFrame":
    """Return the rows of a month, all of which have to be there."""
    import pandas as pd

    table = read_hapi(content)
    # CDAWeb has labeled averages by their begin and by their middle; this makes both the begin.
    table["time"] = table["time"].dt.floor("5min")
    days = monthrange(year, month)[1]
    wanted = pd.date_range(f"{year}-{month:02}-01", periods=days * 288, freq=STEP)
    found = pd.DatetimeIndex(table["time"])
    absent = wanted.difference(found)
    if len(absent):
        raise DataError(
            f"lacks {len(absent):,} of the month's {len(wanted):,} rows, first {absent[0]}"
        )
    if len(found) != len(wanted):
        raise DataError(f"holds {len(found):,} rows, where the month has {len(wanted):,}")
    check_units(table, "the month")
    return table


def _text(content: bytes, what: str) -> str:
    """Return text with line ends \\n; `DataError` when it is empty, a web page or no text."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"is not {what}: it is no plain text") from error
    text = text.replace("\r\n", "\n")
    begin = text.lstrip()[:200].lower()
    if not begin:
        raise DataError(f"is not {what}: it is empty")
    if begin.startswith("<"):
        raise DataError(f"is not {what}: it is a web page, or XML")
    return text


def _rows(
    lines: list[str],
    separator: str | None,
    counts: Collection[int],
    columns: Collection[int],
    what: str,
    before: int = 0,
) -> "pd.DataFrame":
    """Return the wanted columns of lines that all have the same one of the `counts` of values.

    Values are separated by `separator`, or blanks (None); `before` lines of the file come before
    these. `DataError` names the first line of another count.
    """
    import pandas as pd

    found = [len(line.split(separator)) for line in lines]
    for number, count in enumerate(found):
        if count != found[0] or count not in counts:
            begin = f"is not {what}: it" if number == 0 else "is damaged: it"
            wanted = " or ".join(map(str, counts))
            raise DataError(
                f"{begin} holds {count} values in line {before + number + 1}, not {wanted}"
            )
    if not lines:
        raise DataError("holds no rows")
    return pd.read_csv(
        io.StringIO("\n".join(lines)),
        sep=separator or r"\s+",
        header=None,
        usecols=list(columns),
        keep_default_na=False,
    )


def _number(column: "pd.Series", name: str, before: int = 0) -> np.ndarray:
    import pandas as pd

    values = pd.to_numeric(column, errors="coerce").to_numpy(float)
    _refuse(~np.isfinite(values), column, f"{name} is no number", before)
    return values


def _time(stamps: "pd.Series", before: int) -> "pd.Series":
    import pandas as pd

    time = pd.to_datetime(stamps, format="ISO8601", errors="coerce")
    _refuse(time.isna().to_numpy(), stamps, "that is no time", before)
    return time


def _refuse(bad: np.ndarray, values: Sequence, fault: str, before: int = 0) -> None:
    """Raise `DataError` for the first line whose value is bad, if there is one."""
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise DataError(f"holds {str(values[row])!r} in line {before + row + 1}: {fault}")


def _masked(values: np.ndarray, missing: float) -> np.ndarray:
    # Relative, since the server stores them as float32: 9999.99 comes as 9999.990234, too.
    return np.where(np.isclose(values, missing, rtol=1e-6, atol=0), np.nan, values)


def _hapi_header(text: str) -> tuple[list[str], dict[str, float]]:
    """Return the names of the columns in a HAPI header, and what stands for a missing value."""
    try:
        parameters = json.loads(text)["parameters"]
        names = [parameter["name"] for parameter in parameters]
        missing = {
            parameter["name"]: float(parameter["fill"])
            for parameter in parameters[1:]
            if parameter.get("fill") is not None
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError("has a HAPI header that cannot be read") from error
    absent = [name for name in PARAMETERS if name not in names[1:]]
    if absent:
        raise DataError(f"lacks the parameter {', '.join(absent)}")
    return names, missing


def _table(time: "pd.Series", columns: dict[str, np.ndarray], before: int = 0) -> "pd.DataFrame":
    """Return the table of `columns`, the velocity turned from GSE to GSM as the field is."""
    import pandas as pd

    y_gse, z_gse = columns.pop("y_gse"), columns.pop("z_gse")
    # Both systems share their x axis. The turn about it is that from the field in one to the field
    # in the other, both of which OMNI gives; where the field is missing, it is unknown.
    turn = (columns["by_gsm"] + 1j * columns["bz_gsm"]) * (y_gse - 1j * z_gse)
    across = np.abs(turn)
    turn = np.divide(turn, across, where=across > 0, out=np.full_like(turn, np.nan))
    velocity = (columns["vy_gsm"] + 1j * columns["vz_gsm"]) * turn
    columns |= {"vy_gsm": velocity.real, "vz_gsm": velocity.imag}
    _check_order(time, before)
    return pd.DataFrame({"time": time} | {k: v.astype(np.float32) for k, v in columns.items()})


def _check_order(time: "pd.Series", before: int) -> None:
    early = np.concatenate([[False], np.diff(time.to_numpy()) <= np.timedelta64(0, "s")])
    _refuse(early, time, "the time is not after that of the line above", before)
