"""Where a data set is found: data folder, cache, download, offline default, in this order.

Settings, all environment variables, read at each call:

COURSE_DATA      a data folder, or the word `offline` for the offline default
COURSE_DOWNLOAD  `yes` allows downloads
COURSE_CACHE     the folder for downloads, instead of the user's cache folder
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from helpers.data import download, files, registry
from helpers.data.files import DataError, MissingError
from helpers.data.registry import Dataset, File, Folder

Contents = dict[str, bytes]
Load = Callable[[Path, File | Folder], bytes]
Fetch = Callable[[list, Path], Contents]


@dataclass(frozen=True)
class Source:
    """Where a data set comes from; `str()` is the line that its loader prints.

    `kind` is "folder", "cache", "download" or "offline", `place` the folder that holds the files,
    None for an offline default that the loader makes by itself; `notes` tell what was tried before
    and why it was not taken, `what` is what the set consists of: data, photos, recordings, weights.
    """

    title: str
    kind: str
    place: Path | None
    notes: tuple[str, ...] = ()
    what: str = "data"

    @property
    def real(self) -> bool:
        """Whether these are the real data, not the offline default."""
        return self.kind != "offline"

    @property
    def description(self) -> str:
        """The source in words, without the title of the data set."""
        where = {
            "folder": f"real {self.what} from the data folder {self.place}",
            "cache": f"real {self.what} from the cache {self.place}",
            "download": f"real {self.what} from the download to {self.place}",
            "offline": f"offline default made for this course, not the real {self.what}",
        }[self.kind]
        return f"{where} ({'; '.join(self.notes)})" if self.notes else where

    def __str__(self) -> str:
        return f"{self.title}: {self.description}."


def find(name: str) -> tuple[Contents, Source]:
    """Return the uncompressed content of each file of a data set, by file name, and its source.

    Real data are verified by their SHA-256, except files that have no hash in the registry; where
    the data set has a substitute, its files may come instead. An offline default that the loader
    makes by itself has no files: the dict is empty. A data folder that can't be used is a
    `DataError`, because what an instructor set is never passed over in silence. A cache or a
    download that fails is none: the offline default remains, and the notes of the source say what
    failed.
    """
    return _search(registry.dataset(name), _verified, download.fetch)


def find_folder(name: str) -> tuple[Path, Source]:
    """Return where a data set of folders lies, and its source: nothing is read, hence no hashes.

    The place is the folder of the real data set, or the archive with the offline default. Photos
    and the network that a lab uses with them are both real or both offline: real photos without
    their partner are passed over, and the notes of the source say so. Errors are those of `find`.
    """
    dataset = registry.dataset(name)
    source = _without_partner(dataset, lambda partner: find(partner)[1])
    if source is None:
        source = _search(dataset, _present, download.fetch_folders)[1]
    return (source.place if source.real else dataset.offline / dataset.offline_files[0]), source


def part(place: Path, name: str, folder: str) -> Path:
    """Return where a folder of the data set `name` lies within `place`, in any accepted layout."""
    (wanted,) = [part for part in registry.dataset(name).files if part.name == folder]
    return _folder(place, wanted)


def offline(name: str, note: str) -> Source:
    """Return the source of the offline default of a data set, taken for the reason in `note`."""
    dataset = registry.dataset(name)
    _offline(dataset, _present)
    return Source(dataset.title, "offline", dataset.offline, (note,), dataset.what)


def look(name: str) -> Source:
    """Return the source that `find` would use, going by which files exist; nothing is read."""
    dataset = registry.dataset(name)
    return _without_partner(dataset, look) or _look(dataset)


def prefetch() -> None:
    """Download what the cache lacks of every data set, and print one line for each.

    This is a wish to download, so COURSE_DATA and COURSE_DOWNLOAD don't matter. A data set without
    an address is told and passed over. Raises `DataError` when another can't be had.
    """
    for name in registry.names():
        for dataset in _candidates(registry.dataset(name)):
            place = _cache_folder() / dataset.folder
            _, faults = _examine(dataset, place, _verified)
            if not faults:
                break
        wanted = [file for file in dataset.files if file.name in faults]
        if wanted and not dataset.can_be_downloaded:
            print(f"{dataset.title}: {_advice(dataset)}.")
            continue
        try:
            _fetcher(dataset)(wanted, place)
        except download.DownloadError as error:
            raise DataError(f"{dataset.title}: {error}") from error
        print(Source(dataset.title, "download" if faults else "cache", place, what=dataset.what))


def damaged_offline(fault: DataError) -> DataError:
    """Return the error for an offline default that is not as the course ships it."""
    return DataError(
        f"{fault}. The file belongs to the course: restore it with `git restore datasets`, "
        "or get the course anew"
    )


def _look(dataset: Dataset) -> Source:
    return _search(dataset, _present, lambda files, folder: {})[1]


def _without_partner(dataset: Dataset, search: Callable[[str], Source]) -> Source | None:
    """Return the offline source if the photos are real and their partner isn't, None otherwise.

    The partner is searched first, because it is small and the photos may be a long download.
    """
    if dataset.partner is None or not (photos := _look(dataset)).real:
        return None
    partner = search(dataset.partner)
    if partner.real:
        return None
    found = "can be downloaded" if photos.kind == "download" else f"are in {photos.place}"
    reasons = "; ".join(partner.notes)
    if not _download_allowed() and "COURSE_DOWNLOAD" not in reasons:
        reasons += ", COURSE_DOWNLOAD=yes gets it"
    return offline(
        dataset.name,
        f"the real {dataset.what} {found}, but {partner.title}, the network that goes with them, "
        f"is missing: {reasons}",
    )


def _search(dataset: Dataset, load: Load, fetch: Fetch) -> tuple[Contents, Source]:
    def source(kind: str, place: Path) -> Source:
        return Source(dataset.title, kind, place, tuple(notes), dataset.what)

    notes = []
    setting = os.environ.get("COURSE_DATA", "").strip()
    if setting.lower() == "offline":
        notes.append("COURSE_DATA=offline")
        return _offline(dataset, load), source("offline", dataset.offline)

    if setting:
        folder = _data_folder(setting)
        for candidate in _candidates(dataset):
            place = folder / candidate.folder
            if _is_folder(place):
                contents, faults = _examine(candidate, place, load)
                if faults:
                    raise DataError(
                        f"{dataset.title} in the data folder can't be used: {_summary(faults)}. "
                        "Copy the file there again, or set COURSE_DATA=offline to go on without it"
                    )
                return contents, source("folder", place)
        notes.append(f"the data folder {folder} has no {dataset.folder}/")

    allowed = _download_allowed()
    for candidate in _candidates(dataset):
        place = _cache_folder() / candidate.folder
        contents, faults = _examine(candidate, place, load)
        if not faults:
            return contents, source("cache", place)
        damaged = not all(isinstance(fault, MissingError) for fault in faults.values())
        if contents or damaged:  # otherwise nothing was ever kept here, which is no news
            advice = "delete it, or " if damaged else ""
            advice = f": {advice}set COURSE_DOWNLOAD=yes to download it again"
            no_advice = allowed or not candidate.can_be_downloaded
            notes.append(f"in the cache {_summary(faults)}{'' if no_advice else advice}")

    # The last candidate is the one that a download may have.
    if allowed and candidate.can_be_downloaded:
        try:
            contents |= fetch([file for file in candidate.files if file.name in faults], place)
            return contents, source("download", place)
        except download.DownloadError as error:
            notes.append(str(error))
    if not notes:
        notes.append(_advice(candidate))
    return _offline(dataset, load), source("offline", dataset.offline)


def _candidates(dataset: Dataset) -> tuple[Dataset, ...]:
    """Return the data set and what may take its place, in the order of preference."""
    return (dataset,) if dataset.substitute is None else (dataset, dataset.substitute)


def _examine(dataset: Dataset, place: Path, load: Load) -> tuple[Contents, dict[str, DataError]]:
    """Return the content of the good files in `place`, and what is wrong with the others."""
    contents, faults = {}, {}
    for file in dataset.files:
        try:
            contents[file.name] = load(place, file)
        except DataError as error:
            faults[file.name] = error
    return contents, faults


def _offline(dataset: Dataset, load: Load) -> Contents:
    # Only the real files have a known hash; the reader of the format verifies these.
    contents, faults = {}, {}
    for name in dataset.offline_files:
        path = dataset.offline / name
        try:
            contents[name] = _exists(path) if load is _present else files.read(path)
        except DataError as error:
            faults[name] = error
    if faults:
        raise damaged_offline(DataError(_summary(faults)))
    return contents


def _advice(dataset: Dataset) -> str:
    if dataset.can_be_downloaded:
        return "to get them, set COURSE_DATA to a data folder or COURSE_DOWNLOAD=yes"
    return (
        f"to get them, set COURSE_DATA to a data folder with {dataset.folder}/, "
        "since they have no verified download"
    )


def _fetcher(dataset: Dataset) -> Fetch:
    folders = any(isinstance(part, Folder) for part in dataset.files)
    return download.fetch_folders if folders else download.fetch


def _verified(place: Path, file: File | Folder) -> bytes:
    if isinstance(file, Folder):
        return _present(place, file)
    path = place / file.name
    content = files.read(path)
    if file.content_sha256 is None:
        return content
    found = files.sha256(content)
    if found != file.content_sha256:
        raise DataError(
            f"{path} is not the original file "
            f"(SHA-256 of its content {found[:12]}..., expected {file.content_sha256[:12]}...)"
        )
    return content


def _present(place: Path, file: File | Folder) -> bytes:
    if isinstance(file, File):
        return _exists(place / file.name)
    files.pictures(_folder(place, file))
    return b""


def _exists(path: Path) -> bytes:
    if not path.is_file():
        raise MissingError(f"{path} is missing")
    return b""


def _folder(place: Path, wanted: Folder) -> Path:
    others = [place / name for name in wanted.also]
    return next(filter(_is_folder, [place / wanted.name, *others]), place / wanted.name)


def _download_allowed() -> bool:
    return os.environ.get("COURSE_DOWNLOAD", "").strip().lower() in ("yes", "true", "1")


def _data_folder(setting: str) -> Path:
    """Return the folder that COURSE_DATA names, if relative seen from here or from the course.

    Notebooks run in their own folder, whereas `COURSE_DATA=../data make lab` is typed in the
    course's.
    """
    path = Path(setting).expanduser()
    candidates = [Path.cwd() / path, registry.COURSE / path]
    for candidate in candidates:
        if _is_folder(candidate):
            return candidate.resolve()
    raise DataError(
        f"COURSE_DATA names {setting!r}, which is not a folder that can be read. Correct it, "
        "or set COURSE_DATA=offline to use the data that ship with the course"
    )


def _cache_folder() -> Path:
    setting = os.environ.get("COURSE_CACHE", "").strip()
    if setting:
        return Path(setting).expanduser().resolve()
    import pooch

    return Path(pooch.os_cache("deep-learning-labs"))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _summary(faults: dict[str, DataError]) -> str:
    # What is damaged before what is missing: the advice that follows is about the first.
    first, *others = sorted(faults.values(), key=lambda fault: isinstance(fault, MissingError))
    return f"{first} (and {len(others)} more)" if others else str(first)
