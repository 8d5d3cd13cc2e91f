"""Rain as radar sees it: sequences for learning to forecast, and the real loop of Sydney."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np

from helpers.data import files, sources
from helpers.data.files import DataError

FILE = "sydney_radar_12x40x28.npz"
ARRAYS = ("dbz", "s1_km", "s2_km", "time")
SHAPE = (12, 40, 28)
PIXEL, STEP = 2.5, 10  # km, minutes
RANGE = (-40, 80)  # dBZ, with room to spare
SPLITS = {"train": (600, 1), "val": (100, 2), "test": (100, 3)}  # sequences, seed


@dataclass(frozen=True)
class Radar:
    """Sequences of radar pictures, 10 minutes apart, on pixels of 2.5 km.

    `train`, `val` and `test` are uint8 (600 or 100, 12, 32, 32): reflectivity in whole dBZ, where 0
    is no echo or one too weak for rain. They are generated (`helpers.data.rain`), each sequence on
    its own, always the same; each split when it is first asked for, which takes some seconds.
    `hills` is float32 (32, 32), the height of the ground in m. `sydney` is float32 (12, 40, 28),
    the real loop in dBZ, also below 0, or None where it isn't at hand; `source` says which. Draw
    pictures with `origin="lower"`: rows count upward.
    """

    sydney: np.ndarray | None = field(repr=False)
    source: sources.Source
    step_minutes: ClassVar[int] = STEP
    pixel_km: ClassVar[float] = PIXEL

    @cached_property
    def train(self) -> np.ndarray:
        return self._made("train").dbz

    @cached_property
    def val(self) -> np.ndarray:
        return self._made("val").dbz

    @cached_property
    def test(self) -> np.ndarray:
        return self._made("test").dbz

    @cached_property
    def hills(self) -> np.ndarray:
        from helpers.data import rain

        return rain.hills(32, 32)

    def _made(self, split):
        from helpers.data import rain  # only where it is needed

        return rain.sequences(*SPLITS[split])


def radar() -> Radar:
    """Load the loop of Sydney where it can be had; print what all comes from.

    Raises `DataError` when the data folder that COURSE_DATA names can't be used, or the file in it,
    or the one that was put into the cache.
    """
    contents, source = sources.find("radar")
    sydney = None
    if source.real:
        sydney = _read(contents[FILE], f"{source.title}: {source.place / FILE}")
    loop = source.description if source.real else f"not at hand ({'; '.join(source.notes)})"
    print(f"Radar sequences: generated for this course.\n{source.title}: {loop}.")
    return Radar(sydney=sydney, source=source)


def _read(content: bytes, name: str) -> np.ndarray:
    """Return the pictures of the real file; `DataError` tells what is wrong with it."""
    arrays = files.checked_arrays(content, ARRAYS, _check, name)
    return arrays["dbz"].astype(np.float32)


def _check(arrays: dict[str, np.ndarray]) -> None:
    frames, rows, columns = SHAPE
    shapes = {"dbz": SHAPE, "s1_km": (columns,), "s2_km": (rows,), "time": (frames,)}
    for name, shape in shapes.items():
        kinds, wanted = ("U", "text") if name == "time" else ("iuf", "numbers")
        if arrays[name].dtype.kind not in kinds:
            raise DataError(f"holds {arrays[name].dtype} in {name}, where {wanted} is expected")
        if arrays[name].shape != shape:
            raise DataError(f"holds {arrays[name].shape} values in {name}, not {shape}")
    dbz = arrays["dbz"]
    if not (np.isfinite(dbz).all() and RANGE[0] <= dbz.min() and dbz.max() <= RANGE[1]):
        raise DataError(
            f"holds reflectivities from {dbz.min()} to {dbz.max()}, not within {RANGE[0]} to "
            f"{RANGE[1]} dBZ"
        )
    for name in ("s1_km", "s2_km"):
        if not np.allclose(np.diff(arrays[name]), PIXEL):
            raise DataError(f"holds pixels in {name} that aren't {PIXEL} km apart")
    try:
        steps = np.diff(arrays["time"].astype("datetime64[s]"))
    except ValueError as error:
        raise DataError(f"holds no times in time ({error})") from error
    if not (steps == np.timedelta64(STEP, "m")).all():
        raise DataError(f"holds pictures that aren't {STEP} minutes apart")
