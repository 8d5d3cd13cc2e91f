"""Measure simple forecasts of rain on the generated sequences, and these beside the real loop.

    python datasets/measure_radar.py [--network] [--train 600] [--seeds 3]

The loop of Sydney is described where COURSE_DATA names a data folder that has it. Six pictures are
given and the next six are forecast, 10 to 60 minutes ahead: MSE in dBZ^2, and the critical success
index (CSI, hits / (hits + misses + false alarms)) at 20 and 35 dBZ, over all pixels of the test
sequences. `--network` trains a small network, too, on the first `--train` sequences.
"""

import argparse
import time
from itertools import pairwise

import numpy as np
from scipy.ndimage import map_coordinates

from helpers import data
from helpers.data import rain
from helpers.data.radar import SPLITS

GIVEN = AHEAD = 6
PER_HOUR = rain.PIXEL * 60 / rain.STEP  # km/h in 1 pixel per frame
BATCH, EPOCHS, RATE = 16, 18, 2e-3


def persistence(given: np.ndarray) -> np.ndarray:
    """Return the last picture as the forecast for all times, (6, rows, columns)."""
    return np.repeat(given[-1:], AHEAD, axis=0)


def advection(given: np.ndarray, wind: np.ndarray) -> np.ndarray:
    """Return the last picture as `wind` (2, rows, columns; pixels per frame) moves it on.

    What comes from outside the picture is taken to be as at its edge.
    """
    place = np.mgrid[: given.shape[1], : given.shape[2]].astype(float)
    forecast = []
    for _ in range(AHEAD):
        for _ in range(2):  # half a frame at a time, with the wind half way there
            east, north = _sample(wind, place)
            middle = place - np.stack([north, east]) / 4
            east, north = _sample(wind, middle)
            place = place - np.stack([north, east]) / 2
        forecast.append(map_coordinates(given[-1], place, order=1, mode="nearest"))
    return np.stack(forecast)


def _sample(wind: np.ndarray, place: np.ndarray) -> list[np.ndarray]:
    return [map_coordinates(part, place, order=1, mode="nearest") for part in wind]


def phase_correlation(given: np.ndarray) -> np.ndarray:
    """Return one wind for the picture, where the pictures' phase correlation is highest."""
    shape = given.shape[1:]
    window = np.outer(*(np.hanning(size + 2)[1:-1] for size in shape))
    spectra = np.fft.fft2((given - given.mean()) * window)
    cross = (np.conj(spectra[:-1]) * spectra[1:]).sum(axis=0)  # pictures one frame apart
    match = np.fft.ifft2(cross / np.sqrt(np.abs(cross) + 1e-9)).real
    fastest = 5  # pixels per frame
    match = np.roll(match, (fastest + 1, fastest + 1), axis=(0, 1))
    match = match[: 2 * fastest + 3, : 2 * fastest + 3]
    peak = np.unravel_index(match[1:-1, 1:-1].argmax(), (2 * fastest + 1,) * 2)
    row, column = (int(index) + 1 for index in peak)
    north = row + _vertex(*match[row - 1 : row + 2, column]) - fastest - 1
    east = column + _vertex(*match[row, column - 1 : column + 2]) - fastest - 1
    return np.broadcast_to(np.array([east, north])[:, None, None], (2, *shape))


def damped(val: np.ndarray, forecast: np.ndarray, mean: float) -> np.ndarray:
    """Return `forecast` drawn toward the mean: at each time ahead as is best on `val`."""
    given, truth = val[:, :GIVEN].astype(float), val[:, GIVEN:] - mean
    moved = np.stack([advection(g, optical_flow(g)) for g in given]) - mean
    axes = (0, 2, 3)
    share = (moved * truth).sum(axis=axes) / (moved**2).sum(axis=axes)
    return mean + share[:, None, None] * (forecast - mean)


def _vertex(left: float, middle: float, right: float) -> float:
    """Return where the parabola through three values at -1, 0 and 1 is highest."""
    return 0.5 * (left - right) / min(left - 2 * middle + right, -1e-9)


def optical_flow(given: np.ndarray) -> np.ndarray:
    """Return a wind that is linear in space: least squares on the gradients (Lucas & Kanade 1981).

    It starts from the phase correlation and is corrected four times.
    """
    rows, columns = shape = given.shape[1:]
    row, column = np.mgrid[:rows, :columns].astype(float)
    east, north = (column - (columns - 1) / 2) / columns, (row - (rows - 1) / 2) / rows
    basis = np.stack([np.ones(shape), east, north])
    wind = phase_correlation(given).astype(float)
    for _ in range(4):
        left, right = np.zeros((6, 6)), np.zeros(6)
        for before, after in pairwise(given):
            source = np.stack([row - wind[1], column - wind[0]])
            inside = (source >= 0).all(axis=0) & (source[0] < rows) & (source[1] < columns)
            moved = map_coordinates(before, source, order=1, mode="nearest")
            slope_north, slope_east = np.gradient((moved + after) / 2)
            terms = np.concatenate([slope_east * basis, slope_north * basis])[:, inside]
            left += terms @ terms.T
            right += terms @ (moved - after)[inside]
        # Shears are small: where the pictures say little of them, they stay so.
        left += np.diag([1, 10, 10] * 2) * np.trace(left) / 600
        more = np.linalg.solve(left, right).reshape(2, 3)
        wind = wind + np.tensordot(more, basis, 1)
    return wind


def network(train: np.ndarray, val: np.ndarray, seed: int):
    """Return a function from given pictures to forecasts, and the number of its parameters."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)

    def block(x, filters):
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        return x

    inputs = keras.Input((*train.shape[2:], GIVEN))
    fine = block(inputs, 24)
    middle = block(layers.MaxPooling2D()(fine), 48)
    coarse = block(layers.MaxPooling2D()(middle), 64)
    x = block(layers.Concatenate()([layers.UpSampling2D()(coarse), middle]), 48)
    x = block(layers.Concatenate()([layers.UpSampling2D()(x), fine]), 24)
    model = keras.Model(inputs, layers.Conv2D(AHEAD, 1)(x))
    steps = EPOCHS * (len(train) // BATCH)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, steps)), "mse")

    def pairs(dbz):
        x = np.moveaxis(dbz.astype(np.float32), 1, -1) / 30
        return x[..., :GIVEN], x[..., GIVEN:]

    model.fit(*pairs(train), batch_size=BATCH, epochs=EPOCHS, verbose=0)

    def forecast(dbz):
        return np.moveaxis(model.predict(pairs(dbz)[0], verbose=0), -1, 1) * 30

    return forecast, model.count_params()


def scores(forecast: np.ndarray, truth: np.ndarray) -> dict[str, np.ndarray]:
    """Return MSE and CSI by time ahead, of sequences (n, 6, rows, columns)."""
    axes = (0, 2, 3)
    table = {"MSE": ((forecast - truth) ** 2).mean(axis=axes)}
    for threshold in (20, 35):
        said, seen = forecast >= threshold, truth >= threshold
        either = (said | seen).sum(axis=axes)
        table[f"CSI {threshold}"] = (said & seen).sum(axis=axes) / np.maximum(either, 1)
    return table


def describe(name: str, dbz: np.ndarray) -> None:
    """Print what sequences (n, steps, rows, columns) look like in numbers."""
    dbz = np.maximum(dbz, 0).astype(float)
    shares = ", ".join(f"{k}: {100 * np.mean(dbz >= k):.1f}" for k in (5, 20, 35, 45))
    alike = [
        np.mean([np.corrcoef(s[:-lag].ravel(), s[lag:].ravel())[0, 1] for s in dbz])
        for lag in (1, 2, 3, 6)
    ]
    winds = [optical_flow(s) for s in dbz]
    moved = []
    for s, wind in zip(dbz, winds, strict=True):
        pairs = [
            np.corrcoef(advection(a[None], wind)[0].ravel(), b.ravel())[0, 1]
            for a, b in pairwise(s)
            if a.any() and b.any()
        ]
        moved.append(np.mean(pairs))
    speed = [PER_HOUR * np.hypot(*wind.mean(axis=(1, 2))) for wind in winds]
    side = min(dbz.shape[2:])
    wavenumber, power = spectrum(dbz[..., :side, :side])
    slope = np.polyfit(np.log(wavenumber), np.log(power), 1)[0]
    print(f"{name}: percent of pixels at dBZ {shares}; strongest {dbz.max():.0f} dBZ")
    print("  correlation 10, 20, 30, 60 min apart", *(f"{value:.2f}" for value in alike), end="")
    print(f"; 10 min, moved with the wind {np.mean(moved):.2f}")
    print(f"  speed {np.median(speed):.0f} km/h (median), slope of the power {slope:.1f}")


def spectrum(dbz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return wavenumbers in 1/pixel and the mean power there, of square pictures (..., n, n)."""
    side = dbz.shape[-1]
    window = np.outer(*[np.hanning(side)] * 2)
    centered = dbz - dbz.mean(axis=(-2, -1), keepdims=True)
    power = (np.abs(np.fft.fft2(centered * window)) ** 2).reshape(-1, side, side).mean(axis=0)
    ring = np.rint(side * np.hypot(*np.meshgrid(*[np.fft.fftfreq(side)] * 2))).astype(int)
    rings = np.arange(2, side // 2)
    return rings / side, np.array([power[ring == number].mean() for number in rings])


def report(name: str, forecast: np.ndarray, truth: np.ndarray) -> None:
    """Print a line for each score."""
    for score, values in scores(forecast, truth).items():
        digits = 1 if score == "MSE" else 3
        print(f"{name:18} {score:7}", *(f"{value:7.{digits}f}" for value in values), flush=True)


def main():
    """Describe both kinds of rain, then measure the forecasts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", action="store_true")
    parser.add_argument("--train", type=int, default=SPLITS["train"][0])
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()

    radar = data.radar()
    if radar.sydney is not None:
        describe("Sydney", radar.sydney[None])
    describe("generated", radar.test)

    n, seed = SPLITS["test"]
    test = rain.sequences(n, seed)
    truth = test.dbz[:, GIVEN:].astype(float)
    given = test.dbz[:, :GIVEN].astype(float)
    print("10 to 60 minutes ahead")
    report("persistence", np.stack([persistence(g) for g in given]), truth)
    for name, method in (("phase correlation", phase_correlation), ("optical flow", optical_flow)):
        winds = np.stack([method(g) for g in given])
        error = PER_HOUR * np.hypot(*(winds - test.wind / PER_HOUR).mean(axis=(2, 3)).T)
        forecast = np.stack([advection(*pair) for pair in zip(given, winds, strict=True)])
        report(name, forecast, truth)
        print(f"  error of its mean wind: median {np.median(error):.1f} km/h")
    report("optical, damped", damped(radar.val, forecast, radar.train.mean()), truth)
    winds = test.wind / PER_HOUR
    report("true wind", np.stack([advection(*p) for p in zip(given, winds, strict=True)]), truth)
    report("mean of training", np.broadcast_to(radar.train.mean(axis=(0, 1)), truth.shape), truth)
    if arguments.network:
        train = rain.sequences(arguments.train, SPLITS["train"][1]).dbz
        for seed in range(arguments.seeds):
            begin = time.perf_counter()
            forecast, size = network(train, radar.val, seed)
            seconds = time.perf_counter() - begin
            report(f"network, seed {seed}", forecast(test.dbz), truth)
            print(f"  {size:,} parameters, trained in {seconds:.0f} s")


if __name__ == "__main__":
    main()
