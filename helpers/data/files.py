"""Files of a data set on disk: read, uncompressed and compared with a known hash."""

import gzip
import hashlib
import zlib
from pathlib import Path


class DataError(RuntimeError):
    """Data cannot be used; the message says which file, what is wrong and what to do."""


class MissingError(DataError):
    """A file is not there, rather than damaged."""


GZIP_MAGIC = b"\x1f\x8b"


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


def sha256(content: bytes) -> str:
    """Return the SHA-256 of `content` in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
