"""Train the small network that labs 05 and 06 build upon: a classifier of 24 animal species.

    python datasets/train_backbone.py [--each 300] [--epochs 24]        (8 minutes on two cores)

It sees the source species of make_animals.py only, none of the 5 targets that the labs use. Prints
its accuracy on new images of the sources and writes the weights without the head to
datasets/animals/backbone.weights.h5.
"""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import keras
import make_animals
import numpy as np

from helpers.backbones import animal_backbone

SEED = 2026
BATCH = 32
RATE = 2e-3  # the largest learning rate
TEST = 20  # images of each species to test on
FILE = Path(__file__).parent / "animals" / "backbone.weights.h5"


def draw_species(name, numbers):
    """Images of a species, uint8 (n, 96, 96, 3)."""
    return np.stack([make_animals.make_image(name, i)[0] for i in numbers])


def draw(numbers):
    """Images of these numbers of all source species, uint8 (n, 96, 96, 3), and labels (n,)."""
    names = make_animals.SOURCES
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        images = list(pool.map(draw_species, names, [numbers] * len(names)))
    return np.concatenate(images), np.repeat(np.arange(len(names)), len(numbers))


class Augmented(keras.utils.PyDataset):
    """Batches of images, mirrored, moved and recolored at random."""

    def __init__(self, images, labels):
        super().__init__()
        self.images, self.labels = images, labels
        self.rng = np.random.default_rng(SEED)
        self.on_epoch_end()

    def __len__(self):
        return len(self.images) // BATCH

    def __getitem__(self, index):
        chosen = self.order[index * BATCH : (index + 1) * BATCH]
        images = self.images[chosen]
        flip = self.rng.random(BATCH) < 0.5
        images[flip] = images[flip, :, ::-1]
        images = np.roll(images, tuple(self.rng.integers(-8, 9, 2)), axis=(1, 2)).astype("float32")
        for image in images:  # red, green and blue change places: colors say nothing
            image[:] = image[..., self.rng.permutation(3)]
        images *= self.rng.uniform(0.8, 1.2, (BATCH, 1, 1, 3)).astype("float32")
        return images.clip(0, 255), self.labels[chosen]

    def on_epoch_end(self):
        self.order = self.rng.permutation(len(self.images))


def classifier(classes):
    """The backbone, and on top of it the average of each map and a linear layer."""
    backbone = animal_backbone()
    x = keras.layers.GlobalAveragePooling2D()(backbone.output)
    x = keras.layers.Dropout(0.2)(x)
    return backbone, keras.Model(backbone.input, keras.layers.Dense(classes)(x))


def train(model, batches, epochs):
    """Train with Adam, a short warm-up and cosine decay."""
    steps = epochs * len(batches)
    schedule = keras.optimizers.schedules.CosineDecay(
        RATE / 100, steps, warmup_target=RATE, warmup_steps=steps // 20
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(schedule, weight_decay=1e-3), loss, metrics=["accuracy"])
    model.fit(batches, epochs=epochs, verbose=2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--each", type=int, default=300, help="images of each species")
    parser.add_argument("--epochs", type=int, default=24)
    options = parser.parse_args()

    images, labels = draw(range(TEST, TEST + options.each))
    keras.utils.set_random_seed(SEED)
    backbone, model = classifier(len(make_animals.SOURCES))
    train(model, Augmented(images, labels), options.epochs)
    _, accuracy = model.evaluate(*draw(range(TEST)), verbose=0)
    print(f"{backbone.count_params():,} parameters, accuracy on new images {accuracy:.3f}")
    FILE.parent.mkdir(parents=True, exist_ok=True)
    backbone.save_weights(FILE)
    print(f"{FILE.stat().st_size / 1e6:.2f} MB in {FILE}")


if __name__ == "__main__":
    main()
