"""Storms in miniature: a table, OMNI's months as a HAPI server answers them, and such a server."""

import json
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd

from helpers.data import omni
from helpers.data.storms import COLUMNS
from tests.helpers.servers import FailingWays

REGISTRY = """
[storms]
title = "Geomagnetic storms"
what = "recordings"
folder = "symh"
substitute = "omni"
licence = "none"
citation = "none"
files = [{ name = "ace_symh_storms_5min.csv.gz" }]
"""
# Storms 1 and 2 share a month, and the days between them are fewer than their margins.
PUBLISHED = """number,split,first_day,last_day
1,train,2001-03-29,2001-03-31
2,test,2001-04-03,2001-04-05
3,val,2003-02-10,2003-02-11
"""
ERRORS = """number,GBM 1 h,persistence 2 h
2,7.5,14.25
"""
MONTHS = ["2001-03", "2001-04", "2003-02"]


def write_course(datasets) -> None:
    """Write the registry and the lists of published storms of a miniature course."""
    datasets.joinpath("registry.toml").write_text(REGISTRY, encoding="utf-8")
    folder = datasets / "storms"
    folder.mkdir()
    folder.joinpath("published_storms.csv").write_text(PUBLISHED, encoding="utf-8")
    folder.joinpath("published_rmse.csv").write_text(ERRORS, encoding="utf-8")


def wind(time: pd.DatetimeIndex, seed: int = 0) -> pd.DataFrame:
    """Return solar wind and SYM-H of a plausible size at these times, SYM-H with a dip."""
    random = np.random.default_rng(seed)
    rows = len(time)
    bx, by, bz = field = random.normal(0, 3, (3, rows))
    vx, vy, vz = random.normal(0, 20, (3, rows)) + np.array([[-430], [0], [0]])
    dip = np.exp(-(np.linspace(-6, 6, rows) ** 2))
    values = {
        "b_total": np.hypot(np.hypot(*field[:2]), bz) + 0.5,
        "bx_gsm": bx,
        "by_gsm": by,
        "bz_gsm": bz,
        "speed": np.hypot(np.hypot(vx, vy), vz),
        "vx_gsm": vx,
        "vy_gsm": vy,
        "vz_gsm": vz,
        "density": random.uniform(2, 12, rows),
        "temperature": random.uniform(3e4, 2e5, rows),
        "sym_h": np.round(random.normal(-12, 4, rows) - 120 * dip),
    }
    return pd.DataFrame({"time": time} | values)


def table() -> pd.DataFrame:
    """Return three storms of six days, in the layout of the real file."""
    parts = []
    for storm, split, start in [
        (1, "train", "2000-01-10"),
        (2, "test", "2001-04-01"),
        (5, "val", "2003-02-08"),
    ]:
        times = pd.date_range(f"{start} 00:05", periods=6 * 288, freq="5min")
        parts.append(wind(times, seed=storm).assign(storm=storm, split=split))
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def month(name: str) -> pd.DataFrame:
    """Return OMNI's parameters in a month such as 2001-03, with a few missing."""
    start = pd.Timestamp(f"{name}-01")
    times = pd.date_range(start, start + pd.offsets.MonthBegin(), freq="5min", inclusive="left")
    made = wind(times, seed=start.month)
    # The axes of GSM are turned against those of GSE by 30 degrees.
    gse = (made["by_gsm"] + 1j * made["bz_gsm"]) * np.exp(-1j * np.pi / 6)
    made = made.assign(y_gse=np.real(gse), z_gse=np.imag(gse))
    values = made[["time"]].copy()
    for column, (parameter, _, missing) in omni.FIELDS.items():
        values[parameter] = made[column].round(2)
        if column != "sym_h":
            values.loc[values.index % 50 == 7, parameter] = missing
    values["SYM_H"] = values["SYM_H"].astype(int)
    return values


def hapi(values: pd.DataFrame, header: bool = True) -> bytes:
    """Return an answer of a HAPI server."""
    lines = []
    if header:
        parameters = [{"name": "Time", "type": "isotime", "units": "UTC", "fill": None}]
        for name, _, missing in omni.FIELDS.values():
            if name in values:
                parameters.append({"name": name, "type": "double", "fill": str(missing)})
        text = json.dumps({"HAPI": "2.0", "parameters": parameters}, indent=1)
        lines = [f"#{line}\n" for line in text.splitlines()]
    rows = values.to_csv(
        index=False, header=False, date_format="%Y-%m-%dT%H:%M:%S.000Z", lineterminator="\n"
    )
    return ("".join(lines) + rows).encode()


class Handler(FailingWays, BaseHTTPRequestHandler):
    """Answers as CDAWeb would, except for the last month, which `server.way` may spoil."""

    def do_GET(self):
        server = self.server
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        name = query["time.min"][:7]
        server.requests.append(name)
        way = server.way if name == MONTHS[-1] else "good"
        content = server.months[name]
        if self.leaves(way):
            return
        content = server.spoiled.get(way, content)
        self.send_response(200)
        if way == "broken off":  # CDAWeb doesn't say how much it will send
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if way == "trickling":
            for start in range(0, len(content), 5000):
                self.wfile.write(content[start : start + 5000])
                if server.stop.wait(0.02):
                    return
        elif way == "broken off":
            self.wfile.write(content[: len(content) // 2])
        else:
            self.wfile.write(content)
