"""Measure how well models trained on the offline digits read them, and real MNIST.

    python datasets/measure_digits.py FOLDER [--part test|dev] [--seeds 3]

FOLDER holds the four files of real MNIST. `dev` measures on the first 10,000 real training images,
for work on the recipe; `test` on the real test set. Prints, for each model, the accuracy (mean and
standard deviation over seeds) on the offline test set and on the real images.
"""

import argparse
from pathlib import Path

import keras
import numpy as np

from helpers.data import idx

BATCH = 128
OFFLINE = Path(__file__).parent / "digits"


def linear():
    return [keras.layers.Flatten()]


def mlp():
    return [keras.layers.Flatten(), keras.layers.Dense(128, activation="relu")]


def cnn():
    """Three convolutions with batch normalization, two of them strided."""
    layers = []
    for filters, size, stride in [(24, 5, 2), (48, 3, 2), (64, 3, 1)]:
        layers += [
            keras.layers.Conv2D(filters, size, stride, padding="same", use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
        ]
    return [*layers, keras.layers.Flatten(), keras.layers.Dropout(0.3)]


def cnn_augmented():
    """The same, each training image moved by up to a tenth and turned by up to 15 degrees."""
    augment = [
        keras.layers.RandomTranslation(0.1, 0.1, fill_mode="constant"),
        keras.layers.RandomRotation(15 / 360, fill_mode="constant"),
    ]
    return [*augment, *cnn()]


# layers below the output, epochs, largest learning rate
MODELS = {
    "linear": (linear, 12, 3e-3),
    "MLP": (mlp, 12, 3e-3),
    "CNN": (cnn, 12, 4e-3),
    "CNN, augmented": (cnn_augmented, 12, 4e-3),
}


def read(folder, split):
    """Images, uint8 (n, 28, 28, 1), and labels of one split."""
    images, labels = (
        idx.read(folder / f"{split}-{kind}-ubyte.gz") for kind in ["images-idx3", "labels-idx1"]
    )
    return images[..., None], labels


def train(layers, epochs, rate, images, labels):
    """A model of these layers, trained with Adam, a short warm-up and cosine decay."""
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Rescaling(1 / 255), *layers])
    model.add(keras.layers.Dense(10))
    steps = epochs * len(images) // BATCH
    schedule = keras.optimizers.schedules.CosineDecay(
        rate / 100, steps, warmup_target=rate, warmup_steps=steps // 10
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(schedule), loss)
    model.fit(images, labels, BATCH, epochs, verbose=0)
    return model


def accuracy(model, images, labels):
    return np.mean(model.predict(images, batch_size=500, verbose=0).argmax(axis=1) == labels)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", choices=["dev", "test"], default="test")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    options = parser.parse_args()

    images, labels = read(OFFLINE, "train")
    own = read(OFFLINE, "t10k")
    real = read(options.folder, "t10k" if options.part == "test" else "train")
    real = [array[:10_000] for array in real]
    print(f"{'accuracy in %':16}{'parameters':>12}{'offline test':>16}{f'real {options.part}':>16}")
    for name in options.models:
        build, epochs, rate = MODELS[name]
        scores = []
        for seed in range(options.seeds):
            keras.utils.set_random_seed(seed)
            model = train(build(), epochs, rate, images, labels)
            scores.append([accuracy(model, *own), accuracy(model, *real)])
        middle, spread = 100 * np.mean(scores, axis=0), 100 * np.std(scores, axis=0)
        cells = [f"{m:9.2f} ± {s:.2f}" for m, s in zip(middle, spread, strict=True)]
        print(f"{name:16}{model.count_params():12,}{cells[0]:>16}{cells[1]:>16}", flush=True)


if __name__ == "__main__":
    main()
