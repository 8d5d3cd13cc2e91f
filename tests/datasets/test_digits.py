"""The offline digits: the files hold what their script makes, in the form of MNIST."""

import hashlib
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from sklearn.neighbors import KNeighborsClassifier

from helpers.data import idx

DATASETS = Path(__file__).parents[2] / "datasets"
FOLDER = DATASETS / "digits"
SPLITS = ["train", "t10k"]


def read(split):
    names = [f"{split}-images-idx3-ubyte.gz", f"{split}-labels-idx1-ubyte.gz"]
    return tuple(idx.read(FOLDER / name) for name in names)


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("make_digits", DATASETS / "make_digits.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def digits():
    return {split: read(split) for split in SPLITS}


@pytest.mark.parametrize("split", SPLITS)
def test_the_script_makes_the_files(script, digits, split):
    images, labels = digits[split]
    np.testing.assert_array_equal(script.make_labels(split), labels)
    chosen = np.linspace(0, len(images) - 1, 100).astype(int)
    again = np.stack([script.make_image(split, i, labels[i]) for i in chosen])
    # Another processor may round a coordinate otherwise, which moves a dot across a threshold.
    assert np.mean(again != images[chosen]) < 1e-3


def test_writing_twice_gives_the_same_bytes(script, tmp_path):
    array = np.arange(12, dtype=np.uint8).reshape(3, 4)
    for name in ["first.gz", "second.gz"]:
        script.write_idx(tmp_path / name, array)
    assert (tmp_path / "first.gz").read_bytes() == (tmp_path / "second.gz").read_bytes()
    np.testing.assert_array_equal(idx.read(tmp_path / "first.gz"), array)


def test_no_scan_serves_both_splits(script):
    train, test = ({scan.tobytes() for s in script.scans(split) for scan in s} for split in SPLITS)
    assert len(train) + len(test) == pytest.approx(1797, abs=2)
    assert min(len(train), len(test)) > 200
    assert not train & test


@pytest.mark.parametrize(("split", "at_least"), [("train", 12_000), ("t10k", 2_000)])
def test_shapes_and_balance(digits, split, at_least):
    images, labels = digits[split]
    assert len(images) >= at_least
    assert images.shape == (len(labels), 28, 28)
    assert images.dtype == labels.dtype == np.uint8
    np.testing.assert_array_equal(np.bincount(labels), [len(labels) // 10] * 10)
    # Shuffled: among any 1,000 in a row each digit comes up about 100 times.
    for start in range(0, len(labels), 1000):
        counts = np.bincount(labels[start : start + 1000], minlength=10)
        assert counts.min() > 50
        assert counts.max() < 150


def extent(used):
    """From the first to the last used line of each image: (n, 28) -> (n,)."""
    return 28 - used.argmax(axis=1) - used[:, ::-1].argmax(axis=1)


@pytest.mark.parametrize("split", SPLITS)
def test_form_of_mnist(digits, split):
    images, _ = digits[split]
    height, width = (extent(images.any(axis=axis)) for axis in (2, 1))
    np.testing.assert_array_equal(np.maximum(height, width), 20)
    assert images.max(axis=(1, 2)).min() == 255
    # A whole number of pixels brings the center of mass to within half a pixel of the middle.
    middles = np.array([ndimage.center_of_mass(image) for image in images[:2000]])
    assert np.abs(middles - 13.5).max() < 0.51


def test_no_image_twice(digits):
    every = [hashlib.md5(image).digest() for split in SPLITS for image in digits[split][0]]
    assert len(set(every)) == len(every)


def test_labels_fit_the_images(digits):
    """The most similar of 8,000 training images has the same label, for most test images."""
    (x, y), (x_test, y_test) = (digits[split] for split in SPLITS)
    nearest = KNeighborsClassifier(1).fit(x[:8000].reshape(-1, 784), y[:8000])
    found = nearest.predict(x_test.reshape(-1, 784))
    for digit in range(10):
        assert np.mean(found[y_test == digit] == digit) > 0.65, f"digit {digit}"


def test_size():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 4.5e6
