"""Human activity: what a smartphone at the waist records while people walk, sit, stand and lie."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from helpers.data import files, sources
from helpers.data.files import DataError

STEPS = 128  # samples of a window: 2.56 seconds
FILE = "har_windows_int16.npz"
ARRAYS = ("X", "y", "subject", "experiment", "scale")
NAMES = ("walking", "walking upstairs", "walking downstairs", "sitting", "standing", "lying")
CHANNELS = tuple(f"{kind} {axis}" for kind in ("acceleration", "rotation") for axis in "xyz")


@dataclass(frozen=True)
class Activity:
    """Windows of a smartphone's recordings, what its bearer was doing, and who that was.

    `x` is float32 (windows, 128, 6): 128 samples, 50 a second, of the acceleration along the
    phone's three axes in g (gravity included) and of the rotation about them in rad/s. `y` is uint8
    (windows,), indices into `names`; `person` is uint8 (windows,), the number of the person.
    Windows are in the order of person and time; within a bout of one activity the second half of a
    window is the first half of the next. `source` says where they are from.
    """

    x: np.ndarray = field(repr=False)
    y: np.ndarray = field(repr=False)
    person: np.ndarray = field(repr=False)
    source: sources.Source
    names: ClassVar[tuple[str, ...]] = NAMES
    channels: ClassVar[tuple[str, ...]] = CHANNELS
    units: ClassVar[tuple[str, ...]] = ("g",) * 3 + ("rad/s",) * 3
    rate: ClassVar[int] = 50  # samples a second


def activity() -> Activity:
    """Load recordings of activities, or make them where the real ones can't be had; print which.

    The real ones are 10,411 windows of 30 people (32 MB), the others 4,500 or so of 30 imagined
    people, always the same (`helpers.data.gait`). Raises `DataError` when the data folder that
    COURSE_DATA names can't be used, or the file in it, or the one that was put into the cache.
    """
    contents, source = sources.find("activity")
    if source.real:
        x, y, person = _read(contents[FILE], f"{source.title}: {source.place / FILE}")
    else:
        from helpers.data import gait  # only where it is needed

        x, y, person = gait.recordings()
    print(source)
    return Activity(x, y, person, source)


def _read(content: bytes, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return `x`, `y` and `person` of the real file; `DataError` tells what is wrong with it."""
    arrays = files.checked_arrays(content, ARRAYS, _check, name)
    # Time is the order of the file; a stable sort keeps it.
    order = np.lexsort((arrays["experiment"], arrays["subject"]))
    x = arrays["X"].astype(np.float32) * arrays["scale"].astype(np.float32)
    y = arrays["y"].astype(np.uint8) - np.uint8(1)  # the file counts from 1
    return x[order], y[order], arrays["subject"][order].astype(np.uint8)


def _check(arrays: dict[str, np.ndarray]) -> None:
    windows = arrays["X"].shape[:1]
    shapes = dict.fromkeys(ARRAYS, windows) | {"X": (*windows, STEPS, 6), "scale": (6,)}
    for name, array in arrays.items():
        kinds = "iuf" if name == "scale" else "iu"
        if array.dtype.kind not in kinds:
            raise DataError(f"holds {array.dtype} in {name}, where whole numbers are expected")
        if array.shape != shapes[name] or not array.size:
            raise DataError(f"holds {array.shape} values in {name}, not {shapes[name]}")
    y, person, scale = arrays["y"], arrays["subject"], arrays["scale"]
    if y.min() < 1 or y.max() > len(NAMES):
        raise DataError(f"holds labels y from {y.min()} to {y.max()}, not 1 to {len(NAMES)}")
    if person.min() < 0 or person.max() > 255:
        raise DataError(f"holds people from {person.min()} to {person.max()}, not 0 to 255")
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        raise DataError(f"holds the scale {scale.tolist()}, where all have to be above 0")
