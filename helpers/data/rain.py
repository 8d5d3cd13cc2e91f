"""Imagined rain as a radar sees it: it moves with the wind, and on its way it grows and decays.

Rain is made in coordinates that move with the wind, where nothing but its own life changes it. It
has two parts. Wide rain is a random field whose power falls with the wavenumber, as in radar
pictures, and whose small structures live shorter than its large ones (Seed 2003). Showers are cells
that are born, grow while they are small, then spread and decay. The radar looks at this from fixed
coordinates: it sees at a place what the wind has carried there. A range of hills stays where it is:
air that climbs it rains more, air that descends rains less.

Lengths are in pixels of 2.5 km and times in frames of 10 minutes unless said otherwise. Rows count
northward and columns eastward, thus a picture is drawn with `origin="lower"`. Reflectivity Z is in
dBZ; Marshall and Palmer (1948) have Z = 200 R^1.6 with the rain rate R in mm/h.
"""

import os
from dataclasses import dataclass, field

import numpy as np
from scipy import fft
from scipy.ndimage import map_coordinates
from tqdm.auto import tqdm

PIXEL, STEP = 2.5, 10  # km, minutes
STRONGEST = 62  # dBZ
WETTEST, DRIEST = 0.4, 0.02  # share of pixels with 20 dBZ, in the mean of a sequence
SLOPE = 1.3  # of the amplitude of wide rain against the wavenumber; its power has twice that
FINEST = 0.45  # 1/pixel; what is finer two pixels can't hold
LIFE, LIFE_POWER = 14.0, 0.9  # of structures 8 pixels long; by which power of length it grows
DRY = (0.6, 1.8)  # deviations of the field, below which there is no wide rain
CONTRAST, CEILING = 28.0, 34.0  # of wide rain, dB per deviation at its edge and dBZ inside
CELLS = 0.0010  # born per pixel and frame
RADIUS, USUAL, LONGEST = 0.8, 5.5, 10.0  # of cells: median radius, life at that radius, longest
PEAK, UNEVEN = 45.0, 8.0  # of cells, dBZ, and dB per deviation of the wide field
MEMORY = 4.0  # how long air remembers that it climbed
LIFT = 16.0  # dB per 1000 m
ERROR = 2.0  # dB
CLUTTER = 0.03  # share of pixels with an echo that is no rain


@dataclass(frozen=True)
class Rain:
    """Sequences of radar pictures, and the wind that nobody sees.

    `dbz` is uint8 (n, steps, rows, columns), the reflectivity in whole dBZ from 0 (no echo, or one
    too weak for rain) to 62. `wind` is float32 (n, 2, rows, columns), km/h toward east and toward
    north; it stays the same in a sequence. `hills` is float32 (rows, columns), the height in m,
    which is that of all sequences.
    """

    dbz: np.ndarray = field(repr=False)
    wind: np.ndarray = field(repr=False)
    hills: np.ndarray = field(repr=False)


def sequences(
    n: int,
    seed: int = 0,
    *,
    steps: int = 12,
    size: int | tuple[int, int] = 32,
    speed: tuple[float, float] = (0.0, 60.0),
    turn: float = 0.15,
    growth: float = 1.0,
    lift: float = 1.0,
    noise: float = 1.0,
) -> Rain:
    """Return `n` sequences of `steps` radar pictures, 10 minutes apart, of `size` pixels.

    `speed` is the range of the wind in km/h; most winds are below its middle. `turn` is how much
    the wind differs over the picture, the deviation of its rotation and of both its shears in 1/h;
    0 is a uniform wind. `growth` is how fast rain lives: 0 leaves it as it is, 2 halves all lives.
    `lift` is the effect of the hills in units of what is usual, 0 for none, and `noise` that of the
    radar's errors. The same seed gives the same sequences, and the first ones stay the same
    whatever `n` is. A bar shows the progress, except under CI. Raises `ValueError` where a
    parameter is out of range.
    """
    rows, columns = shape = (size, size) if isinstance(size, int) else tuple(size)
    low, high = speed
    if n < 1 or steps < 1 or min(shape) < 8:
        raise ValueError("n and steps have to be at least 1, and size at least 8")
    if not 0 <= low <= high or min(turn, growth, lift, noise) < 0:
        raise ValueError("speed has to be a range from 0 or more; no other parameter is below 0")
    found = Rain(
        np.empty((n, steps, *shape), np.uint8),
        np.empty((n, 2, *shape), np.float32),
        hills(rows, columns),
    )
    for number in tqdm(range(n), desc="making rain", leave=False, disable="CI" in os.environ):
        random = np.random.default_rng([seed, number])
        share = 0.0
        while not DRIEST <= share <= WETTEST:  # neither a dry scene nor rain from edge to edge
            flow = _wind(random, low, high, turn, shape)
            dbz = _scene(random, flow, steps, shape, growth, lift)
            share = np.mean(dbz >= 20)
        dbz = _measured(random, dbz, noise)
        found.dbz[number] = dbz
        found.wind[number] = flow.at(*_grid(rows, columns)) * (PIXEL * 60 / STEP)
    return found


def hills(rows: int, columns: int) -> np.ndarray:
    """Return the height of the ground in m, float32 (rows, columns)."""
    return _height(*_grid(rows, columns), (rows, columns)).astype(np.float32)


@dataclass(frozen=True)
class Cells:
    """Showers, one entry each: when `born`, `life`, `radius`, `peak` in dBZ, `place` (2, n).

    `axes` (2, 2, n) turns a distance to the axes of a cell's ellipse and scales it.
    """

    born: np.ndarray
    life: np.ndarray
    radius: np.ndarray
    peak: np.ndarray
    place: np.ndarray
    axes: np.ndarray


@dataclass(frozen=True)
class Wind:
    """A wind that is linear in space: `mean` (2,) at `center` (2,), and `gradient` (2, 2).

    The gradient has no trace, as the wind has no divergence. Components and places are in the order
    of column (east) and row (north).
    """

    mean: np.ndarray
    gradient: np.ndarray
    center: np.ndarray

    def at(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the wind (2, ...) in pixels per frame."""
        place = np.stack([x - self.center[0], y - self.center[1]])
        return np.tensordot(self.gradient, place, 1) + self.mean.reshape(2, *[1] * np.ndim(x))

    def back(self, x: np.ndarray, y: np.ndarray, steps: float) -> np.ndarray:
        """Return the place (2, ...) where the air at (x, y) was `steps` frames before."""
        # Exact: as the gradient G has no trace, G G = q times the identity, and the exponential of
        # s G is cosh(s r) + sinh(s r) / r G, where r is the root of q.
        square = 1e-12 - np.linalg.det(self.gradient)
        root = np.sqrt(square + 0j)
        first = (np.sinh(-steps * root) / root).real
        second = (2 * (np.sinh(-steps * root / 2) / root) ** 2).real
        turned = (1 + second * square) * np.eye(2) + first * self.gradient
        east, north = self.center + first * self.mean + second * self.gradient @ self.mean
        x, y = x - self.center[0], y - self.center[1]
        return np.stack(
            [
                turned[0, 0] * x + turned[0, 1] * y + east,
                turned[1, 0] * x + turned[1, 1] * y + north,
            ]
        )


def _grid(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:rows, :columns].astype(float)
    return x, y


def _wind(
    random: np.random.Generator, low: float, high: float, turn: float, shape: tuple[int, int]
) -> Wind:
    unit = STEP / 60 / PIXEL  # pixels per frame in 1 km/h
    speed = (low + (high - low) * random.beta(2, 4)) * unit
    angle = random.uniform(0, 2 * np.pi)
    rotation, stretch, shear = turn * STEP / 60 * random.normal(size=3)
    # No divergence: where air gathers it rises, which is the business of growth.
    gradient = np.array([[stretch, shear - rotation], [shear + rotation, -stretch]]) / 2
    center = np.array([shape[1] - 1, shape[0] - 1]) / 2
    return Wind(speed * np.array([np.cos(angle), np.sin(angle)]), gradient, center)


def _scene(
    random: np.random.Generator,
    wind: Wind,
    steps: int,
    shape: tuple[int, int],
    growth: float,
    lift: float,
) -> np.ndarray:
    """Return the reflectivity (steps, rows, columns) in dBZ; below 0 is no rain."""
    # The domain repeats itself, but at twice the size of the picture nobody sees it twice.
    side = fft.next_fast_len(2 * max(shape), real=True)
    x, y = _grid(*shape)
    climbed = lift * _climbed(wind, x, y, shape)
    wide = _wide(random, side, steps, growth)
    cells = _cells(random, side, growth * (steps - 1), random.uniform(0.3, 1.7))
    dry = random.uniform(*DRY)

    dbz = np.empty((steps, *shape))
    for step in range(steps):
        where = wind.back(x, y, step)
        local = map_coordinates(wide[step], where[::-1], order=2, mode="grid-wrap")
        above = CONTRAST * (local - dry) + climbed
        area = CEILING * np.tanh(above / CEILING)
        # The same field makes cells uneven, and stronger within the wide rain.
        uneven = UNEVEN * (local - 1) + climbed
        power = _showers(cells, growth * step, where, side) * 10 ** (uneven / 10)
        dbz[step] = 10 * np.log10(10 ** (area / 10) + power)
    return dbz


def _wide(random: np.random.Generator, side: int, steps: int, growth: float) -> np.ndarray:
    """Return random fields (steps, side, side) of deviation 1, each grown from the one before."""
    wavenumber = np.hypot(fft.fftfreq(side)[:, None], fft.rfftfreq(side))
    wavenumber[0, 0] = 1 / side  # any number that isn't 0: the mean gets no power
    amplitude = wavenumber**-SLOPE * np.exp(-((wavenumber / FINEST) ** 4))
    amplitude[0, 0] = 0
    both = np.full(amplitude.shape[1], 2.0)  # a column stands for the opposite wavenumber, too,
    both[0] = 1  # but for 0 and for the highest
    if side % 2 == 0:
        both[-1] = 1
    amplitude *= side / np.sqrt((both * amplitude**2).sum())
    kept = np.exp(-growth / LIFE * (8 * wavenumber) ** LIFE_POWER)
    fresh = np.sqrt(1 - kept**2)
    spectrum = fft.rfft2(random.standard_normal((steps, side, side)))
    for step in range(1, steps):
        spectrum[step] = kept * spectrum[step - 1] + fresh * spectrum[step]
    return fft.irfft2(amplitude * spectrum, (side, side))


def _cells(random: np.random.Generator, side: int, until: float, activity: float) -> Cells:
    """Return the cells of a domain that live at any time from 0 to `until`."""
    start = -LONGEST
    count = random.poisson(activity * CELLS * side**2 * (until - start))
    radius = np.exp(random.normal(np.log(RADIUS), 0.35, count)).clip(0.45, 1.8)
    life = USUAL * (radius / RADIUS) ** 0.8 * np.exp(random.normal(0, 0.2, count))
    angle, ratio = random.uniform(0, np.pi, count), np.exp(random.normal(0, 0.25, count))
    cos, sin = np.cos(angle), np.sin(angle)
    return Cells(
        born=random.uniform(start, until, count),
        life=life.clip(2, LONGEST),
        radius=radius,
        peak=random.normal(PEAK, 6, count),
        place=random.uniform(0, side, (2, count)),
        axes=np.array([[cos * ratio, sin * ratio], [-sin / ratio, cos / ratio]]),
    )


def _showers(cells: Cells, time: float, where: np.ndarray, side: int) -> np.ndarray:
    """Return the power (mm^6/m^3) of all cells at the places `where` (2, rows, columns)."""
    age = (time - cells.born) / cells.life
    middle = where.mean(axis=(1, 2))[:, None]
    away = cells.place - middle
    away -= side * np.round(away / side)  # of a cell's repetitions the nearest
    corners = where[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    reach = np.hypot(*(corners - middle)).max() + 6
    seen = (age > 0) & (age < 1) & (np.hypot(*away) < reach)
    age, place = age[seen], (middle + away[:, seen]).astype(np.float32)
    # Young cells are compact and grow; at a third of its life a cell is strongest, then it spreads.
    width = cells.radius[seen] * (0.7 + 0.7 * age)
    strength = cells.peak[seen] - 30 * (1 - np.sin(np.pi * age**0.65))
    axes = (cells.axes[:, :, seen] / (np.sqrt(2) * width)).astype(np.float32)
    pixels = where.reshape(2, 1, -1).astype(np.float32)
    distance = 0
    for one, other in axes:
        offset = (one * place[0] + other * place[1])[:, None]
        distance = distance + (one[:, None] * pixels[0] + other[:, None] * pixels[1] - offset) ** 2
    power = (10 ** (strength / 10)).astype(np.float32) @ np.exp(-distance)
    return power.reshape(where.shape[1:])


def _height(x: np.ndarray, y: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return the height in m at columns x and rows y: a range from south-southwest, with a pass."""
    east, north = x - (shape[1] - 1) / 2, y - (shape[0] - 1) / 2
    across = 0.94 * (east + 2) - 0.34 * north
    along = 0.34 * (east + 2) + 0.94 * north
    crest = 950 - 450 * np.exp(-(((along - 3) / 4) ** 2)) + 150 * np.cos(along / 4)
    return crest * np.exp(-((across / 4.5) ** 2))


def _climbed(wind: Wind, x: np.ndarray, y: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return by how many dB rain is stronger for what the air has climbed of late.

    This is the height less the mean height on the way there, of which air forgets the more the
    longer ago it was.
    """
    ago = np.arange(0.5, 3 * MEMORY)
    weight = np.exp(-ago / MEMORY)
    before = sum(w * _height(*wind.back(x, y, s), shape) for w, s in zip(weight, ago, strict=True))
    return LIFT / 1000 * (_height(x, y, shape) - before / weight.sum())


def _measured(random: np.random.Generator, dbz: np.ndarray, noise: float) -> np.ndarray:
    """Return what the radar tells of the reflectivity, in whole dBZ."""
    seen = dbz + noise * ERROR * random.normal(size=dbz.shape)
    clutter = random.random(dbz.shape) < noise * CLUTTER
    seen = np.maximum(seen, np.where(clutter, random.exponential(6, dbz.shape), 0))
    return np.rint(seen.clip(0, STRONGEST)).astype(np.uint8)
