"""OMNI and Kyoto's files: what the readers make of them, of damaged ones and of others."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from helpers import data
from helpers.data import omni, published
from helpers.data.storms import DRIVERS
from tests.helpers import tempests

READERS = {"hapi": omni.read_hapi, "hro": omni.read_hro, "iaga": omni.read_iaga2002}
COLUMNS = ["time", *DRIVERS, "sym_h"]

# In the format of the manual; each missing value is the one of its own column.
HRO = (
    "2004  60 23 55 71 71  60  60   0   3402     12  0.05     60    5.25   -3.00    4.00    0.0"
    "0    3.46    2.00    0.10    0.20   402.5  -400.0    20.0    10.0   4.50   81000.  1.45  -"
    "0.80   1.20   8.1  220.00   10.00    5.00   14.00   -1.00    0.10    90   -60    30    -5 "
    "  -48    20    31   0.50  5.1\n"
    "2004  61  0  0 99 99 999 999 999 999999 999999 99.99 999999 9999.99 9999.99 9999.99 9999.9"
    "9 9999.99 9999.99 9999.99 9999.99 99999.9 99999.9 99999.9 99999.9 999.99 9999999. 99.99 99"
    "9.99 999.99 999.9 9999.99 9999.99 9999.99 9999.99 9999.99 9999.99 99999 99999 99999 99999 "
    "99999 99999 99999 999.99 99.9\n"
)
FLUXES = " 99999.99 99999.99 99999.99"
HRO_5MIN = "".join(line + FLUXES + "\n" for line in HRO.splitlines())

IAGA = """ Format                 IAGA-2002                                    |
 Source of Data         WDC for Geomagnetism, Kyoto                  |
 # a comment, and lines that other files don't have                  |
DATE       TIME         DOY     ASY-D     ASY-H     SYM-D     SYM-H  |
2004-02-29 23:59:00.000 060         8.00     31.00      0.00    -14.00
2004-03-01 00:00:00.000 061         8.00     31.00      0.00  99999.00
2004-03-01 00:01:00.000 061         8.00     31.00      0.00  88888.00
"""


def hapi_sample() -> pd.DataFrame:
    return tempests.month("2003-02").iloc[:20]


def text(content: bytes) -> str:
    return content.decode("ascii")


def with_line(content: str, line: int, old: str, new: str) -> bytes:
    """Return the content with a piece of a line (counted from 1) replaced."""
    lines = content.split("\n")
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    return "\n".join(lines).encode()


# What is read


@pytest.mark.parametrize("content", [HRO, HRO_5MIN, HRO.replace("\n", "\r\n"), HRO + "\n\n"])
def test_hro(content):
    table = omni.read_hro(content.encode())
    assert list(table) == COLUMNS
    # Day 60 of a leap year is February 29.
    assert table["time"].tolist() == [pd.Timestamp("2004-02-29 23:55"), pd.Timestamp("2004-03-01")]
    first = table.iloc[0]
    expected = [5.25, -3.0, 3.46, 2.0, 402.5, -400.0]
    np.testing.assert_allclose(first[COLUMNS[1:7]].to_numpy(float), expected, rtol=1e-6)
    # The field (4, 0) became (3.46, 2.00): a turn by 30 degrees, which takes (20, 10) along.
    turned = (20 + 10j) * np.exp(1j * np.pi / 6)
    np.testing.assert_allclose(
        [first["vy_gsm"], first["vz_gsm"]], [turned.real, turned.imag], atol=0.02
    )
    np.testing.assert_allclose(
        first[["density", "temperature", "sym_h"]].to_numpy(float), [4.5, 81000, -48]
    )
    assert table.iloc[1, 1:].isna().all()
    assert (table.dtypes.iloc[1:] == np.float32).all()


@pytest.mark.parametrize(
    ("stamp", "time"),
    [
        ("1963   1  0  0", "1963-01-01 00:00"),
        ("2000  60 12  0", "2000-02-29 12:00"),
        ("2005 365 23 59", "2005-12-31 23:59"),
        ("2008 366 23 59", "2008-12-31 23:59"),
        ("2099   1  0  0", "2099-01-01 00:00"),
    ],
)
def test_hro_times_at_the_limits(stamp, time):
    content = with_line(HRO.splitlines()[0], 1, "2004  60 23 55", stamp)
    assert omni.read_hro(content)["time"].tolist() == [pd.Timestamp(time)]


@pytest.mark.parametrize(
    "stamp",
    [
        *("1962 365 0 0", "2100 1 0 0", "2005 0 0 0", "2005 366 0 0", "2008 367 0 0"),
        *("2005 1.5 0 0", "2005 1 -1 0", "2005 1 24 0", "2005 1 25 0"),
        *("2005 1 0 -1", "2005 1 0 60"),
    ],
)
def test_hro_times_beyond_the_limits_are_refused(stamp):
    content = with_line(HRO, 1, "2004  60 23 55", stamp)
    with pytest.raises(data.DataError, match=f"'{stamp}' in line 1: that is no year"):
        omni.read_hro(content)


def test_where_the_field_lies_along_the_axis_the_turn_is_unknown():
    content = HRO.replace("   4.00    0.00    3.46    2.00", "   0.00    0.00    0.00    0.00")
    with np.errstate(all="raise"):
        first = omni.read_hro(content.encode()).iloc[0]
    assert first[["vy_gsm", "vz_gsm"]].isna().all()
    assert first[["bz_gsm", "vx_gsm"]].tolist() == [0, -400]


@pytest.mark.parametrize("column", omni.FIELDS)
def test_each_column_has_its_own_missing_value(column):
    _, place, missing = omni.FIELDS[column]
    words = HRO.split("\n")[0].split()
    words[place] = str(missing)
    first = omni.read_hro(" ".join(words).encode()).iloc[0]
    # Without the field in both systems or a component, it is unknown how the wind blows across.
    across = ["vy_gsm", "vz_gsm"]
    needed = ["y_gse", "z_gse", "by_gsm", "bz_gsm", *across]
    absent = {column, *across} if column in needed else {column}
    assert set(first.index[first.isna()]) == absent - {"y_gse", "z_gse"}


def test_a_missing_value_of_one_column_is_a_measurement_in_another():
    """A temperature of 99999 K and a density of 99.99 are measurements."""
    content = HRO.replace("  81000.", "  99999.").replace("   4.50", "  99.99")
    first = omni.read_hro(content.encode()).iloc[0]
    assert first["temperature"] == 99999
    assert first["density"] == np.float32(99.99)


def test_iaga2002():
    table = omni.read_iaga2002(IAGA.encode())
    assert table["time"].iloc[0] == pd.Timestamp("2004-02-29 23:59")
    assert table["sym_h"].iloc[0] == -14
    assert table["sym_h"].isna().tolist() == [False, True, True]
    # The column is found by its name, wherever it stands.
    other = IAGA.replace("ASY-H     SYM-D     SYM-H", "SYM-H     SYM-D     ASY-H")
    assert omni.read_iaga2002(other.encode())["sym_h"].tolist() == [31, 31, 31]


@pytest.mark.parametrize("header", [True, False])
def test_hapi(header):
    values = hapi_sample()
    table = omni.read_hapi(tempests.hapi(values, header))
    assert list(table) == COLUMNS
    pd.testing.assert_series_equal(table["time"], values["time"], check_dtype=False)
    for column in ("b_total", "by_gsm", "speed", "density", "temperature", "sym_h"):
        parameter, _, missing = omni.FIELDS[column]
        expected = values[parameter].where(values[parameter] != missing).astype("float32")
        pd.testing.assert_series_equal(table[column], expected, check_names=False)
    assert table["density"].isna().tolist() == [row == 7 for row in range(20)]
    turned = (values["Vy"] + 1j * values["Vz"]) * np.exp(1j * np.pi / 6)
    known = table["vy_gsm"].notna()
    assert known.sum() == 19
    np.testing.assert_allclose(table["vy_gsm"][known], np.real(turned)[known], atol=1)
    np.testing.assert_allclose(table["vz_gsm"][known], np.imag(turned)[known], atol=1)


def test_hapi_header_tells_order_and_missing_values():
    content = text(tempests.hapi(hapi_sample()))
    values = hapi_sample()
    swapped = values[["time", "SYM_H", *list(values)[1:-1]]]
    header = content[: content.index("2003-02")].replace('"999.99"', '"-1e31"')
    end = header[header.index('{\n#   "name": "SYM_H"') : header.rindex("]")].rstrip("\n# ")
    header = header.replace(f",\n#  {end}", "").replace(
        '{\n#   "name": "F"', f'{end},\n#  {{\n#   "name": "F"'
    )
    rows = text(tempests.hapi(swapped, header=False)).replace(",999.99,", ",-1e31,")
    table = omni.read_hapi((header + rows).encode())
    assert table["sym_h"].tolist() == values["SYM_H"].tolist()
    assert table["density"].isna().sum() == 1


def test_missing_values_as_float32():
    """The server's files hold 9999.99 as float32, whose digits may be written in full."""
    content = text(tempests.hapi(hapi_sample(), header=False)).replace("9999.99,", "9999.990234,")
    assert omni.read_hapi(content.encode())["b_total"].isna().sum() == 1


# What is not


HAPI = text(tempests.hapi(hapi_sample()))
ROWS = text(tempests.hapi(hapi_sample(), header=False))
PAGE = "<!DOCTYPE html>\n<html><title>Please log in</title></html>\n"
BAD = {
    "hro empty": ("hro", b"", "is not a file in OMNI's .*: it is empty"),
    "hro web page": ("hro", PAGE.encode(), "it is a web page"),
    "hro binary": ("hro", b"\x1f\x8b\x00\xff", "it is no plain text"),
    "hro words": ("hro", b"year day hour\n", "it holds 3 values in line 1, not 46 or 49"),
    "hro cut": ("hro", HRO[:-20].encode(), "is damaged: it holds 4[0-9] values in line 2, not 46"),
    "hro long": ("hro", HRO.rstrip().encode() + b" 1\n", "47 values in line 2"),
    "hro both": ("hro", (HRO + HRO_5MIN).encode(), "49 values in line 3"),
    "hro both, turned": ("hro", (HRO_5MIN + HRO).encode(), "46 values in line 3"),
    "hro gap": ("hro", HRO.replace("\n", "\n\n", 1).encode(), "0 values in line 2"),
    "hro text": ("hro", with_line(HRO, 1, "402.5", "4O2.5"), "'4O2.5' in line 1: flow_speed"),
    "hro stars": ("hro", with_line(HRO, 2, "9999999.", "********"), "in line 2: T is no number"),
    "hro nan": ("hro", with_line(HRO, 1, " 402.5", "   nan"), "'nan' in line 1"),
    "hro day": ("hro", with_line(HRO, 2, "2004  61", "2005 366"), "'2005 366 0 0' in line 2"),
    "hro order": ("hro", with_line(HRO, 2, "2004  61", "2004  60"), "in line 2: the time is not"),
    "iaga empty": ("iaga", b"\n", "is not a file in the IAGA-2002 format: it is empty"),
    "iaga web page": ("iaga", PAGE.encode(), "it is a web page"),
    "iaga no head": ("iaga", IAGA.replace("DATE ", "DAY ").encode(), "no line begins with DATE"),
    "iaga Dst": ("iaga", IAGA.replace("SYM-H", "DST  ").encode(), "has no SYM-H, only ASY-D"),
    "iaga only head": ("iaga", IAGA[: IAGA.index("2004-02")].encode(), "holds no rows"),
    "iaga cut": ("iaga", IAGA.rstrip()[:-12].encode(), "holds 6 values in line 7, not 7"),
    "iaga text": ("iaga", with_line(IAGA, 5, "-14.00", "-l4.00"), "'-l4.00' in line 5"),
    "iaga time": ("iaga", with_line(IAGA, 6, "00:00:00", "25:00:00"), "in line 6: that is no time"),
    "iaga twice": ("iaga", with_line(IAGA, 6, "2004-03-01 00:00", "2004-02-29 23:59"), "in line 6"),
    "hapi empty": ("hapi", b"", "is not an answer of a HAPI server: it is empty"),
    "hapi web page": ("hapi", PAGE.encode(), "it is a web page"),
    "hapi message": ("hapi", b'{"HAPI": "2.0", "status": {"code": 1406}}\n', "message: .*1406"),
    "hapi header": ("hapi", HAPI.replace('"parameters": [', '"parameters": ').encode(), "header"),
    "hapi other": ("hapi", HAPI.replace('"SYM_H"', '"SYM_D"').encode(), "the parameter SYM_H"),
    "hapi cut": ("hapi", HAPI[:-3].encode(), "breaks off in line"),
    "hapi short": ("hapi", (ROWS + "2003-02-01T02:00:00Z,1.0\n").encode(), "2 values in line 21"),
    "hapi text": ("hapi", ROWS.replace(",9999999.0,", ",hot,").encode(), "'hot' in line 8"),
    "hapi time": ("hapi", ROWS.replace("T00:10", "T0o:10").encode(), "in line 3: that is no time"),
    "hapi twice": ("hapi", (ROWS + ROWS).encode(), "in line 21: the time is not after"),
    "hapi none": ("hapi", HAPI[: HAPI.index("2003-02")].encode(), "holds no rows"),
}


@pytest.mark.parametrize("fault", BAD)
def test_bad_content_is_named(fault):
    reader, content, sentence = BAD[fault]
    with pytest.raises(data.DataError, match=sentence):
        READERS[reader](content)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("content", [HRO, IAGA, HAPI])
def test_another_format_is_refused(reader, content):
    if {"hro": HRO, "iaga": IAGA, "hapi": HAPI}[reader] == content:
        assert len(READERS[reader](content.encode()))
        return
    with pytest.raises(data.DataError, match="is not a"):
        READERS[reader](content.encode())


# The samples that servers gave


def test_real_hro(real_data):
    content = real_data.joinpath("symh/native/omni_min2020.snippet.asc").read_bytes()
    table = omni.read_hro(content)
    assert len(table) == 11
    assert (table["time"].diff().dropna() == pd.Timedelta(minutes=1)).all()
    assert table["sym_h"].iloc[0] == -6
    assert table["speed"].isna().sum() == 6
    # A turn keeps the length.
    first = table.iloc[0]
    np.testing.assert_allclose(
        np.hypot(first["vy_gsm"], first["vz_gsm"]), np.hypot(0.3, 1.1), rtol=1e-4
    )


def test_real_values_in_the_5_minute_format(real_data):
    content = real_data.joinpath("symh/native/REENCODED_omni_5min_2015-03-16_19.asc").read_bytes()
    table = omni.read_hro(content)
    assert len(table) == 4 * 288
    assert table["sym_h"].min() < -200  # the storm of St. Patrick's day
    assert 250 < table["speed"].median() < 800


def test_real_kyoto_values(real_data):
    name = "symh/native/REENCODED_asysym_iaga2002_2013-02-16_18.dat"
    content = real_data.joinpath(name).read_bytes()
    table = omni.read_iaga2002(content)
    assert len(table) == 3 * 1440
    assert table["time"].iloc[-1] == pd.Timestamp("2013-02-18 23:59")
    last = [float(line.split()[-1]) for line in text(content).splitlines()[-len(table) :]]
    assert table["sym_h"].tolist() == last


@pytest.mark.parametrize("reader", READERS)
def test_other_real_files_are_refused(real_data, reader):
    native = real_data / "symh/native"
    others = [
        "cdaweb_listing_OMNI_HRO2_1MIN_head.csv",
        "hroformat.txt",
        "kyoto_asysym_1min_2013-02_head.csv",
        "omniweb_symh_1min_mar2015.lst",
        "swpc_20090101_ace_mag_1m.txt",
    ]
    for name in others:
        with pytest.raises(data.DataError, match=r"is not a|has a HAPI header that cannot"):
            READERS[reader](native.joinpath(name).read_bytes())


# The published storms


def test_months_of_the_published_storms():
    storms = published.dates()
    assert [storm.number for storm in storms] == list(range(1, 43))
    assert [sum(s.split == name for s in storms) for name in ("train", "val", "test")] == [
        20,
        5,
        17,
    ]
    assert set(published.errors()) == {s.number for s in storms if s.split == "test"}
    files = omni.files()
    names = [file.name for file in files]
    assert names == sorted(set(names))
    assert len(files) == 53
    assert {"omni_5min_2000-10.csv", "omni_5min_2000-11.csv"} <= set(names)  # margin of November 1
    (address,) = files[names.index("omni_5min_2006-12.csv")].urls
    assert address.startswith(
        "https://cdaweb.gsfc.nasa.gov/hapi/data?id=OMNI_HRO_5MIN&parameters=F,"
    )
    assert "time.min=2006-12-01T00:00:00Z&time.max=2007-01-01T00:00:00Z" in address


@pytest.mark.parametrize("stamp", ["2003-02-28 23:57:30", "2003-03-01 00:00:00"])
def test_a_month_with_a_row_too_many_is_refused(stamp):
    month = tempests.month("2003-02")
    more = pd.concat([month, month[-1:].assign(time=pd.Timestamp(stamp))])
    with pytest.raises(data.DataError, match=r"2003-02.csv holds 8,065 rows, .* 8,064"):
        omni.storms({"omni_5min_2003-02.csv": tempests.hapi(more)})


def test_means_of_the_published_errors():
    """They are the means in the same table, except for persistence at 1 h, where it says 9.354."""
    errors = pd.DataFrame.from_dict(published.errors(), orient="index")
    means = errors.mean()
    for name, value in {
        "GBM 1 h": 7.412,
        "LSTM-CNN 1 h": 7.861,
        "LSTM 1 h": 8.547,
        "Burton 2 h": 12.249,
    }.items():
        assert means[name] == pytest.approx(value, abs=6e-4)
    assert means["persistence 1 h"] == pytest.approx(9.333, abs=6e-4)


def test_no_day_belongs_to_two_published_storms():
    spans = sorted(omni._spans(), key=lambda span: span[1])
    for (_, _, end), (_, start, _) in pairwise(spans):
        assert end <= start
    for storm, start, end in spans:
        assert start <= storm.first_day
        assert end > storm.last_day
