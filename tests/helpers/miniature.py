"""A course in miniature: a registry, real files, an offline default and a server, all small."""

import gzip
import hashlib
import struct
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest

from helpers.data import DataError
from tests.helpers.servers import FailingWays

NAMES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def idx_bytes(array: np.ndarray) -> bytes:
    """Return a uint8 array as the bytes of an IDX file."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def small_mnist(seed: int) -> dict[str, bytes]:
    """Return four gzip IDX files with 30 and 10 images of noise."""
    random = np.random.default_rng(seed)
    arrays = [
        random.integers(0, 256, (30, 28, 28), np.uint8),
        np.arange(30, dtype=np.uint8) % 10,
        random.integers(0, 256, (10, 28, 28), np.uint8),
        np.arange(10, dtype=np.uint8),
    ]
    return {
        name: gzip.compress(idx_bytes(array)) for name, array in zip(NAMES, arrays, strict=True)
    }


def write(files: dict[str, bytes], folder: Path) -> None:
    """Write files, given by name, into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def refuses(load: Callable, start: str, sentence: str) -> None:
    """Require of `load` a `DataError` that has this start, this sentence and a way to go on."""
    with pytest.raises(DataError, match=sentence) as caught:
        load()
    assert str(caught.value).startswith(start), caught.value
    assert "set COURSE_DATA=offline" in str(caught.value), caught.value


class Course:
    """The miniature: `datasets` holds registry and offline default, `shared` the real data."""

    def __init__(self, folder: Path):
        self.datasets = folder / "datasets"
        self.shared = folder / "shared"
        self.cache = folder / "cache"
        self.cached = self.cache / "mnist"
        self.real = small_mnist(seed=1)
        self.offline = small_mnist(seed=2)
        write(self.offline, self.datasets / "digits")
        write(self.real, self.shared / "mnist")
        self.urls("http://127.0.0.1:9")  # nothing listens at the discard port

    def urls(self, *servers: str) -> None:
        """Write the registry, with downloads from `servers`."""
        lines = ["[mnist]", 'title = "MNIST"', 'folder = "mnist"', 'offline = "digits"']
        lines += ['licence = "none"', 'citation = "none"']
        for name, content in self.real.items():
            lines += [
                "[[mnist.files]]",
                f'name = "{name}"',
                f"urls = {[f'{server}/{name}' for server in servers]}",
                f'sha256 = "{hashlib.sha256(content).hexdigest()}"',
                f'content_sha256 = "{hashlib.sha256(gzip.decompress(content)).hexdigest()}"',
            ]
        self.datasets.joinpath("registry.toml").write_text("\n".join(lines), encoding="utf-8")


class Handler(FailingWays, BaseHTTPRequestHandler):
    """Answers `/WAY/NAME` with the file NAME in the way that WAY says."""

    def do_GET(self):
        _, way, name = self.path.split("/")
        server = self.server
        server.requests.append(self.path)
        content = server.files[name]
        if self.leaves(way):
            return
        if way == "altered":
            content = content[:-1] + bytes([content[-1] ^ 1])
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if way in ("cut", "stalled"):
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            if way == "stalled":
                server.stop.wait(30)
            return
        self.wfile.write(content)
