"""The offline animals: the zip holds what its script makes, and masks fit their images."""

import hashlib
import importlib.util
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

DATASETS = Path(__file__).parents[2] / "datasets"
FOLDER = DATASETS / "animals"
ANIMAL, BACKGROUND, BORDER = 1, 2, 3


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("make_animals", DATASETS / "make_animals.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def archive():
    """The files of the zip, a dict from name to array."""
    with zipfile.ZipFile(FOLDER / "animals.zip") as file:
        return {name: np.array(Image.open(io.BytesIO(file.read(name)))) for name in file.namelist()}


@pytest.fixture(scope="module")
def sample(script):
    """Two images of every species."""
    return {(name, i): script.make_image(name, i) for name in script.SPECIES for i in range(2)}


def test_the_script_makes_the_files(script, archive):
    for name in script.TARGETS:
        for i in np.linspace(0, script.EACH - 1, 8).astype(int):
            image, mask, _ = script.make_image(name, i)
            np.testing.assert_array_equal(mask, archive[f"trimaps/{name}_{i:03}.png"])
            # Packed again here, by the JPEG library of this computer.
            again = np.array(Image.open(io.BytesIO(script.jpeg(image)))).astype(int)
            assert np.abs(again - archive[f"images/{name}_{i:03}.jpg"]).mean() < 1


def test_every_image_of_every_target_has_its_mask(script, archive):
    stems = [f"{name}_{i:03}" for name in script.TARGETS for i in range(script.EACH)]
    expected = [f"images/{stem}.jpg" for stem in stems]
    expected += [f"trimaps/{stem}.png" for stem in stems]
    assert list(archive) == sorted(expected)
    for name, array in archive.items():
        assert array.dtype == np.uint8
        assert array.shape == ((96, 96, 3) if name.endswith("jpg") else (96, 96))


def test_no_image_twice(archive):
    prints = [hashlib.md5(array).digest() for array in archive.values()]
    assert len(set(prints)) == len(prints)


def test_size():
    assert (FOLDER / "animals.zip").stat().st_size < 5e6
    assert (FOLDER / "backbone.weights.h5").stat().st_size < 2e6


def test_same_image_every_time(script, sample):
    name = script.SOURCES[3]
    image, mask, pose = script.make_image(name, 1)
    np.testing.assert_array_equal(image, sample[name, 1][0])
    np.testing.assert_array_equal(mask, sample[name, 1][1])
    assert pose == sample[name, 1][2]
    assert not np.array_equal(image, sample[name, 0][0])


def test_shapes_and_values(script, sample):
    for image, mask, pose in sample.values():
        assert image.shape == (96, 96, 3)
        assert mask.shape == (96, 96)
        assert image.dtype == mask.dtype == np.uint8
        assert pose in script.POSES
    assert {pose for *_, pose in sample.values()} == set(script.POSES)


def test_masks(archive):
    """Each has all three classes, in fair shares, and the border parts animal and background."""
    for name, mask in archive.items():
        if not name.startswith("trimaps"):
            continue
        shares = np.bincount(mask.ravel(), minlength=4) / mask.size
        assert shares[0] == 0
        assert len(shares) == 4
        assert shares[BACKGROUND] > 0.3
        assert 0.02 < shares[BORDER] < 0.35
        assert shares[ANIMAL] > 0.002
        around = ndimage.binary_dilation(mask == ANIMAL, np.ones((3, 3)))
        assert not np.any(around & (mask == BACKGROUND)), name


def test_border_is_three_to_four_pixels_wide(script):
    row, column = np.mgrid[:96, :96]
    mask = script.trimap(np.hypot(row - 48, column - 47.6) - 25.3)
    changes = np.flatnonzero(np.diff(mask[48]))
    assert 3 <= changes[1] - changes[0] <= 4
    assert 3 <= changes[3] - changes[2] <= 4


def test_targets_are_no_sources(script):
    assert (len(script.SOURCES), len(script.TARGETS)) == (24, 5)
    assert not set(script.SOURCES) & set(script.TARGETS)
    bodies = [body for body, *_ in script.SPECIES.values()]
    assert len(set(bodies)) == len(bodies)
    looks = [tuple(words) for words in script.SPECIES.values()]
    assert len(set(looks)) == len(looks)


def test_writing_twice_gives_the_same_bytes(script, tmp_path):
    for name in ("first.zip", "second.zip"):
        script.write_zip(tmp_path / name, {"b.txt": b"2", "a.txt": b"1"})
    first = (tmp_path / "first.zip").read_bytes()
    assert first == (tmp_path / "second.zip").read_bytes()
    assert zipfile.ZipFile(tmp_path / "first.zip").namelist() == ["a.txt", "b.txt"]


def test_animals_are_colored_like_their_surroundings(archive):
    """No shade of red, green or blue belongs to animals or to the background alone."""
    images = np.stack([archive[name] for name in archive if name.startswith("images")])
    masks = np.stack([archive[name] for name in archive if name.startswith("trimaps")])
    for channel in range(3):
        quantiles = [
            np.quantile(images[..., channel][masks == k], np.linspace(0.1, 0.9, 9))
            for k in (ANIMAL, BACKGROUND)
        ]
        assert np.abs(quantiles[0] - quantiles[1]).max() < 40


def test_poses_and_sides_vary(script):
    poses = [script.make_image(script.TARGETS[0], i)[2] for i in range(40)]
    assert all(poses.count(pose) >= 4 for pose in script.POSES)
