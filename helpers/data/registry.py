"""What is known of each data set: datasets/registry.toml, read into plain records."""

import importlib
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from helpers.data.files import DataError

# The course is installed in place, so that its data lie beside the package.
COURSE = Path(__file__).resolve().parents[2]
DATASETS = COURSE / "datasets"


@dataclass(frozen=True)
class File:
    """One file of a data set; `content_sha256` is the hash of its uncompressed content.

    Both hashes are None where there is no original to compare with. Then either there is no address
    and the loader tells whether the content can be used, or the server revises what it sends:
    `check` raises `DataError` when the content that came can't be used.
    """

    name: str
    urls: tuple[str, ...]
    sha256: str | None
    content_sha256: str | None
    check: Callable[[bytes], object] | None = None


@dataclass(frozen=True)
class Folder:
    """A folder of pictures in a data set.

    `also` names other places in the data set where it may lie as well. `archive` is the .tar.gz
    file that holds its pictures in the folder `inside`, None where there is no download.
    """

    name: str
    also: tuple[str, ...]
    archive: File | None
    inside: str


@dataclass(frozen=True)
class Dataset:
    """A data set: what it is called, where its files or folders lie and where they come from.

    `offline` is the folder with its offline default, None where the loader makes that by itself.
    `substitute` is the same data set from another place, to be taken where these files are missing.
    """

    name: str
    title: str
    what: str
    folder: str
    offline: Path | None
    offline_files: tuple[str, ...]
    partner: str | None
    licence: str
    citation: str
    files: tuple[File | Folder, ...]
    substitute: "Dataset | None" = None

    @property
    def can_be_downloaded(self) -> bool:
        """Whether every part of it has an address and a hash."""
        return all(file.urls if isinstance(file, File) else file.archive for file in self.files)


def names() -> list[str]:
    """Return the names of all registered data sets."""
    return list(_tables())


def dataset(name: str) -> Dataset:
    """Return the record of the data set `name`; a name that isn't registered is a `KeyError`."""
    table = _tables()[name]
    files = [_file(entry) for entry in table.get("files", [])]
    files += [_folder(entry) for entry in table.get("folders", [])]
    offline = DATASETS / table["offline"] if "offline" in table else None
    same = [file.name for file in files] if offline else []
    found = Dataset(
        name=name,
        title=table["title"],
        what=table.get("what", "data"),
        folder=table["folder"],
        offline=offline,
        offline_files=tuple(table.get("offline_files", same)),
        partner=table.get("partner"),
        licence=table["licence"],
        citation=table["citation"],
        files=tuple(files),
    )
    if "substitute" not in table:
        return found
    # Many files with long addresses, which a module composes.
    source = importlib.import_module(f"helpers.data.{table['substitute']}")
    other = replace(found, folder=table["substitute"], files=source.files())
    return replace(found, substitute=other)


def _file(entry: dict) -> File:
    urls = tuple(entry.get("urls", ()))
    sha256 = entry["sha256"] if urls else entry.get("sha256")  # no download without a hash
    return File(entry["name"], urls, sha256, entry.get("content_sha256", sha256))


def _folder(entry: dict) -> Folder:
    archive = entry.get("archive")
    return Folder(
        name=entry["name"],
        also=tuple(entry.get("also", ())),
        archive=_file(archive) if archive else None,
        inside=archive["inside"] if archive else "",
    )


def _tables() -> dict:
    path = DATASETS / "registry.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"{path} is missing. The course has to be installed in place, from its own folder: "
            "pip install --requirement requirements.txt"
        ) from None
