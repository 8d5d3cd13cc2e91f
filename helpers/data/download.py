"""Downloads that are verified before they take their place."""

import contextlib
import errno
import math
import os
import shutil
import tarfile
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from helpers.data import files
from helpers.data.files import DataError
from helpers.data.registry import File, Folder

CONNECT_SECONDS = 5  # a network that lets nothing through should cost a student no more than this
READ_SECONDS = 20
FILES_SECONDS = 900  # for all files of a data set together; those in folders may take any time
STALE_SECONDS = 24 * 3600
MANY = 8  # files


class DownloadError(DataError):
    """A download failed; the message says why, in one clause."""


def fetch(wanted: list[File], folder: Path) -> dict[str, bytes]:
    """Download files into `folder` and return their uncompressed contents by file name.

    Each file is written to a temporary folder beside its place and moved there, in one step, once
    its hash is right, or its content for a file without one: whatever fails, and however many
    processes do the same, `folder` holds only complete files. Raises `DownloadError`; what came
    before the failure stays.
    """
    from tqdm.auto import tqdm

    contents, deadline = {}, time.monotonic() + FILES_SECONDS
    # Few files have a bar each, many have one together.
    many = len(wanted) >= MANY
    bar = tqdm(wanted, desc=folder.name, leave=False, disable="CI" in os.environ or not many)
    with _workplace(folder) as temporary:
        for file in bar:
            path = _fetch_one(file, temporary, deadline, quiet=many)
            contents[file.name] = files.read(path)
            path.replace(folder / file.name)
    return contents


def fetch_folders(wanted: list[Folder], place: Path) -> dict[str, bytes]:
    """Download folders of pictures into `place`: their archives come, are unpacked and go.

    As in `fetch`, a folder takes its place in one step and complete. Returns {}, since nothing of
    the pictures is kept in memory. Raises `DownloadError`; a folder that was complete before the
    failure stays, so that only the others are downloaded again.
    """
    with _workplace(place) as temporary:
        for folder in wanted:
            _make_way(place / folder.name)
        for folder in wanted:
            archive = _fetch_one(folder.archive, temporary)
            complete = temporary / "complete"
            complete.mkdir()
            _unpack(archive, folder.inside, complete)
            archive.unlink()  # before the next one comes: they are large
            _put(complete, place / folder.name)
    return {}


@contextlib.contextmanager
def _workplace(folder: Path) -> Iterator[Path]:
    """Make `folder` and a temporary folder in it; name what the disk refuses."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(folder)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as temporary:
            yield Path(temporary)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DownloadError(
                f"the download failed: the disk of {folder} is full, "
                "make room or set COURSE_CACHE to a folder on another"
            ) from error
        raise DownloadError(
            f"the download failed: {folder} cannot be written ({error.strerror}), "
            "set COURSE_CACHE to a folder that can"
        ) from error


def _fetch_one(
    file: File, temporary: Path, deadline: float = math.inf, quiet: bool = False
) -> Path:
    """Download a file and return where it lies, once its hash or its content is right."""
    reasons = []
    for url in file.urls:
        path = temporary / file.name
        reason = _download(url, path, deadline, quiet) or _fault(path, file)
        if reason is None:
            return path
        reasons.append(f"{urlsplit(url).netloc} {reason}")
    raise DownloadError(
        f"the download of {file.name} failed: {', '.join(reasons)}, "
        "check the network and the setting of the proxy (HTTPS_PROXY)"
    )


def _fault(path: Path, file: File) -> str | None:
    """Return what is wrong with a file that was downloaded, None if nothing is."""
    if file.check is None:
        original = files.sha256_of_file(path) == file.sha256
        return None if original else "sent another file than the original"
    try:
        file.check(files.read(path))
    except DataError as fault:
        return f"sent a file that {fault}"
    return None


def _unpack(archive: Path, inside: str, folder: Path) -> None:
    """Unpack the pictures of the folder `inside` of a .tar.gz file into `folder`, nothing else."""
    from tqdm.auto import tqdm

    bar = tqdm(
        desc=f"unpacking {archive.name}",
        total=archive.stat().st_size,
        unit="B",
        unit_scale=True,
        leave=False,
        disable="CI" in os.environ,
    )
    try:
        with bar, archive.open("rb") as packed, tarfile.open(fileobj=packed, mode="r:gz") as tar:
            for member in tar:
                path = PurePosixPath(member.name)
                if member.isfile() and str(path.parent) == inside and files.is_picture(path.name):
                    # By its bare name, so that no member, whatever it is called, gets elsewhere.
                    with tar.extractfile(member) as source, (folder / path.name).open("wb") as copy:
                        shutil.copyfileobj(source, copy)
                bar.update(packed.tell() - bar.n)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DownloadError(f"{archive.name} cannot be unpacked ({error})") from error


def _make_way(place: Path) -> None:
    """Remove an empty folder that stands where a downloaded one will go; complain of a full one."""
    with contextlib.suppress(OSError):
        place.rmdir()
    if place.exists():
        raise DownloadError(f"{place} is in the way of the download, delete it")


def _put(complete: Path, place: Path) -> None:
    """Move a complete folder to its place, unless another process was first."""
    try:
        files.pictures(complete)
    except DataError as error:
        raise DownloadError(f"the archive for {place} holds no pictures") from error
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        complete.rename(place)
    except OSError:
        try:
            files.pictures(place)
        except DataError:
            raise DownloadError(f"{place} is in the way of the download, delete it") from None
        shutil.rmtree(complete)


def _download(url: str, path: Path, deadline: float, quiet: bool) -> str | None:
    """Download `url` to `path`; return what went wrong with the network, None if nothing did.

    `deadline` is a time of `time.monotonic`: a server may send something now and then for ever.
    """
    import pooch
    import requests
    from tqdm.auto import tqdm

    class Bar(tqdm):
        def __bool__(self):  # pooch asks, and a bar is false where the server doesn't say the size
            return True

        def update(self, n=1):  # called after each chunk
            if time.monotonic() > deadline:
                raise requests.Timeout
            return super().update(n)

    bar = Bar(
        desc=path.name,
        unit="B",
        unit_scale=True,
        leave=False,
        disable=quiet or "CI" in os.environ,
    )
    # Plain HTTPDownloader: `pooch.retrieve` would make files that only their owner can read, which
    # is of no use in a shared folder. Its file comes as it is stored, not packed for transport.
    downloader = pooch.HTTPDownloader(
        progressbar=bar,
        chunk_size=2**12,  # small, so that a slow server meets the deadline
        timeout=(CONNECT_SECONDS, READ_SECONDS),
        headers={"Accept-Encoding": "identity"},
    )
    try:
        downloader(url, str(path), None)
    except requests.Timeout:
        return "did not answer in time"
    except requests.HTTPError as error:
        return f"answered {error.response.status_code} {error.response.reason}"
    except requests.ConnectionError as error:
        # A server that falls silent within a file comes as a broken connection.
        return "did not answer in time" if "timed out" in str(error) else "cannot be reached"
    except requests.RequestException:
        return "broke off the connection"
    finally:
        bar.close()
    return None


def _remove_leftovers(folder: Path) -> None:
    """Remove what a download left that was killed and could not tidy up, a day later."""
    for leftover in folder.glob(".download-*"):
        with contextlib.suppress(FileNotFoundError):  # another process has just tidied up
            if time.time() - leftover.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(leftover, ignore_errors=True)
