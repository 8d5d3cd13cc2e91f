"""Files of a data set on disk: read, uncompressed and compared with a known hash."""

import gzip
import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np


class DataError(RuntimeError):
    """Data cannot be used; the message says which file, what is wrong and what to do."""


class MissingError(DataError):
    """A file is not there, rather than damaged."""


GZIP_MAGIC = b"\x1f\x8b"
# By name: no .gif, because the one in the ants and bees says "this photo is no longer available".
PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


def read(path: Path) -> bytes:
    """Return the content of `path`, uncompressed if it is a gzip file.

    Raises `DataError` when the file can't be read or is a damaged gzip file, `MissingError` when
    there is none.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise MissingError(f"{path} is missing") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})") from error
    if not content.startswith(GZIP_MAGIC):
        return content
    try:
        return gzip.decompress(content)
    except EOFError:
        raise DataError(f"{path} is cut short ({len(content):,} bytes)") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is damaged ({error})") from error


def pictures(folder: Path) -> list[Path]:
    """Return the files in `folder` that are pictures by their name, sorted by name.

    Hidden files are none: archives made on a Mac hold a `._NAME.png` for each `NAME.png`. Raises
    `MissingError` when there is no such folder or no picture in it, `DataError` when the folder
    can't be read.
    """
    try:
        found = [path for path in folder.iterdir() if is_picture(path.name)]
    except FileNotFoundError:
        raise MissingError(f"{folder} is missing") from None
    except OSError as error:
        raise DataError(f"{folder} cannot be read ({error.strerror})") from error
    if not found:
        raise MissingError(f"{folder} holds no pictures")
    return sorted(found, key=lambda path: path.name)


def is_picture(name: str) -> bool:
    """Whether a file is a picture, going by its name."""
    return name.lower().endswith(PICTURES) and not name.startswith(".")


def in_zip(path: Path) -> zipfile.Path:
    """Return the top folder of a zip file, whose files read like others; `DataError` if damaged."""
    try:
        return zipfile.Path(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is damaged ({error})") from error


def arrays(content: bytes, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Return the arrays `names` of an .npz file, given as bytes; never loads a pickle.

    Raises `DataError`, whose message goes on from the file's name, when the file is none of these,
    is damaged or lacks an array.
    """
    if not content.startswith(b"PK"):  # np.load would take a single array as well
        raise DataError(f"is no .npz file: it starts with the bytes {content[:4].hex()}")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            found = {name: np.asarray(file[name]) for name in names if name in file}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        # ValueError also where pickled code would have to run, which np.load refuses.
        raise DataError(f"is damaged ({error})") from error
    for name in names:
        if name not in found:
            raise DataError(f"holds no array {name}")
    return found


def checked_arrays(
    content: bytes, names: Iterable[str], check: Callable[[dict], None], place: str
) -> dict[str, np.ndarray]:
    """Return the arrays of a file that the user has put somewhere, after `check` has seen them.

    `DataError`, of `check` or of `arrays`, begins with the file's `place` and says what to do.
    """
    try:
        found = arrays(content, names)
        check(found)
    except DataError as fault:
        raise DataError(
            f"{place} {fault}. Put the right file there, or set COURSE_DATA=offline to go on "
            "without it"
        ) from fault
    return found


def sha256(content: bytes) -> str:
    """Return the SHA-256 of `content` in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file, as it is stored, without holding it in memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
