"""What is known of each data set: datasets/registry.toml, read into plain records."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from helpers.data.files import DataError

# The course is installed in place, so that its data lie beside the package.
COURSE = Path(__file__).resolve().parents[2]
DATASETS = COURSE / "datasets"


@dataclass(frozen=True)
class File:
    """One file of a data set; `content_sha256` is the hash of its uncompressed content."""

    name: str
    urls: tuple[str, ...]
    sha256: str
    content_sha256: str


@dataclass(frozen=True)
class Dataset:
    """A data set: what it is called, where its files lie and where they come from."""

    name: str
    title: str
    folder: str
    offline: Path
    licence: str
    citation: str
    files: tuple[File, ...]


def names() -> list[str]:
    """Return the names of all registered data sets."""
    return list(_tables())


def dataset(name: str) -> Dataset:
    """Return the record of the data set `name`; a name that isn't registered is a `KeyError`."""
    table = _tables()[name]
    files = tuple(
        File(
            name=entry["name"],
            urls=tuple(entry["urls"]),
            sha256=entry["sha256"],
            content_sha256=entry.get("content_sha256", entry["sha256"]),
        )
        for entry in table["files"]
    )
    return Dataset(
        name=name,
        title=table["title"],
        folder=table["folder"],
        offline=DATASETS / table["offline"],
        licence=table["licence"],
        citation=table["citation"],
        files=files,
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
