"""The data layer: sources in their order, and every way in which one of them can fail."""

import errno
import gzip
import io
import logging
import math
import os
import pickle
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pooch
import pytest

from helpers import data
from helpers.data import download, idx, registry
from tests.helpers.miniature import NAMES, idx_bytes, write
from tests.helpers.processes import two_at_once

IMAGES = "train-images-idx3-ubyte.gz"


def is_real(course, digits) -> bool:
    """Whether all arrays are those of the miniature's real data."""
    arrays = (digits.x_train, digits.y_train, digits.x_test, digits.y_test)
    expected = [idx.parse(gzip.decompress(course.real[name]), name) for name in NAMES]
    return all(map(np.array_equal, arrays, expected))


def is_offline(course, digits) -> bool:
    """Whether the training images are those of the offline default."""
    expected = idx.parse(gzip.decompress(course.offline[IMAGES]), IMAGES)
    return np.array_equal(digits.x_train, expected)


def everything_in(folder: Path) -> list[str]:
    """Return the names of all files and folders below `folder`, hidden ones included."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


# Sources in their order


def test_data_folder(course, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_DATA", str(course.shared))
    digits = data.mnist()
    assert is_real(course, digits)
    assert digits.source.real
    assert digits.source.kind == "folder"
    line = capsys.readouterr().out
    assert line == f"MNIST: real data from the data folder {course.shared / 'mnist'}.\n"
    assert not course.cache.exists()


def test_arrays_are_plain_and_the_callers_own(course, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(course.shared))
    first = data.mnist()
    assert first.x_train.shape == (30, 28, 28)
    assert first.y_test.shape == (10,)
    for array in (first.x_train, first.y_train, first.x_test, first.y_test):
        assert type(array) is np.ndarray
        assert array.dtype == np.uint8
        array[...] = 7
    assert is_real(course, data.mnist())


def test_content_counts_not_its_packing(course, monkeypatch):
    """Files packed by another gzip, or unpacked, are as good as those downloaded."""
    packed = course.shared / "mnist" / IMAGES
    content = gzip.decompress(packed.read_bytes())
    monkeypatch.setenv("COURSE_DATA", str(course.shared))
    for copy in (gzip.compress(content, compresslevel=1, mtime=1), content):
        packed.write_bytes(copy)
        assert is_real(course, data.mnist())


@pytest.mark.parametrize("here", ["course", "labs"])
def test_relative_data_folder_is_seen_from_here_or_from_the_course(
    course, monkeypatch, tmp_path, here
):
    tmp_path.joinpath("labs").mkdir()
    monkeypatch.setattr(registry, "COURSE", tmp_path)
    monkeypatch.chdir(tmp_path if here == "course" else tmp_path / "labs")
    monkeypatch.setenv("COURSE_DATA", "shared")
    assert data.mnist().source.place == course.shared / "mnist"


def test_cache(course, capsys):
    write(course.real, course.cached)
    digits = data.mnist()
    assert is_real(course, digits)
    assert digits.source.kind == "cache"
    assert capsys.readouterr().out == f"MNIST: real data from the cache {course.cached}.\n"


def test_default_cache_is_the_users(course, monkeypatch):
    monkeypatch.delenv("COURSE_CACHE")
    monkeypatch.setattr(pooch, "os_cache", lambda project: course.cache)
    write(course.real, course.cached)
    assert data.mnist().source.kind == "cache"


def test_download_only_when_allowed(course, server, monkeypatch, capsys):
    course.urls(f"{server.url}/good")
    assert data.mnist().source.kind == "offline"
    assert server.requests == []
    assert not course.cache.exists()

    monkeypatch.setenv("COURSE_DOWNLOAD", "yes")
    digits = data.mnist()
    assert is_real(course, digits)
    assert digits.source.kind == "download"
    assert everything_in(course.cached) == sorted(NAMES)
    assert str(digits.source) == f"MNIST: real data from the download to {course.cached}."

    assert data.mnist().source.kind == "cache"
    assert len(server.requests) == len(NAMES)
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 3
    assert captured.err == ""


def test_download_shows_its_progress_unless_in_ci(course, server, monkeypatch, capsys):
    course.urls(f"{server.url}/good")
    monkeypatch.setenv("COURSE_DOWNLOAD", "yes")
    monkeypatch.delenv("CI")
    assert data.mnist().source.kind == "download"
    assert "train-images" in capsys.readouterr().err


def test_offline_default_when_nothing_is_set(course, capsys):
    digits = data.mnist()
    assert is_offline(course, digits)
    assert not digits.source.real
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert "not the real data" in line
    assert "COURSE_DOWNLOAD=yes" in line


@pytest.mark.parametrize("word", ["offline", "Offline", " offline "])
def test_offline_is_forced(course, monkeypatch, word):
    write(course.real, course.cached)
    monkeypatch.setenv("COURSE_DATA", word)
    monkeypatch.setenv("COURSE_DOWNLOAD", "yes")
    digits = data.mnist()
    assert is_offline(course, digits)
    assert "COURSE_DATA=offline" in str(digits.source)


def test_folder_without_the_data_set_passes_to_the_next_source_and_says_so(course, monkeypatch):
    other = course.shared / "radar"
    other.mkdir()
    monkeypatch.setenv("COURSE_DATA", str(other))
    digits = data.mnist()
    assert is_offline(course, digits)
    assert f"the data folder {other} has no mnist/" in str(digits.source)

    write(course.real, course.cached)
    digits = data.mnist()
    assert is_real(course, digits)
    assert f"the data folder {other} has no mnist/" in str(digits.source)


# What an instructor set is never passed over


@pytest.mark.parametrize("what", ["nothing", "file"])
def test_data_folder_that_is_none(course, monkeypatch, tmp_path, what):
    path = tmp_path / "elsewhere"
    if what == "file":
        path.write_text("not a folder")
    monkeypatch.setenv("COURSE_DATA", str(path))
    with pytest.raises(data.DataError, match=r"COURSE_DATA names .*elsewhere.*COURSE_DATA=offline"):
        data.mnist()


def damage(path: Path, fault: str) -> None:
    content = path.read_bytes()
    if fault == "missing":
        path.unlink()
    elif fault == "empty":
        path.write_bytes(b"")
    elif fault == "cut short":
        path.write_bytes(content[: len(content) // 2])
    elif fault == "damaged":
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :])
    elif fault == "altered":
        values = bytearray(gzip.decompress(content))
        values[-1] ^= 1
        path.write_bytes(gzip.compress(bytes(values)))
    elif fault == "folder":
        path.unlink()
        path.mkdir()
    elif fault == "web page":
        path.write_text("<html>Please log in</html>")


FAULTS = {
    "missing": "is missing",
    "empty": "is not the original file",
    "cut short": "is cut short",
    "damaged": "is (damaged|not the original file)",
    "altered": "is not the original file",
    "folder": "cannot be read",
    "web page": "is not the original file",
}


@pytest.mark.parametrize("name", [NAMES[0], NAMES[3]])
@pytest.mark.parametrize("fault", FAULTS)
def test_data_folder_with_a_bad_file(course, monkeypatch, name, fault):
    path = course.shared / "mnist" / name
    damage(path, fault)
    write(course.real, course.cached)  # would do, but isn't what was asked for
    monkeypatch.setenv("COURSE_DATA", str(course.shared))
    sentence = f"{re.escape(str(path))} {FAULTS[fault]}.*Copy the file there again"
    with pytest.raises(data.DataError, match=sentence):
        data.mnist()


def test_pickle_is_not_loaded(course, monkeypatch, tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    course.shared.joinpath("mnist", IMAGES).write_bytes(pickle.dumps(Trap()))
    monkeypatch.setenv("COURSE_DATA", str(course.shared))
    with pytest.raises(data.DataError, match="not the original file"):
        data.mnist()
    assert not tmp_path.joinpath("sprung").exists()


# A damaged cache


@pytest.mark.parametrize("fault", FAULTS)
def test_damaged_cache_without_download(course, fault):
    write(course.real, course.cached)
    damage(course.cached / IMAGES, fault)
    digits = data.mnist()
    assert is_offline(course, digits)
    line = str(digits.source)
    assert re.search(f"in the cache {course.cached / IMAGES} {FAULTS[fault]}", line)
    assert "set COURSE_DOWNLOAD=yes to download it again" in line
    assert ("delete it" in line) == (fault != "missing")


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "folder"])
def test_damaged_cache_is_downloaded_again(course, server, monkeypatch, fault):
    course.urls(f"{server.url}/good")
    monkeypatch.setenv("COURSE_DOWNLOAD", "yes")
    write(course.real, course.cached)
    damage(course.cached / IMAGES, fault)
    digits = data.mnist()
    assert is_real(course, digits)
    assert server.requests == [f"/good/{IMAGES}"]  # the three good files are kept
    assert f"in the cache {course.cached / IMAGES}" in str(digits.source)
    assert str(data.mnist().source) == f"MNIST: real data from the cache {course.cached}."


def test_damage_is_told_before_what_is_missing(course):
    write({NAMES[2]: course.real[NAMES[2]][:50]}, course.cached)
    line = str(data.mnist().source)
    assert f"in the cache {course.cached / NAMES[2]} is cut short (50 bytes) (and 3 more)" in line


def test_empty_cache_is_no_news(course):
    before = str(data.mnist().source)
    course.cached.mkdir(parents=True)
    assert str(data.mnist().source) == before


# Downloads that fail


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("missing", "answered 404"),
        ("altered", "sent another file than the original"),
        ("cut", "broke off the connection"),
        ("silent", "did not answer in time"),
        ("stalled", "did not answer in time"),
        ("refused", "cannot be reached"),
    ],
)
def test_failed_download_falls_back_and_harms_nothing(course, server, monkeypatch, way, reason):
    monkeypatch.setattr(download, "READ_SECONDS", 0.3)
    monkeypatch.setenv("COURSE_DOWNLOAD", "yes")
    url = "http://127.0.0.1:9" if way == "refused" else f"{server.url}/{way}"
    course.urls(url)
    good = {name: course.real[name] for name in NAMES[1:]}
    write(good, course.cached)

    digits = data.mnist()
    assert is_offline(course, digits)
    assert re.search(
        f"the download of {IMAGES} failed: 127.0.0.1:[0-9]+ {reason}", str(digits.source)
    )
    assert everything_in(course.cached) == sorted(good)
    assert all(course.cached.joinpath(name).read_bytes() == good[name] for name in good)

    with pytest.raises(data.DataError, match=f"MNIST: the download of {IMAGES} failed"):
        data.prefetch()
    assert everything_in(course.cached) == sorted(good)


def test_mirror_is_tried_when_the_first_address_fails(course, server, monkeypatch):
    course.urls(f"{server.url}/altered", "http://127.0.0.1:9", f"{server.url}/good")
    monkeypatch.setenv("COURSE_DOWNLOAD", "yes")
    assert is_real(course, data.mnist())


def test_address_that_lets_nothing_through_costs_one_connect_time_out(course, server, monkeypatch):
    """A listening socket whose queue is full answers no further connection."""
    import socket

    with socket.socket() as full, socket.socket() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting.connect(full.getsockname())
        course.urls(f"http://127.0.0.1:{full.getsockname()[1]}")
        monkeypatch.setattr(download, "CONNECT_SECONDS", 0.3)
        monkeypatch.setattr(download, "READ_SECONDS", 0.3)
        monkeypatch.setenv("COURSE_DOWNLOAD", "yes")
        begin = time.monotonic()
        source = data.mnist().source
    assert source.kind == "offline"
    assert "did not answer in time" in str(source)
    assert time.monotonic() - begin < 10


class FullDisk(io.FileIO):
    """A file on a disk with room for 100 bytes."""

    def write(self, chunk):
        if self.tell() + len(chunk) > 100:
            super().write(chunk[: 100 - self.tell()])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(chunk)


def test_full_disk(course, server, monkeypatch):
    course.urls(f"{server.url}/good")
    monkeypatch.setenv("COURSE_DOWNLOAD", "yes")
    monkeypatch.setattr(pooch.downloaders, "open", FullDisk, raising=False)
    write({NAMES[3]: course.real[NAMES[3]]}, course.cached)
    digits = data.mnist()
    assert is_offline(course, digits)
    assert f"the disk of {course.cached} is full" in str(digits.source)
    assert everything_in(course.cached) == [NAMES[3]]
    with pytest.raises(data.DataError, match="is full"):
        data.prefetch()


@pytest.mark.parametrize("place", ["cache", "parent"])
def test_file_in_the_place_of_the_cache_folder(course, server, monkeypatch, place):
    course.urls(f"{server.url}/good")
    monkeypatch.setenv("COURSE_DOWNLOAD", "yes")
    path = course.cache
    if place == "parent":
        monkeypatch.setenv("COURSE_CACHE", str(path / "below"))
    path.write_text("mine")
    digits = data.mnist()
    assert is_offline(course, digits)
    assert "cannot be written" in str(digits.source)
    assert "set COURSE_CACHE to a folder that can" in str(digits.source)
    assert path.read_text() == "mine"
    with pytest.raises(data.DataError, match="COURSE_CACHE"):
        data.prefetch()


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_read_only_cache(course, server, monkeypatch, code):
    """Root may write anywhere, hence a simulation: the temporary folder can't be made."""

    def refuse(**kwargs):
        raise OSError(code, os.strerror(code), kwargs["dir"])

    course.urls(f"{server.url}/good")
    monkeypatch.setenv("COURSE_DOWNLOAD", "yes")
    monkeypatch.setattr(download.tempfile, "TemporaryDirectory", refuse)
    digits = data.mnist()
    assert is_offline(course, digits)
    assert f"{course.cached} cannot be written ({os.strerror(code)})" in str(digits.source)


def test_interrupted_download_leaves_nothing(course, server, monkeypatch):
    def interrupt(self, url, output_file, pooch):
        Path(output_file).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setenv("COURSE_DOWNLOAD", "yes")
    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", interrupt)
    with pytest.raises(KeyboardInterrupt):
        data.mnist()
    assert everything_in(course.cached) == []


def test_leftovers_of_a_killed_download_go_after_a_day(course, server, monkeypatch):
    old, new = course.cached / ".download-old", course.cached / ".download-new"
    for folder in (old, new):
        write({IMAGES: b"half"}, folder)
    os.utime(old, (0, 0))
    course.cached.joinpath(".download-gone").symlink_to("nowhere")  # as if removed meanwhile
    course.urls(f"{server.url}/good")
    monkeypatch.setenv("COURSE_DOWNLOAD", "yes")
    assert data.mnist().source.real
    assert not old.exists()
    assert new.exists()  # perhaps another process that is at work


def test_two_processes_at_once(course, server):
    """The server answers each file only when both processes have asked for it."""
    course.urls(f"{server.url}/together")
    code = "assert data.mnist().x_train.shape == (30, 28, 28)"
    for out in two_at_once(code, course.datasets):
        assert out == f"MNIST: real data from the download to {course.cached}.\n"
    assert len(server.requests) == 2 * len(NAMES)
    assert everything_in(course.cached) == sorted(NAMES)
    assert data.mnist().source.kind == "cache"


def test_downloaded_files_can_be_read_by_others(course, server, monkeypatch):
    """An instructor's prefetch into a shared folder serves every student."""
    course.urls(f"{server.url}/good")
    before = os.umask(0o022)
    try:
        data.prefetch()
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in course.cached.iterdir()} == {0o644}


# prefetch and its command


def test_prefetch_downloads_whatever_the_settings(course, server, monkeypatch, capsys, caplog):
    course.urls(f"{server.url}/good")
    monkeypatch.setenv("COURSE_DATA", "offline")
    with caplog.at_level(logging.DEBUG, logger="pooch"):
        data.prefetch()
        data.prefetch()
    assert len(server.requests) == len(NAMES)
    assert capsys.readouterr().out.splitlines() == [
        f"MNIST: real data from the download to {course.cached}.",
        f"MNIST: real data from the cache {course.cached}.",
    ]
    monkeypatch.setenv("COURSE_DATA", str(course.cache))  # laid out like a data folder
    assert is_real(course, data.mnist())


def test_command_exits_with_1_and_one_sentence(tmp_path):
    """A file in the place of the cache stops it before it would go to the network."""
    place = tmp_path / "cache"
    place.write_text("mine")
    result = subprocess.run(
        [sys.executable, "-m", "helpers.data"],
        env=os.environ | {"COURSE_CACHE": str(place)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 1
    assert result.stderr.startswith("MNIST: the download failed")
    assert len(result.stderr.splitlines()) == 1


# look


def test_look_reads_and_downloads_nothing(course, server, monkeypatch):
    course.urls(f"{server.url}/good")
    assert data.look("mnist").kind == "offline"
    monkeypatch.setenv("COURSE_DOWNLOAD", "yes")
    assert data.look("mnist").kind == "download"
    assert server.requests == []
    assert not course.cache.exists()
    write(dict.fromkeys(NAMES, b""), course.cached)  # their content does not matter
    assert data.look("mnist").kind == "cache"
    monkeypatch.setenv("COURSE_DATA", str(course.shared))
    assert data.look("mnist").kind == "folder"
    course.shared.joinpath("mnist", IMAGES).unlink()
    with pytest.raises(data.DataError, match="is missing"):
        data.look("mnist")


# The offline default


@pytest.mark.parametrize("fault", ["missing", "cut short"])
def test_damaged_offline_default(course, fault):
    damage(course.datasets / "digits" / IMAGES, fault)
    with pytest.raises(data.DataError, match=f"{IMAGES} {FAULTS[fault]}.*git restore datasets"):
        data.mnist()


@pytest.mark.parametrize(
    ("name", "array", "fault"),
    [
        (IMAGES, np.zeros((30, 28, 27), np.uint8), "not images of 28 x 28"),
        (IMAGES, np.zeros((29, 28, 28), np.uint8), "labels for 29 images"),
        (NAMES[1], np.zeros((30, 1), np.uint8), "labels for 30 images"),
        (NAMES[1], np.full(30, 10, np.uint8), "the label 10"),
    ],
)
def test_offline_default_that_makes_no_sense(course, name, array, fault):
    write({name: gzip.compress(idx_bytes(array))}, course.datasets / "digits")
    with pytest.raises(data.DataError, match=f"{fault}.*git restore datasets"):
        data.mnist()


def test_missing_registry(course):
    course.datasets.joinpath("registry.toml").unlink()
    with pytest.raises(data.DataError, match=r"registry.toml is missing.*pip install"):
        data.mnist()


def test_the_offline_default_that_ships_with_the_course(monkeypatch):
    monkeypatch.setenv("COURSE_DATA", "offline")
    digits = data.mnist()
    assert digits.x_train.shape[0] >= 12_000
    assert digits.x_test.shape[0] >= 2_000
    assert set(digits.y_train) == set(digits.y_test) == set(range(10))


def test_the_real_mnist(real_data, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(real_data))
    digits = data.mnist()
    assert digits.source.real
    assert digits.x_train.shape == (60_000, 28, 28)
    assert digits.x_test.shape == (10_000, 28, 28)
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(digits.y_train).tolist() == counts


# The registry that ships with the course


def test_registry():
    names = ["mnist", "mobilenet", "activity", "storms", "radar", "hymenoptera", "pets"]
    assert registry.names() == names
    mnist = registry.dataset("mnist")
    assert sorted(file.name for file in mnist.files) == sorted(NAMES)
    assert "1998" in mnist.citation
    assert mnist.licence == "CC BY-SA 3.0"
    assert all(len(file.urls) == 2 for file in mnist.files)
    pets = registry.dataset("pets")
    assert [folder.inside for folder in pets.files] == ["images", "annotations/trimaps"]
    assert pets.partner == registry.dataset("hymenoptera").partner == "mobilenet"
    assert not registry.dataset("hymenoptera").can_be_downloaded
    archives = [folder.archive for folder in pets.files]
    for file in (*mnist.files, *registry.dataset("mobilenet").files, *archives):
        assert file.urls
        assert all(url.startswith("https://") and url.endswith(file.name) for url in file.urls)
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert re.fullmatch("[0-9a-f]{64}", file.content_sha256)
    with pytest.raises(KeyError):
        registry.dataset("unknown")


# IDX


@pytest.mark.parametrize("shape", [(2, 3, 5), (0, 3), (7,)])
def test_idx_reads_what_was_written(tmp_path, shape):
    array = np.arange(math.prod(shape), dtype=np.uint8).reshape(shape)
    for content in (idx_bytes(array), gzip.compress(idx_bytes(array))):
        tmp_path.joinpath("images").write_bytes(content)
        np.testing.assert_array_equal(idx.read(tmp_path / "images"), array)


GOOD = idx_bytes(np.arange(6, dtype=np.uint8).reshape(2, 3))


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "not an IDX file: it holds only 0 bytes"),
        (b"\0\0\x08", "not an IDX file: it holds only 3 bytes"),
        (b"<html>", "not an IDX file: it starts with the bytes 3c68746d$"),
        (b"\0\0\x08\0", "not an IDX file: it starts with the bytes 00000800"),
        (b"\0\0\x0d\x01\0\0\0\x01" + b"\0" * 4, "type 0x0d, not unsigned bytes"),
        (b"\0\0\x07\x01\0\0\0\x01" + b"\0", "type 0x07, not unsigned bytes"),
        (GOOD[:11], "ends within its header"),
        (GOOD[:12], "is cut short: 0 values, where its header says 6"),
        (GOOD[:-1], "is cut short: 5 values, where its header says 6"),
        (GOOD + b"\0", "is too long: 7 values, where its header says 6"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "is cut short"),
        (pickle.dumps([1, 2, 3]), "not an IDX file"),
    ],
)
def test_malformed_idx(content, fault):
    with pytest.raises(data.DataError, match=f"^labels .*{fault}"):
        idx.parse(content, "labels")


# The photograph


def test_photo(capsys):
    picture = data.photo()
    assert capsys.readouterr().out.startswith("Photo: china.jpg")
    assert picture.shape == (427, 640, 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 30
    picture[...] = 0  # one's own copy
    assert data.photo().any()


def test_photo_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(data.DataError, match="pip install"):
        data.photo()


@pytest.mark.parametrize("use", ["", "[data.look(name) for name in data.names()];"])
def test_import_is_quick(course, use):
    """Nothing heavy is imported before it is needed, which it isn't to look for files either."""
    script = (
        f"import sys; from helpers import data; {use}"
        "slow = {'keras', 'pandas', 'pooch', 'requests', 'sklearn', 'tensorflow'};"
        "print(slow & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout == "set()\n"
