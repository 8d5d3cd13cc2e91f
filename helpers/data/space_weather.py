"""Imagined geomagnetic storms: a solar wind at L1, and the index SYM-H that it leads to.

The Sun's quiet wind carries a weak, turbulent field. Two kinds of disturbance come with it. A fast
stream from a coronal hole runs into the slow wind before it and compresses it; in the stream the
field swings about (Alfvén waves). An ejection drives a shock; behind it lies the sheath, dense and
turbulent, and then the ejected cloud, a twisted rope of strong field that turns slowly as
it passes.

At the Earth the field that merges with the Earth's own feeds the ring current: the southward part,
and by the angle at which it lies across the wind also the rest. The ring current decays as O'Brien
and McPherron (2000) describe it. What their formula lacks is added, part of it within a network's
reach and part of it within nobody's. Times are in hours and one row lasts 5 minutes, unless said
otherwise.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.signal import lfilter
from scipy.special import j0, j1

SPLITS = {"train": 60, "val": 12, "test": 8}  # storms, in the order of time
DAY, HOUR = 288, 12  # rows
MARGIN = 2 * DAY  # rows before and after the evaluation window
DAYS = (9, 13)  # a storm's length, both ends included
DEEPEST, SHALLOWEST = -430, -80  # nT, the minimum of SYM-H
EJECTIONS = 0.75  # share of the storms that an ejection makes; streams make the others
L1 = 1.5e6  # km from the Earth
STRONGEST = 65.0  # nT; ejections that meet don't get any stronger
STRETCH = 2.404826  # where the field along a rope has fallen to nothing: the first zero of J0

# Ring current: a in nT/h per mV/m, Ec in mV/m, tau0 in h, b in nT/nPa^0.5, c in nT.
INJECTION, THRESHOLD, DECAY, PRESSURE, QUIET = -6.10, 1.25, 2.04, 12.5, 18.5
# The storms below answer more strongly and recover sooner than with these constants, so that SYM-H
# changes in an hour nearly as much as it does in real storms; saturation takes part of it back.
# Saturation and the clock angle make the answer less linear than the formula is, on purpose: there
# is something for a network to find that a linear model can't have.
STRONGER, SOONER = 1.95, 0.55
SLOW_SHARE, SLOW_DECAY = 0.15, 36.0  # of the injection, into ions that last; h
SATURATION = 25.0  # mV/m, where the efficiency of the coupling has fallen to one half
CLOCK_SHARE = 0.7  # of the coupling that goes by the clock angle, not by the southward field alone


@dataclass(frozen=True)
class Wind:
    """The wind at L1, smooth: what turbulence is laid upon.

    `field` (n, 3) in nT, GSM; `speed` in km/s; `density` in cm^-3; `rough` is the deviation of the
    field's direction, `heat` the temperature in units of what is usual at that speed.
    """

    field: np.ndarray
    speed: np.ndarray
    density: np.ndarray
    rough: np.ndarray
    heat: np.ndarray


def storms(seed: int = 1998) -> pd.DataFrame:
    """Return the storms in the layout of `helpers.data.storms.Storms.table`, at L1.

    80 storms in the order of time, those of train before those of val and test. The same seed gives
    the same storms.
    """
    split = np.repeat(list(SPLITS), list(SPLITS.values()))
    starts, kinds = _calendar(np.random.default_rng(seed), len(split))
    tables = []
    for number, (start, kind) in enumerate(zip(starts, kinds, strict=True), start=1):
        table = _storm(np.random.default_rng([seed, number]), start, kind)
        table.insert(0, "split", split[number - 1])
        table.insert(0, "storm", number)
        tables.append(table)
    table = pd.concat(tables, ignore_index=True)
    numbers = table.columns[3:]
    return table.astype(dict.fromkeys(numbers, np.float32) | {"storm": np.int64, "split": str})


def _calendar(random: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first days (datetime64[D], sorted) and whether an ejection makes each storm.

    Storms are more frequent near the maximum of the solar cycle and at the equinoxes.
    """
    days = np.arange(np.datetime64("1998-01-10"), np.datetime64("2022-12-10"))
    year = 1998 + (days - days[0]) / np.timedelta64(1, "D") / 365.25
    weight = (1.25 + np.cos(2 * np.pi * (year - 2002) / 11)) * (1.5 - np.cos(4 * np.pi * year))
    weight /= weight.sum()
    chosen = []
    while len(chosen) < count:
        day = random.choice(len(days), p=weight)
        if all(abs(day - other) > DAYS[1] for other in chosen):
            chosen.append(day)
    return days[np.sort(chosen)], random.random(count) < EJECTIONS


def _storm(random: np.random.Generator, start: np.datetime64, ejection: bool) -> pd.DataFrame:
    """Return one storm; draws again until the minimum is as deep as wanted and in its window."""
    while True:
        rows = DAY * random.integers(*DAYS, endpoint=True)
        time = start.astype("datetime64[s]") + np.timedelta64(300, "s") * np.arange(1, rows + 1)
        wind, flux = _weather(random, rows, ejection)
        table = _measured(random, wind)
        sym_h = _response(random, time, table)
        lowest = sym_h.argmin()
        if DEEPEST <= sym_h[lowest] <= SHALLOWEST and MARGIN <= lowest < rows - MARGIN:
            break
    _lose(random, table, flux)
    return pd.DataFrame({"time": time.astype("datetime64[us]")} | table | {"sym_h": sym_h})


def _weather(random: np.random.Generator, rows: int, ejection: bool) -> tuple[Wind, np.ndarray]:
    """Return the wind of a storm, and the flux of energetic particles, from 0 to about 1."""
    wind = _quiet(random, rows)
    flux = np.zeros(rows)
    hours = np.arange(rows) / HOUR
    main = random.uniform(60, 108)
    if ejection:
        shocks = [main]
        if random.random() < 0.45:
            shocks.append(main + random.uniform(16, 60))
        if random.random() < 0.6:
            wind = _stream(random, wind, hours - main - random.uniform(30, 120), 1)
        if random.random() < 0.3:
            wind = _stream(random, wind, hours - random.uniform(0, 36), 0.8)
        for shock in shocks:
            energy = random.normal()
            wind = _ejection(random, wind, hours - shock, energy)
            before, after = 20, 30
            since = hours - shock
            flux += np.exp(energy) / 3 * np.exp(np.where(since < 0, since / before, -since / after))
    else:
        wind = _stream(random, wind, hours - main, 1.25)
        if random.random() < 0.6:
            wind = _stream(random, wind, hours - main - random.uniform(90, 150), 1)
    return wind, flux


def _quiet(random: np.random.Generator, rows: int) -> Wind:
    """Return slow wind along Parker's spiral, which points to the Sun or away from it."""
    speed = random.uniform(335, 430) * np.exp(0.06 * _noise(random, rows, 24))
    density = 5.5 * (400 / speed) ** 1.5 * np.exp(0.4 * _noise(random, rows, 12))
    strength = 5 * np.exp(0.25 * _noise(random, rows, 10))
    crossings = np.cumsum(random.random(rows) < 1 / (6 * DAY)) + random.integers(2)
    away = np.where(crossings % 2, 1, -1)
    spiral = 0.8 + 0.25 * _noise(random, rows, 12)
    direction = np.stack([-np.cos(spiral), np.sin(spiral), np.zeros(rows)], axis=1)
    field = (strength * away)[:, None] * direction
    return Wind(field, speed, density, np.full(rows, 0.75), np.exp(0.5 * _noise(random, rows, 8)))


def _stream(random: np.random.Generator, wind: Wind, since: np.ndarray, strength: float) -> Wind:
    """Return the wind with a fast stream, whose first wind arrives at `since` 0."""
    rise, lasts = random.uniform(3, 7), random.uniform(40, 70)
    gain = strength * random.uniform(150, 300)
    level = 1 / (1 + np.exp(-np.clip(since / rise, -50, 50)))
    level *= np.exp(-np.maximum(since - 14, 0) / lasts)
    squeezed = np.exp(-(((since + 2) / random.uniform(7, 12)) ** 2))
    piled = np.exp(-(((since + 6) / random.uniform(4, 8)) ** 2))
    strong = 1 + strength * random.uniform(0.8, 1.6) * squeezed
    return replace(
        wind,
        field=wind.field * (strong * (1 + 0.2 * level))[:, None],
        speed=wind.speed + gain * level,
        density=wind.density * (1 + random.uniform(1.5, 4) * piled) * (1 - 0.5 * level),
        rough=wind.rough + 0.35 * np.maximum(level, squeezed),
        heat=wind.heat * (1 + squeezed + 0.3 * level),
    )


def _ejection(random: np.random.Generator, wind: Wind, since: np.ndarray, energy: float) -> Wind:
    """Return the wind with an ejection whose shock arrives at `since` 0; `energy` is N(0, 1)."""
    rows = len(since)
    sheath, cloud = random.uniform(5, 13), random.uniform(8, 22)
    gain = 150 * np.exp(0.45 * energy + 0.25 * random.normal())
    strength = 22 * np.exp(0.33 * energy + 0.2 * random.normal())

    after = since >= 0
    place = 2 * (since - sheath) / cloud - 1  # from -1 to 1 within the cloud
    within = np.clip((1 - np.abs(place)) * cloud / 2, 0, 1)  # at the edges it mixes for an hour
    between = after * np.clip(sheath - since, 0, 1)
    level = after * np.interp(place, [-1, 1], [1.0, 0.45])
    level *= np.exp(-np.maximum(since - sheath - cloud, 0) / 24)

    squeezed = 1 + random.uniform(1.4, 3.2) * np.interp(since, [0, sheath], [0.7, 1.1])
    draped = _turbulence(random, rows) + random.normal(0, 0.4, 3)
    draped *= (squeezed * _length(wind.field) / _length(draped))[:, None]
    rope = strength * (1 - 0.3 * place)[:, None] * _rope(random, np.clip(place, -1, 1))
    outside = (1 - within - between)[:, None]
    heap = 1 + random.uniform(0, 3) * np.exp(-(((place - 0.9) / 0.15) ** 2))  # at the cloud's back
    thin, restless = random.uniform(0.4, 0.9), random.uniform(0.12, 0.5)
    return Wind(
        field=outside * wind.field + between[:, None] * draped + within[:, None] * rope,
        speed=wind.speed + gain * level,
        density=wind.density
        * (1 + random.uniform(1, 2.6) * between)
        * (1 + (thin * heap - 1) * within)
        * (1 - 0.3 * level * (place > 1)),
        rough=outside[:, 0] * wind.rough + 0.8 * between + restless * within,
        heat=wind.heat * (1 + 1.5 * between) * (1 - 0.75 * within),
    )


def _rope(random: np.random.Generator, place: np.ndarray) -> np.ndarray:
    """Return the field (n, 3) on a straight path through a rope of unit strength.

    Lundquist (1950): J0 along the axis, J1 about it. `place` runs from -1 to 1 along the path,
    which passes the axis at some distance.
    """
    tilt, turn = np.radians([random.uniform(-75, 75), random.uniform(40, 140)])
    along = random.choice([-1, 1]) * np.array(
        [np.cos(tilt) * np.cos(turn), np.cos(tilt) * np.sin(turn), np.sin(tilt)]
    )
    first = np.array([1.0, 0, 0]) - along[0] * along
    first /= np.linalg.norm(first)
    second = np.cross(along, first)
    aside = random.uniform(0, 0.6)
    x, y = place * np.sqrt(1 - aside**2), aside
    distance = np.maximum(np.hypot(x, y), 1e-6)
    about = (x[:, None] * second - y * first) / distance[:, None]
    hand = random.choice([-1, 1])
    axial, twisted = j0(STRETCH * distance), hand * j1(STRETCH * distance)
    return axial[:, None] * along + twisted[:, None] * about


def _measured(random: np.random.Generator, wind: Wind) -> dict[str, np.ndarray]:
    """Return the columns that the spacecraft measures: the smooth wind with its turbulence."""
    rows = len(wind.speed)
    strength = STRONGEST * np.tanh(_length(wind.field) / STRONGEST)
    waves = wind.rough[:, None] * _turbulence(random, rows)
    direction = wind.field / _length(wind.field)[:, None] + waves
    direction /= _length(direction)[:, None]
    strength = strength * np.exp(0.10 * wind.rough * _noise(random, rows, 1))
    field = strength[:, None] * direction

    density = wind.density * np.exp(
        0.2 * _noise(random, rows, 1.5) + 0.05 * random.normal(size=rows)
    )
    # Waves that leave the Sun: the wind swings with the field, at a part of the Alfvén speed.
    alfven = np.minimum(21.8 * strength / np.sqrt(density), 120)
    away = np.sign(wind.field[:, 1] - wind.field[:, 0])
    velocity = (
        -0.4
        * (alfven * away)[:, None]
        * (direction - wind.field / np.linalg.norm(wind.field, axis=1, keepdims=True))
    )
    velocity += [4, 24, 20] * _turbulence(random, rows)
    velocity[:, 0] -= wind.speed
    speed = _length(velocity)

    usual = np.where(
        wind.speed < 500, (0.031 * wind.speed - 5.1) ** 2, 0.51 * wind.speed - 142
    )  # 1000 K, Lopez (1987)
    spread = np.exp(0.35 * _noise(random, rows, 1) + 0.15 * random.normal(size=rows))
    inside = strength * np.minimum(
        wind.rough * random.lognormal(-2.0, 0.8, rows), 0.6
    )  # faster than 5 minutes
    return {
        "b_total": np.round(np.hypot(strength, inside), 2),
        "bx_gsm": np.round(field[:, 0], 2),
        "by_gsm": np.round(field[:, 1], 2),
        "bz_gsm": np.round(field[:, 2], 2),
        "speed": np.round(speed, 1),
        "vx_gsm": np.round(velocity[:, 0], 1),
        "vy_gsm": np.round(velocity[:, 1], 1),
        "vz_gsm": np.round(velocity[:, 2], 1),
        "density": np.round(np.maximum(density, 0.1), 2),
        "temperature": np.round(np.maximum(1000 * usual * wind.heat * spread, 3000)),
    }


def _response(
    random: np.random.Generator, time: np.ndarray, wind: dict[str, np.ndarray]
) -> np.ndarray:
    """Return SYM-H (n,), whole nT, of the wind that reaches the Earth."""
    rows = len(time)
    # SYM-H labels the start of its 5 minutes and the wind the end, which is one row less; but the
    # ring current takes about as long to answer.
    way = L1 / wind["speed"] / 300 + 0.8 * random.normal() + 0.8 * _noise(random, rows, 6)
    arrival = np.maximum.accumulate(np.arange(rows) + way)
    across = np.hypot(wind["by_gsm"], wind["bz_gsm"])
    clock = np.arctan2(wind["by_gsm"], wind["bz_gsm"])  # 0: northward, pi: southward
    # What merges with the Earth's field, simpler than Newell et al. (2007) have it: steeper in the
    # angle, and linear in field and speed.
    opened = across * np.sin(clock / 2) ** 4
    southward = np.maximum(-wind["bz_gsm"], 0)
    mixed = CLOCK_SHARE * opened + (1 - CLOCK_SHARE) * southward
    coupling = wind["speed"] * mixed * 1e-3  # mV/m; V Bs where the field points south
    pressure = 2e-6 * wind["density"] * wind["speed"] ** 2  # nPa
    coupling, root = (
        np.interp(np.arange(rows), arrival, values) for values in (coupling, np.sqrt(pressure))
    )

    ours = 0.12 * random.normal() + 0.25 * _noise(random, rows, 2.5)
    efficiency = STRONGER * np.exp(ours) * _favor(time) / (1 + coupling / SATURATION)
    injected = INJECTION * efficiency * np.maximum(coupling - THRESHOLD, 0)
    tau = DECAY * np.exp(9.74 / (4.69 + coupling)) * SOONER * np.exp(0.08 * random.normal())
    fast = _decaying((1 - SLOW_SHARE) * injected, tau)
    slow = _decaying(SLOW_SHARE * injected, np.full(rows, SLOW_DECAY))
    ring = random.uniform(-12, 2) * np.exp(-np.arange(rows) / HOUR / 16) + fast + slow

    active = np.abs(ring)
    wiggles = (0.7 + 0.03 * active) * _wiggles(random, rows)
    unknown = (1.8 + 0.05 * active) * _noise(random, rows, 2.5)
    base = 4 * random.normal() + 4 * _noise(random, rows, 36)
    sym_h = ring + PRESSURE * root - QUIET + wiggles + unknown + base
    return np.round(sym_h + 0.5 * random.normal(size=rows))


def _favor(time: np.ndarray) -> np.ndarray:
    """Return how well the field couples at a time: best at equinox, and at certain hours."""
    day = (time - time.astype("datetime64[Y]")) / np.timedelta64(1, "D")
    hour = day % 1 * 24
    equinox = np.cos(4 * np.pi * (day - 80) / 365.25)
    season = np.where(day < 172, 22.5, 10.5)  # UT of the best hour, in spring and in fall
    return (1 + 0.06 * equinox) * (1 + 0.08 * np.cos(2 * np.pi * (hour - season) / 24))


def _decaying(injected: np.ndarray, tau: np.ndarray) -> np.ndarray:
    """Return D of dD/dt = injected - D / tau, from D = 0 on, exact for steady rows."""
    keep = np.exp(-1 / HOUR / tau)
    gained = injected * tau * (1 - keep)
    current, result = 0.0, []
    for k, g in zip(keep.tolist(), gained.tolist(), strict=True):
        current = current * k + g
        result.append(current)
    return np.array(result)


def _lose(random: np.random.Generator, wind: dict[str, np.ndarray], flux: np.ndarray) -> None:
    """Take out what was not measured: energetic particles blind the plasma instrument."""
    rows = len(flux)
    fragile = random.lognormal(0, 1.2)
    times = np.flatnonzero(random.random(rows) < 0.0025 * fragile * (1 + 2.5 * flux))
    lasts = np.exp(random.uniform(0, np.log(1.2 * DAY), len(times))).astype(int)
    depth = random.random(len(times)) + 0.3 * flux[times].clip(0, 1)
    for begin, length, deep in zip(times, lasts, depth, strict=True):
        gap = slice(begin, begin + length)
        wind["density"][gap] = np.nan
        if deep > 0.55:
            wind["temperature"][gap] = np.nan
        if deep > 0.95:
            for name in ("speed", "vx_gsm", "vy_gsm", "vz_gsm"):
                wind[name][gap] = np.nan
    if random.random() < 0.05:
        begin = random.integers(rows - 24)
        gap = slice(begin, begin + random.integers(2, 24))
        for name in ("b_total", "bx_gsm", "by_gsm", "bz_gsm"):
            wind[name][gap] = np.nan


def _length(vectors: np.ndarray) -> np.ndarray:
    """Return the lengths (n,) of vectors (n, 3)."""
    return np.sqrt((vectors**2).sum(axis=1))


def _noise(random: np.random.Generator, rows: int, hours: float, *shape: int) -> np.ndarray:
    """Return AR(1) noise (rows, *shape) of deviation 1, forgotten within about `hours`."""
    keep = np.exp(-1 / HOUR / hours)
    drive = random.normal(size=(rows, *shape))
    drive[1:] *= np.sqrt(1 - keep**2)
    return lfilter([1], [1, -keep], drive, axis=0)


def _turbulence(random: np.random.Generator, rows: int) -> np.ndarray:
    """Return noise (rows, 3) of deviation 1 on many scales, as Kolmogorov's law wants them."""
    scales = np.array([0.1, 0.4, 1.6, 6.4])  # hours
    weights = scales**0.2
    parts = [w * _noise(random, rows, s, 3) for w, s in zip(weights, scales, strict=True)]
    return sum(parts) / np.linalg.norm(weights)


def _wiggles(random: np.random.Generator, rows: int) -> np.ndarray:
    """Return oscillations (rows,) of deviation 1, about 45 minutes long, as substorms make."""
    radius, angle = 0.85, 2 * np.pi * 5 / 45
    made = lfilter([1], [1, -2 * radius * np.cos(angle), radius**2], random.normal(size=rows))
    return made / made.std()
