"""Measure how hard the animals are, with and without the pretrained network.

    python datasets/measure_animals.py [--seeds 3] [--parts labels pixels unet]

`labels`: accuracy on 100 test images of each of the 5 target species, from 10 and from 25 labels
each: a linear layer on the frozen network (also on the mean for an image and its mirror image), the
same network from scratch, and nearest neighbor and linear models of the raw pixels. `pixels`:
intersection over union (IoU) of the three classes for models that see the color of a pixel only, or
its position only. `unet`: the same for a first U-Net, with and without skips. Prints mean and
standard deviation over the seeds.
"""

import argparse
import io
import time
import zipfile
from pathlib import Path

import keras
import numpy as np
from PIL import Image
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from helpers.backbones import animal_backbone

FOLDER = Path(__file__).parent / "animals"
TRAIN = 60  # images of each species that labels are drawn from; the others are for the test
LABELS = (10, 25)
SECONDS = 60  # longest training of a network


class Stop(keras.callbacks.Callback):
    """Ends a training when its time is over."""

    def on_train_begin(self, logs=None):
        self.end = time.time() + SECONDS

    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = time.time() > self.end


def read():
    """Target images, uint8 (n, 96, 96, 3), masks with 0 to 2, (n, 96, 96), and labels (n,)."""
    with zipfile.ZipFile(FOLDER / "animals.zip") as archive:
        names = [name for name in archive.namelist() if name.startswith("images/")]
        masks = [name.replace("images", "trimaps").replace("jpg", "png") for name in names]
        images, masks = (
            np.stack([np.array(Image.open(io.BytesIO(archive.read(name)))) for name in part])
            for part in (names, masks)
        )
    species = [Path(name).stem.rpartition("_")[0] for name in names]
    return images, masks - 1, np.unique(species, return_inverse=True)[1]


def choose(labels, each, rng):
    """Indices of `each` random training images of every species, and of all test images."""
    train, test = [], []
    for species in range(5):
        members = np.flatnonzero(labels == species)
        train += list(rng.permutation(members[:TRAIN])[:each])
        test += list(members[TRAIN:])
    return rng.permutation(train), np.array(test)


def compile_and_fit(model, x, y, epochs, rate, batch):
    steps = epochs * -(-len(x) // batch)
    schedule = keras.optimizers.schedules.CosineDecay(
        rate / 100, steps, warmup_target=rate, warmup_steps=steps // 10
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(schedule), loss)
    model.fit(x, y, batch, epochs, verbose=0, callbacks=[Stop()])
    return model


def features(backbone, images):
    return backbone.predict(images, batch_size=100, verbose=0).mean(axis=(1, 2))


def from_scratch(x, y):
    """The network of the backbone from random weights, with augmentation."""
    backbone = animal_backbone()
    inputs = keras.Input((96, 96, 3))
    z = keras.layers.RandomFlip("horizontal")(inputs)
    z = keras.layers.RandomTranslation(0.1, 0.1)(z)
    z = keras.layers.GlobalAveragePooling2D()(backbone(z))
    z = keras.layers.Dropout(0.2)(z)
    model = keras.Model(inputs, keras.layers.Dense(5)(z))
    return compile_and_fit(model, x, y, 60, 2e-3, 16)


def linear(strength):
    """A linear classifier of standardized numbers; the smaller `strength`, the smaller weights."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=999))


def measure_labels(seeds):
    images, _, labels = read()
    backbone = animal_backbone(weights=FOLDER / "backbone.weights.h5")
    frozen, mirrored = features(backbone, images), features(backbone, images[:, :, ::-1])
    small = images.reshape(-1, 16, 6, 16, 6, 3).mean(axis=(2, 4)).reshape(len(images), -1)
    for each in LABELS:
        scores = {}
        for seed in range(seeds):
            keras.utils.set_random_seed(seed)
            train, test = choose(labels, each, np.random.default_rng(seed))
            models = {
                "linear on frozen network": (linear(0.03), frozen),
                "  mean with mirror image": (linear(0.03), (frozen + mirrored) / 2),
                "pixels 16x16, neighbor": (KNeighborsClassifier(1), small),
                "pixels 16x16, linear": (linear(1e-3), small),
            }
            for name, (model, x) in models.items():
                found = model.fit(x[train], labels[train]).predict(x[test])
                scores.setdefault(name, []).append(np.mean(found == labels[test]))
            start = time.time()
            model = from_scratch(images[train], labels[train])
            found = model.predict(images[test], verbose=0).argmax(axis=1)
            scores.setdefault("network from scratch", []).append(np.mean(found == labels[test]))
            scores.setdefault("  its training, s", []).append(time.time() - start)
        show(f"accuracy, {each} labels each", scores)


def iou(truth, found):
    """Intersection over union of animal, background and border, and their mean."""
    each = [
        np.sum((truth == k) & (found == k)) / np.sum((truth == k) | (found == k)) for k in range(3)
    ]
    return [np.mean(each), *each]


def split(images, masks, seed):
    order = np.random.default_rng(seed).permutation(len(images))
    train, test = order[:600], order[600:]
    return images[train], masks[train], images[test], masks[test]


def measure_pixels(seeds):
    scores = {}
    for seed in range(seeds):
        x, y, x_test, y_test = split(*read()[:2], seed)
        rng = np.random.default_rng(seed)
        chosen = rng.choice(y.size, 200_000, replace=False)
        model = HistGradientBoostingClassifier(class_weight="balanced", random_state=seed)
        for weights in (None, "balanced"):
            model.set_params(class_weight=weights)
            model.fit(x.reshape(-1, 3)[chosen], y.ravel()[chosen])
            found = model.predict(x_test.reshape(-1, 3)).reshape(y_test.shape)
            name = f"color of a pixel, {weights or 'plain'}"
            scores.setdefault(name, []).append(iou(y_test, found))
        share = np.stack([(y == k).mean(axis=0) for k in range(3)])
        total = share.mean(axis=(1, 2), keepdims=True)
        for name, weight in (("plain", 1), ("balanced", 1 / total)):
            found = np.broadcast_to((share * weight).argmax(axis=0), y_test.shape)
            scores.setdefault(f"position, {name}", []).append(iou(y_test, found))
        scores.setdefault("all background", []).append(iou(y_test, np.ones_like(y_test)))
    show("IoU: mean, animal, background, border", scores)


def convolve(x, filters):
    x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))


def unet(skips=True, width=16, depth=4):
    """A U-Net for 96 px with `width` filters at full size, doubled at each of `depth` halvings."""
    inputs = keras.Input((96, 96, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    kept = []
    for level in range(depth):
        x = convolve(x, width * 2**level)
        kept.append(x)
        x = keras.layers.MaxPooling2D()(x)
    x = convolve(x, width * 2**depth)
    for level in reversed(range(depth)):
        x = convolve(keras.layers.UpSampling2D()(x), width * 2**level)
        if skips:
            x = keras.layers.Concatenate()([x, kept[level]])
        x = convolve(x, width * 2**level)
    return keras.Model(inputs, keras.layers.Conv2D(3, 1)(x))


def measure_unet(seeds):
    scores = {}
    for seed in range(seeds):
        x, y, x_test, y_test = split(*read()[:2], seed)
        for skips in (True, False):
            keras.utils.set_random_seed(seed)
            start = time.time()
            model = compile_and_fit(unet(skips), x, y, 6, 3e-3, 8)
            seconds = time.time() - start
            found = model.predict(x_test, batch_size=50, verbose=0).argmax(axis=-1)
            name = f"U-Net {'with' if skips else 'without'} skips"
            scores.setdefault(name, []).append(iou(y_test, found))
            scores.setdefault("  its training, s", []).append(seconds)
    show("IoU: mean, animal, background, border", scores)


def show(title, scores):
    print(title)
    for name, values in scores.items():
        middle, spread = (
            np.atleast_1d(np.mean(values, axis=0)),
            np.atleast_1d(np.std(values, axis=0)),
        )
        cells = [f"{m:7.3f} ± {s:.3f}" for m, s in zip(middle, spread, strict=True)]
        print(f"  {name:26}" + "".join(cells), flush=True)


PARTS = {"labels": measure_labels, "pixels": measure_pixels, "unet": measure_unet}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    options = parser.parse_args()
    for part in options.parts:
        PARTS[part](options.seeds)


if __name__ == "__main__":
    main()
