"""Storms: the real file in miniature, OMNI from a server on this machine, and their faults."""

import gzip
import re
import sys
import time

import numpy as np
import pandas as pd
import pytest

from helpers import data
from helpers.data import download, omni, registry, space_weather
from helpers.data.storms import COLUMNS, DRIVERS, FILE
from tests.helpers import tempests
from tests.helpers.miniature import refuses, write
from tests.helpers.processes import two_at_once
from tests.helpers.servers import serving


def packed(table: pd.DataFrame) -> bytes:
    return gzip.compress(table.to_csv(index=False).encode(), compresslevel=1)


@pytest.fixture(scope="module")
def table():
    """A good table; tests change copies of it."""
    return tempests.table()


@pytest.fixture(scope="module")
def content(table):
    """The content of a good file."""
    return packed(table)


@pytest.fixture
def symh(course, content, monkeypatch):
    """The folder of the real file; COURSE_DATA names its data folder."""
    tempests.write_course(course.datasets)
    folder = course.shared / "symh"
    write({FILE: content}, folder)
    monkeypatch.setenv("COURSE_DATA", str(course.shared))
    return folder


@pytest.fixture
def offline(monkeypatch, table):
    """A small table in the place of the offline default, which takes seconds to make."""
    monkeypatch.setattr(
        space_weather, "storms", lambda: table.astype({n: "float32" for n in DRIVERS})
    )


# The real file


def test_real_storms(symh, table, capsys):
    found = data.storms()
    line = f"Geomagnetic storms: real recordings from the data folder {symh}.\n"
    assert capsys.readouterr().out == line
    assert found.source.real
    assert found.at == "L1"
    assert list(found.table) == list(COLUMNS)
    types = found.table.dtypes
    assert types["storm"] == np.int64
    assert types["time"].kind == "M"
    assert all(types[name] == np.float32 for name in (*DRIVERS, "sym_h"))
    pd.testing.assert_frame_equal(found.table, table, check_dtype=False, rtol=1e-6)
    assert found.splits == ("train", "val", "test")
    assert [found.of(split) for split in found.splits] == [[1], [5], [2]]
    one = found.storm(5)
    assert list(one.index) == list(range(6 * 288))
    assert (one["storm"] == 5).all()


def test_windows_without_a_list(symh, table):
    windows = data.storms().windows
    assert list(windows.index) == [1, 2, 5]
    assert windows["split"].tolist() == ["train", "test", "val"]
    # The rows go from 0:05 to 0:00 six days later.
    assert windows.loc[1, "start"] == pd.Timestamp("2000-01-12")
    assert windows.loc[1, "end"] == pd.Timestamp("2000-01-14")
    part = table[table["storm"] == 1]
    inside = part["time"].between(windows.loc[1, "start"], windows.loc[1, "end"])
    assert inside.sum() == 2 * 288 + 1
    assert windows.loc[1, "minimum"] == part["sym_h"][inside].min()


def test_windows_from_the_list(symh):
    text = "storm,split,eval_start,eval_end\n2,test,2001-04-02,2001-04-04 12:00:00\n"
    symh.joinpath("storms_3.csv").write_text(text, encoding="utf-8")
    symh.joinpath("storms_published.csv").write_text("no,start\n1,2001-04-02\n", encoding="utf-8")
    windows = data.storms().windows
    assert windows.loc[2, "start"] == pd.Timestamp("2001-04-02")
    assert windows.loc[2, "end"] == pd.Timestamp("2001-04-04 12:00")
    assert windows.loc[1, "start"] == pd.Timestamp("2000-01-12")  # not in the list


def test_splits_are_those_of_the_file(symh, table):
    names = {1: "later", 2: "test_key", 5: "test"}
    write({FILE: packed(table.assign(split=table["storm"].map(names)))}, symh)
    found = data.storms()
    assert found.splits == ("test", "test_key", "later")
    with pytest.raises(ValueError, match="no split 'train', only test, test_key, later"):
        found.of("train")
    with pytest.raises(ValueError, match="no storm 3: the 3 storms have numbers from 1 to 5"):
        found.storm(3)


def test_published_storms_are_found_by_date(symh):
    """Storm 2 of the file is at its minimum on one of the days of number 2; 1 and 3 are others."""
    published = data.storms().published
    assert published.index.tolist() == [2]
    assert published.loc[2].to_dict() == {
        "published_number": 2,
        "GBM 1 h": 7.5,
        "persistence 2 h": 14.25,
    }


def test_published_is_empty_without_a_match(symh, table):
    write({FILE: packed(table[table["storm"] != 2])}, symh)
    published = data.storms().published
    assert published.empty
    assert list(published) == ["published_number", "GBM 1 h", "persistence 2 h"]


def test_tables_are_the_callers_own(symh):
    first = data.storms().table
    first["sym_h"] = 0
    assert data.storms().table["sym_h"].any()


@pytest.mark.parametrize("unpacked", [False, True])
def test_cached_file_is_as_good(symh, course, content, monkeypatch, unpacked):
    monkeypatch.delenv("COURSE_DATA")
    write({FILE: gzip.decompress(content) if unpacked else content}, course.cache / "symh")
    assert data.storms().source.kind == "cache"


def test_storms_of_one_split_may_overlap_in_their_margins(table):
    other = table.assign(split="train")
    moved = other["storm"] == 2
    other.loc[moved, "time"] += pd.Timestamp("2000-01-14 00:05") - other.loc[moved, "time"].min()
    data.check_storms(other)


def test_real_file(real_data, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(real_data))
    found = data.storms()
    assert found.source.real
    assert found.table.shape == (299_524, 14)
    assert [len(found.of(split)) for split in ("train", "val")] == [65, 15]
    listed = pd.read_csv(
        real_data / "symh/storms_80_train_val.csv", parse_dates=["eval_start", "eval_end"]
    )
    for windows in (found.windows, sys.modules["helpers.data.storms"]._windows(found.table)):
        assert windows.index.tolist() == listed["storm"].tolist()
        assert (windows["start"].to_numpy() == listed["eval_start"].to_numpy()).all()
        assert (windows["end"].to_numpy() == listed["eval_end"].to_numpy()).all()
        assert (windows["minimum"].to_numpy() == listed["symh_min"].to_numpy()).all()
    assert found.published.empty  # the published test storms are not in it


# Faults of a table, each made by a change of a good one


def changed(table: pd.DataFrame, row: int, column: str, value: object) -> pd.DataFrame:
    table = table.copy()
    if isinstance(value, str):
        table[column] = table[column].astype(object)
    table.loc[row, column] = value
    return table


def scaled(
    table: pd.DataFrame, factor: float, *columns: str, storm: int | None = None
) -> pd.DataFrame:
    table = table.copy()
    rows = table["storm"] == storm if storm else slice(None)
    table.loc[rows, list(columns)] *= factor
    return table


def moved(table: pd.DataFrame, storm: int, start: str) -> pd.DataFrame:
    table = table.copy()
    rows = table["storm"] == storm
    table.loc[rows, "time"] += pd.Timestamp(start) - table.loc[rows, "time"].min()
    return table


FIELD = ("b_total", "bx_gsm", "by_gsm", "bz_gsm")
FAULTS = {
    "no column": (
        lambda t: t.drop(columns="density"),
        "has no column density; it has storm, split",
    ),
    "no columns": (lambda t: t[["storm", "split"]], "has no column time, b_total"),
    "no rows": (lambda t: t.iloc[:0], "the table has no rows"),
    "storm by name": (lambda t: t.assign(storm="Halloween"), "the column storm holds str"),
    "time twice": (
        lambda t: pd.concat([t.iloc[:10], t.iloc[9:]], ignore_index=True),
        r"storm 1, 2000-01-10 00:50:00 \(row 10\): the time is there twice",
    ),
    "time gone": (
        lambda t: t.drop(index=7),
        r"storm 1, 2000-01-10 00:45:00 \(row 7\): .*5 minutes",
    ),
    "time backward": (
        lambda t: t.iloc[[*range(20), 25, *range(20, 25), *range(26, len(t))]],
        r"storm 1, 2000-01-10 01:45:00 \(row 21\): the time is before",
    ),
    "storms unsorted": (
        lambda t: t.sort_values(["storm", "time"], ascending=[False, True]),
        r"storm 2, 2001-04-01 00:05:00 \(row 1728\) .*after one with a higher number",
    ),
    "storm in two pieces": (
        lambda t: pd.concat([t.iloc[100:], t.iloc[:100]]),
        r"storm 1, 2000-01-10 00:05:00 \(row 5084\).*after one with a higher number: sort",
    ),
    "not a time": (lambda t: changed(t, 3, "time", pd.NaT), r"storm 1, NaT \(row 3\): there is no"),
    "no split": (lambda t: changed(t, 9, "split", None), r"\(row 9\): there is no split"),
    "two splits": (
        lambda t: changed(t, 9, "split", "val"),
        "storm 1 is in two splits, train and val",
    ),
    "leak": (
        lambda t: moved(t, 5, "2001-04-06 12:00"),
        r"storm 2 \(test\) and storm 5 \(val\) overlap from 2001-04-06 12:00:00 to 2001-04-07",
    ),
    "windows overlap": (
        lambda t: moved(t, 2, "2000-01-11 00:05").assign(split="train"),
        r"windows of storm 1 \(train\) and storm 2 \(train\) overlap from 2000-01-13 00:00:00 to "
        "2000-01-14",
    ),
    "short": (
        lambda t: pd.concat([t.iloc[: 3 * 288], t[t["storm"] > 1]], ignore_index=True),
        "storm 1: the evaluation window .* is not within its rows",
    ),
    "no density": (lambda t: t.assign(density=np.nan), "the column density has no value at all"),
    "no SYM-H": (lambda t: changed(t, 70, "sym_h", np.nan), r"\(row 70\): sym_h is missing"),
    "no SYM-H twice": (
        lambda t: changed(changed(t, 70, "sym_h", np.nan), 90, "sym_h", np.nan),
        r"\(row 70\) \(and 1 more rows\): sym_h is missing",
    ),
    "infinite": (lambda t: changed(t, 8, "vx_gsm", -np.inf), r"\(row 8\): vx_gsm is infinite"),
    "density below 0": (
        lambda t: changed(t, 2000, "density", -1.0),
        r"storm 2, .*: density is below",
    ),
    "speed below 0": (
        lambda t: changed(t, 5, "speed", -999.9),
        r"\(row 5\).*speed is below 0.*-999",
    ),
    "speed in m/s": (
        lambda t: scaled(t, 1000, "speed"),
        r"storm 1: .* of speed have the median 4.*e\+05, where 150 to 3000 km/s .*in m/s",
    ),
    "velocity in m/s": (lambda t: scaled(t, 1000, "vx_gsm", "vy_gsm"), "of vx_gsm have .*in m/s"),
    "field in T": (lambda t: scaled(t, 1e-9, *FIELD), "storm 1: .* of b_total .*nT are.*in T"),
    "Bz in T": (lambda t: scaled(t, 1e-9, "bz_gsm", storm=5), "storm 5: .* of bz_gsm have"),
    "SYM-H in T": (lambda t: scaled(t, 1e-9, "sym_h"), "of sym_h have the median .*in T"),
    "density in m^-3": (lambda t: scaled(t, 1e6, "density", storm=2), r"storm 2: .*in m\^-3"),
    "temperature in eV": (lambda t: scaled(t, 8.6e-5, "temperature"), "of temperature .*in eV"),
}


def test_good_table_passes(table):
    data.check_storms(table)
    data.check_storms(table.assign(remark="an extra column"))


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_named(table, fault):
    change, sentence = FAULTS[fault]
    before = table.copy()
    with pytest.raises(data.DataError, match=sentence):
        data.check_storms(change(table))
    pd.testing.assert_frame_equal(table, before)


def test_text_among_numbers(table):
    with pytest.raises(data.DataError, match=r"storm 1, .*\(row 4\): speed is no number \(fast\)"):
        data.check_storms(changed(table, 4, "speed", "fast"))


# Faults of a file


def with_change(fault: str):
    return lambda table: packed(FAULTS[fault][0](table))


FILES = {
    "empty": (lambda t: b"", "is no table of comma-separated values"),
    "web page": (lambda t: b"<html>\n<p>Please, log in</p></html>", "has no column storm"),
    "binary": (lambda t: bytes(range(128, 256)) * 4, "is no table of comma-separated values"),
    "ragged": (lambda t: b"a,b\n1,2\n1,2,3\n", "is no table .*line 3"),
    "time": (
        lambda t: t.to_csv(index=False).replace("2000-01-10 00:15:00", "January 10").encode(),
        "row 2: the time 'January 10' is none",
    ),
    "text": (lambda t: packed(changed(t, 4, "speed", "fast")), r"\(row 4\): speed is no number"),
    "no column": (with_change("no column"), "has no column density"),
    "leak": (with_change("leak"), "overlap from 2001-04-06 12:00:00"),
    "windows overlap": (with_change("windows overlap"), "the evaluation windows of"),
    "speed in m/s": (with_change("speed in m/s"), "km/s are expected"),
}


@pytest.mark.parametrize("fault", FILES)
def test_bad_file_is_named(symh, table, capsys, fault):
    make, sentence = FILES[fault]
    write({FILE: make(table)}, symh)
    refuses(data.storms, f"Geomagnetic storms: {symh / FILE}: ", sentence)
    assert not capsys.readouterr().out


def test_bad_file_in_the_cache_is_named(symh, course, monkeypatch):
    monkeypatch.delenv("COURSE_DATA")
    write({FILE: b"<html>"}, course.cache / "symh")
    with pytest.raises(data.DataError, match=f"{course.cache / 'symh' / FILE}: .* no column storm"):
        data.storms()


def test_damaged_gzip(symh):
    path = symh / FILE
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(data.DataError, match=f"{FILE} is cut short"):
        data.storms()


LISTS = {
    "no time": ("1,soon,2000-01-14", "storms_3.csv cannot be read"),
    "outside": ("1,2000-01-12,2000-02-14", "storm 1: the evaluation window .* is not within"),
    "reversed": ("1,2000-01-14,2000-01-12", "storm 1: the evaluation window .* is not within"),
    "twice": ("1,2000-01-12,2000-01-14\n1,2000-01-12,2000-01-13", "storm 1 has two evaluation"),
}


@pytest.mark.parametrize("fault", LISTS)
def test_bad_list_of_windows_is_named(symh, fault):
    lines, sentence = LISTS[fault]
    symh.joinpath("storms_3.csv").write_text(f"storm,eval_start,eval_end\n{lines}\n")
    with pytest.raises(data.DataError, match=sentence):
        data.storms()


# Without the real file


def test_offline(symh, monkeypatch, offline, capsys):
    monkeypatch.setenv("COURSE_DATA", "offline")
    found = data.storms()
    assert capsys.readouterr().out == (
        "Geomagnetic storms: offline default made for this course, not the real recordings "
        "(COURSE_DATA=offline).\n"
    )
    assert (found.source.kind, found.at) == ("offline", "L1")
    assert found.windows.index.tolist() == [1, 2, 5]
    assert found.published.empty  # although storm 2 has the date of a published one


def test_offline_says_what_would_get_them(symh, monkeypatch, offline):
    monkeypatch.delenv("COURSE_DATA")
    source = data.storms().source
    assert source == data.look("storms")
    assert source.notes == ("to get them, set COURSE_DATA to a data folder or COURSE_DOWNLOAD=yes",)


def test_the_offline_default_is_in_order(monkeypatch):
    monkeypatch.setenv("COURSE_DATA", "offline")
    found = data.storms()
    assert list(found.table) == list(COLUMNS)
    assert {"train", "val", "test"} <= set(found.splits)
    data.check_storms(found.table)


def test_missing_list_of_published_storms(symh, course, monkeypatch):
    course.datasets.joinpath("storms/published_storms.csv").unlink()
    with pytest.raises(data.DataError, match=r"storms.csv cannot be read.*git restore"):
        data.storms()


# OMNI by download


@pytest.fixture(scope="module")
def months():
    """The months that the miniature needs, as the server sends them."""
    return {name: tempests.hapi(tempests.month(name)) for name in tempests.MONTHS}


@pytest.fixture
def server(course, months, monkeypatch):
    """A HAPI server on this machine; downloads are allowed, and there is no data folder."""
    tempests.write_course(course.datasets)
    with serving(tempests.Handler) as server:
        server.months, server.way, server.spoiled = months, "good", {}
        monkeypatch.setattr(omni, "SERVER", f"{server.url}/hapi/data")
        monkeypatch.setenv("COURSE_DOWNLOAD", "yes")
        yield server


def names(*months: str) -> list[str]:
    return [f"omni_5min_{month}.csv" for month in months]


def everything_in(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_download(course, server, monkeypatch, capfd):
    found = data.storms()
    place = course.cache / "omni"
    assert capfd.readouterr() == (f"{found.source}\n", "")  # no progress bar under CI
    assert found.source.kind == "download"
    assert str(found.source) == (
        f"Geomagnetic storms: real recordings from the download to {place}."
    )
    assert server.requests == tempests.MONTHS  # storms 1 and 2 share two of them
    assert everything_in(place) == names(*tempests.MONTHS)
    assert found.at == "bow shock"
    assert found.splits == ("train", "val", "test")
    assert found.windows.loc[2, "start"] == pd.Timestamp("2001-04-03")
    assert found.windows.loc[2, "end"] == pd.Timestamp("2001-04-05 23:55")
    assert found.published["published_number"].tolist() == [2]
    # Between storms 1 and 2 are two days, which are the margin of the second.
    spans = found.table.groupby("storm")["time"].agg(["min", "max"])
    assert spans.loc[1].tolist() == [pd.Timestamp("2001-03-27"), pd.Timestamp("2001-03-31 23:55")]
    assert spans.loc[2].tolist() == [pd.Timestamp("2001-04-01"), pd.Timestamp("2001-04-07 23:55")]
    values = tempests.month("2001-04").set_index("time")
    storm = found.storm(2).set_index("time")
    np.testing.assert_allclose(storm["sym_h"], values["SYM_H"].reindex(storm.index))
    known = storm["bz_gsm"].notna()
    np.testing.assert_allclose(
        storm["bz_gsm"][known], values["BZ_GSM"].reindex(storm.index)[known], rtol=1e-6
    )
    assert 0.01 < storm["density"].isna().mean() < 0.03

    # The months are there now: no network, no permission.
    monkeypatch.delenv("COURSE_DOWNLOAD")
    again = data.storms()
    assert (again.source.kind, len(server.requests)) == ("cache", 3)
    pd.testing.assert_frame_equal(again.table, found.table)
    assert data.look("storms") == again.source
    # A cache is laid out like a data folder.
    monkeypatch.setenv("COURSE_DATA", str(course.cache))
    assert data.storms().source.kind == "folder"


def test_labels_in_the_middle_of_the_average(course, server):
    month = tempests.month("2003-02")
    shifted = month.assign(time=month["time"] + pd.Timedelta(seconds=150))
    server.months = server.months | {"2003-02": tempests.hapi(shifted)}
    found = data.storms()
    assert found.source.real
    assert found.storm(3)["time"].iloc[0] == pd.Timestamp("2003-02-08")


def without_line(content: bytes, line: int) -> bytes:
    lines = content.split(b"\n")
    return b"\n".join(lines[:line] + lines[line + 1 :])


def scaled_month(content: bytes, parameter: str, factor: float) -> bytes:
    values = tempests.month("2003-02")
    return tempests.hapi(values.assign(**{parameter: values[parameter] * factor}))


# What the server sends in the place of a month, as a function of what it should send.
SPOIL = {
    "web page": lambda content: b"<html><body>Please log in</body></html>\n",
    "message": lambda content: b'{"HAPI": "2.0", "status": {"message": "internal error"}}\n',
    "cut": lambda content: content[: len(content) // 2],
    "rows cut": lambda content: content[: content.rindex(b"\n", 0, len(content) // 2) + 1],
    "row gone": lambda content: without_line(content, -100),
    "another month": lambda content: content.replace(b"2003-02", b"2003-03"),
    "m/s": lambda content: scaled_month(content, "flow_speed", 1000),
    "tesla": lambda content: scaled_month(content, "SYM_H", 1e-9),
    "no SYM-H": lambda content: content.replace(b'"SYM_H"', b'"SYM_D"'),
}
WAYS = {
    "missing": "answered 404",
    "silent": "did not answer in time",
    "broken off": "broke off the connection",
    "web page": "sent a file that is not an answer of a HAPI server: it is a web page",
    "message": "sent a file that .*internal error",
    "cut": "sent a file that breaks off in line",
    "rows cut": "sent a file that lacks [0-9,]+ of the month's 8,064 rows",
    "row gone": "sent a file that lacks 1 of the month's 8,064 rows",
    "another month": "sent a file that lacks 8,064 of the month's",
    "m/s": "sent a file that.* of speed have the median",
    "tesla": "sent a file that.* of sym_h have the median",
    "no SYM-H": "sent a file that lacks the parameter SYM_H",
    "refused": "cannot be reached",
}


@pytest.mark.parametrize("way", WAYS)
def test_broken_answer_leaves_nothing_and_falls_back(course, server, offline, monkeypatch, way):
    monkeypatch.setattr(download, "READ_SECONDS", 0.3)
    server.way = way
    if way in SPOIL:
        server.spoiled = {way: SPOIL[way](server.months["2003-02"])}
    if way == "refused":
        monkeypatch.setattr(omni, "SERVER", "http://127.0.0.1:9/hapi/data")
    place = course.cache / "omni"
    before = dict(zip(names("2001-03", "2001-04"), list(server.months.values())[:2], strict=True))
    write(before, place)
    found = data.storms()
    assert (found.source.kind, found.at) == ("offline", "L1")
    note = f"the download of {names('2003-02')[0]} failed: .* {WAYS[way]}"
    assert re.search(note, str(found.source))
    assert everything_in(place) == sorted(before)


def test_what_came_before_a_failure_is_kept(course, server, offline):
    server.way = "missing"
    with pytest.raises(data.DataError, match=r"the download of .*2003-02.csv failed: .* 404"):
        data.prefetch()
    assert everything_in(course.cache / "omni") == names("2001-03", "2001-04")
    server.way = "good"
    assert data.storms().source.kind == "download"
    assert server.requests == [*tempests.MONTHS, "2003-02"]


def test_server_that_trickles_meets_the_time_limit(course, server, offline, monkeypatch):
    server.way = "trickling"
    monkeypatch.setattr(download, "FILES_SECONDS", 0.8)
    begin = time.monotonic()
    found = data.storms()
    assert time.monotonic() - begin < 10
    assert found.source.kind == "offline"
    assert "did not answer in time" in str(found.source)


def test_incomplete_cache_says_so(course, server, offline, monkeypatch):
    monkeypatch.delenv("COURSE_DOWNLOAD")
    write({names("2001-03")[0]: server.months["2001-03"]}, course.cache / "omni")
    (note,) = data.storms().source.notes
    assert note.startswith(f"in the cache {course.cache / 'omni' / names('2001-04')[0]} is missing")
    assert note.endswith("set COURSE_DOWNLOAD=yes to download it again")
    assert server.requests == []


def test_month_in_the_cache_that_is_not_one(course, server):
    data.storms()
    path = course.cache / "omni" / names("2001-04")[0]
    path.write_text("mine\n")
    with pytest.raises(data.DataError, match=f"{path.name} is not an answer of a HAPI server"):
        data.storms()


def test_two_students_at_once(course, server):
    """The server answers the last month only when both have asked for it."""
    server.way = "together"
    code = (
        "from helpers.data import omni\n"
        "omni.SERVER = sys.argv[2]\n"
        "assert len(data.storms().windows) == 3\n"
    )
    place = course.cache / "omni"
    for out in two_at_once(code, course.datasets, omni.SERVER):
        assert out == f"Geomagnetic storms: real recordings from the download to {place}.\n"
    assert everything_in(place) == names(*tempests.MONTHS)
    assert data.storms().source.kind == "cache"


def test_prefetch(course, server, capsys):
    data.prefetch()
    data.prefetch()
    assert len(server.requests) == 3
    place = course.cache / "omni"
    assert capsys.readouterr().out.splitlines() == [
        f"Geomagnetic storms: real recordings from the download to {place}.",
        f"Geomagnetic storms: real recordings from the cache {place}.",
    ]


def test_prefetch_needs_no_download_where_the_file_is(course, server, content, capsys):
    write({FILE: content}, course.cache / "symh")
    data.prefetch()
    assert server.requests == []
    assert "from the cache" in capsys.readouterr().out


# The registry that ships with the course


def test_the_registry_that_ships_with_the_course():
    dataset = registry.dataset("storms")
    assert not dataset.can_be_downloaded
    assert dataset.substitute.can_be_downloaded
    assert dataset.substitute.folder == "omni"
    assert "no commercial use" in dataset.licence
    assert "OMNI" in dataset.citation
    assert all(file.sha256 is None and file.check for file in dataset.substitute.files)
