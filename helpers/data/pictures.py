"""Photos and masks, read from many files, of which a few may be bad.

Everything is read and checked before a training begins, so that no bad file can stop an epoch. A
path may also lie in a zip file (`zipfile.Path`).
"""

import io
import os
import warnings
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from tqdm.auto import tqdm

from helpers.data import sources
from helpers.data.files import DataError

NAMED = 5  # bad files that are named before the rest is counted
BEARABLE = 0.1  # share of bad files that is no reason to stop
MASK_VALUES = (1, 2, 3)

Bad = list[tuple[Path, str]]


class PictureError(DataError):
    """A picture can't be used; the message is the reason, without the name of the file."""


def read_photo(path: Path, size: int, upright: bool = True) -> np.ndarray:
    """Return a photo as uint8 (size, size, 3), 0 to 255 for red, green and blue.

    The whole picture is squeezed to a square, nothing is cut off: bilinear, each pixel an average
    over all the pixels that it replaces. What counts is the content, not the ending of the name:
    whatever Pillow reads will do, of an animation the first frame, on white where it is
    transparent. `upright` turns the photo as its camera noted (EXIF). Raises `PictureError`.
    """
    return _square(_photo(path, upright), size)


def read_pair(path: Path, mask_path: Path, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a photo, uint8 (size, size, 3), and its mask, uint8 (size, size) with 1, 2 and 3.

    The photo is not turned as its camera noted: the mask was drawn on the pixels as they are
    stored and has no such note, so that turning the photo alone would part them. Of the mask, each
    pixel takes the value of the nearest one. Its values and its size are checked before, because
    afterwards a bad pixel may be gone. Raises `PictureError`.
    """
    photo, mask = _photo(path, upright=False), _mask(mask_path)
    if mask.size != photo.size:
        sizes = "its mask has {} x {} pixels, the photo {} x {}"
        raise PictureError(sizes.format(*mask.size, *photo.size))
    return _square(photo, size), np.asarray(mask.resize((size, size), Image.Resampling.NEAREST))


def read_all(
    items: Sequence[tuple], read: Callable, arrays: tuple[np.ndarray, ...]
) -> tuple[list, Bad]:
    """Read many pictures into `arrays`, one row for each that can be used; leave out the others.

    `read(*item)` returns one row for each array, or raises `PictureError`; the first element of an
    item is the path that a bad one is named by. Returns the items that were read, as many as there
    are rows filled, and the bad ones as (path, reason). A bar shows the progress, except under CI.
    """
    kept, bad = [], []
    with warnings.catch_warnings():
        # Pillow warns of odd notes in a file, which harm nothing, and of a picture so large that
        # it may be an attack on the memory: that one is not read.
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for item in tqdm(items, desc="reading photos", leave=False, disable="CI" in os.environ):
            try:
                rows = read(*item)
            except PictureError as error:
                bad.append((item[0], str(error)))
                continue
            for array, row in zip(arrays, rows, strict=True):
                array[len(kept)] = row
            kept.append(item)
    return kept, bad


def report(source: sources.Source, bad: Bad, count: int) -> None:
    """Print which of the `count` photos from `source` are left out and why; nothing if none is.

    Raises `DataError` when more than a tenth of them are bad, or one of those that ship with the
    course.
    """
    if not bad:
        return
    path, reason = bad[0]
    fault = (
        f"{source.title}: {len(bad):,} of {count:,} photos can't be used, the first is {path}: "
        f"{reason}"
    )
    if not source.real:
        raise sources.damaged_offline(DataError(fault))
    if len(bad) > BEARABLE * count:
        advice = {"folder": "Copy the files there again"}.get(
            source.kind, f"Delete the folder {source.place} to download it again"
        )
        raise DataError(f"{fault}. {advice}, or set COURSE_DATA=offline to go on without them")
    print(f"{source.title}: {len(bad):,} of {count:,} photos can't be used and are left out:")
    for path, reason in bad[:NAMED]:
        print(f"  {path.name}: {reason}")
    if len(bad) > NAMED:
        print(f"  and {len(bad) - NAMED:,} more")


def _photo(path: Path, upright: bool):
    """Return the picture in a file as a Pillow image of mode RGB."""
    image = _open(path, "the photo")
    try:
        if upright:
            image = ImageOps.exif_transpose(image)
        return _rgb(image)
    except Exception as error:  # notes and color spaces are read in as many ways
        raise PictureError(f"the photo cannot be converted to color ({error})") from error


def _rgb(image):
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):  # gray with 16 bits, which Pillow would cut off at 255
        gray = np.asarray(image).astype(np.int64).clip(0, 65535) // 256
        return Image.fromarray(gray.astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def _mask(path: Path):
    """Return a mask as a Pillow image of mode L that holds 1, 2 and 3 only."""
    # Not converted: of a picture with a palette, the numbers count and not their colors.
    image = _open(path, "its mask")
    values = np.asarray(image)
    if values.ndim != 2 or values.dtype.kind == "f":
        raise PictureError(f"its mask is a picture of mode {image.mode}, not a number per pixel")
    strange = values[(values < min(MASK_VALUES)) | (values > max(MASK_VALUES))]
    if strange.size:
        raise PictureError(f"its mask holds the value {strange[0]}, not only 1, 2 and 3")
    return Image.fromarray(values.astype(np.uint8))


def _open(path: Path, what: str):
    """Return the first frame of a picture, decoded; `what` is the subject of the reason."""
    try:
        content = path.read_bytes()
    except (FileNotFoundError, KeyError):
        raise PictureError(f"{what} is missing ({path.parent.name}/{path.name})") from None
    except OSError as error:
        raise PictureError(f"{what} cannot be read ({error.strerror})") from error
    except (zipfile.BadZipFile, EOFError) as error:
        raise PictureError(f"{what} is damaged ({error})") from error
    if not content:
        raise PictureError(f"{what} is empty (0 bytes)")
    try:
        image = Image.open(io.BytesIO(content))
        image.load()
    except UnidentifiedImageError:
        raise PictureError(f"{what} is not a picture") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise PictureError(f"{what} is too large") from None
    except Exception as error:  # Pillow's many readers raise many kinds
        raise PictureError(f"{what} is cut short or damaged ({error})") from error
    return image


def _square(image, size: int) -> np.ndarray:
    if image.size == (size, size):
        return np.asarray(image)
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))
