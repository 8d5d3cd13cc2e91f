"""Measure the GANs of lab 11 with several seeds, and some that learn worse, on digits.

    COURSE_DATA=offline python datasets/measure_gans.py [--seeds 3] [--kinds projection ...]
    COURSE_DATA=FOLDER  python datasets/measure_gans.py                  (the real MNIST)

The players "projection" and "no label" are those of the lab; nothing is asked of the latter, so
that nothing can be right there. "label as a map" has the label beside the image, one more channel
of the discriminator, "map and dropout" dropout as well. Each training, about a minute on two cores,
is a row of datasets/digits/gans.csv, written at once, in place of the same one.
"""

import argparse
import time

import keras
import numpy as np
import pandas as pd
from keras import layers
from scipy.stats import entropy

from helpers import data, gan

LATENT = 32
BATCH = 32
COUNT = 2000
STEPS = 3000
KINDS = ("projection", "label as a map", "map and dropout", "no label")


def paint(x):
    """The layers of the generator, from a vector to an image (28, 28, 1) of -1 ... 1."""
    x = layers.Reshape((7, 7, 64))(layers.Dense(7 * 7 * 64, use_bias=False)(x))
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    x = layers.Conv2DTranspose(32, 4, strides=2, padding="same", use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    return layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh")(x)


def features(x, dropout=0.0):
    """The layers of the discriminator up to its features."""
    for filters in [24, 48]:
        x = layers.LeakyReLU(0.2)(layers.Conv2D(filters, 4, strides=2, padding="same")(x))
        x = layers.Dropout(dropout)(x)
    return layers.Flatten()(x)


def players(kind):
    """Return the generator and the discriminator of one kind."""
    noise, image = keras.Input((LATENT,)), keras.Input((28, 28, 1))
    if kind == "no label":
        hidden = layers.LeakyReLU(0.2)(layers.Dense(64)(features(image)))
        return keras.Model(noise, paint(noise)), keras.Model(image, layers.Dense(1)(hidden))
    asked, label = keras.Input((), dtype="int32"), keras.Input((), dtype="int32")
    order = layers.Concatenate()([noise, layers.Embedding(10, LATENT)(asked)])
    generator = keras.Model([noise, asked], paint(order))
    if kind == "projection":
        f = features(image)
        right_digit = layers.Dot(1)([f, layers.Embedding(10, f.shape[-1])(label)])
        logit = layers.Add()([layers.Dense(1)(f), right_digit])
    else:
        plane = layers.Reshape((28, 28, 1))(layers.Embedding(10, 28 * 28)(label))
        both = layers.Concatenate()([image, plane])
        logit = layers.Dense(1)(features(both, 0.3 if kind == "map and dropout" else 0.0))
    return generator, keras.Model([image, label], logit)


def train(kind, digits, steps, rng):
    """Return a generator after so many rounds of the game."""
    generator, discriminator = players(kind)
    falling = keras.optimizers.schedules.PolynomialDecay(1e-3, steps, 0.0)
    game = gan.Game(generator, discriminator, rate=falling)
    with_label = kind != "no label"

    def noise():
        z = rng.standard_normal((BATCH, LATENT)).astype("float32")
        return [z, rng.integers(10, size=BATCH).astype("int32")] if with_label else [z]

    for _ in range(steps):
        rows = rng.integers(len(digits.x_train), size=BATCH)
        real = [digits.x_train[rows, :, :, None].astype("float32") / 127.5 - 1]
        if with_label:
            real.append(digits.y_train[rows].astype("int32"))
        asked = noise()
        made = generator.predict_on_batch(asked if with_label else asked[0])
        discriminator.trainable = True
        game.critic.train_on_batch([*real, made, *asked[1:]])
        discriminator.trainable = False
        asked = noise()
        game.forger.train_on_batch(asked if with_label else asked[0])
    return generator


def measure(generator, kind, judge, real, rng):
    """Return what the judge says of the generator's images, by name."""
    z = rng.standard_normal((COUNT, LATENT)).astype("float32")
    asked = np.repeat(np.arange(10, dtype="int32"), COUNT // 10)
    given = z if kind == "no label" else [z, asked]
    images = (generator.predict(given, batch_size=500, verbose=0) + 1) * 127.5
    probabilities, made = judge.predict(images, batch_size=500, verbose=0)
    told = probabilities.argmax(axis=1)
    right = np.full(10, np.nan)
    if kind != "no label":
        right = (told == asked).reshape(10, -1).mean(axis=1)
    shares = np.bincount(told, minlength=10) / COUNT
    return {
        "right": right.mean(),
        "worst digit": right.min(),
        "rarest": shares.min(),
        "evenness": entropy(shares) / np.log(10),
        "distance": gan.frechet(real, made),
    }


def keep(row):
    """Write the row into the file, in place of the one of the same data, kind and seed."""
    key = ["data", "kind", "seed"]
    table = pd.DataFrame([row])
    if gan.MEASURED.exists():
        table = pd.concat([pd.read_csv(gan.MEASURED), table]).drop_duplicates(key, keep="last")
    table["order"] = table["kind"].map(KINDS.index)
    table = table.sort_values(["data", "order", "seed"]).drop(columns="order")
    table.round(4).to_csv(gan.MEASURED, index=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    options = parser.parse_args()

    digits = data.mnist()
    judge = gan.judge(digits.source)
    rng = np.random.default_rng(0)  # real digits are in the order of their writers
    real, others = (
        judge.predict(x[rng.permutation(len(x))[:COUNT], ..., None], batch_size=500, verbose=0)[1]
        for x in (digits.x_test, digits.x_train)
    )
    for seed in range(11, 11 + options.seeds):
        for kind in options.kinds:
            keras.utils.set_random_seed(seed)
            rng = np.random.default_rng(seed)
            start = time.perf_counter()
            generator = train(kind, digits, STEPS, rng)
            row = {
                "data": "real" if digits.source.real else "offline",
                "kind": kind,
                "seed": seed,
                **measure(generator, kind, judge, real, rng),
                "of real digits": gan.frechet(real, others),
                "seconds": time.perf_counter() - start,
            }
            print(pd.DataFrame([row]).round(3).to_string(index=False), flush=True)
            keep(row)


if __name__ == "__main__":
    main()
