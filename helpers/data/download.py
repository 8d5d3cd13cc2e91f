"""Downloads that are verified before they take their place."""

import contextlib
import errno
import os
import shutil
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from helpers.data import files
from helpers.data.files import DataError
from helpers.data.registry import File

CONNECT_SECONDS = 5  # a network that lets nothing through should cost a student no more than this
READ_SECONDS = 20
STALE_SECONDS = 24 * 3600


class DownloadError(DataError):
    """A download failed; the message says why, in one clause."""


def fetch(wanted: list[File], folder: Path) -> dict[str, bytes]:
    """Download files into `folder` and return their uncompressed contents by file name.

    Each file is written to a temporary folder beside its place and moved there, in one step, once
    its hash is right: whatever fails, and however many processes do the same, `folder` holds only
    complete files. Raises `DownloadError`; what came before the failure stays.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(folder)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as temporary:
            return {file.name: _fetch_one(file, folder, Path(temporary)) for file in wanted}
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


def _fetch_one(file: File, folder: Path, temporary: Path) -> bytes:
    reasons = []
    for url in file.urls:
        path = temporary / file.name
        reason = _download(url, path)
        if reason is None and files.sha256(path.read_bytes()) == file.sha256:
            content = files.read(path)
            path.replace(folder / file.name)
            return content
        host = urlsplit(url).netloc
        reasons.append(f"{host} {reason or 'sent another file than the original'}")
    raise DownloadError(
        f"the download of {file.name} failed: {', '.join(reasons)}, "
        "check the network and the setting of the proxy (HTTPS_PROXY)"
    )


def _download(url: str, path: Path) -> str | None:
    """Download `url` to `path`; return what went wrong with the network, None if nothing did."""
    import pooch
    import requests
    from tqdm.auto import tqdm

    bar = tqdm(
        desc=path.name,
        total=1,  # pooch asks whether the bar is true, and sets the total that the server says
        unit="B",
        unit_scale=True,
        leave=False,
        disable="CI" in os.environ,
    )
    # Plain HTTPDownloader: `pooch.retrieve` would make files that only their owner can read, which
    # is of no use in a shared folder. Its file comes as it is stored, not packed for transport.
    downloader = pooch.HTTPDownloader(
        progressbar=bar,
        chunk_size=2**16,
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
