"""Photos, masks, archives and weights in miniature, with their registry."""

import gzip
import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from tests.helpers.miniature import Course

BREEDS = ("Bengal", "Maine_Coon", "pug")
WEIGHTS = "small.weights.h5"


def photo_bytes(number: int, size=(40, 30), form: str = "JPEG", mode: str = "RGB", **options):
    """Return a picture of one gray level, 10 times `number`, whose left quarter is white."""
    pixels = np.full((size[1], size[0], 3), 10 * number % 250, np.uint8)
    pixels[:, : size[0] // 4] = 255
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, form, **options)
    return file.getvalue()


def mask_bytes(size=(40, 30), mode: str = "L") -> bytes:
    """Return a mask: 1 in the left quarter, then 3 in as much, then 2."""
    pixels = np.full((size[1], size[0]), 2, np.uint8)
    pixels[:, : size[0] // 2] = 3
    pixels[:, : size[0] // 4] = 1
    image = Image.fromarray(pixels)
    if mode == "P":
        image.putpalette([0, 0, 0, 250, 0, 0, 0, 250, 0, 0, 0, 250])
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def pairs(groups=BREEDS, each: int = 5, size=(40, 30)) -> dict[str, bytes]:
    """Return photos and masks by their path, `images/NAME_n.jpg` and `trimaps/NAME_n.png`."""
    names = [f"{group}_{n}" for group in groups for n in range(1, each + 1)]
    photos = {f"images/{name}.jpg": photo_bytes(n, size) for n, name in enumerate(names)}
    return photos | {f"trimaps/{name}.png": mask_bytes(size) for name in names}


def write_tree(files: dict[str, bytes], folder: Path) -> None:
    """Write files, given by their paths, below `folder`."""
    for path, content in files.items():
        folder.joinpath(path).parent.mkdir(parents=True, exist_ok=True)
        folder.joinpath(path).write_bytes(content)


def archive(files: dict[str, bytes]) -> bytes:
    """Return files, given by their paths, as the bytes of a .tar.gz file."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(content), 0o600
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), mtime=0)


class Zoo:
    """Photo sets, real and offline, and their networks, in the place of the miniature's MNIST."""

    def __init__(self, course: Course):
        self.course = course
        self.pets = course.shared / "oxford_pets"
        self.ants = course.shared / "hymenoptera"
        self.weights = course.shared / "weights" / WEIGHTS
        self.cached = course.cache / "oxford_pets"

        photos = pairs()
        write_tree(photos, self.pets)
        self.pets.joinpath("manifest.csv").write_text("name,breed\n")
        bugs = [f"{part}/{bug}" for part in ("train", "val") for bug in ("ants", "bees")]
        bugs = {f"{folder}/{n}.jpg": photo_bytes(n) for folder in bugs for n in range(6)}
        write_tree(bugs, self.ants)
        self.weights.parent.mkdir()
        self.weights.write_bytes(b"weights")

        offline = course.datasets / "animals"
        offline.mkdir()
        offline.joinpath("backbone.weights.h5").write_bytes(b"offline weights")
        self.zip = offline / "animals.zip"
        with zipfile.ZipFile(self.zip, "w") as packed:
            for path, content in pairs(("dapplefox", "ringbear"), 7, (24, 24)).items():
                packed.writestr(path, content)

        # What the real archives hold besides: a Mac's notes, other files, other folders.
        images = {path: content for path, content in photos.items() if path.startswith("images")}
        trimaps = {f"annotations/{path}": content for path, content in photos.items()}
        self.archives = {
            "images.tar.gz": archive(
                images
                | {"images/Bengal_100.mat": b"matrix", "../outside.jpg": b"bad", "/tmp/x.jpg": b""}
                | {"images/../../outside.jpg": b"bad", "images/below/other.jpg": b"other"}
            ),
            "annotations.tar.gz": archive(
                {path: content for path, content in trimaps.items() if "trimaps" in path}
                | {"annotations/trimaps/._Bengal_1.png": b"Mac", "annotations/list.txt": b"list"}
            ),
            WEIGHTS: b"weights",
        }
        self.urls("http://127.0.0.1:9")

    def urls(self, server: str, **ways: str) -> None:
        """Write the registry, with downloads from `server`; `ways` are other servers by name."""
        hashes = {name: hashlib.sha256(file).hexdigest() for name, file in self.archives.items()}

        def entry(name: str) -> str:
            where = ways.get(name.partition(".")[0], server)
            return f'name = "{name}"\nurls = ["{where}/{name}"]\nsha256 = "{hashes[name]}"\n'

        common = 'licence = "none"\ncitation = "none"\noffline = "animals"\n'
        photos = (
            f'{common}offline_files = ["animals.zip"]\nwhat = "photos"\npartner = "mobilenet"\n'
        )
        bugs = ", ".join(
            f'{{ name = "{a}/{b}" }}' for a in ("train", "val") for b in ("ants", "bees")
        )
        self.course.datasets.joinpath("registry.toml").write_text(
            f'[mobilenet]\ntitle = "MobileNetV2"\nfolder = "weights"\nwhat = "weights"\n{common}'
            f'offline_files = ["backbone.weights.h5"]\n[[mobilenet.files]]\n{entry(WEIGHTS)}'
            f'[hymenoptera]\ntitle = "Ants & bees"\nfolder = "hymenoptera"\n{photos}'
            f"folders = [{bugs}]\n"
            f'[pets]\ntitle = "Oxford pets"\nfolder = "oxford_pets"\n{photos}'
            f'[[pets.folders]]\nname = "images"\n'
            f'[pets.folders.archive]\ninside = "images"\n{entry("images.tar.gz")}'
            f'[[pets.folders]]\nname = "trimaps"\nalso = ["annotations/trimaps"]\n'
            f'[pets.folders.archive]\ninside = "annotations/trimaps"\n'
            f"{entry('annotations.tar.gz')}",
            encoding="utf-8",
        )
