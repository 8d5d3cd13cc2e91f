"""Reader of IDX files, the format of MNIST.

The format is described on the MNIST page of Y. LeCun, C. Cortes and C. Burges: two zero bytes, a
byte for the type, a byte for the number of dimensions, the size of each dimension as a big-endian
32-bit integer, then the values, the last dimension changing fastest.
"""

import math
import struct
from pathlib import Path

import numpy as np

from helpers.data import files
from helpers.data.files import DataError

UNSIGNED_BYTE = 0x08


def read(path: Path) -> np.ndarray:
    """Return the uint8 array in the IDX file `path`, gzip or not; `DataError` if it is damaged."""
    return parse(files.read(path), path)


def parse(content: bytes, name: str | Path) -> np.ndarray:
    """Return the uint8 array that the bytes of an IDX file hold; `name` is for messages.

    Raises `DataError` for a wrong header, another type than unsigned bytes, or a length that
    doesn't fit the dimensions in the header.
    """
    if len(content) < 4:
        raise DataError(f"{name} is not an IDX file: it holds only {len(content)} bytes")
    zeros, kind, dimensions = struct.unpack(">HBB", content[:4])
    if zeros != 0 or dimensions == 0:
        raise DataError(f"{name} is not an IDX file: it starts with the bytes {content[:4].hex()}")
    if kind != UNSIGNED_BYTE:
        raise DataError(f"{name} holds values of type 0x{kind:02x}, not unsigned bytes (0x08)")

    start = 4 + 4 * dimensions
    if len(content) < start:
        raise DataError(f"{name} is cut short: it ends within its header")
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    expected, found = math.prod(shape), len(content) - start
    if found != expected:
        fault = "is cut short" if found < expected else "is too long"
        raise DataError(f"{name} {fault}: {found:,} values, where its header says {expected:,}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()
