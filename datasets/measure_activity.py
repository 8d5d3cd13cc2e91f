"""Measure how well models name activities, split by person and by window.

    python datasets/measure_activity.py [--models neighbor dense cnn lstm] [--seeds 3]

COURSE_DATA says which recordings: a data folder, or `offline`. Of 30 people 8 are for the test; the
split by window has as many windows for the test, drawn at random. Prints for each model the number
of parameters, the accuracy for either split (mean and standard deviation over seeds) and the
seconds that one training takes.
"""

import argparse
import time

import keras
import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from helpers import data

TEST_PEOPLE = (2, 5, 9, 12, 16, 20, 24, 27)
BATCH, EPOCHS, RATE = 64, 12, 2e-3


def dense():
    """Two layers on all samples at once."""
    hidden = [keras.layers.Dense(units, activation="relu") for units in (128, 64)]
    return [keras.layers.Flatten(), *hidden]


def cnn():
    """Three convolutions over time, two of them strided."""
    layers = [
        keras.layers.Conv1D(filters, size, stride, padding="same", activation="relu")
        for filters, size, stride in [(32, 9, 2), (32, 7, 2), (64, 5, 1)]
    ]
    return [*layers, keras.layers.GlobalAveragePooling1D()]


def lstm():
    """An LSTM on every pair of samples, averaged."""
    return [keras.layers.AveragePooling1D(2), keras.layers.LSTM(32)]


def neighbor(x_train, y_train, x_test, seed):
    """Return the label of the nearest training window for each test window."""
    mean, deviation = x_train.mean(axis=(0, 1)), x_train.std(axis=(0, 1))
    train, test = (((x - mean) / deviation).reshape(len(x), -1) for x in (x_train, x_test))
    return 0, KNeighborsClassifier(1).fit(train, y_train).predict(test)


def network(layers):
    """Return a function that trains a network of `layers` and predicts."""

    def fit_and_predict(x_train, y_train, x_test, seed):
        keras.utils.set_random_seed(seed)
        scale = keras.layers.Normalization()
        scale.adapt(x_train)
        model = keras.Sequential([keras.Input(x_train.shape[1:]), scale, *layers()])
        model.add(keras.layers.Dense(6))
        steps = EPOCHS * (len(x_train) // BATCH)
        model.compile(
            keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, steps)),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, verbose=0)
        size = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
        return size, model.predict(x_test, batch_size=512, verbose=0).argmax(axis=1)

    return fit_and_predict


MODELS = {
    "neighbor": neighbor,
    "dense": network(dense),
    "cnn": network(cnn),
    "lstm": network(lstm),
}


def main():
    """Measure the models asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()

    activity = data.activity()
    by_person = np.isin(activity.person, TEST_PEOPLE)
    by_window = np.random.default_rng(0).permutation(by_person)
    for name in arguments.models:
        for split, test in (("person", by_person), ("window", by_window)):
            scores, begin = [], time.perf_counter()
            for seed in range(1 if name == "neighbor" else arguments.seeds):
                size, labels = MODELS[name](
                    activity.x[~test], activity.y[~test], activity.x[test], seed
                )
                scores.append(100 * np.mean(labels == activity.y[test]))
            seconds = (time.perf_counter() - begin) / len(scores)
            print(
                f"{name:8} {size:7,} parameters, split by {split}: "
                f"{np.mean(scores):.1f} ± {np.std(scores):.1f} %, {seconds:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
