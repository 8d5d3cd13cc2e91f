"""Photos of animals: Oxford pets with masks, and species (ants and bees) without."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from helpers.data import files, sources
from helpers.data.files import DataError

PETS_SIZE, SPECIES_SIZE, OFFLINE_SIZE = 128, 160, 96  # pixels
LIMIT = 240  # real pets: with more, to train in lab 06 would take too long
OFFLINE_TRAIN = 60  # photos of each species
SEED = 2012


@dataclass(frozen=True)
class Pets:
    """Photos of animals and the class of each of their pixels.

    `images` is uint8 (n, size, size, 3), 0 to 255 for red, green and blue; `masks` is uint8
    (n, size, size), indices into `classes`; `breeds` holds n names. The order is random but always
    the same, so that any part of it is a random sample. `source` says where they are from.
    """

    images: np.ndarray = field(repr=False)
    masks: np.ndarray = field(repr=False)
    breeds: np.ndarray = field(repr=False)
    source: sources.Source
    classes: ClassVar[tuple[str, ...]] = ("pet", "background", "border")


@dataclass(frozen=True)
class Species:
    """Photos of animals and their species, for training and for the test.

    `x_train` and `x_test` are uint8 (n, size, size, 3), 0 to 255 for red, green and blue; `y_train`
    and `y_test` are uint8 (n,), indices into `names`. Both are in a random order that is always the
    same. `source` says where they are from.
    """

    x_train: np.ndarray = field(repr=False)
    y_train: np.ndarray = field(repr=False)
    x_test: np.ndarray = field(repr=False)
    y_test: np.ndarray = field(repr=False)
    names: tuple[str, ...]
    source: sources.Source


def pets(size: int | None = None, limit: int | None = None) -> Pets:
    """Load Oxford pets, or the animals made for this course where they can't be had; print which.

    `size` is the side in pixels that photos and masks are squeezed to; without it 128, or offline
    96, the side of the animals. Of the fixed random order the first `limit` photos are read and no
    others; without it 240, or offline all 800. The complete set has 7,390: to read them takes a
    minute, and 0.5 GB at 128 pixels, four times that as float32.

    A few bad photos are left out and named. Raises `DataError` when more than a tenth of them are
    bad, or when the data folder that COURSE_DATA names can't be used.
    """
    from helpers.data import pictures  # not above: it needs Pillow, which may be missing

    _check(size, limit)
    place, source = sources.find_folder("pets")
    print(source)
    if source.real:
        photos = files.pictures(sources.part(place, "pets", "images"))
        trimaps = sources.part(place, "pets", "trimaps")
    else:
        photos, trimaps = _offline_photos(place), files.in_zip(place) / "trimaps"
    limit = limit or (LIMIT if source.real else len(photos))
    order = np.random.default_rng(SEED).permutation(len(photos))[:limit]
    pairs = [(photos[i], trimaps / f"{photos[i].stem}.png") for i in order]

    side = size or (PETS_SIZE if source.real else OFFLINE_SIZE)
    images = np.empty((len(pairs), side, side, 3), np.uint8)
    masks = np.empty((len(pairs), side, side), np.uint8)
    kept, bad = pictures.read_all(
        pairs, lambda photo, mask: pictures.read_pair(photo, mask, side), (images, masks)
    )
    pictures.report(source, bad, len(pairs))
    images, masks = images[: len(kept)], masks[: len(kept)]
    masks -= 1  # files count the classes from 1
    return Pets(images, masks, np.array([_group(photo) for photo, _ in kept]), source)


def species(size: int | None = None) -> Species:
    """Load ants and bees, or five species made for this course; print which.

    `size` is the side in pixels that photos are squeezed to; without it 160, or offline 96, the
    side of the animals that the offline network was trained with. Of the offline species 60 photos
    each are for training, the rest for the test.

    A few bad photos are left out and named. Raises `DataError` when more than a tenth of them are
    bad, when a class has none left, or when the data folder that COURSE_DATA names can't be used.
    """
    from helpers.data import pictures  # not above: it needs Pillow, which may be missing

    _check(size, None)
    place, source = sources.find_folder("hymenoptera")
    print(source)
    items = _ants_and_bees(place) if source.real else _offline_species(place)
    items = [items[i] for i in np.random.default_rng(SEED).permutation(len(items))]

    side = size or (SPECIES_SIZE if source.real else OFFLINE_SIZE)
    images = np.empty((len(items), side, side, 3), np.uint8)
    kept, bad = pictures.read_all(
        items, lambda photo, *_: [pictures.read_photo(photo, side)], (images,)
    )
    pictures.report(source, bad, len(items))
    for name, part in sorted({item[1:] for item in items} - {item[1:] for item in kept}):
        raise DataError(f"{source.title}: none of the photos of {name} for the {part} can be used")

    names = tuple(sorted({name for _, name, _ in kept}))
    labels = np.array([names.index(name) for _, name, _ in kept], np.uint8)
    train = np.array([part == "training" for *_, part in kept])
    images = images[: len(kept)]
    return Species(images[train], labels[train], images[~train], labels[~train], names, source)


def _ants_and_bees(place: Path) -> list[tuple[Path, str, str]]:
    """Return each photo with the name of its class and its part, "training" or "test"."""
    return [
        (path, name, part)
        for folder, part in (("train", "training"), ("val", "test"))
        for name in ("ants", "bees")
        for path in files.pictures(sources.part(place, "hymenoptera", f"{folder}/{name}"))
    ]


def _offline_species(place: Path) -> list[tuple[Path, str, str]]:
    photos = _offline_photos(place)
    order = np.random.default_rng(SEED).permutation(len(photos))
    seen: dict[str, int] = {}
    items = []
    for path in (photos[i] for i in order):
        name = _group(path)
        seen[name] = seen.get(name, 0) + 1
        items.append((path, name, "training" if seen[name] <= OFFLINE_TRAIN else "test"))
    return items


def _offline_photos(place: Path) -> list[Path]:
    try:
        return files.pictures(files.in_zip(place) / "images/")
    except DataError as fault:
        raise sources.damaged_offline(fault) from fault


def _group(path: Path) -> str:
    """Return the breed or species of `Maine_Coon_12.jpg`: Maine_Coon."""
    return path.stem.rpartition("_")[0] or path.stem


def _check(size: int | None, limit: int | None) -> None:
    for name, value in (("size", size), ("limit", limit)):
        if value is not None and (not isinstance(value, int | np.integer) or value < 1):
            raise ValueError(f"{name} is {value!r}, where a whole number from 1 on is needed")
