"""Photos and masks: their sources, their downloads, and every bad file that a folder may hold."""

import io
import re
import warnings
import zipfile

import numpy as np
import pooch
import pytest
from PIL import Image

from helpers import data
from helpers.data import animals, download, pictures, registry
from tests.helpers.processes import two_at_once
from tests.helpers.test_data import FullDisk, everything_in
from tests.helpers.zoo import BREEDS, WEIGHTS, Zoo, archive, mask_bytes, photo_bytes, write_tree

SIZE = 20


@pytest.fixture
def zoo(course, monkeypatch):
    """A course whose data are photos; COURSE_DATA names the folder with the real ones."""
    monkeypatch.setattr(animals, "OFFLINE_TRAIN", 4)
    monkeypatch.setenv("COURSE_DATA", str(course.shared))
    return Zoo(course)


@pytest.fixture
def net(zoo, server, monkeypatch):
    """The same without a data folder, but with downloads from a server on this machine."""
    server.files = zoo.archives
    monkeypatch.delenv("COURSE_DATA")
    monkeypatch.setenv("COURSE_DOWNLOAD", "yes")
    zoo.urls(f"{server.url}/good")
    return server


# Pets


def test_pets(zoo, capsys):
    pets = data.pets(SIZE)
    assert capsys.readouterr().out == f"Oxford pets: real photos from the data folder {zoo.pets}.\n"
    assert pets.source.real
    assert (pets.images.shape, pets.images.dtype) == ((15, SIZE, SIZE, 3), np.uint8)
    assert (pets.masks.shape, pets.masks.dtype) == ((15, SIZE, SIZE), np.uint8)
    assert sorted(pets.breeds) == sorted(BREEDS * 5)
    assert pets.classes == ("pet", "background", "border")
    for left, right, kind in ((0, 5, "pet"), (5, 10, "border"), (10, 20, "background")):
        assert (pets.masks[:, :, left:right] == pets.classes.index(kind)).all()
    assert (pets.images[:, :, :4] > 220).all()  # photos are squeezed as their masks are
    pets.images[...] = 0
    assert data.pets(SIZE).images.any()


def test_order_is_random_and_fixed(zoo):
    first, again, part = data.pets(SIZE), data.pets(SIZE), data.pets(SIZE, limit=6)
    np.testing.assert_array_equal(first.images, again.images)
    np.testing.assert_array_equal(first.breeds[:6], part.breeds)
    np.testing.assert_array_equal(first.images[:6], part.images)
    assert len(set(part.breeds)) > 1


def test_limit_reads_only_these(zoo, monkeypatch):
    read = []
    pair = pictures.read_pair
    monkeypatch.setattr(pictures, "read_pair", lambda *a: read.append(a[0]) or pair(*a))
    data.pets(SIZE, limit=3)
    assert len(read) == 3


def test_limit_without_being_asked(zoo, monkeypatch):
    monkeypatch.setattr(animals, "LIMIT", 6)
    assert len(data.pets(SIZE).images) == 6
    assert len(data.pets(SIZE, limit=100).images) == 15
    monkeypatch.setenv("COURSE_DATA", "offline")
    assert len(data.pets(SIZE).images) == 14


@pytest.mark.parametrize("wrong", [{"size": 0}, {"size": 12.5}, {"limit": 0}, {"size": "big"}])
def test_sizes_that_are_none(zoo, wrong):
    with pytest.raises(ValueError, match="where a whole number"):
        data.pets(**wrong)


def test_size_without_being_asked(zoo, monkeypatch):
    assert data.pets().images.shape[1:] == (128, 128, 3)
    assert data.species().x_test.shape[1:] == (160, 160, 3)
    monkeypatch.setenv("COURSE_DATA", "offline")
    assert data.pets().masks.shape[1:] == (96, 96)
    assert data.species().x_train.shape[1:] == (96, 96, 3)


def test_layout_of_the_complete_set(zoo):
    zoo.pets.joinpath("annotations").mkdir()
    zoo.pets.joinpath("trimaps").rename(zoo.pets / "annotations" / "trimaps")
    assert len(data.pets(SIZE).images) == 15


def test_offline_pets(zoo, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_DATA", "offline")
    pets = data.pets(SIZE)
    assert pets.images.shape == (14, SIZE, SIZE, 3)
    assert set(pets.breeds) == {"dapplefox", "ringbear"}
    assert capsys.readouterr().out == (
        "Oxford pets: offline default made for this course, not the real photos "
        "(COURSE_DATA=offline).\n"
    )


@pytest.mark.parametrize("fault", ["cut", "no zip", "empty", "bad photo", "missing"])
def test_damaged_offline_animals(zoo, monkeypatch, fault):
    monkeypatch.setenv("COURSE_DATA", "offline")
    content = zoo.zip.read_bytes()
    if fault == "missing":
        zoo.zip.unlink()
    elif fault == "bad photo":
        zoo.zip.write_bytes(content.replace(photo_bytes(1, (24, 24))[:400], b"\0" * 400))
    elif fault == "empty":
        zipfile.ZipFile(zoo.zip, "w").close()
    else:
        zoo.zip.write_bytes(content[:2000] if fault == "cut" else b"<html>")
    for load in (data.pets, data.species):
        with pytest.raises(data.DataError, match="git restore datasets"):
            load(SIZE)


# Species


def test_ants_and_bees(zoo, capsys):
    bugs = data.species(SIZE)
    line = capsys.readouterr().out
    assert line == f"Ants & bees: real photos from the data folder {zoo.ants}.\n"
    assert bugs.names == ("ants", "bees")
    assert (bugs.x_train.shape, bugs.x_train.dtype) == ((12, SIZE, SIZE, 3), np.uint8)
    assert bugs.y_train.dtype == bugs.y_test.dtype == np.uint8
    assert np.bincount(bugs.y_train).tolist() == np.bincount(bugs.y_test).tolist() == [6, 6]
    assert bugs.y_train.tolist() != sorted(bugs.y_train)
    np.testing.assert_array_equal(bugs.x_test, data.species(SIZE).x_test)


def test_labels_belong_to_their_photos(zoo):
    for part in ("train", "val"):
        for n in range(6):
            zoo.ants.joinpath(part, "ants", f"{n}.jpg").write_bytes(photo_bytes(2))
            zoo.ants.joinpath(part, "bees", f"{n}.jpg").write_bytes(photo_bytes(12))
    bugs = data.species(SIZE)
    for photos, labels in ((bugs.x_train, bugs.y_train), (bugs.x_test, bugs.y_test)):
        assert ((photos[:, 0, -1, 0] > 70) == labels).all()


def test_offline_species(zoo, monkeypatch, capsys):
    monkeypatch.delenv("COURSE_DATA")
    monkeypatch.setenv("COURSE_DOWNLOAD", "yes")  # of no use: nothing can be downloaded
    animals = data.species(SIZE)
    assert animals.names == ("dapplefox", "ringbear")
    assert np.bincount(animals.y_train).tolist() == [4, 4]
    assert np.bincount(animals.y_test).tolist() == [3, 3]
    line = capsys.readouterr().out
    assert "set COURSE_DATA to a data folder with hymenoptera/" in line
    assert "no verified download" in line


def test_class_without_a_good_photo(zoo):
    for n in range(30):
        zoo.ants.joinpath("train", "ants", f"more{n}.jpg").write_bytes(photo_bytes(n))
    for path in zoo.ants.joinpath("val", "bees").iterdir():
        path.write_bytes(b"") if path.name == "0.jpg" else path.unlink()
    with pytest.raises(data.DataError, match="none of the photos of bees for the test"):
        data.species(SIZE)


@pytest.mark.parametrize("fault", ["missing", "empty", "no pictures"])
def test_folder_without_pictures(zoo, fault):
    folder = zoo.ants / "val" / "bees"
    for path in folder.iterdir():
        path.unlink()
    if fault == "missing":
        folder.rmdir()
    elif fault == "no pictures":
        write_tree(dict.fromkeys(["Thumbs.db", ".hidden.jpg", "list.csv", "a.gif"], b"x"), folder)
    with pytest.raises(data.DataError, match=rf"{folder} .*(missing|holds no pictures).*Copy"):
        data.species(SIZE)


# Files that are no good


PHOTO, MASK = "images/pug_1.jpg", "trimaps/pug_1.png"
BAD = {
    "empty": ({PHOTO: b""}, "the photo is empty"),
    "text": ({PHOTO: b"<html>Please log in</html>"}, "the photo is not a picture"),
    "cut": ({PHOTO: photo_bytes(3, (400, 300))[:2000]}, "the photo is cut short or damaged"),
    "cut png": ({PHOTO: photo_bytes(3, (400, 300), "PNG")[:300]}, "the photo is cut short"),
    "mask missing": ({MASK: None}, r"its mask is missing \(trimaps/pug_1.png\)"),
    "mask empty": ({MASK: b""}, "its mask is empty"),
    "mask cut": ({MASK: mask_bytes()[:60]}, "its mask is"),
    "mask size": ({MASK: mask_bytes((30, 40))}, "its mask has 30 x 40 pixels, the photo 40 x 30"),
    "mask color": ({MASK: photo_bytes(1, form="PNG")}, "its mask is a picture of mode RGB"),
    "mask values": ({MASK: photo_bytes(0, form="PNG", mode="L")}, "its mask holds the value 255"),
}


def put(zoo, files):
    write_tree({path: content for path, content in files.items() if content is not None}, zoo.pets)
    for path in [path for path, content in files.items() if content is None]:
        zoo.pets.joinpath(path).unlink()


@pytest.mark.parametrize("fault", BAD)
def test_one_bad_file_is_left_out_and_named(zoo, capsys, fault):
    files, reason = BAD[fault]
    put(zoo, files)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pets = data.pets(SIZE)
    assert len(pets.images) == len(pets.masks) == len(pets.breeds) == 14
    assert sorted(pets.breeds).count("pug") == 4
    assert pets.masks.max() == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "Oxford pets: 1 of 15 photos can't be used and are left out:"
    assert re.match(f"  pug_1.jpg: {reason}", lines[2])
    assert len(lines) == 3


def test_single_bad_value_is_seen_though_resizing_would_lose_it(zoo):
    pixels = np.asarray(Image.open(io.BytesIO(mask_bytes()))).copy()
    pixels[0, 0] = 4
    path = zoo.pets / MASK
    Image.fromarray(pixels).save(path)
    with pytest.raises(pictures.PictureError, match="holds the value 4"):
        pictures.read_pair(zoo.pets / PHOTO, path, 4)


def test_at_most_five_are_named(zoo, capsys):
    write_tree({f"images/new_{n}.jpg": photo_bytes(n) for n in range(100)}, zoo.pets)
    write_tree({f"trimaps/new_{n}.png": mask_bytes() for n in range(93)}, zoo.pets)
    assert len(data.pets(SIZE).images) == 108
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "Oxford pets: 7 of 115 photos can't be used and are left out:"
    assert len(lines) == 8
    assert lines[-1] == "  and 2 more"


def test_too_many_bad_files(zoo):
    put(zoo, {"images/pug_1.jpg": b"", "images/pug_2.jpg": b"", "images/pug_3.jpg": b""})
    first = r"the first is .*oxford_pets/images/pug_[123].jpg: the photo is empty"
    with pytest.raises(data.DataError, match=rf"3 of 15 photos.*{first}.*Copy the files there"):
        data.pets(SIZE)


def test_nothing_but_bad_files(zoo):
    for path in zoo.pets.joinpath("images").iterdir():
        path.write_bytes(b"x")
    with pytest.raises(data.DataError, match="15 of 15 photos can't be used"):
        data.pets(SIZE)


def test_files_that_are_no_pictures_do_not_matter(zoo):
    write_tree(
        {f"images/{n}": b"x" for n in ("Thumbs.db", ".DS_Store", "a.mat", "b.csv")}, zoo.pets
    )
    write_tree({"images/._pug_1.jpg": b"Mac", "trimaps/._pug_1.png": b"Mac"}, zoo.pets)
    write_tree({"trimaps/lonely_1.png": mask_bytes()}, zoo.pets)
    assert len(data.pets(SIZE).images) == 15


def test_folder_named_like_a_photo(zoo, capsys):
    zoo.pets.joinpath("images", "dir_1.jpg").mkdir()
    assert len(data.pets(SIZE).images) == 15
    assert "dir_1.jpg: the photo cannot be read (Is a directory)" in capsys.readouterr().out


def test_picture_as_large_as_an_attack(zoo, capsys, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)
    for size in ((60, 50), (100, 100)):  # Pillow warns of the first, refuses the second
        put(zoo, {PHOTO: photo_bytes(1, size), MASK: mask_bytes(size)})
        assert len(data.pets(SIZE).images) == 14
        assert "pug_1.jpg: the photo is too large" in capsys.readouterr().out


def several_frames():
    file = io.BytesIO()
    frames = [Image.open(io.BytesIO(photo_bytes(n))) for n in (5, 9)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    return file.getvalue()


def deep_gray():
    file = io.BytesIO()
    pixels = np.full((30, 40), 50 * 256, np.uint16)
    pixels[:, :10] = 65535
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def see_through():
    file = io.BytesIO()
    pixels = np.full((30, 40, 4), (50, 50, 50, 255), np.uint8)
    pixels[:, :10] = (0, 0, 0, 0)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


ODD = {
    "gif": several_frames(),
    "png": photo_bytes(5, form="PNG"),
    "bmp": photo_bytes(5, form="BMP"),
    "palette": photo_bytes(5, form="PNG", mode="P"),
    "transparent palette": photo_bytes(5, form="PNG", mode="P", transparency=b"\xff" * 256),
    "transparent gray": photo_bytes(5, form="PNG", mode="L", transparency=7),
    "gray": photo_bytes(5, mode="L"),
    "deep gray": deep_gray(),
    "gray with alpha": photo_bytes(5, form="PNG", mode="LA"),
    "see-through": see_through(),
    "CMYK": photo_bytes(5, mode="CMYK"),
    "odd notes": photo_bytes(5, exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\0\0"),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_photos_named_jpg_are_read(tmp_path, kind):
    """All show the same: gray 50, white in the left quarter."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(ODD[kind])
    arrays = [np.empty((1, SIZE, SIZE, 3), np.uint8)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kept, bad = pictures.read_all(
            [(path,)], lambda path: [pictures.read_photo(path, SIZE)], arrays
        )
    assert (len(kept), bad) == (1, [])
    picture = arrays[0][0].astype(int)
    assert abs(picture[:, :4] - 255).max() <= 8
    assert abs(picture[:, 7:] - 50).max() <= 12  # a palette has few colors


def test_photo_of_the_right_size_stays_as_it_is(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    np.testing.assert_array_equal(pictures.read_photo(tmp_path / "a.png", SIZE), pixels)


def test_each_pixel_is_an_average(tmp_path):
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[::2] = 255  # stripes, of which leaving out pixels would make a plain area
    Image.fromarray(pixels).save(tmp_path / "a.png")
    small = pictures.read_photo(tmp_path / "a.png", 8)
    assert abs(small.astype(int) - 127).max() < 20


def test_mask_with_a_palette_counts_by_its_numbers(zoo):
    put(zoo, {MASK: mask_bytes(mode="P")})
    assert len(data.pets(SIZE).masks) == 15


def test_turned_photos(tmp_path):
    """A photo is turned as its camera noted, but not away from its mask."""
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise brings the left side to the top
    photo, mask = tmp_path / "a.jpg", tmp_path / "a.png"
    photo.write_bytes(photo_bytes(5, exif=exif.tobytes()))
    mask.write_bytes(mask_bytes())
    upright = pictures.read_photo(photo, SIZE)
    assert (upright[:4] > 220).all()
    stored, labels = pictures.read_pair(photo, mask, SIZE)
    assert (stored[:, :4] > 220).all()
    assert (labels[:, :5] == 1).all()


# Photos and the network that goes with them


def weights_gone(zoo):
    zoo.weights.unlink()
    zoo.weights.parent.rmdir()


@pytest.mark.parametrize(("name", "load"), [("pets", data.pets), ("hymenoptera", data.species)])
def test_photos_without_weights(zoo, capsys, name, load):
    weights_gone(zoo)
    source = load(SIZE).source
    assert not source.real
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    shared = zoo.course.shared
    assert (
        f"(the real photos are in {shared / registry.dataset(name).folder}, but MobileNetV2, the "
        "network that goes with them, is missing: "
        f"the data folder {shared} has no weights/, COURSE_DOWNLOAD=yes gets it)"
    ) in line
    assert data.look(name) == source
    path, network = data.backbone_weights(source)
    assert (path.read_bytes(), network.kind) == (b"offline weights", "offline")


def test_weights_without_photos(zoo, capsys, monkeypatch):
    monkeypatch.delenv("COURSE_DATA")
    write_tree({f"weights/{WEIGHTS}": b"weights"}, zoo.course.cache)
    source = data.species(SIZE).source
    assert not source.real
    capsys.readouterr()
    path, network = data.backbone_weights(source)
    assert path.read_bytes() == b"offline weights"
    assert capsys.readouterr().out == f"{network}\n"
    assert "MobileNetV2: offline default" in str(network)
    assert "goes with the offline photos" in str(network)


def test_photos_with_weights(zoo, capsys):
    source = data.pets(SIZE).source
    capsys.readouterr()
    path, network = data.backbone_weights(source)
    assert (path, network.kind) == (zoo.weights, "folder")
    assert capsys.readouterr().out == (
        f"MobileNetV2: real weights from the data folder {zoo.weights.parent}.\n"
    )


def test_weights_that_are_not_genuine(zoo):
    zoo.weights.write_bytes(b"other")
    with pytest.raises(data.DataError, match=f"{WEIGHTS} is not the original file"):
        data.pets(SIZE)


def test_weights_that_vanish_after_the_photos_were_loaded(zoo):
    source = data.pets(SIZE).source
    weights_gone(zoo)
    with pytest.raises(
        data.DataError, match=r"MobileNetV2.* is missing now.*Load the photos again"
    ):
        data.backbone_weights(source)


def test_photos_are_not_downloaded_without_weights(zoo, net, capsys):
    zoo.urls(f"{net.url}/good", small=f"{net.url}/missing")
    assert not data.pets(SIZE).source.real
    line = capsys.readouterr().out
    assert "the real photos can be downloaded, but MobileNetV2" in line
    assert "answered 404" in line
    assert net.requests == [f"/missing/{WEIGHTS}"]


# Downloads


def trees(zoo):
    """What lies in the cache of pets after a complete download."""
    files = [str(path.relative_to(zoo.pets)) for path in zoo.pets.rglob("*_*")]
    return sorted(["images", "trimaps", *files])


def test_download(zoo, net, capsys):
    assert data.look("pets").kind == "download"
    assert net.requests == []
    pets = data.pets(SIZE)
    assert str(pets.source) == f"Oxford pets: real photos from the download to {zoo.cached}."
    assert len(pets.images) == 15
    assert everything_in(zoo.cached) == trees(zoo)  # no archive, nothing but photos and masks
    assert not zoo.course.cache.joinpath("outside.jpg").exists()
    assert {path.stat().st_mode & 0o444 for path in zoo.cached.rglob("*.*g")} == {0o444}
    again = data.pets(SIZE)
    assert again.source.kind == "cache"
    np.testing.assert_array_equal(again.images, pets.images)
    assert len(net.requests) == 3
    assert capsys.readouterr().err == ""


def test_download_shows_its_progress_unless_in_ci(zoo, net, monkeypatch, capsys):
    monkeypatch.delenv("CI")
    data.pets(SIZE)
    err = capsys.readouterr().err
    for text in ("images.tar.gz", "unpacking images.tar.gz", "reading photos"):
        assert text in err


def test_nothing_is_downloaded_unless_allowed(zoo, net, monkeypatch, capsys):
    monkeypatch.delenv("COURSE_DOWNLOAD")
    assert not data.pets(SIZE).source.real
    assert net.requests == []
    assert "to get them, set COURSE_DATA to a data folder or COURSE_DOWNLOAD=yes" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("missing", "answered 404"),
        ("altered", "sent another file than the original"),
        ("cut", "broke off the connection"),
    ],
)
def test_failed_download_goes_on_later_with_what_is_missing(zoo, net, capsys, way, reason):
    zoo.urls(f"{net.url}/good", annotations=f"{net.url}/{way}")
    assert not data.pets(SIZE).source.real
    assert f"the download of annotations.tar.gz failed: 127.0.0.1:{net.server_port} {reason}" in (
        capsys.readouterr().out
    )
    assert everything_in(zoo.cached) == [name for name in trees(zoo) if name.startswith("images")]
    with pytest.raises(data.DataError, match="Oxford pets: the download of annotations"):
        data.prefetch()
    zoo.urls(f"{net.url}/good")
    net.requests.clear()
    assert data.pets(SIZE).source.kind == "download"
    assert net.requests == ["/good/annotations.tar.gz"]


@pytest.mark.parametrize("moment", ["download", "unpacking"])
def test_interrupted(zoo, net, monkeypatch, moment):
    def interrupt(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if moment == "download":
            data.backbone_weights(data.look("pets"))
            patch.setattr(pooch.HTTPDownloader, "__call__", interrupt)
        else:
            patch.setattr(download.shutil, "copyfileobj", interrupt)
        with pytest.raises(KeyboardInterrupt):
            data.pets(SIZE)
    assert everything_in(zoo.cached) == []
    assert len(data.pets(SIZE).images) == 15


@pytest.mark.parametrize("moment", ["download", "unpacking"])
def test_full_disk(zoo, net, monkeypatch, moment, capsys):
    write_tree({f"weights/{WEIGHTS}": b"weights"}, zoo.course.cache)
    if moment == "download":
        monkeypatch.setattr(pooch.downloaders, "open", FullDisk, raising=False)
    else:
        monkeypatch.setattr(
            download.shutil,
            "copyfileobj",
            lambda source, copy: FullDisk(copy.name, "w").write(source.read()),
        )
    assert not data.pets(SIZE).source.real
    assert f"the disk of {zoo.cached} is full, make room" in capsys.readouterr().out
    assert everything_in(zoo.cached) == []


@pytest.mark.parametrize("content", [b"no archive", archive({"other/a.jpg": b"x"})])
def test_archive_that_is_not_what_it_should_be(zoo, net, capsys, content):
    """Its hash is right, so this is a mistake in the registry; still no crash."""
    zoo.archives["images.tar.gz"] = content
    zoo.urls(f"{net.url}/good")
    assert not data.pets(SIZE).source.real
    assert re.search("cannot be unpacked|holds no pictures", capsys.readouterr().out)
    assert everything_in(zoo.cached) == []


@pytest.mark.parametrize("what", ["file", "folder of other files"])
def test_something_in_the_way(zoo, net, capsys, what):
    place = zoo.cached / "images"
    zoo.cached.mkdir(parents=True)
    if what == "file":
        place.write_text("mine")
    else:
        write_tree({"mine.txt": b"mine"}, place)
    assert not data.pets(SIZE).source.real
    assert f"{place} is in the way of the download, delete it" in capsys.readouterr().out
    assert f"/good/{'images.tar.gz'}" not in net.requests
    assert place.exists()


def test_empty_folder_is_not_in_the_way(zoo, net):
    zoo.cached.joinpath("images").mkdir(parents=True)
    assert len(data.pets(SIZE).images) == 15


def test_bad_photos_in_the_cache(zoo, net):
    data.pets(SIZE)
    for path in zoo.cached.joinpath("images").glob("pug*"):
        path.write_bytes(b"")
    with pytest.raises(data.DataError, match=rf"5 of 15 .*Delete the folder {zoo.cached}"):
        data.pets(SIZE)


def test_two_processes_at_once(zoo, net):
    """The server answers each file only when both processes have asked for it."""
    zoo.urls(f"{net.url}/together")
    code = "assert data.pets(20).images.shape == (15, 20, 20, 3)"
    for out in two_at_once(code, zoo.course.datasets):
        assert out == f"Oxford pets: real photos from the download to {zoo.cached}.\n"
    assert len(net.requests) == 6
    assert everything_in(zoo.cached) == trees(zoo)


def test_prefetch(zoo, net, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_DATA", "offline")
    data.prefetch()
    cache = zoo.course.cache
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"MobileNetV2: real weights from the download to {cache / 'weights'}."
    assert lines[1].startswith("Ants & bees: to get them, set COURSE_DATA to a data folder with")
    assert lines[2] == f"Oxford pets: real photos from the download to {zoo.cached}."
    data.prefetch()
    assert len(net.requests) == 3
    monkeypatch.setenv("COURSE_DATA", str(cache))  # laid out like a data folder
    assert data.pets(SIZE).source.kind == "folder"


# What ships with the course, and the real photos


@pytest.fixture
def at_home(monkeypatch):
    """The course's own registry and offline default; skip while the latter is being made."""
    if not (registry.DATASETS / "animals" / "animals.zip").is_file():
        pytest.skip("datasets/animals is not there")
    monkeypatch.setenv("COURSE_DATA", "offline")


def test_the_offline_animals_that_ship_with_the_course(at_home):
    animals = data.species()
    assert len(animals.names) == 5
    assert np.bincount(animals.y_train).tolist() == [60] * 5
    assert np.bincount(animals.y_test).min() >= 60
    pets = data.pets()
    assert len(pets.images) >= 600
    assert set(np.unique(pets.masks)) == {0, 1, 2}


def test_the_real_photos(real_data, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(real_data))
    pets = data.pets(64)
    assert pets.source.real
    assert len(pets.images) >= 200
    shares = np.bincount(pets.masks.ravel()) / pets.masks.size
    assert 0.4 < shares[1] < 0.7
    assert 0.05 < shares[2] < 0.2
    bugs = data.species(64)
    assert bugs.source.real
    assert min(np.bincount(bugs.y_train)) > 100
    assert min(np.bincount(bugs.y_test)) > 30
    path, network = data.backbone_weights(bugs.source)
    assert network.real
    assert path.name.startswith("mobilenet_v2")
