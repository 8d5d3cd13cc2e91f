"""MNIST: images of handwritten digits."""

from dataclasses import dataclass, field

import numpy as np

from helpers.data import idx, sources
from helpers.data.files import DataError

SIDE = 28  # pixels


@dataclass(frozen=True)
class Digits:
    """Images of digits and their labels, for training and for the test.

    `x_train` and `x_test` are uint8 (images, 28, 28), 0 for the background to 255 for ink;
    `y_train` and `y_test` are uint8 (images,), the digit 0-9. `source` says where they are from.
    """

    x_train: np.ndarray = field(repr=False)
    y_train: np.ndarray = field(repr=False)
    x_test: np.ndarray = field(repr=False)
    y_test: np.ndarray = field(repr=False)
    source: sources.Source


def mnist() -> Digits:
    """Load MNIST, or the digits made for this course where it can't be had; print which.

    Raises `DataError` when the data folder that COURSE_DATA names can't be used.
    """
    contents, source = sources.find("mnist")
    try:
        x_train, y_train = _pair(contents, "train")
        x_test, y_test = _pair(contents, "t10k")
    except DataError as fault:  # real files have been verified before
        raise sources.damaged_offline(fault) from fault
    print(source)
    return Digits(x_train, y_train, x_test, y_test, source)


def _pair(contents: dict[str, bytes], part: str) -> tuple[np.ndarray, np.ndarray]:
    images_name, labels_name = f"{part}-images-idx3-ubyte.gz", f"{part}-labels-idx1-ubyte.gz"
    images = idx.parse(contents[images_name], images_name)
    labels = idx.parse(contents[labels_name], labels_name)
    if images.shape[1:] != (SIDE, SIDE):
        raise DataError(f"{images_name} holds {images.shape}, not images of {SIDE} x {SIDE} pixels")
    if labels.shape != images.shape[:1]:
        raise DataError(f"{labels_name} holds {labels.shape} labels for {len(images):,} images")
    if labels.size and labels.max() > 9:
        raise DataError(f"{labels_name} holds the label {labels.max()}, which is not a digit")
    return images, labels
