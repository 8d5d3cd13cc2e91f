"""Train every forecaster of lab 09 from several seeds and write what each reaches.

    python datasets/measure_forecasts.py [--seeds 3] [--members 8]

The scores are means over the validation storms of the RMSE in nT, one and two hours ahead. In
datasets/storms/forecasts.csv the rows of the storms that `data.storms()` finds (COURSE_DATA) are
replaced, and the others stay. It takes a quarter of an hour on two CPU cores, less on a GPU.
"""

import argparse
import math
import time

import keras
import numpy as np
import pandas as pd
from keras import layers
from sklearn.linear_model import Ridge

from helpers import data
from helpers.symh import features, network, physics, scores
from helpers.windows import rolling_windows

AHEAD = [12, 24]  # rows
RAW = ["bx_gsm", "by_gsm", "bz_gsm", "speed", "density", "temperature"]
EPOCHS, BATCH = 22, 16
STRICT = "strict timing"


def now(storm):
    return storm[["sym_h"]].to_numpy(float)


def changes(storm):
    """Return the changes of SYM-H after one and two hours, for all rows but the last 24."""
    sym_h = now(storm)[:, 0]
    return np.stack([sym_h[12:-12], sym_h[24:]], axis=1) - sym_h[:-24, None]


def lags(values, n_in):
    """Return the last n_in rows of (n, d) values side by side, (n, n_in * d)."""
    values = np.concatenate([np.repeat(values[:1], n_in - 1, axis=0), values])
    windows = np.lib.stride_tricks.sliding_window_view(values, n_in, axis=0)
    return windows.reshape(len(windows), -1)


class Measurement:
    """The storms, their inputs, and the table of what was measured."""

    def __init__(self, seeds, members):
        self.storms = data.storms()
        self.seeds, self.members = range(seeds), members
        self.rows = []
        storms = {number: self.storms.storm(number) for number in self.storms.windows.index}
        self.train = [storms[number] for number in self.storms.of("train")]
        self.physical = {n: features.inputs(s, self.storms.at) for n, s in storms.items()}
        raw = {n: np.column_stack([features.wind(s)[RAW], s["sym_h"]]) for n, s in storms.items()}
        every = np.concatenate([raw[number] for number in self.storms.of("train")])
        center, spread = every.mean(axis=0), every.std(axis=0)
        self.raw = {n: ((v - center) / spread).astype(np.float32) for n, v in raw.items()}

    def score(self, forecast):
        """Return the errors of a forecast on the validation storms: 1 h, 2 h."""
        return scores.rmse_by_storm(self.storms, forecast, "val").mean().to_numpy()

    def note(self, model, weights, seconds, errors):
        """Add a row to the table: `errors` is (seeds, 2)."""
        errors = np.reshape(errors, (-1, 2))
        row = {"model": model, "weights": weights, "seeds": len(errors), "seconds": seconds}
        for column, name in enumerate(["1 h", "2 h"]):
            values = errors[:, column]
            row |= {name: values.mean(), f"from {name}": values.min(), f"to {name}": values.max()}
        self.rows.append(row)
        print(f"{model:36}{weights:7}{seconds:6.0f} s{errors.mean(axis=0).round(2)}", flush=True)

    def without_training(self):
        """Measure persistence and the physical models."""
        self.note("persistence", 0, 0, self.score(lambda s: np.repeat(now(s), 2, axis=1)))
        for name, model in [
            ("physics, Burton", physics.BURTON),
            ("physics, O'Brien and McPherron", physics.OBRIEN),
            ("physics, refitted", physics.REFIT),
        ]:
            self.note(
                name,
                0,
                0,
                self.score(
                    lambda s, model=model: features.physics_forecast(
                        s, (1, 2), self.storms.at, model
                    )
                ),
            )

    def ridge(self, name, inputs, n_in=24, alpha=1000):
        """Measure ridge regression on the last n_in rows."""
        start = time.perf_counter()
        x = [lags(np.asarray(inputs[s["storm"][0]], float), n_in)[:-24:6] for s in self.train]
        y = [changes(s)[::6] for s in self.train]
        model = Ridge(alpha).fit(np.concatenate(x), np.concatenate(y))
        seconds = time.perf_counter() - start

        def forecast(storm):
            return now(storm) + model.predict(
                lags(np.asarray(inputs[storm["storm"][0]], float), n_in)
            )

        self.note(name, model.coef_.size + 2, seconds, self.score(forecast))

    def lstm(self, name, absolute, n_in=36, every=5, epochs=8):
        """Measure an LSTM on raw inputs that learns SYM-H itself or its change."""
        x, y, last = [], [], []
        for storm in self.train:
            values = np.column_stack([self.raw[storm["storm"][0]], storm["sym_h"]])
            past, come = rolling_windows(values, n_in, AHEAD[-1], stride=every)
            x.append(past[:, :, :-1])
            y.append(come[:, [step - 1 for step in AHEAD], -1])
            last.append(past[:, -1:, -1])
        x, y = np.concatenate(x), np.concatenate(y)
        target = y if absolute else y - np.concatenate(last)
        center, spread = target.mean(axis=0), target.std(axis=0)
        errors = []
        for seed in self.seeds:
            keras.utils.set_random_seed(seed)
            model = keras.Sequential([keras.Input(x.shape[1:]), layers.LSTM(64), layers.Dense(2)])
            model.compile("adam", "mse")
            start = time.perf_counter()
            model.fit(x, (target - center) / spread, batch_size=256, epochs=epochs, verbose=0)
            seconds = time.perf_counter() - start

            def forecast(storm, model=model):
                windows = lags(self.raw[storm["storm"][0]], n_in)
                windows = windows.reshape(len(windows), -1, n_in).swapaxes(1, 2)
                made = center + spread * model.predict(windows, batch_size=1024, verbose=0)
                return made if absolute else made + now(storm)

            errors.append(self.score(forecast))
        self.note(name, model.count_params(), seconds, errors)

    def causal(self, name, inputs, known=now, count=None):
        """Measure the causal network from `count` seeds; return the networks.

        known(storm) is the SYM-H that a forecast starts from, (n, 1).
        """
        x = [inputs[storm["storm"][0]] for storm in self.train]
        chunks, y, weights = network.day_chunks(x, [s["sym_h"] for s in self.train], AHEAD)
        offsets = [(now(storm) - known(storm))[:, 0] for storm in self.train]
        # The change from what is known, which in strict timing isn't SYM-H at the same row.
        moved = network.day_chunks([o[:, None] for o in offsets], [0 * o for o in offsets], AHEAD)
        y = y + moved[0] / network.SCALE
        networks, errors = [], []
        for seed in range(count or len(self.seeds)):
            keras.utils.set_random_seed(seed)
            model = network.causal_network(chunks.shape[-1], len(AHEAD))
            network.compile_for(model, EPOCHS * math.ceil(len(chunks) / BATCH))
            start = time.perf_counter()
            model.fit(chunks, y, BATCH, EPOCHS, sample_weight=weights, verbose=0)
            seconds = time.perf_counter() - start
            networks.append(model)
            errors.append(self.score(self.forecast_by([model], inputs, known)))
        self.note(name, model.count_params(), seconds, errors)
        return networks

    def forecast_by(self, networks, inputs, known=now):
        return lambda s: network.forecast(networks, inputs[s["storm"][0]], known(s)[:, 0])

    def averages(self, networks, size):
        """Measure the means of disjoint groups of networks."""
        groups = [networks[k : k + size] for k in range(0, len(networks) - size + 1, size)]
        errors = [self.score(self.forecast_by(group, self.physical)) for group in groups]
        self.note(f"mean of {size} causal networks", size * groups[0][0].count_params(), 0, errors)

    def strictly(self, storm):
        return storm.assign(sym_h=storm["sym_h"].shift(1).bfill())

    def run(self):
        """Measure everything."""
        self.without_training()
        self.ridge("ridge, raw", self.raw)
        self.ridge("ridge, physical", self.physical)
        self.lstm("LSTM, absolute", absolute=True)
        self.lstm("LSTM, change", absolute=False)
        self.causal("causal network, raw", self.raw)
        networks = self.causal("causal network", self.physical, count=self.members)
        for size in (2, 4, 8):
            if size <= self.members:
                self.averages(networks, size)
        late = {
            number: features.inputs(self.strictly(self.storms.storm(number)), self.storms.at)
            for number in self.storms.windows.index
        }
        self.causal(f"causal network, {STRICT}", late, lambda storm: now(self.strictly(storm)))


def main():
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="seeds of each network")
    parser.add_argument("--members", type=int, default=8, help="causal networks to average")
    arguments = parser.parse_args()
    measurement = Measurement(arguments.seeds, arguments.members)
    measurement.run()
    kind = "real" if measurement.storms.source.real else "offline"
    table = pd.DataFrame(measurement.rows)
    table.insert(0, "data", kind)
    if scores.MEASURED.exists():
        others = pd.read_csv(scores.MEASURED)
        table = pd.concat([others[others["data"] != kind], table])
    table["seconds"] = table["seconds"].round().astype(int)
    table.sort_values("data", kind="stable").round(3).to_csv(scores.MEASURED, index=False)


if __name__ == "__main__":
    main()
